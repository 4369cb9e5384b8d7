#!/usr/bin/env python3
"""Grouped and individual recommendations, and the change from one model to the other: counted once,
no series for each, one ruler.changed, nothing shown as fixed that is not."""
import collections

from harness import SECRET, Exporter, Fake, Folder, contains, equal, run, settings, until
from sink import Sink, receiver

RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
    match: ['source="assessments"']
"""
KINDS = {"Machines should have vulnerability findings resolved": "SoftwareUpdate",
         "Exposed secrets found on machines should be removed": "ExposedSecrets"}


def tenant():
    return Fake("--assessments", "1500", "--machines", "0", "--individual", "12", "--seed", "5")


def configuration(fake, folder, sink):
    folder.file("rules.yml", RULES)
    return settings(
        fake.url, folder.file("secret", SECRET),
        {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s"},
         "catalogue": {"interval": "1m"}, "secure_scores": {"enabled": False},
         "baselines": {"enabled": False}},
        alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                "route": {"receiver": "team", "group_by": ["..."], "group_interval": "1s"},
                "governor": {"messages": 0}})


class Expected:
    """What is to be counted, worked out from the facts alone."""

    def __init__(self, dump):
        titles = {m["key"]: m["title"] for m in dump["metadata"]}
        rows = dump["assessments"]
        self.individual = {r["key"] for r in rows if r["individual"]}
        told = {(r["resourceId"], r["individual"]) for r in rows if r["individual"]}
        self.open, self.models, self.left_out = 0, collections.Counter(), set()
        for row in rows:
            if row["code"] != "Unhealthy" or row["cause"] == "Exempt":
                continue
            if row["grouped"] and (row["resourceId"], KINDS.get(titles[row["key"]])) in told:
                self.left_out.add(row["id"])
                continue
            self.open += 1
            model = "individual" if row["individual"] else "grouped" if row["grouped"] else None
            if model:
                self.models[model] += 1


def check(exporter, fake, what):
    expected = Expected(fake.admin("dump"))

    def same(metrics):
        return metrics.sum("defender_findings") == expected.open and all(
            metrics.sum("defender_recommendation_findings", model=model) == expected.models[model]
            for model in ("grouped", "individual"))

    exporter.wait_metric(what, same, 30)
    text = exporter.get("/metrics").text
    for key in expected.individual:
        assert key not in text, f"{what}: a series of {key}"
    return expected


def test_models_are_counted_once_and_their_change_is_one_event():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        fake.admin("model/grouped", "POST")
        with Exporter(folder, configuration(fake, folder, sink)) as exporter:
            exporter.wait_ready()
            grouped = check(exporter, fake, "grouped alone")
            assert grouped.models["grouped"] and not grouped.models["individual"]
            until("the first summary", lambda: sink.taken())
            fake.admin("model/both", "POST")
            both = check(exporter, fake, "side by side")
            assert both.left_out and both.models["individual"]
            until("new categories", lambda: len(changes(sink)) == 2, 30)
            fake.admin("model/individual", "POST")
            alone = check(exporter, fake, "individual alone")
            assert alone.models["individual"] and not alone.models["grouped"]
            until("the model is gone", lambda: len(changes(sink)) == 3, 30)
            said = " ".join(change["annotations"]["detail"] for change in changes(sink))
            for part in ('"SoftwareUpdate" are open for the first time',
                         '"ExposedSecrets" are open for the first time',
                         "no grouped recommendations any more"):
                contains(said, part, "what changed")
        for message in sink.taken():
            for alert in message["body"]["data"]["alerts"]:
                assert alert["labels"].get("model") != "individual", "news of a change of models"
                assert alert.get("reason") != "fixed", "fixed by a change of models"


def test_rules_of_baselines_stay_what_they_are():
    with Folder() as folder, Fake("--assessments", "900", "--machines", "20", "--individual", "4",
                                  "--seed", "6") as fake:
        config = settings(fake.url, folder.file("secret", SECRET),
                          {"subscriptions": {"interval": "1s"}, "baselines": {"interval": "1s"}},
                          metrics={"opt_in_list": "defender_baseline_rule_results"})
        with Exporter(folder, config) as exporter:
            before = rules(exporter.wait_ready().metrics())
            equal(len(before[0]) > 10, True, "rules fail")
            fake.admin("model/individual", "POST")
            count = exporter.metrics().one("defender_collector_last_success_timestamp_seconds",
                                           collector="baselines")
            exporter.wait_metric("another run", lambda m: m.one(
                "defender_collector_last_success_timestamp_seconds",
                collector="baselines") > count + 2, 30)
            equal(rules(exporter.metrics()), before, "rules")


def rules(metrics):
    return [metrics.table("defender_" + name, *labels) for name, labels in (
        ("baseline_rule_failing_machines", ("assignment", "rule_id")),
        ("baseline_rule_info", ("assignment", "rule_id", "rule_severity")),
        ("baseline_rule_results", ("subscription_id", "assignment", "rule_severity", "state")),
        ("baseline_machines", ("subscription_id", "assignment", "state")))]


def changes(sink):
    return [alert for message in sink.taken() for alert in message["body"]["data"]["alerts"]
            if alert["labels"]["alertname"] == "RulerChanged"]


run(globals())
