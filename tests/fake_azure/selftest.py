#!/usr/bin/env python3
"""The stand-in behaves as it says: tokens, pages, quota, evolution, recorded tenants.

  FAKE_AZURE=build/release/fake_azure tests/fake_azure/selftest.py [test_name...]
"""
import collections
import json
import os
import re
import urllib.parse
import subprocess
import tempfile
import time

from client import LIST, ROOT, SLOWNESS, Fake, equal, error_of, query, run, true

NOW = "1790000000"


# --- identity ----------------------------------------------------------------------------------

def test_tokens():
    with Fake() as fake:
        good = fake.token().json()
        equal((good["token_type"], good["expires_in"]), ("Bearer", 3599), "a token")
        for changes, status, number in (
                ({"client_secret": "wrong"}, 401, 7000215),
                ({"client_secret": None}, 401, 7000216),
                ({"client_id": "someone"}, 400, 700016),
                ({"scope": "https://management.azure.com/"}, 400, 1002012),
                ({"grant_type": "password"}, 400, 70003),
                ({"grant_type": None}, 400, 900144),
                ({"path": "/other.example/oauth2/v2.0/token"}, 400, 90002)):
            answer = fake.token(**changes)
            equal(answer.status, status, f"status for {changes}")
            equal(answer.json()["error_codes"], [number], f"code for {changes}")
            true(answer.json()["error_description"].startswith(f"AADSTS{number}: "), "its text")
        equal(fake.token(client_secret=None, client_assertion="abc").status, 200, "an assertion")
        for headers in ({}, {"Authorization": "Bearer made.up"}):
            answer = fake.fetch(LIST, headers=headers)
            equal(answer.status, 401, f"with {headers}")
            true("www-authenticate" in answer.headers, "challenge of a 401")
    with Fake("--federated-token", "right", "--token-lifetime", 1) as fake:
        equal(fake.token(client_secret=None, client_assertion="wrong").json()["error_codes"],
              [70021], "a wrong assertion")
        fake.bearer = fake.token(client_secret=None,
                                 client_assertion="right").json()["access_token"]
        end = time.monotonic() + 10 * SLOWNESS
        while (answer := fake.get(LIST)).status == 200:
            true(time.monotonic() < end, "the token never expires")
            time.sleep(0.05)
        equal(error_of(answer)["code"], "ExpiredAuthenticationToken", "an expired token")


def test_metadata_service():
    path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://m/"
    with Fake() as fake:
        equal(fake.fetch(path).status, 400, "without the Metadata header")
        token = fake.fetch(path, headers={"Metadata": "true"}).json()
        true(all(isinstance(token[k], str) for k in ("expires_in", "expires_on", "not_before")),
             "numbers of the metadata service are texts")
        fake.bearer = token["access_token"]
        equal(fake.get(LIST).status, 200, "its token")


def test_versions_and_paths():
    with Fake() as fake:
        equal(error_of(fake.get("/subscriptions"))["code"], "MissingApiVersionParameter",
              "no version")
        equal(error_of(fake.get("/subscriptions?api-version=1"))["code"],
              "InvalidApiVersionParameter", "unknown version")
        equal(len(fake.list("/SUBSCRIPTIONS?api-version=2022-12-01")), 5, "paths without case")
        equal(fake.get("/nowhere?api-version=2022-12-01").status, 404, "an unknown path")


# --- the tenant --------------------------------------------------------------------------------

def check_assessments(dump, rows):
    want = {a["id"]: (a["key"], a["subscriptionId"], a["resourceId"], a["source"].lower(),
                      a["code"], a["cause"], a["severity"], a["riskLevel"], a["attackPaths"],
                      ",".join(a["factors"]), a["title"],
                      "" if not a["riskLevel"] else str(a["contextual"]).lower())
            for a in dump["assessments"]}
    got = {r["id"]: (r["assessmentKey"], r["subscriptionId"], r["resourceId"], r["source"],
                     r["statusCode"], r["statusCause"], r["severity"], r["riskLevel"],
                     r["attackPathCount"], r["riskFactors"], r["title"], r["isContextualRisk"])
           for r in rows}
    equal(len(rows), len(got), "ids are unique")
    equal([r["id"] for r in rows], sorted(got), "rows are ordered by id")
    equal(got.keys() ^ want.keys(), set(), "the dump's ids")
    for key, value in want.items():
        equal(got[key], value, "row " + key)
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
    true(all(stamp.fullmatch(r["statusChangeDate"]) for r in rows), "status change dates")


