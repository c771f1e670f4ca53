/* journal.c -- writing and reading the journal of created objects. */
#include "run/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/io.h"

#define JOURNAL_MAX ((size_t)256 << 20)

int sp_journal_dir(char *out, size_t size, const char *state_dir, struct sp_error *err)
{
    return sp_path_join(out, size, state_dir, "journal", err);
}

static int fail_io(struct sp_error *err, const char *what, const char *path)
{
    return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot %s %s: %s", what, path, strerror(errno));
}

static int sync_dir(const char *dir, struct sp_error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_io(err, "open", dir);
    int rc = fsync(fd) != 0 && errno != EINVAL ? fail_io(err, "synchronise", dir) : 0;
    (void)close(fd);
    return rc;
}

static int write_line(int fd, json_t *o, struct sp_error *err)
{
    char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    struct sp_buf b = SP_BUF_INIT;
    if (text == NULL)
        return sp_nomem(err);
    (void)sp_buf_puts(&b, text);
    (void)sp_buf_putc(&b, '\n');
    free(text);
    int rc = b.oom ? sp_nomem(err) : sp_write_all(fd, b.p, b.n, err);
    sp_buf_free(&b);
    return rc;
}

/* Locked under another name first: a journal that can be found is one whose run lives or died. */
static int create_locked(struct sp_journal *j, const char *temp, const char *run, struct sp_error *err)
{
    j->fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (j->fd < 0)
        return fail_io(err, "create", temp);
    if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
        return fail_io(err, "lock", temp);
    char here[PATH_MAX];
    const char *dir = getcwd(here, sizeof here);
    if (dir != NULL && !sp_utf8_valid(dir, strlen(dir)))
        dir = NULL;
    int rc = write_line(j->fd, json_pack("{ss si ss?}", "run", run, "format", 1, "dir", dir), err);
    if (rc == 0 && fsync(j->fd) != 0)
        rc = fail_io(err, "synchronise", temp);
    if (rc == 0 && rename(temp, j->path) != 0)
        rc = fail_io(err, "rename", temp);
    if (rc != 0)
        (void)unlink(temp);
    return rc;
}

int sp_journal_create(struct sp_journal *j, const char *state_dir, const char *run, struct sp_error *err)
{
    char dir[PATH_MAX], name[64], temp[PATH_MAX];
    *j = (struct sp_journal){ .fd = -1 };
    int rc = sp_journal_dir(dir, sizeof dir, state_dir, err);
    if (rc == 0)
        rc = sp_mkdirs(dir, err);
    if (rc == 0) {
        (void)snprintf(name, sizeof name, "%s.new", run);
        rc = sp_path_join(temp, sizeof temp, dir, name, err);
    }
    if (rc == 0) {
        j->path = sp_strdup_printf("%s/%s.jsonl", dir, run);
        rc = j->path == NULL ? sp_nomem(err) : create_locked(j, temp, run, err);
    }
    if (rc == 0)
        rc = sync_dir(dir, err);
    if (rc != 0) {
        (void)sp_error_prefix(err, "the state directory %s cannot be used", state_dir);
        sp_journal_close(j);
    }
    return rc;
}

int sp_journal_adopt(struct sp_journal *j, const char *path, struct sp_error *err)
{
    *j = (struct sp_journal){ .fd = -1 };
    j->path = sp_strdup_printf("%s", path);
    if (j->path == NULL)
        return sp_nomem(err);
    j->fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    int rc = 0;
    if (j->fd < 0)
        rc = errno == ENOENT ? sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_HARNESS, "%s is gone", path)
                             : fail_io(err, "open", path);
    else if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
        rc = errno == EWOULDBLOCK ? sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_HARNESS,
                                        "%s belongs to a run that is going on", path)
                                  : fail_io(err, "lock", path);
    if (rc != 0)
        sp_journal_close(j);
    return rc;
}

int sp_journal_mend(struct sp_journal *j, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    int rc = sp_read_file(j->path, JOURNAL_MAX, &b, err);
    const char *end = rc == 0 && b.n > 0 ? memrchr(b.p, '\n', b.n) : NULL;
    size_t whole = end != NULL ? (size_t)(end - b.p) + 1 : 0;
    if (whole != 0 && whole < b.n && ftruncate(j->fd, (off_t)whole) != 0)
        rc = fail_io(err, "mend", j->path);
    sp_buf_free(&b);
    return rc;
}

void sp_journal_close(struct sp_journal *j)
{
    if (j->fd >= 0)
        (void)close(j->fd);
    free(j->path);
    *j = (struct sp_journal){ .fd = -1 };
}

int sp_journal_finish(struct sp_journal *j, uint64_t *left, struct sp_error *err)
{
    *left = 0;
    if (j->fd < 0)
        return 0;
    struct sp_journal_log log;
    int rc = sp_journal_read(j->path, &log, err);
    if (rc == 0) {
        *left = log.live;
        if (log.live == 0 && unlink(j->path) != 0 && errno != ENOENT)
            rc = fail_io(err, "remove", j->path);
        sp_journal_log_free(&log);
    }
    sp_journal_close(j);
    return rc;
}

int sp_journal_open(const char *path, struct sp_error *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    return fd >= 0 ? fd : fail_io(err, "open the journal", path);
}

