/* test_run_faults.c -- runs that meet trouble: leftovers, interruption, a kill, journals that lie, reports that cannot be
 * written, and backends that pretend. */
#include "run_case.h"

#include "run/plan.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static void leftovers_are_counted(void **state)
{
    (void)state;
    /* The namespace goes although the table in it resisted. */
    assert_int_equal(run("stuck", NULL), SP_EXIT_INCONCLUSIVE);
    outcome("stuck.table", "errored", SP_FLD_message, "cleaning up");
    assert_int_equal(totals.leftovers, 0);
    assert_int_equal(entries_in(url_a + 5), 0);
    /* Without namespaces it stays, and stays in the journal. */
    providers[0].kind = "flat";
    assert_int_equal(run("stuck", NULL), SP_EXIT_INCONCLUSIVE);
    assert_int_equal(totals.leftovers, 1);
    assert_int_equal(journals(), 1);
    assert_int_equal(entries_in(url_a + 5), 1);
    uint64_t removed = 0;
    assert_int_equal(sp_clean(&config, kinds, NULL, false, &removed, &error), -SP_E_UNAVAILABLE);
    assert_int_equal(journals(), 1);
    /* Once it is gone, however that came, the journal goes. */
    assert_int_equal(sp_rmtree(url_a + 5, NULL), 0);
    assert_int_equal(mkdir(url_a + 5, 0700), 0);
    sp_error_clear(&error);
}

static void a_table_of_the_users_is_not_touched(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/left_a", url_a + 5);
    providers[0].kind = "flat";
    assert_int_equal(sp_write_file_atomic(path, "mine", 4, NULL), 0);
    assert_int_equal(run("fake", "fake.makes_tables"), SP_EXIT_INCONCLUSIVE);
    outcome("fake.makes_tables", "errored", SP_FLD_message, "exists already");
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(journals(), 0);
}

/* Forks a process that runs the waiting suite, and waits until its table exists. */
static pid_t start_waiting(const char *run_id)
{
    char path[160];
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        sp_interrupt_install();
        int code = run_as("wait", NULL, run_id);
        bool told = end_of("a", "wait.after") != NULL &&
                    strcmp(sp_event_get_text(end_of("a", "wait.after"), SP_FLD_outcome), "skipped") == 0;
        forget();
        _exit(told ? code : 100);
    }
    snprintf(path, sizeof path, "%s/sp_%s_wait0/left_a", url_a + 5, run_id);
    for (int i = 0; i < 500 && access(path, F_OK) != 0; i++)
        (void)nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
    assert_int_equal(access(path, F_OK), 0);
    return pid;
}

static void an_interrupted_run_cleans_up(void **state)
{
    (void)state;
    int status;
    pid_t pid = start_waiting("testrun2");
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SP_EXIT_INTERRUPTED);
    assert_int_equal(entries_in(url_a + 5), 0);
    assert_int_equal(journals(), 0);
}

static void a_killed_run_is_cleaned_afterwards(void **state)
{
    (void)state;
    char foreign[160];
    int status;
    uint64_t removed = 0;
    snprintf(foreign, sizeof foreign, "%s/sp_testrun9_wait0",
        url_a + 5); /* looks like ours, is not in the journal */
    assert_int_equal(mkdir(foreign, 0700), 0);
    pid_t pid = start_waiting("testrun3");
    /* Alive, its journal is locked. */
    assert_int_equal(sp_clean(&config, kinds, NULL, false, &removed, &error), 0);
    assert_int_equal(removed, 0);
    assert_int_equal(entries_in(url_a + 5), 2);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(sp_clean(&config, kinds, "other", false, &removed, &error), -SP_E_NOT_FOUND);
    sp_error_clear(&error);
    assert_int_equal(sp_clean(&config, kinds, NULL, true, &removed, &error), 0); /* dry run */
    assert_int_equal(entries_in(url_a + 5), 2);
    /* Another backend under the provider's name is left alone: the recorded place is cleaned. */
    providers[0].url = url_b;
    char trap[160];
    snprintf(trap, sizeof trap, "%s/sp_testrun3_wait0", url_b + 5);
    assert_int_equal(mkdir(trap, 0700), 0);
    assert_int_equal(sp_clean(&config, kinds, "testrun3", false, &removed, &error), 0);
    assert_int_equal(removed, 1);
    assert_int_equal(access(trap, F_OK), 0);
    assert_int_equal(entries_in(url_a + 5), 1);
    assert_int_equal(access(foreign, F_OK), 0);
    assert_int_equal(journals(), 0);
    assert_int_equal(sp_clean(&config, kinds, NULL, false, &removed, &error), 0);
    assert_int_equal(removed, 0);
}

