#include "alerts/drill.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/notify/notice.h"
#include "alerts/rules/notification_silence.h"
#include "alerts/store/schema.h"
#include "core/clock.h"
#include "core/near.h"

#define DRILL_TITLE "[TEST] Critical: Fire drill, nothing is wrong (vm-fire-drill)"

/* --- notifications --------------------------------------------------------------------------- */

/* What both notifications share; the alert's labels are set before. */
static void fill(const struct settings *settings, const char *receiver, const char *rule,
                 int64_t started_at, int64_t now, struct alert *alert, struct arena *arena,
                 struct notification *notification)
{
    char key[46], group_key[96];
    alert_seal(alert);
    snprintf(group_key, sizeof group_key, "{}:{alertname=\"%s\"}", rule);
    alert_dedup_key(settings->tenant_id, rule, receiver, (uint32_t)started_at, key);
    notification->receiver = arena_text(arena, receiver);
    notification->group_key = arena_text(arena, group_key);
    notification->dedup_key = arena_text(arena, key);
    notification->tenant_id = settings->tenant_id;
    notification->external_url = settings->external_url;
    notification->config_file = settings->config_file;
    notification->rule = rule;
    notification->event_at = notification->made_at = now;
    notification->group_labels[0] = (struct match_label){ "alertname", rule };
    notification->group_label_count = 1;
    notification->alerts = alert;
    notification->alert_count = 1;
    *(notification->status == NOTIFICATION_RESOLVED ? &notification->resolved_count
                                                    : &notification->firing_count) = 1;
}

/* How a finding of that name would be silenced. */
static void add_silence(struct notification *notification, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf program = { 0 };
    CLEANUP(buf_finish) struct buf command = { 0 };
    notification_silence_own(notification->config_file, &program);
    notification_silence(buf_cstr(&program), NULL, NULL, notification->alerts,
                         notification->alert_count, &command);
    notification->silence_command = arena_text(arena, buf_cstr(&command));
}

static struct notification_block *drill_block(const struct notification *notification,
                                              struct arena *arena)
{
    static const char link[] = "https://portal.azure.com/#view/Microsoft_Azure_Security/"
                               "SecurityMenuBlade/~/5";
    bool resolved = notification->status == NOTIFICATION_RESOLVED;
    struct notification_block *block = arena_alloc(arena, sizeof *block);
    struct notification_resource *resource = arena_alloc(arena, sizeof *resource);
    struct notification_link *portal = arena_alloc(arena, sizeof *portal);
    *portal = (struct notification_link){ "Open in the Azure portal", link };
    notification_resource_init(resource);
    resource->finding_id = "0000000000000000";
    resource->name = "vm-fire-drill";
    resource->id =
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-fire-drill"
        "/providers/Microsoft.Compute/virtualMachines/vm-fire-drill";
    resource->type = "microsoft.compute/virtualmachines";
    resource->group = "rg-fire-drill";
    resource->subscription_id = "00000000-0000-0000-0000-000000000000";
    resource->subscription_name = "fire-drill";
    resource->cloud = "azure";
    resource->environment = "Azure";
    resource->risk_level = "critical";
    resource->link = link;
    resource->state = resolved ? "fixed" : "open";
    resource->opened_at = notification->opened_at;
    resource->due_at = notification->due_at;
    resource->resolved = resolved;
    notification_block_init(block);
    block->rule = "FireDrill";
    block->event = notification->event;
    block->assessment_id = "00000000-0000-0000-0000-00000000d411";
    block->title = "Fire drill, nothing is wrong";
    block->category = "Compute";
    block->risk_level = "critical";
    block->severity = "high";
    *(resolved ? &block->ended_count : &block->open_count) = 1;
    block->resources = resource;
    block->resource_count = 1;
    block->reason = resolved ? "fixed" : "";
    block->description = block->description_markdown =
        "Nothing is wrong: this notification was asked for.";
    block->remediation = block->remediation_markdown =
        "1. Read this notification.\n2. Acknowledge it where you saw it.";
    block->effort = "Low";
    block->user_impact = "Low";
    block->threats = "Missed notifications";
    block->risk_factors = "Internet exposure";
    block->internet_exposed = true;
    block->attack_paths = 1;
    block->points = 1;
    block->opened_at = notification->opened_at;
    block->due_at = notification->due_at;
    block->links = portal;
    block->link_count = 1;
    return block;
}

static void describe_drill(struct notification *notification, struct arena *arena)
{
    notification->blocks = drill_block(notification, arena);
    notification->block_count = 1;
    notification->resource_total = 1;
    notification->title = DRILL_TITLE;
    notification->text = "This is a test. It shows what a notification looks like and that "
                         "notifications arrive.";
    notification->risk_level = "critical";
    notification->severity = "high";
    notification->subscription_id = "00000000-0000-0000-0000-000000000000";
    notification->subscription_name = "fire-drill";
    notification->assessment_id = "00000000-0000-0000-0000-00000000d411";
    notification->points = 1;
    notification->reason = notification->status == NOTIFICATION_RESOLVED ? "fixed" : "";
}

