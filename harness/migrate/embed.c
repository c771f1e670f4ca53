/* embed.c -- rows that become elements of an array in the documents of their parents.
 *
 * Before a table is filled, the rows that belong into its documents are read once, in the same snapshot, and stand in two
 * unlinked files in $TMPDIR (else /tmp): the rows as they came, and a sorted index of 24 bytes a row by what names the
 * parent. Each document asks for its own. In memory are 3 MiB while rows are put in order, then 16 bytes for every 128 rows, a
 * bit for each, and the array of one document. A row that no document asked for, one that two asked for, and a
 * position that an array does not keep end the copy: nothing is left out. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "migrate/embed.h"
#include "model/elements.h"

static bool embeds(const struct sp_map_relation *r)
{
    return r->ignore == NULL && r->array[1] != NULL;
}

bool sp_m_is_embedded(const struct sp_mctx *m, const char *table)
{
    const struct sp_map_relation *r =
        m->opt->mapping != NULL ? sp_mapping_relation(m->opt->mapping, table) : NULL;
    return r != NULL && embeds(r);
}

/* ---- before anything is written ---------------------------------------------------------------------------------- */

static int check_one(struct sp_mctx *m, const struct sp_map_relation *r, struct sp_error *err)
{
    const struct sp_table *t = sp_schema_table(m->from, r->name);
    const struct sp_provider *p = sp_session_provider(m->target);
    struct sp_mtable *x = NULL;
    bool named = false;
    for (size_t i = 0; i < m->ntables && x == NULL; i++)
        if (strcmp(m->tables[i].t->name, r->table[1]) == 0)
            x = &m->tables[i];
    for (size_t i = 0; i < r->ncolumns; i++)
        named = named || (r->columns[i].ignore == NULL && r->columns[i].parent[1]);
    if (p->db->load_extra == NULL)
        return sp_invalid(err, "relations.%s: %s keeps no arrays of documents", r->name, p->kind);
    if (x == NULL)
        return sp_invalid(err, "relations.%s: its rows belong into documents of %s, which are not copied",
            r->name, r->table[1]);
    if (!named)
        return sp_invalid(err,
            "relations.%s: no column says to which document of %s a row belongs: give one `target: { parent: "
            "COLUMN }`",
            r->name, r->table[1]);
    if (t == NULL || t->open_fields)
        return sp_invalid(err, "relations.%s: %s", r->name,
            t == NULL ? "the source has no such rows"
                      : "rows with fields beyond their columns are not made elements of arrays");
    x->made.open_fields = true;
    return 0;
}

int sp_m_embed_plan(struct sp_mctx *m, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && m->opt->mapping != NULL && i < m->opt->mapping->nrelations; i++) {
        const struct sp_map_relation *r = &m->opt->mapping->relations[i];
        if (!embeds(r) || !sp_m_selected(m, r->name))
            continue;
        rc = check_one(m, r, err);
        if (rc == 0 && m->opt->dry_run)
            rc = sp_m_note(m, err, "plan", "rows of %s would become the array %s in the documents of %s",
                r->name, r->array[1], r->table[1]);
    }
    return rc;
}

/* ---- which column goes where -------------------------------------------------------------------------------------- */

enum part { KEY, POSITION, FIELD };

static enum part part_of(const struct sp_map_column *c)
{
    return c != NULL && c->parent[1] ? KEY : c != NULL && c->ordinal[1] ? POSITION : FIELD;
}

static int put_column(struct sp_membed *e, const struct sp_column *c, const struct sp_map_column *mc,
    const struct sp_colplan *parent, size_t nparent, struct sp_error *err)
{
    struct sp_colplan *plan = &e->plan[e->ncols];
    *plan = (struct sp_colplan){ .name = c->name, .source = c->name, .target = c->name, .type = c->type };
    e->name[e->ncols] = mc != NULL && mc->place[1] != NULL ? mc->place[1] : c->name;
    if (part_of(mc) == POSITION)
        plan->type = (struct sp_type){ .tag = SP_INT };
    if (part_of(mc) == KEY) {
        size_t at = 0;
        while (at < nparent && strcmp(parent[at].name, mc->place[1]) != 0)
            at++;
        if (at == nparent)
            return sp_invalid(err, "relations.%s.columns.%s: the documents of %s get no column %s",
                e->r->name, mc->name, e->r->table[1], mc->place[1]);
        plan->type = parent[at].type; /* the same value has the same bytes */
        e->parent[e->nkey++] = at;
    }
    sp_m_mapped_rules(e->m, e->r->name, plan);
    e->ncols++;
    return 0;
}

