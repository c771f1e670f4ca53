/* world.c -- random schemas, and rows that keep to them. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "props.h"

#define MAX_TABLES 8

void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("not ok - the test itself failed: ", stdout);
    vprintf(fmt, ap);
    putchar('\n');
    va_end(ap);
    puts("0 passed, 1 failed, 0 skipped");
    exit(1);
}

void *need(void *p)
{
    if (p == NULL)
        die("out of memory");
    return p;
}

unsigned long pick(struct world *w, unsigned long n)
{
    return n == 0 ? 0 : (unsigned long)sp_rng_below(&w->rng, n);
}

bool chance(struct world *w, unsigned one_in)
{
    return pick(w, one_in) == 0;
}

/* ---- names ---- */

static const char *name(struct world *w, char letter, unsigned number)
{
    static const char *const odd[] = { "order", "select", "Mixed Case", "with \"quotes\"", "it's",
        "caf\xc3\xa9", "\xe6\x97\xa5\xe6\x9c\xac", "a-b", "UPPER", "x y", "null", "2nd", "tab\there",
        "semi;colon", "back\\slash", "group" };
    const char *word = chance(w, 4) ? odd[pick(w, SP_LEN(odd))] : "";
    return need(sp_arena_printf(&w->arena, "%c%u%s%s", letter, number, *word == '\0' ? "" : "_", word));
}

/* ---- columns ---- */

static enum kind kind_of_any(struct world *w)
{
    for (;;) {
        enum kind k = (enum kind)pick(w, K_N);
        if ((k == K_ANY && !w->can.any) || ((k == K_INTS || k == K_TEXTS) && !w->can.arrays))
            continue;
        return k;
    }
}

static void limit(struct world *w, struct column *c)
{
    if (c->kind == K_VARCHAR)
        c->p = 1 + (int)pick(w, 40);
    if (c->kind == K_DECIMAL) {
        c->p = 1 + (int)pick(w, 15);
        c->s = (int)pick(w, (unsigned long)c->p + 1);
    }
}

static const char *default_of(struct world *w, enum kind k)
{
    static const char *const ints[] = { "0", "1", "-1", "42" };
    static const char *const reals[] = { "0", "1.5", "-2.25" };
    static const char *const texts[] = { "''", "'x'", "'it''s'", "'NULL'", "'a b'", "'0'" };
    switch (k) {
    case K_INT16:
    case K_INT32:
    case K_INT64:
        return ints[pick(w, SP_LEN(ints))];
    case K_F64:
        return reals[pick(w, SP_LEN(reals))];
    case K_TEXT:
        return texts[pick(w, SP_LEN(texts))];
    default:
        return NULL;
    }
}

static void column_make(struct world *w, struct column *c, unsigned number)
{
    *c = (struct column){
        .name = name(w, 'c', number), .kind = kind_of_any(w), .spelling = (unsigned)pick(w, 1000)
    };
    limit(w, c);
    c->not_null = chance(w, 3);
    if (!w->can.documents && chance(w, 4))
        c->dflt = default_of(w, c->kind);
}

/* ---- keys ---- */

static const enum kind key_kinds[] = { K_INT64, K_INT64, K_INT32, K_TEXT, K_TEXT, K_VARCHAR, K_UUID,
    K_NUMERIC, K_DECIMAL, K_BYTES, K_INSTANT, K_DATE, K_INT16 };

static bool in_list(const struct list *l, unsigned col)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->col[i] == col)
            return true;
    return false;
}

static void key_column(struct world *w, struct table *t, unsigned i)
{
    struct column *c = &t->cols[i];
    c->kind = key_kinds[pick(w, SP_LEN(key_kinds))];
    limit(w, c);
    c->dflt = NULL;
    if (c->kind == K_DECIMAL || c->kind == K_VARCHAR) /* room for enough different ones */
        c->p = c->kind == K_DECIMAL ? 12 : 30;
    c->s = c->kind == K_DECIMAL ? 3 : 0;
}

