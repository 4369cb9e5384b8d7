#include <stdlib.h>
#include <string.h>

#include "collectors/security_alerts.h"
#include "core/memory.h"

#define FROM "From security alerts, cached."

static const struct family_2 active = {
    .name = "defender_security_alerts",
    .type = METRIC_GAUGE,
    .level = 0,
    .help =
        "Security alerts of Defender for Cloud that are active: nobody is at work on them, and "
        "nobody resolved or dismissed them. A subscription without a Defender plan has none. " FROM,
    LABELS("subscription_id", "severity"),
};
static const struct family_7 info = {
    .name = "defender_security_alert_info",
    .type = METRIC_INFO,
    .level = 2,
    .help = "A security alert that is open, and the tactics of MITRE ATT&CK it stands for. " FROM,
    LABELS("finding_id", "subscription_id", "name", "alert_type", "severity", "status", "tactics"),
};
const struct family *const security_alerts_families[] = { &active.family, &info.family, NULL };

typedef uint64_t tally[SECURITY_ALERT_SEVERITY_COUNT];

static void emit_counts(const struct part *part, struct metric_set *set)
{
    size_t count;
    const struct security_alert *alert = part_rows(part, &security_alerts_kept, &count);
    tally *tallies = MEMORY_ARRAY(tally, part->cover_count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct part_cover *cover = part_cover_find(part, alert[i].subscription_id);
        if (cover && alert[i].active)
            tallies[cover - part->cover][alert[i].severity]++;
    }
    for (size_t i = 0; i < part->cover_count; i++)
        for (int severity = 0; severity < SECURITY_ALERT_SEVERITY_COUNT; severity++)
            if (part->cover[i].collected_at)
                metric_add(set, &active, (double)tallies[i][severity],
                           METRIC_LABELS(part->cover[i].subscription_id,
                                         security_alerts_severities[severity]));
    free(tallies);
}

static void emit_alerts(const struct part *part, struct metric_set *set)
{
    size_t count;
    const struct security_alert *alert = part_rows(part, &security_alerts_kept, &count);
    if (!metric_wanted(set, &info.family))
        return;
    for (size_t i = 0; i < count; i++, alert++) {
        const struct finding_id id = finding_id(part->source, alert->id, strlen(alert->id));
        char text[17];
        metric_add(set, &info, 1,
                   METRIC_LABELS(finding_id_text(&id, text), alert->subscription_id, alert->name,
                                 alert->type, security_alerts_severities[alert->severity],
                                 alert->active ? "active" : "in_progress",
                                 *alert->tactics ? alert->tactics : "unknown"));
    }
}

void security_alerts_sentence(const struct snapshot *snapshot, struct buf *out)
{
    size_t all = 0, count;
    tally severities = { 0 };
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct security_alert *alert =
            part_rows(snapshot->parts[i], &security_alerts_kept, &count);
        for (size_t n = 0; n < count; n++) {
            all += alert[n].active;
            severities[alert[n].severity] += alert[n].active;
        }
    }
    if (all)
        buf_printf(out, "%zu %s active", all, all == 1 ? "is" : "are");
    for (int severity = 0, told = 0; severity < SECURITY_ALERT_SEVERITY_COUNT; severity++)
        if (severities[severity])
            buf_printf(out, "%s%llu %s", told++ ? ", " : ": ",
                       (unsigned long long)severities[severity],
                       security_alerts_severities[severity]);
}

void security_alerts_emit(const struct snapshot *snapshot, const struct part *part,
                          struct metric_set *set)
{
    (void)snapshot;
    emit_counts(part, set);
    emit_alerts(part, set);
}
