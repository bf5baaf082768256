"""PostgreSQL: `2026-11-30 02:22:28.422 UTC [27841] ann@shop LOG:  text`; lines that begin with a tab go on with the one before."""
import json, re, sys

LEVELS = {"DEBUG": "debug", "INFO": "info", "NOTICE": "info", "LOG": "info", "WARNING": "warn", "ERROR": "error", "FATAL": "fatal", "PANIC": "fatal"}
for line in sys.stdin:
    found = re.fullmatch(r"(\S+) (\S+) UTC \[\d+\] (?:\S+@\S+ )?([A-Z]+):  (.*)", line.rstrip("\n"))
    event = {"time": f"{found[1]}T{found[2]}", "level": LEVELS.get(found[3], "info")}
    if found[3] in LEVELS:
        event["message"] = found[4]
    print(json.dumps(event))
