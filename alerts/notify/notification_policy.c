#include "alerts/notify/notification_policy.h"

#include <string.h>

#include "alerts/notify/notification_names.h"
#include "collectors/baselines.h"
#include "collectors/exemptions.h"
#include "collectors/governance.h"

/* "set by governance in Azure, rule Storage; it costs no points until then". */
static const char *due_note(const struct notification_context *context, const struct alert *alert,
                            const struct finding *finding, struct arena *arena)
{
    struct governance found;
    bool known;
    if (!alert->due_at)
        return "";
    governance_find(context->snapshot, finding->subscription_id, &finding->id, &found, &known);
    if (found.due_at != alert->due_at)
        return "";
    CLEANUP(buf_finish) struct buf note = { 0 };
    const char *rule = governance_rule(context->snapshot, finding, found.owner);
    buf_text(&note, "set by governance in Azure");
    if (*rule)
        buf_printf(&note, ", rule %s", rule);
    buf_text(&note, found.grace ? "; it costs no points until then" : "");
    return notification_names_plain(arena_text(arena, buf_cstr(&note)), arena);
}

/* " (requested by Ann, approved by Bob)". */
static void put_requester(const struct exemption *exemption, struct buf *text)
{
    const struct {
        const char *verb, *who;
    } rows[] = { { "requested", exemption->requester }, { "approved", exemption->approver } };
    bool any = false;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (*rows[i].who) {
            buf_printf(text, "%s%s by %s", any ? ", " : " (", rows[i].verb, rows[i].who);
            any = true;
        }
    buf_text(text, any ? ")" : "");
}

/* "waiver: We leave in March". */
static void exempt(const struct notification_context *context, const struct finding *finding,
                   struct arena *arena, struct notification_resource *resource)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct exemption found;
    const struct baselines_waived *waived = baselines_waived_by(context->snapshot, finding);
    if (waived)
        found = (struct exemption){ .category = "waiver",
                                    .reason = waived->reason,
                                    .requester = "",
                                    .approver = "",
                                    .expires_at = waived->until_at };
    else if (!exemptions_find(context->snapshot, finding, context->now, &found))
        return;
    const char *reason = *found.reason ? found.reason : found.title;
    buf_printf(&text, "%s%s%s", found.category, *reason ? ": " : "", reason);
    if (context->requesters)
        put_requester(&found, &text);
    resource->exemption = notification_names_plain(arena_text(arena, buf_cstr(&text)), arena);
    resource->exempted_until_at = found.expires_at;
}

/* It ended so, or that is what is told of it. */
static bool is_exempted(const struct alert *alert)
{
    return !strcmp(alert->reason, finding_reason_words[REASON_EXEMPTED]) ||
           !strcmp(alert->event, "finding.exempted");
}

void notification_policy(const struct notification_context *context, const struct alert *alert,
                         const struct finding *finding, struct arena *arena,
                         struct notification_resource *resource)
{
    resource->owner = alert_label_value(alert, TAG_LABELS_OWNER);
    if (!context->snapshot)
        return;
    resource->due_note = due_note(context, alert, finding, arena);
    if (is_exempted(alert))
        exempt(context, finding, arena, resource);
}
