/* open.c -- a session: the URLs of the services, the keys, one HTTP client for each service. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/lib/sign/jwt.h"
#include "providers/supabase/internal.h"

static const struct {
    const char *option, *path, *what;
} services[SU_SERVICES] = {
    [SU_AUTH] = { "auth_url", "/auth/v1", "Supabase Auth" },
    [SU_STORAGE] = { "storage_url", "/storage/v1", "Supabase Storage" },
};

int su_process_init(struct sp_error *err)
{
    int rc = sp_http_init(err);
    return rc != 0 ? rc : sd_init(err);
}

void su_interrupt(struct sp_session *s)
{
    for (size_t i = 0; i < SU_SERVICES; i++)
        if (s->http[i] != NULL)
            sp_http_interrupt(s->http[i]);
    sd_interrupt(s);
}

static void forget(char *secret)
{
    if (secret != NULL) {
        volatile char *p = secret;
        while (*p != '\0')
            *p++ = '\0';
    }
    free(secret);
}

void su_close(struct sp_session *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < SU_SERVICES; i++) {
        sp_http_close(s->http[i]);
        free(s->url[i]);
    }
    forget(s->key[SU_ANON]);
    forget(s->key[SU_ADMIN]);
    sd_close(s);
    su_accounts_free(&s->accounts);
    su_upload_forget(&s->upload);
    free(s);
}

/* supabase+https://[:SERVICE_KEY@]HOST[:PORT][/PATH] as the address and the key in it. */
static int split_url(const char *url, char **base, char **key, struct sp_error *err)
{
    const char *rest = sp_str_prefix(url, "supabase+") ? url + strlen("supabase+") : NULL;
    if (rest == NULL || (!sp_str_prefix(rest, "http://") && !sp_str_prefix(rest, "https://")))
        return sp_invalid(err, "a Supabase project is given as supabase+https://HOST (or supabase+http://)");
    size_t scheme = (size_t)(strstr(rest, "//") - rest) + 2;
    size_t authority = strcspn(rest + scheme, "/?#");
    const char *at = memchr(rest + scheme, '@', authority), *host = at == NULL ? rest + scheme : at + 1;
    if (strpbrk(host, "?#") != NULL)
        return sp_invalid(err, "the address of a Supabase project has no query; keys are options");
    size_t n = strlen(host);
    while (n > 0 && host[n - 1] == '/')
        n--;
    if (n == 0)
        return sp_invalid(err, "the address of the Supabase project names no host");
    *base = sp_strdup_printf("%.*s%.*s", (int)scheme, rest, (int)n, host);
    if (at != NULL) {
        const char *colon = memchr(rest + scheme, ':', (size_t)(at - rest) - scheme);
        const char *from = colon == NULL ? rest + scheme : colon + 1;
        *key = strndup(from, (size_t)(at - from));
        if (*key == NULL)
            return sp_nomem(err);
    }
    return *base == NULL ? sp_nomem(err) : 0;
}

static int take_key(char **key, const char *value, const char *option, struct sp_error *err)
{
    if (value == NULL || value[0] == '\0')
        return 0;
    for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++)
        if (*p <= ' ' || *p >= 0x7f)
            return sp_invalid(err, "%s holds a character that no key has", option);
    forget(*key);
    *key = strdup(value);
    return *key == NULL ? sp_nomem(err) : 0;
}

static int open_service(struct sp_session *s, enum su_service i, const char *base, struct sp_error *err)
{
    const struct sp_endpoint *e = s->base.endpoint;
    const char *own = sp_endpoint_option(e, services[i].option, NULL);
    bool insecure = false;
    const char *text = sp_endpoint_option(e, "insecure", "false");
    if (!sp_parse_bool(text, &insecure))
        return sp_invalid(err, "insecure: expected true or false, found \"%s\"", text);
    if (own != NULL && strcmp(own, "none") == 0)
        return 0;
    s->url[i] = own != NULL ? strdup(own) : sp_strdup_printf("%s%s", base, services[i].path);
    if (s->url[i] == NULL)
        return sp_nomem(err);
    struct sp_http_config c = {
        .base = s->url[i],
        .what = services[i].what,
        .insecure = insecure,
        .ca = sp_endpoint_option(e, "ca", NULL),
        .connect_ms = e->connect_timeout_ms,
        .total_ms = e->statement_timeout_ms,
    };
    return sp_http_open(&s->http[i], &c, err);
}

