/* call.c -- one exchange: how libcurl is set up for it, and what its callbacks keep. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "providers/lib/http/internal.h"

#define LONGEST_TARGET 100000 /* libcurl 7.88 calls a longer one "out of memory" */

#define IDLE_CONNECTION_S 30L /* older ones are closed: a server may have given them up meanwhile */

int64_t http_now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void http_response_reset(struct sp_http_response *r)
{
    sp_buf_clear(&r->body);
    sp_buf_clear(&r->text);
    r->status = 0;
    r->nheaders = 0;
    r->received = 0;
    r->request_id[0] = '\0';
    r->retry_after_ms = 0;
}

void sp_http_response_free(struct sp_http_response *r)
{
    sp_buf_free(&r->body);
    sp_buf_free(&r->text);
    memset(r, 0, sizeof *r);
}

const char *sp_http_header(const struct sp_http_response *r, const char *name)
{
    for (size_t i = 0; i < r->nheaders; i++)
        if (strcasecmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    return NULL;
}

/* --- callbacks ------------------------------------------------------------------------------------------------ */

/* Connected, and about to send. */
static int on_request(void *payload, char *peer, char *local, int peer_port, int local_port)
{
    struct sp_http_call *c = payload;
    (void)local, (void)peer_port, (void)local_port;
    /* The name may lead elsewhere than it says. */
    if (c->http->insecure && !sp_http_is_loopback(peer)) {
        c->not_here = true;
        return CURL_PREREQFUNC_ABORT;
    }
    /* libcurl repeats a request by itself when a connection that was kept open turns out dead before the answer. The server
     * may have carried it out all the same. */
    if (c->sent && (c->q->repeat == SP_HTTP_ONCE || c->q->source != NULL)) {
        c->second = true;
        return CURL_PREREQFUNC_ABORT;
    }
    c->sent = true;
    c->r->copies++;
    return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *p, size_t size, size_t n, void *payload)
{
    struct sp_http_call *c = payload;
    struct sp_http_response *r = c->r;
    (void)size; /* always 1 */
    c->heard_ns = http_now_ns();
    r->received += n;
    if (c->q->sink != NULL && sp_http_good(r)) {
        c->delivered = true;
        c->sink_stopped = c->q->sink(c->q->sink_payload, p, n) != 0;
        return c->sink_stopped ? CURL_WRITEFUNC_ERROR : n;
    }
    c->too_large = n > c->http->max_body - r->body.n;
    if (c->too_large)
        return CURL_WRITEFUNC_ERROR;
    c->oom = sp_buf_put(&r->body, p, n) != 0;
    return c->oom ? CURL_WRITEFUNC_ERROR : n;
}

/* Lines are kept as offsets first: the text moves while it grows. */
static void keep_header(struct sp_http_call *c, const char *p, size_t n)
{
    struct sp_http_response *r = c->r;
    const char *colon = memchr(p, ':', n);
    if (colon == NULL)
        return;
    if (r->nheaders == SP_HTTP_HEADERS) {
        c->too_many = true;
        return;
    }
    size_t name = (size_t)(colon - p), from = name + 1;
    while (from < n && (p[from] == ' ' || p[from] == '\t'))
        from++;
    while (n > from && (p[n - 1] == ' ' || p[n - 1] == '\t'))
        n--;
    r->headers[r->nheaders].name = (const char *)(uintptr_t)r->text.n;
    sp_buf_put(&r->text, p, name);
    sp_buf_putc(&r->text, '\0');
    r->headers[r->nheaders++].value = (const char *)(uintptr_t)r->text.n;
    sp_buf_put(&r->text, p + from, n - from);
    sp_buf_putc(&r->text, '\0');
    c->oom = r->text.oom;
}

static size_t on_header(char *p, size_t size, size_t n, void *payload)
{
    struct sp_http_call *c = payload;
    long status = 0;
    size_t line = n;
    (void)size;
    c->heard_ns = http_now_ns();
    while (line > 0 && (p[line - 1] == '\r' || p[line - 1] == '\n'))
        line--;
    if (line >= 5 && memcmp(p, "HTTP/", 5) == 0) { /* also behind 100 Continue and a proxy's answer */
        c->headed = false;
        c->r->nheaders = 0;
        sp_buf_clear(&c->r->text);
        (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
        c->r->status = (int)status;
    } else if (line == 0) {
        c->headed = true;
    } else {
        keep_header(c, p, line);
    }
    return c->too_many || c->oom ? 0 : n;
}

/* What goes out is a sign of life, too. */
static int on_progress(
    void *payload, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow)
{
    struct sp_http_call *c = payload;
    (void)dltotal, (void)dlnow, (void)ultotal;
    if (ulnow != c->uploaded) {
        c->uploaded = ulnow;
        c->moved_ns = http_now_ns();
    }
    return 0;
}

static size_t on_read(char *p, size_t size, size_t n, void *payload)
{
    struct sp_http_call *c = payload;
    int64_t got = c->q->source(c->q->source_payload, p, size * n);
    c->source_stopped = got < 0;
    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

/* --- set-up ---------------------------------------------------------------------------------------------------- */

static bool among(const struct sp_http_header *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(list[i].name, name) == 0)
            return true;
    return false;
}

static int put_header(struct sp_http_call *c, const char *name, const char *value)
{
    char *line = sp_strdup_printf(*value != '\0' ? "%s: %s" : "%s;%s", name, value);
    struct curl_slist *grown = line != NULL ? curl_slist_append(c->list, line) : NULL;
    free(line);
    if (grown == NULL)
        return -SP_E_NOMEM;
    c->list = grown;
    return 0;
}

static int put_headers(struct sp_http_call *c)
{
    const struct sp_http_request *q = c->q;
    struct curl_slist *no_wait =
        curl_slist_append(NULL, "Expect:"); /* saves a second; some answer it badly */
    int ret = no_wait == NULL ? -SP_E_NOMEM : 0;
    c->list = no_wait;
    for (size_t i = 0; ret == 0 && i < c->http->nheaders; i++)
        if (!among(q->headers, q->nheaders, c->http->headers[i].name))
            ret = put_header(c, c->http->headers[i].name, c->http->headers[i].value);
    for (size_t i = 0; ret == 0 && i < q->nheaders; i++)
        if (q->headers[i].value != NULL)
            ret = put_header(c, q->headers[i].name, q->headers[i].value);
    return ret;
}

static void set_method(CURL *e, const struct sp_http_call *c)
{
    const struct sp_http_request *q = c->q;
    if (q->source != NULL) {
        curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(e, CURLOPT_READDATA, c);
        curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->source_size);
    } else if (q->body != NULL || strcmp(q->method, "POST") == 0) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->nbody);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body != NULL ? q->body : "");
    } else if (strcmp(q->method, "HEAD") == 0) {
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method);
}

