/* fetch.c -- rows by their keys, instead of a pass over the whole table.
 *
 * A key is given as a scan shows it: canonical bytes under the plan. The backend is asked for the value that was read
 * there, by filters on the key columns; what else a filter lets through (another case, another spelling) is told by the
 * digest of its key and dropped. The danger is the other way round: a row which a scan shows under that key, and the
 * filter does not find, because it is stored in another spelling. So this is offered only where each value of the
 * comparison type comes from exactly one stored form, or from forms that the backend holds for equal. */
#include <stdlib.h>

#include "model/decimal.h"
#include "verify/internal.h"
#include "verify/unit.h"

#define BATCH_VALUES 128u              /* bound to one statement */
#define BATCH_S      0.5               /* so long one statement should take */
#define BATCH_BYTES  ((size_t)1 << 18) /* of keys, after which a statement takes no more */
#define BIT(tag)     (UINT32_C(1) << (tag))

/* ---- what can be asked for ------------------------------------------------------------------------------------- */

static const char *column_name(const struct sp_colplan *plan, enum sp_side side)
{
    return side == SP_SIDE_SOURCE ? plan->source : plan->target;
}

/* Rules about what is absent leave each key that is there as it is, and a null is asked for as "null or missing". */
static bool keeps_keys(const struct sp_colplan *plan)
{
    for (size_t i = 0; i < plan->nrules; i++)
        if (plan->rules[i] != SP_RULE_NULL_TO_MISSING && plan->rules[i] != SP_RULE_MISSING_TO_NULL)
            return false;
    return true;
}

/* Stored forms of which each is one value to the backend and to the plan alike. */
static uint32_t exact_tags(const struct sp_column *col, enum sp_tag as)
{
    switch (as) {
    case SP_MISSING:
        return BIT(SP_BOOL) | BIT(SP_INT) | BIT(SP_TEXT) | BIT(SP_BYTES) | BIT(SP_UUID) | BIT(SP_DATE) |
               BIT(SP_TIME) | BIT(SP_INSTANT) | BIT(SP_LOCAL) | BIT(SP_NATIVE);
    case SP_DEC: /* by number; text only where the column is one of decimals, which compare so */
        return BIT(SP_DEC) | BIT(SP_INT) | (col->type.tag == SP_DEC ? BIT(SP_TEXT) : 0);
    case SP_UUID:
        return BIT(SP_UUID) | (col->type.tag == SP_BYTES ? BIT(SP_BYTES) : 0);
    case SP_BOOL:
    case SP_INT:
    case SP_TEXT:
    case SP_BYTES:
    case SP_DATE:
    case SP_TIME:
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_NATIVE:
        return BIT(as);
    default: /* floats have several zeros, documents and arrays an order inside */
        return 0;
    }
}

/* The declaration alone says how every value is stored, also those of tomorrow. */
static bool declared_exact(const struct sp_column *col, enum sp_tag as)
{
    if (col->ordinal_unstable || col->type.tag == SP_MISSING)
        return false;
    switch (as) {
    case SP_INT:
    case SP_TEXT:
    case SP_BYTES:
        return col->type.tag == as;
    case SP_DEC:
        return col->type.tag == SP_DEC || col->type.tag == SP_INT;
    default: /* may stand as text, in any spelling that reads as it */
        return false;
    }
}

