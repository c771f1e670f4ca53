/* bson_names.c -- the field names of one document: each once, in UTF-8. A server takes other ones, and then every reader sees
 * another document. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/mongodb/bson_value.h"

struct name {
    const char *p;
    uint32_t n;
};

static int order_names(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return memcmp(x->p, y->p, x->n);
}

/* The exact look, when two names may be one. */
static int each_once(bson_iter_t it, size_t n, struct sp_error *err)
{
    struct name *names = calloc(n + 1, sizeof *names);
    int rc = 0;
    size_t i = 0;
    if (names == NULL)
        return sp_nomem(err);
    for (; i < n && bson_iter_next(&it); i++)
        names[i] = (struct name){ bson_iter_key(&it), bson_iter_key_len(&it) };
    qsort(names, i, sizeof *names, order_names);
    for (size_t k = 1; rc == 0 && k < i; k++)
        if (order_names(&names[k - 1], &names[k]) == 0)
            rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
                "a document has the field %s twice; which of them counts, every reader decides for itself: "
                "remove one",
                names[k].p);
    free(names);
    return rc;
}

int mo_names_check(bson_iter_t it, struct sp_error *err)
{
    const bson_iter_t first = it;
    uint64_t seen[16] = { 0 };
    bool doubt = false;
    size_t n = 0;
    for (; bson_iter_next(&it); n++) {
        const unsigned char *p = (const unsigned char *)bson_iter_key(&it);
        uint32_t hash = 2166136261u, high = 0;
        for (; *p != '\0'; p++) {
            hash = (hash ^ *p) * 16777619u;
            high |= *p;
        }
        hash ^= hash >> 16;
        if (high >= 0x80 && !sp_utf8_valid(bson_iter_key(&it), bson_iter_key_len(&it)))
            return sp_fail(
                err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "field %zu has a name that is not valid UTF-8", n + 1);
        uint64_t bit = UINT64_C(1) << (hash & 63), *word = &seen[hash >> 6 & 15];
        doubt = doubt || (*word & bit) != 0;
        *word |= bit;
    }
    if (it.err_off != 0)
        return sp_fail(
            err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a document is damaged (at byte %u)", it.err_off);
    return doubt ? each_once(first, n, err) : 0;
}

int mo_doc_check(const bson_t *doc, struct sp_error *err)
{
    bson_iter_t it;
    if (!bson_iter_init(&it, doc))
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a document is damaged");
    return mo_names_check(it, err);
}
