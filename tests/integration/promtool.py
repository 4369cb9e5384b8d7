#!/usr/bin/env python3
"""Prometheus's own tools accept what is served, and Prometheus itself scrapes it."""
import os
import re
import shutil
import subprocess

from harness import (SECRET, Exporter, Fake, Folder, Program, Skip, documents, equal, fetch,
                     free_port, run, settings, until)


def tool(name):
    found = shutil.which(name)
    if not found:
        raise Skip(f"no {name} on this machine")
    return found


def check(text, what):
    result = subprocess.run([tool("promtool"), "check", "metrics"], input=text, text=True,
                            capture_output=True, check=False)
    equal((result.returncode, result.stdout + result.stderr), (0, ""), f"promtool on {what}")


def test_expositions_of_generated_tenants():
    tool("promtool")
    for seed, arguments, ready in ((1, (), True), (2, ("--fault", "hang"), False),
                                   (3, ("--empty",), False), (4, ("--fault", "500"), False)):
        with Folder() as folder, Fake("--seed", seed, "--subscriptions", "3",
                                      "--assessments", "2000", *arguments) as fake:
            config = settings(fake.url, folder.file("secret", SECRET))
            with Exporter(folder, config) as exporter:
                exporter.wait_answering()
                check(exporter.metrics().text, f"seed {seed} at start")
                if ready:
                    exporter.wait_ready()
                    check(exporter.metrics().text, f"seed {seed} when ready")
                    check(exporter.metrics("?collect[]=assessments").text, "collect[]")


def test_queries_in_documents():
    """Each is one line and the indented ones after it."""
    queries = []
    for text in documents().values():
        for block in re.findall(r"```promql\n(.*?)```", text, re.S):
            block = re.sub(r"^#.*\n", "", block, flags=re.M)
            queries += re.findall(r"^\S.*(?:\n .*)*", block, re.M)
    assert len(queries) > 10, queries
    rules = [{"record": f"query_{i}", "expr": query} for i, query in enumerate(queries)]
    with Folder() as folder:
        file = folder.file("rules.yml", {"groups": [{"name": "documents", "rules": rules}]})
        done = subprocess.run([tool("promtool"), "check", "rules", file], text=True,
                              capture_output=True, check=False)
        equal((done.returncode, done.stderr), (0, ""), done.stdout)


def test_prometheus_scrapes_it():
    with Folder() as folder, Fake("--seed", "4", "--subscriptions", "3",
                                  "--assessments", "2000") as fake:
        config = settings(fake.url, folder.file("secret", SECRET))
        with Exporter(folder, config) as exporter:
            metrics = exporter.wait_ready().metrics()
            port = free_port()
            prometheus = folder.file("prometheus.yml", {
                "global": {"scrape_interval": "5s", "scrape_timeout": "5s"},
                "scrape_configs": [{"job_name": "defender", "static_configs": [
                    {"targets": [f"127.0.0.1:{exporter.port}"]}]}]})
            with Program([tool("prometheus"), f"--config.file={prometheus}",
                          f"--web.listen-address=127.0.0.1:{port}",
                          "--storage.tsdb.path=" + os.path.join(folder.path, "data")]):
                url = f"http://127.0.0.1:{port}/api/v1/"
                until("Prometheus has scraped", lambda: health(url) == "up", 60,
                      told=lambda: health(url))

                def query(expression):
                    answer = fetch(url + "query?query=" + expression).json()
                    return answer["data"]["result"]
                up = until("up in Prometheus", lambda: query("up"))
                equal(up[0]["value"][1], "1", "up")
                stored = until("findings in Prometheus", lambda: query("sum(defender_findings)"))
                equal(float(stored[0]["value"][1]), metrics.sum("defender_findings"),
                      "findings in Prometheus")

                def all_stored():
                    stored = query("scrape_samples_post_metric_relabeling")
                    served = sum(map(len, exporter.metrics().samples.values()))
                    return stored and float(stored[0]["value"][1]) == served
                until("as many series stored as served", all_stored)


def health(url):
    try:
        answer = fetch(url + "targets")
    except OSError:
        return "starting"
    targets = answer.json()["data"]["activeTargets"] if answer.status == 200 else []
    return targets[0]["lastError"] or targets[0]["health"] if targets else "unknown"


if __name__ == "__main__":
    run(globals())
