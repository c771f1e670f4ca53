/* test_run.c -- what a run makes of its cases: outcomes, events, exit codes, expectations and requirements. */
#include "run_case.h"

static void every_outcome_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(run("fake", NULL), SP_EXIT_FAILED);
    outcome("fake.passes", "passed", SP_FLD_message, NULL);
    outcome("fake.fails", "failed", SP_FLD_message, "the answer: expected 42, got 41");
    outcome("fake.fails", "failed", SP_FLD_repeat, "switchproof run -p a -k fake.fails --seed 7");
    outcome("fake.aborts", "errored", SP_FLD_message, "SIGABRT");
    outcome("fake.is_killed", "errored", SP_FLD_message, "SIGKILL");
    outcome("fake.hangs", "errored", SP_FLD_message, "no answer within 1 s");
    outcome("fake.leaves", "errored", SP_FLD_message, "exit status 0");
    outcome("fake.prints", "passed", SP_FLD_message, NULL);
    outcome("fake.garbage", "errored", SP_FLD_message, NULL);
    outcome("fake.huge_frame", "errored", SP_FLD_message, "size limit");
    outcome("fake.forges", "errored", SP_FLD_message, "not running");
    outcome("fake.skips", "skipped", SP_FLD_reason, "it is Tuesday");
    outcome("fake.skips_late", "errored", SP_FLD_message, "after a check");
    outcome("fake.checks_nothing", "errored", SP_FLD_message, "no check");
    outcome("fake.transport", "errored", SP_FLD_message, "connection reset");
    outcome("fake.wrong_code", "failed", SP_FLD_message, "expected unique, got not_null");
    outcome("fake.makes_tables", "passed", SP_FLD_message, NULL);
    outcome("fake.makes_tables_again", "passed", SP_FLD_message, NULL);
    outcome("fake.makes_and_dies", "errored", SP_FLD_message, "SIGABRT");
    outcome("fake.heavy", "skipped", SP_FLD_reason, "--full");
    outcome("fake.faults", "skipped", SP_FLD_reason, "has no server");
    outcome("fake.wants_transactions", "skipped", SP_FLD_reason, "switched off on this server");
    outcome("fake.wants_transactions", "skipped", SP_FLD_capability, "transactions");
    outcome("fake.wants_savepoints", "skipped", SP_FLD_reason, "could not be asked");
    outcome("fake.wants_roles", "skipped", SP_FLD_capability, "roles");
    outcome("fake.wants_storage", "skipped", SP_FLD_reason, "not applicable");
    outcome("fake.zz_last", "failed", SP_FLD_message, NULL); /* not the forged pass */
    assert_int_equal(totals.n[SP_PASSED], 5);
    assert_int_equal(totals.n[SP_FAILED], 3);
    assert_int_equal(totals.n[SP_ERRORED], 11);
    assert_int_equal(totals.n[SP_SKIPPED], 7);
    /* Tables of the case that died, and all namespaces, are gone; and so is the journal. */
    assert_int_equal(entries_in(url_a + 5), 0);
    assert_int_equal(journals(), 0);
    assert_int_equal(totals.leftovers, 0);
}

static void a_pass_that_does_not_fit_is_none(void **state)
{
    (void)state;
    assert_int_equal(run("forge", "forge.early"), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("outside of any case"));
    assert_true(reason_has("not running"));
    /* Also where other cases follow, in a worker of their own. */
    assert_int_equal(run("forge", "forge.*[ey]"), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("outside of any case"));
    assert_int_equal(run("forge", "forge.failing"), SP_EXIT_INCONCLUSIVE);
    outcome("forge.failing", "errored", SP_FLD_message, "a check of it failed");
    /* What a helper left out for want of memory was not checked. */
    assert_int_equal(run("forge", "forge.memory"), SP_EXIT_INCONCLUSIVE);
    outcome("forge.memory", "errored", SP_FLD_message, "out of memory");
    assert_int_equal(run("forge", "forge.passes"), SP_EXIT_OK);
}

