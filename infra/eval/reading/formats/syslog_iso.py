"""syslog with whole stamps: `2026-11-30T02:22:18.084683+00:00 vm sshd[2050]: text`."""
import json, re, sys

GRAVE = re.compile(r"panic|out of memory|i/o error|segfault|fatal|crit|emerg|fail|error|warn", re.I)
for line in sys.stdin:
    found = re.fullmatch(r"(\S+)\+00:00 (\S+) ([^\s\[:]+)(?:\[\d+\])?: ?(.*)", line.rstrip("\n"))
    text = re.sub(r"^\[ *\d+\.\d+\] ", "", found[4]) if found[3] == "kernel" else found[4]
    event = {"time": found[1], "host": found[2], "program": found[3], "message": text}
    if not GRAVE.search(text) and found[3] != "haproxy":
        event["level"] = "info"
    print(json.dumps(event))
