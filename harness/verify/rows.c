/* rows.c -- the rows of one table: pass 1 over both sides, and what comes behind it only where it found a difference. */
#include <stdlib.h>

#include "verify/diagnose.h"
#include "verify/internal.h"

static void rule_names(struct sp_buf *out, const struct sp_vpair *p)
{
    for (size_t i = 0; i < p->ncols; i++)
        for (size_t r = 0; r < p->cols[i].nrules; r++) {
            sp_buf_printf(out, "%s%s:", out->n == 0 ? "" : " ", p->cols[i].name);
            sp_rule_print(out, p->cols[i].rules[r], p->cols[i].args[r]);
        }
}

struct outcome {
    struct sp_digest digest[2];
    bool equal, complete; /* complete: the counts below are exact */
    bool all_listed;
    struct sp_vcounts counts;
    double started;
};

static void send_table(struct sp_vctx *c, const struct sp_vpair *p, const struct outcome *o)
{
    struct sp_event ev;
    struct sp_buf rules = SP_BUF_INIT;
    char plan[33], digest[2][33];
    rule_names(&rules, p);
    sp_d128_format(plan, p->fingerprint);
    sp_event_begin(&ev, SP_EV_TABLE);
    sp_event_text(&ev, SP_FLD_name, p->name);
    for (int i = 0; i < 2; i++) {
        sp_d128_format(digest[i], o->digest[i].sum);
        if (p->t[i] == NULL)
            continue;
        sp_event_int(&ev, i == 0 ? SP_FLD_source_rows : SP_FLD_target_rows, (int64_t)o->digest[i].count);
        sp_event_text(&ev, i == 0 ? SP_FLD_source_digest : SP_FLD_target_digest, digest[i]);
    }
    sp_event_bool(&ev, SP_FLD_digest_equal, o->equal);
    if (o->complete) {
        sp_event_int(&ev, SP_FLD_missing, (int64_t)o->counts.missing);
        sp_event_int(&ev, SP_FLD_extra, (int64_t)o->counts.extra);
        sp_event_int(&ev, SP_FLD_changed, (int64_t)o->counts.changed);
        sp_event_int(&ev, SP_FLD_duplicates_source, (int64_t)o->counts.duplicates[0]);
        sp_event_int(&ev, SP_FLD_duplicates_target, (int64_t)o->counts.duplicates[1]);
    }
    sp_event_text(&ev, SP_FLD_rules, rules.n == 0 ? "" : rules.p);
    sp_event_text(&ev, SP_FLD_plan, plan);
    sp_event_bool(&ev, SP_FLD_keyed, p->nkey != 0);
    sp_event_real(&ev, SP_FLD_duration_s, sp_v_now_s() - o->started);
    if (c->snaps.open[0])
        sp_event_text(&ev, SP_FLD_source_state, c->snaps.id[0]);
    if (c->snaps.open[1])
        sp_event_text(&ev, SP_FLD_target_state, c->snaps.id[1]);
    if (c->recheck != NULL) {
        sp_event_int(&ev, SP_FLD_in_flight, (int64_t)p->in_flight);
        sp_event_int(&ev, SP_FLD_unsettled, (int64_t)p->unsettled);
    }
    sp_v_send(c, &ev);
    sp_buf_free(&rules);
}

static bool scans_failed(struct sp_vctx *c, const struct sp_vpair *p, struct sp_vscan v[2])
{
    bool failed = false;
    for (int i = 0; i < 2; i++) {
        if (v[i].session == NULL || v[i].rc == 0)
            continue;
        failed = true;
        sp_v_not_compared(c, p->name, "rows", "%s could not be read: %s", sp_v_side_name((enum sp_side)i),
            sp_error_text(&v[i].err));
    }
    return failed;
}

/* A table that only one side has: its rows are counted, and all of them differ. */
static void one_sided(struct sp_vctx *c, struct sp_vpair *p)
{
    struct sp_vscan v[2];
    struct outcome o = { .complete = true, .started = sp_v_now_s() };
    for (int i = 0; i < 2; i++)
        sp_v_scan_pair(c, &v[i], (enum sp_side)i, p);
    if (sp_v_scan_first(c, v, p) == 0 && !scans_failed(c, p, v)) {
        for (int i = 0; i < 2; i++)
            o.digest[i] = v[i].digest;
        o.counts.missing = v[0].digest.count;
        o.counts.extra = v[1].digest.count;
        c->rows += o.counts.missing + o.counts.extra;
        c->differences += o.counts.missing + o.counts.extra;
        c->capped = c->capped || o.counts.missing + o.counts.extra != 0;
        send_table(c, p, &o);
    }
    sp_v_scan_free(v);
}

static void say_rows_differ(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vcounts *n)
{
    if (n->duplicates[0] != 0 || n->duplicates[1] != 0)
        sp_v_finding(c, p->name, NULL, "duplicate keys", n->duplicates[0] + n->duplicates[1],
            "among the differing rows, %llu on the source and %llu on the target repeat the key of another "
            "row",
            (unsigned long long)n->duplicates[0], (unsigned long long)n->duplicates[1]);
    sp_v_differ(c, n->missing + n->extra + n->changed,
        "table %s: %llu missing, %llu extra, %llu changed rows", p->name, (unsigned long long)n->missing,
        (unsigned long long)n->extra, (unsigned long long)n->changed);
}

