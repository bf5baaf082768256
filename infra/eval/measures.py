"""The figures by which detections are judged. Plain Python, so that they run without any peer installed."""

import array
import ast
import csv
import gzip
import zipfile
from collections import Counter, defaultdict


def rows(path):
    """The lines of a text file that may be gzip, without their ends."""
    opened = gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="") \
        if str(path).endswith(".gz") else open(path, encoding="utf-8", errors="replace", newline="")
    with opened as file:
        yield from file


def true_groups(path):
    """The true template of each line of a labelled sample."""
    csv.field_size_limit(1 << 24)
    reader = csv.DictReader(rows(path))
    return [row["EventTemplate"] for row in reader]


def column(path, name):
    csv.field_size_limit(1 << 24)
    return [row[name] for row in csv.DictReader(rows(path))]


def grouping(true, found):
    """Grouping accuracy and F1 of groups (Khan et al. 2022, doi:10.1145/3510003.3510101): the share of lines in
    groups that hold just the lines of a true group, and the harmonic mean of precision and recall of such groups."""
    assert len(true) == len(found), f"{len(true)} true lines, {len(found)} found"

    def sets(labels):
        lines = defaultdict(list)
        for line, label in enumerate(labels):
            lines[label].append(line)
        return {tuple(group) for group in lines.values()}

    truth, groups = sets(true), sets(found)
    exact = truth & groups
    accuracy = sum(map(len, exact)) / len(true)
    return accuracy, 2 * len(exact) / (len(truth) + len(groups))


def roc_and_pr(labels, scores):
    """Area under the ROC curve, and average precision; equal scores are one step."""
    steps = defaultdict(lambda: [0, 0])
    for label, score in zip(labels, scores, strict=True):
        steps[score][label] += 1
    positives = sum(labels)
    negatives = len(labels) - positives
    above_positive = above_negative = 0
    area = precision = 0.0
    for score in sorted(steps, reverse=True):
        normal, anomalous = steps[score]
        area += normal * (above_positive + anomalous / 2)
        above_positive += anomalous
        above_negative += normal
        precision += anomalous / positives * above_positive / (above_positive + above_negative)
    return area / (positives * negatives), precision


def sessions(path):
    """id, label (None where there is none) and events of each session of a file."""
    found = []
    for line in rows(path):
        parts = line.rstrip("\r\n").split("\t")
        if len(parts) > 1:
            label = int(parts[1]) if len(parts) > 2 else None
            found.append((parts[0], label, parts[-1].split()))
    return found


def judged(truth, flags, prior=None):
    """F1, recall, false alarms, missed and counts of normal and anomalous sessions. With `prior`, the share of
    anomalies in the full set, F1 is what it would be at that share."""
    anomalous = sum(truth.values())
    normal = len(truth) - anomalous
    counts = Counter((label, flags.get(name, 0)) for name, label in truth.items())
    hit, false = counts[1, 1], counts[0, 1]
    recall = hit / anomalous if anomalous else float("nan")
    share = anomalous / len(truth) if prior is None else prior
    weighed_hits = recall * share
    weighed_false = (false / normal if normal else 0.0) * (1 - share)
    precision = weighed_hits / (weighed_hits + weighed_false) if hit or false else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"f1": f1, "recall": recall, "false": false, "missed": anomalous - hit,
            "normal": normal, "anomalous": anomalous}


def labelled_rows(path):
    """Rows of numbers and a label each, from a set in the form of ADBench: an .npz with X and y, as numpy's format
    description has it (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)."""

    def member(archive, name):
        data = archive.read(f"{name}.npy")
        assert data[:6] == b"\x93NUMPY", f"{path}: {name} is no array"
        width = 2 if data[6] == 1 else 4
        end = 8 + width + int.from_bytes(data[8:8 + width], "little")
        header = ast.literal_eval(data[8 + width:end].decode("latin-1"))
        kinds = {"<f8": "d", "<f4": "f", "<i8": "q", "<i4": "i", "<i2": "h", "<u2": "H", "|u1": "B", "|i1": "b", "|b1": "B"}
        values = array.array(kinds[header["descr"]], data[end:])
        height = header["shape"][0]
        if header["fortran_order"]:
            return [values[row::height] for row in range(height)]
        across = len(values) // height
        return [values[row * across:(row + 1) * across] for row in range(height)]

    with zipfile.ZipFile(path) as archive:
        return member(archive, "X"), [int(row[0]) for row in member(archive, "y")]
