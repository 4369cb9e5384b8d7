"""What of a message about a multicloud tenant is true, judged by the stand-in's dumps and no more.

A message is of a moment: what it says of one finding or score must all hold in one of the last
generations together.
"""
import calendar
import collections
import copy
import re
import time

from alerts_model import finding_id
from harness import equal

CLOUDS = {"azure": "Azure", "aws": "AWS", "gcp": "GCP", "github": "GitHub",
          "azuredevops": "Azure DevOps"}
ACCOUNTS = {"AWS": "account", "GCP": "project", "GitHub": "owner", "Azure DevOps": "organization"}
SLA_S = {"critical": 15, "high": 30, "medium": 60}  # some are due, exempted and late in a minute
LATE = 4  # generations that a message may be late: its group waits for its interval
ROUNDING = 1e-9
KINDS = {"Machines should have vulnerability findings resolved": "SoftwareUpdate",
         "Exposed secrets found on machines should be removed": "ExposedSecrets"}


def seconds(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) if text else 0


def risk_of(row):
    level = row["riskLevel"].lower()
    return level if level in ("critical", "high", "medium", "low") else "not_evaluated"


def named(connector, all_of_them):
    """Its name; with its resource group, where the subscription has two of that name."""
    parts = connector.lower().split("/")
    alike = {other for other in (c.lower() for c in all_of_them)
             if other.split("/")[2] == parts[2] and other.split("/")[-1] == parts[-1]}
    return parts[-1] if len(alike) == 1 else f"{parts[4]}/{parts[-1]}"


def cloud_of(row):
    """Machines on premises are Azure's: they are seen through Arc."""
    source = row["source"].lower()
    return "azure" if source.startswith("onpremise") else source


def account_of(row):
    """What an ARN says of it; those of buckets say nothing."""
    native = row.get("nativeId", "").split(":")
    return native[4] if native[0] == "arn" else ""


def environment_of(row, labels, connector):
    cloud, account = CLOUDS[cloud_of(row)], labels.get("account", "")
    if not connector:
        return cloud
    word = ACCOUNTS[cloud]
    return f"{cloud}{f' {word} {account}' if account else ''} through connector {connector}"


def shown(text):
    """As messages show what others named: no client makes a link of it."""
    return text.replace("://", "[:]//")


def ratio_of(score):
    told = score["ratio"] is not None and 0 <= score["ratio"] <= 1 and score["max"]
    return score["ratio"] if told else None


def place_of(row):
    """What grouped and individual recommendations may both tell of; None for all others."""
    kind = row["individual"] or (KINDS.get(row["title"]) if row["grouped"] else None)
    return (row["resourceId"], kind) if kind else None


class Finding:
    """One row in one generation, and what its past makes of it."""

    hidden = False  # it has no row since its subscription is told in another model
    is_news = True  # it did not open by such a change

    def __init__(self, row, before):
        self.row, self.open = row, row is not None and row["code"] == "Unhealthy"
        self.facts = row or before.facts
        self.opened_at, self.ended = (before.opened_at, before.ended) if before else (0, "")
        self.ran = before.ran if before else {0}  # of its SLA before: what may be told
        self.dues = before.dues if before else {0}  # of what is over: as they were
        if self.open:
            if not (before and before.open and self.opened_at == row["changed"]):
                self.begin(before)
            allowed = SLA_S.get(risk_of(row))
            self.dues = {self.opened_at + allowed - ran if allowed else 0 for ran in self.ran}
        elif before and (before.open or (row and row["cause"] == "Exempt"
                                         and self.ended == "unseen")):
            self.end(before)
        elif row and self.ended == "exempt" and row["cause"] not in ("Exempt", "Retired"):
            self.ran = self.ran | {0}  # it is fixed, if the ledger saw this generation

    def begin(self, before):
        """Another life: an exemption stopped its clock, and being out of sight did not."""
        unseen = self.ended == "unseen" and self.opened_at == self.row["changed"]
        if before and before.open:  # nobody saw its end: its date may be a corrected one
            self.ran = self.ran | {0}
        elif self.ended != "exempt" and not unseen:
            self.ran = {0}
        self.opened_at = self.row["changed"]

    def end(self, before):
        cause = self.row["cause"] if self.row else "Retired"
        self.ended = {"Exempt": "exempt", "Retired": "unseen"}.get(cause, "status")
        if self.ended == "exempt":
            ran = self.row["changed"] - self.opened_at
            self.ran = {before_it + ran for before_it in self.ran}
            if before.hidden or not before.open:  # nobody may have seen that it is exempt
                self.ran.add(0)

    def describe(self):
        word = "hidden" if self.hidden else "open" if self.open else self.ended_as()
        return f"{word} since {self.row['changed']}" if self.row else word

    def ended_as(self):
        if self.row is None:
            return "resource_deleted"
        if self.row["cause"] in ("Exempt", "Retired"):
            return "exempted" if self.row["cause"] == "Exempt" else "retired"
        return "fixed" if self.row["code"] == "Healthy" else "not_applicable"


