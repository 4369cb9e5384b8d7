#!/usr/bin/env python3
"""A real OpenTelemetry Collector takes what is pushed and hands the same on.

otlp_peers.py --setup builds it of its Go modules; the test skips what was not built.
"""
import os

from fetched import SETTING_UP, built_by_go, set_up, taken_over, text_of
from harness import Exporter, Folder, Program, equal, free_port, run, until
from otlp import (EVERY_HOUR, agree, complete, configuration, exponential, last_push, pushed,
                  scraped, tenant)
from otlp_receiver import Receiver


def collector():
    """The program, built once."""
    folder = taken_over("collector", ("main.go", "go.mod", "go.sum"))
    wanted = text_of(folder, "go.mod") + text_of(folder, "main.go")
    built_by_go(folder, wanted, "the collector", ["go", "build", "-o", "collector", "."])
    return os.path.join(folder, "collector")


def settings_of(port, receiver):
    """What is got at the port is sent to the receiver."""
    pipeline = {"receivers": ["otlp"], "exporters": ["otlp_http"]}
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "exporters": {"otlp_http": {"endpoint": receiver.url}},
        "service": {"telemetry": {"metrics": {"level": "none"}},
                    "pipelines": {"metrics": pipeline, "logs": pipeline}},
    }


def hand_on(metrics, looked_at, equals):
    """Until what came through a Collector, looked at like this, equals a scrape."""
    program = collector()
    with Folder() as folder, Receiver() as receiver, tenant() as fake:
        port = free_port()
        config = folder.file("collector.yml", settings_of(port, receiver))
        otlp = {"endpoint": f"http://127.0.0.1:{port}", "metrics": {"interval": "2s", **metrics}}
        with Program([program, "--config", config]) as peer, Exporter(
                folder, configuration(fake, folder, otlp, collectors=EVERY_HOUR)) as exporter:
            peer.wait_for("Everything is ready")
            exporter.wait_ready()
            until("all records", lambda: complete(folder, receiver), 60)
            differing = []

            def same():
                want, got = scraped(exporter.metrics()), looked_at(last_push(receiver))
                differing[:] = equals(want, got)
                return want if got and not differing else None
            want = until("the same values", same, 60, told=lambda: str(differing[:5]))
            assert len(want) > 200, len(want)
            metrics = exporter.metrics()
            for signal in ("logs", "metrics"):
                equal(metrics.one("defender_exporter_otlp_rejected_items_total", signal=signal), 0,
                      f"{signal} rejected")


def test_a_collector_hands_on_what_it_was_sent():
    hand_on({}, pushed, lambda want, got: [key for key in want if got.get(key) != want[key]])


def test_a_collector_takes_exponential_histograms():
    hand_on({"histograms": "base2_exponential_bucket_histogram"}, exponential,
            lambda want, got: [key for key, point in got.items() if not agree(point, want, key)])


if SETTING_UP:
    set_up("otlp_peers.py", collector)
else:
    run({name: test for name, test in globals().items() if name.startswith("test_a_collector")})
