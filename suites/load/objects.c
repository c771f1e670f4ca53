/* objects.c -- many users store objects at once. */
#include "suites/load/load.h"

#include <stdio.h>
#include <string.h>

enum { SIZE = 3000, SHARED = 5 };

/* Content that names its writer in every byte's neighbourhood: a mix of two writers shows. */
static void fill(char *p, size_t n, unsigned user, uint64_t seq)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (char)('A' + (user * 7 + seq * 3 + i % 2) % 50);
}

static size_t size_of(unsigned user, uint64_t seq)
{
    return SIZE + (user * 131 + (size_t)seq * 17) % 500;
}

static void work_objects(struct ld_user *u)
{
    for (uint64_t k = 0; k < u->crew->per_user; k++) {
        char key[48], content[SIZE + 500];
        struct sp_error err = SP_ERROR_INIT;
        size_t n = size_of(u->index, k);
        snprintf(key, sizeof key, "user-%u/%llu", u->index, (unsigned long long)k);
        fill(content, n, u->index, k);
        uint64_t start = sp_clock_ns();
        int rc = sp_blob_put(u->s, u->crew->bucket, key, content, n, NULL, &err);
        u->acked[k] = ld_book(u, start, 0, rc, &err);
    }
}

void ldc_objects(struct sp_ctx *ctx, const void *data)
{
    struct ld_crew crew = { .ctx = ctx,
        .operation = "put under load",
        .n = ld_users(ctx),
        .per_user = ld_operations(ctx, 10, 200),
        .work = work_objects };
    struct sp_session *s = sp_ctx_session(ctx, 0);
    (void)data;
    crew.bucket = s == NULL ? NULL : sp_ctx_bucket(ctx, "load");
    if (crew.bucket != NULL && ld_run(&crew)) {
        struct sp_buf got = SP_BUF_INIT;
        for (unsigned i = 0; i < crew.n; i++)
            for (uint64_t k = 0; k < crew.per_user && !sp_ctx_done(ctx); k++) {
                char key[48], want[SIZE + 500];
                struct sp_error err = SP_ERROR_INIT;
                snprintf(key, sizeof key, "user-%u/%llu", i, (unsigned long long)k);
                fill(want, size_of(i, k), i, k);
                sp_buf_clear(&got);
                if (sp_check(ctx, crew.users[i].acked[k], "the put was acknowledged") &&
                    sp_check_ok(ctx, "get", sp_blob_get(s, crew.bucket, key, &got, &err), &err))
                    sp_check_bytes(ctx, "content of an acknowledged put", want, size_of(i, k), got.p, got.n);
                sp_error_clear(&err);
            }
        sp_buf_free(&got);
    }
    ld_free(&crew);
}

/* Exactly what some user stored in one put: its size and every byte. */
static bool is_one_put(const struct ld_crew *crew, const struct sp_buf *got)
{
    char want[SIZE + 500];
    for (unsigned user = 0; user < crew->n; user++)
        for (uint64_t k = 0; k < crew->per_user; k++) {
            if (size_of(user, k) != got->n)
                continue;
            fill(want, got->n, user, k);
            if (memcmp(want, got->p, got->n) == 0)
                return true;
        }
    return false;
}

/* All users replace and read the same few objects: every read gives one whole content of one writer. */
static void work_shared(struct ld_user *u)
{
    struct sp_buf got = SP_BUF_INIT;
    for (uint64_t k = 0; k < u->crew->per_user; k++) {
        char key[16], content[SIZE + 500];
        struct sp_error err = SP_ERROR_INIT;
        snprintf(key, sizeof key, "shared-%u", (unsigned)sp_rng_below(&u->rng, SHARED));
        size_t n = size_of(u->index, k);
        fill(content, n, u->index, k);
        uint64_t start = sp_clock_ns();
        int rc = sp_blob_put(u->s, u->crew->bucket, key, content, n, NULL, &err);
        if (rc == 0) {
            sp_buf_clear(&got);
            rc = sp_blob_get(u->s, u->crew->bucket, key, &got, &err);
        }
        if (rc == 0) {
            if (!is_one_put(u->crew, &got))
                rc = sp_fail(&err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
                    "object %s: %zu bytes that no single writer stored", key, got.n);
        }
        u->acked[k] = ld_book(u, start, 0, rc, &err);
    }
    sp_buf_free(&got);
}

void ldc_objects_shared(struct sp_ctx *ctx, const void *data)
{
    struct ld_crew crew = { .ctx = ctx,
        .operation = "replace and read a shared object",
        .n = ld_users(ctx),
        .per_user = ld_operations(ctx, 10, 200),
        .work = work_shared };
    (void)data;
    crew.bucket = sp_ctx_session(ctx, 0) == NULL ? NULL : sp_ctx_bucket(ctx, "load");
    if (crew.bucket != NULL && ld_run(&crew)) {
        uint64_t ok = 0;
        for (unsigned i = 0; i < crew.n; i++)
            ok += crew.users[i].ok;
        sp_check_int(ctx, "puts followed by a whole read", (int64_t)(crew.n * crew.per_user), (int64_t)ok);
    }
    ld_free(&crew);
}
