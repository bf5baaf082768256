#!/usr/bin/env python3
"""How many signals the days of real logs come to, whether everybody is in one who has to be, and what a quiet log gives.

    infra/eval/reduction.py DATA [--list] [--bars]

DATA holds logs/raw/auth_ec2_2017.log.gz and logs/raw/apache_access_2015.log.gz. Starts target/release/log-sentinel (or
what LOG_SENTINEL names) on the loopback, imports both logs, and asks GET /api/v1/signals. A signal counts for the day on
which it began. In one has to be: every address with five failures or more within 24 hours, and every request whose path
is in web_probes.txt. A quiet log is what quiet.py and that list leave. Shares no code with the program. --list names the
signals; --bars fails where a bar is missed.
"""
import argparse, collections, datetime, gzip, json, os, re, shutil, socket, subprocess, sys, tempfile, time
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
PROGRAM = os.environ.get("LOG_SENTINEL", str(HERE.parents[1] / "target/release/log-sentinel"))
A_DAY, A_QUIET_WEEK = 10, 3
REQUEST = re.compile(r'(\S+) \S+ \S+ \[(\d+)/(\w+)/(\d+):[^\]]*\] "\S+ (\S+)')
PORTS = ("LOG_SENTINEL_ADDR", "LOG_SENTINEL_ANOMALY_ADDR", "LOG_SENTINEL_ANOMALY_GRPC_ADDR")

sys.path.insert(0, str(HERE))
import quiet  # noqa: E402


def lines_of(path):
    with gzip.open(path, "rt", errors="replace") as log:
        return [line.rstrip("\n") for line in log]


def free():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def written(path, lines, at):
    path.write_text("".join(line + "\n" for line in lines))
    stamp = datetime.datetime.fromisoformat(at).timestamp()
    os.utime(path, (stamp, stamp))
    return path


