/* load.c -- the rows of one table: scanned, and loaded as they come.
 *
 * The scan goes through a row buffer under each column's own type (a value that is not of that type arrives as the source
 * holds it), so that the harness has counted and digested it; the sink reads the values back and hands them to the
 * target's load. */
#include <stdlib.h>

#include "migrate/internal.h"

#define TICK_ROWS 4096u

struct pump {
    struct sp_mctx *m;
    struct sp_mtable *x;
    struct sp_load *load;
    const struct sp_colplan *plan;
    struct sp_type *types; /* of the target's columns, as far as they are known */
    struct sp_value *row;
    size_t *ends; /* of the columns in the row's bytes */
    struct sp_membed *arrays;
    size_t ncols;
    struct sp_arena arena;
    struct sp_error err; /* of the target */
    int rc;
};

/* Undeclared fields stand behind the columns: count, then name length, name and field of each. */
static int extras(struct pump *p, const uint8_t *at, size_t left)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    uint32_t n = 0, length;
    if (left >= 4)
        memcpy(&n, at, 4);
    bool whole = left >= 4;
    at += whole ? 4 : 0;
    left -= whole ? 4 : 0;
    for (n = le32toh(n); whole && n > 0; n--) {
        struct sp_value v;
        enum sp_state state;
        if (left >= 4)
            memcpy(&length, at, 4);
        whole = left >= 4 && (length = le32toh(length)) <= left - 4;
        const char *name = whole ? sp_arena_strn(&p->arena, (const char *)at + 4, length) : NULL;
        if (whole && name == NULL)
            return sp_nomem(&p->err);
        at += whole ? 4 + length : 0;
        left -= whole ? 4 + length : 0;
        int64_t used = whole ? sp_canon_read(&p->arena, &dynamic, at, left, &v, &state) : -1;
        whole = used > 0 && (uint64_t)used <= left;
        at += whole ? used : 0;
        left -= whole ? (size_t)used : 0;
        if (whole && sp_session_provider(p->m->target)->db->load_extra == NULL)
            return sp_fail(&p->err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS,
                "field %s has no place on the target: give it a column in the mapping, or `ignore` it", name);
        int rc = whole ? sp_db_load_extra(p->m->target, p->load, name, &v, &p->err) : 0;
        if (rc != 0)
            return sp_error_prefix(&p->err, "field %s", name);
    }
    return whole && left == 0 ? 0
                              : sp_fail(&p->err, SP_E_INTERNAL, SP_ORIGIN_HARNESS,
                                    "row %llu: its undeclared fields cannot be read back",
                                    (unsigned long long)p->x->rows + 1);
}

/* A float among exact numbers stands for the decimal that comparisons take it for (0.1 for 0.1): a target would write down the
 * exact value of the double, or fewer digits. */
static int spell_float(struct pump *p, size_t i)
{
    enum sp_tag tag = p->row[i].tag, want = p->types[i].tag;
    struct sp_value v;
    if ((tag != SP_F64 && tag != SP_F32) || (want != SP_DEC && want != SP_JSON))
        return 0;
    int rc = sp_coerce(&p->arena, &p->types[i], &p->row[i], &v);
    if (rc == 0)
        p->row[i] = v;
    return rc < 0 ? sp_nomem(&p->err) : 0;
}

static int decode(struct pump *p, const struct sp_rowview *view)
{
    const uint8_t *at = view->row;
    size_t left = view->nrow;
    for (size_t i = 0; i < p->ncols; i++) {
        enum sp_state state;
        int64_t used = sp_canon_read(&p->arena, &p->plan[i].type, at, left, &p->row[i], &state);
        if (used <= 0 || (uint64_t)used > left)
            return sp_fail(&p->err, SP_E_INTERNAL, SP_ORIGIN_HARNESS,
                "row %llu: column %zu cannot be read back", (unsigned long long)p->x->rows + 1, i + 1);
        at += used;
        left -= (size_t)used;
        p->ends[i] = (size_t)(at - view->row);
        if (spell_float(p, i) != 0)
            return -SP_E_NOMEM;
    }
    return p->x->t->open_fields ? extras(p, at, left) : 0;
}

