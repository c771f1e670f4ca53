/* auth_admin.c -- what the service key may do with accounts: create, list, disable, delete, set claims. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/value.h"
#include "provider_call.h"
#include "providers/lib/sign/jwt.h"
#include "providers/supabase/internal.h"

#define LIST_PAGE  1000
#define LIST_MOST  500000 /* accounts that one listing holds in memory, some hundred bytes each */
#define FOREVER    "876000h"
#define TOKEN_MOST 65536 /* bytes of a token that is looked into */

int su_user_id(const char *id, struct sp_error *err)
{
    size_t n = strlen(id);
    bool ok = n == 36;
    for (size_t i = 0; ok && i < n; i++)
        ok = i == 8 || i == 13 || i == 18 || i == 23 ? id[i] == '-'
                                                     : strchr("0123456789abcdefABCDEF", id[i]) != NULL;
    return ok ? 0 : sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no user has such an id");
}

int su_admin_offered(const struct sp_session *s, struct sp_error *err)
{
    int rc = su_offered(s, SU_AUTH, err);
    if (rc == 0 && s->no_admin)
        rc = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "%s", SU_NO_ADMIN);
    return rc;
}

static int user_call(struct sp_session *s, const char *method, const char *id, const json_t *body,
    json_t **out, struct sp_error *err)
{
    char target[64];
    struct su_call c = { .service = SU_AUTH,
        .role = SU_ADMIN,
        .method = method,
        .target = target,
        .body = body,
        .again = strcmp(method, "DELETE") != 0 };
    int rc = su_admin_offered(s, err);
    if (rc == 0)
        rc = su_user_id(id, err);
    (void)snprintf(target, sizeof target, "/admin/users/%.36s", id);
    return rc != 0 ? rc : su_json(s, &c, out, err);
}

int su_admin_create(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    struct sp_user *out, struct sp_error *err)
{
    json_t *answer = NULL,
           *body = json_pack("{s:s, s:s, s:b}", "email", email, "password", password, "email_confirm", 1);
    struct su_call c = {
        .service = SU_AUTH, .role = SU_ADMIN, .method = "POST", .target = "/admin/users", .body = body
    };
    int rc = su_admin_offered(s, err);
    if (rc == 0 && body == NULL)
        rc = sp_invalid(err, "e-mail or password is not valid UTF-8");
    if (rc == 0)
        rc = su_json(s, &c, &answer, err);
    if (rc == 0)
        rc = su_user(answer, a, out, err);
    json_decref(answer);
    json_decref(body);
    return rc;
}

int su_admin_get(
    struct sp_session *s, struct sp_arena *a, const char *user_id, struct sp_user *out, struct sp_error *err)
{
    json_t *answer = NULL;
    int rc = user_call(s, "GET", user_id, NULL, &answer, err);
    if (rc == 0)
        rc = su_user(answer, a, out, err);
    json_decref(answer);
    return rc;
}

int su_admin_disable(struct sp_session *s, const char *user_id, bool disabled, struct sp_error *err)
{
    json_t *body = json_pack("{s:s}", "ban_duration", disabled ? FOREVER : "none");
    int rc = body == NULL ? sp_nomem(err) : user_call(s, "PUT", user_id, body, NULL, err);
    json_decref(body);
    return rc;
}

int su_admin_delete(struct sp_session *s, const char *user_id, struct sp_error *err)
{
    return user_call(s, "DELETE", user_id, NULL, NULL, err);
}

int su_user_remove(struct sp_session *s, const char *email, struct sp_error *err)
{
    struct sp_value v = sp_v_text(email);
    struct sp_op op = { .kind = SP_OP_RAW,
        .raw = "DELETE FROM auth.users WHERE lower(email) = lower($1)",
        .values = &v,
        .nfields = 1 };
    struct sp_session *sql = s->db.sql != NULL ? s->db.sql : s->db.alike;
    if (!s->no_admin || sql == NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "users are removed by the service's own administration");
    int rc = sp_db_exec(sql, &op, NULL, err);
    return rc == 0 ? 0 : sp_error_prefix(err, "db_url");
}

/* ---- claims ------------------------------------------------------------------------------------------------------- */

