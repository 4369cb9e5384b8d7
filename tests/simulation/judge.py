#!/usr/bin/env python3
"""Judges the record of a simulation by the tenant's own history and nothing of the program.

  judge.py RECORD...      prints every violation; exit status 1 when there is one

What must hold, whatever went wrong meanwhile:
  settled   after hours of calm, what was told is what is so: an open finding that opened while the
            program lived is told as open, and no other
  true      a finding told as open was open at some instant of the last day; one told as over was
            not open at some instant since it was last told as open
  once      what happened is told under one id, an id has one body, and what a receiver has accepted
            is sent again only after a death
  exact     counts of a message add up; a finding's age is that since its change in the tenant, and
            it is due as long after as its risk allows, less what it was open before; it is over for
            a reason it had, and as risky as it was rated last
  silent    what is silenced is not told, and is told afterwards when it still fires
  patient   a receiver is let alone as long as it asks for
  bounded   no more messages a day about findings than happened to them, few about each source of
            data, and a database that does not grow
"""
import bisect
import collections
import datetime
import hashlib
import json
import sys

DAY = 86400
LATE = 36 * 3600  # how long receivers, Azure and the disk may keep a message from being sent
DATABASE_MAX = 16 << 20
KILLED = 137
DATA = ("data.stale", "data.recovered")
DATA_MAX = 24  # a day of a source: three intervals pass before it is stale again
OPENED = ("finding.opened", "finding.reopened")
OPENS = ("opened", "reopened")
# What a message may say of an end; of what has no row any more one cannot always be sure.
REASONS = {"fixed": {"fixed"}, "exempted": {"exempted"},
           "deleted": {"resource_deleted", "no_longer_assessed"}}
TOLD_AFTER = 2 * 3600  # a silence what it held back, at most, in a calm
REPEAT = 24 * 3600  # the default
FRESH = ("subscriptions", "assessments", "activity")  # read each hour at least


DUE_DAYS = {"critical": 7, "high": 30, "medium": 90}  # the defaults


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def finding_id(row):
    return hashlib.sha256(b"assessments\0" + row.encode()).hexdigest()[:16]


class Truth:
    """When each finding was open: a list of (instant, open), the oldest first."""

    def __init__(self):
        self.changes = collections.defaultdict(list)
        self.ends = collections.defaultdict(list)  # (instant, word)
        self.subscriptions = {}
        self.risks = {}  # as rated last; none when that was not by context

    def begin(self, at, rows):
        for row in rows:
            self.changes[self.finding(row)].append((at, True))

    def finding(self, row):
        finding = finding_id(row)
        self.subscriptions[finding] = row.split("/")[2]
        return finding

    def change(self, at, row, event, risk):
        finding = self.finding(row)
        self.risks[finding] = risk.lower()
        if event in REASONS:
            self.ends[finding].append((at, event))
        if event != "rerated":
            self.changes[finding].append((at, event in OPENS))

    def is_open(self, finding, at):
        changes = self.changes[finding]
        place = bisect.bisect_right(changes, (at, True))
        return place > 0 and changes[place - 1][1]

    def opened(self, finding, at, off_s):
        """Whether it did then, by a clock that may be so far behind."""
        return any(opens and at <= when <= at + off_s for when, opens in self.changes[finding])

    def reasons(self, finding, since, until):
        """Why it may have come to an end within that time."""
        return set().union(*(REASONS[event] for at, event in self.ends[finding]
                             if since <= at <= until))

    def was(self, finding, wanted, since, until):
        """Whether it was in that state at some instant of the time."""
        if self.is_open(finding, since) == wanted:
            return True
        changes = self.changes[finding]
        return any(opens == wanted for _, opens in
                   changes[bisect.bisect_left(changes, (since,)):
                           bisect.bisect_right(changes, (until, True))])


class Silences:
    """Those that somebody made, and may have made: the life may have died before it said so."""

    def __init__(self):
        self.made, self.wanted = [], []  # [of, from, surely until, until], by the wall clock

    def want(self, at, of, for_s):
        self.wanted.append([of, at, at, at + for_s])
        if not for_s and self.made:
            self.made[-1][2] = self.made[-1][1]  # from now on nobody is sure

    def make(self, of, since, until):
        if not any(silence[:2] == [of, since] for silence in self.made):  # else it was ended
            self.made.append([of, since, until, until])

    @staticmethod
    def covers(of, subscription):
        return of in ("alertname=Finding", "subscription_id=" + subscription)

    def hold(self, subscription, at):
        """Surely, from the beginning to the end."""
        return any(since < at < surely and self.covers(of, subscription)
                   for of, since, surely, _ in self.made)

    def may_hold(self, subscription, at):
        return any(at < until and self.covers(of, subscription)
                   for of, _, _, until in self.made + self.wanted)


