/* reader.h -- JSON as it arrives: bytes are pushed in pieces of any size, tokens come out.
 *
 * harness/model/json.h judges and orders a value that is there as a whole; an answer of a server is not, may be larger than
 * memory should be, and is wanted value by value. Both are strict in the same way: RFC 8259, UTF-8, no unpaired surrogate, no
 * two members of one name, numbers keep their text, depth at most SP_JSON_DEPTH.
 * A duplicate is found when its object ends, behind the tokens of both members.
 *
 * Ownership: the text of a token is borrowed for the length of the call. One thread. */
#ifndef SP_PROVIDERS_LIB_JSON_READER_H
#define SP_PROVIDERS_LIB_JSON_READER_H

#include "base/buf.h"
#include "base/error.h"

enum sp_json_token {
    SP_JT_OBJECT,
    SP_JT_OBJECT_END,
    SP_JT_ARRAY,
    SP_JT_ARRAY_END,
    SP_JT_NAME,   /* of a member, unescaped */
    SP_JT_STRING, /* unescaped; may hold NUL */
    SP_JT_NUMBER, /* as written */
    SP_JT_TRUE,
    SP_JT_FALSE,
    SP_JT_NULL
};

/* depth: 0 = at the top. Non-zero stops, and is what push returns; an error record is the callback's own affair. */
typedef int (*sp_json_fn)(void *payload, enum sp_json_token t, size_t depth, const char *p, size_t n);

struct sp_json_reader;
struct sp_json_reader *sp_json_reader_new(sp_json_fn fn, void *payload); /* NULL = out of memory */
void sp_json_reader_free(struct sp_json_reader *r);                      /* NULL is fine */
/* INVALID names the byte. After an error every further call fails in the same way. */
int sp_json_push(struct sp_json_reader *r, const void *p, size_t n, struct sp_error *err);
/* No more bytes: INVALID unless exactly one value came, whole. */
int sp_json_finish(struct sp_json_reader *r, struct sp_error *err);

/* A whole text at once. */
int sp_json_read(const void *p, size_t n, sp_json_fn fn, void *payload, struct sp_error *err);
/* The members of the top object that are strings, numbers (their text) or true/false: copies one into `out` (cut to fit, "" if
 * it is not there). false = the text is no object. For error bodies and configuration; for data use the reader. */
bool sp_json_member(const void *p, size_t n, const char *name, char *out, size_t size);

#endif
