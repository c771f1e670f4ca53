/* json.c -- strict reading of JSON and its canonical form, in one pass and without recursion.
 *
 * The canonical text grows in `out` while the input is read. The members of each open object are remembered with
 * the place of their text in `out`; when an object closes with its members out of order they are put in order there.
 * Names are kept unescaped, because order and duplicates are defined on them. */
#include "model/json.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "model/decimal.h"

struct member {
    size_t name, name_n; /* in reader.names */
    size_t from, to;     /* in reader.out: the quoted name up to the end of the value */
};

struct frame {
    bool object, sorted;
    size_t body;  /* in out, behind the bracket */
    size_t first; /* first member of this object */
    size_t names; /* reader.names.n when it was opened */
};

struct reader {
    const char *start, *p, *end;
    struct sp_buf *out;
    struct sp_buf names, scratch;
    struct member *members;
    size_t nmembers, cap;
    size_t depth;
    struct sp_arena digits;
    bool lenient; /* numbers without a canonical form keep their text: for checking only */
    struct sp_error *err;
    struct frame frames[SP_JSON_DEPTH]; /* last: not initialised */
};

static int bad(const struct reader *r, const char *what)
{
    return sp_invalid(r->err, "JSON is not valid at byte %zu: %s", (size_t)(r->p - r->start), what);
}

