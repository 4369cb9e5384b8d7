#!/usr/bin/env python3
"""Real recorded answers to questions that are no lists of a subscription alone: tasks and their
deployments, rows of Resource Graph, tokens, refusals. recorded.py has the lists.

What the metrics must be is computed here, from the files. Every kind of recording is replayed by
one of the tests, or nothing asks for it.
"""
import collections
import glob
import json
import os
import re
import urllib.parse

from harness import (SECRET, SHARED, Exporter, Fake, Folder, Skip, contains, equal, fetch,
                     run, settings, until)
from serving import Quiet, Serving
from sink import Sink, receiver

RECORDINGS = os.path.join(SHARED, "azure/recordings")
# Who replays a kind of recording: a test here, or of another file.
REPLAYED = {
    "activity-log": "test_refused_activity_log", "alerts": "recorded.py",
    "arg-resources": "test_resource_graph", "assessment-metadata": "recorded.py",
    "assessments": "recorded.py", "compliance-assessments": "compliance.py",
    "compliance-controls": "compliance.py", "compliance-standards": "compliance.py",
    "guestconfig-assignments": "test_machine_configuration",
    "guestconfig-reports": "test_machine_configuration", "pricings": "recorded.py",
    "remediation-cancel": "test_remediations", "remediation-deployments": "test_remediations",
    "remediations": "test_remediations", "secure-score-controls": "recorded.py",
    "secure-scores": "recorded.py", "sub-assessments": "test_subassessments",
    "token": "test_tokens",
}
# No collector asks for these; their refusals are in recorded.py with all others.
UNASKED = {
    "alerts-suppression", "arg-shared-queries", "auto-provisioning", "automations",
    "compliances-legacy", "locations", "operations", "policy-states", "policy-states-summarize",
    "policy-trigger-scan", "secure-score-control-definitions", "security-connectors",
    "security-tasks", "settings", "workspace-settings",
}


def entries(*families):
    """Recorded exchanges with a body: [(entry of the index, body)]."""
    if not os.path.isdir(RECORDINGS):
        raise Skip(f"no recorded answers in {RECORDINGS}")
    with open(f"{RECORDINGS}/index.json", encoding="utf-8") as file:
        index = json.load(file)["entries"]
    found = []
    for entry in index:
        if entry["family"] in families and entry["file"]:
            with open(f"{RECORDINGS}/{entry['file']}", encoding="utf-8") as file:
                found.append((entry, json.load(file)))
    return found


def number_of(entry):
    return re.search(r"/(\d+)-", entry["file"]).group(1)


def subscription_of(resource_id):
    return resource_id.split("/")[2].lower()


class Azure(Quiet):
    """Subscriptions, rows by a word of the query that asks for them, and lists by path; what is
    neither is empty."""
    subscriptions, rows, lists, page = (), {}, {}, 1000
    plain = token = {"access_token": "token", "expires_in": 3599}
    asked = collections.Counter()  # how often a path, or a word

    @classmethod
    def has(cls, subscriptions=(), rows=None, lists=None, token=None, page=1000):
        cls.subscriptions, cls.rows, cls.lists = sorted(subscriptions), rows or {}, lists or {}
        cls.token, cls.page, cls.asked = token or cls.plain, page, collections.Counter()

    def answer(self):
        body = self.read_body()
        path = urllib.parse.unquote(self.path.split("?")[0]).lower()
        if "/oauth2/" in path:
            self.asked["token"] += 1
            self.answer_json(self.token)
        elif path == "/subscriptions":
            self.answer_json({"value": [{"subscriptionId": id, "displayName": "S " + id,
                                         "state": "Enabled"} for id in self.subscriptions]})
        elif path.endswith("/providers/microsoft.resourcegraph/resources"):
            self.answer_json(self.found(json.loads(body)))
        else:
            self.asked[path] += 1
            self.answer_json(self.lists.get(path, {"value": []}))

    def found(self, asked):
        word = next((word for word in self.rows if word in asked["query"]), None)
        rows = self.rows.get(word, [])
        self.asked[word] += 1
        begin = int(asked.get("options", {}).get("$skipToken", 0))
        data = rows[begin:begin + self.page]
        more = {"$skipToken": str(begin + self.page)} if begin + self.page < len(rows) else {}
        return {"totalRecords": len(rows), "count": len(data), "resultTruncated": "false",
                "data": data, "facets": [], **more}

    do_GET = do_POST = answer


