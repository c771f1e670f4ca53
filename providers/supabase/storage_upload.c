/* storage_upload.c -- uploads in parts, by the protocol TUS 1.0 that Storage speaks at /upload/resumable.
 *
 * TUS knows no parts, only how far an upload has come: bytes are appended, none is ever replaced. So parts go in order, and each
 * but the last has the size that Supabase asks for; then a part's number is its place, in any session. Nothing is visible
 * until the length is declared, which completing does. What was sent when a connection broke is not guessed: the server
 * is asked how far it came, and goes on from there. The id is the last segment of the upload's URL. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "providers/lib/sign/jwt.h"
#include "providers/supabase/internal.h"

#define PART  ((size_t)6 * 1024 * 1024) /* of all parts but the last, as Supabase asks */
#define PLACE "/upload/resumable"
#define TRIES 5 /* of one request that brings nothing forward */
#define TUS   "Tus-Resumable", "1.0.0"

/* ---- requests ----------------------------------------------------------------------------------------------------- */

struct tus {
    char *target;
    struct sp_http_header headers[8];
    size_t n;
    struct sp_http_request q;
    struct sp_http_response r;
};

static void tus_free(struct tus *t)
{
    sp_http_response_free(&t->r);
    free(t->target);
}

static void with(struct tus *t, const char *name, const char *value)
{
    t->headers[t->n++] = (struct sp_http_header){ name, value };
}

static bool is_segment(const char *id)
{
    return id[0] != '\0' &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+=") == strlen(id);
}

static int tus_of(struct tus *t, const char *id, struct sp_error *err)
{
    *t = (struct tus){ .r = SP_HTTP_RESPONSE_INIT };
    if (!is_segment(id))
        return sp_object_upload_unknown("", err);
    t->target = sp_strdup_printf(PLACE "/%s", id);
    with(t, TUS);
    with(t, "x-upsert", "true"); /* each request is judged as if it stored the object */
    return t->target == NULL ? sp_nomem(err) : 0;
}

static struct su_call call_of(const struct tus *t, const char *method, bool again)
{
    return (struct su_call){ .service = SU_STORAGE,
        .role = SU_ADMIN,
        .method = method,
        .target = t->target,
        .headers = t->headers,
        .nheaders = t->n,
        .again = again };
}

static int tus_send(struct sp_session *s, struct tus *t, const char *method, bool again, struct sp_error *err)
{
    struct su_call c = call_of(t, method, again);
    int rc = su_send(s, &c, &t->q, &t->r, err);
    return rc == 0 ? su_answer(s, &c, &t->q, &t->r, NULL, err) : rc;
}

/* How far an upload has come; `place` (may be NULL) gets what it was begun with, "bucketName ...,objectName ...": free(). */
static int ask(
    struct sp_session *s, const char *id, uint64_t *offset, bool *ended, char **place, struct sp_error *err)
{
    struct tus t;
    int rc = tus_of(&t, id, err);
    if (rc == 0)
        rc = tus_send(s, &t, "HEAD", true, err);
    const char *at = rc == 0 ? sp_http_header(&t.r, "upload-offset") : NULL;
    const char *what = rc == 0 ? sp_http_header(&t.r, "upload-metadata") : NULL;
    if (rc == 0 && (at == NULL || !sp_parse_u64(at, offset)))
        rc = su_no_json(SU_STORAGE, err);
    if (rc == 0 && place != NULL && (*place = strdup(what == NULL ? "" : what)) == NULL)
        rc = sp_nomem(err);
    *ended = rc == 0 && sp_http_header(&t.r, "upload-length") != NULL;
    tus_free(&t);
    return rc;
}

/* The same for who wants to go on with it: one that was completed is none any more. */
static int ask_open(
    struct sp_session *s, const char *id, uint64_t *offset, char **place, struct sp_error *err)
{
    bool ended = false;
    int rc = ask(s, id, offset, &ended, place, err);
    return rc == 0 && ended ? sp_object_upload_unknown(id, err) : rc;
}

/* The request may have been carried out, in part or as a whole, and the server can be asked. Who was stopped, or waited as long
 * as was allowed, does not go on. */
static bool is_broken(const struct sp_error *e)
{
    return e->code == SP_E_OUTCOME_UNKNOWN && e->native[0] != '\0';
}

static void rest(unsigned tries)
{
    struct timespec t = { 0, 20000000L << tries };
    (void)nanosleep(&t, NULL);
}

