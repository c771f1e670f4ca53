/* reader.c -- a state machine over bytes; nothing is looked at twice, nothing recurses. */
#include "providers/lib/json/reader.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/str.h"
#include "model/json.h"

enum state {
    VALUE,       /* a value must come */
    FIRST_VALUE, /* behind '[': a value or ']' */
    FIRST_NAME,  /* behind '{': a name or '}' */
    NAME,        /* behind a comma in an object */
    COLON,
    AFTER, /* behind a value */
    STRING,
    ESCAPE,
    HEX,
    LOW,   /* a backslash must come: behind a high surrogate */
    LOW_U, /* and its u */
    NUMBER,
    WORD
};

struct level {
    bool object;
    size_t members; /* first digest of this object */
};

struct sp_json_reader {
    sp_json_fn fn;
    void *payload;
    enum state state;
    bool name;  /* the string is a member's name */
    bool began; /* a value came, or has begun */
    int failed;
    uint64_t at; /* bytes before the piece */
    struct sp_buf token;
    uint32_t code, high;
    unsigned digits;
    const char *word;
    XXH128_hash_t *members;
    size_t nmembers, cap;
    size_t depth;
    struct level levels[SP_JSON_DEPTH];
};

struct sp_json_reader *sp_json_reader_new(sp_json_fn fn, void *payload)
{
    struct sp_json_reader *r = calloc(1, sizeof *r);
    if (r != NULL) {
        r->fn = fn;
        r->payload = payload;
    }
    return r;
}

void sp_json_reader_free(struct sp_json_reader *r)
{
    if (r == NULL)
        return;
    sp_buf_free(&r->token);
    free(r->members);
    free(r);
}

static int bad(struct sp_json_reader *r, size_t at, const char *what, struct sp_error *err)
{
    r->failed = sp_invalid(err, "JSON is not valid at byte %llu: %s", (unsigned long long)(r->at + at), what);
    return r->failed;
}

/* --- members of one name ------------------------------------------------------------------------------------------ */

static int by_digest(const void *a, const void *b)
{
    return XXH128_cmp(a, b);
}

static int remember(struct sp_json_reader *r, const char *p, size_t n)
{
    if (r->nmembers == r->cap) {
        size_t cap = r->cap != 0 ? r->cap * 2 : 64;
        void *grown =
            cap > SIZE_MAX / sizeof *r->members ? NULL : realloc(r->members, cap * sizeof *r->members);
        if (grown == NULL)
            return -SP_E_NOMEM;
        r->members = grown;
        r->cap = cap;
    }
    r->members[r->nmembers++] = XXH3_128bits(p, n);
    return 0;
}

static bool has_double(struct sp_json_reader *r, const struct level *l)
{
    XXH128_hash_t *m = r->members + l->members;
    size_t n = r->nmembers - l->members;
    if (n <= 12) { /* a row */
        for (size_t i = 1; i < n; i++)
            for (size_t k = 0; k < i; k++)
                if (m[i].low64 == m[k].low64 && m[i].high64 == m[k].high64)
                    return true;
        return false;
    }
    qsort(m, n, sizeof *m, by_digest);
    for (size_t i = 1; i < n; i++)
        if (XXH128_isEqual(m[i - 1], m[i]))
            return true;
    return false;
}

/* --- tokens ---------------------------------------------------------------------------------------------------------- */

static int give(struct sp_json_reader *r, enum sp_json_token t, const char *p, size_t n)
{
    r->failed = r->fn(r->payload, t, r->depth, p, n);
    return r->failed;
}

static int open_level(struct sp_json_reader *r, bool object, size_t at, struct sp_error *err)
{
    if (r->depth == SP_JSON_DEPTH)
        return bad(r, at, "nested too deep", err);
    int ret = give(r, object ? SP_JT_OBJECT : SP_JT_ARRAY, NULL, 0);
    r->levels[r->depth++] = (struct level){ object, r->nmembers };
    r->state = object ? FIRST_NAME : FIRST_VALUE;
    return ret;
}

