/* test_reports_console.c -- what the console shows of handwritten event streams. */
#include "report_case.h"

#include <fcntl.h>

/* Feeds the events of the report directory to a console and gives what it wrote to standard output. */
static const char *console(struct fx *f, bool tty, bool color, int verbosity)
{
    char path[256];
    struct sp_buf events = SP_BUF_INIT;
    struct sp_console *c;
    assert_int_equal(sp_path_join(path, sizeof path, f->dir, "events.jsonl", NULL), 0);
    assert_int_equal(sp_read_file(path, 64u << 20, &events, NULL), 0);
    assert_int_equal(sp_path_join(path, sizeof path, f->dir, "console", NULL), 0);
    (void)fflush(stdout);
    int saved = dup(STDOUT_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(saved >= 0 && fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
    int rc = sp_console_new(&c, tty, color, verbosity);
    for (const char *p = events.p; rc == 0 && *p != '\0';) {
        size_t n = strcspn(p, "\n");
        struct sp_event_in ev = { 0 };
        rc = sp_event_parse(p, n, &ev, NULL);
        sp_console_observe(c, ev.kind, p, n);
        sp_event_in_free(&ev);
        p += n + (p[n] == '\n');
    }
    sp_console_free(c);
    (void)dup2(saved, STDOUT_FILENO);
    (void)close(saved);
    (void)close(fd);
    sp_buf_free(&events);
    assert_int_equal(rc, 0);
    return text_of(f, "console");
}

static void console_shows_failures(void **state)
{
    struct fx *f = *state;
    stream_run(f->dir, HOSTILE);
    const char *t = console(f, false, false, 1);
    has(t, "FAILED  crud.unique on next\n    expected  unique: key (7) exists\n    actual    unique: key (8) "
           "exists\n");
    has(t, "    repeat    switchproof run -c switchproof.yaml");
    has(t, "33 passed, 2 failed, 1 errored, 3 skipped, 1 expected failures");
    has(t, "BROKEN (exit code 1)");
    has(t,
        "BROKEN next         crud            2 passed, 2 failed, 1 errored, 1 expected failures, 1 skipped");
    has(t, "held   local        crud            2 passed  (");
    hasnt(t, "\x1b");
    hasnt(t, "\xe2\x80\xae");
    hasnt(t, "\r");
    has(console(f, true, true, 1), "\x1b[31;1mFAILED \x1b[0m");
    t = console(f, false, false, 0);
    has(t, "BROKEN (exit code 1)");
    hasnt(t, "crud.unique");
    has(console(f, false, false, 2), "skipped  crud.commit on stand-in");
}

#define ERRORED(seq, id)                                                                                     \
    "{\"seq\":" seq ",\"t\":0,\"ev\":\"case_end\",\"id\":\"" id "\",\"suite\":\"s\",\"provider\":\"p\","     \
    "\"outcome\":\"errored\",\"message\":\"no route\",\"duration_s\":0}\n"

#define CHECKED(seq, p, found)                                                                               \
    "{\"seq\":" seq ",\"t\":0,\"ev\":\"check\",\"id\":\"s.c\",\"suite\":\"s\",\"provider\":\"" p "\","       \
    "\"what\":\"w\",\"expected\":\"1\",\"actual\":\"" found "\"}\n"
#define FAILED(seq, p)                                                                                       \
    "{\"seq\":" seq ",\"t\":0,\"ev\":\"case_end\",\"id\":\"s.c\",\"suite\":\"s\",\"provider\":\"" p "\","    \
    "\"outcome\":\"failed\",\"duration_s\":0}\n"

/* Workers run side by side: each case is shown with its own check. */
static void console_keeps_workers_apart(void **state)
{
    struct fx *f = *state;
    stream_raw(f->dir, START CHECKED("2", "p", "22") CHECKED("3", "q", "33") FAILED("4", "q") FAILED("5", "p")
                           ENDED("6", "0"));
    const char *t = console(f, false, false, 1);
    has(t, "FAILED  s.c on q\n    expected  1\n    actual    33\n");
    has(t, "FAILED  s.c on p\n    expected  1\n    actual    22\n");
}

static void console_says_it_once(void **state)
{
    struct fx *f = *state;
    stream_raw(f->dir, START ERRORED("2", "s.a") ERRORED("3", "s.b") ERRORED("4", "s.c") ENDED("5", "0"));
    const char *t = console(f, false, false, 1);
    has(t, "ERRORED s.a on p\n    message   no route\n    … and 2 more cases with the same message\n");
    hasnt(t, "s.b");
    has(console(f, false, false, 2), "ERRORED s.b on p");
}

static void console_shows_differences(void **state)
{
    struct fx *f = *state;
    stream_verify(f->dir, "different", 1);
    const char *t = console(f, false, false, 1);
    has(t, "DIFFERS table package: source 1,202 rows, target 1,201 rows; 1 missing, 0 extra, 2 changed");
    has(t, "equal   table dependency: 10,841 rows");
    has(t, "changed package key name=bash column maintainer");
    has(t, "DIFFERS type installed_size of package: changed");
    has(t, "NOT COMPARED audit_log: triggers are not inspected");
    has(t, "2 introduced");
    has(t, "BEHIND  sequence package");
    has(t, "package.maintainer: only the case of letters differs (very likely: fits 2 of 2 values looked at; "
           "3 rows");
}

/* A stream may come from anywhere: no name in it speaks to the terminal. */
static void console_hides_controls_in_names(void **state)
{
    struct fx *f = *state;
    stream_raw(f->dir,
        START "{\"seq\":2,\"t\":0,\"ev\":\"plan\",\"provider\":\"p\\u001b[2J\",\"suite\":\"s\\u202e\","
              "\"cases\":1}\n"
              "{\"seq\":3,\"t\":0,\"ev\":\"case_end\",\"id\":\"s.c\",\"suite\":\"s\\u202e\",\"provider\":"
              "\"p\\u001b[2J\",\"outcome\":\"skipped\",\"reason\":\"r\",\"duration_s\":0}\n" ENDED("4", "0"));
    const char *t = console(f, false, false, 1);
    hasnt(t, "\x1b");
    hasnt(t, "\xe2\x80\xae");
    has(t, "none   p\\u{001B}[2J s\\u{202E}       0 passed, 1 skipped");
    has(t, "     1  p\\u{001B}[2J r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(console_shows_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(console_keeps_workers_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(console_says_it_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(console_shows_differences, set_up, tear_down),
        cmocka_unit_test_setup_teardown(console_hides_controls_in_names, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
