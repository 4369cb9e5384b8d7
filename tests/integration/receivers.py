#!/usr/bin/env python3
"""What receivers' own libraries and a real Alertmanager say of our requests.

  receivers.py --setup   fetch the libraries and Debian's newest Alertmanager into build/tools;
                         the tests themselves need no network and skip what was not fetched
"""
import email
import email.policy
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import time
import urllib.parse

from fetched import SETTING_UP, node_folder, set_up
from harness import (ALL, ROOT, SLOWNESS, Folder, Program, Skip, contains, equal, fetch, free_port,
                     run, until)

PRINTER = os.environ.get("PRINT_REQUESTS", os.path.join(ROOT, "build/release/print_requests"))
SHARE = "/usr/share/prometheus"
TEMPLATE = SHARE + "/alertmanager/default.tmpl"  # Debian's program is compiled to need it


@functools.lru_cache(None)
def requests():
    """Every request of every kind, made now: {(variant, page): request}."""
    output = subprocess.run([PRINTER, str(int(time.time()))], stdin=subprocess.DEVNULL, check=True,
                            capture_output=True, text=True, timeout=60 * SLOWNESS).stdout
    found = [json.loads(line) for line in output.splitlines()]
    return {(request["variant"], request["page"]): request for request in found}


def installed():
    """The folder with the libraries; fetched once."""
    return node_folder("receivers", "judge.js")


def pages(variant):
    """Those of notification_fixture.h, and every message of every situation."""
    found = [page for one, page in requests() if one == variant]
    equal({"finding", "hostile", "opened", "longest"} - set(found), set(), f"pages of {variant}")
    return found


def judge(what, count):
    folder = installed()
    lines = "\n".join(json.dumps(request) for request in requests().values())
    result = subprocess.run(["node", "judge.js", what], cwd=folder, input=lines, text=True,
                            capture_output=True, check=False, timeout=300 * SLOWNESS)
    equal(result.returncode, 0, f"{what}:\n{result.stdout}{result.stderr}")
    equal(result.stdout.count("ok "), count, f"judged by {what}:\n{result.stdout}")


def test_signatures_verify_with_standardwebhooks():
    judge("standardwebhooks", 4 * len(pages("standard")))


def test_events_are_strict_cloudevents():
    judge("cloudevents", 2 * len(pages("cloudevents")))


def test_cards_parse_with_adaptivecards():
    judge("adaptivecards", len(pages("teams")))


def test_blocks_have_slacks_types():
    judge("slack", 1)


def subject_of(page):
    """The title; of what ended with how it ended in front."""
    if page["status"] != "resolved":
        return page["title"]
    known = {"fixed": "Fixed", "recovered": "Recovered", "exempted": "Exempted",
             "not_applicable": "Not applicable", "plan_off": "No longer assessed (plan off)",
             "resource_deleted": "Resource deleted", "no_longer_assessed": "No longer assessed"}
    ended = known[page["reason"]]
    tag = "EXEMPT" if ended == "Exempted" else ended.upper()
    return f"[{tag}] " + page["title"].removeprefix(ended + ": ")


def test_mail_parses():
    """Python's own parser finds the titles, both parts and no defect."""
    made = requests()
    for page in pages("email"):
        title = json.loads(made["standard", page]["body"])["data"]["title"]
        mail = email.message_from_bytes(made["email", page]["body"].encode("ascii"),
                                        policy=email.policy.default)
        equal([part.get_content_type() for part in mail.walk()],
              ["multipart/alternative", "text/plain", "text/html"], page)
        for part in mail.walk():
            equal(part.defects, [], f"defects of {page}")
            for name, value in part.items():
                equal(list(value.defects), [], f"defects of {name} in {page}")
        equal(mail["subject"], subject_of(json.loads(made["standard", page]["body"])["data"]), page)
        equal(mail["to"], "soc@example.com, cloud@example.com", page)
        contains(mail.get_body(("plain",)).get_content(), title, page)
        contains(mail.get_body(("html",)).get_content(), "<h2 ", page)


