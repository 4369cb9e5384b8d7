#!/usr/bin/env python3
"""The generated parts of the documents are what the program prints and the examples say; --write
renews them."""
import os
import re
import subprocess
import sys

from harness import EXPORTER, ROOT, contains, documents, equal, run

EXAMPLES = os.path.join(ROOT, "packaging/examples/alerts")

# Where each part stands.
PARTS = {
    "rights": "README.md",
    "metrics": "docs/metrics.md",
    "config": "docs/configuration.md",
    "help": "docs/configuration.md",
    "rules": "docs/alerting.md",
    "receivers": "docs/receivers.md",
    "otlp": "docs/otlp.md",
}
# The command that prints a part, and what encloses it.
PRINTED = {
    "rights": ("rights", "", ""),
    "metrics": ("metrics", "", ""),
    "config": ("config", "```yaml\n", "```\n"),
    "help": ("--help", "```\n", "```\n"),
    "rules": ("rules", "", ""),
    "otlp": ("otlp", "", ""),
}
PART = re.compile(r"(<!-- (\w+): (?:printed by the program|as in packaging/examples) -->\n)(.*?)"
                  r"(<!-- end of \2 -->)", re.S)


def printed(command, before, after):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("DEFENDER_EXPORTER_", "AZURE_"))}
    output = subprocess.run([EXPORTER, command], stdin=subprocess.DEVNULL, capture_output=True,
                            env=environment, text=True, check=True).stdout
    return before + output.rstrip("\n") + "\n" + after


def shown():
    """Every example of a receiver."""
    parts = []
    for name in sorted(os.listdir(EXAMPLES)):
        with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
            parts.append("```yaml\n" + file.read() + "```\n")
    return "\n".join(parts)


def part(name):
    return shown() if name == "receivers" else printed(*PRINTED[name])


def renewed(text):
    return PART.sub(lambda m: m.group(1) + part(m.group(2)) + m.group(4), text)


def test_each_part_stands_once():
    found = [(m.group(2), path) for path, text in documents().items()
             for m in PART.finditer(text)]
    equal(sorted(found), sorted(PARTS.items()), "generated parts of the documents")


def test_parts_are_what_the_program_prints():
    for path, text in documents().items():
        if renewed(text) != text:
            raise AssertionError(path + " differs from the program: run "
                                 "tests/integration/references.py --write")


def test_every_receiver_is_shown():
    kinds = re.findall(r"One of the kinds:\n#\s+(\w+):", printed("config", "", ""))
    bodies = ["ocsf", "google_chat", "mattermost", "discord", "ntfy"]  # of webhooks
    equal(sorted(os.listdir(EXAMPLES)), sorted(kind + ".yml" for kind in kinds + bodies),
          "examples of receivers")
    for kind in kinds + bodies:
        contains(documents()["docs/receivers.md"], f"| [{kind}.yml](", "the table of receivers")


def test_the_readme_is_short():
    lines = documents()["README.md"].count("\n")
    assert lines <= 300, f"the README has {lines} lines, at most 300"


def test_metrics_named_exist():
    known = set(re.findall(r"^\| (\w+) \|", printed("metrics", "", ""), re.M))
    made = re.findall(r"^ +- name: (defender_custom_\w+)$", "".join(documents().values()), re.M)
    assert made, "no document has a query of its own"
    known |= set(made)
    for path, text in documents().items():
        named = set(re.findall(r"\bdefender_\w*[a-z]\b", PART.sub("", text)))
        equal(named - known - {"defender_exporter"}, set(), path + " names metrics")


def test_commands_named_exist():
    known = set(re.findall(r"^  ([a-z]+(?: [a-z]+)?)\b", printed("--help", "", ""), re.M))
    for path, text in documents().items():
        for named in re.findall(r"(?:^|`)defender_exporter ([a-z]+(?: [a-z]+)?)", text, re.M):
            if named not in known and named.split()[0] not in known:
                raise AssertionError(f"{path} names the command {named}")


def test_rights_as_code_are_those_of_the_table():
    with open(os.path.join(ROOT, "packaging/azure/rights.bicep"), encoding="utf-8") as file:
        text = file.read()
    table = re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", printed("rights", "", ""), re.M)
    needed = {name: re.sub(" or Reader", "", roles) for name, roles in table
              if "Reader" in roles}  # others need no role of Azure
    needed = {name: sorted(set(re.findall("(?:Security )?Reader", roles)))
              for name, roles in needed.items()}
    coded = {name: sorted(re.findall("'(.*?)'", roles))
             for name, roles in re.findall(r"^  (\w+): \[(.*)\]$", text, re.M)}
    equal(coded, needed, "roles of collectors")
    given = re.findall(r"'(\w+)'", text.split("param collectors")[1].split("]\n\n")[0])
    equal(sorted(given), sorted(needed), "collectors by default")


def write():
    texts = {path: renewed(text) for path, text in documents().items()}  # or nothing is touched
    for path, text in texts.items():
        with open(os.path.join(ROOT, path), "w", encoding="utf-8") as target:
            target.write(text)


if sys.argv[1:] == ["--write"]:
    write()
else:
    run(globals())
