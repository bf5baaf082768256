"""Blue Gene/L: `- 1117838570 2005.06.03 R02-… 2005-06-03-15.42.50.363779 R02-… RAS KERNEL INFO text`."""
import datetime, json, sys

LEVELS = {"INFO": "info", "WARNING": "warn", "ERROR": "error", "SEVERE": "error", "FATAL": "fatal", "FAILURE": "fatal"}
for line in sys.stdin:
    parts = line.rstrip("\n").split(" ", 9)
    at = datetime.datetime.fromtimestamp(int(parts[1]), datetime.timezone.utc)
    event = {"time": at.strftime("%Y-%m-%dT%H:%M:%S"), "host": parts[3], "message": parts[9] if len(parts) > 9 else ""}
    if parts[8] in LEVELS:
        event["level"] = LEVELS[parts[8]]
    print(json.dumps(event))
