/* test_config.c -- switchproof.yaml: what a good one gives, and what each mistake is told as. */
#include "config_case.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "run/mutant.h"

#define P "providers:\n  a: { kind: lite, url: \"lite:x\" }\n"

static void test_everything(void **state)
{
    (void)state;
    struct sp_config *cfg =
        good("requires: [crud, 'auth.*']\n"
             "report_dir: out/r\n"
             "state_dir: out/s\n"
             "expected_failures:\n"
             "  - { case: crud.x, provider: next, link: https://e.org/1, until: 2030-02-28, "
             "reason: slow }\n"
             "providers:\n"
             "  local: { kind: lite, url: 'lite:a b.db', access: disposable,\n"
             "           connect_timeout: 2s, statement_timeout: 500ms,\n"
             "           options: { busy_timeout: 1s, pages: 7 } }\n"
             "  next: { kind: bigsql, url: 'bigsql://h/d', access: target, optional: true }\n"
             "suites: { load: { users: 50, rate: 500/s, duration: 30s } }\n"
             "verify: { rate: 500/s, max_lag: 5s, recheck: 1m }\n"
             "gates:\n"
             "  migration: { require: [crud, auth], max_differences: 0 }\n"
             "  production: { max_latency_regression: 5%, fidelity: real }\n");
    assert_int_equal(cfg->nrequires, 2);
    assert_string_equal(cfg->requires[1], "auth.*");
    assert_string_equal(cfg->report_dir, "out/r");
    assert_string_equal(cfg->state_dir, "out/s");
    assert_int_equal(strlen(cfg->digest), 32);
    assert_int_equal(cfg->nproviders, 2);
    const struct sp_config_provider *p = sp_config_provider(cfg, "local");
    assert_non_null(p);
    assert_string_equal(p->kind, "lite");
    assert_string_equal(p->url, "lite:a b.db");
    assert_int_equal(p->access, SP_ACCESS_DISPOSABLE);
    assert_int_equal(p->connect_timeout_ms, 2000);
    assert_int_equal(p->statement_timeout_ms, 500);
    assert_int_equal(p->line, 7);
    struct sp_endpoint e;
    sp_config_endpoint(p, &e);
    assert_string_equal(sp_endpoint_option(&e, "pages", ""), "7");
    assert_string_equal(sp_endpoint_option(&e, "busy_timeout", ""), "1s");
    p = sp_config_provider(cfg, "next");
    assert_int_equal(p->access, SP_ACCESS_TARGET);
    assert_true(p->optional);
    assert_null(sp_config_provider(cfg, "nowhere"));
    assert_int_equal(cfg->nsettings, 3);
    assert_string_equal(cfg->settings[0].suite, "load");
    assert_string_equal(cfg->settings[0].name, "users");
    assert_true(cfg->settings[0].value == 50);
    assert_true(cfg->settings[1].value == 500);
    assert_true(cfg->settings[2].value == 30000);
    assert_int_equal((int64_t)cfg->verify.rate, 500);
    assert_int_equal(cfg->verify.max_lag_ms, 5000);
    assert_int_equal(cfg->verify.recheck_ms, 60000);
    assert_int_equal(cfg->verify.max_snapshot_ms, 0);
    assert_int_equal(cfg->ngates, 2);
    assert_string_equal(cfg->gates[0].values[0], "crud,auth");
    assert_string_equal(cfg->gates[1].names[1], "fidelity");
    assert_string_equal(cfg->gates[1].values[1], "real");
    assert_int_equal(cfg->nxfails, 1);
    assert_string_equal(cfg->xfails[0].id, "crud.x");
    assert_int_equal(cfg->xfails[0].until_day, 21973);
    sp_config_free(cfg);
}

