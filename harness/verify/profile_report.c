/* profile_report.c -- where two tables differ: column by column, what the profiles of both sides do not share.
 *
 * The profile takes a pass of its own over a table that the row check found to differ, so that equal tables cost nothing.
 * Without the row check it looks at every table, and decides by the digests that the pass makes anyway. */
#include <stdlib.h>

#include "verify/profile.h"

/* A large table of which each differing row is listed by its columns: reading all of it once more says nothing new. */
#define WORTH_A_PASS 2000000u

static bool differs(const struct sp_vcolprofile *a, const struct sp_vcolprofile *b)
{
    return !sp_digest_equal(&a->values, &b->values);
}

/* ---- one column, in words ---------------------------------------------------------------------------------------- */

struct words {
    struct sp_buf min[2], max[2], text;
    uint64_t distinct[2];
};

static void say(struct sp_buf *out, const char *what, const char *a, const char *b)
{
    if (strcmp(a, b) != 0)
        sp_buf_printf(out, "%s%s %s vs %s", out->n == 0 ? "" : "; ", what, a[0] != '\0' ? a : "none",
            b[0] != '\0' ? b : "none");
}

static void say_number(struct sp_buf *out, const char *what, uint64_t a, uint64_t b)
{
    if (a != b)
        sp_buf_printf(out, "%s%s %llu vs %llu", out->n == 0 ? "" : "; ", what, (unsigned long long)a,
            (unsigned long long)b);
}

static const char *text_of(const struct sp_buf *b)
{
    return b->p != NULL ? b->p : "";
}

static bool same_extreme(const struct sp_vextreme *a, const struct sp_vextreme *b)
{
    return a->set == b->set &&
           (!a->set || (a->tag == b->tag && a->n == b->n &&
                           memcmp(a->p, b->p, a->n < SP_V_EXTREME ? a->n : SP_V_EXTREME) == 0));
}

/* Minimum and maximum stand in the text only where they may be read. */
static void describe(
    const struct sp_vprofile prof[2], const struct sp_vcolprofile *const col[2], bool show, struct words *w)
{
    *w = (struct words){ .distinct = { 0, 0 } };
    for (int i = 0; i < 2; i++) {
        sp_v_extreme_print(&w->min[i], &col[i]->min, show);
        sp_v_extreme_print(&w->max[i], &col[i]->max, show);
        w->distinct[i] = sp_v_profile_distinct(&prof[i], col[i]);
    }
    say_number(&w->text, "values", col[0]->present, col[1]->present);
    say_number(&w->text, "nulls", col[0]->nulls, col[1]->nulls);
    say_number(&w->text, "missing", col[0]->missing, col[1]->missing);
    if (show) {
        say(&w->text, "min", text_of(&w->min[0]), text_of(&w->min[1]));
        say(&w->text, "max", text_of(&w->max[0]), text_of(&w->max[1]));
    } else {
        bool low = !same_extreme(&col[0]->min, &col[1]->min),
             high = !same_extreme(&col[0]->max, &col[1]->max);
        if (low || high)
            sp_buf_printf(&w->text, "%sanother %s", w->text.n == 0 ? "" : "; ",
                low && high ? "min and max"
                : low       ? "min"
                            : "max");
    }
    say_number(&w->text, "longest", col[0]->longest, col[1]->longest);
    say_number(&w->text, "distinct, about", w->distinct[0], w->distinct[1]);
    if (w->text.n == 0)
        sp_buf_puts(&w->text, "other values within the same bounds");
}

static void free_words(struct words *w)
{
    for (int i = 0; i < 2; i++) {
        sp_buf_free(&w->min[i]);
        sp_buf_free(&w->max[i]);
    }
    sp_buf_free(&w->text);
}

