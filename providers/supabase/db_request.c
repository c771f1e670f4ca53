/* db_request.c -- one request to PostgREST, and what its errors mean. The server's message is kept, its details are not: they
 * hold values. */
#include <stdio.h>
#include <string.h>

#include "providers/supabase/internal.h"

struct own_code {
    const char *code;
    enum sp_code means;
    bool unknown; /* of a write: it may have been carried out */
    const char *advice;
};
static const struct own_code own_codes[] = {
    { "PGRST000", SP_E_UNAVAILABLE, false, "PostgREST cannot reach its database" },
    { "PGRST001", SP_E_UNAVAILABLE, true, "PostgREST lost its database" },
    { "PGRST002", SP_E_UNAVAILABLE, false, "PostgREST has not read the schema yet" },
    { "PGRST003", SP_E_UNAVAILABLE, false, "all of PostgREST's connections are busy; raise db-pool" },
    { "PGRST100", SP_E_INVALID, false, "" },
    { "PGRST101", SP_E_INVALID, false, "" },
    { "PGRST102", SP_E_INVALID, false, "" },
    { "PGRST103", SP_E_RANGE, false, "" },
    { "PGRST106", SP_E_NOT_FOUND, false, "the schema is not among those that PostgREST shows (db-schemas)" },
    { "PGRST116", SP_E_NOT_FOUND, false, "" },
    { "PGRST124", SP_E_INVALID, false, "" },
    { "PGRST200", SP_E_NOT_FOUND, false, "" },
    { "PGRST202", SP_E_NOT_FOUND, false, "" },
    { "PGRST204", SP_E_INVALID, false, "PostgREST may not have seen the last change of the schema" },
    { "PGRST205", SP_E_NOT_FOUND, false, "PostgREST may not have seen the last change of the schema" },
    { "PGRST300", SP_E_INTERNAL, false, "PostgREST has no secret to check keys with" },
    { "PGRST301", SP_E_AUTHENTICATION, false, "the key is wrong, for another project, or has expired" },
    { "PGRST302", SP_E_AUTHENTICATION, false, "it asks for a key" },
    { "PGRST303", SP_E_AUTHENTICATION, false, "the key has expired, or is not valid yet" },
};

static const struct own_code *find_own(const char *code)
{
    for (size_t i = 0; i < SP_LEN(own_codes); i++)
        if (strcmp(own_codes[i].code, code) == 0)
            return &own_codes[i];
    return NULL;
}

/* The statement was refused by the database: then it did nothing, unless the connection broke under it. */
static bool broke(const char *state)
{
    return strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0 || strcmp(state, "40003") == 0;
}

static bool is_state(const char *code)
{
    return strlen(code) == 5 && strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5;
}

static enum sp_code state_means(const char *state, int status, const char **advice)
{
    const struct sp_pg_state *st = sp_pg_state(state);
    *advice = st != NULL ? st->advice : "";
    if (strcmp(state, "57014") == 0) {
        *advice = "the server's own time-out for this role (statement_timeout)";
        return SP_E_TIMEOUT;
    }
    if (strcmp(state, "42501") == 0 && status == 401)
        *advice = "as anonymous; another key may be allowed to";
    if (strncmp(state, "21", 2) == 0 || strcmp(state, "428C9") == 0)
        return SP_E_INVALID;
    return st != NULL ? st->code : SP_E_INTERNAL;
}

