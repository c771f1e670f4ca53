/* mongodb_util.h -- what the mongodb tests share. */
#ifndef SP_TEST_MONGODB_UTIL_H
#define SP_TEST_MONGODB_UTIL_H

#include "providers/mongodb/mongodb.h"

#define SERVER_PROVIDER sp_provider_mongodb
#define SERVER_URL      "MONGODB_URL"
#include "ci/tests/provider/server_util.h"

#endif
