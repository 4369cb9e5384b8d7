#!/usr/bin/env python3
"""`check permissions`: what each source may read, which action is missing, and a role of it."""
import json
import os
import re
import subprocess

from harness import (CLIENT, EXPORTER, SECRET, SLOWNESS, TENANT, Fake, Folder, contains, equal, run,
                     settings)

OTHER = "22222222-3333-4444-8555-666666666666"
ALL_ON = {name: {"enabled": True} for name in ("exposure", "mdvm_baselines")}
REST = {name: {"source": "rest"}
        for name in ("assessments", "secure_scores", "compliance", "plans")}

# Of a source: the fault that denies it, how it is read, what is said then, what is missing.
NOT_PROVEN = ("not proven", "")
DENIALS = {
    "catalogue": ("403:path=assessmentMetadata", {}, "denied",
                  "Microsoft.Security/assessmentMetadata/read"),
    "assessments": ("403:path=Microsoft.Security/assessments", REST, "denied",
                    "Microsoft.Security/assessments/read"),
    "secure_scores": ("403:path=secureScoreControls", REST, "denied",
                      "Microsoft.Security/secureScoreControls/read"),
    "compliance": ("403:path=regulatoryComplianceStandards", REST, "denied",
                   "Microsoft.Security/regulatoryComplianceStandards/read"),
    "plans": ("403:path=pricings", REST, "denied", "Microsoft.Security/pricings/read"),
    "remediations": ("403:path=PolicyInsights", {}, "denied",
                     "Microsoft.PolicyInsights/remediations/read"),
    "exposure": ("403:path=runHuntingQuery", {}, "denied",
                 "`ThreatHunting.Read.All` of Microsoft Graph"),
    "mdvm_baselines": ("403:path=/api/baselineProfiles", {}, "denied",
                       "`SecurityBaselinesAssessment.Read.All` of the Defender API "
                       "(WindowsDefenderATP)"),
}
# Of a source that asks Resource Graph, which refuses nothing: the queries of which no rows come.
SILENT = {"assessments": "assessments_rows", "secure_scores": "secure_score",
          "baselines": "baseline_guest", "attack_paths": "attack_paths_plans",
          "security_alerts": "security_alerts_rows", "compliance": "compliance_standards",
          "subassessments": "subassessments_images", "prerequisites": "prerequisites",
          "exemptions": "exemptions", "governance": "governance_rows", "tags": "tags_resources"}


class Bench:
    """A tenant that has rows of every source, and who asks it."""

    def __init__(self):
        self.folder = Folder()

    def __enter__(self):
        self.folder.__enter__()
        self.fake = Fake("--exemptions", "3")
        self.fake.admin("advance?steps=2", "POST")
        dump = self.fake.admin("dump")
        first = dump["assessments"][0]["id"]
        self.fake.admin(f"govern?id={first}&owner=a@b.example&due=2030-01-01T00:00:00Z", "POST")
        subscription = dump["subscriptions"][0]["subscriptionId"]
        self.fake.admin(f"governance_rule?subscription={subscription}&title=a&property=b&value=c"
                        "&owner=d@e.example&priority=1", "POST")
        resource = next(one for one in dump["resources"] if "/resourcegroups/" in one.lower())
        self.fake.admin(f"tag?id={resource}&name=team&value=x", "POST")
        self.fake.admin(f"tag?id=/subscriptions/{subscription}&name=team&value=x", "POST")
        self.fake.admin(f"exempt?scope=/subscriptions/{subscription}&policy=p1&category=Waiver"
                        "&reason=r&requester=a&approver=b", "POST")
        return self

    def __exit__(self, *what):
        self.fake.__exit__(*what)
        self.folder.__exit__(*what)

    def config(self, collectors=None, **more):
        collectors = {**ALL_ON, **(collectors or {})}
        return settings(self.fake.url, self.folder.file("secret", SECRET), collectors,
                        alerts={"tags": ["team"]}, **more)


