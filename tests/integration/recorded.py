#!/usr/bin/env python3
"""Real recorded lists, read with `source: rest`, are accounted for to the last row.

Each list is a tenant of its own. What the metrics must be is computed here, from the files.
"""
import collections
import glob
import json
import os
import subprocess

from harness import (EXPORTER, Exporter, Fake, Folder, SECRET, SHARED, SLOWNESS, Skip, contains,
                     equal, run, settings)
from serving import Quiet, Serving

RECORDINGS = os.path.join(SHARED, "azure/recordings")
# No recording has rows of Resource Graph: what is read there alone would be tried until it is late.
COLLECTORS = {"assessments": {"source": "rest"}, "secure_scores": {"source": "rest"},
              "catalogue": {}, "plans": {}, "subscriptions": {}}
STATUSES = {"healthy": "healthy", "unhealthy": "unhealthy", "notapplicable": "not_applicable"}
SEVERITIES = ("critical", "high", "medium", "low")


def bodies(family):
    """The recorded 200 bodies of a family of calls: [(file, body)]."""
    if not os.path.isdir(RECORDINGS):
        raise Skip(f"no recorded answers in {RECORDINGS}")
    found = []
    for path in sorted(glob.glob(f"{RECORDINGS}/{family}/*-get-200.json")):
        with open(path, encoding="utf-8") as file:
            found.append((path, json.load(file)))
    return found


def lists(family):
    return [(path, body["value"]) for path, body in bodies(family)
            if isinstance(body, dict) and isinstance(body.get("value"), list)]


def subscription_of(row):
    return row["id"].split("/")[2].lower()


def status_of(row):
    status = row["properties"]["status"]
    if (status.get("cause") or "").lower() == "exempt":
        return "exempt"
    return STATUSES[status["code"].lower()]


def collect(arguments):
    with Folder() as folder, Fake(*arguments) as fake:
        config = settings(fake.url, folder.file("secret", SECRET),
                          {name: {"enabled": True, **more} for name, more in COLLECTORS.items()},
                          metrics={"opt_in_list": "defender_control_resources"})
        config["collector"]["disable_defaults"] = True
        with Exporter(folder, config) as exporter:
            return exporter.wait_ready().metrics()


def check_assessments(rows, metadata, metrics, what):
    want = collections.Counter((subscription_of(r), status_of(r)) for r in rows)
    got = metrics.table("defender_assessed_resources", "subscription_id", "status")
    equal({k: v for k, v in got.items() if v}, dict(want), what + ": rows by status")
    equal(sum(got.values()), len(rows), what + ": rows")
    subscriptions = {s for s, _ in want}
    equal({k for k in got if k[0] in subscriptions},
          {(s, w) for s in subscriptions
           for w in ("healthy", "unhealthy", "not_applicable", "exempt")},
          what + ": every status is written")

    severity = {m["name"].lower(): (m["properties"].get("severity") or "").lower()
                for m in metadata}
    open_rows = [r for r in rows if status_of(r) == "unhealthy"]
    want = collections.Counter()
    for row in open_rows:
        word = severity.get(row["name"].lower())
        want[word if word in SEVERITIES else "unknown"] += 1
    told = {labels["assessment_id"]: labels["severity"]
            for labels, _ in metrics.all("defender_assessment_info")}
    got = collections.Counter()
    for (assessment,), count in metrics.table("defender_assessment_findings",
                                              "assessment_id").items():
        got[told[assessment]] += count
    equal(dict(got), dict(want), what + ": open findings by severity")
    equal(metrics.table("defender_assessment_findings", "assessment_id"),
          {(k,): v for k, v in collections.Counter(r["name"].lower() for r in open_rows).items()},
          what + ": open findings by assessment")
    equal({k: v for k, v in metrics.table("defender_findings", "subscription_id").items() if v},
          {(k,): v for k, v in collections.Counter(map(subscription_of, open_rows)).items()},
          what + ": open findings")


def check_titles(rows, metadata, metrics, what):
    """A title comes from the metadata, or from the row when there is none."""
    titles = {m["name"].lower(): m["properties"]["displayName"] for m in metadata}
    own = {r["name"].lower(): r["properties"].get("displayName") for r in rows}
    for labels, _ in metrics.all("defender_assessment_info"):
        key = labels["assessment_id"]
        want = {titles.get(key), own.get(key)} - {None, ""} or {"unknown"}
        if labels["display_name"] not in want:
            raise AssertionError(f"{what}: {key} is called {labels['display_name']!r}, not {want}")


def test_assessments():
    metadata_lists = lists("assessment-metadata")
    counts = []
    for path, rows in lists("assessments"):
        for metadata_path, metadata in metadata_lists:
            what = f"{os.path.basename(path)} with {os.path.basename(metadata_path)}"
            metrics = collect(["--recorded-assessments", path,
                               "--recorded-metadata", metadata_path])
            check_assessments(rows, metadata, metrics, what)
            check_titles(rows, metadata, metrics, what)
        counts.append(len(rows))
    equal(sorted(counts, reverse=True)[:4], [630, 200, 199, 20], "rows of the recorded lists")


