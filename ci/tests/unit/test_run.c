/* The run engine with a fake backend (directories and files) and a fake suite, in real worker processes: this program
 * executes itself anew as its own worker. */
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

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
static const struct sp_case audit_cases[] = {
    { "audit.audit", "p", NULL, 0, SP_CASE_READ_ONLY, audits, NULL },
    { NULL, NULL, NULL, 0, 0, NULL, NULL },
};
static const struct sp_suite audit_suite = { .name = "audit", .cases = audit_cases };
static const struct sp_suite fake_suite = { .name = "fake", .cases = fake_cases };
static const struct sp_suite good_suite = { .name = "good", .cases = good_cases };
static const struct sp_suite storage_suite = { .name = "storage", .cases = storage_cases };
static const struct sp_suite txn_suite = { .name = "txn", .cases = txn_cases };
static const struct sp_suite wait_suite = { .name = "wait", .cases = wait_cases };
static const struct sp_suite stuck_suite = { .name = "stuck", .cases = stuck_cases };
static const struct sp_suite forge_suite = { .name = "forge", .cases = forge_cases };
static const struct sp_suite alone_suite = { .name = "alone", .cases = alone_cases, .alone = true };
static const struct sp_suite *const suites[] = { &alone_suite, &fake_suite, &good_suite, &storage_suite,
    &txn_suite, &wait_suite, &stuck_suite, &audit_suite, &forge_suite, NULL };

/* ---- running ----------------------------------------------------------------------------------------------------- */

struct seen {
    struct sp_emitter base;
    struct sp_event_in ev[2000];
    size_t n;
};
static struct seen seen;

static int remember(
    struct sp_emitter *em, enum sp_event_kind kind, const char *json, size_t n, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    (void)em;
    (void)sp_buf_printf(&b, "{\"ev\":\"%s\"%s", sp_event_name(kind), n != 0 ? "," : "");
    (void)sp_buf_put(&b, json, n);
    (void)sp_buf_putc(&b, '}');
    assert_true(seen.n < SP_LEN(seen.ev));
    int rc = sp_event_parse(b.p, b.n, &seen.ev[seen.n++], err);
    sp_buf_free(&b);
    return rc;
}
static void forget(void)
{
    while (seen.n > 0)
        sp_event_in_free(&seen.ev[--seen.n]);
    seen.base.send = remember;
}

static char dir[64], state_dir[96], url_a[96], url_b[96];
static struct sp_config_provider providers[4];
static struct sp_config config;
static struct sp_totals totals;
static struct sp_buf reasons = SP_BUF_INIT;
static struct sp_error error = SP_ERROR_INIT;

static int set_up(void **state)
{
    (void)state;
    (void)sp_strlcpy(dir, "/tmp/sp_run_XXXXXX", sizeof dir);
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(state_dir, sizeof state_dir, "%s/state", dir);
    snprintf(url_a, sizeof url_a, "fake:%s/a", dir);
    snprintf(url_b, sizeof url_b, "fake:%s/b", dir);
    (void)mkdir(url_a + 5, 0700);
    (void)mkdir(url_b + 5, 0700);
    memset(providers, 0, sizeof providers);
    providers[0] = (struct sp_config_provider){
        .name = "a", .kind = "fake", .url = url_a, .access = SP_ACCESS_DISPOSABLE
    };
    providers[1] = (struct sp_config_provider){
        .name = "b", .kind = "fake", .url = url_b, .access = SP_ACCESS_DISPOSABLE
    };
    config = (struct sp_config){ .state_dir = state_dir, .providers = providers, .nproviders = 1 };
    return 0;
}
static int tear_down(void **state)
{
    (void)state;
    forget();
    sp_buf_free(&reasons);
    sp_error_clear(&error);
    return sp_rmtree(dir, NULL);
}

