/* verify, likely causes: each class is recognised in values with its cause planted, and not named for what only looks
 * like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "verify/diagnose.h"

enum how { TEXT, NUM, INT, F64, F32, LIT_NULL, MISSING, BOOL, HEX, JSON, UUID };

struct lit {
    enum how how;
    const char *text;
};
struct pair {
    struct lit s, t;
};
#define T(x)                                                                                                 \
    {                                                                                                        \
        TEXT, x                                                                                              \
    }
#define N(how, x)                                                                                            \
    {                                                                                                        \
        how, x                                                                                               \
    }
#define NIL                                                                                                  \
    {                                                                                                        \
        LIT_NULL, ""                                                                                         \
    }

static struct sp_value value(struct sp_arena *a, const struct lit *l)
{
    int64_t i = 0;
    uint8_t u[16];
    char *octets;
    switch (l->how) {
    case NUM:
        return sp_v_dec_text(a, l->text);
    case INT:
        assert_true(sp_parse_i64(l->text, &i));
        return sp_v_int(i);
    case F64:
        return sp_v_f64(strtod(l->text, NULL));
    case F32:
        return sp_v_f32(strtof(l->text, NULL));
    case LIT_NULL:
        return sp_v_null();
    case MISSING:
        return sp_v_missing();
    case BOOL:
        return sp_v_bool(l->text[0] == 't');
    case HEX:
        octets = sp_arena_alloc(a, strlen(l->text) / 2 + 1);
        for (size_t k = 0; k < strlen(l->text) / 2; k++) {
            const char digits[3] = { l->text[2 * k], l->text[2 * k + 1], '\0' };
            octets[k] = (char)strtol(digits, NULL, 16);
        }
        return sp_v_bytes(octets, strlen(l->text) / 2);
    case JSON:
        return sp_v_json(l->text);
    case UUID:
        assert_int_equal(0, sp_uuid_parse(l->text, strlen(l->text), u));
        return sp_v_uuid(u);
    default:
        return sp_v_text(l->text);
    }
}

struct planted {
    const char *topic;
    const char *says; /* in the cause; NULL = whatever */
    struct pair p[6];
};
#define U1 "6f1c9a52-8b1e-4c0e-9d57-0c2f64ab1e01"

