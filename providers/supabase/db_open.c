/* db_open.c -- a session: whose key, which service, and the database behind it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider_call.h"
#include "providers/lib/sign/jwt.h"
#include "providers/supabase/internal.h"

int sd_init(struct sp_error *err)
{
    static const char *const secrets[] = { "SUPABASE_KEY", "SUPABASE_DB_URL", "SUPABASE_JWT_SECRET" };
    for (size_t i = 0; i < SP_LEN(secrets); i++) {
        const char *v = getenv(secrets[i]);
        if (v != NULL && strlen(v) >= 4 && sp_secret_add(v) != 0)
            return sp_nomem(err);
    }
    const struct sp_provider *pg = sp_provider_by_kind(sp_providers, "postgresql");
    int ret = pg != NULL && pg->process_init != NULL ? pg->process_init(err) : 0;
    return ret;
}

/* It must never lend its key or its database to another project. */
const char *sd_setting(const struct sp_endpoint *e, const char *option, const char *variable)
{
    const char *v = sp_endpoint_option(e, option, NULL), *url = getenv("SUPABASE_URL");
    if (v == NULL && url != NULL && strcmp(url, e->url) == 0)
        v = getenv(variable);
    return v != NULL && *v != '\0' ? v : NULL;
}

/* What a key says of itself; the server checks it. Opaque keys say it by their beginning. */
static void read_role(struct sp_session *s, const char *key)
{
    struct sp_buf claims = SP_BUF_INIT;
    if (sp_str_prefix(key, "sb_secret_"))
        (void)sp_strlcpy(s->db.role, "service_role", sizeof s->db.role);
    else if (sp_str_prefix(key, "sb_publishable_"))
        (void)sp_strlcpy(s->db.role, "anon", sizeof s->db.role);
    else if (sp_jwt_peek(&claims, key, NULL) == 0)
        (void)sp_json_member(claims.p, claims.n, "role", s->db.role, sizeof s->db.role);
    sp_buf_free(&claims);
}

static int client(struct sp_session *s, const char *base, const char *key, struct sp_error *err)
{
    const struct sp_endpoint *e = s->base.endpoint;
    char *bearer = sp_strdup_printf("Bearer %s", key);
    bool insecure = false;
    int ret = bearer == NULL ? sp_nomem(err) : 0;
    struct sp_http_header headers[] = { { "apikey", key }, { "Authorization", bearer } };
    struct sp_http_config c = { .base = base,
        .what = "PostgREST",
        .ca = sp_endpoint_option(e, "ca", NULL),
        .connect_ms = e->connect_timeout_ms,
        .headers = headers,
        .nheaders = su_key_is_token(key) ? 2 : 1 };
    if (ret == 0 && !sp_parse_bool(sp_endpoint_option(e, "insecure", "false"), &insecure))
        ret = sp_invalid(err, "supabase: insecure is true or false");
    c.insecure = insecure;
    sp_http_close(s->db.http);
    s->db.http = NULL;
    if (ret == 0)
        ret = sp_http_open(&s->db.http, &c, err);
    free(bearer);
    return ret;
}

static void note_version(struct sp_session *s, const struct sp_http_response *r)
{
    const char *server = sp_http_header(r, "server");
    if (server != NULL && sp_str_prefix(server, "postgrest/"))
        (void)sp_strlcpy(s->db.version, server + 10, sizeof s->db.version);
}

/* Behind Supabase's gateway PostgREST is at /rest/v1; without one at the top. */
static int find_rest(struct sp_session *s, const char *base, const char *key, struct sp_error *err)
{
    const char *path = sp_endpoint_option(s->base.endpoint, "rest_path", NULL);
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    struct sp_http_request q = { .method = "HEAD", .target = "/rest/v1/", .repeat = SP_HTTP_AGAIN };
    int ret = client(s, base, key, err);
    if (ret == 0 && path == NULL)
        ret = sp_http_do(s->db.http, &q, &r, err);
    if (ret == 0 && path == NULL) {
        note_version(s, &r);
        s->db.alone = r.status == 404 && s->db.version[0] != '\0';
        path = s->db.alone ? "" : "/rest/v1";
    }
    sp_http_response_free(&r);
    if (ret != 0)
        return ret;
    s->db.gateway = strcmp(path, "/rest/v1") == 0;
    char *whole = sp_strdup_printf("%s%s%s", base, *path == '/' || *path == '\0' ? "" : "/", path);
    ret = whole == NULL ? sp_nomem(err) : client(s, whole, key, err);
    free(whole);
    return ret;
}

