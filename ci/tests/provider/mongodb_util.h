/* mongodb_util.h -- what the mongodb tests share: a namespace of their own on the server that MONGODB_URL names, and a visible
 * skip where there is none. */
#ifndef SP_TEST_MONGODB_UTIL_H
#define SP_TEST_MONGODB_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/str.h"
#include "provider_call.h"
#include "providers/mongodb/mongodb.h"

static struct sp_error err = SP_ERROR_INIT;
static char ns[40];
static struct sp_endpoint endpoint;
static struct sp_session *session; /* disposable, in the namespace */

#define OK(call)                                                                                             \
    do {                                                                                                     \
        sp_error_clear(&err);                                                                                \
        if ((call) != 0)                                                                                     \
            fail_msg("%s: %s [%s]", #call, sp_error_text(&err), err.native);                                 \
    } while (0)
#define FAILS(code_, call)                                                                                   \
    do {                                                                                                     \
        sp_error_clear(&err);                                                                                \
        int rc_ = (call);                                                                                    \
        if (rc_ != -(int)(code_))                                                                            \
            fail_msg(                                                                                        \
                "%s: %d, expected %d: %s [%s]", #call, rc_, -(int)(code_), sp_error_text(&err), err.native); \
    } while (0)

static void need_server(void)
{
    if (session == NULL) {
        print_message("skip: MONGODB_URL is not set; run ci/stack up\n");
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
    OK(sp_open(&s, &sp_provider_mongodb, mine, &err));
    OK(sp_db_ns_use(s, ns, &err));
    return s;
}

static int group_setup(void **state)
{
    (void)state;
    const char *url = getenv("MONGODB_URL");
    snprintf(ns, sizeof ns, "sp_test_%ld", (long)getpid());
    endpoint = (struct sp_endpoint){ .name = "t", .url = url, .access = SP_ACCESS_DISPOSABLE };
    if (sp_provider_mongodb.process_init(&err) != 0)
        return 1;
    if (url == NULL || *url == '\0')
        return 0;
    if (sp_open(&session, &sp_provider_mongodb, &endpoint, &err) != 0 ||
        sp_db_ns_drop(session, ns, &err) != 0 || sp_db_ns_create(session, ns, &err) != 0 ||
        sp_db_ns_use(session, ns, &err) != 0) {
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
