/* diagnose_text.c -- what happens to text on its way: encodings, normal forms, case, blanks, length, escapes. */
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/str.h"
#include "verify/diagnose.h"

static bool texts(const struct sp_diag_cell *c)
{
    return c->v[0].tag == SP_TEXT && c->v[1].tag == SP_TEXT;
}

static bool is(const struct sp_buf *b, const struct sp_value *v)
{
    return !b->oom && b->n == v->u.str.n && (b->n == 0 || memcmp(b->p, v->u.str.p, b->n) == 0);
}

static bool same(const char *a, size_t an, const char *b, size_t bn)
{
    return an == bn && (an == 0 || memcmp(a, b, an) == 0);
}

static size_t chars(const char *p, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        k += ((unsigned char)p[i] & 0xc0) != 0x80;
    return k;
}

static size_t char_len(const char *p, size_t n)
{
    size_t k = 1;
    while (k < n && ((unsigned char)p[k] & 0xc0) == 0x80)
        k++;
    return k;
}

/* ---- encodings ---------------------------------------------------------------------------------------------------- */

/* Windows' names for 0x80 .. 0x9f; what it leaves open stays as it is. */
static const uint16_t cp1252[32] = { 0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,
    0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013,
    0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178 };

/* UTF-8 taken for Latin-1 or Windows-1252, and encoded once more. */
static void misread(struct sp_buf *out, const char *p, size_t n, bool windows)
{
    for (size_t i = 0; i < n; i++) {
        utf8proc_uint8_t u[4];
        int32_t ch = (unsigned char)p[i];
        if (windows && ch >= 0x80 && ch < 0xa0)
            ch = cp1252[ch - 0x80];
        sp_buf_put(out, u, (size_t)utf8proc_encode_char(ch, u));
    }
}

static bool twice_encoded(const struct sp_value *from, const struct sp_value *to, int64_t *times)
{
    bool found = false;
    for (int windows = 0; windows < 2 && !found; windows++) {
        struct sp_buf once = SP_BUF_INIT, again = SP_BUF_INIT;
        misread(&once, from->u.str.p, from->u.str.n, windows != 0);
        *times = 1;
        found = is(&once, to);
        if (!found && once.n < to->u.str.n) {
            misread(&again, once.p, once.n, windows != 0);
            *times = 2;
            found = is(&again, to);
        }
        sp_buf_free(&once);
        sp_buf_free(&again);
    }
    return found;
}

static bool double_utf8(struct sp_diag_cell *c, int64_t *param)
{
    int64_t times;
    if (!texts(c))
        return false;
    if (twice_encoded(&c->v[0], &c->v[1], &times)) {
        *param = times;
        return true;
    }
    *param = -1;
    return twice_encoded(&c->v[1], &c->v[0], &times);
}

static void say_utf8(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == -1  ? ": in the source; the target has it right"
                     : p[0] == 2 ? ": twice over, in the target"
                                 : ": in the target");
}

enum { LOST_MARK = 1, LOST_MARKS, LOST_FFFD, LOST_DROPPED };

/* Every character beyond ASCII is either kept or replaced in one way. */
static bool replaced(const struct sp_value *s, const struct sp_value *t, int64_t how)
{
    const char *p = s->u.str.p, *q = t->u.str.p;
    size_t n = s->u.str.n, m = t->u.str.n, lost = 0;
    while (n > 0) {
        size_t k = char_len(p, n), with = how == LOST_DROPPED ? 0
                                          : how == LOST_FFFD  ? 3
                                          : how == LOST_MARK  ? 1
                                                              : k;
        const char *by = how == LOST_FFFD ? "\xef\xbf\xbd" : "????";
        if (k <= m && memcmp(p, q, k) == 0) {
            q += k;
            m -= k;
        } else if ((unsigned char)*p >= 0x80 && with <= m && with <= 4 && memcmp(q, by, with) == 0) {
            lost++;
            q += with;
            m -= with;
        } else {
            return false;
        }
        p += k;
        n -= k;
    }
    return m == 0 && lost > 0;
}