/* A key that is refused, a project that is paused, another service: known before anything else is asked. */
static int knock(struct sp_session *s, struct sp_error *err)
{
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    struct sd_request q = { .method = "GET", .target = "/", .ns = s->db.schema };
    int ret = sd_send(s, &q, &r, err);
    char said[8];
    if (ret == 0)
        note_version(s, &r);
    if (ret == 0 && !sp_json_member(r.body.p, r.body.n, "swagger", said, sizeof said))
        ret = sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
            "%s: this is no PostgREST: it does not describe itself", sp_http_where(s->db.http));
    sp_http_response_free(&r);
    return ret;
}

static int open_sql(struct sp_session *s, const char *url, struct sp_error *err)
{
    const struct sp_endpoint *e = s->base.endpoint;
    static const char *const names[] = { "schema" };
    const struct sp_provider *p = sp_provider_by_url(sp_providers, url);
    if (p == NULL || strcmp(p->kind, "postgresql") != 0)
        return sp_invalid(err,
            "supabase: db_url is a URL of PostgreSQL (postgresql://...), and this build needs that provider");
    s->db.sql_url = sp_strdup_printf("%s", url);
    if (s->db.sql_url == NULL)
        return sp_nomem(err);
    s->db.sql_place = (struct sp_endpoint){ .name = e->name,
        .url = s->db.sql_url,
        .access = e->access,
        .connect_timeout_ms = e->connect_timeout_ms,
        .statement_timeout_ms = e->statement_timeout_ms,
        .option_names = names,
        .option_values = &s->db.sql_schema,
        .noptions = sp_endpoint_option(e, "schema", NULL) != NULL ? 1 : 0 };
    s->db.sql_schema = s->db.schema;
    int ret = sp_open(&s->db.sql, p, &s->db.sql_place, err);
    return ret != 0 ? sp_error_prefix(err, "db_url") : 0;
}

int sd_open(struct sp_session *s, const char *base, const char *key, struct sp_error *err)
{
    const struct sp_endpoint *e = s->base.endpoint;
    const char *url = sd_setting(e, "db_url", "SUPABASE_DB_URL");
    if (url == NULL)
        return 0;
    int ret = sp_strlcpy(s->db.schema, sp_endpoint_option(e, "schema", "public"), sizeof s->db.schema)
                  ? 0
                  : sp_invalid(err, "supabase: the name of the schema is too long");
    read_role(s, key);
    (void)sp_strlcpy(s->db.own_role, s->db.role, sizeof s->db.own_role);
    bool rest = strcmp(sp_endpoint_option(e, "rest_path", ""), "none") != 0;
    if (ret == 0 && rest)
        ret = find_rest(s, base, key, err);
    if (ret == 0 && rest)
        ret = knock(s, err);
    if (ret == 0)
        ret = open_sql(s, url, err);
    if (ret == 0 && !rest) {
        s->db.alike = s->db.sql;
        s->db.sql = NULL;
    }
    return ret;
}

void sd_close(struct sp_session *s)
{
    sp_close(s->db.now);
    sp_close(s->db.sql);
    sp_close(s->db.alike);
    sp_http_close(s->db.http);
    sd_tables_forget(s);
    sp_arena_free(&s->db.table_arena);
    free(s->db.sql_url);
}

void sd_begin(struct sp_session *s)
{
    if (s->db.http != NULL)
        sp_http_rearm(s->db.http);
}

void sd_interrupt(struct sp_session *s)
{
    if (s->db.http != NULL)
        sp_http_interrupt(s->db.http);
    if (s->db.sql != NULL)
        sp_session_provider(s->db.sql)->interrupt(s->db.sql);
    if (s->db.alike != NULL)
        sp_session_provider(s->db.alike)->interrupt(s->db.alike);
    if (s->db.now != NULL)
        sp_session_provider(s->db.now)->interrupt(s->db.now);
}

int sd_ping(struct sp_session *s, struct sp_error *err)
{
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    struct sd_request q = { .method = "HEAD", .target = "/", .ns = s->db.schema };
    sd_begin(s);
    int ret = sd_send(s, &q, &r, err);
    sp_http_response_free(&r);
    return ret;
}

const char *sd_ns(const struct sp_session *s, const char *ns)
{
    return ns != NULL ? ns : s->db.ns[0] != '\0' ? s->db.ns : s->db.schema;
}

int sd_no_sql(const struct sp_session *s, struct sp_error *err)
{
    if (s->db.alike != NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, SD_NO_REST);
    return s->db.sql != NULL ? 0
                             : sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS,
                                   "this needs the database itself; give its URL as the option db_url: "
                                   "\"${SUPABASE_DB_URL}\"");
}
