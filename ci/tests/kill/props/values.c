/* values.c -- values of each kind: the ones that backends and clients are known to get wrong, and random ones. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "props.h"

struct cell cell_text(struct world *w, const char *s, size_t n)
{
    return (struct cell){ .tag = C_TEXT, .p = need(sp_arena_dup(&w->arena, s, n)), .n = n };
}

static struct cell bytes(struct world *w, const void *s, size_t n)
{
    return (struct cell){ .tag = C_BYTES, .p = need(sp_arena_dup(&w->arena, s, n)), .n = n };
}

static struct cell print(struct world *w, const char *text)
{
    return cell_text(w, text, strlen(text));
}

bool cell_same(const struct cell *a, const struct cell *b)
{
    if (a->tag != b->tag)
        return false;
    switch (a->tag) {
    case C_NULL:
    case C_ABSENT:
        return true;
    case C_INT:
        return a->i == b->i;
    case C_F64:
        return (isnan(a->f) && isnan(b->f)) || memcmp(&a->f, &b->f, sizeof a->f) == 0;
    default:
        return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
    }
}

#define ONE_OF(w, list) ((list)[pick(w, SP_LEN(list))])

static struct cell integer(struct world *w, int64_t min, int64_t max)
{
    static const int64_t near[] = { 0, 1, -1, 2, 10, -10, 127, 128, 255, 256, 32767, -32768, 65536,
        2147483647, -2147483648, 4294967296, 9007199254740991, 9007199254740992, 9007199254740993,
        -9007199254740993, INT64_MAX, INT64_MAX - 1, INT64_MIN, INT64_MIN + 1, 1000000000000000000 };
    struct cell c = { .tag = C_INT };
    do {
        c.i = chance(w, 3)   ? ONE_OF(w, near)
              : chance(w, 2) ? (int64_t)pick(w, 200) - 100
                             : (int64_t)sp_rng_u64(&w->rng) >> pick(w, 60);
    } while (c.i < min || c.i > max || c.i == 4242);
    return c;
}

static struct cell real(struct world *w, bool single)
{
    static const double near[] = { 0.0, 1.0, -1.0, 0.1, 0.30000000000000004, 0.3, 1.0 / 3, 1e15,
        123456789012345680.0, 9007199254740993.0, 4.9e-324, -4.9e-324, 2.2250738585072014e-308,
        1.7976931348623157e308, -1.7976931348623157e308, 1e-5, 1e21, 1e22, 5e-7, 100.0, 2.5, 1e300 };
    static const double nearf[] = { 0.0, 1.0, 0.1f, 16777216.0, 16777218.0, 1.40129846e-45f, 3.40282347e38f,
        -3.40282347e38f, 1.17549435e-38f, 1.0f / 3 };
    struct cell c = { .tag = C_F64 };
    uint64_t bits;
    do {
        switch (pick(w, 6)) {
        case 0:
        case 1:
            c.f = single ? ONE_OF(w, nearf) : ONE_OF(w, near);
            break;
        case 2:
            c.f = w->can.nan && chance(w, 3) ? NAN
                  : w->can.infinity          ? (chance(w, 2) ? INFINITY : -INFINITY)
                                             : 7.25;
            break;
        case 3:
            c.f = w->can.negative_zero ? -0.0 : 8.5;
            break;
        case 4:
            c.f = (double)pick(w, 100000) / 100;
            break;
        default:
            bits = sp_rng_u64(&w->rng);
            memcpy(&c.f, &bits, sizeof c.f);
            if (isnan(c.f) && !w->can.nan)
                c.f = 0.5;
        }
        if (single) {
            if (isfinite(c.f) && fabs(c.f) > 3.4e38)
                c.f = 1.5;
            c.f = (double)(float)c.f;
        }
        if (isnan(c.f))
            c.f = NAN;
    } while ((isinf(c.f) && !w->can.infinity) || (c.f == 0 && signbit(c.f) && !w->can.negative_zero));
    return c;
}

/* Digits without zeros that say nothing, as the value's only spelling. */
static struct cell decimal(struct world *w, unsigned whole, unsigned fraction)
{
    char t[512];
    size_t n = 0;
    unsigned a = whole == 0 ? 0 : (unsigned)pick(w, whole + 1),
             b = fraction == 0 ? 0 : (unsigned)pick(w, fraction + 1);
    if (chance(w, 3))
        a = whole > 3 ? 3 : whole;
    bool neg = chance(w, 3);
    if (neg)
        t[n++] = '-';
    if (a == 0)
        t[n++] = '0';
    for (unsigned i = 0; i < a; i++)
        t[n++] = (char)('0' + (i == 0 ? 1 + pick(w, 9) : pick(w, 10)));
    if (b != 0) {
        t[n++] = '.';
        for (unsigned i = 0; i < b; i++)
            t[n++] = (char)('0' + (i + 1 == b ? 1 + pick(w, 9) : chance(w, 3) ? 0 : pick(w, 10)));
    }
    if (a == 0 && b == 0)
        return print(w, "0");
    return cell_text(w, t, n);
}

