"""A receiver of OTLP for the integration tests: reads requests by the numbers of the published
.proto files, keeps what it took, answers as told."""
import collections
import gzip
import ssl
import struct
import threading

from serving import Quiet, Serving


def fields(data):
    """A message as [(number, value)]: integers, 8 or 4 raw bytes, or bytes."""
    at, found = 0, []
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if kind == 2:
                size, at = varint(data, at)
            if size is None or at + size > len(data):
                raise ValueError(f"no message: kind {kind} at {at}")
            value, at = data[at:at + size], at + size
        found.append((number, value))
    return found


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


def every(message, number):
    return [value for n, value in message if n == number]


def one(message, number, otherwise=b""):
    return (every(message, number) or [otherwise])[-1]


def double(raw):
    return struct.unpack("<d", raw)[0]


def fixed(raw):
    return struct.unpack("<Q", raw)[0] if raw else 0


def any_value(data):
    """opentelemetry.proto.common.v1.AnyValue"""
    for number, value in fields(data):
        if number == 1:
            return value.decode()
        if number == 2:
            return bool(value)
        if number == 3:
            return value
        if number == 4:
            return double(value)
        if number == 5:
            return [any_value(item) for item in every(fields(value), 1)]
    return ""


def attributes(message, number):
    """KeyValue ..., of which no key stands twice."""
    pairs = [fields(pair) for pair in every(message, number)]
    found = {one(pair, 1).decode(): any_value(one(pair, 2)) for pair in pairs}
    assert len(found) == len(pairs), pairs
    return found


def log_record(data):
    message = fields(data)
    return {"time": fixed(one(message, 1)), "observed": fixed(one(message, 11)),
            "severity": one(message, 2, 0), "severity_text": one(message, 3).decode(),
            "body": any_value(one(message, 5)), "attributes": attributes(message, 6),
            "event": one(message, 12).decode()}


Point = collections.namedtuple("Point", "name labels value start at exemplars")
Exponential = collections.namedtuple("Exponential", "scale zeros buckets")  # {index: count}
UNITS = {"s": "seconds", "By": "bytes"}


def prometheus_name(name, unit, grows, gauge):
    """What Prometheus calls a metric. source: prometheus/otlptranslator, metric_namer.go."""
    tokens = [token for token in name.replace(".", "_").split("_") if token]
    if UNITS.get(unit) and UNITS[unit] not in tokens:
        tokens.append(UNITS[unit])
    if grows:
        tokens = [token for token in tokens if token != "total"] + ["total"]
    if gauge and unit == "1":
        tokens = [token for token in tokens if token != "ratio"] + ["ratio"]
    return "_".join(tokens)


def integers(message, number):
    """A repeated fixed64, packed."""
    raw = b"".join(every(message, number))
    return list(struct.unpack(f"<{len(raw) // 8}Q", raw))


def doubles(message, number):
    raw = b"".join(every(message, number))
    return list(struct.unpack(f"<{len(raw) // 8}d", raw))


def zigzag(value):
    return value >> 1 ^ -(value & 1)


def exemplars(point, number):
    """[(value, labels)]"""
    return [(double(one(exemplar, 3)), attributes(exemplar, 7))
            for exemplar in map(fields, every(point, number)) if fixed(one(exemplar, 2))]


def series(data):
    """A Metric as Prometheus stores it: its type and its points."""
    message = fields(data)
    kinds = {5: "gauge", 7: "sum", 9: "histogram", 10: "exponential"}
    number = next(n for n, _ in message if n in kinds)
    kind, points = kinds[number], fields(one(message, number))
    grows = kind == "sum" and bool(one(points, 3, 0))
    name = prometheus_name(one(message, 1).decode(), one(message, 3).decode(), grows,
                           kind == "gauge")
    found = []
    for point in map(fields, every(points, 1)):
        start, at = fixed(one(point, 2)), fixed(one(point, 3))
        assert at and (start or not grows), (name, start, at)
        if kind in ("gauge", "sum"):
            found.append(Point(name, attributes(point, 7), double(one(point, 4)), start, at,
                               exemplars(point, 5)))
        elif kind == "histogram":
            found += histogram(name, point, start, at)
        else:
            found += exponential(name, point, start, at)
    return kind, found


