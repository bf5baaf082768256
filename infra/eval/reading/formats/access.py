"""The combined access log: `192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "agent"`."""
import datetime, json, re, sys

for line in sys.stdin:
    line = line.rstrip("\n")
    stamp = re.search(r"\[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]", line)[1]
    at = datetime.datetime.strptime(stamp, "%d/%b/%Y:%H:%M:%S %z").astimezone(datetime.timezone.utc)
    status = int(re.search(r'" (\d{3}) (?:\d+|-)(?: "|$)', line)[1])
    level = "error" if status >= 500 else "warn" if status >= 400 else "info"
    print(json.dumps({"time": at.strftime("%Y-%m-%dT%H:%M:%S"), "level": level, "message": line}))