/* A command that controls a server: it writes down what it is told. */
static const char *control(const char *more)
{
    static char path[96];
    struct sp_buf b = SP_BUF_INIT;
    snprintf(path, sizeof path, "%s/control", dir);
    (void)sp_buf_printf(&b, "#!/bin/sh\necho \"$1 $2\" >> '%s/told'\n%s\n", dir, more);
    assert_int_equal(sp_write_file_atomic(path, b.p, b.n, NULL), 0);
    assert_int_equal(chmod(path, 0700), 0);
    sp_buf_free(&b);
    return path;
}
static void told(const char *want)
{
    char path[96], got[400] = "";
    snprintf(path, sizeof path, "%s/told", dir);
    FILE *f = fopen(path, "r");
    if (f != NULL) {
        got[fread(got, 1, sizeof got - 1, f)] = '\0';
        (void)fclose(f);
    }
    (void)unlink(path);
    assert_string_equal(got, want);
}

static void a_server_is_disturbed_only_through_its_command(void **state)
{
    (void)state;
    assert_int_equal(run("down", NULL), SP_EXIT_INCONCLUSIVE);
    outcome("down.stops", "skipped", SP_FLD_reason, "has no server");
    outcome("down.undeclared", "errored", SP_FLD_message, "does not say so");
    const char *names[] = { "stack", "stack_server" }, *values[] = { control(""), "fake2" };
    providers[0].option_names = names;
    providers[0].option_values = values;
    providers[0].noptions = 2;
    assert_int_equal(run("down", NULL), SP_EXIT_INCONCLUSIVE);
    outcome("down.stops", "passed", SP_FLD_message, NULL);
    outcome("down.dies", "errored", SP_FLD_message, "SIGABRT");
    outcome("down.restarts", "passed", SP_FLD_message, NULL);
    /* Started again after every case, also by the parent after the one that died. */
    told("stop fake2\nstart fake2\nkill fake2\nstart fake2\nrestart fake2\nstart fake2\nstop fake2\nstart "
         "fake2\n");
    providers[0].noptions = 1;
    assert_int_equal(run("down", "down.stops"), SP_EXIT_OK);
    told("stop fake\nstart fake\n");
    /* A worker that is given up in the middle of a stop: the stop is ended before the start. */
    values[0] = control("case $1 in stop) sleep 3; echo ended >> ${0%control}told ;; esac");
    assert_int_equal(run("down", "down.slow"), SP_EXIT_INCONCLUSIVE);
    outcome("down.slow", "errored", SP_FLD_message, "no answer within");
    told("stop fake\nended\nstart fake\n");
    values[0] = control("echo 'no such server' >&2; exit 3");
    assert_int_equal(run("down", "down.stops"), SP_EXIT_INCONCLUSIVE);
    outcome("down.stops", "errored", SP_FLD_message, "no such server");
    values[0] = "/nowhere/control";
    assert_int_equal(run("down", "down.stops"), SP_EXIT_INCONCLUSIVE);
    outcome("down.stops", "errored", SP_FLD_message, "/nowhere/control");
    providers[0].noptions = 0;
}

static void nobody_runs_beside_a_case_that_disturbs(void **state)
{
    (void)state;
    const char *names[] = { "stack" }, *values[] = { "/bin/true" };
    struct sp_run_options o = { .config = &config, .kinds = kinds, .suites = suites };
    struct sp_plan plan;
    config.nproviders = 2;
    providers[0].option_names = names;
    providers[0].option_values = values;
    providers[0].noptions = 1;
    assert_int_equal(sp_plan_make(&plan, &o, &error), 0);
    for (size_t i = 0; i < plan.nlanes; i++) {
        const char *suite = plan.lanes[i].suite->name;
        bool faults = strcmp(suite, "down") == 0 || strcmp(suite, "fake") == 0;
        assert_int_equal(plan.lanes[i].alone,
            strcmp(suite, "alone") == 0 || (faults && strcmp(plan.lanes[i].provider->name, "a") == 0));
    }
    sp_plan_free(&plan);
    providers[0].noptions = 0;
}

static void write_journal(const char *run_dir, const char *type, const char *name)
{
    char path[160];
    struct sp_buf b = SP_BUF_INIT;
    snprintf(path, sizeof path, "%s/journal", state_dir);
    assert_int_equal(sp_mkdirs(path, NULL), 0);
    snprintf(path, sizeof path, "%s/journal/testrun5.jsonl", state_dir);
    (void)sp_buf_printf(&b,
        "{\"run\":\"testrun5\",\"format\":1%s%s%s}\n"
        "{\"op\":\"made\",\"provider\":\"a\",\"kind\":\"fake\",\"url\":\"%s\",\"type\":\"%s\",\"name\":\"%"
        "s\"}\n",
        run_dir != NULL ? ",\"dir\":\"" : "", run_dir != NULL ? run_dir : "", run_dir != NULL ? "\"" : "",
        providers[0].url, type, name);
    assert_int_equal(sp_write_file_atomic(path, b.p, b.n, NULL), 0);
    sp_buf_free(&b);
}

