/* canon_read.c -- canonical bytes back to values, for showing and repairing differences. The bytes may come from a
 * file: nothing in them is believed. */
#include <string.h>

#include "base/str.h"
#include "model/canonical.h"

struct source {
    const uint8_t *p;
    size_t n;
};

static const uint8_t *take(struct source *s, size_t n)
{
    if (n > s->n)
        return NULL;
    const uint8_t *p = s->p;
    s->p += n;
    s->n -= n;
    return p;
}

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t u64_at(const uint8_t *p)
{
    return (uint64_t)u32_at(p) | (uint64_t)u32_at(p + 4) << 32;
}

static int read_dec(const struct source *s, struct sp_dec *d)
{
    if (s->n < 5 || s->p[0] > 1 || s->n - 5 > UINT32_MAX)
        return -SP_E_CORRUPT;
    uint32_t exp = u32_at(s->p + 1);
    *d = (struct sp_dec){
        .digits = (const char *)s->p + 5, .ndigits = (uint32_t)(s->n - 5), .neg = s->p[0] == 1
    };
    memcpy(&d->exp, &exp, sizeof exp);
    for (uint32_t i = 0; i < d->ndigits; i++) {
        if (d->digits[i] < '0' || d->digits[i] > '9')
            return -SP_E_CORRUPT;
    }
    if (d->ndigits == 0)
        return d->neg || d->exp != 0 ? -SP_E_CORRUPT : 0;
    return d->digits[0] == '0' || d->digits[d->ndigits - 1] == '0' ? -SP_E_CORRUPT : 0;
}

static int read_vector(struct sp_arena *a, struct source s, struct sp_value *v)
{
    const uint8_t *p = take(&s, 4);
    if (p == NULL || s.n % 4 != 0 || s.n / 4 != u32_at(p))
        return -SP_E_CORRUPT;
    size_t n = s.n / 4;
    float *f = sp_arena_array(a, n != 0 ? n : 1, sizeof *f);
    if (f == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        uint32_t u = u32_at(s.p + 4 * i);
        memcpy(&f[i], &u, sizeof u);
    }
    *v = sp_v_vector(f, n);
    return 0;
}

static int read_native(struct sp_arena *a, struct source s, struct sp_value *v)
{
    const uint8_t *p = take(&s, 4), *type = p != NULL ? take(&s, u32_at(p)) : NULL;
    if (type == NULL || memchr(type, 0, u32_at(p)) != NULL)
        return -SP_E_CORRUPT;
    char *name = sp_arena_strn(a, (const char *)type, u32_at(p));
    if (name == NULL)
        return -SP_E_NOMEM;
    *v = sp_v_native(name, s.p, s.n);
    return 0;
}

static int read_field(struct sp_arena *a, enum sp_tag expect, struct source *s, int depth,
    struct sp_value *out, enum sp_state *state);

static int read_array(struct sp_arena *a, struct source s, int depth, struct sp_value *v)
{
    const uint8_t *p = take(&s, 5);
    if (p == NULL || p[0] >= SP_TAG_N || depth >= SP_VALUE_DEPTH)
        return -SP_E_CORRUPT;
    size_t n = u32_at(p + 1);
    if (n > s.n) /* an element takes at least a byte */
        return -SP_E_CORRUPT;
    struct sp_value *e = sp_arena_array(a, n != 0 ? n : 1, sizeof *e);
    if (e == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        enum sp_state ignored;
        int rc = read_field(a, (enum sp_tag)p[0], &s, depth + 1, &e[i], &ignored);
        if (rc != 0)
            return rc;
    }
    *v = sp_v_array((enum sp_tag)p[0], e, n);
    return s.n == 0 ? 0 : -SP_E_CORRUPT;
}

static int read_fixed(const uint8_t *p, enum sp_tag tag, struct sp_value *v)
{
    uint32_t u = 0;
    uint64_t w = 0;
    switch (tag) {
    case SP_BOOL:
        v->u.b = p[0] == 1;
        return p[0] > 1 ? -SP_E_CORRUPT : 0;
    case SP_F32:
        u = u32_at(p);
        memcpy(&v->u.f32, &u, sizeof u);
        return 0;
    case SP_F64:
        w = u64_at(p);
        memcpy(&v->u.f64, &w, sizeof w);
        return 0;
    case SP_UUID:
        memcpy(v->u.uuid, p, 16);
        return 0;
    case SP_INSTANT:
    case SP_LOCAL:
        w = u64_at(p);
        memcpy(&v->u.ts.sec, &w, sizeof w);
        v->u.ts.nsec = u32_at(p + 8);
        return 0;
    default: /* int, date, time: the same place */
        w = u64_at(p);
        memcpy(&v->u.i, &w, sizeof w);
        return 0;
    }
}

static int read_content(struct sp_arena *a, enum sp_tag tag, struct source s, int depth, struct sp_value *out)
{
    static const uint8_t fixed[SP_TAG_N] = { [SP_BOOL] = 1,
        [SP_INT] = 8,
        [SP_F32] = 4,
        [SP_F64] = 8,
        [SP_UUID] = 16,
        [SP_INSTANT] = 12,
        [SP_LOCAL] = 12,
        [SP_DATE] = 8,
        [SP_TIME] = 8 };
    *out = (struct sp_value){ .tag = tag };
    if (fixed[tag] != 0)
        return s.n == fixed[tag] ? read_fixed(s.p, tag, out) : -SP_E_CORRUPT;
    switch (tag) {
    case SP_DEC:
        return read_dec(&s, &out->u.dec);
    case SP_TEXT:
    case SP_BYTES:
    case SP_JSON:
    case SP_REF:
        out->u.str.p = (const char *)s.p;
        out->u.str.n = s.n;
        return 0;
    case SP_ARRAY:
        return read_array(a, s, depth, out);
    case SP_VECTOR:
        return read_vector(a, s, out);
    case SP_NATIVE:
        return read_native(a, s, out);
    default:
        return -SP_E_CORRUPT;
    }
}

static int read_field(struct sp_arena *a, enum sp_tag expect, struct source *s, int depth,
    struct sp_value *out, enum sp_state *state)
{
    const uint8_t *p = take(s, 1);
    if (p == NULL || p[0] > SP_ST_UNCOERCED)
        return -SP_E_CORRUPT;
    *state = (enum sp_state)p[0];
    *out = *state == SP_ST_NULL ? sp_v_null() : sp_v_missing();
    if (*state < SP_ST_PRESENT)
        return 0;
    p = take(s, 4);
    struct source body = { NULL, p != NULL ? u32_at(p) : 0 };
    body.p = p != NULL ? take(s, body.n) : NULL;
    if (body.p == NULL)
        return -SP_E_CORRUPT;
    if (expect != SP_MISSING && *state == SP_ST_PRESENT)
        return read_content(a, expect, body, depth, out);
    p = take(&body, 1);
    if (p == NULL || p[0] >= SP_TAG_N)
        return -SP_E_CORRUPT;
    return read_content(a, (enum sp_tag)p[0], body, depth, out);
}

int64_t sp_canon_read(struct sp_arena *a, const struct sp_type *type, const uint8_t *p, size_t n,
    struct sp_value *out, enum sp_state *state)
{
    struct source s = { p, n };
    enum sp_state st;
    int rc = read_field(a, type->tag, &s, 0, out, &st);
    if (rc != 0)
        return rc;
    if (state != NULL)
        *state = st;
    return (int64_t)(n - s.n);
}
