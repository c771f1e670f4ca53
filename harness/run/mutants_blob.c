/* mutants_blob.c -- bugs in storing and reading objects. */
#include "run/mutation.h"

#include <string.h>

#include "base/str.h"

#define STORE SP_INNER_BLOB

/* ---- put ----------------------------------------------------------------------------------------------------- */

/* A source of which one byte is missing at the end, or changed. */
struct lossy {
    sp_source_fn inner;
    void *payload;
    int held; /* one byte back, -1 = none yet */
    bool change, stop_on_error;
    uint64_t at;
};

/* Holds back the last byte it got: at the end that byte is lost. */
static int64_t read_all_but_last(void *payload, void *p, size_t n)
{
    struct lossy *l = payload;
    uint8_t *out = p;
    if (n < 2)
        return -1;
    size_t have = 0;
    if (l->held >= 0)
        out[have++] = (uint8_t)l->held;
    int64_t got = l->inner(l->payload, out + have, n - have);
    if (got <= 0)
        return got;
    have += (size_t)got;
    l->held = out[have - 1];
    if (have > 1)
        return (int64_t)have - 1;
    /* Only the byte to hold back: read on. */
    return read_all_but_last(l, p, n);
}

static int put_loses_byte(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn src, void *payload, const struct sp_put_opts *o, struct sp_object *out, struct sp_error *err)
{
    struct lossy l = { .inner = src, .payload = payload, .held = -1 };
    struct sp_put_opts plain = o == NULL ? (struct sp_put_opts){ 0 } : *o;
    plain.sha256_hex = NULL;
    return STORE->put(s, a, bucket, key, read_all_but_last, &l, &plain, out, err);
}
SP_PLANT(blob, put_loses_last_byte, put, put_loses_byte)

/* The top bit of every byte is lost. */
static int64_t read_seven_bits(void *payload, void *p, size_t n)
{
    struct lossy *l = payload;
    int64_t got = l->inner(l->payload, p, n);
    for (int64_t i = 0; i < got; i++)
        ((uint8_t *)p)[i] &= 0x7f;
    return got;
}
static int put_text_mode(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn src, void *payload, const struct sp_put_opts *o, struct sp_object *out, struct sp_error *err)
{
    struct lossy l = { .inner = src, .payload = payload };
    return STORE->put(s, a, bucket, key, read_seven_bits, &l, o, out, err);
}
SP_PLANT(blob, put_text_only, put, put_text_mode)

/* A source that breaks off looks finished: what came so far is stored. */
static int64_t read_until_error(void *payload, void *p, size_t n)
{
    struct lossy *l = payload;
    int64_t got = l->inner(l->payload, p, n);
    return got < 0 ? 0 : got;
}
static int put_partial(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn src, void *payload, const struct sp_put_opts *o, struct sp_object *out, struct sp_error *err)
{
    struct lossy l = { .inner = src, .payload = payload };
    return STORE->put(s, a, bucket, key, read_until_error, &l, o, out, err);
}
SP_PLANT(blob, put_keeps_partial, put, put_partial)

