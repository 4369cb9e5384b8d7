#!/usr/bin/env python3
"""The generated parts of the README are what the program prints; --write renews them."""
import os
import re
import subprocess
import sys

from harness import EXPORTER, ROOT, equal, run

README = os.path.join(ROOT, "README.md")
PART = re.compile(r"(<!-- (\w+): printed by the program -->\n)(.*?)(<!-- end of \2 -->)", re.S)
FENCES = {"config": ("```yaml\n", "```\n"), "metrics": ("", ""), "rules": ("", "")}


def printed(command):
    output = subprocess.run([EXPORTER, command], stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, check=True).stdout
    before, after = FENCES[command]
    return before + output.rstrip("\n") + "\n" + after


def renewed(text):
    return PART.sub(lambda m: m.group(1) + printed(m.group(2)) + m.group(4), text)


def test_generated_parts():
    with open(README, encoding="utf-8") as file:
        text = file.read()
    equal([m.group(2) for m in PART.finditer(text)], ["metrics", "config", "rules"],
          "parts of the README")
    if renewed(text) != text:
        raise AssertionError("README.md differs from the program: run "
                             "tests/integration/readme.py --write")


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
