/* migrate.h -- copying a backend's data into another one. Strategy bulk: schema, rows in dependency order, then
 * indexes, foreign keys and sequences. Emits migrate_table ... migrate_end. The source is only read, in one snapshot. */
#ifndef SP_MIGRATE_MIGRATE_H
#define SP_MIGRATE_MIGRATE_H

#include "event.h"
#include "provider_call.h"

struct sp_mapping;
struct sp_migrate_options {
    const char *const *tables;
    size_t ntables; /* globs; empty = all */
    const char *source_ns,
        *target_ns; /* NULL = the default namespace; views and the like stay behind otherwise */
    /* What sp_mapping_for_copy() made, of which the source is a lens; NULL = names are the same. Views and the like stay
     * behind then. */
    const struct sp_mapping *mapping;
    bool show_values;   /* in findings; otherwise type and digest */
    bool dry_run;       /* says what would be done; writes nothing */
    bool into_existing; /* tables may exist already; they must be empty */
    void (*progress)(void *payload, const char *table, uint64_t rows, uint64_t total_rows);
    void *payload;
};
/* 0, or a negative error: then the tables that this call created are dropped again, unless the error text says which
 * could not be. A value that does not fit its target type is a finding; then nothing is copied of that table and the
 * result is an error. */
int sp_migrate_bulk(struct sp_session *source, struct sp_session *target, const struct sp_migrate_options *,
    struct sp_emitter *, struct sp_error *);

#endif
