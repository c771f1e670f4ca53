/* sqlite.h -- the sqlite provider: databases in a file, URL "sqlite:PATH". See README.md for how somebody else's file
 * is read without touching it, how logical types are kept, and what is lost. */
#ifndef SP_SQLITE_H
#define SP_SQLITE_H

#include "provider.h"

extern const struct sp_provider sp_provider_sqlite;

#endif
