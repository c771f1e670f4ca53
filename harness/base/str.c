/* str.c -- copying, comparing and presenting strings. */
#include "base/str.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sp_strlcpy(char *dst, const char *src, size_t size)
{
    if (size == 0) {
        return false;
    }
    size_t n = strnlen(src, size);
    bool fits = n < size;
    if (!fits) {
        n = size - 1;
    }
    memcpy(dst, src, n);
    dst[n] = '\0';
    return fits;
}

bool sp_streq(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool sp_str_among(const char *const *list, size_t n, const char *s)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i], s) == 0) {
            return true;
        }
    }
    return false;
}

bool sp_str_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool sp_str_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

char *sp_strdup_printf(const char *fmt, ...)
{
    char *out = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&out, fmt, ap);
    va_end(ap);
    return n >= 0 ? out : NULL;
}

/* Integers only: "%.1f" would write the decimal separator of a locale. Each unit is chosen after rounding, so
 * that nobody reads "1000.0 ms" or "60.0 s". */
void sp_format_duration(char out[32], double seconds)
{
    if (isnan(seconds)) {
        (void)snprintf(out, 32, "?");
        return;
    }
    const char *sign = seconds < 0 ? "-" : "";
    double abs_us = fabs(seconds) * 1e6;
    if (!(abs_us < 9e15)) { /* 285 years */
        (void)snprintf(out, 32, "%s> 100000 d", sign);
        return;
    }
    long long us = llround(abs_us);
    long long s = (us + 500000) / 1000000;
    if (us == 0) {
        (void)snprintf(out, 32, "0 s");
    } else if (us < 1000) {
        (void)snprintf(out, 32, "%s%lld us", sign, us);
    } else if (us < 999950) {
        long long t = (us + 50) / 100;
        (void)snprintf(out, 32, "%s%lld.%lld ms", sign, t / 10, t % 10);
    } else if (us < 59950000) {
        long long t = (us + 50000) / 100000;
        (void)snprintf(out, 32, "%s%lld.%lld s", sign, t / 10, t % 10);
    } else if (s < 3600) {
        (void)snprintf(out, 32, "%s%lld min %lld s", sign, s / 60, s % 60);
    } else if (s < 86400) {
        (void)snprintf(out, 32, "%s%lld h %lld min", sign, s / 3600, s % 3600 / 60);
    } else {
        (void)snprintf(out, 32, "%s%lld d %lld h", sign, s / 86400, s % 86400 / 3600);
    }
}

void sp_format_count(char out[32], uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    size_t o = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            out[o++] = ',';
        }
        out[o++] = digits[i];
    }
    out[o] = '\0';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#define WORD_MAX 64u

static size_t min2(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap of neighbours) from a to b, both of at most WORD_MAX bytes; case is free. */
static size_t edit_distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++) {
        before[j] = last[j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t cost = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
            row[j] = min2(min2(last[j] + 1, row[j - 1] + 1), last[j - 1] + cost);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
                row[j] = min2(row[j], before[j - 2] + 1);
            }
        }
        size_t *free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[m];
}

const char *sp_nearest(const char *word, const char *const *names)
{
    size_t n = strlen(word);
    if (n == 0 || n > WORD_MAX) {
        return NULL;
    }
    /* A third of the word may be wrong; of a one-letter word nothing may. */
    size_t best_distance = n < 3 ? n : n / 3 + 2; /* first distance that is too far */
    const char *best = NULL;
    for (; *names != NULL; names++) {
        size_t m = strlen(*names);
        if (m > WORD_MAX) {
            continue;
        }
        size_t d = edit_distance(word, n, *names, m);
        if (d < best_distance) {
            best_distance = d;
            best = *names;
        }
    }
    return best;
}