class Judge:
    def __init__(self):
        self.silences = Silences()
        self.truth = Truth()
        self.violations, self.told = [], {}  # finding: (fires, at)
        self.ids, self.bodies, self.accepted = {}, {}, {}
        self.last = {}  # of a finding: what was told last, but for repeats
        self.quiet = set()  # open, but not seen to open: at first, or it was over unseen
        self.first_at = 0
        self.ends = self.deaths = 0  # of lives; those that were killed
        self.off_s = collections.Counter()  # of a day: what its clock was off at most
        self.happened, self.sent = collections.Counter(), collections.defaultdict(set)
        self.stale, self.made = {}, {}  # sources told as stale; of a finding: the last message
        self.quiet_until = 0  # what the receiver asked for
        self.late_s = 0  # between looking at the clock and acting, in this life

    def violate(self, at, what):
        self.violations.append((at, what))

    def read(self, line):
        at, kind = line["at"], line["kind"]
        if kind == "begin":
            self.first_at = at
            self.truth.begin(at, line["open"])
            self.quiet = {finding_id(row) for row in line["open"]}
        elif kind == "truth":
            self.truth.change(at, line["id"], line["event"], line["risk"])
            self.happened[at // DAY] += 1
        elif kind == "silence":
            self.silences.want(at, line["of"], line["for_s"])
        elif kind == "silenced":
            self.silences.make(line["of"], line["from"], line["until"])
        elif kind in ("life", "calm"):
            self.late_s = line["grain_s"]
        elif kind == "reload":
            self.quiet_until = 0
        elif kind == "death":
            self.quiet_until = 0
            self.ends += 1
            self.deaths += line["code"] == KILLED
        elif kind == "clock":
            self.quiet_until = 0
            self.off_s[at // DAY] = max(self.off_s[at // DAY], abs(line["wall_s"]))
        elif kind == "message":
            self.message(at, line)
        elif kind == "judge":
            self.settled(at)
            self.bounded(at, line["database_bytes"])

    # --- messages ---------------------------------------------------------------------------------

    def message(self, at, line):
        body, message = line["body"], line["id"]
        text = json.dumps(body, sort_keys=True)
        if self.bodies.setdefault(message, text) != text:
            self.violate(at, f"once: message {message} has two bodies")
        if self.accepted.get(message) == self.ends:
            self.violate(at, f"once: message {message} was accepted and comes again")
        if at + self.late_s < self.quiet_until:
            self.violate(at, f"patient: {message} comes {self.quiet_until - at} s early")
        self.quiet_until = at + line["retry_after"]
        if line["taken"] and line["answered"]:
            self.accepted[message] = self.ends
        self.exact(at, message, body["data"])
        repeat = body["data"]["repeat"]
        if not repeat:
            about = {alert["labels"]["source"] for alert in body["data"]["alerts"]
                     if alert["event"] in DATA}
            for subject in about or {None}:
                self.sent[at // DAY, subject].add(message)
        if not line["taken"]:
            return
        for alert in body["data"]["alerts"]:
            of = alert["labels"].get("subscription_id", "")
            if alert["rule"] == "Finding" and body["type"] != "digest" and \
                    self.silences.hold(of, seconds(body["data"]["made_at"])):
                self.violate(at, f"silent: {message} tells of {of}, which is silenced")
            if "finding_id" in alert["labels"]:
                self.alert(at, message, alert, body["data"])
            elif alert["event"] in DATA:
                self.stale[alert["labels"]["subject"]] = alert["state"] == "firing"

    def alert(self, at, message, alert, data):
        finding, event, repeat = alert["labels"]["finding_id"], alert["event"], data["repeat"]
        key = (finding, event, alert["episode"], alert["reason"], alert["labels"].get("risk_level"))
        known = self.ids.setdefault(key, message)
        if event == "finding.risk_changed" and self.last.get(finding) != key:
            known = self.ids[key] = message  # it can become what it was before
        if not repeat:
            self.last[finding] = key
            if known != message:
                self.violate(at, f"once: {key} under {known} and {message}")
        fires = alert["state"] == "firing"
        if fires and not self.truth.was(finding, True, at - LATE, at):
            self.violate(at, f"true: {finding} told as open ({event}), it was not")
        before = self.told.get(finding)
        if not fires and before and before[0] and \
                not self.truth.was(finding, False, before[1] - LATE, at):
            self.violate(at, f"true: {finding} told as over ({event}), it was not")
        if not fires and before and before[0] and \
                alert["reason"] not in self.truth.reasons(finding, before[1] - LATE, at):
            self.violate(at, f"exact: {finding} told as {alert['reason']}, it is not")
        made = (seconds(data["made_at"]), message)
        if self.made.get(finding, made) > made and not self.off(at):
            self.violate(at, f"once: {message} about {finding} comes behind a later one")
        self.made[finding] = max(made, self.made.get(finding, made))
        self.told[finding] = (fires, at, alert["risk_level"])

    def off(self, at):
        """What the clock was off at most, this day and the one before."""
        return max(self.off_s[at // DAY], self.off_s[at // DAY - 1])

    def lag(self, at):
        """What the program's own time may be behind: it follows a clock that steps slowly."""
        return 2 * max(self.off_s[at // DAY - ago] for ago in range(4))

    def exact(self, at, message, data):
        """What one message says of itself."""
        alerts, told = data["alerts"], data["firing_count"] + data["resolved_count"]
        if told != len(alerts) + data["left_out_count"]:
            self.violate(at, f"exact: {message} counts {told} of {len(alerts)} alerts")
        if data["opened_at"] and data["status"] == "firing" and \
                data["age_s"] != seconds(data["made_at"]) - seconds(data["opened_at"]):
            self.violate(at, f"exact: {message} says an age of {data['age_s']} s")
        for alert in alerts:
            if alert["event"] not in OPENED or not alert["opened_at"] or data["repeat"]:
                continue  # what is told again may be rated otherwise by now
            finding, opened = alert["labels"]["finding_id"], seconds(alert["opened_at"])
            if not self.truth.opened(finding, opened, self.lag(at)):
                self.violate(at, f"exact: {finding} did not open at {alert['opened_at']}")
            due_s = DUE_DAYS.get(alert["risk_level"], 0) * DAY
            left_s = seconds(alert["due_at"]) - opened if alert["due_at"] else 0
            if left_s > due_s or (alert["event"] == OPENED[0] and left_s != due_s):
                self.violate(at, f"exact: {finding} is due at {alert['due_at']}")

    # --- after the calm ---------------------------------------------------------------------------

    def settled(self, at):
        for finding in set(self.truth.changes) | set(self.told):
            is_open = self.truth.is_open(finding, at)
            fires, told_at, risk = self.told.get(finding, (False, 0, ""))
            if not is_open:
                self.quiet.discard(finding)
            if self.silences.may_hold(self.truth.subscriptions.get(finding, ""),
                                      at - TOLD_AFTER - self.lag(at)):
                continue
            if fires and not is_open:
                self.violate(at, f"settled: {finding} is told as open and is not")
            elif is_open and not fires and finding not in self.quiet:
                self.violate(at, f"settled: {finding} is open and not told")
            elif fires and at - told_at > REPEAT + self.lag(at) + 7200:
                self.violate(at, f"settled: {finding} was not told again for {at - told_at} s")
            elif fires and self.truth.risks.get(finding, risk) not in ("", risk):
                self.violate(at, f"exact: {finding} is told as {risk}, it is "
                                 f"{self.truth.risks[finding]}")
        for subject in FRESH:
            if self.stale.get(subject):
                self.violate(at, f"settled: {subject} is told as stale, after hours of calm")

    def bounded(self, at, database):
        day = at // DAY
        happened = self.happened[day] + self.happened[day - 1]
        for (of, subject), sent in self.sent.items():
            if of == day and len(sent) > (DATA_MAX if subject else 2 * happened + 5):
                self.violate(at, f"bounded: {len(sent)} messages of {subject or 'findings'} where "
                                 f"{happened} happened")
        if database > DATABASE_MAX:
            self.violate(at, f"bounded: the database has {database} bytes")

    def figures(self):
        return {"changes": sum(self.happened.values()), "messages": len(self.bodies),
                "lives": self.ends, "of them killed": self.deaths}


def judge(path):
    """The violations of a record, and figures about it."""
    one = Judge()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            one.read(json.loads(line))
    return one


def main():
    failed = False
    for path in sys.argv[1:]:
        one = judge(path)
        failed = failed or bool(one.violations)
        for at, what in one.violations:
            print(f"{path}: {at}: {what}")
        print(f"{path}: {one.figures()}, {len(one.violations)} violations")
    sys.exit(failed)


if __name__ == "__main__":
    main()
