/* junit.c -- strict junit-10: a case has name, classname and time only; `failure` is a broken promise, `error` is
 * infrastructure, and neither ever stands beside `skipped`. The first line of their content is expected against
 * actual, because some readers show no more. */
#include <string.h>

#include "base/str.h"
#include "reports/escape.h"
#include "reports/rundata.h"

static void on_one_line(struct sp_buf *out, const char *text)
{
    struct sp_buf line = SP_BUF_INIT;
    rd_plain(&line, text);
    rd_xml(out, line.p == NULL ? "" : line.p);
    out->oom = out->oom || line.oom;
    sp_buf_free(&line);
}

static void attribute(struct sp_buf *out, const char *name, const char *value)
{
    sp_buf_printf(out, " %s=\"", name);
    /* A line break in an attribute would be read back as a blank: make it visible. */
    on_one_line(out, value);
    sp_buf_putc(out, '"');
}

static void content(struct sp_buf *out, const struct rd_case *c)
{
    for (const struct rd_check *k = c->checks; k != NULL; k = k->next) {
        sp_buf_puts(out, "expected ");
        on_one_line(out, k->expected);
        sp_buf_puts(out, " | actual ");
        on_one_line(out, k->actual);
        sp_buf_puts(out, "\n  check: ");
        rd_xml(out, k->what);
        if (k->code[0] != '\0') {
            sp_buf_puts(out, "\n  error: ");
            rd_xml(out, k->code);
        }
        if (k->native[0] != '\0') {
            sp_buf_puts(out, ", native ");
            rd_xml(out, k->native);
        }
        sp_buf_putc(out, '\n');
    }
    if (c->checks == NULL) {
        rd_xml(out, c->message);
        sp_buf_putc(out, '\n');
    }
    if (c->promise[0] != '\0') {
        sp_buf_puts(out, "promise: ");
        rd_xml(out, c->promise);
        sp_buf_putc(out, '\n');
    }
    if (c->repeat[0] != '\0') {
        sp_buf_puts(out, "repeat: ");
        rd_xml(out, c->repeat);
        sp_buf_putc(out, '\n');
    }
}

static void one_line(struct sp_buf *out, const struct rd_case *c)
{
    if (c->checks != NULL)
        sp_buf_printf(
            out, "%s: expected %s, actual %s", c->checks->what, c->checks->expected, c->checks->actual);
    else
        sp_buf_puts(out, c->message[0] != '\0' ? c->message : c->outcome);
}

static void problem(struct sp_buf *out, const char *element, const char *type, const struct rd_case *c)
{
    struct sp_buf line = SP_BUF_INIT;
    one_line(&line, c);
    sp_buf_printf(out, "      <%s", element);
    attribute(out, "message", line.p == NULL ? "" : line.p);
    attribute(out, "type", type);
    sp_buf_putc(out, '>');
    content(out, c);
    sp_buf_printf(out, "</%s>\n", element);
    sp_buf_free(&line);
}

static void skipped(struct sp_buf *out, const struct rd_case *c)
{
    struct sp_buf why = SP_BUF_INIT;
    if (strcmp(c->outcome, "xfailed") == 0)
        sp_buf_printf(&why, "expected failure: %s %s", c->link, c->reason);
    else
        sp_buf_puts(&why, c->reason[0] != '\0' ? c->reason : "no reason given");
    sp_buf_puts(out, "      <skipped");
    attribute(out, "message", why.p == NULL ? "" : why.p);
    sp_buf_puts(out, "/>\n");
    sp_buf_free(&why);
}

static void test_case(struct sp_buf *out, const struct rd_case *c, const char *classname)
{
    sp_buf_puts(out, "    <testcase");
    attribute(out, "name", c->id);
    attribute(out, "classname", classname);
    sp_buf_printf(out, " time=\"%.3f\"", c->duration_s);
    if (strcmp(c->outcome, "passed") == 0) {
        sp_buf_puts(out, "/>\n");
        return;
    }
    sp_buf_puts(out, ">\n");
    if (strcmp(c->outcome, "failed") == 0)
        problem(out, "failure", "promise", c);
    else if (strcmp(c->outcome, "skipped") == 0 || strcmp(c->outcome, "xfailed") == 0)
        skipped(out, c);
    else
        problem(out, "error", strcmp(c->outcome, "errored") == 0 ? "errored" : "not-run", c);
    sp_buf_puts(out, "    </testcase>\n");
}

