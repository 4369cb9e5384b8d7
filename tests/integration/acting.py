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

    def __init__(self, *arguments, logins="", answer=None, web=None, rules=RULES, **alerts):
        self.arguments, self.logins, self.alerts, self.rules = arguments, logins, alerts, rules
        self.web, self.answer = web or {}, answer

    def __enter__(self):
        self.folder = Folder().__enter__()
        self.sink = Sink(self.answer).__enter__()
        self.fake = Fake("--seed", "5", "--subscriptions", "4", "--assessments", "300").__enter__()
        self.folder.file("rules.yml", self.rules)
        if self.logins:
            self.web["config_file"] = self.folder.file("web.yml", self.logins)
        self.config = settings(
            self.fake.url, self.folder.file("secret", SECRET),
            {"secure_scores": {"interval": "2s"}}, web=self.web,
            alerts={"rules": ["rules.yml"], "ledger": {"first_run": "all"},
                    "receivers": [receiver(self.sink)],
                    "route": {"receiver": "team", "group_interval": "1s"},
                    "governor": {"messages": 0}, **self.alerts})
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
        # With no-referrer a browser posts a form with the origin null, which is another site's.
        equal(bench.get("/silences/new").headers["referrer-policy"], "same-origin", "for forms")
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
        told = bench.get("/api/v1/silences").json()["silences"]
        equal([(one["id"], one["state"], one["matchers"], one["comment"]) for one in told],
              [(number, "active", 'alertname="Critical"', EVIL)], "as data")
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


def tiles(page):
    return {name: int(re.sub(r"\D", "", number)) for name, number in re.findall(
        r'<li><a href="[^"]*"[^>]*>([A-Za-z ]+)</a> <b>(.*?)</b></li>', page)}


def rows(page):
    """The rows of the last table, as text."""
    found = re.findall(r"<tr><th scope=.row.>(.*?)</tr>", page, re.S)
    return [html.unescape(re.sub(r"<[^>]*>", " ", row)) for row in found]


def test_alerts_say_why_they_are_as_they_are():
    inhibits = [{"source_matchers": ['alertname="Critical"'],
                 "target_matchers": ['alertname="Other"'], "equal": ["subscription_id"]}]
    more = RULES + """
  - alert: Score
    metric: defender_secure_score_ratio
    match: ['initiative="ascscore"']
    by: [subscription_id]
    below: 0.999
  - alert: Waits
    event: finding.opened
    match: ['risk_level="high"', 'source="assessments"']
    min_age: 1d
"""
    with Bench(rules=more, inhibit_rules=inhibits) as bench:
        until("scores", lambda: any(one["labels"]["alertname"] == "Score"
                                    for one in bench.alerts_of()))
        number = make(bench, matchers='alertname="Critical"', comment=EVIL, by="<b>eve</b>")
        told = bench.alerts_of()
        silenced = [one for one in told if one["status"]["silencedBy"]]
        inhibited = [one for one in told if one["status"]["inhibitedBy"]
                     and not one["status"]["silencedBy"]]
        pending = [one for one in bench.get("/api/v1/alerts?limit=1000").json()["alerts"]
                   if one["state"] == "pending"]
        firing = len(told) - len(silenced) - len(inhibited)
        equal(min(map(len, (silenced, inhibited, pending))) > 0 and firing > 0, True, "of each")
        page = bench.page("/alerts")
        equal(tiles(page), {"Firing": firing, "Pending": len(pending), "Silenced": len(silenced),
                            "Inhibited": len(inhibited)}, "counts")
        until("a message", lambda: "was told" in bench.page("/alerts?filter=alertname%3DScore"))
        score = rows(bench.page("/alerts?filter=alertname%3DScore"))[0]
        for part in ("Rule  Score", "defender_secure_score_ratio", " %, below 99.9 %", "team"):
            contains(score, part, "a rule over a metric")
        waits = rows(bench.page("/alerts?state=pending"))
        equal(len(waits), min(50, len(pending)), "rows")
        contains(waits[0], "It fires when that is still so", "pending")
        contains(waits[0], "in 23 h", "pending")
        page = bench.page("/alerts?state=silenced")
        contains(page, f'href="/silences/{number}">by &lt;b&gt;eve&lt;/b&gt;</a> until ',
                 "silenced")
        contains(page, "&lt;script&gt;", "why it is silenced")
        contains(rows(bench.page("/alerts?state=inhibited"))[0], "Inhibited while this fires",
                 "inhibited")
        seen = 0
        for start in range(0, len(pending), 50):
            seen += len(rows(bench.page(f"/alerts?state=pending&from={start}")))
        equal(seen, len(pending), "page by page")
        link = re.search(r'href="(/silences/new\?matchers=[^"]*)">Silence', page := bench.page(
            "/alerts?filter=alertname%3DScore"))[1]
        contains(page, 'href="/silences?filter=alertname%3DScore"', "the filter stays")
        contains(bench.page(html.unescape(link)), "It mutes <b>1</b> of the", "this alert alone")
        bench.page("/alerts?filter=%3Cscript%3E", 400)


