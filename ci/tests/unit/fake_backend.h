/* fake_backend.h -- for the unit tests of verify and migrate: a backend in memory that can introspect, scan, and little
 * more, and an emitter that keeps what it is sent. Included once per test program. */
#ifndef FAKE_BACKEND_H
#define FAKE_BACKEND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "event.h"
#include "provider_call.h"

#define FAKE_TABLES 8

struct fake_table {
    struct sp_table t;
    struct sp_value *rows; /* nrows * ncolumns */
    size_t nrows, cap;
    bool scan_fails, no_end, lies_about_count, endless;
    unsigned selected;    /* rows that scans gave */
    size_t undeclared;    /* columns at the end that introspection does not show: fields of documents */
    unsigned grows_after; /* scans after which a row more is there */
    unsigned scans;
};
struct fake {
    struct sp_session_base base;
    struct sp_endpoint endpoint;
    struct sp_arena arena;
    struct fake_table tables[FAKE_TABLES];
    size_t ntables;
    struct sp_sequence sequences[4];
    size_t nsequences;
    struct sp_inventory_item inventory[4];
    size_t ninventory;
    bool bad_snapshot_end, lost;
    int snapshots;
    unsigned begun; /* snapshots in all */
    void (*on_snapshot)(
        struct fake *self); /* others have written: changes the rows before the snapshot is opened */
    size_t largest_row_scan;
};

static inline struct fake *fake_of(struct sp_session *s)
{
    return (struct fake *)(void *)s;
}

static inline int fake_introspect(
    struct sp_session *s, const char *ns, struct sp_schema **out, struct sp_error *err)
{
    struct fake *f = fake_of(s);
    struct sp_schema *schema = sp_schema_new();
    (void)ns;
    (void)err;
    struct sp_table *t = sp_arena_array(&schema->arena, f->ntables + 1, sizeof *t);
    for (size_t i = 0; i < f->ntables; i++) {
        size_t at = i;
        struct sp_table copy;
        assert_int_equal(0, sp_table_copy(&schema->arena, &copy, &f->tables[i].t));
        copy.ncolumns -= f->tables[i].undeclared;
        for (; at > 0 && strcmp(t[at - 1].name, copy.name) > 0; at--)
            t[at] = t[at - 1];
        t[at] = copy;
    }
    schema->tables = t;
    schema->ntables = f->ntables;
    struct sp_sequence *sequences = sp_arena_array(&schema->arena, f->nsequences + 1, sizeof *sequences);
    memcpy(sequences, f->sequences, f->nsequences * sizeof *sequences);
    schema->sequences = sequences;
    schema->nsequences = f->nsequences;
    schema->inventory = f->inventory;
    schema->ninventory = f->ninventory;
    *out = schema;
    return 0;
}

static inline int fake_snapshot_begin(struct sp_session *s, char id[64], struct sp_error *err)
{
    struct fake *f = fake_of(s);
    f->begun++;
    if (f->on_snapshot != NULL)
        f->on_snapshot(f);
    if (f->lost)
        return sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT, "the connection is gone");
    f->snapshots++;
    sp_strlcpy(id, "state 1", 64);
    return 0;
}
static inline int fake_snapshot_end(struct sp_session *s, struct sp_error *err)
{
    fake_of(s)->snapshots--;
    return fake_of(s)->bad_snapshot_end
               ? sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the file changed while it was read")
               : 0;
}

static inline struct fake_table *fake_find(struct fake *f, const char *name)
{
    for (size_t i = 0; i < f->ntables; i++)
        if (strcmp(f->tables[i].t.name, name) == 0)
            return &f->tables[i];
    return NULL;
}

static inline int fake_put(struct sp_rowbuf *rb, const struct sp_value *v)
{
    switch (v->tag) {
    case SP_NULL:
        return sp_put_null(rb);
    case SP_INT:
        return sp_put_int(rb, v->u.i);
    case SP_F64:
        return sp_put_f64(rb, v->u.f64);
    case SP_TEXT:
        return sp_put_text(rb, v->u.str.p, v->u.str.n);
    case SP_BYTES:
        return sp_put_bytes(rb, v->u.str.p, v->u.str.n);
    default:
        return sp_put_value(rb, v);
    }
}

