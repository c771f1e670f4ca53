/* verify_case.h -- two fake backends, one comparison, and what came of it. */
#ifndef VERIFY_CASE_H
#define VERIFY_CASE_H

#include "fake_backend.h"
#include "verify/internal.h"

struct vcase {
    struct fake *f[2];
    struct sp_verify_options opt;
    size_t memory;
    struct caught c;
    struct sp_buf reasons;
    enum sp_verify_verdict verdict;
    struct sp_error err;
    int rc;
};

static inline void vcase_begin(struct vcase *v)
{
    *v = (struct vcase){ .f = { fake_new("old"), fake_new("new") },
        .opt = { .checks = SP_VC_ALL, .max_differences = 100 },
        .memory = SP_VERIFY_MEMORY,
        .c = { .em = { caught_send } },
        .err = SP_ERROR_INIT };
}
static inline enum sp_verify_verdict vcase_run(struct vcase *v)
{
    caught_free(&v->c);
    sp_buf_clear(&v->reasons);
    sp_error_clear(&v->err);
    v->rc = sp_verify_bounded(session_of(v->f[0]), session_of(v->f[1]), &v->opt, v->memory, &v->c.em,
        &v->verdict, &v->reasons, &v->err);
    assert_int_equal(0, v->f[0]->snapshots);
    assert_int_equal(0, v->f[1]->snapshots);
    return v->verdict;
}
static inline void vcase_end(struct vcase *v)
{
    fake_free(v->f[0]);
    fake_free(v->f[1]);
    caught_free(&v->c);
    sp_buf_free(&v->reasons);
    sp_error_clear(&v->err);
}
/* The same table on both sides. */
static inline void vcase_table(
    struct vcase *v, const char *name, const char *columns, size_t npk, struct fake_table *out[2])
{
    for (int i = 0; i < 2; i++)
        out[i] = fake_table(v->f[i], name, columns, npk);
}
static inline int64_t table_number(const struct vcase *v, const char *table, enum sp_event_field f)
{
    const struct sp_event_in *e = caught_where(&v->c, SP_EV_TABLE, SP_FLD_name, table);
    assert_non_null(e);
    return sp_event_get_int(e, f, -1);
}
static inline void assert_counts(
    const struct vcase *v, const char *table, int64_t missing, int64_t extra, int64_t changed)
{
    assert_int_equal(missing, table_number(v, table, SP_FLD_missing));
    assert_int_equal(extra, table_number(v, table, SP_FLD_extra));
    assert_int_equal(changed, table_number(v, table, SP_FLD_changed));
}
static inline void assert_verdict(struct vcase *v, enum sp_verify_verdict want)
{
    enum sp_verify_verdict got = vcase_run(v);
    if (v->rc != 0 || got != want)
        print_error("rc %d (%s), verdict %s, reasons:\n%s", v->rc, sp_error_text(&v->err),
            sp_verify_verdict_name(got), v->reasons.p != NULL ? v->reasons.p : "");
    assert_int_equal(0, v->rc);
    assert_int_equal(want, got);
}

#endif
