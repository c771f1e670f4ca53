/* hold.c -- whole rows of suspects, as many as memory takes: those with the smallest key digests, because these are listed
 * first. When there is no more room, the upper half goes, and later rows of that half are not taken. Of a row that is
 * large beside the room, only the key is kept: the row can be fetched by it. */
#include <stdlib.h>

#include "verify/internal.h"

#define LARGE_SHARE 64u /* of the room: what is larger is not kept whole */

int sp_v_hold_init(struct sp_vhold *h, size_t room)
{
    *h = (struct sp_vhold){ .room = room };
    h->cap = room / 2 / sizeof *h->e + 1;
    h->bytes = malloc(room + 1);
    h->e = malloc(h->cap * sizeof *h->e);
    return h->bytes == NULL || h->e == NULL ? -SP_E_NOMEM : 0;
}

void sp_v_hold_reset(struct sp_vhold *h)
{
    h->n = h->used = 0;
    h->limited = false;
}

void sp_v_hold_free(struct sp_vhold *h)
{
    free(h->bytes);
    free(h->e);
    *h = (struct sp_vhold){ .bytes = NULL };
}

static int by_key(const void *a, const void *b)
{
    const struct sp_vheld *x = a, *y = b;
    int r = sp_v_d128_cmp(x->key, y->key);
    return r != 0 ? r : sp_v_d128_cmp(x->row, y->row);
}

static int by_place(const void *a, const void *b)
{
    const struct sp_vheld *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* Drops the upper half of the keys. One key alone cannot be halved: it goes, too. */
static void halve(struct sp_vhold *h)
{
    qsort(h->e, h->n, sizeof *h->e, by_key);
    size_t keep = h->n / 2;
    while (keep > 0 && sp_d128_eq(h->e[keep - 1].key, h->e[keep].key))
        keep--;
    h->limit = h->e[keep].key;
    h->limited = true;
    h->n = keep;
    qsort(h->e, h->n, sizeof *h->e, by_place);
    h->used = 0;
    for (size_t i = 0; i < h->n; i++) {
        memmove(h->bytes + h->used, h->bytes + h->e[i].at, h->e[i].n);
        h->e[i].at = h->used;
        h->used += h->e[i].n;
    }
}

static bool wanted(const struct sp_vhold *h, struct sp_d128 key)
{
    return !h->limited || sp_v_d128_cmp(key, h->limit) < 0;
}

void sp_v_hold_row(struct sp_vhold *h, const struct sp_rowview *row)
{
    if (!wanted(h, row->key))
        return;
    bool whole = row->nrow <= h->room / LARGE_SHARE;
    size_t n = whole ? row->nrow : row->nkey;
    if (n > h->room / LARGE_SHARE)
        return;
    while (h->n == h->cap || h->room - h->used < n) {
        halve(h);
        if (!wanted(h, row->key))
            return;
    }
    memcpy(h->bytes + h->used, row->row, n);
    h->e[h->n++] = (struct sp_vheld){ row->key, row->digest, h->used, (uint32_t)n, whole };
    h->used += n;
}

void sp_v_hold_sort(struct sp_vhold *h)
{
    if (h->n != 0)
        qsort(h->e, h->n, sizeof *h->e, by_key);
}

const struct sp_vheld *sp_v_hold_find(const struct sp_vhold *h, struct sp_d128 key, struct sp_d128 row)
{
    const struct sp_vheld what = { .key = key, .row = row };
    return h->n == 0 ? NULL : bsearch(&what, h->e, h->n, sizeof *h->e, by_key);
}
