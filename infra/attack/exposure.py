#!/usr/bin/env python3
"""Whether what is private stays private, and whether log content stays text: on disk, on the terminal, in the own log."""

import json
import os
import stat
import urllib.parse

from harness import attack, exactly, main, verdict

ESCAPES = "\x1b[31m\x1b]0;t\x07\x9b31m\r\nforged line\u202eltr\u2066x\u200f"
UNWANTED = [chr(c) for c in [*range(0, 9), *range(11, 32), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F,
                             *range(0x202A, 0x202F), *range(0x2066, 0x206A)]]
ORIGINS = [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"},
           {"Origin": "http://localhost.evil.example"}]


@attack("files of the data folder that others may read", bar="folders 0700, files 0600, whatever the umask", seconds=30)
def modes(run):
    os.umask(0)
    with run.server() as server:
        server.post([{"message": f"event {i} of user{i % 7}", "level": "info"} for i in range(3000)])
        train(server)
        exactly(server.request("POST", "/feedback", json.dumps({"event": {"message": "event 1"}, "label": "normal"}),
                               {"Content-Type": "application/json"}, url=server.anomaly_url).status // 100, 2, "as class of /feedback's status")
        server.stop()
        open_to_others = []
        for folder, folders, files in os.walk(server.data):
            for path in [folder] + [os.path.join(folder, file) for file in files]:
                mode = stat.S_IMODE(os.lstat(path).st_mode)
                if mode & 0o077:
                    open_to_others.append(f"{os.path.relpath(path, server.data)} {mode:o}")
        return verdict(not open_to_others, f"open to others: {len(open_to_others)} {open_to_others[:4]}", server)


def train(server):
    """A model, so that its files are there."""
    logs = json.dumps([{"message": f"event {i} of user{i % 7}", "level": "info"} for i in range(2500)])
    answer = server.request("POST", "/train", logs, {"Content-Type": "application/json"}, url=server.anomaly_url, timeout=60)
    exactly(answer.status, 200, "as /train's status")


@attack("a symlink in the watched folder to a file outside it", bar="only what lies within is read", seconds=30)
def symlinks(run):
    secret = os.path.join(run.scratch, "shadow")
    with open(secret, "w", encoding="utf-8") as file:
        file.write("root:shadowsecret:19000:0:99999:7:::\n" * 3)
    os.chmod(secret, 0o600)
    outside = os.path.join(run.scratch, "outside")
    os.makedirs(outside, mode=0o700)
    with open(os.path.join(outside, "inner.log"), "w", encoding="utf-8") as file:
        file.write("shadowsecret again\n")
    with run.server(ready=False, LOG_SENTINEL_SCAN_INTERVAL="200ms") as server:
        # Links of somebody who may write here and could not read those files.
        for name, target in [("app.log", secret), ("folder", outside)]:
            link = os.path.join(server.watched, name)
            os.symlink(target, link)
            os.lchown(link, 65534, 65534)
        with open(os.path.join(server.watched, "real.log"), "w", encoding="utf-8") as file:
            file.write("ordinary line\n" * 3)
        os.symlink("real.log", os.path.join(server.watched, "within.log"))
        server.wait_ready()
        exactly(server.wait_count("ordinary", 3, 20), 3, "ordinary lines")
        with open(os.path.join(server.watched, "real.log"), "a", encoding="utf-8") as file:
            file.write("second line\n")
        exactly(server.wait_count("second", 1, 20), 1, "second lines")
        leaked = server.count("shadowsecret")
        return verdict(leaked == 0, f"{leaked} lines of files that the links' owner cannot read", server)


@attack("escapes and direction marks in every field", bar="none reaches the terminal, by any command or format", seconds=60)
def terminal(run):
    event = {"message": "trap " + ESCAPES, "level": "error", "source": "svc" + ESCAPES, "host": "host" + ESCAPES,
             "user": {"name": "user" + ESCAPES}, "labels": {"key" + ESCAPES: "value" + ESCAPES},
             "log": {"file": {"path": "/var/" + ESCAPES}}}
    found = []
    with run.server() as server:
        server.post([event] * 3 + [{"message": f"event {i} of user{i % 7}", "level": "info"} for i in range(3000)])
        train(server)
        path = os.path.join(run.scratch, "import" + ESCAPES.replace("/", "") + ".log")
        with open(path, "w", encoding="utf-8") as file:
            file.write("imported " + ESCAPES + "\n" + json.dumps(event) + "\n")
        one = os.path.join(run.scratch, "one.json")
        with open(one, "w", encoding="utf-8") as file:
            json.dump(event, file)
        commands = [["query", "trap", "-o", form] for form in ("text", "json", "ndjson")]
        commands += [["import", path], ["predict", one], ["feedback", "give", "--label", "bad", "--note", "n" + ESCAPES, one],
                     ["feedback", "list"], ["templates", "list"], ["sessions"], ["models", "rules"], ["models", "show"],
                     ["query", "nothing:" + ESCAPES]]
        for words in commands:
            done = run.command(*words, server=server)
            shown = done.stdout + done.stderr
            met = sorted({hex(ord(c)) for c in UNWANTED if c in shown})
            if met or "\nforged line" in shown:
                found.append(f"{words[0]} {words[-1] if words[0] == 'query' else ''} {met or 'a forged line'}")
        return verdict(not found, f"reached by {len(found)} of {len(commands)} commands: {'; '.join(found)[:400] or 'none'}", server)


@attack("names of files that forge lines of the own log", bar="no line of the log begins with what a name says", seconds=30)
def own_log(run):
    name = "a\n2026-11-29T00:00:00Z ERROR forged: all is lost\x1b[2J.log"
    with run.server(LOG_SENTINEL_LOG_LEVEL="debug", LOG_SENTINEL_SCAN_INTERVAL="200ms") as server:
        for i, content in enumerate([b"\0\1\2" * 2000, b"", b"first line\n"]):
            with open(os.path.join(server.watched, f"{i}{name}"), "wb") as file:
                file.write(content)
        os.makedirs(os.path.join(server.watched, "folder" + name))
        os.symlink("/nowhere" + name, os.path.join(server.watched, "link" + name))
        server.wait_count("first", 1, 10)
        with open(os.path.join(server.watched, f"2{name}"), "wb") as file:
            file.write(b"x\n")
        server.wait_count("x", 1, 10)
        server.stop()
        forged = [line for line in server.log().splitlines() if line.startswith("2026-11-29T00:00:00Z ERROR")]
        escapes = server.log().count("\x1b[2J")
        return verdict(not forged and not escapes, f"{len(forged)} forged lines, {escapes} escapes", server)


@attack("a web page that writes", bar="403 on every writing route of both ports", seconds=30)
def foreign_origin(run):
    routes = [("collector", "/logs"), ("collector", "/api/v1/dead-letters/discard"), ("collector", "/api/v1/dead-letters/replay"),
              ("anomaly", "/train"), ("anomaly", "/predict"), ("anomaly", "/feedback"), ("anomaly", "/starters"),
              ("anomaly", "/models/import"), ("anomaly", "/models/rollback"), ("anomaly", "/templates/merge")]
    with run.server() as server:
        wrong = []
        for place, path in routes:
            for headers in ORIGINS:
                url = server.anomaly_url if place == "anomaly" else server.url
                status = server.request("POST", path, '{"message":"planted"}', {"Content-Type": "text/plain"} | headers, url=url).status
                if status != 403:
                    wrong.append(f"{path} {headers}: {status}")
        planted = server.count("planted")
        same = server.request("POST", "/logs", '{"message":"own page"}', {"Content-Type": "application/json", "Origin": server.url,
                                                                         "Sec-Fetch-Site": "same-origin"}).status
        exactly(same, 200, "as status for the own page")
        return verdict(not wrong and planted == 0,
                       f"not refused: {len(wrong)} of {len(routes) * len(ORIGINS)}; {planted} events planted; {wrong[:2]}", server)


@attack("secrets in what the program says", bar="in no log, error, metric or output of check", seconds=40)
def secrets(run):
    secret = "s3cretvalue"
    found = []

    def look(where, text):
        if secret in text:
            found.append(where)

    with run.server(API_KEYS=f"{secret}1,{secret}2", LOG_SENTINEL_LOG_LEVEL="debug") as server:
        server.post([{"message": "event"}])
        for headers in [{"Authorization": f"Bearer {secret}x"}, {"Authorization": f"Basic {secret}"}, {"x-api-key": f"{secret}1"},
                        {"Authorization": f"Bearer {secret}1", "Content-Encoding": "what"}]:
            look(f"the answer to {headers}", server.request("POST", "/logs", "[", headers).body.decode())
        look("/metrics", server.get("/metrics").body.decode())
        look("/readyz", server.get("/readyz").body.decode())
        server.stop()
        look("the log", server.log())
    cases = {
        "ELASTIC_ADDR": f"http://elastic:{secret}@127.0.0.1:9",
        "LOG_SENTINEL_ANOMALY_URL": f"http://user:{secret}@127.0.0.1:9",
        "ELASTIC_PASSWORD": secret, "ELASTIC_API_KEY": secret, "API_KEYS": secret,
    }
    for name, value in cases.items():
        done = run.command("check", env={name: value, "LOG_SENTINEL_DATA": run.scratch})
        look(f"check with {name}", done.stdout + done.stderr)
    for line in [f'API_KEYS="{secret}', f"ELASTIC_PASSWORD={secret}' x", f"API_KEYS {secret}", f"export ELASTIC_PASSWORD '{secret}"]:
        with open(os.path.join(run.scratch, ".env"), "w", encoding="utf-8") as file:
            file.write(line + "\n")
        done = run.command("check", env={"LOG_SENTINEL_DATA": run.scratch})
        look(f"check of .env {line.split(secret)[0]}", done.stdout + done.stderr)
    return verdict(not found, f"shown by {found or 'nothing'}")


@attack("a path that a client claims", bar="bounded and cleaned, or refused", seconds=20)
def claimed_path(run):
    wrong = []
    with run.server() as server:
        for path in ["/x" + ESCAPES, "/" + "y" * 200_000, "/z\n" * 20]:
            answer = server.request("POST", "/logs?wait=indexed&path=" + urllib.parse.quote(path)[:60_000], "claimed line\n",
                                    {"Content-Type": "text/plain"})
            if answer.status == 200:
                hit = server.json("/api/v1/search?limit=1&q=claimed")["hits"][0]
                kept = hit.get("log", {}).get("file", {}).get("path", "")
                if len(kept) > 4096 or any(c in kept for c in UNWANTED) or "\n" in kept:
                    wrong.append(f"kept as {kept[:20]!r}, {len(kept)} characters")
            elif answer.status not in (400, 414, 431):
                wrong.append(f"answered {answer.status}")
        return verdict(not wrong, "; ".join(wrong) or "refused or cleaned", server)


if __name__ == "__main__":
    main()
