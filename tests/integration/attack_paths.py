#!/usr/bin/env python3
"""Attack paths from Azure to a message: which open, which end, and what is said of a finding they
lie across."""
from alerts_model import finding_id, query
from harness import SECRET, Exporter, Fake, Folder, contains, equal, run, settings, until
from sink import Sink, receiver

RULES = """
groups:
- name: all
  rules:
  - alert: AttackPath
    event: attack_path.opened
  - alert: Finding
    event: [finding.opened, finding.reopened]
    on_attack_path: true
"""
COLLECTORS = {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s"},
              "attack_paths": {"interval": "1s"}, "secure_scores": {"enabled": False},
              "baselines": {"enabled": False}}
TENANT = ("--seed", "3", "--assessments", "800")
OPENED = ("attack_path.opened", "finding.reopened")


def configuration(fake, folder, sink):
    folder.file("rules.yml", RULES)
    config = settings(fake.url, folder.file("secret", SECRET), COLLECTORS, alerts={
        "rules": ["rules.yml"], "governor": {"messages": 0}, "receivers": [receiver(sink)],
        "route": {"receiver": "team", "group_by": ["..."], "group_wait": "0s",
                  "group_interval": "1s"}})
    config["metrics"] = {"opt_in_list": "defender_attack_path_info"}
    return config


def paths_of(fake):
    """Every path there is now, by the id of its finding: whether it is told with its graph."""
    dump = fake.admin("dump")
    looked_at = {s["subscriptionId"] for s in dump["subscriptions"] if s["posturePlan"]}
    return {finding_id(f"/subscriptions/{row['subscriptionId']}/providers/microsoft.security/"
                       f"attackpaths/{name}", "attack_paths"): number % 2 == 0
            for row in dump["assessments"] for number, name in enumerate(row["paths"])
            if row["code"] == "Unhealthy" and row["subscriptionId"] in looked_at}


def open_in(folder):
    return {row.hex()[:16] for (row,) in query(
        folder, "SELECT id FROM ledger_known WHERE is_open = 1 AND source = 'attack_paths'")}


def ended_in(folder):
    return {(row.hex()[:16], reason) for row, reason in query(
        folder, "SELECT id, reason FROM ledger_known WHERE is_open = 0"
                " AND source = 'attack_paths'")}


def told(sink, *words):
    """Findings of messages of these types."""
    return {resource["finding_id"] for message in sink.taken() for block in
            message["body"]["data"]["blocks"] for resource in block.get("resources", [])
            if message["body"]["type"] in words}


def blocks(sink):
    return [block for message in sink.taken() for block in message["body"]["data"]["blocks"]]


def test_paths_open_and_end():
    with Folder() as folder, Sink() as sink, Fake(*TENANT) as fake:
        before = paths_of(fake)
        with Exporter(folder, configuration(fake, folder, sink)) as exporter:
            exporter.wait_ready()
            until("paths of the start", lambda: open_in(folder) == set(before))
            equal(told(sink, *OPENED), set(), "what was there before")
            fake.admin("advance?steps=30", "POST")
            after = paths_of(fake)
            opened, ended = set(after) - set(before), set(before) - set(after)
            equal((bool(opened), bool(ended)), (True, True), "some open, some end")
            until("paths of now", lambda: open_in(folder) == set(after))
            until("paths that ended", lambda: ended_in(folder) == {(one, 0) for one in ended})
            until("messages", lambda: opened <= told(sink, *OPENED))
            equal(told(sink, "attack_path.opened"), opened, "messages about paths")
            metrics = exporter.metrics()
            equal(metrics.sum("defender_attack_paths"), len(after), "paths counted")
            shown = {labels["finding_id"]: labels for labels, _ in
                     metrics.all("defender_attack_path_info")}
            equal(set(shown), set(after), "paths shown")
            check_words(sink, shown, after, opened)


def check_words(sink, shown, after, opened):
    for one in opened:
        labels = shown[one]
        way = labels["chain"].split(" \u2192 ")
        equal((way[0], way[-1]), (labels["entry_point"], labels["target"]), "ends")
        equal(len(way), 4 if after[one] else 2, labels["chain"])
    said = {block.get("found", "").split("; ")[0] for block in blocks(sink)
            if block["event"] in OPENED}
    equal({shown[one]["chain"] for one in opened} - said, set(), "ways not told")
    named = [block for block in blocks(sink) if block.get("attack_path_names")]
    equal(bool(named), True, "findings that name their paths")
    for block in named:
        contains(block["attack_path_names"], " to kv-", "a path by name")


if __name__ == "__main__":
    run(globals())
