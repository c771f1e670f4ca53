/* access.h -- trying what an actor may do with a table, without changing it. One thread. */
#ifndef SP_SUITES_ACCESS_H
#define SP_SUITES_ACCESS_H

#include "suites/lib/dbcase.h"

enum ax_op { AX_SELECT, AX_INSERT, AX_UPDATE, AX_DELETE }; /* as sp_access_ops */
/* On which rows it works: none (or it is refused), those of the actor, some others, every one. */
enum ax_is { AX_UNPROVEN, AX_NONE, AX_OWN, AX_SOME, AX_ALL };
struct ax_cell {
    enum ax_is is;
    const char *note; /* UNPROVEN: why; else NULL */
};

struct ax {
    struct dc d;
    struct sp_session *own; /* the provider's own credentials */
    struct sp_session *s;   /* speaks for the actor */
    const struct sp_table *table;
    const char
        *owner;       /* column with the id of the user whose row it is; NULL = not known, or there is none */
    const char *user; /* their id; NULL = nobody is signed in */
    struct sp_value who;       /* the same as a value of `owner` */
    bool unowned;              /* rows are nobody's: one stands for all of them */
    int64_t total;             /* rows; -1 = hidden even from `own` */
    int64_t mine;              /* those of the actor; -1 = not known which */
    const char *const *fields; /* of the row that is tried */
    size_t nfields;
    const struct sp_value *values; /* NULL: there is no row */
};

/* Both false: the case is errored or failed already. */
bool ax_try(struct ax *x, struct ax_cell cells[SP_ACCESS_OPS]);
bool ax_judge(struct ax *x, const char *actor, enum ax_op op, const struct ax_cell *c, const char *expect);
void ax_tell(struct ax *x, const char *actor, const struct ax_cell cells[SP_ACCESS_OPS]);

/* access_write.c: creating, changing or deleting, each in a transaction that is rolled back. */
bool ax_try_write(struct ax *x, enum ax_op op, struct ax_cell *out);
/* The filter for the rows that are theirs; false: it is not known which. */
bool ax_theirs(const struct ax *x, struct sp_filter *f);

#endif
