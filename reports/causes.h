/* causes.h -- likely causes of differences, in every report. Private to reports/. One thread. */
#ifndef SP_REPORTS_CAUSES_H
#define SP_REPORTS_CAUSES_H

#include "reports/console.h"
#include "reports/rundata.h"

/* Most certain first; the stream has them table by table. */
void rd_causes_order(struct rd *r);
void rdc_cause(struct sp_console *c, const struct sp_event_in *ev);
void rdh_causes(struct sp_buf *out, const struct rd *r);
void rd_md_causes(struct sp_buf *out, const struct rd *r);

#endif
