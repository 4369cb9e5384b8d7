#!/usr/bin/env python3
"""Start, reload, stop, endpoints, flags and exit codes."""
import os
import re
import signal
import socket
import subprocess
import threading
import time

from harness import (EXPORTER, SECRET, SLOWNESS, Exporter, Fake, Folder, contains, equal, fetch,
                     run, settings, until)
from sink import Sink

# Far below every time-out that stopping could wait for.
STOP_S = 10
TINY = ("--seed", "7", "--subscriptions", "2", "--assessments", "200")


def command(*arguments, seconds=30):
    return subprocess.run([EXPORTER, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=seconds * SLOWNESS, check=False)


class Pair:
    """The stand-in and an exporter that reads it."""

    def __init__(self, *arguments, collectors=None, fake=TINY, **more):
        self.arguments, self.collectors, self.fake_arguments = arguments, collectors, fake
        self.more = more

    def __enter__(self):
        self.folder = Folder().__enter__()
        self.fake = Fake(*self.fake_arguments)
        self.config = settings(self.fake.url, self.folder.file("secret", SECRET),
                               self.collectors, **self.more)
        self.exporter = Exporter(self.folder, self.config, *self.arguments)
        return self

    def __exit__(self, *failure):
        try:
            self.exporter.__exit__(*failure)
        finally:
            self.fake.__exit__(*failure)
            self.folder.__exit__()

    def write_config(self, content):
        self.folder.file("defender_exporter.yml", content)


def test_endpoints():
    with Pair("--web.enable-lifecycle") as pair:
        exporter = pair.exporter.wait_ready()
        text = "text/plain; version=0.0.4; charset=utf-8"
        for path, method, status, kind in (
                ("/", "GET", 200, "text/html"), ("/", "HEAD", 200, "text/html"),
                ("/metrics", "GET", 200, text), ("/metrics", "HEAD", 200, text),
                ("/-/healthy", "GET", 200, "text/plain"), ("/-/healthy", "HEAD", 200, ""),
                ("/-/ready", "GET", 200, "text/plain"), ("/-/ready", "HEAD", 200, ""),
                ("/healthz", "GET", 200, ""), ("/livez", "GET", 200, ""),
                ("/readyz", "GET", 200, ""),
                ("/nothing", "GET", 404, "text/plain"), ("/metricsx", "GET", 404, "text/plain"),
                ("/metrics/", "GET", 404, "text/plain"), ("/-/", "GET", 404, "text/plain"),
                ("/metrics", "POST", 405, "text/plain"), ("/metrics", "DELETE", 405, ""),
                ("/", "POST", 405, ""), ("/-/healthy", "PUT", 405, ""),
                ("/-/reload", "GET", 405, "text/plain")):
            answer = exporter.get(path, method=method)
            equal(answer.status, status, f"{method} {path}")
            contains(answer.headers.get("content-type", ""), kind, f"type of {method} {path}")
            if method == "HEAD":
                equal(answer.body, b"", f"body of HEAD {path}")
        refused = exporter.get("/metrics", method="POST")
        contains(refused.headers.get("allow", ""), "GET", "Allow of a refused method")
        page = exporter.get("/status").text
        for part in ("/metrics", "assessments", "secure_scores", "baselines"):
            contains(page, part, "status page")


def test_the_watchdog_is_told():
    with Folder() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        path = os.path.join(folder.path, "notify")
        listener.bind(path)
        listener.settimeout(30 * SLOWNESS)
        config = settings("http://127.0.0.1:1", folder.file("secret", SECRET))
        environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"}
        with Exporter(folder, config, environment=environment) as exporter:
            said = [listener.recv(256) for _ in range(4)]
            equal(said, [b"READY=1"] + [b"WATCHDOG=1"] * 3, "what systemd hears")
            exporter.send(signal.SIGHUP)
            while not listener.recv(256).startswith(b"RELOADING=1"):
                pass
            exporter.stop()
            while listener.recv(256) != b"STOPPING=1":
                pass


def test_health_is_asked():
    with Folder() as folder:
        config = settings("http://127.0.0.1:1", folder.file("secret", SECRET))
        with Exporter(folder, config) as exporter:
            exporter.wait_answering()
            where = (f"--config.file={exporter.config_file}",
                     f"--web.listen-address=127.0.0.1:{exporter.port}")
            done = command("check", "health", *where)
            equal((done.returncode, done.stdout), (0, "it answers\n"), "health")
        done = command("check", "health", *where)
        equal((done.returncode, done.stdout), (1, ""), "health of one that is gone")
        contains(done.stderr, "127.0.0.1", "what it says")


def test_gzip():
    with Pair() as pair:
        exporter = pair.exporter.wait_ready()
        plain = exporter.get("/metrics")
        packed = exporter.get("/metrics", headers={"Accept-Encoding": "gzip"})
        equal(packed.headers.get("content-encoding"), "gzip", "coding")
        equal("content-encoding" in plain.headers, False, "coding when none was asked for")
        contains(packed.headers.get("vary", ""), "Accept-Encoding", "Vary")
        domain = [line for line in plain.text.splitlines()
                  if re.match(r"defender_(?!exporter_|scrape_|collector)", line)]
        equal([line for line in packed.text.splitlines() if line in set(domain)], domain,
              "the domain part, packed and plain")
        refused = exporter.get("/metrics", headers={"Accept-Encoding": "gzip;q=0, identity"})
        equal("content-encoding" in refused.headers, False, "gzip refused by q=0")


def test_collect_and_exclude():
    with Pair() as pair:
        exporter = pair.exporter.wait_ready()
        everything = set(exporter.metrics().samples)
        scores = set(exporter.metrics("?collect[]=secure_scores").samples)
        equal("defender_secure_score_points" in scores, True, "collect[]=secure_scores")
        equal("defender_findings" in scores, False, "collect[] leaves the others out")
        rest = set(exporter.metrics("?exclude[]=secure_scores").samples)
        equal("defender_secure_score_points" in rest, False, "exclude[]=secure_scores")
        equal("defender_findings" in rest, True, "exclude[] keeps the others")
        equal(rest | scores, everything, "both together are everything")
        two = set(exporter.metrics("?collect[]=secure_scores&collect[]=assessments").samples)
        equal({"defender_findings", "defender_secure_score_points"} <= two, True, "two collectors")
        for query in ("?collect[]=nothing", "?exclude[]=nothing", "?collect[]=",
                      "?collect[]=assessments&exclude[]=baselines"):
            equal(exporter.get("/metrics" + query).status, 400, query)


def test_not_ready_before_the_first_collection():
    with Pair(fake=(*TINY, "--fault", "hang")) as pair:
        exporter = pair.exporter.wait_answering()
        equal(exporter.get("/-/ready").status, 503, "/-/ready while Azure does not answer")
        equal(exporter.get("/-/healthy").status, 200, "/-/healthy while Azure does not answer")
        metrics = exporter.metrics()
        equal(metrics.one("defender_scrape_collector_success", collector="assessments"), 0,
              "success before the first collection")


def stop_time(program, number):
    began = time.monotonic()
    status = program.stop(number)
    return status, time.monotonic() - began


def test_stops_at_once():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Pair() as pair:
            pair.exporter.wait_ready()
            status, seconds = stop_time(pair.exporter, number)
            equal(status, 0, f"exit status after signal {number}")
            equal(seconds < STOP_S, True, f"{seconds:.2f} s to stop, under {STOP_S} s")


def test_stops_while_it_starts():
    """A signal that comes before the service runs is a wish to end, too."""
    def is_blocked(pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            mask = int(re.search(r"^SigBlk:\s+([0-9a-f]+)", file.read(), re.M).group(1), 16)
        return mask >> (signal.SIGTERM - 1) & 1

    with Folder() as folder, Fake(*TINY) as fake:
        config = settings(fake.url, folder.file("secret", SECRET))
        for _ in range(5):
            with Exporter(folder, config) as exporter:
                # while main waits for signals none is blocked: then it is late, and fine too
                until("main", lambda: is_blocked(exporter.process.pid) or
                      "msg=listening" in exporter.log, pause=0)
                equal(exporter.stop(signal.SIGTERM), 0, "exit status of an early end")


def test_stops_while_a_request_hangs():
    with Pair(fake=(*TINY, "--fault", "hang")) as pair:
        exporter = pair.exporter.wait_answering()
        until("a request at the stand-in", lambda: pair.fake.requests("subscriptions"))
        status, seconds = stop_time(exporter, signal.SIGTERM)
        equal(status, 0, "exit status while a request hangs")
        equal(seconds < STOP_S, True, f"{seconds:.2f} s to stop, under {STOP_S} s")


def test_a_silent_client_does_not_hold_it():
    with Pair() as pair:
        exporter = pair.exporter.wait_ready()
        with socket.create_connection(("127.0.0.1", exporter.port)) as silent:
            silent.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
            equal(exporter.get("/metrics").status, 200, "a scrape beside a silent client")
            equal(stop_time(exporter, signal.SIGTERM)[0], 0, "exit status beside a silent client")


def wait_reload_state(exporter, state):
    """The program's own metrics may be a moment old."""
    return exporter.wait_metric(f"reload state {state}", lambda m: m.one(
        "defender_exporter_config_last_reload_successful") == state)


def test_reload():
    with Pair("--web.enable-lifecycle") as pair:
        exporter = pair.exporter.wait_ready()
        before = exporter.metrics().one("defender_exporter_config_hash")
        wait_reload_state(exporter, 1)

        pair.write_config("collectors:\n  secure_scores:\n    interval: soon\n")
        answer = exporter.get("/-/reload", method="POST")
        equal(answer.status, 500, "reload of a wrong file")
        contains(answer.text, "defender_exporter.yml:3", "reason of the refused reload")
        contains(answer.text, "collectors.secure_scores.interval", "key of the refused reload")
        wait_reload_state(exporter, 0)
        equal(exporter.metrics().one("defender_exporter_config_hash"), before, "old config kept")
        equal(exporter.get("/-/ready").status, 200, "still ready")

        changed = dict(pair.config, collectors={"secure_scores": {"enabled": False}})
        pair.write_config(changed)
        findings = exporter.metrics().sum("defender_findings")
        equal(exporter.get("/-/reload", method="PUT").status, 200, "reload of a right file")
        metrics = exporter.wait_metric(
            "secure scores gone", lambda m: not m.all("defender_secure_score_points"))
        wait_reload_state(exporter, 1)
        equal(metrics.one("defender_exporter_config_hash") != before, True, "another hash")
        equal(metrics.sum("defender_findings"), findings, "findings survive the reload")


def test_reload_by_signal():
    with Pair() as pair:
        exporter = pair.exporter.wait_ready()
        equal(exporter.get("/-/reload", method="POST").status, 403, "reload without lifecycle")
        pair.write_config("nonsense: true\n")
        exporter.send(signal.SIGHUP)
        wait_reload_state(exporter, 0)
        contains(exporter.log, "nonsense", "log of the refused reload")
        pair.write_config(pair.config)
        exporter.send(signal.SIGHUP)
        wait_reload_state(exporter, 1)


def test_reload_while_scraped():
    with Pair("--web.enable-lifecycle") as pair:
        exporter = pair.exporter.wait_ready()
        want = exporter.metrics().sum("defender_findings")
        stop, wrong = threading.Event(), []

        def scrape():
            while not stop.is_set():
                got = exporter.metrics().sum("defender_findings")
                if got != want:
                    wrong.append(got)
        threads = [threading.Thread(target=scrape) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(10):
            equal(exporter.get("/-/reload", method="POST").status, 200, "reload under scrapes")
        stop.set()
        for thread in threads:
            thread.join()
        equal(wrong, [], "findings seen while reloading")


def test_check_config():
    wrong = ("azure:\n"
             "  tenant_id: t\n"
             "  cloud: Mars\n"
             "  resource_manager: http://example.com\n"
             "  client_secret: x\n"
             "  client_secret_file: y\n"
             "collectors:\n"
             "  assessments:\n"
             "    interval: soon\n"
             "    source: carrier-pigeon\n"
             "    colour: blue\n"
             "  unheard_of: {}\n")
    with Folder() as folder:
        path = folder.file("wrong.yml", wrong)
        result = command("check", "config", f"--config.file={path}")
        equal(result.returncode, 2, "exit status")
        equal(command(f"--config.file={path}").returncode, 2, "exit status of a start with it")
        output = result.stdout + result.stderr
        for line, key in ((3, "azure.cloud"), (4, "azure.resource_manager"),
                          (9, "collectors.assessments.interval"),
                          (10, "collectors.assessments.source"),
                          (11, "collectors.assessments.colour"), (12, "collectors.unheard_of")):
            contains(output, f"wrong.yml:{line}: {key}: ", "complaints")
        contains(output, "client_secret", "complaints")
        right = folder.file("right.yml", "azure: {tenant_id: t}\n")
        result = command("check", "config", f"--config.file={right}")
        equal(result.returncode, 0, "a right file: " + result.stdout + result.stderr)
        broken = folder.file("broken.yml", "azure:\n  tenant_id: [unclosed\n")
        result = command("check", "config", f"--config.file={broken}")
        equal(result.returncode, 2, "no YAML at all")
        contains(result.stdout + result.stderr, "broken.yml:", "no YAML at all")


def test_flags_and_exit_codes():
    version = command("--version")
    equal(version.returncode, 0, "--version")
    equal(bool(re.match(r"defender_exporter, version \S+ \(branch: \S+, revision: \S+\)\n",
                        version.stdout)), True, "shape of --version: " + version.stdout)
    for part in ("build date", "platform"):
        contains(version.stdout, part, "--version")
    usage = command("--help")
    equal(usage.returncode, 0, "--help")
    for flag in ("--config.file", "--web.listen-address", "--web.telemetry-path", "--log.level",
                 "--log.format", "--storage.path", "--[no-]web.enable-lifecycle"):
        contains(usage.stdout, f"  {flag}", "--help")
    for arguments in (("--no-such-flag",), ("--log.level=loud",), ("no-such-command",),
                      ("--web.listen-address=nonsense",), ("--config.file=/does/not/exist",)):
        result = command(*arguments)
        equal(result.returncode, 2, f"exit status of {arguments}: {result.stderr}")
        equal(bool(result.stderr.strip()), True, f"a reason for {arguments}")
    for arguments, near in ((("findings", "--formatt=csv"),
                             "unknown flag --formatt; did you mean --format?"),
                            (("--no-web.read-onli",), "did you mean --no-web.read-only"),
                            (("findngs",), "unknown command: findngs; did you mean findings?"),
                            (("outbox", "lst"), "did you mean list?")):
        result = command(*arguments)
        equal(result.returncode, 2, f"exit status of {arguments}: {result.stderr}")
        contains(result.stderr, near, str(arguments))


def test_every_command_has_its_help():
    usage = command("--help").stdout
    names = re.findall(r"^  ([a-z][a-z-]*(?: [a-z][a-z-]*)?)(?= [A-Z[]|$)",
                       usage.split("\nFlags")[0], re.M)
    equal(len(names) > 20, True, f"commands: {names}")
    for name in names:
        result = command(*name.split(), "--help")
        equal((result.returncode, result.stderr), (0, ""), name)
        contains(result.stdout, f"usage: defender_exporter [flags] {name}", name)
        contains(result.stdout, "Exit status: 0", name)
    told = command("findings", "--help").stdout
    contains(told, "  --order=...", "flags of findings")
    equal("--duration" in told, False, "flags of others")
    told = command("outbox", "-h").stdout
    contains(told, "  outbox retry ID...", "all that begins so")
    equal("silence" in told, False, "nothing else")
    equal(command("nonsense", "--help").returncode, 2, "help of what there is not")


def test_a_port_in_use():
    with Pair() as pair:
        pair.exporter.wait_ready()
        second = command(f"--config.file={pair.exporter.config_file}",
                         f"--web.listen-address=127.0.0.1:{pair.exporter.port}",
                         f"--storage.path={pair.folder.path}/second")
        equal(second.returncode, 1, "a port in use: " + second.stderr)
        contains(second.stderr, str(pair.exporter.port), "a port in use")


def test_settings_from_the_environment():
    with Folder() as folder, Fake(*TINY) as fake:
        folder.file("token", SECRET)
        config = {"azure": {"resource_manager": fake.url}}
        with Exporter(folder, config, environment={
                "AZURE_TENANT_ID": settings(fake.url, "")["azure"]["tenant_id"],
                "AZURE_CLIENT_ID": settings(fake.url, "")["azure"]["client_id"],
                "AZURE_CLIENT_SECRET": SECRET, "AZURE_AUTHORITY_HOST": fake.url,
                "DEFENDER_EXPORTER_LOG_FORMAT": "json"}) as exporter:
            exporter.wait_ready()
            contains(exporter.log, '"msg":', "log format by environment")


def test_one_collection():
    with Pair() as pair:
        pair.exporter.wait_ready()
        want = pair.exporter.metrics()
        result = command("run", "--once", f"--config.file={pair.exporter.config_file}",
                         f"--storage.path={pair.folder.path}/once")
        equal(result.returncode, 0, "run --once: " + result.stderr)
        contains(result.stdout, "defender_findings{", "run --once")
        wanted = [line for line in want.text.splitlines() if line.startswith("defender_findings{")]
        got = [line for line in result.stdout.splitlines() if line.startswith("defender_findings{")]
        equal(got, wanted, "findings of run --once and of a scrape")
        points = until("potential points of the service",
                       lambda: potential_points(pair.exporter.metrics().text))
        equal(potential_points(result.stdout), points, "potential points")


def potential_points(text):
    return [line for line in text.splitlines()
            if line.startswith("defender_assessment_potential_points{")]


def test_one_collection_beside_the_service():
    """Same configuration, same folder: it reads Azure, tells nobody and leaves the folder alone."""
    with Sink() as sink:
        alerts = {"receivers": [{"name": "team", "webhook": {
            "url": sink.url, "http": {"allow_private": True}}}], "route": {"receiver": "team"}}
        with Pair(alerts=alerts) as pair:
            pair.exporter.wait_ready()
            arguments = ("run", "--once", f"--config.file={pair.exporter.config_file}",
                         f"--storage.path={pair.folder.path}")
            until("the first run's message", sink.taken)
            beside = command(*arguments)
            equal(beside.returncode, 0, "beside the service: " + beside.stderr)
            contains(beside.stdout, "defender_findings{", "metrics beside the service")
            equal(bool(potential_points(beside.stdout)), True, "potential points beside it")
            contains(beside.stderr, "nobody is notified", "said")
            refused = command(*arguments, "--notify")
            equal(refused.returncode != 0, True, "--notify beside the service is refused")
            contains(refused.stderr, "in use", "why it is refused")
            pair.exporter.stop()
            before, files = len(sink.taken()), sorted(os.listdir(pair.folder.path))
            equal(command(*arguments).returncode, 0, "after the service")
            equal(len(sink.taken()), before, "messages of run --once")
            equal(sorted(os.listdir(pair.folder.path)), files, "files")


def test_too_many_requests():
    with Pair("--web.max-requests=1") as pair:
        exporter = pair.exporter.wait_ready()
        statuses = []

        def scrape():
            statuses.append(fetch(exporter.url + "/metrics").status)
        threads = [threading.Thread(target=scrape) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(set(statuses) <= {200, 503}, True, f"statuses {set(statuses)}")
        equal(200 in statuses, True, "some scrapes get through")
        equal(os.path.exists(f"/proc/{exporter.process.pid}"), True, "still there")


run(globals())
