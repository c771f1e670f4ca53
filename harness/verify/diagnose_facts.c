/* diagnose_facts.c -- questions to both sides about rows as a whole: which end of the keys, which times, which value the
 * missing rows have in common. Counted by the backends in the states that are being compared, so that a class is exact and
 * no guess. Questions stop when they have taken their share of the time; what is not answered stays unknown. */
#include <stdlib.h>

#include "verify/diagnosed.h"

#define TIMES   3   /* columns of moments that are asked about */
#define FILTERS 4   /* columns by which missing rows may have been filtered */
#define ENOUGH  20u /* rows by chance that say what most of the others are not */

struct asking {
    struct sp_vctx *c;
    const struct sp_vpair *p;
    const struct sp_vdiagnosis *d;
    struct sp_arena *a;
    double until;
};

static const char *name_on(const struct sp_colplan *col, int side)
{
    return side == 0 ? col->source : col->target;
}

static bool count(const struct asking *q, int side, const struct sp_filter *where, uint64_t *out)
{
    struct sp_error err = SP_ERROR_INIT;
    int64_t n = 0;
    if (sp_v_now_s() > q->until)
        return false;
    int rc = sp_db_count(q->c->session[side], q->p->t[side]->name, where, &n, &err);
    sp_error_clear(&err);
    *out = (uint64_t)n;
    return rc == 0 && n >= 0;
}

static bool compared(const struct asking *q, int side, const struct sp_colplan *col, enum sp_filter_op op,
    const struct sp_value *v, uint64_t *out)
{
    const struct sp_filter f = {
        .op = op, .column = name_on(col, side), .values = v, .nvalues = v != NULL ? 1 : 0
    };
    return count(q, side, &f, out);
}

static bool extreme(
    const struct asking *q, int side, const struct sp_colplan *col, bool largest, struct sp_value *out)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_result r = SP_RESULT_INIT;
    const char *const select[] = { name_on(col, side) };
    const struct sp_order order = { .column = select[0], .desc = largest, .nulls = SP_NULLS_LAST };
    const struct sp_query query = {
        .table = q->p->t[side]->name, .select = select, .nselect = 1, .order = &order, .norder = 1, .limit = 1
    };
    if (sp_v_now_s() > q->until)
        return false;
    int rc = sp_db_read(q->c->session[side], &query, &r, &err);
    bool yes = rc == 0 && r.nrows == 1 && !sp_v_is_absent(&r.values[0]) &&
               sp_value_copy(q->a, out, &r.values[0]) == 0;
    sp_result_free(&r);
    sp_error_clear(&err);
    return yes;
}

/* ---- keys ----------------------------------------------------------------------------------------------------------- */

/* One column, whose order both sides agree on. */
static bool ordered_key(const struct sp_vpair *p)
{
    return p->nkey == 1 && p->cols[0].nrules == 0 &&
           (p->cols[0].type.tag == SP_INT || p->cols[0].type.tag == SP_INSTANT ||
               p->cols[0].type.tag == SP_LOCAL || p->cols[0].type.tag == SP_DATE ||
               p->cols[0].type.tag == SP_DEC || p->cols[0].type.tag == SP_MISSING);
}