def collect(url, collectors, **more):
    """The metrics of these collectors alone."""
    with Folder() as folder:
        config = settings(url, folder.file("secret", SECRET),
                          {"subscriptions": {"enabled": True, "source": "rest"}, **collectors},
                          **more)
        config["collector"]["disable_defaults"] = True
        with Exporter(folder, config) as exporter:
            return exporter.wait_ready().metrics()


def test_every_kind_is_replayed_or_not_asked_for():
    if not os.path.isdir(RECORDINGS):
        raise Skip(f"no recorded answers in {RECORDINGS}")
    kinds = {os.path.basename(os.path.dirname(path))
             for path in glob.glob(f"{RECORDINGS}/*/*.json")}
    equal(kinds, REPLAYED.keys() | UNASKED, "kinds of recordings")
    for kind, test in REPLAYED.items():
        if not test.endswith(".py"):
            equal(callable(globals()[test]), True, f"{kind}: {test}")


# --- remediation tasks ----------------------------------------------------------------------------
TASK_STATES = {"accepted": "running", "cancelling": "running", "succeeded": "done"}
GROUP = "/providers/microsoft.management/managementgroups/"
LIST = "/providers/microsoft.policyinsights/remediations"


def recorded_tasks():
    """Every recorded task, each under a name of its own: one was recorded while it went on."""
    tasks = []
    for entry, body in entries("remediations", "remediation-cancel"):
        rows = body["value"] if "value" in body else [body]
        for row in rows:
            if "properties" in row:
                tasks.append({**row, "id": f"{row['id']}-{entry['family']}-{number_of(entry)}"})
    return tasks


def recorded_deployments():
    """{path: recorded answer}, each of a task that is asked for: it says that one failed."""
    found, tasks = {}, []
    for entry, body in entries("remediation-deployments"):
        path = "/" + re.sub(r"^(https://[^/]+)?/+|\?.*$", "", urllib.parse.unquote(entry["url"]))
        id = re.sub(r"(?i)/listDeployments$", "", path) + "-asked-" + number_of(entry)
        found[f"{id}/listDeployments".lower()] = body
        tasks.append({"id": id, "properties": {
            "provisioningState": "Succeeded",
            "deploymentStatus": {"totalDeployments": len(body["value"]) + 1,
                                 "successfulDeployments": len(body["value"]),
                                 "failedDeployments": 1}}})
    return found, tasks


def count_tasks(tasks, key):
    """{(whose, state)} and {(whose, status)}: what is not told is 0."""
    states, deployments = collections.Counter(), collections.Counter()
    for task in tasks:
        properties = task["properties"]
        states[key(task), TASK_STATES[properties["provisioningState"].lower()]] += 1
        for status in ("total", "successful", "failed"):
            deployments[key(task), status] += \
                properties["deploymentStatus"][status + "Deployments"]
    return states, deployments


