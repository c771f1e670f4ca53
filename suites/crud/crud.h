/* crud.h -- what the files of the crud suite share: its data-driven kinds of case, and the list of the others.
 *
 * The table of cases is crud.c with the cases_*.inc; the functions are spread over the files of this folder by
 * subject. Case functions run on the worker's main thread. */
#ifndef SP_SUITES_CRUD_H
#define SP_SUITES_CRUD_H

#include "suites/lib/dbcase.h"

/* A filter over the column v of a table (id, v): the ids of the rows that it selects, ending with 0. */
struct crud_set {
    const char *table;
    enum sp_tag tag;
    const struct sp_value *values;
    size_t nvalues;
};
extern const struct crud_set crud_set_int, crud_set_text, crud_set_bool, crud_set_decimal, crud_set_float,
    crud_set_instant, crud_set_local, crud_set_date, crud_set_time, crud_set_uuid, crud_set_bytes;
struct crud_filter {
    const struct crud_set *set;
    const unsigned *ids;
    struct sp_filter where;
};
void crc_filter(struct sp_ctx *ctx, const void *data);

/* An order over a fixed table: the ids in that order, ending with 0. */
struct crud_order {
    const unsigned *ids;
    const struct sp_order *order;
    size_t norder;
};
void crc_order(struct sp_ctx *ctx, const void *data);

/* Values that a column of one type gives back as they were written. */
struct crud_values {
    struct sp_type type;
    const struct sp_value *values;
    size_t nvalues;
};
void crc_round_trip(struct sp_ctx *ctx, const void *data);

/* Names that a table and its columns keep. */
struct crud_names {
    const char *table;
    const char *first, *second; /* columns */
};
void crc_names(struct sp_ctx *ctx, const void *data);

/* A text that must stay data wherever it is put. */
struct crud_text {
    const char *text;
};
void crc_injection(struct sp_ctx *ctx, const void *data);

/* Deleting or re-keying a parent: what the foreign key then does. */
struct crud_fk {
    enum sp_fk_action on_delete, on_update;
    enum sp_code code;
    bool update; /* the key changes; else the parent is deleted */
};
void crc_fk_action(struct sp_ctx *ctx, const void *data);
/* A family: parents 1 and 2, children 10 and 11 of 1, 12 of 2, 13 of nobody. */
#define PARENTS(...)                                                                                         \
    (&(const struct dc_rows){ .columns = NAMES("id", "name"), .values = VALUES(__VA_ARGS__) })
#define CHILDREN(...)                                                                                        \
    (&(const struct dc_rows){ .columns = NAMES("id", "parent"), .values = VALUES(__VA_ARGS__) })
#define CHILDREN0    (&(const struct dc_rows){ .columns = NAMES("id", "parent") })
#define BOTH_PARENTS PARENTS(V_INT(1), V_TEXT("one"), V_INT(2), V_TEXT("two"))
#define ALL_CHILDREN                                                                                         \
    CHILDREN(V_INT(10), V_INT(1), V_INT(11), V_INT(1), V_INT(12), V_INT(2), V_INT(13), V_NULL)

extern const struct sp_table crud_parents;
/* A table (id, parent) that refers to another one in the way of `like`. */
bool crud_child_table(struct dc *d, const char *name, const char *refers_to, const struct sp_fk *like);
bool crud_family(struct dc *d, struct sp_ctx *ctx, const struct sp_fk *like);
bool crud_unchanged(struct dc *d); /* they are still as they were made */

/* The backend's own language has SELECT; otherwise the case is skipped with that reason. */
bool crud_speaks(struct dc *d);

/* An anomaly between transactions of one level: prevented there by promise, or only told. */
enum crud_anomaly {
    CRUD_DIRTY_READ,
    CRUD_NONREPEATABLE_READ,
    CRUD_PHANTOM,
    CRUD_LOST_UPDATE,
    CRUD_WRITE_SKEW,
    CRUD_READ_ONLY_ANOMALY
};
struct crud_isolation {
    enum crud_anomaly anomaly;
    enum sp_isolation level;
    bool promised;
};
void crc_isolation(struct sp_ctx *ctx, const void *data);

/* clang-format off */
#define CRUD_CASES(X)                                                                                        \
    X(filter_random) X(filter_order_scenario) X(filter_missing) X(filter_array)                              \
    X(order_ties) X(page_walk) X(page_edges) X(page_filtered) X(page_keyset)                                 \
    X(create_read) X(create_partial) X(create_many) X(create_many_mixed) X(create_many_atomic)               \
    X(create_duplicate) X(read_absent) X(read_empty) X(select_list) X(count) X(update_one) X(update_many)    \
    X(update_none) X(update_all) X(update_null) X(update_key) X(update_keeps_missing) X(update_same)         \
    X(delete_one) X(delete_many) X(delete_none) X(delete_all) X(delete_again) X(returning_create)            \
    X(returning_update) X(returning_delete) X(upsert) X(upsert_many) X(upsert_partial) X(upsert_unique)      \
    X(defaults) X(default_not_null) X(identity) X(identity_explicit) X(identity_unique) X(absent_table)      \
    X(absent_column) X(prepared_read) X(prepared_write) X(prepared_null) X(raw_query) X(raw_parameters)      \
    X(history)                                                                                               \
    X(unique) X(unique_update) X(unique_compound) X(unique_nulls) X(unique_case) X(primary_key)              \
    X(primary_key_compound) X(primary_key_text) X(not_null) X(not_null_update) X(check) X(check_text)        \
    X(fk_insert) X(fk_update) X(fk_null) X(fk_self) X(fk_compound) X(fk_cascade_deep) X(fk_deferred)         \
    X(fk_deferred_broken) X(fk_cascade_self) X(fk_cascade_ring) X(fk_cascade_chain) X(fk_cascade_stopped) \
    X(fk_cascade_two_ways) X(fk_delete_set_default) X(fk_set_null_required) X(fk_deferred_repaired)          \
    X(fk_deferred_parent_gone) X(fk_deferred_savepoint) X(fk_concurrent) X(strict_types) X(strict_width) X(error_usable) X(error_in_txn) X(without_key)     \
    X(txn_commit) X(txn_rollback) X(txn_rollback_all) X(txn_isolated) X(txn_own_writes) X(txn_close)         \
    X(txn_again) X(txn_failure) X(txn_read_only) X(txn_two_tables) X(txn_misuse) X(savepoint)                \
    X(savepoint_nested) X(savepoint_release) X(savepoint_error) X(savepoint_same_name)                       \
    X(isolation_default) X(lost_update_blind)               \
    X(concurrent_counter) X(concurrent_create) X(concurrent_unique) X(concurrent_unique_winner) X(concurrent_upsert)                  \
    X(concurrent_compare_and_set) X(other_session)           \
    X(batch_large) X(batch_wide) X(batch_long_text) X(batch_update_large)                     \
    X(missing_field) X(json_null) X(json_deep) X(large_text) X(large_bytes) X(all_bytes) X(bulk_load) X(bulk_load_abort) X(bulk_load_duplicate) X(scan_parts) X(snapshot_joined) X(sequence_set) X(acknowledged) X(instant_and_local)                                       \
    X(semantics_floats) X(semantics_order) X(semantics_long_name)                      \
    X(semantics_identity) X(semantics_txn_ddl) X(semantics_pending_key) X(semantics_unique_null)             \
    X(semantics_language)
#define SP_X(name) void crc_##name(struct sp_ctx *ctx, const void *data);
CRUD_CASES(SP_X)
#undef SP_X
/* clang-format on */

#endif
