/* scan.c -- the harness side of a scan: coercion, rules, rows, digests. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdlib.h>

#include "scan.h"

#include "base/str.h"
#include "model/decimal.h"

#define CAP        ((size_t)256 * 1024)
#define FIELD_HEAD 6 /* state, length, tag */

/* An undeclared field of the current row: its bytes stand in inner.extra, name first. */
struct extra {
    size_t at, name_n, n;
};

struct inner {
    struct sp_error err;
    int rc; /* once it is not 0, every call returns it */
    struct sp_arena arena;
    struct sp_buf field, extra;
    struct extra *extras;
    size_t nextras, cap;
};

static struct inner *inner_of(const struct sp_rowbuf *rb)
{
    return rb->internal;
}

/* Makes every further call take the slow path and find the error there. */
static int stop(struct sp_rowbuf *rb, int rc)
{
    struct inner *in = inner_of(rb);
    in->rc = rc;
    rb->col = rb->col_end;
    return rc;
}

static int stop_code(struct sp_rowbuf *rb, int rc, const char *what)
{
    struct inner *in = inner_of(rb);
    if (rc == -SP_E_NOMEM)
        return stop(rb, sp_nomem(&in->err));
    return stop(rb, sp_fail(&in->err, (enum sp_code) - rc, SP_ORIGIN_HARNESS, "table %s, row %llu: %s",
                        rb->scan->table, (unsigned long long)rb->digest.count + 1, what));
}

int sp_rowbuf_init(struct sp_rowbuf *rb, const struct sp_scan *scan, struct sp_error *err)
{
    memset(rb, 0, sizeof *rb);
    if (scan->nkey > scan->ncols)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS,
            "table %s: a key of %zu columns in a plan of %zu", scan->table, scan->nkey, scan->ncols);
    for (size_t i = 0; i < scan->ncols; i++) {
        if ((unsigned)scan->cols[i].type.tag >= SP_TAG_N || scan->cols[i].nrules > SP_MAX_RULES)
            return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS,
                "table %s, column %s: the plan is malformed", scan->table, scan->cols[i].name);
    }
    rb->base = malloc(CAP);
    rb->stats = calloc(scan->ncols != 0 ? scan->ncols : 1, sizeof *rb->stats);
    rb->internal = calloc(1, sizeof(struct inner));
    if (rb->base == NULL || rb->stats == NULL || rb->internal == NULL) {
        sp_rowbuf_free(rb);
        return sp_nomem(err);
    }
    rb->p = rb->base;
    rb->end = rb->base + CAP;
    rb->scan = scan;
    rb->col = scan->cols;
    rb->stat = rb->stats;
    rb->col_end = scan->cols + scan->ncols;
    return 0;
}

void sp_rowbuf_free(struct sp_rowbuf *rb)
{
    struct inner *in = inner_of(rb);
    if (in != NULL) {
        sp_error_clear(&in->err);
        sp_arena_free(&in->arena);
        sp_buf_free(&in->field);
        sp_buf_free(&in->extra);
        free(in->extras);
    }
    free(in);
    free(rb->stats);
    free(rb->base);
    memset(rb, 0, sizeof *rb);
}

const struct sp_error *sp_rowbuf_error(const struct sp_rowbuf *rb)
{
    return &inner_of(rb)->err;
}

/* --- one field -------------------------------------------------------------------------------------------------- */

static int make_room(struct sp_rowbuf *rb, size_t n)
{
    size_t used = (size_t)(rb->p - rb->base), cap = (size_t)(rb->end - rb->base), need;
    if (cap - used >= n)
        return 0;
    if (__builtin_add_overflow(used, n, &need) || need > PTRDIFF_MAX / 2)
        return stop_code(rb, -SP_E_TOO_LARGE, "the row does not fit the address space");
    /* Doubling for rows of common size; a quarter more for giants, whose copies would break the memory bound. */
    size_t grown = need < ((size_t)32 << 20) ? need * 2 : need + need / 4;
    uint8_t *p = realloc(rb->base, grown);
    if (p == NULL)
        return stop_code(rb, -SP_E_NOMEM, "");
    rb->base = p;
    rb->p = p + used;
    rb->end = p + grown;
    return 0;
}

