#!/usr/bin/env python3
"""The dashboards as Grafana sees them: of its types, and drawn whole with its own components.

  drawn.py --setup   fetch both of npm into build/tools; what is not there is not asked
With scripts/test --all every board is drawn from live data, light and dark, into build/boards.
"""
import glob
import json
import os
import shutil
import struct
import subprocess

from dashboards import LATER, RARE, scrape, tool, world
from fetched import SETTING_UP, node_folder, set_up
from grafana import FOLDER, dashboards, panels
from harness import ALL, ROOT, SLOWNESS, Exporter, Folder, Skip, equal, run
from sink import Sink, receiver

PICTURES = os.path.join(ROOT, "build/boards")
FILES = sorted(glob.glob(os.path.join(FOLDER, "*.json")))
THEMES = ("dark", "light")
WIDTH = 1400


def node(folder, *words):
    """What a program of a folder prints."""
    done = subprocess.run(["node", *words], cwd=folder, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, check=False, timeout=300 * SLOWNESS)
    return done.returncode, done.stdout, done.stderr


def schema():
    return node_folder("schema", "judge.js")


def drawing():
    return node_folder("draw", "draw.js", "page.jsx")


def browser():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return shutil.which(name)
    raise Skip("no chromium on this machine")


def test_dashboards_are_of_grafanas_types():
    folder = schema()
    status, told, errors = node(folder, "judge.js", *FILES)
    equal((status, errors), (0, ""), told)
    equal(told, f"{len(FILES)} dashboards, 0 mistakes\n", "judged")


def test_mistakes_are_found():
    """A number that is a text, a word that Grafana does not know, an option of another panel."""
    folder = schema()
    board = dashboards()["overview"]
    board["graphTooltip"] = 9
    board["panels"][0]["gridPos"]["h"] = "4"
    board["panels"][0]["options"]["graphMode"] = "surface"
    board["panels"][1]["options"]["displayMode"] = "basic"
    board["panels"][1]["fieldConfig"]["defaults"]["thresholds"]["mode"] = "relative"
    with Folder() as work:
        told = node(folder, "judge.js", work.file("overview.json", board))[1]
    for word in ("9", "string", "surface", "displayMode", "relative"):
        assert word in told, f"{word} is not in {told}"


def size(picture):
    """Width and height of a PNG."""
    with open(picture, "rb") as file:
        head = file.read(24)
    equal(head[:8], b"\x89PNG\r\n\x1a\n", picture)
    return struct.unpack(">II", head[16:24])


def looked_at(report):
    """What a picture of a board must not have."""
    rare = {tuple(name[:-len(" A")].split(": ", 1)) for name in (*RARE, *LATER)}
    poor = []
    for board in report:
        name = board["board"]
        poor += [f"{name}, {board['theme']}: {error}" for error in board["errors"]]
        equal([panel["title"] for panel in board["panels"]],
              [panel["title"] for panel in panels(dashboards()[name])], f"{name}: panels")
        for panel in board["panels"]:
            where = f"{name}, {board['theme']}: {panel['title']}"
            if panel["empty"] and (name, panel["title"]) not in rare:
                poor.append(f"{where}: no data")
            poor += [f"{where}: {text} is cut" for text in panel["cut"]]
        wide, high = size(os.path.join(PICTURES, f"{name}-{board['theme']}.png"))
        assert wide >= WIDTH and high >= board["height"], f"{name}: {wide} x {high}"
    equal(poor, [], "poor pictures")


def told_twice(config, sink):
    """One receiver takes what it is told, the other is not there."""
    alerts = config["alerts"]
    alerts["receivers"].append(receiver(sink))
    every = {"matchers": ['alertname=~".+"'], "continue": True}
    alerts["route"] = {"receiver": "team", "routes": [
        {**every, "receiver": name} for name in ("nobody", "team")]}


def test_every_board_is_drawn():
    if not ALL:
        raise Skip("it takes minutes: with scripts/test --all")
    folder, chromium = drawing(), browser()
    tool("prometheus")
    shutil.rmtree(PICTURES, ignore_errors=True)
    os.makedirs(PICTURES)
    with Folder() as work, Sink() as sink:
        fake, config = world(work, {}, "--fault", "500")
        told_twice(config, sink)
        with fake, Exporter(work, config) as exporter:
            program, prometheus = scrape(work, f"127.0.0.1:{exporter.port}")
            with program:
                prometheus.wait('defender_exporter_notifications_suppressed_total == 0',
                                "a scrape before the first run")
                fake.heal()
                exporter.wait_ready()
                prometheus.wait("sum(defender_findings_opened_total) == 0", "counters that begin")
                fake.admin("advance?steps=40", "POST")
                prometheus.wait("sum(increase(defender_findings_resolved_total[1h])) > 0", "fixed")
                prometheus.wait("count_over_time(defender_up[10m]) > 20", "a past to draw")
                status, told, errors = node(folder, "draw.js", prometheus.url, PICTURES, chromium,
                                            "0.05", *FILES)
    equal((status, errors), (0, ""), "drawn")
    report = json.loads(told)
    equal([(one["board"], one["theme"]) for one in report],
          [(name, theme) for name in dashboards() for theme in THEMES], "boards")
    looked_at(report)


if __name__ == "__main__":
    if SETTING_UP:
        set_up("drawn.py", schema, *([drawing] if ALL else []))
    else:
        run(globals())
