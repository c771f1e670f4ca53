/* verbatim.c -- a collection made in its own words: the options and index specifications that introspection read from
 * another MongoDB server, as they are. The words are JSON as in native values (bson_value.h): libbson's own reader takes
 * {"$type": ...} of a condition for a value of its extended JSON. */
#include <string.h>

#include "model/json.h"
#include "providers/mongodb/internal.h"

int mo_verbatim_text(struct sp_arena *a, const bson_t *definition, const char **out, struct sp_error *err)
{
    bson_t outer = BSON_INITIALIZER;
    struct sp_buf text = SP_BUF_INIT;
    bson_iter_t it;
    bool ok = BSON_APPEND_DOCUMENT(&outer, "d", definition) && bson_iter_init_find(&it, &outer, "d");
    int rc = ok ? mo_text_of(&text, &it, true, err) : sp_nomem(err);
    *out = rc == 0 ? sp_arena_strn(a, text.p, text.n) : NULL;
    sp_buf_free(&text);
    bson_destroy(&outer);
    return rc == 0 && *out == NULL ? sp_nomem(err) : rc;
}

bool mo_is_verbatim(const struct sp_table *t)
{
    return t->native_verbatim && t->native_definition != NULL && sp_streq(t->native_kind, "mongodb");
}

static bson_t *read_definition(const struct sp_table *t, struct sp_error *err)
{
    size_t n = strlen(t->native_definition);
    bson_t outer = BSON_INITIALIZER, inner, *d = NULL;
    bson_iter_t it;
    const uint8_t *p;
    uint32_t length;
    int rc = sp_json_check(t->native_definition, n, err);
    if (rc == 0)
        rc = mo_text_put(&outer, "d", t->native_definition, n, true, err);
    if (rc == 0 && bson_iter_init_find(&it, &outer, "d") && BSON_ITER_HOLDS_DOCUMENT(&it)) {
        bson_iter_document(&it, &length, &p);
        d = bson_init_static(&inner, p, length) ? bson_copy(&inner) : NULL;
    }
    if (d == NULL)
        (void)sp_invalid(err, "collection %s: its definition cannot be read back", t->name);
    bson_destroy(&outer);
    return d;
}

int mo_verbatim_create(struct sp_session *s, const struct sp_table *t, struct sp_error *err)
{
    bson_t cmd = BSON_INITIALIZER, options;
    bson_t *d = read_definition(t, err);
    bson_iter_t it;
    const uint8_t *p;
    uint32_t n;
    int rc = d == NULL ? -SP_E_INVALID : 0;
    bool ok = rc == 0 && BSON_APPEND_UTF8(&cmd, "create", t->name);
    if (ok && bson_iter_init_find(&it, d, "options") && BSON_ITER_HOLDS_DOCUMENT(&it)) {
        bson_iter_document(&it, &n, &p);
        ok = bson_init_static(&options, p, n) && bson_concat(&cmd, &options);
    }
    if (rc == 0)
        rc = ok ? mo_command(s, mo_db(s, t->ns), &cmd, MO_WRITE, "create", NULL, err) : sp_nomem(err);
    bson_destroy(&cmd);
    if (d != NULL)
        bson_destroy(d);
    return rc;
}

/* The index of our primary key is wanted from the beginning, the others after the rows. */
static bool wanted(const bson_iter_t *spec, bool key)
{
    bson_iter_t it;
    bool is_key = bson_iter_recurse(spec, &it) && bson_iter_find(&it, "name") && BSON_ITER_HOLDS_UTF8(&it) &&
                  strcmp(bson_iter_utf8(&it, NULL), MO_PK) == 0;
    return is_key == key;
}

int mo_verbatim_indexes(struct sp_session *s, const struct sp_table *t, bool key, struct sp_error *err)
{
    bson_t cmd = BSON_INITIALIZER, list;
    bson_t *d = read_definition(t, err);
    bson_iter_t it, specs;
    char digits[16];
    const char *name;
    uint32_t n = 0;
    int rc = d == NULL ? -SP_E_INVALID : 0;
    bool ok = rc == 0 && BSON_APPEND_UTF8(&cmd, "createIndexes", t->name) &&
              BSON_APPEND_ARRAY_BEGIN(&cmd, "indexes", &list);
    if (ok && bson_iter_init_find(&it, d, "indexes") && BSON_ITER_HOLDS_ARRAY(&it) &&
        bson_iter_recurse(&it, &specs)) {
        while (ok && bson_iter_next(&specs)) {
            if (!wanted(&specs, key))
                continue;
            bson_uint32_to_string(n++, &name, digits, sizeof digits);
            ok = bson_append_iter(&list, name, -1, &specs);
        }
    }
    ok = ok && bson_append_array_end(&cmd, &list);
    if (rc == 0 && !ok)
        rc = sp_nomem(err);
    if (rc == 0 && n != 0)
        rc = mo_command(s, mo_db(s, t->ns), &cmd, MO_WRITE, "createIndexes", NULL, err);
    bson_destroy(&cmd);
    if (d != NULL)
        bson_destroy(d);
    return rc;
}
