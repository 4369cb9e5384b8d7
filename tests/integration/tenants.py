#!/usr/bin/env python3
"""Several tenants in one program: each with its own credentials, quota and faults."""
import time

from harness import (CLIENT, SECRET, SLOWNESS, TENANT, Exporter, Fake, Folder, contains, equal, run,
                     settings, until)

OTHER = "0fab4700-0000-4000-8000-00000000fab2"
OFTEN = {name: {"interval": "1s", "timeout": "20s"}
         for name in ("subscriptions", "assessments", "secure_scores", "plans")}
ONLY = {"disable_defaults": True, "max_staleness": "1h"}


def two(folder, home, other):
    """A configuration that asks both, the second under the name of fabrikam."""
    secret = folder.file("secret", SECRET)
    config = settings(home.url, secret, {name: {**keys, "enabled": True}
                                         for name, keys in OFTEN.items()}, collector=ONLY)
    config["tenants"] = {"fabrikam": {
        **config["azure"], "tenant_id": OTHER, "authority_host": other.url,
        "resource_manager": other.url, "microsoft_graph": other.url, "endpoint_api": other.url}}
    return config


class Bench:
    """Two tenants of different sizes and an exporter that asks both."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        self.folder = Folder()
        self.folder.__enter__()
        self.home = Fake("--subscriptions", "3", "--assessments", "200", "--seed", "3",
                         *self.options)
        self.other = Fake("--subscriptions", "2", "--assessments", "120", "--seed", "9",
                          "--tenant-id", OTHER, *self.options)
        self.exporter = Exporter(self.folder, two(self.folder, self.home, self.other))
        self.subscriptions = {s["subscriptionId"] for s in self.home.admin("dump")["subscriptions"]}
        return self

    def __exit__(self, *why):
        for one in (self.exporter, self.home, self.other, self.folder):
            one.__exit__(*why)

    def of_home(self):
        """What is told of the first tenant: all but how long it took."""
        metrics = self.exporter.metrics()
        found = {}
        for name in ("defender_findings", "defender_secure_score_points", "defender_plan_enabled",
                     "defender_subscription_visible"):
            for labels, value in metrics.all(name):
                if labels.get("subscription_id") in self.subscriptions:
                    found[name, tuple(sorted(labels.items()))] = value
        for labels, value in metrics.all("defender_scrape_collector_success", tenant_id=TENANT):
            found["success", labels["collector"]] = value
        return found

    def success(self):
        return {labels["collector"]: value for labels, value in
                self.exporter.metrics().all("defender_scrape_collector_success")}


def test_both_are_told_and_what_is_counted_over_all_is_their_sum():
    with Bench() as bench:
        bench.exporter.wait_ready()
        metrics = bench.exporter.wait_metric("both", lambda metrics: all(
            value for _, value in metrics.all("defender_scrape_collector_success")))
        facts = [fact for fake in (bench.home, bench.other)
                 for fact in fake.admin("dump")["assessments"] if fact["code"] == "Unhealthy"]
        equal(metrics.sum("defender_findings"), len(facts), "findings of both")
        equal(metrics.sum("defender_assessment_findings"), len(facts), "the same over both")
        equal(metrics.sum("defender_subscriptions"), 5, "subscriptions of both")
        equal({labels["tenant_id"] for labels, _ in metrics.all("defender_subscription_info")},
              {TENANT, OTHER}, "tenants of subscriptions")
        equal({(labels["collector"], labels["tenant_id"]) for labels, _ in
               metrics.all("defender_scrape_collector_success")},
              {(name + at, tenant) for name in OFTEN
               for at, tenant in (("", TENANT), ("@fabrikam", OTHER))}, "collectors")
        equal({labels["tenant_id"] for labels, _ in
               metrics.all("defender_exporter_azure_token_expiry_timestamp_seconds")},
              {TENANT, OTHER}, "tokens")
        for name in metrics.samples:
            if name.startswith("defender_") and name not in TENANT_FAMILIES:
                equal([labels for labels, _ in metrics.all(name) if "tenant_id" in labels], [],
                      f"{name} with a tenant_id")
        page = bench.exporter.get("/status").text
        for part in ("fabrikam", OTHER, TENANT):
            contains(page, part, "the page")


TENANT_FAMILIES = {
    "defender_subscription_info", "defender_scrape_collector_success",
    "defender_scrape_collector_duration_seconds",
    "defender_collector_last_success_timestamp_seconds", "defender_collector_interval_seconds",
    "defender_collector_rows", "defender_collector_odd_rows", "defender_collector_truncated",
    "defender_exporter_azure_requests_total", "defender_exporter_azure_request_duration_seconds",
    "defender_exporter_azure_request_duration_seconds_bucket",
    "defender_exporter_azure_request_duration_seconds_count",
    "defender_exporter_azure_request_duration_seconds_sum",
    "defender_exporter_azure_throttled_total", "defender_exporter_azure_quota_remaining",
    "defender_exporter_azure_backoff_seconds_total",
    "defender_exporter_azure_token_expiry_timestamp_seconds"}

FAULTS = ("401", "403", "429:retry_after=2", "500", "empty-5xx", "redirect", "hang", "cut",
          "slow:ms=200", "invalid-json", "wrong-types", "huge", "denied-all", "no-subscriptions",
          "partial", "truncated", "hang:path=/oauth2/", "500:path=/oauth2/")


def test_a_fault_of_one_changes_nothing_of_the_other():
    with Bench("--token-lifetime", "2") as bench:
        bench.exporter.wait_ready()
        bench.exporter.wait_metric("both", lambda metrics: all(
            value for _, value in metrics.all("defender_scrape_collector_success")))
        want = bench.of_home()
        pages = {path: bench.exporter.get(path).status for path in ("/", "/recommendations")}
        for fault in FAULTS:
            bench.other.fault(fault)
            before = bench.home.requests("graph")
            began = time.monotonic()
            until(f"six more requests of the first under {fault}",
                  lambda before=before: bench.home.requests("graph") >= before + 6, 30)
            equal(bench.of_home(), want, f"the first tenant under {fault}")
            equal({path: bench.exporter.get(path).status for path in pages}, pages,
                  f"pages under {fault}")
            equal(time.monotonic() - began < 15 * SLOWNESS, True, f"time under {fault}")
            bench.other.heal()
        until("the other is well again", lambda: all(bench.success().values()), 90)
        contains(bench.exporter.log, "collector=assessments@fabrikam", "what is said of the other")


def test_what_both_see_is_told_once():
    """Azure Lighthouse: the second tenant sees the subscriptions of the first, too."""
    with Folder() as folder, Fake("--subscriptions", "2", "--assessments", "100") as home:
        config = two(folder, home, home)
        config["tenants"]["fabrikam"]["tenant_id"] = OTHER
        with Fake("--subscriptions", "2", "--assessments", "100", "--tenant-id", OTHER,
                  "--delegated-from", TENANT) as other:
            for key in ("authority_host", "resource_manager", "microsoft_graph", "endpoint_api"):
                config["tenants"]["fabrikam"][key] = other.url
            with Exporter(folder, config) as exporter:
                exporter.wait_ready()
                metrics = exporter.wait_metric("both discoveries", lambda metrics: all(
                    metrics.one("defender_scrape_collector_success", collector=name) for name in
                    ("subscriptions", "subscriptions@fabrikam", "assessments")))
                facts = [fact for fact in home.admin("dump")["assessments"]
                         if fact["code"] == "Unhealthy"]
                equal(metrics.sum("defender_assessment_findings"), len(facts), "findings")
                equal(metrics.table("defender_subscriptions", "state"),
                      {("visible",): 2, ("denied",): 0, ("filtered",): 2, ("disabled",): 0},
                      "subscriptions")


def test_wrong_tenants_are_named():
    with Folder() as folder, Fake() as fake:
        for name, keys, part in (
                ("fabrikam", {"tenant_id": TENANT}, "is that of another"),
                ("fabrikam", {"tenant_id": "contoso.com"}, "a GUID"),
                ("Fab rikam", {"tenant_id": OTHER}, "small letters"),
                ("fabrikam", {}, "no tenant")):
            config = two(folder, fake, fake)
            azure = {**config["azure"], **keys}
            if not keys:
                del azure["tenant_id"]
            config["tenants"] = {name: azure}
            with Exporter(folder, config) as exporter:
                equal(exporter.wait_end(), 2, f"exit status of {name} {keys}")
                contains(exporter.log, part, f"message of {name} {keys}")


run(globals())
