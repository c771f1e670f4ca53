/* postgresql.h -- the postgresql provider: URL "postgresql://user@host:port/database?sslmode=..." as libpq reads it.
 * See README.md for how logical types are kept, what a session pins, and what is lost. */
#ifndef SP_POSTGRESQL_H
#define SP_POSTGRESQL_H

#include "provider.h"

extern const struct sp_provider sp_provider_postgresql;

#endif
