/* stop.c -- an operation that was given up here may go on there: a server ends a read whose client has gone, a write it
 * finishes, perhaps much later. So it is looked for by the address of its connection, and killed. Best effort: whether the
 * write was made stays unknown. */
#include <time.h>

#include "providers/mongodb/internal.h"

#define STOP_MS  2000
#define AGAIN_MS 20

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

/* false: there is none of ours, as far as the server says. */
static bool kill_ours(struct sp_session *s)
{
    bson_t reply, *cmd = BCON_NEW("currentOp", BCON_INT32(1), "$ownOps", BCON_BOOL(true));
    bson_iter_t it, list, id;
    bool any = false;
    if (cmd == NULL)
        return false;
    if (mongoc_client_command_simple(s->client, "admin", cmd, NULL, &reply, NULL) &&
        bson_iter_init_find(&it, &reply, "inprog") && BSON_ITER_HOLDS_ARRAY(&it) &&
        bson_iter_recurse(&it, &list))
        while (bson_iter_next(&list))
            if (is_ours(&list, s->cut, &id)) {
                kill_one(s, &id);
                any = true;
            }
    bson_destroy(&reply);
    bson_destroy(cmd);
    return any;
}

/* What is removed afterwards must not be written again by an operation that is still ending. */
void mo_stop(struct sp_session *s)
{
    int64_t deadline = s->deadline_ns;
    if (s->cut[0] == '\0')
        return;
    mo_drain_bell(s);
    s->deadline_ns = mo_now_ns() + (int64_t)STOP_MS * 1000000;
    while (kill_ours(s) && mo_now_ns() < s->deadline_ns)
        (void)nanosleep(&(struct timespec){ 0, AGAIN_MS * 1000000 }, NULL);
    s->cut[0] = '\0';
    s->deadline_ns = deadline;
}
