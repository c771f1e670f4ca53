/* temp.h -- files without a name in $TMPDIR (else /tmp), for what does not fit into memory: whatever ends the program, nothing
 * stays. A full disk is said with what to do. Any thread; a descriptor belongs to one at a time, but
 * for reading, which several may do. */
#ifndef SP_BASE_TEMP_H
#define SP_BASE_TEMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

int sp_temp_open(struct sp_error *err); /* descriptor, the caller's to close, or negative error */
/* EINTR-safe, all or -SP_E_IO. */
int sp_temp_write(int fd, const void *data, size_t n, uint64_t at, struct sp_error *err);
int sp_temp_read(int fd, void *data, size_t n, uint64_t at, struct sp_error *err);

#endif
