"""Web servers of a test's own."""
import http.server
import json
import threading


class Serving:
    """A server on a port of its own while it is used with `with`. handler: of http.server, a thread
    for each connection; context: TLS; port: 0 = any."""

    def __init__(self, handler, context=None, port=0):
        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *unused):
                pass  # a client that was killed, or gave up

        self.server = Server(("127.0.0.1", port), handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Quiet(http.server.BaseHTTPRequestHandler):
    """A handler that logs nothing."""

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer_json(self, body, status=200):
        """body: what JSON is made of, or its bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *unused):
        pass
