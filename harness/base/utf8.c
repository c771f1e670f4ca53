/* utf8.c -- validation and cleaning of UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
#include "base/str.h"

#include <string.h>

#include "base/buf.h"

static bool follows(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Length of the well-formed sequence at p (n > 0 bytes left), 0 if there is none. */
static size_t sequence(const unsigned char *p, size_t n)
{
    unsigned char c = p[0];
    if (c < 0x80) {
        return 1;
    }
    if (c >= 0xc2 && c <= 0xdf) {
        return n >= 2 && follows(p[1]) ? 2 : 0;
    }
    if (c >= 0xe0 && c <= 0xef) {
        if (n < 3 || !follows(p[1]) || !follows(p[2])) {
            return 0;
        }
        bool overlong = c == 0xe0 && p[1] < 0xa0;
        bool surrogate = c == 0xed && p[1] > 0x9f;
        return overlong || surrogate ? 0 : 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        if (n < 4 || !follows(p[1]) || !follows(p[2]) || !follows(p[3])) {
            return 0;
        }
        bool overlong = c == 0xf0 && p[1] < 0x90;
        bool beyond = c == 0xf4 && p[1] > 0x8f;
        return overlong || beyond ? 0 : 4;
    }
    return 0;
}

size_t sp_utf8_bad_at(const void *p, size_t n)
{
    const unsigned char *s = p;
    size_t i = 0;
    while (i < n) {
        /* Most text is ASCII: eight bytes at a time. */
        uint64_t word;
        while (n - i >= sizeof word) {
            memcpy(&word, s + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) != 0) {
                break;
            }
            i += sizeof word;
        }
        /* Up to the end of a stretch that is not ASCII, or byte by byte to the end. */
        do {
            if (i >= n) {
                return n;
            }
            size_t len = sequence(s + i, n - i);
            if (len == 0) {
                return i;
            }
            i += len;
        } while (i < n && s[i] >= 0x80);
    }
    return n;
}

bool sp_utf8_valid(const void *p, size_t n)
{
    return sp_utf8_bad_at(p, n) == n;
}

/* C0, DEL and C1 (U+0080..U+009F, which some terminals obey) except tab and newline. */
static bool control(const unsigned char *p, size_t len)
{
    if (len == 1) {
        return (p[0] < 0x20 && p[0] != '\t' && p[0] != '\n') || p[0] == 0x7f;
    }
    return len == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

char *sp_utf8_clean(const void *p, size_t n, bool controls)
{
    const unsigned char *s = p;
    struct sp_buf out = SP_BUF_INIT;
    (void)sp_buf_reserve(&out, n);
    for (size_t i = 0; i < n && !out.oom;) {
        size_t len = sequence(s + i, n - i);
        /* A NUL is always escaped: the result is a C string and would end there. */
        bool escape = len == 0 || s[i] == 0 || (controls && control(s + i, len));
        len = len == 0 ? 1 : len;
        for (size_t k = 0; escape && k < len; k++) {
            (void)sp_buf_puts(&out, "\\x");
            (void)sp_buf_hex(&out, s + i + k, 1);
        }
        if (!escape) {
            (void)sp_buf_put(&out, s + i, len);
        }
        i += len;
    }
    return sp_buf_steal(&out);
}
