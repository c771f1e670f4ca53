/* recheck.c -- sides that are written to while they are compared: which rows differ, and which were only on their way?
 *
 * No two moments of two servers are the same moment, so a row that differs at one look proves nothing. Such rows are
 * looked at again, each time in new snapshots, for the time that --recheck gives. A row has arrived when both sides hold
 * the same under its key, or when the target holds what the source held at some look: a replica shows earlier states.
 * A row differs when it has not arrived and both sides have stood still for all of that time, and for twice as long as the
 * target is known to be behind: rows that arrive show how far that is. Where the target is far behind, looking goes on for up to
 * twice the time. All else is not compared.
 *
 * Rows are read again by their keys; where a key cannot be asked for, or there is none, by passes over the table. So are
 * rows that memory does not take (recheck_many.c). Only rows that differed at the first look take part: the others were equal
 * in those snapshots, which is what was asked. */
#include <stdlib.h>

#include "verify/recheck.h"

#define MOST_ROWS  ((size_t)30000)    /* of all tables together; more are kept in files */
#define MOST_KEYS  ((size_t)8 << 20)  /* bytes of keys */
#define MEMORY     ((size_t)16 << 20) /* what all of that takes of the comparison's memory */
#define FIRST_NS   INT64_C(100000000) /* the first pause; it doubles */
#define QUICK_NS   INT64_C(10000000)  /* the pause while only rows are waited for that keep moving */
#define QUICK_ROWS 64                 /* no more than these are looked at so often */
#define MOST_SEEN  ((size_t)4096)     /* versions of one row that are remembered; of many rows, fewer */
#define NAMED      3                  /* rows that keep moving, by their keys */

struct row { /* all rows of one key */
    struct sp_d128 key;
    struct sp_vtrack track;
    struct sp_digest next[2];
    bool differs;
    struct sp_vversion *seen; /* what the source held */
    size_t nseen, cap, at;
    struct sp_vkey bytes[2]; /* the canonical key, as each side's first look found it */
};

struct table {
    struct sp_vpair *pair;
    struct row *rows; /* sorted by key digest */
    size_t n, cap, open;
    struct sp_vmany *many; /* rows that memory does not take; NULL = none */
    bool by_pass;          /* read by passes over the whole table */
    struct sp_arena keys[2];
    struct sp_error failed; /* it could not be read again */
};

struct sp_vrecheck {
    struct table *tables;
    size_t ntables, rows, most, key_bytes[2];
    struct table *taking; /* whose keys are being told; NULL = they are asked for */
    struct table *asking;
    bool oom;
    struct sp_vmoment at;
    int64_t window_ns, started_ns;
    unsigned looks;
};

int sp_v_recheck_init(struct sp_vctx *c)
{
    if (c->opt->recheck_ms == 0)
        return 0;
    c->recheck = calloc(1, sizeof *c->recheck);
    if (c->recheck == NULL)
        return sp_v_nomem(c);
    c->recheck->most = c->memory / 1024 < MOST_ROWS ? c->memory / 1024 : MOST_ROWS;
    c->memory -= c->memory > 2 * MEMORY ? MEMORY : 0;
    return 0;
}

/* What only looking needs. */
static void forget_versions(struct table *t)
{
    for (size_t k = 0; k < t->n; k++) {
        free(t->rows[k].seen);
        t->rows[k].seen = NULL;
        t->rows[k].bytes[0] = t->rows[k].bytes[1] = (struct sp_vkey){ NULL, 0 };
    }
    sp_arena_free(&t->keys[0]);
    sp_arena_free(&t->keys[1]);
}

void sp_v_recheck_free(struct sp_vctx *c)
{
    struct sp_vrecheck *r = c->recheck;
    for (size_t i = 0; r != NULL && i < r->ntables; i++) {
        struct table *t = &r->tables[i];
        forget_versions(t);
        free(t->rows);
        sp_v_many_free(t->many);
        sp_error_clear(&t->failed);
    }
    for (size_t i = 0; r != NULL && i < c->npairs; i++)
        sp_v_rows_unpark(c, &c->pairs[i], false);
    if (r != NULL)
        free(r->tables);
    free(r);
    c->recheck = NULL;
}