def test_scores_and_controls():
    scores = [body.get("value", [body]) for _, body in bodies("secure-scores")]
    controls = [rows for _, rows in lists("secure-score-controls")]
    if not scores or not controls:
        raise AssertionError("no recorded scores or controls")
    with Folder() as folder:
        for number in range(max(len(scores), len(controls))):
            score, control = scores[number % len(scores)], controls[number % len(controls)]
            metrics = collect([
                "--recorded-scores", folder.file("scores.json", {"value": score}),
                "--recorded-controls", folder.file("controls.json", {"value": control})])
            check_scores(score, metrics)
            check_controls(control, metrics)


def check_scores(rows, metrics):
    for name, path in (("points", "current"), ("max_points", "max"), ("ratio", "percentage")):
        equal(metrics.table(f"defender_secure_score_{name}", "subscription_id", "initiative"),
              {(subscription_of(r), r["name"].lower()): r["properties"]["score"][path]
               for r in rows}, "secure score " + name)
    equal(metrics.table("defender_secure_score_weight", "subscription_id", "initiative"),
          {(subscription_of(r), r["name"].lower()): r["properties"]["weight"] for r in rows},
          "secure score weight")


def check_controls(rows, metrics):
    for name, path in (("points", "current"), ("max_points", "max")):
        equal(metrics.table(f"defender_control_{name}", "subscription_id", "control"),
              {(subscription_of(r), r["name"].lower()): r["properties"]["score"][path]
               for r in rows}, "control " + name)
    want = {}
    for row in rows:
        for status, member in (("healthy", "healthyResourceCount"),
                               ("unhealthy", "unhealthyResourceCount"),
                               ("not_applicable", "notApplicableResourceCount")):
            key = (subscription_of(row), row["name"].lower(), status)
            want[key] = row["properties"][member]
    got = metrics.table("defender_control_resources", "subscription_id", "control", "status")
    equal({k: v for k, v in got.items() if k[2] != "exempt"}, want, "resources of controls")
    equal(metrics.table("defender_control_info", "control", "display_name"),
          {(r["name"].lower(), r["properties"]["displayName"]): 1 for r in rows},
          "names of controls")


def check_plans(rows, metrics, what):
    """Plans of the subscription itself; a resource group may have one of its own."""
    own = [row for row in rows if row["id"].count("/") == 6]
    equal(metrics.table("defender_plan_enabled", "subscription_id", "plan"),
          {(subscription_of(row), row["name"].lower()):
           float(row["properties"]["pricingTier"] == "Standard") for row in own}, what)
    servers = [row for row in own if row["name"] == "VirtualMachines"]
    equal(metrics.table("defender_servers_plan2_enabled", "subscription_id"),
          {(subscription_of(row),): float(row["properties"]["pricingTier"] == "Standard" and
                                          row["properties"].get("subPlan") in (None, "P2"))
           for row in servers}, what + ": Servers Plan 2")
    equal(metrics.one("defender_collector_rows", collector="plans"), len(rows), what + ": rows")


def test_plans():
    """Resource Graph tells none there: the lists are read."""
    counts = []
    for path, rows in lists("pricings"):
        check_plans(rows, collect(["--recorded-plans", path]), os.path.basename(path))
        counts.append(len(rows))
    equal(sorted(counts, reverse=True)[:3], [15, 12, 10], "rows of the recorded lists")


def alert_row(row):
    """A recorded alert as the query of Resource Graph would show it."""
    p = {name[0].lower() + name[1:]: value for name, value in row["properties"].items()}
    resources = [r.get("azureResourceId") or "" for r in p.get("resourceIdentifiers") or ()][:2]
    named = p.get("compromisedEntity") or ""
    started = p.get("timeGeneratedUtc") or p.get("startTimeUtc") or ""
    return {
        "id": row["id"].lower(), "subscriptionId": subscription_of(row), "status": p["status"],
        "severity": p["severity"], "title": p["alertDisplayName"], "alertType": p["alertType"],
        "intent": p.get("intent") or "", "isIncident": str(p.get("isIncident", "")).lower(),
        "generatedAt": started,
        "resourceId": next(filter(None, resources),
                           named if named.startswith("/subscriptions/") else "").lower(),
        "entities": len(p.get("resourceIdentifiers") or ()) + len(p.get("entities") or ()),
        "description": p["description"][:4000],
        "remediation": "\n".join(p.get("remediationSteps") or ())[:4000]}