def test_ages():
    """Debts of years, with every sort of date that Azure sends and some that it should not."""
    with Fake("--assessments", "2000", "--oldest-days", "1500", "--now", "1800000000") as fake:
        kinds = collections.Counter()
        for row in fake.rows(query("assessments_rows")):
            changed, first = row["statusChangeDate"], row["firstEvaluationDate"]
            kinds["none" if not changed and not first else "first" if not changed else
                  "future" if changed > "2027-01-16" else "old" if changed < "2024-01-15" else
                  "recent" if changed > "2026-12-07" else "other"] += 1
        true(all(kinds[kind] >= 40 for kind in ("none", "first", "future", "old", "other")),
             f"kinds of dates: {kinds}")
        equal(kinds["recent"], 0, "recent dates")


def test_exemptions_run_out_and_changes_are_told_late():
    late, steps = 900, 8
    with Fake("--assessments", "2000", "--exemptions", 4, "--late", late, "--now", NOW) as fake:
        fake.admin(f"advance?steps={steps}", "POST")
        history = fake.admin("history")
        kinds = collections.Counter((h["generation"], h["event"]) for h in history)
        true(all(kinds[step, "exempted"] >= 4 for step in range(1, steps + 1)), f"{kinds}")
        left = {h["id"]: h["generation"] for h in history if h["event"] == "exempted"}
        again = [h["generation"] - left[h["id"]] for h in history
                 if h["event"] == "reopened" and h["generation"] > left.get(h["id"], steps)]
        true(again.count(3) >= 4, f"exemptions that ran out: {again}")
        now = fake.admin("dump")["now"]
        dates = {a["id"]: a["changed"] for a in fake.admin("dump")["assessments"]}
        told = {h["id"]: now - 60 * (steps - h["generation"]) for h in history
                if h["event"] in ("opened", "fixed", "exempted") and h["id"] in dates}
        behind = [at - dates[row] for row, at in told.items()]
        true(max(behind) > late / 2 and min(behind) <= 0, f"how late: {sorted(behind)}")
        true(max(behind) <= late, f"too late: {max(behind)}")


def scope_of(row):
    return (row.get("connectorId") or f"/subscriptions/{row['subscriptionId']}").lower()


def check_scores(dump, fake):
    """The controls follow from the assessments, the scores from the controls."""
    control_of = {m["key"]: m["control"] for m in dump["metadata"] if m["control"]}
    seen = collections.defaultdict(lambda: collections.defaultdict(set))
    for a in dump["assessments"]:
        if a["key"] in control_of:
            seen[scope_of(a), control_of[a["key"]]][a["resourceId"]].add(a["code"])
    for c in dump["controls"]:
        resources = seen[scope_of(c), c["control"]].values()
        unhealthy = sum("Unhealthy" in codes for codes in resources)
        healthy = sum("Healthy" in codes and "Unhealthy" not in codes for codes in resources)
        equal((c["unhealthy"], c["healthy"], c["notApplicable"]),
              (unhealthy, healthy, len(resources) - unhealthy - healthy), f"control {c}")
        weight = healthy + unhealthy
        true(abs(c["current"] - (c["max"] * healthy / weight if weight else 0)) < 0.006, f"{c}")
    rows = {r["id"]: r for r in fake.rows(query("secure_score_controls_rows"))}
    equal(len(rows), len(dump["controls"]), "control rows")
    for s in dump["scores"]:
        current = sum(c["current"] for c in dump["controls"]
                      if scope_of(c) == scope_of(s))
        true(abs(current - s["current"]) < 0.01, f"score {s}")
    got = {r["id"].split("/providers/microsoft.security/securescores/")[0]:
           (r["current"], r["max"], r["ratio"], r["weight"])
           for r in fake.rows(query("secure_scores_rows"))}
    equal(got, {scope_of(s): (s["current"], s["max"], s["ratio"], s["weight"])
                for s in dump["scores"]}, "scores")


