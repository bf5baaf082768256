#!/usr/bin/env python3
"""What clients that do not read, and questions for very much, take of the memory of others."""

import contextlib
import http.client
import json
import socket
import subprocess
import threading
import time

from harness import Canary, attack, exactly, main, verdict, wait_for

MEMORY_MB = 400
# What glibc keeps for each thread that had large answers is not given back: about 290 MB, or 184 with MALLOC_ARENA_MAX=2.
SETTLED_MB = 350


def words(number, seed):
    """Text of about so many bytes that differs from seed to seed."""
    part = f"{seed} the quick brown fox {seed * 7919 % 1000003} jumps over the lazy dog {seed * 104729 % 999983} "
    return (part * (number // len(part) + 1))[:number]


def ask(server, path, headers=""):
    """A request whose answer nobody reads yet, over a small window."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(120)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
    return connection


def take(server, path, found):
    """Reads a whole answer and keeps how many hits it has; it is not whole without its end."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer, mark, hits, before = connection.getresponse(), b'{"_id":', 0, b""
        while part := answer.read(1 << 20):
            part = before + part
            hits += part.count(mark)
            before = part[-(len(mark) - 1):]
        found.append(hits if answer.status == 200 and before.endswith(b"}") else -answer.status)


def unread_and_read(server, path, number):
    """Eight clients that never read, then eight that read all of it; the hits that those got."""
    silent = [ask(server, path) for _ in range(8)]
    time.sleep(5)
    found = []
    readers = [threading.Thread(target=take, args=(server, path, found)) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(300)
    for connection in silent:
        connection.close()
    return found, all(hits == number for hits in found) and len(found) == 8


def large_answers(run, events, size):
    with run.server() as server:
        server.post(({"message": words(size, i), "source": "large"} for i in range(events)), path="/logs")
        exactly(server.wait_count("source:large", events, 120), events)
        before = server.rss_mb()
        with Canary(server) as canary:
            found, whole = unread_and_read(server, f"/api/v1/search?q=source:large&limit={events}", events)
        peak = server.rss_mb()
        wait_for(lambda: server.rss_now_mb() < SETTLED_MB or None, 30, what=f"memory below {SETTLED_MB} MB")
        good = peak < MEMORY_MB and whole and canary.failed == 0 and canary.worst_ms < 2000
        return verdict(good, f"peak {peak:.0f} MB ({before:.0f} taking in), then {server.rss_now_mb():.0f}; hits {found}; "
                       f"worst post or search {canary.worst_ms:.0f} ms", server, canary)


@attack("answers of 300 events of 1 MB, unread and read", bar="peak below 400 MB, given back; others within 2 s", seconds=300)
def megabyte_events(run):
    return large_answers(run, run.pick(100, 300), 1_000_000)


@attack("answers of 10,000 events of 10 KB, unread and read", bar="peak below 400 MB, given back; others within 2 s", seconds=300, long_only=True)
def ten_kilobyte_events(run):
    return large_answers(run, run.pick(3_000, 10_000), 10_000)


@attack("a live tail that is not read", bar="peak below 400 MB; nothing missed by one that is", seconds=300, long_only=True)
def unread_tail(run):
    number = run.pick(200, 8_000)
    with run.server() as server:
        silent = [ask(server, "/api/v1/tail") for _ in range(4)]
        reading = Tail(server)
        with Canary(server) as canary:
            server.post(({"message": words(1_000_000, i), "source": "large", "n": i} for i in range(number)), path="/logs")
            wait_for(lambda: len(reading.numbers) >= number, 200, what="every event in the tail")
        exactly(reading.numbers, list(range(number)), "numbers in the order of the tail")
        peak = server.rss_mb()
        for connection in silent:
            connection.close()
        good = peak < MEMORY_MB and reading.lagged == 0 and canary.failed == 0
        return verdict(good, f"peak {peak:.0f} MB, {len(reading.numbers)} events in order", server, canary)


class Tail:
    """A live tail that is read by a slow hand."""

    def __init__(self, server, pause=0.0):
        self.numbers, self.lagged, self.pause = [], 0, pause
        self.connection = ask(server, "/api/v1/tail?q=source:large")
        self.buffer = self.connection.makefile("rb")
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        data = b""
        try:
            for line in self.buffer:
                if line.startswith(b"data:"):
                    data = line
                elif line.startswith(b"event: lagged"):
                    self.lagged += 1
                elif data and line in (b"\n", b"\r\n"):
                    self.numbers.append(json.loads(data[5:])["labels"]["n"])
                    data = b""
                    time.sleep(self.pause)
        except (OSError, ValueError):
            return


@attack("30,000 events burst in during a live tail", bar="all arrive, in order, each once", seconds=300)
def burst(run):
    number = run.pick(6_000, 30_000)
    with run.server() as server:
        # By the command line, over a restart of the server; what it prints is read slowly.
        command = subprocess.Popen([run.binary, "tail", "-o", "ndjson", "--url", server.url, "source:burst"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=server.env)
        found = []

        def read():
            for line in command.stdout:
                found.append(int(json.loads(line)["labels"]["n"]))
                if len(found) % 500 == 0:
                    time.sleep(0.05)

        threading.Thread(target=read, daemon=True).start()
        probe = {"message": "is it there", "source": "burst", "n": -1}
        wait_for(lambda: server.post([probe]) and found, 30, 0.2, "the tail")
        with Canary(server) as canary:
            rows = ({"message": words(2_000, i), "source": "burst", "n": i} for i in range(number))
            server.post(rows, path="/logs")
            wait_for(lambda: len(found) >= number // 2, 120, what="half of the burst")
        server.stop()
        server.start()
        wait_for(lambda: len(found) >= number, 120, what="the whole burst")
        more = ({"message": "afterwards", "source": "burst", "n": number + i} for i in range(100))
        server.post(more, path="/logs")
        wait_for(lambda: len(found) >= number + 100, 60, what="what came after the restart")
        command.kill()
        found = [n for n in found if n >= 0]
        exactly(found, list(range(number + 100)), "numbers in the order of the tail")
        return verdict(True, f"{len(found)} events in order, over a restart", server, canary)


@attack("an export of 600,000 events", bar="the command and the server below 400 MB, every event once", seconds=300)
def export(run):
    number = run.pick(30_000, 600_000)
    with run.server() as server:
        server.post(({"message": f"event {i} of an export", "source": "export", "n": i} for i in range(number)), path="/logs")
        exactly(server.wait_count("source:export", number, 120), number)
        command = subprocess.Popen([run.binary, "query", "-o", "json", "-n", str(number), "--url", server.url, "source:export"],
                                   stdout=subprocess.PIPE, text=True, env=server.env)
        ids, peak = set(), 0
        for line in command.stdout:
            if line.startswith('      "_id"'):
                ids.add(line)
                if len(ids) % 10_000 == 0:
                    with open(f"/proc/{command.pid}/status", encoding="ascii") as status:
                        # A command that has ended shows no memory any more.
                        peak = next((int(row.split()[1]) / 1024 for row in status if row.startswith("VmHWM")), peak)
        code = command.wait()
        exactly(len(ids), number)
        good = code == 0 and peak < MEMORY_MB and server.rss_mb() < MEMORY_MB
        return verdict(good, f"{len(ids)} events, the command took {peak:.0f} MB", server)


if __name__ == "__main__":
    main()
