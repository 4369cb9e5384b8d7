#!/usr/bin/env python3
"""The fast lane: what changes is told between two sweeps, and nothing is concluded from what is
missing."""
import collections

from alerts_model import finding_id, query
from harness import SECRET, Exporter, Fake, Folder, equal, run, settings, until
from sink import Sink, receiver

TENANT = ("--assessments", "1500", "--machines", "0", "--seed", "11", "--subscriptions", "3")
RULES = {"groups": [{"name": "all", "rules": [{"alert": "Any", "event": "finding.opened"}]}]}
LOOKS = "defender_exporter_fast_looks_total"


def configuration(fake, folder, sink=None, **assessments):
    return settings(
        fake.url, folder.file("secret", SECRET),
        {"assessments": {"interval": "1h", "fast_interval": "1s", **assessments},
         "baselines": {"enabled": False}, "secure_scores": {"interval": "1h"}},
        **({"alerts": {
            "rules": [folder.file("rules.yml", RULES)], "receivers": [receiver(sink)],
            "route": {"receiver": "team", "group_wait": "0s", "group_by": ["..."]}}}
           if sink else {}))


def open_now(folder):
    return {row.hex()[:16] for (row,) in query(
        folder, "SELECT id FROM ledger_known WHERE is_open = 1 AND source = 'assessments'")}


def unhealthy(fake):
    return {finding_id(row["id"]) for row in fake.admin("dump")["assessments"]
            if row["code"] == "Unhealthy"}


def looks(exporter, *results):
    return sum(exporter.metrics().sum(LOOKS, result=result)
               for result in results or ("news", "nothing"))


def test_told_before_the_next_sweep():
    with Folder() as folder, Sink() as sink, \
            Fake(*TENANT, "--reevaluated", "20", "--late", "60") as fake:
        with Exporter(folder, configuration(fake, folder, sink)) as exporter:
            exporter.wait_ready()
            until("what is adopted", lambda: open_now(folder) == unhealthy(fake))
            gone = set()
            for _ in range(7):  # every third deletes a resource
                fake.admin("advance?steps=1", "POST")
                history = fake.admin("history")
                gone |= {finding_id(event["id"]) for event in history
                         if event["event"] == "deleted"}
                until("what changed", lambda: open_now(folder) - gone == unhealthy(fake) - gone,
                      told=lambda: str(open_now(folder) ^ unhealthy(fake)))
            kinds = collections.Counter(event["event"] for event in history)
            equal(all(kinds[kind] for kind in ("opened", "fixed", "deleted")), True, f"{kinds}")
            equal(bool(gone & open_now(folder)), True, "what is missing is open")
            metrics = exporter.metrics()
            equal(metrics.sum("defender_findings"), len(open_now(folder)), "findings")
            equal(metrics.sum("defender_collector_rows", collector="assessments"), 1500, "rows")
            equal(metrics.one("defender_exporter_fast_interval_seconds"), 1, "interval")
            opened = {finding_id(event["id"]) for event in history if event["event"] == "opened"}
            until("messages", lambda: opened <= {
                alert["labels"].get("finding_id") for message in sink.taken()
                for alert in message["body"]["data"]["alerts"]})


def test_a_failing_lane_concludes_nothing_and_comes_back():
    with Folder() as folder, Fake(*TENANT) as fake:
        with Exporter(folder, configuration(fake, folder)) as exporter:
            exporter.wait_ready()
            until("looks", lambda: looks(exporter) >= 1)
            before = open_now(folder)
            fake.fault("503:path=Microsoft.ResourceGraph")
            fake.admin("advance?steps=1", "POST")
            exporter.wait_for("the fast lane fails", 90)
            equal(open_now(folder), before, "findings while it fails")
            fake.heal()
            exporter.wait_for("the fast lane works again", 90)
            until("what changed", lambda: open_now(folder) == unhealthy(fake))
            equal(exporter.metrics().one("defender_scrape_collector_success",
                                         collector="assessments"), 1, "the sweep")


def test_it_may_be_off():
    for assessments in ({"fast": False}, {"source": "rest"}):
        with Folder() as folder, Fake(*TENANT) as fake:
            config = configuration(fake, folder, **assessments)
            config["collectors"]["subscriptions"] = {"interval": "1s"}
            with Exporter(folder, config) as exporter:
                exporter.wait_ready()
                before = until("findings", lambda: open_now(folder))
                asked = fake.requests("subscriptions")
                fake.admin("advance?steps=1", "POST")  # and three intervals go by
                until("time", lambda: fake.requests("subscriptions") >= asked + 4)
                equal(looks(exporter), 0, f"looks with {assessments}")
                equal(open_now(folder), before, f"findings with {assessments}")


def test_a_sweep_does_not_take_back_what_the_lane_told():
    """A slow sweep: rows change behind the pages it has read."""
    with Folder() as folder, Sink() as sink, Fake(*TENANT, "--page-rows", "50") as fake:
        config = configuration(fake, folder, sink, interval="2s")
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            until("what is adopted", lambda: open_now(folder) == unhealthy(fake))
            fake.fault("slow:ms=20,path=Microsoft.ResourceGraph")
            seen = looks(exporter, "news")
            for _ in range(4):
                fake.admin("advance?steps=1", "POST")
                until("news", lambda: looks(exporter, "news") > seen, 60)
                seen = looks(exporter, "news")
            fake.heal()
            history = fake.admin("history")
            until("the end", lambda: open_now(folder) >= unhealthy(fake), 60)
            times = collections.Counter(row.hex()[:16] for (row,) in query(
                folder, "SELECT finding_id FROM ledger_event WHERE kind = 'finding.reopened'"))
            wanted = collections.Counter(finding_id(event["id"]) for event in history
                                         if event["event"] == "reopened")
            equal({key: count for key, count in times.items() if count > wanted[key]}, {},
                  "reopened though it was not")


run(globals())
