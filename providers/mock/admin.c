/* admin.c -- what an administrator does with users. */
#include "auth.h"

#include <string.h>

#include "model/json.h"

/* For the length of one administrator's call; on failure the lock is not held. */
static int enter(struct mock_session *s, struct sp_error *err)
{
    int rc = mock_owner_check(s, "administer users", err);
    if (rc == 0)
        mock_enter(s);
    return rc;
}

static int find(struct mock_session *s, const char *id, struct mock_user **u, struct sp_error *err)
{
    *u = mock_user_by_id(s->store, id);
    return *u == NULL ? mock_fail(err, SP_E_NOT_FOUND, "no user has the id \"%s\"", id) : 0;
}

int mock_claims_set(struct sp_session *ss, const char *id, const char *json, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_user *u;
    struct sp_error why = SP_ERROR_INIT;
    int rc = sp_json_check(json, strlen(json), &why);
    if (rc != 0 || json[strspn(json, " \t\r\n")] != '{')
        rc = mock_fail(err, SP_E_INVALID, "claims are a JSON object%s%s", rc == 0 ? "" : ": ",
            rc == 0 ? "" : sp_error_text(&why));
    sp_error_clear(&why);
    if (rc == 0)
        rc = enter(s, err);
    if (rc != 0)
        return rc;
    rc = find(s, id, &u, err);
    if (rc == 0)
        rc = mock_text_set(&u->claims, json, err);
    mock_leave(s);
    return rc;
}

int mock_admin_create(struct sp_session *ss, struct sp_arena *a, const char *email, const char *password,
    struct sp_user *out, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_user *u;
    int rc = enter(s, err);
    if (rc != 0)
        return rc;
    rc = mock_user_make(s->store, email, password, NULL, &u, err);
    if (rc == 0) {
        u->verified = true;
        rc = mock_user_give(a, u, out, err);
    }
    mock_leave(s);
    return rc;
}

int mock_admin_get(
    struct sp_session *ss, struct sp_arena *a, const char *id, struct sp_user *out, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_user *u;
    int rc = enter(s, err);
    if (rc != 0)
        return rc;
    rc = find(s, id, &u, err);
    if (rc == 0)
        rc = mock_user_give(a, u, out, err);
    mock_leave(s);
    return rc;
}

/* The cursor is the last id of the page before. */
static int page(struct mock_session *s, struct sp_arena *a, const char **cursor, size_t limit,
    struct sp_user **out, size_t *n, struct sp_error *err)
{
    size_t cap = 0, count = 0;
    struct sp_user *users = NULL;
    const struct mock_user *u = s->store->users == NULL ? NULL : s->store->users->first;
    while (u != NULL && *cursor != NULL && strcmp(u->id, *cursor) <= 0)
        u = u->next;
    for (; u != NULL && count < limit; u = u->next, count++) {
        if (count == cap) {
            users = sp_arena_grow(a, users, &cap, count + 1, sizeof *users);
            if (users == NULL)
                return sp_nomem(err);
        }
        int rc = mock_user_give(a, u, &users[count], err);
        if (rc != 0)
            return rc;
    }
    *cursor = u == NULL ? NULL : users[count - 1].id;
    *out = users;
    *n = count;
    return 0;
}

int mock_admin_list(struct sp_session *ss, struct sp_arena *a, const char **cursor, size_t limit,
    struct sp_user **out, size_t *n, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    int rc = enter(s, err);
    if (rc != 0)
        return rc;
    rc = page(s, a, cursor, limit, out, n, err);
    mock_leave(s);
    return rc;
}

int mock_admin_disable(struct sp_session *ss, const char *id, bool disabled, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_user *u;
    int rc = enter(s, err);
    if (rc != 0)
        return rc;
    rc = find(s, id, &u, err);
    if (rc == 0)
        u->disabled = disabled;
    mock_leave(s);
    return rc;
}

int mock_admin_delete(struct sp_session *ss, const char *id, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_user *u;
    int rc = enter(s, err);
    if (rc != 0)
        return rc;
    rc = find(s, id, &u, err);
    if (rc == 0)
        mock_user_unmake(s->store, u);
    mock_leave(s);
    return rc;
}
