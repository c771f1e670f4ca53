/* stream.c -- a query of unknown size, read row by row, so that the caller's bounds hold before all of it is here. A row
 * alone is as large as the server makes it. */
#include "providers/postgresql/internal.h"

/* While rows come nothing else can be asked: types that are not built in are looked up before. */
static int know_types(struct sp_session *s, const char *sql, const struct po_params *p, struct sp_error *err)
{
    PGresult *r = NULL;
    int ret = po_prepare(s, "", sql, p, err);
    if (ret == 0)
        ret = PQsendDescribePrepared(s->conn, "") == 0 ? po_error(s, NULL, NULL, err) : po_next(s, &r, err);
    if (ret != 0)
        return ret;
    if (r == NULL || PQresultStatus(r) != PGRES_COMMAND_OK)
        ret = po_error(s, r, NULL, err);
    po_drain(s);
    int n = ret == 0 ? PQnfields(r) : 0;
    if ((size_t)n > SP_LEN(s->types) - s->ntypes)
        s->ntypes = 0; /* all of them have to be known at once */
    for (int i = 0; ret == 0 && i < n; i++) {
        Oid oid = PQftype(r, i);
        if (po_type_by_oid(oid) == NULL && po_type_by_array(oid) == NULL &&
            po_named_type(s, oid, err) == NULL)
            ret = err == NULL ? -SP_E_INTERNAL : -(int)err->code;
    }
    PQclear(r);
    return ret;
}

/* The server is told, and what it still sends is read: its answer is that it was stopped. */
static void stop(struct sp_session *s)
{
    if (PQstatus(s->conn) == CONNECTION_BAD)
        return;
    po_cancel(s->cancel);
    s->heard_ns = po_now_ns();
    atomic_store(&s->interrupted, true); /* bounds the waiting also where no time-out is set */
    po_drain(s);
}

/* To the end of the answer, or to where it is refused. */
static int take(struct sp_session *s, struct sp_result *out, struct sp_error *err)
{
    static const struct po_sql none = { .ncolumns = 0 };
    bool more = true;
    int ret = 0;
    while (more && ret == 0) {
        PGresult *r = NULL;
        ret = po_next(s, &r, err);
        if (ret != 0)
            return ret; /* the connection is gone */
        ExecStatusType st = PQresultStatus(r);
        more = st == PGRES_SINGLE_TUPLE;
        ret = more || st == PGRES_TUPLES_OK ? po_result(s, r, &none, out, err) : po_error(s, r, NULL, err);
        PQclear(r);
    }
    if (more)
        stop(s);
    else
        po_drain(s);
    return ret;
}

int po_stream(struct sp_session *s, const char *sql, const struct po_params *p, struct sp_result *out,
    struct sp_error *err)
{
    int ret = po_ready(s, err);
    if (ret == 0)
        ret = po_exec(s, PO_GUARD, NULL, err);
    if (ret != 0)
        return ret;
    ret = know_types(s, sql, p, err);
    if (ret == 0 &&
        (PQsendQueryParams(s->conn, sql, (int)p->n, p->oids, p->values, p->lengths, p->formats, 1) == 0 ||
            PQsetSingleRowMode(s->conn) == 0))
        ret = po_error(s, NULL, NULL, err);
    if (ret == 0)
        ret = take(s, out, err);
    if (ret != 0)
        po_guard_undo(s);
    else
        ret = po_exec(s, PO_UNGUARD, NULL, err);
    return ret;
}
