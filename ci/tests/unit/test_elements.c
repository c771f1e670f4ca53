/* Rows as the elements of an array: what goes in comes out, and what is cut off is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/elements.h"

static void there_and_back(void **state)
{
    static const char *const names[] = { "a", "b", "c" }, *const itself[] = { "" };
    const struct sp_value one[] = { sp_v_int(7), sp_v_null(), sp_v_missing() }, two = sp_v_text("x");
    struct sp_buf b = SP_BUF_INIT;
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_elements e;
    struct sp_value v;
    const char *name;
    (void)state;
    const struct sp_value none = sp_elements_value(&b);
    sp_elements_read(&e, &none);
    assert_int_equal(0, sp_elements_next(&e));
    assert_int_equal(0, sp_elements_add(&b, names, one, 3));
    assert_int_equal(0, sp_elements_add(&b, itself, &two, 1));
    assert_int_equal(0, sp_elements_add(&b, names, one, 0));
    const struct sp_value all = sp_elements_value(&b);
    sp_elements_read(&e, &all);
    assert_int_equal(1, sp_elements_next(&e));
    assert_int_equal(1, sp_elements_field(&e, &a, &name, &v));
    assert_string_equal("a", name);
    assert_int_equal(7, v.u.i);
    assert_int_equal(-SP_E_CORRUPT, sp_elements_next(&e)); /* one is still to be read */
    assert_int_equal(1, sp_elements_field(&e, &a, &name, &v));
    assert_string_equal("b", name);
    assert_int_equal(SP_NULL, v.tag);
    assert_int_equal(0, sp_elements_field(&e, &a, &name, &v)); /* what is missing is not there */
    assert_int_equal(1, sp_elements_next(&e));
    assert_int_equal(1, sp_elements_field(&e, &a, &name, &v));
    assert_string_equal("", name);
    assert_int_equal(SP_TEXT, v.tag);
    assert_int_equal(1, sp_elements_next(&e));
    assert_int_equal(0, sp_elements_field(&e, &a, &name, &v));
    assert_int_equal(0, sp_elements_next(&e));
    sp_arena_free(&a);
    sp_buf_free(&b);
}

static void no_cut_is_taken_for_the_whole(void **state)
{
    static const char *const names[] = { "first", "second" };
    const struct sp_value v[] = { sp_v_text("some text"), sp_v_int(1) };
    struct sp_buf b = SP_BUF_INIT;
    struct sp_arena a = SP_ARENA_INIT;
    (void)state;
    assert_int_equal(0, sp_elements_add(&b, names, v, 2));
    for (size_t n = 1; n < b.n; n++) {
        char *part = malloc(n); /* of its own size: a read beyond it shows */
        assert_non_null(part);
        memcpy(part, b.p, n);
        const struct sp_value cut = sp_v_native(SP_ELEMENTS, part, n);
        struct sp_elements e;
        struct sp_value got;
        const char *name;
        sp_elements_read(&e, &cut);
        int rc = sp_elements_next(&e);
        while (rc == 1)
            rc = sp_elements_field(&e, &a, &name, &got);
        assert_int_equal(-SP_E_CORRUPT, rc);
        free(part);
    }
    sp_arena_free(&a);
    sp_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(no_cut_is_taken_for_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
