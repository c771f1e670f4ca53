/* required.c -- columns that the source never leaves empty and the target does not hold to that, and the team's own
 * required fields. What the row check counted is not read again. */
#include "verify/internal.h"

void sp_v_keep_absent(struct sp_vctx *c, struct sp_vpair *p, const struct sp_vscan v[2])
{
    for (int i = 0; i < 2; i++) {
        uint64_t *n = sp_arena_array(&c->arena, p->ncols + 1, sizeof *n);
        for (size_t k = 0; n != NULL && k < p->ncols; k++)
            n[k] = v[i].stats[k].nulls + v[i].stats[k].missing;
        p->absent[i] = n;
    }
}

static int ignore_row(void *payload, const struct sp_rowview *row)
{
    (void)payload;
    (void)row;
    return 0;
}

static int count(struct sp_vctx *c, const struct sp_vpair *p, size_t col, uint64_t n[2], struct sp_error *err)
{
    struct sp_vscan v[2];
    if (p->absent[0] != NULL && p->absent[1] != NULL) {
        n[0] = p->absent[0][col];
        n[1] = p->absent[1][col];
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        sp_v_scan_init(c, &v[i], (enum sp_side)i, p->t[i], &p->cols[col], 1, 0, false);
        v[i].row = ignore_row;
    }
    int rc = sp_v_scan(c, v, p->name, 0);
    for (int i = 0; i < 2 && rc == 0; i++) {
        if (v[i].rc != 0)
            rc = sp_fail(err, v[i].err.code == SP_E_OK ? SP_E_INTERNAL : v[i].err.code, v[i].err.origin,
                "%s could not be read: %s", sp_v_side_name((enum sp_side)i), sp_error_text(&v[i].err));
        else
            n[i] = v[i].stats[0].nulls + v[i].stats[0].missing;
    }
    sp_v_scan_free(v);
    return rc;
}

static void send(
    struct sp_vctx *c, const struct sp_vpair *p, const char *name, const char *column, const uint64_t n[2])
{
    uint64_t introduced = n[1] > n[0] ? n[1] - n[0] : 0;
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_CONSTRAINT);
    sp_event_text(&ev, SP_FLD_element, "required");
    sp_event_text(&ev, SP_FLD_name, name);
    sp_event_text(&ev, SP_FLD_table, p->name);
    sp_event_text(&ev, SP_FLD_columns, column);
    sp_event_int(&ev, SP_FLD_source_faults, (int64_t)n[0]);
    sp_event_int(&ev, SP_FLD_target_faults, (int64_t)n[1]);
    sp_event_int(&ev, SP_FLD_introduced, (int64_t)introduced);
    sp_event_int(&ev, SP_FLD_preexisting, (int64_t)(n[1] - introduced));
    sp_v_send(c, &ev);
    if (introduced != 0)
        sp_v_differ(c, introduced,
            "required %s.%s: %llu rows of the target have no value, and %llu of the source", p->name, column,
            (unsigned long long)n[1], (unsigned long long)n[0]);
    if (n[1] > introduced && c->opt->strict_integrity)
        sp_v_differ(c, n[1] - introduced, "required %s.%s: %llu rows have no value on both sides", p->name,
            column, (unsigned long long)(n[1] - introduced));
    else if (n[1] > introduced)
        sp_v_finding(c, p->name, column, "required, but absent on both sides", n[1] - introduced,
            "%llu rows have no value, on the source as on the target",
            (unsigned long long)(n[1] - introduced));
}

static void one(struct sp_vctx *c, const struct sp_vpair *p, const char *name, size_t col)
{
    struct sp_error err = SP_ERROR_INIT;
    uint64_t n[2] = { 0, 0 };
    int rc = count(c, p, col, n, &err);
    if (rc == 0)
        send(c, p, name, p->cols[col].name, n);
    else if (c->rc == 0)
        sp_v_not_compared(c, p->name, "required", "%s: %s", p->cols[col].name, sp_error_text(&err));
    sp_error_clear(&err);
}

static bool enforced(const struct sp_vctx *c, enum sp_side side, const struct sp_column *col)
{
    const struct sp_cap *declared = sp_session_provider(c->session[side])->declared;
    return col != NULL && col->not_null && declared != NULL && declared[SP_CAP_NOT_NULL].level == SP_CAP_YES;
}

void sp_v_required(struct sp_vctx *c)
{
    for (size_t k = 0; k < c->npairs; k++) {
        const struct sp_vpair *p = &c->pairs[k];
        if (p->t[0] == NULL || p->t[1] == NULL)
            continue;
        for (size_t i = 0; i < p->ncols && c->rc == 0; i++) {
            const struct sp_column *s = sp_table_column(p->t[0], p->cols[i].source);
            const struct sp_column *t = sp_table_column(p->t[1], p->cols[i].target);
            if (s == NULL || !s->not_null)
                continue;
            sp_v_looked(c, SP_VC_REQUIRED);
            if (!enforced(c, SP_SIDE_TARGET, t))
                one(c, p, NULL, i);
        }
    }
}

void sp_v_required_fields(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_verify_demand *d)
{
    for (size_t i = 0; i < d->ncolumns && c->rc == 0; i++) {
        size_t k = 0;
        while (k < p->ncols && strcmp(p->cols[k].source, d->columns[i]) != 0 &&
               strcmp(p->cols[k].target, d->columns[i]) != 0)
            k++;
        if (k < p->ncols)
            one(c, p, d->name, k);
        else
            sp_v_not_compared(
                c, p->name, "required", "%s: column %s cannot be compared", d->name, d->columns[i]);
    }
}