static const struct planted planted[] = {
    { "time_zone", "by +2:00",
        { { T("2024-01-02 03:04:05"), T("2024-01-02 05:04:05") },
            { T("2024-06-02 23:04:05"), T("2024-06-03 01:04:05") } } },
    { "time_zone", "by -2:00 and -1:00",
        { { T("2024-07-02 03:04:05"), T("2024-07-02 01:04:05") },
            { T("2024-07-03 03:04:05"), T("2024-07-03 01:04:05") },
            { T("2024-01-02 03:04:05"), T("2024-01-02 02:04:05") } } },
    { "time_zone", "+5:30", { { T("2024-07-02 03:04:05.123456"), T("2024-07-02 08:34:05.123456") } } },
    { "time_zone", "+1:00", { { T("23:30:00"), T("00:30:00") }, { T("10:30:00"), T("11:30:00") } } },
    { "clock_shift", "+437 seconds",
        { { T("2024-01-02 03:04:05"), T("2024-01-02 03:11:22") },
            { T("2024-01-03 03:04:05"), T("2024-01-03 03:11:22") },
            { T("2024-01-04 03:04:05"), T("2024-01-04 03:11:22") } } },
    { "date_shift", "-1 day",
        { { T("2024-03-01"), T("2024-02-29") }, { T("2024-05-01"), T("2024-04-30") } } },
    { "date_shift", "1904", { { T("2024-03-01"), T("2020-02-29") }, { T("2024-05-01"), T("2020-04-30") } } },
    { "time_fraction_cut", "3 digits",
        { { T("2024-01-02 03:04:05.123456"), T("2024-01-02 03:04:05.123") },
            { T("2024-01-02 03:04:05.999999"), T("2024-01-02 03:04:05.999") },
            { T("2024-01-02 03:04:05.120456"), T("2024-01-02 03:04:05.12") } } },
    { "time_fraction_cut", "whole seconds", { { T("2024-01-02 03:04:05.7"), T("2024-01-02 03:04:05") } } },
    { "time_fraction_rounded", "whole seconds",
        { { T("2024-01-02 03:04:05.7"), T("2024-01-02 03:04:06") },
            { T("2024-01-02 03:04:05.2"), T("2024-01-02 03:04:05") },
            { T("2024-01-02 23:59:59.9"), T("2024-01-03 00:00:00") } } },
    { "time_of_day_lost", NULL,
        { { T("2024-01-02 03:04:05"), T("2024-01-02") },
            { T("2024-01-02 13:04:05"), T("2024-01-02 00:00:00") } } },
    { "epoch_unit", "too small by the factor 1,000",
        { { T("2024-01-02 03:04:05"), T("1970-01-20 17:22:44.645") } } },
    { "epoch_unit", "too large",
        { { N(INT, "1704164645"), N(INT, "1704164645000") },
            { N(INT, "1704164646"), N(INT, "1704164646000") } } },
    { "epoch_number", "milliseconds", { { T("2024-01-02 03:04:05Z"), N(INT, "1704164645000") } } },
    { "epoch_number", "in seconds", { { T("2024-01-02 03:04:05Z"), N(INT, "1704164645") } } },
    { "day_month_swapped", NULL,
        { { T("2024-03-04"), T("2024-04-03") }, { T("2024-01-12 10:00:00"), T("2024-12-01 10:00:00") } } },
    { "century", "+100 years", { { T("1968-03-04"), T("2068-03-04") } } },
    { "time_2038", NULL, { { T("2040-01-02 03:04:05"), T("1903-11-26 20:35:49") } } },
    { "zone_lost", "source has a zone", { { T("2024-01-02 03:04:05Z"), T("2024-01-02 03:04:05") } } },
    { "time_respelled", NULL, { { T("2024-01-02 03:04:05"), T("2024-01-02T03:04:05") } } },
    { "float32", NULL,
        { { N(F64, "0.1"), N(F64, "0.10000000149011612") },
            { N(F64, "123.456"), N(F64, "123.45600128173828") } } },
    { "float_last_place", "1 unit", { { N(F64, "0.3"), N(F64, "0.30000000000000004") } } },
    { "float_digits", "6 significant",
        { { N(F64, "3.14159265358979"), N(F64, "3.14159") },
            { N(F64, "1234567.891"), N(F64, "1.23457e6") } } },
    { "decimal_rounded", "2 digits",
        { { N(NUM, "10.125"), N(NUM, "10.13") }, { N(NUM, "1.996"), N(NUM, "2") },
            { N(NUM, "3.141"), N(NUM, "3.14") } } },
    { "decimal_cut", "2 digits",
        { { N(NUM, "10.129"), N(NUM, "10.12") }, { N(NUM, "1.996"), N(NUM, "1.99") },
            { N(NUM, "-1.996"), N(NUM, "-1.99") } } },
    { "integer_wrapped", "32 bits",
        { { N(INT, "4294967301"), N(INT, "5") }, { N(INT, "3000000000"), N(INT, "-1294967296") } } },
    { "integer_clamped", "32 bits",
        { { N(INT, "4294967301"), N(INT, "2147483647") }, { N(INT, "3000000000"), N(INT, "2147483647") } } },
    { "beyond_2_53", NULL, { { N(INT, "9007199254740993"), N(INT, "9007199254740992") } } },
    { "power_of_ten", "cents", { { N(NUM, "12.34"), N(INT, "1234") }, { N(NUM, "5"), N(INT, "500") } } },
    { "sign", NULL, { { N(INT, "-12"), N(INT, "12") } } },
    { "offset", "+1000",
        { { N(INT, "17"), N(INT, "1017") }, { N(INT, "25"), N(INT, "1025") },
            { N(INT, "31"), N(INT, "1031") }, { N(INT, "77"), N(INT, "1077") },
            { N(INT, "99"), N(INT, "1099") } } },
    { "number_as_text", "target keeps", { { N(NUM, "1234.5"), T("1.234,50") } } },
    { "number_respelled", "zeros at the front", { { T("01067"), T("1067") } } },
    { "negative_zero", NULL, { { N(F64, "-0.0"), N(F64, "0.0") } } },
    { "double_utf8", "in the target", { { T("Zo\xc3\xab"), T("Zo\xc3\x83\xc2\xab") } } },
    { "double_utf8", "in the target", { { T("5 \xe2\x82\xac"), T("5 \xc3\xa2\xe2\x80\x9a\xc2\xac") } } },
    { "double_utf8", "twice over", { { T("\xc3\xab"), T("\xc3\x83\xc2\x83\xc3\x82\xc2\xab") } } },
    { "double_utf8", "in the source", { { T("Zo\xc3\x83\xc2\xab"), T("Zo\xc3\xab") } } },
    { "lost_characters", "question marks", { { T("Zo\xc3\xab \xe2\x82\xac"), T("Zo? ?") } } },
    { "lost_characters", "question marks", { { T("Zo\xc3\xab \xe2\x82\xac"), T("Zo\xc3\xab ?") } } },
    { "lost_characters", "U+FFFD", { { T("Zo\xc3\xab"), T("Zo\xef\xbf\xbd") } } },
    { "lost_characters", "dropped", { { T("Zo\xc3\xab"), T("Zo") }, { T("M\xc3\xbcller"), T("Mller") } } },
    { "accents_stripped", NULL, { { T("Zo\xc3\xab M\xc3\xbcller"), T("Zoe Muller") } } },
    { "unicode_form", "NFD", { { T("Zo\xc3\xab"), T("Zoe\xcc\x88") } } },
    { "unicode_form", "NFC", { { T("Zoe\xcc\x88"), T("Zo\xc3\xab") } } },
    { "letter_case", "small letters", { { T("\xc3\x84rger"), T("\xc3\xa4rger") } } },
    { "letter_case", "capitals", { { T("open"), T("OPEN") } } },
    { "padding", "CHAR(n)", { { T("DE"), T("DE   ") } } },
    { "padding", "are gone", { { T("DE  "), T("DE") } } },
    { "line_ends", "CR LF where", { { T("a\nb"), T("a\r\nb") } } },
    { "line_ends", "at the end is gone", { { T("a\nb\n"), T("a\nb") } } },
    { "cut_characters", "at 10 characters",
        { { T("0123456789abc"), T("0123456789") }, { T("\xc3\xa4"
                                                       "123456789x"),
                                                       T("\xc3\xa4"
                                                         "123456789") } } },
    { "cut_bytes", "at 16 bytes",
        { { N(HEX, "000102030405060708090a0b0c0d0e0f1011"), N(HEX, "000102030405060708090a0b0c0d0e0f") },
            { N(HEX, "100102030405060708090a0b0c0d0e0f1011"),
                N(HEX, "100102030405060708090a0b0c0d0e0f") } } },
    { "cut_at_character", "emoji",
        { { T("hi \xf0\x9f\x98\x80 you"), T("hi ") }, { T("a\xf0\x9f\x98\x80"), T("a") } } },
    { "became_empty", NULL, { { T("abc"), T("") }, { T("defg"), T("") } } },
    { "null_empty", "empty in the target", { { NIL, T("") } } },
    { "null_empty", "Oracle", { { T(""), NIL } } },
    { "null_missing", "no such field in the target", { { NIL, N(MISSING, "") } } },
    { "null_default", NULL, { { NIL, N(INT, "0") }, { NIL, N(INT, "0") } } },
    { "null_default", NULL, { { NIL, N(BOOL, "f") } } },
    { "null_default", NULL, { { NIL, T("1970-01-01 00:00:00") } } },
    { "null_word", NULL, { { NIL, T("NULL") } } },
    { "became_null", NULL, { { T("abc"), NIL }, { T("def"), NIL } } },
    { "was_null", NULL, { { NIL, T("abc") }, { NIL, T("def") }, { NIL, T("ghi") } } },
    { "boolean_form", "bool in the source, text in the target",
        { { N(BOOL, "t"), T("true") }, { N(BOOL, "f"), T("false") } } },
    { "boolean_form", "int in the source", { { N(INT, "1"), T("t") } } },
    { "type_changed", "int in the source, text in the target", { { N(INT, "12"), T("12") } } },
    { "type_changed", "text in the source, bytes", { { T("abc"), N(HEX, "616263") } } },
    { "uuid_form", "another case", { { T("6F1C9A52-8B1E-4C0E-9D57-0C2F64AB1E01"), T(U1) } } },
    { "uuid_form", "hyphens", { { T(U1), T("6f1c9a528b1e4c0e9d570c2f64ab1e01") } } },
    { "uuid_form", "another order", { { N(UUID, U1), N(UUID, "529a1c6f-1e8b-0e4c-9d57-0c2f64ab1e01") } } },
    { "octets_as_text", "hexadecimal text in the target", { { N(HEX, "00ff10"), T("\\x00FF10") } } },
    { "octets_as_text", "base64", { { N(HEX, "00ff10ab"), T("AP8Qqw==") } } },
    { "json_respelled", NULL, { { T("{\"a\":1,\"b\":2.0}"), T("{\"b\": 2, \"a\": 1}") } } },
    { "json_quoted", "in the target",
        { { N(JSON, "{\"a\":[1,\"x\"]}"), N(JSON, "\"{\\\"a\\\":[1,\\\"x\\\"]}\"") } } },
    { "array_order", NULL,
        { { N(JSON, "{\"t\":[1,[2,3]],\"u\":1}"), N(JSON, "{\"t\":[[3,2],1],\"u\":1}") } } },
    { "time_zone", "+1:00",
        { { N(JSON, "{\"at\":\"2024-01-02T03:04:05Z\",\"x\":1}"),
            N(JSON, "{\"at\":\"2024-01-02T04:04:05Z\",\"x\":1}") } } },
    { "letter_case", NULL, { { N(JSON, "{\"s\":[\"a\",\"open\"]}"), N(JSON, "{\"s\":[\"a\",\"OPEN\"]}") } } },
    { "escaped", "HTML", { { T("a < b & c"), T("a &lt; b &amp; c") } } },
    { "escaped", "backslashes", { { T("it's\n\"x\""), T("it\\'s\\n\\\"x\\\"") } } },
    { "escaped", "doubled quotes", { { T("it's"), T("it''s") } } },
    { "escaped", "quotes around", { { T("x y"), T("\"x y\"") } } },
    { "escaped", "URLs", { { T("a b/c"), T("a%20b%2Fc") } } },
    { "renamed", "2 source values",
        { { T("open"), T("1-new") }, { T("closed"), T("9-done") }, { T("open"), T("1-new") },
            { T("closed"), T("9-done") }, { T("open"), T("1-new") }, { T("closed"), T("9-done") } } },
    { "constant", NULL,
        { { T("red car"), T("blue") }, { T("green house"), T("blue") }, { T("tall tree"), T("blue") },
            { T("book"), T("blue") } } },
    /* What only looks like one of them. */
    { "unknown", NULL,
        { { T("2024-01-02 03:04:05"), T("2024-01-02 03:07:11") },
            { T("2024-01-03 03:04:05"), T("2024-01-03 09:00:12") } } },
    { "unknown", NULL, /* offsets as random as the hours of a day */
        { { T("2024-01-02 03:00:00"), T("2024-01-02 04:00:00") },
            { T("2024-01-03 03:00:00"), T("2024-01-02 22:15:00") },
            { T("2024-01-04 03:00:00"), T("2024-01-04 09:30:00") },
            { T("2024-01-05 03:00:00"), T("2024-01-05 05:45:00") },
            { T("2024-01-06 03:00:00"), T("2024-01-06 10:15:00") },
            { T("2024-01-07 03:00:00"), T("2024-01-07 00:30:00") } } },
    { "unknown", NULL, { { T("2024-03-04"), T("2025-04-03") }, { T("2024-03-04"), T("2024-04-05") } } },
    { "unknown", NULL, { { N(NUM, "10.125"), N(NUM, "10.2") }, { N(NUM, "3.25"), N(NUM, "3.7") } } },
    { "unknown", NULL, { { N(F64, "0.1"), N(F64, "0.100001") }, { N(F64, "0.7"), N(F64, "0.70203") } } },
    { "unknown", NULL,
        { { N(INT, "5000000000"), N(INT, "705032705") }, { N(INT, "7"), N(INT, "12") },
            { N(INT, "9"), N(INT, "40") } } },
    { "unknown", NULL,
        { { N(INT, "9007199254740993"), N(INT, "9007199254740994") },
            { N(INT, "9007199254740999"), N(INT, "9007199254741003") } } },
    { "unknown", NULL,
        { { N(INT, "5"), N(INT, "7") }, { N(INT, "5"), N(INT, "19") }, { N(INT, "6"), N(INT, "4") },
            { N(INT, "5"), N(INT, "11") } } },
    { "unknown", NULL, { { T("Zo\xc3\xab"), T("Zoa") }, { T("M\xc3\xbcller"), T("Maller") } } },
    { "unknown", NULL, { { T("Zo\xc3\xab"), T("Zo?s") } } },
    { "unknown", NULL, { { T("Open"), T("OPENED") } } },
    { "unknown", NULL, { { T("a b"), T("a  b") } } },
    { "unknown", NULL, /* every text cut somewhere else */
        { { T("0123456789abc"), T("01") }, { T("0123456789abc"), T("01234") },
            { T("0123456789abcd"), T("0123456789a") }, { T("0123456789abc"), T("0123456") },
            { T("0123456789abcde"), T("0") }, { T("0123456789abc"), T("012345678") } } },
    { "unknown", NULL, { { T("a < b"), T("a &lt; c") } } },
    { "unknown", NULL, { { N(UUID, U1), N(UUID, "6f1c9a52-8b1e-4c0e-9d57-0c2f64ab1e02") } } },
    { "unknown", NULL, { { N(HEX, "00ff10"), T("00ff11") } } },
    { "unknown", NULL, { { N(JSON, "{\"t\":[1,2]}"), N(JSON, "{\"t\":[1,2,2]}") } } },
    { "unknown", NULL, { { N(JSON, "{\"a\":1}"), N(JSON, "{\"b\":1}") } } },
    { "unknown", NULL, { { N(JSON, "{\"a\":1}"), N(JSON, "\"{\\\"a\\\":2}\"") } } },
    { "unknown", NULL, { { N(BOOL, "t"), T("false") } } },
    { "unknown", NULL, { { N(INT, "12"), T("13") } } },
    { "unknown", NULL,
        { { T("open"), T("new") }, { T("closed"), T("done") }, { T("open"), T("old") },
            { T("busy"), T("new") } } },
};

