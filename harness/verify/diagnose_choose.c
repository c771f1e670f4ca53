/* diagnose_choose.c -- which classes explain the differing values of a column: the one that explains most with most
 * certainty takes its values, then the next one of what is left. */
#include <stdlib.h>
#include <string.h>

#include "verify/diagnose_sample.h"

#define PER_COLUMN 4
#define DISTINCT   16u

int sp_diag_add(struct sp_diag *d, const struct sp_diag_found *f)
{
    if (d->nfound == d->found_cap) {
        struct sp_diag_found *p =
            sp_arena_grow(&d->arena, d->found, &d->found_cap, d->nfound + 1, sizeof *d->found);
        if (p == NULL)
            return -SP_E_NOMEM;
        d->found = p;
    }
    d->found[d->nfound++] = *f;
    return 0;
}

const char *sp_diag_keys(
    struct sp_diag *d, bool (*yes)(const struct sp_diag_kept *, const void *), const void *arg)
{
    const char *keys = NULL;
    uint32_t last = UINT32_MAX, n = 0;
    for (size_t i = 0; i < d->ncells && n < 3; i++) {
        const struct sp_diag_kept *c = &d->cells[i];
        if (c->row == last || !yes(c, arg))
            continue;
        last = c->row;
        n++;
        keys = keys == NULL ? d->keys[c->row] : sp_arena_printf(&d->arena, "%s; %s", keys, d->keys[c->row]);
        if (keys == NULL)
            return NULL;
    }
    return keys;
}

/* ---- a class and a column -------------------------------------------------------------------------------------------- */

/* What a class, or one of the two patterns over a whole column, explains of the cells that are not yet explained. */
struct candidate {
    uint32_t column;
    const struct sp_diag_class *class; /* NULL: a pattern */
    uint32_t index;
    bool constant; /* pattern: one target value for many; else: each source value has one of its own */
    int64_t params[2];
    size_t nparams;
    uint64_t fit;
    size_t distinct;
    double sure;
};

static const struct sp_diag_fit *fit_of(const struct sp_diag *d, const struct sp_diag_kept *c, uint32_t index)
{
    for (size_t i = 0; i < c->nfits; i++)
        if (d->fits[c->fit + i].class == index)
            return &d->fits[c->fit + i];
    return NULL;
}

/* The next cell of the column, from i on, that nothing explains yet; NONE = there is none. */
static uint32_t open_from(const struct sp_diag *d, uint32_t i)
{
    while (i != SP_DIAG_NONE && d->cells[i].claimed)
        i = d->cells[i].next;
    return i;
}
static uint32_t first_open(const struct sp_diag *d, uint32_t column)
{
    return open_from(d, d->columns[column].first);
}
static uint32_t next_open(const struct sp_diag *d, uint32_t i)
{
    return open_from(d, d->cells[i].next);
}

/* The parameter that most have, apart from `not`. */
static uint64_t most_common(
    const struct sp_diag *d, const struct candidate *k, const int64_t * not, int64_t *out)
{
    uint64_t best = 0;
    for (uint32_t i = first_open(d, k->column); i != SP_DIAG_NONE; i = next_open(d, i)) {
        const struct sp_diag_fit *f = fit_of(d, &d->cells[i], k->index);
        uint64_t n = 0;
        if (f == NULL || (not != NULL && f->param == *not ))
            continue;
        for (uint32_t j = i; j != SP_DIAG_NONE; j = next_open(d, j)) {
            const struct sp_diag_fit *g = fit_of(d, &d->cells[j], k->index);
            n += g != NULL && g->param == f->param;
        }
        if (n > best) {
            best = n;
            *out = f->param;
        }
        if (2 * best >= d->columns[k->column].examined)
            break;
    }
    return best;
}

static bool takes(const struct candidate *k, int64_t param)
{
    return k->class->mode == SP_DIAG_FREE || k->class->mode == SP_DIAG_MAX || param == k->params[0] ||
           (k->nparams == 2 && param == k->params[1]);
}

static void weigh_class(const struct sp_diag *d, struct candidate *k)
{
    uint64_t all = 0;
    int64_t max = 0;
    for (uint32_t i = first_open(d, k->column); i != SP_DIAG_NONE; i = next_open(d, i)) {
        const struct sp_diag_fit *f = fit_of(d, &d->cells[i], k->index);
        if (f == NULL)
            continue;
        max = all == 0 || f->param > max ? f->param : max;
        all++;
    }
    if (all == 0)
        return;
    uint64_t first = most_common(d, k, NULL, &k->params[0]);
    k->nparams = 1;
    k->fit = all;
    if (k->class->mode == SP_DIAG_MAX) {
        k->params[0] = max;
    } else if (k->class->mode != SP_DIAG_FREE) {
        k->fit = first;
        uint64_t second = k->class->mode == SP_DIAG_TWO ? most_common(d, k, &k->params[0], &k->params[1]) : 0;
        int64_t apart = second != 0 ? llabs(k->params[0] - k->params[1]) : 0;
        if (second * 20 >= first && (apart == 60 || apart == 30)) {
            k->fit += second;
            k->nparams = 2;
        }
    }
    k->sure = sp_diag_confidence(k->fit, d->columns[k->column].examined, k->class->chance);
}