def ask(folder, config, *arguments, environment=None):
    path = folder.file("config.yml", config)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("AZURE_")}
    return subprocess.run([EXPORTER, "check", "permissions", f"--config.file={path}", *arguments],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=120 * SLOWNESS, env={**inherited, **(environment or {})})


def rows(folder, config, status, *arguments):
    """{collector: row}, and its exit status is this."""
    result = ask(folder, config, "--format=json", *arguments)
    equal(result.returncode, status, "exit status: " + result.stdout + result.stderr)
    return {row["collector"]: row for row in json.loads(result.stdout)}


def test_everything_works_and_that_is_proven():
    with Bench() as bench:
        found = rows(bench.folder, bench.config(), 0)
        equal({name: row["result"] for name, row in found.items() if row["result"] != "works"},
              {"activity": "not asked"}, "what does not work")
        equal({row["tenant_id"] for row in found.values()}, {TENANT}, "tenants")
        table = ask(bench.folder, bench.config())
        contains(table.stdout, "azure   assessments      Security Reader", "the table")
        markdown = ask(bench.folder, bench.config(), "--format=markdown").stdout
        contains(markdown, "| azure | " + TENANT + " | assessments |", "Markdown")


def test_each_list_that_is_refused_is_named_with_its_action():
    with Bench() as bench:
        for name, (fault, how, result, missing) in DENIALS.items():
            before = rows(bench.folder, bench.config(how), 0)
            equal(before[name]["result"], "works", name + " before")
            bench.fake.fault(fault)
            found = rows(bench.folder, bench.config(how), 1)
            equal((found[name]["result"], found[name]["missing"]), (result, missing), name)
            contains(found[name]["reason"], "403", name)
            others = {other: row["result"] for other, row in found.items()
                      if row["result"] != before[other]["result"] and other != name}
            equal(others, {}, "what else changed with " + name)
            bench.fake.heal()


def test_of_silence_nothing_is_concluded():
    """Resource Graph leaves out what may not be read: no rows are neither right nor wrong."""
    with Bench() as bench:
        for name, query in SILENT.items():
            bench.fake.fault(f"ended:body={query}")
            found = rows(bench.folder, bench.config(), 0)
            equal((found[name]["result"], found[name]["missing"]), NOT_PROVEN, name)
            contains(found[name]["reason"], query, name)
            equal({other for other, row in found.items() if row["result"] == "not proven"}, {name},
                  "not proven without " + query)
            bench.fake.heal()


def test_a_subscription_that_is_denied_is_named():
    with Bench() as bench:
        ids = sorted(one["subscriptionId"] for one in bench.fake.admin("dump")["subscriptions"])
        bench.fake.fault("403:sub=0")
        found = rows(bench.folder, bench.config(), 1)
        equal(found["subscriptions"]["result"], "partly denied", "subscriptions")
        contains(found["subscriptions"]["reason"], ids[0], "which one")
        equal(found["assessments"]["subscriptions"], len(ids) - 1, "those that are left")
        bench.fake.heal()
        bench.fake.fault("gap:sub=1")
        found = rows(bench.folder, bench.config(), 0)
        contains(found["assessments"]["reason"], f"{len(ids) - 1} of {len(ids)} subscriptions",
                 "one whose rows do not come")


def test_who_cannot_sign_in_or_is_not_answered_hears_so():
    with Bench() as bench:
        bench.fake.fault("new-secret:body=other")
        found = rows(bench.folder, bench.config(), 1)
        equal(found["subscriptions"]["result"], "failed", "the first")
        contains(found["subscriptions"]["reason"], "AADSTS", "why")
        equal({row["result"] for name, row in found.items() if name != "subscriptions"},
              {"not asked"}, "the others")