/* What is said first of one column with these values. */
static void first_of(const struct planted *p, char topic[64], char cause[256])
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_diag *d = sp_diag_new();
    const struct sp_diag_found *found;
    size_t n;
    assert_non_null(d);
    for (size_t i = 0; i < SP_LEN(p->p) && p->p[i].s.text != NULL; i++) {
        struct sp_value s = value(&a, &p->p[i].s), t = value(&a, &p->p[i].t);
        assert_int_equal(0, sp_diag_row_begin(d, "id=1"));
        assert_int_equal(0, sp_diag_cell(d, "c", &s, &t));
        assert_int_equal(0, sp_diag_row_end(d));
    }
    assert_int_equal(0, sp_diag_conclude(d, &found, &n));
    assert_true(n > 0);
    sp_strlcpy(topic, found[0].topic, 64);
    sp_strlcpy(cause, found[0].cause, 256);
    assert_non_null(found[0].advice);
    sp_diag_free(d);
    sp_arena_free(&a);
}

static void every_cause_is_named(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < SP_LEN(planted); i++) {
        char topic[64], cause[256];
        first_of(&planted[i], topic, cause);
        if (strcmp(topic, planted[i].topic) == 0 &&
            (planted[i].says == NULL || strstr(cause, planted[i].says) != NULL))
            continue;
        wrong++;
        print_error("row %zu: %s (%s), not %s (%s): \"%s\" -> \"%s\"\n", i, topic, cause, planted[i].topic,
            planted[i].says != NULL ? planted[i].says : "", planted[i].p[0].s.text, planted[i].p[0].t.text);
    }
    assert_int_equal(0, wrong);
}

