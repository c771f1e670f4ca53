/* run_fake.h -- for the tests of the run engine: a fake backend (directories and files) and fake suites, whose cases end
 * in every way there is. Included once per test program. */
#ifndef RUN_FAKE_H
#define RUN_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "run/run.h"

/* ---- the fake backend: url fake:DIR, a namespace is a directory, a table a file ------------------------------ */

struct fake {
    struct sp_session_base base;
    char dir[256], ns[64];
};
static struct fake *fake(struct sp_session *s)
{
    return (struct fake *)(void *)s;
}
static int backend_error(struct sp_error *err, enum sp_code code)
{
    return sp_fail(err, code, SP_ORIGIN_BACKEND, "fake backend says %s", sp_code_name(code));
}
static int errno_error(struct sp_error *err)
{
    return backend_error(err, errno == EEXIST   ? SP_E_EXISTS
                              : errno == ENOENT ? SP_E_NOT_FOUND
                                                : SP_E_INTERNAL);
}
static void place(struct sp_session *s, char *out, size_t n, const char *ns, const char *name)
{
    int k = snprintf(
        out, n, "%s%s%s%s%s", fake(s)->dir, ns[0] != '\0' ? "/" : "", ns, name[0] != '\0' ? "/" : "", name);
    if (k < 0 || (size_t)k >= n)
        abort();
}
static int fake_open(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    if (strcmp(e->url, "fake:unreachable") == 0)
        return sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT, "connection refused");
    if (strcmp(e->url, "fake:crash") == 0)
        abort();
    struct fake *f = calloc(1, sizeof *f);
    if (f == NULL)
        return sp_nomem(err);
    (void)sp_strlcpy(f->dir, e->url + strlen("fake:"), sizeof f->dir);
    *out = (struct sp_session *)(void *)f;
    return 0;
}
static void fake_close(struct sp_session *s)
{
    free(s);
}
static int fake_effective(
    struct sp_session *s, struct sp_cap out[SP_CAP_N], struct sp_facts *facts, struct sp_error *err)
{
    (void)s;
    (void)err;
    facts->fidelity = SP_FID_MOCK;
    (void)sp_strlcpy(facts->server_version, "Fake 1", sizeof facts->server_version);
    out[SP_CAP_TXN].level = SP_CAP_NO;
    out[SP_CAP_TXN].why = "switched off on this server";
    out[SP_CAP_SAVEPOINTS].level = SP_CAP_UNKNOWN;
    out[SP_CAP_SAVEPOINTS].why = "may not be asked";
    return 0;
}
static int fake_ns_create(struct sp_session *s, const char *ns, struct sp_error *err)
{
    char path[512];
    place(s, path, sizeof path, ns, "");
    return mkdir(path, 0700) == 0 ? 0 : errno_error(err);
}
static int fake_ns_use(struct sp_session *s, const char *ns, struct sp_error *err)
{
    (void)err;
    (void)sp_strlcpy(fake(s)->ns, ns != NULL ? ns : "", sizeof fake(s)->ns);
    return 0;
}
static int fake_ns_drop(struct sp_session *s, const char *ns, struct sp_error *err)
{
    char path[512];
    place(s, path, sizeof path, ns, "");
    return sp_rmtree(path, err);
}
static int fake_table_create(
    struct sp_session *s, const struct sp_table *t, bool extras, struct sp_error *err)
{
    char path[512];
    (void)extras;
    place(s, path, sizeof path, fake(s)->ns, t->name);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (fd < 0)
        return errno_error(err);
    (void)close(fd);
    return 0;
}
static int fake_table_drop(struct sp_session *s, const char *table, struct sp_error *err)
{
    char path[512];
    place(s, path, sizeof path, fake(s)->ns, table);
    if (strcmp(table, "stuck") == 0)
        return backend_error(err, SP_E_PERMISSION);
    return unlink(path) == 0 ? 0 : errno_error(err);
}
static int fake_introspect(struct sp_session *s, const char *ns, struct sp_schema **out, struct sp_error *err)
{
    char path[512];
    struct dirent *d;
    struct sp_schema *schema = sp_schema_new();
    struct sp_table *tables = schema != NULL ? sp_arena_array(&schema->arena, 64, sizeof *tables) : NULL;
    if (tables == NULL)
        return sp_nomem(err);
    place(s, path, sizeof path, ns != NULL ? ns : "", "");
    DIR *dir = opendir(path);
    while (dir != NULL && (d = readdir(dir)) != NULL && schema->ntables < 64) {
        if (d->d_type == DT_REG)
            tables[schema->ntables++].name = sp_arena_str(&schema->arena, d->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    schema->tables = tables;
    *out = schema;
    return 0;
}
static int fake_begin(struct sp_session *s, const struct sp_txn_opts *o, struct sp_error *err)
{
    (void)s;
    (void)o;
    (void)err;
    return 0;
}

#define YES                                                                                                  \
    {                                                                                                        \
        .level = SP_CAP_YES                                                                                  \
    }
static const struct sp_db_ops fake_db = { .introspect = fake_introspect,
    .ns_create = fake_ns_create,
    .ns_use = fake_ns_use,
    .ns_drop = fake_ns_drop,
    .table_create = fake_table_create,
    .table_drop = fake_table_drop,
    .begin = fake_begin };
static const struct sp_cap fake_caps[SP_CAP_N] = { [SP_CAP_INTROSPECT] = YES,
    [SP_CAP_NAMESPACES] = YES,
    [SP_CAP_TABLES] = YES,
    [SP_CAP_TXN] = YES,
    [SP_CAP_SAVEPOINTS] = YES };
static const struct sp_cap flat_caps[SP_CAP_N] = { [SP_CAP_INTROSPECT] = YES, [SP_CAP_TABLES] = YES };
static const struct sp_provider fake_kind = { .kind = "fake",
    .scheme = "fake",
    .declared = fake_caps,
    .open = fake_open,
    .effective = fake_effective,
    .close = fake_close,
    .db = &fake_db };
/* The same without namespaces and transactions. */
static const struct sp_db_ops flat_db = {
    .introspect = fake_introspect, .table_create = fake_table_create, .table_drop = fake_table_drop
};
static const struct sp_provider flat_kind = { .kind = "flat",
    .scheme = "fake",
    .declared = flat_caps,
    .open = fake_open,
    .close = fake_close,
    .db = &flat_db };
/* Offers less than it declares, and does not say why. */
static int mute_effective(
    struct sp_session *s, struct sp_cap out[SP_CAP_N], struct sp_facts *facts, struct sp_error *err)
{
    (void)s;
    (void)facts;
    (void)err;
    out[SP_CAP_CRUD].level = SP_CAP_NO;
    return 0;
}
static const struct sp_cap mute_caps[SP_CAP_N] = { [SP_CAP_TABLES] = YES, [SP_CAP_CRUD] = YES };
static const struct sp_provider mute_kind = { .kind = "mute",
    .scheme = "fake",
    .declared = mute_caps,
    .open = fake_open,
    .effective = mute_effective,
    .close = fake_close,
    .db = &flat_db };
static const struct sp_provider *const kinds[] = { &fake_kind, &flat_kind, &mute_kind, NULL };

/* ---- the fake suites ------------------------------------------------------------------------------------------- */

static const struct sp_column one_column[] = { { .name = "id", .type = { .tag = SP_INT } } };
static struct sp_table table(const char *name)
{
    return (struct sp_table){ .name = name, .columns = one_column, .ncolumns = 1 };
}
static void passes(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    sp_check_int(ctx, "one", 1, 1);
}
static void fails(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    sp_check_int(ctx, "the answer", 42, 41);
    sp_check_int(ctx, "another", 1, 2);
}
static void aborts(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    sp_check_int(ctx, "one", 1, 1);
    fputs("about to abort\n", stderr);
    abort();
}
static void is_killed(struct sp_ctx *ctx, const void *data)
{
    (void)ctx;
    (void)data;
    raise(SIGKILL);
}
static void hangs(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    sp_check_int(ctx, "one", 1, 1);
    for (;;)
        pause();
}
static void leaves(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    sp_check_int(ctx, "one", 1, 1);
    _exit(0);
}
static void prints(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    for (int i = 0; i < 20000; i++)
        printf("garbage \x01\xff {\"ev\":\"case_end\"}\n");
    sp_check_int(ctx, "one", 1, 1);
}
static void writes_garbage(struct sp_ctx *ctx, const void *data)
{
    sp_check_int(ctx, "one", 1, 1);
    (void)!write(3, data, strlen(data) + 1);
}
static void forges(struct sp_ctx *ctx, const void *data)
{
    static const char text[] = "{\"ev\":\"case_end\",\"id\":\"fake.zz_last\",\"suite\":\"fake\",\"provider\":"
                               "\"a\",\"outcome\":\"passed\",\"nchecks\":1}";
    unsigned char head[4] = { sizeof text - 1, 0, 0, 0 };
    (void)data;
    sp_check_int(ctx, "one", 1, 1);
    (void)!write(3, head, 4);
    (void)!write(3, text, sizeof text - 1);
}
/* A pass that the case itself sends, after which its own end is one too many. */
static void forges_own(struct sp_ctx *ctx, const void *data)
{
    const char *text = data;
    unsigned char head[4] = { (unsigned char)strlen(text), 0, 0, 0 };
    sp_check_int(ctx, "one", 1, 1);
    (void)!write(3, head, 4);
    (void)!write(3, text, strlen(text));
}
static void fails_and_forges(struct sp_ctx *ctx, const void *data)
{
    sp_check_int(ctx, "one", 1, 2);
    forges_own(ctx, data);
}
static void runs_out_of_memory(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    sp_check_int(ctx, "one", 1, 1);
    if (sp_arena_alloc(sp_ctx_arena(ctx), SIZE_MAX / 2) != NULL)
        sp_check_int(ctx, "never reached", 1, 2);
}
static void skips(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    sp_ctx_skip(ctx, "it is %s", "Tuesday");
}
static void skips_late(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    sp_check_int(ctx, "one", 1, 1);
    sp_ctx_skip(ctx, "too late");
}
static void checks_nothing(struct sp_ctx *ctx, const void *data)
{
    (void)ctx;
    (void)data;
}
static void transport(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    struct sp_error err = SP_ERROR_INIT;
    sp_check_int(ctx, "one", 1, 1);
    int rc = sp_fail(&err, SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT, "connection reset");
    sp_check_ok(ctx, "reading", rc, &err);
    sp_check_int(ctx, "after the error", 1, 2);
    sp_error_clear(&err);
}
static void wrong_code(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    struct sp_error err = SP_ERROR_INIT;
    int rc = backend_error(&err, SP_E_NOT_NULL);
    sp_check_code(ctx, "second row", SP_E_UNIQUE, rc, &err);
    sp_error_clear(&err);
}
static void makes_tables(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    struct sp_table a = table("left_a"), b = table("left_b");
    if (sp_ctx_table(ctx, &a) && sp_ctx_table(ctx, &b))
        sp_check(ctx, sp_ctx_session(ctx, 1) != NULL, "a second session");
}
static void makes_and_dies(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    struct sp_table a = table("left_a"), stuck = table("stuck");
    if (sp_ctx_table(ctx, &a) && sp_ctx_table(ctx, &stuck))
        abort();
}
static void makes_stuck(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    struct sp_table stuck = table("stuck");
    if (sp_ctx_table(ctx, &stuck))
        sp_check_int(ctx, "one", 1, 1);
}
static void tells_seed(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    sp_ctx_observe(ctx, "seed", "%llu %llu", (unsigned long long)sp_ctx_seed(ctx),
        (unsigned long long)sp_rng_u64(sp_ctx_rng(ctx)));
    sp_ctx_observe(ctx, "setting", "%lld", (long long)sp_ctx_setting(ctx, "fake", "users", 7));
}
static void makes_and_waits(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    struct sp_table a = table("left_a");
    if (sp_ctx_table(ctx, &a))
        for (;;)
            pause();
}
static void audits(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    sp_capability_audit(ctx);
}
static void stops_server(struct sp_ctx *ctx, const void *data)
{
    const enum sp_server_action *what = data;
    if (sp_ctx_server(ctx, *what))
        sp_check_int(ctx, "one", 1, 1);
}
static void stops_and_dies(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    if (sp_ctx_server(ctx, SP_SERVER_KILL))
        abort();
}
static void counts_alone(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    sp_check_int(ctx, "one", 1, 1);
}

static const struct sp_case fake_cases[] = {
    { "fake.passes", "p", NULL, 0, SP_CASE_READ_ONLY, passes, NULL },
    { "fake.fails", "p", NULL, 0, 0, fails, NULL },
    { "fake.aborts", "p", NULL, 0, 0, aborts, NULL },
    { "fake.is_killed", "p", NULL, 0, 0, is_killed, NULL },
    { "fake.hangs", "p", NULL, 300, 0, hangs, NULL },
    { "fake.leaves", "p", NULL, 0, 0, leaves, NULL },
    { "fake.prints", "p", NULL, 0, 0, prints, NULL },
    { "fake.garbage", "p", NULL, 0, 0, writes_garbage, "\x05\x01" },
    { "fake.huge_frame", "p", NULL, 0, 0, writes_garbage, "\xff\xff\xff\xff" },
    { "fake.forges", "p", NULL, 0, 0, forges, NULL },
    { "fake.skips", "p", NULL, 0, 0, skips, NULL },
    { "fake.skips_late", "p", NULL, 0, 0, skips_late, NULL },
    { "fake.checks_nothing", "p", NULL, 0, 0, checks_nothing, NULL },
    { "fake.transport", "p", NULL, 0, 0, transport, NULL },
    { "fake.wrong_code", "p", NULL, 0, 0, wrong_code, NULL },
    { "fake.makes_tables", "p", SP_NEEDS(SP_CAP_TABLES), 0, 0, makes_tables, NULL },
    { "fake.makes_tables_again", "p", SP_NEEDS(SP_CAP_TABLES), 0, 0, makes_tables, NULL },
    { "fake.makes_and_dies", "p", SP_NEEDS(SP_CAP_TABLES), 0, 0, makes_and_dies, NULL },
    { "fake.tells_seed", "p", NULL, 0, 0, tells_seed, NULL },
    { "fake.heavy", "p", NULL, 0, SP_CASE_HEAVY, passes, NULL },
    { "fake.faults", "p", NULL, 0, SP_CASE_FAULTS, passes, NULL },
    { "fake.wants_transactions", "p", SP_NEEDS(SP_CAP_TXN), 0, 0, passes, NULL },
    { "fake.wants_savepoints", "p", SP_NEEDS(SP_CAP_SAVEPOINTS), 0, 0, passes, NULL },
    { "fake.wants_roles", "p", SP_NEEDS(SP_CAP_ROLES), 0, 0, passes, NULL },
    { "fake.wants_storage", "p", SP_NEEDS(SP_CAP_PUT), 0, 0, passes, NULL },
    { "fake.zz_last", "p", NULL, 0, 0, fails, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
static const struct sp_case good_cases[] = {
    { "good.passes", "p", NULL, 0, SP_CASE_READ_ONLY, passes, NULL },
    { "good.passes_too", "p", NULL, 0, 0, passes, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
static const struct sp_case storage_cases[] = {
    { "storage.put", "p", SP_NEEDS(SP_CAP_PUT), 0, 0, passes, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
static const struct sp_case txn_cases[] = {
    { "txn.commit", "p", SP_NEEDS(SP_CAP_TXN), 0, 0, passes, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
/* Named after a facet that the fake has not; and, beside what passes, what this server does not offer. */
static const struct sp_case auth_cases[] = {
    { "auth.users", "p", SP_NEEDS(SP_CAP_SIGN_IN), 0, 0, passes, NULL },
    { "auth.of_tables", "p", SP_NEEDS(SP_CAP_TABLES), 0, 0, passes, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
static const struct sp_case part_cases[] = {
    { "part.passes", "p", NULL, 0, 0, passes, NULL },
    { "part.undeclared", "p", SP_NEEDS(SP_CAP_CHECKS), 0, 0, passes, NULL },
    { "part.no_facet", "p", SP_NEEDS(SP_CAP_PUT), 0, 0, passes, NULL },
    { "part.no_roles", "p", SP_NEEDS(SP_CAP_ROLE_LOCK), 0, 0, passes, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
static const struct sp_case less_cases[] = {
    { "less.passes", "p", NULL, 0, 0, passes, NULL },
    { "less.switched_off", "p", SP_NEEDS(SP_CAP_TXN), 0, 0, passes, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
static const struct sp_case wait_cases[] = {
    { "wait.makes_and_waits", "p", NULL, 60000, 0, makes_and_waits, NULL },
    { "wait.after", "p", NULL, 0, 0, passes, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
static const struct sp_case stuck_cases[] = {
    { "stuck.table", "p", NULL, 0, 0, makes_stuck, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
#define OWN_END(id)                                                                                          \
    "{\"ev\":\"case_end\",\"id\":\"" id "\",\"suite\":\"forge\",\"provider\":\"a\",\"outcome\":\"passed\","  \
    "\"nchecks\":1}"
static const struct sp_case forge_cases[] = {
    { "forge.memory", "p", NULL, 0, 0, runs_out_of_memory, NULL },
    { "forge.early", "p", NULL, 0, 0, forges_own, OWN_END("forge.early") },
    { "forge.failing", "p", NULL, 0, 0, fails_and_forges, OWN_END("forge.failing") },
    { "forge.passes", "p", NULL, 0, 0, passes, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
static const struct sp_case alone_cases[] = {
    { "alone.one", "p", NULL, 0, 0, counts_alone, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
static const enum sp_server_action fault_stop = SP_SERVER_STOP, fault_restart = SP_SERVER_RESTART;
static const struct sp_case down_cases[] = {
    { "down.stops", "p", NULL, 0, SP_CASE_FAULTS, stops_server, &fault_stop },
    { "down.dies", "p", NULL, 0, SP_CASE_FAULTS, stops_and_dies, NULL },
    { "down.restarts", "p", NULL, 0, SP_CASE_FAULTS, stops_server, &fault_restart },
    { "down.slow", "p", NULL, 1500, SP_CASE_FAULTS, stops_server, &fault_stop },
    { "down.undeclared", "p", NULL, 0, 0, stops_server, &fault_stop },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
static const struct sp_suite down_suite = { .name = "down", .cases = down_cases };
static const struct sp_case audit_cases[] = {
    { "audit.audit", "p", NULL, 0, SP_CASE_READ_ONLY, audits, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
static const struct sp_suite audit_suite = { .name = "audit", .cases = audit_cases };
static const struct sp_suite fake_suite = { .name = "fake", .cases = fake_cases };
static const struct sp_suite good_suite = { .name = "good", .cases = good_cases };
static const struct sp_suite storage_suite = { .name = "storage", .cases = storage_cases };
static const struct sp_suite txn_suite = { .name = "txn", .cases = txn_cases };
static const struct sp_suite auth_suite = { .name = "auth", .cases = auth_cases };
static const struct sp_suite part_suite = { .name = "part", .cases = part_cases };
static const struct sp_suite less_suite = { .name = "less", .cases = less_cases };
static const struct sp_suite wait_suite = { .name = "wait", .cases = wait_cases };
static const struct sp_suite stuck_suite = { .name = "stuck", .cases = stuck_cases };
static const struct sp_suite forge_suite = { .name = "forge", .cases = forge_cases };
static const struct sp_suite alone_suite = { .name = "alone", .cases = alone_cases, .alone = true };
static const struct sp_suite *const suites[] = { &alone_suite, &fake_suite, &good_suite, &storage_suite,
    &txn_suite, &auth_suite, &part_suite, &less_suite, &wait_suite, &stuck_suite, &audit_suite, &forge_suite,
    &down_suite, NULL };

#endif
