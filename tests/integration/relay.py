"""A relay that takes mail, for tests of what is sent."""
import socketserver
import threading


class Mail:
    """A relay on a port of its own that keeps what it gets."""

    def __enter__(self):
        self.messages, messages = [], []
        self.messages = messages

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.say("220 relay")
                for line in self.rfile:
                    word = line.split(None, 1)[0].upper() if line.strip() else b""
                    if word == b"DATA":
                        self.say("354 go on")
                        text = []
                        for part in self.rfile:
                            if part == b".\r\n":
                                break
                            text.append(part)
                        messages.append(b"".join(text).decode("ascii"))
                    self.say("221 bye" if word == b"QUIT" else "250 ok")

            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()
