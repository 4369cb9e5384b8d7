#!/usr/bin/env python3
"""What a person reads: one situation after the other, as every kind of receiver is told of it.

GOLDEN_WRITE=1 renews tests/golden/readers: look at the difference."""
import difflib
import functools
import html
import json
import os
import re
import subprocess

import readable
from harness import ROOT, SLOWNESS, equal, run
from questions import STORIES

PRINTER = os.environ.get("PRINT_REQUESTS", os.path.join(ROOT, "build/release/print_requests"))
GOLDEN = os.path.join(ROOT, "tests/golden/readers")
NOW = 1796500000  # of the attempts: 2026-12-05, after all that happens in tests/tools/situations.c
FOLDED = ("cloudevents", "cloudevents_binary")  # the envelope; what is in it is that of `standard`
WHOLE = 2  # messages of one receiver and situation that a golden has in full
TAKEN_FROM = ("opened", "rerated", "overdue", "reopened", "aws")  # each answers every question
FIRST = 60  # characters of a title that a locked screen shows


@functools.lru_cache(None)
def requests(without=""):
    """{(situation, variant): its requests}; without: a question whose answers were taken out."""
    output = subprocess.run([PRINTER, str(NOW), *([without, *TAKEN_FROM] if without else [])],
                            stdin=subprocess.DEVNULL, check=True, capture_output=True, text=True,
                            timeout=60 * SLOWNESS).stdout
    made = {}
    for line in output.splitlines():
        request = json.loads(line)
        if not request["fixture"]:
            made.setdefault((request["situation"], request["variant"]), []).append(request)
    return made


def situations():
    return list(dict.fromkeys(situation for situation, _ in requests()))


def variants():
    return list(dict.fromkeys(variant for _, variant in requests()))


# --- golden files ------------------------------------------------------------------------------
def envelope(request, standard):
    """A CloudEvent without what the standard body has, too."""
    body = json.loads(request["body"])
    headers = {name.lower(): value for name, value in request["headers"].items()}
    data = body.pop("data") if request["variant"] == "cloudevents" else body
    equal(data, json.loads(standard["body"])["data"], f"data of {request['page']}")
    named = {name: value for name, value in headers.items() if name.startswith("ce-")}
    return json.dumps(named or body, indent=1, ensure_ascii=False)


def golden_of(situation):
    lines = []
    for variant in variants():
        told = requests().get((situation, variant), [])
        for number, request in enumerate(told[:WHOLE]):
            if variant in FOLDED:
                standard = requests()[situation, "standard"][number]
                texts = {variant: envelope(request, standard)}
            else:
                texts = readable.texts(request)
            for name, text in texts.items():
                lines += [f"===== {name}" + (f", {number + 1} of {len(told)}" if told[1:] else ""),
                          readable.folded(text.strip("\n")), ""]
    return "\n".join(lines)


