#!/usr/bin/env python3
"""What a reload changes while collections run is there after the next pass, and is no news: nothing
opens, nothing ends, nobody is told."""
import urllib.parse

from alerts_model import query
from harness import SECRET, Exporter, Fake, Folder, equal, run, settings, until
from sink import Sink, receiver

RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened, finding.resolved, finding.exemption_expired,
            finding.no_longer_assessed, security_alert.opened, security_alert.resolved,
            attack_path.opened, attack_path.resolved, data.stale, ruler.changed]
"""
EXEMPTED = 1  # enum finding_reason


class Bench:
    """An exporter that reads a tenant nobody rates, once a second; its settings change."""

    def __init__(self, folder, sink, fake):
        self.folder, self.fake, self.sink = folder, fake, sink
        folder.file("rules.yml", RULES)
        self.collectors = {name: {"interval": "1s"} for name in (
            "subscriptions", "assessments", "catalogue", "baselines", "security_alerts",
            "attack_paths", "exemptions", "secure_scores", "tags")}
        self.collector, self.alerts, self.metrics = {"max_staleness": "1h"}, {}, {}
        self.route = {}
        self.exporter = Exporter(folder, self.configuration(), "--web.enable-lifecycle")

    def configuration(self):
        config = settings(self.fake.url, self.folder.file("secret", SECRET), self.collectors,
                          alerts={"rules": ["rules.yml"], "ledger": {"first_run": "silent"},
                                  "governor": {"messages": 0}, "receivers": [
                                      receiver(self.sink), receiver(self.sink, "web")],
                                  "route": {"receiver": "team", "group_by": ["..."],
                                            "group_wait": "0s", "group_interval": "1s",
                                            **self.route}, **self.alerts})
        return {**config, "collector": self.collector, "metrics": self.metrics}

    def reload(self):
        self.folder.file("defender_exporter.yml", self.configuration())
        answer = self.exporter.get("/-/reload", method="POST")
        equal(answer.status, 200, "a reload: " + answer.text)

    def known(self):
        """Every finding of the ledger, whether it is open and how it ended."""
        return {row: (is_open, 0 if is_open else reason) for row, is_open, reason in query(
            self.folder, "SELECT id, is_open, reason FROM ledger_known")}

    def passed(self, *names):
        """Two more collections of each of these are over."""
        family = "defender_collector_last_success_timestamp_seconds"
        began = self.exporter.metrics().table(family, "collector")
        self.exporter.wait_metric("two passes", lambda metrics: all(
            metrics.one(family, collector=name) >= began[name,] + 2 for name in names), 60)

    def count(self, family, **labels):
        return self.exporter.metrics().sum(family, **labels)


def tags_are_listed(bench):
    row = next(row for row in bench.fake.admin("dump")["assessments"]
               if row["code"] == "Unhealthy" and "/providers/" in row["resourceId"])
    bench.fake.admin("tag?" + urllib.parse.urlencode(
        {"id": row["resourceId"], "name": "team", "value": "red"}), "POST")
    bench.alerts["tags"] = ["team"]
    bench.route = {"routes": [{"receiver": "web", "matchers": ['tag_team="red"']}]}
    bench.reload()
    until("tags", lambda: bench.count("defender_collector_rows", collector="tags") > 2)


def requesters_are_told(bench):
    bench.alerts["exemption_requesters"] = True
    bench.reload()


def severity_rates(bench):
    equal(bench.count("defender_findings", risk_level="high"), 0, "what is rated before")
    bench.collector["risk_when_missing"] = "severity"
    bench.reload()
    until("risk levels", lambda: bench.count("defender_findings", risk_level="high"))
    equal(bench.count("defender_findings", risk_level="not_evaluated"), 0, "what is not rated")


def a_family_is_asked_for(bench):
    family = "defender_control_resources"
    equal(bench.exporter.metrics().all(family), [], "what nobody asked for")
    bench.metrics = {"opt_in_list": [family]}
    bench.reload()
    until("its series", lambda: bench.count(family))


def a_collector_is_off_and_on(bench):
    before = bench.count("defender_security_alerts")
    assert before, "a tenant with security alerts"
    bench.collectors["security_alerts"] = {"enabled": False}
    bench.reload()
    until("no series", lambda: not bench.exporter.metrics().all("defender_security_alerts"))
    bench.passed("assessments")
    bench.collectors["security_alerts"] = {"interval": "1s"}
    bench.reload()
    until("the series again", lambda: bench.count("defender_security_alerts") == before)
    bench.passed("security_alerts")


CHANGES = (tags_are_listed, requesters_are_told, severity_rates, a_family_is_asked_for,
           a_collector_is_off_and_on)


def tenant():
    return Fake("--seed", "5", "--assessments", "800", "--machines", "6", "--subscriptions", "2",
                "--page-rows", "100", "--unrated")


def test_what_changes_is_no_news():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, sink, fake)
        with bench.exporter as exporter:
            exporter.wait_ready()
            bench.passed("assessments", "baselines", "security_alerts", "attack_paths")
            before = bench.known()
            equal({is_open for is_open, _ in before.values()}, {1}, "what is open at the start")
            for change in CHANGES:
                change(bench)
                bench.passed("assessments", "baselines", "security_alerts")
                equal(bench.known(), before, f"findings after: {change.__name__}")
                equal([message["body"]["data"]["title"] for message in sink.taken()], [],
                      f"messages after: {change.__name__}")
            waive(bench, before)


def waive(bench, before):
    """A waiver exempts what it names, and nothing else; without it that is back."""
    failing = {labels["rule_id"]: value for labels, value in
               bench.exporter.metrics().all("defender_baseline_rule_failing_machines")}
    rule = max(failing, key=failing.get)
    bench.collectors["baselines"] = {"interval": "1s", "waivers": [
        {"rule": rule, "machines": ["*"], "reason": "known", "expires": "2099-01-01"}]}
    bench.reload()
    until("the waiver", lambda: bench.count("defender_baseline_rules_waived") == failing[rule])
    bench.passed("baselines", "assessments")
    changed = {row: now for row, now in bench.known().items() if now != before.get(row)}
    equal((len(changed), set(changed.values())), (failing[rule], {(0, EXEMPTED)}), "what is waived")
    bench.collectors["baselines"] = {"interval": "1s"}
    bench.reload()
    until("what is back", lambda: bench.known() == before)


run(globals())
