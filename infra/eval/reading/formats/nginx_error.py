"""nginx's errors: `2026/11/30 02:22:35 [error] 28574#28574: *118 text, client: …`."""
import json, re, sys

LEVELS = {"emerg": "fatal", "alert": "fatal", "crit": "fatal", "error": "error", "warn": "warn", "notice": "info", "info": "info", "debug": "debug"}
for line in sys.stdin:
    found = re.fullmatch(r"(\d+)/(\d+)/(\d+) (\S+) \[(\w+)\] \d+#\d+: (?:\*\d+ )?(.*)", line.rstrip("\n"))
    print(json.dumps({"time": f"{found[1]}-{found[2]}-{found[3]}T{found[4]}", "level": LEVELS[found[5]], "message": found[6]}))
