#!/usr/bin/env python3
"""Exemptions of Azure Policy: those that end soon are counted, messages say until when, what fails
again when one is over comes back as what it is, and who asked is told only where that is wanted."""
import datetime
import urllib.parse

from alerts_model import finding_id
from harness import SECRET, Exporter, Fake, Folder, contains, equal, run, settings, until
from pages import sound
from sink import Sink, receiver

RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
"""
COLLECTORS = {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s"},
              "catalogue": {"interval": "1s"}, "exemptions": {"interval": "1s"},
              "secure_scores": {"interval": "1s"}, "baselines": {"enabled": False},
              "attack_paths": {"enabled": False}}
WHO = "zebra@example.com"


def day(days):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Bench:
    """A tenant in which each generation exempts one finding, and an exporter that tells all."""

    def __init__(self, folder, sink, fake, named):
        self.sink, self.fake = sink, fake
        folder.file("rules.yml", RULES)
        self.exporter = Exporter(folder, settings(
            fake.url, folder.file("secret", SECRET), COLLECTORS, alerts={
                "rules": ["rules.yml"], "ledger": {"first_run": "all"},
                "governor": {"messages": 0}, "receivers": [receiver(sink)],
                **({"exemption_requesters": True} if named else {}),
                "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s",
                          "group_interval": "1s"}}))

    def exempt(self, scope, policy, expires, **more):
        self.fake.admin("exempt?" + urllib.parse.urlencode(
            {"scope": scope, "policy": policy, "expires": expires, **more}), "POST")

    def exempt_everything(self, expires, **more):
        """From each policy in each subscription: whichever finding is exempted, this is why."""
        dump = self.fake.admin("dump")
        for subscription in dump["subscriptions"]:
            for known in dump["metadata"]:
                if known["policyDefinitionId"]:
                    self.exempt("/subscriptions/" + subscription["subscriptionId"],
                                known["policyDefinitionId"], expires, **more)

    def count(self, family, subscription, **labels):
        return self.exporter.metrics().one(f"defender_{family}", subscription_id=subscription,
                                           **labels)

    def exempted(self):
        """Ids of what the tenant shows as exempted."""
        return {finding_id(row["id"]) for row in self.fake.admin("dump")["assessments"]
                if row["cause"] == "Exempt"}

    def told(self, event):
        """What was told of each finding with an event."""
        return {resource["finding_id"]: (message["body"]["data"]["title"], resource)
                for message in self.sink.taken()
                if event in {alert["event"] for alert in message["body"]["data"]["alerts"]}
                for block in message["body"]["data"]["blocks"]
                for resource in block.get("resources", [])}

    def check_page(self, finding):
        """The page of its recommendation says that it is exempted, and what happened before."""
        row = next(row for row in self.fake.admin("dump")["assessments"]
                   if finding_id(row["id"]) == finding)
        page = sound(self.exporter.get("/recommendations/" + row["key"].lower()).text, "the page")
        listed = page.split("<h2>Exempted</h2>")[1].split("<h2>")[0]
        for part in (f"/f/{finding[:16]}", "waiver", "We leave", day(20)[:10]):
            contains(listed, part, "what is exempted")
        equal(WHO in page, False, "who asked for it")
        contains(page.split("<h2>Who was told</h2>")[1], "team", "who was told")
        contains(page, "<h2>The last 26 weeks</h2>", "its history")

    def firing(self):
        return {alert["labels"].get("finding_id")
                for alert in self.exporter.get("/api/v2/alerts").json()}

    def exempt_one(self):
        """Go on until the tenant exempts a finding that is told of as open; its id."""
        for _ in range(20):
            firing = self.firing()
            self.fake.admin("advance?steps=1", "POST")
            new = self.exempted() & firing
            if new:
                return new.pop()
        raise AssertionError("no open finding was exempted")


def tenant():
    return Fake("--assessments", "200", "--machines", "0", "--subscriptions", "2", "--seed", "11",
                "--exemptions", "1")


def test_what_ends_soon_is_counted():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, sink, fake, False)
        with bench.exporter as exporter:
            exporter.wait_ready()
            first, second = (row["subscriptionId"] for row in fake.admin("dump")["subscriptions"])
            scope = "/subscriptions/" + first
            for number, end in enumerate([day(6), day(20), day(29), day(31), "", day(-1)]):
                bench.exempt(scope, f"/policies/{number}", end)
            until("the counts", lambda: bench.count("exemptions", first, category="waiver") == 5)
            for labels, wanted in (({"within": "7d"}, 1), ({"within": "30d"}, 3)):
                equal(bench.count("exemptions_expiring", first, **labels), wanted, f"{labels}")
                equal(bench.count("exemptions_expiring", second, **labels), 0, f"{labels}")
            equal(bench.count("exemptions_expired", first), 1, "those that are over")


def an_exemption_comes_and_goes(named):
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, sink, fake, named)
        bench.exempt_everything(day(20), reason="We leave", requester=WHO)
        with bench.exporter as exporter:
            exporter.wait_ready()
            until("the points", lambda: exporter.metrics().sum("defender_exempted_points") >= 0)
            until("alerts", bench.firing)
            finding = bench.exempt_one()
            until("the message", lambda: finding in bench.told("finding.exempted"))
            title, resource = bench.told("finding.exempted")[finding]
            equal(title.startswith(f"Exempted until {day(20)[:10]}: "), True, title)
            equal(resource["exempted_until_at"][:10], day(20)[:10], "its end")
            equal(resource["exemption"], "waiver: We leave" + f" (requested by {WHO})" * named,
                  "why")
            bench.check_page(finding)
            for _ in range(8):
                if finding not in bench.exempted():
                    break
                fake.admin("advance?steps=1", "POST")
            equal(finding in bench.exempted(), False, "the exemption is over")
            until("what is back", lambda: finding in bench.told("finding.exemption_expired"))
            for where, text in (("metrics", exporter.get("/metrics").text), ("log", exporter.log)):
                equal("zebra" in text, False, f"who asked, in the {where}")
            raw = b"".join(message["raw"] for message in sink.taken())
            equal(b"zebra" in raw, named, "who asked, in what was sent")


def test_a_message_says_until_when_and_who_asked():
    an_exemption_comes_and_goes(True)


def test_without_the_switch_nobody_sees_who_asked():
    an_exemption_comes_and_goes(False)


run(globals())
