#!/usr/bin/env python3
"""Kinds of faulty answers of Azure. Under each, a new critical finding is paged, or defender_up is
0 soon and the log says why; afterwards all is well again and the finding has been paged.

A row of KINDS: name | which answers | what becomes of them | what is right. "paged": the fault is
about something else, so the finding is paged under it. "down": nothing can be known; defender_up
says so. A few processes bear many kinds, one after the other; KINDS_ONLY is a pattern of names.
"""
import concurrent.futures
import gzip
import json
import os
import re
import time

from between import Between
from harness import SECRET, Exporter, Fake, Folder, run, settings, until
from sink import Sink, receiver

RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
    match: ['source="assessments"']
"""
GRAPH, REST = "graph", "rest"
ALL = ("list", "assessments", "scores", "controls", "names", "rest", "other")
ROWS = ("assessments", "scores", "controls", "names")
ONE = ("assessments",)
LIVES = 3  # seconds that data are shown without being renewed
SIDE_BY_SIDE = 2


# --- what becomes of an answer -----------------------------------------------------------------

def status(number, body=None, **headers):
    """Another status; body: None keeps it."""
    def change(answer):
        answer.status = number
        answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        if body is not None:
            answer.body = body
    return change


def error(number, code, **headers):
    return status(number, json.dumps({"error": {"code": code, "message": "on purpose"}}).encode(),
                  **headers)


def body(make):
    """make: from the body to another."""
    def change(answer):
        answer.body = make(answer.body)
    return change


def packed(make, name="gzip"):
    def change(answer):
        answer.headers["Content-Encoding"] = name
        answer.body = make(answer.body)
    return change


def wire(**changes):
    def change(answer):
        for name, value in changes.items():
            setattr(answer, name, value)
    return change


def raw(make):
    def change(answer):
        answer.raw = make(answer.bytes())
    return change


def members(**changes):
    """Other members of the page itself; a function gets the old value, None removes it."""
    def change(answer):
        page = answer.json()
        for name, value in changes.items():
            name = name.replace("skip", "$skip")
            if value is None:
                page.pop(name, None)
            else:
                page[name] = value(page.get(name)) if callable(value) else value
        answer.set(page)
    return change


def rows_of(page):
    return page["data"] if "data" in page else page["value"]


def row(make):
    """Another first row."""
    def change(answer):
        page = answer.json()
        rows = rows_of(page)
        if rows:
            rows[0] = make(rows[0])
        answer.set(page)
    return change


def cell(name, *value):
    """Another value in the first row; no value: it is left out."""
    def make(old):
        kept = {k: v for k, v in old.items() if k != name}
        return {**kept, name: value[0]} if value else kept
    return row(make)


def text_cell(name, text):
    """The same as raw JSON, for what no writer of JSON writes."""
    def change(answer):
        cell(name, "@@")(answer)
        answer.body = answer.body.replace(b'"@@"', text)
    return change


def twice(**changes):
    """The first row comes again, with changes."""
    def change(answer):
        page = answer.json()
        rows = rows_of(page)
        if rows and "$skipToken" not in page:
            rows.append({**rows[0], **{k: v(rows[0][k]) if callable(v) else v
                                       for k, v in changes.items()}})
        if "count" in page:
            page["count"] = len(rows)
            page["totalRecords"] += 1
        answer.set(page)
    return change


def last(member):
    """One more member in the last page."""
    def change(answer):
        if b'"$skipToken"' not in answer.body:
            answer.body = answer.body.rstrip()[:-1] + b"," + member + b"}"
    return change


def nothing(data):
    return b""


# --- the kinds ---------------------------------------------------------------------------------

KINDS = (
    # statuses
    ("203 instead of 200", ROWS, status(203), "down"),
    ("204 without a body", ALL, status(204, b""), "down"),
    ("206 with half of it", ROWS, status(206), "down"),
    ("301", ALL, status(301, b"", Location="https://example.invalid/"), "down"),
    ("304", ALL, status(304, b""), "down"),
    ("400 as a web page", ALL, status(400, b"<html><title>Bad</title>"), "down"),
    ("402", ALL, error(402, "PaymentRequired"), "down"),
    ("403 for rows", ONE, error(403, "AuthorizationFailed"), "down"),
    ("404 for rows", ONE, error(404, "NotFound"), "down"),
    ("408", ALL, error(408, "RequestTimeout"), "down"),
    ("409", ALL, error(409, "Conflict"), "down"),
    ("410", ALL, error(410, "Gone"), "down"),
    ("418", ALL, status(418, b"short and stout"), "down"),
    ("500 with a success inside", ALL, status(500), "down"),
    ("503 as a web page", ALL, status(503, b"<html><h1>Service Unavailable</h1>"), "down"),
    ("599", ALL, status(599, b""), "down"),
    ("999", ALL, raw(lambda data: b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"), "down"),
    ("413 ResponsePayloadTooLarge", ("scores",), error(413, "ResponsePayloadTooLarge"), "paged"),
    # bodies
    ("200 without a body", ALL, body(nothing), "down"),
    ("200 as a web page", ALL, status(200, b"<!doctype html><title>Sign in</title>"), "down"),
    ("half a body", ALL, body(lambda data: data[:len(data) // 2]), "down"),
    ("a list at the top", ONE, body(lambda data: b"[" + data + b"]"), "down"),
    ("null at the top", ALL, body(lambda data: b"null"), "down"),
    ("a text at the top", ALL, body(lambda data: b'"ok"'), "down"),
    ("no data", ONE, members(data=None), "down"),
    ("data null", ONE, body(lambda data: b'{"totalRecords":1,"count":1,"data":null}'), "down"),
    ("data as a table", ONE, members(data={"columns": [], "rows": []}), "down"),
    ("a mark of byte order in front", ALL, body(lambda data: b"\xef\xbb\xbf" + data), "paged"),
    ("white space around it", ALL, body(lambda data: b"\r\n\t " + data + b"\n\n"), "paged"),
    ("something behind", ALL, body(lambda data: data + b"}{"), "down"),
    ("UTF-16", ALL, body(lambda data: data.decode().encode("utf-16")), "down"),
    ("10,000 brackets", ALL, body(lambda data: b"[" * 10000), "down"),
    # packed
    ("gzip", ALL, packed(gzip.compress), "paged"),
    ("gzip in two members", ALL, packed(lambda data: gzip.compress(data[:50]) +
                                        gzip.compress(data[50:])), "paged"),
    ("gzip cut off", ALL, packed(lambda data: gzip.compress(data)[:-12]), "down"),
    ("gzip that is none", ALL, packed(lambda data: data), "down"),
    ("a packing nobody asked for", ALL, packed(lambda data: data, "br"), "down"),
    ("gzip of 100 MB", ONE, packed(lambda data: gzip.compress(bytes(100 << 20), 1)), "down"),
    # the connection
    ("closed at once", ALL, raw(nothing), "down"),
    ("closed in the headers", ALL, raw(lambda data: data[:30]), "down"),
    ("closed in the body", ALL, raw(lambda data: data[:-20]), "down"),
    ("not HTTP", ALL, raw(lambda data: b"SSH-2.0-OpenSSH_9.2\r\n"), "down"),
    ("headers without end", ALL, wire(headers={f"X-{i}": "x" * 1000 for i in range(400)}), "down"),
    ("a first byte that is slow", ("scores",), wire(delay=0.7), "paged"),
    ("no byte in time", ONE, wire(delay=3), "down"),
    ("HTTP/1.0", ALL, wire(version="1.0"), "paged"),
    ("chunks", ALL, wire(chunked=True), "paged"),
    ("closed behind each answer", ALL, wire(cut=True), "paged"),
    ("100 first", ALL, raw(lambda data: b"HTTP/1.1 100 Continue\r\n\r\n" + data), "paged"),
    # pages
    ("a last page with an empty token", ONE, last(b'"$skipToken":""'), "paged"),
    ("a last page with a token null", ONE, last(b'"$skipToken":null'), "paged"),
    ("a token without an end", ONE, members(skipToken="the same again"), "down"),
    ("fewer rows than the total", ONE, members(totalRecords=lambda total: total + 1), "down"),
    ("a total that is a text", ONE, members(totalRecords=str), "down"),
    ("a total beyond numbers", ONE, members(totalRecords=10 ** 30), "down"),
    ("truncated without a token", ONE, members(resultTruncated="true"), "down"),
    ("a link to elsewhere", ("list",), members(nextLink="https://example.invalid/x"), "down"),
    ("a link that is empty", ("list",), members(nextLink=""), "paged"),
    ("a link that is a number", ("list",), members(nextLink=7), "down"),
    # odd rows: the others are published
    ("no id", ONE, cell("id"), "paged"),
    ("id null", ONE, cell("id", None), "paged"),
    ("id a number", ONE, cell("id", 7), "paged"),
    ("no subscription", ONE, cell("subscriptionId"), "paged"),
    ("no status", ONE, cell("statusCode"), "paged"),
    ("status null", ONE, cell("statusCode", None), "paged"),
    ("status unknown", ONE, cell("statusCode", "Perhaps"), "paged"),
    ("risk unknown", ONE, cell("riskLevel", "Apocalyptic"), "paged"),
    ("a date that cannot be", ONE, cell("statusChangeDate", "2026-02-31T25:61:61Z"), "paged"),
    ("a date of year 9e9", ONE, cell("statusChangeDate", "9000000000-01-01T00:00:00Z"), "paged"),
    ("a number where a text was", ONE, cell("title", 7), "paged"),
    ("an object where a text was", ONE, cell("title", {"a": 1}), "paged"),
    ("a text where a number was", ONE, cell("attackPathCount", "many"), "paged"),
    ("a number beyond numbers", ONE, text_cell("attackPathCount", b"1e999"), "paged"),
    ("a lone surrogate", ONE, text_cell("title", b'"\\ud800"'), "paged"),
    ("a text that is none", ONE, text_cell("title", b'"\xff\xfe\xc3"'), "paged"),
    ("a NUL", ONE, text_cell("title", b'"a\\u0000b"'), "paged"),
    ("a title of 200 kB", ONE, cell("title", "x" * 200000), "paged"),
    ("an id of 100 kB", ONE, cell("id", "/subscriptions/" + "x" * 100000), "paged"),
    ("a row that is null", ONE, row(lambda old: None), "paged"),
    ("a row that is a text", ONE, row(lambda old: "row"), "paged"),
    ("a row twice", ONE, twice(), "paged"),
    ("a row twice, differently", ONE, twice(statusCode="Unhealthy"), "paged"),
    ("a row twice in capitals", ONE, twice(id=str.upper), "paged"),
    ("a score that is null", ("scores",), cell("current", None), "paged"),
    ("a score that is NaN", ("scores",), text_cell("current", b"NaN"), "paged"),
    ("a score beyond numbers", ("scores",), text_cell("max", b"1e999"), "paged"),
    ("a control twice", ("controls",), twice(), "paged"),
    ("a subscription without a name", ("list",), cell("displayName"), "paged"),
    ("a subscription twice", ("list",), twice(), "paged"),
    # throttling
    ("429 without a word", ALL, status(429, b""), "down"),
    ("429 of the past", ALL, error(429, "RateLimiting",
                                   Retry_After="Thu, 01 Jan 1970 00:00:00 GMT"), "down"),
    ("429 for -5 seconds", ALL, error(429, "RateLimiting", Retry_After="-5"), "down"),
    ("a quota that is no number", ROWS, status(200, x_ms_user_quota_remaining="none",
                                               x_ms_user_quota_resets_after="soon"), "paged"),
    ("a quota beyond numbers", ROWS, status(200, x_ms_user_quota_remaining="9" * 30,
                                            x_ms_user_quota_resets_after="9" * 30), "paged"),
    ("Retry-After of a success", ALL, status(200, Retry_After="86400"), "paged"),
    # sign-in
    ("no token", ("token",), members(access_token=None), "down"),
    ("a token for no time", ("token",), members(expires_in=0), "down"),
    ("a token for ever", ("token",), members(expires_in=10 ** 18), "paged"),
    ("a token's time as a text", ("token",), members(expires_in="3"), "paged"),
    ("sign-in is a web page", ("token",), status(200, b"<html>"), "down"),
    ("the secret is refused", ("token",), status(401, json.dumps({
        "error": "invalid_client", "error_description": "AADSTS7000222: expired."}).encode()),
     "down"),
)
# Lists of Resource Manager instead of Resource Graph.
REST_KINDS = tuple((f"{name} (rest)", ("rest",), change, want) for name, change, want in (
    ("no id", cell("id"), "paged"),
    ("properties null", cell("properties", None), "paged"),
    ("an item that is null", row(lambda old: None), "paged"),
    ("an item twice", twice(), "paged"),
    ("200 without a body", body(nothing), "down"),
    ("a link to elsewhere", members(nextLink="https://example.invalid/x"), "down"),
    ("a mark of byte order in front", body(lambda data: b"\xef\xbb\xbf" + data), "paged"),
    ("gzip in two members", packed(lambda data: gzip.compress(data[:50]) +
                                   gzip.compress(data[50:])), "paged"),
))


# --- one after the other -----------------------------------------------------------------------

class Bench:
    """An exporter, its Azure and its receiver."""

    def __init__(self, exporter, between, sink):
        self.exporter, self.between, self.sink = exporter, between, sink

    def paged(self, name):
        return any(name in message["raw"].decode() for message in self.sink.taken())

    def well(self):
        metrics = self.exporter.metrics()
        return (metrics.one("defender_up") == 1 and
                all(value for labels, value in metrics.all("defender_scrape_collector_success")
                    if labels["collector"] in ("assessments", "secure_scores", "subscriptions")))

    def down(self, log_bytes):
        """defender_up is 0 and the log says why."""
        return (self.exporter.metrics().one("defender_up") == 0 and
                re.search(r"level=(WARN|ERROR)[^\n]*collector=[^\n]*err=.",
                          self.exporter.log[log_bytes:]))

    def bear(self, name, kinds, change, want):
        log_bytes = len(self.exporter.log)
        finding = re.sub(r"\W+", "-", f"fresh {name} end").lower()
        self.between.fault = (kinds, change)
        self.between.add(finding)
        try:
            if want == "paged":
                until("the page", lambda: self.paged(finding), 3, 0.1)
            else:
                until("the page, or defender_up 0 and the reason",
                      lambda: self.paged(finding) or self.down(log_bytes), LIVES + 3, 0.1)
        finally:
            self.between.fault = None
            tail = self.exporter.log[log_bytes:]
            until(f"recovery from {name}", self.well, 10, 0.1, lambda: tail[-1500:])
        until("the page after it", lambda: self.paged(finding), 5, 0.1,
              lambda: self.exporter.log[log_bytes:][-3000:])


def bear_all(source, kinds):
    """Names of the kinds that did harm, with the reasons."""
    harmed = []
    with Folder() as folder, Sink() as sink, \
            Fake("--seed", "11", "--subscriptions", "3", "--assessments", "60", "--machines", "0",
                 "--page-rows", "40") as fake, \
            Between(int(fake.url.rsplit(":", 1)[1])) as between:
        folder.file("rules.yml", RULES)
        pace = {"interval": "1s", "timeout": "2s"}
        config = settings(between.url, folder.file("secret", SECRET),
                          {"subscriptions": pace, "assessments": {**pace, "source": source},
                           "secure_scores": {**pace, "source": source},
                           "catalogue": {"enabled": False}, "baselines": {"enabled": False}},
                          alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                                  "route": {"receiver": "team", "group_by": ["..."],
                                            "group_wait": "0s", "group_interval": "1s"},
                                  "governor": {"messages": 0}})
        config["collector"]["max_staleness"] = f"{LIVES}s"
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            bench = Bench(exporter, between, sink)
            until("a good beginning", bench.well, 20)
            for name, *rest in kinds:
                began = time.monotonic()
                try:
                    bench.bear(name, *rest)
                except AssertionError as reason:
                    harmed.append(name)
                    print(f"     FAILED {name}: {reason}", flush=True)
                else:
                    print(f"     ok {name} ({time.monotonic() - began:.1f} s)", flush=True)
    return harmed


def test_every_kind_of_faulty_answer():
    only = os.environ.get("KINDS_ONLY", "")
    kinds = [kind for kind in KINDS if re.search(only, kind[0])]
    rest = [kind for kind in REST_KINDS if re.search(only, kind[0])]
    jobs = [(GRAPH, kinds[0::3]), (GRAPH, kinds[1::3]), (GRAPH, kinds[2::3]), (REST, rest)]
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        results = list(pool.map(lambda job: bear_all(*job), [job for job in jobs if job[1]]))
    harmed = sorted(name for names in results for name in names)
    if harmed:
        raise AssertionError(f"{len(harmed)} of {len(kinds) + len(rest)} kinds did harm: " +
                             "; ".join(harmed))


if __name__ == "__main__":
    run(globals())
