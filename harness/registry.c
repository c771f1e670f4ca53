/* registry.c -- all providers and all suites of this build. Adding a provider is one line here. */
#include "provider.h"
#include "suites/suites.h"

#if SP_WITH_SQLITE
extern const struct sp_provider sp_provider_sqlite;
#endif
#if SP_WITH_MOCK
extern const struct sp_provider sp_provider_mock;
#endif
#if SP_WITH_FILESYSTEM
extern const struct sp_provider sp_provider_filesystem;
#endif
#if SP_WITH_POSTGRESQL
extern const struct sp_provider sp_provider_postgresql;
#endif
#if SP_WITH_MONGODB
extern const struct sp_provider sp_provider_mongodb;
#endif
#if SP_WITH_SUPABASE
extern const struct sp_provider sp_provider_supabase;
#endif

const struct sp_provider *const sp_providers[] = {
#if SP_WITH_SQLITE
    &sp_provider_sqlite,
#endif
#if SP_WITH_MOCK
    &sp_provider_mock,
#endif
#if SP_WITH_FILESYSTEM
    &sp_provider_filesystem,
#endif
#if SP_WITH_POSTGRESQL
    &sp_provider_postgresql,
#endif
#if SP_WITH_MONGODB
    &sp_provider_mongodb,
#endif
#if SP_WITH_SUPABASE
    &sp_provider_supabase,
#endif
    NULL,
};

const char *const sp_providers_left_out[] = {
#if !SP_WITH_SQLITE
    "sqlite",
#endif
#if !SP_WITH_MOCK
    "mock",
#endif
#if !SP_WITH_FILESYSTEM
    "filesystem",
#endif
#if !SP_WITH_POSTGRESQL
    "postgresql",
#endif
#if !SP_WITH_MONGODB
    "mongodb",
#endif
#if !SP_WITH_SUPABASE
    "supabase",
#endif
    NULL,
};

const struct sp_suite *const sp_suites[] = {
    &sp_suite_connection,
    &sp_suite_crud,
    &sp_suite_auth,
    &sp_suite_storage,
    &sp_suite_performance,
    &sp_suite_load,
    &sp_suite_migration,
    NULL,
};
