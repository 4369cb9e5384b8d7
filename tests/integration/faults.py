#!/usr/bin/env python3
"""Each fault of Azure: the exporter stays up, says once in the log and in a metric what is wrong,
keeps the last good data, and recovers by itself. None makes defender_findings drop.

Every fault has a stand-in and an exporter of its own; a few run side by side. FAULTS_ONLY and
FAULTS_WITHOUT name (a part of) the ones to run and to leave out.
"""
import collections
import concurrent.futures
import os
import re

from harness import (SECRET, SLOWNESS, Exporter, Fake, Folder, contains, equal, memory_kb, run,
                     settings, until)

GRAPH, REST = "graph", "rest"
BOTH = (GRAPH, REST)
# A refused token costs two more requests: with less time the quota would be the next complaint.
PACES = {"401": ("4s",), "expired-token": ("4s",), "huge": ("1s", 5)}
OFTEN = ("subscriptions", "assessments", "secure_scores", "baselines")
STEADY = ("defender_findings", "defender_assessed_resources", "defender_secure_score_points",
          "defender_baseline_rule_failing_machines")
SIDE_BY_SIDE = int(os.environ.get("FAULTS_SIDE_BY_SIDE", "6"))

# fault, where the rows come from, what the log says of it, how the data look meanwhile:
# "odd": rows are counted, no collector fails;
# "failed": a collector says so; "carried": one subscription is not visible, the others go on;
# "fine": it changes nothing; "any": it may come and go, but harms nothing
CASES = (
    ("401", BOTH, r"401 InvalidAuthenticationToken", "failed"),
    ("expired-token", BOTH, r"401 ExpiredAuthenticationToken", "failed"),
    ("403", BOTH, r"403 .*AuthorizationFailed", "failed"),
    ("403:sub=0", BOTH, r"403|denied|not visible|not readable", "carried"),
    ("denied-all", BOTH, r"403|denied", "failed"),
    ("no-subscriptions", BOTH, r"no subscription is visible", "failed"),
    ("not-registered", (GRAPH,), r"MissingSubscriptionRegistration", "failed"),
    ("not-registered:status=404", (GRAPH,), r"Subscription Not Registered", "failed"),
    ("not-registered:path=Microsoft.Security", (REST,), r"MissingSubscription", "failed"),
    ("429", BOTH, r"429|throttled|RateLimiting", "failed"),
    ("429:retry_after=none", BOTH, r"429|throttled|RateLimiting", "failed"),
    ("429:retry_after=none,body=empty", BOTH, r"429|throttled", "failed"),
    ("429:retry_after=1,body=object,every=9", BOTH, r"", "any"),
    ("500", BOTH, r"500 Internal Server Error|500", "failed"),
    ("502", BOTH, r"502", "failed"),
    ("503", BOTH, r"503", "failed"),
    ("504", BOTH, r"504", "failed"),
    ("empty-5xx", BOTH, r"503", "failed"),
    ("503:every=9", BOTH, r"", "any"),
    ("redirect", BOTH, r"302|redirect", "failed"),
    ("hang", BOTH, r"timed out|timeout|deadline|no answer", "failed"),
    ("slow:ms=400", BOTH, r"timed out|timeout|deadline|no answer", "failed"),
    ("cut", BOTH, r"closed|cut|ended|broke|missing|incomplete|transfer", "failed"),
    ("cut:cut=chunked", BOTH, r"closed|cut|ended|broke|missing|incomplete|transfer", "failed"),
    ("invalid-json", BOTH, r"JSON|json|parse|no object|not valid", "failed"),
    ("wrong-types", BOTH, r"odd rows", "odd"),
    ("odd:body=null", BOTH, r"odd rows.*null", "odd"),
    ("odd:body=no-id", BOTH, r"odd rows.*missing", "odd"),
    ("odd:body=no-status", BOTH, r"odd rows.*missing", "odd"),
    ("odd:body=status", BOTH, r"odd rows.*Sideways", "odd"),
    ("odd:body=surrogate", BOTH, r"odd rows.*text", "odd"),
    ("odd:body=twice", BOTH, r"odd rows.*twice", "odd"),
    ("deep", BOTH, r"deep|nest|JSON|json|parse", "failed"),
    ("huge:bytes=70000000", BOTH, r"larger|limit|too (big|large|long)", "failed"),
    ("huge:bytes=3000000", BOTH, r"", "any"),
    ("repeat-token", BOTH, r"repeat|twice|came again|seen before", "failed"),
    ("shift", BOTH, r"twice|moved|does not add up|add up", "failed"),
    ("truncated:path=ResourceGraph", (GRAPH,), r"truncated|cut|add up", "failed"),
    ("total-drift", (GRAPH,), r"add up|total", "failed"),
    ("empty:count=2", (GRAPH,), r"", "any"),
    ("partial", BOTH, r"206 instead of 200", "failed"),
    ("too-large:rows=40", (GRAPH,), r"smaller ones", "fine"),
    ("raw-nextlink", BOTH, r"", "fine"),
    ("foreign-nextlink", (REST,), r"origin|host|leaves|another", "failed"),
    ("bom", BOTH, r"", "fine"),
    ("members", BOTH, r"", "fine"),
    ("skew:seconds=86400", BOTH, r"", "fine"),
    ("skew:seconds=-86400", BOTH, r"", "fine"),
)


