/* pattern.c -- like and contains as regular expressions. Everything that could mean something to the expression is
 * written as its code; the end is \z, since $ also stands before a last line end. */
#include "providers/mongodb/internal.h"

static bool plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

static int put_char(struct sp_buf *out, char c)
{
    unsigned char u = (unsigned char)c;
    return plain(u) ? sp_buf_putc(out, c) : sp_buf_printf(out, "\\x%02x", u);
}

int mo_pattern_contains(struct sp_buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_char(out, p[i]);
    return out->oom ? -SP_E_NOMEM : 0;
}

static int put_part(struct sp_buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '_')
            sp_buf_putc(out, '.');
        else if (p[i] == '\\' && i + 1 < n)
            put_char(out, p[++i]);
        else
            put_char(out, p[i]);
    }
    return 0;
}

/* Up to the next % that is one; n if there's none. */
static size_t part_length(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && p[i] != '%')
        i += p[i] == '\\' && i + 1 < n ? 2 : 1;
    return i;
}

/* With the option s a point stands for any character, line ends too. What stands between two % may be taken where it is
 * found first, and never needs to be tried again: so it says (?>...), and the time grows with the text alone. */
int mo_pattern_like(struct sp_buf *out, const char *p, size_t n)
{
    size_t len = part_length(p, n);
    sp_buf_puts(out, "\\A");
    put_part(out, p, len);
    while (len < n) {
        p += len + 1;
        n -= len + 1;
        len = part_length(p, n);
        if (len == n) {
            sp_buf_puts(out, ".*");
            put_part(out, p, len);
        } else if (len > 0) {
            sp_buf_puts(out, "(?>.*?");
            put_part(out, p, len);
            sp_buf_putc(out, ')');
        }
    }
    sp_buf_puts(out, "\\z");
    return out->oom ? -SP_E_NOMEM : 0;
}
