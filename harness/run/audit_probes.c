/* audit_probes.c -- one call per capability that is a call, with arguments that a backend which offers it takes. */
#include "run/audit.h"

static const struct sp_column probe_columns[] = {
    { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "t", .type = { .tag = SP_TEXT } },
};
static const char *const key[] = { "id" };
static const char *const both[] = { "id", "t" };

/* ---- database ---- */

static const char *table_name(const struct sp_audit *a)
{
    return a->table != NULL ? a->table : a->name;
}

static int introspect(struct sp_audit *a, struct sp_error *err)
{
    struct sp_schema *schema = NULL;
    int rc = sp_db_introspect(a->s, NULL, &schema, err);
    sp_schema_free(schema);
    return rc;
}

static int ns_create(struct sp_audit *a, struct sp_error *err)
{
    int rc = sp_db_ns_create(a->s, a->name, err);
    if (rc == 0)
        (void)sp_db_ns_drop(a->s, a->name, NULL);
    return rc;
}

static int table_create(struct sp_audit *a, struct sp_error *err)
{
    struct sp_table t = { .name = a->name, .columns = probe_columns, .ncolumns = 2, .pk = key, .npk = 1 };
    int rc = sp_db_table_create(a->s, &t, true, err);
    if (rc == 0)
        (void)sp_db_table_drop(a->s, a->name, NULL);
    return rc;
}

static int exec_row(struct sp_audit *a, enum sp_op_kind kind, bool returning, struct sp_error *err)
{
    const struct sp_value row[] = { sp_v_int(1), sp_v_text("audit") };
    struct sp_op op = { .kind = kind,
        .query = { .table = table_name(a), .limit = SP_NO_LIMIT },
        .fields = both,
        .nfields = 2,
        .values = row,
        .nrows = 1,
        .key = kind == SP_OP_UPSERT ? key : NULL,
        .nkey = kind == SP_OP_UPSERT ? 1 : 0,
        .returning = returning };
    struct sp_result r = SP_RESULT_INIT;
    int rc = sp_db_exec(a->s, &op, &r, err);
    sp_result_free(&r);
    return rc;
}

static int crud(struct sp_audit *a, struct sp_error *err)
{
    return exec_row(a, SP_OP_CREATE, false, err);
}

static int returning(struct sp_audit *a, struct sp_error *err)
{
    return exec_row(a, SP_OP_CREATE, true, err);
}

static int upsert(struct sp_audit *a, struct sp_error *err)
{
    return exec_row(a, SP_OP_UPSERT, false, err);
}

static int raw_query(struct sp_audit *a, struct sp_error *err)
{
    struct sp_op op = { .kind = SP_OP_RAW, .raw = "SELECT 1" };
    return sp_db_exec(a->s, &op, NULL, err);
}

static int prepare(struct sp_audit *a, struct sp_error *err)
{
    struct sp_op op = { .kind = SP_OP_READ, .query = { .table = table_name(a), .limit = 1 } };
    struct sp_prepared *p = NULL;
    int rc = sp_db_prepare(a->s, &op, &p, err);
    sp_db_finalize(a->s, p);
    return rc;
}

static int begin_with(struct sp_audit *a, struct sp_txn_opts opts, struct sp_error *err)
{
    int rc = sp_db_begin(a->s, &opts, err);
    if (rc == 0)
        (void)sp_db_rollback(a->s, NULL);
    return rc;
}

static int begin(struct sp_audit *a, struct sp_error *err)
{
    return begin_with(a, (struct sp_txn_opts){ .isolation = SP_ISO_DEFAULT }, err);
}

static int repeatable(struct sp_audit *a, struct sp_error *err)
{
    return begin_with(a, (struct sp_txn_opts){ .isolation = SP_ISO_REPEATABLE }, err);
}

static int serializable(struct sp_audit *a, struct sp_error *err)
{
    return begin_with(a, (struct sp_txn_opts){ .isolation = SP_ISO_SERIALIZABLE }, err);
}

static int read_only(struct sp_audit *a, struct sp_error *err)
{
    return begin_with(a, (struct sp_txn_opts){ .isolation = SP_ISO_DEFAULT, .read_only = true }, err);
}

