/* inventory.c -- everything whose meaning the logical schema doesn't model, so that verify can say that it was not compared.
 * What belongs to an extension is named with the extension. */
#include <string.h>

#include "providers/postgresql/internal.h"

/* $ns stands for the schema; each gives kind, name, table, definition. */
static const char *const queries[] = {
    "SELECT 'trigger', g.tgname::text, c.relname::text, pg_get_triggerdef(g.oid) || CASE "
    "g.tgenabled WHEN 'O' THEN '' ELSE format('; ALTER TABLE %s %s TRIGGER %I', g.tgrelid::regclass, CASE "
    "g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, g.tgname) "
    "END FROM pg_trigger g JOIN "
    "pg_class c ON "
    "c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT g.tgisinternal AND n.nspname "
    "= ",
    "SELECT 'policy', p.policyname::text, p.tablename::text, format('%s %s to %s using %s with check %s', "
    "p.permissive, p.cmd, p.roles, p.qual, p.with_check) FROM pg_policies p WHERE p.schemaname = ",
    "SELECT 'row security', c.relname::text, c.relname::text, CASE WHEN c.relforcerowsecurity THEN 'forced' "
    "ELSE "
    "'enabled' END FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relrowsecurity AND "
    "n.nspname "
    "= ",
    "SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, c.relname::text, NULL, "
    "pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN "
    "('v', 'm') "
    "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid "
    "AND "
    "d.deptype = 'e') AND n.nspname = ",
    "SELECT 'foreign table', c.relname::text, NULL, NULL FROM pg_class c JOIN pg_namespace n ON n.oid = "
    "c.relnamespace "
    "WHERE c.relkind = 'f' AND n.nspname = ",
    "SELECT 'partitioned table', c.relname::text, c.relname::text, pg_get_partkeydef(c.oid) FROM pg_class c "
    "JOIN "
    "pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'p' AND NOT c.relispartition AND n.nspname "
    "= ",
    "SELECT 'partition', c.relname::text, p.relname::text, pg_get_expr(c.relpartbound, c.oid) FROM pg_class "
    "c JOIN "
    "pg_inherits h ON h.inhrelid = c.oid JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace n ON n.oid "
    "= "
    "c.relnamespace WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f') AND n.nspname = ",
    "SELECT 'inheritance', c.relname::text, c.relname::text, 'inherits ' || p.relname FROM pg_class c JOIN "
    "pg_inherits "
    "h ON h.inhrelid = c.oid JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace n ON n.oid = "
    "c.relnamespace "
    "WHERE NOT c.relispartition AND c.relkind IN ('r', 'f') AND n.nspname = ",
    "SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, "
    "format('%s(%s)', "
    "p.proname, pg_get_function_identity_arguments(p.oid)), NULL, CASE WHEN p.prokind <> 'a' THEN "
    "pg_get_functiondef(p.oid) END FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE NOT "
    "EXISTS "
    "(SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = "
    "'e') AND "
    "n.nspname = ",
    "SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range type' ELSE "
    "'composite "
    "type' END, t.typname::text, NULL, CASE t.typtype WHEN 'e' THEN (SELECT "
    "string_agg(quote_literal(e.enumlabel), ', ' "
    "ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) WHEN 'd' THEN "
    "format_type(t.typbasetype, t.typtypmod) || coalesce((SELECT string_agg(' ' || "
    "pg_get_constraintdef(k.oid), '' "
    "ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = t.oid), '') END FROM pg_type t JOIN "
    "pg_namespace n ON "
    "n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid WHERE (t.typtype IN ('e', 'd', 'r') "
    "OR "
    "(t.typtype = 'c' AND c.relkind = 'c')) AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = "
    "'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e') AND n.nspname = ",
    "SELECT 'rule', w.rulename::text, w.tablename::text, w.definition FROM pg_rules w WHERE w.schemaname = ",
    "SELECT 'exclusion constraint', k.conname::text, c.relname::text, pg_get_constraintdef(k.oid) FROM "
    "pg_constraint k "
    "JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = "
    "'x' AND "
    "n.nspname = ",
    /* What the struct of an index doesn't say: included columns, operator classes and collations of their own. */
    "SELECT 'index detail', x.relname::text, c.relname::text, pg_get_indexdef(i.indexrelid) FROM pg_index i "
    "JOIN "
    "pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = "
    "c.relnamespace WHERE (i.indnkeyatts < i.indnatts OR EXISTS (SELECT 1 FROM unnest(i.indclass::oid[]) "
    "k(o) JOIN "
    "pg_opclass p ON p.oid = k.o WHERE NOT p.opcdefault) OR EXISTS (SELECT 1 FROM unnest(i.indkey::int2[], "
    "i.indcollation::oid[], i.indoption::int2[]) k(col, coll, opt) JOIN pg_attribute a ON a.attrelid = "
    "i.indrelid AND "
    "a.attnum = k.col WHERE k.col > 0 AND ((k.coll <> 0 AND k.coll <> a.attcollation) OR k.opt IN (1, 2)))) "
    "AND "
    "n.nspname = ",
    "SELECT 'grants', c.relname::text, c.relname::text, (SELECT string_agg(g::text, ' ' ORDER BY g::text) "
    "FROM "
    "unnest(c.relacl) g) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relacl IS NOT "
    "NULL AND "
    "c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname = ",
    "SELECT 'column grants', c.relname || '.' || a.attname, c.relname::text, a.attacl::text FROM "
    "pg_attribute a JOIN "
    "pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attacl IS NOT "
    "NULL AND "
    "n.nspname = ",
};

