/* semantics_values.c -- which values are kept, changed or refused: as data. */
#include "suites/crud/observe.h"

#include <math.h>

/* clang-format off */
#define PROBES(name, table_) \
    const struct cro_probes cro_##name = { .table = table_, .v = name, .n = SP_LEN(name) }
#define ALWAYS SP_CAP_N
#define OF(t, ...) { .tag = SP_##t, __VA_ARGS__ }

static const struct cro_probe misfits[] = {
    { "misfits: text \"42\" in an integer column", OF(INT), V_TEXT("42"), ALWAYS },
    { "misfits: text \"abc\" in an integer column", OF(INT), V_TEXT("abc"), ALWAYS },
    { "misfits: integer 5 in a text column", OF(TEXT), V_INT(5), ALWAYS },
    { "misfits: double 2.0 in an integer column", OF(INT), V_F64(2.0), ALWAYS },
    { "misfits: double 2.5 in an integer column", OF(INT), V_F64(2.5), ALWAYS },
    { "misfits: true in an integer column", OF(INT), V_BOOL(true), SP_CAP_VAL_BOOL },
    { "misfits: integer 1 in a boolean column", OF(BOOL), V_INT(1), SP_CAP_VAL_BOOL },
    { "misfits: six characters in text(5)", OF(TEXT, .length = 5), V_TEXT("abcdef"), ALWAYS },
    { "misfits: five characters and a blank in text(5)", OF(TEXT, .length = 5), V_TEXT("abcde "), ALWAYS },
    { "misfits: 1.005 in decimal(10,2)", OF(DEC, .precision = 10, .scale = 2), V_DEC(false, "1005", -3),
        SP_CAP_VAL_DECIMAL },
    { "misfits: 100000000 in decimal(10,2)", OF(DEC, .precision = 10, .scale = 2), V_DEC(false, "1", 8),
        SP_CAP_VAL_DECIMAL },
    { "misfits: text in a column of octets", OF(BYTES), V_TEXT("abc"), SP_CAP_VAL_BYTES },
    { "misfits: octets in a text column", OF(TEXT), V_BYTES("abc"), SP_CAP_VAL_BYTES },
    { "misfits: text with an offset in a column of instants", OF(INSTANT), V_TEXT("2020-01-01T00:00:00+02:00"),
        SP_CAP_VAL_INSTANT },
    { "misfits: 29 February 2023 as text in a date column", OF(DATE), V_TEXT("2023-02-29"), SP_CAP_VAL_DATE },
    { "misfits: \"23:59:60\" as text in a column of times", OF(TIME), V_TEXT("23:59:60"), SP_CAP_VAL_TIME },
};
PROBES(misfits, "misfits");

static const struct cro_probe integers[] = {
    { "integers: 2^53 + 1", OF(INT), V_INT(INT64_C(9007199254740993)), ALWAYS },
    { "integers: 2^63 - 1", OF(INT), V_INT(INT64_MAX), ALWAYS },
    { "integers: -2^63", OF(INT), V_INT(INT64_MIN), ALWAYS },
    { "integers: 2^63, as a decimal, in an integer column", OF(INT), V_DEC(false, "9223372036854775808", 0),
        SP_CAP_VAL_DECIMAL },
    { "integers: 3.0, as a decimal, in an integer column", OF(INT), V_DEC(false, "3", 0), SP_CAP_VAL_DECIMAL },
    { "integers: 2^31 in a column of 32 bits", OF(INT, .int_bits = 32), V_INT(INT64_C(2147483648)), ALWAYS },
    { "integers: 2^15 in a column of 16 bits", OF(INT, .int_bits = 16), V_INT(32768), ALWAYS },
    { "integers: 2^53 + 1 in a column of doubles", OF(F64), V_INT(INT64_C(9007199254740993)), ALWAYS },
    { "integers: a decimal of 38 digits", OF(DEC),
        V_DEC(true, "12345678901234567890123456789012345678", -10), SP_CAP_VAL_DECIMAL },
    { "integers: a decimal of 60 digits", OF(DEC),
        V_DEC(false, "123456789012345678901234567890123456789012345678901234567891", -20), SP_CAP_VAL_DECIMAL },
    { "integers: 10^400, as a decimal", OF(DEC), V_DEC(false, "1", 400), SP_CAP_VAL_DECIMAL },
};
PROBES(integers, "integers");

static const struct cro_probe floats_kept[] = {
    { "floats: NaN", OF(F64), V_F64(NAN), ALWAYS },
    { "floats: infinity", OF(F64), V_F64(INFINITY), ALWAYS },
    { "floats: -infinity", OF(F64), V_F64(-INFINITY), ALWAYS },
    { "floats: -0.0", OF(F64), V_F64(-0.0), ALWAYS },
    { "floats: 0.1 + 0.2", OF(F64), V_F64(0.30000000000000004), ALWAYS },
    { "floats: the smallest double", OF(F64), V_F64(4.9406564584124654e-324), ALWAYS },
    { "floats: the largest double", OF(F64), V_F64(1.7976931348623157e308), ALWAYS },
    { "floats: 0.1 as a single", OF(F32), V_F32(0.1f), SP_CAP_VAL_F32 },
    { "floats: NaN in a decimal column", OF(DEC), V_F64(NAN), SP_CAP_VAL_DECIMAL },
};
PROBES(floats_kept, "floats_kept");

