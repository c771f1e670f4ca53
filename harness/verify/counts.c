/* counts.c -- the rows of each table as its server counts them: a fast look, which says nothing about what is in them. */
#include "verify/internal.h"

static int ignore_row(void *payload, const struct sp_rowview *row)
{
    (void)payload;
    (void)row;
    return 0;
}

/* By a pass over one column, where a count by name could mean the table of another namespace. */
static int count_by_scan(
    struct sp_vctx *c, const struct sp_vpair *p, enum sp_side side, int64_t *n, struct sp_error *err)
{
    struct sp_vscan v[2];
    for (int i = 0; i < 2; i++) {
        sp_v_scan_init(c, &v[i], (enum sp_side)i, i == (int)side ? p->t[side] : NULL, p->cols,
            p->nkey != 0 ? p->nkey : 1, p->nkey, false);
        v[i].row = ignore_row;
    }
    int rc = sp_v_scan(c, v, p->name, 0);
    if (rc == 0 && v[side].rc != 0) {
        rc = v[side].rc;
        sp_error_move(err, &v[side].err);
    }
    *n = rc == 0 ? (int64_t)v[side].digest.count : 0;
    sp_v_scan_free(v);
    return rc;
}

static bool count_side(struct sp_vctx *c, const struct sp_vpair *p, enum sp_side side, int64_t *n)
{
    struct sp_error err = SP_ERROR_INIT;
    const struct sp_table *t = p->t[side];
    int rc;
    if (t == NULL)
        return true;
    if (t->ns != NULL && p->ncols != 0)
        rc = count_by_scan(c, p, side, n, &err);
    else
        rc = sp_db_count(c->session[side], t->name, NULL, n, &err);
    if (rc != 0 && c->rc == 0)
        sp_v_not_compared(c, p->name, "row count", "%s could not be counted: %s", sp_v_side_name(side),
            sp_error_text(&err));
    sp_error_clear(&err);
    return rc == 0;
}

static void one(struct sp_vctx *c, const struct sp_vpair *p)
{
    int64_t n[2] = { 0, 0 };
    for (int i = 0; i < 2; i++)
        if (!count_side(c, p, (enum sp_side)i, &n[i]))
            return;
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_COUNTED);
    sp_event_text(&ev, SP_FLD_element, "table");
    sp_event_text(&ev, SP_FLD_name, p->name);
    if (p->t[0] != NULL)
        sp_event_int(&ev, SP_FLD_source_rows, n[0]);
    if (p->t[1] != NULL)
        sp_event_int(&ev, SP_FLD_target_rows, n[1]);
    sp_event_text(&ev, SP_FLD_message, "counted by the server; contents were not compared");
    sp_v_send(c, &ev);
    c->rows += (uint64_t)(n[0] + n[1]);
    if (n[0] != n[1] && (c->opt->checks & (SP_VC_ROWS | SP_VC_PROFILES)) == 0)
        sp_v_differ(c, (uint64_t)(n[0] > n[1] ? n[0] - n[1] : n[1] - n[0]),
            "table %s: %lld rows on the source, %lld on the target", p->name, (long long)n[0],
            (long long)n[1]);
}

void sp_v_counts(struct sp_vctx *c)
{
    for (size_t i = 0; i < c->npairs && c->rc == 0; i++)
        one(c, &c->pairs[i]);
    if (c->rc == 0 && c->npairs != 0 && (c->opt->checks & (SP_VC_ROWS | SP_VC_PROFILES)) == 0)
        sp_v_not_compared(c, "every table", "contents",
            "only counts were compared: as many rows are not the same rows; --checks rows compares them");
}
