/* verify.c -- the course of one comparison: one snapshot per side, introspection, then the checks that were asked
 * for, then the verdict. */
#include <stdlib.h>

#include "map/lens.h"
#include "run/run.h"
#include "verify/internal.h"

#define MAX_REASONS 60u

/* ---- evidence: who was compared, in which state -------------------------------------------------------------------- */

/* What the schema says, as one digest: two runs with the same one compared the same declarations. */
static struct sp_d128 schema_digest(const struct sp_schema *s)
{
    struct sp_buf b = SP_BUF_INIT;
    struct sp_d128 d = { 0, 0 };
    for (size_t i = 0; i < s->ntables; i++) {
        const struct sp_table *t = &s->tables[i];
        sp_buf_puts(&b, t->name);
        sp_buf_putc(&b, '\0');
        for (size_t k = 0; k < t->ncolumns; k++) {
            sp_buf_puts(&b, t->columns[k].name);
            sp_buf_putc(&b, '\0');
            sp_type_print(&b, &t->columns[k].type);
            sp_buf_printf(&b, " %d%c", t->columns[k].not_null, '\0');
        }
        sp_buf_puts(&b, t->native_definition != NULL ? t->native_definition : "");
        sp_buf_putc(&b, '\0');
    }
    for (size_t i = 0; i < s->ninventory; i++) {
        sp_buf_puts(
            &b, s->inventory[i].definition != NULL ? s->inventory[i].definition : s->inventory[i].name);
        sp_buf_putc(&b, '\0');
    }
    if (!b.oom)
        d = sp_d128_of(b.p != NULL ? b.p : "", b.n);
    sp_buf_free(&b);
    return d;
}

static void server_version(struct sp_session *s, char out[96])
{
    struct sp_cap *caps = calloc(SP_CAP_N, sizeof *caps);
    struct sp_facts facts = { .fidelity = SP_FID_UNKNOWN };
    out[0] = '\0';
    if (caps != NULL && sp_effective(s, caps, &facts, NULL) == 0)
        sp_strlcpy(out, facts.server_version, 96);
    free(caps);
}

static void send_start(struct sp_vctx *c, const struct sp_vsnaps *st)
{
    struct sp_event ev;
    struct sp_buf checks = SP_BUF_INIT;
    char version[96], digest[33];
    sp_v_put_checks(&checks, c->opt->checks);
    sp_event_begin(&ev, SP_EV_VERIFY_START);
    for (int i = 0; i < 2; i++) {
        bool s = i == 0;
        sp_event_text(&ev, s ? SP_FLD_source : SP_FLD_target, sp_session_endpoint(c->session[i])->name);
        sp_event_text(
            &ev, s ? SP_FLD_source_kind : SP_FLD_target_kind, sp_session_provider(c->session[i])->kind);
        server_version(c->session[i], version);
        sp_event_text(&ev, s ? SP_FLD_source_version : SP_FLD_target_version, version);
        sp_event_text(&ev, s ? SP_FLD_source_state : SP_FLD_target_state, st->id[i]);
        sp_d128_format(digest, schema_digest(c->schema[i]));
        sp_event_text(&ev, s ? SP_FLD_source_digest : SP_FLD_target_digest, digest);
    }
    sp_event_text(&ev, SP_FLD_checks, checks.p != NULL ? checks.p : "");
    sp_event_bool(&ev, SP_FLD_show_values, c->opt->show_values);
    sp_v_put_sample(c, &ev);
    if (c->opt->rate != 0)
        sp_event_real(&ev, SP_FLD_rate, (double)c->opt->rate);
    if (c->opt->recheck_ms != 0) {
        char window[32];
        sp_format_duration(window, (double)c->opt->recheck_ms / 1000);
        sp_event_text(&ev, SP_FLD_recheck, window);
    }
    if (c->opt->mapping != NULL) {
        sp_d128_format(digest, c->opt->mapping->digest);
        sp_event_text(&ev, SP_FLD_mapping, c->opt->mapping->file);
        sp_event_text(&ev, SP_FLD_mapping_digest, digest);
    }
    sp_v_send(c, &ev);
    sp_buf_free(&checks);
}

/* ---- snapshots -------------------------------------------------------------------------------------------------------- */

