"""Runs the project's own measuring commands, and prints tables."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def target():
    return Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).resolve()


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*arguments, one_core=False, cwd=REPOSITORY):
    """Standard output and standard error of a command that must succeed."""
    command = [str(argument) for argument in arguments]
    if one_core:
        command = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] + command
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout, done.stderr


def sentinel_bench(*arguments, **options):
    return run(target() / "release" / "sentinel-bench", *arguments, **options)


def build():
    say("building")
    run("cargo", "build", "--release", "--locked", "--workspace")


def example(package, name, *arguments, tree=REPOSITORY, **options):
    """Standard output of an example of one of the crates."""
    folder = target() if tree == REPOSITORY else Path(tree) / "target"
    environment = ["env", f"CARGO_TARGET_DIR={folder}"]
    run(*environment, "cargo", "build", "--release", "--locked", "-p", package, "--example", name, cwd=tree)
    return run(folder / "release" / "examples" / name, *arguments, **options)[0]


def heading(text):
    print(f"\n## {text}\n", flush=True)


def table(header, lines):
    """A markdown table; numbers below one without their zero, as they stand in the documents."""
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for line in lines:
        print("| " + " | ".join(shown(cell) for cell in line) + " |", flush=True)


def shown(cell):
    if isinstance(cell, float):
        return "-" if cell != cell else f"{cell:.3f}".removeprefix("0")
    return str(cell)
