#!/usr/bin/env python3
"""scripts/demo --once ends by itself with metrics on stdout and leaves no process behind."""
import os
import subprocess

from harness import ROOT, Metrics, contains, equal, run


def test_once():
    result = subprocess.run([os.path.join(ROOT, "scripts/demo"), "--once"], text=True,
                            stdin=subprocess.DEVNULL, capture_output=True, check=False,
                            timeout=500)
    equal(result.returncode, 0, "exit status: " + result.stderr[-3000:])
    metrics = Metrics(result.stdout)
    for name in ("defender_findings", "defender_secure_score_points", "defender_control_points",
                 "defender_baseline_machines", "defender_baseline_rule_failing_machines"):
        equal(metrics.sum(name) > 0, True, name)
    for _, value in metrics.all("defender_scrape_collector_success"):
        equal(value, 1, "success of every collector")
    contains(result.stdout, "# HELP defender_findings ", "HELP")


run(globals())
