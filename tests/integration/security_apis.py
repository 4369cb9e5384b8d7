#!/usr/bin/env python3
"""What is read beside Resource Manager, with tokens of its own: hunting and the Defender API."""
import collections
import re
import json
import urllib.parse

from harness import CLIENT, ROOT, SECRET, TENANT as TENANT_ID
from harness import Exporter, Fake, Folder, contains, equal, fetch, run, settings, until

TENANT = ("--seed", "5", "--assessments", "900")
PAGE = 70
PAGED = (*TENANT, "--page-rows", str(PAGE))
BASELINES = "/api/machines/baselineComplianceAssessmentByMachine"
SCOPES = {"graph": "https://graph.microsoft.com",
          "mdvm": "https://api.securitycenter.microsoft.com", "arm": "https://management.azure.com"}
CRITICALITY = {-1: "none", 0: "very_high", 1: "high", 2: "medium", 3: "low"}


def configuration(fake, folder, **collectors):
    quick = {name: {"enabled": True, "interval": "1s", **more}
             for name, more in collectors.items()}
    config = settings(fake.url, folder.file("secret", SECRET),
                      {"subscriptions": {"enabled": True, "interval": "1s"}, **quick})
    config["collector"]["disable_defaults"] = True
    config["metrics"] = {"opt_in_list": "defender_mdvm_.*"}
    return config


def token(fake, api):
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET,
            "scope": SCOPES[api] + "/.default"}
    answer = fetch(f"{fake.url}/{TENANT_ID}/oauth2/v2.0/token", "POST",
                   urllib.parse.urlencode(form))
    return {"Authorization": "Bearer " + answer.json()["access_token"]}


def hunt(fake, query, api="graph"):
    return fetch(fake.url + "/v1.0/security/runHuntingQuery", "POST", json.dumps({"Query": query}),
                      token(fake, api))


def nodes_of(fake, query):
    """The answer to the exporter's own query."""
    rows = hunt(fake, query).json()["results"]
    counts = collections.Counter()
    for row in rows:
        counts[row["nodeLabel"], CRITICALITY[row["criticality"]]] += row["nodes"]
    return counts


def own_query():
    with open(ROOT + "/collectors/exposure_nodes.kql", encoding="utf-8") as file:
        return "".join(line for line in file if not line.startswith("//")).strip()


def results_of(fake):
    """Every result of every device, page by page."""
    link, found, header = f"{BASELINES}?pageSize=60", [], token(fake, "mdvm")
    while link:
        page = fetch(fake.url + link, headers=header).json()
        found += page["value"]
        link = page.get("@odata.nextLink", "").replace(fake.url, "")
    return found


def test_they_are_off():
    with Folder() as folder, Fake(*TENANT) as fake:
        with Exporter(folder, configuration(fake, folder)) as exporter:
            exporter.wait_ready()
            metrics = exporter.metrics()
            equal((fake.requests("hunting"), fake.requests("mdvm")), (0, 0), "requests")
            equal(metrics.all("defender_exposure_nodes"), [], "no numbers")
            equal(metrics.all("defender_scrape_collector_success", collector="exposure"), [], "off")


def test_the_graph_is_counted():
    with Folder() as folder, Fake(*TENANT) as fake:
        want = nodes_of(fake, own_query())
        with Exporter(folder, configuration(fake, folder, exposure={})) as exporter:
            exporter.wait_ready()
            metrics = exporter.metrics()
            got = {(labels["node_label"], labels["criticality"]): value
                   for labels, value in metrics.all("defender_exposure_kind_nodes")}
            equal(got, dict(want), "nodes by kind")
            equal(metrics.sum("defender_exposure_nodes"), sum(want.values()), "nodes")
            equal(fake.requests("mdvm"), 0, "the other one is off")


