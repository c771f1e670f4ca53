/* lens_cross.c -- ids of the target as those of the source, by pairs that stand in a table of either side, or in the
 * target's own documents.
 *
 * Pairs are read when the views are made, in the snapshot that is open then and by the thread that opened the sessions.
 * Pairs that are no function are an error of each relation that uses them, not of the others. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "map/lens_pairs.h"
#include "map/lens_row.h"

struct filling {
    struct lens_walk *w;
    struct sp_arena a;
    struct sp_buf key, back, source;
    struct sp_error err;
};

/* ---- when two ids are the same ------------------------------------------------------------------------------------ */

static int lower_text(struct sp_arena *a, const char *s, size_t n, struct sp_value *out)
{
    char *p = sp_arena_strn(a, s, n);
    for (size_t i = 0; p != NULL && i < n; i++)
        p[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] - 'A' + 'a' : p[i]);
    *out = sp_v_textn(p, n);
    return p == NULL ? -SP_E_NOMEM : 0;
}

static bool is_hex_id(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f') || (s[i] >= 'A' && s[i] <= 'F')))
            return false;
    return n == 24;
}

/* What another kind of backend keeps of an id of this one: its text. */
static int common_form(struct sp_arena *a, struct sp_value *v)
{
    static const struct sp_type whole = { .tag = SP_INT };
    uint8_t u[16];
    char text[37];
    struct sp_value same;
    if (v->tag == SP_NATIVE && strcmp(v->u.native.type, "objectId") == 0)
        return lower_text(a, v->u.native.p, v->u.native.n, v);
    if (v->tag == SP_TEXT && is_hex_id(v->u.str.p, v->u.str.n))
        return lower_text(a, v->u.str.p, v->u.str.n, v);
    if (v->tag == SP_UUID || (v->tag == SP_TEXT && sp_uuid_parse(v->u.str.p, v->u.str.n, u) == 0)) {
        sp_uuid_format(text, v->tag == SP_UUID ? v->u.uuid : u);
        return lower_text(a, text, 36, v);
    }
    if ((v->tag == SP_DEC || v->tag == SP_F64) && sp_coerce(a, &whole, v, &same) == 0)
        *v = same;
    return 0;
}

/* The bytes by which ids are the same. Within one backend they are of one type; a pair that the other side keeps may spell
 * the id. */
static int id_bytes(struct sp_arena *a, struct sp_value v, bool spelled, struct sp_buf *out)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    int rc = lens_logical(a, &v);
    if (rc == 0 && spelled)
        rc = common_form(a, &v);
    sp_buf_clear(out);
    if (rc == 0)
        rc = sp_canon_field(out, &dynamic, &v, NULL);
    return rc != 0 ? rc : out->oom ? -SP_E_NOMEM : 0;
}

/* ---- reading the pairs --------------------------------------------------------------------------------------------- */

/* Documents of the target that came into being there have no id of the source: they are in no pair. */
static int on_row(void *payload, const struct sp_rowview *row)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    struct filling *f = payload;
    struct sp_value v[2];
    int64_t used = 0, n;
    sp_arena_reset(&f->a);
    for (int i = 0; i < 2; i++, used += n) {
        n = sp_canon_read(&f->a, &dynamic, row->row + used, row->nrow - (size_t)used, &v[i], NULL);
        if (n < 0)
            return sp_fail(&f->err, SP_E_CORRUPT, SP_ORIGIN_HARNESS, "a pair cannot be read");
    }
    if (sp_v_is_absent(&v[0]) || sp_v_is_absent(&v[1]))
        return 0;
    bool spelled = !f->w->m->on_target;
    int rc = id_bytes(&f->a, v[1], spelled, &f->key);
    if (rc == 0)
        rc = id_bytes(&f->a, v[0], spelled, &f->back);
    sp_buf_clear(&f->source);
    if (rc == 0)
        rc = sp_canon_field(&f->source, &dynamic, &v[0], NULL);
    if (rc != 0 || f->source.oom)
        return sp_fail(&f->err, rc == -SP_E_TOO_LARGE ? SP_E_TOO_LARGE : SP_E_NOMEM, SP_ORIGIN_HARNESS,
            "an id cannot be kept");
    return lens_pairs_add(f->w->pairs, &f->key, &f->back, &f->source, &f->err);
}

