#!/usr/bin/env python3
"""Debian's amtool against the exporter: alerts, silences, receivers, status."""
import json
import re
import shutil
import signal
import subprocess
import urllib.parse

from alerts_model import Model, settled
from harness import (SECRET, SLOWNESS, Exporter, Fake, Folder, Skip, contains, equal, memory_kb,
                     run, settings, until)
from sink import Sink, receiver

RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
    match: ['source="assessments"']
"""


class Bench:
    """An exporter with a few firing alerts."""

    def __init__(self, **web):
        self.web = web
        if not shutil.which("amtool"):
            raise Skip("amtool is not installed (package prometheus-alertmanager)")
        self.folder, self.sink = Folder(), Sink()
        self.fake = Fake("--provable", "--assessments", "12000", "--machines", "0", "--seed", "3")

    def __enter__(self):
        self.folder.__enter__()
        self.sink.__enter__()
        self.fake.__enter__()
        self.folder.file("rules.yml", RULES)
        config = settings(
            self.fake.url, self.folder.file("secret", SECRET),
            {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s"}},
            web=self.web,
            alerts={"rules": ["rules.yml"], "ledger": {"first_run": "silent"},
                    "receivers": [receiver(self.sink), receiver(self.sink, "other")],
                    "route": {"receiver": "team", "group_interval": "1s", "routes": [
                        {"receiver": "other", "matchers": ['risk_level="low"']}]},
                    "governor": {"messages": 0}})
        self.exporter = Exporter(self.folder, config).__enter__().wait_ready()
        model = Model(self.fake.admin("dump"))
        self.fake.admin("advance?steps=1", "POST")
        model.advance(self.fake.admin("history"))
        until("decisions", lambda: settled(self.folder, model), 30)
        self.model = model
        return self

    def __exit__(self, *why):
        for one in (self.exporter, self.fake, self.sink, self.folder):
            one.__exit__(*why)

    def forget_url(self):
        """With an external URL and without users nobody writes over the network."""
        with open(self.exporter.config_file, encoding="utf-8") as file:
            config = json.load(file)
        config["web"] = {}
        self.folder.file("defender_exporter.yml", config)
        self.exporter.send(signal.SIGHUP)
        self.exporter.wait_for("msg=reloaded")

    def amtool(self, *words, ok=True):
        done = subprocess.run(["amtool", f"--alertmanager.url={self.exporter.url}", *words],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=30 * SLOWNESS, check=False, stdin=subprocess.DEVNULL)
        if not ok:
            return done.stdout + done.stderr
        equal(done.returncode, 0, f"amtool {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def alerts(self, *words):
        return json.loads(self.amtool("alert", "query", "-o", "json", *words))


def test_alerts_are_found_by_their_labels():
    with Bench() as bench:
        alerts = bench.alerts()
        equal({a["labels"]["finding_id"] for a in alerts},
              {f for f, event, _ in bench.model.told if event != "finding.resolved"}
              & {a["labels"]["finding_id"] for a in alerts}, "alerts that happened")
        assert len(alerts) > 3, f"{len(alerts)} alerts"
        equal({a["status"]["state"] for a in alerts}, {"active"}, "states")
        one = alerts[0]["labels"]
        contains(bench.amtool("alert", "query", "alertname=Finding"), " on ", "a summary")
        equal([a["fingerprint"] for a in bench.alerts(f"finding_id={one['finding_id']}")],
              [alerts[0]["fingerprint"]], "by label")
        equal(bench.alerts("alertname=Nothing"), [], "by a label nobody has")
        low = {a["fingerprint"] for a in alerts if a["labels"]["risk_level"] == "low"}
        equal({a["fingerprint"] for a in bench.alerts("risk_level=~lo.*")}, low, "by pattern")
        for pattern in ("(?i)LO.*", r"\w\Sw", "(?:low|lower)", r"[\w-]{3}", r"\Qlow\E"):
            equal({a["fingerprint"] for a in bench.alerts(f'risk_level=~"{pattern}"')},
                  {a["fingerprint"] for a in alerts
                   if re.fullmatch(pattern.replace("\\Q", "").replace("\\E", ""),
                                   a["labels"]["risk_level"])}, pattern)
        other = bench.exporter.get("/api/v2/alerts?filter=" + urllib.parse.quote('"größe"="x"'))
        equal(other.json(), [], "by a name of other letters")
        equal({a["fingerprint"] for a in bench.alerts("-r", "other")}, low, "by receiver")
        contains(bench.amtool("alert", "query", "-o", "extended"), "Finding", "extended output")
        groups = bench.exporter.get("/api/v2/alerts/groups").json()
        equal(sum(len(g["alerts"]) for g in groups), len(alerts), "alerts in groups")
        for group in groups:
            for alert in group["alerts"]:
                equal({k: alert["labels"].get(k) for k in group["labels"]}, group["labels"],
                      "labels of a group")


def test_silences_come_and_go():
    with Bench() as bench:
        finding = bench.alerts()[0]["labels"]["finding_id"]
        silence = bench.amtool("silence", "add", f"finding_id={finding}", "severity=~.+",
                               "category!=Nothing", "--comment=works", "--author=tester",
                               "--duration=1h").strip()
        equal(len(silence), 36, f"id of a silence: {silence}")
        contains(bench.amtool("silence", "query"), silence, "silence query")
        contains(bench.amtool("silence", "query", "-o", "extended"), "tester", "silence query")
        listed = json.loads(bench.amtool("silence", "query", "-o", "json", f"finding_id={finding}"))
        equal([s["id"] for s in listed], [silence], "silences by matcher")
        equal(sorted((m["name"], m["isRegex"], m["isEqual"]) for m in listed[0]["matchers"]),
              [("category", False, False), ("finding_id", False, True), ("severity", True, True)],
              "matchers")
        equal(json.loads(bench.amtool("silence", "query", "-o", "json", "finding_id=other")), [],
              "silences by another matcher")
        equal([a["status"]["silencedBy"] for a in bench.alerts("-s", f"finding_id={finding}")],
              [[silence]], "the silenced alert")
        assert finding not in {a["labels"]["finding_id"] for a in bench.alerts("-a")}
        again = bench.amtool("silence", "update", silence, "--comment=longer", "--duration=2h")
        contains(again, silence, "an update keeps its id")
        bench.amtool("silence", "expire", silence)
        assert finding in {a["labels"]["finding_id"] for a in bench.alerts("-a")}
        contains(bench.amtool("silence", "query", "--expired"), silence, "expired silences")
        contains(bench.amtool("silence", "expire", "00000000-0000-0000-0000-000000000000",
                              ok=False), "404", "an unknown silence")
        contains(bench.amtool("silence", "add", "alertname=~(", "--comment=x", ok=False), "(",
                 "a bad pattern")
        for pattern in (r"[\w-]+", r"[\x30-\x39a-f]+", r"(?i)[\dA-F]+", rf"\Q{finding}\E",
                        r"[^\t]+"):
            silence = bench.amtool("silence", "add", f"finding_id=~{pattern}", "alertname=Finding",
                                   "--comment=x").strip()
            assert finding not in {a["labels"]["finding_id"] for a in bench.alerts("-a")}, pattern
            bench.amtool("silence", "expire", silence)


def test_the_command_in_a_message_silences_it():
    with Bench(external_url="https://defender.example") as bench:
        alerts = {a["fingerprint"]: a["labels"] for a in bench.alerts()}
        message = next(m["body"]["data"] for m in bench.sink.taken()
                       if any(a["fingerprint"] in alerts for a in m["body"]["data"]["alerts"]))
        bench.forget_url()
        command = message["silence_amtool"].replace("https://defender.example", bench.exporter.url)
        done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, check=False,
                              capture_output=True, text=True, timeout=30 * SLOWNESS)
        equal(done.returncode, 0, command + done.stderr)
        silence = done.stdout.strip()
        wanted = {a["fingerprint"] for a in message["alerts"] if a["state"] == "firing"}
        equal({a["fingerprint"] for a in bench.alerts("-s") if a["status"]["silencedBy"]},
              wanted & set(alerts), "silenced alerts")
        bench.amtool("silence", "expire", silence)


def test_patterns_cost_little():
    with Bench() as bench:
        for pattern in ("a" + "+" * 500, "a" + "*" * 900, "(" * 900, "(a{1,1000}){1,1000}",
                        "((a{1,99}){1,99}){1,99}", "(?=a)", r"(a)\1"):
            found = bench.exporter.get("/api/v2/alerts?filter=" +
                                       urllib.parse.quote(f'alertname=~"{pattern}"'))
            equal(found.status, 400, pattern[:40])
        peak = memory_kb(bench.exporter.process.pid, "VmHWM")
        assert peak < 1 << 20, f"{peak} KiB"


def test_the_rest_of_the_api():
    with Bench() as bench:
        contains(bench.amtool("config", "show"), "team", "config show")
        get = bench.exporter.get

        def post(path, body, kind="application/json"):
            return get(path, method="POST", body=body, headers={"Content-Type": kind})
        equal([r["name"] for r in get("/api/v2/receivers").json()], ["team", "other"], "receivers")
        equal(get("/api/v2/status").json()["cluster"]["status"], "disabled", "status")
        equal(get("/api/v2/alerts?active=maybe").status, 400, "a bad flag")
        equal(post("/api/v2/silences", "{}", "text/plain").status, 415, "a form of another site")
        equal(get("/api/v2/alerts?filter=%7B").status, 400, "a bad filter")
        answer = post("/api/v2/alerts", "[]")
        equal(answer.status, 405, "alerts from outside")
        contains(answer.json(), "cannot be posted", "the hint")
        equal(get("/api/v2/nothing").status, 404, "an unknown path")
        equal(post("/api/v2/silences", "{nonsense").status, 400, "no JSON")
        equal(post("/api/v2/silences", "{}").status, 400, "no silence")
        equal(post("/api/v2/silences", "x" * 70000).status, 413, "too large")
        equal(get("/api/v2/silence/nothing").status, 404, "an unknown silence")
        first = get("/api/v1/alerts?limit=2").json()
        equal(len(first["alerts"]), 2, "a page of alerts")
        second = get(f"/api/v1/alerts?limit=1000&after={first['next']}").json()
        equal(second["next"], None, "the last page")
        total = len({a["fingerprint"] for a in first["alerts"] + second["alerts"]})
        equal(total, len(first["alerts"]) + len(second["alerts"]), "each alert once")
        equal(get("/api/v1/alerts?limit=x").status, 400, "a bad limit")


if __name__ == "__main__":
    run(globals())
