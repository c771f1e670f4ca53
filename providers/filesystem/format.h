/* format.h -- numbers of the object format; the layout stands in object.c. */
#ifndef SP_FILESYSTEM_FORMAT_H
#define SP_FILESYSTEM_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define SP_FS_HEAD        88
#define SP_FS_HEAD_DIGEST 56

extern const char sp_fs_magic[8];
int sp_fs_head_digest(const uint8_t head[SP_FS_HEAD], const void *meta, size_t n, uint8_t out[32]);

#endif
