/* sqlite_pair.h -- two SQLite files made with the plain library, compared and copied through the provider. */
#ifndef SQLITE_PAIR_H
#define SQLITE_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/io.h"
#include "base/str.h"
#include "migrate/migrate.h"
#include "providers/sqlite/sqlite.h"
#include "verify/verify.h"

struct pair {
    char dir[64], a[96], b[96];
    struct sp_verify_options opt;
    struct sp_buf reasons, events;
    enum sp_verify_verdict verdict;
    struct sp_error err;
    int rc;
};

/* Keeps the events as lines: kind, blank, fields. */
struct lines {
    struct sp_emitter em;
    struct sp_buf *out;
};
static inline int keep_line(
    struct sp_emitter *em, enum sp_event_kind k, const char *json, size_t n, struct sp_error *err)
{
    struct lines *l = (struct lines *)(void *)em;
    (void)err;
    sp_buf_printf(l->out, "%s %.*s\n", sp_event_name(k), (int)n, json);
    return 0;
}

static inline void pair_begin(struct pair *p)
{
    *p = (struct pair){ .opt = { .checks = SP_VC_ALL, .max_differences = 100 }, .err = SP_ERROR_INIT };
    sp_strlcpy(p->dir, "/tmp/sp-pair-XXXXXX", sizeof p->dir);
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->a, sizeof p->a, "%s/a.db", p->dir);
    snprintf(p->b, sizeof p->b, "%s/b.db", p->dir);
}
static inline void pair_end(struct pair *p)
{
    assert_int_equal(0, sp_rmtree(p->dir, NULL));
    sp_buf_free(&p->reasons);
    sp_buf_free(&p->events);
    sp_error_clear(&p->err);
}

/* Through the plain library, as another program would. */
static inline void plain(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *msg = NULL;
    assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
    if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK)
        fail_msg("%s: %s", sql, msg);
    assert_int_equal(SQLITE_OK, sqlite3_close(db));
}

struct opened {
    struct sp_endpoint e;
    struct sp_session *s;
    char url[128];
};
static inline void open_file(struct opened *o, const char *path, enum sp_access access)
{
    struct sp_error err = SP_ERROR_INIT;
    snprintf(o->url, sizeof o->url, "sqlite:%s", path);
    o->e = (struct sp_endpoint){ .name = path, .url = o->url, .access = access };
    if (sp_open(&o->s, &sp_provider_sqlite, &o->e, &err) != 0)
        fail_msg("%s: %s", path, sp_error_text(&err));
}

static inline enum sp_verify_verdict compare(struct pair *p)
{
    struct opened a, b;
    struct lines l = { { keep_line }, &p->events };
    sp_buf_clear(&p->reasons);
    sp_buf_clear(&p->events);
    sp_error_clear(&p->err);
    open_file(&a, p->a, SP_ACCESS_READ_ONLY);
    open_file(&b, p->b, SP_ACCESS_READ_ONLY);
    p->rc = sp_verify(a.s, b.s, &p->opt, &l.em, &p->verdict, &p->reasons, &p->err);
    sp_close(a.s);
    sp_close(b.s);
    return p->verdict;
}
static inline void assert_compares(struct pair *p, enum sp_verify_verdict want)
{
    enum sp_verify_verdict got = compare(p);
    if (p->rc != 0 || got != want)
        fail_msg("%s, not %s: %s\n%s", sp_verify_verdict_name(got), sp_verify_verdict_name(want),
            sp_error_text(&p->err), p->reasons.p != NULL ? p->reasons.p : "");
}

static inline int migrate(struct pair *p, const struct sp_migrate_options *opt)
{
    struct opened a, b;
    struct lines l = { { keep_line }, &p->events };
    sp_buf_clear(&p->events);
    sp_error_clear(&p->err);
    open_file(&a, p->a, SP_ACCESS_READ_ONLY);
    open_file(&b, p->b, SP_ACCESS_TARGET);
    p->rc = sp_migrate_bulk(a.s, b.s, opt, &l.em, &p->err);
    sp_close(a.s);
    sp_close(b.s);
    return p->rc;
}

#endif
