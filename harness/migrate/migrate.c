/* migrate.c -- the course of a bulk copy: plan, tables, rows, constraints and indexes, sequences, other objects. */
#include <stdlib.h>
#include <time.h>

#include "migrate/internal.h"
#include "run/run.h"

bool sp_m_interrupted(void)
{
    return sp_interrupted() != 0;
}

double sp_m_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int sp_m_note(struct sp_mctx *m, struct sp_error *err, const char *level, const char *fmt, ...)
{
    struct sp_event ev;
    struct sp_buf text = SP_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    sp_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    sp_event_begin(&ev, SP_EV_NOTE);
    sp_event_text(&ev, SP_FLD_level, level);
    sp_event_text(&ev, SP_FLD_text, text.p);
    sp_buf_free(&text);
    return sp_event_send(m->em, &ev, err);
}

static int say_table(struct sp_mctx *m, const struct sp_mtable *x, struct sp_error *err)
{
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_MIGRATE_TABLE);
    sp_event_text(&ev, SP_FLD_name, x->t->name);
    sp_event_int(&ev, SP_FLD_rows, (int64_t)x->rows);
    sp_event_int(&ev, SP_FLD_bytes, (int64_t)x->bytes);
    sp_event_real(&ev, SP_FLD_duration_s, x->seconds);
    if (x->seconds > 0)
        sp_event_real(&ev, SP_FLD_rate, (double)x->rows / x->seconds);
    return sp_event_send(m->em, &ev, err);
}

static void say_end(struct sp_mctx *m, const char *outcome, double seconds, const char *message)
{
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_MIGRATE_END);
    sp_event_text(&ev, SP_FLD_outcome, outcome);
    sp_event_int(&ev, SP_FLD_tables, (int64_t)m->ntables);
    sp_event_int(&ev, SP_FLD_rows, (int64_t)m->rows);
    sp_event_int(&ev, SP_FLD_bytes, (int64_t)m->bytes);
    sp_event_real(&ev, SP_FLD_duration_s, seconds);
    sp_event_text(&ev, SP_FLD_message, message);
    (void)sp_event_send(m->em, &ev, NULL);
}

/* ---- tables ------------------------------------------------------------------------------------------------------------ */

static int make_ready(struct sp_mctx *m, struct sp_mtable *x, struct sp_error *err)
{
    if (x->by_virtual) {
        int64_t n = 0;
        return sp_db_delete(m->target, x->t->name, NULL, &n, err);
    }
    if (x->existing)
        return 0;
    int rc = sp_m_create(m, x, err);
    if (rc == -SP_E_OUTCOME_UNKNOWN) /* it may be there: what is undone is undone of it, too */
        x->created = true;
    return rc;
}

/* A table that is not of our making may drop rows of its own accord (ON CONFLICT REPLACE, triggers): each row was taken,
 * and yet not all are there. */
static int count_again(struct sp_mctx *m, const struct sp_mtable *x, struct sp_error *err)
{
    int64_t n = 0;
    if (!x->existing && !x->made.native_verbatim)
        return 0;
    int rc = sp_db_count(m->target, x->t->name, NULL, &n, err);
    if (rc == 0 && (n < 0 || (uint64_t)n != x->rows))
        rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "%llu rows were loaded, the target holds %lld: its constraints or triggers changed them",
            (unsigned long long)x->rows, (long long)n);
    if (rc != 0)
        sp_error_prefix(err, "table %s", x->t->name);
    return rc;
}

