/* diagnosed.c -- the rows of pass 3 go into a collector; what it concludes becomes events. */
#include "verify/diagnosed.h"

#include <stdlib.h>

#define SHORT    200u /* bytes of a value by which missing rows may have been filtered */
#define MOST     40   /* diagnoses of a table */
#define ROW_MOST 65536u

int sp_v_diag_begin(struct sp_vctx *c, const struct sp_vpair *p)
{
    struct sp_vdiagnosis *d = calloc(1, sizeof *d);
    if (d == NULL)
        return sp_v_nomem(c);
    c->diagnosis = d;
    d->started = sp_v_now_s();
    d->d = sp_diag_new();
    d->columns = calloc(p->ncols + 1, sizeof *d->columns);
    for (int i = 0; i < 2; i++)
        d->keys[i] = calloc(SP_DIAG_ROWS, sizeof *d->keys[i]);
    return d->d == NULL || d->columns == NULL || d->keys[0] == NULL || d->keys[1] == NULL ? sp_v_nomem(c) : 0;
}

static void drop(struct sp_vctx *c, const struct sp_vpair *p)
{
    struct sp_vdiagnosis *d = c->diagnosis;
    c->diagnosis = NULL;
    if (d == NULL)
        return;
    sp_diag_free(d->d);
    for (size_t i = 0; d->columns != NULL && i < p->ncols; i++)
        free(d->columns[i].value);
    for (size_t i = 0; i < d->nrows; i++)
        free((void *)(uintptr_t)d->row[i].p);
    free(d->columns);
    free(d->keys[0]);
    free(d->keys[1]);
    free(d);
}

