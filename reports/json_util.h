/* json_util.h -- jansson with checked results: a value that could not be made is left out, and the writer notices. */
#ifndef SP_REPORTS_JSON_UTIL_H
#define SP_REPORTS_JSON_UTIL_H

#include <jansson.h>

#include "base/buf.h"
#include "reports/rundata.h"

void rdj_set(json_t *object, const char *name, json_t *value); /* steals value; NULL becomes null */
void rdj_text(json_t *object, const char *name, const char *text);
/* Copies a field of an event under the same name; absent fields are left out. */
void rdj_copy(json_t *object, const struct sp_event_in *ev, enum sp_event_field f);
/* These fields of each event of a kind, in a list; with `text`, only of events whose field `where` says that. */
json_t *rdj_rows(const struct rd *r, enum sp_event_kind kind, enum sp_event_field where, const char *text,
    const enum sp_event_field *fields, size_t n);
/* Appends the document, indented, with a line end; releases root. */
int rdj_write(json_t *root, struct sp_buf *out, struct sp_error *err);

#endif