static void suite_head(struct sp_buf *out, const struct rd *r, const char *name, const struct rd_cell *n,
    size_t id, size_t extra_errors)
{
    uint64_t errors = n->errored + n->not_run + extra_errors;
    uint64_t tests = n->passed + n->failed + n->skipped + n->xfailed + errors;
    char stamp[20];
    /* junit-10 wants local ISO time without a zone: cut the Z of our UTC time. */
    sp_strlcpy(stamp, rd_text(&r->start, SP_FLD_started), sizeof stamp);
    sp_buf_puts(out, "  <testsuite");
    attribute(out, "name", name);
    sp_buf_printf(out, " tests=\"%llu\" failures=\"%llu\" errors=\"%llu\" skipped=\"%llu\" time=\"%.3f\"",
        (unsigned long long)tests, (unsigned long long)n->failed, (unsigned long long)errors,
        (unsigned long long)(n->skipped + n->xfailed), n->duration_s);
    attribute(out, "timestamp", stamp[0] == '\0' ? "1970-01-01T00:00:00" : stamp);
    attribute(out, "hostname",
        rd_text(&r->start, SP_FLD_host)[0] == '\0' ? "unknown" : rd_text(&r->start, SP_FLD_host));
    sp_buf_printf(out, " id=\"%zu\">\n", id);
}

static void property(struct sp_buf *out, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    sp_buf_puts(out, "      <property");
    attribute(out, "name", name);
    attribute(out, "value", value);
    sp_buf_puts(out, "/>\n");
}

static void cell_suite(
    struct sp_buf *out, const struct rd *r, const struct rd_provider *p, const char *suite, size_t id)
{
    struct rd_cell n = rd_cell(r, p->name, suite);
    struct sp_buf name = SP_BUF_INIT;
    sp_buf_printf(&name, "%s.%s", p->name, suite);
    suite_head(out, r, name.p == NULL ? "" : name.p, &n, id, 0);
    sp_buf_puts(out, "    <properties>\n");
    property(out, "provider", p->name);
    property(out, "kind", p->kind);
    property(out, "fidelity", p->fidelity);
    property(out, "server_version", p->server_version);
    property(out, "seed", rd_text(&r->start, SP_FLD_seed));
    sp_buf_puts(out, "    </properties>\n");
    for (size_t i = 0; i < r->ncases; i++)
        if (strcmp(r->cases[i].provider, p->name) == 0 && strcmp(r->cases[i].suite, suite) == 0)
            test_case(out, &r->cases[i], name.p == NULL ? "" : name.p);
    sp_buf_puts(out, "  </testsuite>\n");
    sp_buf_free(&name);
}

/* Something happened that no case stands for: the run or a provider died at set-up, or data was compared. */
static void synthetic(struct sp_buf *out, const struct rd *r, size_t id, const char *suite, const char *name,
    const char *element, const char *message)
{
    struct rd_cell n = { 0 };
    bool error = element != NULL && strcmp(element, "error") == 0;
    n.failed = element != NULL && !error;
    n.passed = element == NULL;
    suite_head(out, r, suite, &n, id, error);
    sp_buf_puts(out, "    <testcase");
    attribute(out, "name", name);
    attribute(out, "classname", suite);
    if (element == NULL) {
        sp_buf_puts(out, " time=\"0.000\"/>\n");
    } else {
        sp_buf_printf(out, " time=\"0.000\">\n      <%s", element);
        attribute(out, "message", message);
        attribute(out, "type", error ? "set-up" : "difference");
        sp_buf_putc(out, '>');
        rd_xml(out, message);
        sp_buf_printf(out, "</%s>\n    </testcase>\n", element);
    }
    sp_buf_puts(out, "  </testsuite>\n");
}

