#!/usr/bin/env python3
"""Who may write, over real sockets: this machine, others, proxies, pages of other sites."""
import datetime
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import threading

from harness import (EXPORTER, SECRET, SLOWNESS, Exporter, Folder, contains, equal, free_port,
                      run, settings, until)
from sink import Sink, receiver
from webconfig import login, users

JSON = "application/json"
SILENCES = "/api/v2/silences"


def execute(*words):
    """A command of the program."""
    return subprocess.run([EXPORTER, *words], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=30 * SLOWNESS)


def silence(risk="low", hours=1):
    """A silence as amtool sends it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return json.dumps({
        "matchers": [{"name": "risk_level", "value": risk, "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(), "createdBy": "tester", "comment": "why",
        "endsAt": (now + datetime.timedelta(hours=hours)).isoformat()})


class Bench:
    """An exporter that finds no Azure: nothing of this needs any."""

    def __init__(self, *arguments, alerts=None, logins="", **web):
        self.arguments, self.alerts, self.web = arguments, alerts or {}, web
        self.logins = logins

    def __enter__(self):
        self.folder = Folder().__enter__()
        self.open_port = free_port()  # on all addresses, IPv4 and IPv6
        self.local = os.path.join(self.folder.path, "web.sock")
        web = dict(self.web)
        if self.logins:
            web["config_file"] = self.folder.file("web.yml", self.logins)
        config = settings(f"http://127.0.0.1:{free_port()}", self.folder.file("secret", SECRET),
                          web=web, alerts=self.alerts)
        self.exporter = Exporter(self.folder, config, "--web.enable-lifecycle",
                                 f"--web.listen-address=:{self.open_port}",
                                 f"--web.listen-address=unix:{self.local}",
                                 *self.arguments).__enter__()
        self.exporter.wait_for("who can write")
        return self

    def __exit__(self, *why):
        self.exporter.__exit__(*why)
        self.folder.__exit__(*why)

    def ask(self, headers, method="POST", path=SILENCES, body=None, address="127.0.0.1", port=None,
            version="HTTP/1.1"):
        """Exactly these headers, and what the connection needs; status and text."""
        body = silence() if body is None and path == SILENCES else body or ""
        lines = [f"{method} {path} {version}", *(f"{k}: {v}" for k, v in headers),
                 f"Content-Length: {len(body)}", "Connection: close", "", body]
        if address == "unix":
            link = socket.socket(socket.AF_UNIX)
            link.settimeout(30 * SLOWNESS)
            link.connect(self.local)
        else:
            link = socket.create_connection((address, port or self.exporter.port),
                                            timeout=30 * SLOWNESS)
        with link:
            link.sendall("\r\n".join(lines).encode())
            answer = http.client.HTTPResponse(link)
            answer.begin()
            return answer.status, answer.read().decode()

    def silences(self):
        return len(self.exporter.get(SILENCES).json())


def host(bench, name="127.0.0.1"):
    return ("Host", f"{name}:{bench.exporter.port}")


def test_without_users_this_machine_writes():
    with Bench() as bench:
        kind = ("Content-Type", JSON)
        here = host(bench)
        equal(bench.silences(), 0, "silences before")
        for headers in ([here, kind], [host(bench, "localhost"), kind], [("Host", "[::1]"), kind],
                        [here, kind, ("Origin", f"http://127.0.0.1:{bench.exporter.port}"),
                         ("Sec-Fetch-Site", "same-origin")]):
            status, text = bench.ask(headers)
            equal(status, 200, f"{headers}: {text}")
        equal(bench.silences(), 4, "silences made")
        for address in ("127.0.0.1", "::1"):  # IPv4 comes as ::ffff:127.0.0.1 here
            status, text = bench.ask([("Host", "localhost"), kind], address=address,
                                     port=bench.open_port)
            equal(status, 200, f"over {address}: {text}")
        for one in bench.exporter.get(SILENCES).json():
            equal(bench.ask([here], "DELETE", "/api/v2/silence/" + one["id"], "")[0], 200, "DELETE")
        equal(bench.ask([here], path="/-/reload")[0], 200, "reload")
        contains(bench.exporter.log, "this machine may write", "the start says who may")


def refusals(bench):
    """What is sent, and what has to be said about it."""
    here, kind = host(bench), ("Content-Type", JSON)
    evil = ("Origin", "https://evil.example")
    return [
        ("DNS rebinding", [("Host", f"evil.example:{bench.exporter.port}"), kind,
                           ("Origin", f"http://evil.example:{bench.exporter.port}"),
                           ("Sec-Fetch-Site", "same-origin")], 403, "Host"),
        ("DNS rebinding without a word", [("Host", "evil.example"), kind], 403, "Host"),
        ("two Hosts", [here, ("Host", "evil.example"), kind], 403, "Host"),
        ("cross-site text", [here, evil, ("Content-Type", "text/plain")], 403, "site"),
        ("cross-site JSON", [here, evil, kind], 403, "site"),
        ("cross-site form", [here, evil, ("Content-Type", "application/x-www-form-urlencoded"),
                             ("Sec-Fetch-Site", "cross-site")], 403, "site"),
        ("a page of another port", [here, kind, ("Sec-Fetch-Site", "same-site")], 403, "site"),
        ("a sandboxed page", [here, kind, ("Origin", "null")], 403, "site"),
        ("text of an old browser", [here, ("Content-Type", "text/plain")], 415, JSON),
        ("a form of an old browser", [here, ("Content-Type", "multipart/form-data")], 415, JSON),
        ("no type", [here], 415, JSON),
        *((name, [here, kind, (name, "10.0.0.7")], 403, "proxy")
          for name in ("X-Forwarded-For", "x-forwarded-proto", "Forwarded", "X-Real-IP", "Via")),
    ]


def test_strangers_are_told_why_not():
    with Bench() as bench:
        for what, headers, status, word in refusals(bench):
            got, text = bench.ask(headers)
            # two Hosts: the library itself may refuse them
            if what == "two Hosts" and got == 400:
                continue
            equal(got, status, f"{what}: {text}")
            contains(text, word, what)
            equal(text.count("\n"), 1, f"lines about {what}")
        for method, path in (("DELETE", "/api/v2/silence/x"), ("POST", "/-/reload"),
                             ("PUT", "/-/reload"), ("POST", "/-/quit")):
            for headers in ([("Host", "evil.example")], [host(bench), ("Origin", "null")],
                            [host(bench), ("X-Forwarded-For", "10.0.0.7")]):
                equal(bench.ask(headers, method, path)[0], 403, f"{method} {path} {headers}")
        equal(bench.ask([host(bench)], path="/-/reload", version="HTTP/1.0")[0], 403, "HTTP/1.0")
        equal(bench.ask([], path="/-/reload", version="HTTP/1.0")[0], 403, "no Host")
        equal(bench.silences(), 0, "silences made")
        assert "msg=reloaded" not in bench.exporter.log, "a refused reload"
        contains(bench.exporter.log, "a write was refused", "the log")
        contains(bench.exporter.log, "peer=127.0.0.1", "the log")


def own_addresses():
    """Addresses of this machine that are not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        try:
            link.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return []
        address = link.getsockname()[0]
        return [] if address.startswith("127.") else [address]