static int tick(struct pump *p)
{
    const struct sp_migrate_options *o = p->m->opt;
    if (sp_m_interrupted())
        return sp_fail(&p->err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
    if (o->progress != NULL)
        o->progress(o->payload, p->x->t->name, p->x->rows, 0);
    return 0;
}

/* Which row it was that the target did not take. */
static void name_row(struct pump *p)
{
    struct sp_buf key = SP_BUF_INIT;
    sp_m_put_key(&key, p->x->t, p->plan, p->ncols, p->row);
    sp_error_prefix(&p->err, "the row %s", key.p == NULL ? "?" : key.p);
    sp_buf_free(&key);
}

static int on_row(void *payload, const struct sp_rowview *view)
{
    struct pump *p = payload;
    if (p->arena.total > 1u << 20)
        sp_arena_reset(&p->arena);
    p->rc = decode(p, view);
    if (p->rc == 0)
        p->rc = sp_m_embed_rows(p->arrays, p->load, view->row, p->ends, &p->err);
    if (p->rc == 0) {
        p->rc = sp_db_load_row(p->m->target, p->load, p->row, &p->err);
        if (p->rc != 0)
            name_row(p);
    }
    if (p->rc != 0)
        return p->rc;
    p->x->rows++;
    if (p->x->rows % TICK_ROWS == 0)
        p->rc = tick(p);
    return p->rc;
}

/* Columns that can be written: not the generated ones. */
static size_t columns(
    struct sp_mctx *m, const struct sp_mtable *x, struct sp_colplan **plan, const char ***names)
{
    const struct sp_table *t = x->t;
    size_t n = 0;
    *plan = sp_arena_array(&m->arena, t->ncolumns + 1, sizeof **plan);
    *names = sp_arena_array(&m->arena, t->ncolumns + 1, sizeof **names);
    for (size_t i = 0; *plan != NULL && *names != NULL && i < t->ncolumns; i++) {
        const char *name = t->columns[i].name;
        if (x->made.columns[i].generated != NULL)
            continue;
        /* What a collection declares binds no value that was there before: between two of a kind each travels as it is. */
        bool as_it_is = m->same_kind && t->columns[i].ordinal_unstable;
        (*plan)[n] = (struct sp_colplan){ .name = name, .source = name, .target = name };
        if (!as_it_is)
            (*plan)[n].type = t->columns[i].type;
        sp_m_mapped_rules(m, t->name, &(*plan)[n]);
        (*names)[n++] = name;
    }
    return n;
}

static void target_types(struct pump *p)
{
    const struct sp_table *t = p->x->existing ? sp_schema_table(p->m->to, p->x->t->name) : &p->x->made;
    for (size_t i = 0; t != NULL && i < p->ncols; i++) {
        const struct sp_column *c = sp_table_column(t, p->plan[i].name);
        if (c != NULL)
            p->types[i] = c->type;
    }
}

static int scan(struct pump *p, struct sp_error *err)
{
    const struct sp_table *t = p->x->t;
    struct sp_scan s = { .ns = t->ns,
        .table = t->name,
        .cols = p->plan,
        .ncols = p->ncols,
        .side = SP_SIDE_SOURCE,
        .residual = t->open_fields,
        .as_stored = p->m->same_kind };
    struct sp_rowbuf rb;
    int rc = sp_rowbuf_init(&rb, &s, err);
    if (rc != 0)
        return rc;
    rb.sink = on_row;
    rb.payload = p;
    rc = sp_db_scan(p->m->source, &s, &rb, err);
    if (p->rc != 0) { /* the target's error is the cause, whatever the scan made of it */
        sp_error_clear(err);
        sp_error_move(err, &p->err);
        rc = p->rc;
    } else if (rc == 0 && (!rb.complete || rb.digest.count != p->x->rows)) {
        rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS, "the scan did not come to a confirmed end");
    }
    p->x->bytes = rb.bytes;
    sp_rowbuf_free(&rb);
    return rc;
}

