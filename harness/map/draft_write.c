/* draft_write.c -- what was matched as YAML, and what was not as comments. */
#include <string.h>
#include <strings.h>

#include "map/draft_internal.h"

#define LISTED 30 /* names in a comment */

static bool is_plain(const char *s)
{
    static const char *const words[] = { "y", "n", "yes", "no", "true", "false", "on", "off", "null" };
    for (size_t i = 0; i < SP_LEN(words); i++)
        if (strcasecmp(s, words[i]) == 0)
            return false;
    bool ok = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '_';
    for (; ok && *s != '\0'; s++)
        ok = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_' ||
             *s == '/';
    return ok;
}

/* As a word of YAML that means this text, on one line. */
static void put(struct sp_buf *out, const char *s)
{
    bool controls = false;
    for (const char *p = s; *p != '\0'; p++)
        controls = controls || (unsigned char)*p < 0x20 || *p == 0x7f;
    if (is_plain(s)) {
        sp_buf_puts(out, s);
        return;
    }
    sp_buf_putc(out, controls ? '"' : '\'');
    for (const char *p = s; *p != '\0'; p++) {
        if (controls && ((unsigned char)*p < 0x20 || *p == 0x7f))
            sp_buf_printf(out, "\\x%02x", (unsigned)*p);
        else if (controls && (*p == '"' || *p == '\\'))
            sp_buf_printf(out, "\\%c", *p);
        else
            sp_buf_printf(out, "%s%c", !controls && *p == '\'' ? "'" : "", *p);
    }
    sp_buf_putc(out, controls ? '"' : '\'');
}

static const char *side_name(int side)
{
    return side == 0 ? "source" : "target";
}

/* ---- columns --------------------------------------------------------------------------------------------------------- */

/* A row of the relation: a field of either place, or of both. */
struct row {
    const struct map_place *p[2];
    const struct map_field *f[2]; /* of a parent: the field of the document */
    int parent, ordinal;          /* the side on which it is that; -1 = none */
    const char *how, *crosswalk;
};

static struct row row_of(const struct map_draft *d, const struct map_place *s, const struct map_place *t,
    int side, const struct map_field *f)
{
    const struct map_place *other = side == 0 ? t : s;
    struct row r = { .p = { s, t },
        .parent = -1,
        .ordinal = f->ordinal ? 1 - side : -1,
        .how = f->how,
        .crosswalk = f->crosswalk };
    r.f[side] = f;
    if (f->parent) {
        r.parent = 1 - side;
        r.f[1 - side] = &d->p[1 - side][other->rows].f[f->match];
    } else if (f->match >= 0) {
        r.f[1 - side] = &other->f[f->match];
    }
    return r;
}

/* The source's name, but rather a column's than a path's. */
static const char *name_of(const struct row *r)
{
    const char *s = r->f[0] != NULL ? r->f[0]->path : NULL, *t = r->f[1] != NULL ? r->f[1]->path : NULL;
    if (s == NULL || t == NULL)
        return s != NULL ? s : t;
    return r->p[0]->t->open_fields && !r->p[1]->t->open_fields ? t : s;
}

static void put_place(struct sp_buf *out, const struct row *r, int side, const char *name, bool *any)
{
    const char *path = r->f[side] != NULL ? r->f[side]->path : NULL;
    if (r->ordinal != side && r->parent != side && (path == NULL || strcmp(path, name) == 0))
        return;
    sp_buf_printf(out, "%s%s: ", *any ? ", " : " { ", side_name(side));
    *any = true;
    if (r->ordinal == side) {
        sp_buf_puts(out, "{ ordinal: true }");
    } else if (r->parent == side) {
        sp_buf_puts(out, "{ parent: ");
        put(out, path);
        sp_buf_puts(out, " }");
    } else {
        put(out, path);
    }
}

static void put_row(struct sp_buf *out, const struct row *r)
{
    const char *name = name_of(r);
    bool any = false;
    sp_buf_puts(out, "      ");
    put(out, name);
    sp_buf_putc(out, ':');
    put_place(out, r, 0, name, &any);
    put_place(out, r, 1, name, &any);
    if (r->crosswalk != NULL) {
        sp_buf_puts(out, any ? ", crosswalk: " : " { crosswalk: ");
        put(out, r->crosswalk);
        any = true;
    }
    sp_buf_printf(
        out, "%s%s%s\n", any ? " }" : "", r->how != NULL ? " # " : "", r->how != NULL ? r->how : "");
}

