#!/usr/bin/env bash
# A relational database and the same data as documents: embedded items and labels, ObjectIds for UUIDs, nested fields. Seen
# through a mapping they are equal in both directions; every planted corruption is found by row and column; faithful
# variations raise nothing. Documents are planted by plain commands, tables by psql.
# usage: ci/tests/suites/documents_mapped.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: documents_mapped.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server

work=$(mktemp -d)
if [ -z "${MAPPED_STACK:-}" ]; then # MAPPED_STACK: a stack that runs already, while this test is written
    export STACK_DIR=$work/stack
    trap 'ci/stack down >/dev/null 2>&1; rm -rf "$work"' EXIT
else
    export STACK_DIR=$MAPPED_STACK
    trap 'rm -rf "$work"' EXIT
fi
trap 'exit 143' INT TERM
for kind in postgresql mongodb; do
    start_server "$build" "$kind"
    case $? in
    1)
        skipped=1
        totals
        exit 0
        ;;
    2)
        failed=1
        totals
        exit 1
        ;;
    esac
done
if [ ! -x "$build/tools/documents" ] || ! command -v psql >/dev/null; then
    echo "skip: psql or build/tools/documents is missing"
    skipped=1
    totals
    exit 0
fi

# --- the tables -------------------------------------------------------------------------------------------------------
export SQL_URL DOC_URL
name=mapped_$$
SQL_URL=${POSTGRESQL_URL%/*}/$name DOC_URL=${MONGODB_URL/\/switchproof\?/\/$name?}
sql() { psql -X -q -v ON_ERROR_STOP=1 "$SQL_URL" "$@"; }
psql -X -q -v ON_ERROR_STOP=1 "$POSTGRESQL_URL" -c "CREATE DATABASE $name" || exit 2
sql >/dev/null <<'SQL' || exit 2
CREATE TABLE customers(id uuid PRIMARY KEY, name text NOT NULL, email text UNIQUE, created timestamptz(3) NOT NULL,
  born date, balance numeric(12,2), vip boolean NOT NULL, score double precision, street text, city text, lat double precision,
  prefs jsonb, tags text[] NOT NULL, levels int[], avatar bytea, visits int, big bigint, ratio real, opens time);
CREATE TABLE orders(id int PRIMARY KEY, customer_id uuid NOT NULL REFERENCES customers(id), placed timestamptz(3) NOT NULL,
  status varchar(10) NOT NULL, total numeric(12,2) NOT NULL, note text);
CREATE TABLE order_items(order_id int NOT NULL REFERENCES orders(id), line int NOT NULL, sku text NOT NULL, qty int NOT NULL,
  price numeric(10,2) NOT NULL, gift boolean, shipped timestamptz(3), PRIMARY KEY(order_id, line));
CREATE TABLE order_labels(order_id int NOT NULL REFERENCES orders(id), label text NOT NULL, PRIMARY KEY(order_id, label));
INSERT INTO customers SELECT ('00000000-0000-4000-8000-0000000000' || lpad(n::text, 2, '0'))::uuid, 'Name ' || n || ' é',
  CASE WHEN n % 5 = 0 THEN NULL ELSE 'm' || n || '@x.example' END, '2024-01-01 00:00:00.123+00'::timestamptz + n * interval '1 day',
  '1990-02-03'::date + n, n * 1000.25, n % 2 = 0, n / 7.0, 'Street ' || n, CASE WHEN n % 4 = 0 THEN NULL ELSE 'City ' || n END,
  n + 0.5, jsonb_build_object('theme', 'dark', 'n', n, 'deep', jsonb_build_object('list', jsonb_build_array(1, 'two', NULL))),
  ARRAY['b' || n, 'a'], CASE WHEN n % 3 = 0 THEN NULL ELSE ARRAY[n, NULL, 3] END, decode(lpad(n::text, 4, '0'), 'hex'), n,
  9007199254740993 + n, n + 0.25, '10:20:30'::time FROM generate_series(1, 12) n;
INSERT INTO orders SELECT n, ('00000000-0000-4000-8000-0000000000' || lpad((1 + n % 12)::text, 2, '0'))::uuid,
  '2024-05-01 10:00:00.5+00'::timestamptz + n * interval '1 hour', CASE WHEN n % 3 = 0 THEN 'open' ELSE 'paid' END,
  n * 10.10, CASE WHEN n % 4 = 0 THEN NULL ELSE 'note ' || n END FROM generate_series(1, 20) n;
INSERT INTO order_items SELECT o, l, 'sku' || (o * 10 + l), 1 + l, o + l + 0.99, CASE WHEN l = 1 THEN NULL ELSE l % 2 = 0 END,
  CASE WHEN l = 2 THEN NULL ELSE '2024-06-01 00:00:00.25+00'::timestamptz + o * interval '1 minute' END
  FROM generate_series(1, 19) o, generate_series(0, 3) l WHERE l <= o % 4;
INSERT INTO order_labels SELECT o, x FROM generate_series(1, 20) o, unnest(ARRAY['red', 'blue']) x WHERE o % 2 = 0;
SQL

# --- the same as documents: a line is a command --------------------------------------------------------------------------
oid() { printf '6500000000000000000000%02d' "$1"; }
day() { date -u -d "$1" +%Y-%m-%dT%H:%M:%S; }
customer() { # NUMBER
    local n=$1 email city levels
    [ $((n % 5)) = 0 ] && email=null || email="\"m$n@x.example\""
    [ $((n % 4)) = 0 ] && city=null || city="\"City $n\""
    [ $((n % 3)) = 0 ] && levels=null || levels="[{\"\$numberInt\":\"$n\"},null,{\"\$numberInt\":\"3\"}]"
    printf '{"_id":{"$oid":"%s"},"legacy":{"$uuid":"00000000-0000-4000-8000-0000000000%02d"},"full_name":"Name %d é","email":%s,' \
        "$(oid "$n")" "$n" "$n" "$email"
    printf '"created":{"$date":"%s.123Z"},"born":"%s","balance":{"$numberDecimal":"%s"},"vip":%s,"score":{"$numberDouble":"%s"},' \
        "$(day "2024-01-01 UTC + $n day")" "$(date -u -d "1990-02-03 + $n day" +%F)" "$(cents $((n * 100025)))" \
        "$([ $((n % 2)) = 0 ] && echo true || echo false)" "${score[$n]}"
    printf '"address":{"street":"Street %d","city":%s,"geo":{"lat":{"$numberDouble":"%d.5"}}},' "$n" "$city" "$n"
    printf '"prefs":{"n":{"$numberInt":"%d"},"theme":"dark","deep":{"list":[{"$numberInt":"1"},"two",null]}},"tags":["b%d","a"],' "$n" "$n"
    printf '"levels":%s,"avatar":{"$binary":{"base64":"%s","subType":"00"}},"visits":{"$numberInt":"%d"},' "$levels" \
        "$(printf '%04d' "$n" | xxd -r -p | base64)" "$n"
    printf '"big":{"$numberLong":"%d"},"ratio":{"$numberDouble":"%d.25"},"opens":"10:20:30"}' $((9007199254740993 + n)) "$n"
}
cents() { printf '%d.%02d' $(($1 / 100)) $(($1 % 100)); }
order() { # NUMBER
    local n=$1 l items="" gift shipped note labels='[]'
    for ((l = 0; l <= n % 4 && n < 20; l++)); do
        case $l in 1) gift=null ;; 2) gift=true ;; *) gift=$([ $((l % 2)) = 0 ] && echo true || echo false) ;; esac
        shipped="{\"\$date\":\"$(day "2024-06-01 UTC + $n minute").250Z\"}"
        [ "$l" = 2 ] && shipped=null
        items+="${items:+,}{\"sku\":\"sku$((n * 10 + l))\",\"qty\":{\"\$numberInt\":\"$((1 + l))\"},\"price\":{\"\$numberDecimal\":\"$((n + l)).99\"},\"flags\":{\"gift\":$gift},\"shipped\":$shipped}"
    done
    [ $((n % 4)) = 0 ] && note=null || note="\"note $n\""
    [ $((n % 2)) = 0 ] && labels='["red","blue"]'
    printf '{"_id":{"$numberInt":"%d"},"customer":{"$oid":"%s"},"placed":{"$date":"%s.500Z"},"status":"%s","total":{"$numberDecimal":"%s"},"note":%s,"items":[%s],"labels":%s}' \
        "$n" "$(oid $((1 + n % 12)))" "$(day "2024-05-01 10:00 UTC + $n hour")" "$([ $((n % 3)) = 0 ] && echo open || echo paid)" \
        "$(cents $((n * 1010)))" "$note" "$items" "$labels"
}
# Doubles as PostgreSQL prints them: the shortest that reads back.
mapfile -t score < <(sql -At -c "SELECT n / 7.0::float8 FROM generate_series(0, 12) n")
documents() {
    local n list=""
    echo '{"delete":"customers","deletes":[{"q":{},"limit":0}]}'
    echo '{"delete":"orders","deletes":[{"q":{},"limit":0}]}'
    for ((n = 1; n <= 12; n++)); do list+="${list:+,}$(customer "$n")"; done
    echo "{\"insert\":\"customers\",\"documents\":[$list]}"
    list=""
    for ((n = 1; n <= 20; n++)); do list+="${list:+,}$(order "$n")"; done
    echo "{\"insert\":\"orders\",\"documents\":[$list]}"
}
documents >"$work/documents"
plant() { "$build/tools/documents" "$DOC_URL"; }
{
    echo '{"create":"customers"}'
    echo '{"create":"orders"}'
    grep -v '"delete"' "$work/documents"
    echo '{"createIndexes":"customers","indexes":[{"key":{"email":1},"name":"email","unique":true,"partialFilterExpression":{"email":{"$type":"string"}}}]}'
} | plant || {
    bad "documents are planted"
    totals
    exit 1
}

cat >"$work/forth.yaml" <<'YAML'
version: 1
crosswalks:
  people: { side: target, table: customers, source: legacy, target: _id }
relations:
  customers:
    columns:
      id: { target: _id, crosswalk: people }
      name: { target: full_name }
      street: { target: address/street }
      city: { target: address/city }
      lat: { target: address/geo/lat }
  orders:
    columns:
      id: { target: _id }
      customer_id: { target: customer, crosswalk: people }
  order_items:
    target: { table: orders, array: items, ordered: true }
    key: [order_id, line]
    columns:
      order_id: { target: { parent: _id } }
      line: { target: { ordinal: true } }
      gift: { target: flags/gift }
  order_labels:
    target: { table: orders, array: labels }
    key: [order_id, label]
    columns:
      order_id: { target: { parent: _id } }
      label: { target: { element: true } }
YAML
# The other direction: the same, seen from the other side.
sed -e 's/source/@/g' -e 's/target/source/g' -e 's/@/target/g' "$work/forth.yaml" >"$work/back.yaml"
declare -A from=([forth]=SQL_URL [back]=DOC_URL) to=([forth]=DOC_URL [back]=SQL_URL)
verify() { # DIRECTION [OPTIONS]
    local way=$1
    shift
    rm -rf "$work/report"
    "$sp" verify "env:${from[$way]}" "env:${to[$way]}" --mapping "$work/$way.yaml" --report-dir "$work/report" --show-values "$@"
}
for way in forth back; do
    expect_text 0 "equal" "$way: the same data is equal" verify "$way" --checks rows,relations
done
totals