def test_each_scope_has_a_second_score():
    """A query that does not ask for ascScore alone gets what must not be counted."""
    asked = {"secure_scores_rows": "| where name =~ 'ascScore'\n",
             "secure_score_controls_rows": "| where id contains '/secureScores/ascScore/'\n"}
    with tempfile.TemporaryDirectory() as folder:
        for name, line in asked.items():
            equal(query(name).count(line), 1, f"{name} asks for ascScore")
            with open(os.path.join(folder, name + ".kql"), "w", encoding="utf-8") as file:
                file.write(query(name).replace(line, ""))
        with Fake("--multicloud", "--queries", folder) as fake:
            for name, line in asked.items():
                one = fake.rows(query(name))
                both = fake.rows(query(name).replace(line, ""))
                second = [row for row in both if "/securescores/scoregraceexcluded" in row["id"]]
                equal([row for row in both if row not in second], one, "the others")
                equal([row["id"].replace("scoregraceexcluded", "ascscore") for row in second],
                      [row["id"] for row in one], "one more each")
                equal([row["id"] for row in both], sorted(row["id"] for row in both), "order")


def check_baselines(dump, fake):
    rules = {(r["os"], r["number"]): r for r in dump["baseline"]["rules"]}
    form_a, form_b, phrases = set(), set(), {}
    for m in dump["baseline"]["machines"]:
        for failing in m["failing"]:
            rule = rules[m["os"], failing["rule"]]
            if m["formA"]:
                form_a.add((m["machineId"], rule["key"], rule["name"]))
            if m["formB"]:
                form_b.add((m["machineId"], rule["name"]))
                phrases[m["machineId"], rule["name"]] = failing["phrase"]
    rows = fake.rows(query("baseline_findings_rows"))
    equal({(r["machineId"], r["ruleKey"], r["rule"]) for r in rows}, form_a, "findings, form A")
    equal([r["id"] for r in rows], sorted(r["id"] for r in rows), "order of the findings")
    rows = fake.rows(query("baseline_guestconfiguration_rules_rows"))
    equal({(r["machineId"], r["rule"]) for r in rows}, form_b, "failing rules, form B")
    equal({(r["machineId"], r["rule"]): r["reasonPhrase"] for r in rows}, phrases, "phrases")
    rows = fake.rows(query("baseline_guestconfiguration_rows"))
    equal({r["machineId"]: (r["complianceStatus"], r["rules"] or 0) for r in rows},
          {m["machineId"]: (m["complianceStatus"], m["rules"])
           for m in dump["baseline"]["machines"] if m["formB"]}, "assignments")
    true(any(r["lastChecked"] == "0001-01-01T00:00:00" for r in rows), "a pending machine")
    true(form_a and form_b and {f[0] for f in form_a} - {f[0] for f in form_b} and
         {f[0] for f in form_b} - {f[0] for f in form_a}, "machines of one form only")


def check_lists(dump, fake):
    """The lists of Azure Resource Manager say the same as Resource Graph."""
    wanted = collections.Counter((a["id"], a["code"], a["cause"]) for a in dump["assessments"])
    for s in dump["subscriptions"]:
        base = f"/subscriptions/{s['subscriptionId']}/providers/"
        for a in fake.list(base + "Microsoft.Security/assessments?api-version=2025-05-04"):
            status = a["properties"]["status"]
            wanted.subtract([(a["id"].lower(), status["code"], status.get("cause", ""))])
            details = a["properties"]["resourceDetails"]
            true("Source" in details and "metadata" not in a["properties"], "shape of a list row")
        machines = fake.list(base + "Microsoft.GuestConfiguration/guestConfigurationAssignments"
                             "?api-version=2024-04-05")
        equal({m["properties"]["targetResourceId"].lower() for m in machines},
              {m["machineId"] for m in dump["baseline"]["machines"]
               if m["formB"] and m["subscriptionId"] == s["subscriptionId"]}, "assignments")
        equal(len(fake.list(base + "Microsoft.Security/secureScoreControls?api-version=2020-01-01"
                            "&$expand=definition")), 15, "controls of a subscription")
    equal({k: v for k, v in wanted.items() if v}, {}, "lists against the dump")
    path = "/providers/Microsoft.Security/assessmentMetadata?api-version=2021-06-01"
    equal({(m["name"], m["properties"]["displayName"]) for m in fake.list(path)},
          {(m["key"], m["title"]) for m in dump["metadata"]}, "metadata")


