"""What must be told, worked out from the stand-in's own history and nothing else.

A finding is told when it opens and when it is over; those that were open at the start are not.
"""
import hashlib
import os
import sqlite3


def finding_id(row_id, source="assessments"):
    """The 16 hex digits by which a finding is known everywhere."""
    return hashlib.sha256(source.encode() + b"\0" + row_id.lower().encode()).hexdigest()[:16]


def fingerprint(alert):
    """Of what makes it the same alert: its rule and its subject, not its risk nor its team."""
    if "finding_id" in alert["labels"]:
        names = {"finding_id"}
    elif alert["event"].startswith("rule."):
        names = {name for name, value in alert["labels"].items()
                 if (name, value) != ("cloud", "azure")}  # what every one of Azure has
    else:
        names = {"source", "subject", "subscription_id"}
    total = 14695981039346656037
    for name in sorted(names & set(alert["labels"]) | {"alertname"}):
        for byte in b"%s\xff%s\xff" % (name.encode(), alert["labels"][name].encode()):
            total = (total ^ byte) * 1099511628211 % 2**64
    return f"{total:016x}"


class Model:
    """The assessments of a tenant from one generation to the next."""

    def __init__(self, dump):
        self.open = {a["id"].lower() for a in dump["assessments"] if a["code"] == "Unhealthy"}
        self.episode = dict.fromkeys(self.open, 1)
        self.alerted = set()
        self.exempted = set()
        self.told = set()  # (finding, event, episode)
        self.generation = dump.get("generation", 0)

    def open_ids(self):
        return {finding_id(row) for row in self.open}

    def advance(self, history):
        """Take what happened since the last call; several changes of one row in one generation are
        one change."""
        later = [h for h in history if h["generation"] > self.generation]
        for generation in sorted({h["generation"] for h in later}):
            self.step([h for h in later if h["generation"] == generation])
            self.generation = generation

    def step(self, changes):
        after = {}
        for change in changes:
            if change["kind"] != "assessment" or change["event"] == "rerated":
                continue
            opens = change["event"] in ("opened", "reopened")
            after[change["id"].lower()] = (opens, change["event"])
        for row, (opens, event) in after.items():
            if opens and row not in self.open:
                self.opened(row)
            elif not opens and row in self.open:
                self.resolved(row, event)

    def opened(self, row):
        known = row in self.episode
        self.episode[row] = self.episode.get(row, 0) + 1
        self.open.add(row)
        self.alerted.add(row)
        event = "finding.reopened" if known else "finding.opened"
        self.tell(row, "finding.exemption_expired" if row in self.exempted else event)
        self.exempted.discard(row)

    def resolved(self, row, event):
        self.open.discard(row)
        if event == "exempted":
            self.exempted.add(row)
        if row in self.alerted:
            self.tell(row, "finding.exempted" if event == "exempted" else "finding.resolved")
        self.alerted.discard(row)

    def tell(self, row, event):
        self.told.add((finding_id(row), event, self.episode[row]))


def told_of(message):
    """The same of one accepted message; a change of risk is told, too, but not modelled. A finding
    is one alert of a rule, whatever its risk: it stands in a message once, under one name."""
    alerts = message["body"]["data"]["alerts"]
    names = [(alert["rule"], alert["labels"]["finding_id"])
             for alert in alerts if "finding_id" in alert["labels"]]
    assert len(names) == len(set(names)), f"a finding stands twice in {message['body']}"
    for alert in alerts:
        assert alert["fingerprint"] == fingerprint(alert), alert
    return {(alert["labels"]["finding_id"], alert["event"], alert["episode"])
            for alert in alerts
            if "finding_id" in alert["labels"] and alert["event"] != "finding.risk_changed"
            and alert["reason"] not in ("no_longer_matches", "moved")}


# --- how far the exporter is: its database, read beside it ---------------------------------------

def query(folder, sql):
    """Rows of the exporter's database, read beside it; none while it is not there."""
    path = os.path.join(folder.path, "defender_exporter.db")
    if not os.path.exists(path):
        return set()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as database:
        try:
            return set(database.execute(sql))
        except sqlite3.OperationalError as error:
            if "no such table" in str(error) or "unable to open" in str(error):
                return set()
            raise


def open_in_ledger(folder):
    return {row[0].hex()[:16] for row in query(
        folder, "SELECT id FROM ledger_known WHERE is_open = 1 AND source = 'assessments'")}


def queued_ever(folder):
    return {(finding.hex()[:16], event, episode) for finding, event, episode in query(
        folder, "SELECT finding_id, event, episode FROM outbox_member "
                "WHERE finding_id IS NOT NULL")}


def settled(folder, model):
    """Whether everything of this generation is decided; delivery may still be under way."""
    return open_in_ledger(folder) == model.open_ids() and model.told <= queued_ever(folder)
