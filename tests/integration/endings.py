#!/usr/bin/env python3
"""The last row of a kind goes, of one subscription or of all: it is over within a few looks, and
nobody is told that something cannot be read. Rights are lost, or Azure loses a kind everywhere for
a while: nothing is over."""
import urllib.parse

from alerts_model import query
from harness import (SECRET, Exporter, Fake, Folder, collectors, contains, equal, run, settings,
                     until)
from sink import Sink, receiver

LOOKS = 3  # the one under way, the one that is believed, one to be read
LOOKS_MISSED = 5  # more than a finding of them is missing in until it is over
DOUBTED = 2  # looks that are not believed when several subscriptions lose all of a kind at once
EXEMPTIONS = 3  # of each subscription: few may go at once

# What of each kind goes, and the family in which it is over: without one, the rows of the source.
KINDS = {
    "attack_paths": ("ended:body=attack_paths_ro", "defender_attack_paths"),
    "security_alerts": ("ended:body=security_alerts", "defender_security_alerts"),
    "exemptions": ("ended:body=exemptions", "defender_exemptions"),
    "governance": ("ended:body=governance", "defender_governance_assignments"),
    "subassessments": ("ended:body=subassessments", "defender_subassessment_findings"),
    "prerequisites": ("ended:body=prerequisites", "defender_machines"),
    "remediations": ("empty:path=PolicyInsights/remediations", "defender_remediation_tasks"),
    "custom_machines": ("ended:body=own", "defender_custom_machines"),
}
# These are told of all subscriptions together, or by none of their families.
TOGETHER = {
    "baselines": ("ended:body=baseline_findin", "defender_baseline_rule_failing_machines"),
    "tags": ("ended:body=tags_", "defender_collector_rows"),
}
# Those of which a subscription always has some: where none comes, there is something the matter.
ALWAYS = {"assessments": ("ended:body=assessments", "defender_findings"),
          "secure_scores": ("ended:body=secure_score", "defender_secure_score_ratio")}
# The query that brings what is shown of a kind.
QUERIES = {
    "attack_paths": "attack_paths_rows", "security_alerts": "security_alerts_rows",
    "exemptions": "exemptions_rows", "governance": "governance_rows",
    "subassessments": "subassessments_severities_summary", "prerequisites": "prerequisites_rows",
    "custom_machines": "own",
}
# Of these it is not a subscription that has some: Azure's own list, other services, what is asked.
OTHERS = {"subscriptions", "catalogue", "exposure", "mdvm_baselines", "activity", "plans",
          "compliance"}
FINDINGS = ("attack_paths", "custom_machines")  # of an alert Azure says so
MACHINES = {
    "name": "machines", "interval": "1s",
    "kql": "resources\n| where type contains 'virtualmachines'\n"
           "| project id, subscriptionId, title = 'A machine', risk = 'high'\n| order by id asc\n",
    "columns": {"id": "text", "subscriptionId": "text", "title": "text", "risk": "text"},
    "metrics": [{"name": "defender_custom_machines",
                 "labels": {"subscription_id": "subscriptionId"}}],
    "findings": {"id": "id", "subscription": "subscriptionId", "title": "title", "risk": "risk"},
}
RULES = """
groups:
- name: all
  rules:
  - alert: Stale
    event: data.stale
"""


