"""Apache 1.3 and 2.0 errors: `[Sun Dec 04 04:47:44 2005] [notice] text`; what a start prints has no header."""
import datetime, json, re, sys

LEVELS = {"emerg": "fatal", "alert": "fatal", "crit": "fatal", "error": "error", "warn": "warn", "notice": "info",
          "info": "info", "debug": "debug"}
for line in sys.stdin:
    line = line.rstrip("\n")
    found = re.fullmatch(r"\[(\w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4})\] \[(\w+)\] (.*)", line)
    if not found:
        print(json.dumps({"message": line}))
        continue
    at = datetime.datetime.strptime(found[1], "%a %b %d %H:%M:%S %Y")
    client = re.match(r"\[client [\d.]+\] ", found[3])
    print(json.dumps({"time": at.isoformat(), "level": LEVELS[found[2]], "message": found[3][client.end() if client else 0:]}))
