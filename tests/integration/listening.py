#!/usr/bin/env python3
"""Where the web server listens: several addresses, IPv6, unix sockets, sockets passed on."""
import http.client
import os
import shutil
import socket
import stat
import subprocess
import sys

from harness import (SECRET, SLOWNESS, Exporter, Folder, Skip, contains, equal, free_port,
                     run, settings, until)

PASS = """import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


class Bench:
    """An exporter that finds no Azure: nothing of this needs any."""

    def __init__(self, folder, *arguments, **more):
        config = settings(f"http://127.0.0.1:{free_port()}", folder.file("secret", SECRET))
        self.exporter = Exporter(folder, config, *arguments, **more)

    def __enter__(self):
        return self.exporter.__enter__()

    def __exit__(self, *why):
        self.exporter.__exit__(*why)


class LocalConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30 * SLOWNESS)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30 * SLOWNESS)
        self.sock.connect(self.path)


def ask(connection, path="/-/healthy"):
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_several_addresses():
    with Folder() as folder:
        second, third = free_port(), free_port()
        with Bench(folder, f"--web.listen-address=localhost:{second}",
                   f"--web.listen-address=:{third}") as exporter:
            exporter.wait_answering()
            for port in (exporter.port, second, third):
                equal(ask(http.client.HTTPConnection("127.0.0.1", port))[0], 200, f"port {port}")


def test_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        raise Skip("this machine has no IPv6") from None
    with Folder() as folder:
        port, everywhere = free_port(), free_port()
        with Bench(folder, f"--web.listen-address=[::1]:{port}",
                   f"--web.listen-address=:{everywhere}") as exporter:
            exporter.wait_answering()
            for number in (port, everywhere):
                equal(ask(http.client.HTTPConnection("::1", number))[0], 200, f"port {number}")


def test_a_unix_socket():
    with Folder() as folder:
        path = os.path.join(folder.path, "web.sock")
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(path)
        stale.close()  # nobody listens, the file stays
        with Bench(folder, f"--web.listen-address=unix:{path}") as exporter:
            exporter.wait_answering()
            equal(ask(LocalConnection(path))[0], 200, "health over the socket")
            contains(ask(LocalConnection(path), "/metrics")[1], "# TYPE", "scrape over the socket")
            equal(stat.S_IMODE(os.stat(path).st_mode), 0o660, "who may connect")
            if shutil.which("curl"):
                got = subprocess.run(["curl", "-s", "--unix-socket", path, "http://x/-/healthy"],
                                     capture_output=True, text=True, timeout=30 * SLOWNESS,
                                     check=True).stdout
                equal(got, "OK\n", "curl over the socket")
            with Folder() as other, Bench(other, f"--web.listen-address=unix:{path}") as second:
                second.wait_for("cannot listen on unix:")
                until("the second one's end", lambda: not second.alive)
                equal(ask(LocalConnection(path))[0], 200, "health beside a second one")
                second.stop()
        equal(os.path.exists(path), False, "the file is there after the end")


def test_sockets_of_systemd():
    with Folder() as folder, socket.create_server(("127.0.0.1", 0)) as passed:
        port = passed.getsockname()[1]
        with Bench(folder, "--web.systemd-socket", pass_fds=(passed.fileno(),),
                   prefix=(sys.executable, "-c", PASS, passed.fileno())) as exporter:
            until("the passed socket", lambda: ask(
                http.client.HTTPConnection("127.0.0.1", port, timeout=30 * SLOWNESS))[0] == 200)
            exporter.wait_for(f"address=127.0.0.1:{port}")
            equal(exporter.answers(), False, "the address of the flag is listened on")


def test_without_sockets_of_systemd():
    with Folder() as folder, Bench(folder, "--web.systemd-socket") as exporter:
        exporter.wait_for("no sockets were passed on")
        until("its end", lambda: not exporter.alive)
        equal(exporter.stop(), 1, "status")


if __name__ == "__main__":
    run(globals())
