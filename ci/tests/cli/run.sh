#!/bin/sh
# run.sh -- the command line from outside: exit codes, messages, files. Usage: ci/tests/cli/run.sh [BUILD_DIRECTORY|PROGRAM]
# Needs nothing but the program itself; works in a directory of its own.
set -u

# shellcheck source=ci/tests/cli/common
. "$(dirname "$0")/common"

# --- help and usage
expect 0 "usage: switchproof COMMAND" --help
expect 0 "usage: switchproof COMMAND" help
expect 0 "switchproof 0." --version
expect 0 "sqlite" version
for c in run verify migrate list report clean doctor version help; do
    expect 0 "examples:" $c --help
    expect 0 "examples:" help $c
    expect 0 "usage: switchproof $c" $c -h
    expect 2 "unknown option '--nonsense'" $c --nonsense
done
expect 0 "usage: switchproof fixture" fixture --help
expect 0 "usage: switchproof fixture" help fixture
expect 0 "statement_timeout" help config
expect 2 "no command"
expect 2 "unknown command 'runn'; did you mean 'run'?" runn
expect 2 "unknown command 'xyzzy'" help xyzzy
expect 2 "--seed belongs behind the command" --seed 1 run
expect 2 "did you mean '--report-dir'?" run --report-dri x
expect 2 "--tables is no option of 'run'" run --tables x
expect 2 "--mapping is no option of 'run'" run --mapping x
expect 2 "--seed needs a value" run --seed
expect 2 "--seed: expected a whole number from 0 to" run --seed 5s
expect 2 "--seed: expected a whole number from 0 to" run --seed=-1
expect 2 "--jobs: expected a whole number from 1 to 64" run --jobs 0
expect 2 "--full takes no value" run --full=yes
expect 2 "--report-dir: the DIR is empty" run --report-dir=
expect 2 "--suite: an empty value" run -s crud,
expect 2 "takes no argument" run something
expect 2 "unknown option '-z'" run -z
expect 2 "contradict" run -q -v
expect 2 "not part of this version" migrate sqlite:a sqlite:b --strategy stream
expect 2 "did you mean 'rows'?" verify sqlite:a sqlite:b --checks rwos
expect 2 "expected SOURCE TARGET, found 1 argument" verify sqlite:a
expect 2 "one argument too many" verify a b c
expect 2 "did you mean 'junit'?" report . --format junti

# --- list
expect 0 "filesystem" list providers
expect 0 "option busy_timeout" list providers -v
expect 0 "cases  " list suites
expect 0 "needs: " list cases -s storage
expect 0 "exact_decimal" list capabilities
expect 0 "meaning" list capabilities -p mock
expect 2 "did you mean 'mock'?" list capabilities -p mokc
expect 2 "did you mean 'storage'?" list cases -s storge
expect 2 "no case matches" list cases -k no_such_case_anywhere
expect 2 "did you mean 'suites'?" list suits

# --- configuration
expect 2 "there is no switchproof.yaml" run
expect 2 "there is no switchproof.yaml" doctor
expect 2 "there is no switchproof.yaml" run --list
: >none.yaml
expect 2 "names no provider" doctor -c none.yaml
expect 2 "No such file or directory" run -c nowhere.yaml
expect 2 "not a file" run -c .
config <<'EOF'
providers:
  a: { kind: mock, url: "mock:a", acess: disposable }
EOF
expect 2 'switchproof.yaml:2:35: providers.a: unknown key "acess"; did you mean "access"?' run
expect 2 'unknown key "acess"' doctor
expect 2 'unknown key "acess"' clean
config <<'EOF'
providers:
  a: { kind: mock, url: "mock:${SP_CLI_UNSET}", access: disposable }
EOF
expect 2 "needs the environment variable SP_CLI_UNSET, which is not set" run
expect 2 "SP_CLI_UNSET" doctor
config <<'EOF'
providers:
  a: { kind: mock, url: "mock://u:hunter2@x", access: disposable }
EOF
expect 2 "a password stands in the file" run
lacks hunter2 out err
config <<'EOF'
providers:
  a: { kind: mock, url: "mock:a", access: disposable }
  gone: { kind: sqlite, url: "${SP_CLI_UNSET}", optional: true }
