#!/usr/bin/env python3
"""The agent on this machine: are its figures those of psutil, df and /proc, and what does it cost?

usage: agent.py PROGRAM [--short] [--footprint SECONDS]

Runs `PROGRAM agent` (`log-sentinel-agent` as it is) against a collector of a few lines of Python, and compares each sample with what is read here at the moment when it
comes in: processors within 2 points, memory within 1 %, sizes of file systems to the byte; under stress-ng, with a full tmpfs, a service
that stops, an interface that goes away (in a network namespace), a collector that is away, a disk that is full, and after kill -9. Exits with 1 when anything differs.

--short takes about a minute. --footprint measures the agent (10 s, top processes, one tailed file) beside node_exporter, scraped every 10 s.
Needs root, psutil (PyPI), and from Debian stress-ng, iproute2, for the footprint prometheus-node-exporter. Everything listens on this machine only.
"""
import argparse
import http.server
import json
import os
import pathlib
import queue
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import psutil

PROGRAM = None
# The program of its own needs no command.
COMMAND = ["agent"]
PROBLEMS = []
KEY = "a-key-of-the-test"
# What the unit file says of memory holds here too.
UNIT = dict(
    word.split("=", 1)
    for line in (pathlib.Path(__file__).parent.parent / "agent/log-sentinel-agent.service").read_text().splitlines()
    if line.startswith("Environment=MALLOC_")
    for word in line.removeprefix("Environment=").split()
)


def check(holds, what):
    print(f"  {'ok  ' if holds else 'FAIL'} {what}", flush=True)
    if not holds:
        PROBLEMS.append(what)


class Readings:
    """What this machine says at a moment, without the agent."""

    def __init__(self, mounts=()):
        self.at = time.monotonic()
        with open("/proc/stat") as stat:
            self.ticks = [int(word) for word in stat.readline().split()[1:9]]
        self.memory = psutil.virtual_memory()
        self.mounts = {mount: os.statvfs(mount) for mount in mounts}


