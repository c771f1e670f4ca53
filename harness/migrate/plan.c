/* plan.c -- which tables are copied, in which order, and whether the target can take them. */
#include <stdlib.h>
#include <strings.h>

#include "map/mapping.h"
#include "migrate/internal.h"

bool sp_m_selected(const struct sp_mctx *m, const char *table)
{
    if (m->opt->ntables == 0)
        return true;
    for (size_t i = 0; table != NULL && i < m->opt->ntables; i++)
        if (sp_glob(m->opt->tables[i], table, false))
            return true;
    return false;
}

static int add(struct sp_mctx *m, const struct sp_table *t, struct sp_error *err)
{
    struct sp_mtable *x = &m->tables[m->ntables];
    const char *kind = sp_session_provider(m->target)->kind;
    bool open = sp_session_provider(m->target)->db->load_extra != NULL;
    bool mapped = m->opt->mapping != NULL && sp_mapping_relation(m->opt->mapping, t->name) != NULL;
    if (t->open_fields && !open && !mapped)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS,
            "table %s holds documents with fields beyond its declared columns, for which %s has no place; "
            "map "
            "them to columns, or choose other tables with --tables",
            t->name, kind);
    *x = (struct sp_mtable){ .t = t, .made = *t };
    x->made.open_fields = t->open_fields && open;
    if (m->opt->source_ns != NULL || m->opt->target_ns != NULL)
        x->made.ns = m->opt->target_ns;
    /* Its own words name a table without a namespace: they fit only from default to default. */
    bool in_default = m->opt->source_ns == NULL && m->opt->target_ns == NULL;
    x->made.native_verbatim =
        in_default && m->own_words && t->native_definition != NULL && sp_streq(t->native_kind, kind);
    x->existing = sp_schema_table(m->to, t->name) != NULL;
    if (x->existing && !m->opt->into_existing)
        return sp_fail(err, SP_E_EXISTS, SP_ORIGIN_HARNESS,
            "table %s exists on the target already; copy into an empty target, or use --into-existing if it "
            "is "
            "empty",
            t->name);
    m->ntables++;
    return 0;
}

/* A table that was there before may store values in another way ('01' in an integer column becomes 1). */
static int warn_of_types(struct sp_mctx *m, const struct sp_mtable *x, struct sp_error *err)
{
    const struct sp_table *there = sp_schema_table(m->to, x->t->name);
    int rc = 0;
    for (size_t i = 0; rc == 0 && m->same_kind && there != NULL && i < x->t->ncolumns; i++) {
        const struct sp_column *s = &x->t->columns[i], *t = sp_table_column(there, s->name);
        if (t != NULL && s->native_type != NULL && t->native_type != NULL &&
            strcasecmp(s->native_type, t->native_type) != 0)
            rc = sp_m_note(m, err, "warning",
                "table %s, column %s: declared \"%s\" on the source and \"%s\" on the target, which may "
                "change values "
                "as it stores them; verify the copy",
                x->t->name, s->name, s->native_type, t->native_type);
    }
    return rc;
}

static int must_be_empty(struct sp_mctx *m, const struct sp_mtable *x, struct sp_error *err)
{
    int64_t n = 0;
    int rc = sp_db_count(m->target, x->t->name, NULL, &n, err);
    if (rc == 0 && n != 0)
        rc = sp_fail(err, SP_E_EXISTS, SP_ORIGIN_HARNESS,
            "table %s on the target holds %lld rows; --into-existing needs empty tables", x->t->name,
            (long long)n);
    return rc;
}

/* A name that fits nothing is mistyped: what it meant would be missing from the target. */
static bool names_something(const struct sp_schema *s, const char *glob)
{
    for (size_t i = 0; i < s->ntables; i++)
        if (sp_glob(glob, s->tables[i].name, false))
            return true;
    for (size_t i = 0; i < s->ninventory; i++)
        if (sp_glob(glob, s->inventory[i].name, false))
            return true;
    return false;
}