def test_other_machines_only_read():
    with Bench() as bench:
        for address in own_addresses():
            headers = [("Host", f"localhost:{bench.open_port}"), ("Content-Type", JSON)]
            status, text = bench.ask(headers, address=address, port=bench.open_port)
            equal(status, 403, text)
            contains(text, "only this machine", address)
            equal(bench.ask(headers, "GET", address=address, port=bench.open_port)[0], 200, "GET")
        equal(bench.silences(), 0, "silences made")


class Sidecar(http.server.BaseHTTPRequestHandler):
    """A proxy beside the exporter, as ingresses and meshes have them."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        link = http.client.HTTPConnection("127.0.0.1", self.server.target,
                                          timeout=30 * SLOWNESS)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {**self.headers, **self.server.says}
        link.request("POST", self.path, body, headers)
        answer = link.getresponse()
        text = answer.read()
        link.close()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_unused):
        pass


def through_sidecar(bench, says):
    server = http.server.HTTPServer(("127.0.0.1", 0), Sidecar)
    server.target, server.says = bench.exporter.port, says
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        return bench.ask([("Host", "defender.example"), ("Content-Type", JSON)],
                         port=server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_sidecar_speaks_for_others():
    with Bench() as bench:
        for says in ({"X-Forwarded-For": "203.0.113.9", "Host": "localhost"},
                     {"X-Forwarded-For": "203.0.113.9"}, {}):
            status, text = through_sidecar(bench, says)
            equal(status, 403, f"{says}: {text}")
        equal(bench.silences(), 0, "silences made")
    with Bench(external_url="http://localhost:9887") as bench:  # no way in for others
        equal(bench.ask([host(bench), ("Content-Type", JSON)])[0], 200, "this machine's own URL")
        equal(through_sidecar(bench, {"Via": "1.1 x"})[0], 403, "a sidecar all the same")
    with Bench(external_url="https://defender.example") as bench:
        status, text = through_sidecar(bench, {"Host": f"127.0.0.1:{bench.exporter.port}"})
        equal(status, 403, text)
        contains(text, "external URL", "what to do")


def test_a_unix_socket_is_this_machine():
    with Bench(external_url="https://defender.example") as bench:
        kind = ("Content-Type", JSON)
        for headers in ([("Host", "localhost"), kind], [("Host", "any.example"), kind],
                        [("Host", "x"), kind, ("X-Forwarded-For", "10.0.0.7")]):
            status, text = bench.ask(headers, address="unix")
            equal(status, 200, f"{headers}: {text}")
        equal(bench.ask([("Host", "x"), kind, ("Origin", "https://evil.example")],
                        address="unix")[0], 403, "a page of another site")
        equal(bench.ask([host(bench), kind])[0], 403, "over loopback")
        equal(bench.silences(), 3, "silences made")
        until("the log", lambda: bench.exporter.log.count('peer="unix socket"') >= 3)
        if shutil.which("curl"):
            done = subprocess.run(["curl", "-s", "--unix-socket", bench.local, "-X", "POST",
                                   "http://localhost/-/reload"], capture_output=True, text=True,
                                  check=False, timeout=30 * SLOWNESS)
            contains(done.stdout, "reloaded", "curl --unix-socket")


def test_users_have_rights():
    rights = {"alice": "write", "grafana": "read"}
    with Bench(logins=users(alice="a", grafana="g", bob="b"), users=rights) as bench:
        contains(bench.exporter.log, "alice may write", "the start says who may")

        def ask(name, *more, **options):
            headers = [("Host", "defender.example"), ("Content-Type", JSON), *more]
            if name:
                headers += login(name, name[0]).items()
            return bench.ask(headers, **options)
        for address in ("127.0.0.1", "unix", *own_addresses()):
            where = {"address": address, "port": bench.open_port}
            proxy = ("X-Forwarded-For", "10.0.0.7")
            equal(ask("alice", **where)[0], 200, f"who may write, over {address}")
            equal(ask("alice", proxy, **where)[0], 200, f"through a proxy, over {address}")
            for name in ("grafana", "bob"):
                status, text = ask(name, **where)
                equal(status, 403, f"{name} over {address}")
                contains(text, "web.users", f"what {name} is told")
                equal(ask(name, method="GET", **where)[0], 200, f"{name} reads")
            equal(ask("", **where)[0], 401, f"nobody over {address}")
            equal(ask("alice", ("Origin", "https://evil.example"), **where)[0], 403, "cross-site")
        until("the log", lambda: "peer=alice" in bench.exporter.log)
        contains(bench.exporter.log, "author=tester peer=alice", "who made it")
        contains(bench.exporter.log, "user=grafana", "who was refused")


def test_read_only_means_nobody():
    with Bench("--web.read-only") as bench:
        headers = [host(bench), ("Content-Type", JSON)]
        status, text = bench.ask(headers)
        equal(status, 403, text)
        contains(text, "--web.read-only", "why")
        equal(bench.ask([host(bench)], path="/-/reload")[0], 403, "reload")
        contains(bench.exporter.log, "nobody may write", "the start says who may")
        made = execute("silence", "add", "risk_level=low",
                       f"--config.file={bench.exporter.config_file}",
                       f"--storage.path={bench.folder.path}")
        equal(made.returncode, 0, "a command of our own: " + made.stderr)
        equal(bench.silences(), 1, "silences")


def test_a_reload_changes_who_may():
    with Bench() as bench:
        headers = [host(bench), ("Content-Type", JSON)]
        equal(bench.ask(headers)[0], 200, "before")
        with open(bench.exporter.config_file, encoding="utf-8") as file:
            config = json.load(file)
        config["web"] = {"read_only": True}
        bench.folder.file("defender_exporter.yml", config)
        bench.exporter.send(signal.SIGHUP)
        until("the reload", lambda: bench.ask(headers)[0] == 403)
        equal(bench.exporter.log.count("who can write"), 2, "at the start and when it changed")
        bench.exporter.send(signal.SIGHUP)
        until("a reload of the same", lambda: bench.exporter.log.count("msg=reloaded") == 2)
        equal(bench.exporter.log.count("who can write"), 2, "and not again")


def test_silences_have_limits():
    limits = {"silences": {"max_duration": "1d", "never": ['risk_level="critical"']}}
    with Bench(alerts=limits) as bench:
        headers = [host(bench), ("Content-Type", JSON)]
        equal(bench.ask(headers)[0], 200, "within the limits")
        for body, words in ((silence("critical"), "never silenced"), (silence(hours=25), "1d")):
            status, text = bench.ask(headers, body=body)
            equal(status, 400, text)
            contains(text, words, "why not")
        for words, why in ((["alertname=x"], 'risk_level!=\"critical\"'),
                           (["risk_level=low", "--duration=25h"], "1d")):
            done = execute("silence", "add", *words,
                           f"--config.file={bench.exporter.config_file}",
                           f"--storage.path={bench.folder.path}")
            equal(done.returncode, 1, f"{words}: {done.stdout}")
            contains(done.stderr, why.replace("\\", ""), "why not")
            if shutil.which("amtool"):
                done = subprocess.run(
                    ["amtool", f"--alertmanager.url={bench.exporter.url}", "silence", "add",
                     "--comment=x", "--author=tester", *words], capture_output=True, text=True,
                    check=False, stdin=subprocess.DEVNULL, timeout=30 * SLOWNESS)
                equal(done.returncode != 0, True, f"amtool {words}")
                contains(done.stderr + done.stdout, why.split("!")[0], "amtool says why")
        equal(bench.silences(), 1, "silences made")


def test_what_people_do_is_told_once():
    with Sink() as sink, Bench(alerts={
            "receivers": [receiver(sink)], "audit": {"receiver": "team"}}) as bench:
        acts = {a: 0 for a in ("silence_created", "silence_changed", "silence_expired",
                               "outbox_retried", "outbox_dropped", "reload", "reload_failed")}

        def counted():
            return {labels["action"]: value for labels, value in bench.exporter.metrics().all(
                "defender_exporter_audit_events_total")}
        equal(counted(), acts, "from the first scrape")
        here = [host(bench), ("Content-Type", JSON)]
        made = json.loads(bench.ask(here)[1])["silenceID"]
        equal(bench.ask(here, "DELETE", "/api/v2/silence/" + made, "")[0], 200, "the end")
        equal(bench.ask(here, path="/-/reload")[0], 200, "the reload")
        done = execute("silence", "add", "risk_level=low", "--author=carol",
                       f"--config.file={bench.exporter.config_file}",
                       f"--storage.path={bench.folder.path}")
        equal(done.returncode, 0, done.stderr)
        bench.exporter.send(signal.SIGHUP)
        acts.update(silence_created=2, silence_expired=1, reload=2)
        until("all of it counted", lambda: counted() == acts, 40)

        def texts():
            return "\n".join(m["body"]["data"]["text"] for m in sink.taken()
                             if m["body"]["type"] == "audit")
        until("all of it told", lambda: texts().count("\n") == 4, 40)
        for words in ('silence created by tester (127.0.0.1): {risk_level="low"}',
                      'silence ended from 127.0.0.1: {risk_level="low"} of tester',
                      "configuration reloaded from 127.0.0.1",
                      "silence created by carol (command line)",
                      "configuration reloaded from signal"):
            equal(texts().count(words), 1, words)
        for words in ('level=INFO', 'msg="silence created" author=tester peer=127.0.0.1',
                      'msg="silence created" author=carol peer="command line"',
                      'msg="silence ended"', 'msg="configuration reloaded"'):
            contains(bench.exporter.log, words, "the log")


def test_check_config_says_who_may():
    cases = [({}, 0, "this machine may write"),
             ({"read_only": True}, 0, "nobody may write"),
             ({"external_url": "https://defender.example"}, 0, "who may use a unix socket"),
             ({"external_url": "http://localhost:9887"}, 0, "this machine may write"),
             ({"users": {"alice": "write"}}, 2, "alice is no user"),
             ({"users": {"alice": "wride"}}, 2, "read or write")]
    with Folder() as folder:
        for web, status, words in cases:
            config = settings("http://127.0.0.1:1", folder.file("secret", SECRET), web=web)
            path = folder.file("config.yml", config)
            done = execute("check", "config", path)
            equal(done.returncode, status, f"{web}: {done.stdout}{done.stderr}")
            contains(done.stdout + done.stderr, words, f"{web}")


if __name__ == "__main__":
    run(globals())
