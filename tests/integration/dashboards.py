#!/usr/bin/env python3
"""The dashboards: as they are made, without a mistake, and every query of them brings data."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

from certificates import Authority
from custom import machines
from grafana import (FOLDER, SCRAPED, Prometheus, dashboards, named, panels, queries, replaced,
                     variables)
from harness import (EXPORTER, ROOT, SECRET, Exporter, Fake, Folder, Program, Skip, collectors,
                     equal, free_port, run, settings)
from otlp_receiver import Receiver
from sink import Sink, receiver
from webconfig import PAIR, users

# Queries that bring nothing of a tenant that is well, and why.
RARE = {
    "exemptions: Waivers of the configuration A": "without waivers",
    "exporter: Certificate ends in A": "without TLS there is none",
    "exporter: Logins A": "nobody logs in without users",
    "exporter: Odd rows A": "shown when there are any",
    "exporter: Rows of queries of your own left out A": "without such queries",
    "exporter: Series left out, by reason A": "shown when there are any",
    "alerts: Since a receiver took a message A": "nobody takes any",
    **{f"exporter: {title}": "without a receiver of OTLP" for title in (
        "Requests to receivers of OTLP A", "OTLP requests that failed A", "What OTLP lost A",
        "What OTLP lost B", "Waiting for OTLP A", "Since OTLP was accepted A")},
}
# Families that no board shows, and why.
UNSHOWN = {
    "process_virtual_memory_bytes": "address space is not what is in use, which is shown",
    "process_virtual_memory_max_bytes": "the same",
    "defender_exporter_web_config_last_reload_success_timestamp_seconds":
        "whether the last one worked is shown, and that is what matters",
    "defender_results_filtered": "as defender_subscriptions_filtered: for who wrote the filter",
    "defender_subscriptions_filtered":
        "how many are filtered is shown; by which of the filters is for who wrote them",
}
# Those that want some history, and how much.
LATER = {
    "overview: Score in 7 days A": "a week",
}
# A rule that tells of everything.
EVERYTHING = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened]
"""
NEW = "annotation New recommendations"


def tool(name):
    found = shutil.which(name)
    if not found:
        raise Skip(f"no {name} on this machine")
    return found


def catalogue():
    """{family: (type, labels, level)} as the program prints it."""
    table = subprocess.run([EXPORTER, "metrics"], capture_output=True, text=True, check=True,
                           stdin=subprocess.DEVNULL).stdout
    rows = re.findall(r"^\| (\w+) \| (\w+) \| ([\w, ]*) \| (\d) \|", table, re.M)
    return {name: (kind, set(re.findall(r"\w+", labels)), int(level))
            for name, kind, labels, level in rows}


def family(metric, families):
    """The family of a metric and what its labels may be."""
    for name, more in ((metric, set()), (re.sub("_bucket$", "", metric), {"le"}),
                       (re.sub("_(sum|count)$", "", metric), set())):
        if name in families:
            return name, families[name][1] | more
    raise AssertionError(f"{metric} is not in the catalogue")


def test_rendered_files_are_those_committed():
    jsonnet = tool("jsonnet")
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(ROOT, "dashboards", "mixin.libsonnet")
        subprocess.run([jsonnet, "-m", folder, "-e", f"(import '{source}').grafanaDashboards"],
                       check=True, capture_output=True)
        made = {name for name in os.listdir(folder)}
        equal({n for n in os.listdir(FOLDER) if n.endswith(".json")}, made, "rendered files")
        for name in made:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
            with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
                assert text == file.read(), f"{name} is not as its source makes it: render again"


def test_sources_are_formatted():
    files = [os.path.join(folder, name)
             for folder, _, names in os.walk(os.path.join(ROOT, "dashboards"))
             for name in names if name.endswith(".libsonnet")]
    subprocess.run([tool("jsonnet") + "fmt", "--test", *files], check=True)


