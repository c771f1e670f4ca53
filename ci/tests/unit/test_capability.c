/* test_capability.c -- ties the capability table to the contract's structs, and the table to its own rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "capability.h"
#include "provider.h"

/* The tie: each row names a member of its facet's struct, or this file does not compile. */
#define SP_X(id, name, facet, fn, kind, doc)                                                                 \
    _Static_assert(offsetof(struct sp_##facet##_ops, fn) < sizeof(struct sp_##facet##_ops), name);           \
    _Static_assert(sizeof(((struct sp_##facet##_ops *)0)->fn) == sizeof(void (*)(void)), name);
SP_CAPS(SP_X)
#undef SP_X

static void test_rows_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_CAP_N; i++) {
        const struct sp_cap_info *c = &sp_caps[i];
        assert_non_null(c->name);
        assert_true(strlen(c->name) > 0 &&
                    strspn(c->name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(c->name));
        assert_true(strlen(c->doc) > 0);
        assert_true(strlen(c->function) > 0);
        assert_true(c->facet < SP_FACET_N);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(c->name, sp_caps[k].name);
    }
}

static void test_names_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_CAP_N; i++) {
        enum sp_cap_id id = SP_CAP_N;
        assert_int_equal(sp_cap_parse(sp_caps[i].name, &id), 0);
        assert_int_equal(id, i);
    }
    enum sp_cap_id untouched = SP_CAP_TXN;
    assert_int_equal(sp_cap_parse("", &untouched), -SP_E_INVALID);
    assert_int_equal(sp_cap_parse("Transactions", &untouched), -SP_E_INVALID);
    assert_int_equal(sp_cap_parse(NULL, &untouched), -SP_E_INVALID);
    assert_int_equal(untouched, SP_CAP_TXN);
}

static void test_facets(void **state)
{
    (void)state;
    assert_int_equal(sp_caps[SP_CAP_TXN].facet, SP_FACET_db);
    assert_string_equal(sp_caps[SP_CAP_TXN].function, "begin");
    assert_int_equal(sp_caps[SP_CAP_SIGN_IN].facet, SP_FACET_auth);
    assert_int_equal(sp_caps[SP_CAP_KEY_BYTES].facet, SP_FACET_blob);
    assert_int_equal(sp_caps[SP_CAP_KEY_BYTES].kind, SP_CAP_KIND_LIMIT);
    assert_string_equal(sp_facet_name(SP_FACET_db), "database");
    assert_string_equal(sp_facet_name(SP_FACET_auth), "auth");
    assert_string_equal(sp_facet_name(SP_FACET_blob), "storage");
    assert_string_equal(sp_facet_name(SP_FACET_N), "?");
}

/* Every function of a facet is promised by a capability, or is the other half of one that is. */
static void test_every_function_is_stood_for(void **state)
{
    (void)state;
    static const char *const halves[] = { "ns_use", "ns_drop", "ns_list", "table_finish", "table_drop",
        "execute", "finalize", "commit", "rollback", "savepoint_rollback", "savepoint_release",
        "snapshot_end", "snapshot_share", "burden", "volume", "raw_reads", "load_row", "load_extra",
        "load_close", "role_drop", "role_revoke", "role_join" };
    size_t seen = 0;
    for (size_t i = 0; i < SP_CAP_N; i++) {
        bool first = sp_caps[i].facet == SP_FACET_db;
        for (size_t k = 0; k < i; k++)
            first = first && strcmp(sp_caps[k].function, sp_caps[i].function) != 0;
        seen += first ? 1 : 0;
    }
    size_t members = sizeof(struct sp_db_ops) / sizeof(void (*)(void));
    assert_int_equal(seen + sizeof halves / sizeof halves[0], members);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_whole),
        cmocka_unit_test(test_names_round_trip),
        cmocka_unit_test(test_facets),
        cmocka_unit_test(test_every_function_is_stood_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
