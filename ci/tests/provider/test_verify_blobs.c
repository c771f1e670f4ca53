/* test_verify_blobs.c -- objects of two storages, compared by what is in them: any kind against any other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/str.h"
#include "ci/tests/provider/caught.h"
#include "providers/filesystem/filesystem.h"
#include "providers/mock/mock.h"
#include "providers/mongodb/mongodb.h"
#include "providers/postgresql/postgresql.h"
#include "providers/sqlite/sqlite.h"
#include "verify/verify.h"

/* ---- two storages ---------------------------------------------------------------------------------------------------- */

struct store {
    const struct sp_provider *kind;
    struct sp_endpoint e;
    struct sp_session *s;
    char url[256];
};
struct stores {
    struct store side[2];
    char dir[64], bucket[48], other[48], glob[48];
    struct caught c;
    struct sp_buf reasons;
    struct sp_error err;
    const char *globs[2];
    struct sp_verify_options opt;
};

#define OK(call)                                                                                             \
    do {                                                                                                     \
        if ((call) != 0)                                                                                     \
            fail_msg("%s: %s", #call, sp_error_text(&st->err));                                              \
    } while (0)

static bool open_one(struct stores *st, int i, const char *kind)
{
    struct store *s = &st->side[i];
    const char *server = NULL;
    if (strcmp(kind, "filesystem") == 0) {
        s->kind = &sp_provider_filesystem;
        snprintf(s->url, sizeof s->url, "filesystem:%s/%d", st->dir, i);
    } else if (strcmp(kind, "sqlite") == 0) {
        s->kind = &sp_provider_sqlite;
        snprintf(s->url, sizeof s->url, "sqlite:%s/%d.db", st->dir, i);
    } else if (strcmp(kind, "mock") == 0) {
        s->kind = &sp_provider_mock;
        snprintf(s->url, sizeof s->url, "mock:blobs%d-%s", i, st->bucket);
    } else {
        bool pg = strcmp(kind, "postgresql") == 0;
        server = getenv(pg ? "POSTGRESQL_URL" : "MONGODB_URL");
        s->kind = pg ? &sp_provider_postgresql : &sp_provider_mongodb;
        if (server == NULL)
            return false;
        sp_strlcpy(s->url, server, sizeof s->url);
    }
    s->e =
        (struct sp_endpoint){ .name = i == 0 ? "old" : "new", .url = s->url, .access = SP_ACCESS_DISPOSABLE };
    if (s->kind->process_init != NULL)
        OK(s->kind->process_init(&st->err));
    OK(sp_open(&s->s, s->kind, &s->e, &st->err));
    return true;
}

static void end(struct stores *st)
{
    for (int i = 0; i < 2; i++) {
        if (st->side[i].s != NULL) {
            (void)sp_blob_bucket_drop(st->side[i].s, st->bucket, NULL);
            (void)sp_blob_bucket_drop(st->side[i].s, st->other, NULL);
        }
        sp_close(st->side[i].s);
    }
    (void)sp_rmtree(st->dir, NULL);
    sp_buf_free(&st->c.text);
    sp_buf_free(&st->reasons);
    sp_error_clear(&st->err);
}

static void begin(struct stores *st, const char *a, const char *b)
{
    static unsigned n;
    *st = (struct stores){ .c = { .em = { keep } }, .err = SP_ERROR_INIT };
    sp_strlcpy(st->dir, "/tmp/sp-blobs-XXXXXX", sizeof st->dir);
    assert_non_null(mkdtemp(st->dir));
    snprintf(st->bucket, sizeof st->bucket, "vb%ld-%u-a", (long)getpid(), n++);
    snprintf(st->other, sizeof st->other, "%.*sb", (int)strlen(st->bucket) - 1, st->bucket);
    snprintf(st->glob, sizeof st->glob, "%.*s*", (int)strlen(st->bucket) - 1, st->bucket);
    if (!open_one(st, 0, a) || !open_one(st, 1, b)) {
        end(st);
        print_message("skip: %s against %s needs a server\n", a, b);
        skip();
    }
    st->globs[0] = st->glob;
    st->opt = (struct sp_verify_options){
        .checks = SP_VC_BLOBS, .max_differences = 100, .buckets = st->globs, .nbuckets = 1
    };
}

static void assert_verdict(struct stores *st, enum sp_verify_verdict want)
{
    enum sp_verify_verdict got = SP_VV_NOT_COMPARED;
    sp_buf_clear(&st->c.text);
    sp_buf_clear(&st->reasons);
    sp_error_clear(&st->err);
    OK(sp_verify(st->side[0].s, st->side[1].s, &st->opt, &st->c.em, &got, &st->reasons, &st->err));
    if (got != want)
        fail_msg("%s, not %s\n%s\n%s", sp_verify_verdict_name(got), sp_verify_verdict_name(want),
            st->reasons.p != NULL ? st->reasons.p : "", st->c.text.p);
}

static void put(
    struct stores *st, int i, const char *key, const void *p, size_t n, const char *type, const char *meta)
{
    struct sp_meta m = { "owner", meta };
    struct sp_put_opts o = { .content_type = type, .meta = &m, .nmeta = meta != NULL };
    OK(sp_blob_put(st->side[i].s, st->bucket, key, p, n, &o, &st->err));
}

static const char *const keys[] = { "a/1.txt", "a/2.txt", "b", "empty", "z \xc3\xa4", "\xe2\x82\xac" };

static void fill(struct stores *st)
{
    static char big[700000];
    for (size_t k = 0; k < sizeof big; k++)
        big[k] = (char)(k * 7 + (k >> 9));
    for (int i = 0; i < 2; i++) {
        OK(sp_blob_bucket_create(st->side[i].s, st->bucket, &st->err));
        for (size_t k = 0; k < SP_LEN(keys); k++)
            put(st, i, keys[k], keys[k], k == 3 ? 0 : strlen(keys[k]), k % 2 == 0 ? "text/plain" : NULL,
                k < 3 ? "anna" : NULL);
        put(st, i, "big", big, sizeof big, NULL, NULL);
    }
}

static void has(struct stores *st, const char *text)
{
    if (strstr(st->c.text.p, text) == NULL)
        fail_msg("no %s in\n%s", text, st->c.text.p);
}

/* ---- every kind against another -------------------------------------------------------------------------------------- */

/* Faithful copies are equal; each planted change is found and named. */
static void judged(const char *a, const char *b)
{
    struct stores s, *st = &s;
    begin(st, a, b);
    fill(st);
    assert_verdict(st, SP_VV_EQUAL);
    has(st, "\"source_rows\":7,\"target_rows\":7,\"missing\":0,\"extra\":0,\"changed\":0");
    has(st, "\"message\":\"compared: keys, content, content types and metadata; not: who may read it");
    put(st, 1, "a/2.txt", "a/2.tXt", 7, NULL, "anna"); /* one octet, same length */
    assert_verdict(st, SP_VV_DIFFERENT);
    has(st, "\"difference\":\"changed\",\"key\":\"a/2.txt\",\"column\":\"content\"");
    put(st, 1, "a/2.txt", "a/2.txt", 7, NULL, "anna");
    put(st, 1, "b", "b", 1, "text/html", "anna");
    assert_verdict(st, SP_VV_DIFFERENT);
    has(st, "\"key\":\"b\",\"column\":\"content type\"");
    put(st, 1, "b", "b", 1, "text/plain", "berta secret");
    assert_verdict(st, SP_VV_DIFFERENT);
    has(st, "\"key\":\"b\",\"column\":\"metadata owner\"");
    assert_null(strstr(st->c.text.p, "secret"));
    put(st, 1, "b", "b", 1, "text/plain", NULL);
    assert_verdict(st, SP_VV_DIFFERENT);
    put(st, 1, "b", "b", 1, "text/plain", "anna");
    assert_verdict(st, SP_VV_EQUAL);
    OK(sp_blob_delete(st->side[1].s, st->bucket, "empty", &st->err));
    put(st, 1, "extra", "x", 1, NULL, NULL);
    assert_verdict(st, SP_VV_DIFFERENT);
    has(st, "\"missing\":1,\"extra\":1,\"changed\":0");
    has(st, "\"difference\":\"missing\",\"key\":\"empty\"");
    has(st, "\"difference\":\"extra\",\"key\":\"extra\"");
    end(st);
}

/* The text "none" and no metadata at all are shown alike, and are not. */
static void metadata_that_says_none(void **state)
{
    (void)state;
    for (int shown = 0; shown < 2; shown++) {
        struct stores s, *st = &s;
        begin(st, "filesystem", "sqlite");
        fill(st);
        put(st, 0, "b", "b", 1, "text/plain", "none");
        put(st, 1, "b", "b", 1, "text/plain", NULL);
        st->opt.show_values = shown == 1;
        assert_verdict(st, SP_VV_DIFFERENT);
        has(st, "\"key\":\"b\",\"column\":\"metadata owner\"");
        end(st);
    }
}

#define PAIR(a, b)                                                                                           \
    static void a##_to_##b(void **state)                                                                     \
    {                                                                                                        \
        (void)state;                                                                                         \
        judged(#a, #b);                                                                                      \
    }
PAIR(filesystem, filesystem)
PAIR(sqlite, filesystem)
PAIR(filesystem, sqlite)
PAIR(mock, sqlite)
PAIR(sqlite, postgresql)
PAIR(postgresql, filesystem)
PAIR(filesystem, mongodb)
PAIR(mongodb, postgresql)

/* ---- buckets ------------------------------------------------------------------------------------------------------------ */

static void a_bucket_of_one_side_differs(void **state)
{
    struct stores s, *st = &s;
    (void)state;
    for (int i = 0; i < 2; i++) {
        begin(st, "filesystem", "sqlite");
        fill(st);
        OK(sp_blob_bucket_create(st->side[i].s, st->other, &st->err)); /* even an empty one */
        assert_verdict(st, SP_VV_DIFFERENT);
        has(st, i == 0 ? "the target has no such bucket" : "the source has no such bucket");
        end(st);
    }
}

static void buckets_of_other_names_are_matched_by_option(void **state)
{
    struct stores s, *st = &s;
    char word[100];
    (void)state;
    begin(st, "filesystem", "sqlite");
    OK(sp_blob_bucket_create(st->side[0].s, st->bucket, &st->err));
    OK(sp_blob_bucket_create(st->side[1].s, st->other, &st->err));
    OK(sp_blob_put(st->side[0].s, st->bucket, "k", "v", 1, NULL, &st->err));
    OK(sp_blob_put(st->side[1].s, st->other, "k", "v", 1, NULL, &st->err));
    assert_verdict(st, SP_VV_DIFFERENT);
    snprintf(word, sizeof word, "%.40s=%.40s", st->bucket, st->other);
    st->globs[0] = word;
    assert_verdict(st, SP_VV_EQUAL);
    OK(sp_blob_put(st->side[1].s, st->other, "k", "w", 1, NULL, &st->err));
    assert_verdict(st, SP_VV_DIFFERENT);
    enum sp_verify_verdict v;
    st->globs[0] = "nowhere";
    assert_int_equal(
        -SP_E_INVALID, sp_verify(st->side[0].s, st->side[1].s, &st->opt, NULL, &v, NULL, &st->err));
    end(st);
}

/* ---- what cannot be told --------------------------------------------------------------------------------------------- */

static struct {
    const struct sp_provider *inner;
    struct sp_provider outer;
    struct sp_blob_ops blob;
    int fault;
    unsigned calls;
} planted;

enum { VANISH = 1, SHORT, DISORDER, UNREADABLE, MOVES, REPLACED, NO_LIST, NO_META, NO_TYPE };

static int faulty_get(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    if (planted.fault == VANISH && strcmp(key, "b") == 0)
        return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no object \"b\"");
    if (planted.fault == UNREADABLE && strcmp(key, "b") == 0)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the checksum does not fit");
    int rc = planted.inner->blob->get(s, a, bucket, key, offset, length, sink, payload, out, err);
    if (rc == 0 && planted.fault == SHORT)
        out->size++;
    if (rc == 0 && planted.fault == REPLACED)
        out->etag = "another";
    return rc;
}

static int faulty_list(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **v, size_t *n,
    struct sp_error *err)
{
    int rc = planted.inner->blob->list(s, a, bucket, prefix, delimiter, cursor, limit, v, n, err);
    if (rc != 0 || *n < 2)
        return rc;
    if (planted.fault == DISORDER) {
        struct sp_object o = (*v)[0];
        (*v)[0] = (*v)[1];
        (*v)[1] = o;
    }
    if (planted.fault == MOVES && planted.calls++ != 0)
        (*v)[0].modified.sec++;
    return rc;
}

static int faulty_buckets(
    struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    if (planted.fault == NO_LIST)
        return sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND, "not yours");
    return planted.inner->blob->bucket_list(s, prefix, out, err);
}

