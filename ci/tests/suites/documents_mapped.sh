#!/usr/bin/env bash
# shellcheck disable=SC2016 # $ in single quotes is extended JSON
# A relational database and the same data as documents: embedded items and labels, ObjectIds for UUIDs, nested fields. Seen
# through a mapping they are equal in both directions; every planted corruption is found by row and column; faithful
# variations raise nothing. Documents are planted by plain commands, tables by psql. At the end the tables are copied into
# documents, children as arrays.
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
    trap 'echo "{\"dropDatabase\":1}" | plant; psql -X -q "$POSTGRESQL_URL" -c "DROP DATABASE $name"; rm -rf "$work"' EXIT
fi
trap 'exit 143' INT TERM
for kind in postgresql mongodb; do
    need_server "$build" "$kind"
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
SQL_URL=${POSTGRESQL_URL%/*}/$name DOC_URL=$(mongodb_url "$name")
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
# Equal in rows, relations and schema: what documents do not enforce is acknowledged by name, and nothing else.
for way in forth back; do
    expect_text 0 "equal" "$way: the same data is equal" verify "$way" --checks rows,relations
    expect_text 1 "nullability" "$way: what documents do not enforce is said" verify "$way" --checks schema
done

# --- corruptions ---------------------------------------------------------------------------------------------------------
# NAME | TABLE | KEY (as the tables have it) | COLUMN | COMMAND
one() { printf '{"update":"%s","updates":[{"q":%s,"u":%s}]}' "$@"; }
c() { one customers "{\"_id\":{\"\$oid\":\"$(oid "$1")\"}}" "$2"; }
o() { one orders "{\"_id\":$1}" "$2"; }
uuid() { printf 'id=uuid 00000000-0000-4000-8000-0000000000%02d' "$1"; }
corruptions() {
    cat <<LIST
a text|customers|$(uuid 3)|name|$(c 3 '{"$set":{"full_name":"Name 3 e"}}')
the case of a text|customers|$(uuid 3)|email|$(c 3 '{"$set":{"email":"M3@x.example"}}')
a blank at the end|customers|$(uuid 3)|name|$(c 3 '{"$set":{"full_name":"Name 3 é "}}')
another normal form|customers|$(uuid 3)|name|$(c 3 '{"$set":{"full_name":"Name 3 e\u0301"}}')
empty for null|customers|$(uuid 5)|email|$(c 5 '{"$set":{"email":""}}')
the word null for null|customers|$(uuid 5)|email|$(c 5 '{"$set":{"email":"null"}}')
null for a value|customers|$(uuid 3)|score|$(c 3 '{"$set":{"score":null}}')
a missing value|customers|$(uuid 3)|score|$(c 3 '{"$unset":{"score":""}}')
one unit in the last place|customers|$(uuid 1)|score|$(c 1 '{"$set":{"score":{"$numberDouble":"0.14285714285714288"}}}')
a millisecond|customers|$(uuid 4)|created|$(c 4 '{"$set":{"created":{"$date":"2024-01-05T00:00:00.124Z"}}}')
another zone|customers|$(uuid 4)|created|$(c 4 '{"$set":{"created":{"$date":"2024-01-05T01:00:00.123Z"}}}')
another day|customers|$(uuid 4)|born|$(c 4 '{"$set":{"born":"1990-02-08"}}')
a cent|customers|$(uuid 7)|balance|$(c 7 '{"$set":{"balance":{"$numberDecimal":"7001.76"}}}')
a thousand|customers|$(uuid 7)|balance|$(c 7 '{"$set":{"balance":{"$numberDecimal":"7.00175E+6"}}}')
a number as text|customers|$(uuid 7)|vip|$(c 7 '{"$set":{"vip":"false"}}')
a flag turned|customers|$(uuid 7)|vip|$(c 7 '{"$set":{"vip":true}}')
a large integer through a double|customers|$(uuid 2)|big|$(c 2 '{"$set":{"big":{"$numberDouble":"9007199254740996"}}}')
an octet|customers|$(uuid 2)|avatar|$(c 2 '{"$set":{"avatar":{"$binary":{"base64":"AAM=","subType":"00"}}}}')
a nested text|customers|$(uuid 3)|city|$(c 3 '{"$set":{"address.city":"Town 3"}}')
a deeper number|customers|$(uuid 3)|lat|$(c 3 '{"$set":{"address.geo.lat":{"$numberDouble":"3.25"}}}')
a nested field that is gone|customers|$(uuid 3)|street|$(c 3 '{"$unset":{"address.street":""}}')
a scalar in the way|customers|$(uuid 3)|city|$(c 3 '{"$set":{"address":"Street 3, City 3"}}')
an array in the way|customers|$(uuid 3)|lat|$(c 3 '{"$set":{"address.geo":[{"$numberDouble":"3.5"}]}}')
a nested document that is gone|customers|$(uuid 3)|lat|$(c 3 '{"$unset":{"address":""}}')
a nested document that is null|customers|$(uuid 3)|address|$(c 3 '{"$set":{"address":null}}')
a field nobody mapped|customers|$(uuid 3)|shoe|$(c 3 '{"$set":{"shoe":44}}')
a nested field nobody mapped|customers|$(uuid 3)|address|$(c 3 '{"$set":{"address.zip":"12345"}}')
a deeper field nobody mapped|customers|$(uuid 3)|address|$(c 3 '{"$set":{"address.geo.lon":1}}')
another order of tags|customers|$(uuid 3)|tags|$(c 3 '{"$set":{"tags":["a","b3"]}}')
a tag twice|customers|$(uuid 3)|tags|$(c 3 '{"$set":{"tags":["b3","a","a"]}}')
tags that are no array|customers|$(uuid 3)|tags|$(c 3 '{"$set":{"tags":"b3,a"}}')
a null less|customers|$(uuid 4)|levels|$(c 4 '{"$set":{"levels":[4,3]}}')
a list in a document|customers|$(uuid 4)|prefs/deep/list/1|$(c 4 '{"$set":{"prefs.deep.list":[1,null,"two"]}}')
a number in a document as text|customers|$(uuid 4)|prefs/n|$(c 4 '{"$set":{"prefs.n":"4"}}')
a customer less|customers|$(uuid 12)||{"delete":"customers","deletes":[{"q":{"_id":{"\$oid":"$(oid 12)"}},"limit":1}]}
a customer whom the source never had|customers|unmapped id||{"insert":"customers","documents":[{"_id":{"\$oid":"$(oid 77)"},"full_name":"new","vip":true,"tags":[]}]}
two old ids swapped|customers|$(uuid 1)|name|$(c 1 '{"$set":{"legacy":{"$uuid":"00000000-0000-4000-8000-000000000002"}}}') $(c 2 '{"$set":{"legacy":{"$uuid":"00000000-0000-4000-8000-000000000001"}}}')
an order of somebody else|orders|id=5|customer_id|$(o 5 "{\"\$set\":{\"customer\":{\"\$oid\":\"$(oid 9)\"}}}")
an order of nobody|orders|id=5|customer_id|$(o 5 "{\"\$set\":{\"customer\":{\"\$oid\":\"$(oid 66)\"}}}")
an id as text|orders|id=5|customer_id|$(o 5 "{\"\$set\":{\"customer\":\"$(oid 6)\"}}")
an order without a customer|orders|id=5|customer_id|$(o 5 '{"$unset":{"customer":""}}')
an order less|orders|id=19||{"delete":"orders","deletes":[{"q":{"_id":19},"limit":1}]}
an order more|orders|id=99||{"insert":"orders","documents":[{"_id":99,"customer":{"\$oid":"$(oid 1)"},"status":"open","items":[],"labels":[]}]}
items in another order|order_items|line=0|sku|$(o 1 '{"$set":{"items":[{"sku":"sku11","qty":2,"price":{"$numberDecimal":"2.99"},"flags":{"gift":null},"shipped":{"$date":"2024-06-01T00:01:00.250Z"}},{"sku":"sku10","qty":1,"price":{"$numberDecimal":"1.99"},"flags":{"gift":true},"shipped":{"$date":"2024-06-01T00:01:00.250Z"}}]}}')
the last item less|order_items|order_id=3, line=3||$(o 3 '{"$pop":{"items":1}}')
the first item less|order_items|order_id=3, line=3||$(o 3 '{"$pop":{"items":-1}}')
an item twice|order_items|order_id=4, line=1||$(o 4 '{"$push":{"items":{"sku":"sku40","qty":1,"price":{"$numberDecimal":"4.99"},"flags":{"gift":true},"shipped":{"$date":"2024-06-01T00:04:00.250Z"}}}}')
a quantity|order_items|order_id=7, line=2|qty|$(o 7 '{"$set":{"items.2.qty":4}}')
a price of an item|order_items|order_id=7, line=2|price|$(o 7 '{"$set":{"items.2.price":{"$numberDecimal":"9.98"}}}')
a flag of an item that is gone|order_items|order_id=7, line=0|gift|$(o 7 '{"$unset":{"items.0.flags":""}}')
a field of an item nobody mapped|order_items|order_id=7, line=0|colour|$(o 7 '{"$set":{"items.0.colour":"red"}}')
a nested field of an item nobody mapped|order_items|order_id=7, line=0|flags|$(o 7 '{"$set":{"items.0.flags.fragile":true}}')
an item that is null|order_items|order_id=7, line=1|sku|$(o 7 '{"$set":{"items.1":null}}')
an item that is no document|order_items|order_id=7, line=1|sku|$(o 7 '{"$set":{"items.1":"sku71"}}')
items that are no array|order_items|order_id=6, line=0|sku|$(o 6 '{"$set":{"items":{"sku":"sku60"}}}')
items that are a number|orders|id=6|items|$(o 6 '{"$set":{"items":5}}')
items that are null|orders|id=20|items|$(o 20 '{"$set":{"items":null}}')
items that are gone|order_items|order_id=6, line=0||$(o 6 '{"$unset":{"items":""}}')
a label less|order_labels|order_id=6, label="red"||$(o 6 '{"$pull":{"labels":"red"}}')
a label twice|order_labels|order_id=6, label="red"||$(o 6 '{"$push":{"labels":"red"}}')
a label that is null|order_labels|order_id=6||$(o 6 '{"$push":{"labels":null}}')
another label|order_labels|order_id=6, label="green"||$(o 6 '{"$set":{"labels.0":"green"}}')
LIST
}
# Several commands on a line, each on its own.
lines() { printf '%s\n' "$1" | sed -E 's/\} \{"(insert|update)"/}\n{"\1"/g'; }
restore() { plant <"$work/documents"; }
# found TABLE KEY COLUMN: an event that names all of them.
found() {
    local events
    events=$(grep -aE '"ev":"difference"' "$work/report/events.jsonl" | grep -F "\"name\":\"$1\"")
    events=$(grep -F -- "$2" <<<"${events//\\/}")
    [ -z "$3" ] || events=$(grep -F "\"column\":\"$3\"" <<<"$events")
    [ -n "$events" ]
}
# The first of those that wait, and all that can be planted with it so that no event could be taken for another's: each in a column
# of its own, and in a place of its document that none of the others touches. Rows that come or go are alone.
choose() {
    local i place column alone rest=()
    local -A taken=()
    batch=()
    for i in "${waiting[@]}"; do
        place="" alone="" column=${tables[$i]}.${columns[$i]}
        [[ ${commands[$i]} =~ \"q\":(\{[^}]*\}+),\"u\":\{\"\$[a-z]+\":\{\"([^\".]+) ]] &&
            place="${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
        [[ -z $place || -z ${columns[$i]} || ${commands[$i]} = *"} {"* ]] && alone=yes
        if [[ (-n $alone && ${#batch[@]} != 0) || -n ${taken[alone]:-} || -n ${taken[$column]:-} || -n ${taken[at $place]:-} ]]; then
            rest+=("$i")
        else
            batch+=("$i")
            taken[$column]=yes
            taken[at $place]=yes
            taken[alone]=$alone
        fi
    done
    waiting=("${rest[@]}")
}
# each FUNCTION: batch by batch, planted, handed over by their numbers, and restored.
each() {
    waiting=("${!names[@]}")
    while [ ${#waiting[@]} != 0 ]; do
        choose
        if for i in "${batch[@]}"; do lines "${commands[$i]}"; done | plant; then
            "$1" "${batch[@]}"
        else
            bad "could not be planted: numbers ${batch[*]}"
        fi
        restore || bad "the documents could not be restored"
    done
}
judge() { # NUMBER...
    local way i key rc
    for way in forth back; do
        out=$(verify "$way" --checks rows,relations 2>&1)
        rc=$?
        for i in "$@"; do
            key=${keys[$i]}
            [ "$way" = forth ] || key="" # the documents' ids there
            if [ "$rc" = 1 ] && found "${tables[$i]}" "$key" "${columns[$i]}"; then
                ok "$way: ${names[$i]} is found"
            else
                bad "$way: ${names[$i]} is not found as ${tables[$i]}, $key, ${columns[$i]} (exit code $rc)" "$out"
            fi
        done
    done
}
names=() tables=() keys=() columns=() commands=()
while IFS='|' read -r what table key column command; do
    names+=("$what") tables+=("$table") keys+=("$key") columns+=("$column") commands+=("$command")
done < <(corruptions)
[ "${#names[@]}" -ge 40 ] || bad "only ${#names[@]} corruptions"
each judge

# Digits that the table's column does not keep: equal but for a loss, which is named as a difference is.
c 7 '{"$set":{"balance":{"$numberDecimal":"7001.754"}}}' | plant
expect_text 1 "equal_with_loss" "digits beyond the scale are a loss" verify back --checks rows
expect 0 "whose row and column are named" found customers "" balance
restore || bad "the documents could not be restored"

# --- faithful variations ---------------------------------------------------------------------------------------------------
# NAME | COMMAND: other documents that say the same.
variations() {
    cat <<LIST
wider integers|$(c 3 '{"$set":{"visits":{"$numberLong":"3"}}}')
an integer as a double|$(c 3 '{"$set":{"visits":{"$numberDouble":"3"}}}')
an integer as a decimal|$(c 3 '{"$set":{"big":{"$numberDecimal":"9007199254740996"}}}')
zeros behind the point|$(c 3 '{"$set":{"balance":{"$numberDecimal":"3000.75000"}}}')
an exact amount as a double|$(c 3 '{"$set":{"balance":{"$numberDouble":"3000.75"}}}')
an old id as text|$(c 3 '{"$set":{"legacy":"00000000-0000-4000-8000-000000000003"}}')
another order of labels|$(o 6 '{"$set":{"labels":["blue","red"]}}')
another order of fields inside|$(c 3 '{"$set":{"prefs":{"theme":"dark","deep":{"list":[1,"two",null]},"n":3}}}')
another order of nested fields|$(c 3 '{"$set":{"address":{"geo":{"lat":3.5},"city":"City 3","street":"Street 3"}}}')
no empty array|$(o 20 '{"$unset":{"items":""}}')
no empty labels|$(o 5 '{"$unset":{"labels":""}}')
an instant in another zone|$(c 3 '{"$set":{"created":{"$date":"2024-01-04T05:30:00.123+0530"}}}')
a time with its fraction|$(c 3 '{"$set":{"opens":"10:20:30.000"}}')
a document that is moved to the end|{"delete":"orders","deletes":[{"q":{"_id":1},"limit":1}]} {"insert":"orders","documents":[$(order 1)]}
another ObjectId|{"delete":"customers","deletes":[{"q":{"_id":{"\$oid":"$(oid 3)"}},"limit":1}]} {"insert":"customers","documents":[$(customer 3 | sed "s/$(oid 3)/$(oid 88)/")]} {"update":"orders","updates":[{"q":{"customer":{"\$oid":"$(oid 3)"}},"u":{"\$set":{"customer":{"\$oid":"$(oid 88)"}}},"multi":true}]}
LIST
}
names=() tables=() columns=() commands=()
while IFS='|' read -r what command; do
    names+=("$what") tables+=("") columns+=("${#names[@]}") commands+=("$command")
done < <(variations)
silent() { # NUMBER...
    local way all="" i
    for i in "$@"; do all+="${all:+, }${names[$i]}"; done
    for way in forth back; do
        expect_text 0 "equal" "$way: nothing is raised by: $all" verify "$way" --checks rows,relations
    done
}
each silent

# --- ids that are no function ------------------------------------------------------------------------------------------------
for way in forth back; do
    plant <<<"$(c 2 '{"$set":{"legacy":{"$uuid":"00000000-0000-4000-8000-000000000001"}}}')"
    expect_text 3 "stands in more than one pair" "$way: an old id that two documents have proves nothing" \
        verify "$way" --checks rows --tables orders
    restore
done

# --- all checks, with what documents do not enforce acknowledged ---------------------------------------------------------------
cat >"$work/acknowledge" <<'YAML'
acknowledge:
  - nullability:customers.name
  - nullability:customers.created
  - nullability:customers.vip
  - nullability:customers.tags
  - unique:customers.customers_email_key
  - unique:customers.email
  - index:customers.email
  - nullability:orders.placed
  - nullability:orders.status
  - nullability:orders.total
  - foreign_key:orders.orders_customer_id_fkey
  - nullability:order_items.sku
  - nullability:order_items.qty
  - nullability:order_items.price
  - primary_key:order_items
  - foreign_key:order_items.order_items_order_id_fkey
  - nullability:order_labels.label
  - primary_key:order_labels
  - foreign_key:order_labels.order_labels_order_id_fkey
YAML
for way in forth back; do
    cat "$work/acknowledge" >>"$work/$way.yaml"
    expect_text 0 "equal" "$way: all checks hold, with what is acknowledged" verify "$way"
done

# --- tables on the other side ---------------------------------------------------------------------------------------------------
sql -c "UPDATE order_items SET qty = 50 WHERE order_id = 3 AND line = 1" || bad "planting in a table"
expect_text 1 "qty" "back: a quantity in the table is found" verify back --checks rows
if found order_items "line=1" qty; then ok "with its row"; else bad "with its row" "$out"; fi
sql -c "UPDATE order_items SET qty = 2 WHERE order_id = 3 AND line = 1" || bad "planting in a table"
expect_text 0 "equal" "at the end all is as it was" verify forth --checks rows,relations

# --- tables copied into documents, children as arrays -----------------------------------------------------------------------------
COPY_URL=$(mongodb_url "${name}_copy")
export COPY_URL
cat >"$work/copy.yaml" <<'YAML'
version: 1
relations:
  customers: { columns: { id: { target: _id }, name: { target: full_name } } }
  orders: { columns: { id: { target: _id }, customer_id: { target: customer } } }
  order_items:
    target: { table: orders, array: items, ordered: true }
    key: [order_id, line]
    columns:
      order_id: { target: { parent: _id } }
      line: { target: { ordinal: true } }
      qty: { target: quantity }
  order_labels:
    target: { table: orders, array: labels }
    key: [order_id, label]
    columns:
      order_id: { target: { parent: _id } }
      label: { target: { element: true } }
YAML
copied() { "$sp" "$1" env:SQL_URL env:COPY_URL --mapping "$work/copy.yaml" --report-dir "$work/copy" "${@:2}"; }
gone() { echo '{"dropDatabase":1}' | "$build/tools/documents" "$COPY_URL"; }
# The copy with what `sql` changes before it and takes back behind it. refused NAME TEXT SQL SQL
refused() {
    sql -c "$3" || bad "$1: planting in a table"
    expect_text 1 "$2" "copy: refused: $1" copied migrate
    sql -c "$4" || bad "$1: planting in a table"
}
expect_text 0 "would become the array items" "copy: a dry run says where rows would go" copied migrate --dry-run -v
expect_text 0 "MIGRATED" "copy: tables become documents, children their arrays" copied migrate
expect_text 0 "equal" "copy: and are equal" copied verify --checks rows,relations
expect_text 0 "table order_items: 49 rows" "copy: with all children" copied verify --checks rows
echo '{"update":"orders","updates":[{"q":{"_id":3},"u":{"$set":{"items.2.sku":"x"}}}]}' | "$build/tools/documents" "$COPY_URL"
expect_text 1 "sku" "copy: and an element that is changed is found" copied verify --checks rows
gone
sql -c "ALTER TABLE order_items DROP CONSTRAINT order_items_order_id_fkey, DROP CONSTRAINT order_items_pkey" \
    -c "ALTER TABLE order_items ALTER line DROP NOT NULL" || bad "planting in a table"
refused "rows of no document, by name" 'order_items, the row order_id=77, line=0: it belongs to no document of orders (2 such rows)' \
    "INSERT INTO order_items VALUES (77, 0, 'a', 1, 1), (77, 1, 'a', 1, 1)" "DELETE FROM order_items WHERE order_id > 70"
refused "a gap between positions" "its position is not the next one" "UPDATE order_items SET line = 7 WHERE order_id = 3 AND line = 1" \
    "UPDATE order_items SET line = 1 WHERE order_id = 3 AND line = 7"
refused "a row without a position" "its position is no whole number" "UPDATE order_items SET line = NULL WHERE order_id = 3 AND line = 1" \
    "UPDATE order_items SET line = 1 WHERE order_id = 3 AND line IS NULL"
expect_text 0 "MIGRATED" "copy: what was refused left nothing behind" copied migrate
expect_text 0 "equal" "copy: and is equal then" copied verify --checks rows,relations
gone
expect_text 2 "which are not copied" "copy: children without their parents are refused" copied migrate --tables order_items,customers
sed -i 's/parent: _id/parent: status/' "$work/copy.yaml"
expect_text 1 "belongs to no document" "copy: a parent that is not one is refused" copied migrate
gone
totals
