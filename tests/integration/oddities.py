#!/usr/bin/env python3
"""Requests as no client should send them, over raw sockets: each has its answer at once, and the
server goes on."""
import socket

from harness import (SECRET, SLOWNESS, Exporter, Folder, contains, equal, free_port, run, settings,
                     until)

BARE = "Host: localhost\r\n"
HOST = BARE + "Connection: close\r\n"
SMALL = "Content-Length: 2\r\n\r\n{}"
CLOSED = 0  # no answer, but an end


class Bench:
    """An exporter that finds no Azure: nothing of this needs any."""

    def __init__(self, *arguments, healthy="/-/healthy", **web):
        self.arguments, self.healthy, self.web = arguments, healthy, web

    def __enter__(self):
        self.folder = Folder().__enter__()
        config = settings(f"http://127.0.0.1:{free_port()}", self.folder.file("secret", SECRET),
                          web=self.web)
        self.exporter = Exporter(self.folder, config, *self.arguments).__enter__()
        until("the web server", lambda: self.status(get(self.healthy)) == 200)
        return self

    def __exit__(self, *why):
        self.exporter.__exit__(*why)
        self.folder.__exit__(*why)

    def send(self, text):
        """All that is answered until the end: "" when there is nothing."""
        with socket.create_connection(("127.0.0.1", self.exporter.port),
                                      timeout=60 * SLOWNESS) as link:
            try:
                link.sendall(text.encode("latin-1"))
            except OSError:
                pass  # it did not want to read that much
            got = b""
            try:
                while True:
                    more = link.recv(65536)
                    if not more:
                        return got.decode("latin-1")
                    got += more
            except ConnectionError:
                return got.decode("latin-1")

    def status(self, text):
        try:
            answer = self.send(text)
        except ConnectionRefusedError:
            return CLOSED
        return int(answer.split(" ", 2)[1]) if answer.startswith("HTTP/1.1 ") else CLOSED


def head(target="/metrics", method="GET", version="HTTP/1.1", headers=HOST):
    return f"{method} {target} {version}\r\n{headers}"


def get(target="/metrics", **more):
    return head(target, **more) + "\r\n"


def post(headers, host=HOST):
    kind = "Content-Type: application/json\r\n"
    return head("/api/v2/silences", method="POST", headers=host + kind) + headers


