/* gentle.c -- when to wait and when to stop, for the sake of the servers that are read. */
#include "verify/gentle.h"

#include <stdio.h>
#include <time.h>

#include "run/run.h"
#include "verify/internal.h"

#define LOOK_NS    INT64_C(1000000000)    /* between two questions to the servers */
#define BLOCKED_NS INT64_C(3000000000)    /* so long somebody may wait for us */
#define OLD_NS     INT64_C(1800000000000) /* snapshots that were held for so long are worth a word */
#define SLICE_NS   INT64_C(50000000)

int64_t sp_v_now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

double sp_v_now_s(void)
{
    return (double)sp_v_now_ns() / 1e9;
}

int64_t sp_v_wall_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void sp_v_wait(struct sp_vctx *c, int64_t ns)
{
    int64_t until = sp_v_now_ns() + ns, left;
    while ((left = until - sp_v_now_ns()) > 0 && c->rc == 0 && !sp_v_gentle_look(c)) {
        struct timespec t = { 0, (long)(left < SLICE_NS ? left : SLICE_NS) };
        (void)nanosleep(&t, NULL);
        if (sp_interrupted() != 0)
            c->rc = sp_fail(c->err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
    }
}

int sp_v_gentle_init(struct sp_vctx *c)
{
    struct sp_vgentle *g = &c->gentle;
    if (c->opt->rate == 0)
        return 0;
    if (sp_pacer_init(&g->pacer[0], (double)c->opt->rate) != 0)
        return sp_v_nomem(c);
    if (sp_pacer_init(&g->pacer[1], (double)c->opt->rate) != 0) {
        sp_pacer_free(&g->pacer[0]);
        return sp_v_nomem(c);
    }
    g->paced = true;
    return 0;
}

void sp_v_gentle_free(struct sp_vctx *c)
{
    for (int i = 0; c->gentle.paced && i < 2; i++)
        sp_pacer_free(&c->gentle.pacer[i]);
    c->gentle.paced = false;
}

void sp_v_gentle_opened(struct sp_vctx *c, bool open)
{
    int64_t now = sp_v_now_ns();
    if (!open && c->gentle.opened_ns != 0 && now - c->gentle.opened_ns > OLD_NS && c->rc == 0) {
        char age[32];
        sp_format_duration(age, (double)(now - c->gentle.opened_ns) / 1e9);
        sp_v_finding(c, "everything", NULL, "old snapshots", 0,
            "the snapshots were held for %s: servers that are written to keep old rows for them; "
            "--max-snapshot bounds it",
            age);
    }
    c->gentle.opened_ns = open ? now : 0;
    c->gentle.blocked_since[0] = c->gentle.blocked_since[1] = 0;
}

void sp_v_gentle_pace(struct sp_pacer *p, uint64_t rows, const int *stop)
{
    int64_t wait = sp_pacer_take(p, rows, sp_v_now_ns());
    while (wait > 0 && __atomic_load_n(stop, __ATOMIC_RELAXED) == 0) {
        int64_t slice = wait < SLICE_NS ? wait : SLICE_NS;
        struct timespec t = { 0, (long)slice };
        (void)nanosleep(&t, NULL);
        wait -= slice;
    }
}

static const char *name_of(const struct sp_vctx *c, int side)
{
    return sp_session_endpoint(c->session[side])->name;
}

/* A time for people: 1500 ms, 12 s. */
static void put_time(char out[32], int64_t ms)
{
    if (ms < 10000 && ms % 1000 != 0)
        (void)snprintf(out, 32, "%lld ms", (long long)ms);
    else
        (void)snprintf(out, 32, "%lld s", (long long)(ms / 1000));
}

static void judge_lag(struct sp_vctx *c, int side, int64_t lag)
{
    char is[32], most[32];
    struct sp_vgentle *g = &c->gentle;
    if (c->opt->max_lag_ms == 0 || lag == SP_LAG_NONE || (lag >= 0 && lag <= c->opt->max_lag_ms))
        return;
    put_time(is, lag);
    put_time(most, c->opt->max_lag_ms);
    if (lag < 0)
        (void)snprintf(g->why, sizeof g->why,
            "%s %s follows a server, and cannot say how far behind it is; compare without --max-lag",
            sp_v_side_name((enum sp_side)side), name_of(c, side));
    else
        (void)snprintf(g->why, sizeof g->why,
            "%s %s is %s behind the server that it follows, more than --max-lag %s; compare later, or a copy",
            sp_v_side_name((enum sp_side)side), name_of(c, side), is, most);
}

/* Whoever changes a table waits for those who read it, and everybody else waits behind him. */
static void judge_blocked(struct sp_vctx *c, int side, uint64_t blocked, int64_t now)
{
    struct sp_vgentle *g = &c->gentle;
    if (blocked == 0) {
        g->blocked_since[side] = 0;
        return;
    }
    if (g->blocked_since[side] == 0)
        g->blocked_since[side] = now;
    if (now - g->blocked_since[side] >= BLOCKED_NS)
        (void)snprintf(g->why, sizeof g->why,
            "%s %s: %llu sessions wait for a lock that this comparison holds (somebody changes a table?); "
            "compare when they are done",
            sp_v_side_name((enum sp_side)side), name_of(c, side), (unsigned long long)blocked);
}

static void ask(struct sp_vctx *c, int side, int64_t now)
{
    struct sp_session *readers[SP_V_MAX_READERS + 1] = { c->opt->raw[side] };
    const struct sp_provider *kind = sp_session_provider(c->opt->watch[side]);
    struct sp_error err = SP_ERROR_INIT;
    struct sp_burden b;
    size_t n = 1;
    for (size_t i = 0; i < c->nreaders[side] && n < SP_LEN(readers); i++)
        if (sp_session_provider(c->readers[side][i]) == kind)
            readers[n++] = c->readers[side][i];
    int rc = sp_db_burden(c->opt->watch[side], readers, n, &b, &err);
    if (rc == 0) {
        judge_lag(c, side, b.lag_ms);
        judge_blocked(c, side, b.blocked, now);
    } else if (c->opt->max_lag_ms != 0 && rc != -SP_E_UNSUPPORTED) {
        (void)snprintf(c->gentle.why, sizeof c->gentle.why, "%s %s does not say how far behind it is: %s",
            sp_v_side_name((enum sp_side)side), name_of(c, side), sp_error_text(&err));
    } else if (rc != -SP_E_UNSUPPORTED && !c->gentle.blind[side]) {
        c->gentle.blind[side] = true;
        sp_v_finding(c, sp_v_side_name((enum sp_side)side), NULL, "not watched", 0,
            "whether anybody waits for this comparison is not known: %s", sp_error_text(&err));
    }
    sp_error_clear(&err);
}

bool sp_v_gentle_look(struct sp_vctx *c)
{
    struct sp_vgentle *g = &c->gentle;
    int64_t now = sp_v_now_ns();
    if (g->why[0] == '\0' && c->opt->max_snapshot_ms != 0 && g->opened_ns != 0 &&
        (now - g->opened_ns) / 1000000 > c->opt->max_snapshot_ms) {
        char most[32];
        put_time(most, c->opt->max_snapshot_ms);
        (void)snprintf(g->why, sizeof g->why,
            "the snapshots are older than --max-snapshot %s: what the servers keep for them would hurt; "
            "compare fewer tables at once (--tables), or a copy",
            most);
    }
    if (g->why[0] == '\0' && now - g->looked_ns >= LOOK_NS) {
        g->looked_ns = now;
        for (int i = 0; i < 2 && g->why[0] == '\0'; i++) {
            if (c->opt->watch[i] != NULL)
                ask(c, i, now);
            else if (c->opt->max_lag_ms != 0 && c->opt->raw[i] != NULL)
                judge_lag(c, i, SP_LAG_UNKNOWN);
        }
    }
    return g->why[0] != '\0';
}
