/* holder.c -- another program at work on a file. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "corruptions.h"

static void work(const char *path, const char *once, const char *again, int from, int to)
{
    char c = 'r';
    sqlite3 *db = db_open(path);
    (void)sqlite3_busy_timeout(db, 5000);
    if (!db_exec(db, once) || write(to, &c, 1) != 1)
        _exit(1);
    struct pollfd end = { .fd = from, .events = POLLIN };
    while (poll(&end, 1, again != NULL ? 2 : -1) == 0)
        if (!db_exec(db, again))
            _exit(1);
    /* Without closing: what is not committed is left as a killed program leaves it, and nothing is checkpointed. */
    _exit(0);
}

bool holder_start(struct holder *h, const char *path, const char *once, const char *again)
{
    int to[2], from[2];
    char c;
    if (pipe(to) != 0 || pipe(from) != 0)
        return false;
    fflush(stdout);
    h->pid = fork();
    if (h->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(to[1]);
        close(from[0]);
        work(path, once, again, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    h->to = to[1];
    h->from = from[0];
    if (h->pid > 0 && read(h->from, &c, 1) == 1)
        return true;
    holder_end(h);
    return false;
}

void holder_end(struct holder *h)
{
    close(h->to); /* the pipe's end wakes it */
    close(h->from);
    int status = 0;
    if (h->pid > 0 && (waitpid(h->pid, &status, 0) != h->pid || status != 0)) {
        printf("FAIL: the other program ended with status %d\n", status);
        failed++;
    }
    h->pid = 0;
}
