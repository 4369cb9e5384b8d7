#!/usr/bin/env python3
"""For many random tenants the metrics equal what is computed here from the stand-in's dump.

GENERATED_SEEDS says how many (50; with --all 100); GENERATED_FIRST where the seeds begin (at
random).
"""
import collections
import os
import random
import re
import time

from harness import ALL, SECRET, Exporter, Fake, Folder, equal, run, settings

SEEDS = int(os.environ.get("GENERATED_SEEDS", "100" if ALL else "50"))
RISKS = ("critical", "high", "medium", "low", "not_evaluated")
SEVERITIES = ("critical", "high", "medium", "low", "unknown")
STATUSES = ("healthy", "unhealthy", "not_applicable", "exempt")
STATES = ("compliant", "non_compliant", "pending")
ASSIGNMENTS = ("AzureWindowsBaseline", "AzureLinuxBaseline")
PUNCTUATION = {c: None for c in range(1, 128) if not chr(c).isalnum()}
PHRASES = {"critical": "critical", "warning": "medium", "informational": "low"}
EXPAND_LIMIT = 400  # rows that mv-expand gives of one machine


def word_of(text, words):
    return text.lower() if (text or "").lower() in words[:-1] else words[-1]


def scope_of(row):
    return (row["connectorId"] or f"/subscriptions/{row['subscriptionId']}").lower()


def scope_names(rows):
    """Subscription, cloud and connector of each scope: its name, or group/name of twins."""
    places = {scope_of(row): row for row in rows}
    short = {scope: scope.split("/")[-1] if row["connectorId"] else "none"
             for scope, row in places.items()}
    twins = collections.Counter((row["subscriptionId"], short[scope])
                                for scope, row in places.items())
    return {scope: (row["subscriptionId"], row["environment"].lower(),
                    short[scope] if twins[row["subscriptionId"], short[scope]] == 1
                    else f"{scope.split('/')[4]}/{short[scope]}")
            for scope, row in places.items()}


def cloud_of(row):
    source = row["source"].lower()
    return "azure" if source.startswith("onpremise") else source


def outside_type(row):
    """Of AWS and GCP the type they have there; "" = that of the id."""
    native = row.get("nativeId") or ""
    if row.get("provider"):
        return f"{row['provider']}-{row['nativeType']}"
    return native.split(":")[2] if native.startswith("arn:") else ""


def type_of(resource_id):
    """microsoft.compute/virtualmachines; a subscription when the id names nothing below one."""
    parts = resource_id.split("/providers/")
    if len(parts) > 1:
        return "/".join(parts[-1].split("/")[:1] + parts[-1].split("/")[1::2])
    return "microsoft.resources/" + resource_id.split("/")[1::2][-1]


