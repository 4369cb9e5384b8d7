#!/usr/bin/env python3
"""Tags that the operator lists route alerts, and are nowhere else."""
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
              "tags": {"interval": "1s"}, "secure_scores": {"enabled": False},
              "baselines": {"enabled": False}}
TAGS = ["Team", "Cost Center"]


class Bench:
    """An exporter whose alerts go to `web` when they are of the zebras, and one finding of it."""

    def __init__(self, folder, sink, fake, tags):
        self.folder, self.sink, self.fake = folder, sink, fake
        folder.file("rules.yml", RULES)
        opened = {}
        for row in fake.admin("dump")["assessments"]:
            if row["code"] == "Unhealthy" and "/providers/" in row["resourceId"]:
                opened.setdefault(row["subscriptionId"], row)
        self.row, self.other = list(opened.values())[:2]
        self.exporter = Exporter(folder, self.configuration(tags))

    def configuration(self, tags):
        routes = [{"receiver": "web", "matchers": ['tag_team="zebras"']}] if tags == TAGS else []
        listed = {"tags": tags} if tags else {}
        return settings(self.fake.url, self.folder.file("secret", SECRET), COLLECTORS, alerts={
            "rules": ["rules.yml"], "ledger": {"first_run": "all"}, "governor": {"messages": 0},
            "receivers": [receiver(self.sink), receiver(self.sink, "web")],
            "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s",
                      "group_interval": "1s", "routes": routes}, **listed})

    def reload(self, tags):
        before = self.exporter.log.count("msg=reloaded")
        self.folder.file("defender_exporter.yml", self.configuration(tags))
        self.exporter.send(signal.SIGHUP)
        until("the reload", lambda: self.exporter.log.count("msg=reloaded") > before)

    def tag(self, row, name, value):
        parameters = urllib.parse.urlencode({"id": row["resourceId"], "name": name,
                                             "value": value})
        self.fake.admin("tag?" + parameters, "POST")

    def alert(self, row):
        """Labels of tags and receivers of the alert of a row; nothing while there is none."""
        for alert in self.exporter.get("/api/v2/alerts").json():
            if alert["labels"].get("finding_id") == finding_id(row["id"]):
                tags = {name: value for name, value in alert["labels"].items()
                        if name.startswith("tag_")}
                return tags, [one["name"] for one in alert["receivers"]]
        return None

    def wait(self, row, tags, name):
        until(f"an alert with {tags} at {name}", lambda: self.alert(row) == (tags, [name]), 60,
              told=lambda: f"it is {self.alert(row)}")

    def told(self):
        """How often each receiver was told that the finding is open."""
        counts = {}
        for message in self.sink.taken():
            data = message["body"]["data"]
            for alert in data["alerts"]:
                if alert["labels"].get("finding_id") == finding_id(self.row["id"]):
                    key = data["receiver"], alert["state"]
                    counts[key] = counts.get(key, 0) + 1
        return counts

    def runs(self, count=3):
        """Wait until the tags were read so often again."""
        def read():
            return self.exporter.metrics().one("defender_collector_last_success_timestamp_seconds",
                                               collector="tags")
        for _ in range(count):
            before = read()
            until("another collection of tags", lambda: read() > before, 60)


def tenant():
    return Fake("--assessments", "60", "--machines", "0", "--subscriptions", "3", "--seed", "11")


def test_another_tag_moves_the_page_and_opens_nothing():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, sink, fake, TAGS)
        bench.tag(bench.row, "TEAM", "zebras")
        bench.tag(bench.row, "cost center", "4711-zebras")
        bench.tag(bench.other, "team", "okapis")
        with bench.exporter as exporter:
            exporter.wait_ready()
            zebras = {"tag_team": "zebras", "tag_cost_center": "4711-zebras"}
            bench.wait(bench.row, zebras, "web")
            bench.wait(bench.other, {"tag_team": "okapis"}, "team")
            bench.tag(bench.row, "team", "okapis")
            okapis = {**zebras, "tag_team": "okapis"}
            bench.wait(bench.row, okapis, "team")
            # Who is denied has the tags it had; what Azure lists meanwhile nobody sees.
            fake.fault("403:sub=" + bench.row["subscriptionId"])
            bench.tag(bench.row, "team", "zebras")
            bench.runs()
            equal(bench.alert(bench.row), (okapis, ["team"]), "of a subscription that is denied")
            fake.heal()
            bench.wait(bench.row, zebras, "web")
            bench.tag(bench.row, "team", "")
            bench.wait(bench.row, {"tag_cost_center": "4711-zebras"}, "team")
            bench.tag(bench.row, "cost center", "")  # the last one there
            bench.wait(bench.row, {}, "team")
            told = {key: count for key, count in bench.told().items() if key[1] == "firing"}
            equal(sum(told.values()), 1, f"pages about the finding: {told}")
            for where, text in (("metrics", exporter.get("/metrics").text), ("log", exporter.log)):
                for word in ("zebras", "okapis", "tag_team"):
                    equal(word in text, False, f"{word} in the {where}")


def test_without_a_list_nobody_asks_and_nothing_is_told():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, sink, fake, [])
        bench.tag(bench.row, "Team", "zebras")
        with bench.exporter as exporter:
            exporter.wait_ready()
            bench.wait(bench.row, {}, "team")
            until("the page", bench.told)
            metrics = exporter.metrics()
            equal(metrics.all("defender_scrape_collector_success", collector="tags"), [], "runs")
            pages = [message["raw"] for message in sink.taken()]
            equal([page for page in pages if b"zebras" in page], [], "pages with a tag")
            bench.reload(TAGS)
            bench.wait(bench.row, {"tag_team": "zebras"}, "web")
            bench.reload(["Cost Center"])
            bench.wait(bench.row, {}, "team")
            equal({key[1] for key in bench.told()}, {"firing"}, "what was told")


run(globals())
