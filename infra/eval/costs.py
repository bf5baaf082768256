"""What an event costs, part by part, with another revision beside it in the same run."""

import tempfile
from pathlib import Path

import bench


def parts(corpus, before=None):
    bench.heading("Cost of an event on one core: miner, features, score")
    lines = [("this tree", *stream(corpus, bench.REPOSITORY))]
    if before:
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            bench.run("git", "worktree", "add", "--detach", tree, before)
            try:
                lines.insert(0, (f"`{before}`", *stream(corpus, tree)))
            finally:
                bench.run("git", "worktree", "remove", "--force", tree)
    bench.table(["", "µs an event, fastest of five passes"], lines)


def stream(corpus, tree):
    out = bench.example("anomaly", "stream", corpus, tree=tree, one_core=True)
    return [next(line for line in out.splitlines() if line.startswith("µs an event")).removeprefix("µs an event: ")]


def over_grpc(corpus):
    bench.heading("Events scored by a separate service over gRPC, both on this machine")
    lines = bench.example("pipeline", "grpc_throughput", "1000000", corpus).strip().splitlines()
    print("".join(f"- {line}\n" for line in lines))
