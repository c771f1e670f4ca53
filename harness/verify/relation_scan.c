/* relation_scan.c -- finds orphans in bounded memory.
 *
 * The parent's keys are kept as sorted digests. When they don't fit, the range of digests is cut, and parent and child
 * are read again for the next range. Each side goes its own way through the ranges, both at the same time. */
#include <stdlib.h>

#include "verify/relations.h"

struct seeker {
    struct sp_vrelside *s;
    struct sp_d128 *parents;
    size_t n, cap, ids_cap;
    size_t nmatch;        /* matching columns */
    uint64_t from, below; /* range of the digest's high half; below 0 = to the end */
    bool done, stuck;
};

static bool in_range(const struct seeker *k, uint64_t hi)
{
    return hi >= k->from && (k->below == 0 || hi < k->below);
}

static void compact(struct seeker *k)
{
    size_t to = 0;
    sp_v_sort_digests(k->parents, k->n);
    for (size_t i = 0; i < k->n; i++)
        if (to == 0 || !sp_d128_eq(k->parents[to - 1], k->parents[i]))
            k->parents[to++] = k->parents[i];
    k->n = to;
}

static bool make_room(struct seeker *k)
{
    compact(k);
    if (k->n < k->cap - k->cap / 4)
        return true;
    size_t cut = k->n / 2;
    if (cut == 0 || k->parents[cut].hi == k->parents[0].hi)
        return false;
    while (k->parents[cut - 1].hi == k->parents[cut].hi)
        cut--;
    k->below = k->parents[cut].hi;
    k->n = cut;
    return true;
}

static int on_parent(void *payload, const struct sp_rowview *row)
{
    struct seeker *k = payload;
    if (!in_range(k, row->key.hi))
        return 0;
    if (k->n == k->cap) {
        if (!make_room(k)) {
            k->stuck = true;
            return -SP_E_TOO_LARGE;
        }
        if (!in_range(k, row->key.hi))
            return 0;
    }
    k->parents[k->n++] = row->key;
    return 0;
}

struct sp_d128 sp_v_rel_identity(const struct sp_rowview *row)
{
    return sp_d128_of(row->row + row->nkey, row->nrow - row->nkey);
}

/* MATCH SIMPLE: a reference with a null in it refers to nothing. 1, 0, or negative for a damaged row. */
static int has_null(const struct sp_rowview *row, size_t nmatch)
{
    size_t at = 0;
    for (size_t i = 0; i < nmatch; i++) {
        struct sp_vfield f;
        int64_t used = sp_v_field(row->row + at, row->nkey - at, &f);
        if (used < 0)
            return (int)used;
        if (f.state == SP_ST_NULL || f.state == SP_ST_MISSING)
            return 1;
        at += (size_t)used;
    }
    return 0;
}

static int on_child(void *payload, const struct sp_rowview *row)
{
    struct seeker *k = payload;
    if (!in_range(k, row->key.hi))
        return 0;
    if (k->n != 0 && sp_v_find_digest(k->parents, k->n, row->key) < k->n)
        return 0;
    int null = has_null(row, k->nmatch);
    if (null != 0)
        return null < 0 ? null : 0;
    struct sp_d128 id = sp_v_rel_identity(row);
    sp_digest_add(&k->s->orphans, id);
    if (k->s->nids < k->ids_cap)
        k->s->ids[k->s->nids++] = id;
    else
        k->s->overflow = true;
    return 0;
}

static int failure(
    const struct sp_vscan v[2], const struct seeker k[2], const char *table, struct sp_error *err)
{
    for (int i = 0; i < 2; i++) {
        if (v[i].session == NULL || v[i].rc == 0)
            continue;
        if (k[i].stuck)
            return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS, "%s: table %s does not fit into memory",
                sp_v_side_name((enum sp_side)i), table);
        return sp_fail(err, v[i].err.code == SP_E_OK ? SP_E_INTERNAL : v[i].err.code, v[i].err.origin,
            "%s: table %s could not be read: %s", sp_v_side_name((enum sp_side)i), table,
            sp_error_text(&v[i].err));
    }
    return 0;
}

/* One scan on each side that is not done: of the parents, or of the children. */
static int scan_both(
    struct sp_vctx *c, struct sp_vrel *r, struct seeker k[2], bool parents, struct sp_error *err)
{
    struct sp_vscan v[2];
    for (int i = 0; i < 2; i++) {
        const struct sp_vrelside *s = &r->side[i];
        const struct sp_table *t = k[i].done ? NULL : parents ? s->parent : s->child;
        sp_v_scan_init(c, &v[i], (enum sp_side)i, t, parents ? s->parent_cols : s->child_cols,
            parents ? r->fk->ncolumns : s->nchild, r->fk->ncolumns, false);
        v[i].row = parents ? on_parent : on_child;
        v[i].payload = &k[i];
    }
    const char *table = parents ? r->fk->ref_table : r->pair->name;
    int rc = sp_v_scan(c, v, table, 0);
    if (rc == 0)
        rc = failure(v, k, table, err);
    sp_v_scan_free(v);
    return rc;
}

static int passes(struct sp_vctx *c, struct sp_vrel *r, struct seeker k[2], struct sp_error *err)
{
    while (!k[0].done || !k[1].done) {
        for (int i = 0; i < 2; i++)
            k[i].n = 0;
        int rc = scan_both(c, r, k, true, err);
        if (rc != 0)
            return rc;
        for (int i = 0; i < 2; i++)
            if (!k[i].done)
                compact(&k[i]);
        rc = scan_both(c, r, k, false, err);
        if (rc != 0)
            return rc;
        for (int i = 0; i < 2; i++) {
            k[i].done = k[i].done || k[i].below == 0;
            k[i].from = k[i].below;
            k[i].below = 0;
        }
    }
    return 0;
}

int sp_v_rel_scan(struct sp_vctx *c, struct sp_vrel *r, struct sp_error *err)
{
    size_t share = c->memory / 2;
    struct seeker k[2];
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        struct sp_vrelside *s = &r->side[i];
        k[i] = (struct seeker){ .s = s,
            .nmatch = r->fk->ncolumns,
            .cap = share / 4 * 3 / sizeof *k[i].parents,
            .ids_cap = share / 4 / sizeof *s->ids,
            .done = s->child == NULL || (i == 1 && r->proven_equal) };
        if (k[i].done)
            continue;
        k[i].parents = malloc((k[i].cap + 1) * sizeof *k[i].parents);
        s->ids = malloc((k[i].ids_cap + 1) * sizeof *s->ids);
        if (k[i].parents == NULL || s->ids == NULL)
            rc = sp_nomem(err);
    }
    if (rc == 0)
        rc = passes(c, r, k, err);
    free(k[0].parents);
    free(k[1].parents);
    return rc;
}