static int run_as(const char *suite, const char *glob, const char *run_id)
{
    const char *only[] = { suite };
    struct sp_run_options o = { .config = &config,
        .kinds = kinds,
        .suites = suites,
        .only_suites = only,
        .nsuites = suite != NULL ? 1 : 0,
        .glob = glob,
        .seed = 7,
        .jobs = 2,
        .quick = true,
        .timeout_factor = 1,
        .program = "/proc/self/exe",
        .run_id = run_id,
        .command_line = "switchproof run" };
    forget();
    sp_buf_free(&reasons);
    sp_error_clear(&error);
    return sp_run(&o, &seen.base, &totals, &reasons, &error);
}
static int run(const char *suite, const char *glob)
{
    return run_as(suite, glob, "testrun1");
}

static const struct sp_event_in *end_of(const char *provider, const char *id)
{
    const struct sp_event_in *found = NULL;
    for (size_t i = 0; i < seen.n; i++) {
        const struct sp_event_in *e = &seen.ev[i];
        if (e->kind == SP_EV_CASE_END && strcmp(sp_event_get_text(e, SP_FLD_id), id) == 0 &&
            strcmp(sp_event_get_text(e, SP_FLD_provider), provider) == 0) {
            assert_null(found); /* one end per case */
            found = e;
        }
    }
    assert_non_null(found);
    return found;
}
static void outcome(const char *id, const char *want, enum sp_event_field f, const char *part)
{
    const struct sp_event_in *e = end_of("a", id);
    const char *got = sp_event_get_text(e, SP_FLD_outcome);
    if (strcmp(got, want) != 0)
        print_message("%s: %s\n", id, sp_event_get_text(e, SP_FLD_message));
    assert_string_equal(got, want);
    if (part != NULL) {
        const char *text = sp_event_get_text(e, f);
        assert_non_null(text);
        if (strstr(text, part) == NULL)
            fail_msg("%s: '%s' is not in '%s'", id, part, text);
    }
}
static size_t entries_in(const char *path)
{
    size_t n = 0;
    struct dirent *d;
    DIR *h = opendir(path);
    while (h != NULL && (d = readdir(h)) != NULL)
        n += d->d_name[0] != '.' ? 1 : 0;
    if (h != NULL)
        closedir(h);
    return n;
}
static size_t journals(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/journal", state_dir);
    return entries_in(path);
}
static bool reason_has(const char *text)
{
    return reasons.p != NULL && strstr(reasons.p, text) != NULL;
}

static void every_outcome_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(run("fake", NULL), SP_EXIT_FAILED);
    outcome("fake.passes", "passed", SP_FLD_message, NULL);
    outcome("fake.fails", "failed", SP_FLD_message, "the answer: expected 42, got 41");
    outcome("fake.fails", "failed", SP_FLD_repeat, "switchproof run -p a -k fake.fails --seed 7");
    outcome("fake.aborts", "errored", SP_FLD_message, "SIGABRT");
    outcome("fake.is_killed", "errored", SP_FLD_message, "SIGKILL");
    outcome("fake.hangs", "errored", SP_FLD_message, "no answer within 1 s");
    outcome("fake.leaves", "errored", SP_FLD_message, "exit status 0");
    outcome("fake.prints", "passed", SP_FLD_message, NULL);
    outcome("fake.garbage", "errored", SP_FLD_message, NULL);
    outcome("fake.huge_frame", "errored", SP_FLD_message, "size limit");
    outcome("fake.forges", "errored", SP_FLD_message, "not running");
    outcome("fake.skips", "skipped", SP_FLD_reason, "it is Tuesday");
    outcome("fake.skips_late", "errored", SP_FLD_message, "after a check");
    outcome("fake.checks_nothing", "errored", SP_FLD_message, "no check");
    outcome("fake.transport", "errored", SP_FLD_message, "connection reset");
    outcome("fake.wrong_code", "failed", SP_FLD_message, "expected unique, got not_null");
    outcome("fake.makes_tables", "passed", SP_FLD_message, NULL);
    outcome("fake.makes_tables_again", "passed", SP_FLD_message, NULL);
    outcome("fake.makes_and_dies", "errored", SP_FLD_message, "SIGABRT");
    outcome("fake.heavy", "skipped", SP_FLD_reason, "--full");
    outcome("fake.faults", "skipped", SP_FLD_reason, "stack");
    outcome("fake.wants_transactions", "skipped", SP_FLD_reason, "switched off on this server");
    outcome("fake.wants_transactions", "skipped", SP_FLD_capability, "transactions");
    outcome("fake.wants_savepoints", "skipped", SP_FLD_reason, "could not be asked");
    outcome("fake.wants_roles", "skipped", SP_FLD_capability, "roles");
    outcome("fake.wants_storage", "skipped", SP_FLD_reason, "not applicable");
    outcome("fake.zz_last", "failed", SP_FLD_message, NULL); /* not the forged pass */
    assert_int_equal(totals.n[SP_PASSED], 5);
    assert_int_equal(totals.n[SP_FAILED], 3);
    assert_int_equal(totals.n[SP_ERRORED], 11);
    assert_int_equal(totals.n[SP_SKIPPED], 7);
    /* Tables of the case that died, and all namespaces, are gone; and so is the journal. */
    assert_int_equal(entries_in(url_a + 5), 0);
    assert_int_equal(journals(), 0);
    assert_int_equal(totals.leftovers, 0);
}

