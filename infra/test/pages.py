#!/usr/bin/env python3
"""Runs every command of the `console` blocks of documentation pages and compares its output with what stands below it.

usage: pages.py BINARY PAGE...

Starts BINARY on free loopback ports with a data folder of its own, and gives it a few logs. Commands run in a scratch
folder; `log-sentinel` is BINARY there, and the ports of the pages (8080, 8000, 50051) are those of this server.

A line `$ COMMAND` is run by the shell, together with the lines behind it as long as one ends with a backslash; the lines
up to the next `$` are the output expected, in which `…` stands for anything. Output may go on after the last line
expected. What stands in a block with another label (`sh`) is not run: it needs a cluster, a container, real data, or never
ends. Exits with 1 at the first difference.
"""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

LABELS = {"console", "sh", "text", "json", "yaml", "nginx", "mermaid", "rust", "sql", ""}
LOGS = """\
Jun  1 12:00:00 web-1 sshd[4242]: Failed password for root from 192.0.2.7 port 50022 ssh2
Jun  1 12:00:01 web-1 sshd[4242]: Accepted password for admin from 10.1.2.3 port 50023 ssh2
Jun  1 12:00:02 web-1 kernel: connection refused by disk sda1
"""


def blocks(page, text):
    """Label and text of each fenced block."""
    for label, block in re.findall(r"^```(\S*)\n(.*?)^```$", text, re.S | re.M):
        if label not in LABELS:
            sys.exit(f"{page}: a block has the label '{label}'; known are {sorted(LABELS)}")
        yield label, block


def examples(block):
    """Each command of a console block with the output expected."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        lines = part.splitlines()
        end = next(at for at, line in enumerate(lines) if not line.endswith("\\")) + 1
        yield "\n".join(lines[:end]), "\n".join(lines[end:]).strip()


@contextlib.contextmanager
def server(binary, scratch):
    """The ports of the pages, and those that stand for them here."""
    data = scratch / "data"
    names = ["LOG_SENTINEL_ADDR", "LOG_SENTINEL_ANOMALY_ADDR", "LOG_SENTINEL_ANOMALY_GRPC_ADDR"]
    own = {**os.environ, "LOG_SENTINEL_DATA": str(data), "LOG_SENTINEL_DIR": str(scratch / "watched")}
    out = scratch / "out"
    with open(out, "w") as stdout, open(scratch / "err", "w") as stderr:
        free = {name: "127.0.0.1:0" for name in names}
        process = subprocess.Popen([binary], env={**own, **free}, cwd=scratch, stdout=stdout, stderr=stderr)
    try:
        for _ in range(600):
            found = re.findall(r"^  (?:collector|anomaly|grpc) +http://(127\.0\.0\.1:\d+)", out.read_text(), re.M)
            if len(found) == 3:
                break
            if process.poll() is not None:
                sys.exit((scratch / "err").read_text())
            time.sleep(0.1)
        else:
            sys.exit("the server names no ports")
        yield {**own, **dict(zip(names, found))}, dict(zip(["8080", "8000", "50051"], found))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def run(page, command, expected, environment, ports, scratch):
    shown = command
    for port, address in ports.items():
        command = re.sub(rf"(localhost|127\.0\.0\.1):{port}\b", address, command)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300, env=environment, cwd=scratch)
    pattern = ".*?".join(re.escape(piece) for piece in expected.split("…"))
    if done.returncode or not re.match(pattern, done.stdout.strip(), re.S):
        sys.exit(f"{page}: $ {shown}\nexpected:\n{expected}\nfound:\n{done.stdout.strip()}\n{done.stderr}")
    print(f"ok: {page}: {shown.splitlines()[0][:90]}")


def main(binary, pages):
    binary = pathlib.Path(binary).resolve()
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        (scratch / "bin").mkdir()
        (scratch / "bin" / "log-sentinel").symlink_to(binary)
        with server(binary, scratch) as (environment, ports):
            environment["PATH"] = f"{scratch / 'bin'}:{environment['PATH']}"
            url = f"http://{ports['8080']}/logs"
            logs = urllib.request.Request(url, LOGS.encode(), {"content-type": "text/plain"})
            urllib.request.urlopen(logs).read()
            total = 0
            for page in pages:
                console = [block for label, block in blocks(page, open(page, encoding="utf-8").read()) if label == "console"]
                ran = 0
                for block in console:
                    for command, expected in examples(block):
                        run(page, command, expected, environment, ports, scratch)
                        ran += 1
                total += ran
                if not ran:
                    print(f"nothing to run: {page}")
            if total < 10:
                sys.exit(f"only {total} commands were found")


main(sys.argv[1], sys.argv[2:])
