/* roles.c -- database users: a user for the password, beside whose own database stands a role of the same name in `admin` for
 * what the user may do. The server makes the verifiers, so that it has to be told the password; use TLS. */
#include <string.h>

#include "providers/mongodb/internal.h"

#define ROLES_DB "admin" /* a role of another database could not reach beyond that one */

/* Where users of this session's URL are looked for. */
const char *mo_users_db(const struct sp_session *s)
{
    const char *db = mongoc_uri_get_auth_source(s->uri);
    return db == NULL || *db == '\0' ? ROLES_DB : db;
}

/* One command that is given up together with its document. */
static int run(struct sp_session *s, const char *db, bson_t *cmd, const char *what, struct sp_error *err)
{
    if (cmd == NULL)
        return sp_nomem(err);
    int ret = mo_command(s, db, cmd, MO_PLAIN, what, NULL, err);
    bson_destroy(cmd);
    return ret;
}

static int drop_user(struct sp_session *s, const char *role, struct sp_error *err)
{
    return run(s, mo_users_db(s), BCON_NEW("dropUser", BCON_UTF8(role)), "dropUser", err);
}

static int drop_role(struct sp_session *s, const char *role, struct sp_error *err)
{
    return run(s, ROLES_DB, BCON_NEW("dropRole", BCON_UTF8(role)), "dropRole", err);
}

static int enter(struct sp_session *s, struct sp_error *err)
{
    mo_begin_statement(s);
    if (s->in_txn || s->in_snapshot)
        return sp_invalid(err, "a transaction or snapshot is open; change users outside of it");
    return mo_writable(s, err);
}

/* What a server without access control may be told, but does not mean. */
static int enter_controlled(struct sp_session *s, struct sp_error *err)
{
    int ret = enter(s, err);
    if (ret == 0 && !mo_is_controlled(s))
        ret = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "this server controls no access: a user of it could do everything (%s)", s->where);
    return ret;
}

/* The user first: it is what somebody else may have made. A new role sees which databases there are, and nothing in them. */
int mo_role_make(struct sp_session *s, const char *role, const char *password, struct sp_error *err)
{
    int ret = run(s, mo_users_db(s),
        BCON_NEW("createUser", BCON_UTF8(role), "pwd", BCON_UTF8(password), "roles", "[", "]"), "createUser",
        err);
    if (ret != 0)
        return ret;
    ret = run(s, ROLES_DB,
        BCON_NEW("createRole", BCON_UTF8(role), "privileges", "[", "{", "resource", "{", "cluster",
            BCON_BOOL(true), "}", "actions", "[", BCON_UTF8("listDatabases"), "]", "}", "]", "roles", "[",
            "]"),
        "createRole", err);
    bool made = ret == 0;
    if (ret == 0)
        ret = run(s, mo_users_db(s),
            BCON_NEW("grantRolesToUser", BCON_UTF8(role), "roles", "[", "{", "role", BCON_UTF8(role), "db",
                BCON_UTF8(ROLES_DB), "}", "]"),
            "grantRolesToUser", err);
    if (ret != 0) {
        (void)drop_user(s, role, NULL);
        if (made)
            (void)drop_role(s, role, NULL);
    }
    return ret;
}

int mo_role_create(struct sp_session *s, const char *role, const char *password, struct sp_error *err)
{
    int ret = enter_controlled(s, err);
    return ret != 0 ? ret : mo_role_make(s, role, password, err);
}

int mo_role_drop(struct sp_session *s, const char *role, struct sp_error *err)
{
    struct sp_error second = SP_ERROR_INIT;
    int ret = enter(s, err);
    if (ret != 0)
        return ret;
    ret = drop_user(s, role, err);
    if (ret != 0 && ret != -SP_E_NOT_FOUND)
        return ret;
    int rest = drop_role(s, role, &second); /* also what is left of a drop that was cut off */
    if (rest != 0 && rest != -SP_E_NOT_FOUND && err != NULL) {
        sp_error_clear(err);
        sp_error_move(err, &second);
        ret = rest;
    } else if (rest == 0 && ret != 0) {
        sp_error_clear(err);
        ret = 0;
    }
    sp_error_clear(&second);
    return ret;
}

