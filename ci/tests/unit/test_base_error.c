/* The error record and the hiding of secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/str.h"

static void names(void **state)
{
    (void)state;
    assert_string_equal(sp_code_name(SP_E_OK), "ok");
    assert_string_equal(sp_code_name(SP_E_OUTCOME_UNKNOWN), "outcome_unknown");
    assert_string_equal(sp_code_name(SP_CODE_N), "?");
    assert_string_equal(sp_code_name((enum sp_code) - 1), "?");
    for (int i = 0; i < SP_CODE_N; i++) {
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(sp_code_name((enum sp_code)i), sp_code_name((enum sp_code)j));
        }
    }
    assert_string_equal(sp_origin_name(SP_ORIGIN_TRANSPORT), "transport");
    assert_string_equal(sp_origin_name((enum sp_origin)9), "?");
    assert_string_equal(sp_effect_name(SP_EFFECT_UNKNOWN), "unknown");
    assert_string_equal(sp_effect_name((enum sp_effect)9), "?");
}

static void fail_fills_and_replaces(void **state)
{
    (void)state;
    struct sp_error e = SP_ERROR_INIT;
    errno = ENOENT;
    assert_int_equal(sp_fail(&e, SP_E_UNIQUE, SP_ORIGIN_BACKEND, "row %d", 7), -SP_E_UNIQUE);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(e.code, SP_E_UNIQUE);
    assert_int_equal(e.origin, SP_ORIGIN_BACKEND);
    assert_int_equal(e.effect, SP_EFFECT_NONE);
    assert_string_equal(e.text, "row 7");
    e.retryable = true;
    e.retry_after_ms = 5;
    sp_error_native(&e, "23505");
    /* The old text may be an argument of the new one. Nothing else of the old record survives. */
    assert_int_equal(
        sp_fail(&e, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_TRANSPORT, "lost: %s", e.text), -SP_E_OUTCOME_UNKNOWN);
    assert_string_equal(e.text, "lost: row 7");
    assert_int_equal(e.effect, SP_EFFECT_UNKNOWN);
    assert_false(e.retryable);
    assert_int_equal(e.retry_after_ms, 0);
    assert_string_equal(e.native, "");
    sp_error_clear(&e);
    assert_null(e.text);
    assert_int_equal(e.code, SP_E_OK);
    assert_int_equal(sp_fail(NULL, SP_E_IO, SP_ORIGIN_HARNESS, "x"), -SP_E_IO);
}

static void a_failure_is_never_ok(void **state)
{
    (void)state;
    struct sp_error e = SP_ERROR_INIT;
    assert_int_equal(sp_fail(&e, SP_E_OK, SP_ORIGIN_BACKEND, "x"), -SP_E_INTERNAL);
    assert_int_equal(e.code, SP_E_INTERNAL);
    assert_int_equal(sp_fail(&e, SP_CODE_N, SP_ORIGIN_BACKEND, "x"), -SP_E_INTERNAL);
    assert_int_equal(sp_fail(NULL, (enum sp_code) - 3, SP_ORIGIN_BACKEND, "x"), -SP_E_INTERNAL);
    assert_true(sp_error_prefix(NULL, "x") < 0);
    sp_error_clear(&e);
}

static void text_is_one_clean_line(void **state)
{
    (void)state;
    struct sp_error e = SP_ERROR_INIT;
    (void)sp_invalid(&e, "a\nb\tc%cd\x1b[31m\xff\xc2\x85 caf\xc3\xa9", 1);
    assert_string_equal(e.text, "a b c\\x01d\\x1b[31m\\xff\\xc2\\x85 caf\xc3\xa9");
    sp_error_clear(&e);
}

