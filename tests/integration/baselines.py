#!/usr/bin/env python3
"""OS security baselines over time: a new version of one is one message, and no drift; a waiver
holds until it is over, and then speaks up."""
import datetime
import signal

from harness import SECRET, Exporter, Fake, Folder, contains, equal, run, settings, until
from sink import Sink, receiver

RULES = """
groups:
- name: all
  rules:
  - alert: Drift
    event: [baseline.rule_regressed, baseline.rule_fixed, finding.resolved,
            finding.exemption_expired]
"""


def configuration(fake, folder, sink, **baselines):
    folder.file("rules.yml", RULES)
    return settings(
        fake.url, folder.file("secret", SECRET),
        {"assessments": {"enabled": False}, "secure_scores": {"enabled": False},
         "catalogue": {"enabled": False}, "plans": {"enabled": False},
         "prerequisites": {"enabled": False}, "subscriptions": {"interval": "1s"},
         "baselines": {"interval": "1s", **baselines}},
        metrics={"opt_in_list": "defender_baseline_rule_drift_total"},
        alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                "governor": {"messages": 0},
                "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s",
                          "group_interval": "1s"}})


def tenant():
    return Fake("--assessments", "800", "--machines", "20", "--seed", "4", "--provable")


def runs(exporter):
    return exporter.metrics().one("defender_collector_last_success_timestamp_seconds",
                                  collector="baselines")


def wait_runs(exporter, count):
    for _ in range(count):
        before = runs(exporter)
        until("another collection", lambda: runs(exporter) > before, 30)


def test_a_new_version_is_one_message():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        fake.admin("baseline/linux?rules=165", "POST")
        # of these machine configuration says nothing, and so nobody says of which version they are
        silent = [one["machineId"] for one in fake.admin("dump")["baseline"]["machines"]
                  if one["os"] == "linux" and one["state"] == "fresh" and not one["formB"]]
        with Exporter(folder, configuration(fake, folder, sink)) as exporter:
            exporter.wait_ready()
            until("the first run's digest", lambda: "first_run" in exporter.log or sink.taken(), 30)
            drift = exporter.metrics().sum("defender_baseline_rules_regressed_total")
            before = exporter.metrics().sum("defender_findings_opened_total")
            for rules in (175, 160):
                fake.admin(f"baseline/linux?rules={rules}", "POST")
                wait_runs(exporter, 4)
            until("the messages", lambda: len(sink.taken()) > 1, 30)
            news = [message for message in sink.taken() if message["body"]["type"] != "digest" and
                    not any(machine in message["raw"].decode() for machine in silent)]
            equal([message["body"]["type"] for message in news], ["ruler.changed"] * 2, "messages")
            for message, version in zip(news, ("1.2.0.0", "1.3.0.0")):
                contains(message["raw"].decode(), "Microsoft changed the OS security baseline of "
                         f"Linux: version {version}", "the message")
            metrics = exporter.metrics()
            equal(metrics.sum("defender_baseline_rules_regressed_total") - drift,
                  10 * len(silent), "drift")
            equal(metrics.sum("defender_baseline_rule_drift_total", change="regressed") - drift,
                  10 * len(silent), "drift by rule")
            assert metrics.sum("defender_findings_opened_total") > before, before


def rules_failing(exporter):
    return {labels["rule_id"]: value for labels, value in
            exporter.metrics().all("defender_baseline_rule_failing_machines")}


def test_a_waiver_holds_until_it_is_over():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        with Exporter(folder, configuration(fake, folder, sink)) as exporter:
            exporter.wait_ready()
            until("the first run's digest", lambda: "first_run" in exporter.log or sink.taken(), 30)
            before = rules_failing(exporter)
            rule = min(before)
            end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=10)
            waiver = {"rule": rule, "machines": ["*"], "reason": "known",
                      "expires": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
            folder.file("defender_exporter.yml",
                        configuration(fake, folder, sink, waivers=[waiver]))
            exporter.send(signal.SIGHUP)
            exporter.wait_metric("the waiver is in force", lambda metrics: metrics.sum(
                "defender_baseline_rules_waived") == before[rule], 60)
            del before[rule]
            equal(rules_failing(exporter), before, "rules that fail and count")
            exporter.wait_metric("the waiver is over", lambda metrics: metrics.one(
                "defender_baseline_waivers", state="expired") == 1, 60)
            until("a message about what is open again", lambda: any(
                message["body"]["type"] == "finding.exemption_expired"
                for message in sink.taken()), 60)
            assert rule in rules_failing(exporter), rules_failing(exporter)
            equal(exporter.metrics().sum("defender_baseline_rules_waived"), 0, "waived")


run(globals())
