/* read.c -- a table's first rows, or all of them: sizes, speed, and what its values are. */
#include <stdlib.h>
#include <string.h>

#include "assess/internal.h"
#include "verify/internal.h"

#define ROWS    20000u
#define SECONDS 2.0

struct reading {
    struct sp_actx *c;
    struct sp_atable *x;
    struct sp_arena scratch;
    uint64_t n, most;
    double until, next;
    bool check, stopped, oom;
};

static size_t characters(const char *p, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        k += ((unsigned char)p[i] & 0xc0) != 0x80;
    return k;
}

/* A value of a column that takes any, against what its declaration suggests. */
static int check_value(struct reading *r, size_t i, const struct sp_vfield *f)
{
    const struct sp_column *col = &r->x->t->columns[i];
    struct sp_value v, out;
    enum sp_state state;
    if (f->state == SP_ST_MISSING || f->state == SP_ST_NULL)
        return 0;
    if (sp_canon_read(&r->scratch, &r->x->plan[i].type, f->whole, f->nwhole, &v, &state) <= 0)
        return 0;
    const struct sp_type *want = col->type.tag != SP_MISSING ? &col->type : &col->declared;
    if (want->tag == SP_MISSING)
        return 0;
    if (col->type.tag == SP_MISSING) {
        int rc = sp_coerce(&r->scratch, want, &v, &out);
        if (rc < 0)
            return rc;
        r->x->columns[i].misfits += rc == 1;
    }
    if (v.tag == SP_TEXT && want->tag == SP_TEXT && want->length != 0 &&
        characters(v.u.str.p, v.u.str.n) > want->length)
        r->x->columns[i].too_long++;
    return 0;
}

static int check_row(struct reading *r, const struct sp_rowview *row)
{
    const uint8_t *at = row->row;
    size_t left = row->nrow;
    for (size_t i = 0; i < r->x->t->ncolumns; i++) {
        struct sp_vfield f;
        int64_t used = sp_v_field(at, left, &f);
        if (used < 0)
            break;
        if (check_value(r, i, &f) != 0) {
            r->oom = true;
            return -SP_E_NOMEM;
        }
        at += used;
        left -= (size_t)used;
    }
    sp_arena_reset(&r->scratch);
    return 0;
}

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct reading *r = payload;
    int rc = r->check ? check_row(r, row) : 0;
    r->n++;
    if (rc != 0 || ((r->n & 255) != 0 && r->n < r->most))
        return rc;
    double now = sp_a_now();
    if (now > r->next && r->c->opt->progress != NULL) {
        r->next = now + 0.25;
        r->c->opt->progress(r->c->opt->payload, r->x->t->name, r->n, r->x->rows);
    }
    bool all = r->check && r->c->opt->full;
    r->stopped = !all && (r->n >= r->most || now > r->until);
    return r->stopped ? 1 : 0;
}

/* What the source has, as a target of the asked kind would take it: rules of its ledger count what they touch. */
static int plan(struct sp_actx *c, struct sp_atable *x)
{
    const struct sp_table *t = x->t;
    x->plan = sp_arena_array(&c->arena, t->ncolumns + 1, sizeof *x->plan);
    x->columns = sp_arena_array(&c->arena, t->ncolumns + 1, sizeof *x->columns);
    x->stats = sp_arena_array(&c->arena, t->ncolumns + 1, sizeof *x->stats);
    if (x->plan == NULL || x->columns == NULL || x->stats == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < t->ncolumns; i++) {
        const struct sp_column *col = &t->columns[i];
        const struct sp_type *want = col->type.tag != SP_MISSING ? &col->type : &col->declared;
        x->plan[i] = (struct sp_colplan){
            .name = col->name, .source = col->name, .target = col->name, .type = col->type
        };
        if (c->opt->target == NULL || c->same_kind)
            continue;
        x->plan[i].type = *want; /* a ledger goes by types, also where the source only suggests one */
        (void)sp_equiv_ledger(&x->plan[i], want, c->kind->losses, c->opt->target->losses);
        x->plan[i].type = col->type;
    }
    return 0;
}

static int scan(struct sp_actx *c, struct sp_atable *x, bool check, struct sp_error *err)
{
    struct sp_rowbuf rb;
    double started = sp_a_now();
    struct reading r = { .c = c,
        .x = x,
        .scratch = SP_ARENA_INIT,
        .check = check,
        .most = c->opt->sample_rows != 0 ? c->opt->sample_rows : ROWS,
        .next = started + 0.25,
        .until = started + (c->opt->sample_s > 0 ? c->opt->sample_s : SECONDS) };
    const struct sp_scan what = { .ns = x->t->ns,
        .table = x->t->name,
        .cols = x->plan,
        .ncols = x->t->ncolumns,
        .side = SP_SIDE_SOURCE,
        .residual = x->t->open_fields };
    int rc = sp_rowbuf_init(&rb, &what, err);
    if (rc != 0)
        return rc;
    rb.sink = on_row;
    rb.payload = &r;
    rc = sp_db_scan(c->s, &what, &rb, err);
    if (!check) {
        x->timed = r.n;
        x->seconds = sp_a_now() - started;
    } else {
        x->examined = r.n;
        x->bytes = rb.bytes;
        x->max_row = rb.max_row;
        x->whole = rc == 0;
        memcpy(x->stats, rb.stats, x->t->ncolumns * sizeof *x->stats);
    }
    sp_rowbuf_free(&rb);
    sp_arena_free(&r.scratch);
    if (r.oom)
        return sp_nomem(err);
    if (r.stopped) {
        sp_error_clear(err);
        return 0;
    }
    return rc;
}

void sp_a_read(struct sp_actx *c, struct sp_atable *x)
{
    struct sp_error err = SP_ERROR_INIT;
    int64_t n = 0;
    int rc = x->t->ns == NULL ? sp_db_count(c->s, x->t->name, NULL, &n, &err) : -SP_E_UNSUPPORTED;
    x->rows = rc == 0 ? (uint64_t)n : 0;
    x->counted = rc == 0;
    sp_error_clear(&err);
    if (plan(c, x) != 0) {
        sp_a_nomem(c);
        return;
    }
    rc = scan(c, x, false, &err); /* how fast it is, before anything is looked at */
    if (rc == 0)
        rc = scan(c, x, true, &err);
    if (rc == -SP_E_NOMEM)
        sp_a_nomem(c);
    else if (rc != 0)
        sp_a_unknown(c, x->t->name, "rows", &err);
    else if (x->whole) {
        x->rows = x->examined;
        x->counted = true;
    }
    if (rc == 0 && !x->counted) {
        sp_fail(&err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "the backend did not count it");
        sp_a_unknown(c, x->t->name, "row count", &err);
    }
    sp_error_clear(&err);
}
