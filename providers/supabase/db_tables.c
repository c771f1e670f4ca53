/* db_tables.c -- what is known of tables: from the database itself, and what PostgREST has understood of it meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "provider_call.h"
#include "providers/supabase/internal.h"

#define WAIT_MS 15000 /* for PostgREST to read the schema anew */
#define LOOK_MS 15

/* The server's own short name of a type, from its long one: what other clients of the same server call it. */
static const char *native_name(struct sp_arena *a, const char *full)
{
    static const char *const longer[][2] = { { "time with time zone", "timetz" }, { "bit varying", "varbit" },
        { "\"char\"", "char" } };
    char name[128];
    const char *dot = strrchr(full, '.');
    if (dot != NULL)
        full = dot + 1;
    bool list = sp_str_suffix(full, "[]");
    (void)sp_strlcpy(name, full, sizeof name);
    name[strcspn(name, "[")] = '\0';
    name[strcspn(name, "(")] = '\0';
    for (size_t i = 0; i < SP_LEN(longer); i++)
        if (strcmp(name, longer[i][0]) == 0)
            (void)sp_strlcpy(name, longer[i][1], sizeof name);
    return sp_arena_printf(a, "%s%s", list ? "_" : "", name);
}

void sd_tables_forget(struct sp_session *s)
{
    sp_schema_free(s->db.known);
    s->db.known = NULL;
    sp_names_free(&s->db.whole);
    s->db.whole = (struct sp_names){ .arena = SP_ARENA_INIT };
}

static int describe(struct sp_session *s, const struct sp_table *t, struct sp_error *err)
{
    struct sp_arena *a = &s->db.table_arena;
    sp_arena_reset(a);
    struct sd_column *c = sp_arena_array(a, t->ncolumns + 1, sizeof *c);
    if (c == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < t->ncolumns; i++) {
        enum sp_tag tag = t->columns[i].type.tag;
        const char *native = t->columns[i].native_type;
        c[i] = (struct sd_column){ .name = t->columns[i].name,
            .type = t->columns[i].type,
            .as_text = tag == SP_JSON || tag == SP_NATIVE ||
                       (tag == SP_ARRAY && t->columns[i].type.elem == SP_JSON) };
        c[i].has_default =
            t->columns[i].default_expr != NULL || t->columns[i].identity || t->columns[i].generated != NULL;
        c[i].native = native != NULL ? native_name(a, native) : NULL;
        if (native != NULL && c[i].native == NULL)
            return sp_nomem(err);
    }
    s->db.table = (struct sd_table){ t->name, c, t->ncolumns, t->pk, t->npk };
    return 0;
}

int sd_table(
    struct sp_session *s, const char *ns, const char *name, const struct sd_table **out, struct sp_error *err)
{
    const char *schema = sd_ns(s, ns);
    const struct sp_table *t = NULL;
    int ret = sd_no_sql(s, err);
    if (ret != 0)
        return ret;
    if (s->db.known != NULL && strcmp(s->db.known_ns, schema) == 0)
        t = sp_schema_table(s->db.known, name);
    if (t == NULL) {
        sd_tables_forget(s);
        ret = sp_db_introspect(s->db.sql, schema, &s->db.known, err);
        if (ret == 0 && !sp_strlcpy(s->db.known_ns, schema, sizeof s->db.known_ns))
            ret = sp_invalid(err, "schema \"%s\": the name is too long", schema);
        if (ret != 0)
            return ret;
        t = sp_schema_table(s->db.known, name);
    }
    if (t == NULL)
        return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no table \"%s\" in schema \"%s\" (%s)", name,
            schema, sp_http_where(s->db.http));
    ret = describe(s, t, err);
    *out = &s->db.table;
    return ret;
}

const struct sd_column *sd_column(const struct sd_table *t, const char *name, struct sp_error *err)
{
    for (size_t i = 0; i < t->ncolumns; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return &t->columns[i];
    (void)sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "no such column: %s.%s", t->name, name);
    return NULL;
}

/* --- what PostgREST knows ------------------------------------------------------------------------------------------ */

/* Walks through its description of itself: definitions -> table -> properties -> column. */
struct walk {
    const struct sp_table *want;
    bool definitions, here, properties, format, found, other;
    size_t column;
};

static bool is(const char *p, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(p, word, n) == 0;
}

/* "timestamp(3) with time zone" is "timestamp with time zone" there. Names of types in other schemas, and of domains, are
 * spelled in more than one way: those are not compared. */
