/* log.h -- diagnostics on standard error, one line each, redacted. Levels: quiet 0, normal 1, verbose 2, debug 3.
 * The level is set once at start-up; lines are written with one write(2), so threads don't interleave. */
#ifndef SP_BASE_LOG_H
#define SP_BASE_LOG_H

#include <stdbool.h>

void sp_log_level(int level);
int sp_log_get_level(void);
void sp_log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void sp_log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void sp_log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void sp_log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
