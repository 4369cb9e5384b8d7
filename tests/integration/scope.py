#!/usr/bin/env python3
"""Which subscriptions are looked at, in a large tenant that is renamed and moved while we look."""
import re

from alerts_model import open_in_ledger
from harness import SECRET, Exporter, Fake, Folder, contains, equal, run, settings, until
from sink import Sink, receiver

COUNT, GROUPS, DENIED = 400, 30, 40
OFTEN = {name: {"enabled": True, "interval": "1s", "timeout": "60s"}
         for name in ("subscriptions", "assessments")}


class Bench:
    """A tenant of many subscriptions in many management groups, and who looks at some of it."""

    def __init__(self, scope, count=COUNT, absent=(), **keys):
        self.scope, self.count, self.absent, self.keys = scope, count, absent, keys

    def __enter__(self):
        self.folder = Folder()
        self.folder.__enter__()
        self.fake = Fake("--subscriptions", str(self.count), "--assessments", str(self.count * 2))
        self.ids = [s["subscriptionId"] for s in self.fake.admin("dump")["subscriptions"]]
        for number, one in enumerate(self.ids):
            self.change(one, group=number % GROUPS, name=f"unit-{number}",
                        exists="false" if number in self.absent else "true")
        self.counts = {self.count - len(self.absent)}  # how many there are, and were just before
        self.folder.file("rules.yml", OPENED)
        config = settings(self.fake.url, self.folder.file("secret", SECRET), OFTEN,
                          subscriptions=self.scope, **self.keys,
                          collector={"disable_defaults": True, "max_staleness": "1h"})
        self.exporter = Exporter(self.folder, config)
        return self

    def __exit__(self, *why):
        for one in (self.exporter, self.fake, self.folder):
            one.__exit__(*why)

    def change(self, one, **what):
        self.fake.admin(f"subscription/{one}?" + "&".join(f"{k}={v}" for k, v in what.items()),
                        "POST")

    def receipt(self):
        metrics = self.exporter.metrics()
        states = {key: int(value) for (key,), value in
                  metrics.table("defender_subscriptions", "state").items()}
        whys = {key: int(value) for (key,), value in
                metrics.table("defender_subscriptions_filtered", "reason").items() if value}
        return states, whys

    def wait(self, states, whys, what):
        """Until the receipt says so; every one on the way adds up."""
        def look():
            found, why = self.receipt()
            if found:
                equal(sum(found.values()) in self.counts, True, f"{what}: {found}: all of them")
                equal(found["filtered"], sum(why.values()), f"{what}: why")
            return found == {"denied": 0, "disabled": 0, **states} and why == whys
        until(what, look, 60, told=lambda: str(self.receipt()))


def below(group):
    return len([number for number in range(COUNT) if number % GROUPS == group])


def test_the_receipt_adds_up_whatever_is_moved_and_denied():
    with Bench({"include_management_groups": ["mg-contoso-3", "MG-contoso-4"],
                "exclude_names": ["unit-3", "*-4"]}) as bench:
        bench.exporter.wait_ready(180)
        inside = below(3) + below(4)
        named = [n for n in range(COUNT) if n == 3 or str(n) == "4"]
        bench.wait({"visible": inside - len(named), "filtered": COUNT - inside + len(named)},
                   {"not_included": COUNT - inside, "name": len(named)}, "at first")
        seen = {labels["subscription_id"] for labels, _ in
                bench.exporter.metrics().all("defender_findings")}
        equal(seen <= {bench.ids[n] for n in range(COUNT) if n % GROUPS in (3, 4)}, True,
              "findings of those that are wanted alone")

        moved = [n for n in range(COUNT) if n % GROUPS == 5]
        for number in moved:
            bench.change(bench.ids[number], group=3)
        bench.wait({"visible": inside - len(named) + len(moved),
                    "filtered": COUNT - inside + len(named) - len(moved)},
                   {"not_included": COUNT - inside - len(moved), "name": len(named)}, "moved in")
        until("findings of what moved in", lambda: {bench.ids[n] for n in moved} <= {
            labels["subscription_id"] for labels, _ in
            bench.exporter.metrics().all("defender_findings")}, 60)

        bench.change(bench.ids[3], name="renamed")
        inside += len(moved)
        bench.wait({"visible": inside - 1, "filtered": COUNT - inside + 1},
                   {"not_included": COUNT - inside, "name": 1}, "renamed")
        rows = bench.exporter.get("/api/v1/subscriptions?limit=1000").json()
        why = {row["subscription_id"]: (row["state"], row["why"]) for row in rows["subscriptions"]}
        equal(why[bench.ids[4]], ("filtered", "name"), "one that is excluded, by the API")
        equal(why[bench.ids[0]], ("filtered", "not_included"), "one that is not included")
        equal(why[bench.ids[3]], ("visible", ""), "one that is looked at")
        is_denied(bench, inside)


