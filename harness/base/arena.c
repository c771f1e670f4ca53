/* arena.c -- bump allocation from a chain of blocks. */
#include "base/arena.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/oom.h"

#define FIRST_BLOCK 4096u
#define LAST_BLOCK  (1024u * 1024u) /* blocks double up to this size */
#define ALIGN       (_Alignof(max_align_t))

struct sp_arena_block {
    struct sp_arena_block *next;
    size_t size; /* of data */
    size_t used;
    _Alignas(max_align_t) unsigned char data[];
};

static atomic_uint_fast64_t failures;

uint64_t sp_oom_count(void)
{
    return atomic_load_explicit(&failures, memory_order_relaxed);
}

static void *failed(void)
{
    (void)atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed);
    return NULL;
}

static struct sp_arena_block *new_block(size_t size)
{
    if (size > PTRDIFF_MAX - sizeof(struct sp_arena_block)) {
        return NULL;
    }
    struct sp_arena_block *b = calloc(1, sizeof *b + size);
    if (b != NULL) {
        b->size = size;
    }
    return b;
}

void *sp_arena_alloc(struct sp_arena *a, size_t n)
{
    if (n > PTRDIFF_MAX - ALIGN) {
        return failed();
    }
    size_t room = n == 0 ? ALIGN : (n + ALIGN - 1) / ALIGN * ALIGN; /* also a pointer of its own for n == 0 */
    struct sp_arena_block *b = a->head;
    if (b == NULL || b->size - b->used < room) {
        size_t size = b == NULL ? FIRST_BLOCK : b->size;
        if (b != NULL && size < LAST_BLOCK) {
            size *= 2;
        } else if (size > LAST_BLOCK) {
            size = LAST_BLOCK;
        }
        b = new_block(room > size / 2 ? room : size);
        if (b == NULL) {
            return failed();
        }
        if (room > size / 2 &&
            a->head != NULL) { /* a big one goes behind the head, whose room stays in use */
            b->next = a->head->next;
            a->head->next = b;
        } else {
            b->next = a->head;
            a->head = b;
        }
    }
    void *p = b->data + b->used;
    b->used += room;
    a->total += n;
    return p;
}

void *sp_arena_array(struct sp_arena *a, size_t count, size_t size)
{
    size_t n;
    return __builtin_mul_overflow(count, size, &n) ? failed() : sp_arena_alloc(a, n);
}

void *sp_arena_dup(struct sp_arena *a, const void *p, size_t n)
{
    char *copy = n < SIZE_MAX ? sp_arena_alloc(a, n + 1) : NULL;
    if (copy != NULL && n > 0) {
        memcpy(copy, p, n);
    }
    return copy;
}

char *sp_arena_str(struct sp_arena *a, const char *s)
{
    return s != NULL ? sp_arena_dup(a, s, strlen(s)) : NULL;
}

char *sp_arena_strn(struct sp_arena *a, const char *s, size_t n)
{
    return s != NULL ? sp_arena_dup(a, s, strnlen(s, n)) : NULL;
}

char *sp_arena_vprintf(struct sp_arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *s = n >= 0 ? sp_arena_alloc(a, (size_t)n + 1) : NULL;
    if (s != NULL) {
        (void)vsnprintf(s, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    return s;
}

char *sp_arena_printf(struct sp_arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = sp_arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}

void *sp_arena_grow(struct sp_arena *a, void *array, size_t *cap, size_t need, size_t size)
{
    if (array != NULL && need <= *cap) {
        return array;
    }
    size_t old = array != NULL ? *cap : 0;
    size_t want = old <= SIZE_MAX / 2 ? old * 2 : SIZE_MAX;
    if (want < 8) {
        want = 8;
    }
    if (want < need) {
        want = need;
    }
    void *bigger = sp_arena_array(a, want, size);
    if (bigger == NULL && want > need) { /* doubling may be too much where the need itself is not */
        want = need;
        bigger = sp_arena_array(a, want, size);
    }
    if (bigger == NULL) {
        return NULL;
    }
    if (old > 0) {
        memcpy(bigger, array, old * size);
    }
    *cap = want;
    return bigger;
}

void sp_arena_reset(struct sp_arena *a)
{
    struct sp_arena_block *keep = NULL;
    while (a->head != NULL) {
        struct sp_arena_block *b = a->head;
        a->head = b->next;
        if (keep == NULL || b->size > keep->size) {
            free(keep);
            keep = b;
        } else {
            free(b);
        }
    }
    if (keep != NULL) {
        memset(keep->data, 0, keep->used);
        keep->used = 0;
        keep->next = NULL;
    }
    a->head = keep;
    a->total = 0;
}

void sp_arena_free(struct sp_arena *a)
{
    while (a->head != NULL) {
        struct sp_arena_block *b = a->head;
        a->head = b->next;
        free(b);
    }
    a->total = 0;
}
