#!/usr/bin/env python3
"""Whether bytes that no honest client sends do harm: over HTTP, HTTP/2, gRPC, and in models."""

import contextlib
import json
import os
import random
import socket
import struct
import threading
import time

from harness import Canary, attack, exactly, main, verdict

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def raw(server, data, port=None, seconds=3, ended=True):
    """What is answered to these bytes, until the other side closes or falls silent. Who has ended its side before the
    answer counts as gone, so nothing need be answered then."""
    answered = b""
    with contextlib.suppress(OSError), server.connect(port, seconds) as connection:
        connection.sendall(data)
        if ended:
            connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(1 << 16):
            answered += part
    return answered


@attack("requests addressed to other hosts", bar="421 or 400 in every form, both ports", seconds=30)
def hosts(run):
    forms = ["GET /api/v1/search HTTP/1.1\r\nHost: evil.example\r\n\r\n",
             "GET /api/v1/search HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n",
             "GET /api/v1/search HTTP/1.1\r\nHost: evil.example:8080\r\n\r\n",
             "GET /api/v1/search HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n",
             "GET /api/v1/search HTTP/1.1\r\nHost: localhost@evil.example\r\n\r\n",
             "GET /api/v1/search HTTP/1.1\r\nHost: localhost, evil.example\r\n\r\n",
             "GET /api/v1/search HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
             "GET /api/v1/search HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n",
             "GET /api/v1/search HTTP/1.1\r\nHost:\r\n\r\n",
             "GET /api/v1/search HTTP/1.1\r\n\r\n",
             "GET http://evil.example/api/v1/search HTTP/1.1\r\nHost: localhost\r\n\r\n",
             "GET http://evil.example/api/v1/search HTTP/1.1\r\nHost: evil.example\r\n\r\n",
             "GET http://localhost@evil.example/api/v1/search HTTP/1.1\r\nHost: localhost\r\n\r\n",
             "GET /api/v1/search HTTP/1.1\r\nHost: [::ffff:8.8.8.8]\r\n\r\n",
             "GET /api/v1/search HTTP/1.1\r\nHost: 2130706433\r\n\r\n"]
    taken = []
    with run.server() as server:
        for form in forms:
            for port, path in [(server.port, "/api/v1/search"), (server.anomaly_port, "/model")]:
                answer = raw(server, form.replace("/api/v1/search", path).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").encode(), port, ended=False)
                status = answer[9:12].decode()
                if status not in ("421", "400", "403") and answer:
                    taken.append(f"{form.split(chr(13))[0]} {form.split('Host')[-1].strip()!r}: {status}")
        good = raw(server, f"GET http://localhost:{server.port}/livez HTTP/1.1\r\nHost: localhost:{server.port}\r\nConnection: close\r\n\r\n".encode(), ended=False)
        exactly(good[9:12], b"200", "as the status of an honest absolute form")
        return verdict(not taken, f"taken: {'; '.join(taken)[:300] or 'none'}", server)


@attack("framings that two readers take differently", bar="each refused or read as one request; nothing smuggled", seconds=40)
def smuggling(run):
    inner = b'POST /logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n{"message":"smuggled"}'
    head = b"POST /logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    forms = [head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
             head + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + inner,
             head + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(inner) + inner,
             head + b"Content-Length: +0\r\n\r\n" + inner, head + b"Content-Length: 0,%d\r\n\r\n" % len(inner) + inner,
             head + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
             head + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + inner,
             head + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + inner,
             head + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + inner,
             head + b"X: y\rContent-Length: 0\r\n\r\n" + inner,
             head + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + inner,
             head + b"Transfer-Encoding: chunked\r\n\r\n0x10\r\n\r\n" + inner,
             head + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n" + inner,
             head + b"Transfer-Encoding: chunked\r\n\r\n5;" + b"a" * 100_000 + b"\r\n" + inner,
             b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
             b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
             b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
             b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\0" * 10_000, b"GET\r\n\r\n", b"\r\n" * 10_000]
    with run.server() as server:
        statuses = []
        with Canary(server) as canary:
            for form in forms:
                for port in (server.port, server.anomaly_port):
                    statuses.append(raw(server, form, port)[9:12].decode(errors="replace"))
        # A framing of which the first request ends where it says may be followed by a second: pipelining. Those that
        # contradict themselves may not.
        smuggled = server.count("smuggled")
        good = smuggled == 0 and canary.failed == 0 and canary.refused == 0 and "500" not in statuses
        return verdict(good, f"{smuggled} smuggled, statuses {sorted(set(statuses))}", server, canary)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header without indexing or compression (RFC 7541, 6.2.2)."""
    text = b"\0"
    for part in (name, value):
        text += bytes([len(part)]) + part if len(part) < 127 else b"\x7f" + varint(len(part) - 127) + part
    return text


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def request_headers(path=b"/livez", method=b"GET"):
    return b"".join(literal(*pair) for pair in [(b":method", method), (b":scheme", b"http"), (b":path", path), (b":authority", b"localhost")])


def flood(connection, part, number, seconds):
    """Sends a thing often, reading away what comes back; ends when the other side has had enough."""
    end = time.monotonic() + seconds
    connection.setblocking(True)
    connection.settimeout(0.5)
    sent = 0
    with contextlib.suppress(OSError):
        while sent < number and time.monotonic() < end:
            connection.sendall(part(sent))
            sent += 1
            if sent % 50 == 0:
                connection.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while connection.recv(1 << 16):
                        pass
                connection.settimeout(0.5)
    return sent


HTTP2_FLOODS = {
    "streams opened and reset": lambda i: b"".join(frame(1, 5, 2 * (i * 20 + k) + 1, request_headers(b"/api/v1/search")) +
                                                   frame(3, 0, 2 * (i * 20 + k) + 1, struct.pack(">I", 8)) for k in range(20)),
    "CONTINUATION without end": lambda i: (frame(1, 1, 1, request_headers()) if i == 0 else b"") + frame(9, 0, 1, literal(b"x", b"y" * 4000)),
    "settings": lambda i: frame(4, 0, 0) * 50,
    "pings": lambda i: frame(6, 0, 0, b"12345678") * 50,
    "empty data": lambda i: (frame(1, 4, 1, request_headers(b"/logs", b"POST")) if i == 0 else b"") + frame(0, 0, 1) * 50,
    "priorities": lambda i: frame(2, 0, 2 * i + 1, struct.pack(">IB", 0, 1)) * 50,
    "windows of one byte, answers unread": lambda i: frame(1, 5, 2 * i + 1, request_headers(b"/openapi.json")),
    "rubbish": lambda i: random.Random(i).randbytes(3000),
}


@attack("floods of HTTP/2 frames on all ports", bar="the canary's worst below 1 s, memory below 400 MB", seconds=90)
def http2(run):
    sent = {}
    with run.server() as server:
        ports = [server.port, server.anomaly_port, server.grpc[1]]
        server.post([{"message": f"event {i}"} for i in range(1000)])
        with Canary(server) as canary:
            for name, part in HTTP2_FLOODS.items():
                sent[name] = 0
                for port in ports:
                    settings = struct.pack(">HI", 4, 1) if "windows" in name else b""
                    with contextlib.suppress(OSError), server.connect(port, 5) as connection:
                        connection.sendall(PREFACE + frame(4, 0, 0, settings))
                        sent[name] += flood(connection, part, run.pick(500, 20_000), run.pick(0.5, 10))
        rss = server.rss_mb()
        good = canary.worst_ms < 1000 and canary.failed == 0 and rss < 400 and server.ready()
        return verdict(good, f"{sum(sent.values())} pieces sent, peak {rss:.0f} MB", server, canary)


def grpc_call(server, method, message, leave=None):
    """A call by hand, as fast as the other side's windows allow; what came back, raw. `leave`: the client goes after so
    many seconds without an answer."""
    headers = b"".join(literal(*pair) for pair in [
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/log_sentinel.v1.AnomalyService/" + method), (b":authority", b"localhost"),
        (b"content-type", b"application/grpc"), (b"te", b"trailers")])
    answered, read, sent, stream_room, room = b"", 0, 0, 65_535, 65_535
    with contextlib.suppress(OSError), server.connect(server.grpc[1], 3) as connection:
        connection.sendall(PREFACE + frame(4, 0, 0) + frame(1, 4, 1, headers))
        end = time.monotonic() + (leave or 5)
        connection.settimeout(leave or 3)
        while time.monotonic() < end:
            while sent < len(message) and min(stream_room, room) > 0:
                part = message[sent:sent + min(16_000, stream_room, room)]
                sent, stream_room, room = sent + len(part), stream_room - len(part), room - len(part)
                connection.sendall(frame(0, int(sent == len(message)), 1, part))
            answered += (part := connection.recv(1 << 16))
            if not part or b"grpc-status" in answered or len(answered) > 1 << 20:
                break
            while len(answered) >= read + 9:
                length, kind = int.from_bytes(answered[read:read + 3], "big"), answered[read + 3]
                stream, payload = int.from_bytes(answered[read + 5:read + 9], "big"), answered[read + 9:read + 9 + length]
                if len(payload) < length:
                    break
                read += 9 + length
                if kind == 8 and stream:
                    stream_room += int.from_bytes(payload, "big")
                elif kind == 8:
                    room += int.from_bytes(payload, "big")
                elif kind == 4 and not answered[read - 5 - length] & 1:
                    connection.sendall(frame(4, 1, 0))
                    for i in range(0, length, 6):
                        if payload[i:i + 2] == b"\0\4":
                            stream_room += int.from_bytes(payload[i + 2:i + 6], "big") - 65_535
    return answered


@attack("gRPC messages that declare gigabytes, or are none", bar="refused without the memory; the canary's worst below 1 s", seconds=90)
def grpc(run):
    methods = [b"Predict", b"Score", b"ScoreBatch", b"Train", b"ImportModel", b"StartFrom", b"GiveFeedback"]
    with run.server() as server:
        answers = 0
        with Canary(server) as canary:
            threads = []
            for method in methods:
                for message in [struct.pack(">BI", 0, 0xFFFFFFFF) + b"\x1a\xff\xff\xff\xff\x0f" * 100, struct.pack(">BI", 0, 1 << 31),
                                struct.pack(">BI", 1, 50) + b"x" * 50, struct.pack(">BI", 0, 12) + b"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01z",
                                struct.pack(">BI", 0, 5000) + b"\x1a\x80\x01" * 1666 + b"\0\0", b"\0\0"]:
                    thread = threading.Thread(target=grpc_call, args=(server, method, message))
                    threads.append(thread)
                    thread.start()
                    answers += 1
            for thread in threads:
                thread.join(10)
        rss = server.rss_mb()
        good = rss < 400 and canary.worst_ms < 1000 and canary.failed == 0 and server.alive()
        return verdict(good, f"{answers} calls, peak {rss:.0f} MB", server, canary)


@attack("a gRPC prediction of unknown texts whose client leaves", bar="the stop comes within the grace of 5 s; other predictions within 2 s", seconds=90)
def grpc_prediction(run):
    source = random.Random(3)
    word = lambda: "".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=9))

    def record(text):
        inner = b"\x22" + varint(len(text)) + text
        return b"\x0a" + varint(len(inner)) + inner

    with run.server(LOG_SENTINEL_SHUTDOWN_GRACE="5s") as server:
        known = run.pick(8_000, 19_000)
        server.post(({"message": " ".join(word() for _ in range(12)), "source": f"s{i % 50}"} for i in range(known)), batch_bytes=4 << 20)
        texts = b"".join(record(" ".join(word() for _ in range(12)).encode()) for _ in range(20_000))
        with Canary(server) as canary:
            for _ in range(2):
                threading.Thread(target=grpc_call, args=(server, b"Predict", struct.pack(">BI", 0, len(texts)) + texts, 3), daemon=True).start()
            time.sleep(4)
            begun = time.monotonic()
            server.request("POST", "/predict", '{"message":"one"}', {"Content-Type": "application/json"}, url=server.anomaly_url, timeout=20)
            other = time.monotonic() - begun
        begun = time.monotonic()
        try:
            stopped = server.stop(15)
        except Exception:
            stopped = float("inf")
        return verdict(stopped < 7 and other < 2 and canary.failed == 0,
                       f"another prediction took {other:.1f} s, " + (f"stopped in {stopped:.1f} s" if stopped < 99 else "not stopped within 15 s"),
                       server, canary)


IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)


def blake3(data):
    """BLAKE3 of at most 1,024 bytes: one chunk, which is the root."""
    mask, chain = 0xFFFFFFFF, IV
    blocks = [data[i:i + 64] for i in range(0, len(data), 64)] or [b""]
    for number, block in enumerate(blocks):
        last = number == len(blocks) - 1
        message = list(struct.unpack("<16I", block.ljust(64, b"\0")))
        state = [*chain, *IV[:4], 0, 0, len(block), (number == 0) | last << 1 | last << 3]

        def mix(a, b, c, d, x, y):
            for word, first, second in ((x, 16, 12), (y, 8, 7)):
                state[a] = state[a] + state[b] + word & mask
                state[d] = turn(state[d] ^ state[a], first)
                state[c] = state[c] + state[d] & mask
                state[b] = turn(state[b] ^ state[c], second)

        for _ in range(7):
            for i in range(4):
                mix(i, 4 + i, 8 + i, 12 + i, message[2 * i], message[2 * i + 1])
            for i in range(4):
                mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, message[8 + 2 * i], message[9 + 2 * i])
            message = [message[i] for i in ORDER]
        chain = tuple(state[i] ^ state[i + 8] for i in range(8))
    return struct.pack("<8I", *chain)


def turn(word, by):
    return (word >> by | word << 32 - by) & 0xFFFFFFFF


def sealed(magic, version, body):
    data = magic + struct.pack("<I", version) + body
    return data + blake3(data)


@attack("hostile models and starters whose checksums are right", bar="each refused with 4xx; what served serves on", seconds=60)
def models(run):
    exactly(blake3(b"").hex(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262", "as the hash of nothing")
    source, wrong, sent = random.Random(7), [], 0
    card = json.dumps({"events": 1, "templates": 1, "seen": 1, "rows": 1, "trained_at": 0, "from": 0, "to": 0,
                       "false_positive_rate": 0.1, "seed": 1}).encode()
    bodies = [b"", b"\xff" * 64, struct.pack("<I", 0xFFFFFFFF), struct.pack("<I", len(card)) + card,
              struct.pack("<I", len(card)) + card + struct.pack("<fI", float("nan"), 0xFFFFFFFF),
              struct.pack("<I", len(card)) + card + struct.pack("<fI", 0.5, 16) + b"\xff" * 16,
              struct.pack("<I", len(card)) + card + struct.pack("<fI", float("inf"), 0) + b"\0" * 500]
    bodies += [source.randbytes(source.randrange(900)) for _ in range(run.pick(60, 2000))]
    with run.server() as server:
        with Canary(server) as canary:
            for body in bodies:
                for version in (0, 1, 2, 3, 0xFFFFFFFF):
                    for path, magic in [("/models/import", b"LSMODEL\0"), ("/starters", b"LSSTARTR")]:
                        sent += 1
                        status = server.request("POST", path, sealed(magic, version, body[:960]), url=server.anomaly_url).status
                        if not 400 <= status < 500:
                            wrong.append(f"{path} version {version}: {status}")
        judged = server.request("POST", "/predict", '{"message":"x"}', {"Content-Type": "application/json"}, url=server.anomaly_url).status
        good = not wrong and judged == 200 and canary.failed == 0
        return verdict(good, f"{sent} sent, wrong: {wrong[:3] or 'none'}", server, canary)


@attack("mutated requests on every route", bar="no 5xx but 503, no crash, the canary loses nothing", seconds=700)
def mutations(run):
    source, statuses, wrong = random.Random(11), {}, []
    seeds = [(b"POST", b"/logs", b'{"message":"seed","level":"warn","timestamp":"2026-11-29T10:00:00Z","source":"s","n":{"a":[1,2,null]}}'),
             (b"POST", b"/logs", b"<34>Oct 11 22:14:15 host su: 'su root' failed for user on /dev/pts/8\nNov 29 10:00:00 h sshd[1]: x\n"),
             (b"GET", b"/api/v1/search?q=level:>=warn+%22a+b%22&from=now-1d&to=now&limit=10&cursor=AAAA", b""),
             (b"GET", b"/api/v1/histogram?q=*&interval=1h&by=source", b""), (b"GET", b"/api/v1/fields?field=source.ip&q=a", b""),
             (b"GET", b"/api/v1/patterns?q=*&limit=5", b""), (b"GET", b"/api/v1/dead-letters?q=*", b""), (b"GET", b"/api/v1/tail?q=zzz", b"")]
    anomaly = [(b"POST", b"/predict", b'[{"message":"seed","level":"info"}]'), (b"POST", b"/feedback", b'{"event":{"message":"m"},"label":"bad","note":"n"}'),
               (b"POST", b"/templates/merge", b'{"templates":["0af9323918936cb3","1af9323918936cb3"]}'), (b"GET", b"/sessions?limit=5", b""),
               (b"GET", b"/models/compare?a=00000001-aaaaaaaa&b=00000002-bbbbbbbb", b""), (b"POST", b"/train", b'{"source":"store","query":"*"}'),
               (b"POST", b"/models/00000001-aaaaaaaa/activate", b""), (b"POST", b"/starters", b"LSSTARTR\1\0\0\0")]

    def mutate(data):
        data = bytearray(data)
        for _ in range(source.choice((0, 1, 1, 2, 4, 16))):
            at = source.randrange(len(data) + 1)
            kind = source.randrange(5)
            if kind == 0 and data:
                data[at % len(data)] = source.randrange(256)
            elif kind == 1:
                data[at:at] = source.choice((b"%00", b"\0", b"\xff\xfe", b"9" * 40, b"[" * 200, b"{\"a\":" * 60, b"\"", b"\\u0000", b"(", b"*" * 30, b"-1", b"1e999", b"\r\n"))
            elif kind == 2:
                del data[at:at + source.randrange(1, 20)]
            elif kind == 3:
                data[at:at] = data[at:at + 30] * source.randrange(1, 9)
            else:
                data = data[:at] if source.randrange(8) == 0 else data
        return bytes(data)

    def send(port, method, target, body):
        head = method + b" " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += source.choice((b"", b"Content-Type: application/json\r\n", b"Content-Type: text/plain\r\n", b"Content-Encoding: gzip\r\n", mutate(b"X-Forwarded-For: 1.2.3.4") .replace(b"\n", b"") + b"\r\n"))
        if body:
            head += b"Content-Length: %d\r\n" % len(body)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(head + b"\r\n" + body)
            connection.settimeout(2)
            return connection.recv(1 << 16)[9:12]
        return b""

    with run.server() as server:
        with Canary(server) as canary:
            end = time.monotonic() + run.pick(12, 600)
            while time.monotonic() < end:
                port, rows = source.choice(((server.port, seeds), (server.anomaly_port, anomaly)))
                method, target, body = source.choice(rows)
                made = (mutate(target).replace(b" ", b"+"), mutate(body))
                status = send(port, method, *made)
                statuses[status] = statuses.get(status, 0) + 1
                if status[:1] == b"5" and status != b"503":
                    wrong.append(f"{status.decode()} {made!r}"[:200])
        missing = canary.balance()
        panics = server.log().count("panicked")
        good = not wrong and missing == 0 and panics == 0 and canary.failed == 0 and server.alive()
        return verdict(good, f"{sum(statuses.values())} requests, {len(wrong)} of 5xx {wrong[:2]}, {panics} panics, {missing} of the canary's missing", server, canary)


if __name__ == "__main__":
    main()
