#!/usr/bin/env python3
"""Whether damage below the data folder is told: by the log, a metric and /readyz, and never answered as if nothing had been."""

import contextlib
import glob
import json
import os
import shutil
import struct
import threading
import time

from harness import Canary, attack, exactly, main, verdict, wait_for


LOSS = ("damag", "lost", "missing", "cut off", "newer", "set aside", "destroyed", "refused", "cannot be read", "does not")


def told(server, *names):
    """How a loss was told: a component of /readyz that is not ok, a metric above zero, a warning of the log."""
    metrics = [name for name in names if (server.metric(name) or 0) > 0]
    lines = [line for line in server.log().splitlines()
             if (" WARN" in line or "ERROR" in line) and any(word in line for word in LOSS)]
    return {"readyz": troubled(server), "metric": bool(metrics), "log": bool(lines)}


def troubled(server):
    """Whether /readyz lists something that is degraded or failed."""
    found = server.get("/readyz").json()
    return bool(found["degraded"] or found["failed"])


def newest(server, pattern):
    """The newest non-empty file of a kind."""
    found = sorted(path for path in glob.glob(os.path.join(server.data, pattern)) if os.path.getsize(path))
    if not found:
        raise AssertionError(f"there is no {pattern}")
    return found[-1]


JOURNAL_METRICS = ("journal_damaged_records_total", "dropped_events_total")


def overwrite(path):
    with open(path, "r+b") as file:
        file.write(b"\0" * os.path.getsize(path))


def halve(path):
    os.truncate(path, os.path.getsize(path) // 2)


def empty(path):
    os.truncate(path, 0)


def flip(path, at=0.5):
    with open(path, "r+b") as file:
        place = int(os.path.getsize(path) * at)
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 0x40]))


def bump_version(path):
    """A format of the future: the version behind the magic is another, the checksum of a journal's header is right."""
    with open(path, "r+b") as file:
        head = bytearray(file.read(44))
        head[8:12] = struct.pack("<I", 77)
        head[40:44] = struct.pack("<I", crc32c(head[:40]))
        file.seek(0)
        file.write(head)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@attack("a journal segment destroyed before it was indexed", bar="told by log, metric and verify; what is left is found", seconds=120)
def journal_destroyed(run):
    damages = {"overwritten": overwrite, "emptied": empty, "removed": os.unlink, "halved": halve, "of a newer version": bump_version}
    silent = []
    for name, damage in damages.items():
        with run.server() as server:
            server.post([{"message": f"event {i} lost or not " + "z" * 200} for i in range(1000)], path="/logs")
            server.kill()
            damage(newest(server, "journal/*.segment"))
            verify = run.command("journal", "verify", server=server)
            server.wait = False
            server.start()
            end = time.monotonic() + 15
            while not server.ready() and server.alive() and time.monotonic() < end:
                time.sleep(0.05)
            if not server.alive():
                continue  # It refused to start, and said so.
            ways = told(server, *JOURNAL_METRICS)
            found = server.count("lost")
            if found < 1000 and not (ways["log"] and ways["metric"] and verify.returncode != 0):
                silent.append(f"{name}: {found} of 1000 found, verify exits {verify.returncode}, told by "
                              f"{[way for way, yes in ways.items() if yes] or 'nothing'}")
    return verdict(not silent, f"silent: {'; '.join(silent) or 'none'}"[:600])


