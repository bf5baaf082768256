#!/usr/bin/env python3
"""Alerts of the built program against real servers, over crashes: which were raised, delivered, repeated, lost, by channel.

usage: alerts.py PROGRAM [--rounds N] [--alerts N] [--rsyslogd PATH] [--modules DIR] [--seed N]

Starts an SMTP server (aiosmtpd: STARTTLS, TLS from the start, authentication), rsyslog (UDP, TCP, TLS) and HTTP servers that take the exact
shapes of Telegram, Discord, Slack, signed webhooks and /ingest, and that answer 429, 500 or not at all from time to time.
Then it runs PROGRAM on one data folder, raises alerts by its port, ends it by kill -9 N times, lets it finish, and counts what came at
the receivers. One channel is away for the first rounds. A report that was due half a day ago goes to both mail servers, once. Exits with 1 when anything is lost, or repeated more often than something was killed.

Needs aiosmtpd (PyPI), rsyslog with rsyslog-openssl (Debian) and openssl. Everything listens on 127.0.0.1.
"""
import argparse
import base64
import collections
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import logging
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
import urllib.error
import urllib.request
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

SECRET = "a secret of the receiver"
MAIL = ("starttls", "tls-mail")
# The report that goes out over a channel of these, among the receipts.
REPORT = "report by {}"
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
        # One signal is an object, which also has the names of agents.
        assert headers["Authorization"] == "Bearer a-key" and headers["Content-Type"] == "application/json"
        assert asked["hostname"] and asked["alert_type"] == asked["kind"] == "ssh_brute_force"
        text = asked["id"]
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
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        is_report = mail["Subject"].startswith("[REPORT]")
        if is_report and not {"text/plain", "text/html"} <= {part.get_content_type() for part in mail.walk()}:
            self.receipts.refuse(self.channel, "the report is not there as text and as a page")
        self.receipts.took(REPORT.format(self.channel) if is_report else self.channel, key[:32], key)
        return "250 queued"


def mail_server(channel, receipts, context, is_tls, port=None):
    def known(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=data.login == b"alerts" and data.password == b"hunter2")

    port = port or free_ports(1)[0]
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


