#!/usr/bin/env python3
"""Regulatory compliance: both sources say what the lists hold, and what was recorded is kept."""
import collections
import glob
import json
import os
import re
import urllib.parse

from harness import (CLIENT, SECRET, SHARED, TENANT, Exporter, Fake, Folder, Skip, equal, fetch,
                     run, settings, until)
from serving import Quiet, Serving
from sink import Sink, receiver

RECORDINGS = os.path.join(SHARED, "azure/recordings")
BENCHMARK = "microsoft-cloud-security-benchmark"
STATES = ("passed", "failed", "skipped", "unsupported")
FAMILIES = ("controls", "ratio", "control_failed_resources", "control_info")
ALL_LEVELS = {"opt_in_list": ["defender_compliance_.*"]}
ONLY = {name: {"enabled": False} for name in ("assessments", "secure_scores", "baselines",
                                              "catalogue")}
RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: finding.opened
"""


def collect(url, source):
    """Samples of every family of compliance, as text."""
    with Folder() as folder:
        config = settings(url, folder.file("secret", SECRET),
                          {**ONLY, "compliance": {"source": source}}, metrics=ALL_LEVELS)
        with Exporter(folder, config) as exporter:
            return exporter.wait_ready().metrics()


def key_of(family, labels):
    """Of a long title, which the exporter cuts, what both have; control characters are named."""
    return (family, *sorted((name, value.replace("\n", "\\u000a")[:200])
                            for name, value in labels.items()))


def told(metrics):
    return {key_of(family, labels): value for family in FAMILIES
            for labels, value in metrics.all("defender_compliance_" + family)}


def standard_of(name):
    return BENCHMARK if name.lower() == "azure-security-benchmark" else name.lower()


# --- what a server's lists say ------------------------------------------------------------------

class Lists:
    """Lists of a server, read to the last leaf; a list that is not there is empty."""

    def __init__(self, url, headers=None):
        self.url, self.headers = url, headers or {}

    def read(self, path):
        version = "2022-12-01" if path == "/subscriptions" else "2019-01-01-preview"
        answer = fetch(f"{self.url}{urllib.parse.quote(path)}?api-version={version}",
                       headers=self.headers)
        return answer.json()["value"] if answer.status == 200 else []

    def expected(self):
        """What the families must be."""
        found, failed = {}, collections.Counter()
        for subscription in self.read("/subscriptions"):
            subscription = subscription["subscriptionId"]
            for row in self.read(f"/subscriptions/{subscription}/providers/Microsoft.Security/"
                                 "regulatoryComplianceStandards"):
                where = {"subscription_id": subscription.lower(),
                         "standard": standard_of(row["name"])}
                self.add_standard(found, where, row["properties"])
                self.add_controls(found, failed, where, row["id"])
        return {**found, **failed}

    @staticmethod
    def add_standard(found, where, properties):
        def put(family, value, **labels):
            found[key_of(family, {**where, **labels})] = value
        for state in STATES:
            put("controls", properties[state + "Controls"], state=state)
        passed, failed = properties["passedControls"], properties["failedControls"]
        if passed + failed:
            put("ratio", passed / (passed + failed))

    def add_controls(self, found, failed, where, standard_id):
        for control in self.read(standard_id + "/regulatoryComplianceControls"):
            labels = {"standard": where["standard"], "compliance_control": control["name"],
                      "display_name": control["properties"]["description"]}
            found[key_of("control_info", labels)] = 1
            key = key_of("control_failed_resources",
                         {**where, "compliance_control": control["name"]})
            for leaf in self.read(control["id"] + "/regulatoryComplianceAssessments"):
                if leaf["properties"]["failedResources"]:
                    failed[key] += leaf["properties"]["failedResources"]


def check_same(got, want, what):
    for key in sorted(set(got) | set(want), key=str):
        if key not in got or key not in want or abs(got[key] - want[key]) > 1e-12:
            raise AssertionError(f"{what}: {key} is {got.get(key)}, not {want.get(key)}")


def token(fake):
    form = urllib.parse.urlencode({
        "grant_type": "client_credentials", "client_id": CLIENT,
        "client_secret": SECRET, "scope": fake.url + "/.default"}).encode()
    answer = fetch(f"{fake.url}/{TENANT}/oauth2/v2.0/token", "POST",
                   form, {"Content-Type": "application/x-www-form-urlencoded"})
    return {"Authorization": "Bearer " + answer.json()["access_token"]}


def test_both_sources_say_what_the_lists_hold():
    for seed in (1, 2):
        with Fake("--seed", str(seed), "--individual", "30", "--assessments", "1500") as fake:
            want = Lists(fake.url, token(fake)).expected()
            graph, rest = told(collect(fake.url, "graph")), told(collect(fake.url, "rest"))
            check_same(graph, want, "Resource Graph")
            check_same(rest, want, "lists")
            names = {dict(key[1:]).get("standard") for key in want}
            equal(names, {BENCHMARK, "azure-cis-1.1.0-(new)"}, "names of standards")
            requests = fake.admin("stats")["endpoints"]["compliance"]["requests"]
            equal(requests > 20, True, "lists were asked for")


def test_a_subscription_that_is_denied_keeps_what_is_known():
    with Fake() as fake, Folder() as folder:
        subscription = fake.admin("dump")["subscriptions"][1]["subscriptionId"]
        config = settings(fake.url, folder.file("secret", SECRET), {
            **ONLY, "subscriptions": {"interval": "1s"},
            "compliance": {"source": "rest", "interval": "1s"}}, metrics=ALL_LEVELS)
        with Exporter(folder, config) as exporter:
            before = told(exporter.wait_ready().metrics())
            fake.fault("403:sub=1")

            def denied():
                metrics = exporter.metrics()
                return not metrics.one("defender_subscription_visible",
                                       subscription_id=subscription) and told(metrics)
            check_same(until("the denial", denied), before, "of a denied subscription")


def test_a_page_names_the_control():
    with Fake() as fake, Folder() as folder, Sink() as sink:
        folder.file("rules.yml", RULES)
        config = settings(fake.url, folder.file("secret", SECRET), {
            "subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s"},
            "baselines": {"enabled": False}}, alerts={
                "rules": ["rules.yml"], "governor": {"messages": 0},
                "receivers": [receiver(sink)],
                "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s"}})
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            fake.admin("advance?steps=3", "POST")

            def named():
                blocks = [block for message in sink.taken()
                          for block in message["body"]["data"]["blocks"]]
                return [block["benchmark"] for block in blocks if block.get("benchmark")]
            for text in until("a control of the benchmark", named):
                equal(bool(re.fullmatch(r"MCSB ([A-Z]{2}-\d+)(, [A-Z]{2}-\d+)*", text)), True,
                      f"the text {text!r}")


# --- recordings ---------------------------------------------------------------------------------

class Recorded(Quiet):
    """Lists by path, of one subscription. What was not recorded is an empty list."""
    lists = {}
    subscription = ""

    def answer(self):
        self.read_body()
        path = urllib.parse.unquote(self.path.split("?")[0])
        if "/oauth2/" in path:
            body = {"access_token": "token", "expires_in": 3599}
        elif path == "/subscriptions":
            body = {"value": [{"subscriptionId": self.subscription, "displayName": "One",
                               "state": "Enabled"}]}
        else:
            body = {"value": self.lists.get(path.lower(), [])}
        self.answer_json(body)

    do_GET = do_POST = answer


def recorded(family):
    """Rows of each recorded list or object of a family."""
    if not os.path.isdir(RECORDINGS):
        raise Skip(f"no recorded answers in {RECORDINGS}")
    for path in sorted(glob.glob(f"{RECORDINGS}/{family}/*-get-200.json")):
        with open(path, encoding="utf-8") as file:
            body = json.load(file)
        yield body["value"] if "value" in body else [body]


def subscription_of(row):
    return row["id"].split("/")[2].lower()


def put(lists, rows):
    """Put rows where they are listed; what is above them is there, too."""
    for row in rows:
        above = lists.setdefault(row["id"].lower().rsplit("/", 1)[0], [])
        above[:] = [r for r in above if r["id"].lower() != row["id"].lower()] + [row]


def raise_above(lists, row):
    """A standard, or control, for rows that were recorded without."""
    parts = row["id"].split("/")
    for end, properties in ((7, {state + "Controls": 0 for state in STATES}),
                            (9, {"description": "D"})):
        above = "/".join(parts[:end])
        listed = lists.get("/".join(parts[:end - 1]).lower(), [])
        if len(parts) > end and above.lower() not in [r["id"].lower() for r in listed]:
            put(lists, [{"id": above, "name": parts[end - 1],
                         "properties": {"state": "Failed", **properties}}])


def test_recorded_lists():
    families = ("compliance-standards", "compliance-controls", "compliance-assessments")
    everything = {family: list(recorded(family)) for family in families}
    equal({family: sum(map(len, lists)) for family, lists in everything.items()},
          dict(zip(families, (22, 234, 129))), "recorded rows")
    checked = 0
    with Serving(Recorded) as server:
        for lists in (lists for family in families for lists in everything[family]):
            Recorded.subscription, Recorded.lists = subscription_of(lists[0]), {}
            put(Recorded.lists, lists)
            for row in lists:
                raise_above(Recorded.lists, row)
            want = Lists(server.url).expected()
            metrics = collect(server.url, "rest")
            served = Lists(server.url).read("/".join(lists[0]["id"].split("/")[:-1]))
            equal(len(served), len({r["id"].lower() for r in lists}), "rows that are served")
            check_same(told(metrics), want, lists[0]["id"])
            equal(metrics.sum("defender_collector_odd_rows", collector="compliance"), 0, "odd")
            checked += len(lists)
    equal(checked, 22 + 234 + 129, "rows that were checked")


run(globals())
