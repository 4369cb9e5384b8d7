"""What the integration tests share: programs by process id, waiting by polling, expositions.

A test is a script with functions called test_*; run(globals()) calls them in order and exits 1 when
one failed, 77 when it had to be skipped.
"""
import gzip
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

EXPORTER = os.environ.get("DEFENDER_EXPORTER", "build/release/defender_exporter")
FAKE_AZURE = os.environ.get("FAKE_AZURE", "build/release/fake_azure")
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
# Queries that advanced hunting is asked, which has other tables than Resource Graph.
HUNTED = ("exposure_nodes.kql",)
SHARED = os.environ.get("DEFENDER_SHARED", os.path.join(ROOT, "../shared"))
# Sanitizers and valgrind make everything slower: deadlines are stretched, never shortened.
SLOWNESS = float(os.environ.get("SLOWNESS", "1"))
# What takes long or needs more than a compiler runs only when everything was asked for.
ALL = os.environ.get("TESTS_ALL") == "1"

TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "66666666-7777-4888-8999-000000000000"
SECRET = "s3cr3t-of-the-stand-in~never.printed"


class Skip(Exception):
    pass


def run(names):
    """Run every test_* of a module; exit with the verdict."""
    wanted = sys.argv[1:]
    failed, skipped, count = 0, [], 0
    for name, test in list(names.items()):
        if not name.startswith("test_") or (wanted and name not in wanted):
            continue
        count += 1
        began = time.monotonic()
        try:
            test()
            verdict = "ok    "
        except Skip as reason:
            verdict = "skip  "
            skipped.append(f"{name}: {reason}")
        except Exception:  # whatever it was, the other tests still run
            traceback.print_exc(file=sys.stdout)
            verdict = "FAILED"
            failed += 1
        print(f"{verdict} {name} ({time.monotonic() - began:.1f} s)", flush=True)
    for reason in skipped:
        print("skipped: " + reason)
    print(f"{count} tests, {failed} failed, {len(skipped)} skipped")
    sys.exit(1 if failed or not count else 77 if len(skipped) == count else 0)


def until(what, check, seconds=20, pause=0.02, told=lambda: ""):
    """Poll check() until it gives something true; what and told(): for the message when it never
    does."""
    end = time.monotonic() + seconds * SLOWNESS
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"gave up after {seconds * SLOWNESS:.0f} s waiting for: {what} "
                                 f"{told()}".rstrip())
        time.sleep(pause)


def documents():
    """What users read: {path: text} of the README and docs."""
    names = sorted(os.listdir(os.path.join(ROOT, "docs")))
    paths = ["README.md"] + ["docs/" + name for name in names if name.endswith(".md")]
    texts = {}
    for path in paths:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            texts[path] = file.read()
    return texts


def equal(got, want, what):
    if got == want:
        return
    if isinstance(got, dict) and isinstance(want, dict):
        keys = sorted((k for k in got.keys() | want.keys() if got.get(k) != want.get(k)), key=str)
        lines = [f"  {k}: got {got.get(k)}, want {want.get(k)}" for k in keys[:12]]
        raise AssertionError(f"{what}: {len(keys)} differ\n" + "\n".join(lines))
    raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def contains(text, part, what):
    if part not in text:
        raise AssertionError(f"{what}: no {part!r} in:\n{text[-3000:]}")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        body = self.body
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return body.decode()

    def json(self):
        return json.loads(self.text)


def fetch(url, method="GET", body=None, headers=None, seconds=30):
    """One request on a connection of its own, to whoever answers; any status is an answer."""
    parts = urllib.parse.urlsplit(url)
    kind, more = http.client.HTTPConnection, {}
    if parts.scheme == "https":
        kind = http.client.HTTPSConnection
        more = {"context": ssl._create_unverified_context()}
    connection = kind(parts.hostname, parts.port, timeout=seconds * SLOWNESS, **more)
    try:
        path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


