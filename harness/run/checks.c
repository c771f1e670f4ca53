/* checks.c -- what a case says it expects. */
#include "run/ctx.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 160 /* bytes of a text in a message */

static const char *base_name(const char *path)
{
    /* The path as the compiler saw it, from the tree's top. */
    const char *at = strstr(path, "suites/");
    return at != NULL ? at : path;
}

/* Writes out a failed check, and remembers the first as the case's message. */
static void tell(struct sp_ctx *ctx, const char *file, int line, const char *what, const char *expected,
    const char *actual, const struct sp_error *err)
{
    char *text = sp_strdup_printf(
        "%s: expected %s, got %s", what, expected != NULL ? expected : "?", actual != NULL ? actual : "?");
    sp_ctx_blame(ctx, true, text != NULL ? text : what);
    free(text);
    if (ctx->ntold++ >= SP_CTX_CHECKS_TOLD)
        return;
    struct sp_event ev;
    sp_ctx_begin_event(ctx, &ev, SP_EV_CHECK);
    sp_event_text(&ev, SP_FLD_what, what);
    sp_event_text(&ev, SP_FLD_expected, expected);
    sp_event_text(&ev, SP_FLD_actual, actual);
    if (err != NULL && err->code != SP_E_OK) {
        sp_event_text(&ev, SP_FLD_code, sp_code_name(err->code));
        sp_event_text(&ev, SP_FLD_origin, sp_origin_name(err->origin));
        if (err->native[0] != '\0')
            sp_event_text(&ev, SP_FLD_native, err->native);
    }
    sp_event_text(&ev, SP_FLD_file, base_name(file));
    sp_event_int(&ev, SP_FLD_line, line);
    sp_ctx_send(ctx, &ev);
}

static void count(struct sp_ctx *ctx)
{
    ctx->nchecks++;
    if (ctx->skipped)
        sp_ctx_error(ctx, "a check was executed after the case asked to be skipped");
}

bool sp_check_at(struct sp_ctx *ctx, const char *file, int line, bool ok, const char *what,
    const char *expected, const char *actual)
{
    count(ctx);
    if (!ok)
        tell(ctx, file, line, what, expected, actual, NULL);
    return ok;
}

/* The backend is not to blame for what happened on the way to it or in here. That it does not offer a thing which
 * the case needs is its own answer, whoever gives it. */
static bool blameless(int rc, const struct sp_error *err)
{
    if (rc == -SP_E_UNSUPPORTED)
        return false;
    if (err != NULL && err->code != SP_E_OK)
        return err->origin != SP_ORIGIN_BACKEND;
    return rc == -SP_E_NOMEM || rc == -SP_E_IO || rc == -SP_E_UNAVAILABLE;
}

static char *rc_text(int rc, const struct sp_error *err)
{
    if (rc == 0)
        return sp_strdup_printf("success");
    const char *name = rc < 0 && rc > -SP_CODE_N ? sp_code_name((enum sp_code) - rc) : "an unknown code";
    if (err == NULL || err->code == SP_E_OK)
        return sp_strdup_printf("%s", name);
    return sp_strdup_printf("%s%s%s%s: %s", name, err->native[0] != '\0' ? " (" : "", err->native,
        err->native[0] != '\0' ? ")" : "", sp_error_text(err));
}

bool sp_check_code_at(struct sp_ctx *ctx, const char *file, int line, const char *what, enum sp_code want,
    int rc, const struct sp_error *err)
{
    count(ctx);
    if (rc == -(int)want)
        return true;
    char *got = rc_text(rc, err);
    if (rc != 0 && blameless(rc, err)) {
        char *text = sp_strdup_printf("%s: could not be told: %s", what, got != NULL ? got : "?");
        sp_ctx_blame(ctx, false, text != NULL ? text : what);
        free(text);
    } else {
        tell(ctx, file, line, what, want == SP_E_OK ? "success" : sp_code_name(want), got, err);
    }
    free(got);
    return false;
}

bool sp_check_ok_at(
    struct sp_ctx *ctx, const char *file, int line, const char *what, int rc, const struct sp_error *err)
{
    return sp_check_code_at(ctx, file, line, what, SP_E_OK, rc, err);
}

/* The data of a provider that may only be read is somebody's: its values stay out of the report. */
static bool confidential(const struct sp_ctx *ctx)
{
    return ctx->endpoint.access == SP_ACCESS_READ_ONLY;
}

static void print_value(const struct sp_ctx *ctx, struct sp_buf *b, const struct sp_value *v)
{
    if (v == NULL) {
        (void)sp_buf_puts(b, "no such column");
        return;
    }
    if (!confidential(ctx) || sp_v_is_absent(v)) {
        (void)sp_value_print(b, v, 0);
        return;
    }
    struct sp_buf whole = SP_BUF_INIT;
    (void)sp_value_print(&whole, v, SIZE_MAX / 4);
    (void)sp_buf_printf(
        b, "%s with digest %016" PRIx64, sp_tag_name(v->tag), sp_hash_str(whole.p != NULL ? whole.p : ""));
    sp_buf_free(&whole);
}

