/* ctx_measure.c -- a measurement as an event. Quantiles that stand on too few samples are left out. */
#include "measure/measure.h"
#include "run/ctx.h"

#define S_PER_NS 1e-9

static void put_quantile(struct sp_event *ev, enum sp_event_field f, const struct sp_histogram *h, double q)
{
    if (sp_hist_quantile_known(h, q))
        sp_event_real(ev, f, (double)sp_hist_quantile(h, q) * S_PER_NS);
}

void sp_ctx_measure(struct sp_ctx *ctx, const struct sp_measure *m)
{
    const struct sp_histogram *h = m->hist;
    struct sp_buf hist = SP_BUF_INIT;
    struct sp_event ev;
    sp_ctx_begin_event(ctx, &ev, SP_EV_MEASURE);
    sp_event_text(&ev, SP_FLD_operation, m->operation);
    sp_event_text(&ev, SP_FLD_basis, m->basis);
    sp_event_text(&ev, SP_FLD_unit, "s");
    sp_event_int(&ev, SP_FLD_count, h->count <= INT64_MAX ? (int64_t)h->count : INT64_MAX);
    sp_event_int(&ev, SP_FLD_errors, m->errors <= INT64_MAX ? (int64_t)m->errors : INT64_MAX);
    sp_event_int(&ev, SP_FLD_dropped, m->dropped <= INT64_MAX ? (int64_t)m->dropped : INT64_MAX);
    sp_event_int(&ev, SP_FLD_late, m->late <= INT64_MAX ? (int64_t)m->late : INT64_MAX);
    sp_event_real(&ev, SP_FLD_duration_s, m->duration_s);
    if (m->duration_s > 0)
        sp_event_real(&ev, SP_FLD_rate, (double)h->count / m->duration_s);
    if (h->count != 0) {
        sp_event_real(&ev, SP_FLD_mean, sp_hist_mean(h) * S_PER_NS);
        sp_event_real(&ev, SP_FLD_min, (double)h->min_ns * S_PER_NS);
        sp_event_real(&ev, SP_FLD_max, (double)h->max_ns * S_PER_NS);
        put_quantile(&ev, SP_FLD_p50, h, 0.5);
        put_quantile(&ev, SP_FLD_p90, h, 0.9);
        put_quantile(&ev, SP_FLD_p95, h, 0.95);
        put_quantile(&ev, SP_FLD_p99, h, 0.99);
        put_quantile(&ev, SP_FLD_p999, h, 0.999);
        if (sp_hist_print(&hist, h) == 0)
            sp_event_textn(&ev, SP_FLD_hist, hist.p, hist.n);
    }
    sp_buf_free(&hist);
    sp_ctx_send(ctx, &ev);
}
