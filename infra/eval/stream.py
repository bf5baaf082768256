"""Injected episodes in a stream that continues real logs, and what a model's parts add."""

import re

import bench

# Looked at while rules and weights were chosen, and never looked at.
SEEN, UNSEEN = (1, 12), (101, 12)
RATES = ("0.0002", "0.001")
PARTS = ["novelty", "spikes", "silence", "numbers", "values", "time", "length", "levels", "sessions", "forest"]


def replay(first, count, rate, *options):
    out, _ = bench.sentinel_bench("replay", "--seed", first, "--seeds", count, "--false-positive-rate", rate, *options)
    return out


def episodes():
    for name, (first, count) in (("seeds looked at", SEEN), ("unseen seeds", UNSEEN)):
        for rate in RATES:
            bench.say(f"stream: {name}, rate {rate}")
            bench.heading(f"Stream with injected episodes, {name} ({first} to {first + count - 1}), rate {rate}")
            print(replay(first, count, rate).strip())


def ablation(rate=RATES[0]):
    variants = [("everything", [])]
    variants += [(f"without `{part}`", ["--without", part]) for part in PARTS]
    variants.append(("only the forest", ["--only", "forest"]))
    lines = []
    for name, options in variants:
        bench.say(f"stream: {name}")
        lines.append((name, *whole(replay(*SEEN, rate, *options))))
    bench.heading(f"Stream: what each part adds, seeds {SEEN[0]} to {sum(SEEN) - 1}, rate {rate}")
    bench.table(["", "recall", "false flags per 100,000"], lines)


def whole(out):
    """Recall and false flags of all seeds, from the tables that the bench prints."""
    last = out[out.rindex("all seeds"):]
    recall = float(re.search(r"\*\*all\*\* \|[^|]*\|[^|]*\| ([\d.]+)", last).group(1))
    return recall, re.search(r"false flags \d+ \(([\d.]+) per", last).group(1)
