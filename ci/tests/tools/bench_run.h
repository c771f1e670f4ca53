/* bench_run.h -- running commands in turn, and the table of their ratios. Each command is a process of its own; medians
 * count. For programs of one thread. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef BENCH_RUNS
#define BENCH_RUNS 5
#endif
enum { RUNS = BENCH_RUNS, MAX_ARGS = 24 };

struct command {
    const char *args[MAX_ARGS];
    double wall[RUNS];
    long max_rss_kib;
    int exit_code;
};

static inline double bench_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* run < 0: not measured. */
static inline void run_once(struct command *c, int run)
{
    double start = bench_now();
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
            _exit(126);
        execvp(c->args[0], (char *const *)(uintptr_t)c->args);
        _exit(127);
    }
    struct rusage usage = { 0 };
    int status = 0;
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        fprintf(stderr, "bench: could not run %s: %s\n", c->args[0], strerror(errno));
        exit(2);
    }
    c->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (run < 0)
        return;
    c->wall[run] = bench_now() - start;
    if (usage.ru_maxrss > c->max_rss_kib)
        c->max_rss_kib = usage.ru_maxrss;
}

static inline void must_hold(const struct command *c)
{
    if (c->exit_code == 0)
        return;
    fprintf(stderr, "bench: %s %s ended with exit code %d\n", c->args[0], c->args[1], c->exit_code);
    exit(2);
}

static inline int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static inline double median_of(const double *walls)
{
    double v[RUNS];
    memcpy(v, walls, sizeof v);
    qsort(v, RUNS, sizeof *v, by_size);
    return v[RUNS / 2];
}

static inline double median(const struct command *c)
{
    return median_of(c->wall);
}

/* The median of what each turn gave: what slows the whole machine down hits both. */
static inline double median_ratio(const struct command *a, const struct command *b)
{
    double v[RUNS];
    for (int i = 0; i < RUNS; i++)
        v[i] = a->wall[i] / b->wall[i];
    return median_of(v);
}

/* One warm-up each, then in turn. */
static inline void run_all(struct command **c, size_t n)
{
    for (int run = -1; run < RUNS; run++)
        for (size_t i = 0; i < n; i++)
            run_once(c[i], run);
    for (size_t i = 0; i < n; i++)
        must_hold(c[i]);
}

/* ---- the table ---- */

static int bench_missed;

static inline void table_head(void)
{
    printf("| what | measured | against | measured | ratio | budget | held "
           "|\n|---|---:|---|---:|---:|---:|---|\n");
}

static inline void line_ratio(
    const char *what, const char *against, double a, double b, double ratio, bool at_least, double bound)
{
    bool held = at_least ? ratio >= bound : ratio <= bound;
    printf("| %s | %.3f s | %s | %.3f s | %.2f | %s %.2f | %s |\n", what, a, against, b, ratio,
        at_least ? "≥" : "≤", bound, held ? "yes" : "**no**");
    fflush(stdout);
    bench_missed += !held;
}

static inline void limit(const char *what, const char *unit, double value, double most)
{
    printf("| %s | %.3g %s | – | – | – | ≤ %.3g %s | %s |\n", what, value, unit, most, unit,
        value <= most ? "yes" : "**no**");
    fflush(stdout);
    bench_missed += value > most;
}

#endif
