/* mongodb_bson.h -- what the tests of BSON values share; no server. Elements are made by libbson and by its reader of extended
 * JSON, never by the code under test. */
#ifndef SP_TEST_MONGODB_BSON_H
#define SP_TEST_MONGODB_BSON_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/canonical.h"
#include "providers/mongodb/bson_value.h"

#define F                  "v"
#define NATIVE(type, text) sp_v_native(type, text, sizeof(text) - 1)

static inline bson_t *parse(const char *json)
{
    bson_error_t e;
    bson_t *b = bson_new_from_json((const uint8_t *)json, -1, &e);
    if (b == NULL)
        fail_msg("%s: %s", json, e.message);
    return b;
}

static inline struct sp_value get(
    struct sp_arena *a, const bson_t *b, enum mo_reading reading, const struct sp_type *type)
{
    bson_iter_t it;
    struct sp_value v = sp_v_missing();
    struct sp_error err = SP_ERROR_INIT;
    assert_true(bson_iter_init_find(&it, b, F));
    if (mo_value_get(a, &it, reading, type, &v, &err) != 0)
        fail_msg("%s", sp_error_text(&err));
    return v;
}

static inline bson_t *put(const struct sp_type *type, const struct sp_value *v)
{
    bson_t *b = bson_new();
    struct sp_error err = SP_ERROR_INIT;
    if (mo_value_put(b, F, type, v, &err) != 0)
        fail_msg("%s", sp_error_text(&err));
    return b;
}

static inline void assert_same(const bson_t *a, const bson_t *b)
{
    if (bson_compare(a, b) != 0)
        fail_msg("%s became %s", bson_as_canonical_extended_json(a, NULL),
            bson_as_canonical_extended_json(b, NULL));
}

#endif
