#!/usr/bin/env python3
"""A thousand collections of a tenant that changes leave the program as large as two hundred did."""
import os

from harness import ALL, SECRET, Exporter, Fake, Folder, equal, memory_kb, run, settings, until

COLLECTIONS = int(os.environ.get("GROWTH_COLLECTIONS", "5000" if ALL else "1000"))
# The allocator has ups and downs of its own, and the database's page cache fills (2 MiB); a row or
# body lost in every collection would be far more.
SLACK, CACHE_KB = 1.1, 2048


def test_no_growth():
    often, lists = {"interval": "1s"}, {"interval": "1s", "source": "rest"}
    collectors = {"subscriptions": lists, "catalogue": often, "assessments": lists,
                  "secure_scores": lists, "baselines": {"interval": "5s"}}
    with Folder() as folder, Fake("--seed", "5", "--subscriptions", "2", "--assessments", "600",
                                  "--evolve", "1") as fake:
        config = settings(fake.url, folder.file("secret", SECRET), collectors)
        with Exporter(folder, config, "--log.level=debug", "--debug") as exporter:
            exporter.wait_ready()
            early = after(exporter, COLLECTIONS // 5)
            late = after(exporter, COLLECTIONS)
            print(f"     after {COLLECTIONS // 5} and {COLLECTIONS} collections: "
                  f"{early[0]} and {late[0]} kB, {early[1]} and {late[1]} descriptors")
            equal(late[0] <= early[0] * SLACK + CACHE_KB, True,
                  f"memory: {early[0]} and {late[0]} kB")
            equal(late[1] <= early[1] + 2, True, f"descriptors: {early[1]} and {late[1]}")


def after(exporter, collections):
    """Resident memory and open descriptors once there have been so many collections."""
    until(f"{collections} collections",
          lambda: exporter.log.count("msg=collected") >= collections, collections, 0.5)
    for _ in range(50):  # scrapes, plain and compressed, are part of a life
        exporter.metrics()
        exporter.get("/metrics", headers={"Accept-Encoding": "gzip"})
    pid = exporter.process.pid
    return memory_kb(pid), len(os.listdir(f"/proc/{pid}/fd"))


run(globals())
