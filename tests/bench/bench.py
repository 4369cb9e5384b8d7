#!/usr/bin/env python3
"""What a collection and a scrape cost. Not part of ctest: run it on a quiet machine.

  tests/bench/bench.py own [ROWS...]   rows per second, CPU, memory against fake_azure
  tests/bench/bench.py peers [ROWS]    ratios to other programs; needs the harness in
                                       $DEFENDER_SHARED/bench (built below build/bench)
  tests/bench/bench.py formats         a scrape in each format, all of them in use, against the
                                       reference of that harness that sends as many cached bytes
  tests/bench/bench.py scrapes [SERIES...]
                                       the same of one format from 300 series to 300,000, over 1, 10
                                       and 100 connections

Numbers of different machines or runs do not compare; the ratios of one run do.
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))
from harness import (EXPORTER, ROOT, SECRET, SHARED, Exporter, Fake,  # noqa: E402
                     Folder, Metrics, Program, fetch, memory_kb, settings, until)

ONLY_ASSESSMENTS = {"assessments": {"interval": "1h"}, "catalogue": {"enabled": False},
                    "secure_scores": {"enabled": False}, "baselines": {"enabled": False}}
RUNS = int(os.environ.get("RUNS", "3"))
SECONDS = int(os.environ.get("SECONDS", "4"))  # of each run
TICKS = os.sysconf("SC_CLK_TCK")
LIMITS = {"python": 0.2, "go": 0.2}
INSTRUCTIONS_LIMIT, SCRAPE_LIMIT, FORMAT_LIMIT = 3.0, 1.5, 1.2
FORMATS = ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
           "encoding=delimited",
           "application/openmetrics-text;version=1.0.0",
           "application/openmetrics-text;version=0.0.1",
           "text/plain;version=1.0.0", "text/plain;version=0.0.4")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def collect_once(rows):
    with Folder() as folder, Fake("--seed", "1", "--subscriptions", "50",
                                  "--assessments", rows, "--quota", "off") as fake:
        config = settings(fake.url, folder.file("secret", SECRET), ONLY_ASSESSMENTS)
        began = time.monotonic()
        with Exporter(folder, config) as exporter:
            exporter.wait_answering()
            pid = exporter.process.pid

            def done():
                found = exporter.metrics().all("defender_scrape_collector_success",
                                               collector="assessments")
                return found and found[0][1] == 1
            until(f"{rows} rows", done, 600)
            result = {"wall": time.monotonic() - began, "cpu": cpu_seconds(pid),
                      "peak_mib": memory_kb(pid, "VmHWM") / 1024,
                      "rss_mib": memory_kb(pid) / 1024}
            metrics = exporter.metrics()
            result["open"] = metrics.sum("defender_findings")
            result["series"] = sum(map(len, metrics.samples.values()))
            result["scrape_ms"], result["body_mb"] = scrape_cost(exporter)
            return result


def scrape_cost(exporter, count=200):
    before, size = cpu_seconds(exporter.process.pid), 0
    for _ in range(count):
        size = len(exporter.get("/metrics").body)
    return (cpu_seconds(exporter.process.pid) - before) / count * 1000, size / 1e6


def own(counts):
    print(f"{'rows':>9}{'open':>9}{'wall s':>9}{'cpu s':>9}{'rows/s':>10}{'us/row':>9}"
          f"{'peak MiB':>10}{'RSS MiB':>9}{'series':>8}{'ms/scrape':>11}{'MB':>7}")
    for rows in counts:
        runs = [collect_once(rows) for _ in range(RUNS if rows <= 200000 else 1)]
        m = {key: statistics.median(r[key] for r in runs) for key in runs[0]}
        print(f"{rows:>9}{m['open']:>9.0f}{m['wall']:>9.2f}{m['cpu']:>9.2f}"
              f"{rows / m['wall']:>10.0f}{m['cpu'] / rows * 1e6:>9.2f}{m['peak_mib']:>10.1f}"
              f"{m['rss_mib']:>9.1f}{m['series']:>8.0f}{m['scrape_ms']:>11.3f}{m['body_mb']:>7.3f}",
              flush=True)


# --- peers -------------------------------------------------------------------------------------

def build_peers():
    harness, build = os.path.join(SHARED, "bench"), os.path.join(ROOT, "build/bench")
    if not os.path.isdir(harness):
        sys.exit(f"bench.py: no peers in {harness}")
    os.makedirs(os.path.join(build, "node/node_modules"), exist_ok=True)  # the npm peer: left out
    if not os.path.exists(os.path.join(build, "key.pem")):
        subprocess.run(["sh", os.path.join(harness, "build.sh"), build], check=True,
                       stdout=subprocess.DEVNULL)
    return harness, build


def ratio(what, value, limit):
    verdict = "holds" if value <= limit else "TOO MUCH"
    print(f"{what}: {value:.3f} (at most {limit}): {verdict}", flush=True)
    return value <= limit


def peers_collect(harness, build, rows):
    port, fake_port = 19480, 19080
    with Folder() as folder:
        config = folder.file("bench.yml", settings(
            f"http://127.0.0.1:{fake_port}", folder.file("secret", SECRET), ONLY_ASSESSMENTS))
        environment = {**os.environ, "BUILD": build, "PORT": str(port), "FPORT": str(fake_port)}
        if shutil.which("perf"):
            environment["PERF"] = "--perf"
        pattern = r'^defender_collector_rows\{collector="assessments"\} %N$'
        subprocess.run(
            ["sh", f"{harness}/collect.sh", "-n", str(rows), "-s", "lean", "-r", str(RUNS),
             "-p", "stream+diff go python", "-u", f"http://127.0.0.1:{port}/metrics",
             "-R", pattern, "--", os.path.abspath(EXPORTER), f"--config.file={config}",
             f"--web.listen-address=127.0.0.1:{port}", f"--storage.path={folder.path}"],
            env=environment, check=True)
    medians = read_results(f"{build}/collect.lean.{rows}.http.res")
    verdicts = [ratio(f"CPU, ours to {name}", medians["SUT"]["cpu"] / medians[name]["cpu"], limit)
                for name, limit in LIMITS.items()]
    if medians["SUT"]["instr"] and medians["stream+diff"]["instr"]:
        verdicts.append(ratio(
            "instructions, ours to the bare reference",
            medians["SUT"]["instr"] / medians["stream+diff"]["instr"], INSTRUCTIONS_LIMIT))
    return all(verdicts)


def read_results(path):
    runs = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, text = line.rstrip("\n").split("\t")
            result = json.loads(text)
            if not result.get("ok"):
                sys.exit(f"bench.py: {name} failed: {result.get('log')}")
            runs.setdefault(name, []).append(result)
    return {name: {key: statistics.median(r[key] or 0 for r in results)
                   for key in ("cpu", "wall", "instr", "rss")} for name, results in runs.items()}


def peers_scrape(harness, build, coding):
    with Folder() as folder, Fake("--seed", "1", "--subscriptions", "60",
                                  "--assessments", "60000", "--quota", "off") as fake:
        config = settings(fake.url, folder.file("secret", SECRET))
        with Exporter(folder, config) as exporter:
            text = exporter.wait_ready().get("/metrics").text
            series = sum(map(len, Metrics(text).samples.values()))
            ours = wrk(harness, exporter.process.pid, exporter.url + "/metrics", coding)
        reference = [f"{build}/scrape-c", "19490",
                     str(equal_series(build, ours["mb"] * 1e6, coding)), "cached", "epoll"]
        with subprocess.Popen(reference) as process:
            until("the reference", lambda: answers("http://127.0.0.1:19490/metrics"))
            theirs = wrk(harness, process.pid, "http://127.0.0.1:19490/metrics", coding)
            process.terminate()
    print(f"{series} series, {len(text) / 1e6:.3f} MB; ours {ours['cpu_ms']:.4f} ms for "
          f"{ours['mb']:.3f} MB sent, {ours['rps']:.0f}/s; reference {theirs['cpu_ms']:.4f} ms for "
          f"{theirs['mb']:.3f} MB sent, {theirs['rps']:.0f}/s")
    return ratio(f"CPU a scrape, ours to c-cached, {coding or 'identity'}",
                 ours["cpu_ms"] / theirs["cpu_ms"], SCRAPE_LIMIT)


def equal_series(build, size, coding):
    """How many of the reference's series make as many bytes on the wire."""
    with subprocess.Popen([f"{build}/scrape-c", "19491", "10000", "cached", "epoll"]) as process:
        until("the reference", lambda: answers("http://127.0.0.1:19491/metrics"))
        body = fetch("http://127.0.0.1:19491/metrics", headers={"Accept-Encoding": coding}).body
        process.terminate()
    return max(1, round(size / len(body) * 10000))


