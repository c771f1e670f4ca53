/* mutants_session.c -- bugs in the session itself, in what the server says of itself, and in what is around tables. */
#include "run/mutation.h"

static int ping_nothing(struct sp_session *s, struct sp_error *err)
{
    (void)s;
    return sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_BACKEND, "the connection is gone");
}
static bool plant_ping_fails(void)
{
    bool can = sp_mutation.outer.ping != NULL;
    sp_mutation.outer.ping = can ? ping_nothing : NULL;
    return can;
}

/* Says that it can more than it declared, without evidence; less, without a reason. */
static int effective_without_reason(
    struct sp_session *s, struct sp_cap *out, struct sp_facts *facts, struct sp_error *err)
{
    int rc = sp_mutation.inner->effective(s, out, facts, err);
    for (int i = 0; rc == 0 && i < SP_CAP_N; i++)
        if (out[i].level == SP_CAP_YES && sp_mutation.inner->declared[i].level == SP_CAP_YES) {
            out[i] = (struct sp_cap){ .level = SP_CAP_NO };
            break;
        }
    return rc;
}
static bool plant_capability_without_reason(void)
{
    bool can = sp_mutation.outer.effective != NULL;
    sp_mutation.outer.effective = can ? effective_without_reason : NULL;
    return can;
}

static int effective_without_version(
    struct sp_session *s, struct sp_cap *out, struct sp_facts *facts, struct sp_error *err)
{
    int rc = sp_mutation.inner->effective(s, out, facts, err);
    facts->server_version[0] = '\0';
    return rc;
}
static bool plant_version_missing(void)
{
    bool can = sp_mutation.outer.effective != NULL;
    sp_mutation.outer.effective = can ? effective_without_version : NULL;
    return can;
}

static int effective_of_unknown(
    struct sp_session *s, struct sp_cap *out, struct sp_facts *facts, struct sp_error *err)
{
    int rc = sp_mutation.inner->effective(s, out, facts, err);
    facts->fidelity = SP_FID_UNKNOWN;
    return rc;
}
static bool plant_fidelity_unknown(void)
{
    bool can = sp_mutation.outer.effective != NULL;
    sp_mutation.outer.effective = can ? effective_of_unknown : NULL;
    return can;
}

static bool has_facet(enum sp_facet f)
{
    const struct sp_provider *p = sp_mutation.inner;
    return f == SP_FACET_db ? p->db != NULL : f == SP_FACET_auth ? p->auth != NULL : p->blob != NULL;
}

/* Claims what nobody declared, or a limit beyond the declared one, and gives no evidence. */
static int effective_boasting(
    struct sp_session *s, struct sp_cap *out, struct sp_facts *facts, struct sp_error *err)
{
    int rc = sp_mutation.inner->effective(s, out, facts, err);
    for (int i = 0; rc == 0 && i < SP_CAP_N; i++) {
        const struct sp_cap *d = &sp_mutation.inner->declared[i];
        if (sp_caps[i].kind == SP_CAP_KIND_LIMIT && out[i].level == SP_CAP_YES && d->limit < INT64_MAX)
            out[i] = (struct sp_cap){ .level = SP_CAP_YES, .limit = d->limit + 1 };
        else if (d->level == SP_CAP_NO && has_facet(sp_caps[i].facet))
            out[i] = (struct sp_cap){ .level = SP_CAP_YES };
    }
    return rc;
}
static bool plant_capability_boasted(void)
{
    bool can = sp_mutation.outer.effective != NULL;
    sp_mutation.outer.effective = can ? effective_boasting : NULL;
    return can;
}

/* Every other answer lacks a capability that the one before had, with a reason each time. */
static int effective_wavering(
    struct sp_session *s, struct sp_cap *out, struct sp_facts *facts, struct sp_error *err)
{
    static unsigned asked;
    int rc = sp_mutation.inner->effective(s, out, facts, err);
    (void)pthread_mutex_lock(&sp_mutation.lock);
    bool less = asked++ % 2 == 1;
    (void)pthread_mutex_unlock(&sp_mutation.lock);
    for (int i = SP_CAP_N; rc == 0 && less && i-- > 0;)
        if (out[i].level == SP_CAP_YES) {
            out[i] = (struct sp_cap){ .level = SP_CAP_NO, .why = "not today" };
            break;
        }
    return rc;
}
static bool plant_capability_wavers(void)
{
    bool can = sp_mutation.outer.effective != NULL;
    sp_mutation.outer.effective = can ? effective_wavering : NULL;
    return can;
}

/* The last capability that is declared loses the function that it stands for. */
static bool plant_function_missing(void)
{
    int i = SP_CAP_N - 1;
    while (i >= 0 && sp_mutation.inner->declared[i].level != SP_CAP_YES)
        i--;
    switch (i) {
#define SP_X(id, name, fct, fn, kind, doc)                                                                   \
    case SP_CAP_##id:                                                                                        \
        sp_mutation.fct.fn = NULL;                                                                           \
        return true;
        SP_CAPS(SP_X)
#undef SP_X
    default:
        return false;
    }
}

