/* provider_call.h -- the checked way to call a provider: absent functions answer UNSUPPORTED, arguments are checked
 * once, a read-only session never reaches a writing function, and suites get short spellings of the common calls.
 * Same ownership and thread rules as provider.h. */
#ifndef SP_PROVIDER_CALL_H
#define SP_PROVIDER_CALL_H

#include "provider.h"

const struct sp_provider *sp_provider_by_kind(const struct sp_provider *const *list, const char *kind);
const struct sp_provider *sp_provider_by_url(const struct sp_provider *const *list, const char *url);

int sp_open(struct sp_session **, const struct sp_provider *, const struct sp_endpoint *, struct sp_error *);
void sp_close(struct sp_session *);
int sp_ping(struct sp_session *, struct sp_error *);
/* declared + effective; out has SP_CAP_N entries. */
int sp_effective(struct sp_session *, struct sp_cap *out, struct sp_facts *, struct sp_error *);

int sp_db_introspect(struct sp_session *, const char *ns, struct sp_schema **out, struct sp_error *);
int sp_db_ns_create(struct sp_session *, const char *ns, struct sp_error *);
int sp_db_ns_use(struct sp_session *, const char *ns, struct sp_error *);
int sp_db_ns_drop(struct sp_session *, const char *ns, struct sp_error *);
int sp_db_ns_list(struct sp_session *, const char *prefix, struct sp_names *out, struct sp_error *);
int sp_db_table_create(struct sp_session *, const struct sp_table *, bool with_extras, struct sp_error *);
int sp_db_table_finish(struct sp_session *, const struct sp_table *, struct sp_error *);
int sp_db_table_drop(struct sp_session *, const char *table, struct sp_error *);
int sp_db_exec(struct sp_session *, const struct sp_op *, struct sp_result *, struct sp_error *);
/* A raw query that only reads, in sessions that may not write, too: the provider vouches for it, or it is refused. */
int sp_db_read_raw(struct sp_session *, const char *raw, struct sp_result *, struct sp_error *);
int sp_db_prepare(struct sp_session *, const struct sp_op *, struct sp_prepared **, struct sp_error *);
int sp_db_execute(struct sp_session *, struct sp_prepared *, const struct sp_value *, size_t n,
    struct sp_result *, struct sp_error *);
void sp_db_finalize(struct sp_session *, struct sp_prepared *);
int sp_db_begin(
    struct sp_session *, const struct sp_txn_opts *, struct sp_error *); /* NULL opts = defaults */
int sp_db_commit(struct sp_session *, struct sp_error *);
int sp_db_rollback(struct sp_session *, struct sp_error *);
int sp_db_savepoint(struct sp_session *, const char *name, struct sp_error *);
int sp_db_savepoint_rollback(struct sp_session *, const char *name, struct sp_error *);
int sp_db_savepoint_release(struct sp_session *, const char *name, struct sp_error *);
int sp_db_snapshot_begin(struct sp_session *, char id[64], struct sp_error *);
int sp_db_snapshot_end(struct sp_session *, struct sp_error *);
int sp_db_snapshot_share(struct sp_session *, char word[SP_SNAPSHOT_WORD], struct sp_error *);
int sp_db_snapshot_join(struct sp_session *, const char *word, struct sp_error *);
int sp_db_burden(struct sp_session *, struct sp_session *const *readers, size_t nreaders, struct sp_burden *,
    struct sp_error *);
int sp_db_volume(
    struct sp_session *, const char *ns, const char *table, struct sp_volume *, struct sp_error *);
int sp_db_split(struct sp_session *, const char *ns, const char *table, size_t parts, struct sp_names *bounds,
    struct sp_error *);
int sp_db_scan(struct sp_session *, const struct sp_scan *, struct sp_rowbuf *, struct sp_error *);
int sp_db_load_open(struct sp_session *, const char *table, const char *const *columns, size_t ncolumns,
    struct sp_load **, struct sp_error *);
int sp_db_load_row(struct sp_session *, struct sp_load *, const struct sp_value *, struct sp_error *);
int sp_db_load_extra(
    struct sp_session *, struct sp_load *, const char *name, const struct sp_value *, struct sp_error *);
int sp_db_load_close(struct sp_session *, struct sp_load *, bool commit, uint64_t *loaded, struct sp_error *);
int sp_db_sequence_set(struct sp_session *, const struct sp_sequence *, struct sp_error *);
int sp_db_role_create(struct sp_session *, const char *role, const char *password, struct sp_error *);
int sp_db_role_drop(struct sp_session *, const char *role, struct sp_error *);
int sp_db_role_change(
    struct sp_session *, const char *role, const struct sp_role_change *, struct sp_error *);
int sp_db_grant(struct sp_session *, const struct sp_grant *, struct sp_error *);
int sp_db_revoke(struct sp_session *, const struct sp_grant *, struct sp_error *);
int sp_db_role_join(struct sp_session *, const char *role, const char *member, struct sp_error *);
int sp_db_role_act(struct sp_session *, const char *role, struct sp_error *);
int sp_db_row_security(struct sp_session *, const char *table, const char *owner, struct sp_error *);
int sp_db_act_for(struct sp_session *, const struct sp_actor *, struct sp_error *);
int sp_db_actor_token(struct sp_session *, struct sp_arena *, const struct sp_actor *, int64_t from,
    int64_t until, const char **token, struct sp_error *);
int sp_db_row_rules(struct sp_session *, const char *table, const struct sp_row_rules *, struct sp_error *);

/* Short spellings over sp_db_exec. `r` may be NULL where nothing is wanted. Fields of one row. */
int sp_db_insert(
    struct sp_session *, const char *table, const struct sp_field *, size_t n, struct sp_error *);
