/* The event stream: what is written can be read, what is truncated shows, what is malformed is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <math.h>
#include <cmocka.h>

#include "base/io.h"
#include "base/str.h"
#include "event.h"

struct memory {
    struct sp_emitter base;
    char text[200000];
    size_t n;
    enum sp_event_kind kind;
};

static int memory_send(
    struct sp_emitter *em, enum sp_event_kind kind, const char *json, size_t n, struct sp_error *err)
{
    struct memory *m = (struct memory *)em;
    (void)err;
    assert_true(n + 2 < sizeof m->text);
    m->text[0] = '{';
    int head = snprintf(m->text, sizeof m->text, "{\"ev\":\"%s\"%s", sp_event_name(kind), n != 0 ? "," : "");
    memcpy(m->text + head, json, n);
    m->n = (size_t)head + n;
    m->text[m->n++] = '}';
    m->kind = kind;
    return 0;
}

static struct memory memory = { .base = { memory_send } };

static void every_field_comes_back(void **state)
{
    (void)state;
    for (unsigned k = 0; k < SP_EV_N; k++) {
        struct sp_event ev;
        sp_event_begin(&ev, (enum sp_event_kind)k);
        for (unsigned f = 0; f < SP_FLD_N; f++) {
            enum sp_event_field id = (enum sp_event_field)f;
            switch (sp_event_field_type(id)) {
            case SP_FT_TEXT:
                sp_event_text(&ev, id, sp_event_field_name(id));
                break;
            case SP_FT_INT:
                sp_event_int(&ev, id, INT64_MIN + (int64_t)f);
                break;
            case SP_FT_REAL:
                sp_event_real(&ev, id, 0.1 + f);
                break;
            case SP_FT_BOOL:
                sp_event_bool(&ev, id, f % 2 == 0);
                break;
            }
        }
        assert_int_equal(sp_event_send(&memory.base, &ev, NULL), 0);
        struct sp_event_in in;
        assert_int_equal(sp_event_parse(memory.text, memory.n, &in, NULL), 0);
        assert_int_equal(in.kind, k);
        for (unsigned f = 0; f < SP_FLD_N; f++) {
            enum sp_event_field id = (enum sp_event_field)f;
            switch (sp_event_field_type(id)) {
            case SP_FT_TEXT:
                assert_string_equal(sp_event_get_text(&in, id), sp_event_field_name(id));
                break;
            case SP_FT_INT:
                assert_true(sp_event_get_int(&in, id, 0) == INT64_MIN + (int64_t)f);
                break;
            case SP_FT_REAL: {
                double d = sp_event_get_real(&in, id, 0), want = 0.1 + f;
                assert_memory_equal(&d, &want, sizeof d);
                break;
            }
            case SP_FT_BOOL:
                assert_int_equal(sp_event_get_bool(&in, id, f % 2 != 0), f % 2 == 0);
                break;
            }
        }
        sp_event_in_free(&in);
    }
}

static void check_text(const char *p, size_t n, const char *want)
{
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_NOTE);
    sp_event_textn(&ev, SP_FLD_text, p, n);
    assert_int_equal(sp_event_send(&memory.base, &ev, NULL), 0);
    struct sp_event_in in;
    assert_int_equal(sp_event_parse(memory.text, memory.n, &in, NULL), 0);
    assert_string_equal(sp_event_get_text(&in, SP_FLD_text), want);
    /* Copied to a report, it stays the same. */
    struct sp_event copy;
    sp_event_copy(&copy, &in);
    sp_event_in_free(&in);
    char before[4096];
    assert_true(memory.n < sizeof before);
    size_t n_before = memory.n;
    memcpy(before, memory.text, memory.n);
    assert_int_equal(sp_event_send(&memory.base, &copy, NULL), 0);
    assert_int_equal(memory.n, n_before);
    assert_memory_equal(memory.text, before, n_before);
}

static void hostile_text_stays_one_line_of_json(void **state)
{
    (void)state;
    check_text("", 0, "");
    check_text("a\"b\\c\nd\te", 9, "a\"b\\c\nd\te");
    check_text("a\0b", 3, "a\\x00b");
    check_text("\xff\xfe", 2, "\\xff\\xfe");
    check_text("\x1b[31m", 5, "\\x1b[31m");
    check_text("\xe2\x82\xac", 3, "\xe2\x82\xac");
    check_text(",\"text\":\"x\"}\n{", 14, ",\"text\":\"x\"}\n{");
    assert_null(memchr(memory.text, '\n', memory.n));
}