def test_remediations():
    """Tasks of subscriptions and of management groups, and the deployments of those that failed."""
    tasks = recorded_tasks()
    deployments, asked = recorded_deployments()
    of_groups = [task for task in tasks + asked if task["id"].lower().startswith(GROUP)]
    own = [task for task in tasks + asked if not task["id"].lower().startswith(GROUP)]
    equal((len(tasks), len(deployments), len(of_groups) > 10), (44, 14, True), "recorded tasks")
    lists = collections.defaultdict(lambda: {"value": []}, deployments)
    for task in own:
        lists[f"/subscriptions/{subscription_of(task['id'])}{LIST}"]["value"].append(task)
    names = {task["id"].split("/")[4].lower() for task in of_groups}
    for task in of_groups:
        lists[GROUP + task["id"].split("/")[4].lower() + LIST]["value"].append(task)
    Azure.has({subscription_of(task["id"]) for task in own}, lists=lists, rows={
        "managementgroups": [{"id": GROUP + name, "name": name} for name in sorted(names)]})
    with Serving(Azure) as server:
        metrics = collect(server.url, {"remediations": {"enabled": True}})
    for family, rows, key in (
            ("", own, lambda task: subscription_of(task["id"])),
            ("group_", of_groups, lambda task: task["id"].split("/")[4].lower())):
        states, counts = count_tasks(rows, key)
        label = "management_group" if family else "subscription_id"
        for name, wanted, second in (("tasks", states, "state"), ("deployments", counts, "status")):
            got = metrics.table(f"defender_remediation_{family}{name}", label, second)
            equal({k: v for k, v in got.items() if v}, {k: v for k, v in wanted.items() if v},
                  family + name)
    for path in deployments:
        equal(Azure.asked[path], 1, f"requests for {path}")
    rows = len(tasks + asked) + len(names) + sum(len(body["value"])
                                                 for body in deployments.values())
    equal(metrics.one("defender_collector_rows", collector="remediations"), rows, "rows")
    equal(metrics.sum("defender_collector_odd_rows", collector="remediations"), 0, "odd rows")


# --- rows of Resource Graph -----------------------------------------------------------------------
def below(rows):
    """What the queries make of findings below recommendations, by a word of each query."""
    facts = []
    for row in rows:
        p, ad = row["properties"], row["properties"]["additionalData"]
        subscription = subscription_of(row["id"])
        severity = p["status"]["severity"].lower()
        parent, _, _ = row["id"].lower().partition("/subassessments/")
        image = f"{ad['registryHost']}/{ad['repositoryName']}@{ad['imageDigest']}".lower()
        facts.append({"subscription": subscription, "key": parent.split("/")[-1],
                      "severity": severity, "parent": parent, "image": image,
                      "registry": ad["registryHost"].lower(),
                      "patchable": ad.get("patchable") is True,
                      "cve": f"{ad['cve'][0]['title']}|{ad['cvss']['3.0']['base']}|"})
    (fact,) = {json.dumps(fact, sort_keys=True) for fact in facts}  # one finding, recorded twice
    fact = json.loads(fact)
    severities = {severity: int(severity == fact["severity"])
                  for severity in ("critical", "high", "medium", "low")}
    whose = {"subscriptionId": fact["subscription"]}
    return fact, {
        "fixTold": [{"id": "s", **whose, "assessmentKey": fact["key"], "findings": 1,
                     "severity": fact["severity"], "fixTold": 1, "exploitTold": 0,
                     "patchable": int(fact["patchable"]), "exploitable": 0}],
        "resourceKind = 'image'": [{"id": "i", **whose, "resourceKind": "image", "findings": 1,
                                    "resource": fact["image"], **severities}],
        "resourceKind = 'registry'": [{"id": "r", **whose, "resourceKind": "registry",
                                       "findings": 1, "resource": fact["registry"], **severities}],
        "cve startswith": [{"id": fact["parent"], **whose, "vulnerabilities": 1,
                            "named": [fact["cve"]]}]}


def test_subassessments():
    """The recorded finding is of an image, in a registry, and can be patched."""
    rows = [row for _, body in entries("sub-assessments") for row in body.get("value", [body])]
    equal(len(rows), 2, "recorded rows")
    fact, answers = below(rows)
    Azure.has([fact["subscription"]], rows=answers)
    with Serving(Azure) as server:
        metrics = collect(server.url, {"subassessments": {"enabled": True}}, metrics={
            "opt_in_list": ["defender_subassessment_resource_findings"]})
    for word in answers:
        equal(Azure.asked[word] >= 1, True, f"the query with {word!r}")
    equal({k: v for k, v in metrics.table(
        "defender_subassessment_findings", "assessment_id", "severity").items() if v},
        {(fact["key"], "medium"): 1}, "findings")
    equal({k: v for k, v in metrics.table(
        "defender_subassessment_resource_findings", "kind", "resource", "severity").items() if v},
        {("image", fact["image"], "medium"): 1, ("registry", fact["registry"], "medium"): 1},
        "resources")
    equal({k: v for k, v in metrics.table(
        "defender_subassessment_patchable_findings", "severity").items() if v},
        {("medium",): 1}, "patchable")
    equal(metrics.sum("defender_collector_odd_rows", collector="subassessments"), 0, "odd rows")


