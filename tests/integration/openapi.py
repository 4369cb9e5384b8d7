#!/usr/bin/env python3
"""The API is as its OpenAPI document says: whatever is asked, no answer is an error of ours or of
another status, type or shape. The checks are those of schemathesis, which runs as well where it is
installed and --all is asked for."""
import csv
import http.client
import importlib.util
import io
import json
import random
import subprocess
import sys
import urllib.parse

from data import Bench
from harness import ALL, SLOWNESS, Skip, contains, equal, run, until

REQUESTS = 20000 if ALL else 500
RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened]
    match: ['risk_level=~"critical|high"']
"""
# So many alerts that they come in several pieces.
MANY = "groups:\n- name: all\n  rules:\n  - {alert: F, event: [finding.opened]}\n" + "".join(
    f"  - {{alert: A{place}, metric: {metric}, above: -1}}\n" for place, metric in enumerate((
        "defender_baseline_rule_results", "defender_assessment_subscription_findings",
        "defender_control_resources", "defender_control_points", "defender_control_max_points",
        "defender_assessment_findings")))
# Whoever is told of findings is never there: messages wait.
NOBODY = {"name": "team",
          "webhook": {"url": "http://127.0.0.1:9/", "http": {"allow_private": True}}}
# Refused before a path is looked at, in plain text. source: docs/operations.md.
OF_THE_SERVER = {400, 404, 405, 431}


def bench(rules=RULES):
    return Bench(rules=rules, alerts={"rules": ["rules.yml"], "receivers": [NOBODY]})


def types_of(schema):
    kind = schema.get("type", [])
    return kind if isinstance(kind, list) else [kind]


KINDS = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list,
         "null": type(None), "number": (int, float)}


def complaints(document, schema, value, where):
    """What of a value is not as its schema says; the words our document has, and no others."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].split("/")[-1]]
    known = {"type", "description", "properties", "required", "additionalProperties", "items",
             "enum", "format", "minimum"}
    equal(set(schema) - known, set(), "words of a schema this test does not know")
    kinds = types_of(schema)
    if kinds and not any(isinstance(value, KINDS[kind]) and
                         (kind == "boolean" or not isinstance(value, bool)) for kind in kinds):
        yield f"{where}: {value!r} is no {kinds}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if schema.get("format") == "date-time" and isinstance(value, str):
        if len(value) != 20 or value[10] != "T" or value[19] != "Z":
            yield f"{where}: {value!r} is no instant"
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from complaints(document, schema.get("items", {}), item, f"{where}[{number}]")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}: {name} is missing"
        more = schema.get("additionalProperties", {})
        for name, member in value.items():
            if name in schema.get("properties", {}):
                yield from complaints(document, schema["properties"][name], member,
                                      f"{where}.{name}")
            elif more is False:
                yield f"{where}: {name} is not told of"
            else:
                yield from complaints(document, more, member, f"{where}.{name}")


def resolved(document, answer):
    if "$ref" in answer:
        return document["components"]["responses"][answer["$ref"].split("/")[-1]]
    return answer