static void events_tell_the_whole_story(void **state)
{
    (void)state;
    config.nproviders = 2;
    (void)run("fake", NULL);
    size_t plans = 0, cases = 0, ends = 0, checks = 0, opened = 0, caps = 0;
    bool stderr_told = false, stdout_told = false;
    char seeds[2][64] = { "", "" };
    for (size_t i = 0; i < seen.n; i++) {
        const struct sp_event_in *e = &seen.ev[i];
        const char *text = sp_event_get_text(e, SP_FLD_text), *id = sp_event_get_text(e, SP_FLD_id),
                   *p = sp_event_get_text(e, SP_FLD_provider);
        plans += e->kind == SP_EV_PLAN ? 1 : 0;
        cases += e->kind == SP_EV_PLAN_CASE ? 1 : 0;
        ends += e->kind == SP_EV_CASE_END ? 1 : 0;
        opened += e->kind == SP_EV_PROVIDER ? 1 : 0;
        caps += e->kind == SP_EV_CAPABILITY ? 1 : 0;
        checks += e->kind == SP_EV_CHECK && strcmp(id, "fake.fails") == 0 && strcmp(p, "a") == 0 ? 1 : 0;
        if (e->kind == SP_EV_OUTPUT && id != NULL && strcmp(id, "fake.aborts") == 0)
            stderr_told = stderr_told || strstr(text, "about to abort") != NULL;
        if (e->kind == SP_EV_OUTPUT && id != NULL && strcmp(id, "fake.prints") == 0) {
            stdout_told = true;
            assert_true(strlen(text) < 200000);
        }
        if (e->kind == SP_EV_SEMANTICS && strcmp(sp_event_get_text(e, SP_FLD_topic), "seed") == 0)
            (void)sp_strlcpy(seeds[p[0] - 'a'], sp_event_get_text(e, SP_FLD_observed), sizeof seeds[0]);
        if (e->kind == SP_EV_CAPABILITY &&
            strcmp(sp_event_get_text(e, SP_FLD_capability), "transactions") == 0) {
            assert_true(sp_event_get_bool(e, SP_FLD_finding, false));
            assert_string_equal(sp_event_get_text(e, SP_FLD_declared), "yes");
            assert_string_equal(sp_event_get_text(e, SP_FLD_effective), "no");
        }
    }
    size_t ncases = SP_LEN(fake_cases) - 1;
    assert_int_equal(plans, 2);
    assert_int_equal(cases, 2 * ncases);
    assert_int_equal(ends, 2 * ncases);
    assert_int_equal(checks, 2);
    assert_int_equal(opened, 2);
    assert_int_equal(caps, 2 * (size_t)SP_CAP_N);
    assert_true(stderr_told);
    assert_true(stdout_told);
    assert_string_not_equal(seeds[0], "");
    assert_string_equal(seeds[0], seeds[1]); /* the same data everywhere */
}

static void exit_codes(void **state)
{
    (void)state;
    assert_int_equal(run("good", NULL), SP_EXIT_OK);
    assert_int_equal(reasons.n, 0);
    assert_int_equal(run(NULL, "good.passes"), SP_EXIT_OK); /* an id selects just itself */
    assert_int_equal(totals.n[SP_PASSED], 1);
    assert_int_equal(run(NULL, "good.pass"), SP_EXIT_OK);
    assert_int_equal(totals.n[SP_PASSED], 2);
    assert_int_equal(run("fake", "fake.checks_nothing"), SP_EXIT_INCONCLUSIVE);
    assert_int_equal(run("fake", "no_such_case"), SP_EXIT_NOTHING);
    assert_int_equal(run("storage", NULL), SP_EXIT_NOTHING); /* not applicable, and nothing else */
    /* Not offered by this server although the facet is: nothing proved. */
    const char *two[] = { "good", "txn" };
    assert_int_equal(run("txn", NULL), SP_EXIT_NOTHING);
    struct sp_run_options o = { .config = &config,
        .kinds = kinds,
        .suites = suites,
        .only_suites = two,
        .nsuites = 2,
        .seed = 1,
        .quick = true,
        .timeout_factor = 1,
        .program = "/proc/self/exe",
        .run_id = "testrun1" };
    forget();
    assert_int_equal(sp_run(&o, &seen.base, &totals, &reasons, &error), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("a, suite txn"));
    /* A facet that the kind has not: visible, not blocking. */
    two[1] = "storage";
    forget();
    sp_buf_free(&reasons);
    assert_int_equal(sp_run(&o, &seen.base, &totals, &reasons, &error), SP_EXIT_OK);
    assert_int_equal(totals.n[SP_SKIPPED], 1);
    /* A suite that measures runs after the others. */
    two[1] = "alone";
    config.nproviders = 2;
    forget();
    assert_int_equal(sp_run(&o, &seen.base, &totals, &reasons, &error), SP_EXIT_OK);
    bool begun = false;
    for (size_t i = 0; i < seen.n; i++) {
        const char *suite = sp_event_get_text(&seen.ev[i], SP_FLD_suite);
        if (seen.ev[i].kind == SP_EV_CASE_START && strcmp(suite, "alone") == 0)
            begun = true;
        else if (seen.ev[i].kind == SP_EV_CASE_START)
            assert_false(begun);
    }
}

