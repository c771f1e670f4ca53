/* assess.h -- an assessment, in every report. Private to reports/. One thread. */
#ifndef SP_REPORTS_ASSESS_H
#define SP_REPORTS_ASSESS_H

#include "reports/console.h"
#include "reports/rundata.h"

/* Findings of high risk first; the stream has them table by table. */
void rd_assess_order(struct rd *r);
bool rdc_assess(struct sp_console *c, const struct sp_event_in *ev); /* false = none of these */
void rdh_assess(struct sp_buf *out, const struct rd *r);
void rd_md_assess(struct sp_buf *out, const struct rd *r);
int rd_assess_json(const struct rd *r, struct sp_buf *out, struct sp_error *err);

#endif
