/* words.c -- expressions in the source's language: defaults, generated columns, checks, partial and expression indexes. The
 * target is asked whether it understands each. What it doesn't is left out by name, so that verify shows the same as missing;
 * a generated column becomes a plain one that holds the values it had. */
#include <stdlib.h>

#include "migrate/internal.h"
#include "verify/exprtext.h"

/* Did the target stumble over words, or over rows and the world? */
bool sp_m_is_about_words(int rc)
{
    switch (-rc) {
    case SP_E_INVALID:
    case SP_E_UNSUPPORTED:
    case SP_E_NOT_FOUND:
    case SP_E_INTERNAL:
        return true;
    default:
        return false;
    }
}

static int left_out(struct sp_mctx *m, const char *table, const char *element, const char *name,
    const char *expr, const struct sp_error *why, struct sp_error *err)
{
    return sp_m_note(m, err, "warning",
        "table %s: the %s %s was not migrated, the target does not understand it: %s (%s)", table, element,
        name, expr, sp_error_text(why));
}

/* ---- columns ---- */

static bool has_words(const struct sp_column *c)
{
    return c->generated != NULL || (c->default_expr != NULL && !sp_v_expr_is_literal(c->default_expr));
}

static void strip(struct sp_column *c)
{
    c->default_expr = c->generated != NULL || has_words(c) ? NULL : c->default_expr;
    c->generated = NULL;
}

/* With this column's words again? The table is there before and behind. */
static int try_column(struct sp_mctx *m, struct sp_mtable *x, struct sp_column *columns, size_t i,
    const struct sp_column *asked, struct sp_error *err)
{
    struct sp_error why = SP_ERROR_INIT;
    int rc = sp_db_table_drop(m->target, x->t->name, err);
    x->created = rc != 0;
    if (rc != 0)
        return rc;
    columns[i] = *asked;
    rc = sp_db_table_create(m->target, &x->made, false, &why);
    if (rc != 0 && sp_m_is_about_words(rc)) {
        strip(&columns[i]);
        rc = sp_db_table_create(m->target, &x->made, false, err);
        if (rc == 0)
            rc = left_out(m, x->t->name,
                asked->generated != NULL ? "expression of the generated column" : "default of", asked->name,
                asked->generated != NULL ? asked->generated : asked->default_expr, &why, err);
    } else if (rc != 0) {
        sp_error_move(err, &why);
    }
    x->created = rc == 0;
    sp_error_clear(&why);
    return rc;
}

static int column_by_column(struct sp_mctx *m, struct sp_mtable *x, bool *helped, struct sp_error *err)
{
    struct sp_column *columns = sp_arena_array(&m->arena, x->made.ncolumns + 1, sizeof *columns);
    const struct sp_column *asked = x->made.columns;
    if (columns == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < x->made.ncolumns; i++) {
        columns[i] = asked[i];
        strip(&columns[i]);
        *helped = *helped || has_words(&asked[i]);
    }
    if (!*helped)
        return 0;
    x->made.columns = columns;
    int rc = sp_db_table_create(m->target, &x->made, false, NULL);
    *helped = x->created = rc == 0;
    if (rc != 0) {
        x->made.columns = asked;
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < x->made.ncolumns; i++)
        if (has_words(&asked[i]))
            rc = try_column(m, x, columns, i, &asked[i], err);
    return rc;
}

int sp_m_create(struct sp_mctx *m, struct sp_mtable *x, struct sp_error *err)
{
    struct sp_error own = SP_ERROR_INIT;
    bool helped = false;
    int rc = sp_db_table_create(m->target, &x->made, false, &own);
    x->created = rc == 0;
    if (rc != 0 && !m->same_kind && sp_m_is_about_words(rc)) {
        int tried = column_by_column(m, x, &helped, err);
        if (helped || tried != 0) {
            sp_error_clear(&own);
            return tried;
        }
    }
    if (rc != 0 && err != NULL)
        sp_error_move(err, &own);
    sp_error_clear(&own);
    return rc;
}

/* ---- checks and indexes ---- */

static bool index_has_words(const struct sp_index *x)
{
    bool words = x->where != NULL;
    for (size_t i = 0; i < x->ncolumns; i++)
        words = words || x->columns[i][0] == '(';
    return words;
}

static int try_piece(struct sp_mctx *m, const struct sp_mtable *x, const struct sp_check *check,
    const struct sp_index *index, struct sp_error *err)
{
    struct sp_table one = x->made;
    struct sp_error why = SP_ERROR_INIT;
    one.nuniques = one.nfks = 0;
    one.checks = check;
    one.nchecks = check != NULL ? 1 : 0;
    one.indexes = index;
    one.nindexes = index != NULL ? 1 : 0;
    int rc = sp_db_table_finish(m->target, &one, &why);
    if (rc != 0 && sp_m_is_about_words(rc))
        rc = check != NULL ? left_out(m, x->t->name, "check", check->name, check->expr, &why, err)
                           : left_out(m, x->t->name, "index", index->name,
                                 index->where != NULL ? index->where : "an expression", &why, err);
    else if (rc != 0)
        sp_error_move(err, &why);
    sp_error_clear(&why);
    return rc;
}

static int name_check(struct sp_mctx *m, const struct sp_check *in, size_t number, struct sp_check *out)
{
    *out = *in;
    if (in->name == NULL || in->name[0] == '\0')
        out->name = sp_arena_printf(&m->arena, "sp_check_%zu", number);
    return out->name == NULL ? -SP_E_NOMEM : 0;
}

/* Everything without words is made by the given call; then each piece that has some is tried alone. */
int sp_m_finish_by_pieces(struct sp_mctx *m, struct sp_mtable *x,
    int (*finish)(struct sp_mctx *, struct sp_mtable *, struct sp_error *), bool *helped,
    struct sp_error *err)
{
    const struct sp_table asked = x->made;
    struct sp_index *plain = sp_arena_array(&m->arena, asked.nindexes + 1, sizeof *plain);
    size_t n = 0;
    if (plain == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < asked.nindexes; i++)
        if (!index_has_words(&asked.indexes[i]))
            plain[n++] = asked.indexes[i];
    *helped = n != asked.nindexes || asked.nchecks != 0;
    if (!*helped)
        return 0;
    x->made.checks = NULL;
    x->made.nchecks = 0;
    x->made.indexes = plain;
    x->made.nindexes = n;
    int rc = finish(m, x, err);
    for (size_t i = 0; rc == 0 && i < asked.nchecks; i++) {
        struct sp_check check;
        rc = name_check(m, &asked.checks[i], i + 1, &check) != 0 ? sp_nomem(err)
                                                                 : try_piece(m, x, &check, NULL, err);
    }
    for (size_t i = 0; rc == 0 && i < asked.nindexes; i++)
        if (index_has_words(&asked.indexes[i]))
            rc = try_piece(m, x, NULL, &asked.indexes[i], err);
    return rc;
}
