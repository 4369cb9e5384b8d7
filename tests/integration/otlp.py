#!/usr/bin/env python3
"""What is pushed by the OpenTelemetry Protocol: a log record for each event, none of them lost."""
import collections
import signal

from alerts_model import query
from certificates import Authority
from harness import (ALL, SECRET, Exporter, Fake, Folder, contains, equal, run, settings,
                     until)
from otlp_receiver import Exponential, Receiver, series, server_context

COLLECTORS = {name: {"interval": "1s"} for name in ("subscriptions", "assessments")} | {
    name: {"enabled": False} for name in ("secure_scores", "baselines", "catalogue")}
EVERY_HOUR = {name: {**keys, "interval": "1h"} if "interval" in keys else keys
              for name, keys in COLLECTORS.items()}
EXPONENTIALS = {"defender_finding_resolution_seconds", "defender_finding_detection_delay_seconds",
                "defender_exporter_azure_request_duration_seconds",
                "defender_exporter_notification_latency_seconds",
                "defender_exporter_notification_age_seconds"}
RISKS = {"critical": 18, "high": 17, "medium": 13, "low": 9, "not_evaluated": 9}


def configuration(fake, folder, otlp, first_run="all", collectors=None):
    return settings(fake.url, folder.file("secret", SECRET), collectors or COLLECTORS, otlp=otlp,
                    alerts={"ledger": {"first_run": first_run}})


def logs(receiver, **more):
    return {"endpoint": receiver.url, "metrics": {"enabled": False}, **more}


def tenant(assessments=400):
    return Fake("--provable", "--assessments", assessments, "--machines", "0", "--seed", "11")


def recorded(folder):
    """Ids of what happened, as the database has it."""
    rows = query(folder, "SELECT sequence, LOWER(HEX(finding_id)) FROM ledger_event")
    return {f"{finding[:16]}-{number}" if finding else f"event-{number}"
            for number, finding in rows}


def ids(receiver):
    return collections.Counter(r["attributes"]["log.record.uid"] for r in receiver.taken())


def complete(folder, receiver):
    want = recorded(folder)
    return want if want and want == set(ids(receiver)) else None


def test_each_event_is_a_record():
    with Folder() as folder, Receiver() as receiver, tenant() as fake:
        config = configuration(fake, folder, logs(receiver))
        with Exporter(folder, config) as exporter:
            until("all records", lambda: complete(folder, receiver), 60)
            fake.admin("advance?steps=3", "POST")
            until("news", lambda: any(r["event"] != "defender.finding.opened"
                                      for r in receiver.taken()), 60)
            until("all of them", lambda: complete(folder, receiver), 60)
            metrics = exporter.metrics()
            equal(metrics.one("defender_exporter_otlp_log_records_waiting"), 0, "waiting")
            equal(metrics.sum("defender_exporter_otlp_failed_total", signal="logs"), 0, "failed")
        equal(max(ids(receiver).values()), 1, "how often one was pushed")
        first = receiver.asked()[0]
        equal(first["path"], "/v1/logs", "path")
        equal(first["headers"]["Content-Encoding"], "gzip", "encoding")
        equal(first["resource"]["service.name"], "defender_exporter", "service.name")
        check_records(receiver.taken())
        instance = first["resource"]["service.instance.id"]
        with Exporter(folder, config):
            fake.admin("advance?steps=1", "POST")
            until("all of them", lambda: complete(folder, receiver), 60)
        equal({r["resource"]["service.instance.id"] for r in receiver.asked()}, {instance},
              "service.instance.id over a restart")


def check_records(records):
    for record in records:
        attributes = record["attributes"]
        equal(record["severity"], RISKS[record["severity_text"]], "severity")
        equal(attributes["defender.risk.level"], record["severity_text"], "risk level")
        contains(attributes["log.record.uid"], attributes["defender.finding.id"], "uid")
        if attributes["cloud.provider"] == "azure":
            equal(attributes["cloud.account.id"], attributes["defender.subscription.id"], "account")
            assert attributes["cloud.resource_id"].startswith("/subscriptions/"), attributes
        assert attributes["security_rule.uuid"] and record["time"] == record["observed"] > 0
        contains(record["body"], attributes["defender.resource.name"], "body")
        resolved = record["event"].rsplit(".", 1)[1] in ("resolved", "exempted",
                                                         "no_longer_assessed")
        equal(attributes["defender.status"], "resolved" if resolved else "open", record["event"])


def test_a_first_run_is_no_event():
    with Folder() as folder, Receiver() as receiver, tenant() as fake:
        with Exporter(folder, configuration(fake, folder, logs(receiver),
                                            "summary")) as exporter:
            exporter.wait_ready()
            fake.admin("advance?steps=2", "POST")
            until("news", receiver.taken, 60)
            until("all of them", lambda: complete(folder, receiver), 60)
        seen = len(receiver.taken())
        assert seen < 100, f"{seen} records of what was open at first sight"


