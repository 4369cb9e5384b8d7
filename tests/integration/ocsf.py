#!/usr/bin/env python3
"""OCSF events against the schema: what each class requires, and its published definition.

  ocsf.py --setup   fetch the schema and a validator into build/tools; without them the definition
                    is not asked, what is required is checked all the same
"""
import functools
import json
import os
import subprocess

from fetched import SETTING_UP, python_of, set_up
from harness import ROOT, SLOWNESS, equal, run

PRINTER = os.environ.get("PRINT_REQUESTS", os.path.join(ROOT, "build/release/print_requests"))
VERSION = "1.6.0"
JUDGE = os.path.join(ROOT, "tests/tools/ocsf/judge.py")

# What the classes require, and with what else an object must come.
# source: OCSF 1.6.0, events/findings and events/base_event, profile cloud.
BASE = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"}
FINDING = BASE | {"finding_info", "cloud"}
REQUIRED = {0: BASE, 2002: FINDING | {"vulnerabilities"}, 2003: FINDING | {"compliance"},
            2004: FINDING}
OBJECTS = {  # path: (what it requires, of what it needs one)
    "metadata": ({"product", "version"}, ()),
    "metadata.product": (set(), ("name", "uid")),
    "finding_info": ({"uid"}, ()),
    "finding_info.analytic": ({"type_id"}, ("name", "uid")),
    "cloud": ({"provider"}, ()),
    "cloud.account": (set(), ("name", "uid")),
    "remediation": ({"desc"}, ()),
    "resources.0": (set(), ("name", "uid")),
    "resources.0.owner": (set(), ("account", "name", "uid")),
    "observables.0": ({"type_id"}, ()),
    "vulnerabilities.0": (set(), ("advisory", "cve", "cwe")),
    "vulnerabilities.0.advisory": ({"uid"}, ()),
}
WORDS = {  # the captions of what has an id
    "severity": {0: "Unknown", 1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"},
    "status": {1: "New", 3: "Suppressed", 4: "Resolved", 5: "Archived"},
    "activity": {1: "Create", 2: "Update", 3: "Close"},
}


@functools.lru_cache(None)
def told():
    """[((page, whether it is of the fixture), event)] of every page and situation."""
    output = subprocess.run([PRINTER, "1796500000"], stdin=subprocess.DEVNULL, check=True,
                            capture_output=True, text=True, timeout=60 * SLOWNESS).stdout
    requests = [json.loads(line) for line in output.splitlines()]
    return [((request["page"], request["fixture"]), event) for request in requests
            if request["variant"] == "ocsf" for event in json.loads(request["body"])]


def at(event, path):
    for step in path.split("."):
        place = int(step) if isinstance(event, list) else step
        try:
            event = event[place]
        except (KeyError, IndexError):
            return None
    return event


def wrong_with(event):
    wrong = sorted(REQUIRED[event["class_uid"]] - set(event))
    for path, (required, one_of) in OBJECTS.items():
        value = at(event, path)
        if value is not None:
            wrong += [f"{path}.{name}" for name in sorted(required - set(value))]
            wrong += [f"{path}: none of {one_of}"] * (bool(one_of) and not set(one_of) & set(value))
    finding = event["class_uid"] > 0
    names = {**event, "activity": event["activity_name"]}
    for name, words in WORDS.items():
        if finding or name == "severity":
            wrong += [name] * (words.get(event[name + "_id"]) != names[name])
    wrong += ["type_uid"] * (event["type_uid"] != event["class_uid"] * 100 + event["activity_id"])
    wrong += ["category_uid"] * (event["category_uid"] != event["class_uid"] // 1000)
    wrong += ["time"] * (not 1e12 < event["time"] < 1e13)  # milliseconds
    wrong += ["version"] * (event["metadata"]["version"] != VERSION)
    return wrong


def test_events_have_what_their_class_requires():
    wrong = [f"{page}: {what}" for page, event in told() for what in wrong_with(event)]
    equal(wrong, [], "what is missing or wrong")
    classes = {event["class_uid"] for _, event in told()}
    equal(classes, {0, 2002, 2003, 2004}, "classes")


def test_what_is_missing_is_missed():
    for _, event in told():
        for name in REQUIRED[event["class_uid"]] - {"class_uid", "activity_id", "metadata",
                                                    "category_uid", "type_uid", "time",
                                                    "severity_id"}:
            less = {key: value for key, value in event.items() if key != name}
            equal(wrong_with(less), [name], f"without {name}")


def test_every_event_has_an_id_of_its_own():
    for page in {page for page, _ in told()}:
        ids = [event["metadata"]["uid"] for one, event in told() if one == page]
        equal(len(set(ids)), len(ids), f"ids of {page}")


def test_the_published_definition_has_no_complaint():
    python = python_of("ocsf")
    events = [event for _, event in told()]
    lines = "\n".join(map(json.dumps, events))
    done = subprocess.run([python, JUDGE, VERSION], input=lines, text=True, capture_output=True,
                          check=False, timeout=120 * SLOWNESS)
    failed = [line for line in done.stdout.splitlines() if not line.startswith("ok ")]
    equal((done.returncode, done.stderr, failed), (0, "", []), "the schema")
    equal(len(done.stdout.splitlines()), len(events), "events judged")


if SETTING_UP:
    set_up("ocsf.py", lambda: python_of("ocsf"))
else:
    run(globals())
