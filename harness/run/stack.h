/* stack.h -- the server behind a provider, where the configuration names the command that controls it.
 *
 * The command is called as `COMMAND stop|start|restart|kill NAME` and returns when that is done; `start` of a server that
 * runs is no error. It is never searched for, and never guessed. Any thread. */
#ifndef SP_RUN_STACK_H
#define SP_RUN_STACK_H

#include "provider.h"
#include "suite.h"

/* The command that controls the server of this end point; NULL = none, the server is not ours to disturb. */
const char *sp_stack_command(const struct sp_endpoint *e);
/* Runs it, for a minute and a half at most, and after whatever it is doing for this server already. `kind` names the
 * server unless the option stack_server does. What was begun is ended, also when the caller is killed meanwhile. */
int sp_stack_do(
    const struct sp_endpoint *e, const char *kind, enum sp_server_action what, struct sp_error *err);

#endif