MACHINE_STATES = {"compliant": "compliant", "noncompliant": "non_compliant", "pending": "pending"}


def machine_row(id, machine, status, checked, version):
    """As the query shows an assignment of the baseline."""
    return {"id": id.lower(), "subscriptionId": subscription_of(id), "machineId": machine.lower(),
            "assignment": "AzureWindowsBaseline", "complianceStatus": status,
            "lastChecked": checked, "rules": None, "version": version or ""}


def test_machine_configuration():
    """Recorded assignments and reports, as if of the baseline: each is of a machine of its own."""
    rows = []
    for entry, body in entries("guestconfig-assignments"):
        for row in body.get("value", [body]):
            p = row["properties"]
            if not row["id"]:  # what was sent, as it comes back
                continue
            id = f"{row['id']}-{number_of(entry)}"
            rows.append(machine_row(
                id, id, p["complianceStatus"], p["lastComplianceStatusChecked"],
                p["guestConfiguration"].get("version")))
    reports = [row for _, body in entries("guestconfig-reports") for row in body["value"]]
    for row in reports:
        p = row["properties"]
        rows.append(machine_row(row["id"], f"{p['vm']['id']}/{row['name']}", p["complianceStatus"],
                                p["endTime"], p["assignment"]["configuration"].get("version")))
    equal((len(rows) - len(reports), len(reports)), (12, 1368), "recorded rows")
    subscriptions = {row["subscriptionId"] for row in rows}
    Azure.has(subscriptions, rows={"array_length": sorted(rows, key=lambda row: row["id"])},
              page=300)
    with Serving(Azure) as server:
        metrics = collect(server.url, {"baselines": {"enabled": True}})
    wanted = collections.Counter(
        (row["subscriptionId"], MACHINE_STATES[row["complianceStatus"].lower()])
        for row in {row["machineId"]: row for row in rows}.values())
    equal({k[:2]: v for k, v in metrics.table("defender_baseline_machines", "subscription_id",
                                              "state", "assignment").items() if v},
          dict(wanted), "machines")
    equal(metrics.one("defender_collector_rows", collector="baselines"), len(rows), "rows")
    twice = len(rows) - len({row["id"] for row in rows})  # some reports are listed so
    equal({labels["reason"]: value for labels, value in metrics.all(
        "defender_collector_odd_rows", collector="baselines") if value},
        {"duplicate": twice} if twice else {}, "odd rows")


def custom(query):
    return {"custom": [{"name": "own", "kql": query, "columns": {"id": "text"},
                        "metrics": [{"name": "defender_custom_own", "labels": {"id": "id"}}]}]}


class Graph(Azure):
    """Resource Graph that gives one recorded answer, whatever it is asked."""
    status, body = 200, {}

    def answer(self):
        if not self.path.startswith("/providers/Microsoft.ResourceGraph/"):
            Azure.answer(self)
            return
        self.read_body()
        self.answer_json(self.body, self.status)

    do_GET = do_POST = answer


def test_resource_graph():
    """Queries of an operator's own, answered with rows or with where they are wrong."""
    listed = refused = 0
    Azure.has(["00000000-0000-0000-0000-000000000000"])
    with Serving(Graph) as server:
        for entry, body in entries("arg-resources"):
            Graph.status, Graph.body = entry["status"], body
            if entry["status"] == 200:
                listed += check_listed(server.url, body, entry["file"])
            else:
                refused += check_refused(server.url, body, entry["file"])
    equal((listed, refused), (7, 6), "answers with rows as they are asked for, and refusals")