/* ---- which rows ------------------------------------------------------------------------------------------------ */

bool sp_v_recheck_park(struct sp_vctx *c, struct sp_vpair *p)
{
    struct sp_vrecheck *r = c->recheck;
    if (r == NULL || r->asking != NULL)
        return false;
    if (r->tables == NULL)
        r->tables = calloc(c->npairs, sizeof *r->tables);
    if (r->tables == NULL) {
        sp_v_nomem(c);
        return true;
    }
    r->taking = &r->tables[r->ntables++];
    r->taking->pair = p;
    r->taking->failed = (struct sp_error)SP_ERROR_INIT;
    return true;
}

static struct row *find(const struct table *t, struct sp_d128 key)
{
    size_t lo = 0, hi = t->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (sp_v_d128_cmp(t->rows[mid].key, key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < t->n && sp_d128_eq(t->rows[lo].key, key) ? &t->rows[lo] : NULL;
}

/* Keys come in their order, so that those in memory are the first ones. */
static void take_more(struct sp_vrecheck *r, struct table *t, struct sp_d128 key)
{
    if (t->many == NULL && (t->many = sp_v_many_new()) == NULL)
        r->oom = true;
    else if (t->failed.code == SP_E_OK)
        (void)sp_v_many_add(t->many, key, &t->failed);
}

static bool differs(const struct sp_vrecheck *r, struct table *t, struct sp_d128 key)
{
    const struct row *row = find(t, key);
    struct sp_vtrack track;
    if (row != NULL)
        return row->differs;
    return t->many != NULL && sp_v_many_find(t->many, key, &track) && sp_v_track_stands(&track, &r->at);
}

bool sp_v_recheck_key(void *recheck, struct sp_d128 key)
{
    struct sp_vrecheck *r = recheck;
    struct table *t = r->taking;
    if (t == NULL)
        return r->asking != NULL && differs(r, r->asking, key);
    if (r->rows >= r->most || r->oom || t->many != NULL) {
        take_more(r, t, key);
        return false;
    }
    if (t->n == t->cap) {
        size_t cap = t->cap == 0 ? 64 : t->cap * 2;
        struct row *rows = realloc(t->rows, cap * sizeof *rows);
        if (rows == NULL) {
            r->oom = true;
            return false;
        }
        t->rows = rows;
        t->cap = cap;
    }
    t->rows[t->n++] = (struct row){ .key = key };
    r->rows++;
    return false;
}

/* ---- one look ---------------------------------------------------------------------------------------------------- */

struct looker { /* of one side */
    struct table *t;
    enum sp_side side;
    struct row **asked; /* by the index of the key */
    size_t *bytes;      /* of keys that are kept, of all tables */
    bool keep_keys, oom;
};

static void take_key(struct looker *l, struct sp_vkey *key, const struct sp_rowview *v)
{
    if (key->p != NULL || *l->bytes + v->nkey > MOST_KEYS / 2)
        return;
    key->p = sp_arena_dup(&l->t->keys[l->side], v->row, v->nkey);
    key->n = v->nkey;
    l->oom = l->oom || key->p == NULL;
    *l->bytes += v->nkey;
}

static int on_pass_row(void *payload, const struct sp_rowview *v)
{
    struct looker *l = payload;
    struct row *row = find(l->t, v->key);
    if (row == NULL)
        return 0;
    sp_digest_add(&row->next[l->side], v->digest);
    if (l->keep_keys)
        take_key(l, &row->bytes[l->side], v);
    return 0;
}

static int on_asked_row(void *payload, size_t key, const struct sp_rowview *v)
{
    struct looker *l = payload;
    sp_digest_add(&l->asked[key]->next[l->side], v->digest);
    return 0;
}

static void forget_next(struct table *t)
{
    for (size_t i = 0; i < t->n; i++)
        t->rows[i].next[0] = t->rows[i].next[1] = (struct sp_digest){ .count = 0 };
}

static int by_pass(struct sp_vctx *c, struct table *t, bool keep_keys)
{
    size_t *bytes = c->recheck->key_bytes;
    struct looker l[2] = { { .t = t, .side = SP_SIDE_SOURCE, .bytes = &bytes[0], .keep_keys = keep_keys },
        { .t = t, .side = SP_SIDE_TARGET, .bytes = &bytes[1], .keep_keys = keep_keys } };
    struct sp_vscan v[2];
    forget_next(t);
    for (int i = 0; i < 2; i++) {
        sp_v_scan_pair(c, &v[i], (enum sp_side)i, t->pair);
        v[i].row = on_pass_row;
        v[i].payload = &l[i];
    }
    int rc = sp_v_scan(c, v, t->pair->name, t->pair->rows[0] + t->pair->rows[1]);
    for (int i = 0; i < 2 && rc == 0; i++)
        if (v[i].rc != 0)
            rc = sp_fail(&t->failed, v[i].err.code == SP_E_OK ? SP_E_INTERNAL : v[i].err.code,
                v[i].err.origin, "%s: %s", sp_v_side_name((enum sp_side)i), sp_error_text(&v[i].err));
    sp_v_scan_free(v);
    return rc == 0 && (l[0].oom || l[1].oom) ? sp_nomem(&t->failed) : rc;
}

static bool waits(const struct row *row, bool only_moving)
{
    return !row->track.arrived && (!only_moving || row->track.moved);
}

/* The keys of the rows that are waited for; one of which no look kept the key makes the whole table be read. */
static size_t put_keys(const struct table *t, bool only_moving, struct sp_vkey *keys, struct row **asked)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct row *row = &t->rows[i];
        if (!waits(row, only_moving))
            continue;
        keys[n] = row->bytes[0].p != NULL ? row->bytes[0] : row->bytes[1];
        if (keys[n].p == NULL)
            return SIZE_MAX;
        asked[n++] = row;
    }
    return n;
}

