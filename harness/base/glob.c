/* glob.c -- shell-like patterns over UTF-8 text, O(pattern * text) at worst and without recursion. */
#include "base/str.h"

#include <string.h>

/* One character at p (not at the end); a byte that is not UTF-8 counts as a character of its own. */
static size_t next_char(const char *p, uint32_t *c)
{
    unsigned char b = (unsigned char)*p;
    size_t len = b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
    if (len == 1 || strnlen(p, len) < len || !sp_utf8_valid(p, len)) {
        *c = b < 0x80 ? b : 0x110000u + b;
        return 1;
    }
    uint32_t v = b & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        v = v << 6 | ((unsigned char)p[i] & 0x3fu);
    }
    *c = v;
    return len;
}

/* Length of the [set] at p, 0 if it has no end and so is a plain '['. A ']' that comes first is a member.
 * `last` is the last ']' of the pattern, NULL if none: with it, no search for an end runs on in vain. */
static size_t set_length(const char *p, const char *last)
{
    if (last == NULL || p > last) {
        return 0;
    }
    size_t i = 1;
    if (p[i] == '!' || p[i] == '^') {
        i++;
    }
    if (p[i] == ']') {
        i++;
    }
    const char *end = strchr(p + i, ']');
    return end != NULL ? (size_t)(end - p) + 1 : 0;
}

static bool in_set(const char *p, size_t len, uint32_t c)
{
    const char *end = p + len - 1;
    bool inverse = p[1] == '!' || p[1] == '^';
    bool found = false;
    for (p += inverse ? 2 : 1; p < end;) {
        uint32_t low, high;
        p += next_char(p, &low);
        high = low;
        if (p[0] == '-' && p + 1 < end) {
            p++;
            p += next_char(p, &high);
        }
        found = found || (c >= low && c <= high);
    }
    return found != inverse;
}

/* Length of the pattern element at p if it matches the character c, else 0. Not for '*'. */
static size_t matches(const char *p, const char *last, uint32_t c)
{
    if (*p == '\0') {
        return 0;
    }
    if (*p == '?') {
        return 1;
    }
    size_t len = *p == '[' ? set_length(p, last) : 0;
    if (len > 0) {
        return in_set(p, len, c) ? len : 0;
    }
    uint32_t want;
    len = next_char(p, &want);
    return want == c ? len : 0;
}

static bool has_meta(const char *p, const char *last)
{
    for (; *p != '\0'; p++) {
        if (*p == '*' || *p == '?' || (*p == '[' && set_length(p, last) > 0)) {
            return true;
        }
    }
    return false;
}

bool sp_glob(const char *pattern, const char *s, bool loose)
{
    const char *last = strrchr(pattern, ']');
    if (loose && !has_meta(pattern, last)) {
        return strstr(s, pattern) != NULL;
    }
    const char *p = pattern;
    const char *star = NULL;  /* behind the last '*' */
    const char *taken = NULL; /* what that '*' has taken ends here */
    uint32_t c;
    /* Only the last '*' needs to be tried again: an earlier one cannot do better by taking more. */
    while (*s != '\0') {
        if (*p == '*') {
            star = ++p;
            taken = s;
            continue;
        }
        size_t len = next_char(s, &c);
        size_t used = matches(p, last, c);
        if (used > 0) {
            p += used;
            s += len;
        } else if (star != NULL) {
            taken += next_char(taken, &c);
            s = taken;
            p = star;
        } else {
            return false;
        }
    }
    while (*p == '*') {
        p++;
    }
    return *p == '\0';
}
