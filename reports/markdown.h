/* markdown.h -- what the files of summary.md share. Private to reports/markdown*.c. One thread. */
#ifndef SP_REPORTS_MARKDOWN_H
#define SP_REPORTS_MARKDOWN_H

#include "reports/escape.h"
#include "reports/rundata.h"

/* Columns, keys, objects, accounts and the team's own checks: what does not hold. */
void rd_md_checks(struct sp_buf *out, const struct rd *r);

#endif
