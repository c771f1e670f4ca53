/* faults.c -- a server that dies in the middle of an object: readers see the old one, the new one or none, never a part,
 * and nobody takes a part for the whole. */
#include "suites/storage/storage.h"

#include <string.h>

/* More than what stands in the buffers between server and client. */
enum { BIG = 24 * 1024 * 1024, KILL_AT = 8 * 1024 * 1024, CHUNK = 256 * 1024 };

/* The call lost its server and says so; unlike st_fails() this judges errors of the transport, too. */
static bool lost(struct st *t, const char *what, bool writes, int rc)
{
    bool ok = sp_check_at(t->ctx, __FILE__, __LINE__,
        rc == -SP_E_UNAVAILABLE || (writes && rc == -SP_E_OUTCOME_UNKNOWN), what,
        writes ? "unavailable or outcome unknown" : "unavailable",
        rc == 0 ? "success" : sp_code_name((enum sp_code) - rc));
    sp_error_clear(&t->err);
    return ok;
}

/* The server is up again, and this is a new session on it. */
static bool again(struct st *t, unsigned identity)
{
    t->s = sp_ctx_server(t->ctx, SP_SERVER_START) ? sp_ctx_session(t->ctx, identity) : NULL;
    return t->s != NULL;
}

struct flow {
    struct st *t;
    const uint8_t *p;
    size_t at;
    bool killed, same;
};

static bool kill_once(struct flow *f)
{
    if (!f->killed)
        f->killed = sp_ctx_server(f->t->ctx, SP_SERVER_KILL);
    return f->killed;
}

static int64_t give(void *payload, void *p, size_t n)
{
    struct flow *f = payload;
    if (f->at >= KILL_AT && !kill_once(f))
        return -1;
    n = n < CHUNK ? n : CHUNK;
    n = n < BIG - f->at ? n : BIG - f->at;
    memcpy(p, f->p + f->at, n);
    f->at += n;
    return (int64_t)n;
}

static int take(void *payload, const void *p, size_t n)
{
    struct flow *f = payload;
    f->same = f->same && n <= BIG - f->at && memcmp(f->p + f->at, p, n) == 0;
    f->at += n;
    return kill_once(f) ? 0 : -1;
}

/* Puts over what may be there already, with a server that dies halfway. */
static bool put_and_die(struct st *t, const char *key, const uint8_t *p, enum sp_effect *said)
{
    struct flow f = { .t = t, .p = p };
    int rc = sp_blob_put_stream(t->s, t->a, t->bucket, key, give, &f, NULL, NULL, &t->err);
    *said = t->err.effect;
    return sp_check(t->ctx, f.killed, "the server was killed in the middle of the put") &&
           lost(t, "a put that lost its server", true, rc);
}

/* Only who was told that the put may have been made finds it made, and whole. */
static bool whole_or_as_before(
    struct st *t, const char *key, const uint8_t *big, const char *before, enum sp_effect said)
{
    struct sp_object o = { 0 };
    int rc = sp_blob_head(t->s, t->a, t->bucket, key, &o, &t->err);
    sp_error_clear(&t->err);
    if (rc == 0 && o.size == BIG)
        return st_holds(t, key, big, BIG) &&
               sp_check_text(
                   t->ctx, "effect that was said of a put that is there", "unknown", sp_effect_name(said));
    return before != NULL ? st_holds_text(t, key, before) : st_absent(t, key);
}

void stc_killed_in_put(struct sp_ctx *ctx, const void *data)
{
    enum sp_effect first = SP_EFFECT_NONE, second = SP_EFFECT_NONE;
    struct st t;
    (void)data;
    const uint8_t *big = st_open(&t, ctx) ? st_bytes(&t, BIG) : NULL;
    (void)(big != NULL && st_puts(&t, "old", "as it was") && put_and_die(&t, "new", big, &first) &&
           again(&t, 1) && whole_or_as_before(&t, "new", big, NULL, first) &&
           put_and_die(&t, "old", big, &second) && again(&t, 2) &&
           whole_or_as_before(&t, "old", big, "as it was", second) && st_puts(&t, "new", "afterwards") &&
           st_holds_text(&t, "new", "afterwards"));
    st_done(&t);
}

void stc_killed_in_get(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    const uint8_t *big = st_open(&t, ctx) ? st_bytes(&t, BIG) : NULL;
    if (big != NULL && st_put(&t, "big", big, BIG, NULL)) {
        struct flow f = { .t = &t, .p = big, .same = true };
        int rc = sp_blob_get_stream(t.s, t.a, t.bucket, "big", 0, SP_TO_END, take, &f, NULL, &t.err);
        /* Who got every byte may say so, although the server is gone by then. */
        bool all = rc == 0 && f.at == BIG;
        (void)(sp_check(ctx, f.killed, "the server was killed in the middle of the get") &&
               sp_check(ctx, f.same, "what came is the beginning of the object") &&
               (all || lost(&t, "a get that lost its server", false, rc)) && again(&t, 1) &&
               st_holds(&t, "big", big, BIG));
        sp_error_clear(&t.err);
    }
    st_done(&t);
}
