#!/usr/bin/env python3
"""What a good scrape costs while others want to starve it. Not part of ctest: run it on a quiet
machine, with a release build. What attacks has a processor of its own, where there are two: what a
scrape waits for is the exporter, not the attacker's work.

  tests/bench/web.py [ROWS] [SCRAPES]   p99 of a scrape in peace and under each attack, and memory
                                        after it; slowhttptest and wrk as well, where installed
  tests/bench/web.py alerts [ALERTS] [SILENCES] [SCRAPES]
                                        CPU and memory of one /api/v2/alerts, beside what the
                                        exporter costs a second anyway, and p99 of a scrape while
                                        two ask for it in a loop
"""
import collections
import contextlib
import datetime
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))
from figures import figure  # noqa: E402
from attack import KINDS, RULES, Many, allow_files, scrape_often  # noqa: E402
from harness import SECRET, Exporter, Fake, Folder, memory_kb, settings, until  # noqa: E402
from sink import Sink, receiver  # noqa: E402

CONNECTIONS = 1000
DATABASE = "defender_exporter.db"
PAUSE = 0.01
P99_TIMES, MEMORY_TIMES = 2, 1.1
UNBOUNDED = ("slow ", "wrk")  # attacks that come again at once, faster than anybody does
ATTACKERS, OURS = 0, 1  # processors


def p99(times):
    return times[int(len(times) * 0.99) - 1]


def stay(*processors):
    """This process and what it starts run there only."""
    if os.cpu_count() > 1:
        os.sched_setaffinity(0, processors)


class Tool:
    """Another program that attacks, while the block lasts."""

    def __init__(self, *command):
        self.command = command

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        preexec_fn=lambda: stay(ATTACKERS))
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()


