"""A receiver for the integration tests: keeps what it accepted, answers as told."""
import itertools
import json
import threading
import time

from serving import Quiet, Serving


class Sink(Serving):
    """A webhook receiver on a port of its own; use with `with`.

    answer: called with each message before it is accepted; returns a status, or None for 200.
    Accepted ones are in .messages, each {"id", "body", "headers", "at", "connection"}, in order;
    refused ones in .refused.
    """

    def __init__(self, answer=None):
        self.answer = answer or (lambda message: None)
        self.messages, self.refused = [], []
        self.lock = threading.Lock()
        sink, numbers = self, itertools.count()

        class Handler(Quiet):
            protocol_version = "HTTP/1.1"

            def setup(self):
                self.number = next(numbers)  # of the connection: a port comes again
                super().setup()

            def do_POST(self):
                sink.take(self, self.read_body())

            def do_GET(self):
                sink.take(self, b"")

        super().__init__(Handler)
        self.url += "/hook"

    def take(self, handler, body):
        try:
            content = json.loads(body) if body else None
        except ValueError:
            content = body.decode(errors="replace")
        message = {"id": handler.headers.get("webhook-id"), "body": content, "raw": body,
                   "headers": dict(handler.headers), "at": time.time(), "path": handler.path,
                   "connection": handler.number}
        status = self.answer(message)
        with self.lock:
            (self.messages if status is None else self.refused).append(message)
        if status == "close":
            handler.close_connection = True
            handler.connection.close()
            return
        if status == "half":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\nhalf")
            handler.close_connection = True
            return
        handler.send_response(status or 200)
        if status in (301, 302, 307):
            handler.send_header("Location", "/elsewhere")
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    def taken(self):
        with self.lock:
            return list(self.messages)


def receiver(sink, name="team", **more):
    """The configuration of a webhook receiver that is this sink."""
    return {"name": name,
            "webhook": {"url": sink.url, "http": {"allow_private": True}, **more}}
