/* accept.c -- what the user acknowledged by name: a lost constraint, a view that has no equal form on the target. Names are
 * exact, one acknowledgement for one thing: whatever else turns up still counts. Data is never acknowledged here. */
#include "verify/internal.h"

/* Lost with its data: no acknowledgement makes that equal. */
static bool is_data(const char *element, size_t n)
{
    return (n == 5 && strncmp(element, "table", n) == 0) || (n == 6 && strncmp(element, "column", n) == 0);
}

int sp_v_accept_check(const struct sp_verify_options *o, struct sp_error *err)
{
    for (size_t i = 0; i < o->naccept; i++) {
        const char *colon = strchr(o->accept[i], ':');
        if (colon == NULL || colon == o->accept[i] || colon[1] == '\0')
            return sp_invalid(err,
                "--accept %s: expected KIND:NAME or KIND:TABLE.NAME as the report shows them, e.g. "
                "view:totals or "
                "foreign_key:orders.customer_id",
                o->accept[i]);
        if (is_data(o->accept[i], (size_t)(colon - o->accept[i])))
            return sp_invalid(err,
                "--accept %s: a table or column that one side lacks is lost data, which cannot be "
                "acknowledged; choose the tables to compare with --tables",
                o->accept[i]);
    }
    return 0;
}

/* TABLE.NAME, or the name alone. */
static bool names(const char *what, const char *table, const char *name, bool with_table)
{
    size_t n = table != NULL ? strlen(table) : 0;
    if (!with_table)
        return strcmp(what, name) == 0;
    return n != 0 && strncmp(what, table, n) == 0 && what[n] == '.' && strcmp(what + n + 1, name) == 0;
}

/* Each acknowledgement is used up by the first thing that it fits: of two unnamed keys of one column, the other one still
 * counts. One that names the table goes first. */
bool sp_v_accepted(struct sp_vctx *c, const char *element, const char *table, const char *name)
{
    size_t n = strlen(element);
    for (int with_table = 1; with_table >= 0; with_table--) {
        for (size_t i = 0; i < c->opt->naccept; i++) {
            const char *a = c->opt->accept[i];
            if (c->accept_met[i] || strncmp(a, element, n) != 0 || a[n] != ':' ||
                !names(a + n + 1, table, name, with_table == 1))
                continue;
            c->accept_met[i] = true;
            return true;
        }
    }
    return false;
}

/* One that nothing answers to is mistyped, or no longer needed: both are worth a look. */
void sp_v_accept_unmet(struct sp_vctx *c)
{
    for (size_t i = 0; i < c->opt->naccept; i++)
        if (!c->accept_met[i])
            sp_v_finding(c, c->opt->accept[i], NULL, "acknowledgement without a cause", 1,
                "--accept %s: nothing of that name differs or was left out", c->opt->accept[i]);
}

void sp_v_put_accepted(const struct sp_vctx *c, struct sp_buf *out)
{
    size_t before = out->n;
    for (size_t i = 0; i < c->opt->naccept; i++)
        if (c->accept_met[i])
            sp_buf_printf(out, "%s%s",
                out->n != before ? ", "
                : before == 0    ? "acknowledged by name: "
                                 : "; acknowledged by name: ",
                c->opt->accept[i]);
}
