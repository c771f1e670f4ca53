/* interrupt.c -- SIGINT and SIGTERM as a flag. The first asks for an orderly end, the second stops cleaning up as
 * well, the third ends the program at once; what is left then stands in the journal. */
#include <signal.h>
#include <unistd.h>

#include "run/run.h"
#include "run/supervise.h"

static volatile sig_atomic_t last, count;

static void on_signal(int sig)
{
    last = sig;
    count = count + 1;
    if (count >= 3)
        _exit(SP_EXIT_INTERRUPTED);
}

int sp_interrupted(void)
{
    return (int)last;
}

int sp_interrupt_count(void)
{
    return (int)count;
}

void sp_interrupt_install(void)
{
    struct sigaction sa = { .sa_handler = on_signal }; /* no SA_RESTART: blocking calls return */
    (void)sigemptyset(&sa.sa_mask);
    (void)sigaction(SIGINT, &sa, NULL);
    (void)sigaction(SIGTERM, &sa, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}
