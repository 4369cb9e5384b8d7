#!/usr/bin/env python3
"""What a start with a large database takes. Not part of ctest: run it with a release build.

  tests/bench/start.py [OPEN] [STARTS]   one table: until the first answer, CPU of all threads until
                                         then, CPU of the evaluator until its first decision, and
                                         for the collection that follows; bound, verdict
"""
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))
from harness import SECRET, Exporter, Fake, Folder, memory_kb, settings, until  # noqa: E402
from sink import Sink, receiver  # noqa: E402
from web import DATABASE, thread_seconds  # noqa: E402

RULES = """
groups:
- name: some
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
    match: ['source="assessments"', 'risk_level=~"critical|high|medium"']
"""
FAMILY = "defender_exporter_rule_last_duration_seconds"
ANSWER_S, DECIDE_S = 0.2, 1


def row(what, seconds, most=None):
    verdict = "" if most is None else "ok" if seconds <= most else "OVER"
    bound = "" if most is None else f"{most} s"
    print(f"{what:55} {seconds:8.3f} s  {bound:8} {verdict}", flush=True)


def total_of(exporter):
    return exporter.get("/api/v1/findings?limit=1").json().get("total", 0)


def decide(exporter, what, check):
    """CPU of the evaluator until check, and how long the evaluation took."""
    until(what, check, 600, 0.05)
    pid = exporter.process.pid
    row(f"{what}: CPU of the evaluator", thread_seconds(pid)["evaluator"], DECIDE_S)
    row(f"{what}: the last evaluation", exporter.metrics().one(FAMILY))


def start(folder, config, findings):
    began = time.monotonic()
    with Exporter(folder, config) as exporter:
        until("an answer", exporter.answers, 300, 0.002)
        row("first answer", time.monotonic() - began, ANSWER_S)
        row("CPU until then", sum(thread_seconds(exporter.process.pid).values()))
        decide(exporter, "first decision", lambda: exporter.metrics().sum(FAMILY) > 0)
        exporter.wait_ready(600)
        decide(exporter, "first collection", lambda: total_of(exporter) > findings // 2)


def main():
    numbers = [int(word) for word in sys.argv[1:]]
    wanted, starts = numbers + [200000, 3][len(numbers):]
    with Folder() as folder, Sink() as sink, Fake(
            "--seed", "3", "--subscriptions", "40", "--assessments",
            str(wanted * 83 // 20)) as fake:
        folder.file("rules.yml", RULES)
        config = settings(fake.url, folder.file("secret", SECRET), alerts={
            "rules": ["rules.yml"], "ledger": {"first_run": "all"},
            "receivers": [receiver(sink)], "governor": {"messages": 0}})
        with Exporter(folder, config) as exporter:
            exporter.wait_ready(600)
            until("findings", lambda: total_of(exporter) > wanted // 2, 600, 1)
            time.sleep(10)
            alerts = exporter.metrics().one("defender_exporter_alerts", state="firing")
            print(f"{until('the list', lambda: total_of(exporter))} open findings, {alerts:.0f} "
                  f"alerts, {memory_kb(exporter.process.pid) / 1024:.0f} MiB")
        print(f"database: {os.path.getsize(os.path.join(folder.path, DATABASE)) / 1e6:.0f} MB")
        for _ in range(starts):
            start(folder, config, wanted)


if __name__ == "__main__":
    main()