static void a_pass_that_does_not_fit_is_none(void **state)
{
    (void)state;
    assert_int_equal(run("forge", "forge.early"), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("outside of any case"));
    assert_true(reason_has("not running"));
    /* Also where other cases follow, in a worker of their own. */
    assert_int_equal(run("forge", "forge.*[ey]"), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("outside of any case"));
    assert_int_equal(run("forge", "forge.failing"), SP_EXIT_INCONCLUSIVE);
    outcome("forge.failing", "errored", SP_FLD_message, "a check of it failed");
    /* What a helper left out for want of memory was not checked. */
    assert_int_equal(run("forge", "forge.memory"), SP_EXIT_INCONCLUSIVE);
    outcome("forge.memory", "errored", SP_FLD_message, "out of memory");
    assert_int_equal(run("forge", "forge.passes"), SP_EXIT_OK);
}

static void events_tell_the_whole_story(void **state)
{
    (void)state;
    config.nproviders = 2;
    (void)run("fake", NULL);
    size_t plans = 0, cases = 0, ends = 0, checks = 0, opened = 0, caps = 0;
    bool stderr_told = false, stdout_told = false;
    char seeds[2][64] = { "", "" };
    for (size_t i = 0; i < seen.n; i++) {
        const struct sp_event_in *e = &seen.ev[i];
        const char *text = sp_event_get_text(e, SP_FLD_text), *id = sp_event_get_text(e, SP_FLD_id),
                   *p = sp_event_get_text(e, SP_FLD_provider);
        plans += e->kind == SP_EV_PLAN ? 1 : 0;
        cases += e->kind == SP_EV_PLAN_CASE ? 1 : 0;
        ends += e->kind == SP_EV_CASE_END ? 1 : 0;
        opened += e->kind == SP_EV_PROVIDER ? 1 : 0;
        caps += e->kind == SP_EV_CAPABILITY ? 1 : 0;
        checks += e->kind == SP_EV_CHECK && strcmp(id, "fake.fails") == 0 && strcmp(p, "a") == 0 ? 1 : 0;
        if (e->kind == SP_EV_OUTPUT && id != NULL && strcmp(id, "fake.aborts") == 0)
            stderr_told = stderr_told || strstr(text, "about to abort") != NULL;
        if (e->kind == SP_EV_OUTPUT && id != NULL && strcmp(id, "fake.prints") == 0) {
            stdout_told = true;
            assert_true(strlen(text) < 200000);
        }
        if (e->kind == SP_EV_SEMANTICS && strcmp(sp_event_get_text(e, SP_FLD_topic), "seed") == 0)
            (void)sp_strlcpy(seeds[p[0] - 'a'], sp_event_get_text(e, SP_FLD_observed), sizeof seeds[0]);
        if (e->kind == SP_EV_CAPABILITY &&
            strcmp(sp_event_get_text(e, SP_FLD_capability), "transactions") == 0) {
            assert_true(sp_event_get_bool(e, SP_FLD_finding, false));
            assert_string_equal(sp_event_get_text(e, SP_FLD_declared), "yes");
            assert_string_equal(sp_event_get_text(e, SP_FLD_effective), "no");
        }
    }
    size_t ncases = SP_LEN(fake_cases) - 1;
    assert_int_equal(plans, 2);
    assert_int_equal(cases, 2 * ncases);
    assert_int_equal(ends, 2 * ncases);
    assert_int_equal(checks, 2);
    assert_int_equal(opened, 2);
    assert_int_equal(caps, 2 * (size_t)SP_CAP_N);
    assert_true(stderr_told);
    assert_true(stdout_told);
    assert_string_not_equal(seeds[0], "");
    assert_string_equal(seeds[0], seeds[1]); /* the same data everywhere */
}

