#!/usr/bin/env python3
"""A month of a lively tenant in three quarters of an hour: does anything grow? Not part of ctest.

  tests/bench/soak.py [DAYS] [WARM] [--keep FILE] [--plant WORD=EVERY]

The exporter, the stand-in and a receiver are programs of their own. Clocks that tell how late it
is run a thousand times as fast (tests/integration/wall_clock.c), those by which programs wait do
not: a collector's interval is divided by a thousand and is a second at least, requests take what
they take. DAYS (30) are simulated ones of 86 s, WARM (10) of them are not judged; history and
accepted messages are kept for less than these.

Meanwhile findings come and go, Azure and the receiver fail by turns, somebody makes silences,
reloads and clicks through the pages, and Prometheus scrapes. At the end the exporter knows what is
open, and a line through its memory, descriptors, threads, database and log is flat (soak_judge.py).

--keep: what was measured, as CSV. --plant free=N or close=N: every Nth call of the exporter is
forgotten; the run has to fail.
"""
import argparse
import csv
import datetime
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))
from alerts_model import Model, open_in_ledger, query  # noqa: E402
from harness import (EXPORTER, SECRET, Exporter, Fake, Folder, memory_kb,  # noqa: E402
                     settings, until)
from serving import Quiet, Serving  # noqa: E402
from soak_judge import judge  # noqa: E402

PACE = 1000
DAY = 86400 / PACE  # in seconds of ours
MEASURE = 3
BUILD = os.path.dirname(os.path.abspath(EXPORTER))
CLOCK = os.path.join(BUILD, "tests/integration/libwall_clock.so")
FORGETFUL = os.path.join(BUILD, "tests/integration/libforgetful.so")
DATABASE = ("defender_exporter.db", "defender_exporter.db-wal")

# Each is there for a while once a day.
FAULTS = ("429:retry_after=1", "500", "empty-5xx:status=502", "cut", "invalid-json", "wrong-types",
          "hang", "repeat-token", "truncated", "total-drift", "shift", "empty", "partial",
          "403:sub=0", "gap:sub=1", "denied-all", "odd:body=twice", "expired-token", "huge",
          "redirect", "deep", "foreign-nextlink")
RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened, finding.risk_changed]
  - alert: Late
    event: [finding.overdue]
  - alert: Data
    event: [data.stale]
  - alert: Score
    metric: defender_secure_score_ratio
    below: 0.5
    for: 1h
