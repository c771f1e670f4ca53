/* damage.c -- one corruption of a world's rows or of its schema. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "props.h"

/* ---- one cell ---- */

static bool number_off(struct world *w, const struct column *c, struct cell *x)
{
    if (x->tag == C_INT && c->kind == K_BOOL) {
        x->i = 1 - x->i;
    } else if (x->tag == C_INT) {
        int64_t max = c->kind == K_INT16 ? INT16_MAX : c->kind == K_INT32 ? INT32_MAX : INT64_MAX;
        x->i += x->i == max ? -1 : 1;
    } else if (x->tag == C_F64 && isfinite(x->f)) {
        double next = c->kind == K_F32 ? (double)nextafterf((float)x->f, 0) : nextafter(x->f, 0);
        if (x->f == 0)
            next = c->kind == K_F32 ? (double)1.40129846e-45f : 4.9e-324;
        x->f = next == 0 && x->f < 0 ? 0.0 : next;
    } else if (x->tag == C_F64) {
        x->f = 0;
    } else {
        return false;
    }
    (void)w;
    return true;
}

/* The text of a decimal with another last digit. */
static bool digit_off(char *t, size_t n)
{
    char d = t[n - 1];
    if (d < '0' || d > '9' || (n == 1 && d == '0'))
        return false;
    t[n - 1] = d == '9' ? '8' : (char)(d + 1);
    return true;
}

/* An hour later or earlier, as a time zone would have it. */
static bool hour_off(char *t, size_t n)
{
    char *colon = memchr(t, ':', n);
    if (colon == NULL || colon - t < 2)
        return false;
    int hour = (colon[-2] - '0') * 10 + colon[-1] - '0';
    hour = hour == 23 ? 22 : hour + 1;
    colon[-2] = (char)('0' + hour / 10);
    colon[-1] = (char)('0' + hour % 10);
    return true;
}

static bool case_off(char *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((t[i] >= 'a' && t[i] <= 'z') || (t[i] >= 'A' && t[i] <= 'Z')) {
            t[i] ^= 0x20;
            return true;
        }
    return false;
}

static bool text_off(struct world *w, struct cell *x)
{
    char *t = need(sp_arena_alloc(&w->arena, x->n + 2));
    size_t n = x->n;
    memcpy(t, x->p, n);
    switch (pick(w, 5)) {
    case 0:
        if (!case_off(t, n))
            return false;
        break;
    case 1:
        t[n++] = ' ';
        break;
    case 2:
        if (n == 0 || (unsigned char)t[n - 1] >= 0x80)
            return false;
        n--;
        break;
    case 3: /* one bit */
        if (n == 0)
            return false;
        t[pick(w, n)] ^= 1;
        if (memchr(t, 0, n) != NULL || !sp_utf8_valid(t, n))
            return false;
        break;
    default:
        if (n >= 3 && memmem(t, n, "\xc3\xa9", 2) != NULL) { /* composed to decomposed */
            char *at = memmem(t, n, "\xc3\xa9", 2);
            char *longer = need(sp_arena_alloc(&w->arena, n + 1));
            size_t before = (size_t)(at - t);
            memcpy(longer, t, before);
            memcpy(longer + before, "e\xcc\x81", 3);
            memcpy(longer + before + 3, at + 2, n - before - 2);
            t = longer;
            n++;
        } else {
            n = 0;
        }
    }
    x->p = t;
    x->n = n;
    return true;
}

static bool bytes_off(struct world *w, struct cell *x)
{
    char *t = need(sp_arena_alloc(&w->arena, x->n + 1));
    memcpy(t, x->p, x->n);
    if (x->n != 0 && !chance(w, 4))
        t[pick(w, x->n)] ^= (char)(1u << pick(w, 8));
    else
        t[x->n++] = 0;
    x->p = t;
    return true;
}

static bool value_off(struct world *w, const struct column *c, struct cell *x)
{
    if (x->tag == C_INT || x->tag == C_F64)
        return number_off(w, c, x);
    if (x->tag == C_BYTES)
        return bytes_off(w, x);
    char *t = need(sp_arena_dup(&w->arena, x->p, x->n));
    const char *before = x->p;
    x->p = t;
    switch (c->kind) {
    case K_DECIMAL:
    case K_NUMERIC:
        return digit_off(t, x->n);
    case K_UUID:
        t[x->n - 1] = t[x->n - 1] == '0' ? '1' : '0';
        return true;
    case K_DATE:
        memcpy(t + x->n - 2, memcmp(t + x->n - 2, "15", 2) == 0 ? "16" : "15", 2);
        return true;
    case K_INSTANT:
    case K_LOCAL:
    case K_TIME:
        return hour_off(t, x->n);
    case K_JSON:
    case K_INTS:
    case K_TEXTS:
        *x = cell_make(w, c);
        return true;
    default:
        x->p = before;
        return text_off(w, x);
    }
}

