/* draft.h -- a first mapping from what two sides declare, and from a few of their documents.
 *
 * What is matched without doubt is not mentioned; what is guessed says so in a comment; what could not be matched stands
 * there as a comment, because only people know what became of it. One thread, that of both sessions. */
#ifndef SP_MAP_DRAFT_H
#define SP_MAP_DRAFT_H

#include "provider_call.h"

#define SP_DRAFT_SAMPLE 200 /* documents that are looked at in each collection */

/* Appends YAML that sp_mapping_parse() takes and that sp_mapping_check() finds nothing wrong with. */
int sp_mapping_draft(
    struct sp_session *source, struct sp_session *target, struct sp_buf *out, struct sp_error *err);

#endif
