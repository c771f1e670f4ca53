/* filesystem.h -- object storage in a directory: URL "filesystem:DIR", storage facet only. */
#ifndef SP_FILESYSTEM_H
#define SP_FILESYSTEM_H

#include "provider.h"

extern const struct sp_provider sp_provider_filesystem;

#endif