static int put_octets(struct sp_rowbuf *rb, const void *p, size_t n)
{
    int rc = make_room(rb, n);
    if (rc == 0 && n != 0) {
        memcpy(rb->p, p, n);
        rb->p += n;
    }
    return rc;
}

static void store_u64(uint8_t *p, uint64_t v)
{
    for (int k = 0; k < 8; k++)
        p[k] = (uint8_t)(v >> (8 * k));
}

static void store_u32(uint8_t *p, uint32_t v)
{
    for (int k = 0; k < 4; k++)
        p[k] = (uint8_t)(v >> (8 * k));
}

/* Head of a present field; returns where n content bytes go, or NULL when the scan was stopped. */
static uint8_t *head(struct sp_rowbuf *rb, const struct sp_value *v, size_t n)
{
    bool dynamic = rb->col->type.tag == SP_MISSING;
    if (make_room(rb, n + FIELD_HEAD) != 0)
        return NULL;
    uint8_t *p = rb->p;
    *p++ = SP_ST_PRESENT;
    store_u32(p, (uint32_t)n + (dynamic ? 1 : 0));
    p += 4;
    if (dynamic)
        *p++ = (uint8_t)v->tag;
    rb->p = p + n;
    return p;
}

static int put_copy(struct sp_rowbuf *rb, const struct sp_value *v, const void *s, size_t n)
{
    uint8_t *p = head(rb, v, n);
    if (p != NULL && n != 0)
        memcpy(p, s, n);
    return p != NULL ? 0 : inner_of(rb)->rc;
}

static int put_dec(struct sp_rowbuf *rb, const struct sp_value *v)
{
    struct sp_dec d = sp_dec_normal(v->u.dec);
    uint8_t *p = head(rb, v, (size_t)d.ndigits + 5);
    if (p == NULL)
        return inner_of(rb)->rc;
    p[0] = d.neg ? 1 : 0;
    store_u32(p + 1, (uint32_t)d.exp);
    memcpy(p + 5, d.digits, d.ndigits);
    return 0;
}

/* Values that go into the row as they are: most of all. 1 = not one of these. The bytes are those of
 * sp_canon_field(), which the tests compare. */
static int put_direct(struct sp_rowbuf *rb, const struct sp_value *v, bool bad_text)
{
    uint8_t b[12];
    if (rb->col->type.tag != v->tag && rb->col->type.tag != SP_MISSING)
        return 1;
    switch (v->tag) {
    case SP_BOOL:
        b[0] = v->u.b ? 1 : 0;
        return put_copy(rb, v, b, 1);
    case SP_DEC:
        return v->u.dec.ndigits < UINT32_MAX - 16 ? put_dec(rb, v) : 1;
    case SP_UUID:
        return put_copy(rb, v, v->u.uuid, 16);
    case SP_INSTANT:
    case SP_LOCAL:
        if (v->u.ts.nsec > 999999999)
            return 1;
        store_u64(b, (uint64_t)v->u.ts.sec);
        store_u32(b + 8, v->u.ts.nsec);
        return put_copy(rb, v, b, 12);
    case SP_INT:
    case SP_DATE:
        store_u64(b, (uint64_t)(v->tag == SP_INT ? v->u.i : v->u.days));
        return put_copy(rb, v, b, 8);
    case SP_TEXT:
        if (bad_text)
            return 1;
        /* fall through */
    case SP_BYTES:
        return v->u.str.n < UINT32_MAX - 16 ? put_copy(rb, v, v->u.str.p, v->u.str.n) : 1;
    default:
        return 1;
    }
}

