#!/usr/bin/env python3
"""Whether files that somebody else makes can stop the reading of files, or the service."""

import os
import time

from harness import Canary, attack, exactly, main, verdict

SCAN = {"LOG_SENTINEL_SCAN_INTERVAL": "500ms"}


def write(path, text, mode="w"):
    with open(path, mode, encoding="utf-8") as file:
        file.write(text)


@attack("a FIFO in place of a watched file", bar="other files are read on; the stop comes", seconds=60)
def fifo(run):
    with run.server(**SCAN) as server:
        log = os.path.join(server.watched, "app.log")
        begin = "the same first line of both\n" * 60
        write(log, begin + "alpha one\n")
        exactly(server.wait_count("alpha", 1, 20), 1)
        # A shorter file with the same start appears beside it, so that the two have to be compared.
        shorter = os.path.join(server.dir, "shorter")
        write(shorter, begin[: len(begin) // 2])
        os.mkfifo(log + ".fifo")
        os.rename(log + ".fifo", log)
        os.rename(shorter, log + ".1")
        os.mkfifo(os.path.join(server.watched, "other.fifo"))
        with Canary(server) as canary:
            time.sleep(2)
            write(os.path.join(server.watched, "new.log"), "beta one\n")
            found = server.wait_count("beta", 1, 10)
        try:
            stopped = server.stop(15)
        except Exception:
            stopped = float("inf")
        return verdict(found == 1 and stopped < 15 and canary.failed == 0,
                       f"{found} of 1 line of another file found, stopped in {stopped:.1f} s", server, canary)


@attack("thousands of watched files at a limit of 1,024 descriptors", bar="all lines read; nobody is refused", seconds=150)
def descriptors(run):
    number = run.pick(4_000, 20_000)
    with run.server(prefix=["prlimit", "--nofile=1024:1024"], **SCAN) as server:
        for i in range(number):
            folder = os.path.join(server.watched, f"d{i % 50}")
            if i < 50:
                os.makedirs(folder)
            write(os.path.join(folder, f"{i}.log"), f"many line {i}\n")
        with Canary(server, seconds=5) as canary:
            found = server_count(server, number, run.pick(45, 240))
            for i in range(0, number, 40):
                write(os.path.join(server.watched, f"d{i % 50}", f"{i}.log"), f"later line {i}\n", "a")
            later = server_count(server, number + number // 40, run.pick(30, 240)) if found == number else -1
        opened = server.descriptors() if server.alive() else -1
        missing = canary.balance() if found == number else 0
        good = found == number and later == number + number // 40 and canary.failed == 0 and missing == 0 and 0 < opened < 900
        return verdict(good, f"{found} of {number} first lines, {later} after the second; {opened} descriptors, "
                       f"{canary.failed} failures", server, canary)


def server_count(server, wanted, seconds):
    """Lines of the watched files found, whatever the service answers meanwhile."""
    end, found = time.monotonic() + seconds, -1
    while found != wanted and time.monotonic() < end:
        try:
            found = server.count("line", timeout=5)
        except Exception:
            pass
        time.sleep(0.5)
    return found


@attack("a sparse file of a terabyte, and one that never ends", bar="half a core at most, other files are read on", seconds=60)
def sparse(run):
    with run.server(**SCAN) as server:
        path = os.path.join(server.watched, "holes.log")
        write(path, "before the hole\n")
        exactly(server.wait_count("hole", 1, 20), 1)
        try:
            os.truncate(path, 1 << 40)
        except OSError:
            os.truncate(path, 1 << 36)
        with Canary(server) as canary:
            time.sleep(2)
            cpu = server.cpu_s()
            time.sleep(4)
            cpu = (server.cpu_s() - cpu) / 4
            write(os.path.join(server.watched, "new.log"), "gamma one\n")
            found = server.wait_count("gamma", 1, 10)
        return verdict(found == 1 and cpu < 0.5 and canary.failed == 0,
                       f"{cpu:.2f} cores, {found} of 1 line of another file found", server, canary)


if __name__ == "__main__":
    main()