static int savepoint(struct sp_audit *a, struct sp_error *err)
{
    int rc = sp_db_begin(a->s, NULL, err);
    if (rc != 0)
        return rc;
    rc = sp_db_savepoint(a->s, "audit", err);
    (void)sp_db_rollback(a->s, NULL);
    return rc;
}

static int snapshot(struct sp_audit *a, struct sp_error *err)
{
    int rc = sp_db_snapshot_begin(a->s, NULL, err);
    if (rc == 0)
        (void)sp_db_snapshot_end(a->s, NULL);
    return rc;
}

static int snapshot_join(struct sp_audit *a, struct sp_error *err)
{
    return sp_db_snapshot_join(a->s, "switchproof-audit", err); /* no word of anybody */
}

static int split(struct sp_audit *a, struct sp_error *err)
{
    struct sp_names bounds = { SP_ARENA_INIT, NULL, 0, 0 };
    int rc = sp_db_split(a->s, NULL, table_name(a), 4, &bounds, err);
    sp_names_free(&bounds);
    return rc;
}

static int scan(struct sp_audit *a, struct sp_error *err)
{
    return sp_db_scan(a->s, NULL, NULL, err);
}

static int load(struct sp_audit *a, struct sp_error *err)
{
    struct sp_load *l = NULL;
    int rc = sp_db_load_open(a->s, table_name(a), both, 2, &l, err);
    if (rc == 0)
        (void)sp_db_load_close(a->s, l, false, NULL, NULL);
    return rc;
}

static int sequence_set(struct sp_audit *a, struct sp_error *err)
{
    struct sp_sequence q = {
        .name = a->name, .table = table_name(a), .column = "id", .next = 1, .increment = 1
    };
    return sp_db_sequence_set(a->s, &q, err);
}

static int role_create(struct sp_audit *a, struct sp_error *err)
{
    int rc = sp_db_role_create(a->s, a->name, "audit-Passw0rd-of-no-one", err);
    if (rc == 0)
        (void)sp_db_role_drop(a->s, a->name, NULL);
    return rc;
}

static int role_password(struct sp_audit *a, struct sp_error *err)
{
    return sp_db_role_change(
        a->s, a->name, &(struct sp_role_change){ .password = "audit-Passw0rd-of-no-one" }, err);
}

static int role_lock(struct sp_audit *a, struct sp_error *err)
{
    return sp_db_role_change(a->s, a->name, &(struct sp_role_change){ .sign_in = SP_OFF }, err);
}

static int role_expiry(struct sp_audit *a, struct sp_error *err)
{
    const struct sp_ts long_ago = { 0, 0 };
    return sp_db_role_change(a->s, a->name, &(struct sp_role_change){ .password_until = &long_ago }, err);
}

static int column_grants(struct sp_audit *a, struct sp_error *err)
{
    return sp_db_grant(a->s,
        &(struct sp_grant){ .role = a->name,
            .table = table_name(a),
            .columns = key,
            .ncolumns = 1,
            .privileges = SP_PRIV_SELECT },
        err);
}

static int role_act(struct sp_audit *a, struct sp_error *err)
{
    int rc = sp_db_role_act(a->s, a->name, err);
    if (rc == 0)
        (void)sp_db_role_act(a->s, NULL, NULL);
    return rc;
}

static int row_security(struct sp_audit *a, struct sp_error *err)
{
    int rc = sp_db_row_security(a->s, table_name(a), "t", err);
    if (rc == 0)
        (void)sp_db_row_security(a->s, table_name(a), NULL, NULL);
    return rc;
}

static int act_for(struct sp_audit *a, struct sp_error *err)
{
    const struct sp_actor nobody = { .role = NULL };
    int rc = sp_db_act_for(a->s, &nobody, err);
    if (rc == 0)
        (void)sp_db_act_for(a->s, NULL, NULL);
    return rc;
}

static int actor_token(struct sp_audit *a, struct sp_error *err)
{
    const struct sp_actor somebody = { .user = a->name };
    const char *token;
    return sp_db_actor_token(a->s, &a->ctx->arena, &somebody, 0, 1, &token, err);
}

