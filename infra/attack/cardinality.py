#!/usr/bin/env python3
"""Whether names without end take the memory or the time of others: sources, hosts, fields, templates, shapes."""

import json
import random

from harness import Canary, attack, exactly, main, verdict


@attack("hundreds of thousands of sources, hosts and field names", bar="peak below 600 MB, all stored, the canary's p99 below 1 s", seconds=120)
def names(run):
    number = run.pick(60_000, 300_000)
    with run.server() as server:
        with Canary(server) as canary:
            server.post(({"message": "named", "source": f"source-{i}", "host": f"host-{i}", f"field_{i}": i} for i in range(number)),
                        path="/logs", batch_bytes=2 << 20)
            found = server.wait_count("named", number, 60)
            fields = server.get("/api/v1/fields", timeout=60)
        rss = server.rss_mb()
        exactly(found, number)
        exactly(canary.balance(), 0, "of the canary's missing")
        good = rss < 600 and canary.p99_ms < 1000 and canary.failed == 0 and len(fields.body) < 4 << 20
        return verdict(good, f"peak {rss:.0f} MB, /api/v1/fields answers {len(fields.body)} bytes", server, canary)


@attack("a hundred thousand templates", bar="peak below 600 MB, all stored, the canary's p99 below 1 s", seconds=120)
def templates(run):
    source, number = random.Random(5), run.pick(30_000, 100_000)
    word = lambda: "".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=8))
    with run.server() as server:
        with Canary(server) as canary:
            server.post(({"message": "novel " + " ".join(word() for _ in range(source.randrange(3, 14)))} for _ in range(number)),
                        path="/logs", batch_bytes=1 << 20)
            found = server.wait_count("novel", number, 90)
        rss, known = server.rss_mb(), server.metric("templates")
        exactly(found, number)
        exactly(canary.balance(), 0, "of the canary's missing")
        return verdict(rss < 600 and canary.p99_ms < 1000 and canary.failed == 0 and known <= 20_000,
                       f"peak {rss:.0f} MB, {known:.0f} templates known", server, canary)


@attack("absurd shapes", bar="each stored or refused by name; found again; the canary loses nothing", seconds=60)
def shapes(run):
    deep = lambda n: json.loads('{"a":' * n + "1" + "}" * n)
    events = [{"message": "shape", **extra} for extra in (
        {"": 1}, {"k" * 33_000: 1}, {"a\0b": 1}, {"deep": deep(60)}, {"wide": {f"f{i}": i for i in range(2000)}},
        {"list": list(range(20_000))}, {"nested": [[[[[1]]]]]}, {"big": 10 ** 400}, {"small": -1e-320}, {"text": "v" * 500_000},
        {"level": "x" * 10_000}, {"level": 7}, {"source": ["a", "b"]}, {"host": {"name": None}}, {"timestamp": "99999-01-01"},
        {"timestamp": 1e300}, {"timestamp": -1}, {"timestamp": "2099-01-01T00:00:00Z"}, {"_id": "x"}, {"@timestamp": {"a": 1}},
        {"sentinel": {"anomaly": {"score": 9}}}, {"a.b": 1, "a": {"b": 2}}, {"a": 1, "a.b": 2}, {"user": {"name": {"first": "x"}}},
        {"emoji": "\U0001f9ff" * 1000}, {"labels": "none"}, {"labels": {"labels": {"labels": 1}}}, {"event": {"original": "forged"}})]
    with run.server() as server:
        with Canary(server) as canary:
            accepted, wrong = 0, []
            for event in events:
                answer = server.request("POST", "/logs?wait=indexed", json.dumps(event), {"Content-Type": "application/json"})
                if answer.status == 200:
                    accepted += answer.json()["accepted"]
                elif answer.status not in (400, 413):
                    wrong.append(f"{str(event)[20:60]}: {answer.status}")
        found = server.wait_count("shape", accepted, 20)
        missing = canary.balance()
        for path in ("/api/v1/search?q=shape&limit=100", "/api/v1/fields", "/api/v1/histogram?q=shape", "/api/v1/patterns"):
            server.json(path)
        return verdict(found == accepted and not wrong and missing == 0 and canary.failed == 0,
                       f"{accepted} of {len(events)} taken, {found} found, wrong {wrong or 'none'}", server, canary)


if __name__ == "__main__":
    main()