static const char *library_without_name(void)
{
    return "";
}
static bool plant_library_unnamed(void)
{
    sp_mutation.outer.library = library_without_name;
    return true;
}

static int ns_list_all(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    (void)prefix;
    return SP_INNER_DB->ns_list(s, "", out, err);
}
static bool plant_namespace_prefix_ignored(void)
{
    bool can = sp_mutation.db.ns_list != NULL;
    sp_mutation.db.ns_list = can ? ns_list_all : NULL;
    return can;
}

/* A row whose key is taken is left out of a bulk load, silently. */
static int load_row_forgiving(struct sp_load *l, const struct sp_value *row, struct sp_error *err)
{
    int rc = SP_INNER_DB->load_row(l, row, err);
    if (rc != -SP_E_UNIQUE)
        return rc;
    sp_error_clear(err);
    return 0;
}
static int load_close_forgiving(struct sp_load *l, bool commit, uint64_t *loaded, struct sp_error *err)
{
    int rc = SP_INNER_DB->load_close(l, commit, loaded, err);
    if (rc != -SP_E_UNIQUE)
        return rc;
    sp_error_clear(err);
    return 0;
}
static bool plant_bulk_load_forgives(void)
{
    bool can = sp_mutation.db.load_row != NULL && sp_mutation.db.load_close != NULL;
    if (can) {
        sp_mutation.db.load_row = load_row_forgiving;
        sp_mutation.db.load_close = load_close_forgiving;
    }
    return can;
}

/* A part of a table begins where the table does: its rows come twice. */
static int scan_from_start(
    struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct sp_scan all = *scan;
    all.from = NULL;
    return SP_INNER_DB->scan(s, &all, rb, err);
}
static bool plant_parts_overlap(void)
{
    bool can = sp_mutation.db.scan != NULL && sp_mutation.db.split != NULL;
    sp_mutation.db.scan = can ? scan_from_start : sp_mutation.db.scan;
    return can;
}

/* The range behind the last bound gives nothing. */
static int scan_ends_early(
    struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    return scan->from != NULL && scan->to == NULL ? sp_scan_end(rb, 0, err)
                                                  : SP_INNER_DB->scan(s, scan, rb, err);
}
static bool plant_last_part_lost(void)
{
    bool can = sp_mutation.db.scan != NULL && sp_mutation.db.split != NULL;
    sp_mutation.db.scan = can ? scan_ends_early : sp_mutation.db.scan;
    return can;
}

static int join_now(struct sp_session *s, const char *word, struct sp_error *err)
{
    (void)word;
    return SP_INNER_DB->snapshot_begin(s, NULL, err);
}
static bool plant_join_sees_now(void)
{
    bool can = sp_mutation.db.snapshot_join != NULL;
    sp_mutation.db.snapshot_join = can ? join_now : NULL;
    return can;
}

static int finish_nothing(struct sp_session *s, const struct sp_table *t, struct sp_error *err)
{
    (void)s, (void)t, (void)err;
    return 0;
}
static bool plant_table_finish_ignored(void)
{
    bool can = sp_mutation.db.table_finish != NULL;
    sp_mutation.db.table_finish = can ? finish_nothing : NULL;
    return can;
}

#define ROW(name, facet, text)                                                                               \
    {                                                                                                        \
        { #name, facet, text }, plant_##name                                                                 \
    }
const struct sp_mutant_row sp_mutants_session[] = {
    ROW(ping_fails, "connection", "a round trip fails"),
    ROW(capability_without_reason, "connection", "a capability is missing without a reason"),
    ROW(version_missing, "connection", "the server does not say its version"),
    ROW(fidelity_unknown, "connection", "it is not said what kind of server answers"),
    ROW(capability_boasted, "connection", "more is offered than declared, without evidence"),
    ROW(capability_wavers, "connection", "what is offered changes from one question to the next"),
    ROW(function_missing, "connection", "a declared capability has no function"),
    ROW(library_unnamed, "connection", "the client library does not say its version"),
    ROW(namespace_prefix_ignored, "database", "a list of namespaces ignores the beginning asked for"),
    ROW(bulk_load_forgives, "database", "a bulk load leaves out rows whose key is taken, and says nothing"),
    ROW(parts_overlap, "database", "a part of a table begins at the table's first row"),
    ROW(last_part_lost, "database", "the last part of a table is empty"),
    ROW(join_sees_now, "database", "who joins a snapshot sees today's state"),
    ROW(table_finish_ignored, "database", "constraints that are added after the rows are not made"),
    { { NULL, NULL, NULL }, NULL },
};
