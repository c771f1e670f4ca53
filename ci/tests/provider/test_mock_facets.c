/* test_mock_facets.c -- identity and storage of the mock, where it is easy to get wrong. */
#include "mock_fixture.h"

#include "base/str.h"

#define PASSWORD "correct horse"

/* ---- identity ----------------------------------------------------------------------------------------------------- */

static void test_refresh_tokens_serve_once(void **state)
{
    struct fix *f = *state;
    struct sp_tokens first, second, third, other;
    struct sp_user u;
    ok(f, sp_auth_sign_up(f->a, &f->arena, "ann@example.com", PASSWORD, "Ann", &u, &first, &f->err));
    ok(f, sp_auth_sign_in(f->a, &f->arena, "ANN@example.com", PASSWORD, NULL, &other, &f->err));
    ok(f, sp_auth_refresh(f->b, &f->arena, first.refresh, &second, &f->err));
    assert_string_not_equal(first.refresh, second.refresh);
    ok(f, sp_auth_user_get(f->a, &f->arena, second.access, &u, &f->err));
    /* The used one comes back: the whole sign-in ends, with the tokens that it led to. */
    fails(f, SP_E_AUTHENTICATION, sp_auth_refresh(f->a, &f->arena, first.refresh, &third, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_auth_refresh(f->a, &f->arena, second.refresh, &third, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_auth_user_get(f->a, &f->arena, second.access, &u, &f->err));
    ok(f, sp_auth_user_get(f->a, &f->arena, other.access, &u, &f->err)); /* another sign-in stays */
    fails(f, SP_E_AUTHENTICATION, sp_auth_refresh(f->a, &f->arena, other.access, &third, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_auth_user_get(f->a, &f->arena, other.refresh, &u, &f->err));
    ok(f, sp_auth_sign_out(f->a, other.access, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_auth_sign_out(f->a, other.access, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_auth_refresh(f->a, &f->arena, other.refresh, &third, &f->err));
}

static void test_tokens_expire_and_are_signed(void **state)
{
    struct fix *f = *state;
    static const char *const names[] = { "token_seconds" };
    static const char *const values[] = { "0" };
    struct sp_endpoint e = f->e;
    struct sp_session *s = NULL;
    struct sp_tokens t;
    struct sp_user u;
    e.option_names = names;
    e.option_values = values;
    e.noptions = 1;
    ok(f, sp_open(&s, &sp_provider_mock, &e, &f->err));
    ok(f, sp_auth_sign_up(s, &f->arena, "ann@example.com", PASSWORD, NULL, &u, &t, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_auth_user_get(s, &f->arena, t.access, &u, &f->err));
    ok(f, sp_auth_refresh(f->a, &f->arena, t.refresh, &t, &f->err));
    ok(f, sp_auth_user_get(s, &f->arena, t.access, &u, &f->err));
    for (size_t i = 0; t.access[i] != '\0'; i++) {
        char *bad = sp_arena_str(&f->arena, t.access);
        bad[i] = bad[i] == '0' ? '1' : '0';
        fails(f, SP_E_AUTHENTICATION, sp_auth_user_get(s, &f->arena, bad, &u, &f->err));
        bad[i] = '\0';
        fails(f, SP_E_AUTHENTICATION, sp_auth_user_get(s, &f->arena, bad, &u, &f->err));
    }
    /* Another store signs with another key. */
    struct sp_session *stranger = NULL;
    e.url = "mock:stranger";
    ok(f, sp_open(&stranger, &sp_provider_mock, &e, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_auth_user_get(stranger, &f->arena, t.access, &u, &f->err));
    sp_close(stranger);
    sp_close(s);
}

static void test_unknown_user_looks_like_wrong_password(void **state)
{
    struct fix *f = *state;
    struct sp_error unknown = SP_ERROR_INIT;
    struct sp_tokens t;
    char code[128] = "x";
    ok(f, sp_auth_sign_up(f->a, &f->arena, "ann@example.com", PASSWORD, NULL, NULL, NULL, &f->err));
    assert_int_equal(sp_auth_sign_in(f->a, &f->arena, "bob@example.com", PASSWORD, NULL, &t, &unknown),
        -SP_E_AUTHENTICATION);
    assert_int_equal(sp_auth_sign_in(f->a, &f->arena, "ann@example.com", "wrong horse", NULL, &t, &f->err),
        -SP_E_AUTHENTICATION);
    assert_string_equal(sp_error_text(&unknown), sp_error_text(&f->err));
    sp_error_clear(&unknown);
    sp_error_clear(&f->err);
    ok(f, sp_auth_reset_request(f->a, "bob@example.com", code, &f->err));
    assert_string_equal(code, "");
    fails(f, SP_E_AUTHENTICATION, sp_auth_reset_confirm(f->a, "bob@example.com", "", PASSWORD, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_auth_reset_confirm(f->a, "ann@example.com", "", PASSWORD, &f->err));
    static const char *const bad[] = { "", "ann", "@b", "a@", "a@b@c", "a b@c", "a@.c", "a@c.", "a\n@c" };
    for (size_t i = 0; i < SP_LEN(bad); i++)
        fails(f, SP_E_INVALID, sp_auth_sign_up(f->a, &f->arena, bad[i], PASSWORD, NULL, NULL, NULL, &f->err));
    fails(f, SP_E_INVALID,
        sp_auth_sign_up(f->a, &f->arena, "eve@example.com", "short", NULL, NULL, NULL, &f->err));
    fails(f, SP_E_EXISTS,
        sp_auth_sign_up(f->a, &f->arena, "Ann@Example.com", PASSWORD, NULL, NULL, NULL, &f->err));
}

static void test_reset_ends_sign_ins(void **state)
{
    struct fix *f = *state;
    struct sp_tokens t;
    struct sp_user u;
    char code[128];
    ok(f, sp_auth_sign_up(f->a, &f->arena, "ann@example.com", PASSWORD, NULL, NULL, &t, &f->err));
    ok(f, sp_auth_reset_request(f->a, "ann@example.com", code, &f->err));
    fails(f, SP_E_INVALID, sp_auth_reset_confirm(f->a, "ann@example.com", code, "short", &f->err));
    fails(f, SP_E_AUTHENTICATION,
        sp_auth_reset_confirm(f->a, "ann@example.com", "wrong", "a new one", &f->err));
    ok(f, sp_auth_reset_confirm(f->a, "ann@example.com", code, "a new one", &f->err));
    fails(
        f, SP_E_AUTHENTICATION, sp_auth_reset_confirm(f->a, "ann@example.com", code, "a newer one", &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_auth_user_get(f->a, &f->arena, t.access, &u, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_auth_refresh(f->a, &f->arena, t.refresh, &t, &f->err));
    fails(f, SP_E_AUTHENTICATION,
        sp_auth_sign_in(f->a, &f->arena, "ann@example.com", PASSWORD, NULL, NULL, &f->err));
    ok(f, sp_auth_sign_in(f->a, &f->arena, "ann@example.com", "a new one", NULL, NULL, &f->err));
    /* Guessing closes the door, to the right code too. */
    ok(f, sp_auth_reset_request(f->a, "ann@example.com", code, &f->err));
    for (int i = 0; i < 5; i++)
        fails(
            f, SP_E_AUTHENTICATION, sp_auth_reset_confirm(f->a, "ann@example.com", "no", PASSWORD, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_auth_reset_confirm(f->a, "ann@example.com", code, PASSWORD, &f->err));
}

static void test_changes_and_claims(void **state)
{
    struct fix *f = *state;
    struct sp_tokens t, other;
    struct sp_user u;
    const char *json = NULL, *id;
    ok(f, sp_auth_sign_up(f->a, &f->arena, "ann@example.com", PASSWORD, "Ann", &u, &t, &f->err));
    id = u.id;
    ok(f, sp_auth_sign_up(f->a, &f->arena, "bob@example.com", PASSWORD, NULL, NULL, NULL, &f->err));
    ok(f, sp_auth_sign_in(f->a, &f->arena, "ann@example.com", PASSWORD, NULL, &other, &f->err));
    /* A refused change changes nothing: neither the name nor the password. */
    struct sp_user_change c = { .email = "bob@example.com", .password = "a new one", .name = "Anne" };
    fails(f, SP_E_EXISTS, sp_auth_user_update(f->a, &f->arena, t.access, &c, &u, &f->err));
    ok(f, sp_auth_user_get(f->a, &f->arena, other.access, &u, &f->err));
    assert_string_equal(u.name, "Ann");
    c.email = "ANN@example.com"; /* one's own, spelled anew */
    ok(f, sp_auth_user_update(f->a, &f->arena, t.access, &c, &u, &f->err));
    assert_string_equal(u.email, "ANN@example.com");
    assert_string_equal(u.name, "Anne");
    ok(f, sp_auth_user_get(f->a, &f->arena, t.access, &u, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_auth_user_get(f->a, &f->arena, other.access, &u, &f->err));

    ok(f, sp_auth_claims_set(f->a, id, "{\"role\":\"line\\nbreak\"}", &f->err));
    ok(f, sp_auth_claims_of(f->a, &f->arena, t.access, &json, &f->err));
    assert_string_equal(json, "{}"); /* a token says what held when it was given */
    ok(f, sp_auth_refresh(f->a, &f->arena, t.refresh, &t, &f->err));
    ok(f, sp_auth_claims_of(f->a, &f->arena, t.access, &json, &f->err));
    assert_string_equal(json, "{\"role\":\"line\\nbreak\"}");
    ok(f, sp_auth_claims_set(f->a, id, "{\n\"a\":\n1}", &f->err));
    ok(f, sp_auth_refresh(f->a, &f->arena, t.refresh, &t, &f->err));
    ok(f, sp_auth_claims_of(f->a, &f->arena, t.access, &json, &f->err));
    assert_string_equal(json, "{\n\"a\":\n1}");
    fails(f, SP_E_INVALID, sp_auth_claims_set(f->a, id, "[]", &f->err));

    ok(f, sp_auth_admin_disable(f->a, id, true, &f->err));
    fails(f, SP_E_PERMISSION, sp_auth_user_get(f->a, &f->arena, t.access, &u, &f->err));
    fails(f, SP_E_PERMISSION, sp_auth_refresh(f->a, &f->arena, t.refresh, &other, &f->err));
    fails(f, SP_E_AUTHENTICATION,
        sp_auth_sign_in(f->a, &f->arena, "ann@example.com", "wrong horse", NULL, NULL, &f->err));
    struct sp_user *page = NULL;
    const char *cursor = NULL;
    size_t n = 0, seen = 0;
    do {
        ok(f, sp_auth_admin_list(f->a, &f->arena, &cursor, 1, &page, &n, &f->err));
        seen += n;
    } while (cursor != NULL && seen < 10);
    assert_int_equal(seen, 2);
}

/* ---- storage ------------------------------------------------------------------------------------------------------- */

static void put(struct fix *f, const char *key, const char *text)
{
    ok(f, sp_blob_put(f->a, "box", key, text, strlen(text), NULL, &f->err));
}

static void holds(struct fix *f, const char *key, const char *text)
{
    struct sp_buf b = SP_BUF_INIT;
    ok(f, sp_blob_get(f->b, "box", key, &b, &f->err));
    assert_int_equal(b.n, strlen(text));
    if (b.n > 0)
        assert_memory_equal(b.p, text, b.n);
    sp_buf_free(&b);
}

static void test_ranges(void **state)
{
    struct fix *f = *state;
    static const struct {
        const char *key;
        uint64_t offset, length;
        const char *want; /* NULL = RANGE */
    } ways[] = { { "ten", 0, SP_TO_END, "0123456789" }, { "ten", 3, 4, "3456" }, { "ten", 9, 1, "9" },
        { "ten", 8, 100, "89" }, { "ten", 8, UINT64_MAX - 1, "89" }, { "ten", 2, 0, "" },
        { "ten", 10, 1, NULL }, { "ten", UINT64_MAX, 1, NULL }, { "none", 0, SP_TO_END, "" },
        { "none", 1, 1, NULL } };
    ok(f, sp_blob_bucket_create(f->a, "box", &f->err));
    put(f, "ten", "0123456789");
    put(f, "none", "");
    for (size_t i = 0; i < SP_LEN(ways); i++) {
        struct sp_buf b = SP_BUF_INIT;
        int rc = sp_blob_get_range(f->a, "box", ways[i].key, ways[i].offset, ways[i].length, &b, &f->err);
        assert_int_equal(rc, ways[i].want == NULL ? -SP_E_RANGE : 0);
        sp_error_clear(&f->err);
        assert_int_equal(b.n, ways[i].want == NULL ? 0 : strlen(ways[i].want));
        if (b.n > 0)
            assert_memory_equal(b.p, ways[i].want, b.n);
        sp_buf_free(&b);
    }
}

static void test_listing_in_pages(void **state)
{
    struct fix *f = *state;
    static const char *const keys[] = { "a", "a!", "a/", "a/x", "a/y/z", "ab", "b/1", "b/2", "\xc3\xa9" };
    static const char *const want[] = { "a", "a!", "a/", "ab", "b/", "\xc3\xa9" };
    static const char *const below[] = { "a/", "a/x", "a/y/" };
    ok(f, sp_blob_bucket_create(f->a, "box", &f->err));
    for (size_t i = SP_LEN(keys); i > 0; i--)
        put(f, keys[i - 1], "x");
    for (size_t limit = 1; limit <= 7; limit++) {
        for (int inside = 0; inside < 2; inside++) {
            const char *cursor = NULL;
            size_t seen = 0, total = inside ? SP_LEN(below) : SP_LEN(want), pages = 0;
            do {
                struct sp_object *o = NULL;
                size_t n = 0;
                ok(f, sp_blob_list(
                          f->a, &f->arena, "box", inside ? "a/" : "", "/", &cursor, limit, &o, &n, &f->err));
                for (size_t i = 0; i < n; i++, seen++) {
                    assert_true(seen < total);
                    const char *w = inside ? below[seen] : want[seen];
                    assert_string_equal(o[i].key, w);
                    bool group =
                        strcmp(w, "b/") == 0 || (!inside && strcmp(w, "a/") == 0) || strcmp(w, "a/y/") == 0;
                    assert_int_equal(o[i].is_prefix, group);
                }
                pages++;
            } while (cursor != NULL && pages < 20);
            assert_int_equal(seen, total);
            assert_int_equal(pages, (total + limit - 1) / limit);
        }
    }
}

static void test_conditions(void **state)
{
    struct fix *f = *state;
    struct sp_object o = { 0 };
    const struct sp_meta meta[] = { { "z", "1" }, { "a", "\xc3\xa9" } };
    ok(f, sp_blob_bucket_create(f->a, "box", &f->err));
    ok(f, sp_blob_put(f->a, "box", "k", "one", 3,
              &(struct sp_put_opts){ .content_type = "text/plain", .meta = meta, .nmeta = 2 }, &f->err));
    ok(f, sp_blob_head(f->b, &f->arena, "box", "k", &o, &f->err));
    assert_string_equal(o.content_type, "text/plain");
    assert_string_equal(o.meta[0].name, "a");
    fails(f, SP_E_PRECONDITION,
        sp_blob_put(f->a, "box", "k", "two", 3, &(struct sp_put_opts){ .if_none_match = true }, &f->err));
    ok(f, sp_blob_put(f->a, "box", "k", "two", 3, &(struct sp_put_opts){ .if_match = o.etag }, &f->err));
    fails(f, SP_E_PRECONDITION,
        sp_blob_put(f->a, "box", "k", "three", 5, &(struct sp_put_opts){ .if_match = o.etag }, &f->err));
    /* SHA-256 of "two", in capitals, and of something else. */
    struct sp_put_opts sum = { .sha256_hex =
                                   "3FC4CCFE745870E2C0D99F71F30FF0656C8DEDD41CC1D7D3D376B0DBE685E2F3" };
    ok(f, sp_blob_put(f->a, "box", "k", "two", 3, &sum, &f->err));
    fails(f, SP_E_CORRUPT, sp_blob_put(f->a, "box", "k", "twO", 3, &sum, &f->err));
    holds(f, "k", "two");
    ok(f, sp_blob_copy(f->a, "box", "k", "copy", &f->err));
    put(f, "k", "changed");
    holds(f, "copy", "two");
    ok(f, sp_blob_move(f->a, "box", "copy", "k", &f->err));
    holds(f, "k", "two");
    fails(f, SP_E_NOT_FOUND, sp_blob_head(f->a, &f->arena, "box", "copy", &o, &f->err));
    ok(f, sp_blob_move(f->a, "box", "k", "k", &f->err));
    holds(f, "k", "two");
    ok(f, sp_blob_delete(f->a, "box", "absent", &f->err));
    char key[1026];
    memset(key, 'k', sizeof key);
    key[1025] = '\0';
    fails(f, SP_E_TOO_LARGE, sp_blob_put(f->a, "box", key, "", 0, NULL, &f->err));
    key[1024] = '\0';
    ok(f, sp_blob_put(f->a, "box", key, "", 0, NULL, &f->err));
}

static int64_t aborts(void *payload, void *p, size_t n)
{
    int *calls = payload;
    memset(p, 'x', n);
    return (*calls)++ == 0 ? (int64_t)n : -1;
}

static int refuses(void *payload, const void *p, size_t n)
{
    (void)payload;
    (void)p;
    (void)n;
    return 1;
}

static void test_streams_that_stop(void **state)
{
    struct fix *f = *state;
    int calls = 0;
    ok(f, sp_blob_bucket_create(f->a, "box", &f->err));
    put(f, "k", "old");
    fails(f, SP_E_CANCELLED,
        sp_blob_put_stream(f->a, &f->arena, "box", "k", aborts, &calls, NULL, NULL, &f->err));
    holds(f, "k", "old");
    fails(f, SP_E_CANCELLED,
        sp_blob_get_stream(f->a, &f->arena, "box", "k", 0, SP_TO_END, refuses, NULL, NULL, &f->err));
    ok(f, sp_blob_bucket_drop(f->a, "box", &f->err));
}

static void test_signed_urls(void **state)
{
    struct fix *f = *state;
    const char *get = NULL, *set = NULL;
    struct sp_buf b = SP_BUF_INIT;
    const char *key = "dir/\xf0\x9f\x94\x91 &expires=9?x";
    ok(f, sp_blob_bucket_create(f->a, "box", &f->err));
    ok(f, sp_blob_sign(f->a, &f->arena, "box", key, "PUT", 60, &set, &f->err));
    ok(f, sp_blob_put_signed(f->b, set, 0, "content", 7, &f->err));
    holds(f, key, "content");
    ok(f, sp_blob_sign(f->a, &f->arena, "box", key, "GET", 60, &get, &f->err));
    ok(f, sp_blob_fetch_signed(f->b, get, 58, &b, &f->err));
    assert_int_equal(b.n, 7);
    fails(f, SP_E_AUTHENTICATION, sp_blob_fetch_signed(f->b, get, 61, &b, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_blob_fetch_signed(f->b, set, 0, &b, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_blob_put_signed(f->b, get, 0, "x", 1, &f->err));
    for (size_t i = 0; get[i] != '\0'; i++) {
        char *bad = sp_arena_str(&f->arena, get);
        bad[i] = bad[i] == 'a' ? 'b' : 'a';
        fails(f, SP_E_AUTHENTICATION, sp_blob_fetch_signed(f->b, bad, 0, &b, &f->err));
    }
    assert_int_equal(b.n, 7);
    ok(f, sp_blob_delete(f->a, "box", key, &f->err));
    fails(f, SP_E_NOT_FOUND, sp_blob_fetch_signed(f->b, get, 0, &b, &f->err));
    sp_buf_free(&b);
}

static void test_uploads(void **state)
{
    struct fix *f = *state;
    struct sp_object o = { 0 };
    const char *id = NULL, *gone = NULL;
    ok(f, sp_blob_bucket_create(f->a, "box", &f->err));
    fails(f, SP_E_NOT_FOUND, sp_blob_upload_begin(f->a, &f->arena, "no", "k", NULL, &id, &f->err));
    ok(f, sp_blob_upload_begin(
              f->a, &f->arena, "box", "k", &(struct sp_put_opts){ .if_none_match = true }, &id, &f->err));
    fails(f, SP_E_INVALID, sp_blob_upload_complete(f->a, &f->arena, id, &o, &f->err));
    ok(f, sp_blob_upload_part(f->a, id, 3, "c", 1, &f->err));
    ok(f, sp_blob_upload_part(f->a, id, 1, "WRONG", 5, &f->err));
    sp_close(f->a); /* an upload outlives its session */
    f->a = NULL;
    ok(f, sp_open(&f->a, &sp_provider_mock, &f->e, &f->err));
    fails(f, SP_E_INVALID, sp_blob_upload_complete(f->a, &f->arena, id, &o, &f->err));
    ok(f, sp_blob_upload_part(f->a, id, 2, "", 0, &f->err));
    ok(f, sp_blob_upload_part(f->a, id, 1, "a", 1, &f->err));
    fails(f, SP_E_INVALID, sp_blob_upload_part(f->a, id, 0, "a", 1, &f->err));
    fails(f, SP_E_INVALID, sp_blob_upload_part(f->a, id, 10001, "a", 1, &f->err));
    fails(f, SP_E_NOT_FOUND, sp_blob_head(f->a, &f->arena, "box", "k", &o, &f->err));
    put(f, "k", "in the way");
    fails(f, SP_E_PRECONDITION, sp_blob_upload_complete(f->a, &f->arena, id, &o, &f->err));
    ok(f, sp_blob_delete(f->a, "box", "k", &f->err));
    ok(f, sp_blob_upload_complete(f->a, &f->arena, id, &o, &f->err));
    assert_int_equal(o.size, 2);
    holds(f, "k", "ac");
    fails(f, SP_E_NOT_FOUND, sp_blob_upload_abort(f->a, id, &f->err));
    ok(f, sp_blob_upload_begin(f->a, &f->arena, "box", "x", NULL, &gone, &f->err));
    ok(f, sp_blob_upload_begin(f->a, &f->arena, "box", "x", NULL, &id, &f->err));
    ok(f, sp_blob_upload_part(f->a, id, 1, "a", 1, &f->err));
    ok(f, sp_blob_upload_abort(f->a, id, &f->err));
    fails(f, SP_E_NOT_FOUND, sp_blob_upload_part(f->a, id, 1, "a", 1, &f->err));
    ok(f, sp_blob_bucket_drop(f->a, "box", &f->err));
    fails(f, SP_E_NOT_FOUND, sp_blob_upload_part(f->a, gone, 1, "a", 1, &f->err));
}

/* ---- the session ------------------------------------------------------------------------------------------------------ */

static void test_open_and_facts(void **state)
{
    struct fix *f = *state;
    static const char *const bad[] = { "mock", "mock:", "sqlite:x", "" };
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts;
    for (size_t i = 0; i < SP_LEN(bad); i++) {
        struct sp_endpoint e = { .name = "m", .url = bad[i] };
        struct sp_session *s = NULL;
        fails(f, SP_E_INVALID, sp_open(&s, &sp_provider_mock, &e, &f->err));
        assert_null(s);
    }
    ok(f, sp_ping(f->a, &f->err));
    ok(f, sp_effective(f->a, caps, &facts, &f->err));
    assert_int_equal(facts.fidelity, SP_FID_MOCK);
    for (size_t i = 0; i < SP_CAP_N; i++)
        assert_int_equal(caps[i].level, i == SP_CAP_RAW_QUERY ? SP_CAP_NO : SP_CAP_YES);
    assert_int_equal(caps[SP_CAP_KEY_BYTES].limit, 1024);
    struct sp_op raw = { .kind = SP_OP_RAW, .raw = "select 1" };
    fails(f, SP_E_UNSUPPORTED, sp_db_exec(f->a, &raw, NULL, &f->err));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        T(test_refresh_tokens_serve_once),
        T(test_tokens_expire_and_are_signed),
        T(test_unknown_user_looks_like_wrong_password),
        T(test_reset_ends_sign_ins),
        T(test_changes_and_claims),
        T(test_ranges),
        T(test_listing_in_pages),
        T(test_conditions),
        T(test_streams_that_stop),
        T(test_signed_urls),
        T(test_uploads),
        T(test_open_and_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
