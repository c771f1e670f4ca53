/* demands.c -- the team's own business keys and required fields, from the section `checks:`. */
#include "verify/internal.h"

static const struct sp_vpair *pair_of(const struct sp_vctx *c, const char *table)
{
    const struct sp_vpair *p = sp_v_pair(c, SP_SIDE_SOURCE, table);
    return p != NULL ? p : sp_v_pair(c, SP_SIDE_TARGET, table);
}

void sp_v_demands(struct sp_vctx *c)
{
    for (size_t i = 0; i < c->opt->ndemands && c->rc == 0; i++) {
        const struct sp_verify_demand *d = &c->opt->demands[i];
        const struct sp_vpair *p = pair_of(c, d->table);
        if (!sp_v_demand_chosen(c, d))
            continue; /* left out by choice, and said so */
        sp_v_looked(c, SP_V_TEAM);
        if (p == NULL || p->t[0] == NULL || p->t[1] == NULL)
            sp_v_not_compared(c, d->name, "check", "there is no table %s on %s", d->table,
                p == NULL ? "either side" : "one of the sides");
        else if (d->unique)
            sp_v_business_key(c, p, d);
        else
            sp_v_required_fields(c, p, d);
    }
}
