#!/usr/bin/env python3
"""The rules of dashboards/prometheus are what the mixin says, and every alert of them fires, ends
and stands missed scrapes and restarts. `rules.py --write` renders them."""
import json
import os
import re
import shutil
import subprocess
import sys

from harness import EXPORTER, ROOT, SLOWNESS, Folder, Skip, equal, run
from rules_cases import CASES, INFO

MIXIN = os.path.join(ROOT, "dashboards/mixin.libsonnet")
RENDERED = os.path.join(ROOT, "dashboards/prometheus")
FILES = {"records.yml": "prometheusRules", "alerts.yml": "prometheusAlerts",
         "prometheusrule.yaml": "prometheusOperator"}
NOTE = ("# Made of dashboards/mixin.libsonnet: change that, then run "
        "tests/integration/rules.py --write.\n")
# The order in which people read a rule.
FIRST = ["apiVersion", "kind", "metadata", "name", "alert", "record", "expr", "for", "labels"]


def command(*words):
    if not shutil.which(words[0]):
        raise Skip(f"no {words[0]} on this machine")
    done = subprocess.run(words, text=True, stdin=subprocess.DEVNULL, capture_output=True,
                          check=False, timeout=120 * SLOWNESS)
    equal(done.returncode, 0, f"{' '.join(words)}: {(done.stdout + done.stderr)[-6000:]}")
    return done.stdout


def mixin(field):
    return json.loads(command("jsonnet", "-e", f'(import "{MIXIN}").{field}'))


def yaml(value, indent=""):
    """Lines of what jsonnet made, for people; JSON is YAML, but hard to read."""
    if isinstance(value, str):
        if re.fullmatch(r"[\w./-]+(:[\w./-]+)*( [\w./-]+)*", value) and len(value) < 80:
            return " " + value
        return " |-\n" + "\n".join(indent + line for line in value.split("\n"))
    if isinstance(value, list):
        return "".join(f"\n{indent}- {yaml(item, indent + '  ').lstrip()}" for item in value)
    order = sorted(value, key=lambda name: ((FIRST + [name]).index(name), name))
    return "".join(f"\n{indent}{name}:{yaml(value[name], indent + '  ')}" for name in order)


def rendered(field):
    return NOTE + yaml(mixin(field)).lstrip("\n") + "\n"


def rules_of(groups):
    return [rule for group in groups["groups"] for rule in group["rules"]]


def test_rendered_files():
    for name, field in FILES.items():
        with open(os.path.join(RENDERED, name), encoding="utf-8") as file:
            equal(file.read().split("\n"), rendered(field).split("\n"),
                  f"{name}; rules.py --write renders it")
    for name in ("records.yml", "alerts.yml"):
        command("promtool", "check", "rules", "--lint=all", "--lint-fatal",
                os.path.join(RENDERED, name))


def test_every_alert_says_what_to_do():
    alerts = rules_of(mixin("prometheusAlerts"))
    for alert in alerts:
        equal(sorted(alert["annotations"]),
              ["dashboard_url", "description", "runbook_url", "summary"], alert["alert"])
        assert alert["labels"]["severity"], alert["alert"]
        assert re.search(r"==|<|>", alert["expr"]), alert["alert"]
        assert "topk" not in alert["expr"] and "$value" not in str(alert["labels"]), alert["alert"]
    equal({case.alert for case in CASES} | {"DefenderHeartbeat"},
          {alert["alert"] for alert in alerts}, "alerts that have a case")


def catalogue():
    """The labels of each metric, as the program prints them."""
    rows = re.findall(r"^\| (\w+) \| \w+ \| ([^|]*) \|", command(EXPORTER, "metrics"), re.M)
    found = {name: set(re.findall(r"\w+", labels)) | {"job", "instance"} for name, labels in rows}
    return {**found, "up": {"job", "instance"}}


def test_rules_ask_for_what_there_is():
    known = catalogue()
    for rule in rules_of(mixin("prometheusRules")):
        known[rule["record"]] = {"job", "risk_level"}
    for rule in rules_of(mixin("prometheusRules")) + rules_of(mixin("prometheusAlerts")):
        name, expr = rule.get("alert") or rule["record"], rule["expr"]
        asked = re.findall(r"\b([a-z][\w:]*)\{([^}]*)\}", expr)
        assert asked or name == "DefenderHeartbeat" or "record" in rule, name
        for metric, matchers in asked:
            labels = set(re.findall(r"(\w+)[!=]?[=~]", matchers))
            assert labels <= known[metric], f"{name}: {metric} has no {labels - known[metric]}"
        there = set().union(*(known[metric] for metric, _ in asked), *(
            known[metric] for metric in re.findall(r"\b(job_\w+:[\w:]+)", expr)))
        kept = {label for labels in re.findall(r"(?:by|on) \(([^)]*)\)", expr)
                for label in re.findall(r"\w+", labels)}
        assert kept <= there, f"{name}: {kept - there}"
        said = set(re.findall(r"\$labels\.(\w+)", str(rule)))
        assert said <= (kept or there), f"{name} says {said - kept}"
        assert "absent(" not in expr or rule["for"], f"{name}: absent at once"


