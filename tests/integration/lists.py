#!/usr/bin/env python3
"""The pages that list: controls, compliance, baselines, resources. Their numbers are those of the
metrics, each leads to the list behind it, and what is not known is said."""
import collections
import html
import json
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
        config = settings(self.fake.url, self.folder.file("secret", SECRET), **self.config,
                          metrics={"opt_in_list": ["defender_(compliance|baseline)_.*"]})
        self.exporter = Exporter(self.folder, config).__enter__()
        self.exporter.wait_ready()
        until("everything is in the view", self.complete, 60, 0.2)
        return self

    def complete(self):
        """Whether the view has what every source of findings brought."""
        metrics = self.exporter.metrics()
        for source, family in (("assessments", "defender_findings"),
                               ("baselines", "defender_baseline_rule_failing_machines"),
                               ("attack_paths", "defender_attack_paths")):
            answer = self.exporter.get("/api/v1/findings?limit=1&filter=" +
                                       urllib.parse.quote(f'source="{source}"'))
            there = answer.json()["total"] if answer.status == 200 else -1
            if there != sum(value for _, value in metrics.all(family)):
                return False
        return True

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
    return [html.unescape(link) for link in
            re.findall(rf'href="({re.escape(html.escape(start))}[^"]*)"', page)]


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


def test_controls_with_most_at_stake_stand_on_the_first_page():
    with Bench() as bench:
        wanted = [row[:3] for row in rows(bench.page("/controls"))][:5]
        equal(len(wanted), 5, "controls")
        equal(rows(bench.page("/"), 1), wanted, "the first page, after what to fix first")


def test_what_a_filter_does_not_narrow_is_said():
    said = "The filter is about findings"
    with Bench() as bench:
        for path in ("/controls", "/compliance"):
            equal(said in bench.page(path), False, path)
            contains(bench.page(path + "?filter=risk_level%3D%22critical%22"), said, path)


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


LEVELS = ("critical", "high", "medium", "low", "not_evaluated")


def test_baselines_have_the_counts_of_the_metrics():
    with Bench() as bench:
        page = bench.page("/baselines")
        results = collections.Counter()
        metrics = bench.exporter.metrics("?collect[]=baselines")
        for labels, value in metrics.all("defender_baseline_rule_results"):
            if labels["state"] == "non_compliant":
                level = labels["rule_severity"].replace("unknown", "not_evaluated")
                results[labels["assignment"], level] += int(value)
        names = {"Windows": "AzureWindowsBaseline", "Linux": "AzureLinuxBaseline"}
        equal(sum(results.values()) > 0, True, "something fails")
        for row in rows(page):
            equal([int(cell) for cell in row[1:6]],
                  [results[names[row[0]], level] for level in LEVELS], row[0])
        machines = collections.Counter()
        for labels, value in metrics.all("defender_baseline_machines"):
            machines[labels["assignment"], labels["state"]] += int(value)
        for row in rows(page, 1):
            equal([int(cell) for cell in row[1:4]],
                  [machines[names[row[0]], state]
                   for state in ("compliant", "non_compliant", "pending")], row[0])
        for link in links(page, "/baselines?os="):
            shown = int(re.search(re.escape(html.escape(link)) + r'">([^<]*)<', page)[1]
                        .replace("\u202f", ""))
            counted = [int(row[2]) for row in every_row(bench, link)]
            equal(sum(counted) if "level=" in link else len(counted), shown, link)
        bench.page("/baselines?os=plan9", 404)
        bench.page("/baselines?os=linux&level=nasty", 404)


def every_row(bench, link):
    """Of a list over several pages."""
    found = []
    while link:
        page = bench.page(link)
        found += rows(page) if "<tbody>" in page else []
        link = html.unescape((re.findall(r'rel="next" href="([^"]*)"', page) or [""])[0])
    return found


def test_machines_nobody_assesses_are_those_of_the_metrics():
    with Bench() as bench:
        unassessed = sum(value for _, value in
                         bench.exporter.metrics().all("defender_unassessed_machines"))
        listed = [row for row in rows(bench.page("/baselines"), 2) if not row[1]]
        equal(len(listed), int(unassessed), "machines")
        one = bench.page(links(bench.page("/baselines"), "/resource?id=")[0])
        contains(one, "Its system is not assessed", "one of them")