def findings(bench):
    """Open findings by subscription."""
    found = {}
    for labels, value in bench.exporter.metrics().all("defender_findings"):
        one = labels["subscription_id"]
        found[one] = found.get(one, 0) + value
    return found


def is_denied(bench, inside):
    """40 are denied, wanted ones and others: what was known of them stays, also where they are."""
    wanted = [n for n in range(COUNT) if n % GROUPS in (3, 4, 5) and n != 4]
    denied = wanted[:DENIED // 2] + [n for n in range(COUNT) if n % GROUPS > 5][:DENIED // 2]
    before = findings(bench)
    for number in denied:
        bench.fake.fault(f"403:sub={bench.ids[number]}")
    bench.wait({"visible": inside - 1 - DENIED // 2, "denied": DENIED // 2,
                "filtered": COUNT - inside + 1},
               {"not_included": COUNT - inside, "name": 1}, "denied")
    rows = bench.exporter.get("/api/v1/subscriptions?limit=1000").json()["subscriptions"]
    equal({row["subscription_id"] for row in rows if row["state"] == "denied"},
          {bench.ids[n] for n in wanted[:DENIED // 2]}, "who is denied, by the API")
    equal(findings(bench), before, "findings: nothing is fixed by silence")
    bench.change(bench.ids[wanted[-1]], group=9)
    bench.wait({"visible": inside - 2 - DENIED // 2, "denied": DENIED // 2,
                "filtered": COUNT - inside + 2},
               {"not_included": COUNT - inside + 1, "name": 1}, "moved out meanwhile")
    bench.fake.admin("faults", "DELETE")
    bench.wait({"visible": inside - 2, "filtered": COUNT - inside + 2},
               {"not_included": COUNT - inside + 1, "name": 1}, "readable again")


OPENED = """groups:
- name: findings
  rules:
  - alert: Opened
    event: [finding.opened, finding.reopened]
"""


def test_new_subscriptions_come_in_by_themselves_and_quietly():
    """One is made in a group that is included, one is moved there, one appears elsewhere."""
    with Sink() as sink:
        bench = Bench({"include_management_groups": ["mg-contoso-3"]}, count=60,
                      absent=(33, 34), alerts={"rules": ["rules.yml"], "receivers": [
                          receiver(sink)], "governor": {"messages": 0},
                          "route": {"receiver": "team", "group_interval": "1s"}})
        with bench:
            bench.exporter.wait_ready()
            bench.wait({"visible": 1, "filtered": 57}, {"not_included": 57}, "at first")
            until("the first digest", lambda: len(sink.taken()) == 1, 60)
            contains(sink.taken()[0]["body"]["data"]["title"], "Watching 1 subscription:", "digest")
            bench.counts.add(60)
            for number in (33, 34):
                bench.change(bench.ids[number], exists="true")
            bench.change(bench.ids[5], group=3)
            bench.wait({"visible": 3, "filtered": 57}, {"not_included": 57}, "three are new")
            new = {bench.ids[33], bench.ids[5]}
            until("its findings", lambda: new <= set(findings(bench)), 60)
            equal([m["body"]["type"] for m in sink.taken() if m["body"]["type"] != "digest"], [],
                  "messages of single findings")
            equal("unit-34" in told_of(sink), False, "the one that is not wanted")


def told_of(sink):
    """The subscriptions that messages name."""
    return set(re.findall(r"unit-\d+", str([message["body"] for message in sink.taken()])))


def test_tags_include_and_exclude():
    with Bench({"include_tags": ["environment=prod"], "exclude_tags": ["frozen"]},
               count=20) as bench:
        bench.exporter.wait_ready()
        for one in bench.ids[:8]:
            bench.fake.admin(f"tag?id=/subscriptions/{one}&name=Environment&value=prod", "POST")
        for one in bench.ids[8:]:
            bench.fake.admin(f"tag?id=/subscriptions/{one}&name=Environment&value=test", "POST")
        for one in bench.ids[:2]:
            bench.fake.admin(f"tag?id=/subscriptions/{one}&name=Frozen&value=yes", "POST")
        bench.wait({"visible": 6, "filtered": 14}, {"not_included": 12, "tag": 2}, "by tag")


OUTSIDE = ("aws", "gcp")


def of_clouds(metrics):
    """Clouds that metrics tell of, but for what is left out."""
    return {labels["cloud"] for name, rows in metrics.samples.items() for labels, _ in rows
            if labels.get("cloud") and name != "defender_results_filtered"}


def test_clouds_are_left_out_and_nothing_is_concluded_from_it():
    """First all are looked at, then two are left out: what was open of them is not over."""
    collectors = {name: {"enabled": True, "interval": "1s"} for name in (
        "subscriptions", "assessments", "secure_scores")}
    with Folder() as folder, Sink() as sink, Fake(
            "--multicloud", "--subscriptions", "3", "--assessments", "600") as fake:
        folder.file("rules.yml", OPENED)
        config = settings(
            fake.url, folder.file("secret", SECRET), collectors, collector={
                "disable_defaults": True}, web={"enable_lifecycle": True}, alerts={
                    "rules": ["rules.yml"], "receivers": [receiver(sink)],
                    "governor": {"messages": 0}, "ledger": {"first_run": "all"},
                    "route": {"receiver": "team", "group_interval": "1s"}})
        rows = [row["source"].lower() for row in fake.admin("dump")["assessments"]]
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            until("the ledger", lambda: len(open_in_ledger(folder)) > 100 and sink.taken(), 60)
            equal(of_clouds(exporter.metrics()) >= {"azure", *OUTSIDE}, True, "clouds at first")
            opened = open_in_ledger(folder)
            config["subscriptions"] = {"exclude_clouds": list(OUTSIDE)}
            folder.file("defender_exporter.yml", config)
            equal(exporter.get("/-/reload", method="POST").status, 200, "reload")
            exporter.wait_metric("what is left out", lambda m: not of_clouds(m) & set(OUTSIDE))
            exporter.wait_metric("the receipt", lambda m: {
                labels["cloud"]: value for labels, value in m.all("defender_results_filtered")
                if value} == {cloud: rows.count(cloud) for cloud in OUTSIDE})
            left = {row["left_out"] for row in
                    exporter.get("/api/v1/subscriptions").json()["subscriptions"]}
            equal(set(", ".join(left).split(", ")), set(OUTSIDE), "by the API")
            end = collections(exporter.metrics()) + 5
            exporter.wait_metric("more collections", lambda m: collections(m) > end, 60)
            equal(open_in_ledger(folder), opened, "what is open in the ledger")
            equal([m for m in sink.taken() if m["body"]["data"]["resolved_count"]], [], "ends")


def collections(metrics):
    return metrics.sum("defender_collector_last_success_timestamp_seconds",
                       collector="assessments")


def test_who_is_wanted_is_not_guessed():
    """Without management groups nobody knows which subscriptions are wanted: it is an error."""
    with Bench({"include_management_groups": ["mg-contoso-3"]}, count=20) as bench:
        bench.exporter.wait_ready()
        bench.wait({"visible": 1, "filtered": 19}, {"not_included": 19}, "at first")
        bench.fake.fault("500:path=ResourceGraph")
        bench.exporter.wait_for("nobody knows which of them are wanted")
        equal(bench.receipt()[0]["visible"], 1, "what was known stays")


run(globals())