static void exit_codes(void **state)
{
    (void)state;
    assert_int_equal(run("good", NULL), SP_EXIT_OK);
    assert_int_equal(reasons.n, 0);
    assert_int_equal(run(NULL, "good.passes"), SP_EXIT_OK); /* an id selects just itself */
    assert_int_equal(totals.n[SP_PASSED], 1);
    assert_int_equal(run(NULL, "good.pass"), SP_EXIT_OK);
    assert_int_equal(totals.n[SP_PASSED], 2);
    assert_int_equal(run("fake", "fake.checks_nothing"), SP_EXIT_INCONCLUSIVE);
    assert_int_equal(run("fake", "no_such_case"), SP_EXIT_NOTHING);
    assert_int_equal(run("storage", NULL), SP_EXIT_NOTHING); /* not applicable, and nothing else */
    /* Not offered by this server although the facet is: nothing proved. */
    const char *two[] = { "good", "txn" };
    assert_int_equal(run("txn", NULL), SP_EXIT_NOTHING);
    struct sp_run_options o = { .config = &config,
        .kinds = kinds,
        .suites = suites,
        .only_suites = two,
        .nsuites = 2,
        .seed = 1,
        .quick = true,
        .timeout_factor = 1,
        .program = "/proc/self/exe",
        .run_id = "testrun1" };
    forget();
    assert_int_equal(sp_run(&o, &seen.base, &totals, &reasons, &error), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("a, suite txn"));
    /* A facet that the kind has not: visible, not blocking. */
    two[1] = "storage";
    forget();
    sp_buf_free(&reasons);
    assert_int_equal(sp_run(&o, &seen.base, &totals, &reasons, &error), SP_EXIT_OK);
    assert_int_equal(totals.n[SP_SKIPPED], 1);
    /* A suite that measures runs after the others. */
    two[1] = "alone";
    config.nproviders = 2;
    forget();
    assert_int_equal(sp_run(&o, &seen.base, &totals, &reasons, &error), SP_EXIT_OK);
    bool begun = false;
    for (size_t i = 0; i < seen.n; i++) {
        const char *suite = sp_event_get_text(&seen.ev[i], SP_FLD_suite);
        if (seen.ev[i].kind == SP_EV_CASE_START && strcmp(suite, "alone") == 0)
            begun = true;
        else if (seen.ev[i].kind == SP_EV_CASE_START)
            assert_false(begun);
    }
}

static void unknown_names_are_refused(void **state)
{
    (void)state;
    assert_int_equal(run("godo", NULL), -SP_E_INVALID);
    assert_non_null(strstr(error.text, "did you mean 'good'?"));
    static const char *const needs[] = { "good.passes_to" };
    config.requires = needs;
    config.nrequires = 1;
    assert_int_equal(run("good", NULL), -SP_E_INVALID);
    assert_non_null(strstr(error.text, "did you mean 'good.passes_too'?"));
    config.nrequires = 0;
    providers[0].mutant = "no_such_bug";
    assert_int_equal(run("good", NULL), -SP_E_INVALID);
    assert_non_null(strstr(error.text, "unknown mutant 'no_such_bug'"));
    providers[0].mutant = NULL;
    providers[0].kind = "absent";
    assert_int_equal(run("good", NULL), -SP_E_INVALID);
    assert_int_equal(seen.n, 0);
}