def check_listed(url, body, what):
    """Rows as objects, which is how they are asked for, of a result that is whole."""
    rows = body["data"]
    if not isinstance(rows, list):
        return 0
    if len(rows) < body["totalRecords"]:  # a page of a larger one: its last, here
        Graph.body = {**{name: value for name, value in body.items() if name != "$skipToken"},
                      "totalRecords": len(rows)}
    metrics = collect(url, custom("resources | project id | order by id asc"))
    equal({labels["id"] for labels, _ in metrics.all("defender_custom_own")},
          {row["id"] for row in rows}, what)
    return 1


def check_refused(url, body, what):
    with Folder() as folder:
        config = settings(url, folder.file("secret", SECRET),
                          {"subscriptions": {"enabled": True, "source": "rest"},
                           **custom("resources | where where | order by id asc")})
        config["collector"]["disable_defaults"] = True
        with Exporter(folder, config) as exporter:
            exporter.wait_answering()
            told = body["error"]["details"][-1]
            at = told["message"][:60]
            if "line" in told:
                at = (f"{told['message']} at line {told['line']}, character "
                      f"{told['characterPositionInLine']} near")
            until(f"{what}: {at}", lambda: at in exporter.log.replace('\\"', '"'))
            contains(exporter.get("/status").text, at, what)
    return 1


# --- the rest -------------------------------------------------------------------------------------
def test_tokens():
    """A number in quotes is a number: no token is asked for twice."""
    tokens = entries("token")
    equal(len(tokens), 3, "recorded tokens")
    with Serving(Azure) as server:
        for entry, body in tokens:
            Azure.has(["s-1"], token=body)
            metrics = collect(server.url, {})
            equal(metrics.sum("defender_subscriptions"), 1, entry["file"])
            equal(Azure.asked["token"], 1, f"{entry['file']}: tokens asked for")


RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: finding.opened
"""


class Refused(Quiet):
    """The stand-in, but for the activity log: that gives a recorded error."""
    url, status, body = "", 400, {}
    refused = collections.Counter()

    def answer(self):
        content = self.read_body()
        if "/eventtypes/management/values" in self.path.lower():
            self.refused["log"] += 1
            self.answer_json(self.body, self.status)
            return
        headers = {name: self.headers[name] for name in ("Authorization", "Content-Type")
                   if name in self.headers}
        answer = fetch(self.url + self.path, method=self.command, headers=headers,
                       body=content or None)
        self.answer_json(answer.body, answer.status)

    do_GET = do_POST = answer


def test_refused_activity_log():
    """Nobody knows who changed it; what opened is told all the same, and the log says why."""
    different = {json.dumps(body): (entry, body) for entry, body in entries("activity-log")}
    with Fake("--assessments", "30", "--machines", "0", "--subscriptions", "1") as fake, \
            Serving(Refused) as server:
        Refused.url = fake.url
        for entry, body in different.values():
            Refused.status, Refused.body, before = entry["status"], body, Refused.refused["log"]
            with Folder() as folder, Sink() as sink:
                folder.file("rules.yml", RULES)
                config = settings(server.url, folder.file("secret", SECRET), {
                    "subscriptions": {"enabled": True}, "assessments": {"enabled": True},
                    "activity": {"enabled": True}}, alerts={
                        "rules": ["rules.yml"], "ledger": {"first_run": "all"},
                        "governor": {"messages": 0}, "receivers": [receiver(sink)],
                        "route": {"receiver": "team", "group_wait": "1s"}})
                config["collector"]["disable_defaults"] = True
                with Exporter(folder, config, "--log.level=debug") as exporter:
                    exporter.wait_ready()
                    until("a request", lambda: Refused.refused["log"] > before)
                    until("a message", sink.taken)
                    until("why", lambda: body["message"][:40] in exporter.log)


if __name__ == "__main__":
    run(globals())
