#!/usr/bin/env python3
"""Instructions of fixed work, counted by callgrind: what needs 5 % more than it did has to be
looked at. They are those of a release, compiled by GCC 12 with the libraries of Debian 12; string
functions are the plainest of glibc, whatever the machine has. What takes fewer for good gets a
lower row.
"""
import os
import re
import shutil
import subprocess
import tempfile

from harness import EXPORTER, Skip, run

MORE = 1.05
PLAIN = "glibc.cpu.hwcaps=" + ",".join("-" + name for name in (
    "AVX512F", "AVX512VL", "AVX2", "AVX", "AVX_Fast_Unaligned_Load", "ERMS", "FSRM", "MOVBE",
    "SSE4_2", "SSSE3"))

# what: program, its environment, the function counted with all it calls, how often, each takes
COUNTED = {
    "an alert of /api/v2/alerts": ("bench_listing", {"BENCH_LISTING": "1000 100 3 alerts"},
                                   "api_listing_next", 3000, 23850),
    "putting an open finding in order": ("bench_views", {"BENCH_VIEWS": "5000"}, "view_arrange",
                                         5000, 2160),
    "grouping it by every word": ("bench_views", {"BENCH_VIEWS": "5000"}, "view_groups_prepare",
                                  5000, 3015),
    "telling its resource apart": ("bench_views", {"BENCH_VIEWS": "5000"}, "view_resources_of",
                                   5000, 2790),
    "asking a filter about it": ("bench_views", {"BENCH_VIEWS": "5000"}, "view_select", 5000, 2170),
}


def count(program, environment, function):
    path = os.path.join(os.path.dirname(EXPORTER), program)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--toggle-collect={function}",
             f"--callgrind-out-file={os.path.join(folder, 'out')}", path],
            env={**os.environ, "GLIBC_TUNABLES": PLAIN, **environment}, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{program} ended with {done.returncode}:\n{done.stderr}"
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def test_nothing_takes_more_instructions_than_it_did():
    if os.environ.get("HARDENED") != "1":
        raise Skip("they are counted of a release")
    if not shutil.which("valgrind"):
        raise Skip("valgrind is not here")
    more = []
    for what, (program, environment, function, times, known) in COUNTED.items():
        now = count(program, environment, function) / times
        print(f"{what}: {now:.0f} instructions, {known} are known")
        if now > known * MORE:
            more.append(f"{what} takes {now:.0f} instructions, {known} before")
    assert not more, "; ".join(more)


if __name__ == "__main__":
    run(globals())
