/* errors.c -- what the services say when something goes wrong, in the contract's words.
 *
 * Auth answers {"code":422,"error_code":"weak_password","msg":...}, with an API version {"code":"weak_password",
 * "message":...}, on some paths {"error":...,"error_description":...}; the gateway {"message":...}. Storage puts the true
 * status into the body of a 400. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/supabase/internal.h"

struct known {
    const char *word;
    enum sp_code code;
};

static const struct known auth_words[] = {
    { "invalid_credentials", SP_E_AUTHENTICATION },
    { "invalid_grant", SP_E_AUTHENTICATION },
    { "bad_jwt", SP_E_AUTHENTICATION },
    { "no_authorization", SP_E_AUTHENTICATION },
    { "session_not_found", SP_E_AUTHENTICATION },
    { "session_expired", SP_E_AUTHENTICATION },
    { "refresh_token_not_found", SP_E_AUTHENTICATION },
    { "refresh_token_already_used", SP_E_AUTHENTICATION },
    { "otp_expired", SP_E_AUTHENTICATION },
    { "otp_disabled", SP_E_UNSUPPORTED },
    { "user_banned", SP_E_PERMISSION },
    { "not_admin", SP_E_PERMISSION },
    { "email_not_confirmed", SP_E_PERMISSION },
    { "phone_not_confirmed", SP_E_PERMISSION },
    { "insufficient_aal", SP_E_PERMISSION },
    { "reauthentication_needed", SP_E_PERMISSION },
    { "user_already_exists", SP_E_EXISTS },
    { "email_exists", SP_E_EXISTS },
    { "phone_exists", SP_E_EXISTS },
    { "identity_already_exists", SP_E_EXISTS },
    { "user_not_found", SP_E_NOT_FOUND },
    { "weak_password", SP_E_INVALID },
    { "same_password", SP_E_INVALID },
    { "validation_failed", SP_E_INVALID },
    { "email_address_invalid", SP_E_INVALID },
    { "bad_json", SP_E_INVALID },
    { "signup_disabled", SP_E_UNSUPPORTED },
    { "email_provider_disabled", SP_E_UNSUPPORTED },
    { "over_request_rate_limit", SP_E_RATE_LIMITED },
    { "over_email_send_rate_limit", SP_E_RATE_LIMITED },
    { "over_sms_send_rate_limit", SP_E_RATE_LIMITED },
    { "conflict", SP_E_CONFLICT },
    { "request_timeout", SP_E_TIMEOUT },
};

static const struct known storage_words[] = {
    { "NoSuchBucket", SP_E_NOT_FOUND },
    { "NoSuchKey", SP_E_NOT_FOUND },
    { "NoSuchUpload", SP_E_NOT_FOUND },
    { "TenantNotFound", SP_E_NOT_FOUND },
    { "InvalidJWT", SP_E_AUTHENTICATION },
    { "InvalidSignature", SP_E_AUTHENTICATION },
    { "SignatureDoesNotMatch", SP_E_AUTHENTICATION },
    { "ExpiredToken", SP_E_AUTHENTICATION },
    { "InvalidBucketName", SP_E_INVALID },
    { "InvalidKey", SP_E_INVALID },
    { "InvalidMimeType", SP_E_INVALID },
    { "InvalidRequest", SP_E_INVALID },
    { "InvalidRange", SP_E_RANGE },
    { "EntityTooLarge", SP_E_TOO_LARGE },
    { "BucketAlreadyExists", SP_E_EXISTS },
    { "KeyAlreadyExists", SP_E_EXISTS },
    { "ResourceAlreadyExists", SP_E_EXISTS },
    { "ResourceLocked", SP_E_CONFLICT },
    { "LockTimeout", SP_E_CONFLICT },
    { "DatabaseTimeout", SP_E_TIMEOUT },
    { "SlowDown", SP_E_RATE_LIMITED },
};

static bool find(const struct known *v, size_t n, const char *word, enum sp_code *out)
{
    for (size_t i = 0; word != NULL && i < n; i++)
        if (strcmp(v[i].word, word) == 0) {
            *out = v[i].code;
            return true;
        }
    return false;
}

/* The first of these members that is a text. */
static const char *first_text(const json_t *body, const char *const *names)
{
    for (; *names != NULL; names++)
        if (su_text(body, *names) != NULL)
            return su_text(body, *names);
    return NULL;
}