def test_multicloud():
    """Connectors with scores of their own, of two in one subscription one name; odd ones now and
    then; names and native ids of the other clouds, of both kinds of rows."""
    with Fake("--seed", 5, "--multicloud", "--evolve", 86400) as fake:
        rows = fake.rows(query("assessments_rows"))
        outside = [r for r in rows if "/securityconnectors/" in r["id"]]
        equal({r["source"] for r in outside}, {"aws", "gcp", "github", "azuredevops"}, "clouds")
        true(all(r["nativeId"] for r in outside), "native ids")
        for cloud in ("aws", "gcp"):
            equal({bool(r["provider"]) for r in outside if r["source"] == cloud}, {True, False},
                  "kinds of rows of " + cloud)
        equal([r for r in rows if r not in outside and (r["nativeId"] or r["account"])], [],
              "native ids of Azure's own")
        scores = fake.rows(query("secure_scores_rows"))
        equal([r["id"] for r in scores], sorted({r["id"] for r in scores}), "ids of scores")
        names = collections.Counter((r["subscriptionId"], r["id"].split("/")[8]) for r in scores
                                    if "/securityconnectors/" in r["id"])
        true(max(names.values()) == 2, "connectors of one name")
        oddities = collections.Counter()
        for _ in range(15):
            fake.admin("advance?steps=1", "POST")
            for row in fake.rows(query("secure_scores_rows")):
                ratio = row["ratio"]
                odd = "null" if ratio is None else "out" if not 0 <= ratio <= 1 else "none"
                oddities[odd, "/securityconnectors/" in row["id"]] += 1
        true(oddities["null", True] > 2 and oddities["out", True] > 2, f"odd scores: {oddities}")
        equal((oddities["null", False], oddities["out", False]), (0, 0), "odd scores of Azure")


def test_tenant():
    for arguments in (("--seed", 3), ("--seed", 4, "--assessments", 5000, "--page-rows", 70,
                                      "--start-generation", 9),
                      ("--seed", 5, "--multicloud")):
        with Fake(*arguments) as fake:
            dump = fake.admin("dump")
            rows = fake.rows(query("assessments_rows"))
            if "--page-rows" in arguments:
                true(4000 < len(rows) <= 5000, "deleted resources have no rows")
            else:
                equal(len(rows), 2000, "rows asked for")
            check_assessments(dump, rows)
            check_scores(dump, fake)
            check_baselines(dump, fake)
            check_lists(dump, fake)
            equal({r["subscriptionId"]: r["name"] for r in fake.rows(query("subscriptions_rows"))},
                  {s["subscriptionId"]: s["name"] for s in dump["subscriptions"]}, "names")


def test_attack_paths():
    """What recommendations refer to is there, and every way leads from one end to the other."""
    with Fake("--seed", 3, "--page-rows", 70) as fake:
        paths = {name: fake.rows(query(f"attack_paths{name}_rows"))
                 for name in ("", "_plans", "_nodes", "_links")}
        for name, rows in paths.items():
            equal([r["id"] for r in rows], sorted({r["id"] for r in rows}), "order of " + name)
        on = {r["subscriptionId"] for r in paths["_plans"] if r["tier"] == "Standard"}
        referred = {path for r in fake.rows(query("assessments_rows"))
                    if r["subscriptionId"] in on and r["statusCode"] == "Unhealthy"
                    for path in r["attackPaths"].split(",") if path}
        equal({r["id"].rsplit("/", 1)[1] for r in paths[""]}, referred, "paths referred to")
        true(len(referred) > 20 and len(on) < len(paths["_plans"]), "paths, and plans that are off")
        steps = {(r["path"], r["fromEntity"]): r["toEntity"] for r in paths["_links"]}
        nodes = {(r["path"], r["entity"]) for r in paths["_nodes"]}
        equal({key for key in steps} | {(path, to) for (path, _), to in steps.items()}, nodes,
              "entities of steps")
        kinds = collections.Counter()
        for row in paths[""]:
            kinds[bool(row["entities"])] += 1
            at = row["entryEntity"]
            while at != row["targetEntity"]:
                at = steps[row["id"], at]
            true(row["entities"] or (row["entryName"] and row["targetName"]), f"ends of {row}")
        true(kinds[True] > 5 and kinds[False] > 5, f"both sets of members: {kinds}")


