/* sample.c -- a quick look: some rows of each table, chosen by chance, compared whole.
 *
 * Both sides are read once for their keys alone, which gives exact counts. A key is chosen by a hash of it and the seed:
 * so both sides choose the same ones, and a row that only one of them has is seen, too. The rows of the chosen keys are
 * then fetched from both. What was not chosen may differ: the best that is said is "no difference seen", with the bound
 * up to which rows may differ all the same. With n rows chosen by chance and none of them different, more than 3/n of all
 * rows would differ unseen with a chance below 5 % (the rule of three). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "verify/diagnose.h"
#include "verify/internal.h"

#define MOST 200000u /* rows of a table */

struct chosen {
    uint64_t hash;
    struct sp_d128 key;
    uint8_t *p; /* the key's fields, owned by its sampler */
    size_t n;
    struct sp_digest rows[2]; /* under this key */
};
struct sampler { /* of one side: the keys with the smallest hashes */
    struct chosen *v;
    size_t n, cap, most, bytes, room;
    uint64_t seed, below; /* hashes from here on are not chosen */
    bool everything;      /* below does not apply */
    bool crowded;         /* fewer than asked for: no room */
    bool oom;
};

/* ---- what it is part of -------------------------------------------------------------------------------------------- */

bool sp_v_sampled(const struct sp_verify_options *o)
{
    return o->sample_share > 0 || o->sample_rows != 0;
}

/* A sample is one quick look: what needs every row, or several looks, is no part of it. */
bool sp_v_refuses_sample(const struct sp_verify_options *o, struct sp_error *err)
{
    if (!sp_v_sampled(o))
        return false;
    if (o->checks & ~(unsigned)(SP_VC_SCHEMA | SP_VC_ROWS | SP_VC_SEQUENCES))
        sp_invalid(err,
            "a sample looks at schema, rows and sequences; other checks need all rows: leave out the sample");
    else if ((o->checks & SP_VC_ROWS) == 0)
        sp_invalid(err, "a sample is one of rows, and the checks leave rows out");
    else if (o->recheck_ms != 0 || o->state != NULL)
        sp_invalid(err, "a sample is not read again and not resumed; leave out either");
    else
        return false;
    return true;
}

void sp_v_put_sample(const struct sp_vctx *c, struct sp_event *ev)
{
    char text[48], seed[24];
    if (!sp_v_sampled(c->opt))
        return;
    if (c->opt->sample_rows != 0)
        snprintf(text, sizeof text, "%llu rows", (unsigned long long)c->opt->sample_rows);
    else
        snprintf(text, sizeof text, "%.6g %%", 100 * c->opt->sample_share);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)c->opt->sample_seed);
    sp_event_text(ev, SP_FLD_sample, text);
    sp_event_text(ev, SP_FLD_seed, seed);
}

void sp_v_put_sampled(const struct sp_vctx *c, struct sp_buf *out)
{
    sp_buf_printf(out,
        "%sa sample cannot say that the copies are equal: %llu rows were looked at, chosen by chance (--seed "
        "%llu chooses "
        "them again)",
        out->n != 0 ? "; " : "", (unsigned long long)c->sampled, (unsigned long long)c->opt->sample_seed);
}

/* ---- choosing --------------------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static int by_hash(const void *a, const void *b)
{
    const struct chosen *x = a, *y = b;
    return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : sp_v_d128_cmp(x->key, y->key);
}

/* Keeps the `n` smallest hashes; a key that came twice counts once. */
static void keep(struct sampler *s, size_t n)
{
    size_t to = 0;
    if (s->n > 1)
        qsort(s->v, s->n, sizeof *s->v, by_hash);
    for (size_t i = 0; i < s->n; i++) {
        struct chosen *x = &s->v[i];
        bool again = to > 0 && sp_d128_eq(s->v[to - 1].key, x->key);
        if (!again && to < n) {
            s->v[to++] = *x;
            continue;
        }
        if (!again && (s->everything || x->hash < s->below)) {
            s->below = x->hash;
            s->everything = false;
        }
        s->bytes -= x->n + sizeof *x;
        free(x->p);
    }
    s->n = to;
}

static int on_key(void *payload, const struct sp_rowview *row)
{
    struct sampler *s = payload;
    uint64_t hash = mix(row->key.lo ^ mix(s->seed ^ row->key.hi));
    if (!s->everything && hash >= s->below)
        return 0;
    if (s->n == s->cap || s->bytes + row->nkey > s->room) {
        bool full = s->n == s->cap;
        keep(s, full ? s->most : s->n / 2);
        s->crowded = s->crowded || !full;
        if (s->n == s->cap || s->bytes + row->nkey > s->room || (!s->everything && hash >= s->below))
            return 0;
    }
    uint8_t *p = malloc(row->nkey + 1);
    if (p == NULL) {
        s->oom = true;
        return -SP_E_NOMEM;
    }
    memcpy(p, row->row, row->nkey);
    s->v[s->n++] = (struct chosen){ .hash = hash, .key = row->key, .p = p, .n = row->nkey };
    s->bytes += row->nkey + sizeof *s->v;
    return 0;
}

