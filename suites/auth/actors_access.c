/* actors_access.c -- the matrix of who may do what: of a table that the case makes, whose rules are known, and of the team's. */
#include <string.h>

#include "suites/auth/access.h"
#include "suites/auth/actors.h"

/* ---- the suite's own table --------------------------------------------------------------------------------------- */

struct expected {
    const char *who, *cells[SP_ACCESS_OPS];
};

/* Nobody else writes to this table: what is gone was not rolled back. */
static bool matrix_is(struct ac *t, struct ax *x, const struct expected *e)
{
    struct ax_cell cells[SP_ACCESS_OPS];
    bool ok = ax_try(x, cells) && ac_all_there(t);
    for (size_t i = 0; ok && i < SP_ACCESS_OPS; i++)
        ok = ax_judge(x, e->who, (enum ax_op)i, &cells[i], e->cells[i]);
    return ok;
}

static bool speak(struct ac *t, struct ax *x, const struct sp_actor *a)
{
    x->user = a->user;
    x->who = sp_v_text(a->user != NULL ? a->user : "");
    return ac_act(t, t->s, a);
}

void act_matrix(struct sp_ctx *ctx, const void *data)
{
    static const struct expected ann = { "ann", { "own", "own", "own", "own" } },
                                 nobody = { "nobody", { "none", "none", "none", "none" } },
                                 everybody = { "anybody", { "all", "all", "all", "all" } };
    struct ac t;
    struct ax x = { .owner = "owner" };
    (void)data;
    if (ac_start(&t, ctx, &ac_owned) && dc_open(&x.d, ctx)) {
        x.own = t.own;
        x.s = t.s;
        x.table = &ac_notes;
        (void)(speak(&t, &x, &t.ann) && matrix_is(&t, &x, &ann) && speak(&t, &x, &t.anon) &&
               matrix_is(&t, &x, &nobody) &&
               ac_ok(&t, "no rules for rows", sp_db_row_rules(t.own, "notes", NULL, &t.c.d.err)) &&
               speak(&t, &x, &t.ann) && matrix_is(&t, &x, &everybody));
        dc_done(&x.d);
    }
    ac_done(&t);
}

/* ---- the team's tables --------------------------------------------------------------------------------------------- */

/* Whose rows they are, by the rules for this actor or else for another one. false: the case is errored. */
static bool find_owner(struct ax *x, const char *actor)
{
    size_t n;
    const struct sp_config_access *rules = sp_ctx_access(x->d.ctx, &n);
    x->owner = NULL;
    x->unowned = false;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rules[i].table, x->table->name) != 0)
            continue;
        x->unowned = true;
        if (rules[i].owner != NULL && (x->owner == NULL || strcmp(rules[i].actor, actor) == 0))
            x->owner = rules[i].owner;
    }
    if (x->owner == NULL)
        return true;
    x->unowned = false;
    const struct sp_column *c = sp_table_column(x->table, x->owner);
    int64_t id;
    if (c == NULL) {
        sp_ctx_error(x->d.ctx, "access: table %s has no column \"%s\"", x->table->name, x->owner);
        return false;
    }
    if (x->user == NULL)
        return true;
    x->who = sp_v_text(x->user);
    if (c->type.tag == SP_UUID && sp_uuid_parse(x->user, strlen(x->user), x->who.u.uuid) == 0)
        x->who.tag = SP_UUID;
    else if (c->type.tag == SP_INT && sp_parse_i64(x->user, &id))
        x->who = sp_v_int(id);
    if (x->who.tag != c->type.tag)
        sp_ctx_error(x->d.ctx, "access: the user of actor %s is no value of %s.%s (%s)", actor,
            x->table->name, x->owner, sp_tag_name(c->type.tag));
    return x->who.tag == c->type.tag;
}

static void table_is(struct ax *x, const char *actor)
{
    size_t n;
    const struct sp_config_access *rules = sp_ctx_access(x->d.ctx, &n);
    struct ax_cell cells[SP_ACCESS_OPS];
    if (!find_owner(x, actor) || !ax_try(x, cells))
        return;
    ax_tell(x, actor, cells);
    for (size_t i = 0; i < n; i++) {
        bool ours = strcmp(rules[i].table, x->table->name) == 0 && strcmp(rules[i].actor, actor) == 0;
        for (size_t op = 0; ours && op < SP_ACCESS_OPS; op++)
            if (rules[i].expect[op] != NULL)
                (void)ax_judge(x, actor, (enum ax_op)op, &cells[op], rules[i].expect[op]);
    }
}

