#!/usr/bin/env python3
"""Clients that come slowly, silently, in crowds, or from web pages of others, on all three ports."""

import resource
import socket

from harness import Canary, attack, main, verdict

IDLE_S = 3
BODIES = [("collector", "/logs"), *(("anomaly", path) for path in (
    "/predict", "/train", "/models/import", "/starters", "/feedback", "/templates/merge"))]
ROUTES = [("GET", "/readyz"), ("POST", "/logs"), ("POST", "/train"), ("POST", "/starters"), ("POST", "/feedback")]
FOREIGN = [["origin: https://evil.example"], ["origin: null"], ["sec-fetch-site: cross-site"], ["sec-fetch-site: same-site"]]


def head(method, path, *headers):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "host: localhost", *headers, "", ""]).encode()


def knock(port, data=b""):
    connection = socket.create_connection(("127.0.0.1", port), 10)
    connection.sendall(data)
    return connection


def answer(connection, seconds):
    """What came until the connection was closed; None when it stayed open for so long."""
    connection.settimeout(seconds)
    data = b""
    try:
        while chunk := connection.recv(65536):
            data += chunk
    except TimeoutError:
        return None
    except OSError:
        pass
    return data


def status(data):
    return int(data.split(b" ", 2)[1]) if data and data.startswith(b"HTTP/1.1 ") else 0


def ports(server):
    return {"collector": server.port, "anomaly": server.anomaly_port}


@attack("requests that web pages of others have sent", bar="403 on every route that reads or writes, both ports", seconds=40)
def pages(run):
    with run.server() as server:
        through = [f"{name} {method} {path} {headers}"
                   for name, port in ports(server).items() for method, path in ROUTES for headers in FOREIGN
                   if status(answer(knock(port, head(method, path, *headers, "content-length: 0", "connection: close")), 20)) != 403]
        return verdict(not through, f"{len(through)} got through {through[:3]}", server)


@attack("bodies that stop half-way, on every route", bar=f"408 soon after LOG_SENTINEL_BODY_IDLE_MAX={IDLE_S}s", seconds=120, waits=True)
def drips(run):
    with run.server(LOG_SENTINEL_BODY_IDLE_MAX=f"{IDLE_S}s") as server, Canary(server) as canary:
        request = ["content-type: application/json", "content-length: 1000", "connection: close"]
        held = [knock(ports(server)[name], head("POST", path, *request) + b'{"half') for name, path in BODIES]
        found = [status(answer(connection, IDLE_S + 10)) for connection in held]
        return verdict(set(found) == {408} and not canary.failed, f"answers {found}", server, canary)


@attack("more half request heads than there are places, on three ports", bar="the canary is answered, each is closed", seconds=150, waits=True)
def silent(run):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    starts = [b"", b"PRI * HTTP", b"GET /livez HTTP/1.1\r\nx"]
    with run.server(LOG_SENTINEL_HEADER_TIMEOUT=f"{10 * IDLE_S}s") as server, Canary(server) as canary:
        numbers = [*ports(server).values(), server.grpc[1]]
        held = [knock(port, starts[turn % 3]) for turn in range(1100) for port in numbers]
        closed = sum(answer(connection, 15 * IDLE_S) is not None for connection in held)
        return verdict(closed == len(held) and not canary.failed, f"{closed} of {len(held)} closed", server, canary)


@attack("parameters that nobody knows, and paths that steer a terminal", bar="400 each", seconds=30)
def names(run):
    queries = ["bogus=1", "wait=indexed&wait=indexed", "path=%1B%5B2J", "path=a%0Ab", "path=" + "x" * 5000, "path=%E2%80%AEx", "path=%C2%9B2J"]
    request = ["content-type: text/plain", "content-length: 1", "connection: close"]
    with run.server() as server:
        found = [status(answer(knock(server.port, head("POST", f"/logs?{query}", *request) + b"x"), 20)) for query in queries]
        return verdict(set(found) == {400}, f"answers {found}", server)


@attack("a stop while half requests are open", bar="within 5 s, with a grace of 60 s", seconds=120, waits=True)
def halves(run):
    with run.server(LOG_SENTINEL_SHUTDOWN_GRACE="60s") as server:
        starts = [b"", b"GET /livez HTTP/1.1\r\nx", head("POST", "/logs", "content-length: 1000") + b"half"]
        held = [knock(port, start) for port in ports(server).values() for start in starts]
        held.append(knock(server.grpc[1], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        seconds = server.stop()
        return verdict(seconds < 5, f"{seconds:.1f} s with {len(held)} open", server)


if __name__ == "__main__":
    main()