static int plan(struct sp_membed *e, const struct sp_colplan *parent, size_t nparent, struct sp_error *err)
{
    struct sp_arena *a = &e->m->arena;
    size_t n = e->t->ncolumns;
    int rc = 0;
    e->plan = sp_arena_array(a, n + 1, sizeof *e->plan);
    e->name = sp_arena_array(a, n + 1, sizeof *e->name);
    e->parent = sp_arena_array(a, n + 1, sizeof *e->parent);
    if (e->plan == NULL || e->name == NULL || e->parent == NULL)
        return sp_nomem(err);
    for (int part = KEY; part <= FIELD; part++) {
        for (size_t i = 0; rc == 0 && i < n; i++) {
            const struct sp_map_column *mc = sp_map_column_named(e->r, e->t->columns[i].name);
            if (part_of(mc) == (enum part)part)
                rc = put_column(e, &e->t->columns[i], mc, parent, nparent, err);
        }
        if (part == POSITION)
            e->first = e->ncols;
    }
    return rc;
}

static int begin(struct sp_membed *e, const struct sp_colplan *parent, size_t nparent, struct sp_error *err)
{
    double started = sp_m_now();
    e->t = sp_schema_table(e->m->from, e->r->name);
    int rc = e->t == NULL ? sp_invalid(err, "the source has no such rows") : plan(e, parent, nparent, err);
    if (rc == 0)
        rc = sp_m_embed_read(e, err);
    e->seconds = sp_m_now() - started;
    return rc == 0 ? 0 : sp_error_prefix(err, "rows of %s for the array %s", e->r->name, e->r->array[1]);
}

static void release(struct sp_membed *e)
{
    if (e->data >= 0)
        close(e->data);
    if (e->index >= 0)
        close(e->index);
    lens_sort_free(&e->sort);
    sp_buf_free(&e->out);
    sp_buf_free(&e->key);
    sp_buf_free(&e->elements);
    sp_arena_free(&e->arena);
    sp_error_clear(&e->err);
    free(e->block);
    free(e->used);
    free(e);
}

int sp_m_embed_open(struct sp_mctx *m, const struct sp_table *t, const struct sp_colplan *parent,
    size_t nparent, struct sp_membed **out, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && m->opt->mapping != NULL && i < m->opt->mapping->nrelations; i++) {
        const struct sp_map_relation *r = &m->opt->mapping->relations[i];
        if (!embeds(r) || strcmp(r->table[1], t->name) != 0 || !sp_m_selected(m, r->name))
            continue;
        struct sp_membed *e = calloc(1, sizeof *e);
        if (e == NULL)
            return sp_nomem(err);
        *e =
            (struct sp_membed){ .next = *out, .m = m, .r = r, .data = -1, .index = -1, .sort = { .fd = -1 } };
        *out = e;
        rc = begin(e, parent, nparent, err);
    }
    return rc;
}

/* ---- the rows of one document ---------------------------------------------------------------------------------------- */

/* Without a key of its own, by what names its document, and its position. */
static int wrong(struct sp_membed *e, const struct sp_membed_row *f, enum sp_code code, const char *why,
    struct sp_error *err)
{
    struct sp_buf key = SP_BUF_INIT;
    if (e->t->npk != 0)
        sp_m_put_key(&key, e->t, e->plan, e->ncols, f->v);
    for (size_t i = 0; e->t->npk == 0 && i < e->first; i++) {
        sp_buf_printf(&key, "%s%s=", i == 0 ? "" : ", ", e->plan[i].name);
        sp_value_print_key(&key, &f->v[i]);
    }
    int rc = sp_fail(
        err, code, SP_ORIGIN_HARNESS, "%s, the row %s: %s", e->r->name, key.p == NULL ? "?" : key.p, why);
    sp_buf_free(&key);
    return rc;
}

static int by_place(const void *a, const void *b)
{
    const struct sp_membed_row *x = a, *y = b;
    int c = (x->position > y->position) - (x->position < y->position);
    return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

static int take(struct sp_membed *e, struct sp_membed_row *f, struct sp_error *err)
{
    uint8_t bit = (uint8_t)(1u << f->entry % 8);
    int rc = sp_m_embed_values(e, f, err);
    if (rc != 0)
        return rc;
    if ((e->used[f->entry / 8] & bit) != 0)
        return wrong(e, f, SP_E_UNIQUE, "two documents of the parent's table have what it refers to", err);
    e->used[f->entry / 8] |= bit;
    e->nused++;
    if (e->first != e->nkey) {
        if (f->v[e->nkey].tag != SP_INT)
            return wrong(e, f, SP_E_RANGE, "its position is no whole number", err);
        f->position = f->v[e->nkey].u.i;
    }
    return 0;
}

static int add_rows(struct sp_membed *e, struct sp_membed_row *f, size_t n, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = take(e, &f[i], err);
    if (rc == 0 && n != 0)
        qsort(f, n, sizeof *f, by_place);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (e->first != e->nkey && f[i].position != e->r->ordinal_base + (int64_t)i)
            return wrong(e, &f[i], SP_E_RANGE,
                "its position is not the next one, and an array keeps no other: number the rows without "
                "gaps, "
                "or give the column a field",
                err);
        rc = sp_elements_add(&e->elements, e->name + e->first, f[i].v + e->first, e->ncols - e->first);
        if (rc != 0)
            return rc == -SP_E_NOMEM ? sp_nomem(err) : wrong(e, &f[i], (enum sp_code) - rc, "too large", err);
    }
    return rc;
}

