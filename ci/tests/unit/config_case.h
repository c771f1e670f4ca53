/* config_case.h -- for the tests of switchproof.yaml: two provider kinds, and parsing that must succeed, or must say
 * what is wrong. Included once per test program. */
#ifndef CONFIG_CASE_H
#define CONFIG_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static const struct sp_provider_option lite_options[] = {
    { "busy_timeout", "duration", "5s", "how long to wait for a lock", false },
    { "pages", "int", "1", "pages", false },
    { "api_key", "text", NULL, "a key", true },
    { NULL, NULL, NULL, NULL, false },
};
static const struct sp_provider lite = { .kind = "lite", .scheme = "lite", .options = lite_options };
static const struct sp_provider big = { .kind = "bigsql", .scheme = "bigsql" };
static const struct sp_provider *const kinds[] = { &lite, &big, NULL };

static inline int parse(struct sp_config **out, const char *text, struct sp_error *err)
{
    return sp_config_parse(out, "t.yaml", text, strlen(text), kinds, err);
}

static inline struct sp_config *good(const char *text)
{
    struct sp_config *cfg = NULL;
    struct sp_error err = SP_ERROR_INIT;
    if (parse(&cfg, text, &err) != 0) {
        fail_msg("%s", sp_error_text(&err));
    }
    assert_non_null(cfg);
    sp_error_clear(&err);
    return cfg;
}

static inline void bad(const char *text, const char *message)
{
    struct sp_config *cfg = NULL;
    struct sp_error err = SP_ERROR_INIT;
    int rc = parse(&cfg, text, &err);
    if (rc == 0) {
        sp_config_free(cfg);
        fail_msg("accepted, but expected: %s", message);
    }
    assert_null(cfg);
    assert_int_equal(rc, -SP_E_INVALID);
    assert_string_equal(sp_error_text(&err), message);
    sp_error_clear(&err);
}

#endif
