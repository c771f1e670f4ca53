/* parts.c -- a table read by several sessions of one side, in one state.
 *
 * That the ranges hold each row once is the provider's word; what proves it here: the server counts the table in the same
 * snapshot, and a sample of the keys (only tables with a declared key are cut) must not hold one twice. The two sides are cut
 * into different numbers of ranges, so that a fault of a split that both share does not hit the same rows. */
#include <stdlib.h>

#include "verify/internal.h"
#include "verify/unit.h"

#define RANGES_EACH 4                 /* per reader at least: ranges are never equally full */
#define RANGES_MOST 64                /* per reader */
#define RANGE_S     5.0               /* so long one of them should take, at the speed of the last pass */
#define SAMPLE_BITS 9u                /* one row in 512 ... */
#define SAMPLE_MOST ((size_t)1 << 16) /* ... as long as there is room */

/* ---- snapshots --------------------------------------------------------------------------------------------------- */

static int join_all(struct sp_vctx *c, enum sp_side side, size_t *joined, struct sp_error *err)
{
    char word[SP_SNAPSHOT_WORD];
    int rc = sp_db_snapshot_share(c->session[side], word, err);
    for (*joined = 0; rc == 0 && *joined < c->opt->nreaders[side]; ++*joined) {
        rc = sp_db_snapshot_join(c->opt->readers[side][*joined], word, err);
        if (rc != 0)
            break;
    }
    return rc;
}

void sp_v_readers_join(struct sp_vctx *c, enum sp_side side)
{
    struct sp_error err = SP_ERROR_INIT;
    size_t joined = 0;
    if (c->opt->nreaders[side] == 0)
        return;
    if (join_all(c, side, &joined, &err) == 0) {
        c->readers[side] = c->opt->readers[side];
        c->nreaders[side] = joined;
        if (c->nreaders[side] > SP_V_MAX_READERS - 1)
            c->nreaders[side] = SP_V_MAX_READERS - 1;
    } else {
        for (size_t i = 0; i < joined; i++)
            (void)sp_db_snapshot_end(c->opt->readers[side][i], NULL);
        sp_v_finding(c, sp_v_side_name(side), NULL, "one reader", 0,
            "%s is read by one session: several could not see the same state (%s)", sp_v_side_name(side),
            sp_error_text(&err));
    }
    sp_error_clear(&err);
}

int sp_v_readers_end(struct sp_vctx *c, enum sp_side side, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < c->nreaders[side]; i++) {
        int end = sp_db_snapshot_end(c->readers[side][i], rc == 0 ? err : NULL);
        rc = rc == 0 ? end : rc;
    }
    c->nreaders[side] = 0;
    return rc;
}

/* ---- the sample -------------------------------------------------------------------------------------------------- */

void sp_v_sample_row(struct sp_vsample *s, const struct sp_rowview *row)
{
    if (row->key.lo >> (64 - SAMPLE_BITS) != 0 || s->n == SAMPLE_MOST)
        return;
    if (s->n == s->cap) {
        size_t cap = s->cap == 0 ? 256 : s->cap * 2;
        struct sp_d128 *p = realloc(s->keys, cap * sizeof *p);
        if (p == NULL) {
            s->oom = true;
            return;
        }
        s->keys = p;
        s->cap = cap;
    }
    s->keys[s->n++] = row->key;
}

/* All samples of a side together. -1 = out of memory; otherwise whether a key is there twice. */
static int seen_twice(const struct sp_vparts *p)
{
    size_t n = 0, at = 0;
    int twice = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->readers[i].sample->oom)
            return -1;
        n += p->readers[i].sample->n;
    }
    struct sp_d128 *all = malloc((n + 1) * sizeof *all);
    if (all == NULL)
        return -1;
    for (size_t i = 0; i < p->n; i++) {
        const struct sp_vsample *s = p->readers[i].sample;
        if (s->n != 0)
            memcpy(all + at, s->keys, s->n * sizeof *all);
        at += s->n;
    }
    sp_v_sort_digests(all, n);
    for (size_t i = 1; i < n && twice == 0; i++)
        twice = sp_d128_eq(all[i - 1], all[i]);
    free(all);
    return twice;
}

/* ---- cutting ----------------------------------------------------------------------------------------------------- */

