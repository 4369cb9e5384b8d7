#!/usr/bin/env python3
"""The queries: what is sent is what is written, and the vendor's language service accepts it."""
import glob
import json
import os
import re
import shutil
import subprocess

from harness import (HUNTED, ROOT, SECRET, SHARED, Exporter, Folder, Skip, contains, equal, run,
                     settings, until)
from serving import Quiet, Serving

FILES = sorted(glob.glob(os.path.join(ROOT, "collectors", "*.kql")))
HUNTING = [path for path in FILES if os.path.basename(path) in HUNTED]
# source: Microsoft Learn, ExposureGraphNodes.
EXPOSURE = {"NodeId": "string", "NodeLabel": "string", "NodeName": "string",
            "Categories": "dynamic", "NodeProperties": "dynamic", "EntityIds": "dynamic"}
# Asked when rows are missing.
PROOFS = sorted(glob.glob(os.path.join(ROOT, "collectors", "run", "*.kql")))
SINCE = re.compile(r"todatetime\('\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ'\)")
CHECKER = os.path.join(ROOT, "build", "tools", "kql-check")


class Listener(Quiet):
    """Answers every list and query with nothing, and keeps what was asked."""
    queries = []

    def do_GET(self):
        subscription = {"subscriptionId": "0b1f6471-1bf0-4dda-aec3-cb9272f09590",
                        "displayName": "One", "state": "Enabled"}
        self.answer_json(
            {"value": [subscription] if self.path.startswith("/subscriptions?") else []})

    def do_POST(self):
        body = self.read_body()
        if "/oauth2/" in self.path:
            self.answer_json({"token_type": "Bearer", "expires_in": 3600, "access_token": "a.b.c"})
            return
        if self.path.endswith("/runHuntingQuery"):
            self.queries.append(json.loads(body)["Query"])
            self.answer_json({"schema": [], "results": []})
            return
        self.queries.append(json.loads(body)["query"])
        self.answer_json({"totalRecords": 0, "count": 0, "data": [], "resultTruncated": "false"})


def queries_sent(assessments, **more):
    """All that a start asks of Resource Graph and of advanced hunting. assessments: their keys,
    with rows a look is waited for."""
    Listener.queries = []
    with Serving(Listener) as server, Folder() as folder:
        config = settings(server.url, folder.file("secret", SECRET),
                          {"assessments": assessments, "exposure": {"enabled": True}}, **more)
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            if "fast_interval" in assessments:
                until("a look", lambda: any(SINCE.search(q) for q in Listener.queries))
    return {SINCE.sub("todatetime('{{since}}')", query) for query in Listener.queries}


def sent_of(text):
    """A file's text as it is sent: without its comments."""
    lines = [line for line in text.split("\n") if not line.startswith("//")]
    return "\n".join(lines).rstrip("\n")


def test_text_sent_is_text_in_the_file():
    written, asked = set(), []
    for path in FILES:
        with open(path, encoding="utf-8") as file:
            text = file.read().replace("'{{tags}}'", "'team', 'Cost Center'")
        if "{{ids}}" in text:
            asked.append(os.path.basename(path))
            continue
        written.add(sent_of(text))
    shown = set()
    for path in PROOFS:
        if os.path.basename(path).startswith("shown_"):
            with open(path, encoding="utf-8") as file:
                shown.add(sent_of(file.read()))
    rows, tags = {"fast_interval": "1s"}, {"tags": ["team", "Cost Center"]}
    sent = queries_sent(rows, alerts=tags)
    summaries = queries_sent({"detail": "summary"}, alerts=tags)
    # Every answer is empty here, so it is asked whether the tables show anything at all.
    equal(len((sent | summaries) & shown) > 0, True, "what the tables show is asked for")
    equal((sent | summaries) - shown, written, "queries sent and queries written")
    assert summaries - sent and sent - summaries, "rows and summaries ask for the same"
    # Asked about what is told: activity.py, whose stand-in answers no other text.
    equal(asked, ["activity_changes_rows.kql", "activity_containers_rows.kql"], "of resources")
    without = queries_sent(rows)
    equal({query for query in sent if "tag = tags" in query}, sent - without, "queries about tags")


def checker():
    """The vendor's language service, wrapped; it must have been set up before."""
    if not shutil.which("node"):
        raise Skip("no node")
    if not os.path.isdir(os.path.join(CHECKER, "node_modules")):
        raise Skip(f"no kql-check in build/tools ({SHARED} or its package is absent)")
    return ["node", os.path.join(CHECKER, "check.mjs")]


def test_language_service_accepts_every_query():
    check([path for path in FILES + PROOFS if path not in HUNTING])


def test_language_service_accepts_what_is_hunted_for():
    command = checker()
    with Folder() as folder:
        with open(os.path.join(CHECKER, "schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        schema["tables"]["ExposureGraphNodes"] = EXPOSURE
        check(HUNTING, "--schema", folder.file("schema.json", schema), command=command)


def check(paths, *arguments, command=None):
    command = [*(command or checker()), *arguments, *paths]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    equal(result.returncode, 0, "kql-check\n" + result.stdout + result.stderr)
    for path in paths:
        contains(result.stdout, f"{os.path.basename(path)}: ok", "kql-check")


if __name__ == "__main__":
    run(globals())
