/* sigv4.h -- Signature Version 4 of Amazon Web Services, as S3 and its relatives check it. Stateless, any thread.
 *
 * libcurl 7.88 signs query and headers in an order that servers don't accept; this does it from scratch on OpenSSL. */
#ifndef SP_PROVIDERS_LIB_SIGN_SIGV4_H
#define SP_PROVIDERS_LIB_SIGN_SIGV4_H

#include "base/buf.h"
#include "base/error.h"

#define SP_SIGV4_EMPTY    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SP_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"

struct sp_sigv4_keys {
    const char *id, *secret, *token; /* token NULL = none */
    const char *region, *service;
};
struct sp_sigv4_pair { /* a header, or a parameter of the query (unencoded) */
    const char *name, *value;
};
struct sp_sigv4_request {
    const char *method;
    const char *host; /* with the port unless it is the scheme's own */
    const char *path; /* unencoded; encoded once for S3, twice for others, never normalised */
    const struct sp_sigv4_pair *query;
    size_t nquery;
    const struct sp_sigv4_pair *headers; /* to be signed besides host, x-amz-date and x-amz-security-token */
    size_t nheaders;
    const char *payload_sha256; /* hex, or SP_SIGV4_UNSIGNED */
    const char *time;           /* YYYYMMDDTHHMMSSZ */
};
/* Appends the value of Authorization. x-amz-date, host and (with a token) x-amz-security-token must be sent with the
 * values given here; x-amz-content-sha256 belongs to `headers` where the service wants it (S3 does). */
int sp_sigv4_authorization(struct sp_buf *out, const struct sp_sigv4_request *q,
    const struct sp_sigv4_keys *k, struct sp_error *err);
/* Appends "/path?query" of a presigned URL, for `seconds` (1 to 604800), with its signature. */
int sp_sigv4_presign(struct sp_buf *out, const struct sp_sigv4_request *q, const struct sp_sigv4_keys *k,
    int64_t seconds, struct sp_error *err);
/* Appends "path?query" encoded as they were signed; no '?' without a query. */
int sp_sigv4_target(struct sp_buf *out, const struct sp_sigv4_request *q, const struct sp_sigv4_keys *k);
/* The canonical request itself, for tests and for comparing with what a server says it got. */
int sp_sigv4_canonical(struct sp_buf *out, const struct sp_sigv4_request *q, const struct sp_sigv4_keys *k,
    struct sp_buf *signed_names);
/* "20130524T000000Z" of a moment (seconds since 1970, UTC). */
void sp_sigv4_time(char out[17], int64_t seconds);

#endif