static bool lost_characters(struct sp_diag_cell *c, int64_t *param)
{
    for (*param = LOST_MARK; texts(c) && *param <= LOST_DROPPED; (*param)++)
        if (replaced(&c->v[0], &c->v[1], *param))
            return true;
    return false;
}

static void say_lost(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == LOST_FFFD      ? " became U+FFFD"
                     : p[0] == LOST_DROPPED ? " were dropped"
                                            : " became question marks");
}

static utf8proc_uint8_t *mapped(const struct sp_value *v, int options, size_t *n)
{
    utf8proc_uint8_t *out = NULL;
    if (v->u.str.n > (1u << 20)) /* a cause shows in short texts, too */
        return NULL;
    utf8proc_ssize_t k = utf8proc_map(
        (const utf8proc_uint8_t *)v->u.str.p, (utf8proc_ssize_t)v->u.str.n, &out, (utf8proc_option_t)options);
    *n = k > 0 ? (size_t)k : 0;
    if (k < 0) {
        free(out);
        return NULL;
    }
    return out;
}

static bool map_is(const struct sp_value *v, int options, const struct sp_value *want)
{
    size_t n;
    utf8proc_uint8_t *m = mapped(v, options, &n);
    bool yes = m != NULL && same((const char *)m, n, want->u.str.p, want->u.str.n);
    free(m);
    return yes;
}

static bool map_equal(const struct sp_diag_cell *c, int options)
{
    size_t n[2] = { 0, 0 };
    utf8proc_uint8_t *s = mapped(&c->v[0], options, &n[0]), *t = mapped(&c->v[1], options, &n[1]);
    bool yes = s != NULL && t != NULL && same((char *)s, n[0], (char *)t, n[1]);
    free(s);
    free(t);
    return yes;
}

static bool accents(struct sp_diag_cell *c, int64_t *param)
{
    *param = 0;
    return texts(c) && c->v[1].u.str.n < c->v[0].u.str.n &&
           map_is(&c->v[0], UTF8PROC_COMPOSE | UTF8PROC_STRIPMARK | UTF8PROC_STABLE, &c->v[1]);
}

static bool normal_form(struct sp_diag_cell *c, int64_t *param)
{
    if (!texts(c))
        return false;
    *param = map_is(&c->v[1], UTF8PROC_COMPOSE | UTF8PROC_STABLE, &c->v[1]) ? 1 : 2;
    if (map_equal(c, UTF8PROC_COMPOSE | UTF8PROC_STABLE))
        return true;
    *param = 3;
    return map_equal(c, UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_STABLE);
}

static void say_form(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == 1   ? ": the target has composed characters (NFC), the source others"
                     : p[0] == 2 ? ": the target has characters taken apart (NFD), the source others"
                                 : ": compatibility characters were replaced (NFKC)");
}

/* ---- case and blanks -------------------------------------------------------------------------------------------------- */

static bool cased(
    const struct sp_value *from, const struct sp_value *to, utf8proc_int32_t (*f)(utf8proc_int32_t))
{
    struct sp_buf out = SP_BUF_INIT;
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)from->u.str.p;
    utf8proc_ssize_t left = (utf8proc_ssize_t)from->u.str.n;
    while (left > 0) {
        utf8proc_int32_t ch;
        utf8proc_uint8_t u[4];
        utf8proc_ssize_t k = utf8proc_iterate(p, left, &ch);
        if (k <= 0)
            break;
        sp_buf_put(&out, u, (size_t)utf8proc_encode_char(f(ch), u));
        p += k;
        left -= k;
    }
    bool yes = left == 0 && is(&out, to);
    sp_buf_free(&out);
    return yes;
}

static bool letter_case(struct sp_diag_cell *c, int64_t *param)
{
    if (!texts(c))
        return false;
    *param = 1;
    if (cased(&c->v[0], &c->v[1], utf8proc_tolower))
        return true;
    *param = 2;
    if (cased(&c->v[0], &c->v[1], utf8proc_toupper))
        return true;
    *param = 3;
    return map_equal(c, UTF8PROC_CASEFOLD);
}

static void say_case(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == 1   ? ": the target is in small letters"
                     : p[0] == 2 ? ": the target is in capitals"
                                 : "");
}