def pushed(requests):
    """What the metrics of these requests are in Prometheus: {(name, labels): value}."""
    found = {}
    for request in requests:
        for metric in request["metrics"]:
            for point in series(metric)[1]:
                key = (point.name, frozenset(point.labels.items()))
                assert key not in found, f"{key} stands twice"
                found[key] = point.value
    return found


def scraped(metrics):
    """The same of a scrape, but for the program's own."""
    found = {}
    for name, samples in metrics.samples.items():
        for labels, value in samples:
            if "le" in labels:
                labels = {**labels, "le": float(labels["le"])}
            if name.startswith("defender_") and not name.startswith("defender_exporter_"):
                found[name, frozenset(labels.items())] = value
    return found


def last_push(receiver):
    """The requests of the last push of metrics: one after the other, of one moment."""
    requests = [r for r in receiver.asked() if "metrics" in r]
    return [r for r in requests if r["at"] == requests[-1]["at"]] if requests else []


def test_metrics_are_what_a_scrape_shows():
    with Folder() as folder, Receiver() as receiver, tenant() as fake:
        otlp = {"endpoint": receiver.url, "metrics": {"interval": "1s"}, "logs": {"enabled": False}}
        config = configuration(fake, folder, otlp, collectors=EVERY_HOUR)
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()

            def same():
                want, got = scraped(exporter.metrics()), pushed(last_push(receiver))
                differing[:] = [key for key in want if got.get(key) != want[key]]
                return want if not differing else None
            differing = []
            want = until("the same values", same, 30, told=lambda: str(differing[:5]))
            got = pushed(last_push(receiver))
            own = {name for name, _ in got if name.startswith(("defender_exporter_", "process_"))}
            assert len(want) > 200 and {"process_cpu_seconds_total",
                                        "defender_exporter_build_info",
                                        "defender_exporter_azure_request_duration_seconds_bucket",
                                        "defender_exporter_series"} <= own, (len(want), own)
            extra = {key for key in got if key[0].startswith("defender_")} - set(want)
            equal({key for key in extra if not key[0].startswith("defender_exporter_")}, set(),
                  "series that no scrape has")
            equal(receiver.asked()[-1]["path"], "/v1/metrics", "path")


def exponential(requests):
    """{(name, labels): point} of the ledger's exponential histograms."""
    return {(point.name, frozenset(point.labels.items())): point
            for request in requests for kind, points in map(series, request["metrics"])
            for point in points if kind == "exponential" and isinstance(point.value, Exponential)
            and point.name.startswith("defender_finding_")}


def agree(point, want, key):
    """Whether exponential buckets are those of what classic buckets show, sum and count too."""
    name, labels = key
    value, width = point.value, 2 ** 2 ** -point.value.scale
    for (bucket, others), count in want.items():
        bound = dict(others).get("le")
        if bucket != name + "_bucket" or not labels <= others or bound == float("inf"):
            continue
        surely = sum(n for i, n in value.buckets.items() if width ** (i + 1) < bound * 1.000001)
        maybe = sum(n for i, n in value.buckets.items() if width ** i < bound * 0.999999)
        if not surely <= count - value.zeros <= maybe:
            return False
    return want[name + "_count", labels] == value.zeros + sum(value.buckets.values())


def test_histograms_can_be_exponential():
    """The ledger's outlive a restart, and say since when they count and whose values they are."""
    form = {"interval": "1s", "histograms": "base2_exponential_bucket_histogram"}
    with Folder() as folder, Receiver() as receiver, tenant(100) as fake:
        otlp = {"endpoint": receiver.url, "metrics": form, "logs": {"enabled": False}}
        config = configuration(fake, folder, otlp)
        config["alerts"]["receivers"] = [{"name": "hook", "webhook": {
            "url": receiver.url, "http": {"allow_private": True}}}]
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            fake.admin("advance?steps=3", "POST")
            resolved = "defender_finding_resolution_seconds"

            def same():
                want, got = scraped(exporter.metrics()), exponential(last_push(receiver))
                fine = got and all(agree(point, want, key) for key, point in got.items())
                return got if fine and any(sum(point.value.buckets.values()) for key, point in
                                           got.items() if key[0] == resolved) else None
            before = until("the same values", same, 60)
            pushed_now = last_push(receiver)
            known = {uid[:16] for uid in recorded(folder)}
            told = [labels["finding_id"] for point in before.values()
                    for _, labels in point.exemplars]
            assert told and set(told) <= known, (told, known)
            found = [(kind, points) for request in pushed_now
                     for kind, points in map(series, request["metrics"])]
            sums = [point for _, points in found for point in points
                    if point.name == "defender_findings_resolved_total" and point.exemplars]
            assert sums and sums[0].exemplars[0][1]["finding_id"] in known, sums
            equal({points[0].name for kind, points in found if kind == "exponential"}, EXPONENTIALS,
                  "exponential histograms")
            equal([points[0].name for kind, points in found if kind == "histogram"], [], "others")
        fake.stop()
        kept = {labels: [int(number) for number in histogram.split()] for labels, histogram in
                query(folder, "SELECT labels, histogram FROM ledger_histogram "
                              f"WHERE family = '{resolved}'")}
        with Receiver() as other, Exporter(
                folder, configuration(fake, folder, {**otlp, "endpoint": other.url})):
            after = until("a push", lambda: [point for key, point in
                                             exponential(last_push(other)).items()
                                             if key[0] == resolved], 60)
        assert kept, "nothing was kept"
        for point in after:
            scale, zeros, first, *counts = kept.get(point.labels["risk_level"], [3, 0, 0])
            equal(point.value, Exponential(scale, zeros, dict(enumerate(counts, first - 1))),
                  "after a restart")
            equal(point.start, before[point.name, frozenset(point.labels.items())].start, "start")
            equal(point.exemplars, [], "exemplars of before")