static int put_coerced(struct sp_rowbuf *rb, const struct sp_value *v, struct sp_colstat *st)
{
    struct inner *in = inner_of(rb);
    enum sp_state state;
    sp_buf_clear(&in->field);
    int rc = sp_canon_field(&in->field, &rb->col->type, v, &state);
    if (rc != 0)
        return stop_code(rb, rc, "a value is too large or nested too deep");
    if (state == SP_ST_UNCOERCED)
        st->uncoerced++;
    return put_octets(rb, in->field.p, in->field.n);
}

/* True where a rule about times certainly leaves this time as it is: nearly always. */
static bool is_idle(enum sp_rule_kind k, int32_t digits, const struct sp_value *v)
{
    bool moment = v->tag == SP_INSTANT || v->tag == SP_LOCAL;
    switch (k) {
    case SP_RULE_DATE_AS_MIDNIGHT:
        return moment;
    case SP_RULE_LOCAL_AS_UTC:
        return v->tag == SP_INSTANT;
    case SP_RULE_UTC_AS_LOCAL:
        return v->tag == SP_LOCAL;
    case SP_RULE_TRUNCATE_DIGITS:
    case SP_RULE_ROUND_DIGITS:
        return moment && v->u.ts.nsec % (digits < 6 ? 1000000000u : 1000u) == 0;
    case SP_RULE_TRUNCATE_US:
        return moment && v->u.ts.nsec % 1000 == 0;
    default:
        return false;
    }
}

/* A text that spells a time is read once for all rules. Where none of them touches it and it is not yet of the comparison
 * type, it stays the text that it was. */
static int apply_rules(struct sp_rowbuf *rb, struct sp_value *v, struct sp_colstat *st)
{
    const struct sp_colplan *c = rb->col;
    struct sp_value x = *v;
    bool touched = false;
    if (v->tag == SP_TEXT && (c->type.tag == SP_INSTANT || c->type.tag == SP_LOCAL))
        x = sp_rule_moment(v);
    for (size_t i = 0; i < c->nrules; i++) {
        if (is_idle(c->rules[i], c->args[i], &x))
            continue;
        int rc = sp_rule_apply_arg(c->rules[i], c->args[i], &inner_of(rb)->arena, &x, &x);
        if (rc < 0)
            return rc;
        st->touched[i] += (uint64_t)rc;
        touched = touched || rc != 0;
    }
    if (touched || x.tag == c->type.tag || v->tag != SP_TEXT)
        *v = x;
    return 0;
}

int sp_put_value(struct sp_rowbuf *rb, const struct sp_value *pushed)
{
    struct inner *in = inner_of(rb);
    if (in->rc != 0)
        return in->rc;
    if (rb->col == rb->col_end)
        return stop_code(rb, -SP_E_INTERNAL, "the provider pushed more values than the plan has columns");
    struct sp_colstat *st = rb->stat;
    struct sp_value v = *pushed;
    if (v.tag == SP_NULL)
        st->nulls++;
    else if (v.tag == SP_MISSING)
        st->missing++;
    else if ((unsigned)v.tag >= SP_TAG_N)
        return stop_code(rb, -SP_E_INTERNAL, "the provider pushed a value without a type");
    else
        st->by_tag[v.tag]++;
    if (rb->scan->side == SP_SIDE_SOURCE && rb->col->nrules != 0) {
        int rc = apply_rules(rb, &v, st);
        if (rc < 0)
            return stop_code(rb, rc, "a rule could not be applied");
    }
    /* Behind the rules: none mends a text, and what they made of one was well formed. */
    bool bad_text = v.tag == SP_TEXT && !sp_utf8_valid(v.u.str.p, v.u.str.n);
    st->bad_utf8 += bad_text ? 1 : 0;
    int rc = put_direct(rb, &v, bad_text);
    if (rc == 1)
        rc = put_coerced(rb, &v, st);
    if (in->arena.head != NULL)
        sp_arena_reset(&in->arena);
    if (rc == 0) {
        rb->col++;
        rb->stat++;
    }
    return rc;
}

