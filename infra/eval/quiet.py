#!/usr/bin/env python3
"""What is left of an auth.log without those who guess: a log in which nothing is to be found.

usage: quiet.py AUTH_LOG[.gz] > QUIET_LOG

Every address with five failed logins or more within 24 hours is taken out with all lines that name it, and with all
lines of the processes that named it. Knows syslog stamps and sshd's own words alone; shares nothing with the product.
"""

import collections
import datetime
import gzip
import re
import sys

LINE = re.compile(r"(\w{3}) +(\d+) (\d\d):(\d\d):(\d\d) (\S+) ([^\s\[:]+)(?:\[(\d+)\])?: (.*)")
ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]*:[0-9a-f:]*:[0-9a-f]+\b")
FAILED = re.compile(r"(?:error: )?(?:Failed \S+ for|maximum authentication attempts exceeded for|Invalid user)\b.* from (\S+)")
REPEATED = re.compile(r"message repeated (\d+) times: \[ (.*)\]$")
MONTHS = {name: number for number, name in enumerate(
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
DAY = datetime.timedelta(hours=24)
MANY = 5


def read(path):
    opened = gzip.open(path, "rt", errors="replace") if path.endswith(".gz") else open(path, errors="replace")
    with opened as lines:
        return [line.rstrip("\n") for line in lines]


def guessers(lines):
    """Addresses with many failures in a day, and the processes that named them."""
    failures, named = collections.defaultdict(list), collections.defaultdict(set)
    for line in lines:
        found = LINE.match(line)
        if not found:
            continue
        month, day, hour, minute, second, host, program, pid, text = found.groups()
        at = datetime.datetime(2000, MONTHS[month], int(day), int(hour), int(minute), int(second))
        times = 1
        if repeated := REPEATED.match(text):
            times, text = int(repeated[1]), repeated[2]
        for address in ADDRESS.findall(text):
            named[address].add((host, program, pid))
        if failed := FAILED.match(text):
            failures[failed[1]] += [at] * times
    many = set()
    for address, times in failures.items():
        times.sort()
        if any(last - first <= DAY for first, last in zip(times, times[MANY - 1:])):
            many.add(address)
    return many, set().union(*(named[address] for address in many))


def main():
    lines = read(sys.argv[1])
    many, processes = guessers(lines)
    for line in lines:
        found = LINE.match(line)
        process = (found[6], found[7], found[8]) if found else None
        if process in processes and process[2] is not None:
            continue
        if not many.isdisjoint(ADDRESS.findall(line)):
            continue
        print(line)


if __name__ == "__main__":
    main()
