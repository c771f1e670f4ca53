/* bson_scalar.c -- elements that JSON has no form for, as text and back. */
#include <endian.h>
#include <string.h>

#include "base/str.h"
#include "model/calendar.h"
#include "model/decimal.h"
#include "providers/mongodb/bson_value.h"

static const struct kind {
    bson_type_t type;
    const char *name, *tag;
} kinds[] = {
    { BSON_TYPE_INT32, "int", "$numberInt" },
    { BSON_TYPE_INT64, "long", "$numberLong" },
    { BSON_TYPE_DOUBLE, "double", "$numberDouble" },
    { BSON_TYPE_DECIMAL128, "decimal", "$numberDecimal" },
    { BSON_TYPE_DATE_TIME, "date", "$date" },
    { BSON_TYPE_OID, "objectId", "$oid" },
    { BSON_TYPE_BINARY, "binData", "$binary" },
    { BSON_TYPE_REGEX, "regex", "$regex" },
    { BSON_TYPE_TIMESTAMP, "timestamp", "$timestamp" },
    { BSON_TYPE_CODE, "javascript", "$code" },
    { BSON_TYPE_CODEWSCOPE, "javascriptWithScope", "$codeWithScope" },
    { BSON_TYPE_SYMBOL, "symbol", "$symbol" },
    { BSON_TYPE_DBPOINTER, "dbPointer", "$dbPointer" },
    { BSON_TYPE_MINKEY, "minKey", "$minKey" },
    { BSON_TYPE_MAXKEY, "maxKey", "$maxKey" },
    { BSON_TYPE_UNDEFINED, "undefined", "$undefined" },
    { BSON_TYPE_UTF8, "string", "$badText" },
};

static const struct kind *kind_of(bson_type_t t)
{
    for (size_t i = 0; i < SP_LEN(kinds); i++)
        if (kinds[i].type == t)
            return &kinds[i];
    return NULL;
}

const char *mo_type_name(bson_type_t t)
{
    const struct kind *k = kind_of(t);
    return k == NULL ? "unknown" : k->name;
}

const char *mo_type_tag(const bson_iter_t *it)
{
    bson_subtype_t subtype;
    uint32_t n;
    const uint8_t *p;
    if (BSON_ITER_HOLDS_BINARY(it)) {
        bson_iter_binary(it, &subtype, &n, &p);
        if (subtype == BSON_SUBTYPE_UUID && n == 16)
            return "$uuid";
    }
    const struct kind *k = kind_of(bson_iter_type(it));
    return k == NULL ? "$unknown" : k->tag;
}

/* ---- to text ------------------------------------------------------------------------------------------------- */

static int double_text(struct sp_buf *out, double f)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_dec d;
    if (f != f)
        return sp_buf_puts(out, "NaN");
    if (f - f != 0)
        return sp_buf_puts(out, f < 0 ? "-Infinity" : "Infinity");
    int rc = sp_dec_from_f64_shortest(&a, f, &d);
    if (rc == 0) {
        if (d.ndigits == 0 && __builtin_signbit(f))
            sp_buf_putc(out, '-');
        rc = sp_dec_print(out, &d);
    }
    sp_arena_free(&a);
    return rc;
}

/* Years that have four digits as a date, others as milliseconds. */
static int date_text(struct sp_buf *out, int64_t ms)
{
    if (ms < INT64_C(-62135596800000) || ms > INT64_C(253402300799999))
        return sp_buf_printf(out, "%lld", (long long)ms);
    int64_t days = ms / 86400000, rest = ms % 86400000;
    if (rest < 0) {
        rest += 86400000;
        days--;
    }
    return sp_ts_print(
        out, (struct sp_ts){ days * 86400 + rest / 1000, (uint32_t)(rest % 1000) * 1000000u }, true);
}