static int close_level(struct sp_json_reader *r, size_t at, struct sp_error *err)
{
    const struct level *l = &r->levels[--r->depth];
    if (l->object && has_double(r, l))
        return bad(r, at, "an object has two members of one name", err);
    r->nmembers = l->members;
    r->state = AFTER;
    return give(r, l->object ? SP_JT_OBJECT_END : SP_JT_ARRAY_END, NULL, 0);
}

static int end_string(struct sp_json_reader *r, const char *p, size_t n, size_t at, struct sp_error *err)
{
    if (!sp_utf8_valid(p, n))
        return bad(r, at, "a string before it is not UTF-8", err);
    if (!r->name) {
        r->state = AFTER;
        return give(r, SP_JT_STRING, p, n);
    }
    r->state = COLON;
    if (remember(r, p, n) != 0)
        return r->failed = sp_nomem(err);
    return give(r, SP_JT_NAME, p, n);
}

static const char *digits(const char *p)
{
    return p + strspn(p, "0123456789");
}

/* -? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)? */
static bool number_ok(const char *p)
{
    const char *q;
    if (*p == '-')
        p++;
    q = *p == '0' ? p + 1 : digits(p);
    if (q == p)
        return false;
    if (*q == '.') {
        p = q + 1;
        q = digits(p);
        if (q == p)
            return false;
    }
    if (*q == 'e' || *q == 'E') {
        p = q + 1 + (q[1] == '+' || q[1] == '-');
        q = digits(p);
        if (q == p)
            return false;
    }
    return *q == '\0';
}

static int end_number(struct sp_json_reader *r, size_t at, struct sp_error *err)
{
    if (r->token.oom)
        return r->failed = sp_nomem(err);
    if (!number_ok(r->token.p))
        return bad(r, at, "a number before it is malformed", err);
    r->state = AFTER;
    return give(r, SP_JT_NUMBER, r->token.p, r->token.n);
}

static void begin_string(struct sp_json_reader *r, bool name)
{
    sp_buf_clear(&r->token);
    r->name = name;
    r->state = STRING;
}

static int begin_value(struct sp_json_reader *r, char c, size_t at, struct sp_error *err)
{
    static const char *const words[] = { "true", "false", "null" };
    r->began = true;
    if (c == '"') {
        begin_string(r, false);
    } else if (c == '{' || c == '[') {
        return open_level(r, c == '{', at, err);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        sp_buf_clear(&r->token);
        sp_buf_putc(&r->token, c);
        r->state = NUMBER;
    } else {
        for (size_t i = 0; i < SP_LEN(words); i++)
            if (c == words[i][0]) {
                r->word = words[i];
                r->digits = 1;
                r->state = WORD;
                return 0;
            }
        return bad(r, at, "a value was expected", err);
    }
    return 0;
}

/* Between tokens. */
static int structure(struct sp_json_reader *r, char c, size_t at, struct sp_error *err)
{
    const struct level *l = r->depth > 0 ? &r->levels[r->depth - 1] : NULL;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
        return 0;
    switch (r->state) {
    case FIRST_VALUE:
        if (c == ']')
            return close_level(r, at, err);
        return begin_value(r, c, at, err);
    case VALUE:
        return begin_value(r, c, at, err);
    case FIRST_NAME:
        if (c == '}')
            return close_level(r, at, err);
        __attribute__((fallthrough));
    case NAME:
        if (c != '"')
            return bad(r, at, "a member's name was expected", err);
        begin_string(r, true);
        return 0;
    case COLON:
        if (c != ':')
            return bad(r, at, "a colon was expected", err);
        r->state = VALUE;
        return 0;
    default: /* AFTER */
        if (l == NULL)
            return bad(r, at, "something follows the value", err);
        if (c == (l->object ? '}' : ']'))
            return close_level(r, at, err);
        if (c != ',')
            return bad(r, at, "a comma or the end was expected", err);
        r->state = l->object ? NAME : VALUE;
        return 0;
    }
}

