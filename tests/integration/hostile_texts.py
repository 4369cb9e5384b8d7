#!/usr/bin/env python3
"""Whatever things in a tenant are called, a new critical finding is told by every receiver, and no
name acts: none is a link, a mention, markup or a header, none hides what it is."""
import json
import re

from harness import SECRET, Exporter, Fake, Folder, equal, run, settings, until
from relay import Mail
from sink import Sink

EVIL = "https://evil.example/login"

# The insides of JSON strings, as Azure's answers would hold them.
NAMES = {
    "turned direction": r"invoice\u202egnp.exe",
    "isolates": r"\u2066left\u2069 \u2067right",
    "zero width": r"ad\u200bmin\u200d\ufeff",
    "control characters": r"\u0001\u001b[31mred\u0007\u007f",
    "NUL": r"be\u0000hind",
    "a lone surrogate": r"lone \ud800 surrogate",
    "surrogates in the wrong order": r"\udc00\ud800",
    "8,000 bytes": "A" * 8000,
    "8,000 bytes beyond ASCII": r"\ud83d\udd12" * 2000,
    "10,000 items": ",".join(map(str, range(10000))),
    "Markdown": f"[click]({EVIL}) ![x]({EVIL}) **bold** `code`",
    "mrkdwn": f"<{EVIL}|click> *bold* _it_",
    "mentions": "@channel <!here> <!channel> <@U1> <at>all</at>",
    "HTML": f"</td><script>alert(1)</script><img src=x onerror=x><a href='{EVIL}'>x</a>",
    "a card's action": r"{\"type\":\"Action.OpenUrl\",\"url\":\"" + EVIL + r"\"} {{DATE(2020)}}",
    "an address": EVIL,
    "an address without scheme": "www.evil.example",
    "a header": r"x\r\nBcc: victim@evil.example\r\n\r\nbody",
    "an encoded word": "=?utf-8?Q?x=0d=0aBcc:y?=",
    "a template": "{{title}}{{#resources}}{{text",
}

RULES = """
groups:
- name: all
  rules:
  - alert: Critical
    event: [finding.opened, finding.reopened, finding.risk_changed]
    match: ['risk_level="critical"']
"""

# What a message to people must not hold anywhere.
ACTS = {
    "slack": ("<!", "<@", EVIL, "www.evil"),
    "teams": ("[click](", EVIL, "www.evil"),
    "email": ("<script", "<img", EVIL, "www.evil"),
}
UNSEEN = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e"
                    "\u2060-\u206f\ufeff]")


def receivers(url, relay):
    """One of each kind and body; each has a path of its own at the sink."""
    http = {"allow_private": True}
    base = url.rsplit("/", 1)[0]
    bodies = ("standard", "alertmanager", "cloudevents", "cloudevents_binary")
    return [
        *({"name": body, "webhook": {"url": f"{base}/{body}", "body": body, "http": http}}
          for body in bodies),
        {"name": "replicas", "alertmanager": {"urls": [base], "http": http}},
        {"name": "pager", "pagerduty": {"routing_key": "0" * 32, "url": base, "http": http}},
        {"name": "slack", "slack": {"url": f"{base}/slack", "http": http}},
        {"name": "teams", "teams": {"url": f"{base}/teams", "http": http}},
        {"name": "email", "email": {"smarthost": relay, "from": "a@relay.example",
                                    "to": ["soc@relay.example"], "tls": "never"}},
    ]


PLACES = {"/standard": "standard", "/alertmanager": "alertmanager", "/cloudevents": "cloudevents",
          "/cloudevents_binary": "cloudevents_binary", "/api/v2/alerts": "replicas",
          "/v2/enqueue": "pager", "/slack": "slack", "/teams": "teams"}


def check_inert(what, name, raw):
    text = raw.decode() if isinstance(raw, bytes) else raw
    if name == "email":
        text = text.replace("=\r\n", "")  # lines as they were
    text = re.sub(r"https://portal\.azure\.com/[^\s\"<>|)]*", "", text)  # ids stand in them
    for mark in ACTS.get(name, ()):
        body = text.split("text/html", 1)[-1] if mark[0] == "<" and name == "email" else text
        equal(mark in body, False, f"{what}: {mark!r} in a message of {name}:\n{body[:2000]}\n")
    if name == "email":
        head = text.split("\r\n\r\n", 1)[0]
        equal("\nBcc" in head, False, f"{what}: headers of a mail:\n{head}")
        return
    found = UNSEEN.search(json.dumps(json.loads(text), ensure_ascii=False))
    equal(found and hex(ord(found.group())), None, f"{what}: unseen characters for {name}")


def criticals(fake):
    """How many critical findings are open by now, ever."""
    return {a["id"] for a in fake.admin("dump")["assessments"]
            if a["code"] == "Unhealthy" and a["riskLevel"] == "Critical"}


def one_more(fake):
    """Evolve until there is a critical finding that was not there."""
    before = criticals(fake)
    for _ in range(50):
        fake.admin("advance?steps=1", "POST")
        if criticals(fake) - before:
            return
    raise AssertionError("no new critical finding in 50 steps")


def test_every_receiver_tells_it_whatever_it_is_called():
    with Folder() as folder, Sink() as sink, Mail() as mail, Fake(
            "--provable", "--assessments", "300", "--machines", "0", "--seed", "7",
            "--page-rows", "100") as fake:
        folder.file("rules.yml", RULES)
        listed = receivers(sink.url, mail.address)
        names = [one["name"] for one in listed]
        routes = [{"receiver": name, "continue": True} for name in names]
        quick = {name: {"interval": "1s"} for name in ("subscriptions", "assessments")}
        config = settings(
            fake.url, folder.file("secret", SECRET),
            {**quick, "catalogue": {"interval": "1s"}, "secure_scores": {"enabled": False},
             "baselines": {"enabled": False}},
            alerts={"rules": ["rules.yml"], "receivers": listed, "governor": {"messages": 0},
                    "ledger": {"first_run": "silent"},
                    "route": {"receiver": names[0], "group_by": ["..."], "group_wait": "0s",
                              "group_interval": "1s", "routes": routes}})
        with Exporter(folder, config) as exporter:
            exporter.wait_ready()
            exporter.wait_metric("the first decisions", lambda m: m.all(
                "defender_findings_opened_total", risk_level="low"))
            for what, name in NAMES.items():
                seen, letters = len(sink.taken()), len(mail.messages)
                fake.admin("names", "POST", name)
                one_more(fake)

                def told():
                    new = {PLACES[m["path"]] for m in sink.taken()[seen:]}
                    return new | ({"email"} if len(mail.messages) > letters else set())
                try:
                    until("a message of each", lambda: told() >= set(names), 20, 0.1)
                except AssertionError:
                    raise AssertionError(f"{what}: no message of {set(names) - told()}:\n"
                                         f"{exporter.log[-3000:]}") from None
                for message in sink.taken()[seen:]:
                    check_inert(what, PLACES[message["path"]], message["raw"])
                for message in mail.messages[letters:]:
                    check_inert(what, "email", message)
            equal(exporter.log.count("refused a message"), 0, "refused messages")


run(globals())
