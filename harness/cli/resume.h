/* resume.h -- private to cli/: the state file of a comparison, in its report directory. */
#ifndef SP_CLI_RESUME_H
#define SP_CLI_RESUME_H

#include "cli/evidence.h"
#include "verify/state.h"

/* For --resume it must be there and be of this command and configuration: INVALID. Otherwise *out may be NULL, where no
 * file can be kept. */
int sp_resume_open(struct sp_vstate **out, const struct sp_evidence *e, struct sp_error *err);

#endif
