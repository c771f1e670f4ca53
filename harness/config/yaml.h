/* yaml.h -- shared by config/ and map/: a YAML document as a tree of nodes that know where they stand.
 *
 * A small, strict part of YAML: one document of maps, lists and scalars. Anchors, aliases, tags, keys that are not
 * scalars, duplicate keys, invalid UTF-8 and zero bytes are refused, and depth and size are bounded, so that the tree
 * is never larger than the text it was read from. Ownership: everything lives in the arena. One thread. */
#ifndef SP_CONFIG_YAML_H
#define SP_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

#define SP_YAML_DEPTH 24
#define SP_YAML_NODES 20000
#define SP_YAML_KEYS  2000 /* in one map */

enum sp_yaml_type { SP_YAML_SCALAR, SP_YAML_LIST, SP_YAML_MAP };

struct sp_yaml {
    enum sp_yaml_type type;
    const char *key; /* set for the members of a map */
    int key_line, key_column;
    int line, column; /* from 1; columns count characters */
    const char *text; /* SCALAR */
    bool quoted;      /* SCALAR: not in the plain style, therefore always text */
    struct sp_yaml *first, *last, *next;
    size_t count; /* of members */
};

/* *root is NULL for a document with nothing in it. Errors are INVALID and start with "name:line:column: ". */
int sp_yaml_parse(struct sp_arena *a, const char *name, const char *text, size_t n, struct sp_yaml **root,
    struct sp_error *err);
/* "a map", "a list", or the scalar's text in quotes, for "found ..."; lives in the arena. */
const char *sp_yaml_found(struct sp_arena *a, const struct sp_yaml *node);
bool sp_yaml_is_null(const struct sp_yaml *node); /* plain ~, null or nothing */

#endif
