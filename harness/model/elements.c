/* elements.c -- rows as the elements of one array. */
#include "model/elements.h"

#include <endian.h>
#include <string.h>

#include "model/canonical.h"

static const struct sp_type dynamic = { .tag = SP_MISSING };

static void put_u32(struct sp_buf *b, uint32_t n)
{
    n = htole32(n);
    sp_buf_put(b, &n, sizeof n);
}

int sp_elements_add(struct sp_buf *b, const char *const *names, const struct sp_value *values, size_t n)
{
    uint32_t there = 0;
    for (size_t i = 0; i < n; i++)
        there += values[i].tag != SP_MISSING ? 1 : 0;
    put_u32(b, there);
    for (size_t i = 0; i < n; i++) {
        if (values[i].tag == SP_MISSING)
            continue;
        put_u32(b, (uint32_t)strlen(names[i]));
        sp_buf_puts(b, names[i]);
        int rc = sp_canon_field(b, &dynamic, &values[i], NULL);
        if (rc != 0)
            return rc;
    }
    return b->oom ? -SP_E_NOMEM : 0;
}

struct sp_value sp_elements_value(const struct sp_buf *b)
{
    return sp_v_native(SP_ELEMENTS, b->n != 0 ? b->p : "", b->n);
}

void sp_elements_read(struct sp_elements *e, const struct sp_value *v)
{
    e->at = (const uint8_t *)v->u.native.p;
    e->end = e->at + v->u.native.n;
    e->fields = 0;
}

static bool take_u32(struct sp_elements *e, uint32_t *n)
{
    if (e->end - e->at < 4)
        return false;
    memcpy(n, e->at, 4);
    *n = le32toh(*n);
    e->at += 4;
    return true;
}

int sp_elements_next(struct sp_elements *e)
{
    if (e->fields != 0)
        return -SP_E_CORRUPT;
    if (e->at == e->end)
        return 0;
    return take_u32(e, &e->fields) ? 1 : -SP_E_CORRUPT;
}

int sp_elements_field(struct sp_elements *e, struct sp_arena *a, const char **name, struct sp_value *value)
{
    uint32_t n;
    if (e->fields == 0)
        return 0;
    if (!take_u32(e, &n) || n > (size_t)(e->end - e->at))
        return -SP_E_CORRUPT;
    *name = sp_arena_strn(a, (const char *)e->at, n);
    if (*name == NULL)
        return -SP_E_NOMEM;
    e->at += n;
    int64_t used = sp_canon_read(a, &dynamic, e->at, (size_t)(e->end - e->at), value, NULL);
    if (used <= 0)
        return used == 0 ? -SP_E_CORRUPT : (int)used;
    e->at += used;
    e->fields--;
    return 1;
}
