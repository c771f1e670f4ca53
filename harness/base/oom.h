/* oom.h -- how often memory ran out in this process, as far as arenas met it. Any thread.
 *
 * A NULL from an arena often ends a loop or a helper early; whoever judges by what was executed asks here whether
 * something was left out. */
#ifndef SP_BASE_OOM_H
#define SP_BASE_OOM_H

#include <stdint.h>

uint64_t sp_oom_count(void);

#endif