/* Of the whole database; asked for with the default schema only. */
static const char database_query[] =
    "SELECT 'extension', e.extname::text, NULL, e.extversion FROM pg_extension e WHERE e.extname <> "
    "'plpgsql' "
    "UNION ALL SELECT CASE WHEN obj_description(n.oid, 'pg_namespace') = '" PO_MARK
    "' THEN 'switchproof namespace' WHEN starts_with(obj_description(n.oid, 'pg_namespace'), '" PO_BUCKET
    "') THEN 'object store' ELSE 'schema' END, n.nspname::text, NULL, NULL FROM pg_namespace n WHERE "
    "n.nspname "
    "NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND n.nspname <> $1 "
    "UNION ALL SELECT 'event trigger', e.evtname::text, NULL, NULL FROM pg_event_trigger e "
    "UNION ALL SELECT 'publication', p.pubname::text, NULL, NULL FROM pg_publication p "
    "UNION ALL SELECT 'large objects', count(*)::text, NULL, NULL FROM pg_largeobject_metadata HAVING "
    "count(*) > 0";

static int add_items(struct po_walk *w, const PGresult *r, struct sp_error *err)
{
    struct sp_arena *a = &w->schema->arena;
    for (int i = 0; i < PQntuples(r); i++) {
        w->items = sp_arena_grow(a, w->items, &w->items_cap, w->schema->ninventory + 1, sizeof *w->items);
        if (w->items == NULL)
            return sp_nomem(err);
        struct sp_inventory_item *it = &w->items[w->schema->ninventory++];
        it->kind = sp_arena_str(a, PQgetvalue(r, i, 0));
        it->name = sp_arena_str(a, PQgetvalue(r, i, 1));
        it->table = sp_arena_str(a, po_text_at(r, i, 2));
        it->definition = sp_arena_str(a, po_text_at(r, i, 3));
        if (it->kind == NULL || it->name == NULL)
            return sp_nomem(err);
    }
    return 0;
}

static int ask_schema(struct po_walk *w, const char *query, const char *schema, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    PGresult *r = NULL;
    sp_buf_puts(&b, query);
    po_put_literal(&b, schema);
    int ret = b.oom ? sp_nomem(err) : po_exec(w->s, b.p, &r, err);
    if (ret == 0)
        ret = add_items(w, r, err);
    PQclear(r);
    sp_buf_free(&b);
    return ret;
}

int po_inventory(struct po_walk *w, struct sp_error *err)
{
    const char *schema = w->ns == NULL ? w->s->default_ns : w->ns;
    struct po_params p = PO_PARAMS_INIT;
    PGresult *r = NULL;
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < SP_LEN(queries); i++)
        ret = ask_schema(w, queries[i], schema, err);
    if (ret != 0 || w->ns != NULL)
        return ret;
    ret = po_param_text(&p, schema) != 0 ? sp_nomem(err)
                                         : po_query(w->s, PO_PLAIN, database_query, &p, &r, err);
    if (ret == 0)
        ret = add_items(w, r, err);
    PQclear(r);
    po_params_free(&p);
    return ret;
}
