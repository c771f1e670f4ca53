/* rng.c -- deterministic numbers: xoshiro256** seeded by splitmix64, and a stable string hash. */
#include "base/str.h"

#include <string.h>
#include <xxhash.h>

static uint64_t splitmix(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotate(uint64_t v, unsigned by)
{
    return (v << by) | (v >> (64 - by));
}

void sp_rng_seed(struct sp_rng *r, uint64_t seed)
{
    uint64_t state = seed;
    for (size_t i = 0; i < SP_LEN(r->s); i++) {
        r->s[i] = splitmix(&state);
    }
}

uint64_t sp_rng_u64(struct sp_rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t sp_rng_below(struct sp_rng *r, uint64_t n)
{
    if (n == 0) {
        return 0;
    }
    /* The lowest 2^64 mod n numbers would make the small remainders more likely. */
    uint64_t refuse = (0 - n) % n;
    uint64_t v;
    do {
        v = sp_rng_u64(r);
    } while (v < refuse);
    return v % n;
}

double sp_rng_unit(struct sp_rng *r)
{
    return (double)(sp_rng_u64(r) >> 11) * 0x1p-53;
}

uint64_t sp_hash_str(const char *s)
{
    return XXH3_64bits(s, strlen(s));
}