static void providers_that_cannot_be_used(void **state)
{
    (void)state;
    config.nproviders = 2;
    providers[1] = (struct sp_config_provider){
        .name = "b", .kind = "fake", .unset_variable = "B_URL", .optional = true
    };
    assert_int_equal(run("good", NULL), SP_EXIT_OK);
    assert_non_null(strstr(sp_event_get_text(end_of("b", "good.passes"), SP_FLD_reason), "B_URL"));
    providers[1].optional = false;
    assert_int_equal(run("good", NULL), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("b, suite good"));
    config.nproviders = 1;
    providers[0].url = "fake:unreachable";
    assert_int_equal(run("good", NULL), SP_EXIT_INCONCLUSIVE);
    outcome("good.passes", "errored", SP_FLD_message, "connection refused");
    providers[0].url = "fake:crash";
    assert_int_equal(run("good", NULL), SP_EXIT_INCONCLUSIVE);
    outcome("good.passes_too", "errored", SP_FLD_message, "before its first case, twice");
    providers[0].url = url_a;
    providers[0].access = SP_ACCESS_READ_ONLY;
    assert_int_equal(run("good", NULL), SP_EXIT_OK);
    outcome("good.passes_too", "skipped", SP_FLD_reason, "read-only");
    assert_int_equal(journals(), 0);
}

static void expected_failures_expire(void **state)
{
    (void)state;
    struct sp_config_xfail x = {
        .id = "fake.fails", .link = "https://example.com/1", .reason = "known", .until_day = 1000000
    };
    config.xfails = &x;
    config.nxfails = 1;
    assert_int_equal(run("fake", "fake.fails"), SP_EXIT_INCONCLUSIVE); /* nothing else proves anything */
    outcome("fake.fails", "xfailed", SP_FLD_link, "https://example.com/1");
    assert_int_equal(run("fake", "fake.*a[si][ls]*s"), SP_EXIT_OK); /* fake.passes does */
    assert_int_equal(totals.n[SP_PASSED], 1);
    assert_int_equal(totals.n[SP_XFAILED], 1);
    x.provider = "b";
    assert_int_equal(run("fake", "fake.fails"), SP_EXIT_FAILED);
    x.provider = "a";
    x.until_day = 365;
    assert_int_equal(run("fake", "fake.fails"), SP_EXIT_FAILED);
    outcome("fake.fails", "failed", SP_FLD_message, "expired on 1971-01-01");
    x.until_day = 1000000;
    x.id = "good.passes";
    assert_int_equal(run("good", NULL), SP_EXIT_FAILED);
    outcome("good.passes", "failed", SP_FLD_message, "remove the expectation");
    x.id = "fake.aborts"; /* a crash is no expected failure */
    assert_int_equal(run("fake", "fake.aborts"), SP_EXIT_INCONCLUSIVE);
    outcome("fake.aborts", "errored", SP_FLD_message, "SIGABRT");
}

static void requirements_must_be_proved(void **state)
{
    (void)state;
    static const char *need[1];
    config.requires = need;
    config.nrequires = 1;
    static const struct {
        const char *need, *glob;
        int code;
    } t[] = {
        { "good.passes", "good.*", SP_EXIT_OK },
        { "good.*", "good.*", SP_EXIT_OK },
        { "good", "good.*", SP_EXIT_OK },
        { "fake.wants_transactions", "*.[pw]a*", SP_EXIT_FAILED },
        { "transactions", "*.[pw]a*", SP_EXIT_FAILED },
        { "fake.transactions", "*.[pw]a*", SP_EXIT_FAILED },
        { "savepoints", "*.[pw]a*", SP_EXIT_INCONCLUSIVE }, /* could not be asked */
        { "storage.put", "[gs]*.p*", SP_EXIT_FAILED },      /* not even where the facet is missing */
        { "storage", "[gs]*.p*", SP_EXIT_FAILED },
        { "tables", "fake.makes_tables*", SP_EXIT_OK },
    };
    for (size_t i = 0; i < SP_LEN(t); i++) {
        need[0] = t[i].need;
        int code = run(NULL, t[i].glob);
        /* The wait suite is never among them; fake.hangs and the like neither. */
        if (t[i].code == SP_EXIT_FAILED || t[i].code == SP_EXIT_INCONCLUSIVE) {
            if (!reason_has(t[i].need))
                fail_msg("%s: no reason in '%s'", t[i].need, reasons.p);
        }
        if (code != t[i].code)
            fail_msg("%s: code %d, reasons '%s'", t[i].need, code, reasons.p);
    }
}

