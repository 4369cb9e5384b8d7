#include "alerts/notify/notification_finding.h"

#include "core/clock.h"
#include "core/hash.h"

/* Give a view of the snapshot a life of its own. */
static void keep(struct finding *view, struct arena *arena)
{
    const char **texts[] = {
        &view->assessment_id, &view->title,         &view->subscription_id, &view->resource_group,
        &view->resource_type, &view->resource_name, &view->resource_id,     &view->category,
        &view->risk_factors,  &view->connector,     &view->account,         &view->native_id,
        &view->location,
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        *texts[i] = arena_text(arena, *texts[i]);
}

static bool find_open(const struct notification_context *context, const struct finding_id *id,
                      char *scratch, struct arena *arena, struct finding *view)
{
    for (size_t i = 0; i < context->snapshot->sources->count; i++) {
        const struct part *part = context->snapshot->parts[i];
        ptrdiff_t index = part ? part_find(part, id) : -1;
        char resource_id[PART_ID_BYTES];
        if (index < 0)
            continue;
        part_view(part, (size_t)index, view, scratch ? scratch : resource_id);
        if (!scratch)
            keep(view, arena);
        return true;
    }
    return false;
}

/* What is left when neither Azure nor the ledger knows the finding: the alert's own labels. */
static void from_labels(const struct alert *alert, struct finding *view)
{
    *view = (struct finding){
        .id = alert->finding_id,
        .risk = alert->risk,
        .severity = finding_severity(alert_label_value(alert, "severity")),
        .assessment_id = alert_label_value(alert, "assessment_id"),
        .subscription_id = alert_label_value(alert, "subscription_id"),
        .resource_group = alert_label_value(alert, "resource_group"),
        .resource_type = alert_label_value(alert, "resource_type"),
        .resource_name = alert_label_value(alert, "resource_name"),
        .category = alert_label_value(alert, "category"),
        .cloud = cloud_kind_of(alert_label_value(alert, "cloud"), ""),
        .connector = alert_label_value(alert, "connector"),
        .account = alert_label_value(alert, "account"),
        .native_id = "",
        .location = "",
        .title = "",
        .resource_id = "",
        .risk_factors = "",
    };
}

bool notification_finding(const struct notification_context *context, const struct alert *alert,
                          char scratch[PART_ID_BYTES], struct arena *arena, struct finding *view,
                          int64_t *unseen_at, struct error *error)
{
    *unseen_at = 0;
    if (find_open(context, &alert->finding_id, scratch, arena, view))
        return true;
    bool found = false;
    if (context->database) {
        struct ledger_entry entry;
        char hex[2 * sizeof alert->finding_id + 1];
        hash_hex(alert->finding_id.bytes, sizeof alert->finding_id.bytes, hex);
        if (!ledger_find(context->database, context->snapshot->sources, hex, arena, &entry, &found,
                         error))
            return error_wrap(error, "notification");
        if (found) {
            *view = entry.finding;
            *unseen_at = entry.absent_at;
        }
    }
    if (!found)
        from_labels(alert, view);
    return true;
}

void notification_finding_before(const struct alert *alert, struct notification_resource *resource)
{
    const char *at = alert_annotation_value(alert, "ended_before_at");
    resource->reason_before = alert_annotation_value(alert, "reason_before");
    if (!*at || !clock_parse_rfc3339(at, &resource->ended_before_at))
        resource->ended_before_at = 0;
}
