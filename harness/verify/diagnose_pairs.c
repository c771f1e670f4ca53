/* diagnose_pairs.c -- values that changed places: two columns exchanged, all columns moved by one. */
#include <string.h>

#include "verify/diagnose_sample.h"

#define MOST 64u /* columns of a row that are looked at pair by pair */

static bool crossed(const struct sp_diag_kept *a, const struct sp_diag_kept *b)
{
    return a->digest[0] == b->digest[1] && a->digest[1] == b->digest[0];
}

static void count_swap(struct sp_diag *d, const struct sp_diag_kept *a, const struct sp_diag_kept *b)
{
    size_t i = 0;
    while (i < d->nswaps && (d->swaps[i].a != a->column || d->swaps[i].b != b->column))
        i++;
    if (i == SP_DIAG_SWAPS)
        return;
    if (i == d->nswaps)
        d->swaps[d->nswaps++] = (struct sp_diag_swap){ .a = a->column, .b = b->column };
    d->swaps[i].rows++;
    d->swaps[i].telling += !a->common && !b->common;
}

void sp_diag_row_pairs(struct sp_diag *d, size_t first)
{
    size_t n = d->ncells - first, right = 0, left = 0;
    const struct sp_diag_kept *c = d->cells + first;
    if (n < 2 || n > MOST)
        return;
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            if (crossed(&c[i], &c[k]))
                count_swap(d, &c[i], &c[k]);
    for (size_t i = 0; i + 1 < n; i++) {
        right += !c[i].common && c[i + 1].digest[1] == c[i].digest[0];
        left += !c[i + 1].common && c[i].digest[1] == c[i + 1].digest[0];
    }
    for (int way = 0; way < 2; way++) {
        size_t moved = way == 0 ? right : left, other = way == 0 ? left : right;
        if (moved < 2 || 2 * moved < n - 1 || moved <= other)
            continue;
        d->shifted[way]++;
        d->shift_first = c[0].column;
        d->shift_last = c[n - 1].column;
    }
}

/* ---- conclusions ---------------------------------------------------------------------------------------------------- */

static bool claimed_by(const struct sp_diag_kept *c, const void *row)
{
    return c->row == *(const uint32_t *)row;
}

static const struct sp_diag_kept *in_row(const struct sp_diag *d, size_t at, uint32_t column)
{
    for (size_t i = at; i < d->ncells && d->cells[i].row == d->cells[at].row; i++)
        if (d->cells[i].column == column)
            return &d->cells[i];
    return NULL;
}

static int conclude_swap(struct sp_diag *d, const struct sp_diag_swap *s)
{
    const struct sp_diag_column *a = &d->columns[s->a], *b = &d->columns[s->b];
    uint64_t examined = a->examined > b->examined ? a->examined : b->examined;
    double sure =
        s->telling != 0 ? sp_diag_confidence(s->rows, examined, 2 * s->telling >= s->rows ? 0.02 : 0.4) : 0;
    const char *keys = NULL;
    if (sure <= 0)
        return 0;
    for (size_t i = 0; i < d->ncells; i++) {
        if (d->cells[i].column != s->a)
            continue;
        struct sp_diag_kept *x = &d->cells[i], *y = (struct sp_diag_kept *)in_row(d, i, s->b);
        if (y == NULL || !crossed(x, y))
            continue;
        x->claimed = y->claimed = true;
        if (keys == NULL)
            keys = sp_diag_keys(d, claimed_by, &x->row);
    }
    struct sp_diag_found f = { .topic = "columns_swapped",
        .column = sp_arena_printf(&d->arena, "%s, %s", a->name, b->name),
        .confidence = sure,
        .count = s->rows,
        .examined = examined,
        .cause = "the values of two columns changed places",
        .advice = "the load takes columns by position, and their order differs: name the columns in the "
                  "export and in "
                  "the load",
        .keys = keys };
    return f.column == NULL ? -SP_E_NOMEM : sp_diag_add(d, &f);
}

static int conclude_shift(struct sp_diag *d, int way)
{
    double sure = sp_diag_confidence(d->shifted[way], d->nrows, 0.02);
    if (sure <= 0)
        return 0;
    for (size_t i = 0; i < d->ncells; i++)
        d->cells[i].claimed = true;
    struct sp_diag_found f = { .topic = "columns_shifted",
        .column = sp_arena_printf(
            &d->arena, "%s ... %s", d->columns[d->shift_first].name, d->columns[d->shift_last].name),
        .confidence = sure,
        .count = d->shifted[way],
        .examined = d->nrows,
        .cause = way == 0 ? "values stand one column further than in the source"
                          : "values stand one column before the one of the source",
        .advice = "a column is too many or missing in the file, or a separator stands in a value without "
                  "quotes: name "
                  "the columns in the load and check the quoting" };
    return f.column == NULL ? -SP_E_NOMEM : sp_diag_add(d, &f);
}

int sp_diag_pairs_conclude(struct sp_diag *d)
{
    int rc = 0;
    for (int way = 0; way < 2 && rc == 0; way++)
        rc = conclude_shift(d, way);
    for (size_t i = 0; i < d->nswaps && rc == 0 && d->shifted[0] + d->shifted[1] == 0; i++)
        rc = conclude_swap(d, &d->swaps[i]);
    return rc;
}
