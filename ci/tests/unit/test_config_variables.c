/* test_config_variables.c -- what comes from outside of switchproof.yaml: environment variables, secrets, and providers
 * named by an argument. */
#include "config_case.h"

#include <stdlib.h>

#include "base/str.h"

static void test_variables(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("SP_T_NONE"), 0);
    assert_int_equal(setenv("SP_T_EMPTY", "", 1), 0);
    assert_int_equal(setenv("SP_T_DIR", "from/env", 1), 0);
    assert_int_equal(setenv("SP_T_N", "12", 1), 0);
    struct sp_config *cfg = good("report_dir: ${SP_T_DIR}/r\nstate_dir: ${SP_T_NONE:-d}/$${x}$y\n"
                                 "suites: { load: { users: \"${SP_T_N}\" } }\n");
    assert_string_equal(cfg->report_dir, "from/env/r");
    assert_string_equal(cfg->state_dir, "d/${x}$y");
    assert_true(cfg->settings[0].value == 12);
    sp_config_free(cfg);
    bad("report_dir: ${SP_T_NONE}\n",
        "t.yaml:1:13: report_dir: the environment variable SP_T_NONE is not set: set "
        "it, or give a default: ${SP_T_NONE:-value}");
    bad("report_dir: ${SP_T_EMPTY}\n",
        "t.yaml:1:13: report_dir: the environment variable SP_T_EMPTY is not set: "
        "set it, or give a default: ${SP_T_EMPTY:-value}");
    bad("report_dir: a${SP_T\n", "t.yaml:1:13: report_dir: \"${\" without \"}\": write ${NAME} or "
                                 "${NAME:-default}, or $${ for a literal ${");
    bad("report_dir: a${9}\n",
        "t.yaml:1:13: report_dir: not a variable: write ${NAME} or ${NAME:-default}, or "
        "$${ for a literal ${");
    assert_int_equal(setenv("SP_T_BAD", "a\xff", 1), 0);
    bad("report_dir: ${SP_T_BAD}\n",
        "t.yaml:1:13: report_dir: the environment variable's value is not UTF-8");
    assert_int_equal(setenv("SP_T_N", "hunter2", 1), 0);
    bad("suites: { load: { users: \"${SP_T_N}\" } }\n",
        "t.yaml:1:26: suites.load.users: expected a whole number from 2 to 62, found \"${SP_T_N}\" (after "
        "substitution)");
}

static void test_unset_provider(void **state)
{
    (void)state;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_config_provider p;
    assert_int_equal(unsetenv("SP_T_NONE"), 0);
    struct sp_config *cfg = good("providers:\n"
                                 "  night: { kind: bigsql, url: '${SP_T_NONE}', optional: true }\n"
                                 "  day: { kind: bigsql, url: 'bigsql://u:${SP_T_NONE}@h/d' }\n");
    assert_null(cfg->providers[0].url);
    assert_string_equal(cfg->providers[0].unset_variable, "SP_T_NONE");
    assert_null(cfg->providers[1].url);
    assert_int_equal(sp_config_resolve(cfg, "day", &a, &p, kinds, &err), -SP_E_INVALID);
    assert_string_equal(sp_error_text(&err),
        "t.yaml:3: provider day needs the environment variable SP_T_NONE, which is not set: set it, give it "
        "a "
        "default (${SP_T_NONE:-...}), or mark the provider `optional: true`");
    sp_error_clear(&err);
    sp_arena_free(&a);
    sp_config_free(cfg);
}

