#!/usr/bin/env python3
"""What machines need to be looked into: counted, named, and in one sentence on the first page."""
import collections
import re

from harness import SECRET, Exporter, Fake, Folder, equal, run, settings

REASONS = ("plan_off", "no_machine_configuration", "machine_configuration_failed",
           "no_system_identity", "not_running", "disconnected")


def reason_of(machine):
    away = machine["power"] in ("Disconnected", "PowerState/deallocated")
    if machine["kind"] == "arc":
        return "disconnected" if away else None
    if not machine["configuration"]:
        return "no_machine_configuration"
    if not machine["configurationWorks"]:
        return "machine_configuration_failed"
    if not machine["identityType"]:
        return "no_system_identity"
    return "not_running" if away else None


def states_of(machine):
    arc = machine["kind"] == "arc"
    yield "machine_configuration", arc or machine["configurationWorks"]
    yield "deprecated_log_analytics_agent", machine["logAnalytics"]
    if not arc:
        yield "system_identity", machine["identityType"]


class Facts:
    """What the metrics must be. assessed: subscriptions with results of baselines."""

    def __init__(self, dump, assessed):
        off = {row["subscriptionId"] for row in dump["subscriptions"]
               if not row["serversPlan2"] and row["subscriptionId"] not in assessed}
        self.machines, self.states = collections.Counter(), collections.Counter()
        self.reasons, self.named = collections.Counter(), {}
        for machine in dump["prerequisites"]:
            subscription = machine["subscriptionId"]
            self.machines[subscription, machine["kind"]] += 1
            for name, present in states_of(machine):
                self.states[subscription, machine["os"], name,
                            "present" if present else "missing"] += 1
            reason = "plan_off" if subscription in off else reason_of(machine)
            if reason:
                self.reasons[subscription, reason] += 1
            if reason and subscription not in off:
                self.named[machine["machineId"], reason] = 1

    def check(self, metrics, page):
        def told(name, *labels):
            return {key: value for key, value in metrics.table(name, *labels).items() if value}
        equal(told("defender_machines", "subscription_id", "kind"), self.machines, "machines")
        equal(told("defender_prerequisite_machines", "subscription_id", "os", "prerequisite",
                   "state"), self.states, "prerequisites")
        equal(told("defender_unassessed_machines", "subscription_id", "reason"), self.reasons,
              "machines that nobody looks into")
        equal(told("defender_unassessed_machine_info", "machine", "reason"), self.named,
              "machines that are named")
        subscriptions = {key[0] for key in self.machines}
        equal(set(metrics.table("defender_unassessed_machines", "subscription_id", "reason")),
              {(one, reason) for one in subscriptions for reason in REASONS}, "every reason")
        found = re.search(r"<dt>Machines</dt><dd>(\d+) of (\d+) machines are not looked at, "
                          r"because (.*?)</dd>", page)
        equal((int(found[1]), int(found[2])),
              (sum(self.reasons.values()), sum(self.machines.values())), found[0])
        numbers = [int(number) for number in re.findall(r"(?:^|, )(\d+) ", found[3])]
        equal(sum(numbers), int(found[1]), found[0])


def check(*options, baselines):
    collectors = {"assessments": {"enabled": False}, "secure_scores": {"enabled": False},
                  "catalogue": {"enabled": False}, "baselines": {"enabled": baselines}}
    with Folder() as folder, Fake("--subscriptions", "6", *options) as fake:
        config = settings(fake.url, folder.file("secret", SECRET), collectors,
                          metrics={"opt_in_list": ["defender_unassessed_machine_info",
                                                  "defender_prerequisite_machines"]})
        with Exporter(folder, config) as exporter:
            metrics = exporter.wait_ready().metrics()
            results = collections.Counter()
            for labels, value in metrics.all("defender_baseline_machines"):
                if labels["state"] != "pending":
                    results[labels["subscription_id"]] += value
            facts = Facts(fake.admin("dump"), {one for one, count in results.items() if count})
            facts.check(metrics, exporter.get("/status").text)
            return facts


def test_every_machine_is_accounted_for():
    facts = check("--assessments", "1500", "--machines", "0", "--seed", "4", baselines=False)
    equal({reason for _, reason in facts.reasons}, set(REASONS), "reasons seen")


def test_machine_configuration_looks_without_the_plan():
    facts = check("--assessments", "3000", "--machines", "80", "--seed", "4",
                  baselines=True)
    assert "plan_off" not in {reason for _, reason in facts.reasons}, facts.reasons


run(globals())
