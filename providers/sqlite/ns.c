/* ns.c -- namespaces: tables named "<ns>__<table>", and a marker table "<ns>__" that says the namespace is there.
 *
 * A namespace whose prefix begins that of another one ("a" and "a__b", "a" and "a_") cannot be made beside it: each table
 * name belongs to one namespace at most. */
#include <string.h>

#include "providers/sqlite/internal.h"

int sq_ns_check(const char *ns, struct sp_error *err)
{
    size_t n = ns == NULL ? 0 : strlen(ns);
    if (n < 1 || n > 40 || strspn(ns, "abcdefghijklmnopqrstuvwxyz0123456789_") != n)
        return sp_invalid(
            err, "namespace \"%s\": 1 to 40 of a-z, 0-9 and _ are needed", ns == NULL ? "" : ns);
    return 0;
}

static int marker_exists(struct sp_session *s, const char *ns, bool *found, struct sp_error *err)
{
    int64_t n = 0;
    char *sql = sqlite3_mprintf("SELECT count(*) FROM sqlite_schema WHERE type='table' AND name='%q__'", ns);
    if (sql == NULL)
        return sp_nomem(err);
    int ret = sq_query_i64(s, sql, &n, err);
    sqlite3_free(sql);
    *found = n > 0;
    return ret;
}

/* The other namespace of which this one could not be told apart, "" = none. */
static int overlapping(struct sp_session *s, const char *ns, char out[64], struct sp_error *err)
{
    struct sp_names l = { SP_ARENA_INIT, NULL, 0, 0 };
    size_t n = strlen(ns);
    int ret = sq_ns_list(s, "", &l, err);
    out[0] = '\0';
    for (size_t i = 0; ret == 0 && i < l.n; i++) {
        size_t m = strlen(l.v[i]);
        const char *longer = m > n ? l.v[i] : ns, *shorter = m > n ? ns : l.v[i];
        size_t k = m > n ? n : m;
        bool open_end = m != n && strncmp(longer, shorter, k) == 0 && longer[k] == '_' &&
                        (longer[k + 1] == '_' || longer[k + 1] == '\0');
        if (open_end && !sp_strlcpy(out, l.v[i], 64))
            ret = sp_invalid(err, "namespace \"%s\" is too long", l.v[i]);
    }
    sp_names_free(&l);
    return ret;
}

int sq_ns_create(struct sp_session *s, const char *ns, struct sp_error *err)
{
    char other[64] = "";
    int ret = sq_ns_check(ns, err);
    if (ret == 0)
        ret = overlapping(s, ns, other, err);
    if (ret == 0 && other[0] != '\0')
        ret = sp_invalid(err, "namespace \"%s\" could not be told from \"%s\", which is there", ns, other);
    return ret != 0 ? ret : sq_execf(s, err, "CREATE TABLE \"%w__\"(" SQ_NS_COLUMN ")", ns);
}

int sq_ns_use(struct sp_session *s, const char *ns, struct sp_error *err)
{
    bool found = false;
    sq_cache_clear(s);
    if (ns == NULL) {
        s->ns[0] = '\0';
        return 0;
    }
    int ret = sq_ns_check(ns, err);
    if (ret == 0)
        ret = marker_exists(s, ns, &found, err);
    if (ret == 0 && !found)
        ret = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no namespace \"%s\" in %s", ns, s->path);
    if (ret == 0 && !sp_strlcpy(s->ns, ns, sizeof s->ns))
        ret = sp_invalid(err, "namespace \"%s\" is too long", ns);
    return ret;
}

static int drop_all(struct sp_session *s, const char *ns, struct sp_error *err)
{
    struct sp_names names = { SP_ARENA_INIT, NULL, 0, 0 };
    sqlite3_stmt *st = NULL;
    int rc = SQLITE_DONE,
        ret = sq_prepare(s,
            "SELECT type || ' ' || name FROM sqlite_schema WHERE type IN ('table','view') AND "
            "substr(name, 1, length(?1)) = ?1 ORDER BY type DESC, name <> ?1 DESC, name",
            &st, err);
    if (ret != 0)
        return ret;
    char *prefix = sqlite3_mprintf("%s__", ns);
    sqlite3_bind_text(st, 1, prefix, -1, sqlite3_free);
    while (ret == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
        if (sp_names_add(&names, (const char *)sqlite3_column_text(st, 0)) != 0)
            ret = sp_nomem(err);
    if (ret == 0 && rc != SQLITE_DONE)
        ret = sq_error(s, rc, "cannot list the namespace", err);
    sqlite3_finalize(st);
    for (size_t i = 0; ret == 0 && i < names.n; i++) {
        const char *name = strchr(names.v[i], ' ') + 1;
        ret = sq_execf(s, err, "DROP %s IF EXISTS \"%w\"", names.v[i][0] == 'v' ? "VIEW" : "TABLE", name);
    }
    sp_names_free(&names);
    return ret;
}

/* All or nothing, so that the marker goes last and a failed drop can be repeated. */
int sq_ns_drop(struct sp_session *s, const char *ns, struct sp_error *err)
{
    bool found = false;
    int ret = sq_ns_check(ns, err);
    if (ret == 0)
        ret = marker_exists(s, ns, &found, err);
    if (ret != 0 || !found)
        return ret;
    bool own = sqlite3_get_autocommit(s->db);
    sq_cache_clear(s);
    if (own)
        ret =
            sq_exec(s, "PRAGMA foreign_keys=OFF; BEGIN IMMEDIATE", err); /* the order of the drops is free */
    if (ret == 0)
        ret = drop_all(s, ns, err);
    if (ret == 0 && own)
        ret = sq_exec(s, "COMMIT", err);
    if (own && !sqlite3_get_autocommit(s->db))
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    if (own)
        (void)sqlite3_exec(s->db, "PRAGMA foreign_keys=ON", NULL, NULL, NULL);
    return ret;
}

int sq_ns_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = SQLITE_DONE,
        ret = sq_prepare(s,
            "SELECT substr(name, 1, length(name) - 2) FROM sqlite_schema WHERE type='table' AND "
            "substr(name, -2) = '__' AND sql LIKE '%(" SQ_NS_COLUMN ")' AND substr(name, 1, length(?1)) = ?1 "
            "ORDER BY name",
            &st, err);
    if (ret != 0)
        return ret;
    sq_statement_begin(s);
    sqlite3_bind_text(st, 1, prefix == NULL ? "" : prefix, -1, SQLITE_STATIC);
    while (ret == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
        if (sp_names_add(out, (const char *)sqlite3_column_text(st, 0)) != 0)
            ret = sp_nomem(err);
    if (ret == 0 && rc != SQLITE_DONE)
        ret = sq_error(s, rc, "cannot list namespaces", err);
    sqlite3_finalize(st);
    return ret;
}