/* Does the service say that uploads may be given up, and their length told at the end? */
int su_upload_offered(struct sp_session *s, bool *is, struct sp_error *err)
{
    struct tus t = { .target = strdup(PLACE), .r = SP_HTTP_RESPONSE_INIT };
    int rc = t.target == NULL ? sp_nomem(err) : 0;
    with(&t, TUS);
    struct su_call c = call_of(&t, "OPTIONS", true);
    if (rc == 0)
        rc = su_send(s, &c, &t.q, &t.r, err);
    const char *can = rc == 0 && sp_http_good(&t.r) ? sp_http_header(&t.r, "tus-extension") : NULL;
    *is = can != NULL && strstr(can, "creation-defer-length") != NULL && strstr(can, "termination") != NULL;
    tus_free(&t);
    return rc;
}

/* ---- begin -------------------------------------------------------------------------------------------------------- */

/* One member of Upload-Metadata: its name, a blank, base64. */
static int member(struct sp_buf *b, const char *name, const char *value, struct sp_error *err)
{
    char *text = NULL;
    int rc = su_base64(value, &text, err);
    if (rc == 0 && sp_buf_printf(b, "%s%s %s", b->n == 0 ? "" : ",", name, text) != 0)
        rc = sp_nomem(err);
    free(text);
    return rc;
}

static int describe(
    struct sp_buf *b, const char *bucket, const char *key, const struct sp_put_opts *o, struct sp_error *err)
{
    char *meta = NULL;
    int rc = member(b, "bucketName", bucket, err);
    if (rc == 0)
        rc = member(b, "objectName", key, err);
    if (rc == 0)
        rc = member(b, "contentType", o->content_type != NULL ? o->content_type : SP_OBJECT_TYPE, err);
    if (rc == 0 && o->nmeta != 0)
        rc = sp_object_meta_text(o, &meta, err);
    if (rc == 0 && meta != NULL)
        rc = member(b, "metadata", meta, err);
    free(meta);
    return rc;
}

int su_upload_begin(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    const struct sp_put_opts *o, const char **id, struct sp_error *err)
{
    struct sp_buf what = SP_BUF_INIT;
    struct tus t = { .r = SP_HTTP_RESPONSE_INIT };
    int rc = su_lacks(s, SP_CAP_MULTIPART, err);
    if (rc == 0)
        rc = su_put_check(s, bucket, key, o, err);
    if (rc == 0)
        rc = describe(&what, bucket, key, o, err);
    if (rc == 0 && (t.target = strdup(PLACE)) == NULL)
        rc = sp_nomem(err);
    with(&t, TUS);
    with(&t, "x-upsert", "true");
    with(&t, "Upload-Defer-Length", "1");
    with(&t, "Upload-Metadata", what.p);
    if (rc == 0)
        rc = tus_send(s, &t, "POST", false, err);
    const char *where = rc == 0 ? sp_http_header(&t.r, "location") : NULL;
    const char *slash = where == NULL ? NULL : strrchr(where, '/');
    if (rc == 0 && (t.r.status != 201 || slash == NULL || !is_segment(slash + 1)))
        rc = su_no_json(SU_STORAGE, err);
    if (rc == 0 && (*id = sp_arena_str(a, slash + 1)) == NULL)
        rc = sp_nomem(err);
    tus_free(&t);
    sp_buf_free(&what);
    return rc;
}

/* ---- parts -------------------------------------------------------------------------------------------------------- */

void su_upload_forget(struct su_upload *u)
{
    free(u->id);
    *u = (struct su_upload){ .id = NULL };
}

static int keep(
    struct su_upload *u, const char *id, unsigned part, size_t n, const char sum[65], struct sp_error *err)
{
    su_upload_forget(u);
    u->id = strdup(id);
    if (u->id == NULL)
        return sp_nomem(err);
    u->part = part;
    u->n = n;
    memcpy(u->sum, sum, sizeof u->sum);
    return 0;
}

/* These very bytes were sent by this session as that part, and no other part since. */
static bool is_kept(const struct su_upload *u, const char *id, unsigned part, size_t n, const char sum[65])
{
    return u->id != NULL && strcmp(u->id, id) == 0 && u->part == part && u->n == n &&
           strcmp(u->sum, sum) == 0;
}

static int sum_of(const void *p, size_t n, char out[65], struct sp_error *err)
{
    struct sp_object_sum m = { NULL };
    int rc = sp_object_sum_begin(&m, err);
    if (rc == 0) {
        sp_object_sum_add(&m, p, n);
        sp_object_sum_end(&m, out);
    }
    sp_object_sum_free(&m);
    return rc;
}

static int part_order(unsigned part, uint64_t start, uint64_t offset, struct sp_error *err)
{
    if (offset < start)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "part %u begins at byte %llu, and only %llu bytes are there: uploads go on at their end only, "
            "in parts of %zu bytes but for the last",
            part, (unsigned long long)start, (unsigned long long)offset, PART);
    return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
        "bytes of part %u are there already: uploads go on at their end only, and nothing in them is "
        "replaced; abort the upload to begin anew",
        part);
}

