#!/usr/bin/env python3
"""Whether what was acknowledged is there, once, whatever happened to the process, the disk or the clock."""

import contextlib
import glob
import http.client
import json
import os
import shutil
import signal
import subprocess
import threading
import time

from harness import (Canary, CannotRun, Server, attack, exactly, exchange, main, mount_tmpfs, own_mounts, verdict,
                     wait_for)


class Clients:
    """Senders that post numbered events, with and without a key of idempotency, and go on after every failure."""

    def __init__(self, server, number):
        self.server, self.stopped = server, threading.Event()
        self.sent, self.acknowledged, self.keyed = [0] * number, [0] * number, [i % 2 == 0 for i in range(number)]
        self.threads = [threading.Thread(target=self.send, args=(i,), daemon=True) for i in range(number)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join(30)

    def send(self, me):
        batch, again = 0, False
        while not (self.stopped.is_set() and not again):
            body = "\n".join(json.dumps({"message": f"client{me}x batch {batch} line {i}"}) for i in range(10))
            headers = {"Content-Type": "application/x-ndjson"}
            if self.keyed[me]:
                headers["Idempotency-Key"] = f"client-{me}-{batch}"
            try:
                self.sent[me] += 10
                answer = exchange(self.server.url, "POST", "/logs", body, headers, 10)
                if answer.status == 200:
                    self.acknowledged[me] += 10
                    again = False
                    batch += 1
                    continue
            except (OSError, http.client.HTTPException, ValueError):
                pass
            # With a key it is sent again until it is acknowledged; without, the next batch is another one.
            again = self.keyed[me]
            batch += not again
            time.sleep(0.02)

    def check(self):
        """What is wrong with what is stored: nothing acknowledged is missing, nothing with a key is there twice."""
        wrong = []
        for me, acknowledged in enumerate(self.acknowledged):
            found = self.server.wait_count(f"client{me}x", acknowledged, 10 if self.keyed[me] else 0.1)
            if found < acknowledged or (self.keyed[me] and found != acknowledged) or found > self.sent[me]:
                wrong.append(f"client {me}: {found} found, {acknowledged} acknowledged")
        return wrong


@attack("kill -9 under eight clients", bar="nothing acknowledged lost; with keys nothing twice", seconds=120)
def kills(run):
    number = run.pick(6, 40)
    with run.server() as server:
        with Clients(server, 8) as clients:
            for i in range(number):
                time.sleep(0.3 + 0.13 * (i % 5))
                server.kill()
                server.start()
            time.sleep(0.5)
        total = sum(clients.acknowledged)
        wrong = clients.check()
        return verdict(not wrong and total > 500, f"{number} kills, {total} acknowledged; {'; '.join(wrong) or 'all there'}", server)


ROTATIONS = {
    "rename": "the file is renamed and a new one begun",
    "copytruncate": "its content is copied and the file cut to nothing",
    "delayed gzip": "it is renamed and packed at the next rotation",
}


def rotate(how, path, number):
    """One rotation, as logrotate does it."""
    for i in range(3, 0, -1):
        for ending in ("", ".gz"):
            if os.path.exists(f"{path}.{i}{ending}"):
                os.rename(f"{path}.{i}{ending}", f"{path}.{i + 1}{ending}")
    if how == "copytruncate":
        shutil.copyfile(path, path + ".1")
        os.truncate(path, 0)
        return
    os.rename(path, path + ".1")
    if how == "delayed gzip" and os.path.exists(path + ".2"):
        subprocess.run(["gzip", "-f", path + ".2"], check=True)


@attack("rotation of watched files while it is killed", bar="each line there once", seconds=150)
def rotation_and_kills(run):
    kills, wrong, total = run.pick(3, 15), [], 0
    with run.server(LOG_SENTINEL_SCAN_INTERVAL="200ms") as server:
        counts = {}
        for how in ROTATIONS:
            token = how.replace(" ", "")
            folder = os.path.join(server.watched, token)
            os.makedirs(folder)
            counts[how] = 0
        for i in range(kills * 2):
            for how in ROTATIONS:
                token = how.replace(" ", "")
                path = os.path.join(server.watched, token, "app.log")
                with open(path, "a", encoding="utf-8") as file:
                    for _ in range(20):
                        file.write(f"{token} line {counts[how]}\n")
                        counts[how] += 1
            if i % 2:
                server.kill()
                server.start()
            # What is truncated or packed before it was read is in no file any more.
            for how, count in counts.items():
                exactly(server.wait_count(how.replace(" ", ""), count, 20), count, f"lines before {how} {i}")
            for how in ROTATIONS:
                rotate(how, os.path.join(server.watched, how.replace(" ", ""), "app.log"), i)
            if i % 2 == 0:
                time.sleep(0.3)
                server.kill()
                server.start()
        time.sleep(3)
        for how, count in counts.items():
            found = server.wait_count(how.replace(" ", ""), count, 10)
            total += count
            if found != count:
                wrong.append(f"{how}: {found} of {count}")
        return verdict(not wrong, f"{total} lines, {2 * kills} kills; {'; '.join(wrong) or 'each once'}", server)


@attack("training, import and a separate anomaly service killed", bar="starts again, judges, nothing acknowledged lost", seconds=120)
def killed_at_work(run):
    logs = json.dumps([{"message": f"session {i} of user{i % 7} opened on tty{i % 9}", "level": "info"} for i in range(20_000)])
    path = os.path.join(run.scratch, "big.log")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"2026-11-20T10:{i // 60 % 60:02}:{i % 60:02}Z imported line {i}\n" for i in range(40_000))
    rounds = run.pick(2, 8)
    with run.server() as server:
        for i in range(rounds):
            with contextlib.suppress(Exception):
                train = threading.Thread(target=lambda: ignore(lambda: exchange(server.anomaly_url, "POST", "/train", logs, {"Content-Type": "application/json"}, 20)))
                train.start()
            importing = subprocess.Popen([run.binary, "import", path], env=server.env, cwd=run.scratch,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.2 + 0.2 * i)
            server.kill()
            importing.kill()
            importing.wait()
            server.start()
        done = run.command("import", path, server=server)
        exactly(done.returncode, 0, f"as import's status: {done.stderr[-300:]}")
        found = server.wait_count("imported", 40_000, 10)
        models = server.request("GET", "/models", url=server.anomaly_url)
        verdicts = exchange(server.anomaly_url, "POST", "/predict", '{"message":"session 1 of user1 opened on tty1"}', {"Content-Type": "application/json"})
        with run.server(args=["anomaly"]) as alone:
            for _ in range(rounds):
                ignore(lambda: exchange(alone.anomaly_url, "POST", "/train", logs, {"Content-Type": "application/json"}, 0.4))
                alone.kill()
                alone.start()
            again = exchange(alone.anomaly_url, "POST", "/predict", '{"message":"session 1"}', {"Content-Type": "application/json"})
        good = found == 40_000 and models.status == 200 and verdicts.status == 200 and again.status == 200
        return verdict(good, f"{found} of 40000 imported lines after {rounds} interrupted imports, predictions {verdicts.status} and {again.status}", server)


