/* Entries in order, from more of them than memory takes; and the rows that are held of them. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "verify/piles.h"
#include "rounds.h"

static char dir[64];

static int own_directory(void **state)
{
    (void)state;
    sp_strlcpy(dir, "/tmp/sp-spill-XXXXXX", sizeof dir);
    return mkdtemp(dir) == NULL || setenv("TMPDIR", dir, 1) != 0;
}
static int no_directory(void **state)
{
    (void)state;
    return sp_rmtree(dir, NULL);
}

static size_t files(void)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static struct sp_d128 digest(uint64_t v)
{
    return sp_d128_of(&v, sizeof v);
}

static int add(struct sp_vspill *s, struct sp_d128 key, struct sp_d128 row, struct sp_error *err)
{
    return sp_v_spill_add(s, &(struct sp_ventry){ key, row, 1 }, err);
}

static int by_order(const void *a, const void *b)
{
    const struct sp_ventry *x = a, *y = b;
    int r = sp_v_d128_cmp(x->key, y->key);
    return r != 0 ? r : sp_v_d128_cmp(x->row, y->row);
}

/* n entries with so many keys and rows among them, through an array of `cap`, against a plain sort of all. */
static void through(size_t n, uint64_t keys, uint64_t rows, size_t cap, bool spills)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_rng rng;
    struct sp_vspill s;
    struct sp_ventry *all = calloc(n + 1, sizeof *all), e;
    sp_rng_seed(&rng, n + cap);
    assert_non_null(all);
    assert_int_equal(0, sp_v_spill_init(&s, cap, &err));
    for (int again = 0; again < 2; again++) { /* the second time after a reset in the middle */
        for (size_t i = 0; again != 0 && i < n / 2; i++)
            assert_int_equal(0, add(&s, digest(i), digest(i), &err));
        sp_v_spill_reset(&s);
        for (size_t i = 0; i < n; i++) {
            all[i] =
                (struct sp_ventry){ digest(sp_rng_below(&rng, keys)), digest(sp_rng_below(&rng, rows)), 1 };
            assert_int_equal(0, add(&s, all[i].key, all[i].row, &err));
        }
        assert_int_equal(spills, s.fd >= 0);
        assert_int_equal(0, files());
        qsort(all, n, sizeof *all, by_order);
        assert_int_equal(0, sp_v_spill_begin(&s, &err));
        for (size_t i = 0; i < n;) {
            size_t same = i;
            while (same < n && by_order(&all[same], &all[i]) == 0)
                same++;
            assert_int_equal(1, sp_v_spill_next(&s, &e, &err));
            assert_int_equal(0, by_order(&e, &all[i]));
            assert_int_equal(same - i, e.n);
            i = same;
        }
        assert_int_equal(0, sp_v_spill_next(&s, &e, &err));
        assert_int_equal(0, sp_v_spill_next(&s, &e, &err));
    }
    sp_v_spill_free(&s);
    free(all);
}

static void entries_come_in_order(void **state)
{
    (void)state;
    through(0, 1, 1, 100, false);
    through(1, 1, 1, 100, false);
    through(100, 1000000, 1000000, 100, false);
    through(101, 1000000, 1000000, 100, true);
    through(1000, 1000000, 1000000, 2000, false);
    through(30000, 1000000, 1000000, 64, true); /* more runs than can be merged at once, again and again */
    through(30000, 1000000, 1000000, 1000, true);
    through(30000, 5000, 2, 1000, true);
    through(30000, 3, 20000, 1000, true);
    through(50000, 10, 3, 100, false); /* equal ones take no room */
    if (!few_rounds())
        through(300000, 1u << 30, 1, 20000, true);
}

/* ---- piles ------------------------------------------------------------------------------------------------------- */

/* n rows with so many keys and rows among them; how many entries of memory; must they go into a file, and some of their
 * piles be sorted by runs. */
struct heap {
    size_t n;
    uint64_t keys, rows;
    size_t cap;
    bool disk, runs;
};

static struct sp_ventry *fill(struct sp_vpiles *s, const struct heap *h, struct sp_error *err)
{
    struct sp_ventry *all = calloc(h->n + 1, sizeof *all);
    struct sp_rng rng;
    sp_rng_seed(&rng, h->n + h->cap);
    assert_non_null(all);
    for (size_t i = 0; i < h->n; i++) {
        all[i] =
            (struct sp_ventry){ digest(sp_rng_below(&rng, h->keys)), digest(sp_rng_below(&rng, h->rows)), 1 };
        assert_int_equal(0, sp_v_piles_add(s, all[i].key, all[i].row, err));
    }
    qsort(all, h->n, sizeof *all, by_order);
    assert_int_equal(h->disk, s->open != NULL);
    return all;
}

