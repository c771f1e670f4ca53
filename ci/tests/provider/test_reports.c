/* test_reports.c -- what the reports make of handwritten event streams. */
#include "report_case.h"

/* ---- runs ----------------------------------------------------------------------------------------------------- */

static void a_run(void **state)
{
    struct fx *f = *state;
    stream_run(f->dir, "an odd remark");
    hold(f);
    const char *t = text_of(f, "report.html");
    has(t, "Exit code 1: a promise is broken");
    has(t, "unique: key (<mark>7</mark>) exists");
    has(t, "unique: key (<mark>8</mark>) exists");
    has(t, "<svg class=\"hist\"");
    has(t, "the worker died from signal 11");
    has(t, "the server answers BEGIN with an error");
    has(t, "it pretends to work");
    hasnt(t, "answers unsupported"); /* as it should: no finding */
    has(t, "switchproof run -c switchproof.yaml -p next -k crud.update --seed 20260721");
    hasnt(t, "TRUNCATED");
    t = text_of(f, "junit.xml");
    has(t, "expected unique: key (7) exists | actual unique: key (8) exists\n");
    has(t, "<testsuite name=\"next.crud\" tests=\"7\" failures=\"2\" errors=\"1\" skipped=\"2\"");
    has(t, "<testsuite name=\"gone.set-up\" tests=\"1\" failures=\"0\" errors=\"1\"");
    t = text_of(f, "summary.json");
    has(t, "\"verdict\": \"BROKEN\"");
    has(t, "\"exit_code\": 1");
    t = text_of(f, "summary.md");
    has(t, "33 passed, 2 failed, 1 errored, 3 skipped, 1 expected failures");
    has(t, "| stand-in | mock |");
    has(t, "| nulls when ordered | A: first | B: last |");
    hasnt(t, "| text compared |"); /* seen on one provider only: nothing to differ from */
}

/* A stand-in is named as one in every section that names it. */
static void fidelity_shows(void **state)
{
    static const char *const sections[] = { "matrix", "failing", "skipped", "capabilities", "environment",
        "cases" };
    struct fx *f = *state;
    char mark[64];
    stream_run(f->dir, "x");
    render(f);
    const char *t = text_of(f, "report.html");
    for (size_t i = 0; i < SP_LEN(sections); i++) {
        (void)snprintf(mark, sizeof mark, "<section id=\"%s\"", sections[i]);
        const char *from = strstr(t, mark), *to = from == NULL ? NULL : strstr(from, "</section>");
        assert_non_null(to);
        const char *badge = strstr(from, "compatible server</span>");
        if (badge == NULL || badge > to)
            fail_msg("no badge in %s", sections[i]);
    }
}

static void hostile_text(void **state)
{
    static const char *const files[] = { "report.html", "junit.xml", "summary.md" };
    struct fx *f = *state;
    stream_run(f->dir, HOSTILE);
    hold(f);
    for (size_t i = 0; i < SP_LEN(files); i++) {
        const char *t = text_of(f, files[i]);
        /* code in Markdown stands between backticks, where nothing is markup */
        if (i < 2)
            hasnt(t, "<script>alert");
        if (i == 0)
            hasnt(t, "<b>line</b>");
        hasnt(t, "\xe2\x80\xae");
        hasnt(t, "\xe2\x80\x8b");
        hasnt(t, "\x1b");
        has(t, "\\u{202E}");
    }
    hasnt(text_of(f, "summary.md"), "| <script");
    hasnt(text_of(f, "summary.md"), "- <script");
    has(text_of(f, "report.html"), "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;amp;");
}

static void more_hidden_characters(void **state)
{
    struct fx *f = *state;
    stream_run(f->dir, "a\xd8\x9c"
                       "b\xe2\x80\xa8"
                       "c\xf3\xa0\x81\x81"
                       "d\xc2\xad"
                       "e\xe2\x81\xa6"
                       "f");
    hold(f);
    has(text_of(f, "report.html"), "a\\u{061C}b\\u{2028}c\\u{E0041}d\\u{00AD}e\\u{2066}f");
}

static void an_empty_run(void **state)
{
    struct fx *f = *state;
    stream_empty(f->dir);
    hold(f);
    has(text_of(f, "report.html"), "Exit code 5: nothing ran");
    has(text_of(f, "junit.xml"), "<error message=\"no case was selected\"");
    has(text_of(f, "summary.json"), "\"exit_code\": 5");
}

/* ---- streams that are not whole -------------------------------------------------------------------------------- */

