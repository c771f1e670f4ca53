/* supervise.h -- carrying out a plan in worker processes. One thread; the caller has blocked nothing. */
#ifndef SP_RUN_SUPERVISE_H
#define SP_RUN_SUPERVISE_H

#include "run/journal.h"
#include "run/ledger.h"
#include "run/spawn.h"

/* How many SIGINT and SIGTERM came. */
int sp_interrupt_count(void);

/* What a worker prints, cut into cases by the marks that it prints at the start of each: the byte SP_MARK, the
 * case's id, SP_MARK. */
#define SP_MARK 0x1e
struct sp_stream {
    struct sp_buf text; /* of the case `id`, not told yet */
    uint64_t dropped;   /* bytes beyond SP_OUTPUT_MAX */
    char id[96], mark[96];
    size_t nmark;
    bool in_mark;
};

struct sp_worker {
    struct sp_lane *lane; /* NULL: it cleans up */
    const char *provider;
    struct sp_child child;
    struct sp_buf frames;        /* received, not yet taken */
    struct sp_stream streams[2]; /* standard output and error */
    struct sp_planned *current;
    uint64_t checks_failed; /* of the current case, as far as it told them */
    uint64_t since_ns, deadline_ns;
    unsigned patience_s; /* for the message */
    bool started_any, announced, closed;
    char *fault; /* why it was killed */
    bool unsent; /* its job could not be sent: the fault, unless it ended by itself and so tells why */
};

#define SP_OUTPUT_MAX ((size_t)32 << 10) /* of one stream, between two ends of cases */

/* Takes whole frames out of w->frames; a broken one sets w->fault. */
void sp_frames_take(struct sp_ledger *, struct sp_worker *);
/* Starts w's clock anew. */
void sp_worker_deadline(const struct sp_ledger *, struct sp_worker *, unsigned ms);
unsigned sp_case_patience_ms(const struct sp_case *);
/* Reads what the pipes hold now; what belongs to an earlier case is emitted. */
void sp_output_drain(struct sp_ledger *, struct sp_worker *);
/* Emits what is held of this case, NULL = everything. */
void sp_output_flush(struct sp_ledger *, struct sp_worker *, const char *id);
void sp_output_free(struct sp_worker *);

int sp_supervise(struct sp_ledger *, const char *journal, struct sp_error *err);
/* Removes what the journal still names, by one worker per provider. */
void sp_supervise_clean(struct sp_ledger *, const char *journal);

#endif
