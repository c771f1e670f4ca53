/* inventory.c -- everything whose meaning the logical schema doesn't model, so that verify can say that it was not compared.
 * What belongs to an extension is named with the extension. */
#include <string.h>

#include "providers/postgresql/internal.h"

/* The search path is the schema alone, so that definitions name its objects without it: they mean the same in a schema of
 * another name. Where a statement makes the object, the definition is that statement. NULL = what it holds is not read.
 * Each gives kind, name, table, definition; the schema's name is put behind. */
#define NOT_OF_EXTENSION(catalog, oid)                                                                       \
    "NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = '" catalog "'::regclass AND d.objid = " oid     \
    " AND d.deptype = 'e') AND "
#define TABLES "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
/* A definition that names its own schema at the first place. */
#define WITHOUT_SCHEMA(def)                                                                                  \
    "overlay(" def " placing '' from position(format('%I.', n.nspname) in " def                              \
    ") for length(format('%I.', n.nspname)))"

static const char *const queries[] = {
    "SELECT 'trigger', g.tgname::text, c.relname::text, pg_get_triggerdef(g.oid, true) || CASE "
    "g.tgenabled WHEN 'O' THEN '' ELSE format('; ALTER TABLE %s %s TRIGGER %I', g.tgrelid::regclass, CASE "
    "g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, g.tgname) "
    "END " TABLES "JOIN pg_trigger g ON g.tgrelid = c.oid WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND "
    "n.nspname = ",
    "SELECT 'policy', p.policyname::text, p.tablename::text, format('CREATE POLICY %I ON %I AS %s FOR %s TO "
    "%s', p.policyname, p.tablename, p.permissive, p.cmd, (SELECT string_agg(CASE r WHEN 'public' THEN "
    "'PUBLIC' ELSE quote_ident(r) END, ', ' ORDER BY r) FROM unnest(p.roles) r)) || coalesce(' USING (' || "
    "p.qual || ')', '') || coalesce(' WITH CHECK (' || p.with_check || ')', '') FROM pg_policies p WHERE "
    "p.schemaname = ",
    "SELECT CASE k WHEN 1 THEN 'row security' ELSE 'forced row security' END, c.relname::text, "
    "c.relname::text, format('ALTER TABLE %I %s ROW LEVEL SECURITY', c.relname, CASE k WHEN 1 THEN 'ENABLE' "
    "ELSE 'FORCE' END) " TABLES
    "CROSS JOIN generate_series(1, 2) k WHERE CASE k WHEN 1 THEN c.relrowsecurity "
    "ELSE c.relforcerowsecurity END AND n.nspname = ",
    "SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, c.relname::text, NULL, "
    "format('CREATE %s %I%s AS %s', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END, "
    "c.relname, coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', ''), CASE WHEN "
    "c.relispopulated "
    "THEN pg_get_viewdef(c.oid) ELSE rtrim(pg_get_viewdef(c.oid), ';') || ' WITH NO DATA' END) " TABLES
    "WHERE c.relkind IN ('v', 'm') AND " NOT_OF_EXTENSION("pg_class", "c.oid") "n.nspname = ",
    "SELECT 'foreign table', c.relname::text, NULL, NULL " TABLES "WHERE c.relkind = 'f' AND n.nspname = ",
    "SELECT 'unlogged table', c.relname::text, c.relname::text, format('ALTER TABLE %I SET UNLOGGED', "
    "c.relname) " TABLES "WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'u' AND NOT c.relispartition "
    "AND n.nspname = ",
    "SELECT 'replica identity', c.relname::text, c.relname::text, format('ALTER TABLE %I REPLICA IDENTITY "
    "%s', "
    "c.relname, CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE format('USING INDEX "
    "%I', "
    "(SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid AND "
    "i.indisreplident)) END) " TABLES
    "WHERE c.relkind IN ('r', 'p') AND c.relreplident <> 'd' AND n.nspname = ",
    "SELECT 'partitioned table', c.relname::text, c.relname::text, 'partition by ' || "
    "pg_get_partkeydef(c.oid) " TABLES "WHERE c.relkind = 'p' AND NOT c.relispartition AND n.nspname = ",
    "SELECT 'partition', c.relname::text, p.relname::text, 'partition ' || pg_get_expr(c.relpartbound, "
    "c.oid) " TABLES "JOIN pg_inherits h ON h.inhrelid = c.oid JOIN pg_class p ON p.oid = h.inhparent WHERE "
    "c.relispartition AND c.relkind IN ('r', 'p', 'f') AND n.nspname = ",
    /* What a partition has beyond its parent. */
    "SELECT 'constraint of a partition', k.conname::text, c.relname::text, format('ALTER TABLE %I ADD "
    "CONSTRAINT "
    "%I ', c.relname, k.conname) || pg_get_constraintdef(k.oid) " TABLES
    "JOIN pg_constraint k ON k.conrelid = c.oid WHERE c.relispartition AND k.contype IN ('p', 'u', 'f', 'c') "
    "AND "
    "k.conparentid = 0 AND k.coninhcount = 0 AND n.nspname = ",
    "SELECT 'column of a partition', c.relname || '.' || a.attname, c.relname::text, format('default %s%s', "
    "coalesce(pg_get_expr(f.adbin, f.adrelid), 'none'), CASE WHEN a.attnotnull THEN ', not null' ELSE '' "
    "END) " TABLES "JOIN pg_inherits h ON h.inhrelid = c.oid JOIN pg_attribute a ON a.attrelid = c.oid AND "
    "a.attnum > 0 AND NOT "
    "a.attisdropped JOIN pg_attribute b ON b.attrelid = h.inhparent AND b.attname = a.attname LEFT JOIN "
    "pg_attrdef f "
    "ON f.adrelid = a.attrelid AND f.adnum = a.attnum LEFT JOIN pg_attrdef g ON g.adrelid = b.attrelid AND "
    "g.adnum = "
    "b.attnum WHERE c.relispartition AND (a.attnotnull <> b.attnotnull OR pg_get_expr(f.adbin, f.adrelid) IS "
    "DISTINCT FROM pg_get_expr(g.adbin, g.adrelid)) AND n.nspname = ",
    "SELECT CASE c.relkind WHEN 'm' THEN 'index of a materialized view' ELSE 'index of a partition' END, "
    "x.relname::text, c.relname::text, pg_get_indexdef(i.indexrelid, 0, true) " TABLES
    "JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid WHERE (c.relkind = 'm' OR "
    "c.relispartition) AND NOT x.relispartition AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE "
    "k.conindid = "
    "i.indexrelid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')) AND n.nspname = ",
    "SELECT 'inheritance', c.relname::text, c.relname::text, format('ALTER TABLE %I INHERIT %s', c.relname, "
    "p.oid::regclass) " TABLES "JOIN pg_inherits h ON h.inhrelid = c.oid JOIN pg_class p ON p.oid = "
    "h.inhparent WHERE NOT c.relispartition AND c.relkind IN ('r', 'f') AND n.nspname = ",
    /* Its rows are read as rows of the child; a parent's own rows only as those of the parent. */
    "SELECT 'inheritance from elsewhere', c.relname::text, c.relname::text, NULL " TABLES
    "WHERE c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_inherits h JOIN pg_class k ON k.oid = h.inhrelid "
    "WHERE h.inhparent = c.oid AND k.relnamespace <> c.relnamespace) AND n.nspname = ",
    "SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, "
    "format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)), NULL, CASE p.prokind WHEN 'a' "
    "THEN (SELECT format('aggregate of %s, state %s', a.aggtransfn, a.aggtranstype::regtype) || CASE "
    "WHEN a.aggfinalfn::oid <> 0 THEN format(', final %s', a.aggfinalfn) ELSE '' END || coalesce(format(', "
    "initial "
    "%L', "
    "a.agginitval), '') FROM "
    "pg_aggregate a WHERE a.aggfnoid = p.oid) ELSE " WITHOUT_SCHEMA(
        "pg_get_functiondef(p.oid)") " END FROM "
                                     "pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
                                     "WHERE " NOT_OF_EXTENSION("pg_proc", "p.oid") "n.nspname = ",
    /* Who may call what was taken from PUBLIC, or given to somebody. */
    "SELECT 'function grants', format('%s(%s) to %s', p.proname, pg_get_function_identity_arguments(p.oid), "
    "w.who), "
    "NULL, format('GRANT EXECUTE ON ROUTINE %I(%s) TO %s%s', p.proname, "
    "pg_get_function_identity_arguments(p.oid), "
    "w.who, w.more) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace CROSS JOIN LATERAL (SELECT "
    "coalesce(quote_ident(r.rolname), 'PUBLIC') AS who, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' "
    "ELSE '' "
    "END AS more FROM aclexplode(p.proacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee GROUP BY 1, 2) w "
    "WHERE "
    "p.proacl IS NOT NULL AND " NOT_OF_EXTENSION("pg_proc", "p.oid") "n.nspname = ",
    "SELECT 'collation', l.collname::text, NULL, format('CREATE COLLATION %I (PROVIDER = %s, DETERMINISTIC = "
    "%s)', "
    "l.collname, CASE l.collprovider WHEN 'i' THEN format('icu, LOCALE = %L', coalesce(to_jsonb(l) ->> "
    "'colllocale', "
    "to_jsonb(l) ->> 'colliculocale', l.collcollate)) ELSE format('libc, LC_COLLATE = %L, LC_CTYPE = %L', "
    "l.collcollate, l.collctype) END, l.collisdeterministic::text) FROM pg_collation l JOIN pg_namespace n "
    "ON "
    "n.oid = "
    "l.collnamespace WHERE " NOT_OF_EXTENSION("pg_collation", "l.oid") "n.nspname = ",
    "SELECT 'operator', format('%s (%s, %s)', o.oprname, CASE o.oprleft WHEN 0 THEN 'none' ELSE "
    "format_type(o.oprleft, NULL) END, format_type(o.oprright, NULL)), NULL, format('operator by %s', "
    "o.oprcode) "
    "FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE " NOT_OF_EXTENSION(
        "pg_operator", "o.oid") "n.nspname = ",
    "SELECT 'text search configuration', g.cfgname::text, NULL, 'text search by ' || coalesce((SELECT "
    "string_agg(format('%s %s', m.maptokentype, m.mapdict::regdictionary), ', ' ORDER BY m.maptokentype, "
    "m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = g.oid), 'nothing') FROM pg_ts_config g JOIN "
    "pg_namespace n "
    "ON n.oid = g.cfgnamespace WHERE " NOT_OF_EXTENSION("pg_ts_config", "g.oid") "n.nspname = ",
    "SELECT 'text search dictionary', d.dictname::text, NULL, 'dictionary with ' || "
    "coalesce(d.dictinitoption, "
    "'nothing') FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace WHERE NOT EXISTS (SELECT 1 "
    "FROM "
    "pg_depend e WHERE e.classid = 'pg_ts_dict'::regclass AND e.objid = d.oid AND e.deptype = 'e') AND "
    "n.nspname = ",
    "SELECT 'enum', t.typname::text, NULL, format('CREATE TYPE %I AS ENUM (%s)', t.typname, (SELECT "
    "string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid "
    "= t.oid)) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e' "
    "AND " NOT_OF_EXTENSION("pg_type", "t.oid") "n.nspname = ",
    "SELECT 'domain', t.typname::text, NULL, format('CREATE DOMAIN %I AS %s', t.typname, "
    "format_type(t.typbasetype, t.typtypmod)) || coalesce((SELECT ' COLLATE ' || l.oid::regcollation FROM "
    "pg_collation l JOIN pg_type b ON b.oid = t.typbasetype WHERE l.oid = t.typcollation AND l.oid <> "
    "b.typcollation), '') || coalesce(' DEFAULT ' || t.typdefault, '') || CASE WHEN t.typnotnull THEN ' NOT "
    "NULL' ELSE '' END || coalesce((SELECT string_agg(format(' CONSTRAINT %I ', k.conname) || "
    "pg_get_constraintdef(k.oid), '' ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = t.oid), '') "
    "FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'd' "
    "AND " NOT_OF_EXTENSION("pg_type", "t.oid") "n.nspname = ",
    "SELECT 'composite type', t.typname::text, NULL, format('CREATE TYPE %I AS (%s)', t.typname, (SELECT "
    "string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) "
    "FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) FROM pg_type t "
    "JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_class c ON c.oid = t.typrelid WHERE t.typtype = "
    "'c' AND c.relkind = 'c' AND " NOT_OF_EXTENSION("pg_type", "t.oid") "n.nspname = ",
    "SELECT 'range type', t.typname::text, NULL, format('CREATE TYPE %I AS RANGE (SUBTYPE = %s%s%s%s)', "
    "t.typname, "
    "r.rngsubtype::regtype, (SELECT format(', SUBTYPE_OPCLASS = %I', o.opcname) FROM pg_opclass o WHERE "
    "o.oid = "
    "r.rngsubopc AND NOT o.opcdefault), CASE WHEN r.rngcollation::oid NOT IN (0, 100) THEN format(', "
    "COLLATION = "
    "%s', r.rngcollation::regcollation) END, CASE WHEN r.rngsubdiff::oid <> 0 THEN format(', SUBTYPE_DIFF = "
    "%s', "
    "r.rngsubdiff) END) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_range r ON "
    "r.rngtypid = t.oid WHERE t.typtype = 'r' AND " NOT_OF_EXTENSION("pg_type", "t.oid") "n.nspname = ",
    "SELECT 'sequence', c.relname::text, NULL, format('CREATE SEQUENCE %I AS %s INCREMENT %s MINVALUE %s "
    "MAXVALUE %s START %s CACHE %s %s', c.relname, q.seqtypid::regtype, q.seqincrement, q.seqmin, q.seqmax, "
    "q.seqstart, q.seqcache, CASE WHEN q.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) " TABLES
    "JOIN pg_sequence q ON q.seqrelid = c.oid WHERE NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = "
    "'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', "
    "'i') AND d.refobjsubid > 0) AND n.nspname = ",
    /* Of a column: bounds that are not those of its type, and what comes behind them. */
    "SELECT 'sequence detail', c.relname::text, t.relname::text, format('ALTER SEQUENCE %I MINVALUE %s "
    "MAXVALUE %s "
    "%s', c.relname, q.seqmin, q.seqmax, CASE WHEN q.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) " TABLES
    "JOIN pg_sequence q ON q.seqrelid = c.oid JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND "
    "d.objid = "
    "c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 JOIN "
    "pg_class "
    "t ON t.oid = d.refobjid CROSS JOIN LATERAL (SELECT CASE q.seqtypid WHEN 21 THEN 32767 WHEN 23 THEN "
    "2147483647 "
    "ELSE 9223372036854775807 END AS top) y WHERE (q.seqcycle OR CASE WHEN q.seqincrement > 0 THEN q.seqmin "
    "<> 1 "
    "OR q.seqmax <> y.top ELSE q.seqmax <> -1 OR q.seqmin <> -y.top - 1 END) AND n.nspname = ",
    "SELECT 'rule', w.rulename::text, c.relname::text, pg_get_ruledef(w.oid, true) || CASE w.ev_enabled WHEN "
    "'O' "
    "THEN '' ELSE format(' ALTER TABLE %s %s RULE %I', w.ev_class::regclass, CASE w.ev_enabled WHEN 'D' THEN "
    "'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, w.rulename) END " TABLES
    "JOIN pg_rewrite w ON w.ev_class = c.oid WHERE w.rulename <> '_RETURN' AND n.nspname = ",
    "SELECT 'exclusion constraint', k.conname::text, c.relname::text, format('ALTER TABLE %I ADD CONSTRAINT "
    "%I ', c.relname, k.conname) || pg_get_constraintdef(k.oid) " TABLES
    "JOIN pg_constraint k ON k.conrelid = c.oid WHERE k.contype = 'x' AND k.conparentid = 0 AND n.nspname = ",
    "SELECT 'foreign key to another schema', k.conname::text, c.relname::text, format('ALTER TABLE %I ADD "
    "CONSTRAINT %I ', c.relname, k.conname) || pg_get_constraintdef(k.oid) " TABLES
    "JOIN pg_constraint k ON k.conrelid = c.oid JOIN pg_class p ON p.oid = k.confrelid WHERE k.contype = 'f' "
    "AND k.conparentid = 0 AND p.relnamespace <> c.relnamespace AND n.nspname = ",
    /* What the struct of a foreign key doesn't say: how nulls match, which columns an action sets. */
    "SELECT 'foreign key detail', k.conname::text, c.relname::text, pg_get_constraintdef(k.oid) " TABLES
    "JOIN pg_constraint k ON k.conrelid = c.oid WHERE k.contype = 'f' AND k.conparentid = 0 AND "
    "(k.confmatchtype = 'f' OR CASE WHEN n.oid = c.relnamespace THEN pg_get_constraintdef(k.oid) ~ 'ON "
    "DELETE "
    "SET (NULL|DEFAULT) \\(' END) AND n.nspname = ", /* of this schema alone: others may be dropped by now */
    /* Keys that are checked late, checks that bind no child: made anew as the struct says, and then as they are. */
    "SELECT 'constraint detail', k.conname::text, c.relname::text, format('ALTER TABLE %I DROP CONSTRAINT "
    "%I, ADD "
    "CONSTRAINT %I ', c.relname, k.conname, k.conname) || pg_get_constraintdef(k.oid) " TABLES
    "JOIN pg_constraint k ON k.conrelid = c.oid WHERE (k.contype IN ('p', 'u') AND k.condeferrable OR "
    "k.contype = "
    "'c' AND k.connoinherit) AND k.conparentid = 0 AND NOT c.relispartition AND n.nspname = ",
    "SELECT 'identity always', c.relname || '.' || a.attname, c.relname::text, format('ALTER TABLE %I ALTER "
    "%I SET GENERATED ALWAYS', c.relname, a.attname) " TABLES
    "JOIN pg_attribute a ON a.attrelid = c.oid WHERE a.attidentity = 'a' AND NOT c.relispartition AND "
    "n.nspname = ",
    /* What the struct of an index doesn't say: included columns, operator classes and collations of their own, which
     * columns descend where it is not the last one alone, nulls that are not distinct. */
    "SELECT 'index detail', x.relname::text, c.relname::text, pg_get_indexdef(i.indexrelid, 0, true) " TABLES
    "JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid WHERE NOT "
    "x.relispartition AND (i.indnkeyatts < i.indnatts OR EXISTS (SELECT 1 FROM unnest(i.indclass::oid[]) "
    "k(o) JOIN pg_opclass p ON p.oid = k.o WHERE NOT p.opcdefault) OR EXISTS (SELECT 1 FROM "
    "unnest(i.indkey::int2[], i.indcollation::oid[], i.indoption::int2[]) k(col, coll, opt) JOIN "
    "pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.col WHERE k.col > 0 AND ((k.coll <> 0 AND "
    "k.coll <> a.attcollation) OR k.opt IN (1, 2))) OR EXISTS (SELECT 1 FROM unnest(i.indoption::int2[]) "
    "WITH "
    "ORDINALITY k(opt, at) WHERE k.opt & 1 = 1 AND k.at < i.indnkeyatts) OR (to_jsonb(i) ->> "
    "'indnullsnotdistinct' = 'true' AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = "
    "i.indexrelid)) OR (0 = ANY (i.indkey::int2[]) AND CASE WHEN n.oid = c.relnamespace THEN "
    "pg_get_indexdef(i.indexrelid, 0, true) LIKE '% COLLATE %' END)) AND n.nspname = ",
    "SELECT 'statistics', s.stxname::text, c.relname::text, " WITHOUT_SCHEMA(
        "pg_get_statisticsobjdef(s.oid)") " FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = "
                                          "s.stxnamespace JOIN pg_class c ON c.oid = s.stxrelid WHERE "
                                          "n.nspname = ",
    "SELECT 'grants', c.relname || ' to ' || w.who, c.relname::text, format('GRANT %s ON %s%I TO %s%s', "
    "w.what, CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END, c.relname, w.who, w.more) " TABLES
    "CROSS JOIN LATERAL (SELECT coalesce(quote_ident(r.rolname), 'PUBLIC') AS who, "
    "string_agg(g.privilege_type, "
    "', ' ORDER BY g.privilege_type) AS what, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END "
    "AS more FROM aclexplode(c.relacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee GROUP BY 1, 3) w WHERE "
    "c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT c.relispartition AND n.nspname = ",
    "SELECT 'column grants', c.relname || '.' || a.attname || ' to ' || w.who, c.relname::text, "
    "format('GRANT %s ON TABLE %I TO %s%s', w.what, c.relname, w.who, w.more) " TABLES
    "JOIN pg_attribute a ON a.attrelid = c.oid CROSS JOIN LATERAL (SELECT coalesce(quote_ident(r.rolname), "
    "'PUBLIC') AS who, string_agg(format('%s (%I)', g.privilege_type, a.attname), ', ' ORDER BY "
    "g.privilege_type) AS what, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS more FROM "
    "aclexplode(a.attacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee GROUP BY 1, 3) w WHERE a.attacl IS NOT "
    "NULL AND NOT c.relispartition AND n.nspname = ",
};