/* No report of them may look like success. */
static void says_truncated(struct fx *f, const char *why)
{
    hold(f);
    const char *t = text_of(f, "report.html");
    has(t, "<h1 id=\"h-verdict\">TRUNCATED</h1>");
    has(t, why);
    hasnt(t, "class=\"verdict good\"");
    t = text_of(f, "junit.xml");
    has(t, "<error");
    has(t, "name=\"the run ended\"");
    t = text_of(f, "summary.json");
    has(t, "\"verdict\": \"TRUNCATED\"");
    has(t, "\"exit_code\": null");
    has(t, "\"truncated\": true");
    has(text_of(f, "summary.md"), "TRUNCATED");
}

static void a_truncated_run(void **state)
{
    struct fx *f = *state;
    stream_truncated(f->dir);
    says_truncated(f, "the run has no end");
    has(text_of(f, "summary.json"), "\"outcome\": \"not run\"");
    has(text_of(f, "junit.xml"), "type=\"not-run\"");
}

#define BROKEN_OFF(seq)                                                                                      \
    "{\"seq\":" seq ",\"t\":1,\"ev\":\"run_end\",\"verdict\":\"INCONCLUSIVE\",\"exit_code\":3}\n"
#define CASE(seq, outcome)                                                                                   \
    "{\"seq\":" seq ",\"t\":0,\"ev\":\"case_end\",\"id\":\"s.c\",\"suite\":\"s\",\"provider\":\"p\","        \
    "\"outcome\":\"" outcome "\",\"duration_s\":0.5}\n"

static void damaged_streams(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { START CASE("2", "passed") ENDED("4", "1"), "events are missing before number 4" },
        { START CASE("2", "passed") ENDED("3", "2"), "the totals at its end are not those of its cases" },
        { START CASE("2", "failed") CASE("3", "passed") ENDED("4", "1"), "ends a second time in event 3" },
        { START ENDED("2", "0") CASE("3", "failed"), "event 3 stands behind the end" },
        { CASE("1", "passed") ENDED("2", "1"), "not the first event, but number 1" },
        { START "not json\n" ENDED("3", "0"), "line 2 is not an event" },
        { START CASE("2", "passed") "{\"seq\":3,\"t\":1,\"ev\":\"run_end\"", "the last line, 3, is cut" },
        { "", "the run has no end" },
        { START CASE("2", "failed") ENDED("3", "0"),
            "exit code 0, which its cases or its comparison contradict" },
        { START CASE("2", "errored") ENDED("3", "0"), "exit code 0, which its cases" },
        { START "{\"seq\":2,\"t\":0,\"ev\":\"plan_case\",\"id\":\"s.c\",\"suite\":\"s\",\"provider\":\"p\"}"
                "\n" ENDED("3", "0"),
            "exit code 0, which its cases" },
        { START "{\"seq\":2,\"t\":0,\"ev\":\"verify_start\"}\n" ENDED("3", "0"),
            "exit code 0, which its cases" },
    };
    struct fx *f = *state;
    for (size_t i = 0; i < SP_LEN(rows); i++) {
        stream_raw(f->dir, rows[i].text);
        says_truncated(f, rows[i].why);
    }
}

/* What a newer version writes is skipped, and is no gap. */
static void unknown_events(void **state)
{
    struct fx *f = *state;
    stream_raw(
        f->dir, START "{\"seq\":2,\"t\":0,\"ev\":\"news\",\"x\":1}\n" CASE("3", "passed") ENDED("4", "1"));
    hold(f);
    hasnt(text_of(f, "report.html"), "TRUNCATED");
    has(text_of(f, "summary.json"), "\"verdict\": \"HELD\"");
}

/* The cases of a provider that was never announced are not lost. */
static void unannounced_provider(void **state)
{
    struct fx *f = *state;
    stream_raw(f->dir, START CASE("2", "errored") BROKEN_OFF("3"));
    hold(f);
    has(text_of(f, "junit.xml"), "<testsuite name=\"p.s\" tests=\"1\" failures=\"0\" errors=\"1\"");
    has(text_of(f, "report.html"), "<h1 id=\"h-verdict\">INCONCLUSIVE</h1>");
    has(text_of(f, "summary.md"), "| p | unknown |");
}

static void nothing_there(void **state)
{
    struct fx *f = *state;
    struct sp_error err = SP_ERROR_INIT;
    assert_int_equal(sp_report_render(f->dir, SP_REPORT_ALL, &err), -SP_E_NOT_FOUND);
    has(sp_error_text(&err), f->dir);
    sp_error_clear(&err);
}

/* ---- comparisons ----------------------------------------------------------------------------------------------- */

