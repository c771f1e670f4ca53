/* server_util.h -- what tests on a server share: a namespace of their own on the server that SERVER_URL (the name of a variable)
 * names, and a visible skip where there is none. SERVER_PROVIDER and SERVER_URL are defined before it is included. */
#ifndef SP_TEST_SERVER_UTIL_H
#define SP_TEST_SERVER_UTIL_H

#include "ci/tests/provider/calls.h"

static char ns[40];
static struct sp_endpoint endpoint;
static struct sp_session *session; /* disposable, in the namespace */

static void need_server(void)
{
    if (session == NULL) {
        print_message("skip: " SERVER_URL " is not set; run ci/stack up\n");
        skip();
    }
}

static __attribute__((unused)) struct sp_session *another(enum sp_access access, int statement_ms)
{
    static struct sp_endpoint e[16];
    static size_t n;
    struct sp_session *s = NULL;
    struct sp_endpoint *mine = &e[n++ % SP_LEN(e)];
    *mine = endpoint;
    mine->access = access;
    mine->statement_timeout_ms = statement_ms;
    OK(sp_open(&s, &SERVER_PROVIDER, mine, &err));
    OK(sp_db_ns_use(s, ns, &err));
    return s;
}

static int group_setup(void **state)
{
    (void)state;
    const char *url = getenv(SERVER_URL);
    snprintf(ns, sizeof ns, "sp_test_%ld", (long)getpid());
    endpoint = (struct sp_endpoint){ .name = "t", .url = url, .access = SP_ACCESS_DISPOSABLE };
    if (SERVER_PROVIDER.process_init != NULL && SERVER_PROVIDER.process_init(&err) != 0)
        return 1;
    if (url == NULL || *url == '\0')
        return 0;
    if (sp_open(&session, &SERVER_PROVIDER, &endpoint, &err) != 0 || sp_db_ns_drop(session, ns, &err) != 0 ||
        sp_db_ns_create(session, ns, &err) != 0 || sp_db_ns_use(session, ns, &err) != 0) {
        print_error("%s\n", sp_error_text(&err));
        return 1;
    }
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    int rc = session == NULL ? 0 : sp_db_ns_drop(session, ns, &err);
    sp_close(session);
    sp_error_clear(&err);
    return rc;
}

#endif
