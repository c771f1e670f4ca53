/* sequences.c -- counters: a next value behind the source's hands out numbers that are taken. */
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

static void send(struct sp_vctx *c, const struct sp_sequence *s, const struct sp_sequence *t, bool behind)
{
    struct sp_event ev;
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

void sp_v_sequences(struct sp_vctx *c)
{
    for (size_t i = 0; i < c->schema[0]->nsequences; i++)
        if (selected(c, &c->schema[0]->sequences[i]))
            compare(c, &c->schema[0]->sequences[i], find(c->schema[1], &c->schema[0]->sequences[i]));
    for (size_t i = 0; i < c->schema[1]->nsequences; i++) {
        const struct sp_sequence *t = &c->schema[1]->sequences[i];
        if (!selected(c, t) || find(c->schema[0], t) != NULL)
            continue;
        send(c, NULL, t, false);
        sp_v_finding(c, t->name, t->column, "extra sequence", 1, "only the target has this sequence");
    }
}
