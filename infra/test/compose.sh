#!/usr/bin/env bash
# Shows that docker-compose.yml works: brings its services up (but for Kibana, which has no stand-in where no
# image registry is reached), and holds what comes out against what went in. Run as root; see compose-stack for
# what has to be installed. Prints the times and the size of the image, and takes everything down again.
#   compose.sh [BINARY]     BINARY: a static log-sentinel; built by infra/docker/binary if none is given
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
stack="$here/compose-stack"
image="$root/infra/docker/image"
say() { echo "compose.sh: $*"; }
fail() { echo "compose.sh: FAILED: $*" >&2; exit 1; }

# A project of its own, beside one that may be running: any free ports, other volumes.
export COMPOSE_PROJECT_NAME=log-sentinel-check COLLECTOR_PORT=0 ANOMALY_PORT=0
export LOG_SENTINEL_IMAGE_STAGE=prebuilt
# The stand-in's server can keep no accounts: the collector uses the superuser there.
export ELASTICSEARCH_COLLECTOR_USERNAME=elastic
work="$(mktemp -d)"
export SECRETS="$work/secrets"
"$root/infra/docker/passwords" "$SECRETS" /dev/null >/dev/null
cp --remove-destination "$SECRETS/elasticsearch_superuser_password" "$SECRETS/elasticsearch_collector_password"

DOCKER_HOST="$("$stack" daemon)"
export DOCKER_HOST DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0
compose() { "$stack" compose -f "$root/docker-compose.yml" "$@"; }
finish() {
  local code=$?
  [ "$code" = 0 ] || { compose ps; compose logs --tail 30 collector anomaly setup; } >&2 || true
  compose down -v --remove-orphans >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT

# Waits until a command succeeds, at most three minutes: a server may take one to start on a busy machine.
until_ok() {
  local what="$1" end=$((SECONDS + 180)); shift
  until "$@"; do
    [ $SECONDS -lt $end ] || fail "$what: not within three minutes"
    sleep 0.5
  done
}

if [ $# -gt 0 ]; then
  mkdir -p "$image/var/lib/log-sentinel" "$image/tmp"
  install -m 755 "$1" "$image/log-sentinel"
else
  "$root/infra/docker/binary"
fi
docker build -q -f "$root/infra/docker/Dockerfile" --target prebuilt -t log-sentinel "$root" >/dev/null
say "image of $(docker image inspect -f '{{.Size}}' log-sentinel) bytes"

begin=$SECONDS
"$stack" up "$root/docker-compose.yml" collector >"$work/up" 2>&1 || true
cat "$work/up"
healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$(compose ps -q "$1")" 2>/dev/null)" = healthy ]; }
for service in elasticsearch anomaly collector; do until_ok "$service healthy" healthy "$service"; done
for service in accounts setup; do
  # Ended services are listed with --all only by newer versions of compose.
  id="$(docker ps -aq --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" --filter "label=com.docker.compose.service=$service")"
  [ "$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$id")" = "exited 0" ] || fail "$service did not end well"
done
say "healthy after $((SECONDS - begin)) s"

# A service's address; its port is another one after each start.
url() { echo "http://$(docker port "$(compose ps -q "$1")" "$2" | head -n1)$3"; }
collector() { url collector 8080 "$1"; }
anomaly() { url anomaly 8000 "$1"; }
printf 'header = "Authorization: Bearer %s"\n' "$(cat "$SECRETS/api_keys")" > "$work/key"
ask() { curl -K "$work/key" -sS --noproxy '*' --fail-with-body -m 60 "$@"; }
# The cluster is not published: it is asked within its own container.
cluster() {
  compose exec -T elasticsearch sh -c "printf 'user = \"elastic:%s\"' \"\$(cat /run/secrets/elasticsearch_superuser_password)\" | curl -K - -sS -H 'content-type: application/json' ${2:-} 'http://localhost:9200$1'"
}
# A server puts nothing on a disk that is nearly full, as those of test machines are.
cluster /_cluster/settings "-X PUT -d '{\"persistent\":{\"cluster.routing.allocation.disk.threshold_enabled\":false}}'" >/dev/null
stored() { cluster "/logs-sentinel/_search?size=0&track_total_hits=true" | sed -n 's/.*"total":{"value":\([0-9]*\).*/\1/p'; }
has_stored() { [ "$(stored)" = "$1" ]; }
found() { ask -G "$(collector /api/v1/search)" -d limit=0 --data-urlencode "q=$1" | grep -q "\"total\":$2[,}]"; }

