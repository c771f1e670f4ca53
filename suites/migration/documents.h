/* documents.h -- cases of the migration suite about tables with open fields. */
#ifndef SP_SUITES_MIGRATION_DOCUMENTS_H
#define SP_SUITES_MIGRATION_DOCUMENTS_H

#include "suite.h"

void mgd_copied(struct sp_ctx *ctx, const void *data);
void mgd_difference_found(struct sp_ctx *ctx, const void *data);

#endif
