#!/usr/bin/env python3
"""The generated parts of the README are what the program prints and the examples say; --write
renews them."""
import os
import re
import subprocess
import sys

from harness import EXPORTER, ROOT, equal, run

README = os.path.join(ROOT, "README.md")
EXAMPLES = os.path.join(ROOT, "packaging/examples/alerts")
RECEIVERS = ("pagerduty", "slack", "teams", "email", "webhook", "alertmanager")
PART = re.compile(r"(<!-- (\w+): (?:printed by the program|as in packaging/examples) -->\n)(.*?)"
                  r"(<!-- end of \2 -->)", re.S)
FENCES = {"config": ("```yaml\n", "```\n"), "metrics": ("", ""), "rules": ("", "")}


def printed(command):
    output = subprocess.run([EXPORTER, command], stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, check=True).stdout
    before, after = FENCES[command]
    return before + output.rstrip("\n") + "\n" + after


def shown():
    """Every example of a receiver."""
    parts = []
    for name in RECEIVERS:
        with open(os.path.join(EXAMPLES, name + ".yml"), encoding="utf-8") as file:
            parts.append("```yaml\n" + file.read() + "```\n")
    return "\n".join(parts)


def part(name):
    return shown() if name == "receivers" else printed(name)


def renewed(text):
    return PART.sub(lambda m: m.group(1) + part(m.group(2)) + m.group(4), text)


def test_generated_parts():
    with open(README, encoding="utf-8") as file:
        text = file.read()
    equal([m.group(2) for m in PART.finditer(text)], ["metrics", "config", "rules", "receivers"],
          "parts of the README")
    if renewed(text) != text:
        raise AssertionError("README.md differs from the program: run "
                             "tests/integration/readme.py --write")


def test_every_receiver_is_shown():
    files = {n[:-4] for n in os.listdir(EXAMPLES) if not n.startswith("rules")}
    equal(files, set(RECEIVERS), "examples of receivers")


def test_links_and_files():
    """Every path the README names is there."""
    with open(README, encoding="utf-8") as file:
        text = PART.sub("", file.read())
    for path in re.findall(r"\]\((?!http|#)([^)#]+)", text):
        equal(os.path.exists(os.path.join(ROOT, path)), True, "README names " + path)
    for path in re.findall(r"`((?:scripts|tests|packaging|core)/[\w./-]+)", text):
        equal(os.path.exists(os.path.join(ROOT, path)), True, "README names " + path)


if sys.argv[1:] == ["--write"]:
    with open(README, encoding="utf-8") as source:
        content = renewed(source.read())
    with open(README, "w", encoding="utf-8") as target:
        target.write(content)
else:
    run(globals())
