#!/usr/bin/env python3
"""Who changed a resource is in the message of its finding, and no name of anybody anywhere."""
import signal

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
NAMES = ("zebra.example", "2eb4a000-", "2eb4a001-", "203.0.113.222")  # of the stand-in's callers


def collectors(**activity):
    return {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s"},
            "secure_scores": {"enabled": False}, "baselines": {"enabled": False},
            "activity": activity}


class Bench:
    """An exporter that tells of every finding of a small tenant, ten seconds after it is new."""

    def __init__(self, folder, sink, fake, callers=False, wait="10s", repeat="4h", **activity):
        self.folder, self.sink, self.fake, self.wait = folder, sink, fake, wait
        self.activity, self.repeat = activity, repeat
        folder.file("rules.yml", RULES)
        self.rows, self.newest = {}, {}
        for row in fake.admin("dump")["assessments"]:
            before = self.newest.get(row["resourceId"], 0)
            self.newest[row["resourceId"]] = max(before, row["changed"])
            if row["code"] == "Unhealthy" and row["source"] == "Azure":
                self.rows[finding_id(row["id"])] = row
        self.exporter = Exporter(folder, self.configuration(callers), "--log.level=debug")

    def configuration(self, callers):
        return settings(
            self.fake.url, self.folder.file("secret", SECRET), collectors(**self.activity),
            alerts={"rules": ["rules.yml"], "ledger": {"first_run": "all"},
                    "governor": {"messages": 0}, "receivers": [receiver(self.sink)],
                    "route": {"receiver": "team", "group_by": ["..."], "group_wait": self.wait,
                              "repeat_interval": self.repeat},
                    **({"callers": True} if callers else {})})

    def again(self):
        """The program once more, with what it has kept."""
        return Exporter(self.folder, self.configuration(False), "--log.level=debug")

    def told(self, since=0):
        """{finding: what its message says of changes} of all that were told."""
        return {resource["finding_id"]: resource.get("changes", [])
                for message in self.sink.taken()[since:]
                for block in message["body"]["data"]["blocks"]
                for resource in block["resources"]
                if resource["state"] == "open" and resource["finding_id"] in self.rows}

    def truth(self, finding):
        """Who is to be named for a finding: (by, caller, operation), or None."""
        row = self.rows[finding]
        change = self.fake.admin("change?id=" + row["resourceId"])
        if row["changed"] != self.newest[row["resourceId"]] or change["logged"] is None:
            return None  # it is about another instant
        by = {"User": "user", "Application": "service principal", "System": "user"}
        return by[change["type"]], change["logged"], change["operation"]


def tenant(*more):
    return Fake("--assessments", "150", "--machines", "0", "--subscriptions", "2", "--seed", "12",
                *more)


def test_a_message_says_who_changed_the_resource_and_never_by_name():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, sink, fake)
        with bench.exporter as exporter:
            exporter.wait_ready()
            until("a message of every finding",
                  lambda: bench.told().keys() >= bench.rows.keys(), 120)
            checked = {}
            for finding, changes in bench.told().items():
                truth = bench.truth(finding)
                if not truth:
                    continue
                # The log is asked for so many a run, and not again for what a message waits for.
                first = changes[0] if changes else {"by": None, "operation": None}
                named = first["by"] in ("user", "service principal")
                if named:
                    equal((first["by"], first["operation"]), (truth[0], truth[2]), finding)
                checked.setdefault(named, []).append(finding)
                equal([one for one in changes if "caller" in one], [], "callers by name")
            equal(len(checked.get(True, [])) > 1, True, f"messages that say who: {checked}")
            places = {"the log": exporter.log, "/metrics": exporter.get("/metrics").text,
                      "/": exporter.get("/").text, "/status": exporter.get("/status").text,
                      "/api/v2/alerts": exporter.get("/api/v2/alerts").text}
            for number, message in enumerate(sink.taken()):
                places[f"message {number}"] = message["raw"].decode()
            for place, text in places.items():
                for name in NAMES:
                    equal(name in text, False, f"{name} in {place}")


def test_names_come_when_they_are_wanted():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, sink, fake, callers=True)
        with bench.exporter as exporter:
            exporter.wait_ready()
            until("messages of all", lambda: bench.told().keys() >= bench.rows.keys(), 120)
            callers = {finding: one["caller"] for finding, changes in bench.told().items()
                       for one in changes[:1] if "caller" in one and bench.truth(finding)}
            equal({finding: bench.truth(finding)[1] for finding in callers}, callers, "who")
            equal(len(callers) > 1, True, f"messages with a name: {callers}")
            equal([name for name in NAMES if name in exporter.log], [], "names in the log")
            equal([name for name in NAMES if name in exporter.get("/metrics").text], [],
                  "names in labels")
            told = len(sink.taken())
            bench.folder.file("defender_exporter.yml", bench.configuration(False))
            exporter.send(signal.SIGHUP)
            until("the reload", lambda: "msg=reloaded" in exporter.log)
            fake.admin("advance?steps=3", "POST")
            until("a message after the reload", lambda: len(sink.taken()) > told, 120)
            for message in sink.taken()[told:]:
                equal([name for name in NAMES if name in message["raw"].decode()], [],
                      "names in a message after the reload")


def test_who_changed_it_is_known_after_a_restart():
    """What is told once more says the same, and nobody is asked again."""
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, sink, fake, wait="1s", repeat="2s")

        def told_again():
            told = len(sink.taken())
            until("all of it once more", lambda: bench.told(told).keys() >= bench.rows.keys(), 120)
            return {finding: changes for finding, changes in bench.told(told).items() if changes}
        with bench.exporter as exporter:
            exporter.wait_ready()
            before = []  # of each time that it was told; by and by all is known
            until("who changed what", lambda: before.append(told_again()) or
                  (len(before) > 2 and before[-1] and before[-1] == before[-3]), 120)
        asked = fake.admin("stats")["endpoints"]["activity"]
        with bench.again() as exporter:
            exporter.wait_ready()
            equal(told_again(), before[-1], "who changed what, after the restart")
            equal(fake.admin("stats")["endpoints"]["activity"], asked, "requests to the log")
            equal(len(before[-1]) > 1, True, f"messages that say who: {before[-1]}")


def test_a_message_is_told_without_an_answer():
    """Neither a log that may not be read nor a table that fails keeps a message back."""
    for fault in ("403:path=Microsoft.Insights", "hang:path=Microsoft.Insights"):
        with Folder() as folder, Sink() as sink, tenant("--fault", fault) as fake:
            bench = Bench(folder, sink, fake, timeout="2s")
            with bench.exporter as exporter:
                exporter.wait_ready()
                until("messages of all", lambda: bench.told().keys() >= bench.rows.keys(), 120)
                refused = exporter.log.count("the activity log may not be read")
                equal(refused, int(fault.startswith("403")), f"how often it is said, {fault}")


def test_without_a_message_nobody_asks():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, sink, fake)
        folder.file("rules.yml", RULES.replace("finding.opened, finding.reopened",
                                               "score.dropped"))
        with bench.exporter as exporter:
            exporter.wait_ready()
            fake.admin("advance?steps=3", "POST")
            until("news", lambda: exporter.metrics().sum("defender_findings_opened_total") > 0, 120)
            equal(fake.admin("stats")["endpoints"].get("activity"), None, "requests to the log")
            equal(exporter.metrics().one("defender_collector_rows", collector="activity"), 0,
                  "rows that were read")


run(globals())
