/* scan.h -- how rows travel from a provider into the harness at full speed.
 *
 * The provider pushes native values in column order: one sp_put_*() per planned column, then for open tables
 * sp_put_extra() per undeclared field, then sp_row_end(). Every call returns 0 to go on or non-zero to stop; on
 * non-zero the provider stops at once and returns the error that sp_rowbuf_error() holds, or -SP_E_CANCELLED. The
 * harness alone coerces, applies rules, hashes and counts, so that providers can't disagree.
 *
 * Values are borrowed for the length of the call. A scan is finished only when the provider called sp_scan_end()
 * after the backend confirmed the end of its stream; a row buffer without it is not complete.
 * A row buffer belongs to one thread. Memory: `cap` bytes (at least 256 KiB), more only for a row that needs it. */
#ifndef SP_SCAN_H
#define SP_SCAN_H

#include <endian.h>
#include <string.h>

#include "model/canonical.h"
#include "model/equivalence.h"
#include "model/query.h"
#include "scan_ranges.h"

enum sp_side { SP_SIDE_SOURCE, SP_SIDE_TARGET };

/* Per column, counted while scanning. Nulls and missing fields are counted as pushed, and not under by_tag. */
struct sp_colstat {
    uint64_t nulls, missing;
    uint64_t by_tag[SP_TAG_N]; /* native tags as pushed: the storage-class findings */
    uint64_t uncoerced;        /* values that could not become the comparison type */
    uint64_t bad_utf8;
    uint64_t touched[SP_MAX_RULES]; /* values a rule changed */
};

/* A complete row as the sink sees it; borrowed until the sink returns. */
struct sp_rowview {
    const uint8_t *row;
    size_t nrow;                /* canonical bytes */
    size_t nkey;                /* the first nkey bytes are the key fields */
    struct sp_d128 digest, key; /* of the row; of the key bytes (of the whole row when there is no key) */
};

/* What to read. */
struct sp_scan {
    const char *ns, *table;
    const struct sp_colplan *cols;
    size_t ncols;
    size_t nkey;       /* the first nkey columns are the key; 0 = no key: the row is its own key */
    enum sp_side side; /* chooses source or target column names, and whether rules apply */
    bool residual;     /* push undeclared fields too */
    /* Both sides are backends of this kind: what the backend keeps apart and the logical value does not (32 and 64 bits,
     * 1.0 and 1.00, the order of fields) is pushed as a native value, which the backend's own load writes back. */
    bool as_stored;
    const struct sp_filter *where; /* NULL = all */
    const char *from, *to; /* one range of the provider's split(), [from, to); NULL = open; not with where */
};

struct sp_rowbuf {
    uint8_t *base, *p, *end;                /* base..end is the buffer, the current row is base..p */
    const struct sp_colplan *col, *col_end; /* next column to be put */
    const struct sp_scan *scan;
    size_t nkey_bytes;
    struct sp_digest digest; /* all rows so far */
    struct sp_digest *buckets;
    size_t nbuckets; /* power of two or 0; by the top bits of the key digest; borrowed */
    /* May be NULL; borrowed. With ranges_alone, only rows that have no range go into a bucket. */
    struct sp_ranges *ranges;
    bool ranges_alone;
    bool no_key;              /* the sink does not look at the key (nkey, key), which then costs nothing */
    struct sp_colstat *stats; /* ncols, owned */
    struct sp_colstat *stat;  /* of col */
    int (*sink)(void *payload, const struct sp_rowview *row);
    void *payload;    /* NULL = digest only */
    uint64_t max_row; /* largest canonical row, bytes */
    uint64_t bytes;   /* canonical bytes in all */
    bool complete;
    void *internal; /* residual fields of the current row, scratch arena, error */
};

int sp_rowbuf_init(struct sp_rowbuf *rb, const struct sp_scan *scan, struct sp_error *err);
void sp_rowbuf_free(struct sp_rowbuf *rb);
/* The error that made a put fail, or one of code OK. */
const struct sp_error *sp_rowbuf_error(const struct sp_rowbuf *rb);

/* The slow path, good for every value: rules, coercion, growth. */
int sp_put_value(struct sp_rowbuf *rb, const struct sp_value *v);
int sp_put_extra(struct sp_rowbuf *rb, const char *name, const struct sp_value *v);
int sp_row_end(struct sp_rowbuf *rb);
/* `server_rows`: the count that the backend confirmed in the same snapshot, UINT64_MAX if it gives none. A count
 * that differs from the rows pushed is -SP_E_CORRUPT. */
int sp_scan_end(struct sp_rowbuf *rb, uint64_t server_rows, struct sp_error *err);

