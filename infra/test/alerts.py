#!/usr/bin/env python3
"""Alerts against real servers, over crashes: which were raised, delivered, repeated, lost, by channel.

usage: alerts.py [--rounds N] [--rsyslogd PATH] [--modules DIR]

Starts an SMTP server (aiosmtpd: STARTTLS, TLS from the start, authentication), rsyslog (UDP, TCP, TLS) and HTTP servers that take the exact
shapes of Telegram, Discord, Slack, signed webhooks and /ingest, and that answer 429, 500 or not at all from time to time.
Then it runs the outbox on one data folder, ends it by kill -9 N times, lets it finish, and counts what came at the
receivers. Exits with 1 when anything is lost, or repeated more often than something was killed.

Needs aiosmtpd (PyPI), rsyslog with rsyslog-openssl (Debian), openssl and cargo. Everything listens on 127.0.0.1.
"""
import argparse
import base64
import collections
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

ALERTS = 100
SECRET = "a secret of the receiver"
ROOT = pathlib.Path(__file__).resolve().parents[2]
ID = re.compile(r"\b[0-9a-f]{32}\b")


def free_ports(number):
    """Ports of which no two are the same."""
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Receipts:
    """What came over each channel: how often each alert and each key."""

    def __init__(self):
        self.lock = threading.Lock()
        self.alerts = collections.defaultdict(collections.Counter)
        self.keys = collections.defaultdict(collections.Counter)
        self.wrong = []

    def took(self, channel, alert, key=None):
        with self.lock:
            self.alerts[channel][alert] += 1
            if key:
                self.keys[channel][key] += 1

    def refuse(self, channel, reason):
        with self.lock:
            self.wrong.append(f"{channel}: {reason}")


def shape_of(channel, headers, body):
    """The alert in a request; raises where the request has not the shape that the service takes."""
    asked = json.loads(body)
    if channel == "telegram":
        assert set(asked) == {"chat_id", "text", "parse_mode", "link_preview_options"}, set(asked)
        assert asked["parse_mode"] == "HTML" and "<!" not in asked["text"] and "<web>" not in asked["text"]
        text = asked["text"]
    elif channel == "discord":
        assert asked["allowed_mentions"] == {"parse": []} and len(asked["content"]) <= 2000
        text = asked["content"]
    elif channel == "slack":
        assert "<" not in asked["text"] and all(block["text"]["type"] == "plain_text" for block in asked["blocks"])
        text = asked["text"] + "".join(block["text"]["text"] for block in asked["blocks"])
    elif channel == "webhook":
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}", "the signature is wrong"
        assert asked["key"] == headers["Idempotency-Key"]
        text = asked["alerts"][0]["alert"]
    else:
        assert headers["Authorization"] == "Bearer a-key" and isinstance(asked, list)
        text = asked[0]["id"]
    return ID.search(text)[0]


ANSWERS = {
    "telegram": '{"ok":true,"result":{"message_id":1}}',
    "discord": '{"id":"1"}',
    "slack": "ok",
    "webhook": "",
    "ingest": '{"status":"success","message":"Alert received"}',
}


