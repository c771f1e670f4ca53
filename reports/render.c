/* render.c -- from a report directory to its files. */
#include "reports/report.h"

#include "base/io.h"
#include "base/str.h"
#include "reports/assess.h"
#include "reports/rundata.h"

static const struct {
    unsigned format;
    const char *file;
    int (*render)(const struct rd *, struct sp_buf *, struct sp_error *);
} renderers[] = {
    { SP_REPORT_JUNIT, "junit.xml", rd_junit },
    { SP_REPORT_SUMMARY_JSON, "summary.json", rd_summary_json },
    { SP_REPORT_VERIFY_JSON, "verify.json", rd_verify_json },
    { SP_REPORT_ASSESS_JSON, "assess.json", rd_assess_json },
    { SP_REPORT_MARKDOWN, "summary.md", rd_markdown },
    { SP_REPORT_HTML, "report.html", rd_html },
};

static int render_one(const struct rd *r, const char *dir, size_t i, struct sp_error *err)
{
    struct sp_buf text = SP_BUF_INIT;
    char path[4096];
    int rc = renderers[i].render(r, &text, err);
    if (rc == 0 && text.oom)
        rc = sp_nomem(err);
    if (rc == 0)
        rc = sp_path_join(path, sizeof path, dir, renderers[i].file, err);
    if (rc == 0)
        rc = sp_write_file_atomic(path, text.p, text.n, err);
    sp_buf_free(&text);
    return rc;
}

int sp_report_render(const char *report_dir, unsigned formats, struct sp_error *err)
{
    struct rd *r;
    int rc = rd_load(&r, report_dir, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < SP_LEN(renderers); i++) {
        if ((formats & renderers[i].format) == 0)
            continue;
        if (renderers[i].format == SP_REPORT_VERIFY_JSON && !r->verified)
            continue;
        if (renderers[i].format == SP_REPORT_ASSESS_JSON && r->of[SP_EV_ASSESS_START].n == 0)
            continue;
        rc = render_one(r, report_dir, i, err);
    }
    if (rc == 0 && r->truncated)
        rc = 1;
    rd_free(r);
    return rc;
}