static bool blank(char ch)
{
    return ch == ' ' || ch == '\t';
}

static void trimmed(const struct sp_value *v, bool front, const char **p, size_t *n)
{
    *p = v->u.str.p;
    *n = v->u.str.n;
    while (*n > 0 && blank((*p)[*n - 1]))
        (*n)--;
    for (; front && *n > 0 && blank(**p); (*n)--)
        (*p)++;
}

static bool padding(struct sp_diag_cell *c, int64_t *param)
{
    const char *p[2];
    size_t n[2];
    if (!texts(c))
        return false;
    for (int front = 0; front < 2; front++) {
        for (int i = 0; i < 2; i++)
            trimmed(&c->v[i], front != 0, &p[i], &n[i]);
        *param = front != 0 ? 3 : c->v[1].u.str.n > c->v[0].u.str.n ? 1 : 2;
        if (same(p[0], n[0], p[1], n[1]))
            return true;
    }
    return false;
}

static void say_padding(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == 1   ? "the target has more of them at the end, as a CHAR(n) column adds"
                     : p[0] == 2 ? "those at the end are gone"
                                 : "those around the text differ");
}

static void unix_lines(struct sp_buf *out, const struct sp_value *v)
{
    for (size_t i = 0; i < v->u.str.n; i++) {
        char ch = v->u.str.p[i];
        if (ch == '\r' && i + 1 < v->u.str.n && v->u.str.p[i + 1] == '\n')
            continue;
        sp_buf_putc(out, ch == '\r' ? '\n' : ch);
    }
}

static bool line_ends(struct sp_diag_cell *c, int64_t *param)
{
    struct sp_buf l[2] = { SP_BUF_INIT, SP_BUF_INIT };
    bool yes = false;
    if (!texts(c))
        return false;
    for (int i = 0; i < 2; i++)
        unix_lines(&l[i], &c->v[i]);
    if (!l[0].oom && !l[1].oom) {
        *param = c->v[1].u.str.n > c->v[0].u.str.n ? 1 : 2;
        yes = same(l[0].p, l[0].n, l[1].p, l[1].n);
        for (int i = 0; i < 2; i++)
            while (l[i].n > 0 && l[i].p[l[i].n - 1] == '\n')
                l[i].n--;
        if (!yes) {
            *param += 2;
            yes = same(l[0].p, l[0].n, l[1].p, l[1].n);
        }
    }
    sp_buf_free(&l[0]);
    sp_buf_free(&l[1]);
    return yes;
}

static void say_lines(struct sp_buf *out, const int64_t *p, size_t n)
{
    static const char *const words[] = { "", ": the target has CR LF where the source has LF",
        ": the target has LF where the source has CR LF", ": the target has one more at the end",
        ": the one at the end is gone" };
    (void)n;
    sp_buf_puts(out, words[p[0]]);
}

/* ---- length ----------------------------------------------------------------------------------------------------------- */

static bool prefix(const struct sp_diag_cell *c)
{
    bool octets = c->v[0].tag == SP_BYTES && c->v[1].tag == SP_BYTES;
    size_t n = c->v[1].u.str.n;
    return (texts(c) || octets) && n > 0 && n < c->v[0].u.str.n &&
           memcmp(c->v[0].u.str.p, c->v[1].u.str.p, n) == 0;
}

static bool cut_characters(struct sp_diag_cell *c, int64_t *param)
{
    if (!prefix(c) || !texts(c))
        return false;
    *param = (int64_t)chars(c->v[1].u.str.p, c->v[1].u.str.n);
    return true;
}

/* At a number of bytes; a character that would be cut in two may be left out. */
static bool cut_bytes(struct sp_diag_cell *c, int64_t *param)
{
    if (!prefix(c))
        return false;
    size_t n = c->v[1].u.str.n, next = char_len(c->v[0].u.str.p + n, c->v[0].u.str.n - n);
    static const unsigned usual[] = { 16, 20, 30, 32, 40, 50, 60, 64, 80, 100, 120, 128, 200, 255, 256, 500,
        512, 1000, 1024, 2000, 2048, 4000, 4096, 8000, 8192, 32767, 65535, 65536 };
    *param = (int64_t)n;
    for (size_t i = 0; texts(c) && i < SP_LEN(usual); i++)
        if (n < usual[i] && n + next > usual[i])
            *param = usual[i];
    return true;
}