void drill_notification(const struct settings *settings, const char *receiver,
                        enum notification_status status, int64_t started_at, int64_t now,
                        struct arena *arena, struct notification *notification)
{
    struct alert *alert = arena_zalloc(arena, sizeof *alert);
    char at[32];
    const char *started = arena_text(arena, clock_format_rfc3339(started_at, at));
    bool firing = status == NOTIFICATION_FIRING;
    *alert = (struct alert){
        .rule = "FireDrill",
        .event = "test",
        .state = firing ? ALERT_FIRING : ALERT_RESOLVED,
        .risk = RISK_CRITICAL,
        .episode = 1,
        .starts_at = started_at,
        .ends_at = firing ? 0 : now,
        .opened_at = started_at,
        .due_at = started_at + INT64_C(7) * 86400,
        .reason = firing ? "" : "fixed",
    };
    alert_label(alert, "alertname", "FireDrill");
    alert_label(alert, "risk_level", "critical");
    alert_label(alert, "started", started);
    alert_label(alert, "test", "true");
    alert_annotate(alert, "summary", DRILL_TITLE);
    notification_init(notification);
    notification->event = "test";
    notification->status = status;
    notification->test = true;
    notification->opened_at = started_at;
    notification->age_s = now - started_at;
    notification->due_at = alert->due_at;
    fill(settings, receiver, "FireDrill", started_at, now, alert, arena, notification);
    describe_drill(notification, arena);
    add_silence(notification, arena);
    notification_derive(notification, arena);
}

void drill_beat(const struct settings *settings, const char *receiver, int64_t now,
                struct arena *arena, struct notification *notification)
{
    static const char title[] = "Heartbeat: notifications would go out";
    struct alert *alert = arena_zalloc(arena, sizeof *alert);
    *alert = (struct alert){
        .rule = "Heartbeat",
        .event = "heartbeat",
        .state = ALERT_FIRING,
        .risk = RISK_NOT_EVALUATED,
        .episode = 1,
        .starts_at = now,
        .opened_at = now,
        .reason = "",
    };
    alert_label(alert, "alertname", "Heartbeat");
    alert_annotate(alert, "summary", title);
    notification_init(notification);
    notification->event = "heartbeat";
    notification->status = NOTIFICATION_FIRING;
    notification->title = title;
    notification->text = "Evaluations succeed and the data is fresh.";
    notification->risk_level = finding_risk_words[RISK_NOT_EVALUATED];
    notification->severity = finding_severity_words[SEVERITY_UNKNOWN];
    fill(settings, receiver, "Heartbeat", 1, now, alert, arena, notification);
    notification_derive(notification, arena);
}

void drill_alarm(const struct settings *settings, const char *receiver,
                 enum notification_status status, const char *why, int64_t started_at, int64_t now,
                 struct arena *arena, struct notification *notification)
{
    static const char rule[] = "ExporterFailing",
                      title[] = "Critical: defender_exporter cannot decide about alerts";
    struct alert *alert = arena_zalloc(arena, sizeof *alert);
    bool firing = status == NOTIFICATION_FIRING;
    *alert = (struct alert){
        .rule = rule,
        .event = "exporter.failing",
        .state = firing ? ALERT_FIRING : ALERT_RESOLVED,
        .risk = RISK_CRITICAL,
        .episode = 1,
        .starts_at = started_at,
        .ends_at = firing ? 0 : now,
        .opened_at = started_at,
        .reason = "",
    };
    alert_label(alert, "alertname", rule);
    alert_label(alert, "risk_level", finding_risk_words[RISK_CRITICAL]);
    alert_annotate(alert, "summary", title);
    notification_init(notification);
    notification->event = alert->event;
    notification->status = status;
    notification->title = title;
    notification->text = firing ? arena_text(arena, why) : "Alerts are decided again.";
    notification->risk_level = finding_risk_words[RISK_CRITICAL];
    notification->severity = finding_severity_words[SEVERITY_HIGH];
    notification->opened_at = started_at;
    fill(settings, receiver, rule, started_at, now, alert, arena, notification);
    notification_derive(notification, arena);
}

/* --- drills that come by themselves ---------------------------------------------------------- */

static bool queue(const struct group_context *context, const char *name,
                  enum notification_status status, int64_t started_at, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    const struct receivers_config *receiver = settings_receiver(context->settings, name);
    drill_notification(context->settings, name, status, started_at, context->now, &arena,
                       &notification);
    return notice_queue(context, receiver, &notification, error);
}

static bool queue_all(const struct group_context *context, enum notification_status status,
                      int64_t started_at, struct error *error)
{
    const struct option_texts *receivers = &context->settings->config->drill.receivers;
    for (size_t i = 0; i < receivers->count; i++)
        if (settings_receiver(context->settings, receivers->texts[i]) &&
            !queue(context, receivers->texts[i], status, started_at, error))
            return false;
    return true;
}

