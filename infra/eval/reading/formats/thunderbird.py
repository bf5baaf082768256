"""Thunderbird: `- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond(pam_unix)[2915]: text`, its time in seconds."""
import datetime, json, re, sys

for line in sys.stdin:
    found = re.fullmatch(r"\S+ (\d+) \S+ (\S+) \w+ +\d+ \S+ (\S+) (?:([^\s\[:()]+)(?:\(.*?\))?(?:\[\d+\])?: )?(.*)", line.rstrip("\n"))
    at = datetime.datetime.fromtimestamp(int(found[1]), datetime.timezone.utc)
    event = {"time": at.strftime("%Y-%m-%dT%H:%M:%S"), "host": found[2]}
    if found[4]:
        program = found[4].rsplit("/", 1)[-1] if found[4].startswith("/") else found[4]
        event |= {"program": program, "message": found[5]}
    print(json.dumps(event))
