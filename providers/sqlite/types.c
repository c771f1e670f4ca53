/* types.c -- logical types as declared types and back.
 *
 * SQLite derives a column's affinity from the letters of its declared type; the names chosen here give the affinity
 * that leaves our values as they are (a decimal column must have TEXT affinity, or its digits become a double). */
#include <string.h>

#include "model/calendar.h"
#include "model/decimal.h"
#include "model/json.h"
#include "providers/sqlite/internal.h"

struct name_row {
    const char *name;
    enum sp_tag tag;
    uint8_t bits;
    bool padded;
};
static const struct name_row ours[] = {
    { "BOOLEAN", SP_BOOL, 0, false },
    { "TINYINT", SP_INT, 8, false },
    { "SMALLINT", SP_INT, 16, false },
    { "INT", SP_INT, 32, false },
    { "BIGINT", SP_INT, 64, false },
    { "INTEGER", SP_INT, 64, false },
    { "DECIMAL_TEXT", SP_DEC, 0, false },
    { "FLOAT32_REAL", SP_F32, 0, false },
    { "REAL", SP_F64, 0, false },
    { "TEXT", SP_TEXT, 0, false },
    { "CHAR_TEXT", SP_TEXT, 0, true },
    { "BLOB", SP_BYTES, 0, false },
    { "UUID_TEXT", SP_UUID, 0, false },
    { "INSTANT_TEXT", SP_INSTANT, 0, false },
    { "LOCAL_TEXT", SP_LOCAL, 0, false },
    { "DATE_TEXT", SP_DATE, 0, false },
    { "TIME_TEXT", SP_TIME, 0, false },
    { "JSON_TEXT", SP_JSON, 0, false },
    { "ARRAY_TEXT", SP_ARRAY, 0, false }, /* (tag of the elements) */
    { "VECTOR_TEXT", SP_VECTOR, 0, false },
    { "REF_TEXT", SP_REF, 0, false },
};

/* Words found in other people's declarations; the first that occurs counts. */
static const struct {
    const char *word;
    enum sp_tag tag;
} foreign[] = {
    { "BOOL", SP_BOOL },
    { "INTERVAL", SP_MISSING },
    { "POINT", SP_MISSING },
    { "INT", SP_INT },
    { "DECIMAL", SP_DEC },
    { "NUMERIC", SP_DEC },
    { "NUMBER", SP_DEC },
    { "MONEY", SP_DEC },
    { "REAL", SP_F64 },
    { "FLOA", SP_F64 },
    { "DOUB", SP_F64 },
    { "TIMESTAMPTZ", SP_INSTANT },
    { "WITH TIME ZONE", SP_INSTANT },
    { "TIMESTAMP", SP_LOCAL },
    { "DATETIME", SP_LOCAL },
    { "DATE", SP_DATE },
    { "TIME", SP_TIME },
    { "JSON", SP_JSON },
    { "UUID", SP_UUID },
    { "GUID", SP_UUID },
    { "UNIQUEIDENTIFIER", SP_UUID },
    { "CHAR", SP_TEXT },
    { "CLOB", SP_TEXT },
    { "TEXT", SP_TEXT },
    { "STRING", SP_TEXT },
    { "BLOB", SP_BYTES },
    { "BINARY", SP_BYTES },
    { "BYTEA", SP_BYTES },
};

static const char *name_of(const struct sp_type *t)
{
    for (size_t i = 0; i < SP_LEN(ours); i++) {
        const struct name_row *r = &ours[i];
        uint8_t bits = t->int_bits == 0 ? 64 : t->int_bits;
        if (r->tag == t->tag && r->padded == t->padded && (t->tag != SP_INT || r->bits == bits))
            return r->name;
    }
    return NULL;
}