static int row_rules(struct sp_audit *a, struct sp_error *err)
{
    int rc = sp_db_row_rules(a->s, table_name(a), &(struct sp_row_rules){ .owner = "t" }, err);
    if (rc == 0)
        (void)sp_db_row_rules(a->s, table_name(a), NULL, NULL);
    return rc;
}

/* ---- identity ---- */

#define NOBODY "audit.no.such.token"

static int sign_up(struct sp_audit *a, struct sp_error *err)
{
    return sp_auth_sign_up(a->s, &a->ctx->arena, a->email, "audit-Passw0rd", "Audit", NULL, NULL, err);
}

static int sign_in(struct sp_audit *a, struct sp_error *err)
{
    return sp_auth_sign_in(a->s, &a->ctx->arena, a->email, "audit-Passw0rd", NULL, NULL, err);
}

static int refresh(struct sp_audit *a, struct sp_error *err)
{
    struct sp_tokens t;
    return sp_auth_refresh(a->s, &a->ctx->arena, NOBODY, &t, err);
}

static int sign_out(struct sp_audit *a, struct sp_error *err)
{
    return sp_auth_sign_out(a->s, NOBODY, err);
}

static int user_get(struct sp_audit *a, struct sp_error *err)
{
    struct sp_user u;
    return sp_auth_user_get(a->s, &a->ctx->arena, NOBODY, &u, err);
}

static int email_change(struct sp_audit *a, struct sp_error *err)
{
    struct sp_user u;
    const struct sp_user_change change = { .email = "audit@example.org" };
    return sp_auth_user_update(a->s, &a->ctx->arena, NOBODY, &change, &u, err);
}
static int user_update(struct sp_audit *a, struct sp_error *err)
{
    struct sp_user u;
    const struct sp_user_change change = { .name = "Audit" };
    return sp_auth_user_update(a->s, &a->ctx->arena, NOBODY, &change, &u, err);
}

static int user_delete(struct sp_audit *a, struct sp_error *err)
{
    return sp_auth_user_delete(a->s, NOBODY, err);
}

static int reset_request(struct sp_audit *a, struct sp_error *err)
{
    char code[128] = "";
    return sp_auth_reset_request(a->s, a->email, code, err);
}

static int claims_set(struct sp_audit *a, struct sp_error *err)
{
    return sp_auth_claims_set(a->s, NOBODY, "{}", err);
}

static int admin_list(struct sp_audit *a, struct sp_error *err)
{
    const char *cursor = NULL;
    struct sp_user *users = NULL;
    size_t n = 0;
    return sp_auth_admin_list(a->s, &a->ctx->arena, &cursor, 1, &users, &n, err);
}

static int admin_disable(struct sp_audit *a, struct sp_error *err)
{
    return sp_auth_admin_disable(a->s, NOBODY, true, err);
}

/* ---- storage ---- */

static const char *bucket_name(const struct sp_audit *a)
{
    return a->bucket != NULL ? a->bucket : "sp-audit";
}

static int bucket_create(struct sp_audit *a, struct sp_error *err)
{
    char name[64];
    size_t n = 0;
    for (const char *s = a->name; *s != '\0' && n + 1 < sizeof name; s++)
        name[n++] = *s == '_' ? '-' : *s;
    name[n] = '\0';
    int rc = sp_blob_bucket_create(a->s, name, err);
    if (rc == 0)
        (void)sp_blob_bucket_drop(a->s, name, NULL);
    return rc;
}

static int put_with(struct sp_audit *a, const struct sp_put_opts *opts, struct sp_error *err)
{
    return sp_blob_put(a->s, bucket_name(a), "audit", "audit", 5, opts, err);
}

static int put(struct sp_audit *a, struct sp_error *err)
{
    return put_with(a, NULL, err);
}

static int metadata(struct sp_audit *a, struct sp_error *err)
{
    static const struct sp_meta meta[] = { { "audit", "yes" } };
    return put_with(a, &(const struct sp_put_opts){ .meta = meta, .nmeta = 1 }, err);
}

static int content_type(struct sp_audit *a, struct sp_error *err)
{
    return put_with(a, &(const struct sp_put_opts){ .content_type = "text/x-audit" }, err);
}

