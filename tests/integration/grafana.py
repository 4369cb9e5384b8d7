"""Dashboards as Grafana reads them: their queries, with variables replaced, and what these name."""
import glob
import json
import os
import re
import urllib.parse

from harness import ROOT, SLOWNESS, fetch, until

FOLDER = os.path.join(ROOT, "dashboards", "grafana")
# Labels that a scrape gives, and those of replicas that Kubernetes adds.
SCRAPED = {"job", "instance", "pod"}
# What Grafana puts for its own variables; a test scrapes every 3 seconds.
OWN = {"__rate_interval": "20s", "__interval": "15s", "__range": "1h"}
METRIC = r"\b((?:defender|process)_[a-z0-9_]+)\b"


def dashboards():
    """{name: dashboard} of the committed files."""
    found = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.json"))):
        with open(path, encoding="utf-8") as file:
            found[os.path.basename(path)[:-len(".json")]] = json.load(file)
    return found


def panels(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


class Query:
    """A target of a panel or an annotation; where: how people find it."""

    def __init__(self, board, where, expr, at_once, step):
        self.board, self.where, self.expr, self.at_once = board, where, expr, at_once
        self.step = step

    def __str__(self):
        return f"{self.board}: {self.where}"


def queries(name, board):
    found = []
    for panel in panels(board):
        for target in panel["targets"]:
            found.append(Query(name, f"{panel['title']} {target['refId']}", target["expr"],
                               target["instant"], target.get("interval")))
    for annotation in board["annotations"]["list"]:
        if "expr" in annotation:
            found.append(Query(name, "annotation " + annotation["name"], annotation["expr"], False,
                               annotation["step"]))
    return found


def variables(board):
    """{name: (expression, label)} of those that are asked for."""
    found = {}
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            text = variable["query"]["query"]
            expr, label = re.fullmatch(r"label_values\((.*), (\w+)\)", text).groups()
            found[variable["name"]] = (expr, label)
    return found


def replaced(expr, values):
    """An expression with its variables; a list is written as Grafana writes it in a regex."""
    def value(found):
        name = found.group(1) or found.group(2)
        chosen = {**OWN, **values}[name]
        if isinstance(chosen, str):
            return chosen
        words = [re.sub(r"[\\^$*+?.()|[\]{}/]", lambda c: "\\\\" + c.group(0), w) for w in chosen]
        return words[0] if len(words) == 1 else "(" + "|".join(words) + ")"
    return re.sub(r"\$(?:\{([a-z_]\w*)\}|([a-z_]\w*))", value, expr)


def named(expr):
    """[(metric, labels of its matchers)] and the labels of by, on, without and group_left."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"', '""', expr)
    metrics = [(found.group(1), set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)', found.group(2) or "")))
               for found in re.finditer(METRIC + r"(?:\{([^}]*)\})?", bare)]
    labels = set()
    for group in re.findall(r"\b(?:by|on|without|group_left|ignoring)\s*\(([^)]*)\)", bare):
        labels |= set(re.findall(r"\w+", group))
    return metrics, labels


class Prometheus:
    """The API of a running Prometheus."""

    def __init__(self, url):
        self.url = url
        self.samples = 0  # what the last query cost

    def ask(self, path, **arguments):
        body = urllib.parse.urlencode(arguments)
        answer = fetch(self.url + "/api/v1/" + path, "POST", body,
                       {"Content-Type": "application/x-www-form-urlencoded"}, 120)
        told = answer.json()
        if told["status"] != "success":
            raise AssertionError(f"{told.get('error')}\nin {arguments.get('query')}")
        stats = told["data"].get("stats", {}) if isinstance(told["data"], dict) else {}
        self.samples = stats.get("samples", {}).get("totalQueryableSamples", 0)
        return told["data"]

    def answers(self):
        try:
            return fetch(self.url + "/-/ready").status == 200
        except OSError:
            return False

    def instant(self, query, **more):
        return self.ask("query", query=query, stats="all", **more)["result"]

    def range(self, query, begin, end, step):
        return self.ask("query_range", query=query, start=begin, end=end, step=step,
                        stats="all")["result"]

    def values(self, expr, label):
        path = f"/api/v1/label/{label}/values?" + urllib.parse.urlencode({"match[]": expr})
        return fetch(self.url + path, seconds=30 * SLOWNESS).json()["data"]

    def wait(self, query, what, seconds=60):
        until("Prometheus", self.answers)
        return until(what, lambda: self.instant(query), seconds)
