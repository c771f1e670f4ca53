/* diagnose.c -- a sample of differing values, and the classes that explain most of them. */
#include "verify/diagnose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/canonical.h"
#include "model/equivalence.h"
#include "model/json.h"
#include "verify/diagnose_sample.h"

static const struct sp_diag_class *const lists[] = { sp_diag_times, sp_diag_numbers, sp_diag_texts,
    sp_diag_forms, sp_diag_escapes };

const struct sp_diag_class *sp_diag_class_at(size_t i)
{
    for (size_t k = 0; k < SP_LEN(lists); k++)
        for (size_t at = 0; lists[k][at].name != NULL; at++)
            if (i-- == 0)
                return &lists[k][at];
    return NULL;
}

const struct sp_diag_class *sp_diag_class_named(const char *name)
{
    const struct sp_diag_class *c;
    for (size_t i = 0; (c = sp_diag_class_at(i)) != NULL; i++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

/* Many that fit make chance unlikely, and a share that chance alone would give says nothing. */
double sp_diag_confidence(uint64_t fit, uint64_t all, double chance)
{
    if (fit == 0 || all == 0)
        return 0;
    double share = (double)fit / (double)all, many = (double)(fit > 50 ? 50 : fit);
    if (share < 0.05 || share <= chance)
        return 0;
    double c = (1 - pow(chance, many)) * (1 - pow(chance / share, 1 + log2(many) / 2));
    return c < 0.4 ? 0 : c > 0.99 ? 0.99 : c;
}

/* ---- one value ----------------------------------------------------------------------------------------------------- */

static int number(struct sp_diag_cell *c, int i)
{
    const struct sp_value *v = &c->v[i];
    int rc = 0;
    switch (v->tag) {
    case SP_INT: {
        char *digits = sp_arena_alloc(c->a, 20);
        if (digits == NULL)
            return -SP_E_NOMEM;
        sp_dec_from_i64(digits, v->u.i, &c->num[i]);
        break;
    }
    case SP_DEC:
        c->num[i] = sp_dec_normal(v->u.dec);
        break;
    case SP_F32:
    case SP_F64:
        rc = sp_dec_from_f64(c->a, v->tag == SP_F64 ? v->u.f64 : (double)v->u.f32, &c->num[i]);
        break;
    default:
        return 0;
    }
    c->number[i] = rc == 0;
    return rc == -SP_E_NOMEM ? rc : 0;
}

int sp_diag_cell_make(
    struct sp_diag_cell *c, struct sp_arena *a, const struct sp_value *source, const struct sp_value *target)
{
    *c = (struct sp_diag_cell){ .a = a, .v = { *source, *target } };
    for (int i = 0; i < 2; i++) {
        struct sp_value w = sp_rule_moment(&c->v[i]);
        bool moment = w.tag == SP_INSTANT || w.tag == SP_LOCAL || w.tag == SP_DATE || w.tag == SP_TIME;
        c->when[i] = moment ? w : sp_v_null();
        if (number(c, i) != 0)
            return -SP_E_NOMEM;
    }
    return 0;
}

/* ---- collecting ------------------------------------------------------------------------------------------------------ */

struct sp_diag *sp_diag_new(void)
{
    return calloc(1, sizeof(struct sp_diag));
}

void sp_diag_free(struct sp_diag *d)
{
    if (d == NULL)
        return;
    sp_arena_free(&d->arena);
    sp_arena_free(&d->scratch);
    free(d->columns);
    free(d->cells);
    free(d->fits);
    free(d->keys);
    free(d);
}

/* Doubles an array that is full; 0 or NOMEM. */
static int room(void **array, size_t *cap, size_t n, size_t size)
{
    if (n < *cap)
        return 0;
    size_t more = *cap == 0 ? 64 : *cap * 2;
    void *p = realloc(*array, more * size);
    if (p == NULL)
        return -SP_E_NOMEM;
    *array = p;
    *cap = more;
    return 0;
}

/* Steps of a path that are positions in an array are one column: address/geo/1 and address/geo/2. */
static void column_name(struct sp_buf *out, const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        sp_buf_putc(out, *p);
        size_t digits = *p == '/' ? strspn(p + 1, "0123456789") : 0;
        if (digits != 0 && (p[1 + digits] == '/' || p[1 + digits] == '\0')) {
            sp_buf_putc(out, '*');
            p += digits;
        }
    }
}

static int64_t column_of(struct sp_diag *d, const char *name)
{
    struct sp_buf b = SP_BUF_INIT;
    column_name(&b, name);
    if (b.oom || b.p == NULL) {
        sp_buf_free(&b);
        return -SP_E_NOMEM;
    }
    size_t at = d->ncolumns;
    for (size_t i = 0; i < d->ncolumns && at == d->ncolumns; i++) { /* rows have them in the same order */
        size_t k = (d->hint + i) % d->ncolumns;
        if (strcmp(d->columns[k].name, b.p) == 0)
            at = k;
    }
    if (at == d->ncolumns) {
        const char *copy = sp_arena_str(&d->arena, b.p);
        if (copy == NULL ||
            room((void **)&d->columns, &d->column_cap, d->ncolumns, sizeof *d->columns) != 0) {
            sp_buf_free(&b);
            return -SP_E_NOMEM;
        }
        d->columns[d->ncolumns++] = (struct sp_diag_column){ .name = copy, .first = SP_DIAG_NONE };
    }
    sp_buf_free(&b);
    d->hint = at + 1 < d->ncolumns ? at + 1 : 0;
    return (int64_t)at;
}

int sp_diag_row_begin(struct sp_diag *d, const char *key)
{
    if (d->nrows >= SP_DIAG_ROWS || d->ncells >= SP_DIAG_CELLS)
        return 0;
    if (room((void **)&d->keys, &d->key_cap, d->nrows, sizeof *d->keys) != 0)
        return -SP_E_NOMEM;
    size_t n = strlen(key);
    d->keys[d->nrows] = n <= 80 ? sp_arena_str(&d->arena, key) : "(a long key)";
    if (d->keys[d->nrows] == NULL)
        return -SP_E_NOMEM;
    d->row_first = d->ncells;
    d->open = true;
    return 0;
}

static uint64_t digest(const struct sp_value *v)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    struct sp_buf b = SP_BUF_INIT;
    uint64_t h = sp_canon_field(&b, &dynamic, v, NULL) == 0 ? sp_d128_of(b.p, b.n).lo : 0;
    sp_buf_free(&b);
    return h;
}

