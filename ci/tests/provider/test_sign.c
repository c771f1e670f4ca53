/* test_sign.c -- tokens and signatures against published vectors, and against what is slightly wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/str.h"
#include "providers/lib/sign/jwt.h"
#include "providers/lib/sign/sigv4.h"

static struct sp_error err = SP_ERROR_INIT;
static const char secret[] = "super-secret-jwt-token-with-at-least-32-characters-long";

static void hs256(void **state)
{
    (void)state;
    static const struct {
        const char *role, *signature;
    } known[] = { { "anon", "6ldkvHM8WjwyHI_tKbJOgWu-VbulTx9jmeuEvNGSFkY" },
        { "service_role", "mjENke8J4x_734atFXjInx76tWeHpG_5y1KaXY_3Smg" } };
    for (size_t i = 0; i < SP_LEN(known); i++) {
        struct sp_buf t = SP_BUF_INIT, c = SP_BUF_INIT;
        char *claims = sp_strdup_printf(
            "{\"role\":\"%s\",\"iss\":\"supabase\",\"iat\":1700000000,\"exp\":2000000000}", known[i].role);
        assert_int_equal(sp_jwt_sign_hs256(&t, claims, secret, strlen(secret), &err), 0);
        assert_string_equal(strrchr(t.p, '.') + 1, known[i].signature);
        assert_int_equal(sp_jwt_verify(&c, t.p, SP_JWT_HS256, secret, strlen(secret), &err), 0);
        assert_string_equal(c.p, claims);
        assert_int_equal(sp_jwt_times(c.p, 1999999999, 0, &err), 0);
        assert_int_equal(sp_jwt_times(c.p, 2000000000, 0, &err), -SP_E_AUTHENTICATION);
        assert_int_equal(sp_jwt_times(c.p, 2000000029, 30, &err), 0);
        for (size_t k = 0; k < t.n; k++) { /* every changed character is seen */
            char old = t.p[k];
            t.p[k] = old == 'A' ? 'B' : 'A';
            sp_buf_clear(&c);
            assert_int_equal(
                sp_jwt_verify(&c, t.p, SP_JWT_HS256, secret, strlen(secret), &err), -SP_E_AUTHENTICATION);
            t.p[k] = old;
        }
        assert_int_equal(sp_jwt_verify(&c, t.p, SP_JWT_HS256, "x", 1, &err), -SP_E_AUTHENTICATION);
        assert_int_equal(
            sp_jwt_verify(&c, t.p, SP_JWT_RS256, secret, strlen(secret), &err), -SP_E_AUTHENTICATION);
        sp_buf_free(&t);
        sp_buf_free(&c);
        free(claims);
    }
}

static void malformed_tokens(void **state)
{
    (void)state;
    static const char *const bad[] = { "", ".", "..", "a.b", "a.b.c.d", "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJIUzI1NiJ9.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.====", "e30.e30.e30" };
    struct sp_buf c = SP_BUF_INIT;
    for (size_t i = 0; i < SP_LEN(bad); i++)
        assert_int_equal(sp_jwt_verify(&c, bad[i], SP_JWT_HS256, "", 0, &err), -SP_E_AUTHENTICATION);
    assert_int_equal(sp_jwt_peek(&c, "x.W10.y", &err), -SP_E_AUTHENTICATION); /* an array */
    assert_int_equal(sp_jwt_times("{\"exp\":\"soon\"}", 0, 0, &err), -SP_E_AUTHENTICATION);
    assert_int_equal(sp_jwt_times("{\"exp\":1e3}", 999, 0, &err), 0);
    assert_int_equal(sp_jwt_times("{\"nbf\":100}", 50, 30, &err), -SP_E_AUTHENTICATION);
    assert_int_equal(sp_jwt_times("{\"nbf\":100}", 80, 30, &err), 0);
    sp_buf_free(&c);
}