int sp_put_null_slow_(struct sp_rowbuf *rb)
{
    const struct sp_value v = { .tag = SP_NULL };
    return sp_put_value(rb, &v);
}
int sp_put_int_slow_(struct sp_rowbuf *rb, int64_t i)
{
    const struct sp_value v = { .tag = SP_INT, .u.i = i };
    return sp_put_value(rb, &v);
}
int sp_put_f64_slow_(struct sp_rowbuf *rb, double f)
{
    const struct sp_value v = { .tag = SP_F64, .u.f64 = f };
    return sp_put_value(rb, &v);
}
int sp_put_str_slow_(struct sp_rowbuf *rb, enum sp_tag tag, const char *s, size_t n)
{
    const struct sp_value v = { .tag = tag, .u.str = { s, n } };
    return sp_put_value(rb, &v);
}

/* --- undeclared fields -------------------------------------------------------------------------------------------- */

static int remember_extra(struct sp_rowbuf *rb, const char *name, const struct sp_value *v)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    struct inner *in = inner_of(rb);
    struct extra x = { .at = in->extra.n, .name_n = strlen(name) };
    if (in->nextras == in->cap) {
        size_t cap = in->cap != 0 ? in->cap * 2 : 16;
        struct extra *grown = realloc(in->extras, cap * sizeof *grown);
        if (grown == NULL)
            return -SP_E_NOMEM;
        in->extras = grown;
        in->cap = cap;
    }
    if (x.name_n > UINT32_MAX || in->nextras == UINT32_MAX)
        return -SP_E_TOO_LARGE;
    uint8_t length[4];
    store_u32(length, (uint32_t)x.name_n);
    sp_buf_put(&in->extra, length, sizeof length);
    sp_buf_put(&in->extra, name, x.name_n);
    int rc = sp_canon_field(&in->extra, &dynamic, v, NULL);
    if (rc == 0 && in->extra.oom)
        rc = -SP_E_NOMEM;
    x.n = in->extra.n - x.at;
    if (rc == 0)
        in->extras[in->nextras++] = x;
    return rc;
}

int sp_put_extra(struct sp_rowbuf *rb, const char *name, const struct sp_value *v)
{
    struct inner *in = inner_of(rb);
    if (in->rc != 0)
        return in->rc;
    if (!rb->scan->residual || rb->col != rb->col_end)
        return stop_code(
            rb, -SP_E_INTERNAL, "the provider pushed an undeclared field where none was asked for");
    if (v->tag == SP_MISSING) /* a field that is not there is no field */
        return 0;
    int rc = remember_extra(rb, name, v);
    return rc != 0 ? stop_code(rb, rc, "an undeclared field is too large or nested too deep") : 0;
}

/* By name; fields of one name, which only a damaged document has, by their bytes. */
static int order_extras(const void *a, const void *b, void *buf)
{
    const struct extra *x = a, *y = b;
    const char *p = ((const struct sp_buf *)buf)->p;
    size_t n = x->name_n < y->name_n ? x->name_n : y->name_n;
    int c = memcmp(p + x->at + 4, p + y->at + 4, n);
    if (c == 0 && x->name_n != y->name_n)
        return x->name_n < y->name_n ? -1 : 1;
    if (c == 0)
        c = memcmp(p + x->at, p + y->at, x->n < y->n ? x->n : y->n);
    return c != 0 ? c : (x->n < y->n ? -1 : x->n > y->n);
}

static int put_residual(struct sp_rowbuf *rb)
{
    struct inner *in = inner_of(rb);
    uint8_t count[4];
    if (in->nextras > 1)
        qsort_r(in->extras, in->nextras, sizeof *in->extras, order_extras, &in->extra);
    store_u32(count, (uint32_t)in->nextras);
    int rc = put_octets(rb, count, sizeof count);
    for (size_t i = 0; rc == 0 && i < in->nextras; i++)
        rc = put_octets(rb, in->extra.p + in->extras[i].at, in->extras[i].n);
    in->nextras = 0;
    sp_buf_clear(&in->extra);
    return rc;
}