def test_a_finding_tells_its_life():
    with Bench() as bench:
        number = next(one["labels"]["finding_id"] for one in bench.alerts_of()
                      if one["labels"]["alertname"] == "Critical")
        path = f"/f/{number}"
        until("a message", lambda: "was accepted" in bench.page(path))
        page = bench.page(path)
        for part in ("Its alerts", "Fires. Rule <b>Critical</b>", "Its life", "Opened, ",
                     "Message to <a ", "</a> (finding.opened): was accepted",
                     "The last message about it, to team", "How to fix it"):
            contains(page, part, "what fires")
        told = re.search(r'href="(/delivery/[0-9A-Z]{26})">team', page)[1]
        contains(bench.page(told), f'href="/f/{number}"', "the message")
        link = html.unescape(re.search(r'href="([^"]*)">Silence it', page)[1])
        shown = bench.page(link)
        contains(shown, "It mutes <b>1</b> of the", "this alert alone")
        fields = {**form(shown, "/silences/new"), "by": "<b>eve</b>", "comment": EVIL}
        answer = bench.post("/silences/new", {**fields, "do": "keep"})
        equal(answer.status, 303, answer.text)
        silence = next(iter(bench.silences()))
        page = bench.page(path)
        contains(page, f'Silenced <a href="/silences/{silence}">by &lt;b&gt;eve', "its life")
        contains(page, "&lt;script&gt;alert(1)", "why")
        ended = f"/silences/{silence}"
        bench.post(ended, {**form(bench.page("/silences"), ended), "do": "expire"})
        contains(bench.page(path), f'Was silenced <a href="/silences/{silence}">by', "its life")
        bench.page("/f/ffffffffffffffff", 404)


def test_messages_are_tried_again_and_dropped():
    refuse = [400]
    with Bench(answer=lambda message: refuse[0]) as bench:
        def dead():
            return bench.get("/api/v1/outbox?state=dead&limit=1000").json()["messages"]

        until("dead letters", lambda: not tiles(bench.page("/delivery"))["Waiting"])
        page = bench.page("/delivery")
        equal(tiles(page)["Given up"], len(dead()), "given up")
        contains(rows(page)[0], "team", "the receiver")
        contains(page, "nothing was accepted yet", "the receiver")
        contains(page, "400 ok", "the answer")
        first, second = (f"/delivery/{one['id']}" for one in dead()[-2:])
        shown = bench.page(first)
        contains(shown, "How to fix it", "the text")
        contains(html.unescape(shown), '"type":"', "the body")
        equal(bench.post(first, {**form(shown, first), "do": "explode"}).status, 400, "no such act")
        equal(bench.post(first, {"seal": form(bench.page(second), second)["seal"],
                                 "do": "drop"}).status, 403, "a seal of another message")
        lane = bench.get("/api/v1/delivery").json()["lanes"][0]
        equal((lane["lane"], lane["kind"], lane["waiting"], lane["dead"], lane["last_success_at"]),
              ("team/0", "webhook", 0, len(dead()), None), "as data")
        refuse[0] = None
        answer = bench.post(first, {**form(shown, first), "do": "retry"})
        equal(answer.headers.get("location"), "/delivery?state=queued&done=retry", answer.text)
        until("it to be sent", lambda: "Accepted" in bench.page(first))
        equal(bool(re.search(r"\d s +ago", rows(bench.page("/delivery"))[0])), True, "last success")
        equal(buttons(bench.page(first)), [], "what is sent")
        answer = bench.post(second, {**form(bench.page("/delivery"), second), "do": "drop"})
        equal(answer.headers.get("location"), "/delivery?done=drop", answer.text)
        bench.page(second, 404)
        contains(bench.page("/delivery?state=sent"), first, "what was sent")
        for said in ("message queued again", "message dropped"):
            until(said, lambda said=said: f'msg="{said}"' in bench.exporter.log)
        other = bench.database()
        other.execute("BEGIN IMMEDIATE")
        third = next(f"/delivery/{one['id']}" for one in dead())
        answer = bench.post(third, {**form(bench.page(third), third), "do": "drop"})
        equal(answer.status, 503, answer.text)
        contains(answer.text, "What it says", "the page again")
        other.execute("ROLLBACK")
        other.close()


def test_a_secret_is_in_no_body():
    key = "0123456789abcdef0123456789abcdef"
    pager = {"name": "pager", "pagerduty": {"routing_key": key, "url": "http://127.0.0.1:1/",
                                            "http": {"allow_private": True}}}
    with Bench(receivers=[pager], route={"receiver": "pager"}) as bench:
        until("messages", lambda: tiles(bench.page("/delivery?state=queued"))["Waiting"])
        link = re.search(r'"(/delivery/[0-9A-Z]{26})', bench.page("/delivery?state=queued"))[1]
        page = html.unescape(bench.page(link))
        contains(page, '"routing_key":"<secret>"', "the body")
        equal(key in page, False, "the key")
        contains(rows(bench.page("/delivery"))[0], "tried", "how it stands")


def test_who_may_not_act_is_told_why():
    rights = {"alice": "write", "grafana": "read"}
    with Bench(logins=users(alice="a", grafana="g"), web={"users": rights}) as bench:
        reader = login("grafana", "g")
        number = make(bench, by="somebody else")
        equal(bench.silences()[number]["createdBy"], "alice", "who is logged in made it")
        for path in ("/silences", "/silences/new", f"/silences/{number}", "/alerts", "/delivery",
                     "/f/" + bench.alerts_of()[0]["labels"]["finding_id"]):
            page = bench.page(path, headers=reader)
            equal(("<form class=\"act" in page, buttons(page)), (False, []), f"forms of {path}")
            equal('href="/silences/new' in page, False, f"a link to a form in {path}")
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
