#!/usr/bin/env python3
"""The web configuration file: TLS, client certificates, logins, headers, rate, read again."""
import base64
import ctypes
import ctypes.util
import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import threading
import time

from certificates import Authority
from harness import (ALL, EXPORTER, SECRET, SLOWNESS, Answer, Exporter, Folder, Metrics, Program,
                     Skip, contains, documents, equal, fetch, free_port, run, settings, until)

LOGINS = "defender_exporter_http_logins_total"
CLEAR = "warning: web.config_file: users log in without TLS"
PAIR = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"


def bcrypt(password, cost=4):
    """As htpasswd -B makes it."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt"))
    library.crypt.restype = ctypes.c_char_p
    salt = f"$2y${cost:02d}$abcdefghijklmnopqrstuu"
    return library.crypt(password.encode(), salt.encode()).decode()


def users(cost=4, **passwords):
    lines = [f"  {name}: {bcrypt(password, cost)}\n" for name, password in passwords.items()]
    return "basic_auth_users:\n" + "".join(lines)


def login(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


class Site:
    """An exporter with a web configuration file; it finds no Azure, nothing of this needs any."""

    def __init__(self, text, *arguments, encrypted=False, **web):
        self.text, self.arguments, self.web = text, arguments, web
        self.encrypted = encrypted

    def __enter__(self):
        self.folder = Folder().__enter__()
        if self.encrypted:
            self.authority = Authority(self.folder)
            self.authority.issue("server")
        self.write(self.text)
        config = settings(f"http://127.0.0.1:{free_port()}", self.folder.file("secret", SECRET),
                          web={"config_file": "web.yml", **self.web})
        self.exporter = Exporter(self.folder, config, "--web.enable-lifecycle",
                                 *self.arguments).__enter__()
        self.port = self.exporter.port
        self.exporter.wait_for("msg=listening")
        return self

    def __exit__(self, *why):
        self.exporter.__exit__(*why)
        self.folder.__exit__(*why)

    def write(self, text):
        """As editors and Kubernetes do: another file takes the name."""
        path = self.folder.file("web.yml.new", text)
        os.rename(path, os.path.join(self.folder.path, "web.yml"))

    def context(self, shown=None, version=None):
        context = ssl.create_default_context(cafile=self.authority.cert)
        if shown:
            context.load_cert_chain(*shown)
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def connect(self, **more):
        if not self.encrypted:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30 * SLOWNESS)
        return http.client.HTTPSConnection("localhost", self.port, timeout=30 * SLOWNESS,
                                           context=self.context(**more))

    def ask(self, path, headers=None, method="GET", body=None, **more):
        connection = self.connect(**more)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()},
                          answer.read())
        finally:
            connection.close()

    def status(self, path, headers=None, **more):
        return self.ask(path, headers, **more).status

    def metrics(self, headers=None):
        return Metrics(self.ask("/metrics", headers).text)

    def serial(self):
        """The number of the certificate that a new connection gets."""
        connection = self.connect()
        try:
            connection.connect()
            return connection.sock.getpeercert()["serialNumber"]
        finally:
            connection.close()


# --- TLS ---------------------------------------------------------------------------------------

def test_tls():
    with Site(PAIR, encrypted=True) as site:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            equal(site.status("/-/healthy", version=version), 200, str(version))
        connection = site.connect()
        for _ in range(3):  # one connection, several requests, one larger than a record
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            equal(answer.status, 200, "/metrics")
            assert len(answer.read()) > 16384
        equal(connection.sock.version(), "TLSv1.3", "the version chosen")
        connection.close()
        old = site.context()
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", site.port), timeout=30 * SLOWNESS) as link:
            try:
                old.wrap_socket(link, server_hostname="localhost")
                raise AssertionError("TLS 1.1 was spoken")
            except (ssl.SSLError, ConnectionError):
                pass
        expiry = site.metrics().one("defender_exporter_web_certificate_expiry_timestamp_seconds")
        assert 89 * 86400 < expiry - time.time() < 91 * 86400, expiry


def test_plain_http_on_the_tls_port():
    with Site(PAIR, encrypted=True) as site:
        answer = fetch(f"http://127.0.0.1:{site.port}/metrics")
        equal(answer.status, 400, "plain HTTP")
        contains(answer.text, "this port speaks HTTPS", "the answer")
        equal(site.status("/-/healthy"), 200, "who comes after it")


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_half_a_handshake_costs_nothing():
    """A peer that sends half a record and waits: the server waits, too, and does not turn round."""
    with Site(PAIR, encrypted=True) as site:
        equal(site.status("/-/healthy"), 200, "a handshake")
        links = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(20)]
        for link in links:
            link.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        equal(site.status("/-/healthy"), 200, "another one beside them")
        before = processor_seconds(site.exporter.process.pid)
        time.sleep(2)  # what it does while nothing happens is the question
        used = processor_seconds(site.exporter.process.pid) - before
        assert used < 0.15, f"{used} s of processor time in 2 s"
        for link in links:
            link.close()


def refused(site, **more):
    """Whether a handshake, or the first answer after it, is refused."""
    try:
        site.status("/-/healthy", **more)
        return False
    except (ssl.SSLError, ConnectionError, http.client.HTTPException):
        return True


def test_client_certificates():
    text = (PAIR + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
            "  client_allowed_sans: [prometheus.example, 'spiffe://example/p']\n")
    with Site(text, encrypted=True) as site:
        authority = site.authority
        good = authority.issue("good", "DNS:other,DNS:prometheus.example", "clientAuth")
        uri = authority.issue("uri", "URI:spiffe://example/p", "clientAuth")
        wrong = authority.issue("wrong", "DNS:grafana.example", "clientAuth")
        server = authority.issue("as_server", "DNS:prometheus.example", "serverAuth")
        stranger = Authority(site.folder, "other").issue("stranger", "DNS:prometheus.example",
                                                         "clientAuth")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for shown in (good, uri):
                equal(site.status("/-/healthy", shown=shown, version=version), 200, str(shown))
            for shown in (None, wrong, server, stranger):
                assert refused(site, shown=shown, version=version), f"{shown} was let in"


# --- logins ------------------------------------------------------------------------------------

def test_logins():
    with Site(users(alice="secret", bob="pass:word")) as site:
        for path in ("/", "/metrics", "/-/healthy", "/api/v2/status", "/nowhere"):
            answer = site.ask(path)
            equal(answer.status, 401, f"{path} without a login")
            contains(answer.headers["www-authenticate"], "Basic ", path)
        for name, password, status in (("alice", "secret", 200), ("bob", "pass:word", 200),
                                       ("alice", "wrong", 401), ("alice", "", 401),
                                       ("nobody", "secret", 401), ("", "secret", 401),
                                       ("alice", "secret", 200), ("alice:secret", "", 401)):
            equal(site.status("/metrics", login(name, password)), status, f"{name}:{password}")
        equal(site.status("/nowhere", login("alice", "secret")), 404, "a page that is not there")
        equal(site.status("/-/healthy", {"Authorization": "Bearer secret"}), 401, "a bearer")
        def counted():
            counts = site.metrics(login("alice", "secret")).table(LOGINS, "outcome")
            del counts["remembered",]
            return counts == {("accepted",): 2, ("refused",): 5, ("busy",): 0}
        until("logins by outcome", counted)
        contains(site.exporter.log, 'msg="a login was refused" peer=127.0.0.1', "the log")
        warned = [line for line in site.exporter.log.splitlines() if "without TLS" in line]
        equal([("level=WARN" in line, "users log in without TLS" in line) for line in warned],
              [(True, True)], "what the start says of passwords in clear")
        assert "pass:word" not in site.exporter.log


def test_health_without_login():
    with Site(users(alice="secret") + "rate_limit: {interval: 1h, burst: 1}\n",
              "--web.health-without-login") as site:
        for _ in range(3):
            for path in ("/-/healthy", "/healthz", "/livez"):
                equal(site.status(path), 200, path)
            equal(site.status("/-/ready"), 503, "/-/ready")
        equal(site.status("/"), 401, "the page")
        equal(site.status("/"), 429, "the page again")


def test_rights_of_users():
    text = users(alice="secret", bob="other")
    with Site(text, users={"alice": "write", "bob": "read"}) as site:
        for name, password, status in (("alice", "secret", 200), ("bob", "other", 403),
                                       ("alice", "other", 401)):
            equal(site.status("/-/reload", login(name, password), method="POST"), status, name)
        equal(site.status("/-/reload", method="POST", body="x" * 1000), 401, "nobody")
    with Folder() as folder:
        folder.file("web.yml", text)
        file = folder.file("config.yml", {"web": {"config_file": "web.yml",
                                                  "users": {"allice": "write"}}})
        done = command("check", "config", file)
        contains(done.stderr, "allice is no user of the web configuration file", "check config")


def test_a_login_with_a_body_over_tls():
    with Site(PAIR + users(alice="secret"), encrypted=True, users={"alice": "write"}) as site:
        for _ in range(3):
            equal(site.status("/-/reload", login("alice", "secret"), method="POST",
                              body="x" * 20000), 200, "a body while the login is checked")


def test_checks_hold_nobody_up():
    """A check takes about a tenth of a second; whoever is known, or needs no login, goes first."""
    with Site(users(10, alice="secret"), "--web.health-without-login") as site:
        equal(site.status("/metrics", login("alice", "secret")), 200, "the first")
        statuses = []

        def guess(number):
            statuses.append(site.status("/metrics", login("alice", f"guess{number}")))
        threads = [threading.Thread(target=guess, args=(i,)) for i in range(60)]
        for thread in threads:
            thread.start()
        while not statuses:
            equal(site.status("/metrics", login("alice", "secret")), 200, "who is known")
            equal(site.status("/-/healthy"), 200, "a probe")
        for thread in threads:
            thread.join()
        equal(set(statuses) - {503}, {401}, "guesses")
        equal(len(statuses), 60, "answers")
        until("the count of logins that were turned away", lambda: site.metrics(
            login("alice", "secret")).one(LOGINS, outcome="busy") == statuses.count(503))


def test_stop_while_logins_are_checked():
    with Site(users(11, alice="secret")) as site:
        statuses = []

        def guess(number):
            try:
                statuses.append(site.status("/metrics", login("alice", f"guess{number}")))
            except (OSError, http.client.HTTPException):
                statuses.append(0)
        threads = [threading.Thread(target=guess, args=(i,)) for i in range(6)]
        for thread in threads:
            thread.start()
        until("the first answer", lambda: statuses)
        equal(site.exporter.stop(), 0, "the end")
        for thread in threads:
            thread.join()
        assert set(statuses) <= {0, 401}, statuses


# --- headers and rate --------------------------------------------------------------------------

def test_headers():
    policy = "default-src 'self' *.test.example.net"
    text = ("http_server_config:\n  http2: true\n  headers:\n    X-Frame-Options: deny\n"
            "    Strict-Transport-Security: max-age=31536000; includeSubDomains\n"
            "    X-Content-Type-Options: nosniff\n    X-XSS-Protection: 1\n"
            f"    Content-Security-Policy: \"{policy}\"\n" + users(alice="secret"))
    with Site(text) as site:
        contains(site.exporter.log, "HTTP/2 is not spoken", "the start")
        for path, headers, status in (("/", login("alice", "secret"), 200), ("/", None, 401),
                                      ("/nowhere", login("alice", "secret"), 404)):
            connection = site.connect()
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            equal(answer.status, status, path)
            for name, value in (("X-Frame-Options", "deny"), ("X-XSS-Protection", "1"),
                                ("X-Content-Type-Options", "nosniff"),
                                ("Content-Security-Policy", policy),
                                ("Strict-Transport-Security",
                                 "max-age=31536000; includeSubDomains")):
                equal(answer.headers.get_all(name), [value], f"{name} of {path}")
            connection.close()


def test_rate_limit():
    with Site("rate_limit:\n  interval: 1h\n  burst: 5\n") as site:
        equal([site.status("/style.css") for _ in range(7)], [200] * 5 + [429] * 2, "statuses")
        equal(site.ask("/").headers["retry-after"], "1", "Retry-After")
        site.write("rate_limit:\n  interval: 0\n  burst: 0\n")
        until("no limit", lambda: site.status("/style.css") == 200)


# --- read again --------------------------------------------------------------------------------

def test_certificates_are_renewed_without_a_restart():
    with Site(PAIR, encrypted=True) as site:
        successful = "defender_exporter_web_config_last_reload_successful"
        before, kept = site.serial(), site.connect()
        kept.request("GET", "/-/healthy")
        equal(kept.getresponse().read(), b"OK\n", "a connection")
        site.folder.file("server.key", "no key at all")
        site.exporter.wait_for("the web configuration is wrong, the old one stays")
        equal(site.serial(), before, "the certificate while the key is wrong")
        equal(site.metrics().one(successful), 0, successful)
        site.authority.issue("server")  # two files, one after the other
        until("the new certificate", lambda: site.serial() != before)
        equal(site.metrics().one(successful), 1, successful)
        kept.request("GET", "/-/healthy")
        equal(kept.getresponse().read(), b"OK\n", "the connection from before")
        site.write("")
        site.exporter.wait_for("turning TLS on or off needs a restart")
        equal(site.status("/-/healthy"), 200, "TLS goes on")


def test_users_change_without_a_restart():
    with Site(users(alice="secret")) as site:
        old, new = login("alice", "secret"), login("alice", "another")
        equal(site.status("/", old), 200, "the old password")
        site.write(users(alice="another"))
        until("the new password", lambda: site.status("/", new) == 200)
        equal(site.status("/", old), 401, "the old password, which was remembered")
        site.write(users(alice="third"))
        site.exporter.send(signal.SIGHUP)
        site.exporter.wait_for("msg=reloaded")
        equal(site.status("/", login("alice", "third")), 200, "after SIGHUP")
        site.write("basic_auth_users:\n  alice: third\n")
        site.exporter.send(signal.SIGHUP)
        site.exporter.wait_for("reload failed, the old configuration stays.*web.yml:2: "
                               "basic_auth_users.alice: is not a bcrypt hash")
        equal(site.status("/", login("alice", "third")), 200, "with a wrong file")
        equal(site.status("/"), 401, "with a wrong file and no login")
        for password in ("secret", "another", "third"):
            assert bcrypt(password) not in site.exporter.log, "a hash in the log"


# --- commands ----------------------------------------------------------------------------------

def command(*words):
    return subprocess.run([EXPORTER, *words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=30 * SLOWNESS, check=False)


def test_check_web_config():
    with Folder() as folder:
        Authority(folder).issue("server")
        for text, status, words in (
                ("", 0, "is valid: TLS is off, nobody has to log in"),
                (PAIR + users(alice="a", bob="b"), 0, "is valid: TLS is on, 2 users can log in"),
                (users(alice="a"), 0, "is valid: TLS is off, 1 user can log in"),
                (PAIR + "  cert_filse: x\n", 2, "web.yml:4: tls_server_config.cert_filse: unknown"),
                (PAIR.replace(".crt", ".key"), 2, "web.yml:1: tls_server_config: certificate"),
                ("basic_auth_users:\n  john: doe\n", 2, "web.yml:2: basic_auth_users.john")):
            file = folder.file("web.yml", text)
            done = command("check", "web-config", file)
            equal(done.returncode, status, f"{text}: {done.stderr}")
            contains(done.stdout + done.stderr, words, text)
            config = folder.file("config.yml", {"web": {"config_file": "web.yml"}})
            checked = command("check", "config", config)
            equal(checked.returncode, status, "check config")
            equal(CLEAR in checked.stdout, "basic_auth_users" in text and PAIR not in text and
                  not status, f"the warning of {text}")
        done = command(f"--web.config.file={file}", f"--storage.path={folder.path}",
                       "--web.listen-address=127.0.0.1:0")
        equal(done.returncode, 2, "a start with a wrong file")
        contains(done.stderr, "web.yml:2: basic_auth_users.john", "its message")


def test_example_of_the_document():
    """What docs/web.md shows works as it stands."""
    example = re.search(r"^```\n(# TLS.*?)```", documents()["docs/web.md"], re.S | re.M).group(1)
    with Folder() as folder:
        authority = Authority(folder, "clients")
        authority.issue("server")
        done = command("check", "web-config", folder.file("web.yml", example))
        equal(done.returncode, 0, done.stderr)
        contains(done.stdout, "TLS is on, clients show a certificate, 1 user can log in", "words")


# --- unix sockets ------------------------------------------------------------------------------

def test_unix_socket():
    """Its permissions guard it: no TLS, no certificate, but a login where there are users."""
    if not shutil.which("curl"):
        raise Skip("no curl on this machine")
    with Folder() as place:
        path = os.path.join(place.path, "web.sock")
        text = (PAIR + "  client_auth_type: RequireAndVerifyClientCert\n"
                "  client_ca_file: ca.pem\n" + users(alice="secret"))
        with Site(text, f"--web.listen-address=unix:{path}", encrypted=True,
                  users={"alice": "write"}):
            def curl(*words):
                until("the socket", lambda: os.path.exists(path))
                done = subprocess.run(
                    ["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "--unix-socket", path,
                     "http://localhost/-/reload", *words], stdin=subprocess.DEVNULL, text=True,
                    capture_output=True, timeout=60 * SLOWNESS, check=False)
                return done.stdout
            equal(curl("-X", "POST"), "401", "nobody")
            equal(curl("-X", "POST", "-u", "alice:secret"), "200", "a user")


# --- real programs -----------------------------------------------------------------------------

def client_config(site, name, password):
    """What clients of Prometheus' family read."""
    return ("basic_auth:\n  username: {}\n  password: {}\ntls_config:\n  ca_file: {}\n"
            "  server_name: localhost\n").format(name, password, site.authority.cert)


