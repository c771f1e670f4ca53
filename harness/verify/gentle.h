/* gentle.h -- private to verify/: reading that does not hurt a server which people work with.
 *
 * A bound on rows a second of each side, on the age of the snapshots, on how far a standby may be behind, and an end when
 * sessions wait for a lock that reading holds. What is beyond the end is not compared. The pacers are shared by the
 * threads that read; all else belongs to the thread of sp_verify(). */
#ifndef SP_VERIFY_GENTLE_H
#define SP_VERIFY_GENTLE_H

#include <stdbool.h>

#include "measure/pacer.h"

struct sp_vctx;

struct sp_vgentle {
    struct sp_pacer pacer[2];
    bool paced;
    int64_t opened_ns;        /* when the snapshots were opened; 0 = none is open */
    int64_t looked_ns;        /* when the servers were asked last */
    int64_t blocked_since[2]; /* since when sessions wait for us; 0 = none does */
    bool blind[2];            /* that this side's server does not answer was said */
    char why[320];            /* why reading has ended; "" = it goes on */
};

int sp_v_gentle_init(struct sp_vctx *c); /* 0, or the context's failure */
void sp_v_gentle_free(struct sp_vctx *c);
void sp_v_gentle_opened(struct sp_vctx *c, bool open); /* snapshots were opened or let go */
/* Called while others read. True = reading must end; `why` says so. */
bool sp_v_gentle_look(struct sp_vctx *c);
/* Counts rows against a side's rate and waits; ends early when *stop is not 0. Any thread. */
void sp_v_gentle_pace(struct sp_pacer *p, uint64_t rows, const int *stop);
int64_t sp_v_now_ns(void);
double sp_v_now_s(void);    /* the same clock in seconds */
int64_t sp_v_wall_ms(void); /* UTC */

#endif