static void secrets_are_hidden(void **state)
{
    (void)state;
    assert_int_equal(sp_secret_add("hunter2secret"), 0);
    check_text("the password hunter2secret was refused", 38, "the password *** was refused");
    check_text("x\0hunter2secret", 15, "x\\x00***");
    /* A password that is a word of our own, or the name of a provider, takes neither away. */
    struct sp_event ev;
    assert_int_equal(sp_secret_add("postgres"), 0);
    sp_event_begin(&ev, SP_EV_PROVIDER);
    sp_event_text(&ev, SP_FLD_name, "postgres");
    sp_event_text(&ev, SP_FLD_kind, "postgresql");
    sp_event_text(&ev, SP_FLD_notes, "as postgres");
    assert_string_equal(ev.json.p, ",\"name\":\"postgres\",\"kind\":\"postgresql\",\"notes\":\"as ***\"");
    sp_buf_free(&ev.json);
    sp_event_begin(&ev, SP_EV_TABLE);
    sp_event_text(&ev, SP_FLD_name, "of postgres");
    assert_string_equal(ev.json.p, ",\"name\":\"of ***\"");
    sp_buf_free(&ev.json);
    sp_secret_forget_all();
}

static void long_text_is_cut_at_a_character(void **state)
{
    (void)state;
    size_t n = 100000;
    char *s = malloc(n + 1);
    assert_non_null(s);
    s[0] = 'x';
    for (size_t i = 1; i + 1 < n; i += 2) {
        memcpy(s + i, "\xc3\xa9", 2);
    }
    s[n - 1] = '!';
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_NOTE);
    sp_event_textn(&ev, SP_FLD_text, s, n);
    free(s);
    assert_int_equal(sp_event_send(&memory.base, &ev, NULL), 0);
    struct sp_event_in in;
    assert_int_equal(sp_event_parse(memory.text, memory.n, &in, NULL), 0);
    const char *got = sp_event_get_text(&in, SP_FLD_text);
    assert_true(strlen(got) < 70000);
    assert_true(sp_str_suffix(got, "... (cut, 100000 bytes in all)"));
    sp_event_in_free(&in);
}

static void a_wrong_or_repeated_field_is_an_error(void **state)
{
    (void)state;
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_NOTE);
    sp_event_int(&ev, SP_FLD_text, 1);
    assert_int_equal(sp_event_send(&memory.base, &ev, NULL), -SP_E_INTERNAL);
    sp_event_begin(&ev, SP_EV_NOTE);
    sp_event_text(&ev, SP_FLD_text, "a");
    sp_event_text(&ev, SP_FLD_text, "b");
    assert_int_equal(sp_event_send(&memory.base, &ev, NULL), -SP_E_INTERNAL);
    sp_event_begin(&ev, SP_EV_NOTE);
    sp_event_text(&ev, SP_FLD_text, NULL);
    sp_event_real(&ev, SP_FLD_rate, NAN);
    assert_int_equal(sp_event_send(&memory.base, &ev, NULL), 0);
    assert_int_equal(memory.n, strlen("{\"ev\":\"note\"}"));
}

static void malformed_lines_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int rc;
    } t[] = { { "", -SP_E_INVALID }, { "{", -SP_E_INVALID }, { "[]", -SP_E_INVALID }, { "{}", -SP_E_INVALID },
        { "{\"ev\":1}", -SP_E_INVALID }, { "{\"ev\":\"nonsense\"}", -SP_E_UNSUPPORTED },
        { "{\"ev\":\"note\",\"text\":1}", -SP_E_INVALID },
        { "{\"ev\":\"note\",\"line\":1.5}", -SP_E_INVALID },
        { "{\"ev\":\"note\",\"ev\":\"note\"}", -SP_E_INVALID }, { "{\"ev\":\"note\"}{", -SP_E_INVALID },
        { "{\"ev\":\"note\",\"seq\":0}", -SP_E_INVALID }, { "{\"ev\":\"note\",\"text\":{}}", -SP_E_INVALID },
        { "{\"ev\":\"note\",\"not_yet_known\":[1]}", 0 } };
    for (size_t i = 0; i < SP_LEN(t); i++) {
        struct sp_event_in in;
        assert_int_equal(sp_event_parse(t[i].line, strlen(t[i].line), &in, NULL), t[i].rc);
        if (t[i].rc == 0) {
            sp_event_in_free(&in);
        }
    }
}

static int seen;
static void observe(void *payload, enum sp_event_kind kind, const char *line, size_t n)
{
    (void)kind;
    assert_ptr_equal(payload, &seen);
    assert_int_equal(line[n - 1], '}');
    seen++;
}

static int note(struct sp_emitter *em, enum sp_event_kind kind)
{
    struct sp_event ev;
    sp_event_begin(&ev, kind);
    return sp_event_send(em, &ev, NULL);
}

