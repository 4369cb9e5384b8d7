#!/usr/bin/env python3
"""Nothing lost, nothing invented: the exporter is killed at random instants while findings open and
close and the receiver flaps. What was accepted is what the stand-in's history says must be told,
and comes again only when it was under way as the exporter died; its database opens each time.

ALERTS_KILLS: how often (default 100, with --all 300); ALERTS_SEED: of the dice.
"""
import os
import random
import re
import signal
import time

from alerts_model import Model, query, settled, told_of
from harness import ALL, SECRET, Exporter, Fake, Folder, equal, run, settings, until
from sink import Sink, receiver

KILLS = int(os.environ.get("ALERTS_KILLS", "300" if ALL else "100"))
SEED = int(os.environ.get("ALERTS_SEED", "20261121"))
KILLS_PER_GENERATION = 4
INTERVAL = "1s"

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
        {name: {"interval": INTERVAL} for name in ("subscriptions", "assessments")}
        | {name: {"enabled": False} for name in ("secure_scores", "baselines", "catalogue")},
        alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                "route": {"receiver": "team", "group_by": ["..."], "group_interval": "1s"},
                "governor": {"messages": 0}})


class Dice:
    """A receiver that accepts, refuses, answers late or not at all."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.calm = False

    def __call__(self, message):
        roll = 1 if self.calm else self.random.random()
        if roll < 0.06:
            return 503
        if roll < 0.10:
            return "close"
        if roll < 0.13:
            return 429
        if roll < 0.16:
            time.sleep(0.4)  # accepted, but late
        if roll < 0.18:
            return "half"
        return None


def check_accepted(sink, model):
    accepted, ids, bodies = set(), {}, {}
    for message in sink.taken():
        bodies.setdefault(message["id"], message["raw"])
        equal(message["raw"], bodies[message["id"]], "body of a repeated message")
        for told in told_of(message):
            accepted.add(told)
            ids.setdefault(told, set()).add(message["id"])
    equal({t: len(i) for t, i in ids.items() if len(i) > 1}, {}, "told under several message ids")
    equal(accepted - model.told, set(), "told, but never happened")
    equal(model.told - accepted, set(), "happened, but never told")


def check_once(sink):
    """What comes again was the last one on its connection: its answer may not have been read."""
    last, taken = {}, sink.taken()
    for message in sorted(taken + list(sink.refused), key=lambda message: message["at"]):
        last[message["connection"]] = message
    newest = {message["id"]: message for message in taken}
    again = [m for m in taken if m is not newest[m["id"]] and m is not last[m["connection"]]]
    equal([m["id"] for m in again], [], "accepted, and sent again all the same")


def check_life(log):
    """Whatever there was to read after a death, it was read."""
    equal(re.findall(".*(?:level=ERROR|the database is new).*", log), [], "what a life says")


def test_killed_at_random_nothing_is_lost_or_invented():
    dice = random.Random(SEED)
    answers = Dice(SEED + 1)
    kills = 0
    with Folder() as folder, Sink(answers) as sink, \
            Fake("--provable", "--assessments", "3000", "--machines", "0", "--seed", SEED) as fake:
        config = configuration(fake, folder, sink)
        model = Model(fake.admin("dump"))
        with Exporter(folder, config):
            until("the first collection", lambda: settled(folder, model), 30)
        while kills < KILLS:
            fake.admin("advance?steps=1", "POST")
            model.advance(fake.admin("history"))
            for _ in range(min(KILLS_PER_GENERATION, KILLS - kills)):
                exporter = Exporter(folder, config)
                time.sleep(dice.uniform(0, 0.9))
                exporter.stop(signal.SIGKILL)
                check_life(exporter.log)
                exporter.output.close()
                kills += 1
            with Exporter(folder, config) as exporter:
                until(f"generation {model.generation}", lambda: settled(folder, model), 60)
                check_life(exporter.log)
        answers.calm = True
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            until("an empty outbox", lambda: not query(
                folder, "SELECT id FROM outbox_message WHERE state = 'queued'"), 180)
            equal(query(folder, "SELECT id, last_reason FROM outbox_message WHERE state = 'dead'"),
                  set(), "dead messages")
            log = exporter.log
        equal(query(folder, "PRAGMA integrity_check"), {("ok",)}, "the database")
        check_accepted(sink, model)
        check_once(sink)
        repeated = len(sink.messages) - len({m["id"] for m in sink.messages})
        print(f"{kills} kills, {model.generation} generations, {len(model.told)} to tell, "
              f"{len(sink.messages)} accepted, {repeated} of them repeats, "
              f"{len(sink.refused)} refused")
        assert len(model.told) > kills // 2, log


if __name__ == "__main__":
    run(globals())
