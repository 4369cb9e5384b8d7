#!/usr/bin/env python3
"""The unit for systemd: how exposed it leaves the service, and that it forbids nothing it needs."""
import os
import re
import shutil
import signal
import subprocess

from harness import (ROOT, SECRET, SLOWNESS, Exporter, Fake, Folder, Skip, contains, equal, run,
                     settings, until)

UNIT = os.path.join(ROOT, "packaging/systemd/defender_exporter.service")
EXPOSURE_MAX = 1.5  # of 10


def analyze(*arguments):
    if not shutil.which("systemd-analyze"):
        raise Skip("systemd-analyze is not here")
    done = subprocess.run(["systemd-analyze", "--no-pager", *arguments], capture_output=True,
                          text=True, check=False, timeout=60 * SLOWNESS)
    if "offline" in done.stderr:
        raise Skip("systemd-analyze is too old")
    return done.stdout


def settings_of(key):
    with open(UNIT, encoding="ascii") as file:
        return re.findall(rf"^{key}=(.*)$", file.read(), re.M)


def members(group):
    """The system calls of @group, groups in it spelled out."""
    names = set()
    for line in analyze("syscall-filter", group).splitlines():
        word = line.split("#")[0].strip()
        if word.startswith("@") and word != group:
            names |= members(word)
        elif word and word != group:
            names.add(word)
    return names


def allowed():
    names = set()
    for row in settings_of("SystemCallFilter"):
        denied = row.startswith("~")
        for word in row.lstrip("~").split():
            group = members(word) if word.startswith("@") else {word}
            names = names - group if denied else names | group
    return names


def test_unit_leaves_little_exposed():
    out = analyze("security", "--offline=true", UNIT)
    equal(float(re.search(r"exposure level for \S+: ([0-9.]+)", out).group(1)) <= EXPOSURE_MAX,
          True, out)


def test_unit_allows_what_the_program_calls():
    if not shutil.which("strace"):
        raise Skip("strace is not here")
    with Folder() as folder, Fake("--seed", "1") as fake:
        config = settings(fake.url, folder.file("secret", SECRET))
        trace = os.path.join(folder.path, "trace")
        with Exporter(folder, config,
                      prefix=["strace", "-f", "-qq", "-D", "-o", trace, "--"]) as exporter:
            exporter.wait_ready(120)
            equal(exporter.get("/metrics").status, 200, "/metrics")
            equal(exporter.get("/api/v2/alerts").status, 200, "alerts")
            exporter.send(signal.SIGHUP)
            exporter.wait_for("msg=reloaded")
            exporter.stop(seconds=60)
        until("the end of the trace", lambda: os.path.getsize(trace))
        with open(trace, encoding="utf-8", errors="replace") as file:
            calls = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", file.read(), re.M))
    equal("openat" in calls and "socket" in calls, True, f"traced: {sorted(calls)}")
    equal(sorted(calls - allowed() - {"execve"}), [], "system calls the unit forbids")
    families = set(settings_of("RestrictAddressFamilies")[0].split())
    contains(families, "AF_INET6", "address families")


if __name__ == "__main__":
    run(globals())
