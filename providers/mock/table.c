/* table.c -- tables come, get their constraints, go, and are described. Schema changes are never part of a
 * transaction; they take effect at once or not at all. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

int mock_table_free_check(const struct mock_session *s, const struct mock_table *t, struct sp_error *err)
{
    for (const struct mock_txn *x = s->store->open; x != NULL; x = x->next) {
        bool touched = x->pinned == t || (x->is_snapshot && t->created <= x->snapshot);
        for (size_t i = 0; i < x->nundo; i++)
            touched = touched || x->undo[i].t == t;
        for (size_t i = 0; i < x->nreads; i++)
            touched = touched || x->reads[i].t == t;
        if (touched)
            return mock_conflict(NULL, err, "an open transaction or snapshot uses the table");
    }
    return 0;
}

/* ---- making ---------------------------------------------------------------------------------------------------- */

static int name_fits(const char *name, struct sp_error *err)
{
    if (strlen(name) > MOCK_IDENTIFIER_BYTES)
        return mock_fail(err, SP_E_TOO_LARGE, "the name \"%.40s...\" is longer than %d bytes", name,
            MOCK_IDENTIFIER_BYTES);
    return 0;
}

static int column_fits(const struct sp_column *c, struct sp_error *err)
{
    static const char *const bytewise[] = { "C", "POSIX", "BINARY", "binary", "ucs_basic" };
    bool known = c->collation == NULL;
    for (size_t i = 0; i < SP_LEN(bytewise); i++)
        known = known || strcmp(c->collation, bytewise[i]) == 0;
    if (!known)
        return mock_fail(err, SP_E_UNSUPPORTED, "column \"%s\": only bytewise collation, not \"%s\"", c->name,
            c->collation);
    if (c->generated != NULL)
        return mock_fail(err, SP_E_UNSUPPORTED, "column \"%s\": no generated columns", c->name);
    if (c->identity && c->type.tag != SP_INT)
        return mock_fail(
            err, SP_E_INVALID, "column \"%s\": only integers are drawn from a sequence", c->name);
    return name_fits(c->name, err);
}

/* The bare table: columns, not null, defaults, primary key. */
static int build(struct mock_table *t, struct sp_error *err)
{
    size_t n = t->def.ncolumns;
    t->defaults = calloc(n + 1, sizeof *t->defaults);
    t->counters = calloc(n + 1, sizeof *t->counters);
    t->required = calloc(n + 1, sizeof *t->required);
    if (t->defaults == NULL || t->counters == NULL || t->required == NULL)
        return sp_nomem(err);
    int rc = name_fits(t->def.name, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct sp_column *c = &t->def.columns[i];
        rc = column_fits(c, err);
        if (rc == 0)
            rc = mock_default_make(t, i, err);
        t->counters[i] = (struct mock_counter){ 1, 1 };
        t->required[i] = c->not_null || c->identity || sp_table_is_pk(&t->def, c->name);
    }
    for (size_t i = 0; rc == 0 && i < t->def.npk; i++) {
        if (sp_table_column(&t->def, t->def.pk[i]) == NULL)
            rc = mock_fail(
                err, SP_E_UNSUPPORTED, "the primary key needs declared columns, not \"%s\"", t->def.pk[i]);
    }
    if (rc != 0 || t->def.npk == 0)
        return rc;
    struct mock_index *ix = mock_index_new(t, "primary key", t->def.pk, t->def.npk, err);
    if (ix == NULL)
        return -SP_E_NOMEM;
    ix->unique = true;
    return 0;
}