def test_names_are_in_the_catalogue():
    families = catalogue()
    for name, board in dashboards().items():
        asked = [(str(q), q.expr) for q in queries(name, board)]
        asked += [(f"{name}: variable {v}", e) for v, (e, _) in variables(board).items()]
        for where, expr in asked:
            metrics, labels = named(expr)
            assert metrics, f"{where}: no metric in {expr}"
            known = set(SCRAPED)
            for metric, matched in metrics:
                own = family(metric, families)[1]
                assert matched <= own | SCRAPED, f"{where}: {metric} has no {matched - own}"
                assert matched >= {"job", "instance"} or "variable" in where, f"{where}: of any job"
                known |= own
            assert labels <= known, f"{where}: nothing there has {labels - known}"
        for variable, (expr, label) in variables(board).items():
            metric = named(expr)[0][0][0]
            assert label in family(metric, families)[1] | SCRAPED, f"{name}: {variable}: {label}"


def test_families_are_shown():
    families = catalogue()
    shown = {family(metric, families)[0] for name, board in dashboards().items()
             for query in queries(name, board) for metric, _ in named(query.expr)[0]}
    wanted = {name for name, (_, _, level) in families.items() if level <= 1}
    equal(wanted - shown, set(UNSHOWN), "families of levels 0 and 1 that no board shows")


# --- what the linter of dashboards asks ---------------------------------------------------------

def lint_variables(board):
    found = {v["name"]: v for v in board["templating"]["list"]}
    first = board["templating"]["list"][0]
    assert (first["type"], first["name"], first["query"], first["label"]) == (
        "datasource", "datasource", "prometheus", "Data source"), "data source variable"
    for name in ("job", "instance"):
        variable = found[name]
        assert variable["multi"] and variable["allValue"] == ".+", name
        equal(variable["label"].lower(), name, "label")
    for variable in found.values():
        assert variable["label"], variable["name"]
        if variable["type"] == "query":
            equal(variable["datasource"]["uid"], "${datasource}", "source of a variable")
            equal(variable["refresh"], 2, f"refresh of {variable['name']}")


# The step of a graph of what happened within a span.
STEPS = {"1h": ("5m", "1h"), "1d": ("1h",), "7d": ("1d", "7d")}


def lint_target(panel, target):
    for counter in re.findall(r"(\w*)\s*\(\s*\w+_(?:total|bucket|sum|count)\b", target["expr"]):
        assert counter in ("rate", "increase"), f"a counter under {counter or 'nothing'}"
    for span in re.findall(r"\brate\([^\[]*\[([^\]]*)\]", target["expr"]):
        equal(span, "$__rate_interval", "range of a rate")
    for span in re.findall(r"\bincrease\([^\[]*\[([^\]]*)\]", target["expr"]):
        assert span in STEPS, f"increase over {span}"
        assert target["instant"] or target.get("interval") in STEPS[span], f"step within {span}"
    assert target["instant"] != target["range"], "now, or over time"
    equal(target["instant"], panel["type"] in ("table", "bargauge"), "tables and bars are of now")


def lint_columns(panel):
    """Titles fit, and numbers take no more room than they need: names get what is left."""
    wide = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]
            for said in override["properties"] if said["id"] == "custom.width"
            or said["id"] == "custom.cellOptions" and said["value"]["type"] == "gauge"}
    for change in panel.get("transformations", []):
        for field, title in change["options"].get("renameByName", {}).items():
            assert title in wide or not field.startswith("Value"), f"{title} may be wide"
    for override in panel["fieldConfig"]["overrides"]:
        name = override["matcher"]["options"]
        for said in override["properties"]:
            if said["id"] == "custom.width":
                assert said["value"] >= 9 * len(name) + 8, f"{name} is cut: {said['value']}"


