#!/usr/bin/env python3
"""What is known as data: pages of JSON by a cursor, all of it as CSV and lines of JSON, and every
form says the same."""
import collections
import csv
import io
import json
import os
import signal
import subprocess
import urllib.parse

from harness import (EXPORTER, SECRET, SLOWNESS, Exporter, Fake, Folder, contains, equal, run,
                     settings, until)
from webconfig import PAIR, Site, users

TABLES = ("findings", "recommendations", "controls", "resources", "baselines", "baseline_rules",
          "compliance", "subscriptions", "collectors", "fix_first", "attack_paths",
          "security_alerts", "exemptions")


class Bench:
    """A tenant, and the exporter when it knows all of it."""

    def __init__(self, *more, rules=None, **config):
        self.folder, self.rules, self.more = Folder(), rules, config
        self.fake = Fake("--seed", "9", "--subscriptions", "4", "--assessments", "1200", *more)

    def __enter__(self):
        self.folder.__enter__()
        self.fake.__enter__()
        self.exempt()
        self.folder.file("rules.yml", self.rules or "groups: []\n")
        self.config = settings(self.fake.url, self.folder.file("secret", SECRET), **self.more)
        self.exporter = Exporter(self.folder, self.config).__enter__()
        self.exporter.wait_ready()
        until("everything is in the view", self.complete, 60, 0.2)
        return self

    def __exit__(self, *error):
        self.exporter.__exit__(*error)
        self.fake.__exit__(*error)
        self.folder.__exit__(*error)

    def exempt(self):
        """Three exemptions, one of them over."""
        dump = self.fake.admin("dump")
        policies = [known["policyDefinitionId"] for known in dump["metadata"]
                    if known["policyDefinitionId"]]
        for policy, category, year in zip(policies, ("Waiver", "Mitigated", "Waiver"),
                                          (2099, 2098, 2001)):
            self.fake.admin("exempt?" + urllib.parse.urlencode({
                "scope": f"/subscriptions/{dump['subscriptions'][0]['subscriptionId']}",
                "policy": policy, "category": category, "expires": f"{year}-01-01T00:00:00Z",
                "reason": "=it is, \"so\""}), "POST")

    def open_now(self):
        return sum(value for _, value in self.exporter.metrics().all("defender_findings"))

    def complete(self):
        answer = self.get("findings", filter='source="assessments"', limit=1)
        return answer.status == 200 and 0 < answer.json()["total"] == self.open_now()

    def get(self, table, accept=None, **parameters):
        return self.exporter.get(f"/api/v1/{table}?" + urllib.parse.urlencode(parameters),
                                 headers={"Accept": accept} if accept else {})

    def walk(self, table, **parameters):
        """All rows by the cursor."""
        rows, after = [], None
        while True:
            answer = self.get(table, **parameters, **({"after": after} if after else {})).json()
            rows += answer[table]
            after = answer["next"]
            if not after:
                equal(len(rows), answer["total"], f"{table}, page by page")
                return rows


def test_every_form_says_the_same():
    with Bench() as bench:
        for table in TABLES:
            rows = bench.walk(table, limit=97)
            equal(len(rows) > 0, True, f"rows of {table}")
            lines = bench.get(table, "application/x-ndjson")
            contains(lines.headers["content-type"], "application/x-ndjson", "type")
            equal([json.loads(line) for line in lines.text.splitlines()], rows, f"{table}, lines")
            sheet = bench.get(table, "text/csv").body.decode()
            listed = list(csv.DictReader(io.StringIO(sheet, newline="")))
            equal(len(listed), len(rows), f"{table}, CSV")
            equal([row[next(iter(rows[0]))] for row in listed],
                  [row[next(iter(row))] for row in rows], f"{table}, identities in CSV")
            equal(list(listed[0]), list(rows[0]), f"{table}, columns")
            equal(len(bench.get(table, format="markdown").text.splitlines()) - 2, len(rows),
                  f"{table}, Markdown")


