/* buf.h -- a growable byte buffer.
 *
 * Ownership: the buffer owns `p`; sp_buf_free() releases it, sp_buf_steal() hands it to the caller (free()).
 * Errors are sticky: after a failed allocation `oom` is set, further appends do nothing and return -SP_E_NOMEM,
 * so that a sequence of appends needs one check at its end. Always NUL-terminated when p != NULL. One thread. */
#ifndef SP_BASE_BUF_H
#define SP_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sp_buf {
    char *p;
    size_t n;   /* bytes used, without the NUL */
    size_t cap; /* bytes allocated */
    bool oom;
};

#define SP_BUF_INIT                                                                                          \
    {                                                                                                        \
        NULL, 0, 0, false                                                                                    \
    }

int sp_buf_reserve(struct sp_buf *b, size_t more);
int sp_buf_put(struct sp_buf *b, const void *p, size_t n);
int sp_buf_puts(struct sp_buf *b, const char *s);
int sp_buf_putc(struct sp_buf *b, char c);
int sp_buf_printf(struct sp_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int sp_buf_vprintf(struct sp_buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
int sp_buf_u32be(struct sp_buf *b, uint32_t v);
int sp_buf_u64be(struct sp_buf *b, uint64_t v);
int sp_buf_hex(struct sp_buf *b, const void *p, size_t n); /* lower-case */
void sp_buf_clear(struct sp_buf *b);                       /* n = 0, keeps memory and clears oom */
char *sp_buf_steal(struct sp_buf *b);                      /* NUL-terminated, or NULL when oom */
void sp_buf_free(struct sp_buf *b);

#endif
