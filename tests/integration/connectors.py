#!/usr/bin/env python3
"""A tenant of several clouds over many generations: every page that is sent is true."""
import copy
import os

from alerts_model import open_in_ledger, query
from harness import ALL, SECRET, Exporter, Fake, Folder, equal, run, settings, until
from sink import Sink, receiver
from truth import SLA_S, Truth

CYCLES = int(os.environ.get("CYCLES", "1000" if ALL else "40"))
DROP = 0.02
TENANT = ("--multicloud", "--provable", "--seed", "29", "--subscriptions", "3", "--assessments",
          "1500", "--machines", "0", "--late", "30", "--exemptions", "2",
          "--individual", "12")
MODELS = ("individual", "grouped", "both", "individual", "grouped")
MODEL_LASTS = 6  # cycles, then another subscription changes, or this one again
RULES = """
groups:
- name: all
  rules:
  - alert: ScoreDropped
    event: score.dropped
  - alert: Finding
    event: [finding.opened, finding.reopened, finding.exemption_expired]
    match: ['source="assessments"']
  - alert: Rerated
    event: finding.risk_changed
  - alert: Overdue
    event: finding.overdue
"""


def configuration(fake, folder, sink):
    folder.file("rules.yml", RULES)
    return settings(
        fake.url, folder.file("secret", SECRET),
        {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s"},
         "secure_scores": {"interval": "1s"}, "baselines": {"enabled": False},
         "attack_paths": {"enabled": False}, "security_alerts": {"enabled": False}},
        alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                "watch": {"score_drop": DROP},
                "ledger": {"sla": {risk: f"{seconds}s" for risk, seconds in SLA_S.items()}},
                "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s",
                          "group_interval": "1s"},
                "governor": {"messages": 0}})


def watched(folder):
    return {tuple(key.split("/", 1)): value for key, value in
            query(folder, "SELECT key, value FROM watch_value WHERE kind = 'score'")}


def follow(fake, folder, truth):
    """Wait until this generation is decided and what is to be sent is sent."""
    truth.take(fake.admin("dump"))
    until("the scores of this generation", lambda: watched(folder) == truth.watched(), 60)
    until("its findings", lambda: truth.agrees(open_in_ledger(folder)), 60,
          told=lambda: truth.differs(open_in_ledger(folder)))
    sent(folder)


def sent(folder):
    until("what is to be sent", lambda: not query(
        folder, "SELECT id FROM outbox_message WHERE state = 'queued'"), 60)


def change_model(fake, truth, number):
    """One subscription is told of in another model."""
    which = sorted(truth.subscriptions)[number // len(MODELS) % len(truth.subscriptions)]
    fake.admin(f"model/{MODELS[number % len(MODELS)]}?subscription={which}", "POST")


def judge(truth, sink, bodies):
    """What came since, added to the bodies."""
    for message in sink.taken()[len(bodies):]:
        bodies.append(message["body"])
        truth.judge(message["body"])


def show(truth):
    for name, number in sorted(truth.judged.items(), key=str):
        print(name, number)
    for untruth in truth.untruths[:20]:
        print("untrue:", *untruth)


def check_untruths_are_seen(truth, messages):
    """Whatever of a true message is changed, the judge sees it."""
    kinds = {"finding.": {"opened_at": "2020-01-01T00:00:00Z", "due_at": "2020-01-01T00:00:00Z",
                          "risk_level": "none", "state": "pending"},
             "score.": {"value": -1.0}}
    labels = ("cloud", "connector", "subscription_id")
    for kind, lies in kinds.items():
        message = next(m for m in reversed(messages) if is_true(truth, m) and any(
            a["event"].startswith(kind) and a["state"] == "firing" and "connector" in a["labels"]
            for a in m["data"]["alerts"]))
        for name, lie in lies.items():
            false = copy.deepcopy(message)
            false["data"]["alerts"][0][name] = lie
            assert not is_true(truth, false), f"{name} of {kind} is not judged"
        for name in labels:
            false = copy.deepcopy(message)
            false["data"]["alerts"][0]["labels"][name] = "another"
            assert not is_true(truth, false), f"label {name} of {kind} is not judged"


def is_true(truth, message):
    """Judge it alone: it counts for nothing, and nothing was said before it."""
    kept = truth.untruths, truth.judged, truth.told
    truth.untruths, truth.judged, truth.told = [], truth.judged.copy(), {}
    truth.judge(message)
    found = truth.untruths
    truth.untruths, truth.judged, truth.told = kept
    return not found


def check_all_kinds_came(judged):
    """What was judged is what this test is for."""
    clouds = {kind: {key[1] for key in judged if key[0] == kind} for kind in ("scores", "findings")}
    assert clouds["scores"] - {"azure"}, f"no score of a connector fell: {judged}"
    assert {"azure", "aws", "gcp"} <= clouds["findings"], f"findings of {clouds}"
    events = {key[2] for key in judged if key[0] == "findings"}
    assert {"finding.opened", "finding.reopened", "finding.resolved", "finding.exempted",
            "finding.risk_changed", "finding.exemption_expired", "finding.overdue"} <= events, (
                f"only {events}")
    assert judged["causes"], "no score named a cause"


def test_every_page_is_true():
    with Folder() as folder, Sink() as sink, Fake(*TENANT) as fake:
        with Exporter(folder, configuration(fake, folder, sink)) as exporter:
            exporter.wait_ready()
            truth, bodies = Truth(DROP), []
            try:
                follow(fake, folder, truth)
                for cycle in range(CYCLES):
                    if cycle % MODEL_LASTS == MODEL_LASTS - 1:
                        change_model(fake, truth, cycle // MODEL_LASTS)
                    fake.admin("advance?steps=1", "POST")
                    follow(fake, folder, truth)
                    judge(truth, sink, bodies)
            finally:
                judge(truth, sink, bodies)
                show(truth)
        equal(len(truth.untruths), 0, "untruths")
        check_all_kinds_came(truth.judged)
        check_untruths_are_seen(truth, bodies)


run(globals())
