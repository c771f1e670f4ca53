/* losses.c -- which values lost something to a rule: rows that are equal for that alone are named as differing ones are. The
 * source is read once more under the same plan, and each row looks at what it added to the counters of the rules. */
#include <stdlib.h>
#include <string.h>

#include "verify/internal.h"

struct lost {
    char *key, *actual;
    size_t col;
    struct sp_d128 row;
};
struct losses {
    struct sp_vctx *c;
    const struct sp_vpair *p;
    const struct sp_vscan *v;
    const unsigned *loses; /* by column, a bit for each rule */
    uint64_t *before;      /* touched, by column */
    struct lost *list;
    size_t n, cap, most;
    bool capped;
};

static uint64_t touched(const struct sp_colstat *st, unsigned rules)
{
    uint64_t n = 0;
    for (size_t r = 0; r < SP_MAX_RULES; r++)
        n += (rules >> r & 1) != 0 ? st->touched[r] : 0;
    return n;
}

static char *taken(struct sp_buf *b)
{
    char *s = b->oom || b->p == NULL ? NULL : strdup(b->p);
    sp_buf_free(b);
    return s;
}

static int keep(struct losses *l, const struct sp_rowview *row, size_t col, const struct sp_vfield *f)
{
    struct sp_buf key = SP_BUF_INIT, actual = SP_BUF_INIT;
    if (l->n == l->most) {
        l->capped = true;
        return 0;
    }
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 16 : l->cap * 2;
        struct lost *list = realloc(l->list, cap * sizeof *list);
        if (list == NULL)
            return -SP_E_NOMEM;
        l->list = list;
        l->cap = cap;
    }
    int rc = sp_v_row_text(l->c, l->p, row->row, row->nrow, &key);
    if (rc == 0)
        rc = sp_v_print_field(&actual, &l->p->cols[col].type, f, l->c->opt->show_values);
    struct lost *x = &l->list[l->n];
    *x = (struct lost){ .key = taken(&key), .actual = taken(&actual), .col = col, .row = row->digest };
    l->n++;
    return rc != 0 ? rc : x->key == NULL || x->actual == NULL ? -SP_E_NOMEM : 0;
}

/* On the reader's thread: kept here, said later. */
static int on_row(void *payload, const struct sp_rowview *row)
{
    struct losses *l = payload;
    const uint8_t *at = row->row;
    size_t left = row->nrow;
    int rc = 0;
    for (size_t i = 0; i < l->p->ncols && rc == 0; i++) {
        struct sp_vfield f;
        int64_t used = sp_v_field(at, left, &f);
        if (used < 0)
            return (int)used;
        at += used;
        left -= (size_t)used;
        uint64_t now = touched(&l->v->live[i], l->loses[i]);
        if (now != l->before[i])
            rc = keep(l, row, i, &f);
        l->before[i] = now;
    }
    return rc;
}

static void say(const struct losses *l, const struct lost *x)
{
    const struct sp_colplan *col = &l->p->cols[x->col];
    struct sp_buf expected = SP_BUF_INIT;
    struct sp_event ev;
    char hex[33];
    sp_d128_format(hex, x->row);
    sp_buf_puts(&expected, "a value that loses something");
    for (size_t r = 0, n = 0; r < col->nrules; r++) {
        if ((l->loses[x->col] >> r & 1) == 0)
            continue;
        sp_buf_puts(&expected, n++ == 0 ? ": " : ", ");
        sp_rule_print(&expected, col->rules[r], col->args[r]);
    }
    sp_event_begin(&ev, SP_EV_DIFFERENCE);
    sp_event_text(&ev, SP_FLD_name, l->p->name);
    sp_event_text(&ev, SP_FLD_difference, "lossy");
    sp_event_text(&ev, SP_FLD_key, x->key);
    sp_event_text(&ev, SP_FLD_side, sp_v_side_name(SP_SIDE_SOURCE));
    sp_event_text(&ev, SP_FLD_digest, hex);
    sp_event_text(&ev, SP_FLD_column, col->name);
    sp_event_text(&ev, SP_FLD_expected, expected.p);
    sp_event_text(&ev, SP_FLD_actual, x->actual);
    sp_v_send(l->c, &ev);
    sp_buf_free(&expected);
}

static void read_again(struct losses *l, const struct sp_vscan *first)
{
    struct sp_vctx *c = l->c;
    struct sp_vscan v[2];
    sp_v_scan_pair(c, &v[0], SP_SIDE_SOURCE, l->p);
    sp_v_scan_init(c, &v[1], SP_SIDE_TARGET, NULL, NULL, 0, 0, false);
    v[0].row = on_row;
    v[0].payload = l;
    l->v = &v[0];
    if (sp_v_scan(c, v, l->p->name, 0) == 0) {
        for (size_t i = 0; i < l->n && v[0].rc == 0; i++)
            say(l, &l->list[i]);
        c->capped = c->capped || l->capped;
        if (v[0].rc != 0)
            sp_v_not_compared(
                c, l->p->name, "lossy values", "the source could not be read: %s", sp_error_text(&v[0].err));
        else if (c->recheck == NULL && !sp_digest_equal(&v[0].digest, &first->digest))
            sp_v_not_compared(
                c, l->p->name, "lossy values", "the rows of the source changed while they were read");
    }
    sp_v_scan_free(v);
}

void sp_v_losses(
    struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vscan *source, const unsigned *loses)
{
    const uint64_t most = SIZE_MAX / sizeof(struct lost) / 2, shown = c->opt->max_differences;
    struct losses l = { .c = c, .p = p, .loses = loses, .most = (size_t)(shown < most ? shown : most) };
    l.before = calloc(p->ncols + 1, sizeof *l.before);
    if (l.before == NULL)
        sp_v_nomem(c);
    else
        read_again(&l, source);
    for (size_t i = 0; i < l.n; i++) {
        free(l.list[i].key);
        free(l.list[i].actual);
    }
    free(l.list);
    free(l.before);
}
