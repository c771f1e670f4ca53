/* calendar.h -- integer calendar, proleptic Gregorian, no locale, no time zone database. Any thread. */
#ifndef SP_MODEL_CALENDAR_H
#define SP_MODEL_CALENDAR_H

#include "model/value.h"

struct sp_civil {
    int64_t year;
    int month, day, hour, minute, second;
    uint32_t nsec;
};

int64_t sp_days_from_civil(int64_t year, int month, int day);
void sp_civil_from_days(int64_t days, int64_t *year, int *month, int *day);
void sp_civil_from_ts(struct sp_ts ts, struct sp_civil *out);
bool sp_ts_from_civil(
    const struct sp_civil *c, struct sp_ts *out); /* false for 24:00, second 60, 30 February ... */

/* ISO 8601 / SQL: YYYY-MM-DD, 'T' or blank, HH:MM[:SS[.fraction up to 9]], optional Z or +HH[:MM]. *zoned says
 * whether a zone stood there (then ts is UTC). More than 9 fraction digits: only zeros may follow. */
int sp_ts_parse(const char *s, size_t n, struct sp_ts *out, bool *zoned);
int sp_date_parse(const char *s, size_t n, int64_t *days);
int sp_time_parse(const char *s, size_t n, int64_t *ns);
/* Shortest exact fraction of 0, 3, 6 or 9 digits. UTC gets a 'Z'. */
int sp_ts_print(struct sp_buf *out, struct sp_ts ts, bool utc);
int sp_date_print(struct sp_buf *out, int64_t days);
int sp_time_print(struct sp_buf *out, int64_t ns);

#endif
