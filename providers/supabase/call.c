/* call.c -- a request with the keys that belong to it, and an answer in JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "providers/supabase/internal.h"

#define HEADERS_MAX 12

const char *su_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

int su_keep(
    struct sp_arena *a, const json_t *object, const char *name, const char **out, struct sp_error *err)
{
    const char *text = su_text(object, name);
    *out = sp_arena_str(a, text == NULL ? "" : text);
    return *out == NULL ? sp_nomem(err) : 0;
}

static const char *service_name(enum su_service service)
{
    return service == SU_AUTH ? "Supabase Auth" : "Supabase Storage";
}

int su_no_json(enum su_service service, struct sp_error *err)
{
    return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
        "the answer of %s is not what its interface promises; is it this service that answers?",
        service_name(service));
}

bool su_key_is_token(const char *key)
{
    return strncmp(key, "sb_", 3) != 0;
}

static int missing(enum su_service service, struct sp_error *err)
{
    return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "%s is not configured", service_name(service));
}

int su_offered(const struct sp_session *s, enum su_service service, struct sp_error *err)
{
    if (s->http[service] == NULL)
        return missing(service, err);
    if (s->unfit[service] != NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "%s", s->unfit[service]);
    return 0;
}

/* The headers of a call; `bearer` gets the text that one of them points to. */
static int headers_of(struct sp_session *s, const struct su_call *c, struct sp_http_header *h, size_t *n,
    struct sp_buf *bearer, struct sp_error *err)
{
    const char *key = s->key[c->role];
    size_t used = 0;
    if (key == NULL && c->role == SU_ADMIN)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS,
            "this needs the service key; set the option service_key");
    if (key == NULL)
        key = s->key[SU_ADMIN];
    h[used++] = (struct sp_http_header){ "apikey", key };
    const char *token = c->user != NULL ? c->user : su_key_is_token(key) ? key : NULL;
    if (token != NULL) {
        if (sp_buf_printf(bearer, "Bearer %s", token) != 0)
            return sp_nomem(err);
        h[used++] = (struct sp_http_header){ "Authorization", bearer->p };
    }
    for (size_t i = 0; i < c->nheaders && used < HEADERS_MAX - 1; i++)
        h[used++] = c->headers[i];
    if (c->body != NULL)
        h[used++] = (struct sp_http_header){ "Content-Type", "application/json" };
    *n = used;
    return 0;
}

bool su_can_be_token(const char *token)
{
    for (const unsigned char *p = (const unsigned char *)token; *p != '\0'; p++)
        if (*p <= ' ' || *p >= 0x7f)
            return false;
    return token[0] != '\0';
}

int su_send(struct sp_session *s, const struct su_call *c, struct sp_http_request *q,
    struct sp_http_response *r, struct sp_error *err)
{
    struct sp_http_header headers[HEADERS_MAX];
    struct sp_buf bearer = SP_BUF_INIT;
    char *body = NULL;
    int rc = c->probe && s->http[c->service] != NULL ? 0 : su_offered(s, c->service, err);
    if (rc != 0)
        return rc;
    if (c->user != NULL && !su_can_be_token(c->user))
        return sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND, "this is no access token");
    sp_http_rearm(s->http[c->service]);
    rc = headers_of(s, c, headers, &q->nheaders, &bearer, err);
    if (rc == 0 && c->body != NULL) {
        body = json_dumps(c->body, JSON_COMPACT | JSON_ENCODE_ANY);
        if (body == NULL)
            rc = sp_invalid(err, "a text for %s is not valid UTF-8", service_name(c->service));
    }
    if (rc == 0) {
        q->method = c->method;
        q->target = c->target;
        q->headers = headers;
        if (body != NULL) {
            q->body = body;
            q->nbody = strlen(body);
        }
        q->repeat = c->again ? SP_HTTP_AGAIN : SP_HTTP_ONCE;
        rc = sp_http_do(s->http[c->service], q, r, err);
    }
    q->headers = NULL; /* they end here; the rest of the request is for messages */
    q->nheaders = 0;
    if (body != NULL) {
        memset(body, 0, strlen(body)); /* it may hold a password */
        free(body);
        q->body = NULL;
        q->nbody = 0;
    }
    if (bearer.p != NULL)
        memset(bearer.p, 0, bearer.n);
    sp_buf_free(&bearer);
    return rc;
}

static bool reads(const struct sp_http_request *q)
{
    return q->method == NULL || strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0;
}

/* What is in a sink is not seen here: an object's content may be a page. */
static int no_answer(const struct sp_session *s, const struct su_call *c, const struct sp_http_request *q,
    struct sp_error *err)
{
    if (reads(q))
        return su_no_json(c->service, err);
    int rc = sp_fail(err, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_BACKEND,
        "%s: the answer to a write is a page, not the service's; whether it was carried out is not known",
        sp_http_where(s->http[c->service]));
    sp_error_native(err, "a page");
    return rc;
}

/* A redirect, or a page with the status of a refusal: who stands before the service refuses, or passes the request on. It says
 * nothing of a token or a password. */
static bool is_elsewhere(const struct sp_http_response *r)
{
    return (r->status >= 300 && r->status <= 399) || sp_http_page_refuses(r);
}

static int elsewhere(const struct sp_session *s, const struct su_call *c, const struct sp_http_response *r,
    struct sp_error *err)
{
    char native[24];
    (void)snprintf(native, sizeof native, "HTTP %d", r->status);
    int rc = sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_BACKEND,
        "%s: %s (HTTP %d), which is not the service's answer", sp_http_where(s->http[c->service]),
        r->status < 400 ? "it redirects" : "a page comes", r->status);
    sp_error_native(err, native);
    return rc;
}

int su_answer(struct sp_session *s, const struct su_call *c, const struct sp_http_request *q,
    const struct sp_http_response *r, json_t **out, struct sp_error *err)
{
    if (out != NULL)
        *out = NULL;
    if (is_elsewhere(r))
        return elsewhere(s, c, r, err);
    if (r->status < 200 || r->status > 299)
        return c->service == SU_AUTH ? su_auth_error(s, q, r, err) : su_storage_error(s, q, r, err);
    if (out == NULL && sp_http_is_page(r))
        return no_answer(s, c, q, err);
    if (out == NULL || r->body.n == 0)
        return 0;
    *out = json_loadb(r->body.p, r->body.n, JSON_REJECT_DUPLICATES, NULL);
    if (*out != NULL)
        return 0;
    int rc = su_no_json(c->service, err);
    if (err != NULL && !reads(q))
        err->effect = SP_EFFECT_UNKNOWN;
    return rc;
}

int su_json(struct sp_session *s, const struct su_call *c, json_t **out, struct sp_error *err)
{
    struct sp_http_request q = { .method = NULL };
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    if (out != NULL)
        *out = NULL;
    int rc = su_send(s, c, &q, &r, err);
    if (rc == 0)
        rc = su_answer(s, c, &q, &r, out, err);
    sp_http_response_free(&r);
    return rc;
}
