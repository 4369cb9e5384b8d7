#!/usr/bin/env python3
"""Queries of the operator's own become metrics, findings and alerts; a reload changes them."""
import json
import signal

from harness import SECRET, Exporter, Fake, Folder, contains, equal, run, settings, until
from sink import Sink, receiver

KQL = """// machines
resources
| where type contains 'virtualmachines'
| project id, subscriptionId, location, cores = properties.cores,
    made = tostring(properties.timeCreated), title = 'A machine', risk = 'high'
| order by id asc
"""
COLUMNS = {"id": "text", "subscriptionId": "text", "location": "text", "cores": "number",
           "made": "time", "title": "text", "risk": "text"}
METRICS = [
    {"name": "defender_custom_machines", "labels": {"subscription_id": "subscriptionId",
                                                    "location": "location"}},
    {"name": "defender_custom_cores", "value": "cores", "labels": {"location": "location"}},
    {"name": "defender_custom_newest_timestamp_seconds", "value": "made"},
]
FINDINGS = {"id": "id", "subscription": "subscriptionId", "title": "title", "risk": "risk"}
RULES = """
groups:
- name: custom
  rules:
  - alert: Machine
    event: [finding.opened, finding.reopened]
    match: ['source="custom_machines"']
  - alert: Machines
    metric: defender_custom_machines
    by: [location]
    above: 0
"""


def machines(**more):
    return {"name": "machines", "interval": "1s", "kql": KQL, "columns": COLUMNS,
            "metrics": METRICS, "findings": FINDINGS, **more}


def collectors(*queries):
    off = {"enabled": False}
    return {"subscriptions": {"interval": "1s"}, "assessments": off, "catalogue": off,
            "secure_scores": off, "baselines": off, "custom": list(queries)}


class Bench:
    def __init__(self, folder, fake, sink=None):
        self.folder, self.fake, self.sink = folder, fake, sink

    def configuration(self, *queries):
        alerts = {}
        if self.sink:
            self.folder.file("rules.yml", RULES)
            alerts = {"alerts": {
                "rules": ["rules.yml"], "ledger": {"first_run": "all"}, "governor": {"messages": 0},
                "receivers": [receiver(self.sink)],
                "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s",
                          "group_interval": "1s"}}}
        return settings(self.fake.url, self.folder.file("secret", SECRET), collectors(*queries),
                        **alerts)

    def start(self, *queries):
        self.exporter = Exporter(self.folder, self.configuration(*queries))
        return self.exporter

    def reload(self, *queries):
        before = self.exporter.log.count("msg=reloaded")
        self.folder.file("defender_exporter.yml", self.configuration(*queries))
        self.exporter.send(signal.SIGHUP)
        until("the reload", lambda: self.exporter.log.count("msg=reloaded") > before)


def tenant():
    return Fake("--assessments", "600", "--machines", "0", "--subscriptions", "3", "--seed", "11",
                "--page-rows", "3")


def expected(fake):
    """Ids of the machines in the table, as the query names them."""
    return {row.lower() for row in fake.admin("dump")["resources"]
            if "/virtualmachines/" in row.lower() and row.startswith("/subscriptions")}


def test_rows_of_many_pages_become_metrics():
    with Folder() as folder, tenant() as fake:
        wanted = expected(fake)
        assert len(wanted) > 6, "a tenant of more than two pages"
        with Bench(folder, fake).start(machines()) as exporter:
            exporter.wait_ready()
            metrics = exporter.wait_metric("machines", lambda m: m.all("defender_custom_machines"))
            counts = metrics.all("defender_custom_machines")
            equal(sum(value for _, value in counts), len(wanted), "machines")
            equal({labels["subscription_id"] for labels, _ in counts},
                  {id.split("/")[2] for id in wanted}, "subscriptions")
            equal(metrics.one("defender_collector_rows", collector="custom_machines"),
                  len(wanted), "rows")
            assert metrics.one("defender_custom_newest_timestamp_seconds") > 1.7e9
            equal(metrics.one("defender_custom_rows_left_out", collector="custom_machines",
                              metric="defender_custom_machines"), 0, "rows left out")
            text = exporter.get("/metrics?collect[]=custom_machines").text
            contains(text, "# TYPE defender_custom_machines gauge", "one collector")
            contains(exporter.get("/status").text, "custom_machines", "the status page")


def test_what_azure_cannot_read_is_reported_in_its_words():
    with Folder() as folder, tenant() as fake:
        bad = machines(kql=KQL.replace("| project", "| projekt"))
        with Bench(folder, fake).start(bad) as exporter:
            exporter.wait_answering()
            exporter.wait_metric("a failure", lambda m: [value for _, value in m.all(
                "defender_scrape_collector_success", collector="custom_machines")] == [0])
            said = "ParserFailure at line 4, character 2 near "
            until("the log", lambda: said in exporter.log)
            contains(exporter.log, "projekt", "what is wrong")
            page = exporter.get("/status").text
            contains(page, said, "the status page")
            until("the subscriptions", lambda: exporter.metrics().all("defender_subscriptions"))


def test_findings_and_metrics_alert_by_name():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        wanted = expected(fake)
        with Bench(folder, fake, sink).start(machines()) as exporter:
            exporter.wait_ready()

            def alerts(name):
                return [alert for alert in exporter.get("/api/v2/alerts").json()
                        if alert["labels"]["alertname"] == name]
            until("alerts", lambda: len(alerts("Machine")) == len(wanted) and alerts("Machines"))
            labels = alerts("Machine")[0]["labels"]
            equal((labels["source"], labels["risk_level"]), ("custom_machines", "high"), "labels")

            def pages():
                return [message["body"]["data"] for message in sink.taken()
                        if message["body"]["data"]["blocks"][0].get("title") == "A machine"]
            page = until("a page", pages)[0]
            block = page["blocks"][0]
            contains(block["found"], "location: ", "the columns")
            contains(block["found"], "made: 20", "the columns")
            contains(json.dumps(page), "#resource/subscriptions/", "the link")


def test_a_reload_changes_a_query_and_ends_no_alert():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, fake, sink)
        other = {**machines(name="other"), "findings": None, "metrics": [
            {"name": "defender_custom_other"}]}
        with bench.start(machines(), other) as exporter:
            exporter.wait_ready()

            def firing():
                return {alert["labels"].get("location"): alert["startsAt"]
                        for alert in exporter.get("/api/v2/alerts").json()
                        if alert["labels"]["alertname"] == "Machines"}
            before = until("alerts", firing)
            assert exporter.metrics().all("defender_custom_other")
            metrics = [{**METRICS[0], "help": "Machines, by where they are."}, *METRICS[1:]]
            bench.reload(machines(metrics=metrics), other)
            exporter.wait_metric("the other help", lambda m: m.all("defender_custom_machines"))
            contains(exporter.get("/metrics").text, "Machines, by where they are.", "the help")
            assert exporter.metrics().all("defender_custom_other"), "it was left alone"
            equal(firing(), before, "alerts")
            told = [message["body"] for message in sink.taken()
                    if "resolved" in json.dumps(message["body"]["data"]["alerts"][0]["state"])]
            equal(told, [], "what was told as over")
            bench.sink = None  # nor rules that name the metric
            bench.reload(other)
            exporter.wait_metric("no machines", lambda m: not m.all("defender_custom_machines"))


if __name__ == "__main__":
    run(globals())
