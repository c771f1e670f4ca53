/* mutants_blob_more.c -- bugs in listing, copying, signing and uploading objects. */
#include "run/mutation.h"

#include <string.h>

#include "base/str.h"

#define STORE SP_INNER_BLOB

/* ---- listing ------------------------------------------------------------------------------------------------- */

#define LIST_MUTANT(name, before, after)                                                                     \
    static int list_##name(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix, \
        const char *delimiter, const char **cursor, size_t limit, struct sp_object **o, size_t *n,           \
        struct sp_error *err)                                                                                \
    {                                                                                                        \
        before;                                                                                              \
        int rc = STORE->list(s, a, bucket, prefix, delimiter, cursor, limit, o, n, err);                     \
        if (rc == 0) {                                                                                       \
            after;                                                                                           \
        }                                                                                                    \
        return rc;                                                                                           \
    }                                                                                                        \
    SP_PLANT(blob, name, list, list_##name)

LIST_MUTANT(list_loses_last, (void)0, if (*n > 1)(*n)--)
LIST_MUTANT(list_one_page, (void)0, *cursor = NULL)
LIST_MUTANT(list_cap_1000, if (limit > 1000) limit = 1000, if (*n == 1000) *cursor = NULL)
LIST_MUTANT(list_prefix_ignored, prefix = "", (void)0)
LIST_MUTANT(list_delimiter_ignored, delimiter = NULL, (void)0)
LIST_MUTANT(list_limit_one_more, limit++, (void)0)

static int list_backwards(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **o, size_t *n,
    struct sp_error *err)
{
    int rc = STORE->list(s, a, bucket, prefix, delimiter, cursor, limit, o, n, err);
    for (size_t i = 0; rc == 0 && i < *n / 2; i++) {
        struct sp_object keep = (*o)[i];
        (*o)[i] = (*o)[*n - 1 - i];
        (*o)[*n - 1 - i] = keep;
    }
    return rc;
}
SP_PLANT(blob, list_unordered, list, list_backwards)

/* The first key of the next page was the last of this one. */
static int list_overlap(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **o, size_t *n,
    struct sp_error *err)
{
    static struct sp_object last;
    static char key[2048];
    bool next_page = *cursor != NULL;
    int rc = STORE->list(s, a, bucket, prefix, delimiter, cursor, limit, o, n, err);
    if (rc < 0 || *n == 0)
        return rc;
    struct sp_object mine = (*o)[*n - 1];
    if (next_page) {
        (*o)[0] = last;
        (*o)[0].key = sp_arena_str(a, key);
    }
    last = mine;
    sp_strlcpy(key, mine.key, sizeof key);
    return rc;
}
SP_PLANT(blob, list_pages_overlap, list, list_overlap)

/* ---- delete, copy, move -------------------------------------------------------------------------------------- */

static int del_nothing(struct sp_session *s, const char *bucket, const char *key, struct sp_error *err)
{
    (void)s, (void)bucket, (void)key, (void)err;
    return 0;
}
SP_PLANT(blob, object_delete_ignored, del, del_nothing)

static int del_absent_fails(struct sp_session *s, const char *bucket, const char *key, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_object o;
    int rc = STORE->head(s, &a, bucket, key, &o, err);
    sp_arena_free(&a);
    return rc < 0 ? rc : STORE->del(s, bucket, key, err);
}
SP_PLANT(blob, delete_absent_fails, del, del_absent_fails)

static int copy_nothing(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    (void)s, (void)bucket, (void)from, (void)to, (void)err;
    return 0;
}
SP_PLANT(blob, copy_ignored, copy, copy_nothing)
SP_PLANT(blob, move_ignored, move, copy_nothing)

static int move_by_copy(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    return STORE->copy(s, bucket, from, to, err);
}
static bool plant_move_keeps_source(void)
{
    bool can = sp_mutation.blob.copy != NULL && sp_mutation.blob.move != NULL;
    if (can)
        sp_mutation.blob.move = move_by_copy;
    return can;
}
static int copy_by_move(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    return STORE->move(s, bucket, from, to, err);
}
static bool plant_copy_moves(void)
{
    bool can = sp_mutation.blob.copy != NULL && sp_mutation.blob.move != NULL;
    if (can)
        sp_mutation.blob.copy = copy_by_move;
    return can;
}

/* ---- buckets ------------------------------------------------------------------------------------------------- */

static int bucket_create_twice(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    int rc = STORE->bucket_create(s, bucket, err);
    if (rc != -SP_E_EXISTS)
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(blob, bucket_exists_swallowed, bucket_create, bucket_create_twice)

static int bucket_drop_absent(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    int rc = STORE->bucket_drop(s, bucket, err);
    if (rc != -SP_E_NOT_FOUND)
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(blob, bucket_drop_absent_swallowed, bucket_drop, bucket_drop_absent)

/* ---- signed URLs --------------------------------------------------------------------------------------------- */

static int fetch_for_ever(struct sp_session *s, const char *url, const char *method, int64_t now_offset_s,
    sp_source_fn source, void *from, sp_sink_fn sink, void *to, struct sp_error *err)
{
    (void)now_offset_s;
    return STORE->fetch_signed(s, url, method, 0, source, from, sink, to, err);
}
SP_PLANT(blob, signed_url_never_expires, fetch_signed, fetch_for_ever)

/* The last good URL stands in for one that is refused. */
static int fetch_unverified(struct sp_session *s, const char *url, const char *method, int64_t now_offset_s,
    sp_source_fn source, void *from, sp_sink_fn sink, void *to, struct sp_error *err)
{
    int rc = STORE->fetch_signed(s, url, method, now_offset_s, source, from, sink, to, err);
    if (rc != -SP_E_AUTHENTICATION || now_offset_s != 0)
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(blob, signed_url_not_verified, fetch_signed, fetch_unverified)

/* ---- uploads ------------------------------------------------------------------------------------------------- */

/* The upload that was called last is another one than before. */
static bool is_another(char last[2048], const char *id)
{
    bool another = strcmp(last, id) != 0;
    if (another)
        sp_strlcpy(last, id, 2048);
    return another;
}

static int upload_part_once(
    struct sp_session *s, const char *id, unsigned part, const void *p, size_t n, struct sp_error *err)
{
    static char last[2048];
    static uint64_t seen;
    if (is_another(last, id))
        seen = 0;
    bool again = part < 64 && (seen >> part & 1) != 0;
    seen |= part < 64 ? UINT64_C(1) << part : 0;
    return again ? 0 : STORE->upload_part(s, id, part, p, n, err);
}
SP_PLANT(blob, upload_first_sending_counts, upload_part, upload_part_once)

static int upload_part_next(
    struct sp_session *s, const char *id, unsigned part, const void *p, size_t n, struct sp_error *err)
{
    static char last[2048];
    static unsigned sent;
    if (is_another(last, id))
        sent = 0;
    (void)part;
    int rc = STORE->upload_part(s, id, sent + 1, p, n, err);
    sent += rc == 0;
    return rc;
}
SP_PLANT(blob, upload_numbers_ignored, upload_part, upload_part_next)

static int upload_part_loses_byte(
    struct sp_session *s, const char *id, unsigned part, const void *p, size_t n, struct sp_error *err)
{
    return STORE->upload_part(s, id, part, p, n > 1 ? n - 1 : n, err);
}
SP_PLANT(blob, upload_loses_bytes, upload_part, upload_part_loses_byte)

static int upload_abort_nothing(struct sp_session *s, const char *id, struct sp_error *err)
{
    (void)s, (void)id, (void)err;
    return 0;
}
SP_PLANT(blob, upload_abort_ignored, upload_abort, upload_abort_nothing)

static int upload_abort_completes(struct sp_session *s, const char *id, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_object o;
    int rc = STORE->upload_complete(s, &a, id, &o, err);
    sp_arena_free(&a);
    return rc;
}
static bool plant_upload_abort_stores(void)
{
    bool can = sp_mutation.blob.upload_abort != NULL && sp_mutation.blob.upload_complete != NULL;
    if (can)
        sp_mutation.blob.upload_abort = upload_abort_completes;
    return can;
}

/* ---- nothing, which is something ------------------------------------------------------------------------------- */

static int list_of_nothing(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **o, size_t *n,
    struct sp_error *err)
{
    int rc = STORE->list(s, a, bucket, prefix, delimiter, cursor, limit, o, n, err);
    return rc != 0 || *n != 0 ? rc : sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "nothing is there");
}
SP_PLANT(blob, list_of_nothing_fails, list, list_of_nothing)

static int get_of_nothing(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    struct sp_object o = { 0 };
    int rc = STORE->get(s, a, bucket, key, offset, length, sink, payload, &o, err);
    if (out != NULL)
        *out = o;
    return rc != 0 || o.size != 0
               ? rc
               : sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND, "the range is not satisfiable");
}
SP_PLANT(blob, get_of_nothing_fails, get, get_of_nothing)

static int bucket_list_all(
    struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    (void)prefix;
    return STORE->bucket_list(s, "", out, err);
}
SP_PLANT(blob, bucket_prefix_ignored, bucket_list, bucket_list_all)

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "storage", text }, plant_##name                                                             \
    }
