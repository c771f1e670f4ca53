/* judge.c -- starts the program, watches the files of both sides, reads verify.json. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/io.h"
#include "base/str.h"
#include "corruptions.h"

#define TIMEOUT_S 60

unsigned long passed, failed, skipped;

static void join(char *out, const char *work, const char *rest)
{
    if (snprintf(out, 512, "%s/%s", work, rest) >= 512) {
        printf("FAIL: the path %s is too long\n", work);
        exit(1);
    }
}

void place_init(struct place *p, const char *name, const char *work)
{
    char dir[512];
    *p = (struct place){ .program = name, .work = work };
    join(dir, work, "src");
    (void)sp_mkdirs(dir, NULL);
    join(dir, work, "dst");
    (void)sp_mkdirs(dir, NULL);
    join(p->source, work, "src/db");
    join(p->copy, work, "dst/db");
    join(p->report, work, "report");
}

void place_clear_copy(struct place *p)
{
    char dir[512];
    join(dir, p->work, "dst");
    if (sp_rmtree(dir, NULL) < 0 || sp_mkdirs(dir, NULL) < 0) {
        printf("FAIL: cannot clear %s\n", dir);
        exit(1);
    }
}

/* ---- files before and after ---- */

static void describe(const char *dir, const char *name, struct sp_buf *out)
{
    char path[1024];
    struct stat st;
    struct sp_buf b = SP_BUF_INIT;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (lstat(path, &st) != 0)
        return;
    /* The shared memory of a writer's WAL is changed by every reader's lock; it holds no data. */
    bool shm = sp_str_suffix(name, "-shm");
    unsigned long long hash = 0;
    if (S_ISREG(st.st_mode) && !shm && sp_read_file(path, (size_t)1 << 30, &b, NULL) == 0)
        hash = XXH3_64bits(b.p != NULL ? b.p : "", b.n);
    sp_buf_printf(out, "%s ino %llu mode %o", name, (unsigned long long)st.st_ino, (unsigned)st.st_mode);
    if (!shm)
        sp_buf_printf(out, " size %lld mtime %lld.%09ld ctime %lld.%09ld hash %016llx", (long long)st.st_size,
            (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
            st.st_ctim.tv_nsec, hash);
    sp_buf_putc(out, '\n');
    sp_buf_free(&b);
}

static void survey(const struct place *p, struct sp_buf *out)
{
    static const char *const sides[] = { "src", "dst" };
    for (size_t i = 0; i < SP_LEN(sides); i++) {
        char dir[512];
        struct dirent **list = NULL;
        join(dir, p->work, sides[i]);
        int n = scandir(dir, &list, NULL, alphasort);
        for (int k = 0; k < n; k++) {
            if (strcmp(list[k]->d_name, ".") != 0 && strcmp(list[k]->d_name, "..") != 0)
                describe(dir, list[k]->d_name, out);
            free(list[k]);
        }
        free(list);
    }
}

/* ---- the program ---- */

static int execute(const struct place *p, const char *const *args, const char *log)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600), null = open("/dev/null", O_RDONLY);
        if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
            _exit(126);
        alarm(TIMEOUT_S);
        execv(p->program, (char *const *)(uintptr_t)args);
        _exit(127);
    }
    int status = 0;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void program(const struct place *p, const char *const *args, struct verdict *v)
{
    char log[512], path[600];
    struct sp_buf text = SP_BUF_INIT;
    *v = (struct verdict){ .exit_code = -1 };
    join(log, p->work, "log");
    (void)sp_rmtree(p->report, NULL);
    v->exit_code = execute(p, args, log);
    snprintf(path, sizeof path, "%s/verify.json", p->report);
    v->report = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    if (sp_read_file(log, sizeof v->log - 1, &text, NULL) == 0 && text.n > 0)
        (void)sp_strlcpy(v->log, text.p, sizeof v->log);
    sp_buf_free(&text);
}

void verify(const struct place *p, const char *a, const char *b, const char *const *more, struct verdict *v)
{
    char source[600], target[600];
    const char *args[32] = { p->program, "verify", source, target, "--report-dir", p->report,
        "--show-values" };
    struct sp_buf before = SP_BUF_INIT, after = SP_BUF_INIT;
    for (size_t n = 7; more != NULL && *more != NULL && n + 1 < SP_LEN(args); n++)
        args[n] = *more++;
    snprintf(source, sizeof source, "sqlite:%s", a);
    snprintf(target, sizeof target, "sqlite:%s", b);
    survey(p, &before);
    program(p, args, v);
    survey(p, &after);
    v->touched = before.oom || after.oom || before.n != after.n || memcmp(before.p, after.p, before.n) != 0;
    sp_buf_free(&before);
    sp_buf_free(&after);
}