def ignore(work):
    with contextlib.suppress(OSError, http.client.HTTPException):
        work()


@attack("a disk that is full before, during and after", bar="429 or 503, ready again by itself; nothing acknowledged lost", seconds=120)
def full_disk(run):
    own_mounts()
    disk = os.path.join(run.scratch, "disk")
    mount_tmpfs(disk, "96m")
    ballast = os.path.join(disk, "ballast")
    settings = {"LOG_SENTINEL_JOURNAL_BYTES_MAX": "32MiB", "LOG_SENTINEL_JOURNAL_SEGMENT_BYTES": "1MiB"}
    line = json.dumps({"message": "disk " + "y" * 2000})
    body = "\n".join([line] * 100)
    acknowledged, refused, others = 0, 0, []

    def send(server, number):
        nonlocal acknowledged, refused
        for _ in range(number):
            answer = server.request("POST", "/logs", body, {"Content-Type": "application/x-ndjson"})
            if answer.status == 200:
                acknowledged += 100
            elif answer.status in (429, 503):
                refused += 1
            else:
                others.append(answer.status)

    def fill():
        with open(ballast, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * (64 << 10))
        with open(ballast, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 512)

    with run.server(data=os.path.join(disk, "data"), **settings) as server:
        send(server, 10)
        fill()
        send(server, 30)
        unready = server.get("/readyz")
        server.kill()
        # It starts on a full disk, or says why it does not; afterwards there is room again.
        server.wait = False
        server.start()
        time.sleep(2)
        started = server.alive()
        os.unlink(ballast)
        server.wait = True
        if started:
            server.wait_ready(20)
        else:
            server.start()
        begun = time.monotonic()
        wait_for(lambda: server.request("POST", "/logs", line, {"Content-Type": "application/json"}).status == 200, 20, 0.2)
        acknowledged += 1
        recovered = time.monotonic() - begun
        send(server, 10)
        found = server.wait_count("disk", acknowledged, 30)
        good = found == acknowledged and refused > 0 and not others and unready.status == 503
        return verdict(good, f"{found} of {acknowledged} acknowledged found, {refused} refused, others {others[:3]}; /readyz {unready.status} "
                       f"while full; {'started on the full disk' if started else 'did not start on it'}; took logs again after {recovered:.1f} s", server)


