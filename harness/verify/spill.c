/* spill.c -- more entries than memory takes: sorted runs in a file without a name, read back merged.
 *
 * A full array is sorted, equal entries become one, and what is left goes to the file as one run. Reading back merges all
 * runs, each through its share of the same array. Where runs become too many for that, they are merged into one first. */
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "verify/internal.h"

#define LEAST_SHARE 16u /* entries of a run in memory while it is read back */

/* ---- filling --------------------------------------------------------------------------------------------------- */

static size_t most_runs(const struct sp_vspill *s)
{
    return s->cap / LEAST_SHARE > 2 ? s->cap / LEAST_SHARE - 1 : 2;
}

int sp_v_spill_borrow(struct sp_vspill *s, struct sp_ventry *e, size_t cap, struct sp_error *err)
{
    *s = (struct sp_vspill){ .e = e, .borrowed = true, .cap = cap, .fd = -1 };
    return cap < 4 * LEAST_SHARE ? sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "no room to sort in") : 0;
}

int sp_v_spill_init(struct sp_vspill *s, size_t cap, struct sp_error *err)
{
    *s = (struct sp_vspill){ .cap = cap < 4 * LEAST_SHARE ? 4 * LEAST_SHARE : cap, .fd = -1 };
    s->e = malloc(s->cap * sizeof *s->e);
    return s->e == NULL ? sp_nomem(err) : 0;
}

void sp_v_spill_reset(struct sp_vspill *s)
{
    s->n = s->nruns = s->nheap = 0;
    s->file_n = 0;
    free(s->cursors);
    s->cursors = NULL;
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
}

void sp_v_spill_free(struct sp_vspill *s)
{
    if (s->e == NULL)
        return;
    sp_v_spill_reset(s);
    free(s->runs);
    if (!s->borrowed)
        free(s->e);
    *s = (struct sp_vspill){ .fd = -1 };
}

static int add_run(struct sp_vspill *s, uint64_t at, uint64_t n, struct sp_error *err)
{
    if (s->nruns == s->runs_cap) {
        size_t cap = s->runs_cap == 0 ? 64 : s->runs_cap * 2;
        struct sp_vspill_run *r = realloc(s->runs, cap * sizeof *r);
        if (r == NULL)
            return sp_nomem(err);
        s->runs = r;
        s->runs_cap = cap;
    }
    s->runs[s->nruns++] = (struct sp_vspill_run){ at, n };
    return 0;
}

static int begin(struct sp_vspill *s, struct sp_error *err);
static int next(struct sp_vspill *s, struct sp_ventry *out, struct sp_error *err);

/* All runs into the file `fd`, one behind the other's end. */
static int write_joined(struct sp_vspill *s, int fd, uint64_t *total, struct sp_error *err)
{
    struct sp_ventry out[512];
    size_t n = 0;
    int rc = begin(s, err), got = 1;
    while (rc == 0 && got == 1) {
        got = next(s, &out[n], err);
        if (got < 0)
            return got;
        n += (size_t)got;
        if (n == SP_LEN(out) || got == 0) {
            rc = sp_temp_write(fd, out, n * sizeof *out, *total * sizeof *out, err);
            *total += n;
            n = 0;
        }
    }
    return rc;
}

/* All runs into one, in a new file. The array is free: what stood in it is a run by now. */
static int join_runs(struct sp_vspill *s, struct sp_error *err)
{
    uint64_t total = 0;
    int fd = sp_temp_open(err);
    if (fd < 0)
        return fd;
    int rc = write_joined(s, fd, &total, err);
    free(s->cursors);
    s->cursors = NULL;
    if (rc != 0) {
        close(fd);
        return rc;
    }
    close(s->fd);
    s->fd = fd;
    s->file_n = total;
    s->nruns = 0;
    return add_run(s, 0, total, err);
}

static int flush(struct sp_vspill *s, struct sp_error *err)
{
    int rc = 0;
    if (s->fd < 0)
        rc = s->fd = sp_temp_open(err);
    if (rc >= 0)
        rc = sp_temp_write(s->fd, s->e, s->n * sizeof *s->e, s->file_n * sizeof *s->e, err);
    if (rc == 0)
        rc = add_run(s, s->file_n, s->n, err);
    s->file_n += s->n;
    s->n = 0;
    return rc != 0 || s->nruns < most_runs(s) ? rc : join_runs(s, err);
}

