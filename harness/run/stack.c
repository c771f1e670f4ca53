/* stack.c -- stopping and starting a server through the command that the configuration names. */
#include "run/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

#define PATIENCE_MS 90000
#define STEP_NS     5000000 /* between two looks */
#define SAID_BYTES  512     /* of its output, for the message */

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

/* Only calls that are safe between fork and exec: the process may have other threads. */
static void child(const char *command, const char *verb, const char *name, int out, bool apart)
{
    char *const argv[] = { (char *)(uintptr_t)command, (char *)(uintptr_t)verb, (char *)(uintptr_t)name,
        NULL };
    static const int reset[] = { SIGINT, SIGTERM, SIGCHLD, SIGPIPE };
    sigset_t none;
    if (apart)
        (void)setpgid(0, 0);
    for (size_t i = 0; i < SP_LEN(reset); i++)
        (void)signal(reset[i], SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int in = open("/dev/null", O_RDONLY);
    if (in >= 0 && dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(out, 2) >= 0)
        (void)execv(command, argv);
    _exit(127);
}

/* True when it ended in time; then *status says how. */
static bool wait_for(pid_t pid, int *status)
{
    int64_t until = now_ms() + PATIENCE_MS;
    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid)
            return true;
        if ((got < 0 && errno != EINTR) || now_ms() > until)
            break;
        (void)nanosleep(&(struct timespec){ 0, STEP_NS }, NULL);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, status, 0);
    return false;
}

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

int sp_stack_do(const struct sp_endpoint *e, const char *kind, enum sp_server_action what, bool apart,
    struct sp_error *err)
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
    int out = memfd_create("stack", MFD_CLOEXEC);
    pid_t pid = out >= 0 ? fork() : -1;
    if (pid == 0)
        child(command, verbs[what], name, out, apart);
    if (pid < 0) {
        int saved = errno;
        if (out >= 0)
            (void)close(out);
        return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot run %s: %s", command, strerror(saved));
    }
    bool in_time = wait_for(pid, &status);
    last_words(out, said);
    (void)close(out);
    if (!in_time)
        return sp_fail(err, SP_E_TIMEOUT, SP_ORIGIN_HARNESS, "%s %s %s did not end within %d s: %s", command,
            verbs[what], name, PATIENCE_MS / 1000, said);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_HARNESS, "%s %s %s failed (%s %d): %s", command,
            verbs[what], name, WIFEXITED(status) ? "exit code" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), said);
    return 0;
}
