/* db_ns.c -- what REST has no words for goes to the database itself, and is then shown to PostgREST: a schema by its entry in
 * pgrst.db_schemas, a table by having the schema read anew. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "provider_call.h"
#include "providers/supabase/internal.h"

#define WAIT_MS  30000
#define AGAIN_MS 3000 /* a notice that came while PostgREST read everything anew may be lost */
#define LOOK_MS  15
#define MARK     "switchproof namespace" /* as the provider of db_url marks those that it makes */

static int sql(struct sp_session *s, const char *text, struct sp_error *err)
{
    struct sp_op op = { .kind = SP_OP_RAW, .raw = text };
    return sp_db_exec(s->db.sql, &op, NULL, err);
}

static int notify(struct sp_session *s, const char *what, struct sp_error *err)
{
    char text[64];
    (void)snprintf(text, sizeof text, "NOTIFY pgrst, 'reload %s'", what);
    return sql(s, text, err);
}

/* Names of schemas from outside, inside a literal. */
static void put_literal(struct sp_buf *b, const char *text)
{
    sp_buf_putc(b, '\'');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'')
            sp_buf_putc(b, '\'');
        sp_buf_putc(b, *p);
    }
    sp_buf_putc(b, '\'');
}

/* The schemas that PostgREST shows: it names them when it is asked for another one. */
static int shown(struct sp_session *s, struct sp_buf *out, struct sp_error *err)
{
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    struct sd_request q = { .method = "GET", .target = "/", .ns = "switchproof asks for no schema" };
    static const char *const members[] = { "hint", "message" };
    char text[4096];
    const char *from = NULL;
    int ret = sd_send(s, &q, &r, err);
    for (size_t i = 0; ret != 0 && r.status == 406 && from == NULL && i < SP_LEN(members); i++) {
        (void)sp_json_member(r.body.p != NULL ? r.body.p : "", r.body.n, members[i], text, sizeof text);
        from = strstr(text, ": ");
        if (from != NULL && sp_str_prefix(text, "Invalid schema"))
            from = NULL;
    }
    if (from != NULL) {
        if (err != NULL)
            sp_error_clear(err);
        ret = sp_buf_puts(out, from + 2) != 0 ? sp_nomem(err) : 0;
    } else if (ret == 0) {
        ret = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the answer of %s is not what PostgREST gives",
            sp_http_where(s->db.http));
    } else if (r.status == 406) {
        ret = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "%s does not say which schemas it shows",
            sp_http_where(s->db.http));
    }
    sp_http_response_free(&r);
    return ret;
}

/* The list stands at the role that PostgREST signs in with, as Supabase documents it. A blank at its beginning, which
 * PostgREST passes over, says that it stands there because of us: then it goes with the last of our schemas. */