int sp_v_spill_add(struct sp_vspill *s, const struct sp_ventry *e, struct sp_error *err)
{
    if (s->n == s->cap) {
        s->n = sp_v_compact_entries(s->e, s->n);
        if (s->n >= s->cap - s->cap / 4) {
            int rc = flush(s, err);
            if (rc != 0)
                return rc;
        }
    }
    s->e[s->n++] = *e;
    return 0;
}

/* ---- reading back ---------------------------------------------------------------------------------------------- */

static bool before(const struct sp_vspill *s, size_t a, size_t b)
{
    const struct sp_ventry *x = &s->e[s->cursors[a].at], *y = &s->e[s->cursors[b].at];
    int r = sp_v_d128_cmp(x->key, y->key);
    return (r != 0 ? r : sp_v_d128_cmp(x->row, y->row)) < 0;
}

static void sift_down(struct sp_vspill *s, size_t i)
{
    for (;;) {
        size_t least = i, l = 2 * i + 1;
        if (l < s->nheap && before(s, l, least))
            least = l;
        if (l + 1 < s->nheap && before(s, l + 1, least))
            least = l + 1;
        if (least == i)
            return;
        struct sp_vspill_cursor t = s->cursors[i];
        s->cursors[i] = s->cursors[least];
        s->cursors[least] = t;
        i = least;
    }
}

static int refill(struct sp_vspill *s, struct sp_vspill_cursor *c, struct sp_error *err)
{
    size_t n = c->left < c->share ? (size_t)c->left : c->share;
    int rc =
        n == 0 ? 0 : sp_temp_read(s->fd, s->e + c->base, n * sizeof *s->e, c->file_at * sizeof *s->e, err);
    c->at = c->base;
    c->end = c->base + n;
    c->file_at += n;
    c->left -= n;
    return rc;
}

/* The heap's cursors are the runs in the file, or the sorted array alone. */
static int begin(struct sp_vspill *s, struct sp_error *err)
{
    size_t n = s->nruns == 0 ? 1 : s->nruns;
    int rc = 0;
    free(s->cursors);
    s->cursors = calloc(n, sizeof *s->cursors);
    if (s->cursors == NULL)
        return sp_nomem(err);
    s->nheap = 0;
    if (s->nruns == 0) {
        s->cursors[0] = (struct sp_vspill_cursor){ .end = s->n };
        s->nheap = s->n != 0 ? 1 : 0;
    }
    for (size_t i = 0; i < s->nruns && rc == 0; i++) {
        struct sp_vspill_cursor *c = &s->cursors[i];
        *c = (struct sp_vspill_cursor){
            .file_at = s->runs[i].at, .left = s->runs[i].n, .share = s->cap / n, .base = s->cap / n * i
        };
        rc = refill(s, c, err);
        s->nheap = i + 1;
    }
    for (size_t i = s->nheap / 2; i-- > 0;)
        sift_down(s, i);
    return rc;
}

int sp_v_spill_begin(struct sp_vspill *s, struct sp_error *err)
{
    s->n = sp_v_compact_entries(s->e, s->n);
    int rc = s->nruns != 0 && s->n != 0 ? flush(s, err) : 0;
    return rc == 0 ? begin(s, err) : rc;
}

static int next(struct sp_vspill *s, struct sp_ventry *out, struct sp_error *err)
{
    bool any = false;
    while (s->nheap != 0) {
        struct sp_vspill_cursor *c = &s->cursors[0];
        const struct sp_ventry *e = &s->e[c->at];
        if (any && !(sp_d128_eq(e->key, out->key) && sp_d128_eq(e->row, out->row)))
            break;
        if (any)
            out->n += e->n;
        else
            *out = *e;
        any = true;
        if (++c->at == c->end) {
            int rc = refill(s, c, err);
            if (rc != 0)
                return rc;
            if (c->at == c->end)
                *c = s->cursors[--s->nheap];
        }
        sift_down(s, 0);
    }
    return any ? 1 : 0;
}

int sp_v_spill_next(struct sp_vspill *s, struct sp_ventry *out, struct sp_error *err)
{
    return next(s, out, err);
}
