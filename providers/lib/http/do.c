/* do.c -- an exchange from its beginning to its end, repeated where a second copy does no harm. */
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "providers/lib/http/internal.h"

#define MS       INT64_C(1000000)
#define PAUSE_MS 200   /* before the second try; doubles */
#define LONG_MS  10000 /* the longest pause of our own */

int sp_http_retry_after_ms(const char *value, const char *date)
{
    uint64_t s;
    if (value == NULL)
        return 0;
    if (sp_parse_u64(value, &s))
        return s > 86400 ? 86400 * 1000 : (int)s * 1000;
    time_t at = curl_getdate(value, NULL), from = date != NULL ? curl_getdate(date, NULL) : (time_t)-1;
    if (from == (time_t)-1)
        from = time(NULL);
    if (at == (time_t)-1 || at <= from)
        return 0;
    return at - from > 86400 ? 86400 * 1000 : (int)(at - from) * 1000;
}

static void note_answer(struct sp_http_response *r)
{
    static const char *const ids[] = { "sb-request-id", "x-request-id", "x-kong-request-id",
        "x-amz-request-id", "cf-ray", "x-correlation-id" };
    for (size_t i = 0; i < r->nheaders; i++) { /* the text stays where it is from now on */
        r->headers[i].name = r->text.p + (uintptr_t)r->headers[i].name;
        r->headers[i].value = r->text.p + (uintptr_t)r->headers[i].value;
    }
    for (size_t i = 0; i < SP_LEN(ids) && r->request_id[0] == '\0'; i++) {
        const char *v = sp_http_header(r, ids[i]);
        if (v != NULL)
            (void)sp_strlcpy(r->request_id, v, sizeof r->request_id);
    }
    r->retry_after_ms = sp_http_retry_after_ms(sp_http_header(r, "retry-after"), sp_http_header(r, "date"));
}

/* Waits for the end of a call that is under way. *lost: it broke in a way that may not happen again. */
static int end_call(struct sp_http_call *c, bool *lost, struct sp_error *err)
{
    (void)http_pump(c->http, c, 0);
    note_answer(c->r);
    http_trace(c);
    bool good = c->stop == STOP_NONE && c->result == CURLE_OK && !c->oom;
    *lost = !good && http_lost(c);
    int ret = good ? 0 : http_transport_error(c, err);
    http_call_free(c);
    return ret;
}

static int64_t deadline(const struct sp_http *h, const struct sp_http_request *q)
{
    int ms = q->total_ms > 0 ? q->total_ms : h->total_ms;
    return ms > 0 ? http_now_ns() + ms * MS : 0;
}

static bool worth_again(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* The server's own word if there is one, else twice as long each time, and never all at the same moment. */
static int pause_ms(struct sp_http *h, const struct sp_http_response *r, unsigned attempt)
{
    if (r->retry_after_ms > 0)
        return r->retry_after_ms;
    int ms = attempt > 6 ? LONG_MS : PAUSE_MS << (attempt - 1);
    if (ms > LONG_MS)
        ms = LONG_MS;
    return ms / 2 + (int)sp_rng_below(&h->rng, (uint64_t)(ms / 2) + 1);
}

static bool repeatable(const struct sp_http_request *q)
{
    return q->repeat == SP_HTTP_AGAIN && q->source == NULL;
}

/* c: the first try, if it is under way already; NULL = not yet. */
static int carry_out(struct sp_http *h, const struct sp_http_request *q, struct sp_http_response *r,
    struct sp_http_call *c, int64_t end, struct sp_error *err)
{
    bool again = repeatable(q);
    for (unsigned attempt = 1;; attempt++) {
        bool lost = false;
        int ret = c != NULL ? 0 : http_call_start(h, q, r, end, &c, err);
        if (ret != 0)
            return ret;
        ret = end_call(c, &lost, err);
        c = NULL;
        r->attempts = attempt;
        if (!(ret == 0 ? worth_again(r->status) : lost) || !again || attempt >= h->attempts)
            return ret;
        int ms = pause_ms(h, r, attempt);
        /* A pause that the time does not allow: the answer stands, with what the server asked for. */
        if (end != 0 ? http_now_ns() + ms * MS >= end : ms > SP_HTTP_ANSWER_MS)
            return ret;
        sp_log_info("%s: %s, trying again in %d ms", h->where,
            ret == 0 ? (r->status == 429 ? "asked to slow down (429)" : "not available now")
                     : sp_error_text(err),
            ms);
        if (http_pump(h, NULL, http_now_ns() + ms * MS) != 0)
            return sp_fail(
                err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "%s: stopped while waiting to try again", h->where);
        if (err != NULL)
            sp_error_clear(err);
    }
}

int sp_http_do(
    struct sp_http *h, const struct sp_http_request *q, struct sp_http_response *r, struct sp_error *err)
{
    r->copies = 0;
    return carry_out(h, q, r, NULL, deadline(h, q), err);
}

int sp_http_ahead(struct sp_http *h, const struct sp_http_request *q, struct sp_http_response *r,
    struct sp_http_call **out, struct sp_error *err)
{
    *out = NULL;
    if (!repeatable(q))
        return sp_invalid(err, "%s: only what may be repeated is asked ahead", h->where);
    r->copies = 0;
    int ret = http_call_start(h, q, r, deadline(h, q), out, err);
    if (ret != 0)
        return ret;
    (void)http_pump(h, NULL, http_now_ns()); /* once: it goes out. A cancellation is settle's to say */
    (*out)->left_ns = http_now_ns();
    return 0;
}

int sp_http_settle(struct sp_http_call *c, struct sp_error *err)
{
    int64_t away = http_now_ns() - c->left_ns;
    c->moved_ns += away;
    c->heard_ns += c->heard_ns != 0 ? away : 0;
    c->deadline_ns += c->deadline_ns != 0 ? away : 0;
    return carry_out(c->http, c->q, c->r, c, c->deadline_ns, err);
}

void sp_http_give_up(struct sp_http_call *c)
{
    if (c != NULL)
        http_call_free(c);
}

int sp_http_start(struct sp_http *h, const struct sp_http_request *q, struct sp_http_response *r,
    struct sp_http_call **out, struct sp_error *err)
{
    r->copies = 0;
    int ret = http_call_start(h, q, r, deadline(h, q), out, err);
    r->attempts = 1;
    return ret;
}

int sp_http_finish(struct sp_http_call *c, struct sp_error *err)
{
    bool lost;
    return end_call(c, &lost, err);
}
