"""Peers that want to starve a web server, each kind as slowhttptest(1) knows it, and a good scraper
beside them. Shared by integration.starving and tests/bench/web.py. A program of its own, it attacks
until it is ended: attack.py PORT KIND CONNECTIONS, or attack.py PORT random|TARGET THREADS."""
import http.client
import random
import resource
import socket
import sys
import threading
import time

from harness import SLOWNESS

RULES = """
groups:
- name: all
  rules:
  - alert: Finding
    event: [finding.opened, finding.reopened]
    match: ['source="assessments"']
"""
PEERS = [f"127.0.0.{number}" for number in range(2, 18)]
SCRAPER = "127.0.0.18"  # nor one of the tools that attack from 127.0.0.1
HOST = b"Host: localhost\r\n"
HEADERS = b"GET /metrics HTTP/1.1\r\n" + HOST
BODY = (b"POST /api/v2/silences HTTP/1.1\r\n" + HOST +
        b"Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{")
READ = b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n"
SELECTED = b"GET /metrics?collect[]=assessments HTTP/1.1\r\n" + HOST + b"\r\n"
# What each sends at first, and every now and then to look alive.
KINDS = {
    "connect": (b"", b""),
    "headers": (HEADERS, b"X-A: b\r\n"),
    "body": (BODY, b" "),
    "read": (READ, b""),
    "read parts": (SELECTED, b""),
}
WORDS = ["metrics", "api", "v1", "v2", "alerts", "silences", "-", "ready", "f", "..", "%2e", "%00",
         "style.css", "?collect[]=assessments", "?collect[]=no", "?filter=a%3D%22b%22", "?&&=", "*",
         "alerts/groups", "outbox", "\xe4", "?" + "a=b&" * 200, "0" * 300]


def allow_files(count=4096):
    """As many open files as that, where it is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


class Slow:
    """So many connections of a kind, opened again when they are closed."""

    def __init__(self, port, kind, count, peers=PEERS):
        self.port, self.count, self.peers = port, count, peers
        self.first, self.more = KINDS[kind]
        self.links = []
        self.opened = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.attack)

    def open(self):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        link.settimeout(5)
        try:
            link.bind((self.peers[self.opened % len(self.peers)], 0))
            link.connect(("127.0.0.1", self.port))
            link.sendall(self.first)
        except OSError:
            link.close()
            return
        link.setblocking(False)
        self.opened += 1
        self.links.append(link)

    def alive(self, link):
        try:
            if self.more:
                link.send(self.more)
            elif not self.first and link.recv(1, socket.MSG_PEEK) == b"":
                raise OSError("closed")
            return not link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except BlockingIOError:
            return True
        except OSError:
            link.close()
            return False

    def attack(self):
        while not self.stop.wait(0.2):
            self.links = [link for link in self.links if self.alive(link)]
            while len(self.links) < self.count and not self.stop.is_set():
                before = self.opened
                self.open()
                if self.opened == before:
                    break

    def __enter__(self):
        allow_files()
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.stop.set()
        self.thread.join()
        for link in self.links:
            link.close()


class Many:
    """Random requests, one after the other, by so many threads; or always the same."""

    def __init__(self, port, seed, threads=8, target=None):
        self.port, self.seed, self.target = port, seed, target
        self.sent = 0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(n,)) for n in range(threads)]

    def ask(self, number):
        draw = random.Random(self.seed + number)
        peer = PEERS[number % len(PEERS)]
        while not self.stop.is_set():
            target = self.target or "/" + "/".join(draw.choices(WORDS, k=draw.randrange(1, 4)))
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60 * SLOWNESS,
                                                    source_address=(peer, 0))
            try:
                connection.connect()
                connection.sock.sendall(f"GET {target} HTTP/1.1\r\n".encode("latin-1") + HOST +
                                        b"Connection: close\r\n\r\n")
                while connection.sock.recv(65536):
                    pass
            except OSError:
                pass
            finally:
                connection.close()
            self.sent += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def scrape(port, path="/metrics"):
    """Status, length and milliseconds of one good scrape, on a connection of its own."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60 * SLOWNESS,
                                            source_address=(SCRAPER, 0))
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, len(answer.read()), (time.monotonic() - began) * 1000
    finally:
        connection.close()


def scrape_often(port, count, pause=0.0):
    """Each scrape must work. Milliseconds of all, sorted."""
    times = []
    for number in range(count):
        status, length, took = scrape(port)
        if status != 200 or length < 1000:
            raise AssertionError(f"scrape {number}: status {status}, {length} bytes")
        times.append(took)
        time.sleep(pause)
    return sorted(times)


def attacker(port, kind, count):
    if kind in KINDS:
        return Slow(port, kind, count)
    return Many(port, seed=1, threads=count, target=None if kind == "random" else kind)


if __name__ == "__main__":
    with attacker(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])):
        threading.Event().wait()