TABLE = (
    # targets
    ("path", get(), 200),
    ("URL", get("http://localhost/metrics"), 200),
    ("URL of another Host", get("http://elsewhere/metrics"), 400),
    ("URL of another scheme", get("ftp://localhost/metrics"), 400),
    ("URL without a host", get("http:///metrics"), 400),
    ("two slashes", get("//metrics"), 404),
    ("two slashes and a host", get("//elsewhere/metrics"), 404),
    ("no slash", get("metrics"), 400),
    ("star", get("*"), 400),
    ("star for OPTIONS", get("*", method="OPTIONS"), 400),
    ("a tab", get("/metrics\t"), 400),
    ("a space", get("/met rics"), 400),
    ("NUL in the path", get("/metrics%00"), 400),
    ("NUL in a name", get("/metrics?a%00=b"), 400),
    ("NUL in a value", get("/api/v2/alerts?filter=a%00"), 400),
    ("no NUL, a percent sign", get("/metrics%2500"), 404),
    ("up and down", get("/x/../metrics"), 404),
    ("128 parameters", get("/metrics?" + "&".join(["a=b"] * 128)), 200),
    ("300 parameters", get("/metrics?" + "&".join(["a=b"] * 300)), 431),
    ("5000 parameters", get("/metrics?" + "&".join(["a"] * 5000)), 431),
    ("128 long parameters", get("/metrics?" + "&".join(["a" * 100] * 128)), 200),
    ("a long path", get("/" + "a" * 20000), 431),
    ("a very long path", get("/" + "a" * 200000), 414),
    # methods
    ("HEAD", get(method="HEAD"), 200),
    ("POST to what is read", get(method="POST"), 405),
    ("CONNECT", get("localhost:80", method="CONNECT"), 400),
    ("CONNECT to a path", get(method="CONNECT"), 405),
    ("TRACE", get(method="TRACE"), 405),
    ("lower case", get(method="get"), 405),
    ("no such", get(method="BREW"), 405),
    ("long", get(method="A" * 3000), 405),
    # versions
    ("1.0 without Host", get(version="HTTP/1.0", headers=""), 200),
    ("1.0 with Host", get(version="HTTP/1.0"), 200),
    ("9.9", get(version="HTTP/9.9"), 505),
    ("none", "GET /metrics\r\n\r\n", 400),
    # headers
    ("no Host", get(headers=""), 400),
    ("two Hosts", get(headers=HOST + "Host: elsewhere\r\n"), 400),
    ("the same Host twice", get(headers=HOST + BARE), 400),
    ("a Host with a path", get(headers="Host: localhost/x\r\n"), 400),
    ("a Host with a user", get(headers="Host: a@localhost\r\n"), 400),
    ("an IPv6 Host", get(headers="Host: [::1]:9887\r\nConnection: close\r\n"), 200),
    ("a space after a name", get(headers=HOST + "X-A : b\r\n"), 400),
    ("no colon", get(headers=HOST + "nothing\r\n"), 400),
    ("a huge header", get(headers=HOST + "X-A: " + "a" * 200000 + "\r\n"), 431),
    ("a header above the limit", get(headers=HOST + "X-A: " + "a" * 17000 + "\r\n"), 431),
    ("2000 headers", get(headers=HOST + "".join(f"X-{i}: b\r\n" for i in range(2000))), 431),
    ("no end", head(), CLOSED),
    ("nothing", "", CLOSED),
    ("an empty line first", "\r\n" + get(), 200),
    ("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x00" * 64 + "\r\n\r\n", CLOSED),
    # bodies
    ("a body", post(SMALL), 400),
    ("an empty body", post("Content-Length: 0\r\n\r\n"), 400),
    ("a length in words", post("Content-Length: two\r\n\r\n{}"), 400),
    ("a negative length", post("Content-Length: -2\r\n\r\n{}"), 400),
    ("a length with a sign", post("Content-Length: +2\r\n\r\n{}"), 400),
    ("two lengths in one", post("Content-Length: 2, 2\r\n\r\n{}"), 400),
    ("two lengths", post("Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}   "), 400),
    ("a huge length", post("Content-Length: 99999999999999999999999\r\n\r\n{}"), 413),
    ("too long", post("Content-Length: 65537\r\n\r\n"), 413),
    ("a body where none is", head() + SMALL, 413),
    ("chunks", post("Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), 400),
    ("chunks and a length", post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"
                                 "2\r\n{}\r\n0\r\n\r\n"), 400),
    ("broken chunks", post("Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"), 400),
    ("endless chunks", post("Transfer-Encoding: chunked\r\n\r\n" +
                            ("1000\r\n" + "a" * 4096 + "\r\n") * 40), CLOSED),
    ("chunks in 1.0", "POST /api/v2/silences HTTP/1.0\r\n" + HOST +
     "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400),
    ("another coding", post("Transfer-Encoding: gzip\r\n\r\n{}"), 501),
)


def test_every_oddity_has_its_answer():
    wrong = []
    with Bench(read_timeout="1s") as bench:
        for name, text, wanted in TABLE:
            got = bench.status(text)
            if got != wanted:
                wrong.append(f"{name}: {got}, want {wanted}")
            equal(bench.exporter.get("/-/healthy").status, 200, f"after {name}")
    equal(wrong, [], "answers")


def test_what_is_not_understood_is_not_followed_by_another():
    """A body that one of two programs sees and the other does not is a request of a stranger."""
    hidden = get("/-/healthy")
    for name, text in (
            ("two lengths", post(f"Content-Length: 0\r\nContent-Length: {len(hidden)}\r\n\r\n",
                                 BARE)),
            ("two ways", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
                              "0\r\n\r\n", BARE)),
            ("a space", head(headers=BARE + f"Content-Length : {len(hidden)}\r\n") + "\r\n")):
        with Bench() as bench:
            answer = bench.send(text + hidden)
            equal(answer.count("HTTP/1.1 "), 1, f"answers to {name}")
            contains(answer, "Connection: close", name)


def test_limits_are_configuration():
    with Bench(max_header_size="4KiB", max_body_size="1KiB") as bench:
        equal(bench.status(get(headers=HOST + "X-A: " + "a" * 3500 + "\r\n")), 200, "a short head")
        equal(bench.status(get(headers=HOST + "X-A: " + "a" * 4500 + "\r\n")), 431, "a long head")
        equal(bench.status(post("Content-Length: 1025\r\n\r\n")), 413, "a long body")


def test_an_external_url_may_have_a_path():
    with Bench(external_url="https://example.org/defender/",
               healthy="/defender/-/healthy") as bench:
        equal(bench.status(get("/defender/metrics")), 200, "below the path")
        equal(bench.status(get("/metrics")), 404, "beside the path")
        for path in ("/", "/defender"):
            contains(bench.send(get(path)), "Location: /defender/\r\n", path)
        equal(bench.status(get("//defender/")), 404, "two slashes")


if __name__ == "__main__":
    run(globals())
