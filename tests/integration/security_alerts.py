#!/usr/bin/env python3
"""Security alerts from Azure to a message: which are raised, taken up and closed."""
from alerts_model import finding_id, query
from harness import SECRET, Exporter, Fake, Folder, contains, equal, run, settings, until
from sink import Sink, receiver

RULES = """
groups:
- name: all
  rules:
  - alert: SecurityAlert
    event: security_alert.opened
"""
COLLECTORS = {"subscriptions": {"interval": "1s"}, "assessments": {"enabled": False},
              "security_alerts": {"interval": "1s"}, "secure_scores": {"enabled": False},
              "baselines": {"enabled": False}}
TENANT = ("--seed", "3", "--assessments", "800")
ENDED = {"Resolved": 0, "Dismissed": 2}  # enum finding_reason: fixed, not_applicable
WORDS = {"InitialAccess": "initial access", "Execution, Impact": "execution, impact",
         "CredentialAccess, Collection": "credential access, collection",
         "PreAttack": "pre-attack", "CommandAndControl": "command and control", "Unknown": ""}


def configuration(fake, folder, sink):
    folder.file("rules.yml", RULES)
    config = settings(fake.url, folder.file("secret", SECRET), COLLECTORS, alerts={
        "rules": ["rules.yml"], "governor": {"messages": 0}, "receivers": [receiver(sink)],
        "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s",
                  "group_interval": "1s"}})
    config["metrics"] = {"opt_in_list": "defender_security_alert_info"}
    return config


def alerts_of(fake):
    """Every alert of a visible subscription, by the id of its finding."""
    dump = fake.admin("dump")
    visible = {s["subscriptionId"] for s in dump["subscriptions"] if s["state"] == "Enabled"}
    return {finding_id(row["id"], "security_alerts"): row for row in dump["alerts"]
            if row["subscriptionId"] in visible}


def open_of(alerts):
    return {one for one, row in alerts.items() if row["status"] in ("Active", "InProgress")}


def known(folder, is_open):
    return {row.hex()[:16]: reason for row, reason in query(
        folder, f"SELECT id, reason FROM ledger_known WHERE is_open = {is_open}"
                " AND source = 'security_alerts'")}


def told(sink):
    """What messages about alerts that were raised say, by the finding."""
    return {resource["finding_id"]: block for message in sink.taken()
            if message["body"]["type"] == "security_alert.opened"
            for block in message["body"]["data"]["blocks"] for resource in block["resources"]}


def test_alerts_open_and_end():
    with Folder() as folder, Sink() as sink, Fake(*TENANT) as fake:
        before = alerts_of(fake)
        with Exporter(folder, configuration(fake, folder, sink)) as exporter:
            exporter.wait_ready()
            until("alerts of the start", lambda: set(known(folder, 1)) == open_of(before))
            equal(told(sink), {}, "what was there before")
            fake.admin("advance?steps=6", "POST")
            after = alerts_of(fake)
            raised = open_of(after) - set(before)
            ended = {one: ENDED[after[one]["status"]] for one in open_of(before) - open_of(after)}
            equal((bool(raised), set(ended.values())), (True, {0, 2}), "some open, some end")
            until("alerts of now", lambda: set(known(folder, 1)) == open_of(after))
            until("alerts that ended", lambda: known(folder, 0) == ended)
            until("messages", lambda: set(told(sink)) == raised)
            check_metrics(exporter.metrics(), after, raised)
            for one, block in told(sink).items():
                check_words(block, after[one])


def check_metrics(metrics, alerts, raised):
    active = [row for row in alerts.values() if row["status"] == "Active"]
    equal(metrics.sum("defender_security_alerts"), len(active), "active ones")
    equal(metrics.sum("defender_security_alerts_opened_total"), len(raised), "raised ones")
    for severity in ("High", "Medium", "Low", "Informational"):
        equal(metrics.sum("defender_security_alerts_opened_total", severity=severity.lower()),
              sum(alerts[one]["severity"] == severity for one in raised), severity)
    shown = {labels["finding_id"]: labels for labels, _ in
             metrics.all("defender_security_alert_info")}
    equal(set(shown), open_of(alerts), "alerts shown")
    for one, labels in shown.items():
        equal(labels["tactics"], WORDS[alerts[one]["intent"]] or "unknown", "tactics")


def check_words(block, alert):
    equal(block["title"], alert["title"], "title")
    equal(block.get("threats", ""), WORDS[alert["intent"]], "tactics")
    contains(block["found"], "also names " + alert["names"], "what it names")
    contains(block["remediation"], "2. End it.", "steps")


if __name__ == "__main__":
    run(globals())
