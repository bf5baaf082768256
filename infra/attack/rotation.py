#!/usr/bin/env python3
"""Whether rotation by rename, faster than anybody rotates, loses a line or stores one twice, on a machine that is busy.

usage: rotation.py BINARY [RUNS]

Twenty lines, the whole chain of old files renamed, one late line into the renamed file, a new file, again and again, while
three endless loops take the processors. Only a few old files are kept, so each must be read before it is deleted.
"""

import collections
import concurrent.futures
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import types
import urllib.parse

import harness
from harness import attack, verdict

LINES = 20
LOOPS = 3
# Seconds between two rotations, old files kept, rotations.
FAST, SLOW = (0.8, 4, 30), (3.0, 3, 16)


@contextlib.contextmanager
def busy(loops=LOOPS):
    """A machine on which others want the processors, too."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def rotate(folder, token, every, keep, rounds):
    """Writes numbered lines into a log that is rotated; how many."""
    os.makedirs(folder)
    time.sleep(1)
    path, number = os.path.join(folder, "app.log"), 0

    def old(index):
        return f"{path}.{index}" if index else path

    log = open(path, "ab", buffering=0)

    def write(count):
        nonlocal number
        for _ in range(count):
            log.write(b"%s line %d\n" % (token.encode(), number))
            number += 1

    for _ in range(rounds):
        write(LINES)
        for index in range(keep, 0, -1):
            if os.path.exists(old(index - 1)):
                os.rename(old(index - 1), old(index))
        write(1)
        log.close()
        log = open(path, "ab", buffering=0)
        time.sleep(every)
    log.close()
    return number


def stored(server, token):
    """How often each numbered line is stored."""
    counts, cursor = collections.Counter(), ""
    while True:
        after = f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""
        answer = server.json(f"/api/v1/search?limit=1000&q={token}{after}")
        counts.update(int(hit["message"].rsplit(" ", 1)[1]) for hit in answer["hits"])
        cursor = answer.get("next")
        if not cursor or not answer["hits"]:
            return counts


def balance(server, name, shape, seconds=30):
    """Rotates; how many lines were written, how many of them are not stored, and how many twice."""
    token = f"rot{name}x{time.time_ns() & 0xFFFFFF:x}"
    written = rotate(os.path.join(server.watched, token), token, *shape)
    server.wait_count(token, written, seconds)
    counts = stored(server, token)
    twice = sum(count - 1 for count in counts.values() if count > 1)
    return written, written - len(counts), twice


@attack("rename rotation on a busy machine, few old files kept", bar="0 lines lost, 0 twice", seconds=110)
def rotation(run):
    shapes = run.pick([(0.8, 4, 15), (3.0, 3, 5)], [FAST, SLOW])
    with busy(), run.server() as server, concurrent.futures.ThreadPoolExecutor(len(shapes)) as pool:
        found = list(pool.map(lambda shape: balance(server, shapes.index(shape), shape), shapes))
        written, lost, twice = (sum(column) for column in zip(*found))
        return verdict(lost == twice == 0, f"{written} written, {lost} lost, {twice} twice", server)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    runs = int(sys.argv[2]) if len(sys.argv) == 3 else 20
    failed = 0
    for number in range(runs):
        with tempfile.TemporaryDirectory() as scratch, busy():
            run = types.SimpleNamespace(binary=os.path.abspath(sys.argv[1]), scratch=scratch)
            for name, shape in (("fast", FAST), ("slow", SLOW)):
                # Each with a process of its own, as it runs where nothing else is read.
                with harness.Server(run) as server:
                    written, lost, twice = balance(server, name, shape)
                print(json.dumps({"run": number + 1, "every_s": shape[0], "written": written, "lost": lost, "twice": twice}), flush=True)
                failed += lost > 0 or twice > 0
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
