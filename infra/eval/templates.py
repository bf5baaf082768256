"""Which lines belong together, on labelled samples; and how fast, beside drain3 in the same run."""

import csv
import io
import json
import time

import bench
import measures
import peers


def ours(file, *options):
    out, _ = bench.sentinel_bench("templates", *options, file)
    return [row["TemplateId"] for row in csv.DictReader(io.StringIO(out))]


def figures(structured, raw):
    """GA and FGA of the message field, then of whole raw lines."""
    truth = measures.true_groups(structured)
    return [*measures.grouping(truth, ours(structured, "--column", "Content")), *measures.grouping(truth, ours(raw))]


def sets(data):
    """The structured and the raw file of each labelled sample."""
    found = sorted(data.glob("logs/templates/*/*_2k.structured.csv.gz"))
    return [(path, path.with_name(path.name.replace(".structured.csv", ".log"))) for path in found]


def mean(figures):
    return [sum(column) / len(column) for column in zip(*figures, strict=True)]


def accuracy(data):
    table, means = [], []
    drained = {"drain3": [], "drain3 with masks": []} if peers.drain3 else {}
    for structured, raw in sets(data):
        truth = measures.true_groups(structured)
        means.append(figures(structured, raw))
        table.append((structured.parent.name, *means[-1]))
        for name, results in drained.items():
            masked = "masks" in name
            lines = [line.rstrip("\r\n") for line in measures.rows(raw)]
            results.append([
                *measures.grouping(truth, peers.drain(measures.column(structured, "Content"), masked)[0]),
                *measures.grouping(truth, peers.drain(lines, masked)[0]),
            ])
    table.append(("**mean**", *mean(means)))
    table += [(f"*{name}, mean of the same*", *mean(results)) for name, results in drained.items()]
    bench.heading("Templates")
    bench.table(["system", "GA message", "FGA message", "GA raw line", "FGA raw line"], table)


def speed(corpus):
    """Lines a second and core over the messages of a mixed corpus."""
    messages = [json.loads(line)["message"] for line in measures.rows(corpus)]
    plain = corpus.with_suffix(".messages")
    plain.write_text("\n".join(message.replace("\n", " ").replace("\r", " ") for message in messages) + "\n")
    out = bench.example("template", "throughput", plain, one_core=True)
    passes = [float(line.split()[2]) for line in out.splitlines() if line.startswith("pass")]
    table = [("Log Sentinel, first pass, every template new", f"{passes[0] / 1e3:,.0f} k"),
             ("Log Sentinel, later passes", f"{sorted(passes[1:])[len(passes) // 2] / 1e3:,.0f} k")]
    if peers.drain3:
        some = messages[:60_000]
        for name, masked in (("drain3", False), ("drain3 with masks", True)):
            started = time.process_time()
            peers.drain(some, masked)
            table.append((f"{name}, first {len(some):,} lines", f"{len(some) / (time.process_time() - started) / 1e3:,.0f} k"))
    bench.heading(f"Speed of the miner, {len(messages):,} lines of a mixed corpus, one core")
    bench.table(["", "lines a second"], table)