class Fuzzer:
    """Asks at random, and judges each answer by the document."""

    def __init__(self, exporter, document, seed):
        self.document, self.random = document, random.Random(seed)
        self.connection = http.client.HTTPConnection("127.0.0.1", exporter.port,
                                                     timeout=60 * SLOWNESS)
        self.paths = sorted(document["paths"])
        self.cursors, self.identities, self.seen = ["", "5.gone"], ["01HX"], {}

    def text(self):
        letters = "aZ09_=\"'~!{},.*+()[]|\\/%& \t\n\u00e4\u6f22\U0001f600\x7f\u202e\0"
        return "".join(self.random.choice(letters) for _ in range(self.random.randrange(12)))

    def value(self, parameter):
        schema = parameter["schema"]
        choices = [self.text, lambda: "", lambda: "x" * self.random.choice((300, 5000))]
        if schema["type"] == "integer":
            choices = [lambda: self.random.choice(("1", "7", "100", "1000", "0", "-1", "1e3",
                                                   "99999999999999999999", "many"))] * 4 + choices
        elif "enum" in schema:
            choices = [lambda: self.random.choice(schema["enum"])] * 6 + choices
        elif parameter["name"] == "after":
            choices = [lambda: self.random.choice(self.cursors)] * 4 + choices
        elif parameter["name"] == "id":
            choices = [lambda: self.random.choice(self.identities)] * 4 + [self.text]
        else:
            choices = [lambda: self.random.choice((
                'risk_level="critical"', 'resource_name=~"vm.*"', 'title!~"(a|b)+$"', "{}",
                'source="assessments",cloud!="aws"', 'x=~"("', 'x=~"(a+)+$"',
                "team"))] * 4 + choices
        return self.random.choice(choices)()

    def request(self):
        path = self.random.choice(self.paths)
        operation = self.document["paths"][path]["get"]
        queries, target = [], path
        for parameter in operation["parameters"]:
            if parameter["in"] == "path":
                filled = urllib.parse.quote(self.value(parameter), safe="")
                target = target.replace("{" + parameter["name"] + "}", filled or "x")
            elif self.random.random() < 0.4:
                queries.append((parameter["name"], self.value(parameter)))
        if self.random.random() < 0.1:
            queries.append((self.text() or "x", self.text()))
        self.random.shuffle(queries)
        if queries:
            target += "?" + urllib.parse.urlencode(queries)
        headers = {}
        if self.random.random() < 0.4:
            headers["Accept"] = self.random.choice((
                "*/*", "application/json", "text/csv", "application/x-ndjson;q=0.9, */*;q=0.1",
                "text/markdown", "image/png", "nonsense", "text/csv;q=0, application/json"))
        if self.random.random() < 0.1:
            headers["If-None-Match"] = self.random.choice(('W/"0"', "*", "nonsense", '""'))
        method = self.random.choice(("GET",) * 12 + ("HEAD", "POST", "DELETE", "OPTIONS", "PATCH"))
        return path, operation, method, target, headers

    def judge(self, path, operation, method, answer, body):
        """What is wrong with an answer."""
        status, kind = answer.status, answer.getheader("content-type", "")
        self.seen[path, status] = self.seen.get((path, status), 0) + 1
        if method not in ("GET", "HEAD"):
            if status not in (400, 405, 501) or (status == 405 and not answer.getheader("allow")):
                yield f"status {status} of {method}"
            return
        if str(status) not in operation["responses"]:
            if status not in OF_THE_SERVER or not kind.startswith(("text/plain", "application/j")):
                yield f"status {status}, type {kind}"
            return
        told = resolved(self.document, operation["responses"][str(status)]).get("content")
        if not told:
            if body:
                yield f"a body with {status}"
            return
        bare = kind.split(";")[0]
        if bare not in told:
            yield f"type {kind} with {status}"
            return
        if bare == "application/json" and method == "GET":
            value = json.loads(body)
            yield from complaints(self.document, told[bare]["schema"], value, "answer")
            self.learn(value)

    def learn(self, value):
        if isinstance(value, dict) and value.get("next"):
            self.cursors = self.cursors[-50:] + [value["next"]]
        for message in value.get("messages", []) if isinstance(value, dict) else []:
            self.identities = self.identities[-50:] + [message["id"]]

    def step(self):
        path, operation, method, target, headers = self.request()
        self.connection.request(method, target, headers=headers)
        answer = self.connection.getresponse()
        body = answer.read()
        wrong = list(self.judge(path, operation, method, answer, body))
        if answer.status >= 500 and answer.status != 501:
            wrong.append(f"status {answer.status}: {body[:200]!r}")
        equal(wrong[:5], [], f"{method} {target} {headers}")
        if answer.getheader("connection", "").lower() == "close":
            self.connection.close()


def document_of(exporter):
    answer = exporter.get("/api/v1/openapi.json")
    equal(answer.status, 200, "the document")
    contains(answer.headers["content-type"], "application/json", "type of the document")
    return answer.json()


def queued(one):
    return one.exporter.get("/api/v1/outbox").json()["messages"]


def test_the_document_tells_of_every_path():
    with bench() as one:
        document = document_of(one.exporter)
        equal(document["openapi"], "3.1.0", "version")
        for table in ("findings", "recommendations", "controls", "fix_first", "fix_first/gain",
                      "attack_paths", "security_alerts", "exemptions", "subscriptions",
                      "collectors", "alerts", "outbox", "outbox/{id}", "silences", "delivery",
                      "score_history", "report", "openapi.json"):
            contains(" ".join(document["paths"]), "/api/v1/" + table, "paths")
        row = one.exporter.get("/api/v1/findings?limit=1").json()["findings"][0]
        schema = document["components"]["schemas"]["findings"]
        equal(list(schema["properties"]), list(row), "columns of findings")
        broken = {**row, "attack_paths": "3", "more": 1}
        del broken["title"]
        found = list(complaints(document, schema, broken, "row"))
        equal(len(found), 3, f"a wrong row is seen: {found}")


