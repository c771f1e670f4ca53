/* bson_value.h -- BSON elements as logical values, and back.
 *
 * Two readings of one element:
 *
 * MO_LOGICAL, for operations and for comparing with other kinds of backends: values by what they mean. int32 and int64
 *   are int, decimal128 is a decimal without trailing zeros, an array is an array, a document is JSON.
 * MO_STORED, for comparing and copying between two MongoDB servers: a logical value stands only for the element that
 *   mo_value_put() makes of it; every other element is a native value, so that no two different elements are one value.
 *   int64, double, string, bool, null, date, binary 00 and well-formed UUIDs (binary 04) are logical; so is a decimal128
 *   in the form that we write. int32, other forms of a decimal (1.0 beside 1.00, NaN), documents and arrays are native.
 *
 *   element          value                    written from (besides its own)
 *   string           text                     reference, date, time, local_timestamp: as text in ISO form
 *   int64            int                      JSON integers
 *   int32            int | native int         int of a column declared with at most 32 bits
 *   double           float64                  float32, JSON numbers that a double stands for
 *   decimal128       decimal | native decimal JSON numbers that neither an int64 nor a double holds
 *   bool, null       bool, null               A missing value is no element.
 *   date             instant, milliseconds    Finer instants are refused, never cut.
 *   binary 00, 04    bytes, uuid              Other subtypes: native binData/N, with the octets.
 *   document         JSON | native object     native as soon as it holds what JSON cannot tell: a date, an ObjectId, NaN
 *   array            array, JSON | native array   vector: doubles
 *   ObjectId, regex, timestamp, javascript, javascriptWithScope, symbol, dbPointer, minKey, maxKey, undefined: native,
 *   named as the server's $type does. A DBRef is a document.
 *
 * The content of a native value is text in UTF-8: "5", "1.00", hex digits, "/pattern/options", "seconds.increment".
 * (javascriptWithScope: hex digits of the code, a NUL and the scope.) That of native object and array is JSON in which a string, a bool, null, a document and an
 * array stand for themselves, and everything else for {"$tag":"text"}: $numberInt $numberLong $numberDouble
 * $numberDecimal $date $oid $uuid $binary ("subtype:hex") $regex $timestamp $code $codeWithScope $symbol $dbPointer $minKey
 * $maxKey $undefined $badText (hex of a string that is not UTF-8). A field whose own name begins with $ is written with one $ more. So two
 * different elements never have one text. The order of fields is kept, since two documents with other orders differ
 * for the server; where a document is JSON, its order does not count.
 *
 * Refused with a clear error: field names that occur twice or are not UTF-8, documents nested deeper than MO_DEPTH, strings
 * that are not UTF-8 (in MO_STORED they are values, which the harness counts as invalid), damaged BSON, decimals beyond
 * decimal128, JSON null as the whole of a field (it would be read as null).
 * Pure functions, any thread. Values live in the arena or borrow from the document. */
#ifndef SP_MONGODB_BSON_VALUE_H
#define SP_MONGODB_BSON_VALUE_H

#include <bson/bson.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/schema.h"

#define MO_DEPTH 180 /* a server refuses more */

enum mo_reading { MO_LOGICAL, MO_STORED };

/* The element at `it`. `type` (may be NULL; MO_LOGICAL only) is that of the column: text is read as the date, time, local
 * timestamp or reference that it spells there, a double as float32, an array as a vector, anything as JSON; what does not
 * fit stays what it is. */
int mo_value_get(struct sp_arena *a, const bson_iter_t *it, enum mo_reading reading,
    const struct sp_type *type, struct sp_value *out, struct sp_error *err);
/* Appends a field; a missing value appends nothing. `type` as above decides between int32 and int64. The value is not
 * coerced: RANGE, UNSUPPORTED or INVALID if BSON has nothing that holds it exactly, TOO_LARGE beyond 2 GiB. */
int mo_value_put(bson_t *doc, const char *name, const struct sp_type *type, const struct sp_value *v,
    struct sp_error *err);
/* Refuses a document in which a name occurs twice on the top level, or that is damaged there. */
int mo_doc_check(const bson_t *doc, struct sp_error *err);

/* Decimals. get: 1 = NaN, an infinity, or no canonical decimal128 (whose text is its bits: 0x and 32 hex digits). put: -SP_E_RANGE beyond 34 digits or the exponents of decimal128. The form that
 * put chooses has the exponent 0 if the number is integral and has at most 34 digits, else no trailing zeros. */
int mo_decimal_get(struct sp_arena *a, const bson_decimal128_t *d, struct sp_dec *out);
int mo_decimal_put(const struct sp_dec *d, bson_decimal128_t *out);
bool mo_decimal_is_canonical(const bson_decimal128_t *d);

/* Between the bson_*.c files. */
/* The names of a document, of which `it` stands before the first. */
int mo_names_check(bson_iter_t it, struct sp_error *err);
/* Appends the JSON text of the document or array at `it`. tagged: as in native values; else plain JSON, and 1 (nothing
 * appended) if it holds what plain JSON cannot tell. */
int mo_text_of(struct sp_buf *out, const bson_iter_t *it, bool tagged, struct sp_error *err);
/* Appends what the JSON text says as a field; the text must have passed sp_json_check(). tagged as above. */
int mo_text_put(bson_t *doc, const char *name, const char *text, size_t n, bool tagged, struct sp_error *err);
/* An element that JSON has no form for: its name as a native type, its tag (with $), its content as text. */
const char *mo_type_name(bson_type_t t);
const char *mo_type_tag(const bson_iter_t *it);
int mo_scalar_text(struct sp_buf *out, const bson_iter_t *it, struct sp_error *err);
/* And back, by tag or by the name of a native type. */
int mo_scalar_put(
    bson_t *doc, const char *name, const char *tag, const char *text, size_t n, struct sp_error *err);
int mo_native_put(bson_t *doc, const char *name, const struct sp_value *v, struct sp_error *err);
int mo_bson_full(const char *name, struct sp_error *err); /* TOO_LARGE: an append that libbson refused */

#endif
