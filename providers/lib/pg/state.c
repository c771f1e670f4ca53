/* state.c -- SQLSTATEs in the one vocabulary. */
#include <string.h>

#include "base/str.h"
#include "providers/lib/pg/pg.h"

/* Whole states first, then classes: the first match counts. */
static const struct sp_pg_state states[] = {
    { "23505", SP_E_UNIQUE, "" },
    { "23503", SP_E_FOREIGN_KEY, "" },
    { "23001", SP_E_FOREIGN_KEY, "" },
    { "23502", SP_E_NOT_NULL, "" },
    { "23514", SP_E_CHECK, "" },
    { "23P01", SP_E_CHECK, "" }, /* exclusion */
    { "42P01", SP_E_NOT_FOUND, "" },
    { "3F000", SP_E_NOT_FOUND, "" },
    { "3D000", SP_E_NOT_FOUND, "the database is not there" },
    { "42P06", SP_E_EXISTS, "" },
    { "42P07", SP_E_EXISTS, "" },
    { "42710", SP_E_EXISTS, "" },
    { "42P04", SP_E_EXISTS, "" },
    { "42501", SP_E_PERMISSION, "" },
    { "25006", SP_E_PERMISSION, "" },
    { "0LP01", SP_E_PERMISSION, "" },
    { "28P01", SP_E_AUTHENTICATION, "" },
    { "28000", SP_E_AUTHENTICATION, "" },
    { "40003", SP_E_OUTCOME_UNKNOWN, "" },
    { "55P03", SP_E_CONFLICT, "another transaction holds the lock; retry, or raise lock_timeout" },
    { "55006", SP_E_CONFLICT, "" },
    { "57P03", SP_E_UNAVAILABLE, "the server is starting or stopping" },
    { "57P01", SP_E_UNAVAILABLE, "the server ended the connection" },
    { "57P02", SP_E_UNAVAILABLE, "the server crashed" },
    { "57P05", SP_E_UNAVAILABLE, "" },
    { "53300", SP_E_UNAVAILABLE,
        "the server takes no more connections; raise max_connections or close some" },
    { "53100", SP_E_UNAVAILABLE, "the server's disk is full" },
    { "53400", SP_E_TOO_LARGE, "" },
    { "25P03", SP_E_TIMEOUT, "" },
    { "25P02", SP_E_CONFLICT, "the transaction failed before; only rollback is left" },
    { "25P01", SP_E_INVALID, "" },
    { "22001", SP_E_TOO_LARGE, "" },
    { "22003", SP_E_RANGE, "" },
    { "22008", SP_E_RANGE, "" },
    { "54000", SP_E_TOO_LARGE, "" },
    { "0A000", SP_E_UNSUPPORTED, "" },
    { "XX001", SP_E_CORRUPT, "data of the server is damaged" },
    { "XX002", SP_E_CORRUPT, "an index of the server is damaged" },
    { "P0001", SP_E_CHECK, "" }, /* a trigger's own word */
    { "08", SP_E_UNAVAILABLE, "" },
    { "22", SP_E_INVALID, "" },
    { "23", SP_E_CHECK, "" },
    { "25", SP_E_INVALID, "" },
    { "26", SP_E_INVALID, "" },
    { "28", SP_E_AUTHENTICATION, "" },
    { "2B", SP_E_CONFLICT, "" },
    { "40", SP_E_CONFLICT, "repeat the transaction" },
    { "42", SP_E_INVALID, "" },
    { "53", SP_E_UNAVAILABLE, "" },
    { "54", SP_E_TOO_LARGE, "" },
    { "55", SP_E_INVALID, "" },
    { "57", SP_E_UNAVAILABLE, "" },
    { "58", SP_E_UNAVAILABLE, "the server's disk failed" },
    { "XX", SP_E_INTERNAL, "" },
};

const struct sp_pg_state *sp_pg_state(const char *state)
{
    for (size_t i = 0; i < SP_LEN(states); i++)
        if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
            return &states[i];
    return NULL;
}
