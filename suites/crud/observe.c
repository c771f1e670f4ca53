/* observe.c -- see observe.h. */
#include "suites/crud/observe.h"

#include <stdio.h>

const char *cro_shown(struct dc *d, const struct sp_value *v)
{
    struct sp_buf b = SP_BUF_INIT;
    const char *text = sp_value_print(&b, v, 60) == 0 ? sp_arena_strn(d->a, b.p, b.n) : NULL;
    sp_buf_free(&b);
    return text != NULL ? text : "?";
}

/* Of the way there and of accidents: says nothing about how the backend behaves. */
static bool is_accident(const struct sp_error *e)
{
    switch (e->code) {
    case SP_E_TIMEOUT:
    case SP_E_CANCELLED:
    case SP_E_UNAVAILABLE:
    case SP_E_RATE_LIMITED:
    case SP_E_AUTHENTICATION:
    case SP_E_OUTCOME_UNKNOWN:
    case SP_E_IO:
    case SP_E_NOMEM:
    case SP_E_INTERNAL:
        return true;
    default:
        return e->origin == SP_ORIGIN_TRANSPORT;
    }
}

bool cro_answered(struct dc *d, const char *what, int rc, const char **refusal)
{
    *refusal = NULL;
    if (rc == 0 || is_accident(&d->err))
        return dc_ok(d, what, rc);
    *refusal = sp_arena_printf(d->a, "refused: %s", sp_code_name(d->err.code));
    sp_error_clear(&d->err);
    return *refusal != NULL;
}

bool cro_finds(struct dc *d, const char *topic, const char *table, const struct sp_filter *where,
    const char *none, const char *one)
{
    const char *refusal = NULL;
    int64_t n = -1;
    if (!cro_answered(d, topic, sp_db_count(d->s, table, where, &n, &d->err), &refusal))
        return false;
    if (refusal != NULL)
        sp_ctx_observe(d->ctx, topic, "%s", refusal);
    else if (n == 0 || n == 1)
        sp_ctx_observe(d->ctx, topic, "%s", n == 0 ? none : one);
    else
        sp_ctx_observe(d->ctx, topic, "%lld rows", (long long)n);
    return sp_check(d->ctx, refusal != NULL || n >= 0, "a count");
}

bool cro_offers(struct dc *d, const char *topic, enum sp_cap_id needs)
{
    const struct sp_cap *cap = needs == SP_CAP_N ? NULL : sp_ctx_cap(d->ctx, needs);
    if (cap == NULL || cap->level == SP_CAP_YES)
        return true;
    sp_ctx_not_observed(d->ctx, topic, "%s is %s%s%s", sp_caps[needs].name,
        cap->level == SP_CAP_NO ? "not offered" : "not known", cap->why != NULL ? ": " : "",
        cap->why != NULL ? cap->why : "");
    return false;
}

struct sp_session *cro_apart(struct dc *d, const char *tag, const char **name)
{
    const char *ns = sp_ctx_more_namespace(d->ctx, tag);
    *name = ns;
    struct sp_session *s = ns != NULL ? dc_other(d, 1) : NULL;
    return s != NULL && dc_ok(d, "use of the namespace", sp_db_ns_use(s, ns, &d->err)) ? s : NULL;
}

/* ---- values offered to columns ---------------------------------------------------------------------------------- */

enum { MOST_PROBES = 32 };

static bool probe(struct dc *d, const struct cro_probes *all, size_t i, int64_t *there)
{
    const struct cro_probe *p = &all->v[i];
    char column[24];
    (void)snprintf(column, sizeof column, "c%zu", i);
    const struct sp_field f[] = { { "id", sp_v_int((int64_t)i) }, { column, p->v } };
    const char *refusal = NULL, *select[] = { column };
    if (!cro_answered(d, p->topic, sp_db_insert(d->s, all->table, f, 2, &d->err), &refusal) ||
        !dc_ok(d, "reading it",
            sp_db_read(d->s, QUERY(all->table, .where = ID_IS((int64_t)i), .select = select, .nselect = 1),
                &d->r, &d->err)) ||
        !sp_check_int(d->ctx, "rows read", refusal == NULL, (int64_t)d->r.nrows))
        return false;
    const struct sp_value *got = refusal == NULL ? sp_result_at(&d->r, 0, column) : NULL;
    if (refusal == NULL && !sp_check(d->ctx, got != NULL, "the value that was stored"))
        return false;
    *there += refusal == NULL;
    if (refusal != NULL)
        sp_ctx_observe(d->ctx, p->topic, "%s", refusal);
    else if (sp_value_equal(got, &p->v))
        sp_ctx_observe(d->ctx, p->topic, "kept exactly");
    else
        sp_ctx_observe(d->ctx, p->topic, "stored as %s", cro_shown(d, got));
    return true;
}

void crc_semantics_stored(struct sp_ctx *ctx, const void *data)
{
    const struct cro_probes *all = data;
    struct sp_column columns[MOST_PROBES + 1] = { COL_ID };
    char names[MOST_PROBES][24];
    bool offered[MOST_PROBES] = { false };
    struct sp_table t = { .name = all->table, .columns = columns, .ncolumns = 1, .pk = NAMES("id") };
    struct dc d;
    int64_t there = 0;
    bool ok = dc_open(&d, ctx) && sp_check(ctx, all->n <= MOST_PROBES, "room for the columns");
    for (size_t i = 0; ok && i < all->n; i++) {
        offered[i] = cro_offers(&d, all->v[i].topic, all->v[i].needs);
        (void)snprintf(names[i], sizeof names[i], "c%zu", i);
        if (offered[i])
            columns[t.ncolumns++] = (struct sp_column){ .name = names[i], .type = all->v[i].type };
    }
    ok = ok && sp_ctx_table(ctx, &t);
    for (size_t i = 0; ok && i < all->n; i++)
        ok = !offered[i] || probe(&d, all, i, &there);
    (void)(ok && dc_count_is(&d, d.s, all->table, NULL, there));
    dc_done(&d);
}
