#!/usr/bin/env python3
"""How long it takes from a line's arrival until its alert is handed to a channel, under load.

usage: alert_delay.py PROGRAM [--rate LINES_A_SECOND] [--seconds N] [--every SECONDS]

Starts PROGRAM with one webhook as channel, sends ordinary lines to POST /logs at the rate, and among them five failed logins of an address
that no other has, every so often. The delay is that between the sending of the request which brings the fifth and the webhook's first byte
with that address. Prints the rate reached and the delays' percentiles; exits with 1 when an alert is missing or the 99th is above one second.
"""
import argparse
import http.server
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ADDRESS = re.compile(rb"198\.51\.\d+\.\d+")


def receiver(came):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            at = time.monotonic()
            for address in set(ADDRESS.findall(self.rfile.read(int(self.headers["Content-Length"])))):
                came.setdefault(address.decode(), at)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def post(url, lines):
    request = urllib.request.Request(f"{url}/logs", "\n".join(lines).encode(), {"Content-Type": "text/plain"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()


def stamp():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def load(url, options, end, sent):
    """Sends ordinary lines in batches, at the rate, until the end."""
    size, number, begun = max(1, options.rate // 20), 0, time.monotonic()
    while time.monotonic() < end:
        now = stamp()
        post(url, [f"{now} app-{n % 7} shop[{n % 50}]: order {number + n} took {n * 13 % 900} ms for user {n % 400}" for n in range(size)])
        number += size
        sent[0] += size
        time.sleep(max(0, begun + number / options.rate - time.monotonic()))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("program", type=lambda path: str(pathlib.Path(path).resolve()))
    options.add_argument("--rate", type=int, default=20000)
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--every", type=float, default=0.5)
    options = options.parse_args()
    came, asked, sent = {}, {}, [0]
    with tempfile.TemporaryDirectory(prefix="delay-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        routes = pathlib.Path(folder, "routes.yaml")
        routes.write_text(f"channels:\n  hook: {{type: webhook, url: 'http://127.0.0.1:{receiver(came)}/'}}\n")
        url = f"http://127.0.0.1:{port}"
        settings = {
            "LOG_SENTINEL_ADDR": f"127.0.0.1:{port}", "LOG_SENTINEL_ANOMALY_ADDR": "127.0.0.1:0",
            "LOG_SENTINEL_ANOMALY_GRPC_ADDR": "127.0.0.1:0", "LOG_SENTINEL_DATA": f"{folder}/data",
            "LOG_SENTINEL_DIR": f"{folder}/watched", "LOG_SENTINEL_ALERTS_FILE": str(routes), "LOG_SENTINEL_LOG_LEVEL": "error",
        }
        program = subprocess.Popen([options.program], env={**os.environ, **settings}, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            while True:
                try:
                    post(url, [f"{stamp()} app-1 shop[1]: begins"])
                    break
                except OSError:
                    if program.poll() is not None:
                        sys.exit("the program ended")
                    time.sleep(0.05)
            end = time.monotonic() + options.seconds
            loader = threading.Thread(target=load, args=(url, options, end, sent))
            loader.start()
            number = 0
            while time.monotonic() < end:
                address = f"198.51.{number // 250}.{number % 250 + 1}"
                # A host of its own: many addresses on one are one signal.
                lines = [f"{stamp()} gate-{number} sshd[{n}]: Failed password for root from {address} port 40022 ssh2" for n in range(5)]
                asked[address] = time.monotonic()
                post(url, lines)
                number += 1
                time.sleep(options.every)
            loader.join()
            deadline = time.monotonic() + 60
            while len(came) < len(asked) and time.monotonic() < deadline:
                time.sleep(0.1)
        finally:
            program.send_signal(signal.SIGTERM)
            program.wait()
    delays = sorted(came[address] - at for address, at in asked.items() if address in came)
    if not delays:
        sys.exit("no alert came")
    of = lambda part: f"{delays[min(len(delays) - 1, int(part * len(delays)))]:.3f} s"
    print(f"{sent[0] / options.seconds:.0f} lines/s; {len(asked)} alerts, {len(asked) - len(delays)} missing; "
          f"p50 {of(.5)}, p90 {of(.9)}, p99 {of(.99)}, most {delays[-1]:.3f} s")
    sys.exit(len(delays) < len(asked) or delays[min(len(delays) - 1, int(.99 * len(delays)))] > 1)


if __name__ == "__main__":
    main()
