/* console_data.c -- comparisons and migrations on the console, table by table. */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "reports/assess.h"
#include "reports/causes.h"
#include "reports/sampled.h"
#include "reports/console.h"

#define MAX_DIFFERENCES 20

static void on_table(struct sp_console *c, const struct sp_event_in *ev)
{
    static const struct {
        const char *color, *word;
    } words[] = { [RD_TABLE_EQUAL] = { "32", "equal  " },
        [RD_TABLE_IN_FLIGHT] = { "32", "equal  " },
        [RD_TABLE_UNSETTLED] = { "33;1", "MOVING " },
        [RD_TABLE_DIFFERENT] = { "31;1", "DIFFERS" } };
    enum rd_table_state state = rd_table_state(ev);
    int64_t flight = sp_event_get_int(ev, SP_FLD_in_flight, 0),
            moving = sp_event_get_int(ev, SP_FLD_unsettled, 0);
    char a[32], b[32], time[32];
    sp_format_count(a, (uint64_t)sp_event_get_int(ev, SP_FLD_source_rows, 0));
    sp_format_count(b, (uint64_t)sp_event_get_int(ev, SP_FLD_target_rows, 0));
    sp_format_duration(time, sp_event_get_real(ev, SP_FLD_duration_s, 0));
    rdc_clear_status(c);
    rdc_colored(c, words[state].color, words[state].word);
    sp_buf_puts(&c->out, " table ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_name));
    if (state == RD_TABLE_EQUAL)
        sp_buf_printf(&c->out, ": %s rows", a);
    else
        sp_buf_printf(&c->out, ": source %s rows, target %s rows", a, b);
    if (state == RD_TABLE_DIFFERENT && sp_event_get_int(ev, SP_FLD_missing, -1) >= 0)
        sp_buf_printf(&c->out, "; %" PRId64 " missing, %" PRId64 " extra, %" PRId64 " changed",
            sp_event_get_int(ev, SP_FLD_missing, 0), sp_event_get_int(ev, SP_FLD_extra, 0),
            sp_event_get_int(ev, SP_FLD_changed, 0));
    if (flight != 0)
        sp_buf_printf(&c->out, "; %" PRId64 " in flight, arrived", flight);
    if (moving != 0)
        sp_buf_printf(&c->out, "; %" PRId64 " undecided", moving);
    sp_buf_printf(&c->out, " (%s)\n", rd_text(ev, SP_FLD_resumed)[0] != '\0' ? "read before the kill" : time);
}

static void on_difference(struct sp_console *c, const struct sp_event_in *ev)
{
    if (++c->differences > MAX_DIFFERENCES) {
        if (c->differences == MAX_DIFFERENCES + 1)
            sp_buf_puts(&c->out, "    … more differences are in verify.json and report.html\n");
        return;
    }
    rdc_clear_status(c);
    sp_buf_puts(&c->out, "    ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_difference));
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, SP_FLD_name));
    sp_buf_puts(&c->out, " key ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_key));
    if (rd_text(ev, SP_FLD_column)[0] != '\0') {
        sp_buf_puts(&c->out, " column ");
        rd_plain(&c->out, rd_text(ev, SP_FLD_column));
    }
    sp_buf_putc(&c->out, '\n');
    rdc_field(c, "expected", rd_text(ev, SP_FLD_expected));
    rdc_field(c, "actual", rd_text(ev, SP_FLD_actual));
}

static void on_schema(struct sp_console *c, const struct sp_event_in *ev)
{
    bool accepted = sp_event_get_bool(ev, SP_FLD_accepted, false);
    rdc_clear_status(c);
    rdc_colored(c, accepted ? "33" : "31;1", accepted ? "acknowledged" : "DIFFERS");
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, SP_FLD_element));
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, SP_FLD_name));
    if (strcmp(rd_text(ev, SP_FLD_table), rd_text(ev, SP_FLD_name)) != 0) {
        sp_buf_puts(&c->out, " of ");
        rd_plain(&c->out, rd_text(ev, SP_FLD_table));
    }
    sp_buf_puts(&c->out, ": ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_difference));
    sp_buf_putc(&c->out, '\n');
    rdc_field(c, "expected", rd_text(ev, SP_FLD_expected));
    rdc_field(c, "actual", rd_text(ev, SP_FLD_actual));
}