def answers(url):
    try:
        return fetch(url).status == 200
    except OSError:
        return False


def wrk(harness, pid, url, coding):
    runs = []
    for _ in range(RUNS):
        out = subprocess.run([sys.executable, f"{harness}/wrk1.py", str(pid), url, "1", "4", coding,
                              "x"], check=True, capture_output=True, text=True).stdout
        runs.append(json.loads(out))
    return sorted(runs, key=lambda r: r["cpu_ms"])[len(runs) // 2]


def peers(rows):
    harness, build = build_peers()
    verdicts = [peers_collect(harness, build, rows)]
    verdicts += [peers_scrape(harness, build, coding) for coding in ("", "gzip")]
    return 0 if all(verdicts) else 1


# --- formats -----------------------------------------------------------------------------------

def build_reference():
    source, build = os.path.join(SHARED, "bench/scrape_c.c"), os.path.join(ROOT, "build/bench")
    if not os.path.exists(source):
        sys.exit(f"bench.py: no {source}")
    os.makedirs(build, exist_ok=True)
    program = os.path.join(build, "scrape-c")
    if not os.path.exists(program):
        subprocess.run(["cc", "-O2", "-o", program, source, "-lmicrohttpd", "-ldeflate", "-lz",
                        "-lm"], check=True)
    return build


def load(pid, url, headers, connections=1):
    """Median CPU milliseconds of a request of connections that ask without a pause."""
    words = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--timeout", "60s", url]
    for header in headers.items():
        words += ["-H", ": ".join(header)]
    runs = []
    for _ in range(RUNS):
        fetch(url, headers=headers)  # who comes after it finds the bytes, however many they are
        before = cpu_seconds(pid)
        out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        count = int(re.search(r"(\d+) requests in", out).group(1))
        if "Non-2xx" in out or "Socket errors" in out:
            sys.exit(f"bench.py: {out}")
        runs.append((cpu_seconds(pid) - before) / count * 1000)
    return statistics.median(runs)


def reference_load(build, size, coding):
    series = equal_series(build, size, coding)
    with subprocess.Popen([f"{build}/scrape-c", "19490", str(series), "cached",
                           "epoll"]) as process:
        url = "http://127.0.0.1:19490/metrics"
        until("the reference", lambda: answers(url))
        result = load(process.pid, url, {"Accept-Encoding": coding})
        process.terminate()
    return result


def formats():
    build = build_reference()
    asked = [{"Accept": accept, "Accept-Encoding": coding}
             for coding in ("identity", "gzip") for accept in FORMATS]
    verdicts = []
    with Folder() as folder, Fake("--seed", "1", "--subscriptions", "60",
                                  "--assessments", "60000", "--quota", "off") as fake:
        config = settings(fake.url, folder.file("secret", SECRET), {
            name: {"interval": "1h"} for name in ("assessments", "secure_scores", "baselines")})
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            url = exporter.url + "/metrics"
            for headers in asked:
                fetch(url, headers=headers)
            for headers in asked:
                size = len(fetch(url, headers=headers).body)
                ours = load(exporter.process.pid, url, headers)
                theirs = reference_load(build, size, headers["Accept-Encoding"])
                print(f"{size / 1e6:.3f} MB; ours {ours:.4f} ms, reference {theirs:.4f} ms")
                verdicts.append(ratio(f"{headers['Accept']}, {headers['Accept-Encoding']}",
                                      ours / theirs, FORMAT_LIMIT))
    return 0 if all(verdicts) else 1


# --- scrapes -----------------------------------------------------------------------------------

# About so many series: resources that are assessed, and which metrics there are.
EVERYTHING = {"opt_in_list": [".*"], "max_series": 0}
SCALES = {300: (10, {"allowlist": ["defender_exporter_.*", "process_.*"]}),
          3000: (2000, {}),
          30000: (20000, EVERYTHING),
          300000: (350000, EVERYTHING)}
CONNECTIONS = (1, 10, 100)


def settled(exporter, least):
    """Series of the exposition, when it has so many and no longer another number each second."""
    before = [0]

    def same():
        count = sum(map(len, exporter.metrics().samples.values()))
        last, before[0] = before[0], count
        return count if count == last and count > least else time.sleep(1)
    exporter.wait_ready()
    return until("the data", same, 300)


def scrapes_of(build, exporter, series):
    verdicts = []
    for coding in ("identity", "gzip"):
        headers = {"Accept": FORMATS[1], "Accept-Encoding": coding}
        url, theirs = exporter.url + "/metrics", "http://127.0.0.1:19490/metrics"
        size = len(fetch(url, headers=headers).body)
        command = [f"{build}/scrape-c", "19490", str(equal_series(build, size, coding)), "cached",
                   "epoll"]
        with Program(command) as reference:
            until("the reference", lambda: answers(theirs))
            for count in CONNECTIONS:
                us = [load(program.process.pid, address, headers, count) * 1000
                      for program, address in ((exporter, url), (reference, theirs))]
                verdicts.append(ratio(f"{series} series, {size / 1e6:.3f} MB {coding}, {count} "
                                      f"connections, {us[0]:.1f} us to {us[1]:.1f} us",
                                      us[0] / us[1], FORMAT_LIMIT))
    return verdicts


def scrapes(scales):
    build = build_reference()
    verdicts = []
    for scale in scales:
        rows, metrics = SCALES[scale]
        with Folder() as folder, Fake("--seed", "1", "--subscriptions", "60",
                                      "--assessments", str(rows), "--quota", "off") as fake:
            config = settings(fake.url, folder.file("secret", SECRET), {
                name: {"interval": "1h"} for name in ("assessments", "secure_scores", "baselines")},
                metrics=metrics, web={"max_connections_per_peer": 200})
            with Exporter(folder, config) as exporter:
                verdicts += scrapes_of(build, exporter, settled(exporter, scale / 2))
    return 0 if all(verdicts) else 1


def main():
    command, *rest = sys.argv[1:] or ["own"]
    counts = [int(re.sub(r"[_,]", "", word)) for word in rest]
    if command == "own":
        own(counts or [10000, 100000, 1000000])
        return 0
    if command == "peers":
        return peers(counts[0] if counts else 100000)
    if command == "formats":
        return formats()
    if command == "scrapes":
        return scrapes(counts or SCALES)
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
