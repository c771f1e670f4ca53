/* again.c -- a check that is no matter of single rows, on sides that are written to: it is made again in new snapshots
 * until it finds nothing, or until what it finds has stood at every look for as long as rows must stand (recheck.c).
 *
 * What a check finds is told by its events: each listed row, and where it lists none, each reason. What stands at one look
 * and is gone at the next was in flight. */
#include <stdlib.h>

#include "verify/internal.h"

#define FIRST_NS  INT64_C(200000000)
#define MOST_KEPT ((size_t)16 << 20) /* bytes of events of one look */

struct event {
    enum sp_event_kind kind;
    char *json;
    size_t n;
};

struct look {
    struct sp_emitter tee; /* first: what the context sends to meanwhile */
    struct event *events;
    size_t n, cap, bytes;
    bool oom, full;
    struct sp_buf reasons, differs; /* differs: those of them that are differences */
};

/* What the context said before the check. */
struct before {
    uint64_t differences, not_compared, lossy, rows, bytes;
    unsigned reasons_left;
    bool capped;
    struct sp_buf *reasons;
    struct sp_emitter *em;
};

struct found { /* sorted */
    struct sp_d128 *v;
    size_t n;
};

static int keep(
    struct sp_emitter *em, enum sp_event_kind kind, const char *json, size_t n, struct sp_error *err)
{
    struct look *l = (struct look *)(void *)em;
    l->bytes += n;
    if (l->bytes > MOST_KEPT) {
        l->full = true;
        return 0;
    }
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 16 : l->cap * 2;
        struct event *p = realloc(l->events, cap * sizeof *p);
        if (p == NULL)
            return sp_nomem(err);
        l->events = p;
        l->cap = cap;
    }
    char *copy = malloc(n + 1);
    if (copy == NULL)
        return sp_nomem(err);
    memcpy(copy, json, n);
    copy[n] = '\0';
    l->events[l->n++] = (struct event){ kind, copy, n };
    return 0;
}

static void look_free(struct look *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->events[i].json);
    free(l->events);
    sp_buf_free(&l->reasons);
    sp_buf_free(&l->differs);
}

static void begin(struct sp_vctx *c, const struct before *b, struct look *l)
{
    *l = (struct look){ .tee = { keep }, .reasons = SP_BUF_INIT, .differs = SP_BUF_INIT };
    c->differences = b->differences;
    c->not_compared = b->not_compared;
    c->lossy = b->lossy;
    c->rows = b->rows;
    c->bytes = b->bytes;
    c->capped = b->capped;
    c->reasons_left = b->reasons_left;
    c->reasons = b->reasons != NULL ? &l->reasons : NULL;
    c->differs = &l->differs;
    c->em = &l->tee;
}

static void end(struct sp_vctx *c, const struct before *b)
{
    c->reasons = b->reasons;
    c->differs = NULL;
    c->em = b->em;
}

/* ---- what was found ------------------------------------------------------------------------------------------------ */

static int take(const struct look *l, struct found *out)
{
    size_t lines = 1;
    for (size_t i = 0; i < l->differs.n; i++)
        lines += l->differs.p[i] == '\n';
    if (l->differs.oom)
        return -SP_E_NOMEM;
    out->n = 0;
    out->v = calloc(l->n + lines, sizeof *out->v);
    if (out->v == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < l->n; i++)
        if (l->events[i].kind == SP_EV_DIFFERENCE)
            out->v[out->n++] = sp_d128_of(l->events[i].json, l->events[i].n);
    const char *at = out->n == 0 ? l->differs.p : NULL;
    while (at != NULL && *at != '\0') {
        size_t n = strcspn(at, "\n");
        out->v[out->n++] = sp_d128_of(at, n);
        at += n + (at[n] == '\n');
    }
    sp_v_sort_digests(out->v, out->n);
    return 0;
}

