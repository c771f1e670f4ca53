/* The journal of what a run made, and the job that a worker gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/io.h"
#include "run/journal.h"

static char dir[64];
static struct sp_error error = SP_ERROR_INIT;
static const struct sp_config_provider provider = {
    .name = "p", .kind = "fake", .url = "fake://user:hunter2secret@host/db"
};

static int set_up(void **state)
{
    (void)state;
    (void)sp_strlcpy(dir, "/tmp/sp_journal_XXXXXX", sizeof dir);
    return mkdtemp(dir) != NULL ? 0 : -1;
}
static int tear_down(void **state)
{
    (void)state;
    sp_error_clear(&error);
    return sp_rmtree(dir, NULL);
}

static void note(int fd, bool made, const char *type, const char *name, const char *ns)
{
    const struct sp_object_ref o = { type, name, ns };
    assert_int_equal(sp_journal_note(fd, made, &provider, &o, &error), 0);
}

static void what_is_made_is_found_until_it_is_gone(void **state)
{
    (void)state;
    struct sp_journal j, other;
    struct sp_journal_log log;
    uint64_t left = 99;
    char path[128];
    assert_int_equal(sp_journal_create(&j, dir, "run00001", &error), 0);
    assert_int_equal(sp_journal_create(&other, dir, "run00002", &error), 0);
    snprintf(path, sizeof path, "%s/journal/run00001.jsonl", dir);
    assert_string_equal(j.path, path);
    int fd = sp_journal_open(path, &error);
    assert_true(fd >= 0);
    note(fd, true, "namespace", "ns1", NULL);
    note(fd, true, "table", "a \"quoted\"\nname", "ns1");
    note(fd, true, "table", "a", NULL);
    note(fd, true, "bucket", "b", NULL);
    note(fd, false, "bucket", "b", NULL);
    note(fd, true, "bucket", "b", NULL); /* made again */
    assert_int_equal(sp_journal_read(path, &log, &error), 0);
    assert_string_equal(log.run, "run00001");
    assert_int_equal(log.n, 5);
    assert_int_equal(log.live, 4);
    assert_string_equal(log.entries[1].object.name, "a \"quoted\"\nname");
    assert_null(strstr(log.entries[0].url, "hunter2secret")); /* no secret on disk */
    sp_journal_log_free(&log);
    note(fd, false, "namespace", "ns1", NULL); /* and what was in it */
    assert_int_equal(sp_journal_read(path, &log, &error), 0);
    assert_int_equal(log.live, 2);
    assert_false(log.entries[2].gone); /* the other "a" is in no namespace */
    sp_journal_log_free(&log);

    struct sp_journal second;
    assert_int_equal(sp_journal_adopt(&second, path, &error), -SP_E_CONFLICT); /* its run lives */
    assert_int_equal(sp_journal_finish(&j, &left, &error), 0);
    assert_int_equal(left, 2);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(sp_journal_adopt(&second, path, &error), 0);
    note(fd, false, "table", "a", NULL);
    note(fd, false, "bucket", "b", NULL);
    assert_int_equal(sp_journal_finish(&second, &left, &error), 0);
    assert_int_equal(left, 0);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(sp_journal_adopt(&second, path, &error), -SP_E_NOT_FOUND);
    (void)close(fd);
    sp_journal_close(&other);
}

static int read_text(const char *text, struct sp_journal_log *log)
{
    char path[128];
    snprintf(path, sizeof path, "%s/x.jsonl", dir);
    assert_int_equal(sp_write_file_atomic(path, text, strlen(text), NULL), 0);
    return sp_journal_read(path, log, &error);
}

#define HEAD "{\"run\":\"x\",\"format\":1}\n"
#define MADE(name)                                                                                           \
    "{\"op\":\"made\",\"provider\":\"p\",\"kind\":\"k\",\"url\":null,\"type\":\"table\",\"name\":\"" name    \
    "\","                                                                                                    \
    "\"ns\":null}\n"

static void a_torn_line_was_never_made_and_damage_is_told(void **state)
{
    (void)state;
    struct sp_journal_log log;
    assert_int_equal(read_text(HEAD MADE("a") "{\"op\":\"made\",\"prov", &log), 0);
    assert_int_equal(log.live, 1);
    sp_journal_log_free(&log);
    assert_int_equal(read_text(HEAD "{\"op\":\"made\"\n" MADE("a"), &log), -SP_E_CORRUPT);
    assert_non_null(strstr(error.text, "line 2"));
    assert_int_equal(read_text(HEAD "{\"op\":\"made\",\"provider\":\"p\"}\n", &log), -SP_E_CORRUPT);
    assert_int_equal(read_text("", &log), -SP_E_CORRUPT);
    assert_int_equal(read_text("{\"run\":\"x\",\"format\":2}\n", &log), -SP_E_CORRUPT);
    assert_int_equal(read_text(MADE("a"), &log), -SP_E_CORRUPT);
}

