/* buf.c -- growable byte buffer with sticky out-of-memory. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static int out_of_memory(struct sp_buf *b)
{
    b->oom = true;
    return -SP_E_NOMEM;
}

int sp_buf_reserve(struct sp_buf *b, size_t more)
{
    if (b->oom) {
        return -SP_E_NOMEM;
    }
    /* Above PTRDIFF_MAX pointer differences inside the buffer would overflow. */
    const size_t max = PTRDIFF_MAX;
    if (more >= max - b->n) {
        return out_of_memory(b);
    }
    size_t need = b->n + more + 1;
    if (need <= b->cap) {
        return 0;
    }
    size_t cap = b->cap < max / 2 ? b->cap * 2 : max;
    if (cap < 64) {
        cap = 64;
    }
    if (cap < need) {
        cap = need;
    }
    char *p = realloc(b->p, cap);
    if (p == NULL) {
        return out_of_memory(b);
    }
    b->p = p;
    b->cap = cap;
    b->p[b->n] = '\0';
    return 0;
}

int sp_buf_put(struct sp_buf *b, const void *p, size_t n)
{
    if (sp_buf_reserve(b, n) != 0) {
        return -SP_E_NOMEM;
    }
    if (n > 0) {
        memcpy(b->p + b->n, p, n);
        b->n += n;
        b->p[b->n] = '\0';
    }
    return 0;
}

int sp_buf_puts(struct sp_buf *b, const char *s)
{
    return sp_buf_put(b, s, strlen(s));
}

int sp_buf_putc(struct sp_buf *b, char c)
{
    return sp_buf_put(b, &c, 1);
}

int sp_buf_vprintf(struct sp_buf *b, const char *fmt, va_list ap)
{
    if (sp_buf_reserve(b, 0) != 0) {
        return -SP_E_NOMEM;
    }
    va_list again;
    va_copy(again, ap);
    size_t room = b->cap - b->n;
    int n = vsnprintf(b->p + b->n, room, fmt, ap);
    if (n >= 0 && (size_t)n >= room && sp_buf_reserve(b, (size_t)n) == 0) {
        n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
    }
    va_end(again);
    if (n < 0 || b->oom) {
        b->p[b->n] = '\0';
        return out_of_memory(b); /* the text is incomplete, which is what `oom` tells the caller */
    }
    b->n += (size_t)n;
    return 0;
}

int sp_buf_printf(struct sp_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = sp_buf_vprintf(b, fmt, ap);
    va_end(ap);
    return rc;
}

int sp_buf_u32be(struct sp_buf *b, uint32_t v)
{
    unsigned char be[4];
    for (size_t i = 0; i < sizeof be; i++) {
        be[i] = (unsigned char)(v >> (24 - 8 * i) & 0xff);
    }
    return sp_buf_put(b, be, sizeof be);
}

int sp_buf_u64be(struct sp_buf *b, uint64_t v)
{
    unsigned char be[8];
    for (size_t i = 0; i < sizeof be; i++) {
        be[i] = (unsigned char)(v >> (56 - 8 * i) & 0xff);
    }
    return sp_buf_put(b, be, sizeof be);
}

int sp_buf_hex(struct sp_buf *b, const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *s = p;
    if (n > SIZE_MAX / 2) {
        return out_of_memory(b);
    }
    if (sp_buf_reserve(b, 2 * n) != 0) {
        return -SP_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        b->p[b->n++] = digits[s[i] >> 4];
        b->p[b->n++] = digits[s[i] & 15];
    }
    b->p[b->n] = '\0';
    return 0;
}

void sp_buf_clear(struct sp_buf *b)
{
    b->n = 0;
    b->oom = false;
    if (b->p != NULL) {
        b->p[0] = '\0';
    }
}

char *sp_buf_steal(struct sp_buf *b)
{
    char *p = NULL;
    if (sp_buf_reserve(b, 0) == 0) { /* an empty buffer is the empty string, not NULL */
        p = b->p;
        b->p = NULL;
    }
    sp_buf_free(b);
    return p;
}

void sp_buf_free(struct sp_buf *b)
{
    free(b->p);
    *b = (struct sp_buf)SP_BUF_INIT;
}
