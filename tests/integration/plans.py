#!/usr/bin/env python3
"""Defender plans: Resource Graph and the lists tell the same; one that is turned off is told."""
from harness import SECRET, Exporter, Fake, Folder, equal, run, settings, until
from sink import Sink, receiver

RULES = """
groups:
- name: all
  rules:
  - alert: PlanDisabled
    event: [plan.disabled]
  - alert: ServersPlan2Off
    metric: defender_servers_plan2_enabled
    by: [subscription_id]
    below: 1
"""


def collectors(**plans):
    return {"assessments": {"enabled": False}, "secure_scores": {"enabled": False},
            "baselines": {"enabled": False}, "catalogue": {"enabled": False},
            "subscriptions": {"interval": "1s"}, "plans": {"interval": "1s", **plans}}


def tenant(*more):
    return Fake("--assessments", "50", "--machines", "0", "--subscriptions", "5",
                "--disabled-subscriptions", "1", "--seed", "7", *more)


class Facts:
    """What the metrics must be."""

    def __init__(self, fake):
        self.enabled, self.servers, self.posture, self.extensions = {}, {}, {}, {}
        self.sub_plans = {}
        for subscription in fake.admin("dump")["subscriptions"]:
            if subscription["state"] == "Enabled":
                self.add(subscription["subscriptionId"], subscription["plans"])

    def add(self, subscription, plans):
        for plan in plans:
            name = plan["name"].lower()
            self.enabled[subscription, name] = float(plan["on"])
            self.sub_plans[subscription, name, plan["subPlan"].lower() or "none"] = 1
            if name == "virtualmachines":
                self.servers[subscription,] = float(plan["on"] and plan["subPlan"] == "P2")
            if name == "cloudposture":
                self.posture[subscription,] = float(plan["on"])
            for extension in plan["extensions"]:
                self.extensions[subscription, name, extension["name"].lower()] = float(
                    extension["isEnabled"] == "True")

    def check(self, metrics, what):
        labels = "subscription_id", "plan"
        equal(metrics.table("defender_plan_enabled", *labels), self.enabled, what)
        equal(metrics.table("defender_servers_plan2_enabled", labels[0]), self.servers, what)
        equal(metrics.table("defender_cspm_enabled", labels[0]), self.posture, what)
        equal(metrics.table("defender_plan_info", *labels, "sub_plan"), self.sub_plans, what)
        equal(metrics.table("defender_plan_extension_enabled", *labels, "extension"),
              self.extensions, what)


def test_every_source_tells_the_same():
    with tenant() as fake:
        facts = Facts(fake)
        assert set(facts.servers.values()) == set(facts.posture.values()) == {0, 1}, facts.servers
        for source, faults, lists in (("graph", (), 0), ("rest", (), 5),
                                      ("graph", ("empty:path=ResourceGraph",), 5),
                                      ("graph", ("500:path=ResourceGraph",), 5)):
            what = f"source {source} with {faults}"
            fake.heal()
            for fault in faults:
                fake.fault(fault)
            before = fake.requests("pricings")
            with Folder() as folder:
                config = settings(fake.url, folder.file("secret", SECRET),
                                  collectors(source=source, interval="1h"),
                                  metrics={"opt_in_list": ["defender_plan_.*"]})
                with Exporter(folder, config) as exporter:
                    facts.check(exporter.wait_ready().metrics(), what)
            equal(fake.requests("pricings") - before, lists, what + ": lists asked for")


def test_a_plan_that_is_turned_off_is_told():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        folder.file("rules.yml", RULES)
        config = settings(
            fake.url, folder.file("secret", SECRET), collectors(),
            alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                    "governor": {"messages": 0},
                    "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s",
                              "group_interval": "1s"}})
        on = [subscription for (subscription,), value in Facts(fake).servers.items() if value]
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            until("the first run's digest", lambda: "first_run" in exporter.log or sink.taken(), 30)
            fake.admin(f"plan/virtualmachines?subscription={on[0]}&tier=Free", "POST")
            exporter.wait_metric("the plan is off", lambda metrics: not metrics.one(
                "defender_plan_enabled", subscription_id=on[0], plan="virtualmachines"), 60)

            def told():
                return [message for message in sink.taken()
                        if message["body"]["type"] == "plan.disabled"]
            until("a message about the plan", told, 60,
                  told=lambda: [message["body"]["type"] for message in sink.taken()])
            text = told()[0]["raw"].decode()
            assert "Defender for Servers is off" in text, text
            assert on[0] in text, text
            until("the rule over its metric",
                  lambda: any("ServersPlan2Off" in message["raw"].decode() and
                              on[0] in message["raw"].decode() for message in sink.taken()), 60)
            fake.admin(f"plan/virtualmachines?subscription={on[0]}&tier=Standard", "POST")
            exporter.wait_metric("the plan is on", lambda metrics: metrics.one(
                "defender_plan_enabled", subscription_id=on[0], plan="virtualmachines"), 60)
            equal(len(told()), 1, "messages about the plan")


run(globals())