/* Keys are shown in reports, other values only where the user allowed it. */
static void send_column(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vprofile prof[2],
    const char *name, bool key, const struct sp_vcolprofile *const col[2])
{
    static const enum sp_event_field f[2][6] = { { SP_FLD_source_nulls, SP_FLD_source_missing,
                                                     SP_FLD_source_distinct, SP_FLD_source_min,
                                                     SP_FLD_source_max, SP_FLD_source_longest },
        { SP_FLD_target_nulls, SP_FLD_target_missing, SP_FLD_target_distinct, SP_FLD_target_min,
            SP_FLD_target_max, SP_FLD_target_longest } };
    struct words w;
    struct sp_event ev;
    describe(prof, col, key || c->opt->show_values, &w);
    sp_event_begin(&ev, SP_EV_PROFILE);
    sp_event_text(&ev, SP_FLD_name, p->name);
    sp_event_text(&ev, SP_FLD_column, name);
    sp_event_bool(&ev, SP_FLD_keyed, key);
    for (int i = 0; i < 2; i++) {
        sp_event_int(&ev, f[i][0], (int64_t)col[i]->nulls);
        sp_event_int(&ev, f[i][1], (int64_t)col[i]->missing);
        sp_event_int(&ev, f[i][2], (int64_t)w.distinct[i]);
        sp_event_text(&ev, f[i][3], w.min[i].p);
        sp_event_text(&ev, f[i][4], w.max[i].p);
        if (col[i]->longest != 0)
            sp_event_int(&ev, f[i][5], (int64_t)col[i]->longest);
    }
    sp_event_text(&ev, SP_FLD_message, text_of(&w.text));
    sp_v_send(c, &ev);
    free_words(&w);
}

/* ---- a table ------------------------------------------------------------------------------------------------------ */

/* The profile of an undeclared field: rows without it have it missing. */
static struct sp_vcolprofile extra_of(const struct sp_vprofile *p, const char *name)
{
    const struct sp_vcolprofile *col = sp_v_profile_extra(p, name, strlen(name));
    struct sp_vcolprofile out = col != NULL ? *col : p->col[p->ncols + p->extra_cap];
    out.missing = p->rows - out.present - out.nulls;
    return out;
}

/* Undeclared fields: those of the source, then those that only the target has. */
static size_t send_extras(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vprofile prof[2])
{
    size_t n = 0;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < prof[side].nextra && c->rc == 0; i++) {
            const char *name = prof[side].extra[i];
            if (side == 1 && sp_v_profile_extra(&prof[0], name, strlen(name)) != NULL)
                continue;
            struct sp_vcolprofile a = extra_of(&prof[0], name), b = extra_of(&prof[1], name);
            const struct sp_vcolprofile *col[2] = { &a, &b };
            if (differs(&a, &b)) {
                send_column(c, p, prof, name, false, col);
                n++;
            }
        }
    return n;
}

static void send_profiles(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vprofile prof[2])
{
    size_t n = 0, all = p->ncols + (prof[0].nextra > prof[1].nextra ? prof[0].nextra : prof[1].nextra);
    for (size_t i = 0; i < p->ncols && c->rc == 0; i++) {
        const struct sp_vcolprofile *col[2] = { &prof[0].col[i], &prof[1].col[i] };
        if (!differs(col[0], col[1]))
            continue;
        send_column(c, p, prof, p->cols[i].name, i < p->nkey, col);
        n++;
    }
    n += send_extras(c, p, prof);
    uint64_t skipped = prof[0].skipped_fields + prof[1].skipped_fields;
    if (n == 0 && skipped == 0)
        sp_v_finding(c, p->name, NULL, "column profile", all,
            "each column holds the same values on both sides: they stand in other rows (swapped or shifted)");
    else if (n < all)
        sp_v_finding(c, p->name, NULL, "column profile", n,
            "%zu of %zu columns differ; the others hold the same values on both sides", n, all);
    if (skipped != 0)
        sp_v_finding(
            c, p->name, NULL, "column profile", skipped, "fields beyond the first names have no profile");
}

static bool read_failed(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vscan v[2])
{
    bool failed = false;
    for (int i = 0; i < 2; i++) {
        if (v[i].rc == 0)
            continue;
        failed = true;
        sp_v_not_compared(c, p->name, "column profile", "%s could not be read: %s",
            sp_v_side_name((enum sp_side)i), sp_error_text(&v[i].err));
    }
    return failed;
}