def test_security_alerts():
    """Some in each state; those that are open name their resource and a vault, in order."""
    with Fake("--seed", 3, "--page-rows", 70) as fake:
        rows, named = (fake.rows(query(f"security_alerts_{name}rows"))
                       for name in ("", "resources_"))
        for one in (rows, named):
            equal([r["id"] for r in one], sorted({r["id"] for r in one}), "order")
        about = {r["id"]: r["resourceId"] for r in rows if r["status"] in ("Active", "InProgress")}
        equal(len({r["status"] for r in rows}), 4, "states")
        equal(collections.Counter(r["alert"] for r in named), dict.fromkeys(about, 2), "named")
        true(set(about.items()) <= {(r["alert"], r["resourceId"]) for r in named}, "about")


def test_same_seed_same_tenant():
    dumps = []
    for seed in (5, 5, 6):
        with Fake("--seed", seed, "--now", NOW) as fake:
            before = fake.fetch("/_fake/dump").body
            fake.admin("advance?steps=20", "POST")
            dumps.append((before, fake.fetch("/_fake/dump").body, fake.admin("history")))
            fake.admin("generation/0", "POST")
            equal(fake.fetch("/_fake/dump").body, before, "back at generation 0")
    equal(dumps[0], dumps[1], "two runs of one seed")
    true(dumps[0][0] != dumps[2][0], "another seed is another tenant")


def test_wide_machines_are_cut():
    with Fake("--assessments", 500, "--machines", 6, "--wide-machines", 2) as fake:
        rules = {r["machineId"]: r["rules"]
                 for r in fake.rows(query("baseline_guestconfiguration_rows"))}
        true(430 in rules.values(), "a machine with more rules than mv-expand gives")
        dump = fake.admin("dump")
        number = {(r["os"], r["name"]): r["number"] for r in dump["baseline"]["rules"]}
        system = {m["machineId"]: m["os"] for m in dump["baseline"]["machines"]}
        got = collections.Counter(
            number[system[r["machineId"]], r["rule"]] < 400
            for r in fake.rows(query("baseline_guestconfiguration_rules_rows")))
        equal(got[False], 0, "rules beyond the limit")
        true(got[True] > 0, "rules below the limit")


def test_history_explains_the_change():
    with Fake("--seed", 8) as fake:
        before = {a["id"]: a for a in fake.admin("dump")["assessments"]}
        fake.admin("advance?steps=60", "POST")
        after = {a["id"]: a for a in fake.admin("dump")["assessments"]}
        state = {k: a["code"] for k, a in before.items()}
        kinds = collections.Counter()
        for event in fake.admin("history"):
            kinds[event["event"]] += 1
            if event["kind"] != "assessment" or event["event"] == "rerated":
                continue
            if event["event"] == "deleted":
                equal(state.pop(event["id"]), event["from"], "what was deleted")
            else:
                state[event["id"]] = event["to"]
        equal({k for k, code in state.items() if code == "Unhealthy"},
              {k for k, a in after.items() if a["code"] == "Unhealthy"}, "open findings")
        equal(set(kinds), {"opened", "fixed", "reopened", "rerated", "exempted", "deleted"},
              "kinds of events")
        for old, new in ((before[k], a) for k, a in after.items() if k in before):
            if old["code"] != new["code"]:
                true(new["changed"] > old["changed"], "a change has a new date")


def test_evolves_by_itself():
    with Fake("--evolve", 1) as fake:
        end = time.monotonic() + 20 * SLOWNESS
        while fake.admin("stats")["generation"] < 2:
            true(time.monotonic() < end, "the tenant stands still")
            time.sleep(0.05)
        equal({e["generation"] for e in fake.admin("history")} >= {1, 2}, True, "its history")


