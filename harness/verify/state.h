/* state.h -- what a comparison leaves on disk while it runs, so that --resume can go on after a kill.
 *
 * One text file, a line per record: 32 hexadecimal digits, a blank, a JSON object. The digits are the digest of the line
 * before and of this object: a line counts only if it and all before it are whole, so that half a write, a damaged or a
 * foreign line is never taken for a result. The first line says what is compared and in which states it was read; each
 * other one is a finished table. A plain journal and no database: records are only ever added, nothing is looked up, and
 * what a kill leaves needs no recovery.
 *
 * Kept records are of use only for the same question (facts) about the same data (states); both are checked before one is
 * taken. The file of a comparison that came to its end is removed. One thread; one file is one run's (it is locked). */
#ifndef SP_VERIFY_STATE_H
#define SP_VERIFY_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct sp_vstate;

/* What a comparison is of, said by the caller of sp_verify(): the command, the configuration ... Borrowed until the open
 * call returns. */
struct sp_vfact {
    const char *name; /* as it is called in messages: "the configuration" */
    const char *value;
    bool readable; /* messages show the value */
};

/* `resume`: there must be a file that a run left which did not end; INVALID otherwise. Without it, the file of an earlier
 * run is replaced when the first record is written. `run` names this run. */
int sp_vstate_open(struct sp_vstate **, const char *path, const char *run, bool resume,
    const struct sp_vfact *facts, size_t n, struct sp_error *);
/* finished: the file is removed, and its table records are of no more use. NULL is fine. */
void sp_vstate_close(struct sp_vstate *, bool finished);

/* ---- for sp_verify() ---- */
/* Begins the file, or goes on with it. Facts that differ are INVALID, with names and a way out. *same: records were kept,
 * and both states are as they were; otherwise the file is begun anew. A state of "" is never the same. */
int sp_vstate_begin(struct sp_vstate *, const struct sp_vfact *facts, size_t n, const char *const states[2],
    bool *same, struct sp_error *);
/* The kept record of that name, or NULL; borrowed until the state is closed. */
json_t *sp_vstate_find(struct sp_vstate *, const char *name);
size_t sp_vstate_count(const struct sp_vstate *);      /* kept records that can be found */
bool sp_vstate_damaged(const struct sp_vstate *);      /* lines were left out because they are not whole */
bool sp_vstate_resumed(const struct sp_vstate *);      /* opened with `resume` */
const char *sp_vstate_run(const struct sp_vstate *);   /* the run that the records are of */
const char *sp_vstate_since(const struct sp_vstate *); /* when it began */
/* Adds a record, whose reference it takes. What was written before is on disk at the latest a second later. */
int sp_vstate_add(struct sp_vstate *, json_t *record, struct sp_error *);

#endif
