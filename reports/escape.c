/* escape.c -- see escape.h. */
#include "reports/escape.h"

#include <string.h>

/* Length of the UTF-8 character at s, and its code point; 1 for a byte that is none (never in valid input). */
static size_t next_char(const char *s, uint32_t *cp)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n == 1 || p[0] < 0xc0) {
        *cp = p[0];
        return 1;
    }
    *cp = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            *cp = p[0];
            return 1;
        }
        *cp = *cp << 6 | (p[i] & 0x3fu);
    }
    return n;
}

/* Not allowed in XML 1.0, or able to show a text other than it is. */
static bool is_hidden(uint32_t c)
{
    return c == 0xad || c == 0x61c || c == 0x180e || c == 0x2028 || c == 0x2029 ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f) ||
           (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0) || c == 0xfffe || c == 0xffff ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
           c == 0xfeff;
}

void rd_xml(struct sp_buf *out, const char *s)
{
    while (*s != '\0') {
        uint32_t c;
        size_t n = next_char(s, &c);
        if (c == '&')
            sp_buf_puts(out, "&amp;");
        else if (c == '<')
            sp_buf_puts(out, "&lt;");
        else if (c == '>')
            sp_buf_puts(out, "&gt;");
        else if (c == '"')
            sp_buf_puts(out, "&quot;");
        else if (c == '\'')
            sp_buf_puts(out, "&#39;");
        else if (is_hidden(c))
            sp_buf_printf(out, "\\u{%04X}", (unsigned)c);
        else
            sp_buf_put(out, s, n);
        s += n;
    }
}

void rd_md(struct sp_buf *out, const char *s)
{
    while (*s != '\0') {
        uint32_t c;
        size_t n = next_char(s, &c);
        if (c == '<')
            sp_buf_puts(out, "&lt;");
        else if (c == '>')
            sp_buf_puts(out, "&gt;");
        else if (c == '&')
            sp_buf_puts(out, "&amp;");
        else if (c < 0x80 && strchr("\\`*_[]|#~", (int)c) != NULL)
            sp_buf_printf(out, "\\%c", (char)c);
        else if (c == '\n' || c == '\t')
            sp_buf_putc(out, ' ');
        else if (is_hidden(c))
            sp_buf_printf(out, "\\\\u{%04X}", (unsigned)c);
        else
            sp_buf_put(out, s, n);
        s += n;
    }
}

void rd_plain(struct sp_buf *out, const char *s)
{
    while (*s != '\0') {
        uint32_t c;
        size_t n = next_char(s, &c);
        if (c == '\n')
            sp_buf_puts(out, "\\n");
        else if (c == '\t')
            sp_buf_puts(out, "\\t");
        else if (is_hidden(c))
            sp_buf_printf(out, "\\u{%04X}", (unsigned)c);
        else
            sp_buf_put(out, s, n);
        s += n;
    }
}

void rd_md_code(struct sp_buf *out, const char *s)
{
    /* A fence longer than any run of backticks inside. */
    size_t longest = 0, run = 0;
    for (const char *p = s; *p != '\0'; p++) {
        run = *p == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    for (size_t i = 0; i <= longest; i++)
        sp_buf_putc(out, '`');
    sp_buf_putc(out, ' ');
    rd_plain(out, s);
    sp_buf_putc(out, ' ');
    for (size_t i = 0; i <= longest; i++)
        sp_buf_putc(out, '`');
}
