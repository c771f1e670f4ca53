/* cancel.c -- asks the server to stop what it does, within a bound.
 *
 * PQcancel() waits for a server that accepts and never answers for ever. So it runs in a thread of its own, which is left
 * to itself when it does not come back: what it uses is shared by count and freed by whoever is last. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "providers/postgresql/internal.h"

#define PATIENCE_S 2

struct po_cancel {
    PGcancel *handle;
    atomic_int users;
};

struct asking {
    struct po_cancel *cancel;
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool done;
    atomic_int users;
};

struct po_cancel *po_cancel_new(PGconn *conn)
{
    struct po_cancel *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->handle = PQgetCancel(conn);
    atomic_init(&c->users, 1);
    if (c->handle == NULL) {
        free(c);
        return NULL;
    }
    return c;
}

void po_cancel_free(struct po_cancel *c)
{
    if (c == NULL || atomic_fetch_sub(&c->users, 1) != 1)
        return;
    PQfreeCancel(c->handle);
    free(c);
}

static void leave(struct asking *a)
{
    if (atomic_fetch_sub(&a->users, 1) != 1)
        return;
    po_cancel_free(a->cancel);
    pthread_cond_destroy(&a->told);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static void *ask(void *arg)
{
    struct asking *a = arg;
    char text[256];
    (void)PQcancel(a->cancel->handle, text, sizeof text);
    pthread_mutex_lock(&a->lock);
    a->done = true;
    pthread_cond_signal(&a->told);
    pthread_mutex_unlock(&a->lock);
    leave(a);
    return NULL;
}

static struct asking *asking_new(struct po_cancel *c)
{
    pthread_condattr_t attr;
    struct asking *a = calloc(1, sizeof *a);
    if (a == NULL)
        return NULL;
    a->cancel = c;
    atomic_fetch_add(&c->users, 1);
    atomic_init(&a->users, 1);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&a->told, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

static void wait_for(struct asking *a)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&a->lock);
    while (!a->done && pthread_cond_timedwait(&a->told, &a->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&a->lock);
}

void po_cancel(struct po_cancel *c)
{
    struct asking *a = c == NULL ? NULL : asking_new(c);
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    if (a == NULL)
        return;
    atomic_fetch_add(&a->users, 1);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are for the program's own threads */
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    bool started = pthread_create(&thread, &attr, ask, a) == 0;
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (started)
        wait_for(a);
    else
        leave(a);
    leave(a);
}