class Program:
    """The built program on a data folder, at a port of its own."""

    def __init__(self, path, folder):
        self.path, self.folder, self.url, self.process = path, folder, None, None
        # It was due half a day ago, so that no other falls due meanwhile.
        self.report_at = time.strftime("%H:%M", time.gmtime(time.time() - 12 * 3600))

    def start(self):
        port = free_ports(1)[0]
        settings = {
            "LOG_SENTINEL_ADDR": f"127.0.0.1:{port}",
            "LOG_SENTINEL_ANOMALY_ADDR": "127.0.0.1:0",
            "LOG_SENTINEL_ANOMALY_GRPC_ADDR": "127.0.0.1:0",
            "LOG_SENTINEL_DATA": str(self.folder / "data"),
            "LOG_SENTINEL_DIR": str(self.folder / "watched"),
            "LOG_SENTINEL_ALERTS_FILE": str(self.folder / "routes.yaml"),
            "LOG_SENTINEL_REPORT_EVERY": "day",
            "LOG_SENTINEL_REPORT_TIME": self.report_at,
            "LOG_SENTINEL_REPORT_CHANNELS": ",".join(MAIL),
            "LOG_SENTINEL_LOG_LEVEL": "error",
        }
        said = open(self.folder / "program.out", "a")
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [self.path], env={**os.environ, **settings}, cwd=self.folder, stdout=said, stderr=said)

    def ask(self, path, body=None):
        """The answer as JSON; None where there is none."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError, ValueError):
            if self.process.poll() is not None:
                sys.exit(f"the program ended:\n{(self.folder / 'program.out').read_text()[-4000:]}")
            return None

    def wait(self):
        deadline = time.time() + 60
        while self.ask("/api/v1/signals?limit=1") is None:
            if time.time() > deadline:
                sys.exit("the program does not answer")
            time.sleep(0.05)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def raised(number, begun):
    """What an agent sends of a signal that no other is like."""
    address = f"198.51.{number // 200}.{number % 200 + 1}"
    return {
        "hostname": f"web-{number}", "timestamp": begun, "alert_type": "ssh_brute_force", "severity": "high",
        "description": "many failures <!channel> @everyone <web>",
        "raw_log": f"Failed password for root from {address} port 22 ssh2",
    }


def drive(program, options, chance, folder, away):
    """Raises alerts over kills, and waits until nothing waits any more; gives how often it was killed."""
    begun = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    missing = list(range(options.alerts))
    kills = 0
    for turn in range(options.rounds + 1):
        program.start()
        program.wait()
        is_last = turn == options.rounds
        if turn == max(1, options.rounds // 2):
            away()
        share = len(missing) if is_last else max(1, options.alerts // (options.rounds + 1))
        for number in missing[:share]:
            if program.ask("/ingest", raised(number, begun)):
                missing.remove(number)
        if not is_last:
            time.sleep(chance.uniform(0.02, 0.4))
            program.kill()
            kills += 1
    deadline = time.time() + 600
    while any(program.ask(f"/api/v1/deliveries?state={state}&limit=1") != {"deliveries": []} for state in ("queued", "failed")):
        if time.time() > deadline:
            sys.exit("alerts still wait after ten minutes")
        time.sleep(0.2)
    others = ("channel_down", "report")
    alerts = [alert["id"] for alert in program.ask("/alerts?limit=1000") if alert["type"] not in others]
    program.process.terminate()
    program.process.wait()
    if missing or len(alerts) != options.alerts:
        sys.exit(f"{options.alerts} signals were sent, {len(alerts)} alerts were raised, {len(missing)} were not taken")
    return kills, set(alerts)


def count_lines(receipts, folder):
    channels = {"imudp": "udp", "imptcp": "tcp", "imtcp": "tls"}
    for line in (folder / "syslog.log").read_text().splitlines():
        by, _, message = line.partition(" ")
        key = re.match(r'<8\d>1 \S+ \S+ log-sentinel - \S+ \[alert@32473 key="([0-9a-f]{32})-(\w+)-(\d+)" ', message)
        if not key:
            # rsyslog tells of itself there as well: of connections that were cut, for one.
            if "rsyslogd" not in message:
                receipts.refuse("syslog", line)
        elif channels.get(by) != key[2]:
            receipts.refuse("syslog", f"what was sent over {key[2]} came by {by}")
        else:
            receipts.took(key[2], key[1], f"{key[1]}-{key[2]}-{key[3]}")
    for line in (folder / "alerts.json").read_text().splitlines():
        try:
            receipts.took("file", json.loads(line)["alert"], json.loads(line)["key"])
        except ValueError:
            print(f"half a line of a crash in the file: {line[:60]}")


def options_of():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("program", type=lambda path: str(pathlib.Path(path).resolve()))
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--alerts", type=int, default=100)
    options.add_argument("--rsyslogd", default="/usr/sbin/rsyslogd")
    options.add_argument("--modules", help="the folder of rsyslog's modules, where it is not the usual one")
    options.add_argument("--seed", type=int, default=1)
    return options.parse_args()


def main():
    # Of what it thinks of servers that speak TLS from the start.
    warnings.simplefilter("ignore")
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    options = options_of()
    chance = random.Random(options.seed)
    receipts = Receipts()
    with tempfile.TemporaryDirectory(prefix="alerts-") as folder:
        folder = pathlib.Path(folder)
        context = certificates_in(folder)
        ports = {channel: http_server(channel, receipts, chance) for channel in ANSWERS}
        # One mail server is not there at first.
        ports["starttls"], later = free_ports(1)[0], []
        ports["tls-mail"] = mail_server("tls-mail", receipts, context, True)
        syslog_process, syslog = rsyslog(folder, folder, options)
        program = Program(options.program, folder)
        try:
            (folder / "routes.yaml").write_text(routes(folder, ports, syslog))
            come = lambda: later.append(mail_server("starttls", receipts, context, False, ports["starttls"]))
            kills, alerts = drive(program, options, chance, folder, come)
            time.sleep(1)
        finally:
            if program.process and program.process.poll() is None:
                program.kill()
            syslog_process.terminate()
            syslog_process.wait()
        count_lines(receipts, folder)
    report(receipts, kills, alerts)


def report(receipts, kills, alerts):
    print(f"{kills} times killed\n{'channel':<12}{'raised':>8}{'delivered':>11}{'repeated':>10}{'keys':>6}{'lost':>6}")
    failed = False
    for channel in [*ANSWERS, "starttls", "tls-mail", "udp", "tcp", "tls", "file"]:
        came = {alert: times for alert, times in receipts.alerts[channel].items() if alert in alerts}
        repeated, lost = sum(came.values()) - len(came), len(alerts) - len(came)
        keys = [key for key in receipts.keys[channel] if key[:32] in alerts]
        print(f"{channel:<12}{len(alerts):>8}{len(came):>11}{repeated:>10}{len(keys) or '-':>6}{lost:>6}")
        most = 0 if channel == "file" else kills
        failed |= lost != 0 or repeated > most
        if keys and len(keys) != len(alerts):
            receipts.wrong.append(f"{channel}: {len(keys)} keys for {len(alerts)} alerts")
    for channel in MAIL:
        came = receipts.alerts[REPORT.format(channel)]
        if len(came) != 1 or came.total() > 1 + kills:
            receipts.wrong.append(f"{channel}: {len(came)} reports in {came.total()} mails, where one was due")
    for wrong in receipts.wrong[:20]:
        print(f"wrong: {wrong}")
    sys.exit(failed or bool(receipts.wrong))


if __name__ == "__main__":
    main()
