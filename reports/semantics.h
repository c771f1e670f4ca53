/* semantics.h -- observed behaviour, grouped: per topic, which providers behave alike. Pure functions over `struct rd`.
 *
 * A class is a behaviour that was seen, word for word; who showed the same is in the same class. What nobody saw is in
 * none, and has a reason. Ownership: all in the arena that the caller gives, and in `r`. */
#ifndef SP_REPORTS_SEMANTICS_H
#define SP_REPORTS_SEMANTICS_H

#include "reports/rundata.h"

struct rds_cell {
    size_t class;       /* from 0; RDS_NONE = not observed */
    const char *reason; /* why not; "" when observed */
};
#define RDS_NONE ((size_t)-1)

enum rds_kind {
    RDS_SWITCH, /* source and target of the switch behave differently */
    RDS_DIFFERS,
    RDS_ALIKE, /* seen on two or more, the same everywhere */
    RDS_ALONE, /* seen on one: nothing to compare it with */
    RDS_UNSEEN
};
struct rds_topic {
    const char *topic, *id;
    enum rds_kind kind;
    const char **classes; /* behaviours in words, in the order of the providers; letters from A */
    size_t nclasses, seen;
    struct rds_cell *cells; /* one per provider of `r` */
};
struct rds {
    struct rds_topic *v; /* by kind, else in the order in which they came */
    size_t n;
    const char *source, *target; /* providers that the configuration names; "" = none */
    size_t count[RDS_UNSEEN + 1];
};

int rds_load(const struct rd *r, struct sp_arena *a, struct rds *out);
/* "A" ... "Z", then "A2" ...; static memory is not used: writes into `out`. */
void rds_letter(size_t class, char out[24]);
/* At least one topic was seen, or looked for, on this provider. */
bool rds_concerns(const struct rds *s, size_t provider);

#endif
