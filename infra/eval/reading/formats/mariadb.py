"""MariaDB's errors: `2026-11-30  2:22:50 8 [Warning] text`; other lines are what the server prints of itself."""
import json, re, sys

LEVELS = {"Note": "info", "Warning": "warn", "ERROR": "error"}
for line in sys.stdin:
    line = line.rstrip("\n")
    found = re.fullmatch(r"(\S+) +(\d+):(\d\d:\d\d) \d+ \[(\w+)\] (.*)", line)
    event = {}
    if found:
        event = {"time": f"{found[1]}T{int(found[2]):02}:{found[3]}", "level": LEVELS[found[4]], "message": found[5]}
    print(json.dumps(event))
