/* ns.c -- namespaces are databases. A database exists as long as it has a collection, so one that we make gets a collection
 * that marks it; only marked ones are listed and dropped. */
#include <string.h>

#include "providers/mongodb/internal.h"

static int ns_check(const char *ns, struct sp_error *err)
{
    size_t n = strspn(ns, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (n == 0 || n > 40 || ns[n] != '\0')
        return sp_invalid(err, "namespace \"%s\": a name has 1 to 40 of a-z, 0-9 and _", ns);
    if (strcmp(ns, "admin") == 0 || strcmp(ns, "local") == 0 || strcmp(ns, "config") == 0)
        return sp_invalid(err, "database \"%s\" belongs to the server", ns);
    return 0;
}

/* The collections of a database: `name` alone, or all that are no views. */
static int collections(
    struct sp_session *s, const char *db, const char *name, struct sp_names *out, struct sp_error *err)
{
    bson_t reply, filter = BSON_INITIALIZER;
    bool ok = name == NULL ? BSON_APPEND_UTF8(&filter, "type", "collection")
                           : BSON_APPEND_UTF8(&filter, "name", name);
    bson_t *cmd = !ok ? NULL
                      : BCON_NEW("listCollections", BCON_INT32(1), "nameOnly", BCON_BOOL(true), "filter",
                            BCON_DOCUMENT(&filter));
    bson_destroy(&filter);
    if (cmd == NULL)
        return sp_nomem(err);
    int ret = mo_command(s, db, cmd, MO_PLAIN, "listCollections", &reply, err);
    bson_iter_t it, batch, doc;
    if (ret == 0 &&
        !(bson_iter_init(&it, &reply) && bson_iter_find_descendant(&it, "cursor.firstBatch", &batch) &&
            BSON_ITER_HOLDS_ARRAY(&batch) && bson_iter_recurse(&batch, &it)))
        ret = mo_corrupt("listCollections", err);
    while (ret == 0 && bson_iter_next(&it))
        if (bson_iter_recurse(&it, &doc) && bson_iter_find(&doc, "name") && BSON_ITER_HOLDS_UTF8(&doc) &&
            sp_names_add(out, bson_iter_utf8(&doc, NULL)) != 0)
            ret = sp_nomem(err);
    bson_destroy(&reply);
    bson_destroy(cmd);
    return ret;
}

static int has_collection(
    struct sp_session *s, const char *db, const char *name, bool *found, struct sp_error *err)
{
    struct sp_names names = { .n = 0 };
    int ret = collections(s, db, name, &names, err);
    *found = names.n > 0;
    sp_names_free(&names);
    return ret;
}

/* The names of databases that begin with prefix (or are it, with `whole`), in the server's order. */
static int databases(
    struct sp_session *s, const char *prefix, bool whole, struct sp_names *out, struct sp_error *err)
{
    bson_t reply, *cmd = BCON_NEW("listDatabases", BCON_INT32(1), "nameOnly", BCON_BOOL(true));
    bson_iter_t it, list, doc;
    if (cmd == NULL)
        return sp_nomem(err);
    int ret = mo_command(s, "admin", cmd, MO_PLAIN, "listDatabases", &reply, err);
    if (ret == 0 && !(bson_iter_init_find(&it, &reply, "databases") && BSON_ITER_HOLDS_ARRAY(&it) &&
                        bson_iter_recurse(&it, &list)))
        ret = mo_corrupt("listDatabases", err);
    while (ret == 0 && bson_iter_next(&list)) {
        if (!BSON_ITER_HOLDS_DOCUMENT(&list) || !bson_iter_recurse(&list, &doc) ||
            !bson_iter_find(&doc, "name") || !BSON_ITER_HOLDS_UTF8(&doc)) {
            ret = mo_corrupt("listDatabases", err);
            break;
        }
        const char *name = bson_iter_utf8(&doc, NULL);
        if (whole ? strcmp(name, prefix) == 0 : sp_str_prefix(name, prefix))
            ret = sp_names_add(out, name) != 0 ? sp_nomem(err) : 0;
    }
    bson_destroy(&reply);
    bson_destroy(cmd);
    return ret;
}

int mo_databases(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    return databases(s, prefix, false, out, err);
}

int mo_ns_exists(struct sp_session *s, const char *ns, bool *found, struct sp_error *err)
{
    struct sp_names names = { .n = 0 };
    int ret = databases(s, ns, true, &names, err);
    *found = names.n > 0;
    sp_names_free(&names);
    return ret;
}

int mo_ns_create(struct sp_session *s, const char *ns, struct sp_error *err)
{
    bool found = false;
    int ret = ns_check(ns, err);
    if (ret != 0)
        return ret;
    mo_begin_statement(s);
    ret = mo_writable(s, err);
    if (ret == 0)
        ret = mo_ns_exists(s, ns, &found, err);
    if (ret == 0 && found)
        ret =
            sp_fail(err, SP_E_EXISTS, SP_ORIGIN_BACKEND, "database \"%s\" exists already (%s)", ns, s->where);
    if (ret != 0)
        return ret;
    /* Of two who try at once, the server lets one make the mark; `create` alone would do for both. */
    bson_t reply,
        *cmd = BCON_NEW("insert", BCON_UTF8(MO_MARK), "documents", "[", "{", "_id", BCON_UTF8("namespace"),
            "note", BCON_UTF8("made by switchproof; dropped with its run"), "}", "]");
    if (cmd == NULL)
        return sp_nomem(err);
    ret = mo_command(s, ns, cmd, MO_WRITE, "create namespace", &reply, err);
    if (ret == 0)
        ret = mo_write_error(s, &reply, "create namespace", err);
    if (ret == -SP_E_UNIQUE)
        ret =
            sp_fail(err, SP_E_EXISTS, SP_ORIGIN_BACKEND, "database \"%s\" exists already (%s)", ns, s->where);
    bson_destroy(&reply);
    bson_destroy(cmd);
    return ret;
}

int mo_ns_use(struct sp_session *s, const char *ns, struct sp_error *err)
{
    bool found = true;
    mo_begin_statement(s);
    int ret = ns == NULL ? 0 : mo_ns_exists(s, ns, &found, err);
    if (ret == 0 && !found)
        ret = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no namespace \"%s\" in %s", ns, s->where);
    if (ret == 0 && !sp_strlcpy(s->ns, ns == NULL ? "" : ns, sizeof s->ns))
        ret = sp_invalid(err, "namespace \"%s\" is too long", ns);
    return ret;
}