static int embed(
    struct sp_membed *e, struct sp_load *load, const uint8_t *row, const size_t *ends, struct sp_error *err)
{
    struct sp_membed_row *f = NULL;
    size_t n = 0;
    bool whole = true;
    sp_arena_reset(&e->arena);
    sp_buf_clear(&e->key);
    sp_buf_clear(&e->elements);
    for (size_t i = 0; i < e->nkey; i++) {
        size_t from = e->parent[i] != 0 ? ends[e->parent[i] - 1] : 0;
        whole = whole && row[from] != SP_ST_NULL && row[from] != SP_ST_MISSING;
        sp_buf_put(&e->key, row + from, ends[e->parent[i]] - from);
    }
    if (e->key.oom)
        return sp_nomem(err);
    int rc = whole ? sp_m_embed_find(e, sp_d128_of(e->key.p, e->key.n), &f, &n, err)
                   : 0; /* null is nobody's parent */
    if (rc == 0)
        rc = add_rows(e, f, n, err);
    if (rc != 0)
        return rc;
    const struct sp_value v = sp_elements_value(&e->elements);
    rc = sp_db_load_extra(e->m->target, load, e->r->array[1], &v, err);
    return rc == 0 ? 0 : sp_error_prefix(err, "array %s", e->r->array[1]);
}

int sp_m_embed_rows(struct sp_membed *list, struct sp_load *load, const uint8_t *row, const size_t *ends,
    struct sp_error *err)
{
    int rc = 0;
    for (struct sp_membed *e = list; rc == 0 && e != NULL; e = e->next)
        rc = embed(e, load, row, ends, err);
    return rc;
}

/* ---- the end ------------------------------------------------------------------------------------------------------------ */

/* The first row that nobody asked for. */
static int say_orphans(struct sp_membed *e, struct sp_error *err)
{
    struct sp_event ev;
    uint64_t i = 0;
    char why[200];
    while (i < e->n && (e->used[i / 8] & (1u << i % 8)) != 0)
        i++;
    struct sp_membed_row f;
    sp_arena_reset(&e->arena);
    int rc = sp_m_embed_at(e, i, &f, err);
    if (rc != 0)
        return rc;
    snprintf(why, sizeof why, "it belongs to no document of %.60s (%llu such rows), and would be lost",
        e->r->table[1], (unsigned long long)(e->n - e->nused));
    rc = wrong(e, &f, SP_E_FOREIGN_KEY, why, err);
    sp_event_begin(&ev, SP_EV_FINDING);
    sp_event_text(&ev, SP_FLD_name, e->r->name);
    sp_event_text(&ev, SP_FLD_topic, "orphans in the source");
    sp_event_int(&ev, SP_FLD_count, (int64_t)(e->n - e->nused));
    sp_event_text(&ev, SP_FLD_message, sp_error_text(err));
    (void)sp_event_send(e->m->em, &ev, NULL);
    return rc;
}

int sp_m_embed_check(struct sp_membed *list, struct sp_error *err)
{
    int rc = 0;
    for (struct sp_membed *e = list; rc == 0 && e != NULL; e = e->next)
        if (e->nused != e->n)
            rc = say_orphans(e, err);
    return rc;
}

static int say(struct sp_membed *e, struct sp_error *err)
{
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_MIGRATE_TABLE);
    sp_event_text(&ev, SP_FLD_name, e->r->name);
    sp_event_int(&ev, SP_FLD_rows, (int64_t)e->n);
    sp_event_int(&ev, SP_FLD_bytes, (int64_t)e->bytes);
    sp_event_real(&ev, SP_FLD_duration_s, e->seconds);
    e->m->rows += e->n;
    e->m->bytes += e->bytes;
    return sp_event_send(e->m->em, &ev, err);
}

int sp_m_embed_close(struct sp_membed *list, int rc, struct sp_error *err)
{
    while (list != NULL) {
        struct sp_membed *e = list;
        list = e->next;
        if (rc == 0)
            rc = say(e, err);
        release(e);
    }
    return rc;
}