def test_https():
    with tempfile.TemporaryDirectory() as folder:
        files = (f"{folder}/cert.pem", f"{folder}/key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                        "-subj", "/CN=127.0.0.1", "-out", files[0], "-keyout", files[1]],
                       check=True, capture_output=True)
        with Fake("--tls", *files, "--page-rows", 2) as fake:
            equal(len(fake.list(LIST)), 5, "subscriptions, by links that are https too")


def test_versions_have_their_own_members():
    with Fake("--assessments", 200, "--subscriptions", 1) as fake:
        root = "/subscriptions/" + fake.admin("dump")["subscriptions"][0]["subscriptionId"]
        root += "/providers/Microsoft."
        for path, versions in (
                ("Security/pricings", {"2018-06-01": set(), "2022-03-01": {"subPlan", "deprecated"},
                                       "2023-01-01": {"subPlan", "deprecated", "extensions"}}),
                ("GuestConfiguration/guestConfigurationAssignments",
                 {"2018-11-20": set(), "2020-06-25": {"targetResourceId"}})):
            for version, members in versions.items():
                rows = fake.list(f"{root}{path}?api-version={version}")
                told = {name for row in rows for name in row["properties"]}
                equal(told & {"subPlan", "deprecated", "extensions", "targetResourceId",
                              "resourcesCoverageStatus"}, members, f"{path} {version}")


def test_an_authority_of_its_own():
    """Active Directory Federation Services: another path, and no tenant in it."""
    with Fake() as fake:
        told = fake.fetch("/adfs/.well-known/openid-configuration").json()
        path = told["token_endpoint"].removeprefix(f"http://127.0.0.1:{fake.port}")
        fake.bearer = fake.token(path).json()["access_token"]
        equal(fake.get(LIST).status, 200, "with a token of it")
        equal(fake.token(path, client_secret="wrong").status, 401, "a wrong secret")


def test_pages_are_of_one_moment():
    with Fake("--seed", 2) as fake:
        first = fake.graph(query("assessments_rows"), 500).json()
        found, token = len(first["data"]), first["$skipToken"]
        while token:
            fake.admin("advance?steps=1", "POST")
            page = fake.graph(query("assessments_rows"), 500, token).json()
            found, token = found + len(page["data"]), page.get("$skipToken")
        equal(found, first["totalRecords"], "rows while the tenant changes")


# --- Resource Graph ----------------------------------------------------------------------------

def test_every_query_of_the_project():
    with Fake("--subscriptions", 3) as fake:
        first = fake.rows(query("subscriptions_rows"))[0]["id"]
        tag(fake, first + "/resourceGroups/rg/providers/a/b/c", "Environment", "test")
        govern(fake, fake.rows(query("assessments_rows"))[0]["id"], owner="ann")
        exempt(fake, scope=first, policy="/providers/Microsoft.Authorization/policyDefinitions/P")
        rule(fake, subscription=fake.rows(query("subscriptions_rows"))[0]["subscriptionId"],
             title="T", property="$.Severity", value="High", owner="ann")
        words = {"since": "2020-01-01", "from": "2020-01-01", "to": "2100-01-01",
                 "tags": "environment", "ids": first.lower()}
        for name in sorted(os.listdir(f"{ROOT}/collectors")):
            if name.endswith(".kql") and name != "exposure_nodes.kql":  # of advanced hunting
                text = re.sub(r"{{(\w+)}}", lambda m: words.get(m[1], m[0]), query(name[:-4]))
                true(fake.rows(text) or name.startswith("activity_"), f"rows of {name}")


def tag(fake, resource, name, value):
    parameters = urllib.parse.urlencode({"id": resource, "name": name, "value": value})
    equal(fake.fetch("/_fake/tag?" + parameters, "POST").status, 200, "status of a tag")


def govern(fake, assessment, **more):
    parameters = urllib.parse.urlencode({"id": assessment, **more})
    equal(fake.fetch("/_fake/govern?" + parameters, "POST").status, 200, "status of an assignment")