def lint_panel(board, panel):
    assert panel["title"] and panel["description"].endswith("."), "title and sentence"
    assert len(panel["title"]) < 45, "a short title"
    equal(panel["datasource"], {"type": "prometheus", "uid": "${datasource}"}, "data source")
    assert panel["fieldConfig"]["defaults"]["unit"], "unit"
    assert panel["targets"], "targets"
    if panel["type"] == "stat" and panel["options"]["graphMode"] != "none":
        both = {"min", "max"} <= set(panel["fieldConfig"]["defaults"])
        assert not both, "Grafana 11 draws no line between both"
    defined = {v["name"] for v in board["templating"]["list"]}
    lint_columns(panel)
    for target in panel["targets"]:
        used = set(re.findall(r"\$\{?([a-z_]\w*)", target["expr"])) - {"__rate_interval", "__range"}
        assert used <= defined, f"no variable {used - defined}"
        lint_target(panel, target)


def test_lint():
    boards = dashboards()
    equal(len({b["uid"] for b in boards.values()}), len(boards), "different uids")
    for name, board in boards.items():
        assert not board["editable"] and board["title"] and board["description"], name
        lint_variables(board)
        titles = [panel["title"] for panel in panels(board)]
        equal(len(titles), len(set(titles)), f"{name}: different titles")
        taken = {}
        for panel in board["panels"]:
            grid = panel["gridPos"]
            for x in range(grid["x"], grid["x"] + grid["w"]):
                for y in range(grid["y"], grid["y"] + grid["h"]):
                    assert x < 24 and taken.setdefault((x, y), panel) is panel, panel["title"]
        for panel in panels(board):
            try:
                lint_panel(board, panel)
            except AssertionError as error:
                raise AssertionError(f"{name}: {panel['title']}: {error}") from None
        unused = set(variables(board)) - {v for text in [json.dumps(board["panels"])]
                                          for v in re.findall(r"\$\{?(\w+)", text)}
        equal(unused, set(), f"{name}: variables that nothing uses")


# --- a real Prometheus --------------------------------------------------------------------------

def scrape(folder, target, more=(), **how):
    """A Prometheus that scrapes it every 3 seconds, and its API."""
    port = free_port()
    config = folder.file("prometheus.yml", {
        "global": {"scrape_interval": "3s", "scrape_timeout": "3s"},
        "scrape_configs": [{"job_name": "defender", "static_configs": [{"targets": [target]}],
                            **how}]})
    program = Program([tool("prometheus"), f"--config.file={config}",
                       f"--web.listen-address=127.0.0.1:{port}",
                       "--enable-feature=exemplar-storage",
                       "--storage.tsdb.path=" + os.path.join(folder.path, "data"), *more])
    return program, Prometheus(f"http://127.0.0.1:{port}")


def choices(prometheus, board):
    """What a person may choose: all, several of each, and one after the other."""
    asked = variables(board)
    every = {v["name"]: v["allValue"] for v in board["templating"]["list"] if "allValue" in v}
    several = {}
    for name, (expr, label) in asked.items():
        several[name] = prometheus.values(replaced(expr, {**every, **several}), label)
        assert several[name], f"no {name}"
    one = []
    for subscription in several.get("subscription", [None]):
        chosen = {name: values[:1] for name, values in several.items()}
        if subscription:
            for name in ("management_group", "tenant"):
                expr, label = asked["subscription"][0], asked[name][1]
                only = replaced(expr, every)[:-1] + f', subscription_name="{subscription}"}}'
                chosen[name] = prometheus.values(only, label)
            chosen["subscription"] = [subscription]
        one.append(chosen)
    others = [(name, value) for name in several for value in several[name]
              if name not in ("tenant", "management_group", "subscription")]
    one += [{**chosen, name: [value]} for chosen in list(one) for name, value in others]
    return [[every], [several], one]


