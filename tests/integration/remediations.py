#!/usr/bin/env python3
"""Remediation tasks of Azure Policy: counted by state, and a deployment that fails is told once,
with the machine and the error."""
import urllib.parse

from harness import SECRET, TENANT, Exporter, Fake, Folder, equal, run, settings, until
from sink import Sink, receiver

RULES = """
groups:
- name: all
  rules:
  - alert: FixFailed
    event: remediation.failed
    labels: { severity: warning }
"""
COLLECTORS = {"subscriptions": {"interval": "1s"}, "remediations": {"interval": "1s"},
              "assessments": {"enabled": False}, "secure_scores": {"enabled": False},
              "baselines": {"enabled": False}, "attack_paths": {"enabled": False},
              "security_alerts": {"enabled": False}}


class Bench:
    def __init__(self, folder, sink, fake, **more):
        self.sink, self.fake = sink, fake
        self.id = fake.admin("dump")["subscriptions"][0]["subscriptionId"]
        folder.file("rules.yml", RULES)
        self.exporter = Exporter(folder, settings(
            fake.url, folder.file("secret", SECRET), COLLECTORS, alerts={
                "rules": ["rules.yml"], "governor": {"messages": 0}, "receivers": [receiver(sink)],
                "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s",
                          "group_interval": "1s"}}, **more))

    def fix(self, machine, status, **more):
        of = more.pop("of", self.id)
        resource = (f"/subscriptions/{of}/resourceGroups/rg/providers/Microsoft.Compute/"
                    f"virtualMachines/{machine}")
        whose = {} if "group" in more else {"subscription": self.id}
        self.fake.admin("fix?" + urllib.parse.urlencode(
            {**whose, "task": "fix-disks", "resource": resource, "status": status,
             "at": "2026-11-01T00:00:00Z", **more}), "POST")

    def count(self, family, **labels):
        return self.exporter.metrics().one(f"defender_remediation_{family}",
                                           subscription_id=self.id, **labels)

    def texts(self):
        return [message["raw"].decode() for message in self.sink.taken()]


def test_a_fix_that_fails_is_told_with_machine_and_error():
    with Folder() as folder, Sink() as sink, \
            Fake("--assessments", "20", "--machines", "0", "--subscriptions", "2") as fake:
        bench = Bench(folder, sink, fake)
        bench.fix("vm-old", "Failed", code="Conflict", message="long ago")
        with bench.exporter as exporter:
            exporter.wait_ready()
            until("the old one", lambda: bench.count("tasks", state="failed") == 1)
            bench.fix("vm-new", "Running")
            until("a running task", lambda: bench.count("tasks", state="running") == 1)
            bench.fix("vm-good", "Succeeded")
            bench.fix("vm-new", "Failed", code="ScopeLocked", message="The disk is locked",
                      at="2026-11-02T00:00:00Z")
            until("the message", bench.texts)
            for word in ("vm-new", "ScopeLocked", "The disk is locked", "fix-disks"):
                equal(word in bench.texts()[0], True, f"{word} in the message")
            equal(sum("vm-old" in text for text in bench.texts()), 0, "messages about old ones")
            for status, wanted in (("total", 3), ("successful", 1), ("failed", 2)):
                equal(bench.count("deployments", status=status), wanted, status)
            bench.fix("vm-last", "Failed", code="Gone", message="It is gone")
            until("the next message", lambda: len(bench.texts()) >= 2)
            equal(["vm-last" in text for text in bench.texts()], [False, True], "each told once")


def test_a_fix_of_a_management_group_is_told_where_the_group_may_be_read():
    with Folder() as folder, Sink() as sink, \
            Fake("--assessments", "20", "--machines", "0", "--subscriptions", "2") as fake:
        bench = Bench(folder, sink, fake)
        root = {"group": TENANT}  # the group above all others has the tenant's name
        bench.fix("vm-old", "Failed", **root)
        with bench.exporter as exporter:
            def tasks(state):
                found = exporter.metrics().all("defender_remediation_group_tasks", state=state,
                                               management_group=TENANT)
                return [value for _, value in found]
            exporter.wait_ready()
            until("the old one", lambda: tasks("failed") == [1])
            equal(len(exporter.metrics().all("defender_remediation_group_tasks")) > 5, True,
                  "groups below it have tasks, even if none")
            bench.fix("vm-new", "Failed", code="ScopeLocked", message="The disk is locked", **root)
            until("the message", bench.texts)
            for word in ("vm-new", "ScopeLocked", "The disk is locked", "fix-disks"):
                equal(word in bench.texts()[0], True, f"{word} in the message")
            equal(sum("vm-old" in text for text in bench.texts()), 0, "messages about old ones")
            equal(bench.count("tasks", state="failed"), 0, "tasks of the subscription")
            # Who may not read groups any more hears nothing of them, and all of subscriptions.
            fake.fault("403:path=managementGroups")
            until("groups are gone", lambda: tasks("failed") == [])
            bench.fix("vm-own", "Running")
            until("the subscription's", lambda: bench.count("tasks", state="running") == 1)
            fake.heal()
            until("groups are back", lambda: tasks("failed") == [1])
            equal(len(bench.texts()), 1, "messages")


def test_a_filter_of_subscriptions_is_none_of_management_groups():
    with Folder() as folder, Sink() as sink, \
            Fake("--assessments", "20", "--machines", "0", "--subscriptions", "2") as fake:
        first, second = (row["subscriptionId"] for row in fake.admin("dump")["subscriptions"])
        bench = Bench(folder, sink, fake, subscriptions={"exclude": [second]})
        bench.fix("vm-old", "Failed", group=TENANT)
        with bench.exporter as exporter:
            def failed():
                return exporter.metrics().sum("defender_remediation_group_deployments",
                                              status="failed", management_group=TENANT)
            exporter.wait_ready()
            until("the group's", lambda: failed() == 1)
            # What it does to others counts, and is nobody's news who filters these.
            bench.fix("vm-theirs", "Failed", group=TENANT, of=second)
            until("theirs", lambda: failed() == 2)
            bench.fix("vm-ours", "Failed", group=TENANT, of=first)
            until("ours", lambda: failed() == 3)
            until("the message", bench.texts)
            equal(["vm-ours" in text for text in bench.texts()], [True], "what is told")


run(globals())