static void set_up(CURL *e, struct sp_http_call *c)
{
    const struct sp_http *h = c->http;
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->message);
    curl_easy_setopt(e, CURLOPT_PRIVATE, c);
    curl_easy_setopt(e, CURLOPT_URL, c->url);
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "switchproof");
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->list);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, h->insecure ? 0L : 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, h->insecure ? 0L : 2L);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (h->ca != NULL)
        curl_easy_setopt(e, CURLOPT_CAINFO, h->ca);
    if (h->loopback)
        curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)h->connect_ms);
    curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_S);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 256L * 1024);
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, c);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(e, CURLOPT_XFERINFODATA, c);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
    set_method(e, c);
}

static CURL *take_handle(struct sp_http *h)
{
    return h->nidle > 0 ? h->idle[--h->nidle] : curl_easy_init();
}

int http_call_start(struct sp_http *h, const struct sp_http_request *q, struct sp_http_response *r,
    int64_t deadline_ns, struct sp_http_call **out, struct sp_error *err)
{
    *out = NULL;
    http_response_reset(r);
    if (q->target[0] != '/' && q->target[0] != '?' && q->target[0] != '\0')
        return sp_invalid(err, "%s: a request's target begins with a slash", h->where);
    if (strlen(q->target) > LONGEST_TARGET)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS,
            "%s: the request's address has %zu bytes, more than can be sent; nothing was", h->where,
            strlen(q->target));
    for (size_t i = 0; i < q->nheaders; i++) /* a value may come out of data: an object's content type */
        if (q->headers[i].value != NULL && !http_header_ok(q->headers[i].name, q->headers[i].value))
            return sp_invalid(err, "%s: the header %s has a line break, or no good name; nothing was sent",
                h->where, q->headers[i].name);
    struct sp_http_call *c = calloc(1, sizeof *c);
    if (c == NULL)
        return sp_nomem(err);
    c->http = h;
    c->q = q;
    c->r = r;
    c->started_ns = c->moved_ns = http_now_ns();
    c->deadline_ns = deadline_ns;
    c->answer_ms = q->answer_ms > 0 ? q->answer_ms : h->answer_ms;
    c->next = h->calls;
    h->calls = c;
    c->url = sp_strdup_printf("%s%s", h->base, q->target);
    c->easy = take_handle(h);
    if (c->url == NULL || c->easy == NULL || put_headers(c) != 0) {
        http_call_free(c);
        return sp_nomem(err);
    }
    set_up(c->easy, c);
    if (curl_multi_add_handle(h->multi, c->easy) != CURLM_OK) {
        http_call_free(c);
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "%s: libcurl takes no request", h->where);
    }
    *out = c;
    return 0;
}

void http_call_free(struct sp_http_call *c)
{
    struct sp_http *h = c->http;
    for (struct sp_http_call **p = &h->calls; *p != NULL; p = &(*p)->next)
        if (*p == c) {
            *p = c->next;
            break;
        }
    if (c->easy != NULL) {
        (void)curl_multi_remove_handle(h->multi, c->easy); /* closes the connection if it is in the middle */
        curl_easy_reset(c->easy);
        if (h->nidle < IDLE_HANDLES)
            h->idle[h->nidle++] = c->easy;
        else
            curl_easy_cleanup(c->easy);
    }
    curl_slist_free_all(c->list);
    free(c->url);
    free(c);
}
