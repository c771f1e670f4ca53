#!/usr/bin/env bash
# PostgreSQL in other places than beside us without protection: TLS with certificates of our own, service files, a pooler in
# transaction mode, a standby, a disk that is full. The servers are started here; those that are not installed are skipped.
# usage: ci/tests/suites/postgresql_servers.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: postgresql_servers.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks

if ! "$sp" list providers 2>/dev/null | grep -q '^ *postgresql' ||
    ! { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1; }; then
    skipped=1
    echo "skip: no provider postgresql in this build, or no server on this machine (ci/deps servers)"
    totals
    exit 0
fi

work=$(mktemp -d)
chmod 755 "$work"
pg_bin=
export STACK_DIR=$work/stack
pooler=
standby=
mounted=
finish() {
    [ -z "$pooler" ] || kill "$pooler" 2>/dev/null
    [ -z "$standby" ] || as_owner "$pg_bin" -D "$standby" -m immediate -w stop >/dev/null 2>&1
    ci/stack down >/dev/null 2>&1
    [ -z "$mounted" ] || umount "$mounted" 2>/dev/null
    rm -rf "$work" "${own:-$work}"
}
trap finish EXIT
trap 'exit 143' INT TERM

skip() {
    skipped=$((skipped + 1))
    echo "skip: $1"
}
# says CODE TEXT NAME COMMAND...: the exit code, and a part of what is printed.
says() {
    local want=$1 text=$2 name=$3 out rc=0
    shift 3
    out=$("$@" 2>&1) || rc=$?
    if [ "$rc" != "$want" ]; then
        bad "$name: expected exit code $want, actual $rc" "$out"
    elif ! grep -qF -- "$text" <<<"$out"; then
        bad "$name: \"$text\" is not in the answer" "$out"
    else
        ok "$name"
    fi
}
free_port() {
    local p
    while :; do
        p=$((20000 + RANDOM % 12000)) # below the ports of outgoing connections
        (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || break
    done
    echo "$p"
}
# doctor URL [ACCESS [OPTION]]
doctor() {
    cat >"$work/d.yaml" <<YAML
report_dir: "$work/report"
state_dir: "$work/state"
providers:
  pg: { kind: postgresql, url: "\${URL}", access: ${2:-read-only}${3:+, options: { $3 \}} }
YAML
    URL=$1 "$sp" doctor -c "$work/d.yaml"
}

ci/stack up postgresql >/dev/null || {
    bad "the stack starts PostgreSQL"
    totals
    exit 1
}
# shellcheck source=/dev/null
. "$STACK_DIR/postgresql.state"
# shellcheck disable=SC2154 # by the file above
{
    password=$pg_password port=$pg_port data=$pg_data
    owner=$(stat -c %U "$data/db")
}
as_owner() {
    if [ "$(id -un)" = "$owner" ]; then
        (cd / && "$@")
    else
        (cd / && runuser -u "$owner" -- "$@")
    fi
}
own=$(mktemp -d /tmp/switchproof-servers.XXXXXX) # where the servers' user can write
[ "$(id -un)" = "$owner" ] || chown "$owner" "$own"
export PGPASSWORD=$password
url=postgresql://switchproof@localhost:$port/switchproof
query() { psql -qAtX "postgresql://switchproof@127.0.0.1:$port/switchproof" -c "$1" 2>&1; }

# --- TLS --------------------------------------------------------------------------------------------------------
says 0 "no TLS" "without TLS the notes say so" doctor "$url"
says 3 "sslmode asks for TLS, which this server does not offer" "TLS asked of a server without it is refused" \
    doctor "$url?sslmode=require"
authority() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/$1.key" -out "$work/$1.crt" -subj "/CN=$1" -days 2 \
        >/dev/null 2>&1
}
# certificate NAME HOST DAYS
certificate() {
    openssl req -newkey rsa:2048 -nodes -keyout "$work/$1.key" -out "$work/$1.csr" -subj "/CN=$2" >/dev/null 2>&1
    printf 'subjectAltName=DNS:%s\n' "$2" >"$work/ext"
    openssl x509 -req -in "$work/$1.csr" -CA "$work/ours.crt" -CAkey "$work/ours.key" -CAcreateserial -days "$3" \
        -extfile "$work/ext" -out "$work/$1.crt" >/dev/null 2>&1
}
# serve NAME: from now on the server shows this certificate.
serve() {
    install -m 600 "$work/$1.crt" "$data/db/server.crt"
    install -m 600 "$work/$1.key" "$data/db/server.key"
    [ "$(id -un)" = "$owner" ] || chown "$owner" "$data/db/server.crt" "$data/db/server.key"
    local before
    before=$(query "select pg_conf_load_time()")
    query "select pg_reload_conf()" >/dev/null
    for _ in $(seq 200); do
        [ "$(query "select pg_conf_load_time()")" = "$before" ] || break
        sleep 0.05
    done
}
if command -v openssl >/dev/null; then
    authority ours
    authority theirs
    certificate good localhost 2
    certificate elsewhere db.example.org 2
    certificate expired localhost -1
    install -m 600 "$work/good.crt" "$data/db/server.crt"
    install -m 600 "$work/good.key" "$data/db/server.key"
    [ "$(id -un)" = "$owner" ] || chown "$owner" "$data/db/server.crt" "$data/db/server.key"
    query "alter system set ssl = on" >/dev/null
    serve good
    says 0 "TLSv1.3, require" "TLS without a look at the certificate" doctor "$url?sslmode=require"
    full="$url?sslmode=verify-full&sslrootcert=$work"
    says 0 "TLSv1.3, verify-full" "the right CA and the right name" doctor "$full/ours.crt"
    says 3 "not signed by a CA in sslrootcert" "another CA is refused" doctor "$full/theirs.crt"
    says 3 "name the CA's file with sslrootcert" "a CA file that is not there is refused" doctor "$full/none.crt"
    serve elsewhere
    says 3 "was made for another host" "a certificate for another host is refused" doctor "$full/ours.crt"
    says 0 "TLSv1.3, verify-ca" "verify-ca does not look at the name" \
        doctor "$url?sslmode=verify-ca&sslrootcert=$work/ours.crt"
    serve expired
    says 3 "certificate is expired" "an expired certificate is refused" doctor "$full/ours.crt"
    serve good
