/* ddl.c -- collections with validators and indexes from the logical schema. */
#include <string.h>

#include "providers/mongodb/internal.h"

static int name_check(const char *name, struct sp_error *err)
{
    size_t n = strlen(name);
    if (n == 0 || n > MO_NAME_BYTES || *name == '.' || strchr(name, '$') != NULL || !sp_utf8_valid(name, n))
        return sp_invalid(err, "table \"%s\": a collection's name has 1 to %d bytes, no $ and no leading dot",
            name, MO_NAME_BYTES);
    if (sp_str_prefix(name, "system.") || sp_str_prefix(name, MO_OWN))
        return sp_invalid(err, "table \"%s\": names that begin so are taken", name);
    return 0;
}

static int columns_check(const struct sp_table *t, struct sp_error *err)
{
    for (size_t i = 0; i < t->ncolumns; i++) {
        const char *name = t->columns[i].name;
        size_t n = strlen(name);
        if (n == 0 || n > MO_NAME_BYTES || *name == '$' || strchr(name, '.') != NULL ||
            !sp_utf8_valid(name, n))
            return sp_invalid(err, "%s.%s: a field's name has 1 to %d bytes, no dot and no leading $",
                t->name, name, MO_NAME_BYTES);
    }
    return 0;
}

/* ---- indexes ---- */

struct index {
    const char *name;
    const char *const *columns;
    size_t ncolumns;
    const char *where; /* JSON, or NULL */
    const char *method;
    bool unique, nulls_apart;
};

/* Nulls are no duplicates of each other: rows with one stand outside the index. The types are named, since $exists is
 * true of a null, too. */
static bool put_nulls_apart(const struct sp_table *t, const struct index *x, bson_t *filter)
{
    bson_t one, list;
    bool ok = true;
    for (size_t i = 0; ok && i < x->ncolumns; i++) {
        const struct sp_column *c = sp_table_column(t, x->columns[i]);
        static const struct sp_type any = { .tag = SP_MISSING };
        if (c != NULL && (c->not_null || sp_table_is_pk(t, c->name)))
            continue;
        const char *const *types = mo_bson_types(c == NULL ? &any : &c->type);
        ok = BSON_APPEND_DOCUMENT_BEGIN(filter, x->columns[i], &one) &&
             BSON_APPEND_ARRAY_BEGIN(&one, "$type", &list);
        for (uint32_t k = 0; ok && types[k] != NULL; k++) {
            char buf[16];
            const char *key;
            (void)bson_uint32_to_string(k, &key, buf, sizeof buf);
            ok = BSON_APPEND_UTF8(&list, key, types[k]);
        }
        ok = ok && bson_append_array_end(&one, &list) && bson_append_document_end(filter, &one);
    }
    return ok;
}

static int put_where(const struct index *x, bson_t *filter, struct sp_error *err)
{
    bson_error_t e;
    bson_t *parsed = bson_new_from_json((const uint8_t *)x->where, -1, &e);
    if (parsed == NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "index \"%s\": its condition is not in MongoDB's language (a JSON query)", x->name);
    bool ok = bson_concat(filter, parsed);
    bson_destroy(parsed);
    return ok ? 0 : sp_nomem(err);
}

static int put_index(const struct sp_table *t, const struct index *x, bson_t *out, struct sp_error *err)
{
    bson_t key, filter = BSON_INITIALIZER;
    int ret = 0;
    bool ok = BSON_APPEND_DOCUMENT_BEGIN(out, "key", &key),
         special = x->method != NULL && strcmp(x->method, "btree") != 0;
    for (size_t i = 0; ok && i < x->ncolumns; i++) {
        const char *name = x->columns[i];
        if (*name == '(' || *name == '$')
            ret = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
                "index \"%s\": MongoDB indexes fields, not expressions", x->name);
        ok = special ? BSON_APPEND_UTF8(&key, name, x->method) : BSON_APPEND_INT32(&key, name, 1);
    }
    ok = ok && bson_append_document_end(out, &key) && BSON_APPEND_UTF8(out, "name", x->name) &&
         (!x->unique || BSON_APPEND_BOOL(out, "unique", true));
    if (ret == 0 && x->where != NULL)
        ret = put_where(x, &filter, err);
    if (ok && x->unique && x->nulls_apart)
        ok = put_nulls_apart(t, x, &filter);
    ok = ok && (bson_empty(&filter) || BSON_APPEND_DOCUMENT(out, "partialFilterExpression", &filter));
    bson_destroy(&filter);
    return ret != 0 || ok ? ret : mo_bson_full(t->name, err);
}