/* Whether any of the checks looks into the database. */
static bool looks_at_tables(const struct sp_vctx *c, enum sp_side side)
{
    return (c->opt->checks & (SP_VC_DATA | SP_VC_COUNTS)) != 0 && sp_v_keeps_tables(c, side);
}

static int open_side(struct sp_vctx *c, struct sp_vsnaps *st, enum sp_side side, struct sp_error *snapshot)
{
    struct sp_error err = SP_ERROR_INIT;
    int rc = 0;
    if (sp_v_keeps_tables(c, side)) {
        rc = sp_db_snapshot_begin(c->session[side], st->id[side], &err);
        st->open[side] = rc == 0;
    }
    if (rc == -SP_E_UNSUPPORTED) {
        sp_error_move(snapshot, &err);
        rc = 0;
    }
    if (rc == 0 && !looks_at_tables(c, side)) {
        c->schema[side] = sp_schema_new();
        rc = c->schema[side] == NULL ? sp_nomem(&err) : 0;
    } else if (rc == 0)
        rc = sp_db_introspect(c->session[side],
            side == SP_SIDE_SOURCE ? c->opt->source_ns : c->opt->target_ns, &c->schema[side], &err);
    if (rc != 0) {
        sp_error_prefix(&err, "%s %s", sp_v_side_name(side), sp_session_endpoint(c->session[side])->name);
        return sp_v_abort(c, &err);
    }
    return 0;
}

static void close_sides(struct sp_vctx *c, struct sp_vsnaps *st)
{
    sp_v_gentle_opened(c, false);
    for (int i = 0; i < 2; i++) {
        struct sp_error err = SP_ERROR_INIT;
        if (!st->open[i])
            continue;
        st->open[i] = false;
        int rc = sp_v_readers_end(c, (enum sp_side)i, &err);
        int end = sp_db_snapshot_end(c->session[i], rc == 0 ? &err : NULL);
        if ((rc != 0 || end != 0) && c->rc == 0) {
            st->ended_badly = true;
            sp_v_not_compared(c, sp_v_side_name((enum sp_side)i), "everything",
                "it did not stay the same while it was read: %s", sp_error_text(&err));
        }
        sp_error_clear(&err);
    }
}

int sp_v_refresh(struct sp_vctx *c, struct sp_error *err)
{
    const bool had[2] = { c->snaps.open[0], c->snaps.open[1] };
    close_sides(c, &c->snaps);
    if (c->snaps.ended_badly)
        return sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_HARNESS, "a side changed while it was read");
    sp_v_gentle_opened(c, true);
    for (size_t i = 0; i < c->npairs; i++) {
        c->pairs[i].digest_equal = false;
        c->pairs[i].stale = true;
        c->pairs[i].absent[0] = c->pairs[i].absent[1] = NULL;
    }
    for (int i = 1; i >= 0; i--) {
        if (!had[i])
            continue;
        int rc = sp_db_snapshot_begin(c->session[i], c->snaps.id[i], err);
        if (rc != 0) {
            sp_error_prefix(err, "%s", sp_v_side_name((enum sp_side)i));
            return rc;
        }
        c->snaps.open[i] = true;
    }
    return 0;
}

/* ---- the course ---------------------------------------------------------------------------------------------------------- */

/* The checks of all tables as things that can be looked at again. */
#define CHECK(NAME)                                                                                          \
    static void NAME(struct sp_vctx *c, struct sp_vpair *p)                                                  \
    {                                                                                                        \
        (void)p;                                                                                             \
        sp_v_##NAME(c);                                                                                      \
    }
CHECK(counts)
CHECK(relations)
CHECK(uniqueness)
CHECK(required)
CHECK(sequences)
CHECK(demands)
CHECK(custom)

static void blobs(struct sp_vctx *c, struct sp_vpair *p)
{
    (void)p;
    if (sp_v_blobs(c) != 0)
        sp_v_looked(c, SP_VC_BLOBS);
}

static void accounts(struct sp_vctx *c, struct sp_vpair *p)
{
    (void)p;
    if (sp_v_accounts(c) != 0)
        sp_v_looked(c, SP_VC_ACCOUNTS);
}

