#!/usr/bin/env python3
"""A lively tenant, the exporter, Debian's Prometheus with our rules and its Alertmanager: a new
critical finding pages both ways, a fixed one resolves both ways, silence of Azure and of the
exporter is no peace. The mixin is rendered with seconds where it has minutes; nothing else
differs."""
import json
import os

from alertmanager import Alertmanager
from harness import (SECRET, Exporter, Fake, Folder, Program, equal, fetch, free_port, run,
                     settings, until)
from promtool import tool
from rules import MIXIN, command
from sink import Sink, receiver

FAST = """{ _config+:: {
  bridge: 6, memory: 600, news: 3600, holdScrape: 10, holdFast: 2, holdSlow: 2, holdHourly: 2,
  staleIntervals: 4, failingIntervals: 3 } }"""
COLLECTORS = ("subscriptions", "assessments", "secure_scores", "plans")
RULES = """
groups:
- name: all
  rules:
  - alert: CriticalFinding
    event: [finding.opened, finding.reopened]
    match: ['risk_level="critical"']
"""


class Prometheus(Program):
    def __init__(self, folder, exporter, alertmanager):
        for name in ("prometheusRules", "prometheusAlerts"):
            folder.file(name + ".yml", command(
                "jsonnet", "-e", f'((import "{MIXIN}") + {FAST}).{name}'))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api/v1/"
        config = folder.file("prometheus.yml", {
            "global": {"scrape_interval": "2s", "scrape_timeout": "2s",
                       "evaluation_interval": "1s"},
            "rule_files": ["prometheusRules.yml", "prometheusAlerts.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [
                {"targets": [f"127.0.0.1:{alertmanager.port}"]}]}]},
            "scrape_configs": [{"job_name": "defender", "static_configs": [
                {"targets": [f"127.0.0.1:{exporter.port}"]}]}]})
        super().__init__([tool("prometheus"), f"--config.file={config}",
                          f"--web.listen-address=127.0.0.1:{self.port}",
                          "--rules.alert.resend-delay=1s",
                          "--storage.tsdb.path=" + os.path.join(folder.path, "prometheus")])

    def rules_in_trouble(self):
        answer = fetch(self.url + "rules").json()
        return [(rule["name"], rule["lastError"]) for group in answer["data"]["groups"]
                for rule in group["rules"] if rule["health"] != "ok"]


class Pages:
    """What Alertmanager sent on: the last status of each alert."""

    def __init__(self, sink):
        self.sink = sink

    def seen(self, name, **labels):
        """The statuses that alerts of this name and these labels had, in order."""
        return [alert["status"] for message in self.sink.taken()
                for alert in message["body"]["alerts"]
                if alert["labels"].items() >= {"alertname": name, **labels}.items()]

    def wait(self, status, name, **labels):
        until(f"{name} {labels} {status}", lambda: self.seen(name, **labels)[-1:] == [status], 60,
              told=lambda: self.seen(name))


def critical(fake):
    """How many critical findings each subscription has."""
    counts = {s["subscriptionId"]: 0 for s in fake.admin("dump")["subscriptions"]}
    for row in fake.admin("dump")["assessments"]:
        counts[row["subscriptionId"]] += row["code"] == "Unhealthy" and \
            row["riskLevel"] == "Critical"
    return counts


def advance(fake):
    """Go on until a subscription without a critical finding has one; that subscription."""
    for _ in range(12):
        before = critical(fake)
        fake.admin("advance?steps=1", "POST")
        after = critical(fake)
        for name in before:
            if before[name] < after[name] == 1:
                return name
    raise AssertionError("the tenant never has a new one")


def own(sink, event, subscription):
    return [alert for message in sink.taken() if message["body"]["type"] == event
            for alert in message["body"]["data"]["alerts"]
            if alert["labels"].get("subscription_id") == subscription]


def test_both_ways():
    tenant = ("--provable", "--seed", "23", "--subscriptions", "12", "--assessments", "300",
              "--machines", "0", "--start-generation", "3")
    with Folder() as folder, Sink() as sink, Sink() as paged, Fake(*tenant) as fake:
        folder.file("rules.yml", RULES)
        config = settings(
            fake.url, folder.file("secret", SECRET),
            {name: {"interval": "1s"} for name in COLLECTORS},
            alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                    "route": {"group_by": ["..."], "group_wait": "0s", "group_interval": "1s"},
                    "ledger": {"first_run": "silent"}})
        config["collector"] = {"max_staleness": "8s"}
        with Alertmanager(folder, json.dumps({
                "route": {"receiver": "sink", "group_by": ["..."], "group_wait": "0s",
                          "group_interval": "1s"},
                "receivers": [{"name": "sink", "webhook_configs": [{"url": paged.url}]}]}
        )).wait_ready() as alertmanager, Exporter(folder, config) as exporter, \
                Prometheus(folder, exporter.wait_ready(), alertmanager) as prometheus:
            pages = Pages(paged)
            pages.wait("firing", "DefenderHeartbeat")
            equal(prometheus.rules_in_trouble(), [], "rules")

            subscription = advance(fake)
            pages.wait("firing", "DefenderNewCriticalFinding", subscription_id=subscription)
            until("our own page", lambda: own(sink, "finding.opened", subscription))

            fake.admin("generation/3", "POST")  # as it was: healthy
            pages.wait("resolved", "DefenderNewCriticalFinding", subscription_id=subscription)
            until("our own resolve", lambda: own(sink, "finding.resolved", subscription))

            first = fake.admin("dump")["subscriptions"][0]
            plan = next(plan["name"] for plan in first["plans"] if plan["on"])
            fake.admin(f"plan/{plan}?subscription={first['subscriptionId']}&tier=Free", "POST")
            off = {"plan": plan.lower(), "subscription_id": first["subscriptionId"]}
            pages.wait("firing", "DefenderPlanDisabled", **off)

            fake.stop()
            for collector in COLLECTORS:
                pages.wait("firing", "DefenderDataStale", collector=collector)
            exporter.wait_metric("old data are gone", lambda m: not m.all("defender_plan_enabled"))
            pages.wait("firing", "DefenderCollectorFailing", collector="assessments")
            equal(pages.seen("DefenderPlanDisabled", **off), ["firing"], "the plan, still off")
            equal(pages.seen("DefenderExporterDown"), [], "the exporter, which is up")

            exporter.stop()
            pages.wait("firing", "DefenderExporterDown")
            equal(pages.seen("DefenderPlanDisabled", **off), ["firing"], "the plan, still off")
            equal(prometheus.rules_in_trouble(), [], "rules")


if __name__ == "__main__":
    run(globals())
