#!/usr/bin/env python3
"""Where Azure rates no risk: findings are not evaluated and the rules that wait in vain are named,
or the severity says the level."""
import os
import signal
import subprocess

from alerts_model import finding_id, query
from harness import (EXPORTER, ROOT, SECRET, SLOWNESS, Exporter, Fake, Folder, contains, equal, run,
                     settings, until)
from sink import Sink, receiver

UNRATED = ("--unrated", "--assessments", "800", "--machines", "10", "--seed", "5")
VARIANTS = ("graph", "rest")


def configuration(fake, folder, sink, variant, missing=None):
    config = settings(
        fake.url, folder.file("secret", SECRET),
        {"subscriptions": {"interval": "1s"}, "assessments": {"interval": "1s", "source": variant},
         "secure_scores": {"interval": "1m"}},
        alerts={"rules": [os.path.join(ROOT, "packaging/examples/rules/rules.yml")],
                "receivers": [receiver(sink)],
                "route": {"receiver": "team", "group_by": ["..."], "group_interval": "1s"}})
    config["collector"] = {"risk_when_missing": missing} if missing else {}
    return config


def check_config(folder):
    result = subprocess.run(
        [EXPORTER, "check", "config", os.path.join(folder.path, "defender_exporter.yml")],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=60 * SLOWNESS)
    equal(result.returncode, 0, "check config: " + result.stderr)
    return result.stdout


def risks(folder):
    return {row.hex()[:16]: (risk, contextual) for row, risk, contextual in query(
        folder, "SELECT id, risk, contextual FROM ledger_known"
                " WHERE is_open = 1 AND source = 'assessments'")}


def of_severity(fake):
    """What the severities say: numbers of risk levels."""
    levels = {"Critical": 0, "High": 1, "Medium": 2, "Low": 3, "": 4}
    return {finding_id(row["id"]): (levels[row["severity"]], 0)
            for row in fake.admin("dump")["assessments"] if row["code"] == "Unhealthy"}


def told(sink, word):
    return [message["body"] for message in sink.taken() if message["body"]["type"] == word]


def test_rules_that_wait_in_vain_are_named():
    for variant in VARIANTS:
        with Folder() as folder, Sink() as sink, Fake(*UNRATED) as fake:
            config = configuration(fake, folder, sink, variant)
            with Exporter(folder, config) as exporter:
                exporter.wait_ready()
                missing = until("risk.missing", lambda: told(sink, "risk.missing"))
                contains(str(missing), "CriticalFinding, ExposedFinding, FindingOverdue", variant)
                contains(str(missing), "risk_when_missing", variant)
                exporter.wait_for("Azure tells no risk level.*CriticalFinding")
                equal("source: rest tells no risk level" in exporter.log, variant == "rest",
                      f"said at the start with {variant}")
                equal({risk for risk in risks(folder).values()}, {(4, 0)}, variant)
                metrics = exporter.metrics()
                equal(metrics.sum("defender_findings", risk_level="not_evaluated"),
                      metrics.sum("defender_findings"), f"unrated with {variant}")
            warned = check_config(folder)
            equal("warning" in warned, variant == "rest", warned)
            if variant == "rest":
                contains(warned, "CriticalFinding", "check config")
                contains(warned, "collectors.assessments.source", "check config")


def test_the_severity_may_say_the_level():
    for variant in VARIANTS:
        with Folder() as folder, Sink() as sink, Fake(*UNRATED) as fake:
            config = configuration(fake, folder, sink, variant, "severity")
            with Exporter(folder, config) as exporter:
                exporter.wait_ready()
                want = of_severity(fake)
                until("levels of severities", lambda: risks(folder) == want,
                      told=lambda: variant)
                metrics = exporter.metrics()
                equal(metrics.sum("defender_findings", risk_level="high") > 0, True, variant)
                equal(metrics.sum("defender_findings", contextual="true"), 0, variant)
                equal(told(sink, "risk.missing"), [], variant)
            equal("warning" in check_config(folder), False, variant)


def test_a_reload_rates_what_was_unrated():
    with Folder() as folder, Sink() as sink, Fake(*UNRATED) as fake:
        config = configuration(fake, folder, sink, "graph")
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            until("risk.missing", lambda: told(sink, "risk.missing"))
            folder.file("defender_exporter.yml",
                        configuration(fake, folder, sink, "graph", "severity"))
            exporter.send(signal.SIGHUP)
            until("levels of severities", lambda: risks(folder) == of_severity(fake))
            until("risk.recovered", lambda: told(sink, "risk.recovered"))


if __name__ == "__main__":
    run(globals())
