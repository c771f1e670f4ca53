/* lens_internal.h -- private to the lens: the relations of one side, and how a document becomes their rows.
 *
 * A lens has views: one per relation that its side has, and one per table that no relation speaks of. They are made from
 * the inner schema by introspection, or by the first call that needs them, and live in one arena until the next
 * introspection. One thread, that of the inner session. */
#ifndef SP_MAP_LENS_INTERNAL_H
#define SP_MAP_LENS_INTERNAL_H

#include "map/lens.h"

#define LENS_DEPTH 32 /* names in a path */
/* What an element is called that is no document and that no column takes. */
#define LENS_ELEMENT "(element)"

/* A way into a document. No name at all = the thing itself. */
struct lens_path {
    const char *const *seg;
    size_t n;
};

/* A column of a view. */
struct lens_col {
    const char *name;              /* the relation's */
    const struct sp_map_column *m; /* NULL = matched by name */
    struct lens_path path;         /* path.seg[0] is a column of the table or a field of the document */
    const struct sp_column *inner; /* the place is exactly this column; else NULL */
    bool parent;                   /* of an embedded array: the path begins at the document */
    bool ordinal;
    bool empty; /* SP_LENS_EMPTY: the place is an array, and shown is whether it is empty */
    const struct sp_value *constant;
    bool
        logical; /* compared by meaning, also between two backends of one kind: a side has no stored value of it */
    struct lens_walk *walk;     /* the ids are translated, NULL = as they are */
    const struct sp_type *type; /* what the mapping says of a dynamic place; NULL = nothing */
};

/* What relations take out of a document: the rest remains as undeclared fields. */
struct lens_taken {
    const char *name;
    bool whole; /* all of it; else only what `first` names */
    bool array; /* the place of an embedded array: taken if it is one */
    bool keep_empty;
    struct lens_taken *first, *next;
};

struct lens_view {
    const char *name, *ns;
    const struct sp_map_relation *rel; /* NULL = nobody speaks of this table */
    const struct sp_table *inner;
    struct sp_table outer;
    struct lens_col *cols; /* as outer.columns */
    size_t ncols;
    bool store;             /* a document store's table: values are as those tell them apart */
    bool documents;         /* fields beyond the columns may be there */
    bool embedded;          /* rows are elements of `array` */
    struct lens_path array; /* in the document */
    struct lens_taken *taken;
    bool renamed; /* a name differs */
    bool direct; /* every column is a column or top field of the table, as it is, and nothing else is taken */
    const struct sp_filter *where; /* the relation's, over places */
};

struct lens_pairs;
/* A crosswalk as this side uses it. Made when the views are. */
struct lens_walk {
    const struct sp_crosswalk *m;
    struct lens_pairs *pairs; /* owned by the session; NULL until they are read */
    bool translated;          /* some column of this side needs it */
    const char *broken;       /* why nothing can be translated; NULL = it can */
    enum sp_code code;
};

struct lens_session {
    struct sp_session_base base;
    struct sp_provider provider;
    struct sp_session *inner, *other;
    const struct sp_mapping *m;
    enum sp_side side;
    struct sp_schema *schema; /* of the inner session */
    char *ns;                 /* that was introspected; NULL = the default */
    struct sp_arena arena;
    struct lens_view *views;
    size_t nviews;
    struct lens_walk *walks;
    size_t nwalks;
};

static inline struct lens_session *lens_of(struct sp_session *s)
{
    return (struct lens_session *)(void *)s;
}

/* ---- lens_views.c: what this side shows ------------------------------------------------------------------------ */
/* Views of the inner schema. */
int lens_views_make(struct lens_session *s, const char *ns, struct sp_error *err);
void lens_views_drop(struct lens_session *s);
/* Where a place stands among the rows of a table: one of its columns, or a way into one, or into the document. */
int lens_place(struct sp_arena *a, const struct sp_table *t, const char *place, bool documents,
    struct lens_col *out, struct sp_error *err);
/* Whether its table is a document store's. */
void lens_view_storage(struct lens_view *v);
/* A JSON pointer without its first slash. -SP_E_NOMEM, or -SP_E_INVALID: more than LENS_DEPTH names. */
int lens_path_parse(struct sp_arena *a, const char *text, struct lens_path *out);
/* Makes them if there are none. */
int lens_ready(struct lens_session *s, struct sp_error *err);
const struct lens_view *lens_view_named(const struct lens_session *s, const char *name);
const struct lens_col *lens_col_named(const struct lens_view *v, const char *name);
/* The name under which a view shows a column of its table; NULL = it does not show it as it is. */
const char *lens_shown_column(const struct lens_view *v, const char *inner);
/* The view of the rows of a table; NULL = none (it is ignored, or only arrays in it are shown). */
const struct lens_view *lens_rows_of(const struct lens_session *s, const char *table);

/* ---- lens_schema.c ----------------------------------------------------------------------------------------------- */
int lens_outer_tables(struct lens_session *s, struct sp_error *err);
int lens_introspect(struct sp_session *, const char *ns, struct sp_schema **out, struct sp_error *);
/* A definition or an expression in which names of columns and of tables are those that the views show. `v` may be NULL. */
const char *lens_renamed_text(
    struct lens_session *s, struct sp_arena *a, const struct lens_view *v, const char *text);

/* ---- lens_scan.c --------------------------------------------------------------------------------------------------- */
int lens_scan(struct sp_session *, const struct sp_scan *, struct sp_rowbuf *, struct sp_error *);
int lens_volume(
    struct sp_session *, const char *ns, const char *table, struct sp_volume *, struct sp_error *);
int lens_split(struct sp_session *, const char *ns, const char *table, size_t parts, struct sp_names *bounds,
    struct sp_error *);
/* ---- lens_cross.c */
/* Reads the pairs that columns need. `other` is the schema of the other side, or NULL. */
int lens_walks_read(struct lens_session *s, const struct sp_schema *other, struct sp_error *err);
void lens_walks_free(struct lens_session *s);
/* ---- lens_rows.c: each row taken apart */
int lens_scan_rows(struct lens_session *s, const struct lens_view *v, const struct sp_scan *scan,
    struct sp_rowbuf *rb, struct sp_error *err);
/* ---- lens_filter.c --------------------------------------------------------------------------------------------------- */
/* What the inner session can select by, under its names: every row that passes `f` passes it; NULL = nothing. `*exact`:
 * the others don't. */
int lens_filter_inner(struct sp_arena *a, const struct lens_view *v, const struct sp_filter *f,
    const struct sp_filter **out, bool *exact);
/* Is each column of a filter over places a column of the table? */
bool lens_filter_over_columns(const struct lens_view *v, const struct sp_filter *f);
/* Both must hold; either may be NULL. */
int lens_filter_and(
    struct sp_arena *a, const struct sp_filter *x, const struct sp_filter *y, const struct sp_filter **out);
/* ---- lens_query.c ---------------------------------------------------------------------------------------------------- */
int lens_exec(struct sp_session *, const struct sp_op *, struct sp_result *, struct sp_error *);

#endif