static int get(struct sp_session *s, enum su_service i, const char *target, struct sp_http_request *q,
    struct sp_http_response *r, struct sp_error *err)
{
    struct su_call c = { .service = i,
        .role = s->key[SU_ADMIN] != NULL ? SU_ADMIN : SU_ANON,
        .method = "GET",
        .target = target,
        .again = true,
        .probe = true };
    return su_send(s, &c, q, r, err);
}

/* What a service without administration answers to that call it answers to any call that it does not have. */
static int same_as_nonsense(struct sp_session *s, const struct sp_http_response *r, struct sp_error *err)
{
    struct sp_http_request q = { .method = NULL };
    struct sp_http_response other = SP_HTTP_RESPONSE_INIT;
    int rc = get(s, SU_AUTH, "/switchproof-asks-for-no-such-call", &q, &other, err);
    s->no_admin = rc == 0 && other.status == r->status && r->status >= 400 && r->status < 500 &&
                  other.body.n == r->body.n &&
                  (r->body.n == 0 || memcmp(other.body.p, r->body.p, r->body.n) == 0);
    sp_http_response_free(&other);
    return rc;
}

/* What is offered must be what can be tidied up: users that a run makes are removed by the administrator, or in the
 * database where the service has none. */
static int find_admin(struct sp_session *s, struct sp_error *err)
{
    struct sp_http_request q = { .method = NULL };
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    int rc = get(s, SU_AUTH, "/admin/users?page=1&per_page=1", &q, &r, err);
    bool ok = rc == 0 && sp_http_good(&r);
    if (rc == 0 && !ok)
        rc = same_as_nonsense(s, &r, err);
    if (rc == 0 && !ok && !s->no_admin)
        s->unfit[SU_AUTH] =
            "no administration for this key: users that a run makes could not be removed again";
    else if (rc == 0 && !ok && s->db.sql == NULL && s->db.alike == NULL)
        s->unfit[SU_AUTH] = SU_NO_ADMIN ": users that a run makes could be removed in the database only, and "
                                        "the option db_url is not given";
    sp_http_response_free(&r);
    return rc;
}

static int find_unfit(struct sp_session *s, struct sp_error *err)
{
    if (s->key[SU_ADMIN] == NULL) {
        s->unfit[SU_AUTH] = "no service key is configured: users that a run makes could not be removed again";
        s->unfit[SU_STORAGE] = "no service key is configured";
        return 0;
    }
    if (s->http[SU_STORAGE] != NULL && s->fidelity[SU_STORAGE] == SP_FID_COMPATIBLE)
        s->unfit[SU_STORAGE] =
            "the service tells no version, and what it can do is found out by writing, which "
            "needs access: disposable";
    int rc = 0;
    if (s->http[SU_STORAGE] != NULL && s->unfit[SU_STORAGE] != NULL &&
        s->base.endpoint->access == SP_ACCESS_DISPOSABLE)
        rc = su_storage_probe(s, err);
    if (rc != 0)
        return rc;
    return s->http[SU_AUTH] != NULL ? find_admin(s, err) : 0;
}

/* A PostgREST without a gateway has no other services beside it, but for those that are named. */
static void leave_out(struct sp_session *s)
{
    for (size_t i = 0; i < SU_SERVICES; i++)
        if (s->db.alone && sp_endpoint_option(s->base.endpoint, services[i].option, NULL) == NULL) {
            sp_http_close(s->http[i]);
            s->http[i] = NULL;
        }
}

