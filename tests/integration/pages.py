#!/usr/bin/env python3
"""The pages for people: their numbers are those of the metrics, their lists those of Azure, and no
text of others is anything but text."""
import collections
import contextlib
import html
import os
import re
import sqlite3
import time
import urllib.parse

from harness import SECRET, Exporter, Fake, Folder, contains, equal, run, settings, until

TAG = re.compile(r"<(/?)([a-z0-9]+)([^>]*)>")
VOID = {"meta", "link", "input", "br", "path", "circle"}
LEVELS = ("critical", "high", "medium", "low", "not_evaluated")
NAMES = tuple(level.replace("_", " ").capitalize() for level in LEVELS)


def sound(page, where):
    """Every tag closed, nothing from elsewhere, nothing that runs."""
    open_tags = []
    for close, name, rest in TAG.findall(page):
        equal("on" in re.findall(r"\s(on)[a-z]+=", rest), False, f"a handler in {where}")
        if name in VOID:
            continue
        if close:
            equal(open_tags.pop() if open_tags else None, name, f"what is closed in {where}")
        else:
            open_tags.append(name)
    equal(open_tags, [], f"what is left open in {where}")
    equal("<script" in page.lower(), False, f"a script in {where}")
    for address in re.findall(r'(?:src|href|action)="([^"]*)"', page):
        if address.startswith("http"):
            contains(address, "https://", f"a link in {where}")
    for address in re.findall(r'<(?:link|img|script)[^>]*(?:src|href)="([^"]*)"', page):
        equal(address.startswith(("/", "data:")), True, f"{address} in {where}")
    return page


def pages_of(exporter, *paths):
    return {path: sound(exporter.get(path).text, path) for path in paths}


def tiles(page):
    """What the first page counts: name -> number."""
    found = {}
    for tile in re.findall(r"<li [^>]*>(.*?)<b>([^<]*)</b>.*?</li>", page, re.S):
        name = re.sub(r"<[^>]*>|[^A-Za-z ]", "", tile[0]).strip()
        found[name] = int(re.sub(r"\D", "", tile[1]) or 0) if "%" not in tile[1] else tile[1]
    return found


def lively(*more):
    return Fake("--seed", "5", "--subscriptions", "4", "--assessments", "1500", *more)


def ready(fake, folder, **more):
    return Exporter(folder, settings(fake.url, folder.file("secret", SECRET), **more))


ONLY = "filter=" + urllib.parse.quote('source="assessments"')


def by_level(exporter):
    """Open findings as the metrics have them, by level."""
    counted = collections.Counter()
    for labels, value in exporter.metrics().all("defender_findings"):
        counted[labels["risk_level"].replace("_", " ").capitalize()] += int(value)
    return {name: counted[name] for name in NAMES}


def open_view(exporter):
    """Wait until the pages show what the last collection brought: it is the same as on /metrics."""
    def agree():
        shown = tiles(exporter.get("/?" + ONLY).text)
        wanted = by_level(exporter)
        return sum(wanted.values()) > 0 and {name: shown.get(name) for name in NAMES} == wanted

    until("pages and metrics to agree", agree, 60, 0.2)


def test_numbers_are_those_of_the_metrics():
    with Folder() as folder, lively() as fake:
        with ready(fake, folder) as exporter:
            exporter.wait_ready()
            open_view(exporter)
            counted = tiles(pages_of(exporter, "/")["/"])

            def sums():
                metrics = exporter.metrics()
                return {name: sum(int(value) for _, value in metrics.all(family))
                        for name, family in (("Overdue", "defender_findings_overdue"),
                                             ("Due soon", "defender_findings_due_soon"))}

            wanted = {name: counted[name] for name in ("Overdue", "Due soon")}
            until("a scrape of the same", lambda: sums() == wanted, 20, 0.2)
            equal(counted["Overdue"] > 0, True, "something is overdue")
            metrics = exporter.metrics()
            ratio = metrics.all("defender_secure_score_overall_ratio")
            equal(counted["Secure score"], f"{100 * ratio[0][1]:.1f} %", "score")


def test_a_filter_shows_what_the_metrics_say_of_it():
    """Of one source alone, level by level."""
    with Folder() as folder, lively() as fake:
        with ready(fake, folder) as exporter:
            exporter.wait_ready()
            open_view(exporter)
            wanted = by_level(exporter)
            listed = sound(exporter.get("/recommendations?" + ONLY).text, "the list")
            for level, name in zip(LEVELS, NAMES):
                found = re.search(rf'id="{level}".*?<caption>(\d+) recommendations?, (\d+) finding',
                                  listed, re.S)
                equal(int(found[2]) if found else 0, wanted[name], f"{level} in the list")


def test_a_recommendation_lists_every_resource():
    with Folder() as folder, lively() as fake:
        with ready(fake, folder) as exporter:
            exporter.wait_ready()
            open_view(exporter)
            rows = collections.defaultdict(set)
            for row in fake.admin("dump")["assessments"]:
                if row["code"] == "Unhealthy":
                    rows[row["key"]].add(row["resourceId"].rsplit("/", 1)[-1].lower())
            key = max(rows, key=lambda one: (len(rows[one]), one))
            page = sound(exporter.get(f"/recommendations/{key}?{ONLY}").text, key)
            names = {html.unescape(name).lower() for name in
                     re.findall(r'<a href="/f/[0-9a-f]{16}">([^<]*)</a>', page)}
            equal(names, rows[key], "resources")
            equal(exporter.get("/recommendations/nobody-knows-it").status, 404, "an unknown one")


