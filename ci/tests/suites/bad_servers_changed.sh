#!/usr/bin/env bash
# Tables that are dropped, emptied or altered on a server, and a server that is killed, while verify reads it: what was not
# read to its confirmed end is not compared, exit code 3; 1 where a difference stands elsewhere; never 0.
# usage: ci/tests/suites/bad_servers_changed.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: bad_servers_changed.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/proxy
. ci/tests/proxy
server postgresql POSTGRESQL_URL
export PGOPTIONS='-c client_min_messages=error'

tables="
    create table a_first(id int primary key, a text not null);
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 6000)
    insert into a_first select i, 'row ' || i || ' of the table that is read slowly ' || i from n;
    create table m_other(id int primary key, v text not null);
    insert into m_other select id, a from a_first where id < 100;
    create table z_last(id int primary key, v text not null, n bigint not null);
    insert into z_last select id, a, id from a_first where id <= 2000;"
sqlite3 "$work/here.db" "$tables create table y_parts(id int not null, v text); insert into y_parts select id, v from m_other" || bad "the fixture is made"
sqlite3 "$work/other.db" "$tables create table y_parts(id int not null, v text); insert into y_parts select id, v from m_other; update m_other set v = 'another' where id = 50" || bad "the fixture is made"
{ cp "$work/here.db" "$work/hollow.db" && sqlite3 "$work/hollow.db" "delete from z_last"; } || bad "the fixture is made"
cat >"$work/c.yaml" <<YAML
state_dir: "$work/state"
providers:
  bad: { kind: postgresql, url: "\${BAD_URL}", statement_timeout: 20s }
  here: { kind: sqlite, url: "sqlite:$work/here.db" }
  hollow: { kind: sqlite, url: "sqlite:$work/hollow.db" }
  other: { kind: sqlite, url: "sqlite:$work/other.db" }
YAML
query() { psql -qAtX -v ON_ERROR_STOP=1 "$POSTGRESQL_URL" -c "$1" 2>&1; }
anew() {
    query "drop table if exists a_first, m_other, z_last, z_gone, y_parts, y_parts_1" >/dev/null
    query "${tables//z_last(id int primary key, v text not null, n bigint/z_last(id int primary key, v text not null, n int}
        create table y_parts(id int not null, v text) partition by range (id);
        create table y_parts_1 partition of y_parts for values from (0) to (50);
        create table y_parts_2 partition of y_parts for values from (50) to (1000);
        insert into y_parts select id, v from m_other" >/dev/null
}

# meanwhile STATEMENT: once verify reads the first table, through a proxy that is slow from then on.
meanwhile() {
    local i
    for ((i = 0; i < 400; i++)); do
        if [ "$(query "select count(*) from pg_stat_activity where pid <> pg_backend_pid() and query like '%COPY%a_first%'")" != 0 ]; then
            if [ "$1" = kill ]; then
                ci/stack kill postgresql >"$work/meanwhile" 2>&1
            else
                query "$1" >"$work/meanwhile" 2>&1
            fi
            echo "was done" >>"$work/meanwhile"
            return
        fi
        sleep 0.02
    done
    echo "verify was never seen to read" >"$work/meanwhile"
}
# changed CODES TEXT NAME STATEMENT SOURCE TARGET
changed() {
    anew
    proxy delay 30
    rm -f "$work/meanwhile"
    meanwhile "$4" &
    local watcher=$!
    ends "$1" 30 "$2" "$3" "$sp" verify -c "$work/c.yaml" "$5" "$6" --report-dir "$work/report" --checks rows,relations
    wait "$watcher"
    grep -qx "was done" "$work/meanwhile" || bad "$3: $(cat "$work/meanwhile")"
    stop_proxy
    [ "$4" != kill ] || ci/stack start postgresql >/dev/null 2>&1
}
anew
through "$server_port"
# Others make and drop tables of their own all the time.
(
    while [ ! -e "$work/enough" ]; do
        echo "begin; create schema elsewhere; create table elsewhere.p(id int primary key, a int unique);
            create table elsewhere.c(id int primary key, p int references elsewhere.p(id) on delete set null,
            a int references elsewhere.p(a) match full on delete cascade); commit; drop schema elsewhere cascade;"
    done | psql -qAtX "$POSTGRESQL_URL" >/dev/null 2>&1
) &
for i in 1 2 3 4 5 6 7 8; do
    sed 's/statement_timeout: 20s/options: { schema: public }/' "$work/c.yaml" >"$work/named.yaml"
    ends 0 30 '^equal' "others are at work elsewhere, $i" "$sp" verify -c "$work/named.yaml" bad here --report-dir "$work/report" --checks rows,relations
done
touch "$work/enough"
wait $!
ends 0 30 '^equal' "nothing happens" "$sp" verify -c "$work/c.yaml" bad here --report-dir "$work/report" --checks rows,relations
for way in "bad here" "here bad"; do
    # shellcheck disable=SC2086 # two words
    {
        changed 3 'z_last' "$way: a table is dropped" "drop table z_last" $way
        changed 3 'z_last' "$way: a table is renamed" "alter table z_last rename to z_gone" $way
        changed 3 'z_last' "$way: a column is dropped" "alter table z_last drop v" $way
        changed 3 'z_last' "$way: a column is renamed" "alter table z_last rename v to w" $way
        changed 3 'z_last' "$way: a column gets another type" "alter table z_last alter n type bigint" $way
        changed 3 'z_last' "$way: a table is emptied" "truncate z_last" $way
        changed 3 'z_last' "$way: a table is made anew" "drop table z_last; create table z_last(id int primary key, v text not null, n int not null)" $way
        changed 3 'y_parts' "$way: a partition is taken away" "alter table y_parts detach partition y_parts_1" $way
        changed 3 'y_parts' "$way: a partition is emptied" "truncate y_parts_1" $way
        changed 0 '^equal' "$way: rows are written" "update z_last set v = v || '!'; delete from z_last where id < 9" $way
        changed 3 'lost' "$way: the session is ended" "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name <> 'psql' and backend_type = 'client backend' and pid <> pg_backend_pid()" $way
        changed 3 'lost' "$way: the server is killed" "kill" $way
        changed 3 'z_last' "$way: a table is emptied, whose copy is empty" "truncate z_last" ${way/here/hollow}
        changed 1 'z_last' "$way: a table is dropped, another differs" "drop table z_last" ${way/here/other}
    }
done
totals