/* That an index of documents can take; their _id has one. */
static struct list some_columns(struct world *w, const struct table *t, unsigned max)
{
    struct list l = { .n = 0 };
    for (unsigned i = 0; i < 8 && l.n < max; i++) {
        unsigned col = (unsigned)pick(w, t->ncols);
        enum kind k = t->cols[col].kind;
        if (in_list(&l, col) || (w->can.documents && col == 0) || k == K_JSON || k == K_INTS ||
            k == K_TEXTS || k == K_ANY || k == K_F32 || k == K_F64 || k == K_BOOL)
            continue;
        l.col[l.n++] = col;
    }
    return l;
}

static void primary_key(struct world *w, struct table *t)
{
    if (w->can.documents) {
        key_column(w, t, 0);
        t->cols[0].name = "_id";
        t->cols[0].not_null = true;
        t->pk = (struct list){ .n = 1 };
        return;
    }
    unsigned long how = pick(w, 10);
    if (how < 2)
        return; /* none */
    unsigned n = how < 7 || t->ncols < 3 ? 1 : 2 + (unsigned)pick(w, 2);
    for (unsigned i = 0; i < n; i++) {
        unsigned col = (unsigned)pick(w, t->ncols);
        if (in_list(&t->pk, col))
            continue;
        key_column(w, t, col);
        /* A null in a rowid would be drawn, by chance. */
        bool whole =
            t->cols[col].kind == K_INT16 || t->cols[col].kind == K_INT32 || t->cols[col].kind == K_INT64;
        t->cols[col].not_null = !(w->can.nullable_pk && !whole && chance(w, 4));
        t->pk.col[t->pk.n++] = col;
    }
    if (t->pk.n == 1 && chance(w, 2)) {
        struct column *c = &t->cols[t->pk.col[0]];
        c->kind = K_INT64;
        c->identity = !w->can.documents && chance(w, 2);
        c->not_null = true;
    }
}

static void constraints(struct world *w, struct table *t)
{
    if (chance(w, 3)) {
        unsigned col = (unsigned)pick(w, t->ncols);
        if (!in_list(&t->pk, col)) {
            key_column(w, t, col);
            if (t->cols[col].kind == K_INT16)
                t->cols[col].kind = K_INT64;
            t->uniques[t->nuniques++] = (struct list){ .col = { col }, .n = 1 };
        }
    }
    for (unsigned i = 0; i < 2; i++)
        if (chance(w, 3)) {
            struct list l = some_columns(w, t, 1 + (unsigned)pick(w, 3));
            if (l.n != 0 &&
                !(w->can.documents && t->nuniques + t->nindexes != 0)) /* no two of one kind there */
                t->indexes[t->nindexes++] = l;
        }
    for (unsigned i = 0; !w->can.documents && i < t->ncols && t->nchecks < 2; i++)
        if ((t->cols[i].kind == K_INT32 || t->cols[i].kind == K_INT64) && chance(w, 6))
            t->checks[t->nchecks++] = (struct list){ .col = { i }, .n = 1 };
}

static void mark(struct table *t, const struct list *l)
{
    for (unsigned i = 0; i < l->n; i++)
        t->cols[l->col[i]].indexed = true;
}

static unsigned width(struct world *w)
{
    if (chance(w, 250))
        return 1000;
    return chance(w, 6) ? 1 : 1 + (unsigned)pick(w, chance(w, 3) ? 30 : 8);
}

