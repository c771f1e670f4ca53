/* suspects.c -- which rows may differ, and reading just these again.
 *
 * Pass 1 leaves two kinds of digests per side: by ranges of the first key column, where it is ordered (scan_ranges.h), and
 * by the digest of the key. What lies in an unequal range (and, for keys of several columns, in an unequal bucket, too) is
 * a suspect. Where few ranges are unequal, only these are read, by the backend's own index; their digests must be
 * those of pass 1, which proves at once that nothing changed and that the filter missed nothing. Where that fails, and
 * where suspects are many, the whole table is read. */
#include <stdlib.h>

#include "verify/internal.h"

#define NARROW_ROWS    20000u /* below it, a whole pass is as quick */
#define NARROW_SHARE   4u     /* of all rows, one in so many */
#define MOST_RUNS      1024u
#define LEAST_S        0.25 /* is worth a try */
#define GAP_ROWS       128u /* rather read than skipped */
#define BIT_OF(set, i) ((set)[(i) / 8] >> ((i) % 8) & 1)

/* ---- what pass 1 counts into ----------------------------------------------------------------------------------- */

int sp_v_sums_init(struct sp_vsums *m, const struct sp_vpair *p)
{
    *m = (struct sp_vsums){ .ranged = p->nkey != 0 && sp_ranges_possible(p->cols[0].type.tag) };
    for (int i = 0; i < 2; i++) {
        m->buckets[i] = calloc(SP_V_BUCKETS, sizeof *m->buckets[i]);
        if (m->buckets[i] == NULL || (m->ranged && sp_ranges_init(&m->ranges[i]) != 0))
            return -SP_E_NOMEM;
    }
    return 0;
}

void sp_v_sums_free(struct sp_vsums *m)
{
    for (int i = 0; i < 2; i++) {
        free(m->buckets[i]);
        m->buckets[i] = NULL;
        sp_ranges_free(&m->ranges[i]);
    }
}

/* An integer alone is told by its range well enough. In front of other columns it may stand in many rows, and uuids may all
 * begin alike: then the bucket tells more. */
static bool range_is_enough(const struct sp_vpair *p)
{
    return p->nkey == 1 && p->cols[0].type.tag != SP_UUID;
}

void sp_v_sums_use(struct sp_vsums *m, const struct sp_vpair *p, enum sp_side side, struct sp_vscan *v)
{
    v->buckets = m->buckets[side];
    v->nbuckets = SP_V_BUCKETS;
    v->ranges = m->ranged ? &m->ranges[side] : NULL;
    v->ranges_alone = range_is_enough(p);
}

/* ---- the suspects ---------------------------------------------------------------------------------------------- */

static uint8_t *unequal(const struct sp_digest *a, const struct sp_digest *b, size_t n)
{
    uint8_t *set = calloc(n / 8, 1);
    for (size_t i = 0; set != NULL && i < n; i++)
        if (!sp_digest_equal(&a[i], &b[i]))
            set[i / 8] |= (uint8_t)(1u << (i % 8));
    return set;
}

static bool rules_touch(const struct sp_colplan *plan)
{
    for (size_t i = 0; i < plan->nrules; i++)
        if (plan->rules[i] != SP_RULE_NULL_TO_MISSING && plan->rules[i] != SP_RULE_MISSING_TO_NULL)
            return true;
    return false;
}

/* Unequal ranges side by side are read together, and with them what little lies between. */
static int find_runs(struct sp_vsuspects *s, const struct sp_vsums *m)
{
    uint64_t gap = 0, width = UINT64_C(1) << m->ranges[0].shift;
    s->runs = calloc(MOST_RUNS, sizeof *s->runs);
    if (s->runs == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < SP_RANGES; i++) {
        uint64_t rows = m->ranges[0].d[i].count + m->ranges[1].d[i].count;
        uint64_t from = (m->ranges[0].base + i) << m->ranges[0].shift;
        if (BIT_OF(s->ranges, i) == 0) {
            gap += rows;
            continue;
        }
        if (s->nruns == 0 || gap > GAP_ROWS) {
            if (s->nruns == MOST_RUNS)
                return 1;
            s->runs[s->nruns++] = (struct sp_vrun){ from, from, 0 };
            gap = 0;
        }
        struct sp_vrun *run = &s->runs[s->nruns - 1];
        run->to = from + (width - 1);
        run->rows += rows + gap;
        s->narrow_rows += rows + gap;
        gap = 0;
        for (int k = 0; k < 2; k++)
            sp_digest_merge(&s->expect[k], &m->ranges[k].d[i]);
    }
    return 0;
}

