#!/usr/bin/env python3
"""Lets the program live through simulated days, each seed another, and has a judge look at them.

  simulation.py                       two hundred days, or as many as fit in two minutes: the test
  simulation.py --days 36500 --seconds 0 [--first SEED] [--go-on] [--jobs N]
                                      until there are so many, after a violation, too
  simulation.py --seed 7 --days 10 [--keep FOLDER]        one history again
  simulation.py --seed 7 --days 10 --shrink               and its shortest that still goes wrong

SIMULATE and SIMULATED_LIFE are the programs. Exit status 1: a violation, which is printed with the
seed that shows it again.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import random
import subprocess
import sys
import tempfile
import time

import judge

SIMULATE = os.environ.get("SIMULATE", "build/release/simulate")
LIFE = os.path.abspath(os.environ.get("SIMULATED_LIFE", "build/release/simulated_life"))
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
DAYS_A_SEED, LONG_DAYS, LONG_ONE_IN = 10, 60, 8
HANGS_S = 1800
SAID_EACH = 20  # tenants

# What the world serves; its secret and names are those of the stand-in.
URL = "http://127.0.0.1:1"
RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
    match: ['source="assessments"']
"""
# How often each source is read: what is gone is over by three of its times, within a calm.
READ = {"subscriptions": ("15m", "30m", "45m"), "assessments": ("15m", "30m", "45m"),
        "secure_scores": ("1h", "4h"), "catalogue": ("12h",)}
FAST = ("1m", "15m", "30m", "55m")


def collectors():
    with open(os.path.join(ROOT, "collectors/list.h"), encoding="utf-8") as text:
        return [part.split(")")[0] for part in text.read().split("X(")[2:]]


