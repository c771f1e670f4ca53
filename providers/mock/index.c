/* index.c -- hash indexes over versions. A key is the 128-bit digest of the canonical bytes of its columns. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

int mock_key(struct mock_store *st, const size_t *cols, size_t ncols, bool nulls_equal,
    const struct sp_value *values, struct sp_d128 *out)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    sp_buf_clear(&st->scratch);
    for (size_t i = 0; i < ncols; i++) {
        struct sp_value v = values[cols[i]];
        if (sp_v_is_absent(&v)) {
            if (!nulls_equal)
                return 1;
            v = sp_v_null();
        }
        /* For a key, 0.0 and -0.0 are one number, as they are for the comparison operators. */
        if (v.tag == SP_F64 && v.u.f64 == 0)
            v.u.f64 = 0;
        if (v.tag == SP_F32 && v.u.f32 == 0)
            v.u.f32 = 0;
        if (sp_canon_field(&st->scratch, &dynamic, &v, NULL) != 0)
            return -SP_E_NOMEM;
    }
    *out = sp_d128_of(st->scratch.p, st->scratch.n);
    return 0;
}

struct mock_index *mock_index_new(
    struct mock_table *t, const char *name, const char *const *columns, size_t n, struct sp_error *err)
{
    struct mock_index *ix = calloc(1, sizeof *ix);
    struct mock_index **list = t->indexes;
    if (t->nindexes == t->cap_indexes) {
        size_t cap = t->cap_indexes == 0 ? 4 : t->cap_indexes * 2;
        list = realloc(t->indexes, cap * sizeof *list);
        if (list != NULL) {
            t->indexes = list;
            t->cap_indexes = cap;
        }
    }
    if (ix != NULL)
        ix->cols = calloc(n, sizeof *ix->cols);
    if (ix == NULL || list == NULL || ix->cols == NULL)
        goto nomem;
    for (size_t i = 0; i < n; i++)
        ix->cols[i] = (size_t)sp_table_column_index(&t->def, columns[i]);
    ix->ncols = n;
    ix->name = name;
    for (size_t i = 0; i < t->nv; i++) {
        if (mock_index_add(t, ix, t->v[i]) != 0)
            goto nomem;
    }
    t->indexes[t->nindexes++] = ix;
    return ix;
nomem:
    mock_index_free(ix);
    sp_nomem(err);
    return NULL;
}

int mock_index_reserve(struct mock_index *ix, size_t more)
{
    if (ix->nentries + more <= ix->nbuckets)
        return 0;
    size_t n = ix->nbuckets == 0 ? 64 : ix->nbuckets;
    while (n < ix->nentries + more)
        n *= 2;
    struct mock_entry **to = calloc(n, sizeof *to);
    if (to == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < ix->nbuckets; i++) {
        for (struct mock_entry *e = ix->buckets[i], *next; e != NULL; e = next) {
            next = e->next;
            e->next = to[e->key.lo & (n - 1)];
            to[e->key.lo & (n - 1)] = e;
        }
    }
    free(ix->buckets);
    ix->buckets = to;
    ix->nbuckets = n;
    return 0;
}

int mock_index_add(struct mock_table *t, struct mock_index *ix, struct mock_version *v)
{
    struct sp_d128 key;
    int rc = mock_key(t->store, ix->cols, ix->ncols, ix->nulls_equal, v->values, &key);
    if (rc != 0)
        return rc == 1 ? 0 : rc;
    if (mock_index_reserve(ix, 1) != 0)
        return -SP_E_NOMEM;
    struct mock_entry *e = malloc(sizeof *e);
    if (e == NULL)
        return -SP_E_NOMEM;
    struct mock_entry **bucket = &ix->buckets[key.lo & (ix->nbuckets - 1)];
    *e = (struct mock_entry){ key, v, *bucket };
    *bucket = e;
    ix->nentries++;
    return 0;
}

static struct mock_entry *same_key(struct mock_entry *e, struct sp_d128 key)
{
    while (e != NULL && !sp_d128_eq(e->key, key))
        e = e->next;
    return e;
}

struct mock_entry *mock_index_first(const struct mock_index *ix, struct sp_d128 key)
{
    return ix->nbuckets == 0 ? NULL : same_key(ix->buckets[key.lo & (ix->nbuckets - 1)], key);
}

struct mock_entry *mock_entry_next(const struct mock_entry *e)
{
    return same_key(e->next, e->key);
}

void mock_index_clear(struct mock_index *ix)
{
    for (size_t i = 0; i < ix->nbuckets; i++) {
        for (struct mock_entry *e = ix->buckets[i], *next; e != NULL; e = next) {
            next = e->next;
            free(e);
        }
        ix->buckets[i] = NULL;
    }
    ix->nentries = 0;
}

void mock_index_free(struct mock_index *ix)
{
    if (ix == NULL)
        return;
    mock_index_clear(ix);
    free(ix->buckets);
    free(ix->cols);
    free(ix);
}
