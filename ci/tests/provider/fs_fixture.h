/* fs_fixture.h -- a storage directory for the tests of the filesystem provider. */
#ifndef SP_TEST_FS_FIXTURE_H
#define SP_TEST_FS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/io.h"
#include "provider_call.h"
#include "providers/filesystem/filesystem.h"

struct fx {
    char dir[64], url[96];
    struct sp_endpoint ep;
    struct sp_session *s;
    struct sp_error err;
    struct sp_arena a;
};

static inline int fx_setup(void **state)
{
    struct fx *f = calloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/sp-fs-test-XXXXXX");
    if (f == NULL || mkdtemp(f->dir) == NULL || chmod(f->dir, 0755) != 0)
        return -1;
    snprintf(f->url, sizeof f->url, "filesystem:%s", f->dir);
    f->ep = (struct sp_endpoint){ .name = "fs", .url = f->url, .access = SP_ACCESS_DISPOSABLE };
    if (sp_open(&f->s, &sp_provider_filesystem, &f->ep, &f->err) != 0 ||
        sp_blob_bucket_create(f->s, "box", &f->err) != 0) {
        fprintf(stderr, "%s\n", sp_error_text(&f->err));
        return -1;
    }
    *state = f;
    return 0;
}

static inline int fx_teardown(void **state)
{
    struct fx *f = *state;
    sp_close(f->s);
    sp_arena_free(&f->a);
    sp_error_clear(&f->err);
    sp_rmtree(f->dir, NULL);
    free(f);
    return 0;
}

/* Fails with the record's text when rc is not as wanted, and clears the record. */
#define WANT(f, code, call)                                                                                  \
    do {                                                                                                     \
        int rc_ = (call);                                                                                    \
        if (rc_ != -(int)(code))                                                                             \
            fail_msg("%s: %s, wanted %s: %s", #call, sp_code_name((enum sp_code) - rc_), sp_code_name(code), \
                sp_error_text(&(f)->err));                                                                   \
        sp_error_clear(&(f)->err);                                                                           \
    } while (0)
#define OK(f, call) WANT(f, SP_E_OK, call)

static inline void put_text(struct fx *f, const char *key, const char *text)
{
    OK(f, sp_blob_put(f->s, "box", key, text, strlen(text), NULL, &f->err));
}

static inline void want_text(struct fx *f, const char *key, const char *text)
{
    struct sp_buf b = SP_BUF_INIT;
    OK(f, sp_blob_get(f->s, "box", key, &b, &f->err));
    assert_int_equal(b.n, strlen(text));
    assert_memory_equal(b.n != 0 ? b.p : "", text, b.n);
    sp_buf_free(&b);
}

/* Everything in the bucket, in pages of `limit`; "/" behind prefixes is part of them. */
static inline void want_list(
    struct fx *f, const char *prefix, const char *delimiter, size_t limit, const char *const *want)
{
    const char *cursor = NULL;
    size_t at = 0;
    do {
        struct sp_object *v;
        size_t n;
        OK(f, sp_blob_list(f->s, &f->a, "box", prefix, delimiter, &cursor, limit, &v, &n, &f->err));
        assert_true(n <= limit);
        for (size_t i = 0; i < n; i++, at++) {
            if (want[at] == NULL)
                fail_msg("more entries than wanted: %s", v[i].key);
            assert_string_equal(v[i].key, want[at]);
        }
    } while (cursor != NULL);
    assert_null(want[at]);
}

/* Names in a directory that start with prefix. */
static inline size_t count_files(const char *dir, const char *sub, const char *prefix)
{
    char cmd[256];
    unsigned n = 0;
    snprintf(cmd, sizeof cmd, "ls -A '%s/%s' | grep -c '^%s'", dir, sub, prefix);
    FILE *p = popen(cmd, "r");
    if (p == NULL || fscanf(p, "%u", &n) != 1)
        n = 9999;
    if (p != NULL)
        pclose(p);
    return n;
}

#endif
