/* open.c -- opening, closing and stopping a session. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "providers/mongodb/internal.h"

#define CONNECT_MS 10000

/* libmongoc keeps counters in shared memory under the process's number, made when the library is loaded. A process that is
 * killed leaves the name behind, and a later one of the same number prints a warning about it. Nobody here reads the counters
 * from outside: without a name they vanish with the process. What another program left behind under this process's number is
 * taken away before any library begins. */
static void forget_counters(void)
{
    char name[32];
    (void)snprintf(name, sizeof name, "/mongoc-%u", (unsigned)getpid());
    (void)shm_unlink(name);
}

typedef void beginning(void);
__attribute__((section(".preinit_array"), used)) static beginning *const before_libraries = forget_counters;
__attribute__((constructor)) static void after_libraries(void)
{
    forget_counters();
}

int mo_process_init(struct sp_error *err)
{
    (void)err;
    mongoc_init();
    mongoc_log_set_handler(
        NULL, NULL); /* what goes wrong is in the errors; a log line might hold more than it should */
    return 0;
}

/* Safe in any thread: rings, and whoever waits for the server gives up waiting. */
void mo_interrupt(struct sp_session *s)
{
    uint64_t one = 1;
    atomic_store(&s->interrupted, true);
    ssize_t n = write(s->bell, &one, sizeof one);
    (void)n; /* full: it rings already */
}

/* Messages name the place, never the credentials. */
static void describe(struct sp_session *s)
{
    struct sp_buf b = SP_BUF_INIT;
    for (const mongoc_host_list_t *h = mongoc_uri_get_hosts(s->uri); h != NULL; h = h->next)
        sp_buf_printf(&b, "%s%s", b.n == 0 ? "" : ",", h->host_and_port);
    sp_buf_printf(&b, "/%s", s->default_ns);
    (void)sp_strlcpy(s->where, b.p == NULL ? "MongoDB" : b.p, sizeof s->where);
    sp_buf_free(&b);
}

/* libmongoc passes over options that it does not know: a misspelt tlsCAFile would be no protection at all. */
static int check_options(const char *url, struct sp_error *err)
{
    static const char *const texts[] = { "appname", "authmechanism", "authmechanismproperties", "authsource",
        "compressors", "gssapiservicename", "readconcernlevel", "readpreference", "readpreferencetags",
        "replicaset", "srvservicename", "tlscertificatekeyfile", "tlscertificatekeyfilepassword", "tlscafile",
        "w", "sslclientcertificatekeyfile", "sslclientcertificatekeypassword", "sslcertificateauthorityfile",
        NULL };
    const char *p = strchr(url, '?');
    char key[64];
    while (p != NULL && *++p != '\0') {
        size_t n = strcspn(p, "=&;"), i = 0;
        bool known = n > 0 && n < sizeof key;
        for (; known && i < n; i++)
            key[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] - 'A' + 'a') : p[i];
        key[i] = '\0';
        bool listed = mongoc_uri_option_is_int32(key) || mongoc_uri_option_is_int64(key) ||
                      mongoc_uri_option_is_bool(key);
        for (i = 0; known && !listed && texts[i] != NULL; i++)
            listed = strcmp(texts[i], key) == 0;
        if (!known || !listed) {
            const char *near = sp_nearest(key, texts);
            return sp_invalid(err, "mongodb: the URL has the unknown option \"%s\"%s%s", key,
                near == NULL ? "" : "; did you mean ", near == NULL ? "" : near);
        }
        p = strpbrk(p, "&;");
    }
    return 0;
}

static int parse_url(struct sp_session *s, struct sp_error *err)
{
    bson_error_t e = { 0 };
    const char *url = s->base.endpoint->url;
    if (!sp_str_prefix(url, "mongodb://") && !sp_str_prefix(url, "mongodb+srv://"))
        return sp_invalid(err, "mongodb: a URL begins with mongodb:// or mongodb+srv://");
    int ret = check_options(url, err);
    if (ret != 0)
        return ret;
    s->uri = mongoc_uri_new_with_error(url, &e);
    if (s->uri == NULL)
        return sp_invalid(err, "mongodb: the URL cannot be read: %s", e.message);
    const char *db = mongoc_uri_get_database(s->uri);
    if (db == NULL || *db == '\0')
        return sp_invalid(err, "mongodb: the URL names no database; write mongodb://host:port/DATABASE");
    if (!sp_strlcpy(s->default_ns, db, sizeof s->default_ns))
        return sp_invalid(err, "mongodb: the name of the database is longer than 63 bytes");
    describe(s);
    return 0;
}

static bool set_ms(mongoc_uri_t *uri, const char *option, int ms, bool override)
{
    if (!override && mongoc_uri_has_option(uri, option))
        return true;
    return mongoc_uri_set_option_as_int32(uri, option, ms);
}