int mo_ns_drop(struct sp_session *s, const char *ns, struct sp_error *err)
{
    bool found = false, marked = false;
    int ret = ns_check(ns, err);
    if (ret == 0 && strcmp(ns, s->default_ns) == 0)
        ret = sp_invalid(
            err, "database \"%s\" is the one of the URL, not a namespace that could be dropped", ns);
    if (ret != 0)
        return ret;
    mo_begin_statement(s);
    ret = mo_writable(s, err);
    if (ret == 0)
        ret = mo_ns_exists(s, ns, &found, err);
    if (ret != 0 || !found)
        return ret;
    ret = has_collection(s, ns, MO_MARK, &marked, err);
    if (ret == 0 && !marked)
        ret = sp_invalid(
            err, "database \"%s\" was not made as a namespace, it is left alone (%s)", ns, s->where);
    if (ret != 0)
        return ret;
    struct sp_names all = { .n = 0 };
    (void)collections(s, ns, NULL, &all, NULL);
    for (size_t i = 0; i < all.n; i++)
        if (strcmp(all.v[i], MO_MARK) != 0) /* the mark goes last, or what is left would be nobody's */
            mo_empty(s, ns, all.v[i]);
    sp_names_free(&all);
    bson_t *cmd = BCON_NEW("dropDatabase", BCON_INT32(1));
    ret = cmd == NULL ? sp_nomem(err) : mo_command(s, ns, cmd, MO_WRITE, "dropDatabase", NULL, err);
    if (cmd != NULL)
        bson_destroy(cmd);
    return ret;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int mo_ns_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    struct sp_names all = { .n = 0 };
    mo_begin_statement(s);
    int ret = databases(s, prefix == NULL ? "" : prefix, false, &all, err);
    if (all.n > 1)
        qsort(all.v, all.n, sizeof all.v[0], by_name);
    for (size_t i = 0; ret == 0 && i < all.n; i++) {
        bool marked = false;
        if (ns_check(all.v[i], NULL) != 0 || strcmp(all.v[i], s->default_ns) == 0)
            continue;
        ret = has_collection(s, all.v[i], MO_MARK, &marked, err);
        if (ret == 0 && marked && sp_names_add(out, all.v[i]) != 0)
            ret = sp_nomem(err);
    }
    sp_names_free(&all);
    return ret;
}