static struct cell text(struct world *w, size_t max, bool large)
{
    static const char *const near[] = { "", " ", "  ", "a", "A", "b", "NULL", "null", "\\N", "'", "\"", "''",
        "\\", ",", "\t", "\n", "\r\n", "a\nb", "a ", " a", "0", "1", "-1", "007", "1.0", "1e3", "NaN", "t",
        "f", "true", "%", "_", "{}", "[]", "caf\xc3\xa9", "cafe\xcc\x81",
        "stra\xc3\x9f"
        "e",
        "STRASSE", "\xc4\xb0", "\xc4\xb1", "I", "i", "\xe1\xba\x9e", "\xef\xac\x81", "fi", "\xf0\x9f\x98\x80",
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", "\xe2\x80\x8b", "\xef\xbb\xbf",
        "\xef\xbb\xbf"
        "a",
        "\xe2\x80\xae", "\xef\xbf\xbd", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xc2\xa0", "\xc2\x85",
        "\xe2\x80\xa8", "\x01", "\x1f", "\x7f", "\xc2\x80", "a-b", "ab", "a b", "co-op", "coop", "\xc3\x84",
        "A\xcc\x88", "z", "\xc3\xa5", "aa", "--", "/*", ";", "$$", "$1", "?1", "\xed\x95\x9c",
        "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab" };
    char t[160];
    size_t n = 0;
    if (large && chance(w, 12000)) { /* as large as they come */
        n = chance(w, 8) ? 10u << 20 : (1u << 20) + pick(w, 1000);
        char *p = need(sp_arena_alloc(&w->arena, n));
        for (size_t i = 0; i < n; i++)
            p[i] = (char)('a' + i * 7 % 26);
        p[pick(w, n)] = '#';
        return (struct cell){ .tag = C_TEXT, .p = p, .n = n };
    }
    if (w->can.nul && chance(w, 30))
        return chance(w, 2) ? cell_text(w, "nul\0in", 6) : cell_text(w, "\0", 1);
    unsigned long parts = chance(w, 2) ? 1 : 1 + pick(w, 4);
    for (unsigned long i = 0; i < parts; i++) {
        const char *s = ONE_OF(w, near);
        if (n + strlen(s) > sizeof t)
            break;
        memcpy(t + n, s, strlen(s));
        n += strlen(s);
    }
    if (chance(w, 4))
        n += (size_t)snprintf(t + n, sizeof t - n, "%lu", pick(w, 1000));
    n = n >= sizeof t ? sizeof t - 1 : n;
    size_t characters = 0, at = 0;
    while (at < n && characters < max) {
        at++;
        while (at < n && ((unsigned char)t[at] & 0xc0) == 0x80)
            at++;
        characters++;
    }
    if (!sp_utf8_valid(t, at))
        return print(w, "");
    return cell_text(w, t, at);
}

static struct cell octets(struct world *w)
{
    unsigned char t[64];
    size_t n = chance(w, 6) ? 0 : pick(w, chance(w, 3) ? 64 : 8) + 1;
    for (size_t i = 0; i < n; i++)
        t[i] = (unsigned char)(chance(w, 6) ? 0 : sp_rng_u64(&w->rng));
    return bytes(w, t, n);
}

static struct cell uuid(struct world *w)
{
    char t[40];
    uint64_t a = sp_rng_u64(&w->rng), b = sp_rng_u64(&w->rng);
    if (chance(w, 12))
        return print(w,
            chance(w, 2) ? "00000000-0000-0000-0000-000000000000" : "ffffffff-ffff-ffff-ffff-ffffffffffff");
    snprintf(t, sizeof t, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xffffu,
        (unsigned)a & 0xffffu, (unsigned)(b >> 48), (unsigned long long)(b & 0xffffffffffffull));
    return print(w, t);
}

static int day_text(struct world *w, char *t, size_t size)
{
    static const char *const near[] = { "0001-01-01", "9999-12-31", "1970-01-01", "1969-12-31", "2000-02-29",
        "1900-03-01", "2024-02-29", "1582-10-10", "2038-01-19", "2262-04-12", "1677-09-20" };
    if (chance(w, 3))
        return snprintf(t, size, "%s", ONE_OF(w, near));
    return snprintf(t, size, "%04lu-%02lu-%02lu", 1 + pick(w, 9999), 1 + pick(w, 12), 1 + pick(w, 28));
}

