/* errors.c -- what went wrong on the way, and what an answer's status means, in the contract's words. */
#include <stdio.h>
#include <string.h>

#include "providers/lib/http/internal.h"

#define SHOWN 300 /* bytes of a foreign answer in a message */

/* May the server have carried the request out? */
static bool may_have_happened(const struct sp_http_call *c)
{
    return c->sent && (c->q->repeat == SP_HTTP_ONCE || c->q->source != NULL);
}

static int stopped_error(const struct sp_http_call *c, struct sp_error *err)
{
    static const char *const what[] = { [STOP_CANCELLED] = "stopped at the caller's request",
        [STOP_TOTAL] = "no whole answer within the time allowed",
        [STOP_ANSWER] = "connected, but no answer",
        [STOP_IDLE] = "the answer stopped in the middle" };
    double s = (double)(http_now_ns() - c->started_ns) / 1e9;
    bool unknown = may_have_happened(c);
    enum sp_code code = unknown                     ? SP_E_OUTCOME_UNKNOWN
                        : c->stop == STOP_CANCELLED ? SP_E_CANCELLED
                                                    : SP_E_TIMEOUT;
    return sp_fail(err, code, c->stop == STOP_CANCELLED && !unknown ? SP_ORIGIN_HARNESS : SP_ORIGIN_TRANSPORT,
        "%s: %s (%s after %.1f s)%s", c->http->where, what[c->stop], c->q->method, s,
        unknown ? "; whether the write was carried out is not known" : "");
}

static int sink_error(const struct sp_http_call *c, struct sp_error *err)
{
    const char *where = c->http->where;
    if (c->oom)
        return sp_nomem(err);
    if (c->too_large)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "%s: the answer has more than %zu bytes",
            where, c->http->max_body);
    if (c->too_many)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "%s: the answer has more than %d headers",
            where, SP_HTTP_HEADERS);
    return sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "%s: the %s was given up in the middle", where,
        c->source_stopped ? "request" : "answer");
}

static bool is_tls(CURLcode rc)
{
    return rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CONNECT_ERROR ||
           rc == CURLE_SSL_CERTPROBLEM || rc == CURLE_SSL_CIPHER || rc == CURLE_SSL_CACERT_BADFILE ||
           rc == CURLE_SSL_ISSUER_ERROR || rc == CURLE_SSL_INVALIDCERTSTATUS ||
           rc == CURLE_SSL_PINNEDPUBKEYNOTMATCH;
}

static bool is_unreachable(CURLcode rc)
{
    return rc == CURLE_COULDNT_RESOLVE_HOST || rc == CURLE_COULDNT_RESOLVE_PROXY ||
           rc == CURLE_COULDNT_CONNECT || rc == CURLE_PROXY;
}

int http_transport_error(const struct sp_http_call *c, struct sp_error *err)
{
    const char *where = c->http->where;
    const char *said = c->message[0] != '\0' ? c->message : curl_easy_strerror(c->result);
    if (sp_str_prefix(said, "Unsupported proxy")) /* libcurl goes on with the proxy's URL, and its password */
        said =
            "the environment (http_proxy, https_proxy, all_proxy) names a proxy by a URL that cannot be used";
    if (c->stop != STOP_NONE)
        return stopped_error(c, err);
    if (c->not_here)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_HARNESS,
            "%s: the name leads to another machine, and certificates are not checked: nothing was sent",
            where);
    if (c->oom || c->too_large || c->too_many || c->sink_stopped || c->source_stopped) {
        int ret = sink_error(c, err);
        if (may_have_happened(c) && err != NULL && !c->source_stopped)
            err->effect = SP_EFFECT_UNKNOWN;
        return ret;
    }
    char native[24];
    (void)snprintf(native, sizeof native, "curl %d", (int)c->result);
    enum sp_code code = SP_E_UNAVAILABLE;
    const char *more = "";
    if (c->second)
        said = "the connection broke before the answer";
    /* First of all: a second connection that fails says nothing of what the first one carried. */
    if (may_have_happened(c)) {
        code = SP_E_OUTCOME_UNKNOWN;
        more = "; whether the write was carried out is not known";
    } else if (is_tls(c->result)) {
        more = "; the certificate or the encryption of the server is not good (nothing was sent)";
    } else if (is_unreachable(c->result)) {
        more = "; it cannot be reached";
    } else if (c->result == CURLE_OPERATION_TIMEDOUT) {
        code = SP_E_TIMEOUT;
    } else if (!c->sent && (c->result == CURLE_URL_MALFORMAT || c->result == CURLE_UNSUPPORTED_PROTOCOL)) {
        code = SP_E_INVALID;
    }
    int ret = sp_fail(err, code, SP_ORIGIN_TRANSPORT, "%s: %s%s", where, said, more);
    sp_error_native(err, native);
    if (err != NULL)
        err->retryable = code == SP_E_UNAVAILABLE && !is_tls(c->result);
    return ret;
}

