#!/usr/bin/env python3
"""What a person reads: one situation after the other, as every kind of receiver is told of it.

GOLDEN_WRITE=1 renews tests/golden/readers: look at the difference."""
import difflib
import json
import os
import subprocess

import readable
from harness import ROOT, SLOWNESS, equal, run

PRINTER = os.environ.get("PRINT_REQUESTS", os.path.join(ROOT, "build/release/print_requests"))
GOLDEN = os.path.join(ROOT, "tests/golden/readers")
NOW = 1796500000  # of the attempts: 2026-12-05, after all that happens in tests/tools/situations.c
FOLDED = ("cloudevents", "cloudevents_binary")  # the envelope; what is in it is that of `standard`
WHOLE = 2  # messages of one receiver and situation that a golden has in full


def requests():
    output = subprocess.run([PRINTER, str(NOW)], stdin=subprocess.DEVNULL, check=True,
                            capture_output=True, text=True, timeout=60 * SLOWNESS).stdout
    return [json.loads(line) for line in output.splitlines()]


REQUESTS = requests()
PLAYED = [line for line in REQUESTS if not line["fixture"]]
SITUATIONS = list(dict.fromkeys(request["situation"] for request in PLAYED))


def messages(situation, variant):
    return [request for request in PLAYED
            if (request["situation"], request["variant"]) == (situation, variant)]


# --- golden files ------------------------------------------------------------------------------
def envelope(request, standard):
    """A CloudEvent without what the standard body has, too."""
    body = json.loads(request["body"])
    headers = {name.lower(): value for name, value in request["headers"].items()}
    data = body.pop("data") if request["variant"] == "cloudevents" else body
    equal(data, json.loads(standard["body"])["data"], f"data of {request['page']}")
    named = {name: value for name, value in headers.items() if name.startswith("ce-")}
    return json.dumps(named or body, indent=1, ensure_ascii=False)


def golden_of(situation):
    lines = []
    for variant in dict.fromkeys(request["variant"] for request in PLAYED):
        told = messages(situation, variant)
        for number, request in enumerate(told[:WHOLE]):
            if variant in FOLDED:
                texts = {variant: envelope(request, messages(situation, "standard")[number])}
            else:
                texts = readable.texts(request)
            for name, text in texts.items():
                lines += [f"===== {name}" + (f", {number + 1} of {len(told)}" if told[1:] else ""),
                          readable.folded(text.strip("\n")), ""]
    return "\n".join(lines)


def test_every_situation_equals_its_golden_file():
    os.makedirs(GOLDEN, exist_ok=True)
    for situation in SITUATIONS:
        path = os.path.join(GOLDEN, situation + ".txt")
        text = golden_of(situation)
        if os.environ.get("GOLDEN_WRITE"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        with open(path, encoding="utf-8") as file:
            lines = difflib.unified_diff(file.read().splitlines(), text.splitlines(),
                                         lineterm="", n=1)
        equal(list(lines)[:40], [], situation)
    equal(sorted(os.listdir(GOLDEN)), sorted(name + ".txt" for name in SITUATIONS), "golden files")


run(globals())
