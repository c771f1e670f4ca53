/* unit.h -- private to verify/: how much is done at once, before somebody looks at the clock, at an interrupt, or at another
 * way: as much as takes about a target time at the speed that was measured last, whether a backend gives a million rows
 * a second or one. */
#ifndef SP_VERIFY_UNIT_H
#define SP_VERIFY_UNIT_H

#include <stdint.h>

struct sp_vunit {
    uint64_t size; /* of the next one */
    uint64_t least, most;
    double target_s;
};

/* So many were done in so long. A size grows fourfold at most, because one quick unit proves little, and falls at once. */
static inline void sp_v_unit_done(struct sp_vunit *u, uint64_t n, double seconds)
{
    double most = (double)u->size * 4, fits = most;
    if (n == 0)
        return;
    if (seconds > 0 && (double)n * u->target_s / seconds < most)
        fits = (double)n * u->target_s / seconds;
    u->size = fits >= (double)u->most ? u->most : fits <= (double)u->least ? u->least : (uint64_t)fits;
}

/* How many units a whole is worth at so many a second. 0 = the speed is not known. */
static inline uint64_t sp_v_units(uint64_t whole, double per_s, double target_s)
{
    double n = per_s > 0 ? (double)whole / (per_s * target_s) : 0;
    return n >= 1e18 ? (uint64_t)1e18 : (uint64_t)n + (per_s > 0 ? 1 : 0);
}

#endif
