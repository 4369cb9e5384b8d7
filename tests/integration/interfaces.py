#!/usr/bin/env python3
"""The stand-in's answers against the interfaces that Azure publishes, judged by oav.

Every operation of theirs that the stand-in serves is asked for, in every version of both; what
differs is in DIFFERENCES, because real answers differ so, or it is a fault of the stand-in.
"""
import collections
import copy
import functools
import glob
import json
import os
import re
import shutil
import subprocess
import urllib.parse

from fetched import node_folder
from harness import (CLIENT, HUNTED, ROOT, SECRET, SHARED, SLOWNESS, TENANT, Fake, Folder, Skip,
                     equal, fetch, run)

INTERFACES = os.path.join(SHARED, "azure/openapi")
SECURITY = "/providers/Microsoft.Security"
OPTIONS = ("--assessments", "900", "--subscriptions", "2", "--page-rows", "300", "--individual",
           "8", "--multicloud", "--seed", "7")

# Where real answers are not as published: (operations, code, path, what real ones are like).
DIFFERENCES = (
    ("Assessments_List", "OBJECT_MISSING_REQUIRED_PROPERTY", r"/resourceDetails/source$",
     "Source and Id have capitals"),
    ("Assessments_List", "DISCRIMINATOR_VALUE_NOT_FOUND", r"/resourceDetails/source$",
     "Source and Id have capitals"),
    ("AssessmentsMetadata.*", "ENUM_CASE_MISMATCH", r"/threats/\d+$", "the case of threats varies"),
    ("GuestConfiguration.*List", "INVALID_TYPE", r"/resources/\d+/reasons$",
     "old rows have a text, \"[]\""),
    ("Resources", "INVALID_TYPE",
     r"/error/details/\d+/(line|characterPositionInLine|token|expectedToken)$",
     "where a query is wrong is said in numbers and texts"),
)

# What the program itself asks for; whatever else is served is judged, too.
ASKED = {"Assessments_List", "AssessmentsMetadata_List", "SecureScores_List", "SecureScores_Get",
         "SecureScoreControls_List", "SecureScoreControls_ListBySecureScore", "Resources",
         "GuestConfigurationAssignments_SubscriptionList", "Pricings_List",
         "RegulatoryComplianceStandards_List", "RegulatoryComplianceControls_List",
         "RegulatoryComplianceAssessments_List", "Remediations_ListForSubscription",
         "Remediations_ListForManagementGroup", "Remediations_ListDeploymentsAtSubscription",
         "Remediations_ListDeploymentsAtManagementGroup"}


# --- the published interfaces ------------------------------------------------------------------
def missing_files(folder):
    """What the interfaces refer to and is not there: {file: fragments}."""
    found = collections.defaultdict(set)
    for path in glob.glob(folder + "/**/*.json", recursive=True):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for name, fragment in re.findall(r'"\$ref": *"([^"#:]+)#([^"]*)"', text):
            target = os.path.normpath(os.path.join(os.path.dirname(path), name))
            if not os.path.exists(target):
                found[target].add(fragment)
    return found


def in_their_place(fragments):
    """A file that says of what is referred to in it as little as can be."""
    content = {"swagger": "2.0", "info": {"title": "missing", "version": "0"}, "paths": {}}
    for fragment in sorted(fragments):
        _, kind, name = fragment.split("/")
        known = {"type": "object", "additionalProperties": True}
        if kind == "parameters":
            name_in_path = name.removesuffix("Parameter")
            known = {"name": "api-version", "in": "query", "required": True, "type": "string"}
            if name_in_path != "ApiVersion":
                short = re.sub(r"^[A-Z]+(?=[A-Z])|^[A-Z]", lambda m: m[0].lower(), name_in_path)
                known = {**known, "name": short, "in": "path"}
        elif name.endswith("Resource"):
            known["properties"] = {key: {"type": "string"}
                                   for key in ("id", "name", "type", "location")}
            known["x-ms-azure-resource"] = True
        content.setdefault(kind, {})[name] = known
    return content


def prepare(folder):
    """A copy of the interfaces in which every reference leads somewhere."""
    if not os.path.isdir(INTERFACES):
        raise Skip(f"no published interfaces in {INTERFACES}")
    target = folder.path + "/interfaces"
    shutil.copytree(INTERFACES, target, ignore=shutil.ignore_patterns("arm-json-schema"))
    subprocess.run(["chmod", "-R", "u+w", target], check=True)
    for path, fragments in missing_files(target).items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(in_their_place(fragments), file)
    return target


def operations(folder):
    """Every GET of the interfaces: [(path, version, operation)], parents first."""
    found = []
    for path in glob.glob(folder + "/*/resource-manager/**/*.json", recursive=True):
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        for template, methods in content["paths"].items():
            if "get" in methods:
                found.append((template.rstrip("/"), content["info"]["version"],
                              methods["get"]["operationId"]))
    return sorted(found, key=lambda o: (o[0].count("/"), o))


