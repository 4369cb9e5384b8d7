#!/usr/bin/env python3
"""How long after the stand-in shows a change its message is committed: the whole program, quota on,
every collector that needs no switch. lanes.c does the same in virtual time, with more rows.

    DEFENDER_EXPORTER=... FAKE_AZURE=... tests/bench/lanes.py [ROWS [STEPS [SECONDS [LANE]]]]

(120000 rows, 20 steps, 20 s between two; LANE: on, or off: then the sweeps alone tell.) Exits 1
when a change is never told, and when with the lane the 99th percentile is beyond the interval and
five seconds.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from figures import figure  # noqa: E402
from alerts_model import finding_id, query  # noqa: E402
from harness import SECRET, Exporter, Fake, Folder, settings, until  # noqa: E402
from sink import Sink, receiver  # noqa: E402

SLACK = 5
RULES = {"groups": [{"name": "all", "rules": [{"alert": "Any", "event": "finding.opened"}]}]}
PER_MILLE = (10, 250, 500, 750, 900, 990)


def told_of(folder):
    return {row.hex()[:16] for (row,) in query(
        folder, "SELECT DISTINCT finding_id FROM outbox_member WHERE finding_id IS NOT NULL")}


def open_now(folder):
    return {row.hex()[:16] for (row,) in query(
        folder, "SELECT id FROM ledger_known WHERE is_open = 1 AND source = 'assessments'")}


def unhealthy(fake):
    return {finding_id(row["id"]) for row in fake.admin("dump")["assessments"]
            if row["code"] == "Unhealthy"}


class Changes:
    """Findings that open while all is watched: when each is shown, and when it is told."""

    def __init__(self, folder, fake):
        self.folder, self.fake = folder, fake
        self.seen = len(fake.admin("history"))
        self.shown, self.delays = {}, []
        self.gone = 0  # over before anybody looked

    def advance(self):
        self.fake.admin("advance?steps=1", "POST")
        now, history = time.monotonic(), self.fake.admin("history")
        for event in history[self.seen:]:
            if event["event"] == "opened":
                self.shown[finding_id(event["id"])] = now
        self.seen = len(history)
        over = self.shown.keys() - unhealthy(self.fake)
        self.gone += len(over)
        for finding in over:
            del self.shown[finding]

    def watch(self, seconds):
        """At most a poll too late."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            told, now = told_of(self.folder), time.monotonic()
            for finding in told & self.shown.keys():
                self.delays.append(now - self.shown.pop(finding))
            time.sleep(0.05)


def measure(folder, fake, steps, pause):
    changes = Changes(folder, fake)
    for _ in range(steps):
        changes.advance()
        changes.watch(pause)
    end = time.monotonic() + 1800
    while changes.shown and time.monotonic() < end:
        changes.watch(1)
    if changes.shown or not changes.delays:
        sys.exit(f"{len(changes.shown)} changes were never told, {len(changes.delays)} were")
    return sorted(changes.delays), changes.gone


def main():
    numbers = [int(word) for word in sys.argv[1:4]]
    rows, steps, pause = numbers + [120000, 20, 20][len(numbers):]
    lane = "off" not in sys.argv[4:]
    with Folder() as folder, Sink() as sink, \
            Fake("--assessments", str(rows), "--seed", "11", "--quota", "on") as fake:
        config = settings(
            fake.url, folder.file("secret", SECRET), {"assessments": {"fast": lane}},
            alerts={"rules": [folder.file("rules.yml", RULES)], "receivers": [receiver(sink)],
                    "governor": {"messages": 0},  # a digest of many waits longer
                    "route": {"receiver": "team", "group_wait": "0s", "group_by": ["..."]}})
        with Exporter(folder, config) as exporter:
            exporter.wait_ready(600)
            until("what is adopted", lambda: open_now(folder) == unhealthy(fake), 300, 1)
            delays, gone = measure(folder, fake, steps, pause)
            interval = lane and exporter.metrics().one("defender_exporter_fast_interval_seconds")
    print(f"{rows} rows, {len(delays)} changes told, {gone} over before a look, lane "
          f"{'on' if lane else 'off'}; seconds from shown to committed")
    print(" ".join(f"{mille / 10:g}%: {delays[len(delays) * mille // 1000]:.1f}"
                   for mille in PER_MILLE), f"most: {delays[-1]:.1f}")
    p99 = delays[len(delays) * 990 // 1000]
    figure("from shown to told: median", delays[len(delays) // 2], "s")
    sys.exit(not figure("from shown to told: p99", p99, "s", interval + SLACK if lane else None))


main()
