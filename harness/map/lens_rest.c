/* lens_rest.c -- the fields of a document that no relation took: they stay part of the row. What was taken is gone, and so
 * is a document that held nothing else; an empty one, and a null, were never taken. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "map/lens_row.h"

#define GONE 1

static const struct lens_taken *taken_named(const struct lens_taken *t, const char *name, size_t n)
{
    for (const struct lens_taken *c = t->first; c != NULL; c = c->next)
        if (strlen(c->name) == n && memcmp(c->name, name, n) == 0)
            return c;
    return NULL;
}

/* An embedded array is taken if it is one. */
static bool whole_is_gone(const struct lens_taken *t, const struct lens_node *n)
{
    if (!t->whole)
        return false;
    return !t->array || (n->kind == LENS_ARRAY && (n->count != 0 || !t->keep_empty));
}

static int rest(struct lens_row *r, struct lens_node *n, const struct lens_taken *t, struct sp_buf *out);

static int member(
    struct lens_row *r, struct lens_node *c, const struct lens_taken *t, bool first, struct sp_buf *out)
{
    size_t before = out->n;
    if (!first)
        sp_buf_putc(out, ',');
    if (c->raw_name != NULL) {
        sp_buf_put(out, c->raw_name, c->raw_name_n);
        sp_buf_putc(out, ':');
    }
    int rc = t == NULL ? sp_buf_put(out, c->text, c->n) : rest(r, c, t, out);
    if (rc == GONE && !out->oom)
        out->n = before;
    return rc;
}

/* What is left of a thing inside, as text; GONE = nothing. The depth is that of the mapping's paths. */
static int rest(struct lens_row *r, struct lens_node *n, const struct lens_taken *t, struct sp_buf *out)
{
    bool first = true;
    char index[24];
    size_t at = 0;
    int rc = lens_node_open(&r->a, n, false);
    if (rc != 0)
        return rc;
    if (whole_is_gone(t, n))
        return GONE;
    if (t->whole || n->kind == LENS_SCALAR || n->count == 0)
        return sp_buf_put(out, n->text, n->n);
    sp_buf_putc(out, n->kind == LENS_OBJECT ? '{' : '[');
    for (struct lens_node *c = n->first; c != NULL; c = c->next, at++) {
        snprintf(index, sizeof index, "%zu", at);
        const struct lens_taken *of = n->kind == LENS_OBJECT ? taken_named(t, c->name, c->name_n)
                                                             : taken_named(t, index, strlen(index));
        rc = member(r, c, of, first, out);
        if (rc < 0)
            return rc;
        first = first && rc == GONE;
    }
    sp_buf_putc(out, n->kind == LENS_OBJECT ? '}' : ']');
    return first ? GONE : 0;
}

static int push_text(struct lens_row *r, struct sp_rowbuf *rb, const struct lens_node *n,
    const struct sp_buf *text, bool as_stored)
{
    const struct lens_reading how = { .as_stored = as_stored, .documents = r->v->store };
    struct sp_value v;
    const char *p = sp_arena_strn(&r->a, text->p, text->n);
    int rc = p == NULL ? -SP_E_NOMEM
                       : lens_text_value(&r->a, n->kind == LENS_OBJECT, n->tagged, p, text->n, &how, &v);
    return rc != 0 ? rc : sp_put_extra(rb, n->name, &v);
}

static int push_field(
    struct lens_row *r, struct sp_rowbuf *rb, struct lens_node *n, const struct lens_taken *t, bool as_stored)
{
    const struct lens_reading how = { .as_stored = as_stored, .documents = r->v->store };
    struct sp_buf text = SP_BUF_INIT;
    struct sp_value v;
    int rc = t == NULL ? 0 : lens_node_open(&r->a, n, false);
    if (rc == 0 && t != NULL && whole_is_gone(t, n))
        return 0;
    if (rc == 0 && t != NULL && !t->whole && n->kind != LENS_SCALAR && n->count != 0) {
        rc = rest(r, n, t, &text);
        if (rc == 0)
            rc = text.oom ? -SP_E_NOMEM : push_text(r, rb, n, &text, as_stored);
        sp_buf_free(&text);
        return rc == GONE ? 0 : rc;
    }
    if (rc == 0)
        rc = lens_node_value(&r->a, n, &how, &v);
    return rc != 0 ? rc : sp_put_extra(rb, n->name, &v);
}

/* An element that is no document has no fields that could be left: it is left as a whole, or what places in it leave of an
 * array. */
static int push_element(struct lens_row *r, struct sp_rowbuf *rb, bool as_stored)
{
    struct lens_node n = *r->element;
    bool native = n.whole && n.v.tag == SP_ARRAY; /* its elements have no text that could be put together */
    n.name = LENS_ELEMENT;
    return push_field(r, rb, &n, native || r->v->taken->first == NULL ? NULL : r->v->taken, as_stored);
}

int lens_push_rest(struct lens_row *r, struct sp_rowbuf *rb, bool as_stored)
{
    const struct lens_taken *taken = r->v->taken;
    int rc = 0;
    if (!r->v->embedded) {
        for (size_t i = 0; rc == 0 && i < r->nfields; i++) {
            struct lens_node *n = &r->fields[i];
            rc = push_field(r, rb, n, taken_named(taken, n->name, n->name_n), as_stored);
        }
        return rc;
    }
    if (r->wanting || r->element == NULL || taken->whole)
        return 0;
    rc = lens_node_open(&r->a, r->element, false);
    if (rc == 0 && r->element->kind != LENS_OBJECT)
        return push_element(r, rb, as_stored);
    for (struct lens_node *n = r->element->first; rc == 0 && n != NULL; n = n->next)
        rc = push_field(r, rb, n, taken_named(taken, n->name, n->name_n), as_stored);
    return rc;
}