static int copy_tables(struct sp_mctx *m, struct sp_error *err)
{
    int rc = sp_m_objects_before(m, err);
    if (rc == 0)
        rc = sp_m_virtual_tables(m, err);
    for (size_t i = 0; rc == 0 && i < m->ntables; i++) {
        rc = make_ready(m, &m->tables[i], err);
        if (rc != 0)
            sp_error_prefix(err, "table %s", m->tables[i].t->name);
    }
    for (size_t i = 0; rc == 0 && i < m->ntables; i++) {
        rc = sp_m_interrupted() ? sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted")
                                : sp_m_load(m, &m->tables[i], err);
        if (rc == 0)
            rc = say_table(m, &m->tables[i], err);
    }
    for (size_t i = 0; rc == 0 && i < m->ntables; i++) {
        if (m->tables[i].created)
            rc = sp_m_finish(m, &m->tables[i], err);
    }
    for (size_t i = 0; rc == 0 && i < m->ntables; i++)
        rc = count_again(m, &m->tables[i], err);
    return rc;
}

static int set_sequences(struct sp_mctx *m, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < m->from->nsequences; i++) {
        const struct sp_sequence *s = &m->from->sequences[i];
        if (!sp_m_selected(m, s->table != NULL ? s->table : s->name))
            continue;
        rc = sp_db_sequence_set(m->target, s, err);
        if (rc == -SP_E_UNSUPPORTED) {
            sp_error_clear(err);
            rc = sp_m_note(m, err, "warning", "sequence %s was not migrated: the target has none", s->name);
        } else if (rc != 0) {
            sp_error_prefix(err, "sequence %s", s->name);
        }
    }
    return rc;
}

/* ---- undoing ----------------------------------------------------------------------------------------------------------- */

static void drop(struct sp_mctx *m, const char *table, struct sp_buf *left)
{
    struct sp_error err = SP_ERROR_INIT;
    int rc = sp_db_table_drop(m->target, table, &err);
    if (rc != 0 && rc != -SP_E_NOT_FOUND)
        sp_buf_printf(left, "%s%s", left->n == 0 ? "" : ", ", table);
    sp_error_clear(&err);
}

/* Takes back what this copy made; the names of what could not be dropped go to `left`. */
static void undo(struct sp_mctx *m, struct sp_buf *left)
{
    for (size_t i = m->ntables; i-- > 0;) {
        struct sp_mtable *x = &m->tables[i];
        struct sp_error err = SP_ERROR_INIT;
        int64_t n = 0;
        if (x->created)
            drop(m, x->t->name, left);
        else if (x->existing && x->filled && sp_db_delete(m->target, x->t->name, NULL, &n, &err) != 0)
            sp_buf_printf(left, "%s%s (its rows)", left->n == 0 ? "" : ", ", x->t->name);
        sp_error_clear(&err);
    }
    for (size_t i = m->nvirtuals; i-- > 0;)
        drop(m, m->virtuals[i], left);
    for (size_t i = 0; m->objects_done != NULL && i < m->from->ninventory; i++)
        if (m->objects_done[i] == SP_M_MADE) /* no statement that would take it back is known */
            sp_buf_printf(left, "%s%s %s", left->n == 0 ? "" : ", ", m->from->inventory[i].kind,
                m->from->inventory[i].name);
}

static void fail_and_undo(struct sp_mctx *m, struct sp_error *err)
{
    struct sp_buf left = SP_BUF_INIT;
    undo(m, &left);
    if (left.n != 0) {
        enum sp_code code = err->code;
        enum sp_origin origin = err->origin;
        char *text = sp_strdup_printf("%s; left behind on the target: %s", sp_error_text(err), left.p);
        if (text != NULL)
            sp_fail(err, code, origin, "%s", text);
        free(text);
    }
    sp_buf_free(&left);
}

/* ---- the course ---------------------------------------------------------------------------------------------------------- */

static int ask_target(struct sp_mctx *m, struct sp_error *err)
{
    struct sp_facts facts;
    struct sp_cap *caps = sp_arena_array(&m->arena, SP_CAP_N, sizeof *caps);
    m->caps = caps;
    return caps == NULL ? sp_nomem(err) : sp_effective(m->target, caps, &facts, err);
}

