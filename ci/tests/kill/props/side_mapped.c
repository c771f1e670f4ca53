/* side_mapped.c -- worlds as documents that are shaped otherwise than the tables, and the mapping that says how. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/json.h"
#include "mongo.h"
#include "providers/mongodb/mongodb.h"

struct mapped {
    struct side side;
    char database[64];
};

/* ---- where things stand ---- */

static void collection_name(const struct table *t, char *out, size_t size)
{
    snprintf(out, size, "%s%s", t->cols[0].spelling % 2 == 0 ? "" : "k_", t->name);
}

static bool is_id(const struct table *t, unsigned col)
{
    return t->parent < 0 && t->pk.n == 1 && t->pk.col[0] == col;
}

/* Under its own name, another one, or within a document. */
static const char *within(const struct table *t, unsigned col)
{
    return !is_id(t, col) && t->cols[col].spelling % 3 == 0 ? "sub" : NULL;
}
static void field_name(const struct table *t, unsigned col, char *out, size_t size)
{
    snprintf(out, size, "%s%s", is_id(t, col) || t->cols[col].spelling % 3 != 1 ? "" : "x_",
        is_id(t, col) ? "_id" : t->cols[col].name);
}

/* ---- documents ---- */

/* The array's place says the first two columns. */
static unsigned first_field(const struct table *t)
{
    return t->parent < 0 ? 0 : 2;
}

static void fields(bson_t *d, const struct table *t, const struct cell *r, bool nested)
{
    char name[256];
    for (unsigned i = first_field(t); i < t->ncols; i++) {
        if ((within(t, i) != NULL) != nested)
            continue;
        field_name(t, i, name, sizeof name);
        mongo_put(d, name, t->cols[i].kind, &r[i]);
    }
}

static void document(bson_t *d, const struct table *t, const struct cell *r)
{
    bson_t sub;
    bool nested = false;
    for (unsigned i = first_field(t); i < t->ncols; i++)
        nested = nested || within(t, i) != NULL;
    fields(d, t, r, false);
    if (!nested)
        return;
    bson_append_document_begin(d, "sub", -1, &sub);
    fields(&sub, t, r, true);
    bson_append_document_end(d, &sub);
}

static void arrays(bson_t *d, const struct world *w, unsigned table, const struct cell *r)
{
    for (unsigned c = 0; c < w->ntables; c++) {
        const struct table *t = &w->tables[c];
        bson_t list, element;
        unsigned n = 0;
        char number[16];
        if (t->parent != (int)table)
            continue;
        bson_append_array_begin(d, t->name, -1, &list);
        for (size_t k = 0; k < t->nrows; k++) {
            if (!cell_same(&t->rows[k][0], &r[w->tables[table].pk.col[0]]))
                continue;
            snprintf(number, sizeof number, "%u", n++);
            bson_append_document_begin(&list, number, -1, &element);
            document(&element, t, t->rows[k]);
            bson_append_document_end(&list, &element);
        }
        bson_append_array_end(d, &list);
    }
}

static void fill(const struct mapped *m, const struct world *w, unsigned table)
{
    const struct table *t = &w->tables[table];
    char name[256];
    bson_t **d = need(calloc(t->nrows + 1, sizeof *d));
    for (size_t k = 0; k < t->nrows; k++) {
        d[k] = bson_new();
        document(d[k], t, t->rows[k]);
        arrays(d[k], w, table, t->rows[k]);
    }
    collection_name(t, name, sizeof name);
    mongo_insert(m->database, name, d, t->nrows);
    for (size_t k = 0; k < t->nrows; k++)
        bson_destroy(d[k]);
    free(d);
}

static void empty(void *self)
{
    const struct mapped *m = self;
    mongo_command(m->database, BCON_NEW("dropDatabase", BCON_INT32(1)));
}

static void create(void *self, const struct world *w)
{
    const struct mapped *m = self;
    char name[256];
    empty(self);
    for (unsigned k = 0; k < w->ntables; k++) {
        if (w->tables[k].parent >= 0)
            continue;
        collection_name(&w->tables[k], name, sizeof name);
        mongo_command(m->database, BCON_NEW("create", BCON_UTF8(name)));
        fill(m, w, k);
    }
}

static void rewrite(void *self, const struct world *w, unsigned table)
{
    const struct mapped *m = self;
    char name[256];
    if (w->tables[table].parent >= 0)
        table = (unsigned)w->tables[table].parent;
    collection_name(&w->tables[table], name, sizeof name);
    mongo_clear(m->database, name);
    fill(m, w, table);
}

/* ---- the mapping ---- */

static void quoted(struct sp_buf *b, const char *s)
{
    sp_json_quote(b, s, strlen(s));
}

static void column_lines(struct sp_buf *out, const struct table *t, const char *docs)
{
    char name[256];
    for (unsigned i = 0; i < t->ncols; i++) {
        sp_buf_puts(out, "      ");
        quoted(out, t->cols[i].name);
        sp_buf_printf(out, ": { %s: ", docs);
        if (t->parent >= 0 && i < 2) {
            sp_buf_puts(out, i == 0 ? "{ parent: _id }" : "{ ordinal: true }");
        } else {
            struct sp_buf path = SP_BUF_INIT;
            field_name(t, i, name, sizeof name);
            sp_buf_printf(
                &path, "%s%s%s", within(t, i) != NULL ? "sub" : "", within(t, i) != NULL ? "/" : "", name);
            quoted(out, path.p);
            sp_buf_free(&path);
        }
        sp_buf_puts(out, " }\n");
    }
    if (t->parent < 0 && t->pk.n != 1)
        sp_buf_printf(out, "      _id: { %s: _id, ignore: \"drawn\" }\n", docs);
}

void mapping_text(const struct world *w, bool back, struct sp_buf *out)
{
    const char *docs = back ? "source" : "target", *tables = back ? "target" : "source";
    char name[256];
    sp_buf_puts(out, "version: 1\nrelations:\n");
    for (unsigned k = 0; k < w->ntables; k++) {
        const struct table *t = &w->tables[k], *in = t->parent < 0 ? t : &w->tables[t->parent];
        sp_buf_puts(out, "  ");
        quoted(out, t->name);
        sp_buf_printf(out, ":\n    %s: ", tables);
        quoted(out, t->name);
        sp_buf_printf(out, "\n    %s: { table: ", docs);
        collection_name(in, name, sizeof name);
        quoted(out, name);
        if (t->parent >= 0) {
            sp_buf_puts(out, ", array: ");
            quoted(out, t->name);
            sp_buf_puts(out, ", ordered: true");
        }
        sp_buf_puts(out, " }\n");
        for (unsigned i = 0; i < t->pk.n; i++) {
            sp_buf_puts(out, i == 0 ? "    key: [" : ", ");
            quoted(out, t->cols[t->pk.col[i]].name);
        }
        sp_buf_puts(out, t->pk.n != 0 ? "]\n    columns:\n" : "    columns:\n");
        column_lines(out, t, docs);
    }
}

struct side *side_mapped(const char *url, const char *database)
{
    struct mapped *m = need(calloc(1, sizeof *m));
    mongo_connect(url);
    snprintf(m->database, sizeof m->database, "%s", database);
    m->side = (struct side){ .provider = &sp_provider_mongodb,
        .kind = "mongodb",
        .create = create,
        .rewrite = rewrite,
        .empty = empty,
        .lasting = true,
        .self = m };
    mongo_url(m->side.url, sizeof m->side.url, url, database);
    return &m->side;
}
