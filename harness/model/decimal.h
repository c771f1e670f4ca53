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
/* The decimal that stands for a double in comparisons: the exact value if it is integral, so that no digit is
 * invented above 2^53, else the shortest (0.1 stands for 0.1). Different doubles have different decimals, except
 * that -0.0 has the decimal of 0.0: callers who keep them apart look at the sign first. */
int sp_dec_from_f64(struct sp_arena *a, double f, struct sp_dec *out);
/* Round half to even; infinite when too large. */
double sp_dec_nearest_f64(const struct sp_dec *d);
/* True if `d` is the decimal that stands for some double (sp_dec_from_f64): then *out is that double. */
bool sp_dec_to_f64_exact(const struct sp_dec *d, double *out);
/* The normal form of a decimal put together by hand; borrows the same digits. */
struct sp_dec sp_dec_normal(struct sp_dec d);

#endif
