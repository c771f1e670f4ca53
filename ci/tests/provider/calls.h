/* calls.h -- what tests of providers share: calls that must succeed, or fail with one code. A test that looks at every refusal
 * defines AFTER_REFUSAL() first. */
#ifndef SP_TEST_CALLS_H
#define SP_TEST_CALLS_H

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

static struct sp_error err = SP_ERROR_INIT;

#ifndef AFTER_REFUSAL
#define AFTER_REFUSAL() ((void)0)
#endif
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
        AFTER_REFUSAL();                                                                                     \
    } while (0)

#endif
