"""Android: `03-17 16:13:38.811  1702  2395 D WindowManager: text`."""
import json, re, sys

LEVELS = {"V": "trace", "D": "debug", "I": "info", "W": "warn", "E": "error", "F": "fatal"}
for line in sys.stdin:
    found = re.fullmatch(r"(\d\d)-(\d\d) (\S+) +\d+ +\d+ (\w) (.*?) *: (.*)", line.rstrip("\n"))
    print(json.dumps({"time": f"YEAR-{found[1]}-{found[2]}T{found[3]}", "level": LEVELS[found[4]], "message": found[6]}))
