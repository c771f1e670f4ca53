/* internal.h -- private to assess/: one assessment. Everything belongs to the calling thread. */
#ifndef SP_ASSESS_INTERNAL_H
#define SP_ASSESS_INTERNAL_H

#include "assess/assess.h"
#include "base/str.h"

struct sp_acolumn {    /* of the rows that were read */
    uint64_t misfits;  /* values that cannot be read as the declared type */
    uint64_t too_long; /* texts longer than declared */
};
struct sp_atable {
    const struct sp_table *t;
    struct sp_colplan *plan; /* a row each for t->columns, under the rules of the target's ledger */
    struct sp_colstat *stats;
    struct sp_acolumn *columns;
    uint64_t rows;     /* of the table */
    bool counted;      /* rows is exact */
    uint64_t examined; /* rows read */
    uint64_t bytes;    /* of them */
    uint64_t max_row;
    uint64_t timed; /* rows that were read for their speed alone, within ... */
    double seconds;
    bool whole; /* all were read */
    size_t step;
    const char *growth;
    struct sp_volume volume;
};
struct sp_actx {
    struct sp_session *s;
    const struct sp_assess_options *opt;
    struct sp_emitter *em;
    struct sp_error *err;
    int rc;
    struct sp_arena arena;
    struct sp_schema *schema;
    struct sp_atable *tables;
    size_t ntables;
    const struct sp_provider *kind;
    const struct sp_cap *caps; /* of the source, effective */
    bool same_kind;            /* of a known target */
    struct sp_assessment *out;
    struct sp_buf *reasons;
    unsigned found[3]; /* findings by risk */
    uint64_t orphans;
    bool grows;
};

/* A thing that whoever switches should know. `column` may be NULL; examined 0 = it is no matter of values. */
void sp_a_finding(struct sp_actx *c, enum sp_risk risk, const char *table, const char *column,
    const char *topic, uint64_t count, uint64_t examined, const char *advice, const char *fmt, ...)
    __attribute__((format(printf, 9, 10)));
/* Something could not be looked at. */
void sp_a_unknown(struct sp_actx *c, const char *table, const char *topic, struct sp_error *why);
void sp_a_send(struct sp_actx *c, struct sp_event *ev);
int sp_a_nomem(struct sp_actx *c);
double sp_a_now(void);

void sp_a_read(struct sp_actx *c, struct sp_atable *x);      /* read.c: counts, sizes, values */
void sp_a_types(struct sp_actx *c, struct sp_atable *x);     /* types.c: what a target would do to values */
void sp_a_growth(struct sp_actx *c, struct sp_atable *x);    /* growth.c */
void sp_a_integrity(struct sp_actx *c, struct sp_atable *x); /* integrity.c: what is broken already */
void sp_a_objects(struct sp_actx *c);                        /* objects.c: what has no equivalent */
void sp_a_declared(struct sp_actx *c, const struct sp_atable *x);
void sp_a_order(struct sp_actx *c); /* order of dependence; cycles */
/* risk.c */
void sp_a_conclude(struct sp_actx *c);

#endif
