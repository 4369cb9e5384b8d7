#!/usr/bin/env python3
"""A database of an earlier version, opened by this one: nothing is sent again, nothing is lost, and
life goes on. tests/upgrade/v<schema>.db.xz was written by the program of that time:

  DEFENDER_EXPORTER=... FAKE_AZURE=... tests/integration/upgrade.py make FILE

A change of the schema adds a file made by the version before it; this test then runs on all."""
import glob
import json
import lzma
import os
import re
import sqlite3
import sys
import time
from collections import Counter as tally

from alerts_flow import command
from alerts_model import Model, finding_id, fingerprint, query, queued_ever, settled, told_of
from harness import ROOT, SECRET, Exporter, Fake, Folder, equal, run, settings, until
from sink import Sink, receiver

FILES = os.environ.get("UPGRADE_FILES", os.path.join(ROOT, "tests/upgrade"))
NOW = 1795680000  # the clock of the tenant when the files were made
STEPS = 12        # what had happened to it by then
RISKS = ("critical", "high", "medium", "low", "not_evaluated")
RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
    match: ['source="assessments"']
    labels: {team: cloud}
  - alert: Overdue
    event: [finding.overdue, finding.no_longer_overdue]
  - alert: Score
    metric: defender_secure_score_ratio
    below: 0.99