static int octets_text(struct sp_buf *out, const bson_iter_t *it)
{
    bson_subtype_t subtype;
    uint32_t n;
    const uint8_t *p;
    char uuid[37];
    bson_iter_binary(it, &subtype, &n, &p);
    if (subtype == BSON_SUBTYPE_UUID && n == 16) {
        sp_uuid_format(uuid, p);
        return sp_buf_puts(out, uuid);
    }
    sp_buf_printf(out, "%u:", (unsigned)subtype);
    return sp_buf_hex(out, p, n);
}

/* Text that may not be UTF-8 cannot stand in JSON, nor in front of people. */
static int text_text(struct sp_buf *out, const char *s, size_t n, struct sp_error *err)
{
    if (!sp_utf8_valid(s, n))
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a text is not valid UTF-8 (from byte %zu)",
            sp_utf8_bad_at(s, n));
    return sp_buf_put(out, s, n);
}

static int old_text(struct sp_buf *out, const bson_iter_t *it, struct sp_error *err)
{
    uint32_t n, nscope, seconds, increment;
    const uint8_t *scope;
    const bson_oid_t *oid;
    const char *s, *options = "";
    int rc;
    switch (bson_iter_type(it)) {
    case BSON_TYPE_REGEX:
        s = bson_iter_regex(it, &options);
        if (strchr(options, '/') != NULL) /* /a/b/ would be two */
            return sp_fail(
                err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a regular expression whose options hold a slash");
        sp_buf_putc(out, '/');
        rc = text_text(out, s, strlen(s), err);
        sp_buf_putc(out, '/');
        return rc != 0 ? rc : text_text(out, options, strlen(options), err);
    case BSON_TYPE_TIMESTAMP:
        bson_iter_timestamp(it, &seconds, &increment);
        return sp_buf_printf(out, "%u.%u", seconds, increment);
    case BSON_TYPE_CODE:
        s = bson_iter_code(it, &n);
        return text_text(out, s, n, err);
    case BSON_TYPE_CODEWSCOPE:
        s = bson_iter_codewscope(it, &n, &nscope, &scope);
        sp_buf_hex(out, s, (size_t)n + 1);
        return sp_buf_hex(out, scope, nscope);
    case BSON_TYPE_SYMBOL:
        s = bson_iter_symbol(it, &n);
        return text_text(out, s, n, err);
    case BSON_TYPE_DBPOINTER:
        bson_iter_dbpointer(it, &n, &s, &oid);
        rc = text_text(out, s, n, err);
        sp_buf_putc(out, '/');
        return rc != 0 ? rc : sp_buf_hex(out, oid->bytes, sizeof oid->bytes);
    case BSON_TYPE_MINKEY:
    case BSON_TYPE_MAXKEY:
    case BSON_TYPE_UNDEFINED:
        return sp_buf_putc(out, '1');
    default:
        return sp_fail(
            err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a field of the unknown type %d", (int)bson_iter_type(it));
    }
}

int mo_scalar_text(struct sp_buf *out, const bson_iter_t *it, struct sp_error *err)
{
    char text[BSON_DECIMAL128_STRING];
    bson_decimal128_t d;
    uint32_t n;
    const char *s;
    int rc;
    switch (bson_iter_type(it)) {
    case BSON_TYPE_INT32:
        rc = sp_buf_printf(out, "%d", bson_iter_int32(it));
        break;
    case BSON_TYPE_INT64:
        rc = sp_buf_printf(out, "%lld", (long long)bson_iter_int64(it));
        break;
    case BSON_TYPE_DOUBLE:
        rc = double_text(out, bson_iter_double(it));
        break;
    case BSON_TYPE_DECIMAL128:
        if (!bson_iter_decimal128(it, &d))
            return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a decimal cannot be read");
        bson_decimal128_to_string(&d, text);
        if (mo_decimal_is_canonical(&d))
            rc = sp_buf_puts(out, text);
        else
            rc =
                sp_buf_printf(out, "0x%016llx%016llx", (unsigned long long)d.high, (unsigned long long)d.low);
        break;
    case BSON_TYPE_DATE_TIME:
        rc = date_text(out, bson_iter_date_time(it));
        break;
    case BSON_TYPE_OID:
        rc = sp_buf_hex(out, bson_iter_oid(it)->bytes, 12);
        break;
    case BSON_TYPE_BINARY:
        rc = octets_text(out, it);
        break;
    case BSON_TYPE_UTF8:
        s = bson_iter_utf8(it, &n);
        rc = sp_buf_hex(out, s, n);
        break;
    default:
        rc = old_text(out, it, err);
        break;
    }
    return rc == -SP_E_NOMEM ? sp_nomem(err) : rc;
}

/* ---- from text ----------------------------------------------------------------------------------------------- */

struct put {
    bson_t *doc;
    const char *name;
    const char *text; /* NUL-terminated */
    size_t n;
    struct sp_arena *a;
    struct sp_error *err;
};

static int unhex(struct put *p, const char *s, size_t n, uint8_t **out)
{
    static const char digits[] = "0123456789abcdef";
    *out = sp_arena_alloc(p->a, n / 2 + 1);
    if (*out == NULL)
        return sp_nomem(p->err);
    for (size_t i = 0; i < n; i++) {
        const char *d = memchr(digits, s[i] >= 'A' && s[i] <= 'F' ? s[i] + 32 : s[i], 16);
        if (d == NULL || n % 2 != 0)
            return sp_invalid(p->err, "field %s: not hexadecimal digits in pairs", p->name);
        (*out)[i / 2] = (uint8_t)((*out)[i / 2] << 4 | (d - digits));
    }
    return 0;
}

static int bad(struct put *p, const char *what)
{
    return sp_invalid(p->err, "field %s: \"%.60s\" is no %s", p->name, p->text, what);
}

static int done(struct put *p, bool ok)
{
    return ok ? 0 : mo_bson_full(p->name, p->err);
}

static int put_int(struct put *p)
{
    int64_t i;
    if (!sp_parse_i64(p->text, &i) || i < INT32_MIN || i > INT32_MAX)
        return bad(p, "32-bit integer");
    return done(p, bson_append_int32(p->doc, p->name, -1, (int32_t)i));
}

static int put_long(struct put *p)
{
    int64_t i;
    if (!sp_parse_i64(p->text, &i))
        return bad(p, "64-bit integer");
    return done(p, bson_append_int64(p->doc, p->name, -1, i));
}

static int put_double(struct put *p)
{
    struct sp_dec d;
    double f;
    if (strcmp(p->text, "NaN") == 0) {
        f = __builtin_nan("");
    } else if (strcmp(p->text, "Infinity") == 0 || strcmp(p->text, "-Infinity") == 0) {
        f = p->text[0] == '-' ? -__builtin_inf() : __builtin_inf();
    } else {
        if (sp_dec_parse(p->a, p->text, p->n, &d) != 0)
            return bad(p, "double");
        f = sp_dec_nearest_f64(&d);
        if (d.ndigits == 0 && p->text[0] == '-')
            f = -0.0;
    }
    return done(p, bson_append_double(p->doc, p->name, -1, f));
}

static int put_decimal(struct put *p)
{
    bson_decimal128_t d;
    uint8_t *b;
    if (p->n == 34 && sp_str_prefix(p->text, "0x")) {
        int rc = unhex(p, p->text + 2, 32, &b);
        if (rc != 0)
            return rc;
        uint64_t bits[2];
        memcpy(bits, b, sizeof bits);
        d.high = be64toh(bits[0]);
        d.low = be64toh(bits[1]);
    } else if (!bson_decimal128_from_string(p->text, &d)) {
        return bad(p, "decimal128");
    }
    return done(p, bson_append_decimal128(p->doc, p->name, -1, &d));
}

static int put_date(struct put *p)
{
    struct sp_ts ts;
    int64_t ms;
    bool zoned;
    if (!sp_parse_i64(p->text, &ms)) {
        if (sp_ts_parse(p->text, p->n, &ts, &zoned) != 0 || !zoned || ts.nsec % 1000000u != 0)
            return bad(p, "date with milliseconds");
        ms = ts.sec * 1000 + ts.nsec / 1000000u;
    }
    return done(p, bson_append_date_time(p->doc, p->name, -1, ms));
}

static int put_oid(struct put *p)
{
    bson_oid_t oid;
    uint8_t *b;
    if (p->n != 24)
        return bad(p, "ObjectId");
    int rc = unhex(p, p->text, p->n, &b);
    if (rc != 0)
        return rc;
    memcpy(oid.bytes, b, sizeof oid.bytes);
    return done(p, bson_append_oid(p->doc, p->name, -1, &oid));
}

static int put_uuid(struct put *p)
{
    uint8_t u[16];
    if (sp_uuid_parse(p->text, p->n, u) != 0)
        return bad(p, "UUID");
    return done(p, bson_append_binary(p->doc, p->name, -1, BSON_SUBTYPE_UUID, u, sizeof u));
}

static int append_octets(struct put *p, uint64_t subtype, const uint8_t *b, size_t n)
{
    if (subtype > 255 || n > INT32_MAX - 64)
        return bad(p, "binary value");
    return done(p, bson_append_binary(p->doc, p->name, -1, (bson_subtype_t)subtype, b, (uint32_t)n));
}

static int put_binary(struct put *p)
{
    uint64_t subtype = 0;
    size_t i = 0;
    uint8_t *b;
    for (; p->text[i] >= '0' && p->text[i] <= '9' && i < 4; i++)
        subtype = subtype * 10 + (uint64_t)(p->text[i] - '0');
    if (i == 0 || p->text[i] != ':')
        return bad(p, "binary value");
    int rc = unhex(p, p->text + i + 1, p->n - i - 1, &b);
    return rc != 0 ? rc : append_octets(p, subtype, b, (p->n - i - 1) / 2);
}

static int put_regex(struct put *p)
{
    const char *last = strrchr(p->text, '/');
    if (p->text[0] != '/' || last == p->text || strlen(p->text) != p->n)
        return bad(p, "regular expression");
    const char *pattern = sp_arena_strn(p->a, p->text + 1, (size_t)(last - p->text) - 1);
    if (pattern == NULL)
        return sp_nomem(p->err);
    return done(p, bson_append_regex(p->doc, p->name, -1, pattern, last + 1));
}

static int put_timestamp(struct put *p)
{
    const char *dot = strchr(p->text, '.');
    uint64_t seconds, increment;
    char *first = dot == NULL ? NULL : sp_arena_strn(p->a, p->text, (size_t)(dot - p->text));
    if (first == NULL || !sp_parse_u64(first, &seconds) || !sp_parse_u64(dot + 1, &increment) ||
        seconds > UINT32_MAX || increment > UINT32_MAX)
        return bad(p, "timestamp");
    return done(p, bson_append_timestamp(p->doc, p->name, -1, (uint32_t)seconds, (uint32_t)increment));
}

static int put_code(struct put *p)
{
    if (strlen(p->text) != p->n)
        return bad(p, "code without U+0000");
    return done(p, bson_append_code(p->doc, p->name, -1, p->text));
}

static int put_scoped_code(struct put *p)
{
    uint8_t *b;
    bson_t scope;
    int rc = unhex(p, p->text, p->n, &b);
    if (rc != 0)
        return rc;
    const uint8_t *end = memchr(b, '\0', p->n / 2);
    size_t code = end == NULL ? 0 : (size_t)(end - b) + 1;
    if (end == NULL || !bson_init_static(&scope, b + code, p->n / 2 - code))
        return bad(p, "code with its scope");
    return done(p, bson_append_code_with_scope(p->doc, p->name, -1, (const char *)b, &scope));
}

static int put_symbol(struct put *p)
{
    if (p->n > INT32_MAX - 64)
        return bad(p, "symbol");
    return done(p, bson_append_symbol(p->doc, p->name, -1, p->text, (int)p->n));
}

static int put_pointer(struct put *p)
{
    bson_oid_t oid;
    uint8_t *b;
    if (p->n < 25 || p->text[p->n - 25] != '/' || strlen(p->text) != p->n)
        return bad(p, "DBPointer");
    int rc = unhex(p, p->text + p->n - 24, 24, &b);
    const char *collection = rc == 0 ? sp_arena_strn(p->a, p->text, p->n - 25) : NULL;
    if (collection == NULL)
        return rc != 0 ? rc : sp_nomem(p->err);
    memcpy(oid.bytes, b, sizeof oid.bytes);
    return done(p, bson_append_dbpointer(p->doc, p->name, -1, collection, &oid));
}

static int by_type(struct put *p, bson_type_t t)
{
    switch (t) {
    case BSON_TYPE_INT32:
        return put_int(p);
    case BSON_TYPE_INT64:
        return put_long(p);
    case BSON_TYPE_DOUBLE:
        return put_double(p);
    case BSON_TYPE_DECIMAL128:
        return put_decimal(p);
    case BSON_TYPE_DATE_TIME:
        return put_date(p);
    case BSON_TYPE_OID:
        return put_oid(p);
    case BSON_TYPE_BINARY:
        return put_binary(p);
    case BSON_TYPE_REGEX:
        return put_regex(p);
    case BSON_TYPE_TIMESTAMP:
        return put_timestamp(p);
    case BSON_TYPE_CODE:
        return put_code(p);
    case BSON_TYPE_CODEWSCOPE:
        return put_scoped_code(p);
    case BSON_TYPE_SYMBOL:
        return put_symbol(p);
    case BSON_TYPE_DBPOINTER:
        return put_pointer(p);
    case BSON_TYPE_MINKEY:
        return done(p, bson_append_minkey(p->doc, p->name, -1));
    case BSON_TYPE_MAXKEY:
        return done(p, bson_append_maxkey(p->doc, p->name, -1));
    case BSON_TYPE_UNDEFINED:
        return done(p, bson_append_undefined(p->doc, p->name, -1));
    default: /* $badText: what was read as damaged is not written again */
        return sp_invalid(p->err, "field %s: a string that is not valid UTF-8 is not written", p->name);
    }
}

static int with_copy(struct put *p, const char *text, size_t n, bson_type_t t, bool uuid)
{
    struct sp_arena a = SP_ARENA_INIT;
    p->a = &a;
    p->n = n;
    p->text = sp_arena_strn(&a, text, n); /* a NUL behind it */
    int rc = p->text == NULL ? sp_nomem(p->err) : uuid ? put_uuid(p) : by_type(p, t);
    sp_arena_free(&a);
    return rc;
}

int mo_scalar_put(
    bson_t *doc, const char *name, const char *tag, const char *text, size_t n, struct sp_error *err)
{
    struct put p = { .doc = doc, .name = name, .err = err };
    if (strcmp(tag, "$uuid") == 0)
        return with_copy(&p, text, n, BSON_TYPE_BINARY, true);
    for (size_t i = 0; i < SP_LEN(kinds); i++)
        if (strcmp(kinds[i].tag, tag) == 0)
            return with_copy(&p, text, n, kinds[i].type, false);
    return sp_invalid(err, "field %s: no BSON type is tagged %s", name, tag);
}

int mo_native_put(bson_t *doc, const char *name, const struct sp_value *v, struct sp_error *err)
{
    struct put p = { .doc = doc, .name = name, .err = err, .text = "" };
    const char *type = v->u.native.type;
    uint64_t subtype;
    if (sp_str_prefix(type, "binData/") && sp_parse_u64(type + 8, &subtype))
        return append_octets(&p, subtype, (const uint8_t *)v->u.native.p, v->u.native.n);
    for (size_t i = 0; i < SP_LEN(kinds); i++)
        if (strcmp(kinds[i].name, type) == 0 && kinds[i].type != BSON_TYPE_BINARY &&
            kinds[i].type != BSON_TYPE_UTF8)
            return with_copy(&p, v->u.native.p, v->u.native.n, kinds[i].type, false);
    return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "field %s: MongoDB has no type %s", name, type);
}

int mo_bson_full(const char *name, struct sp_error *err)
{
    return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
        "field %s: the document would be larger than BSON allows", name);
}
