/* track.c -- what looks tell of a row: since when each side stands still, and whether it has arrived. */
#include "verify/recheck.h"

static struct sp_vversion *version(struct sp_vversion *seen, size_t n, struct sp_d128 d)
{
    for (size_t i = 0; i < n; i++)
        if (sp_d128_eq(seen[i].d, d))
            return &seen[i];
    return NULL;
}

static struct sp_d128 digest_of(const struct sp_digest *d)
{
    return sp_d128_of(d, sizeof *d);
}

void sp_v_track_tell(struct sp_vtrack *t, struct sp_vversion *seen, size_t *n, size_t cap, size_t *at,
    const struct sp_digest next[2], bool first, struct sp_vmoment *m)
{
    bool begins = first;
    for (int i = 0; i < 2; i++) {
        if (!first && sp_digest_equal(&t->now[i], &next[i]))
            continue;
        begins = begins || i == 0;
        t->changed = t->changed || !first;
        t->now[i] = next[i];
        t->still_ns[i] = m->now;
    }
    t->moved = t->moved || (begins && !first);
    struct sp_vversion *v = version(seen, *n, digest_of(&t->now[0]));
    if (v == NULL && *n < cap) {
        v = &seen[(*n)++];
    } else if (v == NULL) { /* forgetting makes a row move for longer, never arrive */
        v = &seen[*at];
        *at = (*at + 1) % cap;
    } else if (!begins) {
        v = NULL;
    }
    if (v != NULL)
        *v = (struct sp_vversion){ digest_of(&t->now[0]), m->now };
    v = version(seen, *n, digest_of(&t->now[1]));
    t->arrived = v != NULL;
    /* At the look before, the source had held this for so long, and the target had not shown it. */
    if (v != NULL && !first && t->looked_ns - v->since_ns > m->lag)
        m->lag = t->looked_ns - v->since_ns;
    t->looked_ns = m->now;
}

bool sp_v_track_stands(const struct sp_vtrack *t, const struct sp_vmoment *m)
{
    return m->now - t->still_ns[0] >= m->need && m->now - t->still_ns[1] >= m->need;
}