void verdict_free(struct verdict *v)
{
    json_decref(v->report);
    v->report = NULL;
}

/* ---- expectations ---- */

static void text_of(const json_t *v, char *out, size_t size)
{
    out[0] = '\0';
    if (json_is_string(v))
        (void)sp_strlcpy(out, json_string_value(v), size);
    else if (json_is_integer(v))
        snprintf(out, size, "%lld", (long long)json_integer_value(v));
    else if (json_is_boolean(v))
        (void)sp_strlcpy(out, json_is_true(v) ? "true" : "false", size);
}

/* "field=value": exactly, or "field~value": contains. */
static bool holds(const json_t *o, const char *test, size_t n, const char *const keys[2])
{
    char field[64], is[4096];
    size_t name = strcspn(test, "=~");
    const char *value = test + name + 1;
    size_t nvalue = n > name ? n - name - 1 : 0;
    snprintf(field, sizeof field, "%.*s", (int)name, test);
    if (nvalue == 2 && value[0] == '@') {
        value = keys[value[1] - '1'];
        nvalue = value == NULL ? 0 : strlen(value);
    }
    text_of(json_object_get(o, field), is, sizeof is);
    if (value == NULL || nvalue == 0)
        return is[0] == '\0';
    if (test[name] == '=')
        return strlen(is) == nvalue && memcmp(is, value, nvalue) == 0;
    return memmem(is, strlen(is), value, nvalue) != NULL;
}

static bool matches(const json_t *o, const char *tests, const char *const keys[2])
{
    for (const char *t = tests;;) {
        size_t n = strcspn(t, "|");
        if (!holds(o, t, n, keys))
            return false;
        if (t[n] == '\0')
            return true;
        t += n + 1;
    }
}

void expect_want(const struct verdict *v, const char *want, const char *const keys[2], char *out, size_t size)
{
    char list[32];
    size_t n = strcspn(want, ":"), i;
    json_t *o;
    snprintf(list, sizeof list, "%.*s", (int)n, want);
    json_array_foreach(json_object_get(v->report, list), i, o)
    {
        if (matches(o, want + n + 1, keys))
            return;
    }
    char *have = json_dumps(json_object_get(v->report, list), JSON_COMPACT | JSON_ENCODE_ANY);
    snprintf(out, size, "not named: %s (@1 %s) in %.600s", want, keys[0] != NULL ? keys[0] : "-",
        have != NULL ? have : "nothing");
    free(have);
}

static long sum(const struct verdict *v, const char *list, const char *field)
{
    size_t i;
    json_t *o;
    long n = 0;
    json_array_foreach(json_object_get(v->report, list), i, o) n +=
        (long)json_integer_value(json_object_get(o, field));
    return n;
}

long count_rows(const struct verdict *v)
{
    return sum(v, "tables", "missing") + sum(v, "tables", "extra") + sum(v, "tables", "changed");
}

long count_list(const struct verdict *v, const char *list)
{
    return (long)json_array_size(json_object_get(v->report, list));
}

long count_not_compared(const struct verdict *v)
{
    size_t i;
    json_t *x;
    long n = 0;
    json_array_foreach(json_object_get(v->report, "not_compared"), i, x) n +=
        !json_is_true(json_object_get(x, "accepted"));
    return n;
}

long count_orphans(const struct verdict *v)
{
    return sum(v, "relations", "introduced");
}

/* ---- score ---- */

void score(const char *database, const char *what, const char *problem, const char *how)
{
    bool ok = problem == NULL || problem[0] == '\0';
    passed += ok ? 1 : 0;
    failed += ok ? 0 : 1;
    printf("| %s | %s | %s |\n", database, what, ok ? how : "**wrong**");
    if (!ok)
        printf("FAIL: %s: %s: %s\n", database, what, problem);
    fflush(stdout);
}

void score_skip(const char *database, const char *what, const char *why)
{
    skipped++;
    printf("skip: %s: %s: %s\n", database, what, why);
}
