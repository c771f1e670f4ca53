/* crud.c -- the table of the crud suite: what tables and rows must keep to be switched to. */
#include "suites/crud/observe.h"

#include <math.h>

#include "suites/suites.h"

#define NEEDS_1(a)               SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_##a)
#define NEEDS_2(a, b)            SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_##a, SP_CAP_##b)
#define NEEDS_3(a, b, c)         SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_##a, SP_CAP_##b, SP_CAP_##c)
#define PICK(a, b, c, name, ...) name
#define NEEDS(...)               PICK(__VA_ARGS__, NEEDS_3, NEEDS_2, NEEDS_1, )(__VA_ARGS__)
#define CRUD                     SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD)
#define TWO_SESSIONS(iso)        NEEDS(TXN, CONCURRENT_SESSIONS, iso)

#define IDS(...)                                                                                             \
    (const unsigned[])                                                                                       \
    {                                                                                                        \
        __VA_ARGS__, 0                                                                                       \
    }
#define NO_IDS                                                                                               \
    (const unsigned[])                                                                                       \
    {                                                                                                        \
        0                                                                                                    \
    }
/* A filter within twenty negations. A macro isn't expanded within itself, but its arguments are, before. */
#define DEEP_5(...) F_NOT(F_NOT(F_NOT(F_NOT(F_NOT(__VA_ARGS__)))))
#define DEEP(...)   DEEP_5(DEEP_5(DEEP_5(DEEP_5(__VA_ARGS__))))

#define CASE(name, caps, what) { .id = "crud." #name, .promise = what, .needs = caps, .run = crc_##name },
#define SLOW(name, caps, what)                                                                               \
    { .id = "crud." #name, .promise = what, .needs = caps, .run = crc_##name, .timeout_ms = 90000 },
#define ROW(prefix, name, caps, what, function, type, ...)                                                   \
    { .id = "crud." prefix #name,                                                                            \
        .promise = what,                                                                                     \
        .needs = caps,                                                                                       \
        .run = function,                                                                                     \
        .data = &(const type){ __VA_ARGS__ } },
#define FILTER(name, set_, caps, what, ids_, ...)                                                            \
    ROW("filter_", name, caps, what, crc_filter, struct crud_filter, .set = &crud_set_##set_, .ids = ids_,   \
        .where = __VA_ARGS__)
#define ORDER(name, caps, what, ids_, ...)                                                                   \
    ROW("order_", name, caps, what, crc_order, struct crud_order, .ids = ids_, SORTED(__VA_ARGS__))
#define NULLS(direction, col, which)                                                                         \
    {                                                                                                        \
        .column = (col), .desc = DIR_##direction, .nulls = SP_NULLS_##which                                  \
    }
#define DIR_ASC  false
#define DIR_DESC true
#define KEPT(name, caps, what, type_, ...)                                                                   \
    ROW("kept_", name, caps, what, crc_round_trip, struct crud_values, type_, .values = VALUES(__VA_ARGS__))
#define TYPE(t)                    .type = { .tag = SP_##t }
#define ARRAY_OF(t)                .type = { .tag = SP_ARRAY, .elem = SP_##t }
#define VECTOR_OF(n)               .type = { .tag = SP_VECTOR, .length = (n) }
#define DECIMAL_OF(digits, behind) .type = { .tag = SP_DEC, .precision = (digits), .scale = (behind) }
#define NAMED(name, caps, what, table_, first_, second_)                                                     \
    ROW("name_", name, caps, what, crc_names, struct crud_names, .table = table_, .first = first_,           \
        .second = second_)
#define STORED(name, what)                                                                                   \
    { .id = "crud.semantics_" #name,                                                                         \
        .promise = what,                                                                                     \
        .needs = CRUD,                                                                                       \
        .run = crc_semantics_stored,                                                                         \
        .timeout_ms = 30000,                                                                                 \
        .data = &cro_##name },
#define INJECT(name, what, text_)                                                                            \
    ROW("injection_", name, CRUD, what, crc_injection, struct crud_text, .text = text_)
#define ISOLATION(name, iso, what, anomaly_, promised_)                                                      \
    { .id = "crud." #name,                                                                                   \
        .promise = what,                                                                                     \
        .needs = TWO_SESSIONS(ISO_##iso),                                                                    \
        .run = crc_isolation,                                                                                \
        .timeout_ms = 90000,                                                                                 \
        .data = &(const struct crud_isolation){                                                              \
            .anomaly = CRUD_##anomaly_, .level = SP_ISO_##iso, .promised = promised_ } },
#define ON_UPDATE(name, caps, what, action, code_)                                                           \
    ROW("fk_update_", name, caps, what, crc_fk_action, struct crud_fk, .on_update = SP_FK_##action,          \
        .code = SP_E_##code_, .update = true)
#define ON_DELETE(name, caps, what, action, code_)                                                           \
    ROW("fk_delete_", name, caps, what, crc_fk_action, struct crud_fk, .on_delete = SP_FK_##action,          \
        .code = SP_E_##code_)

/* clang-format off */
static const struct sp_case cases[] = {
#include "suites/crud/cases_write.inc"
#include "suites/crud/cases_filter.inc"
#include "suites/crud/cases_order.inc"
#include "suites/crud/cases_value.inc"
#include "suites/crud/cases_name.inc"
#include "suites/crud/cases_semantics.inc"
    { .id = NULL },
};
/* clang-format on */

const struct sp_suite sp_suite_crud = {
    .name = "crud",
    .summary = "rows: writing, filters, order, pages, constraints, transactions, values kept exactly",
    .cases = cases,
};
