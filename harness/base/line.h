/* line.h -- private to base/: how every text for people is made. Any thread. */
#ifndef SP_BASE_LINE_H
#define SP_BASE_LINE_H

#include <stdarg.h>

/* Formats, hides secrets, makes valid UTF-8, turns line breaks and tabs into blanks and escapes other control
 * characters. New string (free()), NULL only when it cannot be made; never an unredacted one. */
char *sp_line_vformat(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

#endif
