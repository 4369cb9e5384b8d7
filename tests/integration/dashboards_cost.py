#!/usr/bin/env python3
"""What boards and rules ask of Prometheus is cheap: samples by its own count, over 30 days of 50
subscriptions with a sample each 15 minutes."""
import os
import re
import subprocess
import time

from dashboards import remembered_blocks, tool, world
from grafana import Query, dashboards, named, queries, replaced
from harness import Exporter, Folder, equal, run
from rules import mixin, rules_of

# Queries over time are asked over SHARE of the 30 days, each of which costs the same; the days
# before are those that they look back on.
DAYS, SHARE, BEFORE, STEP = 30, 5, 7, 900
# The span of a block that promtool makes of a file in one go.
BLOCK = 54 * 3600
AT_ONCE, OVER_TIME = 5_000_000, 50_000_000
# What Grafana puts for its own variables then: four samples, and all there is.
OWN = {"__rate_interval": "1h", "__interval": "15m", "__range": "30d"}
UNITS = {"m": 60, "h": 3600, "d": 86400}


def asked():
    """Queries of boards, and of rules, which ask at one instant."""
    groups = [mixin(field) for field in ("prometheusRules", "prometheusAlerts")]
    rules = [Query("rules", rule.get("alert") or rule["record"], rule["expr"], True, None)
             for group in groups for rule in rules_of(group)]
    return rules + [query for name, board in dashboards().items()
                    for query in queries(name, board)]


def metrics(query):
    return {metric for metric, _ in named(query.expr)[0]}


def series(folder, every):
    """{metric: [series]} of what they name, as 50 subscriptions have it. A value of a label that
    no query names is a short one."""
    words = " ".join(query.expr for query in every)
    wanted = set().union(*map(metrics, every))
    short = {}

    def brief(found):
        word = found.group(1)
        return f'="{word if word in words else short.setdefault(word, len(short))}"'
    fake, config = world(folder, {}, subscriptions=50)
    with fake, Exporter(folder, config) as exporter:
        lines = exporter.wait_ready().metrics().text.splitlines()
    found = {}
    for line in lines:
        sample = re.match(r"(\w+)(?:\{(.*)\})? ", line)
        if sample and sample.group(1) in wanted:
            labels = re.sub(r'="((?:\\.|[^"\\])*)"', brief, sample.group(2) or "")
            labels = ",".join(filter(None, ['job="defender",instance="a"', labels]))
            found.setdefault(sample.group(1), []).append(f"{sample.group(1)}{{{labels}}} 1 ")
    return found


def remember(folder, found, end):
    """Blocks of all series, a file for each: promtool reads a file once per block."""
    begin = end - (SHARE + BEFORE) * 86400
    for block in range(begin // BLOCK * BLOCK, end + 1, BLOCK):
        steps = range(max(block, begin), min(block + BLOCK, end + 1), STEP)
        text = folder.file("past.txt", "".join(
            "".join([f"{one}{at}\n" for at in steps])
            for metric in found.values() for one in metric) + "# EOF\n")
        subprocess.run([tool("promtool"), "tsdb", "create-blocks-from", "openmetrics",
                        f"--max-block-duration={BLOCK // 3600}h", text,
                        os.path.join(folder.path, "data")], check=True, capture_output=True)


def seconds(span):
    return int(span[:-1]) * UNITS[span[-1]]


def cost(prometheus, query, end):
    """Samples of a query when all is chosen: of one over time, of the whole 30 days."""
    board = dashboards().get(query.board, {"templating": {"list": []}})
    every = {v["name"]: v["allValue"] for v in board["templating"]["list"] if "allValue" in v}
    expr = replaced(query.expr, {**every, **OWN})
    if query.at_once:
        prometheus.instant(expr, time=end)
        return prometheus.samples
    step = max(STEP, seconds(query.step or "15m"))
    prometheus.range(expr, end - SHARE * 86400, end - 1, step)
    return prometheus.samples * DAYS // SHARE


def test_queries_are_cheap():
    tool("prometheus")
    end = int(time.time()) // 86400 * 86400
    every = asked()
    with Folder() as folder:
        found = series(folder, every)
        assert sum(map(len, found.values())) > 4000, "more series than are asked for"
        remember(folder, found, end)
        program, prometheus = remembered_blocks(folder)
        with program:
            prometheus.wait("vector(1)", "Prometheus")
            costs = [(query, cost(prometheus, query, end)) for query in every]
    for at_once, limit in ((True, AT_ONCE), (False, OVER_TIME)):
        dearest = max((samples, str(query)) for query, samples in costs
                      if query.at_once == at_once)
        print(f"dearest {'at one instant' if at_once else 'over time'}: {dearest}")
        equal([(str(query), samples) for query, samples in costs
               if query.at_once == at_once and samples > limit], [], "too dear")
    equal([str(query) for query, samples in costs if query.board != "rules" and not samples
           and metrics(query) & set(found)], [], "of nothing, though there is something")


if __name__ == "__main__":
    run(globals())
