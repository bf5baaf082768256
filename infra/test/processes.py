#!/usr/bin/env python3
"""What looking at many processes costs: procmond beside `ps -ef`, with real processes that sleep.

usage: processes.py PROCMOND [--processes N] [--seconds N]

With N (10,000) sleeping processes: a scan by `procmond run --once`, and `ps -ef`, the median of five of each after one that does not
count; then procmond running at its usual 5 s for so many seconds (60), and the same with 500 processes. Told are seconds of
processor and peaks of memory. Fails where a scan takes a second or more, or more than 30 MB, or where 500 processes take more than
1 % of a core. Wants a machine that does nothing else, and root or a limit of processes above N.
"""

import argparse
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCAN_S, SCAN_MB, CORE = 1.0, 30.0, 0.01
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
failures = []


def holds(what, is_so):
    print(f"  {'ok  ' if is_so else 'FAIL'} {what}")
    if not is_so:
        failures.append(what)


class Sleepers:
    """Processes of a group of their own, while it is entered."""

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        start = "import os,signal\nfor _ in range(%d):\n if os.fork()==0: os.execvp('sleep',['sleep','86400'])\nprint('up',flush=True)\nsignal.pause()"
        self.process = subprocess.Popen([sys.executable, "-c", start % self.count], stdout=subprocess.PIPE, start_new_session=True)
        assert self.process.stdout.readline() == b"up\n", "not all processes could be started"
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def once(command):
    """Seconds of processor and peak of memory, MB, of a program that ends."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0.0
    # What wait4 tells of memory is that of this script, from before the program took its place.
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        peak = max(peak, peak_mb(process.pid))
        time.sleep(0.002)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command[0]} ended with {process.returncode}"
    return usage.ru_utime + usage.ru_stime, peak


def peak_mb(pid):
    """The peak of a program's memory; 0 where it has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


def scans(name, command):
    # The first one makes the kernel's entries of /proc.
    first = once(command)
    found = [once(command) for _ in range(5)]
    seconds, peak = statistics.median(each[0] for each in found), max(each[1] for each in found)
    print(f"  {name:<20} {seconds:.2f} s of processor (the first {first[0]:.2f}), {peak:.1f} MB")
    return seconds, peak


def running(procmond, folder, seconds):
    """The part of a core that it takes, and its peak of memory, MB."""
    (folder / "procmond.yaml").write_text(f"socket: {folder}/procmond.sock\n")
    process = subprocess.Popen([procmond, "run", "--config", folder / "procmond.yaml"], stderr=subprocess.DEVNULL)
    try:
        # Two intervals: what is hashed at the start is not what it costs later.
        time.sleep(12)
        before, begun = ticks(process.pid), time.monotonic()
        time.sleep(seconds)
        part = (ticks(process.pid) - before) * TICK_S / (time.monotonic() - begun)
        peak = peak_mb(process.pid)
    finally:
        process.kill()
        process.wait()
    print(f"  procmond, every 5 s  {100 * part:.2f} % of a core, {peak:.1f} MB")
    return part, peak


def ticks(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("procmond")
    parser.add_argument("--processes", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))
    with tempfile.TemporaryDirectory(prefix="processes-") as scratch:
        folder = Path(scratch)
        with Sleepers(arguments.processes):
            print(f"{arguments.processes} processes that sleep")
            seconds, peak = scans("procmond run --once", [arguments.procmond, "run", "--once", "--output", folder / "snapshot.json"])
            holds("a scan takes less than a second", seconds < SCAN_S)
            holds("and at most 30 MB", peak <= SCAN_MB)
            scans("ps -ef", ["ps", "-ef"])
            _, peak = running(arguments.procmond, folder, arguments.seconds)
            holds("running it holds at most 30 MB", peak <= SCAN_MB)
        with Sleepers(500):
            print("500 processes that sleep")
            part, _ = running(arguments.procmond, folder, arguments.seconds)
            holds("it takes at most 1 % of a core", part <= CORE)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
