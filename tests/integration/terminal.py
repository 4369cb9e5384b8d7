#!/usr/bin/env python3
"""The terminal without a running exporter: one collection of its own shows what a running one
shows, says how far it is where that is a terminal, and what it lacks."""
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from harness import (EXPORTER, SECRET, SLOWNESS, Exporter, Fake, Folder, contains, equal, run,
                     settings, until)

TABLES = {"findings": "findings", "recommendations": "recommendations", "controls": "controls",
          "resources": "resources", "baselines": "baselines", "baselines rules": "baseline_rules",
          "compliance": "compliance", "subscriptions": "subscriptions", "fix-first": "fix_first",
          "attack-paths": "attack_paths", "security-alerts": "security_alerts",
          "exemptions": "exemptions"}
TENANT = ("--seed", "9", "--subscriptions", "4", "--assessments", "600", "--machines", "6")
COLLECTORS = {"compliance": {"enabled": True}}


class Bench:
    """A tenant and a configuration of it."""

    def __enter__(self):
        self.folder, self.fake = Folder(), Fake(*TENANT)
        self.folder.__enter__()
        self.fake.__enter__()
        self.config = settings(self.fake.url, self.folder.file("secret", SECRET), COLLECTORS)
        self.file = self.folder.file("once.yml", self.config)
        return self

    def __exit__(self, *error):
        self.fake.__exit__(*error)
        self.folder.__exit__(*error)

    def command(self, *words):
        return [EXPORTER, *words, "--once", f"--config.file={self.file}"]

    def show(self, *words, code=0):
        """What is printed, and said on standard error; neither is a terminal."""
        done = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60 * SLOWNESS, check=False)
        equal((" ".join(words), done.returncode), (" ".join(words), code), done.stderr[:2000])
        return done.stdout, done.stderr


