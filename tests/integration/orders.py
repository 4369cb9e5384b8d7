#!/usr/bin/env python3
"""The order of collectors/list.h means nothing: programs made with other orders print the same
references and tell the same metrics, in the same order."""
import difflib
import os
import re
import subprocess

from harness import EXPORTER, SECRET, Fake, Folder, equal, run, settings

PROGRAMS = [EXPORTER, *os.environ["ORDERS"].split(":")]
VARIES = re.compile(r"^((?:process_|defender_exporter_|\w*_seconds)[^ ]*) .*", re.M)

# With a receiver and --notify, the ledger works under --once too.
ALERTS = {"receivers": [{"name": "nobody", "webhook": {
    "url": "http://127.0.0.1:9/", "http": {"allow_private": True}}}],
          "route": {"receiver": "nobody"}}


def output(program, *arguments):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("DEFENDER_EXPORTER_", "AZURE_"))}
    result = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, env=environment,
                            capture_output=True, text=True, check=False)
    equal(result.returncode, 0, f"exit status of {arguments}\n{result.stderr}")
    return result.stdout


def same(what, texts):
    for text in texts[1:]:
        equal(list(difflib.unified_diff(texts[0].split("\n"), text.split("\n"), n=0))[:9], [], what)


def test_there_are_three_programs():
    equal(len({os.path.realpath(program) for program in PROGRAMS}), 3, "programs")


def test_references():
    for command in ("metrics", "rights", "config", "rules", "--help"):
        same(command, [output(program, command) for program in PROGRAMS])


def test_metrics():
    """Twice each: on the second run everything is known to the database already."""
    with Fake("--seed", "7", "--subscriptions", "3",
              "--assessments", "500", "--machines", "20") as fake:
        texts = [[], []]
        for program in PROGRAMS:
            with Folder() as folder:
                secret = folder.file("secret", SECRET)
                config = settings(fake.url, secret, alerts=ALERTS)
                file = folder.file("defender_exporter.yml", config)
                for of_run in texts:
                    of_run.append(VARIES.sub(r"\1", output(
                        program, "run", "--once", "--notify", f"--config.file={file}",
                        f"--storage.path={folder.path}")))
        same("metrics of first runs", texts[0])
        same("metrics of second runs", texts[1])


run(globals())
