/* Buffers and arenas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

static void buf_appends(void **state)
{
    (void)state;
    struct sp_buf b = SP_BUF_INIT;
    assert_int_equal(sp_buf_put(&b, NULL, 0), 0);
    assert_non_null(b.p);
    assert_string_equal(b.p, "");
    assert_int_equal(sp_buf_puts(&b, "ab"), 0);
    assert_int_equal(sp_buf_putc(&b, 'c'), 0);
    assert_int_equal(sp_buf_put(&b, "\0d", 2), 0);
    assert_int_equal(b.n, 5);
    assert_memory_equal(b.p, "abc\0d", 6);
    sp_buf_clear(&b);
    assert_string_equal(b.p, "");
    assert_int_equal(sp_buf_u32be(&b, 0x01020384), 0);
    assert_int_equal(sp_buf_u64be(&b, UINT64_C(0xf1f2f3f4f5f6f7f8)), 0);
    assert_int_equal(b.n, 12);
    assert_memory_equal(b.p, "\x01\x02\x03\x84\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8", 13);
    sp_buf_clear(&b);
    assert_int_equal(sp_buf_hex(&b, "\x00\x0f\xab\xff", 4), 0);
    assert_string_equal(b.p, "000fabff");
    assert_int_equal(b.n, 8);
    sp_buf_free(&b);
    assert_null(b.p);
}

static void buf_grows_across_every_size(void **state)
{
    (void)state;
    struct sp_buf b = SP_BUF_INIT;
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(sp_buf_putc(&b, (char)('a' + i % 26)), 0);
        assert_int_equal(b.p[b.n], 0);
        assert_true(b.cap > b.n);
    }
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(b.p[i], 'a' + i % 26);
    }
    sp_buf_free(&b);
    /* printf at every fill around the first allocation: fits exactly, one short, one over */
    for (size_t fill = 0; fill < 140; fill++) {
        struct sp_buf f = SP_BUF_INIT;
        for (size_t i = 0; i < fill; i++) {
            assert_int_equal(sp_buf_putc(&f, '.'), 0);
        }
        assert_int_equal(sp_buf_printf(&f, "<%d|%s>", 12345, "text"), 0);
        assert_int_equal(f.n, fill + 12);
        assert_string_equal(f.p + fill, "<12345|text>");
        sp_buf_free(&f);
    }
}

static void buf_oom_is_sticky(void **state)
{
    (void)state;
    struct sp_buf b = SP_BUF_INIT;
    assert_int_equal(sp_buf_puts(&b, "kept"), 0);
    assert_int_equal(sp_buf_reserve(&b, SIZE_MAX), -SP_E_NOMEM);
    assert_true(b.oom);
    assert_int_equal(sp_buf_reserve(&b, 0), -SP_E_NOMEM);
    assert_int_equal(sp_buf_putc(&b, 'x'), -SP_E_NOMEM);
    assert_int_equal(sp_buf_printf(&b, "x"), -SP_E_NOMEM);
    assert_int_equal(sp_buf_u32be(&b, 1), -SP_E_NOMEM);
    assert_int_equal(sp_buf_hex(&b, "x", 1), -SP_E_NOMEM);
    assert_string_equal(b.p, "kept");
    sp_buf_clear(&b);
    assert_false(b.oom);
    assert_int_equal(sp_buf_puts(&b, "again"), 0);
    assert_string_equal(b.p, "again");
    /* The sizes at which n + more + 1 would wrap round. */
    assert_int_equal(sp_buf_reserve(&b, SIZE_MAX - 5), -SP_E_NOMEM);
    sp_buf_clear(&b);
    assert_int_equal(sp_buf_reserve(&b, (size_t)PTRDIFF_MAX), -SP_E_NOMEM);
    sp_buf_clear(&b);
    assert_int_equal(sp_buf_hex(&b, b.p, SIZE_MAX / 2 + 1), -SP_E_NOMEM);
    assert_null(sp_buf_steal(&b));
    assert_null(b.p);
    assert_false(b.oom);
}

static void buf_steals(void **state)
{
    (void)state;
    struct sp_buf b = SP_BUF_INIT;
    char *s = sp_buf_steal(&b);
    assert_string_equal(s, "");
    free(s);
    assert_int_equal(sp_buf_puts(&b, "mine"), 0);
    s = sp_buf_steal(&b);
    assert_string_equal(s, "mine");
    assert_null(b.p);
    assert_int_equal(b.n, 0);
    free(s);
}