/* Without the row check, the digests of this pass say whether the table is equal. */
static void judge(struct sp_vctx *c, struct sp_vpair *p, const struct sp_vscan v[2], double started)
{
    struct sp_event ev;
    char plan[33], digest[33];
    bool equal = sp_digest_equal(&v[0].digest, &v[1].digest);
    p->scanned = true;
    p->digest_equal = equal;
    sp_d128_format(plan, p->fingerprint);
    sp_event_begin(&ev, SP_EV_TABLE);
    sp_event_text(&ev, SP_FLD_name, p->name);
    for (int i = 0; i < 2; i++) {
        p->rows[i] = v[i].digest.count;
        c->rows += v[i].digest.count;
        sp_d128_format(digest, v[i].digest.sum);
        sp_event_int(&ev, i == 0 ? SP_FLD_source_rows : SP_FLD_target_rows, (int64_t)v[i].digest.count);
        sp_event_text(&ev, i == 0 ? SP_FLD_source_digest : SP_FLD_target_digest, digest);
    }
    sp_event_bool(&ev, SP_FLD_digest_equal, equal);
    sp_event_text(&ev, SP_FLD_rules, "");
    sp_event_text(&ev, SP_FLD_plan, plan);
    sp_event_bool(&ev, SP_FLD_keyed, p->nkey != 0);
    sp_event_real(&ev, SP_FLD_duration_s, sp_v_now_s() - started);
    sp_v_send(c, &ev);
    if (!equal)
        sp_v_differ(c, 1, "table %s: the digests of its rows differ", p->name);
    sp_v_keep_absent(c, p, v);
    sp_v_row_findings(c, p, v, equal);
}

static void profile_pair(struct sp_vctx *c, struct sp_vpair *p, struct sp_vprofile prof[2])
{
    struct sp_vscan v[2];
    double started = sp_v_now_s();
    bool rows = (c->opt->checks & SP_VC_ROWS) != 0;
    for (int i = 0; i < 2; i++) {
        sp_v_scan_pair(c, &v[i], (enum sp_side)i, p);
        v[i].row = sp_v_profile_row;
        v[i].payload = &prof[i];
    }
    int rc = rows ? sp_v_scan(c, v, p->name, p->rows[0] + p->rows[1]) : sp_v_scan_first(c, v, p);
    if (rc == 0 && !read_failed(c, p, v)) {
        bool moved = rows && (v[0].digest.count != p->rows[0] || v[1].digest.count != p->rows[1]);
        if (moved)
            sp_v_not_compared(c, p->name, "column profile", "the rows changed while they were read");
        if (!rows)
            judge(c, p, v, started);
        if (!moved && !p->digest_equal && c->rc == 0)
            send_profiles(c, p, prof);
    }
    sp_v_scan_free(v);
}

void sp_v_profile(struct sp_vctx *c, struct sp_vpair *p)
{
    bool rows = (c->opt->checks & SP_VC_ROWS) != 0;
    struct sp_vprofile prof[2] = { { .arena = SP_ARENA_INIT }, { .arena = SP_ARENA_INIT } };
    if (p->t[0] == NULL || p->t[1] == NULL)
        return; /* all of its rows differ, and that was said */
    if (!rows && p->ncols == 0 && !p->residual) {
        sp_v_not_compared(c, p->name, "rows", "no column can be compared");
        return;
    }
    if (rows && (!p->scanned || p->digest_equal))
        return;
    if (rows && p->all_listed && p->rows[0] + p->rows[1] > WORTH_A_PASS)
        return;
    for (int i = 0; i < 2; i++)
        if (sp_v_profile_open(&prof[i], p->cols, p->ncols, p->residual) != 0)
            sp_v_nomem(c);
    if (c->rc == 0)
        profile_pair(c, p, prof);
    sp_v_profile_close(&prof[0]);
    sp_v_profile_close(&prof[1]);
}