int sq_type_declare(struct sp_buf *out, const struct sp_type *t, bool identity, struct sp_error *err)
{
    if (identity) {
        if (t->tag != SP_INT)
            return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
                "SQLite draws key values for integer columns only, not for %s", sp_tag_name(t->tag));
        return sp_buf_puts(out, "INTEGER");
    }
    if (t->tag == SP_MISSING)
        return 0; /* dynamic: no declared type, no affinity */
    const char *name = name_of(t);
    if (name == NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "SQLite has no column type for %s",
            sp_tag_name(t->tag));
    sp_buf_puts(out, name);
    if (t->tag == SP_DEC && t->precision > 0)
        return sp_buf_printf(out, "(%u,%d)", t->precision, t->scale);
    if (t->tag == SP_ARRAY)
        return sp_buf_printf(out, "(%d)", (int)t->elem);
    if ((t->tag == SP_INSTANT || t->tag == SP_LOCAL || t->tag == SP_TIME) && t->precision > 0)
        return sp_buf_printf(out, "(%u)", t->precision);
    if (t->length > 0)
        return sp_buf_printf(out, "(%u)", t->length);
    return 0;
}

/* Upper-case letters of the name and up to two numbers in parentheses. */
static void split(const char *decl, char *name, size_t size, int64_t arg[2], size_t *nargs)
{
    size_t n = 0;
    *nargs = 0;
    for (; *decl != '\0' && *decl != '('; decl++)
        if (n + 1 < size)
            name[n++] = *decl >= 'a' && *decl <= 'z' ? (char)(*decl - 32) : *decl;
    while (n > 0 && name[n - 1] == ' ')
        n--;
    name[n] = '\0';
    while (*decl != '\0' && *nargs < 2) {
        char digits[16];
        size_t k = 0;
        decl += strcspn(decl, "-0123456789");
        for (; (*decl >= '0' && *decl <= '9') || *decl == '-'; decl++)
            if (k + 1 < sizeof digits)
                digits[k++] = *decl;
        digits[k] = '\0';
        if (k == 0 || !sp_parse_i64(digits, &arg[*nargs]))
            break;
        (*nargs)++;
    }
}

static void apply_args(struct sp_type *t, const int64_t arg[2], size_t nargs)
{
    if (nargs == 0 || arg[0] < 0 || arg[0] > INT32_MAX)
        return;
    uint32_t first = (uint32_t)arg[0];
    switch (t->tag) {
    case SP_DEC:
        t->precision = first;
        t->scale = nargs == 2 && arg[1] >= -100000 && arg[1] <= 100000 ? (int32_t)arg[1] : 0;
        break;
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_TIME:
        t->precision = first;
        break;
    case SP_ARRAY:
        t->elem = first < SP_TAG_N ? (enum sp_tag)first : SP_MISSING;
        break;
    case SP_TEXT:
    case SP_BYTES:
    case SP_VECTOR:
        t->length = first;
        break;
    default:
        break;
    }
}

bool sq_type_ours(const char *decl, struct sp_type *out)
{
    char name[64];
    int64_t arg[2];
    size_t nargs;
    memset(out, 0, sizeof *out);
    if (decl == NULL)
        return false;
    split(decl, name, sizeof name, arg, &nargs);
    for (size_t i = 0; i < SP_LEN(ours); i++) {
        if (strcmp(ours[i].name, name) != 0)
            continue;
        out->tag = ours[i].tag;
        out->int_bits = ours[i].bits;
        out->padded = ours[i].padded;
        apply_args(out, arg, nargs);
        return true;
    }
    return false;
}

