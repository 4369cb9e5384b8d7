#!/usr/bin/env python3
"""Reloads are differences: what a configuration does not change goes on, runs under way too."""
import os

from harness import Exporter, Fake, Folder, SECRET, contains, equal, run, settings, until
from sink import Sink

TINY = ("--seed", "7", "--subscriptions", "2", "--assessments", "400", "--page-rows", "40")
RELOADS = 500


class Stage:
    """Stand-in, receiver and an exporter between them."""

    def __enter__(self):
        self.folder = Folder().__enter__()
        self.fake = Fake(*TINY)
        self.sink = Sink().__enter__()
        self.config = settings(
            self.fake.url, self.folder.file("secret", SECRET), {"subscriptions": {}},
            alerts={"receivers": [{"name": "hook", "webhook": {
                "url": self.sink.url, "http": {"allow_private": True}}}],
                    "route": {"receiver": "hook", "group_wait": "1s"},
                    "rules": [self.folder.file("rules.yml", RULES)],
                    "heartbeat": {"url": self.sink.url + "/beat", "interval": "1h",
                                  "allow_private": True}})
        return self

    def start(self):
        self.exporter = Exporter(self.folder, self.config, "--web.enable-lifecycle", "--debug")
        return self.exporter.wait_answering()

    def reload(self, **changes):
        self.config = {**self.config, **changes}
        self.folder.file("defender_exporter.yml", self.config)
        answer = self.exporter.get("/-/reload", method="POST")
        equal(answer.status, 200, "a reload: " + answer.text)
        return answer.text

    def __exit__(self, *failure):
        try:
            self.exporter.__exit__(*failure)
        finally:
            self.fake.__exit__(*failure)
            self.sink.__exit__(*failure)
            self.folder.__exit__()


RULES = """groups:
  - name: findings
    rules:
      - alert: NewFinding
        event: finding.opened
      - alert: Score
        metric: defender_secure_score_ratio
        above: 0
"""


def open_things(pid):
    """Descriptors and threads."""
    return len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))


def runs(metrics):
    return {labels["collector"]: value for labels, value in
            metrics.all("defender_collector_last_success_timestamp_seconds")}


def test_500_reloads_during_a_slow_sweep():
    with Stage() as stage:
        stage.fake.fault("slow:ms=3,path=Microsoft.ResourceGraph")
        exporter = stage.start()
        until("a sweep under way", lambda: stage.fake.requests("graph") > 0)
        for _ in range(20):
            stage.reload()
        before = open_things(exporter.process.pid)
        for number in range(RELOADS - 20):
            stage.reload()
            if number % 50 == 0:
                equal(exporter.get("/-/healthy").status, 200, "health")
        until("all data, reload upon reload",
              lambda: stage.reload() and exporter.metrics().one("defender_up") == 1, 120)
        stage.fake.heal()
        after = until("no more open than before", lambda: all(
            now <= then + 4 for now, then in zip(open_things(exporter.process.pid), before))
            and open_things(exporter.process.pid))
        assert exporter.metrics().sum("defender_findings") > 0
        equal(stage.fake.requests("token"), 1, f"tokens ({before} open before, {after} after)")
        queries = stage.fake.requests("graph")
        until("a notification", lambda: stage.sink.messages)
        stage.reload()
        ids = [m["id"] for m in stage.sink.messages if m["id"]]
        equal(len(ids), len(set(ids)), "messages that were sent once")
        beats = [m for m in stage.sink.messages if m["path"].endswith("/beat")]
        equal(len(beats) <= 1, True, "no beat for a reload")
        equal(stage.fake.requests("graph"), queries, "queries after a last reload")


def test_a_changed_interval_changes_that_collector_only():
    with Stage() as stage:
        exporter = stage.start().wait_ready()
        first = exporter.wait_metric("all data", lambda m: m.one("defender_up") == 1)
        graph, token = stage.fake.requests("graph"), stage.fake.requests("token")
        stage.reload(collectors={"secure_scores": {"interval": "1s"}})
        exporter.wait_metric("other scores", lambda m: runs(m)["secure_scores"] >
                             runs(first)["secure_scores"] + 1)
        later = exporter.metrics()
        equal({k: v for k, v in runs(later).items() if k != "secure_scores"},
              {k: v for k, v in runs(first).items() if k != "secure_scores"}, "the others' runs")
        equal(stage.fake.requests("token"), token, "tokens")
        assert stage.fake.requests("graph") > graph


def test_what_needs_a_restart_is_named():
    with Stage() as stage:
        exporter = stage.start().wait_ready()
        shown = "defender_exporter_config_restart_needed"
        equal(exporter.metrics().one(shown), 0, "at the start")
        text = stage.reload(web={"max_requests": 7, "telemetry_path": "/other"})
        contains(text, "a restart is needed for web.telemetry_path, web.max_requests", "answer")
        contains(exporter.log, 'a change needs a restart', "log")
        exporter.wait_metric("the metric", lambda m: m.one(shown) == 1)
        equal(exporter.get("/metrics").status, 200, "the old path goes on")
        equal(stage.reload(web={}).strip(), "reloaded", "as it was")
        exporter.wait_metric("the metric", lambda m: m.one(shown) == 0)


def test_the_hash_covers_what_runs():
    with Stage() as stage:
        exporter = stage.start().wait_ready()

        def changed(what, before):
            return exporter.wait_metric(what, lambda m: m.one(
                "defender_exporter_config_hash") != before).one("defender_exporter_config_hash")
        value = exporter.metrics().one("defender_exporter_config_hash")
        stage.folder.file("rules.yml", RULES.replace("above: 0", "above: 0.9"))
        stage.reload()
        value = changed("another rule", value)
        stage.reload(log={"level": "debug"})
        value = changed("another key", value)
        with open(exporter.config_file, "a", encoding="utf-8") as file:
            file.write("\n# words\n")
        equal(exporter.get("/-/reload", method="POST").status, 200, "reload of a comment")
        equal(exporter.metrics().one("defender_exporter_config_hash"), value, "a comment")


if __name__ == "__main__":
    run(globals())