class Expected:
    """Every family, by name: {label values: value}. Absent means zero or no series."""

    def __init__(self, dump, now):
        self.now = now
        self.families = collections.defaultdict(collections.Counter)
        self.visible = {s["subscriptionId"] for s in dump["subscriptions"]
                        if s["state"] == "Enabled"}
        self.subscriptions(dump)
        self.assessments(dump)
        self.scores(dump)
        self.baselines(dump)
        self.attack_paths(dump)
        self.security_alerts(dump)

    def put(self, family, key, value=1):
        self.families["defender_" + family][key] = value

    def count(self, family, key, value=1):
        self.families["defender_" + family][key] += value

    def subscriptions(self, dump):
        states = collections.Counter(s["state"] for s in dump["subscriptions"])
        for state, count in (("visible", states["Enabled"]), ("denied", 0), ("filtered", 0),
                             ("disabled", states["Disabled"])):
            self.put("subscriptions", (state,), count)
        for subscription in dump["subscriptions"]:
            if subscription["state"] == "Enabled":
                self.put("subscription_visible", (subscription["subscriptionId"],))

    def assessments(self, dump):
        metadata = {m["key"]: m for m in dump["metadata"]}
        worst, titles = {}, {}
        for subscription in self.visible:
            for risk in RISKS:
                for family in ("findings_on_attack_path", "findings_internet_exposed"):
                    self.put(family, (subscription, risk), 0)
        pairs = {(row["subscriptionId"], cloud_of(row)) for row in dump["assessments"]}
        for subscription, cloud in pairs | {(one, "azure") for one in self.visible}:
            if subscription not in self.visible:
                continue
            for risk in RISKS:
                self.put("affected_resources", (subscription, cloud, risk), 0)
                for contextual in ("true", "false"):
                    self.put("findings", (subscription, cloud, risk, contextual), 0)
            for status in STATUSES:
                self.put("assessed_resources", (subscription, cloud, status), 0)
        for row in dump["assessments"]:
            subscription = row["subscriptionId"]
            if subscription not in self.visible:
                continue
            self.newest(subscription, row["changed"])
            status = ("exempt" if (row["cause"] or "").lower() == "exempt" else
                      {"Healthy": "healthy", "Unhealthy": "unhealthy"}.get(row["code"],
                                                                          "not_applicable"))
            cloud = cloud_of(row)
            self.count("assessed_resources", (subscription, cloud, status))
            if status != "unhealthy":
                continue
            risk = word_of(row["riskLevel"], RISKS)
            key = (subscription, risk)
            self.count("findings", (subscription, cloud, risk,
                                    "true" if row["contextual"] else "false"))
            self.count("assessment_findings", (row["key"], risk))
            self.count("resource_type_findings", (outside_type(row) or type_of(row["resourceId"]),
                                                  risk))
            self.count("findings_on_attack_path", key, 1 if row["attackPaths"] else 0)
            exposed = any("internet" in f.lower() for f in row["factors"])
            self.count("findings_internet_exposed", key, 1 if exposed else 0)
            self.oldest(key, row["changed"])
            place = (subscription, cloud, row["resourceId"])
            worst[place] = min(worst.get(place, len(RISKS)), RISKS.index(risk))
            titles[row["key"]] = metadata[row["key"]]
        for (subscription, cloud, _), risk in worst.items():
            self.count("affected_resources", (subscription, cloud, RISKS[risk]))
        for key, known in titles.items():
            self.put("assessment_info", (key, word_of(known["severity"], SEVERITIES),
                                         known["title"] or "unknown"))

    def attack_paths(self, dump):
        """A resource lies on as many as its worst finding says; every other one has no level."""
        looked_at = {s["subscriptionId"] for s in dump["subscriptions"]
                     if s["subscriptionId"] in self.visible and s["posturePlan"]}
        for subscription in looked_at:
            for risk in RISKS:
                self.put("attack_paths", (subscription, risk), 0)
        worst = {}
        for row in dump["assessments"]:
            if row["subscriptionId"] not in looked_at or row["code"] != "Unhealthy":
                continue
            risk = RISKS.index(word_of(row["riskLevel"], RISKS))
            for number in range(row["attackPaths"]):
                path = (row["subscriptionId"], row["resourceId"], number)
                worst[path] = min(worst.get(path, len(RISKS)), risk)
        for (subscription, _, number), risk in worst.items():
            self.count("attack_paths",
                       (subscription, RISKS[risk] if number % 2 else "not_evaluated"))

    def security_alerts(self, dump):
        for subscription in self.visible:
            for severity in ("high", "medium", "low", "informational"):
                self.put("security_alerts", (subscription, severity), 0)
        for row in dump["alerts"]:
            if row["subscriptionId"] in self.visible and row["status"] == "Active":
                self.count("security_alerts", (row["subscriptionId"], row["severity"].lower()))

    def newest(self, subscription, changed):
        family = self.families["defender_data_newest_evaluation_timestamp_seconds"]
        if changed > family[(subscription,)]:
            family[(subscription,)] = changed

    def oldest(self, key, changed):
        family = self.families["defender_finding_oldest_timestamp_seconds"]
        if changed and (not family[key] or changed < family[key]):
            family[key] = changed

    def scores(self, dump):
        names = scope_names(dump["scores"])
        averages, skipped = collections.defaultdict(lambda: [0, 0]), collections.Counter()
        for row in dump["scores"]:
            key = (*names[scope_of(row)], "ascscore")
            ratio = row["ratio"]
            fault = ("out_of_range" if ratio is not None and not 0 <= ratio <= 1 else
                     "missing" if ratio is None and row["max"] else "")
            for family, member in (("points", "current"), ("max_points", "max"),
                                   ("weight", "weight")):
                self.put("secure_score_" + family, key, row[member])
            skipped[fault] += 1
            if fault or not row["max"]:
                continue  # nothing assessed is no ratio, and nothing broken
            self.put("secure_score_ratio", key, ratio)
            for group in (key[1], ""):
                averages[group][0] += row["weight"] * ratio
                averages[group][1] += row["weight"]
        for group, (total, weight) in averages.items():
            family = "secure_score_cloud_ratio" if group else "secure_score_overall_ratio"
            if weight:
                self.put(family, (group,) if group else (), total / weight)
        for reason in ("missing", "out_of_range", "unknown_cloud"):
            self.put("secure_score_rows_skipped", (reason,), skipped[reason])
        for row in dump["controls"]:
            key = (*names[scope_of(row)], row["control"])
            self.put("control_points", key, row["current"])
            self.put("control_max_points", key, row["max"])
            for status, member in (("healthy", "healthy"), ("unhealthy", "unhealthy"),
                                   ("not_applicable", "notApplicable")):
                self.put("control_resources", (*key, status), row[member])
            self.put("control_info", (row["control"], row["title"]))

    def baselines(self, dump):
        rules = {(r["os"], r["number"]): r for r in dump["baseline"]["rules"]}
        machines = [m for m in dump["baseline"]["machines"]
                    if m["subscriptionId"] in self.visible and
                    (m["formB"] or (m["formA"] and m["complianceStatus"] != "Pending"))]
        named = {(m["os"], number) for m in machines if m["formA"]
                 for number in range(m["rules"])}
        self.truncated = any(m["formB"] and m["rules"] > EXPAND_LIMIT for m in machines)
        for subscription in self.visible:
            for assignment in ASSIGNMENTS:
                self.put("baseline_stale_machines", (subscription, assignment), 0)
                for state in STATES:
                    self.put("baseline_machines", (subscription, assignment, state), 0)
                    for severity in SEVERITIES:
                        self.put("baseline_rule_results",
                                 (subscription, assignment, severity, state), 0)
        for machine in machines:
            self.machine(machine, rules, named)

    def machine(self, machine, rules, named):
        where = (machine["subscriptionId"], machine["assignment"])
        state = {"Compliant": "compliant", "NonCompliant": "non_compliant",
                 "Pending": "pending"}[machine["complianceStatus"]]
        self.count("baseline_machines", (*where, state))
        if machine["formB"] and machine["checked"] and self.now - machine["checked"] > 86400:
            self.count("baseline_stale_machines", where)
        seen = machine["rules"]
        failing = {f["rule"]: f["phrase"] for f in machine["failing"]}
        if not machine["formA"]:  # only what mv-expand gives, the first rules by number
            seen = min(seen, EXPAND_LIMIT)
            failing = {r: p for r, p in failing.items() if r < EXPAND_LIMIT}
        for number in range(seen):
            rule = rules[machine["os"], number]
            if number not in failing:
                severity = rule["severity"].lower() if machine["formA"] else "unknown"
                self.count("baseline_rule_results", (*where, severity, "compliant"))
                continue
            if (machine["os"], number) in named:
                severity = rule["severity"].lower()
            else:
                severity = phrase_severity(failing[number])
            rule_id = f"{machine['os']}-{plain(rule['name'])}"
            self.count("baseline_rule_results", (*where, severity, "non_compliant"))
            self.count("baseline_rule_failing_machines", (machine["assignment"], rule_id))


