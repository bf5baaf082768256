#!/usr/bin/env bash
# The agent for Windows, run by wine against a collector on this machine: samples, services, the Event Log and a watched file.
#   infra/test/wine.sh AGENT.exe LOG-SENTINEL
# Needs wine (Debian: wine, wine64; 104 MB) and a compiler for Windows (gcc-mingw-w64-x86-64). What wine lacks stands in wine/.
set -euo pipefail
agent=$(realpath "$1") server=$(realpath "$2") here=$(realpath "$(dirname "$0")")
scratch=$(mktemp -d) pids=()
end() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  WINEPREFIX="$scratch/wine" wineserver -k 2>/dev/null || true
  wait
  rm -rf "$scratch"
}
trap end EXIT
cd "$scratch"
x86_64-w64-mingw32-gcc -shared -o bcryptprimitives.dll "$here/wine/bcryptprimitives.c" -ladvapi32
x86_64-w64-mingw32-gcc -shared -o pdh.dll "$here/wine/pdh.c"
x86_64-w64-mingw32-gcc -o wevtutil.exe "$here/wine/wevtutil.c"
x86_64-w64-mingw32-gcc -o sc.exe "$here/wine/sc.c"
cp "$agent" agent.exe

port=18911
LOG_SENTINEL_DATA="$scratch/data" LOG_SENTINEL_ADDR=127.0.0.1:$port LOG_SENTINEL_ANOMALY_ADDR=127.0.0.1:0 \
  LOG_SENTINEL_ANOMALY_GRPC_ADDR=127.0.0.1:0 "$server" run >server.log 2>&1 &
pids+=($!)
cat >agent.yaml <<YAML
agent: { name: "wine", interval: 1 }
server: { url: "http://127.0.0.1:$port" }
monitoring: { services: { list: ["Spooler", "backup", "NoSuchService"] } }
YAML
for _ in $(seq 300); do curl -sf "127.0.0.1:$port/readyz" >/dev/null && break; sleep 0.1; done

export WINEPREFIX="$scratch/wine" WINEDEBUG=-all WINEDLLOVERRIDES=pdh=n
wineboot -i >/dev/null 2>&1 || true
mkdir logs
LOG_SENTINEL_DATA='C:\agent' LOG_SENTINEL_FILES="Z:${scratch//\//\\}\\logs\\*.log" wine agent.exe --config agent.yaml >agent.log 2>&1 &
pids+=($!)

python3 - "$port" <<'PYTHON' || { head -n 60 agent.log; tail -n 5 server.log; exit 1; }
import json, os, sys, time, urllib.parse, urllib.request
base = f"http://127.0.0.1:{sys.argv[1]}"
get = lambda path: json.load(urllib.request.urlopen(base + path, timeout=10))
search = "/api/v1/search?" + urllib.parse.urlencode({"q": '"bad block"', "from": "2026-11-30T00:00:00Z"})

def lacking():
    hosts = [host for host in get("/agents") if host["name"] == "wine"]
    if not hosts:
        return "the host", None, None
    found = get(search)
    metrics = hosts[0]["metrics"]
    parts = ["ram", "swap", "processes", "top", "services", "uptime_s"]
    return [part for part in parts if not metrics.get(part)] or (len(found["hits"]) < 2 and "events"), hosts[0], found

until = time.monotonic() + 90
while True:
    missing, host, found = lacking()
    if not missing:
        break
    if time.monotonic() > until:
        sys.exit(f"in vain waited for {missing}: {json.dumps(host)[:3000]}")
    time.sleep(0.5)

# A watched file that is written, renamed and made anew.
lines = lambda first: "".join(f"2026-12-01T10:00:00Z watched line {n}\n" for n in range(first, first + 50))
seen = lambda: get("/api/v1/search?" + urllib.parse.urlencode({"q": '"watched line"', "from": "2026-11-30T00:00:00Z", "limit": 200}))
def wait_for(count):
    while len(seen()["hits"]) < count:
        if time.monotonic() > until + 60:
            sys.exit(f"in vain waited for {count} lines: {len(seen()['hits'])}")
        time.sleep(0.2)
with open("logs/app.log", "w") as log:
    log.write(lines(0))
wait_for(50)
os.rename("logs/app.log", "logs/app.log.1")
with open("logs/app.log", "w") as log:
    log.write(lines(50))
wait_for(100)
with open("logs/app.log", "a") as log:
    log.write(lines(100))
wait_for(150)

# What would be read twice would have come by now.
time.sleep(12)
numbers = sorted(int(hit["message"].rsplit(" ", 1)[1]) for hit in seen()["hits"])
assert numbers == list(range(150)), numbers
found = get(search)
messages = sorted(hit["message"] for hit in found["hits"])
assert messages == [f"The device has a bad block ({n}).\r\nSecond line" for n in (1, 2)], messages
metrics = host["metrics"]
assert 0 < metrics["ram"]["percent"] <= 100 and metrics["ram"]["total"] > 1 << 28, metrics["ram"]
assert "cpu" not in metrics and "tcp" not in metrics, "what is not known is absent"
expected = {"Spooler": "running", "backup": "failed", "NoSuchService": "unknown"}
assert metrics["services"] == expected, metrics["services"]
print("host:", host.get("os"), "| groups:", ", ".join(metrics))
print(json.dumps({name: metrics[name] for name in ("ram", "disk", "network", "services") if name in metrics})[:600])
print("a busy process:", json.dumps(metrics["top"][0])[:300])
PYTHON
grep -q 'Security: Access is denied' agent.log || echo "not told in its log: that the Security log is refused"
echo "the agent for Windows measures, and reads the Event Log and files, under $(wine --version 2>/dev/null)"