struct sp_value sp_v_diag_value(struct sp_arena *a, const struct sp_type *type, const uint8_t *p, size_t n)
{
    struct sp_value v = sp_v_missing();
    enum sp_state state;
    return sp_canon_read(a, type, p, n, &v, &state) > 0 ? v : sp_v_missing();
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static int keep_column(struct sp_vmissing_column *col, const struct sp_vfield *f, bool first)
{
    struct sp_d128 digest = sp_d128_of(f->whole, f->nwhole);
    col->nulls += f->state == SP_ST_NULL || f->state == SP_ST_MISSING;
    if (first) {
        col->first = digest;
        if (f->nwhole <= SHORT && (col->value = malloc(f->nwhole)) == NULL)
            return -SP_E_NOMEM;
        if (col->value != NULL)
            memcpy(col->value, f->whole, f->nwhole);
        col->nvalue = f->nwhole;
    }
    col->same += sp_d128_eq(digest, col->first);
    return 0;
}

static bool whole_number(const struct sp_vpair *p, const uint8_t *row, size_t n, int64_t *out)
{
    struct sp_arena a = SP_ARENA_INIT;
    bool yes = false;
    if (p->nkey == 1) {
        struct sp_value v = sp_v_diag_value(&a, &p->cols[0].type, row, n);
        yes = v.tag == SP_INT;
        *out = yes ? v.u.i : 0;
    }
    sp_arena_free(&a);
    return yes;
}

static int one_sided(
    struct sp_vdiagnosis *d, const struct sp_vpair *p, int side, const uint8_t *row, size_t n)
{
    int64_t key;
    bool number = whole_number(p, row, n, &key);
    if (d->looked[side]++ < SP_DIAG_ROWS && number)
        d->keys[side][d->nkeys[side]++] = key;
    if (side != 0)
        return 0;
    const uint8_t *at = row;
    size_t left = n;
    for (size_t i = 0; i < p->ncols; i++) {
        struct sp_vfield f;
        int64_t used = sp_v_field(at, left, &f);
        if (used < 0 || keep_column(&d->columns[i], &f, d->looked[0] == 1) != 0)
            return used < 0 ? 0 : -SP_E_NOMEM;
        at += used;
        left -= (size_t)used;
    }
    if (number && d->nrows < SP_VD_TRIED && n <= ROW_MOST) {
        uint8_t *copy = malloc(n);
        if (copy == NULL)
            return -SP_E_NOMEM;
        memcpy(copy, row, n);
        d->row_key[d->nrows] = key;
        d->row[d->nrows++] = (struct sp_vkey){ copy, n };
    }
    return 0;
}

static void count_kept(
    struct sp_vdiagnosis *d, const struct sp_vpair *p, const uint8_t *const row[2], const size_t n[2])
{
    const uint8_t *at[2] = { row[0], row[1] };
    size_t left[2] = { n[0], n[1] };
    d->changed++;
    for (size_t i = 0; i < p->ncols; i++) {
        struct sp_vfield f[2];
        for (int s = 0; s < 2; s++) {
            int64_t used = sp_v_field(at[s], left[s], &f[s]);
            if (used < 0)
                return;
            at[s] += used;
            left[s] -= (size_t)used;
        }
        d->columns[i].kept += f[0].nwhole == f[1].nwhole && memcmp(f[0].whole, f[1].whole, f[0].nwhole) == 0;
    }
}

int sp_v_diag_row(struct sp_vctx *c, const struct sp_vpair *p, const char *key, const uint8_t *const row[2],
    const size_t n[2])
{
    struct sp_vdiagnosis *d = c->diagnosis;
    if (d == NULL)
        return 0;
    if (row[0] != NULL && row[1] != NULL) {
        count_kept(d, p, row, n);
        return sp_diag_row_begin(d->d, key);
    }
    int side = row[0] != NULL ? 0 : 1;
    return one_sided(d, p, side, row[side], n[side]);
}

int sp_v_diag_cell(
    struct sp_vctx *c, const char *column, const struct sp_type *type, const struct sp_vfield f[2])
{
    struct sp_arena a = SP_ARENA_INIT;
    if (c->diagnosis == NULL)
        return 0;
    struct sp_value s = sp_v_diag_value(&a, type, f[0].whole, f[0].nwhole);
    struct sp_value t = sp_v_diag_value(&a, type, f[1].whole, f[1].nwhole);
    int rc = sp_diag_cell(c->diagnosis->d, column, &s, &t);
    sp_arena_free(&a);
    return rc;
}

int sp_v_diag_row_end(struct sp_vctx *c)
{
    return c->diagnosis != NULL ? sp_diag_row_end(c->diagnosis->d) : 0;
}

/* ---- conclusions ------------------------------------------------------------------------------------------------------ */

static void send(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_diag_found *f, uint64_t of)
{
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_DIAGNOSIS);
    sp_event_text(&ev, SP_FLD_name, p->name);
    sp_event_text(&ev, SP_FLD_column, f->column);
    sp_event_text(&ev, SP_FLD_topic, f->topic);
    sp_event_real(&ev, SP_FLD_confidence, f->confidence);
    sp_event_int(&ev, SP_FLD_count, (int64_t)f->count);
    sp_event_int(&ev, SP_FLD_examined, (int64_t)f->examined);
    sp_event_int(&ev, SP_FLD_differences, (int64_t)of);
    sp_event_text(&ev, SP_FLD_key, f->keys);
    sp_event_text(&ev, SP_FLD_message, f->cause);
    sp_event_text(&ev, SP_FLD_advice, f->advice);
    sp_v_send(c, &ev);
}

static void conclude(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vcounts *n)
{
    struct sp_vdiagnosis *d = c->diagnosis;
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_diag_facts facts = { .missing = n->missing };
    struct sp_diag_found rows[12];
    const struct sp_diag_found *cells = NULL;
    size_t ncells = 0, nrows, i = 0, k = 0;
    bool sample = sp_v_sampled(c->opt); /* of a part no end is known */
    if (!sample)
        sp_v_diag_facts(c, p, d, n, &a, &facts);
    nrows = sample ? 0 : sp_diag_table(&a, &facts, rows, SP_LEN(rows));
    if (sp_diag_conclude(d->d, &cells, &ncells) != 0) {
        sp_v_nomem(c);
        ncells = 0;
    }
    for (int sent = 0; sent < MOST && c->rc == 0 && (i < nrows || k < ncells); sent++) {
        bool row = k == ncells || (i < nrows && rows[i].confidence >= cells[k].confidence);
        if (row)
            send(c, p, &rows[i++], n->missing + n->extra);
        else
            send(c, p, &cells[k++], n->changed);
    }
    sp_arena_free(&a);
}

void sp_v_diag_end(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vcounts *counts)
{
    if (c->diagnosis != NULL && c->rc == 0 && counts != NULL)
        conclude(c, p, counts);
    drop(c, p);
}