/* Most certain first, in every file. */
static void likely_causes(struct fx *f)
{
    static const char *const files[] = { "report.html", "summary.md", "verify.json" };
    for (size_t i = 0; i < 3; i++) {
        const char *t = text_of(f, files[i]);
        const char *sure = strstr(t, "only the case of letters differs"),
                   *none = strstr(t, "no pattern recognised");
        assert_non_null(sure);
        assert_non_null(none);
        assert_true(sure < none);
        has(t, "take lower() out of the load");
    }
    has(text_of(f, "summary.md"), "very likely; fits 2 of 2 values looked at; 3 rows differ in all");
    has(text_of(f, "report.html"), "not known");
    has(text_of(f, "verify.json"), "\"confidence\": 0.95");
}

static void copies_that_differ(void **state)
{
    struct fx *f = *state;
    stream_verify(f->dir, "different", 1);
    hold(f);
    const char *t = text_of(f, "report.html");
    has(t, "name=bash");
    has(t, "<mark>org</mark>");
    has(t, "The list is capped");
    has(t, "triggers are not inspected");
    has(t, "official emulator");
    has(t, "behind: will collide");
    has(t, "not accepted");
    t = text_of(f, "verify.json");
    has(t, "\"verdict\": \"different\"");
    has(t, "\"column\": \"maintainer\"");
    has(t, "\"differences_capped\": true");
    has(t, "\"touched\": 812");
    t = text_of(f, "junit.xml");
    has(t, "<failure message=\"expected 1202 rows as in the source | actual 1201 rows: 1 missing, 0 extra, 2 "
           "changed\"");
    t = text_of(f, "summary.md");
    has(t, "2 orphans that the source has not");
    has(t, "is behind the source");
    has(t, "column ` maintainer `");
    likely_causes(f);
}

static void copies_that_are_equal(void **state)
{
    struct fx *f = *state;
    stream_verify(f->dir, "equal", 0);
    hold(f);
    has(text_of(f, "report.html"), "class=\"verdict good\"");
    has(text_of(f, "verify.json"), "\"verdict\": \"equal\"");
    hasnt(text_of(f, "junit.xml"), "<failure");
    hasnt(text_of(f, "junit.xml"), "<error");
}

/* Equal data, and still not exit code 0: the CI server must not see green. */
static void equal_but_not_ok(void **state)
{
    struct fx *f = *state;
    stream_verify(f->dir, "equal", 3);
    hold(f);
    has(text_of(f, "junit.xml"), "<error");
    hasnt(text_of(f, "report.html"), "class=\"verdict good\"");
}

static void accepted_loss(void **state)
{
    struct fx *f = *state;
    stream_verify(f->dir, "equal_with_loss", 0);
    hold(f);
    has(text_of(f, "junit.xml"),
        "<testcase name=\"both copies hold the same data\" classname=\"verify\" time=\"0.000\"/>");
    stream_verify(f->dir, "equal_with_loss", 1);
    hold(f);
    hasnt(text_of(f, "junit.xml"),
        "name=\"both copies hold the same data\" classname=\"verify\" time=\"0.000\"/>");
}

/* Copying is not proof: the page says so. */
static void a_migration(void **state)
{
    struct fx *f = *state;
    stream_migrate(f->dir, 0);
    hold(f);
    has(text_of(f, "report.html"), "Copied, not compared.");
    has(text_of(f, "report.html"), "<td class=\"num plain\">1,202</td>");
    has(text_of(f, "junit.xml"), "<testcase name=\"the tables were copied\"");
    hasnt(text_of(f, "junit.xml"), "<error");
    stream_migrate(f->dir, 3);
    hold(f);
    has(text_of(f, "junit.xml"), "<error message=\"the disk is full\"");
    hasnt(text_of(f, "junit.xml"), "the tables were copied");
}

/* ---- the checks themselves -------------------------------------------------------------------------------------- */

static int junit_code(struct fx *f, const char *text)
{
    char path[256];
    assert_int_equal(sp_path_join(path, sizeof path, f->dir, "x", NULL), 0);
    assert_int_equal(sp_write_file_atomic(path, text, strlen(text), NULL), 0);
    return tool("check_junit", "", f->dir, "x");
}

#define SUITE(counts, cases)                                                                                 \
    "<testsuites><testsuite name=\"a\" " counts " time=\"0.000\">" cases "</testsuite></testsuites>"
#define ONE   "tests=\"1\" failures=\"0\" errors=\"0\""
#define TC(x) "<testcase name=\"n\" classname=\"c\" time=\"" x "\""

