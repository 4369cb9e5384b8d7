#!/usr/bin/env python3
"""Each fault of the stand-in has its shape, its aim and its end.

  FAKE_AZURE=build/release/fake_azure tests/fake_azure/selftest_faults.py [test_name...]
"""
import collections
import http.client
import json
import socket
import time

from client import LIST, SLOWNESS, Fake, equal, error_of, query, run, true


def test_faults_instead_of_answers():
    with Fake() as fake:
        for spec, status, code in (
                ("401", 401, "InvalidAuthenticationToken"),
                ("expired-token", 401, "ExpiredAuthenticationToken"),
                ("403", 403, "AuthorizationFailed"),
                ("not-registered", 409, "MissingSubscriptionRegistration"),
                ("not-registered:status=404", 404, "Subscription Not Registered"),
                ("429", 429, "RateLimiting")):
            fake.fault(spec)
            answer = fake.get(LIST)
            equal((answer.status, error_of(answer)["code"]), (status, code), spec)
            fake.heal()
        for spec, header, body in (("429:retry_after=7,body=empty", "7", b""),
                                   ("429:retry_after=none,body=object", None, b"{}")):
            fake.fault(spec)
            answer = fake.get(LIST)
            equal((answer.status, answer.headers.get("retry-after"), answer.body),
                  (429, header, body), spec)
            fake.heal()
        for status in (500, 502, 503, 504):
            fake.fault(str(status))
            answer = fake.get(LIST)
            equal((answer.status, answer.headers["content-type"]), (status, "text/html"), "HTML")
            fake.heal()
        fake.fault("empty-5xx")
        equal((fake.get(LIST).status, fake.get(LIST).body), (503, b""), "empty")
        fake.heal()
        fake.fault("redirect")
        true(fake.get(LIST).headers["location"].startswith("http://127.0.0.1:1/"), "redirect")


def test_faults_are_aimed():
    with Fake("--fault", "503:path=assessmentmetadata,count=2") as fake:
        path = "/providers/Microsoft.Security/assessmentMetadata?api-version=2021-06-01"
        equal([fake.get(p).status for p in (LIST, path, path, path)], [200, 503, 503, 200], "count")
        fake.heal()
        fake.fault("500:every=3")
        equal([fake.get(LIST).status for _ in range(6)], [200, 200, 500] * 2, "every")
        fake.heal()
        fake.fault("500:path=resourcegraph,page=2")
        first = fake.graph(query("assessments_rows"), 100)
        second = fake.graph(query("assessments_rows"), 100, first.json()["$skipToken"])
        equal((first.status, second.status), (200, 500), "page")
        fake.heal()
        fake.fault("429:path=oauth2")
        equal((fake.token().status, fake.get(LIST).status), (429, 200), "the token endpoint")
        answer = fake.fetch("/_fake/fault", "POST", "nonsense")
        equal(answer.status, 400, "a fault nobody knows")


def test_faults_in_bodies():
    text = query("assessments_rows")
    with Fake() as fake:
        good = fake.graph(text, 100).json()
        fake.fault("invalid-json:count=1")
        body = fake.graph(text, 100).body
        try:
            json.loads(body)
            raise AssertionError("that is JSON")
        except ValueError:
            pass
        fake.fault("wrong-types:count=1")
        row = fake.graph(text, 100).json()["data"][0]
        true(isinstance(row["attackPathCount"], str) and isinstance(row["title"], dict), "types")
        fake.fault("deep:count=1,depth=5000")
        true(b"[" * 5000 in fake.graph(text, 100).body, "deep")
        fake.fault("huge:count=1")
        true(len(fake.graph(text, 100).body) > 30 << 20, "huge")
        fake.fault("total-drift:count=1")
        equal(fake.graph(text, 100).json()["totalRecords"], good["totalRecords"] + 7, "drift")
        fake.fault("empty:count=1")
        page = fake.graph(text, 100).json()
        equal((page["data"], page["totalRecords"], "$skipToken" in page), ([], 0, False), "empty")
        fake.fault("truncated:count=1")
        page = fake.graph(text, 100).json()
        equal((page["resultTruncated"], "$skipToken" in page), ("true", False), "truncated")
        fake.fault("repeat-token:page=2,count=1")
        equal(fake.graph(text, 100, good["$skipToken"]).json()["$skipToken"], good["$skipToken"],
              "the same token again")
        fake.fault("partial:count=1")
        equal(fake.graph(text, 100).status, 206, "partial")
        fake.fault("too-large:rows=50")
        equal((fake.graph(text, 100).status, fake.graph(text, 50).status), (400, 200), "too large")
        true(b"ResponsePayloadTooLarge" in fake.graph(text, 100).body, "too large, in words")
        fake.heal()
        fake.fault("new-secret:body=renewed")
        true("AADSTS7000222" in fake.token().json()["error_description"], "the old secret")
        equal(fake.token(client_secret="renewed").status, 200, "the new secret")
        fake.heal()
        for word, sign in (("us", "/"), ("iso", "T")):
            fake.fault("expires-on:body=" + word)
            token = fake.fetch("/metadata/identity/oauth2/token?api-version=1&resource=x",
                               headers={"Metadata": "true"}).json()
            true(sign in token["expires_on"] and "expires_in" not in token, "a date: " + word)
            fake.heal()
        fake.fault("foreign-nextlink:count=1")
        true(fake.get(LIST).json()["nextLink"].startswith("http://127.0.0.1:1/"), "foreign link")
        fake.fault("shift:page=2,count=1")
        rows = fake.rows(text, 700)
        counts = collections.Counter(r["id"] for r in rows)
        equal((len(rows), max(counts.values()), len(counts)), (2000, 2, 1999), "rows that moved")


