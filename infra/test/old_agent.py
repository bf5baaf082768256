#!/usr/bin/env python3
"""Speaks as agents in Python do that know nothing of Log Sentinel's own (requests and psutil from PyPI), to all endpoints
of hosts on the old port, then as a fleet of such agents, and prints what it cost.

    infra/test/old_agent.py [--short] [--agents 200] [--seconds 60] PROGRAM

Needs: pip install requests psutil pyyaml.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

import psutil
import requests
import yaml

KEY = "your_api_key_here"
# As users have it.
CONFIG = """
agent:   { name: "server1", interval: 60 }
server:  { url: "http://localhost:8000/data", api_key: "your_api_key_here" }
monitoring:
  cpu:  { enabled: true, threshold: 80 }
  ram:  { enabled: true, threshold: 85 }
  disk: { enabled: true, paths: ["/", "/home"], threshold: 90 }
  network: { enabled: true, interfaces: ["eth0"], threshold: { in: 100000, out: 100000 } }   # KB/s
  services: { enabled: true, list: ["nginx", "postgresql"] }
  ssh:  { enabled: true, log_path: "/var/log/auth.log", threshold: 5 }
"""


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")
    print(f"ok: {what}")


def start(program, folder):
    """The program on free ports: (process, collector's address, old address)."""
    env = {"PATH": os.environ["PATH"], "HOME": folder, "API_KEYS": KEY, "LOG_SENTINEL_DATA": f"{folder}/data",
           "LOG_SENTINEL_DIR": f"{folder}/watched", "LOG_SENTINEL_ADDR": "127.0.0.1:0",
           "LOG_SENTINEL_ANOMALY_ADDR": "127.0.0.1:0", "LOG_SENTINEL_ANOMALY_GRPC_ADDR": "127.0.0.1:0"}
    log = open(f"{folder}/log", "w+")
    process = subprocess.Popen([program], env=env, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        # A moment before all runs it has listeners already.
        listens = sorted({c.laddr.port for c in psutil.Process(process.pid).net_connections("tcp")
                          if c.status == psutil.CONN_LISTEN})
        answers = {}
        for port in listens:
            try:
                answer = requests.get(f"http://127.0.0.1:{port}/openapi.json", timeout=2,
                                      headers={"X-API-Key": KEY}).json()
                answers["old" if "/train" in answer["paths"] else "collector"] = f"http://127.0.0.1:{port}"
            except (requests.RequestException, ValueError, KeyError):
                continue
        if len(answers) == 2:
            return process, answers["collector"], answers["old"]
        time.sleep(0.2)
    process.kill()
    sys.exit(f"it does not start: {open(f'{folder}/log').read()}")


def measured(before, seconds):
    """What psutil says of this machine, in the form of /data."""
    net = psutil.net_io_counters(pernic=True)
    network = {name: {"in_kb_s": max(0, io.bytes_recv - before.get(name, io).bytes_recv) / 1024 / seconds,
                      "out_kb_s": max(0, io.bytes_sent - before.get(name, io).bytes_sent) / 1024 / seconds,
                      "errors": io.errin + io.errout, "drops": io.dropin + io.dropout} for name, io in net.items()}
    disk = psutil.disk_usage("/")
    ram, swap = psutil.virtual_memory(), psutil.swap_memory()
    return {
        "cpu": {"percent": psutil.cpu_percent(), "cores": psutil.cpu_percent(percpu=True),
                "load": list(psutil.getloadavg())},
        "ram": {"percent": ram.percent, "total": ram.total, "used": ram.used, "available": ram.available},
        "swap": {"percent": swap.percent, "total": swap.total, "used": swap.used},
        "disk": {"/": {"percent": disk.percent, "total": disk.total, "used": disk.used}},
        "network": network,
        "services": {"nginx": "running", "postgresql": "stopped"},
        "ssh": {"failed_attempts": 5, "addresses": {"192.0.2.7": 5}},
        "uptime_s": time.time() - psutil.boot_time(),
        "top": [{"pid": p.info["pid"], "name": p.info["name"], "cpu_percent": 1.0, "rss_bytes": p.info["memory_info"].rss}
                for p in list(psutil.process_iter(["pid", "name", "memory_info"]))[:5] if p.info["memory_info"]],
    }


def eventually(what, ask):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = ask()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"FAILED: {what}")


def endpoints(old):
    config = yaml.safe_load(CONFIG)
    name = config["agent"]["name"]
    session = requests.Session()
    session.headers["X-API-Key"] = config["server"]["api_key"]
    path = re.sub(r"^https?://[^/]+", "", config["server"]["url"])
    before = psutil.net_io_counters(pernic=True)
    metrics = measured(before, 1.0)
    sample = {"agent_name": name, "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
              "metrics": metrics}
    answer = session.post(old + path, json=sample)
    check(answer.status_code == 200 and answer.json()["status"] == "success" and answer.json()["accepted"] == 1,
          f"POST /data: {answer.text[:120]}")
    check("problems" not in answer.json(), "all that psutil says fits")
    check(requests.post(old + path, json=sample).status_code == 401, "without a key it is 401")
    bearer = {"Authorization": f"Bearer {KEY}"}
    agents = requests.get(f"{old}/agents", headers=bearer).json()
    check(agents[0]["name"] == name and agents[0]["state"] == "online", "GET /agents, with bearer")
    check(agents[0]["metrics"]["ram"]["total"] == metrics["ram"]["total"], "bytes come back exactly")
    chart = session.get(f"{old}/history/{name}", params={"metric": "ram.percent"}).json()
    check(chart["points"][0]["mean"] == metrics["ram"]["percent"] and chart["unit"] == "%", "GET /history of a metric")
    check(session.get(f"{old}/history/{name}").json()[0]["agent_name"] == name, "GET /history of samples")
    answer = session.post(f"{old}/agent/{name}/config", json=config["monitoring"])
    check(answer.status_code == 200 and answer.json()["monitoring"] == config["monitoring"],
          "POST /agent/…/config takes the monitoring of the YAML as it is")
    check(session.post(f"{old}/agent/{name}/config", json={"cpu": {"threshold": 300}}).status_code == 422,
          "what does not fit is 422")
    sample = {"agent_name": name, "metrics": {"disk": {"/": 95}, "services": {"nginx": "failed"}}}
    check(session.post(old + path, json=sample).json()["config"]["version"] == 1, "the next answer has it")
    wanted = {"service_down", "host_disk"}
    alerts = eventually("GET /alerts tells the disk and the service", lambda: [
        alert for alert in session.get(f"{old}/alerts", params={"acknowledged": "false"}).json()
        if alert["type"] in wanted] if wanted <= {
            alert["type"] for alert in session.get(f"{old}/alerts", params={"acknowledged": "false"}).json()} else None)
    check(all(alert["agent_name"] == name for alert in alerts), "GET /alerts")
    answer = session.post(f"{old}/alerts/{alerts[0]['id']}/acknowledge", json={"by": "ann"})
    check(answer.json()["acknowledged"] is True, "POST /alerts/…/acknowledge")
    bad = '[{"agent_name": "server1", "metrics": {"cpu": {"percent": NaN}, "ram": 5}}, {"metrics": {}}]'
    answer = session.post(old + path, data=bad).json()
    check(answer["accepted"] == 1 and answer["problems"][0]["field"] == "metrics.cpu.percent"
          and answer["rejected"][0]["line"] == 2, "NaN and a nameless sample are named, the good ones kept")
    check(session.delete(f"{old}/agents/{name}").status_code == 200, "DELETE /agents/…")


def fleet(old, process, agents, seconds, every):
    """So many agents, each with a sample every so many seconds."""
    took, failed, lock = [], [], threading.Lock()
    stop = time.monotonic() + seconds
    program = psutil.Process(process.pid)
    before = program.cpu_times()

    def agent(number):
        draw = random.Random(number)
        session = requests.Session()
        session.headers["X-API-Key"] = KEY
        due, seq = time.monotonic() + draw.random() * every, 0
        while due < stop:
            time.sleep(max(0.0, due - time.monotonic()))
            percent = lambda: round(draw.random() * 70, 1)
            metrics = {"cpu": {"percent": percent(), "cores": [percent() for _ in range(16)], "load": [1, 1, 1]},
                       "ram": {"percent": percent(), "total": 1 << 34, "used": draw.randrange(1 << 33)},
                       "disk": {f"/srv/{n}": {"percent": percent(), "total": 1 << 40, "used": draw.randrange(1 << 39)}
                                for n in range(6)},
                       "network": {f"eth{n}": {"in_kb_s": percent(), "out_kb_s": percent(), "errors": 0, "drops": 0}
                                   for n in range(4)},
                       "services": {f"unit-{n}": "running" for n in range(10)},
                       "containers": {f"box-{n}": {"cpu_percent": percent(), "memory_bytes": draw.randrange(1 << 30)}
                                      for n in range(20)}}
            body = {"agent_name": f"sim-{number}", "seq": seq, "interval": every, "metrics": metrics}
            began = time.monotonic()
            try:
                answer = session.post(f"{old}/data", json=body, timeout=30)
                good = answer.status_code == 200 and answer.json()["accepted"] == 1
            except requests.RequestException:
                good = False
            with lock:
                took.append(time.monotonic() - began)
                if not good:
                    failed.append(number)
            due, seq = due + every, seq + 1

    threads = [threading.Thread(target=agent, args=(number,)) for number in range(agents)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = program.cpu_times()
    session = requests.Session()
    session.headers["X-API-Key"] = KEY
    began = time.monotonic()
    known = session.get(f"{old}/agents").json()
    listing = time.monotonic() - began
    online = sum(agent["state"] == "online" and agent["name"].startswith("sim-") for agent in known)
    kept = sum(point["count"] for number in range(agents)
               for point in session.get(f"{old}/history/sim-{number}", params={"metric": "cpu.percent"}).json()["points"])
    took.sort()
    used = after.user + after.system - before.user - before.system
    print(json.dumps({
        "agents": agents, "every_s": every, "seconds": seconds, "samples": len(took), "failed": len(failed), "kept": kept,
        "online": online, "p50_ms": round(took[len(took) // 2] * 1000, 1),
        "p99_ms": round(took[len(took) * 99 // 100] * 1000, 1), "server_cpu_percent_of_a_core": round(used / seconds * 100, 2),
        "rss_mb": round(program.memory_info().rss / 2**20), "agents_list_ms": round(listing * 1000, 1)}))
    check(not failed and kept == len(took) and online == agents, "every sample of the fleet is kept once")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true", help="20 agents for 5 seconds")
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--every", type=float, default=10)
    parser.add_argument("program")
    asked = parser.parse_args()
    if asked.short:
        asked.agents, asked.seconds, asked.every = 20, 5, 1
    with tempfile.TemporaryDirectory() as folder:
        process, _, old = start(os.path.abspath(asked.program), folder)
        try:
            endpoints(old)
            fleet(old, process, asked.agents, asked.seconds, asked.every)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                sys.exit(f"FAILED: it does not stop: {open(f'{folder}/log').read()[-2000:]}")


main()
