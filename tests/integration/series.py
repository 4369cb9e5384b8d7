#!/usr/bin/env python3
"""By default a tenant of 50 subscriptions, 400 recommendations and 20,000 findings has fewer than
15,000 series, with every collector on."""
from harness import SECRET, Exporter, Fake, Folder, collectors, equal, run, settings

SERIES_MAX = 15000
TENANT = ("--subscriptions", "50", "--recommendations", "400", "--assessments", "98500",
          "--seed", "7")


def series(metrics):
    """{family: its lines}, as they are scraped."""
    found = {}
    for name, samples in metrics.samples.items():
        found[name] = found.get(name, 0) + len(samples)
    return found


def test_series_stay_few():
    names = collectors()
    equal(len(names) > 15, True, f"collectors: {names}")
    with Folder() as folder, Fake(*TENANT) as fake:
        config = settings(fake.url, folder.file("secret", SECRET),
                          {name: {"enabled": True} for name in names},
                          alerts={"tags": ["Team"]})
        with Exporter(folder, config) as exporter:
            exporter.wait_ready(300)
            metrics = exporter.wait_metric("every collector",
                                           lambda m: m.one("defender_up") == 1, 120)
    ran = {labels["collector"] for labels, _ in metrics.all("defender_scrape_collector_success")}
    equal(ran, set(names), "collectors that ran")
    equal(metrics.sum("defender_subscription_visible"), 50, "subscriptions")
    equal(len(metrics.all("defender_assessment_info")), 400, "recommendations with findings")
    findings = metrics.sum("defender_findings")
    equal(findings >= 20000, True, f"{findings:.0f} findings")
    found = series(metrics)
    total = sum(found.values())
    equal(total, metrics.sum("defender_exporter_series"), "what the program says of itself")
    most = sorted(found.items(), key=lambda row: (-row[1], row[0]))[:12]
    print(f"     {findings:.0f} findings, {total} series; the largest: {most}")
    equal(total < SERIES_MAX, True, f"{total} series, of these {most}")


run(globals())
