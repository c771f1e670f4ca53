/* run.c -- statements to the server and their answers. Waiting is ours, not libpq's: it has a deadline, so that a server
 * that accepts and never answers does not hang a run. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "providers/postgresql/internal.h"

#define SLICE_MS 500
#define GRACE_MS 10000 /* for the server to keep its own time-out, or to obey a cancel */

int64_t po_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void po_begin_statement(struct sp_session *s)
{
    atomic_store(&s->interrupted, false);
    s->uncertain = false; /* until the statement that writes is sent */
    s->started_ns = po_now_ns();
}

int po_ready(struct sp_session *s, struct sp_error *err)
{
    if (s->loading)
        return sp_invalid(err, "a bulk load is open in this session; close it first");
    if (PQstatus(s->conn) == CONNECTION_BAD)
        return sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT,
            "the connection to %s was lost; open a new session", s->where);
    if (s->txn_lost != SP_E_OK)
        return sp_fail(err, s->txn_lost, SP_ORIGIN_BACKEND,
            "this transaction lost against another one before; only rollback is left (%s)", s->where);
    return 0;
}

/* What still comes must never be taken for the answer to something else. */
static void abandon(struct sp_session *s)
{
    int fd = PQsocket(s->conn);
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR);
    (void)PQconsumeInput(s->conn);
}

/* Beyond its time and the grace. `since`: when the patience began. */
static int give_up(struct sp_session *s, struct sp_error *err)
{
    const char *advice = s->uncertain ? "; the write may or may not have been made" : "";
    int ret = sp_fail(err, s->uncertain ? SP_E_OUTCOME_UNKNOWN : SP_E_TIMEOUT, SP_ORIGIN_TRANSPORT,
        "%s does not answer%s; the connection was given up", s->where, advice);
    abandon(s);
    return ret;
}

int po_wait(struct sp_session *s, bool write, struct sp_error *err)
{
    int64_t stop_seen = 0;
    for (;;) {
        struct pollfd fd = { .fd = PQsocket(s->conn), .events = (short)(write ? POLLIN | POLLOUT : POLLIN) };
        if (fd.fd < 0)
            return po_error(s, NULL, NULL, err);
        int n = poll(&fd, 1, SLICE_MS);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "poll failed: errno %d", errno);
        int64_t now = po_now_ns();
        if (atomic_load(&s->interrupted) && stop_seen == 0)
            stop_seen = now;
        int64_t limit = (int64_t)(s->statement_ms + GRACE_MS) * 1000000;
        int64_t since = s->heard_ns > s->started_ns ? s->heard_ns : s->started_ns;
        if ((s->statement_ms > 0 && now - since > limit) ||
            (stop_seen != 0 && now - stop_seen > (int64_t)GRACE_MS * 1000000))
            return give_up(s, err);
    }
}

int po_next(struct sp_session *s, PGresult **out, struct sp_error *err)
{
    *out = NULL;
    while (PQisBusy(s->conn) != 0) {
        int ret = po_wait(s, false, err);
        if (ret != 0)
            return ret;
        if (PQconsumeInput(s->conn) == 0)
            break; /* PQgetResult tells of it */
    }
    *out = PQgetResult(s->conn);
    return 0;
}

void po_drain(struct sp_session *s)
{
    PGresult *r = NULL;
    char *row = NULL;
    while (po_next(s, &r, NULL) == 0 && r != NULL) {
        ExecStatusType st = PQresultStatus(r);
        PQclear(r);
        if (st == PGRES_COPY_OUT)
            while (PQgetCopyData(s->conn, &row, 0) > 0)
                PQfreemem(row);
        else if (st == PGRES_COPY_IN)
            (void)PQputCopyEnd(s->conn, "not wanted");
        if (PQstatus(s->conn) == CONNECTION_BAD)
            break;
    }
}

static bool good(const PGresult *r)
{
    switch (PQresultStatus(r)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
        return true;
    default:
        return false;
    }
}

/* All results of what was sent: the last one, or the first error. A COPY is handed out as soon as it begins. */
static int collect(struct sp_session *s, PGresult **out, struct sp_error *err)
{
    PGresult *r = NULL, *last = NULL;
    int ret = 0;
    for (;;) {
        int rc = po_next(s, &r, ret == 0 ? err : NULL);
        if (rc != 0) {
            ret = ret == 0 ? rc : ret;
            break;
        }
        if (r == NULL)
            break;
        if (!good(r) && ret == 0)
            ret = po_error(s, r, NULL, err);
        PQclear(last);
        last = r;
        ExecStatusType st = PQresultStatus(r);
        if (st == PGRES_COPY_IN || st == PGRES_COPY_OUT)
            break;
    }
    if (ret == 0 && last == NULL)
        ret = po_error(s, NULL, NULL, err);
    if (ret == 0 && out != NULL) {
        *out = last;
        return 0;
    }
    PQclear(last);
    return ret;
}