def histogram(name, point, start, at):
    """Its cumulative buckets, sum and count."""
    labels, counts, bounds = attributes(point, 9), integers(point, 6), doubles(point, 7)
    total, found = 0, []
    for count, bound in zip(counts, [*bounds, float("inf")], strict=True):
        total += count
        found.append(Point(name + "_bucket", {**labels, "le": bound}, total, start, at,
                           exemplars(point, 8)))
    assert total == fixed(one(point, 4)), (name, point)
    return found + [Point(name + "_sum", labels, double(one(point, 5)), start, at, []),
                    Point(name + "_count", labels, total, start, at, [])]


def exponential(name, point, start, at):
    """All of it as one point, sum and count."""
    labels, positive = attributes(point, 1), fields(one(point, 8))
    first, data, place, buckets = zigzag(one(positive, 1, 0)), one(positive, 2), 0, {}
    for index in range(first, first + len(data)):
        if place < len(data):
            buckets[index], place = varint(data, place)
    value = Exponential(zigzag(one(point, 6, 0)), fixed(one(point, 7)), buckets)
    total = value.zeros + sum(buckets.values())
    assert total == fixed(one(point, 4)), (name, point)
    return [Point(name, labels, value, start, at, exemplars(point, 11)),
            Point(name + "_sum", labels, double(one(point, 5)), start, at, []),
            Point(name + "_count", labels, total, start, at, [])]


def requests_items(data):
    """An export request: the attributes of its resource, and its items as bytes."""
    resource, items = {}, []
    for resources in every(fields(data), 1):
        message = fields(resources)
        resource = attributes(fields(one(message, 1)), 1)
        for scope in every(message, 2):
            items += every(fields(scope), 2)
    return resource, items


class Receiver(Serving):
    """On a port of its own; use with `with`.

    answer: called with each request before it is taken, {"path", "headers", "records" or "metrics",
    "resource"}; returns a status, (status, headers, body), "close", or None for 200.
    Records taken are in .records, in order; metrics, of the last request of each push, too.
    """

    def __init__(self, answer=None, context=None, port=0):
        self.answer = answer or (lambda request: None)
        self.records, self.requests, self.lock = [], [], threading.Lock()
        receiver = self

        class Handler(Quiet):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.take(self, self.read_body())

        super().__init__(Handler, context, port)
        self.port = self.server.server_port

    def read(self, handler, body):
        if handler.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        resource, items = requests_items(body)
        request = {"path": handler.path, "headers": dict(handler.headers), "resource": resource,
                   "bytes": body}
        if handler.path.endswith("logs"):
            request["records"] = [log_record(item) for item in items]
        else:
            request["metrics"] = items
            request["at"] = series(items[0])[1][0].at
        return request

    def take(self, handler, body):
        assert handler.headers["Content-Type"] == "application/x-protobuf", handler.headers
        request = self.read(handler, body)
        told = self.answer(request)
        status, headers, text = told if isinstance(told, tuple) else (told or 200, {}, b"")
        with self.lock:
            self.requests.append(request)
            if status == 200:
                self.records += request.get("records", [])
        if status == "close":
            handler.close_connection = True
            handler.connection.close()
            return
        handler.send_response(status)
        for name, value in {"Content-Type": "application/x-protobuf", **headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def taken(self):
        with self.lock:
            return list(self.records)

    def asked(self):
        with self.lock:
            return list(self.requests)


def server_context(certificate, key, clients=None):
    """TLS; clients: file of the certificates whose holders alone may come in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    return context
