/* tables.c -- names of namespaces, and what the columns of a table are: looked up once, kept until the schema changes. */
#include <stdlib.h>
#include <string.h>

#include "providers/sqlite/internal.h"

int sq_physical(struct sp_session *s, const char *ns, const char *name, char **out, struct sp_error *err)
{
    const char *in = ns != NULL ? ns : s->ns;
    *out = *in == '\0' ? sp_strdup_printf("%s", name) : sp_strdup_printf("%s__%s", in, name);
    return *out == NULL ? sp_nomem(err) : 0;
}

void sq_cache_clear(struct sp_session *s)
{
    s->cache = NULL;
    sp_arena_reset(&s->cache_arena);
}

static int cache_check(struct sp_session *s, struct sp_error *err)
{
    if (s->version_stmt == NULL) {
        int ret = sq_prepare(s, "PRAGMA schema_version", &s->version_stmt, err);
        if (ret != 0)
            return ret;
    }
    int rc = sqlite3_step(s->version_stmt);
    int64_t version = rc == SQLITE_ROW ? sqlite3_column_int64(s->version_stmt, 0) : 0;
    sqlite3_reset(s->version_stmt);
    if (rc != SQLITE_ROW)
        return sq_error(s, rc, "cannot read the schema", err);
    if (version != s->cache_version)
        sq_cache_clear(s);
    s->cache_version = version;
    return 0;
}

static int load_columns(struct sp_session *s, struct sq_table *t, struct sp_error *err)
{
    struct sp_arena *a = &s->cache_arena;
    sqlite3_stmt *st = NULL;
    size_t cap = 0;
    int rc, ret = sq_prepare(s,
                "SELECT name, type, pk, hidden, \"notnull\" FROM pragma_table_xinfo(?1) WHERE hidden <> 1 "
                "ORDER BY cid",
                &st, err);
    if (ret != 0)
        return ret;
    sqlite3_bind_text(st, 1, t->physical, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        t->columns = sp_arena_grow(a, t->columns, &cap, t->ncolumns + 1, sizeof *t->columns);
        if (t->columns == NULL)
            break;
        struct sq_column *c = &t->columns[t->ncolumns++];
        memset(c, 0, sizeof *c);
        c->name = sp_arena_str(a, (const char *)sqlite3_column_text(st, 0));
        c->decl = sp_arena_str(a, (const char *)sqlite3_column_text(st, 1));
        c->pk = sqlite3_column_int(st, 2);
        c->generated = sqlite3_column_int(st, 3) >= 2;
        c->not_null = sqlite3_column_int(st, 4) != 0;
        const char *coll = NULL;
        if (sqlite3_table_column_metadata(
                s->db, "main", t->physical, c->name, NULL, &coll, NULL, NULL, NULL) == SQLITE_OK)
            c->collation = sp_arena_str(a, coll);
        sq_type_parse(c->decl, &c->type);
        if (c->name == NULL || c->decl == NULL)
            break;
    }
    sqlite3_finalize(st);
    if (rc == SQLITE_ROW)
        return sp_nomem(err);
    return rc == SQLITE_DONE ? 0 : sq_error(s, rc, "cannot read the columns", err);
}

static int load(
    struct sp_session *s, const char *name, const char *physical, struct sq_table **out, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    struct sq_table *t = sp_arena_alloc(&s->cache_arena, sizeof *t);
    int ret = t == NULL ? sp_nomem(err)
                        : sq_prepare(s,
                              "SELECT name, sql FROM sqlite_schema WHERE type IN ('table','view') AND name = "
                              "?1 COLLATE NOCASE",
                              &st, err);
    if (ret != 0)
        goto out;
    sqlite3_bind_text(st, 1, physical, -1, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        const char *sql = (const char *)sqlite3_column_text(st, 1);
        t->ours = sql != NULL && strstr(sql, SQ_MARK) != NULL;
        t->strict = t->ours && strstr(sql, SQ_MARK_STRICT) != NULL;
        t->physical = sp_arena_str(&s->cache_arena, (const char *)sqlite3_column_text(st, 0));
        t->logical = sp_arena_str(&s->cache_arena, name);
        ret = t->physical == NULL || t->logical == NULL ? sp_nomem(err) : load_columns(s, t, err);
    } else {
        ret = rc == SQLITE_DONE
                  ? sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no such table: %s (%s)", name, s->path)
                  : sq_error(s, rc, "cannot read the schema", err);
    }
out:
    sqlite3_finalize(st);
    *out = t;
    return ret;
}

int sq_table_find(
    struct sp_session *s, const char *ns, const char *name, const struct sq_table **out, struct sp_error *err)
{
    char *physical = NULL;
    struct sq_table *t;
    sq_statement_begin(s);
    int ret = cache_check(s, err);
    if (ret == 0)
        ret = sq_physical(s, ns, name, &physical, err);
    if (ret != 0)
        return ret;
    for (t = s->cache; t != NULL && sqlite3_stricmp(t->physical, physical) != 0; t = t->next)
        ;
    if (t == NULL) {
        ret = load(s, name, physical, &t, err);
        if (ret == 0) {
            t->next = s->cache;
            s->cache = t;
        }
    }
    free(physical);
    *out = t;
    return ret;
}

const struct sq_column *sq_table_column(const struct sq_table *t, const char *name)
{
    for (size_t i = 0; i < t->ncolumns; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return &t->columns[i];
    return NULL;
}
