#!/usr/bin/env python3
"""What pages and lists of many open findings cost. Not part of ctest: run it with a release build.
CPU is that of the threads that answer, by the scheduler's own account, which other work disturbs
little; MiB is how far the peak of memory rose above what was resident before.

  tests/bench/pages.py [OPEN] [SCRAPES] [DAYS]
      One table: what, CPU of the first answer and of the best of those after it, memory, bound,
      verdict; exits 1 when something is over its bound. DAYS: the database has a history of so many
      days, in each of which one finding of a hundred changed.
"""
import contextlib
import os
import sqlite3
import sys
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))
from attack import scrape_often  # noqa: E402
from figures import figure  # noqa: E402
from harness import SECRET, Exporter, Fake, Folder, memory_kb, settings, until  # noqa: E402
from web import DATABASE, p99, script, stay, thread_seconds  # noqa: E402

OTHERS = ("evaluator", "view")  # threads that work beside answers
PLAIN_MS, FILTERED_MS, LONG_MS, FILTERED_MIB = 50, 300, 60000, 8
REPEATS = 4

PLAIN = (
    "/", "/fix-first", "/recommendations", "/recommendations?by=control",
    "/recommendations?by=subscription", "/recommendations?by=management_group",
    "/recommendations?by=cloud", "/recommendations?by=resource_type",
    "/recommendations?by=tag_team", "/recommendations?order=age", "/recommendations?order=due",
    "/recommendations?order=points", "/resources", "/resources?from=2000", "/controls",
    "/compliance", "/baselines", "/status", "/api/v1/findings",
    "/api/v1/findings?order=age&limit=1000", "/api/v1/findings?order=due&limit=1000",
    "/api/v1/recommendations?limit=1000", "/api/v1/resources?limit=1000",
    "/api/v1/baselines?limit=1000", "/api/v1/baseline_rules?limit=1000",
    "/api/v1/controls?limit=1000", "/api/v1/compliance?limit=1000",
    "/api/v1/subscriptions?limit=1000", "/api/v1/collectors",
)
FILTERS = (
    'risk_level="critical"', 'cloud!="none"', 'severity=~"high|low"',
    'resource_name=~".*a.*1"', 'resource_name!~".*a.*1.*"', 'resource_name=~"(a|b|v)+.*9"',
    'subscription_name=~".*1.*"', 'control=~".*a.*"', 'tag_team=~"a.*"', 'finding_id=~".*f"',
    'resource_group=~".*a.*",resource_type=~".*e.*",category=~".*e.*"',
)
LONG = ("/api/v1/findings?format=ndjson", "/api/v1/findings?format=csv", "/api/v1/report")
FILTERED = ("/api/v1/findings", "/recommendations", "/resources")


def answering_seconds(pid):
    return sum(seconds for name, seconds in thread_seconds(pid).items()
               if not name.startswith(OTHERS))


def forget_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def measure(exporter, path):
    """CPU ms and MiB of one answer."""
    pid = exporter.process.pid
    forget_peak(pid)
    memory, seconds = memory_kb(pid), answering_seconds(pid)
    answer = exporter.get(path, seconds=300)
    spent = answering_seconds(pid) - seconds
    assert answer.status == 200, f"{path}: {answer.status} {answer.text[:300]}"
    return spent * 1000, (memory_kb(pid, "VmHWM") - memory) / 1024


class Table:
    def __init__(self):
        self.worst = {}  # by their bounds: CPU of a first answer and memory, ms and MiB
        print(f"{'what':72} {'first':>7} {'then':>7} {'MiB':>6}  {'bound':14} verdict")

    def row(self, what, first, then, mib, most_ms, most_mib):
        well = first <= most_ms and (most_mib is None or mib <= most_mib)
        worst = self.worst.setdefault((most_ms, most_mib), (0, 0))
        self.worst[most_ms, most_mib] = max(worst[0], first), max(worst[1], mib)
        bound = f"{most_ms} ms" + (f", {most_mib} MiB" if most_mib else "")
        print(f"{what[:72]:72} {first:7.1f} {then:7.1f} {mib:6.1f}  {bound:14} "
              f"{'holds' if well else 'OVER'}", flush=True)

    def figures(self, words):
        """The worst of each bound, named by its word."""
        well = True
        for (most_ms, most_mib), (cpu, mib) in self.worst.items():
            word = words[most_ms]
            well &= figure(f"CPU of {word}, the most", cpu, "ms", most_ms)
            if most_mib:
                well &= figure(f"memory of {word}, the most", mib, "MiB", most_mib)
        return well

    def path(self, exporter, path, most_ms, most_mib):
        costs = [measure(exporter, path) for _ in range(REPEATS)]
        peaks = sorted(mib for _, mib in costs)  # the evaluator makes a view beside one of them
        self.row(urllib.parse.unquote(path), costs[0][0], min(ms for ms, _ in costs[1:]),
                 peaks[-2], most_ms, most_mib)


def count_refused(exporter, path, threads=4, seconds=2):
    """Statuses when so many ask for it again and again."""
    statuses, end = [], time.monotonic() + seconds

    def ask():
        while time.monotonic() < end:
            statuses.append(exporter.get(path, seconds=300).status)
    asking = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def filtered(path, text):
    return f"{path}?filter={urllib.parse.quote(text)}"