static int if_none_match(struct sp_audit *a, struct sp_error *err)
{
    return put_with(a, &(const struct sp_put_opts){ .if_none_match = true }, err);
}

static int if_match(struct sp_audit *a, struct sp_error *err)
{
    return put_with(a, &(const struct sp_put_opts){ .if_match = "audit" }, err);
}

static int checksum(struct sp_audit *a, struct sp_error *err)
{
    static const char wrong[] = "0000000000000000000000000000000000000000000000000000000000000000";
    return put_with(a, &(const struct sp_put_opts){ .sha256_hex = wrong }, err);
}

static int get_range(struct sp_audit *a, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    int rc = sp_blob_get_range(a->s, bucket_name(a), "audit", 1, 1, &b, err);
    sp_buf_free(&b);
    return rc;
}

static int get(struct sp_audit *a, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    int rc = sp_blob_get(a->s, bucket_name(a), "audit", &b, err);
    sp_buf_free(&b);
    return rc;
}

static int head(struct sp_audit *a, struct sp_error *err)
{
    struct sp_object o;
    return sp_blob_head(a->s, &a->ctx->arena, bucket_name(a), "audit", &o, err);
}

static int list_with(struct sp_audit *a, const char *delimiter, struct sp_error *err)
{
    const char *cursor = NULL;
    struct sp_object *objects = NULL;
    size_t n = 0;
    return sp_blob_list(a->s, &a->ctx->arena, bucket_name(a), "", delimiter, &cursor, 10, &objects, &n, err);
}

static int list(struct sp_audit *a, struct sp_error *err)
{
    return list_with(a, NULL, err);
}

static int delimiter(struct sp_audit *a, struct sp_error *err)
{
    return list_with(a, "/", err);
}

static int delete_object(struct sp_audit *a, struct sp_error *err)
{
    return sp_blob_delete(a->s, bucket_name(a), "audit", err);
}

static int copy(struct sp_audit *a, struct sp_error *err)
{
    return sp_blob_copy(a->s, bucket_name(a), "audit", "audit-copy", err);
}

static int move(struct sp_audit *a, struct sp_error *err)
{
    return sp_blob_move(a->s, bucket_name(a), "audit", "audit-moved", err);
}

static int sign_put(struct sp_audit *a, struct sp_error *err)
{
    const char *url;
    return sp_blob_sign(a->s, &a->ctx->arena, bucket_name(a), "audit", "PUT", 60, &url, err);
}
static int sign(struct sp_audit *a, struct sp_error *err)
{
    const char *url = NULL;
    return sp_blob_sign(a->s, &a->ctx->arena, bucket_name(a), "audit", "GET", 60, &url, err);
}

static int multipart(struct sp_audit *a, struct sp_error *err)
{
    const char *id = NULL;
    int rc = sp_blob_upload_begin(a->s, &a->ctx->arena, bucket_name(a), "audit", NULL, &id, err);
    if (rc == 0)
        (void)sp_blob_upload_abort(a->s, id, NULL);
    return rc;
}

static int part_order(struct sp_audit *a, struct sp_error *err)
{
    const char *id = NULL;
    int rc = sp_blob_upload_begin(a->s, &a->ctx->arena, bucket_name(a), "audit", NULL, &id, err);
    if (rc != 0)
        return rc;
    rc = sp_blob_upload_part(a->s, id, 2, "audit", 5, err);
    (void)sp_blob_upload_abort(a->s, id, NULL);
    return rc;
}

