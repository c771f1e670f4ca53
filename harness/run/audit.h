/* audit.h -- probes of what a backend says it does not offer, private to run/. */
#ifndef SP_RUN_AUDIT_H
#define SP_RUN_AUDIT_H

#include "run/ctx.h"

struct sp_audit {
    struct sp_ctx *ctx;
    struct sp_session *s;
    const char *table;  /* an empty table with columns id and t; NULL = none */
    const char *bucket; /* an empty bucket; NULL = none */
    const char *name;   /* unique, for whatever a probe would make */
    const char *email;
};

enum sp_probe_flags {
    SP_PROBE_WRITES = 1, /* the harness itself refuses it on a read-only session */
    SP_PROBE_TABLE = 2,  /* says something only with a table */
    SP_PROBE_BUCKET = 4,
    SP_PROBE_TXN = 8,     /* says something only where transactions are offered */
    SP_PROBE_ABSENT = 16, /* only while the function is absent */
};
struct sp_probe {
    enum sp_cap_id cap;
    unsigned flags;
    /* Asks for it; what an unexpected success made is undone. */
    int (*ask)(struct sp_audit *, struct sp_error *);
};
extern const struct sp_probe sp_probes[];
extern const size_t sp_nprobes;

#endif
