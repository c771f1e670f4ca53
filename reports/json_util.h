/* json_util.h -- jansson with checked results: a value that could not be made is left out, and the writer notices. */
#ifndef SP_REPORTS_JSON_UTIL_H
#define SP_REPORTS_JSON_UTIL_H

#include <jansson.h>

#include "base/buf.h"
#include "event.h"

void rdj_set(json_t *object, const char *name, json_t *value); /* steals value; NULL becomes null */
void rdj_text(json_t *object, const char *name, const char *text);
/* Copies a field of an event under the same name; absent fields are left out. */
void rdj_copy(json_t *object, const struct sp_event_in *ev, enum sp_event_field f);
/* Appends the document, indented, with a line end; releases root. */
int rdj_write(json_t *root, struct sp_buf *out, struct sp_error *err);

#endif
