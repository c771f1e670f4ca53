/* dbcase.h -- what cases about tables and rows share.
 *
 * A case opens a `struct dc` (session 0 of its context), works through the helpers and ends with dc_done(), which
 * rolls back what the case left open. A helper records the failed check itself and returns false: the case returns.
 * Rows are always compared whole: names of the columns, their order, the number of rows, every value of every row.
 * One thread. */
#ifndef SP_SUITES_DBCASE_H
#define SP_SUITES_DBCASE_H

#include "suites/lib/values.h"

#define DC_SESSIONS 4
struct dc {
    struct sp_ctx *ctx;
    struct sp_session *s; /* session 0 */
    struct sp_arena *a;   /* the case's */
    struct sp_error err;
    struct sp_result r;
    struct sp_session *open[DC_SESSIONS]; /* those with an open transaction */
    struct sp_session *own[DC_SESSIONS];  /* of dc_impatient() */
};

/* Rows of a table, in the order of their keys or of a query. */
struct dc_rows {
    const char *const *columns;
    size_t ncolumns;
    const struct sp_value *values; /* nrows * ncolumns, row-major */
    size_t nvalues;
};
static inline size_t dc_nrows(const struct dc_rows *r)
{
    return r->ncolumns == 0 ? 0 : r->nvalues / r->ncolumns;
}

bool dc_open(struct dc *d, struct sp_ctx *ctx);
void dc_done(struct dc *d);
struct sp_session *dc_other(struct dc *d, unsigned identity); /* NULL: return */
/* A session in the run's namespace whose statements give up soon: for calls that may wait for another session of
 * the same thread. Closed by dc_done(). NULL: return. */
struct sp_session *dc_impatient(struct dc *d, int patience_ms);
/* How the work of a thread ended: kept by the thread, told by the case, with its origin (a lost connection breaks no promise). */
struct dc_end {
    int rc;
    enum sp_origin origin;
    char text[160];
};
void dc_end_keep(struct dc_end *, int rc, struct sp_error *); /* clears the error */
bool dc_end_ok(struct dc *d, const struct dc_end *, const char *what);

/* A call's outcome; both clear the record. */
bool dc_ok(struct dc *d, const char *what, int rc);
bool dc_fails(struct dc *d, const char *what, enum sp_code want, int rc);
/* The error was one of the backend's that changed nothing, with words for people. */
bool dc_refused(struct dc *d, const char *what, enum sp_code want, int rc);

/* Stores the rows in one create, and checks that it said how many. */
bool dc_create(struct dc *d, struct sp_session *s, const char *table, const struct dc_rows *rows);
/* The table, made, with these rows. */
bool dc_table(struct dc *d, const struct sp_table *t, const struct dc_rows *rows);
/* The result in d->r is exactly this. */
bool dc_result_is(struct dc *d, const char *what, const struct dc_rows *want);
bool dc_read_is(struct dc *d, struct sp_session *s, const char *what, const struct sp_query *q,
    const struct dc_rows *want);
/* The table holds these rows (sorted by their column `id`) and no others: by reading, and by counting. */
bool dc_holds(
    struct dc *d, struct sp_session *s, const char *what, const char *table, const struct dc_rows *want);
bool dc_count_is(
    struct dc *d, struct sp_session *s, const char *table, const struct sp_filter *where, int64_t want);
bool dc_update(struct dc *d, struct sp_session *s, const char *table, const struct sp_filter *where,
    const struct sp_field *f, size_t n, int64_t want);
bool dc_delete(
    struct dc *d, struct sp_session *s, const char *table, const struct sp_filter *where, int64_t want);
/* One field of the row with this id. */
int dc_set(struct dc *d, struct sp_session *s, const char *table, int64_t id, const char *column,
    struct sp_value v, int64_t *affected);

bool dc_begin(struct dc *d, struct sp_session *s, enum sp_isolation iso);
bool dc_commit(struct dc *d, struct sp_session *s);
bool dc_rollback(struct dc *d, struct sp_session *s);
void dc_opened(struct dc *d, struct sp_session *s); /* begun without dc_begin */
void dc_ended(struct dc *d, struct sp_session *s);

/* A field's value cut to what the backend keeps below the second. */
struct sp_value dc_fit(struct dc *d, struct sp_value v);

/* The plain table that most cases use: (id, category not null, value), and its rows. */
extern const struct sp_table dc_items;
#define ITEM(id, category, value) V_INT(id), V_TEXT(category), value
#define ITEMS(...)                                                                                           \
    (&(const struct dc_rows){ .columns = NAMES("id", "category", "value"), .values = VALUES(__VA_ARGS__) })
#define NO_ITEMS      (&(const struct dc_rows){ .columns = NAMES("id", "category", "value") })
#define QUERY(t, ...) (&(const struct sp_query){ .table = (t), .limit = SP_NO_LIMIT, __VA_ARGS__ })

#endif
