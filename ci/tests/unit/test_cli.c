/* test_cli.c -- arguments into struct sp_args, and that the two tables fit together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "cli/evidence.h"

static char **argv_of(const char *const *words, int *n)
{
    *n = 0;
    while (words[*n] != NULL) {
        (*n)++;
    }
    return (char **)(uintptr_t)words; /* parsing does not write to them */
}

#define WORDS(...) ((const char *const[]){ "sp", __VA_ARGS__, NULL })

static void parse(struct sp_args *a, const char *const *words)
{
    struct sp_error err = SP_ERROR_INIT;
    int n;
    char **argv = argv_of(words, &n);
    if (sp_args_parse(a, n, argv, &err) != 0) {
        fail_msg("%s", sp_error_text(&err));
    }
}

static void refuse(const char *const *words, const char *message)
{
    struct sp_args a;
    struct sp_error err = SP_ERROR_INIT;
    int n;
    char **argv = argv_of(words, &n);
    assert_int_equal(sp_args_parse(&a, n, argv, &err), -SP_E_INVALID);
    assert_string_equal(sp_error_text(&err), message);
    sp_error_clear(&err);
    sp_args_free(&a);
}

static void test_run(void **state)
{
    (void)state;
    struct sp_args a;
    parse(&a, WORDS("-q", "run", "-pa", "-p", "b,c", "--suite=crud", "-k", "x*",
                  "--seed=18446744073709551615", "--jobs", "3", "-o", "dir", "--full", "-c=f.yaml"));
    assert_string_equal(a.command->name, "run");
    assert_true(a.quiet && a.full && a.has_seed);
    assert_int_equal(a.providers.n, 3);
    assert_string_equal(a.providers.v[0], "a");
    assert_string_equal(a.providers.v[2], "c");
    assert_string_equal(a.suites.v[0], "crud");
    assert_string_equal(a.glob, "x*");
    assert_true(a.seed == UINT64_MAX);
    assert_int_equal(a.jobs, 3);
    assert_string_equal(a.report_dir, "dir");
    assert_string_equal(a.config, "f.yaml");
    sp_args_free(&a);
    parse(&a, WORDS("run", "-vv"));
    assert_int_equal(a.verbose, 2);
    assert_false(a.has_seed);
    sp_args_free(&a);
}

static void test_verify(void **state)
{
    (void)state;
    struct sp_args a;
    parse(&a, WORDS("verify", "s", "--checks", "rows,schema", "--max-differences", "0", "--", "--odd"));
    assert_int_equal(a.operands.n, 2);
    assert_string_equal(a.operands.v[1], "--odd");
    assert_int_equal(a.checks.n, 2);
    assert_true(a.has_max_differences);
    assert_int_equal(a.max_differences, 0);
    sp_args_free(&a);
    parse(&a, WORDS("verify", "s", "t"));
    assert_int_equal(a.max_differences, 100);
    assert_int_equal(a.checks.n, 0);
    sp_args_free(&a);
    parse(&a, WORDS("verify", "--help")); /* no operands needed for that */
    assert_true(a.help);
    sp_args_free(&a);
    parse(&a, WORDS("fixture", "dpkg", "--no-such-option-of-ours"));
    assert_string_equal(a.command->name, "fixture");
    sp_args_free(&a);
}

static void test_refused(void **state)
{
    (void)state;
    refuse(WORDS("verfy"), "unknown command 'verfy'; did you mean 'verify'?");
    refuse(WORDS("verify", "a"), "expected SOURCE TARGET, found 1 argument");
    refuse(WORDS("verify", "a", "b", "c"), "one argument too many: 'c'; expected SOURCE TARGET");
    refuse(WORDS("run", "x"), "'run' takes no argument, found 'x'");
    refuse(WORDS("run", "--sed", "1"), "unknown option '--sed'; did you mean '--seed'?");
    refuse(WORDS("run", "--xyzzyx"), "unknown option '--xyzzyx'");
    refuse(WORDS("run", "--dry-run"), "--dry-run is no option of 'run'");
    refuse(WORDS("-p", "a", "run"), "unknown option '-p' before the command");
    refuse(WORDS("run", "-p"), "-p needs a value: -p NAME");
    refuse(WORDS("run", "--jobs", "65"), "--jobs: expected a whole number from 1 to 64, found '65'");
    refuse(WORDS("run", "--seed", "18446744073709551616"),
        "--seed: expected a whole number from 0 to 18446744073709551615, found '18446744073709551616'");
    refuse(WORDS("run", "-p", "a,,b"), "--provider: an empty value in 'a,,b'");
    refuse(WORDS("verify", "a", "b", "--checks", "row"),
        "--checks: expected schema, rows, relations, sequences, profiles, counts, uniqueness, required, "
        "blobs, accounts, all, "
        "found 'row'; did you "
        "mean 'rows'?");
    refuse(WORDS("migrate", "a", "b", "--strategy", "incremental"),
        "--strategy incremental is not part of this version; it knows: bulk");
}

static void test_many_values(void **state)
{
    (void)state;
    struct sp_args a;
    struct sp_error err = SP_ERROR_INIT;
    char text[2 * SP_CLI_LIST + 8];
    for (size_t i = 0; i <= SP_CLI_LIST; i++) {
        text[2 * i] = 'x';
        text[2 * i + 1] = ',';
    }
    text[2 * SP_CLI_LIST + 1] = '\0';
    int n;
    char **argv = argv_of(WORDS("run", "-p", text), &n);
    assert_int_equal(sp_args_parse(&a, n, argv, &err), -SP_E_INVALID);
    assert_string_equal(sp_error_text(&err), "--provider: more than 256 values");
    sp_error_clear(&err);
    sp_args_free(&a);
}

/* Every visible command explains itself with every option that it takes; no two options share a spelling. */
static void test_tables(void **state)
{
    (void)state;
    for (const struct sp_command *c = sp_commands; c->name != NULL; c++) {
        struct sp_buf out = SP_BUF_INIT;
        assert_non_null(c->run);
        if (c->summary == NULL) {
            continue;
        }
        assert_int_equal(sp_help_command(&out, c), 0);
        assert_non_null(c->examples);
        assert_non_null(strstr(out.p, c->examples[0]));
        for (const struct sp_option *o = sp_options; o->name != NULL; o++) {
            char flag[64];
            (void)snprintf(flag, sizeof flag, "--%s", o->name);
            if (!c->raw && (o->commands & c->bit) != 0) {
                assert_non_null(strstr(out.p, flag));
            }
            for (const struct sp_option *p = o + 1; p->name != NULL; p++) {
                if ((o->commands & p->commands & c->bit) != 0) {
                    assert_string_not_equal(o->name, p->name);
                    assert_true(o->letter == 0 || o->letter != p->letter);
                }
            }
        }
        sp_buf_free(&out);
    }
}

static void test_repeat(void **state)
{
    (void)state;
    struct sp_args a;
    parse(&a, WORDS("run", "-c", "my file's.yaml", "--full"));
    assert_string_equal(sp_cli_repeat(&a), "sp run -c 'my file'\\''s.yaml' --full");
    sp_args_free(&a);
    parse(&a, WORDS("run"));
    assert_string_equal(sp_cli_repeat(&a), "sp run");
    sp_args_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_many_values),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
