/* tables.c -- names, and what the columns of a table are. Descriptions are kept, each with a stamp of the catalog rows that it
 * was read from: another session may have made the table anew since, and a column list from memory would silently leave out
 * what is new. What is rendered from memory goes out together with a look at the stamp (statements.c). */
#include <stdlib.h>
#include <string.h>

#include "providers/postgresql/internal.h"

void po_put_name(struct sp_buf *out, const char *name)
{
    sp_buf_putc(out, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            sp_buf_putc(out, '"');
        sp_buf_putc(out, *name);
    }
    sp_buf_putc(out, '"');
}

/* standard_conforming_strings is on: a backslash is a letter. */
void po_put_literal(struct sp_buf *out, const char *text)
{
    sp_buf_putc(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            sp_buf_putc(out, '\'');
        sp_buf_putc(out, *text);
    }
    sp_buf_putc(out, '\'');
}

int po_name_check(const char *name, const char *what, struct sp_error *err)
{
    size_t n = strlen(name);
    if (n == 0)
        return sp_invalid(err, "%s has no name", what);
    if (n > PO_NAME_BYTES)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
            "%s \"%s\": PostgreSQL keeps %d bytes of a name and would cut it", what, name, PO_NAME_BYTES);
    return 0;
}

const char *po_ns_of(const struct sp_session *s, const char *ns)
{
    if (ns != NULL)
        return ns;
    return s->ns[0] != '\0' ? s->ns : s->default_ns;
}

int po_qualified(struct sp_session *s, const char *ns, const char *name, struct sp_buf *out)
{
    po_put_name(out, po_ns_of(s, ns));
    sp_buf_putc(out, '.');
    po_put_name(out, name);
    return out->oom ? -SP_E_NOMEM : 0;
}

#define LOOKUP(stamp)                                                                                        \
    "SELECT c.oid, c.relkind::text, a.attname::text, format_type(a.atttypid, a.atttypmod), b.oid, "          \
    "CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, b.typname::text, b.typtype = 'e', "    \
    "coalesce(CASE WHEN l.collname = 'default' THEN d.datcollate::text ELSE l.collname::text END IN ('C', "  \
    "'POSIX'), a.attcollation = 0), a.attcollation <> 0, "                                                   \
    "a.attgenerated <> '', a.attidentity = 'a', a.attnotnull, "                                              \
    "coalesce(l.collisdeterministic, true), (SELECT min(k.conname::text) FROM pg_catalog.pg_constraint k "   \
    "WHERE k.conrelid = c.oid AND k.contype = "                                                              \
    "'c' AND k.conkey = ARRAY[a.attnum] AND k.conname LIKE 'sp\\_type\\_%'), "                               \
    "row_security_active(c.oid), " stamp                                                                     \
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "                  \
    "JOIN pg_catalog.pg_database d ON d.datname = current_database() "                                       \
    "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "     \
    "LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "                                                  \
    "LEFT JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END " \
    "LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation "                                         \
    "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY a.attnum"
static const char lookup_sql[] = LOOKUP(PO_STAMP_TABLE "::text, " PO_STAMP_COLUMNS "::text");
/* Other products don't say which transaction made a row. */
static const char lookup_elsewhere[] = LOOKUP("''::text, ''::text");

static Oid oid_at(const PGresult *r, int row, int col)
{
    return PQgetlength(r, row, col) == 4 ? po_u32((const uint8_t *)PQgetvalue(r, row, col)) : 0;
}
static bool bool_at(const PGresult *r, int row, int col)
{
    return PQgetlength(r, row, col) == 1 && PQgetvalue(r, row, col)[0] != 0;
}

static int column_of(struct sp_arena *a, const PGresult *r, int row, struct po_column *c)
{
    c->name = sp_arena_str(a, PQgetvalue(r, row, 2));
    c->sql_type = sp_arena_str(a, PQgetvalue(r, row, 3));
    c->oid = oid_at(r, row, 4);
    c->native = sp_arena_str(a, PQgetvalue(r, row, 6));
    c->is_enum = bool_at(r, row, 7);
    c->bytewise = bool_at(r, row, 8);
    c->text = bool_at(r, row, 9);
    c->generated = bool_at(r, row, 10);
    c->always = bool_at(r, row, 11);
    c->not_null = bool_at(r, row, 12);
    c->exact = bool_at(r, row, 13);
    const char *check = PQgetisnull(r, row, 14) != 0 ? NULL : PQgetvalue(r, row, 14);
    po_type_logical(c->oid, (int32_t)oid_at(r, row, 5), check, &c->type);
    if (c->is_enum)
        c->type = (struct sp_type){ .tag = SP_TEXT };
    return c->name == NULL || c->sql_type == NULL || c->native == NULL ? -SP_E_NOMEM : 0;
}

