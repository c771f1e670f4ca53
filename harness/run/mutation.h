/* mutation.h -- inside of the mutants: what a row of the table may change.
 *
 * One mutation a process, made by sp_mutant_wrap() before any session or thread. The planted functions find the inner
 * provider through sp_mutation; what they remember between calls is guarded by its lock. */
#ifndef SP_RUN_MUTATION_H
#define SP_RUN_MUTATION_H

#include <pthread.h>

#include "run/mutant.h"

struct sp_mutation {
    const struct sp_provider *inner;
    struct sp_provider outer;
    struct sp_db_ops db; /* copies of the inner tables, with the bug in them */
    struct sp_auth_ops auth;
    struct sp_blob_ops blob;
    const char *name;
    pthread_mutex_t lock;
};
extern struct sp_mutation sp_mutation;

#define SP_INNER_DB   (sp_mutation.inner->db)
#define SP_INNER_AUTH (sp_mutation.inner->auth)
#define SP_INNER_BLOB (sp_mutation.inner->blob)

/* Defines plant_NAME(): replaces one function of a facet (db, auth, blob). */
#define SP_PLANT(facet, name, member, function)                                                              \
    static bool plant_##name(void)                                                                           \
    {                                                                                                        \
        bool can = sp_mutation.facet.member != NULL;                                                         \
        if (can)                                                                                             \
            sp_mutation.facet.member = function;                                                             \
        return can;                                                                                          \
    }

/* A row: `plant` replaces functions in sp_mutation; false when the provider has none to replace. */
struct sp_mutant_row {
    struct sp_mutant_info info;
    bool (*plant)(void);
};
extern const struct sp_mutant_row sp_mutants_query[], sp_mutants_write[], sp_mutants_values[],
    sp_mutants_txn[], sp_mutants_session[], sp_mutants_auth[], sp_mutants_auth_more[], sp_mutants_roles[],
    sp_mutants_grants[], sp_mutants_blob[], sp_mutants_blob_more[], sp_mutants_process[], sp_mutants_faults[],
    sp_mutants_races[], sp_mutants_documents[], sp_mutants_blob_races[], sp_mutants_behaviour[],
    sp_mutants_actors[];

#endif