/* ---- rows ---- */

static struct table *table_with(struct world *w, size_t rows, unsigned *at)
{
    unsigned from = (unsigned)pick(w, w->ntables);
    for (unsigned i = 0; i < w->ntables; i++) {
        *at = (from + i) % w->ntables;
        if (w->tables[*at].nrows >= rows)
            return &w->tables[*at];
    }
    return NULL;
}

static bool cell_damage(struct world *w, struct table *t, char *what, size_t size)
{
    size_t k = pick(w, t->nrows);
    unsigned i = (unsigned)pick(w, t->ncols);
    struct cell *x = &t->rows[k][i];
    const struct column *c = &t->cols[i];
    struct cell was = *x;
    const char *how = "a value";
    if (w->can.documents && (x->tag == C_NULL || x->tag == C_ABSENT) && chance(w, 2)) {
        x->tag = x->tag == C_NULL ? C_ABSENT : C_NULL;
        how = "null and no field swapped";
    } else if (x->tag == C_NULL || x->tag == C_ABSENT) {
        *x = (c->kind == K_TEXT || c->kind == K_VARCHAR) && chance(w, 2) ? cell_text(w, "", 0)
                                                                         : cell_make(w, c);
        how = "null became a value";
    } else if (!c->not_null && chance(w, 4)) {
        *x = (struct cell){ .tag = C_NULL };
        how = "a value became null";
    } else if (chance(w, 6)) {
        *x = cell_make(w, c);
    } else if (!value_off(w, c, x)) {
        return false;
    }
    if (c->kind == K_VARCHAR && x->tag == C_TEXT && x->n > (size_t)c->p)
        return false;
    snprintf(what, size, "%s: row %zu of %s, column %s", how, k, t->name, c->name);
    return !cell_same(&was, x);
}

static bool swap_fields(struct world *w, struct table *t, char *what, size_t size)
{
    unsigned i = (unsigned)pick(w, t->ncols), j = (unsigned)pick(w, t->ncols);
    struct cell *r = t->rows[pick(w, t->nrows)], x = r[i];
    if (i == j || t->cols[i].kind != t->cols[j].kind || t->cols[i].p != t->cols[j].p ||
        cell_same(&r[i], &r[j]))
        return false;
    r[i] = r[j];
    r[j] = x;
    snprintf(what, size, "fields %s and %s of %s swapped", t->cols[i].name, t->cols[j].name, t->name);
    return true;
}

static bool swap_between(struct world *w, struct table *t, char *what, size_t size)
{
    unsigned i = (unsigned)pick(w, t->ncols);
    struct cell *a = t->rows[pick(w, t->nrows)], *b = t->rows[pick(w, t->nrows)], x = a[i];
    if (cell_same(&a[i], &b[i]))
        return false;
    a[i] = b[i];
    b[i] = x;
    snprintf(what, size, "%s swapped between two rows of %s", t->cols[i].name, t->name);
    return true;
}

static bool drop_rows(struct world *w, struct table *t, char *what, size_t size)
{
    size_t n = chance(w, 10) ? t->nrows : chance(w, 4) && t->nrows > 2 ? 2 : 1;
    for (size_t i = 0; i < n; i++) {
        size_t k = pick(w, t->nrows);
        memmove(&t->rows[k], &t->rows[k + 1], (t->nrows - k - 1) * sizeof *t->rows);
        t->nrows--;
    }
    snprintf(what, size, "%zu rows of %s dropped", n, t->name);
    return true;
}

static bool add_rows(struct world *w, struct table *t, char *what, size_t size)
{
    struct cell *r = row_add(w, t);
    memcpy(r, t->rows[pick(w, t->nrows - 1)], t->ncols * sizeof *r);
    for (unsigned i = 0; i < t->pk.n; i++)
        r[t->pk.col[i]] = cell_make(w, &t->cols[t->pk.col[i]]);
    for (unsigned u = 0; u < t->nuniques; u++)
        for (unsigned i = 0; i < t->uniques[u].n; i++)
            r[t->uniques[u].col[i]] = cell_make(w, &t->cols[t->uniques[u].col[i]]);
    snprintf(what, size, "a row of %s is there once more", t->name);
    return true;
}

static bool replace_row(struct world *w, struct table *t, char *what, size_t size)
{
    struct cell *a = t->rows[pick(w, t->nrows)];
    const struct cell *b = t->rows[pick(w, t->nrows)];
    if (a == b || t->pk.n != 0 || t->nuniques != 0)
        return false;
    bool same = true;
    for (unsigned i = 0; i < t->ncols; i++)
        same = same && cell_same(&a[i], &b[i]);
    memcpy(a, b, t->ncols * sizeof *a);
    snprintf(what, size, "a row of %s became another one's copy", t->name);
    return !same;
}