/* A new unique index, and the proof that what is stored keeps it. */
static int add_unique(struct mock_table *t, const char *name, const char *const *columns, size_t n,
    bool nulls_equal, struct sp_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (sp_table_column(&t->def, columns[i]) == NULL)
            return mock_fail(
                err, SP_E_UNSUPPORTED, "uniqueness needs declared columns, not \"%s\"", columns[i]);
    }
    struct mock_index *ix = mock_index_new(t, name == NULL ? "unique" : name, columns, n, err);
    if (ix == NULL)
        return -SP_E_NOMEM;
    ix->unique = true;
    ix->nulls_equal = nulls_equal;
    if (nulls_equal) { /* keys with nulls belong to it, too */
        mock_index_clear(ix);
        for (size_t i = 0; i < t->nv; i++) {
            if (mock_index_add(t, ix, t->v[i]) != 0)
                return sp_nomem(err);
        }
    }
    for (size_t i = 0; i < t->nv; i++) {
        int rc = mock_latest(t->v[i], NULL) == MOCK_LIVE ? mock_unique_check(NULL, t, ix, t->v[i], err) : 0;
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int add_check(struct mock_table *t, const struct sp_check *def, struct sp_error *err)
{
    struct mock_check *c = sp_arena_alloc(&t->arena, sizeof *c);
    if (c == NULL)
        return sp_nomem(err);
    int rc = mock_check_parse(t, def, c, err);
    for (size_t i = 0; rc == 0 && i < t->nv; i++) {
        if (mock_latest(t->v[i], NULL) == MOCK_LIVE)
            rc = mock_checks_hold(t, c, t->v[i], err);
    }
    if (rc == 0) {
        c->next = t->checks;
        t->checks = c;
    }
    return rc;
}

static int add_index(struct mock_table *t, const struct sp_index *def, struct sp_error *err)
{
    if (!def->unique)
        return 0; /* only a promise of speed */
    if (def->where != NULL)
        return mock_fail(err, SP_E_UNSUPPORTED,
            "unique index \"%s\" has a predicate; only whole ones are enforced",
            def->name == NULL ? "" : def->name);
    return add_unique(t, def->name, def->columns, def->ncolumns, false, err);
}

static int add_extras(struct mock_table *t, const struct sp_table *d, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < d->nuniques; i++)
        rc = add_unique(t, d->uniques[i].name, d->uniques[i].columns, d->uniques[i].ncolumns,
            d->uniques[i].nulls_equal, err);
    for (size_t i = 0; rc == 0 && i < d->nindexes; i++)
        rc = add_index(t, &d->indexes[i], err);
    for (size_t i = 0; rc == 0 && i < d->nchecks; i++)
        rc = add_check(t, &d->checks[i], err);
    for (size_t i = 0; rc == 0 && i < d->nfks; i++)
        rc = mock_fk_add(t, &d->fks[i], err);
    return rc;
}

/* All of them, or none. */
static int finish(struct mock_table *t, const struct sp_table *given, struct sp_error *err)
{
    struct sp_table d;
    size_t nindexes = t->nindexes;
    if (t->finished)
        return mock_fail(err, SP_E_EXISTS, "table \"%s\" has its constraints already", t->def.name);
    if (sp_table_copy(&t->arena, &d, given) != 0)
        return sp_nomem(err);
    int rc = add_extras(t, &d, err);
    if (rc != 0) {
        t->fks = NULL;
        t->checks = NULL;
        while (t->nindexes > nindexes)
            mock_index_free(t->indexes[--t->nindexes]);
        return rc;
    }
    t->def.uniques = d.uniques;
    t->def.nuniques = d.nuniques;
    t->def.checks = d.checks;
    t->def.nchecks = d.nchecks;
    t->def.fks = d.fks;
    t->def.nfks = d.nfks;
    t->def.indexes = d.indexes;
    t->def.nindexes = d.nindexes;
    t->finished = true;
    return 0;
}

static void release(struct mock_table *t)
{
    for (size_t i = 0; i < t->nindexes; i++)
        mock_index_free(t->indexes[i]);
    for (size_t i = 0; i < t->nv; i++)
        free(t->v[i]);
    free(t->indexes);
    free(t->v);
    free(t->ns);
    free(t->defaults);
    free(t->counters);
    free(t->required);
    sp_arena_free(&t->arena);
    free(t);
}

void mock_table_free(struct mock_table *t)
{
    struct mock_store *st = t->store;
    size_t kept = 0;
    for (struct mock_table **p = &st->tables; *p != NULL; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            break;
        }
    }
    for (size_t i = 0; i < st->nlog; i++) {
        if (st->log[i].t != t)
            st->log[kept++] = st->log[i];
    }
    st->nlog = kept;
    mock_role_forget_table(st, t);
    release(t);
}

static int ddl_check(struct mock_session *s, const char *what, struct sp_error *err)
{
    if (s->txn != NULL)
        return mock_fail(err, SP_E_INVALID, "a transaction or snapshot is open; %s outside of it", what);
    return mock_owner_check(s, what, err);
}

