/* fetch_case.h -- two sides with one table, each of whose keys is asked for: what a scan shows, a fetch must give, or it must
 * say that it cannot promise that. */
#ifndef SP_TEST_FETCH_CASE_H
#define SP_TEST_FETCH_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/str.h"
#include "verify/internal.h"

/* What is promised of a side: rows of this state, or of later ones, too. */
enum promise { NOTHING, STATE, LATER };
static const char *const promises[] = { "nothing", "this state", "later states" };

struct fcase {
    const char *name;
    const char *kind[2], *sql[2];
    enum promise want[2];
    bool all_by_try; /* even what is not promised comes, on both sides */
};

/* ---- two sides --------------------------------------------------------------------------------------------------- */

struct sides {
    char dir[64], url[2][600], ns[2][48];
    const char *option_name, *option_value[2];
    struct sp_endpoint e[2], writing[2];
    struct sp_session *s[2], *writer[2];
    bool snapshot[2];
    struct sp_verify_options opt;
    struct sp_emitter em;
    struct sp_error err;
    struct sp_vctx c;
};

static void must(struct sides *x, int rc)
{
    if (rc != 0)
        fail_msg("%s [%s]", sp_error_text(&x->err), x->err.native);
}

static int no_event(
    struct sp_emitter *em, enum sp_event_kind k, const char *json, size_t n, struct sp_error *err)
{
    (void)em, (void)k, (void)json, (void)n, (void)err;
    return 0;
}

/* Sessions are open: snapshots, schemas, and the plan of the one table. */
static struct sp_vpair *sides_match(struct sides *x, bool same_kind)
{
    x->c = (struct sp_vctx){ .session = { x->s[0], x->s[1] },
        .opt = &x->opt,
        .em = &x->em,
        .err = &x->err,
        .arena = SP_ARENA_INIT,
        .memory = SP_VERIFY_MEMORY,
        .same_kind = same_kind };
    for (int i = 0; i < 2; i++) {
        int rc = sp_db_snapshot_begin(x->s[i], NULL, &x->err);
        x->snapshot[i] = rc == 0;
        must(x, rc == -SP_E_UNSUPPORTED ? 0 : rc);
        sp_error_clear(&x->err);
        must(x, sp_db_introspect(x->s[i], NULL, &x->c.schema[i], &x->err));
    }
    must(x, sp_v_match(&x->c));
    assert_int_equal(1, x->c.npairs);
    assert_non_null(x->c.pairs[0].t[0]);
    assert_non_null(x->c.pairs[0].t[1]);
    return &x->c.pairs[0];
}

static void sides_end(struct sides *x)
{
    for (int i = 0; i < 2; i++) {
        if (x->snapshot[i])
            must(x, sp_db_snapshot_end(x->s[i], &x->err));
        sp_schema_free(x->c.schema[i]);
        sp_close(x->s[i]);
        if (x->writer[i] != NULL)
            must(x, sp_db_ns_drop(x->writer[i], x->ns[i], &x->err));
        sp_close(x->writer[i]);
    }
    sp_arena_free(&x->c.arena);
    assert_int_equal(0, sp_rmtree(x->dir, NULL));
    sp_error_clear(&x->err);
}

/* ---- what a scan shows ------------------------------------------------------------------------------------------- */

struct seen {
    struct sp_arena arena;
    struct sp_vkey keys[256];
    struct sp_d128 rows[256];
    unsigned fetched[256];
    size_t n, strangers;
};

static int remember(void *payload, const struct sp_rowview *row)
{
    struct seen *s = payload;
    assert_true(s->n < SP_LEN(s->keys));
    s->keys[s->n] = (struct sp_vkey){ sp_arena_dup(&s->arena, row->row, row->nkey), row->nkey };
    s->rows[s->n++] = row->digest;
    return 0;
}

static int fetched(void *payload, size_t key, const struct sp_rowview *row)
{
    struct seen *s = payload;
    bool known = false;
    assert_true(key < s->n);
    assert_int_equal(row->nkey, s->keys[key].n);
    assert_memory_equal(row->row, s->keys[key].p, row->nkey);
    for (size_t i = 0; i < s->n && !known; i++)
        if (sp_d128_eq(s->rows[i], row->digest) && s->fetched[i] == 0) {
            s->fetched[i]++;
            known = true;
        }
    s->strangers += !known;
    return 0;
}

