/* roles_ask.c -- what a server does with users: tried with a user that has a privilege on one collection, and asks for another.
 * Neither collection is made. The user is dropped at once; one that a killed process left is dropped by the next one that
 * asks. */
#include <string.h>

#include "providers/lib/object.h"
#include "providers/mongodb/internal.h"

static void deny(struct sp_cap out[SP_CAP_N], bool all, enum sp_cap_level level, const char *why)
{
    static const enum sp_cap_id ids[] = { SP_CAP_TABLE_GRANTS, SP_CAP_ROLES, SP_CAP_ROLE_PASSWORD };
    for (size_t i = 0; i < (all ? SP_LEN(ids) : 1); i++)
        out[ids[i]] = (struct sp_cap){ .level = (uint8_t)level, .why = why };
}

/* Did anybody have to sign in? */
bool mo_is_controlled(struct sp_session *s)
{
    bson_t reply, *cmd = BCON_NEW("connectionStatus", BCON_INT32(1));
    bson_iter_t it, users;
    if (cmd == NULL)
        return false;
    int ret = mo_command(s, "admin", cmd, MO_PLAIN, "connectionStatus", &reply, NULL);
    bool some = ret == 0 && bson_iter_init(&it, &reply) &&
                bson_iter_find_descendant(&it, "authInfo.authenticatedUsers", &users) &&
                BSON_ITER_HOLDS_ARRAY(&users) && bson_iter_recurse(&users, &it) && bson_iter_next(&it);
    bson_destroy(&reply);
    bson_destroy(cmd);
    return some;
}

static void drop_stale(struct sp_session *s)
{
    bson_t reply, *cmd = BCON_NEW("usersInfo", BCON_INT32(1));
    bson_iter_t it, user;
    if (cmd == NULL)
        return;
    int ret = mo_command(s, mo_users_db(s), cmd, MO_PLAIN, "usersInfo", &reply, NULL);
    if (ret == 0 && bson_iter_init_find(&it, &reply, "users") && BSON_ITER_HOLDS_ARRAY(&it) &&
        bson_iter_recurse(&it, &user)) {
        while (bson_iter_next(&user))
            if (bson_iter_recurse(&user, &it) && bson_iter_find(&it, "user") && BSON_ITER_HOLDS_UTF8(&it) &&
                mo_probe_stale(bson_iter_utf8(&it, NULL)))
                (void)mo_role_drop(s, bson_iter_utf8(&it, NULL), NULL);
    }
    bson_destroy(&reply);
    bson_destroy(cmd);
}

static int find_in(struct sp_session *s, const char *db, const char *collection, struct sp_error *err)
{
    bson_t *cmd =
        BCON_NEW("find", BCON_UTF8(collection), "limit", BCON_INT32(1), "singleBatch", BCON_BOOL(true));
    if (cmd == NULL)
        return sp_nomem(err);
    int ret = mo_command(s, db, cmd, MO_PLAIN, "find", NULL, err);
    bson_destroy(cmd);
    return ret;
}

static void try_as(struct sp_session *s, struct sp_cap out[SP_CAP_N], const char *name, const char *password)
{
    struct sp_endpoint e = *s->base.endpoint;
    struct sp_session *probe = NULL;
    e.user = name;
    e.password = password;
    int ret = mo_open(&probe, &e, NULL);
    int own = ret == 0 ? find_in(probe, s->default_ns, MO_PROBE "a", NULL) : ret;
    int other = own == 0 ? find_in(probe, s->default_ns, MO_PROBE "b", NULL) : 0;
    if (own != 0)
        deny(out, false, SP_CAP_UNKNOWN, "a user made for asking could not use its privilege");
    else if (other == 0)
        deny(out, false, SP_CAP_NO,
            "asked: on this server a privilege on one collection holds for its whole database");
    else if (other != -SP_E_PERMISSION)
        deny(out, false, SP_CAP_UNKNOWN, "a user made for asking got no answer");
    mo_close(probe);
}

void mo_ask_roles(struct sp_session *s, struct sp_cap out[SP_CAP_N])
{
    char name[64], password[33];
    if (!mo_is_controlled(s)) {
        deny(out, true, SP_CAP_NO, "this server controls no access: whoever reaches it may do everything");
        return;
    }
    if (s->base.endpoint->access != SP_ACCESS_DISPOSABLE || s->cs != NULL) {
        deny(out, false, SP_CAP_UNKNOWN,
            "asking makes a user, which is done only where the access is disposable");
        return;
    }
    if (sp_object_random_hex(password, NULL) != 0)
        return;
    mo_probe_name(name);
    const struct sp_grant g = { .role = name, .table = MO_PROBE "a", .privileges = SP_PRIV_SELECT };
    drop_stale(s);
    int ret = mo_role_make(s, name, password, NULL);
    if (ret != 0) {
        deny(out, true, ret == -SP_E_PERMISSION ? SP_CAP_NO : SP_CAP_UNKNOWN,
            ret == -SP_E_PERMISSION ? "this user may not create users"
                                    : "whether users can be created got no answer");
        return;
    }
    if (mo_privileges(s, s->default_ns, &g, true, NULL) == 0)
        try_as(s, out, name, password);
    else
        deny(out, true, SP_CAP_NO, "this user may not grant privileges");
    (void)mo_role_drop(s, name, NULL);
}
