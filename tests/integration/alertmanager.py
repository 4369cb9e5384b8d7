#!/usr/bin/env python3
"""Debian's real Alertmanager as a receiver: it takes our alerts, shows one for each finding, keeps
showing them while they fire and shows them resolved in time."""
import json
import os
import shutil
import time

from alerts_model import Model, finding_id, query, settled
from harness import (SECRET, Exporter, Fake, Folder, Program, Skip, equal, fetch, free_port, run,
                     settings, until)

RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
    match: ['source="assessments"']
    labels: {team: cloud}
"""
RISKS = ("critical", "high", "medium", "low", "not_evaluated")
TEMPLATE = "/usr/share/prometheus/alertmanager/default.tmpl"  # Debian's is compiled to need it
CONFIG = """
route: {receiver: nobody, group_by: [alertname], group_wait: 1s}
receivers: [{name: nobody}]
"""


class Alertmanager(Program):
    def __init__(self, folder, config=CONFIG, port=None):
        if not shutil.which("prometheus-alertmanager"):
            raise Skip("prometheus-alertmanager is not installed")
        if not os.path.exists(TEMPLATE):
            raise Skip(f"prometheus-alertmanager is there, but not {TEMPLATE}")
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = folder.file("am.yml", config)
        super().__init__(["prometheus-alertmanager", f"--config.file={config}",
                          f"--web.listen-address=127.0.0.1:{self.port}",
                          "--cluster.listen-address=", f"--storage.path={folder.path}/am"])

    def wait_ready(self):
        def answers():
            try:
                return fetch(self.url + "/-/ready").status == 200
            except OSError:
                return False
        until("Alertmanager", answers)
        return self

    def take(self, name):
        """An alert as Prometheus sends it."""
        answer = fetch(self.url + "/api/v2/alerts", "POST", json.dumps([{"labels": {
            "alertname": name}}]), {"Content-Type": "application/json"})
        equal(answer.status, 200, answer.text)

    def alerts(self):
        found = [alert for alert in fetch(self.url + "/api/v2/alerts").json()
                 if "finding_id" in alert["labels"]]
        return {alert["labels"]["finding_id"]: alert for alert in found}

    def risks(self):
        """Finding and risk level of everything that fires: labels are what Alertmanager knows an
        alert by, so an old risk that nobody ended would stand beside the new one."""
        return sorted((alert["labels"]["finding_id"], alert["labels"]["risk_level"])
                      for alert in fetch(self.url + "/api/v2/alerts").json()
                      if "finding_id" in alert["labels"])


def configuration(fake, folder, urls):
    folder.file("rules.yml", RULES)
    return settings(
        fake.url, folder.file("secret", SECRET),
        {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s"}},
        collector={"max_staleness": "1h"},  # however slow the machine is
        alerts={"rules": ["rules.yml"], "ledger": {"first_run": "silent"},
                "receivers": [{"name": "am", "alertmanager": {
                    "urls": urls, "http": {"allow_private": True}}}],
                "route": {"group_interval": "1s"}, "governor": {"messages": 0}})


def open_findings(model):
    return {finding_id(row) for row in model.alerted}


def risks_of(folder):
    return sorted((finding.hex()[:16], RISKS[risk]) for finding, risk in query(
        folder, "SELECT finding_id, risk FROM active_alert WHERE state = 'firing'"
                " AND finding_id IS NOT NULL"))


def rerated(fake, model):
    """Whether the risk of anything that was told of has changed since."""
    return any(change["event"] == "rerated" and change["id"].lower() in model.alerted
               for change in fake.admin("history"))


def advance(fake, folder, model):
    fake.admin("advance?steps=1", "POST")
    model.advance(fake.admin("history"))
    until("decisions", lambda: settled(folder, model), 30)


def test_alertmanager_shows_what_we_know():
    with Folder() as folder, Alertmanager(folder).wait_ready() as first, \
            Alertmanager(folder, port=free_port()).wait_ready() as second, \
            Fake("--provable", "--assessments", "150", "--machines", "0", "--seed", "5") as fake:
        replicas = (first, second)
        config = configuration(fake, folder, [r.url for r in replicas])
        model = Model(fake.admin("dump"))
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            until("adoption", lambda: settled(folder, model))
            while model.generation < 80 and not (rerated(fake, model) and any(
                    event == "finding.resolved" for _, event, _ in model.told)):
                advance(fake, folder, model)
            assert model.alerted and rerated(fake, model)
            for replica in replicas:
                until("alerts of open findings", lambda replica=replica: set(
                    replica.alerts()) == open_findings(model), 30)
                until("risks as they are now, each once", lambda replica=replica:
                      replica.risks() == risks_of(folder), 30)
            for alert in first.alerts().values():
                equal(alert["labels"]["alertname"], "Finding", "name")
                equal(alert["labels"]["team"], "cloud", "label of the rule")
                assert alert["annotations"]["summary"], alert
                assert alert["generatorURL"].startswith("https://portal.azure.com/"), alert
            ends = [time.strptime(a["endsAt"][:19], "%Y-%m-%dT%H:%M:%S")
                    for a in first.alerts().values()]
            far = max(time.mktime(e) for e in ends) - time.mktime(time.gmtime())
            assert far < 600, f"an alert would stay for {far} s after we are gone"
            equal(exporter.metrics().sum("defender_exporter_notifications_failed_total"), 0,
                  "failures")


def test_alertmanager_that_lost_everything_hears_it_again():
    with Folder() as folder, \
            Fake("--provable", "--assessments", "2000", "--machines", "0", "--seed", "5") as fake:
        with Folder() as lost, Alertmanager(lost).wait_ready() as one:
            port = one.port
            config = configuration(fake, folder, [one.url])
            model = Model(fake.admin("dump"))
            exporter = Exporter(folder, config)
            exporter.wait_ready()
            until("adoption", lambda: settled(folder, model))
            advance(fake, folder, model)
            until("alerts", lambda: set(one.alerts()) == open_findings(model), 30)
            before = one.alerts()
        with exporter, Folder() as anew, Alertmanager(anew, port=port).wait_ready() as one:
            equal(one.alerts(), {}, "alerts of an empty Alertmanager")
            until("all alerts again", lambda: set(one.alerts()) == open_findings(model), 90)
            for finding, alert in one.alerts().items():
                for part in ("labels", "annotations", "startsAt", "fingerprint", "generatorURL"):
                    equal(alert[part], before[finding][part], f"{part} told again")
                assert alert["endsAt"] > before[finding]["endsAt"], "endsAt rolls on"


if __name__ == "__main__":
    run(globals())
