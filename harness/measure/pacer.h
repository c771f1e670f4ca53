/* pacer.h -- so many units a second, and no more.
 *
 * What was not used of an earlier time is not kept beyond a short burst, so that a pause is not followed by a rush. Any
 * number of threads share one pacer; it outlives them. */
#ifndef SP_MEASURE_PACER_H
#define SP_MEASURE_PACER_H

#include <pthread.h>
#include <stdint.h>

struct sp_pacer {
    pthread_mutex_t lock;
    double rate;    /* units a second */
    int64_t due_ns; /* when everything that was taken is used up at that rate */
};
int sp_pacer_init(struct sp_pacer *p, double rate); /* 0, or -SP_E_NOMEM */
void sp_pacer_free(struct sp_pacer *p);
/* Takes n units; returns how many nanoseconds the caller must wait behind them, 0 = none. */
int64_t sp_pacer_take(struct sp_pacer *p, uint64_t n, int64_t now_ns);
/* How many units to do between two looks: about a twentieth of a second's, between 1 and `most`. */
uint64_t sp_pacer_step(const struct sp_pacer *p, uint64_t most);

#endif