/* --- rows ----------------------------------------------------------------------------------------------------------- */

/* The end of the key fields, found by walking over them. */
static size_t key_bytes(const struct sp_rowbuf *rb)
{
    const uint8_t *p = rb->base;
    for (size_t i = 0; i < rb->scan->nkey; i++) {
        if (p[0] < SP_ST_PRESENT) {
            p++;
            continue;
        }
        p += 5 + ((size_t)p[1] | (size_t)p[2] << 8 | (size_t)p[3] << 16 | (size_t)p[4] << 24);
    }
    return (size_t)(p - rb->base);
}

static inline struct sp_d128 digest_of(const void *p, size_t n)
{
    XXH128_hash_t h = XXH3_128bits(p, n);
    return (struct sp_d128){ h.low64, h.high64 };
}

static int give_to_sink(struct sp_rowbuf *rb, size_t n, struct sp_d128 row, struct sp_d128 key)
{
    const struct sp_rowview view = { rb->base, n, rb->nkey_bytes, row, key };
    int rc = rb->sink(rb->payload, &view);
    return rc != 0 ? stop(rb, rc) : 0;
}

/* False: the key has no value to be ordered by. */
static inline bool into_range(struct sp_rowbuf *rb, struct sp_d128 row)
{
    uint64_t value;
    if (!sp_range_value(rb->scan->cols[0].type.tag, rb->base, &value)) {
        sp_digest_add(&rb->ranges->rest, row);
        return false;
    }
    sp_ranges_add(rb->ranges, value, row);
    return true;
}

int sp_row_end(struct sp_rowbuf *rb)
{
    struct inner *in = inner_of(rb);
    int rc;
    if (in->rc != 0)
        return in->rc;
    if (rb->col != rb->col_end)
        return stop_code(rb, -SP_E_INTERNAL, "the provider ended the row before its last column");
    if (rb->scan->residual && (rc = put_residual(rb)) != 0)
        return rc;
    size_t n = (size_t)(rb->p - rb->base);
    struct sp_d128 row = digest_of(rb->base, n), key = row;
    bool bucket = rb->nbuckets != 0;
    if (rb->ranges != NULL && into_range(rb, row))
        bucket = bucket && !rb->ranges_alone;
    if (bucket || (rb->sink != NULL && !rb->no_key)) {
        rb->nkey_bytes = key_bytes(rb);
        if (rb->scan->nkey != 0 && rb->nkey_bytes != n)
            key = digest_of(rb->base, rb->nkey_bytes);
    }
    sp_digest_add(&rb->digest, row);
    if (bucket)
        sp_digest_add(&rb->buckets[key.hi >> 1 >> (63 - __builtin_ctzll(rb->nbuckets))], row);
    if (n > rb->max_row)
        rb->max_row = n;
    rb->bytes += n;
    if (rb->sink != NULL && (rc = give_to_sink(rb, n, row, key)) != 0)
        return rc;
    rb->p = rb->base;
    rb->col = rb->scan->cols;
    rb->stat = rb->stats;
    return 0;
}

int sp_scan_end(struct sp_rowbuf *rb, uint64_t server_rows, struct sp_error *err)
{
    struct inner *in = inner_of(rb);
    const char *table = rb->scan->table;
    unsigned long long pushed = (unsigned long long)rb->digest.count;
    if (in->rc != 0)
        return in->err.code != SP_E_OK
                   ? sp_fail(err, in->err.code, in->err.origin, "%s", sp_error_text(&in->err))
                   : sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS,
                         "table %s: the scan was stopped at row %llu", table, pushed);
    if (rb->p != rb->base || rb->col != rb->scan->cols)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "table %s: the scan ended within row %llu",
            table, pushed + 1);
    if (rb->complete)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "table %s: the scan was ended twice", table);
    if (server_rows != UINT64_MAX && server_rows != rb->digest.count)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "table %s: the backend counts %llu rows but sent %llu", table, (unsigned long long)server_rows,
            pushed);
    rb->complete = true;
    return 0;
}
