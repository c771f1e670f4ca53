/* values.h -- values, columns, tables and filters as constant data, so that a case is a table of facts.
 *
 * All of these are initialisers: usable in static tables. Nothing here allocates. */
#ifndef SP_SUITES_VALUES_H
#define SP_SUITES_VALUES_H

#include "suite.h"

/* clang-format off */
#define V_NULL       { .tag = SP_NULL }
#define V_MISSING    { .tag = SP_MISSING }
#define V_BOOL(x)    { .tag = SP_BOOL, .u = { .b = (x) } }
#define V_INT(x)     { .tag = SP_INT, .u = { .i = (x) } }
#define V_F32(x)     { .tag = SP_F32, .u = { .f32 = (x) } }
#define V_F64(x)     { .tag = SP_F64, .u = { .f64 = (x) } }
/* (-1)^neg * digits * 10^exp, digits in normal form: no zero at either end. */
#define V_DEC(neg_, digits_, exp_) \
    { .tag = SP_DEC, .u = { .dec = { .digits = (digits_), .ndigits = sizeof(digits_) - 1, .exp = (exp_), .neg = (neg_) } } }
#define V_STR(tag_, s)  { .tag = (tag_), .u = { .str = { (s), sizeof(s) - 1 } } } /* U+0000 inside counts */
#define V_TEXT(s)       V_STR(SP_TEXT, s)
#define V_BYTES(s)      V_STR(SP_BYTES, s)
#define V_JSON(s)       V_STR(SP_JSON, s)
#define V_UUID(...)     { .tag = SP_UUID, .u = { .uuid = { __VA_ARGS__ } } }
#define V_INSTANT(s, n) { .tag = SP_INSTANT, .u = { .ts = { (s), (n) } } }
#define V_LOCAL(s, n)   { .tag = SP_LOCAL, .u = { .ts = { (s), (n) } } }
#define V_DATE(d)       { .tag = SP_DATE, .u = { .days = (d) } }
#define V_TIME(ns)      { .tag = SP_TIME, .u = { .time_ns = (ns) } }
#define V_ARRAY(e, ...) { .tag = SP_ARRAY, .u = { .array = { VALUES(__VA_ARGS__), (e) } } }
#define V_ARRAY0(e)     { .tag = SP_ARRAY, .u = { .array = { NULL, 0, (e) } } }
#define V_VECTOR(...) \
    { .tag = SP_VECTOR, .u = { .vector = { (const float[]){ __VA_ARGS__ }, sizeof((const float[]){ __VA_ARGS__ }) / sizeof(float) } } }

/* Pointer and number, for two members that stand side by side. */
#define LIST(type, ...) (const type[]){ __VA_ARGS__ }, sizeof((const type[]){ __VA_ARGS__ }) / sizeof(type)
#define VALUES(...)     LIST(struct sp_value, __VA_ARGS__)
#define NAMES(...)      (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)

/* Filters. W* = a leaf on column `v`; the others name their column. */
#define F_ON(col, o, ...)  { .op = SP_F_##o, .column = (col), .values = VALUES(__VA_ARGS__) }
#define F_NONE(col, o)     { .op = SP_F_##o, .column = (col) } /* is_null, is_missing, in of nothing */
#define W(o, ...)          F_ON("v", o, __VA_ARGS__)
#define W_NONE(o)          F_NONE("v", o)
#define F_ALL(...)         { .op = SP_F_AND, .args = LIST(struct sp_filter, __VA_ARGS__) }
#define F_ANY(...)         { .op = SP_F_OR, .args = LIST(struct sp_filter, __VA_ARGS__) }
#define F_NOT(...)         { .op = SP_F_NOT, .args = (const struct sp_filter[]){ __VA_ARGS__ }, .nargs = 1 }
#define FILTER_OF(...)     (&(const struct sp_filter)__VA_ARGS__)
#define ID_IS(n)           FILTER_OF(F_ON("id", EQ, V_INT(n)))

/* Orders. */
#define ASC(c)             { .column = (c) }
#define DESC(c)            { .column = (c), .desc = true }
#define BY_ID              .order = (const struct sp_order[]){ ASC("id") }, .norder = 1
#define SORTED(...)        .order = LIST(struct sp_order, __VA_ARGS__)

/* Columns and tables. */
#define COL(n, t, ...)     { .name = (n), .type = { .tag = SP_##t }, __VA_ARGS__ }
#define COL_ID             { .name = "id", .type = { .tag = SP_INT }, .not_null = true }
#define TABLE(n, cols, ...) { .name = (n), .columns = (cols), .ncolumns = SP_LEN(cols), .pk = NAMES("id"), __VA_ARGS__ }
/* clang-format on */

#endif
