/* sides.h -- private to cli/: SOURCE and TARGET, resolved and open. One thread; sp_sides_close() releases all. */
#ifndef SP_CLI_SIDES_H
#define SP_CLI_SIDES_H

#include "cli/evidence.h"
#include "cli/watch.h"
#include "map/mapping.h"
#include "verify/verify.h"

struct sp_sides {
    struct sp_arena arena;
    struct sp_config *config;
    struct sp_config_provider provider[2]; /* 0 source, 1 target */
    struct sp_endpoint endpoint[2];
    struct sp_session *raw[2];     /* NULL when it could not be opened */
    struct sp_session *session[2]; /* what the command works with: raw, or a lens on it */
    struct sp_mapping *mapping;    /* NULL = without */
    struct sp_error error[2];      /* why */
    struct sp_watch watch;         /* a signal reaches them while they are open */
    bool live;                     /* others write to them meanwhile; set before opening */
};

/* Loads the configuration and resolves both arguments. Prints and returns an exit code, or -1. */
int sp_sides_resolve(
    struct sp_sides *s, const struct sp_program *, const struct sp_args *, bool write_target);
/* Opens both sides. -1 = open; otherwise the exit code, nothing printed: the errors say why. */
int sp_sides_open(struct sp_sides *s, const struct sp_program *);
/* `provider` events of both; failures become reasons. */
void sp_sides_announce(struct sp_sides *s, struct sp_evidence *e);
/* mapped.c: with --mapping, checks it against both sides and makes the sessions lenses. Nothing without it. */
int sp_sides_map(struct sp_sides *s, struct sp_error *err);
/* A lens on one more session of a side; `raw` itself without --mapping. It is closed first, and alone. */
int sp_sides_lens(
    struct sp_sides *s, size_t side, struct sp_session *raw, struct sp_session **out, struct sp_error *err);
/* What the mapping says to a comparison, beside what the arguments say. */
int sp_sides_map_options(struct sp_sides *s, struct sp_verify_options *o, struct sp_error *err);
void sp_sides_close(struct sp_sides *s);
/* process_init of a kind, once in this process. */
int sp_kind_init(const struct sp_provider *kind, struct sp_error *err);

#endif