else
    skip "openssl is not installed: no certificates"
fi

# --- service and password files -----------------------------------------------------------------------------------
cat >"$work/service.conf" <<CONF
[here]
host=127.0.0.1
port=$port
dbname=switchproof
user=switchproof
CONF
export PGSERVICEFILE=$work/service.conf
says 0 "PostgreSQL" "a service of PGSERVICEFILE" doctor "postgresql:///?service=here"
says 3 "check the name of the service" "a service that is not there" doctor "postgresql:///?service=there"
unset PGPASSWORD
printf '127.0.0.1:%s:switchproof:switchproof:%s\n' "$port" "$password" >"$work/passwords"
chmod 600 "$work/passwords"
PGPASSFILE=$work/passwords says 0 "PostgreSQL" "a password of PGPASSFILE" doctor "postgresql:///?service=here"
export PGPASSWORD=$password

# --- a pooler in transaction mode -----------------------------------------------------------------------------------
query "create table items(id int primary key, at timestamptz, price numeric(8,2));
    insert into items select g, timestamptz '2020-02-29 23:59:59.123456+01' + g * interval '1 hour', g / 4.0
    from generate_series(1, 20000) g; create schema copy; create table copy.items (like items including all);
    insert into copy.items select * from items" >/dev/null
cat >"$work/copy.yaml" <<'YAML'
providers:
  old: { kind: postgresql, url: "${OLD}" }
  new: { kind: postgresql, url: "${NEW}", options: { schema: copy } }
YAML
compare() { OLD=$1 NEW=$2 "$sp" verify old new -c "$work/copy.yaml" -t items --report-dir "$work/verify" "${@:3}"; }
says 0 "equal" "the copy beside is equal" compare "$url" "$url?application_name=b"
A=$url B=postgresql://switchproof@127.0.0.1:$port/switchproof says 2 "same database under two URLs" \
    "a database is not compared with itself under another URL" "$sp" verify env:A env:B --report-dir "$work/verify"
pgbouncer=$(PATH=$PATH:/usr/sbin:/sbin command -v pgbouncer)
if [ -n "$pgbouncer" ]; then
    pport=$(free_port)
    cat >"$own/pgbouncer.ini" <<CONF