def stored(run, server, number=3000, parts=3):
    """Events in several files of the index."""
    for part in range(parts):
        server.post([{"message": f"kept part {part} event {i} " + "z" * (i % 60)} for i in range(number // parts)])
        server.stop()
        server.start()
    exactly(server.wait_count("kept", number), number)
    server.stop()


@attack("files of the index missing, newer or damaged", bar="told by log, metric and /readyz; a byte costs a block at most", seconds=120)
def index_damaged(run):
    damages = {"removed": os.unlink, "emptied": empty, "halved": halve, "one byte flipped": flip,
               "of a newer version": lambda path: patch(path, 8, b"\x4d")}
    silent = []
    with run.server() as server:
        stored(run, server)
        clean = server.data + ".clean"
        shutil.copytree(server.data, clean)
        for name, damage in damages.items():
            shutil.rmtree(server.data)
            shutil.copytree(clean, server.data)
            path = sorted(glob.glob(os.path.join(server.data, "index", "*.segment")), key=os.path.getsize)[-1]
            damage(path)
            open(os.path.join(server.dir, "log"), "w").close()
            server.wait = False
            server.start()
            end = time.monotonic() + 15
            while not server.ready() and server.alive() and time.monotonic() < end:
                time.sleep(0.05)
            if not server.alive():
                continue
            answers = [server.json("/api/v1/search?limit=100&q=kept") for _ in range(2)]
            found = answers[-1]["total"]
            # Figures are set every two seconds.
            end = time.monotonic() + 5
            while not all((ways := told(server, "index_damaged_files", "index_lost_events")).values()) and time.monotonic() < end:
                time.sleep(0.2)
            first = answers[0]
            if first["total"] < 3000 and not first.get("partial") and not ways["readyz"]:
                silent.append(f"{name}: {first['total']} of 3000 answered as the whole")
            elif found < 3000 and not all(ways.values()):
                silent.append(f"{name}: {found} of 3000, told by {[way for way, yes in ways.items() if yes] or 'nothing'}")
            server.kill()
    return verdict(not silent, f"silent: {'; '.join(silent) or 'none'}"[:600], server)


def patch(path, at, value):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(value)


@attack("model, feedback, history or starter damaged", bar="each told by log and /readyz or a metric; feedback ids go on", seconds=90)
def learned_damaged(run):
    silent = []
    starter = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../models/sshd-auth.starter")
    with run.server() as server:
        post = lambda path, body: server.request("POST", path, body, {"Content-Type": "application/json"}, url=server.anomaly_url, timeout=60)
        exactly(server.request("POST", "/starters", open(starter, "rb").read(), url=server.anomaly_url).status, 200, "as /starters' status")
        for round_ in range(2):
            logs = json.dumps([{"message": f"event {i} of user{i % 7} round {round_}", "level": "info"} for i in range(2500)])
            exactly(post("/train", logs).status, 200, "as /train's status")
        ids = [post("/feedback", json.dumps({"event": {"message": f"event {i}"}, "label": "normal"})).json() for i in range(3)]
        serving = server.request("GET", "/model", url=server.anomaly_url).json()
        server.stop()
        clean = server.data + ".clean"
        shutil.copytree(server.data, clean)
        models = sorted(glob.glob(os.path.join(clean, "models", "0*")))
        targets = {"the model that serves": os.path.join(models[-1], "model.bin"), "feedback": os.path.join(clean, "models/feedback"),
                   "history": os.path.join(clean, "models/history"),
                   "a starter": next(iter(glob.glob(os.path.join(clean, "models/starters/*"))), "")}
        for name, path in targets.items():
            if not os.path.exists(path):
                silent.append(f"{name}: no file {path}")
                continue
            shutil.rmtree(server.data)
            shutil.copytree(clean, server.data)
            flip(os.path.join(server.data, os.path.relpath(path, clean)))
            open(os.path.join(server.dir, "log"), "w").close()
            server.start()
            server.request("GET", "/model", url=server.anomaly_url)
            ways = told(server, "damaged_learned_files")
            if not (ways["log"] and (ways["readyz"] or ways["metric"])):
                silent.append(f"{name}: told by {[way for way, yes in ways.items() if yes] or 'nothing'}")
            if name == "feedback":
                again = post("/feedback", json.dumps({"event": {"message": "event 9"}, "label": "normal"})).json()
                if again.get("id") is not None and int(again["id"]) <= int(ids[-1]["id"]):
                    silent.append(f"feedback: id {again['id']} given out again")
            server.kill()
        return verdict(not silent and serving is not None, f"silent: {'; '.join(silent) or 'none'}"[:600], server)


@attack("the data folder deleted beneath it", bar="/readyz says so within 15 s, or the process ends and says why", seconds=120, waits=True)
def deleted_beneath(run):
    silent = []
    for part in ("", "index", "journal"):
        with run.server() as server:
            server.post([{"message": f"event {i}"} for i in range(100)])
            shutil.rmtree(os.path.join(server.data, part))
            with contextlib.suppress(TimeoutError):
                wait_for(lambda: not server.alive() or troubled(server), 15, 0.2)
            if server.alive() and not troubled(server):
                silent.append(part or "all of it")
    return verdict(not silent, f"ready as if nothing had been: {', '.join(silent) or 'none'}")


@attack("models exchanged by many at once", bar="no answer of 500", seconds=60)
def concurrent_exchanges(run):
    statuses = []
    with run.server() as server:
        for round_ in range(2):
            logs = json.dumps([{"message": f"event {i} of user{i % 7} round {round_}", "level": "info"} for i in range(2500)])
            exactly(server.request("POST", "/train", logs, {"Content-Type": "application/json"}, url=server.anomaly_url, timeout=60).status, 200)
        versions = [each["version"] for each in listed(server)]

        def exchange_often(me):
            for i in range(run.pick(20, 200)):
                path = f"/models/{versions[(me + i) % len(versions)]}/activate" if i % 3 else "/models/rollback"
                statuses.append(server.request("POST", path, url=server.anomaly_url).status)

        with Canary(server) as canary:
            threads = [threading.Thread(target=exchange_often, args=(i,)) for i in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(40)
        wrong = [status for status in statuses if status >= 500]
        return verdict(not wrong and len(statuses) > 100 and canary.failed == 0, f"{len(wrong)} of {len(statuses)} answered 5xx", server, canary)


def listed(server):
    found = server.request("GET", "/models", url=server.anomaly_url).json()
    return found["models"] if isinstance(found, dict) else found


@attack("an import that is interrupted and run again", bar="nothing stored twice", seconds=90)
def import_again(run):
    path = os.path.join(run.scratch, "old.log")
    number = run.pick(30_000, 400_000)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"2026-11-20T10:{i // 60 % 60:02}:{i % 60:02}Z again line {i}\n" for i in range(number))
    import subprocess
    with run.server() as server:
        importing = subprocess.Popen([run.binary, "import", path], env=server.env, cwd=run.scratch,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: server.count("again") > 0 or importing.poll() is not None, 20)
        importing.kill()
        importing.wait()
        first = server.count("again")
        for _ in range(2):
            exactly(run.command("import", path, server=server).returncode, 0, "as import's status")
        found = server.wait_count("again", number, 5)
        return verdict(found == number, f"{found} of {number} lines, {first} of them from the run that was killed", server)


if __name__ == "__main__":
    main()
