#!/usr/bin/env python3
"""Every alert, Prometheus' and our own, has a runbook, and each command of it shows what is wrong
while the stand-in has that very fault."""
import glob
import json
import os
import re
import signal
import sqlite3
import subprocess
import time

from alertmanager import Alertmanager
from harness import (EXPORTER, ROOT, SECRET, SLOWNESS, Exporter, Fake, Folder, contains, equal,
                     run, settings, until)
from queries import check
from rules import mixin, rules_of
from sink import Sink, receiver

RUNBOOKS = os.path.join(ROOT, "dashboards/runbooks")
HEADINGS = ["What it means", "Impact", "Look", "In the portal", "Fix", "Silence"]
OWN = {"Heartbeat", "FireDrill", "ExporterFailing"}  # messages of the program, not of a rule
RULES = """
groups:
- name: all
  rules:
  - alert: Critical
    event: [finding.opened, finding.reopened, finding.risk_changed]
    match: ['risk_level="critical"']
  - alert: Happened
    event: [finding.reopened, attack_path.opened, score.dropped]
"""

SILENCE = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\n"
# What the commands of a runbook print, as expressions, while the fault of the phase is there.
SHOWN = {
    "everything": {
        "DefenderSubscriptionNotVisible": [r"visible\{.*\} 0\n", r'state="denied"\} 1\n', SILENCE],
        "DefenderThrottled": [r'throttled_total\{api="\w+"\} [1-9]', r"quota_remaining", SILENCE],
        "DefenderNewCriticalFinding": [r'opened_total\{.*"critical"\} [1-9]', "Critical ", SILENCE],
        "DefenderFindingReopened": [r"reopened_total\{.*\} [1-9]", "Happened ", SILENCE],
        "DefenderFindingOverdue": [r'overdue\{.*"critical"\} [1-9]', "oldest_timestamp", SILENCE],
        "DefenderRemediationBudgetBurn": [r"critical overdue [1-9]", "resolution_seconds", SILENCE],
        "DefenderSecureScoreDropped": [r"score_ratio\{.*\} 0\.", "control_points", SILENCE],
        "DefenderAttackPathAppeared": [r"attack_paths\{.*\} [1-9]", "Happened ", SILENCE],
        "DefenderPlanDisabled": [r"plan_enabled\{.*\} 0\n", "plan_off_results", SILENCE],
        "DefenderBaselineDrift": [r"regressed_total\{.*\} [1-9]", r"non_compliant", SILENCE],
        "DefenderExemptionExpiring": [r'expiring\{.*"7d"\} 1\n', SILENCE],
        "DefenderNotificationsFailing": [r'"night".*"serverError"\} [1-9]', "queued",
                                         "not accepted", SILENCE],
        "DefenderOutboxStuck": [r'"day",state="dead"\} [1-9]', r"dead .* day ", r"queued .* night ",
                                SILENCE],
        "DefenderSeriesDropped": [r'finding_info",reason="limit"\} [1-9]', "exporter_series",
                                  SILENCE],
        "DefenderHeartbeat": [r"DefenderHeartbeat .* active"],
        "FirstRun": [r'first_run"\} [1-9]', r"overdue\{.*\} [1-9]", SILENCE],
        "RulerChanged": [r"RulerChanged .*baseline of Linux", SILENCE],
        "FireDrill": [r'timestamp_seconds\{receiver="night"\} 0\n', "queued .* night "],
    },
    "Azure refuses": {
        "DefenderDataStale": [r"\d+ defender_collector_last", " failed .* 403 ",
                              'code="403"} [1-9]', SILENCE],
        "DefenderCollectorFailing": [r'success\{collector="assessments"\} 0', " failed .* 403 ",
                                     'code="403"} [1-9]', "Security Reader", SILENCE],
        "DataStale": ["DataStale .* active", r'success\{collector="assessments"\} 0', SILENCE],
        "Heartbeat": [r'notReady"\} [1-9]', "defender_up 0", "no trouble with the database"],
    },
    "the database is locked": {
        "DefenderAlertsNotDecided": [r'reason="locked"\} 1', "defender_up 0", SILENCE],
        "ExporterFailing": [r'reason="locked"\} 1', "Filesystem"]},
    "the exporter is stopped": {"DefenderExporterDown": ["it does not answer", SILENCE]},
    "another secret": {
        "RiskMissing": ["RiskMissing .* active", r'"not_evaluated".*\} [1-9]', SILENCE],
        "DefenderTokenExpiring": [r"^-?\d+ defender", 'token",code="401"} [1-9]',
                                  " failed .*AADSTS", SILENCE],
    },
}