static void key_ranges(const struct asking *q, struct sp_diag_facts *f)
{
    const struct sp_colplan *key = &q->p->cols[0];
    struct sp_value min[2], max[2];
    bool known[2];
    for (int i = 0; i < 2; i++)
        known[i] = extreme(q, i, key, false, &min[i]) && extreme(q, i, key, true, &max[i]);
    if (!known[0] || !known[1] || min[0].tag != min[1].tag || max[0].tag != max[1].tag ||
        min[0].tag != max[0].tag || min[0].tag == SP_TEXT)
        return;
    f->int_key = min[0].tag == SP_INT;
    for (int i = 0; i < 2; i++) {
        struct sp_diag_side *s = &f->side[i];
        uint64_t mine = i == 0 ? f->missing : f->extra;
        f->range_known[i] = f->int_key;
        f->min[i] = f->int_key ? min[i].u.i : 0;
        f->max[i] = f->int_key ? max[i].u.i : 0;
        if (mine == 0)
            continue;
        s->beyond_known = compared(q, i, key, SP_F_GT, &max[1 - i], &s->beyond);
        s->before_known = compared(q, i, key, SP_F_LT, &min[1 - i], &s->before);
    }
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void missing_range(const struct asking *q, struct sp_diag_facts *f)
{
    const struct sp_vdiagnosis *d = q->d;
    for (int i = 0; i < 2; i++) {
        if (d->nkeys[i] > 1)
            qsort(d->keys[i], d->nkeys[i], sizeof *d->keys[i], by_number);
        f->keys[i] = d->keys[i];
        f->nkeys[i] = d->nkeys[i];
    }
    if (f->nkeys[0] < 6 || f->nkeys[0] == f->missing)
        return;
    const struct sp_value lo = sp_v_int(f->keys[0][0]), hi = sp_v_int(f->keys[0][f->nkeys[0] - 1]);
    f->within_known[0] = true;
    for (int i = 0; i < 2 && f->within_known[0]; i++) {
        const char *column = name_on(&q->p->cols[0], i);
        const struct sp_filter both[] = { { .op = SP_F_GTE, .column = column, .values = &lo, .nvalues = 1 },
            { .op = SP_F_LTE, .column = column, .values = &hi, .nvalues = 1 } };
        const struct sp_filter f2 = { .op = SP_F_AND, .args = both, .nargs = 2 };
        f->within_known[0] = count(q, i, &f2, i == 0 ? &f->own_within[0] : &f->within[0]);
    }
}

/* ---- other ids ------------------------------------------------------------------------------------------------------- */

struct meeting {
    const struct sp_vdiagnosis *d;
    size_t nkey[SP_VD_TRIED];
    uint64_t met;
};

static int on_met(void *payload, size_t i, const struct sp_rowview *row)
{
    struct meeting *m = payload;
    const struct sp_vkey *own = &m->d->row[i];
    size_t rest = own->n - m->nkey[i];
    m->met += row->nrow - row->nkey == rest && memcmp(row->row + row->nkey, own->p + m->nkey[i], rest) == 0;
    return 0;
}

static void other_ids(const struct asking *q, struct sp_diag_facts *f)
{
    struct meeting m = { .d = q->d };
    struct sp_vkey keys[SP_VD_TRIED];
    struct sp_buf b[SP_VD_TRIED];
    struct sp_error err = SP_ERROR_INIT;
    size_t n = q->d->nrows;
    int rc = 0;
    if (!f->int_key || f->missing == 0 || f->missing != f->extra || f->min[1] == f->min[0] || n == 0 ||
        q->p->ncols < 2)
        return;
    int64_t shift = (int64_t)((uint64_t)f->min[1] - (uint64_t)f->min[0]);
    if ((uint64_t)f->max[1] - (uint64_t)f->max[0] != (uint64_t)shift)
        return;
    for (size_t i = 0; i < n; i++) {
        struct sp_vfield own;
        struct sp_value v = sp_v_int((int64_t)((uint64_t)q->d->row_key[i] + (uint64_t)shift));
        int64_t used = sp_v_field(q->d->row[i].p, q->d->row[i].n, &own);
        b[i] = (struct sp_buf)SP_BUF_INIT;
        m.nkey[i] = used > 0 ? (size_t)used : 0;
        rc = rc != 0 ? rc : sp_canon_field(&b[i], &q->p->cols[0].type, &v, NULL);
        keys[i] = (struct sp_vkey){ (const uint8_t *)b[i].p, b[i].n };
    }
    if (rc == 0 && sp_v_now_s() < q->until)
        rc = sp_v_fetch(q->c, q->p, SP_SIDE_TARGET, keys, n, SP_VF_TRY, 0, on_met, &m, &err);
    f->offset = rc == 0 ? shift : 0;
    f->offset_tried = n;
    f->offset_met = m.met;
    for (size_t i = 0; i < n; i++)
        sp_buf_free(&b[i]);
    sp_error_clear(&err);
}

/* ---- times and values ------------------------------------------------------------------------------------------------------ */

static bool is_time(const struct sp_vpair *p, const struct sp_colplan *col)
{
    const struct sp_column *s = sp_table_column(p->t[0], col->source);
    enum sp_tag tag = col->type.tag != SP_MISSING || s == NULL ? col->type.tag : s->declared.tag;
    return tag == SP_INSTANT || tag == SP_LOCAL;
}

/* A changed row that has its time on both sides is not later than the target. Where such rows are more than a later time
 * leaves unexplained, nobody needs to be asked, which takes a pass over each side where no index knows the times. */
static bool kept_its_time(const struct asking *q, size_t i, const struct sp_diag_facts *f)
{
    uint64_t looked = q->d->looked[0] + q->d->changed, kept = q->d->columns[i].kept;
    if (looked >= f->missing + f->changed)
        return kept * 5 > looked;
    return looked >= ENOUGH && kept * 2 > looked;
}

static void stale(const struct asking *q, struct sp_diag_facts *f)
{
    int asked = 0;
    if (f->missing + f->changed < 3)
        return;
    for (size_t i = 0; i < q->p->ncols && asked < TIMES; i++) {
        const struct sp_colplan *col = &q->p->cols[i];
        struct sp_value latest;
        uint64_t later = 0;
        if (!is_time(q->p, col) || kept_its_time(q, i, f))
            continue;
        asked++;
        if (extreme(q, 1, col, true, &latest) && compared(q, 0, col, SP_F_GT, &latest, &later) &&
            later <= f->missing + f->changed && later > f->stale_rows) {
            f->stale_rows = later;
            f->stale_column = col->name;
        }
    }
}

static bool asks_value(const struct asking *q, size_t i, struct sp_diag_facts *f)
{
    const struct sp_vmissing_column *seen = &q->d->columns[i];
    const struct sp_colplan *col = &q->p->cols[i];
    struct sp_filter is_null[2] = { { .op = SP_F_IS_NULL, .column = col->source },
        { .op = SP_F_IS_NULL, .column = col->target } };
    uint64_t looked = q->d->looked[0], n[2] = { 0, 0 };
    bool counted = true;
    if (seen->nulls == looked) {
        f->filter = SP_DIAG_FILTER_NULL;
        for (int s = 0; s < 2 && counted; s++)
            counted = count(q, s, &is_null[s], &n[s]);
    } else if (seen->same == looked) {
        f->filter = SP_DIAG_FILTER_VALUE;
        if (seen->value == NULL || col->nrules != 0)
            return false;
        struct sp_value v = sp_v_diag_value(q->a, &col->type, seen->value, seen->nvalue);
        for (int s = 0; s < 2 && counted; s++)
            counted = compared(q, s, col, SP_F_EQ, &v, &n[s]);
    } else {
        f->filter = SP_DIAG_FILTER_SET;
        for (int s = 0; s < 2 && counted; s++) {
            const struct sp_filter set = { .op = SP_F_NOT, .args = &is_null[s], .nargs = 1 };
            counted = count(q, s, &set, &n[s]);
        }
    }
    f->filter_rows = n[0];
    return counted && n[1] == 0 && n[0] == f->missing;
}

/* Columns in which the missing rows are all alike are few; so are those that are mostly null. */
static void filters(const struct asking *q, struct sp_diag_facts *f)
{
    uint64_t looked = q->d->looked[0];
    int asked = 0;
    if (looked < 3)
        return;
    for (int round = 0; round < 2; round++)
        for (size_t i = q->p->nkey; i < q->p->ncols && asked < FILTERS; i++) {
            const struct sp_vmissing_column *seen = &q->d->columns[i];
            const struct sp_column *col = sp_table_column(q->p->t[0], q->p->cols[i].source);
            bool alike = seen->nulls == looked || seen->same == looked;
            bool set = seen->nulls == 0 && col != NULL && !col->not_null;
            if (round == 0 ? !alike : alike || !set)
                continue;
            asked++;
            if (asks_value(q, i, f)) {
                f->filter_column = q->p->cols[i].name;
                return;
            }
        }
}

void sp_v_diag_facts(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vdiagnosis *d,
    const struct sp_vcounts *n, struct sp_arena *a, struct sp_diag_facts *f)
{
    double now = sp_v_now_s();
    const struct asking q = { c, p, d, a, now + 1.0 + (now - d->started) / 5 };
    *f = (struct sp_diag_facts){ .rows = { p->rows[0], p->rows[1] },
        .missing = n->missing,
        .extra = n->extra,
        .changed = n->changed,
        .duplicates = { n->duplicates[0], n->duplicates[1] },
        .keyed = p->nkey != 0 };
    if (p->t[0]->ns != NULL || p->t[1]->ns != NULL || p->rows[0] == 0 || p->rows[1] == 0)
        return; /* a name alone would mean the table of another namespace */
    if (f->missing + f->extra != 0 && ordered_key(p)) {
        key_ranges(&q, f);
        missing_range(&q, f);
        other_ids(&q, f);
    }
    if (f->missing != 0)
        filters(&q, f);
    stale(&q, f);
}