def signals(folder, *logs):
    """The signals that a program of its own finds in these logs."""
    (folder / "watched").mkdir(parents=True)
    ports = {name: f"127.0.0.1:{free()}" for name in PORTS}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOG_SENTINEL", "ALERT_", "API_KEYS"))}
    settings = {"LOG_SENTINEL_DATA": str(folder / "data"), "LOG_SENTINEL_DIR": str(folder / "watched"),
                "LOG_SENTINEL_RETENTION": "36500d"}
    url = f"http://{ports['LOG_SENTINEL_ADDR']}"
    with open(folder / "log", "w") as log:
        program = subprocess.Popen([PROGRAM, "run"], env={**kept, **ports, **settings}, stdout=log, stderr=log, cwd=folder)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/readyz").read()
                break
            except OSError:
                time.sleep(0.1)
        subprocess.run([PROGRAM, "import", "--url", url, *map(str, logs)], env=kept, cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        asked = f"{url}/api/v1/signals?limit=1000&wait=detected&timeout=300s"
        answer = json.load(urllib.request.urlopen(asked))
    finally:
        program.terminate()
        program.wait()
    if answer.get("detected") is not True or answer.get("next"):
        sys.exit("not all of it was looked at, or there are more signals than were asked for")
    return answer["signals"]


def probes():
    lines = (HERE / "web_probes.txt").read_text().splitlines()
    return re.compile("|".join(line for line in lines if line and not line.startswith("#")), re.IGNORECASE)


def is_probe(line, looked_for):
    request = REQUEST.match(line)
    return bool(request and looked_for.search(request[5]))


def days_of(logs):
    """How many lines each day of each log has."""
    months = {name: number for name, number in quiet.MONTHS.items()}
    counts = collections.Counter()
    for name, year, log in logs:
        for line in log:
            auth, access = quiet.LINE.match(line), REQUEST.match(line)
            if name == "auth" and auth:
                counts[name, f"{year}-{months[auth[1]]:02}-{int(auth[2]):02}"] += 1
            elif name == "access" and access:
                counts[name, f"{access[4]}-{months[access[3]]:02}-{int(access[2]):02}"] += 1
    return counts


def missing(told, auth, access):
    """Who has to be in a signal and is in none."""
    named = {entity["value"] for signal in told for entity in signal["entities"]}
    guessers, _ = quiet.guessers(auth)
    looked_for = probes()
    asking = {REQUEST.match(line)[1] for line in access if is_probe(line, looked_for)}
    return len(guessers), sorted(guessers - named), len(asking), sorted(asking - named)


def line_of(signal):
    about = signal["entities"][0]["value"][:48] if signal["entities"] else ""
    return f"{signal['first'][:16]} {signal['rule'][:40]}, {signal['severity']}, {about} ({signal['count']})"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--list", action="store_true", help="name the signals")
    arguments.add_argument("--bars", action="store_true", help="fail where a bar is missed")
    chosen = arguments.parse_args()
    raw = chosen.data / "logs/raw"
    auth, access = lines_of(raw / "auth_ec2_2017.log.gz"), lines_of(raw / "apache_access_2015.log.gz")
    scratch = Path(tempfile.mkdtemp())
    try:
        times = {"auth": "2017-04-20T23:59:59+00:00", "access": "2015-05-20T23:59:59+00:00"}
        logs = [written(scratch / f"{name}.log", log, times[name]) for name, log in (("auth", auth), ("access", access))]
        told = signals(scratch / "whole", *logs)
        many, _ = quiet.guessers(auth)
        quiet_auth = subprocess.run([sys.executable, HERE / "quiet.py", logs[0]], capture_output=True, text=True, check=True)
        looked_for = probes()
        left = {"auth": quiet_auth.stdout.splitlines(), "access": [line for line in access if not is_probe(line, looked_for)]}
        (scratch / "left").mkdir()
        quiet_logs = [written(scratch / "left" / f"{name}.log", left[name], times[name]) for name in left]
        calm = signals(scratch / "quiet", *quiet_logs)
    finally:
        shutil.rmtree(scratch)

    began = collections.Counter(signal["first"][:10] for signal in told)
    lines = days_of([("auth", 2017, auth), ("access", 2015, access)])
    by_log = {name: {day: began[day] for (log, day) in lines if log == name} for name in ("auth", "access")}
    print("\n## Signals of a day\n\n| log | days | events | signals | most of a day | mean |\n|---|---|---|---|---|---|")
    for name, days in by_log.items():
        of = sum(count for (log, _), count in lines.items() if log == name)
        print(f"| {name} | {len(days)} | {of:,} | {sum(days.values())} | {max(days.values())} | "
              f"{sum(days.values()) / len(days):.1f} |")
    events = sum(lines.values())
    worst = sum(max(days.values()) for days in by_log.values())
    pairs = [one + other for one in by_log["auth"].values() for other in by_log["access"].values()]
    within = sum(pair <= A_DAY for pair in pairs) / len(pairs)
    print(f"\n{events:,} events : {len(told)} signals, {events / max(len(told), 1):.0f} to one. A day of both logs: "
          f"{sum(pairs) / len(pairs):.1f} signals in the mean, {worst} at most; at most {A_DAY} in {within:.1%} of the pairs of days.")
    addresses, unnamed, asking, unasked = missing(told, auth, access)
    print(f"In a signal: {addresses - len(unnamed)} of {addresses} addresses with five failures within 24 hours, "
          f"{asking - len(unasked)} of {asking} addresses that asked for what is in the list of probes.")
    for name in unnamed + unasked:
        print(f"- in none: {name}")
    begun = {name: datetime.date.fromisoformat(min(by_log[name])) for name in by_log}
    weeks = collections.Counter()
    for signal in calm:
        day = datetime.date.fromisoformat(signal["first"][:10])
        name = "auth" if day.year == 2017 else "access"
        weeks[name, (day - begun[name]).days // 7] += 1
    print(f"\nA quiet log: {sum(map(len, left.values())):,} lines, {len(calm)} signals; at most "
          f"{max(weeks.values(), default=0)} in a week of one of them.")
    if chosen.list:
        for title, found in (("All", told), ("Quiet", calm)):
            print(f"\n{title}:\n")
            for signal in sorted(found, key=lambda signal: signal["first"]):
                print(f"- {line_of(signal)}")
    is_missed = within < 1 or unnamed or unasked or max(weeks.values(), default=0) > A_QUIET_WEEK
    if chosen.bars and is_missed:
        sys.exit(f"a bar is missed: at most {A_DAY} a day whichever days are paired, everybody in a signal, "
                 f"{A_QUIET_WEEK} in a quiet week")


if __name__ == "__main__":
    main()
