/* sqlite_util.h -- what the sqlite tests share: a directory of their own, sessions, and a foreign client. */
#ifndef SP_TEST_SQLITE_UTIL_H
#define SP_TEST_SQLITE_UTIL_H

#include <sqlite3.h>

#include "base/io.h"
#include "ci/tests/provider/calls.h"
#include "providers/sqlite/sqlite.h"

static char tmp_dir[256];

static int group_setup(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(tmp_dir, sizeof tmp_dir, "%s/sq-test-XXXXXX", base == NULL ? "/tmp" : base);
    return mkdtemp(tmp_dir) == NULL || sp_provider_sqlite.process_init(&err) != 0;
}

static int group_teardown(void **state)
{
    (void)state;
    sp_error_clear(&err);
    return sp_rmtree(tmp_dir, &err);
}

/* Absolute path below the test's directory; a ring of buffers. */
static __attribute__((unused)) const char *at(const char *name)
{
    static char ring[8][512];
    static unsigned next;
    char *p = ring[next++ % 8];
    snprintf(p, sizeof ring[0], "%s/%s", tmp_dir, name);
    return p;
}

struct test_session {
    struct sp_endpoint e;
    char url[600];
    const char *names[2], *values[2];
    struct sp_session *s;
};

static __attribute__((unused)) int try_open(struct test_session *t, const char *path, enum sp_access access)
{
    memset(t, 0, sizeof *t);
    snprintf(t->url, sizeof t->url, "sqlite:%s", path);
    t->names[0] = "busy_timeout";
    t->values[0] = "200ms";
    t->e = (struct sp_endpoint){ .name = "t",
        .url = t->url,
        .access = access,
        .option_names = t->names,
        .option_values = t->values,
        .noptions = 1 };
    sp_error_clear(&err);
    return sp_open(&t->s, &sp_provider_sqlite, &t->e, &err);
}

static __attribute__((unused)) struct sp_session *open_as(
    struct test_session *t, const char *path, enum sp_access access)
{
    if (try_open(t, path, access) != 0)
        fail_msg("open %s: %s", path, sp_error_text(&err));
    return t->s;
}

/* The plain library, as another client would use it. */
static __attribute__((unused)) void foreign(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *msg = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK)
        fail_msg("foreign client: %s", msg);
    sqlite3_close(db);
}

#endif
