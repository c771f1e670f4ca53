/* sampled.h -- a quick look at some rows, in every report. Private to reports/. One thread. */
#ifndef SP_REPORTS_SAMPLED_H
#define SP_REPORTS_SAMPLED_H

#include "reports/console.h"
#include "reports/rundata.h"

void rdc_sampled(struct sp_console *c, const struct sp_event_in *ev);
void rdh_sampled(struct sp_buf *out, const struct rd *r);
void rd_md_sampled(struct sp_buf *out, const struct rd *r);

#endif