/* Tables of an extension that hold rows of the user's (what pg_dump would keep of them): they are not read with the schema's.
 * Who may not look is told of them, too. */
static const char extension_tables[] =
    "SELECT 'table of an extension', c.relname::text, c.relname::text, NULL " TABLES
    "JOIN pg_extension e ON c.oid = ANY (e.extconfig) CROSS JOIN LATERAL unnest(e.extconfig, e.extcondition) "
    "k(id, filter) WHERE k.id = c.oid AND c.relkind IN ('r', 'p') AND CASE WHEN has_table_privilege(c.oid, "
    "'SELECT') THEN query_to_xml(format('SELECT 1 FROM %s %s LIMIT 1', c.oid::regclass, k.filter), false, "
    "true, '')::text LIKE '%<row%' ELSE true END AND n.nspname = ";

/* What a schema without tables has instead: nothing of it is a row. */
#define WORDS_OF_SCHEMA                                                                                      \
    "'no tables' || coalesce((SELECT ', ' || string_agg(x.what, ', ' ORDER BY x.what COLLATE \"C\") FROM "   \
    "(SELECT p.pronamespace AS ns, 'pg_proc'::regclass AS class, p.oid, format('function %s(%s) %s', "       \
    "p.proname, pg_get_function_identity_arguments(p.oid), CASE WHEN p.prokind <> 'a' THEN "                 \
    "md5(pg_get_functiondef(p.oid)) END) AS what FROM pg_proc p UNION ALL SELECT c.relnamespace, "           \
    "'pg_class'::regclass, c.oid, format('view %s %s', c.relname, md5(pg_get_viewdef(c.oid))) FROM "         \
    "pg_class c WHERE c.relkind = 'v' UNION ALL SELECT t.typnamespace, 'pg_type'::regclass, t.oid, "         \
    "format('type %s', t.typname) FROM pg_type t WHERE t.typtype IN ('e', 'd', 'r')) x WHERE x.ns = n.oid "  \
    "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = x.class AND d.objid = x.oid AND d.deptype " \
    "= 'e')), '')"

