/* integrity.c -- what is broken in the source already, and would stop a target that enforces it. */
#include <stdlib.h>
#include <string.h>

#include "assess/internal.h"
#include "verify/internal.h"

static bool enforces(const struct sp_actx *c, enum sp_cap_id cap)
{
    return c->opt->target == NULL || c->opt->target->declared[cap].level != SP_CAP_NO;
}

static const char *columns_of(struct sp_actx *c, const char *const *columns, size_t n)
{
    const char *text = "";
    for (size_t i = 0; i < n && text != NULL; i++)
        text = sp_arena_printf(&c->arena, "%s%s%s", text, i == 0 ? "" : ", ", columns[i]);
    return text != NULL ? text : "";
}

static void orphans(struct sp_actx *c, const struct sp_atable *x, const struct sp_fk *fk)
{
    struct sp_error err = SP_ERROR_INIT;
    uint64_t n = 0;
    const char *columns = columns_of(c, fk->columns, fk->ncolumns);
    if (sp_schema_table(c->schema, fk->ref_table) == NULL) {
        sp_a_finding(c, SP_RISK_MEDIUM, x->t->name, columns, "foreign key without a parent", 1, 0,
            "drop the foreign key, or bring the table along", "refers to %s, which is not there",
            fk->ref_table);
        return;
    }
    if (sp_verify_orphans(c->s, c->schema, x->t, fk, &n, &err) != 0)
        sp_a_unknown(c, x->t->name, "orphans", &err);
    else if (n != 0)
        sp_a_finding(c, enforces(c, SP_CAP_FOREIGN_KEYS) ? SP_RISK_HIGH : SP_RISK_MEDIUM, x->t->name, columns,
            "orphans", n, x->rows,
            "repair or remove these rows before the switch: a foreign key of the target would refuse them",
            "%llu rows refer to nothing in %s", (unsigned long long)n, fk->ref_table);
    c->orphans += n;
    if (fk->not_valid)
        sp_a_finding(c, SP_RISK_LOW, x->t->name, columns, "not validated", 1, 0,
            "validate it before the switch (VALIDATE CONSTRAINT)",
            "the foreign key to %s was never checked against the rows that were there before it",
            fk->ref_table);
    sp_error_clear(&err);
}

/* ---- keys that nobody enforces --------------------------------------------------------------------------------- */

struct keys {
    struct sp_d128 *v;
    size_t n, cap;
    bool full, oom;
};
#define KEYS_MOST ((size_t)1 << 21) /* 32 MiB */

static int on_key(void *payload, const struct sp_rowview *row)
{
    struct keys *k = payload;
    for (size_t at = 0; at < row->nkey;) {
        struct sp_vfield f;
        int64_t used = sp_v_field(row->row + at, row->nkey - at, &f);
        if (used <= 0 || f.state == SP_ST_NULL || f.state == SP_ST_MISSING) /* null equals nothing */
            return 0;
        at += (size_t)used;
    }
    if (k->n == KEYS_MOST) {
        k->full = true;
        return 1;
    }
    if (k->n == k->cap) {
        size_t cap = k->cap == 0 ? 1024 : k->cap * 2;
        struct sp_d128 *p = realloc(k->v, cap * sizeof *p);
        if (p == NULL) {
            k->oom = true;
            return -SP_E_NOMEM;
        }
        k->v = p;
        k->cap = cap;
    }
    k->v[k->n++] = row->key;
    return 0;
}

/* Surplus rows that repeat a key; negative error, or -SP_E_TOO_LARGE when there are too many rows to say. */
static int duplicates(struct sp_actx *c, const struct sp_atable *x, const char *const *columns, size_t n,
    uint64_t *out, struct sp_error *err)
{
    struct keys k = { .n = 0 };
    struct sp_rowbuf rb;
    struct sp_colplan *plan = sp_arena_array(&c->arena, n, sizeof *plan);
    if (plan == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const struct sp_column *col = sp_table_column(x->t, columns[i]);
        if (col == NULL)
            return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "%s is no column", columns[i]);
        plan[i] = (struct sp_colplan){
            .name = col->name, .source = col->name, .target = col->name, .type = col->type
        };
    }
    const struct sp_scan scan = { .ns = x->t->ns, .table = x->t->name, .cols = plan, .ncols = n, .nkey = n };
    int rc = sp_rowbuf_init(&rb, &scan, err);
    if (rc != 0)
        return rc;
    rb.sink = on_key;
    rb.payload = &k;
    rc = sp_db_scan(c->s, &scan, &rb, err);
    sp_rowbuf_free(&rb);
    if (k.oom)
        rc = sp_nomem(err);
    else if (k.full)
        rc = sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS,
            "more than %zu rows: not counted here; verify does", (size_t)KEYS_MOST);
    if (rc == 0) {
        sp_v_sort_digests(k.v, k.n);
        for (size_t i = 1; i < k.n; i++)
            *out += sp_d128_eq(k.v[i - 1], k.v[i]);
    }
    free(k.v);
    return rc;
}