def empty(prometheus, end, step=5, only=None):
    """The queries (of those in only) that bring nothing, whatever is chosen of one kind."""
    nothing = set()
    for name, board in dashboards().items():
        asked = [query for query in queries(name, board) if only is None or str(query) in only]
        for kind in choices(prometheus, board) if asked else []:
            for query in asked:
                for chosen in kind:
                    text = replaced(query.expr, chosen)
                    if prometheus.instant(text, time=end) if query.at_once else \
                            prometheus.range(text, end - 60, end, step):
                        break
                else:
                    nothing.add(str(query))
    return nothing


def world(folder, more, *faults, subscriptions=3):
    """A tenant of many kinds and an exporter that reads all of it often."""
    fake = Fake(*faults, "--seed", "2026", "--subscriptions", subscriptions, "--assessments",
                "1500", "--multicloud", "--individual", "10", "--exemptions", "3")
    often = {name: {"enabled": True, "interval": "2s"} for name in collectors()}
    often["assessments"]["fast_interval"] = "2s"
    return fake, settings(fake.url, folder.file("secret", SECRET), {**often, **more},
                          metrics={"opt_in_list": ".*"},
                          alerts={
                              "receivers": [{"name": "nobody", "webhook": {
                                  "url": "http://127.0.0.1:9/", "http": {"allow_private": True}}}],
                              "heartbeat": {"url": "http://127.0.0.1:9/", "interval": "1s",
                                            "allow_private": True}})


def test_queries_bring_data():
    tool("prometheus")
    with Folder() as folder:
        fake, config = world(folder, {}, "--fault", "500")
        with fake, Exporter(folder, config) as exporter:
            program, prometheus = scrape(folder, f"127.0.0.1:{exporter.port}")
            with program:
                prometheus.wait('defender_exporter_notifications_suppressed_total == 0',
                                "a scrape before the first run")
                fake.heal()
                exporter.wait_ready()
                prometheus.wait("sum(defender_findings_opened_total) == 0", "counters that begin")
                fake.admin("advance?steps=12", "POST")
                prometheus.wait("defender_exporter_fast_last_look_timestamp_seconds", "a look")
                for name in ("findings_opened_total", "findings_resolved_total",
                             "finding_risk_changes_total"):
                    prometheus.wait(f"sum(increase(defender_{name}[1h])) > 0", name)
                equal(empty(prometheus, time.time()), set(RARE) | later(), "without data")


def test_time_to_fix_of_native_buckets():
    """The heatmap and the medians are the same for a Prometheus that stores no classic ones."""
    tool("prometheus")
    with Folder() as folder:
        fake, config = world(folder, {}, "--fault", "500")
        with fake, Exporter(folder, config) as exporter:
            program, prometheus = scrape(folder, f"127.0.0.1:{exporter.port}",
                                         more=["--enable-feature=native-histograms"])
            with program:
                prometheus.wait('defender_exporter_notifications_suppressed_total == 0',
                                "a scrape before the first run")
                fake.heal()
                exporter.wait_ready()
                prometheus.wait("sum(defender_findings_opened_total) == 0", "counters that begin")
                fake.admin("advance?steps=12", "POST")
                prometheus.wait("sum(increase(defender_findings_resolved_total[1h])) > 0", "fixed")
                board = dashboards()["remediation"]
                every = choices(prometheus, board)[0][0]
                asked = {query.where: replaced(query.expr, every)
                         for query in queries("remediation", board)}
                equal(prometheus.instant("defender_finding_resolution_seconds_bucket"), [],
                      "classic buckets")
                cells = prometheus.instant(asked["Time from opening to resolve A"])
                assert len(cells) == 1 and cells[0]["histogram"][1]["buckets"], cells
                medians = [prometheus.instant(text) for where, text in asked.items()
                           if where.startswith("Time to fix, median")]
                assert any(float(one[0]["value"][1]) > 0 for one in medians if one), medians


def later():
    return set(LATER) | {f"{name}: {NEW}" for name in dashboards()}