static int make_readers(struct sp_vparts *out, size_t n)
{
    out->readers = calloc(n, sizeof *out->readers);
    if (out->readers == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct sp_vscan *r = &out->readers[i];
        *r = *out->whole;
        r->err = (struct sp_error)SP_ERROR_INIT;
        if (i > 0)
            r->session = out->whole->readers[i - 1];
        r->bounds = &out->bounds;
        r->first = i;
        r->step = n;
        r->buckets = NULL;
        r->ranges = NULL;
        r->sample = calloc(1, sizeof *r->sample);
        out->n = i + 1;
        if (out->whole->ranges != NULL) {
            r->ranges = calloc(1, sizeof *r->ranges);
            if (r->ranges == NULL || sp_ranges_init(r->ranges) != 0)
                return -SP_E_NOMEM;
        }
        if (out->whole->nbuckets != 0)
            r->buckets = calloc(out->whole->nbuckets, sizeof *r->buckets);
        if (r->sample == NULL || (r->buckets == NULL && out->whole->nbuckets != 0))
            return -SP_E_NOMEM;
    }
    return 0;
}

static void drop_readers(struct sp_vparts *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct sp_vscan *r = &p->readers[i];
        if (r->sample != NULL)
            free(r->sample->keys);
        free(r->sample);
        free(r->buckets);
        if (r->ranges != NULL)
            sp_ranges_free(r->ranges);
        free(r->ranges);
        free(r->stats);
        sp_error_clear(&r->err);
    }
    free(p->readers);
    p->readers = NULL;
    p->n = 0;
}

/* Without a key nothing would tell a row that is read twice from two equal rows. The count goes to the default namespace. */
void sp_v_parts_open(
    struct sp_vctx *c, struct sp_vscan *v, enum sp_side side, uint64_t rows, struct sp_vparts *out)
{
    *out = (struct sp_vparts){ .whole = v, .bounds = { SP_ARENA_INIT, NULL, 0, 0 } };
    if (v->session == NULL || c->nreaders[side] == 0 || v->row != NULL || v->scan.nkey == 0 ||
        v->scan.ns != NULL)
        return;
    v->readers = c->readers[side];
    size_t n = c->nreaders[side] + 1, parts = n * RANGES_EACH;
    uint64_t units = sp_v_units(rows, c->per_s[side], RANGE_S);
    if (units > parts)
        parts = units < n * RANGES_MOST ? (size_t)units : n * RANGES_MOST;
    parts += side == SP_SIDE_TARGET ? 1 : 0;
    struct sp_error err = SP_ERROR_INIT;
    int rc = sp_db_split(v->session, v->scan.ns, v->scan.table, parts, &out->bounds, &err);
    sp_error_clear(&err);
    if (rc == 0 && out->bounds.n != 0) {
        if (n > out->bounds.n + 1)
            n = out->bounds.n + 1;
        rc = make_readers(out, n);
        if (rc != 0)
            drop_readers(out);
    }
    if (out->readers == NULL)
        sp_names_free(&out->bounds);
}

/* ---- joining the results ------------------------------------------------------------------------------------------ */

static void add(struct sp_vscan *to, const struct sp_vscan *from)
{
    if (to->ranges != NULL)
        sp_ranges_merge(to->ranges, from->ranges);
    sp_digest_merge(&to->digest, &from->digest);
    for (size_t b = 0; b < to->nbuckets; b++)
        sp_digest_merge(&to->buckets[b], &from->buckets[b]);
    for (size_t i = 0; from->stats != NULL && i < to->scan.ncols; i++)
        sp_v_add_stats(&to->stats[i], &from->stats[i]);
    to->bytes += from->bytes;
    to->max_row = to->max_row > from->max_row ? to->max_row : from->max_row;
}

static int prove(const struct sp_vparts *p, struct sp_error *err)
{
    const struct sp_vscan *w = p->whole;
    int64_t count = -1;
    int rc = sp_db_count(w->session, w->scan.table, NULL, &count, err);
    if (rc != 0)
        return rc;
    if (count < 0 || (uint64_t)count != w->digest.count)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "table %s: its parts hold %llu rows, the server counts %lld in the same state; compare without "
            "--jobs",
            w->scan.table, (unsigned long long)w->digest.count, (long long)count);
    int twice = seen_twice(p);
    if (twice < 0)
        return sp_nomem(err);
    if (twice > 0)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "table %s: a key was read twice: its parts overlap, or the key is no key; compare without --jobs",
            w->scan.table);
    return 0;
}

void sp_v_parts_close(struct sp_vparts *p)
{
    struct sp_vscan *w = p->whole;
    if (p->readers == NULL)
        return;
    w->stats = calloc(w->scan.ncols + 1, sizeof *w->stats);
    if (w->stats == NULL)
        w->rc = sp_nomem(&w->err);
    for (size_t i = 0; i < p->n && w->rc == 0; i++) {
        w->rc = p->readers[i].rc;
        if (w->rc != 0)
            sp_error_move(&w->err, &p->readers[i].err);
        else
            add(w, &p->readers[i]);
    }
    if (w->rc == 0)
        w->rc = prove(p, &w->err);
    drop_readers(p);
    sp_names_free(&p->bounds);
}
