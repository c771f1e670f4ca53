/* exec.c -- carrying operations out. */
#include "providers/mongodb/internal.h"

int mo_db_exec(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    int64_t n = 0;
    mo_begin_statement(s);
    int ret = mo_ready(s, err);
    if (ret != 0)
        return ret;
    switch (op->kind) {
    case SP_OP_CREATE:
        return mo_create(s, op, out, err);
    case SP_OP_UPSERT:
        return mo_upsert(s, op, out, err);
    case SP_OP_READ:
        return mo_read(s, &op->query, out, err);
    case SP_OP_COUNT:
        ret = mo_count(s, &op->query, &n, err);
        if (ret == 0 && out != NULL)
            out->affected = n;
        return ret;
    case SP_OP_UPDATE:
        return mo_update(s, op, out, err);
    case SP_OP_DELETE:
        return mo_delete(s, op, out, err);
    default:
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "MongoDB takes documents, not texts with parameters: there are no raw queries");
    }
}