"""
ACCEPTS = ("text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0",
           "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
           "encoding=delimited", "text/plain;version=1.0.0;escaping=allow-utf-8")


class Receiver(Serving):
    """Takes most of what it is sent and keeps none of it."""

    def __init__(self):
        self.taken, self.refused, dice = 0, 0, random.Random(1)
        receiver = self

        class Handler(Quiet):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.read_body()
                roll = dice.random()
                well = roll >= 0.01
                receiver.taken += well
                receiver.refused += not well
                if roll < 0.003:
                    self.close_connection = True
                    return
                self.answer_json(b"", 200 if well else 503)

            do_GET = do_POST

        super().__init__(Handler)


class Clock:
    """The time of the simulation."""

    def __init__(self):
        self.began = int(time.time())
        self.environment = {"LD_PRELOAD": CLOCK, "WALL_CLOCK_PACE": str(PACE),
                            "WALL_CLOCK_FROM": str(self.began)}

    def days(self):
        return (time.time() - self.began) / DAY

    def now(self):
        return self.began + (time.time() - self.began) * PACE

    def instant(self, hours=0):
        return datetime.datetime.fromtimestamp(self.now() + hours * 3600,
                                               datetime.timezone.utc).isoformat()


def intervals():
    """Every collector, so often in our time as it is by default in its own."""
    text = subprocess.run([EXPORTER, "config"], capture_output=True, text=True, check=True).stdout
    text = re.split(r"\n(?=[a-z])", text[text.index("\ncollectors:") + 1:])[0]
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    found = re.findall(r"\n  ([a-z_]+):\n(?:    .*\n|\n)*?    interval: (\d+)([smhd])\n", text)
    return {name: {"enabled": True, "timeout": "5s",
                   "interval": f"{max(1, round(int(count) * seconds[unit] / PACE))}s"}
            for name, count, unit in found}


def configuration(folder, fake, receiver, generation):
    hook = {"http": {"allow_private": True}}
    folder.file("rules.yml", RULES)
    config = settings(fake.url, folder.file("secret", SECRET), intervals(), alerts={
        "rules": ["rules.yml"], "tags": ["team"], "governance_owner": True,
        "receivers": [
            {"name": "team", "webhook": {"url": receiver.url + "/hook", **hook}},
            {"name": "chat", "slack": {"url": receiver.url + "/chat", **hook}},
            {"name": "am", "alertmanager": {"urls": [receiver.url], **hook}}],
        "route": {"receiver": "team", "routes": [
            {"receiver": "am", "matchers": ['alertname="Score"'], "continue": True},
            {"receiver": "chat", "matchers": ['risk_level=~"critical|high"'], "continue": True}]},
        "governor": {"messages": 20 + generation % 2},
        "ledger": {"keep_history": "7d"}, "keep_sent": "3d", "audit": {"receiver": "chat"},
        "reports": [{"name": "daily", "receivers": ["team"], "schedule": {"time": "08:00"},
                     "since": "1d"}],
        "heartbeat": {"url": receiver.url + "/beat", "interval": "1m", "allow_private": True}})
    config["collector"]["max_staleness"] = "3d"
    config["otlp"] = {"endpoint": receiver.url, "metrics": {"interval": "1s"}}
    return config


class Life:
    """What goes on around the exporter, each on a thread of its own until the end."""

    def __init__(self, clock, folder, fake, receiver, exporter):
        self.clock, self.folder, self.fake, self.exporter = clock, folder, fake, exporter
        self.receiver, self.calm, self.ended = receiver, False, False
        self.counts = {name: 0 for name in ("scrapes", "pages", "api", "refused", "silences",
                                            "reloads", "faults")}
        self.broken = []
        self.threads = [threading.Thread(target=self.go_on, args=(what, pause), daemon=True)
                        for what, pause in ((self.evolve(), 2), (self.fail(), 0),
                                            (self.scrape(), 0.06), (self.click(), 0.1),
                                            (self.ask(), 0.2), (self.act(), DAY / 8))]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self.ended = True
        for thread in self.threads:
            thread.join()

    def go_on(self, steps, pause):
        try:
            while not self.ended:
                next(steps)
                time.sleep(pause)
        except Exception as error:  # whatever it is, the run failed
            self.broken.append(repr(error))

    def get(self, what, path, **more):
        answer = self.exporter.get(path, **more)
        self.counts[what] += 1
        if answer.status in (429, 503):
            self.counts["refused"] += 1
        elif answer.status not in (200, 404):  # what a page told of may be over
            raise AssertionError(f"{path}: {answer.status} {answer.text[:200]}")
        return answer

    def evolve(self):
        while True:
            if not self.calm:
                self.fake.admin("advance?steps=1", "POST")
            yield

    def fail(self):
        length = DAY / len(FAULTS)
        for fault in itertools.cycle(FAULTS):
            if not self.calm:
                self.fake.fault(fault)
                self.counts["faults"] += 1
            time.sleep(length / 3)
            self.fake.heal()
            time.sleep(length * 2 / 3)
            yield

    def scrape(self):
        for number in itertools.count():
            self.get("scrapes", "/metrics", headers={
                "Accept": ACCEPTS[number % len(ACCEPTS)],
                "Accept-Encoding": ("gzip", "identity")[number // 4 % 2]})
            yield

    def click(self):
        """Somebody who follows one link and then another."""
        dice, path = random.Random(2), "/"
        while True:
            page = self.get("pages", path).text
            links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"#]*)', page)
                     if "format=" not in link and not link.startswith("/metrics")]
            path = dice.choice(links) if links and dice.random() < 0.9 else "/"
            yield

    def ask(self):
        document = self.exporter.get("/api/v1/openapi.json").json()
        paths = [path for path in document["paths"]
                 if "{" not in path and not path.endswith("/gain")]  # of what, has to be said
        for path in itertools.cycle(paths + ["/api/v2/alerts", "/api/v2/status", "/api/v2/silences",
                                             "/api/v1/findings?format=csv", "/-/ready"]):
            self.get("api", path)
            yield

    def silence(self, comment):
        """Whether it was made; a database that is written to for long says so."""
        silence = {"matchers": [{"name": "risk_level", "value": "low", "isRegex": False,
                                 "isEqual": True}], "createdBy": "soak", "comment": comment,
                   "startsAt": self.clock.instant(), "endsAt": self.clock.instant(2)}
        made = self.exporter.get("/api/v2/silences", method="POST", body=json.dumps(silence),
                                 headers={"Content-Type": "application/json"})
        if made.status not in (200, 503):
            raise AssertionError(f"a silence: {made.status} {made.text}")
        self.counts["silences" if made.status == 200 else "refused"] += 1
        return made.status == 200

    def act(self):
        """Silences and reloads."""
        for number in itertools.count(1):
            while not self.silence(f"number {number}"):
                time.sleep(1)
            if number % 8 == 0:
                self.folder.file("defender_exporter.yml", configuration(
                    self.folder, self.fake, self.receiver, number // 8))
                self.exporter.send(signal.SIGHUP)
                self.counts["reloads"] += 1
            yield


def measure(exporter, folder):
    pid = exporter.process.pid
    sizes = [os.path.getsize(path) for name in DATABASE
             if os.path.exists(path := os.path.join(folder.path, name))]
    return {"resident memory": memory_kb(pid), "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
            "threads": len(os.listdir(f"/proc/{pid}/task")), "database": used_kb(folder),
            "its files": sum(sizes) / 1024,
            "log a day": os.path.getsize(exporter.output.name) / 1024}


def used_kb(folder):
    """Pages of the database that hold something."""
    [(pages, free, size)] = query(folder, "SELECT page_count, freelist_count, page_size FROM"
                                          " pragma_page_count, pragma_freelist_count,"
                                          " pragma_page_size")
    return (pages - free) * size / 1024


def watch(clock, life, days, keep):
    """{what: [(day, value)]}, until the days are over."""
    samples = {}
    with open(keep or os.devnull, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        while clock.days() < days:
            if life.broken or not life.exporter.alive:
                raise AssertionError(f"day {clock.days():.1f}: {life.broken or life.exporter.log}")
            now, values = clock.days(), measure(life.exporter, life.folder)
            if not samples:
                table.writerow(["day", *values])
            table.writerow([f"{now:.3f}", *values.values()])
            file.flush()
            for name, value in values.items():
                samples.setdefault(name, []).append((now, value))
            time.sleep(MEASURE)
    return samples


def told(clock, life):
    """What there was, in a line."""
    stats, metrics = life.fake.admin("stats"), life.exporter.metrics()
    levels = {level: life.exporter.log.count("level=" + level)
              for level in ("INFO", "WARN", "ERROR")}
    print(f"{clock.days():.1f} days, "
          f"{len(life.fake.admin('history'))} changes, "
          f"{sum(e['requests'] for e in stats['endpoints'].values())} requests to Azure, "
          f"{metrics.sum('defender_exporter_rule_evaluations_total'):.0f} evaluations, "
          f"{life.receiver.taken} accepted, {life.receiver.refused} not; "
          + ", ".join(f"{count} {name}" for name, count in life.counts.items())
          + f"; lines of the log {levels}", flush=True)


def soak(days, warm, keep, planted):
    clock = Clock()
    environment = dict(clock.environment)
    if planted:
        environment["LD_PRELOAD"] += ":" + FORGETFUL
        environment["FORGET_" + planted.split("=")[0].upper()] = planted.split("=")[1]
    with Folder() as folder, Receiver() as receiver, Fake(
            "--provable", "--seed", "3", "--subscriptions", "4", "--assessments", "900",
            "--quota-requests", "200", environment=clock.environment) as fake:
        model = Model(fake.admin("dump"))
        with Exporter(folder, configuration(folder, fake, receiver, 0),
                      environment=environment) as exporter:
            exporter.wait_ready()
            with Life(clock, folder, fake, receiver, exporter) as life:
                samples = watch(clock, life, days, keep)
                life.calm, over = True, clock.now()
                model.advance(fake.admin("history"))
                until("what is open to be known",
                      lambda: open_in_ledger(folder) == model.open_ids(), 120, 0.5,
                      lambda: f"{open_in_ledger(folder) ^ model.open_ids()}")
                until("what waited to be delivered", lambda: not query(
                    folder, "SELECT id FROM outbox_message WHERE state = 'queued'"
                            f" AND created_at < {over}"), 120, 0.5)
                told(clock, life)
            flat = judge(samples, warm)
            if life.broken:
                raise AssertionError(life.broken)
    return flat


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("days", type=float, nargs="?", default=30)
    parser.add_argument("warm", type=float, nargs="?", default=10)
    parser.add_argument("--keep")
    parser.add_argument("--plant")
    arguments = parser.parse_args()
    return int(not soak(arguments.days, arguments.warm, arguments.keep, arguments.plant))


if __name__ == "__main__":
    sys.exit(main())
