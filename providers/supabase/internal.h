/* internal.h -- private to providers/supabase: what its files share.
 *
 * A session has one HTTP client per service; all belong to the thread that opened it, but for su_interrupt(). Keys are
 * the session's own copies, and are overwritten when it closes. */
#ifndef SP_PROVIDERS_SUPABASE_INTERNAL_H
#define SP_PROVIDERS_SUPABASE_INTERNAL_H

#include <jansson.h>

#include "providers/lib/http/http.h"
#include "providers/lib/object.h"
#include "providers/supabase/db.h"
#include "providers/supabase/supabase.h"

#define SU_KEY_BYTES 1024 /* longest object key */
#define SU_PAGE      1000 /* entries that a list call may ask for */
#define SU_OBJECT_BYTES                                                                                      \
    (UINT64_C(50) * 1024 * 1024) /* the service's own default; a project may say otherwise */

#define SU_LACKS    8
#define SU_NO_RANGE "the service answers a range with something else than that part of the object"

#define SU_NO_UPLOADS "the service does not take uploads in parts whose number is told at the end"

enum su_service { SU_AUTH, SU_STORAGE, SU_SERVICES };
enum su_role { SU_ANON, SU_ADMIN }; /* whose key goes with a request */

struct su_lack {
    enum sp_cap_id cap;
    const char *why;
};

/* All accounts, by id: what a listing found. */
struct su_accounts {
    struct sp_arena arena;
    struct sp_user *v;
    size_t n, cap, pages;
    uint64_t announced; /* how many there are, as the server said with the last page */
    bool doubtful;      /* one came twice, or more or fewer came than were announced */
};

/* The part of an upload that was sent last: what of it arrived may go on, and it may come again. */
struct su_upload {
    char *id; /* NULL = none */
    unsigned part;
    size_t n;
    char sum[65];
};

struct sp_session {
    struct sp_session_base base;
    struct sd_db db;
    struct sp_http *http[SU_SERVICES];
    char *url[SU_SERVICES];      /* base URL, without credentials */
    char *key[2];                /* by su_role; NULL = not configured */
    struct su_accounts accounts; /* of the last listing: the pages of admin_list come out of it */
    bool listed;
    struct su_upload upload;
    char version[SU_SERVICES][40]; /* "v2.196.0"; "" = the service says none */
    enum sp_fidelity fidelity[SU_SERVICES];
    /* Found out when the session opened: why nothing of this service is offered (NULL = it is), and what it lacks. */
    const char *unfit[SU_SERVICES];
    struct su_lack lacks[SU_LACKS];
    size_t nlacks;
    bool bare_info; /* size and etag of an object are in the headers of HEAD only */
    bool no_admin;  /* Auth has no administration at all: users are removed in the database */
};

/* ---- open.c ---- */
int su_process_init(struct sp_error *err);
int su_open(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err);
void su_close(struct sp_session *s);
int su_ping(struct sp_session *s, struct sp_error *err);
void su_interrupt(struct sp_session *s);

/* ---- facts.c ---- */
int su_effective(struct sp_session *s, struct sp_cap *caps, struct sp_facts *facts, struct sp_error *err);

/* ---- call.c: a request with its keys, an answer in JSON ---- */
struct su_call {
    enum su_service service;
    enum su_role role;
    const char *user; /* a user's access token; NULL = the role's own key */
    const char *method, *target;
    const json_t *body; /* NULL = none */
    const struct sp_http_header *headers;
    size_t nheaders;
    bool again; /* may be repeated: it reads, or a second copy changes nothing more */
    bool probe; /* asks what the service is, also where nothing of it is offered */
};
int su_offered(const struct sp_session *s, enum su_service service, struct sp_error *err); /* UNSUPPORTED */
/* A key of the newer kind (sb_...) is no token, and is for the gateway alone: it goes with `apikey`, never as a bearer. */
bool su_key_is_token(const char *key);
/* What would break a header or a line is no token of anybody. */
bool su_can_be_token(const char *token);
/* The whole request: 0 and the response whatever its status, or the transport's error. */
int su_send(struct sp_session *s, const struct su_call *c, struct sp_http_request *q,
    struct sp_http_response *r, struct sp_error *err);
/* Sends, turns a status that means failure into an error, and parses the body: *out is the caller's (json_decref), NULL
 * for an empty one. `out` may be NULL. */
int su_json(struct sp_session *s, const struct su_call *c, json_t **out, struct sp_error *err);
/* The same for an answer that is already there. */
int su_answer(struct sp_session *s, const struct su_call *c, const struct sp_http_request *q,
    const struct sp_http_response *r, json_t **out, struct sp_error *err);
const char *su_text(const json_t *object, const char *name); /* NULL = no text */
int su_keep(
    struct sp_arena *a, const json_t *object, const char *name, const char **out, struct sp_error *err);
int su_no_json(enum su_service service, struct sp_error *err); /* CORRUPT */

