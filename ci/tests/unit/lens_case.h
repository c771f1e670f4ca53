/* lens_case.h -- documents in a backend in memory, seen through a mapping; rows as text: `id=1 x="a" | extra=5`. Included
 * once per test program. */
#ifndef LENS_CASE_H
#define LENS_CASE_H

#include <stdio.h>

#include "fake_backend.h"
#include "map/lens.h"

#define COLUMNS(...)                                                                                         \
    .columns = (const struct sp_map_column[]){ __VA_ARGS__ },                                                \
    .ncolumns = sizeof((const struct sp_map_column[]){ __VA_ARGS__ }) / sizeof(struct sp_map_column)

struct lens_case {
    struct fake *docs, *other;
    struct fake_table *t; /* _id, and the document in field d */
    struct sp_session *lens;
    struct sp_mapping m;
    struct sp_error err;
    struct sp_buf rows;
    bool residual, as_stored, digests; /* digests: also those of what is malformed */
    const struct sp_filter *where;
    const struct sp_colplan *cols;
    size_t ncols;
};

static inline void lens_begin(struct lens_case *c)
{
    *c = (struct lens_case){
        .docs = fake_new("documents"), .other = fake_new("other"), .err = SP_ERROR_INIT, .residual = true
    };
    c->t = fake_table(c->docs, "docs", "_id! d", 1);
    c->t->t.open_fields = true;
    c->t->undeclared = 1;
    fake_column(c->t, "_id")->ordinal_unstable = true;
}
static inline void lens_end(struct lens_case *c)
{
    sp_close(c->lens);
    fake_free(c->docs);
    fake_free(c->other);
    sp_error_clear(&c->err);
    sp_buf_free(&c->rows);
}
/* A document: what is in d, as a document store gives it; NULL = no field d. */
static inline void lens_doc(struct lens_case *c, int64_t id, const char *d)
{
    struct sp_value *v = fake_row(c->t);
    v[0] = sp_v_int(id);
    v[1] = d == NULL                ? sp_v_missing()
           : d[0] == '{'            ? sp_v_native("object", d, strlen(d))
           : d[0] == '['            ? sp_v_native("array", d, strlen(d))
           : strcmp(d, "null") == 0 ? sp_v_null()
                                    : sp_v_text(d);
}

/* Without the names of types that only stand before numbers and times. */
static inline void lens_print_value(const struct lens_case *c, struct sp_buf *out, const struct sp_value *v)
{
    struct sp_buf text = SP_BUF_INIT;
    if (v->tag == SP_JSON) {
        sp_buf_put(out, v->u.str.p, v->u.str.n);
    } else if (v->tag == SP_NATIVE) {
        bool octets = strncmp(v->u.native.type, "binData", 7) == 0;
        sp_buf_printf(out, "%s:", v->u.native.type);
        const char *digest = memmem(v->u.native.p, v->u.native.n, " (digest ", 9);
        size_t n = digest != NULL && !c->digests ? (size_t)(digest - v->u.native.p) : v->u.native.n;
        (octets ? sp_buf_hex : sp_buf_put)(out, v->u.native.p, n);
    } else {
        sp_value_print_key(&text, v);
        const char *blank = v->tag == SP_TEXT || v->tag == SP_ARRAY ? NULL : strchr(text.p, ' ');
        sp_buf_puts(out, blank != NULL ? blank + 1 : text.p);
    }
    sp_buf_free(&text);
}

static inline int lens_print(void *payload, const struct sp_rowview *row)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    struct lens_case *c = payload;
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_value v;
    const uint8_t *at = row->row, *end = at + row->nrow;
    for (size_t i = 0; i < c->ncols; i++) {
        int64_t n = sp_canon_read(&a, &c->cols[i].type, at, (size_t)(end - at), &v, NULL);
        assert_true(n > 0);
        at += n;
        sp_buf_printf(&c->rows, "%s%s=", i == 0 ? "" : " ", c->cols[i].name);
        lens_print_value(c, &c->rows, &v);
    }
    uint32_t extras = 0;
    if (c->residual) {
        memcpy(&extras, at, 4);
        at += 4;
    }
    sp_buf_puts(&c->rows, extras != 0 ? " |" : "");
    for (uint32_t i = 0; i < extras; i++) {
        uint32_t len;
        memcpy(&len, at, 4);
        sp_buf_printf(&c->rows, " %.*s=", (int)len, (const char *)at + 4);
        at += 4 + len;
        int64_t n = sp_canon_read(&a, &dynamic, at, (size_t)(end - at), &v, NULL);
        assert_true(n > 0);
        at += n;
        lens_print_value(c, &c->rows, &v);
    }
    sp_buf_putc(&c->rows, '\n');
    sp_arena_free(&a);
    return 0;
}

/* Reads a relation of the target with these columns. */
static inline int lens_read(
    struct lens_case *c, const struct sp_map_relation *r, size_t n, const char *name, const char *columns)
{
    struct sp_colplan cols[16];
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_rowbuf rb;
    char *text = sp_arena_str(&a, columns), *w;
    c->m.relations = r;
    c->m.nrelations = n;
    c->ncols = 0;
    while ((w = strsep(&text, " ")) != NULL) {
        char *type = strchr(w, ':');
        cols[c->ncols] = (struct sp_colplan){ .name = w, .source = w, .target = w };
        if (type != NULL) {
            *type = '\0';
            assert_int_equal(0, sp_tag_parse(type + 1, &cols[c->ncols].type.tag));
        }
        c->ncols++;
    }
    c->cols = cols;
    sp_buf_clear(&c->rows);
    sp_error_clear(&c->err);
    sp_close(c->lens);
    c->lens = NULL;
    assert_int_equal(
        0, sp_lens_open(session_of(c->docs), session_of(c->other), &c->m, SP_SIDE_TARGET, &c->lens, &c->err));
    const struct sp_scan scan = { .table = name,
        .cols = cols,
        .ncols = c->ncols,
        .side = SP_SIDE_TARGET,
        .residual = c->residual,
        .as_stored = c->as_stored,
        .where = c->where };
    assert_int_equal(0, sp_rowbuf_init(&rb, &scan, &c->err));
    rb.sink = lens_print;
    rb.payload = c;
    int rc = sp_db_scan(c->lens, &scan, &rb, &c->err);
    sp_rowbuf_free(&rb);
    sp_arena_free(&a);
    sp_buf_puts(&c->rows, "");
    return rc;
}
#define assert_rows(c, want, ...)                                                                            \
    do {                                                                                                     \
        if (lens_read((c), __VA_ARGS__) != 0)                                                                \
            fail_msg("%s", sp_error_text(&(c)->err));                                                        \
        assert_string_equal((want), (c)->rows.p != NULL ? (c)->rows.p : "");                                 \
    } while (0)

#endif