static void every_class_has_a_planted_cause(void **state)
{
    const struct sp_diag_class *c;
    (void)state;
    for (size_t i = 0; (c = sp_diag_class_at(i)) != NULL; i++) {
        bool there = false;
        for (size_t k = 0; k < SP_LEN(planted) && !there; k++)
            there = strcmp(planted[k].topic, c->name) == 0;
        if (!there)
            fail_msg("no planted cause for %s", c->name);
        assert_ptr_equal(c, sp_diag_class_named(c->name));
        assert_true(strlen(c->advice) > 20);
    }
}

/* ---- several columns -------------------------------------------------------------------------------------------- */

static const struct sp_diag_found *topic_of(const struct sp_diag_found *f, size_t n, const char *topic)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(f[i].topic, topic) == 0)
            return &f[i];
    return NULL;
}

static struct sp_diag *rows_of(int n, int columns, void (*put)(int row, int column, char s[40], char t[40]))
{
    struct sp_diag *d = sp_diag_new();
    assert_non_null(d);
    for (int i = 0; i < n; i++) {
        char key[16];
        snprintf(key, sizeof key, "id=%d", i);
        assert_int_equal(0, sp_diag_row_begin(d, key));
        for (int k = 0; k < columns; k++) {
            char name[16], s[40] = "", t[40] = "";
            snprintf(name, sizeof name, "c%d", k);
            put(i, k, s, t);
            struct sp_value sv = sp_v_text(s), tv = sp_v_text(t);
            if (strcmp(s, t) != 0)
                assert_int_equal(0, sp_diag_cell(d, name, &sv, &tv));
        }
        assert_int_equal(0, sp_diag_row_end(d));
    }
    return d;
}