static void pace(struct sp_vctx *c, enum sp_side side, size_t rows)
{
    const int never = 0;
    if (c->gentle.paced)
        sp_v_gentle_pace(&c->gentle.pacer[side], rows, &never);
}

/* 0, an error, or -SP_E_UNSUPPORTED: read the table instead. */
static int by_key(struct sp_vctx *c, struct table *t, bool only_moving)
{
    struct sp_vkey *keys = calloc(t->n + 1, sizeof *keys);
    struct row **asked = calloc(t->n + 1, sizeof *asked);
    int rc = keys == NULL || asked == NULL ? sp_nomem(&t->failed) : 0;
    size_t n = rc == 0 ? put_keys(t, only_moving, keys, asked) : 0;
    if (n == SIZE_MAX)
        rc = -SP_E_UNSUPPORTED;
    if (rc == 0)
        forget_next(t);
    for (int i = 1; i >= 0 && rc == 0 && n != 0; i--) {
        struct looker l = { .t = t, .side = (enum sp_side)i, .asked = asked };
        pace(c, l.side, n);
        rc = sp_v_fetch(c, t->pair, l.side, keys, n, SP_VF_LATER, 0, on_asked_row, &l, &t->failed);
    }
    free(keys);
    free(asked);
    return rc;
}

static bool can_ask(const struct table *t)
{
    return t->pair->nkey != 0 && sp_v_fetch_why_not(t->pair, SP_SIDE_SOURCE, SP_VF_LATER) == NULL &&
           sp_v_fetch_why_not(t->pair, SP_SIDE_TARGET, SP_VF_LATER) == NULL;
}

/* ---- what it tells -------------------------------------------------------------------------------------------------- */

static int tell(struct row *row, bool first, struct sp_vmoment *at, size_t most)
{
    if (row->nseen == row->cap && row->cap < most) {
        size_t cap = row->cap == 0 ? 2 : row->cap * 2;
        struct sp_vversion *p = realloc(row->seen, cap * sizeof *p);
        if (p == NULL)
            return -SP_E_NOMEM;
        row->seen = p;
        row->cap = cap;
    }
    sp_v_track_tell(&row->track, row->seen, &row->nseen, row->cap, &row->at, row->next, first, at);
    return 0;
}

