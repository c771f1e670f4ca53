#!/usr/bin/env bash
# Planted bugs around the database facet of provider supabase, before a real PostgREST: one of each class, caught by the case named
# beside it. The whole matrix, which takes long, is mutants_servers.sh's. usage: ci/tests/kill/mutants_supabase.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: mutants_supabase.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
# shellcheck source=ci/tests/kill/pairs
. ci/tests/kill/pairs
own_stack
need_server "$build" supabase

config() {
    cat <<YAML
report_dir: "$2/report"
state_dir: "$2/state"
providers:
  $3: { kind: supabase, url: "\${SUPABASE_URL}", access: disposable$1 }
YAML
}
try_pairs int_through_double crud.filter_eq_int limit_one_more crud.order_asc read_repeats_first_row crud.order_asc \
    batch_not_atomic crud.create_many_atomic delete_ignores_filter crud.delete_one load_loses_row crud.bulk_load \
    actor_reads_all auth.rows_own
totals
