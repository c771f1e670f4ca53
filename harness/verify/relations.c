/* relations.c -- relational integrity: every foreign key that either side declares is checked on both sides. An orphan
 * that only the target has was introduced; one that both have is a fault of the data itself. */
#include <stdlib.h>

#include "map/mapping.h"
#include "verify/relations.h"

struct counts {
    uint64_t source, target, introduced, preexisting;
    bool known; /* introduced and preexisting are exact */
};

/* Orphans of the target that the source has not, moved to the front of the target's list. */
static void merge(struct sp_vrelside *s, struct sp_vrelside *t, struct counts *n)
{
    size_t i = 0, to = 0;
    sp_v_sort_digests(s->ids, s->nids);
    sp_v_sort_digests(t->ids, t->nids);
    for (size_t j = 0; j < t->nids; j++) {
        while (i < s->nids && sp_v_d128_cmp(s->ids[i], t->ids[j]) < 0)
            i++;
        if (i < s->nids && sp_d128_eq(s->ids[i], t->ids[j])) {
            i++;
            n->preexisting++;
        } else {
            t->ids[to++] = t->ids[j];
            n->introduced++;
        }
    }
    t->nids = to;
}

static struct counts judge(struct sp_vrel *r)
{
    struct sp_vrelside *s = &r->side[0], *t = &r->side[1];
    struct counts n = { .source = s->orphans.count, .target = t->orphans.count };
    if (r->proven_equal || sp_digest_equal(&s->orphans, &t->orphans)) {
        n.target = n.preexisting = n.source;
        n.known = true;
        t->nids = 0;
    } else if (!s->overflow && !t->overflow) {
        merge(s, t, &n);
        n.known = true;
    } else {
        t->nids = 0;
        n.introduced = n.target > n.source ? n.target - n.source : 0; /* at least */
    }
    return n;
}

static void send(struct sp_vctx *c, const struct sp_vrel *r, const struct counts *n)
{
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_RELATION);
    sp_event_text(&ev, SP_FLD_name, r->name);
    sp_event_text(&ev, SP_FLD_child, r->pair->name);
    sp_event_text(&ev, SP_FLD_parent, r->fk->ref_table);
    sp_event_text(&ev, SP_FLD_columns, r->columns);
    sp_event_int(&ev, SP_FLD_source_orphans, (int64_t)n->source);
    sp_event_int(&ev, SP_FLD_target_orphans, (int64_t)n->target);
    if (n->known || n->introduced != 0)
        sp_event_int(&ev, SP_FLD_introduced, (int64_t)n->introduced);
    if (n->known)
        sp_event_int(&ev, SP_FLD_preexisting, (int64_t)n->preexisting);
    sp_v_send(c, &ev);
}

/* Behind a mapping that leaves the parent out, every reference would look like an orphan, on both sides alike. */
static bool parent_is_left_out(const struct sp_vctx *c, const struct sp_vrel *r)
{
    const struct sp_mapping *m = c->opt->mapping;
    for (size_t i = 0; m != NULL && i < m->nrelations; i++)
        for (int side = 0; side < 2 && m->relations[i].ignore != NULL; side++)
            if (r->side[side].child != NULL && r->side[side].parent == NULL &&
                sp_streq(m->relations[i].table[side], r->fk->ref_table))
                return true;
    return false;
}

static bool parent_has_filter(const struct sp_vctx *c, const struct sp_vrel *r)
{
    const struct sp_map_relation *parent = sp_v_relation(c, r->fk->ref_table);
    return parent != NULL && (parent->where[0] != NULL || parent->where[1] != NULL);
}

static void conclude(struct sp_vctx *c, const struct sp_vrel *r, const struct counts *n)
{
    if (!n->known)
        sp_v_not_compared(c, r->name, "relation", "too many orphans to tell introduced ones from old ones");
    if (n->introduced != 0)
        sp_v_differ(c, n->introduced,
            "relation %s: %s%llu rows of the target refer to nothing, and did not on the source", r->name,
            n->known ? "" : "at least ", (unsigned long long)n->introduced);
    if (n->preexisting == 0)
        return;
    if (parent_has_filter(c, r)) {
        sp_v_not_inspected(c, "relation", r->pair->name, r->columns,
            "%llu rows of %s refer to rows of %s that the mapping leaves out by `where`, or to nothing: "
            "which, "
            "cannot "
            "be told; leave these rows out, too, or acknowledge it: --accept 'relation:%s.%s'",
            (unsigned long long)n->preexisting, r->pair->name, r->fk->ref_table, r->pair->name, r->columns);
        return;
    }
    if (c->opt->strict_integrity)
        sp_v_differ(c, n->preexisting, "relation %s: %llu rows refer to nothing on both sides", r->name,
            (unsigned long long)n->preexisting);
    else
        sp_v_finding(c, r->pair->name, r->columns, "orphans on both sides", n->preexisting,
            "%llu rows refer to nothing in %s, on the source as on the target",
            (unsigned long long)n->preexisting, r->fk->ref_table);
}