def test_baselines_are_counted_over_pages():
    with Folder() as folder, Fake(*PAGED) as fake:
        rows = results_of(fake)
        pages = -(-len(rows) // PAGE)
        assert pages > 1, f"one page is no test: {len(rows)} rows"
        before = fake.requests("mdvm")
        with Exporter(folder, configuration(fake, folder,
                                            mdvm_baselines={"interval": "1h"})) as exporter:
            exporter.wait_ready()
            metrics = exporter.metrics()
            check_profiles(exporter, metrics)
        equal(fake.requests("mdvm") - before, 2 + pages, "two lists, and pages")
        check_baselines(metrics, rows)


def check_profiles(exporter, metrics):
    """The page of baselines has the devices of the metrics."""
    until("a page", lambda: exporter.get("/baselines").status == 200)
    listed = exporter.get("/baselines").text.split("<h2>Profiles of Vulnerability Management")[1]
    for state, label in (("compliant", "Devices passing"), ("noncompliant", "Failing")):
        shown = re.findall(rf'data-label="{label}">([^<]*)<', listed)
        equal(sum(int(cell.replace("\u202f", "")) for cell in shown),
              metrics.sum("defender_mdvm_baseline_devices", state=state), f"{state} on the page")


def check_baselines(metrics, rows):
    states, failing, devices = (collections.Counter() for _ in range(3))
    broken = collections.defaultdict(set)
    for row in rows:
        state = ("not_applicable" if not row["isApplicable"] else
                 "compliant" if row["isCompliant"] else "noncompliant")
        states[row["profileId"], state] += 1
        broken[row["profileId"], row["deviceId"]] |= {state}
        if state == "noncompliant":
            failing[row["profileId"], row["configurationId"]] += 1
    for (profile, _), found in broken.items():
        devices[profile, "noncompliant" if "noncompliant" in found else "compliant"] += 1
    for family, want, label in (("results", states, "state"), ("devices", devices, "state"),
                                ("failing_devices", failing, "configuration_id")):
        got = {(labels["profile_id"], labels[label]): value for labels, value in
               metrics.all("defender_mdvm_baseline_" + family) if value}
        equal(got, dict(want), family)
    named = {(labels["profile_id"], labels["configuration_id"]): labels["configuration"]
             for labels, _ in metrics.all("defender_mdvm_baseline_configuration_info")}
    equal(set(named), set(failing), "all that fail are named")
    assert all(named.values()), named


def test_who_may_not_is_told_and_nobody_else_suffers():
    with Folder() as folder, Fake(*TENANT) as fake:
        fake.fault("403:path=runHuntingQuery")
        with Exporter(folder, configuration(fake, folder, exposure={},
                                            mdvm_baselines={})) as exporter:
            exporter.wait_answering()
            success = "defender_scrape_collector_success"
            until("the others", lambda: exporter.metrics().sum(
                success, collector="mdvm_baselines") == 1)
            until("it has tried", lambda: fake.requests("hunting") > 0)
            metrics = exporter.metrics()
            equal(metrics.sum(success, collector="exposure"), 0, "it failed")
            equal(metrics.all("defender_exposure_nodes"), [], "not known is not 0")
            fake.heal()
            until("it works again", lambda: exporter.metrics().sum(
                success, collector="exposure") == 1)


def test_each_api_takes_its_own_tokens_only():
    with Fake(*TENANT) as fake:
        equal(hunt(fake, own_query(), "arm").status, 401, "Resource Manager's at Graph")
        equal(fetch(fake.url + BASELINES, headers=token(fake, "graph")).status, 401,
              "Graph's there")
        equal(fetch(fake.url + "/subscriptions?api-version=2022-12-01",
                    headers=token(fake, "mdvm")).status, 401, "Defender's at Resource Manager")
        refused = hunt(fake, "ExposureGraphNodes | count")
        equal(refused.status, 400, "a query nobody knows")
        contains(refused.json()["error"]["message"], "semantic errors", "why")


if __name__ == "__main__":
    run(globals())