static const char *column_why_not(const struct sp_vpair *p, enum sp_side side, size_t i, enum sp_vfetch how)
{
    const struct sp_colplan *plan = &p->cols[i];
    const struct sp_column *col = sp_table_column(p->t[side], column_name(plan, side));
    if (col == NULL)
        return "a key column is not declared";
    if (side == SP_SIDE_SOURCE && !keeps_keys(plan))
        return "a rule changes the key on its way to the target";
    uint32_t exact = exact_tags(col, plan->type.tag);
    if (exact == 0)
        return "keys of this type are not one stored form each";
    if (how == SP_VF_TRY)
        return NULL;
    if (col->type.padded || plan->type.padded) /* collations don't matter: filters compare bytes (query.h) */
        return "padding decides which keys are equal";
    if (p->key_tags[side] == NULL)
        return declared_exact(col, plan->type.tag) ? NULL : "nothing says how all keys are stored";
    if ((p->key_tags[side][i] & ~exact) != 0)
        return "some keys are stored in another form than that which they are compared in";
    uint32_t own = plan->type.tag == SP_MISSING ? 0 : BIT(plan->type.tag);
    bool typed = !col->ordinal_unstable && col->type.tag != SP_MISSING && p->key_tags[side][i] == own;
    if (how == SP_VF_LATER && !typed && !declared_exact(col, plan->type.tag))
        return "nothing says how keys that come later are stored";
    return NULL;
}

const char *sp_v_fetch_why_not(const struct sp_vpair *p, enum sp_side side, enum sp_vfetch how)
{
    const char *why = NULL;
    if (p->t[side] == NULL)
        return "the table is not there";
    if (p->nkey == 0)
        return "the table has no key";
    for (size_t i = 0; i < p->nkey && why == NULL; i++)
        why = column_why_not(p, side, i, how);
    return why;
}

/* ---- one statement --------------------------------------------------------------------------------------------- */

struct asked {
    struct sp_d128 digest;
    size_t at; /* in the caller's keys */
};
struct batch {
    const struct sp_vpair *p;
    enum sp_side side;
    struct sp_arena arena;
    struct sp_filter *leaves; /* a key after the other, nkey each */
    size_t nkeys;             /* of the filter: keys that this side cannot hold are left out */
    struct asked *asked;      /* sorted by digest */
    size_t nasked;
    int (*row)(void *payload, size_t key, const struct sp_rowview *row);
    void *payload;
};

static int by_digest(const void *a, const void *b)
{
    const struct asked *x = a, *y = b;
    int r = sp_v_d128_cmp(x->digest, y->digest);
    return r != 0 ? r : (x->at > y->at) - (x->at < y->at);
}

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct batch *b = payload;
    size_t lo = 0, hi = b->nasked;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (sp_v_d128_cmp(b->asked[mid].digest, row->key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < b->nasked && sp_d128_eq(b->asked[lo].digest, row->key); lo++) {
        int rc = b->row(b->payload, b->asked[lo].at, row);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static const struct sp_column *key_column(const struct batch *b, size_t i)
{
    return sp_table_column(b->p->t[b->side], column_name(&b->p->cols[i], b->side));
}

static bool holds_integers_only(const struct batch *b, size_t i)
{
    const uint32_t *tags = b->p->key_tags[b->side];
    return key_column(b, i)->type.tag == SP_INT || (tags != NULL && tags[i] == BIT(SP_INT));
}

/* As the side stores it. 1 = it cannot hold it: no row has that key. */
static int as_stored(struct batch *b, size_t i, struct sp_value *v)
{
    if (v->tag == SP_DEC && holds_integers_only(b, i)) {
        int64_t whole;
        if (!sp_dec_to_i64(&v->u.dec, &whole))
            return 1;
        *v = sp_v_int(whole);
    } else if (v->tag == SP_UUID && key_column(b, i)->type.tag == SP_BYTES) {
        const void *octets = sp_arena_dup(&b->arena, v->u.uuid, 16);
        if (octets == NULL)
            return -SP_E_NOMEM;
        *v = sp_v_bytes(octets, 16);
    }
    return 0;
}

/* A native value that holds others has more than one form. */
static bool has_one_form(const struct sp_value *v, uint32_t exact)
{
    return (exact & BIT(v->tag)) != 0 &&
           (v->tag != SP_NATIVE ||
               (strcmp(v->u.native.type, "array") != 0 && strcmp(v->u.native.type, "object") != 0));
}

/* One field of a key as one condition. Bytes used, 0 = the side cannot hold it, or a negative error. */
static int64_t put_leaf(
    struct batch *b, size_t i, const uint8_t *p, size_t n, struct sp_filter *leaf, struct sp_error *err)
{
    const struct sp_colplan *plan = &b->p->cols[i];
    struct sp_value *v = sp_arena_alloc(&b->arena, sizeof *v);
    enum sp_state state;
    int64_t used = v == NULL ? -SP_E_NOMEM : sp_canon_read(&b->arena, &plan->type, p, n, v, &state);
    if (used == -SP_E_NOMEM)
        return sp_nomem(err);
    if (used <= 0)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS, "a key cannot be read back");
    *leaf = (struct sp_filter){ .op = SP_F_IS_NULL, .column = column_name(plan, b->side) };
    if (sp_v_is_absent(v))
        return used;
    if (state != SP_ST_PRESENT || !has_one_form(v, exact_tags(key_column(b, i), plan->type.tag)))
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS,
            "table %s: a key that is no plain value of its column", b->p->name);
    int rc = as_stored(b, i, v);
    if (rc != 0)
        return rc < 0 ? sp_nomem(err) : 0;
    leaf->op = SP_F_EQ;
    leaf->values = v;
    leaf->nvalues = 1;
    return used;
}

