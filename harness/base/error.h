/* error.h -- one error record for the whole program.
 *
 * Ownership: the caller owns a `struct sp_error` (usually on its stack) and passes it down; the failing call
 * fills it once. `text` is a heap string owned by the record: sp_error_clear() frees it. A record may be passed
 * as NULL by callers that only want the code. Thread rule: a record belongs to one thread at a time.
 *
 * Functions return 0 on success or a negative code (-SP_E_...); the same code stands in the record. */
#ifndef SP_BASE_ERROR_H
#define SP_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* The one set of outcomes of an operation, for every backend. X(enum suffix, wire name, what it means) */
#define SP_CODES(X)                                                                                          \
    X(OK, "ok", "no error")                                                                                  \
    X(UNIQUE, "unique", "a unique or primary key constraint refused the write")                              \
    X(FOREIGN_KEY, "foreign_key", "a foreign key constraint refused the write")                              \
    X(NOT_NULL, "not_null", "a required value was null or missing")                                          \
    X(CHECK, "check", "a check constraint or validator refused the write")                                   \
    X(NOT_FOUND, "not_found", "the named table, object, user or bucket does not exist")                      \
    X(EXISTS, "exists", "the named table, object, user or bucket exists already")                            \
    X(PERMISSION, "permission", "authenticated, but not allowed")                                            \
    X(AUTHENTICATION, "authentication", "credentials or token missing, wrong, expired or revoked")           \
    X(CONFLICT, "conflict", "lost against a concurrent operation; a retry may succeed")                      \
    X(PRECONDITION, "precondition", "a condition given with the request (etag, version) did not hold")       \
    X(CANCELLED, "cancelled", "stopped at the caller's request")                                             \
    X(TIMEOUT, "timeout", "not answered in time")                                                            \
    X(UNAVAILABLE, "unavailable", "the backend cannot be reached or refuses to serve")                       \
    X(RATE_LIMITED, "rate_limited", "the backend asks to slow down")                                         \
    X(TOO_LARGE, "too_large", "over a size limit of the backend")                                            \
    X(RANGE, "range", "a value or byte range outside what can be represented or served")                     \
    X(INVALID, "invalid", "malformed request, name, value or configuration")                                 \
    X(UNSUPPORTED, "unsupported", "the backend does not offer this; nothing was changed")                    \
    X(CORRUPT, "corrupt", "stored data or a checksum is damaged")                                            \
    X(IO, "io", "reading or writing a local file failed")                                                    \
    X(NOMEM, "nomem", "out of memory")                                                                       \
    X(INTERNAL, "internal", "a defect in the backend or in switchproof")                                     \
    X(OUTCOME_UNKNOWN, "outcome_unknown", "the operation may or may not have taken effect")

enum sp_code {
#define SP_X(id, name, doc) SP_E_##id,
    SP_CODES(SP_X)
#undef SP_X
        SP_CODE_N
};

/* Who failed: decides between `failed` (backend) and `errored` (transport, harness). */
enum sp_origin { SP_ORIGIN_BACKEND, SP_ORIGIN_TRANSPORT, SP_ORIGIN_HARNESS };

/* What the failed call did to the data. */
enum sp_effect { SP_EFFECT_NONE, SP_EFFECT_APPLIED, SP_EFFECT_UNKNOWN };

struct sp_error {
    enum sp_code code;
    enum sp_origin origin;
    enum sp_effect effect;
    bool retryable;
    int retry_after_ms; /* 0 = not said */
    char native[24];    /* the backend's own code: SQLSTATE, errno name, HTTP status ...; "" = none */
    char *text;         /* one line, no secrets; NULL = none */
};

#define SP_ERROR_INIT                                                                                        \
    {                                                                                                        \
        SP_E_OK, SP_ORIGIN_HARNESS, SP_EFFECT_NONE, false, 0, "", NULL                                       \
    }

const char *sp_code_name(enum sp_code code);       /* wire name, "?" outside the range */
const char *sp_origin_name(enum sp_origin origin); /* backend, transport, harness */
const char *sp_effect_name(enum sp_effect effect); /* none, applied, unknown */

/* Fills `err` (if not NULL; a record that already holds an error is replaced) and returns -code. The text is
 * formatted, made valid UTF-8, stripped of control characters and passed through sp_redact(). */
int sp_fail(struct sp_error *err, enum sp_code code, enum sp_origin origin, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int sp_failv(struct sp_error *err, enum sp_code code, enum sp_origin origin, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));
/* Shorthands for the two commonest. */
int sp_nomem(struct sp_error *err);
int sp_invalid(struct sp_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts "prefix: " before an existing text; keeps code, origin, native. Returns -err->code. */
int sp_error_prefix(struct sp_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Sets the native code (truncated to fit; it is a code, not prose). */
void sp_error_native(struct sp_error *err, const char *native);
const char *sp_error_text(const struct sp_error *err); /* never NULL: text, or the code's meaning */
void sp_error_clear(struct sp_error *err);             /* frees text, resets to SP_ERROR_INIT */
void sp_error_move(struct sp_error *to, struct sp_error *from);

/* Secrets. Registered strings, and their percent-encoded and decoded forms, are replaced by "***" in every error,
 * log and event text. The list is process-wide, filled while configuration is read and before threads start.
 * Fewer than 4 bytes cannot be hidden: -SP_E_INVALID, and the caller decides whether to go on. */
int sp_secret_add(const char *secret);
/* Returns a new string (free()) with registered secrets, and passwords inside URLs (scheme://user:PASS@), hidden;
 * NULL only when out of memory. */
char *sp_redact(const char *text);
/* The URL without the passwords that stand in it, whatever else is registered: the same text in every process. */
char *sp_redact_url(const char *url);
/* Sets mark[i] = 1 for every byte of `text` (n bytes, then a NUL) that belongs to a password inside a URL. */
void sp_secret_in_urls(const char *text, size_t n, char *mark);
/* The same of a text that is one URL and nothing else: blanks and quotes do not end it. */
void sp_secret_in_url(const char *url, size_t n, char *mark);
void sp_secret_forget_all(void); /* overwrites and frees the list */

#endif
