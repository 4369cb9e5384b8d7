#!/usr/bin/env python3
"""What `plan` says a tenant takes and brings is what a run then takes and brings."""
import collections
import json
import os
import subprocess

from harness import (EXPORTER, SECRET, Fake, Folder, Metrics, contains, equal, free_port, run,
                     settings)
from harness import collectors as built_in

TENANT = ("--seed", "7", "--subscriptions", "4", "--assessments", "2500", "--machines", "20",
          "--exemptions", "5")
WINDOW_REQUESTS, WINDOW_S, LEVELS = 15, 5, 4
MACHINES = {
    "name": "machines",
    "kql": "resources\n| where type contains 'virtualmachines'\n"
           "| project id, subscriptionId, location\n| order by id asc\n",
    "columns": {"id": "text", "subscriptionId": "text", "location": "text"},
    "metrics": [{"name": "defender_custom_machines", "labels": {"location": "location"}}],
}
NO_AZURE = {"token", "imds", "discovery", "admin"}


def output(folder, config, *command):
    """Exit status, what was printed, and what was logged."""
    file = folder.file("defender_exporter.yml", config)
    result = subprocess.run(
        [EXPORTER, *command, f"--config.file={file}", f"--storage.path={folder.path}"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, result.stderr


def configuration(fake_url, folder, off=(), **more):
    queries = {name: {"enabled": name not in off} for name in built_in()}
    queries["compliance"]["source"] = "rest"
    return settings(fake_url, folder.file("secret", SECRET), {**queries, "custom": [MACHINES]},
                    alerts={"tags": ["Team"]}, **more)


def number(text):
    return None if text == "-" else int(text)


class Plan:
    """Its table: {collector: (rows, graph, lists, seconds, level 0, ...)}."""

    def __init__(self, folder, config):
        self.status, self.text, self.log = output(folder, config, "plan")
        self.rows, self.on = {}, set()
        for line in self.text.splitlines()[5:]:
            if not line.startswith("|"):
                break
            name, state, *numbers = [cell.strip() for cell in line.strip("|").split("|")]
            self.rows[name] = tuple(number(one) for one in numbers)
            if state == "on" and name != "together":
                self.on.add(name)
        self.together = self.rows.pop("together", None)

    def column(self, place, names=None):
        return {name: row[place] for name, row in self.rows.items()
                if names is None or name in names}

    def sum(self, place, names=None):
        return sum(value or 0 for value in self.column(place, names).values())


def counted(fake):
    """Requests to Resource Graph and to all other APIs, as the stand-in counts them."""
    endpoints = fake.admin("stats")["endpoints"]
    graph = endpoints.get("graph", {}).get("requests", 0)
    lists = sum(one["requests"] for label, one in endpoints.items()
                if label != "graph" and label not in NO_AZURE)
    return graph, lists


def families():
    """{family: (collector, level)}; one of no collector says in a label whose it is."""
    text = subprocess.run([EXPORTER, "metrics"], capture_output=True, text=True, check=True,
                          stdin=subprocess.DEVNULL).stdout
    found = {}
    for line in text.splitlines()[2:]:
        name, _, _, level, collector, *_ = [cell.strip() for cell in line.strip("|").split(" | ")]
        equal(name in found, False, f"{name} is listed twice")
        found[name] = (collector, int(level))
    return found


def series(metrics):
    """{collector: [series of level 0, ...]} of what is scraped."""
    known = families()
    found = collections.defaultdict(lambda: [0] * LEVELS)
    for name, samples in metrics.samples.items():
        collector, level = known.get(name, ("custom_machines", 1))
        for labels, _ in samples:
            whose = collector if collector not in ("-", "custom") else labels.get("collector")
            if whose and not name.startswith("defender_exporter_"):
                found[whose][level] += 1
    return {name: tuple(levels) for name, levels in found.items()}


def test_numbers_are_those_of_a_run():
    with Folder() as folder, Fake(*TENANT) as fake:
        fake.admin("advance?steps=3", "POST")
        config = configuration(fake.url, folder, metrics={"opt_in_list": ".*"})
        plan = Plan(folder, config)
        equal(plan.status, 0, f"exit status\n{plan.log}")
        asked = counted(fake)
        equal(set(os.listdir(folder.path)), {"secret", "defender_exporter.yml"}, "files")
        status, text, log = output(folder, config, "run", "--once")
        equal(status, 0, f"exit status of a run\n{log}")
        ran = tuple(now - before for now, before in zip(counted(fake), asked))
    metrics = Metrics(text)
    names = {labels["collector"] for labels, _ in
             metrics.all("defender_scrape_collector_success")}
    equal(names, built_in() | {"custom_machines"}, "collectors that ran")
    equal(plan.on, names, "collectors in the table")
    equal((plan.sum(1), plan.sum(2)), asked, "requests")
    contains(plan.text, f"{asked[0]} requests to Resource Graph and {asked[1]} others", "the cost")
    equal(ran, asked, "requests of a run")
    equal({name: row[4:] for name, row in plan.rows.items()}, series(metrics), "series")
    rows = {labels["collector"]: value for labels, value in metrics.all("defender_collector_rows")}
    equal(plan.column(0), {**rows, "activity": None}, "rows")
    equal(plan.rows["activity"][:4], (None,) * 4, "what is not known before it runs")
    contains(plan.text, "activity: not known before it runs", "why")
    pages = -(-int(rows["assessments"]) // 1000)
    equal(pages > 2, True, "pages of recommendations")
    equal(plan.rows["assessments"][1:4], (pages, 0, 0), "requests of recommendations")
    equal([plan.sum(place) for place in (0, 1, 2)], list(plan.together[:3]), "sum")
    seconds = (asked[0] - 1) // WINDOW_REQUESTS * WINDOW_S
    equal(seconds > 0, True, "more than a window")
    equal(plan.together[3], seconds, "seconds of all")
    equal([plan.sum(place) for place in range(4, 4 + LEVELS)], list(plan.together[4:]), "series")


def test_what_is_off_is_counted_too():
    off = {"exposure", "mdvm_baselines", "security_alerts", "governance"}
    with Folder() as folder, Fake(*TENANT) as fake:
        all_on = Plan(folder, configuration(fake.url, folder))
        some = Plan(folder, configuration(fake.url, folder, off))
        lists = Plan(folder, configuration(fake.url, folder,
                                           metrics={"denylist": "defender_findings",
                                                    "max_series": 10}))
        shared = configuration(fake.url, folder)
        shared["collectors"]["assessments"]["share"] = 0.1
        shared["collectors"]["baselines"]["share"] = 0.99
        shared = Plan(folder, shared)
        no_tags = configuration(fake.url, folder, off)
        del no_tags["alerts"]
        no_tags = Plan(folder, no_tags)
    equal(some.status, 0, f"exit status\n{some.log}")
    equal(some.on, all_on.on - off, "what is on")
    equal(some.rows, all_on.rows, "numbers")
    for place in (0, 1, 2, *range(4, 4 + LEVELS)):
        equal(some.together[place], all_on.together[place] - all_on.sum(place, off),
              f"sum of column {place} without what is off")
    denied = {name: row for name, row in lists.rows.items() if row != all_on.rows[name]}
    equal(set(denied), {"assessments"}, "who has fewer series with a denylist")
    pages = all_on.rows["assessments"][1]
    equal(all_on.rows["assessments"][3], 0, "seconds of recommendations: they fit into a window")
    equal(shared.rows["assessments"][3], (pages - 1) * WINDOW_S, "with a request of each window")
    equal({name: row for name, row in shared.rows.items() if name != "assessments"},
          {name: row for name, row in all_on.rows.items() if name != "assessments"}, "the others")
    equal(shared.together, all_on.together, "of all: who is alone has all of a window")
    equal(no_tags.rows["tags"], (None,) * (4 + LEVELS), "without tags")
    contains(no_tags.text, "tags: it was not run: alerts.tags names nothing", "why")


def test_what_is_refused_is_said():
    hunting, profiles = "403:path=runHuntingQuery", "403:path=baselineProfiles"
    with Folder() as folder, Fake(*TENANT) as fake:
        config = configuration(fake.url, folder, {"exposure"})
        fake.fault(hunting)
        plan = Plan(folder, config)
        equal(plan.status, 0, f"exit status, what is refused is off\n{plan.log}")
        equal(plan.rows["exposure"][4:], (None,) * LEVELS, "series")
        equal(plan.rows["exposure"][2] > 0, True, "requests that were refused count")
        contains(plan.text, "\nexposure: not known: ", "why")
        fake.fault(profiles)
        plan = Plan(folder, config)
        equal(plan.status, 1, f"exit status, one that is on is refused\n{plan.log}")
        contains(plan.text, "\nmdvm_baselines: not known: ", "why")
        equal(plan.rows["assessments"][0], 2500, "the others are counted")


def test_azure_cannot_be_asked():
    with Folder() as folder, Fake(*TENANT) as fake:
        config = configuration(fake.url, folder)
        config["azure"]["client_secret_file"] = folder.file("wrong", "not-the-secret")
        plan = Plan(folder, config)
        equal((plan.status, plan.text), (1, ""), "with a wrong secret")
        contains(plan.log, "Azure could not be asked: subscriptions: ", "why")
        contains(plan.log, "AADSTS", "why")
        config = configuration(f"http://127.0.0.1:{free_port()}", folder)
        plan = Plan(folder, config)
        equal((plan.status, plan.text), (1, ""), "where nobody is")
        contains(plan.log, "Azure could not be asked: subscriptions: ", "why")
        contains(plan.log, "connection refused", "why")
        status, text, log = output(folder, json.dumps({"azur": {}}), "plan")
        equal((status, text), (2, ""), "with a mistake in the configuration")
        contains(log, "azur", "the mistake")


run(globals())