/* Every source value became one and the same target value each: names of an enumeration, for example. */
static void weigh_pattern(const struct sp_diag *d, struct candidate *k)
{
    uint64_t s[DISTINCT], t[DISTINCT], one = 0, n = 0;
    bool same = true, renamed = true;
    for (uint32_t i = first_open(d, k->column); i != SP_DIAG_NONE; i = next_open(d, i)) {
        const struct sp_diag_kept *c = &d->cells[i];
        if (c->null[0] || c->null[1])
            continue;
        same = n == 0 || (same && c->digest[1] == one);
        one = c->digest[1];
        n++;
        size_t at = 0;
        while (at < k->distinct && s[at] != c->digest[0])
            at++;
        renamed = renamed && (at == k->distinct || t[at] == c->digest[1]);
        if (at == k->distinct && at < DISTINCT) {
            s[at] = c->digest[0];
            t[at] = c->digest[1];
            k->distinct++;
        }
    }
    k->fit = n;
    uint64_t all = d->columns[k->column].examined;
    if (k->constant)
        k->sure = same && k->distinct >= 3 ? sp_diag_confidence(n, all, 0.2) : 0;
    else if (renamed && n >= 4 && k->distinct < DISTINCT && n >= 3 * k->distinct)
        k->sure = sp_diag_confidence(n - k->distinct, all, 0.3);
}

static bool picked(const struct sp_diag *d, const struct candidate *k, const struct sp_diag_kept *c)
{
    if (c->column != k->column || c->claimed)
        return false;
    if (k->class == NULL)
        return !c->null[0] && !c->null[1];
    const struct sp_diag_fit *f = fit_of(d, c, k->index);
    return f != NULL && takes(k, f->param);
}

struct picking {
    const struct sp_diag *d;
    const struct candidate *k;
};
static bool picks(const struct sp_diag_kept *c, const void *arg)
{
    const struct picking *p = arg;
    return picked(p->d, p->k, c);
}

static const char *cause_of(struct sp_diag *d, const struct candidate *k)
{
    struct sp_buf b = SP_BUF_INIT;
    if (k->class != NULL) {
        sp_buf_puts(&b, k->class->cause);
        if (k->class->detail != NULL)
            k->class->detail(&b, k->params, k->nparams);
    } else if (k->constant) {
        sp_buf_puts(&b, "one and the same value stands in place of many");
    } else {
        sp_buf_printf(&b, "values are renamed: each of %zu source value%s became one other value",
            k->distinct, k->distinct == 1 ? "" : "s");
    }
    const char *text = b.oom ? NULL : sp_arena_str(&d->arena, b.p);
    sp_buf_free(&b);
    return text;
}

static int name(struct sp_diag *d, const struct candidate *k)
{
    const struct picking p = { d, k };
    struct sp_diag_found f = { .topic = k->class != NULL ? k->class->name
                                        : k->constant    ? "constant"
                                                         : "renamed",
        .column = d->columns[k->column].name,
        .confidence = k->sure,
        .count = k->fit,
        .examined = d->columns[k->column].examined,
        .cause = cause_of(d, k),
        .advice =
            k->class != NULL ? k->class->advice
            : k->constant
                ? "a default or a wrong column filled it: look at its place in the export and in the load"
                : "if the new names are meant, say so in the mapping; else load the column again",
        .keys = sp_diag_keys(d, picks, &p) };
    if (f.cause == NULL)
        return -SP_E_NOMEM;
    for (uint32_t i = first_open(d, k->column); i != SP_DIAG_NONE; i = next_open(d, i))
        if (picked(d, k, &d->cells[i]))
            d->cells[i].claimed = true;
    return sp_diag_add(d, &f);
}

/* ---- a column ---------------------------------------------------------------------------------------------------------- */

static void better(struct candidate *best, const struct candidate *k)
{
    if (k->sure > 0 && k->sure * (double)k->fit > best->sure * (double)best->fit)
        *best = *k;
}

static struct candidate choose(const struct sp_diag *d, uint32_t column)
{
    struct candidate best = { .column = column };
    const struct sp_diag_class *class;
    for (uint32_t i = 0; (class = sp_diag_class_at(i)) != NULL; i++) {
        struct candidate k = { .column = column, .class = class, .index = i };
        weigh_class(d, &k);
        better(&best, &k);
    }
    for (int i = 0; i < 2; i++) {
        struct candidate k = { .column = column, .constant = i == 0 };
        weigh_pattern(d, &k);
        better(&best, &k);
    }
    return best;
}

static bool unexplained(const struct sp_diag_kept *c, const void *arg)
{
    return c->column == *(const uint32_t *)arg && !c->claimed;
}

static int conclude_column(struct sp_diag *d, uint32_t column)
{
    uint64_t all = d->columns[column].examined, left = 0;
    int named = 0, rc = 0;
    for (; named < PER_COLUMN && rc == 0; named++) {
        struct candidate k = choose(d, column);
        if (k.sure <= 0)
            break;
        rc = name(d, &k);
    }
    for (uint32_t i = first_open(d, column); i != SP_DIAG_NONE; i = next_open(d, i))
        left++;
    if (rc != 0 || left == 0 || (left < all && left * 5 < all))
        return rc;
    struct sp_diag_found f = { .topic = "unknown",
        .column = d->columns[column].name,
        .count = left,
        .examined = all,
        .cause = "no pattern recognised",
        .advice = "look at single rows: the report lists their keys",
        .keys = sp_diag_keys(d, unexplained, &column) };
    return sp_diag_add(d, &f);
}

static int by_confidence(const void *a, const void *b)
{
    const struct sp_diag_found *x = a, *y = b;
    if (x->confidence != y->confidence)
        return x->confidence > y->confidence ? -1 : 1;
    return (x->count < y->count) - (x->count > y->count);
}

int sp_diag_conclude(struct sp_diag *d, const struct sp_diag_found **out, size_t *n)
{
    int rc = sp_diag_pairs_conclude(d);
    for (uint32_t i = 0; i < d->ncolumns && rc == 0; i++)
        rc = conclude_column(d, i);
    if (rc == 0 && d->nfound > 1)
        qsort(d->found, d->nfound, sizeof *d->found, by_confidence);
    *out = d->found;
    *n = d->nfound;
    return rc;
}
