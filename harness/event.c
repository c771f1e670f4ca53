/* event.c -- building events: the tables of kinds and fields, and the JSON text of one event. */
#include "event.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* One text may not make a report unreadable or a frame too large; a histogram is data and is never cut. */
#define TEXT_MAX ((size_t)64 << 10)
#define HIST_MAX ((size_t)1 << 20)

static const struct {
    const char *name, *doc;
} kinds[SP_EV_N] = {
#define SP_X(id, name, doc) { name, doc },
    SP_EVENTS(SP_X)
#undef SP_X
};

static const struct {
    const char *name;
    enum sp_field_type type;
} fields[SP_FLD_N] = {
#define SP_X(name, type) { #name, SP_FT_##type },
    SP_FIELDS(SP_X)
#undef SP_X
};

const char *sp_event_name(enum sp_event_kind k)
{
    return (unsigned)k < SP_EV_N ? kinds[k].name : "?";
}

const char *sp_event_doc(enum sp_event_kind k)
{
    return (unsigned)k < SP_EV_N ? kinds[k].doc : "?";
}

const char *sp_event_field_name(enum sp_event_field f)
{
    return (unsigned)f < SP_FLD_N ? fields[f].name : "?";
}

enum sp_field_type sp_event_field_type(enum sp_event_field f)
{
    return (unsigned)f < SP_FLD_N ? fields[f].type : SP_FT_TEXT;
}

void sp_event_begin(struct sp_event *ev, enum sp_event_kind kind)
{
    *ev = (struct sp_event){ .kind = kind, .json = SP_BUF_INIT, .bad = (unsigned)kind >= SP_EV_N };
}

/* Writes ,"name": unless the field has another type or was set before. */
static bool put_name(struct sp_event *ev, enum sp_event_field f, enum sp_field_type type)
{
    if (ev->bad || (unsigned)f >= SP_FLD_N || fields[f].type != type) {
        ev->bad = true;
        return false;
    }
    char key[64];
    size_t n = 0;
    key[n++] = ',';
    key[n++] = '"';
    for (const char *s = fields[f].name; *s != '\0' && n < sizeof key - 2; s++) {
        key[n++] = *s;
    }
    key[n++] = '"';
    key[n++] = ':';
    /* Quotes inside texts are escaped, so this spelling can only be a name. */
    if (ev->json.n != 0 && memmem(ev->json.p, ev->json.n, key, n) != NULL) {
        ev->bad = true;
        return false;
    }
    (void)sp_buf_put(&ev->json, key, n);
    return true;
}

static void put_quoted(struct sp_buf *out, const char *s, size_t n)
{
    (void)sp_buf_putc(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\') {
            (void)sp_buf_putc(out, '\\');
            (void)sp_buf_putc(out, (char)c);
        } else if (c == '\n') {
            (void)sp_buf_puts(out, "\\n");
        } else if (c == '\t') {
            (void)sp_buf_puts(out, "\\t");
        } else if (c < 0x20 || c == 0x7f) {
            (void)sp_buf_printf(out, "\\u%04x", (unsigned)c);
        } else {
            (void)sp_buf_putc(out, (char)c);
        }
    }
    (void)sp_buf_putc(out, '"');
}

/* A C string of p[0..n): U+0000 becomes the four characters \x00. */
static char *as_string(const char *p, size_t n)
{
    struct sp_buf b = SP_BUF_INIT;
    for (size_t i = 0; i < n;) {
        const char *nul = memchr(p + i, '\0', n - i);
        size_t run = nul != NULL ? (size_t)(nul - (p + i)) : n - i;
        (void)sp_buf_put(&b, p + i, run);
        i += run;
        if (i < n) {
            (void)sp_buf_puts(&b, "\\x00");
            i++;
        }
    }
    return sp_buf_steal(&b);
}

/* Cuts at a character's start and says how long the whole was. */
static void put_capped(struct sp_event *ev, const char *s, size_t max)
{
    size_t n = strlen(s);
    if (n <= max) {
        put_quoted(&ev->json, s, n);
        return;
    }
    size_t cut = max;
    while (cut > 0 && ((unsigned char)s[cut] & 0xc0) == 0x80) {
        cut--;
    }
    struct sp_buf b = SP_BUF_INIT;
    (void)sp_buf_put(&b, s, cut);
    (void)sp_buf_printf(&b, "... (cut, %zu bytes in all)", n);
    if (b.oom) {
        ev->bad = true;
    } else {
        put_quoted(&ev->json, b.p, b.n);
    }
    sp_buf_free(&b);
}