bool sp_check_value_at(struct sp_ctx *ctx, const char *file, int line, const char *what,
    const struct sp_value *want, const struct sp_value *got)
{
    count(ctx);
    if (want != NULL && got != NULL && sp_value_equal(want, got))
        return true;
    struct sp_buf w = SP_BUF_INIT, g = SP_BUF_INIT;
    print_value(ctx, &w, want);
    print_value(ctx, &g, got);
    tell(ctx, file, line, what, w.p, g.p, NULL);
    sp_buf_free(&w);
    sp_buf_free(&g);
    return false;
}

bool sp_check_int_at(
    struct sp_ctx *ctx, const char *file, int line, const char *what, int64_t want, int64_t got)
{
    count(ctx);
    if (want == got)
        return true;
    char w[24], g[24];
    (void)snprintf(w, sizeof w, "%" PRId64, want);
    (void)snprintf(g, sizeof g, "%" PRId64, got);
    tell(ctx, file, line, what, w, g, NULL);
    return false;
}

static char *quoted(const struct sp_ctx *ctx, const char *p, size_t n)
{
    if (p == NULL)
        return sp_strdup_printf("nothing");
    char *all = sp_utf8_clean(p, n, true);
    char *text = NULL;
    if (all != NULL && confidential(ctx))
        text = sp_strdup_printf("%zu bytes with digest %016" PRIx64, n, sp_hash_str(all));
    else if (all != NULL && strlen(all) > SHOWN)
        text = sp_strdup_printf("\"%.*s\"... (%zu bytes)", SHOWN, all, n);
    else if (all != NULL)
        text = sp_strdup_printf("\"%s\"", all);
    free(all);
    return text;
}

bool sp_check_text_at(
    struct sp_ctx *ctx, const char *file, int line, const char *what, const char *want, const char *got)
{
    count(ctx);
    if (sp_streq(want, got))
        return true;
    char *w = quoted(ctx, want, want != NULL ? strlen(want) : 0);
    char *g = quoted(ctx, got, got != NULL ? strlen(got) : 0);
    tell(ctx, file, line, what, w, g, NULL);
    free(w);
    free(g);
    return false;
}

/* "5 bytes, first difference at byte 3: 00ff..." */
static char *bytes_text(const struct sp_ctx *ctx, const unsigned char *p, size_t n, size_t at)
{
    struct sp_buf b = SP_BUF_INIT;
    (void)sp_buf_printf(&b, "%zu bytes", n);
    if (at < n && !confidential(ctx)) {
        size_t left = n - at;
        (void)sp_buf_printf(&b, ", from byte %zu on: ", at);
        (void)sp_buf_hex(&b, p + at, left < 16 ? left : 16);
        (void)sp_buf_puts(&b, left > 16 ? "..." : "");
    } else if (at < n) {
        (void)sp_buf_printf(&b, ", different from byte %zu on", at);
    }
    return sp_buf_steal(&b);
}

bool sp_check_bytes_at(struct sp_ctx *ctx, const char *file, int line, const char *what, const void *want,
    size_t nwant, const void *got, size_t ngot)
{
    count(ctx);
    if (nwant == ngot && (nwant == 0 || memcmp(want, got, nwant) == 0))
        return true;
    const unsigned char *w = want, *g = got;
    size_t at = 0;
    while (at < nwant && at < ngot && w[at] == g[at])
        at++;
    char *wt = bytes_text(ctx, w, nwant, at), *gt = bytes_text(ctx, g, ngot, at);
    tell(ctx, file, line, what, wt, gt, NULL);
    free(wt);
    free(gt);
    return false;
}

static void semantics(
    struct sp_ctx *ctx, const char *topic, enum sp_event_field field, const char *fmt, va_list ap)
{
    struct sp_buf b = SP_BUF_INIT;
    struct sp_event ev;
    (void)sp_buf_vprintf(&b, fmt, ap);
    sp_ctx_begin_event(ctx, &ev, SP_EV_SEMANTICS);
    sp_event_text(&ev, SP_FLD_topic, topic);
    sp_event_textn(&ev, field, b.p, b.n);
    sp_buf_free(&b);
    sp_ctx_send(ctx, &ev);
}

void sp_ctx_observe(struct sp_ctx *ctx, const char *topic, const char *fmt, ...)
{
    va_list ap;
    count(ctx);
    va_start(ap, fmt);
    semantics(ctx, topic, SP_FLD_observed, fmt, ap);
    va_end(ap);
}

void sp_ctx_not_observed(struct sp_ctx *ctx, const char *topic, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    semantics(ctx, topic, SP_FLD_reason, fmt, ap);
    va_end(ap);
}
