/* log.c -- diagnostics on standard error. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/line.h"
#include "base/str.h"

enum { QUIET, NORMAL, VERBOSE, DEBUG };

static atomic_int current = NORMAL;

void sp_log_level(int level)
{
    atomic_store(&current, level < QUIET ? QUIET : level > DEBUG ? DEBUG : level);
}

int sp_log_get_level(void)
{
    return atomic_load(&current);
}

__attribute__((format(printf, 2, 0))) static void write_line(const char *label, const char *fmt, va_list ap)
{
    int saved = errno;
    char *text = sp_line_vformat(fmt, ap);
    char *line = sp_strdup_printf("switchproof: %s%s\n", label, text != NULL ? text : "(out of memory)");
    free(text);
    if (line != NULL) { /* nobody is left to be told when standard error itself fails */
        (void)sp_write_all(STDERR_FILENO, line, strlen(line), NULL);
        free(line);
    }
    errno = saved;
}

#define SP_LOG(name, level, label)                                                                           \
    void name(const char *fmt, ...)                                                                          \
    {                                                                                                        \
        if (sp_log_get_level() >= (level)) {                                                                 \
            va_list ap;                                                                                      \
            va_start(ap, fmt);                                                                               \
            write_line(label, fmt, ap);                                                                      \
            va_end(ap);                                                                                      \
        }                                                                                                    \
    }

SP_LOG(sp_log_error, QUIET, "error: ")
SP_LOG(sp_log_warn, NORMAL, "warning: ")
SP_LOG(sp_log_info, VERBOSE, "")
SP_LOG(sp_log_debug, DEBUG, "debug: ")
