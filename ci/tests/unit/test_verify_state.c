/* test_verify_state.c -- the file that a killed comparison leaves: nothing that is not whole, or not of the same question
 * and the same data, is ever taken from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs what stands above. */
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "verify/state.h"

static char dir[64], path[80];

static const struct sp_vfact command[] = { { "the command", "verify a b", true } };
static const struct sp_vfact plans[] = { { "the plan", "0123", false } };
static const char *const there[2] = { "server 1 state 7 @lsn 5", "c1-s2" };

static int set_up(void **state)
{
    (void)state;
    (void)sp_strlcpy(dir, "/tmp/test_verify_state.XXXXXX", sizeof dir);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/verify.state", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return sp_rmtree(dir, NULL);
}

static json_t *table(const char *name, int n)
{
    return json_pack("{ss,si}", "name", name, "n", n);
}

/* A run that finished tables a and b, and was killed: its file is only closed. */
static void leave(void)
{
    struct sp_vstate *s = NULL;
    bool same = true;
    (void)unlink(path);
    assert_int_equal(sp_vstate_open(&s, path, "run1", false, command, 1, NULL), 0);
    assert_int_equal(sp_vstate_begin(s, plans, 1, there, &same, NULL), 0);
    assert_false(same);
    assert_int_equal(sp_vstate_add(s, table("a", 1), NULL), 0);
    assert_int_equal(sp_vstate_add(s, table("b", 2), NULL), 0);
    sp_vstate_close(s, false);
}

static int resume(struct sp_vstate **s, const struct sp_vfact *cmd, const struct sp_vfact *plan,
    const char *const states[2], bool *same, struct sp_error *err)
{
    int rc = sp_vstate_open(s, path, "run2", true, cmd, 1, err);
    return rc == 0 ? sp_vstate_begin(*s, plan, 1, states, same, err) : rc;
}

static void what_was_kept_is_found(void **state)
{
    (void)state;
    struct sp_vstate *s = NULL;
    bool same = false;
    const char *const moved_log[2] = { "server 1 state 7 @lsn 9", "c1-s2" };
    leave();
    assert_int_equal(resume(&s, command, plans, moved_log, &same, NULL), 0);
    assert_true(same);
    assert_int_equal(sp_vstate_count(s), 2);
    assert_string_equal(sp_vstate_run(s), "run1");
    assert_int_equal(json_integer_value(json_object_get(sp_vstate_find(s, "b"), "n")), 2);
    assert_null(sp_vstate_find(s, "c"));
    assert_false(sp_vstate_damaged(s));
    /* A second kill: both runs' tables are there. */
    assert_int_equal(sp_vstate_add(s, table("c", 3), NULL), 0);
    sp_vstate_close(s, false);
    assert_int_equal(resume(&s, command, plans, there, &same, NULL), 0);
    assert_int_equal(sp_vstate_count(s), 3);
    assert_string_equal(sp_vstate_run(s), "run1");
    sp_vstate_close(s, true);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_finished_run_is_not_resumed(void **state)
{
    (void)state;
    struct sp_vstate *s = NULL;
    struct sp_error err = SP_ERROR_INIT;
    (void)unlink(path);
    assert_int_equal(sp_vstate_open(&s, path, "run2", true, command, 1, &err), -SP_E_INVALID);
    assert_non_null(strstr(sp_error_text(&err), "was cut short"));
    assert_null(s);
    sp_error_clear(&err);
}

static void other_states_begin_anew(void **state)
{
    (void)state;
    static const char *const states[][2] = { { "server 1 state 8 @lsn 5", "c1-s2" },
        { "server 2 state 7 @lsn 5", "c1-s2" }, { "server 1 state 7 @lsn 5", "c1-s3" },
        { "server 1 state 7", "c1-s2" }, { "", "c1-s2" }, { "@lsn 5", "c1-s2" } };
    for (size_t i = 0; i < SP_LEN(states); i++) {
        struct sp_vstate *s = NULL;
        bool same = true;
        leave();
        assert_int_equal(resume(&s, command, plans, states[i], &same, NULL), 0);
        assert_false(same);
        assert_int_equal(sp_vstate_count(s), 0);
        sp_vstate_close(s, false);
        /* The old records are gone for good. */
        assert_int_equal(resume(&s, command, plans, there, &same, NULL), 0);
        assert_false(same);
        assert_null(sp_vstate_find(s, "a"));
        sp_vstate_close(s, true);
    }
}

static void unknown_states_are_never_the_same(void **state)
{
    (void)state;
    static const char *const unknown[2] = { "", "" };
    struct sp_vstate *s = NULL;
    bool same = true;
    (void)unlink(path);
    assert_int_equal(sp_vstate_open(&s, path, "run1", false, command, 1, NULL), 0);
    assert_int_equal(sp_vstate_begin(s, plans, 1, unknown, &same, NULL), 0);
    assert_int_equal(sp_vstate_add(s, table("a", 1), NULL), 0);
    sp_vstate_close(s, false);
    assert_int_equal(resume(&s, command, plans, unknown, &same, NULL), 0);
    assert_false(same);
    sp_vstate_close(s, true);
}

static void another_question_is_refused_and_keeps_the_file(void **state)
{
    (void)state;
    static const struct sp_vfact cmd[] = { { "the command", "verify a c", true } },
                                 plan[] = { { "the plan", "4567", false } };
    struct sp_vstate *s = NULL;
    struct sp_error err = SP_ERROR_INIT;
    bool same = true;
    leave();
    assert_int_equal(resume(&s, cmd, plans, there, &same, &err), -SP_E_INVALID);
    assert_non_null(strstr(sp_error_text(&err), "the command was \"verify a b\" and is now \"verify a c\""));
    sp_vstate_close(s, false);
    sp_error_clear(&err);
    assert_int_equal(resume(&s, command, plan, there, &same, &err), -SP_E_INVALID);
    assert_non_null(strstr(sp_error_text(&err), "the plan differs now"));
    sp_vstate_close(s, false);
    sp_error_clear(&err);
    assert_int_equal(resume(&s, command, plans, there, &same, NULL), 0);
    assert_true(same);
    assert_int_equal(sp_vstate_count(s), 2);
    sp_vstate_close(s, true);
}

static void write_back(const char *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), (ssize_t)n);
    (void)close(fd);
}

