/* relation_scan.c -- finds orphans in bounded memory.
 *
 * First only the referencing columns are read: mostly there are no orphans, and where the rows are known to be equal
 * their number is enough. The parent's keys are kept as sorted digests. When they don't fit, the range of digests is cut, and parent and child
 * are read again for the next range. Each side goes its own way through the ranges, both at the same time. */
#include <stdlib.h>

#include "verify/duplicates.h"
#include "verify/relations.h"

#define BATCH 64 /* references looked up together */

struct seeker {
    struct sp_vrelside *s;
    struct sp_d128 *parents;
    struct sp_vindex index;
    size_t n, cap, ids_cap;
    size_t nmatch;        /* matching columns */
    uint64_t from, below; /* range of the digest's high half; below 0 = to the end */
    struct sp_d128 batch[BATCH];
    size_t nbatch;
    bool count_only; /* whether there are orphans at all: the matching columns alone are read */
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

static void look_up_batch(struct seeker *k)
{
    size_t absent = sp_v_index_absent(&k->index, k->batch, k->nbatch);
    for (size_t i = 0; i < absent; i++)
        sp_digest_add(&k->s->orphans, k->batch[i]);
    k->nbatch = 0;
}

static int on_child_count(void *payload, const struct sp_rowview *row)
{
    struct seeker *k = payload;
    if (!in_range(k, row->key.hi))
        return 0;
    int null = sp_v_has_absent(row, k->nmatch); /* MATCH SIMPLE: it refers to nothing */
    if (null != 0)
        return null < 0 ? null : 0;
    k->batch[k->nbatch++] = row->key;
    if (k->nbatch == BATCH)
        look_up_batch(k);
    return 0;
}

static int on_child(void *payload, const struct sp_rowview *row)
{
    struct seeker *k = payload;
    if (!in_range(k, row->key.hi) || sp_v_index_find(&k->index, row->key) < k->n)
        return 0;
    int null = sp_v_has_absent(row, k->nmatch); /* MATCH SIMPLE: it refers to nothing */
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

/* Where the rows were compared in the same state, each later pass must see as many of them. */
static int same_count(const struct sp_vctx *c, const struct sp_vscan *v, enum sp_side side, const char *table,
    struct sp_error *err)
{
    const struct sp_vpair *p = v->session == NULL ? NULL : sp_v_pair(c, side, v->scan.table);
    if (p == NULL || !p->scanned || p->stale || p->t[side] == NULL || !sp_streq(p->t[side]->ns, v->scan.ns) ||
        p->rows[side] == v->digest.count)
        return 0;
    return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS,
        "%s: table %s showed %llu rows when they were compared, and %llu now", sp_v_side_name(side), table,
        (unsigned long long)p->rows[side], (unsigned long long)v->digest.count);
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
            parents || k[i].count_only ? r->fk->ncolumns : s->nchild, r->fk->ncolumns, false);
        v[i].row = parents ? on_parent : k[i].count_only ? on_child_count : on_child;
        v[i].payload = &k[i];
    }
    const char *table = parents ? r->fk->ref_table : r->pair->name;
    int rc = sp_v_scan(c, v, table, 0);
    if (rc == 0)
        rc = failure(v, k, table, err);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = same_count(c, &v[i], (enum sp_side)i, table, err);
    sp_v_scan_free(v);
    return rc;
}

static int index_parents(struct seeker *k, struct sp_error *err)
{
    if (k->done)
        return 0;
    compact(k);
    int rc = sp_v_index_make(&k->index, k->parents, k->n);
    return rc == 0 ? 0
                   : sp_fail(err, (enum sp_code) - rc, SP_ORIGIN_HARNESS, "no memory for the parent's keys");
}

static int one_pass(struct sp_vctx *c, struct sp_vrel *r, struct seeker k[2], struct sp_error *err)
{
    k[0].n = k[1].n = k[0].nbatch = k[1].nbatch = 0;
    int rc = scan_both(c, r, k, true, err);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = index_parents(&k[i], err);
    if (rc == 0)
        rc = scan_both(c, r, k, false, err);
    for (int i = 0; i < 2; i++) {
        if (rc == 0)
            look_up_batch(&k[i]);
        sp_v_index_free(&k[i].index);
        k[i].done = k[i].done || k[i].below == 0;
        k[i].from = k[i].below;
        k[i].below = 0;
    }
    return rc;
}

/* All ranges on the sides that take part. */
static int passes(struct sp_vctx *c, struct sp_vrel *r, struct seeker k[2], const bool takes_part[2],
    bool count_only, struct sp_error *err)
{
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        k[i].done = !takes_part[i];
        k[i].count_only = count_only;
        k[i].from = k[i].below = 0;
        if (takes_part[i])
            k[i].s->orphans = (struct sp_digest){ .count = 0 };
    }
    while (rc == 0 && (!k[0].done || !k[1].done))
        rc = one_pass(c, r, k, err);
    return rc;
}

int sp_v_rel_scan(struct sp_vctx *c, struct sp_vrel *r, struct sp_error *err)
{
    bool part[2] = { r->side[0].child != NULL, r->side[1].child != NULL && !r->proven_equal };
    size_t share = part[0] && part[1] ? c->memory / 2 : c->memory;
    struct seeker k[2];
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        struct sp_vrelside *s = &r->side[i];
        k[i] = (struct seeker){ .s = s, .nmatch = r->fk->ncolumns };
        if (!part[i])
            continue;
        k[i].cap = share / 4 * 3 / (sizeof *k[i].parents + 2); /* 2: the index, and what sorting takes */
        k[i].ids_cap = share / 4 / sizeof *s->ids;
        k[i].parents = malloc((k[i].cap + 1) * sizeof *k[i].parents);
        s->ids = malloc((k[i].ids_cap + 1) * sizeof *s->ids);
        if (k[i].parents == NULL || s->ids == NULL)
            rc = sp_nomem(err);
    }
    if (rc == 0)
        rc = passes(c, r, k, part, true, err);
    bool orphans = r->side[0].orphans.count != 0 || r->side[1].orphans.count != 0;
    if (rc == 0 && orphans && !r->proven_equal) /* which ones */
        rc = passes(c, r, k, part, false, err);
    free(k[0].parents);
    free(k[1].parents);
    return rc;
}