def test_a_finding_has_its_page_and_its_life():
    with Folder() as folder, lively() as fake:
        with ready(fake, folder, alerts={"ledger": {"first_run": "all"}}) as exporter:
            exporter.wait_ready()
            open_view(exporter)
            first = exporter.get("/?" + ONLY).text
            link = re.search(r'"(/f/[0-9a-f]{16})"', first)[1]
            page = sound(exporter.get(link).text, link)
            for part in ("Its life", "Opened", "How to fix it", "Open in the Azure portal"):
                contains(page, part, link)


def remember(folder, series, days, value):
    """As if a series had had that value so many days ago."""
    database = sqlite3.connect(os.path.join(folder.path, "defender_exporter.db"), timeout=30)
    with contextlib.closing(database), database:
        changed = database.execute(
            "INSERT INTO history (series, at, value) SELECT number, ?, ? FROM history_series "
            "WHERE name = ?", (int(time.time()) - days * 86400, value, series))
        equal(changed.rowcount, 1, series)


def balance(page, name):
    """What came less what went within a day by the tile of a level; None = it says nothing."""
    tile = next(tile for tile in re.findall(r"<li title=.*?</li>", page, re.S) if name in tile)
    told = re.search("<small>\\+(\\d+) \u2212(\\d+) in 24 h</small>", tile)
    return int(told[1]) - int(told[2]) if told else None


def test_what_changed_stands_on_the_first_page():
    with Folder() as folder, lively() as fake:
        with ready(fake, folder,
                   collectors={"assessments": {"interval": "10s"}}) as exporter:
            exporter.wait_ready()
            open_view(exporter)
            page = exporter.get("/").text
            contains(page, "Nothing that is known of changed", "a first run")
            before = tiles(page)
            equal({name: balance(page, name) for name in NAMES}, dict.fromkeys(NAMES), "changes")
            fake.admin("advance?steps=3", "POST")
            news = re.compile("Opened|Ended: ")
            until("changes", lambda: news.search(exporter.get("/").text), 60, 0.5)

            def add_up():
                page = exporter.get("/").text
                after = tiles(page)
                changes = {name: balance(page, name) for name in NAMES}
                return any(changes.values()) and all(
                    after[name] - before[name] == (changes[name] or 0) for name in NAMES)

            until("what came and went to make the difference", add_up, 60, 0.5)
            until("the score of more than one collection",
                  lambda: "Secure score of the last 90 days" in exporter.get("/").text, 60, 0.5)
            equal(re.findall(r"[+-][0-9.]+ in [39]0 d", exporter.get("/").text), [], "so far")
            remember(folder, "defender_secure_score_overall_ratio", 40, 0.5)
            page = sound(exporter.get("/").text, "/")
            score = float(tiles(page)["Secure score"].split()[0])
            equal(re.findall(r"[+-][0-9.]+ in [39]0 d", page), [f"{score - 50:+.1f} in 30 d"],
                  "since 40 days ago")


def test_nobody_looked_is_not_none():
    """Resource Graph refuses from the first: no number and no list says that nothing is open."""
    with Folder() as folder, lively("--fault", "403:path=ResourceGraph") as fake:
        with ready(fake, folder) as exporter:
            exporter.wait_answering()

            def told():
                answer = exporter.get("/")
                return answer.status == 200 and "assessments (no answer)" in answer.text
            until("the page to say what it could not see", told, 60, 0.2)
            page = exporter.get("/").text
            contains(page, 'class="scope wait"', "the frame")
            contains(page, "That is no good news: not looked at are", "an empty list")
            for name in NAMES:
                contains(re.sub(r"<[^>]*>", "", page), name + " -", "a tile")
            answer = exporter.get("/api/v1/findings").json()
            equal((answer["total"], answer["findings"]), (0, []), "rows")
            contains(answer["lacking"], "assessments (no answer)", "the API")
            answer = exporter.get("/api/v1/findings?format=csv")
            contains(answer.headers["x-defender-lacking"], "assessments (no answer)", "CSV")
            equal(exporter.get("/api/v1/subscriptions").json()["lacking"], None, "subscriptions")


def test_what_is_asked_wrongly_is_refused_in_words():
    with Folder() as folder, lively() as fake:
        with ready(fake, folder) as exporter:
            exporter.wait_ready()
            open_view(exporter)
            for path, status, said in (
                    ("/?filter=foo", 400, "The filter is not understood"),
                    ("/recommendations?filter=%3Cscript%3E", 400, "The filter is not understood"),
                    ("/recommendations?filter=" + "a" * 5000, 400, "too long"),
                    ("/f/ffffffffffffffff", 404, "No such finding"),
                    ("/recommendations/%3Cscript%3Ealert(1)%3C%2Fscript%3E", 404, "no finding")):
                answer = exporter.get(path)
                equal(answer.status, status, path)
                contains(sound(answer.text, path), said, path)


def test_pages_have_their_headers():
    with Folder() as folder, lively() as fake:
        with ready(fake, folder) as exporter:
            exporter.wait_ready()
            open_view(exporter)
            for path in ("/", "/recommendations", "/status"):
                headers = exporter.get(path).headers
                contains(headers["content-security-policy"], "default-src 'none'", path)
                equal(headers["x-frame-options"], "DENY", path)
                equal(headers["cache-control"], "no-store", path)


if __name__ == "__main__":
    run(globals())
