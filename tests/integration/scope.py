#!/usr/bin/env python3
"""Which subscriptions are looked at, in a large tenant that is renamed and moved while we look."""
import re

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
            until("what is told of new ones", lambda: {"unit-33", "unit-5"} <= told_of(sink), 60)
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


def test_who_is_wanted_is_not_guessed():
    """Without management groups nobody knows which subscriptions are wanted: it is an error."""
    with Bench({"include_management_groups": ["mg-contoso-3"]}, count=20) as bench:
        bench.exporter.wait_ready()
        bench.wait({"visible": 1, "filtered": 19}, {"not_included": 19}, "at first")
        bench.fake.fault("500:path=ResourceGraph")
        bench.exporter.wait_for("nobody knows which of them are wanted")
        equal(bench.receipt()[0]["visible"], 1, "what was known stays")


run(globals())
