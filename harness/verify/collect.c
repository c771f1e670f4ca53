/* collect.c -- pass 2: exact counts of what differs, in bounded memory and one pass.
 *
 * Each suspect is kept as (key digest, row digest, how often), in memory or, where they are too many, in piles in a
 * file; both sides are then merged, pile by pile, and only counted once no more is listed. Rows with the smallest key digests
 * are held whole meanwhile: the listed ones. */
#include <stdlib.h>

#include "verify/piles.h"

struct collector {
    struct sp_vpiles *entries;
    struct sp_vhold *hold; /* NULL = nothing is listed */
    struct sp_error err;
    int rc;
};

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct collector *k = payload;
    k->rc = sp_v_piles_add(k->entries, row->key, row->digest, &k->err);
    if (k->rc == 0 && k->hold != NULL)
        sp_v_hold_row(k->hold, row);
    return k->rc;
}

static void restart(void *payload)
{
    struct collector *k = payload;
    sp_v_piles_reset(k->entries);
    if (k->hold != NULL)
        sp_v_hold_reset(k->hold);
}

/* ---- merging ------------------------------------------------------------------------------------------------- */

static int list(
    struct sp_vdiffs *d, struct sp_d128 key, const struct sp_ventry *s, const struct sp_ventry *t, uint64_t n)
{
    if (d->n == d->max) {
        d->capped = true;
        return 0;
    }
    if ((d->n & (d->n - 1)) == 0) { /* grows at powers of two */
        size_t cap = d->n == 0 ? 1 : d->n * 2;
        struct sp_vwanted *p = realloc(d->list, cap * sizeof *p);
        if (p == NULL)
            return -SP_E_NOMEM;
        d->list = p;
    }
    struct sp_vwanted *w = &d->list[d->n++];
    *w = (struct sp_vwanted){ .key = key, .n = { s != NULL ? n : 0, t != NULL ? n : 0 } };
    if (s != NULL)
        w->row[0] = s->row;
    if (t != NULL)
        w->row[1] = t->row;
    return 0;
}

/* Rows of one key that the other side has not. All are counted, no more are kept than can be listed. */
struct left {
    struct sp_ventry *e;
    size_t n, cap;
    uint64_t rows;  /* that are left */
    uint64_t total; /* of the key, with those that both sides have */
};

static int leave(struct left *l, const struct sp_ventry *e, uint64_t n, const struct sp_vdiffs *d)
{
    l->rows += n;
    if (n == 0 || l->n > d->max - d->n) /* one more than there is room for shows that there are more */
        return 0;
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 16 : l->cap * 2;
        struct sp_ventry *p = realloc(l->e, cap * sizeof *p);
        if (p == NULL)
            return -SP_E_NOMEM;
        l->e = p;
        l->cap = cap;
    }
    l->e[l->n] = *e;
    l->e[l->n++].n = n;
    return 0;
}

/* What is left of one key after the common rows: pairs are changes, the rest is missing or extra. */
static int conclude_key(struct sp_vdiffs *d, bool keyed, struct sp_d128 key, struct left l[2])
{
    struct left *s = &l[0], *t = &l[1];
    uint64_t changed = s->rows < t->rows ? s->rows : t->rows;
    if ((s->rows == 0 && t->rows == 0) || (d->differs != NULL && !d->differs(d->payload, key)))
        return 0;
    for (int i = 0; keyed && i < 2; i++)
        d->counts.duplicates[i] += l[i].total > 1 ? l[i].total - 1 : 0;
    d->counts.changed += changed;
    d->counts.missing += s->rows - changed;
    d->counts.extra += t->rows - changed;
    int rc = 0;
    for (size_t i = 0, j = 0; rc == 0 && (i < s->n || j < t->n) && !d->capped;) {
        struct sp_ventry *a = i < s->n ? &s->e[i] : NULL, *b = j < t->n ? &t->e[j] : NULL;
        uint64_t n = a == NULL ? b->n : b == NULL || a->n < b->n ? a->n : b->n;
        rc = list(d, key, a, b, n);
        i += a != NULL && (a->n -= n) == 0 ? 1 : 0;
        j += b != NULL && (b->n -= n) == 0 ? 1 : 0;
    }
    return rc;
}

/* The next entry of a side. */
struct stream {
    struct sp_vpiles *from;
    struct sp_ventry e;
    bool open;
};

static int advance(struct stream *s, struct sp_error *err)
{
    int rc = sp_v_piles_next(s->from, &s->e, err);
    s->open = rc == 1;
    return rc < 0 ? rc : 0;
}

