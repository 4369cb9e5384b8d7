#include "alerts/notify/notification_brief.h"

#include <string.h>

#include "alerts/notify/notification_finding.h"
#include "alerts/notify/notification_names.h"
#include "alerts/rules/notification_words.h"
#include "alerts/text/text.h"
#include "collectors/catalogue.h"

void notification_brief_init(struct notification_brief *brief)
{
    *brief = (struct notification_brief){ 0 };
    notification_init(&brief->notification);
    notification_block_init(&brief->block);
    brief->notification.blocks = &brief->block;
    brief->notification.block_count = 1;
    brief->notification.firing_count = 1;
    brief->notification.resource_total = 1;
    brief->block.open_count = 1;
    brief->block.resources = &brief->resource;
    brief->block.resource_count = 1;
}

void notification_brief_finish(struct notification_brief *brief)
{
    buf_finish(&brief->rendered);
    buf_finish(&brief->title);
    buf_finish(&brief->text);
    arena_finish(&brief->arena);
}

bool notification_brief_fits(const struct rule_set *rules, const struct alert *alert)
{
    const struct rule *rule = rule_find(rules, alert->rule);
    return alert->has_finding && alert->state == ALERT_FIRING &&
           (!rule || (!rule->title && !rule->text));
}

/* Of a recommendation without a title the catalogue's. */
static const char *title_of(const struct notification_context *context, const struct finding *view)
{
    if (*view->title || !*view->assessment_id)
        return view->title;
    const struct catalogue_entry *known =
        catalogue_find(context->snapshot, NULL, view->assessment_id);
    return known ? known->title : "";
}

static void put_block(struct notification_brief *brief, const struct notification_context *context,
                      const struct alert *alert, const struct finding *view)
{
    struct notification_block *block = &brief->block;
    block->rule = alert_label_value(alert, "alertname");
    block->event = alert->event;
    block->title = notification_names_plain(title_of(context, view), &brief->arena);
    block->risk_level = finding_risk_words[alert->risk];
    block->risk_before = alert_annotation_value(alert, "risk_before");
    block->severity = finding_severity_words[view->severity];
    block->due_at = alert->due_at;
}

static void put_resource(struct notification_brief *brief,
                         const struct notification_context *context, const struct alert *alert,
                         const struct finding *view)
{
    struct arena *arena = &brief->arena;
    brief->resource = (struct notification_resource){
        .id = "",
        .group = "",
        .name = notification_names_plain(view->resource_name, arena),
        .subscription_id = view->subscription_id,
        .subscription_name = notification_names_subscription(context, view->subscription_id, arena),
        .cloud = cloud_kind_words[view->cloud],
        .environment = notification_names_environment(view, arena),
        .state = "open",
    };
    notification_finding_before(alert, &brief->resource);
}

/* What of the notification itself the words read. */
static void put_rest(struct notification_brief *brief, const struct notification_context *context,
                     const struct alert *alert, const struct finding *view)
{
    struct notification *notification = &brief->notification;
    notification->event = alert->event;
    notification->made_at = context->now;
    notification->subscription_id = alert_label_value(alert, "subscription_id");
    notification->internet_exposed = view->internet_exposed;
    notification->attack_paths = view->attack_paths > 0 ? view->attack_paths : 0;
    notification->risk_factors = notification_names_words("", view->risk_factors, &brief->arena);
}

bool notification_brief_tell(struct notification_brief *brief,
                             const struct notification_alone *alone, const struct alert *alert,
                             size_t text_points, struct error *error)
{
    const struct notification_context context = { .snapshot = alone->snapshot,
                                                  .database = alone->database,
                                                  .now = alone->now };
    struct finding view;
    int64_t unseen_at;
    arena_reset(&brief->arena);
    if (!notification_finding(&context, alert, brief->scratch, &brief->arena, &view, &unseen_at,
                              error))
        return false;
    put_block(brief, &context, alert, &view);
    put_resource(brief, &context, alert, &view);
    put_rest(brief, &context, alert, &view);
    buf_reset(&brief->rendered);
    notification_words_title(&brief->notification, &brief->rendered);
    notification_build_line(&brief->rendered);
    buf_reset(&brief->title);
    text_cut(&brief->title, buf_cstr(&brief->rendered), NOTIFICATION_BUILD_TITLE_POINTS);
    buf_reset(&brief->rendered);
    notification_words_text(&brief->notification, &brief->rendered);
    notification_build_end(&brief->rendered);
    buf_reset(&brief->text);
    text_cut(&brief->text, buf_cstr(&brief->rendered), text_points);
    return true;
}
