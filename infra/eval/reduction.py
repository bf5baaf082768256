#!/usr/bin/env python3
"""Whether few signals tell of much: days and weeks of real logs, and whether everybody who has to be in a signal is in one.

usage: reduction.py DATA

DATA holds logs/raw/auth_ec2_2017.log.gz and logs/raw/apache_access_2015.log.gz. Runs target/release/sentinel-bench (or
what SENTINEL_BENCH names), prints markdown, and fails where a day of both logs has more than ten signals, a week without
those who guess and what scanners ask for more than three, or somebody is in none: each address with five failed logins
or more within 24 hours, and each request whose path is one of web_probes.txt. Who that is is worked out here and in
quiet.py, which share no code with the program.
"""

import collections
import datetime
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import quiet

HERE = Path(__file__).resolve().parent
BENCH = os.environ.get("SENTINEL_BENCH", str(HERE.parents[1] / "target/release/sentinel-bench"))
DAY_MAX, WEEK_MAX = 10, 3
REQUEST = re.compile(r'(\S+) \S+ \S+ \[(\d+)/(\w+)/(\d+):[^\]]*\] "[A-Z]+ ([^ ?"]*)')


def probes():
    patterns = (HERE / "web_probes.txt").read_text().splitlines()
    return re.compile("|".join(f"(?:{line})" for line in patterns if line and line[0] != "#"), re.IGNORECASE)


def signals(lines, name, now):
    """The signals of these lines of a log, by a run of their own."""
    with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
        log.write("".join(f"{line}\n" for line in lines))
        log.flush()
        command = [BENCH, "signals", "--replay", log.name, "--as", name, "--now", now]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"sentinel-bench signals failed:\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def named(told):
    return {entity["value"] for each in told for entity in each["entities"] if entity["type"] == "source.ip"}


def day(each):
    return each["first"][:10]


def by_days(told, days):
    counts = collections.Counter(map(day, told))
    return [counts[one] for one in days]


def days_between(first, last):
    return [str(first + datetime.timedelta(days=n)) for n in range((last - first).days + 1)]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    raw, wrong = Path(sys.argv[1]) / "logs/raw", []
    auth = quiet.read(str(raw / "auth_ec2_2017.log.gz"))
    with gzip.open(raw / "apache_access_2015.log.gz", "rt", errors="replace") as lines:
        access = [line.rstrip("\n") for line in lines]
    guessers, processes = quiet.guessers(auth)
    probe = probes()
    probing = [found for found in map(REQUEST.match, access) if found and probe.search(found[5])]
    auth_now, access_now = "2017-04-21T00:00:00Z", "2015-05-21T00:00:00Z"
    of_auth, of_access = signals(auth, "auth.log", auth_now), signals(access, "access.log", access_now)
    days = days_between(datetime.date(2017, 3, 27), datetime.date(2017, 4, 20))
    access_days = days_between(datetime.date(2015, 5, 17), datetime.date(2015, 5, 20))
    # The two logs are of different years: each day of the one may be beside the worst of the other.
    most_of_access = max(by_days(of_access, access_days))
    counts = by_days(of_auth, days)
    alone = max(len(signals([line for line in auth if line.startswith(start)], "auth.log", auth_now))
                for start in {line[:6] for line in auth})
    print("\n## Few signals for much\n\n| log | lines | signals | a day | most in a day | lines a signal |\n|---|---|---|---|---|---|")
    for name, lines, told, each in (("auth_ec2_2017", auth, of_auth, counts),
                                    ("apache_access_2015", access, of_access, by_days(of_access, access_days))):
        print(f"| {name} | {len(lines):,} | {len(told)} | {len(told) / len(each):.1f} | {max(each)} | {len(lines) / max(len(told), 1):.0f} |")
    print(f"\nThe most of a day of auth_ec2_2017 that is taken in alone: {alone}.")
    if max(max(counts), alone) + most_of_access > DAY_MAX:
        wrong.append(f"a day of both logs has {max(max(counts), alone)} and {most_of_access} signals, more than {DAY_MAX}")

    left_out = sorted(address for address in guessers if address not in named(of_auth))
    print(f"\nAddresses with five failures or more within 24 hours: {len(guessers)}, of which in a signal {len(guessers) - len(left_out)}.")
    wrong += [f"{address} guesses and is in no signal" for address in left_out]
    of_web = named(of_access)
    left_out = sorted({(found[1], found[5]) for found in probing if found[1] not in of_web})
    print(f"Requests for what scanners look for: {len(probing)} of {len({found[1] for found in probing})} addresses; "
          f"of addresses in no signal {len(left_out)}.")
    wrong += [f"{address} asked for {path} and is in no signal" for address, path in left_out]

    lines = [line for line in auth if not is_of(line, guessers, processes)]
    of_quiet = signals(lines, "auth.log", auth_now)
    starts = [datetime.date(2017, 3, 27) + datetime.timedelta(days=n) for n in range(18)]
    weeks = [sum(by_days(of_quiet, days_between(start, start + datetime.timedelta(days=6)))) for start in starts]
    kept = [line for line in access if not ((found := REQUEST.match(line)) and probe.search(found[5]))]
    quiet_web = signals(kept, "access.log", access_now)
    print(f"\nWithout those: {len(lines):,} lines with {len(of_quiet)} signals, in the worst of {len(weeks)} weeks {max(weeks)}; "
          f"{len(kept):,} requests with {len(quiet_web)}:\n")
    for each in of_quiet + quiet_web:
        print(f"- {each['first']}: {each['rule']}, {each['severity']}, {each['entities'][0]['value'][:60]} ({each['count']})")
    if max(weeks) + len(quiet_web) > WEEK_MAX:
        wrong.append(f"a quiet week has {max(weeks)} signals and {len(quiet_web)}, more than {WEEK_MAX}")
    if wrong:
        sys.exit("\n".join(wrong))


def is_of(line, guessers, processes):
    """Whether a line is of those who guess, or of a process that named them."""
    found = quiet.LINE.match(line)
    is_process = found and found[8] is not None and (found[6], found[7], found[8]) in processes
    return is_process or not guessers.isdisjoint(quiet.ADDRESS.findall(line))


if __name__ == "__main__":
    main()