/* Signed by OpenSSL itself. */
static void public_keys(void **state)
{
    (void)state;
    for (int es = 0; es < 2; es++) {
        EVP_PKEY *key = es ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
        const char *head = es ? "{\"alg\":\"ES256\"}" : "{\"alg\":\"RS256\"}";
        struct sp_buf t = SP_BUF_INIT, c = SP_BUF_INIT;
        unsigned char der[512], raw[512];
        size_t n = sizeof der;
        char *pem;
        BIO *bio = BIO_new(BIO_s_mem());
        PEM_write_bio_PUBKEY(bio, key);
        long npem = BIO_get_mem_data(bio, &pem);
        sp_base64url(&t, head, strlen(head));
        sp_buf_putc(&t, '.');
        sp_base64url(&t, "{\"sub\":\"u\"}", 11);
        EVP_MD_CTX *m = EVP_MD_CTX_new();
        EVP_DigestSignInit(m, NULL, EVP_sha256(), NULL, key);
        assert_int_equal(EVP_DigestSign(m, der, &n, (unsigned char *)t.p, t.n), 1);
        if (es) { /* r and s of fixed length */
            const unsigned char *p = der;
            ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
            BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
            BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
            ECDSA_SIG_free(sig);
            n = 64;
        } else {
            memcpy(raw, der, n);
        }
        sp_buf_putc(&t, '.');
        size_t at = t.n;
        sp_base64url(&t, raw, n);
        enum sp_jwt_alg alg = es ? SP_JWT_ES256 : SP_JWT_RS256;
        assert_int_equal(sp_jwt_verify(&c, t.p, alg, pem, (size_t)npem, &err), 0);
        assert_string_equal(c.p, "{\"sub\":\"u\"}");
        assert_int_equal(sp_jwt_verify(&c, t.p, es ? SP_JWT_RS256 : SP_JWT_ES256, pem, (size_t)npem, &err),
            -SP_E_AUTHENTICATION);
        t.p[at] = t.p[at] == 'A' ? 'B' : 'A';
        assert_int_equal(sp_jwt_verify(&c, t.p, alg, pem, (size_t)npem, &err), -SP_E_AUTHENTICATION);
        BIO_free(bio);
        EVP_MD_CTX_free(m);
        EVP_PKEY_free(key);
        sp_buf_free(&t);
        sp_buf_free(&c);
    }
}

static void base64url(void **state)
{
    (void)state;
    static const char *const pairs[][2] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" },
        { "foob", "Zm9vYg" }, { "\xff\xfe\xfd", "__79" } };
    static const char *const bad[] = { "Z", "Zh", "Zm9=", "Zm 9", "Zm+v", "Zm8\n" };
    for (size_t i = 0; i < SP_LEN(pairs); i++) {
        struct sp_buf a = SP_BUF_INIT, b = SP_BUF_INIT;
        sp_buf_puts(&a, "");
        sp_base64url(&a, pairs[i][0], strlen(pairs[i][0]));
        assert_int_equal(a.n, strlen(pairs[i][1]));
        assert_memory_equal(a.n > 0 ? a.p : "", pairs[i][1], a.n);
        assert_int_equal(sp_base64url_decode(&b, pairs[i][1], strlen(pairs[i][1])), 0);
        assert_memory_equal(b.n > 0 ? b.p : "", pairs[i][0], b.n);
        sp_buf_free(&a);
        sp_buf_free(&b);
    }
    for (size_t i = 0; i < SP_LEN(bad); i++) {
        struct sp_buf b = SP_BUF_INIT;
        assert_int_equal(sp_base64url_decode(&b, bad[i], strlen(bad[i])), -SP_E_INVALID);
        sp_buf_free(&b);
    }
}

