/* jwt.h -- JSON Web Tokens (RFC 7519) in the compact form, on OpenSSL. Stateless, any thread.
 *
 * The algorithm is the caller's choice, never the token's: a token whose header names another one is refused, as is "none". */
#ifndef SP_PROVIDERS_LIB_SIGN_JWT_H
#define SP_PROVIDERS_LIB_SIGN_JWT_H

#include "base/buf.h"
#include "base/error.h"

enum sp_jwt_alg { SP_JWT_HS256, SP_JWT_RS256, SP_JWT_ES256 };

/* Appends header.payload.signature; `claims` is the payload's JSON text, signed as it is. The secret is used byte for byte. */
int sp_jwt_sign_hs256(
    struct sp_buf *out, const char *claims, const void *secret, size_t n, struct sp_error *err);
/* Checks form, algorithm and signature; appends the payload's JSON text. `key`: the secret (HS256) or a public key in
 * PEM. AUTHENTICATION when it is not good. Times are the caller's affair: see sp_jwt_times(). */
int sp_jwt_verify(struct sp_buf *claims, const char *token, enum sp_jwt_alg alg, const void *key, size_t nkey,
    struct sp_error *err);
/* The payload without any check of the signature, for messages and for choosing a role that the server checks anyway. */
int sp_jwt_peek(struct sp_buf *claims, const char *token, struct sp_error *err);
/* exp and nbf of a payload against `now` (seconds), with `skew` allowed: AUTHENTICATION says which. */
int sp_jwt_times(const char *claims, int64_t now, int64_t skew, struct sp_error *err);
int sp_base64url(struct sp_buf *out, const void *p, size_t n); /* without padding */
/* Strict: no padding, no blanks, no bits left over. INVALID. */
int sp_base64url_decode(struct sp_buf *out, const char *p, size_t n);

#endif