"""
TABLES = ("store", "ledger_assessment", "ledger_finding", "ledger_event", "active_alert",
          "group_state", "group_member", "silence", "governor_fold", "outbox_message",
          "outbox_member")
SINCE_2 = ("ledger_adoption", "outbox_thread")
READ_AS = {"ledger_finding": "ledger_known"}  # since version 2: texts that rows share
DATES = ("opened_at", "changed_at", "overdue_at")  # of version 1: Azure's since, by check_dates
NAMES = ("cloud", "connector", "account", "subscription_name", "management_group", "control")
OTHER_CLOUDS = ("microsoft.security/securityconnectors/securityentitydata",  # their types, before
                "aws-resource", "gcp-resource", "devops-resource")           # and since version 2
OVER = ("finding.resolved", "finding.exempted")


def tenant(now):
    return Fake("--assessments", "50000", "--machines", "0", "--seed", "23", "--now", int(now))


def configuration(fake, folder, sink):
    folder.file("rules.yml", RULES)
    return settings(
        fake.url, folder.file("secret", SECRET),
        {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "2s", "timeout": "60s"},
         "secure_scores": {"interval": "5s"}, "baselines": {"enabled": False},
         # whose findings are none of what was there
         "attack_paths": {"enabled": False}, "security_alerts": {"enabled": False}},
        collector={"max_staleness": "1h"},  # however slow the machine is
        alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                "route": {"receiver": "team", "group_by": ["..."], "group_interval": "1s"},
                "governor": {"messages": 0, "digest": "1s"}})


def path_of(folder):
    return os.path.join(folder.path, "defender_exporter.db")


def advance(fake, folder, model):
    fake.admin("advance?steps=1", "POST")
    model.advance(fake.admin("history"))
    until("the ledger", lambda: settled_ledger(folder, model), 120)


def settled_ledger(folder, model):
    """Only some findings are paged, so what is told says nothing of whether all is decided."""
    return settled(folder, Known(model))


class Known:
    """A model of which only the open findings are asked for."""

    def __init__(self, model):
        self.open_ids, self.told = model.open_ids, set()


def states(folder, table):
    """How many rows of a table are in which state."""
    return tally({state: count for state, count in query(
        folder, f"SELECT state, COUNT(*) FROM {table} GROUP BY state")})


def count_open(folder):
    return len(query(folder, "SELECT id FROM ledger_finding WHERE is_open = 1"))


# --- going on -------------------------------------------------------------------------------------

def version_of(folder):
    return query(folder, "PRAGMA user_version").pop()[0]


def columns_of(folder):
    """The columns of the version before, by table: newer ones are not compared."""
    old = version_of(folder) == 1
    return {table: ", ".join(sorted(column for column, in query(
        folder, f"SELECT name FROM pragma_table_info('{read_as(folder, table)}')")
        if not (old and table == "ledger_finding" and column in DATES)))
        for table in TABLES + (() if old else SINCE_2)}


def read_as(folder, table):
    views = {view for view, in query(folder, "SELECT name FROM sqlite_master WHERE type = 'view'")}
    return READ_AS[table] if READ_AS.get(table) in views else table


def rows_of(folder, columns):
    """Everything that must stay as it was, row by row."""
    return {table: query(folder, f"SELECT {names} FROM {read_as(folder, table)}")
            for table, names in columns.items()}


def unpack(file, folder):
    """The database as if it had been closed a moment ago; the seconds it was moved by."""
    with open(file, "rb") as packed, open(path_of(folder), "wb") as out:
        out.write(lzma.decompress(packed.read()))
    database = sqlite3.connect(path_of(folder))
    written_at = database.execute("SELECT MAX(created_at) FROM outbox_message").fetchone()[0]
    moved = int(time.time()) - written_at - 60
    for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
        for column in database.execute(f"SELECT name FROM pragma_table_info('{table}')"):
            if re.search(r"(^|_)at$", column[0]):
                database.execute(f"UPDATE {table} SET {column[0]} = {column[0]} + {moved}"
                                 f" WHERE {column[0]} > 0")
    database.commit()
    database.close()
    return moved


# --- what version 1 called otherwise --------------------------------------------------------------

def group_of(alert):
    name, finding = alert["labels"]["alertname"], alert["labels"].get("finding_id")
    return ('{}:{alertname="%s", %s="%s"}' %
            (name, *(("finding_id", finding) if finding else ("fingerprint", fingerprint(alert)))))


def identified(before, columns):
    """The rows of version 1 as they are since an alert is its rule and its subject: a finding that
    was rated anew was two alerts, of which the one that fires stays."""
    rows = {table: [dict(zip(columns[table].split(", "), row)) for row in before[table]]
            for table in TABLES}
    order = ("firing", "pending", "resolved")
    known = {row["fingerprint"]: json.loads(row["alert"]) for row in sorted(
        rows["active_alert"], key=lambda row: (order.index(row["state"]), -row["active_at"],
                                               row["fingerprint"]))}
    other = {old: fingerprint(alert) for old, alert in known.items()}
    kept = {new: old for old, new in reversed(list(other.items()))}
    gone = set(known) - set(kept.values())
    assert gone, "no finding of the old database was rated anew"
    groups = {row["group_key"]: group_of(known[row["fingerprint"]])
              for row in rows["group_member"]}
    for table in ("active_alert", "group_member", "governor_fold"):
        rows[table] = [row for row in rows[table] if row["fingerprint"] not in gone]
    for row in (row for table in TABLES for row in rows[table]):
        old = row.get("fingerprint")
        if old in gone:  # what was told of it stays as it is
            continue
        if "alert" in row:
            row["alert"] = row["alert"].replace(f'"fingerprint":"{old}"',
                                                f'"fingerprint":"{other[old]}"')
        for column, names in (("fingerprint", other), ("group_key", groups)):
            if column in row:
                row[column] = names.get(row[column], row[column])
    rows["store"].append({"key": "alert_identity", "value": "rule and subject"})
    rows["store"].append({"key": "counters.since", "value": str(min(
        row["first_seen_at"] for row in rows["ledger_assessment"]))})
    return {table: {tuple(row[name] for name in columns[table].split(", "))
                    for row in rows[table]} for table in TABLES}


# Members that the first version told again beside its columns: one to check, one to leave out.
DOUBLE = {"fingerprint": "fingerprint", "rule": "rule", "event": "event", "episode": "episode",
          "finding": "finding_id"}


def without_names(rows, columns):
    """Alerts without the names that only later versions give them, and told once."""
    columns = columns["active_alert"].split(", ")
    at = columns.index("alert")
    out = set()
    for row in rows:
        alert = json.loads(row[at])
        for member, column in DOUBLE.items():
            kept = row[columns.index(column)]
            kept = (kept or b"").hex() if column == "finding_id" else kept
            equal(alert.pop(member, kept), kept, f"{member} of an alert and its column")
        equal(alert.pop("risk_level", RISKS[row[columns.index("risk")]]),
              RISKS[row[columns.index("risk")]], "risk of an alert and its column")
        alert = {member: value for member, value in alert.items() if value or member == "labels"}
        alert["labels"] = {n: v for n, v in alert["labels"].items()
                           if n not in NAMES and v not in OTHER_CLOUDS}
        out.add(row[:at] + (json.dumps(alert, sort_keys=True),) + row[at + 1:])
    return out


def check_pages(folder):
    """What waits, and what is told again, names alerts as they are now."""
    told = query(folder, "SELECT fingerprint, page FROM outbox_message JOIN outbox_member"
                         " ON message_id = id WHERE fingerprint IN"
                         " (SELECT fingerprint FROM active_alert)")
    assert told, "nothing was told of any alert"
    for name, page in told:
        assert name in {alert["fingerprint"] for alert in json.loads(page)["alerts"]}, name


def of_known_sources(rows, before):
    """Rows of the store without those about a source that the earlier version did not have."""
    def source(row):
        return re.sub(r"^(cover|adopted)\.", "", row[0])
    known = {source(row) for row in before}
    return {row for row in rows if source(row) == row[0] or source(row) in known}


def collections(exporter):
    return len(re.findall(r'msg="?(?:collected|first collection complete)"? collector=assessments',
                          exporter.log))


def about_dates(folder):
    """What was ever said of what is overdue: (finding, event, when)."""
    return query(folder, "SELECT finding_id, kind, at FROM ledger_event WHERE kind LIKE '%overdue'")


def check_dates(folder, dump, said):
    """Findings are as old as Azure says, some beyond their time, which is no news. said: of due
    dates before."""
    azure = {finding_id(row["id"]): row["changed"] for row in dump["assessments"]
             if row["code"] == "Unhealthy"}
    until("Azure's dates", lambda: azure == {row.hex()[:16]: at for row, at in query(
        folder, "SELECT id, opened_at FROM ledger_finding WHERE is_open = 1")}, 60)
    late = query(folder, "SELECT id FROM ledger_finding WHERE is_open = 1 AND overdue_at > 0")
    assert len(late) > 100, f"{len(late)} are overdue"
    equal(about_dates(folder), said, "events about what is overdue")


def check_at_rest(exporter, folder, sink, columns, before, waiting, version):
    """Nothing is sent but what waited, nothing is lost, nothing is decided anew."""
    until("what waited", lambda: not states(folder, "outbox_message")["queued"], 60)
    seen = collections(exporter)
    until("more collections", lambda: collections(exporter) >= seen + 3, 90)
    after = rows_of(folder, columns)
    check_pages(folder)
    if version == 1:
        before = identified(before, columns)
    after["store"] = of_known_sources(after["store"], before["store"])
    for rows in before, after:
        rows["store"] = {row for row in rows["store"] if "history.thinned" not in row}
        if version == 1:
            rows["active_alert"] = without_names(rows["active_alert"], columns)
    equal(query(folder, "SELECT source, subscription_id FROM ledger_known EXCEPT"
                        " SELECT source, subscription_id FROM ledger_adoption WHERE told = 1"),
          set(), "subscriptions that are not adopted")
    for table in columns:
        if table != "outbox_message":
            equal(len(after[table]), len(before[table]), f"rows of {table}")
            equal(sorted(after[table] ^ before[table], key=str)[:4], [], f"changes of {table}")
    equal(len(after["outbox_message"]), len(before["outbox_message"]), "messages")
    equal(sorted(m["id"] for m in sink.taken()), waiting, "messages that were sent")


def go_on(fake, folder, model, sink):
    """Until a new critical finding was paged, and the end of one that was paged before."""
    refused = {finding.hex()[:16] for finding, in query(
        folder, "SELECT finding_id FROM outbox_member JOIN outbox_message ON id = message_id"
                " WHERE state = 'dead' AND finding_id IS NOT NULL")}
    paged = {finding for finding, _, _ in model.told} - refused
    before, count = set(model.told), len(sink.taken())

    def wanted():
        silenced = {finding.hex()[:16] for finding, in query(
            folder, "SELECT id FROM ledger_finding WHERE risk = 3")}
        return {told_one for told_one in model.told - before
                if told_one[0] not in silenced
                and (told_one[1] not in OVER or told_one[0] not in refused)}

    def critical():
        return {alert["labels"]["finding_id"] for message in sink.taken()[count:]
                for alert in message["body"]["data"]["alerts"]
                if alert["labels"].get("risk_level") == "critical"
                and alert["event"] in ("finding.opened", "finding.reopened")}

    def ended():
        return {told_one for told_one in model.told - before
                if told_one[1] in OVER and told_one[0] in paged}
    for _ in range(60):
        advance(fake, folder, model)
        until("pages", lambda: wanted() <= told_after(sink, count), 60)
        if critical() and ended():
            break
    assert critical(), "no new critical finding"
    assert ended(), "no end of what was paged before"
    equal([alert["labels"] for message in sink.taken()[count:]
           for alert in message["body"]["data"]["alerts"]
           if alert["labels"].get("risk_level") == "low" and alert["event"] not in OVER], [],
          "firing alerts that are silenced")
    times = tally(told_one for message in sink.taken()[count:]
                  for told_one in told_of(message) if told_one in model.told)
    equal({told_one: n for told_one, n in times.items() if n > 1}, {}, "told more than once")


def told_after(sink, count):
    return set().union(*(told_of(message) for message in sink.taken()[count:]))


def test_a_database_of_an_earlier_version_goes_on():
    files = sorted(glob.glob(os.path.join(FILES, "v*.db.xz")))
    assert files, "no database of an earlier version"
    for file in files:
        with Folder() as folder, Sink() as sink:
            moved = unpack(file, folder)
            version, columns = version_of(folder), columns_of(folder)
            equal(os.path.basename(file), f"v{version}.db.xz", "a file's name and its version")
            before, said = rows_of(folder, columns), about_dates(folder)
            waiting = sorted(message for message, in query(
                folder, "SELECT id FROM outbox_message WHERE state = 'queued'"))
            assert count_open(folder) >= 10000, file
            assert states(folder, "active_alert")["firing"] >= 500, file
            assert waiting and states(folder, "outbox_message")["dead"], file
            with tenant(NOW + moved) as fake:
                model = Model(fake.admin("dump"))
                fake.admin(f"advance?steps={STEPS}", "POST")
                model.advance(fake.admin("history"))
                with Exporter(folder, configuration(fake, folder, sink),
                              "--log.level=debug") as exporter:
                    exporter.wait_ready(120)
                    check_dates(folder, fake.admin("dump"), said)
                    check_at_rest(exporter, folder, sink, columns, before, waiting, version)
                    go_on(fake, folder, model, sink)

# --- ten thousand ---------------------------------------------------------------------------------

def raise_alerts(folder):
    """An alert of version 1 for each finding that is open and has none, told under a key that
    nobody can work out; finding -> that key."""
    database = sqlite3.connect(path_of(folder))
    database.row_factory = sqlite3.Row
    alert_row, page = database.execute(
        "SELECT a.*, m.page FROM active_alert a JOIN outbox_member o USING (fingerprint)"
        " JOIN outbox_message m ON m.id = o.message_id WHERE m.state = 'sent'"
        " AND a.state = 'firing' AND a.finding_id IS NOT NULL LIMIT 1").fetchone(), None
    page = json.loads(alert_row["page"])
    message_row = dict(database.execute(
        "SELECT m.* FROM outbox_message m JOIN outbox_member o ON o.message_id = m.id"
        " WHERE m.state = 'sent' AND o.fingerprint = ?", (alert_row["fingerprint"],)).fetchone())
    group_row = dict(database.execute(
        "SELECT s.* FROM group_state s JOIN group_member g USING (receiver, group_key)"
        " WHERE g.fingerprint = ?", (alert_row["fingerprint"],)).fetchone())
    alert_row = dict(alert_row)
    del alert_row["page"]
    keys = {}
    for n, finding in enumerate(database.execute(
            "SELECT * FROM ledger_finding WHERE is_open = 1 AND source = 'assessments'"
            " AND id NOT IN (SELECT finding_id FROM active_alert WHERE finding_id IS NOT NULL)")
            .fetchall()):
        alert = json.loads(alert_row["alert"])
        name = finding["id"].hex()[:16]
        alert["finding"] = finding["id"].hex()
        alert["risk_level"] = RISKS[finding["risk"]]
        alert["labels"].update(
            finding_id=name, assessment_id=finding["assessment_id"],
            risk_level=RISKS[finding["risk"]],
            subscription_id=finding["subscription_id"], resource_name=finding["resource_name"],
            resource_group=finding["resource_group"], resource_type=finding["resource_type"])
        alert["fingerprint"] = f"{n:016x}"
        group = "{}:{" + ", ".join(f'{key}="{value}"' for key, value in
                                   sorted(alert["labels"].items())) + "}"
        keys[name] = f"dfx1-stored-{n}"
        insert(database, "active_alert", dict(
            alert_row, fingerprint=alert["fingerprint"], finding_id=finding["id"],
            risk=finding["risk"], subscription_id=finding["subscription_id"],
            episode=finding["episode"], alert=json.dumps(alert, separators=(",", ":"))))
        insert(database, "group_state", dict(group_row, group_key=group))
        insert(database, "group_member", {
            "receiver": "team", "group_key": group, "fingerprint": alert["fingerprint"],
            "state": "firing", "told": "firing", "muted_by": ""})
        message = f"01M8A{n:021d}"
        told = dict(page, group_key=group, dedup_key=keys[name], alerts=[alert])
        insert(database, "outbox_message", dict(
            message_row, id=message, dedup_key=keys[name],
            page=json.dumps(told, separators=(",", ":"))))
        insert(database, "outbox_member", {
            "message_id": message, "fingerprint": alert["fingerprint"],
            "finding_id": finding["id"], "episode": finding["episode"],
            "event": "finding.opened", "status": "firing"})
    database.execute("UPDATE ledger_finding SET quiet = 0")
    database.execute("DELETE FROM silence")
    database.commit()
    database.close()
    return keys


def insert(database, table, row):
    database.execute(f"INSERT INTO {table} ({', '.join(row)})"
                     f" VALUES ({', '.join('?' * len(row))})", tuple(row.values()))


def ends(folder):
    """The keys under which the end of findings was told."""
    return {finding.hex()[:16]: key for finding, key in query(
        folder, "SELECT a.finding_id, m.dedup_key FROM outbox_member a JOIN outbox_message m"
                " ON m.id = a.message_id WHERE a.status = 'resolved'"
                " AND a.finding_id IS NOT NULL AND m.created_at > strftime('%s') - 3600")}


def test_ten_thousand_firing_alerts_are_taken_over_in_silence():
    file = os.path.join(ROOT, "tests/upgrade/v1.db.xz")
    with Folder() as folder, Sink() as sink:
        moved = unpack(file, folder)
        keys = raise_alerts(folder)
        assert states(folder, "active_alert")["firing"] >= 10000, states(folder, "active_alert")
        waiting = sorted(message for message, in query(
            folder, "SELECT id FROM outbox_message WHERE state = 'queued'"))
        before = set(ends(folder))
        with tenant(NOW + moved) as fake:
            fake.admin(f"advance?steps={STEPS}", "POST")
            with Exporter(folder, configuration(fake, folder, sink),
                          "--log.level=debug") as exporter:
                exporter.wait_ready(120)
                until("what waited", lambda: not states(folder, "outbox_message")["queued"], 120)
                seen = collections(exporter)
                until("more collections", lambda: collections(exporter) >= seen + 3, 120)
                equal(sorted(m["id"] for m in sink.taken()), waiting, "messages that were sent")
                fake.admin("advance?steps=3", "POST")
                until("the end of one of them",
                      lambda: set(ends(folder)) & set(keys) - before, 120)
                told = {finding: key for finding, key in ends(folder).items()
                        if finding in keys and finding not in before}
                equal(told, {finding: keys[finding] for finding in told},
                      "keys under which incidents ended")


# --- making one -----------------------------------------------------------------------------------

def make(file):
    answer = {"status": None}
    with Folder() as folder, Sink(lambda message: answer["status"]) as sink, tenant(NOW) as fake:
        config = configuration(fake, folder, sink)
        model = Model(fake.admin("dump"))
        with Exporter(folder, config) as exporter:
            exporter.wait_ready(120)
            until("adoption", lambda: settled_ledger(folder, model), 120)
            until("the summary", sink.taken)
            for step in range(STEPS):
                if step == STEPS - 2:
                    answer["status"] = 400
                if step == STEPS - 1:
                    answer["status"] = 503
                advance(fake, folder, model)
                until("messages", lambda: model.told <= queued_ever(folder), 60)
                until("deliveries", lambda: step == STEPS - 1 or
                      not states(folder, "outbox_message")["queued"], 60)
            print(command(folder, "silence", "add", "risk_level=low", "--duration=48h",
                          "--comment=known", "--author=tester"))
            until("an attempt", lambda: query(
                folder, "SELECT 1 FROM outbox_message WHERE state = 'queued' AND attempts > 0"))
            print(states(folder, "active_alert"), states(folder, "outbox_message"))
            exporter.stop()
        pack(path_of(folder), file)


def pack(path, file):
    """Without what was deleted; the bytes of the rows are the program's."""
    database = sqlite3.connect(path)
    for table in TABLES:
        print(table, database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])
    database.execute("VACUUM INTO ?", (path + ".packed",))
    database.close()
    with open(path + ".packed", "rb") as source, open(file, "wb") as out:
        out.write(lzma.compress(source.read(), preset=9 | lzma.PRESET_EXTREME))
    print(os.path.getsize(path), "bytes", os.path.getsize(file), "packed")


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make(sys.argv[2])
    else:
        run(globals())
