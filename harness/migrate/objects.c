/* objects.c -- objects that the schema only lists. Between two backends of one kind they are created from their own
 * definitions; otherwise they are named as not migrated. */
#include <string.h>
#include <strings.h>

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
        if (!sp_m_is_virtual(x) || !m->own_words || x->definition == NULL || !selected(m, x))
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

/* A definition that is a statement. Others say in words what something is. */
static bool is_statement(const struct sp_inventory_item *x)
{
    static const char *const verbs[] = { "CREATE ", "ALTER ", "GRANT ", "{" };
    for (size_t i = 0; x->definition != NULL && i < SP_LEN(verbs); i++)
        if (strncasecmp(x->definition, verbs[i], strlen(verbs[i])) == 0)
            return true;
    return false;
}

enum round { BEFORE_TABLES, OTHERS, TRIGGERS };

static enum round round_of_item(const struct sp_inventory_item *x)
{
    return x->before_tables ? BEFORE_TABLES : strcmp(x->kind, "trigger") == 0 ? TRIGGERS : OTHERS;
}

/* One round over what is left; returns how many could be created. */
static size_t round_of(struct sp_mctx *m, enum round which)
{
    size_t made = 0;
    for (size_t i = 0; i < m->from->ninventory; i++) {
        const struct sp_inventory_item *x = &m->from->inventory[i];
        struct sp_error err = SP_ERROR_INIT;
        if (m->objects_done[i] || !is_statement(x) || round_of_item(x) != which)
            continue;
        if (run(m, x, &err) == 0) {
            m->objects_done[i] = SP_M_MADE;
            made++;
        }
        sp_error_clear(&err);
    }
    return made;
}

/* Not a matter of this object: nothing more will succeed. */
static bool lost(const struct sp_error *err)
{
    return err->code == SP_E_UNAVAILABLE || err->code == SP_E_TIMEOUT || err->code == SP_E_OUTCOME_UNKNOWN;
}

static int say_left(struct sp_mctx *m, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < m->from->ninventory; i++) {
        const struct sp_inventory_item *x = &m->from->inventory[i];
        struct sp_error why = SP_ERROR_INIT;
        if (m->objects_done[i])
            continue;
        if (m->own_words && is_statement(x) && run(m, x, &why) == 0)
            continue; /* what it waited for came after it in the last round */
        if (lost(&why)) {
            rc = -(int)why.code;
            sp_error_move(err, &why);
            sp_error_prefix(err, "%s %s", x->kind, x->name);
            break;
        }
        rc = sp_m_note(m, err, "warning", "%s %s was not migrated: %s", x->kind, x->name,
            why.code != SP_E_OK                        ? sp_error_text(&why)
            : !m->same_kind && m->opt->mapping == NULL ? "the target is another kind of backend"
            : !m->own_words                            ? "it may speak of names that the mapping changes"
            : x->unread != NULL                        ? x->unread
            : x->definition == NULL                    ? "its definition is not known"
                                                       : "no statement makes it");
        sp_error_clear(&why);
    }
    return rc;
}

/* What tables are made of has to be there before them. */
int sp_m_objects_before(struct sp_mctx *m, struct sp_error *err)
{
    m->objects_done = sp_arena_array(&m->arena, m->from->ninventory + 1, sizeof *m->objects_done);
    if (m->objects_done == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < m->from->ninventory; i++) {
        const struct sp_inventory_item *x = &m->from->inventory[i];
        m->objects_done[i] = !selected(m, x) || (sp_m_is_virtual(x) && m->own_words && x->definition != NULL);
    }
    while (m->own_words && round_of(m, BEFORE_TABLES) != 0)
        ;
    return 0;
}

/* Objects may build on each other: rounds until nothing more can be created. Triggers come last, when all they may
 * speak of is there. */
int sp_m_other_objects(struct sp_mctx *m, struct sp_error *err)
{
    while (m->own_words && round_of(m, BEFORE_TABLES) + round_of(m, OTHERS) != 0)
        ;
    while (m->own_words && round_of(m, TRIGGERS) != 0)
        ;
    return say_left(m, err);
}
