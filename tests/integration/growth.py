#!/usr/bin/env python3
"""A thousand collections leave the program as large as two hundred did."""
import os

from harness import SECRET, Exporter, Fake, Folder, equal, memory_kb, run, settings

COLLECTIONS = int(os.environ.get("GROWTH_COLLECTIONS", "1000"))


def collections_of(metrics):
    return metrics.sum("defender_exporter_azure_requests_total", api="graph")


def test_no_growth():
    with Folder() as folder, Fake("--seed", "5", "--subscriptions", "2", "--assessments", "500",
                                  "--evolve", "0.05") as fake:
        often = {"interval": "10ms"}
        config = settings(fake.url, folder.file("secret", SECRET),
                          {name: often for name in ("assessments", "secure_scores", "baselines")})
        with Exporter(folder, config, "--log.level=warn") as exporter:
            exporter.wait_ready()
            pid = exporter.process.pid
            assessments = one_run(exporter)
            exporter.wait_metric("the first fifth", lambda m: collections_of(m) >=
                                 assessments * COLLECTIONS / 5, 300)
            early, descriptors = memory_kb(pid), count_descriptors(pid)
            metrics = exporter.wait_metric("all collections", lambda m: collections_of(m) >=
                                           assessments * COLLECTIONS, 600)
            late = memory_kb(pid)
            print(f"     {collections_of(metrics):.0f} requests, {early} kB, then {late} kB")
            equal(late <= early * 1.05 + 512, True, f"memory grew from {early} to {late} kB")
            equal(abs(count_descriptors(pid) - descriptors) <= 4, True,
                  f"descriptors: {descriptors}, then {count_descriptors(pid)}")


def one_run(exporter):
    """Resource Graph requests that one round of the collectors needs, at least."""
    return max(1, len(exporter.metrics().all("defender_collector_rows")) - 2)


def count_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


run(globals())
