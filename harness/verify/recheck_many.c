/* recheck_many.c -- more rows that differ than memory takes: their state lies in a file, in the order of their keys.
 *
 * A look reads the whole table on both sides. A bit for each key (more than one key may share it) keeps nearly all other rows
 * away; the rest goes through two spills and is merged with the old file into a new one. What has arrived is left out
 * of it. */
#include <stdlib.h>
#include <unistd.h>

#include "verify/recheck.h"

#define VERSIONS  4u   /* of each row, that the source held */
#define BLOCK     256u /* records that are read or written at once */
#define MOST_BITS (UINT64_C(1) << 26)

struct record {
    struct sp_d128 key;
    struct sp_vtrack track;
    struct sp_vversion seen[VERSIONS];
    size_t nseen, at;
};

struct sp_vmany {
    int fd; /* -1 = there is no file yet */
    uint64_t n;
    struct record *in; /* BLOCK of them, read last; owned */
    size_t nin;
    uint64_t first; /* number of the first one of these */
    int out_fd;     /* the file that is being written */
    uint64_t out_n;
    struct record *out; /* BLOCK, to be written; owned */
    size_t nout;
    uint64_t arrived;
};

struct sp_vmany *sp_v_many_new(void)
{
    struct sp_vmany *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->fd = m->out_fd = -1;
    m->in = calloc(BLOCK, sizeof *m->in);
    m->out = calloc(BLOCK, sizeof *m->out);
    if (m->in != NULL && m->out != NULL)
        return m;
    sp_v_many_free(m);
    return NULL;
}

void sp_v_many_free(struct sp_vmany *m)
{
    if (m == NULL)
        return;
    if (m->fd >= 0)
        close(m->fd);
    if (m->out_fd >= 0)
        close(m->out_fd);
    free(m->in);
    free(m->out);
    free(m);
}

uint64_t sp_v_many_open(const struct sp_vmany *m)
{
    return m != NULL ? m->n + m->out_n + m->nout : 0;
}

/* ---- the file ---------------------------------------------------------------------------------------------------------- */

static int flush(struct sp_vmany *m, struct sp_error *err)
{
    if (m->nout == 0)
        return 0;
    if (m->out_fd < 0 && (m->out_fd = sp_temp_open(err)) < 0)
        return m->out_fd;
    int rc = sp_temp_write(m->out_fd, m->out, m->nout * sizeof *m->out, m->out_n * sizeof *m->out, err);
    if (rc == 0) {
        m->out_n += m->nout;
        m->nout = 0;
    }
    return rc;
}

static int put(struct sp_vmany *m, const struct record *r, struct sp_error *err)
{
    int rc = m->nout == BLOCK ? flush(m, err) : 0;
    if (rc == 0)
        m->out[m->nout++] = *r;
    return rc;
}

int sp_v_many_add(struct sp_vmany *m, struct sp_d128 key, struct sp_error *err)
{
    const struct record r = { .key = key };
    return put(m, &r, err);
}

/* What was written is what is read from now on. */
static int turn(struct sp_vmany *m, struct sp_error *err)
{
    int rc = flush(m, err);
    if (rc != 0)
        return rc;
    if (m->fd >= 0)
        close(m->fd);
    m->fd = m->out_fd;
    m->n = m->out_n;
    m->out_fd = -1;
    m->out_n = 0;
    m->nin = 0;
    return 0;
}

static const struct record *get(struct sp_vmany *m, uint64_t i, struct sp_error *err)
{
    if (i >= m->first && i - m->first < m->nin)
        return &m->in[i - m->first];
    uint64_t n = m->n - i < BLOCK ? m->n - i : BLOCK;
    m->nin = 0;
    if (sp_temp_read(m->fd, m->in, (size_t)n * sizeof *m->in, i * sizeof *m->in, err) != 0)
        return NULL;
    m->first = i;
    m->nin = (size_t)n;
    return &m->in[0];
}

/* ---- a look ------------------------------------------------------------------------------------------------------------ */

struct side {
    const uint64_t *bits;
    uint64_t mask;
    struct sp_vspill rows;
    struct sp_error err;
    int rc;
    struct sp_ventry next;
    bool open;
};

static int on_row(void *payload, const struct sp_rowview *v)
{
    struct side *s = payload;
    uint64_t bit = v->key.lo & s->mask;
    if ((s->bits[bit / 64] >> (bit % 64) & 1) == 0)
        return 0;
    s->rc = sp_v_spill_add(&s->rows, &(struct sp_ventry){ v->key, v->digest, 1 }, &s->err);
    return s->rc;
}

static int fill_bits(struct sp_vmany *m, uint64_t *bits, uint64_t mask, struct sp_error *err)
{
    for (uint64_t i = 0; i < m->n; i++) {
        const struct record *r = get(m, i, err);
        if (r == NULL)
            return -SP_E_IO;
        bits[(r->key.lo & mask) / 64] |= UINT64_C(1) << (r->key.lo & mask) % 64;
    }
    return 0;
}

static int advance(struct side *s, struct sp_error *err)
{
    int rc = sp_v_spill_next(&s->rows, &s->next, err);
    s->open = rc == 1;
    return rc < 0 ? rc : 0;
}