class Collector:
    """Takes samples and logs, and remembers what was read when each came."""

    def __init__(self, host="127.0.0.1", port=0, mounts=()):
        self.samples, self.logs, self.arrivals = [], [], queue.Queue()
        self.answer = {"status": "success", "accepted": 1}
        self.mounts = mounts
        self.is_away = False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                if outer.is_away:
                    # Connections that are still open get no answer either.
                    self.close_connection = True
                    return None
                reading = Readings(outer.mounts)
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("x-api-key") != KEY:
                    return self.say(401, {"detail": "no such key"})
                if self.path == "/data":
                    for sample in json.loads(body):
                        outer.samples.append(sample)
                        outer.arrivals.put((sample, reading))
                    return self.say(200, outer.answer)
                if self.path == "/logs":
                    outer.logs += [json.loads(line) for line in body.splitlines()]
                    return self.say(200, {"accepted": len(outer.logs), "rejected": 0})
                return self.say(404, {})

            def say(self, status, answer):
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer((host, port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self, seconds=60):
        return self.arrivals.get(timeout=seconds)

    def close(self):
        self.is_away = True
        self.server.shutdown()
        self.server.server_close()


class Agent:
    def __init__(self, folder, config, before=()):
        self.folder, self.config, self.before = folder, folder / "config.yaml", list(before)
        self.config.write_text(json.dumps(config))
        self.start()

    def start(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LOG_SENTINEL_")}
        environment |= UNIT
        environment["LOG_SENTINEL_DATA"] = str(self.folder / "data")
        self.log = open(self.folder / "agent.log", "ab")
        self.process = subprocess.Popen(
            [*self.before, PROGRAM, *COMMAND, "--config", str(self.config)],
            env=environment, stdout=self.log, stderr=self.log, cwd=self.folder,
        )

    def said(self):
        return (self.folder / "agent.log").read_text(errors="replace")

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(30)
        self.log.close()
        return code


def configuration(port, host="127.0.0.1", interval=2, **monitoring):
    return {
        "agent": {"name": "under-test", "interval": interval},
        "server": {"url": f"http://{host}:{port}/data", "api_key": KEY},
        "monitoring": monitoring,
        "logs": {"enabled": False},
    }


def shares(before, after):
    """Busy, as psutil counts it (everything but idling and waiting for disks), user and system, in percent."""
    grown = [max(0, b - a) for a, b in zip(before, after)]
    parts = sum(grown) - grown[3] - grown[4], grown[0] + grown[1], grown[2] + grown[5] + grown[6]
    return [100 * part / max(1, sum(grown)) for part in parts]


def figures(folder, short):
    """Processors, memory and file systems against psutil, df and /proc, idle, under load, with a full tmpfs."""
    print("figures, at rest and under stress-ng, and a full tmpfs")
    mount = folder / "tmpfs"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", mount], check=True)
    collector = Collector(mounts=[str(mount)])
    agent = Agent(folder, configuration(collector.port, disk={"paths": [str(mount), "/"]}))
    try:
        _, before = collector.next()
        for phase, seconds in [("at rest", 3 if short else 10), ("under load", 4 if short else 30)]:
            stress = None
            if phase == "under load":
                stress = subprocess.Popen(
                    ["stress-ng", "--cpu", "1", "--vm", "1", "--vm-bytes", "256m", "--vm-keep", "--hdd", "1",
                     "--temp-path", str(folder), "--timeout", "600s", "--quiet"])
            off_cpu, off_memory = [], []
            for _ in range(seconds):
                sample, reading = collector.next()
                metrics = sample["metrics"]
                # Of a machine that is busy all the time, the parts still tell one reading from another.
                told = [metrics["cpu"][part] for part in ("percent", "user", "system")]
                off_cpu.append(max(abs(a - b) for a, b in zip(told, shares(before.ticks, reading.ticks))))
                off_memory.append(abs(metrics["ram"]["used"] - (reading.memory.total - reading.memory.available)))
                total = metrics["ram"]["total"] == reading.memory.total
                before = reading
            if stress:
                stress.terminate()
                stress.wait()
            # A reading here and one there are some milliseconds apart, of two seconds.
            off_cpu.sort()
            off_memory.sort()
            middle = len(off_cpu) // 2
            check(off_cpu[middle] <= 2, f"{phase}: processors differ by {off_cpu[middle]:.2f} points (median; most {off_cpu[-1]:.2f})")
            share = 100 * off_memory[middle] / reading.memory.total
            check(total and share <= 1, f"{phase}: memory differs by {share:.3f} % (median), its size by nothing")
        with open(mount / "filler", "wb") as filler:
            try:
                while True:
                    filler.write(b"x" * 65536)
                    filler.flush()
            except OSError:
                pass
        for _ in range(2):
            sample, reading = collector.next()
        disk, said = sample["metrics"]["disk"][str(mount)], reading.mounts[str(mount)]
        expected = (said.f_blocks * said.f_frsize, (said.f_blocks - said.f_bfree) * said.f_frsize, said.f_bavail * said.f_frsize)
        check((disk["total"], disk["used"], disk["available"]) == expected, "a full tmpfs: bytes are those of statvfs")
        df = subprocess.run(["df", "-B1", "--output=size,used,avail,pcent", mount], capture_output=True, text=True, check=True)
        size, used, available, percent = df.stdout.splitlines()[1].replace("%", "").split()
        check((disk["total"], disk["used"], disk["available"]) == (int(size), int(used), int(available)), "and those of df")
        check(disk["percent"] == 100 and int(percent) == 100, "and it is at 100 %")
        sample, _ = collector.next()
        check(sample["metrics"]["uptime_s"] > 0 and sample["metrics"]["processes"] > 3, "uptime and processes are there")
        own = [one for one in sample["metrics"]["top"] if one["pid"] == os.getpid()]
        check(bool(sample["metrics"]["top"]) and all(one["name"].startswith("python") for one in own), "the processes that take most are there")
        subprocess.run(["umount", mount], check=True)
        sample, _ = collector.next()
        sample, _ = collector.next()
        check("/" in sample["metrics"]["disk"], "a mount that went away leaves the others")
    finally:
        code = agent.end()
        subprocess.run(["umount", mount], stderr=subprocess.DEVNULL, check=False)
        collector.close()
    check(code == 0, "it ends in order")


def services(folder):
    print("a service without systemd that stops, sign-ins, secrets of command lines")
    if pathlib.Path("/run/systemd/system").is_dir():
        print("  left out: this machine has systemd")
        return
    program = folder / "sentinel-svc-x"
    shutil.copy(shutil.which("sleep"), program)
    service = subprocess.Popen([program, "600"])
    secret = subprocess.Popen([sys.executable, "-c", "import time; held = b'x' * (200 << 20); time.sleep(600)", "--password=hunter2"])
    auth = folder / "auth.log"
    auth.write_text("Nov 30 10:00:00 h sshd[1]: Failed password for root from 192.0.2.1 port 22 ssh2\n")
    collector = Collector()
    watched = {"services": {"list": ["sentinel-svc-x"]}, "ssh": {"log_path": str(auth)}}
    config = configuration(collector.port, **watched)
    config["agent"]["top"] = 20
    agent = Agent(folder, config)
    try:
        sample, _ = collector.next()
        check(sample["metrics"]["services"] == {"sentinel-svc-x": "running"}, "it runs")
        check(sample["metrics"]["ssh"] == {"failed_attempts": 0}, "what stood in the log before is not counted")
        commands = json.dumps([one.get("command", "") for one in sample["metrics"]["top"]])
        check("--password=" in commands and "hunter2" not in commands, "a password in a command line is masked")
        service.kill()
        service.wait()
        with open(auth, "a") as log:
            for address in ["192.0.2.7"] * 5 + ["192.0.2.8"]:
                log.write(f"Nov 30 10:00:01 h sshd[1]: Failed password for root from {address} port 22 ssh2\n")
        found, stopped = {}, False
        for _ in range(3):
            sample, _ = collector.next()
            found.update(sample["metrics"]["ssh"].get("addresses", {}))
            stopped = stopped or sample["metrics"]["services"]["sentinel-svc-x"] == "stopped"
        check(stopped, "it has stopped")
        check(found == {"192.0.2.7": 5, "192.0.2.8": 1}, "failed sign-ins are counted by address")
    finally:
        agent.end()
        for process in (service, secret):
            process.kill()
            process.wait()
        collector.close()


def interface(folder):
    print("an interface that goes away, in a network namespace")
    space = f"sentinel{os.getpid()}"
    net = f"10.{random.randint(60, 250)}.{random.randint(1, 250)}"
    outer = f"ls{os.getpid() % 100000}o"

    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    ip("netns", "add", space)
    collector = agent = None
    try:
        ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", space)
        ip("addr", "add", f"{net}.1/30", "dev", outer)
        ip("link", "set", outer, "up")
        inside = ["ip", "netns", "exec", space]
        ip("-n", space, "addr", "add", f"{net}.2/30", "dev", "eth0")
        ip("-n", space, "link", "set", "eth0", "up")
        ip("-n", space, "link", "add", "gone0", "type", "veth", "peer", "name", "gone1")
        collector = Collector(host=f"{net}.1")
        config = configuration(collector.port, host=f"{net}.1", interval=1, network={"interfaces": ["eth0", "gone0"]})
        agent = Agent(folder, config, inside)
        sample, _ = collector.next()
        check(set(sample["metrics"]["network"]) == {"eth0", "gone0"}, "both are measured")
        ip("-n", space, "link", "del", "gone0")
        for _ in range(4):
            sample, _ = collector.next()
        check(set(sample["metrics"]["network"]) == {"eth0"}, "the other one goes on")
        check(agent.said().count("there is no such interface") == 1, "it is said once")
    finally:
        if agent:
            agent.end()
        if collector:
            collector.close()
        subprocess.run(["ip", "netns", "del", space], check=False)
        subprocess.run(["ip", "link", "del", outer], check=False, stderr=subprocess.DEVNULL)


def outage(folder, short):
    print("a collector that is away, kill -9, what the server wants to have measured")
    collector = Collector()
    port = collector.port
    agent = Agent(folder, configuration(port, interval=1))
    try:
        collector.next()
        away, seconds = collector, 4 if short else 20
        collector.close()
        time.sleep(seconds)
        agent.end(signal.SIGKILL)
        before = list(away.samples)
        agent.start()
        time.sleep(2 if short else 20)
        collector = Collector(port=port)
        while collector.arrivals.qsize() < 6:
            time.sleep(0.1)
            check(agent.process.poll() is None, "it runs") if agent.process.poll() is not None else None
        after = list(collector.samples)
        numbers = [sample["seq"] for sample in before + after]
        check(numbers == sorted(numbers), "samples come in order")
        check(len({sample["agent_id"] for sample in before + after}) == 1, "under one id")
        times = [sample["timestamp"] for sample in before + after]
        check(times == sorted(times), "with their own times")
        # Once there may be two: the collector went away between taking a sample and saying so.
        check(len(numbers) - len(set(numbers)) <= 1, "and none is another one's number")
        first = [number for number in sorted(set(numbers)) if number < numbers[0] + 1000]
        # One a second, of which the machine may have been too busy for some.
        whole = first == list(range(first[0], first[0] + len(first))) and len(first) > len(set(numbers) & {one["seq"] for one in before})
        check(whole, f"none of those before the kill is missing ({len(before)} before the collector went away, {len(first)} in all)")
        collector.answer = {"status": "success", "accepted": 1, "config": {"version": 4, "monitoring": {"cpu": {"enabled": False}}}}
        for _ in range(20):
            sample, _ = collector.next()
            if sample.get("config_version") == 4:
                break
        check(sample.get("config_version") == 4 and "cpu" not in sample["metrics"], "it measures what the server wants, and says so")
        collector.answer["config"] = {"version": 5, "monitoring": {"cpu": {"threshold": 500}}}
        for _ in range(20):
            sample, _ = collector.next()
            if "config_problem" in sample:
                break
        check(sample["config_version"] == 4 and "version 5" in sample.get("config_problem", ""), "what does not fit is refused, and named")
    finally:
        agent.end()
        collector.close()


def full_disk(folder):
    print("a disk of the agent that is full, while the collector is away")
    data = folder / "data"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", data], check=True)
    collector = Collector()
    port = collector.port
    agent = Agent(folder, configuration(port, interval=1))
    try:
        collector.next()
        before = collector
        filler = open(data / "filler", "wb", buffering=0)
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass
        filler.close()
        for _ in range(3):
            before.next()
        check("the agent's own journal" in agent.said(), "its journal takes nothing, and it says so")
        check(agent.process.poll() is None, "it runs, and sends what its disk does not take")
        before.close()
        time.sleep(5)
        (data / "filler").unlink()
        time.sleep(3)
        collector = Collector(port=port)
        while collector.arrivals.qsize() < 10:
            time.sleep(0.1)
        samples = before.samples + collector.samples
        numbers = [sample["seq"] for sample in samples]
        check(sorted(set(numbers)) == list(range(numbers[0], max(numbers) + 1)), f"none of {len(numbers)} samples is missing")
        # The one whose answer did not come when the collector went away may come again.
        check(len(numbers) - len(set(numbers)) <= 1, "and none is there twice")
        check(samples[-1]["metrics"]["other"]["agent.samples_dropped"] == 0, "none was given up")
    finally:
        agent.end()
        subprocess.run(["umount", data], check=False)
        collector.close()


def logs(folder):
    print("logs beside samples")
    collector = Collector()
    watched = folder / "app.log"
    watched.write_text("".join(f"2026-11-30T10:00:{number:02} INFO line number {number}\n" for number in range(20)))
    config = configuration(collector.port, interval=1)
    config["logs"] = {"enabled": True, "files": [str(watched)], "url": f"http://127.0.0.1:{collector.port}"}
    agent = Agent(folder, config)
    try:
        deadline = time.monotonic() + 60
        while len(collector.logs) < 20 and time.monotonic() < deadline:
            time.sleep(0.1)
        with open(watched, "a") as file:
            file.write("".join(f"2026-11-30T10:01:{number:02} INFO line number {20 + number}\n" for number in range(20)))
        while len(collector.logs) < 40 and time.monotonic() < deadline:
            time.sleep(0.1)
        found = [line["message"] for line in collector.logs]
        check(found == [f"line number {number}" for number in range(40)], "each line came once, in order")
        check(all(line["log"]["file"]["path"] == str(watched) and line["host"]["name"] for line in collector.logs), "with its file and its host")
    finally:
        agent.end()
        collector.close()


def cost(pid):
    """CPU seconds with those of children, resident and proportional bytes."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = sum(int(stat[index]) for index in (11, 12, 13, 14))
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in rollup if line.startswith(("Rss", "Pss:"))}
    return ticks / os.sysconf("SC_CLK_TCK"), sizes["Rss"], sizes["Pss"]


def footprint(folder, seconds):
    print(f"footprint over {seconds} s, {len(psutil.pids())} processes: agent at 10 s with top processes and one tailed file, node_exporter scraped every 10 s")
    exporter_path = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")
    collector = Collector()
    watched = folder / "app.log"
    watched.write_text("")
    config = configuration(collector.port, interval=10)
    config["logs"] = {"enabled": True, "files": [str(watched)], "url": f"http://127.0.0.1:{collector.port}"}
    agent = Agent(folder, config)
    port = random.randint(20000, 40000)
    exporter = subprocess.Popen([exporter_path, f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        time.sleep(15)
        pids = {"agent": agent.process.pid, "node_exporter": exporter.pid}
        before = {name: cost(pid) for name, pid in pids.items()}
        began = time.monotonic()
        most = {name: 0 for name in pids}
        while time.monotonic() - began < seconds:
            with open(watched, "a") as file:
                file.write("".join(f"2026-11-30T10:00:00 INFO request {number} took 12 ms\n" for number in range(100)))
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read()
            time.sleep(10)
            for name, pid in pids.items():
                most[name] = max(most[name], cost(pid)[1])
        took = time.monotonic() - began
        for name, pid in pids.items():
            cpu, resident, proportional = cost(pid)
            share = 100 * (cpu - before[name][0]) / took
            print(f"  {name:<14} resident {resident / 1e6:5.1f} MB (most {most[name] / 1e6:5.1f}), proportional {proportional / 1e6:5.1f} MB, {share:.3f} % of a core, {10 * share:.2f} ms a second")
            if name == "agent":
                check(most[name] <= 15e6, "the agent holds 15 MB at most")
                check(share <= 0.5, "the agent takes 0.5 % of a core at most")
        sizes = [len(json.dumps(sample)) for sample in collector.samples]
        print(f"  {len(sizes)} samples of {sum(sizes) // max(1, len(sizes))} B, {len(collector.logs)} lines of logs")
    finally:
        agent.end()
        exporter.terminate()
        exporter.wait()
        collector.close()


def main():
    global PROGRAM, COMMAND
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--footprint", type=int, metavar="SECONDS")
    asked = parser.parse_args()
    PROGRAM = str(asked.program.resolve())
    COMMAND = [] if asked.program.name == "log-sentinel-agent" else ["agent"]
    with tempfile.TemporaryDirectory(prefix="agent-") as scratch:
        def folder(name):
            path = pathlib.Path(scratch) / name
            path.mkdir()
            return path

        if asked.footprint:
            footprint(folder("footprint"), asked.footprint)
        else:
            figures(folder("figures"), asked.short)
            services(folder("services"))
            interface(folder("interface"))
            outage(folder("outage"), asked.short)
            full_disk(folder("full-disk"))
            logs(folder("logs"))
    print("all holds" if not PROBLEMS else f"{len(PROBLEMS)} do not hold: {PROBLEMS}")
    return 1 if PROBLEMS else 0


if __name__ == "__main__":
    sys.exit(main())
