"""Redis: `30134:M 30 Nov 2026 02:22:52.506 - text`; the picture at the start has no header."""
import datetime, json, re, sys

LEVELS = {".": "debug", "-": "debug", "*": "info", "#": "warn"}
for line in sys.stdin:
    line = line.rstrip("\n")
    found = re.fullmatch(r"\d+:\w (\d+ \w{3} \d{4} [\d:]+)\.(\d+) ([.*#-]) (.*)", line)
    event = {}
    if found:
        at = datetime.datetime.strptime(found[1], "%d %b %Y %H:%M:%S")
        event = {"time": f"{at.isoformat()}.{found[2]}", "level": LEVELS[found[3]], "message": found[4]}
    print(json.dumps(event))