def test_names():
    with Fake() as fake:
        fake.admin("names", "POST", "x\\u202ey")
        row = fake.graph(query("assessments_rows"), 10).json()["data"][0]
        equal((row["title"] or "x\u202ey", row["resourceId"].rsplit("/", 1)[1]),
              ("x\u202ey", "x\u202ey"), "names of a row")
        equal(fake.list(LIST)[0]["displayName"], "x\u202ey", "name of a subscription")
        fake.admin("names", "POST", "")
        true("\u202e" not in fake.list(LIST)[0]["displayName"], "the names as drawn")


def test_raw_links():
    with Fake("--page-rows", "2", "--fault", "raw-nextlink") as fake:
        link = fake.get(LIST).json()["nextLink"].split(str(fake.port), 1)[1]
        true(link.endswith(" #RT:1#TRC:9"), "a raw link: " + link)
        good, bad = link.replace(" ", "%20").replace("#", "%23"), link.split(" #")[0]
        equal((fake.get(good).status, fake.get(bad).status), (200, 400), "the whole token counts")


def test_faults_on_the_wire():
    with Fake() as fake:
        for spec in ("cut", "cut:cut=chunked"):
            fake.fault(spec)
            try:
                answer = fake.get(LIST)
                raise AssertionError(f"{spec}: {answer.status} {answer.body!r:.80}")
            except http.client.IncompleteRead as error:
                true(0 < len(error.partial), spec)
            fake.heal()
        fake.fault("slow:ms=20,count=1")
        began = time.monotonic()
        equal(len(fake.get(LIST).json()["value"]), 5, "a slow body is whole")
        true(time.monotonic() - began > 0.2, "slow")
        fake.fault("skew:seconds=7200")
        date = fake.get(LIST).headers["date"]
        told = time.mktime(time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
        true(abs(told - time.time() - 7200) < 60, "a clock that is wrong: " + date)
        fake.heal()
        fake.fault("hang:count=1")
        try:
            fake.fetch(LIST, headers={"Authorization": "Bearer " + fake.bearer},
                       seconds=0.5 / SLOWNESS)
            raise AssertionError("that was an answer")
        except socket.timeout:
            pass
        equal(fake.get(LIST).status, 200, "afterwards")
        fake.fault("hang")
        waiting = socket.create_connection(("127.0.0.1", fake.port))
        waiting.sendall(f"GET {LIST} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {fake.bearer}"
                        "\r\n\r\n".encode())
        end = time.monotonic() + 10 * SLOWNESS
        while not fake.admin("stats")["faults"][-1]["fired"]:
            true(time.monotonic() < end, "the request that hangs never arrived")
            time.sleep(0.02)
    equal(waiting.recv(1), b"", "what hangs ends with the program")
    waiting.close()


def test_denied_subscriptions():
    with Fake() as fake:
        ids = [s["subscriptionId"] for s in fake.list(LIST)]
        fake.fault("403:sub=1")
        path = "/subscriptions/{}/providers/Microsoft.Security/assessments?api-version=2020-01-01"
        answer = fake.get(path.format(ids[1]))
        equal((answer.status, error_of(answer)["code"]), (403, "AuthorizationFailed"), "its list")
        equal(fake.get(path.format(ids[0])).status, 200, "another's list")
        for name in ("assessments_rows", "subscriptions_rows"):
            equal({r["subscriptionId"] for r in fake.rows(query(name))}, set(ids) - {ids[1]}, name)
        equal(fake.graph(query("assessments_rows"), subscriptions=[ids[1]]).status, 403, "alone")
        equal(len(fake.list(LIST)), 5, "it is still listed")
        fake.heal()
        fake.fault("denied-all")
        equal((fake.get(path.format(ids[0])).status, fake.graph("x").status, len(fake.list(LIST))),
              (403, 403, 5), "denied everywhere")
        fake.heal()
        fake.fault("no-subscriptions")
        equal((fake.list(LIST), fake.rows(query("assessments_rows"))), ([], []), "nothing there")
    with Fake("--empty") as fake:
        equal((fake.list(LIST), fake.rows(query("assessments_rows"))), ([], []), "empty tenant")


def test_rights_that_go_while_others_are_asked():
    with Fake() as fake:
        ids = [s["subscriptionId"] for s in fake.list(LIST)]
        fake.fault("403:sub=1,from=secure_score,page=2")
        for status in (200, 200, 403):
            answer = fake.graph(query("assessments_rows"), subscriptions=[ids[1]])
            equal(answer.status, status, "alone")
            fake.graph(query("secure_scores_rows"))


run(globals())