/* ---- parameters ---- */

void po_params_free(struct po_params *p)
{
    free(p->oids);
    free(p->values);
    free(p->lengths);
    free(p->formats);
    sp_arena_free(&p->arena);
    *p = (struct po_params)PO_PARAMS_INIT;
}

void po_params_reset(struct po_params *p)
{
    p->n = 0;
    sp_arena_reset(&p->arena);
}

static int grow(struct po_params *p)
{
    size_t cap = p->cap == 0 ? 16 : p->cap * 2;
    void *oids = realloc(p->oids, cap * sizeof *p->oids);
    if (oids != NULL)
        p->oids = oids;
    void *values = realloc(p->values, cap * sizeof *p->values);
    if (values != NULL)
        p->values = values;
    void *lengths = realloc(p->lengths, cap * sizeof *p->lengths);
    if (lengths != NULL)
        p->lengths = lengths;
    void *formats = realloc(p->formats, cap * sizeof *p->formats);
    if (formats != NULL)
        p->formats = formats;
    if (oids == NULL || values == NULL || lengths == NULL || formats == NULL)
        return -SP_E_NOMEM;
    p->cap = cap;
    return 0;
}

int po_param_add(struct po_params *p, Oid oid, const void *value, size_t n, bool binary)
{
    if (n > INT32_MAX)
        return -SP_E_TOO_LARGE;
    if (p->n == p->cap && grow(p) != 0)
        return -SP_E_NOMEM;
    const char *copy = value == NULL ? NULL : sp_arena_dup(&p->arena, value, n);
    if (value != NULL && copy == NULL)
        return -SP_E_NOMEM;
    p->oids[p->n] = oid;
    p->values[p->n] = copy;
    p->lengths[p->n] = (int)n;
    p->formats[p->n] = binary ? 1 : 0;
    p->n++;
    return 0;
}

int po_param_text(struct po_params *p, const char *value)
{
    return po_param_add(p, PO_TEXT, value, value == NULL ? 0 : strlen(value), true);
}

/* ---- one statement ---- */

static int dispatch(struct sp_session *s, const struct po_step *st)
{
    static const struct po_params none = PO_PARAMS_INIT;
    const struct po_params *p = st->p == NULL ? &none : st->p;
    if (st->name != NULL && st->sql != NULL)
        return PQsendPrepare(s->conn, st->name, st->sql, (int)p->n, p->oids);
    if (st->name != NULL)
        return PQsendQueryPrepared(s->conn, st->name, (int)p->n, p->values, p->lengths, p->formats, 1);
    return PQsendQueryParams(s->conn, st->sql, (int)p->n, p->oids, p->values, p->lengths, p->formats, 1);
}

/* Results of all steps, each behind by a NULL, up to the end of the pipeline. */
static int collect_pipeline(
    struct sp_session *s, const struct po_step *steps, size_t n, size_t *failed, struct sp_error *err)
{
    PGresult *r = NULL;
    size_t at = 0, empty = 0;
    int ret = 0;
    for (;;) {
        int rc = po_next(s, &r, ret == 0 ? err : NULL);
        if (rc != 0)
            return ret == 0 ? rc : ret;
        if (r == NULL) {
            at++;
            if (++empty > 8 || PQstatus(s->conn) == CONNECTION_BAD)
                return ret != 0 ? ret : po_error(s, NULL, NULL, err);
            continue;
        }
        empty = 0;
        if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
            PQclear(r);
            return ret;
        }
        if (ret == 0 && !good(r)) {
            ret = po_error(s, r, NULL, err);
            *failed = at;
        } else if (ret == 0 && at < n) {
            if (steps[at].done != NULL)
                *steps[at].done = true;
            if (steps[at].out != NULL) {
                PQclear(*steps[at].out);
                *steps[at].out = r;
                continue;
            }
        }
        PQclear(r);
    }
}

