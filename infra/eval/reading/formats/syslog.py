"""Classic syslog without its priority: `Jun 14 15:16:01 combo sshd(pam_unix)[19939]: text`. It names no level, and what a
kernel says in words that are one is an error at least: those are not compared."""
import datetime, json, re, sys

GRAVE = re.compile(r"panic|out of memory|oom|i/o error|segfault|fatal|crit|emerg|fail|error|warn", re.I)
for line in sys.stdin:
    line = line.rstrip("\n")
    at = datetime.datetime.strptime("2000 " + line[:15], "%Y %b %d %H:%M:%S")
    host, _, rest = line[16:].partition(" ")
    found = re.match(r"([^\s\[:()]+)(\([^)]*\))?(\[\d+\])?: ?", rest)
    event = {"time": at.strftime("YEAR-%m-%dT%H:%M:%S"), "host": host}
    if found:
        text = rest[found.end():]
        event |= {"program": found[1], "message": re.sub(r"^\[ *\d+\.\d+\] ", "", text) if found[1] == "kernel" else text}
    if not GRAVE.search(rest):
        event["level"] = "info"
    print(json.dumps(event))