def test_amtool():
    if not shutil.which("amtool"):
        raise Skip("amtool is not installed (package prometheus-alertmanager)")
    with Site(PAIR + users(alice="secret", bob="other"), encrypted=True,
              users={"alice": "write"}) as site:
        def amtool(name, password, *words):
            file = site.folder.file("client.yml", client_config(site, name, password))
            return subprocess.run(
                ["amtool", f"--alertmanager.url=https://localhost:{site.port}",
                 f"--http.config.file={file}", *words], stdin=subprocess.DEVNULL, text=True,
                capture_output=True, timeout=60 * SLOWNESS, check=False)
        silence = ("silence", "add", "risk_level=low", "--comment=why", "--author=tester")
        done = amtool("alice", "secret", *silence)
        equal(done.returncode, 0, f"a silence: {done.stderr}")
        assert amtool("bob", "other", *silence).returncode, "a reader wrote"
        assert amtool("bob", "wrong", "silence", "query").returncode, "a stranger read"
        done = amtool("bob", "other", "silence", "query", "-q")
        equal((done.returncode, len(done.stdout.split())), (0, 1), f"silences: {done.stderr}")


def test_prometheus():
    if not shutil.which("prometheus"):
        raise Skip("no prometheus on this machine")
    with Site(PAIR + users(alice="secret"), encrypted=True) as site:
        client = client_config(site, "alice", "secret").replace("\n", "\n    ")
        port = free_port()
        file = site.folder.file("prometheus.yml", (
            "global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: defender\n"
            f"    scheme: https\n    {client}\n    static_configs:\n"
            f"      - targets: ['localhost:{site.port}']\n"))
        with Program(["prometheus", f"--config.file={file}",
                      f"--storage.tsdb.path={site.folder.path}/tsdb",
                      f"--web.listen-address=127.0.0.1:{port}"]) as prometheus:
            prometheus.wait_for("Server is ready to receive web requests")
            query = f"http://127.0.0.1:{port}/api/v1/query?query=up"

            def is_up():
                return [one["value"][1] for one in fetch(query).json()["data"]["result"]] == ["1"]
            until("the target", is_up, 60)