EOF
expect 2 "no provider is called 'aa'; did you mean 'a'?" run -p aa
expect 2 "did you mean 'auth'?" run -s auht
expect 0 "a auth." run --list -s auth -p a
expect 5 "no case matches" run --list -k no_such_case_anywhere
expect 0 "a crud.filter_eq_text" run --list -p a -k crud.filter_eq_text
if [ "$(wc -l <out)" -eq 1 ]; then ok; else bad "a whole case id lists more cases than it runs"; fi
expect 0 "all is well" doctor
expect 0 "SP_CLI_UNSET is not set; the provider is optional" doctor
expect 2 "no provider is called" doctor -p b

# --- what the configuration demands and no run would do
cat >demands.yaml <<'EOF'
requires: [crud.no_such_case]
providers:
  a: { kind: mock, url: "mock:a", access: disposable }
EOF
expect 2 "'crud.no_such_case' is no case, suite or capability" doctor -c demands.yaml
cat >demands.yaml <<'EOF'
providers:
  a: { kind: mock, url: "mock:a", access: disposable }
gates:
  production: { fidelity: real }
expected_failures:
  - { case: crud.no_such_case, provider: a, reason: r, link: "https://example.com/1", until: 2030-01-01 }
  - { case: crud.count, provider: a, reason: r, link: "https://example.com/2", until: 2020-02-29 }
EOF
expect 0 "'crud.no_such_case' matches no case" doctor -c demands.yaml
has "'crud.count' expired on 2020-02-29" out
has "not applied by this version" out
expect 0 "not applied by this version" run -c demands.yaml -k connection.opens --report-dir rg

cat >demands.yaml <<'EOF'
providers:
  a: { kind: mock, url: "mock:a" }
EOF
expect 3 "leave it out with -p" run -c demands.yaml -s connection -s auth --report-dir rg
expect 0 "HELD" run -c demands.yaml -s connection --report-dir rg

# --- run
expect 0 "HELD" run -p a -s auth --seed 7 --report-dir r
for f in events.jsonl junit.xml summary.json summary.md report.html; do
    if [ -s "r/$f" ]; then ok; else bad "no r/$f"; fi
done
absent r/events.jsonl.part
has '"seed":"7"' r/events.jsonl
# An optional provider that is absent is skipped in sight, and is no error in any report.
expect 0 "HELD" run -k connection.opens --report-dir ra
lacks "<error" ra/junit.xml
lacks "ERROR" out
has "SP_CLI_UNSET is not set" ra/junit.xml
has '"ev":"run_end"' r/events.jsonl
expect 0 "HELD" run -p a -s auth -q --report-dir r
if [ "$(wc -l <out)" -lt 6 ]; then ok; else bad "-q prints more than the verdict"; fi
expect 5 "NOTHING RAN" run -p a -k no_such_case_anywhere --report-dir r5
: >file
expect 2 "the report directory file/r cannot be used" run -p a --report-dir file/r
rm -f r/junit.xml
expect 0 "reports written to r" report r --format junit
if [ -s r/junit.xml ]; then ok; else bad "report did not write junit.xml"; fi
expect 0 "HELD" report r --format console
expect 2 "holds no events.jsonl" report .
mkdir part
head -n 3 r/events.jsonl >part/events.jsonl.part
expect 3 "did not end" report part
# Events that were cut, or that say what they cannot: no format tells them as success.
mkdir cut odd
sed '$d' r/events.jsonl >cut/events.jsonl
sed 's/"passed":[0-9]*,"failed":0/"passed":1,"failed":0/' r/events.jsonl >odd/events.jsonl
for d in cut odd; do
    expect 3 "nothing can be concluded" report $d
    expect 3 "nothing can be concluded" report $d --format console
done
sed '2s/"ev":"[a-z_]*"/"ev":"of_a_newer_version"/' r/events.jsonl >odd/events.jsonl
expect 0 "HELD" report odd --format console
if NO_COLOR=1 "$program" report r --format console | grep -q "$(printf '\033')"; then
    bad "color in spite of NO_COLOR"
else
    ok