static bool is_matched(const struct map_field *f)
{
    return f->match >= 0 || f->ordinal;
}

static bool must_be_listed(const struct map_place *s, const struct map_place *t, const struct map_field *f)
{
    bool arrays = s->array != NULL || t->array != NULL;
    return f->how != NULL || f->crosswalk != NULL || f->ordinal || arrays ||
           s->t->open_fields != t->t->open_fields;
}

static void put_unmatched(struct sp_buf *out, const struct map_place *p, int side)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (is_matched(&p->f[i]) || p->f[i].old_id)
            continue;
        if (n++ == 0)
            sp_buf_printf(out, "    # only the %s has: ", side_name(side));
        if (n > LISTED)
            continue;
        sp_buf_puts(out, n > 1 ? ", " : "");
        put(out, p->f[i].path);
    }
    if (n > LISTED)
        sp_buf_printf(out, " and %zu more", n - LISTED);
    if (n != 0)
        sp_buf_puts(out, "\n    #   say where it went, or under columns: NAME: { ignore: why }\n");
}

static void put_columns(
    const struct map_draft *d, struct sp_buf *out, const struct map_place *s, const struct map_place *t)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (is_matched(&s->f[i]) && must_be_listed(s, t, &s->f[i])) {
            struct row r = row_of(d, s, t, 0, &s->f[i]);
            sp_buf_puts(out, n++ == 0 ? "    columns:\n" : "");
            put_row(out, &r);
        }
    for (size_t i = 0; i < t->n;
         i++) { /* those that the loop above has not: nothing of the source stands for them */
        const struct map_field *f = &t->f[i];
        if (f->parent || f->ordinal) {
            struct row r = row_of(d, s, t, 1, f);
            sp_buf_puts(out, n++ == 0 ? "    columns:\n" : "");
            put_row(out, &r);
        } else if (f->old_id) {
            sp_buf_puts(out, n++ == 0 ? "    columns:\n      " : "      ");
            put(out, f->path);
            sp_buf_puts(out, ": { target: ");
            put(out, f->path);
            sp_buf_puts(out, ", ignore: read by the crosswalk }\n");
        }
    }
}

/* ---- relations --------------------------------------------------------------------------------------------------------- */

static void put_table(
    struct sp_buf *out, const struct map_place *p, const struct map_place *other, int side, const char *name)
{
    bool ordered = false;
    if (p->array == NULL && strcmp(p->t->name, name) == 0)
        return;
    sp_buf_printf(out, "    %s: ", side_name(side));
    if (p->array == NULL) {
        put(out, p->t->name);
    } else {
        for (size_t i = 0; i < other->n; i++)
            ordered = ordered || other->f[i].ordinal;
        sp_buf_puts(out, "{ table: ");
        put(out, p->t->name);
        sp_buf_puts(out, ", array: ");
        put(out, p->array);
        sp_buf_puts(out, ordered ? ", ordered: true }" : " }");
    }
    sp_buf_putc(out, '\n');
}

static bool has_something(const struct map_place *s, const struct map_place *t)
{
    bool any = s->array != NULL || t->array != NULL || strcmp(s->t->name, t->t->name) != 0;
    for (size_t i = 0; i < s->n && !any; i++)
        any = !is_matched(&s->f[i]) || must_be_listed(s, t, &s->f[i]);
    for (size_t i = 0; i < t->n && !any; i++)
        any = !is_matched(&t->f[i]);
    return any;
}