def test_nothing_is_lost_over_kills_and_outages():
    """Two outages, and a kill at whatever it does: each record arrives, under one id."""
    kills, assessments, least = (20, 40000, 10000) if ALL else (5, 3000, 500)
    down = []
    with Folder() as folder, tenant(assessments) as fake, \
            Receiver(lambda request: 503 if down else None) as receiver:
        config = configuration(fake, folder, logs(receiver))
        for kill in range(kills):
            down[:] = [True] if kill in (0, kills // 2) else []
            requests = len(receiver.asked())
            exporter = Exporter(folder, config)
            until("a request", lambda n=requests: len(receiver.asked()) > n, 60)
            exporter.stop(signal.SIGKILL)
            exporter.output.close()
            fake.admin("advance?steps=1", "POST")
        down.clear()
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            until("all records", lambda: len(ids(receiver)) >= least and
                  complete(folder, receiver), 120)
            lost = exporter.metrics().one("defender_exporter_otlp_log_records_lost_total")
            equal(lost, 0, "records lost")
        count = len(ids(receiver))
        print(f"{kills} kills, {count} records, {len(receiver.taken()) - count} pushed twice")


def test_mutual_tls():
    with Folder() as folder, tenant(50) as fake:
        authority = Authority(folder)
        certificate, key = authority.issue("server")
        client, client_key = authority.issue("client", use="clientAuth")
        context = server_context(certificate, key, authority.cert)
        with Receiver(context=context) as receiver:
            otlp = logs(receiver, certificate=authority.cert)
            with Exporter(folder, configuration(fake, folder, otlp)) as exporter:
                exporter.wait_answering().wait_metric("a failure", lambda m: m.sum(
                    "defender_exporter_otlp_failed_total", signal="logs"), 60)
            equal(receiver.taken(), [], "records without a certificate")
            otlp.update(client_certificate=client, client_key=client_key)
            with Exporter(folder, configuration(fake, folder, otlp)):
                until("all records", lambda: complete(folder, receiver), 60)
            otlp.pop("certificate")
            fake.admin("advance?steps=1", "POST")
            seen = len(receiver.taken())
            with Exporter(folder, configuration(fake, folder, otlp)) as exporter:
                exporter.wait_answering().wait_metric("a failure", lambda m: m.sum(
                    "defender_exporter_otlp_failed_total", signal="logs"), 60)
            equal(len(receiver.taken()), seen, "records for a server nobody vouches for")


def test_variables_and_reload():
    with Folder() as folder, Receiver() as receiver, Receiver() as other, tenant(50) as fake:
        config = configuration(fake, folder, {"logs": {"match": ['risk_level="high"']}})
        environment = {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": receiver.url + "/push/v1/logs",
                       "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=a%20b",
                       "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
                       "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"}
        with Exporter(folder, config, environment=environment) as exporter:
            until("records", receiver.taken, 60)
            request = receiver.asked()[0]
            equal(request["path"], "/push/v1/logs", "path")
            equal(request["headers"].get("x-tenant"), "a b", "header")
            equal(request["headers"].get("Content-Encoding"), None, "encoding")
            equal(request["resource"]["deployment.environment.name"], "test", "attribute")
            equal({r["severity_text"] for r in receiver.taken()}, {"high"}, "risks that match")
        with Exporter(folder, configuration(fake, folder, {}), environment={}) as exporter:
            exporter.wait_ready()
            equal(exporter.metrics().all("defender_exporter_otlp_exports_total"), [],
                  "series without an endpoint")
            folder.file("defender_exporter.yml",
                        configuration(fake, folder, logs(other)))
            exporter.send(signal.SIGHUP)
            fake.admin("advance?steps=3", "POST")
            until("records after the reload", other.taken, 60)
        assert not set(ids(receiver)) & set(ids(other)), "pushed to both"


if __name__ == "__main__":
    run(globals())