static void junit_is_held_to_its_rules(void **state)
{
    static const char *const bad[] = {
        "<testsuites>",
        "<testsuite name=\"a\" " ONE " time=\"0.000\"/>",
        SUITE(ONE, ""),
        SUITE(ONE, TC("0.1") "/>"),
        SUITE(ONE, TC("-0.100") "/>"),
        SUITE(ONE, TC("0.100") " file=\"x\"/>"),
        SUITE(ONE, "<testcase name=\"n\" time=\"0.000\"/>"),
        SUITE(ONE, TC("0.100") "><other/></testcase>"),
        SUITE(ONE, TC("0.100") ">text</testcase>"),
        SUITE("tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"1\"",
            TC("0.100") "><skipped/><failure type=\"t\"/></testcase>"),
        SUITE("tests=\"1\" failures=\"1\" errors=\"0\"", TC("0.100") "><failure/></testcase>"),
        SUITE("tests=\"1\" failures=\"1\" errors=\"0\"", TC("0.100") "/>"),
        SUITE("tests=\"1\" failures=\"0\" errors=\"0\"", TC("0.100") "><error type=\"t\"/></testcase>"),
        SUITE("tests=\"2\" failures=\"0\" errors=\"0\"", TC("0.100") "/>" TC("0.200") "/>"),
        SUITE(ONE " timestamp=\"2026-01-01T00:00:00Z\"", TC("0.100") "/>"),
        SUITE(ONE, TC("0.100") "/><properties/>"),
    };
    struct fx *f = *state;
    assert_int_equal(junit_code(f, SUITE(ONE, TC("0.100") "/>")), 0);
    assert_int_equal(junit_code(f, SUITE(ONE " timestamp=\"2026-01-01T00:00:00\" id=\"0\"",
                                       "<properties/>" TC("0.100") "/>")),
        0);
    for (size_t i = 0; i < SP_LEN(bad); i++)
        if (junit_code(f, bad[i]) != 1)
            fail_msg("not refused: %s", bad[i]);
}

static void html_is_held_to_its_rules(void **state)
{
    static const char *const bad[] = {
        "<img src=x>",
        "<script>1</script>",
        "<p onclick=\"x()\">",
        "<a href=\"https://x.example\">x</a>",
        "</section>",
        "<style>a{background:url(x)}</style>",
        "<iframe></iframe>",
        "<table><tr><th>x</th></tr></table>",
        "<!-- x -->",
    };
    struct fx *f = *state;
    char path[256];
    stream_empty(f->dir);
    render(f);
    assert_int_equal(sp_path_join(path, sizeof path, f->dir, "x.html", NULL), 0);
    for (size_t i = 0; i < SP_LEN(bad); i++) {
        struct sp_buf page = SP_BUF_INIT;
        const char *t = text_of(f, "report.html"), *at = strstr(t, "<footer>");
        assert_non_null(at);
        (void)sp_buf_put(&page, t, (size_t)(at - t));
        (void)sp_buf_puts(&page, bad[i]);
        (void)sp_buf_puts(&page, at);
        assert_int_equal(sp_write_file_atomic(path, page.p, page.n, NULL), 0);
        sp_buf_free(&page);
        if (tool("check_html", "", f->dir, "x.html") != 1)
            fail_msg("not refused: %s", bad[i]);
    }
}

static void json_is_held_to_its_fields(void **state)
{
    static const struct {
        const char *from, *to;
    } rows[] = { { "\"verdict\"", "\"verdikt\"" }, { "\"passed\": 33", "\"passed\": 34" },
        { "\"xfailed\"", "\"expected\"" }, { "\"exit_code\": 1", "\"exit_code\": 6" },
        { "\"mock\",\n      \"server", "\"moc\",\n      \"server" } };
    struct fx *f = *state;
    char path[256];
    stream_run(f->dir, "x");
    render(f);
    assert_int_equal(sp_path_join(path, sizeof path, f->dir, "x.json", NULL), 0);
    for (size_t i = 0; i < SP_LEN(rows); i++) {
        struct sp_buf text = SP_BUF_INIT;
        const char *t = text_of(f, "summary.json"), *at = strstr(t, rows[i].from);
        if (at == NULL)
            fail_msg("not there: %s", rows[i].from);
        (void)sp_buf_put(&text, t, (size_t)(at - t));
        (void)sp_buf_puts(&text, rows[i].to);
        (void)sp_buf_puts(&text, at + strlen(rows[i].from));
        assert_int_equal(sp_write_file_atomic(path, text.p, text.n, NULL), 0);
        sp_buf_free(&text);
        if (tool("check_json", "summary", f->dir, "x.json") != 1)
            fail_msg("not refused: %s", rows[i].to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fidelity_shows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_hidden_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_truncated_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_events, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unannounced_provider, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies_that_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies_that_are_equal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equal_but_not_ok, set_up, tear_down),
        cmocka_unit_test_setup_teardown(accepted_loss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_migration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(junit_is_held_to_its_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(html_is_held_to_its_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(json_is_held_to_its_fields, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
