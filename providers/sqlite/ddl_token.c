/* ddl_token.c -- splitting SQL into words, as SQLite does. */
#include "providers/sqlite/ddl_token.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (c & 0x80) != 0;
}

static const char *skip_blank(const char *p)
{
    for (;;) {
        p += strspn(p, " \t\r\n\f");
        if (p[0] == '-' && p[1] == '-') {
            p += strcspn(p, "\n");
        } else if (p[0] == '/' && p[1] == '*') {
            const char *end = strstr(p + 2, "*/");
            p = end == NULL ? p + strlen(p) : end + 2;
        } else {
            return p;
        }
    }
}

/* Length of a quoted thing, quotes included; 0 = it never ends. */
static size_t quoted_len(const char *p)
{
    char end = *p == '[' ? ']' : *p;
    for (size_t i = 1; p[i] != '\0'; i++) {
        if (p[i] != end)
            continue;
        if (end == ']' || p[i + 1] != end)
            return i + 1;
        i++;
    }
    return 0;
}

int sq_tokens(struct sp_arena *a, const char *sql, struct sq_tok **out, struct sp_error *err)
{
    struct sq_tok *v = NULL;
    size_t n = 0, cap = 0;
    for (const char *p = skip_blank(sql);; p = skip_blank(p)) {
        struct sq_tok t = { SQ_TOK_PUNCT, p, 1 };
        if (*p == '\0') {
            t.kind = SQ_TOK_END;
            t.n = 0;
        } else if (strchr("\"`['", *p) != NULL) {
            t.kind = *p == '\'' ? SQ_TOK_OTHER : SQ_TOK_QUOTED;
            t.n = quoted_len(p);
            if (t.n == 0)
                return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a quote in a definition never ends");
        } else if ((*p == 'x' || *p == 'X') && p[1] == '\'') {
            t.kind = SQ_TOK_OTHER;
            t.n = 1 + quoted_len(p + 1);
            if (t.n == 1)
                return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a quote in a definition never ends");
        } else if (word_char(*p) || (*p == '.' && p[1] >= '0' && p[1] <= '9')) {
            bool digit = (*p >= '0' && *p <= '9') || *p == '.';
            t.kind = digit ? SQ_TOK_OTHER : SQ_TOK_WORD;
            while (word_char(p[t.n]) || (digit && p[t.n] == '.'))
                t.n++;
        }
        v = sp_arena_grow(a, v, &cap, n + 1, sizeof *v);
        if (v == NULL)
            return sp_nomem(err);
        v[n++] = t;
        if (t.kind == SQ_TOK_END)
            break;
        p += t.n;
    }
    *out = v;
    return 0;
}

bool sq_tok_is(const struct sq_tok *t, const char *word)
{
    return (t->kind == SQ_TOK_WORD || t->kind == SQ_TOK_PUNCT) && strlen(word) == t->n &&
           sqlite3_strnicmp(t->p, word, (int)t->n) == 0;
}

char *sq_tok_name(struct sp_arena *a, const struct sq_tok *t)
{
    if (t->n < 2 || strchr("\"`['", *t->p) == NULL)
        return sp_arena_strn(a, t->p, t->n);
    char end = *t->p == '[' ? ']' : *t->p;
    char *s = sp_arena_strn(a, t->p + 1, t->n - 2);
    if (s == NULL || end == ']')
        return s;
    char *w = s;
    for (const char *r = s; *r != '\0'; r++) {
        *w++ = *r;
        if (*r == end)
            r++; /* doubled */
    }
    *w = '\0';
    return s;
}

size_t sq_tok_close(const struct sq_tok *t, size_t open)
{
    size_t depth = 0;
    for (size_t i = open; t[i].kind != SQ_TOK_END; i++) {
        if (sq_tok_is(&t[i], "("))
            depth++;
        else if (sq_tok_is(&t[i], ")") && --depth == 0)
            return i;
    }
    return 0;
}

char *sq_tok_between(struct sp_arena *a, const struct sq_tok *open, const struct sq_tok *close)
{
    const char *p = open->p + open->n, *end = close->p;
    while (p < end && strchr(" \t\r\n", *p) != NULL)
        p++;
    while (end > p && strchr(" \t\r\n", end[-1]) != NULL)
        end--;
    return sp_arena_strn(a, p, (size_t)(end - p));
}
