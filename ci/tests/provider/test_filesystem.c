/* test_filesystem.c -- the storage contract on the filesystem provider. */
#include "fs_fixture.h"

#include <pthread.h>

#include "base/str.h"

static void round_trip(void **state)
{
    struct fx *f = *state;
    struct sp_meta meta[] = { { "zone", "b" }, { "Author", "Zo\xc3\xab" }, { "empty", "" } };
    struct sp_put_opts o = { .content_type = "text/plain", .meta = meta, .nmeta = 3 };
    struct sp_object h;
    OK(f, sp_blob_put(f->s, "box", "a/b.txt", "hello", 5, &o, &f->err));
    want_text(f, "a/b.txt", "hello");
    OK(f, sp_blob_head(f->s, &f->a, "box", "a/b.txt", &h, &f->err));
    assert_string_equal(h.key, "a/b.txt");
    assert_int_equal(h.size, 5);
    assert_string_equal(h.content_type, "text/plain");
    assert_string_equal(h.etag, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_int_equal(h.nmeta, 3);
    assert_string_equal(h.meta[0].name, "Author");
    assert_string_equal(h.meta[0].value, "Zo\xc3\xab");
    assert_string_equal(h.meta[1].value, "");
    assert_string_equal(h.meta[2].name, "zone");
    assert_true(h.modified.sec > 1600000000);
    /* replacing replaces content and metadata together */
    put_text(f, "a/b.txt", "");
    OK(f, sp_blob_head(f->s, &f->a, "box", "a/b.txt", &h, &f->err));
    assert_int_equal(h.size, 0);
    assert_int_equal(h.nmeta, 0);
    assert_string_equal(h.content_type, "application/octet-stream");
    want_text(f, "a/b.txt", "");
    OK(f, sp_blob_delete(f->s, "box", "a/b.txt", &f->err));
    OK(f, sp_blob_delete(f->s, "box", "a/b.txt", &f->err));
    WANT(f, SP_E_NOT_FOUND, sp_blob_head(f->s, &f->a, "box", "a/b.txt", &h, &f->err));
    assert_int_equal(count_files(f->dir, "box", "[.]tmp"), 0);
}

static void ranges(void **state)
{
    struct fx *f = *state;
    struct sp_buf b = SP_BUF_INIT;
    char *big = malloc(300000);
    assert_non_null(big);
    for (size_t i = 0; i < 300000; i++)
        big[i] = (char)(i * 31 >> 3);
    OK(f, sp_blob_put(f->s, "box", "big", big, 300000, NULL, &f->err));
    OK(f, sp_blob_get_range(f->s, "box", "big", 65530, 100000, &b, &f->err));
    assert_int_equal(b.n, 100000);
    assert_memory_equal(b.p, big + 65530, 100000);
    sp_buf_clear(&b);
    OK(f, sp_blob_get_range(f->s, "box", "big", 299999, 50, &b, &f->err));
    assert_int_equal(b.n, 1);
    sp_buf_clear(&b);
    OK(f, sp_blob_get_range(f->s, "box", "big", 1, SP_TO_END, &b, &f->err));
    assert_int_equal(b.n, 299999);
    sp_buf_clear(&b);
    OK(f, sp_blob_get_range(f->s, "box", "big", 7, 0, &b, &f->err));
    assert_int_equal(b.n, 0);
    WANT(f, SP_E_RANGE, sp_blob_get_range(f->s, "box", "big", 300000, 1, &b, &f->err));
    WANT(f, SP_E_RANGE, sp_blob_get_range(f->s, "box", "big", UINT64_MAX, SP_TO_END, &b, &f->err));
    put_text(f, "none", "");
    WANT(f, SP_E_RANGE, sp_blob_get_range(f->s, "box", "none", 1, 1, &b, &f->err));
    assert_int_equal(b.n, 0);
    sp_buf_free(&b);
    free(big);
}

static void listing(void **state)
{
    struct fx *f = *state;
    static const char *const keys[] = { "b", "a", "a/b", "a/c", "a/b/d", "a-", "B", "z/", "z//y", "ab",
        "a/b/" };
    for (size_t i = 0; i < SP_LEN(keys); i++)
        put_text(f, keys[i], keys[i]);
    for (size_t i = 0; i < SP_LEN(keys); i++)
        want_text(f, keys[i], keys[i]);
    for (size_t limit = 1; limit < 13; limit++) {
        want_list(f, "", NULL, limit,
            (const char *[]){ "B", "a", "a-", "a/b", "a/b/", "a/b/d", "a/c", "ab", "b", "z/", "z//y", NULL });
        want_list(f, "", "/", limit, (const char *[]){ "B", "a", "a-", "a/", "ab", "b", "z/", NULL });
        want_list(f, "a/", "/", limit, (const char *[]){ "a/b", "a/b/", "a/c", NULL });
        want_list(f, "a/b/", "/", limit, (const char *[]){ "a/b/", "a/b/d", NULL });
        want_list(f, "a/b", NULL, limit, (const char *[]){ "a/b", "a/b/", "a/b/d", NULL });
        want_list(f, "z/", "//", limit, (const char *[]){ "z/", "z//y", NULL });
        want_list(f, "q", "/", limit, (const char *[]){ NULL });
    }
    const char *cursor = "made up";
    struct sp_object *v;
    size_t n;
    WANT(f, SP_E_INVALID, sp_blob_list(f->s, &f->a, "box", "", NULL, &cursor, 5, &v, &n, &f->err));
    cursor = NULL;
    WANT(f, SP_E_NOT_FOUND, sp_blob_list(f->s, &f->a, "nobox", "", NULL, &cursor, 5, &v, &n, &f->err));
}

/* Each is a key of its own, none leaves the bucket, and the listing gives every byte back. */
static void odd_keys(void **state)
{
    struct fx *f = *state;
    static const char *const keys[] = { "..", ".", "../escape", "/etc/passwd", "//", "a//b", "a/../b", "a/",
        "a", "A", "caf\xc3\xa9", "cafe\xcc\x81", "CAF\xc3\x89", "%2e%2e", "%", "=a", "#a", ".lock", ".tmp-x",
        ".uploads", "con", "a.", "a ", " a", "a\nb", "\x01", "back\\slash", "star*?", "\xf0\x9f\x98\x80",
        "'; rm -rf /" };
    for (size_t i = 0; i < SP_LEN(keys); i++)
        put_text(f, keys[i], keys[i]);
    for (size_t i = 0; i < SP_LEN(keys); i++)
        want_text(f, keys[i], keys[i]);
    const char *cursor = NULL, *last = "";
    struct sp_object *v;
    size_t n;
    OK(f, sp_blob_list(f->s, &f->a, "box", "", NULL, &cursor, 1000, &v, &n, &f->err));
    assert_int_equal(n, SP_LEN(keys));
    assert_null(cursor);
    for (size_t i = 0; i < n; i++) {
        assert_true(strcmp(last, v[i].key) < 0);
        last = v[i].key;
        want_text(f, last, last);
    }
    assert_int_equal(count_files(f->dir, "", ""), 1); /* the bucket alone */
    WANT(f, SP_E_INVALID, sp_blob_put(f->s, "box", "", "x", 1, NULL, &f->err));
    WANT(f, SP_E_INVALID, sp_blob_put(f->s, "box", "\xff", "x", 1, NULL, &f->err));
    WANT(f, SP_E_INVALID, sp_blob_put(f->s, "box", "a\xed\xa0\x80", "x", 1, NULL, &f->err));
}

static void long_keys(void **state)
{
    struct fx *f = *state;
    char key[1100], text[32];
    for (size_t n = 30; n <= 1024; n += n < 300 ? 1 : 31) {
        memset(key, n % 2 != 0 ? 'k' : '/', n);
        key[n] = '\0';
        snprintf(text, sizeof text, "%zu", n);
        put_text(f, key, text);
    }
    for (size_t n = 30; n <= 1024; n += n < 300 ? 1 : 31) {
        memset(key, n % 2 != 0 ? 'k' : '/', n);
        key[n] = '\0';
        snprintf(text, sizeof text, "%zu", n);
        want_text(f, key, text);
    }
    const char *cursor = NULL, *last = "";
    size_t all = 0, n;
    do {
        struct sp_object *v;
        OK(f, sp_blob_list(f->s, &f->a, "box", "", NULL, &cursor, 17, &v, &n, &f->err));
        for (size_t i = 0; i < n; i++, all++) {
            assert_true(strcmp(last, v[i].key) < 0);
            last = v[i].key;
        }
    } while (cursor != NULL);
    assert_int_equal(all, count_files(f->dir, "box", "[=#]"));
    memset(key, 'x', 1025);
    key[1025] = '\0';
    WANT(f, SP_E_TOO_LARGE, sp_blob_put(f->s, "box", key, "x", 1, NULL, &f->err));
}

static void conditions(void **state)
{
    struct fx *f = *state;
    struct sp_put_opts fresh = { .if_none_match = true };
    struct sp_object h;
    OK(f, sp_blob_put(f->s, "box", "k", "one", 3, &fresh, &f->err));
    WANT(f, SP_E_PRECONDITION, sp_blob_put(f->s, "box", "k", "two", 3, &fresh, &f->err));
    want_text(f, "k", "one");
    OK(f, sp_blob_head(f->s, &f->a, "box", "k", &h, &f->err));
    struct sp_put_opts match = { .if_match = h.etag };
    OK(f, sp_blob_put(f->s, "box", "k", "two", 3, &match, &f->err));
    WANT(f, SP_E_PRECONDITION, sp_blob_put(f->s, "box", "k", "three", 5, &match, &f->err));
    WANT(f, SP_E_PRECONDITION, sp_blob_put(f->s, "box", "absent", "x", 1, &match, &f->err));
    want_text(f, "k", "two");
    struct sp_put_opts sum = { .sha256_hex =
                                   "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824" };
    OK(f, sp_blob_put(f->s, "box", "k", "hello", 5, &sum, &f->err));
    WANT(f, SP_E_CORRUPT, sp_blob_put(f->s, "box", "k", "hellO", 5, &sum, &f->err));
    want_text(f, "k", "hello");
    struct sp_put_opts bad = { .sha256_hex = "abc" };
    WANT(f, SP_E_INVALID, sp_blob_put(f->s, "box", "k", "x", 1, &bad, &f->err));
    struct sp_meta twice[] = { { "n", "1" }, { "n", "2" } };
    struct sp_put_opts dup = { .meta = twice, .nmeta = 2 };
    WANT(f, SP_E_INVALID, sp_blob_put(f->s, "box", "k", "x", 1, &dup, &f->err));
    struct sp_put_opts type = { .content_type = "text/plain\r\nX: y" };
    WANT(f, SP_E_INVALID, sp_blob_put(f->s, "box", "k", "x", 1, &type, &f->err));
    want_text(f, "k", "hello");
    assert_int_equal(count_files(f->dir, "box", "[.]tmp"), 0);
}

static int64_t stops(void *payload, void *p, size_t n)
{
    int *left = payload;
    memset(p, 'x', n);
    return (*left)-- > 0 ? (int64_t)n : -1;
}

static int refuses(void *payload, const void *p, size_t n)
{
    (void)payload;
    (void)p;
    return n > 0;
}

static void aborted_streams(void **state)
{
    struct fx *f = *state;
    int left = 3;
    put_text(f, "k", "old");
    WANT(f, SP_E_CANCELLED, sp_blob_put_stream(f->s, &f->a, "box", "k", stops, &left, NULL, NULL, &f->err));
    want_text(f, "k", "old");
    assert_int_equal(count_files(f->dir, "box", "[.]tmp"), 0);
    WANT(f, SP_E_CANCELLED,
        sp_blob_get_stream(f->s, &f->a, "box", "k", 0, SP_TO_END, refuses, NULL, NULL, &f->err));
}

static void copy_and_move(void **state)
{
    struct fx *f = *state;
    struct sp_meta meta[] = { { "m", "v" } };
    struct sp_put_opts o = { .content_type = "image/png", .meta = meta, .nmeta = 1 };
    struct sp_object h;
    OK(f, sp_blob_put(f->s, "box", "from", "data", 4, &o, &f->err));
    put_text(f, "taken", "other");
    OK(f, sp_blob_copy(f->s, "box", "from", "to/../x", &f->err));
    OK(f, sp_blob_head(f->s, &f->a, "box", "to/../x", &h, &f->err));
    assert_string_equal(h.content_type, "image/png");
    assert_string_equal(h.meta[0].value, "v");
    want_text(f, "from", "data");
    OK(f, sp_blob_move(f->s, "box", "from", "taken", &f->err));
    want_text(f, "taken", "data");
    WANT(f, SP_E_NOT_FOUND, sp_blob_head(f->s, &f->a, "box", "from", &h, &f->err));
    WANT(f, SP_E_NOT_FOUND, sp_blob_move(f->s, "box", "from", "taken", &f->err));
    WANT(f, SP_E_NOT_FOUND, sp_blob_copy(f->s, "box", "from", "taken", &f->err));
    OK(f, sp_blob_move(f->s, "box", "taken", "taken", &f->err));
    OK(f, sp_blob_copy(f->s, "box", "taken", "taken", &f->err));
    want_text(f, "taken", "data");
}

static void buckets(void **state)
{
    struct fx *f = *state;
    struct sp_names l = { 0 };
    static const char *const bad[] = { "ab", ".hidden", "Upper", "a/b", "..", "sp ace",
        "0123456789012345678901234567890123456789012345678901234567890123", "caf\xc3\xa9" };
    for (size_t i = 0; i < SP_LEN(bad); i++)
        WANT(f, SP_E_INVALID, sp_blob_bucket_create(f->s, bad[i], &f->err));
    WANT(f, SP_E_EXISTS, sp_blob_bucket_create(f->s, "box", &f->err));
    OK(f, sp_blob_bucket_create(f->s, "box-2", &f->err));
    OK(f, sp_blob_bucket_create(f->s, "a..b", &f->err));
    OK(f, sp_blob_bucket_list(f->s, "", &l, &f->err));
    assert_int_equal(l.n, 3);
    assert_string_equal(l.v[0], "a..b");
    assert_string_equal(l.v[2], "box-2");
    sp_names_free(&l);
    memset(&l, 0, sizeof l);
    OK(f, sp_blob_bucket_list(f->s, "box", &l, &f->err));
    assert_int_equal(l.n, 2);
    sp_names_free(&l);
    put_text(f, "a/b", "x");
    OK(f, sp_blob_bucket_drop(f->s, "box", &f->err));
    WANT(f, SP_E_NOT_FOUND, sp_blob_bucket_drop(f->s, "box", &f->err));
    WANT(f, SP_E_NOT_FOUND, sp_blob_put(f->s, "box", "k", "x", 1, NULL, &f->err));
    assert_int_equal(count_files(f->dir, "", "[.]switchproof-trash"), 0);
}

static void uploads(void **state)
{
    struct fx *f = *state;
    const char *id, *other;
    struct sp_meta meta[] = { { "m", "v" } };
    struct sp_put_opts o = { .content_type = "text/css", .meta = meta, .nmeta = 1, .if_none_match = true };
    struct sp_object obj;
    OK(f, sp_blob_upload_begin(f->s, &f->a, "box", "up", &o, &id, &f->err));
    WANT(f, SP_E_INVALID, sp_blob_upload_complete(f->s, &f->a, id, &obj, &f->err)); /* no part */
    OK(f, sp_blob_upload_part(f->s, id, 3, "three", 5, &f->err));
    OK(f, sp_blob_upload_part(f->s, id, 1, "ONE", 3, &f->err));
    WANT(f, SP_E_INVALID, sp_blob_upload_complete(f->s, &f->a, id, &obj, &f->err)); /* a gap */
    WANT(f, SP_E_NOT_FOUND, sp_blob_head(f->s, &f->a, "box", "up", &obj, &f->err));
    want_list(f, "", NULL, 10, (const char *[]){ NULL });
    /* another session goes on */
    sp_close(f->s);
    f->s = NULL;
    OK(f, sp_open(&f->s, &sp_provider_filesystem, &f->ep, &f->err));
    OK(f, sp_blob_upload_part(f->s, id, 2, "", 0, &f->err));
    OK(f, sp_blob_upload_part(f->s, id, 1, "one", 3, &f->err));
    WANT(f, SP_E_INVALID, sp_blob_upload_part(f->s, id, 10001, "x", 1, &f->err));
    OK(f, sp_blob_upload_complete(f->s, &f->a, id, &obj, &f->err));
    assert_int_equal(obj.size, 8);
    assert_string_equal(obj.content_type, "text/css");
    assert_string_equal(obj.meta[0].value, "v");
    want_text(f, "up", "onethree");
    WANT(f, SP_E_NOT_FOUND, sp_blob_upload_complete(f->s, &f->a, id, &obj, &f->err));
    WANT(f, SP_E_NOT_FOUND, sp_blob_upload_part(f->s, id, 1, "x", 1, &f->err));
    /* its condition is kept until the end */
    OK(f, sp_blob_upload_begin(f->s, &f->a, "box", "up", &o, &other, &f->err));
    OK(f, sp_blob_upload_part(f->s, other, 1, "x", 1, &f->err));
    WANT(f, SP_E_PRECONDITION, sp_blob_upload_complete(f->s, &f->a, other, &obj, &f->err));
    want_text(f, "up", "onethree");
    OK(f, sp_blob_upload_abort(f->s, other, &f->err));
    WANT(f, SP_E_NOT_FOUND, sp_blob_upload_abort(f->s, other, &f->err));
    WANT(f, SP_E_NOT_FOUND, sp_blob_upload_abort(f->s, "box~../../x", &f->err));
    WANT(f, SP_E_NOT_FOUND, sp_blob_upload_abort(f->s, "../x~00000000000000000000000000000000", &f->err));
    struct sp_put_opts sum = { .sha256_hex =
                                   "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" };
    OK(f, sp_blob_upload_begin(f->s, &f->a, "box", "sum", &sum, &id, &f->err));
    OK(f, sp_blob_upload_part(f->s, id, 1, "hell", 4, &f->err));
    WANT(f, SP_E_CORRUPT, sp_blob_upload_complete(f->s, &f->a, id, &obj, &f->err));
    OK(f, sp_blob_upload_part(f->s, id, 2, "o", 1, &f->err));
    OK(f, sp_blob_upload_complete(f->s, &f->a, id, NULL, &f->err));
    assert_int_equal(count_files(f->dir, "box/.uploads", ""), 0);
    assert_int_equal(count_files(f->dir, "box", "[.]tmp"), 0);
}

static void signed_urls(void **state)
{
    struct fx *f = *state;
    const char *get, *put;
    struct sp_buf b = SP_BUF_INIT;
    struct stat st;
    char path[128];
    put_text(f, "a b/\xc3\xa9&k=1", "secret");
    OK(f, sp_blob_sign(f->s, &f->a, "box", "a b/\xc3\xa9&k=1", "GET", 60, &get, &f->err));
    OK(f, sp_blob_sign(f->s, &f->a, "box", "new", "PUT", 60, &put, &f->err));
    snprintf(path, sizeof path, "%s/.switchproof-key", f->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    OK(f, sp_blob_fetch_signed(f->s, get, 0, &b, &f->err));
    assert_string_equal(b.p, "secret");
    OK(f, sp_blob_fetch_signed(f->s, get, 58, &b, &f->err));
    sp_buf_clear(&b);
    WANT(f, SP_E_AUTHENTICATION, sp_blob_fetch_signed(f->s, get, 60, &b, &f->err));
    WANT(f, SP_E_AUTHENTICATION, sp_blob_fetch_signed(f->s, get, INT64_MAX, &b, &f->err));
    WANT(f, SP_E_AUTHENTICATION, sp_blob_put_signed(f->s, get, 0, "x", 1, &f->err));
    OK(f, sp_blob_put_signed(f->s, put, 0, "fresh", 5, &f->err));
    want_text(f, "new", "fresh");
    WANT(f, SP_E_AUTHENTICATION, sp_blob_fetch_signed(f->s, put, 0, &b, &f->err));
    /* every changed byte is noticed */
    size_t n = strlen(get);
    for (size_t i = 0; i < n; i++) {
        char *bad = strdup(get);
        assert_non_null(bad);
        bad[i] = bad[i] == '0' ? '1' : '0';
        WANT(f, SP_E_AUTHENTICATION, sp_blob_fetch_signed(f->s, bad, 0, &b, &f->err));
        bad[i] = '\0';
        if (i > 0)
            WANT(f, SP_E_AUTHENTICATION, sp_blob_fetch_signed(f->s, bad, 0, &b, &f->err));
        free(bad);
    }
    assert_int_equal(b.n, 0);
    /* the same rights spelled otherwise */
    char *again = sp_strdup_printf("%s%%30", get);
    WANT(f, SP_E_AUTHENTICATION, sp_blob_fetch_signed(f->s, again, 0, &b, &f->err));
    free(again);
    /* a key that others can read is not trusted, and without it no URL holds */
    assert_int_equal(chmod(path, 0644), 0);
    WANT(f, SP_E_PERMISSION, sp_blob_fetch_signed(f->s, get, 0, &b, &f->err));
    assert_int_equal(unlink(path), 0);
    WANT(f, SP_E_AUTHENTICATION, sp_blob_fetch_signed(f->s, get, 0, &b, &f->err));
    sp_buf_free(&b);
}

struct racer {
    struct fx *f;
    const char *etag;
    int won, lost, odd;
};

/* Adds one to the number in object "n", with if_match, until 25 times done. */
static void *count_up(void *arg)
{
    struct racer *r = arg;
    struct sp_session *s = NULL;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_arena a = SP_ARENA_INIT;
    if (sp_open(&s, &sp_provider_filesystem, &r->f->ep, &err) != 0)
        r->odd++;
    while (r->odd == 0 && r->won < 25) {
        struct sp_buf b = SP_BUF_INIT;
        struct sp_object h;
        char text[32];
        int64_t k = -1;
        if (sp_blob_head(s, &a, "box", "n", &h, &err) != 0 || sp_blob_get(s, "box", "n", &b, &err) != 0 ||
            !sp_parse_i64(b.p, &k))
            r->odd++;
        sp_buf_free(&b);
        struct sp_put_opts o = { .if_match = h.etag };
        snprintf(text, sizeof text, "%lld", (long long)k + 1);
        int rc = sp_blob_put(s, "box", "n", text, strlen(text), &o, &err);
        r->won += rc == 0;
        r->lost += rc == -SP_E_PRECONDITION;
        r->odd += rc != 0 && rc != -SP_E_PRECONDITION;
        sp_error_clear(&err);
    }
    sp_close(s);
    sp_arena_free(&a);
    sp_error_clear(&err);
    return NULL;
}

static void no_lost_update(void **state)
{
    struct fx *f = *state;
    struct racer r[4];
    pthread_t t[4];
    static const char *const name[] = { "durable" };
    static const char *const value[] = { "false" };
    f->ep.option_names = name;
    f->ep.option_values = value;
    f->ep.noptions = 1;
    put_text(f, "n", "0");
    for (size_t i = 0; i < 4; i++) {
        r[i] = (struct racer){ .f = f };
        assert_int_equal(pthread_create(&t[i], NULL, count_up, &r[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(r[i].odd, 0);
    }
    want_text(f, "n", "100");
    f->ep.noptions = 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, fx_setup, fx_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(round_trip),
        T(ranges),
        T(listing),
        T(odd_keys),
        T(long_keys),
        T(conditions),
        T(aborted_streams),
        T(copy_and_move),
        T(buckets),
        T(uploads),
        T(signed_urls),
        T(no_lost_update),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
