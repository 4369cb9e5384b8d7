"""Made-up series for every alert of dashboards/prometheus, and what is expected of it.

Time is in minutes. All is well until `breaks`, the alert fires `fires` minutes later, all is well
again at `mended`, and the alert has ended `ends` minutes after that. Meanwhile scrapes are missed
and the exporter restarts.
"""
HOUR, DAY = 60, 24 * 60
WELL, BROKEN, MENDED = range(3)
SUB = "11111111-0000-4000-8000-000000000001"
NAME = f"Shop ({SUB})"
INFO = (f'defender_subscription_info{{subscription_id="{SUB}",subscription_name="Shop"}}',
        (1, 1, 1))


class Counter:
    """Grows by so much a minute in each state, or by so much once as that begins."""

    def __init__(self, *steps, once=False):
        self.steps, self.once = steps, once


class Case:
    def __init__(self, alert, labels, description, series, fires=0, mended=None, ends=0,
                 breaks=HOUR, every=1, own=False, note=""):
        """series: {series: a value for each state, a Counter, or f(minute, state, fresh)}; None is
        no sample. own: about the exporter, not about Azure."""
        self.alert, self.labels, self.description, self.series = alert, labels, description, series
        self.breaks, self.fires, self.ends, self.own = breaks, breaks + fires, ends, own
        self.mended = mended or self.fires + 60
        self.every, self.name = every, alert + note
        # A restart when all is well and one while it fires; scrapes that are missed while it is
        # well, pending and firing.
        self.restarts = (20, self.fires + 20)
        self.missed = {10, self.fires + 10} | ({breaks + fires // 10 * 5} if fires else set())

    def state(self, minute):
        return WELL if minute < self.breaks else BROKEN if minute < self.mended else MENDED

    def since(self, minute):
        """Minutes since the last restart; the first start was long ago."""
        return minute - max([at for at in self.restarts if at <= minute], default=-DAY)

    def is_silent(self, minute):
        """For two minutes of a restart nobody answers. Data of Azure, which come back from another
        instance, as of another pod, take three more."""
        return minute in self.missed or self.since(minute) < (2 if self.own else 5)

    def values(self, spec):
        """Each value, None where there is none."""
        values, count = [], 100
        for minute in range(0, self.mended + self.ends + HOUR, self.every):
            state = self.state(minute)
            if isinstance(spec, Counter):
                begins = minute in (self.breaks, self.mended)
                count += spec.steps[state] if not spec.once or begins else 0
                if self.own and self.since(minute) == 0:
                    count = 0
                value = count
            elif callable(spec):
                value = spec(minute, state, self.since(minute) < 5)
            else:
                value = spec[state]
            values.append(None if self.is_silent(minute) else value)
        return values


class Up(Case):
    """A missed scrape is what the alert is about: 0, not nothing."""

    def is_silent(self, minute):
        return False

    def values(self, spec):
        return [0 if Case.is_silent(self, i) and value is not None else value
                for i, value in enumerate(super().values(spec))]


def of_sub(name, more=""):
    return f'{name}{{subscription_id="{SUB}"{more}}}'


def critical(name, more=""):
    return of_sub(name, f',risk_level="critical"{more}')


def succeeded(minute, state, fresh):
    """When a collector that runs every 15 minutes succeeded last; the first run after a restart
    takes a while."""
    return 0 if fresh else (HOUR if state == BROKEN else minute) // 15 * 900


STATUS = {'defender_collector_interval_seconds{collector="assessments"}': (900, 900, 900),
          'defender_collector_last_success_timestamp_seconds{collector="assessments"}': succeeded,
          'defender_scrape_collector_success{collector="assessments"}':
          lambda minute, state, fresh: int(state != BROKEN and not fresh)}
TO_NIGHT = {"receiver": "night"}
ONE_SUB = {"subscription_id": SUB}
ONE_CRITICAL = {**ONE_SUB, "risk_level": "critical"}
SCORE = of_sub("defender_secure_score_ratio", ',cloud="azure",connector="none",initiative="x"')
OPEN = critical("defender_findings", ',cloud="azure",contextual="true"')
LATE = critical("defender_findings_overdue")
DEAD = 'defender_exporter_outbox_messages{receiver="night",state="dead"}'

CASES = [
    Up("DefenderExporterDown", {"severity": "critical"},
       "No scrape of a:1 has succeeded for 5m: nothing is known of Defender for Cloud, and no "
       "other alert can begin.", {"up": (1, 0, 1)}, fires=5, own=True),
    Up("DefenderExporterDown", {"severity": "critical", "instance": None},
       "No scrape of any target of this job has succeeded for 5m: nothing is known of Defender for "
       "Cloud, and no other alert can begin.", {"up": (1, None, 1)}, fires=5, own=True,
       note=" without a target"),
    Case("DefenderDataStale", {"severity": "critical", "collector": "assessments"},
         "The collector assessments of a:1 last read everything 56m 0s ago, which is more than 3 "
         "of its intervals. What it is about may have changed without a word: silence is not "
         "peace.",
         STATUS, fires=56, own=True),
    Case("DefenderCollectorFailing", {"severity": "warning", "collector": "assessments"},
         "The last run of the collector assessments of a:1 failed, and none has succeeded for 2 of "
         "its intervals.", STATUS, fires=41, own=True),
    Case("DefenderSubscriptionNotVisible", {"severity": "warning", **ONE_SUB},
         f"The identity of the exporter has not been able to read {NAME} for 30m: what is open "
         "there is as it was last seen.",
         {of_sub("defender_subscription_visible"): (1, 0, 1)}, fires=30),
    Case("DefenderThrottled", {"severity": "warning", "api": "graph"},
         "Azure answered 51 requests of a:1 to graph with 429 within 1h: collections take longer, "
         "and may fail.",
         {'defender_exporter_azure_throttled_total{api="graph"}': Counter(0, 1, 0)},
         fires=50, ends=39, own=True),
    Case("DefenderTokenExpiring", {"severity": "critical", "tenant_id": "t"},
         "The token of a:1 for tenant t ends in -16m 0s and has not been renewed in time: without "
         "one nothing can be read.",
         {'defender_exporter_azure_token_expiry_timestamp_seconds{tenant_id="t"}':
          lambda minute, state, fresh: (80 if state == BROKEN else minute + 48) * 60},
         fires=36, own=True),
    Case("DefenderNewCriticalFinding", {"severity": "critical", **ONE_SUB},
         f"1 critical findings opened in {NAME} within 2h. The alert ends when the subscription "
         "has no critical finding any more, at the latest 2h after the last one opened.",
         {critical("defender_findings_opened_total"): Counter(0, 1, 0, once=True),
          critical("defender_findings_resolved_total"): (3, 3, 3), OPEN: (2, 3, 3)},
         mended=HOUR + 120),
    Case("DefenderNewCriticalFinding", {"severity": "critical", **ONE_SUB}, None,
         {critical("defender_findings_opened_total"): Counter(0, 1, 0, once=True),
          critical("defender_findings_resolved_total"): Counter(0, 0, 1, once=True),
          OPEN: (0, 1, 0)}, note=" fixed"),
    Case("DefenderNewCriticalFinding", {"severity": "critical", **ONE_SUB}, None,
         {critical("defender_findings_opened_total"): Counter(0, 1, 0, once=True),
          critical("defender_findings_resolved_total"): (3, 3, 3), OPEN: (0, 0, 0)},
         mended=HOUR + 120, note=" that is no recommendation"),
    Case("DefenderFindingReopened", {"severity": "critical", **ONE_CRITICAL},
         f"1 critical findings that had been resolved opened again in {NAME} within 2h.",
         {critical("defender_findings_reopened_total"): Counter(0, 1, 0, once=True)},
         mended=HOUR + 120),
    Case("DefenderFindingOverdue", {"severity": "critical", **ONE_CRITICAL},
         f"5 critical findings of {NAME} are open longer than their SLA, or their due date in "
         "Azure, allows.", {LATE: (0, 5, 0)}, fires=30),
    Case("DefenderRemediationBudgetBurn",
         {"severity": "critical", "risk_level": "critical", "window": "6h"},
         "30.14% of the open critical findings were overdue over 6h, on average. The objective is "
         "that 95% are not: over 30 days this uses the budget up 6 times over.",
         {LATE: (0, 40, 0), OPEN: (100, 100, 100)}, breaks=DAY, fires=270,
         mended=DAY + 8 * HOUR, ends=30, every=5, note=" fast"),
    Case("DefenderRemediationBudgetBurn",
         {"severity": "warning", "risk_level": "critical", "window": "3d"},
         "5.01% of the open critical findings were overdue over 3d, on average. The objective is "
         "that 95% are not: over 30 days this uses the budget up just so.",
         {LATE: (0, 11, 0), OPEN: (100, 100, 100)}, breaks=3 * DAY, fires=32 * HOUR + 45,
         ends=195, every=5, note=" slow"),
    Case("DefenderSecureScoreDropped",
         {"severity": "warning", **ONE_SUB, "cloud": "azure", "connector": "none"},
         f"The secure score of {NAME}, connector none, is 5% below its best of the last 1d.",
         {SCORE: (0.6, 0.55, 0.6)}, fires=60),
    Case("DefenderAttackPathAppeared", {"severity": "critical", **ONE_CRITICAL},
         f"{NAME} has 1 critical attack paths more than within the last 2h.",
         {critical("defender_attack_paths"): (2, 3, 2)}),
    Case("DefenderPlanDisabled", {"severity": "critical", **ONE_SUB, "plan": "virtualmachines"},
         f"The Defender plan virtualmachines of {NAME} was on within the last 1d and is off: what "
         "it protects is no longer looked at.",
         {of_sub("defender_plan_enabled", ',plan="virtualmachines"'): (1, 0, 1)}, fires=120),
    Case("DefenderBaselineDrift",
         {"severity": "warning", "assignment": "AzureLinuxBaseline", "rule_severity": "high"},
         "Rules of severity high of AzureLinuxBaseline began to fail 4 times within 2h.",
         {'defender_baseline_rules_regressed_total{assignment="AzureLinuxBaseline",'
          'rule_severity="high"}': Counter(0, 4, 0, once=True)}, mended=HOUR + 120),
    Case("DefenderExemptionExpiring", {"severity": "warning", **ONE_SUB},
         f"2 policy exemptions of {NAME} end within 7 days. What they exempt counts again, and is "
         "told of, when they are over.",
         {of_sub("defender_exemptions_expiring", ',within="7d"'): (0, 2, 0),
          of_sub("defender_exemptions_expiring", ',within="30d"'): (9, 9, 9)}, fires=120),
    Case("DefenderNotificationsFailing", {"severity": "critical", **TO_NIGHT},
         "More than half of the attempts of a:1 to tell night within 1h failed, and none has "
         "succeeded for 5m.",
         {'defender_exporter_notifications_total{receiver="night",integration="slack"}':
          Counter(0, 1, 1),
          'defender_exporter_notifications_failed_total{receiver="night",integration="slack",'
          'reason="serverError"}': Counter(0, 1, 0),
          'defender_exporter_notification_last_success_timestamp_seconds{receiver="night"}':
          lambda minute, state, fresh: 0 if fresh else (HOUR if state == BROKEN else minute) * 60},
         fires=16, own=True),
    Case("DefenderOutboxStuck", {"severity": "critical", **TO_NIGHT},
         "Messages of a:1 to night have waited for more than 15m, or were refused for good.",
         {'defender_exporter_outbox_oldest_timestamp_seconds{receiver="night"}':
          (None, HOUR * 60, None)}, fires=26, ends=10, own=True),
    Case("DefenderOutboxStuck", {"severity": "critical", **TO_NIGHT}, None,
         {DEAD: (0, 1, 0)}, fires=10, own=True, note=" given up"),
    Case("DefenderAlertsNotDecided", {"severity": "critical", "reason": "locked"},
         "For 10m a:1 has not been able to write what it decides (locked): metrics go on, but its "
         "own alerts are not sent.",
         {'defender_exporter_state_trouble{reason="locked"}': (0, 1, 0),
          'defender_exporter_state_trouble{reason="damaged"}': (0, 0, 0)}, fires=10, own=True),
    Case("DefenderSeriesDropped",
         {"severity": "warning", "metric": "defender_findings", "reason": "limit"},
         "12 series of defender_findings of a:1 are left out (limit): sums over it are too small.",
         {'defender_exporter_series_dropped{metric="defender_findings",reason="limit"}': (0, 12, 0),
          'defender_exporter_series_dropped{metric="defender_up",reason="deny"}': (1, 1, 1)},
         fires=30, own=True),
]
