"""ZooKeeper: `2015-07-29 17:41:44,747 - INFO  [thread:class@774] - text`."""
import json, re, sys

for line in sys.stdin:
    found = re.fullmatch(r"(\S+) (\S+),(\d+) - (\w+) +\[.*?\] - (.*)", line.rstrip("\n"))
    print(json.dumps({"time": f"{found[1]}T{found[2]}.{found[3]}", "level": found[4].lower(), "message": found[5]}))
