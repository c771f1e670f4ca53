/* blob_cases.h -- what every storage facet that keeps chunks must do beyond the suite. The test that includes it
 * defines BLOB, a session of its own, BLOB_REOPEN(), which opens that session anew, and the bucket "b" for each test. */
#ifndef SP_TEST_BLOB_CASES_H
#define SP_TEST_BLOB_CASES_H

static struct sp_arena arena = SP_ARENA_INIT;

/* A stream of a given length whose bytes depend on their place; it may give up. */
struct stream {
    uint64_t at, size, fail_at;
};
static uint8_t byte_at(uint64_t i)
{
    return (uint8_t)(i * 7 + (i >> 8) * 13 + (i >> 16));
}
static int64_t produce(void *p, void *out, size_t n)
{
    struct stream *s = p;
    uint8_t *o = out;
    size_t k = 0;
    if (s->fail_at != 0 && s->at >= s->fail_at)
        return -1;
    for (; k < n && k < 5000 && s->at < s->size; k++) /* in odd pieces */
        o[k] = byte_at(s->at++);
    return (int64_t)k;
}
static int verify(void *p, const void *in, size_t n)
{
    struct stream *s = p;
    const uint8_t *b = in;
    for (size_t k = 0; k < n; k++)
        if (b[k] != byte_at(s->at++))
            return 1;
    return 0;
}

/* Peak of this process's memory in KiB, since it was last asked; 0 = not known. */
static uint64_t peak_kib(void)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && kib == 0 && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "VmHWM: %llu", &kib) != 1)
            kib = 0;
    if (f != NULL)
        fclose(f);
    f = fopen("/proc/self/clear_refs", "w");
    if (f != NULL) {
        fputs("5", f);
        fclose(f);
    }
    return kib;
}

/* An object much larger than what may be held of it: in, out, in the middle, as parts, and when its reader stops. */
static void test_memory(void **state)
{
    (void)state;
    enum { SIZE = 48 << 20, MOST_KIB = 6 << 10, PART = 6 << 20 };
    static char part[PART];
    const char *id;
#ifdef __SANITIZE_ADDRESS__
    print_message("skip: freed memory is kept by the sanitizer\n");
    skip();
#endif
    const char *preload = getenv("LD_PRELOAD");
    if (preload != NULL && strstr(preload, "vgpreload") != NULL) {
        print_message("skip: freed memory is kept by valgrind\n");
        skip();
    }
    struct stream s = { 0, 3000000, 0 };
    for (size_t i = 0; i < PART; i++)
        part[i] = (char)byte_at(i);
    OK(sp_blob_put_stream(BLOB, &arena, "b", "big", produce, &s, NULL, NULL, &err)); /* warm */
    s = (struct stream){ 0, 0, 0 };
    OK(sp_blob_get_stream(BLOB, &arena, "b", "big", 0, SP_TO_END, verify, &s, NULL, &err));
    (void)peak_kib();
    uint64_t before = peak_kib();
    s = (struct stream){ 0, SIZE, 0 };
    OK(sp_blob_put_stream(BLOB, &arena, "b", "big", produce, &s, NULL, NULL, &err));
    uint64_t put = peak_kib();
    s = (struct stream){ 0, 0, 0 };
    OK(sp_blob_get_stream(BLOB, &arena, "b", "big", 0, SP_TO_END, verify, &s, NULL, &err));
    assert_int_equal(s.at, SIZE);
    s = (struct stream){ SIZE / 2, 0, 0 };
    OK(sp_blob_get_stream(BLOB, &arena, "b", "big", SIZE / 2, SIZE / 4, verify, &s, NULL, &err));
    s = (struct stream){ 1, 0, 0 }; /* finds the first byte wrong */
    FAILS(SP_E_CANCELLED, sp_blob_get_stream(BLOB, &arena, "b", "big", 0, SP_TO_END, verify, &s, NULL, &err));
    OK(sp_blob_copy(BLOB, "b", "big", "copy", &err));
    uint64_t get = peak_kib();
    OK(sp_blob_upload_begin(BLOB, &arena, "b", "up", NULL, &id, &err));
    for (unsigned k = 1; k <= 3; k++)
        OK(sp_blob_upload_part(BLOB, id, k, part, PART, &err));
    OK(sp_blob_upload_complete(BLOB, &arena, id, NULL, &err));
    uint64_t parts = peak_kib();
    if (before == 0) {
        print_message("skip: no /proc/self/status\n");
        skip();
    }
    if (put > before + MOST_KIB || get > before + MOST_KIB || parts > before + MOST_KIB)
        fail_msg("%d MiB: put held %lld KiB more, get %lld KiB, parts %lld KiB; at most %d", SIZE >> 20,
            (long long)(put - before), (long long)(get - before), (long long)(parts - before), MOST_KIB);
}