/* A value that the target refuses is worth a finding of its own: it names what has to be mapped. */
static int say_refused(
    struct sp_mctx *m, const struct sp_mtable *x, const struct sp_error *why, struct sp_error *err)
{
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_FINDING);
    sp_event_text(&ev, SP_FLD_name, x->t->name);
    sp_event_text(&ev, SP_FLD_topic, "does not fit the target");
    sp_event_int(&ev, SP_FLD_count, 1);
    sp_event_text(&ev, SP_FLD_message, sp_error_text(why));
    return sp_event_send(m->em, &ev, err);
}

static int close_load(struct pump *p, int rc, struct sp_error *err)
{
    uint64_t loaded = 0;
    struct sp_error close_err = SP_ERROR_INIT;
    int close_rc = sp_db_load_close(p->m->target, p->load, rc == 0, &loaded, &close_err);
    /* Rows that may be there are taken back like those that are. */
    p->x->filled = (rc == 0 && close_rc == 0) || close_rc == -SP_E_OUTCOME_UNKNOWN;
    if (rc == 0 && close_rc != 0) {
        sp_error_move(err, &close_err);
        rc = close_rc;
    } else if (rc == 0) {
        if (loaded != p->x->rows)
            rc = sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "%llu rows were read, %llu were loaded",
                (unsigned long long)p->x->rows, (unsigned long long)loaded);
    }
    sp_error_clear(&close_err);
    return rc;
}

static bool refused(const struct sp_error *err)
{
    return err->code == SP_E_RANGE || err->code == SP_E_INVALID || err->code == SP_E_CHECK ||
           err->code == SP_E_NOT_NULL || err->code == SP_E_TOO_LARGE || err->code == SP_E_UNIQUE ||
           err->code == SP_E_FOREIGN_KEY;
}

int sp_m_load(struct sp_mctx *m, struct sp_mtable *x, struct sp_error *err)
{
    struct pump p = { .m = m, .x = x, .arena = SP_ARENA_INIT, .err = SP_ERROR_INIT };
    struct sp_error own = SP_ERROR_INIT;
    struct sp_colplan *plan;
    const char **names;
    double started = sp_m_now();
    p.ncols = columns(m, x, &plan, &names);
    p.plan = plan;
    p.row = sp_arena_array(&m->arena, p.ncols + 1, sizeof *p.row);
    p.ends = sp_arena_array(&m->arena, p.ncols + 1, sizeof *p.ends);
    p.types = sp_arena_array(&m->arena, p.ncols + 1, sizeof *p.types);
    int rc = plan == NULL || names == NULL || p.row == NULL || p.ends == NULL || p.types == NULL
                 ? sp_nomem(&own)
                 : 0;
    if (rc == 0)
        target_types(&p);
    if (rc == 0 && p.ncols == 0)
        rc = sp_fail(&own, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "it has no column that can be written");
    if (rc == 0)
        rc = sp_m_embed_open(m, x->t, plan, p.ncols, &p.arrays, &own);
    if (rc == 0)
        rc = sp_db_load_open(m->target, x->t->name, names, p.ncols, &p.load, &own);
    if (rc == 0) {
        rc = scan(&p, &own);
        if (rc == 0)
            rc = sp_m_embed_check(p.arrays, &own);
        if (rc != 0 && p.rc != 0 && refused(&own)) {
            struct sp_error ignored = SP_ERROR_INIT;
            (void)say_refused(m, x, &own, &ignored);
            sp_error_clear(&ignored);
        }
        rc = close_load(&p, rc, &own);
    }
    rc = sp_m_embed_close(p.arrays, rc, &own);
    if (rc != 0) {
        sp_error_prefix(&own, "table %s", x->t->name);
        if (err != NULL)
            sp_error_move(err, &own);
    }
    x->seconds = sp_m_now() - started;
    m->rows += x->rows;
    m->bytes += x->bytes;
    sp_error_clear(&own);
    sp_error_clear(&p.err);
    sp_arena_free(&p.arena);
    return rc;
}