def texts():
    found = {}
    for path in sorted(glob.glob(os.path.join(RUNBOOKS, "*.md"))):
        with open(path, encoding="utf-8") as file:
            found[os.path.basename(path)[:-3]] = file.read()
    return found


def built_in():
    with open(os.path.join(ROOT, "alerts/rules/rule.c"), encoding="utf-8") as file:
        return set(re.findall(r'"  - alert: (\w+)', file.read())) | OWN


def commands(text):
    """The shell commands of a runbook, each with the lines that go on."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M)
    return [line for block in blocks
            for line in re.findall(r"(?:[^\n]*\\\n)*[^\n]+", block)]


def test_every_alert_has_one():
    alerts = {rule["alert"] for rule in rules_of(mixin("prometheusAlerts"))}
    equal(set(texts()), alerts | built_in(), "runbooks")
    equal({name for phase in SHOWN for name in SHOWN[phase]}, set(texts()), "runbooks that are run")
    for name, text in texts().items():
        equal(re.findall("^## (.*)", text, re.M), HEADINGS, name)
        contains(text, f"# {name}\n", name)
        assert commands(text), name
        for other in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert os.path.exists(os.path.join(RUNBOOKS, other)), f"{name}: {other}"


def test_queries_for_the_portal_are_right():
    with Folder() as folder:
        check([folder.file(f"{name}_{number}.kql", query) for name, text in texts().items()
               for number, query in enumerate(re.findall("^```kql\n(.*?)^```", text, re.S | re.M))])


class Bench:
    """What the commands of runbooks need: the program in PATH, its configuration, Alertmanager."""

    def __init__(self, folder, alertmanager):
        self.folder, self.alertmanager, self.exporter = folder, alertmanager, None
        os.symlink(os.path.abspath(EXPORTER), os.path.join(folder.path, "defender_exporter"))

    def run(self, command):
        command = command.replace("http://localhost:9887", self.exporter.url)
        command = command.replace("http://localhost:9093", self.alertmanager)
        command = command.replace("/var/lib/defender_exporter", self.folder.path)
        done = subprocess.run(
            ["bash", "-c", command], stdin=subprocess.DEVNULL, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60 * SLOWNESS,
            env={**os.environ, "PATH": self.folder.path + ":" + os.environ["PATH"],
                 "DEFENDER_EXPORTER_CONFIG_FILE": self.exporter.config_file,
                 "DEFENDER_EXPORTER_STORAGE_PATH": self.folder.path})
        equal(done.returncode, 0, f"{command}: {done.stdout}")
        return done.stdout

    def check(self, phase):
        for name, wanted in SHOWN[phase].items():
            output = "".join(self.run(command) for command in commands(texts()[name]))
            for text in wanted:
                assert re.search(text, output), f"{name}: no {text!r} in:\n{output[-4000:]}"


def configuration(fake, folder, sink, refusing, **more):
    folder.file("rules.yml", RULES)
    fast = ("subscriptions", "assessments", "secure_scores", "baselines", "attack_paths", "plans",
            "exemptions", "governance")
    config = settings(
        fake.url, folder.file("secret", SECRET), {name: {"interval": "1s"} for name in fast},
        metrics={"opt_in_list": ["defender_finding_info"], "max_series": 2600},
        alerts={"rules": ["rules.yml"], "ledger": {"sla": {"critical": "1d", "high": "2d"}},
                "receivers": [receiver(sink, "night"), receiver(refusing, "day")],
                "route": {"receiver": "night", "group_wait": "0s", "group_interval": "1s",
                          "routes": [{"receiver": "day", "continue": True}, {"receiver": "night"}]},
                "heartbeat": {"receiver": "night", "interval": "1s"}, "governor": {"messages": 0}})
    config.update(more)
    return config


def break_everything(fake, exporter):
    """All that can be wrong at the same time."""
    exporter.wait_ready()
    subscriptions = fake.admin("dump")["subscriptions"]
    plans = [plan["name"] for plan in subscriptions[0]["plans"] if plan["on"]]
    first = subscriptions[0]["subscriptionId"]
    fake.admin(f"plan/{plans[0]}?subscription={first}&tier=Free", "POST")
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2 * 86400))
    fake.admin(f"exempt?scope=/subscriptions/{first}&policy=/p/q&category=Waiver&expires={soon}",
               "POST")
    fake.admin("baseline/linux?rules=40", "POST")

    def happened(metrics):
        fake.admin("advance?steps=1", "POST")
        return all(metrics.sum(name, **labels) for name, labels in (
            ("defender_findings_opened_total", {"risk_level": "critical"}),
            ("defender_findings_reopened_total", {}),
            ("defender_baseline_rules_regressed_total", {}),
            ("defender_exemptions_expiring", {"within": "7d"})))
    exporter.wait_metric("news", happened, 60)
    fake.fault("429:count=2,retry_after=1")
    fake.fault("403:sub=1")
    exporter.wait_metric("a subscription is gone",
                         lambda m: m.sum("defender_subscription_visible") < 4)


def alert_of(exporter, name):
    return [a for a in exporter.get("/api/v2/alerts").json() if a["labels"]["alertname"] == name]


def grow_old(exporter, config):
    """From now on data are too old after three seconds."""
    config["collector"]["max_staleness"] = "3s"
    with open(exporter.config_file, "w", encoding="utf-8") as file:
        json.dump(config, file)
    exporter.send(signal.SIGHUP)
    exporter.wait_for("msg=reloaded")
    until("DataStale", lambda: "assessments" in [
        alert["labels"]["source"] for alert in alert_of(exporter, "DataStale")])


def test_what_is_wrong_is_shown():
    with Folder() as folder, Sink(lambda message: 503) as sink, Sink(lambda message: 400) as no, \
            Fake("--seed", "4", "--subscriptions", "4", "--assessments", "3000") as fake, \
            Alertmanager(folder).wait_ready() as alertmanager:
        bench = Bench(folder, alertmanager.url)
        config = configuration(fake, folder, sink, no)
        with Exporter(folder, config) as bench.exporter:
            break_everything(fake, bench.exporter)
            alertmanager.take("DefenderHeartbeat")
            bench.check("everything")
            fake.fault("403")
            bench.exporter.wait_metric("failures", lambda m: m.one(
                "defender_scrape_collector_success", collector="assessments") == 0)
            grow_old(bench.exporter, config)
            bench.check("Azure refuses")
            database = sqlite3.connect(os.path.join(folder.path, "defender_exporter.db"),
                                       isolation_level=None)
            database.execute("BEGIN EXCLUSIVE")
            fake.heal()
            bench.exporter.wait_metric("a locked database", lambda m: m.one(
                "defender_exporter_state_trouble", reason="locked"), 30)
            bench.check("the database is locked")
            database.close()
        bench.check("the exporter is stopped")


def test_what_is_wrong_without_ratings_and_with_an_old_secret():
    unrated = ("--unrated", "--assessments", "800", "--seed", "5", "--token-lifetime", "5")
    with Folder() as folder, Sink() as sink, Fake(*unrated) as fake, \
            Alertmanager(folder).wait_ready() as alertmanager:
        bench = Bench(folder, alertmanager.url)
        with Exporter(folder, configuration(fake, folder, sink, sink)) as bench.exporter:
            bench.exporter.wait_ready()
            until("RiskMissing", lambda: alert_of(bench.exporter, "RiskMissing"))
            fake.fault("new-secret:body=another")
            bench.exporter.wait_metric("no token", lambda m: m.sum(
                "defender_scrape_collector_success", collector="subscriptions") == 0)
            bench.check("another secret")


if __name__ == "__main__":
    run(globals())
