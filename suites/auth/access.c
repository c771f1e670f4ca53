/* access.c -- who may do what with a table, as it is and as it should be: what is seen, and the words for all of it. */
#include <inttypes.h>
#include <string.h>

#include "suites/auth/access.h"

static bool count(struct ax *x, struct sp_session *s, const struct sp_filter *where, int64_t *n)
{
    *n = -1;
    int rc = sp_db_count(s, x->table->name, where, n, &x->d.err);
    if (rc == 0)
        return true;
    *n = -1;
    if (rc == -SP_E_PERMISSION) {
        sp_error_clear(&x->d.err);
        return true;
    }
    return dc_ok(&x->d, "counting", rc);
}

bool ax_theirs(const struct ax *x, struct sp_filter *f)
{
    *f = (struct sp_filter){ .op = SP_F_EQ, .column = x->owner, .values = &x->who, .nvalues = 1 };
    return x->owner != NULL && x->user != NULL;
}

static bool count_rows(struct ax *x, int64_t *total, int64_t *mine)
{
    struct sp_filter theirs;
    *mine = -1;
    return count(x, x->own, NULL, total) && (!ax_theirs(x, &theirs) || count(x, x->own, &theirs, mine));
}

/* Where nothing can be told of any operation, and why. */
static const char *untold(const struct ax *x)
{
    return x->total < 0          ? "how many rows there are is hidden from the provider's own user"
           : x->total == 0       ? "the table is empty"
           : x->mine == 0        ? "no row is theirs"
           : x->mine == x->total ? "all rows are theirs"
                                 : NULL;
}

static bool try_select(struct ax *x, struct ax_cell *out)
{
    struct sp_filter theirs;
    int64_t seen, mine = -1;
    if (!count(x, x->s, NULL, &seen))
        return false;
    *out = (struct ax_cell){ .is = seen <= 0 ? AX_NONE : seen == x->total ? AX_ALL : AX_SOME };
    if (out->is != AX_SOME || !ax_theirs(x, &theirs))
        return true;
    if (!count(x, x->s, &theirs, &mine))
        return false;
    if (seen == mine && mine == x->mine)
        out->is = AX_OWN;
    return true;
}

bool ax_try(struct ax *x, struct ax_cell cells[SP_ACCESS_OPS])
{
    int64_t total, mine;
    if (!count_rows(x, &x->total, &x->mine))
        return false;
    const char *why = untold(x);
    bool ok = why != NULL || try_select(x, &cells[AX_SELECT]);
    for (int op = AX_INSERT; why == NULL && ok && op <= AX_DELETE; op++)
        ok = ax_try_write(x, (enum ax_op)op, &cells[op]);
    if (why == NULL && ok && (ok = count_rows(x, &total, &mine)) && (total != x->total || mine != x->mine))
        why = "rows came or went meanwhile";
    for (size_t i = 0; why != NULL && i < SP_ACCESS_OPS; i++)
        cells[i] = (struct ax_cell){ .note = why };
    return ok;
}

static const char *const cell_names[] = {
    [AX_UNPROVEN] = "unproven", [AX_NONE] = "none", [AX_OWN] = "own", [AX_SOME] = "some", [AX_ALL] = "all"
};

static const char *why_not(const struct ax_cell *c)
{
    return c->note != NULL ? c->note : "not tried";
}

void ax_tell(struct ax *x, const char *actor, const struct ax_cell cells[SP_ACCESS_OPS])
{
    for (size_t i = 0; i < SP_ACCESS_OPS; i++) {
        const char *topic =
            sp_arena_printf(x->d.a, "access to %s as %s: %s", x->table->name, actor, sp_access_ops[i]);
        if (topic == NULL)
            (void)dc_ok(&x->d, "telling it", sp_nomem(&x->d.err));
        else if (cells[i].is == AX_UNPROVEN)
            sp_ctx_not_observed(x->d.ctx, topic, "%s", why_not(&cells[i]));
        else
            sp_ctx_observe(x->d.ctx, topic, "%s", cell_names[cells[i].is]);
    }
}

bool ax_judge(struct ax *x, const char *actor, enum ax_op op, const struct ax_cell *c, const char *expect)
{
    const char *what = sp_arena_printf(x->d.a, "%s of %s as %s", sp_access_ops[op], x->table->name, actor);
    if (what == NULL)
        what = sp_access_ops[op];
    if (c->is == AX_UNPROVEN) {
        sp_ctx_error(x->d.ctx, "%s: unproven: %s", what, why_not(c));
        return false;
    }
    return sp_check_text(x->d.ctx, what, expect, cell_names[c->is]);
}
