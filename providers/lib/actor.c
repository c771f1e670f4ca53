/* actor.c -- what a token says of an actor. */
#include "providers/lib/actor.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int put(json_t *o, const char *name, json_t *value)
{
    return value != NULL ? json_object_set_new(o, name, value) : -1;
}

int sp_actor_claims(struct sp_buf *out, const struct sp_actor *a, const char *role, int64_t from,
    int64_t until, struct sp_error *err)
{
    json_t *o = a->claims != NULL ? json_loads(a->claims, JSON_REJECT_DUPLICATES, NULL) : json_object();
    if (!json_is_object(o)) {
        json_decref(o);
        return sp_invalid(err, "the claims of an actor are a JSON object");
    }
    int rc = role != NULL ? put(o, "role", json_string(role)) : 0;
    if (rc == 0 && a->user != NULL)
        rc = put(o, "sub", json_string(a->user));
    if (rc == 0 && from != SP_ACTOR_ALWAYS)
        rc = put(o, "iat", json_integer(from));
    if (rc == 0 && from != SP_ACTOR_ALWAYS)
        rc = put(o, "nbf", json_integer(from));
    if (rc == 0 && until != SP_ACTOR_ALWAYS)
        rc = put(o, "exp", json_integer(until));
    char *text = rc == 0 ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(o);
    rc = text == NULL || sp_buf_puts(out, text) != 0 ? sp_nomem(err) : 0;
    free(text);
    return rc;
}
