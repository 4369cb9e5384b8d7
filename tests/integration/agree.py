#!/usr/bin/env python3
"""Of one snapshot the pages, the API, the terminal and the metrics tell the same numbers."""
import collections
import csv
import io
import subprocess
import urllib.parse

from acting import tiles as places
from data import Bench
from harness import EXPORTER, SLOWNESS, equal, run, until
from lists import every_row, rows
from pages import LEVELS, NAMES, tiles

NOBODY = {"name": "team",
          "webhook": {"url": "http://127.0.0.1:9/", "http": {"allow_private": True}}}
RULES = """
groups:
- name: all
  rules:
  - {alert: Control, metric: defender_control_max_points, above: 0}
  - {alert: Later, metric: defender_control_points, above: -1, for: 24h}
  - {alert: Finding, event: [finding.opened]}
"""


class Witness:
    """What each of the four says, asked without anything changing between."""

    def __init__(self, bench):
        self.bench = bench
        self.metrics = bench.exporter.metrics()

    def page(self, path):
        answer = self.bench.exporter.get(path)
        equal(answer.status, 200, path)
        return answer.text

    def terminal(self, *words):
        done = subprocess.run([EXPORTER, *words, "--format=csv",
                               f"--url=http://127.0.0.1:{self.bench.exporter.port}"],
                              capture_output=True, text=True, check=True,
                              stdin=subprocess.DEVNULL, timeout=60 * SLOWNESS)
        return list(csv.DictReader(io.StringIO(done.stdout, newline="")))

    def api(self, table, **parameters):
        return self.bench.walk(table, limit=1000, **parameters)

    def sums(self, family, *labels, **where):
        """A metric added up by some of its labels."""
        found = collections.Counter()
        for has, value in self.metrics.all(family):
            if all(has[name] == wanted for name, wanted in where.items()):
                found[tuple(has[name] for name in labels)] += value
        found = {key: round(value, 6) for key, value in found.items() if value}
        equal(bool(found), True, f"there is something of {family}")
        return found


def added(listed, column, *keys):
    """The same of rows of the API or of the terminal."""
    found = collections.Counter()
    for row in listed:
        found[tuple(row[key] for key in keys)] += float(row[column] or 0) if column else 1
    return {key: round(value, 6) for key, value in found.items() if value}


def findings(says):
    only = 'source="assessments"'
    wanted = says.sums("defender_findings", "risk_level")
    listed = says.api("findings", filter=only)
    shown = tiles(says.page("/?filter=" + urllib.parse.quote(only)))
    equal(added(listed, None, "risk_level"), wanted, "findings of the API")
    equal(added(says.terminal("findings", "--filter=" + only), None, "risk_level"), wanted,
          "findings of the terminal")
    equal({(level,): shown[name] for level, name in zip(LEVELS, NAMES) if shown[name]}, wanted,
          "findings of the page")
    equal((shown["Overdue"], shown["Due soon"]),
          (sum(row["overdue"] for row in listed), says.metrics.sum("defender_findings_due_soon")),
          "what is due")
    told = says.sums("defender_assessment_findings", "assessment_id")
    equal({key: value for key, value in
           added(says.api("recommendations", filter=only), "findings", "assessment_id").items()
           if key in told}, told, "findings by recommendation")


def resources(says):
    listed = says.api("resources")
    equal(sum(row["findings"] for row in listed), len(says.api("findings")), "findings")
    equal(added(says.terminal("resources"), "findings", "resource_id"),
          added(listed, "findings", "resource_id"), "resources of the terminal")
    shown = every_row(says, "/resources")
    equal(len(shown), len(listed), "resources of the page")
    equal(sum(int(row[6]) for row in shown), sum(row["findings"] for row in listed), "findings")


