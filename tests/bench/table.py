#!/usr/bin/env python3
"""All figures of all benches as one table with goals and verdicts. Not part of ctest: run it on a
quiet machine, with a release build; it takes about an hour.

  tests/bench/table.py [--write] [BENCH...]   those named, else all; --write: docs/performance.md

What costs time is compared with something else of the same run, or counted in CPU; what is a ratio
to other programs needs the harness in $DEFENDER_SHARED/bench. Exits 1 when a goal is missed.
"""
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PAGE = os.path.join(ROOT, "docs/performance.md")

# name: title, commands
BENCHES = {
    "collect": ("Collecting", ["collect.py", "collect.py scale", "bench.py peers"]),
    "decide": ("Deciding and delivering", ["alerts.py latency", "alerts.py latency 1000000 20"]),
    "lanes": ("The fast lane", ["lanes.py"]),
    "start": ("Starting", ["start.py"]),
    "scrape": ("Scraping", ["bench.py formats", "bench.py scrapes"]),
    "web": ("While others ask", ["web.py", "web.py alerts"]),
    "pages": ("Pages and filters", ["pages.py"]),
    "otlp": ("OTLP", ["otlp.py"]),
}
INTRODUCTION = """# Performance

Printed by `tests/bench/table.py --write`. Ratios are of one run; CPU is of all threads of the
program, or of the one that is named. Elsewhere only the ratios mean anything.
"""


def machine():
    """What it was measured on, in a line."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if "model name" in line),
                     platform.machine())
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(file.readline().split()[1]) / 2**20
    compiler = subprocess.run(["cc", "--version"], check=True, capture_output=True,
                              text=True).stdout.splitlines()[0]
    return (f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Linux {platform.release()}, "
            f"{compiler}; load {os.getloadavg()[0]:.1f} before")


def measure(command):
    """Its figures; None when it could not be run."""
    with tempfile.NamedTemporaryFile("r", suffix=".figures") as file:
        done = subprocess.run([sys.executable, *[os.path.join(HERE, word) if word.endswith(".py")
                                                 else word for word in command.split()]],
                              cwd=ROOT, check=False, env={**os.environ, "FIGURES": file.name})
        figures = [json.loads(line) for line in file]
    return figures if done.returncode in (0, 1) and figures else None


def row(figure):
    value, most, unit = figure["value"], figure["most"], figure["unit"]
    goal = "" if most is None else f"{most:g} {unit}"
    verdict = "" if most is None else "yes" if value <= most else "**no**"
    return f"| {figure['what']} | {value:.3g} {unit} | {goal} | {verdict} |"


def main():
    write = "--write" in sys.argv[1:]
    names = [word for word in sys.argv[1:] if word != "--write"] or list(BENCHES)
    lines, missed = [INTRODUCTION, machine() + ".", ""], False
    for name in names:
        title, commands = BENCHES[name]
        lines += [f"## {title}", "", "| figure | measured | at most | holds |",
                  "| --- | --- | --- | --- |"]
        for command in commands:
            print(f"\n{command}", flush=True)
            began, figures = time.monotonic(), measure(command)
            missed |= figures is None or any(
                each["most"] is not None and each["value"] > each["most"] for each in figures)
            lines += [row(each) for each in figures or []]
            if figures is None:
                lines.append(f"| `{command}` | could not be run | | |")
            print(f"{time.monotonic() - began:.0f} s", flush=True)
        lines += ["", " ".join(f"`tests/bench/{command}`" for command in commands), ""]
    text = "\n".join(lines)
    print("\n" + text)
    if write:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(text.rstrip("\n") + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