static bool same_type(const struct sp_column *c, const char *p, size_t n)
{
    char text[128];
    size_t k = 0;
    const char *full = c->native_type;
    if (full == NULL || c->type.tag == SP_NATIVE || strpbrk(full, ".\"") != NULL)
        return true;
    for (bool skip = false; *full != '\0' && k + 1 < sizeof text; full++) {
        skip = skip || *full == '(';
        if (!skip)
            text[k++] = *full;
        skip = skip && *full != ')';
    }
    return k == n && memcmp(text, p, n) == 0;
}

static void next_column(struct walk *w, const char *p, size_t n)
{
    if (w->column >= w->want->ncolumns || !is(p, n, w->want->columns[w->column].name))
        w->other = true;
    w->column++;
}

static int step(void *payload, enum sp_json_token t, size_t depth, const char *p, size_t n)
{
    struct walk *w = payload;
    if (t == SP_JT_STRING && depth == 5 && w->format && w->column <= w->want->ncolumns && w->column > 0 &&
        !same_type(&w->want->columns[w->column - 1], p, n))
        w->other = true;
    w->format = false;
    if (t != SP_JT_NAME)
        return 0;
    if (depth == 1) {
        w->definitions = is(p, n, "definitions");
        w->here = w->properties = false;
    } else if (depth == 2) {
        w->here = w->definitions && is(p, n, w->want->name);
        w->found = w->found || w->here;
        w->properties = false;
    } else if (depth == 3) {
        w->properties = w->here && is(p, n, "properties");
    } else if (depth == 4 && w->properties) {
        next_column(w, p, n);
    } else if (depth == 5) {
        w->format = w->properties && is(p, n, "format");
    }
    return 0;
}

static int look(struct sp_session *s, struct walk *w, struct sp_error *err)
{
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    struct sd_request q = { .method = "GET", .target = "/", .ns = sd_ns(s, NULL) };
    w->definitions = w->here = w->properties = w->found = w->other = false;
    w->column = 0;
    int ret = sd_send(s, &q, &r, err);
    if (ret == 0 && sp_json_read(r.body.p, r.body.n, step, w, err) != 0)
        ret = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the answer of %s is not what PostgREST gives",
            sp_http_where(s->db.http));
    sp_http_response_free(&r);
    return ret;
}

static int too_long(struct sp_session *s, const char *table, struct sp_error *err)
{
    return sp_fail(err, SP_E_TIMEOUT, SP_ORIGIN_BACKEND,
        "%s does not show the change of table %s after %d s: is db_url the database behind it, and may the "
        "key's role %s use "
        "the table?",
        sp_http_where(s->db.http), table, WAIT_MS / 1000, s->db.role);
}

static void pause_a_little(void)
{
    struct timespec pause = { 0, LOOK_MS * 1000000L };
    (void)nanosleep(&pause, NULL);
}

int sd_table_wait(struct sp_session *s, const char *table, struct sp_error *err)
{
    const struct sd_table *t; /* reads the schema anew */
    struct walk w = { .want = NULL };
    sd_tables_forget(s);
    int ret = sd_table(s, NULL, table, &t, err);
    if (ret == 0)
        w.want = sp_schema_table(s->db.known, table);
    for (int waited = 0; ret == 0; waited += LOOK_MS) {
        ret = look(s, &w, err);
        if (ret != 0 || (w.found && !w.other && w.column == w.want->ncolumns))
            break;
        if (waited >= WAIT_MS)
            return too_long(s, table, err);
        pause_a_little();
    }
    return ret;
}

/* Its description of itself asks the database which tables there are; what it remembers shows in how it refuses to write a
 * column that no table has, which never reaches the database: either the column is unknown, or the table. */
int sd_table_wait_gone(struct sp_session *s, const char *table, struct sp_error *err)
{
    struct sp_buf url = SP_BUF_INIT, none = SP_BUF_INIT;
    (void)sd_put_path(&url, table);
    sp_buf_puts(&url, "columns=switchproof_asks");
    sp_buf_puts(&none, "[]");
    struct sd_request q = { .method = "POST", .target = url.p, .ns = sd_ns(s, NULL), .body = &none };
    int ret = url.oom || none.oom ? sp_nomem(err) : 0;
    for (int waited = 0; ret == 0; waited += LOOK_MS) {
        struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
        struct sp_error e = SP_ERROR_INIT;
        int rc = sd_send(s, &q, &r, &e);
        bool gone = rc == -SP_E_NOT_FOUND && strcmp(e.native, "42P01") != 0;
        sp_http_response_free(&r);
        if (rc != 0 && rc != -SP_E_NOT_FOUND && rc != -SP_E_INVALID) {
            ret = rc;
            if (err != NULL)
                sp_error_move(err, &e);
        }
        sp_error_clear(&e);
        if (gone)
            break;
        if (waited >= WAIT_MS)
            ret = too_long(s, table, err);
        pause_a_little();
    }
    sp_buf_free(&url);
    sp_buf_free(&none);
    return ret;
}

