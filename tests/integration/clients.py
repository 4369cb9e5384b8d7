#!/usr/bin/env python3
"""Azure's own clients against the stand-in: what they make of its answers is what its tenant is.

  clients.py --setup   fetch them into build/tools; the tests themselves need no network and skip
                       what was not fetched
"""
import datetime
import json
import os
import re
import subprocess
import urllib.parse

from certificates import Authority
from fetched import SETTING_UP, debian, node_folder, python_of, set_up
from harness import (CLIENT, ROOT, SECRET, SLOWNESS, TENANT, Fake, Folder, contains, equal, fetch,
                     run)

PAGE_ROWS = 250
OPTIONS = ("--subscriptions", "2", "--disabled-subscriptions", "1", "--assessments", "700",
           "--seed", "5", "--individual", "12", "--page-rows", str(PAGE_ROWS))


class Bench:
    """The stand-in with a certificate of an authority that the clients are told of."""

    def __enter__(self):
        self.folder = Folder()
        self.folder.__enter__()
        try:
            authority = Authority(self.folder)
            self.fake = Fake("--tls", *authority.issue("server"), *OPTIONS)
        except BaseException:
            self.folder.__exit__()
            raise
        self.authority = authority.cert
        self.dump = self.fake.admin("dump")
        # The one with more than a page of everything.
        self.subscription = max((s["subscriptionId"] for s in self.dump["subscriptions"]),
                                key=lambda s: len(self.facts("assessments", s)))
        self.fixes = [self.fix(f"fix-{task}", f"vm-{number}", *status)
                      for task, number, *status in (
                          ("disks", 1, "Succeeded"),
                          ("disks", 2, "Failed", "ScopeLocked", "The disk is locked"),
                          ("logs", 1, "Running"),
                          ("tags", 3, "Succeeded"))]
        self.group_fixes = [self.fix("fix-all", f"vm-{number}", status, group=TENANT)
                            for number, status in enumerate(("Succeeded", "Failed"))]
        return self

    def fix(self, task, machine, status, code="", message="", **group):
        """A deployment of a remediation task of the subscription, or of a management group."""
        fix = (task, f"/subscriptions/{self.subscription}/resourceGroups/rg/providers/"
               f"Microsoft.Compute/virtualMachines/{machine}", status, code, message,
               "2026-11-01T10:20:30Z")
        names = ("task", "resource", "status", "code", "message", "at")
        self.fake.admin("fix?" + urllib.parse.urlencode(
            {**(group or {"subscription": self.subscription}), **dict(zip(names, fix))}), "POST")
        return fix

    def __exit__(self, *why):
        self.fake.__exit__(*why)
        self.folder.__exit__()

    def facts(self, kind, subscription=None):
        """What is so in one subscription."""
        wanted = subscription or self.subscription
        return [f for f in self.dump[kind] if f["subscriptionId"] == wanted]

    def list(self, path):
        """The rows of a list of the subscription, page by page."""
        form = (f"grant_type=client_credentials&client_id={CLIENT}&client_secret={SECRET}"
                "&scope=https://management.azure.com/.default")
        token = fetch(f"{self.fake.url}/{TENANT}/oauth2/v2.0/token", "POST", form).json()
        url = f"{self.fake.url}/subscriptions/{self.subscription}/providers/Microsoft.{path}"
        rows = []
        while url:
            page = fetch(url, headers={"Authorization": "Bearer " + token["access_token"]}).json()
            rows += page["value"]
            url = page.get("nextLink")
        return rows

    def run(self, words, environment, status=0):
        """What a client says: on stdout, or on stderr where it is to fail."""
        done = subprocess.run(words, cwd=self.folder.path, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, check=False, timeout=300 * SLOWNESS,
                              env={**os.environ, "HOME": self.folder.path, **environment})
        equal(done.returncode, status,
              f"{' '.join(words)[:200]}: {done.stdout[-1000:]}{done.stderr[-3000:]}")
        return done.stdout if status == 0 else done.stderr


