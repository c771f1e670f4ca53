/* load.h -- what the files of the load suite share: a crew of users, each a thread with a session of its own.
 *
 * Every case carries an oracle: acknowledged writes are read back, invariants are checked; throughput with a broken
 * invariant is void. Accounting, per user and in all: attempts = ok + conflicts + errors. Sessions are opened by the
 * case's thread and belong to the user's thread until ld_run() has joined it. */
#ifndef SP_SUITES_LOAD_H
#define SP_SUITES_LOAD_H

#include "measure/histogram.h"
#include "suite.h"

struct ld_crew;

struct ld_user {
    struct ld_crew *crew;
    unsigned index; /* 0 .. n-1 */
    struct sp_session *s;
    struct sp_rng rng;
    struct sp_histogram *service;  /* from the call's own start */
    struct sp_histogram *response; /* from its intended start; only paced cases fill it */
    uint64_t attempts, ok, conflicts, errors, late;
    struct sp_error first; /* the first error that was no conflict */
    char *acked;           /* one flag per write that was acknowledged */
    char *unsure;          /* one flag per write whose outcome is unknown */
};

struct ld_crew {
    struct sp_ctx *ctx;
    const char *operation;
    unsigned n;
    uint64_t per_user; /* operations of one user */
    struct ld_user *users;
    const char *bucket;   /* storage cases */
    uint64_t interval_ns; /* paced cases: between two starts of one user */
    uint64_t start_ns;    /* when the barrier opened */
    double duration_s;
    void (*work)(struct ld_user *);
};

/* Number of users: setting `users` of suite load, else 8 (quick) or 32; at most SP_IDENTITIES - 2. */
unsigned ld_users(struct sp_ctx *ctx);
uint64_t ld_operations(struct sp_ctx *ctx, uint64_t quick, uint64_t full);
/* Opens the sessions, runs the threads, joins them, reports the measure and checks the accounting and that no user
 * met an error that was no conflict. False: outcome recorded, return (after ld_free). */
bool ld_run(struct ld_crew *crew);
void ld_free(struct ld_crew *crew);
/* Books the end of one attempt that began at `start` (and should have begun at `intended`, 0 = not paced). Takes the
 * error over. Returns true if it succeeded. */
bool ld_book(struct ld_user *u, uint64_t start, uint64_t intended, int rc, struct sp_error *err);

/* clang-format off */
#define LD_CASES(X) \
    X(no_lost_write) X(no_lost_update) X(transfers) X(unique_claims) X(batches) \
    X(read_own_writes) X(paced) X(deletes) X(objects) X(objects_shared)
/* clang-format on */
#define SP_X(name) void ldc_##name(struct sp_ctx *ctx, const void *data);
LD_CASES(SP_X)
#undef SP_X

/* The table of the row cases: id text key, owner, seq, value. */
extern const struct sp_table ld_rows_table;
/* Reads the whole table and checks that it holds exactly the acknowledged rows of all users (id "<user>-<seq>", value
 * ld_value()); rows of unknown outcome may be there or not. */
bool ld_holds_acked(struct ld_crew *crew);
int64_t ld_value(unsigned user, uint64_t seq);

#endif
