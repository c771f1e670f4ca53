/* access.h -- who there is, and who may do what with which table, as a configuration says. Lives in the configuration's arena, or
 * in a job's. */
#ifndef SP_CONFIG_ACCESS_H
#define SP_CONFIG_ACCESS_H

#include <stddef.h>

struct sp_config_actor {
    const char *name;
    const char *role, *user, *claims; /* as in struct sp_actor */
};

#define SP_ACCESS_OPS 4
extern const char *const sp_access_ops[SP_ACCESS_OPS]; /* select, insert, update, delete */
struct sp_config_access {
    const char *table, *actor;
    const char *owner;                 /* column with the id of the user whose row it is; NULL = not said */
    const char *expect[SP_ACCESS_OPS]; /* on which rows: all, own, none; NULL = not said */
    const char *const *providers;      /* for these alone; none = for all */
    size_t nproviders;
};

#endif
