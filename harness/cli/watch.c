/* watch.c -- a thread that waits for a signal and interrupts sessions. */
#include <signal.h>
#include <time.h>

#include "cli/watch.h"
#include "provider.h"
#include "run/run.h"
#include "run/supervise.h"

#define LOOK_MS 100
/* What a command does after the signal (a rollback, the removal of what it made) may meet the same silent server. It gets
 * this long, then it is interrupted too; a second signal does so at once. */
#define AGAIN_LOOKS 200

void sp_watch_add(struct sp_watch *w, struct sp_session *s)
{
    if (s != NULL && w->n < SP_WATCH_SESSIONS)
        w->session[w->n++] = s;
}

static void interrupt_all(const struct sp_watch *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct sp_provider *p = sp_session_provider(w->session[i]);
        if (p->interrupt != NULL)
            p->interrupt(w->session[i]);
    }
}

/* false: the watch is over. */
static bool look_later(struct sp_watch *w)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += LOOK_MS * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&w->lock);
    while (!w->over && pthread_cond_timedwait(&w->ends, &w->lock, &t) == 0)
        ;
    bool over = w->over;
    pthread_mutex_unlock(&w->lock);
    return !over;
}

static void *watch(void *arg)
{
    struct sp_watch *w = arg;
    int seen = 0;
    unsigned since = 0;
    while (look_later(w)) {
        int signals = sp_interrupt_count();
        if (signals == 0 || (signals == seen && ++since < AGAIN_LOOKS))
            continue;
        seen = signals;
        since = 0;
        interrupt_all(w);
    }
    return NULL;
}

void sp_watch_begin(struct sp_watch *w)
{
    pthread_condattr_t attr;
    sigset_t all, old;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->ends, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&w->lock, NULL);
    w->over = false;
    w->begun = true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals wake the command's own threads */
    w->running = pthread_create(&w->thread, NULL, watch, w) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void sp_watch_end(struct sp_watch *w)
{
    if (!w->begun)
        return;
    if (w->running) {
        pthread_mutex_lock(&w->lock);
        w->over = true;
        pthread_cond_signal(&w->ends);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
    }
    pthread_cond_destroy(&w->ends);
    pthread_mutex_destroy(&w->lock);
    w->begun = w->running = false;
}