/* Words of the program's own, and names that the configuration gives: cases are told apart by them, and a password that is
 * such a word ("postgres") must not take them away. They stand in the open anyway, and say nothing about it. */
static bool is_identifier(const struct sp_event *ev, enum sp_event_field f)
{
    static const enum sp_event_field fields_of_names[] = { SP_FLD_id, SP_FLD_suite, SP_FLD_provider,
        SP_FLD_outcome, SP_FLD_kind, SP_FLD_access, SP_FLD_fidelity, SP_FLD_capability, SP_FLD_facet,
        SP_FLD_declared, SP_FLD_effective, SP_FLD_code, SP_FLD_origin, SP_FLD_verdict, SP_FLD_command,
        SP_FLD_tool, SP_FLD_level, SP_FLD_stream, SP_FLD_repeat };
    for (size_t i = 0; i < SP_LEN(fields_of_names); i++) {
        if (fields_of_names[i] == f) {
            return true;
        }
    }
    return f == SP_FLD_name && ev->kind == SP_EV_PROVIDER;
}

void sp_event_textn(struct sp_event *ev, enum sp_event_field f, const void *p, size_t n)
{
    if (p == NULL && n == 0) {
        p = "";
    }
    if (f == SP_FLD_hist && n > HIST_MAX) {
        ev->bad = true;
        return;
    }
    if (p == NULL || !put_name(ev, f, SP_FT_TEXT)) {
        ev->bad = true;
        return;
    }
    /* Secrets first: escaping could change the bytes of a secret so that it is no longer recognised. */
    char *whole = as_string(p, n);
    char *hidden = whole == NULL ? NULL : is_identifier(ev, f) ? strdup(whole) : sp_redact(whole);
    char *clean = hidden != NULL ? sp_utf8_clean(hidden, strlen(hidden), true) : NULL;
    if (clean == NULL) {
        ev->bad = true;
    } else {
        put_capped(ev, clean, f == SP_FLD_hist ? HIST_MAX : TEXT_MAX);
    }
    free(whole);
    free(hidden);
    free(clean);
}

void sp_event_text(struct sp_event *ev, enum sp_event_field f, const char *s)
{
    if (s != NULL) {
        sp_event_textn(ev, f, s, strlen(s));
    }
}

void sp_event_int(struct sp_event *ev, enum sp_event_field f, int64_t v)
{
    if (put_name(ev, f, SP_FT_INT)) {
        (void)sp_buf_printf(&ev->json, "%lld", (long long)v);
    }
}

void sp_event_real(struct sp_event *ev, enum sp_event_field f, double v)
{
    if (!isfinite(v)) {
        ev->bad = ev->bad || sp_event_field_type(f) != SP_FT_REAL;
        return;
    }
    if (!put_name(ev, f, SP_FT_REAL)) {
        return;
    }
    char text[40];
    /* The shorter spelling where it means the same number. */
    int n = snprintf(text, sizeof text, "%.15g", v);
    double back = 0;
    if (n <= 0 || !sp_parse_f64(text, &back) || back < v || back > v) {
        n = snprintf(text, sizeof text, "%.17g", v);
    }
    if (n <= 0 || (size_t)n >= sizeof text) {
        ev->bad = true;
        return;
    }
    (void)sp_buf_puts(&ev->json, text);
}

void sp_event_bool(struct sp_event *ev, enum sp_event_field f, bool v)
{
    if (put_name(ev, f, SP_FT_BOOL)) {
        (void)sp_buf_puts(&ev->json, v ? "true" : "false");
    }
}

int sp_event_send(struct sp_emitter *em, struct sp_event *ev, struct sp_error *err)
{
    int rc;
    if (ev->json.oom) {
        rc = sp_nomem(err);
    } else if (ev->bad) {
        rc = sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS,
            "a %s event has a field twice, of the wrong type, or too large", sp_event_name(ev->kind));
    } else if (em == NULL) {
        rc = 0; /* nobody listens */
    } else {
        size_t skip = ev->json.n != 0 ? 1 : 0; /* the first comma */
        rc = em->send(em, ev->kind, skip != 0 ? ev->json.p + 1 : "", ev->json.n - skip, err);
    }
    sp_buf_free(&ev->json);
    return rc;
}
