/* exprtext.c -- expressions and definitions as text: equal when only blanks, the case of words outside of literals, or
 * quotes around plain lower-case names differ. Anything smarter could call different things equal. */
#include <stdlib.h>
#include <string.h>

#include "verify/exprtext.h"
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

/* Words that stand for a value or a type only without quotes: in quotes they are a name, or (SQLite) a string. */
static bool reserved(const char *s, size_t n)
{
    static const char *const words[] = { "null", "true", "false", "current_date", "current_time",
        "current_timestamp", "localtime", "localtimestamp", "user", "current_user", "session_user",
        "current_role", "current_catalog", "current_schema", "default", "char" };
    for (size_t i = 0; i < SP_LEN(words); i++)
        if (strlen(words[i]) == n && memcmp(s, words[i], n) == 0)
            return true;
    return false;
}

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

/* $$...$$ or $tag$...$tag$: a text in any language, in which neither letters nor blanks may be dropped. 0 = none. */
static size_t dollar_quoted(const char *s)
{
    size_t n = 1;
    while (s[n] == '_' || (s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') ||
           (n > 1 && s[n] >= '0' && s[n] <= '9'))
        n++;
    if (s[n] != '$')
        return 0;
    n++;
    for (const char *at = s + n; (at = strchr(at, '$')) != NULL; at++)
        if (strncmp(at, s, n) == 0)
            return (size_t)(at - s) + n;
    return 0;
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

bool sp_v_next_token(const char **at, struct sp_vtoken *t)
{
    const char *s = skip(*at);
    *t = (struct sp_vtoken){ s, 1, false };
    if (*s == '\0')
        return false;
    size_t dollars = *s == '$' ? dollar_quoted(s) : 0;
    if (dollars != 0) {
        t->n = dollars;
        t->exact = true;
    } else if (*s == '\'') {
        t->n = quoted(s, '\'');
        t->exact = true;
    } else if (*s == '"' || *s == '`' || *s == '[') {
        t->n = quoted(s, *s == '[' ? ']' : *s);
        t->exact = true;
        if (t->n > 2 && plain_name(s + 1, t->n - 2) && !reserved(s + 1, t->n - 2)) {
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

static bool same(const struct sp_vtoken *a, const struct sp_vtoken *b)
{
    if (a->n != b->n || a->exact != b->exact)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->exact ? a->p[i] != b->p[i] : lower(a->p[i]) != lower(b->p[i]))
            return false;
    return true;
}

static bool is(const struct sp_vtoken *t, char c)
{
    return !t->exact && t->n == 1 && *t->p == c;
}

/* Pairs of parentheses around the whole: they mean nothing. *left is the number of tokens between them. */
static size_t wraps(const char *s, size_t *left)
{
    struct sp_vtoken t;
    size_t n = 0, depth = 0, pairs = 0;
    bool leading = true;
    for (; sp_v_next_token(&s, &t); n++) {
        bool opens = is(&t, '('), closes = is(&t, ')');
        leading = leading && opens;
        if (leading)
            pairs++;
        else if (!closes && depth < pairs)
            pairs = depth;
        if (closes && depth == 0)
            pairs = 0; /* not balanced: whatever it is, it stays */
        depth += opens ? 1u : 0u;
        depth -= closes && depth > 0 ? 1u : 0u;
    }
    pairs = depth != 0 || 2 * pairs >= n ? 0 : pairs;
    *left = n - 2 * pairs;
    return pairs;
}

bool sp_v_expr_equal(const char *a, const char *b)
{
    struct sp_vtoken x, y;
    size_t na, nb;
    if (a == NULL || b == NULL)
        return a == b;
    if (*a == '{' && *b == '{') /* JSON: no language in which letter case or quotes could be dropped */
        return strcmp(a, b) == 0;
    for (size_t i = wraps(a, &na); i > 0; i--)
        (void)sp_v_next_token(&a, &x);
    for (size_t i = wraps(b, &nb); i > 0; i--)
        (void)sp_v_next_token(&b, &y);
    if (na != nb)
        return false;
    for (size_t i = 0; i < na; i++)
        if (!sp_v_next_token(&a, &x) || !sp_v_next_token(&b, &y) || !same(&x, &y))
            return false;
    return true;
}

bool sp_v_expr_is_literal(const char *s)
{
    struct sp_vtoken t, rest;
    const char *at = s;
    double number;
    if (s == NULL || !sp_v_next_token(&at, &t))
        return false;
    if ((*t.p == '-' || *t.p == '+') && t.n == 1 && !sp_v_next_token(&at, &t))
        return false;
    if (sp_v_next_token(&at, &rest))
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
