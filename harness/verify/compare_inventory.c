/* compare_inventory.c -- objects that the schema does not model: views, triggers, policies, virtual tables ... Between
 * two backends of one kind their definitions are compared; otherwise they are listed as not compared. */
#include <stdlib.h>

#include "verify/internal.h"

static bool selected(const struct sp_vctx *c, const struct sp_inventory_item *x)
{
    if (strcmp(x->kind, "object store") == 0 && sp_v_compares_objects(c))
        return false; /* read by that check */
    return sp_v_selected(c, x->name) || (x->table != NULL && sp_v_selected(c, x->table));
}

/* Triggers and policies of several tables may have one name. */
static int cmp(const struct sp_inventory_item *a, const struct sp_inventory_item *b)
{
    int r = strcmp(a->kind, b->kind);
    r = r != 0 ? r : strcmp(a->name, b->name);
    return r != 0 ? r : strcmp(a->table != NULL ? a->table : "", b->table != NULL ? b->table : "");
}

/* What is called alike even so (a privilege with and without the right to grant it) meets by what it is. */
static int by_all(const void *a, const void *b)
{
    const struct sp_inventory_item *x = *(const struct sp_inventory_item *const *)a,
                                   *y = *(const struct sp_inventory_item *const *)b;
    int r = cmp(x, y);
    return r != 0 ? r
                  : strcmp(x->definition != NULL ? x->definition : "",
                        y->definition != NULL ? y->definition : "");
}

static const struct sp_inventory_item **sorted(const struct sp_schema *s)
{
    const struct sp_inventory_item **v = calloc(s->ninventory + 1, sizeof *v);
    for (size_t i = 0; v != NULL && i < s->ninventory; i++)
        v[i] = &s->inventory[i];
    if (v != NULL && s->ninventory > 1)
        qsort(v, s->ninventory, sizeof *v, by_all);
    return v;
}

/* A kind of object that a side does not let be listed: what the other one has of it cannot be held against anything. */
static const char *unread(const struct sp_schema *s, const char *kind)
{
    for (size_t i = 0; i < s->ninventory; i++)
        if (s->inventory[i].unread != NULL && strcmp(s->inventory[i].kind, kind) == 0)
            return s->inventory[i].unread;
    return NULL;
}

static void say_unread(
    struct sp_vctx *c, const struct sp_inventory_item *x, enum sp_side side, const char *why)
{
    sp_v_not_inspected(c, x->kind, x->table, x->name, "%s: %s (to acknowledge: --accept '%s:%s')",
        sp_v_side_name(side), why, x->kind, x->name);
}

static void one_side(struct sp_vctx *c, const struct sp_inventory_item *x, enum sp_side side)
{
    const char *text = x->definition != NULL ? x->definition : "(definition not given)";
    if (!selected(c, x))
        return;
    const char *there = unread(c->schema[1 - (int)side], x->kind);
    if (x->unread != NULL || there != NULL) {
        say_unread(c, x, x->unread != NULL ? side : (enum sp_side)(1 - (int)side),
            x->unread != NULL ? x->unread : there);
        return;
    }
    (x->definition != NULL ? sp_v_schema_diff : sp_v_schema_lost)(c, x->kind,
        x->table != NULL ? x->table : x->name, x->name, side == SP_SIDE_SOURCE ? text : NULL,
        side == SP_SIDE_SOURCE ? NULL : text);
}

static void both(struct sp_vctx *c, const struct sp_inventory_item *s, const struct sp_inventory_item *t)
{
    if (!selected(c, s))
        return;
    if (s->unread != NULL || t->unread != NULL)
        say_unread(c, s, s->unread != NULL ? SP_SIDE_SOURCE : SP_SIDE_TARGET,
            s->unread != NULL ? s->unread : t->unread);
    else if (s->definition == NULL || t->definition == NULL)
        sp_v_not_compared(c, s->name, s->kind, "the backend does not give its definition");
    else if (!sp_v_expr_equal(s->definition, t->definition))
        sp_v_schema_diff(
            c, s->kind, s->table != NULL ? s->table : s->name, s->name, s->definition, t->definition);
}

static void same_kind(struct sp_vctx *c)
{
    const struct sp_schema *s = c->schema[0], *t = c->schema[1];
    const struct sp_inventory_item **a = sorted(s), **b = sorted(t);
    if (a == NULL || b == NULL)
        sp_v_nomem(c);
    for (size_t i = 0, j = 0; c->rc == 0 && (i < s->ninventory || j < t->ninventory);) {
        int r = i == s->ninventory ? 1 : j == t->ninventory ? -1 : cmp(a[i], b[j]);
        if (r < 0)
            one_side(c, a[i], SP_SIDE_SOURCE);
        else if (r > 0)
            one_side(c, b[j], SP_SIDE_TARGET);
        else
            both(c, a[i], b[j]);
        i += r <= 0 ? 1u : 0u;
        j += r >= 0 ? 1u : 0u;
    }
    free(a);
    free(b);
}

static bool has_same(const struct sp_schema *s, const struct sp_inventory_item *x)
{
    for (size_t i = 0; i < s->ninventory; i++)
        if (strcmp(s->inventory[i].name, x->name) == 0 && strcmp(s->inventory[i].kind, x->kind) == 0 &&
            sp_streq(s->inventory[i].table, x->table))
            return true;
    return false;
}

/* Each by its name: only so can it be acknowledged. What holds rows that nobody read cannot be. */
static void list_items(struct sp_vctx *c, enum sp_side side)
{
    const struct sp_schema *s = c->schema[side], *other = c->schema[1 - (int)side];
    for (size_t i = 0; i < s->ninventory; i++) {
        const struct sp_inventory_item *x = &s->inventory[i];
        bool both = has_same(other, x);
        if (!selected(c, x) || (both && side == SP_SIDE_TARGET))
            continue;
        if (x->unread != NULL)
            say_unread(c, x, side, x->unread);
        else if (x->definition == NULL)
            sp_v_not_compared(c, x->name, x->kind, "%s: what it holds is not read", sp_v_side_name(side));
        else
            sp_v_not_inspected(c, x->kind, x->table, x->name,
                "%s: another kind of backend has no equal form of it (to acknowledge: --accept '%s:%s')",
                both                     ? "on both sides"
                : side == SP_SIDE_SOURCE ? "on the source only"
                                         : "on the target only",
                x->kind, x->name);
    }
}

/* Without the schema check: what a backend keeps out of sight may hold rows, and none of them was compared. */
void sp_v_hidden_rows(struct sp_vctx *c)
{
    for (int side = 0; side < 2; side++) {
        const struct sp_schema *s = c->schema[side];
        for (size_t i = 0; i < s->ninventory; i++)
            if (s->inventory[i].definition == NULL && s->inventory[i].unread == NULL &&
                selected(c, &s->inventory[i]))
                sp_v_not_compared(c, s->inventory[i].name, s->inventory[i].kind,
                    "%s: what it holds is not read", sp_v_side_name((enum sp_side)side));
    }
}

void sp_v_compare_inventory(struct sp_vctx *c)
{
    if (c->same_kind) {
        same_kind(c);
        return;
    }
    list_items(c, SP_SIDE_SOURCE);
    list_items(c, SP_SIDE_TARGET);
}
