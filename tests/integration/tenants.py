#!/usr/bin/env python3
"""Several tenants in one program: each with its own credentials, quota and faults."""
import re
import time
from urllib.parse import quote

from alerts_model import query
from harness import (CLIENT, SECRET, SLOWNESS, TENANT, Exporter, Fake, Folder, contains, equal, run,
                     settings, until)
from sink import Sink, receiver

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

    def __init__(self, *options, change=lambda bench, config: config):
        self.options, self.change = options, change

    def __enter__(self):
        self.folder = Folder()
        self.folder.__enter__()
        self.home = Fake("--subscriptions", "3", "--assessments", "200", "--seed", "3",
                         *self.options)
        self.other = Fake("--subscriptions", "2", "--assessments", "120", "--seed", "9",
                          "--tenant-id", OTHER, *self.options)
        self.exporter = Exporter(self.folder, self.change(
            self, two(self.folder, self.home, self.other)))
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

    def rows(self):
        """What pages and the API say of the first tenant, row by row, but for how long ago."""
        wanted = quote(f'subscription_id=~"{"|".join(sorted(self.subscriptions))}"')
        found = {}
        for path in ("/recommendations", "/recommendations?by=subscription"):
            text = self.exporter.get(path + ("&" if "?" in path else "?") + "filter=" + wanted).text
            found[path] = sorted(AGO.sub("", row) for row in
                                 re.findall(r"<tr.*?</tr>", text, re.S))
        for name in ("findings", "controls"):
            rows = self.exporter.get(f"/api/v1/{name}?limit=1000&filter={wanted}").json()[name]
            found[name] = rows
        return found

    def same(self, want, rows, when):
        """That all that is told of the first tenant is what it was."""
        now = self.of_home()
        equal({key: now.get(key) for key in {*now, *want} if now.get(key) != want.get(key)},
              {}, f"metrics of the first tenant {when}: other than before")
        for name, told in self.rows().items():
            other = [one for one in zip(told, rows[name]) if one[0] != one[1]]
            equal(other, [], f"{name} {when}, and before")
            equal(len(told), len(rows[name]), f"rows of {name} {when}")

    def pace(self):
        """How long six more requests of the first tenant take, a scrape and a page."""
        before, began = self.home.requests("graph"), time.monotonic()
        until("six more requests of the first",
              lambda: self.home.requests("graph") >= before + 6, 30)
        took = {"requests": time.monotonic() - began}
        for path in ("/metrics", "/recommendations"):
            times = []
            for _ in range(5):
                began = time.monotonic()
                equal(self.exporter.get(path).status, 200, path)
                times.append(time.monotonic() - began)
            took[path] = sorted(times)[2]
        took["collections"] = max(value for _, value in self.exporter.metrics().all(
            "defender_scrape_collector_duration_seconds", tenant_id=TENANT))
        return took

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

# How long ago, and points, which a recommendation has over all subscriptions.
AGO = re.compile(r"\d+ (?:s|min|h|d)\b|<time.*?</time>|<td[^>]*data-label=.Points.*?</td>")
FAULTS = ("401", "403", "429:retry_after=2", "500", "empty-5xx", "redirect", "hang", "cut",
          "slow:ms=200", "invalid-json", "wrong-types", "huge", "denied-all", "no-subscriptions",
          "partial", "truncated", "hang:path=/oauth2/", "500:path=/oauth2/")


def test_a_fault_of_one_changes_nothing_of_the_other():
    with Bench("--token-lifetime", "2") as bench:
        bench.exporter.wait_ready()
        bench.exporter.wait_metric("both", lambda metrics: all(
            value for _, value in metrics.all("defender_scrape_collector_success")))
        want = bench.of_home()
        rows, pace = bench.rows(), bench.pace()
        assert all(rows.values()), {name: len(one) for name, one in rows.items()}
        for fault in FAULTS:
            bench.other.fault(fault)
            took = bench.pace()
            bench.same(want, rows, f"under {fault}")
            for name, seconds in took.items():
                equal(seconds < 3 * pace[name] + SLOWNESS, True,
                      f"{name} under {fault}: {seconds:.3f} s, {pace[name]:.3f} s without")
            bench.other.heal()
        until("the other is well again", lambda: all(bench.success().values()), 90)
        contains(bench.exporter.log, "collector=assessments@fabrikam", "what is said of the other")


GOVERNMENT, CHINA = "0fab4700-0000-4000-8000-00000000fab3", "0fab4700-0000-4000-8000-00000000fab4"
PORTALS = {TENANT: "portal.azure.com", GOVERNMENT: "portal.azure.us", CHINA: "portal.azure.cn"}


