/* pump.c -- works on everything that is under way, watches the clocks, and ends exchanges. */
#include <string.h>

#include "providers/lib/http/internal.h"

#define MS INT64_C(1000000)

/* When the next clock of a call runs out, and which. */
static int64_t call_limit(const struct sp_http_call *c, enum stop *why)
{
    int64_t at;
    if (c->heard_ns != 0) {
        at = c->heard_ns + c->http->idle_ms * MS;
        *why = STOP_IDLE;
    } else { /* connecting has a clock of its own, in libcurl */
        at = c->moved_ns + ((int64_t)c->answer_ms + (c->sent ? 0 : c->http->connect_ms)) * MS;
        *why = STOP_ANSWER;
    }
    if (c->deadline_ns != 0 && c->deadline_ns < at) {
        at = c->deadline_ns;
        *why = STOP_TOTAL;
    }
    return at;
}

static void collect(struct sp_http *h)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
        struct sp_http_call *c = NULL;
        if (m->msg != CURLMSG_DONE ||
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c) != CURLE_OK)
            continue;
        c->done = true;
        c->result = m->data.result == CURLE_OK && !c->headed ? CURLE_PARTIAL_FILE : m->data.result;
    }
}

/* Ends what ran out of time; returns how long the rest may sleep, in ms. */
static int watch(struct sp_http *h, int64_t until_ns, bool cancelled)
{
    int64_t now = http_now_ns(), next = until_ns != 0 ? until_ns : now + 1000 * MS;
    for (struct sp_http_call *c = h->calls; c != NULL; c = c->next) {
        enum stop why;
        int64_t at = call_limit(c, &why);
        if (c->done)
            continue;
        if (cancelled || at <= now) {
            c->stop = cancelled ? STOP_CANCELLED : why;
            c->done = true;
        } else if (at < next) {
            next = at;
        }
    }
    int64_t ms = (next - now + MS - 1) / MS;
    return ms < 0 ? 0 : ms > 1000 ? 1000 : (int)ms;
}

int http_pump(struct sp_http *h, struct sp_http_call *c, int64_t until_ns)
{
    for (;;) {
        int running;
        CURLMcode rc = curl_multi_perform(h->multi, &running);
        collect(h);
        bool cancelled = atomic_load(&h->interrupted);
        int ms = watch(h, until_ns, cancelled);
        if (c != NULL && c->done)
            return 0;
        if (cancelled)
            return -SP_E_CANCELLED;
        if (c == NULL && http_now_ns() >= until_ns)
            return 0;
        if (rc == CURLM_OK)
            rc = curl_multi_poll(h->multi, NULL, 0, ms, NULL);
        if (rc != CURLM_OK && c != NULL) { /* nothing but memory can be missing */
            c->done = c->oom = true;
            return 0;
        }
    }
}
