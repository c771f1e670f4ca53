/* marks.c -- what definitions of tables and indexes say beyond the model: descending columns, collations, conflict
 * clauses, autoincrement, stored generated columns.
 *
 * Each is compared together with what it belongs to: in a column's definition with the column's name, in a table
 * constraint or an index with all of that constraint or index. The order in which they stand and the names of constraints
 * and indexes don't count. */
#include <stdlib.h>

#include "verify/exprtext.h"
#include "verify/internal.h"

#define MAX_MARKS 4096u /* more are not told apart, and so never equal */

struct marks {
    char **v; /* MAX_MARKS */
    size_t n;
    bool failed;
};

/* A column's definition, a table constraint, or an index. */
struct item {
    struct sp_vtoken head; /* n = 0: nothing has come yet */
    const char *kind;      /* the constraint within a column's definition that came last */
    struct sp_buf text;    /* of a constraint or an index */
    bool whole, marked;    /* its text counts as a whole; there is a mark in it */
    bool skip;             /* the next token is a constraint's name */
};

static bool is_word(const struct sp_vtoken *t, const char *w)
{
    size_t n = strlen(w);
    if (t->exact || t->n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (t->p[i] != w[i] && !(t->p[i] >= 'A' && t->p[i] <= 'Z' && t->p[i] - 'A' + 'a' == w[i]))
            return false;
    return true;
}

static const char *one_of(const struct sp_vtoken *t, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_word(t, words[i]))
            return words[i];
    return NULL;
}

static const char *mark_word(const struct sp_vtoken *t)
{
    static const char *const words[] = { "desc", "collate", "conflict", "autoincrement", "stored" };
    return one_of(t, words, SP_LEN(words));
}

static const char *constraint_word(const struct sp_vtoken *t)
{
    static const char *const words[] = { "constraint", "primary", "unique", "check", "foreign" };
    return one_of(t, words, SP_LEN(words));
}

static const char *kind_word(const struct sp_vtoken *t)
{
    static const char *const words[] = { "primary", "unique", "check", "null" };
    return one_of(t, words, SP_LEN(words));
}

static void put_token(struct sp_buf *b, const struct sp_vtoken *t)
{
    for (size_t i = 0; i < t->n; i++) {
        char ch = t->p[i];
        sp_buf_putc(b, !t->exact && ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch);
    }
    sp_buf_putc(b, ' ');
}

/* Names are the same in any quotes. */
static void put_name(struct sp_buf *b, const struct sp_vtoken *t)
{
    struct sp_vtoken inner = { t->p, t->n, false };
    if (t->exact && t->n >= 2) {
        inner.p++;
        inner.n -= 2;
    }
    put_token(b, &inner);
}

static void add(struct marks *m, struct sp_buf *b)
{
    char *text = b->oom ? NULL : sp_buf_steal(b);
    sp_buf_free(b);
    if (text == NULL || m->n == MAX_MARKS) {
        m->failed = true;
        free(text);
        return;
    }
    m->v[m->n++] = text;
}

static void finish(struct marks *m, struct item *it)
{
    if (it->whole && it->marked)
        add(m, &it->text);
    sp_buf_free(&it->text);
    *it = (struct item){ .text = SP_BUF_INIT };
}

/* A mark in a column's definition: `at` is what follows. */
static void column_mark(struct marks *m, const struct item *it, const char *word, const char *at)
{
    struct sp_buf b = SP_BUF_INIT;
    struct sp_vtoken after;
    put_name(&b, &it->head);
    if (strcmp(word, "conflict") == 0 && it->kind != NULL)
        sp_buf_printf(&b, "%s ", it->kind);
    sp_buf_puts(&b, word);
    if ((strcmp(word, "conflict") == 0 || strcmp(word, "collate") == 0) && sp_v_next_token(&at, &after)) {
        sp_buf_putc(&b, ' ');
        put_name(&b, &after);
    }
    add(m, &b);
}

static void take(struct marks *m, struct item *it, const struct sp_vtoken *t, bool outer, const char *at)
{
    const char *word = mark_word(t), *kind = kind_word(t);
    if (it->head.n == 0) {
        it->head = *t;
        it->whole = it->whole || constraint_word(t) != NULL;
    }
    if (it->skip || is_word(t, "constraint")) {
        it->skip = !it->skip;
        return;
    }
    if (outer && kind != NULL)
        it->kind = kind;
    it->marked = it->marked || word != NULL;
    if (it->whole && !is_word(t, "asc"))
        put_token(&it->text, t);
    else if (!it->whole && word != NULL)
        column_mark(m, it, word, at);
}

static void collect(struct marks *m, const char *s)
{
    struct item it = { .text = SP_BUF_INIT };
    struct sp_vtoken t;
    size_t depth = 0;
    bool index = false, named = false; /* within CREATE INDEX; its name is behind us */
    while (s != NULL && sp_v_next_token(&s, &t)) {
        bool opens = *t.p == '(' && !t.exact, closes = *t.p == ')' && !t.exact;
        depth += opens ? 1u : 0u;
        depth -= closes && depth > 0 ? 1u : 0u;
        if (depth == 0 && *t.p == ';') {
            finish(m, &it);
            index = named = false;
        } else if (!index && depth == 0 && is_word(&t, "index")) {
            finish(m, &it);
            index = it.whole = true;
        } else if (index && !named) {
            named = is_word(&t, "on");
        } else if (!index &&
                   ((*t.p == ',' && depth <= 1) || (opens && depth == 1) || (closes && depth == 0))) {
            finish(m, &it);
        } else {
            take(m, &it, &t, depth <= 1, s);
        }
    }
    finish(m, &it);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Both in order. A column's AUTOINCREMENT that only the second has: *counts becomes true, if that is asked. */
static bool same(const struct marks *a, const struct marks *b, bool *counts)
{
    size_t i = 0;
    for (size_t k = 0; k < b->n; k++) {
        const char *mark = b->v[k];
        int order = i < a->n ? strcmp(a->v[i], mark) : 1;
        if (order == 0)
            i++;
        else if (counts != NULL && order > 0 && sp_str_suffix(mark, " autoincrement"))
            *counts = true;
        else
            return false;
    }
    return i == a->n;
}

bool sp_v_marks_equal(const char *a, const char *b, bool *counts)
{
    const char *text[2] = { a, b };
    struct marks m[2];
    bool equal = true;
    for (int i = 0; i < 2; i++) {
        m[i] = (struct marks){ .v = calloc(MAX_MARKS, sizeof *m[i].v) };
        if (m[i].v == NULL) {
            equal = false;
            continue;
        }
        collect(&m[i], text[i]);
        qsort(m[i].v, m[i].n, sizeof *m[i].v, by_text);
        equal = equal && !m[i].failed;
    }
    equal = equal && same(&m[0], &m[1], counts);
    for (int i = 0; i < 2; i++) {
        for (size_t k = 0; k < m[i].n; k++)
            free(m[i].v[k]);
        free(m[i].v);
    }
    return equal;
}