/* The table as a view of two columns, of the session that has it. */
static int read_pairs(
    struct lens_walk *w, struct sp_session *from, const struct sp_table *t, struct sp_error *err)
{
    struct lens_session reader = { .inner = from, .side = SP_SIDE_TARGET, .arena = SP_ARENA_INIT };
    struct lens_taken none = { .name = NULL };
    struct lens_col cols[2] = { { .name = "source" }, { .name = "target" } };
    struct lens_view v = {
        .name = t->name, .ns = t->ns, .inner = t, .cols = cols, .ncols = 2, .taken = &none
    };
    const struct sp_colplan plan[2] = { { .name = "source", .source = "source", .target = "source" },
        { .name = "target", .source = "target", .target = "target" } };
    struct filling f = { .w = w, .err = SP_ERROR_INIT };
    struct sp_rowbuf rb;
    lens_view_storage(&v);
    const struct sp_scan scan = {
        .ns = t->ns, .table = t->name, .cols = plan, .ncols = 2, .side = SP_SIDE_TARGET, .as_stored = v.store
    };
    int rc = lens_place(&reader.arena, t, w->m->source_id, v.documents, &cols[0], err);
    if (rc == 0)
        rc = lens_place(&reader.arena, t, w->m->target_id, v.documents, &cols[1], err);
    if (rc == 0)
        rc = lens_pairs_new(&w->pairs, err);
    if (rc == 0 && (rc = sp_rowbuf_init(&rb, &scan, err)) == 0) {
        rb.sink = on_row;
        rb.payload = &f;
        rc = lens_scan_rows(&reader, &v, &scan, &rb, err);
        sp_rowbuf_free(&rb);
        if (rc != 0 && f.err.code != SP_E_OK)
            sp_error_move(err, &f.err);
    }
    if (rc == 0)
        rc = lens_pairs_finish(w->pairs, err);
    sp_error_clear(&f.err);
    sp_buf_free(&f.key);
    sp_buf_free(&f.back);
    sp_buf_free(&f.source);
    sp_arena_free(&f.a);
    sp_arena_free(&reader.arena);
    return rc;
}

int lens_walks_read(struct lens_session *s, const struct sp_schema *other, struct sp_error *err)
{
    for (size_t i = 0; i < s->nwalks; i++) {
        struct lens_walk *w = &s->walks[i];
        struct sp_error why = SP_ERROR_INIT;
        if (!w->translated)
            continue;
        bool here = w->m->on_target == (s->side == SP_SIDE_TARGET);
        const struct sp_schema *schema = here ? s->schema : other;
        const struct sp_table *t = schema != NULL ? sp_schema_table(schema, w->m->table) : NULL;
        int rc = t != NULL ? read_pairs(w, here ? s->inner : s->other, t, &why)
                           : sp_fail(&why, SP_E_NOT_FOUND, SP_ORIGIN_HARNESS, "the %s has no table \"%s\"",
                                 w->m->on_target ? "target" : "source", w->m->table);
        if (rc != 0) {
            w->broken = sp_arena_printf(&s->arena, "crosswalk %s: %s", w->m->name, sp_error_text(&why));
            w->code = (enum sp_code) - rc;
        }
        sp_error_clear(&why);
        if (rc == -SP_E_NOMEM || rc == -SP_E_CANCELLED || (rc != 0 && w->broken == NULL))
            return w->broken != NULL ? sp_fail(err, w->code, SP_ORIGIN_HARNESS, "%s", w->broken)
                                     : sp_nomem(err);
    }
    return 0;
}

void lens_walks_free(struct lens_session *s)
{
    for (size_t i = 0; i < s->nwalks; i++)
        lens_pairs_free(s->walks[i].pairs);
}

/* ---- translating -------------------------------------------------------------------------------------------------------- */

static int unmapped(struct sp_arena *a, struct sp_value *v)
{
    struct sp_buf text = SP_BUF_INIT;
    sp_value_print_key(&text, v);
    const char *p = text.oom || text.p == NULL ? NULL : sp_arena_strn(a, text.p, text.n);
    *v = sp_v_native("unmapped id", p, text.n);
    sp_buf_free(&text);
    return p == NULL ? -SP_E_NOMEM : 0;
}

int lens_translate(
    struct lens_row *r, struct lens_walk *w, bool as_stored, struct sp_value *v, struct sp_error *err)
{
    struct sp_buf key = SP_BUF_INIT;
    struct sp_value id;
    if (w->broken != NULL)
        return sp_fail(err, w->code, SP_ORIGIN_BACKEND, "%s", w->broken);
    if (sp_v_is_absent(v))
        return 0;
    int rc = id_bytes(&r->a, *v, !w->m->on_target, &key);
    int found = rc == 0 ? lens_pairs_find(w->pairs, &r->a, &key, &id, err) : rc;
    sp_buf_free(&key);
    if (rc != 0)
        return sp_nomem(err);
    if (found < 0)
        return found;
    if (found == 1) {
        *v = id;
        rc = as_stored ? 0 : lens_logical(&r->a, v);
    } else {
        rc = unmapped(&r->a, v);
    }
    return rc != 0 ? sp_nomem(err) : 0;
}
