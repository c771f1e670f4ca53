/* recheck.c -- sides that are written to while they are compared: which rows differ, and which were only on their way?
 *
 * No two moments of two servers are the same moment, so a row that differs at one look proves nothing. Such rows are
 * looked at again, each time in new snapshots, for the time that --recheck gives. A row has arrived when both sides hold
 * the same under its key, or when the target holds what the source held at some look: a replica shows earlier states.
 * A row differs when it has not arrived and both sides have stood still for half of the time; a replica that is
 * behind by less than that would have shown it by then. What moves until the end is not compared.
 *
 * Rows are read again by their keys; where a key cannot be asked for, or there is none, by passes over the table. Only rows
 * that differed at the first look take part: the others were equal in those snapshots, which is what was asked. */
#include <stdlib.h>

#include "verify/internal.h"

#define MOST_ROWS  ((size_t)100000)   /* of all tables together */
#define MOST_KEYS  ((size_t)24 << 20) /* bytes of keys */
#define FIRST_NS   INT64_C(100000000) /* the first pause; it doubles */
#define QUICK_NS   INT64_C(10000000)  /* the pause while only rows are waited for that keep moving */
#define QUICK_ROWS 64                 /* no more than these are looked at so often */
#define MOST_SEEN  ((size_t)4096)     /* versions of one row that are remembered; of many rows, fewer */
#define NAMED      3                  /* rows that keep moving, by their keys */

struct row { /* all rows of one key */
    struct sp_d128 key;
    struct sp_digest now[2], next[2];
    int64_t still_ns[2]; /* since when each side has stood so */
    bool moved;          /* the source changed it since the first look */
    bool arrived, differs;
    struct sp_digest *seen;  /* what the source held */
    size_t nseen, cap, at;   /* at: the next one to forget */
    struct sp_vkey bytes[2]; /* the canonical key, as each side's first look found it */
};

struct table {
    struct sp_vpair *pair;
    struct row *rows; /* sorted by key digest */
    size_t n, cap, open;
    uint64_t beyond; /* rows that differed at first and don't fit */
    bool by_pass;    /* read by passes over the whole table */
    struct sp_arena keys[2];
    struct sp_error failed; /* it could not be read again */
};

struct moment {
    int64_t now;  /* when the snapshots were opened */
    int64_t half; /* so long both sides must have stood still */
};

struct sp_vrecheck {
    struct sp_vctx *c;
    struct table *tables;
    size_t ntables, rows, key_bytes;
    struct table *taking; /* whose keys are being told; NULL = they are asked for */
    struct table *asking;
    bool oom;
    struct moment at;
    int64_t end_ns;
};

int sp_v_recheck_init(struct sp_vctx *c)
{
    if (c->opt->recheck_ms == 0)
        return 0;
    c->recheck = calloc(1, sizeof *c->recheck);
    if (c->recheck == NULL)
        return sp_v_nomem(c);
    c->recheck->c = c;
    return 0;
}