static void verify_suite(struct sp_buf *out, const struct rd *r, size_t *id)
{
    const char *verdict = rd_verify_verdict(r);
    if (verdict == NULL)
        return;
    const struct rd_rows *tables = &r->of[SP_EV_TABLE];
    for (size_t i = 0; i < tables->n; i++) {
        const struct sp_event_in *t = &tables->v[i].ev;
        enum rd_table_state state = rd_table_state(t);
        struct sp_buf what = SP_BUF_INIT, name = SP_BUF_INIT;
        sp_buf_printf(&name, "verify.rows.%s", rd_text(t, SP_FLD_name));
        sp_buf_printf(&what,
            "expected %lld rows as in the source | actual %lld rows: %lld missing, %lld extra, %lld changed",
            (long long)sp_event_get_int(t, SP_FLD_source_rows, 0),
            (long long)sp_event_get_int(t, SP_FLD_target_rows, 0),
            (long long)sp_event_get_int(t, SP_FLD_missing, 0),
            (long long)sp_event_get_int(t, SP_FLD_extra, 0),
            (long long)sp_event_get_int(t, SP_FLD_changed, 0));
        if (state == RD_TABLE_UNSETTLED)
            sp_buf_printf(&what, ", %lld undecided", (long long)sp_event_get_int(t, SP_FLD_unsettled, 0));
        synthetic(out, r, (*id)++, name.p == NULL ? "" : name.p, "the rows are the same",
            state == RD_TABLE_DIFFERENT   ? "failure"
            : state == RD_TABLE_UNSETTLED ? "error"
                                          : NULL,
            what.p == NULL ? "" : what.p);
        sp_buf_free(&what);
        sp_buf_free(&name);
    }
    struct sp_buf text = SP_BUF_INIT;
    sp_buf_printf(&text, "expected equal | actual %s\n%s", verdict, rd_text(&r->end, SP_FLD_reasons));
    bool accepted = strcmp(verdict, "equal_with_loss") == 0 && rd_exit_code(r) == 0;
    const char *element = strcmp(verdict, "equal") == 0 || accepted ? NULL
                          : strcmp(verdict, "not_compared") == 0 || strcmp(verdict, "no_difference_seen") == 0
                              ? "error"
                              : "failure";
    synthetic(
        out, r, (*id)++, "verify", "both copies hold the same data", element, text.p == NULL ? "" : text.p);
    sp_buf_free(&text);
}

int rd_junit(const struct rd *r, struct sp_buf *out, struct sp_error *err)
{
    size_t id = 0;
    (void)err;
    sp_buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (size_t p = 0; p < r->nproviders; p++) {
        for (size_t s = 0; s < r->nsuites; s++) {
            struct rd_cell n = rd_cell(r, r->providers[p].name, r->suites[s]);
            if (n.passed + n.failed + n.errored + n.skipped + n.xfailed + n.not_run > 0)
                cell_suite(out, r, &r->providers[p], r->suites[s], id++);
        }
        if (r->providers[p].error[0] != '\0') {
            struct sp_buf name = SP_BUF_INIT;
            sp_buf_printf(&name, "%s.set-up", r->providers[p].name);
            synthetic(out, r, id++, name.p == NULL ? "" : name.p, "the provider can be opened", "error",
                r->providers[p].error);
            sp_buf_free(&name);
        }
    }
    verify_suite(out, r, &id);
    if (r->of[SP_EV_MIGRATE_END].n > 0 && rd_exit_code(r) == 0)
        synthetic(out, r, id++, "migrate", "the tables were copied", NULL, "");
    if (r->truncated)
        synthetic(out, r, id++, "run", "the run ended", "error",
            r->damage != NULL ? r->damage
                              : "the event stream has no end: the run was killed or is still going on");
    else if (rd_exit_code(r) != 0 && r->totals[1] + r->totals[2] == 0 &&
             (!r->verified || strcmp(rd_verify_verdict(r), "equal") == 0))
        synthetic(out, r, id++, "run", "the run holds", "error", rd_text(&r->end, SP_FLD_reasons));
    sp_buf_puts(out, "</testsuites>\n");
    return out->oom ? -SP_E_NOMEM : 0;
}