static bool dangle(struct world *w, struct table *t, char *what, size_t size)
{
    if (t->nfks == 0)
        return false;
    const struct fk *f = &t->fks[pick(w, t->nfks)];
    struct cell *r = t->rows[pick(w, t->nrows)];
    for (unsigned i = 0; i < f->from.n; i++)
        r[f->from.col[i]] = cell_make(w, &t->cols[f->from.col[i]]);
    snprintf(what, size, "a reference of %s points elsewhere", t->name);
    return true;
}

bool damage_rows(struct world *w, char *what, size_t size, unsigned *table)
{
    static bool (*const kinds[])(struct world *, struct table *, char *, size_t) = { cell_damage, cell_damage,
        cell_damage, swap_fields, swap_between, drop_rows, add_rows, replace_row, dangle };
    struct table *t = table_with(w, 1, table);
    return t != NULL && kinds[pick(w, SP_LEN(kinds))](w, t, what, size) && table_holds(t);
}

/* ---- schema ---- */

static bool is_used(const struct world *w, unsigned table, unsigned col)
{
    const struct table *t = &w->tables[table];
    const struct list *lists[16] = { &t->pk };
    unsigned n = 1;
    for (unsigned i = 0; i < t->nuniques; i++)
        lists[n++] = &t->uniques[i];
    for (unsigned i = 0; i < t->nindexes; i++)
        lists[n++] = &t->indexes[i];
    for (unsigned i = 0; i < t->nchecks; i++)
        lists[n++] = &t->checks[i];
    for (unsigned i = 0; i < t->nfks; i++)
        lists[n++] = &t->fks[i].from;
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < lists[i]->n; k++)
            if (lists[i]->col[k] == col)
                return true;
    return false;
}

static bool is_parent(const struct world *w, unsigned table)
{
    for (unsigned i = 0; i < w->ntables; i++)
        for (unsigned k = 0; k < w->tables[i].nfks; k++)
            if (w->tables[i].fks[k].parent == table)
                return true;
    return false;
}

static bool no_nulls(const struct table *t, unsigned col)
{
    for (size_t k = 0; k < t->nrows; k++)
        if (t->rows[k][col].tag == C_NULL)
            return false;
    return true;
}

static bool column_damage(struct world *w, unsigned at, const char **element)
{
    struct table *t = &w->tables[at];
    unsigned col = (unsigned)pick(w, t->ncols);
    struct column *c = &t->cols[col];
    switch (pick(w, 3)) {
    case 0:
        *element = "nullability";
        if (is_used(w, at, col) || (!c->not_null && !no_nulls(t, col)))
            return false;
        c->not_null = !c->not_null;
        return true;
    case 1:
        *element = "default";
        if ((c->kind != K_INT32 && c->kind != K_INT64 && c->kind != K_TEXT) || c->identity ||
            w->can.documents)
            return false;
        c->dflt = c->dflt != NULL && chance(w, 2) ? NULL : c->kind == K_TEXT ? "'another'" : "77";
        return true;
    default:
        *element = "column";
        c->name = need(sp_arena_printf(&w->arena, "%s%s", c->name, chance(w, 2) ? "x" : "_"));
        return !is_used(w, at, col) && !is_parent(w, at);
    }
}

bool damage_schema(struct world *w, char *what, size_t size, unsigned *table, const char **element)
{
    *table = (unsigned)pick(w, w->ntables);
    static const unsigned char of_documents[] = { 0, 1, 5 };
    struct table *t = &w->tables[*table];
    const char *name = t->name;
    bool done = false;
    switch (w->can.documents ? of_documents[pick(w, 3)] : pick(w, 7)) {
    case 0:
        *element = "unique";
        done = t->nuniques != 0 && t->nuniques--;
        break;
    case 1:
        *element = "index";
        done = t->nindexes != 0 && t->nindexes--;
        break;
    case 2:
        *element = "check";
        done = t->nchecks != 0 && t->nchecks--;
        break;
    case 3:
        *element = "foreign_key";
        done = t->nfks != 0;
        if (done && chance(w, 2))
            t->nfks--;
        else if (done)
            t->fks[0].on_delete = (t->fks[0].on_delete + 1) % 4;
        break;
    case 4:
        *element = "primary_key";
        done = t->pk.n != 0 && !is_parent(w, *table) && !t->without_rowid && !t->cols[t->pk.col[0]].identity;
        t->pk.n = done ? 0 : t->pk.n;
        break;
    case 5:
        *element = "table";
        t->name = need(sp_arena_printf(&w->arena, "%s2", t->name));
        done = !is_parent(w, *table) && t->nfks == 0;
        break;
    default:
        done = column_damage(w, *table, element);
    }
    snprintf(what, size, "schema: %s of %s", *element, name);
    return done;
}