def often(mode, interval="1s", timeout_s=1.5):
    """Little time between collections, so that the test sees several. What
    hangs costs the whole time-out again and again, so it is stretched less than deadlines are."""
    stretch = max(1, SLOWNESS / 3)
    pace = {"interval": interval, "timeout": f"{timeout_s * stretch * 1000:.0f}ms"}
    lists = {"source": mode, **pace}
    return {"subscriptions": pace, "catalogue": {**pace, "interval": "1h"}, "assessments": lists,
            "secure_scores": lists, "baselines": pace}


def until_ended(exporter, count, look=lambda: True, names=OFTEN):
    """Wait until each of these has ended so many more collections, looking all the time."""
    def ended():
        return collections.Counter(re.findall(
            r'msg="?collect(?:ed|ion failed|or recovered).* collector=(\w+)', exporter.log))
    before = ended()

    def enough():
        look()
        now = ended()
        return all(now[name] >= before[name] + count for name in names)
    until("more collections", enough, 90, 0.1)


class Watch:
    """The exporter under a fault: every look checks what must hold all the time."""

    def __init__(self, exporter, fake):
        self.exporter, self.fake, self.families = exporter, fake, STEADY
        # Ready is also who failed once: only what everybody brought can be compared with.
        self.healthy = until("a collection of everything", self.all_well, 60, 0.1)
        self.log_bytes = 0

    def look(self):
        metrics = self.exporter.metrics()
        for family in self.families:
            equal(metrics.sum(family), self.healthy.sum(family), family + " under the fault")
        return metrics

    def all_well(self):
        metrics = self.exporter.metrics()
        return metrics if not self.failures(metrics) else None

    def failures(self, metrics):
        return {labels["collector"] for labels, value in
                metrics.all("defender_scrape_collector_success") if not value}

    def news(self):
        return self.exporter.log[self.log_bytes:]



def check_once(watch, fault):
    """A collector says what is wrong when it changes, not at every collection."""
    last = {}
    for line in re.findall(r"level=(?:WARN|ERROR|INFO) .*", watch.news()):
        collector = re.search(r" collector=(\w+)", line)
        kind = re.sub(r"^.*?msg=", "", re.sub(r"err=.*", "", line))
        if collector and last.get(collector.group(1)) == kind:
            raise AssertionError(f"{fault}: said again: {kind}\n{watch.news()[-3000:]}")
        if collector:
            last[collector.group(1)] = kind