def exempt(fake, **all_of_it):
    parameters = urllib.parse.urlencode(all_of_it)
    equal(fake.fetch("/_fake/exempt?" + parameters, "POST").status, 200, "of an exemption")


def test_exemptions():
    with Fake("--subscriptions", 2) as fake:
        first = fake.rows(query("subscriptions_rows"))[0]["id"]
        exempt(fake, scope=first + "/resourceGroups/Z", policy="/a/P")
        exempt(fake, scope=first + "/resourceGroups/A", policy="/a/Q", category="Mitigated",
               expires="2027-01-01T00:00:00Z", reason="why")
        equal([(row["scope"][-2:], row["policyId"], row["category"], row["expiresOn"],
                row["reason"]) for row in fake.rows(query("exemptions_rows"))],
              [("/a", "/a/q", "Mitigated", "2027-01-01T00:00:00Z", "why"),
               ("/z", "/a/p", "Waiver", "", "")], "exemptions")


def rule(fake, **all_of_it):
    parameters = urllib.parse.urlencode(all_of_it)
    equal(fake.fetch("/_fake/governance_rule?" + parameters, "POST").status, 200, "of a rule")


def test_governance():
    with Fake("--subscriptions", 2) as fake:
        first, second = (row["id"] for row in fake.rows(query("assessments_rows"))[:2])
        govern(fake, second.upper(), owner="Ann@Example.com", due="2026-12-01T00:00:00Z",
               grace="true")
        govern(fake, first, due="2026-12-02T00:00:00Z")
        rows = fake.rows(query("governance_rows"))
        equal([(row["assessmentId"], row["owner"], row["dueDate"], row["isGracePeriod"])
               for row in rows], [(first, "", "2026-12-02T00:00:00Z", False),
                                  (second, "Ann@Example.com", "2026-12-01T00:00:00Z", True)],
              "assignments")
        true(all(row["id"].startswith(row["assessmentId"] + "/governanceassignments/")
                 for row in rows), "their ids")
        govern(fake, first)
        equal(len(fake.rows(query("governance_rows"))), 1, "when one is nobody's any more")
        fake.admin("fault", "POST", "403:sub=" + rows[1]["subscriptionId"])
        equal(fake.rows(query("governance_rows")), [], "of a subscription that is denied")


def test_tags():
    def tags(kql, names):
        rows = fake.rows(query(kql).replace("'{{tags}}'", names))
        return [(row["resourceId"], row["name"], row["value"]) for row in rows]
    with Fake("--subscriptions", 2) as fake:
        group = tags("tags_containers_rows", "'environment'")[0][0] + "/resourceGroups/RG"
        machine = group + "/providers/Microsoft.Compute/virtualMachines/A"
        for resource, name, value in ((group, "Team", "x"), (machine, "Owner", "y"),
                                      (machine, "TEAM", "z"), (machine, "team", "w")):
            tag(fake, resource, name, value)
        equal(tags("tags_containers_rows", "'team', 'owner'"), [(group, "Team", "x")], "containers")
        equal(tags("tags_resources_rows", "'team', 'owner'"),
              [(machine, "Owner", "y"), (machine, "team", "w")], "resources")
        equal(tags("tags_resources_rows", "'ow'"), [], "another name")
        tag(fake, machine, "owner", "")
        equal(tags("tags_resources_rows", "'owner'"), [], "a tag that is gone")
        fake.admin("fault", "POST", "403:sub=0")
        equal(tags("tags_resources_rows", "'team'"), [], "a subscription that is denied")


