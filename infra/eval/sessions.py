"""Which sessions are anomalous: trained without labels, judged against them."""

import csv
import gzip
import io
import random
import tempfile
from itertools import product
from pathlib import Path

import bench
import measures
import peers
import workflows

# Share of anomalies in the full HDFS set (Xu et al. 2009): 16,838 of 575,061 sessions. The test files of these
# sets hold more of them.
PRIORS = {"hdfs_deeplog": 0.02928, "hdfs_deeplog_mixed": 0.02928}
PARTS = ["cleaning", "modes", "novelty", "relations", "order", "forest"]
SHUFFLES = 5


class Set:
    def __init__(self, folder):
        self.name = folder.name
        self.train = next(folder.glob("train*.tsv*"))
        self.test = folder / "test.tsv.gz"
        self.truth = {name: label for name, label, _ in measures.sessions(self.test)}
        self.prior = PRIORS.get(self.name)

    def judge(self, train=None, options=()):
        out, _ = bench.sentinel_bench("sessions", "--train", train or self.train, "--test", self.test, *options)
        flags = {row[0]: int(row[1]) for row in csv.reader(io.StringIO(out))}
        return measures.judged(self.truth, flags, self.prior)


def sets(data):
    return [Set(folder) for folder in sorted(data.glob("logs/sessions/*")) if list(folder.glob("train*.tsv*"))]


def verdict(figures):
    return f"{bench.shown(figures['f1'])} ({figures['false']} + {figures['missed']})"


def accuracy(data):
    lines = []
    for each in sets(data):
        bench.say(f"sessions: {each.name}")
        found = each.judge()
        lines.append((each.name, found["f1"], found["recall"], f"{found['false']} of {found['normal']:,}",
                      f"{found['missed']} of {found['anomalous']:,}", scikit(each)))
    bench.heading("Sessions")
    bench.table(["set", "F1", "recall", "false alarms", "missed", "*scikit-learn's forest on counts, F1*"], lines)


def scikit(each):
    if not peers.sklearn:
        return "not installed"
    test = measures.sessions(each.test)
    flags = peers.forest_on_sessions(measures.sessions(each.train), test)
    found = dict(zip((name for name, *_ in test), flags, strict=True))
    return measures.judged(each.truth, found, each.prior)["f1"]


def ablation(data):
    bench.say("sessions: parts left out")
    chosen = sets(data)
    lines = [("everything", *(verdict(each.judge()) for each in chosen))]
    for part in PARTS:
        lines.append((f"without `{part}`", *(verdict(each.judge(options=["--without", part])) for each in chosen)))
    bench.heading("Sessions: what each part adds, F1 (false alarms + missed)")
    bench.table(["", *(each.name for each in chosen)], lines)


def halves(data):
    """Trained on random halves of the training file, judged on the same test file."""
    lines = []
    for each in sets(data):
        bench.say(f"sessions: halves of {each.name}")
        train = list(measures.rows(each.train))
        figures = []
        for seed in range(SHUFFLES):
            shuffled = random.Random(seed).sample(train, len(train))
            for half in (shuffled[: len(train) // 2], shuffled[len(train) // 2:]):
                figures.append(drawn(each, half)["f1"])
        lines.append((each.name, min(figures), max(figures), sum(figures) / len(figures)))
    bench.heading(f"Sessions: trained on random halves, {SHUFFLES} shuffles")
    bench.table(["set", "lowest F1", "highest F1", "mean"], lines)


def drawn(each, lines):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.tsv.gz"
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.writelines(lines)
        return each.judge(train=path)


# Rare ways of working among made-up sessions: seeds, and what is left out to judge by the nearest counts alone.
SEEDS = 2
NEAREST = [word for part in PARTS if part != "novelty" for word in ("--without", part)]
ALIKE = ["cut_short", "rolled_back", "retried", "missing", "reported", "repeated"]


def judge_made(plan, options=()):
    train, test = workflows.made(plan)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "train.tsv", Path(folder) / "test.tsv"]
        for path, sessions in zip(files, (train, test), strict=True):
            path.write_text("".join(f"{name}\t{' '.join(events)}\n" for name, *_, events in sessions))
        out, _ = bench.sentinel_bench("sessions", "--train", files[0], "--test", files[1], *options)
    flags = {row[0]: int(row[1]) for row in csv.reader(io.StringIO(out))}
    return measures.judged({name: label for name, label, _ in test}, flags)


def over_seeds(seeds=SEEDS, options=(), **what):
    """Mean and lowest F1."""
    found = [judge_made(workflows.Plan(seed, **what), options)["f1"] for seed in range(1, seeds + 1)]
    return sum(found) / len(found), min(found)


def shown(found):
    return f"{bench.shown(found[0])} ({bench.shown(found[1])})"


def rare_ways():
    """Made-up sessions with rare ways of working, with and without hidden failures."""
    bench.say("sessions: rare ways of working")
    hidden = [0.0, 0.01, 0.03]
    lines = [(ways, f"{share:.1%}", *(shown(over_seeds(variants=ways, share=share, hidden=each)) for each in hidden))
             for ways, share in product((1, 2, 3), (0.01, 0.025, 0.05))]
    lines.append(("none", "", *(shown(over_seeds(variants=0, hidden=each)) for each in hidden)))
    lines += [(f"3, {form}", "2.5%", *(shown(over_seeds(variants=3, hidden=each, form=form)) for each in hidden))
              for form in ("anywhere", "left_out", "instead")]
    nearest = (shown(over_seeds(variants=3, hidden=each, options=NEAREST)) for each in hidden)
    lines.append(("*3, nearest counts alone*", "2.5%", *nearest))
    bench.heading(f"Sessions: rare ways of working by share of hidden failures, mean F1 of {SEEDS} seeds (lowest)")
    bench.table(["ways", "their share", *(f"{each:.0%}" for each in hidden)], lines)
    bench.say("sessions: hidden failures that are alike")
    lines = [(kind, shown(over_seeds(variants=2, hidden=0.01, failures=kind))) for kind in ALIKE]
    bench.heading("Sessions: two rare ways and 1 % hidden failures that are all alike, half of those judged too")
    bench.table(["failure", "mean F1 (lowest)"], lines)
