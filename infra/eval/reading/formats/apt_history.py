"""apt's history: paragraphs that begin with `Start-Date: 2026-10-22  21:59:01` and end with `End-Date`."""
import json, sys

at = None
for line in sys.stdin:
    line = line.rstrip("\n")
    if not line:
        continue
    name, value = line.split(": ", 1)
    if name in ("Start-Date", "End-Date"):
        at = "T".join(value.split())
    print(json.dumps({"time": at, "level": "info", "program": "apt", "message": line}))