static int look_at_source(struct sp_mctx *m, bool *snapshot, struct sp_error *err)
{
    char id[64];
    int rc = sp_db_snapshot_begin(m->source, id, err);
    *snapshot = rc == 0;
    if (rc == -SP_E_UNSUPPORTED) {
        sp_error_clear(err);
        rc =
            sp_m_note(m, err, "warning", "the source offers no snapshot: it must not change during the copy");
    }
    if (rc == 0)
        rc = sp_db_introspect(m->source, m->opt->source_ns, &m->from, err);
    if (rc == 0)
        rc = sp_m_mapped_types(m, err);
    if (rc != 0)
        sp_error_prefix(err, "source %s", sp_session_endpoint(m->source)->name);
    return rc;
}

static int look_at_target(struct sp_mctx *m, struct sp_error *err)
{
    int rc = 0;
    if (m->opt->target_ns != NULL)
        rc = sp_db_ns_use(m->target, m->opt->target_ns, err);
    if (rc == 0)
        rc = sp_db_introspect(m->target, m->opt->target_ns, &m->to, err);
    if (rc == 0)
        rc = ask_target(m, err);
    if (rc != 0)
        sp_error_prefix(err, "target %s", sp_session_endpoint(m->target)->name);
    return rc;
}

static int begin(struct sp_mctx *m, bool *snapshot, struct sp_error *err)
{
    int rc = look_at_source(m, snapshot, err);
    if (rc == 0)
        rc = look_at_target(m, err);
    return rc == 0 ? sp_m_plan(m, err) : rc;
}

static int copy(struct sp_mctx *m, bool *snapshot, struct sp_error *err)
{
    int rc = copy_tables(m, err);
    if (rc == 0)
        rc = set_sequences(m, err);
    if (rc == 0 && *snapshot) {
        *snapshot = false;
        rc = sp_db_snapshot_end(m->source, err);
        if (rc != 0)
            sp_error_prefix(err, "the source did not stay the same while it was copied");
    }
    return rc;
}

static int look_at_the_rest(struct sp_mctx *m, struct sp_error *err)
{
    int rc = sp_m_say_collations(m, err);
    if (rc == 0)
        rc = sp_m_other_objects(m, err);
    if (rc != 0)
        sp_error_prefix(err,
            "all tables are copied and stay on target %s, but what else belongs to them could not be seen to",
            sp_session_endpoint(m->target)->name);
    return rc;
}

int sp_migrate_bulk(struct sp_session *source, struct sp_session *target,
    const struct sp_migrate_options *opt, struct sp_emitter *em, struct sp_error *caller_err)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_mctx m = { .source = source, .target = target, .opt = opt, .em = em, .arena = SP_ARENA_INIT };
    double started = sp_m_now();
    bool snapshot = false;
    if (source == NULL || target == NULL || source == target)
        return sp_invalid(caller_err, "migrate needs two open sessions");
    m.same_kind = strcmp(sp_session_provider(source)->kind, sp_session_provider(target)->kind) == 0;
    m.own_words = m.same_kind && opt->mapping == NULL;
    /* Documents travel as they are stored whatever they are called; a table is made anew. */
    m.same_kind =
        m.same_kind && (opt->mapping == NULL || sp_session_provider(target)->db->load_extra != NULL);
    int rc = begin(&m, &snapshot, &err);
    if (rc == 0 && opt->dry_run) {
        rc = sp_m_say_plan(&m, &err);
    } else if (rc == 0) {
        rc = copy(&m, &snapshot, &err);
        if (rc != 0)
            fail_and_undo(&m, &err);
        else
            rc = look_at_the_rest(&m, &err);
    }
    if (snapshot)
        (void)sp_db_snapshot_end(source, NULL);
    say_end(&m,
        rc != 0        ? "failed"
        : opt->dry_run ? "planned"
                       : "copied",
        sp_m_now() - started, rc != 0 ? sp_error_text(&err) : NULL);
    if (rc != 0 && caller_err != NULL)
        sp_error_move(caller_err, &err);
    sp_error_clear(&err);
    sp_schema_free(m.from);
    sp_schema_free(m.to);
    sp_arena_free(&m.arena);
    return rc;
}
