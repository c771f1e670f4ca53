/* digest.c -- 128-bit digests and sets of them. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <inttypes.h>
#include <stdio.h>

#include "model/canonical.h"

struct sp_d128 sp_d128_of(const void *p, size_t n)
{
    XXH128_hash_t h = XXH3_128bits(n != 0 ? p : "", n);
    return (struct sp_d128){ h.low64, h.high64 };
}

void sp_digest_merge(struct sp_digest *into, const struct sp_digest *from)
{
    uint64_t count = into->count + from->count;
    sp_digest_add(into, from->sum);
    into->count = count;
}

bool sp_digest_equal(const struct sp_digest *a, const struct sp_digest *b)
{
    return a->count == b->count && sp_d128_eq(a->sum, b->sum);
}

void sp_d128_format(char out[33], struct sp_d128 d)
{
    snprintf(out, 33, "%016" PRIx64 "%016" PRIx64, d.hi, d.lo);
}

static int half(const char *s, uint64_t *out)
{
    uint64_t v = 0;
    for (int i = 0; i < 16; i++) {
        unsigned d;
        if (s[i] >= '0' && s[i] <= '9')
            d = (unsigned)(s[i] - '0');
        else if (s[i] >= 'a' && s[i] <= 'f')
            d = (unsigned)(s[i] - 'a') + 10;
        else
            return -SP_E_INVALID; /* also the end of a short text */
        v = v << 4 | d;
    }
    *out = v;
    return 0;
}

int sp_d128_parse(const char *s, struct sp_d128 *out)
{
    struct sp_d128 d;
    if (half(s, &d.hi) != 0 || half(s + 16, &d.lo) != 0 || s[32] != '\0')
        return -SP_E_INVALID;
    *out = d;
    return 0;
}