/* GoTrue adds what it gets to what is there: what is there and no longer wanted is taken away by null. */
int su_claims_set(
    struct sp_session *s, const char *user_id, const char *json_object_text, struct sp_error *err)
{
    json_t *wanted = json_loads(json_object_text, JSON_REJECT_DUPLICATES, NULL), *user = NULL, *body = NULL;
    const char *name;
    json_t *value;
    int rc = su_admin_offered(s, err);
    if (rc == 0 && !json_is_object(wanted))
        rc = sp_invalid(err, "claims are a JSON object");
    if (rc != 0) {
        json_decref(wanted);
        return rc;
    }
    rc = user_call(s, "GET", user_id, NULL, &user, err);
    json_object_foreach(json_object_get(user, "app_metadata"), name, value)
    {
        if (json_object_get(wanted, name) == NULL && strcmp(name, "provider") != 0 &&
            strcmp(name, "providers") != 0)
            json_object_set_new(wanted, name, json_null());
    }
    if (rc == 0) {
        body = json_pack("{s:O}", "app_metadata", wanted);
        rc = body == NULL ? sp_nomem(err) : user_call(s, "PUT", user_id, body, NULL, err);
    }
    json_decref(body);
    json_decref(user);
    json_decref(wanted);
    return rc;
}

int su_claims_of(
    struct sp_session *s, struct sp_arena *a, const char *access, const char **out, struct sp_error *err)
{
    struct sp_buf payload = SP_BUF_INIT;
    json_t *v = NULL;
    int rc = su_auth_ops.user_get(s, a, access, NULL, err); /* the server checks signature and end */
    if (rc == 0 && (strlen(access) > TOKEN_MOST || sp_jwt_peek(&payload, access, NULL) != 0 ||
                       (v = json_loadb(payload.p, payload.n, JSON_REJECT_DUPLICATES, NULL)) == NULL))
        rc = su_no_json(SU_AUTH, err);
    if (rc == 0)
        rc = su_own_claims(v, a, out, err);
    json_decref(v);
    sp_buf_free(&payload);
    return rc;
}

/* ---- the list ----------------------------------------------------------------------------------------------------- */

void su_accounts_free(struct su_accounts *l)
{
    sp_arena_free(&l->arena);
    *l = (struct su_accounts){ .arena = SP_ARENA_INIT };
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct sp_user *)a)->id, ((const struct sp_user *)b)->id);
}

static bool same_page(const struct sp_user *a, const struct sp_user *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(a[i].id, b[i].id) != 0)
            return false;
    return true;
}

static int one_page(
    struct sp_session *s, struct su_accounts *l, size_t page, size_t *got, struct sp_error *err)
{
    char target[64];
    json_t *answer = NULL, *user;
    size_t i;
    struct su_call c = {
        .service = SU_AUTH, .role = SU_ADMIN, .method = "GET", .target = target, .again = true
    };
    struct sp_http_request q = { .method = NULL };
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    (void)snprintf(target, sizeof target, "/admin/users?page=%zu&per_page=%d", page, LIST_PAGE);
    int rc = su_send(s, &c, &q, &r, err);
    if (rc == 0)
        rc = su_answer(s, &c, &q, &r, &answer, err);
    const char *total = rc == 0 ? sp_http_header(&r, "x-total-count") : NULL;
    if (total != NULL && !sp_parse_u64(total, &l->announced))
        rc = su_no_json(SU_AUTH, err);
    sp_http_response_free(&r);
    const json_t *users = json_object_get(answer, "users");
    if (rc == 0 && !json_is_array(users))
        rc = su_no_json(SU_AUTH, err);
    *got = json_array_size(users);
    json_array_foreach(users, i, user)
    {
        if (rc == 0) {
            struct sp_user *v = sp_arena_grow(&l->arena, l->v, &l->cap, l->n + 1, sizeof *v);
            rc = v == NULL ? sp_nomem(err) : su_user(user, &l->arena, &v[l->n], err);
            if (v != NULL)
                l->v = v;
            l->n += rc == 0 ? 1 : 0;
        }
    }
    json_decref(answer);
    return rc;
}

/* The server lists by the time of creation, the newest first, in pages counted from there: who signs up meanwhile moves
 * everybody, so that an account is seen twice; who is deleted moves them the other way, and one is passed over. A page
 * that comes again, whatever is asked for, would go on for ever. */
