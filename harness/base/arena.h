/* arena.h -- bump allocation for things that die together.
 *
 * Ownership: everything allocated from an arena belongs to it and is released by sp_arena_free(); nothing is
 * released singly. All functions return NULL when out of memory. One thread at a time. Memory is aligned for
 * any type and zero-filled. */
#ifndef SP_BASE_ARENA_H
#define SP_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct sp_arena_block;
struct sp_arena {
    struct sp_arena_block *head;
    size_t total; /* bytes handed out, for tests and limits */
};

#define SP_ARENA_INIT                                                                                        \
    {                                                                                                        \
        NULL, 0                                                                                              \
    }

void *sp_arena_alloc(struct sp_arena *a, size_t n);
void *sp_arena_array(struct sp_arena *a, size_t count, size_t size); /* NULL on overflow of count*size */
void *sp_arena_dup(struct sp_arena *a, const void *p, size_t n);     /* a NUL is added behind the copy */
char *sp_arena_str(struct sp_arena *a, const char *s);               /* NULL in, NULL out */
char *sp_arena_strn(struct sp_arena *a, const char *s, size_t n);
char *sp_arena_printf(struct sp_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *sp_arena_vprintf(struct sp_arena *a, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Growth of an array that lives in an arena: returns an array with room for at least `need` elements, the old
 * ones copied; *cap is updated (doubling). The old array stays until the arena goes. */
void *sp_arena_grow(struct sp_arena *a, void *array, size_t *cap, size_t need, size_t size);
void sp_arena_reset(struct sp_arena *a); /* keeps the largest block for reuse; all pointers become invalid */
void sp_arena_free(struct sp_arena *a);

#endif
