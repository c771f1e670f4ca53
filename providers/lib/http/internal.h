/* internal.h -- what the files of the HTTP library share. Nothing outside this folder includes it. */
#ifndef SP_PROVIDERS_LIB_HTTP_INTERNAL_H
#define SP_PROVIDERS_LIB_HTTP_INTERNAL_H

#include <curl/curl.h>
#include <stdatomic.h>

#include "base/str.h"
#include "providers/lib/http/http.h"

#define IDLE_HANDLES 8

struct sp_http {
    char *base, *where;
    const char *what;
    bool insecure, loopback;
    char *ca;
    int connect_ms, total_ms, answer_ms, idle_ms;
    size_t max_body;
    unsigned attempts;
    struct sp_http_header *headers; /* owned strings */
    size_t nheaders;
    CURLM *multi;
    CURL *idle[IDLE_HANDLES]; /* kept for the next request */
    size_t nidle;
    struct sp_http_call *calls; /* under way */
    _Atomic bool interrupted;
    struct sp_rng rng;
};

enum stop { STOP_NONE, STOP_CANCELLED, STOP_TOTAL, STOP_ANSWER, STOP_IDLE };

/* One exchange. */
struct sp_http_call {
    struct sp_http *http;
    const struct sp_http_request *q;
    struct sp_http_response *r;
    struct sp_http_call *next;
    CURL *easy;
    struct curl_slist *list;
    char *url;
    char message[CURL_ERROR_SIZE];
    int64_t started_ns, heard_ns, deadline_ns; /* heard: 0 = nothing yet; deadline: 0 = none */
    int64_t moved_ns;                          /* when something went out */
    int64_t left_ns;                           /* asked ahead: since when nobody listens */
    curl_off_t uploaded;
    int answer_ms;
    bool sent;      /* the request was handed to the connection */
    bool second;    /* libcurl wanted to send it once more */
    bool not_here;  /* certificates are not checked, and the peer is not this machine */
    bool headed;    /* the blank line behind the headers came: libcurl does not insist on it */
    bool delivered; /* the sink had a piece */
    bool too_large, too_many, sink_stopped, source_stopped, oom;
    bool done;
    CURLcode result;
    enum stop stop;
};

int64_t http_now_ns(void);
/* client.c: a line break would begin another header. */
bool http_header_ok(const char *name, const char *value);
/* call.c */
int http_call_start(struct sp_http *h, const struct sp_http_request *q, struct sp_http_response *r,
    int64_t deadline_ns, struct sp_http_call **out, struct sp_error *err);
void http_call_free(struct sp_http_call *c);
void http_response_reset(struct sp_http_response *r);
/* pump.c: works on all that is under way until `c` is done, or (NULL) until the time has passed. -SP_E_CANCELLED. */
int http_pump(struct sp_http *h, struct sp_http_call *c, int64_t until_ns);
/* errors.c: what became of a call that did not end well. */
int http_transport_error(const struct sp_http_call *c, struct sp_error *err);
bool http_lost(const struct sp_http_call *c); /* a repeatable request is worth another try */
/* trace.c */
void http_trace(const struct sp_http_call *c);

#endif