/* Reads the loaded pile, which has to begin at `at` of the sorted rows; returns where it ended. */
static size_t read_pile(struct sp_vpiles *s, const struct heap *h, const struct sp_ventry *all, size_t at,
    size_t which, struct sp_error *err)
{
    struct sp_ventry e;
    int rc;
    while ((rc = sp_v_piles_next(s, &e, err)) == 1) {
        uint64_t same = 0;
        assert_int_equal(which, e.key.hi >> (64 - s->bits));
        for (; at < h->n && by_order(&all[at], &e) == 0; at++)
            same++;
        assert_int_equal(same, e.n);
    }
    assert_int_equal(0, rc);
    assert_int_equal(0, sp_v_piles_next(s, &e, err));
    assert_true(at == h->n || all[at].key.hi >> (64 - s->bits) > which);
    return at;
}

static void both(const struct heap h[2], unsigned bits)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_vpiles s[2];
    bool runs[2] = { false, false };
    for (int i = 0; i < 2; i++)
        assert_int_equal(0, sp_v_piles_init(&s[i], h[i].cap, bits, &err));
    for (int again = 0; again < 2; again++) { /* the second time after a reset */
        struct sp_ventry *all[2];
        size_t at[2] = { 0, 0 };
        for (int i = 0; i < 2; i++) {
            for (uint64_t k = 0; again != 0 && k < h[i].n / 2; k++)
                assert_int_equal(0, sp_v_piles_add(&s[i], digest(k), digest(k), &err));
            sp_v_piles_reset(&s[i]);
            all[i] = fill(&s[i], &h[i], &err);
            assert_int_equal(0, files());
            assert_int_equal(0, sp_v_piles_begin(&s[i], &err));
        }
        for (size_t k = 0; k < (size_t)1 << bits; k++) {
            assert_int_equal(0, sp_v_piles_load(s, k, &err));
            for (int i = 0; i < 2; i++) {
                runs[i] = runs[i] || s[i].over.e != NULL;
                at[i] = read_pile(&s[i], &h[i], all[i], at[i], k, &err);
            }
        }
        for (int i = 0; i < 2; i++) {
            assert_int_equal(h[i].n, at[i]);
            free(all[i]);
        }
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(h[i].runs, runs[i]);
        sp_v_piles_free(&s[i]);
    }
}

static void piles_come_in_order(void **state)
{
    const uint64_t many = 1u << 30;
    const struct heap none = { 0, 1, 1, 64, false, false }, one = { 1, 1, 1, 64, false, false },
                      small = { 1000, many, many, 2000, false, false },
                      disk = { 60000, many, many, 2000, true, false },
                      tight = { 60000, many, many, 64, true, true },
                      one_key = { 20000, 1, many, 1000, true, true }, /* no bits of a key help */
        few_rows = { 60000, 20, 3, 200, false, false }, mixed = { 60000, 700, 3, 2000, true, false };
    (void)state;
    both((const struct heap[2]){ none, none }, 1);
    both((const struct heap[2]){ none, one }, 9);
    both((const struct heap[2]){ small, small }, 6);
    both((const struct heap[2]){ small, disk }, 6);
    both((const struct heap[2]){ one_key, one_key }, 6);
    if (!few_rounds()) {
        both((const struct heap[2]){ disk, disk }, 6);
        both((const struct heap[2]){ disk, none }, 6);
        both((const struct heap[2]){ tight, tight }, 1);
        both((const struct heap[2]){ one_key, disk }, 6);
    }
    both((const struct heap[2]){ few_rows, few_rows }, 2);
    both((const struct heap[2]){ mixed, mixed }, 6); /* what is there often is counted when it goes to disk */
}

static void piles_fit_into_their_array(void **state)
{
    (void)state;
    for (size_t cap = 1; cap < 2000000; cap += cap / 3 + 1) {
        struct sp_vpiles s;
        unsigned bits = sp_v_piles_bits(cap);
        assert_int_equal(0, sp_v_piles_init(&s, cap, bits, NULL));
        assert_true(bits >= 1 && bits <= 9 && s.block >= 16);
        assert_true((s.block << bits) * 32 <= s.cap * sizeof *s.e);
        sp_v_piles_free(&s);
    }
}