static void prefix_native_move(void **state)
{
    (void)state;
    struct sp_error e = SP_ERROR_INIT, to = SP_ERROR_INIT;
    assert_int_equal(sp_error_prefix(&e, "nothing"), 0);
    assert_null(e.text);
    assert_int_equal(sp_nomem(&e), -SP_E_NOMEM);
    assert_string_equal(sp_error_text(&e), "out of memory");
    assert_int_equal(sp_error_prefix(&e, "reading %s", "x"), -SP_E_NOMEM);
    assert_string_equal(e.text, "reading x: out of memory");
    sp_error_native(&e, "0123456789012345678901234567890");
    assert_string_equal(e.native, "01234567890123456789012");
    sp_error_native(&e, "a\n\xff");
    assert_string_equal(e.native, "a??");
    assert_int_equal(sp_error_prefix(&e, "outer"), -SP_E_NOMEM);
    assert_string_equal(e.native, "a??");

    (void)sp_invalid(&to, "old");
    sp_error_move(&to, &e);
    assert_string_equal(to.text, "outer: reading x: out of memory");
    assert_null(e.text);
    assert_int_equal(e.code, SP_E_OK);
    sp_error_move(&to, &to);
    assert_int_equal(to.code, SP_E_NOMEM);
    sp_error_move(NULL, &to);
    assert_null(to.text);
    assert_non_null(sp_error_text(NULL));
}

static void hides(const char *text, const char *want)
{
    char *got = sp_redact(text);
    assert_non_null(got);
    assert_string_equal(got, want);
    free(got);
}

static void registered_secrets(void **state)
{
    (void)state;
    hides("hunter22", "hunter22");
    assert_int_equal(sp_secret_add("hunter22"), 0);
    assert_int_equal(sp_secret_add("hunter22"), 0);
    assert_int_equal(sp_secret_add("p@ss/w\xc3\xb6rd"), 0);
    assert_int_equal(sp_secret_add("en%2Fco:ded"), 0);
    hides("hunter22", "***");
    hides("hunter22hunter22 x hunter2", "*** x hunter2");
    hides("a p@ss/w\xc3\xb6rd b", "a *** b");
    hides("a p%40ss%2Fw%C3%B6rd b p%40ss%2fw%c3%b6rd", "a *** b ***");
    hides("en/co:ded en%2Fco:ded", "*** ***");
    /* In errors too, also where cleaning the text would have changed the secret. */
    assert_int_equal(sp_secret_add("tab\tand\x01 more"), 0);
    struct sp_error e = SP_ERROR_INIT;
    (void)sp_invalid(&e, "<%s> <%s>", "tab\tand\x01 more", "hunter22");
    assert_string_equal(e.text, "<***> <***>");
    assert_int_equal(sp_error_prefix(&e, "with hunter22"), -SP_E_INVALID);
    assert_string_equal(e.text, "with ***: <***> <***>");
    sp_error_clear(&e);
    sp_secret_forget_all();
    hides("hunter22", "hunter22");
}

/* What is known to be one URL is read to its end: a raw blank or quote belongs to the password. */
static void secrets_of_one_url(void **state)
{
    static const struct {
        const char *url, *want; /* x = secret */
    } t[] = { { "pg://u:my pass@h/d", "-------xxxxxxx----" }, { "pg://u:a\"b<c@[h", "-------xxxxx---" },
        { "pg://h:54/d?x=1 2@3", "-------------------" },
        { "pg://h/d?password=a b&c", "------------------xxx--" }, { "mock:name", "---------" },
        { "pg://u:p@h", "-------x--" } };
    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        char mark[64] = { 0 };
        size_t n = strlen(t[i].url);
        sp_secret_in_url(t[i].url, n, mark);
        for (size_t k = 0; k < n; k++) {
            if ((mark[k] != 0) != (t[i].want[k] == 'x'))
                fail_msg("%s: byte %zu", t[i].url, k);
        }
    }
}

static void overlapping_secrets(void **state)
{
    (void)state;
    assert_int_equal(sp_secret_add("abcdef"), 0);
    assert_int_equal(sp_secret_add("efghij"), 0);
    assert_int_equal(sp_secret_add("abcdefXYZ"), 0);
    assert_int_equal(sp_secret_add("aaaa"), 0);
    hides("-abcdefghij-", "-***-");
    hides("-abcdefXYZ-", "-***-");
    hides("-abcdefXY-", "-***XY-");
    hides("-aaaaaaa-", "-***-");
    sp_secret_forget_all();
}