def test_two_tenants_are_asked_each():
    with Bench() as bench, Fake("--tenant-id", OTHER, "--seed", "7") as second:
        config = bench.config()
        config["tenants"] = {"fabrikam": {**config["azure"], "tenant_id": OTHER,
                                          "authority_host": second.url,
                                          "resource_manager": second.url,
                                          "microsoft_graph": second.url,
                                          "endpoint_api": second.url}}
        second.fault("403:path=assessmentMetadata")
        result = ask(bench.folder, config, "--format=json")
        equal(result.returncode, 1, "exit status: " + result.stderr)
        found = {(row["tenant"], row["collector"]): row for row in json.loads(result.stdout)}
        equal(found["azure", "catalogue"]["result"], "works", "the first tenant")
        equal(found["fabrikam", "catalogue"]["result"], "denied", "the second tenant")
        equal(found["fabrikam", "catalogue"]["tenant_id"], OTHER, "its id")
        equal({row["tenant"] for row in rows(bench.folder, config, 0, "azure").values()},
              {"azure"}, "who is asked when one is named")
        equal(ask(bench.folder, config, "contoso").returncode, 2, "no such tenant")
        equal(ask(bench.folder, config, "--role").returncode, 2, "a role of which tenant?")
        role = json.loads(ask(bench.folder, config, "--role", "fabrikam").stdout)
        equal(role["AssignableScopes"],
              [f"/providers/Microsoft.Management/managementGroups/{OTHER}"], "its scope")


def rights():
    """{collector: its actions} of the table that the README has."""
    table = subprocess.run([EXPORTER, "rights"], capture_output=True, text=True, check=True).stdout
    lines = re.findall(r"^\| `(\w+)` \| .* \| ([^|]*) \| [^|]* \|$", table, re.M)
    return {name: set(re.findall("`([^`]+)`", actions)) for name, actions in lines}


def only(*names):
    """Everything off but these."""
    return {"collector": {"disable_defaults": True},
            "collectors": {name: {"enabled": True} for name in names}}


def role(folder, config, *arguments, environment=None):
    result = ask(folder, config, "--role", *arguments, environment=environment)
    equal(result.returncode, 0, result.stderr)
    return json.loads(result.stdout)


def test_the_role_is_of_what_is_on():
    """As `az role definition create` takes it: its members, in a form it reads, and no other."""
    table = rights()
    azure = {"azure": {"tenant_id": TENANT, "client_id": CLIENT}, "alerts": {"tags": ["team"]}}
    secret = {"AZURE_CLIENT_SECRET": SECRET}
    with Folder() as folder:
        for name in sorted(table):
            got = role(folder, {**azure, **only("subscriptions", name)}, environment=secret)
            want = table["subscriptions"] | table[name]
            if "*/read" in want:
                want = {"*/read"}
            equal(set(got["Actions"]), want, name)
            equal(len(got["Actions"]), len(set(got["Actions"])), name)
        equal(sorted(got), ["Actions", "AssignableScopes", "DataActions", "Description", "IsCustom",
                            "Name", "NotActions", "NotDataActions"], "members")
        equal([got[key] for key in ("IsCustom", "NotActions", "DataActions", "NotDataActions")],
              [True, [], [], []], "fixed ones")
        equal(got["AssignableScopes"],
              [f"/providers/Microsoft.Management/managementGroups/{TENANT}"], "of the tenant")
        wide = role(folder, {**azure, **only("subscriptions", "plans", "assessments",
                                             "attack_paths")}, environment=secret)
        equal(set(wide["Actions"]), table["subscriptions"] | {"Microsoft.Security/*/read"},
              "what a wildcard covers is not said again")
        narrow = {"subscriptions": {"include": [OTHER, TENANT]}}
        equal(role(folder, {**azure, **narrow}, environment=secret)["AssignableScopes"],
              [f"/subscriptions/{OTHER}", f"/subscriptions/{TENANT}"], "of what is included")
        scope = "/providers/Microsoft.Management/managementGroups/prod"
        equal(role(folder, {**azure, **narrow}, "--scope", scope,
                   environment=secret)["AssignableScopes"], [scope], "as asked for")
        unknown = ask(folder, {"azure": {"method": "managed_identity"}}, "--role")
        equal(unknown.returncode, 2, "a tenant that is not known: " + unknown.stderr)
        contains(unknown.stderr, "--scope", "what to do")


if __name__ == "__main__":
    run(globals())
