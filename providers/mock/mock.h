/* mock.h -- the executable specification: the whole contract, in memory, as small as correctness allows.
 *
 * URL "mock:NAME". Sessions of one process with the same NAME share a store, which lives as long as the process. */
#ifndef SP_PROVIDER_MOCK_H
#define SP_PROVIDER_MOCK_H

#include "provider.h"

extern const struct sp_provider sp_provider_mock;

#endif
