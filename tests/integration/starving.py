#!/usr/bin/env python3
"""Nobody starves the scrape: whatever others do, each one is answered, and whole. How long it takes
then is measured by tests/bench/web.py."""
import os
import sqlite3
import threading

from attack import KINDS, RULES, Many, Slow, scrape_often
from harness import (ALL, SECRET, Exporter, Fake, Folder, contains, equal, run, settings, until)
from sink import Sink, receiver
from writes import silence

CONNECTIONS = 1000 if ALL else 600  # more than web.max_connections
REQUESTS = 20000 if ALL else 1000
SCRAPES = 30


class Bench:
    """An exporter with findings and alerts."""

    def __init__(self, **web):
        self.web = web

    def __enter__(self):
        self.folder = Folder().__enter__()
        self.sink = Sink().__enter__()
        self.fake = Fake("--seed", "7", "--subscriptions", "4", "--assessments", "2000").__enter__()
        self.folder.file("rules.yml", RULES)
        config = settings(self.fake.url, self.folder.file("secret", SECRET),
                          {"assessments": {"interval": "1s"}}, web=self.web,
                          alerts={"rules": ["rules.yml"], "ledger": {"first_run": "silent"},
                                  "receivers": [receiver(self.sink)]})
        self.exporter = Exporter(self.folder, config).__enter__().wait_ready()
        self.port = self.exporter.port
        return self

    def __exit__(self, *why):
        self.exporter.__exit__(*why)
        self.fake.__exit__(*why)
        self.sink.__exit__(*why)
        self.folder.__exit__(*why)


def test_slow_peers():
    with Bench(read_timeout="2s", write_timeout="2s") as bench:
        for kind in KINDS:
            with Slow(bench.port, kind, CONNECTIONS) as slow:
                until(f"{kind}: as many connections as it wants",
                      lambda slow=slow: slow.opened >= CONNECTIONS, 60)
                scrape_often(bench.port, SCRAPES)
            equal(bench.exporter.get("/-/healthy").status, 200, f"health after {kind}")


def test_one_address_takes_no_more_than_its_share():
    with Bench(max_connections_per_peer=8) as bench:
        def open_now():
            return bench.exporter.metrics().one("process_open_fds")
        before = open_now()
        with Slow(bench.port, "connect", 64, peers=["127.0.0.9"]) as slow:
            until("all connections", lambda: slow.opened >= 64)
            until("those above the share closed", lambda: slow.opened > 64)
            scrape_often(bench.port, SCRAPES)
            assert open_now() < before + 32, f"{open_now()} files are open, {before} before"


def test_random_requests():
    with Bench() as bench:
        with Many(bench.port, seed=9) as many:
            until("all requests", lambda: scrape_often(bench.port, 1) and many.sent >= REQUESTS,
                  300)


def test_long_answers():
    with Bench() as bench:
        bench.fake.admin("advance?steps=1", "POST")
        until("alerts", lambda: bench.exporter.get("/api/v2/alerts").json(), 60)
        with Many(bench.port, seed=1, threads=6, target="/api/v2/alerts"):
            scrape_often(bench.port, SCRAPES)
        with Many(bench.port, seed=1, threads=30, target="/metrics?collect[]=assessments"):
            scrape_often(bench.port, SCRAPES)


def test_a_locked_database():
    with Bench() as bench:
        path = os.path.join(bench.folder.path, "defender_exporter.db")
        other = sqlite3.connect(path, isolation_level=None, timeout=60)
        other.execute("BEGIN IMMEDIATE")
        try:
            kind = {"Content-Type": "application/json"}
            posts = [threading.Thread(target=bench.exporter.get, args=("/api/v2/silences",),
                                      kwargs={"method": "POST", "body": silence(), "headers": kind})
                     for _ in range(8)]
            for post in posts:
                post.start()
            scrape_often(bench.port, SCRAPES)
            for post in posts:
                post.join()
            answer = bench.exporter.get("/api/v2/silences", method="POST", body=silence(),
                                        headers=kind)
            equal(answer.status, 503, "a silence")
            equal(answer.headers.get("retry-after"), "1", "when to try again")
            contains(answer.text, "locked", "why not")
            equal(bench.exporter.get("/api/v2/silences").status, 200, "silences are read")
        finally:
            other.execute("ROLLBACK")
            other.close()
        equal(bench.exporter.get("/api/v2/silences", method="POST", body=silence(),
                                 headers=kind).status, 200, "a silence after that")


if __name__ == "__main__":
    run(globals())