static int look_at_many(struct sp_vctx *c, struct table *t, bool first)
{
    return sp_v_many_open(t->many) == 0
               ? 0
               : sp_v_many_look(c, t->many, t->pair, first, &c->recheck->at, &t->failed);
}

static int look(struct sp_vctx *c, struct table *t, bool first, bool only_moving)
{
    struct sp_vrecheck *r = c->recheck;
    size_t most = t->open == 0 ? 2 : MOST_SEEN * QUICK_ROWS / t->open;
    int rc = t->n != 0 && (first || t->open != 0) ? -SP_E_UNSUPPORTED : 0;
    if (rc != 0 && !first && !t->by_pass)
        rc = by_key(c, t, only_moving);
    if (rc == -SP_E_UNSUPPORTED) {
        t->by_pass = t->by_pass || !first;
        sp_error_clear(&t->failed);
        rc = by_pass(c, t, first && !t->by_pass);
    }
    t->open = 0;
    for (size_t i = 0; i < t->n && rc == 0; i++) {
        struct row *row = &t->rows[i];
        if (waits(row, only_moving))
            rc = tell(row, first, &r->at, most < 8 ? 8 : most < MOST_SEEN ? most : MOST_SEEN);
        t->open += row->track.arrived ? 0 : 1;
    }
    if (rc == 0 && !only_moving)
        rc = look_at_many(c, t, first);
    if (rc != 0 && t->failed.code == SP_E_OK && c->rc == 0)
        sp_nomem(&t->failed);
    return rc;
}

/* ---- all tables, again and again --------------------------------------------------------------------------------------- */

static bool alive(const struct table *t)
{
    return t->failed.code == SP_E_OK && (t->open != 0 || sp_v_many_open(t->many) != 0);
}

static int row_cmp(const void *a, const void *b)
{
    return sp_v_d128_cmp(((const struct row *)a)->key, ((const struct row *)b)->key);
}

static void look_at_all(struct sp_vctx *c, bool first)
{
    struct sp_vrecheck *r = c->recheck;
    r->at.now = c->gentle.opened_ns;
    r->looks++;
    for (size_t i = 0; i < r->ntables && c->rc == 0; i++)
        if (alive(&r->tables[i]) || (first && r->tables[i].failed.code == SP_E_OK))
            (void)look(c, &r->tables[i], first, false);
}

/* New snapshots; without them no table can be looked at again. */
static bool anew(struct sp_vctx *c)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_vrecheck *r = c->recheck;
    int rc = c->rc != 0 ? c->rc : sp_v_refresh(c, &err);
    for (size_t i = 0; rc != 0 && c->rc == 0 && i < r->ntables; i++)
        if (alive(&r->tables[i]))
            sp_fail(&r->tables[i].failed, err.code, err.origin, "%s", sp_error_text(&err));
    sp_error_clear(&err);
    r->at.now = c->gentle.opened_ns;
    return rc == 0;
}

/* Rows that keep moving; SIZE_MAX where one of their tables is read by passes. */
static size_t moving(const struct sp_vrecheck *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->ntables; i++)
        for (size_t k = 0; alive(&r->tables[i]) && k < r->tables[i].n; k++)
            if (waits(&r->tables[i].rows[k], true)) {
                if (r->tables[i].by_pass)
                    return SIZE_MAX;
                n++;
            }
    return n;
}

/* What the source holds for a moment only is seen by looking often: the target will show it. */
static void pause_looking(struct sp_vctx *c, int64_t ns)
{
    struct sp_vrecheck *r = c->recheck;
    int64_t until = sp_v_now_ns() + ns, left;
    while ((left = until - sp_v_now_ns()) > 0 && c->rc == 0 && c->gentle.why[0] == '\0') {
        size_t n = moving(r);
        bool quick = n != 0 && n <= QUICK_ROWS;
        sp_v_wait(c, quick && left > QUICK_NS ? QUICK_NS : left);
        if (!quick || c->rc != 0 || !anew(c))
            continue;
        for (size_t i = 0; i < r->ntables && c->rc == 0; i++)
            if (alive(&r->tables[i]))
                (void)look(c, &r->tables[i], false, true);
    }
}