/* The rows of that key; those of smaller ones are others that share a bit. */
static int gather(struct side *s, struct sp_d128 key, struct sp_digest *out, struct sp_error *err)
{
    int rc = 0, order;
    *out = (struct sp_digest){ .count = 0 };
    while (rc == 0 && s->open && (order = sp_v_d128_cmp(s->next.key, key)) <= 0) {
        for (uint64_t i = 0; order == 0 && i < s->next.n; i++)
            sp_digest_add(out, s->next.row);
        rc = advance(s, err);
    }
    return rc;
}

static int merge(
    struct sp_vmany *m, struct side s[2], bool first, struct sp_vmoment *at, struct sp_error *err)
{
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        rc = sp_v_spill_begin(&s[i].rows, err);
        rc = rc == 0 ? advance(&s[i], err) : rc;
    }
    for (uint64_t k = 0; k < m->n && rc == 0; k++) {
        const struct record *old = get(m, k, err);
        struct sp_digest next[2];
        if (old == NULL)
            return -SP_E_IO;
        struct record r = *old;
        for (int i = 0; i < 2 && rc == 0; i++)
            rc = gather(&s[i], r.key, &next[i], err);
        if (rc != 0)
            break;
        sp_v_track_tell(&r.track, r.seen, &r.nseen, VERSIONS, &r.at, next, first, at);
        if (r.track.arrived)
            m->arrived++;
        else
            rc = put(m, &r, err);
    }
    return rc == 0 ? turn(m, err) : rc;
}

static int pass(struct sp_vctx *c, const struct sp_vpair *p, struct side s[2], struct sp_error *err)
{
    struct sp_vscan v[2];
    for (int i = 0; i < 2; i++) {
        sp_v_scan_pair(c, &v[i], (enum sp_side)i, p);
        v[i].row = on_row;
        v[i].payload = &s[i];
    }
    int rc = sp_v_scan(c, v, p->name, p->rows[0] + p->rows[1]);
    for (int i = 0; i < 2 && rc == 0; i++) {
        if (s[i].rc != 0) {
            rc = s[i].rc;
            sp_error_move(err, &s[i].err);
        } else if (v[i].rc != 0)
            rc = sp_fail(err, v[i].err.code == SP_E_OK ? SP_E_INTERNAL : v[i].err.code, v[i].err.origin,
                "%s: %s", sp_v_side_name((enum sp_side)i), sp_error_text(&v[i].err));
    }
    sp_v_scan_free(v);
    return rc;
}

int sp_v_many_look(struct sp_vctx *c, struct sp_vmany *m, const struct sp_vpair *p, bool first,
    struct sp_vmoment *at, struct sp_error *err)
{
    struct side s[2] = { { .rows = { .fd = -1 } }, { .rows = { .fd = -1 } } };
    uint64_t bits = 1024;
    int rc = m->nout != 0 || m->out_n != 0 ? turn(m, err) : 0;
    if (rc != 0 || m->n == 0)
        return rc;
    while (bits < MOST_BITS && bits / 16 < m->n)
        bits *= 2;
    uint64_t *map = calloc((size_t)(bits / 64), sizeof *map);
    rc = map == NULL ? sp_nomem(err) : fill_bits(m, map, bits - 1, err);
    for (int i = 0; i < 2 && rc == 0; i++) {
        s[i].bits = map;
        s[i].mask = bits - 1;
        uint64_t need = m->n * 2 + 1024;
        size_t cap = sp_v_entries_cap(c);
        rc = sp_v_spill_init(&s[i].rows, need < cap ? (size_t)need : cap, err);
    }
    if (rc == 0)
        rc = pass(c, p, s, err);
    free(map);
    if (rc == 0)
        rc = merge(m, s, first, at, err);
    for (int i = 0; i < 2; i++) {
        sp_v_spill_free(&s[i].rows);
        sp_error_clear(&s[i].err);
    }
    return rc;
}

/* ---- what is known ------------------------------------------------------------------------------------------------------- */

int sp_v_many_count(
    struct sp_vmany *m, const struct sp_vmoment *at, struct sp_vmany_counts *out, struct sp_error *err)
{
    *out = (struct sp_vmany_counts){ .arrived = m->arrived };
    for (uint64_t i = 0; i < m->n; i++) {
        const struct record *r = get(m, i, err);
        if (r == NULL)
            return -SP_E_IO;
        if (sp_v_track_stands(&r->track, at))
            out->differ++;
        else if (r->track.changed)
            out->moving++;
        else
            out->waiting++;
    }
    return 0;
}

bool sp_v_many_find(struct sp_vmany *m, struct sp_d128 key, struct sp_vtrack *out)
{
    uint64_t lo = 0, hi = m->n;
    if (m->nin != 0 && sp_v_d128_cmp(m->in[0].key, key) <= 0 &&
        sp_v_d128_cmp(key, m->in[m->nin - 1].key) <= 0) {
        lo = m->first;
        hi = m->first + m->nin;
    }
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        const struct record *r = get(m, mid, NULL);
        if (r == NULL)
            return false;
        int order = sp_v_d128_cmp(r->key, key);
        if (order == 0) {
            *out = r->track;
            return true;
        }
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}