static void swapped(int row, int column, char s[40], char t[40])
{
    snprintf(s, 40, "%s %d", column == 0 ? "first" : "last", row * 7919 % 1000);
    snprintf(t, 40, "%s %d", column == 0 ? "last" : "first", row * 7919 % 1000);
}
static void shifted(int row, int column, char s[40], char t[40])
{
    snprintf(s, 40, "v%d of %d", column, row);
    snprintf(t, 40, "v%d of %d", column - 1, row);
}
static void flags(int row, int column, char s[40], char t[40])
{
    bool up = row % 2 == column;
    snprintf(s, 40, "%s", up ? "t" : "f");
    snprintf(t, 40, "%s", up ? "f" : "t");
}

static void columns_that_changed_places(void **state)
{
    const struct sp_diag_found *found, *f;
    size_t n;
    (void)state;
    struct sp_diag *d = rows_of(20, 2, swapped);
    assert_int_equal(0, sp_diag_conclude(d, &found, &n));
    f = topic_of(found, n, "columns_swapped");
    assert_non_null(f);
    assert_string_equal("c0, c1", f->column);
    assert_int_equal(20, f->count);
    assert_null(topic_of(found, n, "unknown"));
    sp_diag_free(d);

    d = rows_of(20, 5, shifted);
    assert_int_equal(0, sp_diag_conclude(d, &found, &n));
    f = topic_of(found, n, "columns_shifted");
    assert_non_null(f);
    assert_string_equal("c0 ... c4", f->column);
    assert_null(topic_of(found, n, "columns_swapped"));
    sp_diag_free(d);

    /* Two flags that both turned around have not changed places. */
    d = rows_of(20, 2, flags);
    assert_int_equal(0, sp_diag_conclude(d, &found, &n));
    assert_null(topic_of(found, n, "columns_swapped"));
    sp_diag_free(d);
}