/* The examples of "Authenticating Requests: Using the Authorization Header" and "... Using Query Parameters". */
static const struct sp_sigv4_keys keys = { "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    NULL, "us-east-1", "s3" };

static struct sp_sigv4_request request(const char *method, const char *path)
{
    return (struct sp_sigv4_request){ .method = method,
        .host = "examplebucket.s3.amazonaws.com",
        .path = path,
        .payload_sha256 = SP_SIGV4_EMPTY,
        .time = "20130524T000000Z" };
}

static void assert_signature(const struct sp_sigv4_request *q, const char *signature)
{
    struct sp_buf b = SP_BUF_INIT;
    assert_int_equal(sp_sigv4_authorization(&b, q, &keys, &err), 0);
    assert_string_equal(strrchr(b.p, '=') + 1, signature);
    sp_buf_free(&b);
}

static void sigv4_headers(void **state)
{
    (void)state;
    struct sp_sigv4_pair get[] = { { "Range", " bytes=0-9" }, { "x-amz-content-sha256", SP_SIGV4_EMPTY } };
    struct sp_sigv4_request q = request("GET", "/test.txt");
    q.headers = get;
    q.nheaders = 2;
    struct sp_buf c = SP_BUF_INIT, names = SP_BUF_INIT, b = SP_BUF_INIT;
    assert_int_equal(sp_sigv4_canonical(&c, &q, &keys, &names), 0);
    assert_string_equal(names.p, "host;range;x-amz-content-sha256;x-amz-date");
    unsigned char hash[32];
    EVP_Digest(c.p, c.n, hash, NULL, EVP_sha256(), NULL);
    sp_buf_hex(&b, hash, 32);
    assert_string_equal(b.p, "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972");
    assert_signature(&q, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

    static const char welcome[] = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    struct sp_sigv4_pair put[] = { { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
        { "x-amz-content-sha256", welcome }, { "Date", "Fri, 24 May 2013 00:00:00 GMT" } };
    q = request("PUT", "/test$file.text");
    q.headers = put;
    q.nheaders = 3;
    q.payload_sha256 = welcome;
    assert_signature(&q, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

    q = request("GET", "/");
    q.headers = get + 1;
    q.nheaders = 1;
    struct sp_sigv4_pair lifecycle[] = { { "lifecycle", NULL } },
                         list[] = { { "prefix", "J" }, { "max-keys", "2" } };
    q.query = lifecycle;
    q.nquery = 1;
    assert_signature(&q, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    q.query = list;
    q.nquery = 2;
    assert_signature(&q, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
    sp_buf_clear(&b);
    assert_int_equal(sp_sigv4_target(&b, &q, &keys), 0);
    assert_string_equal(b.p, "/?max-keys=2&prefix=J");
    sp_buf_free(&b);
    sp_buf_free(&c);
    sp_buf_free(&names);
}

static void sigv4_presigned(void **state)
{
    (void)state;
    struct sp_sigv4_request q = request("GET", "/test.txt");
    struct sp_buf b = SP_BUF_INIT;
    assert_int_equal(sp_sigv4_presign(&b, &q, &keys, 86400, &err), 0);
    assert_string_equal(b.p, "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
                             "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
                             "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-"
                             "SignedHeaders=host&X-Amz-Signature="
                             "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    assert_int_equal(sp_sigv4_presign(&b, &q, &keys, 0, &err), -SP_E_INVALID);
    assert_int_equal(sp_sigv4_presign(&b, &q, &keys, 604801, &err), -SP_E_INVALID);
    q.time = "2013-05-24T00:00";
    assert_int_equal(sp_sigv4_presign(&b, &q, &keys, 1, &err), -SP_E_INVALID);
    sp_buf_free(&b);
}

/* Names, not lines, decide the order; repeated headers are joined; blanks are squeezed; keys are encoded once. */
static void sigv4_canonical(void **state)
{
    (void)state;
    struct sp_sigv4_pair h[] = { { "X-Amz-Meta-A-B", "2" }, { "X-Amz-Meta-A", "  b \t c " },
        { "X-Amz-Meta-A", "a" } };
    struct sp_sigv4_pair p[] = { { "b", "2 +" }, { "b", "1" }, { "a b", "\xc3\xa9" } };
    struct sp_sigv4_request q = request("GET", "/a b/../\xc3\xa9+%");
    struct sp_buf c = SP_BUF_INIT, names = SP_BUF_INIT;
    q.headers = h;
    q.nheaders = 3;
    q.query = p;
    q.nquery = 3;
    assert_int_equal(sp_sigv4_canonical(&c, &q, &keys, &names), 0);
    assert_string_equal(c.p,
        "GET\n/a%20b/../%C3%A9%2B%25\na%20b=%C3%A9&b=1&b=2%20%2B\nhost:examplebucket.s3.amazonaws.com\n"
        "x-amz-date:20130524T000000Z\nx-amz-meta-a:b c,a\nx-amz-meta-a-b:2\n\n"
        "host;x-amz-date;x-amz-meta-a;x-amz-meta-a-b\n" SP_SIGV4_EMPTY);
    char time[17];
    sp_sigv4_time(time, 1369353600);
    assert_string_equal(time, "20130524T000000Z");
    sp_buf_free(&c);
    sp_buf_free(&names);
}

static int done(void **state)
{
    (void)state;
    sp_error_clear(&err);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hs256),
        cmocka_unit_test(malformed_tokens),
        cmocka_unit_test(public_keys),
        cmocka_unit_test(base64url),
        cmocka_unit_test(sigv4_headers),
        cmocka_unit_test(sigv4_presigned),
        cmocka_unit_test(sigv4_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
