/* http.h -- HTTP for every provider whose backend speaks it, on libcurl.
 *
 * A client talks to one service: a base URL, headers that go with every request (the keys), limits. It keeps its
 * connections open between requests, and may have several requests under way. One thread uses a client; only
 * sp_http_interrupt() may be called from another one. sp_http_init() runs once, before any thread.
 *
 * What is promised to those who write data: a request that is not marked as repeatable leaves this machine at most once.
 * Not even libcurl's own second try on a connection that the server had closed meanwhile is allowed. When its answer is
 * lost the error is OUTCOME_UNKNOWN; when it surely was not sent the error says so by its effect (none).
 *
 * Nothing is followed: a redirect is an answer like any other, so keys never reach another host. Certificates are
 * checked always, unless the configuration says otherwise and the server is this machine. Proxies are taken from the
 * environment as curl does (http_proxy, HTTPS_PROXY, ALL_PROXY, NO_PROXY), but never for a loopback address. */
#ifndef SP_PROVIDERS_LIB_HTTP_H
#define SP_PROVIDERS_LIB_HTTP_H

#include "base/buf.h"
#include "base/error.h"

struct sp_http;
struct sp_http_call;

struct sp_http_header {
    const char *name, *value;
};

#define SP_HTTP_BODY_MAX  ((size_t)64 << 20) /* default of `max_body` */
#define SP_HTTP_HEADERS   128                /* most headers of an answer */
#define SP_HTTP_ANSWER_MS 60000              /* default of `answer_ms` */

struct sp_http_config {
    const char *base;  /* http(s)://host[:port][/path]; no user, query or fragment */
    const char *what;  /* for messages: "PostgREST" */
    bool insecure;     /* don't check the certificate: loopback addresses only, else INVALID */
    const char *ca;    /* file of certificates to trust instead of the system's; NULL = those */
    int connect_ms;    /* 0 = 10 s */
    int total_ms;      /* of one exchange with all its retries; 0 = no limit but the next two */
    int answer_ms;     /* longest wait for the first byte of an answer; 0 = SP_HTTP_ANSWER_MS */
    int idle_ms;       /* longest pause between two pieces of an answer; 0 = 30 s */
    size_t max_body;   /* of an answer that is kept in memory; 0 = SP_HTTP_BODY_MAX */
    unsigned attempts; /* of a repeatable request in all; 0 = 4 */
    const struct sp_http_header *headers; /* with every request; copied */
    size_t nheaders;
};

int sp_http_init(struct sp_error *err);
const char *sp_http_library(void); /* "libcurl 7.88.1 OpenSSL/3.0.19" */
int sp_http_open(struct sp_http **out, const struct sp_http_config *c, struct sp_error *err);
void sp_http_close(struct sp_http *h); /* NULL is fine; what is under way is given up */
/* Any thread: what is under way now ends as CANCELLED (or OUTCOME_UNKNOWN). Later requests are not concerned, once
 * sp_http_rearm() was called: the session does that when an operation begins. */
void sp_http_interrupt(struct sp_http *h);
void sp_http_rearm(struct sp_http *h);
/* Replaces one of the headers that go with every request (NULL value: removes it). */
int sp_http_set_header(struct sp_http *h, const char *name, const char *value, struct sp_error *err);
const char *sp_http_where(const struct sp_http *h); /* "PostgREST at http://127.0.0.1:3000" */
bool sp_http_is_loopback(const char *host);         /* 127.0.0.0/8, ::1, localhost */

/* May a request be sent again? ONCE: it writes, and nothing tells a second copy from the first. AGAIN: it reads, or a second
 * copy changes nothing more. */
enum sp_http_repeat { SP_HTTP_ONCE, SP_HTTP_AGAIN };

struct sp_http_request {
    const char *method; /* GET, HEAD, POST ... */
    const char *target; /* behind the base: "/table?id=eq.1", percent-encoded, sent as it is */
    const struct sp_http_header *headers; /* besides those of the client; same name = instead of those */
    size_t nheaders;
    const void *body; /* NULL = none */
    size_t nbody;
    /* Instead of `body`: a stream, read to its end (0; negative aborts). Sent once, whatever `repeat` says. */
    int64_t (*source)(void *payload, void *p, size_t n);
    void *source_payload;
    int64_t source_size; /* -1 = not known */
    enum sp_http_repeat repeat;
    /* Takes the body of a 2xx answer as it comes; non-zero stops. NULL = into the response. After the first piece the
     * request is not repeated. Other answers always go into the response. */
    int (*sink)(void *payload, const void *p, size_t n);
    void *sink_payload;
    int total_ms, answer_ms; /* instead of the client's; 0 = those */
};

