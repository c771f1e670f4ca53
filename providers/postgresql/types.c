/* types.c -- logical types as types of the server and back. What no type of the server says (a vector's length, an integer
 * of eight bits, a limit of octets) is a check whose name says it: the server enforces it for every client, and
 * introspection reads it back. */
#include <string.h>

#include "providers/postgresql/internal.h"

static const struct po_type types[] = {
    { PO_BOOL, 1000, "boolean", SP_BOOL, 0 },
    { PO_INT8, 1016, "bigint", SP_INT, 64 },
    { PO_INT4, 1007, "integer", SP_INT, 32 },
    { PO_INT2, 1005, "smallint", SP_INT, 16 },
    { PO_NUMERIC, 1231, "numeric", SP_DEC, 0 },
    { PO_FLOAT4, 1021, "real", SP_F32, 0 },
    { PO_FLOAT8, 1022, "double precision", SP_F64, 0 },
    { PO_TEXT, 1009, "text", SP_TEXT, 0 },
    { PO_VARCHAR, 1015, "character varying", SP_TEXT, 0 },
    { PO_BPCHAR, 1014, "character", SP_TEXT, 0 },
    { PO_NAME, 1003, "name", SP_TEXT, 0 },
    { PO_BYTEA, 1001, "bytea", SP_BYTES, 0 },
    { PO_UUID, 2951, "uuid", SP_UUID, 0 },
    { PO_TIMESTAMPTZ, 1185, "timestamp with time zone", SP_INSTANT, 0 },
    { PO_TIMESTAMP, 1115, "timestamp without time zone", SP_LOCAL, 0 },
    { PO_DATE, 1182, "date", SP_DATE, 0 },
    { PO_TIME, 1183, "time without time zone", SP_TIME, 0 },
    { PO_JSON, 199, "json", SP_JSON, 0 },
    { PO_JSONB, 3807, "jsonb", SP_JSON, 0 },
};

const struct po_type *po_type_by_oid(Oid oid)
{
    for (size_t i = 0; i < SP_LEN(types); i++)
        if (types[i].oid == oid)
            return &types[i];
    return NULL;
}

const struct po_type *po_type_by_array(Oid array)
{
    for (size_t i = 0; i < SP_LEN(types); i++)
        if (types[i].array == array)
            return &types[i];
    return NULL;
}

const struct po_type *po_type_by_tag(enum sp_tag t)
{
    if (t == SP_REF)
        t = SP_TEXT;
    for (size_t i = 0; i < SP_LEN(types); i++)
        if (types[i].tag == t)
            return &types[i];
    return NULL;
}

static int scalar(struct sp_buf *out, const struct sp_type *t, struct sp_error *err)
{
    switch (t->tag) {
    case SP_INT:
        return sp_buf_puts(out, t->int_bits == 8 || t->int_bits == 16 ? "smallint"
                                : t->int_bits == 32                   ? "integer"
                                                                      : "bigint");
    case SP_DEC:
        if (t->precision == 0)
            return sp_buf_puts(out, "numeric");
        if (t->precision > 1000 || t->scale < -1000 || t->scale > 1000)
            return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
                "decimal(%u,%d): PostgreSQL declares at most 1000 digits", t->precision, t->scale);
        return sp_buf_printf(out, "numeric(%u,%d)", t->precision, t->scale);
    case SP_TEXT:
        if (t->padded)
            return sp_buf_printf(out, "character(%u)", t->length == 0 ? 1 : t->length);
        if (t->length > 0 && t->length <= 10485760)
            return sp_buf_printf(out, "character varying(%u)", t->length);
        return sp_buf_puts(out, "text");
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_TIME: {
        const char *zone = t->tag == SP_INSTANT ? "with time zone" : "without time zone";
        sp_buf_puts(out, t->tag == SP_TIME ? "time" : "timestamp");
        if (t->precision > 0 && t->precision <= 7)
            sp_buf_printf(out, "(%u)", t->precision - 1);
        return sp_buf_printf(out, " %s", zone);
    }
    default: {
        const struct po_type *p = po_type_by_tag(t->tag);
        if (p == NULL)
            return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
                t->tag == SP_MISSING ? "PostgreSQL has no column without a type (%s); map it to one"
                                     : "PostgreSQL has no column type for %s",
                t->tag == SP_MISSING ? "dynamic" : sp_tag_name(t->tag));
        return sp_buf_puts(out, p->name);
    }
    }
}