int mo_role_change(
    struct sp_session *s, const char *role, const struct sp_role_change *c, struct sp_error *err)
{
    if (c->sign_in != SP_KEEP)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "MongoDB cannot lock a user");
    if (c->password_until != NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "a password of MongoDB has no end");
    if (c->bypass != SP_KEEP)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "MongoDB has no row security");
    int ret = enter_controlled(s, err);
    if (ret != 0 || c->password == NULL)
        return ret;
    return run(s, mo_users_db(s), BCON_NEW("updateUser", BCON_UTF8(role), "pwd", BCON_UTF8(c->password)),
        "updateUser", err);
}

/* {resource: {db, collection}, actions: [...]} */
static bool put_privilege(bson_t *list, const char *index, const char *db, const char *collection,
    const char *const *actions, size_t n)
{
    bson_t one, resource, names;
    char text[16];
    const char *key;
    bool ok = BSON_APPEND_DOCUMENT_BEGIN(list, index, &one) &&
              BSON_APPEND_DOCUMENT_BEGIN(&one, "resource", &resource) &&
              BSON_APPEND_UTF8(&resource, "db", db) &&
              BSON_APPEND_UTF8(&resource, "collection", collection) &&
              bson_append_document_end(&one, &resource) && BSON_APPEND_ARRAY_BEGIN(&one, "actions", &names);
    for (uint32_t i = 0; ok && i < n; i++) {
        (void)bson_uint32_to_string(i, &key, text, sizeof text);
        ok = bson_append_utf8(&names, key, -1, actions[i], -1);
    }
    return ok && bson_append_array_end(&one, &names) && bson_append_document_end(list, &one);
}

/* On the collection; and, to find it at all, on the list of them. */
static bool put_privileges(bson_t *list, const char *db, const struct sp_grant *g, bool give)
{
    static const struct {
        unsigned bit;
        const char *action;
    } names[] = { { SP_PRIV_SELECT, "find" }, { SP_PRIV_INSERT, "insert" }, { SP_PRIV_UPDATE, "update" },
        { SP_PRIV_DELETE, "remove" } };
    static const char *const see[] = { "listCollections" };
    const char *actions[SP_LEN(names)];
    size_t n = 0;
    for (size_t i = 0; i < SP_LEN(names); i++)
        if ((g->privileges & names[i].bit) != 0)
            actions[n++] = names[i].action;
    return put_privilege(list, "0", db, g->table, actions, n) &&
           (!give || put_privilege(list, "1", db, "", see, 1));
}

int mo_privileges(
    struct sp_session *s, const char *db, const struct sp_grant *g, bool give, struct sp_error *err)
{
    const char *command = give ? "grantPrivilegesToRole" : "revokePrivilegesFromRole";
    bson_t cmd = BSON_INITIALIZER, list = BSON_INITIALIZER;
    bool ok = put_privileges(&list, db, g, give) && BSON_APPEND_UTF8(&cmd, command, g->role) &&
              BSON_APPEND_ARRAY(&cmd, "privileges", &list);
    int ret = ok ? mo_command(s, ROLES_DB, &cmd, MO_PLAIN, command, NULL, err) : sp_nomem(err);
    bson_destroy(&cmd);
    bson_destroy(&list);
    return ret;
}

static int change(struct sp_session *s, const struct sp_grant *g, bool give, struct sp_error *err)
{
    const struct mo_table *t;
    if (g->columns != NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "MongoDB grants no privileges on fields");
    int ret = enter_controlled(s, err);
    if (ret == 0)
        ret = mo_table_find(s, NULL, g->table, &t, err);
    return ret != 0 ? ret : mo_privileges(s, t->db, g, give, err);
}

int mo_role_grant(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    return change(s, g, true, err);
}

int mo_role_revoke(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    return change(s, g, false, err);
}
