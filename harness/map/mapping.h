/* mapping.h -- how two sides that are built differently hold the same data.
 *
 * A mapping is a list of relations: flat tables of named columns, each found somewhere on the source and somewhere on the
 * target. A place is a table or collection, or an array that is embedded in the documents of a collection. Both sides
 * are then read through a lens (lens.h), which shows these relations under these names, so that comparison and migration
 * need not know how either side keeps them. What a mapping does not mention keeps its name and is matched by it.
 *
 * A mapping and all it names live in its own arena; read-only after sp_mapping_load(), then any thread may read. */
#ifndef SP_MAP_MAPPING_H
#define SP_MAP_MAPPING_H

#include "model/equivalence.h"
#include "model/query.h"

/* Old ids of the source against new ids of the target: what one side calls an id is translated before it is compared. */
struct sp_crosswalk {
    const char *name;
    /* Where the pairs stand: a table or collection of one side, with the column (or path) of the source's id and of the
     * target's. An embedded old id is the same: the target's own collection, with the path of the id that was kept. */
    bool on_target; /* the side that has the table */
    const char *table;
    const char *source_id, *target_id;
};

/* A column of a relation. */
struct sp_map_column {
    const char *name; /* the relation's: unique in it */
    const char *place
        [2]; /* column, or path into the document ("address/geo/0", JSON pointer without the first slash; of
                           * an embedded array: into its element, "" = the element itself); NULL = this side has none */
    bool parent[2];  /* of an embedded array: the place is one of the document that holds it */
    bool ordinal[2]; /* the element's position in its array, from ordinal_base; place is NULL */
    const struct sp_value *constant[2]; /* this side shows this value; place is NULL */
    const char *crosswalk; /* the target's value is translated to the source's; NULL = as it is */
    struct sp_type type;   /* comparison type; tag SP_MISSING = resolved from both declarations */
    bool has_type;
    enum sp_rule_kind rules[SP_MAX_RULES]; /* from source to target, ahead of the unavoidable ones */
    int32_t args[SP_MAX_RULES];
    size_t nrules;
    bool accept_loss;   /* what its rules lose is acknowledged */
    const char *ignore; /* reason: on neither side compared; NULL = compared */
    unsigned line;      /* in the file */
};

/* A reference that is checked on both sides, whether or not one of them declares it. */
struct sp_map_reference {
    const char *column;
    const char *relation;
    const char *to; /* column of that relation; NULL = its key */
};

struct sp_map_relation {
    const char *name;
    const char *table[2]; /* table or collection; NULL = this side has none (with `ignore`) */
    const char
        *array[2]; /* path of the embedded array in that collection's documents; NULL = the rows themselves */
    bool ordered[2];        /* the array's order is data: needs an ordinal column */
    int64_t ordinal_base;   /* 0 or 1 */
    const char *const *key; /* names of columns; nkey 0 = as the declarations say */
    size_t nkey;
    const struct sp_filter *where[2]; /* over the side's own columns; NULL = all rows */
    const struct sp_map_column *columns;
    size_t ncolumns;
    const struct sp_map_reference *references;
    size_t nreferences;
    bool columns_by_name; /* columns that are not mentioned are matched by name; false: they are findings */
    const char *ignore;   /* reason: the table is left out; NULL = compared */
    unsigned line;        /* in the file */
};

struct sp_mapping {
    struct sp_arena arena;
    const char *file;
    struct sp_d128 digest; /* of the file's bytes: evidence */
    const struct sp_map_relation *relations;
    size_t nrelations;
    const struct sp_crosswalk *crosswalks;
    size_t ncrosswalks;
    const char *const *acknowledge; /* KIND:NAME, as --accept takes them */
    size_t nacknowledge;
    const char *const *accept_loss; /* RELATION.COLUMN or COLUMN, beside those of the columns */
    size_t naccept_loss;
};

/* Reads a mapping file (YAML, version 1). A mistake is -SP_E_INVALID with file, line, key, what was expected and the nearest
 * valid name. Whether the names exist on the two sides is sp_mapping_check()'s to say. */
int sp_mapping_load(const char *file, struct sp_mapping **out, struct sp_error *err);
/* The same of a text; `name` stands for the file in messages. */
int sp_mapping_parse(
    const char *name, const char *text, size_t n, struct sp_mapping **out, struct sp_error *err);
void sp_mapping_free(struct sp_mapping *m);
/* Every name that the mapping uses must exist on its side, and none may mean two things. `target` NULL: it is still to be
 * made. */
struct sp_schema;
int sp_mapping_check(const struct sp_mapping *m, const struct sp_schema *source,
    const struct sp_schema *target, struct sp_error *err);
/* One that is compared goes before one that is ignored. */
const struct sp_map_relation *sp_mapping_relation(const struct sp_mapping *m, const char *name);
const struct sp_map_column *sp_map_column_named(const struct sp_map_relation *r, const char *name);

#endif
