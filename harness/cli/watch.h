/* watch.h -- private to cli/: SIGINT and SIGTERM reach the sessions of a long command. A session that waits for a server
 * sees no flag; a thread of its own stops what the session does there. One watch at a time; the sessions must stay open
 * until sp_watch_end(). */
#ifndef SP_CLI_WATCH_H
#define SP_CLI_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct sp_session;

#define SP_WATCH_SESSIONS 160

struct sp_watch {
    struct sp_session *session[SP_WATCH_SESSIONS];
    size_t n;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ends;
    bool begun, running, over;
};

void sp_watch_add(struct sp_watch *w, struct sp_session *s); /* before sp_watch_begin(); NULL is left out */
void sp_watch_begin(struct sp_watch *w);                     /* without a thread it does nothing */
void sp_watch_end(struct sp_watch *w);                       /* also when it was never begun */

#endif
