"""A server between the exporter and the stand-in for Azure: it hands on what both say, adds
findings of its own, and spoils answers in ways that the stand-in, an honest server, cannot."""
import copy
import http.client
import json
import threading
import time

from serving import Quiet, Serving

DATE = "2026-01-02T03:04:05Z"


class Answer:
    """An answer on its way; a fault changes it in place.

    body: bytes. raw: sent as it is instead of everything else. delay: seconds before the first
    byte. cut: the connection is closed behind it, whatever its length says."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.raw, self.delay, self.cut, self.version = None, 0, False, "1.1"
        self.chunked = False

    def json(self):
        return json.loads(self.body)

    def set(self, value):
        self.body = json.dumps(value).encode()

    def bytes(self):
        if self.raw is not None:
            return self.raw
        lines = [f"HTTP/{self.version} {self.status} {http.client.responses.get(self.status, 'X')}"]
        headers = dict(self.headers)
        if self.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif self.version == "1.1" and self.status not in (204, 304):
            headers.setdefault("Content-Length", str(len(self.body)))
        lines += [f"{name}: {value}" for name, value in headers.items()]
        body = self.body
        if self.chunked:
            body = b"%x;x=y\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def kind_of(path, body):
    """What was asked for: token, list, assessments, scores, controls, names, rest or other."""
    if "/oauth2/" in path:
        return "token"
    if "ResourceGraph" in path:
        query = json.loads(body)["query"].lower()
        for word, kind in (("securescorecontrols", "controls"), ("securescores", "scores"),
                           ("resourcecontainers", "names"),
                           ("microsoft.security/assessments'", "assessments"),
                           ("assessmentkey", "assessments")):
            if word in query:
                return kind
        return "other"
    if path.split("?")[0] == "/subscriptions":
        return "list"
    return "rest" if "/Microsoft.Security/assessments" in path else "other"


class Between(Serving):
    """Use with `with`. .fault: None, or (kinds of answers it is for, function of an Answer).
    .add(name) makes one more critical finding, on a machine of that name."""

    def __init__(self, port):
        self.port, self.fault, self.fresh = port, None, []
        self.lock = threading.Lock()
        self.shown = {}  # of a kind of query: how many of .fresh its pages are about
        between = self

        class Handler(Quiet):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                between.serve(self, self.read_body())

            do_GET = do_POST = handle_any

        super().__init__(Handler)

    def add(self, name):
        with self.lock:
            self.fresh.append(name)

    def ask(self, handler, body):
        """The stand-in's own answer."""
        upstream = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {name: value for name, value in handler.headers.items()
                   if name.lower() not in ("accept-encoding", "connection")}
        try:
            upstream.request(handler.command, handler.path, body or None, headers)
            got = upstream.getresponse()
            kept = {name: value for name, value in got.getheaders()
                    if name.lower() not in ("content-length", "connection", "date")}
            return Answer(got.status, kept, got.read().replace(
                f"http://127.0.0.1:{self.port}".encode(), self.url.encode()))
        finally:
            upstream.close()

    def add_fresh(self, kind, asked, answer):
        """Put the findings of our own behind the last page, and into every total."""
        if kind == "assessments":
            if "$skipToken" not in json.loads(asked)["options"]:
                self.shown[kind] = len(self.fresh)
            page = answer.json()
            rows = [fresh_row(page["data"][0], name) for name in self.fresh[:self.shown[kind]]]
            page["totalRecords"] += len(rows)
            if "$skipToken" not in page:
                page["data"] += rows
                page["count"] += len(rows)
            answer.set(page)
        elif kind == "rest":
            page = answer.json()
            if page["value"] and "nextLink" not in page:
                page["value"] += [fresh_item(page["value"][0], name) for name in self.fresh]
            answer.set(page)
        elif kind == "token":
            answer.set({**answer.json(), "expires_in": 3})  # faults of sign-in show soon

    def serve(self, handler, body):
        kind = kind_of(handler.path, body)
        with self.lock:
            answer = self.ask(handler, body)
            if answer.status == 200:
                self.add_fresh(kind, body, answer)
            if self.fault and kind in self.fault[0]:
                self.fault[1](answer)
        time.sleep(answer.delay)
        handler.wfile.write(answer.bytes())
        handler.wfile.flush()
        handler.close_connection = answer.cut or answer.raw is not None or answer.version == "1.0"


def machine(subscription, name):
    return (f"/subscriptions/{subscription}/resourcegroups/fresh/providers/microsoft.compute/"
            f"virtualmachines/{name}")


def fresh_row(like, name):
    """A critical finding as Resource Graph shows it."""
    resource = machine(like["subscriptionId"], name)
    return {**like, "resourceId": resource, "resourceType": "virtualmachines",
            "resourceGroup": "fresh", "title": name, "severity": "High", "riskLevel": "Critical",
            "id": f"{resource}/providers/microsoft.security/assessments/{like['assessmentKey']}",
            "statusCode": "Unhealthy", "statusCause": "", "statusChangeDate": DATE}


def fresh_item(like, name):
    """The same as the list shows it."""
    item = copy.deepcopy(like)
    resource = machine(like["id"].split("/")[2], name)
    item["id"] = f"{resource}/providers/Microsoft.Security/assessments/{like['name']}"
    item["properties"]["resourceDetails"]["Id"] = resource
    item["properties"]["displayName"] = name
    item["properties"]["status"] = {"code": "Unhealthy", "statusChangeDate": DATE}
    return item
