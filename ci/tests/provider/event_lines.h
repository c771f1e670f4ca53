/* event_lines.h -- looks for events among the lines that sqlite_pair.h keeps. */
#ifndef EVENT_LINES_H
#define EVENT_LINES_H

#include "sqlite_pair.h"

static inline const char *line_of(const struct pair *p, const char *kind, const char *word)
{
    static char line[8192];
    const char *s = p->events.p != NULL ? p->events.p : "";
    for (const char *end; (end = strchr(s, '\n')) != NULL; s = end + 1) {
        size_t n = (size_t)(end - s);
        if (strncmp(s, kind, strlen(kind)) != 0 || s[strlen(kind)] != ' ' || n >= sizeof line)
            continue;
        memcpy(line, s, n);
        line[n] = '\0';
        if (strstr(line, word) != NULL)
            return line;
    }
    return NULL;
}
static inline void assert_line(const struct pair *p, const char *kind, const char *word, const char *part)
{
    const char *line = line_of(p, kind, word);
    if (line == NULL || strstr(line, part) == NULL)
        fail_msg("no %s with %s and %s in:\n%s", kind, word, part, p->events.p != NULL ? p->events.p : "");
}
static inline void assert_no_line(const struct pair *p, const char *kind, const char *word)
{
    const char *line = line_of(p, kind, word);
    if (line != NULL)
        fail_msg("%s", line);
}
static inline size_t lines_of(const struct pair *p, const char *kind, const char *word)
{
    size_t found = 0;
    const char *s = p->events.p != NULL ? p->events.p : "";
    for (const char *end; (end = strchr(s, '\n')) != NULL; s = end + 1) {
        const char *at = strstr(s, word);
        found += strncmp(s, kind, strlen(kind)) == 0 && s[strlen(kind)] == ' ' && at != NULL && at < end;
    }
    return found;
}

#endif
