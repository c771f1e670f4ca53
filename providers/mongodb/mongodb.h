/* mongodb.h -- the mongodb provider: URL "mongodb://user@host:port/database?tls=true&..." as libmongoc reads it.
 * See README.md for how tables become collections, what a session sets, and what is lost. */
#ifndef SP_MONGODB_H
#define SP_MONGODB_H

#include "provider.h"

extern const struct sp_provider sp_provider_mongodb;

#endif