const struct sp_mutant_row sp_mutants_blob_more[] = {
    ROW(list_loses_last, "each page of a listing lacks its last key"),
    ROW(list_one_page, "a listing ends after one page"),
    ROW(list_cap_1000, "a listing ends silently at 1000 keys"),
    ROW(list_prefix_ignored, "a listing ignores its prefix"),
    ROW(list_delimiter_ignored, "a listing ignores its delimiter"),
    ROW(list_limit_one_more, "a page of a listing has one key too many"),
    ROW(list_unordered, "a page of a listing is in another order"),
    ROW(list_pages_overlap, "a key stands on two pages, another on none"),
    ROW(object_delete_ignored, "a deleted object stays"),
    ROW(delete_absent_fails, "deleting what is not there is an error"),
    ROW(copy_ignored, "a copy is acknowledged and not made"),
    ROW(copy_moves, "a copy takes the source away"),
    ROW(move_ignored, "a move is acknowledged and not made"),
    ROW(move_keeps_source, "a moved object stays under its old key too"),
    ROW(list_of_nothing_fails, "a listing that finds nothing is an error"),
    ROW(get_of_nothing_fails, "reading an empty object is an error"),
    ROW(bucket_prefix_ignored, "a list of buckets ignores the beginning asked for"),
    ROW(bucket_exists_swallowed, "creating a bucket again looks like success"),
    ROW(bucket_drop_absent_swallowed, "dropping an absent bucket looks like success"),
    ROW(signed_url_never_expires, "a signed URL never expires"),
    ROW(signed_url_not_verified, "a signature is not looked at"),
    ROW(upload_first_sending_counts, "the first sending of a part counts"),
    ROW(upload_numbers_ignored, "parts stand in the order in which they came, whatever their numbers"),
    ROW(upload_loses_bytes, "each part of an upload loses a byte"),
    ROW(upload_abort_ignored, "an aborted upload goes on"),
    ROW(upload_abort_stores, "an aborted upload is stored"),
    { { NULL, NULL, NULL }, NULL },
};
