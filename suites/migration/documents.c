/* documents.c -- tables with open fields: a copy keeps every field of every document, and the comparison names the field
 * that differs. The copy is looked at by reads, not by the scan that made it. */
#include "suites/migration/documents.h"

#include <stddef.h>
#include <string.h>

#include "migrate/migrate.h"
#include "verify/verify.h"

enum { DOCUMENTS = 60, FIELDS = 6 };

static const struct sp_column columns[] = { { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "name", .type = { .tag = SP_TEXT } } };
static const char *const key[] = { "id" };
static const struct sp_table documents = { .name = "mig_documents",
    .columns = columns,
    .ncolumns = SP_LEN(columns),
    .pk = key,
    .npk = 1,
    .open_fields = true };
static const char *const names[FIELDS] = { "id", "name", "city", "visits", "nothing", "ratio" };

struct mgd {
    struct sp_ctx *ctx;
    struct sp_session *s, *t;
    const char *from, *to;
    struct sp_error err;
    struct sp_emitter em; /* keeps the first difference */
    char difference[512];
};

static int keep_difference(
    struct sp_emitter *em, enum sp_event_kind kind, const char *json, size_t n, struct sp_error *err)
{
    struct mgd *m = (struct mgd *)(void *)((char *)em - offsetof(struct mgd, em));
    (void)err;
    if (kind == SP_EV_DIFFERENCE && m->difference[0] == '\0' && n < sizeof m->difference) {
        memcpy(m->difference, json, n);
        m->difference[n] = '\0';
    }
    return 0;
}

static bool ok(struct mgd *m, const char *what, int rc)
{
    bool held = sp_check_ok(m->ctx, what, rc, &m->err);
    sp_error_clear(&m->err);
    return held;
}

/* Fields that are there, null, or missing, each in another rhythm. */
static void document(int64_t i, struct sp_value v[FIELDS])
{
    static const char *const cities[] = { "", "Oslo", "caf\xc3\xa9", "NULL", " x " };
    v[0] = sp_v_int(i);
    v[1] = i % 4 == 0 ? sp_v_missing() : sp_v_text(cities[(size_t)i % SP_LEN(cities)]);
    v[2] = i % 3 == 0 ? sp_v_missing() : sp_v_text(cities[(size_t)(i + 1) % SP_LEN(cities)]);
    v[3] = i % 5 == 0 ? sp_v_null() : sp_v_int(i * 1000003);
    v[4] = i % 2 == 0 ? sp_v_null() : sp_v_missing();
    v[5] = i % 7 == 0 ? sp_v_missing() : sp_v_f64((double)i / 8);
}

static bool begin(struct mgd *m, struct sp_ctx *ctx)
{
    struct sp_value v[DOCUMENTS][FIELDS];
    int64_t n = 0;
    *m = (struct mgd){ .ctx = ctx, .err = SP_ERROR_INIT, .em = { .send = keep_difference } };
    m->s = sp_ctx_session(ctx, 0);
    m->t = m->s == NULL ? NULL : sp_ctx_session(ctx, 1);
    m->from = m->t == NULL ? NULL : sp_ctx_namespace(ctx);
    m->to = m->from == NULL ? NULL : sp_ctx_more_namespace(ctx, "to");
    for (int64_t i = 0; i < DOCUMENTS; i++)
        document(i, v[i]);
    if (m->to == NULL || !ok(m, "use of the target namespace", sp_db_ns_use(m->t, m->to, &m->err)) ||
        !sp_ctx_table(ctx, &documents) ||
        !ok(m, "filling the documents",
            sp_db_insert_many(m->s, documents.name, names, FIELDS, v[0], DOCUMENTS, &n, &m->err)))
        return false;
    const struct sp_migrate_options o = { .source_ns = m->from, .target_ns = m->to };
    return ok(m, "bulk copy", sp_migrate_bulk(m->s, m->t, &o, &m->em, &m->err));
}

static bool verified(struct mgd *m, enum sp_verify_verdict want)
{
    const struct sp_verify_options o = { .checks = SP_VC_DATA,
        .source_ns = m->from,
        .target_ns = m->to,
        .max_differences = 10,
        .show_values = true };
    enum sp_verify_verdict verdict = SP_VV_NOT_COMPARED;
    struct sp_buf reasons = SP_BUF_INIT;
    m->difference[0] = '\0';
    bool held = ok(m, "comparison", sp_verify(m->s, m->t, &o, &m->em, &verdict, &reasons, &m->err)) &&
                sp_check_at(m->ctx, __FILE__, __LINE__, verdict == want, "verdict of the comparison",
                    sp_verify_verdict_name(want),
                    sp_arena_printf(sp_ctx_arena(m->ctx), "%s: %s", sp_verify_verdict_name(verdict),
                        reasons.p == NULL ? "" : reasons.p));
    sp_buf_free(&reasons);
    return held;
}

static bool same_document(struct mgd *m, const struct sp_result *r, size_t row)
{
    static const struct sp_value missing = { .tag = SP_MISSING };
    struct sp_value want[FIELDS];
    bool held = true;
    document((int64_t)row, want);
    for (size_t i = 0; held && i < FIELDS; i++) {
        const struct sp_value *got = sp_result_at(r, row, names[i]);
        held = sp_check_value(m->ctx, names[i], &want[i], got == NULL ? &missing : got);
    }
    return held;
}

void mgd_copied(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_order by_id = { .column = "id" };
    const struct sp_op read = { .kind = SP_OP_READ,
        .query = { .table = "mig_documents", .order = &by_id, .norder = 1, .limit = SP_NO_LIMIT } };
    struct sp_result r = SP_RESULT_INIT;
    struct mgd m;
    (void)data;
    if (begin(&m, ctx) && ok(&m, "reading the copy", sp_db_exec(m.t, &read, &r, &m.err)) &&
        sp_check_int(ctx, "documents of the copy", DOCUMENTS, (int64_t)r.nrows)) {
        bool same = true;
        for (size_t i = 0; same && i < r.nrows; i++)
            same = same_document(&m, &r, i);
        if (same)
            verified(&m, SP_VV_EQUAL);
    }
    sp_result_free(&r);
    sp_error_clear(&m.err);
}

/* An undeclared field that changed in one document of the copy. */
void mgd_difference_found(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_value id = { .tag = SP_INT, .u.i = 22 };
    static const struct sp_filter where = { .op = SP_F_EQ, .column = "id", .values = &id, .nvalues = 1 };
    const struct sp_field change = { "city", sp_v_null() };
    struct mgd m;
    int64_t n = 0;
    (void)data;
    if (begin(&m, ctx) &&
        ok(&m, "planting a difference", sp_db_update(m.t, documents.name, &where, &change, 1, &n, &m.err)) &&
        sp_check_int(ctx, "documents that were changed", 1, n) && verified(&m, SP_VV_DIFFERENT)) {
        bool named = strstr(m.difference, "mig_documents") != NULL && strstr(m.difference, "id=22") != NULL &&
                     strstr(m.difference, "\"column\":\"city\"") != NULL;
        sp_check_at(ctx, __FILE__, __LINE__, named, "document and field are named",
            "mig_documents, id=22, city", m.difference);
    }
    sp_error_clear(&m.err);
}
