/* run_case.h -- for the tests of the run engine: a place and a configuration per test, runs of the fake suites in real
 * worker processes, and what their events said. The program executes itself anew as its own worker: is_worker()
 * tells which. Included once per test program. */
#ifndef RUN_CASE_H
#define RUN_CASE_H

#include "run_fake.h"

#include <cmocka.h>

struct seen {
    struct sp_emitter base;
    struct sp_event_in ev[2000];
    size_t n;
};
static struct seen seen;

static inline int remember(
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
static inline void forget(void)
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

static inline int set_up(void **state)
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
static inline int tear_down(void **state)
{
    (void)state;
    forget();
    sp_buf_free(&reasons);
    sp_error_clear(&error);
    return sp_rmtree(dir, NULL);
}

static inline int run_as(const char *suite, const char *glob, const char *run_id)
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
static inline int run(const char *suite, const char *glob)
{
    return run_as(suite, glob, "testrun1");
}

static inline const struct sp_event_in *end_of(const char *provider, const char *id)
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
static inline void outcome(const char *id, const char *want, enum sp_event_field f, const char *part)
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
static inline size_t entries_in(const char *path)
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
static inline size_t journals(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/journal", state_dir);
    return entries_in(path);
}
static inline bool reason_has(const char *text)
{
    return reasons.p != NULL && strstr(reasons.p, text) != NULL;
}

/* What main() does first: this is the worker, or its tests follow. */
static inline bool is_worker(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "__worker") == 0;
}

#endif