def query(name):
    with open(os.path.join(ROOT, "collectors", name + ".kql"), encoding="utf-8") as file:
        return file.read()


def plain(value):
    """The same under the names of every client: healthyResourceCount, healthy_resource_count."""
    if isinstance(value, dict):
        return {name.replace("_", "").lower(): plain(member) for name, member in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def seconds(text):
    """Of a date as a client writes it; 0 without one. Some keep microseconds, some none."""
    if not text:
        return 0
    text = re.sub(r"\.\d+", "", text).replace("Z", "+00:00")
    return int(datetime.datetime.fromisoformat(text).timestamp())


# --- what the tenant is, and what a client says it is ------------------------------------------
def assessments(rows):
    return sorted((r["id"].lower(), r["displayname"], r["status"]["code"],
                   r["status"].get("cause") or "", seconds(r["status"].get("statuschangedate")),
                   seconds(r["status"].get("firstevaluationdate"))) for r in rows)


def assessments_of(bench):
    return sorted((f["id"].lower(), f["title"], f["code"], f["cause"], f["changed"] or 0,
                   f["firstEvaluated"] or 0)
                  for f in bench.facts("assessments"))


def metadata(rows):
    return sorted((r["name"], r["displayname"], r["severity"], r["assessmenttype"],
                   tuple(r["categories"]), bool(r.get("preview")), r["policydefinitionid"] or "",
                   r.get("implementationeffort") or "") for r in rows)


def metadata_of(bench):
    return sorted((f["key"], f["title"], f["severity"], f["assessmentType"], (f["category"],),
                   f["preview"], f["policyDefinitionId"] or "", f["implementationEffort"] or "")
                  for f in bench.dump["metadata"] if not f["individual"])


def scores(rows):
    return [(r["name"], r["max"], r["current"], r["percentage"], r["weight"]) for r in rows]


def scores_of(bench):
    return [("ascScore", f["max"], f["current"], f["ratio"], f["weight"])
            for f in bench.facts("scores") if not f["connectorId"]]


def controls(rows):
    return sorted((r["name"], r["displayname"], r["healthyresourcecount"],
                   r["unhealthyresourcecount"], r["notapplicableresourcecount"], r["max"],
                   r["current"], r["percentage"], r["weight"]) for r in rows)


def controls_of(bench):
    return sorted((f["control"], f["title"], f["healthy"], f["unhealthy"], f["notApplicable"],
                   f["max"], f["current"], f["ratio"], f["weight"])
                  for f in bench.facts("controls") if not f["connectorId"])


def graph(rows):
    return sorted((r["id"], r["statuscode"], r["severity"]) for r in rows)


def graph_of(bench):
    return sorted((f["id"].lower(), f["code"], f["severity"]) for f in bench.facts("assessments"))


def assignments(rows):
    return sorted(r["properties"]["targetresourceid"].lower() for r in rows)


def assignments_of(bench):
    return sorted(m["machineId"] for m in bench.dump["baseline"]["machines"]
                  if m["subscriptionId"] == bench.subscription and m["formB"])


def plans(rows):
    return sorted((r["name"], r["pricingtier"], r.get("subplan") or "", bool(r.get("deprecated")))
                  for r in rows)


def plans_of(bench):
    [subscription] = bench.facts("subscriptions")
    return sorted((p["name"], "Standard" if p["on"] else "Free", p["subPlan"], p["deprecated"])
                  for p in subscription["plans"])


def tiers(rows):
    return sorted((r["name"], r["pricingtier"]) for r in rows)


def tiers_of(bench):
    return [(name, tier) for name, tier, _, _ in plans_of(bench)]


RESULTS = ("passed", "failed", "skipped")
KINDS = ("controls", "assessments", "resources")


def compliance(rows):
    return sorted((r["id"].lower(), r["state"], *(r.get(f"{result}{kind}") for kind in KINDS
                                                  for result in RESULTS)) for r in rows)


def raw_compliance(bench, path):
    """What the list at a path says, read as it is."""
    return [plain({"id": row["id"], **row["properties"], "name": row["name"]})
            for row in bench.list(f"Security/regulatoryComplianceStandards{path}"
                                  "?api-version=2019-01-01-preview")]


def standards_of(bench):
    return compliance(raw_compliance(bench, ""))


def compliance_of(bench):
    rows = []
    for standard in raw_compliance(bench, ""):
        below = f"/{standard['name']}/regulatoryComplianceControls"
        for control in raw_compliance(bench, below):
            rows += [control, *raw_compliance(
                bench, f"{below}/{control['name']}/regulatoryComplianceAssessments")]
    return compliance(rows)


def remediations(rows):
    return sorted((r["name"], r["provisioningstate"],
                   *(r["deploymentstatus"][f"{which}deployments"]
                     for which in ("total", "successful", "failed"))) for r in rows)


def remediations_of(bench):
    return tasks_of(bench.fixes)


def group_remediations_of(bench):
    return tasks_of(bench.group_fixes)


def tasks_of(fixes):
    tasks = {}
    for task, _, status, *_ in fixes:
        tasks.setdefault(task, []).append(status)
    states = ("Running", "Failed", "Succeeded")  # of a task: the first that a deployment has
    return sorted((task, next(state for state in states if state in found), len(found),
                   found.count("Succeeded"), found.count("Failed"))
                  for task, found in tasks.items())


def deployments(rows):
    return sorted((r["task"], r["remediatedresourceid"], r["status"],
                   (r.get("error") or {}).get("code", ""),
                   (r.get("error") or {}).get("message", ""), seconds(r["lastupdatedon"]))
                  for r in rows)


def deployments_of(bench):
    return sorted((*fix[:-1], seconds(fix[-1])) for fix in bench.fixes)


def group_deployments_of(bench):
    return sorted((*fix[:-1], seconds(fix[-1])) for fix in bench.group_fixes)


# "tiers": of the oldest version, which tells no more.
JUDGES = {"assessments": (assessments, assessments_of), "metadata": (metadata, metadata_of),
          "metadata_of_subscription": (metadata, metadata_of), "scores": (scores, scores_of),
          "score": (scores, scores_of), "controls": (controls, controls_of),
          "controls_of_score": (controls, controls_of), "graph": (graph, graph_of),
          "assignments": (assignments, assignments_of),
          "pricings": (plans, plans_of), "tiers": (tiers, tiers_of),
          "remediations": (remediations, remediations_of),
          "deployments": (deployments, deployments_of),
          "group_remediations": (remediations, group_remediations_of),
          "group_deployments": (deployments, group_deployments_of),
          "standards": (compliance, standards_of), "compliance": (compliance, compliance_of)}


def judge(bench, found, names):
    """What a client made of each operation is what the tenant is."""
    equal(set(found), set(names), "operations of the client")
    for name, rows in found.items():
        read, told = JUDGES[name]
        want = told(bench)
        assert want, f"the tenant has no {name}"
        got = read(plain(rows))
        equal(len(got), len(want), f"rows of {name}")
        equal([g for g, w in zip(got, want) if g != w][:2],
              [w for g, w in zip(got, want) if g != w][:2], name)
    equal(len(bench.facts("assessments")) > 2 * PAGE_ROWS, True, "there was more than a page")


# --- the az command line -----------------------------------------------------------------------
class Az:
    def __init__(self, bench):
        self.bench = bench
        self.words, more = debian("azure-cli", "az")
        self.environment = {**more, "AZURE_CONFIG_DIR": bench.folder.path + "/az",
                            "REQUESTS_CA_BUNDLE": bench.authority, "NO_COLOR": "1",
                            "AZURE_CORE_COLLECT_TELEMETRY": "no"}
        url = bench.fake.url
        self("cloud", "register", "-n", "stand-in", "--endpoint-resource-manager", url + "/",
             "--endpoint-active-directory", url + "/adfs", "--endpoint-management", url + "/",
             "--endpoint-active-directory-resource-id", url,
             "--endpoint-active-directory-graph-resource-id", url)
        self("cloud", "set", "-n", "stand-in")

    def __call__(self, *words, status=0):
        output = self.bench.run([*self.words, *words], self.environment, status)
        if status:
            return output
        return json.loads(output) if output.strip() else None

    def login(self, secret=SECRET, status=0):
        return self("login", "--service-principal", "-u", CLIENT, "-p", secret, "--tenant", TENANT,
                    status=status)


def test_az_reads_the_tenant():
    with Bench() as bench:
        az = Az(bench)
        contains(az.login("wrong", status=1), "AADSTS7000215", "a wrong secret")
        az.login()
        told = {s["subscriptionId"]: (s["name"], s["state"]) for s in bench.dump["subscriptions"]}
        equal({a["id"]: (a["name"], a["state"]) for a in az("account", "list", "--all")}, told,
              "subscriptions")
        assert "Disabled" in [state for _, state in told.values()], f"only {told}"
        az("account", "set", "-s", bench.subscription)
        resources = f"{bench.fake.url}/providers/Microsoft.ResourceGraph/resources" \
                    "?api-version=2021-03-01"

        def ask(kql, status=0, token=None):
            body = {"query": kql, "subscriptions": [bench.subscription],
                    "options": {"$top": 1000, **({"$skipToken": token} if token else {})}}
            return az("rest", "--method", "post", "--url", resources, "--resource", bench.fake.url,
                      "--body", "@" + bench.folder.file("body.json", body), status=status)

        def ask_all(kql):
            page = ask(kql)
            rows = page["data"]
            while "$skipToken" in page:
                page = ask(kql, token=page["$skipToken"])
                rows += page["data"]
            return rows

        judge(bench, {
            "assessments": az("security", "assessment", "list"),
            "metadata": az("security", "assessment-metadata", "list"),
            "scores": az("security", "secure-scores", "list"),
            "score": [az("security", "secure-scores", "show", "-n", "ascScore")],
            "controls": az("security", "secure-score-controls", "list"),
            "controls_of_score": az("security", "secure-score-controls", "list_by_score",
                                    "-n", "ascScore"),
            "pricings": az("security", "pricing", "list")["value"],
            "graph": ask_all(query("assessments_rows")),
            "standards": az("security", "regulatory-compliance-standards", "list"),
        }, set(JUDGES) - {"assignments", "metadata_of_subscription", "tiers", "compliance",
                          "remediations", "deployments", "group_remediations",
                          "group_deployments"})
        contains(ask("securityresources | nonsense", status=1), "InvalidQuery", "a wrong query")


# --- libraries ---------------------------------------------------------------------------------
def read_with(bench, words, environment):
    url = bench.fake.url
    return json.loads(bench.run([*words, url, TENANT, CLIENT, SECRET, bench.subscription,
                                 query("assessments_rows")], environment))


def test_javascript_reads_the_tenant():
    folder = node_folder("clients", "sdk.js")
    with Bench() as bench:
        judge(bench, read_with(bench, ["node", folder + "/sdk.js"],
                               {"NODE_EXTRA_CA_CERTS": bench.authority}),
              set(JUDGES) - {"assignments", "pricings"})


def test_python_reads_the_tenant():
    python = python_of("clients")
    with Bench() as bench:
        judge(bench, read_with(bench, [python, ROOT + "/tests/tools/clients/sdk.py"],
                               {"REQUESTS_CA_BUNDLE": bench.authority}), set(JUDGES) - {"tiers"})


if SETTING_UP:
    set_up("clients.py", lambda: debian("azure-cli", "az"), lambda: node_folder("clients"),
           lambda: python_of("clients"))
else:
    run(globals())