static int sampler_init(struct sampler *s, const struct sp_vctx *c)
{
    const struct sp_verify_options *o = c->opt;
    uint64_t most = o->sample_rows != 0 && o->sample_rows < MOST ? o->sample_rows : MOST;
    *s = (struct sampler){
        .most = (size_t)most, .seed = o->sample_seed, .room = c->memory / 3, .everything = true
    };
    size_t fits = s->room / sizeof *s->v;
    s->most = s->most < fits / 2 ? s->most : fits / 2;
    s->cap = s->most * 2;
    if (o->sample_share > 0 && o->sample_share < 1) {
        s->everything = false;
        s->below = (uint64_t)ldexp(o->sample_share, 64);
    }
    s->v = calloc(s->cap + 1, sizeof *s->v);
    return s->v == NULL ? -SP_E_NOMEM : 0;
}

static void sampler_free(struct sampler *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->v[i].p);
    free(s->v);
}

/* What either side has, under the bound that both keep: into `a`. */
static int both(struct sampler *a, struct sampler *b)
{
    uint64_t below = a->everything ? b->below : b->everything || a->below < b->below ? a->below : b->below;
    bool everything = a->everything && b->everything;
    size_t n = a->n + b->n;
    struct chosen *v = realloc(a->v, (n + 1) * sizeof *v);
    if (v == NULL)
        return -SP_E_NOMEM;
    a->v = v;
    memcpy(a->v + a->n, b->v, b->n * sizeof *v);
    a->n = n;
    b->n = 0;
    size_t to = 0;
    for (size_t i = 0; i < a->n; i++) {
        if (everything || a->v[i].hash < below)
            a->v[to++] = a->v[i];
        else
            free(a->v[i].p);
    }
    a->n = to;
    a->everything = true; /* no further bound */
    keep(a, a->n);
    return 0;
}

/* ---- comparing ---------------------------------------------------------------------------------------------------------- */

struct fetching {
    struct chosen *v;
    enum sp_side side;
    struct sp_buf
        *rows; /* per key: the last one that came, while differences are listed; NULL = only digests */
};

static int on_row(void *payload, size_t i, const struct sp_rowview *row)
{
    struct fetching *f = payload;
    if (f->rows == NULL) {
        sp_digest_add(&f->v[i].rows[f->side], row->digest);
        return 0;
    }
    sp_buf_clear(&f->rows[i]);
    return sp_buf_put(&f->rows[i], row->row, row->nrow);
}

static int fetch(struct sp_vctx *c, const struct sp_vpair *p, struct fetching *f, const struct chosen *v,
    size_t n, struct sp_error *err)
{
    struct sp_vkey *keys = calloc(n + 1, sizeof *keys);
    if (keys == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < n; i++)
        keys[i] = (struct sp_vkey){ v[i].p, v[i].n };
    int rc = sp_v_fetch(c, p, f->side, keys, n, SP_VF_STATE, 0, on_row, f, err);
    free(keys);
    return rc;
}

/* Those that differ come first. */
static size_t differing(struct chosen *v, size_t n, struct sp_vcounts *counts)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        const struct sp_digest *r = v[i].rows;
        if (sp_digest_equal(&r[0], &r[1]))
            continue;
        if (r[1].count == 0)
            counts->missing++;
        else if (r[0].count == 0)
            counts->extra++;
        else
            counts->changed++;
        struct chosen x = v[i];
        v[i] = v[to];
        v[to++] = x;
    }
    return to;
}

static int list_one(struct sp_vctx *c, const struct sp_vpair *p, const struct chosen *x, struct sp_buf *s,
    struct sp_buf *t, bool unlisted)
{
    const uint8_t *row[2] = { (const uint8_t *)s->p, (const uint8_t *)t->p };
    const size_t n[2] = { s->n, t->n };
    struct sp_vwanted w = {
        .key = x->key, .n = { x->rows[0].count, x->rows[1].count }, .unlisted = unlisted
    };
    for (int i = 0; i < 2; i++) {
        row[i] = w.n[i] != 0 ? row[i] : NULL;
        if (w.n[i] != 0 && row[i] == NULL)
            return -SP_E_CORRUPT;
        if (row[i] != NULL)
            w.row[i] = sp_d128_of(row[i], n[i]);
    }
    if (row[0] != NULL && row[1] != NULL && n[0] == n[1] && memcmp(row[0], row[1], n[0]) == 0) {
        int more =
            w.n[0] > w.n[1] ? 0 : 1; /* several rows under one key: these are equal, their numbers are not */
        w.n[more] -= w.n[1 - more];
        w.n[1 - more] = 0;
        row[1 - more] = NULL;
        if (w.n[more] == 0)
            return 0;
    }
    return sp_v_emit_row(c, p, &w, row, n);
}

