#!/usr/bin/env python3
"""Storms: thousands of findings at once make few messages that account for every one of them, and
the first start on many open findings notifies once."""
import collections

from alerts_model import Model, finding_id, query, settled
from faults import until_ended
from harness import SECRET, Exporter, Fake, Folder, equal, run, settings, until
from sink import Sink, receiver

ASSESSMENTS, STEPS = 60000, 260
MESSAGES_MAX = 60  # 20 in ten minutes, twice that for critical ones, and digests
RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
    match: ['source="assessments"']
"""


def configuration(fake, folder, sink):
    folder.file("rules.yml", RULES)
    return settings(
        fake.url, folder.file("secret", SECRET),
        {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "2s", "timeout": "60s"},
         "secure_scores": {"interval": "1m"}, "baselines": {"interval": "1m"}},
        alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                "governor": {"digest": "5s"}})


def quiet(folder, sink, exporter):
    """Wait until everything is told: nothing waits, and further collections bring nothing."""
    def waiting():
        return query(folder, "SELECT id FROM outbox_message WHERE state = 'queued'") | query(
            folder, "SELECT receiver FROM governor_fold")
    while True:
        count = len(sink.taken())
        until("an empty outbox", lambda: not waiting(), 180)
        until_ended(exporter, 2, names=("assessments",))
        if count == len(sink.taken()) and not waiting():
            return


def test_a_storm_is_told_in_few_messages_that_add_up():
    with Folder() as folder, Sink() as sink, \
            Fake("--provable", "--assessments", ASSESSMENTS, "--machines", "50",
                 "--seed", "17") as fake:
        config = configuration(fake, folder, sink)
        model = Model(fake.admin("dump"))
        with Exporter(folder, config, "--log.level=debug") as exporter:
            exporter.wait_ready()
            until("adoption", lambda: settled(folder, model), 60)
            until("the first page", sink.taken, 60)
            quiet(folder, sink, exporter)
            first = sink.taken()
            equal([m["body"]["type"] for m in first], ["digest"], "pages of the first start")
            exporter.stop()
        assert len(model.open) > 10000, len(model.open)
        before = set(model.open)
        fake.admin(f"advance?steps={STEPS}", "POST")
        after = Model(fake.admin("dump")).open
        opened = {finding_id(row) for row in after - before}
        with Exporter(folder, config, "--log.level=debug") as exporter:
            exporter.wait_ready()
            until("decisions", lambda: opened <= {row[0].hex()[:16] for row in query(
                folder, "SELECT finding_id FROM outbox_member WHERE finding_id IS NOT NULL")}, 120)
            quiet(folder, sink, exporter)
            metrics = exporter.metrics()
        storm = sink.taken()[len(first):]
        print(f"{len(opened)} new findings, {len(storm)} messages, "
              f"{collections.Counter(m['body']['type'] for m in storm)}")
        assert len(opened) > 5000, len(opened)
        assert len(storm) <= MESSAGES_MAX, len(storm)
        equal(sum(m["body"]["data"]["firing_count"] for m in storm
                  if m["body"]["type"] in ("finding.opened", "finding.reopened", "digest")),
              len(opened), "findings the messages account for")
        for message in storm:
            data = message["body"]["data"]
            if message["body"]["type"] == "digest":
                equal(sum(row["count"] for row in data["counts"]),
                      data["firing_count"] + data["resolved_count"], "rows of a digest")
            assert len(message["raw"]) < 512 * 1024, len(message["raw"])
        folded = metrics.one("defender_exporter_notifications_suppressed_total", reason="governor")
        assert folded > 0


if __name__ == "__main__":
    run(globals())
