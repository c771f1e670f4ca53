/* storage_signed.c -- URLs that give access for a while, made and checked by the service. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/supabase/internal.h"

int su_sign(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key, const char *method,
    int64_t seconds, const char **url, struct sp_error *err)
{
    json_t *body = NULL, *answer = NULL;
    char *path = NULL;
    int rc = su_object_check(bucket, key, err);
    if (rc == 0)
        rc = su_lacks(s, SP_CAP_SIGNED_URL, err);
    if (rc == 0 && strcmp(method, "GET") != 0)
        rc = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "a URL for uploads ends after the time that the project sets, not after the one asked for");
    if (rc == 0 && (seconds < 1 || seconds > INT_MAX))
        rc = sp_invalid(err, "a signed URL lasts at least one second");
    if (rc == 0) {
        body = json_pack("{s:i}", "expiresIn", (int)seconds);
        path = su_object_path("/object/sign/", bucket, key);
        rc = body == NULL || path == NULL ? sp_nomem(err) : 0;
    }
    struct su_call c = {
        .service = SU_STORAGE, .role = SU_ADMIN, .method = "POST", .target = path, .body = body, .again = true
    };
    if (rc == 0)
        rc = su_json(s, &c, &answer, err);
    if (rc == 0) {
        /* Its path is not encoded, ours is; what counts is the token. */
        const char *rest = su_text(answer, "signedURL"),
                   *token = rest == NULL ? NULL : strstr(rest, "?token=");
        if (token == NULL) {
            rc = su_no_json(SU_STORAGE, err);
        } else {
            *url = sp_arena_printf(a, "%s%s%s", s->url[SU_STORAGE], path, token);
            rc = *url == NULL ? sp_nomem(err) : 0;
        }
    }
    json_decref(answer);
    json_decref(body);
    free(path);
    return rc;
}

/* Whatever a URL opens not, it is refused: which of its parts is wrong is nobody's business. */
static int refused(int rc, struct sp_error *err)
{
    if (rc != -SP_E_INVALID && rc != -SP_E_NOT_FOUND && rc != -SP_E_PERMISSION)
        return rc;
    if (err != NULL)
        err->code = SP_E_AUTHENTICATION;
    return -SP_E_AUTHENTICATION;
}

/* Pieces are counted only when the answer is one of success: the core gives nothing else to a sink. */
struct taker {
    sp_sink_fn sink;
    void *payload;
};

static int take(void *payload, const void *p, size_t n)
{
    struct taker *t = payload;
    return t->sink == NULL ? 0 : t->sink(t->payload, p, n);
}

int su_fetch_signed(struct sp_session *s, const char *url, const char *method, int64_t now_offset_s,
    sp_source_fn source, void *source_payload, sp_sink_fn sink, void *sink_payload, struct sp_error *err)
{
    struct taker t = { sink, sink_payload };
    struct sp_http_request q = { .method = method, .sink = take, .sink_payload = &t };
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    struct su_call c = { .service = SU_STORAGE };
    if (s->http[SU_STORAGE] == NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "Supabase Storage is not configured");
    if (s->unfit[SU_STORAGE] != NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "%s", s->unfit[SU_STORAGE]);
    if (now_offset_s != 0)
        return sp_fail(
            err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "the clock of the server cannot be set; wait instead");
    if (!sp_str_prefix(url, s->url[SU_STORAGE]))
        return sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_HARNESS, "this URL is none of this project's");
    sp_http_rearm(s->http[SU_STORAGE]);
    q.target = url + strlen(s->url[SU_STORAGE]);
    q.repeat = SP_HTTP_ONCE;
    if (source != NULL) {
        q.source = source;
        q.source_payload = source_payload;
        q.source_size = -1;
    }
    int rc = sp_http_do(s->http[SU_STORAGE], &q, &r, err);
    if (rc == 0)
        rc = refused(su_answer(s, &c, &q, &r, NULL, err), err);
    sp_http_response_free(&r);
    return rc;
}