def test_numbers_are_those_of_the_metrics():
    with Bench() as bench:
        found = collections.Counter((row["subscription_id"], row["risk_level"]) for row in
                                    bench.walk("findings", filter='source="assessments"',
                                               limit=1000) if row["cloud"] == "azure")
        told = collections.Counter()
        for labels, value in bench.exporter.metrics().all("defender_findings"):
            if value and labels["cloud"] == "azure":
                told[labels["subscription_id"], labels["risk_level"]] += value
        equal(dict(found), dict(told), "findings by subscription and level")
        rows = bench.walk("recommendations", filter='source="assessments"', limit=1000)
        listed = collections.Counter()
        for row in rows:
            equal(sum(row[level] for level in ("critical", "high", "medium", "low",
                                               "not_evaluated")), row["findings"], "levels")
            listed[row["assessment_id"]] += row["findings"]
        told = collections.Counter()
        for labels, value in bench.exporter.metrics().all("defender_assessment_findings"):
            told[labels["assessment_id"]] += value
        equal({key: listed[key] for key in told}, dict(told), "findings by recommendation")


def test_lists_add_up():
    """What one list counts is what another lists, and what the metrics say."""
    with Bench() as bench:
        findings = bench.walk("findings", limit=1000)
        resources = bench.walk("resources", limit=1000)
        equal(sum(row["findings"] for row in resources), len(findings), "findings of resources")
        equal({row["resource_id"] for row in resources}, {row["resource_id"] for row in findings},
              "resources")
        baselines = bench.walk("baselines", limit=1000)
        equal({row["finding_id"] for row in baselines},
              {row["finding_id"] for row in findings if row["source"] == "baselines"}, "baselines")
        equal(any(row["expected"] and row["found"] for row in baselines), True, "reasons")
        equal(sum(row["machines"] for row in bench.walk("baseline_rules")), len(baselines), "rules")
        told = bench.exporter.metrics().all("defender_baseline_rule_failing_machines")
        equal(sum(value for _, value in told), len(baselines), "baselines in the metrics")
        standards = [row for row in bench.walk("compliance", limit=1000) if not row["control"]]
        told = bench.exporter.metrics().all("defender_compliance_controls")
        equal(sum(row["failed"] or 0 for row in standards),
              sum(value for labels, value in told if labels["state"] == "failed"), "controls")
        controls = bench.walk("controls", limit=1000)
        told = bench.exporter.metrics().all("defender_control_points")
        equal(round(sum(row["points"] or 0 for row in controls), 6),
              round(sum(value for _, value in told), 6), "points of controls")


def test_what_exposes_and_what_exempts_are_those_of_the_metrics():
    with Bench() as bench:
        metrics = bench.exporter.metrics()

        def told(family, **labels):
            return sum(value for has, value in metrics.all(family)
                       if all(has[name] == value for name, value in labels.items()))
        paths = bench.walk("attack_paths", limit=1000)
        equal(len(paths), told("defender_attack_paths"), "attack paths")
        equal(all(row["entry"] and row["name"] and row["chain"] for row in paths), True, "paths")
        narrow = bench.walk("attack_paths", filter=f'finding_id="{paths[0]["finding_id"]}"')
        equal(narrow, paths[:1], "one of them")
        alerts = bench.walk("security_alerts", limit=1000)
        listed = collections.Counter(row["severity"] for row in alerts if row["active"])
        equal(dict(listed), {severity: count for severity in ("high", "medium", "low",
                                                              "informational")
                             if (count := told("defender_security_alerts", severity=severity))},
              "security alerts")
        exemptions = bench.walk("exemptions", limit=1000)
        what = {state: {(row["subscription_id"], row["scope"], row["assignment_id"],
                         row["exemption"].partition("#")[2]) for row in exemptions
                        if row["state"] == state} for state in ("holds", "expired")}
        equal(len(what["holds"]), told("defender_exemptions"), "exemptions")
        equal(len(what["expired"] - what["holds"]), told("defender_exemptions_expired"), "over")
        narrow = bench.walk("exemptions", filter='state="expired"')
        equal(narrow, [row for row in exemptions if row["state"] == "expired"], "those over")


