"""Proxifier: `[10.30 16:49:06] chrome.exe - text`; the year is the one before the file was packed for the first time."""
import json, re, sys

for line in sys.stdin:
    found = re.fullmatch(r"\[(\d\d)\.(\d\d) (\d\d:\d\d:\d\d)\] (.*)", line.rstrip("\n"))
    print(json.dumps({"time": f"YEAR-{found[1]}-{found[2]}T{found[3]}", "level": "info", "message": found[4]}))