int po_type_declare(struct sp_buf *out, const struct sp_type *t, struct sp_error *err)
{
    if (t->tag == SP_VECTOR)
        return sp_buf_puts(out, "real[]");
    if (t->tag != SP_ARRAY)
        return scalar(out, t, err);
    struct sp_type elem = { .tag = t->elem };
    if (t->elem == SP_ARRAY || t->elem == SP_VECTOR)
        return sp_fail(
            err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "PostgreSQL has no column type for arrays of arrays");
    int ret = scalar(out, &elem, err);
    return ret != 0 ? ret : sp_buf_puts(out, "[]");
}

void po_type_check(struct sp_buf *out, const struct sp_column *c, size_t number)
{
    const struct sp_type *t = &c->type;
    struct sp_buf name = SP_BUF_INIT;
    po_put_name(&name, c->name);
    const char *n = name.p == NULL ? "" : name.p;
    if (t->tag == SP_VECTOR) {
        sp_buf_printf(out, ", CONSTRAINT " PO_CHECK "vector_%u_%zu CHECK (array_position(%s, NULL) IS NULL",
            t->length, number, n);
        if (t->length > 0)
            sp_buf_printf(out, " AND cardinality(%s) = %u", n, t->length);
        sp_buf_putc(out, ')');
    } else if (t->tag == SP_INT && t->int_bits == 8) {
        sp_buf_printf(out, ", CONSTRAINT " PO_CHECK "int8_0_%zu CHECK (%s BETWEEN -128 AND 127)", number, n);
    } else if (t->tag == SP_BYTES && t->length > 0) {
        sp_buf_printf(out, ", CONSTRAINT " PO_CHECK "octets_%u_%zu CHECK (octet_length(%s) <= %u)", t->length,
            number, n, t->length);
    }
    out->oom = out->oom || name.oom;
    sp_buf_free(&name);
}

/* "sp_type_vector_3_7": what, and its number. */
static bool told_by_check(const char *check, const char *what, uint32_t *number)
{
    size_t n = strlen(what);
    if (check == NULL || !sp_str_prefix(check, PO_CHECK) || strncmp(check + strlen(PO_CHECK), what, n) != 0)
        return false;
    *number = 0;
    for (const char *p = check + strlen(PO_CHECK) + n; *p >= '0' && *p <= '9' && *number < 100000000; p++)
        *number = *number * 10 + (uint32_t)(*p - '0');
    return true;
}

static void apply_typmod(Oid oid, int32_t typmod, struct sp_type *t)
{
    t->padded = oid == PO_BPCHAR;
    if (typmod < 0)
        return;
    if ((oid == PO_VARCHAR || oid == PO_BPCHAR) && typmod >= 4)
        t->length = (uint32_t)typmod - 4;
    else if (oid == PO_NUMERIC && typmod >= 4) {
        uint32_t m = (uint32_t)typmod - 4;
        t->precision = m >> 16;
        t->scale = (int32_t)((m & 0x7ff) ^ 1024) - 1024;
    } else if (t->tag == SP_INSTANT || t->tag == SP_LOCAL || t->tag == SP_TIME) {
        t->precision = (uint32_t)typmod + 1;
    }
}

void po_type_logical(Oid oid, int32_t typmod, const char *check, struct sp_type *out)
{
    const struct po_type *p = po_type_by_oid(oid), *elem = p == NULL ? po_type_by_array(oid) : NULL;
    uint32_t number;
    memset(out, 0, sizeof *out);
    if (elem != NULL) {
        out->tag = SP_ARRAY;
        out->elem = elem->tag;
        if (oid == 1021 && told_by_check(check, "vector_", &number)) {
            out->tag = SP_VECTOR;
            out->elem = SP_MISSING;
            out->length = number;
        }
        return;
    }
    out->tag = p == NULL ? SP_NATIVE : p->tag;
    if (p == NULL)
        return;
    out->int_bits = p->bits;
    apply_typmod(oid, typmod, out);
    if (oid == PO_INT2 && told_by_check(check, "int8_", &number))
        out->int_bits = 8;
    if (oid == PO_BYTEA && told_by_check(check, "octets_", &number))
        out->length = number;
}
