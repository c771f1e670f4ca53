/* introspect.c -- a schema's tables, columns and sequences. All questions are asked in one transaction, so that they are
 * about one state. */
#include <stdlib.h>
#include <string.h>

#include "providers/postgresql/internal.h"

struct sp_table *po_walk_table(struct po_walk *w, const char *name)
{
    size_t from = 0, to = w->schema->ntables;
    while (from < to) {
        size_t mid = (from + to) / 2;
        int c = strcmp(w->tables[mid].name, name);
        if (c == 0)
            return &w->tables[mid];
        if (c < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return NULL;
}

/* ---- tables ---- */

static int read_tables(struct po_walk *w, const char *schema, struct sp_error *err)
{
    struct po_params p = PO_PARAMS_INIT;
    struct sp_arena *a = &w->schema->arena;
    PGresult *r = NULL;
    int ret = po_param_text(&p, schema) != 0 ? sp_nomem(err) : 0;
    if (ret == 0)
        ret = po_query(w->s, PO_PLAIN,
            "SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
            "c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
            "AND c.relpersistence <> 't' "
            "AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_class'::regclass "
            "AND d.objid = c.oid AND d.deptype = 'e') ORDER BY c.relname COLLATE \"C\"",
            &p, &r, err);
    int n = ret == 0 ? PQntuples(r) : 0;
    if (ret == 0 && (w->tables = sp_arena_array(a, (size_t)n + 1, sizeof *w->tables)) == NULL)
        ret = sp_nomem(err);
    for (int i = 0; ret == 0 && i < n; i++) {
        struct sp_table *t = &w->tables[w->schema->ntables++];
        t->name = sp_arena_str(a, PQgetvalue(r, i, 0));
        t->ns = w->ns;
        t->strict = true;
        t->native_kind = "postgresql";
        if (t->name == NULL)
            ret = sp_nomem(err);
    }
    PQclear(r);
    po_params_free(&p);
    return ret;
}

/* ---- columns ---- */

/* The server writes a literal with its type: 'none'::text, '-7'::integer. The literal alone says the same here, where the
 * column has that type, and other backends write it so. */
static const char *plain_default(struct sp_arena *a, const char *expr, enum sp_tag tag)
{
    size_t n = 1;
    int64_t i;
    double f;
    if (expr == NULL || *expr != '\'')
        return expr;
    for (; expr[n] != '\0'; n++) {
        if (expr[n] == '\'' && expr[n + 1] != '\'')
            break;
        if (expr[n] == '\'')
            n++;
    }
    if (expr[n] != '\'')
        return expr;
    const char *rest = expr + n + 1;
    if (*rest != '\0' && (strncmp(rest, "::", 2) != 0 || strpbrk(rest + 2, "'|+-*/=<>:") != NULL))
        return expr;
    char *quoted = sp_arena_strn(a, expr, n + 1);
    if (quoted == NULL || (tag != SP_INT && tag != SP_DEC && tag != SP_F64 && tag != SP_F32))
        return quoted;
    char *bare = sp_arena_strn(a, expr + 1, n - 1);
    return bare != NULL && (sp_parse_i64(bare, &i) || sp_parse_f64(bare, &f)) ? bare : quoted;
}

static int32_t number(const PGresult *r, int row, int col)
{
    int64_t v = 0;
    return sp_parse_i64(PQgetvalue(r, row, col), &v) && v >= INT32_MIN && v <= INT32_MAX ? (int32_t)v : 0;
}

static bool yes(const PGresult *r, int row, int col)
{
    return *PQgetvalue(r, row, col) == 't';
}

static int read_column(struct po_walk *w, const PGresult *r, int i, struct sp_column *c, struct sp_error *err)
{
    struct sp_arena *a = &w->schema->arena;
    c->name = sp_arena_str(a, PQgetvalue(r, i, 1));
    c->native_type = sp_arena_str(a, PQgetvalue(r, i, 2));
    int64_t oid = 0;
    (void)sp_parse_i64(PQgetvalue(r, i, 3), &oid);
    po_type_logical((Oid)oid, number(r, i, 4), po_text_at(r, i, 11), &c->type);
    bool is_enum = yes(r, i, 5);
    if (is_enum)
        c->type = (struct sp_type){ .tag = SP_TEXT };
    c->collation = sp_arena_str(a, po_text_at(r, i, 6));
    c->collation_exact = c->collation != NULL && yes(r, i, 12);
    c->not_null = yes(r, i, 7);
    c->identity = yes(r, i, 8);
    const char *expr = po_text_at(r, i, 10);
    if (yes(r, i, 9))
        c->generated = sp_arena_str(a, expr);
    else if (!c->identity && expr != NULL)
        c->default_expr = plain_default(a, sp_arena_str(a, expr), c->type.tag);
    bool fine = c->name != NULL && c->native_type != NULL &&
                (expr == NULL || c->identity || c->generated != NULL || c->default_expr != NULL);
    return fine ? 0 : sp_nomem(err);
}

int po_introspect_columns(struct po_walk *w, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    PGresult *r = NULL;
    struct sp_column *columns = NULL;
    sp_buf_puts(&b,
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), b.oid, "
        "CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, b.typtype = 'e', "
        "CASE WHEN a.attcollation = 0 OR l.collname IN ('C', 'POSIX') THEN NULL WHEN l.collname = 'default' "
        "THEN nullif(nullif(d.datcollate::text, 'C'), 'POSIX') ELSE l.collname::text END, a.attnotnull OR "
        "(t.typtype = 'd' AND t.typnotnull), "
        "a.attidentity <> '' OR pg_get_expr(f.adbin, f.adrelid) = format('nextval(%L::regclass)', "
        "to_regclass(pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname))::text), "
        "a.attgenerated <> '', pg_get_expr(f.adbin, f.adrelid), "
        "(SELECT min(k.conname::text) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND "
        "k.conkey = ARRAY[a.attnum] AND k.conname LIKE 'sp\\_type\\_%'), l.collisdeterministic "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "JOIN pg_type t ON t.oid = a.atttypid "
        "JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END "
        "JOIN pg_database d ON d.datname = current_database() "
        "LEFT JOIN pg_collation l ON l.oid = a.attcollation "
        "LEFT JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum "
        "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ");
    po_put_literal(&b, w->ns == NULL ? w->s->default_ns : w->ns);
    sp_buf_puts(&b, " ORDER BY c.relname COLLATE \"C\", a.attnum");
    int ret = b.oom ? sp_nomem(err) : po_exec(w->s, b.p, &r, err);
    sp_buf_free(&b);
    int n = ret == 0 ? PQntuples(r) : 0;
    if (ret == 0 && (columns = sp_arena_array(&w->schema->arena, (size_t)n + 1, sizeof *columns)) == NULL)
        ret = sp_nomem(err);
    for (int i = 0; ret == 0 && i < n; i++) {
        struct sp_table *t = po_walk_table(w, PQgetvalue(r, i, 0));
        if (t == NULL)
            continue; /* not a user's table */
        ret = read_column(w, r, i, &columns[i], err);
        if (t->ncolumns++ == 0)
            t->columns = &columns[i];
    }
    PQclear(r);
    return ret;
}

/* ---- sequences ---- */

static int next_values(struct po_walk *w, const PGresult *list, int n, PGresult **r, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    for (int i = 0; i < n; i++)
        sp_buf_printf(&b, "%sSELECT %d, last_value, is_called FROM %s", i > 0 ? " UNION ALL " : "", i,
            PQgetvalue(list, i, 4));
    sp_buf_puts(&b, " ORDER BY 1");
    int ret = b.oom ? sp_nomem(err) : po_exec(w->s, b.p, r, err);
    if (ret == 0 && PQntuples(*r) != n)
        ret = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND, "the sequences changed while they were read");
    sp_buf_free(&b);
    return ret;
}

