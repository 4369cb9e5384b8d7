#!/usr/bin/env python3
"""From a change in Azure to a page and its resolve, over a restart and a reload, and everything an
operator does around it."""
import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess

from alerts_model import Model, finding_id, settled, told_of
from harness import (EXPORTER, SECRET, SLOWNESS, Exporter, Fake, Folder, Program, contains, equal,
                     fetch, run, settings, until)
from sink import Sink, receiver

SIGNING_KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()

OVER = ("finding.resolved", "finding.exempted")

RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
    match: ['source="assessments"']
    labels: {team: cloud}
"""

COLLECTORS = {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s"},
              "catalogue": {"interval": "1m"}, "secure_scores": {"enabled": False},
              "baselines": {"enabled": False}}


def configuration(fake, folder, receivers, route=None, **alerts):
    folder.file("rules.yml", RULES)
    route = {"receiver": receivers[0]["name"], "group_by": ["..."], "group_interval": "1s",
             **(route or {})}
    return settings(fake.url, folder.file("secret", SECRET), COLLECTORS,
                    alerts={"rules": ["rules.yml"], "receivers": receivers, "route": route,
                            "governor": {"messages": 0}, **alerts})


def tenant(assessments=4000):
    return Fake("--provable", "--assessments", assessments, "--machines", "0", "--seed", "11")


def advance(fake, model):
    fake.admin("advance?steps=1", "POST")
    model.advance(fake.admin("history"))


def open_alerts(message):
    """Ids of the findings whose alerts fire in it."""
    return [a["labels"]["finding_id"] for a in message["body"]["data"]["alerts"]
            if a["state"] == "firing"]


def told(sink):
    return set().union(*(told_of(message) for message in sink.taken()))


def command(folder, *words):
    """A command of the program beside the running one: exit status and output."""
    done = subprocess.run([EXPORTER, *words, f"--config.file={folder.path}/defender_exporter.yml",
                           f"--storage.path={folder.path}"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60 * SLOWNESS, check=False,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout


def test_opened_and_resolved_reach_the_receiver_over_a_restart():
    with Folder() as folder, Sink() as sink, tenant(120) as fake:
        config = configuration(fake, folder,
                               [receiver(sink, signing_secret="whsec_" + SIGNING_KEY)])
        model = Model(fake.admin("dump"))
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            until("the first summary", lambda: sink.taken())
            for _ in range(3):
                advance(fake, model)
                until("decisions", lambda: settled(folder, model), 30)
            exporter.stop()
        advance(fake, model)  # while it is down
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            until("decisions after the restart", lambda: settled(folder, model), 30)
            while model.generation < 60 and not {e for _, e, _ in model.told} >= {
                    "finding.opened", "finding.reopened", "finding.resolved"}:
                advance(fake, model)
                until("decisions", lambda: settled(folder, model), 30)
            until("pages", lambda: model.told <= told(sink), 30)
        equal(told(sink), model.told, "what was told")
        assert any(event == "finding.resolved" for _, event, _ in model.told)
        ids = [message["id"] for message in sink.taken()]
        equal(len(ids), len(set(ids)), "messages told once")
        summaries = [m for m in sink.taken() if m["body"]["type"] == "digest"
                     and m["body"]["data"]["status"] == "firing"]
        equal(len(summaries), 1, "summaries of the first run")
        for message in sink.taken():
            check_signature(message)


def check_signature(message):
    """As the Standard Webhooks specification says."""
    headers = {name.lower(): value for name, value in message["headers"].items()}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + message["raw"]
    want = base64.b64encode(hmac.new(base64.b64decode(SIGNING_KEY), signed,
                                     hashlib.sha256).digest()).decode()
    equal(headers["webhook-signature"], "v1," + want, "signature")
    assert abs(int(headers["webhook-timestamp"]) - message["at"]) < 60


def test_ledger_runs_without_receivers_and_counts_go_on():
    with Folder() as folder, tenant() as fake:
        config = settings(fake.url, folder.file("secret", SECRET), COLLECTORS)
        model = Model(fake.admin("dump"))
        opened = reopened = resolved = 0
        for _ in range(2):
            with Exporter(folder, config) as exporter:
                exporter.wait_ready()
                exporter.wait_metric("zeros", lambda m: m.all(
                    "defender_findings_opened_total", risk_level="low"))
                advance(fake, model)
                exporter.wait_metric("the ledger", lambda m: m.sum(
                    "defender_findings_opened_total") + m.sum("defender_findings_reopened_total")
                    > opened + reopened, 30)
                metrics = exporter.metrics()
                opened = metrics.sum("defender_findings_opened_total")
                reopened = metrics.sum("defender_findings_reopened_total")
                resolved = metrics.sum("defender_findings_resolved_total")
                equal(metrics.types["defender_findings_opened_total"], "counter", "type")
        with Exporter(folder, config) as exporter:
            exporter.wait_answering()
            metrics = exporter.wait_metric("what the database held", lambda m: m.all(
                "defender_findings_opened_total"))
            assert metrics.sum("defender_findings_opened_total") >= opened
            assert metrics.sum("defender_findings_resolved_total") >= resolved


def test_storage_that_cannot_be_written_is_no_reason_to_stop():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        config = settings(fake.url, folder.file("secret", SECRET), COLLECTORS)
        with Exporter(folder, config, "--storage.path=/proc/nowhere") as exporter:
            exporter.wait_ready()
            contains(exporter.log, "nothing is kept", "log")
            equal(exporter.get("/api/v2/alerts").status, 503, "API without alerts")
            assert exporter.metrics().all("defender_findings")
        config = configuration(fake, folder, [receiver(sink)])
        exporter = Exporter(folder, config, "--storage.path=/proc/nowhere")
        with exporter:
            equal(exporter.wait_end(), 2, "exit status")
            contains(exporter.log, "alerts need a folder that can be written", "log")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def test_a_second_service_and_a_damaged_file_are_refused():
    with Folder() as folder, tenant() as fake:
        config = settings(fake.url, folder.file("secret", SECRET), COLLECTORS)
        with Exporter(folder, config) as first:
            first.wait_ready()
            with Exporter(folder, config) as second:
                equal(second.wait_end(), 2, "exit status")
                contains(second.log, "cannot start", "log of a second service")
        path = os.path.join(folder.path, "defender_exporter.db")
        for leftover in ("-wal", "-shm"):
            if os.path.exists(path + leftover):
                os.remove(path + leftover)
        with open(path, "r+b") as file:
            file.seek(100)
            file.write(b"garbage" * 600)
        damaged = digest(path)
        with Exporter(folder, config) as third:
            equal(third.wait_end(), 1, "exit status")
            contains(third.log, "defender_exporter.db", "log of a damaged file")
        equal(digest(path), damaged, "the damaged file")


def test_finding_links_lead_to_the_portal():
    with Folder() as folder, tenant() as fake:
        config = settings(fake.url, folder.file("secret", SECRET), COLLECTORS)
        rows = [a["id"] for a in fake.admin("dump")["assessments"] if a["code"] == "Unhealthy"]
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            page = f"/f/{finding_id(rows[0])}"
            link = page + "/portal"
            until("the ledger", lambda: exporter.get(link).status == 302)
            contains(exporter.get(link).headers["location"], "https://portal.azure.com/#", "link")
            contains(exporter.get(link).headers["location"], rows[0].rsplit("/", 1)[1], "link")
            shown = exporter.get(page)
            equal(shown.status, 200, "the page of the finding")
            contains(shown.text, "Its life", "the page of the finding")
            equal(exporter.get("/f/0000000000000000").status, 404, "a finding nobody knows")
            equal(exporter.get("/f/../metrics").status, 404, "no finding at all")
            equal(exporter.get(link, method="POST").status, 405, "POST")


def test_operators_see_retry_and_drop_messages():
    verdict = {"status": 400}
    with Folder() as folder, Sink(lambda message: verdict["status"]) as sink, tenant() as fake:
        config = configuration(fake, folder, [receiver(sink)], ledger={"first_run": "silent"})
        model = Model(fake.admin("dump"))
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            advance(fake, model)
            exporter.wait_metric("dead letters", lambda m: m.sum(
                "defender_exporter_outbox_messages", state="dead") >= 1, 30)
            status, text = command(folder, "outbox", "list")
            equal(status, 0, text)
            contains(text, "clientError", "outbox list")
            message = text.split()[0]
            status, text = command(folder, "outbox", "list", "--state", "dead")
            equal((status, {row.split()[1] for row in text.splitlines()}), (0, {"dead"}), text)
            equal(command(folder, "outbox", "list", "--state", "sent"), (0, ""), "the sent ones")
            equal(command(folder, "outbox", "list", "--state", "lost")[0], 2, "a state of none")
            status, text = command(folder, "outbox", "show", message)
            equal(status, 0, text)
            equal(json.loads(text.splitlines()[1])["receiver"], "team", "outbox show")
            verdict["status"] = None
            status, text = command(folder, "outbox", "retry", message)
            equal((status, text), (0, f"{message} queued again\n"), "outbox retry")
            until("the retried message", lambda: message in [m["id"] for m in sink.taken()], 30)
            equal(command(folder, "outbox", "retry", message)[0], 1, "retry of an accepted one")
            equal(command(folder, "outbox", "show", "nothing")[0], 1, "show of no message")
            until("the API's list of accepted ones", lambda: message in [
                m["id"] for m in exporter.get("/api/v1/outbox?state=sent").json()["messages"]])
            shown = exporter.get(f"/api/v1/outbox/{message}").json()
            equal(shown["state"], "sent", "the API's message")


def test_silences_from_the_command_line_hold_notifications_back():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        config = configuration(fake, folder, [receiver(sink)], ledger={"first_run": "silent"})
        model = Model(fake.admin("dump"))
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            status, silence = command(folder, "silence", "add", "alertname=Finding",
                                      "--duration=1h", "--comment=works", "--author=tester")
            equal(status, 0, silence)
            silence = silence.strip()
            contains(command(folder, "silence", "list")[1], silence, "silence list")
            advance(fake, model)
            exporter.wait_metric("silenced alerts", lambda m: m.one(
                "defender_exporter_alerts", state="silenced") > 0, 30)
            equal(sink.taken(), [], "pages while silenced")
            equal(command(folder, "silence", "expire", silence)[0], 0, "silence expire")
            firing = {t for t in model.told if t[1] not in OVER}
            until("what is still true", lambda: firing & told(sink), 30)


def test_the_command_in_a_message_silences_it_and_nothing_else():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        config = configuration(fake, folder, [receiver(sink)], ledger={"first_run": "silent"},
                               route={"group_by": ["alertname", "subscription_id"]})
        folder.file("defender_exporter", f"#!/bin/sh\nexec {os.path.abspath(EXPORTER)} \"$@\"\n")
        os.chmod(f"{folder.path}/defender_exporter", 0o755)
        model = Model(fake.admin("dump"))
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            advance(fake, model)
            until("a page about two", lambda: [m for m in sink.taken() if open_alerts(m)[1:]], 30)
            until("decisions", lambda: settled(folder, model), 30)
            message = [m for m in sink.taken() if open_alerts(m)[1:]][0]
            done = subprocess.run(["sh", "-c", message["body"]["data"]["silence_command"]],
                                  env={"PATH": f"{folder.path}:/usr/bin:/bin",
                                       "DEFENDER_EXPORTER_STORAGE_PATH": str(folder.path)},
                                  capture_output=True, text=True, timeout=30 * SLOWNESS,
                                  check=False)
            equal(done.returncode, 0, done.stderr)
            equal(len(done.stdout.strip()), 36, f"id of a silence: {done.stdout}")
            alerts = exporter.get("/api/v2/alerts").json()
            silenced = {a["labels"]["finding_id"] for a in alerts if a["status"]["silencedBy"]}
            firing = {a["labels"]["finding_id"] for a in alerts}
            equal(silenced, set(open_alerts(message)) & firing, "silenced findings")
            assert silenced and firing - silenced, f"{len(silenced)} of {len(firing)} are silenced"


def test_a_command_names_the_receivers_of_an_alert():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        config = configuration(fake, folder, [receiver(sink), receiver(sink, "cloud")])
        config["alerts"]["route"] = {"receiver": "team", "routes": [
            {"matchers": ['cloud=~"aws|gcp"'], "receiver": "cloud", "continue": True},
            {"matchers": ["risk_level=critical"], "receiver": "team"}]}
        folder.file("defender_exporter.yml", config)
        for labels, receivers in ((["cloud=aws", "risk_level=critical"], "cloud\nteam\n"),
                                  (["cloud=aws"], "cloud\n"), (["cloud=azure"], "team\n"),
                                  ([], "team\n")):
            equal(command(folder, "test", "route", *labels), (0, receivers), f"route of {labels}")
        for wrong, reason in (("claud=aws", "did you mean cloud"),
                              ("cloud!=aws", "a label is name=value")):
            status, text = command(folder, "test", "route", wrong)
            equal(status, 1, text)
            contains(text, reason, wrong)
        status, text = command(folder, "silence", "add", "risk=low")
        equal(status, 1, text)
        contains(text, 'no alert can have the label "risk"', "a silence that would match nothing")


def test_receivers_are_tested_over_the_real_path():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        config = configuration(fake, folder,
                               [receiver(sink, signing_secret="whsec_" + SIGNING_KEY)])
        folder.file("defender_exporter.yml", config)
        status, text = command(folder, "test", "receiver", "team")
        equal(status, 0, text)
        contains(text, "firing notification accepted", "output")
        contains(text, "resolved notification accepted", "output")
        equal([m["body"]["data"]["test"] for m in sink.taken()], [True, True], "marked as a test")
        for message in sink.taken():
            contains(message["body"]["data"]["title"], "[TEST]", "title")
            check_signature(message)
        status, text = command(folder, "test", "receiver", "tem")
        equal(status, 1, text)
        contains(text, "did you mean team", "a mistyped name")
        equal(command(folder, "check", "rules")[0], 0, "check rules")
        wrong = folder.file("wrong.yml", "groups: [{name: g, rules: [{alert: A, event: [x.y]}]}]")
        status, text = command(folder, "check", "rules", wrong)
        equal(status, 2, text)
        contains(text, "wrong.yml:1", "the wrong rule")


def test_replay_prints_what_would_have_been_sent():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        quiet = settings(fake.url, folder.file("secret", SECRET), COLLECTORS)
        model = Model(fake.admin("dump"))
        with Exporter(folder, quiet) as exporter:
            exporter.wait_ready()
            for _ in range(2):
                advance(fake, model)
                exporter.wait_metric("the ledger", lambda m: m.sum(
                    "defender_findings_opened_total") + m.sum("defender_findings_reopened_total")
                    >= len({t for t in model.told if t[1] not in OVER}), 30)
        folder.file("defender_exporter.yml", configuration(fake, folder, [receiver(sink)]))
        status, text = command(folder, "replay", "--since=1h")
        equal(status, 0, text)
        for event in ("finding.opened", "finding.reopened", "finding.exemption_expired"):
            want = sum(1 for told_one in model.told if told_one[1] == event)
            equal(text.count(f" {event} "), want, f"{event} in:\n{text}")
        equal(sink.taken(), [], "replay sends nothing")


def test_reload_changes_receivers_and_keeps_what_waits():
    with Folder() as folder, Sink() as first, Sink() as second, tenant() as fake:
        model = Model(fake.admin("dump"))
        config = configuration(fake, folder, [receiver(first)], ledger={"first_run": "silent"})
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            advance(fake, model)
            until("pages", lambda: model.told <= told(first), 30)
            folder.file("defender_exporter.yml", configuration(
                fake, folder, [receiver(second, "other")], ledger={"first_run": "silent"}))
            exporter.send(signal.SIGHUP)
            exporter.wait_for("msg=reloaded")
            before = set(model.told)
            advance(fake, model)
            until("pages elsewhere", lambda: {
                t for t in model.told - before if t[1] == "finding.opened"} <= told(second), 30)
            equal(told(first), before, "told to the receiver that is gone")
            broken = configuration(fake, folder, [receiver(second, "other")])
            broken["alerts"]["route"]["receiver"] = "nobody"
            folder.file("defender_exporter.yml", broken)
            exporter.send(signal.SIGHUP)
            exporter.wait_for("reload failed")
            assert exporter.alive


def test_run_once_notifies_and_ends():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        config = configuration(fake, folder, [receiver(sink)])
        file = folder.file("defender_exporter.yml", config)
        arguments = [EXPORTER, "run", "--once", "--notify", f"--config.file={file}",
                     f"--storage.path={folder.path}", "--log.level=warn"]
        for _ in range(2):
            with Program(arguments) as once:
                equal(once.wait_end(), 0, "exit status")
        equal([m["body"]["type"] for m in sink.taken()], ["digest"], "pages of two runs")


def test_heartbeats_go_out_while_all_is_well():
    with Folder() as folder, Sink() as sink, tenant() as fake:
        config = configuration(fake, folder, [receiver(sink)], ledger={"first_run": "silent"},
                               heartbeat={"url": sink.url + "/beat", "interval": "1s",
                                          "allow_private": True})
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            until("beats", lambda: sum(m["path"] == "/hook/beat" for m in sink.taken()) >= 2)
            fake.fault("503")
            metrics = exporter.wait_metric("beats held back", lambda m: m.one(
                "defender_exporter_heartbeats_failed_total", reason="notReady") > 0, 40)
            assert metrics.one("defender_exporter_heartbeats_total") >= 3


def test_secrets_of_receivers_are_never_seen():
    secret = "T0PS3CRETTOKEN99"
    with Folder() as folder, Sink(lambda message: 401) as sink, tenant() as fake:
        one = {"name": "team", "webhook": {
            "url": sink.url + "/" + secret, "signing_secret": "whsec_" + SIGNING_KEY,
            "http": {"allow_private": True, "bearer_token": "bearer-" + secret}}}
        config = configuration(fake, folder, [one])
        with Exporter(folder, config, "--log.level=debug") as exporter:
            exporter.wait_ready()
            exporter.wait_metric("a refusal", lambda m: m.sum(
                "defender_exporter_notifications_failed_total", reason="authError") > 0, 30)
            seen = [exporter.log, exporter.metrics().text, exporter.get("/").text,
                    exporter.get("/api/v1/outbox").text, exporter.get("/api/v2/status").text,
                    command(folder, "outbox", "list")[1]]
            message = exporter.get("/api/v1/outbox").json()["messages"][0]["id"]
            seen += [command(folder, "outbox", "show", message)[1]]
            for text in seen:
                assert secret not in text and SIGNING_KEY not in text, text


if __name__ == "__main__":
    run(globals())