def phrase_severity(phrase):
    found = re.match(r'[\s"\']*\[\s*(\w+)', phrase)
    return PHRASES.get(found.group(1).lower(), "unknown") if found else "unknown"


def plain(name):
    """Letters, digits and the hyphens of words."""
    name = re.sub(r"(?i)\(CIS:.*", "", name).lower()
    return re.sub(r"(?<=[^ ])-", "\0", name).translate(PUNCTUATION).replace("\0", "-")


LABELS = {
    "subscriptions": ("state",), "subscription_visible": ("subscription_id",),
    "findings": ("subscription_id", "cloud", "risk_level", "contextual"),
    "assessed_resources": ("subscription_id", "cloud", "status"),
    "affected_resources": ("subscription_id", "cloud", "risk_level"),
    "findings_on_attack_path": ("subscription_id", "risk_level"),
    "attack_paths": ("subscription_id", "risk_level"),
    "security_alerts": ("subscription_id", "severity"),
    "findings_internet_exposed": ("subscription_id", "risk_level"),
    "finding_oldest_timestamp_seconds": ("subscription_id", "risk_level"),
    "data_newest_evaluation_timestamp_seconds": ("subscription_id",),
    "resource_type_findings": ("resource_type", "risk_level"),
    "assessment_findings": ("assessment_id", "risk_level"),
    "assessment_info": ("assessment_id", "severity", "display_name"),
    "secure_score_points": ("subscription_id", "cloud", "connector", "initiative"),
    "secure_score_max_points": ("subscription_id", "cloud", "connector", "initiative"),
    "secure_score_ratio": ("subscription_id", "cloud", "connector", "initiative"),
    "secure_score_weight": ("subscription_id", "cloud", "connector", "initiative"),
    "secure_score_rows_skipped": ("reason",),
    "control_points": ("subscription_id", "cloud", "connector", "control"),
    "control_max_points": ("subscription_id", "cloud", "connector", "control"),
    "control_resources": ("subscription_id", "cloud", "connector", "control", "status"),
    "control_info": ("control", "display_name"),
    "baseline_machines": ("subscription_id", "assignment", "state"),
    "baseline_stale_machines": ("subscription_id", "assignment"),
    "baseline_rule_results": ("subscription_id", "assignment", "rule_severity", "state"),
    "baseline_rule_failing_machines": ("assignment", "rule_id"),
}


