/* suites.h -- the suites of this program, in running order in harness/registry.c. */
#ifndef SP_SUITES_H
#define SP_SUITES_H

#include "suite.h"

extern const struct sp_suite sp_suite_connection, sp_suite_crud, sp_suite_auth, sp_suite_storage,
    sp_suite_performance, sp_suite_load, sp_suite_migration;

#endif
