/* draft.c -- the course of a draft: look, match, write, and read it back. */
#include "map/draft_internal.h"
#include "map/mapping.h"

static void head(struct map_draft *d, struct sp_buf *out)
{
    const char *name[2] = { sp_session_endpoint(d->session[0])->name,
        sp_session_endpoint(d->session[1])->name };
    sp_buf_printf(out,
        "# How %s (source) and %s (target) hold the same data: a draft, made from their schemas and from "
        "some documents.\n"
        "# Look at every line with a remark; what is not mentioned keeps its name. Then see what it means:\n"
        "#   switchproof verify SOURCE TARGET --mapping FILE --explain\n"
        "# All keys: switchproof help mapping\n"
        "version: 1\n",
        name[0], name[1]);
}

/* A draft that cannot be used would be worse than none. */
static int read_back(struct map_draft *d, const struct sp_buf *out)
{
    struct sp_mapping *m = NULL;
    int rc = out->oom ? sp_nomem(d->err) : sp_mapping_parse("the draft", out->p, out->n, &m, d->err);
    if (rc == 0)
        rc = sp_mapping_check(m, d->schema[0], d->schema[1], d->err);
    sp_mapping_free(m);
    return rc;
}

int sp_mapping_draft(
    struct sp_session *source, struct sp_session *target, struct sp_buf *out, struct sp_error *err)
{
    struct map_draft d = { .arena = SP_ARENA_INIT, .session = { source, target }, .err = err };
    int rc = 0;
    for (int side = 0; side < 2 && rc == 0; side++) {
        rc = map_draft_look(&d, side);
        if (rc != 0)
            (void)sp_error_prefix(
                err, "%s %s", side == 0 ? "source" : "target", sp_session_endpoint(d.session[side])->name);
    }
    if (rc == 0)
        rc = map_draft_match(&d);
    if (rc == 0) {
        head(&d, out);
        map_draft_write(&d, out);
        rc = read_back(&d, out);
    }
    sp_schema_free(d.schema[0]);
    sp_schema_free(d.schema[1]);
    sp_arena_free(&d.arena);
    return rc;
}
