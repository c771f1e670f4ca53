/* event_file.c -- events.jsonl: the parent's writer. */
#include "event.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"

struct sp_event_file {
    struct sp_emitter base;
    int fd;
    int64_t seq;
    struct timespec start;
    bool ended, broken;
    sp_event_observer observer;
    void *payload;
    struct sp_buf line;
    char part[PATH_MAX], path[PATH_MAX];
};

static double since(const struct timespec *start)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) * 1e-9;
}

static int check_order(const struct sp_event_file *f, enum sp_event_kind kind, struct sp_error *err)
{
    if (f->broken) {
        return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "%s: an earlier event could not be written", f->part);
    }
    if (f->ended || (f->seq == 0) != (kind == SP_EV_RUN_START)) {
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS,
            "a %s event %s: run_start comes first and once, run_end last", sp_event_name(kind),
            f->ended ? "after run_end" : "out of order");
    }
    return 0;
}

static int file_send(
    struct sp_emitter *em, enum sp_event_kind kind, const char *json, size_t n, struct sp_error *err)
{
    struct sp_event_file *f = (struct sp_event_file *)em;
    int rc = check_order(f, kind, err);
    if (rc != 0) {
        return rc;
    }
    if (f->seq == 0) {
        (void)clock_gettime(CLOCK_MONOTONIC, &f->start);
    }
    sp_buf_clear(&f->line);
    (void)sp_buf_printf(&f->line, "{\"seq\":%lld,\"t\":%.6f,\"ev\":\"%s\"%s", (long long)(f->seq + 1),
        since(&f->start), sp_event_name(kind), n != 0 ? "," : "");
    (void)sp_buf_put(&f->line, json, n);
    (void)sp_buf_puts(&f->line, "}\n");
    if (f->line.oom) {
        return sp_nomem(err); /* nothing was written, the numbers stay without a gap */
    }
    rc = sp_write_all(f->fd, f->line.p, f->line.n, err);
    if (rc != 0) {
        f->broken = true;
        return sp_error_prefix(err, "%s", f->part);
    }
    f->seq++;
    f->ended = kind == SP_EV_RUN_END;
    if (f->observer != NULL) {
        f->observer(f->payload, kind, f->line.p, f->line.n - 1);
    }
    return 0;
}

static int open_part(struct sp_event_file *f, struct sp_error *err)
{
    f->fd = open(f->part, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (f->fd < 0) {
        return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS,
            "cannot write %s: %s; choose another directory with --report-dir", f->part, strerror(errno));
    }
    if (flock(f->fd, LOCK_EX | LOCK_NB) != 0) {
        return sp_invalid(err, "%s is being written by another run; choose another --report-dir", f->part);
    }
    if (ftruncate(f->fd, 0) != 0) {
        return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot truncate %s: %s", f->part, strerror(errno));
    }
    /* An earlier run's events must not pass for this run's, should this one be killed. */
    if (unlink(f->path) != 0 && errno != ENOENT) {
        return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot replace %s: %s", f->path, strerror(errno));
    }
    return 0;
}

int sp_event_file_open(struct sp_event_file **out, const char *report_dir, sp_event_observer observer,
    void *payload, struct sp_error *err)
{
    *out = NULL;
    struct sp_event_file *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return sp_nomem(err);
    }
    f->base.send = file_send;
    f->fd = -1;
    f->observer = observer;
    f->payload = payload;
    int rc = sp_mkdirs(report_dir, err);
    if (rc == 0) {
        rc = sp_path_join(f->path, sizeof f->path, report_dir, "events.jsonl", err);
    }
    if (rc == 0) {
        rc = sp_path_join(f->part, sizeof f->part, report_dir, "events.jsonl.part", err);
    }
    if (rc == 0) {
        rc = open_part(f, err);
    }
    if (rc != 0) {
        sp_event_file_abandon(f);
        return rc;
    }
    *out = f;
    return 0;
}

struct sp_emitter *sp_event_file_emitter(struct sp_event_file *f)
{
    return &f->base;
}

int sp_event_file_close(struct sp_event_file *f, struct sp_error *err)
{
    if (f == NULL) {
        return 0;
    }
    int rc = 0;
    if (f->broken || !f->ended) {
        rc = sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "%s is incomplete: %s", f->part,
            f->broken ? "an event could not be written" : "run_end was never sent");
    } else if (fsync(f->fd) != 0 && errno != EINVAL) {
        rc = sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot write %s: %s", f->part, strerror(errno));
    } else if (rename(f->part, f->path) != 0) {
        rc = sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot rename %s: %s", f->part, strerror(errno));
    }
    sp_event_file_abandon(f);
    return rc;
}

void sp_event_file_abandon(struct sp_event_file *f)
{
    if (f == NULL) {
        return;
    }
    if (f->fd >= 0) {
        (void)close(f->fd);
    }
    sp_buf_free(&f->line);
    free(f);
}
