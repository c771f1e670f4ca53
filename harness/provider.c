/* provider.c -- names of the contract's constants, results, lists of names, endpoint options. */
#include "provider.h"

#include <string.h>

const char *sp_access_name(enum sp_access a)
{
    switch (a) {
    case SP_ACCESS_READ_ONLY:
        return "read-only";
    case SP_ACCESS_TARGET:
        return "target";
    case SP_ACCESS_DISPOSABLE:
        return "disposable";
    }
    return "?";
}

const char *sp_fidelity_name(enum sp_fidelity f)
{
    switch (f) {
    case SP_FID_UNKNOWN:
        return "unknown";
    case SP_FID_REAL:
        return "real";
    case SP_FID_OFFICIAL_EMULATOR:
        return "official emulator";
    case SP_FID_COMPATIBLE:
        return "compatible server";
    case SP_FID_MOCK:
        return "mock";
    }
    return "?";
}

const char *sp_endpoint_option(const struct sp_endpoint *e, const char *name, const char *fallback)
{
    for (size_t i = 0; i < e->noptions; i++) {
        if (strcmp(e->option_names[i], name) == 0 && e->option_values[i] != NULL)
            return e->option_values[i];
    }
    return fallback;
}

void sp_result_free(struct sp_result *r)
{
    if (r == NULL)
        return;
    sp_arena_free(&r->arena);
    *r = (struct sp_result)SP_RESULT_INIT;
}

void sp_result_reset(struct sp_result *r)
{
    struct sp_result keep = *r;
    sp_arena_reset(&keep.arena);
    *r = (struct sp_result)SP_RESULT_INIT;
    r->arena = keep.arena;
    r->most_rows = keep.most_rows;
    r->most_bytes = keep.most_bytes;
}

int sp_result_columns(struct sp_result *r, const char *const *names, size_t n)
{
    const char **columns = NULL;
    if (n > 0) {
        columns = sp_arena_array(&r->arena, n, sizeof *columns);
        if (columns == NULL)
            return -SP_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        columns[i] = sp_arena_str(&r->arena, names[i]);
        if (columns[i] == NULL)
            return -SP_E_NOMEM;
    }
    r->columns = columns;
    r->ncolumns = n;
    r->values = NULL;
    r->nrows = r->row_cap = 0;
    return 0;
}

static int beyond(struct sp_error *err, size_t most, const char *unit)
{
    return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS,
        "more than %zu %s; an answer is held in memory: let the query count or sum them, or narrow it", most,
        unit);
}

int sp_result_add(struct sp_result *r, const struct sp_value *row, struct sp_error *err)
{
    size_t n = r->ncolumns;
    if (r->most_rows != 0 && r->nrows >= r->most_rows)
        return beyond(err, r->most_rows, "rows");
    if (n == 0) {
        r->nrows++;
        return 0;
    }
    if (n > SIZE_MAX / sizeof *row)
        return sp_nomem(err);
    if (r->nrows == r->row_cap) {
        struct sp_value *values =
            sp_arena_grow(&r->arena, r->values, &r->row_cap, r->nrows + 1, n * sizeof *values);
        if (values == NULL)
            return sp_nomem(err);
        r->values = values;
    }
    for (size_t i = 0; i < n; i++) {
        int rc = sp_value_copy(&r->arena, &r->values[r->nrows * n + i], &row[i]);
        if (rc != 0)
            return rc == -SP_E_TOO_LARGE
                       ? sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS, "a value is nested too deep")
                       : sp_nomem(err);
        if (r->most_bytes != 0 && r->arena.total > r->most_bytes)
            return beyond(err, r->most_bytes >> 20, "MiB");
    }
    r->nrows++;
    return 0;
}

const struct sp_value *sp_result_at(const struct sp_result *r, size_t row, const char *column)
{
    if (row >= r->nrows)
        return NULL;
    for (size_t i = 0; i < r->ncolumns; i++) {
        if (strcmp(r->columns[i], column) == 0)
            return &r->values[row * r->ncolumns + i];
    }
    return NULL;
}

void sp_names_free(struct sp_names *l)
{
    if (l == NULL)
        return;
    sp_arena_free(&l->arena);
    *l = (struct sp_names){ .arena = SP_ARENA_INIT };
}

int sp_names_add(struct sp_names *l, const char *name)
{
    const char *copy = sp_arena_str(&l->arena, name);
    if (copy == NULL)
        return -SP_E_NOMEM;
    if (l->n == l->cap) {
        const char **v = sp_arena_grow(&l->arena, l->v, &l->cap, l->n + 1, sizeof *v);
        if (v == NULL)
            return -SP_E_NOMEM;
        l->v = v;
    }
    l->v[l->n++] = copy;
    return 0;
}

bool sp_provider_same_language(const struct sp_provider *a, const struct sp_provider *b)
{
    return strcmp(a->language != NULL ? a->language : a->kind, b->language != NULL ? b->language : b->kind) ==
           0;
}