def at_terminal(command, columns, environment=None):
    """Exit status and what a terminal gets, which is standard output and error alike."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items()
             if name not in ("COLUMNS", "NO_COLOR", "TERM")}
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=inner, stderr=inner,
                             env={**clean, "TERM": "xterm", **(environment or {})})
    os.close(inner)
    said, end = b"", time.monotonic() + 60 * SLOWNESS
    while time.monotonic() < end:
        if select.select([outer], [], [], 0.1)[0]:
            try:
                piece = os.read(outer, 65536)
            except OSError:  # nobody is at the other end any more
                piece = b""
            if not piece:
                break
            said += piece
    status = child.wait(60)
    os.close(outer)
    return status, said.decode().replace("\r\n", "\n")


def lasting(row):
    """What a row says whenever it is asked for: of what Azure gives no date, that is ours."""
    ours = {"seen_at", "collected_at"}
    if row.get("source") != "assessments":
        ours |= {"opened_at", "oldest_at", "due_at", "overdue", "due_soon"}
    return json.dumps({name: value for name, value in row.items() if name not in ours})


def test_it_shows_what_a_running_exporter_shows():
    with Bench() as bench:
        with Exporter(bench.folder, bench.config) as exporter:
            exporter.wait_ready()

            def listed(table):
                return exporter.get(f"/api/v1/{table}?limit=1000").json()[table]

            def complete():
                answer = exporter.get('/api/v1/findings?limit=1&filter=source%3D"assessments"')
                return answer.status == 200 and 0 < answer.json()["total"] == \
                    exporter.metrics().sum("defender_findings")
            until("everything is in the view", complete, 20, 0.2)
            for words, table in TABLES.items():
                told, errors = bench.show(*words.split(), "--format=json", "--limit=1000")
                equal(errors, "", f"{words}: standard error where all is well")
                rows, want = json.loads(told), listed(table)
                assert want or table == "exemptions", f"no {table}"
                equal(sorted(map(lasting, rows)), sorted(map(lasting, want)), words)
        told, _ = bench.show("findings", '--filter=risk_level="critical"', "--order=age",
                             "--format=json")
        rows = json.loads(told)
        assert rows, "critical findings"
        equal({row["risk_level"] for row in rows}, {"critical"}, "a filter")
        opened = [row["opened_at"] for row in rows]
        equal(opened, sorted(opened), "an order")
        told, _ = bench.show("findings", "--group-by=risk_level", "--format=csv")
        contains(told, "critical,", "groups")
        told, _ = bench.show("status")
        contains(told, "assessments", "status")


def test_what_is_lacking_is_said():
    with Bench() as bench:
        every = len(json.loads(bench.show("findings", "--format=json")[0]))
        bench.fake.fault("403:sub=1")
        told, errors = bench.show("findings", "--format=json", code=3)
        rows = len(json.loads(told))
        assert 0 < rows < every, (rows, every)
        contains(errors, "not listed: assessments (of 1 subscription)", "standard error")
        bench.fake.heal()
        bench.fake.fault("denied-all")
        told, errors = bench.show("controls", code=3)
        contains(errors, "secure_scores failed: ", "standard error")
        contains(errors, "not listed: ", "standard error")
        bench.fake.heal()
        bench.folder.file("secret", "wrong")
        told, errors = bench.show("findings", code=1)
        equal(told, "", "what is printed when nobody can sign in")
        equal(errors.count("AADSTS7000215"), 1, "how often it is said: " + errors)
        equal(len(errors.splitlines()), 1, "lines about it: " + errors)


def test_what_is_asked_wrongly_asks_nobody():
    with Bench() as bench:
        for words, said in ((("findings", "--order=size"), "risk, age or due"),
                            (("controls", "--order=risk"), "no flag --order"),
                            (("findings", "--limit=0"), "number from 1 on"),
                            (("findings", "--format=xml"), "ndjson"),
                            (("findings", '--filter=nonsense="x"'), "nonsense"),
                            (("controls", '--filter=nonsense="x"'), "nonsense"),
                            (("findings", "--url=http://127.0.0.1:1"), "--once asks Azure itself")):
            told, errors = bench.show(*words, code=2)
            equal(told, "", str(words))
            if words[0] != "controls" or "filter" in words[1]:
                contains(errors, said, str(words))
        bench.config["alerts"] = {"nonsense": 1}
        bench.file = bench.folder.file("once.yml", bench.config)
        _, errors = bench.show("findings", code=2)
        contains(errors, "nonsense", "a wrong configuration")
        equal(bench.fake.admin("stats")["endpoints"].get("token", {}).get("requests", 0), 0,
              "requests")


def test_a_terminal_sees_how_far_it_is():
    with Bench() as bench:
        command = bench.command("recommendations", "--limit=3")
        bench.fake.fault("slow:ms=1,path=Microsoft.ResourceGraph")
        status, said = at_terminal(command, 120)
        equal(status, 0, said)
        drawn = re.findall(r"\r\033\[K(\d+) of (\d+) collectors, (\d+) rows, (\d+) s", said)
        assert len(drawn) > 2, said
        done = [int(one[0]) for one in drawn]
        equal(done, sorted(done), "it goes on")
        assert done[-1] <= int(drawn[-1][1]), drawn[-1]
        table = said.rsplit("\r\033[K", 1)[1]  # the line is gone before anything is printed
        contains(table, "risk_level", "the table")
        equal("collectors," in table, False, "the line is left: " + table)
        contains(table, "\033[", "colour of risk")
        for line in table.splitlines():
            assert len(re.sub(r"\033\[[0-9;]*m", "", line)) <= 120, line

        _, said = at_terminal(command, 24)
        drawn = said.split("\r\033[K")[1:-1]
        assert any(drawn) and all(len(line) < 24 for line in drawn), drawn
        bench.fake.heal()
        _, said = at_terminal(command, 100, {"NO_COLOR": "1"})
        equal(re.search(r"\033\[[0-9;]*m", said), None, "colour although there is to be none")
        _, said = at_terminal(command, 100, {"TERM": "dumb"})
        equal("\033" in said or "\r" in said, False, "a terminal that can nothing: " + said)
        told, errors = bench.show("recommendations")  # no terminal: no line, however long
        equal((errors, "\033" in told), ("", False), "standard error that is no terminal")


if __name__ == "__main__":
    run(globals())