static int create(
    struct mock_session *s, const struct sp_table *given, bool with_extras, struct sp_error *err)
{
    const char *ns = given->ns == NULL ? s->ns : given->ns;
    struct mock_table *t;
    int rc = ddl_check(s, "create a table", err);
    if (rc != 0)
        return rc;
    if (!mock_ns_exists(s->store, ns))
        return mock_fail(err, SP_E_NOT_FOUND, "namespace \"%s\" does not exist", ns);
    if (mock_table_find(s, ns, given->name, &t, NULL) == 0)
        return mock_fail(err, SP_E_EXISTS, "table \"%s\" exists already", given->name);
    t = calloc(1, sizeof *t);
    if (t == NULL)
        return sp_nomem(err);
    t->store = s->store;
    t->ns = strdup(ns);
    if (t->ns == NULL || sp_table_copy(&t->arena, &t->def, given) != 0) {
        release(t);
        return sp_nomem(err);
    }
    t->def.nuniques = t->def.nchecks = t->def.nfks = t->def.nindexes = 0;
    t->def.native_definition = t->def.native_kind = NULL; /* words of another backend */
    t->def.native_verbatim = t->def.without_rowid = false;
    t->next = s->store->tables; /* in place now, for foreign keys to itself */
    s->store->tables = t;
    rc = build(t, err);
    if (rc == 0 && with_extras)
        rc = finish(t, given, err);
    if (rc != 0) {
        mock_table_free(t);
        return rc;
    }
    t->created = ++s->store->stamp;
    return 0;
}

int mock_table_create(
    struct sp_session *ss, const struct sp_table *given, bool with_extras, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = create(s, given, with_extras, err);
    mock_leave(s);
    return rc;
}

int mock_table_finish(struct sp_session *ss, const struct sp_table *given, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_table *t;
    mock_enter(s);
    int rc = ddl_check(s, "add constraints", err);
    if (rc == 0)
        rc = mock_table_find(s, given->ns, given->name, &t, err);
    if (rc == 0)
        rc = mock_table_free_check(s, t, err);
    if (rc == 0)
        rc = finish(t, given, err);
    mock_leave(s);
    return rc;
}

static int drop(struct mock_session *s, const char *name, struct sp_error *err)
{
    struct mock_table *t;
    int rc = ddl_check(s, "drop a table", err);
    if (rc == 0)
        rc = mock_table_find(s, NULL, name, &t, err);
    if (rc == 0)
        rc = mock_table_free_check(s, t, err);
    if (rc != 0)
        return rc;
    for (const struct mock_table *o = s->store->tables; o != NULL; o = o->next) {
        for (const struct mock_fk *fk = o->fks; fk != NULL; fk = fk->next) {
            if (fk->parent == t && o != t)
                return mock_fail(err, SP_E_FOREIGN_KEY, "table \"%s\" references table \"%s\"; drop it first",
                    o->def.name, name);
        }
    }
    mock_table_free(t);
    return 0;
}

int mock_table_drop(struct sp_session *ss, const char *name, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = drop(s, name, err);
    mock_leave(s);
    return rc;
}

/* Throws away versions that no snapshot from `horizon` on can see. Does nothing when memory is short: it is tried
 * again after the next transaction. */
void mock_table_compact(struct mock_table *t, uint64_t horizon)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->nindexes; i++)
        mock_index_clear(t->indexes[i]);
    for (size_t i = 0; i < t->nv; i++) {
        struct mock_version *v = t->v[i];
        if (v->dead || (v->end != 0 && v->end <= horizon))
            free(v);
        else
            t->v[kept++] = v;
    }
    t->nv = kept;
    t->ndead = 0;
    for (size_t i = 0; i < kept; i++) {
        t->ndead += t->v[i]->end != 0;
        for (size_t k = 0; k < t->nindexes; k++)
            (void)mock_index_add(t, t->indexes[k], t->v[i]);
    }
}

/* ---- describing ------------------------------------------------------------------------------------------------- */

static int by_table(const void *a, const void *b)
{
    return strcmp(((const struct sp_table *)a)->name, ((const struct sp_table *)b)->name);
}

static int by_sequence(const void *a, const void *b)
{
    return strcmp(((const struct sp_sequence *)a)->name, ((const struct sp_sequence *)b)->name);
}

