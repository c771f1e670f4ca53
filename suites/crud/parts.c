/* parts.c -- several readers of one state: a snapshot that another session joins, a table that is read in parts. */
#include "suites/crud/crud.h"

enum { ROWS = 6000, BATCH = 500, PARTS = 4 };

static const struct sp_column columns[] = { COL("id", INT), COL("note", TEXT) };
static const char *const names[] = { "id", "note" };

static bool fill(struct dc *d)
{
    const struct sp_table table = TABLE("read_rows", columns);
    struct sp_value v[BATCH * 2];
    char note[300];
    memset(note, 'n', sizeof note);
    bool ok = dc_table(d, &table, NULL);
    for (int64_t i = 0; ok && i < ROWS; i += BATCH) {
        for (int64_t k = 0; k < BATCH; k++) {
            v[k * 2] = sp_v_int((i + k) * 7);
            v[k * 2 + 1] = sp_v_textn(note, sizeof note);
        }
        ok = dc_ok(d, "create-many", sp_db_insert_many(d->s, "read_rows", names, 2, v, BATCH, NULL, &d->err));
    }
    return ok;
}

/* Adds the rows of one range to the digest. */
static bool scan(
    struct dc *d, struct sp_session *s, const char *from, const char *to, struct sp_digest *digest)
{
    static const struct sp_colplan plan[] = {
        { .name = "id", .source = "id", .target = "id", .type = { .tag = SP_INT } },
        { .name = "note", .source = "note", .target = "note", .type = { .tag = SP_TEXT } },
    };
    bool spaces = sp_ctx_cap(d->ctx, SP_CAP_NAMESPACES)->level == SP_CAP_YES;
    const struct sp_scan what = { .ns = spaces ? sp_ctx_namespace(d->ctx) : NULL,
        .table = "read_rows",
        .cols = plan,
        .ncols = 2,
        .nkey = 1,
        .from = from,
        .to = to };
    struct sp_rowbuf rb;
    if (!dc_ok(d, "a row buffer", sp_rowbuf_init(&rb, &what, &d->err)))
        return false;
    bool ok = dc_ok(d, "scan", sp_db_scan(s, &what, &rb, &d->err));
    sp_digest_merge(digest, &rb.digest);
    sp_rowbuf_free(&rb);
    return ok;
}

static bool same(struct dc *d, const char *what, const struct sp_digest *want, const struct sp_digest *got)
{
    return sp_check_int(d->ctx, what, (int64_t)want->count, (int64_t)got->count) &&
           sp_check(d->ctx, sp_digest_equal(want, got), "these rows are the same rows");
}

static bool in_parts(struct dc *d, struct sp_names *bounds)
{
    struct sp_digest whole = { 0 }, parts = { 0 };
    bool spaces = sp_ctx_cap(d->ctx, SP_CAP_NAMESPACES)->level == SP_CAP_YES;
    bool ok = scan(d, d->s, NULL, NULL, &whole) &&
              sp_check_int(d->ctx, "rows of the whole table", ROWS, (int64_t)whole.count) &&
              dc_ok(d, "split",
                  sp_db_split(
                      d->s, spaces ? sp_ctx_namespace(d->ctx) : NULL, "read_rows", PARTS, bounds, &d->err)) &&
              sp_check(d->ctx, bounds->n >= 1, "a table of some megabytes is cut");
    for (size_t k = 0; ok && k <= bounds->n; k++)
        ok = scan(d, d->s, k == 0 ? NULL : bounds->v[k - 1], k == bounds->n ? NULL : bounds->v[k], &parts);
    return ok && same(d, "rows of all parts", &whole, &parts);
}

void crc_scan_parts(struct sp_ctx *ctx, const void *data)
{
    struct sp_names bounds = { SP_ARENA_INIT, NULL, 0, 0 };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && fill(&d) && dc_ok(&d, "snapshot", sp_db_snapshot_begin(d.s, NULL, &d.err))) {
        (void)in_parts(&d, &bounds);
        (void)dc_ok(&d, "the snapshot's end", sp_db_snapshot_end(d.s, &d.err));
    }
    sp_names_free(&bounds);
    dc_done(&d);
}

/* The reader joins after the write, and sees what was before it. */
static bool joins(struct dc *d, struct sp_session *reader, struct sp_session *writer)
{
    char word[SP_SNAPSHOT_WORD];
    struct sp_digest before = { 0 }, joined = { 0 };
    bool ok = scan(d, d->s, NULL, NULL, &before) &&
              dc_ok(d, "sharing the snapshot", sp_db_snapshot_share(d->s, word, &d->err)) &&
              dc_delete(d, writer, "read_rows", ID_IS(7), 1) &&
              dc_ok(d, "joining the snapshot", sp_db_snapshot_join(reader, word, &d->err));
    if (!ok)
        return false;
    ok = scan(d, reader, NULL, NULL, &joined) && same(d, "rows seen by who joined", &before, &joined);
    return dc_ok(d, "the end of the joined snapshot", sp_db_snapshot_end(reader, &d->err)) && ok;
}

void crc_snapshot_joined(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && fill(&d);
    struct sp_session *reader = ok ? dc_other(&d, 1) : NULL, *writer = ok ? dc_other(&d, 2) : NULL;
    if (reader != NULL && writer != NULL && dc_ok(&d, "snapshot", sp_db_snapshot_begin(d.s, NULL, &d.err))) {
        (void)joins(&d, reader, writer);
        (void)dc_ok(&d, "the snapshot's end", sp_db_snapshot_end(d.s, &d.err));
    }
    dc_done(&d);
}
