/* spawn.h -- starting a worker process: this program executed anew, in a process group of its own, dying with its
 * parent, the job's socket at descriptor 3, standard output and error in pipes. */
#ifndef SP_RUN_SPAWN_H
#define SP_RUN_SPAWN_H

#include <signal.h>
#include <sys/types.h>

#include "base/error.h"

struct sp_child {
    pid_t pid;
    int sock, out, err; /* non-blocking for reading; the socket blocks while the job is sent */
};
/* `mask` is the signal mask that the child gets. */
int sp_spawn(struct sp_child *, const char *program, const sigset_t *mask, struct sp_error *err);

#endif