static const struct cro_probe times[] = {
    { "timestamps: an instant with 123456789 ns", OF(INSTANT), V_INSTANT(1600000000, 123456789), SP_CAP_VAL_INSTANT },
    { "timestamps: an instant with 999999999 ns", OF(INSTANT), V_INSTANT(1600000000, 999999999), SP_CAP_VAL_INSTANT },
    { "timestamps: an instant before 1970 with 500000001 ns", OF(INSTANT), V_INSTANT(-100, 500000001),
        SP_CAP_VAL_INSTANT },
    { "timestamps: an instant of year 1", OF(INSTANT), V_INSTANT(INT64_C(-62135596800), 0), SP_CAP_VAL_INSTANT },
    { "timestamps: the last second of year 9999", OF(INSTANT), V_INSTANT(INT64_C(253402300799), 0), SP_CAP_VAL_INSTANT },
    { "timestamps: an instant of year 10000", OF(INSTANT), V_INSTANT(INT64_C(253402300800), 0), SP_CAP_VAL_INSTANT },
    { "timestamps: an instant of year 300000", OF(INSTANT), V_INSTANT(INT64_C(9404964508800), 0), SP_CAP_VAL_INSTANT },
    { "timestamps: infinity, as text", OF(INSTANT), V_TEXT("infinity"), SP_CAP_VAL_INSTANT },
    { "timestamps: a local timestamp", OF(LOCAL), V_LOCAL(1600000000, 0), SP_CAP_VAL_LOCAL },
    { "timestamps: a local timestamp in a column of instants", OF(INSTANT), V_LOCAL(1600000000, 0), SP_CAP_VAL_LOCAL },
    { "timestamps: an instant in a column of local timestamps", OF(LOCAL), V_INSTANT(1600000000, 0), SP_CAP_VAL_LOCAL },
    { "timestamps: the last day of year 9999", OF(DATE), V_DATE(2932896), SP_CAP_VAL_DATE },
    { "timestamps: the first day of year 0", OF(DATE), V_DATE(-719528), SP_CAP_VAL_DATE },
    { "timestamps: 23:59:59.999999999", OF(TIME), V_TIME(INT64_C(86399999999999)), SP_CAP_VAL_TIME },
};
PROBES(times, "times");

static const struct cro_probe texts[] = {
    { "texts: the empty text", OF(TEXT), V_TEXT(""), ALWAYS },
    { "texts: U+0000 inside", OF(TEXT), V_TEXT("a\0b"), ALWAYS },
    { "texts: a decomposed letter", OF(TEXT), V_TEXT("e\xcc\x81"), ALWAYS },
    { "texts: a character beyond the basic plane", OF(TEXT), V_TEXT("\xf0\x9f\x94\x91"), ALWAYS },
    { "texts: U+FFFF", OF(TEXT), V_TEXT("\xef\xbf\xbf"), ALWAYS },
    { "texts: octets that are no UTF-8", OF(TEXT), V_TEXT("a\xff\xfe"), ALWAYS },
    { "texts: a half of a surrogate pair", OF(TEXT), V_TEXT("\xed\xa0\x80"), ALWAYS },
    { "texts: blanks at both ends", OF(TEXT), V_TEXT("  a  "), ALWAYS },
    { "texts: CR LF", OF(TEXT), V_TEXT("a\r\nb\rc"), ALWAYS },
    { "octets: none", OF(BYTES), V_BYTES(""), SP_CAP_VAL_BYTES },
    { "octets: 0x00 and 0xff", OF(BYTES), V_BYTES("\x00\xff\x80\x00"), SP_CAP_VAL_BYTES },
};
PROBES(texts, "texts");

static const struct cro_probe documents[] = {
    { "JSON: keys in their order, an empty one", OF(JSON), V_JSON("{\"b\":1,\"\":2,\"a\":3}"), SP_CAP_VAL_JSON },
    { "JSON: a key twice", OF(JSON), V_JSON("{\"a\":1,\"a\":2}"), SP_CAP_VAL_JSON },
    { "JSON: 1.0 beside 1", OF(JSON), V_JSON("[1.0,1]"), SP_CAP_VAL_JSON },
    { "JSON: 2^53 + 1", OF(JSON), V_JSON("9007199254740993"), SP_CAP_VAL_JSON },
    { "JSON: 2^63", OF(JSON), V_JSON("[9223372036854775808]"), SP_CAP_VAL_JSON },
    { "JSON: a fraction of 25 digits", OF(JSON), V_JSON("[0.1234567890123456789012345]"), SP_CAP_VAL_JSON },
    { "JSON: 1e400", OF(JSON), V_JSON("[1e400]"), SP_CAP_VAL_JSON },
    { "JSON: -0", OF(JSON), V_JSON("[-0]"), SP_CAP_VAL_JSON },
    { "JSON: U+0000 inside a text", OF(JSON), V_JSON("\"a\\u0000b\""), SP_CAP_VAL_JSON },
    { "JSON: a half of a surrogate pair", OF(JSON), V_JSON("\"\\ud800\""), SP_CAP_VAL_JSON },
    { "JSON: a key with a point and a dollar sign", OF(JSON), V_JSON("{\"$a.b\":1}"), SP_CAP_VAL_JSON },
    { "JSON: the value null", OF(JSON), V_JSON("null"), SP_CAP_VAL_JSON },
    { "JSON: a bare text", OF(JSON), V_JSON("\"a\""), SP_CAP_VAL_JSON },
    { "arrays: none", OF(ARRAY, .elem = SP_INT), V_ARRAY0(SP_INT), SP_CAP_VAL_ARRAY },
    { "arrays: a null inside", OF(ARRAY, .elem = SP_INT), V_ARRAY(SP_INT, V_INT(1), V_NULL), SP_CAP_VAL_ARRAY },
};
PROBES(documents, "documents");
/* clang-format on */
