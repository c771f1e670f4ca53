/* provider_call_short.c -- short spellings of the common database operations. */
#include "provider_call.h"

#include <stdlib.h>

int sp_db_insert(
    struct sp_session *s, const char *table, const struct sp_field *f, size_t n, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    const char **names = sp_arena_array(&a, n + 1, sizeof *names);
    struct sp_value *values = sp_arena_array(&a, n + 1, sizeof *values);
    int rc = -SP_E_NOMEM;
    if (names == NULL || values == NULL) {
        rc = sp_nomem(err);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = f[i].name;
        values[i] = f[i].value;
    }
    rc = sp_db_insert_many(s, table, names, n, values, 1, NULL, err);
out:
    sp_arena_free(&a);
    return rc;
}

/* Runs `op` for its number of rows only. */
static int affected_of(struct sp_session *s, const struct sp_op *op, int64_t *affected, struct sp_error *err)
{
    struct sp_result r = SP_RESULT_INIT;
    int rc = sp_db_exec(s, op, &r, err);
    if (affected != NULL)
        *affected = rc == 0 ? r.affected : 0;
    sp_result_free(&r);
    return rc;
}

int sp_db_insert_many(struct sp_session *s, const char *table, const char *const *fields, size_t nfields,
    const struct sp_value *values, size_t nrows, int64_t *affected, struct sp_error *err)
{
    struct sp_op op = { .kind = SP_OP_CREATE,
        .query = { .table = table, .limit = SP_NO_LIMIT },
        .fields = fields,
        .nfields = nfields,
        .values = values,
        .nrows = nrows };
    return affected_of(s, &op, affected, err);
}

int sp_db_read(struct sp_session *s, const struct sp_query *q, struct sp_result *r, struct sp_error *err)
{
    struct sp_op op = { .kind = SP_OP_READ, .query = *q };
    return sp_db_exec(s, &op, r, err);
}

int sp_db_count(struct sp_session *s, const char *table, const struct sp_filter *where, int64_t *count,
    struct sp_error *err)
{
    struct sp_op op = { .kind = SP_OP_COUNT,
        .query = { .table = table, .where = where, .limit = SP_NO_LIMIT } };
    return affected_of(s, &op, count, err);
}

int sp_db_update(struct sp_session *s, const char *table, const struct sp_filter *where,
    const struct sp_field *f, size_t n, int64_t *affected, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    const char **names = sp_arena_array(&a, n + 1, sizeof *names);
    struct sp_value *values = sp_arena_array(&a, n + 1, sizeof *values);
    int rc = -SP_E_NOMEM;
    if (names == NULL || values == NULL) {
        rc = sp_nomem(err);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = f[i].name;
        values[i] = f[i].value;
    }
    struct sp_op op = { .kind = SP_OP_UPDATE,
        .query = { .table = table, .where = where, .limit = SP_NO_LIMIT },
        .fields = names,
        .nfields = n,
        .values = values,
        .nrows = 1 };
    rc = affected_of(s, &op, affected, err);
out:
    sp_arena_free(&a);
    return rc;
}

int sp_db_delete(struct sp_session *s, const char *table, const struct sp_filter *where, int64_t *affected,
    struct sp_error *err)
{
    struct sp_op op = { .kind = SP_OP_DELETE,
        .query = { .table = table, .where = where, .limit = SP_NO_LIMIT } };
    return affected_of(s, &op, affected, err);
}

int sp_db_role_grant(
    struct sp_session *s, const char *role, const char *table, unsigned privileges, struct sp_error *err)
{
    return sp_db_grant(s, &(struct sp_grant){ .role = role, .table = table, .privileges = privileges }, err);
}
