/* introspect.c -- a file's schema: tables, sequences, and an inventory of everything whose meaning the logical schema
 * doesn't model. What is left out on purpose (namespaces of runs, the object store) stands in the inventory too. */
#include <stdlib.h>
#include <string.h>

#include "providers/sqlite/ddl_token.h"
#include "providers/sqlite/internal.h"

struct walk {
    struct sp_session *s;
    struct sp_schema *schema;
    const char *ns;
    struct sp_names namespaces;
    struct sp_table *tables;
    struct sp_sequence *sequences;
    struct sp_inventory_item *items;
    size_t tables_cap, sequences_cap, items_cap;
};

static const char *own_namespace(const struct walk *w, const char *name)
{
    for (size_t i = 0; i < w->namespaces.n; i++) {
        size_t n = strlen(w->namespaces.v[i]);
        if (strncmp(name, w->namespaces.v[i], n) == 0 && strncmp(name + n, "__", 2) == 0)
            return w->namespaces.v[i];
    }
    return NULL;
}

static int add_item(struct walk *w, const char *kind, const char *name, const char *table,
    const char *definition, struct sp_error *err)
{
    struct sp_arena *a = &w->schema->arena;
    w->items = sp_arena_grow(a, w->items, &w->items_cap, w->schema->ninventory + 1, sizeof *w->items);
    if (w->items == NULL)
        return sp_nomem(err);
    struct sp_inventory_item *it = &w->items[w->schema->ninventory++];
    it->kind = kind;
    it->name = sp_arena_str(a, name);
    it->table = sp_arena_str(a, table);
    it->definition = sp_arena_str(a, definition);
    return it->name == NULL ? sp_nomem(err) : 0;
}

/* What the sequence gives next; a table that has drawn nothing yet has no row. */
static int add_sequence(struct walk *w, const struct sp_table *t, const char *physical, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    struct sp_arena *a = &w->schema->arena;
    w->sequences =
        sp_arena_grow(a, w->sequences, &w->sequences_cap, w->schema->nsequences + 1, sizeof *w->sequences);
    if (w->sequences == NULL)
        return sp_nomem(err);
    struct sp_sequence *q = &w->sequences[w->schema->nsequences++];
    *q = (struct sp_sequence){
        .name = t->name, .table = t->name, .column = t->pk[0], .next = 1, .increment = 1
    };
    int ret = sq_prepare(w->s, "SELECT seq FROM sqlite_sequence WHERE name = ?1", &st, err);
    if (ret != 0)
        return ret;
    sqlite3_bind_text(st, 1, physical, -1, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        int64_t seq = sqlite3_column_int64(st, 0);
        q->next = seq == INT64_MAX ? INT64_MAX : seq + 1;
    } else if (rc != SQLITE_DONE) {
        ret = sq_error(w->s, rc, "cannot read sqlite_sequence", err);
    }
    sqlite3_finalize(st);
    return ret;
}

static int add_table(struct walk *w, const char *name, const char *sql, struct sp_error *err)
{
    struct sp_arena *a = &w->schema->arena;
    bool autoincrement = false;
    const char *physical = sp_arena_str(a, name);
    w->tables = sp_arena_grow(a, w->tables, &w->tables_cap, w->schema->ntables + 1, sizeof *w->tables);
    if (w->tables == NULL || physical == NULL)
        return sp_nomem(err);
    struct sp_table *t = &w->tables[w->schema->ntables];
    int ret = sq_introspect_table(w->s, a, w->ns, physical, sql, t, &autoincrement, err);
    if (ret != 0)
        return ret;
    w->schema->ntables++;
    return autoincrement && t->npk == 1 ? add_sequence(w, t, physical, err) : 0;
}

static bool wanted(const struct walk *w, const char *name)
{
    const char *in = own_namespace(w, name);
    return w->ns == NULL ? in == NULL : in != NULL && strcmp(in, w->ns) == 0;
}

static bool is_virtual(const char *sql)
{
    return sqlite3_strnicmp(sql, "CREATE VIRTUAL", 14) == 0;
}

/* The option of a virtual table, NULL if it has none of that name. */
static const char *module_option(struct walk *w, const struct sq_tok *t, const char *option)
{
    for (size_t i = 0; t[i].kind != SQ_TOK_END; i++)
        if (sq_tok_is(&t[i], option) && sq_tok_is(&t[i + 1], "=") && t[i + 2].kind != SQ_TOK_END)
            return sq_tok_name(&w->schema->arena, &t[i + 2]);
    return NULL;
}

static int has_column(struct walk *w, const char *condition, const char *table, const char *column, bool *has,
    struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    int ret = sq_prepare(w->s, condition, &st, err);
    if (ret != 0)
        return ret;
    sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, column, -1, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    *has = rc == SQLITE_ROW;
    sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : sq_error(w->s, rc, table, err);
}

/* A full-text index over another table's rows finds them by rowid. Where that is no column of theirs, it is no data to
 * us, and a copy may number the rows anew: whether the index still fits them cannot be said. */