static void say_cut(struct sp_buf *out, const int64_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sp_buf_printf(out, "%s%lld", i == 0 ? " " : " or ", (long long)p[i]);
}
static void say_characters(struct sp_buf *out, const int64_t *p, size_t n)
{
    say_cut(out, p, n);
    sp_buf_puts(out, " characters");
}
static void say_bytes(struct sp_buf *out, const int64_t *p, size_t n)
{
    say_cut(out, p, n);
    sp_buf_puts(out, " bytes");
}

static bool cut_at(struct sp_diag_cell *c, int64_t *param)
{
    if (!texts(c) || c->v[1].u.str.n >= c->v[0].u.str.n ||
        (c->v[1].u.str.n > 0 && memcmp(c->v[0].u.str.p, c->v[1].u.str.p, c->v[1].u.str.n) != 0))
        return false;
    const char *rest = c->v[0].u.str.p + c->v[1].u.str.n;
    *param = *rest == '\0' ? 1 : 2;
    return *rest == '\0' || (unsigned char)*rest >= 0xf0;
}

static void say_cut_at(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == 1
                         ? "the first NUL character, where a text ends in C"
                         : "the first character outside of the basic plane (emoji), as MySQL's utf8 does");
}

static bool became_empty(struct sp_diag_cell *c, int64_t *param)
{
    *param = 0;
    return texts(c) && c->v[1].u.str.n == 0;
}

const struct sp_diag_class sp_diag_texts[] = {
    { "double_utf8", SP_DIAG_FREE, 0.005, double_utf8,
        "UTF-8 was taken for Latin-1 or Windows-1252 and encoded once more", say_utf8,
        "set the encoding of client and file to UTF-8 on the way (client_encoding, charset=utf8mb4), and "
        "load again; "
        "what is already there can be turned back byte by byte" },
    { "lost_characters", SP_DIAG_FREE, 0.005, lost_characters, "characters beyond ASCII or Latin-1", say_lost,
        "a step on the way cannot hold them: use UTF-8 throughout and load again, for the target has lost "
        "them" },
    { "accents_stripped", SP_DIAG_FREE, 0.01, accents, "letters lost their accents", NULL,
        "a transliteration or a cast to ASCII stands in the way: take it out and load again" },
    { "unicode_form", SP_DIAG_FREE, 0.005, normal_form, "the same text in another Unicode normal form",
        say_form, "normalise on both sides or on neither (file systems and some drivers do it unasked)" },
    { "letter_case", SP_DIAG_FREE, 0.02, letter_case, "only the case of letters differs", say_case,
        "take lower() or upper() out of the load; where the case never counted (e-mail, NOCASE), compare "
        "what is "
        "looked up by it" },
    { "padding", SP_DIAG_FREE, 0.02, padding, "only blanks differ: ", say_padding,
        "use a text type that does not pad (varchar, text), or name the rule in the mapping (trim_padding, "
        "pad_to_length)" },
    { "line_ends", SP_DIAG_FREE, 0.01, line_ends, "only ends of lines differ", say_lines,
        "copy in binary: a text mode or an editor on the way changes ends of lines" },
    { "cut_characters", SP_DIAG_SAME, 0.25, cut_characters, "texts are cut off at", say_characters,
        "make the target's column as wide as the source's and load again" },
    { "cut_bytes", SP_DIAG_SAME, 0.26, cut_bytes, "content is cut off at", say_bytes,
        "make the target's column as wide as the source's and load again; check buffers of the tool "
        "between" },
    { "cut_at_character", SP_DIAG_FREE, 0.03, cut_at, "texts end at ", say_cut_at,
        "use a path that carries every character (utf8mb4, counted strings), and load again" },
    { "became_empty", SP_DIAG_FREE, 0.1, became_empty, "texts became empty", NULL,
        "the column was not filled: look at its place in the export and in the load" },
    { .name = NULL },
};
