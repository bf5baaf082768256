"""HDFS: `081109 203615 148 INFO dfs.DataNode$PacketResponder: text`."""
import datetime, json, sys

for line in sys.stdin:
    date, clock, _thread, level, rest = line.rstrip("\n").split(" ", 4)
    at = datetime.datetime.strptime(date + clock, "%y%m%d%H%M%S")
    print(json.dumps({"time": at.isoformat(), "level": level.lower(), "message": rest.split(": ", 1)[1]}))