static void unknown_names_are_refused(void **state)
{
    (void)state;
    assert_int_equal(run("godo", NULL), -SP_E_INVALID);
    assert_non_null(strstr(error.text, "did you mean 'good'?"));
    static const char *const needs[] = { "good.passes_to" };
    config.requires = needs;
    config.nrequires = 1;
    assert_int_equal(run("good", NULL), -SP_E_INVALID);
    assert_non_null(strstr(error.text, "did you mean 'good.passes_too'?"));
    config.nrequires = 0;
    providers[0].mutant = "no_such_bug";
    assert_int_equal(run("good", NULL), -SP_E_INVALID);
    assert_non_null(strstr(error.text, "unknown mutant 'no_such_bug'"));
    providers[0].mutant = NULL;
    providers[0].kind = "absent";
    assert_int_equal(run("good", NULL), -SP_E_INVALID);
    assert_int_equal(seen.n, 0);
}

static void providers_that_cannot_be_used(void **state)
{
    (void)state;
    config.nproviders = 2;
    providers[1] = (struct sp_config_provider){
        .name = "b", .kind = "fake", .unset_variable = "B_URL", .optional = true
    };
    assert_int_equal(run("good", NULL), SP_EXIT_OK);
    assert_non_null(strstr(sp_event_get_text(end_of("b", "good.passes"), SP_FLD_reason), "B_URL"));
    providers[1].optional = false;
    assert_int_equal(run("good", NULL), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("b, suite good"));
    config.nproviders = 1;
    providers[0].url = "fake:unreachable";
    assert_int_equal(run("good", NULL), SP_EXIT_INCONCLUSIVE);
    outcome("good.passes", "errored", SP_FLD_message, "connection refused");
    providers[0].url = "fake:crash";
    assert_int_equal(run("good", NULL), SP_EXIT_INCONCLUSIVE);
    outcome("good.passes_too", "errored", SP_FLD_message, "before its first case, twice");
    providers[0].url = url_a;
    providers[0].access = SP_ACCESS_READ_ONLY;
    assert_int_equal(run("good", NULL), SP_EXIT_OK);
    outcome("good.passes_too", "skipped", SP_FLD_reason, "read-only");
    assert_int_equal(journals(), 0);
}

static void expected_failures_expire(void **state)
{
    (void)state;
    struct sp_config_xfail x = {
        .id = "fake.fails", .link = "https://example.com/1", .reason = "known", .until_day = 1000000
    };
    config.xfails = &x;
    config.nxfails = 1;
    assert_int_equal(run("fake", "fake.fails"), SP_EXIT_INCONCLUSIVE); /* nothing else proves anything */
    outcome("fake.fails", "xfailed", SP_FLD_link, "https://example.com/1");
    assert_int_equal(run("fake", "fake.*a[si][ls]*s"), SP_EXIT_OK); /* fake.passes does */
    assert_int_equal(totals.n[SP_PASSED], 1);
    assert_int_equal(totals.n[SP_XFAILED], 1);
    x.provider = "b";
    assert_int_equal(run("fake", "fake.fails"), SP_EXIT_FAILED);
    x.provider = "a";
    x.until_day = 365;
    assert_int_equal(run("fake", "fake.fails"), SP_EXIT_FAILED);
    outcome("fake.fails", "failed", SP_FLD_message, "expired on 1971-01-01");
    x.until_day = 1000000;
    x.id = "good.passes";
    assert_int_equal(run("good", NULL), SP_EXIT_FAILED);
    outcome("good.passes", "failed", SP_FLD_message, "remove the expectation");
    x.id = "fake.aborts"; /* a crash is no expected failure */
    assert_int_equal(run("fake", "fake.aborts"), SP_EXIT_INCONCLUSIVE);
    outcome("fake.aborts", "errored", SP_FLD_message, "SIGABRT");
}

static void requirements_must_be_proved(void **state)
{
    (void)state;
    static const char *need[1];
    config.requires = need;
    config.nrequires = 1;
    static const struct {
        const char *need, *glob;
        int code;
    } t[] = {
        { "good.passes", "good.*", SP_EXIT_OK },
        { "good.*", "good.*", SP_EXIT_OK },
        { "good", "good.*", SP_EXIT_OK },
        { "fake.wants_transactions", "*.[pw]a*", SP_EXIT_FAILED },
        { "transactions", "*.[pw]a*", SP_EXIT_FAILED },
        { "fake.transactions", "*.[pw]a*", SP_EXIT_FAILED },
        { "savepoints", "*.[pw]a*", SP_EXIT_INCONCLUSIVE }, /* could not be asked */
        { "storage.put", "[gs]*.p*", SP_EXIT_FAILED },      /* not even where the facet is missing */
        { "storage", "[gs]*.p*", SP_EXIT_FAILED },
        { "tables", "fake.makes_tables*", SP_EXIT_OK },
    };
    for (size_t i = 0; i < SP_LEN(t); i++) {
        need[0] = t[i].need;
        int code = run(NULL, t[i].glob);
        /* The wait suite is never among them; fake.hangs and the like neither. */
        if (t[i].code == SP_EXIT_FAILED || t[i].code == SP_EXIT_INCONCLUSIVE) {
            if (!reason_has(t[i].need))
                fail_msg("%s: no reason in '%s'", t[i].need, reasons.p);
        }
        if (code != t[i].code)
            fail_msg("%s: code %d, reasons '%s'", t[i].need, code, reasons.p);
    }
}