static void clock_text(struct world *w, char *t, size_t size, int fraction)
{
    int n = chance(w, 4) ? snprintf(t, size, "%s", chance(w, 2) ? "00:00:00" : "23:59:59")
                         : snprintf(t, size, "%02lu:%02lu:%02lu", pick(w, 24), pick(w, 60), pick(w, 60));
    int digits = fraction == 0 ? 0 : (int)pick(w, (unsigned long)fraction + 1);
    if (digits == 0 || chance(w, 3))
        return;
    t[n++] = '.';
    for (int i = 0; i < digits; i++)
        t[n++] = (char)('0' + (i + 1 == digits ? 1 + pick(w, 9) : pick(w, 10)));
    t[n] = '\0';
}

/* Two keys must stay two on the other side, too. */
static struct cell moment(struct world *w, enum kind k, bool indexed)
{
    char t[64];
    int n = 0;
    if (k != K_TIME)
        n = day_text(w, t, sizeof t);
    if (k != K_TIME && k != K_DATE)
        t[n++] = 'T';
    if (k != K_DATE)
        clock_text(w, t + n, sizeof t - (size_t)n - 2,
            indexed && w->can.kept < w->can.fraction ? w->can.kept : w->can.fraction);
    if (k == K_INSTANT)
        memcpy(t + strlen(t), "Z", 2);
    return print(w, t);
}

static struct cell json(struct world *w)
{
    static const char *const near[] = { "{}", "[]", "{\"a\":1}", "{\"a\":[1,2,3],\"b\":{\"c\":null}}",
        "[1,\"1\",true,null]", "\"text\"", "true", "12345678901234567890", "0.1", "1e2", "{\"\":\"\"}",
        "{\"n\":9007199254740993}", "{\"a\":\"\xc3\xa9\\u00e9\\n\\\"\"}", "[[],[[]],{}]", "{\"b\":2,\"a\":1}",
        "[0.30000000000000004,0.3]", "{\"big\":1e400}", "-1", "[\"a\",\"b\"]", "[\"b\",\"a\"]",
        "{\"e\":\"\\ud83d\\ude00\"}", "\"\"", "{\"k\":-0.5}" };
    char t[64];
    if (chance(w, 3)) {
        snprintf(t, sizeof t, "{\"id\":%lu,\"tags\":[\"x%lu\",null]}", pick(w, 1000), pick(w, 10));
        return print(w, t);
    }
    const char *s;
    do {
        s = ONE_OF(w, near);
    } while (((w->can.documents || w->can.embed) &&
                 (strstr(s, "12345678901234567890") != NULL || strstr(s, "e400") != NULL)) ||
             (w->can.embed && *s == '"')); /* a text is no JSON there */
    return print(w, s);
}

/* As JSON; the sides write it in their own way. */
static struct cell array(struct world *w, bool ints)
{
    static const char *const i[] = { "[]", "[1]", "[1,2,3]", "[3,2,1]", "[null]", "[1,null,2]",
        "[9223372036854775807,-9223372036854775808]", "[0]", "[1,1]" };
    static const char *const t[] = { "[]", "[\"\"]", "[\"a\",\"b\"]", "[\"b\",\"a\"]", "[null]",
        "[\"NULL\",null]", "[\"{\",\"}\",\",\"]", "[\"a b\",\"\xc3\xa9\"]", "[\"a\",\"a\"]",
        "[\"\\\"\",\"\\\\\"]" };
    return print(w, ints ? ONE_OF(w, i) : ONE_OF(w, t));
}

struct cell cell_make(struct world *w, const struct column *c)
{
    static const enum kind any[] = { K_INT64, K_F64, K_TEXT, K_BYTES, K_DATE, K_UUID };
    struct column other = *c;
    struct cell b = { .tag = C_INT };
    switch (c->kind) {
    case K_BOOL:
        b.i = (int64_t)pick(w, 2);
        return b;
    case K_INT16:
        return integer(w, INT16_MIN, INT16_MAX);
    case K_INT32:
        return integer(w, INT32_MIN, INT32_MAX);
    case K_INT64:
        return integer(w, INT64_MIN, INT64_MAX);
    case K_DECIMAL:
        return decimal(w, (unsigned)(c->p - c->s), (unsigned)c->s);
    case K_NUMERIC:
        return decimal(w, (unsigned)w->can.digits / 2, (unsigned)w->can.digits / 2);
    case K_F32:
        return real(w, true);
    case K_F64:
        return real(w, false);
    case K_TEXT:
        return text(w, SIZE_MAX, !c->indexed);
    case K_VARCHAR:
        return text(w, (size_t)c->p, false);
    case K_BYTES:
        return octets(w);
    case K_UUID:
        return uuid(w);
    case K_INSTANT:
    case K_LOCAL:
    case K_DATE:
    case K_TIME:
        return moment(w, c->kind, c->indexed);
    case K_JSON:
        return json(w);
    case K_INTS:
    case K_TEXTS:
        return array(w, c->kind == K_INTS);
    default:
        other.kind = ONE_OF(w, any);
        return cell_make(w, &other);
    }
}