/* What the source lists without a definition (an object store, a namespace that a test run left) may hold data, which a
 * copy would leave behind in silence. */
static int all_can_be_read(struct sp_mctx *m, struct sp_error *err)
{
    for (size_t i = 0; i < m->from->ninventory; i++) {
        const struct sp_inventory_item *x = &m->from->inventory[i];
        if (x->definition == NULL && x->unread == NULL &&
            (sp_m_selected(m, x->name) || sp_m_selected(m, x->table)))
            return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS,
                "%s %s cannot be migrated: what it holds is not read; remove it (switchproof clean), or "
                "choose the "
                "tables with --tables",
                x->kind, x->name);
    }
    return 0;
}

int sp_m_plan(struct sp_mctx *m, struct sp_error *err)
{
    size_t ncyclic = 0, n = m->from->ntables;
    size_t *order = calloc(n + 1, sizeof *order);
    m->tables = sp_arena_array(&m->arena, n + 1, sizeof *m->tables);
    int rc =
        order == NULL || m->tables == NULL ? sp_nomem(err) : sp_schema_order(m->from, order, &ncyclic, err);
    for (size_t i = 0; rc == 0 && i < m->opt->ntables; i++)
        if (!names_something(m->from, m->opt->tables[i]))
            rc = sp_invalid(err, "no table of the source matches --tables %s", m->opt->tables[i]);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (sp_m_selected(m, m->from->tables[order[i]].name) &&
            !sp_m_is_embedded(m, m->from->tables[order[i]].name))
            rc = add(m, &m->from->tables[order[i]], err);
    free(order);
    for (size_t i = 0; rc == 0 && i < m->ntables; i++)
        if (m->tables[i].existing)
            rc = must_be_empty(m, &m->tables[i], err);
    for (size_t i = 0; rc == 0 && i < m->ntables; i++)
        if (m->tables[i].existing)
            rc = warn_of_types(m, &m->tables[i], err);
    if (rc == 0)
        rc = all_can_be_read(m, err);
    if (rc == 0)
        rc = sp_m_embed_plan(m, err);
    for (size_t i = 0; rc == 0 && i < m->ntables; i++)
        rc = sp_m_convert(m, &m->tables[i], err);
    return rc;
}

static int say_table(struct sp_mctx *m, const struct sp_mtable *x, struct sp_error *err)
{
    struct sp_event ev;
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_printf(&b, "would %s%s, fill it, then add %zu unique constraints, %zu foreign keys, %zu indexes",
        x->existing ? "take the existing empty table" : "create the table",
        x->made.native_verbatim ? " in its own words" : "", x->t->nuniques, x->t->nfks, x->t->nindexes);
    sp_event_begin(&ev, SP_EV_MIGRATE_TABLE);
    sp_event_text(&ev, SP_FLD_name, x->t->name);
    sp_event_text(&ev, SP_FLD_message, b.p);
    sp_buf_free(&b);
    return sp_event_send(m->em, &ev, err);
}

int sp_m_say_plan(struct sp_mctx *m, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < m->ntables; i++)
        if ((rc = say_table(m, &m->tables[i], err)) == 0)
            rc = sp_m_say_orphans(m, &m->tables[i], err);
    for (size_t i = 0; rc == 0 && i < m->from->nsequences; i++)
        if (sp_m_selected(m, m->from->sequences[i].table))
            rc = sp_m_note(m, err, "plan", "would set sequence %s to %lld", m->from->sequences[i].name,
                (long long)m->from->sequences[i].next);
    for (size_t i = 0; rc == 0 && i < m->from->ninventory; i++) {
        const struct sp_inventory_item *x = &m->from->inventory[i];
        if (sp_m_selected(m, x->name) || (x->table != NULL && sp_m_selected(m, x->table)))
            rc = sp_m_note(m, err, "plan", "%s %s %s", x->kind, x->name,
                m->own_words && x->definition != NULL ? "would be created from its definition"
                                                      : "would not be migrated");
    }
    return rc;
}