class Truth:
    def __init__(self, score_drop):
        self.score_drop = score_drop
        self.generations = collections.deque(maxlen=LATE + 1)  # of {finding: Finding}, newest last
        self.scores = collections.defaultdict(list)  # by scope: ratios that Azure told, one each
        self.maximum = {}
        self.told = {}  # by rule and finding: what was said last
        self.judged = collections.Counter()
        self.untruths = []

    def take(self, dump):
        before = self.generations[-1] if self.generations else {}
        rows = {finding_id(row["id"]): row for row in dump["assessments"]}
        titles = {entry["key"]: entry["title"] for entry in dump["metadata"]}
        for row in rows.values():
            row["title"] = row["title"] or titles.get(row["key"], "")
        told = {place_of(row) for row in rows.values() if row["individual"]}
        for row in rows.values():
            if row["grouped"] and row["code"] == "Unhealthy" and place_of(row) in told:
                row.update(code="Retired", cause="Retired")  # each of it is told by itself
        there = set(dump["resources"])
        self.generations.append({key: self.finding(rows.get(key), before.get(key), there)
                                 for key in rows.keys() | before.keys()})
        self.note_news(before)
        for score in dump["scores"]:
            subject = (score["connectorId"] or "ascscore").lower()
            ratio = ratio_of(score)
            self.maximum[score["subscriptionId"], subject] = score["max"]
            if ratio is not None:
                self.scores[score["subscriptionId"], subject].append(ratio)
        self.connectors = {row["connectorId"] for row in rows.values() if row.get("connectorId")}
        self.subscriptions = {s["subscriptionId"]: s["name"] for s in dump["subscriptions"]}

    @staticmethod
    def finding(row, before, there):
        in_models = before and (before.facts["grouped"] or before.facts["individual"])
        if row or not in_models or before.facts["resourceId"] not in there:
            return Finding(row, before)
        gone = copy.copy(before)
        gone.hidden = True
        return gone

    def note_news(self, before):
        """What appears where the other model told of it, and does no more, is none."""
        now = self.generations[-1]
        places = {(place_of(f.facts), bool(f.facts["individual"]))
                  for key, f in before.items() if f.open and place_of(f.facts)
                  and (now[key].hidden or now[key].ended_as() == "retired")}
        for key, finding in now.items():
            last, place = before.get(key), place_of(finding.facts)
            if not before or not finding.open or not place or finding.hidden:
                continue
            appears = not last or last.hidden or (last.row and last.row["cause"] == "Retired")
            finding.is_news = last.is_news if last and last.open and not last.hidden else not (
                appears and (place, not finding.facts["individual"]) in places)

    def agrees(self, ledger):
        """Whether these are open: of what no row tells any more nobody knows."""
        now = self.generations[-1]
        hidden = {key for key, finding in now.items() if finding.hidden}
        return ledger - hidden == {key for key, f in now.items() if f.open} - hidden

    def differs(self, ledger):
        """The findings of which one says that they are open and the other does not."""
        now = self.generations[-1]
        return "; ".join(self.describe(key, key in ledger)
                         for key in sorted(ledger | {key for key, f in now.items() if f.open})
                         if key not in now or not now[key].hidden
                         and now[key].open != (key in ledger))

    def describe(self, key, ours):
        """What the ledger says of a finding, and what it was in the last generations."""
        past = [g[key].describe() if key in g else "unknown" for g in self.generations]
        facts = self.generations[-1][key].facts if key in self.generations[-1] else {}
        return (f"{key} is {'open' if ours else 'not open'}, and was {', '.join(past)}: "
                f"{facts.get('title')} ({facts.get('key')}) on {facts.get('resourceId')}")

    def watched(self):
        return {scope: ratios[-1] for scope, ratios in self.scores.items()}

    # --- messages --------------------------------------------------------------------------------

    def judge(self, message):
        """Note every untruth of it."""
        data = message["data"]
        self.judged["messages"] += 1
        self.attempt(self.judge_counts, data)
        for alert in data["alerts"]:
            if alert["event"].startswith("finding."):
                self.judged["findings", alert["labels"]["cloud"], alert["event"]] += 1
                self.attempt(self.judge_finding, alert, data)
                self.attempt(self.judge_news, alert, data)
            elif alert["event"].startswith("score."):
                self.judged["scores", alert["labels"]["cloud"], alert["event"]] += 1
                self.attempt(self.judge_score, alert, data)
            else:
                self.judged["others", alert["event"]] += 1

    def attempt(self, judge, *about):
        try:
            judge(*about)
        except (AssertionError, KeyError, IndexError, TypeError) as error:
            self.untruths.append((type(error).__name__, str(error), about))

    def judge_counts(self, data):
        firing = sum(alert["state"] == "firing" for alert in data["alerts"])
        equal(data["firing_count"], firing, "firing_count")
        equal(data["resolved_count"], len(data["alerts"]) - firing, "resolved_count")
        equal(data["status"], "firing" if firing else "resolved", "status")
        if data["opened_at"]:
            opened = [a["opened_at"] for a in data["alerts"]
                      if a["state"] == "firing" or not firing]
            equal(data["opened_at"], min(opened), "opened_at of the message")
            until = data["made_at"] if firing else max(a["ends_at"] for a in data["alerts"])
            equal(data["age_s"], seconds(until) - seconds(data["opened_at"]), "age")

    def judge_finding(self, alert, data):
        resource = next(r for block in data["blocks"] for r in block.get("resources", [])
                        if r["finding_id"] == alert["labels"]["finding_id"])
        wrong = []
        for late, findings in enumerate(reversed(self.generations)):
            found = findings.get(alert["labels"]["finding_id"])
            wrong.append(self.wrong_of_finding(alert, resource, found))
            if not wrong[-1]:
                self.judged["late", late] += 1
                return
        raise AssertionError(f"in no generation: {wrong}")

    def judge_news(self, alert, data):
        """What is late is late, and nothing is said again."""
        if alert["event"] == "finding.overdue" and alert["state"] == "firing":
            assert seconds(alert["due_at"]) <= seconds(data["made_at"]), "overdue before its time"
        if alert["event"] == "finding.no_longer_overdue":
            assert not alert["due_at"] or seconds(alert["due_at"]) > seconds(data["made_at"]), (
                "overdue still")
        if alert["state"] == "firing" and alert["event"] in ("finding.opened", "finding.reopened"):
            found = self.generations[-1].get(alert["labels"]["finding_id"])
            assert not found or found.is_news, f"told in another model before: {data['title']}"
        who = alert["labels"]["alertname"], alert["labels"]["finding_id"]
        said = [alert.get(name) for name in ("event", "state", "opened_at", "due_at", "risk_level")]
        before, self.told[who] = self.told.get(who), said
        assert said != before, f"said again: {who} {said}"

    def wrong_of_finding(self, alert, resource, finding):
        """What it says and what is, where they differ."""
        if not finding:
            return "no such finding"
        labels, row, due_at = alert["labels"], finding.facts, seconds(alert["due_at"])
        firing = alert["state"] == "firing"
        connector = self.below(row)
        in_time = alert["event"] == "finding.no_longer_overdue"  # a later date ends what was late
        ended = finding.hidden and not firing  # its end is noticed, and it is not fixed
        state = ("retired" if ended else "no_longer_overdue" if in_time and finding.open
                 else "open" if finding.open else finding.ended_as())
        facts = {
            "open": (firing or in_time, finding.open and not ended),
            "state": (resource["state"], state),
            "opened_at": (seconds(alert["opened_at"]), finding.opened_at),
            "resource's opened_at": (seconds(resource["opened_at"]), finding.opened_at),
            "cloud": (labels["cloud"], cloud_of(row)),
            "resource's cloud": (resource["cloud"], labels["cloud"]),
            "connector": (labels.get("connector", ""), connector),
            "resource's connector": (resource.get("connector", ""), connector),
            "account": (labels.get("account", ""), resource.get("account", "")),
            "account of the ARN": (account_of(row) or labels.get("account", ""),
                                   labels.get("account", "")),
            "environment": (resource.get("environment", ""),
                            environment_of(row, labels, connector)),
            "native_id": (resource.get("native_id", ""), shown(row.get("nativeId", ""))),
            "id": (resource["id"].lower(), row["resourceId"]),
            "subscription": (labels["subscription_id"], row["subscriptionId"]),
            "subscription's name": (labels["subscription_name"],
                                    self.subscriptions[row["subscriptionId"]]),
            "assessment": (labels["assessment_id"], row["key"]),
            "due_at": (due_at, due_at if due_at in finding.dues else max(finding.dues)),
            "resource's due_at": (seconds(resource.get("due_at", "")), due_at),
        }
        if firing and finding.open:
            facts["risk"] = (alert["risk_level"], risk_of(row))
        return {name: pair for name, pair in facts.items() if pair[0] != pair[1]}

    def judge_score(self, alert, data):
        labels = alert["labels"]
        ratios = self.scores[labels["subscription_id"], labels["subject"]]
        now, before = alert["value"], float(alert["annotations"]["value_before"])
        fallen = [i for i in range(1, len(ratios)) if ratios[i] == now and ratios[i - 1] > now]
        equal(labels["cloud"] == "azure", labels["subject"] == "ascscore", f"cloud of {labels}")
        equal(labels.get("connector", ""), self.connector_of(labels), f"connector of {labels}")
        if alert["state"] == "firing":
            assert any(before in ratios[:i] for i in fallen), f"{now} from {before} in {ratios}"
            assert before - now >= self.score_drop - ROUNDING, f"no drop: {before} to {now}"
            self.judge_score_words(alert, data)
        else:
            self.judge_recovery(alert, data, ratios[-LATE - 1:])

    def judge_recovery(self, alert, data, lately):
        """It is half the way back at least, of a fall that was a drop."""
        enough = alert["value"] + self.score_drop / 2 - ROUNDING
        back = [ratio for ratio in lately if ratio >= enough]
        assert back, f"is not back from {alert['value']}: {lately}"
        told = re.search(r" is back at ([\d.]+) %, had fallen to ([\d.]+) %", data["title"])
        if told:
            assert float(told[1]) in [round(ratio * 100, 1) for ratio in back], (told[0], back)
            equal(float(told[2]), round(alert["value"] * 100, 1), data["title"])

    def connector_of(self, labels):
        """What the connector is called whose score it is."""
        if labels["subject"] == "ascscore":
            return ""
        return named(labels["subject"], {subject for subscription, subject in self.maximum
                                         if subscription == labels["subscription_id"]
                                         and subject != "ascscore"})

    def below(self, row):
        """What the connector is called that a row is seen through, empty for Azure's own."""
        return named(row["connectorId"], self.connectors) if row.get("connectorId") else ""

    def judge_score_words(self, alert, data):
        block = next(b for b in data["blocks"] if b.get("fingerprint") == alert["fingerprint"])
        before, now = block["value_before"], block["value"]
        equal((before, now), (float(alert["annotations"]["value_before"]), alert["value"]),
              "values of the block")
        told = re.search(r"\(([\d.]+) -> ([\d.]+) %\)", data["title"])
        if told:
            equal(told.groups(), (f"{before * 100:.1f}", f"{now * 100:.1f}"), data["title"])
        connector = alert["labels"].get("connector")
        if connector and len(data["alerts"]) == 1:
            words = f"{CLOUDS[alert['labels']['cloud']]} connector {connector}"
            assert words in data["title"], data["title"]
        for cause in block.get("causes", []):
            if "finding_id" in cause:
                self.judge_cause(cause, alert["labels"])
        points = sum(cause["points"] for cause in block.get("causes", []))
        maximum = self.maximum[alert["labels"]["subscription_id"], alert["labels"]["subject"]]
        rest = (before - now) * maximum - points
        assert abs(rest - block.get("unexplained", 0)) < 0.02, (
            f"causes do not add up: {rest} of {maximum} is left of {block}")

    def judge_cause(self, cause, labels):
        rows = [g[cause["finding_id"]] for g in self.generations if cause["finding_id"] in g]
        self.judged["causes"] += 1
        assert any(f.open for f in rows), f"a cause that is not open: {cause}"
        facts = rows[-1].facts
        equal(facts["subscriptionId"], labels["subscription_id"], f"subscription of {cause}")
        equal((facts.get("connectorId") or "ascscore").lower(), labels["subject"],
              f"scope of {cause}")
