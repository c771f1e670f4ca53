/* fk.c -- foreign keys: their actions, and the check at the end of an operation or, deferred, of a transaction. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static bool holds(const struct mock_index *ix, size_t column)
{
    for (size_t i = 0; i < ix->ncols; i++) {
        if (ix->cols[i] == column)
            return true;
    }
    return false;
}

/* The unique index over exactly these columns, in any order. */
static struct mock_index *unique_over(struct mock_table *t, const char *const *columns, size_t n)
{
    for (size_t k = 0; k < t->nindexes; k++) {
        struct mock_index *ix = t->indexes[k];
        bool all = ix->unique && ix->ncols == n;
        for (size_t i = 0; all && i < n; i++) {
            int c = sp_table_column_index(&t->def, columns[i]);
            all = c >= 0 && holds(ix, (size_t)c);
        }
        if (all)
            return ix;
    }
    return NULL;
}

static struct mock_table *sibling(const struct mock_table *t, const char *name)
{
    struct mock_table *p = t->store->tables;
    while (p != NULL && (strcmp(p->ns, t->ns) != 0 || strcmp(p->def.name, name) != 0))
        p = p->next;
    return p;
}

/* Pairs child and parent columns in the order of the parent's index. */
static int pair(struct mock_fk *fk, const char *const *refs, struct sp_error *err)
{
    for (size_t i = 0; i < fk->ncols; i++) {
        fk->ref_cols[i] = fk->parent_index->cols[i];
        for (size_t k = 0; k < fk->ncols; k++) {
            if (strcmp(fk->parent->def.columns[fk->ref_cols[i]].name, refs[k]) == 0)
                fk->cols[i] = (size_t)sp_table_column_index(&fk->child->def, fk->def->columns[k]);
        }
        const struct sp_column *a = &fk->child->def.columns[fk->cols[i]];
        const struct sp_column *b = &fk->parent->def.columns[fk->ref_cols[i]];
        if (a->type.tag != b->type.tag)
            return mock_fail(err, SP_E_INVALID,
                "foreign key column \"%s\" and what it references, \"%s\", "
                "are of different types",
                a->name, b->name);
    }
    return 0;
}

int mock_fk_add(struct mock_table *t, const struct sp_fk *def, struct sp_error *err)
{
    struct mock_table *parent = sibling(t, def->ref_table);
    if (parent == NULL)
        return mock_fail(err, SP_E_NOT_FOUND, "table \"%s\" references table \"%s\", which does not exist",
            t->def.name, def->ref_table);
    const char *const *refs = def->ref_columns;
    if (refs == NULL && parent->def.npk == def->ncolumns)
        refs = parent->def.pk;
    struct mock_index *target = refs == NULL ? NULL : unique_over(parent, refs, def->ncolumns);
    if (target == NULL)
        return mock_fail(err, SP_E_INVALID,
            "table \"%s\" references columns of \"%s\" that are neither primary key nor unique", t->def.name,
            def->ref_table);
    struct mock_fk *fk = sp_arena_alloc(&t->arena, sizeof *fk);
    size_t *cols = sp_arena_array(&t->arena, def->ncolumns * 2, sizeof *cols);
    const char **names = sp_arena_array(&t->arena, def->ncolumns, sizeof *names);
    if (fk == NULL || cols == NULL || names == NULL)
        return sp_nomem(err);
    *fk = (struct mock_fk){ .def = def,
        .child = t,
        .parent = parent,
        .cols = cols,
        .ref_cols = cols + def->ncolumns,
        .ncols = def->ncolumns,
        .parent_index = target };
    int rc = pair(fk, refs, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < fk->ncols; i++)
        names[i] = t->def.columns[cols[i]].name;
    fk->child_index = mock_index_new(t, NULL, names, fk->ncols, err);
    if (fk->child_index == NULL)
        return -SP_E_NOMEM;
    fk->next = t->fks;
    t->fks = fk;
    return mock_fk_check_all(NULL, fk, err);
}