static int fill_sequences(struct po_walk *w, const PGresult *list, int n, struct sp_error *err)
{
    struct sp_arena *a = &w->schema->arena;
    PGresult *r = NULL;
    w->sequences = sp_arena_array(a, (size_t)n + 1, sizeof *w->sequences);
    int ret = w->sequences == NULL ? sp_nomem(err) : n == 0 ? 0 : next_values(w, list, n, &r, err);
    for (int i = 0; ret == 0 && i < n; i++) {
        struct sp_sequence *q = &w->sequences[w->schema->nsequences++];
        int64_t last = 0;
        q->name = sp_arena_str(a, PQgetvalue(list, i, 0));
        q->table = sp_arena_str(a, po_text_at(list, i, 1));
        q->column = sp_arena_str(a, po_text_at(list, i, 2));
        if (!sp_parse_i64(PQgetvalue(list, i, 3), &q->increment) ||
            !sp_parse_i64(PQgetvalue(r, i, 1), &last) || q->name == NULL)
            ret = sp_nomem(err);
        q->next = last;
        int64_t after;
        if (yes(r, i, 2) && !__builtin_add_overflow(last, q->increment, &after))
            q->next = after;
    }
    PQclear(r);
    return ret;
}

static int read_sequences(struct po_walk *w, const char *schema, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    PGresult *r = NULL;
    sp_buf_puts(&b,
        "SELECT c.relname, t.relname, a.attname, q.seqincrement, format('%I.%I', n.nspname, c.relname) "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence q ON q.seqrelid = "
        "c.oid "
        "LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = "
        "'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 "
        "LEFT JOIN pg_class t ON t.oid = d.refobjid "
        "LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid "
        "WHERE n.nspname = ");
    po_put_literal(&b, schema);
    sp_buf_puts(&b, " ORDER BY c.relname COLLATE \"C\"");
    int ret = b.oom ? sp_nomem(err) : po_exec(w->s, b.p, &r, err);
    if (ret == 0)
        ret = fill_sequences(w, r, PQntuples(r), err);
    PQclear(r);
    sp_buf_free(&b);
    return ret;
}