static void table_make(struct world *w, struct table *t, unsigned number)
{
    *t = (struct table){ .name = name(w, 't', number), .ncols = width(w), .parent = -1 };
    t->cols = need(sp_arena_array(&w->arena, t->ncols + 4, sizeof *t->cols));
    for (unsigned i = 0; i < t->ncols; i++)
        column_make(w, &t->cols[i], i);
    if (w->can.narrow && t->ncols > 100) /* a row has to fit into a page */
        for (unsigned i = 0; i < t->ncols; i++)
            t->cols[i] = (struct column){ .name = t->cols[i].name, .kind = chance(w, 2) ? K_BOOL : K_INT16 };
    primary_key(w, t);
    constraints(w, t);
    mark(t, &t->pk);
    for (unsigned i = 0; i < t->nuniques; i++)
        mark(t, &t->uniques[i]);
    for (unsigned i = 0; i < t->nindexes; i++)
        mark(t, &t->indexes[i]);
    for (unsigned i = 0; w->can.documents && i < t->nuniques; i++) /* two nulls are the same there */
        t->cols[t->uniques[i].col[0]].not_null = true;
    t->without_rowid = t->pk.n != 0 && chance(w, 4);
    t->strict = chance(w, 6);
    for (unsigned i = 0; i < t->ncols; i++)
        if (t->without_rowid && in_list(&t->pk, i))
            t->cols[i].not_null = true;
    if (t->without_rowid && t->pk.n == 1)
        t->cols[t->pk.col[0]].identity = false;
}

/* A reference of new columns to the key of a table, which may be itself or stand before or behind it. */
static void reference(struct world *w, struct table *t)
{
    unsigned parent = (unsigned)pick(w, w->ntables);
    const struct table *p = &w->tables[parent];
    if (p->pk.n == 0 || t->nfks == SP_LEN(t->fks) || p->pk.n > 3 || t->ncols > 100)
        return;
    struct fk *f = &t->fks[t->nfks];
    struct column *cols = need(sp_arena_array(&w->arena, t->ncols + 4, sizeof *cols));
    memcpy(cols, t->cols, t->ncols * sizeof *cols);
    *f = (struct fk){ .to = p->pk, .parent = parent, .on_delete = (unsigned)pick(w, 4) };
    for (unsigned i = 0; i < p->pk.n; i++) {
        struct column c = p->cols[p->pk.col[i]];
        c.name = name(w, 'r', t->ncols);
        c.not_null = c.identity = false;
        f->from.col[f->from.n++] = t->ncols;
        cols[t->ncols++] = c;
    }
    t->cols = cols;
    t->nfks++;
}

/* ---- rows ---- */

struct cell *row_add(struct world *w, struct table *t)
{
    t->rows = need(sp_arena_grow(&w->arena, t->rows, &t->cap, t->nrows + 1, sizeof *t->rows));
    struct cell *r = need(sp_arena_array(&w->arena, t->ncols, sizeof *r));
    memset(r, 0, t->ncols * sizeof *r);
    t->rows[t->nrows++] = r;
    return r;
}

static bool is_absent(const struct cell *c)
{
    return c->tag == C_NULL || c->tag == C_ABSENT;
}

static bool same_in(const struct list *l, const struct cell *a, const struct cell *b)
{
    for (unsigned i = 0; i < l->n; i++)
        if (a[l->col[i]].tag == C_NULL || b[l->col[i]].tag == C_NULL ||
            !cell_same(&a[l->col[i]], &b[l->col[i]]))
            return false;
    return true;
}

/* Two texts that only their case tells apart collide in a column that does not look at it. */
static bool row_fits(const struct table *t, size_t k)
{
    const struct cell *r = t->rows[k];
    for (unsigned i = 0; i < t->ncols; i++)
        if (t->cols[i].not_null && is_absent(&r[i]))
            return false;
    for (unsigned i = 0; i < t->nchecks; i++)
        if (r[t->checks[i].col[0]].tag == C_INT && r[t->checks[i].col[0]].i == 4242)
            return false;
    for (size_t j = 0; j < k; j++) {
        if (t->pk.n != 0 && same_in(&t->pk, t->rows[j], r))
            return false;
        for (unsigned i = 0; i < t->nuniques; i++)
            if (same_in(&t->uniques[i], t->rows[j], r))
                return false;
    }
    return true;
}

