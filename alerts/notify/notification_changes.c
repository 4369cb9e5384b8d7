#include "alerts/notify/notification_changes.h"

#include <string.h>

#include "alerts/notify/notification_finding.h"
#include "alerts/notify/notification_names.h"
#include "collectors/activity.h"
#include "collectors/collector.h"

/* The instant it is about: when the finding opened, or ended. */
static int64_t instant_of(const struct alert *alert)
{
    if (alert->state == ALERT_RESOLVED)
        return alert->ends_at;
    return alert->opened_at ? alert->opened_at : alert->starts_at;
}

static bool is_about(const struct alert *alert)
{
    enum { KINDS = 1u << EVENT_OPENED | 1u << EVENT_REOPENED | 1u << EVENT_RESOLVED };
    const struct event_name *name = event_name_find(alert->event);
    return alert->has_finding && name && (name->kinds & KINDS);
}

/* Whether a source answers for the finding's tenant, and Azure knows its resource. */
static bool is_asked_for(const struct snapshot *snapshot, const struct finding *finding)
{
    if (!finding->source || finding->cloud != CLOUD_AZURE || !asked_is_safe(finding->resource_id))
        return false;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source *source = &snapshot->sources->sources[i];
        if (source->collector->role == COLLECTOR_ANSWERS && snapshot->status[i].enabled &&
            !strcmp(source->tenant, finding->source->tenant))
            return true;
    }
    return false;
}

bool notification_changes_ask(const struct notification_context *context, const struct alert *alert,
                              struct asked_list *list, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct finding view;
    int64_t unseen_at;
    if (!is_about(alert) || list->count == ASKED_WAITING_MAX)
        return true;
    if (!notification_finding(context, alert, NULL, &arena, &view, &unseen_at, error))
        return false;
    if (is_asked_for(context->snapshot, &view))
        asked_list_add(list, &(struct asked){ .tenant = view.source->tenant,
                                              .resource_id = view.resource_id,
                                              .at = instant_of(alert) });
    return true;
}

void notification_changes(const struct notification_context *context, const struct alert *alert,
                          const char *id, struct arena *arena,
                          struct notification_resource *resource)
{
    const struct activity_change *changes;
    size_t count = activity_around(context->snapshot, id, instant_of(alert), &changes);
    if (!count)
        return;
    struct notification_change *told = arena_zalloc(arena, count * sizeof *told);
    for (size_t i = 0; i < count; i++)
        told[i] = (struct notification_change){
            .at = changes[i].at,
            .by = activity_by_words[changes[i].by],
            .caller = notification_names_copy(changes[i].caller, arena),
            .operation = notification_names_copy(changes[i].operation, arena),
            .kind = notification_names_copy(changes[i].kind, arena),
        };
    resource->changes = told;
    resource->change_count = count;
}
