/* report_case.h -- for the tests of the reports: a report directory per test, what stands in its files, and the rules that
 * hold for all of them. Included once per test program. */
#ifndef REPORT_CASE_H
#define REPORT_CASE_H

#include "report_streams.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "reports/report.h"
#include "reports/rundata.h"

struct fx {
    char dir[64];
    struct sp_buf text;
};

static inline int set_up(void **state)
{
    struct fx *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    (void)sp_strlcpy(f->dir, "/tmp/sp-reports-XXXXXX", sizeof f->dir);
    *state = f;
    return mkdtemp(f->dir) == NULL ? -1 : 0;
}

static inline int tear_down(void **state)
{
    struct fx *f = *state;
    int rc = sp_rmtree(f->dir, NULL);
    sp_buf_free(&f->text);
    free(f);
    return rc;
}

/* The text of one file of the report directory. */
static inline const char *text_of(struct fx *f, const char *file)
{
    char path[256];
    assert_int_equal(sp_path_join(path, sizeof path, f->dir, file, NULL), 0);
    sp_buf_clear(&f->text);
    assert_int_equal(sp_read_file(path, 64u << 20, &f->text, NULL), 0);
    return f->text.p;
}

static inline void render(struct fx *f)
{
    struct sp_error err = SP_ERROR_INIT;
    int rc = sp_report_render(f->dir, SP_REPORT_ALL, &err);
    if (rc < 0)
        fail_msg("%s", sp_error_text(&err));
    assert_int_equal(sp_report_render(f->dir, 0, &err), rc); /* told without writing, too */
    assert_int_equal(rc == 1, strstr(text_of(f, "summary.json"), "\"truncated\": true") != NULL);
}

static inline void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("not there: %s", part);
}

static inline void hasnt(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("should not be there: %s", part);
}

/* A program of ci/tests/tools, which is built beside this one; its exit code. */
static inline int tool(const char *name, const char *arg, const char *dir, const char *file)
{
    char self[4096], command[9000];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = '\0';
    for (int i = 0; i < 3; i++)
        *strrchr(self, '/') = '\0';
    int len =
        snprintf(command, sizeof command, "%s/tools/%s %s %s/%s 2>/dev/null", self, name, arg, dir, file);
    assert_true(len > 0 && (size_t)len < sizeof command);
    int status = system(command);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* What must hold whatever the events say. */
static inline void hold(struct fx *f)
{
    char path[256];
    render(f);
    assert_int_equal(tool("check_junit", "", f->dir, "junit.xml"), 0);
    assert_int_equal(tool("check_json", "summary", f->dir, "summary.json"), 0);
    assert_int_equal(tool("check_html", "", f->dir, "report.html"), 0);
    assert_int_equal(sp_path_join(path, sizeof path, f->dir, "verify.json", NULL), 0);
    if (access(path, F_OK) == 0)
        assert_int_equal(tool("check_json", "verify", f->dir, "verify.json"), 0);
}

/* The first event of a stream, and its last. */
#define START "{\"seq\":1,\"t\":0,\"ev\":\"run_start\",\"run\":\"r\"}\n"
#define ENDED(seq, passed)                                                                                   \
    "{\"seq\":" seq ",\"t\":1,\"ev\":\"run_end\",\"verdict\":\"HELD\",\"exit_code\":0,\"passed\":" passed    \
    "}\n"

#endif