static int broken(const struct mock_fk *fk, const char *what, struct sp_error *err)
{
    return mock_fail(err, SP_E_FOREIGN_KEY,
        "%s: the foreign key of table \"%s\" on table \"%s\"%s%s does not hold", what, fk->child->def.name,
        fk->parent->def.name, fk->def->name == NULL ? "" : ", ", fk->def->name == NULL ? "" : fk->def->name);
}

/* ---- actions ------------------------------------------------------------------------------------------------- */

/* Rows of the child that hold the key, in the newest state. The list is the caller's to free. */
static int children(struct mock_txn *x, const struct mock_fk *fk, struct sp_d128 key,
    struct mock_version ***out, size_t *n, struct sp_error *err)
{
    struct mock_version **list = NULL;
    size_t count = 0, cap = 0;
    for (struct mock_entry *e = mock_index_first(fk->child_index, key); e != NULL; e = mock_entry_next(e)) {
        enum mock_seen seen = mock_latest(e->v, x);
        if (seen == MOCK_BUSY) {
            free(list);
            return mock_conflict(x, err, "another transaction is changing a row that references this one");
        }
        if (seen == MOCK_GONE)
            continue;
        if (count == cap) {
            cap = cap == 0 ? 16 : cap * 2;
            struct mock_version **more = realloc(list, cap * sizeof(*more));
            if (more == NULL) {
                free(list);
                return sp_nomem(err);
            }
            list = more;
        }
        list[count++] = e->v;
    }
    *out = list;
    *n = count;
    return 0;
}

/* The child's foreign key columns follow the parent, become null or take their defaults. */
static int rewrite(struct mock_txn *x, const struct mock_fk *fk, struct mock_version *child,
    const struct mock_version *parent, enum sp_fk_action action, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    const char **names = sp_arena_array(&a, fk->ncols, sizeof *names);
    struct sp_value *values = sp_arena_array(&a, fk->ncols, sizeof *values);
    int rc;
    if (names == NULL || values == NULL) {
        rc = sp_nomem(err);
        goto out;
    }
    for (size_t i = 0; i < fk->ncols; i++) {
        names[i] = fk->child->def.columns[fk->cols[i]].name;
        values[i] = sp_v_null();
        if (action == SP_FK_CASCADE)
            values[i] = parent->values[fk->ref_cols[i]];
        else if (action == SP_FK_SET_DEFAULT && fk->child->defaults[fk->cols[i]].tag != SP_MISSING)
            values[i] = fk->child->defaults[fk->cols[i]];
    }
    struct mock_version *v;
    rc = mock_replace(x, fk->child, child, names, fk->ncols, values, &v, err);
out:
    sp_arena_free(&a);
    return rc;
}

static int act(struct mock_session *s, struct mock_txn *x, const struct mock_fk *fk, struct mock_undo u,
    struct sp_error *err)
{
    enum sp_fk_action action = u.replacement == NULL ? fk->def->on_delete : fk->def->on_update;
    struct sp_d128 key, now;
    struct mock_store *st = s->store;
    if (action == SP_FK_NO_ACTION)
        return 0;
    int rc = mock_key(st, fk->ref_cols, fk->ncols, false, u.v->values, &key);
    if (rc != 0)
        return rc == 1 ? 0 : sp_nomem(err);
    if (u.replacement != NULL) {
        rc = mock_key(st, fk->ref_cols, fk->ncols, false, u.replacement->values, &now);
        if (rc < 0)
            return sp_nomem(err);
        if (rc == 0 && sp_d128_eq(key, now))
            return 0;
    }
    struct mock_version **list = NULL;
    size_t n = 0;
    rc = children(x, fk, key, &list, &n, err);
    if (rc == 0 && n > 0 && action == SP_FK_RESTRICT)
        rc = broken(fk, "rows still reference the one that goes", err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = mock_tick(s, err);
        if (rc != 0)
            break;
        if (action == SP_FK_CASCADE && u.replacement == NULL)
            rc = mock_txn_end(x, fk->child, list[i], NULL, err);
        else
            rc = rewrite(x, fk, list[i], u.replacement, action, err);
    }
    free(list);
    return rc;
}

