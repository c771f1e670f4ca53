/* object.h -- what the storage facets share: keys, metadata as JSON, checksums, conditions, reading in pieces, pages.
 * How a backend keeps objects is its own. Stateless but for the structs, which belong to one thread. */
#ifndef SP_PROVIDERS_LIB_OBJECT_H
#define SP_PROVIDERS_LIB_OBJECT_H

#include <openssl/evp.h>

#include "provider.h"

#define SP_OBJECT_TYPE  "application/octet-stream" /* where no content type is given */
#define SP_OBJECT_PARTS 10000u                     /* of one upload */

/* ---- keys, metadata, ids (object.c) ---- */

int sp_object_key_check(const char *key, size_t longest, struct sp_error *err);
/* The metadata as a JSON object of ASCII text; free(). */
int sp_object_meta_text(const struct sp_put_opts *o, char **out, struct sp_error *err);
/* And back, sorted by name; CORRUPT when the text is none of ours. */
int sp_object_meta_parse(const char *text, struct sp_arena *a, struct sp_object *out, struct sp_error *err);
/* 32 random digits. */
int sp_object_random_hex(char out[33], struct sp_error *err);
/* "BUCKET~HEX": the id of an upload that leads any session to its bucket. */
int sp_object_upload_id(struct sp_arena *a, const char *bucket, const char **id, struct sp_error *err);
int sp_object_upload_bucket(const char *id, struct sp_arena *a, const char **bucket, struct sp_error *err);
int sp_object_upload_unknown(const char *id, struct sp_error *err); /* NOT_FOUND */
int sp_object_part_check(unsigned part, struct sp_error *err);
/* Parts in ascending order, one after the other: none may be missing, *total grows by n. */
int sp_object_part_join(
    int64_t part, int64_t n, unsigned *last, uint64_t *total, uint64_t most, struct sp_error *err);
int sp_object_part_none(struct sp_error *err); /* INVALID: nothing to join */
/* Does the put hold against what is there? `etag` NULL: nothing is. PRECONDITION. */
int sp_object_condition(const struct sp_put_opts *o, const char *key, const char *etag, struct sp_error *err);
int sp_object_absent(const char *bucket, const char *key, struct sp_error *err); /* NOT_FOUND */

/* ---- SHA-256, which is also the etag ---- */

struct sp_object_sum {
    EVP_MD_CTX *md;
};
int sp_object_sum_begin(struct sp_object_sum *m, struct sp_error *err);
void sp_object_sum_add(struct sp_object_sum *m, const void *p, size_t n);
void sp_object_sum_end(struct sp_object_sum *m, char etag[65]); /* once */
void sp_object_sum_free(struct sp_object_sum *m);
/* CORRUPT if another sum was announced (NULL: none was). */
int sp_object_sum_check(const char *key, const char *etag, const char *announced, struct sp_error *err);

/* ---- streams (object_stream.c) ---- */

/* Fills the buffer from the source; *n < size only at the end of the content. */
int sp_object_fill(sp_source_fn source, void *payload, void *p, size_t size, size_t *n, struct sp_error *err);

/* A read of bytes that arrive in pieces, in order. Pieces may begin before the range and end behind it. A read of the
 * whole object proves itself against the etag, which must then be the SHA-256. */
struct sp_object_reader {
    const char *key, *etag;
    uint64_t at, to; /* how far it came, where it ends */
    sp_sink_fn sink; /* NULL: only the sum is wanted */
    void *payload;
    struct sp_object_sum sum;
};
/* RANGE as the contract says; `o` is borrowed until the end. */
int sp_object_reader_begin(struct sp_object_reader *r, const struct sp_object *o, uint64_t offset,
    uint64_t length, sp_sink_fn sink, void *payload, struct sp_error *err);
/* CORRUPT if the piece, whose first byte is the object's byte `start`, leaves a gap; CANCELLED by the sink. */
int sp_object_reader_add(
    struct sp_object_reader *r, uint64_t start, const void *p, size_t n, struct sp_error *err);
/* Instead of the end, for a content whose etag is not known yet: everything came, and this is its sum. */
int sp_object_reader_sum(struct sp_object_reader *r, char etag[65], struct sp_error *err);
/* Everything came, and fits the sum. */
int sp_object_reader_end(struct sp_object_reader *r, struct sp_error *err);
void sp_object_reader_free(struct sp_object_reader *r);

/* ---- pages ----
 * The cursor is the last entry given: "k" and its key, or "p" and its common prefix, all of whose keys are done. No
 * UTF-8 key has a byte 0xff: PREFIX 0xff lies behind all keys of a prefix. */

/* Length of the common prefix that this key, which starts with `nprefix` bytes of prefix, falls under; 0 = none. */
size_t sp_object_group(const char *key, size_t nprefix, const char *delimiter);
int sp_object_page_check(size_t limit, const char *cursor, struct sp_error *err);
/* The octets from which (inclusive) the page goes on. */
int sp_object_page_from(struct sp_buf *out, const char *prefix, const char *cursor, struct sp_error *err);
/* The octets at which (exclusive) the keys of the prefix end. */
int sp_object_page_to(struct sp_buf *out, const char *prefix, struct sp_error *err);
/* The same for backends that take nothing but valid text. From: the least text that is not below anything with this
 * prefix, which may end within a character; NOT_FOUND if no text has it. After: the least text behind all that begin
 * with `text`; NOT_FOUND if there is none. Neither leaves a message. */
int sp_object_text_from(struct sp_buf *out, const char *prefix);
int sp_object_text_after(struct sp_buf *out, const char *text);
/* Sets *cursor behind the last entry, or NULL if there is no more. cursor NULL: more is an error. */
int sp_object_page_next(struct sp_arena *a, const struct sp_object *v, size_t n, bool more,
    const char **cursor, struct sp_error *err);

#endif
