/* decode.c -- the server's binary values as logical ones. Every length is checked. */
#include <string.h>

#include "providers/postgresql/internal.h"

#define EPOCH_S    INT64_C(946684800)
#define EPOCH_DAYS INT64_C(10957)
#define DAY_US     INT64_C(86400000000)

static struct sp_value word(Oid oid, const char *text)
{
    return sp_v_native(po_type_by_oid(oid)->name, text, strlen(text));
}

static struct sp_value ts(Oid oid, const uint8_t *p)
{
    int64_t us = (int64_t)po_u64(p);
    if (us == INT64_MAX || us == INT64_MIN)
        return word(oid, us > 0 ? "infinity" : "-infinity");
    int64_t sec = us / 1000000, rest = us % 1000000;
    if (rest < 0) {
        rest += 1000000;
        sec--;
    }
    sec += EPOCH_S;
    return oid == PO_TIMESTAMPTZ ? sp_v_instant(sec, (uint32_t)rest * 1000)
                                 : sp_v_local(sec, (uint32_t)rest * 1000);
}

static struct sp_value date(const uint8_t *p)
{
    int32_t days = (int32_t)po_u32(p);
    if (days == INT32_MAX || days == INT32_MIN)
        return word(PO_DATE, days > 0 ? "infinity" : "-infinity");
    return sp_v_date(days + EPOCH_DAYS);
}

static struct sp_value f32(const uint8_t *p)
{
    uint32_t u = po_u32(p);
    float f;
    memcpy(&f, &u, 4);
    return sp_v_f32(f);
}

static struct sp_value f64(const uint8_t *p)
{
    uint64_t u = po_u64(p);
    double f;
    memcpy(&f, &u, 8);
    return sp_v_f64(f);
}

static int numeric(struct sp_arena *a, const uint8_t *p, size_t n, struct sp_value *out)
{
    struct sp_dec d;
    int rc = po_numeric_get(a, p, n, &d);
    if (rc == 1) {
        uint16_t sign = po_u16(p + 4);
        *out = word(PO_NUMERIC, sign == 0xc000 ? "NaN" : sign == 0xd000 ? "Infinity" : "-Infinity");
        return 0;
    }
    if (rc == 0)
        *out = sp_v_dec(d);
    return rc;
}

struct array_reader {
    struct sp_arena *a;
    const uint8_t *p, *end;
    Oid elem;
    enum sp_tag tag;
    uint32_t dims[PO_DIMS];
    size_t ndims;
};

/* One dimension; the inner ones are arrays of arrays. Bounded by PO_DIMS. */
static int read_dim(struct array_reader *r, size_t dim, struct sp_value *out)
{
    size_t n = r->dims[dim];
    bool inner = dim + 1 < r->ndims;
    /* Each element takes four bytes at least: a length that the bytes cannot hold is a lie. */
    if (n > (size_t)(r->end - r->p) / 4 && !(inner && n == 0))
        return -SP_E_CORRUPT;
    struct sp_value *v = sp_arena_array(r->a, n == 0 ? 1 : n, sizeof *v);
    if (v == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        int rc = 0;
        if (inner) {
            rc = read_dim(r, dim + 1, &v[i]);
        } else {
            if (r->end - r->p < 4)
                return -SP_E_CORRUPT;
            int32_t len = (int32_t)po_u32(r->p);
            r->p += 4;
            if (len > r->end - r->p || len < -1)
                return -SP_E_CORRUPT;
            v[i] = sp_v_null();
            if (len >= 0) {
                rc = po_decode(r->a, r->elem, r->p, (size_t)len, &v[i]);
                r->p += len;
            }
        }
        if (rc != 0)
            return rc;
    }
    *out = sp_v_array(inner ? SP_ARRAY : r->tag, v, n);
    return 0;
}

static int array(
    struct sp_arena *a, const struct po_type *elem, const uint8_t *p, size_t n, struct sp_value *out)
{
    struct array_reader r = { .a = a, .p = p, .end = p + n, .elem = elem->oid, .tag = elem->tag };
    if (n < 12)
        return -SP_E_CORRUPT;
    r.ndims = po_u32(p);
    r.p += 12;
    if (r.ndims == 0) {
        *out = sp_v_array(elem->tag, NULL, 0);
        return 0;
    }
    if (r.ndims > PO_DIMS || n < 12 + r.ndims * 8 || po_u32(p + 8) != elem->oid)
        return -SP_E_CORRUPT;
    for (size_t i = 0; i < r.ndims; i++) {
        r.dims[i] = po_u32(r.p);
        if (po_u32(r.p + 4) != 1) { /* counted from another number: no logical array says that */
            *out = sp_v_native("array with other bounds", p, n);
            return 0;
        }
        r.p += 8;
    }
    int rc = read_dim(&r, 0, out);
    return rc == 0 && r.p != r.end ? -SP_E_CORRUPT : rc;
}