/* A server that gives back less than others of its kind. */
static int lower_effective(
    struct sp_session *s, struct sp_cap caps[SP_CAP_N], struct sp_facts *facts, struct sp_error *err)
{
    int rc = planted.inner->effective == NULL ? 0 : planted.inner->effective(s, caps, facts, err);
    if (planted.fault == NO_META || planted.fault == NO_TYPE)
        caps[planted.fault == NO_META ? SP_CAP_METADATA : SP_CAP_CONTENT_TYPE] =
            (struct sp_cap){ .level = SP_CAP_NO, .why = "this server gives back none" };
    return rc;
}

static void faults_are_never_equal(void **state)
{
    (void)state;
    for (int fault = VANISH; fault <= NO_TYPE; fault++)
        for (int side = 0; side < 2; side++) {
            struct stores s, *st = &s;
            begin(st, "filesystem", "sqlite");
            fill(st);
            struct sp_session_base *base = (struct sp_session_base *)(void *)st->side[side].s;
            planted.inner = base->provider;
            planted.outer = *base->provider;
            planted.blob = *base->provider->blob;
            planted.blob.get = faulty_get;
            planted.blob.list = faulty_list;
            planted.blob.bucket_list = faulty_buckets;
            planted.outer.blob = &planted.blob;
            planted.outer.effective = lower_effective;
            planted.fault = fault;
            planted.calls = 0;
            base->provider = &planted.outer;
            assert_verdict(st, SP_VV_NOT_COMPARED);
            base->provider = planted.inner;
            end(st);
        }
}