/* Cut anywhere, a bit turned anywhere: the records that are found are those that stand whole before the damage. */
static void no_damage_passes(void **state)
{
    (void)state;
    struct sp_buf whole = SP_BUF_INIT;
    leave();
    assert_int_equal(sp_read_file(path, 1 << 20, &whole, NULL), 0);
    char *copy = malloc(whole.n);
    assert_non_null(copy);
    size_t line1 = (size_t)(strchr(whole.p, '\n') - whole.p) + 1;
    size_t line2 = (size_t)(strchr(whole.p + line1, '\n') - whole.p) + 1;
    for (size_t at = 0; at < 2 * whole.n; at++) {
        size_t where = at / 2;
        memcpy(copy, whole.p, whole.n);
        copy[where] = (char)(copy[where] ^ 1);
        write_back(copy, at % 2 == 0 ? where : whole.n);
        struct sp_vstate *s = NULL;
        bool same = false;
        int rc = resume(&s, command, plans, there, &same, NULL);
        if (where < line1) {
            assert_int_equal(rc, -SP_E_INVALID);
            assert_null(s);
            continue;
        }
        assert_int_equal(rc, 0);
        assert_int_equal(sp_vstate_count(s), where < line2 ? 0 : 1);
        assert_int_equal(sp_vstate_damaged(s), at % 2 == 1 || (where != line1 && where != line2));
        /* What is added behind the damage can be read. */
        if (at % 97 == 0) {
            assert_int_equal(sp_vstate_add(s, table("z", 9), NULL), 0);
            sp_vstate_close(s, false);
            assert_int_equal(resume(&s, command, plans, there, &same, NULL), 0);
            assert_non_null(sp_vstate_find(s, "z"));
            assert_false(sp_vstate_damaged(s));
        }
        sp_vstate_close(s, false);
    }
    free(copy);
    sp_buf_free(&whole);
}

/* A whole line of another file, or lines in another order, do not continue the chain. */
static void lines_belong_to_their_place(void **state)
{
    (void)state;
    struct sp_buf whole = SP_BUF_INIT, other = SP_BUF_INIT;
    leave();
    assert_int_equal(sp_read_file(path, 1 << 20, &whole, NULL), 0);
    size_t line1 = (size_t)(strchr(whole.p, '\n') - whole.p) + 1;
    size_t line2 = (size_t)(strchr(whole.p + line1, '\n') - whole.p) + 1;
    (void)sp_buf_put(&other, whole.p, line1);
    (void)sp_buf_put(&other, whole.p + line2, whole.n - line2);
    write_back(other.p, other.n);
    struct sp_vstate *s = NULL;
    bool same = false;
    assert_int_equal(resume(&s, command, plans, there, &same, NULL), 0);
    assert_int_equal(sp_vstate_count(s), 0);
    assert_true(sp_vstate_damaged(s));
    sp_vstate_close(s, true);
    sp_buf_free(&whole);
    sp_buf_free(&other);
}

static void two_runs_do_not_share_a_file(void **state)
{
    (void)state;
    struct sp_vstate *a = NULL, *b = NULL;
    struct sp_error err = SP_ERROR_INIT;
    bool same = false;
    leave();
    assert_int_equal(resume(&a, command, plans, there, &same, NULL), 0);
    assert_int_equal(sp_vstate_open(&b, path, "run3", true, command, 1, &err), -SP_E_INVALID);
    assert_non_null(strstr(sp_error_text(&err), "another comparison is writing"));
    sp_error_clear(&err);
    sp_vstate_close(a, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_found),
        cmocka_unit_test(a_finished_run_is_not_resumed),
        cmocka_unit_test(other_states_begin_anew),
        cmocka_unit_test(unknown_states_are_never_the_same),
        cmocka_unit_test(another_question_is_refused_and_keeps_the_file),
        cmocka_unit_test(no_damage_passes),
        cmocka_unit_test(lines_belong_to_their_place),
        cmocka_unit_test(two_runs_do_not_share_a_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