static int put_key(struct batch *b, const struct sp_vkey *key, size_t at, struct sp_error *err)
{
    const uint8_t *p = key->p;
    size_t left = key->n, nkey = b->p->nkey;
    for (size_t i = 0; i < nkey; i++) {
        int64_t used = put_leaf(b, i, p, left, &b->leaves[b->nkeys * nkey + i], err);
        if (used <= 0)
            return (int)used;
        p += used;
        left -= (size_t)used;
    }
    b->nkeys++;
    b->asked[b->nasked++] = (struct asked){ sp_d128_of(key->p, key->n), at };
    return 0;
}

/* Keys of one column: a list, and the null beside it. */
static int one_column(struct batch *b, struct sp_filter *out)
{
    struct sp_filter *parts = sp_arena_array(&b->arena, 2, sizeof *parts);
    struct sp_value *list = sp_arena_array(&b->arena, b->nkeys, sizeof *list);
    size_t n = 0, nparts = 0;
    if (parts == NULL || list == NULL)
        return -SP_E_NOMEM;
    for (size_t k = 0; k < b->nkeys; k++) {
        if (b->leaves[k].op == SP_F_EQ)
            list[n++] = b->leaves[k].values[0];
        else if (nparts == 0)
            parts[nparts++] = b->leaves[k];
    }
    if (n != 0)
        parts[nparts++] =
            (struct sp_filter){ .op = SP_F_IN, .column = b->leaves[0].column, .values = list, .nvalues = n };
    *out = nparts == 1 ? parts[0] : (struct sp_filter){ .op = SP_F_OR, .args = parts, .nargs = nparts };
    return 0;
}

static int several_columns(struct batch *b, struct sp_filter *out)
{
    size_t nkey = b->p->nkey;
    struct sp_filter *keys = sp_arena_array(&b->arena, b->nkeys, sizeof *keys);
    if (keys == NULL)
        return -SP_E_NOMEM;
    for (size_t k = 0; k < b->nkeys; k++)
        keys[k] = (struct sp_filter){ .op = SP_F_AND, .args = &b->leaves[k * nkey], .nargs = nkey };
    *out = b->nkeys == 1 ? keys[0] : (struct sp_filter){ .op = SP_F_OR, .args = keys, .nargs = b->nkeys };
    return 0;
}

