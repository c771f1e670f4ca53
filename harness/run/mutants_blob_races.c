/* mutants_blob_races.c -- storage that looks first and acts later: right alone, wrong beside others. */
#include <string.h>
#include <time.h>

#include "run/mutation.h"

#define STORE SP_INNER_BLOB

/* Between the look and the act. */
static void dawdle(long ms)
{
    (void)nanosleep(&(struct timespec){ 0, ms * 1000000 }, NULL);
}

/* The condition is checked by a head, the put has none. */
static int look_then_put(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn src, void *payload, const struct sp_put_opts *o, struct sp_object *out, struct sp_error *err)
{
    struct sp_arena own = SP_ARENA_INIT;
    struct sp_put_opts other = *o;
    struct sp_object there = { 0 };
    int rc = STORE->head(s, &own, bucket, key, &there, err);
    bool absent = rc == -SP_E_NOT_FOUND;
    if (absent) {
        sp_error_clear(err);
        rc = 0;
    }
    if (rc == 0 && ((o->if_none_match && !absent) ||
                       (o->if_match != NULL && (absent || strcmp(o->if_match, there.etag) != 0))))
        rc = sp_fail(err, SP_E_PRECONDITION, SP_ORIGIN_BACKEND, "the condition does not hold");
    sp_arena_free(&own);
    if (rc != 0)
        return rc;
    dawdle(3);
    other.if_none_match = false;
    other.if_match = NULL;
    return STORE->put(s, a, bucket, key, src, payload, &other, out, err);
}

static int put_none_match_later(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn src, void *payload, const struct sp_put_opts *o, struct sp_object *out, struct sp_error *err)
{
    return o != NULL && o->if_none_match ? look_then_put(s, a, bucket, key, src, payload, o, out, err)
                                         : STORE->put(s, a, bucket, key, src, payload, o, out, err);
}
SP_PLANT(blob, if_none_match_looks_first, put, put_none_match_later)

static int put_match_later(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn src, void *payload, const struct sp_put_opts *o, struct sp_object *out, struct sp_error *err)
{
    return o != NULL && o->if_match != NULL ? look_then_put(s, a, bucket, key, src, payload, o, out, err)
                                            : STORE->put(s, a, bucket, key, src, payload, o, out, err);
}
SP_PLANT(blob, if_match_looks_first, put, put_match_later)

/* A whole object is read in two halves, each of its own moment. */
static int get_in_halves(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    struct sp_object o = { 0 };
    int rc = STORE->head(s, a, bucket, key, &o, err);
    if (rc != 0)
        return rc;
    if (offset != 0 || length < o.size || o.size < 2)
        return STORE->get(s, a, bucket, key, offset, length, sink, payload, out, err);
    rc = STORE->get(s, a, bucket, key, 0, o.size / 2, sink, payload, out, err);
    if (rc != 0)
        return rc;
    dawdle(5);
    return STORE->get(s, a, bucket, key, o.size / 2, SP_TO_END, sink, payload, out, err);
}
static bool plant_get_in_two_reads(void)
{
    bool can = sp_mutation.blob.get != NULL && sp_mutation.blob.head != NULL;
    if (can)
        sp_mutation.blob.get = get_in_halves;
    return can;
}

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "storage", text }, plant_##name                                                             \
    }
const struct sp_mutant_row sp_mutants_blob_races[] = {
    ROW(if_none_match_looks_first, "put-if-absent looks whether something is there, and stores later"),
    ROW(if_match_looks_first, "put-if-unchanged looks at the etag, and stores later"),
    ROW(get_in_two_reads, "a whole object is read in two halves"),
    { { NULL, NULL, NULL }, NULL },
};
