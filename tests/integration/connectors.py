#!/usr/bin/env python3
"""Scores of a subscription and of its connectors to other clouds: every page about one is true, and
says whose score it is."""
from alerts_model import query
from harness import SECRET, Exporter, Fake, Folder, contains, equal, run, settings, until
from sink import Sink, receiver

STEPS, DROP = 25, 0.02
RULES = """
groups:
- name: scores
  rules:
  - alert: ScoreDropped
    event: score.dropped
  - alert: OtherClouds
    event: [finding.opened, finding.reopened]
    match: ['cloud=~"aws|gcp|github|azuredevops"', 'connector!=""']
"""
NAMES = {"aws": "AWS", "gcp": "GCP", "github": "GitHub", "azuredevops": "Azure DevOps"}


def configuration(fake, folder, sink):
    folder.file("rules.yml", RULES)
    return settings(
        fake.url, folder.file("secret", SECRET),
        {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s"},
         "secure_scores": {"interval": "1s"}, "baselines": {"enabled": False}},
        alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                "watch": {"score_drop": DROP},
                "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s",
                          "group_interval": "1s"},
                "governor": {"messages": 0}})


def scores_of(fake):
    """Of every scope, by subscription and subject: the ratio, when it is one."""
    scores = {}
    for row in fake.admin("dump")["scores"]:
        subject = (row["connectorId"] or "ascscore").lower()
        told = row["ratio"] is not None and 0 <= row["ratio"] <= 1 and row["max"]
        scores[row["subscriptionId"], subject] = row["ratio"] if told else None
    return scores


def watched(folder):
    return {tuple(key.split("/", 1)): value for key, value in
            query(folder, "SELECT key, value FROM watch_value WHERE kind = 'score'")}


def follow(fake, folder, past):
    """Wait until this generation is watched; what Azure does not tell is as it was."""
    scores = scores_of(fake)
    for scope, ratio in scores.items():
        if ratio is not None:
            past.setdefault(scope, []).append(ratio)
    want = {scope: ratios[-1] for scope, ratios in past.items()}
    until("the scores of this generation", lambda: watched(folder) == want, 60)


def check_score(alert, past):
    """It says where the score of this very scope stood, and where it has been."""
    labels = alert["labels"]
    ratios = past[labels["subscription_id"], labels["subject"]]
    before = float(alert["annotations"]["value_before"])
    assert alert["value"] in ratios and before in ratios, f"{alert} of {ratios}"
    assert before - alert["value"] >= DROP - 1e-9, f"no drop: {alert}"
    below = "/securityconnectors/" in labels["subject"]
    equal(labels["cloud"] == "azure", not below, f"cloud of {labels}")
    equal(labels.get("connector", "").split("/")[-1],
          labels["subject"].split("/")[-1] if below else "", f"connector of {labels}")


def test_scores_of_connectors():
    with Folder() as folder, Sink() as sink, Fake(
            "--multicloud", "--seed", "29", "--subscriptions", "3", "--assessments", "1500",
            "--machines", "0") as fake:
        with Exporter(folder, configuration(fake, folder, sink)) as exporter:
            exporter.wait_ready()
            past = {}
            follow(fake, folder, past)
            for _ in range(STEPS):
                fake.admin("advance?steps=1", "POST")
                follow(fake, folder, past)
            until("what is to be sent", lambda: not query(
                folder, "SELECT id FROM outbox_message WHERE state = 'queued'"), 60)
            check_messages([m["body"] for m in sink.taken()], past)


def check_messages(messages, past):
    dropped, others = set(), set()
    for message in messages:
        for alert in message["data"]["alerts"]:
            labels = alert["labels"]
            if alert["state"] == "resolved":
                continue
            if labels["alertname"] == "ScoreDropped":
                check_score(alert, past)
                dropped.add(labels["cloud"])
                if labels["cloud"] != "azure":
                    contains(message["data"]["title"],
                             f"{NAMES[labels['cloud']]} connector {labels['connector']}", "title")
            elif labels["alertname"] == "OtherClouds":
                others.add(labels["cloud"])
                resource = message["data"]["blocks"][0]["resources"][0]
                contains(resource["environment"],
                         f"{NAMES[labels['cloud']]} ", "environment")
                contains(resource["environment"], labels["connector"], "environment")
                assert resource["native_id"], resource
    assert dropped - {"azure"}, f"no score of a connector fell: {dropped}"
    assert {"aws", "gcp"} <= others, f"findings of {others}"


run(globals())
