#!/usr/bin/env python3
"""What is remembered of the past becomes blocks of Prometheus by its own tool, and Prometheus
answers with what stands in the tables."""
import bisect
import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import time

from harness import (EXPORTER, SECRET, SLOWNESS, Exporter, Fake, Folder, Program, Skip, contains,
                     equal, fetch, free_port, run, settings, until)

DAY = 86400
STEP = 900
LABELS = {"job": "defender", "instance": "host:9999"}
WORDS = [f"{name}={value}" for name, value in LABELS.items()]


def tool(name):
    found = shutil.which(name)
    if not found:
        raise Skip(f"no {name} on this machine")
    return found


class Past:
    """A database of the program in which so many days went by."""

    def __enter__(self):
        self.folder = Folder()
        self.folder.__enter__()
        with Fake("--seed", "4", "--subscriptions", "2", "--assessments", "300") as fake:
            self.config = settings(fake.url, self.folder.file("secret", SECRET))
            with Exporter(self.folder, self.config) as exporter:
                exporter.wait_ready()
                self.file = os.path.join(self.folder.path, "defender_exporter.db")
                self.config_file = exporter.config_file
                until("values are kept", lambda: self.rows("SELECT COUNT(*) FROM history")[0][0])
                self.scraped = exporter.wait_metric("what the ledger counts", lambda metrics: "\n"
                                                    "defender_findings_overdue" in metrics.text
                                                    and metrics).text
        self.now = int(time.time())
        self.live()
        return self

    def __exit__(self, *why):
        self.folder.__exit__(*why)

    def rows(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.file, timeout=60)) as database:
            return database.execute(sql, values).fetchall()

    def live(self):
        """70 days: a value every few hours, gaps, and findings that open and are resolved."""
        ids = [row[0] for row in self.rows("SELECT id FROM ledger_known WHERE risk = 0 AND"
                                           " subscription_id = (SELECT MIN(subscription_id)"
                                           " FROM ledger_known) ORDER BY id LIMIT 6")]
        self.subscription = self.rows("SELECT MIN(subscription_id) FROM ledger_known")[0][0]
        first = self.now - 70 * DAY
        with contextlib.closing(sqlite3.connect(self.file, timeout=60)) as database, database:
            database.execute("UPDATE ledger_adoption SET at = ?", (first,))
            for number, in database.execute("SELECT number FROM history_series").fetchall():
                at, value = first + number * 7, 1.0 + number / 3
                while at < self.now - 3 * DAY:
                    told = None if number % 5 == 0 and value % 7 < 1 else value
                    database.execute("INSERT INTO history VALUES (?, ?, ?)", (number, at, told))
                    at += 3 * 3600 + (number * 7919 + int(value) * 104729) % (2 * DAY)
                    value += 1.25
            events = [("finding.opened", 0, -1)] * len(ids) + \
                     [("finding.resolved", 0, 6)] + [("finding.resolved", 0, 0)] * 3
            # The first that is resolved is no longer assessed, which does not count.
            self.events = {"opened": [], "resolved": []}
            for place, (kind, risk, reason) in enumerate(events):
                at = first + (place + 1) * 67 * DAY // len(events) + place * 1234
                sequence = 1000 + place
                database.execute("INSERT INTO ledger_event VALUES (?, ?, ?, ?, 1, ?, ?, ?, 0, '')",
                                 (sequence, at, kind, ids[place % len(ids)], risk, risk, reason))
                if reason != 6:
                    self.events[kind.removeprefix("finding.")].append(at)
            for word, base in (("opened", 100), ("resolved", 40)):
                database.execute("INSERT OR REPLACE INTO ledger_counter VALUES (?, ?, -2, ?)",
                                 (f"defender_findings_{word}_total",
                                  f"{self.subscription},critical",
                                  base + len(self.events[word])))
        self.base = {"opened": 100, "resolved": 40}
        self.first = first

    def backfill(self, *words, code=0):
        done = subprocess.run([EXPORTER, f"--config.file={self.config_file}",
                               f"--storage.path={self.folder.path}", "backfill", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=120 * SLOWNESS)
        equal(done.returncode, code, done.stderr)
        return done.stdout, done.stderr

    def name_of(self, word):
        return (f'defender_findings_{word}_total{{subscription_id="{self.subscription}",'
                'risk_level="critical"}')

    def wanted(self, begin, end, step=STEP):
        """{series: {instant: value}} as the tables have it."""
        grid = range(-(-begin // step) * step, end, step)
        found = {}
        for number, name in self.rows("SELECT number, name FROM history_series"):
            rows = self.rows("SELECT at, value FROM history WHERE series = ? ORDER BY at", number)
            instants = [at for at, _ in rows]
            held = {at: rows[bisect.bisect_right(instants, at) - 1][1] for at in grid
                    if instants and instants[0] <= at}
            found[name] = {at: value for at, value in held.items() if value is not None}
        for word, events in self.events.items():
            found[self.name_of(word)] = {at: self.base[word] + bisect.bisect_right(events, at)
                                         for at in grid}
        return {name: values for name, values in found.items() if values}


SAMPLE = re.compile(r'(\w+(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?) (\S+) (\d+)')


def samples_of(text):
    """{series without the labels that were added: {instant: value}}; families stand together."""
    found, families = {}, []
    equal(text.splitlines()[-1], "# EOF", "the end")
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            families.append(line.split()[2])
        if line.startswith("#"):
            continue
        name, value, at = SAMPLE.fullmatch(line).groups()
        contains(name, families[-1], "samples below the head of their family")
        name = re.sub(r',?job="defender",instance="host:9999"', "", name).replace("{}", "")
        values = found.setdefault(name, {})
        equal(int(at) in values, False, f"twice: {line}")
        values[int(at)] = float(value)
    equal(len(set(families)), len(families), f"families: {families}")
    return found


def cut(found, begin, end):
    return {name: {at: value for at, value in values.items() if begin <= at < end}
            for name, values in found.items()
            if any(begin <= at < end for at in values)}


def test_blocks_of_promtool_answer_what_the_tables_have():
    tool("promtool")
    with Past() as past:
        files = os.path.join(past.folder.path, "files")
        blocks = os.path.join(past.folder.path, "blocks")
        os.makedirs(files)
        end = (past.now - 2 * DAY) // STEP * STEP
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
        begin = (past.now - 9 * DAY) // STEP * STEP
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin))
        past.backfill(f"--since={since}", f"--until={at}", f"--output={files}", *WORDS)
        for name in sorted(os.listdir(files)):
            done = subprocess.run([tool("promtool"), "tsdb", "create-blocks-from", "openmetrics",
                                   os.path.join(files, name), blocks], text=True,
                                  capture_output=True, check=False, timeout=120 * SLOWNESS)
            equal(done.returncode, 0, done.stdout + done.stderr)
        equal(len(os.listdir(files)), 8, "files, one a day")
        equal(len(os.listdir(blocks)) > 60, True, "blocks, of two hours")
        wanted = past.wanted(begin, end)
        equal(len(wanted) > 10, True, f"series: {sorted(wanted)}")
        equal(len(set(wanted[past.name_of("resolved")].values())), 2, "values of a counter")
        scraped = {line.rpartition(" ")[0] for line in past.scraped.splitlines()}
        equal(set(wanted) - scraped, set(), "series that a scrape does not have")
        port = free_port()
        config = past.folder.file("prometheus.yml", {"scrape_configs": []})
        with Program([tool("prometheus"), f"--config.file={config}",
                      f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={blocks}",
                      "--storage.tsdb.retention.time=400d"]):
            url = f"http://127.0.0.1:{port}"
            until("Prometheus is ready", lambda: is_ready(url), 60)
            answered = {}
            for name in {series.split("{")[0] for series in wanted}:
                query = (f"{url}/api/v1/query_range?query={name}&start={begin}&end={end - STEP}"
                         f"&step={STEP}")
                for result in fetch(query).json()["data"]["result"]:
                    labels = result["metric"]
                    equal({name: labels.pop(name) for name in LABELS}, LABELS, "labels")
                    answered[named(labels)] = {int(at): float(value)
                                               for at, value in result["values"]}
        equal(answered, {named(labels_of(name)): values for name, values in wanted.items()},
              "what Prometheus answers")


def is_ready(url):
    try:
        return fetch(url + "/-/ready").status == 200
    except OSError:
        return False


def labels_of(series):
    name, _, rest = series.partition("{")
    return {"__name__": name, **dict(re.findall(r'(\w+)="([^"]*)"', rest))}


def named(labels):
    return tuple(sorted(labels.items()))


def test_a_later_run_adds_nothing_twice():
    with Past() as past:
        ago = [past.now - 80 * DAY, past.now - 20 * DAY, past.now - 5 * DAY, past.now - DAY]
        at = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(instant)) for instant in ago]
        whole = past.wanted(past.first, ago[3], 3600)
        told = []
        for end in at[1:]:
            text, said = past.backfill("--since=90d", f"--until={end}", "--step=1h")
            told.append(samples_of(text))
            contains(said, f"to {end}", "what was written")
            text, said = past.backfill("--since=90d", f"--until={end}", "--step=1h")
            equal(text, "", "the same again")
            contains(said, "nothing is left to write", "the same again")
        for name, values in whole.items():
            joined = {}
            for run_ in told:
                equal(set(joined) & set(run_.get(name, {})), set(), f"twice: {name}")
                joined.update(run_.get(name, {}))
            equal(joined, values, name)
        equal({name for run_ in told for name in run_}, set(whole), "series")


def test_what_is_asked_for_wrongly():
    with Past() as past:
        for words, what in ((["--since=yesterday"], "--since: yesterday is neither a duration"),
                            (["--until=2026-13-01"], "--until: 2026-13-01 is neither"),
                            (["--step=1s"], "--step: not 15s to 1d"),
                            (["job=~x"], "a label is name=value"), (["job"], "job")):
            contains(past.backfill(*words, code=2)[1], what, str(words))
        folder = os.path.join(past.folder.path, "none")
        contains(past.backfill(f"--output={folder}", code=1)[1], folder, "no such folder")
        os.remove(past.file)
        contains(past.backfill(code=1)[1], "No such file", "no database")
        equal(os.path.exists(past.file), False, "none is made")


run(globals())