/* Values that many columns have: an exchange of two of them proves nothing. */
static bool common(const struct sp_value *v)
{
    return sp_v_is_absent(v) || v->tag == SP_BOOL || (v->tag == SP_INT && v->u.i >= -1 && v->u.i <= 9) ||
           (v->tag == SP_TEXT && v->u.str.n < 2);
}

static int add_fits(struct sp_diag *d, struct sp_diag_kept *kept, struct sp_diag_cell *c)
{
    const struct sp_diag_class *k;
    for (size_t i = 0; (k = sp_diag_class_at(i)) != NULL; i++) {
        int64_t param = 0;
        bool known = false;
        for (size_t f = 0; f < kept->nfits && !known; f++)
            known = d->fits[kept->fit + f].class == i;
        if (known || !k->fits(c, &param))
            continue;
        if (room((void **)&d->fits, &d->fit_cap, d->nfits, sizeof *d->fits) != 0)
            return -SP_E_NOMEM;
        d->fits[d->nfits++] = (struct sp_diag_fit){ (uint32_t)i, param };
        kept->nfits++;
    }
    return 0;
}

/* A document is also looked at where it first differs inside. */
static int inside(
    struct sp_diag *d, struct sp_diag_kept *kept, const struct sp_value *s, const struct sp_value *t)
{
    const char *p[2];
    size_t n[2];
    struct sp_value v[2];
    struct sp_diag_cell c;
    struct sp_buf b[2] = { SP_BUF_INIT, SP_BUF_INIT };
    int rc = 1;
    if (!sp_diag_json_of(s, &p[0], &n[0]) || !sp_diag_json_of(t, &p[1], &n[1]))
        return 0;
    if (sp_json_canonical(&b[0], p[0], n[0], NULL) == 0 && sp_json_canonical(&b[1], p[1], n[1], NULL) == 0) {
        const char *const text[2] = { b[0].p, b[1].p };
        const size_t len[2] = { b[0].n, b[1].n };
        rc = sp_diag_json_leaf(&d->scratch, text, len, v);
        if (rc == 0)
            rc = sp_diag_cell_make(&c, &d->scratch, &v[0], &v[1]);
        if (rc == 0)
            rc = add_fits(d, kept, &c);
    }
    sp_buf_free(&b[0]);
    sp_buf_free(&b[1]);
    return rc == -SP_E_NOMEM ? rc : 0;
}

int sp_diag_cell(
    struct sp_diag *d, const char *column, const struct sp_value *source, const struct sp_value *target)
{
    struct sp_diag_cell c;
    if (!d->open || d->ncells >= SP_DIAG_CELLS)
        return 0;
    int64_t at = column_of(d, column);
    if (at < 0 || room((void **)&d->cells, &d->cell_cap, d->ncells, sizeof *d->cells) != 0)
        return -SP_E_NOMEM;
    struct sp_diag_kept kept = { .column = (uint32_t)at,
        .row = (uint32_t)d->nrows,
        .next = SP_DIAG_NONE,
        .fit = d->nfits,
        .digest = { digest(source), digest(target) },
        .common = common(source) || common(target),
        .null = { sp_v_is_absent(source), sp_v_is_absent(target) } };
    int rc = sp_diag_cell_make(&c, &d->scratch, source, target);
    if (rc == 0)
        rc = add_fits(d, &kept, &c);
    if (rc == 0)
        rc = inside(d, &kept, source, target);
    sp_arena_reset(&d->scratch);
    if (rc != 0)
        return rc;
    struct sp_diag_column *col = &d->columns[at];
    if (col->examined++ == 0)
        col->first = (uint32_t)d->ncells;
    else
        d->cells[col->last].next = (uint32_t)d->ncells;
    col->last = (uint32_t)d->ncells;
    d->cells[d->ncells++] = kept;
    return 0;
}

int sp_diag_row_end(struct sp_diag *d)
{
    if (!d->open)
        return 0;
    d->open = false;
    sp_diag_row_pairs(d, d->row_first);
    d->nrows++;
    return 0;
}

uint64_t sp_diag_rows(const struct sp_diag *d)
{
    return d->nrows;
}