static void test_large(void **state)
{
    (void)state;
    struct sp_object o;
    struct stream s = { 0, 3000001, 0 };
    OK(sp_blob_put_stream(BLOB, &arena, "b", "big", produce, &s, NULL, &o, &err));
    assert_int_equal(o.size, 3000001);
    s = (struct stream){ 0, 0, 0 };
    OK(sp_blob_get_stream(BLOB, &arena, "b", "big", 0, SP_TO_END, verify, &s, &o, &err));
    assert_int_equal(s.at, 3000001);
    static const uint64_t from[] = { 0, 262143, 262144, 524287, 3000000 };
    for (size_t i = 0; i < SP_LEN(from); i++) {
        s = (struct stream){ from[i], 0, 0 };
        OK(sp_blob_get_stream(BLOB, &arena, "b", "big", from[i], 3, verify, &s, NULL, &err));
        assert_int_equal(s.at, from[i] + 3 < 3000001 ? from[i] + 3 : 3000001);
    }
    FAILS(SP_E_RANGE, sp_blob_get_stream(BLOB, &arena, "b", "big", 3000001, 1, verify, &s, NULL, &err));
    /* a writer that gives up leaves the old object */
    s = (struct stream){ 0, 3000001, 900000 };
    FAILS(SP_E_CANCELLED, sp_blob_put_stream(BLOB, &arena, "b", "big", produce, &s, NULL, NULL, &err));
    OK(sp_blob_head(BLOB, &arena, "b", "big", &o, &err));
    assert_int_equal(o.size, 3000001);
}