def test_waived_results_are_listed():
    with Bench() as bench:  # the same tenant without waivers
        page = bench.page("/baselines?os=linux")
        rule, failing = rows(page)[0][0], int(rows(page)[0][2])
    waivers = [{"rule": rule, "machines": ["*"], "reason": "<b>We leave</b>",
                "expires": "2099-12-31"}]
    with Bench(collectors={"baselines": {"waivers": waivers}}) as bench:
        page = bench.page("/baselines?os=linux")
        equal(rule in [row[0] for row in rows(page)], False, "the rule is left")
        waived = rows(page, 1)
        equal([row[2] for row in waived], ["<b>We leave</b>"] * failing, "why")
        contains(waived[0][3], "2099-12-31", "until when")


def findings(bench, **parameters):
    answer = bench.exporter.get("/api/v1/findings?" + urllib.parse.urlencode(
        {"format": "ndjson", **parameters}))
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_resource_has_all_that_is_wrong_with_it():
    with Bench() as bench:
        by_resource = collections.defaultdict(list)
        for finding in findings(bench):
            by_resource[finding["resource_id"]].append(finding)
        listed = every_row(bench, "/resources")
        equal(len(listed), len(by_resource), "resources")
        equal(sum(int(row[6]) for row in listed), sum(map(len, by_resource.values())), "findings")
        for link in links(bench.page("/resources"), "/resource?id=")[:5]:
            wanted = by_resource[urllib.parse.unquote(link.split("=", 1)[1])]
            page = bench.page(link)
            equal(sorted(re.findall(r'href="/f/([0-9a-f]{16})"', page)),
                  sorted(finding["finding_id"] for finding in wanted), link)


# What a group of recommendations has in common, as the API tells it of a finding.
GROUPS = {"risk": "risk_level", "subscription": "subscription_name", "cloud": "cloud",
          "resource_type": "resource_type"}


def groups(bench, link):
    """Heading -> findings, over all pages."""
    found = collections.Counter()
    seen = set()
    while link:
        page = bench.page(link)
        for heading, caption in re.findall(r"<h2[^>]*>(.*?)</h2>.*?<caption>(.*?)</caption>", page,
                                           re.S):
            name = words(heading)
            if name not in seen:
                found[name] = int(re.search(r"(\d+) finding", caption)[1])
            seen.add(name)
        link = html.unescape((re.findall(r'rel="next" href="([^"]*)"', page) or [""])[0])
    return found


def test_groups_have_the_findings_of_the_api():
    with Bench("--multicloud") as bench:
        everything = findings(bench)
        for by, member in GROUPS.items():
            wanted = collections.Counter(finding[member] for finding in everything)
            shown = groups(bench, f"/recommendations?by={by}")
            equal(sorted(shown.values()), sorted(wanted.values()), by)
        for by in ("control", "management_group"):
            equal(sum(groups(bench, f"/recommendations?by={by}").values()), len(everything), by)
        bench.page("/recommendations?by=nothing", 404)
        bench.page("/recommendations?by=owner", 404)  # nobody asked for owners
        bench.page("/recommendations?order=nothing", 404)


def test_a_group_is_a_list_of_its_own_and_keeps_the_filter():
    with Bench() as bench:
        page = bench.page("/recommendations?by=subscription&order=resources&filter=" +
                          urllib.parse.quote('risk_level="high"'))
        link = links(page, "/recommendations?by=subscription&order=resources&group=")[0]
        one = bench.page(link)
        equal(len(re.findall("<h2", one)), 1, "groups")
        equal({row[1] for row in rows(one)}, {"\u25b2 High"}, "levels")
        counts = [int(row[2]) for row in rows(one)]
        equal(counts, sorted(counts, reverse=True), "order")
        for name, value in (("by", "subscription"), ("order", "resources")):
            contains(one, f'name="{name}" value="{value}"', "what the filter box keeps")


def test_owners_and_tags_group_where_they_are_wanted():
    with Folder() as folder, Fake(*FAKE) as fake:
        dump = fake.admin("dump")
        open_ones = [row for row in dump["assessments"] if row["code"] == "Unhealthy"]
        fake.admin("govern?" + urllib.parse.urlencode(
            {"id": open_ones[0]["id"], "owner": "ann@contoso.example"}), "POST")
        fake.admin("tag?" + urllib.parse.urlencode(
            {"id": open_ones[1]["resourceId"], "name": "team", "value": "<b>blue</b>"}), "POST")
        config = settings(fake.url, folder.file("secret", SECRET),
                          alerts={"tags": ["team"], "governance_owner": True})
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            for by, wanted in (("owner", "ann@contoso.example"), ("tag_team", "<b>blue</b>")):
                path = f"/recommendations?by={by}"
                until(f"groups by {by}", lambda: html.escape(wanted) in exporter.get(path).text,
                      60, 0.2)
                page = sound(exporter.get(path).text, path)
                headings = [words(one) for one in re.findall(r"<h2[^>]*>(.*?)</h2>", page, re.S)]
                equal(headings, [wanted, "None"], by)