static void on_relation(struct sp_console *c, const struct sp_event_in *ev)
{
    int64_t introduced = sp_event_get_int(ev, SP_FLD_introduced, 0);
    int64_t source = sp_event_get_int(ev, SP_FLD_source_orphans, 0);
    if (introduced == 0 && source == 0 && sp_event_get_int(ev, SP_FLD_target_orphans, 0) == 0)
        return;
    rdc_clear_status(c);
    rdc_colored(c, introduced > 0 ? "31;1" : "33", introduced > 0 ? "ORPHANS" : "orphans");
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, SP_FLD_child));
    sp_buf_puts(&c->out, " -> ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_parent));
    sp_buf_printf(&c->out, ": %" PRId64 " in the source, %" PRId64 " in the target, %" PRId64 " introduced\n",
        source, sp_event_get_int(ev, SP_FLD_target_orphans, 0), introduced);
}

static void on_sequence(struct sp_console *c, const struct sp_event_in *ev)
{
    if (!sp_event_get_bool(ev, SP_FLD_behind, false))
        return;
    rdc_clear_status(c);
    rdc_colored(c, "31;1", "BEHIND ");
    sp_buf_puts(&c->out, " sequence ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_name));
    sp_buf_printf(&c->out, ": next value %" PRId64 " in the source, %" PRId64 " in the target\n",
        sp_event_get_int(ev, SP_FLD_source_next, 0), sp_event_get_int(ev, SP_FLD_target_next, 0));
}

static void on_migrate_table(struct sp_console *c, const struct sp_event_in *ev)
{
    char rows[32], time[32];
    sp_format_count(rows, (uint64_t)sp_event_get_int(ev, SP_FLD_rows, 0));
    sp_format_duration(time, sp_event_get_real(ev, SP_FLD_duration_s, 0));
    rdc_clear_status(c);
    sp_buf_puts(&c->out, "copied  table ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_name));
    sp_buf_printf(&c->out, ": %s rows (%s) ", rows, time);
    rd_plain(&c->out, rd_text(ev, SP_FLD_message));
    sp_buf_putc(&c->out, '\n');
}

void rdc_data(struct sp_console *c, const struct sp_event_in *ev)
{
    switch (ev->kind) {
    case SP_EV_TABLE:
        on_table(c, ev);
        return;
    case SP_EV_DIFFERENCE:
        on_difference(c, ev);
        return;
    case SP_EV_SCHEMA_DIFF:
        on_schema(c, ev);
        return;
    case SP_EV_RELATION:
        on_relation(c, ev);
        return;
    case SP_EV_SEQUENCE:
        on_sequence(c, ev);
        return;
    case SP_EV_NOT_COMPARED:
        if (strcmp(rd_text(ev, SP_FLD_what), "everything") != 0 || !rdc_said(c, rd_text(ev, SP_FLD_reason)))
            rdc_named(c, "33;1",
                sp_event_get_bool(ev, SP_FLD_accepted, false) &&
                        !sp_str_prefix(rd_text(ev, SP_FLD_what), "left out")
                    ? "acknowledged"
                    : "NOT COMPARED",
                rd_text(ev, SP_FLD_name), rd_text(ev, SP_FLD_reason));
        return;
    case SP_EV_FINDING:
        rdc_named(c, "33", "finding", rd_text(ev, SP_FLD_name), rd_text(ev, SP_FLD_message));
        return;
    case SP_EV_MIGRATE_TABLE:
        on_migrate_table(c, ev);
        return;
    case SP_EV_SAMPLED:
        rdc_sampled(c, ev);
        return;
    case SP_EV_DIAGNOSIS:
        rdc_cause(c, ev);
        return;
    default:
        if (!rdc_assess(c, ev))
            (void)rdc_checks(c, ev);
        return;
    }
}
