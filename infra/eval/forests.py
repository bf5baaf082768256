"""Rows that are unlike the others, on public sets; and how fast, beside the peers in the same run."""

import tempfile
import time
from pathlib import Path

import bench
import measures
import peers

SEEDS = 5


def quality(data):
    bench.heading("Forest")
    loaded = sets(data)
    lines = []
    for name, fit in {"**Log Sentinel, `sentinel-bench forest`**": ours, **peers.forests()}.items():
        bench.say(f"forest: {name}")
        figures = [mean_of_seeds(fit, values, labels) for _, values, labels in loaded]
        lines.append((name, *mean(figures), *(roc for roc, _ in figures)))
    bench.table(["", "mean ROC-AUC", "mean PR-AUC", *(f"ROC {name}" for name, *_ in loaded)],
                sorted(lines, key=lambda line: -line[1]))


def sets(data):
    """Name, rows and labels of each set."""
    return [(path.stem.split("_", 1)[-1], *measures.labelled_rows(path)) for path in sorted(data.glob("ad/*.npz"))]


def mean_of_seeds(fit, values, labels):
    """ROC-AUC and PR-AUC, fitted to the very rows that are scored."""
    return mean([measures.roc_and_pr(labels, list(fit(values, seed)(values))) for seed in range(SEEDS)])


def mean(figures):
    return [sum(column) / len(column) for column in zip(*figures, strict=True)]


def ours(values, seed):
    def score(rows):
        with tempfile.TemporaryDirectory() as folder:
            train, test, out = (Path(folder) / name for name in ("train.csv", "test.csv", "scores"))
            for path, table in ((train, values), (test, rows)):
                path.write_text("".join(",".join(map(repr, row)) + "\n" for row in table))
            bench.sentinel_bench("forest", "--train", train, "--score", test, "--out", out, "--seed", seed)
            return [float(line) for line in out.read_text().split()]
    return score


def speed():
    bench.heading("Speed of the forest, 100 trees of 256 rows, 16 columns, one core")
    out = bench.example("anomaly", "throughput", one_core=True)
    print("Log Sentinel:\n")
    print("".join(f"- {line}\n" for line in out.splitlines() if "rows/s" in line))
    if peers.numpy is None:
        return
    draw = peers.numpy.random.default_rng(1)
    values = draw.random((100_000, 16))
    lines = []
    for name, fit in peers.forests().items():
        started = time.process_time()
        score = fit(values[:8192], 1)
        fitted = time.process_time() - started
        started = time.process_time()
        score(values)
        batch = len(values) / (time.process_time() - started)
        started = time.process_time()
        for row in values[:200]:
            score(row[None, :])
        one = (time.process_time() - started) / 200
        lines.append((name, f"{batch / 1e3:,.0f} k", f"{one * 1e6:,.0f}", f"{fitted * 1e3:,.0f}"))
    bench.table(["peer, the same rows", "rows a second", "one row, µs", "fit, ms"], lines)
