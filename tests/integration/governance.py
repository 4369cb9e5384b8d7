#!/usr/bin/env python3
"""What governance in Azure says of a finding: its due date goes before the SLA, and its owner is
told only where the operator wants it."""
import datetime
import signal
import urllib.parse

from alerts_model import finding_id
from harness import SECRET, Exporter, Fake, Folder, equal, run, settings, until
from sink import Sink, receiver

RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
"""
COLLECTORS = {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s"},
              "governance": {"interval": "1s"}, "secure_scores": {"enabled": False},
              "baselines": {"enabled": False}}
OWNER = "zebra@example.com"


def day(days):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days)


class Bench:
    """An exporter whose alerts go to `web` when they are of the zebra, and a finding of its own."""

    def __init__(self, folder, sink, fake, owners):
        self.folder, self.sink, self.fake = folder, sink, fake
        folder.file("rules.yml", RULES)
        self.row = next(row for row in fake.admin("dump")["assessments"]
                        if row["code"] == "Unhealthy" and "/providers/" in row["resourceId"])
        self.assign(owner=OWNER, due=day(400).strftime("%Y-%m-%dT12:00:00.0000000Z"), grace="true")
        self.fake.admin("governance_rule?" + urllib.parse.urlencode(
            {"subscription": self.row["subscriptionId"], "title": "What zoologists mend",
             "property": "$.AssessmentKey", "value": f'["x", "{self.row["id"].split("/")[-1]}"]',
             "owner": OWNER}), "POST")
        self.exporter = Exporter(folder, self.configuration(owners))

    def assign(self, **more):
        self.fake.admin("govern?" + urllib.parse.urlencode({"id": self.row["id"], **more}), "POST")

    def configuration(self, owners):
        routes = [{"receiver": "web", "matchers": [f'governance_owner="{OWNER}"']}]
        return settings(self.fake.url, self.folder.file("secret", SECRET), COLLECTORS, alerts={
            "rules": ["rules.yml"], "ledger": {"first_run": "all"}, "governor": {"messages": 0},
            "receivers": [receiver(self.sink), receiver(self.sink, "web")],
            **({"governance_owner": True} if owners else {}),
            "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s",
                      "group_interval": "1s", **({"routes": routes} if owners else {})}})

    def alert(self):
        """Owner, due date and receivers of the alert of the row; nothing while there is none."""
        for alert in self.exporter.get("/api/v2/alerts").json():
            if alert["labels"].get("finding_id") == finding_id(self.row["id"]):
                return (alert["labels"].get("governance_owner"),
                        [one["name"] for one in alert["receivers"]])
        return None

    def wait(self, *wanted):
        until(f"an alert with {wanted}", lambda: self.alert() == wanted, 60,
              told=lambda: f"it is {self.alert()}")

    def page(self):
        """What was told of the resource first."""
        for message in self.sink.taken():
            for block in message["body"]["data"]["blocks"]:
                for resource in block.get("resources", []):
                    if resource["finding_id"] == finding_id(self.row["id"]):
                        return resource
        return None

    def counted(self, state):
        return self.exporter.metrics().one("defender_governance_assignments", state=state,
                                           subscription_id=self.row["subscriptionId"])


def tenant():
    return Fake("--assessments", "60", "--machines", "0", "--subscriptions", "3", "--seed", "11")


def search(exporter, word):
    """It is in no metric and in no log."""
    for where, text in (("metrics", exporter.get("/metrics").text), ("log", exporter.log)):
        equal(word in text, False, f"{word} in the {where}")


def test_an_assignment_routes_and_dates_a_page():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, sink, fake, True)
        with bench.exporter as exporter:
            exporter.wait_ready()
            bench.wait(OWNER, ["web"])
            until("the count", lambda: bench.counted("grace") == 1)
            equal(bench.counted("overdue"), 0, "what is overdue")
            until("the page", bench.page)
            equal(bench.page()["owner"], OWNER, "the owner in the page")
            equal(bench.page()["due_at"], day(400).strftime("%Y-%m-%dT23:59:59Z"), "when it is due")
            equal(bench.page()["due_note"], "set by governance in Azure, rule What zoologists "
                  "mend; it costs no points until then", "who set it")
            # Who is denied has the owner he had; what Azure lists meanwhile nobody sees.
            fake.fault("403:sub=" + bench.row["subscriptionId"])
            bench.assign(owner="okapi@example.com", due=day(-2).strftime("%Y-%m-%d"))
            exporter.wait_for("access denied")
            equal(bench.alert(), (OWNER, ["web"]), "of a subscription that is denied")
            fake.heal()
            bench.wait("okapi@example.com", ["team"])
            until("the count", lambda: bench.counted("overdue") == 1)
            bench.assign()
            bench.wait(None, ["team"])
            for word in ("zebra", "okapi"):
                search(exporter, word)


def test_without_the_switch_only_the_date_is_told():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, sink, fake, False)
        with bench.exporter as exporter:
            exporter.wait_ready()
            bench.wait(None, ["team"])
            until("the count", lambda: bench.counted("grace") == 1)
            until("the page", bench.page)
            pages = [message["raw"] for message in sink.taken()]
            equal([page for page in pages if b"zebra" in page], [], "pages with an owner")
            search(exporter, "zebra")
            before = exporter.log.count("msg=reloaded")
            folder.file("defender_exporter.yml", bench.configuration(True))
            exporter.send(signal.SIGHUP)
            until("the reload", lambda: exporter.log.count("msg=reloaded") > before)
            bench.wait(OWNER, ["web"])


run(globals())
