/* ctx.h -- the inside of a case's context, private to run/. One worker has one context, reset for every case. */
#ifndef SP_RUN_CTX_H
#define SP_RUN_CTX_H

#include "run/job.h"
#include "run/journal.h"

#define SP_CTX_CHECKS_TOLD 20 /* failed checks of one case that are written out */

struct sp_ctx {
    struct sp_emitter *em;
    const struct sp_job *job;
    const struct sp_provider *kind; /* wrapped, if a mutant is asked for */
    struct sp_endpoint endpoint;
    struct sp_journal_notes notes; /* of what its sessions make for themselves */
    struct sp_cap caps[SP_CAP_N];  /* effective */
    struct sp_session *sessions[SP_IDENTITIES];
    bool in_ns[SP_IDENTITIES]; /* this session uses the run's namespace */
    int journal;               /* descriptor, -1 = nothing may be made */
    char ns[41];
    bool ns_made;
    unsigned serial; /* makes names unique in this worker */
    /* the current case */
    const struct sp_case *c;
    struct sp_arena arena;
    struct sp_rng rng;
    uint64_t seed;
    int64_t nchecks, nfailed, ntold;
    uint64_t oom_before; /* sp_oom_count() when it began */
    bool errored, skipped;
    bool disturbed; /* something was done to the server: sessions are not to be trusted, it may be down */
    char *message;  /* why failed or errored: the first reason */
    char *reason;   /* why skipped */
    struct sp_object_ref *made;
    size_t nmade, made_cap;
};

/* The case is errored, unless a broken promise was proved before. Takes the error's text. */
void sp_ctx_error_from(struct sp_ctx *, const char *what, const struct sp_error *);
/* Remembers the first reason; `failed` counts a broken promise. */
void sp_ctx_blame(struct sp_ctx *, bool failed, const char *text);
void sp_ctx_begin_event(const struct sp_ctx *, struct sp_event *, enum sp_event_kind);
void sp_ctx_send(struct sp_ctx *, struct sp_event *);

void sp_ctx_case_begin(struct sp_ctx *, const struct sp_case *);
/* Closes sessions, removes what the case made, decides the outcome. */
enum sp_outcome sp_ctx_case_end(struct sp_ctx *);
void sp_ctx_close(struct sp_ctx *, bool also_first);
/* Drops the namespace; for the worker's end. */
int sp_ctx_drop_namespace(struct sp_ctx *, struct sp_error *);

#endif