fi
if "$program" list cases >/dev/full 2>err; then bad "a full disk is told as success"; else ok; fi

# --- interruption: the reports are written all the same
"$program" run --report-dir ri -p a >out 2>err &
pid=$!
n=0
while [ ! -s ri/events.jsonl.part ] && [ $n -lt 200 ]; do
    sleep 0.01
    n=$((n + 1))
done
kill -INT $pid
wait $pid
got=$?
if [ $got -eq 4 ]; then
    ok
    has INTERRUPTED ri/summary.json
    has '"interrupted":true' ri/events.jsonl
elif [ $got -eq 130 ]; then
    bad "killed by SIGINT instead of ending"
else
    skipped=$((skipped + 1)) # it was faster than the signal
fi

# --- a run that is killed leaves no name behind in shared memory (a later process of that number would say so)
"$program" run --report-dir rk -p a >out 2>err &
pid=$!
n=0
while [ ! -s rk/events.jsonl.part ] && [ $n -lt 200 ]; do
    sleep 0.01
    n=$((n + 1))
done
kill -KILL $pid 2>kill.err
wait $pid 2>kill.err
absent "/dev/shm/mongoc-$pid"
# And what another program left there under this process's number is no reason to say anything.
# shellcheck disable=SC2016
sh -c ': >"/dev/shm/mongoc-$$"; exec "$1" --version' sh "$program" >out 2>err
judge $? 0 "switchproof" "a name left behind in shared memory"
lacks . err

# --- verify and migrate
"$program" fixture generated a.db --seed 1 --rows 50 >out 2>err || bad "fixture"
"$program" fixture generated other.db --seed 2 --rows 50 >out 2>err || bad "fixture"
cp a.db b.db
expect 0 "equal (exit code 0)" verify sqlite:a.db sqlite:b.db
has '"verdict": "equal"' build/verify/verify.json
expect 1 "different (exit code 1)" verify sqlite:a.db sqlite:other.db
has '"verdict": "different"' build/verify/verify.json
expect 2 "no such file" verify sqlite:a.db sqlite:nowhere.db
absent nowhere.db
expect 2 "a file is named by a URL, for example sqlite:a.db" verify a.db b.db
expect 2 "are the same place" verify sqlite:a.db sqlite:./a.db
expect 2 "a password has no place in an argument" verify mongodb://u:hunter2@h/d sqlite:b.db
lacks hunter2 out err
expect 2 "is no known URL scheme" verify nosuch:x sqlite:b.db
expect 2 "the environment variable SP_CLI_UNSET is not set" verify env:SP_CLI_UNSET sqlite:b.db
expect 2 "matches --tables" verify sqlite:a.db sqlite:b.db --tables no_such_table
SP_CLI_URL=sqlite:b.db expect 0 "equal" verify sqlite:a.db env:SP_CLI_URL

# --- the lesser checks of verify
expect 3 "contents were not compared" verify sqlite:a.db sqlite:b.db --checks counts
has '"counts"' build/verify/verify.json
expect 0 "equal (exit code 0)" verify sqlite:a.db sqlite:b.db --checks profiles
expect 1 "    column " verify sqlite:a.db sqlite:other.db --checks profiles
has '"source_distinct"' build/verify/verify.json
has "Columns that differ" build/verify/report.html
has "Columns that differ" build/verify/summary.md
mkdir fa fb
expect 3 "nothing to compare" verify filesystem:fa filesystem:fb
expect 3 "keeps none" verify sqlite:a.db filesystem:fb
expect 3 "nothing to compare" verify sqlite:a.db filesystem:fb --checks blobs
expect 2 "no bucket of either side matches --buckets x" verify filesystem:fa filesystem:fb --buckets x
config <<'EOF'
checks:
  - { name: rows of all, query: { sqlite: "SELECT name, (SELECT count(*) FROM sqlite_schema) FROM sqlite_schema" }, expect: same }
EOF
expect 0 "equal" verify sqlite:a.db sqlite:b.db
config <<'EOF'
checks:
  - { name: wipe, query: { sqlite: "DELETE FROM sqlite_schema" }, expect: same }
