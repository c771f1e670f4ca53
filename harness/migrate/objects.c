/* objects.c -- objects that the schema only lists. Between two backends of one kind they are created from their own
 * definitions; otherwise they are named as not migrated. */
#include <stdlib.h>

#include "migrate/internal.h"

bool sp_m_is_virtual(const struct sp_inventory_item *x)
{
    return strncmp(x->kind, "virtual", 7) == 0;
}

static bool selected(const struct sp_mctx *m, const struct sp_inventory_item *x)
{
    return sp_m_selected(m, x->name) || (x->table != NULL && sp_m_selected(m, x->table));
}

static int run(struct sp_mctx *m, const struct sp_inventory_item *x, struct sp_error *err)
{
    struct sp_op op = { .kind = SP_OP_RAW, .raw = x->definition };
    struct sp_result r = SP_RESULT_INIT;
    int rc = sp_db_exec(m->target, &op, &r, err);
    sp_result_free(&r);
    return rc;
}

/* A virtual table makes tables of its own when it is created; those are emptied and filled like all others. */
static void adopt(struct sp_mctx *m, const struct sp_schema *now)
{
    for (size_t i = 0; i < m->ntables; i++) {
        struct sp_mtable *x = &m->tables[i];
        if (!x->existing && sp_schema_table(now, x->t->name) != NULL)
            x->by_virtual = true;
    }
}

int sp_m_virtual_tables(struct sp_mctx *m, struct sp_error *err)
{
    struct sp_schema *now = NULL;
    int rc = 0;
    m->virtuals = sp_arena_array(&m->arena, m->from->ninventory + 1, sizeof *m->virtuals);
    if (m->virtuals == NULL)
        return sp_nomem(err);
    for (size_t i = 0; rc == 0 && i < m->from->ninventory; i++) {
        const struct sp_inventory_item *x = &m->from->inventory[i];
        if (!sp_m_is_virtual(x) || !m->same_kind || x->definition == NULL || !selected(m, x))
            continue;
        rc = run(m, x, err);
        if (rc == 0)
            m->virtuals[m->nvirtuals++] = x->name;
        else
            sp_error_prefix(err, "%s %s", x->kind, x->name);
    }
    if (rc == 0 && m->nvirtuals != 0)
        rc = sp_db_introspect(m->target, m->opt->target_ns, &now, err);
    if (rc == 0 && now != NULL)
        adopt(m, now);
    sp_schema_free(now);
    return rc;
}

/* One round over what is left; returns how many could be created. */
static size_t round_of(struct sp_mctx *m, uint8_t *done, bool triggers)
{
    size_t made = 0;
    for (size_t i = 0; i < m->from->ninventory; i++) {
        const struct sp_inventory_item *x = &m->from->inventory[i];
        bool trigger = strcmp(x->kind, "trigger") == 0;
        struct sp_error err = SP_ERROR_INIT;
        if (done[i] || x->definition == NULL || trigger != triggers)
            continue;
        if (run(m, x, &err) == 0) {
            done[i] = 1;
            made++;
        }
        sp_error_clear(&err);
    }
    return made;
}

static int say_left(struct sp_mctx *m, const uint8_t *done, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < m->from->ninventory; i++) {
        const struct sp_inventory_item *x = &m->from->inventory[i];
        struct sp_error why = SP_ERROR_INIT;
        if (done[i])
            continue;
        if (m->same_kind && x->definition != NULL && run(m, x, &why) == 0)
            continue; /* what it waited for came after it in the last round */
        rc = sp_m_note(m, err, "warning", "%s %s was not migrated: %s", x->kind, x->name,
            why.code != SP_E_OK ? sp_error_text(&why)
            : !m->same_kind     ? "the target is another kind of backend"
                                : "its definition is not known");
        sp_error_clear(&why);
    }
    return rc;
}

/* Objects may build on each other: rounds until nothing more can be created. Triggers come last, when all they may
 * speak of is there. */
int sp_m_other_objects(struct sp_mctx *m, struct sp_error *err)
{
    uint8_t *done = calloc(m->from->ninventory + 1, 1);
    if (done == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < m->from->ninventory; i++) {
        const struct sp_inventory_item *x = &m->from->inventory[i];
        done[i] = !selected(m, x) || (sp_m_is_virtual(x) && m->same_kind && x->definition != NULL);
    }
    while (m->same_kind && round_of(m, done, false) != 0)
        ;
    while (m->same_kind && round_of(m, done, true) != 0)
        ;
    int rc = say_left(m, done, err);
    free(done);
    return rc;
}