def test_a_recommendation_is_shown_as_its_catalogue_has_it():
    """Steps stay steps; resources stand in the order that is asked for."""
    with Bench(alerts={"governance_owner": True}) as bench:
        everything = findings(bench)
        key = collections.Counter(one["assessment_id"] for one in everything
                                  if one["source"] == "assessments").most_common(1)[0][0]
        page = bench.page(f"/recommendations/{key}?order=age")
        how = page.split("<h2>How to fix it</h2>")[1].split("<h2>")[0]
        contains(how, "<ol><li>", "steps")
        contains(page, ">Owner</th>", "whom they are assigned to")
        since = re.findall(r'data-label="Open"><time datetime="([^"]*)"', page)
        equal(since, sorted(since), "order of age")
        equal(len(since), len([one for one in everything if one["assessment_id"] == key]), "all")
        bench.page(f"/recommendations/{key}?order=nothing", 404)
        rule = next(one["assessment_id"] for one in everything if one["source"] == "baselines")
        contains(bench.page(f"/recommendations/{rule}"), ">Found</th>", "of a rule of a baseline")


def test_a_recommendation_leads_to_its_control():
    with Bench() as bench:
        page = bench.page("/recommendations?" + urllib.parse.urlencode(
            {"filter": 'source="assessments",control!=""'}))
        one = bench.page(links(page, "/recommendations/")[0])
        control = bench.page(links(one, "/controls?id=")[0])
        name = re.search(r'<dt>Control</dt><dd><a href="[^"]*">([^<]*)</a>', one)[1]
        contains(control, f"<h1>{name}</h1>", "the control")
        contains(one, "<h2>The last 26 weeks</h2>", "its history")
        contains(one, "<h2>Who was told</h2>", "who was told")


def test_a_subscription_has_its_name():
    with Bench() as bench:
        names = {row["subscription_id"]: row["name"] for row in bench.exporter.get(
            "/api/v1/subscriptions").json()["subscriptions"]}
        ids = [finding for finding in findings(bench)
               if finding["resource_id"] == "/subscriptions/" + finding["subscription_id"]]
        equal(len(ids) > 0, True, "findings of subscriptions")
        for finding in ids[:3]:
            name = names[finding["subscription_id"]]
            contains(bench.page(f"/f/{finding['finding_id']}"), f"<h1>{name}</h1>", "a finding")
            listed = bench.page(f"/recommendations/{finding['assessment_id']}")
            contains(listed, f'"/f/{finding["finding_id"]}">{name}</a>', "a recommendation")


def test_what_is_unknown_is_not_here():
    with Bench() as bench:
        for path, said in (("/resource?id=/subscriptions/x/nothing", "Nothing is known of such"),
                           ("/resource?id=<script>", "Nothing is known of such"),
                           ("/resource", "Say which resource"),
                           ("/recommendations/nothing", "No such recommendation"),
                           ("/f/0123456789abcdef", "No such finding"),
                           ("/f/nothing", "no finding&#39;s id"),
                           ("/controls?id=nothing", "No such control"),
                           ("/compliance?standard=nothing", "Nothing is known of such a standard"),
                           ("/baselines?os=beos", "There is no such baseline")):
            page = bench.page(path, 404)
            contains(page, said, path)
            contains(page, "<h1>Not here</h1>", path)
            contains(page, "subscriptions seen", path)


def test_what_is_off_says_how_to_have_it():
    off = {name: {"enabled": False} for name in ("compliance", "secure_scores", "baselines")}
    with Bench(collectors=off) as bench:
        for path, name in (("/compliance", "compliance"), ("/controls", "secure_scores"),
                           ("/baselines", "baselines"), ("/baselines?os=linux", "baselines")):
            page = bench.page(path)
            contains(page, "nothing is known of them", path)
            contains(page, f"collectors.{name}.enabled: true", path)
            equal("by level" in page or "Passed" in page or "Points" in page, False, path)


def test_what_is_refused_is_not_none():
    with Bench(collectors={"compliance": {"interval": "10s"}}) as bench:
        bench.page("/compliance")
        bench.fake.fault("500")
        until("the failure is said",
              lambda: "the last collection failed" in bench.page("/compliance"), 60, 0.5)


if __name__ == "__main__":
    run(globals())
