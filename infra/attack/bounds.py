#!/usr/bin/env python3
"""Whether one client can take the memory, the processor or the connections of all others."""

import contextlib
import json
import random
import socket
import threading
import time
import urllib.parse

from harness import Canary, attack, exactly, main, verdict, wait_for

MEMORY_MB = 400
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def words(number, seed=1):
    """Text of about so many bytes that does not compress to nothing."""
    source = random.Random(seed)
    return "".join(source.choices(LETTERS + " ", k=number))


def token(number, seed):
    """One word of so many letters, which costs little to take in."""
    return random.Random(seed).randbytes(number // 2).hex()


def ask(server, path, port=None):
    """A request whose answer nobody reads yet."""
    connection = server.connect(port)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection


@attack("queries that go on without their client", bar="other searches within 1 s; stopped within the grace of 5 s", seconds=90)
def abandoned_queries(run):
    number = run.pick(200_000, 300_000)
    wide = " OR ".join(f"*{LETTERS[i % 26]}{i % 100}*" for i in range(500))
    path = "/api/v1/search?limit=0&q=" + urllib.parse.quote(wide)
    lines = ({"message": f"request {i * 7919 % 1000003} of client {i % 9973} took {i % 977} ms on worker w{i % 64}"}
             for i in range(number))
    with run.server(LOG_SENTINEL_SHUTDOWN_GRACE="5s") as server:
        server.post(lines, path="/logs", batch_bytes=4 << 20)
        exactly(server.wait_count("*", number, 60), number)
        with Canary(server) as canary:
            for _ in range(run.pick(1, 4)):
                clients = [ask(server, path) for _ in range(8)]
                time.sleep(0.5)
                for client in clients:
                    client.close()
                time.sleep(2)
        clients = [ask(server, path) for _ in range(8)]
        time.sleep(0.5)
        server.note_peak()
        try:
            stopped = server.stop(20)
        except Exception:
            stopped = float("inf")
        for client in clients:
            client.close()
        good = canary.worst_ms < 1000 and canary.refused == 0 and canary.failed == 0 and stopped < 7
        return verdict(good, f"worst search {canary.worst_ms:.0f} ms, {canary.refused} of {len(canary.times)} refused, "
                       + (f"stopped in {stopped:.1f} s" if stopped < 1e9 else "not stopped within 20 s"),
                       server, canary, stop_s=round(min(stopped, 20), 1))


@attack("large answers that nobody reads", bar=f"peak below {MEMORY_MB} MB, canary never refused, its worst below 2 s", seconds=120)
def unread_answers(run):
    number = run.pick(100, 300)
    with run.server() as server:
        server.post(({"message": "large " + token(1_000_000, i)} for i in range(number)), batch_bytes=4 << 20)
        exactly(server.wait_count("large", number), number)
        with Canary(server) as canary:
            clients = [ask(server, f"/api/v1/search?q=large&limit={number}") for _ in range(8)]
            wait_while(lambda: server.rss_mb() < MEMORY_MB * 3, run.pick(8, 40))
            for client in clients:
                client.close()
        rss = server.rss_mb()
        good = rss < MEMORY_MB and canary.worst_ms < 2000 and canary.failed == 0 and canary.refused == 0
        return verdict(good, f"peak {rss:.0f} MB, canary's worst {canary.worst_ms:.0f} ms, {canary.refused} of "
                       f"{len(canary.times)} refused", server, canary)


@attack("ten thousand ordinary hits, eight times", bar=f"peak below {MEMORY_MB} MB, canary's worst below 2 s", seconds=120, long_only=True)
def many_hits(run):
    number = run.pick(5_000, 10_000)
    answers = []
    with run.server() as server:
        server.post(({"message": "hit " + words(10_000, i)} for i in range(number)), path="/logs", batch_bytes=4 << 20)
        exactly(server.wait_count("hit", number, 60), number)

        def read():
            with contextlib.suppress(OSError):
                answers.append(server.get(f"/api/v1/search?q=hit&limit={number}", timeout=60).status)

        with Canary(server) as canary:
            readers = [threading.Thread(target=read) for _ in range(8)]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join(90)
        rss = server.rss_mb()
        good = rss < MEMORY_MB and canary.worst_ms < 2000 and canary.failed == 0 and answers and set(answers) <= {200, 429}
        return verdict(good, f"peak {rss:.0f} MB, answered {sorted(answers)}", server, canary)


@attack("an unread live tail", bar=f"peak below {MEMORY_MB} MB, every event stored", seconds=120)
def unread_tail(run):
    number, size = run.pick(1_000, 8_192), 500_000
    text = token(size, 1)
    with run.server() as server:
        exactly(server.post([{"message": "tail one"}]), 1)
        tails = [ask(server, "/api/v1/tail") for _ in range(4)]
        for tail in tails:
            exactly(tail.recv(12), b"HTTP/1.1 200", "as the tail's status")
        with Canary(server) as canary:
            server.post(({"message": f"tail {i} {text}"} for i in range(number)), path="/logs", batch_bytes=2 << 20)
            stored = server.wait_count("tail", number + 1, 60)
        rss = server.rss_mb()
        for tail in tails:
            tail.close()
        exactly(stored, number + 1)
        return verdict(rss < MEMORY_MB and canary.failed == 0, f"peak {rss:.0f} MB", server, canary)


HELD_BODIES = [("anomaly", "/models/import"), ("anomaly", "/starters"), ("anomaly", "/predict"), ("anomaly", "/train"),
               ("anomaly", "/feedback"), ("anomaly", "/templates/merge"), ("collector", "/logs"),
               ("collector", "/api/v1/dead-letters/replay")]


@attack("hundreds of large bodies held open", bar=f"peak below {MEMORY_MB} MB; a small one is taken meanwhile", seconds=90)
def held_bodies(run):
    number, size = run.pick(120, 300), 7 << 20
    block = b"\0" * (1 << 20)
    with run.server() as server:
        server.post([{"message": f"event {i}"} for i in range(100)])
        held = []
        with Canary(server) as canary:
            for i in range(number):
                place, path = HELD_BODIES[i % 2]
                connection = server.connect(server.anomaly_port if place == "anomaly" else server.port)
                head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size + (1 << 20)}\r\n\r\n"
                connection.settimeout(0.2)
                with contextlib.suppress(OSError):
                    connection.sendall(head.encode())
                    for _ in range(size >> 20):
                        connection.sendall(block)
                held.append(connection)
            time.sleep(1)
            rss = server.rss_mb()
        for connection in held:
            connection.close()
        return verdict(rss < MEMORY_MB and canary.failed == 0 and canary.refused == 0,
                       f"peak {rss:.0f} MB with {number} bodies of 7 of 8 MiB", server, canary)