static int fill(struct sp_session *s, const char *ns, const char *name, const PGresult *r,
    struct po_cached *slot, struct sp_error *err)
{
    struct sp_arena *a = &slot->arena;
    struct sp_buf b = SP_BUF_INIT;
    int n = PQntuples(r);
    struct po_table *t = &slot->table;
    slot->used = 0;
    sp_arena_reset(a);
    (void)po_qualified(s, ns, name, &b);
    *t = (struct po_table){ .name = sp_arena_str(a, name), .qualified = b.oom ? NULL : sp_arena_str(a, b.p) };
    t->columns = sp_arena_array(a, (size_t)n, sizeof *t->columns);
    t->oid = oid_at(r, 0, 0);
    t->kind = *PQgetvalue(r, 0, 1);
    t->hides = bool_at(r, 0, 15);
    t->made = sp_arena_str(a, PQgetvalue(r, 0, 16));
    t->columns_made = sp_arena_str(a, PQgetvalue(r, 0, 17));
    slot->ns = sp_arena_str(a, po_ns_of(s, ns));
    sp_buf_free(&b);
    if (t->name == NULL || t->qualified == NULL || t->columns == NULL || t->made == NULL ||
        t->columns_made == NULL || slot->ns == NULL)
        return sp_nomem(err);
    for (int i = 0; i < n; i++)
        if (PQgetisnull(r, i, 2) == 0 && column_of(a, r, i, &t->columns[t->ncolumns++]) != 0)
            return sp_nomem(err);
    slot->used = ++s->ticks;
    return 0;
}

/* The place of a description, or else the one that was not needed for longest. */
static struct po_cached *place(struct sp_session *s, const char *ns, const char *name, bool *found)
{
    struct po_cached *oldest = &s->tables[0];
    *found = false;
    for (size_t i = 0; i < PO_TABLES; i++) {
        struct po_cached *c = &s->tables[i];
        if (c->used != 0 && strcmp(c->table.name, name) == 0 && strcmp(c->ns, ns) == 0) {
            *found = true;
            return c;
        }
        if (c->used < oldest->used)
            oldest = c;
    }
    return oldest;
}

void po_tables_forget(struct sp_session *s)
{
    for (size_t i = 0; i < PO_TABLES; i++)
        s->tables[i].used = 0;
}

static int lookup_prepare(struct sp_session *s, struct sp_error *err)
{
    struct po_params p = PO_PARAMS_INIT;
    int ret = 0;
    if (s->lookup_ready)
        return 0;
    if (po_param_text(&p, "") != 0 || po_param_text(&p, "") != 0)
        ret = sp_nomem(err);
    po_statement_name(s, s->lookup_name);
    if (ret == 0)
        ret = po_prepare(s, s->lookup_name, s->real ? lookup_sql : lookup_elsewhere, &p, err);
    s->lookup_ready = ret == 0;
    po_params_free(&p);
    return ret;
}

int po_table_find(
    struct sp_session *s, const char *ns, const char *name, const struct po_table **out, struct sp_error *err)
{
    struct po_params p = PO_PARAMS_INIT;
    PGresult *r = NULL;
    bool found;
    *out = NULL;
    po_begin_statement(s);
    int ret = po_ready(s, err);
    if (ret == 0 && !s->pooled)
        ret = lookup_prepare(s, err);
    if (ret == 0 && (po_param_text(&p, po_ns_of(s, ns)) != 0 || po_param_text(&p, name) != 0))
        ret = sp_nomem(err);
    if (ret == 0)
        ret = s->pooled ? po_query(s, PO_PLAIN, s->real ? lookup_sql : lookup_elsewhere, &p, &r, err)
                        : po_query_prepared(s, PO_PLAIN, s->lookup_name, &p, &r, err);
    if (ret == 0 && PQntuples(r) == 0)
        ret = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no such table: %s.%s (%s)", po_ns_of(s, ns),
            name, s->where);
    if (ret == 0) {
        struct po_cached *slot = place(s, po_ns_of(s, ns), name, &found);
        ret = fill(s, ns, name, r, slot, err);
        *out = ret == 0 ? &slot->table : NULL;
    }
    PQclear(r);
    po_params_free(&p);
    return ret;
}

int po_table_recall(
    struct sp_session *s, const char *name, const struct po_table **out, bool *recalled, struct sp_error *err)
{
    struct po_cached *c = place(s, po_ns_of(s, NULL), name, recalled);
    *recalled = *recalled && s->real;
    if (!*recalled)
        return po_table_find(s, NULL, name, out, err);
    po_begin_statement(s);
    c->used = ++s->ticks;
    *out = &c->table;
    return po_ready(s, err);
}

const struct po_column *po_table_column(const struct po_table *t, const char *name)
{
    for (size_t i = 0; i < t->ncolumns; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return &t->columns[i];
    return NULL;
}
