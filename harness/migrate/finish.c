/* finish.c -- constraints and indexes behind the rows. A foreign key that the source's own rows break is created without
 * checking the rows that are there, and said so: leaving rows out, or the key, would be worse. */
#include <stdlib.h>

#include "migrate/internal.h"
#include "verify/verify.h"

static int say_orphans(struct sp_mctx *m, const struct sp_table *t, const struct sp_fk *fk, uint64_t n,
    const char *what, struct sp_error *err)
{
    struct sp_event ev;
    struct sp_buf columns = SP_BUF_INIT, text = SP_BUF_INIT;
    for (size_t i = 0; i < fk->ncolumns; i++)
        sp_buf_printf(&columns, "%s%s", i == 0 ? "" : ", ", fk->columns[i]);
    sp_buf_printf(&text, "table %s, %s: %llu rows of the source refer to nothing in %s; the foreign key %s",
        t->name, columns.p == NULL ? "?" : columns.p, (unsigned long long)n, fk->ref_table, what);
    sp_event_begin(&ev, SP_EV_FINDING);
    sp_event_text(&ev, SP_FLD_name, t->name);
    sp_event_text(&ev, SP_FLD_column, columns.p);
    sp_event_text(&ev, SP_FLD_topic, "orphans in the source");
    sp_event_int(&ev, SP_FLD_count, (int64_t)n);
    sp_event_text(&ev, SP_FLD_message, text.p);
    sp_buf_free(&columns);
    sp_buf_free(&text);
    return sp_event_send(m->em, &ev, err);
}

int sp_m_say_orphans(struct sp_mctx *m, const struct sp_mtable *x, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && !m->same_kind && i < x->t->nfks; i++) {
        uint64_t n = 0;
        rc = sp_verify_orphans(m->source, m->from, x->t, &x->t->fks[i], &n, err);
        if (rc == 0 && n != 0)
            rc = say_orphans(m, x->t, &x->t->fks[i], n, "would be created without checking old rows", err);
    }
    return rc;
}

/* The target refused a key: those that the source's rows break come without a check of the old rows. `refused` says what
 * the target said, which stands if the source has no orphan at all. */
static int without_check(
    struct sp_mctx *m, struct sp_mtable *x, struct sp_error *refused, struct sp_error *err)
{
    struct sp_fk *fks = sp_arena_array(&m->arena, x->t->nfks + 1, sizeof *fks);
    bool any = false;
    int rc = fks == NULL ? sp_nomem(err) : 0;
    for (size_t i = 0; rc == 0 && i < x->t->nfks; i++) {
        uint64_t n = 0;
        fks[i] = x->made.fks[i];
        rc = sp_verify_orphans(m->source, m->from, x->t, &x->t->fks[i], &n, err);
        if (rc != 0 || n == 0)
            continue;
        fks[i].not_valid = any = true;
        rc = say_orphans(m, x->t, &fks[i], n,
            "was created without checking old rows (not valid), and verify shows that", err);
    }
    if (rc == 0 && !any) {
        sp_error_move(err, refused);
        return -SP_E_FOREIGN_KEY;
    }
    x->made.fks = fks;
    return rc != 0 ? rc : sp_db_table_finish(m->target, &x->made, err);
}

static int finish(struct sp_mctx *m, struct sp_mtable *x, struct sp_error *err)
{
    struct sp_error own = SP_ERROR_INIT;
    int rc = sp_db_table_finish(m->target, &x->made, &own);
    if (rc == -SP_E_FOREIGN_KEY && !x->made.native_verbatim)
        rc = without_check(m, x, &own, err);
    else if (rc != 0)
        sp_error_move(err, &own);
    sp_error_clear(&own);
    return rc;
}

int sp_m_finish(struct sp_mctx *m, struct sp_mtable *x, struct sp_error *err)
{
    struct sp_error own = SP_ERROR_INIT, again = SP_ERROR_INIT;
    bool helped = false;
    int rc = finish(m, x, &own);
    if (rc != 0 && !m->same_kind && sp_m_is_about_words(rc)) {
        int tried = sp_m_finish_by_pieces(m, x, finish, &helped, &again);
        if (helped) {
            rc = tried;
            sp_error_clear(&own);
            sp_error_move(&own, &again);
        }
    }
    if (rc != 0) {
        sp_error_prefix(&own, "table %s, constraints and indexes", x->t->name);
        if (err != NULL)
            sp_error_move(err, &own);
    }
    sp_error_clear(&own);
    sp_error_clear(&again);
    return rc;
}

/* Where letters that the source takes for equal are different on the target, a unique constraint lets more through. */
int sp_m_say_collations(struct sp_mctx *m, struct sp_error *err)
{
    struct sp_schema *now = NULL;
    int rc = m->same_kind ? 0 : sp_db_introspect(m->target, m->opt->target_ns, &now, err);
    for (size_t i = 0; rc == 0 && now != NULL && i < m->ntables; i++) {
        const struct sp_table *t = m->tables[i].t, *there = sp_schema_table(now, t->name);
        for (size_t k = 0; rc == 0 && there != NULL && k < t->ncolumns; k++) {
            const struct sp_column *s = &t->columns[k], *c = sp_table_column(there, s->name);
            if (s->collation != NULL && c != NULL && !sp_streq(s->collation, c->collation))
                rc = sp_m_note(m, err, "warning",
                    "table %s, column %s: the target has no collation %s; there it is compared by %s, also "
                    "by its unique constraints and indexes",
                    t->name, s->name, s->collation, c->collation != NULL ? c->collation : "octets");
        }
    }
    sp_schema_free(now);
    return rc;
}