static int show(struct sp_session *s, const char *ns, const char *base, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_puts(&b, "DO $sp$ DECLARE now text; ns text := ");
    put_literal(&b, ns);
    sp_buf_puts(&b, "; base text := ");
    put_literal(&b, base);
    sp_buf_puts(&b,
        "; BEGIN PERFORM pg_advisory_xact_lock(6024872301); "
        "SELECT substr(x, 18) INTO now FROM pg_db_role_setting, unnest(setconfig) x WHERE setrole = "
        "'authenticator'::regrole AND setdatabase = 0 AND x LIKE 'pgrst.db\\_schemas=%'; "
        "now := coalesce(nullif(now, ''), ' ' || base); "
        "IF NOT ns = ANY (string_to_array(replace(now, ' ', ''), ',')) THEN "
        "EXECUTE format('ALTER ROLE authenticator SET pgrst.db_schemas = %L', now || ', ' || ns); END IF; "
        "EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', ns, ");
    put_literal(&b, s->db.role);
    sp_buf_puts(
        &b, "); EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT ALL ON TABLES TO %I', ns, ");
    put_literal(&b, s->db.role);
    sp_buf_puts(
        &b, "); EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT ALL ON SEQUENCES TO %I', ns, ");
    put_literal(&b, s->db.role);
    sp_buf_puts(&b, "); END $sp$");
    int ret = b.oom ? sp_nomem(err) : sql(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}

static int hide(struct sp_session *s, const char *ns, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_puts(&b, "DO $sp$ DECLARE now text; rest text; ns text := ");
    put_literal(&b, ns);
    sp_buf_puts(&b,
        "; BEGIN PERFORM pg_advisory_xact_lock(6024872301); "
        "SELECT substr(x, 18) INTO now FROM pg_db_role_setting, unnest(setconfig) x WHERE setrole = "
        "'authenticator'::regrole AND setdatabase = 0 AND x LIKE 'pgrst.db\\_schemas=%'; "
        "IF now IS NULL OR NOT ns = ANY (string_to_array(replace(now, ' ', ''), ',')) THEN RETURN; END IF; "
        "SELECT string_agg(e, ', ' ORDER BY i) INTO rest FROM unnest(string_to_array(replace(now, ' ', ''), "
        "',')) "
        "WITH ORDINALITY u(e, i) WHERE e <> ns; "
        "IF now LIKE ' %' AND NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname <> ns AND "
        "obj_description(n.oid, 'pg_namespace') = '" MARK
        "' AND n.nspname = ANY (string_to_array(replace(now, ' ', ''), "
        "','))) THEN EXECUTE 'ALTER ROLE authenticator RESET pgrst.db_schemas'; "
        "ELSE EXECUTE format('ALTER ROLE authenticator SET pgrst.db_schemas = %L', "
        "CASE WHEN now LIKE ' %' THEN ' ' ELSE '' END || rest); END IF; END $sp$");
    int ret = b.oom ? sp_nomem(err) : sql(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}

static int announce(struct sp_session *s, const char *ns, const char *base, struct sp_error *err)
{
    int ret = show(s, ns, base, err);
    if (ret == 0)
        ret = notify(s, "config", err);
    return ret != 0 ? ret : notify(s, "schema", err);
}

/* Until it answers for the schema. */
static int wait_shown(struct sp_session *s, const char *ns, const char *base, struct sp_error *err)
{
    struct sd_request q = { .method = "HEAD", .target = "/", .ns = ns };
    for (int waited = 0;; waited += LOOK_MS) {
        struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
        struct sp_error e = SP_ERROR_INIT;
        int ret = waited % AGAIN_MS == 0 ? announce(s, ns, base, err) : 0;
        if (ret != 0)
            return ret;
        ret = sd_send(s, &q, &r, &e);
        bool not_yet = ret != 0 && r.status == 406;
        sp_http_response_free(&r);
        if (ret != 0 && !not_yet) {
            sp_error_move(err != NULL ? err : &e, &e);
            return ret;
        }
        sp_error_clear(&e);
        if (!not_yet)
            return 0;
        if (waited >= WAIT_MS)
            return sp_fail(err, SP_E_TIMEOUT, SP_ORIGIN_BACKEND,
                "%s does not show the schema %s after %d s: is db_url the database behind it, and does it "
                "read its "
                "configuration from there (db-config)?",
                sp_http_where(s->db.http), ns, WAIT_MS / 1000);
        struct timespec pause = { 0, LOOK_MS * 1000000L };
        (void)nanosleep(&pause, NULL);
    }
}

/* What fails behind the change itself leaves it done. */
static int done(int ret, struct sp_error *err)
{
    if (ret != 0 && err != NULL)
        err->effect = SP_EFFECT_APPLIED;
    return ret;
}

int sd_introspect(struct sp_session *s, const char *ns, struct sp_schema **out, struct sp_error *err)
{
    int ret = sd_no_sql(s, err);
    return ret != 0 ? ret : sp_db_introspect(s->db.sql, ns, out, err);
}

int sd_ns_create(struct sp_session *s, const char *ns, struct sp_error *err)
{
    struct sp_buf base = SP_BUF_INIT;
    sd_begin(s);
    int ret = sd_no_sql(s, err);
    if (ret == 0)
        ret = shown(s, &base, err);
    if (ret == 0)
        ret = sp_db_ns_create(s->db.sql, ns, err);
    if (ret == 0) {
        ret = wait_shown(s, ns, base.p, err);
        if (ret != 0) {
            (void)hide(s, ns, NULL);
            (void)sp_db_ns_drop(s->db.sql, ns, NULL);
        }
    }
    sp_buf_free(&base);
    return ret;
}

int sd_ns_use(struct sp_session *s, const char *ns, struct sp_error *err)
{
    sd_begin(s);
    int ret = sd_no_sql(s, err);
    if (ret == 0)
        ret = sp_db_ns_use(s->db.sql, ns, err);
    if (ret == 0)
        (void)sp_strlcpy(s->db.ns, ns != NULL ? ns : "", sizeof s->db.ns);
    sd_tables_forget(s);
    return ret;
}

int sd_ns_drop(struct sp_session *s, const char *ns, struct sp_error *err)
{
    sd_begin(s);
    int ret = sd_no_sql(s, err);
    if (ret == 0)
        ret = hide(s, ns, err);
    if (ret == 0)
        ret = notify(s, "config", err);
    if (ret == 0)
        ret = sp_db_ns_drop(s->db.sql, ns, err);
    if (ret == 0)
        ret = notify(s, "schema", err);
    sd_tables_forget(s);
    return ret;
}

int sd_ns_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    int ret = sd_no_sql(s, err);
    return ret != 0 ? ret : sp_db_ns_list(s->db.sql, prefix, out, err);
}

int sd_table_create(struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    sd_begin(s);
    sd_tables_forget(s);
    int ret = sd_no_sql(s, err);
    if (ret == 0)
        ret = sp_db_table_create(s->db.sql, t, with_extras, err);
    if (ret != 0)
        return ret;
    ret = notify(s, "schema", err);
    return done(ret != 0 ? ret : sd_table_wait(s, t->name, err), err);
}

int sd_table_finish(struct sp_session *s, const struct sp_table *t, struct sp_error *err)
{
    int ret = sd_no_sql(s, err);
    sd_tables_forget(s);
    if (ret == 0)
        ret = sp_db_table_finish(s->db.sql, t, err);
    return ret != 0 ? ret : done(notify(s, "schema", err), err);
}

int sd_table_drop(struct sp_session *s, const char *table, struct sp_error *err)
{
    sd_begin(s);
    sd_tables_forget(s);
    int ret = sd_no_sql(s, err);
    if (ret == 0)
        ret = sp_db_table_drop(s->db.sql, table, err);
    if (ret != 0)
        return ret;
    ret = notify(s, "schema", err);
    return done(ret != 0 ? ret : sd_table_wait_gone(s, table, err), err);
}

int sd_sequence_set(struct sp_session *s, const struct sp_sequence *q, struct sp_error *err)
{
    int ret = sd_no_sql(s, err);
    return ret != 0 ? ret : sp_db_sequence_set(s->db.sql, q, err);
}