static int add_index(
    const struct sp_table *t, const struct index *x, bson_t *list, uint32_t *n, struct sp_error *err)
{
    bson_t one;
    char buf[16];
    const char *k;
    (void)bson_uint32_to_string((*n)++, &k, buf, sizeof buf);
    if (!BSON_APPEND_DOCUMENT_BEGIN(list, k, &one))
        return mo_bson_full(t->name, err);
    int ret = put_index(t, x, &one, err);
    if (!bson_append_document_end(list, &one) && ret == 0)
        ret = mo_bson_full(t->name, err);
    return ret;
}

static int make_indexes(
    struct sp_session *s, const struct sp_table *t, const bson_t *list, struct sp_error *err)
{
    bson_t *cmd = BCON_NEW("createIndexes", BCON_UTF8(t->name), "indexes", BCON_ARRAY(list));
    int ret = cmd == NULL ? sp_nomem(err)
                          : mo_command(s, mo_db(s, t->ns), cmd, MO_WRITE, "createIndexes", NULL, err);
    if (cmd != NULL)
        bson_destroy(cmd);
    return ret;
}

static int make_extras(struct sp_session *s, const struct sp_table *t, struct sp_error *err)
{
    bson_t list = BSON_INITIALIZER;
    uint32_t n = 0;
    int ret = 0;
    char name[32];
    if (mo_is_verbatim(t)) {
        bson_destroy(&list);
        return mo_verbatim_indexes(s, t, false, err);
    }
    for (size_t i = 0; ret == 0 && i < t->nuniques; i++) {
        const struct sp_unique *u = &t->uniques[i];
        const struct index x = { .name = mo_unique_name(t, i, name),
            .columns = u->columns,
            .ncolumns = u->ncolumns,
            .unique = true,
            .nulls_apart = !u->nulls_equal };
        ret = add_index(t, &x, &list, &n, err);
    }
    for (size_t i = 0; ret == 0 && i < t->nindexes; i++) {
        const struct sp_index *from = &t->indexes[i];
        const struct index x = { .name = from->name,
            .columns = from->columns,
            .ncolumns = from->ncolumns,
            .where = from->where,
            .method = from->method,
            .unique = from->unique,
            .nulls_apart = from->where == NULL };
        ret = add_index(t, &x, &list, &n, err);
    }
    if (ret == 0 && n > 0)
        ret = make_indexes(s, t, &list, err);
    bson_destroy(&list);
    return ret;
}

static int make_key(struct sp_session *s, const struct sp_table *t, struct sp_error *err)
{
    bson_t list = BSON_INITIALIZER;
    uint32_t n = 0;
    if (mo_is_verbatim(t)) {
        bson_destroy(&list);
        return mo_verbatim_indexes(s, t, true, err);
    }
    if (t->npk == 0 || (t->npk == 1 && strcmp(t->pk[0], "_id") == 0))
        return 0;
    const struct index x = { .name = MO_PK, .columns = t->pk, .ncolumns = t->npk, .unique = true };
    int ret = add_index(t, &x, &list, &n, err);
    if (ret == 0)
        ret = make_indexes(s, t, &list, err);
    bson_destroy(&list);
    return ret;
}

/* ---- tables ---- */

/* Some servers that only speak the protocol drop a collection document by document, each with a write to the disk; a delete
 * takes all at once there. A real one needs no such help. */
