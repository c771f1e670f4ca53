/* progress.c -- how far long work is: a line that is drawn anew on a terminal, one line in ten seconds elsewhere. */
#include "cli/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

#define TERMINAL_S 0.1
#define PLAIN_S    10.0

static double between(const struct timespec *a, const struct timespec *b)
{
    return (double)(b->tv_sec - a->tv_sec) + (double)(b->tv_nsec - a->tv_nsec) * 1e-9;
}

void sp_progress_init(struct sp_progress *p, bool off)
{
    *p = (struct sp_progress){ .off = off, .tty = isatty(STDERR_FILENO) == 1 };
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)clock_gettime(CLOCK_MONOTONIC, &p->start);
    p->last = p->start;
}

void sp_progress_free(struct sp_progress *p)
{
    (void)pthread_mutex_destroy(&p->lock);
}

void sp_progress_clear(struct sp_progress *p)
{
    if (p->shown) {
        (void)sp_write_all(STDERR_FILENO, "\r\033[K", 4, NULL);
        p->shown = false;
    }
}

static void draw(struct sp_progress *p, uint64_t rows, uint64_t total, bool about, const struct timespec *now)
{
    char line[512], n[32], of[32], rate[32], left[32], clean[128];
    double seconds = between(&p->table_start, now);
    double per_s = seconds > 0 && rows > p->first_rows ? (double)(rows - p->first_rows) / seconds : 0;
    sp_format_count(n, rows);
    sp_format_count(of, total);
    sp_format_count(rate, (uint64_t)per_s);
    sp_format_duration(left, per_s > 0 && total > rows ? (double)(total - rows) / per_s : 0);
    char *name = sp_utf8_clean(p->table, strlen(p->table), true); /* a table's name may hold anything */
    (void)sp_strlcpy(clean, name != NULL ? name : "?", sizeof clean);
    free(name);
    int len = snprintf(line, sizeof line, "%s%s: %s%s%s rows%s%s%s%s%s%s", p->tty ? "\r\033[K" : "", clean, n,
        total == 0 ? ""
        : about    ? " of about "
                   : " of ",
        total > 0 ? of : "", per_s > 0 ? ", " : "", per_s > 0 ? rate : "", per_s > 0 ? " rows/s" : "",
        per_s > 0 && total > rows ? ", " : "", per_s > 0 && total > rows ? left : "",
        per_s > 0 && total > rows ? " left" : "");
    if (len > 0 && (size_t)len < sizeof line - 1) {
        size_t size = (size_t)len;
        if (!p->tty) {
            line[size++] = '\n';
        }
        (void)sp_write_all(STDERR_FILENO, line, size, NULL);
        p->shown = p->tty;
    }
}

void sp_progress_rows(void *payload, const char *table, uint64_t rows, uint64_t total)
{
    sp_progress_about(payload, table, rows, total, false);
}

void sp_progress_about(void *payload, const char *table, uint64_t rows, uint64_t total, bool about)
{
    struct sp_progress *p = payload;
    struct timespec now;
    if (p->off || pthread_mutex_trylock(&p->lock) != 0) {
        return; /* the next call will tell */
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (about && rows > total) {
        total = 0; /* too low, and who knows by how much */
    }
    if (strncmp(p->table, table, sizeof p->table - 1) != 0 || rows < p->last_rows) { /* or it is read again */
        (void)sp_strlcpy(p->table, table, sizeof p->table);
        p->first_rows = rows;
        p->table_start = now;
    }
    p->last_rows = rows;
    if (between(&p->last, &now) >= (p->tty ? TERMINAL_S : PLAIN_S)) {
        p->last = now;
        draw(p, rows, total, about, &now);
    }
    (void)pthread_mutex_unlock(&p->lock);
}
