/* state.c -- the file that a comparison leaves while it runs. */
#include "verify/state.h"

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
#include "base/str.h"
#include "model/calendar.h"
#include "model/canonical.h"

#define FORMAT   1
#define FILE_MAX ((size_t)1 << 30)
#define DIGITS   32

struct sp_vstate {
    char path[PATH_MAX], run[16];
    int fd; /* -1 = not begun */
    bool resume, damaged, fresh;
    json_t *facts;          /* of the opener: [name, value] ... */
    json_t *head, *kept;    /* of the file that was found: its first line; name -> record */
    char chain[DIGITS + 1]; /* digest of the last line */
    off_t good;             /* bytes of whole lines in the file that was found */
    struct timespec synced;
};

static int fail_io(struct sp_error *err, const char *what, const char *path)
{
    return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot %s %s: %s", what, path, strerrordesc_np(errno));
}

static void link_of(char out[DIGITS + 1], const char chain[DIGITS + 1], const char *json, size_t n)
{
    struct sp_d128 d[2] = { sp_d128_of(chain, DIGITS), sp_d128_of(json, n) };
    sp_d128_format(out, sp_d128_of(d, sizeof d));
}

/* ---- reading what was left ---------------------------------------------------------------------------------- */

static json_t *whole_line(struct sp_vstate *s, const char *line, size_t n)
{
    char want[DIGITS + 1];
    if (n < DIGITS + 3 || line[DIGITS] != ' ')
        return NULL;
    link_of(want, s->chain, line + DIGITS + 1, n - DIGITS - 1);
    if (memcmp(want, line, DIGITS) != 0)
        return NULL;
    json_t *o = json_loadb(line + DIGITS + 1, n - DIGITS - 1, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (json_is_object(o)) {
        memcpy(s->chain, want, sizeof want);
        return o;
    }
    json_decref(o);
    return NULL;
}

/* Lines up to the first that is not whole. */
static int take_lines(struct sp_vstate *s, const char *text, size_t n, struct sp_error *err)
{
    size_t at = 0;
    s->kept = json_object();
    while (s->kept != NULL && at < n) {
        const char *end = memchr(text + at, '\n', n - at);
        json_t *o = end != NULL ? whole_line(s, text + at, (size_t)(end - (text + at))) : NULL;
        if (o == NULL)
            break;
        const char *name = json_string_value(json_object_get(o, "name"));
        if (s->head == NULL)
            s->head = o;
        else if (name == NULL || json_object_set_new(s->kept, name, o) != 0)
            return sp_nomem(err);
        at = (size_t)(end - text) + 1;
    }
    s->good = (off_t)at;
    s->damaged = at < n;
    return s->kept != NULL ? 0 : sp_nomem(err);
}

static int no_state(struct sp_vstate *s, const char *why, struct sp_error *err)
{
    return sp_invalid(err, "--resume: %s %s; compare without --resume", s->path, why);
}

static int read_left(struct sp_vstate *s, struct sp_error *err)
{
    struct sp_buf text = SP_BUF_INIT;
    int rc = sp_read_file(s->path, FILE_MAX, &text, err);
    if (rc == -SP_E_NOT_FOUND) {
        sp_error_clear(err);
        rc = no_state(s, "is not there: no comparison with this report directory was cut short", err);
    } else if (rc == 0) {
        rc = take_lines(s, text.p != NULL ? text.p : "", text.n, err);
    }
    sp_buf_free(&text);
    if (rc == 0 && (s->head == NULL || json_integer_value(json_object_get(s->head, "format")) != FORMAT))
        rc = no_state(s, "is damaged, or of another version", err);
    return rc;
}

/* ---- opening ------------------------------------------------------------------------------------------------- */

static int add_facts(json_t *list, const struct sp_vfact *facts, size_t n)
{
    int rc = list == NULL ? -1 : 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = json_array_append_new(
            list, json_pack("[s,s?,b]", facts[i].name, facts[i].value, (int)facts[i].readable));
    return rc;
}

/* Two runs that write one file would break each other's chain. */
static int lock(struct sp_vstate *s, int fd, struct sp_error *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return sp_invalid(
        err, "another comparison is writing %s; wait for it, or use another --report-dir", s->path);
}

int sp_vstate_open(struct sp_vstate **out, const char *path, const char *run, bool resume,
    const struct sp_vfact *facts, size_t n, struct sp_error *err)
{
    struct sp_vstate *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL)
        return sp_nomem(err);
    s->fd = -1;
    s->resume = resume;
    memset(s->chain, '0', DIGITS);
    s->facts = json_array();
    int rc = !sp_strlcpy(s->path, path, sizeof s->path) || !sp_strlcpy(s->run, run, sizeof s->run)
                 ? sp_invalid(err, "the name of the report directory is too long")
             : add_facts(s->facts, facts, n) != 0 ? sp_nomem(err)
                                                  : 0;
    if (rc == 0 && (s->fd = open(path, O_RDWR | O_CLOEXEC)) < 0 && errno != ENOENT)
        rc = fail_io(err, "open", path);
    if (rc == 0 && s->fd >= 0)
        rc = lock(s, s->fd, err);
    if (rc == 0 && resume)
        rc = read_left(s, err);
    if (rc != 0) {
        sp_vstate_close(s, false);
        return rc;
    }
    *out = s;
    return 0;
}

