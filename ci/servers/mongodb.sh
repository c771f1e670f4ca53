# shellcheck shell=bash disable=SC2154
# A MongoDB-compatible server (SecantusDB) for ci/stack, which reads this file and defines $dir, $user and the helpers.
# mongodb_{installed,up,down,env,status,stop,start,kill} are what it calls; its state stands in $dir/mongodb.state.

mongodb_installed() {
    ci/servers/install-mongodb --where >/dev/null 2>&1
}
mongo_read() {
    [ -f "$dir/mongodb.state" ] || return 1
    # shellcheck source=/dev/null
    . "$dir/mongodb.state"
}
mongo_write() {
    (
        umask 077
        printf 'mongo_python=%q\nmongo_data=%q\nmongo_port=%q\nmongo_password=%q\nmongo_pid=%q\n' \
            "$mongo_python" "$mongo_data" "$mongo_port" "$mongo_password" "$mongo_pid" >"$dir/mongodb.state"
    )
}
mongo_helper() {
    MONGODB_PASSWORD=$mongo_password as_user "$mongo_python" -I - "$@" <ci/servers/mongodb.py
}
# The process with this number may be another one by now.
mongo_running() {
    [ -n "$mongo_pid" ] && [ -r "/proc/$mongo_pid/cmdline" ] &&
        tr '\0' ' ' <"/proc/$mongo_pid/cmdline" 2>/dev/null | grep -qF -- "--storage-path $mongo_data/db"
}
mongo_ready() {
    mongo_helper ping "$mongo_port" >/dev/null 2>&1
}
mongo_wait_gone() {
    local i
    for ((i = 0; i < $1 * 10; i++)); do
        mongo_running || return 0
        sleep 0.1
    done
    return 1
}

# --sync-on-commit: without it a killed server loses the last writes that it had acknowledged. It then syncs for each key
# of a collection that is dropped, under its one lock: minutes in which it answers nobody. As with PostgreSQL's fsync=off,
# what is written survives the death of the server, not that of the machine.
# shellcheck disable=SC2016 # the inner shell's own variables
mongo_spawn() {
    local preload=
    command -v eatmydata >/dev/null 2>&1 && preload=libeatmydata.so
    mongo_pid=$(as_user env LD_PRELOAD="$preload" bash -c 'umask 077; setsid "$@" >>"$0" 2>&1 </dev/null & echo $!' "$mongo_data/log" \
        "$mongo_python" -I -m secantus --config "$mongo_data/secantusd.toml" --host 127.0.0.1 --port "$mongo_port" \
        --storage-path "$mongo_data/db" --auth --sync-on-commit --cache-size 512M --log-level WARNING)
    mongo_write
}
# A port can be taken between the choice and the start: then another one.
mongo_start() {
    local try until
    for try in 1 2 3 4 5; do
        if ! port_is_free "$mongo_port"; then
            mongo_port=$(free_port)
        fi
        mongo_spawn
        until=$((SECONDS + 60))
        while [ "$SECONDS" -lt "$until" ]; do
            if ! port_is_free "$mongo_port" && mongo_ready && mongo_running; then
                return 0
            fi
            # For a moment while it becomes another program a process has no command line.
            mongo_running || sleep 0.5 && mongo_running || break
            sleep 0.1
        done
        if mongo_running; then
            kill -KILL "$mongo_pid" 2>/dev/null || true
            break
        fi
        [ "$try" -lt 3 ] || mongo_port=$(free_port)
    done
    tail -n 20 "$mongo_data/log" >&2 || true
    die "mongodb did not start"
}
mongo_make() {
    local home
    home=$(ci/servers/install-mongodb --where 2>/dev/null) ||
        die "the MongoDB-compatible server is not installed; run: ci/deps servers"
    mongo_python=$home/bin/python
    as_user test -x "$mongo_python" || die "user $user cannot reach $mongo_python; set SWITCHPROOF_SERVERS to another place"
    mongo_data=$(data_dir mongodb) || exit 1
    mongo_port=$(free_port)
    mongo_password=$(new_password)
    mongo_pid=
    mongo_write
    as_user tee "$mongo_data/secantusd.toml" </dev/null >/dev/null # or it would read one of the user's own
    mongo_helper make "$mongo_data/db" >"$dir/mongodb.log" 2>&1 || {
        tail -n 20 "$dir/mongodb.log" >&2
        rm -rf "$mongo_data" "$dir/mongodb.state" "$dir/mongodb.log"
        die "mongodb: its data directory could not be made"
    }
    rm -f "$dir/mongodb.log"
}
mongodb_up() {
    mongo_read || mongo_make
    mongo_running || mongo_start
}
mongodb_down() {
    mongo_read || return 0
    if mongo_running; then
        kill -KILL "$mongo_pid" 2>/dev/null || true
        mongo_wait_gone 10 || die "mongodb: process $mongo_pid does not end"
    fi
    rm -rf "$mongo_data" "$dir/mongodb.state"
}
mongodb_env() {
    mongo_read || return 0
    echo "MONGODB_URL=mongodb://switchproof:$mongo_password@127.0.0.1:$mongo_port/switchproof?authSource=admin"
}
mongodb_status() {
    if ! mongo_read; then
        echo "mongodb: not made"
        return 3
    elif ! mongo_running; then
        echo "mongodb: stopped"
        return 3
    elif ! mongo_ready; then
        echo "mongodb: runs on port $mongo_port, but does not answer"
        return 3
    fi
    echo "mongodb: answers on 127.0.0.1:$mongo_port"
}
mongodb_stop() {
    mongo_read || die "mongodb: not made; run ci/stack up"
    if mongo_running; then
        kill -TERM "$mongo_pid" 2>/dev/null || true
        mongo_wait_gone 30 || die "mongodb: could not be stopped"
    fi
}
mongodb_start() {
    mongo_read || die "mongodb: not made; run ci/stack up"
    mongo_running || mongo_start
}
mongodb_kill() {
    mongo_read || die "mongodb: not made; run ci/stack up"
    mongo_running || return 0
    kill -KILL "$mongo_pid" 2>/dev/null || true
    mongo_wait_gone 5 || die "mongodb: process $mongo_pid does not end"
}