/* ---- errors.c ---- */
int su_auth_error(struct sp_session *s, const struct sp_http_request *q, const struct sp_http_response *r,
    struct sp_error *err);
int su_storage_error(struct sp_session *s, const struct sp_http_request *q, const struct sp_http_response *r,
    struct sp_error *err);

/* ---- auth*.c, storage*.c ---- */
#define SU_NO_ADMIN "the server has no admin API"
extern const struct sp_auth_ops su_auth_ops;
extern const struct sp_blob_ops su_blob_ops;
int su_user(const json_t *object, struct sp_arena *a, struct sp_user *out, struct sp_error *err);
/* The application's claims in `app_metadata` of a user or a token. */
int su_own_claims(const json_t *holder, struct sp_arena *a, const char **out, struct sp_error *err);
void su_accounts_free(struct su_accounts *l);
int su_user_id(const char *id, struct sp_error *err); /* only what can be an id goes into a path: NOT_FOUND */
int su_admin_offered(const struct sp_session *s, struct sp_error *err); /* UNSUPPORTED */
int su_user_remove(struct sp_session *s, const char *email, struct sp_error *err);
int su_claims_set(struct sp_session *s, const char *user_id, const char *json_object, struct sp_error *err);
int su_claims_of(
    struct sp_session *s, struct sp_arena *a, const char *access, const char **out, struct sp_error *err);
int su_admin_create(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    struct sp_user *out, struct sp_error *err);
int su_admin_get(
    struct sp_session *s, struct sp_arena *a, const char *user_id, struct sp_user *out, struct sp_error *err);
int su_admin_list(struct sp_session *s, struct sp_arena *a, const char **cursor, size_t limit,
    struct sp_user **out, size_t *n, struct sp_error *err);
int su_admin_disable(struct sp_session *s, const char *user_id, bool disabled, struct sp_error *err);
int su_admin_delete(struct sp_session *s, const char *user_id, struct sp_error *err);
int su_reset_request(struct sp_session *s, const char *email, char code[128], struct sp_error *err);
int su_reset_confirm(
    struct sp_session *s, const char *email, const char *code, const char *password, struct sp_error *err);

/* "/object/BUCKET/KEY", encoded; key may be NULL; free(). NULL: out of memory. */
char *su_object_path(const char *prefix, const char *bucket, const char *key);
/* "5d41..." without the quotes, which belong to the header and not to the tag; NULL gives "". */
const char *su_plain_etag(struct sp_arena *a, const char *etag);
int su_bucket_check(const char *bucket, struct sp_error *err);
int su_object_check(const char *bucket, const char *key, struct sp_error *err);
int su_head(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    struct sp_object *out, struct sp_error *err);
int su_put(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key, sp_source_fn source,
    void *payload, const struct sp_put_opts *o, struct sp_object *out, struct sp_error *err);
int su_put_bytes(struct sp_session *s, const char *bucket, const char *key, const void *p, size_t n,
    const struct sp_put_opts *o, struct sp_error *err);
int su_put_check(const struct sp_session *s, const char *bucket, const char *key, const struct sp_put_opts *o,
    struct sp_error *err);
int su_base64(const char *text, char **out, struct sp_error *err);                     /* free() */
int su_bucket_discard(struct sp_session *s, const char *bucket, struct sp_error *err); /* an empty one */
/* ---- storage_upload.c ---- */
int su_upload_begin(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    const struct sp_put_opts *o, const char **id, struct sp_error *err);
int su_upload_part(
    struct sp_session *s, const char *id, unsigned part, const void *p, size_t n, struct sp_error *err);
int su_upload_complete(
    struct sp_session *s, struct sp_arena *a, const char *id, struct sp_object *out, struct sp_error *err);
int su_upload_abort(struct sp_session *s, const char *id, struct sp_error *err);
void su_upload_forget(struct su_upload *u);
int su_upload_offered(struct sp_session *s, bool *is, struct sp_error *err); /* as the service says */
/* ---- storage_probe.c ---- */
int su_storage_probe(struct sp_session *s, struct sp_error *err); /* fills unfit and lacks */
int su_lacks(const struct sp_session *s, enum sp_cap_id cap, struct sp_error *err); /* UNSUPPORTED, else 0 */
int su_bucket_known(struct sp_session *s, const char *bucket, struct sp_error *err);
int su_bucket_create(struct sp_session *s, const char *bucket, struct sp_error *err);
int su_bucket_drop(struct sp_session *s, const char *bucket, struct sp_error *err);
int su_bucket_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err);
int su_list(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **out, size_t *n,
    struct sp_error *err);
int su_remove(
    struct sp_session *s, const char *bucket, const char *const *keys, size_t n, struct sp_error *err);
int su_sign(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key, const char *method,
    int64_t seconds, const char **url, struct sp_error *err);
int su_fetch_signed(struct sp_session *s, const char *url, const char *method, int64_t now_offset_s,
    sp_source_fn source, void *source_payload, sp_sink_fn sink, void *sink_payload, struct sp_error *err);

#endif
