/* stack.c -- stopping and starting a server through the command that the configuration names.
 *
 * The command is run by a minder, a process of our own that outlives a worker which is killed meanwhile: what was begun
 * is ended, and whoever starts the server again waits for that. The lock between them is a bound abstract address: it
 * goes with its last holder, and neither the command nor the server inherits it. */
#include "run/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

#define PATIENCE_MS 90000
#define STEP_NS     5000000 /* between two looks */
#define SAID_BYTES  512     /* of its output, for the message */
#define LATE        124     /* exit codes of the minder that are not the command's */
#define NO_START    127

static const char *const verbs[] = { [SP_SERVER_STOP] = "stop",
    [SP_SERVER_START] = "start",
    [SP_SERVER_RESTART] = "restart",
    [SP_SERVER_KILL] = "kill" };

const char *sp_stack_command(const struct sp_endpoint *e)
{
    const char *command = sp_endpoint_option(e, "stack", NULL);
    return command != NULL && command[0] != '\0' ? command : NULL;
}

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void nap(void)
{
    (void)nanosleep(&(struct timespec){ 0, STEP_NS }, NULL);
}

/* One server, one command at a time. Gives the descriptor that holds the lock, or -1: errno EADDRINUSE = somebody else's
 * command does not end. */
static int lock_server(const char *command, const char *name)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    const char *place = getenv("STACK_DIR");
    uint64_t h = sp_hash_str(command) ^ sp_hash_str(name) * 3 ^ (place != NULL ? sp_hash_str(place) * 7 : 0);
    int n =
        snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "switchproof-stack-%016llx", (unsigned long long)h);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int64_t until = now_ms() + PATIENCE_MS;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    while (fd >= 0 && bind(fd, (const struct sockaddr *)&a, size) != 0) {
        int saved = errno;
        if (saved != EADDRINUSE || now_ms() > until) {
            (void)close(fd);
            errno = saved;
            return -1;
        }
        nap();
    }
    return fd;
}

/* ---- the minder: only calls that are safe between fork and exec, as the process may have other threads --------------- */

static void become(const char *command, const char *verb, const char *name, int out)
{
    char *const argv[] = { (char *)(uintptr_t)command, (char *)(uintptr_t)verb, (char *)(uintptr_t)name,
        NULL };
    int in = open("/dev/null", O_RDONLY);
    if (in >= 0 && dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(out, 2) >= 0)
        (void)execv(command, argv);
    _exit(NO_START);
}

/* True when it ended in time; then *status says how. */
static bool wait_for(pid_t pid, int64_t ms, int *status)
{
    int64_t until = now_ms() + ms;
    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid)
            return true;
        if ((got < 0 && errno != EINTR) || now_ms() > until)
            break;
        nap();
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, status, 0);
    return false;
}

static void mind(const char *command, const char *verb, const char *name, int out)
{
    static const int reset[] = { SIGINT, SIGTERM, SIGCHLD, SIGPIPE };
    sigset_t none;
    int status = 0;
    (void)setpgid(0, 0); /* what is sent to our group does not end it halfway */
    for (size_t i = 0; i < SP_LEN(reset); i++)
        (void)signal(reset[i], SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    pid_t pid = fork();
    if (pid == 0)
        become(command, verb, name, out);
    if (pid < 0)
        _exit(NO_START);
    if (!wait_for(pid, PATIENCE_MS, &status))
        _exit(LATE);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + (WTERMSIG(status) & 0x7f));
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

/* The end of what the command printed, as one line. */
static void last_words(int fd, char out[SAID_BYTES])
{
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > SAID_BYTES - 1 ? size - (SAID_BYTES - 1) : 0;
    ssize_t n = size > 0 ? pread(fd, out, SAID_BYTES - 1, from) : 0;
    n = n > 0 ? n : 0;
    while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == ' '))
        n--;
    out[n] = '\0';
    for (ssize_t i = 0; i < n; i++)
        out[i] = out[i] == '\n' ? ' ' : out[i];
}

int sp_stack_do(
    const struct sp_endpoint *e, const char *kind, enum sp_server_action what, struct sp_error *err)
{
    const char *command = sp_stack_command(e), *name = sp_endpoint_option(e, "stack_server", kind);
    char said[SAID_BYTES] = "";
    int status = 0;
    if (command == NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS,
            "no command controls the server of %s; name one in its option stack", e->name);
    if (access(command, X_OK) != 0)
        return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS,
            "%s, which controls the server of %s, cannot be executed: %s", command, e->name, strerror(errno));
    int lock = lock_server(command, name);
    int out = lock >= 0 ? memfd_create("stack", MFD_CLOEXEC) : -1;
    pid_t pid = out >= 0 ? fork() : -1;
    if (pid == 0)
        mind(command, verbs[what], name, out);
    int saved = errno;
    if (lock >= 0)
        (void)close(lock); /* the minder holds it */
    bool in_time = pid > 0 && wait_for(pid, PATIENCE_MS + 5000, &status);
    if (out >= 0) {
        last_words(out, said);
        (void)close(out);
    }
    if (pid < 0)
        return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot run %s: %s", command, strerror(saved));
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    if (!in_time || code == LATE)
        return sp_fail(err, SP_E_TIMEOUT, SP_ORIGIN_HARNESS, "%s %s %s did not end within %d s: %s", command,
            verbs[what], name, PATIENCE_MS / 1000, said);
    if (code != 0)
        return sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_HARNESS, "%s %s %s failed (exit code %d): %s",
            command, verbs[what], name, code, said);
    return 0;
}