int sp_journal_note(int fd, bool made, const struct sp_config_provider *p, const struct sp_object_ref *o,
    struct sp_error *err)
{
    char *url = made && p->url != NULL ? sp_redact_url(p->url) : NULL;
    json_t *line = made ? json_pack("{ss ss ss ss? ss ss ss?}", "op", "made", "provider", p->name, "kind",
                              p->kind, "url", url, "type", o->type, "name", o->name, "ns", o->ns)
                        : json_pack("{ss ss ss ss ss?}", "op", "gone", "provider", p->name, "type", o->type,
                              "name", o->name, "ns", o->ns);
    free(url);
    int rc = write_line(fd, line, err);
    if (rc == 0 && made && fdatasync(fd) != 0)
        rc = fail_io(err, "synchronise", "the journal");
    return rc;
}

static int note_bucket(struct sp_notes *n, bool made, const char *name, struct sp_error *err)
{
    struct sp_journal_notes *j = (struct sp_journal_notes *)(void *)n;
    const struct sp_object_ref o = { "bucket", name, NULL };
    return sp_journal_note(j->fd, made, j->provider, &o, err);
}

void sp_journal_notes_init(
    struct sp_journal_notes *j, int fd, const struct sp_config_provider *p, const char *run)
{
    *j = (struct sp_journal_notes){ .base = { .bucket = note_bucket }, .fd = fd, .provider = p };
    (void)snprintf(j->stem, sizeof j->stem, "sp-%.8s-", run);
    j->base.stem = j->stem;
}

static bool same(const struct sp_journal_entry *e, const char *provider, const struct sp_object_ref *o)
{
    if (e->gone || strcmp(e->provider, provider) != 0)
        return false;
    /* With a namespace goes what was in it. */
    if (strcmp(o->type, "namespace") == 0 && e->object.ns != NULL && strcmp(e->object.ns, o->name) == 0)
        return true;
    return strcmp(e->object.type, o->type) == 0 && strcmp(e->object.name, o->name) == 0 &&
           sp_streq(e->object.ns, o->ns);
}

static int take_entry(struct sp_journal_log *log, const json_t *v)
{
    const char *op = json_string_value(json_object_get(v, "op"));
    struct sp_journal_entry e = { 0 };
    e.provider = json_string_value(json_object_get(v, "provider"));
    e.object.type = json_string_value(json_object_get(v, "type"));
    e.object.name = json_string_value(json_object_get(v, "name"));
    e.object.ns = json_string_value(json_object_get(v, "ns"));
    if (op == NULL || e.provider == NULL || e.object.type == NULL || e.object.name == NULL)
        return -SP_E_CORRUPT;
    if (strcmp(op, "gone") == 0) {
        for (size_t i = 0; i < log->n; i++) {
            if (same(&log->entries[i], e.provider, &e.object)) {
                log->entries[i].gone = true;
                log->live--;
            }
        }
        return 0;
    }
    struct sp_arena *a = &log->arena;
    struct sp_journal_entry *grown =
        sp_arena_grow(a, log->entries, &log->cap, log->n + 1, sizeof *log->entries);
    if (grown == NULL)
        return -SP_E_NOMEM;
    log->entries = grown;
    e.provider = sp_arena_str(a, e.provider);
    e.kind = sp_arena_str(a, json_string_value(json_object_get(v, "kind")));
    e.url = sp_arena_str(a, json_string_value(json_object_get(v, "url")));
    e.object.type = sp_arena_str(a, e.object.type);
    e.object.name = sp_arena_str(a, e.object.name);
    e.object.ns = sp_arena_str(a, e.object.ns);
    if (e.provider == NULL || e.kind == NULL || e.object.type == NULL || e.object.name == NULL)
        return -SP_E_CORRUPT;
    log->entries[log->n++] = e;
    log->live++;
    return 0;
}

static int take_line(struct sp_journal_log *log, const char *p, size_t n, bool first)
{
    json_t *v = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
    int rc = v == NULL ? -SP_E_CORRUPT : 0;
    if (rc == 0 && first) {
        log->run = sp_arena_str(&log->arena, json_string_value(json_object_get(v, "run")));
        log->dir = sp_arena_str(&log->arena, json_string_value(json_object_get(v, "dir")));
        if (log->run == NULL || json_integer_value(json_object_get(v, "format")) != 1)
            rc = -SP_E_CORRUPT;
    } else if (rc == 0) {
        rc = take_entry(log, v);
    }
    json_decref(v);
    return rc;
}

int sp_journal_read(const char *path, struct sp_journal_log *out, struct sp_error *err)
{
    *out = (struct sp_journal_log){ .arena = SP_ARENA_INIT };
    struct sp_buf b = SP_BUF_INIT;
    int rc = sp_read_file(path, JOURNAL_MAX, &b, err);
    size_t at = 0, line = 0;
    while (rc == 0 && at < b.n) {
        const char *end = memchr(b.p + at, '\n', b.n - at);
        if (end == NULL)
            break;
        rc = take_line(out, b.p + at, (size_t)(end - (b.p + at)), line == 0);
        at = (size_t)(end - b.p) + 1;
        line++;
        if (rc != 0)
            rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS,
                "%s, line %zu is damaged; what it names has to be removed by hand, then the file", path,
                line);
    }
    sp_buf_free(&b);
    if (rc == 0 && line == 0)
        rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS, "%s has no first line", path);
    if (rc != 0)
        sp_journal_log_free(out);
    return rc;
}

void sp_journal_log_free(struct sp_journal_log *log)
{
    sp_arena_free(&log->arena);
    *log = (struct sp_journal_log){ .arena = SP_ARENA_INIT };
}