class Graph(Quiet):
    """Resource Graph with these alerts, in pages, and their subscription."""
    rows, page = [], 50

    def answer(self):
        text = self.read_body()
        if "/oauth2/" in self.path:
            body = {"access_token": "token", "expires_in": 3599}
        elif self.path.startswith("/subscriptions?"):
            body = {"value": [{"subscriptionId": self.rows[0]["subscriptionId"],
                               "displayName": "One", "state": "Enabled"}]}
        else:
            body = self.found(json.loads(text))
        self.answer_json(body)

    def found(self, asked):
        alerts = "microsoft.security/locations/alerts" in asked["query"] and \
            "entities = " in asked["query"]
        rows = sorted(self.rows, key=lambda row: row["id"]) if alerts else []
        begin = int(asked.get("options", {}).get("$skipToken", 0))
        data = rows[begin:begin + self.page]
        body = {"totalRecords": len(rows), "count": len(data), "resultTruncated": "false",
                "data": data, "facets": []}
        if begin + self.page < len(rows):
            body["$skipToken"] = str(begin + self.page)
        return body

    do_GET = do_POST = answer


def test_security_alerts():
    """Recorded as lists of the API, shown as rows of Resource Graph."""
    counts = []
    with Serving(Graph) as server:
        for path, rows in lists("alerts"):
            if any("status" not in row["properties"] for row in rows):
                continue  # of 2015 and 2019, whose members had other names
            Graph.rows = [alert_row(row) for row in rows]
            with Folder() as folder:
                config = settings(server.url, folder.file("secret", SECRET),
                                  {"subscriptions": {"enabled": True, "source": "rest"},
                                   "security_alerts": {"enabled": True}},
                                  metrics={"opt_in_list": "defender_security_alert_info"})
                config["collector"]["disable_defaults"] = True
                with Exporter(folder, config) as exporter:
                    check_alerts(exporter.wait_ready().metrics(), os.path.basename(path))
            counts.append(len(rows))
    equal(sorted(counts, reverse=True)[:3], [167, 56, 34], "rows of the recorded lists")


def check_alerts(metrics, what):
    rows = {row["id"]: row for row in Graph.rows}.values()
    active = collections.Counter((row["subscriptionId"], row["severity"].lower())
                                 for row in rows if row["status"] == "Active")
    got = metrics.table("defender_security_alerts", "subscription_id", "severity")
    equal({key: value for key, value in got.items() if value}, dict(active), what + ": active")
    shown = collections.Counter(
        (labels["name"], labels["alert_type"], labels["severity"], labels["status"])
        for labels, _ in metrics.all("defender_security_alert_info"))
    words = {"Active": "active", "InProgress": "in_progress"}
    equal(shown, collections.Counter(
        (row["title"], row["alertType"], row["severity"].lower(), words[row["status"]])
        for row in rows if row["status"] in words), what + ": each alert")
    equal(metrics.one("defender_collector_rows", collector="security_alerts"), len(Graph.rows),
          what + ": rows")
    equal(metrics.sum("defender_collector_odd_rows", collector="security_alerts"), 0,
          what + ": odd rows")


class Refusing(Quiet):
    """Hands out a token and answers everything else with one recorded error."""
    status, body = 500, b""

    def answer(self):
        self.read_body()
        if "/oauth2/" in self.path:
            self.answer_json({"access_token": "token", "expires_in": 3599})
        else:
            self.answer_json(self.body, self.status)

    do_GET = do_POST = answer


def innermost(error):
    """The message of the last nested detail, which says most."""
    while error.get("details"):
        error = error["details"][-1]
    return error.get("message") or error.get("Message")


def test_error_bodies():
    """A recorded error shows its own words in the log and ends the collection, not the program."""
    if not os.path.isdir(RECORDINGS):
        raise Skip(f"no recorded answers in {RECORDINGS}")
    with open(f"{RECORDINGS}/index.json", encoding="utf-8") as file:
        entries = [e for e in json.load(file)["entries"] if e["status"] >= 400 and e["file"]]
    equal(len(entries) > 0, True, "recorded errors")
    with Serving(Refusing) as server, Folder() as folder:
        config = settings(server.url, folder.file("secret", SECRET),
                          {"subscriptions": {"source": "rest",
                                             "timeout": f"{300 * SLOWNESS:.0f}ms"}},
                          collector={"disable_defaults": True})
        config["collectors"]["subscriptions"]["enabled"] = True
        path = folder.file("config.yml", config)
        for entry in entries:
            with open(f"{RECORDINGS}/{entry['file']}", "rb") as file:
                Refusing.status, Refusing.body = entry["status"], file.read()
            result = subprocess.run(
                [EXPORTER, "run", "--once", f"--config.file={path}",
                 f"--storage.path={folder.path}"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                timeout=60 * SLOWNESS)
            equal(result.returncode, 1, f"exit status with {entry['file']}")
            body = json.loads(Refusing.body)
            words = innermost(body.get("error", body))[:60].rstrip(".")
            contains(result.stderr.replace('\\"', '"'), words, entry["file"])


run(globals())