static bool noted(const char *text)
{
    bool found = false;
    for (size_t i = 0; i < seen.n; i++) {
        const char *said = seen.ev[i].kind == SP_EV_NOTE ? sp_event_get_text(&seen.ev[i], SP_FLD_text) : NULL;
        found = found || (said != NULL && strstr(said, text) != NULL);
    }
    return found;
}

/* A suite is required whole: every case that the kind declares to be fit for, and one that is the suite's own. */
static void required_suites_are_whole(void **state)
{
    (void)state;
    static const char *need[1];
    config.requires = need;
    config.nrequires = 1;
    need[0] = "auth"; /* a case about tables passes, but the kind has no users */
    assert_int_equal(run("auth", NULL), SP_EXIT_FAILED);
    assert_int_equal(totals.n[SP_PASSED], 1);
    assert_true(reason_has("auth.users was skipped for want of sign_in"));
    need[0] = "part"; /* what is not declared is not asked for */
    assert_int_equal(run("part", NULL), SP_EXIT_OK);
    outcome("part.no_roles", "skipped", SP_FLD_reason, "not applicable: kind fake has no database users");
    need[0] = "less"; /* what is declared and not there is */
    assert_int_equal(run("less", NULL), SP_EXIT_FAILED);
    assert_true(reason_has("less.switched_off was skipped for want of transactions"));
    need[0] = "good"; /* a part says nothing about the whole */
    assert_int_equal(run("good", "good.passes_too"), SP_EXIT_OK);
    assert_true(noted("only some cases were selected"));
    need[0] = "good.*";
    assert_int_equal(run("good", "good.passes_too"), SP_EXIT_OK);
    assert_true(noted("only some cases were selected"));
    assert_int_equal(run("good", NULL), SP_EXIT_OK);
    assert_false(noted("only some cases were selected"));
    providers[0].access = SP_ACCESS_READ_ONLY;
    assert_int_equal(run("good", NULL), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("good.passes_too was skipped"));
    providers[0].access = SP_ACCESS_DISPOSABLE;
}

/* What is expected to fail is not proved, and neither is what no case tries. */
static void requirements_are_not_proved_by_failures(void **state)
{
    (void)state;
    static const char *need[] = { "fake.fails" };
    struct sp_config_xfail x = {
        .id = "fake.fails", .link = "https://example.com/1", .reason = "known", .until_day = 1000000
    };
    config.requires = need;
    config.nrequires = 1;
    config.xfails = &x;
    config.nxfails = 1;
    assert_int_equal(run("fake", "fake.*a[si][ls]*s"), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("fake.fails fails, as expected"));
    need[0] = "fake.passes";
    assert_int_equal(run("fake", "fake.*a[si][ls]*s"), SP_EXIT_OK);
    config.nxfails = 0;
    /* A capability that is no need of any case: said in part of a run, blocking in a whole one. */
    need[0] = "bulk_load";
    assert_int_equal(run("good", NULL), SP_EXIT_OK);
    const struct sp_suite *const few[] = { &good_suite, NULL };
    struct sp_run_options o = { .config = &config,
        .kinds = kinds,
        .suites = few,
        .seed = 1,
        .quick = true,
        .timeout_factor = 1,
        .program = "/proc/self/exe",
        .run_id = "testrun1" };
    forget();
    sp_buf_free(&reasons);
    assert_int_equal(sp_run(&o, &seen.base, &totals, &reasons, &error), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("no case tries it"));
    /* What stands before the dot has to exist, too. */
    need[0] = "fake.transactions";
    assert_int_equal(run("good", NULL), SP_EXIT_OK);
    need[0] = "typo.transactions";
    assert_int_equal(run("good", NULL), -SP_E_INVALID);
}

int main(int argc, char **argv)
{
    if (is_worker(argc, argv))
        return sp_worker_main(kinds, suites);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_outcome_is_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pass_that_does_not_fit_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_tell_the_whole_story, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exit_codes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_names_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(providers_that_cannot_be_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expected_failures_expire, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requirements_must_be_proved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(required_suites_are_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requirements_are_not_proved_by_failures, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