@attack("a data folder that cannot be written", bar="refused at start with a sentence, or 503; nothing acknowledged lost", seconds=40)
def read_only(run):
    own_mounts()
    from harness import mount
    disk = os.path.join(run.scratch, "disk")
    mount_tmpfs(disk, "64m")
    with run.server(data=os.path.join(disk, "data"), ready=False) as server:
        server.wait_ready()
        server.post([{"message": "before"}] * 100)
        server.stop()
        mount("-o", "remount,ro", disk)
        server.start()
        refused = wait_or_none(server.process, 10)
        if refused is None:
            status = server.request("POST", "/logs", '{"message":"x"}', {"Content-Type": "application/json"}).status
        else:
            status = None
        server.kill()
        mount("-o", "remount,rw", disk)
        server.wait = True
        server.start()
        found = server.count("before")
        said = "Read-only" in server.log() or "read-only" in server.log()
        good = found == 100 and said and (status is None and refused != 0 or status in (429, 503))
        return verdict(good, f"exit {refused}, POST {status}, said: {said}; {found} of 100 found afterwards", server)


def wait_or_none(process, seconds):
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


@attack("clocks ten and a hundred years off", bar="starts, takes, finds; nothing lost or twice", seconds=90)
def clocks(run):
    library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)
    if library is None:
        raise CannotRun("the package faketime is not installed")
    with run.server() as server:
        server.post([{"message": "clock now"}] * 10)
        server.stop()
        total = 10
        for shift in ("-10y", "+10y", "-50y", "+100y"):
            server.env |= {"LD_PRELOAD": library, "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
            server.start()
            total += server.post([{"message": "clock shifted"}] * 10)
            exactly(server.wait_count("clock", total, 10), total, f"events at {shift}")
            server.kill() if shift.startswith("-") else server.stop()
        for name in ("LD_PRELOAD", "FAKETIME"):
            server.env.pop(name)
        server.start()
        found = server.wait_count("clock", total, 10)
        return verdict(found == total, f"{found} of {total} events", server)


@attack("a second process on the same data folder", bar="refused, whatever its role; the first loses nothing", seconds=60)
def second_process(run):
    with run.server() as server:
        server.post([{"message": "first"}] * 100)
        started = []
        for args in ((), ("collector",), ("anomaly",)):
            second = Server(run, args=args, data=server.data, ready=False,
                            **({"LOG_SENTINEL_ANOMALY_URL": f"http://127.0.0.1:{server.grpc[1]}"} if args == ("collector",) else {}))
            second.start()
            if wait_or_none(second.process, 5) in (None, 0):
                started.append(args[0] if args else "run")
            second.kill()
        found = server.wait_count("first", 100, 5)
        return verdict(not started and found == 100, f"started beside it: {', '.join(started) or 'none'}; {found} of 100 found", server)


@attack("symlinks in place of state files", bar="their targets are not written; starts or says why", seconds=90)
def state_symlinks(run):
    wrong, refused = [], 0
    with run.server() as server:
        server.post([{"message": "state"}] * 100)
        server.stop()
        clean = server.data + ".clean"
        shutil.copytree(server.data, clean)
        files = [os.path.relpath(os.path.join(folder, file), clean) for folder, _, names in os.walk(clean) for file in names]
        for i, file in enumerate(sorted(files)[: run.pick(8, 100)]):
            shutil.rmtree(server.data)
            shutil.copytree(clean, server.data)
            target = os.path.join(run.scratch, f"target{i}")
            shutil.move(os.path.join(server.data, file), target)
            before = open(target, "rb").read()
            os.symlink(target, os.path.join(server.data, file))
            server.wait = False
            server.start()
            end = time.monotonic() + 10
            while not server.ready() and server.alive() and time.monotonic() < end:
                time.sleep(0.05)
            if server.alive():
                with contextlib.suppress(Exception):
                    server.request("POST", "/logs", '{"message":"more"}', {"Content-Type": "application/json"})
                    if server.count("state") != 100:
                        wrong.append(f"{file}: {server.count('state')} of 100")
            else:
                refused += 1
            server.kill()
            if not os.path.exists(target) or len(open(target, "rb").read()) < len(before):
                wrong.append(f"{file}: the target was cut or removed")
        return verdict(not wrong, f"{'; '.join(wrong) or 'all well'}; {refused} refused at start", server)


@attack("a slow stop", bar="SIGTERM ends it within its grace of 5 s in every state", seconds=90)
def stops(run):
    slow, states = [], {}
    with run.server(LOG_SENTINEL_SHUTDOWN_GRACE="5s") as server:
        def half():
            connection = server.connect()
            connection.sendall(b"POST /logs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
            return connection

        def tail():
            connection = server.connect()
            connection.sendall(b"GET /api/v1/tail HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return connection

        def import_unknown():
            texts = json.dumps([{"message": f"word{i} other{i * 7} third{i * 13} never seen {i}"} for i in range(20_000)])
            thread = threading.Thread(target=lambda: ignore(lambda: exchange(server.anomaly_url, "POST", "/predict", texts, {"Content-Type": "application/json"}, 20)), daemon=True)
            thread.start()
            return thread

        def train():
            texts = json.dumps([{"message": f"word{i % 5000} other{i % 77} third{i}"} for i in range(50_000)])
            thread = threading.Thread(target=lambda: ignore(lambda: exchange(server.anomaly_url, "POST", "/train", texts, {"Content-Type": "application/json"}, 20)), daemon=True)
            thread.start()
            return thread

        for name, state in {"idle": lambda: None, "half a request": half, "live tail": tail, "a long prediction": import_unknown,
                            "a training": train}.items():
            if not server.alive():
                server.start()
            kept = state()
            time.sleep(0.7)
            try:
                states[name] = round(server.stop(12), 1)
            except subprocess.TimeoutExpired:
                states[name] = "not within 12 s"
                server.kill()
            if not isinstance(states[name], float) or states[name] > 6.5:
                slow.append(name)
            del kept
        return verdict(not slow, f"seconds: {states}", server)


if __name__ == "__main__":
    main()