def test_no_answer_is_outside_the_document():
    with bench() as one:
        until("messages wait", lambda: queued(one), 60, 0.5)
        fuzzer = Fuzzer(one.exporter, document_of(one.exporter), 13)
        for _ in range(REQUESTS):
            fuzzer.step()
        answered = {path for path, status in fuzzer.seen if status == 200}
        equal(answered, set(fuzzer.paths), "paths that answered with 200 at least once")
        equal("ERROR" in one.exporter.log, False, "errors in the log")


def test_alerts_and_messages_in_every_format():
    with bench() as one:
        until("messages wait", lambda: queued(one), 60, 0.5)
        for path, member in (("alerts", "alerts"), ("outbox", "messages")):
            rows = one.exporter.get(f"/api/v1/{path}?limit=1000").json()[member]
            lines = one.exporter.get(f"/api/v1/{path}?limit=1000&format=ndjson").text.splitlines()
            equal([json.loads(line) for line in lines], rows, f"{path}, lines")
            target, told = f"/api/v1/{path}?limit=2&format=csv", []
            while target and len(told) < 5:
                answer = one.exporter.get(target)
                told += answer.text.splitlines()[1:]
                link = answer.headers.get("link", "")
                target = link.split(">")[0][1:] if link else None
            equal(len(told) >= min(5, len(rows)), True, f"{path}, rows of CSV by Link: {told}")
            contains(one.exporter.get(f"/api/v1/{path}?format=markdown").text, "|---|", path)
            contains(one.exporter.get(f"/api/v1/{path}?limit=0").json()["error"], "limit", path)
        first = one.get("findings", "text/csv", limit=3)
        again = one.exporter.get(first.headers["link"].split(">")[0][1:],
                                 headers={"Accept": "text/csv"})
        rows = one.walk("findings", limit=6)
        contains(again.text, rows[3]["finding_id"], "the next three rows")


def test_whole_lists_are_streams():
    """Every row once, although they come in pieces of 500."""
    with bench(MANY) as one:
        until("messages wait", lambda: queued(one), 60, 0.5)
        until("alerts fire", lambda: one.exporter.get("/api/v1/alerts?format=ndjson").text.count(
            "\n") > 500, 60, 0.5)
        for path, member in (("alerts", "alerts"), ("outbox", "messages"),
                             ("score_history", "scores")):
            rows, after = [], None
            while True:
                answer = one.exporter.get(f"/api/v1/{path}?limit=37" +
                                          (f"&after={after}" if after else "")).json()
                rows += answer[member]
                after = answer["next"]
                if not after:
                    break
            lines = one.exporter.get(f"/api/v1/{path}?format=ndjson").text.splitlines()
            identity = "fingerprint" if path == "alerts" else next(iter(rows[0]))
            equal([json.loads(line)[identity] for line in lines],
                  [row[identity] for row in rows], f"{path}, all of it")
            equal(len({row[identity] for row in rows}), len(rows), f"{path}, each once")
            if path == "alerts":
                equal(len(rows) > 500, True, f"{len(rows)} alerts take several pieces")
            sheet = one.exporter.get(f"/api/v1/{path}?format=csv").body.decode()
            listed = list(csv.DictReader(io.StringIO(sheet, newline="")))
            equal([row[identity] for row in listed], [row[identity] for row in rows],
                  f"{path} in CSV has one head")
        values = {row["metric"]: row["value"] for row in rows if not row["subscription_id"]}
        told = one.exporter.metrics().sum("defender_secure_score_overall_ratio")
        equal(round(values["defender_secure_score_overall_ratio"], 9), round(told, 9), "the score")
        since = one.exporter.get("/api/v1/score_history?since=x")
        contains(since.json()["error"], "how far back", "since")


def test_schemathesis_finds_nothing():
    if not ALL:
        raise Skip("takes long")
    if not importlib.util.find_spec("schemathesis"):
        raise Skip("schemathesis is not installed")
    with bench() as one:
        until("messages wait", lambda: queued(one), 60, 0.5)
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "run", "--max-examples=300",
             "--checks=not_a_server_error,status_code_conformance,content_type_conformance,"
             "response_schema_conformance", "--seed=1",
             f"{one.exporter.url}/api/v1/openapi.json"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=3600,
            cwd=one.folder.path)
        equal(done.returncode, 0, done.stdout[-4000:])


if __name__ == "__main__":
    run(globals())