/* The same words for everybody who gets this code: no request id, which would tell two refusals apart. */
static int say(const struct sp_http_response *r, enum sp_code code, const char *native, const char *text,
    struct sp_error *err)
{
    struct sp_buf clean = SP_BUF_INIT;
    sp_http_scrub(&clean, text == NULL ? "" : text, text == NULL ? 0 : strlen(text), 240);
    sp_fail(err, code, SP_ORIGIN_BACKEND, "%s", clean.n != 0 ? clean.p : native);
    sp_buf_free(&clean);
    sp_error_native(err, native);
    if (err != NULL && code == SP_E_RATE_LIMITED) {
        err->retryable = true;
        err->retry_after_ms = r->retry_after_ms;
    }
    return -(int)code;
}

int su_auth_error(struct sp_session *s, const struct sp_http_request *q, const struct sp_http_response *r,
    struct sp_error *err)
{
    static const char *const codes[] = { "error_code", "code", "error", NULL };
    static const char *const texts[] = { "msg", "message", "error_description", NULL };
    enum sp_code code;
    json_t *body = r->body.n == 0 ? NULL : json_loadb(r->body.p, r->body.n, 0, NULL);
    const char *word = first_text(body, codes), *text = first_text(body, texts);
    const char *header = sp_http_header(r, "x-sb-error-code");
    if (word == NULL)
        word = header;
    int rc = find(auth_words, SP_LEN(auth_words), word, &code)
                 ? say(r, code, word, text, err)
                 : sp_http_status_error(s->http[SU_AUTH], q, r, text, err);
    json_decref(body);
    return rc;
}

/* The status that is meant: in the body where there is one. */
static int true_status(const json_t *body, int status)
{
    const json_t *v = json_object_get(body, "statusCode");
    long n = json_is_integer(v) ? (long)json_integer_value(v) : 0;
    if (json_is_string(v)) {
        char *end = NULL;
        n = strtol(json_string_value(v), &end, 10);
        if (*end != '\0')
            n = 0;
    }
    return n >= 300 && n <= 599 ? (int)n : status;
}

static bool by_status(int status, const json_t *body, enum sp_code *code)
{
    const char *error = su_text(body, "error"), *message = su_text(body, "message");
    switch (status) {
    case 401:
        *code = SP_E_AUTHENTICATION;
        return true;
    case 403: /* a token that is none, and one that may not, have the same status */
        *code = message != NULL && (strstr(message, "jwt") != NULL || strstr(message, "signature") != NULL ||
                                       strstr(message, "JWS") != NULL || strstr(message, "\"exp\"") != NULL)
                    ? SP_E_AUTHENTICATION
                    : SP_E_PERMISSION;
        return true;
    case 404:
        *code = SP_E_NOT_FOUND;
        return true;
    case 409:
        *code = error != NULL && strcmp(error, "Duplicate") == 0 ? SP_E_EXISTS : SP_E_CONFLICT;
        return true;
    case 413:
        *code = SP_E_TOO_LARGE;
        return true;
    case 423: /* an upload that another request works on */
        *code = SP_E_CONFLICT;
        return true;
    case 416:
        *code = SP_E_RANGE;
        return true;
    case 544:
        *code = SP_E_TIMEOUT;
        return true;
    default:
        return false;
    }
}

int su_storage_error(struct sp_session *s, const struct sp_http_request *q, const struct sp_http_response *r,
    struct sp_error *err)
{
    enum sp_code code;
    json_t *body = r->body.n == 0 ? NULL : json_loadb(r->body.p, r->body.n, 0, NULL);
    const char *word = su_text(body, "code"), *text = su_text(body, "message");
    int status = true_status(body, r->status), rc;
    char native[24];
    (void)snprintf(native, sizeof native, "%d", status);
    if (find(storage_words, SP_LEN(storage_words), word, &code))
        rc = say(r, code, word, text, err);
    else if (by_status(status, body, &code))
        rc = say(r, code, word != NULL ? word : native, text, err);
    else if (body != NULL && status >= 400 && status < 500 && status != 408 && status != 429)
        rc = say(r, SP_E_INVALID, word != NULL ? word : native, text, err);
    else
        rc = sp_http_status_error(s->http[SU_STORAGE], q, r, text, err);
    json_decref(body);
    return rc;
}
