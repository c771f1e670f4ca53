/* schema_order.c -- tables in an order in which referenced ones stand first. */
#include <stdlib.h>

#include "base/str.h"
#include "model/schema.h"

/* Edges child -> parent between different tables of the schema; a table that references itself needs no order. */
struct graph {
    size_t (*edge)[2];
    size_t nedges;
    bool *placed;
};

static size_t table_index(const struct sp_schema *s, const char *name)
{
    const struct sp_table *t = sp_schema_table(s, name);
    return t != NULL ? (size_t)(t - s->tables) : SIZE_MAX;
}

static int build(const struct sp_schema *s, struct graph *g)
{
    size_t total = 0;
    for (size_t i = 0; i < s->ntables; i++)
        total += s->tables[i].nfks;
    g->edge = calloc(total != 0 ? total : 1, sizeof *g->edge);
    g->placed = calloc(s->ntables != 0 ? s->ntables : 1, sizeof *g->placed);
    if (g->edge == NULL || g->placed == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < s->ntables; i++) {
        for (size_t k = 0; k < s->tables[i].nfks; k++) {
            size_t parent = table_index(s, s->tables[i].fks[k].ref_table);
            if (parent == SIZE_MAX || parent == i)
                continue;
            g->edge[g->nedges][0] = i;
            g->edge[g->nedges++][1] = parent;
        }
    }
    return 0;
}

/* True if no edge leads from `t` (end 0) or to it (end 1) to or from a table that still waits. */
static bool is_free(const struct graph *g, size_t t, int end)
{
    for (size_t e = 0; e < g->nedges; e++) {
        if (g->edge[e][end] == t && !g->placed[g->edge[e][1 - end]])
            return false;
    }
    return true;
}

/* Places free tables, the first in name order first, until none is free; from the front (end 0) or from the back. */
static void peel(struct graph *g, size_t n, int end, size_t *order, size_t *front, size_t *back)
{
    bool again = true;
    while (again) {
        again = false;
        for (size_t i = 0; i < n && !again; i++) {
            size_t t = end == 0 ? i : n - 1 - i;
            if (g->placed[t] || !is_free(g, t, end))
                continue;
            g->placed[t] = true;
            if (end == 0)
                order[(*front)++] = t;
            else
                order[--*back] = t;
            again = true;
        }
    }
}

int sp_schema_order(const struct sp_schema *s, size_t *order, size_t *ncyclic, struct sp_error *err)
{
    struct graph g = { NULL, 0, NULL };
    size_t n = s->ntables, front = 0, back = n;
    int rc = build(s, &g);
    if (rc != 0) {
        rc = sp_nomem(err);
        goto out;
    }
    peel(&g, n, 0, order, &front, &back);
    *ncyclic = n - front;
    peel(&g, n, 1, order, &front, &back); /* those that only reference a cycle go behind it */
    for (size_t i = 0; i < n; i++) {
        if (!g.placed[i])
            order[front++] = i;
    }
out:
    free(g.edge);
    free(g.placed);
    return rc;
}