# --- Alertmanager -----------------------------------------------------------------------------
class Sink:
    """Keeps what is posted to it and answers as each vendor does."""

    def __enter__(self):
        self.posts = []
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.posts.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(202 if "pagerduty" in self.path else 200)
                self.end_headers()
                self.wfile.write(b"ok" if "slack" in self.path else b"{}")

            def log_message(self, *unused):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def find(self, path, check):
        """The newest post to a path that satisfies check."""
        for got, headers, body in reversed(self.posts):
            if got == path and check(body):
                return headers, body
        return None


def newer_alertmanager():
    """A command for Debian's newest Alertmanager, unpacked without installing anything."""
    if not ALL:
        raise Skip("Debian's newest Alertmanager: only with scripts/test --all")
    root = os.path.join(ROOT, "build/tools/alertmanager")
    program = os.path.join(root, "usr/bin/prometheus-alertmanager")
    if not os.path.exists(program):
        if not SETTING_UP:
            raise Skip("Debian's newest Alertmanager was not fetched")
        if not shutil.which("apt-get") or os.getuid() or not os.path.isdir(SHARE):
            raise Skip("no root, no apt-get or no folder to mount on for a newer Alertmanager")
        with Folder() as folder:
            for name in ("lists/partial", "archives/partial", "preferences"):
                os.makedirs(os.path.join(folder.path, name))
            settings = folder.file("apt.conf", "".join(f'{key} "{value}";\n' for key, value in {
                "Dir::Etc::sourcelist": folder.file("sid.list", f"deb {mirror()} sid main\n"),
                "Dir::Etc::sourceparts": "/dev/null", "Dir::Etc::Preferences": "/dev/null",
                "Dir::Etc::PreferencesParts": os.path.join(folder.path, "preferences"),
                "Dir::State::Lists": os.path.join(folder.path, "lists"),
                "Dir::State::status": folder.file("status", ""), "Dir::Cache": folder.path,
                "APT::Sandbox::User": "root"}.items()))
            for command in (["apt-get", "-qq", "update"],
                            ["apt-get", "-qq", "download", "prometheus-alertmanager"]):
                result = subprocess.run(command, cwd=folder.path, stdin=subprocess.DEVNULL,
                                        env={**os.environ, "APT_CONFIG": settings},
                                        capture_output=True, check=False, timeout=300 * SLOWNESS)
                if result.returncode:
                    raise Skip("Debian's newest Alertmanager cannot be fetched")
            package = next(n for n in os.listdir(folder.path) if n.endswith(".deb"))
            subprocess.run(["dpkg", "-x", os.path.join(folder.path, package), root], check=True)
    # Its templates have to be where it looks for them: in a mount namespace of its own.
    return ["unshare", "-m", "sh", "-c", f'mount --bind "{root}{SHARE}" {SHARE} && exec "$0" "$@"',
            program]


