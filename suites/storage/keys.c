/* keys.c -- which names an object may have, and that a name means itself only. */
#include "suites/storage/storage.h"

#include <string.h>

void stc_key_kept(struct sp_ctx *ctx, const void *data)
{
    const struct st_key *k = data;
    struct st t;
    if (st_open(&t, ctx)) {
        const char *key = k->key;
        if (key == NULL) { /* the longest key that the backend offers, up to 1024 bytes */
            const struct sp_cap *cap = sp_ctx_cap(ctx, SP_CAP_KEY_BYTES);
            size_t n = cap->limit > 0 && cap->limit < 1024 ? (size_t)cap->limit : 1024;
            char *longest = sp_arena_alloc(t.a, n + 1);
            if (longest == NULL) {
                sp_ctx_error(ctx, "out of memory");
                return;
            }
            for (size_t i = 0; i < n; i++)
                longest[i] = i % 97 == 96 ? '/' : (char)('a' + i % 26);
            longest[n - 1] = 'z';
            key = longest;
        }
        const char *want[] = { key };
        if (st_puts(&t, key, "content") && st_holds_text(&t, key, "content") &&
            st_lists(&t, "", NULL, 10, want, 1) &&
            st_ok(&t, "delete", sp_blob_delete(t.s, t.bucket, key, &t.err)))
            (void)(st_absent(&t, key) && st_lists(&t, "", NULL, 10, NULL, 0));
    }
    st_done(&t);
}

void stc_key_refused(struct sp_ctx *ctx, const void *data)
{
    const struct st_key *k = data;
    struct st t;
    if (st_open(&t, ctx) && st_fails(&t, "put under a key that is none", SP_E_INVALID,
                                sp_blob_put(t.s, t.bucket, k->key, "x", 1, NULL, &t.err)))
        st_lists(&t, "", NULL, 10, NULL, 0);
    st_done(&t);
}

/* Keys that careless backends mix up: each keeps its own content. */
void stc_keys_distinct(struct sp_ctx *ctx, const void *data)
{
    const char *const *keys = data;
    struct st t;
    if (st_open(&t, ctx)) {
        bool ok = true;
        size_t n = 0;
        for (; ok && keys[n] != NULL; n++)
            ok = st_puts(&t, keys[n], sp_arena_printf(t.a, "content %zu", n));
        for (size_t i = 0; ok && i < n; i++)
            ok = st_holds_text(&t, keys[i], sp_arena_printf(t.a, "content %zu", i));
        /* Removing one leaves the others. */
        ok = ok && st_ok(&t, "delete", sp_blob_delete(t.s, t.bucket, keys[0], &t.err)) &&
             st_absent(&t, keys[0]);
        for (size_t i = 1; ok && i < n; i++)
            ok = st_holds_text(&t, keys[i], sp_arena_printf(t.a, "content %zu", i));
    }
    st_done(&t);
}