static int add_virtual(struct walk *w, const char *name, const char *sql, struct sp_error *err)
{
    struct sq_tok *t = NULL;
    bool by_column = false;
    int ret = add_item(w, "virtual table", name, NULL, sql, err);
    if (ret != 0)
        return ret;
    if (sq_tokens(&w->schema->arena, sql, &t, NULL) != 0)
        return 0; /* no full-text index that SQLite would open */
    const char *content = module_option(w, t, "content"), *rowid = module_option(w, t, "content_rowid");
    if (content == NULL || content[0] == '\0')
        return 0;
    ret = has_column(w, "SELECT 1 FROM pragma_table_xinfo(?1) WHERE name = ?2 COLLATE NOCASE", content,
        rowid == NULL ? "" : rowid, &by_column, err);
    if (ret == 0 && !by_column)
        ret = has_column(w,
            "SELECT 1 FROM pragma_table_xinfo(?1) WHERE ?2 IS NULL AND pk > 0 GROUP BY 1 HAVING count(*) = 1 "
            "AND "
            "max(type) = 'INTEGER' COLLATE NOCASE",
            content, NULL, &by_column, err);
    return ret != 0 || by_column ? ret : add_item(w, "index by rowid", name, NULL, NULL, err);
}

static int visit(struct walk *w, const char *type, const char *name, const char *table, const char *sql,
    struct sp_error *err)
{
    if (!wanted(w, table) || (strcmp(type, "table") == 0 && sql == NULL))
        return 0;
    if (strcmp(type, "table") != 0)
        return add_item(
            w, type[0] == 'v' ? "view" : "trigger", name, type[0] == 'v' ? NULL : table, sql, err);
    if (w->ns != NULL && strcmp(name + strlen(w->ns), "__") == 0)
        return 0; /* the marker of the namespace */
    if (sp_str_prefix(name, SQ_BLOB_PREFIX) && strstr(sql, SQ_MARK) != NULL)
        return add_item(w, "object store", name, NULL, NULL, err); /* its content is no table's */
    if (is_virtual(sql))
        return add_virtual(w, name, sql, err);
    return add_table(w, name, sql, err); /* a virtual table's shadow tables too: they hold its content */
}

static int walk_schema(struct walk *w, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = SQLITE_DONE, ret = sq_prepare(w->s,
                              "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN ('table', "
                              "'view', 'trigger') AND "
                              "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
                              &st, err);
    while (ret == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
        ret = visit(w, (const char *)sqlite3_column_text(st, 0), (const char *)sqlite3_column_text(st, 1),
            (const char *)sqlite3_column_text(st, 2), (const char *)sqlite3_column_text(st, 3), err);
    if (ret == 0 && rc != SQLITE_DONE)
        ret = sq_error(w->s, rc, "cannot read the schema", err);
    sqlite3_finalize(st);
    for (size_t i = 0; ret == 0 && w->ns == NULL && i < w->namespaces.n; i++)
        ret = add_item(w, "switchproof namespace", w->namespaces.v[i], NULL, NULL, err);
    return ret;
}

static int by_table(const void *a, const void *b)
{
    return strcmp(((const struct sp_table *)a)->name, ((const struct sp_table *)b)->name);
}

static int by_sequence(const void *a, const void *b)
{
    return strcmp(((const struct sp_sequence *)a)->name, ((const struct sp_sequence *)b)->name);
}

static int by_item(const void *a, const void *b)
{
    const struct sp_inventory_item *x = a, *y = b;
    int c = strcmp(x->kind, y->kind);
    return c != 0 ? c : strcmp(x->name, y->name);
}

static void finish(struct walk *w)
{
    struct sp_schema *s = w->schema;
    if (s->ntables > 0)
        qsort(w->tables, s->ntables, sizeof *w->tables, by_table);
    if (s->nsequences > 0)
        qsort(w->sequences, s->nsequences, sizeof *w->sequences, by_sequence);
    if (s->ninventory > 0)
        qsort(w->items, s->ninventory, sizeof *w->items, by_item);
    s->tables = w->tables;
    s->sequences = w->sequences;
    s->inventory = w->items;
}

int sq_introspect(struct sp_session *s, const char *ns, struct sp_schema **out, struct sp_error *err)
{
    struct walk w = { .s = s, .namespaces = { SP_ARENA_INIT, NULL, 0, 0 } };
    *out = NULL;
    int ret = ns == NULL ? 0 : sq_ns_check(ns, err);
    if (ret != 0)
        return ret;
    w.schema = sp_schema_new();
    if (w.schema == NULL)
        return sp_nomem(err);
    w.ns = ns == NULL ? NULL : sp_arena_str(&w.schema->arena, ns);
    bool own = sqlite3_get_autocommit(s->db); /* one state for all the questions */
    ret = own ? sq_exec(s, "BEGIN", err) : 0;
    sq_statement_begin(s);
    if (ret == 0)
        ret = sq_ns_list(s, "", &w.namespaces, err);
    if (ret == 0)
        ret = walk_schema(&w, err);
    if (own && !sqlite3_get_autocommit(s->db))
        (void)sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    if (ret == 0 && own)
        ret = sq_readonly_unchanged(s, err);
    finish(&w);
    sp_names_free(&w.namespaces);
    if (ret != 0)
        sp_schema_free(w.schema);
    else
        *out = w.schema;
    return ret;
}
