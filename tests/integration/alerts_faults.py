#!/usr/bin/env python3
"""No fault of Azure resolves a finding, opens one or changes its risk: whatever Azure answers,
nobody is told that something was fixed. A subscription that cannot be read any more is
data.stale."""
import concurrent.futures

from faults import CASES, SIDE_BY_SIDE, often, until_ended
from harness import SECRET, Exporter, Fake, Folder, equal, run, settings, until
from sink import Sink, receiver

ROUNDS = 4  # absence counts from the second complete collection on
RULES = """
groups:
- name: all
  rules:
  - alert: Anything
    event: [finding.opened, finding.reopened, finding.risk_changed, finding.resolved]
"""
NEVER = ("defender_findings_opened_total", "defender_findings_reopened_total",
         "defender_findings_resolved_total", "defender_finding_risk_changes_total")


def check(exporter, sink, when):
    metrics = exporter.metrics()
    for family in NEVER:
        equal(metrics.sum(family), 0, f"{family} {when}")
    for message in sink.taken():
        told = {alert["event"] for alert in message["body"]["data"]["alerts"]}
        assert not told & {"finding.resolved", "finding.opened", "finding.reopened",
                           "finding.risk_changed", "baseline.rule_fixed"}, f"{told} {when}"
    return metrics


def stale_pages(sink):
    return [m["body"]["data"] for m in sink.taken() if m["body"]["type"] == "data.stale"]


def one_fault(fault, mode):
    with Folder() as folder, Sink() as sink, \
            Fake("--assessments", "600", "--machines", "10", "--seed", "9") as fake:
        folder.file("rules.yml", RULES)
        config = settings(fake.url, folder.file("secret", SECRET), often(mode),
                          alerts={"rules": ["rules.yml"], "receivers": [receiver(sink)],
                                  "route": {"group_interval": "1s"}})
        with Exporter(folder, config, "--log.level=debug") as exporter:
            exporter.wait_ready()
            until_ended(exporter, 2)
            check(exporter, sink, "before the fault")
            fake.fault(fault)
            until_ended(exporter, ROUNDS)
            check(exporter, sink, "under the fault")
            if fault == "403:sub=0":
                until("a page that data are stale", lambda: stale_pages(sink), 30)
                equal(stale_pages(sink)[0]["subscription_id"],
                      fake.admin("dump")["subscriptions"][0]["subscriptionId"], "what is stale")
            fake.heal()
            until_ended(exporter, ROUNDS)
            check(exporter, sink, "after the fault")
            if fault == "403:sub=0":
                until("the end of it", lambda: [p for p in stale_pages(sink)
                                                if p["status"] == "resolved"] or [
                    m for m in sink.taken() if m["body"]["type"] == "data.recovered"], 30)


def test_no_fault_resolves_anything():
    cases = [(fault, mode) for fault, modes, _, _ in CASES for mode in modes]
    assert len(cases) > 50
    harm = {}
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        futures = {pool.submit(one_fault, *case): case for case in cases}
        for future in concurrent.futures.as_completed(futures):
            if future.exception():
                harm["{} ({})".format(*futures[future])] = str(future.exception())[:400]
    for case, why in harm.items():
        print(f"{case}: {why}")
    equal(sorted(harm), [], f"faults of {len(cases)} that did harm")


if __name__ == "__main__":
    run(globals())
