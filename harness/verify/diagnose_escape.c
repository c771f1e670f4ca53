/* diagnose_escape.c -- texts that were escaped once too often, or once too little. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "verify/diagnose.h"

enum how { HTML = 1, BACKSLASH, DOUBLED, QUOTED, PERCENT, HOW_N };

static const struct {
    const char *from, *to;
} entities[] = { { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" }, { "&quot;", "\"" }, { "&#39;", "'" },
    { "&#x27;", "'" }, { "&apos;", "'" }, { "&nbsp;", "\xc2\xa0" } };

static size_t unhtml(struct sp_buf *out, const char *p, size_t n)
{
    for (size_t i = 0; *p == '&' && i < SP_LEN(entities); i++) {
        size_t k = strlen(entities[i].from);
        if (k <= n && memcmp(p, entities[i].from, k) == 0) {
            sp_buf_puts(out, entities[i].to);
            return k;
        }
    }
    return 0;
}

static size_t unbackslash(struct sp_buf *out, const char *p, size_t n)
{
    static const char from[] = "nrt0\\\"'", to[] = "\n\r\t\0\\\"'";
    const char *at = *p == '\\' && n > 1 && p[1] != '\0' ? strchr(from, p[1]) : NULL;
    if (at == NULL)
        return 0;
    sp_buf_putc(out, to[at - from]);
    return 2;
}

static int hex(char ch)
{
    return ch >= '0' && ch <= '9'   ? ch - '0'
           : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
           : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
                                    : -1;
}

static size_t unpercent(struct sp_buf *out, const char *p, size_t n)
{
    if (*p == '+') {
        sp_buf_putc(out, ' ');
        return 1;
    }
    if (*p != '%' || n < 3 || hex(p[1]) < 0 || hex(p[2]) < 0)
        return 0;
    sp_buf_putc(out, (char)(hex(p[1]) * 16 + hex(p[2])));
    return 3;
}

static size_t undouble(struct sp_buf *out, const char *p, size_t n)
{
    if (n < 2 || (*p != '\'' && *p != '"') || p[1] != *p)
        return 0;
    sp_buf_putc(out, *p);
    return 2;
}

/* The text as it was before it was escaped. */
static void decode(struct sp_buf *out, const struct sp_value *v, enum how how)
{
    static size_t (*const step[HOW_N])(struct sp_buf *, const char *,
        size_t) = { [HTML] = unhtml, [BACKSLASH] = unbackslash, [DOUBLED] = undouble, [PERCENT] = unpercent };
    const char *p = v->u.str.p, *end = p + v->u.str.n;
    if (how == QUOTED) {
        if (end - p >= 2 && (*p == '"' || *p == '\'') && end[-1] == *p)
            sp_buf_put(out, p + 1, (size_t)(end - p) - 2);
        return;
    }
    while (p < end) {
        size_t k = step[how](out, p, (size_t)(end - p));
        if (k == 0)
            sp_buf_putc(out, *p++);
        p += k;
    }
}

static bool escaped(struct sp_diag_cell *c, int64_t *param)
{
    if (c->v[0].tag != SP_TEXT || c->v[1].tag != SP_TEXT)
        return false;
    for (int how = HTML; how < HOW_N; how++)
        for (int i = 0; i < 2; i++) {
            struct sp_buf b = SP_BUF_INIT;
            decode(&b, &c->v[1 - i], (enum how)how);
            bool yes = b.n > 0 && !b.oom && b.n == c->v[i].u.str.n && memcmp(b.p, c->v[i].u.str.p, b.n) == 0;
            sp_buf_free(&b);
            *param = i == 0 ? how : -how;
            if (yes)
                return true;
        }
    return false;
}

static void say(struct sp_buf *out, const int64_t *p, size_t n)
{
    static const char *const words[HOW_N] = { "", "for HTML (&amp; in place of &)", "with backslashes",
        "by doubled quotes", "by quotes around them", "for URLs (%20)" };
    (void)n;
    sp_buf_printf(out, " %s, in the %s", words[p[0] < 0 ? -p[0] : p[0]], p[0] > 0 ? "target" : "source");
}

const struct sp_diag_class sp_diag_escapes[] = {
    { "escaped", SP_DIAG_SAME, 0.01, escaped, "texts are escaped", say,
        "one step escapes and the next does not undo it: bind values as parameters, and read a file with the "
        "dialect "
        "that it was written in" },
    { .name = NULL },
};