static void test_conditions(void **state)
{
    (void)state;
    struct sp_object o;
    const struct sp_meta meta[] = { { "z", "" }, { "a", "quote \" \xc3\xa9" } };
    struct sp_put_opts opts = {
        .content_type = "text/plain", .meta = meta, .nmeta = 2, .if_none_match = true
    };
    OK(sp_blob_put(BLOB, "b", "k", "one", 3, &opts, &err));
    FAILS(SP_E_PRECONDITION, sp_blob_put(BLOB, "b", "k", "two", 3, &opts, &err));
    OK(sp_blob_head(BLOB, &arena, "b", "k", &o, &err));
    assert_string_equal(o.content_type, "text/plain");
    assert_int_equal(o.nmeta, 2);
    assert_string_equal(o.meta[0].name, "a");
    assert_string_equal(o.meta[0].value, "quote \" \xc3\xa9");
    assert_string_equal(o.etag, "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
    struct sp_put_opts match = { .if_match = o.etag };
    OK(sp_blob_put(BLOB, "b", "k", "two", 3, &match, &err));
    FAILS(SP_E_PRECONDITION, sp_blob_put(BLOB, "b", "k", "three", 5, &match, &err));
    struct sp_put_opts sum = { .sha256_hex = o.etag };
    FAILS(SP_E_CORRUPT, sp_blob_put(BLOB, "b", "k", "other", 5, &sum, &err));
    OK(sp_blob_put(BLOB, "b", "k", "one", 3, &sum, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_put(BLOB, "nosuch", "k", "one", 3, NULL, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_head(BLOB, &arena, "b", "nosuch", &o, &err));
    FAILS(SP_E_EXISTS, sp_blob_bucket_create(BLOB, "b", &err));
    OK(sp_blob_delete(BLOB, "b", "nosuch", &err));
    FAILS(SP_E_UNSUPPORTED, sp_blob_sign(BLOB, &arena, "b", "k", "GET", 60, &(const char *){ NULL }, &err));
    struct sp_buf got = SP_BUF_INIT;
    OK(sp_blob_copy(BLOB, "b", "k", "copy", &err));
    OK(sp_blob_move(BLOB, "b", "k", "moved", &err));
    OK(sp_blob_get(BLOB, "b", "copy", &got, &err));
    OK(sp_blob_get(BLOB, "b", "moved", &got, &err));
    assert_string_equal(got.p, "oneone");
    FAILS(SP_E_NOT_FOUND, sp_blob_get(BLOB, "b", "k", &got, &err));
    sp_buf_free(&got);
}

static void test_list(void **state)
{
    (void)state;
    static const char *const keys[] = { "b/2", "a", "b/c/3", "\xc3\xa9", "b/1", "b0", "e%_", "B", "b" };
    for (size_t i = 0; i < SP_LEN(keys); i++)
        OK(sp_blob_put(BLOB, "b", keys[i], "x", 1, NULL, &err));
    static const struct {
        const char *prefix, *delimiter, *want;
    } rows[] = {
        { "", NULL, "B a b b/1 b/2 b/c/3 b0 e%_ \xc3\xa9 " },
        { "", "/", "B a b >b/ b0 e%_ \xc3\xa9 " },
        { "b/", "/", "b/1 b/2 >b/c/ " },
        { "b", NULL, "b b/1 b/2 b/c/3 b0 " },
        { "e_", NULL, "" },
    };
    for (size_t r = 0; r < SP_LEN(rows); r++)
        for (size_t limit = 1; limit < 12; limit += 2) {
            const char *cursor = NULL;
            char got[256] = "";
            do {
                struct sp_object *o;
                size_t n;
                OK(sp_blob_list(
                    BLOB, &arena, "b", rows[r].prefix, rows[r].delimiter, &cursor, limit, &o, &n, &err));
                assert_true(n <= limit);
                for (size_t i = 0; i < n; i++)
                    snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s ", o[i].is_prefix ? ">" : "",
                        o[i].key);
            } while (cursor != NULL);
            assert_string_equal(got, rows[r].want);
        }
}

/* A prefix is octets, and may end within a character. */
static void test_half_a_character(void **state)
{
    (void)state;
    const char *cursor = NULL;
    struct sp_object *page;
    size_t n;
    OK(sp_blob_put(BLOB, "b", "caf\xc3\xa9", "x", 1, NULL, &err));
    OK(sp_blob_put(BLOB, "b", "caf\xc4\x80", "x", 1, NULL, &err));
    OK(sp_blob_list(BLOB, &arena, "b", "caf\xc3", NULL, &cursor, 10, &page, &n, &err));
    assert_int_equal(n, 1);
    assert_string_equal(page[0].key, "caf\xc3\xa9");
}

static void test_uploads(void **state)
{
    (void)state;
    const char *id, *second;
    struct sp_object o;
    static char part[600000];
    for (size_t i = 0; i < sizeof part; i++)
        part[i] = (char)byte_at(700000 + i);
    OK(sp_blob_upload_begin(BLOB, &arena, "b", "up", NULL, &id, &err));
    OK(sp_blob_upload_part(BLOB, id, 2, part, sizeof part, &err));
    FAILS(SP_E_INVALID, sp_blob_upload_complete(BLOB, &arena, id, &o, &err)); /* part 1 is missing */
    FAILS(SP_E_NOT_FOUND, sp_blob_head(BLOB, &arena, "b", "up", &o, &err));
    static char first[700000];
    OK(sp_blob_upload_part(BLOB, id, 1, "wrong", 5, &err));
    for (size_t i = 0; i < sizeof first; i++)
        first[i] = (char)byte_at(i);
    OK(sp_blob_upload_part(BLOB, id, 1, first, sizeof first, &err));
    OK(sp_blob_upload_begin(BLOB, &arena, "b", "other", NULL, &second, &err));
    OK(sp_blob_upload_part(BLOB, second, 1, "x", 1, &err));
    BLOB_REOPEN(); /* found again by id in another session */
    OK(sp_blob_upload_complete(BLOB, &arena, id, &o, &err));
    assert_int_equal(o.size, 1300000);
    struct stream s = { 0, 0, 0 };
    OK(sp_blob_get_stream(BLOB, &arena, "b", "up", 0, SP_TO_END, verify, &s, NULL, &err));
    assert_int_equal(s.at, 1300000);
    FAILS(SP_E_NOT_FOUND, sp_blob_upload_complete(BLOB, &arena, id, &o, &err));
    OK(sp_blob_upload_abort(BLOB, second, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_upload_abort(BLOB, second, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_upload_part(BLOB, second, 1, "x", 1, &err));
}

#endif
