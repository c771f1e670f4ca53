/* errors.c -- SQLSTATEs in the one vocabulary. The text of the server is kept, its details that hold values are not:
 * "Key (id)=(5) already exists" belongs to the data. */
#include <string.h>

#include "providers/postgresql/internal.h"

const char *po_state(const PGresult *r)
{
    const char *state = r == NULL ? NULL : PQresultErrorField(r, PG_DIAG_SQLSTATE);
    return state == NULL ? "" : state;
}

static bool retryable(enum sp_code code)
{
    return code == SP_E_CONFLICT || code == SP_E_UNAVAILABLE || code == SP_E_TIMEOUT;
}

static int fill(struct sp_error *err, const char *state, enum sp_code code, enum sp_origin origin,
    const char *where, const char *what, const char *message, const char *advice)
{
    bool about = what != NULL && *what != '\0';
    int ret = sp_fail(err, code, origin, "%s%s%s%s%s (%s)", about ? what : "", about ? ": " : "", message,
        *advice == '\0' ? "" : "; ", advice, where);
    if (err != NULL) {
        sp_error_native(err, state);
        err->retryable = retryable(code);
        if (code == SP_E_OUTCOME_UNKNOWN)
            err->effect = SP_EFFECT_UNKNOWN;
    }
    return ret;
}

/* libpq explains itself over several lines; the first one says what happened. */
static void first_line(const char *message, char out[512])
{
    size_t n = strcspn(message, "\n");
    while (n > 0 && message[n - 1] == ' ')
        n--;
    for (n = n < 511 ? n : 511; n > 0 && ((unsigned char)message[n] & 0xC0) == 0x80;
         n--) /* whole characters */
        ;
    memcpy(out, message, n);
    out[n] = '\0';
}

/* The connection is gone. Whether the statement took effect is known only if nothing could. */
static int lost(
    struct sp_session *s, const char *state, const char *what, const char *words, struct sp_error *err)
{
    char message[512];
    first_line(words, message);
    if (s->uncertain)
        return fill(err, state, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_TRANSPORT, s->where, what, message,
            "the connection was lost before the answer: the write may or may not have been made");
    return fill(
        err, state, SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT, s->where, what, message, "the connection is lost");
}

/* The last words of a server process; the connection ends right behind them. */
static bool ends_connection(const char *state)
{
    static const char *const states_of_end[] = { "57P01", "57P02", "57P05", "08000", "08003", "08006",
        "08007" };
    for (size_t i = 0; i < SP_LEN(states_of_end); i++)
        if (strcmp(state, states_of_end[i]) == 0)
            return true;
    return false;
}

/* Stopped: by whom is known from our own side, the server's words depend on its language. */
static int stopped(struct sp_session *s, const char *what, struct sp_error *err)
{
    bool late =
        s->statement_ms > 0 && po_now_ns() - s->started_ns >= (int64_t)s->statement_ms * 1000000 - 1000000;
    const char *about = what == NULL ? "" : what, *colon = what == NULL ? "" : ": ";
    bool ours = atomic_load(&s->interrupted);
    int ret;
    if (late && !ours)
        ret = sp_fail(err, SP_E_TIMEOUT, SP_ORIGIN_BACKEND,
            "%s%sstatement stopped after its time-out of %d ms; raise statement_timeout (%s)", about, colon,
            s->statement_ms, s->where);
    else
        ret = sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_BACKEND, "%s%sstatement stopped %s (%s)", about, colon,
            ours ? "on request" : "by somebody else, or by a time-out of the server's", s->where);
    if (err != NULL) {
        sp_error_native(err, "57014");
        err->retryable = late;
    }
    return ret;
}