/* One PATCH: behind byte `offset`, and with `length` nothing more comes. *to: how far the upload came by it. */
static int append(struct sp_session *s, const char *id, uint64_t offset, const char *p, size_t n,
    const char *length, uint64_t *to, struct sp_error *err)
{
    struct tus t;
    char at[24];
    int rc = tus_of(&t, id, err);
    (void)snprintf(at, sizeof at, "%llu", (unsigned long long)offset);
    with(&t, "Upload-Offset", at);
    with(&t, "Content-Type", "application/offset+octet-stream");
    if (length != NULL)
        with(&t, "Upload-Length", length);
    t.q.body = n == 0 ? "" : p;
    t.q.nbody = n;
    if (rc == 0)
        rc = tus_send(s, &t, "PATCH", false, err);
    const char *said = rc == 0 ? sp_http_header(&t.r, "upload-offset") : NULL;
    if (rc == 0 && (t.r.status != 204 || said == NULL || !sp_parse_u64(said, to))) {
        rc = sp_fail(err, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_BACKEND,
            "Supabase Storage took a part of an upload with HTTP %d and without saying how far it came",
            t.r.status);
        sp_error_native(err, "Upload-Offset");
    }
    tus_free(&t);
    return rc;
}

/* Sends until all of the part is there. What the server says is there counts, not what was sent. */
static int push(struct sp_session *s, const char *id, uint64_t start, uint64_t offset, const char *p,
    size_t n, struct sp_error *err)
{
    struct sp_error why = SP_ERROR_INIT;
    uint64_t end = start + n, to = offset;
    bool ours = false; /* bytes of this call may have come without an answer */
    unsigned tries = 0;
    int rc = 0;
    while (tries < TRIES) {
        sp_error_clear(&why);
        rc = append(s, id, offset, p + (offset - start), (size_t)(end - offset), NULL, &to, &why);
        if (rc != 0 && rc != -SP_E_CONFLICT && !is_broken(&why))
            break;
        ours = ours || rc != -SP_E_CONFLICT; /* where it is not at this offset, the server takes nothing */
        if (rc != 0) {
            rest(tries);
            if (ask_open(s, id, &to, NULL, NULL) != 0)
                break;
        }
        if (to < offset || to > end || (to != offset && !ours)) {
            rc = sp_fail(
                &why, SP_E_CONFLICT, SP_ORIGIN_BACKEND, "somebody else sends to the same upload meanwhile");
            break;
        }
        if (to == end) {
            sp_error_clear(&why);
            return 0;
        }
        tries = to == offset ? tries + 1 : 0;
        offset = to;
    }
    if (rc == 0)
        rc = su_no_json(SU_STORAGE, &why);
    if (err != NULL)
        sp_error_move(err, &why);
    sp_error_clear(&why);
    return rc;
}

