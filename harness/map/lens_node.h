/* lens_node.h -- what stands in a field: a value that is looked into only where a path leads.
 *
 * Documents and arrays arrive as JSON, or as native values `object` and `array`: JSON in which a number, a date, an id is
 * {"$tag": "text"} and a name of the data's own that begins with $ has one $ more. Both are read here into the same
 * tree; a leaf is the value that the same thing is as a field of its own.
 *
 * Nodes live in the caller's arena and borrow from the value that they were made of. One thread. */
#ifndef SP_MAP_LENS_NODE_H
#define SP_MAP_LENS_NODE_H

#include "model/canonical.h"
#include "model/value.h"

enum lens_kind { LENS_SCALAR, LENS_OBJECT, LENS_ARRAY };

struct lens_node {
    enum lens_kind kind;
    const char *name; /* of a member, NUL-terminated; NULL = an element, or the whole */
    size_t name_n;
    const char *raw_name; /* as it stands in the text, with quotes */
    size_t raw_name_n;
    const char *text; /* as it stands in the text around it; of a field, only once it was looked into */
    size_t n;
    bool tagged, parsed;
    struct lens_node *first, *next;
    size_t count;
    struct sp_value v;   /* of a scalar; of what was a field, the value as it came */
    enum sp_state state; /* SP_ST_UNCOERCED: no proper value */
    bool whole;          /* v is what came */
};

/* A field as it came. */
struct lens_node lens_node_of(const char *name, const struct sp_value *v, enum sp_state state);
/* Looks into it: children of an object or array. `spelled`: a text may spell JSON. 0; -SP_E_NOMEM or -SP_E_CORRUPT. */
int lens_node_open(struct sp_arena *a, struct lens_node *n, bool spelled);
struct lens_node *lens_node_child(const struct lens_node *n, const char *name);

/* The value of a node as a column or field has it. `as_stored`: what the backend keeps apart stays apart. `type` (tag
 * SP_MISSING: not said) as what the column is compared; `documents`: texts are texts, they don't spell JSON. */
struct lens_reading {
    bool as_stored, documents;
    struct sp_type type;
};
int lens_node_value(
    struct sp_arena *a, struct lens_node *n, const struct lens_reading *r, struct sp_value *out);
/* An object or array put together from pieces of text; `tagged` as theirs. */
int lens_text_value(struct sp_arena *a, bool object, bool tagged, const char *text, size_t n,
    const struct lens_reading *r, struct sp_value *out);
/* A scalar by what it means: native numbers as numbers. */
int lens_logical(struct sp_arena *a, struct sp_value *v);
/* The value that a tag and its text stand for, as stored. */
int lens_tagged_value(struct sp_arena *a, const char *tag, const char *text, size_t n, struct sp_value *out,
    enum sp_state *state);

#endif
