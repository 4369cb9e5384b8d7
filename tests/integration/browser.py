#!/usr/bin/env python3
"""The pages in a browser: every page that links lead to, wide and narrow, light and dark.

  browser.py --setup   fetch what walks and judges them of npm into build/tools
No error, no request elsewhere, nothing axe-core complains of, nothing that scrolls sideways; the
keyboard alone reaches everything, and scripts are not needed. Pictures are left in build/pages.
"""
import json
import os
import shutil
import subprocess

from drawn import browser, told_twice
from fetched import SETTING_UP, node_folder, set_up
from harness import (ALL, ROOT, SECRET, SLOWNESS, Exporter, Fake, Folder, Skip, contains, equal,
                     run, settings, until)
from serving import Quiet, Serving
from sink import Sink

PICTURES = os.path.join(ROOT, "build/pages")
PLACES = ("/", "/recommendations", "/fix-first", "/baselines", "/controls", "/compliance",
          "/resources", "/status")


def tools():
    return node_folder("browse", "browse.js")


def walk(url, work, pictures, name, *paths):
    """What is wrong, and which kinds of pages there are."""
    if not ALL:
        raise Skip("it takes minutes: with scripts/test --all")
    folder, chromium = tools(), browser()
    os.makedirs(pictures, exist_ok=True)
    profile = os.path.join(work.path, "profile")
    done = subprocess.run(["node", "browse.js", url, pictures, chromium, profile, name, *paths],
                          cwd=folder, stdin=subprocess.DEVNULL, text=True, capture_output=True,
                          check=False, timeout=1800 * SLOWNESS)
    shutil.rmtree(profile, ignore_errors=True)
    equal((done.returncode, done.stderr), (0, ""), "the walk")
    told = json.loads(done.stdout)
    return told["wrong"], [page["kind"] for page in told["pages"]]


def walked(exporter, work, name, *paths):
    """The kinds of pages; nothing is wrong with any."""
    wrong, kinds = walk(exporter.url, work, PICTURES, name, *paths)
    equal(wrong, [], f"what is wrong with {len(kinds)} pages")
    return kinds


# What each mistake is told as.
MISTAKES = {
    "<img src='http://127.0.0.2:9/x.png' alt=''>": "asks http://127.0.0.2:9/x.png",
    "<script>throw new Error('of ours')</script>": "error: of ours",
    "<p style='color:#bbb'>hardly to be read</p>": "axe color-contrast",
    "<form action='/'><input id='filter' name='filter' style='outline:0'></form>":
        "no focus is seen",
    "<p style='width:3000px'>wide</p>": "it scrolls sideways",
    "<a href='/nowhere' tabindex='3'>first</a>": "tabindex changes the order",
    "<h4>deep</h4>": "axe heading-order",
}


def test_mistakes_are_found():
    class Poor(Quiet):
        def do_GET(self):
            known = self.path.split("?")[0] in ("/", "/recommendations")
            body = ("<!doctype html><html lang=en><title>x</title><link rel=icon href='data:,'>"
                    "<body><header><nav><a href='/recommendations'>r</a></nav></header><main>"
                    "<h1>x</h1>" + "".join(MISTAKES) + "</main></body></html>").encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with Folder() as work, Serving(Poor) as poor:
        wrong = "\n".join(walk(poor.url, work, work.path, "poor")[0])
        for said in (*MISTAKES.values(), "/nowhere: answers 404", "has a script"):
            contains(wrong, said, "what is found")


def test_everybody_can_use_the_pages():
    """A tenant with something of everything."""
    fake = Fake("--seed", "5", "--subscriptions", "4", "--assessments", "1500", "--machines", "60",
                "--multicloud", "--individual", "10", "--exemptions", "3")
    with Folder() as work, Sink() as sink, fake:
        nobody = {"url": "http://127.0.0.1:9/", "http": {"allow_private": True}}
        config = settings(fake.url, work.file("secret", SECRET), alerts={
            "receivers": [{"name": "nobody", "webhook": nobody}],
            "ledger": {"first_run": "all"}})
        told_twice(config, sink)
        with Exporter(work, config) as exporter:
            exporter.wait_ready()
            until("pages", lambda: exporter.get("/").status == 200, 60, 0.2)
            kinds = walked(exporter, work, "all", "/recommendations?filter=foo",
                           "/f/ffffffffffffffff", "/resource?id=/subscriptions/nobody")
            equal([place for place in PLACES if place not in kinds], [], "pages that nobody saw")


def test_what_is_not_known_can_be_read():
    """Sources that are off, refused or empty."""
    fake = Fake("--seed", "5", "--subscriptions", "3", "--assessments", "300", "--fault",
                "403:sub=1")
    off = {name: {"enabled": False} for name in ("compliance", "baselines", "secure_scores")}
    with Folder() as work, fake:
        config = settings(fake.url, work.file("secret", SECRET), off)
        with Exporter(work, config) as exporter:
            exporter.wait_ready()
            until("pages", lambda: exporter.get("/").status == 200, 60, 0.2)
            walked(exporter, work, "less")


if __name__ == "__main__":
    if SETTING_UP:
        set_up("browser.py", tools)
    else:
        run(globals())
