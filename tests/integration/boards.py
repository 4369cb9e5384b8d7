#!/usr/bin/env python3
"""What the boards say of a tenant is so: their numbers against what was done there."""
import datetime
import urllib.parse

from dashboards import scrape, tool, world
from grafana import dashboards, queries, replaced
from harness import TENANT, Exporter, Folder, equal, run, until

BENCHMARK = "microsoft-cloud-security-benchmark"
MACHINE = "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/"


def day(days, form="%Y-%m-%dT%H:%M:%SZ"):
    return (datetime.datetime.now(datetime.timezone.utc)
            + datetime.timedelta(days)).strftime(form)


def waivers():
    """One that is in force and one that is over."""
    return [{"rule": "Ensure auditd is installed", "machines": ["none"], "reason": "not ours",
             "expires": day(days, "%Y-%m-%d")} for days in (30, -30)]


class Tenant:
    """A tenant to which things are done, and what is known of it."""

    def __init__(self, fake):
        self.fake = fake
        self.dump = fake.admin("dump")
        self.one = self.dump["subscriptions"][0]["subscriptionId"]
        self.govern()
        self.fix()
        self.exempt()

    def post(self, what, **more):
        self.fake.admin(f"{what}?" + urllib.parse.urlencode(more), "POST")

    def govern(self):
        rows = [row["id"] for row in self.dump["assessments"]
                if row["code"] == "Unhealthy" and row["subscriptionId"] == self.one
                and "/providers/" in row["resourceId"] and not row["grouped"]]
        for name, more in zip(rows, [{"due": day(-3)}, {"due": day(-9)}, {"due": day(30)}, {},
                                     {"due": day(30), "grace": "true"}]):
            self.post("govern", id=name, owner="zebra@example.com", **more)

    def fix(self):
        for task, machine, status in (("a", "vm-a", "Running"), ("b", "vm-b", "Succeeded"),
                                      ("b", "vm-c", "Succeeded"), ("c", "vm-d", "Failed")):
            resource = f"/subscriptions/{self.one}{MACHINE}{machine}"
            self.post("fix", subscription=self.one, task=task, resource=resource, status=status,
                      at=day(-1))
        self.post("fix", group=TENANT, task="all", resource=resource, status="Failed", at=day(-1))

    def exempt(self):
        policies = [known["policyDefinitionId"] for known in self.dump["metadata"]
                    if known["policyDefinitionId"]]
        for policy, category, expires in zip(policies, (
                "Waiver", "Waiver", "Mitigated", "Mitigated"), (5, 90, 20, -2)):
            self.post("exempt", scope=f"/subscriptions/{self.one}", policy=policy,
                      category=category, expires=day(expires))


class Bench:
    """Answers to the queries of boards, of the subscriptions that are chosen."""

    def __init__(self, prometheus):
        self.prometheus = prometheus
        self.queries = {str(query): query for name, board in dashboards().items()
                        for query in queries(name, board)}
        self.every = {v["name"]: v["allValue"] for board in dashboards().values()
                      for v in board["templating"]["list"] if "allValue" in v}

    def rows(self, where, **chosen):
        expr = replaced(self.queries[where].expr, {**self.every, **chosen})
        return [(row["metric"], float(row["value"][1])) for row in self.prometheus.instant(expr)]

    def says(self, where, wanted, by=None, **chosen):
        """One number; with by: {value of that label: number}, what is 0 left out."""
        def said():
            found = self.rows(where, **chosen)
            if by is None:
                return found[0][1] if len(found) == 1 else found
            return {labels[by]: value for labels, value in found if value}
        until(f"{where}: {wanted}", lambda: said() == wanted, 60, told=lambda: f"it is {said()}")


