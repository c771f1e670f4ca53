/* inventory.c -- what is there beside collections, so that verify can say that it was not compared. */
#include <stdlib.h>
#include <string.h>

#include "providers/mongodb/internal.h"

int mo_item_add(struct mo_items *l, const char *kind, const char *name, const char *table,
    const char *definition, struct sp_error *err)
{
    l->v = sp_arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof *l->v);
    if (l->v == NULL)
        return sp_nomem(err);
    struct sp_inventory_item *x = &l->v[l->n];
    *x = (struct sp_inventory_item){ .kind = kind,
        .name = sp_arena_str(l->a, name),
        .table = sp_arena_str(l->a, table),
        .definition = definition };
    if (x->name == NULL)
        return sp_nomem(err);
    l->n++;
    return 0;
}

static int by_kind_and_name(const void *a, const void *b)
{
    const struct sp_inventory_item *x = a, *y = b;
    int c = strcmp(x->kind, y->kind);
    return c != 0 ? c : strcmp(x->name, y->name);
}

void mo_items_sort(struct mo_items *l)
{
    if (l->n > 1)
        qsort(l->v, l->n, sizeof *l->v, by_kind_and_name);
}

/* A role of the same database by its name alone, so that it is the same in a copy of another name. */
static bool put_roles(bson_t *words, const bson_t *doc, const char *db)
{
    bson_iter_t roles, list, it;
    bson_t out;
    bool ok = bson_iter_init_find(&roles, doc, "roles") && BSON_ITER_HOLDS_ARRAY(&roles) &&
              bson_iter_recurse(&roles, &list) && BSON_APPEND_ARRAY_BEGIN(words, "roles", &out);
    while (ok && bson_iter_next(&list)) {
        bool here = BSON_ITER_HOLDS_DOCUMENT(&list) && bson_iter_recurse(&list, &it) &&
                    bson_iter_find(&it, "db") && BSON_ITER_HOLDS_UTF8(&it) &&
                    strcmp(bson_iter_utf8(&it, NULL), db) == 0;
        if (here && bson_iter_recurse(&list, &it) && bson_iter_find(&it, "role") && BSON_ITER_HOLDS_UTF8(&it))
            ok = BSON_APPEND_UTF8(&out, bson_iter_key(&list), bson_iter_utf8(&it, NULL));
        else
            ok = bson_append_iter(&out, NULL, 0, &list);
    }
    return ok && bson_append_array_end(words, &out);
}

/* {createUser, roles}: without the password, which nobody can read. */
static int user(struct mo_items *l, const bson_t *doc, const char *db, struct sp_error *err)
{
    bson_t words = BSON_INITIALIZER;
    bson_iter_t it;
    const char *name = NULL, *text = NULL;
    if (bson_iter_init_find(&it, doc, "user") && BSON_ITER_HOLDS_UTF8(&it))
        name = bson_iter_utf8(&it, NULL);
    if (name != NULL && BSON_APPEND_UTF8(&words, "createUser", name) && put_roles(&words, doc, db))
        text = mo_json_text(l->a, &words);
    bson_destroy(&words);
    return text == NULL ? mo_corrupt("usersInfo", err) : mo_item_add(l, "user", name, NULL, text, err);
}

int mo_inventory_users(struct sp_session *s, const char *db, struct mo_items *l, struct sp_error *err)
{
    struct sp_error none = SP_ERROR_INIT;
    bson_t reply, one, *cmd = BCON_NEW("usersInfo", BCON_INT32(1));
    bson_iter_t it, list;
    const uint8_t *p;
    uint32_t n;
    if (cmd == NULL)
        return sp_nomem(err);
    int rc = mo_command(s, db, cmd, MO_PLAIN, "usersInfo", &reply, &none);
    bool lost = rc == -SP_E_UNAVAILABLE || rc == -SP_E_TIMEOUT || rc == -SP_E_CANCELLED;
    if (lost && err != NULL)
        sp_error_move(err, &none);
    int ret = lost ? rc : 0;
    if (!lost && rc != 0 &&
        rc != -SP_E_UNSUPPORTED) { /* a server that does not know the command has no users */
        ret = mo_item_add(l, "user", "*", NULL, NULL, err);
        if (ret == 0)
            l->v[l->n - 1].unread = "this connection may not list the users of the database";
    }
    if (rc == 0 && bson_iter_init_find(&it, &reply, "users") && BSON_ITER_HOLDS_ARRAY(&it) &&
        bson_iter_recurse(&it, &list)) {
        while (ret == 0 && bson_iter_next(&list)) {
            if (!BSON_ITER_HOLDS_DOCUMENT(&list))
                continue;
            bson_iter_document(&list, &n, &p);
            ret = bson_init_static(&one, p, n) ? user(l, &one, db, err) : mo_corrupt("usersInfo", err);
        }
    }
    sp_error_clear(&none);
    bson_destroy(&reply);
    bson_destroy(cmd);
    return ret;
}