/* Types in the mock's own words, and referenced columns spelled out. */
static int spell_out(struct sp_arena *a, struct sp_table *d, const struct mock_table *t)
{
    struct sp_column *cols = sp_arena_array(a, d->ncolumns + 1, sizeof *cols);
    struct sp_fk *fks = sp_arena_array(a, d->nfks + 1, sizeof *fks);
    struct sp_buf b = SP_BUF_INIT;
    int rc = cols == NULL || fks == NULL ? -SP_E_NOMEM : 0;
    for (size_t i = 0; rc == 0 && i < d->ncolumns; i++) {
        cols[i] = d->columns[i];
        cols[i].not_null = t->required[i];
        sp_buf_clear(&b);
        rc = sp_type_print(&b, &cols[i].type);
        cols[i].native_type = rc == 0 ? sp_arena_strn(a, b.p, b.n) : NULL;
        if (cols[i].native_type == NULL)
            rc = -SP_E_NOMEM;
    }
    sp_buf_free(&b);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < d->nfks; i++) {
        fks[i] = d->fks[i];
        for (const struct mock_fk *fk = t->fks; fk != NULL; fk = fk->next) {
            if (fks[i].ref_columns == NULL && fk->def == &t->def.fks[i])
                fks[i].ref_columns = fk->parent->def.pk;
        }
    }
    d->columns = cols;
    d->fks = fks;
    d->ns = *t->ns == '\0' ? NULL : sp_arena_str(a, t->ns);
    d->strict = true;
    return *t->ns != '\0' && d->ns == NULL ? -SP_E_NOMEM : 0;
}

static int describe(
    struct sp_schema *out, const struct mock_table *t, struct sp_table *to, struct sp_sequence *sequences)
{
    struct sp_arena *a = &out->arena;
    struct sp_table plain;
    if (sp_table_copy(a, &plain, &t->def) != 0 || spell_out(a, &plain, t) != 0 ||
        sp_table_copy(a, to, &plain) != 0)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < to->ncolumns; i++) {
        if (!to->columns[i].identity)
            continue;
        struct sp_sequence *q = &sequences[out->nsequences++];
        *q = (struct sp_sequence){ .name = sp_arena_printf(a, "%s_%s_seq", to->name, to->columns[i].name),
            .table = to->name,
            .column = to->columns[i].name,
            .next = t->counters[i].next,
            .increment = t->counters[i].increment };
        if (q->name == NULL)
            return -SP_E_NOMEM;
    }
    return 0;
}

static bool shown(const struct mock_session *s, const struct mock_table *t, const char *ns)
{
    return strcmp(t->ns, ns) == 0 &&
           (s->txn == NULL || s->txn->isolation == SP_ISO_READ_COMMITTED || t->created <= s->txn->snapshot);
}

static int introspect(struct mock_session *s, const char *ns, struct sp_schema *out, struct sp_error *err)
{
    size_t ntables = 0, nsequences = 0;
    if (!mock_ns_exists(s->store, ns))
        return mock_fail(err, SP_E_NOT_FOUND, "namespace \"%s\" does not exist", ns);
    for (const struct mock_table *t = s->store->tables; t != NULL; t = t->next) {
        if (shown(s, t, ns)) {
            ntables++;
            nsequences += t->def.ncolumns;
        }
    }
    struct sp_table *tables = sp_arena_array(&out->arena, ntables + 1, sizeof *tables);
    struct sp_sequence *sequences = sp_arena_array(&out->arena, nsequences + 1, sizeof *sequences);
    if (tables == NULL || sequences == NULL)
        return sp_nomem(err);
    for (const struct mock_table *t = s->store->tables; t != NULL; t = t->next) {
        if (shown(s, t, ns) && describe(out, t, &tables[out->ntables++], sequences) != 0)
            return sp_nomem(err);
    }
    qsort(tables, out->ntables, sizeof *tables, by_table);
    qsort(sequences, out->nsequences, sizeof *sequences, by_sequence);
    out->tables = tables;
    out->sequences = sequences;
    return 0;
}

int mock_introspect(struct sp_session *ss, const char *ns, struct sp_schema **out, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct sp_schema *schema = sp_schema_new();
    if (schema == NULL)
        return sp_nomem(err);
    mock_enter(s);
    int rc = introspect(s, ns == NULL ? "" : ns, schema, err);
    mock_leave(s);
    if (rc != 0) {
        sp_schema_free(schema);
        return rc;
    }
    *out = schema;
    return 0;
}