static void arena_aligned_zeroed_apart(void **state)
{
    (void)state;
    struct sp_arena a = SP_ARENA_INIT;
    unsigned char *p[2000];
    for (size_t i = 0; i < 2000; i++) {
        size_t n = i % 97;
        p[i] = sp_arena_alloc(&a, n);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(p[i][k], 0);
        }
        memset(p[i], (int)(i % 251), n);
        assert_true(i == 0 || p[i] != p[i - 1]);
    }
    for (size_t i = 0; i < 2000; i++) {
        for (size_t k = 0; k < i % 97; k++) {
            assert_int_equal(p[i][k], i % 251);
        }
    }
    sp_arena_free(&a);
    assert_null(a.head);
    assert_int_equal(a.total, 0);
}

static void arena_big_and_impossible(void **state)
{
    (void)state;
    struct sp_arena a = SP_ARENA_INIT;
    char *small = sp_arena_alloc(&a, 10);
    char *big = sp_arena_alloc(&a, 5000000);
    char *after = sp_arena_alloc(&a, 10);
    assert_non_null(big);
    memset(big, 1, 5000000);
    assert_true(after - small == 16); /* the big one did not cost the rest of the first block */
    assert_int_equal(a.total, 5000020);
    assert_null(sp_arena_alloc(&a, SIZE_MAX));
    assert_null(sp_arena_alloc(&a, (size_t)PTRDIFF_MAX));
    assert_null(sp_arena_dup(&a, "", SIZE_MAX));
    assert_null(sp_arena_array(&a, SIZE_MAX / 2, 3));
    assert_null(sp_arena_array(&a, ((size_t)1 << 32) + 1, (size_t)1 << 32)); /* wraps round to 2^32 */
    assert_non_null(sp_arena_array(&a, 0, 8));
    size_t cap = 4;
    assert_null(sp_arena_grow(&a, small, &cap, SIZE_MAX / 4, 8));
    assert_int_equal(cap, 4);
    assert_int_equal(a.total, 5000020);
    sp_arena_free(&a);
}

static void arena_strings(void **state)
{
    (void)state;
    struct sp_arena a = SP_ARENA_INIT;
    assert_null(sp_arena_str(&a, NULL));
    assert_null(sp_arena_strn(&a, NULL, 3));
    assert_string_equal(sp_arena_str(&a, ""), "");
    assert_string_equal(sp_arena_str(&a, "text"), "text");
    const char open[3] = { 'a', 'b', 'c' };
    assert_string_equal(sp_arena_strn(&a, open, 3), "abc");
    assert_string_equal(sp_arena_strn(&a, "ab", 100), "ab");
    assert_memory_equal(sp_arena_dup(&a, "a\0b", 3), "a\0b", 4);
    assert_string_equal(sp_arena_dup(&a, NULL, 0), "");
    assert_string_equal(sp_arena_printf(&a, "%s-%d", "x", 5), "x-5");
    const char *wide = sp_arena_printf(&a, "%20000d", 7);
    assert_int_equal(strlen(wide), 20000);
    assert_int_equal(wide[19999], '7');
    sp_arena_free(&a);
}

static void arena_grows_arrays(void **state)
{
    (void)state;
    struct sp_arena a = SP_ARENA_INIT;
    int *v = NULL;
    size_t cap = 0;
    for (int i = 0; i < 10000; i++) {
        v = sp_arena_grow(&a, v, &cap, (size_t)i + 1, sizeof *v);
        assert_non_null(v);
        assert_true(cap > (size_t)i);
        assert_int_equal(v[i], 0);
        v[i] = i;
    }
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(v[i], i);
    }
    assert_true(a.total < 4 * sizeof *v * 16384); /* doubling, not one by one */
    assert_ptr_equal(sp_arena_grow(&a, v, &cap, 5, sizeof *v), v);
    sp_arena_free(&a);
}

static void arena_resets(void **state)
{
    (void)state;
    struct sp_arena a = SP_ARENA_INIT;
    for (int i = 0; i < 100; i++) {
        memset(sp_arena_alloc(&a, 1000), 0xff, 1000);
    }
    sp_arena_reset(&a);
    assert_non_null(a.head);
    assert_int_equal(a.total, 0);
    for (int i = 0; i < 100; i++) {
        const unsigned char *p = sp_arena_alloc(&a, 1000);
        for (int k = 0; k < 1000; k++) {
            assert_int_equal(p[k], 0);
        }
    }
    sp_arena_free(&a);
    sp_arena_reset(&a);
    assert_null(a.head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_appends),
        cmocka_unit_test(buf_grows_across_every_size),
        cmocka_unit_test(buf_oom_is_sticky),
        cmocka_unit_test(buf_steals),
        cmocka_unit_test(arena_aligned_zeroed_apart),
        cmocka_unit_test(arena_big_and_impossible),
        cmocka_unit_test(arena_strings),
        cmocka_unit_test(arena_grows_arrays),
        cmocka_unit_test(arena_resets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
