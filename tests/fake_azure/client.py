"""What the self-tests of the stand-in share: a careful client of it and a runner."""
import gzip
import http.client
import json
import os
import ssl
import subprocess
import sys
import traceback
import urllib.parse

FAKE_AZURE = os.environ.get("FAKE_AZURE", "build/release/fake_azure")
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
LIST = "/subscriptions?api-version=2022-12-01"
SLOWNESS = float(os.environ.get("SLOWNESS", "1"))
TENANT = "7e4a4700-0000-4000-8000-000000007e4a"
CLIENT = "c11e4700-0000-4000-8000-00000000c11e"
GRAPH = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01"


def query(name):
    with open(f"{ROOT}/collectors/{name}.kql", encoding="utf-8") as file:
        return file.read()


def equal(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: got {got!r:.600}, want {want!r:.600}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


class Answer:
    def __init__(self, answer):
        self.status = answer.status
        self.headers = {k.lower(): v for k, v in answer.getheaders()}
        self.body = answer.read()

    def json(self):
        packed = self.headers.get("content-encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if packed else self.body)


class Fake:
    def __init__(self, *arguments):
        self.arguments = [FAKE_AZURE, "--port", "0", *map(str, arguments)]

    def __enter__(self):
        self.process = subprocess.Popen(self.arguments, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(line.rsplit(":", 1)[1])
        self.scheme = "https" if "--tls" in self.arguments else "http"
        equal(line, f"fake_azure: listening on {self.scheme}://127.0.0.1:{self.port}\n", "line 1")
        self.bearer = None
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        equal(self.process.wait(10 * SLOWNESS), 0, "exit status")
        self.process.stdout.close()

    def fetch(self, path, method="GET", body=None, headers=None, seconds=20):
        kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        more = {"context": ssl._create_unverified_context()} if self.scheme == "https" else {}
        connection = kind[self.scheme]("127.0.0.1", self.port, timeout=seconds * SLOWNESS, **more)
        try:
            connection.request(method, path, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def token(self, path=f"/{TENANT}/oauth2/v2.0/token", **changes):
        form = {"grant_type": "client_credentials", "client_id": CLIENT,
                "client_secret": "fake-secret", "scope": "https://management.azure.com/.default"}
        form.update(changes)
        form = {k: v for k, v in form.items() if v is not None}
        return self.fetch(path, "POST", urllib.parse.urlencode(form))

    def get(self, path, method="GET", body=None, **headers):
        if not self.bearer:
            self.bearer = self.token().json()["access_token"]
        headers = {"Authorization": "Bearer " + self.bearer,
                   **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.fetch(path, method, body, headers)

    def graph(self, kql, top=1000, token=None, content_type="application/json", **more):
        options = {"resultFormat": "objectArray", "$top": top}
        if token:
            options["$skipToken"] = token
        return self.get(GRAPH, "POST", json.dumps({"query": kql, "options": options, **more}),
                        Content_Type=content_type)

    def rows(self, kql, top=1000, **more):
        """All pages of a query, checked as a careful client would."""
        found, token = [], None
        while True:
            answer = self.graph(kql, top, token, **more)
            equal(answer.status, 200, f"status of {kql[:60]!r}: {answer.body[:300]}")
            page = answer.json()
            equal(page["count"], len(page["data"]), "count of a page")
            equal(page["resultTruncated"], "false", "resultTruncated")
            found += page["data"]
            token = page.get("$skipToken")
            if not token:
                equal(len(found), page["totalRecords"], "rows of all pages")
                return found

    def list(self, path):
        found = []
        while path:
            answer = self.get(path)
            equal(answer.status, 200, f"status of {path}: {answer.body[:300]}")
            page = answer.json()
            found += page["value"]
            link = page.get("nextLink", "")
            path = link.replace(f"{self.scheme}://127.0.0.1:{self.port}", "")
            true(not link or path.startswith("/"), "nextLink leads elsewhere: " + link)
        return found

    def admin(self, path, method="GET", body=None):
        answer = self.fetch("/_fake/" + path, method, body)
        equal(answer.status, 200, f"{method} /_fake/{path}: {answer.body[:300]}")
        return answer.json()

    def fault(self, spec):
        self.admin("fault", "POST", spec)

    def heal(self):
        self.admin("faults", "DELETE")


def error_of(answer):
    return answer.json()["error"]


def run(names):
    """Run every test_* of a module, or those named on the command line."""
    failed = 0
    for name, test in list(names.items()):
        if not name.startswith("test_") or (sys.argv[1:] and name not in sys.argv[1:]):
            continue
        try:
            test()
            print("ok     " + name, flush=True)
        except Exception:  # whatever it was, the other tests still run
            traceback.print_exc(file=sys.stdout)
            print("FAILED " + name, flush=True)
            failed += 1
    sys.exit(1 if failed else 0)
