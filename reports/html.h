/* html.h -- the pieces that the pages of report.html are made of. Private to reports/html*.c.
 *
 * Every function appends to `out`, whose sticky `oom` the caller checks once. Text from events goes through rd_xml()
 * in all of them; only markup that stands in this source is written as it is. One thread. */
#ifndef SP_REPORTS_HTML_H
#define SP_REPORTS_HTML_H

#include "reports/escape.h"
#include "reports/rundata.h"

/* How good news is, as a colour and never as a colour alone. */
enum h_tone { H_PLAIN, H_GOOD, H_BAD, H_WARN, H_INFO };
const char *h_tone_class(enum h_tone t);

/* A section with its heading; `count` < 0 leaves the number out, `lead` (may be NULL) is markup of ours. */
void h_section(struct sp_buf *out, const char *id, const char *title, int64_t count, const char *lead);
void h_section_end(struct sp_buf *out);
void h_sub(struct sp_buf *out, const char *title, int64_t count); /* a heading inside of a section */

/* A table: a caption for those who listen, one header per column ("#name" = a column of numbers). */
void h_table(struct sp_buf *out, const char *caption, const char *const *columns, size_t n);
void h_table_end(struct sp_buf *out);
void h_row_head(struct sp_buf *out, const char *text); /* opens a row: <tr><th scope=row> */
void h_cell(struct sp_buf *out, const char *text);
void h_cell_code(struct sp_buf *out, const char *text);
void h_cell_value(struct sp_buf *out, const char *text); /* a value of data: blanks and lines stay */
void h_cell_int(
    struct sp_buf *out, const struct sp_event_in *ev, enum sp_event_field f, enum h_tone above_zero);
void h_cell_seconds(struct sp_buf *out, const struct sp_event_in *ev, enum sp_event_field f);
/* Two value cells; the part in which they differ is marked. */
void h_cells_diff(struct sp_buf *out, const char *expected, const char *actual);

void h_code(struct sp_buf *out, const char *text);
void h_short(struct sp_buf *out, const char *digest); /* the first digits of an ASCII text */
void h_badge(struct sp_buf *out, enum h_tone tone, const char *symbol, const char *text);
void h_outcome(struct sp_buf *out, const char *outcome); /* symbol and word */
/* What kind of server it was. Whatever is not the real one carries a badge wherever it is named. */
void h_fidelity(struct sp_buf *out, const char *fidelity);
void h_provider(struct sp_buf *out, const struct rd *r, const char *name);
const struct rd_provider *h_find_provider(const struct rd *r, const char *name);
/* Kind and server's version, without saying a name twice ("sqlite", "SQLite 3.40"). */
void h_server(struct sp_buf *out, const char *kind, const char *version);
/* The verdict of a comparison. */
void h_verify_badge(struct sp_buf *out, const char *verdict);
void h_repeat(struct sp_buf *out, const char *command);
void h_lines(struct sp_buf *out, const char *text); /* a list item per line */

/* The parts of the page, each silent when it has nothing to show. */
void h_matrix(struct sp_buf *out, const struct rd *r);
void h_failures(struct sp_buf *out, const struct rd *r);
void h_skips(struct sp_buf *out, const struct rd *r);
void h_all_cases(struct sp_buf *out, const struct rd *r);
void h_verify(struct sp_buf *out, const struct rd *r);
void h_migrate(struct sp_buf *out, const struct rd *r);
void h_differences(struct sp_buf *out, const struct rd *r);
void h_caps(struct sp_buf *out, const struct rd *r);
void h_measures(struct sp_buf *out, const struct rd *r);
void h_semantics(struct sp_buf *out, const struct rd *r);
void h_notes(struct sp_buf *out, const struct rd *r);
void h_output(struct sp_buf *out, const struct rd *r);
void h_environment(struct sp_buf *out, const struct rd *r);

/* Constants of the page: one style sheet, one script (which the page works without). */
extern const char h_style[], h_script[];

#endif
