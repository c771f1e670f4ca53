/* lens_sort.c -- an external sort: runs of what fits into memory, merged through a heap. */
#include "map/lens_sort.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/temp.h"

#define AHEAD 256 /* entries read at once from a run */

int lens_entry_cmp(const struct lens_entry *a, const struct lens_entry *b)
{
    if (a->key.hi != b->key.hi)
        return a->key.hi < b->key.hi ? -1 : 1;
    if (a->key.lo != b->key.lo)
        return a->key.lo < b->key.lo ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static int by_key(const void *a, const void *b)
{
    return lens_entry_cmp(a, b);
}

int lens_sort_init(struct lens_sort *s, size_t cap, struct sp_error *err)
{
    *s = (struct lens_sort){ .fd = -1, .cap = cap };
    s->v = malloc(cap * sizeof *s->v);
    if (s->v == NULL)
        return sp_nomem(err);
    s->fd = sp_temp_open(err);
    return s->fd < 0 ? s->fd : 0;
}

void lens_sort_free(struct lens_sort *s)
{
    if (s->fd >= 0)
        close(s->fd);
    free(s->v);
    free(s->ends);
    *s = (struct lens_sort){ .fd = -1 };
}

static int put_run(struct lens_sort *s, struct sp_error *err)
{
    uint64_t *ends = realloc(s->ends, (s->nruns + 1) * sizeof *ends);
    if (ends == NULL)
        return sp_nomem(err);
    s->ends = ends;
    qsort(s->v, s->n, sizeof *s->v, by_key);
    int rc = sp_write_all(s->fd, s->v, s->n * sizeof *s->v, err);
    s->total += s->n;
    s->ends[s->nruns++] = s->total;
    s->n = 0;
    return rc;
}

int lens_sort_add(struct lens_sort *s, struct lens_entry e, struct sp_error *err)
{
    if (s->n == s->cap) {
        int rc = put_run(s, err);
        if (rc != 0)
            return rc;
    }
    s->v[s->n++] = e;
    return 0;
}

/* ---- merging ------------------------------------------------------------------------------------------------ */

struct run {
    struct lens_entry v[AHEAD];
    size_t at, n;
    uint64_t next, end; /* in the file, in entries */
};

struct merge {
    struct lens_sort *s;
    struct run *runs;
    size_t *heap; /* of runs, the least entry first */
    size_t n;
};

static const struct lens_entry *head(const struct merge *m, size_t i)
{
    const struct run *r = &m->runs[m->heap[i]];
    return &r->v[r->at];
}

static void sift(struct merge *m, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < m->n; k++)
            if (lens_entry_cmp(head(m, k), head(m, least)) < 0)
                least = k;
        if (least == i)
            return;
        size_t swap = m->heap[i];
        m->heap[i] = m->heap[least];
        m->heap[least] = swap;
        i = least;
    }
}

static int fill(struct merge *m, struct run *r, struct sp_error *err)
{
    uint64_t left = r->end - r->next;
    r->at = 0;
    r->n = left < AHEAD ? (size_t)left : AHEAD;
    int rc = sp_temp_read(m->s->fd, r->v, r->n * sizeof *r->v, r->next * sizeof *r->v, err);
    r->next += r->n;
    return rc;
}

static int step(struct merge *m, struct sp_error *err)
{
    struct run *r = &m->runs[m->heap[0]];
    int rc = ++r->at == r->n ? fill(m, r, err) : 0;
    if (rc == 0 && r->n == 0)
        m->heap[0] = m->heap[--m->n];
    if (rc == 0 && m->n != 0)
        sift(m, 0);
    return rc;
}

static int merge_runs(
    struct merge *m, int (*each)(void *, const struct lens_entry *), void *payload, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < m->s->nruns; i++) {
        m->runs[i].next = i == 0 ? 0 : m->s->ends[i - 1];
        m->runs[i].end = m->s->ends[i];
        rc = fill(m, &m->runs[i], err);
        m->heap[m->n++] = i;
    }
    for (size_t i = m->n; rc == 0 && i-- > 0;)
        sift(m, i);
    while (rc == 0 && m->n != 0) {
        rc = each(payload, head(m, 0));
        if (rc == 0)
            rc = step(m, err);
    }
    return rc;
}

int lens_sort_walk(struct lens_sort *s, int (*each)(void *payload, const struct lens_entry *e), void *payload,
    struct sp_error *err)
{
    struct merge m = { .s = s };
    int rc = s->n != 0 ? put_run(s, err) : 0;
    if (rc != 0)
        return rc;
    free(s->v); /* no more are added */
    s->v = NULL;
    m.runs = calloc(s->nruns + 1, sizeof *m.runs);
    m.heap = calloc(s->nruns + 1, sizeof *m.heap);
    rc = m.runs == NULL || m.heap == NULL ? sp_nomem(err) : merge_runs(&m, each, payload, err);
    free(m.runs);
    free(m.heap);
    return rc;
}