def show(exporter, scrapes):
    table = Table()
    for path in PLAIN + one_of_each(exporter):
        table.path(exporter, path, PLAIN_MS, None)
    for text in FILTERS:
        for path in FILTERED:
            table.path(exporter, filtered(path, text), FILTERED_MS, FILTERED_MIB)
    for path in LONG:
        table.path(exporter, path, LONG_MS, FILTERED_MIB)
    path = filtered("/api/v1/findings", FILTERS[4])
    print(f"statuses of four that filter: {count_refused(exporter, path)}")
    stay(1)
    peace = p99(scrape_often(exporter.port, scrapes, 0.01))
    with script(exporter.port, path, 4)():
        time.sleep(0.5)
        beside = p99(scrape_often(exporter.port, scrapes, 0.01))
    well = table.figures({PLAIN_MS: "a page or a page of a list", FILTERED_MS: "a filter",
                          LONG_MS: "a whole list"})
    return figure("p99 of a scrape beside four that filter, to that in peace", beside / peace, "x",
                  2) and well


# A finding that is over is one that is open with another id; each has two events. The database is
# as the program makes it.
CLOSED = ("id, is_open, reason, opened_at, resolved_at, quiet",
          "randomblob(16), 0, 0, :at - 3600, :at - abs(random()) % 3600, 0")
EVENTS = """INSERT INTO ledger_event (sequence, at, kind, finding_id, episode, risk, risk_before,
 reason, quiet, detail) SELECT 2 * row_number() OVER (ORDER BY resolved_at) + {after}, {at},
 '{kind}', id, episode, risk, risk, {reason}, 0, '' FROM ledger_finding WHERE is_open = 0"""


def age(path, days, churn=0.01):
    """Give a database a past: each day so many were resolved that had been opened before."""
    database = sqlite3.connect(path)
    database.executescript("PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY;"
                           "PRAGMA synchronous = OFF")
    columns = [row[1] for row in database.execute("PRAGMA table_info(ledger_finding)")]
    others = ", ".join(name for name in columns if name not in CLOSED[0].split(", "))
    database.execute("CREATE TEMP TABLE open AS SELECT * FROM ledger_finding WHERE is_open = 1")
    total = database.execute("SELECT COUNT(*) FROM open").fetchone()[0]
    each, now = int(total * churn), int(time.time())
    database.execute("UPDATE ledger_event SET sequence = sequence + ?", [3 * each * days])
    for day in range(days):
        values = {"at": now - 86400 * (days - day), "each": each,
                  "from": day * each % (total - each)}
        database.execute(f"INSERT INTO ledger_finding ({CLOSED[0]}, {others}) SELECT {CLOSED[1]},"
                         f" {others} FROM open WHERE rowid > :from LIMIT :each", values)
    database.execute(EVENTS.format(after=0, at="opened_at", kind="opened", reason=-1))
    database.execute(EVENTS.format(after=1, at="resolved_at", kind="resolved", reason=0))
    for number, value in database.execute(
            "SELECT series, MAX(value) FROM history GROUP BY series").fetchall():
        instants = [now - 86400 * day for day in range(31, days)] + \
            [now - 3600 * hour for hour in range(1, min(days, 30) * 24)]
        database.executemany("INSERT OR IGNORE INTO history VALUES (?, ?, ?)",
                             [(number, at, value) for at in instants])
    database.commit()
    print(f"{days} days: {days * each} findings that are over, {2 * days * each} events, "
          f"{os.path.getsize(path) >> 20} MiB")
    database.close()


def total_of(exporter):
    return exporter.get("/api/v1/findings?limit=1").json().get("total", 0)


def one_of_each(exporter):
    """Pages of one thing: the first of its list."""
    finding = exporter.get("/api/v1/findings?limit=1").json()["findings"][0]
    return (f"/f/{finding['finding_id']}", f"/recommendations/{finding['assessment_id']}",
            "/resource?id=" + urllib.parse.quote(finding["resource_id"]))


@contextlib.contextmanager
def started(folder, config, wanted):
    with Exporter(folder, config) as exporter:
        until("an answer", exporter.answers, 300)
        exporter.wait_ready(600)
        until("findings", lambda: total_of(exporter) > wanted // 2, 600, 1)
        time.sleep(5)  # what comes after the first collections
        total = until("the list", lambda: total_of(exporter))
        print(f"{total} open findings, {memory_kb(exporter.process.pid) / 1024:.0f} MiB")
        yield exporter
        last = exporter.metrics().one("defender_exporter_rule_last_duration_seconds")
        print(f"the last evaluation took {last:.3f} s")


def main():
    numbers = [int(word) for word in sys.argv[1:]]
    wanted, scrapes, days = numbers + [200000, 200, 365][len(numbers):]
    with Folder() as folder, Fake("--seed", "3", "--subscriptions", "40", "--assessments",
                                  str(wanted * 83 // 20)) as fake:
        config = settings(fake.url, folder.file("secret", SECRET),
                          {"compliance": {"enabled": True}},
                          alerts={"tags": ["team"], "rules": [],
                                  "ledger": {"first_run": "silent"}})
        if days:
            with started(folder, config, wanted):
                pass
            age(os.path.join(folder.path, DATABASE), days)
        with started(folder, config, wanted) as exporter:
            well = show(exporter, scrapes)
    sys.exit(not well)


if __name__ == "__main__":
    main()
