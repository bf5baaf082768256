"""What every attack is written with. Standard library only.

An attack is a function in one of the files beside this one:

    from harness import Canary, attack, verdict

    @attack("an unread live tail", bar="peak memory below 400 MB")
    def unread_tail(run):
        with run.server(LOG_SENTINEL_TAILS_MAX=4) as server:      # free loopback ports, a data folder of its own
            server.post([{"message": "x" * 1000}] * 500)          # all acknowledged, or it raises
            with Canary(server) as canary:                        # posts and searches every 50 ms meanwhile
                ...
            rss = server.rss_mb()
            return verdict(rss < 400, f"peak {rss:.0f} MB", server, canary)

`python3 infra/attack/FILE.py BINARY [--long] [PART OF A NAME...]` runs the attacks of one file, `infra/attack/run` those of all.
Each runs in a process and session of its own, which is ended with everything it started when `seconds` are over; an attack
that raises or does not end has failed, never passed. It prints one JSON line:
{"attack","result","bar","held","seconds","rss_mb","canary_p50_ms","canary_p99_ms","canary_worst_ms","canary_refused",…}.

@attack(name, bar, seconds=60, waits=False, long_only=False)
    seconds     after which it is ended and has failed; ten times that in the long form
    waits       it mostly waits, so it runs beside the others
    long_only   only with --long

run                          what an attack is given
    run.binary, run.long     the program; whether there is time for the long form
    run.pick(short, long)    one of the two
    run.scratch              a folder that goes away afterwards
    run.server(**settings)   a `Server`, not yet started; `with` starts it and kills it at the end
        settings are environment variables; besides: args=["anomaly"] (another role), data=PATH (another data folder),
        prefix=["prlimit", "--nofile=1024"] (what it is started by), ready=False (not waited for)
    run.command(*args, server=None, **options)   runs the program's command line, answers a CompletedProcess (text)

Server                       the program as a process
    start(), stop(), kill()  SIGTERM and the seconds it took; SIGKILL. start() again uses the same folders and ports
    url, anomaly_url, grpc   "http://127.0.0.1:PORT" of 8080 and 8000; ("127.0.0.1", PORT) of 50051
    port, anomaly_port       for raw sockets: `server.connect()` answers one connected to `port`
    dir, data, watched       its working folder, data folder and watched folder (LOG_SENTINEL_DIR)
    pid, alive(), log()      its process, whether it runs, what it said on standard error
    rss_mb(), rss_now_mb(), reset_rss()   peak since the start or the reset, present, and the reset
    cpu_s(), descriptors()   processor seconds used, open descriptors
    get(path), json(path), request(method, path, body, headers, timeout, url)   one exchange: an `Answer`
    post(records, path="/logs?wait=indexed")   sends dicts or lines in batches, again after 429; the number accepted
    count(q), wait_count(q, n, seconds)        exact total of a query; waits until it is n, answers the last
    wait_ready(seconds), ready(), metric(name, **labels)

Answer: status, headers (lower-case names), body; .json()
Canary(server, every=0.05, seconds to wait for an answer=30): p50_ms, p99_ms, worst_ms over posts and searches,
    refused (429, 503), failed (no answer), posted; `balance()` is how many acknowledged events are missing (negative: doubled)
wait_for(condition, seconds, every=0.05): the condition's first true value, or raises
exactly(found, wanted, what): raises when they differ
own_mounts(): this attack in a mount namespace of its own, then `mount_tmpfs(path, size)`; CannotRun where that is not allowed
"""

import collections
import contextlib
import ctypes
import http.client
import inspect
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

ATTACKS = []
READY_SECONDS = 60

Attack = collections.namedtuple("Attack", "name bar seconds waits long_only function file")
Answer = collections.namedtuple("Answer", "status headers body")
Answer.json = lambda self: json.loads(self.body)


class CannotRun(Exception):
    """What the attack needs is not to be had here. It counts as a failure."""


def attack(name, bar, seconds=60, waits=False, long_only=False):
    """Enters a function among the attacks."""

    def enter(function):
        file = os.path.basename(inspect.getfile(function))
        ATTACKS.append(Attack(name, bar, seconds, waits, long_only, function, file))
        return function

    return enter


def verdict(held, result, server=None, canary=None, **figures):
    """What an attack answers."""
    found = {"result": result, "held": bool(held)}
    if server is not None:
        server.note_peak()
        found["rss_mb"] = round(server.peak_mb)
    if canary is not None:
        found |= canary.figures()
    return found | figures