#define PUT_OPTION_MUTANT(name, change)                                                                      \
    static int put_##name(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,     \
        sp_source_fn src, void *payload, const struct sp_put_opts *o, struct sp_object *out,                 \
        struct sp_error *err)                                                                                \
    {                                                                                                        \
        struct sp_put_opts other = o == NULL ? (struct sp_put_opts){ 0 } : *o;                               \
        change;                                                                                              \
        return STORE->put(s, a, bucket, key, src, payload, &other, out, err);                                \
    }                                                                                                        \
    SP_PLANT(blob, name, put, put_##name)

PUT_OPTION_MUTANT(if_none_match_ignored, other.if_none_match = false)
PUT_OPTION_MUTANT(if_match_ignored, other.if_match = NULL)
PUT_OPTION_MUTANT(checksum_ignored, other.sha256_hex = NULL)
PUT_OPTION_MUTANT(metadata_dropped, other.nmeta = 0)
PUT_OPTION_MUTANT(metadata_loses_last, if (other.nmeta > 0) other.nmeta--)
PUT_OPTION_MUTANT(content_type_guessed,
    if (other.content_type == NULL && sp_str_suffix(key, ".png")) other.content_type = "image/png")
PUT_OPTION_MUTANT(content_type_dropped, other.content_type = NULL)

/* An object that is there stays as it is. */
static int put_once(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn src, void *payload, const struct sp_put_opts *o, struct sp_object *out, struct sp_error *err)
{
    struct sp_put_opts other = o == NULL ? (struct sp_put_opts){ 0 } : *o;
    bool conditional = other.if_none_match || other.if_match != NULL;
    if (conditional)
        return STORE->put(s, a, bucket, key, src, payload, o, out, err);
    other.if_none_match = true;
    int rc = STORE->put(s, a, bucket, key, src, payload, &other, out, err);
    if (rc == -SP_E_PRECONDITION) {
        sp_error_clear(err);
        rc = 0;
    }
    return rc;
}
SP_PLANT(blob, put_never_replaces, put, put_once)

/* ---- keys ---------------------------------------------------------------------------------------------------- */

typedef void (*key_fn)(char *key);
static void key_lower(char *key)
{
    for (; *key != '\0'; key++)
        if (*key >= 'A' && *key <= 'Z')
            *key = (char)(*key + 32);
}
static void key_slashes(char *key)
{
    char *to = key;
    for (char *p = key; *p != '\0'; p++)
        if (!(p[0] == '/' && (to == key || to[-1] == '/')))
            *to++ = *p;
    *to = '\0';
}
static void key_plus(char *key)
{
    for (; *key != '\0'; key++)
        if (*key == '+')
            *key = ' ';
}
static void key_short(char *key)
{
    if (strlen(key) > 200)
        key[200] = '\0';
}
static key_fn fold;

static const char *folded(char out[2048], const char *key)
{
    sp_strlcpy(out, key, 2048);
    fold(out);
    return out[0] == '\0' ? key : out;
}
static int put_folded(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn src, void *payload, const struct sp_put_opts *o, struct sp_object *out, struct sp_error *err)
{
    char k[2048];
    return STORE->put(s, a, bucket, folded(k, key), src, payload, o, out, err);
}
static int get_folded(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    char k[2048];
    return STORE->get(s, a, bucket, folded(k, key), offset, length, sink, payload, out, err);
}
static int head_folded(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    struct sp_object *out, struct sp_error *err)
{
    char k[2048];
    int rc = STORE->head(s, a, bucket, folded(k, key), out, err);
    if (rc == 0)
        out->key = sp_arena_str(a, key);
    return rc;
}
static int del_folded(struct sp_session *s, const char *bucket, const char *key, struct sp_error *err)
{
    char k[2048];
    return STORE->del(s, bucket, folded(k, key), err);
}
static bool plant_fold(key_fn fn)
{
    if (sp_mutation.inner->blob == NULL)
        return false;
    fold = fn;
    sp_mutation.blob.put = put_folded;
    sp_mutation.blob.get = get_folded;
    sp_mutation.blob.head = head_folded;
    sp_mutation.blob.del = del_folded;
    return true;
}
static bool plant_key_ignores_case(void)
{
    return plant_fold(key_lower);
}
static bool plant_key_folds_slashes(void)
{
    return plant_fold(key_slashes);
}
static bool plant_key_plus_is_blank(void)
{
    return plant_fold(key_plus);
}
static bool plant_key_cut_at_200(void)
{
    return plant_fold(key_short);
}

/* ---- get, head ----------------------------------------------------------------------------------------------- */

static int get_whole(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    (void)offset, (void)length;
    return STORE->get(s, a, bucket, key, 0, SP_TO_END, sink, payload, out, err);
}
SP_PLANT(blob, range_ignored, get, get_whole)

static int get_one_more(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    return STORE->get(
        s, a, bucket, key, offset, length == SP_TO_END ? length : length + 1, sink, payload, out, err);
}
SP_PLANT(blob, range_one_more, get, get_one_more)

static int get_one_later(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    return STORE->get(s, a, bucket, key, offset > 0 && offset < UINT64_MAX ? offset + 1 : offset, length,
        sink, payload, out, err);
}
SP_PLANT(blob, range_one_later, get, get_one_later)

static int get_no_range_error(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    int rc = STORE->get(s, a, bucket, key, offset, length, sink, payload, out, err);
    if (rc != -SP_E_RANGE)
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(blob, range_error_swallowed, get, get_no_range_error)

static int get_absent_empty(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    int rc = STORE->get(s, a, bucket, key, offset, length, sink, payload, out, err);
    if (rc != -SP_E_NOT_FOUND)
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(blob, absent_is_empty, get, get_absent_empty)

static int get_first_megabyte(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    uint64_t most = 1024 * 1024;
    return STORE->get(s, a, bucket, key, offset, length < most ? length : most, sink, payload, out, err);
}
SP_PLANT(blob, get_cut_at_1m, get, get_first_megabyte)

#define HEAD_MUTANT(name, change)                                                                            \
    static int head_##name(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,    \
        struct sp_object *o, struct sp_error *err)                                                           \
    {                                                                                                        \
        int rc = STORE->head(s, a, bucket, key, o, err);                                                     \
        if (rc == 0) {                                                                                       \
            change;                                                                                          \
        }                                                                                                    \
        return rc;                                                                                           \
    }                                                                                                        \
    SP_PLANT(blob, name, head, head_##name)

HEAD_MUTANT(head_size_wrong, o->size++)
HEAD_MUTANT(etag_constant, o->etag = "\"1\"")
HEAD_MUTANT(etag_random, static unsigned n; o->etag = sp_arena_printf(a, "\"%u\"", ++n))
HEAD_MUTANT(modified_missing, o->modified = (struct sp_ts){ 0 })

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "storage", text }, plant_##name                                                             \
    }
const struct sp_mutant_row sp_mutants_blob[] = {
    ROW(put_loses_last_byte, "the last byte of an object is lost"),
    ROW(put_text_only, "bytes of an object lose their high bit"),
    ROW(put_keeps_partial, "an upload that breaks off is stored as far as it came"),
    ROW(put_never_replaces, "a second put is acknowledged and forgotten"),
    ROW(if_none_match_ignored, "put-if-absent replaces"),
    ROW(if_match_ignored, "put-if-unchanged replaces what changed"),
    ROW(checksum_ignored, "a content that does not fit its checksum is stored"),
    ROW(metadata_dropped, "user metadata is dropped"),
    ROW(metadata_loses_last, "the last metadata entry is dropped"),
    ROW(content_type_guessed, "the content type is guessed from the key"),
    ROW(content_type_dropped, "the content type is dropped"),
    ROW(key_ignores_case, "keys ignore case"),
    ROW(key_folds_slashes, "slashes in keys are folded"),
    ROW(key_plus_is_blank, "a plus sign in a key becomes a blank"),
    ROW(key_cut_at_200, "keys end at 200 bytes"),
    ROW(range_ignored, "a range read gives the whole object"),
    ROW(range_one_more, "a range read gives one byte more"),
    ROW(range_one_later, "a range read starts one byte later"),
    ROW(range_error_swallowed, "a range behind the end gives nothing, without an error"),
    ROW(absent_is_empty, "an absent object reads as an empty one"),
    ROW(get_cut_at_1m, "a read ends at 1 MiB"),
    ROW(head_size_wrong, "the size by head is one too many"),
    ROW(etag_constant, "all objects have one etag"),
    ROW(etag_random, "the etag changes with every look"),
    ROW(modified_missing, "the time of the last put is missing"),
    { { NULL, NULL, NULL }, NULL },
};
