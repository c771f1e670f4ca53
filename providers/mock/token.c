/* token.c -- random ids, digests, signatures, and access tokens.
 *
 * An access token is "hex(payload).hex(mac)"; the payload is user id, session id, expiry and the custom claims, a line
 * each. Nothing in it is believed before the signature fits. */
#include "auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"

int64_t mock_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec;
}

void mock_hex(char *out, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}

int mock_random_hex(char *out, size_t bytes, struct sp_error *err)
{
    uint8_t raw[64];
    if (bytes > sizeof raw || RAND_bytes(raw, (int)bytes) != 1)
        return mock_fail(err, SP_E_INTERNAL, "no random numbers");
    mock_hex(out, raw, bytes);
    return 0;
}

int mock_sha256_hex(char out[65], const void *p, size_t n, struct sp_error *err)
{
    uint8_t md[32];
    unsigned len = 0;
    if (EVP_Digest(n == 0 ? "" : p, n, md, &len, EVP_sha256(), NULL) != 1 || len != sizeof md)
        return mock_fail(err, SP_E_INTERNAL, "SHA-256 failed");
    mock_hex(out, md, sizeof md);
    return 0;
}

int mock_mac(const struct mock_store *st, const void *p, size_t n, char hex[65], struct sp_error *err)
{
    uint8_t md[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (HMAC(EVP_sha256(), st->key, (int)sizeof st->key, p, n, md, &len) == NULL || len != 32)
        return mock_fail(err, SP_E_INTERNAL, "HMAC failed");
    mock_hex(hex, md, 32);
    return 0;
}

bool mock_same_secret(const char *a, const char *b)
{
    size_t n = strlen(a);
    return n == strlen(b) && CRYPTO_memcmp(a, b, n) == 0;
}

int mock_payload_sign(const struct mock_store *st, struct sp_arena *a, const char *payload, const char **out,
    struct sp_error *err)
{
    char mac[65];
    size_t n = strlen(payload);
    char *hex = sp_arena_alloc(a, 2 * n + 1);
    if (hex == NULL)
        return sp_nomem(err);
    int rc = mock_mac(st, payload, n, mac, err);
    if (rc != 0)
        return rc;
    mock_hex(hex, (const uint8_t *)payload, n);
    *out = sp_arena_printf(a, "%s.%s", hex, mac);
    return *out == NULL ? sp_nomem(err) : 0;
}

int mock_token_make(const struct mock_session *s, struct sp_arena *a, const struct mock_user *u,
    const struct mock_login *l, const char **out, struct sp_error *err)
{
    const char *payload =
        sp_arena_printf(a, "%s\n%s\n%" PRId64 "\n%s", u->id, l->id, mock_now() + s->token_seconds, u->claims);
    return payload == NULL ? sp_nomem(err) : mock_payload_sign(s->store, a, payload, out, err);
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char *unhex(struct sp_arena *a, const char *s, size_t n)
{
    char *out = n % 2 != 0 ? NULL : sp_arena_alloc(a, n / 2 + 1);
    for (size_t i = 0; out != NULL && i < n; i += 2) {
        int hi = nibble(s[i]), lo = nibble(s[i + 1]);
        if (hi < 0 || lo < 0)
            return NULL;
        out[i / 2] = (char)(hi * 16 + lo);
    }
    return out;
}

static int refused(struct sp_error *err)
{
    return mock_fail(err, SP_E_AUTHENTICATION, "the access token is wrong, expired or revoked");
}

char *mock_payload_line(char **rest)
{
    char *start = *rest;
    char *end = start == NULL ? NULL : strchr(start, '\n');
    if (end == NULL)
        return NULL;
    *end = '\0';
    *rest = end + 1;
    return start;
}

int mock_payload_read(
    const struct mock_store *st, struct sp_arena *a, const char *token, char **payload, struct sp_error *err)
{
    char mac[65];
    const char *dot = strchr(token, '.');
    *payload = dot == NULL ? NULL : unhex(a, token, (size_t)(dot - token));
    if (*payload == NULL)
        return refused(err);
    int rc = mock_mac(st, *payload, (size_t)(dot - token) / 2, mac, err);
    return rc != 0 || mock_same_secret(mac, dot + 1) ? rc : refused(err);
}

int mock_token_read(const struct mock_session *s, struct sp_arena *a, const char *token,
    struct mock_claims *out, struct sp_error *err)
{
    int64_t expires;
    char *payload;
    int rc = mock_payload_read(s->store, a, token, &payload, err);
    if (rc != 0)
        return rc;
    out->user_id = mock_payload_line(&payload);
    out->login_id = out->user_id == NULL ? NULL : mock_payload_line(&payload);
    const char *until = out->login_id == NULL ? NULL : mock_payload_line(&payload);
    if (until == NULL || !sp_parse_i64(until, &expires) || expires <= mock_now())
        return refused(err);
    out->claims = payload;
    return 0;
}