static void run_table_checks(struct sp_vctx *c)
{
    unsigned checks = c->opt->checks;
    sp_v_schema_presence(c);
    if (checks & SP_VC_SCHEMA) {
        for (size_t i = 0; i < c->npairs && c->rc == 0; i++)
            if (c->pairs[i].t[0] != NULL && c->pairs[i].t[1] != NULL)
                sp_v_compare_table(c, &c->pairs[i]);
        sp_v_compare_inventory(c);
    } else if (checks & (SP_VC_ROWS | SP_VC_PROFILES)) {
        sp_v_hidden_rows(c);
    }
    if (checks & SP_VC_COUNTS)
        sp_v_again(c, "counts", counts, NULL);
    for (size_t i = 0; i < c->npairs && c->rc == 0; i++) {
        if ((checks & SP_VC_ROWS) && sp_v_sampled(c->opt))
            sp_v_sample(c, &c->pairs[i]);
        else if (checks & SP_VC_ROWS)
            sp_v_rows_kept(c, &c->pairs[i]);
        if ((checks & SP_VC_PROFILES) && c->rc == 0 && !c->pairs[i].parked)
            sp_v_again(c, "profile", sp_v_profile, &c->pairs[i]);
    }
    sp_v_recheck(c);
    if ((checks & (SP_VC_ROWS | SP_VC_PROFILES)) && c->rc == 0)
        sp_v_unordered_fields(c);
    if (checks & SP_VC_RELATIONS)
        sp_v_again(c, "relations", relations, NULL);
    if (checks & SP_VC_UNIQUENESS)
        sp_v_again(c, "uniqueness", uniqueness, NULL);
    if (checks & SP_VC_REQUIRED)
        sp_v_again(c, "required fields", required, NULL);
    if (checks & SP_VC_SEQUENCES)
        sp_v_again(c, SP_V_SEQUENCES, sequences, NULL);
    sp_v_again(c, "the team's demands", demands, NULL);
    sp_v_again(c, "the team's checks", custom, NULL);
}

/* Tables on one side only, and a backend without any on the other. */
static void no_tables_there(struct sp_vctx *c, enum sp_side without)
{
    enum sp_side with = without == SP_SIDE_SOURCE ? SP_SIDE_TARGET : SP_SIDE_SOURCE;
    if (c->schema[with]->ntables != 0)
        sp_v_not_compared(c, "everything", "tables",
            "the %s has %zu tables, and the %s (%s) keeps none; --checks blobs compares objects alone",
            sp_v_side_name(with), c->schema[with]->ntables, sp_v_side_name(without),
            sp_session_provider(c->session[without])->kind);
}

static void run_checks(struct sp_vctx *c)
{
    bool tables[2] = { looks_at_tables(c, SP_SIDE_SOURCE), looks_at_tables(c, SP_SIDE_TARGET) };
    if (tables[0] && tables[1])
        run_table_checks(c);
    else if (tables[0] || tables[1])
        no_tables_there(c, tables[0] ? SP_SIDE_TARGET : SP_SIDE_SOURCE);
    if (c->opt->checks & SP_VC_BLOBS)
        sp_v_again(c, "objects", blobs, NULL);
    if (c->opt->checks & SP_VC_ACCOUNTS)
        sp_v_again(c, "accounts", accounts, NULL);
    sp_v_named_out(c, tables[0] && tables[1]);
    sp_v_looked_at_nothing(c);
    sp_v_accept_unmet(c);
}

static enum sp_verify_verdict conclude(const struct sp_vctx *c, const struct sp_vsnaps *st)
{
    if (st->ended_badly)
        return SP_VV_NOT_COMPARED;
    if (c->differences != 0)
        return SP_VV_DIFFERENT;
    if (c->not_compared != 0)
        return SP_VV_NOT_COMPARED;
    if (sp_v_sampled(c->opt))
        return SP_VV_NO_DIFFERENCE_SEEN;
    return c->lossy != 0 ? SP_VV_EQUAL_WITH_LOSS : SP_VV_EQUAL;
}

/* Tables and other objects of one side that --tables does not choose; the target's only where the source has none of
 * that name. */
static size_t unselected(const struct sp_vctx *c, enum sp_side side)
{
    const struct sp_schema *s = c->schema[side];
    bool target = side == SP_SIDE_TARGET;
    size_t n = 0;
    for (size_t i = 0; i < s->ntables; i++)
        if (!sp_v_selected(c, s->tables[i].name) &&
            !(target && sp_schema_table(c->schema[0], s->tables[i].name) != NULL))
            n++;
    for (size_t i = 0; i < s->ninventory; i++) {
        const struct sp_inventory_item *x = &s->inventory[i];
        bool seen = false;
        for (size_t k = 0; target && !seen && k < c->schema[0]->ninventory; k++)
            seen = strcmp(c->schema[0]->inventory[k].name, x->name) == 0;
        if (!seen && !sp_v_selected(c, x->name) && !sp_v_selected(c, x->table))
            n++;
    }
    return n;
}

