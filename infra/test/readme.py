#!/usr/bin/env python3
"""Runs every command of the README's `console` blocks and compares its output with what stands below it.

usage: readme.py README.md [TRANSLATION...]

A line `$ COMMAND` is run by the shell; the lines up to the next one are the output expected, in which
`…` stands for anything. Output may go on after the last line expected. Exits with 1 at the first difference.
Each command that a translation shows in an `sh` block must stand in the README.
"""
import re
import subprocess
import sys


def blocks(text):
    for block in re.findall(r"^```console\n(.*?)^```", text, re.S | re.M):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, expected = part.partition("\n")
            yield command, expected.strip()


def main(path):
    count = 0
    for command, expected in blocks(open(path, encoding="utf-8").read()):
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300)
        found = done.stdout.strip()
        pattern = ".*?".join(re.escape(piece) for piece in expected.split("…"))
        if done.returncode or not re.match(pattern, found, re.S):
            sys.exit(f"{path}: $ {command}\nexpected:\n{expected}\nfound:\n{found}\n{done.stderr}")
        print(f"ok: {command[:100]}")
        count += 1
    if count < 5:
        sys.exit(f"{path}: only {count} commands were found")


def check_translation(path, original):
    shown = {line.removeprefix("$ ") for line in open(original, encoding="utf-8").read().splitlines()}
    for block in re.findall(r"^```sh\n(.*?)^```", open(path, encoding="utf-8").read(), re.S | re.M):
        for line in block.splitlines():
            if line not in shown:
                sys.exit(f"{path} shows what {original} does not: {line}")
    print(f"ok: {path}")


main(sys.argv[1])
for translation in sys.argv[2:]:
    check_translation(translation, sys.argv[1])