int sd_ask(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    return sp_session_provider(s->db.sql)->db->exec(s->db.sql, op, out, err);
}

/* `sql` counts 1 if the key's role sees all rows of a table; whose owner, with forced policies, counts as anybody. */
static int rows_whole(
    struct sp_session *s, const char *sql, const char *ns, const char *table, struct sp_error *err)
{
    struct sp_value v[] = { sp_v_text(sd_ns(s, ns)), sp_v_text(table), sp_v_text(s->db.role) };
    struct sp_op op = { .kind = SP_OP_RAW, .raw = sql, .values = v, .nfields = 3 };
    struct sp_result r = SP_RESULT_INIT;
    int ret = sd_ask(s, &op, &r, err);
    if (ret == 0 && (r.nrows != 1 || r.values[0].tag != SP_INT || r.values[0].u.i != 1))
        ret = sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND,
            "%s: row security may hide rows of %s from the role %s of this key; a key of a role that "
            "bypasses it sees all",
            sp_http_where(s->db.http), table, s->db.role[0] != '\0' ? s->db.role : "(unknown)");
    sp_result_free(&r);
    return ret;
}

int sd_rows_whole(struct sp_session *s, const char *ns, const char *table, struct sp_error *err)
{
    /* A role that is not there hides everything. */
    static const char sql[] =
        "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_roles r ON r.rolname = $3 WHERE n.nspname = $1 AND c.relname = $2 AND "
        "(NOT c.relrowsecurity OR r.rolbypassrls OR r.rolsuper) AND has_table_privilege(r.oid, c.oid, "
        "'SELECT')";
    return rows_whole(s, sql, ns, table, err);
}

int sd_read_whole(struct sp_session *s, const char *table, struct sp_error *err)
{
    /* What the role may not read at all PostgREST refuses by itself. */
    static const char sql[] =
        "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = $1 AND c.relname = $2 AND (NOT c.relrowsecurity OR EXISTS (SELECT FROM "
        "pg_catalog.pg_roles r WHERE r.rolname = $3 AND (r.rolbypassrls OR r.rolsuper)))";
    struct sp_names *l = &s->db.whole;
    if (s->db.acting)
        return 0;
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i], table) == 0)
            return 0;
    int ret = rows_whole(s, sql, NULL, table, err);
    return ret == 0 && sp_names_add(l, table) != 0 ? sp_nomem(err) : ret;
}

int sd_floats_whole(struct sp_session *s, struct sp_error *err)
{
    /* Of the server, this database, and the two roles that a request runs as. */
    static const char sql[] =
        "SELECT count(*) FROM (SELECT reset_val FROM pg_catalog.pg_settings WHERE name = "
        "'extra_float_digits' UNION ALL SELECT split_part(x, '=', 2) FROM pg_catalog.pg_db_role_setting d "
        "LEFT JOIN pg_catalog.pg_roles r ON r.oid = d.setrole, unnest(d.setconfig) x WHERE "
        "split_part(x, '=', 1) = 'extra_float_digits' AND d.setdatabase IN (0, (SELECT b.oid FROM "
        "pg_catalog.pg_database b WHERE b.datname = current_database())) AND (d.setrole = 0 OR r.rolname IN "
        "('authenticator', $1))) v(digits) WHERE digits::int < 1";
    struct sp_value v = sp_v_text(s->db.role);
    struct sp_op op = { .kind = SP_OP_RAW, .raw = sql, .values = &v, .nfields = 1 };
    struct sp_result r = SP_RESULT_INIT;
    int ret = sd_ask(s, &op, &r, err);
    if (ret == 0 && (r.nrows != 1 || r.values[0].tag != SP_INT || r.values[0].u.i != 0))
        ret = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "%s: extra_float_digits is set below 1 on the server, for the database, or for a role: "
            "floating-point "
            "numbers come rounded over REST",
            sp_http_where(s->db.http));
    sp_result_free(&r);
    return ret;
}