/* "Equal" is said of what was looked at: what was not stands beside it. */
static void put_left_out(const struct sp_vctx *c, struct sp_buf *out)
{
    unsigned checks = sp_v_left_out(c);
    size_t tables = unselected(c, SP_SIDE_SOURCE) + unselected(c, SP_SIDE_TARGET);
    if (checks == 0 && tables == 0 && c->buckets_left_out == 0)
        return;
    sp_buf_puts(out, out->n != 0 ? "; left out by choice: " : "left out by choice: ");
    sp_v_put_checks(out, checks);
    if (tables != 0)
        sp_buf_printf(out, "%stables and other objects that --tables does not name: %zu",
            checks != 0 ? "; " : "", tables);
    if (c->buckets_left_out != 0)
        sp_buf_printf(out, "%sbuckets that --buckets does not name: %llu",
            checks != 0 || tables != 0 ? "; " : "", (unsigned long long)c->buckets_left_out);
}

/* "Equal" of sides that are written to is equal but for what was on its way, and arrived. */
static void put_in_flight(const struct sp_vctx *c, struct sp_buf *out)
{
    if (c->in_flight != 0)
        sp_buf_printf(out, "%llu rows were in flight: they differed at first, and arrived",
            (unsigned long long)c->in_flight);
}

static void send_end(struct sp_vctx *c, enum sp_verify_verdict verdict, double seconds)
{
    struct sp_event ev;
    struct sp_buf message = SP_BUF_INIT;
    put_in_flight(c, &message);
    put_left_out(c, &message);
    sp_v_put_named_out(c, &message);
    sp_v_put_idle(c, &message);
    if (verdict == SP_VV_NO_DIFFERENCE_SEEN)
        sp_v_put_sampled(c, &message);
    sp_v_put_mapped(c, &message);
    sp_v_put_accepted(c, &message);
    if (c->reasons != NULL && message.p != NULL)
        sp_buf_printf(c->reasons, "%s\n", message.p);
    sp_event_begin(&ev, SP_EV_VERIFY_END);
    sp_event_text(&ev, SP_FLD_verdict, sp_verify_verdict_name(verdict));
    sp_event_int(&ev, SP_FLD_tables, (int64_t)c->npairs);
    sp_event_int(&ev, SP_FLD_differences, (int64_t)c->differences);
    sp_event_bool(&ev, SP_FLD_capped, c->capped);
    sp_event_real(&ev, SP_FLD_duration_s, seconds);
    sp_event_int(&ev, SP_FLD_rows, (int64_t)c->rows);
    sp_event_int(&ev, SP_FLD_bytes, (int64_t)c->bytes);
    if (c->opt->recheck_ms != 0) {
        sp_event_int(&ev, SP_FLD_in_flight, (int64_t)c->in_flight);
        sp_event_int(&ev, SP_FLD_unsettled, (int64_t)c->unsettled);
    }
    sp_event_text(&ev, SP_FLD_message, message.p);
    sp_v_send(c, &ev);
    sp_buf_free(&message);
}

static bool names_something(const struct sp_schema *s, const char *glob)
{
    for (size_t i = 0; i < s->ntables; i++)
        if (sp_glob(glob, s->tables[i].name, false))
            return true;
    for (size_t i = 0; i < s->ninventory; i++)
        if (sp_glob(glob, s->inventory[i].name, false))
            return true;
    return false;
}

/* Each name that was asked for must be there: a table whose name is mistyped would not be compared. */
static void nothing_there(struct sp_vctx *c)
{
    struct sp_error err = SP_ERROR_INIT;
    for (size_t i = 0; i < c->opt->ntables && c->rc == 0; i++) {
        const char *glob = c->opt->tables[i];
        if (names_something(c->schema[0], glob) || names_something(c->schema[1], glob))
            continue;
        sp_invalid(&err, "no table of either side matches --tables %s", glob);
        sp_v_abort(c, &err);
    }
}