static const struct sp_digest *far_of(const struct sp_ranges *r, uint64_t value)
{
    static const struct sp_digest none;
    for (size_t i = 0; i < r->nfar; i++)
        if (r->far[i].value == value)
            return &r->far[i].d;
    return &none;
}

static bool is_far(const struct sp_vsuspects *s, uint64_t value)
{
    for (size_t i = 0; i < s->nfar; i++)
        if (s->far[i] == value)
            return true;
    return false;
}

static void find_far(struct sp_vsuspects *s, const struct sp_vsums *m)
{
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < m->ranges[k].nfar; i++) {
            uint64_t value = m->ranges[k].far[i].value;
            if (!is_far(s, value) &&
                !sp_digest_equal(far_of(&m->ranges[0], value), far_of(&m->ranges[1], value)))
                s->far[s->nfar++] = value;
        }
}

/* 0, or 1: they are too many. */
static int add_far_runs(struct sp_vsuspects *s, const struct sp_vsums *m)
{
    for (size_t i = 0; i < s->nfar; i++) {
        struct sp_vrun run = { s->far[i], s->far[i], 0 };
        if (s->nruns == MOST_RUNS)
            return 1;
        for (int k = 0; k < 2; k++) {
            const struct sp_digest *d = far_of(&m->ranges[k], s->far[i]);
            sp_digest_merge(&s->expect[k], d);
            run.rows += d->count;
        }
        s->narrow_rows += run.rows;
        s->runs[s->nruns++] = run;
    }
    return 0;
}

int sp_v_suspects_make(
    struct sp_vsuspects *s, const struct sp_vpair *p, struct sp_vsums *m, const struct sp_digest first[2])
{
    *s = (struct sp_vsuspects){ .alone = range_is_enough(p) };
    s->buckets = unequal(m->buckets[0], m->buckets[1], SP_V_BUCKETS);
    if (s->buckets == NULL)
        return -SP_E_NOMEM;
    if (!m->ranged)
        return 0;
    sp_ranges_align(&m->ranges[0], &m->ranges[1]);
    s->tag = p->cols[0].type.tag;
    s->shift = m->ranges[0].shift;
    s->base = m->ranges[0].base;
    s->ranges = unequal(m->ranges[0].d, m->ranges[1].d, SP_RANGES);
    if (s->ranges == NULL)
        return -SP_E_NOMEM;
    find_far(s, m);
    uint64_t all = first[0].count + first[1].count;
    if (all < NARROW_ROWS || rules_touch(&p->cols[0]) ||
        !sp_digest_equal(&m->ranges[0].rest, &m->ranges[1].rest))
        return 0;
    int rc = find_runs(s, m);
    rc = rc == 0 ? add_far_runs(s, m) : rc;
    s->narrow = rc == 0 && s->narrow_rows < all / NARROW_SHARE;
    return rc < 0 ? rc : 0;
}

void sp_v_suspects_free(struct sp_vsuspects *s)
{
    free(s->buckets);
    free(s->ranges);
    free(s->runs);
    *s = (struct sp_vsuspects){ .buckets = NULL };
}

/* ---- reading them again ---------------------------------------------------------------------------------------- */

struct again {
    const struct sp_vsuspects *s;
    const struct sp_vrun *run; /* being read; NULL = the whole table */
    struct sp_digest seen;     /* rows of unequal ranges */
    int (*row)(void *payload, const struct sp_rowview *row);
    void *payload;
    bool stopped; /* by the receiver, not by the backend */
};

static int give(struct again *a, const struct sp_rowview *row)
{
    int rc = a->row(a->payload, row);
    a->stopped = a->stopped || rc != 0;
    return rc;
}

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct again *a = payload;
    const struct sp_vsuspects *s = a->s;
    uint64_t value, bucket = row->key.hi >> (64 - SP_V_BUCKET_BITS);
    if (s->ranges == NULL || !sp_range_value(s->tag, row->row, &value))
        return a->run == NULL && BIT_OF(s->buckets, bucket) != 0 ? give(a, row) : 0;
    uint64_t range = (value >> s->shift) - s->base;
    if (range < SP_RANGES ? BIT_OF(s->ranges, range) == 0 : !is_far(s, value))
        return 0;
    if (a->run != NULL && (value < a->run->from || value > a->run->to))
        return 0; /* a filter that lets more through */
    sp_digest_add(&a->seen, row->digest);
    return s->alone || BIT_OF(s->buckets, bucket) != 0 ? give(a, row) : 0;
}

