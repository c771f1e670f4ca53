#!/usr/bin/env bash
# Planted bugs around the identity and storage facets of provider supabase, before a server compatible with Supabase: each must be
# caught by the case named beside it. What that server does not offer (administration, listings, ranges, metadata, signed URLs)
# is out of reach here, and so is a password cut at 72 bytes, because it refuses longer ones.
# usage: ci/tests/kill/mutants_supabase_lite.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: mutants_supabase_lite.sh BUILD_DIRECTORY}" && pwd)
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
# shellcheck source=ci/tests/kill/pairs
. ci/tests/kill/pairs
sp=$build/switchproof
own_stack
need_server "$build" supabase_lite

config() {
    cat <<YAML
report_dir: "$2/report"
state_dir: "$2/state"
providers:
  $3: { kind: supabase, url: "\${SUPABASE_LITE_URL}", access: disposable$1,
        options: { anon_key: "\${SUPABASE_LITE_ANON_KEY}", service_key: "\${SUPABASE_LITE_KEY}", rest_path: none,
                   db_url: "\${SUPABASE_LITE_DB_URL}" } }
YAML
}
pairs=(
    any_password auth.sign_in_wrong bad_sign_up_swallowed auth.email_no_at duplicate_user_swallowed auth.sign_up_twice
    email_case_counts auth.sign_in_case empty_password auth.sign_in_wrong enumeration auth.sign_in_unknown
    name_lost auth.sign_up password_ignores_case auth.sign_in_near
    password_longer auth.sign_in_near password_prefix auth.sign_in_near password_trimmed auth.sign_in_near
    refresh_not_verified auth.refresh_garbage sign_out_ignored auth.sign_out token_not_verified auth.token_tampered
    token_of_first_user auth.sessions_apart token_of_guest auth.token_garbage user_id_repeated auth.ids_unique
    user_update_ignored auth.update_password
    absent_is_empty storage.absent bucket_exists_swallowed storage.bucket_exists bucket_prefix_ignored storage.bucket_list
    copy_ignored storage.copy copy_moves storage.copy etag_constant storage.etag etag_random storage.etag
    get_cut_at_1m storage.large head_size_wrong storage.round_trip modified_missing storage.modified
    object_delete_ignored storage.two_sessions put_loses_last_byte storage.round_trip put_never_replaces storage.etag
    put_text_only storage.binary
)
try_pairs "${pairs[@]}"
totals