static void compare(struct sp_vctx *c, struct sp_vsnaps *st, enum sp_verify_verdict *verdict)
{
    struct sp_error snapshot[2] = { SP_ERROR_INIT, SP_ERROR_INIT };
    double started = sp_v_now_s();
    st->since_ms = sp_v_wall_ms();
    int rc = sp_v_gentle_init(c);
    if (rc == 0)
        rc = sp_v_recheck_init(c);
    sp_v_gentle_opened(c, true);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = open_side(c, st, (enum sp_side)i, &snapshot[i]);
    if (rc == 0) {
        bool tables = looks_at_tables(c, SP_SIDE_SOURCE) && looks_at_tables(c, SP_SIDE_TARGET);
        send_start(c, st);
        for (int i = 0; i < 2; i++)
            if (st->open[i])
                sp_v_readers_join(c, (enum sp_side)i);
        for (int i = 0; i < 2 && tables; i++) /* accounts and objects have no part in it */
            if (snapshot[i].code != SP_E_OK)
                sp_v_not_compared(c, sp_v_side_name((enum sp_side)i), "one state",
                    "no snapshot: its tables may have been read in different states (%s)",
                    sp_error_text(&snapshot[i]));
        if (tables && sp_v_match(c) == 0)
            nothing_there(c);
        sp_v_keep_open(c, (const char *const[]){ st->id[0], st->id[1] },
            (struct sp_d128[]){ schema_digest(c->schema[0]), schema_digest(c->schema[1]) });
        if (c->rc == 0)
            run_checks(c);
    }
    close_sides(c, st);
    sp_v_gentle_free(c);
    sp_v_recheck_free(c);
    if (c->rc == 0 &&
        sp_interrupted() != 0) /* what nobody waited for must not say "equal" beside exit code 4 */
        c->rc = sp_fail(c->err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
    if (c->rc == 0) {
        *verdict = conclude(c, st);
        send_end(c, *verdict, sp_v_now_s() - started);
    }
    sp_error_clear(&snapshot[0]);
    sp_error_clear(&snapshot[1]);
}

int sp_verify_bounded(struct sp_session *source, struct sp_session *target,
    const struct sp_verify_options *opt, size_t memory, struct sp_emitter *em,
    enum sp_verify_verdict *verdict, struct sp_buf *reasons, struct sp_error *err)
{
    struct sp_verify_options o = *opt;
    if (o.checks == 0 || !sp_v_checks_known(o.checks))
        return sp_invalid(err, "verify: no such checks");
    if (sp_v_refuses_sample(&o, err))
        return -SP_E_INVALID;
    if (source == NULL || target == NULL || source == target)
        return sp_invalid(err, "verify needs two open sessions");
    if (sp_v_accept_check(opt, err) != 0)
        return -SP_E_INVALID;
    bool *met = calloc(opt->naccept + 1, sizeof *met);
    if (met == NULL)
        return sp_nomem(err);
    struct sp_vctx c = { .session = { source, target },
        .plain = { sp_lens_inner(source), sp_lens_inner(target) },
        .opt = &o,
        .em = em,
        .err = err,
        .reasons = reasons,
        .reasons_left = MAX_REASONS,
        .arena = SP_ARENA_INIT,
        .left_out = SP_BUF_INIT,
        .accept_met = met,
        .memory = memory };
    c.same_kind = sp_provider_same_language(sp_session_provider(source), sp_session_provider(target));
    *verdict = SP_VV_NOT_COMPARED;
    compare(&c, &c.snaps, verdict);
    if (c.rc != 0)
        *verdict = SP_VV_NOT_COMPARED;
    if (opt->unread != NULL)
        *opt->unread = c.rc != 0 || c.failed_scans != 0;
    sp_schema_free(c.schema[0]);
    sp_schema_free(c.schema[1]);
    sp_arena_free(&c.arena);
    sp_buf_free(&c.left_out);
    free(met);
    return c.rc;
}

int sp_verify(struct sp_session *source, struct sp_session *target, const struct sp_verify_options *opt,
    struct sp_emitter *em, enum sp_verify_verdict *verdict, struct sp_buf *reasons, struct sp_error *err)
{
    return sp_verify_bounded(source, target, opt, SP_VERIFY_MEMORY, em, verdict, reasons, err);
}