/* Rows of which neither can be said. */
static uint64_t undecided(struct sp_vrecheck *r)
{
    uint64_t n = 0;
    r->at.need = sp_v_longer(r->window_ns, 2 * r->at.lag);
    for (size_t i = 0; i < r->ntables; i++) {
        struct table *t = &r->tables[i];
        struct sp_vmany_counts many = { 0, 0, 0, 0 };
        for (size_t k = 0; alive(t) && k < t->n; k++)
            n += !t->rows[k].track.arrived && !sp_v_track_stands(&t->rows[k].track, &r->at);
        if (alive(t) && t->many != NULL)
            (void)sp_v_many_count(t->many, &r->at, &many, &t->failed);
        n += many.moving + many.waiting;
    }
    return n;
}

/* When looking ends, if it does not before. */
static int64_t end_of(const struct sp_vrecheck *r)
{
    int64_t twice = 2 * r->window_ns;
    return r->started_ns + (r->at.need < twice ? r->at.need : twice);
}

static void watch(struct sp_vctx *c)
{
    struct sp_vrecheck *r = c->recheck;
    int64_t pause = FIRST_NS, longest = sp_v_longer(r->window_ns / 8, FIRST_NS);
    look_at_all(c, true);
    while (c->rc == 0 && c->gentle.why[0] == '\0' && undecided(r) != 0) {
        int64_t now = sp_v_now_ns(), end = end_of(r);
        if (r->at.now >= end && r->looks > 1)
            break; /* the last look was behind the end: it has seen what stands */
        pause_looking(c, pause < end - now ? pause : sp_v_longer(end - now, 0));
        now = sp_v_now_ns();
        if (!anew(c))
            break;
        look_at_all(c, false);
        pause = sp_v_longer(pause * 2, 3 * (sp_v_now_ns() - now));
        pause = pause < longest ? pause : longest;
    }
}

/* ---- what is said ---------------------------------------------------------------------------------------------------------- */

static void put_some(const struct table *t, struct sp_buf *out)
{
    size_t n = 0;
    for (size_t i = 0; t->pair->nkey != 0 && i < t->n && n < NAMED; i++) {
        const struct row *row = &t->rows[i];
        const struct sp_vkey *k = row->bytes[0].p != NULL ? &row->bytes[0] : &row->bytes[1];
        if (row->track.arrived || row->differs || !row->track.changed || k->p == NULL)
            continue;
        sp_buf_puts(out, n++ == 0 ? " (" : "; ");
        (void)sp_v_print_key(out, t->pair->cols, t->pair->nkey, k->p, k->n);
    }
    sp_buf_puts(out, n == 0 ? "" : n == NAMED ? " ...)" : ")");
}

struct unsettled {
    uint64_t moved, stood;
    struct sp_buf some; /* of those that moved */
};
static void say_unsettled(struct sp_vctx *c, const struct table *t, const struct unsettled *u)
{
    unsigned long long all = u->moved + u->stood;
    char window[32], lag[32];
    sp_format_duration(window, (double)c->opt->recheck_ms / 1000);
    sp_format_duration(lag, (double)c->recheck->at.lag / 1e9);
    if (t->failed.code != SP_E_OK)
        sp_v_not_compared(c, t->pair->name, "rows in flight",
            "%llu rows differed at first and could not be looked at again: %s", all,
            sp_error_text(&t->failed));
    else if (c->gentle.why[0] != '\0')
        sp_v_not_compared(c, t->pair->name, "rows in flight",
            "%llu rows differed at first, and looking again has ended: %s", all, c->gentle.why);
    else if (u->moved != 0)
        sp_v_not_compared(c, t->pair->name, "rows in flight",
            "%llu rows%s kept moving until the end of --recheck %s: they are neither equal nor different; "
            "compare when less is written, or give more time",
            (unsigned long long)u->moved, u->some.oom || u->some.p == NULL ? "" : u->some.p, window);
    if (t->failed.code == SP_E_OK && c->gentle.why[0] == '\0' && u->stood != 0)
        sp_v_not_compared(c, t->pair->name, "rows in flight",
            "%llu rows differed and did not change, but the target is behind by %s at least: whether they "
            "will "
            "arrive cannot be told within --recheck %s; give more than twice as long as it is behind",
            (unsigned long long)u->stood, lag, window);
}