ask -X POST "$(collector /logs)" -H 'content-type: application/json' \
  -d '{"level":"error","message":"compose first marker","source":"compose"}' | grep -q '"accepted":1' || fail "POST /logs"
until_ok "the event is in the cluster" has_stored 1
cluster '/logs-sentinel/_search?q=message:marker' | grep -q '"message":"compose first marker"' || fail "_search does not show it"
say "POST /logs is visible in _search"

# Neither port answers without the key, and nobody but the collector reaches the third.
for address in "$(collector /api/v1/search)" "$(anomaly /model)"; do
  [ "$(curl -sS --noproxy '*' -o /dev/null -w '%{http_code}' "$address")" = 401 ] || fail "$address answers without a key"
done
compose exec -T elasticsearch sh -c 'curl -sS -m 5 http://anomaly:50051 >/dev/null 2>&1' && fail "anyone reaches 50051"
say "keys are asked for"

ask -X POST "$(anomaly /train)" -H 'content-type: application/json' \
  -d '[{"level":"info","message":"a","source":"x"},{"level":"info","message":"b","source":"x"}]' >"$work/train"
ask -X POST "$(anomaly /predict)" -H 'content-type: application/json' -d '{"level":"error","message":"c","source":"x"}' >"$work/predict"
grep -q '"anomaly_score"' "$work/predict" || fail "/predict: $(cat "$work/predict")"
say "/train: $(cut -c1-200 "$work/train")"
say "/predict: $(cut -c1-200 "$work/predict")"

# Killed while events are on their way: what was acknowledged is there once, and once only.
for number in $(seq 2 101); do echo "{\"message\":\"compose marker $number\",\"source\":\"compose\"}"; done > "$work/lines"
ask -X POST "$(collector /logs)" -H 'content-type: application/x-ndjson' --data-binary "@$work/lines" | grep -q '"accepted":100' || fail "100 events"
docker kill -s KILL "$(compose ps -q collector)" >/dev/null
compose up -d --no-deps collector >/dev/null 2>&1
until_ok "collector healthy again" healthy collector
until_ok "all events after a killed collector" has_stored 101
say "nothing lost by a killed collector"

# The cluster away: events are accepted and found; they reach it once it is back.
compose stop elasticsearch >/dev/null 2>&1
ask -X POST "$(collector /logs)" -H 'content-type: application/json' -d '{"message":"while away","source":"compose"}' |
  grep -q '"accepted":1' || fail "POST /logs without a cluster"
until_ok "search without a cluster" found '"while away"' 1
compose restart collector >/dev/null 2>&1
until_ok "collector healthy without a cluster" healthy collector
compose start elasticsearch >/dev/null 2>&1
until_ok "elasticsearch healthy again" healthy elasticsearch
until_ok "the event accepted meanwhile" has_stored 102
say "nothing lost while the cluster was away"

# A second run of what prepares the cluster changes nothing.
compose run --rm --no-deps setup elastic status | tee "$work/status"
grep -q '^state: ready$' "$work/status" || fail "set-up is not ready"

# What the file promises holds for the running containers.
for service in elasticsearch anomaly collector; do
  docker inspect -f '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.Memory}}' "$(compose ps -q "$service")" |
    grep -Eq '^(65534:65534|1000:0) true \[ALL\] [1-9]' || fail "$service has more than it should"
done
docker stats --no-stream --format '{{.Name}} {{.MemUsage}}'
say "all done in $((SECONDS - begin)) s"
