/* error.c -- the error record: filling, prefixing, moving. */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/line.h"
#include "base/str.h"

static const char *const code_names[SP_CODE_N] = {
#define SP_X(id, name, doc) name,
    SP_CODES(SP_X)
#undef SP_X
};

static const char *const code_docs[SP_CODE_N] = {
#define SP_X(id, name, doc) doc,
    SP_CODES(SP_X)
#undef SP_X
};

static bool known_code(enum sp_code code)
{
    return (int)code >= 0 && (int)code < (int)SP_CODE_N;
}

const char *sp_code_name(enum sp_code code)
{
    return known_code(code) ? code_names[code] : "?";
}

const char *sp_origin_name(enum sp_origin origin)
{
    switch (origin) {
    case SP_ORIGIN_BACKEND:
        return "backend";
    case SP_ORIGIN_TRANSPORT:
        return "transport";
    case SP_ORIGIN_HARNESS:
        return "harness";
    }
    return "?";
}

const char *sp_effect_name(enum sp_effect effect)
{
    switch (effect) {
    case SP_EFFECT_NONE:
        return "none";
    case SP_EFFECT_APPLIED:
        return "applied";
    case SP_EFFECT_UNKNOWN:
        return "unknown";
    }
    return "?";
}

char *sp_line_vformat(const char *fmt, va_list ap)
{
    char *raw = NULL, *hidden = NULL, *clean = NULL;
    if (vasprintf(&raw, fmt, ap) < 0) {
        return NULL;
    }
    /* Secrets first: escaping could change the bytes of a secret so that it is no longer recognised. */
    hidden = sp_redact(raw);
    free(raw);
    if (hidden != NULL) {
        clean = sp_utf8_clean(hidden, strlen(hidden), true);
        free(hidden);
    }
    for (char *p = clean; p != NULL && *p != '\0'; p++) {
        if (*p == '\n' || *p == '\t') {
            *p = ' ';
        }
    }
    return clean;
}

int sp_failv(struct sp_error *err, enum sp_code code, enum sp_origin origin, const char *fmt, va_list ap)
{
    /* A failure that is told as "ok" would be taken for success by every caller. */
    enum sp_code told = code == SP_E_OK || !known_code(code) ? SP_E_INTERNAL : code;
    if (err != NULL) {
        int saved = errno;
        char *text = sp_line_vformat(fmt, ap); /* before the old text goes: it may be an argument */
        sp_error_clear(err);
        err->code = told;
        err->origin = origin;
        err->effect = told == SP_E_OUTCOME_UNKNOWN ? SP_EFFECT_UNKNOWN : SP_EFFECT_NONE;
        err->text = text;
        errno = saved;
    }
    return -(int)told;
}

int sp_fail(struct sp_error *err, enum sp_code code, enum sp_origin origin, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = sp_failv(err, code, origin, fmt, ap);
    va_end(ap);
    return rc;
}

int sp_nomem(struct sp_error *err)
{
    if (err != NULL) {
        sp_error_clear(err); /* no text: sp_error_text() says what the code means without an allocation */
        err->code = SP_E_NOMEM;
    }
    return -SP_E_NOMEM;
}

int sp_invalid(struct sp_error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = sp_failv(err, SP_E_INVALID, SP_ORIGIN_HARNESS, fmt, ap);
    va_end(ap);
    return rc;
}

int sp_error_prefix(struct sp_error *err, const char *fmt, ...)
{
    if (err == NULL) {
        return -SP_E_INTERNAL; /* callers return this value: it must not look like success */
    }
    if (err->code == SP_E_OK) {
        return 0;
    }
    va_list ap;
    va_start(ap, fmt);
    char *prefix = sp_line_vformat(fmt, ap);
    va_end(ap);
    char *text = prefix != NULL ? sp_strdup_printf("%s: %s", prefix, sp_error_text(err)) : NULL;
    free(prefix);
    if (text != NULL) {
        free(err->text);
        err->text = text;
    }
    return -(int)err->code;
}

void sp_error_native(struct sp_error *err, const char *native)
{
    if (err == NULL) {
        return;
    }
    size_t n = 0;
    for (; native != NULL && native[n] != '\0' && n + 1 < sizeof err->native; n++) {
        bool printable = native[n] >= 0x20 && native[n] < 0x7f;
        err->native[n] = native[n];
        if (!printable) {
            err->native[n] = '?';
        }
    }
    err->native[n] = '\0';
}

const char *sp_error_text(const struct sp_error *err)
{
    if (err == NULL) {
        return "unknown error";
    }
    if (err->text != NULL) {
        return err->text;
    }
    return known_code(err->code) ? code_docs[err->code] : "unknown error";
}

void sp_error_clear(struct sp_error *err)
{
    if (err != NULL) {
        free(err->text);
        *err = (struct sp_error)SP_ERROR_INIT;
    }
}

void sp_error_move(struct sp_error *to, struct sp_error *from)
{
    if (to == from) {
        return;
    }
    sp_error_clear(to);
    if (to != NULL && from != NULL) {
        *to = *from;
        *from = (struct sp_error)SP_ERROR_INIT;
    }
    sp_error_clear(from);
}
