#!/usr/bin/env python3
"""Owners, callers and tags: every collector reads a tenant that is full of them, and they are in
nothing that leaves the program unless switched on; in logs at debug level and in metrics never."""
import datetime
import re
import subprocess
import urllib.parse

from alerts_model import finding_id
from harness import EXPORTER, SECRET, Exporter, Fake, Folder, equal, run, settings, until
from otlp_receiver import Receiver
from sink import Sink, receiver

RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened, finding.risk_changed, finding.overdue,
            finding.exemption_expired, attack_path.opened, security_alert.opened,
            baseline.rule_regressed, control.regressed, score.dropped, plan.disabled,
            remediation.failed]
"""
OWNER, REQUESTER, TAG = "owner.zebra@example.com", "asks.zebra@example.com", "4711-zebra"
LISTED = "okapis"  # a tag that is listed: it routes, and is a label of alerts
# What the stand-in tells of callers, and of who made tasks and profiles.
CALLERS = ("zebra.example", "2eb4a000-", "2eb4a001-", "203.0.113.222")
NEVER = ("zebra", *CALLERS)
PAGES = ("/", "/-/ready", "/api/v1/alerts", "/api/v1/outbox", "/api/v2/alerts",
         "/api/v2/alerts/groups", "/api/v2/silences", "/api/v2/status")
SWITCHES = {"governance_owner": True, "exemption_requesters": True, "callers": True}


def known():
    """Every collector, and what its key `source` takes: {name: [words], the default first}."""
    text = subprocess.run([EXPORTER, "config"], check=True, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL).stdout
    section = re.search(r"^collectors:\n(.*?)^\w", text, re.M | re.S)[1]
    found, name, words = {}, "", []
    for line in section.splitlines():
        if re.fullmatch(r"  \w+:", line):
            name = line.strip(" :")
        elif "One of: " in line:
            words = line.split("One of: ")[1].rstrip(".").split(", ")
        elif chosen := re.fullmatch(r"    source: (\w+)", line):
            found[name] = sorted(words, key=lambda word, first=chosen[1]: word != first)
    return found


class Bench:
    """A tenant with somebody in every place that has one, and an exporter that tells all of it."""

    def __init__(self, folder, sink, otlp, fake, source, **switches):
        self.folder, self.sink, self.otlp, self.fake = folder, sink, otlp, fake
        self.sources = known()
        folder.file("rules.yml", RULES)
        dump = fake.admin("dump")
        for row in dump["assessments"]:
            self.admin("govern", id=row["id"], owner=OWNER, due="2030-01-01")
            for name, value in (("Keeper", TAG), ("Team", LISTED)):
                if "/providers/" in row["resourceId"]:
                    self.admin("tag", id=row["resourceId"], name=name, value=value)
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(20)
        for subscription in [row["subscriptionId"] for row in dump["subscriptions"]]:
            self.admin("governance_rule", subscription=subscription, title="All", owner=OWNER,
                       property="$.AssessmentKey", value='["x"]')
            self.admin("fix", subscription=subscription, task="fix", status="Failed", code="Locked",
                       message="It is locked", at="2026-11-01T00:00:00Z",
                       resource=f"/subscriptions/{subscription}/resourceGroups/g/providers/a.b/c/d")
            for one in dump["metadata"]:
                if one["policyDefinitionId"]:
                    self.admin("exempt", scope="/subscriptions/" + subscription, reason="We leave",
                               policy=one["policyDefinitionId"], requester=REQUESTER,
                               expires=end.strftime("%Y-%m-%dT%H:%M:%SZ"))
        collectors = {name: {"enabled": True, "interval": "1s", **(
            {"source": source} if source in words else {})} for name, words in self.sources.items()}
        self.exporter = Exporter(folder, settings(
            fake.url, folder.file("secret", SECRET), collectors, metrics={"opt_in_list": ".*"},
            otlp={"endpoint": otlp.url, "metrics": {"interval": "1s"}},
            alerts={"rules": ["rules.yml"], "ledger": {"first_run": "all"}, "tags": ["Team"],
                    "governor": {"messages": 0}, "receivers": [receiver(sink)], **switches,
                    "route": {"receiver": "team", "group_by": ["..."], "group_wait": "5s",
                              "group_interval": "1s"}}), "--log.level=debug")

    def admin(self, path, **parameters):
        self.fake.admin(f"{path}?{urllib.parse.urlencode(parameters)}", "POST")

    def pushed(self):
        """All records so far, and the metrics of now."""
        seen = len(self.otlp.asked())
        until("a push of metrics", lambda: any(
            b"defender.mdvm.baseline.configuration.info" in request["bytes"]
            for request in self.otlp.asked()[seen:]), 60)
        equal(len(self.otlp.taken()) > 5, True, "records that were pushed")
        return b"".join(request["bytes"] for request in self.otlp.asked()).decode(errors="replace")

    def sent(self):
        return b"".join(message["raw"] for message in self.sink.taken()).decode()

    def wait(self):
        """Until every collector has read all, and messages were told about all kinds of it."""
        self.exporter.wait_ready()
        for name in set(self.sources) - {"activity"}:  # that one only answers
            self.exporter.wait_metric(name, lambda m, name=name: m.sum(
                "defender_scrape_collector_success", collector=name) == 1, 60)
        until("the activity log", lambda: self.fake.requests("activity") > 0, 60)
        for word in ("finding.opened", "security_alert.opened"):
            until(f"messages of {word}", lambda word=word: f'"{word}"' in self.sent(), 60)
        exempted = self.exempt()
        until("what is exempted", lambda: any(
            b'"finding.exempted"' in message["raw"] and exempted.encode() in message["raw"]
            for message in self.sink.taken()), 60)

    def firing(self):
        return {alert["labels"].get("finding_id", "") for alert in
                self.exporter.get("/api/v2/alerts").json()} - {""}

    def exempt(self):
        """Go on until the tenant exempts what is told of as open; its id."""
        for _ in range(20):
            firing = self.firing()
            self.fake.admin("advance?steps=1", "POST")
            for row in self.fake.admin("dump")["assessments"]:
                if row["cause"] == "Exempt" and finding_id(row["id"]) in firing:
                    return finding_id(row["id"])
        raise AssertionError("nothing that is open was exempted")

    def absent(self, words, places):
        for where, text in places.items():
            equal([word for word in words if word in text], [], f"names in {where}")

    def search(self):
        """What no switch lets out, and where."""
        metrics = self.exporter.get("/metrics").text
        equal(metrics.count("\ndefender_mdvm_baseline_configuration_info{") > 0, True, "all levels")
        equal("level=DEBUG" in self.exporter.log, True, "the log is talkative")
        self.absent((*NEVER, LISTED), {"the log": self.exporter.log, "/metrics": metrics,
                                       "/": self.exporter.get("/").text,
                                       "/status": self.exporter.get("/status").text,
                                       "what is pushed": self.pushed()})

    def finding_pages(self):
        ids = sorted(self.firing())
        equal(len(ids) > 5, True, "alerts of findings")
        return ["/f/" + one for one in ids]


def tenant():
    return Fake("--assessments", "400", "--machines", "4", "--subscriptions", "2", "--seed", "11",
                "--exemptions", "1")


def test_nobody_is_named_unless_it_is_switched_on():
    for source in ("graph", "rest"):
        with Folder() as folder, Sink() as sink, Receiver() as otlp, tenant() as fake:
            bench = Bench(folder, sink, otlp, fake, source)
            equal({"exposure", "mdvm_baselines", "governance", "exemptions", "tags", "activity",
                   "remediations"} - set(bench.sources), set(), "collectors")
            with bench.exporter as exporter:
                bench.wait()
                bench.search()
                pages = (*PAGES, *bench.finding_pages())
                bench.absent(NEVER, {page: exporter.get(page).text for page in pages})
                bench.absent(NEVER, {f"message {number}": message["raw"].decode()
                                     for number, message in enumerate(sink.taken())})


def test_switched_on_they_are_in_messages_only():
    with Folder() as folder, Sink() as sink, Receiver() as otlp, tenant() as fake:
        bench = Bench(folder, sink, otlp, fake, "graph", **SWITCHES)
        with bench.exporter:
            bench.wait()
            for word in (OWNER, REQUESTER, LISTED, CALLERS[0]):
                until(f"{word} in a message", lambda word=word: word in bench.sent(), 60)
            bench.search()
            bench.absent((TAG,), {"what was sent": bench.sent()})


run(globals())
