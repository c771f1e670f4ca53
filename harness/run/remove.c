/* remove.c -- removing what a run made. Objects that are gone already are fine. */
#include "run/journal.h"

#include <string.h>
#include <strings.h>

#define PAGE      200
#define PAGES_MAX 100000u

static int gone_is_fine(int rc, struct sp_error *err)
{
    if (rc != -SP_E_NOT_FOUND)
        return rc;
    sp_error_clear(err);
    return 0;
}

static int remove_table(
    struct sp_session *s, const struct sp_object_ref *o, const char *ns, struct sp_error *err)
{
    int rc = 0;
    if (!sp_streq(o->ns, ns))
        rc = sp_db_ns_use(s, o->ns, err);
    if (rc == 0)
        rc = sp_db_table_drop(s, o->name, err);
    return gone_is_fine(rc, err);
}

static int remove_namespace(struct sp_session *s, const char *name, struct sp_error *err)
{
    int rc = sp_db_ns_use(s, NULL, err);
    return rc == 0 ? gone_is_fine(sp_db_ns_drop(s, name, err), err) : rc;
}

/* The id of the user with this e-mail, "" if there is none. */
static int find_user(
    struct sp_session *s, struct sp_arena *a, const char *email, const char **id, struct sp_error *err)
{
    const char *cursor = NULL;
    *id = "";
    for (unsigned page = 0; page < PAGES_MAX; page++) {
        struct sp_user *users = NULL;
        size_t n = 0;
        int rc = sp_auth_admin_list(s, a, &cursor, PAGE, &users, &n, err);
        if (rc != 0)
            return rc;
        for (size_t i = 0; i < n; i++) {
            if (users[i].email != NULL && strcasecmp(users[i].email, email) == 0) {
                *id = users[i].id;
                return 0;
            }
        }
        if (cursor == NULL)
            return 0;
    }
    return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "the list of users does not end");
}

static int remove_user(struct sp_session *s, const char *email, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    const char *id = "";
    int rc = sp_auth_user_remove(s, email, err);
    if (rc != -SP_E_UNSUPPORTED)
        return rc;
    sp_error_clear(err);
    rc = find_user(s, &a, email, &id, err);
    if (rc == 0 && *id != '\0')
        rc = gone_is_fine(sp_auth_admin_delete(s, id, err), err);
    sp_arena_free(&a);
    return rc;
}

int sp_object_remove(
    struct sp_session *s, const struct sp_object_ref *o, const char *ns, struct sp_error *err)
{
    int rc;
    if (strcmp(o->type, "namespace") == 0)
        rc = remove_namespace(s, o->name, err);
    else if (strcmp(o->type, "table") == 0)
        rc = remove_table(s, o, ns, err);
    else if (strcmp(o->type, "bucket") == 0)
        rc = gone_is_fine(sp_blob_bucket_drop(s, o->name, err), err);
    else if (strcmp(o->type, "email") == 0)
        rc = remove_user(s, o->name, err);
    else if (strcmp(o->type, "role") == 0)
        rc = gone_is_fine(sp_db_role_drop(s, o->name, err), err);
    else
        rc = sp_invalid(err, "unknown type of object");
    return rc == 0 ? 0 : sp_error_prefix(err, "removing %s %s", o->type, o->name);
}