/* ---- all ---- */

static int by_item(const void *a, const void *b)
{
    const struct sp_inventory_item *x = a, *y = b;
    int c = strcmp(x->kind, y->kind);
    if (c == 0)
        c = strcmp(x->name, y->name);
    if (c == 0 && x->table != NULL && y->table != NULL)
        c = strcmp(x->table, y->table);
    return c;
}

/* Names of the schema's own objects come without it, whatever was chosen before. */
static int look_from(struct po_walk *w, const char *schema, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_puts(&b, "SET LOCAL search_path = ");
    po_put_name(&b, schema);
    int ret = b.oom ? sp_nomem(err) : po_exec(w->s, b.p, NULL, err);
    sp_buf_free(&b);
    return ret;
}

static int walk(struct po_walk *w, const char *schema, struct sp_error *err)
{
    bool found = false;
    int ret = po_ns_exists(w->s, schema, &found, err);
    if (ret == 0 && !found)
        ret = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no schema \"%s\" in %s", schema, w->s->where);
    if (ret == 0)
        ret = look_from(w, schema, err);
    if (ret == 0)
        ret = read_tables(w, schema, err);
    if (ret == 0)
        ret = po_introspect_columns(w, err);
    if (ret == 0)
        ret = po_introspect_constraints(w, err);
    if (ret == 0)
        ret = po_introspect_indexes(w, err);
    if (ret == 0)
        ret = read_sequences(w, schema, err);
    if (ret == 0)
        ret = po_inventory(w, err);
    if (ret == 0)
        ret = look_from(w, po_ns_of(w->s, NULL), err);
    return ret;
}

int po_introspect(struct sp_session *s, const char *ns, struct sp_schema **out, struct sp_error *err)
{
    struct po_walk w = { .s = s };
    *out = NULL;
    po_begin_statement(s);
    s->uncertain = false;
    int ret = po_ready(s, err);
    if (ret != 0)
        return ret;
    w.schema = sp_schema_new();
    if (w.schema == NULL)
        return sp_nomem(err);
    w.ns = ns == NULL ? NULL : sp_arena_str(&w.schema->arena, ns);
    bool own = PQtransactionStatus(s->conn) == PQTRANS_IDLE;
    if (own)
        ret = po_start(s, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
    if (ret == 0)
        ret = walk(&w, ns == NULL ? s->default_ns : ns, err);
    if (own && PQtransactionStatus(s->conn) != PQTRANS_IDLE)
        (void)po_exec(s, "ROLLBACK", NULL, NULL);
    if (w.schema->ninventory > 0)
        qsort(w.items, w.schema->ninventory, sizeof *w.items, by_item);
    w.schema->tables = w.tables;
    w.schema->sequences = w.sequences;
    w.schema->inventory = w.items;
    if (ret != 0)
        sp_schema_free(w.schema);
    else
        *out = w.schema;
    return ret;
}
