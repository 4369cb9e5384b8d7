#!/usr/bin/env python3
"""Installed today on debts of years: findings are as old as Azure says, what is overdue is one
digest, and the whole day is told in three messages. The same when the database was lost."""
import os
import time

from alerts_model import finding_id, query
from clocks import library
from faults import until_ended
from harness import SECRET, Exporter, Fake, Folder, equal, run, settings, until
from sink import Sink, receiver

HOUR, SLA_DAYS, MESSAGES_MAX = 3600, 30, 3
RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened, finding.risk_changed]
  - alert: Overdue
    event: [finding.overdue]
"""


def configuration(fake, folder, sink):
    folder.file("rules.yml", RULES)
    sla = {risk: f"{SLA_DAYS}d" for risk in ("critical", "high", "medium", "low", "not_evaluated")}
    return settings(
        fake.url, folder.file("secret", SECRET),
        {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s", "timeout": "60s"},
         "secure_scores": {"interval": "1m"}, "baselines": {"enabled": False}},
        alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                "route": {"receiver": "team", "group_by": ["..."], "group_interval": "1s"},
                "governor": {"digest": "1s"}, "ledger": {"sla": sla}})


def dates(dump):
    """Since when each open finding is open by Azure's word: None = it has none of use."""
    now = time.time()
    since = {finding_id(row["id"]): row["changed"] or row["firstEvaluated"]
             for row in dump["assessments"] if row["code"] == "Unhealthy"}
    return {finding: at if 0 < at <= now else None for finding, at in since.items()}


def check_ages(folder, azure, began):
    ledger = {row.hex()[:16]: at for row, at in query(
        folder, "SELECT id, opened_at FROM ledger_known WHERE is_open = 1"
                " AND source = 'assessments'")}
    equal(ledger.keys() ^ azure.keys(), set(), "open findings")
    equal({finding: at for finding, at in ledger.items() if azure[finding]},
          {finding: at for finding, at in azure.items() if at}, "dates of Azure")
    ours = [at for finding, at in ledger.items() if not azure[finding]]
    assert ours and all(began - 1 <= at <= time.time() for at in ours), "dates of our own"


def live(folder, fake, sink, hour):
    """The program as it runs at this hour of the day; what is overdue by its metrics."""
    with open(os.path.join(folder.path, "wall"), "w", encoding="ascii") as file:
        file.write(f"{hour * HOUR}")
    with Exporter(folder, configuration(fake, folder, sink), "--log.level=debug", environment={
            "LD_PRELOAD": library(), "WALL_CLOCK_FILE": file.name}) as exporter:
        exporter.wait_ready(60)
        until("the first run's digest", sink.taken, 60)
        until_ended(exporter, 2, names=("assessments",))
        until("an empty outbox", lambda: not query(
            folder, "SELECT id FROM outbox_message WHERE state = 'queued'"), 60)
        overdue = exporter.metrics().sum("defender_findings_overdue")
        exporter.stop()
    return overdue


def first_day(folder, fake, sink, azure, hours):
    began, count = time.time(), len(sink.taken())
    late = sum(at is not None for at in azure.values())
    for hour in hours:
        equal(live(folder, fake, sink, hour), late, f"overdue at {hour} h")
        if not hour:
            check_ages(folder, azure, began)
    told = sink.taken()[count:]
    assert 1 <= len(told) <= MESSAGES_MAX, [message["body"]["type"] for message in told]
    text = told[0]["raw"].decode()
    assert f"{late} overdue, the oldest open for" in text, text


def test_debts_of_years_are_one_digest_on_the_first_day():
    with Folder() as folder, Sink() as sink, \
            Fake("--assessments", "28000", "--machines", "0", "--seed", "31",
                 "--oldest-days", "1500") as fake:
        azure = dates(fake.admin("dump"))
        assert sum(at is not None for at in azure.values()) >= 5000
        first_day(folder, fake, sink, azure, (0, 12, 23))
        for name in os.listdir(folder.path):
            if name.startswith("defender_exporter.db"):
                os.unlink(os.path.join(folder.path, name))
        first_day(folder, fake, sink, azure, (0,))


if __name__ == "__main__":
    run(globals())
