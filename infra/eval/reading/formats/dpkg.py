"""dpkg: `2026-10-22 21:59:01 status installed nginx:amd64 1.24.0-2`."""
import json, sys

for line in sys.stdin:
    date, clock, rest = line.rstrip("\n").split(" ", 2)
    print(json.dumps({"time": f"{date}T{clock}", "level": "info", "program": "dpkg", "message": rest}))