static void invalid_index(struct sp_actx *c, const struct sp_atable *x, const struct sp_index *ix)
{
    struct sp_error err = SP_ERROR_INIT;
    uint64_t n = 0;
    const char *columns = columns_of(c, ix->columns, ix->ncolumns);
    if (!ix->unique || ix->where != NULL) {
        sp_a_finding(c, SP_RISK_LOW, x->t->name, columns, "invalid index", 1, 0, "rebuild it, or drop it",
            "index %s is invalid: the backend does not use it", ix->name);
        return;
    }
    int rc = duplicates(c, x, ix->columns, ix->ncolumns, &n, &err);
    if (rc != 0)
        sp_a_unknown(c, x->t->name, "duplicates", &err);
    sp_a_finding(c, n != 0 ? SP_RISK_HIGH : SP_RISK_MEDIUM, x->t->name, columns, "invalid index", n, x->rows,
        "remove the duplicates and rebuild the index: the target's would refuse them",
        "unique index %s is invalid, so nothing keeps its columns unique: %llu rows repeat another one's",
        ix->name, (unsigned long long)n);
    sp_error_clear(&err);
}

/* Without a key nothing can be resumed, retried or compared row by row. */
static void no_key(struct sp_actx *c, const struct sp_atable *x)
{
    static const char *const names[] = { "id", "uuid", "key", "code", NULL };
    struct sp_error err = SP_ERROR_INIT;
    uint64_t n = 0;
    const char *candidate = NULL;
    for (size_t i = 0; names[i] != NULL && candidate == NULL; i++)
        if (sp_table_column(x->t, names[i]) != NULL)
            candidate = names[i];
    int rc = candidate != NULL && x->rows <= KEYS_MOST ? duplicates(c, x, &candidate, 1, &n, &err) : 1;
    const char *could =
        rc != 0  ? ""
        : n == 0 ? sp_arena_printf(&c->arena, "; %s would be one", candidate)
                 : sp_arena_printf(&c->arena, "; %s repeats in %llu rows", candidate, (unsigned long long)n);
    sp_a_finding(c, SP_RISK_MEDIUM, x->t->name, NULL, "no key", n, x->rows,
        "add a primary key: without one rows cannot be matched, retried or carried over incrementally",
        "the table has no primary key and no unique one over columns that are never null%s",
        could != NULL ? could : "");
    sp_error_clear(&err);
}

static bool has_key(const struct sp_table *t)
{
    for (size_t i = 0; i < t->nuniques; i++) {
        bool filled = true;
        for (size_t k = 0; k < t->uniques[i].ncolumns; k++) {
            const struct sp_column *col = sp_table_column(t, t->uniques[i].columns[k]);
            filled = filled && col != NULL && col->not_null;
        }
        if (filled)
            return true;
    }
    return t->npk != 0;
}

/* SQLite lets keys be null, for old times' sake; nobody else does. */
static void null_keys(struct sp_actx *c, const struct sp_atable *x)
{
    for (size_t i = 0; i < x->t->npk; i++) {
        const struct sp_column *col = sp_table_column(x->t, x->t->pk[i]);
        int at = sp_table_column_index(x->t, x->t->pk[i]);
        int64_t n = 0;
        if (col == NULL || at < 0 || col->not_null || x->t->ns != NULL)
            continue;
        const struct sp_filter null = { .op = SP_F_IS_NULL, .column = col->name };
        struct sp_error err = SP_ERROR_INIT;
        if (sp_db_count(c->s, x->t->name, &null, &n, &err) != 0)
            sp_a_unknown(c, x->t->name, "null keys", &err);
        else if (n != 0)
            sp_a_finding(c, SP_RISK_HIGH, x->t->name, col->name, "null in a key", (uint64_t)n, x->rows,
                "give these rows a key before the switch: no other backend takes a null there",
                "%lld rows have null in the primary key", (long long)n);
        sp_error_clear(&err);
    }
}

void sp_a_integrity(struct sp_actx *c, struct sp_atable *x)
{
    for (size_t i = 0; i < x->t->nfks && c->rc == 0; i++)
        orphans(c, x, &x->t->fks[i]);
    for (size_t i = 0; i < x->t->nindexes && c->rc == 0; i++)
        if (x->t->indexes[i].invalid)
            invalid_index(c, x, &x->t->indexes[i]);
    if (!has_key(x->t))
        no_key(c, x);
    null_keys(c, x);
}
