/* jwt.c -- see jwt.h. */
#include "providers/lib/sign/jwt.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/str.h"
#include "providers/lib/json/reader.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int sp_base64url(struct sp_buf *out, const void *p, size_t n)
{
    const uint8_t *s = p;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)s[i] << 16;
        if (i + 1 < n)
            v |= (uint32_t)s[i + 1] << 8;
        if (i + 2 < n)
            v |= s[i + 2];
        for (unsigned k = 0; k < 4 && i + k <= n; k++)
            sp_buf_putc(out, alphabet[v >> (18 - 6 * k) & 63]);
    }
    return out->oom ? -SP_E_NOMEM : 0;
}

int sp_base64url_decode(struct sp_buf *out, const char *p, size_t n)
{
    uint32_t v = 0;
    unsigned bits = 0;
    if (n % 4 == 1)
        return -SP_E_INVALID;
    for (size_t i = 0; i < n; i++) {
        const char *k = p[i] != '\0' ? strchr(alphabet, p[i]) : NULL;
        if (k == NULL)
            return -SP_E_INVALID;
        v = v << 6 | (uint32_t)(k - alphabet);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            sp_buf_putc(out, (char)(v >> bits & 0xff));
            v &= (1u << bits) - 1;
        }
    }
    return v != 0 ? -SP_E_INVALID : out->oom ? -SP_E_NOMEM : 0;
}

static int hmac(uint8_t out[32], const void *secret, size_t n, const char *text, size_t len)
{
    unsigned got = 0;
    static const char none[1] = "";
    if (n > INT32_MAX)
        return -SP_E_INVALID;
    return HMAC(EVP_sha256(), n > 0 ? secret : none, (int)n, (const uint8_t *)text, len, out, &got) != NULL &&
                   got == 32
               ? 0
               : -SP_E_INTERNAL;
}

int sp_jwt_sign_hs256(
    struct sp_buf *out, const char *claims, const void *secret, size_t n, struct sp_error *err)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    uint8_t mac[32];
    size_t start = out->n;
    sp_base64url(out, header, sizeof header - 1);
    sp_buf_putc(out, '.');
    sp_base64url(out, claims, strlen(claims));
    if (out->oom)
        return sp_nomem(err);
    if (hmac(mac, secret, n, out->p + start, out->n - start) != 0)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "a token cannot be signed");
    sp_buf_putc(out, '.');
    return sp_base64url(out, mac, sizeof mac) != 0 ? sp_nomem(err) : 0;
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */

struct parts {
    const char *header, *payload, *signature;
    size_t nheader, npayload, nsignature;
};

static bool split(const char *token, struct parts *p)
{
    const char *a = strchr(token, '.'), *b = a != NULL ? strchr(a + 1, '.') : NULL;
    if (b == NULL || strchr(b + 1, '.') != NULL)
        return false;
    *p = (struct parts){ token, a + 1, b + 1, (size_t)(a - token), (size_t)(b - a - 1), strlen(b + 1) };
    return true;
}

static int refuse(struct sp_error *err, const char *why)
{
    return sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_HARNESS, "a token is not good: %s", why);
}

static bool algorithm_is(const struct parts *p, enum sp_jwt_alg alg)
{
    static const char *const names[] = { "HS256", "RS256", "ES256" };
    struct sp_buf b = SP_BUF_INIT;
    char said[16] = "";
    bool ok = sp_base64url_decode(&b, p->header, p->nheader) == 0 && b.n > 0 &&
              sp_json_member(b.p, b.n, "alg", said, sizeof said) && strcmp(said, names[alg]) == 0;
    sp_buf_free(&b);
    return ok;
}