/* What is expected to fail is not proved, and neither is what no case tries. */
static void requirements_are_not_proved_by_failures(void **state)
{
    (void)state;
    static const char *need[] = { "fake.fails" };
    struct sp_config_xfail x = {
        .id = "fake.fails", .link = "https://example.com/1", .reason = "known", .until_day = 1000000
    };
    config.requires = need;
    config.nrequires = 1;
    config.xfails = &x;
    config.nxfails = 1;
    assert_int_equal(run("fake", "fake.*a[si][ls]*s"), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("fake.fails fails, as expected"));
    need[0] = "fake.passes";
    assert_int_equal(run("fake", "fake.*a[si][ls]*s"), SP_EXIT_OK);
    config.nxfails = 0;
    /* A capability that is no need of any case: said in part of a run, blocking in a whole one. */
    need[0] = "bulk_load";
    assert_int_equal(run("good", NULL), SP_EXIT_OK);
    const struct sp_suite *const few[] = { &good_suite, NULL };
    struct sp_run_options o = { .config = &config,
        .kinds = kinds,
        .suites = few,
        .seed = 1,
        .quick = true,
        .timeout_factor = 1,
        .program = "/proc/self/exe",
        .run_id = "testrun1" };
    forget();
    sp_buf_free(&reasons);
    assert_int_equal(sp_run(&o, &seen.base, &totals, &reasons, &error), SP_EXIT_INCONCLUSIVE);
    assert_true(reason_has("no case tries it"));
    /* What stands before the dot has to exist, too. */
    need[0] = "fake.transactions";
    assert_int_equal(run("good", NULL), SP_EXIT_OK);
    need[0] = "typo.transactions";
    assert_int_equal(run("good", NULL), -SP_E_INVALID);
}

static void leftovers_are_counted(void **state)
{
    (void)state;
    /* The namespace goes although the table in it resisted. */
    assert_int_equal(run("stuck", NULL), SP_EXIT_INCONCLUSIVE);
    outcome("stuck.table", "errored", SP_FLD_message, "cleaning up");
    assert_int_equal(totals.leftovers, 0);
    assert_int_equal(entries_in(url_a + 5), 0);
    /* Without namespaces it stays, and stays in the journal. */
    providers[0].kind = "flat";
    assert_int_equal(run("stuck", NULL), SP_EXIT_INCONCLUSIVE);
    assert_int_equal(totals.leftovers, 1);
    assert_int_equal(journals(), 1);
    assert_int_equal(entries_in(url_a + 5), 1);
    uint64_t removed = 0;
    assert_int_equal(sp_clean(&config, kinds, NULL, false, &removed, &error), -SP_E_UNAVAILABLE);
    assert_int_equal(journals(), 1);
    /* Once it is gone, however that came, the journal goes. */
    assert_int_equal(sp_rmtree(url_a + 5, NULL), 0);
    assert_int_equal(mkdir(url_a + 5, 0700), 0);
    sp_error_clear(&error);
}

static void a_table_of_the_users_is_not_touched(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/left_a", url_a + 5);
    providers[0].kind = "flat";
    assert_int_equal(sp_write_file_atomic(path, "mine", 4, NULL), 0);
    assert_int_equal(run("fake", "fake.makes_tables"), SP_EXIT_INCONCLUSIVE);
    outcome("fake.makes_tables", "errored", SP_FLD_message, "exists already");
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(journals(), 0);
}

