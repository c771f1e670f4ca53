/* test_filesystem_list.c -- a listing remembers the names of its bucket, and is never behind. */
#include "fs_fixture.h"

#include "base/str.h"
#include "providers/filesystem/internal.h"

/* Long enough for the names to be remembered. */
static void rest(void)
{
    usleep(30000);
}

static size_t count(struct fx *f, struct sp_session *s, const char *prefix, size_t limit)
{
    const char *cursor = NULL;
    char last[256] = "";
    size_t all = 0;
    do {
        struct sp_object *o;
        size_t n;
        OK(f, sp_blob_list(s, &f->a, "box", prefix, NULL, &cursor, limit, &o, &n, &f->err));
        for (size_t i = 0; i < n; i++) {
            assert_true(strcmp(last, o[i].key) < 0);
            assert_true(sp_strlcpy(last, o[i].key, sizeof last));
        }
        all += n;
    } while (cursor != NULL);
    return all;
}

static void many(struct fx *f, unsigned n)
{
    char key[32];
    for (unsigned i = 0; i < n; i++) {
        snprintf(key, sizeof key, "d%u/k%05u", i % 7, i * 7919 % n);
        put_text(f, key, "x");
    }
}

static void test_one_pass(void **state)
{
    struct fx *f = *state;
    many(f, 500);
    rest();
    assert_int_equal(count(f, f->s, "", 7), 500);
    if (!f->s->keys.kept) {
        print_message("skip: this file system's times are not known to be this machine's\n");
        skip();
    }
    const char **names = f->s->keys.v;
    assert_int_equal(count(f, f->s, "d3/", 3), 500 / 7 + (3 < 500 % 7 ? 1 : 0));
    assert_ptr_equal(names, f->s->keys.v); /* not read again */
}

/* Whatever another session does to the bucket shows in the next page. */
static void test_never_behind(void **state)
{
    struct fx *f = *state;
    struct sp_session *other = NULL;
    char key[32];
    OK(f, sp_open(&other, &sp_provider_filesystem, &f->ep, &f->err));
    many(f, 20);
    for (unsigned i = 0; i < 40; i++) {
        if (i % 2 == 0)
            rest();
        assert_int_equal(count(f, f->s, "", 6), 20);
        snprintf(key, sizeof key, "new%u", i);
        OK(f, sp_blob_put(other, "box", key, "x", 1, NULL, &f->err));
        assert_int_equal(count(f, f->s, "", 6), 21);
        OK(f, sp_blob_move(other, "box", key, "moved", &f->err));
        assert_int_equal(count(f, f->s, "moved", 6), 1);
        OK(f, sp_blob_delete(other, "box", "moved", &f->err));
    }
    /* a bucket of the same name is another one */
    rest();
    assert_int_equal(count(f, f->s, "", 6), 20);
    OK(f, sp_blob_bucket_drop(other, "box", &f->err));
    OK(f, sp_blob_bucket_create(other, "box", &f->err));
    assert_int_equal(count(f, f->s, "", 6), 0);
    sp_close(other);
}

/* Between two pages what is behind the cursor may change. */
static void test_between_pages(void **state)
{
    struct fx *f = *state;
    const char *cursor = NULL;
    struct sp_object *o;
    size_t n;
    put_text(f, "a", "x");
    put_text(f, "b", "x");
    put_text(f, "d", "x");
    rest();
    OK(f, sp_blob_list(f->s, &f->a, "box", "", NULL, &cursor, 1, &o, &n, &f->err));
    assert_string_equal(o[0].key, "a");
    OK(f, sp_blob_delete(f->s, "box", "b", &f->err));
    put_text(f, "c", "x");
    OK(f, sp_blob_list(f->s, &f->a, "box", "", NULL, &cursor, 5, &o, &n, &f->err));
    assert_int_equal(n, 2);
    assert_string_equal(o[0].key, "c");
    assert_string_equal(o[1].key, "d");
    assert_null(cursor);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = { T(test_one_pass), T(test_never_behind), T(test_between_pages) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
