#!/usr/bin/env python3
"""Passes ctest's output on and puts the minutes of each label and build before its summary.

minutes.py LOG SECONDS: ctest's log, which names what was skipped; how long building took.
"""
import collections
import re
import sys

RESULT = re.compile(r"\s*\d+/\d+ Test\s+#\d+: (\w+)\.(\w+)\.(\S+) .*?([\d.]+) sec\s*$")
SUMMARY = re.compile(r"\d+% tests passed|No tests were found")
STARTED = re.compile(r"\d+/\d+ Test(?:ing)?: (\S+)$")


def pass_on(lines):
    """Print up to the summary; returns seconds by (label, build) and the summary."""
    seconds, summary = collections.Counter(), []
    for line in lines:
        result = RESULT.match(line)
        if result:
            build, label, _, took = result.groups()
            seconds[label, build] += float(took)
        if summary or SUMMARY.match(line):
            summary.append(line)
        else:
            print(line, end="", flush=True)
    return seconds, summary


def skipped(path):
    """(test, reason) of every part that was skipped, also inside a test that passed."""
    test = "?"
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                started = STARTED.match(line)
                test = started.group(1) if started else test
                if line.startswith("skipped: "):
                    yield test, line[len("skipped: "):].strip()
    except OSError:
        return


def table(seconds, building):
    builds = sorted({build for _, build in seconds})
    labels = sorted({label for label, _ in seconds})
    rows = [["minutes", *builds, "sum"]]
    for label in labels:
        row = [seconds[label, build] for build in builds]
        rows.append([label, *row, sum(row)])
    columns = [sum(seconds[label, build] for label in labels) for build in builds]
    rows.append(["sum", *columns, sum(columns)])
    for row in rows:
        print(f"{row[0]:12}" + "".join(
            f"{c:>9}" if isinstance(c, str) else f"{c / 60:9.1f}" for c in row[1:]))
    print(f"{'building':12}{building / 60:9.1f}")


def main():
    log, building = sys.argv[1], float(sys.argv[2])
    seconds, summary = pass_on(sys.stdin)
    if seconds:
        print()
        for test, reason in skipped(log):
            print(f"skipped in {test}: {reason}")
        table(seconds, building)
        print()
    print("".join(summary), end="", flush=True)


main()
