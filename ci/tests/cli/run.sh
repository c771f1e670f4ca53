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
expect 0 "all is well" doctor
expect 0 "SP_CLI_UNSET is not set; the provider is optional" doctor
expect 2 "no provider is called" doctor -p b

# --- run
expect 0 "HELD" run -p a -s auth --seed 7 --report-dir r
for f in events.jsonl junit.xml summary.json summary.md report.html; do
    if [ -s "r/$f" ]; then ok; else bad "no r/$f"; fi
done
absent r/events.jsonl.part
has '"seed":"7"' r/events.jsonl
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

expect 0 "removed" clean

finish
