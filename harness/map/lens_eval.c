/* lens_eval.c -- where a path leads in a document. */
#include <string.h>

#include "base/str.h"
#include "map/lens_row.h"

static struct lens_node *field_named(struct lens_row *r, const char *name)
{
    for (size_t i = 0; i < r->nfields; i++)
        if (strcmp(r->fields[i].name, name) == 0)
            return &r->fields[i];
    return NULL;
}

static bool is_null(const struct lens_node *n)
{
    return n->kind == LENS_SCALAR && sp_v_is_absent(&n->v);
}

/* One step. The end of a list, and what is null, hold nothing; a scalar cannot be looked into, nor a list by name. */
static int step(struct lens_row *r, struct lens_node **at, const char *name)
{
    int64_t index;
    int rc = lens_node_open(&r->a, *at, !r->v->store);
    if (rc != 0)
        return rc;
    if (is_null(*at))
        return LENS_ABSENT;
    if ((*at)->kind == LENS_SCALAR || ((*at)->kind == LENS_ARRAY && !sp_parse_i64(name, &index)))
        return LENS_MALFORMED;
    struct lens_node *next = lens_node_child(*at, name);
    if (next == NULL)
        return LENS_ABSENT;
    *at = next;
    return LENS_FOUND;
}

int lens_find(struct lens_row *r, const struct lens_path *path, bool parent, struct lens_node **out)
{
    bool from_element = r->v->embedded && !parent;
    struct lens_node *at = from_element ? r->element : path->n != 0 ? field_named(r, path->seg[0]) : NULL;
    *out = at;
    if (from_element && r->wanting)
        return LENS_MALFORMED;
    if (at == NULL)
        return LENS_ABSENT;
    for (size_t i = from_element ? 0 : 1; i < path->n; i++) {
        int rc = step(r, &at, path->seg[i]);
        *out = at;
        /* A null among the elements is none: its columns are not null, they are not there. */
        if (rc == LENS_ABSENT && from_element && i == 0 && is_null(at))
            return LENS_MALFORMED;
        if (rc != LENS_FOUND)
            return rc;
    }
    return is_null(at) && at->v.tag == SP_MISSING ? LENS_ABSENT : LENS_FOUND;
}

/* What is there, in a few digits: two things that are both none of what was expected need not be the same. */
static int digest_of(const struct lens_node *n, char out[33])
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    struct sp_buf b = SP_BUF_INIT;
    int rc = 0;
    if (n != NULL && n->whole)
        rc = sp_canon_field(&b, &dynamic, &n->v, NULL);
    else if (n != NULL)
        rc = sp_buf_put(&b, n->text, n->n);
    sp_d128_format(out, sp_d128_of(b.p != NULL ? b.p : "", b.n));
    out[16] = '\0';
    sp_buf_free(&b);
    return rc;
}

static int malformed(struct lens_row *r, const struct lens_node *n, struct sp_value *out)
{
    char digest[33];
    const char *what = n == NULL                ? "nothing"
                       : n->kind == LENS_OBJECT ? "a document"
                       : n->kind == LENS_ARRAY  ? "an array"
                       : n->v.tag == SP_NATIVE  ? n->v.u.native.type
                                                : sp_tag_name(n->v.tag);
    int rc = digest_of(n, digest);
    char *text = sp_arena_printf(
        &r->a, "%s where %s was expected (digest %s)", what, r->wanting ? "an array" : "a document", digest);
    if (rc != 0 || text == NULL)
        return rc != 0 ? rc : -SP_E_NOMEM;
    *out = sp_v_native("malformed", text, strlen(text));
    return 0;
}

int lens_path_value(struct lens_row *r, const struct lens_path *path, bool parent, const struct sp_type *type,
    bool as_stored, struct sp_value *out)
{
    struct lens_node *n;
    const struct lens_reading how = { .as_stored = as_stored, .documents = r->v->store, .type = *type };
    int rc = lens_find(r, path, parent, &n);
    if (rc == LENS_MALFORMED)
        return malformed(r, n, out);
    return rc < 0 ? rc : lens_node_value(&r->a, rc == LENS_FOUND ? n : NULL, &how, out);
}

/* What has elements, and what is no array, is seen where the elements are. */
static int empty_array(struct lens_row *r, const struct lens_col *c, struct sp_value *out)
{
    struct lens_node *n;
    int rc = lens_find(r, &c->path, false, &n);
    *out = sp_v_null();
    if (rc != LENS_FOUND || is_null(n))
        return rc < 0 ? rc : 0;
    rc = lens_node_open(&r->a, n, !r->v->store);
    *out = sp_v_bool(n->kind == LENS_ARRAY && n->count == 0);
    return rc;
}

int lens_col_value(struct lens_row *r, const struct lens_col *c, const struct sp_type *type, bool as_stored,
    struct sp_value *out, struct sp_error *err)
{
    if (c->ordinal) {
        *out = sp_v_int(r->index + (r->v->rel != NULL ? r->v->rel->ordinal_base : 0));
        return 0;
    }
    if (c->constant != NULL) {
        *out = *c->constant;
        return 0;
    }
    as_stored = as_stored && !c->logical;
    int rc =
        c->empty ? empty_array(r, c, out) : lens_path_value(r, &c->path, c->parent, type, as_stored, out);
    if (rc != 0)
        return rc == -SP_E_NOMEM ? sp_nomem(err)
                                 : sp_fail(err, (enum sp_code) - rc, SP_ORIGIN_HARNESS,
                                       "relation %s, column %s: a value cannot be read", r->v->name, c->name);
    return c->walk != NULL ? lens_translate(r, c->walk, as_stored, out, err) : 0;
}
