/* embed.h -- private to embed*.c: the rows for one array, in files, by what names their document. */
#ifndef SP_MIGRATE_EMBED_H
#define SP_MIGRATE_EMBED_H

#include "map/lens_sort.h"
#include "map/mapping.h"
#include "migrate/internal.h"

struct sp_membed {
    struct sp_membed *next; /* another array of the same documents */
    struct sp_mctx *m;
    const struct sp_map_relation *r;
    const struct sp_table *t;
    struct sp_colplan *plan; /* what names the parent, the position, then the element's fields */
    size_t ncols, nkey, first;
    size_t *parent;    /* nkey: columns of the parent's plan */
    const char **name; /* of each field in its element */
    int data, index;   /* files, -1 = none */
    struct lens_sort sort;
    struct sp_buf out; /* of the file that is being written */
    uint64_t written, n, nused, bytes;
    struct sp_d128 *block; /* the first entry of each */
    size_t nblocks, cap;
    uint8_t *used; /* a bit for each entry */
    struct sp_arena arena;
    struct sp_buf key, elements;
    struct sp_error err; /* of the scan's sink */
    double seconds;
};

struct sp_membed_row {
    uint64_t at, entry;
    int64_t position;
    struct sp_value *v;
};

/* Reads all rows, once, and puts them in order. */
int sp_m_embed_read(struct sp_membed *e, struct sp_error *err);
/* Those that name this document; in the arena of the one at work. */
int sp_m_embed_find(
    struct sp_membed *e, struct sp_d128 key, struct sp_membed_row **out, size_t *nout, struct sp_error *err);
/* The row of number `entry` in the index. */
int sp_m_embed_at(struct sp_membed *e, uint64_t entry, struct sp_membed_row *out, struct sp_error *err);
/* Its values: f->v. */
int sp_m_embed_values(struct sp_membed *e, struct sp_membed_row *f, struct sp_error *err);

#endif
