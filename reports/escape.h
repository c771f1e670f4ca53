/* escape.h -- text from anywhere, made safe to stand in a report. Input is valid UTF-8 (events are). */
#ifndef SP_REPORTS_ESCAPE_H
#define SP_REPORTS_ESCAPE_H

#include "base/buf.h"

/* XML and HTML, element content and quoted attributes: & < > " ' are escaped; characters that XML 1.0 does not know,
 * and those that reorder or hide text (bidirectional controls, zero width), become visible as \u{XXXX}. */
void rd_xml(struct sp_buf *out, const char *s);
/* Markdown inside a table cell or a list item: no markup, no cell ends, one line. */
void rd_md(struct sp_buf *out, const char *s);
/* Markdown's inline code, whatever backticks the text has. */
void rd_md_code(struct sp_buf *out, const char *s);
/* One line for a terminal: control characters and the like become visible. */
void rd_plain(struct sp_buf *out, const char *s);

#endif
