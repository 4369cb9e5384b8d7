#!/usr/bin/env python3
"""What a collection of recommendations takes beside the bare pass: libcurl and a parser made for
these rows, nothing kept but counts (`cref stream diff`). Not part of ctest: run it with a release
build; it needs the harness in $DEFENDER_SHARED/bench, and valgrind.

  tests/bench/collect.py [ROWS]        CPU of the thread that collects ROWS rows to that
                                       of the bare pass, and instructions, by callgrind, of 10,000
                                       more; lean (Resource Graph) and wide (lists)
  tests/bench/collect.py scale [ROWS...]
                                       instructions a row for each number of rows, from our own
                                       stand-in

Instructions a row are the same on a busy machine; CPU is not, and only its ratio means anything.
"""
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("SLOWNESS", "20")  # below valgrind
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))
from figures import figure  # noqa: E402
from harness import (ROOT, SECRET, SHARED, Exporter, Fake, Folder,  # noqa: E402
                     free_port, settings, until)
from web import thread_seconds  # noqa: E402

HARNESS, BUILD = os.path.join(SHARED, "bench"), os.path.join(ROOT, "build/bench")
LIBRARIES = {"cref": ["-lcurl", "-lcjson", "-lmicrohttpd", "-lxxhash"],
             "fakearg": ["-lmicrohttpd", "-ldeflate", "-lpthread"]}
RUNS = int(os.environ.get("RUNS", "5"))
STEP = 10000
# what is read, how the bare pass calls it, bounds of CPU and of instructions
SHAPES = {"lean": ({}, "lean", 1.15, 1.15), "wide": ({"source": "rest"}, "full", 1.3, 1.3)}
SAME = 0.03  # instructions a row differ by no more, however many rows there are


def build():
    if not os.path.isdir(HARNESS):
        sys.exit(f"collect.py: no bare pass in {HARNESS}")
    os.makedirs(BUILD, exist_ok=True)
    for name, libraries in LIBRARIES.items():
        program = os.path.join(BUILD, name)
        if not os.path.exists(program):
            subprocess.run(["cc", "-O2", "-o", program, os.path.join(HARNESS, name + ".c"),
                            *libraries], check=True)


def query(shape):
    with open(os.path.join(SHARED, "azure/queries/assessments_rows.kql"), encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("//")]
    if shape == "full":
        lines = [line for line in lines
                 if re.match(r"securityresources|\| where type|\| order by", line)]
    return "".join(lines)


class Stand:
    """The harness' stand-in for Resource Graph, which serves pages from memory."""

    def __init__(self, rows, shape):
        self.port, self.log = free_port(), tempfile.NamedTemporaryFile("r", encoding="utf-8")
        rest = ["--rest"] if shape == "full" else []
        with open(self.log.name, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen(
                [f"{BUILD}/fakearg", "--port", str(self.port), "--rows", str(rows), "--shape",
                 shape, "--gzip-only", *rest], stderr=out)
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        until("the stand-in", lambda: "ready" in self.log.read(), 600)
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()


def collectors():
    with open(os.path.join(ROOT, "collectors/list.h"), encoding="utf-8") as file:
        return re.findall(r"X\((\w+)\)", file.read())


def configuration(url, folder, source):
    """Nothing but recommendations, and which subscriptions there are."""
    off = {name: {"enabled": False} for name in collectors() if name != "subscriptions"}
    return settings(url, folder.file("secret", SECRET),
                    {**off, "assessments": {"interval": "1h", **source}})


def collect(url, rows, source, prefix=()):
    """CPU seconds of the thread that collects, or what callgrind says of it."""
    with Folder() as folder, Exporter(folder, configuration(url, folder, source),
                                      prefix=prefix) as exporter:
        until("an answer", exporter.answers, 300, 0.2)

        def done():
            found = exporter.metrics().all("defender_collector_rows", collector="assessments")
            return found and found[0][1] == rows or time.sleep(0.2)
        until(f"{rows} rows", done, 3600)
        return thread_seconds(exporter.process.pid)["assessments"]


def bare(url, shape, prefix=()):
    """CPU seconds of the bare pass."""
    with subprocess.Popen([*prefix, f"{BUILD}/cref", url, "0", "stream", shape, "diff"],
                          env={**os.environ, "QUERY": query(shape)},
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = status
        if status:
            sys.exit("collect.py: the bare pass failed")
    return used.ru_utime + used.ru_stime


def counted(work, *toggles):
    """Instructions of what work runs below the prefix it is given."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        work(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *toggles])
        with open(out, encoding="utf-8") as file:
            return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M).group(1))


def ours_counted(url, rows, source):
    return counted(lambda prefix: collect(url, rows, source, prefix),
                   "--toggle-collect=collect_run")


def beside(rows):
    build()
    held = []
    for name, (source, shape, cpu_most, instructions_most) in SHAPES.items():
        with Stand(rows, shape) as stand:
            runs = [(collect(stand.url, rows, source), bare(stand.url, shape))
                    for _ in range(RUNS)]
        ours, theirs = (statistics.median(run[i] for run in runs) / rows * 1e6 for i in (0, 1))
        figure(f"{name} row: CPU of {rows}", ours, "us")
        held.append(figure(f"{name} row: CPU to the bare pass' {theirs:.2f} us", ours / theirs, "x",
                           cpu_most))
        totals = []
        for count in (STEP, 2 * STEP):
            with Stand(count, shape) as stand:
                totals.append((ours_counted(stand.url, count, source),
                               counted(lambda prefix, u=stand.url, s=shape: bare(u, s, prefix))))
        ours, theirs = ((totals[1][i] - totals[0][i]) / STEP / 1000 for i in (0, 1))
        figure(f"{name} row: instructions", ours, "k")
        held.append(figure(f"{name} row: instructions to the bare pass' {theirs:.1f} k",
                           ours / theirs, "x", instructions_most))
    return all(held)


def scale(counts):
    held, first = [], None
    for rows in counts:
        with Fake("--seed", "1", "--subscriptions", "50", "--assessments", str(rows),
                  "--quota", "off") as fake:
            each = ours_counted(fake.url, rows, {}) / rows
        first = first or each
        figure(f"instructions a row of {rows}", each / 1000, "k")
        held.append(figure(f"to those of {counts[0]}, how far from the same", abs(each / first - 1),
                           "", SAME))
    return all(held)


def main():
    words = sys.argv[1:]
    if words[:1] == ["scale"]:
        return 0 if scale([int(word) for word in words[1:]] or [10000, 100000, 1000000]) else 1
    return 0 if beside(int(words[0]) if words else 100000) else 1


if __name__ == "__main__":
    sys.exit(main())