def mirror():
    """Where this machine gets Debian from."""
    for name in ("sources.list.d/debian.sources", "sources.list"):
        path = os.path.join("/etc/apt", name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                found = re.search(r"^(?:URIs:|deb)\s+(?:\[[^]]*\]\s+)?(\S+)", file.read(), re.M)
            if found:
                return found.group(1)
    raise Skip("no Debian mirror is configured")


def alertmanager(folder, sink, port, command=None, more=None):
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if not command and not program:
        raise Skip("no prometheus-alertmanager on this machine")
    if command is None and not os.path.exists(TEMPLATE):
        raise Skip(f"prometheus-alertmanager is there, but not {TEMPLATE}")
    config = folder.file("alertmanager.yml", {
        "route": {"receiver": "team", "group_by": ["alertname"], "group_wait": "0s",
                  "group_interval": "1s"},
        "receivers": [{
            "name": "team",
            "webhook_configs": [{"url": sink.url + "/webhook"}],
            "pagerduty_configs": [{"url": sink.url + "/pagerduty",
                                   "routing_key": "0123456789abcdef0123456789abcdef"}],
            "slack_configs": [{"api_url": sink.url + "/slack", "channel": "#soc",
                               "send_resolved": True}], **(more or {})}]})
    return Program([*(command or [program]), f"--config.file={config}",
                    f"--storage.path={folder.path}", f"--web.listen-address=127.0.0.1:{port}",
                    "--cluster.listen-address=", "--web.route-prefix=/",
                    "--web.external-url=https://defender.example.com"])


def post(port, request):
    """Send one of our requests to the real one."""
    path = urllib.parse.urlsplit(request["url"]).path
    return fetch(f"http://127.0.0.1:{port}{path}", "POST", request["body"].encode(),
                 request["headers"])


def answering(port):
    try:
        return fetch(f"http://127.0.0.1:{port}/-/ready").status == 200
    except OSError:
        return False


def shown(port):
    return fetch(f"http://127.0.0.1:{port}/api/v2/alerts").json()


def same_webhook(ours, theirs, what):
    """Equal but for what the receiver's own configuration says."""
    ours = dict(ours)
    for name in {"routeLabels", "notification_reason"} - set(theirs):
        ours.pop(name)  # newer than this Alertmanager
    if theirs.get("notification_reason") == "first notification":
        theirs["notification_reason"] = "new alerts added"  # a page does not say which of them
    equal(sorted(ours), sorted(theirs), f"members of the {what} webhook")
    ours["alerts"] = sorted(ours["alerts"], key=lambda alert: alert["fingerprint"])
    theirs["alerts"] = sorted(theirs["alerts"], key=lambda alert: alert["fingerprint"])
    equal(ours, theirs, f"the {what} webhook")


def kinds(value):
    """The shape of JSON: names and types."""
    return {k: kinds(v) for k, v in value.items()} if isinstance(value, dict) else type(value)


def same_pagerduty(ours, theirs):
    for name in ("routing_key", "event_action"):
        equal(ours[name], theirs[name], f"PagerDuty {name}")
    equal(kinds({k: v for k, v in ours["payload"].items() if k in theirs["payload"]}) | {
        "custom_details": dict}, kinds(theirs["payload"]) | {"custom_details": dict},
          "types of the PagerDuty payload")
    documented = {"summary", "source", "severity", "timestamp", "component", "group", "class",
                  "custom_details"}
    equal(set(ours["payload"]) - documented, set(), "payload members nobody documents")
    equal(set(theirs) - set(ours) - {"images"}, set(), "PagerDuty members only Alertmanager has")
    equal(set(ours) - set(theirs) - {"links"}, set(), "PagerDuty members only we have")
    equal({type(link["href"]) for link in ours["links"]}, {str}, "links")


def same_slack(ours, theirs):
    """Alertmanager writes the older attachments: only what every message has is comparable."""
    attachment = theirs["attachments"][0]
    equal(type(ours["text"]), type(attachment["fallback"]), "Slack fallback text")
    contains(attachment["fallback"], "FIRING", "Slack fallback of Alertmanager")
    equal(ours["blocks"][0]["text"]["type"], "plain_text", "Slack header")


def test_a_real_alertmanager_takes_ours():
    made = requests()
    port = free_port()
    with Folder() as folder, Sink() as sink, alertmanager(folder, sink, port):
        until("Alertmanager answers", lambda: answering(port))
        equal(post(port, made["alertmanager_v2", "finding"]).status, 200, "one finding")
        alerts = until("one alert", lambda: shown(port))
        equal([alert["fingerprint"] for alert in alerts],
              [json.loads(made["alertmanager", "finding"]["body"])["alerts"][0]["fingerprint"]],
              "fingerprint")
        _, theirs = until("its webhook", lambda: sink.find("/webhook", lambda b: True))
        same_webhook(json.loads(made["alertmanager", "finding"]["body"]), theirs, "firing")
        headers, event = until("PagerDuty", lambda: sink.find("/pagerduty", lambda b: True))
        equal(headers["Content-Type"], made["pagerduty", "finding"]["headers"]["Content-Type"],
              "PagerDuty content type")
        same_pagerduty(json.loads(made["pagerduty", "finding"]["body"]), event)
        headers, message = until("Slack", lambda: sink.find("/slack", lambda b: True))
        equal(headers["Content-Type"], made["slack", "finding"]["headers"]["Content-Type"],
              "Slack content type")
        same_slack(json.loads(made["slack", "finding"]["body"]), message)

        equal(post(port, made["alertmanager_v2", "resolved"]).status, 200, "its resolve")
        until("no alert is left", lambda: shown(port) == [])
        _, theirs = until("the resolved webhook", lambda: sink.find(
            "/webhook", lambda body: body["status"] == "resolved"))
        same_webhook(json.loads(made["alertmanager", "resolved"]["body"]), theirs, "resolved")
        _, event = until("PagerDuty's resolve", lambda: sink.find(
            "/pagerduty", lambda body: body["event_action"] == "resolve"))
        ours = json.loads(made["pagerduty", "resolved"]["body"])
        equal(set(ours) - set(event), set(), "members of a resolve that only we have")
        for their, our in ((event, ours), (event["payload"], ours["payload"])):
            equal({k: type(v) for k, v in their.items() if k in our},
                  {k: type(v) for k, v in our.items() if k in their}, "a resolve")


def same_teams(ours, theirs):
    """The envelope is the same; what a card holds is each sender's own, in known elements."""
    ours, theirs = ({**m, "attachments": [dict(m["attachments"][0])]} for m in (ours, theirs))
    cards = [message["attachments"][0].pop("content") for message in (ours, theirs)]
    equal(ours, theirs, "Teams envelope")
    for name in ("$schema", "type"):
        equal(cards[0][name], cards[1][name], "card " + name)
    equal([card["msteams"]["width"].lower() for card in cards], ["full", "full"], "card width")
    known = {name.lower() for block in cards[1]["body"] for name in block}
    titles = [card["body"][0] for card in cards]
    equal({name: str(titles[0][name]).lower() for name in ("type", "weight", "wrap", "color")},
          {name: str(titles[1][name]).lower() for name in ("type", "weight", "wrap", "color")},
          "how the title looks")
    for block in cards[0]["body"]:
        if block["type"] == "TextBlock":
            equal(set(block) - known, set(), "members of a text block only we have")


def test_the_newest_alertmanager_sends_the_same():
    command = newer_alertmanager()
    made = requests()
    port = free_port()
    with Folder() as folder, Sink() as sink, alertmanager(
            folder, sink, port, command,
            {"msteamsv2_configs": [{"webhook_url": sink.url + "/teams"}]}):
        until("Alertmanager answers", lambda: answering(port))
        equal(post(port, made["alertmanager_v2", "finding"]).status, 200, "one finding")
        _, theirs = until("its webhook", lambda: sink.find("/webhook", lambda b: True))
        same_webhook(json.loads(made["alertmanager", "finding"]["body"]), theirs, "firing")
        _, event = until("PagerDuty", lambda: sink.find("/pagerduty", lambda b: True))
        same_pagerduty(json.loads(made["pagerduty", "finding"]["body"]), event)
        headers, message = until("Teams", lambda: sink.find("/teams", lambda b: True))
        equal(headers["Content-Type"], made["teams", "finding"]["headers"]["Content-Type"],
              "Teams content type")
        same_teams(json.loads(made["teams", "finding"]["body"]), message)
        equal(post(port, made["alertmanager_v2", "resolved"]).status, 200, "its resolve")
        _, theirs = until("the resolved webhook", lambda: sink.find(
            "/webhook", lambda body: body["status"] == "resolved"))
        same_webhook(json.loads(made["alertmanager", "resolved"]["body"]), theirs, "resolved")


def test_every_finding_is_one_alert():
    made = requests()
    port = free_port()
    with Folder() as folder, Sink() as sink, alertmanager(folder, sink, port):
        until("Alertmanager answers", lambda: answering(port))
        for page, count in (("group", 30), ("group", 30), ("hostile", 60)):
            equal(post(port, made["alertmanager_v2", page]).status, 200, page)
            until(f"{count} alerts", lambda: len(shown(port)) == count)
        names = sorted(alert["labels"]["resource_name"] for alert in shown(port))
        equal(names, [f"stprod{i:02}" for i in range(1, 61)], "their resources")
        for page in pages("alertmanager_v2"):
            if page.startswith("hundreds."):
                equal(post(port, made["alertmanager_v2", page]).status, 200, page)
        until("500 more", lambda: len(shown(port)) == 560)


if SETTING_UP:
    set_up("receivers.py", installed, newer_alertmanager)
else:
    run(globals())
