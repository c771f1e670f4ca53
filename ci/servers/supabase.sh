# shellcheck shell=bash disable=SC2154
# A Supabase project's database service for ci/stack: a real PostgREST before a database of the stack's PostgreSQL, with the
# roles and grants that Supabase makes. There is no gateway before it: what Kong adds (the apikey header, /rest/v1) is not shown.
# supabase_{installed,up,down,env,status,stop,start,kill} are what it calls; its state stands in $dir/supabase.state.
# stop, start and kill concern PostgREST alone.

supabase_installed() {
    ci/servers/install-postgrest --where >/dev/null 2>&1 && postgresql_installed
}
supa_read() {
    [ -f "$dir/supabase.state" ] || return 1
    # shellcheck source=/dev/null
    . "$dir/supabase.state"
}
supa_write() {
    (
        umask 077
        printf 'supa_program=%q\nsupa_data=%q\nsupa_port=%q\nsupa_admin=%q\nsupa_pid=%q\nsupa_password=%q\nsupa_anon=%q\nsupa_service=%q\n' \
            "$supa_program" "$supa_data" "$supa_port" "$supa_admin" "$supa_pid" "$supa_password" "$supa_anon" "$supa_service" \
            >"$dir/supabase.state"
    )
}
# The process with this number may be another one by now.
supa_running() {
    [ -n "$supa_pid" ] && [ -r "/proc/$supa_pid/cmdline" ] &&
        tr '\0' ' ' <"/proc/$supa_pid/cmdline" 2>/dev/null | grep -qF -- "$supa_data/postgrest.conf"
}
supa_answers() {
    local line=
    { exec 3<>"/dev/tcp/127.0.0.1/$supa_admin"; } 2>/dev/null || return 1
    printf 'GET /ready HTTP/1.0\r\n\r\n' >&3
    IFS= read -r -t 5 line <&3 || true
    exec 3>&-
    [[ $line == *" 200 "* ]]
}
supa_wait_gone() {
    local i
    for ((i = 0; i < $1 * 10; i++)); do
        supa_running || return 0
        sleep 0.1
    done
    return 1
}
# What must not be seen stands in a file that only the servers' user can read. The port of PostgreSQL may have changed.
supa_configure() {
    local secret auth
    secret=$(as_user cat "$supa_data/secret")
    auth=$(as_user cat "$supa_data/auth")
    as_user bash -c 'umask 077; cat >"$0"' "$supa_data/postgrest.conf" <<CONF
db-uri = "postgresql://authenticator:$auth@127.0.0.1:$pg_port/supabase"
db-schemas = "public"
db-extra-search-path = "public, extensions"
db-anon-role = "anon"
db-max-rows = 1000
db-pool = 30
jwt-secret = "$secret"
server-host = "127.0.0.1"
server-port = $supa_port
admin-server-port = $supa_admin
log-level = "error"
CONF
}
# shellcheck disable=SC2016 # the inner shell's own variables
supa_spawn() {
    supa_configure
    supa_pid=$(as_user bash -c 'umask 077; setsid "$@" >>"$0" 2>&1 </dev/null & echo $!' "$supa_data/log" \
        "$supa_program" "$supa_data/postgrest.conf")
    supa_write
}
# A port can be taken between the choice and the start: then another one.
supa_start() {
    local try until
    for try in 1 2 3 4 5; do
        port_is_free "$supa_port" || supa_port=$(free_port)
        port_is_free "$supa_admin" || supa_admin=$(free_port)
        supa_spawn
        until=$((SECONDS + 30))
        while [ "$SECONDS" -lt "$until" ]; do
            if supa_answers && supa_running; then
                return 0
            fi
            sleep 0.1
            # For a moment while it becomes another program a process has no command line.
            supa_running || sleep 0.5 && supa_running || break
        done
        if supa_running; then
            kill -KILL "$supa_pid" 2>/dev/null || true
            break
        fi
        [ "$try" -lt 3 ] || supa_port=$(free_port) supa_admin=$(free_port)
    done
    tail -n 20 "$supa_data/log" >&2 || true
    die "supabase: PostgREST did not start"
}
supa_psql() {
    PGPASSWORD=$pg_password "$(dirname "$pg_bin")/psql" -qAtX -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$pg_port" -U switchproof "$@"
}
supa_make() {
    local secret auth
    supa_program=$(ci/servers/install-postgrest --where 2>/dev/null) || die "PostgREST is not installed; run: ci/deps servers"
    as_user test -x "$supa_program" || die "user $user cannot reach $supa_program; set SWITCHPROOF_SERVERS to another place"
    supa_data=$(data_dir supabase) || exit 1
    supa_port=$(free_port)
    supa_admin=$(free_port)
    supa_pid=
    supa_password=$(new_password)
    secret=$(new_password)
    auth=$(new_password)
    printf '%s\n' "$secret" | as_user bash -c 'umask 077; cat >"$0"' "$supa_data/secret"
    printf '%s\n' "$auth" | as_user bash -c 'umask 077; cat >"$0"' "$supa_data/auth"
    { IFS= read -r supa_anon && IFS= read -r supa_service; } < <(printf '%s' "$secret" | node ci/servers/supabase.js) ||
        die "supabase: its keys could not be made"
    supa_psql -d postgres -c 'CREATE DATABASE supabase'
    # The passwords go in by standard input, where no list of processes shows them.
    { printf '\\set pg_password %s\n\\set auth_password %s\n' "$supa_password" "$auth" && cat ci/servers/supabase.sql; } |
        supa_psql -d supabase >"$dir/supabase.log" 2>&1 || {
        cat "$dir/supabase.log" >&2
        die "supabase: its database could not be made"
    }
    rm -f "$dir/supabase.log"
    supa_write
}
supabase_up() {
    postgresql_up
    supa_read || supa_make
    supa_running || supa_start
}
supabase_down() {
    supa_read || return 0
    if supa_running; then
        kill -KILL "$supa_pid" 2>/dev/null || true
        supa_wait_gone 10 || die "supabase: process $supa_pid does not end"
    fi
    rm -rf "$supa_data" "$dir/supabase.state"
    # Where PostgreSQL stays, nothing of the project does.
    if pg_read && pg_running; then
        supa_psql -d postgres -c 'DROP DATABASE IF EXISTS supabase WITH (FORCE)' \
            -c 'DROP ROLE IF EXISTS authenticator, anon, authenticated, service_role, postgres' >/dev/null 2>&1 || true
    fi
}
supabase_env() {
    supa_read || return 0
    pg_read || return 0
    echo "SUPABASE_URL=supabase+http://127.0.0.1:$supa_port"
    echo "SUPABASE_KEY=$supa_service"
    echo "SUPABASE_ANON_KEY=$supa_anon"
    echo "SUPABASE_JWT_SECRET=$(as_user cat "$supa_data/secret")"
    echo "SUPABASE_DB_URL=postgresql://postgres:$supa_password@127.0.0.1:$pg_port/supabase"
}
supabase_status() {
    if ! supa_read; then
        echo "supabase: not made"
        return 3
    elif ! supa_running; then
        echo "supabase: stopped"
        return 3
    elif ! supa_answers; then
        echo "supabase: runs on port $supa_port, but is not ready"
        return 3
    fi
    echo "supabase: answers on 127.0.0.1:$supa_port"
}
supabase_stop() {
    supa_read || die "supabase: not made; run ci/stack up"
    if supa_running; then
        kill -TERM "$supa_pid" 2>/dev/null || true
        supa_wait_gone 30 || die "supabase: could not be stopped"
    fi
}
supabase_start() {
    supa_read || die "supabase: not made; run ci/stack up"
    pg_read || die "supabase: its PostgreSQL was not made; run ci/stack up"
    supa_running || supa_start
}
supabase_kill() {
    supa_read || die "supabase: not made; run ci/stack up"
    supa_running || return 0
    kill -KILL "$supa_pid" 2>/dev/null || true
    supa_wait_gone 5 || die "supabase: process $supa_pid does not end"
}