/* Reads those that differ again, whole, as far as they are listed or looked at for causes. */
static int list(struct sp_vctx *c, const struct sp_vpair *p, struct chosen *v, size_t n, struct sp_error *err)
{
    size_t shown = n < c->opt->max_differences ? n : (size_t)c->opt->max_differences;
    size_t most = shown > SP_DIAG_ROWS ? shown : n < SP_DIAG_ROWS ? n : SP_DIAG_ROWS;
    c->capped = c->capped || shown < n;
    struct sp_buf *rows[2] = { calloc(64, sizeof *rows[0]), calloc(64, sizeof *rows[1]) };
    int rc = rows[0] == NULL || rows[1] == NULL ? sp_nomem(err) : sp_v_diag_begin(c, p);
    for (size_t at = 0; rc == 0 && c->rc == 0 && at < most; at += 64) { /* few at a time: rows may be large */
        size_t k = most - at < 64 ? most - at : 64;
        for (int s = 0; s < 2 && rc == 0; s++) {
            struct fetching f = { v, (enum sp_side)s, rows[s] };
            rc = fetch(c, p, &f, v + at, k, err);
        }
        for (size_t i = 0; i < k && rc == 0; i++)
            rc = list_one(c, p, &v[at + i], &rows[0][i], &rows[1][i], at + i >= shown);
        for (size_t i = 0; i < k; i++)
            for (int s = 0; s < 2; s++) {
                sp_buf_free(&rows[s][i]);
                rows[s][i] = (struct sp_buf)SP_BUF_INIT;
            }
    }
    free(rows[0]);
    free(rows[1]);
    return rc;
}

/* ---- one table ------------------------------------------------------------------------------------------------------------ */

struct looked {
    uint64_t rows[2], n;
    struct sp_vcounts counts;
    bool crowded;
};

/* Rows that may differ although none of n did. */
static uint64_t at_most(const struct looked *l)
{
    uint64_t all = l->rows[0] > l->rows[1] ? l->rows[0] : l->rows[1];
    if (l->n == 0 || l->n >= all)
        return l->n == 0 ? all : 0;
    double bound = ceil(3.0 * (double)all / (double)l->n);
    return bound < (double)(all - l->n) ? (uint64_t)bound : all - l->n;
}

static void say(struct sp_vctx *c, const struct sp_vpair *p, const struct looked *l)
{
    struct sp_event ev;
    struct sp_buf text = SP_BUF_INIT;
    char n[32], all[32], bound[32];
    uint64_t differ = l->counts.missing + l->counts.extra + l->counts.changed;
    uint64_t most = l->rows[0] > l->rows[1] ? l->rows[0] : l->rows[1];
    sp_format_count(n, l->n);
    sp_format_count(all, most);
    sp_format_count(bound, at_most(l));
    if (differ != 0)
        sp_buf_printf(&text, "%llu of %s rows looked at differ; of %s rows about %.2g %%",
            (unsigned long long)differ, n, all, 100.0 * (double)differ / (double)l->n);
    else if (l->n >= most)
        sp_buf_printf(&text, "no difference seen in all %s rows", n);
    else
        sp_buf_printf(&text,
            "no difference seen in %s of %s rows; with 95 %% certainty at most %s rows differ", n, all,
            bound);
    if (l->crowded)
        sp_buf_puts(&text, " (fewer than asked for: their keys are too long for the memory)");
    sp_event_begin(&ev, SP_EV_SAMPLED);
    sp_event_text(&ev, SP_FLD_name, p->name);
    sp_event_int(&ev, SP_FLD_source_rows, (int64_t)l->rows[0]);
    sp_event_int(&ev, SP_FLD_target_rows, (int64_t)l->rows[1]);
    sp_event_int(&ev, SP_FLD_examined, (int64_t)l->n);
    sp_event_int(&ev, SP_FLD_missing, (int64_t)l->counts.missing);
    sp_event_int(&ev, SP_FLD_extra, (int64_t)l->counts.extra);
    sp_event_int(&ev, SP_FLD_changed, (int64_t)l->counts.changed);
    if (differ == 0)
        sp_event_int(&ev, SP_FLD_at_most, (int64_t)at_most(l));
    sp_event_text(&ev, SP_FLD_message, text.p);
    sp_v_send(c, &ev);
    sp_buf_free(&text);
    c->sampled += l->n;
    if (differ != 0)
        sp_v_differ(c, differ, "table %s: of %s sampled rows, %llu missing, %llu extra, %llu changed",
            p->name, n, (unsigned long long)l->counts.missing, (unsigned long long)l->counts.extra,
            (unsigned long long)l->counts.changed);
    else if (l->rows[0] != l->rows[1])
        sp_v_differ(c, most - (l->rows[0] < l->rows[1] ? l->rows[0] : l->rows[1]),
            "table %s: %llu rows on the source, %llu on the target", p->name, (unsigned long long)l->rows[0],
            (unsigned long long)l->rows[1]);
}

