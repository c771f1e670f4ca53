/* decimal.c -- exact decimals: reading, printing, ordering, integers. Floats are in decimal_float.c. */
#include "model/decimal.h"

#include <inttypes.h>
#include <string.h>

#define MAX_DIGITS   200000
#define MAX_EXPONENT 1000000
#define PLAIN_DIGITS 60

static const struct sp_dec zero = { "", 0, 0, false };

/* Where the digits of a text stand: indexes count digits, not bytes. */
struct shape {
    size_t ndigits, nfraction;
    size_t first, last;       /* first and last digit that is not 0 */
    size_t first_at, last_at; /* their places in the text */
    size_t point_at;          /* SIZE_MAX = none */
    bool nonzero;
};

static size_t read_digits(const char *s, size_t n, size_t i, struct shape *sh)
{
    for (; i < n; i++) {
        if (s[i] == '.' && sh->point_at == SIZE_MAX) {
            sh->point_at = i;
            continue;
        }
        if (s[i] < '0' || s[i] > '9')
            break;
        if (s[i] != '0') {
            if (!sh->nonzero) {
                sh->first = sh->ndigits;
                sh->first_at = i;
            }
            sh->last = sh->ndigits;
            sh->last_at = i;
            sh->nonzero = true;
        }
        sh->ndigits++;
        if (sh->point_at != SIZE_MAX)
            sh->nfraction++;
    }
    return i;
}

static int read_exponent(const char *s, size_t n, size_t i, int64_t *out)
{
    *out = 0;
    if (i == n)
        return 0;
    if (s[i] != 'e' && s[i] != 'E')
        return -SP_E_INVALID;
    i++;
    bool neg = i < n && s[i] == '-';
    if (i < n && (s[i] == '-' || s[i] == '+'))
        i++;
    if (i == n)
        return -SP_E_INVALID;
    int64_t v = 0;
    for (; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -SP_E_INVALID;
        if (v <= MAX_EXPONENT)
            v = v * 10 + (s[i] - '0');
    }
    *out = neg ? -v : v;
    return v > MAX_EXPONENT ? -SP_E_RANGE : 0;
}

int sp_dec_parse(struct sp_arena *a, const char *s, size_t n, struct sp_dec *out)
{
    struct shape sh = { .point_at = SIZE_MAX };
    size_t i = 0;
    bool neg = n != 0 && s[0] == '-';
    if (n != 0 && (s[0] == '-' || s[0] == '+'))
        i = 1;
    i = read_digits(s, n, i, &sh);
    if (sh.ndigits == 0)
        return -SP_E_INVALID;
    int64_t e;
    int rc = read_exponent(s, n, i, &e);
    if (rc != 0)
        return rc;
    if (sh.ndigits > MAX_DIGITS)
        return -SP_E_RANGE;
    if (!sh.nonzero) {
        *out = zero;
        return 0;
    }
    struct sp_dec d = { .neg = neg };
    size_t keep = sh.last - sh.first + 1;
    d.ndigits = (uint32_t)keep;
    d.exp = (int32_t)(e - (int64_t)sh.nfraction + (int64_t)(sh.ndigits - 1 - sh.last));
    d.digits = s + sh.first_at;
    if (sh.last_at - sh.first_at + 1 != keep) { /* the point stands between them */
        char *own = a != NULL ? sp_arena_alloc(a, keep) : NULL;
        if (own == NULL)
            return -SP_E_NOMEM;
        size_t before = sh.point_at - sh.first_at;
        memcpy(own, s + sh.first_at, before);
        memcpy(own + before, s + sh.point_at + 1, keep - before);
        d.digits = own;
    }
    *out = d;
    return 0;
}

static int print_plain(struct sp_buf *out, const struct sp_dec *d)
{
    int64_t whole = (int64_t)d->ndigits + d->exp; /* digits before the point */
    if (whole <= 0) {
        sp_buf_puts(out, "0.");
        for (int64_t i = whole; i < 0; i++)
            sp_buf_putc(out, '0');
        return sp_buf_put(out, d->digits, d->ndigits);
    }
    if (d->exp >= 0) {
        sp_buf_put(out, d->digits, d->ndigits);
        for (int32_t i = 0; i < d->exp; i++)
            sp_buf_putc(out, '0');
        return out->oom ? -SP_E_NOMEM : 0;
    }
    sp_buf_put(out, d->digits, (size_t)whole);
    sp_buf_putc(out, '.');
    return sp_buf_put(out, d->digits + whole, d->ndigits - (size_t)whole);
}

