/* mutants.c -- all planted bugs in one table, and the wrapping. */
#include "run/mutation.h"

#include <string.h>

#include "base/str.h"

struct sp_mutation sp_mutation = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const struct sp_mutant_row *const groups[] = { sp_mutants_query, sp_mutants_write, sp_mutants_values,
    sp_mutants_txn, sp_mutants_session, sp_mutants_auth, sp_mutants_auth_more, sp_mutants_roles,
    sp_mutants_grants, sp_mutants_blob, sp_mutants_blob_more, sp_mutants_process, sp_mutants_faults,
    sp_mutants_races, sp_mutants_documents, sp_mutants_blob_races, sp_mutants_behaviour, sp_mutants_actors };

const struct sp_mutant_info *sp_mutant_at(size_t index)
{
    for (size_t g = 0; g < SP_LEN(groups); g++)
        for (const struct sp_mutant_row *row = groups[g]; row->info.name != NULL; row++)
            if (index-- == 0)
                return &row->info;
    return NULL;
}

static const struct sp_mutant_row *find(const char *name)
{
    for (size_t g = 0; g < SP_LEN(groups); g++)
        for (const struct sp_mutant_row *row = groups[g]; row->info.name != NULL; row++)
            if (strcmp(row->info.name, name) == 0)
                return row;
    return NULL;
}

const struct sp_provider *sp_mutant_wrap(
    const struct sp_provider *inner, const char *name, struct sp_error *err)
{
    struct sp_mutation *m = &sp_mutation;
    if (sp_mutant_check(name, err) < 0)
        return NULL;
    const struct sp_mutant_row *row = find(name);
    m->inner = inner;
    m->outer = *inner;
    m->name = row->info.name;
    if (inner->db != NULL) {
        m->db = *inner->db;
        m->outer.db = &m->db;
    }
    if (inner->auth != NULL) {
        m->auth = *inner->auth;
        m->outer.auth = &m->auth;
    }
    if (inner->blob != NULL) {
        m->blob = *inner->blob;
        m->outer.blob = &m->blob;
    }
    if (!row->plant()) {
        sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS,
            "mutant '%s' changes the %s facet, and provider kind '%s' has nothing there to change", name,
            row->info.facet, inner->kind);
        return NULL;
    }
    return &m->outer;
}
