/* open.c -- opening, closing and stopping a session. What depends on role, database or server is pinned when it opens. */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "providers/postgresql/internal.h"

#define CONNECT_MS 10000
#define OLDEST     120000 /* the oldest server whose catalog and commands are known here */

void po_interrupt(struct sp_session *s)
{
    atomic_store(&s->interrupted, true);
    po_cancel(s->cancel);
}

static int option_ms(
    const struct sp_endpoint *e, const char *name, const char *fallback, int *out, struct sp_error *err)
{
    int64_t ms = 0;
    const char *text = sp_endpoint_option(e, name, fallback);
    if (!sp_parse_duration_ms(text, &ms) || ms < 0 || ms > INT_MAX / 2)
        return sp_invalid(err, "%s: \"%s\" is not a duration; write for example 5s", name, text);
    *out = (int)ms;
    return 0;
}

/* Messages name the place, never the credentials. */
static void describe(struct sp_session *s)
{
    const char *host = PQhost(s->conn), *port = PQport(s->conn), *db = PQdb(s->conn);
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_printf(&b, "%s:%s/%s", host == NULL ? "" : host, port == NULL ? "" : port, db == NULL ? "" : db);
    (void)sp_strlcpy(s->where, b.p == NULL ? "PostgreSQL" : b.p, sizeof s->where);
    sp_buf_free(&b);
}

static int wait_connect(struct sp_session *s, bool reading, int64_t deadline, struct sp_error *err)
{
    for (;;) {
        int64_t left = (deadline - po_now_ns()) / 1000000;
        struct pollfd fd = { .fd = PQsocket(s->conn), .events = (short)(reading ? POLLIN : POLLOUT) };
        if (left <= 0)
            return sp_fail(err, SP_E_TIMEOUT, SP_ORIGIN_TRANSPORT,
                "%s did not answer within %d ms; check host and port, or raise connect_timeout", s->where,
                s->connect_ms);
        int n = poll(&fd, 1, left > 1000 ? 1000 : (int)left);
        if (n > 0)
            return 0;
    }
}

static int connect_now(struct sp_session *s, struct sp_error *err)
{
    const struct sp_endpoint *e = s->base.endpoint;
    const char *names[12], *values[12];
    int n = 0;
#define ADD(name, value) (names[n] = (name), values[n++] = (value))
    ADD("fallback_application_name", "switchproof");
    /* A peer that vanished is noticed within a minute, also where no time-out is set. */
    ADD("keepalives_idle", "20");
    ADD("keepalives_interval", "10");
    ADD("keepalives_count", "4");
    ADD("tcp_user_timeout", "60000");
    ADD("dbname", e->url); /* what stands behind it overrides it */
    if (e->user != NULL)
        ADD("user", e->user);
    if (e->password != NULL)
        ADD("password", e->password);
    ADD("client_encoding", "UTF8");
#undef ADD
    names[n] = values[n] = NULL;
    int64_t deadline = po_now_ns() + (int64_t)s->connect_ms * 1000000;
    s->conn = PQconnectStartParams(names, values, 1);
    if (s->conn == NULL)
        return sp_nomem(err);
    (void)PQsetErrorVerbosity(s->conn, PQERRORS_VERBOSE); /* for the SQLSTATE */
    describe(s);
    PostgresPollingStatusType st = PGRES_POLLING_WRITING;
    while (PQstatus(s->conn) != CONNECTION_BAD && st != PGRES_POLLING_OK && st != PGRES_POLLING_FAILED) {
        int ret = wait_connect(s, st == PGRES_POLLING_READING, deadline, err);
        if (ret != 0)
            return ret;
        st = PQconnectPoll(s->conn);
    }
    describe(s);
    if (PQconnectionNeedsPassword(s->conn) != 0)
        return sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND,
            "cannot connect: the server asks for a password, and none is given (%s)", s->where);
    if (PQstatus(s->conn) == CONNECTION_BAD || st == PGRES_POLLING_FAILED)
        return po_connect_error(PQerrorMessage(s->conn), s->where, err);
    (void)PQsetErrorVerbosity(s->conn, PQERRORS_DEFAULT);
    return 0;
}

static void ignore_notice(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

/* Before anything is asked that an old server would not understand. */
static int check_version(struct sp_session *s, struct sp_error *err)
{
    int v = PQserverVersion(s->conn);
    char text[32];
    s->version = v;
    if (v >= OLDEST)
        return 0;
    (void)snprintf(text, sizeof text, v >= 100000 ? "%d" : "%d.%d", v / 10000, v / 100 % 100);
    return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
        "%s is a server of version %s; this provider needs PostgreSQL 12 or later", s->where, text);
}

/* Who answered: asked of the server, not guessed from a name. A pooler gives the process number of nobody. */
static int recognise(struct sp_session *s, struct sp_error *err)
{
    PGresult *r = NULL;
    bool told_session = false;
    (void)sp_parse_bool(sp_endpoint_option(s->base.endpoint, "session_pool", "false"), &told_session);
    int ret = po_exec(s,
        "SELECT pg_backend_pid(), pg_is_in_recovery(), version(), coalesce(current_schema(), 'public')", &r,
        err);
    if (ret != 0)
        return ret;
    int64_t pid = 0;
    bool same = sp_parse_i64(PQgetvalue(r, 0, 0), &pid) && pid == PQbackendPID(s->conn);
    s->pooled = !same && !told_session;
    s->pid = same ? PQbackendPID(s->conn) : 0;
    s->standby = *PQgetvalue(r, 0, 1) == 't';
    s->real = po_product(PQgetvalue(r, 0, 2)) == NULL;
    if (!sp_strlcpy(s->default_ns, PQgetvalue(r, 0, 3), sizeof s->default_ns))
        ret = sp_invalid(err, "the name of the default schema is too long");
    PQclear(r);
    return ret;
}