/* The keys of both sides, and which of them are chosen: into s[0]. */
static int keys(
    struct sp_vctx *c, struct sp_vpair *p, struct sampler s[2], struct looked *l, struct sp_error *err)
{
    struct sp_vscan v[2];
    for (int i = 0; i < 2; i++) {
        sp_v_scan_pair(c, &v[i], (enum sp_side)i, p);
        v[i].scan.ncols = p->nkey;
        v[i].scan.residual = false;
        v[i].row = on_key;
        v[i].payload = &s[i];
    }
    int rc = sp_v_scan(c, v, p->name, 0);
    for (int i = 0; i < 2 && rc == 0; i++) {
        rc = s[i].oom ? sp_nomem(err) : v[i].rc;
        if (rc != 0 && !s[i].oom)
            sp_fail(err, v[i].err.code == SP_E_OK ? SP_E_INTERNAL : v[i].err.code, v[i].err.origin, "%s: %s",
                sp_v_side_name((enum sp_side)i), sp_error_text(&v[i].err));
        l->rows[i] = v[i].digest.count;
        c->rows += v[i].digest.count;
        if (rc == 0)
            rc = sp_v_key_tags(c, p, (enum sp_side)i, v[i].stats);
    }
    sp_v_scan_free(v);
    for (int i = 0; i < 2 && rc == 0; i++) {
        keep(&s[i], s[i].most);
        l->crowded = l->crowded || s[i].crowded;
    }
    if (rc == 0 && both(&s[0], &s[1]) != 0)
        rc = sp_nomem(err);
    l->n = s[0].n;
    return rc;
}

static int look(
    struct sp_vctx *c, struct sp_vpair *p, struct sampler s[2], struct looked *l, struct sp_error *err)
{
    int rc =
        sampler_init(&s[0], c) != 0 || sampler_init(&s[1], c) != 0 ? sp_nomem(err) : keys(c, p, s, l, err);
    for (int i = 0; i < 2 && rc == 0; i++) {
        struct fetching f = { s[0].v, (enum sp_side)i, NULL };
        rc = fetch(c, p, &f, s[0].v, s[0].n, err);
    }
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < s[0].n; i++)
        if (s[0].v[i].rows[0].count + s[0].v[i].rows[1].count == 0)
            return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS,
                "a row was not found again by its key; the rows changed while they were looked at");
    size_t n = differing(s[0].v, s[0].n, &l->counts);
    return n != 0 ? list(c, p, s[0].v, n, err) : 0;
}

void sp_v_sample(struct sp_vctx *c, struct sp_vpair *p)
{
    struct sampler s[2] = { { .n = 0 }, { .n = 0 } };
    struct looked l = { .n = 0 };
    struct sp_error err = SP_ERROR_INIT;
    const char *why = NULL;
    if (p->t[0] == NULL || p->t[1] == NULL)
        return; /* that it is only there is a difference already */
    if (p->ncols == 0)
        why = "no column can be compared";
    else if (p->nkey == 0)
        why = "it has no key, by which a row of one side could be found on the other";
    for (int i = 0; i < 2 && why == NULL; i++)
        why = sp_v_fetch_why_not(p, (enum sp_side)i, SP_VF_TRY);
    if (why != NULL) {
        sp_v_not_compared(c, p->name, "sample", "%s; compare the whole table", why);
        return;
    }
    int rc = look(c, p, s, &l, &err);
    uint64_t differ = l.counts.missing + l.counts.extra + l.counts.changed;
    if (c->rc == 0 && (rc == 0 || differ != 0))
        say(c, p, &l);
    if (c->rc == 0 && rc != 0)
        sp_v_not_compared(c, p->name, "sample", "%s", sp_error_text(&err));
    sp_v_diag_end(c, p, differ != 0 ? &l.counts : NULL);
    sampler_free(&s[0]);
    sampler_free(&s[1]);
    sp_error_clear(&err);
}
