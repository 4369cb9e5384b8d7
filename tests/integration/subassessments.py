#!/usr/bin/env python3
"""Findings below recommendations, as the stand-in drew and counted them; what a page names."""
import collections

from harness import SECRET, Exporter, Fake, Folder, equal, run, settings

SEVERITIES = ("critical", "high", "medium", "low")


def severity_of(row):
    return row["severity"] if row["severity"] in SEVERITIES else "unknown"


def weigh(rows):
    count = collections.Counter(severity_of(row) for row in rows)
    return count["critical"], count["high"], len(rows)


class Facts:
    """What the metrics must be."""

    def __init__(self, rows):
        self.findings, self.patchable = collections.Counter(), collections.Counter()
        self.exploitable, groups = collections.Counter(), collections.defaultdict(list)
        for row in rows:
            subscription, severity = row["subscriptionId"], severity_of(row)
            self.findings[subscription, row["assessmentKey"], severity] += 1
            if row["fixTold"]:
                self.patchable[subscription, severity] += row["patchable"]
            if row["exploitTold"]:
                self.exploitable[subscription, severity] += row["exploitable"]
            machine = "machine" if row["cve"] else "database"
            for kind, resource in ([("image", row["image"]), ("registry", row["registry"])]
                                   if row["image"] else [(machine, row["resource"].lower())]):
                groups[subscription, kind, resource].append(row)
        self.resources = collections.Counter()
        for kinds in (("image",), ("registry",), ("machine", "database")):
            here = {key: rows for key, rows in groups.items() if key[1] in kinds}
            first = sorted(here, key=lambda key: (*(-n for n in weigh(here[key])), "|".join(key)))
            for key in first[:100]:
                for row in here[key]:
                    self.resources[(*key, severity_of(row))] += 1

    def check(self, metrics):
        for name, wanted, *labels in (
                ("findings", self.findings, "subscription_id", "assessment_id", "severity"),
                ("patchable_findings", self.patchable, "subscription_id", "severity"),
                ("exploitable_findings", self.exploitable, "subscription_id", "severity"),
                ("resource_findings", self.resources, "subscription_id", "kind", "resource",
                 "severity")):
            equal(metrics.table(f"defender_subassessment_{name}", *labels), dict(wanted), name)


def test_every_finding_is_counted_and_requests_are_few():
    collectors = {name: {"enabled": False} for name in (
        "assessments", "secure_scores", "catalogue", "baselines", "compliance", "plans",
        "prerequisites", "attack_paths", "governance", "exemptions")}
    with Folder() as folder, Fake("--subscriptions", "4", "--assessments", "20000", "--seed",
                                  "5") as fake:
        config = settings(fake.url, folder.file("secret", SECRET), collectors,
                          metrics={"opt_in_list": ["defender_subassessment_resource_findings"]})
        with Exporter(folder, config) as exporter:
            metrics = exporter.wait_ready().metrics()
            rows = fake.admin("dump")["subassessments"]
            facts = Facts(rows)
            facts.check(metrics)
            equal(fake.requests("graph") <= 10, True, "requests, five of them about these")
            kinds = {key[1] for key in facts.resources}
            equal(kinds, {"image", "registry", "machine", "database"}, "kinds seen")
            assert len(rows) > 500, len(rows)
            assert len({key[:3] for key in facts.resources}) >= 100, "the lists are not cut"


run(globals())
