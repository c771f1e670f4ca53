/* provider.c -- what MongoDB offers: options, capabilities, losses, and the constant struct. */
#include <stdio.h>

#include "providers/mongodb/internal.h"

#define YES                                                                                                  \
    {                                                                                                        \
        SP_CAP_YES, 0, NULL                                                                                  \
    }
#define LIMIT(n)                                                                                             \
    {                                                                                                        \
        SP_CAP_YES, (n), NULL                                                                                \
    }
#define NO(why)                                                                                              \
    {                                                                                                        \
        SP_CAP_NO, 0, (why)                                                                                  \
    }

static const struct sp_cap declared[SP_CAP_N] = {
    [SP_CAP_NAMESPACES] = YES,
};

static const struct sp_loss losses[] = {
    { SP_INSTANT, SP_RULE_TRUNCATE_MS, "dates keep milliseconds; finer ones are refused" },
    { SP_MISSING, SP_RULE_NONE, NULL },
};

static const char *library(void)
{
    static char text[48];
    (void)snprintf(text, sizeof text, "libmongoc %s", mongoc_get_version());
    return text;
}

static const struct sp_db_ops db_ops = {
    .ns_create = mo_ns_create,
    .ns_use = mo_ns_use,
    .ns_drop = mo_ns_drop,
    .ns_list = mo_ns_list,
};

const struct sp_provider sp_provider_mongodb = {
    .kind = "mongodb",
    .scheme = "mongodb",
    .alias = "mongodb+srv",
    .summary = "MongoDB 4.2 or later, through libmongoc",
    .library = library,
    .declared = declared,
    .losses = losses,
    .process_init = mo_process_init,
    .open = mo_open,
    .effective = mo_effective,
    .ping = mo_ping,
    .interrupt = mo_interrupt,
    .close = mo_close,
    .db = &db_ops,
};