static void the_file_is_whole_only_after_run_end(void **state)
{
    (void)state;
    char dir[] = "/tmp/sp_event_XXXXXX", path[64], part[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/events.jsonl", dir);
    snprintf(part, sizeof part, "%s/events.jsonl.part", dir);
    struct sp_event_file *f = NULL, *g = NULL;
    struct sp_error err = SP_ERROR_INIT;
    assert_int_equal(sp_write_file_atomic(path, "old", 3, NULL), 0);
    assert_int_equal(sp_event_file_open(&f, dir, observe, &seen, &err), 0);
    assert_int_not_equal(access(path, F_OK), 0); /* the old run's events cannot pass for ours */
    assert_int_equal(sp_event_file_open(&g, dir, NULL, NULL, &err), -SP_E_INVALID);
    sp_error_clear(&err);
    struct sp_emitter *em = sp_event_file_emitter(f);
    assert_int_equal(note(em, SP_EV_NOTE), -SP_E_INTERNAL); /* run_start comes first */
    assert_int_equal(note(em, SP_EV_RUN_START), 0);
    assert_int_equal(note(em, SP_EV_RUN_START), -SP_E_INTERNAL);
    assert_int_equal(note(em, SP_EV_NOTE), 0);
    assert_int_equal(sp_event_file_close(f, &err), -SP_E_IO); /* no run_end */
    sp_error_clear(&err);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(access(part, F_OK), 0);

    assert_int_equal(sp_event_file_open(&f, dir, NULL, NULL, &err), 0);
    em = sp_event_file_emitter(f);
    assert_int_equal(note(em, SP_EV_RUN_START), 0);
    assert_int_equal(note(em, SP_EV_NOTE), 0);
    assert_int_equal(note(em, SP_EV_RUN_END), 0);
    assert_int_equal(note(em, SP_EV_NOTE), -SP_E_INTERNAL);
    assert_int_equal(sp_event_file_close(f, &err), 0);
    assert_int_not_equal(access(part, F_OK), 0);
    struct sp_buf b = SP_BUF_INIT;
    assert_int_equal(sp_read_file(path, 1 << 20, &b, &err), 0);
    int64_t seq = 0;
    for (char *p = b.p; p < b.p + b.n;) {
        char *end = strchr(p, '\n');
        assert_non_null(end);
        struct sp_event_in in;
        assert_int_equal(sp_event_parse(p, (size_t)(end - p), &in, &err), 0);
        assert_int_equal(in.seq, ++seq);
        assert_true(in.t >= 0 && in.t < 60);
        sp_event_in_free(&in);
        p = end + 1;
    }
    assert_int_equal(seq, 3);
    assert_int_equal(seen, 2);
    sp_buf_free(&b);
    assert_int_equal(sp_rmtree(dir, NULL), 0);
    assert_int_not_equal(sp_event_file_open(&f, "/proc/nothing/here", NULL, NULL, &err), 0);
    assert_null(f);
    sp_error_clear(&err);
}

static void a_full_disk_leaves_no_whole_file(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        skip();
    }
    char dir[] = "/tmp/sp_event_XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/events.jsonl.part", dir);
    assert_int_equal(symlink("/dev/full", path), 0);
    struct sp_event_file *f = NULL;
    struct sp_error err = SP_ERROR_INIT;
    int rc = sp_event_file_open(&f, dir, NULL, NULL, &err);
    if (rc == 0) {
        assert_int_equal(note(sp_event_file_emitter(f), SP_EV_RUN_START), -SP_E_IO);
        assert_int_equal(note(sp_event_file_emitter(f), SP_EV_RUN_END), -SP_E_IO);
        assert_int_not_equal(sp_event_file_close(f, &err), 0);
    }
    sp_error_clear(&err);
    snprintf(path, sizeof path, "%s/events.jsonl", dir);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(sp_rmtree(dir, NULL), 0);
}

static void a_frame_carries_its_length(void **state)
{
    (void)state;
    int sv[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
    struct sp_emitter *em = sp_event_socket_emitter(sv[0], NULL);
    assert_non_null(em);
    assert_int_equal(note(em, SP_EV_CASE_START), 0);
    unsigned char head[4];
    assert_int_equal(read(sv[1], head, 4), 4);
    char body[64];
    const char want[] = "{\"ev\":\"case_start\"}";
    assert_int_equal(head[0], sizeof want - 1);
    assert_int_equal(head[1] | head[2] | head[3], 0);
    assert_int_equal(read(sv[1], body, sizeof body), sizeof want - 1);
    assert_memory_equal(body, want, sizeof want - 1);
    close(sv[1]);
    assert_int_equal(note(em, SP_EV_CASE_START), -SP_E_IO); /* and no SIGPIPE */
    assert_int_equal(note(em, SP_EV_CASE_START), -SP_E_IO);
    sp_event_socket_free(em);
    close(sv[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(hostile_text_stays_one_line_of_json),
        cmocka_unit_test(secrets_are_hidden),
        cmocka_unit_test(long_text_is_cut_at_a_character),
        cmocka_unit_test(a_wrong_or_repeated_field_is_an_error),
        cmocka_unit_test(malformed_lines_are_refused),
        cmocka_unit_test(the_file_is_whole_only_after_run_end),
        cmocka_unit_test(a_full_disk_leaves_no_whole_file),
        cmocka_unit_test(a_frame_carries_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
