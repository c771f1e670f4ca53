#!/usr/bin/env bash
# compose.sh -- docker-compose.yml: it parses, images have exact tags, services health checks and loopback ports only; and
# `make up`, `make down` say what is missing. Nothing is started here. Usage: ci/tests/cli/compose.sh [BUILD_DIRECTORY]
set -u

# shellcheck source=ci/tests/cli/common
. "$(dirname "$0")/common"
check=$build/tools/check_compose
file=$repo/docker-compose.yml

# held CODE TEXT NAME COMMAND...
held() {
    local code=$1 text=$2 name=$3 rc=0
    shift 3
    "$@" >"$dir/out" 2>"$dir/err" </dev/null || rc=$?
    judge "$rc" "$code" "$text" "$name"
}

held 0 "mongo mongo mongo:" "docker-compose.yml keeps its rules" "$check" "$file" postgres mongo supabase
held 1 "no service has this profile" "an unknown profile" "$check" "$file" oracle

# The checker sees each breach: one line of the file changed.
breach() {
    sed "$2" "$file" >"$dir/broken.yml"
    if cmp -s "$file" "$dir/broken.yml"; then
        bad "breach: $1: nothing was changed"
    else
        held 1 "$3" "breach: $1" "$check" "$dir/broken.yml" mongo
    fi
}
breach "an image without a tag" 's/image: mongo:.*/image: mongo/' 'exact tag'
breach "a tag that moves" 's/image: mongo:.*/image: mongo:latest/' 'exact tag'
breach "a tag that moves within a release" 's/image: mongo:.*/image: mongo:7/' 'exact tag'
breach "a port for everybody" 's/"127\.0\.0\.1:\(.*5432"\)/"\1/' 'not bound to 127.0.0.1'
breach "a port for everybody by address" 's/"127\.0\.0\.1:\(.*5432"\)/"0.0.0.0:\1/' 'not bound to 127.0.0.1'
breach "no way in" '/"127\.0\.0\.1:.*27017"/d' 'no port leads to this profile'
breach "no health check" 's/^    healthcheck:/    labels:/' 'no health check'
breach "a health check that checks nothing" 's/test: \[CMD, .*/test: [NONE]/' 'no health check'
breach "no profile" '/profiles: \[mongo\]/d' 'no profile: it would'
breach "data that stays" 's/^    tmpfs:/    volumes:/' 'a volume'

# Compose itself reads it, where it is installed; that needs no daemon.
if docker compose version >/dev/null 2>&1; then
    held 0 "switchproof" "docker compose reads it" docker compose -f "$file" --profile postgres --profile mongo --profile supabase config
elif command -v docker-compose >/dev/null 2>&1; then
    held 0 "switchproof" "docker-compose reads it" docker-compose -f "$file" --profile postgres --profile mongo --profile supabase config
else
    skip "docker's compose is not installed: docker-compose.yml was checked by our own rules only"
fi

held 1 "postgres" "make up without a profile names them" "$repo/ci/compose" up
held 1 "no profile 'oracle'" "make up with an unknown profile" "$repo/ci/compose" up oracle
held 2 "usage" "an unknown action" "$repo/ci/compose" sideways
mkdir "$dir/bin" "$dir/docker"
for tool in bash env sed sort paste dirname; do ln -s "$(command -v $tool)" "$dir/bin/"; done
held 1 "Docker is not installed" "a machine without Docker" env PATH="$dir/bin" "$repo/ci/compose" up mongo

# A docker that plays its part: its answers stand in files.
cat >"$dir/docker/docker" <<'D'
#!/usr/bin/env bash
here=$(dirname "$0")
echo "$*" >>"$here/calls"
case "$*" in
"compose version") ;;
info) exit "$(cat "$here/info")" ;;
inspect*) cat "$here/health" ;;
*" ps --quiet") echo c1 ;;
*logs*) echo "the server's own words" ;;
*" down "*) echo "removed" ;;
esac
D
chmod +x "$dir/docker/docker"
PATH=$dir/docker:$PATH
export COMPOSE_PATIENCE=1
echo 1 >"$dir/docker/info"
held 1 "daemon does not answer" "a docker without its daemon" "$repo/ci/compose" up mongo
echo 0 >"$dir/docker/info"
echo "running healthy" >"$dir/docker/health"
held 0 "MONGODB_URL=mongodb://switchproof:local-only@127.0.0.1:57017/switchproof?" "a healthy stack gives its URL" \
    "$repo/ci/compose" up mongo
held 0 "POSTGRESQL_URL=postgresql://switchproof:other@127.0.0.1:5555/switchproof" "password and port from the environment" \
    env POSTGRES_PASSWORD=other POSTGRES_PORT=5555 "$repo/ci/compose" up postgres
held 0 "SUPABASE_KEY=eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." "a project's keys are made with its stack" \
    "$repo/ci/compose" up supabase
cp "$dir/out" "$dir/keys"
held 0 "SUPABASE_URL=supabase+http://127.0.0.1:5556" "the gateway's port from the environment" \
    env SUPABASE_PORT=5556 "$repo/ci/compose" up supabase
if [ "$(grep -h ^SUPABASE_KEY= "$dir/keys" "$dir/out" | sort -u | wc -l)" -eq 2 ]; then ok; else
    bad "two stacks have the same key"
fi
if grep -q eyJ "$dir/docker/calls"; then bad "a key stands in an argument"; else ok; fi
for state in "running starting" "running unhealthy" "running " "exited "; do
    echo "$state" >"$dir/docker/health"
    held 1 "the server's own words" "a stack that is '$state' is not up" "$repo/ci/compose" up mongo
done
printf 'running healthy\nrunning starting\n' >"$dir/docker/health"
held 1 "did not become healthy" "one of two is not enough" "$repo/ci/compose" up mongo
held 0 "removed" "make down" "$repo/ci/compose" down
if grep -q -- '--profile mongo --profile postgres --profile supabase down --volumes' "$dir/docker/calls"; then ok; else
    bad "make down takes all profiles"
fi

finish