/* The row at work, for its filter. */
struct fake_at {
    const struct fake_table *t;
    size_t row;
};
static inline const struct sp_value *fake_get(void *row, const char *column)
{
    const struct fake_at *at = row;
    int i = sp_table_column_index(&at->t->t, column);
    assert_true(i >= 0);
    return &at->t->rows[at->row * at->t->t.ncolumns + (size_t)i];
}

static inline bool fake_planned(const int *index, size_t n, int column)
{
    for (size_t i = 0; i < n; i++)
        if (index[i] == column)
            return true;
    return false;
}

static inline int fake_scan(
    struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct fake_table *t = fake_find(fake_of(s), scan->table);
    int index[32];
    if (t == NULL)
        return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no such table");
    for (size_t c = 0; c < scan->ncols; c++) {
        const char *name = scan->side == SP_SIDE_SOURCE ? scan->cols[c].source : scan->cols[c].target;
        index[c] = sp_table_column_index(&t->t, name);
        if (index[c] < 0)
            return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no such column %s", name);
    }
    size_t n = t->nrows;
    if (t->grows_after != 0 && t->scans++ < t->grows_after)
        n--;
    for (size_t r = 0; r < n; r = t->endless ? (r + 1) % n : r + 1) {
        int rc = 0;
        if (t->scan_fails && r == n / 2)
            return sp_fail(err, SP_E_IO, SP_ORIGIN_BACKEND, "disk I/O error");
        if (scan->where != NULL && sp_filter_eval(scan->where, fake_get, &(struct fake_at){ t, r }) != 1)
            continue;
        t->selected++;
        for (size_t c = 0; c < scan->ncols && rc == 0; c++)
            rc = fake_put(rb, &t->rows[r * t->t.ncolumns + (size_t)index[c]]);
        for (size_t c = 0; scan->residual && t->t.open_fields && c < t->t.ncolumns && rc == 0; c++)
            if (!fake_planned(index, scan->ncols, (int)c))
                rc = sp_put_extra(rb, t->t.columns[c].name, &t->rows[r * t->t.ncolumns + c]);
        if (rc == 0)
            rc = sp_row_end(rb);
        if (rc != 0)
            return sp_rowbuf_error(rb)->code != SP_E_OK
                       ? sp_fail(err, sp_rowbuf_error(rb)->code, SP_ORIGIN_HARNESS, "%s",
                             sp_error_text(sp_rowbuf_error(rb)))
                       : sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "stopped");
    }
    if (t->no_end)
        return 0;
    return sp_scan_end(rb, t->lies_about_count ? n + 1 : UINT64_MAX, err);
}

/* COUNT without a filter; nothing else. */
static inline int fake_exec(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct fake_table *t = op->kind == SP_OP_COUNT ? fake_find(fake_of(s), op->query.table) : NULL;
    if (t == NULL)
        return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no such table");
    r->affected = (int64_t)t->nrows;
    return 0;
}

static const struct sp_db_ops fake_db = {
    .introspect = fake_introspect,
    .exec = fake_exec,
    .snapshot_begin = fake_snapshot_begin,
    .snapshot_end = fake_snapshot_end,
    .scan = fake_scan,
};
static const struct sp_cap fake_caps[SP_CAP_N];
static const struct sp_provider fake_provider = {
    .kind = "fake", .scheme = "fake", .declared = fake_caps, .db = &fake_db
};
static const struct sp_provider other_provider = {
    .kind = "other", .scheme = "other", .declared = fake_caps, .db = &fake_db
};

static inline struct fake *fake_new(const char *name)
{
    struct fake *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->endpoint.name = name;
    f->base.provider = &fake_provider;
    f->base.endpoint = &f->endpoint;
    return f;
}
static inline void fake_free(struct fake *f)
{
    for (size_t i = 0; i < f->ntables; i++)
        free(f->tables[i].rows);
    sp_arena_free(&f->arena);
    free(f);
}
static inline struct sp_session *session_of(struct fake *f)
{
    return (struct sp_session *)(void *)f;
}

/* fake_table(f, "agents", "id:int! name:text note"): '!' = not null, no type = dynamic. The first npk columns are the
 * primary key. */