/* --- escapes ---------------------------------------------------------------------------------------------------------- */

static void put_utf8(struct sp_buf *b, uint32_t c)
{
    if (c < 0x80) {
        sp_buf_putc(b, (char)c);
        return;
    }
    unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t first[] = { 0, 0xc0, 0xe0, 0xf0 };
    sp_buf_putc(b, (char)(first[more] | c >> (6 * more)));
    while (more-- > 0)
        sp_buf_putc(b, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

static int end_code(struct sp_json_reader *r, size_t at, struct sp_error *err)
{
    uint32_t c = r->code;
    r->state = STRING;
    if (r->high != 0) {
        if (c < 0xdc00 || c > 0xdfff)
            return bad(r, at, "a high surrogate is not followed by a low one", err);
        c = 0x10000 + ((r->high - 0xd800) << 10) + (c - 0xdc00);
        r->high = 0;
    } else if (c >= 0xdc00 && c <= 0xdfff) {
        return bad(r, at, "a low surrogate stands alone", err);
    } else if (c >= 0xd800 && c <= 0xdbff) {
        r->high = c;
        r->state = LOW;
        return 0;
    }
    put_utf8(&r->token, c);
    return 0;
}

static int escaped(struct sp_json_reader *r, char c, size_t at, struct sp_error *err)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *k;
    switch (r->state) {
    case LOW:
    case LOW_U:
        if (c != (r->state == LOW ? '\\' : 'u'))
            return bad(r, at, "a high surrogate stands alone", err);
        r->state = r->state == LOW ? LOW_U : HEX;
        r->code = r->digits = 0;
        return 0;
    case ESCAPE:
        if (c == 'u') {
            r->state = HEX;
            r->code = r->digits = 0;
            return 0;
        }
        k = c != '\0' ? strchr(from, c) : NULL;
        if (k == NULL)
            return bad(r, at, "no such escape", err);
        r->state = STRING;
        sp_buf_putc(&r->token, to[k - from]);
        return 0;
    default: /* HEX */
        k = strchr("0123456789abcdef", c >= 'A' && c <= 'F' ? c + 32 : c);
        if (c == '\0' || k == NULL)
            return bad(r, at, "four hexadecimal digits must follow \\u", err);
        r->code = r->code * 16 + (uint32_t)(c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        return ++r->digits == 4 ? end_code(r, at, err) : 0;
    }
}

/* --- runs --------------------------------------------------------------------------------------------------------------- */

/* The plain part of a string; returns how many bytes were used. */
static size_t string_run(struct sp_json_reader *r, const char *p, size_t n, size_t at, struct sp_error *err)
{
    size_t i = 0;
    while (i < n && p[i] != '"' && p[i] != '\\' && (uint8_t)p[i] >= 0x20)
        i++;
    if (i < n && p[i] == '"' && r->token.n == 0) { /* whole in this piece: no copy */
        (void)end_string(r, p, i, at + i, err);
        return i + 1;
    }
    sp_buf_put(&r->token, p, i);
    if (r->token.oom) {
        r->failed = sp_nomem(err);
        return i;
    }
    if (i == n)
        return i;
    if (p[i] == '"')
        (void)end_string(r, r->token.p != NULL ? r->token.p : "", r->token.n, at + i, err);
    else if (p[i] == '\\')
        r->state = ESCAPE;
    else
        (void)bad(r, at + i, "a control character stands in a string", err);
    return i + 1;
}

static size_t number_run(struct sp_json_reader *r, const char *p, size_t n, size_t at, struct sp_error *err)
{
    size_t i = 0;
    while (i < n && ((p[i] >= '0' && p[i] <= '9') || p[i] == '.' || p[i] == 'e' || p[i] == 'E' ||
                        p[i] == '+' || p[i] == '-'))
        i++;
    sp_buf_put(&r->token, p, i);
    if (i < n)
        (void)end_number(r, at + i, err);
    return i;
}

static size_t word_run(struct sp_json_reader *r, const char *p, size_t n, size_t at, struct sp_error *err)
{
    size_t i = 0;
    while (i < n && r->word[r->digits] != '\0') {
        if (p[i] != r->word[r->digits]) {
            (void)bad(r, at + i, "a value was expected", err);
            return i;
        }
        r->digits++;
        i++;
    }
    if (r->word[r->digits] == '\0') {
        r->state = AFTER;
        (void)give(r, r->word[0] == 't' ? SP_JT_TRUE : r->word[0] == 'f' ? SP_JT_FALSE : SP_JT_NULL, NULL, 0);
    }
    return i;
}

int sp_json_push(struct sp_json_reader *r, const void *bytes, size_t n, struct sp_error *err)
{
    const char *p = bytes;
    if (r->failed != 0)
        return err != NULL && err->code == SP_E_OK ? bad(r, 0, "it failed before", err) : r->failed;
    for (size_t i = 0; i < n && r->failed == 0;) {
        switch (r->state) {
        case STRING:
            i += string_run(r, p + i, n - i, i, err);
            break;
        case NUMBER:
            i += number_run(r, p + i, n - i, i, err);
            break;
        case WORD:
            i += word_run(r, p + i, n - i, i, err);
            break;
        case ESCAPE:
        case HEX:
        case LOW:
        case LOW_U:
            (void)escaped(r, p[i], i, err);
            i++;
            break;
        default:
            (void)structure(r, p[i], i, err);
            i++;
        }
    }
    r->at += n;
    return r->failed;
}

int sp_json_finish(struct sp_json_reader *r, struct sp_error *err)
{
    if (r->failed != 0)
        return sp_json_push(r, NULL, 0, err);
    if (r->state == NUMBER && end_number(r, 0, err) != 0)
        return r->failed;
    if (r->state != AFTER || r->depth != 0)
        return bad(r, 0, r->began ? "the text ends in the middle" : "the text is empty", err);
    return 0;
}

int sp_json_read(const void *p, size_t n, sp_json_fn fn, void *payload, struct sp_error *err)
{
    struct sp_json_reader *r = sp_json_reader_new(fn, payload);
    if (r == NULL)
        return sp_nomem(err);
    int ret = sp_json_push(r, p, n, err);
    if (ret == 0)
        ret = sp_json_finish(r, err);
    sp_json_reader_free(r);
    return ret;
}

/* --- one member --------------------------------------------------------------------------------------------------------- */

struct wanted {
    const char *name;
    char *out;
    size_t size;
    bool object, here;
};

static int take_member(void *payload, enum sp_json_token t, size_t depth, const char *p, size_t n)
{
    struct wanted *w = payload;
    if (depth == 0 && t == SP_JT_OBJECT)
        w->object = true;
    if (depth != 1)
        return 0;
    if (t == SP_JT_NAME) {
        w->here = strlen(w->name) == n && memcmp(w->name, p, n) == 0;
        return 0;
    }
    if (w->here && (t == SP_JT_TRUE || t == SP_JT_FALSE)) {
        p = t == SP_JT_TRUE ? "true" : "false";
        n = strlen(p);
    }
    if (w->here && p != NULL) {
        size_t k = n < w->size - 1 ? n : w->size - 1;
        memcpy(w->out, p, k);
        w->out[k] = '\0';
    }
    w->here = false;
    return 0;
}

bool sp_json_member(const void *p, size_t n, const char *name, char *out, size_t size)
{
    struct wanted w = { name, out, size, false, false };
    out[0] = '\0';
    if (sp_json_read(p, n, take_member, &w, NULL) != 0) {
        out[0] = '\0';
        return false;
    }
    return w.object;
}
