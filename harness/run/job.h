/* job.h -- what a worker is told to do, as one frame of JSON: u32 little-endian length, then the object.
 *
 * Ownership: a decoded job lives in its arena, except `config`, whose names live there too. One thread. */
#ifndef SP_RUN_JOB_H
#define SP_RUN_JOB_H

#include "run/plan.h"

/* Something that a run made and must remove. */
struct sp_object_ref {
    const char *type; /* namespace, table, bucket, email, role */
    const char *name;
    const char *ns; /* table: the namespace it is in, or NULL */
};

struct sp_job {
    struct sp_arena arena;
    bool clean;    /* remove `objects` instead of running cases */
    bool announce; /* say what the provider is and can do */
    const char *run, *tag, *journal, *suite;
    struct sp_config_provider provider;
    const char **cases;
    size_t ncases;
    struct sp_object_ref *objects;
    size_t nobjects;
    const struct sp_config_setting *settings;
    size_t nsettings;
    const struct sp_config_actor *actors;
    size_t nactors;
    const struct sp_config_access *access; /* sent: of this provider only */
    size_t naccess;
    uint64_t seed;
    bool quick;
};

int sp_job_send(int fd, const struct sp_job *, struct sp_error *);
int sp_job_receive(int fd, struct sp_job *, struct sp_error *);
void sp_job_free(struct sp_job *);

#endif