void sp_vstate_close(struct sp_vstate *s, bool finished)
{
    if (s == NULL)
        return;
    if (finished && s->fd >= 0)
        (void)unlink(s->path);
    else if (s->fd >= 0 && s->fresh)
        (void)fdatasync(s->fd);
    if (s->fd >= 0)
        (void)close(s->fd);
    json_decref(s->facts);
    json_decref(s->head);
    json_decref(s->kept);
    free(s);
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static int write_record(struct sp_vstate *s, int fd, json_t *record, struct sp_error *err)
{
    char *json = record != NULL ? json_dumps(record, JSON_COMPACT) : NULL;
    struct sp_buf line = SP_BUF_INIT;
    char chain[DIGITS + 1];
    json_decref(record);
    if (json == NULL)
        return sp_nomem(err);
    link_of(chain, s->chain, json, strlen(json));
    (void)sp_buf_printf(&line, "%s ", chain);
    (void)sp_buf_puts(&line, json);
    (void)sp_buf_putc(&line, '\n');
    free(json);
    int rc = line.oom ? sp_nomem(err) : sp_write_all(fd, line.p, line.n, err);
    sp_buf_free(&line);
    if (rc == 0)
        memcpy(s->chain, chain, sizeof chain);
    return rc;
}

static char *now_text(void)
{
    struct timespec now;
    struct sp_buf b = SP_BUF_INIT;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)sp_ts_print(&b, (struct sp_ts){ .sec = now.tv_sec, .nsec = 0 }, true);
    return sp_buf_steal(&b);
}

/* Under another name until its first line is on disk: a file that can be found says what it is of. */
static int begin_anew(struct sp_vstate *s, json_t *head, struct sp_error *err)
{
    char temp[PATH_MAX + 8];
    (void)snprintf(temp, sizeof temp, "%s.new", s->path);
    memset(s->chain, '0', DIGITS);
    json_object_clear(s->kept);
    s->damaged = false;
    int fd = open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        json_decref(head);
        return fail_io(err, "create", temp);
    }
    int rc = lock(s, fd, err);
    if (rc == 0)
        rc = write_record(s, fd, json_incref(head), err);
    if (rc == 0 && (fsync(fd) != 0 || rename(temp, s->path) != 0))
        rc = fail_io(err, "write", temp);
    json_decref(head);
    if (rc != 0) {
        (void)close(fd);
        (void)unlink(temp);
        return rc;
    }
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = fd;
    return 0;
}

/* ---- the same question, the same data --------------------------------------------------------------------------- */