static bool holds(const struct found *f, struct sp_d128 d)
{
    size_t lo = 0, hi = f->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (sp_v_d128_cmp(f->v[mid], d) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < f->n && sp_d128_eq(f->v[lo], d);
}

/* What stood before and stands now; where nothing does, what stands now begins to stand. True: it begins. */
static bool still(struct found *standing, struct found *now)
{
    size_t n = 0;
    for (size_t i = 0; i < standing->n; i++)
        if (holds(now, standing->v[i]))
            standing->v[n++] = standing->v[i];
    standing->n = n;
    if (n != 0)
        return false;
    free(standing->v);
    *standing = *now;
    now->v = NULL;
    now->n = 0;
    return true;
}

/* ---- what is said ---------------------------------------------------------------------------------------------------- */

/* Listed rows that do not stand are left out. */
static void pass_on(struct sp_vctx *c, const struct look *l, const struct found *standing)
{
    struct sp_error err = SP_ERROR_INIT;
    for (size_t i = 0; i < l->n && c->rc == 0 && c->em != NULL; i++) {
        const struct event *e = &l->events[i];
        if (standing != NULL && e->kind == SP_EV_DIFFERENCE && !holds(standing, sp_d128_of(e->json, e->n)))
            continue;
        if (c->em->send(c->em, e->kind, e->json, e->n, &err) != 0)
            sp_v_abort(c, &err);
    }
    if (c->reasons != NULL && l->reasons.p != NULL)
        sp_buf_puts(c->reasons, l->reasons.p);
    c->capped = c->capped || l->full;
    sp_error_clear(&err);
}

static void say_moving(struct sp_vctx *c, const struct before *b, const char *what)
{
    struct look none;
    char window[32];
    begin(c, b, &none);
    end(c, b);
    sp_format_duration(window, (double)c->opt->recheck_ms / 1000);
    sp_v_not_compared(c, what, "in flight",
        c->gentle.why[0] != '\0' ? "it found differences at first, and looking again has ended: %s%s"
                                 : "what it found kept changing until the end of --recheck %s%s",
        c->gentle.why[0] != '\0' ? c->gentle.why : window, "");
}

static void say_arrived(struct sp_vctx *c, const char *what, unsigned looks)
{
    if (looks > 1)
        sp_v_finding(c, what, NULL, "in flight", looks,
            "it found differences at first, and none at look %u: they were in flight", looks);
}

/* ---- again ------------------------------------------------------------------------------------------------------------- */

/* The source as it was at first, the target as it is now: a counter that is behind then has not followed. */
static int target_again(struct sp_vctx *c, struct sp_schema **old, struct sp_error *err)
{
    struct sp_schema *now = NULL;
    int rc = sp_db_introspect(c->session[1], c->opt->target_ns, &now, err);
    if (rc != 0)
        return rc;
    if (*old == NULL)
        *old = c->schema[1];
    else
        sp_schema_free(c->schema[1]);
    c->schema[1] = now;
    return 0;
}

struct again {
    const char *what;
    void (*check)(struct sp_vctx *, struct sp_vpair *);
    struct sp_vpair *pair;
    struct before before;
    struct found standing;
    int64_t since_ns, need_ns, end_ns, pause_ns;
    unsigned looks;
    struct sp_schema *schema; /* the target's, put aside */
};

/* 1 = another look is needed. */
static int one_look(struct sp_vctx *c, struct again *a)
{
    struct look l;
    struct found now = { NULL, 0 };
    begin(c, &a->before, &l);
    a->check(c, a->pair);
    end(c, &a->before);
    a->looks++;
    int again = 0;
    if (c->rc != 0 || c->differences == a->before.differences) {
        pass_on(c, &l, NULL);
        say_arrived(c, a->what, a->looks);
    } else if (take(&l, &now) != 0) {
        sp_v_nomem(c);
    } else {
        if (still(&a->standing, &now) || a->looks == 1)
            a->since_ns = c->gentle.opened_ns;
        if (c->gentle.opened_ns - a->since_ns >= a->need_ns)
            pass_on(c, &l, &a->standing);
        else if (c->gentle.opened_ns >= a->end_ns || c->gentle.why[0] != '\0')
            say_moving(c, &a->before, a->what);
        else
            again = 1;
    }
    free(now.v);
    look_free(&l);
    return again;
}

static void look_again(struct sp_vctx *c, struct again *a)
{
    struct sp_error err = SP_ERROR_INIT;
    while (c->rc == 0 && one_look(c, a) != 0) {
        sp_v_wait(c, a->pause_ns);
        a->pause_ns = a->pause_ns < c->opt->recheck_ms * 62500 ? a->pause_ns * 2 : a->pause_ns;
        int rc = c->rc != 0 ? c->rc : sp_v_refresh(c, &err);
        if (rc == 0 && strcmp(a->what, SP_V_SEQUENCES) == 0)
            rc = target_again(c, &a->schema, &err);
        if (rc != 0 && c->rc == 0) {
            struct look none;
            begin(c, &a->before, &none);
            end(c, &a->before);
            sp_v_not_compared(c, a->what, "in flight",
                "it found differences at first and could not be made again: %s", sp_error_text(&err));
            break;
        }
    }
    sp_error_clear(&err);
}

void sp_v_again(struct sp_vctx *c, const char *what, void (*check)(struct sp_vctx *, struct sp_vpair *),
    struct sp_vpair *p)
{
    if (c->rc != 0)
        return;
    if (c->recheck == NULL) {
        check(c, p);
        return;
    }
    struct again a = { .what = what,
        .check = check,
        .pair = p,
        .before = { c->differences, c->not_compared, c->lossy, c->rows, c->bytes, c->reasons_left, c->capped,
            c->reasons, c->em },
        .need_ns = sp_v_recheck_need(c),
        .pause_ns = FIRST_NS };
    const int64_t twice = c->opt->recheck_ms * 2000000;
    a.end_ns = sp_v_now_ns() + (a.need_ns < twice ? a.need_ns : twice);
    c->since_ms = sp_v_wall_ms();
    look_again(c, &a);
    c->since_ms = 0;
    if (a.schema != NULL) {
        sp_schema_free(c->schema[1]);
        c->schema[1] = a.schema;
    }
    free(a.standing.v);
}