def test_every_situation_equals_its_golden_file():
    os.makedirs(GOLDEN, exist_ok=True)
    for situation in situations():
        path = os.path.join(GOLDEN, situation + ".txt")
        text = golden_of(situation)
        if os.environ.get("GOLDEN_WRITE"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        with open(path, encoding="utf-8") as file:
            lines = difflib.unified_diff(file.read().splitlines(), text.splitlines(),
                                         lineterm="", n=1)
        equal(list(lines)[:40], [], situation)
    equal(sorted(os.listdir(GOLDEN)), sorted(name + ".txt" for name in situations()),
          "golden files")


# --- what is asked -----------------------------------------------------------------------------
def plain(text):
    """Without emphasis, in single spaces."""
    return re.sub(r"\s+", " ", text.replace("*", ""))


def told_to(situation, without=""):
    """{receiver: all it is sent, each message once}, of those that people read."""
    found = {}
    for variant in readable.HUMAN:
        for request in requests(without).get((situation, variant), []):
            for name, text in readable.texts(request).items():
                found.setdefault(name, []).append(text)
    return {name: "\n\n".join(texts) for name, texts in found.items()}


def unanswered(asked, text):
    """The questions that the text does not answer in full."""
    text = plain(text)
    return sorted(question for question, answers in asked.items()
                  if not all(answer in text for answer in answers))


def named(texts):
    """{receiver: (what is asked of it, its text)} of one situation."""
    return {name: (name.split()[0], text) for name, text in texts.items()}


def complaints(situation, story, name, receiver, text):
    """What a text does not say, and what it says wrongly."""
    for question, answers in story.asked_of(receiver).items():
        for answer in answers:
            if answer not in plain(text):
                yield f"{situation}, {name}, {question}: no {answer!r}"
    for word in story.never:
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", plain(text)):
            yield f"{situation}, {name}: has {word!r}"


def test_every_question_is_answered():
    equal(sorted(situations()), sorted(STORIES), "situations with questions")
    found = []
    for situation, story in STORIES.items():
        texts = told_to(situation)
        equal(sorted(texts), sorted((*readable.HUMAN, "email as HTML")), f"told of {situation}")
        for name, (receiver, text) in named(texts).items():
            found.extend(complaints(situation, story, name, receiver, text))
    equal("\n".join(found), "", "answers")


def test_an_answer_that_is_taken_out_is_missed():
    """Without the lines of an answer, everywhere, its question is the one that stays open."""
    for situation, story in STORIES.items():
        for name, (receiver, text) in named(told_to(situation)).items():
            for question, answers in story.asked_of(receiver).items():
                for answer in answers:
                    left = "\n".join(line for line in plain_lines(text) if answer not in line)
                    if question not in unanswered(story.asked_of(receiver), left):
                        raise AssertionError(f"{name} of {situation} without {answer!r}: nobody"
                                             f" misses the answer to {question!r}")


def plain_lines(text):
    return [plain(line) for line in text.split("\n")]


def test_what_the_message_does_not_know_is_missed():
    """Taken out of the message itself, an answer is missed by the readers of every receiver."""
    for question in ("who", "where", "why", "fix", "until", "silence"):
        for situation in TAKEN_FROM:
            for name, (receiver, text) in named(told_to(situation, question)).items():
                missed = unanswered(STORIES[situation].asked_of(receiver), text)
                if question not in missed:
                    raise AssertionError(f"{name} of {situation} without {question!r}: only"
                                         f" {missed} are missed")


def test_titles_decide_within_what_a_locked_screen_shows():
    for situation, story in STORIES.items():
        text = told_to(situation)["slack"]
        title = text.split("\n")[0][:FIRST]
        equal([part for part in story.first if part not in title], [],
              f"the first {FIRST} characters of {situation}: {title!r}")


# --- programs ------------------------------------------------------------------------------------
# Words of a layout; programs have members.
LAID_OUT = re.compile(r"on \d attack path|of \d points|more$|\(\d+\)$|, was High$|lock somebody|"
                      r"^Value$|Worst findings|What this message|^\d+ \w+: |^\d+ by |told again$|"
                      r"points$|\bon stprod0\d|found 12|reached from")


def texts_of(value):
    """Every text in JSON."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return " ".join(texts_of(one) for one in value)
    return str(value)


def as_told_to_programs(answer):
    """Instants are RFC 3339, name and id have a member each."""
    at = re.search(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC", answer)
    both = re.fullmatch(r"(\w+) \(([0-9a-f-]{36})\)", answer)
    return [f"{at[1]}T{at[2]}:00Z"] if at else both.groups() if both else [answer]


def test_programs_are_told_the_same():
    """The bodies of webhooks have in members what people read."""
    found = []
    for situation, story in STORIES.items():
        body = plain(" ".join(texts_of(json.loads(request["body"]))
                              for request in requests()[situation, "standard"]))
        for question, answers in story.page.items():
            for answer in answers:
                dropped = situation == "hundreds" and question == "why"  # to fit
                if question != "gain" and not dropped and not LAID_OUT.search(answer):
                    found.extend(f"{situation}, {question}: no {one!r}"
                                 for one in as_told_to_programs(answer)
                                 if one.lower() not in body.lower())
    equal("\n".join(found), "", "what webhooks are not told")


def test_each_alert_tells_all():
    """In Alertmanager each alert stands alone."""
    always = {"summary", "recommendation", "resource_id", "portal_url", "opened_at"}
    firing = {"description", "remediation", "silence", "why"}
    for situation in STORIES.keys() - {"digest"}:  # what is told in brief
        alerts = [alert for request in requests()[situation, "alertmanager"]
                  for alert in json.loads(request["body"])["alerts"]]
        for request in requests()[situation, "alertmanager_v2"]:
            alerts += [{**alert, "status": "firing" if alert["endsAt"] > "2026-12" else "resolved"}
                       for alert in json.loads(request["body"])]
        for alert in alerts:
            labels, told = alert["labels"], set(alert["annotations"])
            what = f"{labels['alertname']} in {situation}"
            if "finding_id" not in labels:
                equal({"summary"} - told, set(), what)
                continue
            baseline = labels["source"] == "baselines"
            far = {"resource_id", "portal_url"} if situation in ("hundreds", "longest") else set()
            equal(always - told - far, set(), what)  # at most 25 resources of a group are named
            equal({"subscription_id", "subscription_name", "resource_name", "risk_level"} -
                  set(labels), set(), what)
            if alert["status"] == "firing":
                equal(firing - told - ({"why"} if baseline else set()), set(), what)
                equal(labels["finding_id"] in alert["annotations"]["silence"], True, what)
                equal("due_at" in told, not baseline, "when " + what + " is due")
            else:
                equal({"reason"} - told, set(), what)
                equal(told & {"remediation", "silence", "why", "due_at", "threats"}, set(), what)


# --- what no message may have --------------------------------------------------------------------
ODD = {
    "a null": r"\(null\)|\bnull\b|\bnan\b|\binf\b|undefined",
    "a format": r"%[sdlu]\b|\{\{|\}\}",
    "an empty link or bracket": r"<>|\(\)|\[\]|<https?://>",
    "an empty value": r"(?m)^(?:- |• )?[A-Z][A-Za-z ]{1,24}: *\n(?!\n|- |• |\d)",
    "two empty lines": r"\n\n\n",
    "space before punctuation": r"\w [.,;:](?:\s|$)",
    "punctuation twice": r",,|, ,|;;|; ;|\. \.|(?<!\.)\.\.(?!\.)",
    "time that did not pass": r"\b0 s\b",
    "one of several": r"\b1 (?:receivers|resources|findings|points|alerts)\b",
}
REPEATED = 40  # characters; what is as long and said twice is a mistake


def repeated(text):
    """Long lines that are said twice; titles are, and what blocks have alike."""
    lines = [line.strip(" -•") for line in text.split("\n")]
    title = re.sub(r"^\[[A-Z ()]+\] ", "", lines[0])
    return sorted({line for line in lines if len(line) > REPEATED and lines.count(line) > 1 and
                   title not in line and not line.startswith(("Why: ", "Threatens: ", "<https",
                                                              "https"))})


def test_no_message_has_what_is_odd():
    found = []
    for (situation, variant), told in requests().items():
        for request in told if variant in readable.HUMAN else ():
            for name, text in readable.texts(request).items():
                what = f"{request['page']}, {name}"
                for odd, pattern in ODD.items():
                    at = re.search(pattern, text)
                    if at:
                        around = text[max(0, at.start() - 60):at.end() + 40]
                        found.append(f"{what}: {odd}: {around!r}")
                if situation not in ("longest", "by_machine"):
                    found.extend(f"{what}: twice {line!r}" for line in repeated(text))
    equal("\n".join(found), "", "what is odd")


# --- limits --------------------------------------------------------------------------------------
def slack_fits(body):
    message = json.loads(body)
    blocks = message["blocks"]
    points = len("".join(json.dumps(block, ensure_ascii=False) for block in blocks))
    texts = [block["text"]["text"] for block in blocks if block["type"] == "section" and
             "text" in block]
    fields = [block["fields"] for block in blocks if "fields" in block]
    context = [block["elements"] for block in blocks if block["type"] == "context"]
    return {
        "blocks": len(blocks) <= 50, "all of it": points <= 13200,
        "fallback": len(message["text"]) <= 4000,
        "header": all(len(block["text"]["text"]) <= 150 for block in blocks
                      if block["type"] == "header"),
        "sections": all(0 < len(text) <= 3000 for text in texts),
        "fields": all(0 < len(field) <= 10 for field in fields),
        "each field": all(len(one["text"]) <= 2000 for field in fields for one in field),
        "context": all(0 < len(elements) <= 10 for elements in context)}


def teams_fits(body):
    card = json.loads(body)["attachments"][0]["content"]
    facts = [block["facts"] for block in card["body"] if block["type"] == "FactSet"]
    return {"bytes": len(json.dumps(json.loads(body))) <= 28 * 1024, "version": card["version"] <=
            "1.4", "actions": len(card["actions"]) <= 6, "facts": all(facts),
            "texts": all(block["text"] for block in card["body"] if block["type"] == "TextBlock")}


def pagerduty_fits(body):
    event = json.loads(body)
    payload = event["payload"]
    return {"bytes": len(body.encode()) <= 512000, "summary": 0 < len(payload["summary"]) <= 1024,
            "key": len(event["routing_key"]) == 32, "dedup": len(event.get("dedup_key", "")) <= 255,
            "severity": payload.get("severity", "info") in ("critical", "error", "warning", "info"),
            "links": all(link["href"].startswith("https://") for link in event.get("links", []))}


def email_fits(body):
    lines = body.split("\r\n")
    return {"bytes": len(body) <= 1 << 20, "lines": max(map(len, lines)) <= 998,
            "folded": max(map(len, lines)) <= 100, "ASCII": body.isascii()}


def characters(value):
    """Of every text in JSON, as UTF-16 counts them, which is the most that services count."""
    return len(texts_of(value).encode("utf-16-le")) // 2


def google_chat_fits(body):
    message = json.loads(body)
    widgets = message["cardsV2"][0]["card"]["sections"][0]["widgets"]
    return {"bytes": len(body.encode()) <= 32000, "text": bool(widgets[0]["textParagraph"]["text"]),
            "key": len(message["thread"]["threadKey"]) <= 4000, "widgets": len(widgets) <= 100,
            "title": bool(message["cardsV2"][0]["card"]["header"]["title"])}


def mattermost_fits(body):
    attachment, = json.loads(body)["attachments"]
    return {"bytes": len(body) <= 7900, "colour": re.fullmatch("#[0-9a-f]{6}", attachment["color"]),
            "text": 0 < characters(attachment["text"]) <= 16383, "title": attachment["title"]}


def discord_fits(body):
    message = json.loads(body)
    embed, = message["embeds"]
    return {"title": 0 < characters(embed["title"]) <= 256,
            "description": characters(embed["description"]) <= 4096,
            "fields": len(embed["fields"]) <= 25,
            "each field": all(0 < characters(field["value"]) <= 1024 for field in embed["fields"]),
            "all of it": characters(embed) <= 6000, "nobody": message["allowed_mentions"] ==
            {"parse": []}, "colour": 0 < embed["color"] < 1 << 24,
            "when": re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", embed["timestamp"])}


def ntfy_fits(body):
    message = json.loads(body)
    return {"bytes": len(body.encode()) <= 8192,
            "message": 0 < len(message["message"].encode()) <= 4096,
            "title": 0 < len(message["title"].encode()) <= 250, "topic": message["topic"],
            "priority": message["priority"] in (1, 2, 3, 4, 5),
            "tags": message["tags"][0] in ("rotating_light", "warning", "heavy_check_mark")}


FITS = {
    "google_chat": google_chat_fits, "mattermost": mattermost_fits, "discord": discord_fits,
    "ntfy": ntfy_fits, "ocsf": lambda body: {"bytes": len(body.encode()) <= 512 * 1024},
    "slack": slack_fits, "teams": teams_fits, "pagerduty": pagerduty_fits, "email": email_fits,
    "standard": lambda body: {"bytes": len(body.encode()) <= 64 * 1024},
    "cloudevents": lambda body: {"bytes": len(body.encode()) <= 64 * 1024},
    "cloudevents_binary": lambda body: {"bytes": len(body.encode()) <= 64 * 1024},
    "alertmanager": lambda body: {"bytes": len(body.encode()) <= 512 * 1024},
    "alertmanager_v2": lambda body: {"bytes": len(body.encode()) <= 256 * 1024,
                                     "alerts": len(json.loads(body)) <= 64},
}


def test_every_message_is_within_its_receivers_limits():
    equal(sorted(FITS), sorted(variants()), "receivers with limits")
    for (_, variant), told in requests().items():
        for request in told:
            broken = [what for what, fits in FITS[variant](request["body"]).items() if not fits]
            equal(broken, [], f"limits of {variant} that {request['page']} breaks")


# --- bodies from templates -----------------------------------------------------------------------
EXAMPLES = ("google_chat", "mattermost", "discord", "ntfy")


def said_by(request):
    """What a person reads of a body that the examples make."""
    text = texts_of(json.loads(request["body"])).replace("\u200b", "")
    text = re.sub(r"\\([\\`*_~\[\]<>|#])", r"\1", html.unescape(text.replace("<br>", "\n")))
    return plain(re.sub(r"</?b>", "", text))


def test_examples_say_what_where_and_how_to_fix():
    """The titles of all, and of what is open each resource, the fix, the link and the silence."""
    found = []
    for situation, story in STORIES.items():
        for variant in EXAMPLES:
            told = requests()[situation, variant]
            text = " ".join(map(said_by, told))
            bodies = [json.loads(one["body"])["data"] for one in requests()[situation, "standard"]]
            wanted = [plain(body["title"]) for body in bodies]
            cut = any(request["truncated"] for request in told) or "…" in text
            for body in bodies if not cut else ():
                wanted += [body["silence_command"]] * (body["status"] == "firing")
                for block in body["blocks"]:
                    named = block.get("resources", [])
                    wanted += [f"{one['name']} in {one['group']}, {one['subscription_name']}: "
                               f"{one['state']}" for one in named if "group" in one]
                    if block.get("open_count") and named and block["remediation"] != "…":
                        wanted.append(block["remediation"].split("\n")[0])
            found += [f"{situation}, {variant}: no {one!r}" for one in wanted
                      if plain(one)[:200] not in text]
    equal("\n".join(found), "", "what examples do not say")


run(globals())