int su_open(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    struct sp_session *s = calloc(1, sizeof *s);
    char *base = NULL;
    if (s == NULL)
        return sp_nomem(err);
    s->base.provider = &sp_provider_supabase;
    s->base.endpoint = e;
    s->accounts = (struct su_accounts){ .arena = SP_ARENA_INIT };
    int rc = split_url(e->url, &base, &s->key[SU_ADMIN], err);
    if (rc == 0)
        rc = take_key(&s->key[SU_ADMIN], e->password, "the password", err);
    if (rc == 0)
        rc = take_key(
            &s->key[SU_ADMIN], sd_setting(e, "service_key", "SUPABASE_KEY"), "the option service_key", err);
    if (rc == 0)
        rc = take_key(
            &s->key[SU_ANON], sd_setting(e, "anon_key", "SUPABASE_ANON_KEY"), "the option anon_key", err);
    if (rc == 0 && s->key[SU_ANON] == NULL && s->key[SU_ADMIN] == NULL)
        rc = sp_invalid(
            err, "a Supabase project is reached with keys; set the options anon_key and service_key");
    for (size_t i = 0; i < SU_SERVICES && rc == 0; i++)
        rc = open_service(s, (enum su_service)i, base, err);
    if (rc == 0)
        rc = sd_open(s, base, s->key[s->key[SU_ADMIN] != NULL ? SU_ADMIN : SU_ANON], err);
    leave_out(s);
    if (rc == 0)
        rc = su_ping(s, err);
    s->db.opened = true;
    if (rc == 0)
        rc = find_unfit(s, err);
    free(base);
    if (rc != 0) {
        su_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

/* GoTrue says its version as vX.Y.Z, or none when built by hand; others that speak its language say something else. */
static void recognise_auth(struct sp_session *s, const json_t *health)
{
    const char *version = su_text(health, "version"), *name = su_text(health, "name");
    bool real = name != NULL && strcmp(name, "GoTrue") == 0 && version != NULL &&
                (version[0] == '\0' || (version[0] == 'v' && version[1] >= '0' && version[1] <= '9'));
    s->fidelity[SU_AUTH] = real ? SP_FID_REAL : SP_FID_COMPATIBLE;
    struct sp_buf claims = SP_BUF_INIT; /* one of the others puts its own name there, as a token */
    if (real)
        (void)sp_strlcpy(s->version[SU_AUTH], version, sizeof s->version[SU_AUTH]);
    else if (version != NULL && sp_jwt_peek(&claims, version, NULL) == 0)
        (void)sp_json_member(
            claims.p, claims.n, "implementation", s->version[SU_AUTH], sizeof s->version[SU_AUTH]);
    sp_buf_free(&claims);
}

/* The storage service says its version as text; who does not is another server. */
static void recognise_storage(struct sp_session *s, const struct sp_http_response *r)
{
    size_t n = r->body.n;
    bool real = r->status == 200 && n > 0 && n < sizeof s->version[SU_STORAGE];
    for (size_t i = 0; i < n && real; i++)
        real = strchr("0123456789.-abcdefghijklmnopqrstuvwxyzv", r->body.p[i]) != NULL;
    s->fidelity[SU_STORAGE] = real ? SP_FID_REAL : SP_FID_COMPATIBLE;
    if (real)
        (void)sp_strlcpy(s->version[SU_STORAGE], r->body.p, sizeof s->version[SU_STORAGE]);
}

static int reach_auth(struct sp_session *s, struct sp_error *err)
{
    struct sp_http_request q = { .method = NULL };
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    struct su_call c = { .service = SU_AUTH };
    json_t *health = NULL;
    int rc = get(s, SU_AUTH, "/health", &q, &r, err);
    if (rc == 0)
        rc = su_answer(s, &c, &q, &r, &health, err);
    if (rc == 0)
        recognise_auth(s, health);
    json_decref(health);
    sp_http_response_free(&r);
    return rc;
}

/* A bucket is asked for with the key, so that a key which is none is seen when the session opens. */
static int reach_storage(struct sp_session *s, struct sp_error *err)
{
    struct sp_http_request q = { .method = NULL }, version = { .method = NULL };
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT, v = SP_HTTP_RESPONSE_INIT;
    struct su_call c = { .service = SU_STORAGE };
    int rc = get(s, SU_STORAGE, "/bucket?limit=1", &q, &r, err);
    if (rc == 0)
        rc = su_answer(s, &c, &q, &r, NULL, err);
    if (rc == 0)
        rc = get(s, SU_STORAGE, "/version", &version, &v, err);
    if (rc == 0)
        recognise_storage(s, &v);
    sp_http_response_free(&r);
    sp_http_response_free(&v);
    return rc;
}

int su_ping(struct sp_session *s, struct sp_error *err)
{
    int rc = s->db.http == NULL ? 0 : sd_ping(s, err);
    if (rc == 0 && s->http[SU_AUTH] != NULL)
        rc = reach_auth(s, err);
    if (rc == 0 && s->http[SU_STORAGE] != NULL)
        rc = reach_storage(s, err);
    return rc;
}
