/* histogram.c -- log-linear buckets: values below 2^SUB_BITS have a bucket each; above, every power of two is cut
 * into 2^SUB_BITS equal parts, so that a bucket is never wider than 1/256 of its values. */
#include "measure/histogram.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SUB ((uint64_t)1 << SP_HIST_SUB_BITS)

struct sp_histogram *sp_hist_new(void)
{
    return calloc(1, sizeof(struct sp_histogram));
}

void sp_hist_free(struct sp_histogram *h)
{
    free(h);
}

/* Bucket of a value: group 0 holds 0 .. SUB-1 exactly; group g >= 1 holds [SUB << (g-1), SUB << g) in SUB parts. */
static size_t bucket_of(uint64_t ns)
{
    if (ns < SUB)
        return (size_t)ns;
    unsigned top = 63u - (unsigned)__builtin_clzll(ns);
    unsigned group = top - SP_HIST_SUB_BITS + 1;
    uint64_t part = (ns >> (group - 1)) - SUB;
    size_t index = ((size_t)group << SP_HIST_SUB_BITS) + (size_t)part;
    return index < SP_HIST_BUCKETS ? index : SP_HIST_BUCKETS - 1;
}

/* Largest value that falls into the bucket. */
static uint64_t bucket_bound(size_t index)
{
    uint64_t group = (uint64_t)index >> SP_HIST_SUB_BITS, part = (uint64_t)index & (SUB - 1);
    if (group == 0)
        return part;
    return ((SUB + part + 1) << (group - 1)) - 1;
}

void sp_hist_record(struct sp_histogram *h, uint64_t ns)
{
    h->bucket[bucket_of(ns)]++;
    if (h->count == 0 || ns < h->min_ns)
        h->min_ns = ns;
    if (ns > h->max_ns)
        h->max_ns = ns;
    h->count++;
    h->sum_ns += ns;
}

void sp_hist_merge(struct sp_histogram *into, const struct sp_histogram *from)
{
    if (from->count == 0)
        return;
    for (size_t i = 0; i < SP_HIST_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
    if (into->count == 0 || from->min_ns < into->min_ns)
        into->min_ns = from->min_ns;
    if (from->max_ns > into->max_ns)
        into->max_ns = from->max_ns;
    into->count += from->count;
    into->sum_ns += from->sum_ns;
}

uint64_t sp_hist_quantile(const struct sp_histogram *h, double q)
{
    if (h->count == 0)
        return 0;
    /* The smallest rank that is at least q of all: at least one sample. */
    double want = q * (double)h->count;
    uint64_t rank = (uint64_t)want;
    if ((double)rank < want)
        rank++;
    if (rank == 0)
        rank = 1;
    if (rank > h->count)
        rank = h->count;
    uint64_t seen = 0;
    for (size_t i = 0; i < SP_HIST_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen < rank)
            continue;
        uint64_t bound = i == SP_HIST_BUCKETS - 1 ? h->max_ns : bucket_bound(i);
        return bound < h->max_ns ? bound : h->max_ns;
    }
    return h->max_ns;
}

bool sp_hist_quantile_known(const struct sp_histogram *h, double q)
{
    return (double)h->count * (1.0 - q) >= 10.0 - 1e-6;
}

double sp_hist_mean(const struct sp_histogram *h)
{
    return h->count == 0 ? 0.0 : (double)h->sum_ns / (double)h->count;
}

int sp_hist_print(struct sp_buf *out, const struct sp_histogram *h)
{
    const char *gap = "";
    for (size_t i = 0; i < SP_HIST_BUCKETS; i++) {
        if (h->bucket[i] == 0)
            continue;
        sp_buf_printf(out, "%s%zu:%llu", gap, i, (unsigned long long)h->bucket[i]);
        gap = " ";
    }
    return out->oom ? -SP_E_NOMEM : 0;
}

/* Reads digits at *p up to `end_char` (or the end of the text); false on anything else. */
static bool read_u64(const char **p, char end_char, uint64_t *out)
{
    const char *s = *p;
    uint64_t v = 0;
    if (*s < '0' || *s > '9')
        return false;
    for (; *s >= '0' && *s <= '9'; s++) {
        uint64_t digit = (uint64_t)(*s - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    if (*s != end_char && *s != '\0')
        return false;
    *p = *s == '\0' ? s : s + 1;
    *out = v;
    return true;
}

int sp_hist_parse(const char *text, struct sp_histogram *out)
{
    memset(out, 0, sizeof *out);
    for (const char *p = text; *p != '\0';) {
        uint64_t index, count;
        if (strchr(p, ':') == NULL || !read_u64(&p, ':', &index) || !read_u64(&p, ' ', &count) ||
            index >= SP_HIST_BUCKETS || count > UINT64_MAX - out->count)
            return -SP_E_INVALID;
        uint64_t bound = bucket_bound((size_t)index);
        if (out->count == 0)
            out->min_ns = bound;
        out->max_ns = bound;
        out->bucket[index] += count;
        out->count += count;
        out->sum_ns += count * bound;
    }
    return 0;
}

uint64_t sp_clock_ns(void)
{
    struct timespec ts;
    if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
        return 0;
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}
