"""What readers ask of each situation of tests/tools/situations.c, and what must answer them."""

PRODUCTION = "478c1d3e-5a0b-4c1d-8e2f-0123456789ab"
NAMED = f"Production ({PRODUCTION})"
WATCHED = "9b7e2a1c-3d4f-4a6b-b8c9-0123456789ab"
STORAGE = f"/subscriptions/{PRODUCTION}/resourcegroups/rg-data/providers/microsoft.storage/" \
          "storageaccounts/"
MACHINES = f"/subscriptions/{PRODUCTION}/resourcegroups/rg-web/providers/microsoft.compute/" \
           "virtualmachines/"
PORTAL = "https://portal.azure.com/#blade/Microsoft_Azure_Security/RecommendationsBlade/" \
         "assessmentKey/"
GUIDE = "https://learn.microsoft.com/azure/storage/common/storage-network-security"
ACCESS = "Storage accounts should restrict network access"
ENDED = {"silence add", "How to fix", "Due", "Threatens", "To gain"}  # not of what ended
WAIVED = ("until 2026-12-20 00:00 UTC, in 24 d",
          "waiver: A partner's network moves in spring")


def silence(rule, *matchers):
    return ("silence add", f"'alertname=\"{rule}\"'", *(f"'{matcher}'" for matcher in matchers))


# --- one recommendation ------------------------------------------------------------------------
def storage(**other):
    """An open storage account; other: what is said besides or instead."""
    return {
        "who": (NAMED,),
        "what": (ACCESS, "The account answers on a public endpoint.", "Critical"),
        "where": ("stprod01", "rg-data", STORAGE + "stprod01"),
        "why": ("reached from the internet", "on 2 attack paths", "Sensitive Data",
                "data exfiltration", "malicious insider"),
        "gain": ("Restrict unauthorized network access (MCSB NS-2): 0.25 of 4 points",),
        "fix": ("Open the account and choose Networking.", GUIDE, PORTAL + "ad4f3ff1-0001-4042"),
        "since": ("2026-11-23 03:00 UTC, 2 d ago",),
        "until": ("2026-11-30 03:00 UTC, in 4 d",),
        "silence": silence("CriticalFinding", 'finding_id="87e1adc539a6b192"'),
        **other}


def ended(verb, word, **other):
    return {
        "who": (NAMED,),
        "what": (ACCESS,),
        "where": ("stprod01", "rg-data", STORAGE + "stprod01", PORTAL),
        "how it ended": (verb, word),
        "when": ("2026-11-23 03:00 UTC, 2 d ago", "2026-11-25 03:30 UTC"),
        **other}


def closed(verb, word, *resources):
    """What an incident's end says."""
    return {"what": (ACCESS,), "where": (*(resources or ("stprod01",)), "Production"),
            "how it ended": (verb, word, "event: resolve")}


def machine(name):
    return (name, "rg-web", MACHINES + name)


class Story:
    """page: {question: what must be there}; pages: those of receivers that are told otherwise;
    never: what must not be there; first: within the first 60 characters of the title."""

    def __init__(self, first, page, never=(), **pages):
        self.first, self.page, self.never, self.pages = first, page, set(never), pages

    def asked_of(self, receiver):
        return self.pages.get(receiver, self.page)