/* r and s of 32 bytes each become the form that OpenSSL checks. */
static int ecdsa_der(struct sp_buf *sig)
{
    uint8_t *der = NULL;
    ECDSA_SIG *e = ECDSA_SIG_new();
    BIGNUM *r = NULL, *s = NULL;
    int n = -1;
    if (sig->n == 64 && e != NULL && (r = BN_bin2bn((const uint8_t *)sig->p, 32, NULL)) != NULL &&
        (s = BN_bin2bn((const uint8_t *)sig->p + 32, 32, NULL)) != NULL && ECDSA_SIG_set0(e, r, s) == 1) {
        r = s = NULL;
        n = i2d_ECDSA_SIG(e, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(e);
    if (n > 0) {
        sp_buf_clear(sig);
        sp_buf_put(sig, der, (size_t)n);
    }
    OPENSSL_free(der);
    return n > 0 && !sig->oom ? 0 : -SP_E_INVALID;
}

static bool key_fits(EVP_PKEY *k, enum sp_jwt_alg alg)
{
    char curve[32] = "";
    size_t n;
    if (alg == SP_JWT_RS256)
        return EVP_PKEY_is_a(k, "RSA") == 1 && EVP_PKEY_get_bits(k) >= 2048;
    return EVP_PKEY_is_a(k, "EC") == 1 && EVP_PKEY_get_group_name(k, curve, sizeof curve, &n) == 1 &&
           strcmp(curve, "prime256v1") == 0;
}

static bool public_key_ok(
    const char *text, size_t n, struct sp_buf *sig, enum sp_jwt_alg alg, const void *pem, size_t npem)
{
    bool ok = false;
    BIO *bio = npem <= INT32_MAX ? BIO_new_mem_buf(pem, (int)npem) : NULL;
    EVP_PKEY *k = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (k != NULL && c != NULL && key_fits(k, alg) && (alg != SP_JWT_ES256 || ecdsa_der(sig) == 0) &&
        EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, k) == 1)
        ok = EVP_DigestVerify(c, (const uint8_t *)sig->p, sig->n, (const uint8_t *)text, n) == 1;
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(k);
    BIO_free(bio);
    return ok;
}

int sp_jwt_verify(struct sp_buf *claims, const char *token, enum sp_jwt_alg alg, const void *key, size_t nkey,
    struct sp_error *err)
{
    struct parts p;
    struct sp_buf sig = SP_BUF_INIT;
    uint8_t mac[32];
    if (!split(token, &p))
        return refuse(err, "it has not three parts");
    if (!algorithm_is(&p, alg))
        return refuse(err, "its header is malformed or names another algorithm");
    size_t n = p.nheader + 1 + p.npayload;
    bool ok = sp_base64url_decode(&sig, p.signature, p.nsignature) == 0 && sig.n > 0;
    if (ok && alg == SP_JWT_HS256)
        ok = sig.n == 32 && hmac(mac, key, nkey, token, n) == 0 && CRYPTO_memcmp(mac, sig.p, 32) == 0;
    else if (ok)
        ok = public_key_ok(token, n, &sig, alg, key, nkey);
    sp_buf_free(&sig);
    return ok ? sp_jwt_peek(claims, token, err) : refuse(err, "its signature is wrong");
}

static int any_token(void *payload, enum sp_json_token t, size_t depth, const char *s, size_t n)
{
    bool *object = payload;
    (void)s, (void)n;
    if (depth == 0 && t == SP_JT_OBJECT)
        *object = true;
    return 0;
}

int sp_jwt_peek(struct sp_buf *claims, const char *token, struct sp_error *err)
{
    struct parts p;
    bool object = false;
    size_t mark = claims->n;
    if (!split(token, &p))
        return refuse(err, "it has not three parts");
    if (sp_base64url_decode(claims, p.payload, p.npayload) != 0 || claims->n == mark ||
        sp_json_read(claims->p + mark, claims->n - mark, any_token, &object, NULL) != 0 || !object)
        return claims->oom ? sp_nomem(err) : refuse(err, "its content is no JSON object");
    return 0;
}

/* Absent: `fallback`. A time that is no number is no time. */
static bool time_of(const char *claims, const char *name, int64_t fallback, int64_t *out)
{
    char text[32];
    double f;
    if (!sp_json_member(claims, strlen(claims), name, text, sizeof text))
        return false;
    *out = fallback;
    if (text[0] == '\0' || sp_parse_i64(text, out))
        return true;
    if (!sp_parse_f64(text, &f) || !(f > -9e15 && f < 9e15))
        return false;
    *out = (int64_t)f;
    return true;
}

int sp_jwt_times(const char *claims, int64_t now, int64_t skew, struct sp_error *err)
{
    int64_t exp, nbf;
    if (!time_of(claims, "exp", INT64_MAX, &exp) || !time_of(claims, "nbf", INT64_MIN, &nbf))
        return refuse(err, "a time in it is malformed");
    if (exp != INT64_MAX && now - skew >= exp)
        return refuse(err, "it has expired");
    if (nbf != INT64_MIN && now + skew < nbf)
        return refuse(err, "it is not valid yet");
    return 0;
}
