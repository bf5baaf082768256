#!/usr/bin/env python3
"""What single lines say was done, held against labelled lines of public projects.

    infra/eval/kinds.py DATA [--bench target/release/sentinel-bench] [--half odd|even] [--wrong SET]

DATA holds signals.jsonl, fail2ban_lines.jsonl, elastic_system_auth.jsonl, wazuh_lines.jsonl and crowdsec_parse.jsonl,
where each is there. Halves are those of the CRC-32 of the rows' ids. Everything is read in the order of the files, since
some lines need earlier ones of the same process. It shares no code with the program. Fails where all rows together reach
less than they have to.
"""
import argparse, collections, json, os, subprocess, sys, zlib


def rows(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def run(bench, *arguments):
    done = subprocess.run([bench, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return {row["id"]: row for row in map(json.loads, done.stdout.decode().splitlines())}


def half(row):
    return "odd" if zlib.crc32(row["id"].encode()) & 1 else "even"


def share(right, of):
    return f"{right / of:.3f} ({right}/{of})" if of else "-"


def signals(data, chosen, bench, wrong):
    said = run(bench, "signals", os.path.join(data, "signals.jsonl"))
    kinds, hosts, users, ssh, alarms, quiet = collections.Counter(), [0, 0], [0, 0], [0, 0], 0, 0
    for row in filter(chosen, rows(os.path.join(data, "signals.jsonl"))):
        if row.get("conflict") or "line" not in row:
            continue
        expected, got = row["expect"], said[row["id"]]
        kinds[expected["kind"], got["kind"]] += 1
        bad = expected["kind"] != got["kind"]
        if expected.get("host"):
            hosts[1] += 1
            hosts[0] += expected["host"] == got["host"]
            bad |= expected["host"] != got["host"]
        if expected.get("user"):
            users[1] += 1
            users[0] += expected["user"] == got["user"]
        if expected["kind"] == "ssh_failure":
            ssh[1] += 1
            ssh[0] += got["kind"] == "ssh_failure"
        if expected["kind"] == "none" and "ssh" in row["id"]:
            quiet += 1
            alarms += got["kind"] == "ssh_failure"
        if bad and wrong == "signals":
            print(expected["kind"], got["kind"], expected["host"], got["host"], row["line"][:200], sep=" | ")
    scores = {}
    for kind in {kind for kind, _ in kinds}:
        of = sum(n for (expected, _), n in kinds.items() if expected == kind)
        right, found = kinds[kind, kind], sum(n for (_, got), n in kinds.items() if got == kind)
        scores[kind] = (2 * right / (of + found) if of + found else 0.0, of)
    large = [score for score, of in scores.values() if of >= 5]
    print(f"signals: macro-F1 of kinds with five rows or more {sum(large) / max(len(large), 1):.3f}; ", end="")
    print(f"ssh_failure recall {share(*ssh)}, false alarms {alarms} in {quiet}; host {share(*hosts)}; user {share(*users)}")
    for kind, (score, of) in sorted(scores.items()):
        print(f"  {kind:18} F1 {score:.3f} of {of} rows")
    return {"signals, macro-F1": sum(large) / max(len(large), 1), "ssh_failure, recall": ssh[0] / max(ssh[1], 1),
            "ssh_failure, no false alarm": 1 - alarms / max(quiet, 1), "host": hosts[0] / max(hosts[1], 1)}


def fail2ban(data, chosen, bench, wrong):
    path = os.path.join(data, "fail2ban_lines.jsonl")
    said = run(bench, "parse", path, "--now", "2005-08-14T12:00:00", "--zone", "Europe/Zurich")
    found, hosts, times, other = collections.Counter(), [0, 0], [0, 0], [0, 0]
    for row in filter(chosen, rows(path)):
        expected, got = row["expect"], said[row["id"]]
        # Where the modes of the filter differ, the strictest counts.
        if "!= 'aggressive'" in expected.get("constraint", ""):
            continue
        fields = got["fields"]
        host = fields.get("source.ip") or fields.get("source.address")
        if expected.get("time"):
            times[1] += 1
            right = got["time"][:19] == expected["time"][:19]
            times[0] += right
            if not right and wrong == "times":
                print(expected["time"], got["time"], row["line"][:160], sep=" | ")
        if row["filter"] in ("sshd", "sshd-journal"):
            matched = got["kind"] in ("ssh_failure", "ssh_suspicious")
            found[expected["match"], matched] += 1
            if expected["match"] != matched and wrong == "sshd":
                print(expected, got["kind"], row["line"][:160], sep=" | ")
        if expected["match"] and expected.get("host"):
            of = hosts if row["filter"] in ("sshd", "sshd-journal") else other
            of[1] += 1
            of[0] += host == expected["host"]
            if host != expected["host"] and wrong == "hosts":
                print(row["filter"], expected["host"], host, row["line"][:200], sep=" | ")
    right = found[True, True]
    print(f"fail2ban sshd: precision {share(right, right + found[False, True])}, ", end="")
    print(f"recall {share(right, right + found[True, False])}, host by field {share(*hosts)}")
    print(f"fail2ban, all filters: time with its year {share(*times)}; host of the others {share(*other)}")
    return {"fail2ban sshd, precision": right / max(right + found[False, True], 1),
            "fail2ban sshd, recall": right / max(right + found[True, False], 1), "fail2ban, times": times[0] / max(times[1], 1)}


def elastic(data, chosen, bench, wrong):
    path = os.path.join(data, "elastic_system_auth.jsonl")
    said, right, of = run(bench, "parse", path), 0, 0
    for row in filter(chosen, rows(path)):
        got, bad = said[row["id"]], []
        for name, value in row["expect"].items():
            has = got["time"][5:5 + len(value)] if name == "time" else got["fields"].get(name)
            if has != value:
                bad.append((name, value, has))
        of, right = of + 1, right + (not bad)
        if bad and wrong == "elastic":
            print(bad, row["line"][:160])
    print(f"Elastic: rows with every field {share(right, of)}")
    return {"Elastic, rows": right / max(of, 1)}


def wazuh(data, chosen, bench, wrong):
    def band(level):
        return sum(level >= bound for bound in (3, 7, 12))

    path = os.path.join(data, "wazuh_lines.jsonl")
    said, found, suites = run(bench, "parse", path), collections.Counter(), collections.defaultdict(lambda: [0, 0])
    for row in filter(chosen, rows(path)):
        if not row["expect"].get("pass"):
            continue
        expected, got = band(int(row["expect"]["level"])), band(said[row["id"]]["level"])
        found[expected, got] += 1
        suites[row["suite"]][0] += expected == got
        suites[row["suite"]][1] += 1
        if expected != got and wrong == "wazuh":
            print(row["suite"], row["expect"]["level"], said[row["id"]]["level"], row["line"][:200], sep=" | ")
    right = sum(n for (expected, got), n in found.items() if expected == got)
    mean = sum(good / of for good, of in suites.values()) / max(len(suites), 1)
    print(f"Wazuh: severity band {share(right, sum(found.values()))}; mean of the suites {mean:.3f}")
    return {"Wazuh, band": right / max(sum(found.values()), 1)}


def crowdsec(data, chosen, bench, wrong):
    path = os.path.join(data, "crowdsec_parse.jsonl")
    said, ips, users = run(bench, "parse", path), [0, 0], [0, 0]
    for row in filter(chosen, rows(path)):
        meta = row["expect"]["meta"]
        if not row["expect"]["parsed"]:
            continue
        fields = said[row["id"]]["fields"]
        for of, name, has in ((ips, "source_ip", fields.get("source.ip")), (users, "target_user", fields.get("user.name"))):
            if meta.get(name):
                of[1] += 1
                of[0] += has == meta[name]
                if has != meta[name] and wrong == "crowdsec":
                    print(row["suite"], name, meta[name], has, row["line"][:200], sep=" | ")
    print(f"CrowdSec, lines that it parses: source address {share(*ips)}, user {share(*users)}")
    return {}


# Least value of each measure over all rows.
LEAST = {"signals, macro-F1": 0.9, "ssh_failure, recall": 0.95, "ssh_failure, no false alarm": 31 / 32, "host": 0.99,
         "fail2ban sshd, precision": 0.97, "fail2ban sshd, recall": 0.97, "fail2ban, times": 0.97, "Elastic, rows": 1.0,
         "Wazuh, band": 0.8}

SETS = {"signals.jsonl": signals, "fail2ban_lines.jsonl": fail2ban, "elastic_system_auth.jsonl": elastic,
        "wazuh_lines.jsonl": wazuh, "crowdsec_parse.jsonl": crowdsec}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--bench", default="target/release/sentinel-bench")
    parser.add_argument("--half", choices=["odd", "even"])
    parser.add_argument("--wrong", help="print the rows of one set that are wrong: signals, sshd, times, hosts, elastic, wazuh, crowdsec")
    arguments = parser.parse_args()
    chosen = (lambda row: half(row) == arguments.half) if arguments.half else (lambda row: True)
    found = {}
    for name, score in SETS.items():
        if os.path.exists(os.path.join(arguments.data, name)):
            found |= score(arguments.data, chosen, arguments.bench, arguments.wrong)
    below = [f"{name}: {value:.3f}, at least {LEAST[name]:.3f} is wanted" for name, value in found.items() if value < LEAST[name]]
    if below and not arguments.half:
        return "\n".join(below)
    return None if found else "none of the sets is there"


if __name__ == "__main__":
    sys.exit(main())