bool table_holds(const struct table *t)
{
    for (size_t k = 0; k < t->nrows; k++)
        if (!row_fits(t, k))
            return false;
    return true;
}

static void row_fill(struct world *w, struct table *t, struct cell *r)
{
    for (unsigned i = 0; i < t->ncols; i++) {
        r[i] =
            !t->cols[i].not_null && chance(w, 5) ? (struct cell){ .tag = C_NULL } : cell_make(w, &t->cols[i]);
        if (w->can.documents && r[i].tag == C_NULL && chance(w, 2))
            r[i].tag = C_ABSENT;
        if (t->cols[i].identity)
            r[i] = (struct cell){ .tag = C_INT, .i = (int64_t)(t->nrows * (1 + pick(w, 3))) };
    }
}

static void rows(struct world *w, struct table *t)
{
    size_t n = chance(w, 8) ? 0 : chance(w, 10) ? 300 : pick(w, 40);
    if (w->can.documents || w->can.embed) /* that server takes its time */
        n = n > 12 ? 12 : n;
    if (t->ncols > 100)
        n = n > 3 ? 3 : n;
    for (size_t k = 0; k < n; k++) {
        struct cell *r = row_add(w, t);
        row_fill(w, t, r);
        if (t->pk.n == 0 && t->nuniques == 0 && t->nrows > 1 && chance(w, 4)) /* once more */
            memcpy(r, t->rows[pick(w, t->nrows - 1)], t->ncols * sizeof *r);
        if (!row_fits(t, t->nrows - 1))
            t->nrows--;
    }
}

static void point(struct world *w, struct table *t, const struct fk *f)
{
    const struct table *p = &w->tables[f->parent];
    for (size_t k = 0; k < t->nrows; k++) {
        bool none = p->nrows == 0 || chance(w, 5);
        const struct cell *r = none ? NULL : p->rows[pick(w, p->nrows)];
        bool lost = w->can.orphans && chance(w, 60);
        for (unsigned i = 0; i < f->from.n; i++)
            t->rows[k][f->from.col[i]] = lost        ? cell_make(w, &t->cols[f->from.col[i]])
                                         : r == NULL ? (struct cell){ .tag = C_NULL }
                                                     : r[f->to.col[i]];
    }
}

bool world_loses(const struct world *w)
{
    for (unsigned k = 0; k < w->ntables; k++)
        for (size_t r = 0; r < w->tables[k].nrows; r++)
            for (unsigned i = 0; i < w->tables[k].ncols; i++) {
                const struct cell *c = &w->tables[k].rows[r][i];
                enum kind kind = w->tables[k].cols[i].kind;
                const char *point = c->tag == C_TEXT ? memchr(c->p, '.', c->n) : NULL;
                size_t digits = point == NULL ? 0 : strspn(point + 1, "0123456789");
                if (c->tag == C_F64 && c->f == 0 && signbit(c->f) && w->can.zero_lost)
                    return true;
                if (w->can.embed && kind != K_INSTANT) /* documents hold the others as text */
                    continue;
                if ((kind == K_INSTANT || kind == K_LOCAL || kind == K_TIME) && digits > (size_t)w->can.kept)
                    return true;
            }
    return false;
}

/* ---- children that documents hold as arrays ---- */

void world_settle(struct world *w)
{
    for (unsigned c = 0; c < w->ntables; c++) {
        struct table *t = &w->tables[c];
        size_t n = 0;
        if (t->parent < 0)
            continue;
        const struct table *p = &w->tables[t->parent];
        for (size_t i = 0; i < p->nrows; i++) {
            int64_t line = 0;
            for (size_t k = n; k < t->nrows; k++) {
                struct cell *r = t->rows[k];
                if (!cell_same(&r[0], &p->rows[i][p->pk.col[0]]))
                    continue;
                r[1] = (struct cell){ .tag = C_INT, .i = line++ };
                memmove(&t->rows[n + 1], &t->rows[n], (k - n) * sizeof *t->rows);
                t->rows[n++] = r;
            }
        }
        t->nrows = n;
    }
}

