/* draft_internal.h -- private to the draft: places of both sides, and what belongs together. Everything lives in the
 * draft's arena; one thread. */
#ifndef SP_MAP_DRAFT_INTERNAL_H
#define SP_MAP_DRAFT_INTERNAL_H

#include "base/str.h"
#include "map/draft.h"

/* A column, or a path that was met in documents. */
struct map_field {
    const char *path;
    const char *plain; /* its letters and digits, in lower case */
    enum sp_tag tag;   /* SP_MISSING = not known */
    const char *native;
    int match;       /* field of the other side's place; -1 = none */
    const char *how; /* why it is matched; NULL = the same name */
    bool parent;     /* of an array: matched with a field of the document */
    bool ordinal;    /* matched with the position in the other side's array */
    bool old_id;     /* read by the crosswalk alone */
    const char *crosswalk;
};

/* A table, or an array that is embedded in the documents of one. */
struct map_place {
    const struct sp_table *t;
    const char *array; /* NULL = the rows themselves */
    int rows;          /* of an array: the place that holds it; else -1 */
    struct map_field *f;
    size_t n, cap;
    int match; /* place of the other side; -1 = none */
    const char *how;
    int64_t ordinal_from;
};

struct map_draft {
    struct sp_arena arena;
    struct sp_session *session[2];
    struct sp_schema *schema[2];
    struct map_place *p[2];
    size_t n[2], cap[2];
    struct sp_error *err;
};

/* draft_names.c. NULL when out of memory. */
const char *map_plain(struct sp_arena *a, const char *name);
const char *map_singular(struct sp_arena *a, const char *name); /* of the plain form */
bool map_is_old_id(const char *plain);
bool map_is_position(const char *plain);
/* draft_sample.c: the places of a side, with their fields. */
int map_draft_look(struct map_draft *d, int side);
/* draft_match.c: which belong together. */
int map_draft_match(struct map_draft *d);
int map_draft_fields(struct map_draft *d, int s, int t); /* of two places; draft_fields.c */
size_t map_draft_alike(const struct map_place *s, const struct map_place *t);
/* draft_write.c */
void map_draft_write(struct map_draft *d, struct sp_buf *out);

#endif