def wait_for(condition, seconds, every=0.05, what="the state waited for"):
    """The first true value of a condition."""
    end = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {seconds} s")
        time.sleep(every)


def exactly(found, wanted, what="events"):
    """Raises when a count is not what it has to be."""
    if found != wanted:
        raise AssertionError(f"{found} {what}, not {wanted}")


def free_port():
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def exchange(url, method, path, body=None, headers=None, timeout=30):
    """One HTTP exchange over a connection of its own."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def own_mounts():
    """Puts this process, and what it starts, into a mount namespace that goes away with it."""
    new_mounts, new_user = 0x00020000, 0x10000000
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(new_mounts) != 0:
        if libc.unshare(new_mounts | new_user) != 0:
            raise CannotRun(f"a mount namespace: {os.strerror(ctypes.get_errno())}")
        for name, line in [("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")]:
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(line)
    mount("--make-rprivate", "/")


def mount_tmpfs(path, size):
    """A file system of `size` (such as "64m") at `path`, after `own_mounts`."""
    os.makedirs(path, exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", path)


def mount(*args):
    """mount(8), or CannotRun."""
    done = subprocess.run(["mount", *args], capture_output=True, text=True)
    if done.returncode:
        raise CannotRun(done.stderr.strip())


class Server:
    """The program as a process. See the module's documentation."""

    def __init__(self, run, args=(), data=None, prefix=(), ready=True, **settings):
        self.dir = tempfile.mkdtemp(prefix="server-", dir=run.scratch)
        self.data = data or os.path.join(self.dir, "data")
        self.watched = os.path.join(self.dir, "watched")
        self.port, self.anomaly_port, grpc_port = free_port(), free_port(), free_port()
        self.url, self.anomaly_url = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.anomaly_port}"
        self.grpc = ("127.0.0.1", grpc_port)
        self.command = [*prefix, run.binary, *args]
        self.wait = ready
        self.alone = list(args) == ["anomaly"]
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
        self.env = kept | {
            "LOG_SENTINEL_ADDR": f"127.0.0.1:{self.port}",
            "LOG_SENTINEL_ANOMALY_ADDR": f"127.0.0.1:{self.anomaly_port}",
            "LOG_SENTINEL_ANOMALY_GRPC_ADDR": f"127.0.0.1:{grpc_port}",
            "LOG_SENTINEL_DATA": self.data,
            "LOG_SENTINEL_DIR": self.watched,
        } | {k: str(v) for k, v in settings.items()}
        self.key = self.env.get("API_KEYS", "").split(",")[0]
        self.process, self.pid, self.peak_mb = None, None, 0.0
        os.makedirs(self.watched)

    def start(self):
        with open(os.path.join(self.dir, "log"), "ab") as log:
            self.process = subprocess.Popen(self.command, env=self.env, cwd=self.dir, stdout=log, stderr=log)
        self.pid = self.process.pid
        if self.wait:
            self.wait_ready()
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=60):
        """SIGTERM; how long it took. Raises when the process goes on after `seconds`."""
        self.note_peak()
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(seconds)
        return time.monotonic() - begun

    def kill(self):
        """SIGKILL, where it still runs."""
        if self.alive():
            self.note_peak()
            self.process.kill()
            self.process.wait()

    def log(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def status(self, name):
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith(name + ":"):
                    return int(line.split()[1])
        raise AssertionError(f"the process has no {name}: it has ended\n{self.log()[-2000:]}")

    def note_peak(self):
        with contextlib.suppress(OSError, AssertionError):
            self.peak_mb = max(self.peak_mb, self.status("VmHWM") / 1024)

    def rss_mb(self):
        self.note_peak()
        return self.status("VmHWM") / 1024

    def rss_now_mb(self):
        return self.status("VmRSS") / 1024

    def reset_rss(self):
        """The peak counts from here on."""
        self.peak_mb = 0.0
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def cpu_s(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def connect(self, port=None, timeout=30):
        """A socket connected to the collector, or to another of its ports."""
        return socket.create_connection(("127.0.0.1", port or self.port), timeout)

    def request(self, method, path, body=None, headers=None, timeout=30, url=None):
        headers = dict(headers or {})
        if self.key:
            headers.setdefault("Authorization", f"Bearer {self.key}")
        return exchange(url or self.url, method, path, body, headers, timeout)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def json(self, path, **options):
        """The body of a 200; anything else raises."""
        answer = self.get(path, **options)
        if answer.status != 200:
            raise AssertionError(f"GET {path[:200]} answered {answer.status}: {answer.body[:500]!r}")
        return answer.json()

    def ready(self):
        """Whether each port that it has answers that it is ready."""
        urls = [self.anomaly_url] if self.alone else [self.url, self.anomaly_url]
        with contextlib.suppress(OSError, http.client.HTTPException):
            return all(self.get("/readyz", url=url, timeout=5).status == 200 for url in urls)
        return False

    def wait_ready(self, seconds=READY_SECONDS):
        def state():
            if not self.alive():
                raise AssertionError(f"the program ended with {self.process.returncode}\n{self.log()[-2000:]}")
            return self.ready()

        wait_for(state, seconds, what="readiness")

    def post(self, records, path="/logs?wait=indexed", batch_bytes=1 << 20, seconds=60, headers=None):
        """Sends dicts (as NDJSON) or text lines, all of them, however often it is told to come again."""
        accepted, end = 0, time.monotonic() + seconds
        for body, ctype, number in batches(records, batch_bytes):
            while True:
                answer = self.request("POST", path, body, {"Content-Type": ctype} | (headers or {}), timeout=60)
                if answer.status == 200:
                    break
                if answer.status not in (429, 503) or time.monotonic() > end:
                    raise AssertionError(f"POST {path} answered {answer.status}: {answer.body[:500]!r}")
                time.sleep(0.1)
            exactly(answer.json()["accepted"], number, "events accepted")
            accepted += number
        return accepted

    def count(self, q="*", timeout=60):
        return self.json("/api/v1/search?limit=0&q=" + urllib.parse.quote(q), timeout=timeout)["total"]

    def wait_count(self, q, wanted, seconds=30):
        """The total of a query once it is `wanted`, or what it still is after `seconds`."""
        end = time.monotonic() + seconds
        while (found := self.count(q)) != wanted and time.monotonic() < end:
            time.sleep(0.1)
        return found

    def metric(self, name, **labels):
        """The sum of a metric's samples that have these labels; None where there is none."""
        found = None
        for line in self.get("/metrics").body.decode().splitlines():
            head, _, value = line.rpartition(" ")
            if head.split("{")[0] == "log_sentinel_" + name and all(f'{k}="{v}"' in head for k, v in labels.items()):
                found = (found or 0) + float(value)
        return found


def batches(records, batch_bytes):
    """Bodies of about `batch_bytes`: (bytes, content type, records within)."""
    lines, size, ctype = [], 0, None
    for record in records:
        kind = "text/plain" if isinstance(record, (str, bytes)) else "application/x-ndjson"
        line = json.dumps(record) if isinstance(record, dict) else record
        line = line.encode() if isinstance(line, str) else line
        if lines and (size + len(line) > batch_bytes or kind != ctype):
            yield b"\n".join(lines), ctype, len(lines)
            lines, size = [], 0
        lines.append(line)
        size, ctype = size + len(line) + 1, kind
    if lines:
        yield b"\n".join(lines), ctype, len(lines)


class Canary:
    """An ordinary client beside an attack: it posts an event and searches for the one before."""

    def __init__(self, server, every=0.05, seconds=30):
        self.server, self.every, self.seconds = server, every, seconds
        self.token = f"canary{time.time_ns() & 0xFFFFFFFF:x}"
        self.times, self.posted, self.refused, self.failed = [], 0, 0, 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.sing, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join(self.seconds * 2 + 5)

    def sing(self):
        connection, number = None, 0
        while not self.stopped.is_set():
            number += 1
            begun = time.monotonic()
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=self.seconds)
                body = json.dumps({"message": f"{self.token} {number}", "source": "canary"})
                if self.timed(connection, "POST", "/logs", body) == 200:
                    self.posted += 1
                self.timed(connection, "GET", f"/api/v1/search?limit=1&q=%22{self.token}+{max(1, number - 1)}%22", None)
            except (OSError, http.client.HTTPException):
                self.times.append(time.monotonic() - begun)
                self.failed += 1
                connection.close()
                connection = None
            self.stopped.wait(max(0.0, self.every - (time.monotonic() - begun)))
        if connection is not None:
            connection.close()

    def timed(self, connection, method, path, body):
        headers = {"Content-Type": "application/json"} if body else {}
        if self.server.key:
            headers["Authorization"] = f"Bearer {self.server.key}"
        begun = time.monotonic()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        self.times.append(time.monotonic() - begun)
        if answer.status in (429, 503):
            self.refused += 1
        elif answer.status != 200:
            self.failed += 1
        return answer.status

    def at(self, share):
        found = sorted(self.times) or [float("nan")]
        return round(1000 * found[min(len(found) - 1, int(share * len(found)))], 1)

    p50_ms = property(lambda self: self.at(0.5))
    p99_ms = property(lambda self: self.at(0.99))
    worst_ms = property(lambda self: self.at(1.0))

    def balance(self):
        """Acknowledged events of its own that a search does not find; below zero, events too many."""
        return self.posted - self.server.wait_count(self.token, self.posted, 20)

    def figures(self):
        return {"canary_p50_ms": self.p50_ms, "canary_p99_ms": self.p99_ms, "canary_worst_ms": self.worst_ms,
                "canary_exchanges": len(self.times), "canary_refused": self.refused, "canary_failed": self.failed}


class Run:
    """What an attack is given."""

    def __init__(self, binary, long, scratch):
        self.binary, self.long, self.scratch = os.path.abspath(binary), long, scratch

    def pick(self, short, long):
        return long if self.long else short

    def server(self, **options):
        return Server(self, **options)

    def command(self, *args, server=None, timeout=60, env=None, **options):
        """One command of the program, by the settings of a server where one is given."""
        env = (server.env if server else {k: os.environ[k] for k in ("PATH",)}) | (env or {})
        return subprocess.run([self.binary, *args], env=env, cwd=self.scratch, timeout=timeout,
                              capture_output=True, text=True, errors="replace", **options)


class Child:
    """An attack in a process and session of its own."""

    def __init__(self, one, binary, long):
        self.one, self.begun = one, time.monotonic()
        self.seconds = one.seconds * (10 if long else 1)
        self.scratch = tempfile.mkdtemp(prefix="attack-")
        self.answer, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.answer)
            self.attack(Run(binary, long, self.scratch), write)
        os.close(write)

    def attack(self, run, write):
        os.setsid()
        try:
            found = self.one.function(run)
        except BaseException as error:  # the child says how it failed, whatever it was
            reason = "cannot run here: " if isinstance(error, CannotRun) else ""
            found = {"result": f"{reason}{type(error).__name__}: {error}"[:2000], "held": False}
            if not isinstance(error, (CannotRun, AssertionError, TimeoutError)):
                traceback.print_exc()
        with os.fdopen(write, "w") as pipe:
            pipe.write(json.dumps(found))
        os._exit(0)

    def finish(self):
        """Its line, as soon as it has ended or its time is over; it and all that it started is ended then."""
        os.set_blocking(self.answer, False)
        end, text = self.begun + self.seconds, b""
        while True:
            with contextlib.suppress(BlockingIOError):
                part = os.read(self.answer, 1 << 16)
                if not part:
                    break
                text += part
                continue
            if time.monotonic() > end:
                break
            time.sleep(0.02)
        os.close(self.answer)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        shutil.rmtree(self.scratch, ignore_errors=True)
        try:
            found = json.loads(text)
        except ValueError:
            found = {"result": f"did not end within {self.seconds} s", "held": False}
        return {"attack": self.one.name, "result": found.pop("result"), "bar": self.one.bar, "held": found.pop("held"),
                "seconds": round(time.monotonic() - self.begun, 1)} | found


def run_all(binary, long, wanted=(), attacks=None):
    """Runs attacks one after another, prints a JSON line each, and answers the lines."""
    chosen = [one for one in attacks or ATTACKS
              if (long or not one.long_only) and (not wanted or any(part in one.name for part in wanted))]
    waiting = [Child(one, binary, long) for one in chosen if one.waits]
    found = []
    for child in itertools.chain((Child(one, binary, long) for one in chosen if not one.waits), waiting):
        found.append(child.finish())
        print(json.dumps(found[-1]), flush=True)
    return found


def main():
    """The command line of one file of attacks."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    if not words:
        sys.exit("usage: FILE.py BINARY [--long] [PART OF A NAME...]")
    module = os.path.basename(sys.argv[0])
    attacks = [one for one in ATTACKS if one.file == module]
    found = run_all(words[0], "--long" in sys.argv, words[1:], attacks)
    sys.exit(not found or not all(each["held"] for each in found))
