/* assess_json.c -- assess.json: the assessment for machines. */
#include <jansson.h>
#include <string.h>

#include "base/str.h"
#include "reports/assess.h"
#include "reports/json_util.h"

#define F(name) SP_FLD_##name

static json_t *lines_of(const char *text)
{
    json_t *list = json_array();
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        json_array_append_new(list, json_stringn(text, n));
        text += n + (text[n] == '\n');
    }
    return list;
}

int rd_assess_json(const struct rd *r, struct sp_buf *out, struct sp_error *err)
{
    const enum sp_event_field head[] = { F(source), F(source_kind), F(source_version), F(source_state),
        F(target_kind) };
    const enum sp_event_field table[] = { F(name), F(rows), F(bytes), F(max_row), F(disk_bytes), F(examined),
        F(rate), F(estimate_s), F(growth), F(step) };
    const enum sp_event_field finding[] = { F(risk), F(name), F(column), F(topic), F(count), F(examined),
        F(message), F(advice) };
    const enum sp_event_field end[] = { F(tables), F(rows), F(bytes), F(max_row), F(estimate_s), F(basis) };
    const struct rd_rows *starts = &r->of[SP_EV_ASSESS_START], *ends = &r->of[SP_EV_ASSESS_END];
    const struct sp_event_in *last = ends->n > 0 ? &ends->v[ends->n - 1].ev : NULL;
    json_t *root = json_object(), *totals = json_object();
    rdj_set(root, "format", json_integer(1));
    rdj_text(root, "run", rd_text(&r->start, F(run)));
    rdj_set(root, "truncated", json_boolean(r->truncated));
    for (size_t k = 0; starts->n > 0 && k < SP_LEN(head); k++)
        rdj_copy(root, &starts->v[0].ev, head[k]);
    rdj_text(root, "risk", last != NULL && !r->truncated ? rd_text(last, F(risk)) : "unknown");
    rdj_set(root, "complete",
        json_boolean(last != NULL && !r->truncated && sp_event_get_bool(last, F(complete), false)));
    for (size_t k = 0; last != NULL && k < SP_LEN(end); k++)
        rdj_copy(totals, last, end[k]);
    rdj_set(root, "totals", totals);
    rdj_set(root, "reasons", lines_of(last != NULL ? rd_text(last, F(reasons)) : ""));
    rdj_set(root, "recommendations", lines_of(last != NULL ? rd_text(last, F(advice)) : ""));
    rdj_set(root, "findings", rdj_rows(r, SP_EV_ASSESS_FINDING, SP_FLD_name, NULL, finding, SP_LEN(finding)));
    rdj_set(root, "tables", rdj_rows(r, SP_EV_ASSESS_TABLE, SP_FLD_name, NULL, table, SP_LEN(table)));
    return rdj_write(root, out, err);
}
