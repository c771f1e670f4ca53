/* connection.c -- the table of the connection suite: reaching a backend, and knowing what it is. */
#include "suites/connection/connection.h"

#include "suites/suites.h"

#define ROWS   SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD)
#define SPACES SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_NAMESPACES)
#define ROLES  SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_ROLES)

#define CASE(name, caps, what, ...)                                                                          \
    {                                                                                                        \
        .id = "connection." #name, .promise = what, .needs = caps, .run = coc_##name, __VA_ARGS__            \
    }
#define READS .flags = SP_CASE_READ_ONLY
#define SLOW  .timeout_ms = 60000
/* Stopping and starting a server may take a minute and a half each. */
#define FAULTS .flags = SP_CASE_FAULTS, .timeout_ms = 300000
#define TXN    SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_TXN, SP_CAP_CONCURRENT_SESSIONS)

static const struct sp_case cases[] = {
    CASE(opens, NULL, "the backend opens and answers", READS),
    CASE(ping_often, NULL, "one connection answers again and again", READS),
    CASE(version, NULL, "the server says its version", READS),
    CASE(fidelity, NULL, "it is known what kind of server answers", READS),
    CASE(library, NULL, "the client library says its version", READS),
    CASE(declared, NULL, "what is declared can be done: each capability has its function", READS),
    CASE(
        capability_above, NULL, "nothing is effective that is not declared, unless there is evidence", READS),
    CASE(capability_below, NULL, "what this server lacks of what is declared has a reason", READS),
    CASE(capability_stable, NULL, "asked twice, the server gives the same capabilities", READS),
    CASE(capability_audit, NULL, "what is not offered answers unsupported, and changes nothing", SLOW),
    CASE(second_session, NULL, "a second session does not depend on the first", READS),
    CASE(many_sessions, NULL, "sixteen sessions are open at once, and close in any order", READS),
    CASE(reopen, ROWS, "what was written is there after closing and opening again"),
    CASE(wrong_url, NULL, "a URL that leads nowhere is an error, not an empty backend", READS),
    CASE(absent_namespace, SPACES, "an absent namespace has no tables, and harms no session"),
    CASE(absent_table, ROWS, "an absent table is not found, by any operation"),
    CASE(namespace_apart, SPACES, "tables of one name in two namespaces are two tables"),
    CASE(namespace_drop, SPACES, "a dropped namespace is gone with its tables, and nothing else"),
    CASE(namespace_list, SPACES, "namespaces are found by the beginning of their names"),
    CASE(read_only, ROWS, "a read-only session reads, and refuses every write"),
    CASE(error_record, ROWS, "an error has a code, a text of one line, and no secret"),
    CASE(role_password, ROLES, "a wrong password is refused, and does not appear in the error"),
    CASE(role_privileges, ROLES, "a role does what it was granted, and nothing else"),
    CASE(interrupt, SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_INTERRUPT),
        "a running operation is stopped from another thread, and the session goes on", SLOW),
    CASE(interrupt_idle, SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_INTERRUPT),
        "interrupting a session that does nothing harms nothing"),
    CASE(statement_timeout, SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_STATEMENT_TIMEOUT),
        "an operation ends after its time-out, and the session goes on", .timeout_ms = 120000),
    CASE(lock_wait, TXN,
        "who waits for a row of another transaction is answered in time, and has changed nothing", SLOW),
    CASE(interrupt_waiting,
        SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_TXN, SP_CAP_CONCURRENT_SESSIONS, SP_CAP_INTERRUPT),
        "who waits for a row of another transaction can be stopped, and goes on", SLOW),
    CASE(connection_limit, ROWS, "one session too many is refused in words, and harms none of the others",
        FAULTS),
    CASE(reconnect_after_restart, ROWS,
        "after a restart an old session says that it is lost, a new one finds what was committed", FAULTS),
    CASE(server_stopped, ROWS, "a stopped server is unavailable, within the time-out", FAULTS),
    CASE(killed_in_writes, ROWS, "what was acknowledged before the server was killed is there", FAULTS),
    CASE(killed_in_transaction, TXN,
        "of transactions, a killed server keeps those acknowledged, and none in part", FAULTS),
    CASE(killed_in_scan, SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_SCAN),
        "a scan that loses its server is no scan that ended", FAULTS),
    CASE(killed_in_bulk_load, SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_LOAD),
        "a bulk load that loses its server leaves the table as it was, or says that it cannot know", FAULTS),
    { .id = NULL },
};

const struct sp_suite sp_suite_connection = {
    .name = "connection",
    .summary =
        "opening, knowing the server, capabilities, namespaces, access, stopping, a server that goes away",
    .cases = cases,
};