/* Of the whole database; asked for with the default schema only. Other schemas count where the default was not chosen by
 * name: who says which schema is meant leaves the others out by choice. */
static const char database_query[] =
    "SELECT 'extension', e.extname::text, NULL, format('CREATE EXTENSION %I VERSION %L', e.extname, "
    "e.extversion) FROM pg_extension e WHERE e.extname <> 'plpgsql' "
    "UNION ALL SELECT CASE WHEN obj_description(n.oid, 'pg_namespace') = '" PO_MARK
    "' THEN 'switchproof namespace' WHEN starts_with(obj_description(n.oid, 'pg_namespace'), '" PO_BUCKET
    "') THEN 'object store' ELSE 'schema' END, n.nspname::text, NULL, CASE WHEN NOT EXISTS (SELECT 1 FROM "
    "pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'm', 'f', 'S')) "
    "THEN " WORDS_OF_SCHEMA
    " END FROM pg_namespace n WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND "
    "n.nspname <> $1 AND ($2 = '' OR starts_with(obj_description(n.oid, 'pg_namespace'), '" PO_BUCKET "')) "
    "UNION ALL SELECT 'event trigger', e.evtname::text, NULL, format('event trigger on %s%s: %s%s', "
    "e.evtevent, "
    "' (' || array_to_string(e.evttags, ', ') || ')', e.evtfoid::regproc, CASE e.evtenabled WHEN 'O' THEN '' "
    "ELSE "
    "', ' || e.evtenabled::text END) FROM pg_event_trigger e "
    "UNION ALL SELECT 'publication', p.pubname::text, NULL, CASE WHEN p.puballtables THEN 'publication of "
    "all "
    "tables' ELSE 'publication of ' || (SELECT coalesce(string_agg(r.prrelid::regclass::text, ', ' ORDER BY "
    "r.prrelid::regclass::text COLLATE \"C\"), 'no tables') FROM pg_publication_rel r WHERE r.prpubid = "
    "p.oid) END "
    "|| format(', insert %s, update %s, delete %s, truncate %s', p.pubinsert, p.pubupdate, p.pubdelete, "
    "p.pubtruncate) FROM pg_publication p "
    "UNION ALL SELECT 'large objects', count(*)::text, NULL, NULL FROM pg_largeobject_metadata HAVING "
    "count(*) > 0";

/* What tables are made of. */
static bool before_tables(const char *kind)
{
    static const char *const kinds[] = { "collation", "enum", "domain", "composite type", "range type",
        "extension", "sequence" };
    for (size_t i = 0; i < SP_LEN(kinds); i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

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
        it->before_tables = before_tables(it->kind);
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
    if (ret == 0 && w->s->real)
        ret = ask_schema(w, extension_tables, schema, err);
    if (ret != 0 || w->ns != NULL)
        return ret;
    bool oom = po_param_text(&p, schema) != 0 || po_param_text(&p, w->s->schema_chosen ? schema : "") != 0;
    ret = oom ? sp_nomem(err) : po_query(w->s, PO_PLAIN, database_query, &p, &r, err);
    if (ret == 0)
        ret = add_items(w, r, err);
    PQclear(r);
    po_params_free(&p);
    return ret;
}
