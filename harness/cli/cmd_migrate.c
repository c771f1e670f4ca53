/* cmd_migrate.c -- switchproof migrate. */
#include "base/log.h"
#include "cli/sides.h"
#include "map/for_copy.h"
#include "map/lens.h"
#include "migrate/migrate.h"

#define DIRECTORY "build/migrate"

/* Whether the arguments, the data, or the world was in the way. */
static int exit_of(const struct sp_error *err)
{
    if (sp_interrupted() != 0) {
        return SP_EXIT_INTERRUPTED;
    }
    switch (err->code) {
    case SP_E_EXISTS:
    case SP_E_NOT_FOUND:
        return SP_EXIT_USAGE;
    case SP_E_PERMISSION: /* ours: the access of the configuration; the backend's: what this user may not see or do */
        return err->origin == SP_ORIGIN_HARNESS ? SP_EXIT_USAGE : SP_EXIT_INCONCLUSIVE;
    case SP_E_INVALID: /* ours: an argument; the backend's: a value that it does not take */
        return err->origin == SP_ORIGIN_HARNESS ? SP_EXIT_USAGE : SP_EXIT_FAILED;
    case SP_E_INTERNAL: /* the backend's: it confirmed another number of rows than it was given */
        return err->origin == SP_ORIGIN_BACKEND ? SP_EXIT_FAILED : SP_EXIT_INCONCLUSIVE;
    case SP_E_RANGE:
    case SP_E_UNIQUE:
    case SP_E_FOREIGN_KEY:
    case SP_E_NOT_NULL:
    case SP_E_CHECK:
    case SP_E_TOO_LARGE:
    case SP_E_UNSUPPORTED:
        return SP_EXIT_FAILED;
    default:
        return SP_EXIT_INCONCLUSIVE;
    }
}

/* With --mapping, the source is seen under the target's names. */
static int see_through(struct sp_sides *s, struct sp_mapping **names, struct sp_error *err)
{
    struct sp_schema *schema = NULL;
    *names = NULL;
    if (s->mapping == NULL)
        return 0;
    int rc = sp_db_introspect(s->raw[0], NULL, &schema, err);
    if (rc == 0)
        rc = sp_mapping_for_copy(s->mapping, schema, names, err);
    sp_schema_free(schema);
    if (rc == 0) {
        struct sp_session *lens = NULL;
        rc = sp_lens_open(s->raw[0], s->raw[1], *names, SP_SIDE_SOURCE, &lens, err);
        s->session[0] = rc == 0 ? lens : s->session[0];
    }
    return rc;
}

static int copy(struct sp_sides *s, const struct sp_args *a, struct sp_evidence *e, const char **verdict)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_migrate_options o = { .tables = a->tables.v,
        .ntables = a->tables.n,
        .show_values = a->show_values,
        .dry_run = a->dry_run,
        .into_existing = a->into_existing,
        .progress = sp_progress_rows,
        .payload = &e->progress };
    struct sp_mapping *names = NULL;
    int code = SP_EXIT_OK;
    *verdict = a->dry_run ? "DRY RUN" : "MIGRATED";
    int rc = see_through(s, &names, &err);
    o.mapping = names;
    if (rc == 0)
        rc = sp_migrate_bulk(s->session[0], s->session[1], &o, e->emitter, &err);
    if (rc != 0) {
        code = exit_of(&err);
        *verdict = code == SP_EXIT_INTERRUPTED ? "INTERRUPTED" : "NOT MIGRATED";
        sp_evidence_reason(e, "", &err);
    }
    if (s->session[0] != s->raw[0]) { /* before what it borrows */
        sp_close(s->session[0]);
        s->session[0] = s->raw[0];
    }
    sp_mapping_free(names);
    return code;
}

int sp_cmd_migrate(const struct sp_program *program, struct sp_args *a)
{
    struct sp_sides s;
    struct sp_evidence e;
    int code = sp_sides_resolve(&s, program, a, true);
    if (code < 0 && a->dry_run) {
        s.provider[1].access = SP_ACCESS_READ_ONLY; /* a promise that the session keeps too */
    }
    if (code < 0) {
        sp_interrupt_install();
        code = sp_sides_open(&s, program);
    }
    if (code == SP_EXIT_USAGE) {
        for (size_t i = 0; i < 2; i++) {
            if (s.error[i].code != SP_E_OK) {
                bool absent = i == 1 && a->dry_run && s.error[i].code == SP_E_NOT_FOUND;
                sp_log_error("%s%s", sp_error_text(&s.error[i]),
                    absent ? " (a dry run does not create it: make an empty one first)" : "");
            }
        }
        sp_sides_close(&s);
        return code;
    }
    int opened = sp_evidence_open(&e, program, a, s.config, DIRECTORY, 0);
    if (opened >= 0) {
        sp_sides_close(&s);
        return opened;
    }
    const char *verdict = "NOT MIGRATED";
    sp_sides_announce(&s, &e);
    if (code == -1) {
        code = copy(&s, a, &e, &verdict);
    }
    code = sp_evidence_close(&e, verdict, code);
    sp_sides_close(&s);
    return code;
}