static void one(struct sp_vctx *c, const struct sp_vpair *pair, const struct sp_fk *fk)
{
    struct sp_vrel r;
    struct sp_error err = SP_ERROR_INIT;
    sp_v_looked(c, SP_VC_RELATIONS);
    if (sp_v_rel_plan(c, pair, fk, &r) != 0)
        return;
    if (r.side[0].child == NULL &&
        r.side[1].child == NULL) { /* no side shows what refers: nothing can be said */
        sp_v_finding(c, pair->name, r.columns, "relation not checked", 1,
            "%s refers to %s by columns that the mapping leaves out: orphans were not looked for", pair->name,
            fk->ref_table);
        return;
    }
    if (parent_is_left_out(c, &r)) {
        sp_v_not_inspected(c, "relation", pair->name, r.columns,
            "%s refers to %s, which the mapping leaves out: whether each row has what it refers to cannot be "
            "told; acknowledge it: --accept 'relation:%s.%s'",
            pair->name, fk->ref_table, pair->name, r.columns);
        return;
    }
    int rc = sp_v_rel_scan(c, &r, &err);
    if (rc == 0) {
        struct counts n = judge(&r);
        send(c, &r, &n);
        conclude(c, &r, &n);
        size_t list = r.side[1].nids;
        if (list > c->opt->max_differences) {
            list = (size_t)c->opt->max_differences;
            c->capped = true;
        }
        if (list != 0)
            rc = sp_v_rel_list(c, &r, r.side[1].ids, list, &err);
    }
    if (rc != 0 && c->rc == 0)
        sp_v_not_compared(c, r.name, "relation", "%s", sp_error_text(&err));
    free(r.side[0].ids);
    free(r.side[1].ids);
    sp_error_clear(&err);
}

static bool same_fk(const struct sp_fk *a, const struct sp_fk *b)
{
    if (a->ncolumns != b->ncolumns || !sp_streq(a->ref_table, b->ref_table))
        return false;
    for (size_t i = 0; i < a->ncolumns; i++)
        if (strcmp(a->columns[i], b->columns[i]) != 0 || strcmp(a->ref_columns[i], b->ref_columns[i]) != 0)
            return false;
    return true;
}

static bool seen(const struct sp_table *t, size_t n, const struct sp_fk *fk)
{
    for (size_t i = 0; t != NULL && i < n; i++)
        if (same_fk(&t->fks[i], fk))
            return true;
    return false;
}

/* References that the mapping names, where neither side declares them. */
static void mapped(struct sp_vctx *c, const struct sp_vpair *p)
{
    for (size_t i = 0; p->rel != NULL && i < p->rel->nreferences && c->rc == 0; i++) {
        const struct sp_fk *fk = sp_v_mapped_fk(c, p, i);
        if (fk != NULL && !(p->t[0] != NULL && seen(p->t[0], p->t[0]->nfks, fk)) &&
            !(p->t[1] != NULL && seen(p->t[1], p->t[1]->nfks, fk)))
            one(c, p, fk);
    }
}

void sp_v_relations(struct sp_vctx *c)
{
    for (size_t i = 0; i < c->npairs; i++) {
        const struct sp_vpair *p = &c->pairs[i];
        for (int side = 0; side < 2; side++) {
            const struct sp_table *t = p->t[side];
            for (size_t f = 0; t != NULL && f < t->nfks && c->rc == 0; f++) {
                if (seen(t, f, &t->fks[f]) ||
                    (side == 1 && p->t[0] != NULL && seen(p->t[0], p->t[0]->nfks, &t->fks[f])))
                    continue;
                one(c, p, &t->fks[f]);
            }
        }
        mapped(c, p);
    }
}