class Bench:
    """A tenant with some of each kind, of two subscriptions, and an exporter that discovers these
    once, unless told otherwise: no later discovery says that they can be read."""

    def __init__(self, folder, sink, fake, discovery="1h"):
        self.folder, self.sink, self.fake = folder, sink, fake
        self.ids = [row["subscriptionId"] for row in fake.admin("dump")["subscriptions"]]
        for row in self.ids:
            for place in range(EXEMPTIONS):
                self.put("exempt", scope=f"/subscriptions/{row}", policy=f"/policies/{row}/{place}")
            self.put("fix", subscription=row, task="fix", resource=f"/subscriptions/{row}/x",
                     status="Failed")
        for finding in fake.admin("dump")["assessments"]:
            self.put("govern", id=finding["id"], owner="a@example.com", due="2030-01-01T00:00:00Z")
        for name in fake.admin("dump")["resources"]:
            self.put("tag", id=name, name="team", value="red")
        folder.file("rules.yml", RULES)
        sources = {name: {"interval": "1s"} for name in collectors() - {"activity", "exposure",
                                                                        "mdvm_baselines"}}
        sources.update(subscriptions={"interval": discovery}, custom=[MACHINES])
        sources["assessments"]["fast"] = False
        self.config = settings(fake.url, folder.file("secret", SECRET), sources, alerts={
            "rules": ["rules.yml"], "tags": ["team"], "ledger": {"first_run": "silent"},
            "governor": {"messages": 0}, "receivers": [receiver(sink)],
            "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s",
                      "group_interval": "1s"}})
        self.exporter = Exporter(folder, self.config)

    def put(self, what, **more):
        self.fake.admin(what + "?" + urllib.parse.urlencode(more), "POST")

    def value(self, kind, subscription, metrics=None):
        metrics = metrics or self.exporter.metrics()
        if kind == "tags":  # beside the subscriptions themselves
            return metrics.sum(TOGETHER[kind][1], collector=kind) - len(self.ids)
        if kind in TOGETHER:
            return metrics.sum(TOGETHER[kind][1])
        return metrics.sum({**KINDS, **ALWAYS}[kind][1], subscription_id=subscription)

    def values(self, kinds, subscriptions):
        metrics = self.exporter.metrics()
        return {(kind, row): self.value(kind, row, metrics)
                for kind in kinds for row in subscriptions}

    def lacking(self):
        return [key for key, value in self.values({**KINDS, **TOGETHER}, self.ids).items()
                if not value]

    def looks(self, metrics):
        return {labels["collector"]: value for labels, value in
                metrics.all("defender_collector_last_success_timestamp_seconds")}

    def stale(self):
        return [message["body"]["data"]["title"] for message in self.sink.taken()]

    def is_well(self, metrics):
        """Nobody says that something cannot be read."""
        equal(metrics.table("defender_subscription_visible", "subscription_id"),
              {(row,): 1 for row in self.ids}, "what can be read")
        failing = [labels for labels, value in metrics.all("defender_scrape_collector_success")
                   if not value]
        equal(failing, [], "collectors that fail")
        equal(self.stale(), [], "messages about stale data")

    def open_findings(self):
        rows = query(self.folder, "SELECT source, count(*) FROM ledger_known WHERE is_open = 1"
                                  " GROUP BY source")
        return {source: count for source, count in rows if source in FINDINGS}

    def look(self, kinds, each=lambda metrics: None):
        """Wait for more looks at each kind than it takes to end something; each: with every one."""
        seen = {kind: set() for kind in kinds}

        def looked_often():
            metrics = self.exporter.metrics()
            each(metrics)
            for kind, at in self.looks(metrics).items():
                seen.setdefault(kind, set()).add(at)
            return all(len(seen[kind]) > LOOKS_MISSED for kind in kinds)
        until("looks", looked_often, 60, 0.1)

    def end(self, kinds, subscriptions):
        """Let them go and count the looks until they are over."""
        for kind in kinds:
            for row in subscriptions:
                spec = {**KINDS, **TOGETHER}[kind][0]
                self.fake.fault(f"{spec},sub={row}")
        seen, over = {kind: set() for kind in kinds}, {}

        def all_over():
            metrics = self.exporter.metrics()
            self.is_well(metrics)
            for kind, at in self.looks(metrics).items():
                if kind in seen and kind not in over:
                    seen[kind].add(at)
                    if not any(self.value(kind, row, metrics) for row in subscriptions):
                        over[kind] = len(seen[kind])
            return len(over) == len(kinds)
        until("the ends", all_over, 60, 0.1, lambda: f"not of {set(kinds) - set(over)}")
        late = {kind: count for kind, count in over.items() if count > LOOKS}
        equal(late, {}, "kinds that end late, in looks")


def tenant(rows=1500):
    return Fake("--seed", "5", "--assessments", str(rows), "--machines", "10",
                "--subscriptions", "2", "--page-rows", "1000")


def test_every_source_is_here():
    here = set(KINDS) | set(TOGETHER) | set(ALWAYS) | OTHERS
    equal(here, collectors() | {"custom_machines"}, "the kinds")


