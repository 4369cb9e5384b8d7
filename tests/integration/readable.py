"""What receivers are sent, as a person reads it: requests of print_requests as lines of text."""
import email
import email.policy
import html
import html.parser
import json
import re

HUMAN = ("slack", "teams", "pagerduty", "email")
SHOWN = 2    # elements of a long list of JSON
LONG = 400   # characters of a long text in it


class Page(html.parser.HTMLParser):
    """The text of an HTML body, a line for each block, and where its links lead."""

    def __init__(self):
        super().__init__()
        self.lines = [""]
        self.hidden = 0

    def handle_starttag(self, tag, attrs):
        if tag in ("style", "script", "title", "head"):
            self.hidden += 1
        elif tag in ("p", "div", "tr", "table", "h1", "h2", "h3", "li", "br", "ul", "ol", "pre"):
            self.lines.append("")
        elif tag == "td" and self.lines[-1]:
            self.lines[-1] += " "
        elif tag == "a":
            self.lines[-1] += f"<{dict(attrs)['href']}> "

    def handle_endtag(self, tag):
        if tag in ("style", "script", "title", "head"):
            self.hidden -= 1
        elif tag in ("p", "div", "tr", "table", "h1", "h2", "h3", "li", "pre"):
            self.lines.append("")

    def handle_data(self, data):
        if self.hidden:
            return
        first, *others = data.split("\n")
        self.lines[-1] += first
        self.lines.extend(others)


def of_slack(body):
    """Header, sections, fields and context; <url|text> is a link."""
    message = json.loads(body)
    texts = [message["text"]]
    for block in message["blocks"]:
        for part in [block.get("text"), *block.get("fields", []), *block.get("elements", [])]:
            if part:
                texts.append(part["text"])
    text = "\n".join(texts)
    text = re.sub(r"<(https?://[^|>]*)\|([^>]*)>", r"\2 <\1>", text)
    return html.unescape(text)


def of_teams(body):
    card = json.loads(body)["attachments"][0]["content"]
    lines = []
    for block in card["body"]:
        if block["type"] == "FactSet":
            lines.extend(f"{fact['title']}: {fact['value']}" for fact in block["facts"])
        else:
            lines.append(block["text"])
    lines.extend(f"[{action['title']}]({action['url']})" for action in card["actions"])
    text = re.sub(r"\\([\\*_\[\]`~#])", r"\1", "\n".join(lines))
    return re.sub(r"\[((?:[^][\n]|\[[^][\n]*\])*)\]\((https?://[^)\s]*)\)", r"\1 <\2>", text)


def of_pagerduty(body):
    event = json.loads(body)
    payload = event.get("payload", {})
    lines = [payload.get("summary", "")] if payload.get("summary") else []
    lines.append("event: " + event.get("event_action", "change"))
    lines.extend(f"{name}: {payload[name]}" for name in ("severity", "source", "component", "group",
                                                         "class") if name in payload)
    lines.extend(f"{name}: {value}" for name, value in payload.get("custom_details", {}).items())
    lines.extend(f"{link['text']} <{link['href']}>" for link in event.get("links", []))
    return "\n".join(lines)


def of_email(body):
    mail = email.message_from_bytes(body.encode("ascii"), policy=email.policy.default)
    page = Page()
    page.feed(mail.get_body(("html",)).get_content().replace("\r\n", "\n"))
    plain = mail.get_body(("plain",)).get_content().replace("\r\n", "\n").strip("\n")
    lines = [re.sub(r"[ \xa0]+", " ", line).strip() for line in page.lines]
    return {"email": f"{mail['subject']}\n{plain}",
            "email as HTML": "\n".join([mail["subject"], *(line for line in lines if line)])}


def shortened(value):
    """JSON with the first elements of its long lists and the beginnings of its long texts."""
    if isinstance(value, dict):
        return {name: shortened(one) for name, one in value.items()}
    if isinstance(value, list):
        more = [f"... and {len(value) - SHOWN} more"] if len(value) > SHOWN else []
        return [shortened(one) for one in value[:SHOWN]] + more
    if isinstance(value, str) and len(value) > LONG:
        return f"{value[:LONG]}... and {len(value) - LONG} more characters"
    return value


def of_json(body):
    """A release changes no golden: the program's version in it is left out."""
    body = re.sub(r'("name":"defender_exporter",[^{}]*"version":")[^"]*', r"\1of the program", body)
    return json.dumps(shortened(json.loads(body)), indent=1, ensure_ascii=False)


def texts(request):
    """{receiver: text} of a request; a mail has two."""
    variant, body = request["variant"], request["body"]
    if variant == "email":
        return of_email(body)
    makers = {"slack": of_slack, "teams": of_teams, "pagerduty": of_pagerduty}
    return {variant: makers.get(variant, of_json)(body)}


def folded(text):
    """What is said many times over, such as the texts of the longest message, twice."""
    paragraphs = text.split("\n\n")
    kept = []
    for place, one in enumerate(paragraphs):
        if paragraphs[max(0, place - 2):place] != [one, one]:
            kept.append(one)
        elif paragraphs[place + 1:place + 2] != [one]:
            kept.append("... and so on")
    return "\n\n".join(kept)