def test_the_plan_gains_what_the_page_says():
    with Bench() as bench:
        plan = bench.walk("fix_first", limit=7)
        equal([row["rank"] for row in plan], list(range(1, len(plan) + 1)), "ranks")
        points = [row["points"] for row in plan]
        equal(points, sorted(points, reverse=True), "points")
        known = {row["assessment_id"]: row for row in bench.walk("recommendations", limit=1000)}
        equal({row["assessment_id"]: (row["points"], row["findings"], row["overdue"])
               for row in plan},
              {key: (row["points"], row["findings"], row["overdue"])
               for key, row in known.items()}, "recommendations")
        picks = urllib.parse.urlencode([("pick", row["assessment_id"]) for row in plan[:3]])
        gain = bench.exporter.get("/api/v1/fix_first/gain?" + picks).json()
        equal((gain["chosen"], gain["findings"]), (3, sum(row["findings"] for row in plan[:3])),
              "what three close")
        equal(gain["points"] >= max(points), True, "what they gain")
        page = bench.exporter.get("/fix-first?" + picks).text
        contains(page, f"3 chosen: +{gain['points']:.2f} points", "the page")
        contains(page, f"{100 * gain['ratio_before']:.1f} % to {100 * gain['ratio_after']:.1f} %",
                 "the page")
        equal(bench.exporter.get("/api/v1/fix_first/gain").status, 400, "nothing is chosen")


def test_a_source_that_is_off_is_lacking():
    off = ("attack_paths", "security_alerts", "exemptions", "compliance", "secure_scores")
    with Bench(collectors={name: {"enabled": False} for name in off}) as bench:
        for table, source in zip(("attack_paths", "security_alerts", "exemptions", "compliance",
                                  "controls"), off):
            answer = bench.get(table).json()
            equal((answer["total"], answer["lacking"]), (0, f"{source} (it is switched off)"),
                  table)
            equal(bench.get(table, "text/csv").headers["x-defender-lacking"], answer["lacking"],
                  table)
        equal(bench.get("subscriptions").json()["lacking"], None, "subscriptions")


def test_orders_are_as_asked():
    with Bench() as bench:
        worst = ("critical", "high", "medium", "low", "not_evaluated")
        for order, key in (("risk", lambda row: (worst.index(row["risk_level"]),
                                                 row["opened_at"])),
                           ("age", lambda row: row["opened_at"]),
                           ("due", lambda row: row["due_at"] or "9")):
            keys = [key(row) for row in bench.walk("findings", order=order, limit=500)]
            equal(keys, sorted(keys), order)


def test_what_is_asked_wrongly_is_refused_in_words():
    with Bench() as bench:
        for parameters, status, said in (({"limit": "0"}, 400, "limit"),
                                         ({"limit": "many"}, 400, "limit"),
                                         ({"order": "size"}, 400, "risk, age or due"),
                                         ({"format": "xml"}, 400, "ndjson"),
                                         ({"filter": "foo"}, 400, "expected ="),
                                         ({"filter": "a" * 5000}, 400, "too long")):
            answer = bench.get("findings", **parameters)
            equal(answer.status, status, str(parameters)[:60])
            contains(answer.json()["error"], said, str(parameters)[:60])
        contains(bench.get("controls", order="risk").json()["error"], "only findings", "an order")
        equal(bench.exporter.get("/api/v1/nothing").status, 404, "an unknown table")
        equal(bench.get("findings", after="5.gone", limit=1).status, 200, "a cursor that is gone")


