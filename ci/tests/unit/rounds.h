/* rounds.h -- how much of what is random or exhaustive is tried: all, or with FEW_ROUNDS in the environment a part of it, where each
 * step takes fifty times as long (under valgrind). */
#ifndef SP_TEST_ROUNDS_H
#define SP_TEST_ROUNDS_H

#include <stdbool.h>
#include <stdlib.h>

static inline bool few_rounds(void)
{
    return getenv("FEW_ROUNDS") != NULL;
}

#endif
