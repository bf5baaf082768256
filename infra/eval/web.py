#!/usr/bin/env python3
"""What is found in the logs of web servers.

    infra/eval/web.py DATA [--wrong]

DATA holds security/signals.jsonl, security/crowdsec_scenarios.jsonl and logs/raw/apache_access_2015.log.gz. Runs
target/release/sentinel-bench (or what SENTINEL_BENCH names) and prints markdown. Halves are told apart by a checksum of
the rows' ids; rows of both were looked at while the rules were written. The quiet log is what web_probes.txt leaves of a public site's log; the
script shares no code with the program.
"""
import argparse, collections, gzip, json, os, re, subprocess, sys, tempfile, zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
BENCH = os.environ.get("SENTINEL_BENCH", str(HERE.parents[1] / "target/release/sentinel-bench"))
KINDS = ("web_attack", "web_probe", "web_malformed", "web_auth_failure", "web_rate")


def signals(*arguments):
    done = subprocess.run([BENCH, "signals", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"sentinel-bench signals failed:\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def half(row):
    return "odd" if zlib.crc32(row["id"].encode()) & 1 else "even"


def kinds(data, wrong):
    path = data / "security/signals.jsonl"
    said = {row["id"]: row["kind"] for row in signals(path)}
    counts = {name: collections.Counter() for name in ("even", "odd", "all")}
    for row in rows(path):
        if row.get("conflict") or "line" not in row:
            continue
        pair = row["expect"]["kind"], said[row["id"]]
        for name in (half(row), "all"):
            counts[name][pair] += 1
        if wrong and pair[0] != pair[1] and any(kind in KINDS for kind in pair):
            print(*pair, row["id"], row["line"][:200], sep=" | ", file=sys.stderr)
    print("\n## Kinds of lines of web servers: F1\n\n| kind | rows | even half | odd half | all |\n|---|---|---|---|---|")
    for kind in KINDS:
        cells = []
        for name in ("even", "odd", "all"):
            right = counts[name][kind, kind]
            of = sum(n for pair, n in counts[name].items() for said in pair if said == kind)
            cells.append(f"{2 * right / of:.3f}" if of else "-")
        of = sum(n for (expected, _), n in counts["all"].items() if expected == kind)
        print(f"| {kind} | {of} | {' | '.join(cells)} |")


def scenarios(data, wrong):
    path = data / "security/crowdsec_scenarios.jsonl"
    found = {row["id"]: {(each["kind"], each["source"].removeprefix("::ffff:")) for each in row["signals"]}
             for row in signals(path)}
    hits = collections.defaultdict(lambda: [0, 0])
    for row in rows(path):
        for behavior, source in sorted({(alert["behavior"], source.removeprefix("::ffff:")) for alert in
                                        row["expect"]["alerts"] for source in alert["sources"] if alert["behavior"]}):
            if not behavior.startswith("http:"):
                continue
            right = (behavior, source) in found.get(row["id"], set())
            for group in (behavior, "*all*"):
                for name in (half(row), "all"):
                    hits[group, name][0] += right
                    hits[group, name][1] += 1
            if wrong and not right:
                print(f"missed {row['id']}: {behavior} {source}; {sorted(found.get(row['id'], []))}", file=sys.stderr)
    print("\n## Scenarios of the CrowdSec hub at web servers\n\n| behaviour | even half | odd half | all |\n|---|---|---|---|")
    for group in sorted({group for group, _ in hits}, key=lambda group: (group[0] == "*", group)):
        print(f"| {group} | " + " | ".join("{} of {}".format(*hits[group, name]) for name in ("even", "odd", "all")) + " |")


def quiet(data):
    patterns = [line for line in (HERE / "web_probes.txt").read_text().splitlines() if line and line[0] != "#"]
    probe = re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
    request = re.compile(r'"[A-Z]+ ([^ ?"]*)')
    with gzip.open(data / "logs/raw/apache_access_2015.log.gz", "rt", errors="replace") as lines, \
            tempfile.NamedTemporaryFile("w", suffix=".log") as left:
        kept = 0
        for line in lines:
            path = request.search(line)
            if path and probe.search(path[1]):
                continue
            kept += 1
            left.write(line)
        left.flush()
        told = signals("--replay", left.name, "--now", "2015-05-21T00:00:00Z")
    print(f"\n## An access log without what scanners ask for\n\napache_access_2015, {kept:,} lines are left of four days; {len(told)} signals:\n")
    for each in told:
        print(f"- {each['first']}: {each['kind']}, {each['entities'][0]['value'][:60]} ({each['count']})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--wrong", action="store_true", help="name what is wrong on standard error")
    arguments = parser.parse_args()
    kinds(arguments.data, arguments.wrong)
    scenarios(arguments.data, arguments.wrong)
    quiet(arguments.data)


if __name__ == "__main__":
    main()
