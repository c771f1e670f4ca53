/* lens_value.c -- what a node is as the value of a column or field. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "map/lens_node.h"
#include "model/decimal.h"
#include "model/json.h"

#define PLAIN_DEPTH 200 /* as deep as documents are */

/* ---- JSON without tags ---------------------------------------------------------------------------------------- */

static int plain_number(struct sp_arena *a, struct sp_buf *out, const struct sp_value *v)
{
    struct sp_dec d;
    char digits[20];
    int rc = 0;
    if (v->tag == SP_INT)
        sp_dec_from_i64(digits, v->u.i, &d);
    else if (v->tag == SP_DEC)
        d = v->u.dec;
    else if (!isfinite(v->u.f64))
        return 1;
    else if (v->u.f64 == 0)
        return sp_buf_puts(out, signbit(v->u.f64) ? "-0" : "0");
    else
        rc = sp_dec_from_f64(a, v->u.f64, &d);
    return rc != 0 ? rc : sp_dec_print(out, &d);
}

static int plain_scalar(struct sp_arena *a, struct sp_buf *out, const struct lens_node *n)
{
    struct sp_value v = n->v;
    int rc = lens_logical(a, &v);
    if (rc != 0 || n->state == SP_ST_UNCOERCED)
        return rc != 0 ? rc : 1;
    switch (v.tag) {
    case SP_NULL:
        return sp_buf_puts(out, "null");
    case SP_BOOL:
        return sp_buf_puts(out, v.u.b ? "true" : "false");
    case SP_INT:
    case SP_DEC:
    case SP_F64:
        return plain_number(a, out, &v);
    case SP_TEXT:
        return sp_json_quote(out, v.u.str.p, v.u.str.n);
    default:
        return 1;
    }
}

/* 1 = it holds what JSON has no form for. */
static int plain(struct sp_arena *a, struct sp_buf *out, struct lens_node *n, int depth)
{
    int rc = lens_node_open(a, n, false);
    if (rc != 0 || depth > PLAIN_DEPTH)
        return rc != 0 ? rc : 1;
    if (n->kind == LENS_SCALAR)
        return plain_scalar(a, out, n);
    bool object = n->kind == LENS_OBJECT;
    sp_buf_putc(out, object ? '{' : '[');
    for (struct lens_node *c = n->first; rc == 0 && c != NULL; c = c->next) {
        if (c != n->first)
            sp_buf_putc(out, ',');
        if (object) {
            sp_json_quote(out, c->name, c->name_n);
            sp_buf_putc(out, ':');
        }
        rc = plain(a, out, c, depth + 1);
    }
    sp_buf_putc(out, object ? '}' : ']');
    return rc;
}

static int keep(struct sp_arena *a, struct sp_buf *b, const char **p, size_t *n)
{
    *n = b->n;
    *p = b->oom ? NULL : sp_arena_strn(a, b->p != NULL ? b->p : "", b->n);
    sp_buf_free(b);
    return *p == NULL ? -SP_E_NOMEM : 0;
}

static int container(struct sp_arena *a, struct lens_node *n, bool stored, struct sp_value *out)
{
    struct sp_buf b = SP_BUF_INIT;
    const char *p;
    size_t len;
    if (!n->tagged) {
        *out = sp_v_jsonn(n->text, n->n);
        return 0;
    }
    int rc = stored ? 1 : plain(a, &b, n, 0);
    if (rc == 0) {
        rc = keep(a, &b, &p, &len);
        *out = sp_v_jsonn(p, len);
        return rc;
    }
    sp_buf_free(&b);
    *out = sp_v_native(n->kind == LENS_OBJECT ? "object" : "array", n->text, n->n);
    return rc < 0 ? rc : 0;
}

/* ---- arrays of scalars ------------------------------------------------------------------------------------------ */

/* 1 = documents or arrays are in it. */
static int scalars(
    struct sp_arena *a, struct lens_node *n, const struct lens_reading *r, struct sp_value *out)
{
    struct sp_value *v = sp_arena_array(a, n->count + 1, sizeof *v);
    enum sp_tag common = r->type.tag == SP_ARRAY ? r->type.elem : SP_MISSING;
    bool mixed = false;
    size_t i = 0;
    if (v == NULL)
        return -SP_E_NOMEM;
    for (struct lens_node *c = n->first; c != NULL; c = c->next, i++) {
        if (c->kind != LENS_SCALAR || c->state == SP_ST_UNCOERCED)
            return 1;
        v[i] = c->v;
        int rc = lens_logical(a, &v[i]);
        if (rc != 0)
            return rc;
        if (v[i].tag == SP_NULL)
            continue;
        common = common == SP_MISSING ? v[i].tag : common;
        mixed = mixed || v[i].tag != common;
    }
    *out = sp_v_array(mixed ? SP_MISSING : common, v, n->count);
    return 0;
}

static int array(struct sp_arena *a, struct lens_node *n, const struct lens_reading *r, struct sp_value *out)
{
    int rc = r->as_stored || r->type.tag == SP_JSON || !n->tagged ? 1 : scalars(a, n, r, out);
    return rc == 1 ? container(a, n, r->as_stored, out) : rc;
}

/* ---- all ------------------------------------------------------------------------------------------------------------ */

static int quoted(struct sp_arena *a, struct sp_value *v)
{
    struct sp_buf b = SP_BUF_INIT;
    const char *p;
    size_t n;
    sp_json_quote(&b, v->u.str.p, v->u.str.n);
    int rc = keep(a, &b, &p, &n);
    *v = sp_v_jsonn(p, n);
    return rc;
}

static int scalar(
    struct sp_arena *a, const struct lens_node *n, const struct lens_reading *r, struct sp_value *out)
{
    *out = n->v;
    if (r->as_stored || !r->documents)
        return 0;
    int rc = lens_logical(a, out);
    if (rc == 0 && r->type.tag == SP_JSON && out->tag == SP_TEXT && n->state != SP_ST_UNCOERCED)
        rc = quoted(a, out);
    if (rc == 0 && r->type.tag == SP_REF && out->tag == SP_TEXT)
        out->tag = SP_REF;
    return rc;
}

int lens_node_value(
    struct sp_arena *a, struct lens_node *n, const struct lens_reading *r, struct sp_value *out)
{
    if (n == NULL) {
        *out = sp_v_missing();
        return 0;
    }
    if (n->whole && (r->as_stored || !r->documents)) {
        *out = n->v; /* as it came */
        return 0;
    }
    int rc = lens_node_open(a, n, false);
    if (rc != 0)
        return rc;
    if (n->kind == LENS_SCALAR)
        return scalar(a, n, r, out);
    return n->kind == LENS_OBJECT ? container(a, n, r->as_stored, out) : array(a, n, r, out);
}

int lens_text_value(struct sp_arena *a, bool object, bool tagged, const char *text, size_t n,
    const struct lens_reading *r, struct sp_value *out)
{
    struct lens_node node = {
        .kind = object ? LENS_OBJECT : LENS_ARRAY, .text = text, .n = n, .tagged = tagged
    };
    return lens_node_value(a, &node, r, out);
}
