/* str.h -- checked string helpers; no locale anywhere. Stateless, any thread. */
#ifndef SP_BASE_STR_H
#define SP_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SP_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Copies with truncation reported: returns true if it fitted. `dst` is always NUL-terminated (size > 0). */
bool sp_strlcpy(char *dst, const char *src, size_t size);
bool sp_streq(const char *a, const char *b); /* NULL equals only NULL */
bool sp_str_among(const char *const *list, size_t n, const char *s);
bool sp_str_prefix(const char *s, const char *prefix);
bool sp_str_suffix(const char *s, const char *suffix);
char *sp_strdup_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Whole-string parses; false (and *out untouched) on anything else, also on overflow and leading blanks. */
bool sp_parse_i64(const char *s, int64_t *out);
bool sp_parse_u64(const char *s, uint64_t *out);
bool sp_parse_f64(const char *s, double *out);          /* decimal notation with '.', no inf/nan/hex */
bool sp_parse_bool(const char *s, bool *out);           /* true/false/yes/no/on/off/1/0 */
bool sp_parse_duration_ms(const char *s, int64_t *ms);  /* 500ms 5s 2m 1h 1d; a bare number is refused */
bool sp_parse_size(const char *s, uint64_t *bytes);     /* 512 64KiB 10MB 1GiB */
bool sp_parse_rate(const char *s, double *per_s);       /* 500/s 30/m */
bool sp_parse_percent(const char *s, double *fraction); /* 5% -> 0.05, 0.1pp -> 0.001 */
void sp_format_duration(char out[32], double seconds);  /* 3.2 ms, 4.1 s, 2 min 3 s */
void sp_format_count(char out[32], uint64_t n);         /* 1,234,567 */

/* Shell-like glob: * ? and [set]; '*' also matches '/'. A pattern without metacharacters matches as substring
 * when `loose`. Linear time in both lengths. */
bool sp_glob(const char *pattern, const char *s, bool loose);

/* UTF-8 */
bool sp_utf8_valid(const void *p, size_t n);
size_t sp_utf8_bad_at(const void *p, size_t n); /* offset of the first bad byte, n if valid */
/* New string (free()) that is valid UTF-8: bad bytes become \xHH, and with `controls` control characters other
 * than tab and newline become \xHH too. */
char *sp_utf8_clean(const void *p, size_t n, bool controls);

/* Nearest of `names` (NULL-terminated) by edit distance, NULL if none is close. For "did you mean". */
const char *sp_nearest(const char *word, const char *const *names);

/* Deterministic generator (splitmix64 / xoshiro256**): the same seed gives the same sequence everywhere. */
struct sp_rng {
    uint64_t s[4];
};
void sp_rng_seed(struct sp_rng *r, uint64_t seed);
uint64_t sp_rng_u64(struct sp_rng *r);
uint64_t sp_rng_below(struct sp_rng *r, uint64_t n); /* unbiased, n > 0 */
double sp_rng_unit(struct sp_rng *r);                /* [0,1) */
uint64_t sp_hash_str(const char *s);                 /* stable 64-bit hash (XXH3), for deriving seeds */

#endif
