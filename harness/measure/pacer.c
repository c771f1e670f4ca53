/* pacer.c -- so many units a second. */
#include "measure/pacer.h"

#include "base/error.h"

#define BURST_NS 50000000 /* what may be caught up with */
#define DAY_NS   INT64_C(86400000000000)

int sp_pacer_init(struct sp_pacer *p, double rate)
{
    p->rate = rate;
    p->due_ns = 0;
    return pthread_mutex_init(&p->lock, NULL) == 0 ? 0 : -SP_E_NOMEM;
}

void sp_pacer_free(struct sp_pacer *p)
{
    (void)pthread_mutex_destroy(&p->lock);
}

int64_t sp_pacer_take(struct sp_pacer *p, uint64_t n, int64_t now_ns)
{
    double ns = (double)n * 1e9 / p->rate;
    int64_t cost = ns < (double)DAY_NS ? (int64_t)ns : DAY_NS;
    (void)pthread_mutex_lock(&p->lock);
    if (p->due_ns < now_ns - BURST_NS)
        p->due_ns = now_ns - BURST_NS;
    if (p->due_ns < now_ns + DAY_NS)
        p->due_ns += cost;
    int64_t due = p->due_ns;
    (void)pthread_mutex_unlock(&p->lock);
    return due > now_ns ? due - now_ns : 0;
}

uint64_t sp_pacer_step(const struct sp_pacer *p, uint64_t most)
{
    double step = p->rate / 20;
    return step >= (double)most ? most : step < 1 ? 1 : (uint64_t)step;
}