static bool put_instant(struct database *database, const char *key, int64_t at, struct error *error)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, at);
    return schema_put(database, key, text, error);
}

static bool get_instant(struct database *database, const char *key, int64_t *at,
                        struct error *error)
{
    char text[24];
    if (!schema_get(database, key, text, sizeof text, error))
        return false;
    *at = strtoll(text, NULL, 10);
    return true;
}

/* When the next drill starts, `at` being the earliest instant. */
static int64_t inside(const struct settings *settings, int64_t at)
{
    const struct time_interval *interval = settings->drill_interval;
    return !interval || time_interval_contains(interval, at) ? at
                                                             : time_interval_next_at(interval, at);
}

/* End the drill under way when its time is over. */
static bool end_drill(const struct group_context *context, int64_t *next_at, struct error *error)
{
    int64_t open;
    if (!get_instant(context->database, "drill.open", &open, error))
        return false;
    if (!open)
        return true;
    *next_at = open + DRILL_LASTS_S;
    if (context->now < *next_at)
        return true;
    *next_at = 0;
    return queue_all(context, NOTIFICATION_RESOLVED, open, error) &&
           put_instant(context->database, "drill.open", 0, error);
}

bool drill_advance(const struct group_context *context, int64_t *next_at, struct error *error)
{
    struct database *database = context->database;
    int64_t interval_s = context->settings->config->drill.interval_ms / 1000;
    int64_t last, now = context->now;
    *next_at = 0;
    if (!end_drill(context, next_at, error))
        return false;
    if (!interval_s || !context->settings->config->drill.receivers.count || *next_at)
        return true;
    if (!get_instant(database, "drill.last", &last, error))
        return false;
    bool first = !last;
    int64_t due = inside(context->settings, first ? now + interval_s : last + interval_s);
    if (!first && due <= now) {
        bool may = inside(context->settings, now) == now;
        *next_at = may ? now + DRILL_LASTS_S : inside(context->settings, now);
        return !may || (queue_all(context, NOTIFICATION_FIRING, now, error) &&
                        put_instant(database, "drill.open", now, error) &&
                        put_instant(database, "drill.last", now, error));
    }
    *next_at = due;
    return !first || put_instant(database, "drill.last", now, error);
}

/* --- on demand ------------------------------------------------------------------------------ */

static bool send_one(const struct settings *settings, const struct receivers_config *receiver,
                     int target, enum notification_status status, int64_t now, struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    struct outbox_clock clock = { 0 };
    struct delivery_attempt attempt;
    char id[OUTBOX_ID_BYTES];
    const void *unused;
    const struct receiver_kind *kind = receivers_kind(receiver, &unused);
    struct receiver_context context = {
        .target = target,
        .now = now,
        .ends_at = kind->refresh_s ? now + 4 * kind->refresh_s : 0,
        .name = receiver->name,
    };
    drill_notification(settings, receiver->name, status, now, now, &arena, &notification);
    notification.id = outbox_id(&clock, clock_now_ms(), id);
    struct http_client *client = http_client_create();
    delivery_send(client, receiver, &context, &notification, &attempt);
    http_client_destroy(client);
    bool accepted = attempt.verdict.outcome == RECEIVER_SENT;
    buf_printf(out, "%s (%s, target %d): %s notification %s", receiver->name, kind->name, target,
               notification_status_words[status], accepted ? "accepted" : "NOT accepted");
    if (attempt.status)
        buf_printf(out, ", status %d", attempt.status);
    buf_printf(out, " after %" PRId64 " ms", attempt.duration_ms);
    if (attempt.refused_count)
        buf_printf(out, ": %zu recipients refused: %s", attempt.refused_count, attempt.refused);
    if (!accepted)
        buf_printf(out, ": %s: %s%s%s", delivery_reason(&attempt), attempt.verdict.text,
                   *attempt.verdict.text ? ": " : "", attempt.text);
    buf_char(out, '\n');
    return accepted;
}

bool drill_send(const struct settings *settings, const char *receiver, int64_t now, struct buf *out,
                struct error *error)
{
    const struct receivers_config *config = settings_receiver(settings, receiver);
    bool ok = true;
    if (!config) {
        CLEANUP(buf_finish) struct buf near = { 0 };
        near_append(receiver, settings->receiver_names, &near);
        return error_set(error, ERROR_NOT_FOUND, "no receiver is called %s%s", receiver,
                         buf_cstr(&near));
    }
    for (size_t i = 0; i < receivers_targets(config); i++)
        ok = send_one(settings, config, (int)i, NOTIFICATION_FIRING, now, out) &&
             send_one(settings, config, (int)i, NOTIFICATION_RESOLVED, now, out) && ok;
    return ok || error_set(error, ERROR_REQUEST, "%s did not accept it", receiver);
}