#define W SP_PROBE_WRITES
const struct sp_probe sp_probes[] = {
    { SP_CAP_INTROSPECT, 0, introspect },
    { SP_CAP_NAMESPACES, W, ns_create },
    { SP_CAP_TABLES, W, table_create },
    { SP_CAP_CRUD, W, crud },
    { SP_CAP_RETURNING, W | SP_PROBE_TABLE, returning },
    { SP_CAP_UPSERT, W | SP_PROBE_TABLE, upsert },
    { SP_CAP_RAW_QUERY, W, raw_query },
    { SP_CAP_PREPARED, SP_PROBE_TABLE, prepare },
    { SP_CAP_TXN, 0, begin },
    { SP_CAP_ISO_REPEATABLE, SP_PROBE_TXN, repeatable },
    { SP_CAP_ISO_SERIALIZABLE, SP_PROBE_TXN, serializable },
    { SP_CAP_READ_ONLY_TXN, SP_PROBE_TXN, read_only },
    { SP_CAP_SAVEPOINTS, SP_PROBE_TXN, savepoint },
    { SP_CAP_SNAPSHOT, 0, snapshot },
    { SP_CAP_SNAPSHOT_JOIN, SP_PROBE_ABSENT, snapshot_join },
    { SP_CAP_SPLIT, SP_PROBE_TABLE, split },
    { SP_CAP_SCAN, SP_PROBE_ABSENT, scan },
    { SP_CAP_LOAD, W | SP_PROBE_TABLE, load },
    { SP_CAP_SEQUENCE_SET, W | SP_PROBE_TABLE, sequence_set },
    { SP_CAP_ROLES, W, role_create },
    { SP_CAP_ROLE_PASSWORD, W, role_password },
    { SP_CAP_ROLE_LOCK, W, role_lock },
    { SP_CAP_ROLE_EXPIRY, W, role_expiry },
    { SP_CAP_COLUMN_GRANTS, W | SP_PROBE_TABLE, column_grants },
    { SP_CAP_ROLE_ACT, W, role_act },
    { SP_CAP_ROW_SECURITY, W | SP_PROBE_TABLE, row_security },
    { SP_CAP_ACTORS, 0, act_for },
    { SP_CAP_ACTOR_TOKENS, 0, actor_token },
    { SP_CAP_ROW_RULES, W | SP_PROBE_TABLE, row_rules },
    { SP_CAP_SIGN_UP, W, sign_up },
    { SP_CAP_SIGN_IN, W, sign_in },
    { SP_CAP_REFRESH, W, refresh },
    { SP_CAP_SIGN_OUT, W, sign_out },
    { SP_CAP_USER_GET, 0, user_get },
    { SP_CAP_USER_UPDATE, W, user_update },
    { SP_CAP_EMAIL_CHANGE, W, email_change },
    { SP_CAP_USER_DELETE, W, user_delete },
    { SP_CAP_PASSWORD_RESET, W, reset_request },
    { SP_CAP_CLAIMS, W, claims_set },
    { SP_CAP_ADMIN, 0, admin_list },
    { SP_CAP_DISABLE, W, admin_disable },
    { SP_CAP_BUCKETS, W, bucket_create },
    { SP_CAP_PUT, W | SP_PROBE_BUCKET, put },
    { SP_CAP_GET, SP_PROBE_BUCKET, get },
    { SP_CAP_RANGE, SP_PROBE_BUCKET, get_range },
    { SP_CAP_HEAD, SP_PROBE_BUCKET, head },
    { SP_CAP_LIST, SP_PROBE_BUCKET, list },
    { SP_CAP_DELIMITER, SP_PROBE_BUCKET, delimiter },
    { SP_CAP_DELETE, W | SP_PROBE_BUCKET, delete_object },
    { SP_CAP_COPY, W | SP_PROBE_BUCKET, copy },
    { SP_CAP_MOVE, W | SP_PROBE_BUCKET, move },
    { SP_CAP_METADATA, W | SP_PROBE_BUCKET, metadata },
    { SP_CAP_CONTENT_TYPE, W | SP_PROBE_BUCKET, content_type },
    { SP_CAP_IF_NONE_MATCH, W | SP_PROBE_BUCKET, if_none_match },
    { SP_CAP_IF_MATCH, W | SP_PROBE_BUCKET, if_match },
    { SP_CAP_CHECKSUM, W | SP_PROBE_BUCKET, checksum },
    { SP_CAP_SIGNED_URL, SP_PROBE_BUCKET, sign },
    { SP_CAP_SIGNED_PUT, SP_PROBE_BUCKET, sign_put },
    { SP_CAP_MULTIPART, W | SP_PROBE_BUCKET, multipart },
    { SP_CAP_PART_ORDER, W | SP_PROBE_BUCKET, part_order },
};
const size_t sp_nprobes = SP_LEN(sp_probes);