def suffer(watch, fault, words, effect):
    watch.log_bytes = len(watch.exporter.log)
    if effect == "odd":  # what has no id cannot be shown as it was, a number that is none neither
        nameless = "no-id" in fault or "wrong-types" in fault
        watch.families = () if nameless else ("defender_findings",)
    watch.fake.fault(fault)
    if effect == "failed":
        until("a collector that says it failed", lambda: watch.failures(watch.look()), 30, 0.1)
        until(f"{words!r} in the log", lambda: re.search(words, watch.news()), 30)
    elif effect == "odd":
        until("rows that are odd", lambda: watch.look().sum("defender_collector_odd_rows"), 30, 0.1)
        until(f"{words!r} in the log", lambda: re.search(words, watch.news()), 30)
    elif effect == "carried":
        until("a subscription that is not visible", lambda: [
            value for _, value in watch.look().all("defender_subscription_visible") if not value],
            30)
        until(f"{words!r} in the log", lambda: re.search(words, watch.news()), 30)
    until_ended(watch.exporter, 3, watch.look)
    if effect in ("fine", "odd"):
        until("collectors that do not mind", lambda: not watch.failures(watch.look()), 30, 0.1)
    if effect != "any":
        check_once(watch, fault)


def recover(watch, fault):
    watch.fake.heal()

    def healthy():
        metrics = watch.look()
        return (not watch.failures(metrics) and
                all(v for _, v in metrics.all("defender_subscription_visible")))
    until(f"recovery from {fault}", healthy, 90, 0.1)
    watch.families = STEADY
    until("the data as before", lambda: all(
        watch.exporter.metrics().sum(family) == watch.healthy.sum(family) for family in STEADY), 30)
    equal(watch.exporter.get("/-/ready").status, 200, "readiness after the fault")
    contains(watch.exporter.get("/status").text, "assessments", "status page after the fault")


def check_fault(fault, mode, words, effect):
    with Folder() as folder, Fake("--seed", "11", "--subscriptions", "3", "--assessments", "400",
                                  "--machines", "2", "--page-rows", "100") as fake:
        config = settings(fake.url, folder.file("secret", SECRET),
                          often(mode, *PACES.get(fault.split(":")[0], ())))
        with Exporter(folder, config, "--log.level=debug") as exporter:
            watch = Watch(exporter.wait_ready(), fake)
            try:
                suffer(watch, fault, words, effect)
                recover(watch, fault)
            except AssertionError as error:
                raise AssertionError(f"{fault} ({mode}): {error}\n{watch.news()[-2500:]}") from None
            peak = memory_kb(exporter.process.pid, "VmHWM")
            return f"{fault} ({mode}): peak {peak / 1024:.0f} MiB"


def test_faults():
    only, without = os.environ.get("FAULTS_ONLY", ""), os.environ.get("FAULTS_WITHOUT", "none")
    cases = [(fault, mode, words, effect) for fault, modes, words, effect in CASES
             for mode in modes if only in f"{fault} ({mode})" and without not in fault]
    failed = []
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        futures = {pool.submit(check_fault, *case): case for case in cases}
        for future in concurrent.futures.as_completed(futures):
            try:
                print("     " + future.result(), flush=True)
            except Exception as error:  # the other faults are still of interest
                fault, mode = futures[future][:2]
                print(f"     FAILED {fault} ({mode}): {error}", flush=True)
                failed.append(f"{fault} ({mode})")
    equal(failed, [], f"faults of {len(cases)} that did harm")


def test_starting_under_a_fault():
    """Azure being down is no reason not to start, and readiness comes with its return."""
    for fault in ("503", "hang"):
        with Folder() as folder, Fake("--seed", "12", "--fault", fault) as fake:
            config = settings(fake.url, folder.file("secret", SECRET), often(GRAPH))
            with Exporter(folder, config) as exporter:
                exporter.wait_answering()
                exporter.wait_for("collection failed", 60)
                equal(exporter.get("/-/ready").status, 503, "readiness while Azure is down")
                equal(exporter.metrics().all("defender_findings"), [], "findings nobody knows")
                fake.heal()
                exporter.wait_ready()


if __name__ == "__main__":
    run(globals())