/* What an action does is appended to the undo log, and so gets its own actions further down this loop. */
int mock_fk_actions(struct mock_session *s, struct mock_txn *x, size_t mark, struct sp_error *err)
{
    for (size_t i = mark; i < x->nundo; i++) {
        if (x->undo[i].kind != MOCK_ENDED)
            continue;
        for (struct mock_table *t = s->store->tables; t != NULL; t = t->next) {
            for (struct mock_fk *fk = t->fks; fk != NULL; fk = fk->next) {
                int rc = fk->parent == x->undo[i].t ? act(s, x, fk, x->undo[i], err) : 0;
                if (rc != 0)
                    return rc;
            }
        }
    }
    return 0;
}

/* ---- checks --------------------------------------------------------------------------------------------------- */

/* 1 there is a parent with the key, 0 none, negative error. A parent that is not committed yet is none. */
static int parent_of(struct mock_txn *x, const struct mock_fk *fk, struct sp_d128 key, struct sp_error *err)
{
    for (struct mock_entry *e = mock_index_first(fk->parent_index, key); e != NULL; e = mock_entry_next(e)) {
        enum mock_seen seen = mock_latest(e->v, x);
        if (seen == MOCK_LIVE)
            return 1;
        if (seen == MOCK_BUSY && e->v->creator == NULL)
            return mock_conflict(x, err, "another transaction is changing the row that this one references");
    }
    return 0;
}

static int child_holds(
    struct mock_txn *x, const struct mock_fk *fk, const struct mock_version *v, struct sp_error *err)
{
    struct sp_d128 key;
    int rc = mock_key(fk->child->store, fk->cols, fk->ncols, false, v->values, &key);
    if (rc != 0)
        return rc == 1 ? 0 : sp_nomem(err);
    rc = parent_of(x, fk, key, err);
    if (rc < 0)
        return rc;
    return rc == 1 ? 0 : broken(fk, "no such row to reference", err);
}

static int parent_gone_holds(
    struct mock_txn *x, const struct mock_fk *fk, const struct mock_version *v, struct sp_error *err)
{
    struct sp_d128 key;
    int rc = mock_key(fk->child->store, fk->ref_cols, fk->ncols, false, v->values, &key);
    if (rc != 0)
        return rc == 1 ? 0 : sp_nomem(err);
    rc = parent_of(x, fk, key, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    struct mock_version **list = NULL;
    size_t n = 0;
    rc = children(x, fk, key, &list, &n, err);
    free(list);
    if (rc == 0 && n > 0)
        rc = broken(fk, "rows still reference the one that goes", err);
    return rc;
}

int mock_fk_check(
    struct mock_session *s, struct mock_txn *x, size_t mark, bool deferred, struct sp_error *err)
{
    for (size_t i = mark; i < x->nundo; i++) {
        const struct mock_undo u = x->undo[i];
        bool mine = u.kind == MOCK_CREATED && mock_latest(u.v, x) == MOCK_LIVE;
        for (const struct mock_fk *fk = u.t->fks; mine && fk != NULL; fk = fk->next) {
            int rc = fk->def->initially_deferred == deferred ? child_holds(x, fk, u.v, err) : 0;
            if (rc != 0)
                return rc;
        }
        if (u.kind != MOCK_ENDED)
            continue;
        for (const struct mock_table *t = s->store->tables; t != NULL; t = t->next) {
            for (const struct mock_fk *fk = t->fks; fk != NULL; fk = fk->next) {
                if (fk->parent != u.t || fk->def->initially_deferred != deferred)
                    continue;
                int rc = parent_gone_holds(x, fk, u.v, err);
                if (rc != 0)
                    return rc;
            }
        }
    }
    return 0;
}

int mock_fk_check_all(struct mock_txn *x, const struct mock_fk *fk, struct sp_error *err)
{
    for (size_t i = 0; i < fk->child->nv; i++) {
        const struct mock_version *v = fk->child->v[i];
        int rc = mock_latest(v, x) == MOCK_LIVE ? child_holds(x, fk, v, err) : 0;
        if (rc != 0)
            return rc;
    }
    return 0;
}