/* What the team says about tables that are not there is not to be passed over. */
static bool all_known(struct ax *x, const struct sp_schema *schema)
{
    size_t n;
    const struct sp_config_access *rules = sp_ctx_access(x->d.ctx, &n);
    for (size_t i = 0; i < n; i++)
        if (sp_schema_table(schema, rules[i].table) == NULL) {
            sp_ctx_error(x->d.ctx, "access: there is no table \"%s\"", rules[i].table);
            return false;
        }
    return true;
}

/* Each wrong cell is told, not only the first. */
static void all_tables(struct ax *x, const struct sp_schema *schema)
{
    static const struct sp_config_actor anon = { .name = "nobody" };
    size_t n;
    const struct sp_config_actor *actors = sp_ctx_actors(x->d.ctx, &n);
    bool named = n > 0;
    for (size_t i = 0; i < (named ? n : 1); i++) {
        const struct sp_config_actor *c = named ? &actors[i] : &anon;
        const struct sp_actor a = { .role = c->role, .user = c->user, .claims = c->claims };
        const char *what = sp_arena_printf(x->d.a, "speaking for %s", c->name);
        int rc = sp_db_act_for(x->s, &a, &x->d.err);
        x->user = c->user;
        if (!named && rc != 0) {
            sp_ctx_skip(x->d.ctx, "no actors are configured, and nobody cannot be tried: %s",
                sp_error_text(&x->d.err));
            sp_error_clear(&x->d.err);
            return;
        }
        if (!dc_ok(&x->d, what != NULL ? what : "speaking for an actor", rc))
            continue;
        for (size_t k = 0; k < schema->ntables; k++) {
            x->table = &schema->tables[k];
            table_is(x, c->name);
        }
    }
}

/* A provider that may be written at will lets rules hide rows from its own user, too, who counts all rows here: what a target's
 * user does not see is an error. */
static struct sp_session *who_counts(struct ax *x, struct sp_ctx *ctx)
{
    struct sp_session *s = sp_ctx_session(ctx, 1), **own = &x->d.own[DC_SESSIONS - 1];
    if (s == NULL || sp_session_endpoint(s)->access != SP_ACCESS_DISPOSABLE || *own != NULL)
        return s;
    struct sp_endpoint *e = sp_arena_dup(x->d.a, sp_session_endpoint(s), sizeof *e);
    if (e == NULL) {
        (void)dc_ok(&x->d, "open", sp_nomem(&x->d.err));
        return NULL;
    }
    e->access = SP_ACCESS_TARGET;
    int rc = sp_open(own, sp_session_provider(s), e, &x->d.err);
    if (rc != 0) /* no check unless it fails: the case may still be skipped */
        (void)dc_ok(&x->d, "open", rc);
    return *own;
}

/* Not session 0: the run's namespace is not what this is about. */
void act_access(struct sp_ctx *ctx, const void *data)
{
    struct ax x = { .owner = NULL };
    struct sp_schema *schema = NULL;
    (void)data;
    if (!dc_open(&x.d, ctx))
        return;
    x.own = who_counts(&x, ctx);
    x.s = x.own != NULL ? sp_ctx_session(ctx, 2) : NULL;
    if (x.s != NULL) {
        bool placed = sp_ctx_cap(ctx, SP_CAP_NAMESPACES)->level == SP_CAP_YES;
        int rc = placed ? sp_db_ns_use(x.own, NULL, &x.d.err) : 0;
        if (rc == 0 && placed)
            rc = sp_db_ns_use(x.s, NULL, &x.d.err);
        if (rc == 0)
            rc = sp_db_introspect(x.own, NULL, &schema, &x.d.err);
        if (rc != 0)
            (void)dc_ok(&x.d, "looking at the tables", rc);
        else if (all_known(&x, schema) && schema->ntables == 0)
            sp_ctx_skip(ctx, "there are no tables of the team's");
        else if (!sp_ctx_done(ctx))
            all_tables(&x, schema);
    }
    sp_schema_free(schema);
    dc_done(&x.d);
}
