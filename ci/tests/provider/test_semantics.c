/* test_semantics.c -- observed behaviour in the reports: who behaves alike, what differs, who was not looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report_case.h"
#include "reports/semantics.h"

#define PROVIDER(seq, n)                                                                                     \
    "{\"seq\":" seq ",\"t\":0,\"ev\":\"provider\",\"name\":\"" n                                             \
    "\",\"kind\":\"k\",\"fidelity\":\"real\",\"server_version\":\"1\"}\n"
#define SEEN(seq, p, topic, what)                                                                            \
    "{\"seq\":" seq ",\"t\":0,\"ev\":\"semantics\",\"provider\":\"" p "\",\"id\":\"s.c\",\"topic\":\"" topic \
    "\",\"observed\":\"" what "\"}\n"
#define UNSEEN(seq, p, topic, why)                                                                           \
    "{\"seq\":" seq ",\"t\":0,\"ev\":\"semantics\",\"provider\":\"" p "\",\"id\":\"s.c\",\"topic\":\"" topic \
    "\",\"reason\":\"" why "\"}\n"
#define CASE_END(seq, p, outcome, why)                                                                       \
    "{\"seq\":" seq ",\"t\":0,\"ev\":\"case_end\",\"id\":\"s.c\",\"suite\":\"s\",\"provider\":\"" p          \
    "\",\"outcome\":\"" outcome "\",\"duration_s\":0.1,\"reason\":\"" why "\"}\n"
#define SWITCH                                                                                               \
    "{\"seq\":1,\"t\":0,\"ev\":\"run_start\",\"run\":\"r\",\"source\":\"old\",\"target\":\"new\"}\n"

static const char stream[] = SWITCH PROVIDER("2", "old") PROVIDER("3", "new") PROVIDER("4", "third")
    PROVIDER("5", "idle") SEEN("6", "old", "alike: x", "same <b>") SEEN("7", "new", "alike: x", "same <b>")
        SEEN("8", "old", "differs: x", "one") SEEN("9", "new", "differs: x", "one") SEEN("10", "third",
            "differs: x", "two") SEEN("11", "old", "switch: x", "kept") SEEN("12", "new", "switch: x", "cut")
            SEEN("13", "third", "switch: x", "kept") SEEN("14", "old", "alone: x", "here")
                UNSEEN("15", "new", "alone: x", "json is not offered") CASE_END("16", "old", "passed", "")
                    CASE_END("17", "new", "passed", "") CASE_END("18", "third", "passed", "")
                        CASE_END("19", "idle", "skipped", "it has no tables") ENDED("20", "3");

static const struct rds_topic *find(const struct rds *s, const char *topic)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->v[i].topic, topic) == 0)
            return &s->v[i];
    fail_msg("no topic %s", topic);
    return NULL;
}

static void classes(void **state)
{
    struct fx *f = *state;
    struct sp_arena a = SP_ARENA_INIT;
    struct rd *r;
    struct rds s;
    stream_raw(f->dir, stream);
    assert_int_equal(rd_load(&r, f->dir, NULL), 0);
    assert_int_equal(rds_load(r, &a, &s), 0);
    assert_int_equal(s.n, 4);
    assert_string_equal(s.v[0].topic, "switch: x"); /* what the switch changes comes first */
    assert_int_equal(s.v[0].kind, RDS_SWITCH);
    assert_int_equal(s.v[0].cells[0].class, 0);
    assert_int_equal(s.v[0].cells[1].class, 1);
    assert_int_equal(s.v[0].cells[2].class, 0);
    assert_int_equal(s.v[0].cells[3].class, RDS_NONE);
    assert_string_equal(s.v[0].cells[3].reason, "it has no tables");
    assert_int_equal(s.v[1].kind, RDS_DIFFERS);
    assert_int_equal(find(&s, "alike: x")->kind, RDS_ALIKE);
    assert_string_equal(find(&s, "alike: x")->cells[2].reason, "the case came to no answer about it");
    assert_int_equal(find(&s, "alone: x")->kind, RDS_ALONE); /* one alone agrees with nobody */
    assert_string_equal(find(&s, "alone: x")->cells[1].reason, "json is not offered");
    assert_true(rds_concerns(&s, 0));
    assert_false(rds_concerns(&s, 3));
    char letter[24];
    rds_letter(27, letter);
    assert_string_equal(letter, "B2");
    rd_free(r);
    sp_arena_free(&a);
}

static void in_the_files(void **state)
{
    struct fx *f = *state;
    stream_raw(f->dir, stream);
    hold(f);
    const char *t = text_of(f, "report.html");
    has(t, "<section id=\"semantics\"");
    has(t, "1 of the 3 topics that were seen on both differ");
    has(t, "same &lt;b&gt;");
    has(t, "<span class=\"sr\"> cut</span>"); /* the letter's meaning, for who does not see the legend */
    has(t, "– new: json is not offered");
    has(t, "All that were looked at behave alike <span class=\"n\">1</span>");
    has(t, "Seen on one provider only: not compared <span class=\"n\">1</span>");
    assert_true(strstr(t, ">switch: x") < strstr(t, ">differs: x"));
    assert_true(strstr(t, ">differs: x") < strstr(t, ">alike: x"));
    t = text_of(f, "summary.md");
    has(t, "Behaviour that differs (2 of 4 topics)");
    has(t, "| switch: x **(source ≠ target)** | A: kept | B: cut | A: kept | – |");
    hasnt(t, "alike: x");
    t = text_of(f, "summary.json");
    has(t, "\"source_target_differ\": true");
    has(t, "\"behaviour\": \"cut\"");
    has(t, "\"reason\": \"json is not offered\"");
}

/* Without a switch in the configuration nothing is said of one. */
static void no_switch(void **state)
{
    struct fx *f = *state;
    struct sp_buf text = SP_BUF_INIT;
    assert_int_equal(sp_buf_printf(&text, "%s%s", START, stream + strlen(SWITCH)), 0);
    stream_raw(f->dir, text.p);
    sp_buf_free(&text);
    hold(f);
    const char *t = text_of(f, "report.html");
    hasnt(t, "seen on both differ");
    hasnt(t, "source and target</span>");
    has(t, "Where they differ <span class=\"n\">2</span>");
}

/* A case that ran anew: its last word counts. */
static void told_twice(void **state)
{
    struct fx *f = *state;
    stream_raw(f->dir, START PROVIDER("2", "old") PROVIDER("3", "new") SEEN("4", "old", "t: x", "first")
                           SEEN("5", "new", "t: x", "last") SEEN("6", "old", "t: x", "last")
                               CASE_END("7", "old", "passed", "") ENDED("8", "1"));
    hold(f);
    has(text_of(f, "report.html"), "Nothing was seen that differs.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(classes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(in_the_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_switch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(told_twice, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