[databases]
switchproof = host=127.0.0.1 port=$port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $pport
unix_socket_dir =
pidfile = $own/pgbouncer.pid
logfile = $own/pgbouncer.log
auth_type = scram-sha-256
auth_file = $own/users
pool_mode = transaction
default_pool_size = 8
CONF
    printf '"switchproof" "%s"\n' "$password" >"$own/users"
    chmod 644 "$own/pgbouncer.ini" "$own/users"
    as_owner "$pgbouncer" -q -d "$own/pgbouncer.ini" >/dev/null 2>&1
    purl=postgresql://switchproof@127.0.0.1:$pport/switchproof
    for _ in $(seq 50); do
        (exec 3<>"/dev/tcp/127.0.0.1/$pport") 2>/dev/null && break
        sleep 0.1
    done
    pooler=$(cat "$own/pgbouncer.pid")
    says 0 "behind a connection pooler" "a pooler is noticed" doctor "$purl"
    says 3 "a connection pooler stands before" "writing through it is refused" doctor "$purl" disposable
    says 0 "PostgreSQL" "unless it keeps sessions, and we are told" doctor "$purl" disposable "session_pool: true"
    says 0 "equal" "both sides are read through it in one state each" compare "$purl" "$purl?application_name=b"
    says 0 "equal" "by several sessions, too" compare "$purl" "$url" --checks rows --jobs 2
    left=$(for _ in 1 2 3 4 5 6 7 8; do psql -qAtX "$purl" -c "select current_setting('default_transaction_read_only'),
        current_setting('row_security'), current_setting('TimeZone')"; done | sort -u)
    if [ "$left" = "off|on|Asia/Kathmandu" ]; then
        ok "and its sessions are left as they were"
    else
        bad "and its sessions are left as they were" "$left"
    fi
    query "update copy.items set at = at + interval '1 second' where id = 77" >/dev/null
    says 1 "1 changed" "a difference is found through it" compare "$purl" "$url"
    query "update copy.items set at = at - interval '1 second' where id = 77" >/dev/null
    kill "$pooler"
    pooler=
elif [ "${CI:-}" = true ]; then
    bad "pgbouncer is not installed, which ci/deps servers installs"
else
    skip "pgbouncer is not installed (ci/deps servers): no pooler"
fi

# --- a standby --------------------------------------------------------------------------------------------------------
if as_owner env PGPASSWORD="$password" "$(dirname "$pg_bin")/pg_basebackup" -h 127.0.0.1 -p "$port" -U switchproof \
    -D "$own/standby" -R -X stream -c fast >"$work/basebackup.log" 2>&1; then
    standby=$own/standby
    sport=$(free_port)
    as_owner "$pg_bin" -D "$standby" -l "$own/standby.log" -w -t 60 -o "-p $sport" start >/dev/null 2>&1 ||
        bad "the standby starts" "$(cat "$own/standby.log")"
    surl=postgresql://switchproof@127.0.0.1:$sport/switchproof
    says 0 "a standby" "a standby is noticed" doctor "$surl"
    says 3 "is a standby, which cannot be written to" "writing to it is refused" doctor "$surl" disposable
    says 0 "equal" "it is compared with its primary" compare "$surl" "$url"
    says 0 "equal" "by several sessions, too" compare "$surl" "$url" --jobs 2
    state=$(sed -n 's/.*"source_state":"\([^"]*\)".*/\1/p' "$work/verify/events.jsonl" | head -n 1)
    case $state in
    "snapshot "*"@lsn "*/*) ok "its state is the place in the log that it has replayed ($state)" ;;
    *) bad "its state is the place in the log that it has replayed" "$state" ;;
    esac
    says 0 "equal" "within --max-lag" compare "$surl" "$url" --max-lag 30s
    query "create schema lagging; create table lagging.tick(at timestamptz); insert into lagging.tick select now()" >/dev/null
    sleep 0.5
    psql -qAtX "$surl" -c "alter system set recovery_min_apply_delay = '10min'" -c "select pg_reload_conf()" >/dev/null
    sleep 0.5
    for _ in 1 2 3 4; do
        query "insert into lagging.tick select now()" >/dev/null
        sleep 0.5
    done
    says 3 "behind the server that it follows, more than --max-lag 1 s" "beyond it nothing is compared" \
        compare "$surl" "$url" --max-lag 1s --rate 100000
    psql -qAtX "$surl" -c "alter system reset recovery_min_apply_delay" -c "select pg_reload_conf()" >/dev/null
    query "drop schema lagging cascade" >/dev/null
    as_owner "$pg_bin" -D "$standby" -m immediate -w stop >/dev/null 2>&1
    standby=
else
    bad "a standby is made with pg_basebackup" "$(cat "$work/basebackup.log")"
fi

# --- a disk that is full ------------------------------------------------------------------------------------------------
mkdir "$own/small"
if mount -t tmpfs -o size=4m tmpfs "$own/small" 2>/dev/null; then
    mounted=$own/small
    mkdir "$own/small/space"
    chown "$owner" "$own/small/space"
    query "create tablespace small location '$own/small/space'" >/dev/null
    query "create schema full_disk; create table full_disk.many(id int primary key, note text) tablespace small" >/dev/null
    cat >"$work/full.yaml" <<'YAML'
providers:
  old: { kind: sqlite, url: "${OLD}" }
  new: { kind: postgresql, url: "${NEW}", access: target, options: { schema: full_disk } }
YAML
    sqlite3 "$work/many.db" "create table many(id integer primary key, note text);
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
        insert into many select i, hex(randomblob(50)) from n"
    OLD=sqlite:$work/many.db NEW=$url says 3 "disk is full" "a load that fills the disk fails with that word" \
        "$sp" migrate old new -c "$work/full.yaml" --into-existing --report-dir "$work/migrate"
    left=$(query "select count(*) from full_disk.many")
    if [ "$left" = 0 ]; then
        ok "and leaves no row"
    else
        bad "and leaves no row" "$left"
    fi
    query "drop schema full_disk cascade" >/dev/null
    query "drop tablespace small" >/dev/null
else
    skip "no file system can be mounted here: no full disk"
fi

totals
