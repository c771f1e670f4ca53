/* parse.h -- private to map/: from a YAML tree to a mapping. Everything lives in the mapping's arena; one thread. */
#ifndef SP_MAP_PARSE_H
#define SP_MAP_PARSE_H

#include "config/read.h"
#include "map/mapping.h"

struct sp_map_reader {
    struct sp_reader r;
    struct sp_mapping *m;
};

/* relation.c, column.c. Crosswalks must have been read before. */
int sp_map_read_relation(struct sp_map_reader *mr, const struct sp_yaml *node, struct sp_map_relation *out);
int sp_map_read_column(struct sp_map_reader *mr, const struct sp_yaml *node, const char *path,
    const struct sp_map_relation *rel, struct sp_map_column *out);
/* Contradictions among the columns of one relation. */
int sp_map_check_columns(
    struct sp_map_reader *mr, const struct sp_yaml *at, const char *path, const struct sp_map_relation *rel);

/* words.c: `decimal(12,2)`, `round_to_scale(2)`. */
int sp_map_read_type(
    struct sp_reader *r, const struct sp_key_value *v, const char *path, struct sp_type *out);
int sp_map_read_rules(
    struct sp_reader *r, const struct sp_key_value *v, const char *path, struct sp_map_column *out);

/* The members of a section that is given as a map; `values` has room for SP_MAP_KEYS. */
#define SP_MAP_KEYS 12
int sp_map_read_section(struct sp_reader *r, const struct sp_yaml *node, const char *section,
    const char *path, struct sp_key_value *values);
static inline bool sp_map_has(const struct sp_key_value *values, const char *name)
{
    return sp_value_of(values, SP_MAP_KEYS, name)->key != NULL;
}
static inline const struct sp_key_value *sp_map_get(const struct sp_key_value *values, const char *name)
{
    return sp_value_of(values, SP_MAP_KEYS, name);
}
static inline const char *sp_map_side(int side)
{
    return side == 0 ? "source" : "target";
}

#endif
