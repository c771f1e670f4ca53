/* mapped.c -- --mapping FILE: both sides are seen through it. */
#include "cli/sides.h"
#include "map/lens.h"

/* What it names must be there, before anything is opened on top of it. */
static int check(struct sp_sides *s, struct sp_error *err)
{
    struct sp_schema *schema[2] = { NULL, NULL };
    int rc = 0;
    for (size_t i = 0; i < 2 && rc == 0; i++) {
        rc = sp_db_introspect(s->raw[i], NULL, &schema[i], err);
        if (rc != 0)
            (void)sp_error_prefix(err, "%s %s", i == 0 ? "SOURCE" : "TARGET", s->provider[i].name);
    }
    if (rc == 0)
        rc = sp_mapping_check(s->mapping, schema[0], schema[1], err);
    sp_schema_free(schema[0]);
    sp_schema_free(schema[1]);
    return rc;
}

int sp_sides_map(struct sp_sides *s, struct sp_error *err)
{
    if (s->mapping == NULL)
        return 0;
    int rc = check(s, err);
    for (size_t i = 0; i < 2 && rc == 0; i++) {
        struct sp_session *lens = NULL;
        rc = sp_sides_lens(s, i, s->raw[i], &lens, err);
        if (rc == 0)
            s->session[i] = lens;
    }
    return rc;
}

int sp_sides_lens(
    struct sp_sides *s, size_t side, struct sp_session *raw, struct sp_session **out, struct sp_error *err)
{
    *out = raw;
    if (s->mapping == NULL)
        return 0;
    int rc = sp_lens_open(raw, s->raw[1 - side], s->mapping, (enum sp_side)side, out, err);
    if (rc != 0)
        *out = NULL;
    return rc;
}

/* Both lists as one, in the arena. */
static int join(struct sp_sides *s, const char *const *more, size_t nmore, const char *const **list,
    size_t *n, struct sp_error *err)
{
    const char **all = sp_arena_array(&s->arena, *n + nmore + 1, sizeof *all);
    if (all == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < *n; i++)
        all[i] = (*list)[i];
    for (size_t i = 0; i < nmore; i++)
        all[(*n)++] = more[i];
    *list = all;
    return 0;
}

int sp_sides_map_options(struct sp_sides *s, struct sp_verify_options *o, struct sp_error *err)
{
    const struct sp_mapping *m = s->mapping;
    if (m == NULL)
        return 0;
    o->mapping = m;
    int rc = join(s, m->acknowledge, m->nacknowledge, &o->accept, &o->naccept, err);
    return rc == 0 ? join(s, m->accept_loss, m->naccept_loss, &o->accept_loss, &o->naccept_loss, err) : rc;
}