STORIES = {
    "opened": Story(("Critical:", "Storage", "stprod01"), storage(), never={"fixed"}),
    "second_resource": Story(
        ("Critical:", "Storage", "stweb01"),
        storage(where=("stweb01", "rg-web", "stprod01", "rg-data", STORAGE + "stprod01"),
                gain=("0.5 of 4 points",), news=("stweb01, 2 open",),
                silence=silence("CriticalFinding",
                                'finding_id=~"201c1e579e91f5c6|87e1adc539a6b192"')),
        pagerduty=storage(where=("stweb01", "rg-web"), gain=("0.5 of 4 points",),
                          since=("2026-11-25 02:15 UTC, 1 h ago",),
                          until=("2026-12-02 02:15 UTC, in 6 d",),
                          silence=silence("CriticalFinding", 'finding_id="201c1e579e91f5c6"'))),
    "partly_fixed": Story(
        ("Critical:", "Storage", "3 of 5 open"),
        storage(where=tuple(STORAGE + f"stprod0{number}" for number in range(1, 6)),
                gain=("0.75 of 4 points",), news=("Fixed: ", "stprod02", "stprod04"),
                each=("stprod03 in rg-data, Production, open since 2026-11-23 01:00 UTC",
                      "stprod04 in rg-data, Production, fixed 2026-11-25 03:30 UTC"),
                until=("2026-11-29 23:00 UTC, in 4 d",),
                silence=silence("CriticalFinding", 'finding_id=~"87e1adc539a6b192|'
                                '2cc84a2c4a45732e|c51e1a88a3c6d6b3"')),
        pagerduty=closed("Fixed:", "Closed because: fixed", "stprod02", "stprod04")),
    "fixed": Story(("Fixed:", "Storage", "stprod01"), ended("Fixed", "fixed"),
                   never=ENDED, pagerduty=closed("Fixed:", "Closed because: fixed")),
    "all_fixed": Story(
        ("Fixed:", "Storage", "3 resources"),
        ended("Fixed", "fixed", where=("stprod01", "stprod02", STORAGE + "stprod03", PORTAL),
              when=("2026-11-23 01:00 UTC, 2 d ago", "fixed 2026-11-25 03:30 UTC")),
        never=ENDED,
        pagerduty=closed("Fixed:", "Closed because: fixed", "stprod01", "stprod02", "stprod03")),
    "exempted": Story(
        ("Exempted:", "Storage", "stprod01"),
        ended("Exempted", "It is exempted, not fixed: it is still there."),
        never=ENDED | {"Fixed", "because: fixed", "is fixed"},
        pagerduty=closed("Exempted:", "Closed because: exempted")),
    "exempted_until": Story(
        ("Exempted until 2026-12-20:", "Storage", "stprod01"),
        ended("Exempted", "It is exempted, not fixed: it is still there.", why=WAIVED),
        never=ENDED | {"Fixed", "because: fixed", "is fixed", "zoe"},
        pagerduty=closed("Exempted until 2026-12-20:", "Closed because: exempted")),
    "exemption": Story(  # a rule that asks for the event itself
        ("Exempted until 2026-12-20:", "Storage", "stprod01"),
        storage(exempted=WAIVED, gain=(),
                silence=silence("Exempted", 'finding_id="87e1adc539a6b192"')),
        never={"zoe"}),
    "not_applicable": Story(
        ("Not applicable:", "Storage", "stprod01"),
        ended("Not applicable", "that is no fix"), never=ENDED | {"Fixed", "because: fixed"},
        pagerduty=closed("Not applicable:", "Closed because: not_applicable")),
    "plan_off": Story(
        ("No longer assessed (plan off):", "Storage", "stprod01"),
        ended("No longer assessed (plan off)", "it may still be there"),
        never=ENDED | {"Fixed", "because: fixed"},
        pagerduty=closed("No longer assessed (plan off):", "Closed because: plan_off")),
    "deleted": Story(
        ("Resource deleted:", "Storage", "stprod01"),
        ended("Resource deleted", "deleted",
              when=("2026-11-23 03:00 UTC, 2 d ago", "2026-11-25 03:45 UTC")),
        never=ENDED | {"Fixed", "because: fixed"},
        pagerduty=closed("Resource deleted:", "Closed because: resource_deleted")),
    "reopened": Story(
        ("Critical again:", "Storage", "stprod01"),
        storage(since=("2026-11-25 03:35 UTC, 10 min ago",),
                until=("2026-12-02 03:35 UTC, in 6 d",),
                news=("Critical again", "fixed 2026-11-25 03:20 UTC, 25 min ago"))),
    "exemption_over": Story(
        ("Critical again (exemption over):", "Storage", "stprod01"),
        storage(since=("2026-11-25 03:35 UTC, 10 min ago",),
                until=("2026-11-30 03:15 UTC, in 4 d",),  # a quarter of an hour stood still
                news=("exemption over", "exempted 2026-11-25 03:20 UTC, 25 min ago"))),
    "rerated": Story(
        ("Now critical, was high:", "Storage", "stprod01"),
        storage(news=("Now critical, was high", "Critical, was High"),
                since=("2026-11-24 03:15 UTC, 1 d ago",), until=("2026-12-01 03:15 UTC, in 5 d",))),
    "changed": Story(
        ("Critical:", "Storage", "stprod01"),
        storage(**{"who changed it": (
            "2026-11-23 02:14 UTC, 2 d ago, by a service principal: "
            "Microsoft.Storage/storageAccounts/write",
            "2026-11-23 02:20 UTC, 2 d ago, by Azure itself: update")}),
        never={"zebra"}),
    "changed_back": Story(
        ("Fixed:", "Storage", "stprod01"),
        ended("Fixed", "fixed", **{"who changed it": (
            "2026-11-25 03:20 UTC, 10 min ago, by a user: "
            "Microsoft.Storage/storageAccounts/write",)}),
        never=ENDED | {"zebra"}, pagerduty=closed("Fixed:", "Closed because: fixed")),
    "changed_several": Story(
        ("Critical:", "Storage", "2 open"),
        storage(where=("stprod01", "stprod02", STORAGE + "stprod01"), gain=("0.5 of 4 points",),
                since=("2026-11-23 02:00 UTC, 2 d ago",), until=("2026-11-30 02:00 UTC, in 4 d",),
                silence=silence("CriticalFinding"), **{"who changed it": (
                    "changed 2026-11-23 02:14 UTC, 2 d ago, by a user: "
                    "Microsoft.Storage/storageAccounts/write",)}),
        never={"zebra"},
        pagerduty=storage(gain=("0.5 of 4 points",), **{"who changed it": (
            "Changed: 2026-11-23 02:14 UTC, 2 d ago, by a user: ",)})),
    "overdue": Story(
        ("Overdue 3 d (critical):", "Storage", "stprod01"),
        storage(since=("2026-11-23 03:00 UTC, 10 d ago",),
                until=("2026-11-30 03:00 UTC, overdue 3 d", "It should have been fixed by"),
                silence=silence("FindingOverdue", 'finding_id="87e1adc539a6b192"'))),
    "hundreds": Story(
        ("Critical:", "Storage", "stprod424", "500 open"),
        storage(where=("stprod424", STORAGE + "stprod424", "and 499 more",
                       "Affected resources (500)"),
                gain=("1 of 4 points",), since=("2026-11-02 08:00 UTC, 22 d ago",),
                until=("2026-11-09 08:00 UTC, overdue 15 d",),
                silence=silence("CriticalFinding",
                                'assessment_id="ad4f3ff1-0001-4042-96ed-27198f640b8d"',
                                f'subscription_id="{PRODUCTION}"')),
        pagerduty={"who": (NAMED,), "what": ("500 alerts in 1 min: 500 critical",
                                             "500 critical: " + ACCESS + " (Production)"),
                   "where": ("stprod424", "and 497 more"),
                   "why": ("So much happened at once", "500 by CriticalFinding"),
                   "fix": (PORTAL + "ad4f3ff1-0001-4042",), "since": ("22 d ago",),
                   "until": ("overdue 15 d",)}),
    "longest": Story(
        ("Critical:", "Accounts", "on a-36_(name)"),
        {"who": (NAMED,),
         "what": ('Accounts & "vaults" <of all kinds> should be closed', "Critical"),
         "where": ("a-36_(name)",
                   MACHINES.replace("rg-web", "rg-with_a-long.(name)") + "a-36_(name)"),
         "why": ("reached from the internet", "his <friends>"),
         "fix": (PORTAL + "c0ffee00",),
         "since": ("2026-11-24 03:00 UTC, 1 d ago",), "until": ("2026-12-01 03:00 UTC, in 5 d",),
         "silence": silence("CriticalFinding")}),

    # --- several recommendations ---------------------------------------------------------------
    "mixed": Story(
        ("2 findings on vm-web-1 (Production): worst Critical",),
        {"who": (NAMED,),
         "what": ("Management ports should be closed on machines",
                  "anybody try passwords on port 22", "Disks should be encrypted at the host",
                  "Temporary disks and caches are written in the clear."),
         "where": (*machine("vm-web-1"), MACHINES + "vm-web-2"),
         "why": ("reached from the internet", "on 2 attack paths", "data exfiltration"),
         "gain": ("0.75 secure-score points",
                  "Restrict unauthorized network access (MCSB NS-1): 0.25 of 4",
                  "Encrypt data at rest (MCSB DP-4): 0.5 of 6 points"),
         "fix": ("Delete the rule for port 22.", "Switch on encryption at host.",
                 PORTAL + "805651bc-0002", PORTAL + "d57a4221-0003"),
         "since": ("2026-11-16 03:00 UTC, 9 d ago", "2026-11-24 03:00 UTC, 1 d ago"),
         "until": ("2026-12-01 03:00 UTC, in 5 d", "2027-02-14 03:00 UTC, in 80 d"),
         "news": ("Fixed: vm-web-2 (Management ports should be closed on machines)",
                  "Exempted: vm-web-2 (Machines should have a backup)",
                  "fixed 2026-11-25 03:30 UTC", "exempted 2026-11-25 03:30 UTC"),
         "silence": silence("AnyFinding", 'finding_id=~"a67279b02a19ee7d|b02573b0c8a1971e"')},
        never={"choose Backup"},
        pagerduty={"what": ("Management", "Machines should have a backup"),
                   "where": ("vm-web-2", "Production"),
                   "how it ended": ("Fixed:", "Exempted:", "Closed because: fixed",
                                    "Closed because: exempted", "event: resolve")}),
    "digest": Story(
        ("88 alerts in 1 min: 44 critical, 13 high, 31 other",),
        {"who": ("Production",),
         "what": ("What this message stands for (88)",
                  "18 critical: Management ports should be closed on machines (Production)",
                  "4 high: Machines should have a backup (Production)",
                  "5 low: Disks should be encrypted at the host (Production)"),
         "where": ("vm-054",), "why": ("So much happened at once", "88 by AnyFinding"),
         "fix": (PORTAL + "805651bc-0002", PORTAL + "d57a4221-0003"),
         "until": ("2026-12-02 02:00 UTC, in 6 d",)}),
    "first_run": Story(
        ("Watching 3 subscriptions: 12 critical open, 12 overdue",),
        {"what": ("55 were open already, 12 critical, 43 high",),
         "until": ("12 overdue, the oldest open for 192 d",)},
        never={"silence add"}),

    # --- outside Azure -------------------------------------------------------------------------
    "aws": Story(
        ("Critical:", "S3 buckets should", "acme-logs"),
        {"who": (f"Multicloud ({WATCHED})", "AWS account 812345670093 through connector prod-aws"),
         "what": ("S3 buckets should block public access",
                  "Objects of the bucket can be made public"),
         "where": ("acme-logs", "eu-west-2",
                   "arn:aws:s3:eu-west-2:812345670093:bucket/acme-logs"),
         "why": ("reached from the internet", "on 2 attack paths", "Sensitive Data"),
         "fix": ("Block all public access.", PORTAL + "b4d06f1e-0005"),
         "since": ("2026-11-24 03:00 UTC, 1 d ago",), "until": ("2026-12-01 03:00 UTC, in 5 d",),
         "silence": silence("CriticalFinding", 'finding_id="22666dafcbe7d688"')},
        never={"Resource group"}),

    # --- no finding ----------------------------------------------------------------------------
    "stale": Story(
        ("No new recommendations from Azure since 2 h",),
        {"what": ("No new recommendations from Azure since 2 h: pages may be missing",
                  "2 of 3 fresh again", "Baseline results are told again",
                  "Secure scores are told again"),
         "where": ("the collector of recommendations (assessments) has told nothing new",),
         "why": ("Resource Graph answers 503",), "since": ("2026-11-25 03:15 UTC, 15 min ago",),
         "silence": silence("DataStale", 'subject="assessments"')},
        never={"Risk not evaluated", "Data are fresh again (", "more"},
        pagerduty={"what": ("Data are fresh again: baseline results",
                            "Data are fresh again: secure scores"),
                   "how it ended": ("Closed because: recovered", "event: resolve")}),
    "threshold": Story(
        ("7 findings, above 3 (Production, critical)",),
        {"who": (NAMED,),
         "what": ("Value", "above 3", 'defender_findings{risk_level="critical"} is 7'),
         "where": ("on stprod07 (Production)", "on stprod03 (Production)", "and 2 more"),
         "why": ("Worst findings behind it (7)", ACCESS),
         "fix": (PORTAL + "ad4f3ff1-0001", "https://wiki.example.com/defender/many"),
         "since": ("2026-11-25 03:15 UTC", "open since 2026-11-22 21:00 UTC"),
         "until": ("due 2026-11-29 21:00 UTC, in 4 d",),
         "silence": silence("ManyCritical", f'subscription_id="{PRODUCTION}"',
                            'risk_level="critical"')},
        never={"Subscription name", "Open in the Azure portal"}),
    "absent": Story(
        ("No secure score since 1 h (Staging)",),
        {"who": ("Staging", "5d2f4c6e-9a1b-4e3f-a0c1-0123456789ab"),
         "what": ("There is no defender_secure_score_ratio",),
         "why": ("The collector of secure scores (secure_scores) last succeeded 2026-11-25",),
         "since": ("2026-11-25 02:15 UTC, 1 h ago",), "silence": silence("NoScore")},
        never={"Value"}),
    "drop_score": Story(
        ("Secure score of Production fell 1.80 points of 58",),
        {"who": (NAMED,), "what": ("(55.6 -> 52.5 %)", "52.5 %", "55.6 %"),
         "where": ("on stprod01", "on stprod02", "on stprod03"),
         "why": (ACCESS + " on stprod01: -0.25 points", "Unexplained: -1.05 points"),
         "fix": (PORTAL + "ad4f3ff1-0001",), "since": ("2026-11-25 03:30 UTC",),
         "silence": silence("ScoreDropped", 'subject="ascscore"',
                            f'subscription_id="{PRODUCTION}"')}),
    "score_back": Story(
        ("Secure score of Production is back at 55.6 %",),
        {"who": (NAMED,), "what": ("is back at 55.6 %, had fallen to 52.5 %",),
         "how it ended": ("recovered",)},
        never=ENDED | {"The secure score fell", "What caused it"},
        pagerduty={"who": ("Production",), "what": ("is back at 55.6 %, had fallen to 52.5 %",),
                   "how it ended": ("Closed because: recovered", "event: resolve")}),

    # --- baselines -----------------------------------------------------------------------------
    "by_machine": Story(
        ("2 findings on vm-web-1 (Production): Ensure",),
        {"who": (NAMED,), "what": ("Ensure SSH MaxAuthTries is configured",
                                   "Ensure the default umask is strict"),
         "where": (*machine("vm-web-1"), *machine("vm-web-2")),
         "why": ("Guessing passwords is cheap.", "New files can be read by everybody."),
         "found and expected": ("10", "12", "6 or less", "022", "027"),
         "fix": ("Set MaxAuthTries 4", "Set umask 027 in /etc/login.defs.",
                 PORTAL + "1f655fb7-63ca-4980-91a3-56dbc2b715c6"),
         "careful": ("the fix can lock somebody out: SSH",),
         "since": ("2026-11-25 03:15 UTC",),
         "silence": silence("BaselineRegressed")}),
}
STORIES["by_rule"] = Story(
    ("Baseline:", "Ensure", "configured on vm-web-1", "2 open"),
    {**STORIES["by_machine"].page,
     "found and expected": ("10", "found 12", "6 or less", "022", "027")},
    pagerduty=STORIES["by_machine"].page)
