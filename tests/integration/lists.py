#!/usr/bin/env python3
"""The pages that list: controls and compliance. Their numbers are Azure's, each leads
to the list behind it, and what is not known is said."""
import collections
import html
import re
import urllib.parse

from harness import SECRET, Exporter, Fake, Folder, contains, equal, run, settings, until
from pages import sound

FAKE = ("--seed", "7", "--subscriptions", "4", "--assessments", "1200", "--machines", "40")


class Bench:
    """A tenant, and the exporter when its pages know all of it."""

    def __init__(self, *more, **config):
        self.more, self.config = more, config

    def __enter__(self):
        self.folder, self.fake = Folder(), Fake(*FAKE, *self.more)
        self.folder.__enter__()
        self.fake.__enter__()
        config = settings(self.fake.url, self.folder.file("secret", SECRET), **self.config)
        self.exporter = Exporter(self.folder, config).__enter__()
        self.exporter.wait_ready()
        until("a page", lambda: self.exporter.get("/recommendations").status == 200, 60, 0.2)
        return self

    def __exit__(self, *error):
        self.exporter.__exit__(*error)
        self.fake.__exit__(*error)
        self.folder.__exit__(*error)

    def page(self, path, status=200):
        answer = self.exporter.get(path)
        equal(answer.status, status, path)
        return sound(answer.text, path)


def rows(page, table=0):
    """The rows of a table: a list of cells each, as people read them."""
    body = re.findall(r"<tbody>(.*?)</tbody>", page, re.S)[table]
    return [[words(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
            for row in re.findall(r"<tr>(.*?)</tr>", body, re.S)]


def words(markup):
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).replace("\u202f", "").strip()


def links(page, start):
    return [html.unescape(link) for link in re.findall(rf'href="({re.escape(start)}[^"]*)"', page)]


def test_controls_have_the_points_of_the_metrics():
    with Bench() as bench:
        page = bench.page("/controls")
        points, most = collections.Counter(), collections.Counter()
        metrics = bench.exporter.metrics("?collect[]=secure_scores")
        for labels, value in metrics.all("defender_control_points"):
            points[labels["control"]] += value
        for labels, value in metrics.all("defender_control_max_points"):
            most[labels["control"]] += value
        wanted = sorted(f"{points[control]:.2f} of {most[control]:g}" if most[control] else "none"
                        for control in points)
        equal(sorted(row[1] for row in rows(page)), wanted, "points")
        gains = [float(row[2] or 0) for row in rows(page)]
        equal(gains, sorted(gains, reverse=True), "order")


def test_a_control_leads_to_its_recommendations():
    with Bench() as bench:
        for link, row in list(zip(links(bench.page("/controls"), "/controls?id="),
                                  rows(bench.page("/controls"))))[:4]:
            page = bench.page(link)
            contains(page, f"<h1>{html.escape(row[0])}</h1>", link)
            equal(len(rows(page, 0)), int(row[5]), f"{link}: places")
            listed = rows(page, 1) if int(row[4]) else []
            equal(len(listed), int(row[4]), f"{link}: recommendations")
            for one in links(page, "/recommendations/")[:2]:
                bench.page(one)
        bench.page("/controls?id=nobody", 404)


def test_standards_have_the_counts_of_the_metrics():
    with Bench() as bench:
        page = bench.page("/compliance")
        failed = collections.Counter()
        metrics = bench.exporter.metrics("?collect[]=compliance")
        for labels, value in metrics.all("defender_compliance_controls"):
            if labels["state"] == "failed":
                failed[labels["standard"]] += int(value)
        equal({row[0]: int(row[3]) for row in rows(page)}, dict(failed), "failed controls")
        for link in links(page, "/compliance?standard="):
            name = urllib.parse.unquote(link.split("=", 1)[1])
            one = bench.page(link)
            equal(sum(int(row[3]) for row in rows(one, 0)), failed[name], f"{name} by subscription")
            wanted = collections.Counter()
            for labels, value in metrics.all("defender_compliance_control_failed_resources"):
                if labels["standard"] == name:
                    wanted[labels["compliance_control"]] += int(value)
            listed = {row[0]: int(row[2]) for row in rows(one, 1)} if wanted else {}
            equal(listed, dict(wanted), f"failing controls of {name}")
        bench.page("/compliance?standard=nobody", 404)


def test_what_is_off_says_how_to_have_it():
    off = {name: {"enabled": False} for name in ("compliance", "secure_scores")}
    with Bench(collectors=off) as bench:
        for path, name in (("/compliance", "compliance"), ("/controls", "secure_scores")):
            page = bench.page(path)
            contains(page, "nothing is known of them", path)
            contains(page, f"collectors.{name}.enabled: true", path)
            equal("<table" in page, False, f"a table in {path}")


def test_what_is_refused_is_not_none():
    with Bench(collectors={"compliance": {"interval": "10s"}}) as bench:
        bench.page("/compliance")
        bench.fake.fault("500")
        until("the failure is said",
              lambda: "the last collection failed" in bench.page("/compliance"), 60, 0.5)


run(globals())
