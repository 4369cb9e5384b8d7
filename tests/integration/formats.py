#!/usr/bin/env python3
"""Prometheus scrapes each format: the series it has stored are the same, whatever they came in.

formats.py --setup builds a Prometheus 3 of its Go module; its test skips what was not built.
"""
import os
import re
import time
import urllib.parse

from fetched import SETTING_UP, TOOLS, built_by_go, set_up
from harness import (SECRET, Exporter, Fake, Folder, Program, equal, fetch, free_port, run,
                     settings, until)
from promtool import tool
from serving import Quiet, Serving

PROTOBUF = ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
            "encoding=delimited")
ACCEPT = {"text": "text/plain;version=0.0.4", "openmetrics": "application/openmetrics-text;"
          "version=1.0.0", "protobuf": PROTOBUF}
PROMETHEUS_3 = "v0.316.0"  # is 3.16.0
COLLECTORS = {name: {"interval": "1s"} for name in ("subscriptions", "assessments")}
# What Prometheus adds of its own.
ADDED = re.compile(r"up$|scrape_")
# What goes on between two scrapes.
MOVING = re.compile(r"defender_exporter_|process_|defender_collector_|defender_scrape_")


class Asking(Serving):
    """Hands a request for /FORMAT on to the exporter, and asks for that format."""

    def __init__(self, exporter):
        class Handler(Quiet):
            def do_GET(self):
                answer = exporter.get("/metrics", headers={"Accept": ACCEPT[self.path[1:]]})
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["content-type"])
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

        super().__init__(Handler)


