#!/usr/bin/env python3
"""The pages on which one acts: silences are made, changed and ended by forms, without a script; who
may not sees no form; and what goes wrong loses nothing."""
import html
import re
import sqlite3
import urllib.parse

from harness import SECRET, Exporter, Fake, Folder, contains, equal, fetch, run, settings, until
from pages import sound
from sink import Sink, receiver
from webconfig import login, users

RULES = """
groups:
- name: all
  rules:
  - alert: Critical
    event: [finding.opened, finding.reopened]
    match: ['risk_level="critical"']
  - alert: Other
    event: [finding.opened]
    match: ['risk_level!="critical"', 'source="assessments"']
"""
EVIL = "</textarea><script>alert(1)</script>"


class Bench:
    """An exporter whose findings of the first run all fire, and a receiver."""

    def __init__(self, *arguments, logins="", answer=None, web=None, **alerts):
        self.arguments, self.logins, self.alerts = arguments, logins, alerts
        self.web, self.answer = web or {}, answer

    def __enter__(self):
        self.folder = Folder().__enter__()
        self.sink = Sink(self.answer).__enter__()
        self.fake = Fake("--seed", "5", "--subscriptions", "4", "--assessments", "300").__enter__()
        self.folder.file("rules.yml", RULES)
        if self.logins:
            self.web["config_file"] = self.folder.file("web.yml", self.logins)
        self.config = settings(
            self.fake.url, self.folder.file("secret", SECRET), web=self.web,
            alerts={"rules": ["rules.yml"], "ledger": {"first_run": "all"},
                    "receivers": [receiver(self.sink)],
                    "route": {"receiver": "team", "group_interval": "1s"}, **self.alerts})
        self.exporter = Exporter(self.folder, self.config, *self.arguments).__enter__()
        self.headers = login("alice", "a") if self.logins else {}
        until("alerts", lambda: len(self.alerts_of()) > 20, 60)
        return self

    def __exit__(self, *why):
        for one in (self.exporter, self.fake, self.sink, self.folder):
            one.__exit__(*why)

    def get(self, path, headers=None):
        return self.exporter.get(path, headers=self.headers if headers is None else headers)

    def page(self, path, status=200, headers=None):
        answer = self.get(path, headers)
        equal(answer.status, status, path)
        return sound(answer.text, path)

    def post(self, path, fields, **headers):
        """As a browser posts a form of ours."""
        here = self.exporter.url
        answer = fetch(here + path, "POST", urllib.parse.urlencode(fields),
                       {"Content-Type": "application/x-www-form-urlencoded", "Origin": here,
                        "Sec-Fetch-Site": "same-origin", **self.headers, **headers})
        if answer.headers.get("content-type", "").startswith("text/html"):
            sound(answer.text, path)
        return answer

    def alerts_of(self):
        try:
            answer = self.get("/api/v2/alerts")
        except ConnectionError:
            return []
        return answer.json() if answer.status == 200 else []

    def silences(self):
        return {one["id"]: one for one in self.get("/api/v2/silences").json()}

    def database(self):
        return sqlite3.connect(f"{self.folder.path}/defender_exporter.db", isolation_level=None)


