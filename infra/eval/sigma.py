#!/usr/bin/env python3
"""What the Sigma engine makes of the sets in DATA: rules loaded, labelled cases, features and correlations of the
specification, recorded events. Results are given whole and by halves of the rules (even and odd by the hash of their
name). Fails where one is below what it has to be.

usage: sigma.py BENCH DATA [--speed]    (BENCH is a built sentinel-bench; --speed wants one of a release build)
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

SPEED_LEAST = 300_000
INDEX_BYTES_MOST = 20 << 20


def rows(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def bench(program, *arguments):
    done = subprocess.run([program, "sigma", *map(str, arguments)], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def half(name):
    return hashlib.sha256(name.encode()).digest()[0] % 2


def share(name, outcomes):
    """A line of the table for outcomes by the name that decides their half."""
    halves = [[right for of, right in outcomes if half(of) == side] for side in (0, 1)]
    everything = [right for _, right in outcomes]
    figure = lambda values: f"{sum(values)} of {len(values)}"
    print(f"| {name} | {figure(everything)} | {figure(halves[0])} | {figure(halves[1])} |")
    return bool(everything) and all(everything)


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--speed"]
    if len(arguments) != 2:
        sys.exit(__doc__)
    program, data = arguments[0], Path(arguments[1])
    rules, cases = data / "sigma_rules_linux_web.jsonl", data / "sigma_cases_linux_web.jsonl"
    print("| set | right | half of the rules | other half |\n|---|---|---|---|")

    found, told = bench(program, "--rules", rules, "--events", cases)
    ids = [row["id"] for row in rows(rules)]
    refused = int(told.split("loaded, ")[-1].split(" refused")[0])
    fine = share("rules that load", [(rule, place >= refused) for place, rule in enumerate(ids)])
    found = {(row["rule"], row["event"]) for row in found}
    labelled = [(row["rule"], ((row["rule"], row["id"]) in found) == row["expect"]) for row in rows(cases)]
    fine &= share("labelled cases of Linux and web rules", labelled)

    for name, file in (("features", "sigma_spec_features.jsonl"), ("correlations", "sigma_spec_correlations.jsonl")):
        passed, _ = bench(program, "--spec", data / file)
        passed = {row["id"]: row["pass"] for row in passed}
        for tier in ("spec", "recommended"):
            of_tier = [(row["id"], passed.get(row["id"], False)) for row in rows(data / file) if row["tier"] == tier]
            if of_tier:
                fine &= share(f"{name} of the specification, tier {tier}", of_tier) or tier != "spec"

    regression = data / "sigma_regression.jsonl"
    passed = {row["id"]: row["pass"] for row in bench(program, "--spec", regression)[0]}
    fires = {}
    for row in rows(regression):
        fires[row["rule"]] = fires.get(row["rule"], False) or passed.get(row["id"], False)
    fine &= share("rules that find a recorded event", list(fires.items()))

    if "--speed" in sys.argv:
        (speed,), _ = bench(program, "--rules", rules, "--events", cases, "--speed")
        print(f"\n{speed['events_per_s']:,.0f} events a second and core, parsed and held against {speed['rules']} rules; "
              f"{speed['events_per_s_parsed_only']:,.0f} parsed only; "
              f"{speed['index_texts']} texts in an automaton of {speed['index_bytes'] / 2**20:.1f} MB, "
              f"{speed['rules_without_text']} rules without one")
        fine &= speed["events_per_s"] >= SPEED_LEAST and speed["index_bytes"] <= INDEX_BYTES_MOST
    if not fine:
        sys.exit("a set is missing or below what it has to be")


if __name__ == "__main__":
    main()