def check(metrics, expected):
    for name, labels in LABELS.items():
        name = "defender_" + name
        got, want = metrics.table(name, *labels), dict(expected.families[name])
        equal(len(metrics.all(name)), len(got), name + ": series once each")
        equal(got, want, name)
    for name, labels in (("cloud_ratio", ("cloud",)), ("overall_ratio", ())):
        name = "defender_secure_score_" + name
        got, want = metrics.table(name, *labels), dict(expected.families[name])
        if name.endswith("overall_ratio") and not metrics.one(
                "defender_secure_score_connectors_told"):
            want = {}
        equal({k: round(v, 9) for k, v in got.items()},
              {k: round(v, 9) for k, v in want.items()}, name)
    for collector in ("assessments", "secure_scores", "subscriptions", "catalogue"):
        equal(metrics.one("defender_scrape_collector_success", collector=collector), 1,
              collector + " success")
    equal(metrics.one("defender_collector_truncated", collector="baselines"),
          float(expected.truncated), "truncated")


def tenant_of(dice):
    """Options of a stand-in, and whether its lists are read instead of Resource Graph."""
    assessments = dice.choice((50, 400, 1200, 3000))
    options = {"--subscriptions": dice.choice((1, 2, 5, 12)), "--assessments": assessments,
               "--disabled-subscriptions": dice.choice((0, 0, 1, 2)),
               "--start-generation": dice.choice((0, 0, 1, 7)),
               "--page-rows": dice.choice((1000, 1000, 97, 20))}
    if assessments >= 1200 and dice.random() < 0.3:
        options["--wide-machines"] = 3
    rest = dice.random() < 0.25
    if not rest and dice.random() < 0.4:  # lists have no connectors
        options["--multicloud"] = ""
    return options, rest


def check_seed(seed):
    options, rest = tenant_of(random.Random(seed))
    arguments = [str(word) for pair in options.items() for word in pair if word != ""]
    source = {"source": "rest"}
    collectors = {"assessments": source, "secure_scores": source} if rest else {}
    with Folder() as folder, Fake("--seed", str(seed), *arguments) as fake:
        config = settings(fake.url, folder.file("secret", SECRET), collectors,
                          metrics={"opt_in_list": ["defender_control_resources",
                                                   "defender_baseline_rule_results"]})
        with Exporter(folder, config) as exporter:
            metrics = exporter.wait_ready().metrics()
            expected = Expected(fake.admin("dump"), time.time())
            try:
                check(metrics, expected)
            except AssertionError as error:
                raise AssertionError(f"seed {seed} {options} rest={rest}: {error}") from None


def test_random_tenants():
    first = int(os.environ.get("GENERATED_FIRST", "0")) or random.randrange(1, 1 << 30)
    print(f"     {SEEDS} seeds from {first}", flush=True)
    for seed in range(first, first + SEEDS):
        check_seed(seed)


run(globals())
