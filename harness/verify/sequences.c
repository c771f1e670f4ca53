/* sequences.c -- counters: a next value behind the source's hands out numbers that are taken. A backend that keeps no
 * counter for a column draws the next value behind the highest one (SQLite without AUTOINCREMENT): then the rows say it. */
#include "verify/internal.h"

static const struct sp_sequence *find(const struct sp_schema *s, const struct sp_sequence *like)
{
    for (size_t i = 0; i < s->nsequences; i++)
        if (like->table != NULL && sp_streq(s->sequences[i].table, like->table) &&
            sp_streq(s->sequences[i].column, like->column))
            return &s->sequences[i];
    for (size_t i = 0; i < s->nsequences; i++)
        if (sp_streq(s->sequences[i].name, like->name))
            return &s->sequences[i];
    return NULL;
}

/* The next value that a column without a counter of its own gives. 1 = it draws none, 0, or the error of the query. */
static int drawn(struct sp_vctx *c, enum sp_side side, const struct sp_sequence *like,
    struct sp_sequence *out, struct sp_error *err)
{
    const struct sp_table *t = like->table != NULL ? sp_schema_table(c->schema[side], like->table) : NULL;
    const struct sp_column *col = t != NULL && like->column != NULL ? sp_table_column(t, like->column) : NULL;
    if (c->same_kind || col == NULL || !col->identity) /* of one kind, a counter that is gone is a loss */
        return 1;
    const struct sp_order order = { .column = col->name, .desc = true, .nulls = SP_NULLS_DEFAULT };
    const struct sp_query q = {
        .table = t->name, .select = &col->name, .nselect = 1, .order = &order, .norder = 1, .limit = 1
    };
    struct sp_result r = SP_RESULT_INIT;
    int rc = sp_db_read(c->session[side], &q, &r, err);
    *out = (struct sp_sequence){
        .name = like->name, .table = like->table, .column = like->column, .next = 1, .increment = 1
    };
    if (rc == 0 && r.nrows == 1 && r.values[0].tag == SP_INT && r.values[0].u.i > 0)
        out->next = r.values[0].u.i < INT64_MAX ? r.values[0].u.i + 1 : INT64_MAX;
    sp_result_free(&r);
    return rc;
}

static void send(struct sp_vctx *c, const struct sp_sequence *s, const struct sp_sequence *t, bool behind)
{
    struct sp_event ev;
    sp_v_looked(c, SP_VC_SEQUENCES);
    sp_event_begin(&ev, SP_EV_SEQUENCE);
    sp_event_text(&ev, SP_FLD_name, s != NULL ? s->name : t->name);
    if (s != NULL)
        sp_event_int(&ev, SP_FLD_source_next, s->next);
    if (t != NULL)
        sp_event_int(&ev, SP_FLD_target_next, t->next);
    sp_event_bool(&ev, SP_FLD_behind, behind);
    sp_v_send(c, &ev);
}

static void compare(struct sp_vctx *c, const struct sp_sequence *s, const struct sp_sequence *t)
{
    bool down = s->increment < 0;
    bool behind = t == NULL || (down ? t->next > s->next : t->next < s->next);
    send(c, s, t, behind);
    if (t == NULL)
        sp_v_differ(c, 1, "sequence %s: the target has none", s->name);
    else if (behind)
        sp_v_differ(c, 1, "sequence %s: the target's next value %lld is behind the source's %lld", s->name,
            (long long)t->next, (long long)s->next);
    else if (t->next != s->next)
        sp_v_finding(c, s->name, s->column, "sequence ahead", 1,
            "the target's next value %lld is ahead of the source's %lld", (long long)t->next,
            (long long)s->next);
    if (t != NULL && s->increment != t->increment)
        sp_v_schema_diff(c, "sequence", s->table != NULL ? s->table : s->name, s->name,
            s->increment == 1 ? "increment 1" : "another increment than the target's",
            t->increment == 1 ? "increment 1" : "another increment than the source's");
}

static bool selected(const struct sp_vctx *c, const struct sp_sequence *s)
{
    return sp_v_selected(c, s->table != NULL ? s->table : s->name);
}

/* Only `side` keeps a counter; the other one may draw from its rows. */
static void alone(struct sp_vctx *c, const struct sp_sequence *s, enum sp_side side)
{
    struct sp_sequence other;
    struct sp_error err = SP_ERROR_INIT;
    enum sp_side there = side == SP_SIDE_SOURCE ? SP_SIDE_TARGET : SP_SIDE_SOURCE;
    int rc = drawn(c, there, s, &other, &err);
    if (rc < 0) {
        sp_v_not_compared(c, s->name, "sequence", "%s: the highest value of %s.%s could not be read: %s",
            sp_v_side_name(there), s->table, s->column, sp_error_text(&err));
    } else if (side == SP_SIDE_SOURCE) {
        compare(c, s, rc == 0 ? &other : NULL);
    } else if (rc == 0) {
        compare(c, &other, s);
    } else {
        send(c, NULL, s, false);
        sp_v_finding(c, s->name, s->column, "extra sequence", 1, "only the target has this sequence");
    }
    sp_error_clear(&err);
}

void sp_v_sequences(struct sp_vctx *c)
{
    for (size_t i = 0; i < c->schema[0]->nsequences; i++) {
        const struct sp_sequence *s = &c->schema[0]->sequences[i], *t = find(c->schema[1], s);
        if (selected(c, s) && t != NULL)
            compare(c, s, t);
        else if (selected(c, s))
            alone(c, s, SP_SIDE_SOURCE);
    }
    for (size_t i = 0; i < c->schema[1]->nsequences; i++) {
        const struct sp_sequence *t = &c->schema[1]->sequences[i];
        if (selected(c, t) && find(c->schema[0], t) == NULL)
            alone(c, t, SP_SIDE_TARGET);
    }
}
