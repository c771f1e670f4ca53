# shellcheck shell=bash disable=SC2154
# PostgreSQL for ci/stack, which reads this file and defines $dir, $user and the helpers.
# postgresql_{installed,up,down,env,status,stop,start,kill} are what it calls; its state stands in $dir/postgresql.state.

pg_find() {
    local b best=
    for b in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin; do
        [ -x "$b/initdb" ] && best=$b
    done
    if [ -z "$best" ] && command -v initdb >/dev/null; then
        best=$(dirname "$(command -v initdb)")
    fi
    echo "$best"
}
postgresql_installed() {
    [ -n "$(pg_find)" ]
}
pg_read() {
    [ -f "$dir/postgresql.state" ] || return 1
    # shellcheck source=/dev/null
    . "$dir/postgresql.state"
}
pg_running() {
    as_user "$pg_bin" -D "$pg_data/db" status >/dev/null 2>&1
}
pg_ready() {
    "$(dirname "$pg_bin")/pg_isready" -q -h 127.0.0.1 -p "$pg_port" -t 2 >/dev/null 2>&1
}
# A port can be taken between the choice and the start: then another one.
pg_start() {
    local try
    for try in 1 2 3 4 5; do
        if as_user "$pg_bin" -D "$pg_data/db" -l "$pg_data/log" -w -t 60 -o "-p $pg_port" start >/dev/null 2>&1 &&
            pg_ready; then
            return 0
        fi
        if [ "$try" = 5 ] || port_is_free "$pg_port"; then
            break
        fi
        pg_port=$(free_port)
        pg_write
    done
    tail -n 20 "$pg_data/log" >&2 || true
    die "postgresql did not start"
}
pg_write() {
    (
        umask 077
        printf 'pg_bin=%q\npg_data=%q\npg_port=%q\npg_password=%q\n' \
            "$pg_bin" "$pg_data" "$pg_port" "$pg_password" >"$dir/postgresql.state"
    )
}
pg_make() {
    local bin
    bin=$(pg_find)
    [ -n "$bin" ] || die "PostgreSQL is not installed; run: ci/deps servers"
    pg_bin=$bin/pg_ctl
    pg_data=$(data_dir postgresql) || exit 1
    pg_port=$(free_port)
    pg_password=$(new_password)
    pg_write
    (umask 077 && printf '%s\n' "$pg_password" >"$pg_data/password")
    [ -z "$user" ] || chown "$user" "$pg_data/password"
    as_user "$bin/initdb" -D "$pg_data/db" -U switchproof --pwfile="$pg_data/password" -A scram-sha-256 \
        -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 || {
        tail -n 20 "$dir/initdb.log" >&2
        die "initdb failed"
    }
    rm -f "$pg_data/password" "$dir/initdb.log"
    # fsync off: these servers have to survive kills of their own, not one of the machine.
    as_user tee -a "$pg_data/db/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
fsync = off
shared_buffers = 128MB
max_wal_size = 4GB
log_min_messages = warning
timezone = 'Asia/Kathmandu'
datestyle = 'sql, dmy'
CONF
}
postgresql_up() {
    pg_read || pg_make
    pg_running || pg_start
    PGPASSWORD=$pg_password "$(dirname "$pg_bin")/psql" -qAtX -h 127.0.0.1 -p "$pg_port" -U switchproof -d postgres \
        -c "select 1 from pg_database where datname = 'switchproof'" | grep -q 1 ||
        PGPASSWORD=$pg_password "$(dirname "$pg_bin")/createdb" -h 127.0.0.1 -p "$pg_port" -U switchproof switchproof
}
postgresql_down() {
    pg_read || return 0
    if pg_running; then
        as_user "$pg_bin" -D "$pg_data/db" -w -m immediate stop >/dev/null 2>&1 || true
    fi
    rm -rf "$pg_data" "$dir/postgresql.state"
}
postgresql_env() {
    pg_read || return 0
    echo "POSTGRESQL_URL=postgresql://switchproof:$pg_password@127.0.0.1:$pg_port/switchproof"
}
postgresql_status() {
    if ! pg_read; then
        echo "postgresql: not made"
        return 3
    elif ! pg_running; then
        echo "postgresql: stopped"
        return 3
    elif ! pg_ready; then
        echo "postgresql: runs on port $pg_port, but does not answer"
        return 3
    fi
    echo "postgresql: answers on 127.0.0.1:$pg_port"
}
postgresql_stop() {
    pg_read || die "postgresql: not made; run ci/stack up"
    as_user "$pg_bin" -D "$pg_data/db" -w -m fast stop >/dev/null 2>&1 || true
    ! pg_running || die "postgresql: could not be stopped"
}
postgresql_start() {
    pg_read || die "postgresql: not made; run ci/stack up"
    pg_running || pg_start
}
postgresql_kill() {
    pg_read || die "postgresql: not made; run ci/stack up"
    local pid stat line parent
    local -a all_of_it
    pid=$(as_user head -n 1 "$pg_data/db/postmaster.pid") || return 0
    # All of it at once: a session that outlived its parent could still commit, and keeps the next server from starting.
    kill -STOP "$pid" 2>/dev/null || return 0
    all_of_it=("$pid")
    for stat in /proc/[0-9]*/stat; do
        { read -r line <"$stat"; } 2>/dev/null || continue
        read -r _ parent _ <<<"${line##*) }"
        [ "$parent" != "$pid" ] || all_of_it+=("$(basename "${stat%/stat}")")
    done
    kill -KILL "${all_of_it[@]}" 2>/dev/null || true
    for _ in $(seq 50); do
        pg_running || break
        sleep 0.1
    done
}
