#!/usr/bin/env python3
"""Every SQL statement of the program is found by a key, or is known to read a whole table and may:
what the database itself says of the statements as the compiler sees them."""
import json
import os
import re
import shlex
import sqlite3
import subprocess

from harness import EXPORTER, ROOT, Skip, equal, run

STATEMENT = re.compile("(SELECT|UPDATE|DELETE FROM|INSERT INTO) (?!%)\\S")
SCHEMA = "alerts/store/schema.c"
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
# So few rows that reading all is as good as any key.
SMALL = {
    "audit_event": "taken by each pass of the evaluator",
    "governor_fold": "what waits for the next roll-up",
    "group_state": "groups, told apart by what an operator names",
    "history_series": "a row for each value that is kept over time",
    "ledger_counter": "read at the start",
    "ledger_histogram": "read at the start",
    "ledger_seen": "read at the start",
    "sqlite_master": "the tables",
    "silence": "there may be so many and no more",
}
# Part of a statement -> the tables it may read whole, and why.
SCANS = {
    "SELECT * FROM ledger_assessment": ("ledger_assessment", "at the start"),
    "DELETE FROM ledger_assessment": ("ledger_assessment ledger_finding", "once a day"),
    "SELECT * FROM ledger_finding": ("ledger_finding", "once a day, for texts nobody names"),
    "WHERE e.at >= $1 ORDER BY e.sequence": ("e", "by replay, which walks the history"),
    "history_series s CROSS JOIN": ("s", "a row for each value that is kept over time"),
    "DELETE FROM history WHERE": ("h history", "once a day"),
    "DELETE FROM outbox_member WHERE NOT EXISTS": ("outbox_member", "when an operator drops one"),
    "state = 'sent' AND sent_at < $1": ("outbox_message", "once an hour"),
    "($1 IS NULL OR receiver = $1)": ("outbox_message", "when an operator lists them"),
    "SUM(page_bytes)": ("outbox_message", "of those that wait"),
    "state <> 'sent' AND state = ": ("outbox_message", "once an hour, of those that wait or died"),
    "GROUP BY receiver, target": ("outbox_message", "of those that wait or died"),
    "GROUP BY receiver, state": ("outbox_message", "of those that wait or died"),
    "DELETE FROM outbox_thread": ("t", "once an hour"),
    "ORDER BY CASE state": ("active_alert", "once, after version 1"),
    "muted_by <> ''": ("group_member work", "of those that are muted, by an index of these"),
}


def commands():
    path = os.path.join(os.path.dirname(EXPORTER), "compile_commands.json")
    if not os.path.exists(path):
        raise Skip("how the sources are compiled is not known")
    with open(path, encoding="utf-8") as file:
        return {row["file"]: row for row in json.load(file)}


def preprocess(row):
    """The source with its macros, so that literals stand beside each other."""
    words = [word for word in shlex.split(row["command"]) if not word.endswith("ccache")]
    kept = [word for place, word in enumerate(words)
            if word not in ("-c", "-MD", "-o", "-MF", "-MT", "-MQ") and
            words[place - 1] not in ("-o", "-MF", "-MT", "-MQ")]
    return subprocess.run([*kept, "-E", "-P"], cwd=row["directory"], text=True, check=True,
                          capture_output=True).stdout


def literals(text):
    """Those that stand beside each other are one."""
    out, end = [], None
    for found in LITERAL.finditer(text):
        part = found.group(1).encode().decode("unicode_escape")
        if end is not None and not text[end:found.start()].strip():
            out[-1] += part
        else:
            out.append(part)
        end = found.end()
    return out


def until_closed(text, start, opening, closing):
    """What stands between a bracket and the one that closes it."""
    depth, place = 0, start
    while True:
        if text[place] == '"':
            place = LITERAL.match(text, place).end()
            continue
        depth += (text[place] == opening) - (text[place] == closing)
        if not depth:
            return text[start + 1:place]
        place += 1


def statements_of(text):
    tables = {}
    for found in re.finditer(r"struct rows_table (\w+)\s*=\s*\{", text):
        tables[found.group(1)] = literals(until_closed(text, found.end() - 1, "{", "}"))[0]
    yield from filter(STATEMENT.match, literals(text))
    for found in re.finditer(r"\b(active_row|rows)_(?:select|walk)\s*\(", text):
        arguments = until_closed(text, found.end() - 1, "(", ")")
        name = re.search(r"&\s*(\w+)", arguments)
        table = tables.get(name.group(1)) if name else None
        for rest in literals(arguments):
            yield f"SELECT * FROM {table or 'active_alert'}{rest}"


def read_statements():
    rows = commands()
    out = {}
    for path, row in rows.items():
        name = os.path.relpath(path, ROOT)
        if name.startswith("alerts/") and name != SCHEMA:
            for statement in statements_of(preprocess(row)):
                out[statement] = name
    return out


def make_database():
    """The tables as the program makes them."""
    text = preprocess(commands()[os.path.join(ROOT, SCHEMA)])
    database = sqlite3.connect(":memory:")
    for found in re.finditer(r"char (?:version_\d+|indexes)\[\]\s*=", text):
        database.executescript(literals(until_closed("(" + text[found.end():], 0, "(", "}"))[0])
    return database


def whole_tables(database, statement):
    """The tables it reads from one end to the other."""
    plan = database.execute("EXPLAIN QUERY PLAN " + statement, {str(n): None for n in range(1, 20)})
    scans = {row[3].split()[1] for row in plan if row[3].startswith("SCAN")}
    return scans - set(SMALL) - {"CONSTANT"}


def test_statements_use_keys():
    database = make_database()
    statements = read_statements()
    assert len(statements) > 100, f"only {len(statements)} statements were found"
    used, wrong = set(), []
    for statement, where in sorted(statements.items()):
        scans = whole_tables(database, statement)
        parts = [part for part in SCANS if part in statement]
        allowed = {table for part in parts for table in SCANS[part][0].split()}
        if scans:
            used |= set(parts)
        if scans - allowed:
            wrong.append(f"{where}: reads all of {sorted(scans - allowed)}: {statement}")
    equal(wrong, [], "statements without an index")
    equal(set(SCANS) - used, set(), "statements that are allowed for nothing")


def test_a_statement_without_an_index_is_seen():
    database = make_database()
    equal(whole_tables(database, "SELECT id FROM ledger_finding WHERE risk = $1"),
          {"ledger_finding"}, "a column without an index")
    equal(whole_tables(database, "SELECT risk FROM ledger_finding WHERE id = $1"), set(), "a key")


if __name__ == "__main__":
    run(globals())