/* Passes 2 and 3. The rows differ whatever becomes of them; without their end the counts are left out. */
static void find_differences(
    struct sp_vctx *c, const struct sp_vpair *p, struct sp_vsums *sums, struct outcome *o)
{
    const uint64_t most = SIZE_MAX / sizeof(struct sp_vwanted), shown = c->opt->max_differences;
    struct sp_vdiffs diffs = { .shown = (size_t)(shown < most ? shown : most) };
    diffs.max = diffs.shown > SP_DIAG_ROWS ? diffs.shown : SP_DIAG_ROWS;
    struct sp_error err = SP_ERROR_INIT;
    if (c->recheck != NULL) {
        diffs.differs = sp_v_recheck_key;
        diffs.payload = c->recheck;
    }
    struct sp_vsuspects suspects;
    int rc = sp_v_suspects_make(&suspects, p, sums, o->digest);
    sp_v_sums_free(sums); /* its memory is needed */
    if (rc != 0)
        sp_nomem(&err);
    else
        rc = sp_v_collect(c, p, &suspects, o->digest, &diffs, &err);
    o->counts = diffs.counts;
    uint64_t n = o->counts.missing + o->counts.extra + o->counts.changed;
    if (rc == 0 && n == 0 && !p->parked)
        rc = sp_fail(
            &err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "the digests differ, but no differing row was found");
    o->complete = rc == 0;
    bool capped = diffs.capped || diffs.n > diffs.shown;
    c->capped = c->capped || capped;
    o->all_listed = rc == 0 && !capped;
    if (rc == 0 && diffs.n != 0 && (rc = sp_v_diag_begin(c, p)) == 0)
        rc = sp_v_details(c, p, &suspects, o->digest, &diffs, &err);
    if (p->parked) {
        ; /* nothing is said before the rows were seen again */
    } else if (o->complete) {
        say_rows_differ(c, p, &o->counts);
    } else if (c->rc == 0 && c->recheck == NULL) {
        sp_v_differ(c, 1, "table %s: the digests of its rows differ", p->name);
    }
    if (rc != 0 && c->rc == 0)
        sp_v_not_compared(c, p->name, "differing rows", "%s", sp_error_text(&err));
    sp_v_diffs_free(&diffs);
    sp_v_suspects_free(&suspects);
    sp_error_clear(&err);
}

/* What pass 1 saw of a table whose rows are looked at again. */
struct sp_vparked {
    struct outcome o;
    struct sp_vscan v[2];
};

/* Takes the scans. Where it is not known which rows differ, there is nothing to look at again: that was said. */
static void park(struct sp_vctx *c, struct sp_vpair *p, const struct outcome *o, struct sp_vscan v[2])
{
    p->seen = o->complete && c->rc == 0 ? calloc(1, sizeof *p->seen) : NULL;
    if (p->seen == NULL) {
        if (o->complete && c->rc == 0)
            sp_v_nomem(c);
        p->parked = false;
        sp_v_scan_free(v);
        return;
    }
    *p->seen = (struct sp_vparked){ .o = *o, .v = { v[0], v[1] } };
    c->waiting++;
}

void sp_v_rows_unpark(struct sp_vctx *c, struct sp_vpair *p, bool say)
{
    if (p->seen != NULL && say && c->rc == 0) {
        send_table(c, p, &p->seen->o);
        sp_v_row_findings(c, p, p->seen->v, p->unsettled == 0);
    }
    if (p->seen != NULL)
        sp_v_scan_free(p->seen->v);
    free(p->seen);
    p->seen = NULL;
    p->parked = false;
}

static void compare(struct sp_vctx *c, struct sp_vpair *p, struct sp_vsums *sums)
{
    struct sp_vscan v[2];
    struct outcome o = { .started = sp_v_now_s() };
    for (int i = 0; i < 2; i++) {
        sp_v_scan_pair(c, &v[i], (enum sp_side)i, p);
        sp_v_sums_use(sums, p, (enum sp_side)i, &v[i]);
    }
    if (sp_v_scan_first(c, v, p) != 0 || scans_failed(c, p, v)) {
        sp_v_scan_free(v);
        return;
    }
    for (int i = 0; i < 2; i++) {
        o.digest[i] = v[i].digest;
        p->rows[i] = v[i].digest.count;
        c->rows += v[i].digest.count;
        if (sp_v_key_tags(c, p, (enum sp_side)i, v[i].stats) != 0)
            break;
    }
    p->scanned = true;
    p->stale = false;
    p->scan_s = sp_v_now_s() - o.started;
    o.equal = o.complete = p->digest_equal = sp_digest_equal(&o.digest[0], &o.digest[1]);
    if (!o.equal) {
        p->parked = sp_v_recheck_park(c, p);
        find_differences(c, p, sums, &o);
    }
    if (p->parked) {
        sp_v_diag_end(c, p, NULL);
        park(c, p, &o, v);
        return;
    }
    p->all_listed = o.all_listed;
    if (c->rc == 0) {
        send_table(c, p, &o);
        sp_v_keep_absent(c, p, v);
        sp_v_row_findings(c, p, v, o.equal);
    }
    sp_v_diag_end(c, p, o.complete && !o.equal ? &o.counts : NULL);
    sp_v_scan_free(v);
}

void sp_v_rows(struct sp_vctx *c, struct sp_vpair *p)
{
    if (p->t[0] == NULL || p->t[1] == NULL) {
        one_sided(c, p);
        return;
    }
    if (p->ncols == 0 && !p->residual) {
        sp_v_not_compared(c, p->name, "rows", "no column can be compared");
        return;
    }
    struct sp_vsums sums;
    if (sp_v_sums_init(&sums, p) != 0)
        sp_v_nomem(c);
    else
        compare(c, p, &sums);
    sp_v_sums_free(&sums);
}
