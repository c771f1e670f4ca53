/* html.h -- the pieces that the pages of report.html are made of. Private to reports/html*.c.
 *
 * Every function appends to `out`, whose sticky `oom` the caller checks once. Text from events goes through rd_xml()
 * in all of them; only markup that stands in this source is written as it is. One thread. */
#ifndef SP_REPORTS_HTML_H
#define SP_REPORTS_HTML_H

#include "reports/escape.h"
#include "reports/rundata.h"

/* How good news is, as a colour and never as a colour alone. */
enum rdh_tone { H_PLAIN, H_GOOD, H_BAD, H_WARN, H_INFO };
const char *rdh_tone_class(enum rdh_tone t);

/* A section with its heading; `count` < 0 leaves the number out, `lead` (may be NULL) is markup of ours. */
void rdh_section(struct sp_buf *out, const char *id, const char *title, int64_t count, const char *lead);
void rdh_section_end(struct sp_buf *out);
void rdh_sub(struct sp_buf *out, const char *title, int64_t count); /* a heading inside of a section */

/* A table: a caption for those who listen, one header per column ("#name" = a column of numbers). */
void rdh_table(struct sp_buf *out, const char *caption, const char *const *columns, size_t n);
void rdh_table_end(struct sp_buf *out);
void rdh_row_head(struct sp_buf *out, const char *text); /* opens a row: <tr><th scope=row> */
void rdh_cell(struct sp_buf *out, const char *text);
void rdh_cell_code(struct sp_buf *out, const char *text);
void rdh_cell_value(struct sp_buf *out, const char *text); /* a value of data: blanks and lines stay */
void rdh_cell_int(
    struct sp_buf *out, const struct sp_event_in *ev, enum sp_event_field f, enum rdh_tone above_zero);
void rdh_cell_seconds(struct sp_buf *out, const struct sp_event_in *ev, enum sp_event_field f);
/* Two value cells; the part in which they differ is marked. */
void rdh_cells_diff(struct sp_buf *out, const char *expected, const char *actual);

void rdh_code(struct sp_buf *out, const char *text);
void rdh_short(struct sp_buf *out, const char *digest); /* the first digits of an ASCII text */
void rdh_badge(struct sp_buf *out, enum rdh_tone tone, const char *symbol, const char *text);
void rdh_outcome(struct sp_buf *out, const char *outcome); /* symbol and word */
/* What kind of server it was. Whatever is not the real one carries a badge wherever it is named. */
void rdh_fidelity(struct sp_buf *out, const char *fidelity);
void rdh_provider(struct sp_buf *out, const struct rd *r, const char *name);
const struct rd_provider *rdh_find_provider(const struct rd *r, const char *name);
/* Kind and server's version, without saying a name twice ("sqlite", "SQLite 3.40"). */
void rdh_server(struct sp_buf *out, const char *kind, const char *version);
/* The verdict of a comparison. */
void rdh_verify_badge(struct sp_buf *out, const char *verdict);
void rdh_repeat(struct sp_buf *out, const char *command);
void rdh_lines(struct sp_buf *out, const char *text); /* a list item per line */

/* The parts of the page, each silent when it has nothing to show. */
void rdh_matrix(struct sp_buf *out, const struct rd *r);
void rdh_failures(struct sp_buf *out, const struct rd *r);
void rdh_skips(struct sp_buf *out, const struct rd *r);
void rdh_all_cases(struct sp_buf *out, const struct rd *r);
void rdh_verify(struct sp_buf *out, const struct rd *r);
void rdh_checks(struct sp_buf *out, const struct rd *r); /* inside of that section */
void rdh_migrate(struct sp_buf *out, const struct rd *r);
void rdh_differences(struct sp_buf *out, const struct rd *r);
void rdh_caps(struct sp_buf *out, const struct rd *r);
void rdh_measures(struct sp_buf *out, const struct rd *r);
void rdh_semantics(struct sp_buf *out, const struct rd *r);
void rdh_notes(struct sp_buf *out, const struct rd *r);
void rdh_output(struct sp_buf *out, const struct rd *r);
void rdh_environment(struct sp_buf *out, const struct rd *r);

/* Constants of the page: one style sheet, one script (which the page works without). */
extern const char rdh_style[], rdh_script[];

#endif