def governance(bench, tenant, metrics):
    name = bench.prometheus.instant(f'defender_subscription_info{{subscription_id="{tenant.one}"}}'
                                    )[0]["metric"]["subscription_name"]
    bench.says("governance: Assigned findings by state A",
               {"overdue": 2, "on_time": 1, "no_due_date": 1, "grace": 1}, "state")
    for title, wanted in (("Overdue", 2), ("In grace", 1), ("On time", 1),
                          ("Without a due date", 1)):
        bench.says(f"governance: {title} A", wanted)
    bench.says("governance: Subscriptions B", {name: 2}, "subscription_name")
    bench.says("governance: Overdue A", 0, subscription=[other(metrics, name)])
    findings = metrics.sum("defender_findings")
    bench.says("governance: Without an owner A", findings - 5)
    bench.says("governance: With an owner A", 5 / findings)
    bench.says("governance: Without an owner, by subscription A",
               {told: count - 5 * (told == name) for told, count in by_name(metrics).items()},
               "subscription_name")
    for title, wanted in (("Running", 1), ("Failed", 1), ("Done", 1),
                          ("Deployments that failed", 1)):
        bench.says(f"governance: {title} A", wanted)
    for letter, wanted in zip("ABC", (2, 1, 1)):
        bench.says(f"governance: Deployments {letter}", wanted)
    bench.says("governance: Tasks by management group B", {TENANT: 1}, "management_group")
    bench.says("governance: Tasks by subscription E", {name: 2}, "subscription_name")


def names(metrics):
    return {labels["subscription_id"]: labels["subscription_name"]
            for labels, _ in metrics.all("defender_subscription_info")}


def other(metrics, name):
    return next(told for told in names(metrics).values() if told != name)


def by_name(metrics):
    return {names(metrics)[key]: count for (key,), count in
            metrics.table("defender_findings", "subscription_id").items()}


def exemptions(bench, tenant, metrics):
    for title, wanted in (("Exemptions", 3), ("Waivers", 2), ("End within 7 days", 1),
                          ("End within 30 days", 2), ("Expired", 1), ("In force", 1), ("Over", 1)):
        bench.says(f"exemptions: {title} A", wanted)
    bench.says("exemptions: Exemptions by category A", {"waiver": 2, "mitigated": 1}, "category")
    bench.says("exemptions: Subscriptions A", {names(metrics)[tenant.one]: 1}, "subscription_name")
    bench.says("exemptions: Points exempted A", metrics.sum("defender_exempted_points"))
    bench.says("exemptions: Waivers of the configuration A", {"in_force": 1, "expired": 1},
               "state")


def compliance(bench, metrics):
    failed = metrics.sum("defender_compliance_controls", standard=BENCHMARK, state="failed")
    bench.says("compliance: Benchmark controls that fail A", failed)
    for where in ("compliance: Standards A", "compliance: Controls that most resources fail A"):
        told = [labels["standard"] for labels, _ in bench.rows(where)]
        assert len(set(told)) > 1, f"{where}: one standard"
        equal(told, sorted(told, key=lambda name: name != BENCHMARK), f"{where}: what is first")
    worst = bench.rows("compliance: Benchmark controls by failed resources A")
    equal([count for _, count in worst], sorted((count for _, count in worst), reverse=True),
          "worst first")
    for labels, count in worst:
        equal(count, metrics.sum("defender_compliance_control_failed_resources",
                                 standard=BENCHMARK,
                                 compliance_control=labels["compliance_control"]), str(labels))


def plans(bench, tenant, metrics):
    on = metrics.sum("defender_plan_enabled")
    bench.says("plans: Plans that are on A", on / len(metrics.all("defender_plan_enabled")))
    for title, family in (("Without Defender CSPM", "defender_cspm_enabled"),
                          ("Without Servers Plan 2", "defender_servers_plan2_enabled")):
        bench.says(f"plans: {title} A", len(metrics.all(family)) - metrics.sum(family))
    bench.says("plans: Machines A", len(tenant.dump["prerequisites"]))
    bench.says("plans: Machines nobody looks into, by reason A", {
        reason: count for (reason,), count in
        metrics.table("defender_unassessed_machines", "reason").items() if count}, "reason")
    told = [value for _, value in bench.rows("plans: Plans of subscriptions A")]
    equal(told, sorted(told), "those that are off are first")


def test_boards_say_what_is_so():
    tool("prometheus")
    with Folder() as folder:
        fake, config = world(folder, {})
        config["collectors"]["baselines"]["waivers"] = waivers()
        with fake:
            tenant = Tenant(fake)
            with Exporter(folder, config) as exporter:
                exporter.wait_ready()
                program, prometheus = scrape(folder, f"127.0.0.1:{exporter.port}")
                with program:
                    prometheus.wait("sum(defender_exemptions) > 0", "exemptions")
                    bench, metrics = Bench(prometheus), exporter.metrics()
                    governance(bench, tenant, metrics)
                    exemptions(bench, tenant, metrics)
                    compliance(bench, metrics)
                    plans(bench, tenant, metrics)


if __name__ == "__main__":
    run(globals())
