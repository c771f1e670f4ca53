/* mock_fixture.h -- sessions of the mock for its tests. Each test gets a store of its own. */
#ifndef SP_TEST_MOCK_FIXTURE_H
#define SP_TEST_MOCK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider_call.h"
#include "providers/mock/mock.h"

struct fix {
    char url[64];
    struct sp_endpoint e;
    struct sp_session *a, *b; /* two sessions of one store */
    struct sp_arena arena;
    struct sp_error err;
};

static inline int fix_setup(void **state)
{
    static int number;
    struct fix *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    snprintf(f->url, sizeof f->url, "mock:test%d", number++);
    f->e = (struct sp_endpoint){ .name = "mock", .url = f->url, .access = SP_ACCESS_DISPOSABLE };
    if (sp_open(&f->a, &sp_provider_mock, &f->e, NULL) != 0 ||
        sp_open(&f->b, &sp_provider_mock, &f->e, NULL) != 0)
        return -1;
    *state = f;
    return 0;
}

static inline int fix_teardown(void **state)
{
    struct fix *f = *state;
    sp_close(f->a);
    sp_close(f->b);
    sp_arena_free(&f->arena);
    sp_error_clear(&f->err);
    free(f);
    return 0;
}

/* Succeeds, or says why not. */
#define ok(f, call)                                                                                          \
    do {                                                                                                     \
        int rc_ = (call);                                                                                    \
        if (rc_ != 0)                                                                                        \
            fail_msg("%s: %s: %s", #call, sp_code_name((f)->err.code), sp_error_text(&(f)->err));            \
    } while (0)
/* Fails with this code, and the record says the same. */
#define fails(f, want, call)                                                                                 \
    do {                                                                                                     \
        sp_error_clear(&(f)->err);                                                                           \
        assert_int_equal((call), -(int)(want));                                                              \
        assert_int_equal((f)->err.code, (want));                                                             \
        assert_true(strlen(sp_error_text(&(f)->err)) > 0);                                                   \
        sp_error_clear(&(f)->err);                                                                           \
    } while (0)

#endif
