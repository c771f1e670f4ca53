/* load.c -- the table of the load suite. */
#include "suites/load/load.h"

#include "suites/suites.h"

#define ROWS SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_CONCURRENT_SESSIONS)
#define KEYS SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_CONCURRENT_SESSIONS, SP_CAP_UNIQUE)
#define TXN                                                                                                  \
    SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_CONCURRENT_SESSIONS, SP_CAP_TXN, SP_CAP_ISO_SERIALIZABLE)
#define BATCHES SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_CONCURRENT_SESSIONS, SP_CAP_ATOMIC_BATCH)
#define OBJECTS SP_NEEDS(SP_CAP_BUCKETS, SP_CAP_PUT, SP_CAP_GET)

#define CASE(name, what, caps)                                                                               \
    {                                                                                                        \
        .id = "load." #name, .promise = what, .needs = caps, .run = ldc_##name, .timeout_ms = 120000         \
    }

static const struct sp_case cases[] = {
    CASE(no_lost_write, "concurrent users lose no acknowledged row, and no other row appears", ROWS),
    CASE(batches, "concurrent batches are stored whole or not at all", BATCHES),
    CASE(read_own_writes, "every user reads their own row right after it was acknowledged", ROWS),
    CASE(deletes, "concurrent creates and deletes leave exactly the rows that were not deleted", ROWS),
    CASE(unique_claims, "of the users who claim a unique key at once, exactly one gets it, and is told so",
        KEYS),
    CASE(no_lost_update, "concurrent increments of one counter all count", TXN),
    CASE(transfers, "concurrent transfers keep the sum of all accounts", TXN),
    CASE(paced, "at a fixed rate, no acknowledged row is lost; response times count from the intended start",
        ROWS),
    CASE(objects, "concurrent users lose no acknowledged object", OBJECTS),
    CASE(objects_shared, "concurrent replacements of an object never mix", OBJECTS),
    { .id = NULL },
};

const struct sp_suite sp_suite_load = {
    .name = "load",
    .summary = "concurrent users with an oracle: acknowledged writes are there, invariants hold",
    .cases = cases,
    .alone = true,
};