int sp_dec_print(struct sp_buf *out, const struct sp_dec *d)
{
    if (d->ndigits == 0)
        return sp_buf_putc(out, '0');
    if (d->neg)
        sp_buf_putc(out, '-');
    int64_t whole = (int64_t)d->ndigits + d->exp;
    int64_t digits = d->exp >= 0 ? whole : (whole > 0 ? (int64_t)d->ndigits : 1 - (int64_t)d->exp);
    if (digits <= PLAIN_DIGITS)
        return print_plain(out, d);
    sp_buf_putc(out, d->digits[0]);
    if (d->ndigits > 1) {
        sp_buf_putc(out, '.');
        sp_buf_put(out, d->digits + 1, d->ndigits - 1);
    }
    return sp_buf_printf(out, "e%+" PRId64, whole - 1);
}

static int cmp_magnitude(const struct sp_dec *a, const struct sp_dec *b)
{
    int64_t ma = (int64_t)a->ndigits + a->exp, mb = (int64_t)b->ndigits + b->exp;
    if (ma != mb)
        return ma < mb ? -1 : 1;
    uint32_t n = a->ndigits < b->ndigits ? a->ndigits : b->ndigits;
    int c = memcmp(a->digits, b->digits, n);
    if (c != 0)
        return c < 0 ? -1 : 1;
    return a->ndigits == b->ndigits ? 0 : (a->ndigits < b->ndigits ? -1 : 1);
}

int sp_dec_cmp(const struct sp_dec *x, const struct sp_dec *y)
{
    struct sp_dec nx = sp_dec_normal(*x), ny = sp_dec_normal(*y);
    const struct sp_dec *a = &nx, *b = &ny;
    int sa = a->ndigits == 0 ? 0 : (a->neg ? -1 : 1), sb = b->ndigits == 0 ? 0 : (b->neg ? -1 : 1);
    if (sa != sb)
        return sa < sb ? -1 : 1;
    if (sa == 0)
        return 0;
    return sa * cmp_magnitude(a, b);
}

struct sp_dec sp_dec_normal(struct sp_dec d)
{
    while (d.ndigits != 0 && d.digits[0] == '0') {
        d.digits++;
        d.ndigits--;
    }
    while (d.ndigits != 0 && d.digits[d.ndigits - 1] == '0' && d.exp < INT32_MAX) {
        d.ndigits--;
        d.exp++;
    }
    return d.ndigits == 0 ? zero : d;
}

bool sp_dec_from_i64(char digits[20], int64_t v, struct sp_dec *out)
{
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    struct sp_dec d = { .neg = v < 0 };
    if (u == 0) {
        *out = zero;
        return true;
    }
    for (; u % 10 == 0; u /= 10)
        d.exp++;
    char *p = digits + 20;
    for (; u != 0; u /= 10)
        *--p = (char)('0' + u % 10);
    d.digits = p;
    d.ndigits = (uint32_t)(digits + 20 - p);
    *out = d;
    return true;
}

bool sp_dec_to_i64(const struct sp_dec *in, int64_t *out)
{
    struct sp_dec d = sp_dec_normal(*in);
    if (d.exp < 0 || (int64_t)d.ndigits + d.exp > 19)
        return false;
    uint64_t u = 0; /* 19 digits always fit */
    for (uint32_t i = 0; i < d.ndigits; i++)
        u = u * 10 + (uint64_t)(d.digits[i] - '0');
    for (int32_t i = 0; i < d.exp; i++)
        u *= 10;
    uint64_t limit = (uint64_t)INT64_MAX + (d.neg ? 1 : 0);
    if (u > limit)
        return false;
    *out = d.neg ? (int64_t)(0 - u) : (int64_t)u;
    return true;
}