void sq_type_parse(const char *decl, struct sp_type *out)
{
    char name[64];
    int64_t arg[2];
    size_t nargs;
    if (decl == NULL || sq_type_ours(decl, out)) {
        if (decl == NULL)
            memset(out, 0, sizeof *out);
        return;
    }
    split(decl, name, sizeof name, arg, &nargs);
    if (strstr(decl, "WITH TIME ZONE") != NULL || strstr(decl, "with time zone") != NULL) {
        out->tag = SP_INSTANT; /* may stand behind the parentheses */
        return;
    }
    for (size_t i = 0; i < SP_LEN(foreign); i++)
        if (strstr(name, foreign[i].word) != NULL) {
            out->tag = foreign[i].tag;
            if (out->tag == SP_INT)
                out->int_bits = 64;
            else if (out->tag != SP_INSTANT && out->tag != SP_LOCAL && out->tag != SP_TIME)
                apply_args(out, arg, nargs);
            return;
        }
}

/* ---- stored values as logical ones ---- */

static bool decode_text(
    struct sp_arena *a, const struct sp_type *type, const char *p, size_t n, struct sp_value *out)
{
    bool zoned = false;
    struct sp_ts ts;
    int64_t i;
    switch (type->tag) {
    case SP_DEC: {
        struct sp_dec d;
        if (sp_dec_parse(a, p, n, &d) != 0)
            return false;
        *out = sp_v_dec(d);
        return true;
    }
    case SP_UUID: {
        uint8_t u[16];
        if (sp_uuid_parse(p, n, u) != 0)
            return false;
        *out = sp_v_uuid(u);
        return true;
    }
    case SP_INSTANT:
    case SP_LOCAL:
        if (sp_ts_parse(p, n, &ts, &zoned) != 0 || (type->tag == SP_INSTANT && !zoned))
            return false;
        *out = zoned ? sp_v_instant(ts.sec, ts.nsec) : sp_v_local(ts.sec, ts.nsec);
        return true;
    case SP_DATE:
        if (sp_date_parse(p, n, &i) != 0)
            return false;
        *out = sp_v_date(i);
        return true;
    case SP_TIME:
        if (sp_time_parse(p, n, &i) != 0)
            return false;
        *out = sp_v_time(i);
        return true;
    case SP_JSON:
        if (sp_json_check(p, n, NULL) != 0)
            return false;
        *out = sp_v_jsonn(p, n);
        return true;
    case SP_ARRAY:
        return sq_array_parse(a, type->elem, p, n, out) == 0;
    case SP_VECTOR:
        return sq_array_parse(a, SP_VECTOR, p, n, out) == 0;
    case SP_REF:
        *out = sp_v_textn(p, n);
        out->tag = SP_REF;
        return true;
    default:
        return false;
    }
}

int sq_decode(struct sp_arena *a, const struct sp_type *type, sqlite3_value *v, struct sp_value *out)
{
    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER: {
        int64_t i = sqlite3_value_int64(v);
        *out = sp_v_int(i);
        if (type->tag == SP_BOOL && (i == 0 || i == 1)) {
            *out = sp_v_bool(i == 1);
        } else if (type->tag == SP_DEC) {
            char *digits = sp_arena_alloc(a, 20);
            struct sp_dec d;
            if (digits == NULL)
                return -SP_E_NOMEM;
            if (sp_dec_from_i64(digits, i, &d))
                *out = sp_v_dec(d);
        }
        return 0;
    }
    case SQLITE_FLOAT: {
        double f = sqlite3_value_double(v);
        *out = type->tag == SP_F32 && (double)(float)f == f ? sp_v_f32((float)f) : sp_v_f64(f);
        return 0;
    }
    case SQLITE_TEXT: {
        const char *p = (const char *)sqlite3_value_text(v);
        size_t n = (size_t)sqlite3_value_bytes(v);
        if (p == NULL)
            return -SP_E_NOMEM;
        if (!decode_text(a, type, p, n, out))
            *out = sp_v_textn(p, n);
        return 0;
    }
    case SQLITE_BLOB: {
        const void *p = sqlite3_value_blob(v);
        *out = sp_v_bytes(p == NULL ? "" : p, (size_t)sqlite3_value_bytes(v));
        return 0;
    }
    default:
        *out = sp_v_null();
        return 0;
    }
}