static void test_defaults(void **state)
{
    (void)state;
    const char *const empty[] = { "", "# only a comment\n", "---\n", "{}" };
    for (size_t i = 0; i < SP_LEN(empty); i++) {
        struct sp_config *cfg = good(empty[i]);
        assert_int_equal(cfg->nproviders, 0);
        assert_string_equal(cfg->report_dir, "build/report");
        assert_string_equal(cfg->state_dir, ".switchproof");
        sp_config_free(cfg);
    }
    struct sp_config *cfg = good(P);
    assert_int_equal(cfg->providers[0].access, SP_ACCESS_READ_ONLY);
    assert_false(cfg->providers[0].optional);
    assert_int_equal(cfg->providers[0].connect_timeout_ms, 0);
    sp_config_free(cfg);
}

static void test_syntax(void **state)
{
    (void)state;
    bad("providers: [\n",
        "t.yaml:2:1: not valid YAML: did not find expected node content while parsing a flow "
        "node");
    bad("a: b: c", "t.yaml:1:5: not valid YAML: mapping values are not allowed in this context");
    bad("just text", "t.yaml:1:1: expected a map of keys and values, found \"just text\"");
    bad("- a\n", "t.yaml:1:1: expected a map of keys and values, found a list");
    bad("source: nix\n" P, "t.yaml:1:9: source: no provider of this file is called \"nix\"; known: a");
    bad("report_dir: a\n---\nreport_dir: b\n",
        "t.yaml:2:1: a second document: a configuration is one document");
    bad("report_dir: &x a\n", "t.yaml:1:13: anchors (&name) are not used here: write the value out");
    bad("report_dir: *x\n", "t.yaml:1:13: aliases (*name) are not used here: write the value out");
    bad("report_dir: !!str a\n", "t.yaml:1:13: tags (!name) are not used here: leave it out");
    bad("[a]: b\n", "t.yaml:1:1: a key must be a plain word, not a map or a list");
    bad("report_dir: a\nreport_dir: b\n",
        "t.yaml:2:1: duplicate key \"report_dir\": it stands already in line 1");
    bad("report_dir: \"a\\0b\"\n", "t.yaml:1:13: a zero byte has no place in a configuration");
    bad("\xc3\xa4: 1\nreport_dir: \xc3\xa4\xff\n",
        "t.yaml:2:14: byte 0xff is not UTF-8: save the file as UTF-8");
    bad("a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        "t.yaml:1:27: nested too deeply (at most 24 levels)");
}

static void test_bombs(void **state)
{
    (void)state;
    bad("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n",
        "t.yaml:1:4: anchors (&name) are not used here: write the value out");
    struct sp_buf text = SP_BUF_INIT;
    (void)sp_buf_puts(&text, "requires: [");
    for (int i = 0; i < 30000; i++) {
        (void)sp_buf_puts(&text, "x,");
    }
    (void)sp_buf_puts(&text, "x]");
    struct sp_config *cfg = NULL;
    struct sp_error err = SP_ERROR_INIT;
    assert_int_equal(sp_config_parse(&cfg, "t.yaml", text.p, text.n, kinds, &err), -SP_E_INVALID);
    assert_non_null(strstr(sp_error_text(&err), "too many values for one file"));
    sp_error_clear(&err);
    sp_buf_clear(&text);
    for (int i = 0; i < 3000; i++) {
        (void)sp_buf_printf(&text, "k%d: 1\n", i);
    }
    assert_int_equal(sp_config_parse(&cfg, "t.yaml", text.p, text.n, kinds, &err), -SP_E_INVALID);
    assert_string_equal(sp_error_text(&err), "t.yaml:2001:1: too many keys in one map (at most 2000)");
    sp_error_clear(&err);
    sp_buf_free(&text);
}

static void test_keys(void **state)
{
    (void)state;
    bad("provider: {}\n", "t.yaml:1:1: unknown key \"provider\"; did you mean \"providers\"?");
    bad("xyzzy: {}\n", "t.yaml:1:1: unknown key \"xyzzy\"; known: requires, providers, checks, actors, "
                       "access, suites, verify, gates, "
                       "expected_failures, source, target, report_dir, state_dir");
    bad("providers: [a]\n", "t.yaml:1:12: providers: expected a map of keys and values, found a list");
    bad("providers: { a: 5 }\n", "t.yaml:1:17: providers.a: expected a map of keys and values, found \"5\"");
    bad("providers: { a: { url: 'lite:x' } }\n",
        "t.yaml:1:17: providers.a: the key \"kind\" is missing: which "
        "provider: see `switchproof list providers`");
    bad("providers: { a: { kind: lite } }\n", "t.yaml:1:17: providers.a: the key \"url\" is missing: where "
                                              "it is, e.g. sqlite:path; a password in it "
                                              "comes from ${VARIABLE}");
    bad("providers:\n  a: { kind: lite, url: 'lite:x', acess: target }\n",
        "t.yaml:2:35: providers.a: unknown key \"acess\"; did you mean \"access\"?");
    bad("providers: { 'a:b': { kind: lite, url: 'lite:x' } }\n",
        "t.yaml:1:14: providers: \"a:b\" cannot be a provider's name: letters, digits, '_', '-' and '.', at "
        "most 64, not starting with '_', '-' or '.'");
    bad("requires: crud\n", "t.yaml:1:11: requires: expected a list, found \"crud\"");
    bad("requires: [{a: b}]\n", "t.yaml:1:12: requires: expected text, found a map");
    bad("report_dir:\n", "t.yaml:1:12: report_dir: expected text, found nothing");
    bad("report_dir: ''\n", "t.yaml:1:13: report_dir: expected text, found \"\"");
}

static void test_types(void **state)
{
    (void)state;
    bad("suites: { load: { users: 5s } }\n",
        "t.yaml:1:26: suites.load.users: expected a whole number from 2 to 62, found \"5s\"");
    bad("suites: { load: { users: 0 } }\n",
        "t.yaml:1:26: suites.load.users: expected a whole number from 2 to 62, found \"0\"");
    bad("suites: { load: { users: 1.5 } }\n",
        "t.yaml:1:26: suites.load.users: expected a whole number from 2 to 62, found \"1.5\"");
    bad("suites: { load: { users: '5' } }\n",
        "t.yaml:1:26: suites.load.users: expected a whole number from 2 to "
        "62, found the text \"5\": leave out the quotes");
    bad("suites: { load: { duration: 30 } }\n", "t.yaml:1:29: suites.load.duration: expected a duration from "
                                                "10ms to 3600s (such as 500ms, 5s or 2m), "
                                                "found \"30\"");
    /* What the suite would not do is not taken for a setting of it. */
    bad("suites: { load: { users: 63 } }\n",
        "t.yaml:1:26: suites.load.users: expected a whole number from 2 to 62, found \"63\"");
    bad("suites: { load: { ramp: 5s } }\n",
        "t.yaml:1:19: suites.load: unknown key \"ramp\"; did you mean \"rate\"?");
    bad("suites: { migration: { rows: 5 } }\n", "t.yaml:1:11: suites: no suite with settings is called "
                                                "\"migration\"; known: performance, load");
    bad("suites: { load: { rate: fast } }\n",
        "t.yaml:1:25: suites.load.rate: expected a rate such as 500/s, found \"fast\"");
    bad("suites: { load: { usres: 5 } }\n",
        "t.yaml:1:19: suites.load: unknown key \"usres\"; did you mean \"users\"?");
    bad("suites: { lod: { users: 5 } }\n",
        "t.yaml:1:11: suites: no suite with settings is called \"lod\"; did you mean \"load\"?");
    bad("providers: { a: { kind: lite, url: 'lite:x', optional: yes } }\n",
        "t.yaml:1:56: providers.a.optional: expected true or false, found \"yes\"");
    bad("providers: { a: { kind: lite, url: 'lite:x', access: readonly } }\n",
        "t.yaml:1:54: providers.a.access: expected one of read-only, target, disposable, found \"readonly\"; "
        "did "
        "you mean \"read-only\"?");
    bad("gates: { migation: {} }\n",
        "t.yaml:1:10: gates: \"migation\" is no phase; did you mean \"migration\"?");
    bad("gates: { migration: { max_latency_regression: 5 } }\n",
        "t.yaml:1:47: gates.migration.max_latency_regression: expected a percentage such as 5% or 0.1pp, "
        "found "
        "\"5\"");
}

static void test_kinds(void **state)
{
    (void)state;
    static const char *const out[] = { "mongodb", NULL };
    bad("providers: { a: { kind: lita, url: 'lite:x' } }\n",
        "t.yaml:1:25: providers.a.kind: \"lita\" is no provider kind; did you mean \"lite\"?");
    bad("providers: { a: { kind: mongodb, url: 'mongodb://x' } }\n",
        "t.yaml:1:25: providers.a.kind: \"mongodb\" is no provider kind; known: lite, bigsql");
    sp_config_left_out(out);
    bad("providers: { a: { kind: mongodb, url: 'mongodb://x' } }\n",
        "t.yaml:1:25: providers.a.kind: \"mongodb\" was left out of this build: build it anew without the "
        "WITH_... switch that left it out (`switchproof list providers` shows what is in)");
    sp_config_left_out(NULL);
    bad("providers: { a: { kind: lite, url: 'bigsql:x' } }\n",
        "t.yaml:1:36: providers.a.url: the URL of a lite provider starts with \"lite:\", found \"bigsql:x\"");
    bad("providers: { a: { kind: lite, url: x.db } }\n",
        "t.yaml:1:36: providers.a.url: the URL of a lite provider starts with \"lite:\", found \"x.db\"");
    bad("providers: { a: { kind: lite, url: 'lite:x', busy_timeout: 5s } }\n",
        "t.yaml:1:46: providers.a: \"busy_timeout\" is an option of lite: write options: { busy_timeout: ... "
        "}");
    bad("providers: { a: { kind: lite, url: 'lite:x', options: { busy_timout: 5s } } }\n",
        "t.yaml:1:57: providers.a.options: lite has no option \"busy_timout\"; did you mean "
        "\"busy_timeout\"?");
    bad("providers: { a: { kind: lite, url: 'lite:x', options: { pages: many } } }\n",
        "t.yaml:1:64: providers.a.options.pages: expected a whole number, 0 or more, found \"many\"");
    bad("providers: { a: { kind: bigsql, url: 'bigsql:x', options: { y: 1 } } }\n",
        "t.yaml:1:61: providers.a.options: bigsql has no option \"y\"; it has none");
}

static void test_mutant(void **state)
{
    (void)state;
    struct sp_config *cfg = NULL;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_buf text = SP_BUF_INIT;
    assert_int_equal(
        parse(&cfg, "providers: { a: { kind: lite, url: 'lite:x', mutant: no_such_bug } }\n", &err),
        -SP_E_INVALID);
    assert_non_null(strstr(sp_error_text(&err), "t.yaml:1:54: providers.a.mutant: "));
    assert_non_null(strstr(sp_error_text(&err), "no_such_bug"));
    sp_error_clear(&err);
    assert_non_null(sp_mutant_at(0));
    for (size_t i = 0; sp_mutant_at(i) != NULL; i++) {
        const struct sp_mutant_info *m = sp_mutant_at(i);
        sp_buf_clear(&text);
        (void)sp_buf_printf(&text, "providers: { a: { kind: lite, url: 'lite:x', mutant: %s } }", m->name);
        cfg = good(text.p);
        assert_string_equal(cfg->providers[0].mutant, m->name);
        sp_config_free(cfg);
    }
    sp_buf_free(&text);
}

static void query_text(const char *where, const char *want)
{
    struct sp_buf text = SP_BUF_INIT;
    (void)sp_buf_printf(&text, "checks:\n- { name: n, query: { from: t, where: %s }, expect: 0 }\n", where);
    struct sp_config *cfg = good(text.p);
    sp_buf_clear(&text);
    assert_int_equal(sp_query_print(&text, &cfg->checks[0].query), 0);
    if (strstr(text.p, want) == NULL) {
        fail_msg("%s: \"%s\" is not in \"%s\"", where, want, text.p);
    }
    sp_buf_free(&text);
    sp_config_free(cfg);
}

static void test_checks(void **state)
{
    (void)state;
    struct sp_config *cfg =
        good("checks:\n"
             "  - { name: open tasks have an agent, expect: 3,\n"
             "      query: { from: tasks, where: { status: open, agent_id: null, prio: [1, 2] },\n"
             "               select: [id], order_by: [prio desc, id], limit: 7 } }\n");
    const struct sp_config_check *c = &cfg->checks[0];
    assert_string_equal(c->name, "open tasks have an agent");
    assert_int_equal(c->expect, 3);
    assert_int_equal(c->line, 2);
    assert_string_equal(c->query.table, "tasks");
    assert_int_equal(c->query.limit, 7);
    assert_string_equal(c->query.order[0].column, "prio");
    assert_true(c->query.order[0].desc);
    assert_false(c->query.order[1].desc);
    const struct sp_filter *w = c->query.where;
    assert_int_equal(w->op, SP_F_AND);
    assert_int_equal(w->nargs, 3);
    assert_int_equal(w->args[0].op, SP_F_EQ);
    assert_int_equal(w->args[0].values[0].tag, SP_TEXT);
    assert_int_equal(w->args[1].op, SP_F_IS_NULL);
    assert_string_equal(w->args[1].column, "agent_id");
    assert_int_equal(w->args[2].op, SP_F_IN);
    assert_int_equal(w->args[2].nvalues, 2);
    assert_int_equal(w->args[2].values[1].u.i, 2);
    sp_config_free(cfg);
    query_text("{ a: { gte: 1.5 } }", "1.5");
    query_text("{ or: [ { a: 1 }, { b: { like: 'x%' } } ], c: { is_null: false } }", "x%");
    query_text("{ not: { a: '1' } }", "1");
}

static void test_demands(void **state)
{
    (void)state;
    struct sp_config *cfg = good("checks:\n- { name: one mail, unique: [users, team, mail] }\n"
                                 "- { name: has a name, required: [users, name] }\n");
    assert_int_equal(cfg->nchecks, 2);
    assert_int_equal(cfg->checks[0].kind, SP_CHECK_UNIQUE);
    assert_string_equal(cfg->checks[0].table, "users");
    assert_int_equal(cfg->checks[0].ncolumns, 2);
    assert_string_equal(cfg->checks[0].columns[1], "mail");
    assert_int_equal(cfg->checks[1].kind, SP_CHECK_REQUIRED);
    sp_config_free(cfg);
}

static void test_paired_queries(void **state)
{
    (void)state;
    struct sp_config *cfg = good("checks:\n- { name: a, query: { from: t, select: [x], order_by: [x] }, "
                                 "expect: same, ordered: true }\n"
                                 "- { name: b, query: { lite: 'SELECT 1', bigsql: 'x' }, expect: same }\n"
                                 "- { name: c, query: { lite: 'SELECT 1' }, expect: 1 }\n");
    assert_int_equal(cfg->nchecks, 3);
    assert_int_equal(cfg->checks[0].kind, SP_CHECK_SAME);
    assert_true(cfg->checks[0].ordered);
    assert_int_equal(cfg->checks[0].nraw, 0);
    assert_int_equal(cfg->checks[1].kind, SP_CHECK_SAME);
    assert_int_equal(cfg->checks[1].nraw, 2);
    assert_string_equal(cfg->checks[1].kinds[1], "bigsql");
    assert_string_equal(cfg->checks[1].raw[0], "SELECT 1");
    assert_int_equal(cfg->checks[2].kind, SP_CHECK_COUNT);
    assert_int_equal(cfg->checks[2].expect, 1);
    sp_config_free(cfg);
    bad("checks:\n- { name: n, query: { lite: 'SELECT 1', lit: x }, expect: same }\n",
        "t.yaml:2:41: checks[0].query.lit: \"lit\" is no provider kind; did you mean \"lite\"?");
    bad("checks:\n- { name: n, query: { lite: '' }, expect: same }\n",
        "t.yaml:2:29: checks[0].query.lite: expected a query in the language of that kind, found nothing");
    bad("checks:\n- { name: n, query: { from: t }, expect: same, ordered: true }\n",
        "t.yaml:2:57: checks[0].query: rows without `order_by` have no order to compare");
    bad("checks:\n- { name: n, query: { from: t }, expect: 3, ordered: true }\n",
        "t.yaml:2:54: checks[0].ordered: it belongs to `expect: same`");
}

static void test_bad_checks(void **state)
{
    (void)state;
    bad("checks:\n- { name: n, query: { from: t, where: { a: { gtt: 1 } } }, expect: 0 }\n",
        "t.yaml:2:46: checks[0].query.where.a: unknown operator \"gtt\"; did you mean \"gt\"?");
    bad("checks:\n- { name: n, query: { from: t, where: { a: { gt: null } } }, expect: 0 }\n",
        "t.yaml:2:50: checks[0].query.where.a.gt: a comparison with null is never true: use is_null");
    bad("checks:\n- { name: n, query: { from: t, where: { a: [1, null] } }, expect: 0 }\n",
        "t.yaml:2:48: checks[0].query.where.a: null in a list never matches: ask for it with is_null");
    bad("checks:\n- { name: n, query: { from: t, where: { a: 12345678901234567890 } }, expect: 0 }\n",
        "t.yaml:2:44: checks[0].query.where.a: 12345678901234567890 does not fit a 64-bit integer");
    bad("checks:\n- { name: n, query: { from: t, where: {} }, expect: 0 }\n",
        "t.yaml:2:39: checks[0].query.where: expected conditions such as { status: open }, found an empty "
        "map");
    bad("checks:\n- { name: n, query: { from: t } }\n",
        "t.yaml:2:3: checks[0]: a query needs `expect`: how many rows there must be, or same");
    bad("checks:\n- { name: n, unique: [t, a], expect: 0 }\n",
        "t.yaml:2:3: checks[0]: `expect` belongs to a query");
    bad("checks:\n- { name: n }\n",
        "t.yaml:2:3: checks[0]: expected one of query, unique, required; found none");
    bad("checks:\n- { name: n, unique: [t, a], required: [t, a] }\n",
        "t.yaml:2:3: checks[0]: expected one of query, unique, required; found several");
    bad("checks:\n- { name: n, unique: [t] }\n",
        "t.yaml:2:22: checks[0].unique: expected a table and at least one column, such as [users, email]");
    bad("checks:\n- { name: n, required: [t, a, a] }\n",
        "t.yaml:2:24: checks[0].required: column \"a\" stands there twice");
    bad("checks:\n- { name: n, query: { from: t }, expect: -1 }\n",
        "t.yaml:2:42: checks[0].expect: expected a whole number, 0 or more, or same; found \"-1\"");
    bad("checks:\n- { name: n, query: { from: t }, expect: 0 }\n- { name: n, query: { from: t }, expect: 0 "
        "}\n",
        "t.yaml:3:3: checks: a second check with the name \"n\"");
}

static void test_bad_xfails(void **state)
{
    (void)state;
    bad(P "expected_failures:\n- { case: c, provider: a, link: nope, until: 2030-01-01, reason: r }\n",
        "t.yaml:4:33: expected_failures[0].link: expected a link to the issue, https://..., found \"nope\"");
    bad(P "expected_failures:\n- { case: c, provider: aa, link: 'http://x', until: 2030-01-01, reason: r }\n",
        "t.yaml:4:24: expected_failures[0].provider: no provider of this file is called \"aa\"; did you mean "
        "\"a\"?");
    bad(P "expected_failures:\n- { case: c, provider: a, link: 'http://x', until: 2030-02-30, reason: r }\n",
        "t.yaml:4:52: expected_failures[0].until: expected a date, YYYY-MM-DD, found \"2030-02-30\"");
    bad(P "expected_failures:\n- { case: c, provider: a, link: 'http://x', reason: r }\n",
        "t.yaml:4:3: expected_failures[0]: the key \"until\" is missing: last day on which it is expected, "
        "YYYY-MM-DD");
}

static void test_load(void **state)
{
    (void)state;
    struct sp_config *cfg = NULL;
    struct sp_error err = SP_ERROR_INIT;
    char dir[] = "/tmp/sp_config_XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    assert_int_equal(sp_path_join(path, sizeof path, dir, "c.yaml", NULL), 0);
    assert_int_equal(sp_config_load(&cfg, path, kinds, &err), -SP_E_INVALID);
    assert_non_null(strstr(sp_error_text(&err), "No such file or directory"));
    assert_non_null(strstr(sp_error_text(&err), path));
    assert_int_equal(sp_config_load(&cfg, dir, kinds, &err), -SP_E_INVALID);
    assert_non_null(strstr(sp_error_text(&err), "not a file"));
    sp_error_clear(&err);
    assert_int_equal(sp_write_file_atomic(path, P, strlen(P), &err), 0);
    assert_int_equal(sp_config_load(&cfg, path, kinds, &err), 0);
    assert_string_equal(cfg->path, path);
    assert_int_equal(cfg->nproviders, 1);
    char digest[33];
    assert_true(sp_strlcpy(digest, cfg->digest, sizeof digest));
    sp_config_free(cfg);
    assert_int_equal(sp_write_file_atomic(path, P "\n", strlen(P) + 1, &err), 0);
    assert_int_equal(sp_config_load(&cfg, path, kinds, &err), 0);
    assert_string_not_equal(cfg->digest, digest);
    sp_config_free(cfg);
    char back[512];
    assert_non_null(getcwd(back, sizeof back));
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(sp_config_load(&cfg, NULL, kinds, &err), 0); /* no switchproof.yaml there */
    assert_null(cfg->path);
    sp_config_free(cfg);
    assert_int_equal(chdir(back), 0);
    assert_int_equal(sp_rmtree(dir, &err), 0);
    struct sp_buf doc = SP_BUF_INIT;
    assert_int_equal(sp_config_document(&doc), 0);
    assert_non_null(strstr(doc.p, "statement_timeout"));
    sp_buf_free(&doc);
}

/* Every prefix and every changed byte of a good file: an answer, never a crash. */
static void test_damage(void **state)
{
    (void)state;
    static const char text[] =
        "providers: { a: { kind: lite, url: \"lite:${X:-y}\", options: { pages: 3 } } }\n"
        "checks:\n  - { name: n, query: { from: t, where: { or: [ { a: 1 } ] } }, expect: 0 }\n";
    char copy[sizeof text];
    for (size_t i = 0; i < sizeof text; i++) {
        for (int k = 0; k < 4; k++) {
            static const char bytes[] = { '\0', '{', '\xff', '\n' };
            struct sp_config *cfg = NULL;
            struct sp_error err = SP_ERROR_INIT;
            memcpy(copy, text, sizeof text);
            copy[i] = bytes[k];
            int rc = sp_config_parse(&cfg, "t.yaml", copy, k == 0 ? i : sizeof text - 1, kinds, &err);
            assert_true(rc == 0 || rc == -SP_E_INVALID);
            assert_true((rc == 0) == (cfg != NULL));
            sp_config_free(cfg);
            sp_error_clear(&err);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_mutant),
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_demands),
        cmocka_unit_test(test_paired_queries),
        cmocka_unit_test(test_bad_checks),
        cmocka_unit_test(test_bad_xfails),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
