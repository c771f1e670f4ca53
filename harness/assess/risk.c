/* risk.c -- what the findings come to: a risk with its reasons, the time that reading takes, what to do. */
#include <stdio.h>
#include <stdlib.h>

#include "assess/internal.h"

#define GIB  (UINT64_C(1) << 30)
#define HOUR 3600.0

static const char *const risks[] = { "low", "medium", "high" };

const char *sp_risk_name(enum sp_risk r)
{
    return (unsigned)r < SP_LEN(risks) ? risks[r] : "?";
}

struct sum {
    uint64_t rows, bytes, examined, examined_bytes, timed, max_row;
    double seconds, estimate;
};

static double row_size(const struct sp_atable *x, const struct sum *all)
{
    if (x->examined != 0)
        return (double)x->bytes / (double)x->examined;
    return all->examined != 0 ? (double)all->examined_bytes / (double)all->examined : 0;
}

/* Rows a second of this table where enough of it was read, else of all. */
static double rate(const struct sp_atable *x, const struct sum *all)
{
    if (x->timed >= 1000 && x->seconds > 0.001)
        return (double)x->timed / x->seconds;
    return all->seconds > 0.000001 && all->timed != 0 ? (double)all->timed / all->seconds : 0;
}

static void send_table(struct sp_actx *c, const struct sp_atable *x, struct sum *all)
{
    struct sp_event ev;
    double speed = rate(x, all), bytes = row_size(x, all) * (double)x->rows;
    double estimate = speed > 0 ? (double)x->rows / speed : 0;
    all->estimate += estimate;
    all->bytes += (uint64_t)bytes;
    sp_event_begin(&ev, SP_EV_ASSESS_TABLE);
    sp_event_text(&ev, SP_FLD_name, x->t->name);
    if (x->counted)
        sp_event_int(&ev, SP_FLD_rows, (int64_t)x->rows);
    sp_event_int(&ev, SP_FLD_bytes, (int64_t)bytes);
    sp_event_int(&ev, SP_FLD_max_row, (int64_t)x->max_row);
    if (x->volume.disk_bytes >= 0)
        sp_event_int(&ev, SP_FLD_disk_bytes, x->volume.disk_bytes);
    sp_event_int(&ev, SP_FLD_examined, (int64_t)x->examined);
    sp_event_real(&ev, SP_FLD_rate, speed);
    sp_event_real(&ev, SP_FLD_estimate_s, estimate);
    sp_event_text(&ev, SP_FLD_growth, x->growth);
    sp_event_int(&ev, SP_FLD_step, (int64_t)x->step);
    sp_a_send(c, &ev);
}

static void because(struct sp_actx *c, enum sp_risk risk, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void because(struct sp_actx *c, enum sp_risk risk, const char *fmt, ...)
{
    va_list ap;
    if (risk > c->out->risk)
        c->out->risk = risk;
    sp_buf_printf(c->reasons, "%s: ", risks[risk]);
    va_start(ap, fmt);
    sp_buf_vprintf(c->reasons, fmt, ap);
    va_end(ap);
    sp_buf_putc(c->reasons, '\n');
}

static void reasons(struct sp_actx *c, const struct sum *all)
{
    char size[48];
    snprintf(size, sizeof size, "%.1f GiB", (double)all->bytes / (double)GIB);
    for (int r = SP_RISK_HIGH; r >= SP_RISK_MEDIUM; r--)
        if (c->found[r] != 0)
            because(c, (enum sp_risk)r, "%u finding%s of %s risk, see the report", c->found[r],
                c->found[r] == 1 ? "" : "s", risks[r]);
    if (all->bytes > GIB)
        because(c, all->bytes > 100 * GIB ? SP_RISK_HIGH : SP_RISK_MEDIUM, "about %s of content", size);
    if (all->estimate > HOUR)
        because(c, all->estimate > 8 * HOUR ? SP_RISK_HIGH : SP_RISK_MEDIUM,
            "reading alone takes more than an hour");
    if (c->opt->target != NULL && !c->same_kind)
        because(c, SP_RISK_MEDIUM, "another kind of backend: %s to %s", c->kind->kind, c->opt->target->kind);
    if (c->grows)
        because(c, SP_RISK_MEDIUM, "tables grow by more than 100,000 rows a day");
    if (!c->out->complete)
        because(c, SP_RISK_MEDIUM, "not everything could be looked at");
    if (c->reasons->n == 0)
        because(c, SP_RISK_LOW, "nothing was found that stands in the way");
}

static void advice(struct sp_actx *c, const struct sum *all, struct sp_buf *out)
{
    char time[32];
    sp_format_duration(time, all->estimate);
    sp_buf_puts(out, "rehearse on a copy: migrate it, then verify it, and measure both\n");
    sp_buf_puts(out, "make a backup, and try once whether it can be restored\n");
    sp_buf_printf(
        out, "plan a maintenance window of several times %s, which is what reading alone takes\n", time);
    if (c->grows || all->estimate > HOUR)
        sp_buf_puts(
            out, "copy ahead and carry the changes over, so that the window only has to hold the rest\n");
    if (c->orphans != 0)
        sp_buf_puts(out, "repair the orphans at the source first: they don't get better on the way\n");
    if (c->found[SP_RISK_HIGH] != 0)
        sp_buf_puts(out, "settle every finding of high risk before a date is set\n");
    if (c->opt->target == NULL)
        sp_buf_puts(out, "name the kind of the target (--target) to see what it cannot hold\n");
    if (!c->opt->full)
        sp_buf_puts(
            out, "read all values once (--full): of most tables only the first rows were looked at\n");
}

void sp_a_conclude(struct sp_actx *c)
{
    struct sum all = { .rows = 0 };
    struct sp_event ev;
    struct sp_buf todo = SP_BUF_INIT, basis = SP_BUF_INIT;
    char examined[32];
    for (size_t i = 0; i < c->ntables; i++) {
        const struct sp_atable *x = &c->tables[i];
        all.rows += x->rows;
        all.examined += x->examined;
        all.examined_bytes += x->bytes;
        all.seconds += x->seconds;
        all.timed += x->timed;
        all.max_row = x->max_row > all.max_row ? x->max_row : all.max_row;
    }
    for (size_t i = 0; i < c->ntables && c->rc == 0; i++)
        send_table(c, &c->tables[i], &all);
    reasons(c, &all);
    advice(c, &all, &todo);
    sp_format_count(examined, all.timed);
    sp_buf_printf(&basis,
        "an estimate: %s rows were read in %.2f s by one session here and now, and the rest is taken to be "
        "as fast; writing, "
        "indexes and checks come on top",
        examined, all.seconds);
    sp_event_begin(&ev, SP_EV_ASSESS_END);
    sp_event_text(&ev, SP_FLD_risk, sp_risk_name(c->out->risk));
    sp_event_int(&ev, SP_FLD_tables, (int64_t)c->ntables);
    sp_event_int(&ev, SP_FLD_rows, (int64_t)all.rows);
    sp_event_int(&ev, SP_FLD_bytes, (int64_t)all.bytes);
    sp_event_int(&ev, SP_FLD_max_row, (int64_t)all.max_row);
    sp_event_real(&ev, SP_FLD_estimate_s, all.estimate);
    sp_event_text(&ev, SP_FLD_basis, basis.p);
    sp_event_text(&ev, SP_FLD_reasons, c->reasons->p);
    sp_event_text(&ev, SP_FLD_advice, todo.p);
    sp_event_bool(&ev, SP_FLD_complete, c->out->complete);
    sp_a_send(c, &ev);
    sp_buf_free(&todo);
    sp_buf_free(&basis);
}