def test_filters_narrow_whatever_is_listed():
    with Bench() as bench:
        everything = {table: bench.walk(table, limit=1000) for table in TABLES}
        name = everything["subscriptions"][0]["name"]
        for table, label, column in (("controls", "subscription_name", "subscription_name"),
                                     ("controls", "control", "title"),
                                     ("compliance", "standard", "standard"),
                                     ("compliance", "subscription_name", "subscription_name"),
                                     ("subscriptions", "subscription_name", "name"),
                                     ("collectors", "collector", "collector"),
                                     ("collectors", "state", "state")):
            value = name if label == "subscription_name" else everything[table][0][column]
            wanted = [row for row in everything[table] if row[column] == value]
            others = [row for row in everything[table] if row[column] != value]
            equal(bench.walk(table, filter=f"{label}={json.dumps(value)}", limit=7), wanted,
                  f"{table} by {label}")
            lines = bench.get(table, format="ndjson", filter=f"{label}!={json.dumps(value)}")
            equal([json.loads(line) for line in lines.text.splitlines()], others,
                  f"{table} by another {label}")
        for table in TABLES:
            answer = bench.get(table, filter='nonsense="x"')
            equal(answer.status, 400, f"{table} by what none has")
            contains(answer.json()["error"], '"nonsense"', f"{table} by what none has")


def test_what_is_known_already_is_not_sent_again():
    with Bench() as bench:
        path = "/api/v1/findings?limit=5"
        first = bench.exporter.get(path)
        tag = first.headers["etag"]
        again = bench.exporter.get(path, headers={"If-None-Match": 'W/"0", ' + tag})
        equal((again.status, again.body, again.headers["etag"]), (304, b"", tag), "the same")
        equal(again.headers["vary"], "Accept", "what else it depends on")
        for other, headers in (("/api/v1/findings?limit=6", {}), ("/api/v1/controls?limit=5", {}),
                               (path, {"Accept": "text/csv"}),
                               (path + "&filter=risk_level%3D%22low%22", {})):
            answer = bench.exporter.get(other, headers={**headers, "If-None-Match": tag})
            equal((answer.status, bool(answer.body)), (200, True), f"{other} {headers}")
        bench.fake.admin("advance?steps=3", "POST")
        bench.folder.file("defender_exporter.yml",
                          {**bench.config, "collectors": {"assessments": {"interval": "1s"}}})
        bench.exporter.process.send_signal(signal.SIGHUP)
        until("what changed is sent", lambda: bench.exporter.get(
            path, headers={"If-None-Match": tag}).status == 200, 60, 0.5)


def test_a_report_says_what_happened():
    with Bench() as bench:
        findings = bench.walk("findings", limit=1000)
        overdue = sum(row["overdue"] for row in findings)
        critical = sum(row["risk_level"] == "critical" for row in findings)
        report = bench.exporter.get("/api/v1/report?since=7d")
        contains(report.headers["content-type"], "text/plain", "type")
        contains(report.text, f"Open now: {len(findings)}, critical: {critical}, "
                              f"overdue: {overdue}\n", "all")
        contains(report.text, "New: 0,", "what was there when it was first looked at is no news")
        score = bench.exporter.metrics().sum("defender_secure_score_overall_ratio")
        contains(report.text, f"Secure score: {100 * score:.1f} %", "score")
        counted = collections.Counter(row["subscription_name"] or row["subscription_id"]
                                      for row in findings)
        for name, number in counted.items():
            contains(report.text, f"{name}: new 0, fixed 0, overdue ", "a subscription")
            contains(report.text, f", open {number}\n", "its findings")
        for parameters, kind, said in (("format=html&by=management_group", "text/html", "<table>"),
                                       ("format=markdown", "text/markdown", "## Fix first")):
            answer = bench.exporter.get("/api/v1/report?" + parameters)
            contains(answer.headers["content-type"], kind, parameters)
            contains(answer.text, said, parameters)
        for parameters, said in (("since=soon", "how far back"), ("since=9999d", "400d"),
                                 ("by=size", "by is"), ("format=pdf", "format is"),
                                 ("by=owner", "alerts.governance_owner")):
            answer = bench.exporter.get("/api/v1/report?" + parameters)
            equal(answer.status, 400, parameters)
            contains(answer.json()["error"], said, parameters)
        done = subprocess.run([EXPORTER, "report", "--since=7d", f"--url={bench.exporter.url}"],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=60 * SLOWNESS)
        equal((done.returncode, done.stdout), (0, report.text), "the command")


