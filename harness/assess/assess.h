/* assess.h -- what lies before a switch: how much there is, what grows, what a target cannot hold, what is broken already, how
 * long it takes, how risky it is.
 *
 * Only reads. The target is a kind, not a server: what it declares of itself is held against what the source has. Emits
 * assess_start ... assess_end. One thread. */
#ifndef SP_ASSESS_ASSESS_H
#define SP_ASSESS_ASSESS_H

#include "event.h"
#include "provider_call.h"

enum sp_risk { SP_RISK_LOW, SP_RISK_MEDIUM, SP_RISK_HIGH };
const char *sp_risk_name(enum sp_risk r);

struct sp_assess_options {
    const struct sp_provider *target; /* kind; NULL = not known yet */
    const char *const *tables;
    size_t ntables;       /* globs; empty = all */
    bool full;            /* read every row, not only the first ones */
    uint64_t sample_rows; /* of each table, when not full; 0 = 20000 */
    double sample_s;      /* at most so long a table, when not full; 0 = 2 */
    void (*progress)(void *payload, const char *table, uint64_t rows, uint64_t total_rows);
    void *payload;
};
struct sp_assessment {
    enum sp_risk risk;
    bool complete; /* everything could be looked at */
};
/* 0, or negative when nothing could be assessed. `reasons`: a line for each that makes the risk. */
int sp_assess(struct sp_session *, const struct sp_assess_options *, struct sp_emitter *,
    struct sp_assessment *, struct sp_buf *reasons, struct sp_error *);

#endif