int po_pipeline(
    struct sp_session *s, const struct po_step *steps, size_t n, size_t *failed, struct sp_error *err)
{
    *failed = 0;
    bool sent = PQenterPipelineMode(s->conn) != 0;
    for (size_t i = 0; sent && i < n; i++)
        sent = dispatch(s, &steps[i]) != 0;
    if (!sent || PQpipelineSync(s->conn) == 0) { /* half a pipeline has no end that could be waited for */
        abandon(s);
        return po_error(s, NULL, NULL, err);
    }
    int ret = collect_pipeline(s, steps, n, failed, err);
    if (PQstatus(s->conn) != CONNECTION_BAD && PQexitPipelineMode(s->conn) == 0 && ret == 0)
        ret = po_error(s, NULL, NULL, err);
    return ret;
}

void po_guard_undo(struct sp_session *s)
{
    struct sp_error second = SP_ERROR_INIT;
    if (s->txn_lost != SP_E_OK || PQstatus(s->conn) == CONNECTION_BAD)
        return;
    if (po_exec(s, "ROLLBACK TO SAVEPOINT sp_guard; RELEASE SAVEPOINT sp_guard", NULL, &second) != 0)
        s->txn_lost = SP_E_CONFLICT;
    sp_error_clear(&second);
}

/* The statement between a savepoint and its release, in one round trip. */
static int run_guarded(struct sp_session *s, const struct po_step *st, PGresult **out, struct sp_error *err)
{
    struct po_step steps[] = { { .sql = PO_GUARD }, *st, { .sql = PO_UNGUARD } };
    size_t failed;
    steps[1].out = out;
    int ret = po_pipeline(s, steps, SP_LEN(steps), &failed, err);
    if (ret != 0 && failed > 0)
        po_guard_undo(s);
    return ret;
}

static int run(
    struct sp_session *s, enum po_guard guard, const struct po_step *st, PGresult **out, struct sp_error *err)
{
    *out = NULL;
    int ret = po_ready(s, err);
    if (ret != 0)
        return ret;
    if (st->p != NULL && st->p->n > PO_PARAMS)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
            "%zu values in one statement; PostgreSQL takes %d", st->p->n, PO_PARAMS);
    if (guard == PO_GUARDED && (s->in_txn || s->in_snapshot))
        ret = run_guarded(s, st, out, err);
    else
        ret = dispatch(s, st) == 0 ? po_error(s, NULL, NULL, err) : collect(s, out, err);
    if (ret != 0) {
        PQclear(*out);
        *out = NULL;
    }
    return ret;
}

int po_query(struct sp_session *s, enum po_guard guard, const char *sql, const struct po_params *p,
    PGresult **out, struct sp_error *err)
{
    return run(s, guard, &(struct po_step){ .sql = sql, .p = p }, out, err);
}

int po_query_prepared(struct sp_session *s, enum po_guard guard, const char *name, const struct po_params *p,
    PGresult **out, struct sp_error *err)
{
    return run(s, guard, &(struct po_step){ .name = name, .p = p }, out, err);
}

int po_prepare(struct sp_session *s, const char *name, const char *sql, const struct po_params *types,
    struct sp_error *err)
{
    int ret = po_ready(s, err);
    if (ret != 0)
        return ret;
    if (PQsendPrepare(s->conn, name, sql, (int)types->n, types->oids) == 0)
        return po_error(s, NULL, NULL, err);
    return collect(s, NULL, err);
}

int po_exec(struct sp_session *s, const char *sql, PGresult **out, struct sp_error *err)
{
    if (out != NULL)
        *out = NULL;
    if (PQstatus(s->conn) == CONNECTION_BAD || s->loading)
        return po_ready(s, err);
    if (PQsendQuery(s->conn, sql) == 0)
        return po_error(s, NULL, NULL, err);
    return collect(s, out, err);
}

int po_execf(struct sp_session *s, struct sp_error *err, const char *fmt, ...)
{
    struct sp_buf b = SP_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    sp_buf_vprintf(&b, fmt, ap);
    va_end(ap);
    int ret = b.oom ? sp_nomem(err) : po_exec(s, b.p, NULL, err);
    sp_buf_free(&b);
    return ret;
}

int po_exec_guarded(struct sp_session *s, const char *sql, struct sp_error *err)
{
    bool own;
    int ret = po_ready(s, err);
    if (ret == 0)
        ret = po_atomic_begin(s, &own, err);
    if (ret == 0)
        ret = po_atomic_end(s, own, po_exec(s, sql, NULL, err), err);
    return ret;
}

const char *po_text_at(const PGresult *r, int row, int column)
{
    return PQgetisnull(r, row, column) != 0 ? NULL : PQgetvalue(r, row, column);
}