static void children(struct world *w, unsigned parent)
{
    struct table *t = &w->tables[w->ntables], *p = &w->tables[parent];
    *t = (struct table){
        .name = name(w, 'e', w->ntables), .ncols = 3 + (unsigned)pick(w, 6), .parent = (int)parent
    };
    t->cols = need(sp_arena_array(&w->arena, t->ncols + 4, sizeof *t->cols));
    for (unsigned i = 0; i < t->ncols; i++)
        column_make(w, &t->cols[i], i);
    t->cols[0] = p->cols[p->pk.col[0]];
    t->cols[0].name = name(w, 'p', 0);
    t->cols[0].identity = false;
    t->cols[1] = (struct column){ .name = name(w, 'l', 1), .kind = K_INT32, .not_null = true };
    t->pk = (struct list){ .col = { 0, 1 }, .n = 2 };
    t->fks[t->nfks++] = (struct fk){ .from = { .n = 1 }, .to = p->pk, .parent = parent };
    w->ntables++;
    for (size_t i = 0; i < p->nrows; i++)
        for (size_t n = pick(w, 4); n > 0; n--) {
            struct cell *r = row_add(w, t);
            row_fill(w, t, r);
            r[0] = p->rows[i][p->pk.col[0]];
        }
    world_settle(w);
}

void world_make(struct world *w, uint64_t seed, const struct limits *can)
{
    *w = (struct world){ .arena = SP_ARENA_INIT, .seed = seed, .can = *can };
    sp_rng_seed(&w->rng, seed);
    w->ntables = 1 + (unsigned)pick(w, can->documents || can->embed ? 3 : MAX_TABLES);
    w->tables = need(sp_arena_array(&w->arena, MAX_TABLES, sizeof *w->tables));
    for (unsigned i = 0; i < w->ntables; i++)
        table_make(w, &w->tables[i], i);
    for (unsigned i = 0; !can->documents && i < w->ntables; i++)
        for (unsigned k = 0; k < 2; k++)
            if (chance(w, 2))
                reference(w, &w->tables[i]);
    for (unsigned i = 0; i < w->ntables; i++)
        rows(w, &w->tables[i]);
    unsigned parents = w->ntables;
    for (unsigned i = 0; can->embed && i < parents && w->ntables < MAX_TABLES; i++)
        if (w->tables[i].pk.n == 1 && chance(w, 2))
            children(w, i);
    for (unsigned i = 0; i < w->ntables; i++)
        for (unsigned k = 0; w->tables[i].parent < 0 && k < w->tables[i].nfks; k++)
            point(w, &w->tables[i], &w->tables[i].fks[k]);
}

void world_copy(struct world *to, const struct world *from)
{
    *to = *from;
    to->arena = (struct sp_arena)SP_ARENA_INIT;
    to->tables = need(sp_arena_array(&to->arena, MAX_TABLES + 1, sizeof *to->tables));
    for (unsigned i = 0; i < from->ntables; i++) {
        struct table *t = &to->tables[i];
        *t = from->tables[i];
        t->cols = need(sp_arena_array(&to->arena, t->ncols + 4, sizeof *t->cols));
        memcpy(t->cols, from->tables[i].cols, t->ncols * sizeof *t->cols);
        t->cap = t->nrows + 1;
        t->rows = need(sp_arena_array(&to->arena, t->cap, sizeof *t->rows));
        for (size_t k = 0; k < t->nrows; k++)
            t->rows[k] =
                need(sp_arena_dup(&to->arena, from->tables[i].rows[k], t->ncols * sizeof(struct cell)));
    }
}

void world_free(struct world *w)
{
    sp_arena_free(&w->arena);
}