static int run_batch(struct sp_vctx *c, struct batch *b, struct sp_error *err)
{
    struct sp_vscan v[2] = { { .err = SP_ERROR_INIT }, { .err = SP_ERROR_INIT } };
    struct sp_vscan *scan = &v[b->side];
    struct sp_filter where;
    if (b->nkeys == 0)
        return 0;
    if ((b->p->nkey == 1 ? one_column : several_columns)(b, &where) != 0)
        return sp_nomem(err);
    qsort(b->asked, b->nasked, sizeof *b->asked, by_digest);
    sp_v_scan_pair(c, scan, b->side, b->p);
    scan->scan.where = &where;
    scan->row = on_row;
    scan->payload = b;
    int rc = sp_v_scan(c, v, b->p->name, 0);
    if (rc == 0 && scan->rc != 0) {
        rc = scan->rc;
        sp_error_move(err, &scan->err);
        sp_error_prefix(err, "%s", sp_v_side_name(b->side));
    } else if (rc != 0) {
        sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
    }
    sp_v_scan_free(v);
    return rc;
}

/* ---- all of them ----------------------------------------------------------------------------------------------- */

static int fetch_all(struct sp_vctx *c, struct batch *b, const struct sp_vkey *keys, size_t n, size_t most,
    double max_s, struct sp_error *err)
{
    double started = sp_v_now_s(), before = started;
    struct sp_vunit room = { .size = most, .least = 1, .most = most, .target_s = BATCH_S };
    if (max_s > 0)
        room.size = 1; /* one alone tells what one costs */
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n;) {
        size_t bytes = 0, first = i;
        b->nkeys = b->nasked = 0;
        do {
            bytes += keys[i].n;
            rc = put_key(b, &keys[i], i, err);
            i++;
        } while (rc == 0 && i < n && b->nasked < room.size && bytes < BATCH_BYTES);
        if (rc == 0)
            rc = run_batch(c, b, err);
        sp_arena_reset(&b->arena);
        double now = sp_v_now_s(), spent = now - started;
        sp_v_unit_done(&room, i - first, now - before);
        before = now;
        if (rc == 0 && max_s > 0 && spent / (double)i * (double)(n - i) > max_s)
            rc = sp_fail(err, SP_E_TIMEOUT, SP_ORIGIN_HARNESS,
                "table %s: fetching rows by key takes longer than reading the table", b->p->name);
    }
    return rc;
}

int sp_v_fetch(struct sp_vctx *c, const struct sp_vpair *p, enum sp_side side, const struct sp_vkey *keys,
    size_t n, enum sp_vfetch how, double max_s,
    int (*row)(void *payload, size_t key, const struct sp_rowview *row), void *payload, struct sp_error *err)
{
    const char *why = sp_v_fetch_why_not(p, side, how);
    if (why != NULL)
        return sp_fail(
            err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "table %s, %s: %s", p->name, sp_v_side_name(side), why);
    size_t most = p->nkey < BATCH_VALUES ? BATCH_VALUES / p->nkey : 1;
    struct batch b = { .p = p, .side = side, .arena = SP_ARENA_INIT, .row = row, .payload = payload };
    b.leaves = calloc(most * p->nkey, sizeof *b.leaves);
    b.asked = calloc(most, sizeof *b.asked);
    int rc =
        b.leaves == NULL || b.asked == NULL ? sp_nomem(err) : fetch_all(c, &b, keys, n, most, max_s, err);
    free(b.leaves);
    free(b.asked);
    sp_arena_free(&b.arena);
    return rc;
}

/* ---- how keys are stored --------------------------------------------------------------------------------------- */

int sp_v_key_tags(struct sp_vctx *c, struct sp_vpair *p, enum sp_side side, const struct sp_colstat *stats)
{
    uint32_t *tags = sp_arena_array(&c->arena, p->nkey + 1, sizeof *tags);
    if (tags == NULL)
        return sp_v_nomem(c);
    for (size_t i = 0; i < p->nkey; i++) {
        tags[i] = 0;
        for (int t = 0; t < SP_TAG_N; t++)
            tags[i] |= stats[i].by_tag[t] != 0 ? BIT(t) : 0;
    }
    p->key_tags[side] = tags;
    return 0;
}