class Lock:
    """Nobody else writes to the database, while the block lasts."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.database = sqlite3.connect(self.path, isolation_level=None)
        self.database.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, *unused):
        self.database.close()


def script(port, kind, count):
    return lambda: Tool(sys.executable, os.path.join(HERE, "../integration/attack.py"),
                        str(port), kind, str(count))


def attacks(url, port, database):
    for kind in KINDS:
        yield f"slow {kind}", script(port, kind, CONNECTIONS)
    yield "random requests", script(port, "random", 8)
    yield "a locked database", lambda: Lock(database)
    if shutil.which("slowhttptest"):
        many = ("-c", str(CONNECTIONS), "-r", str(CONNECTIONS), "-l", "600")
        for name, kind in (("headers", "-H"), ("body", "-B"), ("read", "-X")):
            yield f"slowhttptest {name}", lambda kind=kind: Tool(
                "slowhttptest", kind, *many, "-u", url + "/metrics")
    if shutil.which("wrk"):
        yield "wrk", lambda: Tool("wrk", "-t", "2", "-c", "30", "-d", "600s", url + "/metrics")


def seconds_until_small(pid, most, seconds=60):
    began = time.monotonic()
    while memory_kb(pid, "VmRSS") > most and time.monotonic() - began < seconds:
        time.sleep(0.2)
    return time.monotonic() - began


class Peace:
    """An exporter in peace: p99 of its scrapes, memory and files."""

    def __init__(self, exporter, scrapes):
        self.exporter, self.pid, self.scrapes = exporter, exporter.process.pid, scrapes
        scrape_often(exporter.port, scrapes, PAUSE)
        self.files = exporter.metrics().one("process_open_fds") + 16
        self.p99 = p99(scrape_often(exporter.port, scrapes, PAUSE))
        self.memory = memory_kb(self.pid, "VmRSS")
        print(f"in peace: p99 {self.p99:.1f} ms, {self.memory / 1024:.0f} MiB")

    def under(self, name, attack):
        """What scrapes cost while somebody attacks, and memory after it."""
        with attack():
            time.sleep(1)  # it has begun
            times = scrape_often(self.exporter.port, self.scrapes, PAUSE)
            held = memory_kb(self.pid, "VmRSS")
        until("the end of it", lambda: self.exporter.metrics().one("process_open_fds") < self.files,
              200, 0.2)
        waited = seconds_until_small(self.pid, self.memory * 1.1)
        print(f"{name}: p99 {p99(times):.1f} ms, {held / 1024:.0f} MiB, small {waited:.0f} s after")
        times_more = figure(f"p99 of a scrape during: {name}", p99(times) / self.p99, "x",
                            None if name.startswith(UNBOUNDED) else P99_TIMES)
        return figure(f"memory after: {name}", memory_kb(self.pid, "VmRSS") / self.memory, "x",
                      MEMORY_TIMES) and times_more


def starve(rows, scrapes):
    allow_files()
    stay(OURS)
    with Folder() as folder, Sink() as sink, Fake(
            "--seed", "1", "--subscriptions", "20", "--assessments", rows) as fake:
        folder.file("rules.yml", RULES)
        config = settings(fake.url, folder.file("secret", SECRET), alerts={
            "rules": ["rules.yml"], "ledger": {"first_run": "silent"},
            "receivers": [receiver(sink)]})
        with Exporter(folder, config) as exporter:
            exporter.wait_ready(300)
            peace = Peace(exporter, scrapes)
            return all([peace.under(name, attack) for name, attack in attacks(
                exporter.url, exporter.port, os.path.join(folder.path, DATABASE))])


def put_silences(exporter, count):
    now = datetime.datetime.now(datetime.timezone.utc)
    for number in range(count):
        body = json.dumps({
            "matchers": [{"name": "resource_name", "value": f"no such {number}", "isRegex": False}],
            "startsAt": now.isoformat(), "createdBy": "bench", "comment": "why",
            "endsAt": (now + datetime.timedelta(days=1)).isoformat()})
        until("a silence", lambda body=body: exporter.get(
            "/api/v2/silences", method="POST", body=body,
            headers={"Content-Type": "application/json"}).status == 200, 120, 0.5)


def thread_seconds(pid):
    """CPU of each thread by its name, to the nanosecond."""
    seconds = collections.Counter()
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as file:
                name = file.read().strip()
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
                seconds[name] += int(file.read().split()[0]) / 1e9
    return seconds


def idle_rates(pid, seconds=20):
    """CPU a second of each thread while nobody asks."""
    before = thread_seconds(pid)
    time.sleep(seconds)
    after = thread_seconds(pid)
    return {name: (after[name] - before[name]) / seconds for name in after}


class Cost:
    """What the block costs, of it what the exporter does not spend anyway, and where."""

    def __init__(self, pid, idle):
        self.pid, self.idle = pid, idle

    def __enter__(self):
        self.began, self.before = time.monotonic(), thread_seconds(self.pid)
        return self

    def __exit__(self, *unused):
        after, seconds = thread_seconds(self.pid), time.monotonic() - self.began
        spent = {name: after[name] - self.before[name] for name in after}
        self.gross = sum(spent.values())
        self.threads = {name: max(0, spent[name] - self.idle.get(name, 0) * seconds)
                        for name in spent}
        self.net = sum(self.threads.values())

    def text(self):
        most = sorted(self.threads.items(), key=lambda item: -item[1])[:3]
        where = ", ".join(f"{name} {seconds:.3f}" for name, seconds in most)
        return (f"{self.gross:.3f} s CPU, {self.net:.3f} s of it its own ({where}; idle "
                f"{sum(self.idle.values()):.3f} s/s)")


def list_alerts(alerts, silences, scrapes):
    stay(OURS)
    with Folder() as folder, Sink() as sink, Fake(
            "--seed", "1", "--subscriptions", "20", "--assessments", 5 * alerts) as fake:
        folder.file("rules.yml", RULES)
        config = settings(fake.url, folder.file("secret", SECRET), alerts={
            "rules": ["rules.yml"], "ledger": {"first_run": "all"},
            "receivers": [receiver(sink)], "governor": {"messages": 0}})
        with Exporter(folder, config) as exporter:
            exporter.wait_ready(300)
            pid = exporter.process.pid
            put_silences(exporter, silences)
            exporter.get("/api/v2/alerts?filter=a%3D%22b%22")
            peak = memory_kb(pid, "VmHWM")
            idle = idle_rates(pid)
            costs = []
            for _ in range(3):
                memory = memory_kb(pid, "VmRSS")
                with Cost(pid, idle) as cost:
                    answer = exporter.get("/api/v2/alerts", seconds=300)
                print(f"{len(answer.json())} alerts, {silences} silences, "
                      f"{len(answer.body) / 1e6:.1f} MB: {cost.text()}, "
                      f"{(memory_kb(pid, 'VmRSS') - memory) / 1024:.0f} MiB more, peak "
                      f"{(memory_kb(pid, 'VmHWM') - peak) / 1024:.0f} MiB higher")
                costs.append((cost.net, (memory_kb(pid, "VmRSS") - memory) / 1024))
            what = f"/api/v2/alerts, {alerts} alerts, {silences} silences"
            return all([
                figure(f"{what}: CPU, the best of 3", min(cpu for cpu, _ in costs), "s", 0.3),
                figure(f"{what}: memory, the most of 3", max(mib for _, mib in costs), "MiB", 8),
                Peace(exporter, scrapes).under("alerts in a loop",
                                               script(exporter.port, "/api/v2/alerts", 2))])


def main():
    listing = sys.argv[1:2] == ["alerts"]
    numbers = [int(word) for word in sys.argv[2 if listing else 1:]]
    well = (list_alerts(*(numbers + [50000, 1000, 300][len(numbers):])) if listing
            else starve(*(numbers + [20000, 300][len(numbers):])))
    sys.exit(not well)


if __name__ == "__main__":
    main()
