#!/usr/bin/env python3
"""Of many random tenants the metrics are the same wherever their rows come from: pages of Resource
Graph, its partitions, and every other source that a collector can be told.

SOURCES_SEEDS says how many (12; with --all 200); SOURCES_FIRST where the seeds begin (at random).
"""
import collections
import os
import random
import re
import subprocess

from harness import ALL, EXPORTER, SECRET, Exporter, Fake, Folder, equal, run, settings

SEEDS = int(os.environ.get("SOURCES_SEEDS", "200" if ALL else "12"))
# What lists do not tell, and what a summary does not: {family: label}, "" for all of it.
LACKS = {
    "rest": {
        "defender_subscription_info": "management_group",
        "defender_secure_score_overall_ratio": "",  # it needs the scores of connectors
        "defender_secure_score_connectors_told": "",
    },
    "summary": {"defender_exempted_points": ""},  # they are those of single resources
}

# Families of level 2 that are compared, too.
OPTED = ["defender_assessment_subscription_findings", "defender_control_resources",
         "defender_baseline_rule_results", "defender_prerequisite_machines"]


def choices():
    """The collectors that run, and what their keys take besides the default:
    {key: {word: [collectors]}}."""
    text = subprocess.run([EXPORTER, "config"], check=True, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL).stdout
    section = re.search(r"^collectors:\n(.*?)^\w", text, re.M | re.S)[1]
    running, found = [], collections.defaultdict(lambda: collections.defaultdict(list))
    words, collector = [], ""
    for line in section.splitlines():
        if re.fullmatch(r"  \w+:", line):
            collector = line.strip(" :")
        elif line == "    enabled: true":
            running.append(collector)
        elif "One of: " in line:
            words = line.split("One of: ")[1].rstrip(".").split(", ")
        elif key := re.fullmatch(r"    (source|detail): (\w+)", line):
            for word in words:
                if word != key[2] and collector in running:
                    found[key[1]][word].append(collector)
    wanted = {"subscriptions", "assessments", "secure_scores", "compliance", "plans"}
    equal(wanted - set(found["source"]["rest"]), set(), "collectors that read lists")
    return running, found


def families():
    """What is told of the tenant, without what the ledger remembers: the families of collectors."""
    table = subprocess.run([EXPORTER, "metrics"], check=True, capture_output=True, text=True,
                           stdin=subprocess.DEVNULL).stdout
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| defender_")]
    return {row[0].strip("| ") for row in rows if row[4] in COLLECTORS}


def tenant_of(seed):
    """Options of a stand-in. Every third is asked in partitions, which makes one page of each piece
    of the assessments, and all else is one page; of the others most are read from lists, which tell
    too little of other clouds and of recommendations for single things."""
    dice = random.Random(seed)
    options = {"--subscriptions": dice.choice((1, 2, 5, 12) if seed % 3 else (1, 2, 4)),
               "--disabled-subscriptions": dice.choice((0, 0, 1, 2)),
               "--start-generation": dice.choice((0, 0, 1, 7))}
    lists = dice.random() < 0.7
    if seed % 3 == 0:
        options.update({"--assessments": dice.choice((1500, 2500, 4000)), "--machines": 0})
    else:
        options.update({"--assessments": dice.choice((50, 400, 1200, 2500)),
                        "--page-rows": dice.choice((1000, 331, 97))})
        if options["--assessments"] >= 1200 and dice.random() < 0.3:
            options["--wide-machines"] = 3
    if not lists:
        options.update({"--individual": dice.choice((0, 6)), "--multicloud": "on"})
    return options, lists


def told(metrics, lacks=()):
    """Everything of the tenant: {(family, labels): value}; of what is lacking the rest."""
    found = {}
    for name in FAMILIES & set(metrics.samples):
        lacking = dict(lacks).get(name, "nothing")
        for labels, value in metrics.samples[name] if lacking else ():
            key = tuple(sorted((k, v) for k, v in labels.items() if k != lacking))
            found[name, key] = found.get((name, key), 0) + value
    return {key: round(value, 9) for key, value in found.items()}  # sums in another order


def read(fake, collectors):
    """What a program says that has all it needs; its storage is new."""
    with Folder() as folder:
        config = settings(fake.url, folder.file("secret", SECRET), collectors,
                          metrics={"opt_in_list": OPTED})
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            return exporter.wait_metric("every collector", lambda m: m.one("defender_up") == 1, 60)


def check_seed(seed):
    options, lists = tenant_of(seed)
    arguments = [str(w) for pair in options.items() for w in pair if w != "on"]
    with Fake("--seed", str(seed), *arguments) as fake:
        rows = read(fake, {})
        for key, words in CHOICES.items() if lists else ():
            for word, collectors in words.items():
                got = read(fake, {name: {key: word} for name in collectors})
                equal(told(got, LACKS.get(word, ())), told(rows, LACKS.get(word, ())),
                      f"seed {seed} {options}, {key}: {word}")
        if seed % 3 == 0:
            fake.fault("shift:path=ResourceGraph,page=2")  # what comes in pages is never right
            got = read(fake, {name: {"interval": "1s"} for name in COLLECTORS})
            equal(told(got), told(rows), f"seed {seed} {options}, in partitions")


def test_sources_agree():
    print({key: dict(words) for key, words in CHOICES.items()})
    first = int(os.environ.get("SOURCES_FIRST", "0")) or random.randrange(1, 1 << 30)
    print(f"     {SEEDS} seeds from {first}", flush=True)
    for seed in range(first, first + SEEDS):
        check_seed(seed)


COLLECTORS, CHOICES = choices()
FAMILIES = families()
run(globals())