int su_upload_part(
    struct sp_session *s, const char *id, unsigned part, const void *p, size_t n, struct sp_error *err)
{
    uint64_t start = (uint64_t)(part - 1) * PART, offset = 0;
    char sum[65] = "";
    int rc = su_lacks(s, SP_CAP_MULTIPART, err);
    if (rc == 0)
        rc = sp_object_part_check(part, err);
    if (rc == 0 && n > PART)
        rc = sp_invalid(err,
            "part %u has %zu bytes; the parts of an upload to Supabase Storage have %zu, the last at most",
            part, n, PART);
    if (rc == 0)
        rc = sum_of(p, n, sum, err);
    if (rc == 0)
        rc = ask_open(s, id, &offset, NULL, err);
    if (rc != 0)
        return rc;
    bool kept = is_kept(&s->upload, id, part, n, sum);
    if (offset < start || (offset > start && !kept))
        return part_order(part, start, offset, err);
    if (kept && offset >= start + n)
        return 0;
    rc = keep(&s->upload, id, part, n, sum, err);
    if (rc == 0 && n != 0)
        rc = push(s, id, start, offset, p, n, err);
    if (rc != 0 && rc != -SP_E_OUTCOME_UNKNOWN)
        su_upload_forget(&s->upload);
    return rc;
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

/* A value of Upload-Metadata. */
static const char *value_of(struct sp_arena *a, const char *what, const char *name)
{
    for (const char *p = what; p != NULL && *p != '\0'; p = strchr(p, ',')) {
        p += *p == ',';
        size_t n = strlen(name);
        if (strncmp(p, name, n) != 0 || p[n] != ' ')
            continue;
        const char *text = p + n + 1;
        size_t len = strcspn(text, ",");
        unsigned char *out = len == 0 || len % 4 != 0 || len > 1u << 16 ? NULL : sp_arena_alloc(a, len + 1);
        int got = out == NULL ? -1 : EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
        if (got < 0)
            return NULL;
        out[got - (text[len - 1] == '=') - (text[len - 2] == '=')] = '\0';
        return (const char *)out;
    }
    return NULL;
}

/* The object is there, and it is this upload, whose id is BUCKET/KEY/VERSION in base64url. */
static bool became(struct sp_session *s, const char *id, const char *bucket, const char *key)
{
    json_t *info = NULL;
    struct sp_buf text = SP_BUF_INIT;
    char *path = su_object_path("/object/info/", bucket, key);
    struct su_call c = {
        .service = SU_STORAGE, .role = SU_ADMIN, .method = "GET", .target = path, .again = true
    };
    bool plain =
        path != NULL && sp_base64url_decode(&text, id, strlen(id)) == 0 && sp_buf_putc(&text, '\0') == 0;
    const char *slash = plain ? strrchr(text.p, '/') : NULL;
    bool is = slash != NULL && slash[1] != '\0' && su_json(s, &c, &info, NULL) == 0 &&
              sp_streq(su_text(info, "version"), slash + 1);
    json_decref(info);
    sp_buf_free(&text);
    free(path);
    return is;
}

/* Declares the length. When the answer is lost, the upload says whether that was done, and the object whether it is this one. */
static int finish(struct sp_session *s, const char *id, uint64_t offset, const char *bucket, const char *key,
    struct sp_error *err)
{
    char length[24];
    int rc = 0;
    (void)snprintf(length, sizeof length, "%llu", (unsigned long long)offset);
    for (unsigned tries = 0; tries < TRIES; tries++) {
        struct sp_error why = SP_ERROR_INIT;
        uint64_t to = 0;
        bool ended = false;
        rc = append(s, id, offset, "", 0, length, &to, &why);
        bool broken = rc != 0 && is_broken(&why);
        if (rc != 0 && err != NULL)
            sp_error_move(err, &why);
        sp_error_clear(&why);
        if (!broken)
            break;
        rest(tries);
        if (ask(s, id, &to, &ended, NULL, NULL) != 0)
            break;
        if (ended || to != offset) {
            rc = ended && to == offset && became(s, id, bucket, key) ? 0 : rc;
            break;
        }
    }
    if (rc == 0)
        sp_error_clear(err);
    return rc;
}

int su_upload_complete(
    struct sp_session *s, struct sp_arena *a, const char *id, struct sp_object *out, struct sp_error *err)
{
    struct su_upload *u = &s->upload;
    uint64_t offset = 0;
    char *place = NULL;
    int rc = su_lacks(s, SP_CAP_MULTIPART, err);
    if (rc == 0)
        rc = ask_open(s, id, &offset, &place, err);
    bool known = u->id != NULL && strcmp(u->id, id) == 0;
    if (rc == 0 && known && offset < (uint64_t)(u->part - 1) * PART + u->n)
        rc = sp_invalid(err, "of part %u only the beginning has arrived; send it again", u->part);
    if (rc == 0 && offset == 0 && !known)
        rc = sp_object_part_none(err);
    const char *bucket = rc == 0 ? value_of(a, place, "bucketName") : NULL,
               *key = rc == 0 ? value_of(a, place, "objectName") : NULL;
    if (rc == 0 && (bucket == NULL || key == NULL))
        rc = su_no_json(SU_STORAGE, err);
    if (rc == 0)
        rc = finish(s, id, offset, bucket, key, err);
    if (rc == 0) {
        su_upload_forget(u);
        rc = out == NULL ? 0 : su_head(s, a, bucket, key, out, err);
        if (rc != 0 && err != NULL)
            err->effect = SP_EFFECT_APPLIED;
    }
    free(place);
    return rc;
}

int su_upload_abort(struct sp_session *s, const char *id, struct sp_error *err)
{
    uint64_t offset = 0;
    int rc = su_lacks(s, SP_CAP_MULTIPART, err);
    if (rc == 0)
        rc = ask_open(s, id, &offset, NULL, err);
    for (unsigned tries = 0; rc == 0 && tries < TRIES; tries++) {
        struct sp_error why = SP_ERROR_INIT;
        struct tus t;
        rc = tus_of(&t, id, &why);
        if (rc == 0)
            rc = tus_send(s, &t, "DELETE", false, &why);
        tus_free(&t);
        bool gone = rc == 0 || (rc == -SP_E_NOT_FOUND && tries > 0), broken = rc != 0 && is_broken(&why);
        if (broken) {
            rest(tries);
            gone = ask_open(s, id, &offset, NULL, NULL) == -SP_E_NOT_FOUND;
        }
        if (gone)
            rc = 0;
        bool again = broken && !gone && tries + 1 < TRIES;
        if (rc != 0 && !again && err != NULL)
            sp_error_move(err, &why);
        sp_error_clear(&why);
        if (!again)
            break;
        rc = 0;
    }
    return rc;
}
