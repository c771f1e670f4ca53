/* internal.h -- private to migrate/: one copy in progress. Everything belongs to the calling thread. */
#ifndef SP_MIGRATE_INTERNAL_H
#define SP_MIGRATE_INTERNAL_H

#include "base/str.h"
#include "migrate/migrate.h"

#define SP_M_MADE 2

/* A table to copy. */
struct sp_mtable {
    const struct sp_table *t;
    struct sp_table made; /* what the target is asked to create: t, verbatim where it understands the text */
    bool existing;        /* was there before, empty */
    bool by_virtual;      /* came into being with a virtual table: filled anew, dropped with it */
    bool created, filled;
    uint64_t rows, bytes;
    double seconds;
};
struct sp_mctx {
    struct sp_session *source, *target;
    const struct sp_migrate_options *opt;
    struct sp_emitter *em;
    struct sp_arena arena;
    struct sp_schema *from, *to;
    struct sp_mtable *tables; /* in the order of creation */
    size_t ntables;
    const char **virtuals; /* virtual tables that this copy created */
    size_t nvirtuals;
    uint8_t *objects_done;     /* per inventory item: 1 = not to be made, SP_M_MADE = made */
    const struct sp_cap *caps; /* of the target, effective */
    bool same_kind;
    bool own_words; /* same kind, and no mapping calls anything otherwise */
    uint64_t rows, bytes;
};

double sp_m_now(void);
bool sp_m_interrupted(void);
bool sp_m_selected(const struct sp_mctx *m, const char *table);
int sp_m_note(struct sp_mctx *m, struct sp_error *err, const char *level, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* plan.c: which tables, in which order, and whether the target can take them. */
int sp_m_plan(struct sp_mctx *m, struct sp_error *err);
int sp_m_say_plan(struct sp_mctx *m, struct sp_error *err);
/* convert.c: a type for each column that has none, found in its values. */
int sp_m_convert(struct sp_mctx *m, struct sp_mtable *x, struct sp_error *err);
/* mapped.c: what a mapping's rules make of types and values. */
struct sp_map_column;
int sp_m_mapped_types(struct sp_mctx *m, struct sp_error *err);
void sp_m_mapped_rules(const struct sp_mctx *m, const char *table, struct sp_colplan *plan);
const struct sp_map_column *sp_m_map_column(const struct sp_mctx *m, const char *table, const char *column);
/* misfits.c: values that do not fit, as far as they are listed. */
#define SP_MISFITS 10
struct sp_misfits {
    const char *key[SP_MISFITS], *value[SP_MISFITS]; /* in the context's arena */
    size_t n;
};
int sp_m_misfit_keep(struct sp_misfits *list, struct sp_mctx *m, const struct sp_table *t,
    const struct sp_colplan *plan, size_t n, const struct sp_value *row, const struct sp_value *v);
int sp_m_misfit_say(struct sp_mctx *m, const struct sp_misfits *list, const char *table, const char *column,
    const char *type, uint64_t all, struct sp_error *err);
/* The key columns among those of a plan, for people: id=7, part="a". */
void sp_m_put_key(struct sp_buf *out, const struct sp_table *t, const struct sp_colplan *plan, size_t n,
    const struct sp_value *row);
void sp_m_put_value(struct sp_buf *out, const struct sp_value *v, bool show);
/* words.c: what is written in the source's language. */
bool sp_m_is_about_words(int rc);
int sp_m_create(struct sp_mctx *m, struct sp_mtable *x, struct sp_error *err);
int sp_m_finish_by_pieces(struct sp_mctx *m, struct sp_mtable *x,
    int (*finish)(struct sp_mctx *, struct sp_mtable *, struct sp_error *), bool *helped,
    struct sp_error *err);
/* finish.c: constraints and indexes of one table; orphans that the source has. */
int sp_m_finish(struct sp_mctx *m, struct sp_mtable *x, struct sp_error *err);
int sp_m_say_collations(struct sp_mctx *m, struct sp_error *err);
int sp_m_say_orphans(struct sp_mctx *m, const struct sp_mtable *x, struct sp_error *err);
/* load.c: scans one table and loads it; the counts on both ends must agree. */
int sp_m_load(struct sp_mctx *m, struct sp_mtable *t, struct sp_error *err);
/* embed.c: rows that become elements of arrays in the documents of their parents. */
struct sp_membed;
bool sp_m_is_embedded(const struct sp_mctx *m, const char *table);
int sp_m_embed_plan(struct sp_mctx *m, struct sp_error *err);
/* Reads the rows for the documents that become of table `t`; *out stays NULL if there are none. */
int sp_m_embed_open(struct sp_mctx *m, const struct sp_table *t, const struct sp_colplan *parent,
    size_t nparent, struct sp_membed **out, struct sp_error *err);
/* Of the parent's row that is loaded next, whose columns end at `ends`. */
int sp_m_embed_rows(struct sp_membed *list, struct sp_load *load, const uint8_t *row, const size_t *ends,
    struct sp_error *err);
/* No row is left. */
int sp_m_embed_check(struct sp_membed *list, struct sp_error *err);
/* Says what was embedded (after rc 0), and frees. */
int sp_m_embed_close(struct sp_membed *list, int rc, struct sp_error *err);
/* objects.c: what the schema only lists: virtual tables before the rows, views and triggers behind them. */
int sp_m_virtual_tables(struct sp_mctx *m, struct sp_error *err);
int sp_m_objects_before(struct sp_mctx *m, struct sp_error *err);
int sp_m_other_objects(struct sp_mctx *m, struct sp_error *err);
bool sp_m_is_virtual(const struct sp_inventory_item *x);

#endif
