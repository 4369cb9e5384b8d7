#!/usr/bin/env python3
"""Every format of an exposition, as others read it, and that all say the same.

  expositions.py --setup   fetch prometheus_client and Prometheus' own library into build/tools;
                           tests skip what was not fetched
"""
import gzip
import json
import os
import re
import subprocess

from fetched import SETTING_UP, built_by_go, python_of, set_up, taken_over, text_of
from harness import (EXPORTER, ROOT, SLOWNESS, Exporter, Folder, Metrics, contains, equal,
                     run, until)
from otlp import EVERY_HOUR, configuration, scraped, tenant
from promtool import check

GOLDEN = os.path.join(ROOT, "tests/golden/exposition")
OPENMETRICS = "application/openmetrics-text"
TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FORMATS = {  # what is asked for: (what comes, how it is read)
    f"{OPENMETRICS};version=1.0.0;escaping=allow-utf-8":
        (f"{OPENMETRICS}; version=1.0.0; charset=utf-8; escaping=allow-utf-8", "openmetrics"),
    f"{OPENMETRICS};version=0.0.1":
        (f"{OPENMETRICS}; version=0.0.1; charset=utf-8", "openmetrics"),
    "text/plain;version=1.0.0":
        ("text/plain; version=1.0.0; charset=utf-8; escaping=underscores", "text"),
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1": (TEXT_TYPE, "text"),
}


PROTOBUF = ("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
            "encoding=delimited")