static int answer_error(struct sp_session *s, const struct sp_http_request *q,
    const struct sp_http_response *r, struct sp_error *err)
{
    char code[24] = "", message[600] = "";
    struct sp_buf said = SP_BUF_INIT;
    const char *body = r->body.p != NULL ? r->body.p : "", *advice = "";
    if (sp_json_member(body, r->body.n, "code", code, sizeof code))
        (void)sp_json_member(body, r->body.n, "message", message, sizeof message);
    const struct own_code *own = find_own(code);
    bool once = q->repeat == SP_HTTP_ONCE, unknown = false;
    enum sp_code means;
    if (own != NULL) {
        means = own->means;
        advice = own->advice;
        unknown = own->unknown;
    } else if (is_state(code)) {
        means = state_means(code, r->status, &advice);
        if (strcmp(code, "22023") == 0 && sp_str_prefix(message, "role \"")) {
            means = SP_E_PERMISSION; /* PostgREST could not become what the token says */
            advice = "the token is for a role that this database does not have";
        }
        unknown = broke(code);
    } else { /* a gateway, a proxy, a paused project */
        return sp_http_status_error(s->db.http, q, r, message[0] != '\0' ? message : NULL, err);
    }
    if (once && unknown)
        means = SP_E_OUTCOME_UNKNOWN;
    sp_http_scrub(&said, message, strlen(message), 400);
    int ret = sp_fail(err, means, SP_ORIGIN_BACKEND, "%s%s%s (%s%s%s)", said.p != NULL ? said.p : "",
        *advice != '\0' ? "; " : "", advice, sp_http_where(s->db.http),
        r->request_id[0] != '\0' ? ", request id " : "", r->request_id);
    sp_error_native(err, code);
    if (err != NULL) {
        err->retryable = means == SP_E_CONFLICT || means == SP_E_UNAVAILABLE || means == SP_E_TIMEOUT;
        err->retry_after_ms = r->retry_after_ms;
    }
    sp_buf_free(&said);
    return ret;
}

static void prepare(
    struct sp_session *s, const struct sd_request *q, struct sp_http_header h[5], struct sp_http_request *out)
{
    bool reads = strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0;
    size_t n = 0;
    h[n++] = (struct sp_http_header){ reads ? "Accept-Profile" : "Content-Profile", q->ns };
    if (!reads)
        h[n++] = (struct sp_http_header){ "Accept-Profile", q->ns };
    if (q->prefer != NULL)
        h[n++] = (struct sp_http_header){ "Prefer", q->prefer };
    if (q->body != NULL)
        h[n++] = (struct sp_http_header){ "Content-Type", "application/json" };
    *out = (struct sp_http_request){ .method = q->method,
        .target = q->target,
        .headers = h,
        .nheaders = n,
        .body = q->body != NULL ? q->body->p : NULL,
        .nbody = q->body != NULL ? q->body->n : 0,
        .repeat = q->write ? SP_HTTP_ONCE : SP_HTTP_AGAIN,
        .sink = q->sink,
        .sink_payload = q->payload,
        .total_ms = s->db.opened ? s->base.endpoint->statement_timeout_ms : 0 };
}

int sd_send(
    struct sp_session *s, const struct sd_request *q, struct sp_http_response *r, struct sp_error *err)
{
    struct sp_http_header h[5];
    struct sp_http_request hq;
    prepare(s, q, h, &hq);
    int ret = sp_http_do(s->db.http, &hq, r, err);
    return ret == 0 && !sp_http_good(r) ? answer_error(s, &hq, r, err) : ret;
}

int sd_send_ahead(struct sp_session *s, const struct sd_request *q, struct sp_http_response *r,
    struct sd_ahead *a, struct sp_error *err)
{
    prepare(s, q, a->headers, &a->http);
    a->r = r;
    return sp_http_ahead(s->db.http, &a->http, r, &a->call, err);
}

int sd_settle(struct sp_session *s, struct sd_ahead *a, struct sp_error *err)
{
    int ret = sp_http_settle(a->call, err);
    a->call = NULL;
    return ret == 0 && !sp_http_good(a->r) ? answer_error(s, &a->http, a->r, err) : ret;
}

void sd_give_up(struct sd_ahead *a)
{
    sp_http_give_up(a->call);
    a->call = NULL;
}

static bool number(const char **p, int64_t *out)
{
    char text[24];
    size_t n = strspn(*p, "0123456789");
    if (**p == '*') {
        *out = -1;
        ++*p;
        return true;
    }
    if (n == 0 || n >= sizeof text)
        return false;
    memcpy(text, *p, n);
    text[n] = '\0';
    *p += n;
    return sp_parse_i64(text, out);
}

bool sd_range(const struct sp_http_response *r, int64_t *first, int64_t *last, int64_t *total)
{
    const char *p = sp_http_header(r, "content-range");
    *first = *last = *total = -1;
    if (p == NULL || !number(&p, first))
        return false;
    if (*first >= 0 && (*p++ != '-' || !number(&p, last)))
        return false;
    return *p++ == '/' && number(&p, total) && *p == '\0';
}
