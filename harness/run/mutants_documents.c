/* mutants_documents.c -- bugs around undeclared fields, in scans and loads. */
#include "run/mutation.h"

/* Every third undeclared field is swallowed. */
static unsigned extras;
static int extra_swallow(struct sp_load *l, const char *name, const struct sp_value *v, struct sp_error *err)
{
    return ++extras % 3 == 0 ? 0 : SP_INNER_DB->load_extra(l, name, v, err);
}
SP_PLANT(db, load_loses_fields, load_extra, extra_swallow)

static int extra_without_null(
    struct sp_load *l, const char *name, const struct sp_value *v, struct sp_error *err)
{
    return v->tag == SP_NULL ? 0 : SP_INNER_DB->load_extra(l, name, v, err);
}
SP_PLANT(db, load_null_is_missing, load_extra, extra_without_null)

/* Only what is declared is read: a copy loses the rest, and no comparison sees it. */
static int scan_declared(
    struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct sp_scan less = *scan;
    less.residual = false;
    return SP_INNER_DB->scan(s, &less, rb, err);
}
SP_PLANT(db, scan_loses_fields, scan, scan_declared)

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "database", text }, plant_##name                                                            \
    }
const struct sp_mutant_row sp_mutants_documents[] = {
    ROW(load_loses_fields, "a bulk load loses every third undeclared field"),
    ROW(load_null_is_missing, "a bulk load leaves out undeclared fields that are null"),
    ROW(scan_loses_fields, "a scan reads no undeclared fields"),
    { { NULL, NULL, NULL }, NULL },
};