static inline struct fake_table *fake_table(struct fake *f, const char *name, const char *columns, size_t npk)
{
    assert_true(f->ntables < FAKE_TABLES);
    struct fake_table *t = &f->tables[f->ntables++];
    struct sp_column *cols = sp_arena_array(&f->arena, 32, sizeof *cols);
    const char **pk = sp_arena_array(&f->arena, npk + 1, sizeof *pk);
    char *text = sp_arena_str(&f->arena, columns), *w;
    size_t n = 0;
    for (; (w = strsep(&text, " ")) != NULL; n++) {
        size_t len = strlen(w);
        if (w[len - 1] == '!') {
            cols[n].not_null = true;
            w[len - 1] = '\0';
        }
        char *type = strchr(w, ':');
        cols[n].name = w;
        if (type != NULL) {
            *type = '\0';
            assert_int_equal(0, sp_tag_parse(type + 1, &cols[n].type.tag));
            cols[n].native_type = type + 1;
        }
        if (n < npk)
            pk[n] = w;
    }
    *t = (struct fake_table){ .t = { .name = name, .columns = cols, .ncolumns = n, .pk = pk, .npk = npk } };
    return t;
}
static inline struct sp_column *fake_column(struct fake_table *t, const char *name)
{
    int i = sp_table_column_index(&t->t, name);
    assert_true(i >= 0);
    return (struct sp_column *)(uintptr_t)&t->t.columns[i];
}
static inline struct sp_value *fake_row(struct fake_table *t)
{
    size_t n = t->t.ncolumns;
    if (t->nrows == t->cap) {
        t->cap = t->cap == 0 ? 16 : t->cap * 2;
        t->rows = realloc(t->rows, t->cap * n * sizeof *t->rows);
        assert_non_null(t->rows);
    }
    return &t->rows[n * t->nrows++];
}
static inline void fake_remove(struct fake_table *t, size_t row)
{
    size_t n = t->t.ncolumns;
    t->nrows--;
    memmove(&t->rows[row * n], &t->rows[(row + 1) * n], (t->nrows - row) * n * sizeof *t->rows);
}

/* ---- what was sent ---------------------------------------------------------------------------------------------------- */

struct caught {
    struct sp_emitter em;
    struct sp_event_in *v;
    size_t n, cap;
};
static inline int caught_send(
    struct sp_emitter *em, enum sp_event_kind k, const char *json, size_t n, struct sp_error *err)
{
    struct caught *c = (struct caught *)(void *)em;
    struct sp_buf line = SP_BUF_INIT;
    sp_buf_printf(&line, "{\"seq\":1,\"t\":0.5,\"ev\":\"%s\"%s", sp_event_name(k), n == 0 ? "" : ",");
    sp_buf_put(&line, json, n);
    sp_buf_putc(&line, '}');
    if (c->n == c->cap) {
        c->cap = c->cap == 0 ? 64 : c->cap * 2;
        c->v = realloc(c->v, c->cap * sizeof *c->v);
        assert_non_null(c->v);
    }
    assert_int_equal(0, sp_event_parse(line.p, line.n, &c->v[c->n], err));
    c->n++;
    sp_buf_free(&line);
    return 0;
}
static inline void caught_free(struct caught *c)
{
    for (size_t i = 0; i < c->n; i++)
        sp_event_in_free(&c->v[i]);
    free(c->v);
    *c = (struct caught){ .em = { caught_send } };
}
static inline size_t caught_count(const struct caught *c, enum sp_event_kind k)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        n += c->v[i].kind == k;
    return n;
}
/* The i-th event of that kind. */
static inline const struct sp_event_in *caught_at(const struct caught *c, enum sp_event_kind k, size_t i)
{
    for (size_t j = 0; j < c->n; j++)
        if (c->v[j].kind == k && i-- == 0)
            return &c->v[j];
    return NULL;
}
/* The first event of that kind whose field is this text. */
static inline const struct sp_event_in *caught_where(
    const struct caught *c, enum sp_event_kind k, enum sp_event_field f, const char *text)
{
    for (size_t j = 0; j < c->n; j++)
        if (c->v[j].kind == k && sp_streq(sp_event_get_text(&c->v[j], f), text))
            return &c->v[j];
    return NULL;
}

#endif
