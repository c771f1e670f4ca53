/* ranges.c -- reading a part of an object. */
#include "suites/storage/storage.h"

void stc_range(struct sp_ctx *ctx, const void *data)
{
    const struct st_range *r = data;
    struct st t;
    if (st_open(&t, ctx)) {
        const uint8_t *p = st_bytes(&t, (size_t)r->size);
        if (p == NULL || !st_put(&t, "r", p, (size_t)r->size, NULL)) {
            st_done(&t);
            return;
        }
        int rc = sp_blob_get_range(t.s, t.bucket, "r", r->offset, r->length, &t.buf, &t.err);
        if (r->code != SP_E_OK)
            (void)(st_fails(&t, "read of the range", r->code, rc) &&
                   sp_check_int(ctx, "bytes delivered", 0, (int64_t)t.buf.n));
        else if (st_ok(&t, "read of the range", rc))
            sp_check_bytes(ctx, "bytes of the range", p + r->from, (size_t)r->n, t.buf.p, t.buf.n);
    }
    st_done(&t);
}
