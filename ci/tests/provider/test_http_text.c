/* test_http_text.c -- encoding, Retry-After, and what of a foreign text is shown; and certificates, which are checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "ci/tests/provider/http_server.h"
#include "providers/lib/http/http.h"

static struct sp_error err = SP_ERROR_INIT;

static void encoding(void **state)
{
    (void)state;
    struct sp_buf b = SP_BUF_INIT;
    assert_int_equal(sp_http_encode(&b, "aZ09-._~ +&%/?\"\xc3\xa9\0", 18), 0);
    assert_string_equal(b.p, "aZ09-._~%20%2B%26%25%2F%3F%22%C3%A9%00");
    sp_buf_free(&b);
}

static void retry_after(void **state)
{
    (void)state;
    assert_int_equal(sp_http_retry_after_ms("7", NULL), 7000);
    assert_int_equal(sp_http_retry_after_ms("99999999999", NULL), 86400000);
    assert_int_equal(
        sp_http_retry_after_ms("Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:29 GMT"), 30000);
    assert_int_equal(sp_http_retry_after_ms("Fri, 31 Dec 1999 23:59:59 GMT", NULL), 0); /* long past */
    assert_int_equal(sp_http_retry_after_ms("-5", NULL), 0);
    assert_int_equal(sp_http_retry_after_ms("soon", NULL), 0);
    assert_int_equal(sp_http_retry_after_ms(NULL, NULL), 0);
}

static void scrubbing(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "plain text", "plain text" },
        { "  a\r\n\tb  ", "a b" },
        { "<html><body><h1>502</h1>Bad <b>Gateway</b></body></html>", "502 Bad Gateway" },
        { "token eyJhbGciOi.J9.sig-x ends", "token *** ends" },
        { "{\"access_token\":\"abc.def\",\"user\":1}", "{\"access_token\":\"***\",\"user\":1}" },
        { "apikey=k123&x=1", "apikey=***&x=1" },
        { "Authorization: Bearer abcdef", "Authorization: ***" },
        { "bearer abcdef", "bearer ***" },
        { "key sb_secret_aaa_bbb, and", "key ***, and" },
        { "no password given", "no password given" },
        { "\\\"password\\\": \\\"hunter2\\\"", "\\\"password\\\": \\\"***\\\"" },
        { "monkeyJoke keyJ", "monkeyJoke keyJ" },
        { "for key=sb_secret_aaa_bbb", "for key=***" },
        { "GET /verify/eyJhbGciOi.J9.sig-x ends", "GET /verify/*** ends" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sp_buf b = SP_BUF_INIT;
        assert_int_equal(sp_http_scrub(&b, cases[i].in, strlen(cases[i].in), 200), 0);
        assert_string_equal(b.p, cases[i].out);
        sp_buf_free(&b);
    }
    struct sp_buf b = SP_BUF_INIT;
    sp_http_scrub(&b, "0123456789abc", 13, 10);
    assert_string_equal(b.p, "0123456789 ...");
    sp_buf_free(&b);
}

/* --- certificates --------------------------------------------------------------------------------------------- */

#define GOOD "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
static char ca_path[] = "/tmp/sp_test_ca_XXXXXX";

/* A certificate for "localhost" alone, signed by itself, in a file of its own. */
static SSL_CTX *make_tls(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509V3_CTX v3;
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 600);
    X509_set_version(x, 2);
    X509_set_pubkey(x, key);
    X509_NAME *n = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x, n);
    X509V3_set_ctx(&v3, x, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &v3, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    X509_sign(x, key, EVP_sha256());
    int fd = mkstemp(ca_path);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (f == NULL || PEM_write_X509(f, x) != 1)
        abort();
    fclose(f);
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(c, x);
    SSL_CTX_use_PrivateKey(c, key);
    X509_free(x);
    EVP_PKEY_free(key);
    return c;
}

static int try_tls(const char *host, const char *ca, bool insecure)
{
    static const struct answer once[] = { { GOOD, CLOSE, 0 } };
    char url[64];
    struct sp_http *h;
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    struct sp_http_request q = { .method = "POST", .target = "/", .body = "secret", .nbody = 6 };
    (void)snprintf(url, sizeof url, "https://%s:%u", host, srv.port);
    struct sp_http_config c = {
        .base = url, .what = "test", .ca = ca, .insecure = insecure, .answer_ms = 2000
    };
    server_script(once, 1);
    sp_error_clear(&err);
    assert_int_equal(sp_http_open(&h, &c, &err), 0);
    int ret = sp_http_do(h, &q, &r, &err);
    sp_http_close(h);
    sp_http_response_free(&r);
    return ret;
}

static void certificates(void **state)
{
    (void)state;
    assert_int_equal(try_tls("localhost", ca_path, false), 0);
    assert_int_equal(try_tls("127.0.0.1", NULL, true), 0);
    assert_int_equal(try_tls("localhost", NULL, false), -SP_E_UNAVAILABLE); /* nobody vouches for it */
    assert_int_equal(err.effect, SP_EFFECT_NONE);
    assert_false(err.retryable);
    assert_int_equal(srv.next, 0);
    assert_int_equal(try_tls("127.0.0.1", ca_path, false), -SP_E_UNAVAILABLE); /* for another host */
    assert_int_equal(srv.next, 0);
    assert_int_equal(try_tls("localhost", "/nonexistent.pem", false), -SP_E_UNAVAILABLE);
}

/* What the environment says of a proxy may hold a password, also where it is no good URL. */
static void proxy_of_the_environment(void **state)
{
    static const char *const bad[] = { "socks9://user:hunter2@127.0.0.1:1",
        "http://user:hunter2 x@127.0.0.1:1", "user:hunter2@127.0.0.1:port" };
    static const struct sp_http_config c = { .base = "https://nowhere.invalid", .what = "test" };
    (void)state;
    (void)unsetenv("no_proxy");
    (void)unsetenv("NO_PROXY");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sp_http_request q = { .method = "POST", .target = "/", .body = "x", .nbody = 1 };
        struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
        struct sp_http *h;
        assert_int_equal(setenv("https_proxy", bad[i], 1), 0);
        sp_error_clear(&err);
        assert_int_equal(sp_http_open(&h, &c, &err), 0);
        assert_int_equal(sp_http_do(h, &q, &r, &err), -SP_E_UNAVAILABLE);
        assert_int_equal(err.effect, SP_EFFECT_NONE);
        assert_null(strstr(err.text, "hunter2"));
        assert_non_null(strstr(err.text, "proxy"));
        sp_http_close(h);
        sp_http_response_free(&r);
    }
    (void)unsetenv("https_proxy");
}

static int init(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    srv.tls = make_tls();
    server_start();
    return sp_http_init(&err);
}

static int done(void **state)
{
    (void)state;
    server_stop();
    sp_error_clear(&err);
    return unlink(ca_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoding),
        cmocka_unit_test(retry_after),
        cmocka_unit_test(scrubbing),
        cmocka_unit_test(certificates),
        cmocka_unit_test(proxy_of_the_environment),
    };
    return cmocka_run_group_tests(tests, init, done);
}