void mo_empty(struct sp_session *s, const char *db, const char *name)
{
    bson_t *cmd;
    if (s->server.fidelity == SP_FID_REAL || s->cs != NULL)
        return;
    cmd = BCON_NEW(
        "delete", BCON_UTF8(name), "deletes", "[", "{", "q", "{", "}", "limit", BCON_INT32(0), "}", "]");
    if (cmd == NULL)
        return;
    (void)mo_command(s, db, cmd, MO_WRITE, "delete", NULL, NULL); /* what it leaves, the drop takes */
    bson_destroy(cmd);
}

static int drop_now(struct sp_session *s, const char *db, const char *name, struct sp_error *err)
{
    bson_t *cmd = BCON_NEW("drop", BCON_UTF8(name));
    mo_empty(s, db, name);
    int ret = cmd == NULL ? sp_nomem(err) : mo_command(s, db, cmd, MO_WRITE, "drop", NULL, err);
    if (cmd != NULL)
        bson_destroy(cmd);
    return ret;
}

static int create_now(struct sp_session *s, const struct sp_table *t, struct sp_error *err)
{
    bson_t schema = BSON_INITIALIZER;
    int ret = mo_schema_of(t, &schema, err);
    bson_t *cmd = ret != 0 ? NULL
                           : BCON_NEW("create", BCON_UTF8(t->name), "validator", "{", "$jsonSchema",
                                 BCON_DOCUMENT(&schema), "}", "validationLevel", BCON_UTF8("strict"),
                                 "validationAction", BCON_UTF8("error"));
    if (ret == 0)
        ret =
            cmd == NULL ? sp_nomem(err) : mo_command(s, mo_db(s, t->ns), cmd, MO_WRITE, "create", NULL, err);
    if (cmd != NULL)
        bson_destroy(cmd);
    bson_destroy(&schema);
    return ret;
}

static int must_be_absent(struct sp_session *s, const struct sp_table *t, struct sp_error *err)
{
    const struct mo_table *found;
    struct sp_error none = SP_ERROR_INIT;
    int ret = mo_table_find(s, t->ns, t->name, &found, &none);
    if (ret == 0)
        ret = sp_fail(err, SP_E_EXISTS, SP_ORIGIN_BACKEND,
            "table \"%s\" exists already in database \"%s\" (%s)", t->name, mo_db(s, t->ns), s->where);
    else if (ret == -SP_E_NOT_FOUND)
        ret = 0;
    else if (err != NULL)
        sp_error_move(err, &none);
    sp_error_clear(&none);
    return ret;
}

int mo_table_create(struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    mo_begin_statement(s);
    int ret = mo_writable(s, err);
    if (ret == 0 && s->cs != NULL)
        ret = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "no tables are made inside a transaction");
    if (ret == 0)
        ret = name_check(t->name, err);
    if (ret == 0 && !mo_is_verbatim(t))
        ret = columns_check(t, err);
    if (ret == 0)
        ret = must_be_absent(s, t, err);
    if (ret == 0)
        ret = mo_is_verbatim(t) ? mo_verbatim_create(s, t, err) : create_now(s, t, err);
    if (ret != 0)
        return ret;
    ret = make_key(s, t, err);
    if (ret == 0 && with_extras)
        ret = make_extras(s, t, err);
    if (ret != 0) /* all of it or nothing */
        (void)drop_now(s, mo_db(s, t->ns), t->name, NULL);
    return ret;
}

int mo_table_finish(struct sp_session *s, const struct sp_table *t, struct sp_error *err)
{
    mo_begin_statement(s);
    int ret = mo_writable(s, err);
    return ret == 0 ? make_extras(s, t, err) : ret;
}

int mo_table_drop(struct sp_session *s, const char *table, struct sp_error *err)
{
    const struct mo_table *t;
    mo_begin_statement(s);
    int ret = mo_writable(s, err);
    if (ret == 0)
        ret = mo_table_find(s, NULL, table, &t, err);
    return ret == 0 ? drop_now(s, t->db, table, err) : ret;
}