/* How many differ; what has arrived and what cannot be told are counted in the pair and in `u`. */
static uint64_t judge(struct sp_vctx *c, struct table *t, struct unsettled *u)
{
    struct sp_vrecheck *r = c->recheck;
    struct sp_vmany_counts many = { 0, 0, 0, 0 };
    if (t->many != NULL && sp_v_many_count(t->many, &r->at, &many, &t->failed) != 0)
        many.waiting = sp_v_many_open(t->many);
    bool ended = t->failed.code != SP_E_OK || c->gentle.why[0] != '\0';
    uint64_t differ = ended ? 0 : many.differ;
    u->moved = many.moving;
    u->stood = many.waiting + (ended ? many.differ : 0);
    t->pair->in_flight += many.arrived;
    for (size_t i = 0; i < t->n; i++) {
        struct row *row = &t->rows[i];
        row->differs = !row->track.arrived && !ended && sp_v_track_stands(&row->track, &r->at);
        t->pair->in_flight += row->track.arrived;
        differ += row->differs;
        if (!row->track.arrived && !row->differs)
            *(row->track.changed ? &u->moved : &u->stood) += 1;
    }
    return differ;
}

static void conclude(struct sp_vctx *c, struct table *t)
{
    struct sp_vrecheck *r = c->recheck;
    struct sp_vpair *p = t->pair;
    struct unsettled u = { .some = SP_BUF_INIT };
    uint64_t differ = judge(c, t, &u);
    p->unsettled = u.moved + u.stood;
    c->in_flight += p->in_flight;
    c->unsettled += p->unsettled;
    put_some(t, &u.some);
    forget_versions(t); /* the comparison needs the memory */
    sp_v_rows_unpark(c, p, differ == 0);
    if (differ != 0) {
        r->asking = t;
        sp_v_rows(c, p);
        r->asking = NULL;
    }
    if (p->unsettled != 0 && c->rc == 0)
        say_unsettled(c, t, &u);
    sp_buf_free(&u.some);
}

void sp_v_recheck(struct sp_vctx *c)
{
    struct sp_vrecheck *r = c->recheck;
    if (r == NULL || c->rc != 0)
        return;
    r->taking = NULL;
    if (r->oom) {
        sp_v_nomem(c);
        return;
    }
    /* What could not be parked in the end has said so. */
    size_t n = 0;
    for (size_t i = 0; i < r->ntables; i++) {
        if (r->tables[i].pair->parked) {
            struct table t = r->tables[i];
            r->tables[i] = r->tables[n];
            r->tables[n] = t;
            r->tables[n].by_pass = !can_ask(&t);
            if (t.n != 0)
                qsort(t.rows, t.n, sizeof *t.rows, row_cmp);
            n++;
        }
    }
    size_t all = r->ntables;
    r->ntables = n;
    r->window_ns = r->at.need = c->opt->recheck_ms * 1000000;
    r->started_ns = sp_v_now_ns();
    if (n != 0)
        watch(c);
    for (size_t i = 0; i < n && c->rc == 0; i++)
        conclude(c, &r->tables[i]);
    r->ntables = all;
}

int64_t sp_v_recheck_since(const struct sp_vctx *c, struct sp_d128 key)
{
    const struct sp_vrecheck *r = c->recheck;
    const struct row *row = r != NULL && r->asking != NULL ? find(r->asking, key) : NULL;
    struct sp_vtrack track;
    if (row != NULL)
        track = row->track;
    else if (r == NULL || r->asking == NULL || r->asking->many == NULL ||
             !sp_v_many_find(r->asking->many, key, &track))
        return 0;
    int64_t since = sp_v_longer(track.still_ns[0], track.still_ns[1]);
    return sp_v_wall_ms() - (sp_v_now_ns() - since) / 1000000;
}

int64_t sp_v_recheck_need(const struct sp_vctx *c)
{
    const struct sp_vrecheck *r = c->recheck;
    return sp_v_longer(c->opt->recheck_ms * 1000000, r != NULL ? 2 * r->at.lag : 0);
}
