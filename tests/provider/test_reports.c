/* test_reports.c -- what the reports make of handwritten event streams. */
#include "report_streams.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "reports/report.h"
#include "reports/rundata.h"

struct fx {
    char dir[64];
    struct sp_buf text;
};

static int set_up(void **state)
{
    struct fx *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    (void)sp_strlcpy(f->dir, "/tmp/sp-reports-XXXXXX", sizeof f->dir);
    *state = f;
    return mkdtemp(f->dir) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fx *f = *state;
    int rc = sp_rmtree(f->dir, NULL);
    sp_buf_free(&f->text);
    free(f);
    return rc;
}

/* The text of one file of the report directory. */
static const char *text_of(struct fx *f, const char *file)
{
    char path[256];
    assert_int_equal(sp_path_join(path, sizeof path, f->dir, file, NULL), 0);
    sp_buf_clear(&f->text);
    assert_int_equal(sp_read_file(path, 64u << 20, &f->text, NULL), 0);
    return f->text.p;
}

static void render(struct fx *f)
{
    struct sp_error err = SP_ERROR_INIT;
    if (sp_report_render(f->dir, SP_REPORT_ALL, &err) != 0)
        fail_msg("%s", sp_error_text(&err));
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("not there: %s", part);
}

static void hasnt(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("should not be there: %s", part);
}

static void run_in_html(void **state)
{
    struct fx *f = *state;
    stream_run(f->dir, "an odd remark");
    render(f);
    const char *t = text_of(f, "report.html");
    has(t, "Exit code 1: a promise is broken");
    has(t, "crud.update");
    has(t, "unique: key (<mark>7</mark>) exists");
    has(t, "unique: key (<mark>8</mark>) exists");
    has(t, "<svg class=\"hist\"");
    has(t, "compatible server");
    has(t, "the worker died from signal 11");
    hasnt(t, "TRUNCATED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(run_in_html, set_up, tear_down),
    };
    const char *keep = getenv("SP_KEEP_REPORTS");
    if (keep != NULL) { /* for looking at them */
        char dir[256];
        const char *const names[] = { "run", "odd", "verify", "equal", "empty", "truncated" };
        for (size_t i = 0; i < SP_LEN(names); i++) {
            (void)sp_path_join(dir, sizeof dir, keep, names[i], NULL);
            i == 0   ? stream_run(dir, "nothing unusual")
            : i == 1 ? stream_run(dir, HOSTILE)
            : i == 2 ? stream_verify(dir, "different", 1)
            : i == 3 ? stream_verify(dir, "equal", 0)
            : i == 4 ? stream_empty(dir)
                     : stream_truncated(dir);
            (void)sp_report_render(dir, SP_REPORT_ALL, NULL);
        }
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
