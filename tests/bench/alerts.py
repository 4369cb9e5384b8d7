#!/usr/bin/env python3
"""What deciding and delivering cost. Not part of ctest: run it on a quiet machine.

  tests/bench/alerts.py latency [ROWS] [STEPS]   from a published snapshot to the first byte at the
                                                 receiver, as a distribution (20 % of ROWS are open)
  tests/bench/alerts.py size [ROWS] [RULES]      CPU, memory and database size of evaluating
  tests/bench/alerts.py kills [KILLS]            nothing lost, nothing invented, of 1,000 SIGKILLs
"""
import os
import re
import statistics
import subprocess
import sys
import time
from datetime import datetime

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))
from bench import cpu_seconds  # noqa: E402
from figures import figure  # noqa: E402
from harness import SECRET, Exporter, Fake, Folder, memory_kb, settings, until  # noqa: E402
from sink import Sink, receiver  # noqa: E402

ONLY_ASSESSMENTS = {name: {"enabled": False}
                    for name in ("secure_scores", "baselines", "catalogue")}
RULE = """  - alert: Finding{number}
    event: [finding.opened, finding.reopened]
    match: ['{match}']
"""


def configuration(fake, folder, sink, rules, interval):
    folder.file("rules.yml", "groups:\n- name: all\n  rules:\n" + "".join(rules))
    return settings(
        fake.url, folder.file("secret", SECRET),
        {**ONLY_ASSESSMENTS, "assessments": {"interval": interval}},
        alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                "route": {"receiver": "team", "group_by": ["..."], "group_interval": "1s"},
                "governor": {"messages": 0}})


PUBLISHED = re.compile(r"time=(\S+) level=\S+ source=runner_report\.c:\d+ "
                       r'msg="?(?:collected|first collection complete)"? collector=assessments ')


def published_at(log):
    """When each snapshot of assessments was published, in Unix seconds."""
    return [datetime.fromisoformat(found.replace("Z", "+00:00")).timestamp()
            for found in PUBLISHED.findall(log)]


def waiting(exporter):
    return exporter.metrics().sum("defender_exporter_outbox_messages")


def latency(rows, steps):
    delays = []
    with Folder() as folder, Sink() as sink, Fake(
            "--seed", "1", "--subscriptions", "20", "--assessments", rows) as fake:
        rules = [RULE.format(number=1, match='risk_level=~".+"')]
        config = configuration(fake, folder, sink, rules, "1s")
        with Exporter(folder, config, "--log.level=debug") as exporter:
            opened = exporter.wait_ready(300).metrics().sum("defender_findings")
            until("the summary of the first run", sink.taken, 60)
            for _ in range(steps):
                before = len(sink.taken())
                fake.admin("advance?steps=1", "POST")
                until("a page", lambda: len(sink.taken()) > before, 60, 0.005)
                first = sink.taken()[before]["at"]
                snapshots = [at for at in published_at(exporter.log) if at <= first]
                delays.append((first - snapshots[-1]) * 1000)
                until("the rest of this step", lambda: not waiting(exporter), 120, 0.1)
                time.sleep(1.2)  # groups tell again after a second
    delays.sort()
    at = lambda share: delays[min(len(delays) - 1, int(len(delays) * share))]  # noqa: E731
    median = statistics.median(delays)
    print(f"{opened:.0f} open findings, {steps} snapshots with news: from published to the first "
          f"byte, ms: min {delays[0]:.1f}, median {median:.1f}, "
          f"90% {at(0.9):.1f}, max {delays[-1]:.1f}")
    what = f"{opened:.0f} open, from published to the first byte of a message"
    return all([figure(f"{what}: median", median, "ms", 5 if opened < 100000 else 10),
                figure(f"{what}: p99 to the median", at(0.99) / median, "x", 4)])


def size(rows, rules):
    texts = [RULE.format(number=number, match=f'resource_name="no such {number}"')
             for number in range(rules)]
    with Folder() as folder, Sink() as sink, Fake(
            "--seed", "1", "--subscriptions", "50", "--assessments", rows) as fake:
        config = configuration(fake, folder, sink, texts, "30s")
        database = os.path.join(folder.path, "defender_exporter.db")
        with Exporter(folder, config) as exporter:
            metrics = exporter.wait_ready(600).metrics()
            until("the summary of the first run", sink.taken, 300)
            pid = exporter.process.pid
            first_cpu, first_size = cpu_seconds(pid), os.path.getsize(database)

            def runs():
                return exporter.metrics().one("defender_collector_last_success_timestamp_seconds",
                                              collector="assessments")
            began = runs()
            wal = database + "-wal"
            until("a second collection", lambda: runs() > began, 300, 0.5)
            time.sleep(2)
            written = os.path.getsize(wal) if os.path.exists(wal) else 0
            print(f"{rows} rows, {metrics.sum('defender_findings'):.0f} open, {rules} rules: "
                  f"first run {first_cpu:.2f} s CPU, an unchanged collection and evaluation "
                  f"{cpu_seconds(pid) - first_cpu:.2f} s CPU; "
                  f"peak {memory_kb(pid, 'VmHWM') / 1024:.0f} MiB; "
                  f"database {first_size / 1e6:.0f} MB, log {written / 1e6:.1f} MB")


def kills(count):
    script = os.path.join(HERE, "../integration/alerts_kill.py")
    return subprocess.run([sys.executable, script], check=False,
                          env={**os.environ, "ALERTS_KILLS": str(count)}).returncode


def main():
    command, *rest = sys.argv[1:] or ["latency"]
    numbers = [int(re.sub(r"[_,]", "", word)) for word in rest]
    if command == "latency":
        return 0 if latency(*(numbers + [100000, 40][len(numbers):])) else 1
    if command == "size":
        size(*(numbers + [1000000, 100][len(numbers):]))
    elif command == "kills":
        return kills(numbers[0] if numbers else 1000)
    else:
        sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main())