static int list_once(struct sp_session *s, struct su_accounts *l, struct sp_error *err)
{
    size_t got = LIST_PAGE, kept = 0;
    int rc = 0;
    *l = (struct su_accounts){ .arena = SP_ARENA_INIT, .announced = UINT64_MAX };
    for (size_t page = 1, from = 0; rc == 0 && got > 0; page++) {
        size_t at = l->n;
        rc = one_page(s, l, page, &got, err);
        l->pages += got > 0 ? 1 : 0;
        if (rc == 0 && got > 0 && page > 1 && got == at - from && same_page(&l->v[from], &l->v[at], got))
            rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
                "page %zu of the list of accounts is page %zu once more", page, page - 1);
        from = at;
        if (rc == 0 && l->n > LIST_MOST)
            rc = sp_fail(
                err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS, "more than %d accounts are not listed", LIST_MOST);
    }
    if (l->n > 1)
        qsort(l->v, l->n, sizeof *l->v, by_id);
    for (size_t i = 0; i < l->n; i++)
        if (i == 0 || strcmp(l->v[i].id, l->v[kept - 1].id) != 0)
            l->v[kept++] = l->v[i];
    l->doubtful = l->n != kept || (l->announced != UINT64_MAX && l->announced != kept);
    l->n = kept;
    return rc;
}

static bool same_ids(const struct su_accounts *a, const struct su_accounts *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->v[i].id, b->v[i].id) != 0)
            return false;
    return true;
}

/* Listed until two listings in a row agree. One page alone is one answer of the server, and stands by itself if it is
 * all that the server announced. */
static int list_all(struct sp_session *s, struct sp_error *err)
{
    struct su_accounts before = { .arena = SP_ARENA_INIT };
    su_accounts_free(&s->accounts);
    int rc = list_once(s, &s->accounts, err);
    for (int turn = 0; rc == 0 && (s->accounts.pages > 1 || s->accounts.doubtful); turn++) {
        before = s->accounts;
        rc = list_once(s, &s->accounts, err);
        bool same = rc == 0 && !s->accounts.doubtful && same_ids(&before, &s->accounts);
        su_accounts_free(&before);
        if (same)
            break;
        if (rc == 0 && turn == 4)
            rc = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
                "the accounts changed each time they were listed, or were not as many as the server said; "
                "list them "
                "when fewer sign up");
    }
    return rc;
}

/* The first account behind this id. */
static size_t behind(const struct su_accounts *l, const char *id)
{
    size_t lo = 0, hi = l->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(l->v[mid].id, id) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int copy_user(struct sp_arena *a, const struct sp_user *in, struct sp_user *out)
{
    *out = *in;
    out->id = sp_arena_str(a, in->id);
    out->email = sp_arena_str(a, in->email);
    out->name = sp_arena_str(a, in->name);
    out->claims = sp_arena_str(a, in->claims);
    out->profile = sp_arena_str(a, in->profile);
    bool all = out->id != NULL && out->email != NULL && out->name != NULL && out->claims != NULL &&
               out->profile != NULL;
    return all ? 0 : -SP_E_NOMEM;
}

int su_admin_list(struct sp_session *s, struct sp_arena *a, const char **cursor, size_t limit,
    struct sp_user **out, size_t *n, struct sp_error *err)
{
    *out = NULL;
    *n = 0;
    if (limit == 0)
        return sp_invalid(err, "a page of users holds at least one");
    int rc = su_admin_offered(s, err);
    if (rc == 0 && (*cursor == NULL || !s->listed))
        rc = list_all(s, err);
    if (rc != 0)
        return rc;
    s->listed = true;
    const struct su_accounts *l = &s->accounts;
    size_t at = *cursor == NULL ? 0 : behind(l, *cursor);
    size_t take = limit < l->n - at ? limit : l->n - at;
    struct sp_user *users = sp_arena_array(a, take + 1, sizeof *users);
    if (users == NULL)
        return sp_nomem(err);
    for (; *n < take; ++*n)
        if (copy_user(a, &l->v[at + *n], &users[*n]) != 0)
            return sp_nomem(err);
    *out = users;
    *cursor = at + take < l->n ? users[take - 1].id : NULL;
    return 0;
}