static size_t missed(const struct seen *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->fetched[i] == 0;
    return n;
}

/* Every key of both sides is asked of each side: also those that it has not. Keys of several rows are asked once. */
static void ask(struct sides *x, const struct fcase *f, struct sp_vpair *p, enum sp_side side,
    struct seen *mine, const struct seen *other)
{
    enum promise got = NOTHING;
    struct sp_vkey keys[512];
    size_t n = 0, own = mine->n;
    for (size_t i = 0; i < own; i++) {
        bool again = false;
        for (size_t k = 0; k < i && !again; k++)
            again = mine->keys[k].n == mine->keys[i].n &&
                    memcmp(mine->keys[k].p, mine->keys[i].p, mine->keys[i].n) == 0;
        if (!again)
            keys[n++] = mine->keys[i];
    }
    memcpy(mine->keys, keys, n * sizeof *keys); /* what `fetched` looks at */
    for (enum sp_vfetch how = SP_VF_TRY; how <= SP_VF_LATER; how++) {
        memset(mine->fetched, 0, sizeof mine->fetched);
        mine->strangers = 0;
        int rc = sp_v_fetch(&x->c, p, side, keys, n, how, 0, fetched, mine, &x->err);
        if (rc != 0 && rc != -SP_E_UNSUPPORTED)
            fail_msg("%s, %s: %s", f->name, sp_v_side_name(side), sp_error_text(&x->err));
        sp_error_clear(&x->err);
        assert_int_equal(0, mine->strangers);
        if (how == SP_VF_TRY && f->all_by_try && (rc != 0 || missed(mine) != 0))
            fail_msg("%s, %s: %zu of %zu rows were missed", f->name, sp_v_side_name(side), missed(mine), own);
        if (how == SP_VF_TRY || rc != 0)
            continue;
        if (missed(mine) != 0)
            fail_msg("%s, %s, promising %s: %zu of %zu rows were missed", f->name, sp_v_side_name(side),
                promises[how], missed(mine), own);
        got = (enum promise)how;
    }
    if (got != f->want[side])
        fail_msg("%s, %s: promised %s, expected %s (%s)", f->name, sp_v_side_name(side), promises[got],
            promises[f->want[side]], sp_v_fetch_why_not(p, side, SP_VF_LATER));
    /* What the other side has and this one has not stays away. */
    size_t before = mine->n;
    for (size_t i = 0; got != NOTHING && i < other->n; i++) {
        bool have = false;
        for (size_t k = 0; k < before && !have; k++)
            have = mine->keys[k].n == other->keys[i].n &&
                   memcmp(mine->keys[k].p, other->keys[i].p, other->keys[i].n) == 0;
        if (have)
            continue;
        mine->keys[0] = other->keys[i];
        memset(mine->fetched, 1, sizeof mine->fetched);
        int rc = sp_v_fetch(&x->c, p, side, &other->keys[i], 1, SP_VF_STATE, 0, fetched, mine, &x->err);
        assert_true(rc == 0 || rc == -SP_E_UNSUPPORTED);
        assert_int_equal(0, mine->strangers);
        sp_error_clear(&x->err);
    }
}

static void ask_both(struct sides *x, const struct fcase *f, struct sp_vpair *p)
{
    static struct seen seen[2], unique;
    struct sp_vscan v[2];
    for (int i = 0; i < 2; i++) {
        seen[i] = (struct seen){ .arena = SP_ARENA_INIT };
        sp_v_scan_pair(&x->c, &v[i], (enum sp_side)i, p);
        v[i].row = remember;
        v[i].payload = &seen[i];
    }
    must(x, sp_v_scan(&x->c, v, p->name, 0));
    for (int i = 0; i < 2; i++) {
        must(x, v[i].rc);
        must(x, sp_v_key_tags(&x->c, p, (enum sp_side)i, v[i].stats));
    }
    for (int i = 0; i < 2; i++) {
        unique = seen[!i];
        ask(x, f, p, (enum sp_side)i, &seen[i], &unique);
    }
    sp_v_scan_free(v);
    for (int i = 0; i < 2; i++)
        sp_arena_free(&seen[i].arena);
}

#endif
