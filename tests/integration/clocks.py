#!/usr/bin/env python3
"""A wall clock that steps by days in a running program: nothing is stale, over or told twice, and
what is new is told."""
import os

from alerts_model import Model, settled, told_of
from harness import SECRET, Exporter, Fake, Folder, Skip, equal, run, settings, until
from sink import Sink, receiver

DAY = 86400
COLLECTORS = {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s"},
              "catalogue": {"interval": "1m"}, "secure_scores": {"interval": "1s"},
              "baselines": {"enabled": False}}
RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
    match: ['source="assessments"']
  - alert: Data
    event: [data.stale, finding.overdue]
  - alert: Score
    metric: defender_secure_score_ratio
    above: 0
    for: 30d
"""


def library():
    path = os.environ.get("WALL_CLOCK", "build/release/tests/integration/libwall_clock.so")
    if not os.path.exists(path):
        raise Skip("no " + path)
    return os.path.abspath(path)


def advance(fake, model):
    fake.admin("advance?steps=1", "POST")
    model.advance(fake.admin("history"))


def notifications(sink):
    return [message for message in sink.taken() if message["body"]]  # a beat has none


def told(sink):
    return set().union(*(told_of(message) for message in notifications(sink)))


def names(sink):
    return {alert["labels"]["alertname"] for message in notifications(sink)
            for alert in message["body"]["data"].get("alerts", [])}


def test_steps_of_400_days():
    with Folder() as folder, Sink() as sink, \
            Fake("--provable", "--assessments", 400, "--machines", "0", "--seed", "11") as fake:
        folder.file("rules.yml", RULES)
        wall = folder.file("wall", "0")
        config = settings(fake.url, folder.file("secret", SECRET), COLLECTORS, alerts={
            "rules": ["rules.yml"], "receivers": [receiver(sink)],
            "route": {"receiver": "team", "group_by": ["..."], "group_interval": "1s"},
            "governor": {"messages": 0}, "ledger": {"first_run": "silent"},
            "heartbeat": {"url": sink.url + "/beat", "interval": "1s", "allow_private": True}})
        config["collector"] = {"max_staleness": "5m"}
        model = Model(fake.admin("dump"))
        with Exporter(folder, config, environment={"LD_PRELOAD": library(),
                                                   "WALL_CLOCK_FILE": wall}) as exporter:
            exporter.wait_ready()
            shown = exporter.wait_metric("all data", lambda m: m.one("defender_up") == 1)
            assert shown.sum("defender_findings") > 0
            for step, ahead in enumerate((400, 0, -400, 400, 0)):
                with open(wall, "r+", encoding="ascii") as file:
                    file.write(f"{ahead * DAY}" + " " * 20)
                exporter.wait_metric(f"the step to {ahead} days", lambda m: abs(m.one(
                    "defender_exporter_clock_offset_seconds") - ahead * DAY) < 2 * DAY)
                before = fake.requests("graph")
                until("sweeps after the step", lambda: fake.requests("graph") > before + 4, 60)
                equal(exporter.metrics().one("defender_up"), 1, f"data {ahead} days away")
                equal(exporter.get("/-/ready").status, 200, f"readiness {ahead} days away")
                equal(told(sink), model.told, f"told {ahead} days away, before anything is new")
                new = set(model.told)
                while not {t for t in model.told - new if t[1] == "finding.opened"}:
                    advance(fake, model)
                    until("decisions", lambda: settled(folder, model), 60)
                until(f"pages {ahead} days away", lambda: model.told <= told(sink), 60)
                equal(told(sink), model.told, f"told {ahead} days away")
                equal("wall clock stepped" in exporter.log, True, f"log of step {step}")
            metrics = exporter.metrics()
            equal(metrics.sum("defender_exporter_heartbeats_failed_total",
                              reason="notReady") <= 2, True, "beats held back at the start only")
        equal(names(sink) - {"Finding"}, set(), "other alerts")
        ids = [message["id"] for message in notifications(sink)]
        equal(len(ids), len(set(ids)), "messages told once")
        assert len(ids) < 3 * len(model.told) + 5, "a storm"


if __name__ == "__main__":
    run(globals())
