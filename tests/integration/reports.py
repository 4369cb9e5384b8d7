#!/usr/bin/env python3
"""Reports that are sent by themselves: what each receiver gets, that each is sent once whatever
dies and when, and that a wrong one is refused before anything starts.

REPORTS_KILLS: how often (default 60, with --all 300); REPORTS_SEED: of the dice.
"""
import datetime
import os
import quopri
import random
import signal
import sqlite3
import subprocess
import time

from alerts_model import query
from harness import (ALL, EXPORTER, SECRET, Exporter, Fake, Folder, collectors, contains, equal,
                     run, settings, until)
from relay import Mail
from sink import Sink

KILLS = int(os.environ.get("REPORTS_KILLS", "300" if ALL else "60"))
SEED = int(os.environ.get("REPORTS_SEED", "20261127"))
KILLS_PER_REPORT = 3
DAY = 86400
ON = {name: {"interval": "1s"} for name in ("subscriptions", "assessments", "secure_scores")}
OFF = {name: {"enabled": False} for name in collectors() if name not in ON}


def receivers(sink, relay):
    base, http = sink.url.rsplit("/", 1)[0], {"allow_private": True}
    return [{"name": "hook", "webhook": {"url": base + "/hook", "http": http}},
            {"name": "slack", "slack": {"url": base + "/slack", "http": http}},
            {"name": "teams", "teams": {"url": base + "/teams", "http": http}},
            {"name": "chat", "webhook": {
                "url": base + "/chat", "http": http, "body": "template",
                "template": '{"text": "{{title}}: {{text}}{{#reports}}'
                            '{{#rows}} [{{name}} {{open}}]{{/rows}}{{/reports}}"}'}},
            {"name": "mail", "email": {"smarthost": relay, "from": "a@relay.example",
                                       "to": ["soc@relay.example"], "tls": "never"}}]


def configuration(fake, folder, given, schedule, names=None, **more):
    report = {"name": "weekly", "receivers": names or [one["name"] for one in given],
              "schedule": schedule, **more}
    return settings(fake.url, folder.file("secret", SECRET), ON | OFF, alerts={
        "receivers": given, "route": {"receiver": "hook"}, "reports": [report],
        "ledger": {"first_run": "silent"}})


def far():
    """A schedule that does not come while a test runs."""
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=12)
    return {"time": at.strftime("%H:%M")}


def kept(folder):
    """(due, owed, decided, hash) of the report; None before it is decided."""
    rows = query(folder, "SELECT value FROM store WHERE key = 'report.weekly'")
    return next(iter(rows))[0].split() if rows else None


def fall_due(folder, at):
    """As if the program had not run since before it was due."""
    _, _, _, schedule = kept(folder)
    with sqlite3.connect(os.path.join(folder.path, "defender_exporter.db"), timeout=10) as database:
        database.execute("UPDATE store SET value = ? WHERE key = 'report.weekly'",
                         (f"{at} 0 {at - DAY} {schedule}",))
    database.close()


def reports(sink, path="/hook"):
    """What was sent there; the webhook is told of other things, too."""
    return [message for message in sink.taken() if message["path"] == path
            and (path != "/hook" or message["body"]["type"] == "report")]


def test_every_kind_tells_the_same():
    with Folder() as folder, Sink() as sink, Mail() as mail, \
            Fake("--seed", "7", "--subscriptions", "4", "--assessments", "600") as fake:
        config = configuration(fake, folder, receivers(sink, mail.address), far())
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            until("its instant", lambda: kept(folder))
            equal(reports(sink), [], "what a new report is sent")
        due = int(time.time()) - 3 * DAY
        fall_due(folder, due)
        with Exporter(folder, config) as exporter:
            until("every report", lambda: mail.messages and all(
                reports(sink, path) for path in ("/hook", "/slack", "/teams", "/chat")))
            metrics = exporter.wait_ready().metrics()
            shown = subprocess.run([EXPORTER, "report", "--name=weekly", f"--url={exporter.url}"],
                                   stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                   check=True).stdout
            asked = exporter.get("/api/v1/report?name=monthly")
        data = reports(sink)[0]["body"]["data"]
        (report,) = data["reports"]
        equal(data["event"], "report", "event")
        equal(report["name"], "weekly", "name")
        count = int(metrics.sum("defender_findings"))
        assert count, "open findings"
        equal(report["open"], count, "open findings")
        equal(sum(row["open"] for row in report["rows"]), count, "open findings of all rows")
        equal(report["opened"], 0, "what was there when it was first looked at is no news")
        since = datetime.datetime.fromtimestamp(due - 7 * DAY, datetime.timezone.utc)
        equal(report["since_at"], since.strftime("%Y-%m-%dT%H:%M:%SZ"), "where it begins")
        equal((report["whole"], report["seen"]), (True, "4 of 4 subscriptions seen"), "how much")
        score = metrics.one("defender_secure_score_overall_ratio")
        equal(round(report["score"], 9), round(score, 9), "score")
        assert report["gains"], "cheapest points"
        text, = mail.messages
        text = quopri.decodestring(text.encode()).decode()
        told = {"mail": text, "slack": reports(sink, "/slack")[0]["raw"].decode(),
                "teams": reports(sink, "/teams")[0]["raw"].decode(),
                "template": reports(sink, "/chat")[0]["raw"].decode(), "terminal": shown}
        name = report["rows"][0]["name"]
        for where, words in told.items():
            contains(words, f"{100 * score:.1f} %", where)
            contains(words, "4 of 4 subscriptions seen", where)
            contains(words, name.replace("-", "\\\\-") if where == "teams" else name, where)
        for where in ("mail", "slack", "teams", "terminal"):
            contains(told[where], "Fix first: most points of the secure score", where)
        contains(text, "<h3", "HTML of the mail")
        equal(asked.status, 400, "a report nobody planned")
        contains(asked.text, "no report of alerts.reports is called so", "a report nobody planned")


