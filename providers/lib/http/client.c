/* client.c -- a client: its configuration, its connections, and how it is stopped. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/log.h"
#include "providers/lib/http/internal.h"

#define CONNECT_MS 10000
#define IDLE_MS    30000
#define ATTEMPTS   4
#define KEEP       16 /* connections that stay open */

int sp_http_init(struct sp_error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "libcurl cannot be initialised");
    return 0;
}

const char *sp_http_library(void)
{
    static char text[64];
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    (void)snprintf(
        text, sizeof text, "libcurl %s %s", v->version, v->ssl_version != NULL ? v->ssl_version : "");
    return text;
}

bool sp_http_is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (strcasecmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    char plain[INET6_ADDRSTRLEN + 1];
    size_t n = strlen(host);
    if (n > 2 && host[0] == '[' && host[n - 1] == ']' && n - 2 < sizeof plain) {
        memcpy(plain, host + 1, n - 2);
        plain[n - 2] = '\0';
        host = plain;
    }
    return inet_pton(AF_INET6, host, &six) == 1 &&
           (IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127));
}

static bool has_part(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    bool there = curl_url_get(u, part, &text, 0) == CURLUE_OK && text != NULL;
    curl_free(text);
    return there;
}

/* Splits the base for messages and for what depends on the host. */
static int read_base(struct sp_http *h, const char *base, struct sp_error *err)
{
    CURLU *u = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL;
    int ret = 0;
    if (u == NULL)
        return sp_nomem(err);
    if (curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) ||
        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || *host == '\0') {
        ret = sp_invalid(err, "%s: not a URL of the form http(s)://host[:port][/path]", h->what);
        goto out;
    }
    if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD) || has_part(u, CURLUPART_QUERY) ||
        has_part(u, CURLUPART_FRAGMENT)) {
        ret = sp_invalid(err, "%s: the URL may hold neither user, password, query nor fragment", h->what);
        goto out;
    }
    (void)curl_url_get(u, CURLUPART_PORT, &port, 0);
    h->loopback = sp_http_is_loopback(host);
    h->where = sp_strdup_printf(
        "%s at %s://%s%s%s", h->what, scheme, host, port != NULL ? ":" : "", port != NULL ? port : "");
    h->base = sp_strdup_printf("%s", base);
    if (h->where == NULL || h->base == NULL) {
        ret = sp_nomem(err);
        goto out;
    }
    for (size_t n = strlen(h->base); n > 0 && h->base[n - 1] == '/'; n--) /* targets begin with a slash */
        h->base[n - 1] = '\0';
    if (h->insecure && !h->loopback)
        ret = sp_invalid(err,
            "%s: certificates go unchecked on loopback addresses only; name a file of certificates to trust "
            "instead",
            h->where);
    else if (strcmp(scheme, "http") == 0 && !h->loopback)
        sp_log_warn("%s: the connection is not encrypted, keys and data can be read on the way", h->where);
out:
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return ret;
}

bool http_header_ok(const char *name, const char *value)
{
    static const char token[] =
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return *name != '\0' && name[strspn(name, token)] == '\0' && value[strcspn(value, "\r\n")] == '\0';
}

int sp_http_set_header(struct sp_http *h, const char *name, const char *value, struct sp_error *err)
{
    size_t i = 0;
    if (!http_header_ok(name, value != NULL ? value : "")) /* the value may be a key: not shown */
        return sp_invalid(err, "%s: the header %s has a line break, or no good name", h->what, name);
    while (i < h->nheaders && strcasecmp(h->headers[i].name, name) != 0)
        i++;
    if (value == NULL) {
        if (i == h->nheaders)
            return 0;
        free((char *)(uintptr_t)h->headers[i].name);
        free((char *)(uintptr_t)h->headers[i].value);
        h->headers[i] = h->headers[--h->nheaders];
        return 0;
    }
    char *n = sp_strdup_printf("%s", name), *v = sp_strdup_printf("%s", value);
    struct sp_http_header *grown = h->headers;
    if (i == h->nheaders)
        grown = realloc(h->headers, (h->nheaders + 1) * sizeof *grown);
    if (n == NULL || v == NULL || grown == NULL) {
        free(n);
        free(v);
        return sp_nomem(err);
    }
    h->headers = grown;
    if (i == h->nheaders) {
        h->nheaders++;
    } else {
        free((char *)(uintptr_t)h->headers[i].name);
        free((char *)(uintptr_t)h->headers[i].value);
    }
    h->headers[i] = (struct sp_http_header){ n, v };
    return 0;
}

static int or_default(int given, int fallback)
{
    return given > 0 ? given : fallback;
}

int sp_http_open(struct sp_http **out, const struct sp_http_config *c, struct sp_error *err)
{
    *out = NULL;
    struct sp_http *h = calloc(1, sizeof *h);
    if (h == NULL)
        return sp_nomem(err);
    h->what = c->what;
    h->insecure = c->insecure;
    h->connect_ms = or_default(c->connect_ms, CONNECT_MS);
    h->total_ms = c->total_ms;
    h->answer_ms = or_default(c->answer_ms, SP_HTTP_ANSWER_MS);
    h->idle_ms = or_default(c->idle_ms, IDLE_MS);
    h->max_body = c->max_body != 0 ? c->max_body : SP_HTTP_BODY_MAX;
    h->attempts = c->attempts != 0 ? c->attempts : ATTEMPTS;
    uint64_t seed = 0; /* only spreads pauses: any seed will do */
    (void)!getrandom(&seed, sizeof seed, GRND_NONBLOCK);
    sp_rng_seed(&h->rng, seed ^ (uint64_t)http_now_ns());
    int ret = read_base(h, c->base, err);
    if (ret == 0 && c->ca != NULL && (h->ca = sp_strdup_printf("%s", c->ca)) == NULL)
        ret = sp_nomem(err);
    for (size_t i = 0; ret == 0 && i < c->nheaders; i++)
        ret = sp_http_set_header(h, c->headers[i].name, c->headers[i].value, err);
    if (ret == 0 && (h->multi = curl_multi_init()) == NULL)
        ret = sp_nomem(err);
    if (ret != 0) {
        sp_http_close(h);
        return ret;
    }
    (void)curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)KEEP);
    *out = h;
    return 0;
}

void sp_http_close(struct sp_http *h)
{
    if (h == NULL)
        return;
    while (h->calls != NULL)
        http_call_free(h->calls);
    for (size_t i = 0; i < h->nidle; i++)
        curl_easy_cleanup(h->idle[i]);
    if (h->multi != NULL)
        (void)curl_multi_cleanup(h->multi);
    for (size_t i = 0; i < h->nheaders; i++) {
        free((char *)(uintptr_t)h->headers[i].name);
        free((char *)(uintptr_t)h->headers[i].value);
    }
    free(h->headers);
    free(h->base);
    free(h->where);
    free(h->ca);
    free(h);
}

void sp_http_interrupt(struct sp_http *h)
{
    atomic_store(&h->interrupted, true);
    (void)curl_multi_wakeup(h->multi); /* the one call of libcurl that any thread may make */
}

void sp_http_rearm(struct sp_http *h)
{
    atomic_store(&h->interrupted, false);
}

const char *sp_http_where(const struct sp_http *h)
{
    return h->where;
}