/* All entries of one key, in the order of their rows on both sides. */
static int merge_key(
    struct sp_vdiffs *d, struct stream s[2], struct sp_d128 key, struct left l[2], struct sp_error *err)
{
    int rc = 0;
    l[0].n = l[1].n = 0;
    l[0].rows = l[1].rows = l[0].total = l[1].total = 0;
    while (rc == 0) {
        bool has[2];
        for (int i = 0; i < 2; i++)
            has[i] = s[i].open && sp_d128_eq(s[i].e.key, key);
        if (!has[0] && !has[1])
            break;
        int order = !has[0] ? 1 : !has[1] ? -1 : sp_v_d128_cmp(s[0].e.row, s[1].e.row);
        uint64_t both = order != 0 ? 0 : s[0].e.n < s[1].e.n ? s[0].e.n : s[1].e.n;
        for (int i = 0; i < 2 && rc == 0; i++) {
            if (i == 0 ? order > 0 : order < 0)
                continue;
            l[i].total += s[i].e.n;
            rc = leave(&l[i], &s[i].e, s[i].e.n - both, d) != 0 ? sp_nomem(err) : advance(&s[i], err);
        }
    }
    return rc;
}

static int merge_pile(
    struct sp_vdiffs *d, bool keyed, struct stream s[2], struct left l[2], struct sp_error *err)
{
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = advance(&s[i], err);
    while (rc == 0 && (s[0].open || s[1].open)) {
        bool first = s[0].open && (!s[1].open || sp_v_d128_cmp(s[0].e.key, s[1].e.key) <= 0);
        struct sp_d128 key = first ? s[0].e.key : s[1].e.key;
        rc = merge_key(d, s, key, l, err);
        if (rc == 0 && conclude_key(d, keyed, key, l) != 0)
            rc = sp_nomem(err);
    }
    return rc;
}

/* Nothing more is listed, and nobody is asked about single keys. */
static bool only_counts(const struct sp_vdiffs *d, const struct sp_vpiles entries[2])
{
    return d->capped && d->differs == NULL && entries[0].open != NULL && entries[1].open != NULL;
}

static int merge(struct sp_vdiffs *d, bool keyed, struct sp_vpiles entries[2], struct sp_error *err)
{
    struct stream s[2] = { { .from = &entries[0] }, { .from = &entries[1] } };
    struct left l[2] = { { .e = NULL }, { .e = NULL } };
    size_t n = (size_t)1 << entries[0].bits;
    uint8_t *left = calloc(n, 1); /* by the tally */
    bool tallied = false;
    int rc = left == NULL ? sp_nomem(err) : 0;
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = sp_v_piles_begin(&entries[i], err);
    for (size_t k = 0; rc == 0 && k < n; k++) {
        if (!tallied && only_counts(d, entries)) {
            tallied = true;
            rc = sp_v_piles_tally(entries, k, &d->counts, left, err);
        }
        if (rc != 0 || (tallied && !left[k]))
            continue;
        rc = sp_v_piles_load(entries, k, err);
        if (rc == 0)
            rc = merge_pile(d, keyed, s, l, err);
    }
    free(left);
    free(l[0].e);
    free(l[1].e);
    return rc;
}

/* ---- the pass -------------------------------------------------------------------------------------------------- */

static int run(struct sp_vctx *c, const struct sp_vpair *p, struct sp_vsuspects *suspects,
    const struct sp_digest first[2], struct sp_vpiles entries[2], struct sp_vdiffs *out, struct sp_error *err)
{
    struct collector k[2];
    for (int i = 0; i < 2; i++)
        k[i] = (struct collector){ &entries[i], out->max != 0 ? &out->hold[i] : NULL, SP_ERROR_INIT, 0 };
    const struct sp_vreceiver to = { on_row, restart, { &k[0], &k[1] } };
    int rc = sp_v_reread(c, p, suspects, first, &to, err);
    for (int i = 0; i < 2; i++) {
        if (k[i].rc != 0 && c->rc == 0) { /* what stopped the reading, not that it was stopped */
            rc = k[i].rc;
            sp_error_move(err, &k[i].err);
        }
        sp_error_clear(&k[i].err);
        sp_v_hold_sort(&out->hold[i]);
    }
    return rc == 0 ? merge(out, p->nkey != 0, entries, err) : rc;
}

int sp_v_collect(struct sp_vctx *c, const struct sp_vpair *p, struct sp_vsuspects *suspects,
    const struct sp_digest first[2], struct sp_vdiffs *out, struct sp_error *err)
{
    size_t each = c->memory / 2, cap = sp_v_entries_cap(c);
    struct sp_vpiles entries[2] = { { .fd = -1 }, { .fd = -1 } };
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        uint64_t need = first[i].count + 16;
        rc = sp_v_piles_init(&entries[i], need < cap ? (size_t)need : cap, sp_v_piles_bits(cap), err);
        if (rc == 0 && sp_v_hold_init(&out->hold[i], each / 4) != 0)
            rc = sp_nomem(err);
    }
    if (rc == 0)
        rc = run(c, p, suspects, first, entries, out, err);
    sp_v_piles_free(&entries[0]);
    sp_v_piles_free(&entries[1]);
    return rc;
}

void sp_v_diffs_free(struct sp_vdiffs *d)
{
    free(d->list);
    d->list = NULL;
    sp_v_hold_free(&d->hold[0]);
    sp_v_hold_free(&d->hold[1]);
}
