/* verdict.c -- what is found is sent as an event and counted here; the counts make the verdict. */
#include <stdlib.h>

#include "model/calendar.h"
#include "verify/internal.h"

const char *sp_verify_verdict_name(enum sp_verify_verdict v)
{
    static const char *const names[] = { [SP_VV_EQUAL] = "equal",
        [SP_VV_EQUAL_WITH_LOSS] = "equal_with_loss",
        [SP_VV_DIFFERENT] = "different",
        [SP_VV_NOT_COMPARED] = "not_compared",
        [SP_VV_NO_DIFFERENCE_SEEN] = "no_difference_seen" };
    return (unsigned)v < SP_LEN(names) ? names[v] : "?";
}

int sp_verify_exit_code(enum sp_verify_verdict v)
{
    return v == SP_VV_EQUAL ? 0 : v == SP_VV_EQUAL_WITH_LOSS || v == SP_VV_DIFFERENT ? 1 : 3;
}

const char *sp_v_side_name(enum sp_side side)
{
    return side == SP_SIDE_SOURCE ? "source" : "target";
}

int sp_v_abort(struct sp_vctx *c, struct sp_error *why)
{
    if (c->rc == 0) {
        c->rc = why->code == SP_E_OK ? -SP_E_INTERNAL : -(int)why->code;
        if (c->err != NULL)
            sp_error_move(c->err, why);
    }
    sp_error_clear(why);
    return c->rc;
}

int sp_v_nomem(struct sp_vctx *c)
{
    struct sp_error err = SP_ERROR_INIT;
    sp_nomem(&err);
    return sp_v_abort(c, &err);
}

void sp_v_send(struct sp_vctx *c, struct sp_event *ev)
{
    struct sp_error err = SP_ERROR_INIT;
    if (sp_event_send(c->em, ev, &err) != 0)
        sp_v_abort(c, &err);
    sp_error_clear(&err);
}

void sp_v_put_since(const struct sp_vctx *c, struct sp_event *ev, const struct sp_d128 *key)
{
    struct sp_buf b = SP_BUF_INIT;
    int64_t ms = key != NULL ? sp_v_recheck_since(c, *key) : 0;
    if (ms == 0)
        ms = c->since_ms != 0 ? c->since_ms : c->snaps.since_ms;
    const struct sp_ts ts = { .sec = ms / 1000, .nsec = (uint32_t)(ms % 1000) * 1000000 };
    if (ms > 0 && sp_ts_print(&b, ts, true) == 0)
        sp_event_text(ev, SP_FLD_since, b.p);
    sp_buf_free(&b);
}

static void reason(struct sp_vctx *c, const char *prefix, const char *text)
{
    if (c->reasons == NULL || c->reasons_left == 0)
        return;
    if (--c->reasons_left == 0)
        sp_buf_puts(c->reasons, "... and more, see the report\n");
    else
        sp_buf_printf(c->reasons, "%s%s\n", prefix, text);
}

static char *format(struct sp_vctx *c, const char *fmt, va_list ap)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_vprintf(&b, fmt, ap);
    char *text = sp_buf_steal(&b);
    if (text == NULL)
        sp_v_nomem(c);
    return text;
}

void sp_v_differ(struct sp_vctx *c, uint64_t n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = format(c, fmt, ap);
    va_end(ap);
    c->differences += n != 0 ? n : 1;
    if (text != NULL && c->differs != NULL)
        sp_buf_printf(c->differs, "%s\n", text);
    if (text != NULL)
        reason(c, "", text);
    free(text);
}

void sp_v_lossy(struct sp_vctx *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = format(c, fmt, ap);
    va_end(ap);
    c->lossy++;
    if (text != NULL)
        reason(c, "", text);
    free(text);
}

static void not_compared(
    struct sp_vctx *c, const char *name, const char *what, const char *text, bool accepted)
{
    struct sp_event ev;
    struct sp_buf line = SP_BUF_INIT;
    sp_event_begin(&ev, SP_EV_NOT_COMPARED);
    sp_event_text(&ev, SP_FLD_name, name);
    sp_event_text(&ev, SP_FLD_what, what);
    sp_event_text(&ev, SP_FLD_reason, text);
    sp_event_bool(&ev, SP_FLD_accepted, accepted);
    sp_v_send(c, &ev);
    if (accepted)
        return;
    c->not_compared++;
    sp_buf_printf(&line, "%s, %s: %s", name, what, text != NULL ? text : "?");
    reason(c, "not compared: ", line.p != NULL ? line.p : name);
    sp_buf_free(&line);
}

void sp_v_not_compared(struct sp_vctx *c, const char *name, const char *what, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = format(c, fmt, ap);
    va_end(ap);
    not_compared(c, name, what, text, false);
    free(text);
}

void sp_v_not_inspected(
    struct sp_vctx *c, const char *element, const char *table, const char *name, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = format(c, fmt, ap);
    va_end(ap);
    not_compared(c, name, element, text, sp_v_accepted(c, element, table, name));
    free(text);
}

void sp_v_finding(struct sp_vctx *c, const char *name, const char *column, const char *topic, uint64_t count,
    const char *fmt, ...)
{
    struct sp_event ev;
    va_list ap;
    va_start(ap, fmt);
    char *text = format(c, fmt, ap);
    va_end(ap);
    sp_event_begin(&ev, SP_EV_FINDING);
    sp_event_text(&ev, SP_FLD_name, name);
    sp_event_text(&ev, SP_FLD_column, column);
    sp_event_text(&ev, SP_FLD_topic, topic);
    sp_event_int(&ev, SP_FLD_count, (int64_t)count);
    sp_event_text(&ev, SP_FLD_message, text);
    sp_v_send(c, &ev);
    free(text);
}

static void schema_diff(struct sp_vctx *c, const char *element, const char *table, const char *name,
    const char *expected, const char *actual, bool accepted)
{
    const char *kind = expected == NULL ? "extra" : actual == NULL ? "missing" : "changed";
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_SCHEMA_DIFF);
    sp_event_text(&ev, SP_FLD_element, element);
    sp_event_text(&ev, SP_FLD_name, name);
    sp_event_text(&ev, SP_FLD_table, table);
    sp_event_text(&ev, SP_FLD_expected, expected);
    sp_event_text(&ev, SP_FLD_actual, actual);
    sp_event_text(&ev, SP_FLD_difference, kind);
    sp_event_bool(&ev, SP_FLD_accepted, accepted);
    sp_v_send(c, &ev);
    if (accepted)
        return;
    if (strcmp(name, table) == 0 || name[0] == '\0')
        sp_v_differ(c, 1, "schema: %s of %s is %s", element, table, kind);
    else
        sp_v_differ(c, 1, "schema: %s %s of %s is %s", element, name, table, kind);
}

void sp_v_schema_diff(struct sp_vctx *c, const char *element, const char *table, const char *name,
    const char *expected, const char *actual)
{
    schema_diff(c, element, table, name, expected, actual, sp_v_accepted(c, element, table, name));
}

void sp_v_schema_lost(struct sp_vctx *c, const char *element, const char *table, const char *name,
    const char *expected, const char *actual)
{
    schema_diff(c, element, table, name, expected, actual, false);
}
