#!/usr/bin/env python3
"""The soak's judge (tests/bench/soak_judge.py): what stays flat passes, what creeps does not."""
import contextlib
import io
import os
import random
import subprocess
import sys

from harness import ALL, ROOT, Skip, equal, run

sys.path.insert(0, os.path.join(ROOT, "tests/bench"))
from soak_judge import judge  # noqa: E402

# What a row does, from day to day, and by how much it goes up and down meanwhile.
FLAT = {"resident memory": (32000, 0, 1500), "descriptors": (97, 0, 2), "threads": (37, 0, 0),
        "database": (20000, 0, 200), "its files": (40000, 0, 900), "log a day": (0, 60, 5)}
DAYS, WARM = 30, 10


def measured(more=lambda name, day: 0):
    dice = random.Random(7)
    return {name: [(day, start + rise * day + dice.uniform(-noise, noise) + more(name, day))
                   for day in (step / 25 for step in range(DAYS * 25))]
            for name, (start, rise, noise) in FLAT.items()}


def verdict(samples):
    """Whether all is flat, and the rows that are not."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        flat = judge(samples, WARM)
    rising = {line[:16].strip() for line in said.getvalue().splitlines() if line.endswith("RISES")}
    return flat, rising


def test_what_stays_flat_passes():
    equal(verdict(measured()), (True, set()), "flat")
    for what, more in {
            "while it warms up": lambda name, day: -100 * max(0, WARM - day),
            "an answer that is large": lambda name, day:
                80000 if name == "resident memory" and 0.2 < day % 1 < 0.25 else 0,
            "less and less": lambda name, day: -day}.items():
        equal(verdict(measured(more)), (True, set()), what)


def test_what_creeps_is_found():
    """80 kB and 0.08 descriptors a day."""
    for row, a_day in {"resident memory": 80, "descriptors": 0.08, "threads": 0.05,
                       "database": 60, "its files": 800}.items():
        equal(verdict(measured(lambda name, day: a_day * day if name == row else 0)),
              (False, {row}), f"{row} rises")
    equal(verdict(measured(lambda name, day: day * day if name == "log a day" else 0)),
          (False, {"log a day"}), "each day logs more")


def test_a_planted_leak_is_found():
    if not ALL:
        raise Skip("takes minutes")
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tests/bench/soak.py"), "4", "2",
                           "--plant", "close=100"], check=False, capture_output=True, text=True)
    found = [line for line in done.stdout.splitlines() if line.endswith("RISES")]
    equal((done.returncode, any(line.startswith("descriptors") for line in found)), (1, True),
          done.stdout + done.stderr)


if __name__ == "__main__":
    run(globals())