static void test_secrets(void **state)
{
    (void)state;
    sp_secret_forget_all();
    bad("providers: { a: { kind: bigsql, url: 'bigsql://u:hunter2@h/d' } }\n",
        "t.yaml:1:38: providers.a.url: a password stands in the file: put it, or the whole URL, into an "
        "environment variable and write ${VARIABLE} here");
    bad("providers: { a: { kind: bigsql, url: '${SP_T_URL:-bigsql://u:hunter2@h/d}' } }\n",
        "t.yaml:1:38: providers.a.url: a password stands in the file: put it, or the whole URL, into an "
        "environment variable and write ${VARIABLE} here");
    bad("providers: { a: { kind: bigsql, url: 'bigsql://u@h/d?password=hunter2' } }\n",
        "t.yaml:1:38: providers.a.url: a password stands in the file: put it, or the whole URL, into an "
        "environment variable and write ${VARIABLE} here");
    assert_int_equal(setenv("SP_T_PW", "s3cr3t%2fpass", 1), 0);
    assert_int_equal(setenv("SP_T_URL", "bigsql://u:whole-secret@h/d", 1), 0);
    assert_int_equal(setenv("SP_T_KEY", "key-in-option", 1), 0);
    /* The variable's value must not matter to whether the file is accepted. */
    bad("providers: { a: { kind: bigsql, url: '${SP_T_URL:-bigsql://u:hunter2@h/d}' } }\n",
        "t.yaml:1:38: providers.a.url: a password stands in the file: put it, or the whole URL, into an "
        "environment variable and write ${VARIABLE} here");
    struct sp_config *cfg = good("providers:\n"
                                 "  a: { kind: bigsql, url: 'bigsql://u:${SP_T_PW}@h/d' }\n"
                                 "  b: { kind: bigsql, url: '${SP_T_URL}' }\n"
                                 "  c: { kind: lite, url: 'lite:x', options: { api_key: '${SP_T_KEY}' } }\n"
                                 "  d: { kind: bigsql, url: 'bigsql://u@h:5432/d' }\n");
    assert_string_equal(cfg->providers[0].url, "bigsql://u:s3cr3t%2fpass@h/d");
    assert_string_equal(cfg->providers[1].url, "bigsql://u:whole-secret@h/d");
    assert_string_equal(cfg->providers[2].option_values[0], "key-in-option");
    char *hidden = sp_redact("s3cr3t/pass s3cr3t%2Fpass whole-secret key-in-option visible");
    assert_string_equal(hidden, "*** *** *** *** visible");
    free(hidden);
    sp_config_free(cfg);
    bad("providers: { a: { kind: lite, url: 'lite:x', options: { api_key: plain-key } } }\n",
        "t.yaml:1:66: providers.a.options.api_key: this is a secret, and it stands in the file: put it into "
        "an "
        "environment variable and write ${VARIABLE} here, alone and without a default");
    /* A password that is not encoded ends somewhere else for the client library, which then quotes the rest of it. */
    static const char *const raw[] = { "a@TAIL", "a/TAIL", "a?TAIL", "a#TAIL", "a@b/TAIL" };
    for (size_t i = 0; i < SP_LEN(raw); i++) {
        assert_int_equal(setenv("SP_T_PW", raw[i], 1), 0);
        bad("providers: { a: { kind: bigsql, url: 'bigsql://u:${SP_T_PW}@h/d' } }\n",
            "t.yaml:1:38: providers.a.url: '@', '/', '?' and '#' in the password of a URL have to be written "
            "as "
            "%40, %2F, %3F and %23; as it stands, nobody can tell where the password ends");
    }
    static const char *const fine[] = { "bigsql://u:a%40b@h/d?name=me@home",
        "bigsql://u@h:5432/d?name=me@home", "bigsql://h:1,i:2/d?name=me@home", "bigsql://[::1]:5432/d@e",
        "bigsql://u:p@h:1,i:2/d", "bigsql:x:y@z/a@b" };
    for (size_t i = 0; i < SP_LEN(fine); i++) {
        assert_int_equal(setenv("SP_T_URL", fine[i], 1), 0);
        cfg = good("providers: { a: { kind: bigsql, url: '${SP_T_URL}' } }\n");
        assert_string_equal(cfg->providers[0].url, fine[i]);
        sp_config_free(cfg);
    }
    assert_int_equal(setenv("SP_T_SHORT", "abc", 1), 0);
    bad("providers: { a: { kind: lite, url: 'lite:x', options: { api_key: '${SP_T_SHORT}' } } }\n",
        "t.yaml:1:66: providers.a.options.api_key: a secret of fewer than 4 characters cannot be kept out of "
        "reports");
    sp_secret_forget_all();
}

static void resolve_bad(const struct sp_config *cfg, const char *arg, const char *message)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_config_provider p;
    assert_int_equal(sp_config_resolve(cfg, arg, &a, &p, kinds, &err), -SP_E_INVALID);
    assert_string_equal(sp_error_text(&err), message);
    sp_error_clear(&err);
    sp_arena_free(&a);
}

static void test_resolve(void **state)
{
    (void)state;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_config_provider p;
    struct sp_config *cfg = good("providers:\n  local: { kind: lite, url: 'lite:x', access: disposable }\n");
    sp_secret_forget_all();
    assert_int_equal(sp_config_resolve(cfg, "local", &a, &p, kinds, &err), 0);
    assert_int_equal(p.access, SP_ACCESS_DISPOSABLE);
    assert_int_equal(sp_config_resolve(cfg, "lite:some/file.db", &a, &p, kinds, &err), 0);
    assert_string_equal(p.kind, "lite");
    assert_string_equal(p.url, "lite:some/file.db");
    assert_int_equal(p.access, SP_ACCESS_READ_ONLY);
    assert_int_equal(setenv("SP_T_URL", "bigsql://u:top-secret@h/d", 1), 0);
    assert_int_equal(sp_config_resolve(cfg, "env:SP_T_URL", &a, &p, kinds, &err), 0);
    assert_string_equal(p.url, "bigsql://u:top-secret@h/d");
    assert_string_equal(p.name, "env:SP_T_URL");
    char *hidden = sp_redact("the top-secret");
    assert_string_equal(hidden, "the ***");
    free(hidden);
    assert_int_equal(setenv("SP_T_URL", "bigsql://u:top@secret@h/d", 1), 0);
    resolve_bad(cfg, "env:SP_T_URL",
        "env:SP_T_URL: '@', '/', '?' and '#' in the password of a URL have to be written as %40, %2F, %3F "
        "and "
        "%23; as it stands, nobody can tell where the password ends");
    assert_int_equal(unsetenv("SP_T_NONE"), 0);
    resolve_bad(cfg, "env:SP_T_NONE", "env:SP_T_NONE: the environment variable SP_T_NONE is not set");
    resolve_bad(cfg, "bigsql://u:hunter2@h/d",
        "bigsql://u:***@h/d: a password has no place in an argument, where every user of this machine can "
        "read "
        "it: put the URL into an environment variable and write env:NAME");
    resolve_bad(cfg, "loacl",
        "\"loacl\" is neither a provider of t.yaml nor a URL (sqlite:path) nor env:NAME; did you mean "
        "\"local\"?");
    resolve_bad(cfg, "./a.db", "./a.db: a file is named by a URL, for example sqlite:./a.db");
    resolve_bad(cfg, "nosuch:x", "nosuch:x: \"nosuch\" is no known URL scheme; known: lite, bigsql");
    resolve_bad(cfg, "", "\"\" is neither a provider's name nor a URL");
    sp_arena_free(&a);
    sp_config_free(cfg);
    sp_secret_forget_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_unset_provider),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_resolve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