class Prometheus(Program):
    """With a job for each format, named after it."""

    def __init__(self, folder, program, port, jobs, *flags):
        self.url = f"http://127.0.0.1:{port}/api/v1/"
        config = folder.file("prometheus.yml", {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": name, **job} for name, job in jobs.items()]})
        super().__init__([program, f"--config.file={config}",
                          f"--web.listen-address=127.0.0.1:{port}",
                          "--storage.tsdb.path=" + os.path.join(folder.path, "prometheus"),
                          *flags])

    def ask(self, what, **parameters):
        try:
            answer = fetch(f"{self.url}{what}?{urllib.parse.urlencode(parameters)}")
        except OSError:
            return []
        return answer.json()["data"] if answer.status == 200 else []

    def query(self, expression):
        answer = self.ask("query", query=expression)
        return answer["result"] if answer else []

    def stored(self, job):
        """{(name, labels): value}, and the same of native histograms."""
        floats, natives = {}, {}
        for result in self.query(f'{{job="{job}"}}'):
            key = identity(result["metric"])
            if not ADDED.match(key[0]):
                if "histogram" in result:
                    natives[key] = result["histogram"][1]
                else:
                    floats[key] = float(result["value"][1])
        return floats, natives

    def exemplars(self, job, name):
        """[(labels of the series, labels of the exemplar, value, time)]"""
        found = self.ask("query_exemplars", query=f'{name}{{job="{job}"}}', start=0,
                         end=time.time() + 60)
        return sorted((identity(series["seriesLabels"]), sorted(one["labels"].items()),
                       float(one["value"]), one["timestamp"])
                      for series in found for one in series["exemplars"])


def identity(labels):
    labels = {name: value for name, value in labels.items() if name not in ("job", "instance")}
    return labels.pop("__name__"), tuple(sorted(labels.items()))


def family(name):
    return re.sub("_(bucket|sum|count)$", "", name)


def unequal(got, want, name):
    """Whether two values differ; of what moves, whether one is missing."""
    return (got is None) != (want is None) or got != want and not MOVING.match(name)


def differences(prometheus, both):
    """How what was stored of the formats differs. both: native histograms with classic ones."""
    floats, natives = {}, {}
    for job in ACCEPT:
        floats[job], natives[job] = prometheus.stored(job)
    found, native = [], natives["protobuf"]
    histograms = {name for name, _ in native}
    want = floats["text"]
    for job in ("openmetrics", "protobuf"):
        for key in want.keys() | floats[job].keys():
            left_out = job == "protobuf" and not both and family(key[0]) in histograms
            wanted = None if left_out else want.get(key)
            if unequal(floats[job].get(key), wanted, key[0]):
                found.append((job, key, floats[job].get(key), wanted))
    for (name, labels), histogram in native.items():
        for part in ("count", "sum"):
            wanted = want.get((f"{name}_{part}", labels))
            if unequal(float(histogram[part]), wanted, name):
                found.append(("native", name, labels, part, histogram[part], wanted))
    for name in {key[0] for key in want if key[0].endswith("_bucket")} - {
            name + "_bucket" for name in histograms}:
        found.append(("native", name, "is missing"))
    if natives["text"] or natives["openmetrics"]:
        found.append("native histograms of a text")
    if len(want) < 300 or len(native) < 3:
        found.append(("too few", len(want), len(native)))
    return found, want, native


def check_same(prometheus, both):
    """Wait until everything is stored alike; the floats and the native histograms."""
    last = []

    def same():
        last[:] = differences(prometheus, both)
        return last[1:] if not last[0] else None
    return until("the same series in every format", same, 60,
                 told=lambda: f"{len(last[0])} differ: {last[0][:4]}")


def check_quantiles(prometheus, floats, natives):
    """Native buckets answer with a value in the very bucket that the classic ones answer with."""
    for name in sorted({name for name, _ in natives}):
        native, classic, openmetrics = (
            prometheus.query(f"histogram_quantile(0.5, sum{what})") for what in (
                f'({name}{{job="protobuf"}})', f' by (le) ({name}_bucket{{job="text"}})',
                f' by (le) ({name}_bucket{{job="openmetrics"}})'))
        native, classic, openmetrics = (
            float(answer[0]["value"][1]) for answer in (native, classic, openmetrics))
        assert native > 0 and classic > 0 and openmetrics > 0, (name, native, classic, openmetrics)
        if not MOVING.match(name):
            equal(openmetrics, classic, f"median of {name}")
            bounds = sorted({0.0} | {float(dict(labels)["le"]) for bucket, labels in floats
                                     if bucket == name + "_bucket"})
            at = next(i for i, bound in enumerate(bounds) if classic <= bound)
            # as far off as its own bucket is wide
            assert bounds[at - 1] / 1.1 <= native <= bounds[at] * 1.1, (name, native, classic)


def check_exemplars(prometheus):
    """Those of counters are the same; a native histogram has some of its classic one's."""
    counted = "defender_findings_opened_total"
    same = until("exemplars", lambda: prometheus.exemplars("openmetrics", counted))
    equal(until("the same exemplars", lambda: prometheus.exemplars("protobuf", counted)), same,
          "exemplars of counters")
    observed = "defender_finding_resolution_seconds"
    classic = {(str(one), value, at) for _, one, value, at in
               prometheus.exemplars("openmetrics", observed + "_bucket")}
    native = {(str(one), value, at) for _, one, value, at in
              prometheus.exemplars("protobuf", observed)}
    assert native and native <= classic, (native, classic)
    equal(prometheus.exemplars("text", counted), [], "exemplars of a text without any")


def check(prometheus, both):
    floats, natives = check_same(prometheus, both)
    check_quantiles(prometheus, floats, natives)
    check_exemplars(prometheus)


def lively():
    return Fake("--provable", "--assessments", "400", "--machines", "0", "--seed", "11")


def started(folder, fake, **more):
    return Exporter(folder, settings(fake.url, folder.file("secret", SECRET), COLLECTORS, **more))


def happen(exporter, fake):
    """Something opens and something is resolved."""
    exporter.wait_ready()
    fake.admin("advance?steps=3", "POST")
    exporter.wait_metric("opened and resolved", lambda m:
                         m.sum("defender_findings_opened_total") and
                         m.sum("defender_finding_resolution_seconds_count"), 60)


def at(url):
    return {"static_configs": [{"targets": [url.removeprefix("http://")]}]}


def test_prometheus_of_debian():
    program = tool("prometheus")
    with Folder() as folder, lively() as fake, started(folder, fake) as exporter, \
            Asking(exporter) as asking:
        happen(exporter, fake)
        jobs = {"text": {**at(asking.url), "metrics_path": "/text"},
                "openmetrics": {**at(asking.url), "metrics_path": "/openmetrics"},
                "protobuf": at(exporter.url)}  # by what it asks for itself
        with Prometheus(folder, program, free_port(), jobs,
                        "--enable-feature=native-histograms,exemplar-storage") as prometheus:
            check(prometheus, both=False)


def prometheus_3():
    """A program, built once."""
    folder = os.path.join(TOOLS, "prometheus_3")
    os.makedirs(folder, exist_ok=True)
    package = f"github.com/prometheus/prometheus/cmd/prometheus@{PROMETHEUS_3}"
    built_by_go(folder, package, "Prometheus 3", [
        "env", f"GOBIN={folder}", "go", "install", "-tags", "remove_all_sd", package])
    return os.path.join(folder, "prometheus")


def in_numbers(floats):
    """With bounds of buckets as numbers, which are 3600.0 in a scrape and 3600 in a push."""
    return {(name, tuple((label, float(value) if label == "le" else value)
                         for label, value in labels)): value
            for (name, labels), value in floats.items()}


def check_pushed(prometheus):
    """What came by OTLP is what was scraped."""
    def same():
        got, natives = prometheus.stored("defender_exporter")
        got, want = in_numbers(got), in_numbers(prometheus.stored("text")[0])
        histograms = {name for name, _ in natives}
        differing[:] = [(key, got.get(key), value) for key, value in want.items()
                        if not MOVING.match(key[0]) and family(key[0]) not in histograms and
                        got.get(key) != value]
        differing.extend((key, natives[key]["count"]) for key in natives
                         if not MOVING.match(key[0]) and
                         float(natives[key]["count"]) != want.get((key[0] + "_count", key[1])))
        return len(got) > 300 and not differing
    differing = []
    until("the same by OTLP", same, 60, told=lambda: str(differing[:4]))


def test_prometheus_3():
    program = prometheus_3()
    port = free_port()
    otlp = {"endpoint": f"http://127.0.0.1:{port}/api/v1/otlp", "metrics": {"interval": "1s"},
            "logs": {"enabled": False}}
    with Folder() as folder, lively() as fake, started(folder, fake, otlp=otlp) as exporter:
        happen(exporter, fake)
        jobs = {"text": {**at(exporter.url), "scrape_protocols": ["PrometheusText0.0.4"]},
                "openmetrics": {**at(exporter.url), "scrape_protocols": ["OpenMetricsText1.0.0"]},
                "protobuf": {**at(exporter.url), "scrape_native_histograms": True,
                             "always_scrape_classic_histograms": True}}
        with Prometheus(folder, program, port, jobs, "--enable-feature=exemplar-storage",
                        "--web.enable-otlp-receiver") as prometheus:
            check(prometheus, both=True)
            check_pushed(prometheus)


if SETTING_UP:
    set_up("formats.py", prometheus_3)
else:
    run(globals())
