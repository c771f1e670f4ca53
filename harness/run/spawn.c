/* spawn.c -- fork and exec of a worker. */
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FREE 10 /* descriptors below are where the child's own ends will stand */

static void close_one(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* A descriptor at FIRST_FREE or above, so that dup2 to 0..3 cannot overwrite it. */
static int lift(int fd)
{
    int up = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE);
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return up;
}

/* Only calls that are safe between fork and exec. */
static void child(const char *program, pid_t parent, int sock, int out, int err, const sigset_t *mask)
{
    static char name[] = "switchproof", arg[] = "__worker";
    char *const argv[] = { name, arg, NULL };
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127); /* it died before the line above */
    struct rlimit none = { 0, 0 };
    (void)setrlimit(RLIMIT_CORE, &none); /* a core file would hold the job's secrets */
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    int in = open("/dev/null", O_RDONLY);
    if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 || dup2(sock, 3) < 0)
        _exit(127);
    if (in > 3)
        (void)close(in);
    (void)execv(program, argv);
    static const char text[] = "cannot execute the worker program\n";
    (void)!write(2, text, sizeof text - 1);
    _exit(127);
}

static int make_ends(int sock[2], int out[2], int errs[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
        pipe2(errs, O_CLOEXEC) != 0)
        return -1;
    sock[1] = lift(sock[1]);
    out[1] = lift(out[1]);
    errs[1] = lift(errs[1]);
    if (sock[1] < 0 || out[1] < 0 || errs[1] < 0)
        return -1;
    /* A worker that does not take its job must not hold up the others. */
    struct timeval patience = { .tv_sec = 5 };
    (void)setsockopt(sock[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fcntl(out[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(errs[0], F_SETFL, O_NONBLOCK) != 0 ? -1 : 0;
}

/* This very program by its path, as long as the file there is still the one that was started: tools that watch a
 * process (valgrind, rr) stand behind /proc/self/exe themselves. */
static const char *own_path(const char *program)
{
    static char path[PATH_MAX];
    static struct stat first;
    struct stat now;
    if (strcmp(program, "/proc/self/exe") != 0)
        return program;
    if (path[0] == '\0') {
        ssize_t n = readlink(program, path, sizeof path - 1);
        if (n <= 0 || (size_t)n >= sizeof path - 1 || stat(path, &first) != 0)
            n = 0;
        path[n] = '\0';
    }
    bool same = path[0] != '\0' && stat(path, &now) == 0 && now.st_ino == first.st_ino &&
                now.st_dev == first.st_dev && now.st_mtim.tv_sec == first.st_mtim.tv_sec &&
                now.st_mtim.tv_nsec == first.st_mtim.tv_nsec;
    return same ? path : program;
}

int sp_spawn(struct sp_child *c, const char *program, const sigset_t *mask, struct sp_error *err)
{
    int sock[2] = { -1, -1 }, out[2] = { -1, -1 }, errs[2] = { -1, -1 };
    pid_t parent = getpid(), pid = -1;
    *c = (struct sp_child){ .pid = -1, .sock = -1, .out = -1, .err = -1 };
    program = own_path(program);
    if (make_ends(sock, out, errs) == 0)
        pid = fork();
    if (pid == 0)
        child(program, parent, sock[1], out[1], errs[1], mask);
    int saved = errno;
    close_one(&sock[1]);
    close_one(&out[1]);
    close_one(&errs[1]);
    if (pid < 0) {
        close_one(&sock[0]);
        close_one(&out[0]);
        close_one(&errs[0]);
        return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot start a worker: %s", strerror(saved));
    }
    (void)setpgid(pid, pid); /* whoever comes first */
    *c = (struct sp_child){ .pid = pid, .sock = sock[0], .out = out[0], .err = errs[0] };
    return 0;
}
