/* for_copy.c -- the mapping by which a copy reads its source: relations and columns get the target's names, so that what
 * the lens shows is what is to be written. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "map/for_copy.h"

struct making {
    const struct sp_mapping *from;
    struct sp_mapping *to;
    const struct sp_schema *source;
    struct sp_error *err;
};

static int refuse(const struct making *k, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int refuse(const struct making *k, unsigned line, const char *fmt, ...)
{
    struct sp_buf text = SP_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    (void)sp_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    int rc = text.oom ? sp_nomem(k->err) : sp_invalid(k->err, "%s:%u: %s", k->from->file, line, text.p);
    sp_buf_free(&text);
    return rc;
}

/* ---- columns --------------------------------------------------------------------------------------------------------- */

/* Rows that become elements keep the names of the relation: migrate/embed.c takes them to their places. */
static int column(const struct making *k, const struct sp_map_relation *r, const struct sp_map_column *in,
    struct sp_map_column *out, bool *keep)
{
    bool embedded = r->array[1] != NULL;
    *out = *in;
    if (!embedded)
        out->place[1] = NULL;
    out->crosswalk = NULL;
    *keep = true;
    if (in->ignore != NULL) {
        *keep = in->place[0] != NULL;
        return 0;
    }
    if (in->crosswalk != NULL)
        return refuse(k, in->line,
            "relations.%s.columns.%s: migrate does not translate ids: in a mapping for the copy leave the "
            "crosswalk out, or `ignore` the column or the relation",
            r->name, in->name);
    if (in->constant[1] != NULL) /* what is not that constant would be lost without a word */
        return refuse(k, in->line,
            "relations.%s.columns.%s: the target has a constant for it, and migrate does not look whether "
            "the "
            "rows hold "
            "anything else: `ignore` the column in a mapping for the copy, and compare with this one",
            r->name, in->name);
    if (in->place[1] != NULL && strchr(in->place[1], '/') != NULL)
        return refuse(k, in->line,
            "relations.%s.columns.%s: migrate writes columns and fields at the top of documents, not \"%s\" "
            "inside "
            "of one",
            r->name, in->name, in->place[1]);
    if (!embedded)
        out->name = in->place[1];
    return 0;
}

static int key(const struct making *k, const struct sp_map_relation *in, struct sp_map_relation *out)
{
    const char **names = sp_arena_array(&k->to->arena, in->nkey + 1, sizeof *names);
    if (names == NULL)
        return sp_nomem(k->err);
    for (size_t i = 0; i < in->nkey && in->array[1] == NULL; i++) {
        const struct sp_map_column *col = sp_map_column_named(in, in->key[i]);
        names[i] = col == NULL ? in->key[i] : col->place[1];
        if (names[i] == NULL) { /* no key of what is written */
            out->nkey = 0;
            return 0;
        }
    }
    out->key = in->array[1] == NULL ? names : in->key;
    return 0;
}

static int columns(const struct making *k, const struct sp_map_relation *in, struct sp_map_relation *out)
{
    struct sp_map_column *v = sp_arena_array(&k->to->arena, in->ncolumns + 1, sizeof *v);
    size_t n = 0;
    if (v == NULL)
        return sp_nomem(k->err);
    for (size_t i = 0; i < in->ncolumns; i++) {
        bool keep;
        int rc = column(k, in, &in->columns[i], &v[n], &keep);
        if (rc != 0)
            return rc;
        n += keep ? 1 : 0;
    }
    out->columns = v;
    out->ncolumns = n;
    return key(k, in, out);
}

/* A column that is not listed would be written under its own name, which the mapping calls a difference. */
static int all_are_listed(const struct making *k, const struct sp_map_relation *r)
{
    const struct sp_table *t = sp_schema_table(k->source, r->table[0]);
    for (size_t i = 0; !r->columns_by_name && r->array[0] == NULL && i < t->ncolumns; i++) {
        bool listed = false;
        for (size_t c = 0; c < r->ncolumns && !listed; c++)
            listed = sp_streq(r->columns[c].place[0], t->columns[i].name);
        if (!listed)
            return refuse(k, r->line,
                "relations.%s: column \"%s\" of the source is not listed, so migrate does not know where it "
                "goes: "
                "list it, or `ignore` it",
                r->name, t->columns[i].name);
    }
    return 0;
}

/* ---- relations --------------------------------------------------------------------------------------------------------- */

static int relation(const struct making *k, const struct sp_map_relation *in, struct sp_map_relation *out)
{
    *out = *in;
    out->where[1] = NULL;
    if (in->ignore != NULL || in->array[1] == NULL) {
        out->array[1] = NULL;
        out->ordered[1] = false;
        out->table[1] = NULL;
    }
    if (in->ignore != NULL)
        return 0;
    if (in->array[1] != NULL && strchr(in->array[1], '/') != NULL)
        return refuse(k, in->line,
            "relations.%s: migrate writes arrays at the top of documents, not \"%s\" inside of one", in->name,
            in->array[1]);
    int rc = all_are_listed(k, in);
    if (in->array[1] == NULL)
        out->name = in->table[1];
    return rc == 0 ? columns(k, in, out) : rc;
}

/* Two relations of one name would be one table; and a table that nobody mentions keeps its own. */
static int names(const struct making *k)
{
    const struct sp_map_relation *r = k->to->relations;
    for (size_t i = 0; i < k->to->nrelations; i++) {
        bool own = sp_schema_table(k->source, r[i].name) != NULL && r[i].ignore == NULL;
        for (size_t j = 0; j < k->to->nrelations; j++) {
            if (j < i && r[i].ignore == NULL && r[j].ignore == NULL && strcmp(r[j].name, r[i].name) == 0)
                return refuse(k, r[i].line,
                    "table %s of the target: migrate does not write two relations into one table", r[i].name);
            own = own && (r[j].array[0] != NULL || !sp_streq(r[j].table[0], r[i].name));
        }
        if (own)
            return refuse(k, r[i].line,
                "table %s of the target: the source has a table of that name, which would be written there, "
                "too: say "
                "where it belongs, or `ignore` it",
                r[i].name);
    }
    return 0;
}

int sp_mapping_for_copy(const struct sp_mapping *from, const struct sp_schema *source,
    struct sp_mapping **out, struct sp_error *err)
{
    struct making k = { .from = from, .to = calloc(1, sizeof *k.to), .source = source, .err = err };
    *out = NULL;
    if (k.to == NULL)
        return sp_nomem(err);
    struct sp_map_relation *v = sp_arena_array(&k.to->arena, from->nrelations + 1, sizeof *v);
    int rc = v == NULL ? sp_nomem(err) : sp_mapping_check(from, source, NULL, err);
    size_t n = 0;
    for (size_t i = 0; rc == 0 && i < from->nrelations; i++)
        if (from->relations[i].table[0] != NULL)
            rc = relation(&k, &from->relations[i], &v[n++]);
    k.to->file = from->file;
    k.to->digest = from->digest;
    k.to->relations = v;
    k.to->nrelations = n;
    if (rc == 0)
        rc = names(&k);
    if (rc != 0) {
        sp_mapping_free(k.to);
        return rc;
    }
    *out = k.to;
    return 0;
}