def test_clouds_are_mixed():
    """Three tenants of three clouds: each signs in for its own, links lead to its own portal."""
    with Folder() as folder, Fake("--subscriptions", "1", "--assessments", "40") as home, Fake(
            "--tenant-id", GOVERNMENT, "--subscriptions", "1", "--assessments", "40", "--seed",
            "8") as government, Fake("--tenant-id", CHINA, "--subscriptions", "1", "--assessments",
                                     "40", "--seed", "9") as china:
        config = two(folder, home, government)
        config["tenants"] = {name: {
            **config["azure"], "tenant_id": tenant, "cloud": cloud, "authority_host": fake.url,
            "resource_manager": fake.url, "microsoft_graph": fake.url, "endpoint_api": fake.url}
            for name, tenant, cloud, fake in (
                ("government", GOVERNMENT, "AzureUSGovernment", government),
                ("china", CHINA, "AzureChinaCloud", china))}
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            exporter.wait_metric("all three", lambda metrics: all(
                value for _, value in metrics.all("defender_scrape_collector_success")))
            portals = {}
            tenant_of = {labels["subscription_id"]: labels["tenant_id"] for labels, _ in
                         exporter.metrics().all("defender_subscription_info")}
            rows = until("the ledger of all", lambda: exporter.get(
                "/api/v1/findings?limit=1000").json()["findings"])
            for row in rows:
                tenant = tenant_of[row["subscription_id"]]
                portals.setdefault(tenant, set()).add(row["link"].split("/")[2])
                link = f"/f/{row['finding_id']}/portal"
                answer = until("the link of a finding", lambda link=link: (
                    lambda got: got.status == 302 and got)(exporter.get(link)))
                equal(answer.headers["location"].split("/")[2], PORTALS[tenant], "where it leads")
            equal(portals, {tenant: {host} for tenant, host in PORTALS.items()}, "portals")


def open_of(folder, tenant):
    return {row[0] for row in query(
        folder, "SELECT id FROM ledger_known WHERE is_open = 1 "
                f"AND source = 'assessments{tenant}'")}


def series_of(metrics, tenant):
    """Names of what is told of a tenant."""
    subscriptions = {labels["subscription_id"] for labels, _ in metrics.all(
        "defender_subscription_info", tenant_id=tenant)}
    return {name for name, rows in metrics.samples.items() for labels, _ in rows
            if labels.get("tenant_id") == tenant or labels.get("subscription_id") in subscriptions}


def test_a_tenant_comes_and_goes_by_a_reload():
    """The first is not disturbed. Who goes is not looked at any more: its series go, what is open
    of it stays, and nobody is told that it was over."""
    def begin(bench, config):
        bench.folder.file("rules.yml", OPENED)
        config["web"] = {"enable_lifecycle": True}
        config["alerts"] = {"rules": ["rules.yml"], "receivers": [receiver(sink)],
                            "governor": {"messages": 0}, "ledger": {"first_run": "all"},
                            "route": {"receiver": "team", "group_interval": "1s"}}
        bench.both = config
        bench.alone = {key: value for key, value in config.items() if key != "tenants"}
        return bench.alone
    with Sink() as sink, Bench(change=begin) as bench:
        bench.exporter.wait_ready()
        bench.exporter.wait_metric("the first", lambda metrics: all(
            value for _, value in metrics.all("defender_scrape_collector_success")))
        until("its ledger",
              lambda: len(open_of(bench.folder, "")) == len(unhealthy(bench.home)), 60)
        want, rows, opened = bench.of_home(), bench.rows(), open_of(bench.folder, "")

        reload(bench, bench.both)
        bench.exporter.wait_metric("findings of both", lambda m: {
            labels["subscription_id"] for labels, _ in m.all("defender_findings")
        } > bench.subscriptions)
        until("the ledger of the second",
              lambda: len(open_of(bench.folder, ".fabrikam")) == len(unhealthy(bench.other)), 60)
        theirs = open_of(bench.folder, ".fabrikam")
        bench.same(want, rows, "after one came")
        until("messages", sink.taken, 30)

        reload(bench, bench.alone)
        bench.exporter.wait_metric("series of the first alone", lambda m: not series_of(
            m, OTHER) and {labels["subscription_id"] for labels, _ in
                           m.all("defender_findings")} == bench.subscriptions)
        before = bench.home.requests("graph")
        until("more requests", lambda: bench.home.requests("graph") >= before + 12, 60)
        bench.same(want, rows, "after one went")
        equal((open_of(bench.folder, ""), open_of(bench.folder, ".fabrikam")),
              (opened, theirs), "what is open")
        equal([m for m in sink.taken() if m["body"]["data"]["resolved_count"]], [], "ends")


def unhealthy(fake):
    return [fact for fact in fake.admin("dump")["assessments"] if fact["code"] == "Unhealthy"]


OPENED = """groups:
- name: findings
  rules:
  - alert: Opened
    event: [finding.opened, finding.reopened]
"""


def reload(bench, config):
    bench.folder.file("defender_exporter.yml", config)
    answer = bench.exporter.get("/-/reload", method="POST")
    equal((answer.status, "restart" in answer.text), (200, False), answer.text)


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
