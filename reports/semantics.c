/* semantics.c -- see semantics.h. */
#include "reports/semantics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_topic(const struct sp_event_in *a, const struct sp_event_in *b)
{
    return strcmp(rd_text(a, SP_FLD_topic), rd_text(b, SP_FLD_topic)) == 0 &&
           strcmp(rd_text(a, SP_FLD_id), rd_text(b, SP_FLD_id)) == 0;
}

static bool begins(const struct rd_rows *rows, size_t row)
{
    for (size_t k = 0; k < row; k++) {
        if (same_topic(&rows->v[k].ev, &rows->v[row].ev))
            return false;
    }
    return true;
}

/* The last word on a topic counts: a case that was begun anew tells it again. */
static const struct sp_event_in *row_of(const struct rd_rows *rows, size_t first, const char *provider)
{
    for (size_t k = rows->n; k-- > first;) {
        if (same_topic(&rows->v[first].ev, &rows->v[k].ev) &&
            strcmp(rd_text(&rows->v[k].ev, SP_FLD_provider), provider) == 0)
            return &rows->v[k].ev;
    }
    return NULL;
}

/* Why a case says nothing of its topic on this provider. */
static const char *silence(const struct rd *r, const char *id, const char *provider)
{
    for (size_t i = 0; i < r->ncases; i++) {
        const struct rd_case *c = &r->cases[i];
        if (strcmp(c->id, id) != 0 || strcmp(c->provider, provider) != 0)
            continue;
        if (strcmp(c->outcome, "passed") == 0)
            return "the case came to no answer about it";
        const char *why = c->message[0] != '\0' ? c->message : c->reason;
        return why[0] != '\0' ? why : c->outcome;
    }
    return "the case was not chosen";
}

static int put_cell(const struct rd *r, struct sp_arena *a, struct rds_topic *t, size_t p,
    const struct sp_event_in *ev, size_t *cap)
{
    const char *seen = ev != NULL ? sp_event_get_text(ev, SP_FLD_observed) : NULL;
    const char *why = ev != NULL ? rd_text(ev, SP_FLD_reason) : "";
    t->cells[p] = (struct rds_cell){ .class = RDS_NONE, .reason = "" };
    if (seen == NULL) {
        t->cells[p].reason = why[0] != '\0' ? why : silence(r, t->id, r->providers[p].name);
        return 0;
    }
    size_t k = 0;
    while (k < t->nclasses && strcmp(t->classes[k], seen) != 0)
        k++;
    if (k == t->nclasses) {
        const char **grown = sp_arena_grow(a, t->classes, cap, k + 1, sizeof *grown);
        if (grown == NULL)
            return -SP_E_NOMEM;
        t->classes = grown;
        t->classes[t->nclasses++] = seen;
    }
    t->cells[p].class = k;
    t->seen++;
    return 0;
}

static size_t place(const struct rd *r, const char *name)
{
    for (size_t p = 0; p < r->nproviders; p++)
        if (strcmp(r->providers[p].name, name) == 0)
            return p;
    return RDS_NONE;
}

static enum rds_kind kind_of(const struct rds_topic *t, size_t source, size_t target)
{
    if (t->seen < 2)
        return t->seen == 0 ? RDS_UNSEEN : RDS_ALONE;
    if (t->nclasses == 1)
        return RDS_ALIKE;
    if (source != RDS_NONE && target != RDS_NONE) {
        size_t a = t->cells[source].class, b = t->cells[target].class;
        if (a != RDS_NONE && b != RDS_NONE && a != b)
            return RDS_SWITCH;
    }
    return RDS_DIFFERS;
}

/* Stable: equal kinds keep the order in which they came. */
static void by_kind(struct rds *s, struct rds_topic *sorted)
{
    size_t n = 0;
    for (int k = RDS_SWITCH; k <= RDS_UNSEEN; k++) {
        for (size_t i = 0; i < s->n; i++) {
            if ((int)s->v[i].kind == k)
                sorted[n++] = s->v[i];
        }
    }
    s->v = sorted;
}

int rds_load(const struct rd *r, struct sp_arena *a, struct rds *out)
{
    const struct rd_rows *rows = &r->of[SP_EV_SEMANTICS];
    *out = (struct rds){ .source = rd_text(&r->start, SP_FLD_source),
        .target = rd_text(&r->start, SP_FLD_target) };
    size_t source = place(r, out->source), target = place(r, out->target);
    struct rds_topic *sorted = sp_arena_array(a, rows->n + 1, sizeof *sorted);
    out->v = sp_arena_array(a, rows->n + 1, sizeof *out->v);
    if (out->v == NULL || sorted == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < rows->n; i++) {
        if (!begins(rows, i))
            continue;
        struct rds_topic *t = &out->v[out->n++];
        size_t cap = 0;
        *t = (struct rds_topic){ .topic = rd_text(&rows->v[i].ev, SP_FLD_topic),
            .id = rd_text(&rows->v[i].ev, SP_FLD_id) };
        t->cells = sp_arena_array(a, r->nproviders + 1, sizeof *t->cells);
        if (t->cells == NULL)
            return -SP_E_NOMEM;
        for (size_t p = 0; p < r->nproviders; p++) {
            if (put_cell(r, a, t, p, row_of(rows, i, r->providers[p].name), &cap) != 0)
                return -SP_E_NOMEM;
        }
        t->kind = kind_of(t, source, target);
        out->count[t->kind]++;
    }
    by_kind(out, sorted);
    return 0;
}

void rds_letter(size_t class, char out[24])
{
    if (class < 26)
        (void)snprintf(out, 24, "%c", (char)('A' + class));
    else
        (void)snprintf(out, 24, "%c%zu", (char)('A' + class % 26), class / 26 + 1);
}

bool rds_concerns(const struct rds *s, size_t provider)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].cells[provider].class != RDS_NONE)
            return true;
    return false;
}