# --- what is judged ----------------------------------------------------------------------------
class Client:
    """Asks the stand-in and keeps each request with its answer."""

    def __init__(self, fake):
        self.fake, self.pairs = fake, []
        self.dump = fake.admin("dump")
        self.subscription = self.dump["subscriptions"][0]["subscriptionId"]
        form = (f"grant_type=client_credentials&client_id={CLIENT}&client_secret={SECRET}"
                "&scope=https://management.azure.com/.default")
        self.token = fetch(f"{fake.url}/{TENANT}/oauth2/v2.0/token", "POST", form).json()

    def ask(self, path, method="GET", body=None, headers=None):
        headers = {"Authorization": "Bearer " + self.token["access_token"],
                   "Content-Type": "application/json", **(headers or {})}
        return fetch(self.fake.url + path, method, json.dumps(body) if body else None, headers)

    def keep(self, path, answer, method="GET", body=None):
        self.pairs.append({
            "liveRequest": {"method": method, "url": "https://management.azure.com" + path,
                            "headers": {"content-type": "application/json"}, "body": body or {}},
            "liveResponse": {"statusCode": str(answer.status), "headers": answer.headers,
                             "body": answer.json()}})

    def pages(self, path):
        """All pages of a list."""
        while path:
            answer = self.ask(path)
            if answer.status == 200:
                self.keep(path, answer)
                yield answer.json()
            elif answer.json()["error"]["code"] not in ("InvalidResourceType",
                                                        "InvalidApiVersionParameter"):
                raise AssertionError(f"{path}: {answer.status} {answer.text}")
            path = answer.json().get("nextLink", "").replace(self.fake.url, "")


def filled(template, known):
    """The path with a name in place of each {parameter}; None where none is known."""
    path, at = "", 0
    for match in re.finditer(r"\{(\w+)\}", template):
        value = known.get(match[1]) or known.get(template[:match.start()].rstrip("/"))
        if not value:
            return None
        path += template[at:match.start()] + value
        at = match.end()
    return path + template[at:]


def ask_all(client, folder):
    """Every GET that can be asked for: the names in a list are those below it."""
    known = {"subscriptionId": client.subscription, "secureScoreName": "ascScore",
             "scope": "subscriptions/" + client.subscription}
    for template, version, _ in operations(folder):
        path = filled(template, known)
        if path is None:
            continue
        for page in client.pages(f"{path}?api-version={version}"):
            rows = page.get("value")
            if isinstance(rows, list) and rows and "name" in rows[0]:
                known[template] = rows[0]["name"]


def ask_for_deployments(client):
    """Remediation tasks of a subscription and of a management group, and what they deploy."""
    for scope, whose in ((f"/subscriptions/{client.subscription}",
                          {"subscription": client.subscription}),
                         (f"/providers/Microsoft.Management/managementGroups/{TENANT}",
                          {"group": TENANT})):
        for machine, status, code in (("vm-1", "Succeeded", ""), ("vm-2", "Failed", "Locked")):
            client.fake.admin("fix?" + urllib.parse.urlencode({
                **whose, "task": "fix-disks", "status": status, "code": code, "message": code,
                "resource": f"/subscriptions/{client.subscription}/resourceGroups/rg/providers/"
                            f"Microsoft.Compute/virtualMachines/{machine}",
                "at": "2026-11-01T10:20:30Z"}), "POST")
        tasks = scope + "/providers/Microsoft.PolicyInsights/remediations"
        for version in ("2021-10-01", "2024-10-01"):
            pages = list(client.pages(f"{tasks}?api-version={version}"))
            equal(sum(len(page["value"]) for page in pages), 1, f"tasks of {scope}")
            path = f"{tasks}/fix-disks/listDeployments?api-version={version}"
            answer = client.ask(path, "POST")
            equal((answer.status, len(answer.json()["value"])), (200, 2), f"deployments: {path}")
            client.keep(path, answer, "POST")


# What queries about a time are asked for: all of it.
INSTANTS = {"since": "2000-01-01T00:00:00Z", "from": "2000-01-01T00:00:00Z",
            "to": "2100-01-01T00:00:00Z"}


