/* tally.c -- piles whose differences are counted and no longer listed: nothing has to be in order then, and finding each
 * key of one side among those of the other costs a fraction of sorting both.
 *
 * A pile in which a key repeats on a side is left to the merge, which knows what that means. Two threads take one pile
 * after the other, each in the array of one side, which holds nothing any more. */
#include <pthread.h>
#include <string.h>

#include "base/str.h"
#include "verify/piles.h"

#define MET UINT32_C(0x80000000) /* both sides have the key */

struct shared {
    const struct sp_vpiles *s; /* of both sides */
    size_t next, end;          /* next: the first pile that nobody took */
    uint8_t *left;
};

struct worker {
    struct shared *shared;
    void *room; /* one side's array */
    struct sp_vcounts counts;
    int rc;
    struct sp_error err;
};

/* Of a pile's keys, where each stands: 0 = nowhere, else its place + 1, and MET. */
struct table {
    const struct sp_vpile_pair *pair;
    uint32_t *slot;
    size_t mask;
};

static uint32_t *find(const struct table *t, struct sp_d128 key)
{
    size_t at = (size_t)key.lo & t->mask;
    while (t->slot[at] != 0 && !sp_d128_eq(t->pair[(t->slot[at] & ~MET) - 1].key, key))
        at = (at + 1) & t->mask;
    return &t->slot[at];
}

/* n[0] pairs of the source and n[1] of the target behind them: false = a key repeats. */
static bool tally(const struct table *t, const size_t n[2], struct sp_vcounts *out)
{
    size_t met = 0, changed = 0;
    for (size_t i = 0; i < n[0]; i++) {
        uint32_t *slot = find(t, t->pair[i].key);
        if (*slot != 0)
            return false;
        *slot = (uint32_t)i + 1;
    }
    for (size_t i = n[0]; i < n[0] + n[1]; i++) {
        uint32_t *slot = find(t, t->pair[i].key);
        if ((*slot & MET) != 0)
            return false;
        if (*slot == 0) {
            *slot = ((uint32_t)i + 1) | MET;
            continue;
        }
        met++;
        changed += !sp_d128_eq(t->pair[*slot - 1].row, t->pair[i].row);
        *slot |= MET;
    }
    out->changed += changed;
    out->missing += n[0] - met;
    out->extra += n[1] - met;
    return true;
}

/* Two to four for each pair. */
static size_t slots_for(size_t pairs)
{
    size_t n = 2;
    while (n < 2 * pairs)
        n *= 2;
    return n;
}

static int pile(struct worker *w, size_t which)
{
    const struct sp_vpiles *s = w->shared->s;
    size_t cap = s[0].cap < s[1].cap ? s[0].cap : s[1].cap;
    uint64_t all = s[0].pile[which].pairs + s[1].pile[which].pairs;
    bool counted[2] = { true, true };
    if (all == 0)
        return 0;
    size_t slots = all < cap && all < MET ? slots_for((size_t)all) : 0;
    if (slots == 0 ||
        slots * sizeof(uint32_t) + all * sizeof(struct sp_vpile_pair) > cap * sizeof(struct sp_ventry)) {
        w->shared->left[which] = 1;
        return 0;
    }
    const size_t n[2] = { (size_t)s[0].pile[which].pairs, (size_t)s[1].pile[which].pairs };
    struct sp_vpile_pair *pairs = w->room;
    const struct table t = { pairs, (uint32_t *)(void *)(pairs + all), slots - 1 };
    int rc = sp_v_piles_read(&s[0], which, pairs, &counted[0], &w->err);
    if (rc == 0)
        rc = sp_v_piles_read(&s[1], which, pairs + n[0], &counted[1], &w->err);
    if (rc != 0)
        return rc;
    memset(t.slot, 0, slots * sizeof *t.slot);
    w->shared->left[which] = counted[0] || counted[1] || !tally(&t, n, &w->counts);
    return 0;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    size_t which;
    while (w->rc == 0 && (which = __atomic_fetch_add(&w->shared->next, 1, __ATOMIC_RELAXED)) < w->shared->end)
        w->rc = pile(w, which);
    return NULL;
}

int sp_v_piles_tally(
    struct sp_vpiles s[2], size_t from, struct sp_vcounts *counts, uint8_t *left, struct sp_error *err)
{
    struct shared shared = { .s = s, .next = from, .end = (size_t)1 << s[0].bits, .left = left };
    struct worker w[2];
    pthread_t thread;
    int rc = 0;
    for (int i = 0; i < 2; i++)
        w[i] = (struct worker){ .shared = &shared, .room = s[i].e, .err = SP_ERROR_INIT };
    bool started = pthread_create(&thread, NULL, work, &w[1]) == 0;
    work(&w[0]);
    if (started)
        pthread_join(thread, NULL);
    for (int i = 0; i < 2; i++) {
        counts->missing += w[i].counts.missing;
        counts->extra += w[i].counts.extra;
        counts->changed += w[i].counts.changed;
        if (rc == 0 && w[i].rc != 0) {
            rc = w[i].rc;
            sp_error_move(err, &w[i].err);
        }
        sp_error_clear(&w[i].err);
    }
    return rc;
}