static void a_full_disk_is_said(void **state)
{
    struct sp_error err = SP_ERROR_INIT;
    struct rlimit old, none = { 0, 0 };
    struct sp_vspill s;
    int rc = 0;
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &old));
    none.rlim_max = old.rlim_max;
    none.rlim_cur = 4096;
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &none));
    assert_int_equal(0, sp_v_spill_init(&s, 64, &err));
    for (uint64_t i = 0; i < 1000 && rc == 0; i++)
        rc = add(&s, digest(i), digest(i), &err);
    assert_int_equal(-SP_E_IO, rc);
    assert_non_null(strstr(sp_error_text(&err), "TMPDIR"));
    assert_non_null(strstr(sp_error_text(&err), dir));
    sp_v_spill_free(&s);
    struct sp_vpiles piles;
    sp_error_clear(&err);
    assert_int_equal(0, sp_v_piles_init(&piles, 64, 1, &err));
    rc = 0;
    for (uint64_t i = 0; i < 1000 && rc == 0; i++)
        rc = sp_v_piles_add(&piles, digest(i), digest(i), &err);
    assert_int_equal(-SP_E_IO, rc);
    assert_non_null(strstr(sp_error_text(&err), "TMPDIR"));
    sp_v_piles_free(&piles);
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &old));
    setenv("TMPDIR", "/nowhere/at/all", 1);
    sp_error_clear(&err);
    assert_int_equal(-SP_E_IO, sp_temp_open(&err));
    assert_non_null(strstr(sp_error_text(&err), "/nowhere/at/all"));
    setenv("TMPDIR", dir, 1);
    sp_error_clear(&err);
    assert_int_equal(0, files());
}

/* ---- held rows --------------------------------------------------------------------------------------------------- */

static void give(struct sp_vhold *h, uint64_t i, size_t n, size_t nkey)
{
    uint8_t bytes[4096];
    memset(bytes, (int)(i & 0xff), sizeof bytes);
    const struct sp_rowview row = { bytes, n, nkey, digest(i ^ UINT64_C(0xabcdef)), digest(i) };
    sp_v_hold_row(h, &row);
}

static void the_smallest_keys_are_held(void **state)
{
    enum { N = 20000 };
    struct sp_vhold h;
    size_t held = 0;
    (void)state;
    assert_int_equal(0, sp_v_hold_init(&h, 100000));
    for (uint64_t i = 0; i < N; i++)
        give(&h, i, 50 + i % 100, 9);
    sp_v_hold_sort(&h);
    assert_true(h.limited && h.used <= h.room && h.n > 300);
    for (uint64_t i = 0; i < N; i++) {
        const struct sp_vheld *e = sp_v_hold_find(&h, digest(i), digest(i ^ UINT64_C(0xabcdef)));
        assert_int_equal(sp_v_d128_cmp(digest(i), h.limit) < 0, e != NULL); /* all below, none above */
        if (e == NULL)
            continue;
        held++;
        assert_true(e->whole);
        assert_int_equal(50 + i % 100, e->n);
        for (size_t k = 0; k < e->n; k++)
            assert_int_equal(i & 0xff, h.bytes[e->at + k]);
    }
    assert_int_equal(h.n, held);
    sp_v_hold_reset(&h);
    assert_null(sp_v_hold_find(&h, digest(1), digest(1 ^ UINT64_C(0xabcdef))));
    sp_v_hold_free(&h);
}

static void of_large_rows_the_key_is_held(void **state)
{
    struct sp_vhold h;
    (void)state;
    assert_int_equal(0, sp_v_hold_init(&h, 64000));
    give(&h, 1, 4000, 9);
    give(&h, 2, 4000, 3000); /* nor the key */
    give(&h, 3, 1000, 9);
    sp_v_hold_sort(&h);
    const struct sp_vheld *e = sp_v_hold_find(&h, digest(1), digest(1 ^ UINT64_C(0xabcdef)));
    assert_true(e != NULL && !e->whole && e->n == 9);
    assert_null(sp_v_hold_find(&h, digest(2), digest(2 ^ UINT64_C(0xabcdef))));
    e = sp_v_hold_find(&h, digest(3), digest(3 ^ UINT64_C(0xabcdef)));
    assert_true(e != NULL && e->whole && e->n == 1000);
    sp_v_hold_free(&h);
}

/* Rows of one key cannot be halved: they go all, and the room is there for smaller keys. */
static void many_rows_of_one_key_do_not_block(void **state)
{
    struct sp_vhold h;
    uint8_t bytes[100] = { 0 };
    uint64_t small = 0;
    (void)state;
    while (digest(small).hi > digest(777777).hi)
        small++;
    assert_int_equal(0, sp_v_hold_init(&h, 6400));
    for (uint64_t i = 0; i < 1000; i++) {
        const struct sp_rowview row = { bytes, sizeof bytes, 9, digest(i), digest(777777) };
        sp_v_hold_row(&h, &row);
    }
    give(&h, small, 100, 9);
    sp_v_hold_sort(&h);
    assert_int_equal(1, h.n);
    assert_non_null(sp_v_hold_find(&h, digest(small), digest(small ^ UINT64_C(0xabcdef))));
    sp_v_hold_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_in_order),
        cmocka_unit_test(piles_come_in_order),
        cmocka_unit_test(piles_fit_into_their_array),
        cmocka_unit_test(a_full_disk_is_said),
        cmocka_unit_test(the_smallest_keys_are_held),
        cmocka_unit_test(of_large_rows_the_key_is_held),
        cmocka_unit_test(many_rows_of_one_key_do_not_block),
    };
    return cmocka_run_group_tests_name("verify: more than memory takes", tests, own_directory, no_directory);
}
