/* The samples of a snapshot. */
#include "collectors/run/runner.h"

static const struct family_0 up = {
    .name = "defender_up",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "1 when every enabled collector has data younger than max staleness, and alerts can be "
            "decided.",
};
static const struct family_2 success = {
    .name = "defender_scrape_collector_success",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "1 when the collector's last run read everything it asked for.",
    LABELS("collector", "tenant_id"),
};
static const struct family_2 duration = {
    .name = "defender_scrape_collector_duration_seconds",
    .type = METRIC_GAUGE,
    .level = 0,
    .unit = "seconds",
    .help = "How long the collector's last run took.",
    LABELS("collector", "tenant_id"),
};
static const struct family_2 last_success = {
    .name = "defender_collector_last_success_timestamp_seconds",
    .type = METRIC_GAUGE,
    .level = 0,
    .unit = "seconds",
    .help = "When the collector last read everything it asked for; 0 = never.",
    LABELS("collector", "tenant_id"),
};
static const struct family_2 interval = {
    .name = "defender_collector_interval_seconds",
    .type = METRIC_GAUGE,
    .level = 0,
    .unit = "seconds",
    .help = "Time between two runs of the collector, as configured.",
    LABELS("collector", "tenant_id"),
};
static const struct family_2 rows = {
    .name = "defender_collector_rows",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Rows the collector's last run read from Azure.",
    LABELS("collector", "tenant_id"),
};
static const struct family_2 truncated = {
    .name = "defender_collector_truncated",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "1 when Azure cut the answer in a way that can only be counted: nothing is concluded "
            "from what is missing.",
    LABELS("collector", "tenant_id"),
};
static const struct family_3 odd_rows = {
    .name = "defender_collector_odd_rows",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Rows of the collector's last complete run that could not be read as they should: the "
            "others are shown, nothing is concluded from these.",
    LABELS("collector", "reason", "tenant_id"),
};
const struct family *const runner_families[] = {
    &up.family,           &success.family,   &duration.family,
    &last_success.family, &interval.family,  &rows.family,
    &odd_rows.family,     &truncated.family, NULL,
};

static void emit_status(const struct snapshot *snapshot, size_t place, struct metric_set *set)
{
    const struct source *source = &snapshot->sources->sources[place];
    const char *name = source->name, *tenant = source->tenant_id;
    const struct source_status *status = &snapshot->status[place];
    const struct metric_labels_2 *labels = METRIC_LABELS(name, tenant);
    metric_add(set, &success, status->success, labels);
    metric_add(set, &duration, (double)status->duration_ms / 1e3, labels);
    metric_add(set, &last_success, (double)status->last_success_at, labels);
    metric_add(set, &interval, (double)status->interval_ms / 1e3, labels);
    metric_add(set, &rows, (double)status->rows, labels);
    for (int reason = ODD_NONE + 1; reason < ODD_REASON_COUNT; reason++)
        metric_add(set, &odd_rows, (double)status->odd.counts[reason],
                   METRIC_LABELS(name, odd_words[reason], tenant));
    metric_add(set, &truncated, status->truncated, labels);
}

static void emit_part(const struct snapshot *snapshot, size_t place, struct metric_set *set)
{
    const struct source *source = &snapshot->sources->sources[place];
    if (snapshot->parts[place])
        source->collector->emit(snapshot, snapshot->parts[place], set);
}

void runner_emit(const struct snapshot *snapshot, struct metric_set *set)
{
    size_t count = snapshot->sources->count;
    bool all = true;
    for (size_t i = 0; i < count; i++)
        all = all && (!snapshot->status[i].enabled || snapshot->parts[i]);
    metric_add(set, &up, all, METRIC_LABELS());
    for (size_t i = 0; i < count; i++)
        if (snapshot->status[i].enabled)
            emit_status(snapshot, i, set);
    for (size_t i = 0; i < count; i++)
        emit_part(snapshot, i, set);
}

void runner_emit_source(const struct snapshot *snapshot, size_t place, struct metric_set *set)
{
    emit_status(snapshot, place, set);
    emit_part(snapshot, place, set);
}

void runner_emit_down(struct metric_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->samples[i].family == &up.family)
            set->samples[i].value = 0;
}