def test_the_last_row_goes():
    with Folder() as folder, Sink() as sink, tenant(900) as fake:  # a page: none goes between two
        bench = Bench(folder, sink, fake)
        first, second = bench.ids
        with bench.exporter as exporter:
            exporter.wait_ready()
            until("some of each kind", lambda: not bench.lacking(), 60,
                  told=lambda: f"{bench.lacking()}")
            until("findings", lambda: len(bench.open_findings()) == len(FINDINGS))
            others = bench.values(KINDS, [second])
            bench.end(KINDS, [first])
            equal(bench.values(KINDS, [second]), others, "what the other subscription has")
            for kind in TOGETHER:
                fake.fault(f"{TOGETHER[kind][0]},sub={first}")
            bench.look(TOGETHER, bench.is_well)
            bench.end({**KINDS, **TOGETHER}, [second])
            until("findings that are over", lambda: not bench.open_findings(), 20, 0.02,
                  lambda: f"{bench.open_findings()}")
            bench.is_well(exporter.metrics())


def nothing_ends(specs):
    """What is lost of the second subscription, by these faults, is shown as it was."""
    with Folder() as folder, Sink() as sink, tenant() as fake:
        bench = Bench(folder, sink, fake)
        kinds = {*KINDS, *ALWAYS, "baselines"}  # of tags there is only what was read
        with bench.exporter as exporter:
            exporter.wait_ready()
            until("some of each kind", lambda: not bench.lacking(), 60)
            until("findings", lambda: len(bench.open_findings()) == len(FINDINGS))
            values, findings = bench.values(kinds, bench.ids), bench.open_findings()
            for spec in specs:
                fake.fault(f"{spec},sub={bench.ids[1]}")
            until("a message", bench.stale)
            bench.look(kinds)
            equal(bench.values(kinds, bench.ids), values, "what is shown")
            equal(bench.open_findings(), findings, "open findings")
            visible = exporter.metrics().table("defender_subscription_visible", "subscription_id")
            equal(visible, {(bench.ids[0],): 1, (bench.ids[1],): 0}, "what can be read")


def test_rights_are_lost():
    nothing_ends(["403:path="])


def test_rights_are_lost_between_two_queries():
    nothing_ends(["403:from=attack_paths_rows"])


def test_a_subscription_is_silent():
    """All its rows are gone from the security tables, and a discovery sees it all the same."""
    with Folder() as folder, Sink() as sink, tenant(300) as fake:
        bench = Bench(folder, sink, fake, discovery="1s")
        kinds = ("assessments", "attack_paths", "secure_scores")

        def rows():
            return query(folder, "SELECT source, count(*) FROM ledger_known WHERE is_open = 1"
                                 " GROUP BY source ORDER BY source")

        def is_as_it_was(metrics=None):
            equal(rows(), open_rows, "open findings")
            return metrics
        with bench.exporter as exporter:
            exporter.wait_ready()
            until("some of each kind", lambda: not bench.lacking(), 60)
            until("findings", lambda: len(bench.open_findings()) == len(FINDINGS))
            open_rows = rows()
            fake.fault(f"gap:sub={bench.ids[1]}")
            bench.look(kinds, is_as_it_was)
        bench.exporter = Exporter(folder, bench.config)
        with bench.exporter as exporter:  # a first run finds nothing of it
            exporter.wait_ready()
            bench.look(kinds, is_as_it_was)
            fake.heal()
            bench.look(kinds, is_as_it_was)


def test_azure_loses_kinds_everywhere():
    with Folder() as folder, Sink() as sink, tenant(900) as fake:  # a page: whole answers are lost
        bench = Bench(folder, sink, fake)
        with bench.exporter as exporter:
            exporter.wait_ready()
            until("some of each kind", lambda: not bench.lacking(), 60)
            until("findings", lambda: len(bench.open_findings()) == len(FINDINGS))
            values, findings = bench.values(QUERIES, bench.ids), bench.open_findings()
            for name in QUERIES.values():
                fake.fault(f"ended:body={name},count={DOUBTED}")

            def unchanged(metrics):
                equal({key: bench.value(*key, metrics) for key in values}, values, "what is shown")
                equal(bench.open_findings(), findings, "open findings")
            bench.look(QUERIES, unchanged)
            bench.is_well(exporter.metrics())
            for kind in QUERIES:
                contains(exporter.log, f"collector={kind} reason=incomplete", "what was doubted")
            for name in QUERIES.values():
                fake.fault(f"ended:body={name}")
            until("the ends", lambda: not any(bench.values(QUERIES, bench.ids).values()), 60, 0.1,
                  lambda: f"{bench.values(QUERIES, bench.ids)}")
            until("findings that are over", lambda: not bench.open_findings(), 20, 0.02)
            bench.is_well(exporter.metrics())


def test_what_is_always_there_is_missed():
    nothing_ends([spec for spec, _ in ALWAYS.values()])


run(globals())