def prepare(folder, seed):
    """The configuration of a life. JSON is YAML. No path of it is in what happens."""
    drawn = random.Random(seed)
    read = {name: {"interval": drawn.choice(words)} for name, words in READ.items()}
    read["assessments"]["fast_interval"] = drawn.choice(FAST)

    def write(name, text):
        with open(os.open(os.path.join(folder, name), os.O_CREAT | os.O_WRONLY, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(text)
    write("secret", "fake-secret")
    write("rules.yml", RULES)
    write("life.yml", json.dumps({
        "azure": {"tenant_id": "7e4a4700-0000-4000-8000-000000007e4a",
                  "client_id": "c11e4700-0000-4000-8000-00000000c11e",
                  "client_secret_file": "secret",
                  "authority_host": URL, "resource_manager": URL, "microsoft_graph": URL,
                  "endpoint_api": URL},
        "collectors": {name: read.get(name, {"enabled": False})
                       for name in collectors()},
        "storage": {"path": "."},
        "alerts": {"rules": ["rules.yml"],
                   "receivers": [{"name": "team",
                                  "webhook": {"url": "https://team.example/hook"}}],
                   "route": {"receiver": "team", "group_by": ["..."], "group_interval": "1m"},
                   "governor": {"messages": 0}}}))


def live(seed, days, folder, without=()):
    """One history; what the judge says of it, and the program's own line about it."""
    prepare(folder, seed)
    words = [SIMULATE, str(seed), str(days), folder, LIFE]
    if without:
        words.append(os.path.join(folder, "without"))
        with open(words[-1], "w", encoding="utf-8") as file:
            file.writelines(f"{number}\n" for number in without)
    done = subprocess.run(words, capture_output=True, text=True, timeout=HANGS_S, check=False)
    one = judge.judge(os.path.join(folder, "record.jsonl"))
    if done.returncode:
        with open(os.path.join(folder, "life.log"), encoding="utf-8", errors="replace") as log:
            tail = "".join(log.readlines()[-5:])
        one.violate(0, f"alive: {done.stderr.strip()}\n{tail}")
    return one, done.stdout.strip()


def live_somewhere(seed, days, without=()):
    with tempfile.TemporaryDirectory(prefix="simulation_") as folder:
        return live(seed, days, folder, without)


def kinds(one):
    """Of what kind its violations are: what a shorter history must show, too."""
    return {what.split(":")[0] for _, what in one.violations}


def days_of(seed):
    """Most tenants live for some days, some for two months: what grows old is pruned."""
    return DAYS_A_SEED if seed % LONG_ONE_IN else LONG_DAYS


def plan(seed, days):
    """Numbers of all that happens, but for what the judge needs."""
    with tempfile.TemporaryDirectory(prefix="simulation_") as folder:
        live(seed, days, folder)
        with open(os.path.join(folder, "plan.txt"), encoding="utf-8") as file:
            rows = [line.split() for line in file]
    return [(int(number), act) for number, act in rows if act not in ("calm", "judge")]


def shrink(seed, days):
    """Leave out what can be left out: halves first, then smaller and smaller pieces."""
    one, _ = live_somewhere(seed, days)
    wanted = kinds(one)
    if not wanted:
        return None
    days = min(days, 1 + (one.violations[0][0] - one.first_at) // judge.DAY)
    left, without = plan(seed, days), []
    size = max(1, len(left) // 2)
    while left and size:
        for at in range(0, len(left), size):
            piece = left[at:at + size]
            if not piece:
                break
            tried = without + [number for number, _ in piece]
            if kinds(live_somewhere(seed, days, tried)[0]) & wanted:
                without, left = tried, left[:at] + left[at + size:]
                break
        else:
            size //= 2
    return days, left, live_somewhere(seed, days, without)[0]


def report(seed, days, one):
    for at, what in one.violations[:10]:
        print(f"seed {seed}: {at}: {what}")
    print(f"{len(one.violations)} violations: simulation.py --seed {seed} --days {days}",
          flush=True)


def run_many(words):
    """Seed after seed, as many at once as there are cores."""
    began, lived, failed, seed = time.monotonic(), 0, 0, words.first
    figures = collections.Counter()

    def say():
        print(f"{lived} days of {seed - words.first} tenants, "
              + ", ".join(f"{count} {what}" for what, count in figures.items())
              + f", {time.monotonic() - began:.0f} s", flush=True)
    with concurrent.futures.ThreadPoolExecutor(words.jobs) as pool:
        running = {}
        while True:
            late = words.seconds and time.monotonic() - began > words.seconds
            over = late or lived >= words.days or (failed and not words.go_on)
            while len(running) < words.jobs and lived < words.days and not over:
                running[pool.submit(live_somewhere, seed, days_of(seed))] = seed
                lived += days_of(seed)
                seed += 1
            if not running:
                break
            for done in concurrent.futures.wait(
                    running, return_when=concurrent.futures.FIRST_COMPLETED).done:
                one, _ = done.result()
                figures.update(one.figures())
                if one.violations:
                    failed += 1
                    report(running[done], days_of(running[done]), one)
                del running[done]
            if words.go_on and not seed % SAID_EACH:
                say()
    say()
    return failed > 0 or not lived


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--go-on", action="store_true")
    parser.add_argument("--keep")
    parser.add_argument("--shrink", action="store_true")
    words = parser.parse_args()
    if words.seed is None:
        sys.exit(run_many(words))
    if words.shrink:
        found = shrink(words.seed, words.days)
        if not found:
            sys.exit("there is no violation")
        days, left, one = found
        print(f"{days} days, {len(left)} things that happen: "
              + ", ".join(f"{number} {act}" for number, act in left))
        report(words.seed, days, one)
        sys.exit(1)
    if words.keep:
        os.makedirs(words.keep)  # in a folder that was lived in, a history is another
        one, line = live(words.seed, words.days, words.keep)
    else:
        one, line = live_somewhere(words.seed, words.days)
    print(line)
    report(words.seed, words.days, one)
    sys.exit(bool(one.violations))


if __name__ == "__main__":
    main()