def test_promtool():
    """What it finds good is good here, too."""
    if not shutil.which("promtool"):
        raise Skip("no promtool on this machine")
    with Folder() as folder:
        Authority(folder).issue("server")
        for text in ("", PAIR, PAIR + users(alice="a"), "http_server_config: {http2: false}\n"):
            file = folder.file("web.yml", text)
            for words in (["promtool"], [EXPORTER]):
                done = subprocess.run([*words, "check", "web-config", file], text=True,
                                      capture_output=True, check=False)
                equal(done.returncode, 0, f"{words[0]}: {done.stdout}{done.stderr}")


def test_testssl():
    """Nothing above LOW, with the certificate of a CA that is trusted."""
    if not ALL:
        raise Skip("testssl takes minutes: scripts/test --all")
    if not shutil.which("testssl"):
        raise Skip("no testssl on this machine (package testssl.sh)")
    with Site(PAIR, encrypted=True) as site:
        for algorithm in ("ec", "rsa"):
            before = site.serial()
            site.authority.issue("server", algorithm=algorithm)
            until("its certificate", lambda known=before: site.serial() != known)
            report = os.path.join(site.folder.path, f"{algorithm}.csv")
            subprocess.run(["testssl", "--quiet", "--color", "0", "--csvfile", report, "--ip",
                            "127.0.0.1", f"--add-ca={site.authority.cert}",
                            f"localhost:{site.port}"], stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=900 * SLOWNESS, check=False)
            with open(report, encoding="utf-8") as file:
                rows = [line.split('","') for line in file.read().splitlines()[1:]]
            assert len(rows) > 100, rows
            worse = [row for row in rows if row[3] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL")]
            equal(worse, [], f"findings of testssl, {algorithm}")


def rank_difference(left, right):
    """How many standard deviations lie between two samples, by their ranks (Mann-Whitney)."""
    ranked = sorted([(value, 0) for value in left] + [(value, 1) for value in right])
    ranks = sum(rank for rank, (_, side) in enumerate(ranked, 1) if side == 0)
    count, other = len(left), len(right)
    expected = count * (count + other + 1) / 2
    return (ranks - expected) / (count * other * (count + other + 1) / 12) ** 0.5


def test_time_does_not_tell_who_exists():
    """2,000 wrong logins in turns: the times for users and those for nobody are not told
    apart."""
    if not ALL:
        raise Skip("2,000 logins are a measurement: scripts/test --all")
    with Site(users(6, alice="secret", bob="other")) as site:
        connection = site.connect()
        times = {"alice": [], "nobody": [], "bob": [], "carol": []}
        for i in range(500):
            for name, taken in times.items():
                began = time.perf_counter()
                connection.request("GET", "/-/healthy", headers=login(name, f"guess{i}"))
                answer = connection.getresponse()
                answer.read()
                taken.append(time.perf_counter() - began)
                equal(answer.status, 401, name)
        there, not_there = times["alice"] + times["bob"], times["nobody"] + times["carol"]
        difference = rank_difference(there, not_there)
        print(f"{statistics.median(there) * 1e3:.3f} ms for a user, "
              f"{statistics.median(not_there) * 1e3:.3f} ms for nobody: {difference:+.2f} sigma")
        assert abs(difference) < 4, difference


def test_costs_do_not_tell_who_exists():
    """Users whose hashes cost 1 and 64: a name nobody has costs as much as one of them does, the
    same each time."""
    if not ALL:
        raise Skip("what a login costs is a measurement: scripts/test --all")
    text = users(4, alice="secret") + users(10, bob="other").replace("basic_auth_users:\n", "")
    with Site(text) as site:
        connection = site.connect()

        def is_dear(name):
            taken = []
            for i in range(4):
                began = time.perf_counter()
                connection.request("GET", "/-/healthy", headers=login(name, f"guess{i}"))
                connection.getresponse().read()
                taken.append(time.perf_counter() - began)
            return min(taken) > 0.02
        equal((is_dear("alice"), is_dear("bob")), (False, True), "users")
        names = [f"nobody{i}" for i in range(12)]
        dear = [is_dear(name) for name in names]
        equal(set(dear), {False, True}, "what names cost that nobody has")
        equal([is_dear(name) for name in names], dear, "the second time")


if __name__ == "__main__":
    run(globals())
