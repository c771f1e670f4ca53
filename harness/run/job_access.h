/* job_access.h -- the part of a job that says who there is, and who may do what. Private to run/. One thread. */
#ifndef SP_RUN_JOB_ACCESS_H
#define SP_RUN_JOB_ACCESS_H

#include <jansson.h>

#include "run/job.h"

json_t *sp_job_actors_json(const struct sp_job *j); /* NULL: out of memory, or text that is not UTF-8 */
json_t *sp_job_access_json(const struct sp_job *j);
int sp_job_take_access(struct sp_job *j, const json_t *o); /* from both */

#endif