def form(page, action):
    """The fields of the form that posts there, as a browser would send them."""
    found = re.search(rf'<form class="[^"]*" method="post" action="{action}[^"]*">(.*?)</form>',
                      page, re.S)
    assert found, f"no form for {action} in {page}"
    fields = {name: html.unescape(value) for name, value in re.findall(
        r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', found[1])}
    for name, value in re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n(.*?)</textarea>', found[1],
                                  re.S):
        fields[name] = "\r\n".join(html.unescape(value).splitlines())
    return fields


def buttons(page):
    return re.findall(r'<button name="do" value="(\w+)"', page)


def fill(bench, matchers="alertname=\"Critical\"", path="/silences/new", **more):
    fields = form(bench.page(path), path)
    fields.update({"matchers": matchers, "by": "alice", "comment": "works", **more})
    return fields


def previewed(bench, fields, path="/silences/new"):
    answer = bench.post(path, {**fields, "do": "preview"})
    equal(answer.status, 200, answer.text)
    return answer.text


def make(bench, **more):
    """Its id."""
    before = bench.silences().keys()
    shown = previewed(bench, fill(bench, **more))
    answer = bench.post("/silences/new", {**form(shown, "/silences/new"), "do": "keep"})
    equal((answer.status, answer.headers.get("location")), (303, "/silences?done=made"),
          answer.text)
    return (bench.silences().keys() - before).pop()


def suppressed(bench):
    return {one["labels"]["finding_id"] for one in bench.alerts_of()
            if one["status"]["state"] == "suppressed"}


def test_a_silence_is_made_changed_and_ended():
    with Bench() as bench:
        equal(buttons(bench.page("/silences/new")), ["preview"], "before it was shown")
        critical = {one["labels"]["finding_id"] for one in bench.alerts_of()
                    if one["labels"]["alertname"] == "Critical"}
        shown = previewed(bench, fill(bench))
        contains(shown, f"It mutes <b>{len(critical)}</b> of the", "the count")
        linked = set(re.findall(r'href="/f/([0-9a-f]+)"', shown))
        equal(linked <= critical and len(linked), min(20, len(critical)), "the first of them")
        equal(bench.silences(), {}, "only looked at")
        changed = bench.post("/silences/new", {**form(shown, "/silences/new"), "do": "keep",
                                               "matchers": 'alertname="Other"'})
        contains(changed.text, "these are other matchers", "not what was shown")
        equal(bench.silences(), {}, "nothing unseen is silenced")
        number = make(bench, comment=EVIL, by="<b>eve</b>")
        equal(suppressed(bench), critical, "silenced")
        listed = bench.page("/silences?done=made")
        for part in ("&lt;b&gt;eve", "&lt;script&gt;", "The silence is made"):
            contains(listed, part, "the list")
        path = f"/silences/{number}"
        ends = bench.silences()[number]["endsAt"]
        shown = previewed(bench, {**form(bench.page(path), path), "until": "6h"}, path)
        answer = bench.post(path, {**form(shown, path), "do": "keep"})
        equal(answer.headers.get("location"), "/silences?done=changed", answer.text)
        equal(bench.silences()[number]["endsAt"] > ends, True, "it lasts longer")
        equal(bench.silences()[number]["createdBy"], "<b>eve</b>", "by whom")
        answer = bench.post(path, {**form(bench.page("/silences"), path), "do": "expire"})
        equal(answer.headers.get("location"), "/silences?done=ended", answer.text)
        equal(suppressed(bench), set(), "over")
        contains(bench.page("/silences?state=expired"), f"/silences/new?like={number}", "the list")
        again = form(bench.page(f"/silences/new?like={number}"), "/silences/new")
        equal((again["matchers"], again["comment"]), ('alertname="Critical"', EVIL), "one like it")
        equal(buttons(bench.page(path)), [], "what is over")
        for said in ("silence created", "silence changed", "silence ended"):
            until(said, lambda said=said: f'msg="{said}"' in bench.exporter.log)
        contains(bench.exporter.log, "peer=127.0.0.1", "who did it")


def test_what_is_wrong_is_said_and_nothing_lost():
    limits = {"max_duration": "1d", "never": ['alertname="Other"']}
    with Bench(silences=limits) as bench:
        page = bench.page("/silences/new")
        contains(page, "A silence lasts 1d at most", "the limits")
        contains(page, "never silenced: alertname=&quot;Other&quot;", "the limits")
        for more, said in (({"until": "2d"}, "1d at most"),
                           ({"until": "<i>"}, "it ends after a time"),
                           ({"begins": "soon"}, "it begins at an instant"),
                           ({"comment": ""}, "say why"), ({"by": ""}, "say who"),
                           ({"matchers": 'risk_level="low"'}, "never silenced"),
                           ({"matchers": 'alrtname="A"'}, "did you mean alertname"),
                           ({"matchers": 'a="b"\r\n' + EVIL}, "line 2"),
                           ({"matchers": "x" * 20000}, "bytes of matchers")):
            fields = {**fill(bench), **more}
            for act in ("preview", "keep"):
                answer = bench.post("/silences/new", {**fields, "do": act})
                equal(answer.status, 400, answer.text)
                contains(answer.text, said, str(more))
                kept = form(answer.text, "/silences/new")
                for name in ("matchers", "until", "begins", "by", "comment"):
                    equal(kept[name], fields[name], f"{name} after {more}")
        equal(bench.silences(), {}, "silences")
        equal(bench.page("/silences/new?matchers=" + urllib.parse.quote(EVIL)).count("<script"), 0,
              "a matcher of an address")


def test_a_form_is_ours_or_nothing_happens():
    with Bench() as bench:
        number = make(bench)
        shown = form(previewed(bench, fill(bench)), "/silences/new")
        path = f"/silences/{number}"
        for seal in ("", "0" * 64, form(bench.page(path), path)["seal"]):
            answer = bench.post("/silences/new", {**shown, "seal": seal, "do": "keep"})
            equal(answer.status, 403, answer.text)
            equal(form(answer.text, "/silences/new")["comment"], "works", "nothing is lost")
            answer = bench.post(path, {"seal": shown["seal"], "do": "expire"})
            equal(answer.status, 403, answer.text)
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"},
                        {"Origin": "null"}, {"X-Forwarded-For": "10.0.0.7"}):
            answer = bench.post("/silences/new", {**shown, "do": "keep"}, **headers)
            equal(answer.status, 403, answer.text)
        equal(len(bench.silences()), 1, "silences")
        equal(bench.silences()[number]["status"]["state"], "active", "the silence")
        bench.exporter.stop()
        bench.exporter = Exporter(bench.folder, bench.config).__enter__().wait_answering()
        answer = bench.post("/silences/new", {**shown, "do": "keep"})
        contains(answer.text, "from before the program started anew", "an old form")
        answer = bench.post("/silences/new", {**form(answer.text, "/silences/new"), "do": "keep"})
        equal(answer.status, 303, answer.text)