def remembered(folder, samples):
    """A Prometheus with a past: samples is the text of OpenMetrics."""
    text = folder.file("past.txt", samples)
    data = os.path.join(folder.path, "data")
    subprocess.run([tool("promtool"), "tsdb", "create-blocks-from", "openmetrics", text, data],
                   check=True, capture_output=True)
    return remembered_blocks(folder)


def remembered_blocks(folder):
    """The same of blocks that are there already."""
    return scrape(folder, "127.0.0.1:1", more=["--query.lookback-delta=20m",
                                               "--storage.tsdb.retention.time=1y"])


def test_queries_with_a_past():
    """Eight days, one value each 15 minutes; the second recommendation is half an hour old."""
    info = 'job="defender",instance="a",subscription_id="s",'
    series = (('up{job="defender",instance="a"}', 0),
              (f'subscription_info{{{info}tenant_id="t",management_group="m",'
               'subscription_name="n"}', 0),
              (f'findings{{{info}cloud="azure",risk_level="low"}}', 0),
              (f'baseline_machines{{{info}assignment="windows"}}', 0),
              (f'compliance_controls{{{info}standard="cis",state="passed"}}', 0),
              (f'plan_enabled{{{info}plan="api"}}', 0),
              (f'secure_score_ratio{{{info}cloud="azure"}}', 0),
              (f'secure_score_weight{{{info}cloud="azure"}}', 0),
              (f'assessment_info{{{info}assessment_id="o",display_name="o"}}', 0),
              (f'assessment_info{{{info}assessment_id="n",display_name="n"}}', 8 * 96 - 2))
    end = int(time.time()) // 900 * 900
    text = "".join(f"defender_{name} 1 {end - 900 * (8 * 96 - i)}\n" for name, begin in series
                   for i in range(begin, 8 * 96 + 1)) + "# EOF\n"
    with Folder() as folder:
        program, prometheus = remembered(folder, text)
        with program:
            prometheus.wait("vector(1)", "Prometheus")
            equal(empty(prometheus, end, only=later()), set(), "without data")


def test_queries_of_what_is_rare():
    """TLS with a login, odd rows, a query of the operator's own, series left out, a waiver,
    receivers that take what they get."""
    tool("prometheus")
    with Folder() as folder, Sink() as sink, Receiver() as otlp:
        Authority(folder).issue("server")
        folder.file("web.yml", PAIR + users(alice="secret"))
        folder.file("rules.yml", EVERYTHING)
        fake, config = world(folder, {"custom": [machines()]}, "--fault", "odd:body=status")
        config["collectors"]["baselines"]["waivers"] = [
            {"rule": "Ensure auditd is installed", "machines": ["none"], "reason": "not ours",
             "expires": "2020-01-01"}]
        config["metrics"]["denylist"] = "defender_exposure_nodes"
        config["web"] = {"config_file": "web.yml"}
        config["otlp"] = {"endpoint": otlp.url}
        config["alerts"].update(rules=["rules.yml"], ledger={"first_run": "all"},
                                receivers=[receiver(sink)])
        with fake, Exporter(folder, config) as exporter:
            program, prometheus = scrape(
                folder, f"127.0.0.1:{exporter.port}", scheme="https",
                basic_auth={"username": "alice", "password": "secret"},
                tls_config={"insecure_skip_verify": True})
            with program:
                prometheus.wait("sum(defender_collector_odd_rows) > 0", "odd rows")
                prometheus.wait("defender_exporter_series_dropped > 0", "series left out")
                prometheus.wait("count_over_time(defender_up[1h]) > 3", "some scrapes")
                for name in ("notification", "otlp"):
                    prometheus.wait(f"defender_exporter_{name}_last_success_timestamp_seconds > 0",
                                    f"{name}: something taken")
                equal(empty(prometheus, time.time(), only=set(RARE)), set(), "without data")


if __name__ == "__main__":
    run(globals())