def controls(says):
    for family, column in (("defender_control_points", "points"),
                           ("defender_control_max_points", "max_points")):
        wanted = says.sums(family, "subscription_id", "connector")
        for who, listed in (("API", says.api("controls")),
                            ("terminal", says.terminal("controls"))):
            equal(added(listed, column, "subscription_id", "connector"), wanted,
                  f"{column} of the {who}")
    points, most = (says.sums(family, "control") for family in
                    ("defender_control_points", "defender_control_max_points"))
    equal(sorted(row[1] for row in rows(says.page("/controls")) if row[1] != "none"),
          sorted(f"{points.get(key, 0):.2f} of {value:g}" for key, value in most.items()),
          "points of the page")


def compliance(says):
    wanted = says.sums("defender_compliance_controls", "standard", state="failed")
    for who, listed in (("API", says.api("compliance")), ("terminal", says.terminal("compliance"))):
        standards = [row for row in listed if not row["control"]]
        equal(added(standards, "failed", "standard"), wanted, f"standards of the {who}")
        equal(added([row for row in listed if row["control"]], "failed", "standard"),
              says.sums("defender_compliance_control_failed_resources", "standard"),
              f"failing resources of the {who}")
    equal({(row[0],): float(row[3]) for row in rows(says.page("/compliance")) if int(row[3])},
          wanted, "standards of the page")


def baselines(says):
    wanted = sum(says.sums("defender_baseline_rule_results", state="non_compliant").values())
    equal(len(says.api("baselines")), wanted, "baselines of the API")
    equal(len(says.terminal("baselines")), wanted, "baselines of the terminal")
    equal(sum(int(row["machines"]) for row in says.terminal("baselines", "rules")), wanted, "rules")
    shown = rows(says.page("/baselines"))
    equal(sum(int(cell) for row in shown for cell in row[1:6]), wanted, "baselines of the page")


def lines(says, path):
    text = says.bench.exporter.get(f"/api/v1/{path}?format=csv").body.decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def alerts(says):
    wanted = says.sums("defender_exporter_alerts", "state")
    wanted = {key: value for key, value in wanted.items() if key[0] in ("firing", "pending")}
    equal(added(lines(says, "alerts"), None, "state"), wanted, "alerts of the API")
    shown = places(says.page("/alerts"))
    equal({("firing",): shown["Firing"] + shown["Silenced"] + shown["Inhibited"],
           ("pending",): shown["Pending"]}, wanted, "alerts of the page")
    equal(len(says.bench.exporter.get("/api/v2/alerts").json()), wanted[("firing",)],
          "alerts of Alertmanager's API")


def outbox(says):
    wanted = says.sums("defender_exporter_outbox_messages", "receiver", "state")
    equal(added(lines(says, "outbox"), None, "receiver", "state"), wanted, "messages of the API")
    waiting = {key: value for key, value in wanted.items() if key[1] == "queued"}
    lanes = says.bench.exporter.get("/api/v1/delivery").json()["lanes"]
    equal({(row["receiver"], "queued"): row["waiting"] for row in lanes if row["waiting"]}, waiting,
          "receivers of the API")
    equal(places(says.page("/delivery"))["Waiting"], sum(waiting.values()), "messages of the page")


def test_all_say_the_same_of_one_snapshot():
    opted = ["defender_(compliance|baseline|assessment|control)_.*"]
    with Bench(rules=RULES, metrics={"opt_in_list": opted},
               alerts={"rules": ["rules.yml"], "receivers": [NOBODY]}) as bench:
        def settled():
            metrics = bench.exporter.metrics()
            return (metrics.sum("defender_exporter_outbox_messages") > 0 and
                    metrics.sum("defender_exporter_alerts", state="pending") > 0)
        until("there is something of everything", settled, 60, 0.5)
        before = bench.get("findings").headers["etag"]
        for asks in (findings, resources, controls, compliance, baselines, alerts, outbox):
            asks(Witness(bench))
        equal(bench.get("findings").headers["etag"], before, "the snapshot, at the end")


if __name__ == "__main__":
    run(globals())
