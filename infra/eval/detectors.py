#!/usr/bin/env python3
"""What the detectors find: scenarios of the CrowdSec hub, and a log in which nothing is to be found.

usage: detectors.py DATA [--missed]

DATA holds security/crowdsec_scenarios.jsonl and logs/raw/auth_ec2_2017.log.gz. Runs target/release/sentinel-bench (or
what SENTINEL_BENCH names) and prints markdown. A scenario counts as found when a signal of its class of behaviour
names its source; figures are given by halves, told apart by a checksum of the row's id.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
BENCH = os.environ.get("SENTINEL_BENCH", str(HERE.parents[1] / "target/release/sentinel-bench"))
JUDGED = ("ssh", "http", "linux")


def signals(*arguments):
    done = subprocess.run([BENCH, "signals", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"sentinel-bench signals failed:\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def plain(source):
    """An address of IPv4 in the clothes of IPv6 is one of IPv4."""
    return source.removeprefix("::ffff:")


def scenarios(data, show):
    path = data / "security/crowdsec_scenarios.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    found = {row["id"]: {(each["kind"], plain(each["source"])) for each in row["signals"]} for row in signals(path)}
    hits, silent = collections.defaultdict(lambda: [0, 0]), []
    for row in rows:
        half = "first" if zlib.crc32(row["id"].encode()) % 2 == 0 else "second"
        ours = found.get(row["id"], set())
        wanted = {(alert["behavior"], plain(source))
                  for alert in row["expect"]["alerts"] for source in alert["sources"] if alert["behavior"]}
        for behavior, source in sorted(wanted):
            is_found = (behavior, source) in ours
            service = behavior.split(":")[0]
            for name in (half, "all"):
                for group in (behavior, f"*{service}*", "*ssh, http, linux*" if service in JUDGED else "*others*"):
                    hits[group, name][0] += is_found
                    hits[group, name][1] += 1
            if show and not is_found:
                print(f"missed {row['id']}: {behavior} {source}; found {sorted(ours)}", file=sys.stderr)
        if row["expect"]["count"] == 0:
            silent.append((row["id"], sorted(ours)))
    print("\n## Scenarios of the CrowdSec hub: pairs of source and behaviour that are found\n")
    print("| behaviour | first half | second half | all |\n|---|---|---|---|")
    for group in sorted({group for group, _ in hits}, key=lambda group: (group[0] == "*", group)):
        cells = ["{} of {}".format(*hits[group, name]) for name in ("first", "second", "all")]
        print(f"| {group} | {' | '.join(cells)} |")
    print("\nRows in which the hub finds nothing:\n")
    for name, ours in silent:
        print(f"- {name}: {', '.join(' '.join(pair) for pair in ours) or 'nothing'}")


def quiet(data):
    log = data / "logs/raw/auth_ec2_2017.log.gz"
    with tempfile.NamedTemporaryFile("w", suffix=".log") as left:
        subprocess.run([sys.executable, HERE / "quiet.py", log], stdout=left, check=True)
        lines = Path(left.name).read_text().count("\n")
        told = signals("--replay", left.name, "--as", "auth.log", "--now", "2017-04-21T00:00:00Z")
    print("\n## A log without those who guess\n")
    print(f"auth_ec2_2017, {lines:,} lines are left of 24 days (3.5 weeks); {len(told)} signals:\n")
    for each in told:
        print(f"- {each['first']}: {each['rule']}, {each['entities'][0]['value'][:60]} ({each['count']})")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--missed", action="store_true", help="name what is missed on standard error")
    chosen = arguments.parse_args()
    scenarios(chosen.data, chosen.missed)
    quiet(chosen.data)


if __name__ == "__main__":
    main()