def test_who_may_not_act_is_told_why():
    rights = {"alice": "write", "grafana": "read"}
    with Bench(logins=users(alice="a", grafana="g"), web={"users": rights}) as bench:
        reader = login("grafana", "g")
        number = make(bench, by="somebody else")
        equal(bench.silences()[number]["createdBy"], "alice", "who is logged in made it")
        for path in ("/silences", "/silences/new", f"/silences/{number}"):
            page = bench.page(path, headers=reader)
            equal(("<form" in page, buttons(page)), (False, []), f"forms of {path}")
            contains(page, "this user may only read", path)
        contains(bench.page(f"/silences/{number}", headers=reader), "It mutes <b>", "a silence")
        fields = form(bench.page("/silences"), f"/silences/{number}")
        answer = bench.post(f"/silences/{number}", {**fields, "do": "expire"}, **reader)
        equal(answer.status, 403, answer.text)
        equal(bench.silences()[number]["status"]["state"], "active", "the silence")
    with Bench("--web.read-only") as bench:
        page = bench.page("/silences")
        equal("<form" in page, False, "a form that nobody may send")
        contains(page, "nobody may write", "why")
        linked = bench.get("/silences/new", {"Sec-Fetch-Site": "cross-site"})
        contains(linked.text, "nobody may write", "by a link of another site")


def test_a_locked_database_loses_nothing():
    with Bench() as bench:
        shown = form(previewed(bench, fill(bench)), "/silences/new")
        other = bench.database()
        other.execute("BEGIN IMMEDIATE")
        equal(bench.get("/silences").status, 200, "reading")
        answer = bench.post("/silences/new", {**shown, "do": "keep"})
        equal(answer.status, 503, answer.text)
        equal(form(answer.text, "/silences/new")["comment"], "works", "nothing is lost")
        equal(bench.get("/metrics").status, 200, "a scrape")
        other.execute("ROLLBACK")
        other.close()
        answer = bench.post("/silences/new", {**form(answer.text, "/silences/new"), "do": "keep"})
        equal(answer.status, 303, answer.text)


if __name__ == "__main__":
    run(globals())
