#!/usr/bin/env python3
"""scripts/demo shows metrics, ends when told to, and leaves no process behind."""
import os
import re
import shutil
import signal
import subprocess

from alertmanager import TEMPLATE
from harness import (ROOT, SLOWNESS, Metrics, Program, Skip, contains, equal, fetch, run,
                     until)

DEMO = os.path.join(ROOT, "scripts/demo")


def check(metrics):
    for name in ("defender_findings", "defender_secure_score_points", "defender_control_points",
                 "defender_baseline_machines", "defender_baseline_rule_failing_machines"):
        equal(metrics.sum(name) > 0, True, name)
    for labels, value in metrics.all("defender_scrape_collector_success"):
        equal(value, 1, f"success of {labels}")


def test_once():
    result = subprocess.run([DEMO, "--once"], text=True, stdin=subprocess.DEVNULL,
                            capture_output=True, check=False, timeout=500 * SLOWNESS)
    equal(result.returncode, 0, "exit status: " + result.stderr[-3000:])
    contains(result.stdout, "# HELP defender_findings ", "stdout")
    check(Metrics(result.stdout))
    for part in ("How to fix it", "In the portal", "https://portal.azure.com/",
                 "defender_exporter silence add"):
        contains(result.stderr, part, "the first page")


def refuses(url):
    try:
        fetch(url)
    except OSError:
        return True
    return False


def test_until_interrupted():
    with Program([DEMO]) as demo:
        demo.wait_for("Ctrl-C stops all", 300)
        url = re.search(r"(http://\S+)/metrics", demo.log).group(1)
        azure = re.search(r"every 10 seconds \((http://\S+)\)", demo.log).group(1)
        contains(fetch(url + "/").text, "<h1>Overview</h1>", "first page")
        contains(fetch(url + "/status").text, "secure_scores", "status page")
        check(Metrics(fetch(url + "/metrics").text))
        equal(demo.stop(signal.SIGINT), 0, "exit status after Ctrl-C")
        until("the exporter is gone", lambda: refuses(url + "/"))
        until("the stand-in is gone", lambda: refuses(azure + "/"))


def test_full():
    if not shutil.which("prometheus") or not os.path.exists(TEMPLATE):
        raise Skip("prometheus and prometheus-alertmanager are not installed")
    with Program([DEMO, "--full"]) as demo:
        demo.wait_for("Ctrl-C stops all", 300)
        prometheus = re.search(r"(http://\S+)/classic/alerts +Prometheus", demo.log).group(1)
        alertmanager = re.search(r"url=(http://\S+) alert query +what Alertm", demo.log).group(1)
        equal(fetch(prometheus + "/classic/alerts").status, 200, "page of alerts")
        rules = fetch(prometheus + "/api/v1/rules").json()["data"]["groups"]
        equal([group["name"] for group in rules],
              ["defender-exporter", "defender-findings", "defender-records"], "groups of rules")
        demo.wait_for(r"\[Prometheus\] firing: DefenderHeartbeat", 120)
        equal(demo.stop(signal.SIGINT), 0, "exit status after Ctrl-C")
        for url in (prometheus, alertmanager):
            until(url + " is gone", lambda url=url: refuses(url + "/"))


run(globals())
