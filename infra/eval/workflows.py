"""Made-up sessions of a service that starts and stops machines, as compute clouds log them: one machine's steps in
their order, with polls in between. Some sessions have rare steps that are a way of working, some fail.

Everything follows from the seed. Rare ways of working and failures are drawn anew for each set.
"""

import random
from dataclasses import dataclass

STEPS = ["create", "claim", "memory", "memory_limit", "disk", "disk_limit", "cores", "cores_limit", "claimed", "image",
         "plugged", "started", "paused", "resumed", "spawned", "spawn_time", "build_time", "terminate", "stopped",
         "destroyed", "deleting", "deleted", "destroy_time", "deallocated"]
POLLS = {"poll": 3, "metadata": 2}
ERRORS = [f"error{number}" for number in range(14)]
ROLLED_BACK = ["terminate", "destroyed", "deleting", "deleted", "deallocated"]


@dataclass(frozen=True)
class Plan:
    """What a set is made of; shares are of the training sessions and of the normal ones to judge."""
    seed: int
    variants: int = 1
    share: float = 0.025
    hidden: float = 0.0
    # added: steps more, each in its place. anywhere: one more, in no place. left_out: a step less. instead: one for
    # another.
    form: str = "added"
    # diverse: hidden failures are each drawn by themselves. Otherwise the name of a failure, drawn once for all.
    failures: str = "diverse"
    training: int = 2_472
    normal: int = 3_000
    anomalous: int = 300


def ordinary(chance):
    """Steps in order, but for two that come as they like; images are often in the cache."""
    steps = list(STEPS)
    if chance.random() < 0.4:
        steps.remove("image")
    if chance.random() < 0.25:
        at = steps.index("paused")
        steps[at], steps[at + 1] = steps[at + 1], steps[at]
    return steps


def with_polls(chance, steps):
    steps = list(steps)
    for event, most in POLLS.items():
        for _ in range(min(chance.randint(0, most), chance.randint(0, most))):
            steps.insert(chance.randint(1, len(steps)), event)
    return steps


class Variant:
    """A way of working that differs from the ordinary one in the same way every time."""

    def __init__(self, chance, name, form):
        self.form, self.name = form, name
        self.before = sorted(chance.sample([step for step in STEPS[2:-1] if step not in ("image", "plugged")],
                                           chance.choice([1, 1, 2]) if self.form == "added" else 1))

    def of(self, chance, steps):
        steps = list(steps)
        for number, mark in enumerate(self.before):
            at = steps.index(mark)
            if self.form == "added":
                steps.insert(at, f"{self.name}_{number}")
            elif self.form == "anywhere":
                steps.insert(chance.randint(1, len(steps) - 1), self.name)
            elif self.form == "left_out":
                steps.pop(at)
            else:
                steps[at] = self.name
        return steps


def cut_short(chance, steps):
    return steps[:chance.randint(3, len(steps) - 3)]


def rolled_back(chance, steps):
    """An error, and everything is taken back."""
    at = chance.randint(3, steps.index("terminate") - 1)
    return steps[:at] + [chance.choice(ERRORS)] * chance.choice([1, 1, 2, 3]) + ROLLED_BACK


def retried(chance, steps):
    """An error, and the last steps again."""
    at, again = chance.randint(4, len(steps) - 1), chance.randint(1, 3)
    return steps[:at] + [chance.choice(ERRORS)] + steps[at - again:]


def reported(chance, steps):
    """An error, and on."""
    at = chance.randint(2, len(steps) - 1)
    return steps[:at] + [chance.choice(ERRORS)] + steps[at:]


def missing(chance, steps):
    at = chance.randint(1, len(steps) - 4)
    return steps[:at] + steps[at + chance.randint(1, 3):]


def repeated(chance, steps):
    at = chance.randint(1, len(steps) - 1)
    return steps[:at] + steps[at - 1:at] * chance.randint(1, 3) + steps[at:]


FAILURES = {each.__name__: each for each in (cut_short, rolled_back, retried, reported, missing, repeated)}


class Failures:
    def __init__(self, chance, kind):
        self.kind, self.draw = kind, chance.random()

    def of(self, chance, steps):
        if self.kind == "diverse":
            return chance.choice(list(FAILURES.values()))(chance, steps)
        # The same draw every time: these failures are alike.
        return FAILURES[self.kind](random.Random(self.draw), steps)


def counted(events):
    return tuple(sorted(event for event in events if event not in POLLS))


def made(plan):
    """Training sessions (id, events) and those to judge (id, label, events)."""
    chance = random.Random(f"{plan.seed} {plan.variants} {plan.share} {plan.hidden} {plan.form} {plan.failures}")
    variants = [Variant(chance, f"variant{number}", plan.form) for number in range(plan.variants)]
    alike, diverse = Failures(chance, plan.failures), Failures(chance, "diverse")

    def normal(count):
        # Each way of working has its part, whatever the draw.
        rare = round(plan.share * count) if variants else 0
        for number in range(count):
            steps = ordinary(chance)
            if number < rare:
                steps = variants[number % len(variants)].of(chance, steps)
            yield with_polls(chance, steps)

    hidden = round(plan.hidden * plan.training)
    train = list(normal(plan.training - hidden))
    train += [with_polls(chance, alike.of(chance, ordinary(chance))) for _ in range(hidden)]
    chance.shuffle(train)
    test = [(0, events) for events in normal(plan.normal)]
    known = {counted(events) for _, events in test}
    while len(test) < plan.normal + plan.anomalous:
        failures = alike if plan.failures != "diverse" and chance.random() < 0.5 else diverse
        events = with_polls(chance, failures.of(chance, ordinary(chance)))
        # What has the counts of a normal session is one, as far as counts go.
        if counted(events) not in known:
            test.append((1, events))
    return ([(f"s{number}", events) for number, events in enumerate(train)],
            [(f"t{number}", label, events) for number, (label, events) in enumerate(test)])