# --- alerts over made-up series ------------------------------------------------------------------

def written(values):
    return " ".join("stale" if value is None else f"{value:g}" for value in values)


def series_of(case):
    """Input series of promtool. What is about Azure comes back from another instance."""
    result = []
    for name, spec in [*case.series.items(), INFO]:
        values = case.values(spec)
        moves = None if case.own else case.restarts[1] // case.every
        for instance, part in (("a:1", values[:moves]),
                               ("b:1", [] if moves is None else [None] * moves + values[moves:])):
            labels = f'job="defender",instance="{instance}"'
            full = f"{name[:-1]},{labels}}}" if name.endswith("}") else f"{name}{{{labels}}}"
            if part:
                result.append({"series": full, "values": written(part)})
    return result


def expected(case, minute, annotations):
    at = {"eval_time": f"{minute}m", "alertname": case.alert, "exp_alerts": []}
    if case.fires <= minute < case.mended + case.ends:
        labels = {"job": "defender", **({"instance": "a:1"} if case.own else {}), **case.labels}
        labels = {name: value for name, value in labels.items() if value is not None}
        at["exp_alerts"].append({"exp_labels": labels, "exp_annotations": annotations})
    return at


def trial(case, expectations):
    return {"interval": f"{case.every}m", "input_series": series_of(case), "name": case.name,
            "alert_rule_test": expectations}


def bare(groups):
    for rule in rules_of(groups):
        rule.pop("annotations", None)
    return groups


def promtool(tests, groups, every=1):
    with Folder() as folder:
        files = [folder.file(f"{number}.yml", rules) for number, rules in enumerate(groups)]
        command("promtool", "test", "rules", folder.file("tests.yml", {
            "rule_files": files, "evaluation_interval": f"{every}m", "tests": tests,
            "group_eval_order": [group["name"] for rules in groups for group in rules["groups"]]}))


def runs(alerts):
    """Cases that go into one run of promtool, and the alerts of it: two of one name are apart."""
    for every, window in sorted({(case.every, case.labels.get("window", "")) for case in CASES}):
        groups = [{**group, "rules": [rule for rule in group["rules"]
                                      if rule["labels"].get("window", window) == window]}
                  for group in alerts["groups"]]
        yield every, {"groups": groups}, [case for case in CASES if case.every == every
                                          and case.labels.get("window", "") == window]


def test_alerts_fire_end_and_stand_a_restart():
    records = mixin("prometheusRules")
    for every, alerts, cases in runs(bare(mixin("prometheusAlerts"))):
        tests = []
        for case in cases:
            minutes = range(max(0, case.breaks - 60), case.mended + case.ends + 30, every)
            tests.append(trial(case, [expected(case, minute, {}) for minute in minutes]))
        promtool(tests, [records, alerts], every)


def told(case, rule):
    """The annotations; those that the case does not have hold nothing but labels."""
    labels = {"instance": "a:1", **case.labels}
    texts = {name: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda m: labels[m.group(1)], text)
             for name, text in rule["annotations"].items() if name != "description"}
    return {**texts, "description": case.description}


def test_alerts_say_what_they_are_about():
    records = mixin("prometheusRules")
    for every, alerts, cases in runs(mixin("prometheusAlerts")):
        rules = {rule["alert"]: rule for rule in rules_of(alerts)}
        promtool([trial(case, [expected(case, case.fires, told(case, rules[case.alert]))])
                  for case in cases if case.description], [records, alerts], every)


def test_heartbeat_needs_nothing():
    heartbeat = bare(mixin("prometheusAlerts"))
    fires = [{"exp_labels": {"severity": "none"}}]
    promtool([{"interval": "1m", "input_series": [{"series": "up", "values": "1 stale 0 1"}],
               "alert_rule_test": [{"eval_time": f"{minute}m", "alertname": "DefenderHeartbeat",
                                    "exp_alerts": fires} for minute in range(5)]}], [heartbeat])


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        for name, field in FILES.items():
            with open(os.path.join(RENDERED, name), "w", encoding="utf-8") as file:
                file.write(rendered(field))
        sys.exit()
    run(globals())