struct sp_http_response {
    int status;
    struct sp_buf body;
    char request_id[80]; /* "" = the server gave none */
    uint64_t received;   /* bytes of the body */
    unsigned attempts;
    unsigned
        copies; /* of the request that went out: libcurl repeats one by itself where a connection turns out dead */
    int retry_after_ms; /* 0 = not said */
    struct sp_http_header headers[SP_HTTP_HEADERS];
    size_t nheaders;
    struct sp_buf text; /* what the headers point into */
};
#define SP_HTTP_RESPONSE_INIT                                                                                \
    {                                                                                                        \
        .status = 0                                                                                          \
    }
void sp_http_response_free(struct sp_http_response *r);
const char *sp_http_header(const struct sp_http_response *r, const char *name); /* NULL = absent */

/* 0 = an answer arrived whole, whatever its status. Repeatable requests were repeated after a broken connection and
 * after 429, 502, 503 and 504, with growing pauses or as long as the server asked, as far as the time lasts. */
int sp_http_do(
    struct sp_http *h, const struct sp_http_request *q, struct sp_http_response *r, struct sp_error *err);

/* The same in two halves, for several at a time; never repeated. start copies nothing: `q` and `r` must live until
 * finish, which works on all that is under way while it waits, and frees the call. */
int sp_http_start(struct sp_http *h, const struct sp_http_request *q, struct sp_http_response *r,
    struct sp_http_call **out, struct sp_error *err);
int sp_http_finish(struct sp_http_call *c, struct sp_error *err);

/* A repeatable request (else INVALID) that is sent at once and then left alone, while the caller does something else: that time
 * counts on none of its clocks. settle waits for the end as sp_http_do() does, with all its repetitions, and frees the call. */
int sp_http_ahead(struct sp_http *h, const struct sp_http_request *q, struct sp_http_response *r,
    struct sp_http_call **out, struct sp_error *err);
int sp_http_settle(struct sp_http_call *c, struct sp_error *err);
void sp_http_give_up(struct sp_http_call *c); /* its answer is not wanted any more; NULL is fine */

/* An answer with a status that means success. */
static inline bool sp_http_good(const struct sp_http_response *r)
{
    return r->status >= 200 && r->status <= 299;
}
/* A page for people, which no service answers with: something that stands before it did. refuses: with the status of a refusal
 * (400, 401, 403, 404, 405), which says nothing of a key, a right, or a thing that is absent. */
bool sp_http_is_page(const struct sp_http_response *r);
bool sp_http_page_refuses(const struct sp_http_response *r);
/* An answer with a status that means failure, as an error: 401 AUTHENTICATION, 403 PERMISSION, 404 NOT_FOUND, 409
 * CONFLICT, 412 PRECONDITION, 413 TOO_LARGE, 416 RANGE, 429 RATE_LIMITED, 3xx INVALID (a redirect), other 4xx INVALID,
 * 501 UNSUPPORTED, 5xx UNAVAILABLE, a page that refuses UNAVAILABLE. 502, 503, 504 and 408 after a request that is sent
 * once: OUTCOME_UNKNOWN, because what stands between may have lost the answer. Says the status, the request id, and `detail` or the beginning of the body,
 * scrubbed. Providers look into the body first; this is for what they don't know. */
int sp_http_status_error(const struct sp_http *h, const struct sp_http_request *q,
    const struct sp_http_response *r, const char *detail, struct sp_error *err);

/* Appends what can stand in a path segment or a query value: everything but A-Z a-z 0-9 - . _ ~ as %XX. */
int sp_http_encode(struct sp_buf *out, const void *p, size_t n);
/* Appends text of a foreign answer for a message: at most `max` bytes, one line, HTML tags left out, tokens (JSON Web
 * Tokens, "Bearer ...", sb_secret_..., values of members and parameters whose names say secret) replaced by ***. */
int sp_http_scrub(struct sp_buf *out, const void *p, size_t n, size_t max);
/* Retry-After: seconds, or a date, which counts from the answer's own Date (NULL: from now). 0 = neither. */
int sp_http_retry_after_ms(const char *value, const char *date);

#endif