int sp_v_check_rescan(const struct sp_vscan v[2], const struct sp_digest first[2], struct sp_error *err)
{
    for (int i = 0; i < 2; i++) {
        if (v[i].session == NULL)
            continue;
        if (v[i].rc != 0) {
            sp_fail(err, v[i].err.code == SP_E_OK ? SP_E_INTERNAL : v[i].err.code, v[i].err.origin, "%s: %s",
                sp_v_side_name((enum sp_side)i), sp_error_text(&v[i].err));
            return v[i].rc;
        }
        if (!sp_digest_equal(&v[i].digest, &first[i]))
            return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS,
                "%s: the rows changed while they were being compared", sp_v_side_name((enum sp_side)i));
    }
    return 0;
}

/* One run's end as a value of the column. */
static struct sp_value end_value(enum sp_tag tag, uint64_t end, bool upper)
{
    uint8_t octets[16];
    if (tag != SP_UUID)
        return sp_v_int((int64_t)(end ^ (UINT64_C(1) << 63)));
    memset(octets, upper ? 0xff : 0, sizeof octets);
    for (int k = 0; k < 8; k++)
        octets[k] = (uint8_t)(end >> (56 - 8 * k));
    return sp_v_uuid(octets);
}

struct range_filter {
    struct sp_value ends[2];
    struct sp_filter parts[2], both;
};

static void filter_make(
    struct range_filter *f, const struct sp_vsuspects *s, const struct sp_vrun *run, const char *column)
{
    f->ends[0] = end_value(s->tag, run->from, false);
    f->ends[1] = end_value(s->tag, run->to, true);
    for (int i = 0; i < 2; i++)
        f->parts[i] = (struct sp_filter){
            .op = i == 0 ? SP_F_GTE : SP_F_LTE, .column = column, .values = &f->ends[i], .nvalues = 1
        };
    f->both = (struct sp_filter){ .op = SP_F_AND, .args = f->parts, .nargs = 2 };
}

static int read_run(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vsuspects *s,
    const struct sp_vrun *run, struct again a[2], uint64_t total)
{
    struct sp_vscan v[2];
    struct range_filter f[2];
    uint64_t failed = c->failed_scans;
    for (int i = 0; i < 2; i++) {
        sp_v_scan_pair(c, &v[i], (enum sp_side)i, p);
        filter_make(&f[i], s, run, i == 0 ? p->cols[0].source : p->cols[0].target);
        v[i].scan.where = &f[i].both;
        v[i].row = on_row;
        a[i].run = run;
        v[i].payload = &a[i];
    }
    int rc = sp_v_scan(c, v, p->name, total);
    if (rc == 0 && (v[0].rc != 0 || v[1].rc != 0))
        rc = 1;
    c->failed_scans = failed; /* the whole table is read then */
    sp_v_scan_free(v);
    return rc;
}

/* 0 = done and proved; 1 = the whole table has to be read; negative = the comparison ends. */
static int read_narrow(
    struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vsuspects *s, struct again a[2])
{
    double started = sp_v_now_s(), most = p->scan_s / 2 > LEAST_S ? p->scan_s / 2 : LEAST_S;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < s->nruns; i++) {
        if (sp_v_now_s() - started > most)
            return 1;
        rc = read_run(c, p, s, &s->runs[i], a, s->runs[i].rows);
    }
    for (int i = 0; rc == 0 && i < 2; i++)
        rc = sp_digest_equal(&a[i].seen, &s->expect[i]) ? 0 : 1;
    return rc;
}

static int read_whole(struct sp_vctx *c, const struct sp_vpair *p, struct again a[2],
    const struct sp_digest first[2], struct sp_error *err)
{
    struct sp_vscan v[2];
    for (int i = 0; i < 2; i++) {
        sp_v_scan_pair(c, &v[i], (enum sp_side)i, p);
        v[i].row = on_row;
        v[i].payload = &a[i];
    }
    int rc = sp_v_scan(c, v, p->name, first[0].count + first[1].count);
    if (rc == 0)
        rc = sp_v_check_rescan(v, first, err);
    sp_v_scan_free(v);
    return rc;
}

int sp_v_reread(struct sp_vctx *c, const struct sp_vpair *p, struct sp_vsuspects *s,
    const struct sp_digest first[2], const struct sp_vreceiver *to, struct sp_error *err)
{
    struct again a[2];
    for (int turn = s->narrow ? 0 : 1;; turn++) {
        for (int i = 0; i < 2; i++)
            a[i] = (struct again){ .s = s, .row = to->row, .payload = to->payload[i] };
        if (turn == 1)
            return read_whole(c, p, a, first, err);
        int rc = read_narrow(c, p, s, a);
        if (rc <= 0)
            return rc;
        if (a[0].stopped || a[1].stopped)
            return sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "reading again was stopped");
        s->narrow = false; /* nor next time */
        for (int i = 0; i < 2; i++)
            to->restart(to->payload[i]);
    }
}