/* Credentials of the endpoint replace those of the URL; time-outs do where they are given. */
static int adjust_url(struct sp_session *s, struct sp_error *err)
{
    const struct sp_endpoint *e = s->base.endpoint;
    bool ok = true;
    if (e->user != NULL)
        ok = mongoc_uri_set_username(s->uri, e->user);
    if (ok && e->password != NULL)
        ok = mongoc_uri_set_password(s->uri, e->password);
    if (!ok)
        return sp_invalid(err, "mongodb: user or password is no valid text");
    bool given = e->connect_timeout_ms > 0;
    s->connect_ms = given ? e->connect_timeout_ms
                          : mongoc_uri_get_option_as_int32(s->uri, MONGOC_URI_CONNECTTIMEOUTMS, CONNECT_MS);
    s->statement_ms = e->statement_timeout_ms;
    ok = set_ms(s->uri, MONGOC_URI_CONNECTTIMEOUTMS, s->connect_ms, given) &&
         set_ms(s->uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, s->connect_ms, given);
    if (ok && !mongoc_uri_has_option(s->uri, MONGOC_URI_APPNAME))
        ok = mongoc_uri_set_appname(s->uri, "switchproof");
    return ok ? 0 : sp_invalid(err, "mongodb: the URL's options cannot be used");
}

static int connect_now(struct sp_session *s, struct sp_error *err)
{
    bson_error_t e = { 0 };
    s->client = mongoc_client_new_from_uri_with_error(s->uri, &e);
    if (s->client == NULL)
        return sp_invalid(err, "mongodb: %s", e.message);
    mongoc_client_set_stream_initiator(s->client, mo_stream_connect, s);
    if (!mongoc_client_set_error_api(s->client, MONGOC_ERROR_API_VERSION_2))
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "mongodb: the client took no error version");
    mo_begin_statement(s);
    return mo_recognise(s, err);
}

/* What was written must be there when the server says so, and what is read must stay. */
static void set_concerns(struct sp_session *s)
{
    if (!mongoc_uri_has_option(s->uri, MONGOC_URI_W)) {
        mongoc_write_concern_t *w = mongoc_write_concern_new();
        mongoc_write_concern_set_w(w, MONGOC_WRITE_CONCERN_W_MAJORITY);
        mongoc_client_set_write_concern(s->client, w);
        mongoc_write_concern_destroy(w);
    }
    bool majority = s->server.set[0] != '\0' || s->server.sharded;
    if (majority && !mongoc_uri_has_option(s->uri, MONGOC_URI_READCONCERNLEVEL)) {
        mongoc_read_concern_t *r = mongoc_read_concern_new();
        (void)mongoc_read_concern_set_level(r, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
        mongoc_client_set_read_concern(s->client, r);
        mongoc_read_concern_destroy(r);
    }
}

/* A server that asks for a login still answers hello and ping to everybody: a session that can do nothing else is none. */
static int admitted(struct sp_session *s, struct sp_error *err)
{
    if (mongoc_uri_get_username(s->uri) != NULL || mongoc_uri_get_auth_mechanism(s->uri) != NULL)
        return 0;
    bson_t cmd = BSON_INITIALIZER;
    bool ok = BSON_APPEND_INT32(&cmd, "listCollections", 1) && BSON_APPEND_BOOL(&cmd, "nameOnly", true) &&
              BSON_APPEND_BOOL(&cmd, "authorizedCollections", true);
    int ret = ok ? mo_command(s, s->default_ns, &cmd, MO_READ, "open", NULL, err) : sp_nomem(err);
    bson_destroy(&cmd);
    if (ret != -SP_E_PERMISSION && ret != -SP_E_AUTHENTICATION)
        return ret;
    sp_error_clear(err);
    return sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND,
        "the server requires authentication, and the URL names no user (%s)", s->where);
}

int mo_open(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    *out = NULL;
    struct sp_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return sp_nomem(err);
    s->base.provider = &sp_provider_mongodb;
    s->base.endpoint = e;
    s->read_only = e->access == SP_ACCESS_READ_ONLY;
    atomic_init(&s->interrupted, false);
    (void)sp_strlcpy(s->where, "MongoDB", sizeof s->where);
    s->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int ret = s->bell < 0 ? sp_nomem(err) : parse_url(s, err);
    if (ret == 0)
        ret = adjust_url(s, err);
    if (ret == 0)
        ret = connect_now(s, err);
    if (ret == 0)
        ret = admitted(s, err);
    if (ret != 0) {
        mo_close(s);
        return ret;
    }
    set_concerns(s);
    *out = s;
    return 0;
}

void mo_close(struct sp_session *s)
{
    if (s == NULL)
        return;
    if (s->bell >= 0)
        mo_begin_statement(s);
    if (s->cs != NULL)
        mongoc_client_session_destroy(s->cs); /* aborts what is open */
    if (s->client != NULL)
        mongoc_client_destroy(s->client);
    if (s->uri != NULL)
        mongoc_uri_destroy(s->uri);
    if (s->bell >= 0)
        (void)close(s->bell);
    sp_arena_free(&s->lookup);
    free(s);
}

int mo_ping(struct sp_session *s, struct sp_error *err)
{
    bson_t cmd = BSON_INITIALIZER;
    mo_begin_statement(s);
    int ret = BSON_APPEND_INT32(&cmd, "ping", 1)
                  ? mo_command(s, s->default_ns, &cmd, MO_PLAIN, "ping", NULL, err)
                  : sp_nomem(err);
    bson_destroy(&cmd);
    return ret;
}