def test_graph_refuses():
    text = query("assessments_rows")
    with Fake() as fake:
        for kql in ("machines", text + "| where 1 == 1", text.replace("project", "projekt"), ""):
            answer = fake.graph(kql)
            equal(answer.status, 400, f"status of {kql[:40]!r}")
            equal(error_of(answer)["code"], "BadRequest", "code")
            equal(error_of(answer)["details"][0]["code"], "InvalidQuery", "detail")
        equal(fake.graph("// note\n" + text.replace("\n", "  \n\n")).status, 200, "white space")
        equal(fake.graph(text, content_type="text/plain").status, 500, "content type")
        equal(fake.graph(text, 1001).status, 400, "$top beyond 1000")
        token = fake.graph(text, 10).json()["$skipToken"]
        equal(fake.graph(text, 10, token).status, 200, "its own token")
        for other in ("abc", token[:-1] + ("0" if token[-1] != "0" else "1")):
            equal(fake.graph(text, 10, other).status, 400, "a token it did not hand out")
        equal(fake.graph(query("secure_scores_rows"), 10, token).status, 400, "another's token")
        subscription = fake.list(LIST)[1]["subscriptionId"]
        rows = fake.rows(text, subscriptions=[subscription.upper()])
        equal({r["subscriptionId"] for r in rows}, {subscription}, "the subscriptions asked for")
        answer = fake.graph(text, subscriptions=["00000000-0000-0000-0000-000000000000"])
        equal((answer.status, error_of(answer)["details"][0]["code"]), (403, "AccessDenied"),
              "nothing readable")


def test_quota():
    with Fake("--quota", "on") as fake:
        fake.get(LIST)
        for left in range(14, -1, -1):
            answer = fake.graph(query("secure_scores_rows"))
            equal((answer.status, answer.headers["x-ms-user-quota-remaining"]), (200, str(left)),
                  "within the quota")
        answer = fake.graph(query("secure_scores_rows"))
        equal(answer.status, 429, "the sixteenth request")
        equal(error_of(answer)["code"], "RateLimiting", "its code")
        true(re.fullmatch(r"00:00:0[1-5]", answer.headers["x-ms-user-quota-resets-after"]), "reset")
        true(1 <= int(answer.headers["retry-after"]) <= 5, "Retry-After")
        equal(fake.admin("stats")["throttled"], 1, "counted")
        other = fake.fetch("/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r",
                           headers={"Metadata": "true"}).json()["access_token"]
        fake.bearer = other
        equal(fake.graph(query("secure_scores_rows")).status, 200, "another principal's quota")
    with Fake() as fake:
        equal({fake.graph(query("secure_scores_rows")).status for _ in range(20)}, {200}, "off")
        equal(fake.graph("x").headers["x-ms-user-quota-remaining"], "14", "always told")


def test_gzip():
    with Fake() as fake:
        plain = fake.get(LIST)
        packed = fake.get(LIST, Accept_Encoding="gzip")
        equal(packed.headers.get("content-encoding"), "gzip", "coding")
        equal(packed.json(), plain.json(), "the same body")
        true(len(packed.body) < len(plain.body), "smaller")


def test_recorded_tenant():
    subscription = "12345678-0000-4000-8000-0000000000ab"
    base = f"/subscriptions/{subscription}/providers/Microsoft.Security"
    lists = {"assessments": {"value": [{"id": base + "/assessments/a", "name": "a"}]},
             "scores": {"id": base + "/secureScores/ascScore", "properties": {"weight": 1}},
             "error": {"error": {"code": "Odd"}}}
    with tempfile.TemporaryDirectory() as folder:
        for name, body in lists.items():
            with open(f"{folder}/{name}.json", "w", encoding="utf-8") as file:
                json.dump(body, file, indent=3)
        with open(f"{folder}/index.json", "w", encoding="utf-8") as file:
            json.dump({"entries": [{"method": "GET", "url": "https://h/odd/path?api-version=1",
                                    "status": 404, "file": "error.json"}]}, file)
        with Fake("--recorded", folder, "--recorded-assessments", "assessments.json",
                  "--recorded-scores", f"{folder}/scores.json") as fake:
            equal([s["subscriptionId"] for s in fake.list(LIST)], [subscription], "subscription")
            with open(f"{folder}/assessments.json", "rb") as file:
                equal(fake.get(base + "/assessments?api-version=2020-01-01").body, file.read(),
                      "bytes as recorded")
            for path, want in (("/secureScores", {"value": [lists["scores"]]}),
                               ("/secureScores/ascScore", lists["scores"]),
                               ("/secureScoreControls", {"value": []})):
                equal(fake.get(base + path).json(), want, path)
            equal((fake.get("/odd/path").status, error_of(fake.get("/odd/path"))["code"]),
                  (404, "Odd"), "a recorded error")
            equal(fake.graph("x").status, 500, "Resource Graph fails there")


run(globals())