def http_server(channel, receipts, chance):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fault = chance.random()
            if fault < 0.10:
                return self.answer(429, '{"parameters":{"retry_after":1}}', {"Retry-After": "1"})
            if fault < 0.20:
                return self.answer(500, "broken")
            if fault < 0.25:
                self.close_connection = True
                return None
            try:
                receipts.took(channel, shape_of(channel, self.headers, body), self.headers["Idempotency-Key"])
            except (AssertionError, KeyError, TypeError, ValueError) as error:
                receipts.refuse(channel, repr(error))
            return self.answer(200, ANSWERS[channel])

        def answer(self, status, text, headers=()):
            self.send_response(status)
            for name, value in dict(headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


class Mailbox:
    def __init__(self, channel, receipts, is_tls):
        self.channel, self.receipts, self.is_tls = channel, receipts, is_tls

    async def handle_DATA(self, _server, session, envelope):
        text = envelope.content.decode()
        head = text.split("\r\n\r\n")[0]
        names = [line.split(":")[0] for line in head.split("\r\n") if not line.startswith(" ")]
        is_secret = self.is_tls or session.ssl is not None
        if "Bcc" in names or not session.authenticated or not is_secret:
            self.receipts.refuse(self.channel, f"{names}, known: {session.authenticated}, TLS: {is_secret}")
        key = re.search(r"^Message-ID: <([^@]+)@", text, re.M)[1]
        self.receipts.took(self.channel, key[:32], key)
        return "250 queued"


def mail_server(channel, receipts, context, is_tls):
    def known(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=data.login == b"alerts" and data.password == b"hunter2")

    port = free_ports(1)[0]
    options = {"auth_required": True, "authenticator": known}
    if is_tls:
        # Such a server speaks nothing but TLS, and aiosmtpd notes that of no session.
        server = Controller(
            Mailbox(channel, receipts, is_tls), hostname="127.0.0.1", port=port, ssl_context=context,
            auth_require_tls=False, **options)
    else:
        server = Controller(
            Mailbox(channel, receipts, is_tls), hostname="127.0.0.1", port=port, tls_context=context,
            require_starttls=True, **options)
    server.start()
    return port


def rsyslog(folder, certificates, options):
    """Starts rsyslog; gives its process and its ports."""
    names = ("udp", "tcp", "tls")
    ports = dict(zip(names, free_ports(len(names))))
    config = folder / "rsyslog.conf"
    config.write_text(f"""
global(workDirectory="{folder}" maxMessageSize="64k"
       defaultNetstreamDriverCAFile="{certificates}/ca.pem"
       defaultNetstreamDriverCertFile="{certificates}/server.pem" defaultNetstreamDriverKeyFile="{certificates}/server.key")
template(name="raw" type="string" string="%inputname% %rawmsg%\\n")
module(load="imudp")
module(load="imptcp")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imudp" address="127.0.0.1" port="{ports['udp']}")
input(type="imptcp" address="127.0.0.1" port="{ports['tcp']}")
input(type="imtcp" address="127.0.0.1" port="{ports['tls']}")
action(type="omfile" file="{folder}/syslog.log" template="raw")
""")
    command = [options.rsyslogd, "-n", "-f", str(config), "-i", str(folder / "rsyslog.pid")]
    if options.modules:
        command += ["-M", options.modules]
    said = open(folder / "rsyslog.out", "w")
    process = subprocess.Popen(command, stdout=said, stderr=said)
    deadline = time.time() + 15
    for name in ("tcp", "tls"):
        while socket.socket().connect_ex(("127.0.0.1", ports[name])):
            if time.time() > deadline or process.poll() is not None:
                sys.exit(f"rsyslog does not listen:\n{(folder / 'rsyslog.out').read_text()}")
            time.sleep(0.1)
    return process, ports


def certificates_in(folder):
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "server.key",
            "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "server.ext", "-out", "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


def routes(folder, ports, syslog):
    ca = f"{folder}/ca.pem"
    mail = "type: email, from: alerts@example.com, to: [ops@example.com], server: 127.0.0.1, username: alerts, password: hunter2"
    return f"""channels:
  telegram: {{type: telegram, bot_token: '1:a', chat_id: '-1', api: 'http://127.0.0.1:{ports['telegram']}', rate: none}}
  discord: {{type: discord, webhook_url: 'http://127.0.0.1:{ports['discord']}/', rate: none}}
  slack: {{type: slack, webhook_url: 'http://127.0.0.1:{ports['slack']}/', rate: none}}
  webhook: {{type: webhook, url: 'http://127.0.0.1:{ports['webhook']}/', secret: '{SECRET}'}}
  ingest: {{type: log_sentinel, url: 'http://127.0.0.1:{ports['ingest']}', api_key: a-key}}
  starttls: {{{mail}, port: {ports['starttls']}, encryption: starttls, ca_file: '{ca}', rate: none}}
  tls-mail: {{{mail}, port: {ports['tls-mail']}, encryption: tls, ca_file: '{ca}', rate: none}}
  udp: {{type: syslog, server: 127.0.0.1, port: {syslog['udp']}, transport: udp}}
  tcp: {{type: syslog, server: 127.0.0.1, port: {syslog['tcp']}, transport: tcp, format: cef}}
  tls: {{type: syslog, server: 127.0.0.1, port: {syslog['tls']}, transport: tls, format: json, ca_file: '{ca}'}}
  file: {{type: file, path: '{folder}/alerts.json'}}
"""


def built():
    done = subprocess.run(
        ["cargo", "test", "-p", "alert", "--test", "real", "--no-run", "--message-format=json"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    made = [json.loads(line).get("executable") for line in done.stdout.splitlines()]
    return [path for path in made if path][-1]


def run(program, folder, seconds):
    """One round: gives whether it came to its end by itself."""
    environment = dict(os.environ, LOG_SENTINEL_TEST_ALERTS=str(folder))
    said = open(folder / "round.out", "w")
    process = subprocess.Popen(
        [program, "--ignored", "--exact", "everything_is_delivered"], env=environment, stdout=said, stderr=said)
    try:
        if process.wait(timeout=seconds):
            sys.exit(f"the outbox failed:\n{(folder / 'round.out').read_text()}")
        return True
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return False


def count_lines(receipts, folder):
    channels = {"imudp": "udp", "imptcp": "tcp", "imtcp": "tls"}
    for line in (folder / "syslog.log").read_text().splitlines():
        by, _, message = line.partition(" ")
        key = re.match(r'<83>1 \S+ web-1 log-sentinel - ssh_brute_force \[alert@32473 key="([0-9a-f]{32})-(\w+)-1" ', message)
        if not key:
            # rsyslog tells of itself there as well: of connections that were cut, for one.
            if "rsyslogd" not in message:
                receipts.refuse("syslog", line)
        elif channels.get(by) != key[2]:
            receipts.refuse("syslog", f"what was sent over {key[2]} came by {by}")
        else:
            receipts.took(key[2], key[1], f"{key[1]}-{key[2]}-1")
    for line in (folder / "alerts.json").read_text().splitlines():
        try:
            receipts.took("file", json.loads(line)["alert"], json.loads(line)["key"])
        except ValueError:
            print(f"half a line of a crash in the file: {line[:60]}")


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--rsyslogd", default="/usr/sbin/rsyslogd")
    options.add_argument("--modules", help="the folder of rsyslog's modules, where it is not the usual one")
    options.add_argument("--seed", type=int, default=1)
    options = options.parse_args()
    chance = random.Random(options.seed)
    program = built()
    receipts = Receipts()
    with tempfile.TemporaryDirectory(prefix="alerts-") as folder:
        folder = pathlib.Path(folder)
        context = certificates_in(folder)
        ports = {channel: http_server(channel, receipts, chance) for channel in ANSWERS}
        ports["starttls"] = mail_server("starttls", receipts, context, False)
        ports["tls-mail"] = mail_server("tls-mail", receipts, context, True)
        syslog_process, syslog = rsyslog(folder, folder, options)
        try:
            (folder / "routes.yaml").write_text(routes(folder, ports, syslog))
            kills = 0
            for _ in range(options.rounds):
                if run(program, folder, chance.uniform(0.05, 0.5)):
                    break
                kills += 1
            if not run(program, folder, 300):
                sys.exit("the outbox did not come to its end within five minutes")
            time.sleep(1)
        finally:
            syslog_process.terminate()
            syslog_process.wait()
        count_lines(receipts, folder)
    report(receipts, kills)


def report(receipts, kills):
    print(f"{kills} times killed\n{'channel':<12}{'raised':>8}{'delivered':>11}{'repeated':>10}{'keys':>6}{'lost':>6}")
    failed = bool(receipts.wrong)
    for channel in [*ANSWERS, "starttls", "tls-mail", "udp", "tcp", "tls", "file"]:
        came = receipts.alerts[channel]
        repeated, lost = sum(came.values()) - len(came), ALERTS - len(came)
        print(f"{channel:<12}{ALERTS:>8}{len(came):>11}{repeated:>10}{len(receipts.keys[channel]) or '-':>6}{lost:>6}")
        most = 0 if channel == "file" else kills
        failed |= lost != 0 or repeated > most
        if receipts.keys[channel] and len(receipts.keys[channel]) != ALERTS:
            receipts.wrong.append(f"{channel}: {len(receipts.keys[channel])} keys for {ALERTS} alerts")
            failed = True
    for wrong in receipts.wrong[:20]:
        print(f"wrong: {wrong}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