static int fixed(Oid oid, const uint8_t *p, struct sp_value *out)
{
    switch (oid) {
    case PO_BOOL:
        *out = sp_v_bool(p[0] != 0);
        return 0;
    case PO_INT2:
        *out = sp_v_int((int16_t)po_u16(p));
        return 0;
    case PO_INT4:
        *out = sp_v_int((int32_t)po_u32(p));
        return 0;
    case PO_OID:
        *out = sp_v_int(po_u32(p));
        return 0;
    case PO_INT8:
        *out = sp_v_int((int64_t)po_u64(p));
        return 0;
    case PO_FLOAT4:
        *out = f32(p);
        return 0;
    case PO_FLOAT8:
        *out = f64(p);
        return 0;
    case PO_TIMESTAMP:
    case PO_TIMESTAMPTZ:
        *out = ts(oid, p);
        return 0;
    case PO_DATE:
        *out = date(p);
        return 0;
    case PO_TIME: {
        int64_t us = (int64_t)po_u64(p);
        *out = us == DAY_US ? word(oid, "24:00:00") : sp_v_time(us * 1000);
        return us >= 0 && us <= DAY_US ? 0 : -SP_E_CORRUPT;
    }
    default:
        *out = sp_v_uuid(p);
        return 0;
    }
}

static size_t width(Oid oid)
{
    switch (oid) {
    case PO_BOOL:
        return 1;
    case PO_INT2:
        return 2;
    case PO_INT4:
    case PO_OID:
    case PO_FLOAT4:
    case PO_DATE:
        return 4;
    case PO_INT8:
    case PO_FLOAT8:
    case PO_TIMESTAMP:
    case PO_TIMESTAMPTZ:
    case PO_TIME:
        return 8;
    case PO_UUID:
        return 16;
    default:
        return 0;
    }
}

int po_decode(struct sp_arena *a, Oid oid, const uint8_t *p, size_t n, struct sp_value *out)
{
    size_t w = width(oid);
    if (w != 0)
        return n == w ? fixed(oid, p, out) : -SP_E_CORRUPT;
    switch (oid) {
    case PO_NUMERIC:
        return numeric(a, p, n, out);
    case PO_BYTEA:
        *out = sp_v_bytes(p, n);
        return 0;
    case PO_JSON:
        *out = sp_v_jsonn((const char *)p, n);
        return 0;
    case PO_JSONB:
        if (n < 1 || p[0] != 1)
            return -SP_E_CORRUPT;
        *out = sp_v_jsonn((const char *)p + 1, n - 1);
        return 0;
    case PO_TEXT:
    case PO_VARCHAR:
    case PO_BPCHAR:
    case PO_NAME:
    case PO_CHAR:
    case PO_UNKNOWN:
        *out = sp_v_textn((const char *)p, n);
        return 0;
    default: {
        const struct po_type *elem = po_type_by_array(oid);
        if (elem != NULL)
            return array(a, elem, p, n, out);
        *out = sp_v_native("unknown", p, n);
        return 0;
    }
    }
}

int po_decode_corrupt(const char *what, struct sp_error *err)
{
    return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
        "%s: the server sent bytes that are no value of its type", what);
}

/* Types that are not built in: asked once, kept while the session lives. NULL on error. */
struct po_named_type *po_named_type(struct sp_session *s, Oid oid, struct sp_error *err)
{
    for (size_t i = 0; i < s->ntypes; i++)
        if (s->types[i].oid == oid)
            return &s->types[i];
    struct po_params p = PO_PARAMS_INIT;
    struct po_named_type *t = NULL;
    PGresult *r = NULL;
    uint32_t be = htobe32(oid);
    int ret = po_param_add(&p, PO_OID, &be, 4, true) != 0 ? sp_nomem(err) : 0;
    if (ret == 0)
        ret = po_query(s, PO_PLAIN,
            "SELECT format_type(oid, NULL), typtype = 'e' FROM pg_catalog.pg_type WHERE oid = $1", &p, &r,
            err);
    if (ret == 0) {
        if (s->ntypes == SP_LEN(s->types))
            s->ntypes = 0;
        t = &s->types[s->ntypes];
        t->oid = oid;
        t->is_enum = PQntuples(r) > 0 && PQgetvalue(r, 0, 1)[0] != 0;
        if (PQntuples(r) == 0 || !sp_strlcpy(t->name, PQgetvalue(r, 0, 0), sizeof t->name))
            (void)sp_strlcpy(t->name, "unknown", sizeof t->name);
        s->ntypes++;
    }
    PQclear(r);
    po_params_free(&p);
    return t;
}