/* What is written behind a torn line must not become a part of it. */
static void a_torn_line_is_taken_away(void **state)
{
    (void)state;
    static const char *const whole[] = { HEAD MADE("a"), HEAD };
    for (size_t i = 0; i < 4; i++) {
        struct sp_journal_log log;
        struct sp_journal j;
        struct sp_buf text = SP_BUF_INIT;
        char path[128];
        snprintf(path, sizeof path, "%s/y.jsonl", dir);
        (void)sp_buf_printf(&text, "%s%s", whole[i / 2], i % 2 == 0 ? "{\"op\":\"gone\",\"prov" : "");
        assert_int_equal(sp_write_file_atomic(path, text.p, text.n, NULL), 0);
        assert_int_equal(sp_journal_adopt(&j, path, &error), 0);
        assert_int_equal(sp_journal_mend(&j, &error), 0);
        note(j.fd, true, "table", "b", NULL);
        assert_int_equal(sp_journal_read(path, &log, &error), 0);
        assert_int_equal(log.live, i / 2 == 0 ? 2 : 1);
        sp_journal_log_free(&log);
        sp_journal_close(&j);
        sp_buf_free(&text);
    }
}

static void a_job_arrives_as_it_was_sent(void **state)
{
    (void)state;
    static const char *const names[] = { "opt", "empty" };
    static const char *const values[] = { "value", NULL };
    static const struct sp_config_setting settings[] = { { "load", "users", 8.5, "8.5" },
        { "a", "b", 0, NULL } };
    static const char *cases[] = { "s.one", "s.two" };
    struct sp_object_ref objects[] = { { "table", "t", "ns" }, { "role", "r", NULL } };
    struct sp_job in = { .run = "run00001",
        .tag = "s0",
        .journal = "/j",
        .suite = "s",
        .announce = true,
        .quick = true,
        .seed = UINT64_MAX,
        .provider = { .name = "p",
            .kind = "k",
            .url = "k:x",
            .mutant = "m",
            .access = SP_ACCESS_DISPOSABLE,
            .connect_timeout_ms = 5,
            .statement_timeout_ms = 6,
            .option_names = names,
            .option_values = values,
            .noptions = 2 },
        .cases = cases,
        .ncases = 2,
        .objects = objects,
        .nobjects = 2,
        .settings = settings,
        .nsettings = 2 };
    struct sp_job out;
    int sv[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
    assert_int_equal(sp_job_send(sv[0], &in, &error), 0);
    assert_int_equal(sp_job_receive(sv[1], &out, &error), 0);
    assert_true(out.seed == UINT64_MAX && out.quick && out.announce && !out.clean);
    assert_string_equal(out.run, "run00001");
    assert_string_equal(out.journal, "/j");
    assert_string_equal(out.provider.url, "k:x");
    assert_string_equal(out.provider.mutant, "m");
    assert_int_equal(out.provider.access, SP_ACCESS_DISPOSABLE);
    assert_int_equal(out.provider.connect_timeout_ms, 5);
    assert_int_equal(out.provider.statement_timeout_ms, 6);
    assert_int_equal(out.provider.noptions, 2);
    assert_string_equal(out.provider.option_values[0], "value");
    assert_null(out.provider.option_values[1]);
    assert_int_equal(out.ncases, 2);
    assert_string_equal(out.cases[1], "s.two");
    assert_int_equal(out.nobjects, 2);
    assert_string_equal(out.objects[0].ns, "ns");
    assert_null(out.objects[1].ns);
    assert_int_equal(out.nsettings, 2);
    assert_true(out.settings[0].value > 8.4 && out.settings[0].value < 8.6);
    sp_job_free(&out);

    in.provider.url = "k:\xff";
    assert_int_equal(sp_job_send(sv[0], &in, &error), -SP_E_INVALID); /* told, not sent half */
    assert_int_equal(write(sv[0], "\x02\0\0\0{}", 6), 6);
    assert_int_equal(sp_job_receive(sv[1], &out, &error), -SP_E_INVALID);
    assert_int_equal(write(sv[0], "\xff\xff\xff\xff", 4), 4);
    assert_int_equal(sp_job_receive(sv[1], &out, &error), -SP_E_INVALID);
    assert_int_equal(write(sv[0], "\x09\0\0\0{}", 6), 6);
    (void)close(sv[0]);
    assert_int_equal(sp_job_receive(sv[1], &out, &error), -SP_E_IO);
    (void)close(sv[1]);
}

/* What a session makes for itself while it opens is found like what a case makes. */
static void what_sessions_make_is_noted(void **state)
{
    (void)state;
    struct sp_journal j;
    struct sp_journal_log log;
    struct sp_journal_notes notes;
    char path[128];
    assert_int_equal(sp_journal_create(&j, dir, "run00001", &error), 0);
    snprintf(path, sizeof path, "%s/journal/run00001.jsonl", dir);
    int fd = sp_journal_open(path, &error);
    assert_true(fd >= 0);
    sp_journal_notes_init(&notes, fd, &provider, "run00001");
    assert_string_equal(notes.base.stem, "sp-run00001-");
    for (int gone = 0; gone < 2; gone++) {
        assert_int_equal(notes.base.bucket(&notes.base, gone == 0, "sp-run00001-x", &error), 0);
        assert_int_equal(sp_journal_read(path, &log, &error), 0);
        assert_int_equal(log.n, 1);
        assert_int_equal(log.live, gone == 0 ? 1 : 0);
        assert_string_equal(log.entries[0].object.type, "bucket");
        assert_string_equal(log.entries[0].object.name, "sp-run00001-x");
        sp_journal_log_free(&log);
    }
    (void)close(fd);
    sp_journal_close(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_made_is_found_until_it_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_line_was_never_made_and_damage_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_line_is_taken_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_sessions_make_is_noted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_job_arrives_as_it_was_sent, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
