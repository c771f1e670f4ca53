/* orphans.c -- the rows of one side that refer to nothing through one foreign key, for whoever wants to know before it
 * is declared elsewhere. */
#include <stdlib.h>

#include "verify/relations.h"

int sp_verify_orphans(struct sp_session *s, struct sp_schema *schema, const struct sp_table *child,
    const struct sp_fk *fk, uint64_t *count, struct sp_error *err)
{
    static const struct sp_verify_options nothing = { .checks = SP_VC_RELATIONS };
    struct sp_schema empty = { .ntables = 0 };
    struct sp_vpair pair = { .name = child->name, .t = { child, NULL } };
    struct sp_vctx c = { .session = { s, NULL },
        .opt = &nothing,
        .err = err,
        .arena = SP_ARENA_INIT,
        .schema = { schema, &empty },
        .pairs = &pair,
        .npairs = 1,
        .memory = SP_VERIFY_MEMORY };
    struct sp_vrel r;
    int rc = sp_v_rel_plan(&c, &pair, fk, &r);
    if (rc == 0)
        rc = sp_v_rel_scan(&c, &r, err);
    *count = rc == 0 ? r.side[0].orphans.count : 0;
    free(r.side[0].ids);
    free(r.side[1].ids);
    sp_arena_free(&c.arena);
    return rc != 0 ? rc : c.rc;
}