static void mixed(int row, int column, char s[40], char t[40])
{
    (void)column;
    snprintf(s, 40, "Zo\xc3\xab %d ", row);
    if (row % 2 == 0)
        snprintf(t, 40, "Zo\xc3\x83\xc2\xab %d ", row);
    else
        snprintf(t, 40, "Zo\xc3\xab %d", row);
}

/* One column may have several causes, and each value counts for one. */
static void several_causes_of_one_column(void **state)
{
    const struct sp_diag_found *found, *a, *b;
    size_t n;
    (void)state;
    struct sp_diag *d = rows_of(40, 1, mixed);
    assert_int_equal(0, sp_diag_conclude(d, &found, &n));
    a = topic_of(found, n, "double_utf8");
    b = topic_of(found, n, "padding");
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(20, a->count);
    assert_int_equal(20, b->count);
    assert_int_equal(40, a->examined);
    assert_string_equal("id=0; id=2; id=4", a->keys);
    assert_null(topic_of(found, n, "unknown"));
    sp_diag_free(d);
}

/* A collector is bounded, and says how much it looked at. */
static void no_more_than_its_bound(void **state)
{
    const struct sp_diag_found *found;
    size_t n;
    (void)state;
    struct sp_diag *d = rows_of(3000, 2, swapped);
    assert_int_equal(SP_DIAG_ROWS, sp_diag_rows(d));
    assert_int_equal(0, sp_diag_conclude(d, &found, &n));
    assert_int_equal(SP_DIAG_ROWS, found[0].examined);
    sp_diag_free(d);
}