@attack("clients that fall silent in the middle", bar="each connection closed within 45 s, nobody else notices", seconds=80, waits=True)
def silent_clients(run):
    heads = {f"{place} {path}": (place, f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                        f"Content-Length: 100000\r\n\r\n{{\"message\":".encode())
             for place, path in HELD_BODIES}
    heads["collector, half a header"] = ("collector", b"GET /livez HTTP/1.1\r\nHost: loc")
    heads["anomaly, half a header"] = ("anomaly", b"GET /livez HTTP/1.1\r\nHost: loc")
    heads["collector, not a byte"] = ("collector", b"")
    heads["gRPC, a preface"] = ("grpc", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    with run.server() as server:
        ports = {"collector": server.port, "anomaly": server.anomaly_port, "grpc": server.grpc[1]}
        silent = {name: (server.connect(ports[place]), head) for name, (place, head) in heads.items()}
        for connection, head in silent.values():
            connection.sendall(head)
        begun, closed = time.monotonic(), {}
        with Canary(server, every=0.2) as canary:
            while len(closed) < len(silent) and time.monotonic() - begun < 45:
                for name, (connection, _) in silent.items():
                    if name not in closed and has_ended(connection):
                        closed[name] = round(time.monotonic() - begun, 1)
                time.sleep(0.2)
        open_still = sorted(set(silent) - set(closed))
        return verdict(not open_still and canary.failed == 0 and canary.refused == 0,
                       f"closed after {max(closed.values(), default=0)} s at most; open after 45 s: {open_still or 'none'}",
                       server, canary)


def has_ended(connection):
    """Whether the other side has closed, what it answered read away."""
    connection.settimeout(0.01)
    try:
        while part := connection.recv(1 << 16):
            pass
        return part == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@attack("a thousand idle connections from one address", bar="others are answered within 1 s", seconds=60)
def idle_connections(run):
    with run.server() as server:
        held, refused = [], 0
        while len(held) < run.pick(1200, 1500) and refused < 20:
            try:
                held.append(socket.create_connection(("127.0.0.1", server.port), 0.2, source_address=("127.0.0.3", 0)))
            except OSError:
                refused += 1
        with Canary(server, seconds=5) as canary:
            time.sleep(run.pick(4, 10))
        for connection in held:
            connection.close()
        return verdict(canary.failed == 0 and canary.worst_ms < 1000 and canary.posted > 10,
                       f"{canary.posted} posts taken beside {len(held)} idle connections, worst {canary.worst_ms:.0f} ms",
                       server, canary)


@attack("bodies that unpack to a hundred times their size, 64 clients", bar=f"peak below {MEMORY_MB + 200} MB; the canary's worst below 2 s", seconds=60)
def bombs(run):
    import gzip
    bomb = gzip.compress(b"[" + b" " * (150 << 20) + b"]", 9)
    nested = gzip.compress(json.dumps({"message": "m"}).encode() + b"\n" * (90 << 20), 9)
    statuses = []
    with run.server() as server:
        def throw(body, url, path):
            for _ in range(run.pick(1, 10)):
                with contextlib.suppress(OSError):
                    statuses.append(server.request("POST", path, body, {"Content-Encoding": "gzip"}, url=url).status)

        with Canary(server) as canary:
            places = [(bomb, server.url, "/logs"), (nested, server.url, "/logs"),
                      (bomb, server.anomaly_url, "/predict"), (nested, server.anomaly_url, "/train")]
            throwers = [threading.Thread(target=throw, args=places[i % 4]) for i in range(64)]
            for thrower in throwers:
                thrower.start()
            for thrower in throwers:
                thrower.join(40)
        rss = server.rss_mb()
        exactly(canary.balance(), 0, "canary's events missing")
        good = rss < MEMORY_MB + 200 and canary.worst_ms < 2000 and canary.failed == 0 and set(statuses) <= {200, 400, 408, 413, 422, 429}
        return verdict(good, f"peak {rss:.0f} MB, {len(statuses)} answers {sorted(set(statuses))}", server, canary)


def wait_while(condition, seconds):
    """Watches for so long, or until the condition is false."""
    with contextlib.suppress(TimeoutError):
        wait_for(lambda: not condition(), seconds, 0.1)


if __name__ == "__main__":
    main()