bool http_lost(const struct sp_http_call *c)
{
    if (c->stop == STOP_CANCELLED || c->stop == STOP_TOTAL || c->stop == STOP_ANSWER || c->delivered ||
        c->not_here || c->oom || c->too_large || c->too_many || c->sink_stopped || c->source_stopped)
        return false;
    return c->sent;
}

bool sp_http_is_page(const struct sp_http_response *r)
{
    size_t i = 0;
    while (i < r->body.n && (r->body.p[i] == ' ' || (r->body.p[i] >= '\t' && r->body.p[i] <= '\r')))
        i++;
    return i < r->body.n && r->body.p[i] == '<';
}

bool sp_http_page_refuses(const struct sp_http_response *r)
{
    return (r->status == 400 || r->status == 401 || (r->status >= 403 && r->status <= 405)) &&
           sp_http_is_page(r);
}

static enum sp_code status_code(int status, bool once)
{
    if (status >= 300 && status < 400)
        return SP_E_INVALID;
    switch (status) {
    case 401:
    case 407:
        return SP_E_AUTHENTICATION;
    case 403:
        return SP_E_PERMISSION;
    case 404:
    case 410:
        return SP_E_NOT_FOUND;
    case 408:
        return once ? SP_E_OUTCOME_UNKNOWN : SP_E_TIMEOUT;
    case 409:
        return SP_E_CONFLICT;
    case 412:
        return SP_E_PRECONDITION;
    case 413:
    case 414:
    case 431:
        return SP_E_TOO_LARGE;
    case 416:
        return SP_E_RANGE;
    case 429:
        return SP_E_RATE_LIMITED;
    case 501:
        return SP_E_UNSUPPORTED;
    case 502:
    case 503:
    case 504:
        return once ? SP_E_OUTCOME_UNKNOWN : SP_E_UNAVAILABLE;
    default:
        return status >= 500 ? (once ? SP_E_OUTCOME_UNKNOWN : SP_E_UNAVAILABLE) : SP_E_INVALID;
    }
}

int sp_http_status_error(const struct sp_http *h, const struct sp_http_request *q,
    const struct sp_http_response *r, const char *detail, struct sp_error *err)
{
    struct sp_buf said = SP_BUF_INIT;
    const char *location = sp_http_header(r, "location");
    char native[24];
    enum sp_code code = sp_http_page_refuses(r)
                            ? SP_E_UNAVAILABLE
                            : status_code(r->status, q->repeat == SP_HTTP_ONCE || q->source != NULL);
    if (detail != NULL)
        (void)sp_http_scrub(&said, detail, strlen(detail), SHOWN);
    else if (r->status >= 300 && r->status < 400 && location != NULL)
        sp_buf_puts(&said, "it redirects, which is not followed: the URL may be another one");
    else
        (void)sp_http_scrub(&said, r->body.p != NULL ? r->body.p : "", r->body.n, SHOWN);
    (void)snprintf(native, sizeof native, "HTTP %d", r->status);
    int ret = sp_fail(err, code, SP_ORIGIN_BACKEND, "%s: HTTP %d%s%s%s%s%s%s", h->where, r->status,
        said.n > 0 ? ": " : "", said.n > 0 ? said.p : "",
        code == SP_E_OUTCOME_UNKNOWN ? "; whether the write was carried out is not known" : "",
        r->request_id[0] != '\0' ? " (request id " : "", r->request_id, r->request_id[0] != '\0' ? ")" : "");
    sp_error_native(err, native);
    if (err != NULL) {
        err->retryable = r->status == 429 || (code == SP_E_UNAVAILABLE && r->status > 500);
        err->retry_after_ms = r->retry_after_ms;
    }
    sp_buf_free(&said);
    return ret;
}