/* Nothing of a listing is kept: many objects take no more memory than few, and pages meet without a gap. */
static void many_objects_in_pages(void **state)
{
    struct stores s, *st = &s;
    (void)state;
    begin(st, "mock", "sqlite");
    for (int i = 0; i < 2; i++) {
        OK(sp_blob_bucket_create(st->side[i].s, st->bucket, &st->err));
        for (int k = 0; k < 2001; k++) {
            char key[32];
            snprintf(key, sizeof key, "k%d", k);
            if (i == 0 || k != 1234)
                OK(sp_blob_put(st->side[i].s, st->bucket, key, key, strlen(key), NULL, &st->err));
        }
    }
    assert_verdict(st, SP_VV_DIFFERENT);
    has(st, "\"source_rows\":2001,\"target_rows\":2000,\"missing\":1,\"extra\":0,\"changed\":0");
    has(st, "\"key\":\"k1234\"");
    end(st);
}

static void without_objects_nothing_is_said(void **state)
{
    struct stores s, *st = &s;
    (void)state;
    begin(st, "sqlite", "sqlite");
    st->opt.nbuckets = 0;
    assert_verdict(st, SP_VV_NOT_COMPARED); /* nothing to compare at all */
    assert_non_null(strstr(st->reasons.p, "nothing to compare"));
    end(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filesystem_to_filesystem),
        cmocka_unit_test(sqlite_to_filesystem),
        cmocka_unit_test(filesystem_to_sqlite),
        cmocka_unit_test(mock_to_sqlite),
        cmocka_unit_test(sqlite_to_postgresql),
        cmocka_unit_test(postgresql_to_filesystem),
        cmocka_unit_test(filesystem_to_mongodb),
        cmocka_unit_test(mongodb_to_postgresql),
        cmocka_unit_test(metadata_that_says_none),
        cmocka_unit_test(a_bucket_of_one_side_differs),
        cmocka_unit_test(buckets_of_other_names_are_matched_by_option),
        cmocka_unit_test(faults_are_never_equal),
        cmocka_unit_test(many_objects_in_pages),
        cmocka_unit_test(without_objects_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