void sp_v_recheck_free(struct sp_vctx *c)
{
    struct sp_vrecheck *r = c->recheck;
    for (size_t i = 0; r != NULL && i < r->ntables; i++) {
        struct table *t = &r->tables[i];
        for (size_t k = 0; k < t->n; k++)
            free(t->rows[k].seen);
        free(t->rows);
        sp_arena_free(&t->keys[0]);
        sp_arena_free(&t->keys[1]);
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

bool sp_v_recheck_key(void *recheck, struct sp_d128 key)
{
    struct sp_vrecheck *r = recheck;
    struct table *t = r->taking;
    if (t == NULL) {
        const struct row *row = r->asking != NULL ? find(r->asking, key) : NULL;
        return row != NULL && row->differs;
    }
    if (r->rows == MOST_ROWS || r->oom) {
        t->beyond++;
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
    size_t bytes;
    bool keep_keys, oom;
};

static void take_key(struct looker *l, struct sp_vkey *key, const struct sp_rowview *v)
{
    if (key->p != NULL || l->bytes + v->nkey > MOST_KEYS / 2)
        return;
    key->p = sp_arena_dup(&l->t->keys[l->side], v->row, v->nkey);
    key->n = v->nkey;
    l->oom = l->oom || key->p == NULL;
    l->bytes += v->nkey;
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
    struct looker l[2] = { { .t = t, .side = SP_SIDE_SOURCE, .keep_keys = keep_keys },
        { .t = t, .side = SP_SIDE_TARGET, .keep_keys = keep_keys } };
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
    return !row->arrived && (!only_moving || row->moved);
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

static bool was_seen(const struct row *row, const struct sp_digest *d)
{
    for (size_t i = 0; i < row->nseen; i++)
        if (sp_digest_equal(&row->seen[i], d))
            return true;
    return false;
}

/* A version that is forgotten makes a row move for longer, never arrive. */
static int remember(struct row *row, const struct sp_digest *d, size_t most)
{
    if (was_seen(row, d))
        return 0;
    if (row->nseen == row->cap && row->cap < most) {
        size_t cap = row->cap == 0 ? 2 : row->cap * 2;
        struct sp_digest *p = realloc(row->seen, cap * sizeof *p);
        if (p == NULL)
            return -SP_E_NOMEM;
        row->seen = p;
        row->cap = cap;
    }
    if (row->nseen < row->cap) {
        row->seen[row->nseen++] = *d;
        return 0;
    }
    row->seen[row->at] = *d;
    row->at = (row->at + 1) % row->cap;
    return 0;
}

static int tell(struct row *row, bool first, int64_t now, size_t most)
{
    for (int i = 0; i < 2; i++) {
        if (!first && sp_digest_equal(&row->now[i], &row->next[i]))
            continue;
        row->moved = row->moved || (i == 0 && !first);
        row->now[i] = row->next[i];
        row->still_ns[i] = now;
    }
    int rc = remember(row, &row->now[0], most);
    row->arrived = was_seen(row, &row->now[1]);
    return rc;
}

static bool stands(const struct moment *at, const struct row *row)
{
    return at->now - row->still_ns[0] >= at->half && at->now - row->still_ns[1] >= at->half;
}

static int look(struct sp_vctx *c, struct table *t, bool first, bool only_moving)
{
    struct sp_vrecheck *r = c->recheck;
    size_t most = t->open == 0 ? 2 : MOST_SEEN * QUICK_ROWS / t->open;
    int rc = -SP_E_UNSUPPORTED;
    if (!first && !t->by_pass)
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
            rc = tell(row, first, r->at.now, most < 8 ? 8 : most < MOST_SEEN ? most : MOST_SEEN);
        t->open += row->arrived ? 0 : 1;
    }
    if (rc != 0 && t->failed.code == SP_E_OK && c->rc == 0)
        sp_nomem(&t->failed);
    return rc;
}

/* ---- all tables, again and again --------------------------------------------------------------------------------------- */

static bool alive(const struct table *t)
{
    return t->failed.code == SP_E_OK && t->open != 0;
}

static int row_cmp(const void *a, const void *b)
{
    return sp_v_d128_cmp(((const struct row *)a)->key, ((const struct row *)b)->key);
}

static void look_at_all(struct sp_vctx *c, bool first)
{
    struct sp_vrecheck *r = c->recheck;
    r->at.now = c->gentle.opened_ns;
    for (size_t i = 0; i < r->ntables && c->rc == 0; i++)
        if (first || alive(&r->tables[i]))
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
static size_t undecided(const struct sp_vrecheck *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->ntables; i++)
        for (size_t k = 0; alive(&r->tables[i]) && k < r->tables[i].n; k++)
            n += !r->tables[i].rows[k].arrived && !stands(&r->at, &r->tables[i].rows[k]);
    return n;
}

static void watch(struct sp_vctx *c)
{
    struct sp_vrecheck *r = c->recheck;
    int64_t pause = FIRST_NS, longest = r->at.half / 4 > FIRST_NS ? r->at.half / 4 : FIRST_NS;
    look_at_all(c, true);
    while (c->rc == 0 && c->gentle.why[0] == '\0' && undecided(r) != 0) {
        int64_t now = sp_v_now_ns();
        if (now >= r->end_ns)
            break;
        pause_looking(c, pause < r->end_ns - now ? pause : r->end_ns - now);
        now = sp_v_now_ns();
        if (anew(c))
            look_at_all(c, false);
        pause = pause * 2 > 3 * (sp_v_now_ns() - now) ? pause * 2 : 3 * (sp_v_now_ns() - now);
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
        if (row->arrived || row->differs || k->p == NULL)
            continue;
        sp_buf_puts(out, n++ == 0 ? " (" : "; ");
        (void)sp_v_print_key(out, t->pair->cols, t->pair->nkey, k->p, k->n);
    }
    sp_buf_puts(out, n == 0 ? "" : n == NAMED ? " ...)" : ")");
}

static void say_unsettled(struct sp_vctx *c, const struct table *t, uint64_t rows)
{
    struct sp_buf some = SP_BUF_INIT;
    char window[32];
    sp_format_duration(window, (double)c->opt->recheck_ms / 1000);
    put_some(t, &some);
    if (t->failed.code != SP_E_OK)
        sp_v_not_compared(c, t->pair->name, "rows in flight",
            "%llu rows differed at first and could not be looked at again: %s", (unsigned long long)rows,
            sp_error_text(&t->failed));
    else if (c->gentle.why[0] != '\0')
        sp_v_not_compared(c, t->pair->name, "rows in flight",
            "%llu rows differed at first, and looking again has ended: %s", (unsigned long long)rows,
            c->gentle.why);
    else if (rows != 0)
        sp_v_not_compared(c, t->pair->name, "rows in flight",
            "%llu rows%s kept moving until the end of --recheck %s: they are neither equal nor different; "
            "compare when less is written, or give more time",
            (unsigned long long)rows, some.oom || some.p == NULL ? "" : some.p, window);
    if (t->beyond != 0)
        sp_v_not_compared(c, t->pair->name, "rows in flight",
            "%llu more rows differed at first than can be looked at again (%zu in all)",
            (unsigned long long)t->beyond, MOST_ROWS);
    sp_buf_free(&some);
}

static void conclude(struct sp_vctx *c, struct table *t)
{
    struct sp_vrecheck *r = c->recheck;
    struct sp_vpair *p = t->pair;
    uint64_t differ = 0, moved = 0;
    bool ended = t->failed.code != SP_E_OK || c->gentle.why[0] != '\0';
    for (size_t i = 0; i < t->n; i++) {
        struct row *row = &t->rows[i];
        row->differs = !row->arrived && !ended && stands(&r->at, row);
        p->in_flight += row->arrived;
        differ += row->differs;
        moved += !row->arrived && !row->differs;
    }
    p->unsettled = moved + t->beyond;
    c->in_flight += p->in_flight;
    c->unsettled += p->unsettled;
    sp_v_rows_unpark(c, p, differ == 0);
    if (differ != 0) {
        r->asking = t;
        sp_v_rows(c, p);
        r->asking = NULL;
    }
    if (p->unsettled != 0 && c->rc == 0)
        say_unsettled(c, t, moved);
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
    r->at.half = c->opt->recheck_ms * 500000;
    r->end_ns = sp_v_now_ns() + 2 * r->at.half;
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
    if (row == NULL)
        return 0;
    int64_t since = row->still_ns[0] > row->still_ns[1] ? row->still_ns[0] : row->still_ns[1];
    return sp_v_wall_ms() - (sp_v_now_ns() - since) / 1000000;
}