/* Forks a process that runs the waiting suite, and waits until its table exists. */
static pid_t start_waiting(const char *run_id)
{
    char path[160];
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        sp_interrupt_install();
        int code = run_as("wait", NULL, run_id);
        bool told = end_of("a", "wait.after") != NULL &&
                    strcmp(sp_event_get_text(end_of("a", "wait.after"), SP_FLD_outcome), "skipped") == 0;
        forget();
        _exit(told ? code : 100);
    }
    snprintf(path, sizeof path, "%s/sp_%s_wait0/left_a", url_a + 5, run_id);
    for (int i = 0; i < 500 && access(path, F_OK) != 0; i++)
        (void)nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
    assert_int_equal(access(path, F_OK), 0);
    return pid;
}

static void an_interrupted_run_cleans_up(void **state)
{
    (void)state;
    int status;
    pid_t pid = start_waiting("testrun2");
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SP_EXIT_INTERRUPTED);
    assert_int_equal(entries_in(url_a + 5), 0);
    assert_int_equal(journals(), 0);
}

static void a_killed_run_is_cleaned_afterwards(void **state)
{
    (void)state;
    char foreign[160];
    int status;
    uint64_t removed = 0;
    snprintf(foreign, sizeof foreign, "%s/sp_testrun9_wait0",
        url_a + 5); /* looks like ours, is not in the journal */
    assert_int_equal(mkdir(foreign, 0700), 0);
    pid_t pid = start_waiting("testrun3");
    /* Alive, its journal is locked. */
    assert_int_equal(sp_clean(&config, kinds, NULL, false, &removed, &error), 0);
    assert_int_equal(removed, 0);
    assert_int_equal(entries_in(url_a + 5), 2);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(sp_clean(&config, kinds, "other", false, &removed, &error), -SP_E_NOT_FOUND);
    sp_error_clear(&error);
    assert_int_equal(sp_clean(&config, kinds, NULL, true, &removed, &error), 0); /* dry run */
    assert_int_equal(entries_in(url_a + 5), 2);
    /* Another backend under the provider's name is left alone: the recorded place is cleaned. */
    providers[0].url = url_b;
    char trap[160];
    snprintf(trap, sizeof trap, "%s/sp_testrun3_wait0", url_b + 5);
    assert_int_equal(mkdir(trap, 0700), 0);
    assert_int_equal(sp_clean(&config, kinds, "testrun3", false, &removed, &error), 0);
    assert_int_equal(removed, 1);
    assert_int_equal(access(trap, F_OK), 0);
    assert_int_equal(entries_in(url_a + 5), 1);
    assert_int_equal(access(foreign, F_OK), 0);
    assert_int_equal(journals(), 0);
    assert_int_equal(sp_clean(&config, kinds, NULL, false, &removed, &error), 0);
    assert_int_equal(removed, 0);
}

static void write_journal(const char *run_dir, const char *type, const char *name)
{
    char path[160];
    struct sp_buf b = SP_BUF_INIT;
    snprintf(path, sizeof path, "%s/journal", state_dir);
    assert_int_equal(sp_mkdirs(path, NULL), 0);
    snprintf(path, sizeof path, "%s/journal/testrun5.jsonl", state_dir);
    (void)sp_buf_printf(&b,
        "{\"run\":\"testrun5\",\"format\":1%s%s%s}\n"
        "{\"op\":\"made\",\"provider\":\"a\",\"kind\":\"fake\",\"url\":\"%s\",\"type\":\"%s\",\"name\":\"%"
        "s\"}\n",
        run_dir != NULL ? ",\"dir\":\"" : "", run_dir != NULL ? run_dir : "", run_dir != NULL ? "\"" : "",
        providers[0].url, type, name);
    assert_int_equal(sp_write_file_atomic(path, b.p, b.n, NULL), 0);
    sp_buf_free(&b);
}