static void skip_blanks(struct reader *r)
{
    while (r->p != r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

/* --- strings --------------------------------------------------------------------------------------------------- */

static int hex4(struct reader *r, uint32_t *out)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++, r->p++) {
        char c = r->p != r->end ? *r->p : '\0';
        uint32_t d;
        if (c >= '0' && c <= '9')
            d = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            d = (uint32_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            d = (uint32_t)(c - 'A') + 10;
        else
            return bad(r, "four hexadecimal digits must follow \\u");
        v = v * 16 + d;
    }
    *out = v;
    return 0;
}

static void put_utf8(struct sp_buf *b, uint32_t c)
{
    char u[4];
    size_t n = 0;
    if (c < 0x80) {
        u[n++] = (char)c;
    } else if (c < 0x800) {
        u[n++] = (char)(0xc0 | c >> 6);
        u[n++] = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        u[n++] = (char)(0xe0 | c >> 12);
        u[n++] = (char)(0x80 | (c >> 6 & 0x3f));
        u[n++] = (char)(0x80 | (c & 0x3f));
    } else {
        u[n++] = (char)(0xf0 | c >> 18);
        u[n++] = (char)(0x80 | (c >> 12 & 0x3f));
        u[n++] = (char)(0x80 | (c >> 6 & 0x3f));
        u[n++] = (char)(0x80 | (c & 0x3f));
    }
    sp_buf_put(b, u, n);
}

/* Behind the backslash. */
static int read_escape(struct reader *r, struct sp_buf *raw)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *k = r->p != r->end && *r->p != '\0' ? strchr(from, *r->p) : NULL;
    if (k != NULL) {
        r->p++;
        return sp_buf_putc(raw, to[k - from]);
    }
    if (r->p == r->end || *r->p != 'u')
        return bad(r, "no such escape");
    r->p++;
    uint32_t c, low;
    int rc = hex4(r, &c);
    if (rc != 0)
        return rc;
    if (c >= 0xdc00 && c <= 0xdfff)
        return bad(r, "a low surrogate stands alone");
    if (c >= 0xd800 && c <= 0xdbff) {
        if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
            return bad(r, "a high surrogate stands alone");
        r->p += 2;
        rc = hex4(r, &low);
        if (rc != 0)
            return rc;
        if (low < 0xdc00 || low > 0xdfff)
            return bad(r, "a high surrogate is not followed by a low one");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    put_utf8(raw, c);
    return 0;
}

/* Appends the content of a string, unescaped. The input is known to be valid UTF-8. */
static int read_string(struct reader *r, struct sp_buf *raw)
{
    if (r->p == r->end || *r->p != '"')
        return bad(r, "a string was expected");
    r->p++;
    for (;;) {
        const char *run = r->p;
        while (r->p != r->end && *r->p != '"' && *r->p != '\\' && (uint8_t)*r->p >= 0x20)
            r->p++;
        sp_buf_put(raw, run, (size_t)(r->p - run));
        if (r->p == r->end)
            return bad(r, "a string is not closed");
        if (*r->p == '"') {
            r->p++;
            return 0;
        }
        if (*r->p != '\\')
            return bad(r, "a control character stands in a string");
        r->p++;
        int rc = read_escape(r, raw);
        if (rc != 0)
            return rc;
    }
}

static void put_string(struct sp_buf *out, const char *s, size_t n)
{
    static const char special[] = "\b\f\n\r\t", letter[] = "bfnrt";
    sp_buf_putc(out, '"');
    for (size_t i = 0; i < n;) {
        size_t run = i;
        while (i < n && (uint8_t)s[i] >= 0x20 && s[i] != '"' && s[i] != '\\')
            i++;
        sp_buf_put(out, s + run, i - run);
        if (i == n)
            break;
        const char *k = s[i] != '\0' ? strchr(special, s[i]) : NULL;
        if (s[i] == '"' || s[i] == '\\')
            sp_buf_printf(out, "\\%c", s[i]);
        else if (k != NULL)
            sp_buf_printf(out, "\\%c", letter[k - special]);
        else
            sp_buf_printf(out, "\\u%04x", (unsigned)(uint8_t)s[i]);
        i++;
    }
    sp_buf_putc(out, '"');
}

/* --- numbers and words ------------------------------------------------------------------------------------------- */

static size_t skip_digits(struct reader *r)
{
    const char *from = r->p;
    while (r->p != r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return (size_t)(r->p - from);
}

static int put_number(struct reader *r, const char *s, size_t n, bool integer)
{
    bool neg = s[0] == '-';
    if (integer && n <= 60 && !(neg && s[1] == '0'))
        return sp_buf_put(r->out, s, n); /* as sp_dec_print() would write it */
    struct sp_dec d;
    sp_arena_reset(&r->digits);
    int rc = sp_dec_parse(&r->digits, s, n, &d);
    if (rc == -SP_E_RANGE && r->lenient)
        return sp_buf_put(r->out, s, n);
    if (rc == -SP_E_RANGE)
        return sp_fail(r->err, SP_E_RANGE, SP_ORIGIN_HARNESS, "a JSON number at byte %zu has too many digits",
            (size_t)(s - r->start));
    if (rc != 0)
        return sp_nomem(r->err);
    if (d.ndigits == 0)
        return sp_buf_puts(r->out, neg ? "-0" : "0");
    return sp_dec_print(r->out, &d);
}

static int read_number(struct reader *r)
{
    const char *from = r->p;
    bool integer = true;
    if (*r->p == '-')
        r->p++;
    if (r->p != r->end && *r->p == '0')
        r->p++;
    else if (skip_digits(r) == 0)
        return bad(r, "a digit was expected");
    if (r->p != r->end && *r->p == '.') {
        integer = false;
        r->p++;
        if (skip_digits(r) == 0)
            return bad(r, "a digit must follow the point");
    }
    if (r->p != r->end && (*r->p == 'e' || *r->p == 'E')) {
        integer = false;
        r->p++;
        if (r->p != r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        if (skip_digits(r) == 0)
            return bad(r, "a digit must follow the exponent sign");
    }
    return put_number(r, from, (size_t)(r->p - from), integer);
}

static int read_word(struct reader *r)
{
    static const char *const words[] = { "true", "false", "null" };
    for (size_t i = 0; i < SP_LEN(words); i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(r->end - r->p) >= n && memcmp(r->p, words[i], n) == 0) {
            r->p += n;
            return sp_buf_put(r->out, words[i], n);
        }
    }
    return bad(r, "a value was expected");
}

static int read_scalar(struct reader *r)
{
    if (r->p == r->end)
        return bad(r, "the text ends where a value was expected");
    if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9'))
        return read_number(r);
    if (*r->p != '"')
        return read_word(r);
    size_t mark = r->names.n;
    int rc = read_string(r, &r->names);
    if (rc != 0 || r->names.oom)
        return rc;
    put_string(r->out, r->names.p + mark, r->names.n - mark);
    r->names.n = mark;
    return 0;
}

/* --- arrays and objects ------------------------------------------------------------------------------------------ */

static int order_names(const struct sp_buf *names, const struct member *a, const struct member *b)
{
    size_t n = a->name_n < b->name_n ? a->name_n : b->name_n;
    int c = n != 0 ? memcmp(names->p + a->name, names->p + b->name, n) : 0;
    if (c != 0)
        return c;
    return a->name_n < b->name_n ? -1 : (a->name_n > b->name_n ? 1 : 0);
}

static int order_members(const void *a, const void *b, void *names)
{
    return order_names(names, a, b);
}

static int add_member(struct reader *r, const struct member *m)
{
    if (r->nmembers == r->cap) {
        size_t cap = r->cap != 0 ? r->cap * 2 : 64;
        struct member *grown = cap > SIZE_MAX / sizeof *m ? NULL : realloc(r->members, cap * sizeof *m);
        if (grown == NULL)
            return sp_nomem(r->err);
        r->members = grown;
        r->cap = cap;
    }
    r->members[r->nmembers++] = *m;
    return 0;
}

/* Name and colon; the value comes next. */
static int read_name(struct reader *r)
{
    struct frame *f = &r->frames[r->depth - 1];
    struct member m = { .name = r->names.n, .from = r->out->n };
    skip_blanks(r);
    int rc = read_string(r, &r->names);
    if (rc != 0 || r->names.oom)
        return rc;
    m.name_n = r->names.n - m.name;
    put_string(r->out, r->names.p + m.name, m.name_n);
    skip_blanks(r);
    if (r->p == r->end || *r->p != ':')
        return bad(r, "a colon was expected");
    r->p++;
    sp_buf_putc(r->out, ':');
    if (r->nmembers > f->first && order_names(&r->names, &r->members[r->nmembers - 1], &m) >= 0)
        f->sorted = false;
    return add_member(r, &m);
}

static int sort_members(struct reader *r, const struct frame *f)
{
    struct member *m = r->members + f->first;
    size_t n = r->nmembers - f->first;
    qsort_r(m, n, sizeof *m, order_members, &r->names);
    sp_buf_clear(&r->scratch);
    for (size_t i = 0; i < n; i++) {
        if (i != 0 && order_names(&r->names, &m[i - 1], &m[i]) == 0)
            return bad(r, "an object has two members of one name");
        if (i != 0)
            sp_buf_putc(&r->scratch, ',');
        sp_buf_put(&r->scratch, r->out->p + m[i].from, m[i].to - m[i].from);
    }
    if (!r->scratch.oom)
        memcpy(r->out->p + f->body, r->scratch.p, r->scratch.n);
    return 0;
}

static int open_bracket(struct reader *r)
{
    if (r->depth == SP_JSON_DEPTH)
        return bad(r, "nested too deep");
    bool object = *r->p++ == '{';
    sp_buf_putc(r->out, object ? '{' : '[');
    r->frames[r->depth++] = (struct frame){ object, true, r->out->n, r->nmembers, r->names.n };
    return 0;
}

static int close_bracket(struct reader *r)
{
    struct frame *f = &r->frames[r->depth - 1];
    int rc = f->object && !f->sorted && !r->out->oom ? sort_members(r, f) : 0;
    if (rc != 0)
        return rc;
    r->p++;
    sp_buf_putc(r->out, f->object ? '}' : ']');
    r->nmembers = f->first;
    r->names.n = f->names;
    r->depth--;
    return 0;
}

/* Behind a value: commas, closing brackets and the end. *again says whether another value follows. */
static int after_value(struct reader *r, bool *again)
{
    while (r->depth != 0) {
        struct frame *f = &r->frames[r->depth - 1];
        if (f->object)
            r->members[r->nmembers - 1].to = r->out->n;
        skip_blanks(r);
        if (r->p == r->end)
            return bad(r, f->object ? "an object is not closed" : "an array is not closed");
        if (*r->p == ',') {
            r->p++;
            sp_buf_putc(r->out, ',');
            *again = true;
            return f->object ? read_name(r) : 0;
        }
        if (*r->p != (f->object ? '}' : ']'))
            return bad(r, "a comma or the end was expected");
        int rc = close_bracket(r);
        if (rc != 0)
            return rc;
    }
    *again = false;
    return 0;
}

/* One value, or an opening bracket with what belongs to it; *done says whether a whole value was read. */
static int read_value(struct reader *r, bool *done)
{
    skip_blanks(r);
    *done = true;
    if (r->p == r->end || (*r->p != '{' && *r->p != '['))
        return read_scalar(r);
    bool object = *r->p == '{';
    int rc = open_bracket(r);
    if (rc != 0)
        return rc;
    skip_blanks(r);
    if (r->p != r->end && *r->p == (object ? '}' : ']'))
        return close_bracket(r);
    *done = false;
    return object ? read_name(r) : 0;
}

static int read_text(struct reader *r)
{
    bool again = true;
    size_t at = sp_utf8_bad_at(r->start, (size_t)(r->end - r->start));
    r->p = r->start + at;
    if (r->p != r->end)
        return bad(r, "not UTF-8");
    r->p = r->start;
    while (again) {
        bool done;
        int rc = read_value(r, &done);
        if (rc == 0 && done)
            rc = after_value(r, &again);
        if (rc != 0)
            return rc;
        if (r->out->oom || r->names.oom || r->scratch.oom)
            return sp_nomem(r->err);
    }
    skip_blanks(r);
    return r->p != r->end ? bad(r, "something follows the value") : 0;
}

static int canonical(struct sp_buf *out, const char *p, size_t n, bool lenient, struct sp_error *err)
{
    if (n == 0)
        return sp_invalid(err, "JSON is not valid at byte 0: the text is empty");
    struct reader *r = malloc(sizeof *r);
    if (r == NULL)
        return sp_nomem(err);
    memset(r, 0, offsetof(struct reader, frames));
    size_t mark = out->n;
    r->start = r->p = p;
    r->end = p + n;
    r->out = out;
    r->lenient = lenient;
    r->err = err;
    int rc = sp_buf_reserve(&r->names, 256) != 0 ? sp_nomem(err) : read_text(r);
    if (rc != 0 && out->p != NULL) { /* nothing is left behind by a failure */
        out->n = mark;
        out->p[mark] = '\0';
    }
    sp_buf_free(&r->names);
    sp_buf_free(&r->scratch);
    sp_arena_free(&r->digits);
    free(r->members);
    free(r);
    return rc;
}

int sp_json_canonical(struct sp_buf *out, const char *p, size_t n, struct sp_error *err)
{
    return canonical(out, p, n, false, err);
}

int sp_json_check(const char *p, size_t n, struct sp_error *err)
{
    struct sp_buf out = SP_BUF_INIT;
    int rc = canonical(&out, p, n, true, err);
    sp_buf_free(&out);
    return rc;
}

int sp_json_quote(struct sp_buf *out, const void *p, size_t n)
{
    if (sp_utf8_valid(p, n)) {
        put_string(out, p, n);
    } else {
        char *clean = sp_utf8_clean(p, n, false);
        if (clean == NULL)
            out->oom = true;
        else
            put_string(out, clean, strlen(clean));
        free(clean);
    }
    return out->oom ? -SP_E_NOMEM : 0;
}
