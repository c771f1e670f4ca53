/* lens.c -- the session that shows an inner one through a mapping. */
#include "map/lens.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "map/lens_internal.h"

static int ping(struct sp_session *s, struct sp_error *err)
{
    return sp_ping(lens_of(s)->inner, err);
}

static int effective(
    struct sp_session *s, struct sp_cap out[SP_CAP_N], struct sp_facts *facts, struct sp_error *err)
{
    return sp_effective(lens_of(s)->inner, out, facts, err);
}

/* From another thread: what it reads never changes while the session is open. */
static void interrupt(struct sp_session *s)
{
    struct sp_session *inner = lens_of(s)->inner;
    const struct sp_provider *p = sp_session_provider(inner);
    if (p->interrupt != NULL)
        p->interrupt(inner);
}

static int snapshot_begin(struct sp_session *s, char id[64], struct sp_error *err)
{
    return sp_db_snapshot_begin(lens_of(s)->inner, id, err);
}
static int snapshot_end(struct sp_session *s, struct sp_error *err)
{
    return sp_db_snapshot_end(lens_of(s)->inner, err);
}
static int snapshot_share(struct sp_session *s, char word[SP_SNAPSHOT_WORD], struct sp_error *err)
{
    return sp_db_snapshot_share(lens_of(s)->inner, word, err);
}
static int snapshot_join(struct sp_session *s, const char *word, struct sp_error *err)
{
    /* The views are made now, by the thread that opened the sessions: readers run beside each other. */
    int rc = sp_db_snapshot_join(lens_of(s)->inner, word, err);
    return rc == 0 ? lens_ready(lens_of(s), err) : rc;
}
static int ns_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    return sp_db_ns_list(lens_of(s)->inner, prefix, out, err);
}

static void close_lens(struct sp_session *session)
{
    struct lens_session *s = lens_of(session);
    if (session == NULL)
        return;
    lens_views_drop(s);
    free(s);
}

static const struct sp_db_ops ops = {
    .introspect = lens_introspect,
    .ns_list = ns_list,
    .exec = lens_exec,
    .snapshot_begin = snapshot_begin,
    .snapshot_end = snapshot_end,
    .snapshot_share = snapshot_share,
    .snapshot_join = snapshot_join,
    .volume = lens_volume,
    .split = lens_split,
    .scan = lens_scan,
};

int sp_lens_open(struct sp_session *inner, struct sp_session *other, const struct sp_mapping *m,
    enum sp_side side, struct sp_session **out, struct sp_error *err)
{
    *out = NULL;
    if (inner == NULL || m == NULL || inner == other)
        return sp_invalid(err, "a lens needs an open session, and another one for the other side");
    const struct sp_provider *p = sp_session_provider(inner);
    if (p->db == NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS,
            "%s keeps no tables that a mapping could show", p->kind);
    struct lens_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return sp_nomem(err);
    s->inner = inner;
    s->other = other;
    s->m = m;
    s->side = side;
    s->provider = (struct sp_provider){ .kind = p->kind,
        .scheme = p->scheme,
        .summary = p->summary,
        .library = p->library,
        .options = p->options,
        .declared = p->declared,
        .losses = p->losses,
        .effective = effective,
        .ping = ping,
        .interrupt = interrupt,
        .close = close_lens,
        .db = &ops,
        .alias = p->alias };
    s->base = (struct sp_session_base){ .provider = &s->provider, .endpoint = sp_session_endpoint(inner) };
    *out = (struct sp_session *)(void *)s;
    return 0;
}

struct sp_session *sp_lens_inner(struct sp_session *s)
{
    return s != NULL && sp_session_provider(s)->db == &ops ? lens_of(s)->inner : s;
}
