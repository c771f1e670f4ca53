/* decimal.h -- exact decimals as digit strings. Digits are borrowed from the arena or the input. Any thread. */
#ifndef SP_MODEL_DECIMAL_H
#define SP_MODEL_DECIMAL_H

#include "model/value.h"

/* Optional sign, digits with optional '.', optional exponent; nothing else, no blanks. At most 200,000 digits and
 * |exponent| <= 1,000,000. The result is in normal form; digits live in the arena unless they could be borrowed. */
int sp_dec_parse(struct sp_arena *a, const char *s, size_t n, struct sp_dec *out);
/* Plain notation without exponent if that takes at most 60 digits, else scientific (d.ddde+x). */
int sp_dec_print(struct sp_buf *out, const struct sp_dec *d);
int sp_dec_cmp(const struct sp_dec *a, const struct sp_dec *b); /* -1 0 1 by number */
bool sp_dec_from_i64(
    char digits[20], int64_t v, struct sp_dec *out);      /* digits: the memory the result borrows */
bool sp_dec_to_i64(const struct sp_dec *d, int64_t *out); /* false if not integral or too large */
/* The exact binary value of a double has a finite decimal expansion: false only for NaN and infinities. */
int sp_dec_from_f64_exact(struct sp_arena *a, double f, struct sp_dec *out);
/* The shortest decimal that reads back as the same double. */
int sp_dec_from_f64_shortest(struct sp_arena *a, double f, struct sp_dec *out);
/* True if the nearest double to `d` exists (finite) and its shortest decimal is `d`: then *out is that double. */
bool sp_dec_to_f64_exact(const struct sp_dec *d, double *out);

#endif
