/* verify, property: whatever the table, equal copies in any order raise no alarm, and any single change is found with
 * its row and column. Sorting and looking up digests are tested against plain loops. */
#include <stdio.h>

#include "verify_case.h"

static struct sp_value random_value(struct sp_rng *r, struct sp_arena *a)
{
    char *p;
    size_t n;
    switch (sp_rng_below(r, 7)) {
    case 0:
        return sp_v_null();
    case 1:
        return sp_v_int((int64_t)sp_rng_u64(r));
    case 2:
        return sp_v_int((int64_t)sp_rng_below(r, 3));
    case 3:
        return sp_v_f64(sp_rng_unit(r));
    case 4:
        n = (size_t)sp_rng_below(r, 40);
        p = sp_arena_alloc(a, n + 1);
        for (size_t i = 0; i < n; i++)
            p[i] = (char)sp_rng_below(r, 128);
        return sp_v_textn(p, n);
    case 5:
        n = (size_t)sp_rng_below(r, 200);
        p = sp_arena_alloc(a, n + 1);
        for (size_t i = 0; i < n; i++)
            p[i] = (char)sp_rng_below(r, 256);
        return sp_v_bytes(p, n);
    default:
        return sp_v_text(sp_rng_below(r, 2) != 0 ? "" : "é");
    }
}

static void fill(
    struct vcase *v, struct fake_table *t[2], struct sp_rng *r, size_t ncols, size_t nrows, bool keyed)
{
    struct sp_buf cols = SP_BUF_INIT;
    sp_buf_puts(&cols, "id:int!");
    for (size_t i = 1; i < ncols; i++)
        sp_buf_printf(&cols, " c%zu", i);
    vcase_table(v, "t", cols.p, keyed ? 1 : 0, t);
    sp_buf_free(&cols);
    size_t start = nrows == 0 ? 0 : (size_t)sp_rng_below(r, nrows);
    for (size_t i = 0; i < nrows; i++) {
        struct sp_value *row = fake_row(t[0]);
        row[0] = sp_v_int((int64_t)i);
        for (size_t c = 1; c < ncols; c++)
            row[c] = random_value(r, &v->f[0]->arena);
    }
    for (size_t i = 0; i < nrows; i++) /* rotated */
        memcpy(fake_row(t[1]), &t[0]->rows[(i + start) % nrows * ncols], ncols * sizeof *t[0]->rows);
}

static void change_one_cell(struct vcase *v, struct fake_table *t, struct sp_rng *r, size_t ncols, bool keyed)
{
    size_t row = (size_t)sp_rng_below(r, t->nrows), col = 1 + (size_t)sp_rng_below(r, ncols - 1);
    struct sp_value *cell = &t->rows[row * ncols + col], old = *cell;
    do {
        *cell = random_value(r, &v->f[1]->arena);
    } while (sp_value_equal(cell, &old));
    assert_verdict(v, SP_VV_DIFFERENT);
    if (keyed) {
        char key[32], name[32];
        snprintf(key, sizeof key, "id=%lld", (long long)t->rows[row * ncols].u.i);
        snprintf(name, sizeof name, "c%zu", col);
        assert_counts(v, "t", 0, 0, 1);
        assert_int_equal(1, caught_count(&v->c, SP_EV_DIFFERENCE));
        const struct sp_event_in *e = caught_at(&v->c, SP_EV_DIFFERENCE, 0);
        assert_string_equal(key, sp_event_get_text(e, SP_FLD_key));
        assert_string_equal(name, sp_event_get_text(e, SP_FLD_column));
    } else {
        assert_counts(v, "t", 1, 1, 0);
    }
    *cell = old;
    assert_verdict(v, SP_VV_EQUAL);
}

static void drop_or_repeat_one_row(struct vcase *v, struct fake_table *t[2], struct sp_rng *r, size_t ncols)
{
    size_t row = (size_t)sp_rng_below(r, t[1]->nrows);
    if (sp_rng_below(r, 2) != 0) {
        fake_remove(t[1], row);
        assert_verdict(v, SP_VV_DIFFERENT);
        assert_counts(v, "t", 1, 0, 0);
    } else {
        struct sp_value *copy = fake_row(t[1]);
        memcpy(copy, &t[1]->rows[row * ncols], ncols * sizeof *copy);
        assert_verdict(v, SP_VV_DIFFERENT);
        assert_counts(v, "t", 0, 1, 0);
    }
}

static void every_change_is_found(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct vcase v;
        struct fake_table *t[2];
        struct sp_rng r;
        sp_rng_seed(&r, seed);
        size_t ncols = 2 + (size_t)sp_rng_below(&r, 6), nrows = 1 + (size_t)sp_rng_below(&r, 400);
        bool keyed = sp_rng_below(&r, 3) != 0;
        vcase_begin(&v);
        v.memory = 4096 + (size_t)sp_rng_below(&r, 1u << 20);
        fill(&v, t, &r, ncols, nrows, keyed);
        assert_verdict(&v, SP_VV_EQUAL);
        for (int i = 0; i < 5; i++)
            change_one_cell(&v, t[1], &r, ncols, keyed);
        drop_or_repeat_one_row(&v, t, &r, ncols);
        vcase_end(&v);
    }
}

static int by_plain_loop(const void *a, const void *b)
{
    return sp_v_d128_cmp(*(const struct sp_d128 *)a, *(const struct sp_d128 *)b);
}

static void sorting_and_looking_up(void **state)
{
    enum { N = 3000 };
    struct sp_d128 *a = calloc(N, sizeof *a), *b = calloc(N, sizeof *b);
    struct sp_rng r;
    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    sp_rng_seed(&r, 7);
    for (int round = 0; round < 40; round++) {
        size_t n = (size_t)sp_rng_below(&r, N);
        for (size_t i = 0; i < n; i++) {
            a[i].hi = round % 4 == 0 ? sp_rng_below(&r, 5) : round % 4 == 1 ? i : sp_rng_u64(&r);
            a[i].lo = sp_rng_below(&r, 3);
        }
        memcpy(b, a, n * sizeof *a);
        sp_v_sort_digests(a, n);
        qsort(b, n, sizeof *b, by_plain_loop);
        assert_int_equal(0, n == 0 ? 0 : memcmp(a, b, n * sizeof *a));
        struct sp_vindex x;
        assert_int_equal(0, sp_v_index_make(&x, a, n));
        for (size_t i = 0; i < n; i++) {
            size_t at = sp_v_index_find(&x, b[i]);
            assert_true(at < n && sp_d128_eq(a[at], b[i]));
        }
        struct sp_d128 absent = { 77, sp_rng_u64(&r) };
        assert_int_equal(n, sp_v_index_find(&x, absent));
        if (n > 20) {
            absent.hi = a[n / 2].hi; /* the same high half is not the same */
            assert_int_equal(n, sp_v_index_find(&x, absent));
        }
        sp_v_index_free(&x);
    }
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_is_found),
        cmocka_unit_test(sorting_and_looking_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