/* What would go wrong later and less clearly. */
static int check_place(struct sp_session *s, struct sp_error *err)
{
    if (s->read_only)
        return 0;
    if (s->standby)
        return sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND,
            "%s is a standby, which cannot be written to; connect to its primary (target_session_attrs="
            "read-write finds it among several hosts)",
            s->where);
    if (s->pooled)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "a connection pooler stands before %s: between two transactions another server session may "
            "answer, "
            "and what a session sets up is lost or reaches others. Connect to the server itself; if the pool "
            "keeps one server session for each client, say so with the option session_pool: true",
            s->where);
    return 0;
}

/* What depends on role, database or server, as statements that begin with `set`. */
void po_put_settings(struct sp_session *s, struct sp_buf *b, const char *set)
{
    static const char *const settings[] = { "DateStyle = 'ISO, YMD'", "IntervalStyle = 'postgres'",
        "TimeZone = 'UTC'", "extra_float_digits = 3", "bytea_output = 'hex'",
        "standard_conforming_strings = on", "check_function_bodies = off",
        "default_transaction_isolation = 'read committed'", "idle_in_transaction_session_timeout = 0" };
    for (size_t i = 0; i < SP_LEN(settings); i++)
        sp_buf_printf(b, "%s %s; ", set, settings[i]);
    sp_buf_printf(
        b, "%s statement_timeout = %d; %s lock_timeout = %d; ", set, s->statement_ms, set, s->lock_ms);
    /* Rows that a policy hides would be missing from every count: better an error. */
    if (s->base.endpoint->access != SP_ACCESS_DISPOSABLE)
        sp_buf_printf(b, "%s row_security = off; ", set);
    sp_buf_printf(b, "%s default_transaction_read_only = %s", set, s->read_only ? "on" : "off");
}

/* Behind a pooler each transaction pins them for itself: what a session sets would stay with the server's session, which
 * belongs to somebody else next. */
static int pin(struct sp_session *s, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    if (s->pooled)
        return 0;
    po_put_settings(s, &b, "SET");
    int ret = b.oom ? sp_nomem(err) : po_exec(s, b.p, NULL, err);
    sp_buf_free(&b);
    return ret;
}

/* The schema that a user calls theirs may be named in the configuration. */
static int choose_schema(struct sp_session *s, struct sp_error *err)
{
    const char *schema = sp_endpoint_option(s->base.endpoint, "schema", NULL);
    bool found = false;
    if (schema == NULL)
        return 0;
    int ret = po_ns_exists(s, schema, &found, err);
    if (ret == 0 && !found)
        ret = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no schema \"%s\" in %s", schema, s->where);
    if (ret == 0 && !sp_strlcpy(s->default_ns, schema, sizeof s->default_ns))
        ret = sp_invalid(err, "schema \"%s\": the name is too long", schema);
    s->schema_chosen = ret == 0;
    return ret == 0 ? po_ns_use(s, NULL, err) : ret;
}

int po_open(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    *out = NULL;
    if (!sp_str_prefix(e->url, "postgresql://") && !sp_str_prefix(e->url, "postgres://"))
        return sp_invalid(err, "postgresql: a URL begins with postgresql:// or postgres://");
    if (e->password != NULL && *e->password == '\0') /* libpq would take the one in the URL instead */
        return sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND,
            "postgresql: the password is empty, and no user has an empty password");
    struct sp_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return sp_nomem(err);
    s->base.provider = &sp_provider_postgresql;
    s->base.endpoint = e;
    s->read_only = e->access == SP_ACCESS_READ_ONLY;
    s->connect_ms = e->connect_timeout_ms > 0 ? e->connect_timeout_ms : CONNECT_MS;
    s->statement_ms = e->statement_timeout_ms;
    (void)sp_strlcpy(s->where, "PostgreSQL", sizeof s->where);
    int ret = option_ms(e, "lock_timeout", "5s", &s->lock_ms, err);
    if (ret == 0)
        ret = connect_now(s, err);
    if (ret == 0) {
        (void)PQsetNoticeReceiver(s->conn, ignore_notice, NULL);
        s->cancel = po_cancel_new(s->conn);
        po_begin_statement(s);
        ret = check_version(s, err);
    }
    if (ret == 0)
        ret = recognise(s, err);
    if (ret == 0)
        ret = check_place(s, err);
    if (ret == 0)
        ret = pin(s, err);
    if (ret == 0)
        ret = choose_schema(s, err);
    if (ret != 0) {
        po_close(s);
        return ret;
    }
    *out = s;
    return 0;
}

void po_close(struct sp_session *s)
{
    if (s == NULL)
        return;
    po_cancel_free(s->cancel);
    PQfinish(s->conn); /* the server rolls back what is open */
    po_blob_forget(s);
    for (size_t i = 0; i < PO_TABLES; i++)
        sp_arena_free(&s->tables[i].arena);
    free(s);
}

int po_ping(struct sp_session *s, struct sp_error *err)
{
    po_begin_statement(s);
    s->uncertain = false;
    return po_exec(s, "SELECT 1", NULL, err);
}
