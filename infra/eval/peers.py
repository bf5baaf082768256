"""The peers that install from a registry, each behind the same few functions. One that is not there is None, and the
tables say so."""

import time

try:
    import numpy
except ImportError:
    numpy = None
try:
    import sklearn.ensemble
except ImportError:
    sklearn = None
try:
    import isotree
except ImportError:
    isotree = None
try:
    import drain3
    import drain3.masking
    import drain3.template_miner_config
except ImportError:
    drain3 = None

# The masks that drain3's own example sets: addresses, hexadecimal words, numbers.
MASKS = [
    (r"((?<=[^A-Za-z0-9])|^)(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))((?=[^A-Za-z0-9])|$)", "ID"),
    (r"((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})((?=[^A-Za-z0-9])|$)", "IP"),
    (r"((?<=[^A-Za-z0-9])|^)([0-9a-f]{6,} ?){3,}((?=[^A-Za-z0-9])|$)", "SEQ"),
    (r"((?<=[^A-Za-z0-9])|^)(0x[a-f0-9A-F]+)((?=[^A-Za-z0-9])|$)", "HEX"),
    (r"((?<=[^A-Za-z0-9])|^)([\-\+]?\d+)((?=[^A-Za-z0-9])|$)", "NUM"),
]


def missing():
    known = {"numpy": numpy, "scikit-learn": sklearn, "isotree": isotree, "drain3": drain3}
    return [name for name, module in known.items() if module is None]


def drain(lines, masked):
    """The group of each line, and lines a second."""
    config = drain3.template_miner_config.TemplateMinerConfig()
    if masked:
        config.masking_instructions = [drain3.masking.MaskingInstruction(*mask) for mask in MASKS]
    miner = drain3.TemplateMiner(config=config)
    started = time.perf_counter()
    groups = [miner.add_log_message(line)["cluster_id"] for line in lines]
    return groups, len(lines) / (time.perf_counter() - started)


def forests():
    """Name and (fit on rows and seed -> score of rows) of each peer's forest."""
    found = {}
    table = lambda rows: numpy.asarray(rows, dtype="f8")
    if sklearn:
        def scikit(values, seed):
            forest = sklearn.ensemble.IsolationForest(n_estimators=100, max_samples=min(256, len(values)), random_state=seed)
            forest.fit(table(values))
            return lambda rows: -forest.score_samples(table(rows))
        found["scikit-learn, 100 trees"] = scikit
    if isotree:
        def isolation(**settings):
            def fit(values, seed):
                chosen = {"ntrees": 100, "sample_size": min(256, len(values)), "nthreads": 1, "random_seed": seed}
                forest = isotree.IsolationForest(**(chosen | settings))
                forest.fit(table(values))
                return lambda rows: forest.predict(table(rows))
            return fit
        found["isotree, axis-parallel"] = isolation(ndim=1, missing_action="fail")
        found["isotree, two features"] = isolation(ndim=2, missing_action="fail")
        found["isotree, fair-cut"] = isolation(ndim=2, ntrees=200, sample_size=32, prob_pick_pooled_gain=1)
    return found


def count_vectors(train, others):
    """Sessions as rows of counts, a column for each event of the training and one for all others."""
    columns = {event: at for at, event in enumerate(sorted({event for _, _, events in train for event in events}))}

    def rows(sessions):
        values = numpy.zeros((len(sessions), len(columns) + 1), dtype="f4")
        for row, (_, _, events) in zip(values, sessions):
            for event in events:
                row[columns.get(event, -1)] += 1
        return values

    return rows(train), rows(others)


def forest_on_sessions(train, others):
    """Flags by scikit-learn's forest with its own threshold."""
    known, new = count_vectors(train, others)
    forest = sklearn.ensemble.IsolationForest(random_state=0).fit(known)
    return [int(flag < 0) for flag in forest.predict(new)]
