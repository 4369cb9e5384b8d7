#!/usr/bin/env python3
"""Under Azure's quota a large collection goes as fast as the quota lets it, without one 429."""
import glob
import time

from harness import SECRET, Exporter, Fake, Folder, collectors, equal, run, settings

ROWS, PAGE, REQUESTS, WINDOW_S = 45000, 1000, 15, 5


def cores_taken(pid):
    """Seconds its threads were ready to run while other programs had the cores."""
    seconds = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path, encoding="ascii") as file:
            seconds += int(file.read().split()[1]) / 1e9
    return seconds


def first_look(ready, more):
    """How long until the exporter is ready, and how often it asked for that, with the quota on."""
    with Folder() as folder, Fake("--seed", "8", "--subscriptions", "5", "--assessments", ROWS,
                                  "--quota", "on") as fake:
        config = settings(fake.url, folder.file("secret", SECRET), more)
        began = time.monotonic()
        with Exporter(folder, config) as exporter:
            metrics = exporter.wait_ready(120).metrics()
            seconds = time.monotonic() - began
            kept_off = cores_taken(exporter.process.pid) + cores_taken(fake.process.pid)
            requests, stats = fake.requests("graph"), fake.admin("stats")
        equal(metrics.one("defender_collector_rows", collector="assessments"), ROWS, "rows")
        equal(stats["throttled"], 0, "429 answers")
        equal(metrics.sum("defender_exporter_azure_throttled_total"), 0, "throttled, as counted")
        # The first window is free: so many requests need so many whole windows after it.
        floor = requests / REQUESTS * WINDOW_S
        print(f"     {ready}: {ROWS} rows, {requests} requests in {seconds:.1f} s; floor "
              f"{floor:.1f} s, ratio {seconds / floor:.2f}, {kept_off:.1f} s without a core")
        limit = floor * 1.3 + kept_off
        equal(seconds <= limit, True, f"{seconds:.1f} s, at most {limit:.1f} s")
        return requests


def test_paced_to_the_quota():
    pages, others = ROWS // PAGE, collectors() - {"subscriptions", "assessments"}
    alone = first_look("recommendations", {name: {"enabled": False} for name in others})
    equal(pages <= alone <= pages + 2, True, f"{alone} requests for {pages} pages")
    first_look("all collectors", {})


run(globals())
