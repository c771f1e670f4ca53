/* blob_read.c -- listings that prove their order, and contents as digests: nothing of an object is kept. */
#include <stdlib.h>

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "verify/blobs.h"

#define PAGE 500u

void sp_v_listing_open(struct sp_vlisting *l, struct sp_session *s, const char *bucket)
{
    *l = (struct sp_vlisting){ .s = s, .bucket = bucket, .page = SP_ARENA_INIT };
}

void sp_v_listing_free(struct sp_vlisting *l)
{
    sp_arena_free(&l->page);
    sp_buf_free(&l->mark);
    sp_buf_free(&l->last);
}

static int next_page(struct sp_vlisting *l, struct sp_error *err)
{
    const char *cursor = l->begun ? l->cursor : NULL;
    struct sp_arena page = SP_ARENA_INIT;
    int rc = sp_blob_list(l->s, &page, l->bucket, "", NULL, &cursor, PAGE, &l->v, &l->n, err);
    sp_buf_clear(&l->mark);
    if (rc == 0 && cursor != NULL && (sp_buf_puts(&l->mark, cursor) != 0 || l->mark.p == NULL))
        rc = sp_nomem(err);
    if (rc == 0 && cursor != NULL && l->n == 0)
        rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "bucket %s: an empty page of a listing that goes on", l->bucket);
    l->cursor = cursor != NULL ? l->mark.p : NULL;
    l->done = l->cursor == NULL;
    l->begun = true;
    l->at = 0;
    sp_arena_free(&l->page);
    l->page = page;
    return rc;
}

static void note(struct sp_vlisting *l, const struct sp_object *o)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_puts(&b, o->key);
    sp_buf_putc(&b, '\0');
    sp_buf_puts(&b, o->etag != NULL ? o->etag : "");
    sp_buf_printf(&b, "%c%llu %lld %u", '\0', (unsigned long long)o->size, (long long)o->modified.sec,
        o->modified.nsec);
    sp_digest_add(&l->state, sp_d128_of(b.p != NULL ? b.p : "", b.n));
    sp_buf_free(&b);
}

int sp_v_listing_next(struct sp_vlisting *l, const struct sp_object **out, struct sp_error *err)
{
    *out = NULL;
    while (l->at == l->n) {
        if (l->begun && l->done)
            return 0;
        int rc = next_page(l, err);
        if (rc != 0)
            return rc;
    }
    const struct sp_object *o = &l->v[l->at++];
    if (o->key == NULL || (l->seen != 0 && strcmp(l->last.p, o->key) >= 0))
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "bucket %s: the listing's keys do not ascend in byte order, so none can be "
            "shown to be missing",
            l->bucket);
    sp_buf_clear(&l->last);
    if (sp_buf_puts(&l->last, o->key) != 0 || l->last.p == NULL)
        return sp_nomem(err);
    l->seen++;
    note(l, o);
    *out = o;
    return 0;
}

struct sink {
    XXH3_state_t *state;
    uint64_t size;
};

static int take(void *payload, const void *p, size_t n)
{
    struct sink *s = payload;
    s->size += n;
    return n != 0 && XXH3_128bits_update(s->state, p, n) != XXH_OK;
}

int sp_v_content_read(
    struct sp_vcontent *x, struct sp_session *s, const char *bucket, const char *key, struct sp_error *err)
{
    struct sink k = { .state = XXH3_createState() };
    *x = (struct sp_vcontent){ .arena = SP_ARENA_INIT };
    if (k.state == NULL || XXH3_128bits_reset(k.state) != XXH_OK) {
        XXH3_freeState(k.state);
        return sp_nomem(err);
    }
    int rc = sp_blob_get_stream(s, &x->arena, bucket, key, 0, SP_TO_END, take, &k, &x->o, err);
    if (rc == 0 && x->o.size != k.size)
        rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "object \"%s\": %llu bytes came, %llu were announced", key, (unsigned long long)k.size,
            (unsigned long long)x->o.size);
    XXH128_hash_t h = XXH3_128bits_digest(k.state);
    XXH3_freeState(k.state);
    x->digest = (struct sp_d128){ h.low64, h.high64 };
    x->size = k.size;
    return rc;
}

void sp_v_content_free(struct sp_vcontent *x)
{
    sp_arena_free(&x->arena);
}
