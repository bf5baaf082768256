#!/usr/bin/env python3
"""queries.py BINARY [EVENTS]: what heavy queries do to everything else.

Eight clients ask for five hundred wildcards each, hang up or stay; beside them others search and
send. Prints a JSON line a step; exits with 1 when a bar is missed."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

GRACE_S = 5
HEAVY = 8
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WIDE = " OR ".join(f"*{LETTERS[i % 26]}{i % 100}*" for i in range(500))
HEAVY_PATH = "/api/v1/search?limit=0&q=" + urllib.parse.quote(WIDE)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    def __init__(self, binary, folder):
        self.port = free_port()
        self.log = open(os.path.join(folder, "log"), "wb")
        environment = {
            "PATH": os.environ["PATH"],
            "LOG_SENTINEL_ADDR": f"127.0.0.1:{self.port}",
            "LOG_SENTINEL_ANOMALY_ADDR": f"127.0.0.1:{free_port()}",
            "LOG_SENTINEL_ANOMALY_GRPC_ADDR": f"127.0.0.1:{free_port()}",
            "LOG_SENTINEL_DATA": os.path.join(folder, "data"),
            "LOG_SENTINEL_DIR": os.path.join(folder, "watched"),
            "LOG_SENTINEL_SHUTDOWN_GRACE": f"{GRACE_S}s",
        }
        self.process = subprocess.Popen(
            [binary], env=environment, cwd=folder, stdout=self.log, stderr=self.log
        )
        while self.ask("/livez")[0] != 200:
            time.sleep(0.05)

    def ask(self, path, body=None, timeout=120):
        """Status and body of a request; status 0 when there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            if body is None:
                connection.request("GET", path)
            else:
                connection.request("POST", path, body, {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def begin(self, path):
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return connection

    def cpu_s(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self):
        status = open(f"/proc/{self.process.pid}/status").read()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def send(self, first, number):
        lines = (
            json.dumps({"message": f"request {i * 7919 % 1000003} of client {i % 9973} took {i % 977} ms on worker w{i % 64}"})
            for i in range(first, first + number)
        )
        status, body = self.ask("/logs", "\n".join(lines).encode())
        assert status == 200, (status, body[:200])

    def total(self):
        status, body = self.ask("/api/v1/search?limit=0")
        return json.loads(body)["total"] if status == 200 else -1


class Beside(threading.Thread):
    """Asks for something cheap over and over, or sends."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.times_ms, self.failed, self.done = work, [], 0, threading.Event()

    def run(self):
        while not self.done.is_set():
            begun = time.monotonic()
            self.failed += not self.work()
            self.times_ms.append((time.monotonic() - begun) * 1000)
            self.done.wait(0.05)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()

    def figures(self):
        times = sorted(self.times_ms)
        return {"asked": len(times), "failed": self.failed, "p50_ms": round(times[len(times) // 2]), "worst_ms": round(times[-1])}


def report(step, good, **figures):
    print(json.dumps({"step": step, "good": good, **figures}), flush=True)
    return good


def attack(server, events):
    good = True
    begun = time.monotonic()
    for first in range(0, events, 10_000):
        server.send(first, min(10_000, events - first))
    while server.total() < events:
        time.sleep(0.2)
    report("loaded", True, events=events, seconds=round(time.monotonic() - begun, 1))

    sent = [events]

    def send():
        server.send(sent[0], 100)
        sent[0] += 100
        return True

    def search():
        status, _ = server.ask("/api/v1/search?limit=10&q=worker")
        return status == 200

    with Beside(search) as searches, Beside(send) as sends:
        begun = time.monotonic()
        clients = [server.begin(HEAVY_PATH) for _ in range(HEAVY)]
        waits = [client.makefile("rb") for client in clients]
        statuses = [int(wait.readline().split()[1]) for wait in waits]
        took = time.monotonic() - begun
        while len(searches.times_ms) < 10:
            time.sleep(0.1)
    for client in clients:
        client.close()
    fine = searches.failed == 0 and searches.figures()["worst_ms"] < 1000 and sends.failed == 0
    good &= report("heavy queries that stay", fine, statuses=sorted(statuses), all_answered_s=round(took, 1),
                   search=searches.figures(), send=sends.figures())

    with Beside(search) as searches:
        for _ in range(4):
            clients = [server.begin(HEAVY_PATH) for _ in range(HEAVY)]
            time.sleep(0.5)
            for client in clients:
                client.close()
        time.sleep(1)
    used = server.cpu_s()
    time.sleep(2)
    used = server.cpu_s() - used
    fine = searches.failed == 0 and searches.figures()["worst_ms"] < 1000 and used < 1
    good &= report("heavy queries whose clients leave", fine, search=searches.figures(), cpu_s_of_2_afterwards=round(used, 2))

    peak = server.peak_mb()
    clients = [server.begin(HEAVY_PATH) for _ in range(HEAVY)]
    time.sleep(0.2)
    begun = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    try:
        code = server.process.wait(GRACE_S * 4)
    except subprocess.TimeoutExpired:
        code = None
    took = time.monotonic() - begun
    for client in clients:
        client.close()
    good &= report("stop beside heavy queries", code == 0 and took < GRACE_S + 1, seconds=round(took, 1), code=code, peak_mb=round(peak))
    return good


def main():
    binary, events = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300_000
    with tempfile.TemporaryDirectory() as folder:
        server = Server(binary, folder)
        try:
            return attack(server, events)
        finally:
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