static int same_facts(struct sp_vstate *s, const json_t *now, struct sp_error *err)
{
    const json_t *then = json_object_get(s->head, "facts");
    for (size_t i = 0; i < json_array_size(now) || i < json_array_size(then); i++) {
        const json_t *a = json_array_get(then, i), *b = json_array_get(now, i);
        if (a != NULL && b != NULL && json_equal(a, b))
            continue;
        const char *name = json_string_value(json_array_get(b != NULL ? b : a, 0));
        const char *was = json_string_value(json_array_get(a, 1)),
                   *is = json_string_value(json_array_get(b, 1));
        if (json_is_true(json_array_get(b, 2)) && was != NULL && is != NULL)
            return sp_invalid(err,
                "--resume: %s is of another comparison: %s was \"%s\" and is now \"%s\"; repeat it as it "
                "was, or "
                "compare without --resume",
                s->path, name, was, is);
        return sp_invalid(err,
            "--resume: %s is of another comparison: %s differs now; compare without --resume", s->path,
            name != NULL ? name : "its description");
    }
    return 0;
}

/* What stands behind a '@' is for people. */
static bool same_state(const char *was, const char *is)
{
    size_t n = strcspn(is, "@");
    return was != NULL && n != 0 && strcspn(was, "@") == n && memcmp(was, is, n) == 0;
}

static bool same_states(const struct sp_vstate *s, const char *const states[2])
{
    const json_t *then = json_object_get(s->head, "states");
    for (size_t i = 0; i < 2; i++)
        if (!same_state(json_string_value(json_array_get(then, i)), states[i]))
            return false;
    return true;
}

/* Behind what is whole. */
static int go_on(struct sp_vstate *s, struct sp_error *err)
{
    if (ftruncate(s->fd, s->good) != 0 || lseek(s->fd, s->good, SEEK_SET) != s->good)
        return fail_io(err, "write", s->path);
    return 0;
}

int sp_vstate_begin(struct sp_vstate *s, const struct sp_vfact *facts, size_t n, const char *const states[2],
    bool *same, struct sp_error *err)
{
    char *now = now_text();
    json_t *all = json_copy(s->facts);
    *same = false;
    if (s->kept == NULL)
        s->kept = json_object();
    int rc = now == NULL || s->kept == NULL || add_facts(all, facts, n) != 0 ? sp_nomem(err) : 0;
    if (rc == 0 && s->head != NULL)
        rc = same_facts(s, all, err);
    if (rc == 0 && s->head != NULL && same_states(s, states)) {
        *same = true;
        rc = go_on(s, err);
    } else if (rc == 0) {
        json_t *head = json_pack("{si,ss,ss,sO,s[ss]}", "format", FORMAT, "run", s->run, "since", now,
            "facts", all, "states", states[0], states[1]);
        rc = head == NULL ? sp_nomem(err) : begin_anew(s, head, err);
        if (rc == 0 && s->head == NULL)
            s->head = json_pack("{ss,ss}", "run", s->run, "since", now);
    }
    s->fresh = rc == 0;
    json_decref(all);
    free(now);
    return rc;
}

json_t *sp_vstate_find(struct sp_vstate *s, const char *name)
{
    return json_object_get(s->kept, name);
}

size_t sp_vstate_count(const struct sp_vstate *s)
{
    return json_object_size(s->kept);
}

bool sp_vstate_damaged(const struct sp_vstate *s)
{
    return s->damaged;
}

bool sp_vstate_resumed(const struct sp_vstate *s)
{
    return s->resume;
}

static const char *head_text(const struct sp_vstate *s, const char *name)
{
    const char *text = json_string_value(json_object_get(s->head, name));
    return text != NULL ? text : "?";
}

const char *sp_vstate_run(const struct sp_vstate *s)
{
    return head_text(s, "run");
}

const char *sp_vstate_since(const struct sp_vstate *s)
{
    return head_text(s, "since");
}

int sp_vstate_add(struct sp_vstate *s, json_t *record, struct sp_error *err)
{
    struct timespec now;
    int rc = write_record(s, s->fd, record, err);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (rc != 0 || now.tv_sec - s->synced.tv_sec < 1)
        return rc;
    s->synced = now;
    return fdatasync(s->fd) == 0 ? 0 : fail_io(err, "write", s->path);
}