int sp_db_insert_many(struct sp_session *, const char *table, const char *const *fields, size_t nfields,
    const struct sp_value *values, size_t nrows, int64_t *affected, struct sp_error *);
int sp_db_read(struct sp_session *, const struct sp_query *, struct sp_result *, struct sp_error *);
int sp_db_count(
    struct sp_session *, const char *table, const struct sp_filter *, int64_t *count, struct sp_error *);
int sp_db_update(struct sp_session *, const char *table, const struct sp_filter *, const struct sp_field *,
    size_t n, int64_t *affected, struct sp_error *);
int sp_db_delete(
    struct sp_session *, const char *table, const struct sp_filter *, int64_t *affected, struct sp_error *);
/* On the whole table. */
int sp_db_role_grant(
    struct sp_session *, const char *role, const char *table, unsigned privileges, struct sp_error *);

/* auth and storage: same names and arguments as the members of sp_auth_ops and sp_blob_ops. */
int sp_auth_sign_up(struct sp_session *, struct sp_arena *, const char *email, const char *password,
    const char *name, struct sp_user *, struct sp_tokens *, struct sp_error *);
int sp_auth_sign_in(struct sp_session *, struct sp_arena *, const char *email, const char *password,
    struct sp_user *, struct sp_tokens *, struct sp_error *);
int sp_auth_refresh(
    struct sp_session *, struct sp_arena *, const char *refresh, struct sp_tokens *, struct sp_error *);
int sp_auth_sign_out(struct sp_session *, const char *access, struct sp_error *);
int sp_auth_user_get(
    struct sp_session *, struct sp_arena *, const char *access, struct sp_user *, struct sp_error *);
int sp_auth_user_update(struct sp_session *, struct sp_arena *, const char *access,
    const struct sp_user_change *, struct sp_user *, struct sp_error *);
int sp_auth_user_delete(struct sp_session *, const char *access, struct sp_error *);
int sp_auth_reset_request(struct sp_session *, const char *email, char code[128], struct sp_error *);
int sp_auth_reset_confirm(
    struct sp_session *, const char *email, const char *code, const char *password, struct sp_error *);
int sp_auth_claims_set(struct sp_session *, const char *user_id, const char *json_object, struct sp_error *);
int sp_auth_claims_of(
    struct sp_session *, struct sp_arena *, const char *access, const char **json, struct sp_error *);
int sp_auth_admin_create(struct sp_session *, struct sp_arena *, const char *email, const char *password,
    struct sp_user *, struct sp_error *);
int sp_auth_admin_get(
    struct sp_session *, struct sp_arena *, const char *user_id, struct sp_user *, struct sp_error *);
int sp_auth_admin_list(struct sp_session *, struct sp_arena *, const char **cursor, size_t limit,
    struct sp_user **, size_t *n, struct sp_error *);
int sp_auth_admin_disable(struct sp_session *, const char *user_id, bool disabled, struct sp_error *);
int sp_auth_admin_delete(struct sp_session *, const char *user_id, struct sp_error *);
int sp_auth_user_remove(struct sp_session *, const char *email, struct sp_error *);

int sp_blob_bucket_create(struct sp_session *, const char *bucket, struct sp_error *);
int sp_blob_bucket_drop(struct sp_session *, const char *bucket, struct sp_error *);
int sp_blob_bucket_list(struct sp_session *, const char *prefix, struct sp_names *, struct sp_error *);
int sp_blob_put_stream(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    sp_source_fn, void *payload, const struct sp_put_opts *, struct sp_object *out, struct sp_error *);
int sp_blob_get_stream(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn, void *payload, struct sp_object *out, struct sp_error *);
/* Whole objects in memory. get appends to `out`. */
int sp_blob_put(struct sp_session *, const char *bucket, const char *key, const void *p, size_t n,
    const struct sp_put_opts *, struct sp_error *);
int sp_blob_get(
    struct sp_session *, const char *bucket, const char *key, struct sp_buf *out, struct sp_error *);
int sp_blob_get_range(struct sp_session *, const char *bucket, const char *key, uint64_t offset,
    uint64_t length, struct sp_buf *out, struct sp_error *);
int sp_blob_head(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    struct sp_object *, struct sp_error *);
int sp_blob_list(struct sp_session *, struct sp_arena *, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **, size_t *n,
    struct sp_error *);
int sp_blob_delete(struct sp_session *, const char *bucket, const char *key, struct sp_error *);
int sp_blob_copy(
    struct sp_session *, const char *bucket, const char *from, const char *to, struct sp_error *);
int sp_blob_move(
    struct sp_session *, const char *bucket, const char *from, const char *to, struct sp_error *);
int sp_blob_sign(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    const char *method, int64_t seconds, const char **url, struct sp_error *);
/* GET through a signed URL appends to `out`; PUT sends p, n. */
int sp_blob_fetch_signed(
    struct sp_session *, const char *url, int64_t now_offset_s, struct sp_buf *out, struct sp_error *);
int sp_blob_put_signed(
    struct sp_session *, const char *url, int64_t now_offset_s, const void *p, size_t n, struct sp_error *);
int sp_blob_upload_begin(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    const struct sp_put_opts *, const char **id, struct sp_error *);
int sp_blob_upload_part(
    struct sp_session *, const char *id, unsigned part, const void *p, size_t n, struct sp_error *);
int sp_blob_upload_complete(
    struct sp_session *, struct sp_arena *, const char *id, struct sp_object *, struct sp_error *);
int sp_blob_upload_abort(struct sp_session *, const char *id, struct sp_error *);

#endif
