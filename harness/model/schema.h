/* schema.h -- the logical schema: what a backend holds, in one vocabulary.
 *
 * Ownership: a schema and all it names live in its own arena; sp_schema_free() releases everything. Tables made by
 * hand (constant tables of a suite, literals) borrow whatever they point to. Read-only after it was made, then any
 * thread may read. */
#ifndef SP_MODEL_SCHEMA_H
#define SP_MODEL_SCHEMA_H

#include "model/value.h"

/* A logical type: a tag with its limits. Limits are 0 = unlimited / not said. */
struct sp_type {
    enum sp_tag tag; /* SP_MISSING = dynamic: each value carries its own type (SQLite, documents) */
    uint32_t length; /* text: characters, bytes: octets, vector: dimensions */
    uint32_t
        precision;    /* decimal: digits; timestamps: fraction digits + 1 (1 = whole seconds, 0 = not said) */
    int32_t scale;    /* decimal: digits behind the point, with precision > 0 */
    uint8_t int_bits; /* int: 8, 16, 32, 64 (0 = 64) */
    bool padded;      /* text: CHAR(n), blank-padded */
    enum sp_tag elem; /* array */
};

struct sp_column {
    const char *name;
    struct sp_type type;
    const char *native_type;  /* as the backend spells it; NULL in hand-made schemas */
    const char *default_expr; /* backend's expression text, NULL = none */
    const char *collation;    /* NULL = the backend's default (bytewise where it has one) */
    bool
        collation_exact; /* that one only orders: texts of different octets never count as the same under it */
    const char *generated; /* expression of a generated column, NULL = not generated */
    bool not_null;
    bool identity;         /* serial, identity, AUTOINCREMENT: the backend draws the next value */
    bool ordinal_unstable; /* document stores: no column order */
    /* Of a dynamic column (type.tag SP_MISSING): what its declaration suggests, though the backend doesn't enforce it;
     * tag SP_MISSING = nothing. For choosing a type elsewhere, never for comparing. */
    struct sp_type declared;
};

enum sp_fk_action { SP_FK_NO_ACTION, SP_FK_RESTRICT, SP_FK_CASCADE, SP_FK_SET_NULL, SP_FK_SET_DEFAULT };
const char *sp_fk_action_name(enum sp_fk_action a); /* "no action" ... */

struct sp_fk {
    const char *name; /* may be NULL */
    const char *const *columns;
    size_t ncolumns;
    const char *ref_table;
    const char *const *ref_columns; /* same number; never NULL after introspection */
    enum sp_fk_action on_delete, on_update;
    bool deferrable, initially_deferred;
    bool not_valid; /* exists, but old rows were not checked */
};
struct sp_unique {
    const char *name;
    const char *const *columns;
    size_t ncolumns;
    bool nulls_equal;
};
struct sp_check {
    const char *name;
    const char *expr;
};
struct sp_index {
    const char *name;
    const char *const *columns;
    size_t ncolumns;    /* expressions in parentheses */
    const char *where;  /* partial index predicate or NULL */
    const char *method; /* btree, gin ...; NULL = default */
    bool unique, descending_any, invalid;
};
/* A counter that gives next values: SQLite AUTOINCREMENT row, PostgreSQL sequence, Firestore none. */
struct sp_sequence {
    const char *name;
    const char *table;
    const char *column;
    int64_t next;
    int64_t increment;
};

struct sp_table {
    const char *ns; /* schema or database, NULL = default */
    const char *name;
    const struct sp_column *columns;
    size_t ncolumns;
    const char *const *pk;
    size_t npk; /* primary key columns in key order; 0 = none */
    const struct sp_unique *uniques;
    size_t nuniques;
    const struct sp_check *checks;
    size_t nchecks;
    const struct sp_fk *fks;
    size_t nfks;
    const struct sp_index *indexes;
    size_t nindexes;               /* without those that only implement pk and uniques */
    bool strict;                   /* the backend enforces the declared types */
    bool without_rowid;            /* SQLite */
    bool open_fields;              /* documents: fields beyond the columns may exist -> residual map */
    const char *native_definition; /* backend's own text, for people; may be NULL */
    const char *native_kind;       /* provider kind whose language that is; NULL = not said */
    /* Set by whoever copies an unchanged table between two backends of one kind: table_create and table_finish then
     * run native_definition as it is (every constraint, order and collation stays identical) if native_kind is their
     * own kind, and go by the struct otherwise. Introspection never sets it. */
    bool native_verbatim;
};

/* Objects that exist but whose meaning the schema does not model: triggers, views, policies ... */
struct sp_inventory_item {
    const char *kind;
    const char *name;
    const char *table;
    const char *definition; /* NULL = what it holds is not read */
    bool before_tables;     /* columns may need it: types, extensions */
    /* Why none of this kind could be looked at: it holds no rows, and there is no telling which there are. NULL = it is one. */
    const char *unread;
};

struct sp_schema {
    struct sp_arena arena;
    const struct sp_table *tables;
    size_t ntables; /* sorted by name, bytewise */
    const struct sp_sequence *sequences;
    size_t nsequences; /* sorted by name */
    const struct sp_inventory_item *inventory;
    size_t ninventory; /* sorted by kind, name */
};

struct sp_schema *sp_schema_new(void);
void sp_schema_free(struct sp_schema *s);
const struct sp_table *sp_schema_table(
    const struct sp_schema *s, const char *name); /* exact, NULL if absent */
const struct sp_column *sp_table_column(const struct sp_table *t, const char *name);
int sp_table_column_index(const struct sp_table *t, const char *name); /* -1 if absent */
bool sp_table_is_pk(const struct sp_table *t, const char *column);
int sp_table_copy(struct sp_arena *a, struct sp_table *out, const struct sp_table *in); /* deep */
int sp_type_print(struct sp_buf *out, const struct sp_type *t); /* decimal(12,2), text(40), array(int) ... */
bool sp_type_equal(const struct sp_type *a, const struct sp_type *b);
/* Tables in an order in which each stands behind those it references (itself aside). Tables on a cycle come last, in
 * name order, and behind them those that only reference the cycle; *ncyclic counts both. `order` has room for
 * ntables indexes. Iterative. */
int sp_schema_order(const struct sp_schema *s, size_t *order, size_t *ncyclic, struct sp_error *err);

#endif
