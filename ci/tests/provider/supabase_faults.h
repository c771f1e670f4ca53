/* supabase_faults.h -- what the tests of bad answers in front of a real PostgREST share: the faults, and sessions through a proxy
 * and beside it. The servers are those of SUPABASE_URL, SUPABASE_KEY and SUPABASE_DB_URL; without them the tests are skipped. */
#ifndef SP_TEST_SUPABASE_FAULTS_H
#define SP_TEST_SUPABASE_FAULTS_H

#include "ci/tests/provider/calls.h"
#include "ci/tests/provider/fault_proxy.h"
#include "providers/postgresql/postgresql.h"
#include "providers/supabase/supabase.h"

#define PAGE "Content-Type: text/html\r\nContent-Length: 38\r\n\r\n<html><body>Bad gateway</body></html>\n"

/* How an operation may end when the fault strikes one request. A write: `write`, its outcome unknown or nothing done. What
 * reads: `again` = it is repeated, and holds. */
struct ill {
    struct fault fault;
    enum sp_code write;
    bool again;
};
#define U SP_E_OUTCOME_UNKNOWN
static const struct ill ills[] = {
    { { "503", FAULT_BEFORE, "HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nbusy", END_KEEP, 0 }, U, true },
    { { "503, retry after 1 s", FAULT_BEFORE, "HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
          END_KEEP, 0 },
        U, true },
    { { "429, retry after 1 s", FAULT_BEFORE, "HTTP/1.1 429 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
          END_KEEP, 0 },
        SP_E_RATE_LIMITED, true },
    { { "429, retry at a date", FAULT_BEFORE,
          "HTTP/1.1 429 X\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", END_KEEP, 0 },
        SP_E_RATE_LIMITED, true },
    { { "PGRST002", FAULT_BEFORE,
          "HTTP/1.1 503 X\r\nContent-Type: application/json\r\nContent-Length: 77\r\n\r\n"
          "{\"code\":\"PGRST002\",\"message\":\"Could not query the database\",\"details\":\"none\"}",
          END_KEEP, 0 },
        SP_E_UNAVAILABLE, true },
    { { "502, a page", FAULT_BEFORE, "HTTP/1.1 502 X\r\n" PAGE, END_KEEP, 0 }, U, true },
    { { "504, a page, and the end", FAULT_BEFORE, "HTTP/1.1 504 X\r\n" PAGE, END_CLOSE, 0 }, U, true },
    { { "200, a page", FAULT_BEFORE, "HTTP/1.1 200 X\r\n" PAGE, END_KEEP, 0 }, U, false },
    { { "200, nothing", FAULT_BEFORE, "HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n", END_KEEP, 0 }, U,
        false },
    { { "a redirect", FAULT_BEFORE, "HTTP/1.1 302 X\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
          END_KEEP, 0 },
        SP_E_INVALID, false },
    { { "a reset before", FAULT_BEFORE, "", END_RESET, 0 }, U, true },
    { { "an end before", FAULT_BEFORE, "", END_CLOSE, 0 }, U, true },
    { { "a stall before", FAULT_BEFORE, "", END_HANG, 0 }, U, false },
    { { "503 behind it", FAULT_AFTER, "HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nbusy", END_KEEP, 0 }, U,
        true },
    { { "502 behind it", FAULT_AFTER, "HTTP/1.1 502 X\r\n" PAGE, END_KEEP, 0 }, U, true },
    { { "a reset behind it", FAULT_AFTER, "", END_RESET, 0 }, U, true },
    { { "an end behind it", FAULT_AFTER, "", END_CLOSE, 0 }, U, true },
    { { "a stall behind it", FAULT_AFTER, "", END_HANG, 0 }, U, false },
    { { "half an answer, length, end", FAULT_MIDDLE, NULL, END_CLOSE, FRAME_LENGTH }, U, false },
    { { "half an answer, length, reset", FAULT_MIDDLE, NULL, END_RESET, FRAME_LENGTH }, U, false },
    { { "half an answer, length, stall", FAULT_MIDDLE, NULL, END_HANG, FRAME_LENGTH }, U, false },
    { { "half an answer, chunks, end", FAULT_MIDDLE, NULL, END_CLOSE, FRAME_CHUNKED }, U, false },
    { { "half an answer, chunks, stall", FAULT_MIDDLE, NULL, END_HANG, FRAME_CHUNKED }, U, false },
    { { "half an answer, no frame, end", FAULT_MIDDLE, NULL, END_CLOSE, FRAME_OPEN }, U, false },
};
#undef U

enum { HASTY_MS = 500, PATIENT_MS = 8000 };
static const char *const through_options[] = { "service_key", "db_url", "auth_url", "storage_url" };
static char schema_name[40];

static bool have_servers(void)
{
    const char *url = getenv("SUPABASE_URL");
    return url != NULL && strrchr(url, ':') != NULL && getenv("SUPABASE_KEY") != NULL &&
           getenv("SUPABASE_DB_URL") != NULL;
}

static void need_servers(void)
{
    if (!have_servers()) {
        print_message("skip: SUPABASE_URL is not set; run ci/stack up\n");
        skip();
    }
}

static uint16_t server_port(void)
{
    return (uint16_t)strtoul(strrchr(getenv("SUPABASE_URL"), ':') + 1, NULL, 10);
}

/* What a session needs for as long as it is open. */
struct place {
    char url[64];
    const char *values[4];
    struct sp_endpoint e;
};

static int open_at(
    struct sp_session **s, struct place *at, uint16_t port, int statement_ms, struct sp_error *e)
{
    (void)snprintf(at->url, sizeof at->url, "supabase+http://127.0.0.1:%u", port);
    at->values[0] = getenv("SUPABASE_KEY");
    at->values[1] = getenv("SUPABASE_DB_URL");
    at->values[2] = at->values[3] = "none";
    at->e = (struct sp_endpoint){ .name = "t",
        .url = at->url,
        .access = SP_ACCESS_DISPOSABLE,
        .option_names = through_options,
        .option_values = at->values,
        .noptions = 4,
        .connect_timeout_ms = 5000,
        .statement_timeout_ms = statement_ms };
    return sp_open(s, &sp_provider_supabase, &at->e, e);
}

/* The database itself, without REST. */
static int open_database(struct sp_session **s, struct sp_endpoint *e, struct sp_error *error)
{
    *e = (struct sp_endpoint){
        .name = "db", .url = getenv("SUPABASE_DB_URL"), .access = SP_ACCESS_DISPOSABLE
    };
    return sp_open(s, &sp_provider_postgresql, e, error);
}

static int query_at(struct sp_session *db, struct sp_result *r, struct sp_error *e, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static int query_at(struct sp_session *db, struct sp_result *r, struct sp_error *e, const char *format, ...)
{
    char sql[1024];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(sql, sizeof sql, format, ap);
    va_end(ap);
    struct sp_op op = { .kind = SP_OP_RAW, .raw = sql };
    return sp_db_exec(db, &op, r, e);
}

#endif
