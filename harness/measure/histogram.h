/* histogram.h -- log-linear latency histogram: relative error at most 1/256 from 1 ns to 73 minutes, larger values
 * counted in the last bucket and in `max`. One histogram per thread and operation; merge at the end. */
#ifndef SP_MEASURE_HISTOGRAM_H
#define SP_MEASURE_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define SP_HIST_SUB_BITS 8
#define SP_HIST_BUCKETS  ((42 - SP_HIST_SUB_BITS + 1) << SP_HIST_SUB_BITS)

struct sp_histogram {
    uint64_t count, sum_ns, min_ns, max_ns;
    uint64_t bucket[SP_HIST_BUCKETS];
};

struct sp_histogram *sp_hist_new(void); /* NULL when out of memory */
void sp_hist_free(struct sp_histogram *);
void sp_hist_record(struct sp_histogram *, uint64_t ns);
void sp_hist_merge(struct sp_histogram *into, const struct sp_histogram *from);
/* Smallest recorded bucket bound with at least q of all samples at or below, in ns; 0 when empty. 0 < q <= 1. */
uint64_t sp_hist_quantile(const struct sp_histogram *, double q);
/* True if a quantile stands on enough samples: count * (1-q) >= 10. */
bool sp_hist_quantile_known(const struct sp_histogram *, double q);
double sp_hist_mean(const struct sp_histogram *);
/* Sparse text "index:count index:count ...", for events and merging across runs. */
int sp_hist_print(struct sp_buf *out, const struct sp_histogram *);
int sp_hist_parse(const char *text, struct sp_histogram *out);

/* CLOCK_MONOTONIC in ns. */
uint64_t sp_clock_ns(void);

#endif
