/* json.h -- a tokenizer that keeps a number's text, and the canonical form of a JSON value.
 *
 * For data only (control messages use jansson). Depth is limited to SP_JSON_DEPTH, checked, never recursed upon
 * without bound. Stateless, any thread. */
#ifndef SP_MODEL_JSON_H
#define SP_MODEL_JSON_H

#include "base/buf.h"
#include "base/error.h"

#define SP_JSON_DEPTH 512

/* Strict RFC 8259 text, valid UTF-8, no duplicate member name (after unescaping). Errors name the byte offset. */
int sp_json_check(const char *p, size_t n, struct sp_error *err);
/* Canonical bytes, appended to `out` (nothing on failure): objects sorted by unescaped member name, bytewise over
 * UTF-8; no blanks; of the escapes only \" \\ \b \f \n \r \t and \u00xx (lower-case) for the other controls; numbers as
 * sp_dec_print() writes the exact decimal (1.0, 1, 10e-1 are one number), a negative zero as -0, because backends
 * keep it apart. Duplicates and unpaired surrogates are refused; numbers beyond the limits of decimal.h are
 * -SP_E_RANGE. */
int sp_json_canonical(struct sp_buf *out, const char *p, size_t n, struct sp_error *err);
/* Appends where two JSON texts first differ, as a JSON pointer ("/a/3/b"), for messages; "" = at the top. 0, 1 = they
 * are equal, or a negative error if one of them has no canonical form. */
int sp_json_first_difference(struct sp_buf *out, const char *a, size_t an, const char *b, size_t bn);
/* The end of the token of canonical JSON that begins at i; n at the end. */
size_t sp_json_token_end(const char *p, size_t n, size_t i);
/* Appends a JSON string literal with quotes; invalid UTF-8 becomes \\xHH text (visible), controls \u00XX. */
int sp_json_quote(struct sp_buf *out, const void *p, size_t n);

#endif