/* The slow path by kind, out of line: the fast paths stay small. */
int sp_put_null_slow_(struct sp_rowbuf *rb);
int sp_put_int_slow_(struct sp_rowbuf *rb, int64_t i);
int sp_put_f64_slow_(struct sp_rowbuf *rb, double f);
int sp_put_str_slow_(struct sp_rowbuf *rb, enum sp_tag tag, const char *s, size_t n);

/* Fast paths: taken when the column has no rules and the comparison type takes the native tag as it is. */
static inline bool sp_put_fast_(struct sp_rowbuf *rb, enum sp_tag tag, size_t n, bool *dynamic)
{
    const struct sp_colplan *c = rb->col;
    if (c == rb->col_end || (c->nrules != 0 && rb->scan->side == SP_SIDE_SOURCE))
        return false;
    *dynamic = c->type.tag == SP_MISSING;
    return (*dynamic || c->type.tag == tag) && (size_t)(rb->end - rb->p) >= n + 8;
}
static inline uint8_t *sp_put_head_(struct sp_rowbuf *rb, enum sp_tag tag, uint32_t n, bool dynamic)
{
    uint8_t *p = rb->p;
    uint32_t len = n + (dynamic ? 1u : 0u);
    uint32_t le = htole32(len);
    *p++ = SP_ST_PRESENT;
    memcpy(p, &le, 4);
    p += 4;
    if (dynamic)
        *p++ = (uint8_t)tag;
    rb->stat++->by_tag[tag]++;
    rb->col++;
    rb->p = p + n;
    return p;
}
static inline int sp_put_null(struct sp_rowbuf *rb)
{
    const struct sp_colplan *c = rb->col;
    if (c == rb->col_end || (c->nrules != 0 && rb->scan->side == SP_SIDE_SOURCE) || rb->p == rb->end)
        return sp_put_null_slow_(rb);
    *rb->p++ = SP_ST_NULL;
    rb->stat++->nulls++;
    rb->col++;
    return 0;
}
static inline int sp_put_int(struct sp_rowbuf *rb, int64_t i)
{
    bool dyn;
    if (!sp_put_fast_(rb, SP_INT, 8, &dyn))
        return sp_put_int_slow_(rb, i);
    uint64_t u = htole64((uint64_t)i);
    memcpy(sp_put_head_(rb, SP_INT, 8, dyn), &u, 8);
    return 0;
}
static inline int sp_put_f64(struct sp_rowbuf *rb, double f)
{
    bool dyn;
    if (!sp_put_fast_(rb, SP_F64, 8, &dyn))
        return sp_put_f64_slow_(rb, f);
    uint64_t u;
    memcpy(&u, &f, 8);
    if (f != f)
        u = UINT64_C(0x7ff8000000000000);
    u = htole64(u);
    memcpy(sp_put_head_(rb, SP_F64, 8, dyn), &u, 8);
    return 0;
}
/* True when all n bytes are below 0x80. */
static inline bool sp_ascii_(const char *s, size_t n)
{
    uint64_t acc = 0, w;
    size_t i = 0;
    if (n >= 8) { /* the last eight once more, instead of a tail byte by byte */
        memcpy(&acc, s + n - 8, 8);
        for (; i + 8 <= n; i += 8) {
            memcpy(&w, s + i, 8);
            acc |= w;
        }
        i = n;
    }
    for (; i < n; i++)
        acc |= (uint64_t)(uint8_t)s[i] << 56;
    return (acc & UINT64_C(0x8080808080808080)) == 0;
}
static inline int sp_put_text(struct sp_rowbuf *rb, const char *s, size_t n)
{
    bool dyn;
    if (n > UINT32_MAX - 16 || !sp_put_fast_(rb, SP_TEXT, n, &dyn) || !sp_ascii_(s, n))
        return sp_put_str_slow_(rb, SP_TEXT, s, n); /* checks UTF-8 */
    uint8_t *p = sp_put_head_(rb, SP_TEXT, (uint32_t)n, dyn);
    if (n != 0)
        memcpy(p, s, n);
    return 0;
}
static inline int sp_put_bytes(struct sp_rowbuf *rb, const void *s, size_t n)
{
    bool dyn;
    if (n > UINT32_MAX - 16 || !sp_put_fast_(rb, SP_BYTES, n, &dyn))
        return sp_put_str_slow_(rb, SP_BYTES, s, n);
    uint8_t *p = sp_put_head_(rb, SP_BYTES, (uint32_t)n, dyn);
    if (n != 0)
        memcpy(p, s, n);
    return 0;
}

#endif