class Folder:
    """A temporary folder that goes when the block ends."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="defender_exporter_test_")
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name, content):
        path = os.path.join(self.path, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content, indent=1))
        return path


class Program:
    """A child process whose output goes to a file, ended by its own process id."""

    def __init__(self, command, environment=None, pass_fds=()):
        self.output = tempfile.NamedTemporaryFile(prefix="defender_exporter_log_", mode="w+b")
        self.command = [str(c) for c in command]
        self.ended = False  # by a test that looked at the status itself
        inherited = {k: v for k, v in os.environ.items()
                     if not re.match(r"AZURE_|DEFENDER_EXPORTER_|IDENTITY_|IMDS_|HTTPS?_PROXY|"
                                     r"https?_proxy|OTEL_|NOTIFY_SOCKET", k)}
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT,
            pass_fds=pass_fds, env={**inherited, **(environment or {})})

    @property
    def log(self):
        with open(self.output.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    @property
    def alive(self):
        return self.process.poll() is None

    def wait_for(self, pattern, seconds=20):
        """The match of a pattern in the output, as soon as it is there."""
        def look():
            found = re.search(pattern, self.log)
            if not found and not self.alive:
                raise AssertionError(f"{self.command[0]} ended with {self.process.returncode} "
                                     f"before {pattern!r}:\n{self.log[-3000:]}")
            return found
        try:
            return until(f"{pattern!r} from {self.command[0]}", look, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log[-3000:]}") from None

    def send(self, number):
        os.kill(self.process.pid, number)

    def stop(self, number=signal.SIGTERM, seconds=20):
        """Exit status; SIGKILL (and a failed test) when it does not end."""
        self.ended = True
        if self.alive:
            self.send(number)
        try:
            return self.process.wait(seconds * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.command[0]} did not end:\n{self.log[-3000:]}") from None

    def wait_end(self, seconds=20):
        """Exit status of a program that ends by itself."""
        self.ended = True
        until(f"the end of {self.command[0]}", lambda: not self.alive, seconds)
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, kind, *unused):
        unasked = not self.ended
        try:
            status = self.stop()
            if unasked and status not in (0, -signal.SIGTERM) and not kind:
                raise AssertionError(f"{self.command[0]} ended with {status}:\n{self.log[-6000:]}")
        finally:
            if kind and kind is not Skip:
                print(f"--- {' '.join(self.command)}\n{self.log[-6000:]}---")
            self.output.close()


def collectors():
    """The names of all that are built in."""
    table = subprocess.run([EXPORTER, "rights"], capture_output=True, text=True, check=True,
                           stdin=subprocess.DEVNULL).stdout
    return set(re.findall("^[|] `([a-z_]+)`", table, re.MULTILINE))


def memory_kb(pid, field="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(rf"^{field}:\s+(\d+) kB", file.read(), re.M).group(1))


# --- expositions -------------------------------------------------------------------------------

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:\\.|[^"\\])*)"(?:,|$)')
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Metrics:
    """A text exposition: samples by name, each a dictionary of labels and a value."""

    def __init__(self, text):
        self.text = text
        self.samples = {}
        self.types = {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.types[name] = kind
            if line.startswith("#") or not line:
                continue
            found = SAMPLE.match(line)
            if not found:
                raise AssertionError("not a sample: " + line)
            labels = {m.group(1): re.sub(r'\\[\\"n]', lambda e: ESCAPES[e.group(0)], m.group(2))
                      for m in LABEL.finditer(found.group(2) or "")}
            self.samples.setdefault(found.group(1), []).append((labels, float(found.group(3))))

    def all(self, name, **where):
        return [(labels, value) for labels, value in self.samples.get(name, [])
                if all(labels.get(k) == v for k, v in where.items())]

    def sum(self, name, **where):
        return sum(value for _, value in self.all(name, **where))

    def one(self, name, **where):
        found = self.all(name, **where)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} samples of {name}{where}, want one")
        return found[0][1]

    def table(self, name, *by):
        """{(label values): value} of one family; two equal rows are a failure."""
        result = {}
        for labels, value in self.all(name):
            key = tuple(labels[b] for b in by)
            result[key] = result.get(key, 0) + value
        return result


# --- the two programs --------------------------------------------------------------------------

class Fake(Program):
    """The stand-in for Azure, listening on a port of its own choice."""

    def __init__(self, *arguments, environment=None):
        super().__init__([FAKE_AZURE, "--port", "0", "--secret", SECRET, "--tenant-id", TENANT,
                          "--client-id", CLIENT, *arguments], environment)
        self.url = self.wait_for(r"listening on (https?://\S+)").group(1)

    def admin(self, path, method="GET", body=None):
        answer = fetch(f"{self.url}/_fake/{path}", method, body)
        if answer.status >= 300:
            raise AssertionError(f"{method} /_fake/{path}: {answer.status} {answer.text}")
        return answer.json()

    def fault(self, spec):
        self.admin("fault", "POST", spec)

    def heal(self):
        self.admin("faults", "DELETE")

    def requests(self, label):
        """How many requests it got at an endpoint: graph, assessments, token ..."""
        return self.admin("stats")["endpoints"].get(label, {}).get("requests", 0)


# Below what the system gives to connections: a port of those may be taken before a program listens.
PORTS = range(20000, 32768)
PORT_LOCKS = []


def free_port():
    """A port nobody else gets as long as this process lives, so that a program may start again."""
    for port in random.sample(PORTS, len(PORTS)):
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0defender_exporter_port_{port}")  # a name, no file
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        PORT_LOCKS.append(lock)
        return port
    raise AssertionError("no port is free")


def settings(fake_url, secret_file, collectors=None, **more):
    """A configuration that reads the stand-in; JSON is YAML."""
    return {
        "azure": {"tenant_id": TENANT, "client_id": CLIENT, "client_secret_file": secret_file,
                  "authority_host": fake_url, "resource_manager": fake_url,
                  "microsoft_graph": fake_url, "endpoint_api": fake_url},
        "collectors": collectors or {},
        "collector": {"max_staleness": "1h"},  # however slow the machine is
        **more,
    }


class Exporter(Program):
    """The exporter with a configuration and storage of its own."""

    def __init__(self, folder, config, *arguments, environment=None, prefix=(), pass_fds=()):
        self.config_file = folder.file("defender_exporter.yml", config)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__([*prefix, EXPORTER, f"--config.file={self.config_file}",
                          f"--web.listen-address=127.0.0.1:{self.port}",
                          f"--storage.path={folder.path}", *arguments], environment, pass_fds)

    def get(self, path, **options):
        return fetch(self.url + path, **options)

    def metrics(self, query=""):
        answer = self.get("/metrics" + query)
        equal(answer.status, 200, "status of /metrics")
        return Metrics(answer.text)

    def answers(self):
        """True as soon as the web server answers; a dead process is a failure."""
        if not self.alive:
            raise AssertionError(f"the exporter ended with {self.process.returncode}:\n{self.log}")
        try:
            return self.get("/-/healthy").status == 200
        except OSError:
            return False

    def wait_answering(self):
        until("the web server", self.answers)
        return self

    def wait_ready(self, seconds=60):
        self.wait_answering()
        try:
            until("/-/ready", lambda: self.get("/-/ready").status == 200, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log[-3000:]}") from None
        return self

    def wait_metric(self, what, check, seconds=20):
        """The first exposition for which check(metrics) is true."""
        last = []

        def look():
            last[:] = [self.metrics()]
            return last[0] if check(last[0]) else None
        try:
            return until(what, look, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log[-2000:]}") from None