static void put_relation(const struct map_draft *d, struct sp_buf *out, const struct map_place *s)
{
    const struct map_place *t = &d->p[1][s->match];
    const char *name = s->array != NULL ? t->t->name : s->t->name;
    sp_buf_puts(out, "\n  ");
    put(out, name);
    sp_buf_printf(out, ":%s%s\n", s->how != NULL ? " # " : "", s->how != NULL ? s->how : "");
    put_table(out, s, t, 0, name);
    put_table(out, t, s, 1, name);
    if (s->ordinal_from == 1 || t->ordinal_from == 1)
        sp_buf_puts(out, "    ordinal_from: 1\n");
    put_columns(d, out, s, t);
    put_unmatched(out, s, 0);
    put_unmatched(out, t, 1);
}

/* One id column of a pair of tables makes one crosswalk, which the references share. */
static void put_crosswalks(const struct map_draft *d, struct sp_buf *out)
{
    bool any = false;
    for (size_t i = 0; i < d->n[0]; i++) {
        const struct map_place *s = &d->p[0][i];
        const struct map_place *t = s->match >= 0 && s->array == NULL ? &d->p[1][s->match] : NULL;
        for (size_t k = 0; t != NULL && k < t->n; k++) {
            if (!t->f[k].old_id)
                continue;
            sp_buf_puts(out, any ? "" : "\ncrosswalks:\n");
            any = true;
            struct sp_buf name = SP_BUF_INIT;
            sp_buf_printf(&name, "%s_ids", s->t->name);
            sp_buf_puts(out, "  ");
            put(out, name.p != NULL ? name.p : "ids");
            sp_buf_free(&name);
            sp_buf_puts(out, ": { side: target, table: ");
            put(out, t->t->name);
            sp_buf_puts(out, ", source: ");
            put(out, t->f[k].path);
            sp_buf_puts(out, ", target: _id }\n");
        }
    }
}

static void put_alone(const struct map_draft *d, struct sp_buf *out)
{
    bool head = false;
    for (int side = 0; side < 2; side++) {
        bool any = false;
        for (size_t i = 0; i < d->n[side]; i++) {
            const struct map_place *p = &d->p[side][i];
            if (p->match >= 0 || p->array != NULL)
                continue;
            if (!head)
                sp_buf_puts(out,
                    "\n# Matched with nothing: each is a difference until it has a place above or a reason "
                    "here.\n# ignore:\n");
            head = true;
            if (!any)
                sp_buf_printf(out, "#   %s:\n", side_name(side));
            any = true;
            sp_buf_puts(out, "#     ");
            put(out, p->t->name);
            sp_buf_printf(out, ": say why # %zu column%s\n", p->n, p->n == 1 ? "" : "s");
        }
    }
}

/* An array that is no table over there, where the other side has nothing but tables. */
static void put_arrays(const struct map_draft *d, struct sp_buf *out)
{
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < d->n[side]; i++) {
            const struct map_place *p = &d->p[side][i];
            int owner = p->array != NULL && p->match < 0 ? d->p[side][p->rows].match : -1;
            if (owner < 0 || d->p[1 - side][owner].t->open_fields)
                continue;
            sp_buf_puts(out, "\n# Array ");
            put(out, p->array);
            sp_buf_puts(out, " of ");
            put(out, p->t->name);
            sp_buf_printf(out, " (%s) was matched with no table.\n", side_name(side));
        }
}

void map_draft_write(struct map_draft *d, struct sp_buf *out)
{
    size_t same = 0;
    bool any = false;
    put_crosswalks(d, out);
    sp_buf_puts(out, "\nrelations:\n");
    for (size_t i = 0; i < d->n[0]; i++) {
        const struct map_place *s = &d->p[0][i];
        if (s->match < 0)
            continue;
        if (!has_something(s, &d->p[1][s->match])) {
            same++;
            continue;
        }
        any = true;
        put_relation(d, out, s);
    }
    if (!any)
        sp_buf_puts(out, "  # nothing to say\n");
    if (same != 0) {
        sp_buf_puts(out, "\n# The same on both sides, by name:");
        for (size_t i = 0, n = 0; i < d->n[0]; i++) {
            const struct map_place *s = &d->p[0][i];
            if (s->match < 0 || has_something(s, &d->p[1][s->match]))
                continue;
            sp_buf_puts(out, n++ == 0 ? " " : ", ");
            put(out, s->t->name);
        }
        sp_buf_puts(out, "\n");
    }
    put_arrays(d, out);
    put_alone(d, out);
}