int po_error(struct sp_session *s, const PGresult *r, const char *what, struct sp_error *err)
{
    const char *state = po_state(r);
    const char *message = r == NULL ? NULL : PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    (void)sp_strlcpy(s->state, state, sizeof s->state);
    if (message == NULL)
        message =
            r != NULL && *PQresultErrorMessage(r) != '\0' ? PQresultErrorMessage(r) : PQerrorMessage(s->conn);
    if (PQstatus(s->conn) == CONNECTION_BAD || ends_connection(state))
        return lost(s, state, what, *message == '\0' ? "no answer" : message, err);
    if (strcmp(state, "57014") == 0)
        return stopped(s, what, err);
    const struct sp_pg_state *row = sp_pg_state(state);
    enum sp_code code = row == NULL ? SP_E_INTERNAL : row->code;
    if (strncmp(state, "40", 2) == 0 && s->in_txn)
        s->txn_lost = SP_E_CONFLICT;
    return fill(err, state, code, SP_ORIGIN_BACKEND, s->where, what,
        *message == '\0' ? "no reason given" : message, row == NULL ? "" : row->advice);
}

/* libpq gives no SQLSTATE of a failed connection, but writes it into the text when asked to be verbose:
 * "...: FATAL:  28P01: password authentication failed ...\nLOCATION:  ...". */
static bool find_state(const char *message, char state[6], const char **rest)
{
    for (const char *p = strstr(message, ":  "); p != NULL; p = strstr(p + 1, ":  ")) {
        size_t n = strspn(p + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        if (n != 5 || strncmp(p + 8, ": ", 2) != 0)
            continue;
        memcpy(state, p + 3, 5);
        state[5] = '\0';
        *rest = p + 10;
        return true;
    }
    return false;
}

/* What libpq says of TLS, and what to do about it. It never speaks another language: nobody calls setlocale(). */
static const char *tls_advice(const char *message)
{
    static const struct {
        const char *part, *advice;
    } known[] = {
        { "certificate verify failed", "the server's certificate is expired or not signed by a CA in "
                                       "sslrootcert; name the right CA file" },
        { "does not match host name", "the server's certificate was made for another host; connect by the "
                                      "name in it (verify-ca does not "
                                      "look at the name)" },
        { "server does not support SSL",
            "sslmode asks for TLS, which this server does not offer; switch it on there (ssl = on)" },
        { "root certificate file", "name the CA's file with sslrootcert=FILE" },
        { "certificate file", "check sslcert and sslkey" },
        { "private key file", "check sslkey, and that only its owner can read it" },
        { "definition of service", "check the name of the service in the file that PGSERVICEFILE names" },
        { "service file", "check PGSERVICEFILE" },
    };
    for (size_t i = 0; i < SP_LEN(known); i++)
        if (strstr(message, known[i].part) != NULL)
            return known[i].advice;
    return "";
}

/* One line per host that was tried, without libpq's advice, which is indented. */
static void tried(struct sp_buf *b, const char *message)
{
    for (const char *p = message; *p != '\0';) {
        size_t n = strcspn(p, "\n");
        if (n > 0 && *p != '\t')
            sp_buf_printf(b, "%s%.*s", b->n == 0 ? "" : "; ", (int)n, p);
        p += n + (p[n] == '\n');
    }
    sp_buf_putc(b, '\0');
}

int po_connect_error(const char *message, const char *where, struct sp_error *err)
{
    char state[6] = "";
    const char *text = message;
    struct sp_buf line = SP_BUF_INIT;
    if (!find_state(message, state, &text)) {
        tried(&line, message);
        int rc = fill(err, "", SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT, where, "cannot connect",
            line.oom ? "" : line.p, tls_advice(message));
        sp_buf_free(&line);
        return rc;
    }
    const struct sp_pg_state *row = sp_pg_state(state);
    size_t n = strcspn(text, "\n");
    sp_buf_put(&line, text, n);
    enum sp_code code = row == NULL ? SP_E_UNAVAILABLE : row->code;
    int ret = fill(err, state, code, SP_ORIGIN_BACKEND, where, "cannot connect", line.p == NULL ? "" : line.p,
        row == NULL ? "" : row->advice);
    sp_buf_free(&line);
    return ret;
}
