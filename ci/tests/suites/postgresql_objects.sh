#!/usr/bin/env bash
# A PostgreSQL database with everything that people make there, copied into another one: by pg_dump (which must be equal), by
# migrate (equal where it copies, named where it does not), and with each object changed by psql (which must be found).
# usage: ci/tests/suites/postgresql_objects.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: postgresql_objects.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
own_stack
need_server "$build" postgresql
server=${POSTGRESQL_URL%/*}
in_db() { psql -qAtX -v ON_ERROR_STOP=1 "$server/$1" "${@:2}" 2>&1; }
for db in old dumped copied refusing; do
    in_db postgres -c "create database $db" >/dev/null
done

in_db old >"$work/made" <<'SQL' || bad "the database is made" "$(cat "$work/made")"
create type mood as enum ('sad', 'ok', 'happy');
create domain positive as int not null check (value > 0);
create domain email as text check (value like '%@%');
create type point3 as (x int, y int, z text);
create type span as range (subtype = float8);
create type wide as range (subtype = float8);
create sequence free_seq as int increment 5 start 42;
create function twice(int) returns int language sql immutable as 'select $1 * 2';
create table base(id int generated always as identity primary key, m mood not null default 'ok', p positive, e email,
    tags text[], grid int[], moods mood[], pt point3, r int4range, sp span, ip inet, d interval, j jsonb, x xml,
    code int default nextval('free_seq'), note text default null);
insert into base(m, p, e, tags, grid, moods, pt, r, sp, ip, d, j, x) values ('sad', 1, 'a@b', '{a,"b c",NULL}', '{{1,2,NULL},{4,5,6}}', '{sad,ok}',
    '(1,2,"z z")', '[1,5)', '[1.5,2.5]', '10.0.0.1/24', '1 mon 2 days 03:04:05.5', '{"a":1.10,"b":[1,null]}', '<a/>');
insert into base(p) values (2);
create table ser(id serial primary key, big bigserial, n int default null, v varchar(20) collate "POSIX", w text,
    g int generated always as (n * 2) stored);
insert into ser(n, v, w) select i, 'v' || i, 'w' || i from generate_series(1, 50) i;
select setval('ser_id_seq', 777);
create table part(id int, k date not null, v text, primary key (id, k)) partition by range (k);
create table part_a partition of part for values from ('2020-01-01') to ('2021-01-01');
create table part_b partition of part for values from ('2021-01-01') to ('2022-01-01') partition by hash (id);
create table part_b0 partition of part_b for values with (modulus 2, remainder 0);
create table part_b1 partition of part_b for values with (modulus 2, remainder 1);
create table part_c partition of part for values from ('2022-01-01') to ('2023-01-01');
create index part_v on part (v);
insert into part select i, date '2020-06-01' + i, 'p' || i from generate_series(1, 400) i;
create table animal(id int primary key, name text);
create table dog(breed text) inherits (animal);
insert into animal values (1, 'generic');
insert into dog values (2, 'rex', 'lab'), (3, 'fido', 'pug');
create table ref(id int primary key, ser_id int references ser on delete set null on update cascade deferrable initially
    deferred, a int, b date, foreign key (a, b) references part (id, k) match full);
insert into ref values (1, 5, 1, '2020-06-02'), (2, null, null, null);
alter table ref add constraint small check (id < 1000) not valid;
create index few on ser (n) where n > 10;
create index lowered on ser (lower(v) desc);
create unique index uq on ser (w) include (v);
create index second on ser (n, v desc);
create table room(id int primary key, during tsrange, exclude using gist (during with &&));
insert into room values (1, '[2020-01-01,2020-01-02)');
create unlogged table quick(id int primary key);
insert into quick values (1);
create view some_ser as select id, n from ser where n > 3;
create materialized view counted as select count(*) as c from ser;
create procedure nothing() language sql as 'select 1';
create function stamp() returns trigger language plpgsql as 'begin return new; end';
create trigger stamped before insert on ser for each row execute function stamp();
create trigger stamped before insert on ref for each row execute function stamp();
create rule keep as on delete to quick do instead nothing;
create aggregate total(int) (sfunc = int4pl, stype = int, initcond = '0');
create statistics together on n, v from ser;
create policy mine on animal for select using (name <> 'hidden');
alter table animal enable row level security;
grant select, update on ser to public;
grant insert (id) on ref to public;
create extension pgcrypto;
create unique index once on room (during);
create collation folded (provider = icu, locale = 'und');
create publication news for table ser;
create schema beside;
create function beside.half(int) returns int language sql as 'select $1 / 2';
SQL
cat >"$work/c.yaml" <<'YAML'
providers:
  old: { kind: postgresql, url: "${OLD}" }
  dumped: { kind: postgresql, url: "${DUMPED}" }
  copied: { kind: postgresql, url: "${COPIED}", access: target }
  refusing: { kind: postgresql, url: "${REFUSING}", access: target }
YAML
export OLD=$server/old DUMPED=$server/dumped COPIED=$server/copied REFUSING=$server/refusing
verify() { "$sp" verify old "$1" -c "$work/c.yaml" --report-dir "$work/verify"; }

# --- by another program: nothing may be held against it -------------------------------------------------------------
pg_dump "$OLD" | psql -qX -v ON_ERROR_STOP=1 "$DUMPED" >"$work/restored" 2>&1 ||
    bad "pg_dump and psql copy the database" "$(cat "$work/restored")"
expect 0 "a copy by pg_dump is equal in everything" verify dumped
expect 0 "also when several sessions read it" "$sp" verify old dumped -c "$work/c.yaml" --jobs 2 --report-dir "$work/verify"

# changed NAME STATEMENT UNDO
changed() {
    local out
    if ! out=$(in_db dumped -c "$2"); then
        bad "changing $1" "$out"
        return
    fi
    expect 1 "found: $1" verify dumped
    out=$(in_db dumped -c "$3") || bad "undoing $1" "$out"
}
changed "another label of an enum" "alter type mood add value 'angry'" \
    "delete from pg_enum where enumlabel = 'angry' and enumtypid = 'mood'::regtype"
changed "another check of a domain" "alter domain positive add constraint more check (value < 10)" \
    "alter domain positive drop constraint more"
changed "a partition that is detached" "alter table part detach partition part_c" \
    "alter table part attach partition part_c for values from ('2022-01-01') to ('2023-01-01')"
changed "a table that inherits no more" "alter table dog no inherit animal" "alter table dog inherit animal"
changed "a row of a child, in its parent instead" \
    "with d as (delete from dog where id = 2 returning id, name) insert into animal select * from d" \
    "delete from only animal where id = 2; insert into dog values (2, 'rex', 'lab')"
changed "another view" "create or replace view some_ser as select id, n from ser where n > 4" \
    "create or replace view some_ser as select id, n from ser where n > 3"
changed "another function" "create or replace function twice(int) returns int language sql immutable as 'select 2'" \
    "create or replace function twice(int) returns int language sql immutable as 'select \$1 * 2'"
changed "a trigger that is off" "alter table ser disable trigger stamped" "alter table ser enable trigger stamped"
changed "a policy" "alter policy mine on animal using (true)" "alter policy mine on animal using (name <> 'hidden')"
changed "row security that is off" "alter table animal disable row level security" \
    "alter table animal enable row level security"
changed "row security that binds the owner, too" "alter table animal force row level security" \
    "alter table animal no force row level security"
changed "a view that asks as who reads it" "alter view some_ser set (security_invoker = true)" \
    "alter view some_ser reset (security_invoker)"
changed "a privilege" "revoke update on ser from public" "grant update on ser to public"
changed "a privilege on a column" "revoke insert (id) on ref from public" "grant insert (id) on ref to public"
changed "an included column of an index" "drop index uq; create unique index uq on ser (w)" \
    "drop index uq; create unique index uq on ser (w) include (v)"
changed "an index of another order" "drop index lowered; create index lowered on ser (lower(v))" \
    "drop index lowered; create index lowered on ser (lower(v) desc)"
changed "an exclusion constraint" "alter table room drop constraint room_during_excl" \
    "alter table room add exclude using gist (during with &&)"
changed "how the nulls of a foreign key match" \
    "alter table ref drop constraint ref_a_b_fkey; alter table ref add foreign key (a, b) references part (id, k)" \
    "alter table ref drop constraint ref_a_b_fkey; alter table ref add foreign key (a, b) references part (id, k) match full"
changed "a foreign key that is not deferred" "alter table ref alter constraint ref_ser_id_fkey not deferrable" \
    "alter table ref alter constraint ref_ser_id_fkey deferrable initially deferred"
changed "an identity that takes what is given" "alter table base alter id set generated by default" \
    "alter table base alter id set generated always"
changed "a generated column's rule" \
    "alter table ser drop g; alter table ser add g int generated always as (n * 3) stored" \
    "alter table ser drop g; alter table ser add g int generated always as (n * 2) stored"
changed "a sequence of nobody, behind" "select setval('free_seq', 42, false)" "select setval('free_seq', 47, true)"
changed "another step of a sequence" "alter sequence free_seq increment 7" "alter sequence free_seq increment 5"
changed "the collation of a column" "alter table ser alter v type varchar(20) collate \"default\"" \
    "alter table ser alter v type varchar(20) collate \"POSIX\""
changed "one element of an array" "update base set tags = '{a,\"b c\",x}' where id = 1" \
    "update base set tags = '{a,\"b c\",NULL}' where id = 1"
changed "one field of a composite value" "update base set pt = '(1,3,\"z z\")' where id = 1" \
    "update base set pt = '(1,2,\"z z\")' where id = 1"
changed "a table that is logged" "alter table quick set logged" "alter table quick set unlogged"
changed "a check of one partition alone" "alter table part_a add constraint alone check (id > 0)" \
    "alter table part_a drop constraint alone"
changed "a unique constraint of one partition alone" "alter table part_a add constraint alone unique (v)" \
    "alter table part_a drop constraint alone"
changed "a default of one partition alone" "alter table part_a alter v set default 'x'" "alter table part_a alter v drop default"
changed "a column that one partition alone fills" "alter table part_a alter v set not null" \
    "alter table part_a alter v drop not null"
changed "an expression's order in an index" "drop index lowered; create index lowered on ser (lower(v) collate \"C\" desc)" \
    "drop index lowered; create index lowered on ser (lower(v) desc)"
changed "how far apart the ends of a range are" \
    "drop type wide; create type wide as range (subtype = float8, subtype_diff = float8mi)" \
    "drop type wide; create type wide as range (subtype = float8)"
changed "an index of one partition alone" "create index alone on part_a (id)" "drop index alone"
changed "an index of a materialized view" "create unique index alone on counted (c)" "drop index alone"
changed "a materialized view that holds nothing" "refresh materialized view counted with no data" \
    "refresh materialized view counted"
changed "a key that is checked late" \
    "alter table room drop constraint room_pkey, add constraint room_pkey primary key (id) deferrable" \
    "alter table room drop constraint room_pkey, add constraint room_pkey primary key (id)"
changed "a check that binds no child" \
    "alter table ref drop constraint small, add constraint small check (id < 1000) no inherit not valid" \
    "alter table ref drop constraint small, add constraint small check (id < 1000) not valid"
changed "another column of an index descends" "drop index second; create index second on ser (n desc, v)" \
    "drop index second; create index second on ser (n, v desc)"
changed "an index that takes nulls for equal" "drop index once; create unique index once on room (during) nulls not distinct" \
    "drop index once; create unique index once on room (during)"
changed "a counter that begins anew" "alter sequence ser_id_seq maxvalue 1000 cycle" \
    "alter sequence ser_id_seq maxvalue 2147483647 no cycle"
changed "a column that draws from another counter" "alter table ser alter big set default nextval('free_seq')" \
    "alter table ser alter big set default nextval('ser_big_seq')"
changed "what of a row that goes is told" "alter table ser replica identity full" "alter table ser replica identity default"
changed "a rule that is off" "alter table quick disable rule keep" "alter table quick enable rule keep"
changed "where an aggregate begins" "create or replace aggregate total(int) (sfunc = int4pl, stype = int, initcond = '1')" \
    "create or replace aggregate total(int) (sfunc = int4pl, stype = int, initcond = '0')"
changed "who may call a function" "revoke execute on function twice from public" \
    "update pg_proc set proacl = null where proname = 'twice'"
changed "a collation of the same name" "drop collation folded; create collation folded (provider = icu, locale = 'und', deterministic = false)" \
    "drop collation folded; create collation folded (provider = icu, locale = 'und')"
changed "what is published" "alter publication news set table ref" "alter publication news set table ser"
changed "a function in a schema without tables" \
    "create or replace function beside.half(int) returns int language sql as 'select 0'" \
    "create or replace function beside.half(int) returns int language sql as 'select \$1 / 2'"
changed "a row in a partition" "update part set v = 'x' where id = 333" "update part set v = 'p333' where id = 333"
in_db dumped -c "drop trigger stamped on ref; create trigger stamped before insert on animal for each row execute function stamp()" >/dev/null
expect 1 "a trigger of one name on another table is found there" "$sp" verify old dumped -c "$work/c.yaml" -t animal --report-dir "$work/verify"
expect 0 "and not where nothing changed" "$sp" verify old dumped -c "$work/c.yaml" -t ser --report-dir "$work/verify"
in_db dumped -c "drop trigger stamped on animal; create trigger stamped before insert on ref for each row execute function stamp()" >/dev/null
expect 0 "with everything back in its place the copy is equal again" verify dumped
in_db dumped -c "create schema more; create table more.hidden(id int)" >/dev/null
expect 1 "a schema beside, with a table, is no pass" verify dumped
in_db dumped -c "drop schema more cascade; select lo_create(4711)" >/dev/null
expect 1 "large objects are no pass" verify dumped

# --- by migrate ---------------------------------------------------------------------------------------------------------
expect 0 "migrate copies it" "$sp" migrate old copied -c "$work/c.yaml" --report-dir "$work/migrate"
verify copied >"$work/said" 2>&1
sed -n 's/^DIFFERS \(.*\): .*$/\1/p' "$work/said" | sort >"$work/differs"
cat >"$work/wanted" <<'LIST'
aggregate total(integer)
foreign key detail ref_a_b_fkey of ref
index detail uq of ser
partition part_a of part
partition part_b of part
partition part_b0 of part_b
partition part_b1 of part_b
partition part_c of part
partitioned table part
publication news
schema beside
LIST
if diff "$work/wanted" "$work/differs" >"$work/diff"; then
    ok "what it cannot make is named, and nothing else differs"
else
    bad "what it cannot make is named, and nothing else differs" "$(cat "$work/diff" "$work/said")"
fi
equal=$(grep -c '^equal  ' "$work/said")
if [ "$equal" = 8 ]; then
    ok "the rows of all 8 tables are equal"
else
    bad "the rows of all 8 tables are equal: actual $equal" "$(cat "$work/said")"
fi
in_db copied -c "insert into base(p) values (3)" >/dev/null
if [ "$(in_db copied -c "select id from base where p = 3")" = 3 ] && [ "$(in_db copied -c "select count(*) from animal")" = 3 ]; then
    ok "the copy draws its next key, and its parents have their children's rows"
else
    bad "the copy draws its next key, and its parents have their children's rows"
fi

# --- what a copy that fails cannot take back is named ---------------------------------------------------------------------
in_db refusing -c "create table quick(id int primary key check (id > 1))" >/dev/null
expect_text 1 "enum mood" "a copy that fails names the types that it leaves behind" "$sp" migrate old refusing -c "$work/c.yaml" \
    --into-existing --report-dir "$work/migrate"
if [ "$(in_db refusing -c "select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace")" = 1 ]; then
    ok "and leaves no table behind"
else
    bad "and leaves no table behind" "$(in_db refusing -c '\d')"
fi

# --- an index that was never finished -------------------------------------------------------------------------------------
in_db old -c "create table twins(id int primary key, v int); insert into twins values (1, 1), (2, 1)" >/dev/null
in_db old -c "create unique index concurrently broken on twins (v)" >/dev/null
in_db dumped -c "create table twins(id int primary key, v int); insert into twins values (1, 1), (2, 1)" >/dev/null
expect 1 "an invalid index is no index" "$sp" verify old dumped -c "$work/c.yaml" -t twins --report-dir "$work/verify"

totals
