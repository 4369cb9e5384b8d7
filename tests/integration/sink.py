"""A receiver for the integration tests: keeps what it accepted, answers as told."""
import http.server
import json
import threading
import time


class Sink:
    """A webhook receiver on a port of its own; use with `with`.

    answer: called with each message before it is accepted; returns a status, or None for 200.
    Accepted ones are in .messages, each {"id", "body", "headers", "at"}, in order; refused ones in
    .refused.
    """

    def __init__(self, answer=None):
        self.answer = answer or (lambda message: None)
        self.messages, self.refused = [], []
        self.lock = threading.Lock()
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                sink.take(self, self.rfile.read(length))

            def do_GET(self):
                sink.take(self, b"")

            def log_message(self, *unused):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *unused):
                pass  # a client that was killed

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={
            "poll_interval": 0.05}, daemon=True)

    def take(self, handler, body):
        try:
            content = json.loads(body) if body else None
        except ValueError:
            content = body.decode(errors="replace")
        message = {"id": handler.headers.get("webhook-id"), "body": content, "raw": body,
                   "headers": dict(handler.headers), "at": time.time(), "path": handler.path}
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

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def receiver(sink, name="team", **more):
    """The configuration of a webhook receiver that is this sink."""
    return {"name": name,
            "webhook": {"url": sink.url, "http": {"allow_private": True}, **more}}