/* A journal is a file, and files can be written by anybody: names that no run gives are left alone. */
static void a_journal_cannot_remove_what_is_not_ours(void **state)
{
    (void)state;
    static const char *const names[] = { "mine", "sp_testrun", "sp_testrun5", "sp_testrun6_x",
        "spxtestrun5_x", "../a" };
    uint64_t removed = 0;
    char path[160];
    snprintf(path, sizeof path, "%s/mine", url_a + 5);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < SP_LEN(names); i++) {
        write_journal(NULL, "namespace", names[i]);
        assert_int_equal(sp_clean(&config, kinds, NULL, false, &removed, &error), -SP_E_UNAVAILABLE);
        assert_int_equal(removed, 0);
        assert_int_equal(access(path, F_OK), 0);
        assert_int_equal(journals(), 1);
    }
    /* A relative path is another place when seen from another directory. */
    static char relative[] = "fake:a";
    providers[0].url = relative;
    write_journal("/somewhere/else", "namespace", "sp_testrun5_x");
    assert_int_equal(sp_clean(&config, kinds, NULL, false, &removed, &error), -SP_E_UNAVAILABLE);
    assert_int_equal(removed, 0);
    assert_int_equal(journals(), 1);
    sp_error_clear(&error);
}

static int refuse(
    struct sp_emitter *em, enum sp_event_kind kind, const char *json, size_t n, struct sp_error *err)
{
    if (kind == SP_EV_CASE_END)
        return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "disk full");
    return remember(em, kind, json, n, err);
}

static void a_report_that_cannot_be_written_is_no_success(void **state)
{
    (void)state;
    struct sp_emitter em = { .send = refuse };
    const char *only[] = { "good" };
    struct sp_run_options o = { .config = &config,
        .kinds = kinds,
        .suites = suites,
        .only_suites = only,
        .nsuites = 1,
        .quick = true,
        .timeout_factor = 1,
        .program = "/proc/self/exe",
        .run_id = "testrun4" };
    forget();
    assert_int_equal(sp_run(&o, &em, &totals, &reasons, &error), -SP_E_IO);
    assert_int_equal(journals(), 0);
    o.program = "/nonexistent";
    forget();
    assert_int_equal(sp_run(&o, &seen.base, &totals, &reasons, &error), SP_EXIT_INCONCLUSIVE);
    outcome("good.passes", "errored", SP_FLD_message, "could not be executed");
}

static const char *audited(const char *capability)
{
    for (size_t i = 0; i < seen.n; i++) {
        const struct sp_event_in *e = &seen.ev[i];
        if (e->kind == SP_EV_CAP_AUDIT && strcmp(sp_event_get_text(e, SP_FLD_capability), capability) == 0)
            return sp_event_get_text(e, SP_FLD_outcome);
    }
    return "nothing";
}

static void what_is_not_offered_must_say_so(void **state)
{
    (void)state;
    assert_int_equal(run("audit", NULL), SP_EXIT_FAILED); /* begin succeeds although it is switched off */
    outcome(
        "audit.audit", "failed", SP_FLD_message, "transactions, which is not offered: expected unsupported");
    assert_string_equal(audited("transactions"), "broken");
    assert_string_equal(audited("roles"), "held");
    assert_string_equal(audited("put"), "nothing"); /* a facet that is not offered at all */
    assert_string_equal(audited("tables"), "nothing");
    providers[0].kind = "flat";
    assert_int_equal(run("audit", NULL), SP_EXIT_OK);
    assert_string_equal(audited("transactions"), "held");
    assert_string_equal(audited("namespaces"), "held");
    providers[0].access = SP_ACCESS_READ_ONLY;
    assert_int_equal(run("audit", NULL), SP_EXIT_OK);
    providers[0].kind = "mute";
    assert_int_equal(run("audit", NULL), SP_EXIT_FAILED);
    outcome("audit.audit", "failed", SP_FLD_message, "crud: expected a reason");
    assert_string_equal(audited("crud"), "broken");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "__worker") == 0)
        return sp_worker_main(kinds, suites);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_outcome_is_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pass_that_does_not_fit_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_tell_the_whole_story, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exit_codes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_names_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(providers_that_cannot_be_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expected_failures_expire, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requirements_must_be_proved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requirements_are_not_proved_by_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leftovers_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_table_of_the_users_is_not_touched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_interrupted_run_cleans_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_killed_run_is_cleaned_afterwards, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_journal_cannot_remove_what_is_not_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_report_that_cannot_be_written_is_no_success, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_offered_must_say_so, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
