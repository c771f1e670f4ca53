/* stop.c -- an operation that was given up here may go on there: a server ends a read whose client has gone, a write it
 * finishes, perhaps much later. So it is looked for by the address of its connection, and killed. Best effort: whether the
 * write was made stays unknown. */
#include "providers/mongodb/internal.h"

#define STOP_MS 2000

/* Is this the operation of the connection that was cut? */
static bool is_ours(const bson_iter_t *op, const char *address, bson_iter_t *id)
{
    bson_iter_t it;
    if (!bson_iter_recurse(op, &it) || !bson_iter_find(&it, "client") || !BSON_ITER_HOLDS_UTF8(&it) ||
        !sp_streq(bson_iter_utf8(&it, NULL), address))
        return false;
    return bson_iter_recurse(op, id) && bson_iter_find(id, "opid");
}

static void kill_one(struct sp_session *s, const bson_iter_t *id)
{
    bson_t cmd = BSON_INITIALIZER;
    bool ok = BSON_APPEND_INT32(&cmd, "killOp", 1) && bson_append_iter(&cmd, "op", -1, id);
    if (ok) /* on a sharded cluster the id is a text */
        (void)mongoc_client_command_simple(s->client, "admin", &cmd, NULL, NULL, NULL);
    bson_destroy(&cmd);
}

void mo_stop(struct sp_session *s)
{
    bson_t reply, *cmd;
    bson_iter_t it, list, id;
    int64_t deadline = s->deadline_ns;
    if (s->cut[0] == '\0')
        return;
    mo_drain_bell(s);
    s->deadline_ns = mo_now_ns() + (int64_t)STOP_MS * 1000000;
    cmd = BCON_NEW("currentOp", BCON_INT32(1), "$ownOps", BCON_BOOL(true));
    if (cmd != NULL) {
        bool ok = mongoc_client_command_simple(s->client, "admin", cmd, NULL, &reply, NULL);
        if (ok && bson_iter_init_find(&it, &reply, "inprog") && BSON_ITER_HOLDS_ARRAY(&it) &&
            bson_iter_recurse(&it, &list))
            while (bson_iter_next(&list))
                if (is_ours(&list, s->cut, &id))
                    kill_one(s, &id);
        bson_destroy(&reply);
        bson_destroy(cmd);
    }
    s->cut[0] = '\0';
    s->deadline_ns = deadline;
}