def test_what_is_denied_is_not_shown_as_none():
    with Folder() as folder, Sink() as sink, \
            Fake("--seed", "7", "--subscriptions", "4", "--assessments", "600") as fake:
        given = receivers(sink, "127.0.0.1:1")
        config = configuration(fake, folder, given, far(), ["hook"])
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            until("its instant", lambda: kept(folder))
        fall_due(folder, int(time.time()) - 60)
        fake.fault("403:sub=1")
        with Exporter(folder, config):
            until("the report", lambda: reports(sink))
        data = reports(sink)[0]["body"]["data"]
        equal(data["reports"][0]["whole"], False, "whether all was looked at")
        equal(data["reports"][0]["seen"], "3 of 4 subscriptions seen (1 denied)", "how much was")
        contains(data["title"], "; not all was looked at", "title")


def test_killed_while_it_is_due_each_report_is_sent_once():
    dice = random.Random(SEED)
    with Folder() as folder, Sink() as sink, Fake("--assessments", "600") as fake:
        config = configuration(fake, folder, receivers(sink, "127.0.0.1:1"), far(), ["hook"])
        with Exporter(folder, config):
            until("its instant", lambda: kept(folder), 60)
        due = []
        for kill in range(KILLS):
            if kill % KILLS_PER_REPORT == 0:
                # The one before is told, or its last attempt is: the row says that it moved on.
                if due:
                    with Exporter(folder, config):
                        until("the next instant", lambda: int(kept(folder)[0]) > time.time(), 60)
                due.append(int(time.time()) - 1000 * DAY + 60 * len(due))
                fall_due(folder, due[-1])
            exporter = Exporter(folder, config)
            if kill % 2:
                time.sleep(dice.uniform(0, 0.9))
            else:  # in the moment it moves on, or a little later
                until("the next instant", lambda: int(kept(folder)[0]) > time.time(), 60, 0.001)
                time.sleep(dice.uniform(0, 0.03))
            exporter.stop(signal.SIGKILL)
            exporter.output.close()
        with Exporter(folder, config):
            until("an empty outbox", lambda: int(kept(folder)[0]) > time.time() and not query(
                folder, "SELECT id FROM outbox_message WHERE state = 'queued'"), 120)
        told = {}
        for message in reports(sink):
            told.setdefault(message["body"]["data"]["dedup_key"], set()).add(message["id"])
        equal({key: ids for key, ids in told.items() if len(ids) > 1}, {}, "reports sent twice")
        equal(len(told), len(due), "reports that were due")
        print(f"{KILLS} kills, {len(due)} reports, {len(reports(sink))} accepted")


def test_a_wrong_report_is_refused():
    with Folder() as folder, Sink() as sink, Fake() as fake:
        given = receivers(sink, "127.0.0.1:1") + [
            {"name": "pager", "pagerduty": {"routing_key": "0" * 32}}]
        cases = (
            ({"time": "08:00", "weekdays": ["mondy"]}, ["hook"], "weekdays: \"mondy\""),
            ({"time": "8"}, ["hook"], "time: \"8\": is no time of day such as 08:00"),
            ({"time": "08:00", "location": "Europe/Berlni"}, ["hook"], "no time zone"),
            ({"time": "08:00"}, ["hok"], "no receiver is called hok; did you mean hook"),
            ({"time": "08:00"}, ["pager"], "pager gets no report: PagerDuty pages people"),
        )
        for schedule, names, words in cases:
            config = configuration(fake, folder, given, schedule, names)
            file = folder.file("wrong.yml", config)
            done = subprocess.run([EXPORTER, "check", "config", f"--config.file={file}"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  check=False)
            equal(done.returncode, 2, words)
            contains(done.stderr + done.stdout, words, "check config")
            contains(done.stderr + done.stdout, file + ":", "the line")


if __name__ == "__main__":
    run(globals())