/* Positions in an array are one column. */
static void paths_are_one_column(void **state)
{
    const struct sp_diag_found *found;
    size_t n;
    struct sp_value s = sp_v_text("open"), t = sp_v_text("OPEN");
    (void)state;
    struct sp_diag *d = sp_diag_new();
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "items/%d/state", i);
        assert_int_equal(0, sp_diag_row_begin(d, "id=1"));
        assert_int_equal(0, sp_diag_cell(d, name, &s, &t));
        assert_int_equal(0, sp_diag_row_end(d));
    }
    assert_int_equal(0, sp_diag_conclude(d, &found, &n));
    assert_int_equal(1, n);
    assert_string_equal("items/*/state", found[0].column);
    assert_int_equal(3, found[0].count);
    sp_diag_free(d);
}

static void few_prove_little(void **state)
{
    (void)state;
    assert_true(sp_diag_confidence(0, 10, 0.1) <= 0);
    assert_true(sp_diag_confidence(1, 1, 0.5) <= 0);
    assert_true(sp_diag_confidence(1, 100, 0.01) <= 0);
    assert_true(sp_diag_confidence(20, 100, 0.25) <= 0);
    assert_true(sp_diag_confidence(10, 10, 0.1) > 0.9);
    assert_true(sp_diag_confidence(1, 1, 0.1) < sp_diag_confidence(5, 5, 0.1));
    assert_true(sp_diag_confidence(5, 10, 0.1) < sp_diag_confidence(10, 10, 0.1));
    assert_true(sp_diag_confidence(1000000, 1000000, 0.001) < 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cause_is_named),
        cmocka_unit_test(every_class_has_a_planted_cause),
        cmocka_unit_test(columns_that_changed_places),
        cmocka_unit_test(several_causes_of_one_column),
        cmocka_unit_test(no_more_than_its_bound),
        cmocka_unit_test(paths_are_one_column),
        cmocka_unit_test(few_prove_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