def test_a_terminal_shows_the_same():
    with Bench() as bench:
        url = f"http://127.0.0.1:{bench.exporter.port}"

        def show(*arguments):
            done = subprocess.run([EXPORTER, *arguments, "--url=" + url], capture_output=True,
                                  text=True, stdin=subprocess.DEVNULL, timeout=60 * SLOWNESS)
            return done.returncode, done.stdout, done.stderr

        for table in TABLES:
            rows = bench.walk(table, limit=1000)
            words = ("baselines", "rules") if table == "baseline_rules" else \
                (table.replace("_", "-"),)
            status, told, errors = show(*words)
            equal((status, errors, len(told.splitlines()) - 1), (0, "", len(rows)), table)
            equal("\033" in told, False, f"colour of {table} where it is no terminal")
            status, told, errors = show(*words, "--format=json")
            equal(json.loads(told), rows, f"{table} as JSON")
            status, told, errors = show(*words, "--format=csv")
            equal(len(list(csv.DictReader(io.StringIO(told, newline="")))), len(rows), "CSV")
        status, told, _ = show("findings", '--filter=risk_level="critical"', "--limit=3")
        equal((status, len(told.splitlines())), (0, 4), "three critical ones")
        levels = collections.Counter(row["risk_level"] for row in bench.walk("findings", limit=999))
        status, told, _ = show("findings", "--group-by=risk_level", "--format=json")
        equal({row["risk_level"]: row["rows"] for row in json.loads(told)}, dict(levels), "groups")
        for arguments, code, said in ((("findings", "--filter=foo"), 1, "expected ="),
                                      (("findings", "--group-by=risk"), 2, "no column risk"),
                                      (("findings", "--group-by=cloud", "--format=xml"), 2,
                                       "ndjson"),
                                      (("findings", "--format=xml"), 1, "ndjson")):
            status, told, errors = show(*arguments)
            equal((status, told), (code, ""), " ".join(arguments))
            contains(errors, said, " ".join(arguments))


def test_a_command_logs_in():
    """What asks a running exporter: over TLS and a unix socket, with a password of a file."""
    with Folder() as outer:
        path = os.path.join(outer.path, "socket")
        with Site(PAIR + users(alice="hush-4711"), f"--web.listen-address=unix:{path}",
                  encrypted=True) as site:
            password = site.folder.file("password", "hush-4711\n")
            wrong = site.folder.file("wrong", "other\n")
            at, trust = f"--url=https://localhost:{site.port}", f"--ca-file={site.authority.cert}"
            for words, status, said in (
                    ((at, trust, "--user=alice", f"--password-file={password}"), 0, ""),
                    ((f"--url=unix:{path}", "--user=alice", f"--password-file={password}"), 0, ""),
                    ((at, trust), 1, "--user and --password-file"),
                    ((at, trust, "--user=alice", f"--password-file={wrong}"), 1, "answers 401"),
                    ((at, "--user=alice", f"--password-file={password}"), 1, "not trusted"),
                    ((at, trust, "--user=alice"), 2, "belong together"),
                    ((at, trust, "--user=alice", "--password-file=/none"), 1, "/none")):
                done = subprocess.run([EXPORTER, "status", "--format=csv", *words], text=True,
                                      capture_output=True, stdin=subprocess.DEVNULL,
                                      timeout=60 * SLOWNESS)
                equal(done.returncode, status, f"{words}: {done.stderr}")
                contains(done.stderr if status else done.stdout, said or "collector,", str(words))
                equal("hush-4711" in done.stdout + done.stderr, False, "a password")


if __name__ == "__main__":
    run(globals())
