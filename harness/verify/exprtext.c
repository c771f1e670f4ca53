/* exprtext.c -- expressions and definitions as text: equal when only blanks, the case of words outside of literals, or
 * quotes around plain lower-case names differ. Anything smarter could call different things equal. */
#include <stdlib.h>

#include "verify/internal.h"

static bool blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r' || ch == '\f' || ch == '\v';
}
static bool word(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_' ||
           ch == '$' || ch == '.' || (unsigned char)ch >= 0x80;
}
static char lower(char ch)
{
    return ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
}
static bool plain_name(const char *s, size_t n)
{
    if (n == 0 || !((s[0] >= 'a' && s[0] <= 'z') || s[0] == '_'))
        return false;
    for (size_t i = 1; i < n; i++)
        if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '_'))
            return false;
    return true;
}

/* One token: a word, a quoted thing with its quotes, or a single character. */
struct token {
    const char *p;
    size_t n;
    bool exact; /* letters count as they are */
};

static size_t quoted(const char *s, char close)
{
    size_t i = 1;
    while (s[i] != '\0') {
        if (s[i] != close)
            i++;
        else if (close != ']' && s[i + 1] == close)
            i += 2;
        else
            return i + 1;
    }
    return i;
}

static const char *skip(const char *s)
{
    for (;;) {
        while (blank(*s))
            s++;
        if (s[0] == '-' && s[1] == '-') {
            while (*s != '\0' && *s != '\n')
                s++;
        } else if (s[0] == '/' && s[1] == '*') {
            for (s += 2; *s != '\0' && !(s[0] == '*' && s[1] == '/'); s++)
                ;
            if (*s != '\0')
                s += 2;
        } else {
            return s;
        }
    }
}

static bool next(const char **at, struct token *t)
{
    const char *s = skip(*at);
    *t = (struct token){ s, 1, false };
    if (*s == '\0')
        return false;
    if (*s == '\'') {
        t->n = quoted(s, '\'');
        t->exact = true;
    } else if (*s == '"' || *s == '`' || *s == '[') {
        t->n = quoted(s, *s == '[' ? ']' : *s);
        t->exact = true;
        if (t->n > 2 && plain_name(s + 1, t->n - 2)) {
            *at = s + t->n;
            t->p++;
            t->n -= 2;
            t->exact = false;
            return true;
        }
    } else if (word(*s)) {
        while (word(s[t->n]))
            t->n++;
    }
    *at = s + t->n;
    return true;
}

static bool same(const struct token *a, const struct token *b)
{
    if (a->n != b->n || a->exact != b->exact)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->exact ? a->p[i] != b->p[i] : lower(a->p[i]) != lower(b->p[i]))
            return false;
    return true;
}

bool sp_v_expr_equal(const char *a, const char *b)
{
    struct token x, y;
    if (a == NULL || b == NULL)
        return a == b;
    for (;;) {
        bool more_a = next(&a, &x), more_b = next(&b, &y);
        if (more_a != more_b)
            return false;
        if (!more_a)
            return true;
        if (!same(&x, &y))
            return false;
    }
}

/* ---- what a definition says beyond the model -------------------------------------------------------------------- */

/* Words whose meaning the logical schema does not hold, with the words beside them that matter. */
static const struct {
    const char *word;
    bool before, after;
} marks[] = { { "desc", true, false }, { "collate", true, true }, { "conflict", false, true },
    { "autoincrement", false, false } };

static bool is_word(const struct token *t, const char *w)
{
    size_t n = strlen(w);
    if (t->exact || t->n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (lower(t->p[i]) != w[i])
            return false;
    return true;
}

static void put_token(struct sp_buf *b, const struct token *t)
{
    for (size_t i = 0; i < t->n; i++)
        sp_buf_putc(b, t->exact ? t->p[i] : lower(t->p[i]));
    sp_buf_putc(b, ' ');
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t collect_marks(const char *s, char **out, size_t max)
{
    struct token before = { "", 0, false }, t, after;
    size_t n = 0;
    while (s != NULL && next(&s, &t)) {
        for (size_t i = 0; i < SP_LEN(marks) && n < max; i++) {
            const char *peek = s;
            struct sp_buf b = SP_BUF_INIT;
            if (!is_word(&t, marks[i].word))
                continue;
            if (marks[i].before)
                put_token(&b, &before);
            sp_buf_puts(&b, marks[i].word);
            sp_buf_putc(&b, ' ');
            if (marks[i].after && next(&peek, &after))
                put_token(&b, &after);
            out[n] = sp_buf_steal(&b);
            n += out[n] != NULL ? 1u : 0u;
        }
        before = t;
    }
    qsort(out, n, sizeof *out, by_text);
    return n;
}

bool sp_v_marks_equal(const char *a, const char *b)
{
    enum { MAX = 512 };
    char **x = calloc(MAX, sizeof *x), **y = calloc(MAX, sizeof *y);
    bool equal = x != NULL && y != NULL;
    size_t nx = equal ? collect_marks(a, x, MAX) : 0, ny = equal ? collect_marks(b, y, MAX) : 0;
    equal = equal && nx == ny && nx < MAX;
    for (size_t i = 0; equal && i < nx; i++)
        equal = strcmp(x[i], y[i]) == 0;
    for (size_t i = 0; i < nx; i++)
        free(x[i]);
    for (size_t i = 0; i < ny; i++)
        free(y[i]);
    free(x);
    free(y);
    return equal;
}

bool sp_v_expr_is_literal(const char *s)
{
    struct token t, rest;
    const char *at = s;
    double number;
    if (s == NULL || !next(&at, &t))
        return false;
    if ((*t.p == '-' || *t.p == '+') && t.n == 1 && !next(&at, &t))
        return false;
    if (next(&at, &rest))
        return false;
    if (*t.p == '\'')
        return true;
    char text[64];
    if (t.exact || t.n >= sizeof text)
        return false;
    for (size_t i = 0; i < t.n; i++)
        text[i] = lower(t.p[i]);
    text[t.n] = '\0';
    return strcmp(text, "null") == 0 || strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ||
           sp_parse_f64(text, &number);
}
