/* markdown_checks.c -- the lesser checks of verify in summary.md: only what does not hold. */
#include "reports/markdown.h"

#include <inttypes.h>
#include <string.h>

#define MAX_LISTED 20

static void profiles(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *rows = &r->of[SP_EV_PROFILE];
    for (size_t i = 0; i < rows->n && i < MAX_LISTED; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        sp_buf_puts(out, i == 0 ? "\nColumns that differ (source vs target):\n\n- " : "- ");
        rd_md_code(out, rd_text(ev, SP_FLD_name));
        sp_buf_puts(out, " column ");
        rd_md_code(out, rd_text(ev, SP_FLD_column));
        sp_buf_puts(out, ": ");
        rd_md(out, rd_text(ev, SP_FLD_message));
        sp_buf_putc(out, '\n');
    }
    if (rows->n > MAX_LISTED)
        sp_buf_printf(out, "- … and %zu more, see report.html\n", rows->n - MAX_LISTED);
}

static void constraints(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *rows = &r->of[SP_EV_CONSTRAINT];
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        int64_t n = sp_event_get_int(ev, SP_FLD_introduced, 0);
        if (n == 0)
            continue;
        sp_buf_puts(out, "- ");
        rd_md(out, rd_text(ev, SP_FLD_element));
        sp_buf_putc(out, ' ');
        rd_md_code(out, rd_text(ev, SP_FLD_table));
        sp_buf_puts(out, " (");
        rd_md(out, rd_text(ev, SP_FLD_columns));
        sp_buf_printf(out, "): %" PRId64 " rows of the target break it that do not on the source\n", n);
    }
}

static bool differs(const struct sp_event_in *ev)
{
    return sp_event_get_int(ev, SP_FLD_missing, 0) + sp_event_get_int(ev, SP_FLD_extra, 0) +
                   sp_event_get_int(ev, SP_FLD_changed, 0) !=
               0 ||
           sp_event_get_int(ev, SP_FLD_source_rows, -1) != sp_event_get_int(ev, SP_FLD_target_rows, -1);
}

static void counted(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *rows = &r->of[SP_EV_COUNTED];
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        if (!differs(ev))
            continue;
        sp_buf_puts(out, "- ");
        rd_md(out, rd_text(ev, SP_FLD_element));
        sp_buf_putc(out, ' ');
        rd_md_code(out, rd_text(ev, SP_FLD_name));
        sp_buf_printf(out,
            ": %" PRId64 " on the source, %" PRId64 " on the target; %" PRId64 " missing, %" PRId64
            " extra, %" PRId64 " changed\n",
            sp_event_get_int(ev, SP_FLD_source_rows, 0), sp_event_get_int(ev, SP_FLD_target_rows, 0),
            sp_event_get_int(ev, SP_FLD_missing, 0), sp_event_get_int(ev, SP_FLD_extra, 0),
            sp_event_get_int(ev, SP_FLD_changed, 0));
    }
}

static void custom(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *rows = &r->of[SP_EV_CUSTOM_CHECK];
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        if (strcmp(rd_text(ev, SP_FLD_outcome), "passed") == 0)
            continue;
        sp_buf_puts(out, "- check ");
        rd_md_code(out, rd_text(ev, SP_FLD_name));
        sp_buf_puts(out, " on ");
        rd_md(out, rd_text(ev, SP_FLD_provider));
        sp_buf_puts(out, ": expected ");
        rd_md_code(out, rd_text(ev, SP_FLD_expected));
        sp_buf_puts(out, ", actual ");
        rd_md_code(out, rd_text(ev, SP_FLD_actual));
        sp_buf_putc(out, '\n');
    }
}

void rd_md_checks(struct sp_buf *out, const struct rd *r)
{
    profiles(out, r);
    constraints(out, r);
    counted(out, r);
    custom(out, r);
}