EOF
expect 3 "only a query is run here" verify sqlite:a.db sqlite:b.db
rm switchproof.yaml
echo "this is no database, and it is longer than a header of a hundred bytes would need to be: xxxxxxxxxxxxxxxxxxx" >junk.db
expect 3 "not_compared" verify sqlite:a.db sqlite:junk.db
has '"verdict": "not_compared"' build/verify/verify.json
expect 0 "MIGRATED" migrate sqlite:a.db sqlite:new.db
expect 0 "equal" verify sqlite:a.db sqlite:new.db
expect 2 "exists on the target already" migrate sqlite:a.db sqlite:new.db
cp new.db before.db
expect 2 "exists" migrate sqlite:a.db sqlite:new.db --dry-run
if cmp -s new.db before.db; then ok; else bad "a dry run changed the target"; fi
expect 2 "no such file" migrate sqlite:a.db sqlite:new2.db --dry-run
absent new2.db
config <<'EOF'
providers:
  ro: { kind: sqlite, url: "sqlite:b.db" }
EOF
expect 2 "provider ro is read-only: write \`access: target\`" migrate sqlite:a.db ro
expect 0 "equal" verify sqlite:a.db ro

# --- a secret from the environment reaches no report
config <<'EOF'
providers:
  a: { kind: mock, url: "mock://u:${SP_CLI_SECRET}@x", access: disposable }
EOF
SP_CLI_SECRET=tell-no1 "$program" run -s auth --report-dir rs >out 2>err
lacks tell-no1 out err rs
# A password may be any word, also one that tells cases and providers apart.
config <<'EOF'
providers:
  mock: { kind: mock, url: "mock://u:${SP_CLI_SECRET}@x", access: disposable }
EOF
for word in mock crud count passed; do
    SP_CLI_SECRET=$word expect 0 "HELD" run -s crud -k crud.count --report-dir rw
    has 'name="crud.count" classname="mock.crud"' rw/junit.xml
done
SP_CLI_URL=postgresql://u:tell@no2@127.0.0.1:1/d expect 2 "%40" verify env:SP_CLI_URL sqlite:b.db --report-dir rs2
lacks no2 out err

# --- what a killed run left, its last line torn
expect 0 "removed" clean
mkdir -p files/sp-abcdefgh-storag0-1-st .switchproof/journal
journal=.switchproof/journal/abcdefgh.jsonl
{
    printf '{"run":"abcdefgh","format":1,"dir":"%s"}\n' "$(pwd -P)"
    printf '{"op":"made","provider":"f","kind":"filesystem","url":"filesystem:files","type":"bucket",'
    printf '"name":"sp-abcdefgh-storag0-1-st","ns":null}\n{"op":"made","prov'
} >$journal
cp $journal before.jsonl
expect 0 "1 object would be removed" clean --dry-run
if cmp -s $journal before.jsonl; then ok; else bad "a dry run changed the journal"; fi
expect 0 "1 object removed" clean
absent files/sp-abcdefgh-storag0-1-st
absent $journal

# Whose place is no secret is found again, also where it is another one's password.
config <<'EOF'
providers:
  a: { kind: mock, url: "mock://u:${SP_CLI_SECRET}@x", access: disposable }
  b: { kind: mock, url: "mock://u:${SP_CLI_OTHER}@storeb", access: disposable }
EOF
{
    printf '{"run":"abcdefgh","format":1,"dir":"%s"}\n' "$(pwd -P)"
    printf '{"op":"made","provider":"b","kind":"mock","url":"mock://u:***@storeb","type":"bucket",'
    printf '"name":"sp-abcdefgh-storag0-1-st","ns":null}\n'
} >$journal
SP_CLI_SECRET=storeb SP_CLI_OTHER=tell-no3 expect 0 "1 object removed" clean
lacks tell-no3 out err

# --- a fixture replaces a database, and nothing else
echo "precious" >notes.txt
expect 2 "is no SQLite database" fixture bench notes.txt --rows 1
has precious notes.txt
expect 2 'without "sqlite:"' fixture bench sqlite:q.db --rows 1
: >empty.db
expect 0 "1 rows" fixture bench empty.db --rows 1
expect 0 "2 rows" fixture bench empty.db --rows 2

finish