def ask_graph(client):
    for version in ("2021-03-01", "2022-10-01", "2024-04-01"):
        path = f"/providers/Microsoft.ResourceGraph/resources?api-version={version}"
        for name in sorted(os.listdir(os.path.join(ROOT, "collectors"))):
            if not name.endswith(".kql") or name in HUNTED:
                continue
            with open(os.path.join(ROOT, "collectors", name), encoding="utf-8") as file:
                query = re.sub(r"\{\{(\w+)\}\}", lambda found: INSTANTS.get(found[1], "x"),
                               file.read())
            body = {"query": query, "subscriptions": [client.subscription],
                    "options": {"$top": 200, "resultFormat": "objectArray"}}
            for _ in range(2):
                answer = client.ask(path, "POST", body)
                equal(answer.status, 200, f"{name}: {answer.text[:300]}")
                client.keep(path, answer, "POST", body)
                if "$skipToken" not in answer.json():
                    break
                body = copy.deepcopy(body)
                body["options"]["$skipToken"] = answer.json()["$skipToken"]


def ask_for_errors(client):
    """What is refused is refused as published."""
    lists = [f"/subscriptions/{client.subscription}{SECURITY}/{kind}?api-version={version}"
             for kind, version in (("assessments", "2021-06-01"), ("secureScores", "2020-01-01"))]
    graph = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01"
    for fault, status in (("401", 401), ("403", 403), ("429", 429), ("not-registered", 409)):
        client.fake.fault(fault)
        for path in lists:
            answer = client.ask(path)
            equal(answer.status, status, path)
            client.keep(path, answer)
        if status != 409:
            body = {"query": "resources"}
            client.keep(graph, client.ask(graph, "POST", body), "POST", body)
        client.fake.heal()
    unknown = lists[0].replace(client.subscription, "00000000-0000-0000-0000-000000000000")
    client.keep(unknown, client.ask(unknown))
    body = {"query": "securityresources | nonsense"}
    client.keep(graph, client.ask(graph, "POST", body), "POST", body)


@functools.lru_cache(None)
def judged():
    """All pairs with what the judge says of them, and of some that are wrong: [(pair, verdict)]."""
    tools = node_folder("clients", "live.js")
    with Folder() as folder:
        interfaces = prepare(folder)
        with Fake(*OPTIONS) as fake:
            client = Client(fake)
            ask_all(client, interfaces)
            ask_for_deployments(client)
            ask_graph(client)
            ask_for_errors(client)
        pairs = client.pairs + wrong_ones(client.pairs)
        done = subprocess.run(["node", tools + "/live.js", interfaces], check=False, text=True,
                              input="".join(json.dumps(p) + "\n" for p in pairs),
                              capture_output=True, timeout=300 * SLOWNESS,
                              env={**os.environ, "HOME": folder.path})
    equal(done.returncode, 0, done.stderr[-3000:])
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    equal(len(verdicts), len(pairs), "verdicts")
    return list(zip(pairs, verdicts)), len(client.pairs)


def wrong_ones(pairs):
    """Answers that are spoilt, which the judge must see."""
    score = copy.deepcopy(next(p for p in pairs if "/secureScores?" in p["liveRequest"]["url"]
                               and p["liveResponse"]["statusCode"] == "200"))
    score["liveResponse"]["body"]["value"][0]["properties"]["score"]["percentage"] = "much"
    graph = copy.deepcopy(next(p for p in pairs if "ResourceGraph" in p["liveRequest"]["url"]))
    graph["liveResponse"]["body"]["resultTruncated"] = False
    return [score, graph]


def complaints(verdict):
    """What is wrong and no known difference: [(operation, code, path, message)]; the others."""
    found, differences = [], set()
    for side in verdict.values():
        for error in side["errors"]:
            for path in error["pathsInPayload"] or [""]:
                row = next((d for d in DIFFERENCES if re.fullmatch(d[0], side["operation"])
                            and d[1] == error["code"] and re.search(d[2], path)), None)
                if row:
                    differences.add(row)
                else:
                    found.append((side["operation"], error["code"], path, error["message"]))
    return found, differences


def test_answers_are_as_published():
    verdicts, honest = judged()
    wrong, seen, served = [], set(), collections.Counter()
    for pair, verdict in verdicts[:honest]:
        found, differences = complaints(verdict)
        seen |= differences
        wrong += [(pair["liveRequest"]["url"], *one) for one in found[:3]]
        if pair["liveResponse"]["statusCode"] == "200":
            served[verdict["response"]["operation"]] += 1
    print(", ".join(f"{name} {count}" for name, count in sorted(served.items())))
    assert not wrong, f"{len(wrong)} complaints:\n" + "\n".join(map(str, wrong[:20]))
    equal(ASKED - set(served), set(), "not served")
    equal(set(DIFFERENCES) - seen, set(), "differences that are none any more")


def test_the_judge_sees_what_is_wrong():
    verdicts, honest = judged()
    equal(len(verdicts) - honest, 2, "spoilt answers")
    for (_, verdict), where in zip(verdicts[honest:], ("percentage", "resultTruncated")):
        found, _ = complaints(verdict)
        equal((found[0][1], found[0][2].rsplit("/")[-1]), ("INVALID_TYPE", where), "complaint")


run(globals())