/* A journal is a file, and files can be written by anybody: names that no run gives are left alone. */
static void a_journal_cannot_remove_what_is_not_ours(void **state)
{
    (void)state;
    static const char *const names[] = { "mine", "sp_testrun", "sp_testrun5", "sp_testrun6_x",
        "spxtestrun5_x", "../a" };
    uint64_t removed = 0;
    char path[160];
    snprintf(path, sizeof path, "%s/mine", url_a + 5);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < SP_LEN(names); i++) {
        write_journal(NULL, "namespace", names[i]);
        assert_int_equal(sp_clean(&config, kinds, NULL, false, &removed, &error), -SP_E_UNAVAILABLE);
        assert_int_equal(removed, 0);
        assert_int_equal(access(path, F_OK), 0);
        assert_int_equal(journals(), 1);
    }
    /* A relative path is another place when seen from another directory. */
    static char relative[] = "fake:a";
    providers[0].url = relative;
    write_journal("/somewhere/else", "namespace", "sp_testrun5_x");
    assert_int_equal(sp_clean(&config, kinds, NULL, false, &removed, &error), -SP_E_UNAVAILABLE);
    assert_int_equal(removed, 0);
    assert_int_equal(journals(), 1);
    sp_error_clear(&error);
}

static int refuse(
    struct sp_emitter *em, enum sp_event_kind kind, const char *json, size_t n, struct sp_error *err)
{
    if (kind == SP_EV_CASE_END)
        return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "disk full");
    return remember(em, kind, json, n, err);
}

static void a_report_that_cannot_be_written_is_no_success(void **state)
{
    (void)state;
    struct sp_emitter em = { .send = refuse };
    const char *only[] = { "good" };
    struct sp_run_options o = { .config = &config,
        .kinds = kinds,
        .suites = suites,
        .only_suites = only,
        .nsuites = 1,
        .quick = true,
        .timeout_factor = 1,
        .program = "/proc/self/exe",
        .run_id = "testrun4" };
    forget();
    assert_int_equal(sp_run(&o, &em, &totals, &reasons, &error), -SP_E_IO);
    assert_int_equal(journals(), 0);
    o.program = "/nonexistent";
    forget();
    assert_int_equal(sp_run(&o, &seen.base, &totals, &reasons, &error), SP_EXIT_INCONCLUSIVE);
    outcome("good.passes", "errored", SP_FLD_message, "could not be executed");
}

static const char *audited(const char *capability)
{
    for (size_t i = 0; i < seen.n; i++) {
        const struct sp_event_in *e = &seen.ev[i];
        if (e->kind == SP_EV_CAP_AUDIT && strcmp(sp_event_get_text(e, SP_FLD_capability), capability) == 0)
            return sp_event_get_text(e, SP_FLD_outcome);
    }
    return "nothing";
}

static void what_is_not_offered_must_say_so(void **state)
{
    (void)state;
    assert_int_equal(run("audit", NULL), SP_EXIT_FAILED); /* begin succeeds although it is switched off */
    outcome(
        "audit.audit", "failed", SP_FLD_message, "transactions, which is not offered: expected unsupported");
    assert_string_equal(audited("transactions"), "broken");
    assert_string_equal(audited("roles"), "held");
    assert_string_equal(audited("put"), "nothing"); /* a facet that is not offered at all */
    assert_string_equal(audited("tables"), "nothing");
    providers[0].kind = "flat";
    assert_int_equal(run("audit", NULL), SP_EXIT_OK);
    assert_string_equal(audited("transactions"), "held");
    assert_string_equal(audited("namespaces"), "held");
    providers[0].access = SP_ACCESS_READ_ONLY;
    assert_int_equal(run("audit", NULL), SP_EXIT_OK);
    providers[0].kind = "mute";
    assert_int_equal(run("audit", NULL), SP_EXIT_FAILED);
    outcome("audit.audit", "failed", SP_FLD_message, "crud: expected a reason");
    assert_string_equal(audited("crud"), "broken");
}

int main(int argc, char **argv)
{
    if (is_worker(argc, argv))
        return sp_worker_main(kinds, suites);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(leftovers_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_table_of_the_users_is_not_touched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_interrupted_run_cleans_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_killed_run_is_cleaned_afterwards, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_journal_cannot_remove_what_is_not_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_report_that_cannot_be_written_is_no_success, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_server_is_disturbed_only_through_its_command, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_runs_beside_a_case_that_disturbs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_offered_must_say_so, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
