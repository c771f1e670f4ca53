/* measure.h -- one measured operation, as it goes into the report. Latencies in seconds. One thread. */
#ifndef SP_MEASURE_MEASURE_H
#define SP_MEASURE_MEASURE_H

#include <stdint.h>

#include "measure/histogram.h"

struct sp_measure {
    const char *operation;           /* "read by key" */
    const char *basis;               /* "service" (start of the call) or "response" (intended start) */
    const struct sp_histogram *hist; /* successful operations only */
    uint64_t errors, dropped, late;
    double duration_s; /* wall time of the measured window */
};

#endif
