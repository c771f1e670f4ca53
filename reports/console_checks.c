/* console_checks.c -- the lesser checks of verify on the console: what holds takes no line, or a short one. */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "reports/console.h"

#define MAX_PROFILES 40

static void put_count(struct sp_console *c, const struct sp_event_in *ev, enum sp_event_field f)
{
    char text[32];
    int64_t n = sp_event_get_int(ev, f, -1);
    if (n < 0) {
        sp_buf_puts(&c->out, "none");
        return;
    }
    sp_format_count(text, (uint64_t)n);
    sp_buf_puts(&c->out, text);
}

static void on_profile(struct sp_console *c, const struct sp_event_in *ev)
{
    if (++c->profiles > MAX_PROFILES) {
        if (c->profiles == MAX_PROFILES + 1)
            sp_buf_puts(&c->out, "    … more columns are in verify.json and report.html\n");
        return;
    }
    rdc_clear_status(c);
    sp_buf_puts(&c->out, "    column ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_name));
    sp_buf_putc(&c->out, '.');
    rd_plain(&c->out, rd_text(ev, SP_FLD_column));
    sp_buf_puts(&c->out, ": ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_message));
    sp_buf_putc(&c->out, '\n');
}

static void on_constraint(struct sp_console *c, const struct sp_event_in *ev)
{
    int64_t introduced = sp_event_get_int(ev, SP_FLD_introduced, 0);
    if (introduced == 0 && sp_event_get_int(ev, SP_FLD_source_faults, 0) == 0 &&
        sp_event_get_int(ev, SP_FLD_target_faults, 0) == 0)
        return;
    rdc_clear_status(c);
    rdc_colored(c, introduced > 0 ? "31;1" : "33", introduced > 0 ? "BROKEN " : "broken ");
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, SP_FLD_element));
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, SP_FLD_table));
    sp_buf_puts(&c->out, " (");
    rd_plain(&c->out, rd_text(ev, SP_FLD_columns));
    sp_buf_printf(&c->out,
        "): %" PRId64 " rows in the source, %" PRId64 " in the target, %" PRId64 " introduced\n",
        sp_event_get_int(ev, SP_FLD_source_faults, 0), sp_event_get_int(ev, SP_FLD_target_faults, 0),
        introduced);
}

static void on_counted(struct sp_console *c, const struct sp_event_in *ev)
{
    int64_t faults = sp_event_get_int(ev, SP_FLD_missing, 0) + sp_event_get_int(ev, SP_FLD_extra, 0) +
                     sp_event_get_int(ev, SP_FLD_changed, 0);
    bool same = faults == 0 &&
                sp_event_get_int(ev, SP_FLD_source_rows, -1) == sp_event_get_int(ev, SP_FLD_target_rows, -1);
    rdc_clear_status(c);
    rdc_colored(c, same ? "32" : "31;1", same ? "as many" : "DIFFERS");
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, SP_FLD_element));
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, SP_FLD_name));
    sp_buf_puts(&c->out, same ? ": " : ": source ");
    put_count(c, ev, SP_FLD_source_rows);
    if (!same) {
        sp_buf_puts(&c->out, ", target ");
        put_count(c, ev, SP_FLD_target_rows);
    }
    if (faults != 0)
        sp_buf_printf(&c->out, "; %" PRId64 " missing, %" PRId64 " extra, %" PRId64 " changed",
            sp_event_get_int(ev, SP_FLD_missing, 0), sp_event_get_int(ev, SP_FLD_extra, 0),
            sp_event_get_int(ev, SP_FLD_changed, 0));
    if (rd_text(ev, SP_FLD_message)[0] != '\0') {
        sp_buf_puts(&c->out, " (");
        rd_plain(&c->out, rd_text(ev, SP_FLD_message));
        sp_buf_putc(&c->out, ')');
    }
    sp_buf_putc(&c->out, '\n');
}

static void on_custom(struct sp_console *c, const struct sp_event_in *ev)
{
    const char *outcome = rd_text(ev, SP_FLD_outcome);
    if (strcmp(outcome, "failed") != 0)
        return; /* what could not be asked is said as not compared */
    rdc_named(c, "31;1", "FAILED ", rd_text(ev, SP_FLD_name), rd_text(ev, SP_FLD_provider));
    rdc_field(c, "expected", rd_text(ev, SP_FLD_expected));
    rdc_field(c, "actual", rd_text(ev, SP_FLD_actual));
}

bool rdc_checks(struct sp_console *c, const struct sp_event_in *ev)
{
    switch (ev->kind) {
    case SP_EV_PROFILE:
        on_profile(c, ev);
        return true;
    case SP_EV_CONSTRAINT:
        on_constraint(c, ev);
        return true;
    case SP_EV_COUNTED:
        on_counted(c, ev);
        return true;
    case SP_EV_CUSTOM_CHECK:
        on_custom(c, ev);
        return true;
    default:
        return false;
    }
}