static void short_secrets(void **state)
{
    (void)state;
    assert_int_equal(sp_secret_add(NULL), -SP_E_INVALID);
    assert_int_equal(sp_secret_add(""), -SP_E_INVALID);
    assert_int_equal(sp_secret_add("abc"), -SP_E_INVALID);
    /* Decoded it is one byte: only its own form is hidden, or every '/' would go. */
    assert_int_equal(sp_secret_add("%2Fx"), 0);
    hides("abc /x %2Fx", "abc /x ***");
    sp_secret_forget_all();
    hides(NULL, "");
    hides("", "");
}

static void url_passwords(void **state)
{
    (void)state;
    hides("postgresql://user:geheim@h:5432/db", "postgresql://user:***@h:5432/db");
    hides("at 'postgres://user:p@ss@h/db': no", "at 'postgres://user:***@h/db': no");
    hides("redis://:pw@h", "redis://:***@h");
    hides("mongodb://u:a%40b@h1,h2/x", "mongodb://u:***@h1,h2/x");
    hides("supabase+http://u:it's@h", "supabase+http://u:***@h");
    hides("(http://a:b@c) \"http://d:e@f\"", "(http://a:***@c) \"http://d:***@f\"");
    /* Unencoded slash, question mark and hash: not a URL that works, and just what an error message quotes. */
    hides("postgres://u:a/b@h/d", "postgres://u:***@h/d");
    hides("postgres://u:p@a/ss@h/d", "postgres://u:***@h/d");
    hides("postgres://u:a?b#c@h", "postgres://u:***@h");
    hides("http://u:123456/7@h", "http://u:***@h");
    /* What has no password stays readable. */
    hides("http://127.0.0.1:8000/u?email=a@b.c", "http://127.0.0.1:8000/u?email=a@b.c");
    hides("http://[::1]:80/a@b", "http://[::1]:80/a@b");
    hides("http://user@h:80/", "http://user@h:80/");
    hides("http://h/x:y@z", "http://h/x:y@z");
    hides("sqlite://", "sqlite://");
    hides("mail a:b@c", "mail a:b@c");
    /* Passwords among the parameters. */
    hides("pg://h/d?user=x&password=geheim&z=1", "pg://h/d?user=x&password=***&z=1");
    hides("pg://h/d?PassWord=a@b c", "pg://h/d?PassWord=*** c");
    hides("pg://h/d?password=", "pg://h/d?password=");
    hides("pg://h/d?password=&token=abcd", "pg://h/d?password=&token=***");
    hides("pg://h/d?password=it's?#x&a=b", "pg://h/d?password=***&a=b");
    hides("pg://u:pw@h/d?password=pw2", "pg://u:***@h/d?password=***");
    hides("pg://h/d?xpassword=1", "pg://h/d?xpassword=1");
}

/* `unit` again and again, and a last '@': hidden at once, not once for each repetition. */
static void hides_long(const char *unit, const char *want)
{
    size_t n = 3000000, k = strlen(unit);
    char *text = malloc(n + 3);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++) {
        text[i] = unit[i % k];
    }
    (void)sp_strlcpy(text + n, "@h", 3);
    clock_t start = clock();
    char *got = sp_redact(text);
    assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
    assert_non_null(got);
    assert_string_equal(got, want);
    free(got);
    free(text);
}

static void long_texts_are_linear(void **state)
{
    (void)state;
    hides_long("://x:", "://x:***@h");
    hides_long("://x?pwd=", "://x?pwd=***");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(fail_fills_and_replaces),
        cmocka_unit_test(a_failure_is_never_ok),
        cmocka_unit_test(text_is_one_clean_line),
        cmocka_unit_test(prefix_native_move),
        cmocka_unit_test(registered_secrets),
        cmocka_unit_test(secrets_of_one_url),
        cmocka_unit_test(overlapping_secrets),
        cmocka_unit_test(short_secrets),
        cmocka_unit_test(url_passwords),
        cmocka_unit_test(long_texts_are_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
