"""update-alternatives: `update-alternatives 2026-10-22 21:59:01: text`."""
import json, sys

for line in sys.stdin:
    program, date, rest = line.rstrip("\n").split(" ", 2)
    clock, text = rest.split(": ", 1)
    print(json.dumps({"time": f"{date}T{clock}", "level": "info", "program": program, "message": text}))