# --- the judges ---------------------------------------------------------------------------------
def judged(kind, path):
    """[[name, labels, value, exemplar]] as prometheus_client reads a file."""
    judge = os.path.join(ROOT, "tests/tools/expositions/judge.py")
    done = subprocess.run([python_of("expositions"), judge, kind, path], text=True, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60 * SLOWNESS)
    equal((done.returncode, done.stderr), (0, ""), f"prometheus_client on {path}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def expfmt():
    """A program of Prometheus' own library, built once."""
    folder = taken_over("expfmt", ("main.go", "go.mod", "go.sum"))
    wanted = text_of(folder, "go.mod") + text_of(folder, "main.go")
    built_by_go(folder, wanted, "expfmt", ["go", "build", "-o", "expfmt", "."])
    return os.path.join(folder, "expfmt")


def printed(content_type, body, *more):
    """What Prometheus' library says of a body under a content type."""
    done = subprocess.run([expfmt(), content_type, *more], input=body, check=False,
                          capture_output=True, timeout=60 * SLOWNESS)
    equal((done.returncode, done.stderr), (0, b""), f"expfmt on {content_type}")
    return done.stdout.decode()


def decoded(content_type, body):
    """{family: (type, how many metrics)} as Prometheus' library reads it under a content type."""
    rows = [line.split() for line in printed(content_type, body).splitlines()]
    return {name: (kind, int(count)) for name, kind, count in rows}


def read(name):
    with open(os.path.join(GOLDEN, name), "rb") as file:
        return file.read()


def series(samples):
    """{(name, labels)} without what only OpenMetrics has."""
    found = [(name, frozenset(labels.items())) for name, labels, *_ in samples
             if not name.endswith("_created")]
    equal(len(set(found)), len(found), "series, each once")
    return set(found)


# --- files --------------------------------------------------------------------------------------
def test_openmetrics_of_the_golden_files():
    bare = judged("openmetrics", os.path.join(GOLDEN, "openmetrics.txt"))
    created = judged("openmetrics", os.path.join(GOLDEN, "openmetrics_created.txt"))
    text = judged("text", os.path.join(GOLDEN, "text.txt"))
    equal(series(bare), series(text), "series of OpenMetrics and text")
    equal([row for row in created if not row[0].endswith("_created")], bare, "without _created")
    equal(len(created) - len(bare), 3, "lines of creation")
    exemplars = {(row[0], row[3][0]["finding_id"], row[3][1]) for row in bare if row[3]}
    equal(exemplars, {("defender_delay_seconds_bucket", "0123456789abcdef", 1.0),
                      ("defender_delay_seconds_bucket", "odd \ufffd\\\n", 1e7),
                      ("defender_seen_total", "fedcba9876543210", 1.0)}, "exemplars")


def test_the_judge_refuses_something():
    text = read("openmetrics.txt").decode()
    python = python_of("expositions")
    with Folder() as folder:
        for what, wrong in (("no end", text.replace("# EOF\n", "")),
                            ("a line behind the end", text + "x 1\n"),
                            ("no _total", text.replace("defender_seen_total", "defender_seen")),
                            ("another unit", text.replace("_bytes bytes", "_bytes octets"))):
            path = folder.file("wrong.txt", wrong)
            judge = os.path.join(ROOT, "tests/tools/expositions/judge.py")
            done = subprocess.run([python, judge, "openmetrics", path], capture_output=True,
                                  stdin=subprocess.DEVNULL, check=False, timeout=60 * SLOWNESS)
            assert done.returncode, what


def test_text_of_the_golden_file():
    check(read("text.txt").decode(), "the golden file")
    for content_type in (TEXT_TYPE, FORMATS["text/plain;version=1.0.0"][0]):
        families = decoded(content_type, read("text.txt"))
        equal(families["defender_delay_seconds"], ("HISTOGRAM", 2), content_type)
        equal(families["defender_fruit"], ("GAUGE", 4), content_type)


def test_names_are_unique_in_openmetrics():
    """Endings are no part of a family's name there, and no sample may look like another's."""
    table = subprocess.run([EXPORTER, "metrics"], capture_output=True, text=True, check=True,
                           stdin=subprocess.DEVNULL).stdout
    endings = {"counter": ("_total", "_created"), "info": ("_info",),
               "histogram": ("", "_bucket", "_sum", "_count", "_created"), "gauge": ("",)}
    seen = {}
    rows = re.findall(r"^\| (\w+) \| (counter|gauge|histogram|info) \|", table, re.M)
    assert len(rows) > 100, rows
    for name, kind in set(rows):
        family = name
        if kind in ("counter", "info"):
            family, ending = name.rsplit("_", 1)
            equal("_" + ending, endings[kind][0], name)
        taken = {family} | {family + ending for ending in endings[kind]}
        for one in taken:
            equal(seen.setdefault(one, name), name, f"what {one} is of")


# --- the program --------------------------------------------------------------------------------
def scrape(exporter, accept, coding="identity", query=""):
    answer = exporter.get("/metrics" + query,
                          headers={"Accept": accept, "Accept-Encoding": coding})
    equal((answer.status, answer.headers["content-type"]), (200, FORMATS[accept][0]), accept)
    equal(answer.headers["vary"], "Accept, Accept-Encoding", accept)
    equal(answer.headers.get("content-encoding", "identity"), coding, accept)
    return gzip.decompress(answer.body) if coding == "gzip" else answer.body


def starts(body):
    """Lines without their values."""
    return [line.split(" # {")[0].rsplit(" ", 1)[0] for line in body.decode().split("\n")]


def samples_of(folder, body, kind):
    return judged(kind, folder.file("body.txt", body.decode()))


def test_every_format_says_the_same():
    python_of("expositions")
    with Folder() as folder, tenant() as fake:
        collectors = {**EVERY_HOUR, "assessments": {"interval": "1s"}}
        config = configuration(fake, folder, {}, collectors=collectors)
        config["metrics"] = {"opt_in_list": [".*"]}
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            fake.admin("advance?steps=2", "POST")
            until("findings that were resolved", lambda: exporter.metrics().sum(
                "defender_findings_resolved_total"), 60)
            exemplars = {}
            for accept, (content_type, kind) in FORMATS.items():
                def same():
                    text = Metrics(exporter.get("/metrics").text)
                    want = {(name, frozenset(labels.items())) for name in text.samples
                            for labels, _ in text.samples[name]}
                    samples = samples_of(folder, scrape(exporter, accept), kind)
                    exemplars.update({row[0]: row[3] for row in samples if row[3]})
                    return series(samples) == want
                until(f"the same in {content_type}", same)
                until(f"the same, compressed, in {content_type}", lambda: starts(
                    scrape(exporter, accept, "gzip")) == starts(scrape(exporter, accept)))
                part = scrape(exporter, accept, query="?collect[]=assessments")
                contains(part.decode(), "\ndefender_findings{", accept)
                assert part.endswith(b"# EOF\n") == (kind == "openmetrics"), accept
                samples_of(folder, part, kind)
            metrics = exporter.metrics()
            for name in ("openmetrics 1.0.0", "openmetrics 0.0.1", "text 1.0.0", "text 0.0.4"):
                for coding in ("identity", "gzip"):
                    pair = {"format": name, "coding": coding}
                    assert metrics.one("defender_exporter_exposition_requests_total", **pair) > 0
                    assert metrics.one("defender_exporter_exposition_bytes", **pair) > 0
                assert metrics.one("defender_exporter_exposition_render_seconds", format=name) > 0
            for name in ("defender_findings_opened_total", "defender_findings_resolved_total",
                         "defender_finding_resolution_seconds_bucket"):
                labels, value, at = exemplars[name]
                assert re.fullmatch("[0-9a-f]{16}", labels["finding_id"]), labels
                assert value >= 0 and at > 1.7e9, exemplars[name]


def test_protobuf_is_the_text_in_other_bytes():
    """As Prometheus' library writes as a text what it read of protobuf."""
    expfmt()
    with Folder() as folder, tenant() as fake:
        config = configuration(fake, folder, {}, collectors=EVERY_HOUR)
        config["metrics"] = {"opt_in_list": [".*"]}
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()

            def same():
                answer = exporter.get("/metrics", headers={"Accept": PROTOBUF})
                equal(answer.headers["content-type"], PROTOBUF, "content type")
                got = Metrics(printed(PROTOBUF, answer.body, "text"))
                want = exporter.metrics()
                different[:] = set(scraped(got).items()) ^ set(scraped(want).items())
                differing = {name for name in want.types if got.types.get(name) != want.types[name]}
                return len(want.samples) > 100 and not different and not differing and \
                    decoded(PROTOBUF, answer.body) == decoded(TEXT_TYPE, want.text.encode())
            different = []
            until("the same in protobuf", same, told=lambda: str(different[:4]))


def test_lines_of_creation_are_an_option():
    python_of("expositions")
    accept = f"{OPENMETRICS};version=1.0.0;escaping=allow-utf-8"
    with Folder() as folder, tenant() as fake:
        config = configuration(fake, folder, {}, collectors=EVERY_HOUR)
        config["metrics"] = {"created_lines": True}
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            wanted = ("defender_findings_opened_created",
                      "defender_exporter_http_requests_created")
            found = {}

            def told():
                samples = samples_of(folder, scrape(exporter, accept), "openmetrics")
                found.update({name: float(value) for name, _, value, _ in samples})
                return all(name in found for name in wanted)
            until("lines of creation", told)
            for name in wanted:
                assert found[name] > 1.7e9, (name, found[name])
            assert not any(name.endswith("_created") for name in exporter.metrics().samples)


if SETTING_UP:
    set_up("expositions.py", lambda: python_of("expositions"), expfmt)
else:
    run(globals())
