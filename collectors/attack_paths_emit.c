#include <stdlib.h>
#include <string.h>

#include "collectors/attack_paths.h"
#include "core/memory.h"

#define FROM "From attack paths, cached."

static const struct family_2 by_risk = {
    .name = "defender_attack_paths",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Attack paths by risk level, of subscriptions with Defender CSPM: without it Azure "
            "tells of none. " FROM,
    LABELS("subscription_id", "risk_level"),
};
static const struct family_7 info = {
    .name = "defender_attack_path_info",
    .type = METRIC_INFO,
    .level = 2,
    .help = "An attack path: where it begins, what it leads to and through, and of that what most "
            "paths lead through. " FROM,
    LABELS("finding_id", "subscription_id", "name", "entry_point", "target", "chain",
           "choke_point"),
};
const struct family *const attack_paths_families[] = { &by_risk.family, &info.family, NULL };

typedef uint64_t tally[RISK_COUNT];

static bool has_any(const uint64_t *counts)
{
    for (int risk = 0; risk < RISK_COUNT; risk++)
        if (counts[risk])
            return true;
    return false;
}

static void emit_counts(const struct part *part, struct metric_set *set)
{
    tally *tallies = MEMORY_ARRAY(tally, part->cover_count + 1);
    uint32_t *places = part_places(part);
    for (size_t i = 0; i < part->finding_count; i++)
        tallies[places[part->findings[i].subscription]][part->findings[i].risk]++;
    for (size_t i = 0; i < part->cover_count; i++) {
        const struct part_cover *cover = &part->cover[i];
        const struct attack_paths_plan *plan = part_counted(part, &attack_paths_plans, i);
        bool is_on = plan->told_on && !plan->told_off;
        if (!cover->collected_at || !(is_on || has_any(tallies[i])))
            continue;
        for (int risk = 0; risk < RISK_COUNT; risk++)
            metric_add(set, &by_risk, (double)tallies[i][risk],
                       METRIC_LABELS(cover->subscription_id, finding_risk_words[risk]));
    }
    free(places);
    free(tallies);
}

static void emit_paths(const struct part *part, struct metric_set *set)
{
    size_t count;
    const struct attack_path *path = part_rows(part, &attack_paths_kept, &count);
    if (!metric_wanted(set, &info.family))
        return;
    for (size_t i = 0; i < count; i++, path++) {
        const struct finding_id id = finding_id(part->source, path->id, strlen(path->id));
        char text[17];
        metric_add(set, &info, 1,
                   METRIC_LABELS(finding_id_text(&id, text), path->subscription_id, path->name,
                                 path->entry, path->target, path->chain,
                                 *path->choke ? path->choke : "none"));
    }
}

void attack_paths_sentence(const struct snapshot *snapshot, struct buf *out)
{
    size_t all = 0, count;
    tally risks = { 0 };
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct part *part = snapshot->parts[i];
        if (!part_rows(part, &attack_paths_kept, &count)) /* of another collector */
            continue;
        all += part->finding_count;
        for (size_t n = 0; n < part->finding_count; n++)
            risks[part->findings[n].risk]++;
    }
    if (all)
        buf_printf(out, "%zu %s open", all, all == 1 ? "is" : "are");
    for (int risk = 0, told = 0; risk < RISK_COUNT; risk++)
        if (risks[risk])
            buf_printf(out, "%s%llu %s", told++ ? ", " : ": ", (unsigned long long)risks[risk],
                       risk == RISK_NOT_EVALUATED ? "not evaluated" : finding_risk_words[risk]);
}

void attack_paths_emit(const struct snapshot *snapshot, const struct part *part,
                       struct metric_set *set)
{
    (void)snapshot;
    emit_counts(part, set);
    emit_paths(part, set);
}
