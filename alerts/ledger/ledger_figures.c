#include "alerts/ledger/ledger_figures.h"

#include "alerts/ledger/ledger.h"
#include "core/compiler.h"

#define HOUR 3600.0
#define DAY (24 * HOUR)
#define FROM "From this exporter's own ledger, which survives restarts."

static const double resolution_buckets[] = {
    1 * HOUR, 4 * HOUR, 12 * HOUR, 1 * DAY,  2 * DAY,   7 * DAY,
    14 * DAY, 30 * DAY, 60 * DAY,  90 * DAY, 180 * DAY,
};
static const double delay_buckets[] = { 60,       300,      900,      1800,      1 * HOUR,
                                        2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR, 1 * DAY };

static const struct family_2 opened = {
    .name = "defender_findings_opened_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help =
        "Findings that opened for the first time; those of the first run are not counted. " FROM,
    LABELS("subscription_id", "risk_level"),
};
static const struct family_2 resolved = {
    .name = "defender_findings_resolved_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Findings that were resolved, whatever the reason but no_longer_assessed. " FROM,
    LABELS("subscription_id", "risk_level"),
};
static const struct family_2 reopened = {
    .name = "defender_findings_reopened_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Findings that opened again after they had been resolved. " FROM,
    LABELS("subscription_id", "risk_level"),
};
static const struct family_2 resolutions = {
    .name = "defender_finding_resolutions_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Findings that were resolved, by reason. " FROM,
    LABELS("risk_level", "reason"),
};
static const struct family_2 risk_changes = {
    .name = "defender_finding_risk_changes_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Open findings that got another risk level. " FROM,
    LABELS("from", "to"),
};
static const struct family_2 regressed = {
    .name = "defender_baseline_rules_regressed_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Baseline rules that began to fail on a machine. " FROM,
    LABELS("assignment", "rule_severity"),
};
static const struct family_2 fixed = {
    .name = "defender_baseline_rules_fixed_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Baseline rules that no longer fail on a machine. " FROM,
    LABELS("assignment", "rule_severity"),
};
static const struct family_2 drift = {
    .name = "defender_baseline_rule_drift_total",
    .type = METRIC_COUNTER,
    .level = 2,
    .help = "Machines on which a baseline rule began to fail (regressed) or no longer fails "
            "(fixed), over all subscriptions; not by a new version of the baseline. " FROM,
    LABELS("rule_id", "change"),
};
static const struct family_2 alerts = {
    .name = "defender_security_alerts_opened_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Security alerts that were raised; those of the first run are not counted. " FROM,
    LABELS("subscription_id", "severity"),
};
static const struct family_1 resolution_seconds = {
    .name = "defender_finding_resolution_seconds",
    .type = METRIC_HISTOGRAM,
    .level = 0,
    .unit = "seconds",
    .help = "Time from the opening of a finding to its resolve. " FROM,
    LABELS("risk_level"),
    .buckets = resolution_buckets,
    .bucket_count = ARRAY_COUNT(resolution_buckets),
};
static const struct family_1 detection_delay_seconds = {
    .name = "defender_finding_detection_delay_seconds",
    .type = METRIC_HISTOGRAM,
    .level = 0,
    .unit = "seconds",
    .help = "Time from the change of status in Azure to its arrival in the ledger. " FROM,
    LABELS("collector"),
    .buckets = delay_buckets,
    .bucket_count = ARRAY_COUNT(delay_buckets),
};
#define FROM_SLA "From this exporter's own ledger, due dates of governance and the configured SLA."

const struct family_2 ledger_figures_overdue = {
    .name = "defender_findings_overdue",
    .type = METRIC_GAUGE,
    .level = 0,
    .history = true,
    .help = "Open findings whose time to fix is over. " FROM_SLA,
    LABELS("subscription_id", "risk_level"),
};
const struct family_2 ledger_figures_due_soon = {
    .name = "defender_findings_due_soon",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Open findings whose time to fix is nearly over. " FROM_SLA,
    LABELS("subscription_id", "risk_level"),
};
const struct family_2 ledger_figures_unseen = {
    .name = "defender_findings_unseen",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Open findings of which the last collection has no row, and nothing says why. " FROM,
    LABELS("subscription_id", "risk_level"),
};
const struct family_1 ledger_figures_opened_timestamp = {
    .name = "defender_finding_opened_timestamp_seconds",
    .type = METRIC_GAUGE,
    .level = 3,
    .unit = "seconds",
    .help = "When an open finding opened, as Azure dates it, else when it was seen; the worst "
            "5,000.",
    LABELS("finding_id"),
};

const struct family *const ledger_families[] = {
    &opened.family,
    &resolved.family,
    &reopened.family,
    &resolutions.family,
    &risk_changes.family,
    &regressed.family,
    &fixed.family,
    &drift.family,
    &alerts.family,
    &resolution_seconds.family,
    &detection_delay_seconds.family,
    &ledger_figures_overdue.family,
    &ledger_figures_due_soon.family,
    &ledger_figures_unseen.family,
    &ledger_figures_opened_timestamp.family,
    NULL,
};

const struct ledger_figure ledger_figures_tables[FIGURE_COUNT] = {
    [FIGURE_OPENED] = { &opened, NULL, OF_SUBSCRIPTION, OF_RISK },
    [FIGURE_RESOLVED] = { &resolved, NULL, OF_SUBSCRIPTION, OF_RISK },
    [FIGURE_REOPENED] = { &reopened, NULL, OF_SUBSCRIPTION, OF_RISK },
    [FIGURE_RESOLUTIONS] = { &resolutions, NULL, OF_RISK, OF_REASON },
    [FIGURE_RISK_CHANGES] = { &risk_changes, NULL, OF_RISK, OF_RISK },
    [FIGURE_REGRESSED] = { &regressed, NULL, OF_BASELINE, OF_SEVERITY },
    [FIGURE_FIXED] = { &fixed, NULL, OF_BASELINE, OF_SEVERITY },
    [FIGURE_DRIFT] = { &drift, NULL, OF_RULE, OF_DRIFT },
    [FIGURE_ALERTS] = { &alerts, NULL, OF_SUBSCRIPTION, OF_ALERT_SEVERITY },
    [FIGURE_RESOLUTION] = { NULL, &resolution_seconds, OF_RISK, OF_BUCKET },
    [FIGURE_DELAY] = { NULL, &detection_delay_seconds, OF_SOURCE, OF_BUCKET },
};

_Static_assert(ARRAY_COUNT(resolution_buckets) + 2 <= LEDGER_FIGURES_COLUMNS, "and +Inf, the sum");
_Static_assert(ARRAY_COUNT(delay_buckets) + 2 <= LEDGER_FIGURES_COLUMNS, "and +Inf, the sum");
_Static_assert((int)REASON_COUNT <= LEDGER_FIGURES_COLUMNS, "the longest list of words");
