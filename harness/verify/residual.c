/* residual.c -- undeclared fields of two rows with one key: which of them differ, and where inside. */
#include "model/json.h"
#include "verify/internal.h"

static const struct sp_type dynamic = { .tag = SP_MISSING };

/* ---- inside of one field --------------------------------------------------------------------------------------- */

/* The JSON text of a document or array, however the backend names it. NULL = neither. */
static const char *json_of(const struct sp_value *v, size_t *n)
{
    bool native = v->tag == SP_NATIVE && v->u.native.n != 0;
    if (!native && v->tag != SP_JSON)
        return NULL;
    *n = native ? v->u.native.n : v->u.str.n;
    const char *p = native ? v->u.native.p : v->u.str.p;
    return *n != 0 && (*p == '{' || *p == '[') ? p : NULL;
}

int sp_v_field_path(struct sp_buf *out, const struct sp_type *type, const struct sp_vfield f[2])
{
    struct sp_arena a = SP_ARENA_INIT;
    const char *text[2] = { NULL, NULL };
    size_t n[2] = { 0, 0 };
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        struct sp_value v;
        enum sp_state state;
        int64_t used = sp_canon_read(&a, type, f[i].whole, f[i].nwhole, &v, &state);
        rc = used <= 0 ? -SP_E_CORRUPT : 0;
        text[i] = rc == 0 ? json_of(&v, &n[i]) : NULL;
    }
    if (rc == 0 && text[0] != NULL && text[1] != NULL && *text[0] == *text[1]) {
        rc = sp_json_first_difference(out, text[0], n[0], text[1], n[1]);
        if (rc == 1)
            rc = sp_buf_puts(out, " (order of fields)");
        else if (rc != -SP_E_NOMEM)
            rc = 0; /* text of a native type that is no JSON after all has no path */
    }
    sp_arena_free(&a);
    return rc;
}

/* ---- the map ------------------------------------------------------------------------------------------------------ */

struct cursor {
    const uint8_t *p;
    size_t n;
    uint32_t left; /* fields */
    const char *name;
    size_t nname; /* of the current field; left == 0: none */
    struct sp_vfield field;
};

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Reads the field at p; at the end of the map nothing may be left. */
static int load(struct cursor *x)
{
    if (x->left == 0)
        return x->n == 0 ? 0 : -SP_E_CORRUPT;
    if (x->n < 4 || u32(x->p) > x->n - 4)
        return -SP_E_CORRUPT;
    x->nname = u32(x->p);
    x->name = (const char *)x->p + 4;
    x->p += 4 + x->nname;
    x->n -= 4 + x->nname;
    int64_t used = sp_v_field(x->p, x->n, &x->field);
    if (used < 0)
        return (int)used;
    x->p += used;
    x->n -= (size_t)used;
    return 0;
}

static int open_map(struct cursor *x, const uint8_t *p, size_t n)
{
    if (n < 4)
        return -SP_E_CORRUPT;
    *x = (struct cursor){ .p = p + 4, .n = n - 4, .left = u32(p) };
    return load(x);
}

static int next(struct cursor *x)
{
    x->left--;
    return load(x);
}

static int order(const struct cursor *a, const struct cursor *b)
{
    if (a->left == 0 || b->left == 0)
        return a->left != 0 ? -1 : 1;
    size_t n = a->nname < b->nname ? a->nname : b->nname;
    int c = memcmp(a->name, b->name, n);
    return c != 0 ? c : (a->nname > b->nname) - (a->nname < b->nname);
}

static int tell(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vwanted *w, const char *key,
    const struct cursor *of, const struct sp_vfield f[2])
{
    struct sp_buf name = SP_BUF_INIT;
    sp_buf_put(&name, of->name, of->nname);
    int rc = name.oom ? -SP_E_NOMEM : sp_v_field_path(&name, &dynamic, f);
    if (rc == 0)
        rc = name.oom ? -SP_E_NOMEM : sp_v_cell(c, p, w, key, name.p, &dynamic, f);
    sp_buf_free(&name);
    return rc;
}

int sp_v_residual(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vwanted *w, const char *key,
    const uint8_t *const at[2], const size_t left[2])
{
    static const uint8_t missing = SP_ST_MISSING;
    const struct sp_vfield none = { .state = SP_ST_MISSING, .whole = &missing, .nwhole = 1 };
    struct cursor x[2];
    unsigned found = 0;
    int rc = open_map(&x[0], at[0], left[0]);
    if (rc == 0)
        rc = open_map(&x[1], at[1], left[1]);
    while (rc == 0 && c->rc == 0 && (x[0].left != 0 || x[1].left != 0)) {
        int o = order(&x[0], &x[1]);
        const struct sp_vfield f[2] = { o <= 0 ? x[0].field : none, o >= 0 ? x[1].field : none };
        if (f[0].nwhole != f[1].nwhole || memcmp(f[0].whole, f[1].whole, f[0].nwhole) != 0) {
            found++;
            rc = tell(c, p, w, key, &x[o <= 0 ? 0 : 1], f);
        }
        if (rc == 0 && o <= 0)
            rc = next(&x[0]);
        if (rc == 0 && o >= 0)
            rc = next(&x[1]);
    }
    return rc == 0 && c->rc == 0 && found == 0 ? -SP_E_CORRUPT : rc;
}

/* What is not compared of documents that are compared as they are stored: said once. */
void sp_v_unordered_fields(struct sp_vctx *c)
{
    const char *first = NULL;
    uint64_t n = 0;
    for (size_t i = 0; c->same_kind && i < c->npairs; i++) {
        if (!c->pairs[i].residual || !c->pairs[i].scanned)
            continue;
        first = n++ == 0 ? c->pairs[i].name : first;
    }
    if (n != 0)
        sp_v_finding(c, first, NULL, "order of fields", n,
            "the order in which a document has its own fields was not compared (%llu %s)",
            (unsigned long long)n, n == 1 ? "table" : "tables, this one and others");
}
